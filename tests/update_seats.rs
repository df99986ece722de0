//! `POST /accounts/update-info`: what goes in, what comes out, and what is kept of it.

use std::collections::BTreeMap;

use aws_sdk_dynamodb::types::AttributeValue;
use headcount_model::credential::{Holder, Permission};
use headcount_model::id::OrganizationId;
use headcount_model::seats::SeatsEnd;
use headcount_store::Table;
use headcount_tests::{Call, Item, Ports, Reply, Stage, bad_credentials, text_of};
use serde_json::{Value, json};
use update_seats::Function;

/// An organization that is billed, an API key of it, and the function.
struct Bench {
    stage: Stage,
    function: Function<Table, Ports>,
    organization: OrganizationId,
    api_key: String,
}

const MISSING: &str = "acc_01kgjb9z8rd3m0acme00000000";

impl Bench {
    async fn new() -> Self {
        let stage = Stage::new().await;
        let (organization, _) = stage.seats_tenant().await;
        let api_key = key_of(&stage, &organization).await;
        Self { function: stage.update_seats(), organization, api_key, stage }
    }

    /// The ids of new seats; those that are premium have details.
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

    async fn update(&self, body: &Value) -> Reply {
        self.send(&self.call(body)).await
    }

    /// The results of a request that has several updates.
    async fn results(&self, updates: &Value) -> Vec<Value> {
        let reply = self.update(&json!({ "updates": updates })).await;
        assert_eq!(reply.status, 200, "{}", reply.text);
        results(&reply)
    }

    /// Sends a call that has to be refused, and to leave the table as it was.
    async fn refuses(&self, call: &Call, status: u64, error: &str) -> Reply {
        let before = self.stage.snapshot().await;
        let reply = self.send(call).await;
        let body = reply.json();
        assert_eq!((reply.status, &body["error"]), (status, &json!(error)), "{}", reply.text);
        assert_eq!((&body["ok"], &body["code"]), (&json!(false), &json!(status)));
        assert_eq!(self.stage.snapshot().await, before, "the table changed: {}", reply.text);
        reply
    }

    fn pk(&self) -> String {
        format!("ORG#{}", self.organization)
    }

    /// The items of the organization whose sort key begins with `prefix`, in their order.
    async fn items(&self, prefix: &str) -> Vec<Item> {
        let snapshot: BTreeMap<(String, String), Item> = self.stage.snapshot().await;
        let pk = self.pk();
        let own = snapshot.into_iter().filter(|((of, sk), _)| *of == pk && sk.starts_with(prefix));
        own.map(|(_, item)| item).collect()
    }

    async fn seat(&self, id: &str) -> Item {
        self.items(&format!("SEAT#{id}")).await.remove(0)
    }

    /// Basic and premium seats that are counted, and the version of the record.
    async fn count(&self) -> (u64, u64, u64) {
        let (_, basic, premium, version) = self.stage.seats(&self.organization).await;
        (basic, premium, version)
    }

    async fn billing(&self, name: &str) -> i64 {
        let record = self.items("BILLING").await.remove(0);
        number_of(&record, name).parse().expect("a number")
    }

    async fn set_billing(&self, name: &str, value: AttributeValue) {
        self.stage.set(&self.pk(), "BILLING", name, value).await;
    }

    async fn deactivate(&self, id: &str) {
        let call = self.call(&json!({ "account_id": id }));
        assert_eq!(call.send(&self.stage.deactivate_seats()).await.status, 200);
    }
}

async fn key_of(stage: &Stage, organization: &OrganizationId) -> String {
    let permissions =
        [Permission::AccountsCreate, Permission::AccountsUpdate, Permission::AccountsDeactivate];
    stage.credential(Holder::Organization(organization.clone()), &permissions).await
}

fn number_of<'i>(item: &'i Item, name: &str) -> &'i str {
    let number = item.get(name).and_then(|value| value.as_n().ok());
    number.map(String::as_str).unwrap_or_default()
}

