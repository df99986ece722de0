//! stripe-webhook on the real store and our real Stripe client, against the stand-in.

#![allow(clippy::expect_used)] // A test that cannot be set up has to say so loudly.

use std::sync::atomic::{AtomicBool, Ordering};

use futures_util::future::join_all;
use headcount_api::Endpoint;
use headcount_billing::rotation::SignatureCheck;
use headcount_billing::stripe::Stripe;
use headcount_model::billing::{
    LedgerUnavailable, LinkedSubscription, Recorded, Standing, SubscriptionLedger,
    SubscriptionStatus,
};
use headcount_model::id::OrganizationId;
use headcount_model::port::Clock;
use headcount_model::text::Text;
use headcount_store::StripeLink;
use headcount_store::rows::BillingRow;
use headcount_tests::billing::{Billed, Billing, SIGNING_SECRET, SecretText, Webhook};
use headcount_tests::{Call, Reply, Stage, up_to};
use jiff::{SignedDuration, Timestamp};
use serde_json::{Value, json};
use stripe_stand_in::sign_webhook;

const RECEIVED: &str = r#"{"received":true}"#;
const ANOTHER: &str = r#"{"id":"evt_1","type":"invoice.paid","data":{"object":{"id":"in_1"}}}"#;

/// A webhook as Stripe sends it now.
fn signed(stage: &Stage, body: &str) -> Call {
    let header = sign_webhook(SIGNING_SECRET, stage.ports.now().as_second(), body);
    Call::text(body).header("stripe-signature", &header)
}

/// Delivers an event to the function.
async fn deliver(stage: &Stage, billing: &Billing, event: &Value) -> Reply {
    signed(stage, &event.to_string()).send(&billing.webhook(stage)).await
}

/// Delivers an event that must be acknowledged.
async fn acknowledged(stage: &Stage, billing: &Billing, event: &Value) {
    let reply = deliver(stage, billing, event).await;
    assert_eq!((reply.status, reply.text.as_str()), (200, RECEIVED), "{event}");
}

/// Moves the subscription at Stripe and delivers what Stripe tells of it.
async fn becomes(stage: &Stage, billing: &Billing, billed: &Billed, status: SubscriptionStatus) {
    billing.set_status(&billed.subscription, status).await;
    acknowledged(stage, billing, &newest(billing, &billed.subscription).await).await;
}

async fn newest(billing: &Billing, subscription: &str) -> Value {
    billing.events(subscription).await.pop().expect("an event")
}

async fn row(stage: &Stage, organization: &OrganizationId) -> BillingRow {
    let row = stage.table.billing_row(organization).await.expect("the table answers");
    row.expect("a billing record")
}

async fn status(stage: &Stage, billed: &Billed) -> String {
    row(stage, &billed.organization).await.subscription_status.expect("a status")
}

/// Creates a seat; status and error code of the answer.
async fn create(stage: &Stage, billed: &Billed) -> (u64, Value) {
    let body = json!({"accounts": [{"tier": "basic"}]});
    let reply = Call::json(&body).bearer(&billed.api_key).send(&stage.create_seats()).await;
    (reply.status, reply.json()["error"].clone())
}

const CREATED: (u64, Value) = (200, Value::Null);

fn no_billing() -> (u64, Value) {
    (402, json!("no_billing"))
}

fn refused(reply: &Reply, message: &str) {
    let body = json!({"error": {"message": message}});
    assert_eq!((reply.status, reply.json()), (400, body));
}

// ------------------------------------------------------------------------------ Signature

const MALFORMED: &str =
    "The Stripe-Signature header must have the form t=<Unix seconds>,v1=<signature>.";
const WRONG: &str = "No signature in the Stripe-Signature header is right.";
const OUT_OF_TIME: &str = "The time of the signature is more than 5 minutes from now.";

/// The signature alone, of `ANOTHER`.
fn v1(secret: &str, time: i64) -> String {
    let header = sign_webhook(secret, time, ANOTHER);
    header.split_once(",v1=").expect("a signature").1.to_owned()
}

