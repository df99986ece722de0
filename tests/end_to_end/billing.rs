//! From a create to the Stripe subscription, through stream and queue.

use serde_json::json;

use crate::stack::Stack;

#[tokio::test]
async fn a_thousand_seats_in_one_request_are_created_billed_and_replayed() {
    let stack = Stack::up();
    let (org, key, subscription) = stack.organization();
    let mut accounts = vec![json!({"tier": "basic"}); 700];
    accounts.extend(vec![json!({"tier": "premium"}); 300]);
    let body = json!({ "accounts": accounts });
    let bearer = format!("Bearer {key}");
    let headers = [("authorization", bearer.as_str()), ("idempotency-key", "thousand")];
    let answer = stack.post("/accounts/create", &headers, &body).await;
    assert_eq!(answer.status, 200, "{answer:?}");
    assert_eq!(answer.body["data"]["successful"], 1000);
    stack.until_billed(&subscription, (700, 300)).await;

    let again = stack.post("/accounts/create", &headers, &body).await;
    assert_eq!(again.header("idempotency-replayed"), "true");
    assert_eq!(again.body, answer.body);
    let items = stack.partition(&format!("ORG#{org}")).await;
    assert_eq!(items.len(), 1002, "seats, organization and billing record");
    assert_eq!(stack.quantities(&subscription).await, (700, 300));
}

#[tokio::test]
async fn a_poisoned_message_holds_up_nobody_else() {
    let stack = Stack::up();
    let (poisoned, _, _) = stack.organization();
    let sent = stack
        .queues()
        .send_message()
        .queue_url(stack.get("/billing_queue"))
        .message_group_id(&poisoned)
        .message_deduplication_id(&poisoned)
        .message_body("poison")
        .send()
        .await;
    sent.expect("the queue takes it");
    let (_, key, subscription) = stack.organization();
    let bearer = format!("Bearer {key}");
    let body = json!({"accounts": [{"tier": "premium"}]});
    let answer = stack.post("/accounts/create", &[("authorization", &bearer)], &body).await;
    assert_eq!(answer.status, 200);
    stack.until_billed(&subscription, (0, 1)).await;
}
