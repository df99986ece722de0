//! Rounds of measuring: in each, every subject is started afresh, and all of them are invoked in turn,
//! so that what the machine does beside them falls on all of them alike.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use axum::body::Bytes;
use serde_json::Value;

use crate::aws::{Aws, Calls};
use crate::failure::{Doing, Failure};
use crate::process::Process;
use crate::report::{Figures, Measured};
use crate::session::{RuntimeApi, Session};
use crate::stats::{Series, percentile};
use crate::subject::{Subject, Transport};

/// How much is measured.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Effort {
    /// Fresh processes of each subject and transport.
    pub(crate) rounds: u32,
    /// Warm invocations of each process, at most.
    pub(crate) invocations: usize,
    /// How long a process is invoked at most, so that slow subjects do not hold everything up.
    pub(crate) budget: Duration,
}

impl Effort {
    /// What figures to publish are made of.
    pub(crate) const FULL: Self =
        Self { rounds: 11, invocations: 400, budget: Duration::from_millis(1_500) };
    /// Enough to see whether a change pays.
    pub(crate) const QUICK: Self =
        Self { rounds: 3, invocations: 200, budget: Duration::from_millis(700) };
}

/// Invocations before the warm ones are counted, within the same budget: caches fill, and Node
/// compiles what it runs often.
const WARM_UP: usize = 200;
/// Even the slowest subject is invoked this often.
const AT_LEAST: usize = 10;
/// Invocations of one subject before it is the turn of the next.
const TURN: usize = 20;

/// What one process showed.
struct Round {
    first_poll: u64,
    first_response: u64,
    warm_p50: u64,
    warm_p99: u64,
    warm_cpu: u64,
    peak_memory: u64,
    log: u64,
    calls_first: Calls,
    calls_warm: Calls,
}

/// Measures all subjects over all transports.
pub(crate) async fn all(
    subjects: &[Subject],
    transports: &[Transport],
    effort: Effort,
    aws: &Aws,
    folder: &Path,
) -> Result<Vec<Measured>, Failure> {
    let logs = folder.join("logs");
    fs::create_dir_all(&logs)?;
    for subject in subjects {
        refuses(subject, aws, &logs).await.doing(&subject.name)?;
    }
    let mut rounds: BTreeMap<(Transport, usize), Vec<Round>> = BTreeMap::new();
    for number in 1..=effort.rounds {
        eprintln!("round {number} of {}", effort.rounds);
        for &transport in transports {
            let found = round(subjects, transport, effort, aws, &logs).await?;
            for (index, found) in found.into_iter().enumerate() {
                rounds.entry((transport, index)).or_default().push(found);
            }
        }
    }
    rounds
        .into_iter()
        .map(|((transport, index), rounds)| summary(&subjects[index], transport, &rounds))
        .collect()
}

/// Starts a subject as Lambda does.
pub(crate) async fn start(
    subject: &Subject,
    transport: Transport,
    aws: &Aws,
    log: &Path,
) -> Result<Session, Failure> {
    let api = RuntimeApi::start().await?;
    let environment = subject.environment(&api.address.to_string(), aws, transport);
    let process = Process::start(&subject.program, &environment, log)?;
    Ok(Session::new(api, process))
}

/// Makes sure that a peer looks at what it is given.
async fn refuses(subject: &Subject, aws: &Aws, logs: &Path) -> Result<(), Failure> {
    let Some(event) = &subject.refused else { return Ok(()) };
    let event = Bytes::from(fs::read(event).doing(event.display())?);
    let log = logs.join(format!("{}.log", subject.name));
    let mut session = start(subject, Transport::Plain, aws, &log).await?;
    let answered = session.invoke(&event).await?;
    let answer: Value = serde_json::from_slice(&answered.body)?;
    if answer["statusCode"] == 400 {
        return Ok(());
    }
    Err(Failure::new(format!("it should have refused, and answered {answer}")))
}

/// Starts all subjects, one after the other, and then invokes them in turn, some invocations at a
/// time: whatever makes the machine slow or fast for a second does so to all of them.
async fn round(
    subjects: &[Subject],
    transport: Transport,
    effort: Effort,
    aws: &Aws,
    logs: &Path,
) -> Result<Vec<Round>, Failure> {
    let mut warm = Vec::with_capacity(subjects.len());
    for subject in subjects {
        let log = logs.join(format!("{}.log", subject.name));
        let started = Warm::up(subject, transport, effort, aws, log).await;
        warm.push(started.doing(&subject.name)?);
    }
    let mut more = true;
    while more {
        more = false;
        for subject in &mut warm {
            more |= subject.turn(effort).await.doing(&subject.name)?;
        }
    }
    let mut found = Vec::with_capacity(warm.len());
    for subject in warm {
        found.push(subject.end().await?);
    }
    Ok(found)
}

