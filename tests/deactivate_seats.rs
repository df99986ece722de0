//! `POST /billing/deactivate`: what goes in, what comes out, and what is kept of it.

use std::collections::BTreeMap;

use aws_sdk_dynamodb::types::AttributeValue;
use deactivate_seats::Function;
use headcount_model::billing::SubscriptionStatus;
use headcount_model::credential::{Holder, Permission};
use headcount_model::id::OrganizationId;
use headcount_model::seats::SeatsEnd;
use headcount_store::Table;
use headcount_tests::{Call, Item, Ports, Reply, Stage, bad_credentials, text_of, transport};
use jiff::SignedDuration;
use serde_json::{Value, json};

/// An organization that is billed, an API key of it, and the function.
struct Bench {
    stage: Stage,
    function: Function<Table, Ports>,
    organization: OrganizationId,
    api_key: String,
}

impl Bench {
    async fn new() -> Self {
        let stage = Stage::new().await;
        let (organization, api_key) = stage.seats_tenant().await;
        Self { function: stage.deactivate_seats(), organization, api_key, stage }
    }

    /// The ids of new seats, with usernames where they are premium.
    async fn create(&self, basic: usize, premium: usize) -> Vec<String> {
        let mut accounts = vec![json!({"tier": "basic", "tag": "spring"}); basic];
        accounts.extend((0..premium).map(|n| {
            json!({
                "tier": "premium", "platform": "tiktok", "username": format!("u{n}"),
                "pfp_url": "https://example.com/a.jpg", "keywords": "a",
            })
        }));
        let call = Call::json(&json!({ "accounts": accounts })).bearer(&self.api_key);
        let reply = call.send(&self.stage.create_seats()).await;
        assert_eq!(reply.status, 200, "{}", reply.text);
        let accounts = reply.json()["data"]["accounts"].as_array().expect("a list").clone();
        let id = |account: &Value| account["id"].as_str().expect("an id").to_owned();
        accounts.iter().map(id).collect()
    }

    fn call(&self, body: &Value) -> Call {
        Call::json(body).bearer(&self.api_key)
    }

    async fn send(&self, call: &Call) -> Reply {
        let reply = call.send(&self.function).await;
        assert_eq!(reply.header("content-type"), "application/json");
        assert_eq!(reply.header("x-request-id"), "request-1");
        reply
    }

    async fn deactivate(&self, body: &Value) -> Reply {
        self.send(&self.call(body)).await
    }

    /// Sends a call that has to be refused, and to leave the table as it was.
    async fn refuses(&self, call: &Call, status: u64, error: &str) -> Reply {
        let before = self.snapshot().await;
        let reply = self.send(call).await;
        let body = reply.json();
        assert_eq!((reply.status, &body["error"]), (status, &json!(error)), "{}", reply.text);
        assert_eq!((&body["ok"], &body["code"]), (&json!(false), &json!(status)));
        assert_eq!(self.snapshot().await, before, "the table changed: {}", reply.text);
        reply
    }

    /// Every item of the table by its key.
    async fn snapshot(&self) -> BTreeMap<(String, String), Item> {
        let items = self.stage.items().await.into_iter();
        let part = |item: &Item, name| text_of(item, name).expect("a key").to_owned();
        items.map(|item| ((part(&item, "pk"), part(&item, "sk")), item)).collect()
    }

    /// The items of the organization whose sort key begins with `prefix`, in their order.
    async fn items(&self, prefix: &str) -> Vec<Item> {
        let pk = format!("ORG#{}", self.organization);
        let items = self.snapshot().await.into_iter();
        let own = items.filter(|((of, sk), _)| *of == pk && sk.starts_with(prefix));
        own.map(|(_, item)| item).collect()
    }

    async fn seat(&self, id: &str) -> Item {
        self.items(&format!("SEAT#{id}")).await.remove(0)
    }

    /// An organization whose seats end with a period that began now and takes four weeks.
    async fn by_period() -> Self {
        let bench = Self::new().await;
        bench.set_seats_end(SeatsEnd::PeriodEnd).await;
        bench.set_period(0, 28 * DAY).await;
        bench
    }

    async fn set_seats_end(&self, setting: SeatsEnd) {
        let set = self.stage.table.set_seats_end(&self.organization, setting).await;
        set.expect("an organization");
    }