#[tokio::test]
async fn signatures() {
    let (stage, billing) = (Stage::new().await, Billing::new().await);
    let now = stage.ports.now().as_second();
    let mut function = billing.webhook(&stage);
    function.signatures = SignatureCheck::new(SecretText::of(r#"["whsec_old","whsec_new"]"#));
    let (old, new) = (v1("whsec_old", now), v1("whsec_new", now));
    let wrong = v1("whsec_wrong", now);
    let at = |time: i64| sign_webhook("whsec_new", time, ANOTHER);

    let good = [
        format!("t={now},v1={new}"),
        format!("t={now},v1={old}"),
        format!("t={now},v1={old},v1={new}"),
        format!("t={now},v1={wrong},v1={new}"),
        format!("v0=abc,v1={new},t={now},v2=x"),
        at(now - 300),
        at(now + 300),
    ];
    for header in good {
        let reply = Call::text(ANOTHER).header("stripe-signature", &header).send(&function).await;
        assert_eq!((reply.status, reply.text.as_str()), (200, RECEIVED), "{header}");
    }

    let long = "v1=,".repeat(2_000);
    let bad = [
        (format!("t={now},v1={wrong}"), WRONG),
        (format!("t={now}"), WRONG),
        (format!("t={now},v1={}", &new[2..]), WRONG),
        (format!("t={now},v0={new}"), WRONG),
        (format!("t={},v1={new}", now + 1), WRONG),
        (at(now - 301), OUT_OF_TIME),
        (at(now + 301), OUT_OF_TIME),
        (String::new(), MALFORMED),
        ("garbled".to_owned(), MALFORMED),
        (",,,".to_owned(), MALFORMED),
        (format!("v1={new}"), MALFORMED),
        (format!("t=soon,v1={new}"), MALFORMED),
        (format!("t=-1,v1={new}"), MALFORMED),
        (format!("t=99999999999999999999,v1={new}"), MALFORMED),
        (format!("t={now},t={now},v1={new}"), MALFORMED),
        (format!("t={now},{long}v1={wrong}"), WRONG),
        // Two headers, as HTTP APIs join them.
        (format!("t={now},v1={new},t={now},v1={new}"), MALFORMED),
    ];
    for (header, message) in bad {
        let reply = Call::text(ANOTHER).header("stripe-signature", &header).send(&function).await;
        refused(&reply, message);
    }
    refused(&Call::text(ANOTHER).send(&function).await, "There is no Stripe-Signature header.");
    let not_text = Call::text(ANOTHER).header("stripe-signature", "t=1,v1=é").send(&function).await;
    assert_eq!(not_text.status, 400);
}

#[tokio::test]
async fn a_secret_is_replaced_while_the_process_lives() {
    let (stage, billing) = (Stage::new().await, Billing::new().await);
    let secret = SecretText::of("whsec_old");
    let mut function = billing.webhook(&stage);
    function.signatures = SignatureCheck::new(secret.clone());
    let send = async |signed_with: &str| {
        let header = sign_webhook(signed_with, stage.ports.now().as_second(), ANOTHER);
        Call::text(ANOTHER).header("stripe-signature", &header).send(&function).await
    };
    for _ in 0..3 {
        assert_eq!(send("whsec_old").await.status, 200);
    }
    assert_eq!(secret.reads(), 1, "what is known need not be read again");

    secret.replace("whsec_new, whsec_old");
    stage.ports.advance(SignedDuration::from_secs(10));
    assert_eq!(send("whsec_new").await.status, 200, "the new one is looked for");
    assert_eq!(send("whsec_old").await.status, 200);

    secret.replace("whsec_new");
    stage.ports.advance(SignedDuration::from_mins(5));
    refused(&send("whsec_old").await, WRONG);
    assert_eq!(send("whsec_new").await.status, 200);

    // Whoever signs wrongly does not make us read all the time.
    let reads = secret.reads();
    for _ in 0..5 {
        refused(&send("whsec_wrong").await, WRONG);
    }
    assert_eq!(secret.reads(), reads);

    // A secret that cannot be read or makes no sense: Stripe is to try again.
    secret.replace("");
    stage.ports.advance(SignedDuration::from_mins(5));
    unavailable(&send("whsec_new").await);
}

#[tokio::test]
async fn the_signature_is_of_the_bytes_as_they_came() {
    let (stage, billing) = (Stage::new().await, Billing::new().await);
    let function = billing.webhook(&stage);
    let now = stage.ports.now().as_second();
    let header = sign_webhook(SIGNING_SECRET, now, ANOTHER);

    let base64 = Call::bytes(ANOTHER.as_bytes()).header("stripe-signature", &header);
    assert_eq!(base64.send(&function).await.text, RECEIVED);
    let untyped = Call::text(ANOTHER).without("content-type").header("stripe-signature", &header);
    assert_eq!(untyped.send(&function).await.text, RECEIVED);

    for tampered in [ANOTHER.replace("paid", "Paid"), format!("{ANOTHER} "), String::new()] {
        let call = Call::text(tampered).header("stripe-signature", &header);
        refused(&call.send(&function).await, WRONG);
    }
    for call in [Call::empty(), Call::raw_base64(ANOTHER), Call::bytes(b"\xff\x00")] {
        refused(&call.header("stripe-signature", &header).send(&function).await, WRONG);
    }
}

#[tokio::test]
async fn bodies_that_are_signed_and_no_events() {
    let (stage, billing) = (Stage::new().await, Billing::new().await);
    let function = billing.webhook(&stage);
    for body in ["", "{", "[]", "null", "{}", r#"{"id":"evt_1","type":"customer.subscription.x"}"#]
    {
        let reply = signed(&stage, body).send(&function).await;
        refused(&reply, "The body is not an event of Stripe's API.");
    }
    let large = ANOTHER.to_owned() + &" ".repeat(256 * 1024 - ANOTHER.len());
    assert_eq!(signed(&stage, &large).send(&function).await.status, 200);
    let reply = signed(&stage, &format!("{large} ")).send(&function).await;
    let body = json!({"error": {"message": "The request body is larger than 256 KiB."}});
    assert_eq!((reply.status, reply.json()), (413, body));
    assert_eq!(billing.subscription_reads().await, 0);
}

// ------------------------------------------------------------------------------ Standing

#[tokio::test]
async fn the_record_follows_the_subscription() {
    use SubscriptionStatus::{Active, Paused, Unpaid};
    let (stage, billing) = (Stage::new().await, Billing::new().await);
    let billed = billing.organization(&stage).await;
    assert_eq!(create(&stage, &billed).await, CREATED);
    let before = row(&stage, &billed.organization).await;

    for (status, created) in [
        (Paused, no_billing()),
        (Active, CREATED),
        (Unpaid, no_billing()),
        (Active, CREATED),
        (SubscriptionStatus::Canceled, no_billing()),
    ] {
        let as_before = row(&stage, &billed.organization).await;
        becomes(&stage, &billing, &billed, status).await;
        let now = row(&stage, &billed.organization).await;
        assert_eq!(now.subscription_status.as_deref(), Some(status.as_str()));
        // What is billed is none of its business.
        let seats = |row: &BillingRow| {
            (row.seats_basic, row.version, row.applied_version, row.behind_since.clone())
        };
        assert_eq!(seats(&now), seats(&as_before));
        assert_eq!(create(&stage, &billed).await, created, "{status:?}");
    }
    let after = row(&stage, &billed.organization).await;
    assert_eq!(after.version, before.version + 2);
}

#[tokio::test]
async fn period_and_cancellation_come_from_stripe() {
    let (stage, billing) = (Stage::new().await, Billing::new().await);
    let billed = billing.organization(&stage).await;
    let path = format!("/v1/subscriptions/{}", billed.subscription);
    let form = [("cancel_at_period_end".to_owned(), "true".to_owned())];
    let object: Value = billing.stripe.post(&path, &form, "cancel").await.expect("an update");
    let item = &object["items"]["data"][0];

    acknowledged(&stage, &billing, &newest(&billing, &billed.subscription).await).await;
    let row = row(&stage, &billed.organization).await;
    assert!(row.cancel_at_period_end);
    assert_eq!(row.current_period_start, item["current_period_start"].as_i64());
    assert_eq!(row.current_period_end, item["current_period_end"].as_i64());
    assert!(row.current_period_start < row.current_period_end);
    assert_eq!(row.subscription_status.as_deref(), Some("active"));
}

#[tokio::test]
async fn who_cancels_in_the_portal_is_told_of_the_end() {
    let (stage, billing) = (Stage::new().await, Billing::new().await);
    let billed = billing.organization(&stage).await;
    billing.cancel_in_portal(&billed.subscription).await;
    let event = newest(&billing, &billed.subscription).await;
    assert_eq!(event["data"]["object"]["cancel_at_period_end"], false, "flexible billing mode");
    acknowledged(&stage, &billing, &event).await;
    assert!(row(&stage, &billed.organization).await.cancel_at_period_end);

    // An end in a later period is none of this one.
    let path = format!("/v1/subscriptions/{}", billed.subscription);
    let end = event["data"]["object"]["cancel_at"].as_i64().expect("a time") + 1;
    let form = [("cancel_at".to_owned(), end.to_string())];
    let _: Value = billing.stripe.post(&path, &form, "later").await.expect("an update");
    acknowledged(&stage, &billing, &newest(&billing, &billed.subscription).await).await;
    assert!(!row(&stage, &billed.organization).await.cancel_at_period_end);
}

#[tokio::test]
async fn events_in_any_order_and_any_number_end_at_what_stripe_has() {
    use SubscriptionStatus::{Active, PastDue, Paused};
    let (stage, billing) = (Stage::new().await, Billing::new().await);
    let billed = billing.organization(&stage).await;
    for status in [PastDue, Active, Paused, Active, Paused] {
        billing.set_status(&billed.subscription, status).await;
    }
    let events = billing.events(&billed.subscription).await;
    let kinds: Vec<_> = events.iter().filter_map(|event| event["type"].as_str()).collect();
    assert!(kinds.contains(&"customer.subscription.resumed"), "{kinds:?}");
    let twice = events.iter().chain(&events);
    for event in events.iter().rev().chain(twice) {
        acknowledged(&stage, &billing, event).await;
        assert_eq!(status(&stage, &billed).await, "paused");
    }
    assert_eq!(create(&stage, &billed).await, no_billing());
}

#[tokio::test]
async fn past_due_takes_seats_for_the_time_of_grace() {
    let (stage, billing) = (Stage::new().await, Billing::new().await);
    let billed = billing.organization(&stage).await;
    let days = |days: i64| SignedDuration::from_hours(24 * days);
    let second = SignedDuration::from_secs(1);
    becomes(&stage, &billing, &billed, SubscriptionStatus::PastDue).await;
    assert_eq!(create(&stage, &billed).await, CREATED);

    stage.ports.advance(days(7) - second);
    // Said again, it is as late as it was.
    acknowledged(&stage, &billing, &newest(&billing, &billed.subscription).await).await;
    assert_eq!(create(&stage, &billed).await, CREATED);
    stage.ports.advance(second);
    assert_eq!(create(&stage, &billed).await, no_billing());
    acknowledged(&stage, &billing, &newest(&billing, &billed.subscription).await).await;
    assert_eq!(create(&stage, &billed).await, no_billing());

    // Paid; and the next time there is a grace again.
    becomes(&stage, &billing, &billed, SubscriptionStatus::Active).await;
    assert_eq!(stage.items_with("past_due_since").await, 0);
    assert_eq!(create(&stage, &billed).await, CREATED);
    becomes(&stage, &billing, &billed, SubscriptionStatus::PastDue).await;
    assert_eq!(create(&stage, &billed).await, CREATED);
}

#[tokio::test]
async fn while_collection_is_paused_no_seats_are_added_though_the_status_is_active() {
    let (stage, billing) = (Stage::new().await, Billing::new().await);
    let billed = billing.organization(&stage).await;
    for behavior in ["keep_as_draft", "mark_uncollectible", "void"] {
        billing.pause_collection(&billed.subscription, behavior).await;
        acknowledged(&stage, &billing, &newest(&billing, &billed.subscription).await).await;
        assert_eq!(status(&stage, &billed).await, "active");
        assert_eq!(create(&stage, &billed).await, no_billing(), "{behavior}");
    }
    billing.pause_collection(&billed.subscription, "").await;
    acknowledged(&stage, &billing, &newest(&billing, &billed.subscription).await).await;
    assert_eq!(stage.items_with("collection_paused").await, 0);
    assert_eq!(create(&stage, &billed).await, CREATED);
}

#[tokio::test]
async fn a_thin_event_is_followed_by_asking() {
    let (stage, billing) = (Stage::new().await, Billing::new().await);
    let billed = billing.organization(&stage).await;
    billing.set_status(&billed.subscription, SubscriptionStatus::Unpaid).await;
    let id = &billed.subscription;
    let thin = json!({
        "id": "evt_test_65R9Ijk8dKEYZcXeRWn16R9A7j1FSQ3w3TGDPLLGSM4CW0",
        "object": "v2.core.event",
        "type": "v1.customer.subscription.updated",
        "livemode": false,
        "created": "2026-02-03T18:12:47.000Z",
        "related_object": {"id": id, "type": "subscription", "url": format!("/v1/subscriptions/{id}")},
    });
    acknowledged(&stage, &billing, &thin).await;
    assert_eq!(status(&stage, &billed).await, "unpaid");
}

#[tokio::test]
async fn who_deletes_the_customer_ends_the_subscription() {
    let (stage, billing) = (Stage::new().await, Billing::new().await);
    let billed = billing.organization(&stage).await;
    let subscription: serde_json::Value = billing
        .stripe
        .get(&format!("/v1/subscriptions/{}", billed.subscription), &[])
        .await
        .expect("there");
    let customer = subscription["customer"].as_str().expect("a customer");
    let deleted = reqwest::Client::new()
        .delete(format!("{}/v1/customers/{customer}", billing.base))
        .bearer_auth(headcount_tests::billing::STRIPE_KEY)
        .send()
        .await;
    assert!(deleted.expect("the stand-in answers").status().is_success());
    acknowledged(&stage, &billing, &newest(&billing, &billed.subscription).await).await;
    assert_eq!(status(&stage, &billed).await, "canceled");
    assert_eq!(create(&stage, &billed).await, no_billing());
}

#[tokio::test]
async fn a_policy_decides_which_states_take_seats() {
    let (stage, billing) = (Stage::new().await, Billing::new().await);
    let billed = billing.organization(&stage).await;
    billing.pause_collection(&billed.subscription, "void").await;
    becomes(&stage, &billing, &billed, SubscriptionStatus::Unpaid).await;
    let create = async |states: &str| {
        let policy = headcount_model::policy::BillingPolicy::new(states, 7).expect("a policy");
        let function = create_seats::Function { policy, ..stage.create_seats() };
        let call = Call::json(&json!({"accounts": [{"tier": "basic"}]})).bearer(&billed.api_key);
        call.send(&function).await.status
    };
    assert_eq!(create("unpaid,collection_paused").await, 200);
    assert_eq!(create("unpaid").await, 402);
    assert_eq!(create("active,trialing,past_due,collection_paused").await, 402);
}

#[tokio::test]
async fn past_due_since_nobody_knows_when_takes_seats() {
    let stage = Stage::new().await;
    let organization = stage.organization(Some(SubscriptionStatus::Active), 1).await;
    let past_due = aws_sdk_dynamodb::types::AttributeValue::S("past_due".to_owned());
    stage.set(&format!("ORG#{organization}"), "BILLING", "subscription_status", past_due).await;
    let api_key = stage.api_key(&organization).await;
    let billed = Billed { organization, api_key, subscription: String::new() };
    assert_eq!(create(&stage, &billed).await, CREATED);
    let full = (409, json!("seat_limit_reached"));
    assert_eq!(create(&stage, &billed).await, full);
}

#[tokio::test]
async fn beyond_the_grace_it_is_billing_that_is_missing_not_room() {
    let stage = Stage::new().await;
    let organization = stage.organization(Some(SubscriptionStatus::PastDue), 0).await;
    let api_key = stage.api_key(&organization).await;
    let billed = Billed { organization, api_key, subscription: String::new() };
    assert_eq!(create(&stage, &billed).await, (409, json!("seat_limit_reached")));
    stage.ports.advance(SignedDuration::from_hours(24 * 7));
    assert_eq!(create(&stage, &billed).await, no_billing());
}

#[tokio::test]
async fn a_subscription_that_stripe_no_longer_has_is_canceled() {
    let (stage, billing) = (Stage::new().await, Billing::new().await);
    let billed = billing.organization(&stage).await;
    let event = newest(&billing, &billed.subscription).await;
    billing.forget_everything().await;
    acknowledged(&stage, &billing, &event).await;
    assert_eq!(status(&stage, &billed).await, "canceled");
    assert_eq!(create(&stage, &billed).await, no_billing());
}

// ------------------------------------------------------------------------------ Not ours

#[tokio::test]
async fn what_is_not_ours_is_acknowledged_and_changes_nothing() {
    let (stage, billing) = (Stage::new().await, Billing::new().await);
    let billed = billing.organization(&stage).await;
    let other = billing.organization(&stage).await;
    billing.set_status(&other.subscription, SubscriptionStatus::Paused).await;
    let before = stage.items().await;

    let with_organization = |mut event: Value, organization: Value| {
        event["data"]["object"]["metadata"]["organization"] = organization;
        event
    };
    let event = newest(&billing, &other.subscription).await;
    let nobody = OrganizationId::new(&stage.ports, &stage.ports).expect("entropy");
    let foreign = [
        // Another kind of event.
        serde_json::from_str(ANOTHER).expect("JSON"),
        // Another organization's subscription under our name.
        with_organization(event.clone(), json!(billed.organization.as_str())),
        // An organization that there is none.
        with_organization(event.clone(), json!(nobody.as_str())),
        // A subscription that Stripe does not have and that names nobody.
        json!({"id": "evt_1", "type": "customer.subscription.updated",
               "data": {"object": {"id": "sub_nowhere", "metadata": {}}}}),
    ];
    for event in &foreign {
        acknowledged(&stage, &billing, event).await;
    }
    let mut after = stage.items().await;
    after.retain(|item| !before.contains(item));
    assert_eq!(after, []);

    // Without a name in the event, or with one that is no id of ours, Stripe is asked for it.
    let (subscription, nameless) = (&other, with_organization(event, json!("acme")));
    acknowledged(&stage, &billing, &nameless).await;
    assert_eq!(status(&stage, subscription).await, "paused");
}

#[tokio::test]
async fn the_subscription_of_before_has_no_say() {
    let (stage, billing) = (Stage::new().await, Billing::new().await);
    let billed = billing.organization(&stage).await;
    let pk = format!("ORG#{}", billed.organization);
    let newer = aws_sdk_dynamodb::types::AttributeValue::S("sub_newer".to_owned());
    stage.set(&pk, "BILLING", "stripe_subscription", newer).await;
    becomes(&stage, &billing, &billed, SubscriptionStatus::Canceled).await;
    assert_eq!(status(&stage, &billed).await, "active");
}

// ------------------------------------------------------------------------------ Faults

fn unavailable(reply: &Reply) {
    assert_eq!((reply.status, reply.header("retry-after")), (503, "1"), "{}", reply.text);
    let message = reply.json()["error"]["message"].clone();
    assert!(message.is_string(), "{message}");
}

#[tokio::test]
async fn while_stripe_cannot_be_asked_the_event_has_to_come_again() {
    let (stage, billing) = (Stage::new().await, Billing::new().await);
    let billed = billing.organization(&stage).await;
    billing.set_status(&billed.subscription, SubscriptionStatus::Paused).await;
    let event = newest(&billing, &billed.subscription).await;
    for kind in ["429", "lock_timeout", "500", "500_before", "cut_before", "cut_after"] {
        let fault = json!({"kind": kind, "method": "GET", "path_prefix": "/v1/subscriptions/",
                           "per_mille": 1000});
        billing.fault(&fault).await;
        unavailable(&deliver(&stage, &billing, &event).await);
        assert_eq!(status(&stage, &billed).await, "active", "{kind}");
        billing.heal().await;
    }
    // A key that is not Stripe's does not make a subscription disappear.
    let mut function = billing.webhook(&stage);
    function.stripe = Stripe::new(&billing.base, "revoked".into()).expect("a client");
    unavailable(&signed(&stage, &event.to_string()).send(&function).await);
    assert_eq!(status(&stage, &billed).await, "active");

    acknowledged(&stage, &billing, &event).await;
    assert_eq!(status(&stage, &billed).await, "paused");
}

/// A ledger that does not answer, or does when it is read and then says that it was overtaken.
struct Broken {
    linked: Option<LinkedSubscription>,
}

impl SubscriptionLedger for Broken {
    async fn linked(
        &self,
        _: &OrganizationId,
    ) -> Result<Option<LinkedSubscription>, LedgerUnavailable> {
        self.linked.clone().map(Some).ok_or(LedgerUnavailable("it is on fire".to_owned()))
    }

    async fn record_standing(
        &self,
        _: &OrganizationId,
        _: &LinkedSubscription,
        _: &Standing,
        _: Timestamp,
    ) -> Result<Recorded, LedgerUnavailable> {
        Ok(Recorded::Overtaken)
    }
}

#[tokio::test]
async fn a_record_that_counts_no_writes_yet_is_written_too() {
    let (stage, billing) = (Stage::new().await, Billing::new().await);
    let billed = billing.organization(&stage).await;
    // As records were before their writes were counted.
    stage.remove(&format!("ORG#{}", billed.organization), "BILLING", "status_version").await;
    becomes(&stage, &billing, &billed, SubscriptionStatus::Paused).await;
    let row = row(&stage, &billed.organization).await;
    assert_eq!(row.subscription_status.as_deref(), Some("paused"));
    assert_eq!(row.status_version, 1);
}

#[tokio::test]
async fn while_the_table_cannot_be_written_the_event_has_to_come_again() {
    let (stage, billing) = (Stage::new().await, Billing::new().await);
    let billed = billing.organization(&stage).await;
    let event = newest(&billing, &billed.subscription).await.to_string();
    let subscription = billed.subscription.clone();
    let overtaken = LinkedSubscription { subscription, status_version: 0 };
    for linked in [None, Some(overtaken)] {
        let function = Webhook {
            ledger: Broken { linked },
            stripe: billing.stripe.clone(),
            signatures: SignatureCheck::new(SecretText::of(SIGNING_SECRET)),
            ports: stage.ports.clone(),
        };
        let reply = signed(&stage, &event).send(&function).await;
        unavailable(&reply);
        assert!(!reply.text.contains("fire"), "no internals: {}", reply.text);
    }
}

// ------------------------------------------------------------------------------ Races

/// Between asking Stripe and writing, once: the subscription changes, and another delivery may
/// tell of it from beginning to end.
struct Meanwhile<'t> {
    stage: &'t Stage,
    billing: &'t Billing,
    subscription: &'t str,
    becomes: SubscriptionStatus,
    is_told: bool,
    happened: AtomicBool,
}

impl Meanwhile<'_> {
    async fn happen(&self) {
        if self.happened.swap(true, Ordering::SeqCst) {
            return;
        }
        self.billing.set_status(self.subscription, self.becomes).await;
        if self.is_told {
            let event = newest(self.billing, self.subscription).await;
            acknowledged(self.stage, self.billing, &event).await;
        }
    }

    fn function(self) -> Webhook<Self> {
        let Webhook { stripe, signatures, ports, .. } = self.billing.webhook(self.stage);
        Webhook { ledger: self, stripe, signatures, ports }
    }
}

impl SubscriptionLedger for Meanwhile<'_> {
    async fn linked(
        &self,
        organization: &OrganizationId,
    ) -> Result<Option<LinkedSubscription>, LedgerUnavailable> {
        self.stage.table.linked(organization).await
    }

    async fn record_standing(
        &self,
        organization: &OrganizationId,
        linked: &LinkedSubscription,
        standing: &Standing,
        now: Timestamp,
    ) -> Result<Recorded, LedgerUnavailable> {
        self.happen().await;
        self.stage.table.record_standing(organization, linked, standing, now).await
    }
}