/// A process that has been invoked often enough for its warm invocations to count.
struct Warm {
    name: String,
    session: Session,
    event: Bytes,
    log: PathBuf,
    first_poll: Duration,
    first_response: Duration,
    calls_first: Calls,
    calls_warm: Calls,
    /// Processor time and length of the log, when the process had become warm.
    cpu_before: Duration,
    logged_before: u64,
    latencies: Vec<u64>,
    /// How long the invocations that count have taken.
    spent: Duration,
}

impl Warm {
    async fn up(
        subject: &Subject,
        transport: Transport,
        effort: Effort,
        aws: &Aws,
        log: PathBuf,
    ) -> Result<Self, Failure> {
        let event = subject.event()?;
        aws.take_calls();
        let mut session = start(subject, transport, aws, &log).await?;
        let first_poll = session.first_poll().await?;
        let first = session.invoke(&event).await?;
        subject.check(&first.body)?;
        let calls_first = aws.take_calls();

        let begun = Instant::now();
        for _ in 0..WARM_UP {
            if begun.elapsed() < effort.budget {
                session.invoke(&event).await?;
            }
        }
        let calls_warm = calls_of_one(&mut session, subject, &event, aws).await?;
        session.idle().await?;
        Ok(Self {
            name: subject.name.clone(),
            first_poll,
            first_response: session.since_start(&first),
            calls_first,
            calls_warm,
            cpu_before: session.process.cpu()?,
            logged_before: fs::metadata(&log)?.len(),
            latencies: Vec::with_capacity(effort.invocations),
            spent: Duration::ZERO,
            session,
            event,
            log,
        })
    }

    /// Some more invocations; whether there will be others.
    async fn turn(&mut self, effort: Effort) -> Result<bool, Failure> {
        let begun = Instant::now();
        for _ in 0..TURN {
            if !self.wants_more(effort, begun.elapsed()) {
                break;
            }
            self.latencies.push(nanos(self.session.invoke(&self.event).await?.latency));
        }
        // What the process does after its answer belongs to its own turn.
        self.session.idle().await?;
        self.spent += begun.elapsed();
        Ok(self.wants_more(effort, Duration::ZERO))
    }

    fn wants_more(&self, effort: Effort, more: Duration) -> bool {
        let done = self.latencies.len();
        done < AT_LEAST || (done < effort.invocations && self.spent + more < effort.budget)
    }

    /// What it showed. The process has ended then, so that nothing of it falls on the next round.
    async fn end(mut self) -> Result<Round, Failure> {
        let cpu = self.session.process.cpu()?.saturating_sub(self.cpu_before);
        let logged = fs::metadata(&self.log)?.len() - self.logged_before;
        let count = u64::try_from(self.latencies.len())?;
        let peak_memory = self.session.process.peak_memory()?;
        self.session.end().await?;
        self.latencies.sort_unstable();
        Ok(Round {
            first_poll: nanos(self.first_poll),
            first_response: nanos(self.first_response),
            warm_p50: percentile(&self.latencies, 50).unwrap_or_default(),
            warm_p99: percentile(&self.latencies, 99).unwrap_or_default(),
            warm_cpu: nanos(cpu) / count,
            peak_memory,
            log: logged / count,
            calls_first: self.calls_first,
            calls_warm: self.calls_warm,
        })
    }
}

/// What one warm invocation calls, and that its answer is right.
async fn calls_of_one(
    session: &mut Session,
    subject: &Subject,
    event: &Bytes,
    aws: &Aws,
) -> Result<Calls, Failure> {
    aws.take_calls();
    let answered = session.invoke(event).await?;
    subject.check(&answered.body)?;
    Ok(aws.take_calls())
}

/// Whole nanoseconds.
pub(crate) fn nanos(duration: Duration) -> u64 {
    u64::try_from(duration.as_nanos()).unwrap_or(u64::MAX)
}

fn summary(subject: &Subject, transport: Transport, rounds: &[Round]) -> Result<Measured, Failure> {
    let series = |figure: fn(&Round) -> u64| {
        Series::of(rounds.iter().map(figure)).ok_or_else(|| Failure::new("no rounds"))
    };
    let first = rounds.first().ok_or_else(|| Failure::new("no rounds"))?;
    if let Some(other) = rounds.iter().find(|round| round.calls_warm != first.calls_warm) {
        let calls = [&first.calls_warm, &other.calls_warm];
        return Err(Failure::new(format!("{} calls now this, now that: {calls:?}", subject.name)));
    }
    Ok(Measured {
        subject: subject.name.clone(),
        role: subject.role,
        transport,
        size_bytes: subject.size()?,
        figures: Figures {
            first_poll_ns: series(|round| round.first_poll)?,
            first_response_ns: series(|round| round.first_response)?,
            warm_p50_ns: series(|round| round.warm_p50)?,
            warm_p99_ns: series(|round| round.warm_p99)?,
            warm_cpu_ns: series(|round| round.warm_cpu)?,
            peak_memory_bytes: series(|round| round.peak_memory)?,
            log_bytes: series(|round| round.log)?,
        },
        calls_first: first.calls_first.clone(),
        calls_warm: first.calls_warm.clone(),
    })
}