fn texts(item: &Item, name: &str) -> Vec<String> {
    let list = item.get(name).and_then(|value| value.as_l().ok()).expect("a list");
    list.iter().map(|value| value.as_s().expect("text").clone()).collect()
}

fn results(reply: &Reply) -> Vec<Value> {
    reply.json()["data"]["results"].as_array().expect("a list").clone()
}

/// Field and rule of each fault.
fn faults(body: &Value) -> Vec<(String, String)> {
    let errors = body["errors"].as_array().expect("a list");
    let text = |error: &Value, name: &str| error[name].as_str().expect("text").to_owned();
    errors.iter().map(|error| (text(error, "field"), text(error, "rule"))).collect()
}

fn named<const N: usize>(faults: [(&str, &str); N]) -> Vec<(String, String)> {
    faults.map(|(field, rule)| (field.to_owned(), rule.to_owned())).to_vec()
}

#[tokio::test]
async fn one_account_is_changed_by_the_older_form() {
    let bench = Bench::new().await;
    let ids = bench.create(1, 0).await;
    let body = json!({
        "accountId": ids[0], "tag": null, "org_group": "north", "user_group": "u",
        "description": "One\ntwo", "nick_name": " Nick ", "age_range": "18-24", "sex": "other",
        "location": "Oslo", "profiles": [{"a": 1}], "warmupVersion": "v1_smart", "postVersion": 2,
    });
    let reply = bench.update(&body).await;
    let answer = reply.json();
    assert_eq!(reply.status, 200, "{}", reply.text);
    assert_eq!(answer["data"]["message"], "Account info updated successfully");
    let account = &answer["data"]["account"];
    assert_eq!(
        account,
        &json!({
            "id": ids[0], "type": null, "tier": "basic", "status": "uninitialized",
            "platform": null, "username": null, "nick_name": "Nick", "pfp_url": null,
            "keywords": null, "description": "One\ntwo", "age_range": "18-24", "sex": "other",
            "location": "Oslo", "tag": null, "org_group": "north", "user_group": "u",
            "profiles": [{"a": 1}], "warmupVersion": "v1_smart", "postVersion": 2,
            "created_at": account["created_at"], "updated_at": account["updated_at"], "version": 1,
        })
    );
    assert_eq!(bench.count().await, (1, 0, 1), "billing is not touched");
    // The list shows the same.
    let listed = bench.call(&json!({})).send(&bench.stage.list_seats()).await;
    assert_eq!(&listed.json()["data"][0], account);
}

#[tokio::test]
async fn several_accounts_are_changed_each_by_itself_and_in_order() {
    let bench = Bench::new().await;
    let ids = bench.create(2, 1).await;
    let reply = bench
        .update(&json!({"updates": [
            {"accountId": ids[2], "tag": "a"},
            {"accountId": MISSING, "tag": "b"},
            {"accountId": ids[0], "sex": "none", "status": "pending"},
            {"accountId": ids[1], "tag": "c"},
        ]}))
        .await;
    let data = &reply.json()["data"];
    assert_eq!(
        (&data["message"], &data["successful"], &data["failed"]),
        (&json!("Updated 2 account(s)"), &json!(2), &json!(2))
    );
    let results = results(&reply);
    let success: Vec<_> = results.iter().map(|result| result["success"] == json!(true)).collect();
    assert_eq!(success, [true, false, false, true]);
    assert_eq!(
        (&results[0]["accountId"], &results[0]["account"]["tag"]),
        (&json!(ids[2]), &json!("a"))
    );
    assert_eq!(results[1]["error"], "account_not_found");
    assert_eq!(faults(&results[1]), named([("accountId", "not_found")]));
    assert_eq!(results[2]["error"], "invalid_request");
    assert_eq!(faults(&results[2]), named([("status", "unknown_field"), ("sex", "one_of")]));
    assert_eq!(number_of(&bench.seat(&ids[0]).await, "version"), "", "it is as it was");
    assert_eq!(bench.items("AUDIT#").await.len(), 2);
}

