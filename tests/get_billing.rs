//! get-billing on the real store.

#![allow(clippy::expect_used)] // A test that cannot be set up has to say so loudly.

use aws_sdk_dynamodb::types::AttributeValue;
use headcount_model::billing::{BillingError, BillingLedger, SubscriptionStatus};
use headcount_model::credential::{Holder, Permission};
use headcount_model::id::OrganizationId;
use headcount_model::port::Clock;
use headcount_tests::billing::{Billing, reached};
use headcount_tests::{Call, Reply, Stage, bad_credentials};
use serde_json::{Value, json};

async fn get(stage: &Stage, key: &str) -> Reply {
    Call::empty().bearer(key).send(&stage.get_billing()).await
}

async fn data(stage: &Stage, key: &str) -> Value {
    let reply = get(stage, key).await;
    assert_eq!(reply.status, 200, "{}", reply.text);
    reply.json()["data"].clone()
}

async fn create(stage: &Stage, key: &str, body: &Value) {
    let reply = Call::json(body).bearer(key).send(&stage.create_seats()).await;
    assert_eq!(reply.status, 200, "{}", reply.text);
}

async fn set(stage: &Stage, organization: &OrganizationId, name: &str, value: AttributeValue) {
    stage.set(&format!("ORG#{organization}"), "BILLING", name, value).await;
}

#[tokio::test]
async fn the_whole_answer() {
    let stage = Stage::new().await;
    let (organization, key) = stage.seats_tenant().await;
    let number = |n: i64| AttributeValue::N(n.to_string());
    set(&stage, &organization, "current_period_start", number(1_770_142_367)).await;
    set(&stage, &organization, "current_period_end", number(1_772_561_567)).await;
    set(&stage, &organization, "cancel_at_period_end", AttributeValue::Bool(true)).await;
    let accounts = json!([{"tier": "basic"}, {"tier": "premium"}, {"tier": "basic"}]);
    create(&stage, &key, &json!({ "accounts": accounts })).await;

    let reply = get(&stage, &key).await;
    assert_eq!(reply.header("content-type"), "application/json");
    assert_eq!(
        (reply.status, reply.json()),
        (
            200,
            json!({
                "ok": true,
                "code": 200,
                "message": "Success",
                "data": {
                    "billing_id": format!("cus_{organization}"),
                    "subscription": {
                        "status": "active",
                        "cancel_at_period_end": true,
                        "current_period_start": "2026-02-03T18:12:47.000Z",
                        "current_period_end": "2026-03-03T18:12:47.000Z",
                        "slots": {"basic": 2, "premium": 1},
                    },
                    "orgs": [{"id": organization.as_str(), "name": "Acme"}],
                    "billable": {
                        "takes_seats": true,
                        "because": null,
                        "states": ["active", "trialing", "past_due"],
                        "past_due_grace_days": 7,
                    },
                    "sync": {"state": "pending", "version": 1, "applied_version": 0, "error": null},
                },
            })
        )
    );
}

#[tokio::test]
async fn it_makes_one_call_besides_the_credential() {
    let stage = Stage::new().await;
    let (_, key) = stage.seats_tenant().await;
    stage.operations.take();
    data(&stage, &key).await;
    assert_eq!(stage.operations.take(), ["GetItem", "Query"]);
    data(&stage, &key).await;
    assert_eq!(stage.operations.take(), ["Query"], "the credential is remembered");
}

#[tokio::test]
async fn the_state_follows_what_stripe_was_told() {
    let (stage, billing) = (Stage::new().await, Billing::new().await);
    let billed = billing.organization(&stage).await;
    let sync = async || data(&stage, &billed.api_key).await["sync"].clone();
    let synced = |version: u64| json!({"state": "synced", "version": version, "applied_version": version, "error": null});
    assert_eq!(sync().await, synced(0));
    create(&stage, &billed.api_key, &json!({"accounts": [{"tier": "basic"}]})).await;
    assert_eq!(sync().await["state"], "pending");

    let now = stage.ports.now();
    // What is the operator's own affair, with ids and words of Stripe, is told to the operator alone.
    let told = [
        ("card_declined", "The payment method was declined."),
        ("price_missing", "The change could not be billed yet. The operator has been told."),
    ];
    for (code, message) in told {
        let words = "No such price: 'price_1Pgc6t'; a similar object exists in test mode";
        let error =
            BillingError { code: code.to_owned(), message: words.to_owned(), request_id: None };
        let recorded = stage.table.record_failure(&billed.organization, None, &error, now).await;
        recorded.expect("the table answers");
        let code = if code == "price_missing" { "billing_failed" } else { code };
        let told = json!({"code": code, "message": message});
        assert_eq!(
            sync().await,
            json!({"state": "failed", "version": 1, "applied_version": 0, "error": told})
        );
    }

    let batch = headcount_tests::billing::batch([reached(&billed.organization, 1)]);
    billing.sync(&stage).handle(batch).await.expect("every message has an id");
    assert_eq!(sync().await, synced(1));
}

