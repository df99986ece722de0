//! Rounds of measuring: in each, every subject is started afresh, in turn, so that what the machine
//! does beside them falls on all of them alike.

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;
use std::time::{Duration, Instant};

use axum::body::Bytes;
use serde_json::Value;

use crate::aws::{Aws, Calls};
use crate::failure::{Doing, Failure};
use crate::process::Process;
use crate::report::{Figures, Measured};
use crate::session::{RuntimeApi, Session};
use crate::stats::{Spread, percentile};
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
            for (index, subject) in subjects.iter().enumerate() {
                let log = logs.join(format!("{}.log", subject.name));
                let round = round(subject, transport, effort, aws, &log).await;
                let round = round.doing(&subject.name)?;
                rounds.entry((transport, index)).or_default().push(round);
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

async fn round(
    subject: &Subject,
    transport: Transport,
    effort: Effort,
    aws: &Aws,
    log: &Path,
) -> Result<Round, Failure> {
    let event = subject.event()?;
    aws.take_calls();
    let mut session = start(subject, transport, aws, log).await?;
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
    let (logged, cpu) = (fs::metadata(log)?.len(), session.process.cpu()?);
    let begun = Instant::now();
    let mut latencies = Vec::with_capacity(effort.invocations);
    while latencies.len() < AT_LEAST
        || (latencies.len() < effort.invocations && begun.elapsed() < effort.budget)
    {
        latencies.push(nanos(session.invoke(&event).await?.latency));
    }
    let cpu = session.process.cpu()?.saturating_sub(cpu);
    let count = u64::try_from(latencies.len())?;
    latencies.sort_unstable();
    let peak_memory = session.process.peak_memory()?;
    Ok(Round {
        first_poll: nanos(first_poll),
        first_response: nanos(session.since_start(&first)),
        warm_p50: percentile(&latencies, 50).unwrap_or_default(),
        warm_p99: percentile(&latencies, 99).unwrap_or_default(),
        warm_cpu: nanos(cpu) / count,
        peak_memory,
        log: (fs::metadata(log)?.len() - logged) / count,
        calls_first,
        calls_warm,
    })
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
    let spread = |figure: fn(&Round) -> u64| {
        Spread::of(rounds.iter().map(figure)).ok_or_else(|| Failure::new("no rounds"))
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
            first_poll_ns: spread(|round| round.first_poll)?,
            first_response_ns: spread(|round| round.first_response)?,
            warm_p50_ns: spread(|round| round.warm_p50)?,
            warm_p99_ns: spread(|round| round.warm_p99)?,
            warm_cpu_ns: spread(|round| round.warm_cpu)?,
            peak_memory_bytes: spread(|round| round.peak_memory)?,
            log_bytes: spread(|round| round.log)?,
        },
        calls_first: first.calls_first.clone(),
        calls_warm: first.calls_warm.clone(),
    })
}