#[tokio::test]
async fn what_is_the_same_already_changes_nothing() {
    let bench = Bench::new().await;
    let ids = bench.create(1, 0).await;
    let before = bench.stage.snapshot().await;
    let body = json!({"accountId": ids[0], "tag": "spring", "tier": "basic", "location": null});
    let reply = bench.update(&body).await;
    assert_eq!((reply.status, &reply.json()["data"]["account"]["version"]), (200, &json!(0)));
    assert_eq!(bench.stage.snapshot().await, before);
}

#[tokio::test]
async fn an_expected_version_is_held() {
    let bench = Bench::new().await;
    let ids = bench.create(1, 0).await;
    let update =
        |version: u64, tag: &str| json!({"accountId": ids[0], "tag": tag, "version": version});
    assert_eq!(bench.update(&update(0, "a")).await.status, 200);
    bench.refuses(&bench.call(&update(0, "b")), 409, "version_mismatch").await;
    let results = bench.results(&json!([update(7, "c")])).await;
    assert_eq!(results[0]["error"], "version_mismatch");
    assert_eq!(bench.update(&update(1, "d")).await.status, 200);
    let seat = bench.seat(&ids[0]).await;
    assert_eq!((text_of(&seat, "tag"), number_of(&seat, "version")), (Some("d"), "2"));
}

#[tokio::test]
async fn details_that_become_whole_begin_the_setup() {
    let bench = Bench::new().await;
    let ids = bench.create(1, 0).await;
    let part = json!({"accountId": ids[0], "type": "tiktok", "username": "@creator"});
    let reply = bench.refuses(&bench.call(&part), 400, "missing_detail_fields").await;
    assert_eq!(faults(&reply.json()), named([("pfp_url", "required"), ("keywords", "required")]));
    let whole = json!({
        "accountId": ids[0], "type": "tiktok", "platform": "tiktok", "username": "@creator",
        "pfp_url": "https://example.com/a.jpg", "keywords": "a, b", "tag": "x",
    });
    let account = &bench.update(&whole).await.json()["data"]["account"];
    assert_eq!(
        (&account["status"], &account["username"], &account["keywords"]),
        (&json!("pending"), &json!("creator"), &json!("a,b"))
    );
    assert_eq!((&account["type"], &account["platform"]), (&json!("tiktok"), &json!("tiktok")));
    let audit = bench.items("AUDIT#").await;
    assert_eq!(
        texts(&audit[0], "fields"),
        ["platform", "username", "pfp_url", "keywords", "tag", "status"]
    );
    // What setup was told is not taken away; it may be another one.
    let gone = json!({"accountId": ids[0], "keywords": null});
    bench.refuses(&bench.call(&gone), 400, "missing_detail_fields").await;
    let other = bench.update(&json!({"accountId": ids[0], "keywords": "c"})).await.json();
    let account = &other["data"]["account"];
    assert_eq!((&account["status"], &account["keywords"]), (&json!("pending"), &json!("c")));
}

#[tokio::test]
async fn a_setup_that_failed_is_begun_again() {
    let bench = Bench::new().await;
    let ids = bench.create(0, 1).await;
    let failed = AttributeValue::S("failed".to_owned());
    let sk = format!("SEAT#{}", ids[0]);
    bench.stage.set(&bench.pk(), &sk, "status", failed).await;
    let tagged = bench.update(&json!({"accountId": ids[0], "tag": "x"})).await.json();
    assert_eq!(tagged["data"]["account"]["status"], "failed", "a tag is no detail");
    let again = bench.update(&json!({"accountId": ids[0], "username": "u0"})).await.json();
    assert_eq!(again["data"]["account"]["status"], "pending");
}