    /// Begin and end of the billing period, in seconds from the moment at which the tests begin.
    async fn set_period(&self, start: i64, end: i64) {
        let pk = format!("ORG#{}", self.organization);
        for (name, seconds) in [("current_period_start", start), ("current_period_end", end)] {
            let value = AttributeValue::N((BEGIN + seconds).to_string());
            self.stage.set(&pk, "BILLING", name, value).await;
        }
    }

    fn advance(&self, seconds: i64) {
        self.stage.ports.advance(SignedDuration::from_secs(seconds));
    }

    async fn revoke(&self, body: &Value) -> Reply {
        let mut body = body.clone();
        body["revoke"] = json!(true);
        self.deactivate(&body).await
    }

    /// When a seat is to end, as the table has it, and its version.
    async fn mark(&self, id: &str) -> (Option<String>, String) {
        let seat = self.seat(id).await;
        (text_of(&seat, "ends_at").map(str::to_owned), number_of(&seat, "version").to_owned())
    }

    /// Basic and premium seats that are counted, and the version of the record.
    async fn count(&self) -> (u64, u64, u64) {
        let (_, basic, premium, version) = self.stage.seats(&self.organization).await;
        (basic, premium, version)
    }

    async fn billing(&self, name: &str) -> String {
        let record = self.items("BILLING").await.remove(0);
        number_of(&record, name).to_owned()
    }
}

/// 2026-02-03T18:12:47Z, in Unix seconds.
const BEGIN: i64 = 1_770_142_367;
const HOUR: i64 = 60 * 60;
const DAY: i64 = 24 * HOUR;
/// Six hours before four weeks after that.
const ENDS_AT: &str = "2026-03-03T12:12:47.000Z";

fn number_of<'i>(item: &'i Item, name: &str) -> &'i str {
    let number = item.get(name).and_then(|value| value.as_n().ok());
    number.map(String::as_str).unwrap_or_default()
}

fn texts(item: &Item, name: &str) -> Vec<String> {
    let list = item.get(name).and_then(|value| value.as_l().ok()).expect("a list");
    list.iter().map(|value| value.as_s().expect("text").clone()).collect()
}

fn faults(reply: &Reply) -> Vec<(String, String)> {
    let errors = reply.json()["errors"].as_array().expect("a list").clone();
    let text = |error: &Value, name: &str| error[name].as_str().expect("text").to_owned();
    errors.iter().map(|error| (text(error, "field"), text(error, "rule"))).collect()
}

fn named<const N: usize>(faults: [(&str, &str); N]) -> Vec<(String, String)> {
    faults.map(|(field, rule)| (field.to_owned(), rule.to_owned())).to_vec()
}

#[tokio::test]
async fn one_account_is_given_back() {
    let bench = Bench::new().await;
    let ids = bench.create(1, 1).await;
    let (seats_left, cents_left) =
        (bench.billing("seats_left").await, bench.billing("cents_left").await);
    let reply = bench.deactivate(&json!({"account_id": ids[1]})).await;
    assert_eq!(
        (reply.status, reply.json()),
        (
            200,
            json!({
                "ok": true,
                "code": 200,
                "message": "Success",
                "data": {
                    "message": "Account deactivated and billing updated",
                    "account_id": ids[1],
                },
            })
        )
    );
    assert_eq!(bench.count().await, (1, 0, 2));
    assert_eq!(bench.billing("fewer_version").await, "2");
    let left =
        |before: String, more: i64| (before.parse::<i64>().expect("a number") + more).to_string();
    assert_eq!(bench.billing("seats_left").await, left(seats_left, 1));
    assert_eq!(bench.billing("cents_left").await, left(cents_left, 10_000));
    assert_eq!(bench.stage.items_with("behind_since").await, 1);

    let seat = bench.seat(&ids[1]).await;
    assert_eq!(text_of(&seat, "status"), Some("deactivated"));
    assert_eq!(number_of(&seat, "version"), "1");
    assert_eq!(text_of(&seat, "username"), Some("u0"), "it stays to be read");
    assert_eq!(text_of(&seat, "deactivated_at"), text_of(&seat, "updated_at"));
    let other = bench.seat(&ids[0]).await;
    assert_eq!(
        (text_of(&other, "status"), number_of(&other, "version")),
        (Some("uninitialized"), "")
    );
}

