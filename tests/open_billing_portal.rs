//! `POST /billing/portal` on the real store and our real Stripe client, against the stand-in.

#![allow(clippy::expect_used)] // A test that cannot be set up has to say so loudly.

use headcount_model::billing::SubscriptionStatus;
use headcount_model::credential::{Holder, Permission};
use headcount_model::port::Clock;
use headcount_tests::billing::{Billed, Billing, SIGNING_SECRET};
use headcount_tests::{Call, Reply, Stage, bad_credentials};
use serde_json::json;
use stripe_stand_in::sign_webhook;

async fn bench() -> (Stage, Billing, Billed, String) {
    let (stage, billing) = (Stage::new().await, Billing::new().await);
    let billed = billing.organization(&stage).await;
    let holder = Holder::Organization(billed.organization.clone());
    let key = stage.credential(holder, &[Permission::BillingManage]).await;
    (stage, billing, billed, key)
}

fn error(reply: &Reply) -> (u64, String) {
    (reply.status, reply.json()["error"].as_str().unwrap_or_default().to_owned())
}

fn refused(status: u64, code: &str) -> (u64, String) {
    (status, code.to_owned())
}

#[tokio::test]
async fn each_time_a_session_is_opened_and_nothing_is_kept() {
    let (stage, billing, _, key) = bench().await;
    let before = stage.items().await;
    let function = stage.open_billing_portal(&billing);
    let mut urls = Vec::new();
    let with = Call::json(&json!({"return_url": "https://example.com/billing"}));
    for call in
        [Call::empty(), Call::json(&json!({})), Call::json(&json!({"return_url": null})), with]
    {
        let reply = call.bearer(&key).send(&function).await;
        assert_eq!(reply.status, 200, "{}", reply.text);
        let url = reply.json()["data"]["url"].clone();
        let whole = json!({"ok": true, "code": 200, "message": "Success", "data": {"url": url}});
        assert_eq!(reply.json(), whole);
        let url = url.as_str().expect("a URL").to_owned();
        assert!(url.starts_with("https://billing.stripe.com/p/session/"), "{url}");
        assert!(!urls.contains(&url));
        urls.push(url);
    }
    assert_eq!(stage.items().await, before);
}

#[tokio::test]
async fn all_faults_at_once() {
    let (stage, billing, _, key) = bench().await;
    let function = stage.open_billing_portal(&billing);
    let body = json!({"return_url": "http://127.0.0.1/", "customer": "cus_1"});
    let reply = Call::json(&body).bearer(&key).send(&function).await;
    assert_eq!(error(&reply), refused(400, "invalid_request"));
    let errors = reply.json()["errors"].clone();
    let fields: Vec<_> = errors.as_array().into_iter().flatten().map(|one| &one["field"]).collect();
    assert_eq!(fields, [&json!("return_url"), &json!("customer")]);
    for bad in
        [json!(7), json!("javascript:alert(1)"), json!("https://u:p@example.com/"), json!("")]
    {
        let reply = Call::json(&json!({"return_url": bad})).bearer(&key).send(&function).await;
        assert_eq!(error(&reply), refused(400, "invalid_request"), "{bad}");
    }
}

#[tokio::test]
async fn without_a_subscription_that_runs_there_is_no_portal() {
    let (stage, billing, billed, key) = bench().await;
    let function = stage.open_billing_portal(&billing);
    let holder = Holder::Organization(stage.organization(None, 10).await);
    let unlinked = stage.credential(holder, &[Permission::BillingManage]).await;
    let reply = Call::empty().bearer(&unlinked).send(&function).await;
    assert_eq!(error(&reply), refused(402, "no_billing"));

    billing.set_status(&billed.subscription, SubscriptionStatus::Canceled).await;
    let events = billing.events(&billed.subscription).await;
    let body = events.last().expect("its end").to_string();
    let header = sign_webhook(SIGNING_SECRET, stage.ports.now().as_second(), &body);
    let told = Call::text(body).header("stripe-signature", &header);
    let reply = told.send(&billing.webhook(&stage)).await;
    assert_eq!(reply.status, 200, "{}", reply.text);
    let reply = Call::empty().bearer(&key).send(&function).await;
    assert_eq!(error(&reply), refused(402, "no_billing"));
}

#[tokio::test]
async fn while_stripe_does_not_answer_a_retry_is_right() {
    let (stage, billing, _, key) = bench().await;
    let function = stage.open_billing_portal(&billing);
    for kind in ["429", "500", "cut_before"] {
        billing.fault(&json!({"kind": kind, "count": 1, "method": "POST"})).await;
        let reply = Call::empty().bearer(&key).send(&function).await;
        assert_eq!(error(&reply), refused(503, "service_unavailable"), "{kind}");
        assert_eq!(reply.header("retry-after"), "1");
    }
}

#[tokio::test]
async fn the_key_needs_the_permission() {
    let (stage, billing, billed, _) = bench().await;
    let holder = Holder::Organization(billed.organization.clone());
    let others: Vec<_> =
        Permission::ALL.into_iter().filter(|one| *one != Permission::BillingManage).collect();
    let key = stage.credential(holder.clone(), &others).await;
    let function = stage.open_billing_portal(&billing);
    let reply = Call::empty().bearer(&key).send(&function).await;
    assert_eq!(error(&reply), refused(403, "forbidden"));
    assert!(reply.text.contains("billing:manage"), "{}", reply.text);
    for (what, header) in bad_credentials(&stage, &holder, Permission::BillingManage).await {
        let call = Call::empty().header("authorization", &header);
        assert_eq!(error(&call.send(&function).await), refused(401, "unauthorized"), "{what}");
    }
}