#[tokio::test]
async fn another_tier_is_counted_in_the_same_transaction() {
    let bench = Bench::new().await;
    let ids = bench.create(2, 0).await;
    let (seats_left, cents_left) =
        (bench.billing("seats_left").await, bench.billing("cents_left").await);
    bench.stage.operations.take();
    let reply = bench.update(&json!({"accountId": ids[0], "tier": "premium"})).await;
    assert_eq!(reply.json()["data"]["account"]["tier"], "premium", "{}", reply.text);
    let calls = bench.stage.operations.take();
    assert_eq!(calls, ["BatchGetItem", "TransactWriteItems"]);
    assert_eq!(bench.count().await, (1, 1, 2));
    assert_eq!(bench.billing("seats_left").await, seats_left);
    assert_eq!(bench.billing("cents_left").await, cents_left - 6_000);
    assert_eq!(bench.billing("changed_version").await, 2);
    assert_eq!(bench.stage.items_with("fewer_version").await, 0, "there are not fewer");
    let seat = bench.seat(&ids[0]).await;
    let other = bench.seat(&ids[1]).await;
    assert_ne!(text_of(&seat, "device_type"), text_of(&other, "device_type"));

    let back = bench.update(&json!({"accountId": ids[0], "tier": "basic"})).await;
    assert_eq!(back.status, 200, "{}", back.text);
    assert_eq!(bench.count().await, (2, 0, 3));
    assert_eq!(bench.billing("cents_left").await, cents_left);
    let seat = bench.seat(&ids[0]).await;
    assert_eq!(text_of(&seat, "device_type"), text_of(&other, "device_type"));
}

#[tokio::test]
async fn another_tier_is_refused_by_billing_as_a_create_is() {
    let bench = Bench::new().await;
    let ids = bench.create(2, 1).await;
    let up = json!({"accountId": ids[0], "tier": "premium"});
    bench.set_billing("cents_left", AttributeValue::N("5999".to_owned())).await;
    bench.refuses(&bench.call(&up), 409, "spending_limit_reached").await;
    let results = bench.results(&json!([up, {"accountId": ids[1], "tag": "x"}])).await;
    assert_eq!(results[0]["error"], "spending_limit_reached");
    assert_eq!(results[1]["success"], json!(true), "the others go on");
    // What costs less is covered, and a limit on seats has no say.
    bench.set_billing("seats_left", AttributeValue::N("0".to_owned())).await;
    let down = json!({"accountId": ids[2], "tier": "basic"});
    assert_eq!(bench.update(&down).await.status, 200);
    assert_eq!(bench.update(&up).await.status, 200, "which leaves enough");
    assert_eq!(bench.count().await, (2, 1, 3));
    let canceled = AttributeValue::S("canceled".to_owned());
    bench.set_billing("subscription_status", canceled).await;
    let back = json!({"accountId": ids[0], "tier": "basic"});
    bench.refuses(&bench.call(&back), 402, "no_billing").await;
    let tag = json!({"accountId": ids[0], "tag": "free"});
    assert_eq!(bench.update(&tag).await.status, 200, "what costs nothing needs none");
}

#[tokio::test]
async fn one_that_has_ended_is_changed_no_more_and_one_that_is_to_end_is() {
    let bench = Bench::new().await;
    let ids = bench.create(2, 0).await;
    bench.deactivate(&ids[0]).await;
    let body = json!({"accountId": ids[0], "tag": "x"});
    bench.refuses(&bench.call(&body), 409, "account_deactivated").await;

    let set = bench.stage.table.set_seats_end(&bench.organization, SeatsEnd::PeriodEnd).await;
    set.expect("an organization");
    for (name, seconds) in [("start", 0), ("end", 28 * 24 * 60 * 60)] {
        let value = AttributeValue::N((1_770_142_367_i64 + seconds).to_string());
        bench.set_billing(&format!("current_period_{name}"), value).await;
    }
    bench.deactivate(&ids[1]).await;
    let ends_at = text_of(&bench.seat(&ids[1]).await, "ends_at").map(str::to_owned);
    assert!(ends_at.is_some());
    let reply = bench.update(&json!({"accountId": ids[1], "tier": "premium"})).await;
    assert_eq!(reply.status, 200, "{}", reply.text);
    assert_eq!(text_of(&bench.seat(&ids[1]).await, "ends_at").map(str::to_owned), ends_at);
    let (basic, premium, _) = bench.count().await;
    assert_eq!((basic, premium), (0, 1));
}

