//! What the embedded DynamoDB never does by itself: conflicts, throttling, answers that get lost.

use std::time::Duration;

use headcount_tests::{Call, Fault, Stage};
use serde_json::json;

/// A create of three seats, sent without a key: only the client token of the SDK and our own
/// retries stand between it and being done twice.
async fn create(stage: &Stage, api_key: &str) -> headcount_tests::Reply {
    Call::json(&json!({ "accounts": vec![json!({"tier": "basic"}); 3] }))
        .bearer(api_key)
        .send(&stage.create_seats())
        .await
}

const CONFLICT: [&str; 4] = ["TransactionConflict", "None", "None", "None"];

#[tokio::test]
async fn a_conflict_is_tried_again_until_it_is_decided() {
    let stage = Stage::new().await;
    let (organization, api_key) = stage.seats_tenant().await;
    stage.wire.strike(vec![Fault::Cancelled(CONFLICT.to_vec()); 3]);
    assert_eq!(create(&stage, &api_key).await.status, 200);
    assert_eq!(stage.seats(&organization).await, (3, 3, 0, 1));
}

#[tokio::test]
async fn a_condition_that_failed_beside_a_conflict_decides_nothing() {
    let stage = Stage::new().await;
    let (organization, api_key) = stage.seats_tenant().await;
    let codes = vec!["ConditionalCheckFailed", "TransactionConflict", "None", "None"];
    stage.wire.strike([Fault::Cancelled(codes)]);
    assert_eq!(create(&stage, &api_key).await.status, 200);
    assert_eq!(stage.seats(&organization).await, (3, 3, 0, 1));
}

#[tokio::test]
async fn a_conflict_on_any_seat_is_one_too() {
    for position in 0..4 {
        let stage = Stage::new().await;
        let (organization, api_key) = stage.seats_tenant().await;
        let mut codes = vec!["None"; 4];
        codes[position] = "TransactionConflict";
        stage.wire.strike([Fault::Cancelled(codes)]);
        assert_eq!(create(&stage, &api_key).await.status, 200);
        assert_eq!(stage.seats(&organization).await, (3, 3, 0, 1));
    }
}

#[tokio::test]
async fn conflicts_without_end_are_answered_with_come_back_later() {
    let mut stage = Stage::new().await;
    let (organization, api_key) = stage.seats_tenant().await;
    stage.table = stage.table.clone().with_conflict_budget(Duration::from_millis(20));
    stage.wire.strike(vec![Fault::Cancelled(CONFLICT.to_vec()); 1_000]);
    let reply = create(&stage, &api_key).await;
    assert_eq!((reply.status, reply.header("retry-after")), (503, "1"));
    assert_eq!(reply.json()["error"], "service_unavailable");
    assert_eq!(stage.seats(&organization).await, (0, 0, 0, 0));
}

#[tokio::test]
async fn throttling_is_told_to_the_caller() {
    for code in ["ThrottlingError", "ProvisionedThroughputExceeded"] {
        let stage = Stage::new().await;
        let (organization, api_key) = stage.seats_tenant().await;
        stage.wire.strike([Fault::Cancelled(vec!["None", code, "None", "None"])]);
        let reply = create(&stage, &api_key).await;
        assert_eq!((reply.status, reply.header("retry-after")), (429, "1"), "{code}");
        assert_eq!(reply.json()["error"], "rate_limited");
        assert_eq!(stage.seats(&organization).await, (0, 0, 0, 0));
    }
}

#[tokio::test]
async fn throttling_of_the_call_itself_is_told_too() {
    let stage = Stage::new().await;
    let (organization, api_key) = stage.seats_tenant().await;
    // As many as the SDK tries.
    stage.wire.strike(vec![Fault::Throttled; 3]);
    let reply = create(&stage, &api_key).await;
    assert_eq!(reply.status, 429, "{}", reply.text);
    assert!(!reply.header("retry-after").is_empty());
    assert_eq!(stage.seats(&organization).await, (0, 0, 0, 0));
}

#[tokio::test]
async fn a_reason_that_is_nobodys_fault_shows_nothing_of_itself() {
    let stage = Stage::new().await;
    let (organization, api_key) = stage.seats_tenant().await;
    stage.wire.strike([Fault::Cancelled(vec!["ValidationError", "None", "None", "None"])]);
    let reply = create(&stage, &api_key).await;
    assert_eq!(reply.status, 503);
    assert!(!reply.text.contains("Validation") && !reply.text.contains("ancel"), "{}", reply.text);
    assert_eq!(stage.seats(&organization).await, (0, 0, 0, 0));
}

#[tokio::test]
async fn a_lost_answer_does_not_create_twice() {
    let stage = Stage::new().await;
    let (organization, api_key) = stage.seats_tenant().await;
    stage.wire.strike([Fault::AnswerLost]);
    let reply = create(&stage, &api_key).await;
    assert_eq!(reply.status, 200, "{}", reply.text);
    assert_eq!(stage.seats(&organization).await, (3, 3, 0, 1));
}

#[tokio::test]
async fn when_every_answer_is_lost_the_key_finds_what_was_done() {
    let stage = Stage::new().await;
    let (organization, api_key) = stage.seats_tenant().await;
    let call = Call::json(&json!({ "accounts": vec![json!({"tier": "basic"}); 3] }))
        .bearer(&api_key)
        .key("once");
    // As many as the SDK tries.
    stage.wire.strike(vec![Fault::AnswerLost; 3]);
    let lost = call.send(&stage.create_seats()).await;
    assert_eq!((lost.status, lost.header("retry-after")), (503, "1"));
    assert_eq!(stage.seats(&organization).await, (3, 3, 0, 1), "done all the same");
    let found = call.send(&stage.create_seats()).await;
    assert_eq!(found.status, 200);
    assert!(found.is_replay());
    assert_eq!(stage.seats(&organization).await, (3, 3, 0, 1));
}
