//! `POST /billing/resume` on the real store and our real Stripe client, against the stand-in.

#![allow(clippy::expect_used)] // A test that cannot be set up has to say so loudly.

use headcount_model::billing::SubscriptionStatus;
use headcount_model::credential::{Holder, Permission};
use headcount_tests::billing::{Billed, Billing};
use headcount_tests::{Call, Reply, Stage, bad_credentials, text_of};
use serde_json::{Value, json};

/// An organization that is billed, and a key that may manage that.
struct Bench {
    stage: Stage,
    billing: Billing,
    billed: Billed,
    key: String,
}

impl Bench {
    /// The subscription stands to end with its period.
    async fn new() -> Self {
        let (stage, billing) = (Stage::new().await, Billing::new().await);
        let billed = billing.organization(&stage).await;
        let holder = Holder::Organization(billed.organization.clone());
        let key = stage.credential(holder, &[Permission::BillingManage]).await;
        let bench = Self { stage, billing, billed, key };
        let call = Call::empty().bearer(&bench.key);
        let reply = call.send(&bench.stage.cancel_billing(&bench.billing)).await;
        assert_eq!(reply.status, 200, "{}", reply.text);
        bench
    }

    async fn send(&self) -> Reply {
        self.with(&Call::empty()).await
    }

    async fn with(&self, call: &Call) -> Reply {
        let call = call.clone().bearer(&self.key);
        call.send(&self.stage.resume_billing(&self.billing)).await
    }

    /// What Stripe says: the flag, and whether there is an end.
    async fn at_stripe(&self) -> (Value, bool) {
        let path = format!("/v1/subscriptions/{}", self.billed.subscription);
        let found: Value = self.billing.stripe.get(&path, &[]).await.expect("a subscription");
        (found["cancel_at_period_end"].clone(), !found["cancel_at"].is_null())
    }

    /// What `GET /billing` shows.
    async fn shown(&self) -> Value {
        let call = Call::empty().bearer(&self.billed.api_key);
        let reply = call.send(&self.stage.get_billing()).await;
        reply.json()["data"]["subscription"]["cancel_at_period_end"].clone()
    }

    /// The routes of the audit's entries, each with what was changed.
    async fn audit(&self) -> Vec<String> {
        let items = self.stage.items().await;
        let of_audit = items
            .iter()
            .filter(|item| text_of(item, "sk").is_some_and(|sk| sk.starts_with("AUDIT#")));
        of_audit.filter_map(|item| text_of(item, "route")).map(str::to_owned).collect()
    }
}

fn error(reply: &Reply) -> (u64, String) {
    (reply.status, reply.json()["error"].as_str().unwrap_or_default().to_owned())
}

fn refused(status: u64, code: &str) -> (u64, String) {
    (status, code.to_owned())
}

fn success() -> Value {
    json!({
        "ok": true, "code": 200, "message": "Success",
        "data": {"message": "Subscription will continue"},
    })
}

#[tokio::test]
async fn it_is_so_at_stripe_on_record_and_in_the_audit() {
    let bench = Bench::new().await;
    let reply = bench.send().await;
    assert_eq!((reply.status, reply.json()), (200, success()));
    assert_eq!(reply.header("content-type"), "application/json");
    assert_eq!(bench.at_stripe().await, (json!(false), false));
    assert_eq!(bench.shown().await, false);
    let audit = bench.audit().await;
    assert_eq!(
        audit.iter().filter(|route| *route == "POST /billing/resume").count(),
        1,
        "{audit:?}"
    );
}

#[tokio::test]
async fn what_is_so_already_is_answered_the_same_and_changes_nothing() {
    let bench = Bench::new().await;
    let first = bench.send().await;
    let (updates, audit) = (bench.billing.updates().await, bench.audit().await);
    let second = bench.with(&Call::json(&json!({}))).await;
    assert_eq!((second.status, &second.text), (200, &first.text));
    assert_eq!(bench.billing.updates().await, updates, "Stripe is told once");
    assert_eq!(bench.audit().await, audit);
}

#[tokio::test]
async fn a_retry_with_its_key_is_answered_and_not_carried_out_again() {
    let bench = Bench::new().await;
    let call = Call::json(&json!({})).header("idempotency-key", "k-1");
    let first = bench.with(&call).await;
    assert_eq!(first.status, 200, "{}", first.text);
    let other = Call::empty().bearer(&bench.key);
    let undone = other.send(&bench.stage.cancel_billing(&bench.billing)).await;
    assert_eq!(undone.status, 200, "{}", undone.text);

    let again = bench.with(&call).await;
    assert_eq!((again.status, &again.text), (200, &first.text));
    assert_eq!(again.header("idempotency-replayed"), "true");
    assert_eq!(bench.shown().await, json!(!false), "the newer wish stays");

    let other_body = Call::json(&json!({"a": 1})).header("idempotency-key", "k-1");
    assert_eq!(error(&bench.with(&other_body).await), refused(400, "invalid_request"));
    let longer = Call::text("{ }").header("idempotency-key", "k-1");
    assert_eq!(error(&bench.with(&longer).await), refused(422, "idempotency_key_reused"));
}

