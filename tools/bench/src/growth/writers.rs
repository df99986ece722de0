//! Processes that create at the same time: for one organization, or for one each.
//!
//! DynamoDB refuses a transaction while another one works on one of its items
//! (<https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/transaction-apis.html#transaction-conflict-handling>).
//! Emulators do not, so the endpoint does it here: a transaction holds its items for a while that
//! is assumed, and what else wants one of them meanwhile is refused.

use std::collections::HashSet;
use std::path::Path;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use axum::body::Bytes;
use axum::http::StatusCode;
use serde_json::{Value, json};
use tokio::task::JoinSet;

use super::turns::authorization;
use super::{Contention, Options};
use crate::answers;
use crate::aws::Aws;
use crate::backend::{Backend, Reply, Replying};
use crate::failure::Failure;
use crate::measure::{nanos, start};
use crate::session::Session;
use crate::stats::percentile;
use crate::subject::{Places, Subject, Transport};

const WRITERS: [u64; 7] = [1, 2, 4, 8, 16, 32, 64];
/// How long a transaction holds its items. An assumption: AWS publishes no figure, and a whole
/// transaction takes about 10 ms.
pub(crate) const HELD: Duration = Duration::from_millis(5);
/// How long a transaction takes, besides.
const AROUND: Duration = Duration::from_millis(5);
/// How long each number of writers goes on.
const BUDGET: Duration = Duration::from_secs(5);

/// Whom the writers write to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Target {
    One,
    Each,
}

/// A table whose transactions take time and conflict.
struct Conflicting(Arc<Mutex<HashSet<String>>>);

impl Backend for Conflicting {
    fn answer(&self, operation: &str, body: Bytes) -> Replying {
        if operation == "TransactWriteItems" {
            return Box::pin(transact(Arc::clone(&self.0), body));
        }
        let reply = Reply::done(answers::of_everybody(operation, &body));
        Box::pin(async move {
            tokio::time::sleep(AROUND).await;
            reply
        })
    }
}

async fn transact(held: Arc<Mutex<HashSet<String>>>, body: Bytes) -> Reply {
    tokio::time::sleep(AROUND).await;
    let keys = keys(&body);
    let conflicts: Vec<bool> = {
        let mut held = held.lock().unwrap_or_else(PoisonError::into_inner);
        let conflicts: Vec<bool> = keys.iter().map(|key| held.contains(key)).collect();
        if !conflicts.contains(&true) {
            held.extend(keys.iter().cloned());
        }
        conflicts
    };
    if conflicts.contains(&true) {
        return cancelled(&conflicts);
    }
    tokio::time::sleep(HELD).await;
    let mut held = held.lock().unwrap_or_else(PoisonError::into_inner);
    for key in &keys {
        held.remove(key);
    }
    Reply::done(json!({}))
}

/// The primary keys that a transaction touches.
fn keys(body: &[u8]) -> Vec<String> {
    let request: Value = serde_json::from_slice(body).unwrap_or_default();
    let actions = request["TransactItems"].as_array().into_iter().flatten();
    actions
        .filter_map(|action| action.as_object()?.values().next())
        .map(|action| if action["Key"].is_null() { &action["Item"] } else { &action["Key"] })
        .map(|key| format!("{} {}", key["pk"]["S"], key["sk"]["S"]))
        .collect()
}

fn cancelled(conflicts: &[bool]) -> Reply {
    let code = |&conflict: &bool| if conflict { "TransactionConflict" } else { "None" };
    let codes: Vec<&str> = conflicts.iter().map(code).collect();
    let told = codes.join(", ");
    let body = json!({
        "__type": "com.amazonaws.dynamodb.v20120810#TransactionCanceledException",
        "Message": format!("Transaction cancelled, please refer cancellation reasons for specific reasons [{told}]"),
        "CancellationReasons": codes.iter().map(|code| json!({"Code": code})).collect::<Vec<_>>(),
    });
    Reply { status: StatusCode::BAD_REQUEST, body: body.to_string() }
}

