//! The seats that an organization has already.

use std::fs;
use std::path::Path;

use axum::body::Bytes;
use dynoxide::{Database, Item};
use serde_json::{Value, json};

use super::database::Embedded;
use super::{Options, Step, Warm, made_all, warm};
use crate::answers::{self, TABLE};
use crate::aws::Aws;
use crate::failure::Failure;
use crate::measure::start;
use crate::stats::{Spread, percentile};
use crate::subject::{Places, Subject, Transport};

const SIZES: [u64; 7] = [1, 10, 100, 1_000, 10_000, 100_000, 1_000_000];
/// Seats that are put into the table at once.
const CHUNK: u64 = 20_000;
const SAMPLES: usize = 7;
const CREATES: u64 = 100;

pub(super) async fn follow(
    options: &Options,
    places: &Places,
    folder: &Path,
) -> Result<Vec<Step>, Failure> {
    let subject = places.subject("create-seats")?;
    let file = folder.join("growth.db");
    remove(&file)?;
    let path = file.to_str().ok_or_else(|| Failure::new("a path that is no text"))?;
    let table = Embedded::with(Database::new(path)?, answers::items())?;
    let aws = Aws::start(table.clone(), folder).await?;
    let largest = if options.quick { 10_000 } else { u64::MAX };
    let (mut steps, mut there, mut number) = (Vec::new(), 0, 0);
    for size in SIZES.into_iter().filter(|&size| size <= largest) {
        fill(&table.database, answers::seat_number, there..size)?;
        there = size;
        let step = measure(&subject, size, &table, &aws, folder, &mut number).await?;
        eprintln!("{size} seats are there: {} µs", step.cpu_ns.median / 1_000);
        steps.push(step);
    }
    drop((aws, table));
    remove(&file)?;
    Ok(steps)
}

/// The database and what SQLite keeps beside it.
pub(super) fn remove(file: &Path) -> Result<(), Failure> {
    for suffix in ["", "-wal", "-shm"] {
        let mut path = file.as_os_str().to_owned();
        path.push(suffix);
        match fs::remove_file(path) {
            Err(error) if error.kind() != std::io::ErrorKind::NotFound => return Err(error.into()),
            _ => {}
        }
    }
    Ok(())
}

/// Puts items into the table, past the function: older than what it will make.
pub(super) fn fill(
    database: &Database,
    item: fn(u64) -> Value,
    numbers: std::ops::Range<u64>,
) -> Result<(), Failure> {
    let mut next = numbers.start;
    while next < numbers.end {
        let end = numbers.end.min(next + CHUNK);
        let items: Vec<Item> = (next..end)
            .map(|number| serde_json::from_value(item(number)))
            .collect::<Result<_, _>>()?;
        database.import_items(TABLE, items, Default::default())?;
        next = end;
    }
    Ok(())
}

async fn measure(
    subject: &Subject,
    size: u64,
    table: &Embedded,
    aws: &Aws,
    folder: &Path,
    number: &mut u64,
) -> Result<Step, Failure> {
    let event = subject.sample()?;
    let mut session = start(subject, Transport::Plain, aws, &folder.join("growth.log")).await?;
    made_all(&session.invoke(&keyed(&event, number)).await?.body, 2)?;
    session.idle().await?;
    warm(&mut session, (0..20).map(|_| keyed(&event, number))).await?;
    aws.take_calls();
    table.take_charges();
    let mut samples: Vec<Warm> = Vec::new();
    for _ in 0..SAMPLES {
        samples.push(warm(&mut session, (0..CREATES).map(|_| keyed(&event, number))).await?);
    }
    let creates = u64::try_from(SAMPLES)? * CREATES;
    let charged: u64 =
        table.take_charges().iter().map(|charge| charge.table_milli + charge.index_milli).sum();
    let latencies = samples.iter().map(|warm| percentile(&warm.latencies, 50).unwrap_or_default());
    let none = || Failure::new("no samples");
    Ok(Step {
        size,
        cpu_ns: Spread::of(samples.iter().map(|warm| warm.cpu_ns)).ok_or_else(none)?,
        latency_ns: Spread::of(latencies).ok_or_else(none)?,
        calls_milli: 1_000 * aws.take_calls().values().sum::<u64>() / creates,
        peak_memory_bytes: session.process.peak_memory()?,
        write_units_milli: Some(charged / creates),
        read_units_milli: None,
    })
}

/// The event under a key of its own.
fn keyed(event: &Value, number: &mut u64) -> Bytes {
    *number += 1;
    let mut event = event.clone();
    event["headers"]["idempotency-key"] = json!(format!("create-{number}"));
    Bytes::from(event.to_string())
}