#[tokio::test]
async fn of_two_that_name_the_same_account_none_is_carried_out() {
    let bench = Bench::new().await;
    let ids = bench.create(2, 0).await;
    let results = bench
        .results(&json!([
            {"accountId": ids[0], "tag": "a"},
            {"accountId": ids[1], "tag": "b"},
            {"accountId": ids[0], "tag": "c"},
        ]))
        .await;
    let error = |n: usize| results[n]["errors"][0]["message"].clone();
    assert_eq!(faults(&results[0]), named([("accountId", "duplicate")]));
    assert_eq!(error(0), "accountId is the same as entry 2 of the list.");
    assert_eq!(error(2), "accountId is the same as entry 0 of the list.");
    assert_eq!(results[1]["success"], json!(true));
    assert_eq!(text_of(&bench.seat(&ids[0]).await, "tag"), Some("spring"));
}

#[tokio::test]
async fn every_fault_is_told_at_once() {
    let bench = Bench::new().await;
    let body = json!({
        "accountId": "acc_1", "tier": null, "platform": "myspace", "username": "a b",
        "pfp_url": "ftp://x", "keywords": ",", "nick_name": "", "age_range": "9", "sex": 1,
        "location": [], "description": "", "tag": "", "org_group": "", "user_group": "",
        "profiles": 1.5, "version": -1, "id": "x",
    });
    let reply = bench.refuses(&bench.call(&body), 400, "invalid_request").await;
    assert_eq!(
        faults(&reply.json()),
        named([
            ("id", "unknown_field"),
            ("accountId", "account_id"),
            ("platform", "one_of"),
            ("username", "alphabet"),
            ("pfp_url", "url_scheme"),
            ("keywords", "keyword_length"),
            ("nick_name", "min_length"),
            ("age_range", "age_range"),
            ("sex", "type"),
            ("location", "type"),
            ("description", "min_length"),
            ("tag", "min_length"),
            ("org_group", "min_length"),
            ("user_group", "min_length"),
            ("profiles", "type"),
            ("tier", "required"),
            ("version", "range"),
        ])
    );
    for (body, expected) in [
        (json!({}), named([("accountId", "required"), ("accountId", "nothing_to_change")])),
        (json!({"updates": []}), named([("updates", "count")])),
        (json!({"updates": null}), named([("updates", "required")])),
        (
            json!({"updates": {}, "tag": "x"}),
            named([("tag", "unknown_field"), ("updates", "type")]),
        ),
        (
            json!({"updates": [1, {"tag": "x"}, {"accountId": 2}]}),
            named([("updates", "type"), ("accountId", "required"), ("accountId", "type")]),
        ),
    ] {
        let reply = bench.refuses(&bench.call(&body), 400, "invalid_request").await;
        assert_eq!(faults(&reply.json()), expected, "{body}");
    }
    let update = json!({"accountId": MISSING, "tag": "x"});
    let many = json!({"updates": vec![update; 101]});
    bench.refuses(&bench.call(&many), 400, "invalid_request").await;
}

