//! From a create to the Stripe subscription, through stream and queue, and from there back.

use serde_json::json;

use crate::stack::{Stack, until};

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
    assert_eq!(stack.seats(&org).await, 1_000);
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

#[tokio::test]
async fn the_billing_of_an_organization_is_shown_before_and_after_a_create() {
    let stack = Stack::up();
    let (_, key, subscription) = stack.organization();
    let none = stack.billing(&key).await;
    let synced = |version: u64| json!({"state": "synced", "version": version, "applied_version": version, "error": null});
    assert_eq!(none["sync"], synced(0));
    let shown = &none["subscription"];
    assert_eq!(
        (&shown["status"], &shown["cancel_at_period_end"]),
        (&json!("active"), &json!(false))
    );
    assert_eq!(shown["slots"], json!({"basic": 0, "premium": 0}));
    assert!(none["billing_id"].as_str().is_some_and(|id| id.starts_with("cus_")), "{none}");
    // Times of one form are in the order of their texts.
    let time = |name: &str| shown[name].as_str().filter(|time| time.ends_with(".000Z"));
    assert!(
        time("current_period_start").expect("a time") < time("current_period_end").expect("one")
    );

    let bearer = format!("Bearer {key}");
    let body = json!({"accounts": [{"tier": "basic"}, {"tier": "premium"}, {"tier": "basic"}]});
    let answer = stack.post("/accounts/create", &[("authorization", &bearer)], &body).await;
    assert_eq!(answer.status, 200, "{answer:?}");
    let some = stack.billing(&key).await;
    assert_eq!(some["subscription"]["slots"], json!({"basic": 2, "premium": 1}));
    // How far the message is on its way by now is its own affair.
    let pending = json!({"state": "pending", "version": 1, "applied_version": 0, "error": null});
    assert!([pending, synced(1)].contains(&some["sync"]), "{some}");

    until(&synced(1), async || stack.billing(&key).await["sync"].clone()).await;
    assert_eq!(stack.quantities(&subscription).await, (2, 1));
}

#[tokio::test]
async fn a_seat_is_completed_and_moved_to_another_tier() {
    let stack = Stack::up();
    let (org, _, subscription) = stack.organization();
    let permissions = ["--permission", "accounts:create", "--permission", "accounts:update"];
    let made = stack.headcount(&[&["api-key", "create", "--org", &org][..], &permissions].concat());
    let key = made["credential"].as_str().expect("a key").to_owned();
    let bearer = format!("Bearer {key}");
    let headers = [("authorization", bearer.as_str())];
    let body = json!({"accounts": [{"tier": "basic"}, {"tier": "basic"}]});
    let created = stack.post("/accounts/create", &headers, &body).await;
    let id = created.body["data"]["accounts"][0]["id"].as_str().expect("an id").to_owned();
    stack.until_billed(&subscription, (2, 0)).await;

    let body = json!({"updates": [{
        "accountId": id, "tier": "premium", "platform": "tiktok", "username": "newcreator",
        "pfp_url": "https://example.com/avatar.jpg", "keywords": "fitness", "tag": "influencer",
    }]});
    let changed = stack.post("/accounts/update-info", &headers, &body).await;
    assert_eq!(changed.status, 200, "{changed:?}");
    assert_eq!(changed.body["data"]["message"], "Updated 1 account(s)");
    let account = &changed.body["data"]["results"][0]["account"];
    assert_eq!((&account["status"], &account["tier"]), (&json!("pending"), &json!("premium")));
    stack.until_billed(&subscription, (1, 1)).await;
    let event = stack.setup_request(&id).await;
    assert_eq!(event["detail"]["data"]["username"], "newcreator");
    let listed = stack.post("/accounts", &headers, &json!({"tag": "influencer"})).await;
    assert_eq!(listed.body["data"], json!([account]));
    let slots = stack.billing(&key).await["subscription"]["slots"].clone();
    assert_eq!(slots, json!({"basic": 1, "premium": 1}));
}

