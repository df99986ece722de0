//! Organizations that take turns in one warm process.

use std::future::ready;
use std::path::Path;
use std::time::{Duration, Instant};

use axum::body::Bytes;
use serde_json::json;

use super::{Options, Step, made_all, warm};
use crate::answers;
use crate::aws::Aws;
use crate::backend::{Backend, Reply, Replying};
use crate::failure::Failure;
use crate::measure::start;
use crate::stats::{Spread, percentile};
use crate::subject::{Places, Subject, Transport};

/// A process remembers 1,000 credentials.
const SIZES: [u64; 5] = [1, 10, 100, 1_000, 2_000];
/// How long each number is followed, at most.
const BUDGET: Duration = Duration::from_secs(4);

/// Knows whoever asks.
struct Everybody;

impl Backend for Everybody {
    fn answer(&self, operation: &str, body: Bytes) -> Replying {
        Box::pin(ready(Reply::done(answers::of_everybody(operation, &body))))
    }
}

/// The value of the header of the organization number `index`.
pub(super) fn authorization(index: u64) -> String {
    let (id, secret) = answers::anybody(index);
    format!("Bearer hc_{id}_{secret}")
}

pub(super) async fn follow(
    options: &Options,
    places: &Places,
    folder: &Path,
) -> Result<Vec<Step>, Failure> {
    let subject = places.subject("create-seats")?;
    let aws = Aws::start(Everybody, folder).await?;
    let budget = if options.quick { BUDGET / 4 } else { BUDGET };
    let mut steps = Vec::new();
    for size in SIZES {
        let step = measure(&subject, size, budget, &aws, folder).await?;
        eprintln!("{size} organizations by turns: {} µs", step.cpu_ns.median / 1_000);
        steps.push(step);
    }
    Ok(steps)
}

async fn measure(
    subject: &Subject,
    size: u64,
    budget: Duration,
    aws: &Aws,
    folder: &Path,
) -> Result<Step, Failure> {
    let events: Vec<Bytes> = (0..size)
        .map(|index| {
            let mut event = subject.sample()?;
            event["headers"]["authorization"] = json!(authorization(index));
            Ok(Bytes::from(event.to_string()))
        })
        .collect::<Result<_, Failure>>()?;
    let mut session = start(subject, Transport::Plain, aws, &folder.join("growth.log")).await?;
    // One turn of all fills what the process remembers.
    for event in &events {
        made_all(&session.invoke(event).await?.body, 2)?;
    }
    session.idle().await?;
    aws.take_calls();
    let begun = Instant::now();
    let (mut cpus, mut latencies, mut count) = (Vec::new(), Vec::new(), 0);
    while cpus.len() < 3 || (cpus.len() < 40 && begun.elapsed() < budget) {
        let turn = size.max(200);
        let turns = events.iter().cycle().take(usize::try_from(turn)?).cloned();
        let warm = warm(&mut session, turns).await?;
        cpus.push(warm.cpu_ns);
        latencies.extend(warm.latencies);
        count += turn;
    }
    latencies.sort_unstable();
    let of = |percent| percentile(&latencies, percent).unwrap_or_default();
    Ok(Step {
        size,
        cpu_ns: Spread::of(cpus).ok_or_else(|| Failure::new("no turns"))?,
        latency_ns: Spread { median: of(50), min: of(1), max: of(99) },
        calls_milli: 1_000 * aws.take_calls().values().sum::<u64>() / count,
        peak_memory_bytes: session.process.peak_memory()?,
        write_units_milli: None,
        read_units_milli: None,
    })
}