#[tokio::test]
async fn several_accounts_are_one_transaction() {
    let bench = Bench::new().await;
    let ids = bench.create(2, 1).await;
    bench.stage.operations.take();
    let body = json!({"account_ids": [ids[2], ids[0]]});
    let reply = bench.deactivate(&body).await;
    let data = json!({
        "message": "Deactivated 2 account(s) and billing updated",
        "account_ids": [ids[2], ids[0]],
    });
    assert_eq!((reply.status, &reply.json()["data"]), (200, &data));
    let calls = bench.stage.operations.take();
    assert_eq!(calls, ["BatchGetItem", "TransactWriteItems"]);
    assert_eq!(bench.count().await, (1, 0, 2));
}

#[tokio::test]
async fn what_is_deactivated_is_counted_down_once() {
    let bench = Bench::new().await;
    let ids = bench.create(2, 0).await;
    let one = json!({"account_id": ids[0]});
    let first = bench.deactivate(&one).await;
    let after = bench.snapshot().await;
    let again = bench.deactivate(&one).await;
    assert_eq!((again.status, &again.text), (200, &first.text));
    assert_eq!(bench.snapshot().await, after, "and nothing is written");
    // One that is, and one that is not yet.
    let both = bench.deactivate(&json!({"account_ids": ids})).await;
    assert_eq!(both.status, 200);
    assert_eq!(bench.count().await, (0, 0, 3));
    assert_eq!(number_of(&bench.seat(&ids[0]).await, "version"), "1");
}

#[tokio::test]
async fn a_username_is_free_again() {
    let bench = Bench::new().await;
    let ids = bench.create(0, 1).await;
    bench.deactivate(&json!({"account_id": ids[0]})).await;
    bench.create(0, 1).await;
    assert_eq!(bench.count().await, (0, 1, 3));
}

#[tokio::test]
async fn the_audit_says_who_did_what_and_when() {
    let bench = Bench::new().await;
    let ids = bench.create(3, 0).await;
    bench.deactivate(&json!({"account_id": ids[2]})).await;
    bench.stage.ports.advance(SignedDuration::from_secs(1));
    bench.deactivate(&json!({"account_ids": ids})).await;
    bench.stage.ports.advance(SignedDuration::from_secs(1));
    bench.deactivate(&json!({"account_ids": ids})).await;
    let audit = bench.items("AUDIT#").await;
    assert_eq!(audit.len(), 2, "what changes nothing leaves no entry");
    let credential = bench.api_key.split('_').nth(1).expect("an id");
    for (entry, objects) in audit.iter().zip([&ids[2..], &ids[..2]]) {
        assert_eq!(text_of(entry, "credential"), Some(credential));
        assert_eq!(text_of(entry, "organization"), Some(bench.organization.as_str()));
        assert_eq!(text_of(entry, "route"), Some("POST /billing/deactivate"));
        assert_eq!(text_of(entry, "request_id"), Some("request-1"));
        assert_eq!(texts(entry, "fields"), ["status"]);
        assert_eq!(texts(entry, "objects"), objects);
    }
    let at = |entry| text_of(entry, "at").expect("a time").to_owned();
    assert!(at(&audit[0]) < at(&audit[1]), "keys are in the order of time");
}

#[tokio::test]
async fn a_retry_under_a_key_has_the_first_answer() {
    let bench = Bench::new().await;
    let ids = bench.create(2, 0).await;
    let call = bench.call(&json!({"account_id": ids[0]})).key("k");
    let first = bench.send(&call).await;
    assert!(!first.is_replay());
    let after = bench.snapshot().await;
    let again = bench.send(&call).await;
    assert_eq!((again.status, &again.text, again.is_replay()), (200, &first.text, true));
    assert_eq!(bench.snapshot().await, after);
    let other = bench.call(&json!({"account_id": ids[1]})).key("k");
    bench.refuses(&other, 422, "idempotency_key_reused").await;
    // A new key for what is done already: a first answer, and nothing counted.
    let call = bench.call(&json!({"account_id": ids[0]})).key("l");
    assert!(!bench.send(&call).await.is_replay());
    assert!(bench.send(&call).await.is_replay());
    assert_eq!(bench.count().await, (1, 0, 2));
}

