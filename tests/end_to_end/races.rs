//! Many callers at once, on the deployed stack.

use std::collections::BTreeSet;
use std::sync::Arc;

use futures_util::future::join_all;
use serde_json::{Value, json};

use crate::stack::{Answer, Stack};

/// Posts bodies side by side.
async fn all(
    stack: &Arc<Stack>,
    path: &'static str,
    headers: &[(&'static str, String)],
    bodies: Vec<Value>,
) -> Vec<Answer> {
    let posts = bodies.into_iter().map(|body| {
        let (stack, headers) = (Arc::clone(stack), headers.to_vec());
        tokio::spawn(async move {
            let headers: Vec<_> = headers.iter().map(|(name, value)| (*name, &**value)).collect();
            stack.post(path, &headers, &body).await
        })
    });
    join_all(posts).await.into_iter().map(|answer| answer.expect("no panic")).collect()
}

fn count(answers: &[Answer], status: u16) -> usize {
    answers.iter().filter(|answer| answer.status == status).count()
}

#[tokio::test]
async fn a_hundred_creates_of_one_email_make_one_account() {
    let stack = Arc::new(Stack::up());
    let body = json!({"email": stack.unused_email("race"), "name": "Acme Inc.", "type": "business",
        "password": "secure_password_here"});
    let answers = all(&stack, "/v1/accounts", &[], vec![body; 100]).await;
    assert_eq!((count(&answers, 201), count(&answers, 409)), (1, 99));
}

#[tokio::test]
async fn a_hundred_requests_with_one_key_have_one_effect_and_one_answer() {
    let stack = Arc::new(Stack::up());
    let (org, key, subscription) = stack.organization();
    let headers =
        [("authorization", format!("Bearer {key}")), ("idempotency-key", "once".to_owned())];
    let body = json!({"accounts": [{"tier": "basic"}, {"tier": "premium"}]});
    let answers = all(&stack, "/accounts/create", &headers, vec![body; 100]).await;
    assert_eq!(count(&answers, 200), 100);
    let bodies: BTreeSet<_> = answers.iter().map(|answer| answer.body.to_string()).collect();
    assert_eq!(bodies.len(), 1);
    let replays = answers.iter().filter(|a| a.header("idempotency-replayed") == "true").count();
    assert_eq!(replays, 99);
    stack.until_billed(&subscription, (1, 1)).await;
    assert_eq!(stack.seats(&org).await, 2);
}

#[tokio::test]
async fn fifty_creates_for_one_organization_end_with_exact_counters_and_quantities() {
    let stack = Arc::new(Stack::up());
    let (org, key, subscription) = stack.organization();
    let headers = [("authorization", format!("Bearer {key}"))];
    let body = json!({"accounts": [{"tier": "basic"}, {"tier": "basic"}, {"tier": "premium"}]});
    let answers = all(&stack, "/accounts/create", &headers, vec![body; 50]).await;
    assert_eq!(count(&answers, 200), 50);
    stack.until_billed(&subscription, (100, 50)).await;

    assert_eq!(stack.seats(&org).await, 150);
    let shown = stack.headcount(&["org", "show", &org]);
    let billing = &shown["billing"];
    assert_eq!(billing["seats"], json!({"basic": 100, "premium": 50}));
    assert_eq!(billing["version"], 50);
}