#[tokio::test]
async fn a_subscription_is_cancelled_and_resumed_and_the_portal_opens() {
    let stack = Stack::up();
    let (org, _, _) = stack.organization();
    let permissions = ["--permission", "billing:read", "--permission", "billing:manage"];
    let made = stack.headcount(&[&["api-key", "create", "--org", &org][..], &permissions].concat());
    let key = made["credential"].as_str().expect("a key").to_owned();
    let bearer = format!("Bearer {key}");
    let headers = [("authorization", bearer.as_str())];
    for (path, ends) in
        [("/billing/cancel", true), ("/billing/cancel", true), ("/billing/resume", false)]
    {
        let answer = stack.post(path, &headers, &json!({})).await;
        assert_eq!(answer.status, 200, "{path}: {answer:?}");
        let subscription = stack.billing(&key).await["subscription"].clone();
        assert_eq!(subscription["cancel_at_period_end"], ends, "{path}: {subscription}");
    }
    let portal = json!({"return_url": "https://shop.example/billing"});
    let opened = stack.post("/billing/portal", &headers, &portal).await;
    assert_eq!(opened.status, 200, "{opened:?}");
    assert!(opened.body["data"]["url"].as_str().is_some_and(|url| url.starts_with("http")));
}

#[tokio::test]
async fn a_subscription_that_ends_at_stripe_takes_no_more_seats() {
    let stack = Stack::up();
    let (org, key, subscription) = stack.organization();
    let status = async || stack.billing(&key).await["subscription"]["status"].clone();
    assert_eq!(status().await, "active");
    stack.set_status(&subscription, "canceled").await;
    // By the webhook that Stripe sends of it: the record has no other way to hear of it soon.
    until(&json!("canceled"), status).await;

    let bearer = format!("Bearer {key}");
    let body = json!({"accounts": [{"tier": "basic"}]});
    let answer = stack.post("/accounts/create", &[("authorization", &bearer)], &body).await;
    assert_eq!((answer.status, &answer.body["error"]), (402, &json!("no_billing")));
    assert_eq!(stack.kinds(&org).await, ["APIKEY", "BILLING", "ORG"], "nothing was created");
}

#[tokio::test]
async fn a_quote_holds_for_one_create() {
    let stack = Stack::up();
    let (org, key, subscription) = stack.organization();
    let bearer = format!("Bearer {key}");
    let headers = [("authorization", bearer.as_str())];
    let mut body = json!({"accounts": [{"tier": "basic"}, {"tier": "premium"}]});
    let quoted = stack.post("/accounts/quote", &headers, &body).await;
    assert_eq!(quoted.status, 200, "{quoted:?}");
    let data = &quoted.body["data"];
    let (basic, premium) = (&data["tiers"]["basic"], &data["tiers"]["premium"]);
    assert_eq!(basic, &json!({"before": 0, "after": 1, "unit_amount": 4_000}));
    assert_eq!(premium, &json!({"before": 0, "after": 1, "unit_amount": 10_000}));
    assert_eq!(
        (&data["monthly_total_before"], &data["monthly_total_after"]),
        (&json!(0), &json!(14_000))
    );
    let rest_of_period = data["proration_amount"].as_i64().expect("cents");
    assert!((1..=14_000).contains(&rest_of_period), "{rest_of_period}");
    assert_eq!(stack.quantities(&subscription).await, (0, 0), "a quote creates nothing");

    body["quote_id"] = data["quote_id"].clone();
    let created = stack.post("/accounts/create", &headers, &body).await;
    assert_eq!(created.status, 200, "{created:?}");
    assert_eq!(created.body["data"]["successful"], 2);
    stack.until_billed(&subscription, (1, 1)).await;

    let again = stack.post("/accounts/create", &headers, &body).await;
    assert_eq!((again.status, &again.body["error"]), (409, &json!("quote_expired")));
    assert_eq!(stack.seats(&org).await, 2);
}