#[tokio::test]
async fn a_hundred_accounts_are_two_transactions_that_a_retry_completes() {
    let bench = Bench::new().await;
    let ids = bench.create(60, 40).await;
    bench.stage.operations.take();
    let call = bench.call(&json!({"account_ids": ids})).key("k");
    let first = bench.send(&call).await;
    assert_eq!((first.status, first.is_replay()), (200, false));
    let calls = bench.stage.operations.take();
    assert_eq!(calls.iter().filter(|call| *call == "TransactWriteItems").count(), 2);
    assert_eq!(bench.count().await, (0, 0, 4));
    let again = bench.send(&call).await;
    assert_eq!((&again.text, again.is_replay()), (&first.text, true));
    assert_eq!(bench.items("AUDIT#").await.len(), 2);
}

#[tokio::test]
async fn foreign_and_missing_accounts_look_the_same() {
    let bench = Bench::new().await;
    let own = bench.create(1, 0).await;
    let (_, stranger) = bench.stage.seats_tenant().await;
    let foreign = Call::json(&json!({"account_id": own[0]})).bearer(&stranger);
    let missing = bench.call(&json!({"account_id": "acc_01kgjb9z8rd3m0acme00000000"}));
    let (foreign, missing) = (
        bench.refuses(&foreign, 404, "account_not_found").await,
        bench.refuses(&missing, 404, "account_not_found").await,
    );
    assert_eq!(foreign.text, missing.text);
    assert_eq!(faults(&missing), named([("account_id", "not_found")]));

    let some = json!({"account_ids": [
        "acc_01kgjb9z8rd3m0acme00000000", own[0], "acc_01kgjb9z8rd3m0acme00000001",
    ]});
    let reply = bench.refuses(&bench.call(&some), 404, "account_not_found").await;
    let missing = named([("account_ids[0]", "not_found"), ("account_ids[2]", "not_found")]);
    assert_eq!(faults(&reply), missing);
    assert_eq!(bench.count().await, (1, 0, 1), "all or nothing");
}

#[tokio::test]
async fn every_fault_is_told_at_once() {
    let bench = Bench::new().await;
    let ids = bench.create(1, 0).await;
    let id = &ids[0];
    let refused = async |body: Value| {
        faults(&bench.refuses(&bench.call(&body), 400, "invalid_request").await)
    };
    assert_eq!(refused(json!({})).await, named([("account_id", "required")]));
    assert_eq!(refused(json!({"account_id": null})).await, named([("account_id", "required")]));
    assert_eq!(refused(json!({"account_id": 7})).await, named([("account_id", "type")]));
    assert_eq!(refused(json!({"account_id": "acc_"})).await, named([("account_id", "account_id")]));
    assert_eq!(refused(json!({"account_ids": []})).await, named([("account_ids", "count")]));
    assert_eq!(refused(json!({"account_ids": {}})).await, named([("account_ids", "type")]));
    assert_eq!(
        refused(json!({"account_ids": vec![id; 101]})).await,
        named([("account_ids", "count")])
    );
    assert_eq!(
        refused(json!({
            "status": "deactivated",
            "account_id": id,
            "account_ids": [id, id, "org_01kgjb9z8rd3m0acme00000000", null, [], id],
        }))
        .await,
        named([
            ("status", "unknown_field"),
            ("account_ids", "exclusive"),
            ("account_ids[1]", "duplicate"),
            ("account_ids[2]", "account_id"),
            ("account_ids[3]", "required"),
            ("account_ids[4]", "type"),
            ("account_ids[5]", "duplicate"),
        ])
    );
    assert_eq!(bench.count().await, (1, 0, 1));
}