#[tokio::test]
async fn a_subscription_is_shown_in_every_status() {
    let stage = Stage::new().await;
    for status in SubscriptionStatus::ALL {
        let organization = stage.organization(Some(status), 10).await;
        let key = stage.api_key(&organization).await;
        let subscription = data(&stage, &key).await["subscription"].clone();
        assert_eq!(subscription["status"], status.as_str());
        assert_eq!(subscription["current_period_start"], Value::Null, "not told yet");
    }
}

#[tokio::test]
async fn without_a_subscription_nothing_is_billed() {
    let stage = Stage::new().await;
    let organization = stage.organization(None, 10).await;
    let billing = data(&stage, &stage.api_key(&organization).await).await;
    assert_eq!((&billing["billing_id"], &billing["subscription"]), (&Value::Null, &Value::Null));
    assert_eq!(billing["orgs"], json!([{"id": organization.as_str(), "name": "Acme"}]));
    assert_eq!(billing["billable"]["takes_seats"], json!(false));
}

#[tokio::test]
async fn it_says_why_no_seats_can_be_added() {
    let stage = Stage::new().await;
    let expected = [
        (SubscriptionStatus::Trialing, json!(null)),
        (SubscriptionStatus::Unpaid, json!("unpaid")),
        (SubscriptionStatus::PastDue, json!(null)),
    ];
    for (status, because) in expected {
        let organization = stage.organization(Some(status), 10).await;
        let key = stage.api_key(&organization).await;
        let billable = data(&stage, &key).await["billable"].clone();
        assert_eq!(billable["because"], because);
        assert_eq!(billable["takes_seats"], json!(because.is_null()));
        if because.is_null() {
            set(&stage, &organization, "collection_paused", AttributeValue::Bool(true)).await;
            let billable = data(&stage, &key).await["billable"].clone();
            assert_eq!(billable["because"], "collection_paused");
        }
    }
}

#[tokio::test]
async fn either_permission_will_do_and_none_will_not() {
    let stage = Stage::new().await;
    let (organization, _) = stage.seats_tenant().await;
    let holder = Holder::Organization(organization);
    for permission in [Permission::BillingRead, Permission::AccountsCreate] {
        let key = stage.credential(holder.clone(), &[permission]).await;
        data(&stage, &key).await;
    }
    let key = stage.credential(holder, &[Permission::AgencyCreateAccounts]).await;
    let reply = get(&stage, &key).await;
    assert_eq!((reply.status, &reply.json()["error"]), (403, &json!("forbidden")));
    assert!(reply.text.contains("billing:read"), "{}", reply.text);
}

#[tokio::test]
async fn every_bad_credential_has_one_answer() {
    let stage = Stage::new().await;
    let (organization, _) = stage.seats_tenant().await;
    let holder = Holder::Organization(organization);
    let bad = bad_credentials(&stage, &holder, Permission::BillingRead).await;
    let none = Call::empty().send(&stage.get_billing()).await;
    assert_eq!((none.status, &none.json()["error"]), (401, &json!("unauthorized")));
    for (what, header) in bad {
        let call = Call::empty().header("authorization", &header);
        let reply = call.send(&stage.get_billing()).await;
        assert_eq!((reply.status, &reply.text), (401, &none.text), "{what}");
    }
    let stranger = stage.administrator().await;
    assert_eq!(get(&stage, &stranger).await.text, none.text, "a credential of another API");
}