#[tokio::test]
async fn without_a_subscription_that_runs_there_is_nothing_to_end() {
    let bench = Bench::new().await;
    let before = bench.stage.items().await;
    bench.billing.set_status(&bench.billed.subscription, SubscriptionStatus::Canceled).await;
    assert_eq!(error(&bench.send().await), refused(402, "no_billing"));
    bench.billing.forget_everything().await;
    assert_eq!(error(&bench.send().await), refused(402, "no_billing"), "Stripe has it no longer");
    assert_eq!(bench.stage.items().await, before, "nothing was written");

    let holder = Holder::Organization(bench.stage.organization(None, 10).await);
    let key = bench.stage.credential(holder, &[Permission::BillingManage]).await;
    let reply = Call::empty().bearer(&key).send(&bench.stage.resume_billing(&bench.billing)).await;
    assert_eq!(error(&reply), refused(402, "no_billing"));
}

#[tokio::test]
async fn while_stripe_does_not_answer_nothing_is_recorded_and_a_retry_does_it() {
    let bench = Bench::new().await;
    let before = bench.stage.items().await;
    for kind in ["429", "cut_before"] {
        bench.billing.fault(&json!({"kind": kind, "count": 1, "method": "POST"})).await;
        let reply = bench.send().await;
        assert_eq!(error(&reply), refused(503, "service_unavailable"), "{kind}");
        assert_eq!(reply.header("retry-after"), "1");
    }
    assert_eq!(bench.stage.items().await, before);
    // What was done and not answered is found done.
    bench.billing.fault(&json!({"kind": "cut_after", "count": 1, "method": "POST"})).await;
    assert_eq!(bench.send().await.status, 503);
    assert_eq!(bench.shown().await, json!(!false));
    bench.billing.heal().await;
    assert_eq!(bench.send().await.status, 200);
    assert_eq!((bench.at_stripe().await.0, bench.shown().await), (json!(false), json!(false)));
    assert_eq!(bench.audit().await.last().map(String::as_str), Some("POST /billing/resume"));
}

#[tokio::test]
async fn the_body_has_no_field_and_the_key_needs_the_permission() {
    let bench = Bench::new().await;
    let reply = bench.with(&Call::json(&json!({"at": 1, "now": true}))).await;
    assert_eq!(error(&reply), refused(400, "invalid_request"));
    assert_eq!(reply.json()["errors"].as_array().map(Vec::len), Some(2));

    let holder = Holder::Organization(bench.billed.organization.clone());
    let others: Vec<_> =
        Permission::ALL.into_iter().filter(|one| *one != Permission::BillingManage).collect();
    let key = bench.stage.credential(holder.clone(), &others).await;
    let function = bench.stage.resume_billing(&bench.billing);
    let reply = Call::empty().bearer(&key).send(&function).await;
    assert_eq!(error(&reply), refused(403, "forbidden"));
    assert!(reply.text.contains("billing:manage"), "{}", reply.text);
    for (what, header) in bad_credentials(&bench.stage, &holder, Permission::BillingManage).await {
        let call = Call::empty().header("authorization", &header);
        assert_eq!(error(&call.send(&function).await), refused(401, "unauthorized"), "{what}");
    }
    assert_eq!(bench.shown().await, json!(!false), "nothing was changed");
}

#[tokio::test]
async fn what_the_portal_has_set_is_taken_back_too() {
    let (stage, billing) = (Stage::new().await, Billing::new().await);
    let billed = billing.organization(&stage).await;
    let holder = Holder::Organization(billed.organization.clone());
    let key = stage.credential(holder, &[Permission::BillingManage]).await;
    billing.cancel_in_portal(&billed.subscription).await;
    let bench = Bench { stage, billing, billed, key };
    assert_eq!(bench.at_stripe().await, (json!(false), true), "flexible billing mode");
    assert_eq!((bench.send().await.status, bench.at_stripe().await), (200, (json!(false), false)));
}

#[tokio::test]
async fn a_failure_that_stripe_has_stored_is_gone_around() {
    let bench = Bench::new().await;
    bench.billing.fault(&json!({"kind": "500", "count": 9, "method": "POST"})).await;
    assert_eq!(error(&bench.send().await), refused(503, "service_unavailable"));
    bench.billing.heal().await;
    bench.billing.fault(&json!({"kind": "500", "count": 1, "method": "POST"})).await;
    assert_eq!(bench.send().await.status, 200);
    assert_eq!((bench.at_stripe().await.0, bench.shown().await), (json!(false), json!(false)));
}