#[tokio::test]
async fn only_a_key_with_the_permission_may() {
    let bench = Bench::new().await;
    let ids = bench.create(1, 0).await;
    let body = json!({"account_id": ids[0]});
    let holder = Holder::Organization(bench.organization.clone());
    let creates = bench.stage.credential(holder.clone(), &[Permission::AccountsCreate]).await;
    let reply = bench.refuses(&Call::json(&body).bearer(&creates), 403, "forbidden").await;
    let message = "This API key lacks the permission accounts:deactivate.";
    assert_eq!(reply.json()["message"], message);
    let bad = bad_credentials(&bench.stage, &holder, Permission::AccountsDeactivate).await;
    for (_, header) in bad {
        let call = Call::json(&body).header("authorization", &header);
        bench.refuses(&call, 401, "unauthorized").await;
    }
    let only = bench.stage.credential(holder, &[Permission::AccountsDeactivate]).await;
    assert_eq!(bench.send(&Call::json(&body).bearer(&only)).await.status, 200);
}

#[tokio::test]
async fn seats_can_be_given_back_whatever_the_subscription_does() {
    for status in [SubscriptionStatus::Canceled, SubscriptionStatus::Unpaid] {
        let bench = Bench::new().await;
        let ids = bench.create(1, 0).await;
        let pk = format!("ORG#{}", bench.organization);
        let status = AttributeValue::S(status.as_str().to_owned());
        bench.stage.set(&pk, "BILLING", "subscription_status", status).await;
        assert_eq!(bench.deactivate(&json!({"account_id": ids[0]})).await.status, 200);
        assert_eq!(bench.count().await, (0, 0, 2));
    }
}

#[tokio::test]
async fn an_item_with_a_version_is_changed_at_that_version() {
    let bench = Bench::new().await;
    let ids = bench.create(1, 0).await;
    let pk = format!("ORG#{}", bench.organization);
    let sk = format!("SEAT#{}", ids[0]);
    bench.stage.set(&pk, &sk, "version", AttributeValue::N("7".to_owned())).await;
    assert_eq!(bench.deactivate(&json!({"account_id": ids[0]})).await.status, 200);
    assert_eq!(number_of(&bench.seat(&ids[0]).await, "version"), "8");
}

/// A record that was lowered by hand is not lowered below zero: reconcile-billing heals it first.
#[tokio::test]
async fn a_record_that_counts_too_few_waits_to_be_healed() {
    let bench = Bench::new().await;
    let ids = bench.create(1, 0).await;
    let pk = format!("ORG#{}", bench.organization);
    bench.stage.set(&pk, "BILLING", "seats_basic", AttributeValue::N("0".to_owned())).await;
    let call = bench.call(&json!({"account_id": ids[0]}));
    let reply = bench.refuses(&call, 503, "service_unavailable").await;
    assert_eq!(reply.header("retry-after"), "1");
}

#[tokio::test]
async fn many_at_once_count_each_seat_once() {
    let bench = Bench::new().await;
    let ids = bench.create(4, 0).await;
    let calls = (0..8).map(|n| {
        let body = match n % 4 {
            0 => json!({"account_ids": ids}),
            n => json!({"account_id": ids[n]}),
        };
        let call = bench.call(&body);
        let call = if n < 4 { call } else { call.key(&format!("key-{n}")) };
        let function = bench.stage.deactivate_seats();
        async move { call.send(&function).await }
    });
    for reply in futures_util::future::join_all(calls).await {
        assert!(matches!(reply.status, 200 | 503), "{}", reply.text);
    }
    let (basic, premium, _) = bench.count().await;
    assert_eq!((basic, premium), (0, 0));
    let listed: usize =
        bench.items("AUDIT#").await.iter().map(|entry| texts(entry, "objects").len()).sum();
    assert_eq!(listed, 4);
}

#[tokio::test]
async fn transport_faults_are_worded_as_everywhere() {
    let bench = Bench::new().await;
    let ids = bench.create(1, 0).await;
    for case in transport::unreadable(&json!({"account_id": ids[0]}), 256) {
        let reply = bench.send(&case.call.bearer(&bench.api_key)).await;
        let message = &reply.json()["message"];
        assert_eq!((reply.status, message), (case.status, &json!(case.message)), "{}", case.what);
    }
    assert_eq!(bench.count().await, (1, 0, 1));
}

// ------------------------------------------------------------------- Ends with the period

fn ended_later(id: &str, ends_at: &str) -> Value {
    json!({
        "message": "Account deactivated and billing updated",
        "account_id": id,
        "ends_at": ends_at,
    })
}