#[tokio::test]
async fn an_answer_of_stripe_that_is_too_old_is_not_written_over_a_newer_one() {
    use SubscriptionStatus::{Active, Canceled, Paused};
    // In the last case the newer answer is what the record said all along.
    for (was, becomes) in [(Active, Paused), (Active, Canceled), (Paused, Active)] {
        let (stage, billing) = (Stage::new().await, Billing::new().await);
        let billed = billing.organization(&stage).await;
        billing.set_status(&billed.subscription, was).await;
        let first = newest(&billing, &billed.subscription).await.to_string();
        let function = Meanwhile {
            stage: &stage,
            billing: &billing,
            subscription: &billed.subscription,
            becomes,
            is_told: true,
            happened: AtomicBool::new(false),
        }
        .function();
        let reply = signed(&stage, &first).send(&function).await;
        assert_eq!(reply.text, RECEIVED);
        assert_eq!(status(&stage, &billed).await, becomes.as_str());
        let row = row(&stage, &billed.organization).await;
        assert_eq!(row.status_version, 2, "each delivery has written once");
        assert_eq!(billing.subscription_reads().await, 3, "the first has asked twice");
    }
}

#[tokio::test]
async fn a_change_between_read_and_write_comes_with_its_own_event() {
    let (stage, billing) = (Stage::new().await, Billing::new().await);
    let billed = billing.organization(&stage).await;
    let first = newest(&billing, &billed.subscription).await.to_string();
    let function = Meanwhile {
        stage: &stage,
        billing: &billing,
        subscription: &billed.subscription,
        becomes: SubscriptionStatus::Unpaid,
        is_told: false,
        happened: AtomicBool::new(false),
    }
    .function();
    assert_eq!(signed(&stage, &first).send(&function).await.text, RECEIVED);
    assert_eq!(status(&stage, &billed).await, "active", "true when Stripe was asked");
    acknowledged(&stage, &billing, &newest(&billing, &billed.subscription).await).await;
    assert_eq!(status(&stage, &billed).await, "unpaid");
}

