//! A page of the list of seats, which is to cost the same however many seats the organization has.

use std::path::Path;

use axum::body::Bytes;
use dynoxide::Database;
use serde_json::{Value, json};

use super::database::Embedded;
use super::organization::{fill, remove};
use super::{Options, Step, warm};
use crate::answers;
use crate::aws::Aws;
use crate::failure::{Doing, Failure};
use crate::measure::start;
use crate::stats::{Spread, percentile};
use crate::subject::{Places, Subject, Transport};

const SIZES: [u64; 3] = [1_000, 10_000, 100_000];
/// Seats of a page.
const PAGE: usize = 100;
const SAMPLES: usize = 7;
const LISTS: u64 = 50;

pub(super) async fn follow(
    options: &Options,
    places: &Places,
    folder: &Path,
) -> Result<Vec<Step>, Failure> {
    let subject = places.subject("list-seats")?;
    let file = folder.join("pages.db");
    remove(&file)?;
    let path = file.to_str().ok_or_else(|| Failure::new("a path that is no text"))?;
    let table = Embedded::with(Database::new(path)?, answers::items())?;
    let aws = Aws::start(table.clone(), folder).await?;
    let largest = if options.quick { 10_000 } else { u64::MAX };
    let (mut steps, mut there) = (Vec::new(), 0);
    for size in SIZES.into_iter().filter(|&size| size <= largest) {
        fill(&table.database, there..size)?;
        there = size;
        let step = measure(&subject, size, &table, &aws, folder).await?;
        eprintln!("a page of {size} seats: {} µs", step.cpu_ns.median / 1_000);
        steps.push(step);
    }
    drop((aws, table));
    remove(&file)?;
    Ok(steps)
}

async fn measure(
    subject: &Subject,
    size: u64,
    table: &Embedded,
    aws: &Aws,
    folder: &Path,
) -> Result<Step, Failure> {
    let mut event = subject.sample()?;
    event["body"] = json!(json!({ "limit": PAGE }).to_string());
    let event = Bytes::from(event.to_string());
    let mut session = start(subject, Transport::Plain, aws, &folder.join("growth.log")).await?;
    is_a_page(&session.invoke(&event).await?.body)?;
    session.idle().await?;
    warm(&mut session, (0..20).map(|_| event.clone())).await?;
    aws.take_calls();
    table.take_charges();
    let mut samples = Vec::new();
    for _ in 0..SAMPLES {
        samples.push(warm(&mut session, (0..LISTS).map(|_| event.clone())).await?);
    }
    let lists = u64::try_from(SAMPLES)? * LISTS;
    let charged: u64 = table.take_charges().iter().map(|charge| charge.table_milli).sum();
    let latencies = samples.iter().map(|warm| percentile(&warm.latencies, 50).unwrap_or_default());
    let none = || Failure::new("no samples");
    Ok(Step {
        size,
        cpu_ns: Spread::of(samples.iter().map(|warm| warm.cpu_ns)).ok_or_else(none)?,
        latency_ns: Spread::of(latencies).ok_or_else(none)?,
        calls_milli: 1_000 * aws.take_calls().values().sum::<u64>() / lists,
        peak_memory_bytes: session.process.peak_memory()?,
        write_units_milli: None,
        read_units_milli: Some(charged / lists),
    })
}

/// Makes sure that a whole page came, and that there is more.
fn is_a_page(answer: &[u8]) -> Result<(), Failure> {
    let answer: Value = serde_json::from_slice(answer).doing("reading an answer")?;
    let body: Value = serde_json::from_str(answer["body"].as_str().unwrap_or_default())
        .doing("reading the body of an answer")?;
    let seats = body["data"].as_array().map_or(0, Vec::len);
    if seats == PAGE && body["next_cursor"].is_string() {
        return Ok(());
    }
    Err(Failure::new(format!(
        "{PAGE} seats and a cursor were to come, and {seats} did: {}",
        body["error"]
    )))
}