#[tokio::test]
async fn foreign_and_missing_accounts_look_the_same() {
    let bench = Bench::new().await;
    let own = bench.create(1, 0).await;
    let (other, _) = bench.stage.seats_tenant().await;
    let stranger = key_of(&bench.stage, &other).await;
    let foreign = Call::json(&json!({"accountId": own[0], "tag": "x"})).bearer(&stranger);
    let missing = Call::json(&json!({"accountId": MISSING, "tag": "x"})).bearer(&stranger);
    let foreign = bench.refuses(&foreign, 404, "account_not_found").await;
    let missing = bench.refuses(&missing, 404, "account_not_found").await;
    assert_eq!(foreign.text, missing.text);
    let several = |id: &str| {
        Call::json(&json!({"updates": [{"accountId": id, "tier": "premium"}]})).bearer(&stranger)
    };
    let (foreign, missing) =
        (bench.send(&several(&own[0])).await, bench.send(&several(MISSING)).await);
    assert_eq!(foreign.text.replace(&own[0], MISSING), missing.text);
}

#[tokio::test]
async fn who_may_not_is_told_so() {
    let bench = Bench::new().await;
    let ids = bench.create(1, 0).await;
    let body = json!({"accountId": ids[0], "tag": "x"});
    let holder = Holder::Organization(bench.organization.clone());
    for (what, credential) in
        bad_credentials(&bench.stage, &holder, Permission::AccountsUpdate).await
    {
        let call = Call::json(&body).header("authorization", &credential);
        let reply = bench.refuses(&call, 401, "unauthorized").await;
        assert_eq!(reply.status, 401, "{what}");
    }
    let lacking = bench.stage.api_key(&bench.organization).await;
    let reply = bench.refuses(&Call::json(&body).bearer(&lacking), 403, "forbidden").await;
    assert!(reply.text.contains("accounts:update"), "{}", reply.text);
}

#[tokio::test]
async fn a_retry_under_a_key_has_the_first_answer() {
    let bench = Bench::new().await;
    let ids = bench.create(2, 0).await;
    // The older form: the version that it expected is another one since.
    let one = bench.call(&json!({"accountId": ids[0], "tag": "x", "version": 0})).key("k");
    let first = bench.send(&one).await;
    assert_eq!((first.status, first.is_replay()), (200, false));
    let after = bench.stage.snapshot().await;
    let again = bench.send(&one).await;
    assert_eq!((again.status, &again.text, again.is_replay()), (200, &first.text, true));
    assert_eq!(bench.stage.snapshot().await, after);
    let other = bench.call(&json!({"accountId": ids[0], "tag": "y"})).key("k");
    bench.refuses(&other, 422, "idempotency_key_reused").await;
    // So too where the other one would be refused.
    let other = bench.call(&json!({"accountId": ids[0], "tag": "y", "version": 0})).key("k");
    bench.refuses(&other, 422, "idempotency_key_reused").await;

    let several = bench
        .call(&json!({"updates": [
            {"accountId": ids[0], "tag": "a", "version": 0},
            {"accountId": ids[1], "tier": "premium"},
        ]}))
        .key("l");
    let first = bench.send(&several).await;
    assert_eq!(results(&first)[0]["error"], "version_mismatch");
    bench.update(&json!({"accountId": ids[1], "tier": "basic"})).await;
    let after = bench.stage.snapshot().await;
    let again = bench.send(&several).await;
    assert_eq!((&again.text, again.is_replay()), (&first.text, true));
    assert_eq!(bench.stage.snapshot().await, after, "it is not done again");
}