#[tokio::test]
async fn deliveries_at_once_end_at_what_stripe_has() {
    use SubscriptionStatus::{Active, PastDue, Paused, Unpaid};
    let (stage, billing) = (Stage::new().await, Billing::new().await);
    let billed = billing.organization(&stage).await;
    let changes = [PastDue, Unpaid, Active, Paused, Unpaid, Paused, PastDue, Paused];
    let (stage, billing, billed) = (&stage, &billing, &billed);
    let delivered = changes.map(|status| async move {
        billing.set_status(&billed.subscription, status).await;
        let event = newest(billing, &billed.subscription).await;
        // As Stripe does with what is not acknowledged.
        while deliver(stage, billing, &event).await.status != 200 {}
    });
    join_all(delivered).await;
    let path = format!("/v1/subscriptions/{}", billed.subscription);
    let object: Value = billing.stripe.get(&path, &[]).await.expect("a subscription");
    assert_eq!(Some(status(stage, billed).await.as_str()), object["status"].as_str());
}

// ------------------------------------------------------------------------------ Rights

#[tokio::test]
async fn it_needs_no_more_of_the_table_than_its_role_allows() {
    let (stage, billing) = (Stage::new().await, Billing::new().await);
    let billed = billing.organization(&stage).await;
    billing.set_status(&billed.subscription, SubscriptionStatus::PastDue).await;
    let event = newest(&billing, &billed.subscription).await;
    stage.operations.take();
    acknowledged(&stage, &billing, &event).await;
    assert_eq!(stage.operations.take(), ["GetItem", "UpdateItem"]);
}