pub(super) async fn follow(
    options: &Options,
    places: &Places,
    folder: &Path,
    target: Target,
) -> Result<Vec<Contention>, Failure> {
    let subject = places.subject("create-seats")?;
    let aws = Aws::start(Conflicting(Arc::default()), folder).await?;
    let budget = if options.quick { BUDGET / 5 } else { BUDGET };
    let mut found = Vec::new();
    for writers in WRITERS {
        let contention = measure(&subject, writers, target, budget, &aws, folder).await?;
        eprintln!("{writers} writers, {target:?}: {} creates/s", contention.creates_per_second);
        found.push(contention);
    }
    Ok(found)
}

async fn measure(
    subject: &Subject,
    writers: u64,
    target: Target,
    budget: Duration,
    aws: &Aws,
    folder: &Path,
) -> Result<Contention, Failure> {
    let mut sessions = Vec::new();
    for writer in 0..writers {
        let mut event = subject.sample()?;
        let organization = if target == Target::One { 0 } else { writer };
        event["headers"]["authorization"] = json!(authorization(organization));
        let log = folder.join("growth.log");
        let mut session = start(subject, Transport::Plain, aws, &log).await?;
        // Its credential is remembered from now on.
        session.invoke(&Bytes::from(event.to_string())).await?;
        sessions.push((writer, session, event));
    }
    aws.take_calls();
    let deadline = Instant::now() + budget;
    let mut running = JoinSet::new();
    for (writer, session, event) in sessions {
        running.spawn(write(writer, session, event, deadline));
    }
    let (mut committed, mut refused) = (Vec::new(), 0);
    while let Some(outcome) = running.join_next().await {
        let outcome = outcome??;
        committed.extend(outcome.committed);
        refused += outcome.refused;
    }
    let tries = aws.take_calls().get("TransactWriteItems").copied().unwrap_or_default();
    committed.sort_unstable();
    let count = u64::try_from(committed.len())?;
    let of = |percent| percentile(&committed, percent).unwrap_or_default();
    Ok(Contention {
        writers,
        creates_per_second: count * 1_000 / u64::try_from(budget.as_millis())?,
        refused,
        p50_ns: of(50),
        p99_ns: of(99),
        tries_milli: 1_000 * tries / (count + refused).max(1),
    })
}

struct Outcome {
    committed: Vec<u64>,
    refused: u64,
}

/// Creates one request after the other, each under a key of its own.
async fn write(
    writer: u64,
    mut session: Session,
    mut event: Value,
    deadline: Instant,
) -> Result<Outcome, Failure> {
    let mut outcome = Outcome { committed: Vec::new(), refused: 0 };
    let mut number = 0_u64;
    while Instant::now() < deadline {
        event["headers"]["idempotency-key"] = json!(format!("writer-{writer}-{number}"));
        number += 1;
        let answered = session.invoke(&Bytes::from(event.to_string())).await?;
        let answer: Value = serde_json::from_slice(&answered.body)?;
        match answer["statusCode"].as_u64() {
            Some(200) => outcome.committed.push(nanos(answered.latency)),
            Some(503) => outcome.refused += 1,
            _ => return Err(Failure::new(format!("a create was answered with {answer}"))),
        }
    }
    Ok(outcome)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn transaction(organization: &str) -> Bytes {
        let key = json!({"pk": {"S": organization}, "sk": {"S": "BILLING"}});
        Bytes::from(json!({"TransactItems": [{"Update": {"Key": key}}]}).to_string())
    }

    #[tokio::test(start_paused = true)]
    async fn two_at_a_time_conflict_on_one_item_and_not_on_two() {
        let held = Arc::default();
        let (first, second, other) = tokio::join!(
            transact(Arc::clone(&held), transaction("ORG#a")),
            transact(Arc::clone(&held), transaction("ORG#a")),
            transact(Arc::clone(&held), transaction("ORG#b")),
        );
        // Which of the two comes first is left to the runtime.
        let (done, refused) =
            if first.status == StatusCode::OK { (first, second) } else { (second, first) };
        let statuses = [done.status, refused.status, other.status];
        assert_eq!(statuses, [StatusCode::OK, StatusCode::BAD_REQUEST, StatusCode::OK]);
        assert!(refused.body.contains("TransactionConflict"));
        let after = transact(held, transaction("ORG#a")).await;
        assert_eq!(after.status, StatusCode::OK);
    }
}