#[tokio::test]
async fn a_retry_after_a_crash_between_two_updates_repeats_none() {
    let bench = Bench::new().await;
    let ids = bench.create(3, 0).await;
    let call = bench
        .call(&json!({"updates": [
            {"accountId": MISSING, "tag": "a"},
            {"accountId": ids[0], "tier": "premium"},
            {"accountId": ids[1], "tag": "b", "version": 0},
            {"accountId": ids[2], "tag": "c"},
        ]}))
        .key("k");
    let whole = bench.send(&call).await;
    assert_eq!(results(&whole).len(), 4);
    // As if the process had died behind the second one: the others and their records are not there.
    let records = bench.stage.snapshot().await.into_keys();
    for (pk, sk) in records.filter(|(pk, _)| pk.starts_with("IDEMPOTENCY#")) {
        if pk.ends_with("#2") || pk.ends_with("#3") {
            bench.stage.forget(&pk, &sk).await;
        }
    }
    for id in &ids[1..] {
        let sk = format!("SEAT#{id}");
        bench.stage.remove(&bench.pk(), &sk, "version").await;
        bench.stage.set(&bench.pk(), &sk, "tag", AttributeValue::S("spring".to_owned())).await;
    }
    // Meanwhile the first seats are changed.
    bench.update(&json!({"accountId": ids[0], "tier": "basic"})).await;
    let counted = bench.count().await;
    let again = bench.send(&call).await;
    assert_eq!((&again.text, again.is_replay()), (&whole.text, false));
    assert_eq!(bench.count().await, counted, "the second one is not repeated");
    assert_eq!(text_of(&bench.seat(&ids[2]).await, "tag"), Some("c"));
    let third = bench.send(&call).await;
    assert_eq!((&third.text, third.is_replay()), (&whole.text, true));
}

#[tokio::test]
async fn many_that_change_one_account_at_once_are_each_done_once() {
    let bench = Bench::new().await;
    let ids = bench.create(1, 0).await;
    let calls = (0..8).map(|n| {
        let tier = if n % 2 == 0 { "premium" } else { "basic" };
        let call = bench.call(&json!({"accountId": ids[0], "tier": tier, "tag": format!("t{n}")}));
        let function = bench.stage.update_seats();
        async move { call.send(&function).await }
    });
    let replies = futures_util::future::join_all(calls).await;
    let done = replies.iter().filter(|reply| reply.status == 200).count();
    assert!(replies.iter().all(|reply| matches!(reply.status, 200 | 503)));
    let seat = bench.seat(&ids[0]).await;
    assert_eq!(number_of(&seat, "version"), done.to_string());
    assert_eq!(bench.items("AUDIT#").await.len(), done);
    let (basic, premium, _) = bench.count().await;
    let is_premium = text_of(&seat, "tier") == Some("premium");
    assert_eq!((basic, premium), if is_premium { (0, 1) } else { (1, 0) });
}

#[tokio::test]
async fn one_key_sent_many_times_at_once_has_one_effect() {
    let bench = Bench::new().await;
    let ids = bench.create(2, 0).await;
    let body = json!({"updates": [
        {"accountId": ids[0], "tier": "premium"}, {"accountId": ids[1], "tag": "x", "version": 0},
    ]});
    let calls = (0..6).map(|_| {
        let call = bench.call(&body).key("k");
        let function = bench.stage.update_seats();
        async move { call.send(&function).await }
    });
    let replies = futures_util::future::join_all(calls).await;
    let first = replies.iter().find(|reply| reply.status == 200).expect("one");
    for reply in replies.iter().filter(|reply| reply.status == 200) {
        assert_eq!(reply.text, first.text);
    }
    assert_eq!(bench.count().await, (1, 1, 2));
    assert_eq!(bench.items("AUDIT#").await.len(), 2);
}

#[tokio::test]
async fn the_audit_says_who_did_what() {
    let bench = Bench::new().await;
    let ids = bench.create(1, 0).await;
    bench.update(&json!({"accountId": ids[0], "tier": "premium", "tag": "secret"})).await;
    let audit = bench.items("AUDIT#").await;
    assert_eq!(audit.len(), 1);
    let credential = bench.api_key.split('_').nth(1).expect("an id");
    assert_eq!(text_of(&audit[0], "credential"), Some(credential));
    assert_eq!(text_of(&audit[0], "route"), Some("POST /accounts/update-info"));
    assert_eq!(text_of(&audit[0], "request_id"), Some("request-1"));
    assert_eq!(texts(&audit[0], "fields"), ["tag", "tier"]);
    assert_eq!(texts(&audit[0], "objects"), [ids[0].clone()]);
    assert!(!format!("{:?}", audit[0]).contains("secret"));
}