// ------------------------------------------------------------------------------ Samples

#[tokio::test]
async fn the_sample_events_are_what_they_are_called() {
    let (stage, billing) = (Stage::new().await, Billing::new().await);
    let organization = OrganizationId::parse("org_01kgjb9z8rd3m0acme00000000").expect("an id");
    let link = StripeLink {
        customer: "cus_demo".to_owned(),
        subscription: "sub_demo".to_owned(),
        standing: SubscriptionStatus::Active.into(),
    };
    let name = Text::line("Acme", 1..=255).expect("a name");
    let made = stage.table.create_organization(&organization, &name, Some(&link), up_to(100)).await;
    made.expect("an organization");

    let function = billing.webhook(&stage);
    let recorded = include_str!("events/stripe-webhook/recorded.json");
    assert_eq!(sample(&function, recorded).await.text, RECEIVED);
    // The stand-in has no such subscription.
    let status = row(&stage, &organization).await.subscription_status;
    assert_eq!(status.as_deref(), Some("canceled"));
    let wrong = include_str!("events/stripe-webhook/wrong-signature.json");
    refused(&sample(&function, wrong).await, WRONG);
}

async fn sample(endpoint: &impl Endpoint, event: &str) -> Reply {
    let event = serde_json::from_str(event).expect("JSON");
    Reply::to_event(endpoint, &event).await
}