#[tokio::test]
async fn a_seat_that_ends_with_the_period_is_counted_until_then() {
    let bench = Bench::by_period().await;
    let ids = bench.create(1, 1).await;
    let (record, seat) = (bench.items("BILLING").await, bench.seat(&ids[1]).await);
    bench.stage.operations.take();
    let one = json!({"account_id": ids[1]});
    let reply = bench.deactivate(&one).await;
    assert_eq!((reply.status, &reply.json()["data"]), (200, &ended_later(&ids[1], ENDS_AT)));
    assert_eq!(bench.stage.operations.take(), ["BatchGetItem", "TransactWriteItems"]);
    assert_eq!(bench.items("BILLING").await, record, "nothing is told, nothing is given away");
    let marked = bench.seat(&ids[1]).await;
    let expected = (Some("2026-03-03T12:12:47.000000Z".to_owned()), "1".to_owned());
    assert_eq!(bench.mark(&ids[1]).await, expected);
    assert_eq!(text_of(&marked, "status"), text_of(&seat, "status"));
    assert_eq!(text_of(&marked, "deactivated_at"), None);
    let audit = bench.items("AUDIT#").await;
    assert_eq!(audit.len(), 1);
    assert_eq!(
        (texts(&audit[0], "fields"), texts(&audit[0], "objects")),
        (vec!["ends_at".to_owned()], vec![ids[1].clone()])
    );
    // Later it is answered the same, and nothing changes.
    bench.advance(DAY);
    let after = bench.snapshot().await;
    assert_eq!(bench.deactivate(&one).await.text, reply.text);
    assert_eq!(bench.snapshot().await, after);
}

#[tokio::test]
async fn a_deactivation_is_revoked_until_the_seat_has_ended() {
    let bench = Bench::by_period().await;
    let ids = bench.create(2, 0).await;
    let one = json!({"account_id": ids[0]});
    bench.deactivate(&one).await;
    let reply = bench.revoke(&one).await;
    let data = json!({"message": "Deactivation revoked", "account_id": ids[0]});
    assert_eq!((reply.status, &reply.json()["data"]), (200, &data));
    assert_eq!(bench.mark(&ids[0]).await, (None, "2".to_owned()));
    assert_eq!(bench.items("AUDIT#").await.len(), 2);
    // Once more, and of one that is not to end: there is nothing to do.
    let after = bench.snapshot().await;
    assert_eq!(bench.revoke(&one).await.text, reply.text);
    let both = bench.revoke(&json!({"account_ids": ids})).await;
    let message = json!("Revoked the deactivation of 2 account(s)");
    assert_eq!((both.status, &both.json()["data"]["message"]), (200, &message));
    assert_eq!(bench.snapshot().await, after);
    // It may be given back again, and `false` is as good as nothing.
    bench.advance(DAY);
    let again = bench.deactivate(&json!({"account_id": ids[0], "revoke": false})).await;
    assert_eq!(again.json()["data"], ended_later(&ids[0], ENDS_AT));
    assert_eq!(bench.count().await, (2, 0, 1));
}

#[tokio::test]
async fn what_has_ended_cannot_be_revoked() {
    let bench = Bench::by_period().await;
    let ids = bench.create(3, 0).await;
    bench.set_seats_end(SeatsEnd::AtOnce).await;
    bench.deactivate(&json!({"account_id": ids[0]})).await;
    bench.set_seats_end(SeatsEnd::PeriodEnd).await;
    bench.deactivate(&json!({"account_id": ids[1]})).await;
    let one = bench.call(&json!({"account_id": ids[0], "revoke": true}));
    let reply = bench.refuses(&one, 409, "account_deactivated").await;
    assert_eq!(faults(&reply), named([("account_id", "deactivated")]));
    bench.refuses(&one.key("k"), 409, "account_deactivated").await;
    // All of them or none.
    let some = json!({"account_ids": [ids[1], ids[0], ids[2]], "revoke": true});
    let reply = bench.refuses(&bench.call(&some), 409, "account_deactivated").await;
    assert_eq!(faults(&reply), named([("account_ids[1]", "deactivated")]));
    // What is not there is told with it.
    let nobodys = "acc_01kgjb9z8rd3m0acme00000000";
    let some = json!({"account_ids": [ids[0], nobodys], "revoke": true});
    let reply = bench.refuses(&bench.call(&some), 404, "account_not_found").await;
    let both = named([("account_ids[0]", "deactivated"), ("account_ids[1]", "not_found")]);
    assert_eq!(faults(&reply), both);
}

