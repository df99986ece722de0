//! stripe-events on the real store and our real Stripe client, against the stand-in: Stripe's events as
//! EventBridge hands them over.

#![allow(clippy::expect_used)] // A test that cannot be set up has to say so loudly.

use headcount_billing::stripe::Stripe;
use headcount_model::billing::SubscriptionStatus;
use headcount_store::Table;
use headcount_store::rows::BillingRow;
use headcount_tests::billing::{Billed, Billing};
use headcount_tests::{Ports, Stage};
use serde_json::{Value, json};
use stripe_events::{Function, TAKES};

fn function(stage: &Stage, billing: &Billing) -> Function<Table, Stripe, Ports> {
    let (ledger, stripe) = (stage.table.clone(), billing.stripe.clone());
    Function { ledger, stripe, ports: stage.ports.clone() }
}

/// What EventBridge makes of an event of Stripe.
fn envelope(event: &Value) -> Value {
    json!({
        "version": "0",
        "id": "17e8dff5-d6cd-3770-ace9-aeac02b6ac3f",
        "detail-type": event["type"],
        "source": "aws.partner/stripe.com/ed_123",
        "account": "123456789012",
        "time": "2026-02-03T18:12:46Z",
        "region": "us-east-1",
        "resources": [],
        "detail": event,
    })
}

/// A thin event: it names its object and shows nothing of it.
fn thin(subscription: &str) -> Value {
    json!({
        "id": "evt_1",
        "object": "v2.core.event",
        "type": "v1.customer.subscription.updated",
        "created": "2026-02-03T18:12:45.000Z",
        "related_object": {
            "id": subscription,
            "type": "subscription",
            "url": format!("/v1/subscriptions/{subscription}"),
        },
    })
}

/// What the function returns; `None` for an error, after which the event comes again.
async fn deliver(stage: &Stage, billing: &Billing, event: &Value) -> Option<Value> {
    let function = function(stage, billing);
    let handle = |envelope| function.handle(envelope);
    let returned = TAKES.answer(envelope(event), handle).await.ok();
    returned.map(|returned| json!(returned))
}

fn received() -> Option<Value> {
    Some(json!({"received": true}))
}

async fn row(stage: &Stage, billed: &Billed) -> BillingRow {
    let row = stage.table.billing_row(&billed.organization).await.expect("the table answers");
    row.expect("a billing record")
}

async fn status(stage: &Stage, billed: &Billed) -> String {
    row(stage, billed).await.subscription_status.expect("a status")
}

#[tokio::test]
async fn both_kinds_of_event_bring_the_record_to_what_stripe_says() {
    let (stage, billing) = (Stage::new().await, Billing::new().await);
    let billed = billing.organization(&stage).await;
    billing.set_status(&billed.subscription, SubscriptionStatus::PastDue).await;
    let snapshot = billing.events(&billed.subscription).await.pop().expect("an event");
    assert_eq!(deliver(&stage, &billing, &snapshot).await, received());
    assert_eq!(status(&stage, &billed).await, "past_due");
    billing.set_status(&billed.subscription, SubscriptionStatus::Active).await;
    assert_eq!(deliver(&stage, &billing, &thin(&billed.subscription)).await, received());
    assert_eq!(status(&stage, &billed).await, "active");
    // Late, and once more: it says only where to look.
    for _ in 0..2 {
        assert_eq!(deliver(&stage, &billing, &snapshot).await, received());
        assert_eq!(status(&stage, &billed).await, "active");
    }
}

#[tokio::test]
async fn nothing_follows_from_what_is_none_of_ours() {
    let (stage, billing) = (Stage::new().await, Billing::new().await);
    let billed = billing.organization(&stage).await;
    let before = row(&stage, &billed).await;
    let paid = json!({"id": "evt_1", "type": "invoice.paid", "data": {"object": {"id": "in_1"}}});
    let ping = json!({
        "id": "evt_2",
        "object": "v2.core.event",
        "type": "v2.core.event_destination.ping",
        "related_object": {"id": "ed_123", "type": "v2.core.event_destination"},
    });
    for event in [paid, ping, thin("sub_of_somebody_else")] {
        assert_eq!(deliver(&stage, &billing, &event).await, received(), "{event}");
    }
    assert_eq!(row(&stage, &billed).await, before);
}

#[tokio::test]
async fn what_cannot_be_asked_or_read_fails_so_that_it_comes_again_or_is_kept() {
    let (stage, billing) = (Stage::new().await, Billing::new().await);
    let billed = billing.organization(&stage).await;
    let before = row(&stage, &billed).await;
    billing.fault(&json!({"kind": "500", "method": "GET", "count": 9})).await;
    billing.fault(&json!({"kind": "500_before", "method": "GET", "count": 9})).await;
    assert_eq!(deliver(&stage, &billing, &thin(&billed.subscription)).await, None);
    billing.heal().await;
    for unreadable in [json!({}), json!([]), json!("x"), thin("sub_1/../x")] {
        assert_eq!(deliver(&stage, &billing, &unreadable).await, None, "{unreadable}");
    }
    assert_eq!(row(&stage, &billed).await, before);
}

#[tokio::test]
async fn what_is_of_no_partner_is_answered_with_what_works() {
    let (stage, billing) = (Stage::new().await, Billing::new().await);
    let function = function(&stage, &billing);
    let mut own = envelope(&thin("sub_1"));
    own["source"] = json!("headcount");
    for event in [own, json!({}), json!(null), json!({"source": 1}), json!("ping")] {
        let handle = |envelope| function.handle(envelope);
        let returned = TAKES.answer(event.clone(), handle).await.expect("no error");
        let returned = json!(returned);
        let message = returned["message"].as_str().unwrap_or_else(|| panic!("{event}"));
        assert!(message.contains("tests/events/stripe-events/recorded.json"), "{message}");
    }
}
