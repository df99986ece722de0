//! The seats of one request.

use std::path::Path;

use axum::body::Bytes;
use serde_json::json;

use super::{Options, Step, made_all, seats, warm};
use crate::aws::Aws;
use crate::backend::Canned;
use crate::failure::Failure;
use crate::measure::start;
use crate::stats::{Spread, percentile};
use crate::subject::{Places, Subject, Transport};

/// 98 seats with an idempotency key, and 99 without, fill one transaction.
const SIZES: [u64; 7] = [1, 10, 90, 98, 99, 500, 1_000];
const ROUNDS: usize = 7;
const WARM_UP: usize = 5;

pub(super) async fn follow(
    options: &Options,
    places: &Places,
    folder: &Path,
) -> Result<Vec<Step>, Failure> {
    let subject = places.subject("create-seats")?;
    let aws = Aws::start(Canned, folder).await?;
    let rounds = if options.quick { 3 } else { ROUNDS };
    let mut steps = Vec::new();
    for size in SIZES {
        let mut round = Vec::new();
        for _ in 0..rounds {
            round.push(measure(&subject, size, &aws, folder).await?);
        }
        let step = Step {
            size,
            cpu_ns: spread(round.iter().map(|step| step.cpu_ns.median))?,
            latency_ns: spread(round.iter().map(|step| step.latency_ns.median))?,
            ..round.swap_remove(0)
        };
        eprintln!(
            "{size} seats: {} µs, {} calls",
            step.cpu_ns.median / 1_000,
            step.calls_milli / 1_000
        );
        steps.push(step);
    }
    Ok(steps)
}

fn spread(figures: impl Iterator<Item = u64>) -> Result<Spread, Failure> {
    Spread::of(figures).ok_or_else(|| Failure::new("no rounds"))
}

async fn measure(subject: &Subject, size: u64, aws: &Aws, folder: &Path) -> Result<Step, Failure> {
    let mut event = subject.sample()?;
    event["body"] = json!(seats(size).to_string());
    let event = Bytes::from(event.to_string());
    let mut session = start(subject, Transport::Plain, aws, &folder.join("growth.log")).await?;
    for _ in 0..WARM_UP {
        made_all(&session.invoke(&event).await?.body, size)?;
    }
    session.idle().await?;
    aws.take_calls();
    // As many seats whatever the size.
    let count = (10_000 / size).clamp(10, 400);
    let warm = warm(&mut session, std::iter::repeat_n(event, usize::try_from(count)?)).await?;
    let figure = |figure| Spread { median: figure, min: figure, max: figure };
    Ok(Step {
        size,
        cpu_ns: figure(warm.cpu_ns),
        latency_ns: figure(percentile(&warm.latencies, 50).unwrap_or_default()),
        calls_milli: 1_000 * aws.take_calls().values().sum::<u64>() / count,
        peak_memory_bytes: session.process.peak_memory()?,
        write_units_milli: None,
        read_units_milli: None,
    })
}