#[tokio::test]
async fn what_a_revocation_was_told_it_is_told_again_though_the_seat_has_ended_since() {
    let bench = Bench::by_period().await;
    let ids = bench.create(1, 0).await;
    let one = json!({"account_id": ids[0]});
    let give_back = bench.call(&one).key("k");
    let first = bench.send(&give_back).await;
    let revoke = bench.call(&json!({"account_id": ids[0], "revoke": true})).key("l");
    let revoked = bench.send(&revoke).await;
    assert_eq!(revoked.status, 200);
    // What was done under a key before it was revoked is not done again.
    let after = bench.snapshot().await;
    let again = bench.send(&give_back).await;
    assert_eq!((&again.text, again.is_replay()), (&first.text, true));
    assert_eq!(bench.snapshot().await, after);
    let other = bench.call(&json!({"account_id": ids[0], "revoke": true})).key("k");
    bench.refuses(&other, 422, "idempotency_key_reused").await;

    bench.set_seats_end(SeatsEnd::AtOnce).await;
    bench.deactivate(&one).await;
    let again = bench.send(&revoke).await;
    assert_eq!((&again.text, again.is_replay()), (&revoked.text, true));
    let other = bench.call(&json!({"account_ids": ids, "revoke": true})).key("l");
    bench.refuses(&other, 422, "idempotency_key_reused").await;
    assert_eq!(bench.count().await, (0, 0, 2));
}

#[tokio::test]
async fn where_nothing_is_paid_for_seats_end_at_once() {
    let ends = async |bench: &Bench| {
        let ids = bench.create(1, 0).await;
        let reply = bench.deactivate(&json!({"account_id": ids[0]})).await;
        assert_eq!((reply.status, reply.json()["data"].get("ends_at")), (200, None));
        assert_eq!(text_of(&bench.seat(&ids[0]).await, "status"), Some("deactivated"));
    };
    // Stripe has told no period yet.
    let bench = Bench::new().await;
    bench.set_seats_end(SeatsEnd::PeriodEnd).await;
    ends(&bench).await;
    // It is too late for the next period to be told otherwise.
    let bench = Bench::by_period().await;
    bench.advance(28 * DAY - 6 * HOUR);
    ends(&bench).await;

    let bench = Bench::by_period().await;
    let ids = bench.create(2, 0).await;
    let pk = format!("ORG#{}", bench.organization);
    let status = AttributeValue::S("canceled".to_owned());
    bench.stage.set(&pk, "BILLING", "subscription_status", status).await;
    bench.deactivate(&json!({"account_id": ids[0]})).await;
    bench.stage.remove(&pk, "BILLING", "subscription_status").await;
    bench.stage.remove(&pk, "BILLING", "stripe_subscription").await;
    bench.deactivate(&json!({"account_id": ids[1]})).await;
    assert_eq!(bench.count().await, (0, 0, 3));
}

#[tokio::test]
async fn a_period_that_was_renewed_unheard_is_taken_for_as_long() {
    let bench = Bench::by_period().await;
    let ids = bench.create(1, 0).await;
    bench.advance(28 * DAY);
    let reply = bench.deactivate(&json!({"account_id": ids[0]})).await;
    assert_eq!(reply.json()["data"], ended_later(&ids[0], "2026-03-31T12:12:47.000Z"));
}

#[tokio::test]
async fn a_setting_holds_for_what_is_given_back_from_then_on() {
    let bench = Bench::by_period().await;
    let ids = bench.create(3, 0).await;
    let (first, all) = (json!({"account_id": ids[0]}), json!({"account_ids": ids}));
    bench.deactivate(&json!({"account_ids": [ids[0], ids[1]]})).await;
    bench.set_seats_end(SeatsEnd::AtOnce).await;
    let marked = bench.mark(&ids[0]).await;
    assert!(marked.0.is_some(), "it still ends when it was told");
    // It can be kept all the same, or given back again, which ends it now.
    assert_eq!(bench.revoke(&first).await.status, 200);
    let reply = bench.deactivate(&all).await;
    assert_eq!((reply.status, reply.json()["data"].get("ends_at")), (200, None));
    assert_eq!(bench.count().await, (0, 0, 2));
    assert_eq!(bench.mark(&ids[1]).await, (None, "2".to_owned()), "it has ended");
}

