//! The table's stream, to the billing queue and the event bus: the outbox.
//!
//! What is committed is in the stream, and a record leaves the stream only when everything that
//! follows from it was delivered. Delivery is at least once: billing messages are harmless when
//! repeated, events carry an id that is the same every time.

mod aws;
mod limits;
mod parcel;

use std::future::Future;

use aws_lambda_events::event::dynamodb::EventRecord;
use headcount_platform::Takes;
use lambda_runtime::Error;
use serde::{Deserialize, Serialize};
use serde_json::Value;

pub use aws::AwsOutbox;
pub use parcel::{Event, Parcel, SetAside};

/// Where parcels go.
pub trait Outbox {
    /// Delivers parcels and returns the positions of those that were not.
    fn deliver(&self, parcels: &[Parcel]) -> impl Future<Output = Vec<usize>> + Send;
}

/// What the function takes.
pub const TAKES: Takes = Takes::batches(
    "a batch of the table's stream",
    "tests/events/publish-changes/seats-created.json",
);

/// A batch of stream records, not decoded: one that cannot be must not fail the others.
#[derive(Debug, Clone, Deserialize)]
pub struct Batch {
    /// The records, in the order of the shard.
    #[serde(rename = "Records")]
    pub records: Vec<Value>,
}

/// Tells Lambda where to go on: a partial batch response
/// (<https://docs.aws.amazon.com/lambda/latest/dg/services-ddb-batchfailurereporting.html>).
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Response {
    /// At most one: Lambda goes back to the first record that failed, so that order is kept.
    pub batch_item_failures: Vec<Failed>,
}

/// A record that failed.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Failed {
    /// Its sequence number.
    pub item_identifier: String,
}

/// Publishes a batch.
///
/// # Errors
/// [`NoSequenceNumber`] when a record that failed cannot be named; Lambda then delivers the
/// whole batch again.
pub async fn handle(outbox: &impl Outbox, batch: Batch) -> Result<Response, Error> {
    let mut parcels = Vec::new();
    // For each parcel, the record that it comes from.
    let mut origins = Vec::new();
    for (position, record) in batch.records.iter().enumerate() {
        for parcel in parcels_of(record) {
            parcel::add(&mut parcels, &mut origins, parcel, position);
        }
    }
    let undelivered = outbox.deliver(&parcels).await;
    let first = undelivered.into_iter().filter_map(|parcel| origins.get(parcel)).min();
    tracing::info!(
        records = batch.records.len(),
        parcels = parcels.len(),
        failed_at = ?first,
        "published"
    );
    let batch_item_failures = match first {
        None => Vec::new(),
        Some(&position) => vec![Failed {
            item_identifier: sequence_number(&batch.records[position])
                .ok_or(NoSequenceNumber)?
                .to_owned(),
        }],
    };
    Ok(Response { batch_item_failures })
}

fn parcels_of(record: &Value) -> Vec<Parcel> {
    let decoded = serde_json::from_value::<EventRecord>(record.clone())
        .map_err(|_| "not a stream record")
        .and_then(|record| parcel::of_record(&record));
    decoded.unwrap_or_else(|reason| {
        // Trying again would fail for ever and hold up everything behind it in the shard.
        tracing::error!(reason, "a stream record is set aside");
        vec![Parcel::SetAside(SetAside {
            reason,
            event_id: record["eventID"].as_str().unwrap_or_default().to_owned(),
            keys: record["dynamodb"]["Keys"].clone(),
        })]
    })
}

fn sequence_number(record: &Value) -> Option<&str> {
    record["dynamodb"]["SequenceNumber"].as_str()
}

/// A record that failed has no sequence number.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct NoSequenceNumber;

impl std::fmt::Display for NoSequenceNumber {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("a record without sequence number failed")
    }
}

impl std::error::Error for NoSequenceNumber {}
