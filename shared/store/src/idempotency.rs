//! The idempotency record: always the first action of a transaction, so that its reason comes
//! first when the transaction is cancelled.

use aws_sdk_dynamodb::types::TransactWriteItem;
use headcount_model::idempotency::{Keyed, StoredAnswer, hex};
use jiff::Timestamp;

use crate::rows::IdempotencyRow;
use crate::table::Table;
use crate::transaction::{Condition, Item, Refused, number, put_item};

/// Puts the record, unless one is there that has not expired. DynamoDB deletes expired items
/// only some time later, so the condition looks at the time itself.
pub(crate) fn record(
    table: &Table,
    request: &Keyed,
    part: usize,
    answer: &StoredAnswer,
    now: Timestamp,
) -> Result<TransactWriteItem, Refused> {
    put_item(
        table,
        IdempotencyRow::new(request, part, answer).into(),
        Condition {
            expression: "attribute_not_exists(pk) OR expires_at <= :now".into(),
            values: vec![(":now", number(now.as_second()))],
        },
    )
}

/// Whether a record still answers retries.
pub(crate) fn is_valid(record: &Item, now: Timestamp) -> bool {
    let expires_at = record.get("expires_at").and_then(|value| value.as_n().ok());
    let expires_at = expires_at.and_then(|seconds| seconds.parse::<i64>().ok());
    // What cannot be read is found out to be so.
    expires_at.is_none_or(|expires_at| expires_at > now.as_second())
}

/// What a record that is already there means.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Found {
    /// The same request was carried out: this was its answer, and how long it is kept.
    Same(StoredAnswer, Timestamp),
    /// The key belongs to a request with another body.
    Other,
    /// The record cannot be read.
    Unreadable,
}

/// Reads the record that made the condition fail.
pub(crate) fn found(request: &Keyed, item: Option<Item>) -> Found {
    let Some(Ok(row)) = item.map(serde_dynamo::aws_sdk_dynamodb_1::from_item::<IdempotencyRow>)
    else {
        tracing::error!("an idempotency record could not be read");
        return Found::Unreadable;
    };
    if row.fingerprint == hex(&request.fingerprint) {
        let answer = StoredAnswer { status: row.status, location: row.location, body: row.body };
        let expires_at = Timestamp::from_second(row.expires_at).unwrap_or(Timestamp::MAX);
        Found::Same(answer, expires_at)
    } else {
        Found::Other
    }
}
