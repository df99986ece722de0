//! A page of a list, which is to cost the same however much there is in it.

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

/// A list that is followed.
pub(super) struct List {
    /// The function that shows it.
    function: &'static str,
    /// What is in it, by number.
    item: fn(u64) -> Value,
    /// Asks for a page of so many.
    ask: fn(&mut Value, usize),
}

/// The seats of an organization.
pub(super) const SEATS: List = List {
    function: "list-seats",
    item: answers::seat_number,
    ask: |event, limit| event["body"] = json!(json!({ "limit": limit }).to_string()),
};

/// The accounts of the Identity API.
pub(super) const ACCOUNTS: List = List {
    function: "list-accounts",
    item: answers::account_number,
    ask: |event, limit| event["queryStringParameters"] = json!({ "limit": limit.to_string() }),
};

const SIZES: [u64; 3] = [1_000, 10_000, 100_000];
/// Entries of a page.
const PAGE: usize = 100;
const SAMPLES: usize = 7;
const LISTS: u64 = 50;

pub(super) async fn follow(
    list: &List,
    options: &Options,
    places: &Places,
    folder: &Path,
) -> Result<Vec<Step>, Failure> {
    let subject = places.subject(list.function)?;
    let file = folder.join("pages.db");
    remove(&file)?;
    let path = file.to_str().ok_or_else(|| Failure::new("a path that is no text"))?;
    let table = Embedded::with(Database::new(path)?, answers::items())?;
    let aws = Aws::start(table.clone(), folder).await?;
    let largest = if options.quick { 10_000 } else { u64::MAX };
    let (mut steps, mut there) = (Vec::new(), 0);
    for size in SIZES.into_iter().filter(|&size| size <= largest) {
        fill(&table.database, list.item, there..size)?;
        there = size;
        let step = measure(list, (&subject, size), &table, &aws, folder).await?;
        eprintln!("{}, a page of {size}: {} µs", list.function, step.cpu_ns.median / 1_000);
        steps.push(step);
    }
    drop((aws, table));
    remove(&file)?;
    Ok(steps)
}

async fn measure(
    list: &List,
    (subject, size): (&Subject, u64),
    table: &Embedded,
    aws: &Aws,
    folder: &Path,
) -> Result<Step, Failure> {
    let mut event = subject.sample()?;
    (list.ask)(&mut event, PAGE);
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
    let charged: u64 =
        table.take_charges().iter().map(|charge| charge.table_milli + charge.index_milli).sum();
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
    let entries = body["data"].as_array().map_or(0, Vec::len);
    if entries == PAGE && body["next_cursor"].is_string() {
        return Ok(());
    }
    Err(Failure::new(format!(
        "{PAGE} entries and a cursor were to come, and {entries} did: {}",
        body["error"]
    )))
}