#[tokio::test]
async fn of_several_the_answer_says_when_the_last_one_ends() {
    let bench = Bench::by_period().await;
    let ids = bench.create(3, 0).await;
    bench.deactivate(&json!({"account_id": ids[0]})).await;
    // The period moves, and the one that is marked has not followed it yet.
    bench.set_period(0, 14 * DAY).await;
    let some = bench.deactivate(&json!({"account_ids": [ids[1], ids[0]]})).await;
    assert_eq!(some.json()["data"]["ends_at"], json!(ENDS_AT));
    let one = bench.deactivate(&json!({"account_id": ids[1]})).await;
    assert_eq!(one.json()["data"], ended_later(&ids[1], "2026-02-17T12:12:47.000Z"));
    // One that has ended has no say.
    bench.set_seats_end(SeatsEnd::AtOnce).await;
    bench.deactivate(&json!({"account_id": ids[0]})).await;
    bench.set_seats_end(SeatsEnd::PeriodEnd).await;
    let all = bench.deactivate(&json!({"account_ids": ids})).await;
    assert_eq!(all.json()["data"]["ends_at"], json!("2026-02-17T12:12:47.000Z"));
    let ended = bench.deactivate(&json!({"account_ids": [ids[0]]})).await;
    assert_eq!(ended.json()["data"].get("ends_at"), None);
}

#[tokio::test]
async fn a_hundred_accounts_are_marked_and_revoked_in_two_transactions() {
    let bench = Bench::by_period().await;
    let ids = bench.create(60, 40).await;
    let call = bench.call(&json!({"account_ids": ids})).key("k");
    let first = bench.send(&call).await;
    assert_eq!((first.status, &first.json()["data"]["ends_at"]), (200, &json!(ENDS_AT)));
    bench.advance(HOUR);
    let again = bench.send(&call).await;
    assert_eq!((&again.text, again.is_replay()), (&first.text, true));
    assert_eq!(bench.count().await, (60, 40, 2));
    assert_eq!(bench.stage.items_with("ends_at").await, 100);
    let revoke = bench.call(&json!({"account_ids": ids, "revoke": true})).key("l");
    let revoked = bench.send(&revoke).await;
    assert_eq!((revoked.status, revoked.is_replay()), (200, false));
    assert_eq!(bench.stage.items_with("ends_at").await, 0);
    assert_eq!(bench.items("AUDIT#").await.len(), 4);
    // One of the second part has ended since.
    bench.set_seats_end(SeatsEnd::AtOnce).await;
    bench.deactivate(&json!({"account_id": ids[99]})).await;
    let again = bench.send(&revoke).await;
    assert_eq!((&again.text, again.is_replay()), (&revoked.text, true));
}

#[tokio::test]
async fn many_that_give_back_and_revoke_at_once_leave_one_of_the_two() {
    let bench = Bench::by_period().await;
    let ids = bench.create(2, 0).await;
    let calls = (0..10).map(|n| {
        let call = bench.call(&json!({"account_ids": ids, "revoke": n % 2 == 1}));
        let function = bench.stage.deactivate_seats();
        async move { call.send(&function).await }
    });
    for reply in futures_util::future::join_all(calls).await {
        assert!(matches!(reply.status, 200 | 503), "{}", reply.text);
    }
    assert_eq!(bench.count().await, (2, 0, 1));
    let marks = [bench.mark(&ids[0]).await, bench.mark(&ids[1]).await];
    assert_eq!(marks[0], marks[1]);
}

#[tokio::test]
async fn what_an_operator_wrote_wrongly_is_no_setting() {
    let bench = Bench::by_period().await;
    let ids = bench.create(1, 0).await;
    let pk = format!("ORG#{}", bench.organization);
    let word = AttributeValue::S("never".to_owned());
    bench.stage.set(&pk, "BILLING", "seats_end", word).await;
    let call = bench.call(&json!({"account_id": ids[0]}));
    bench.refuses(&call, 503, "service_unavailable").await;
}
