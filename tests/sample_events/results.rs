//! Batches of the queue of setup results.

use headcount_tests::Stage;
use record_setup::{Function, TAKES};
use serde_json::{Value, json};

use super::make_seats;

/// What becomes of a batch, and of the seats that it is about: the first of the organization.
pub(crate) async fn record(stage: &Stage, event: &Value) -> Value {
    make_seats(stage).await;
    let response = deliver(stage, event).await;
    let mut seats = stage.items().await;
    seats.retain(|item| item["sk"].as_s().is_ok_and(|sk| sk.starts_with("SEAT#")));
    let shown = |name: &str| -> Vec<_> {
        seats.iter().map(|seat| seat.get(name).and_then(|value| value.as_s().ok())).collect()
    };
    json!({"response": response, "statuses": shown("status"), "setup_errors": shown("setup_error")})
}

/// What becomes of a batch that is about the seats that there are.
pub(crate) async fn deliver(stage: &Stage, event: &Value) -> Value {
    let function = Function { store: stage.table.clone(), ports: stage.ports.clone() };
    let answer = |batch| function.handle(batch, "invocation-1".to_owned());
    json!(TAKES.answer(event.clone(), answer).await.expect("messages have ids"))
}
