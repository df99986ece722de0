//! get-billing-history on the real store, with what the real sync-billing wrote.

#![allow(clippy::expect_used)] // A test that cannot be set up has to say so loudly.

use headcount_billing::message;
use headcount_model::billing::{BillingChange, BillingLedger, SeatCounts};
use headcount_model::credential::{Holder, Permission};
use headcount_model::history::{Change, SeatChange};
use headcount_model::port::Clock;
use headcount_model::reconcile::{ReconciliationStore, Written};
use headcount_tests::billing::{Billed, Billing, batch};
use headcount_tests::{Call, Reply, Stage, bad_credentials};
use serde_json::{Value, json};

async fn get(stage: &Stage, key: &str, query: &[(&str, &str)]) -> Reply {
    let call = Call::empty().bearer(key);
    let call = query.iter().fold(call, |call, (name, value)| call.query(name, value));
    call.send(&stage.get_billing_history()).await
}

async fn page(stage: &Stage, key: &str, query: &[(&str, &str)]) -> (Vec<Value>, Option<String>) {
    let reply = get(stage, key, query).await;
    assert_eq!(reply.status, 200, "{}", reply.text);
    let body = reply.json();
    let next = body["next_cursor"].as_str().map(str::to_owned);
    (body["data"].as_array().expect("a list").clone(), next)
}

async fn entries(stage: &Stage, key: &str) -> Vec<Value> {
    page(stage, key, &[]).await.0
}

/// Creates seats; how that came about, as the stream tells it.
async fn create(stage: &Stage, billed: &Billed, basic: usize, premium: usize) -> Change {
    let mut accounts = vec![json!({"tier": "basic"}); basic];
    accounts.extend(vec![json!({"tier": "premium"}); premium]);
    let call = Call::json(&json!({ "accounts": accounts })).bearer(&billed.api_key);
    let reply = call.send(&stage.create_seats()).await;
    assert_eq!(reply.status, 200, "{}", reply.text);
    let row = stage.table.billing_row(&billed.organization).await.expect("a table").expect("a row");
    let more = |count: usize| i64::try_from(count).expect("few");
    Change {
        version: row.version,
        by: row.changed_by(),
        at: row.updated_at.parse().expect("a time"),
        seats: SeatChange { basic: more(basic), premium: more(premium) },
    }
}

/// Lets sync-billing hear of changes.
async fn sync(stage: &Stage, billing: &Billing, billed: &Billed, changes: Vec<Change>) {
    let version = changes.last().expect("a change").version;
    let change = BillingChange { organization: billed.organization.clone(), version, changes };
    let event = batch([(billed.organization.as_str(), message::encode(&change))]);
    billing.sync(stage).handle(event).await.expect("every message has an id");
    billing.settle(stage).await;
}

#[tokio::test]
async fn the_whole_answer() {
    let (stage, billing) = (Stage::new().await, Billing::new().await);
    let billed = billing.organization(&stage).await;
    assert_eq!(page(&stage, &billed.api_key, &[]).await, (Vec::new(), None));
    let first = create(&stage, &billed, 2, 0).await;
    let second = create(&stage, &billed, 0, 1).await;
    sync(&stage, &billing, &billed, vec![first.clone(), second]).await;
    let third = create(&stage, &billed, 1, 0).await;
    sync(&stage, &billing, &billed, vec![third]).await;

    let credential = first.by.expect("a caller").credential;
    let made = |version: u64, basic: i64, premium: i64| {
        json!({
            "version": version,
            "at": "2026-02-03T18:12:47.000Z",
            "credential": credential.as_str(),
            "request_id": "request-1",
            "basic": basic,
            "premium": premium,
        })
    };
    let told = |version: u64, since: u64, before: Value, after: Value, changes: Value| {
        json!({
            "version": version,
            "since": since,
            "outcome": "told",
            "error": null,
            "failures": 0,
            "seats": {"before": before, "after": after},
            "proration_behavior": "create_prorations",
            "begun_at": "2026-02-03T18:12:47.000Z",
            "answered_at": "2026-02-03T18:12:47.000Z",
            "changes": changes,
        })
    };
    let (two, three) = (json!({"basic": 2, "premium": 1}), json!({"basic": 3, "premium": 1}));
    let reply = get(&stage, &billed.api_key, &[]).await;
    assert_eq!(reply.header("content-type"), "application/json");
    assert_eq!(
        (reply.status, reply.json()),
        (
            200,
            json!({
                "ok": true,
                "code": 200,
                "message": "Success",
                "data": [
                    told(3, 2, two.clone(), three, json!([made(3, 1, 0)])),
                    told(2, 0, Value::Null, two, json!([made(2, 0, 1), made(1, 2, 0)])),
                ],
                "next_cursor": null,
            })
        )
    );
    // What is Stripe's own, or the operator's, stays there.
    for word in ["req_", "sub_", "si_", "cus_", "price_", billed.organization.as_str()] {
        assert!(!reply.text.contains(word), "{word} is in {}", reply.text);
    }
}

#[tokio::test]
async fn each_page_shows_its_entries_once_whatever_comes_meanwhile() {
    let (stage, billing) = (Stage::new().await, Billing::new().await);
    let billed = billing.organization(&stage).await;
    for _ in 0..5 {
        let change = create(&stage, &billed, 1, 0).await;
        sync(&stage, &billing, &billed, vec![change]).await;
    }
    let key = &billed.api_key;
    let versions = |entries: &[Value]| -> Vec<u64> {
        entries.iter().map(|entry| entry["version"].as_u64().expect("a version")).collect()
    };
    let (first, next) = page(&stage, key, &[("limit", "2")]).await;
    assert_eq!(versions(&first), [5, 4]);
    let change = create(&stage, &billed, 1, 0).await;
    sync(&stage, &billing, &billed, vec![change]).await;
    let next = next.expect("there is more");
    let (second, next) = page(&stage, key, &[("limit", "2"), ("cursor", &next)]).await;
    assert_eq!(versions(&second), [3, 2]);
    let next = next.expect("there is more");
    // The end is told, not found by an empty page.
    let (last, end) = page(&stage, key, &[("limit", "1"), ("cursor", &next)]).await;
    assert_eq!((versions(&last), end), (vec![1], None));
    let (exactly, end) = page(&stage, key, &[("limit", "6")]).await;
    assert_eq!((versions(&exactly), end), (vec![6, 5, 4, 3, 2, 1], None));
}

#[tokio::test]
async fn it_makes_two_queries_of_one_partition_besides_the_credential() {
    let (stage, billing) = (Stage::new().await, Billing::new().await);
    let billed = billing.organization(&stage).await;
    stage.operations.take();
    entries(&stage, &billed.api_key).await;
    assert_eq!(stage.operations.take(), ["GetItem", "Query"]);
    let change = create(&stage, &billed, 1, 0).await;
    sync(&stage, &billing, &billed, vec![change]).await;
    stage.operations.take();
    entries(&stage, &billed.api_key).await;
    assert_eq!(stage.operations.take(), ["Query", "Query"]);
}

#[tokio::test]
async fn a_cursor_is_good_for_its_own_organization_alone() {
    let (stage, billing) = (Stage::new().await, Billing::new().await);
    let (one, other) = (billing.organization(&stage).await, billing.organization(&stage).await);
    for billed in [&one, &other] {
        for _ in 0..2 {
            let change = create(&stage, billed, 1, 0).await;
            sync(&stage, &billing, billed, vec![change]).await;
        }
    }
    let (_, cursor) = page(&stage, &one.api_key, &[("limit", "1")]).await;
    let cursor = cursor.expect("there is more");
    let foreign = get(&stage, &other.api_key, &[("cursor", &cursor)]).await;
    let errors = json!([{
        "index": null,
        "field": "cursor",
        "rule": "cursor",
        "message": "cursor is not one that was given out for this list.",
    }]);
    assert_eq!((foreign.status, &foreign.json()["errors"]), (400, &errors));
    let tampered = format!("{}0", &cursor[..cursor.len() - 1]);
    for malformed in ["", "cursor", "cursor_", "cursor__", &cursor[..60], &tampered, "TOLD#1"] {
        let reply = get(&stage, &other.api_key, &[("cursor", malformed)]).await;
        assert_eq!((reply.status, &reply.text), (400, &foreign.text), "{malformed}");
    }
    // Its own is still good.
    assert_eq!(page(&stage, &one.api_key, &[("cursor", &cursor)]).await.0.len(), 1);
}

#[tokio::test]
async fn every_fault_of_the_query_is_told() {
    let stage = Stage::new().await;
    let (_, key) = stage.seats_tenant().await;
    let query = [("limit", "1001"), ("cursor", "x"), ("page", "2"), ("org", "org_1")];
    let reply = get(&stage, &key, &query).await;
    let body = reply.json();
    let faults = body["errors"].as_array().expect("faults").iter();
    let faults: Vec<_> =
        faults.map(|fault| (fault["field"].as_str(), fault["rule"].as_str())).collect();
    let fault = |field, rule| (Some(field), Some(rule));
    assert_eq!((reply.status, &body["error"]), (400, &json!("invalid_request")));
    assert_eq!(
        faults,
        [
            fault("limit", "range"),
            fault("cursor", "cursor"),
            fault("org", "unknown_field"),
            fault("page", "unknown_field"),
        ]
    );
}

#[tokio::test]
async fn what_failed_is_told_without_stripes_words_and_counted() {
    let (stage, billing) = (Stage::new().await, Billing::new().await);
    let billed = billing.organization(&stage).await;
    let change = create(&stage, &billed, 2, 0).await;
    for _ in 0..3 {
        let fault = json!({"kind": "402", "method": "POST", "path_prefix": "/v1/subscriptions"});
        billing.fault(&fault).await;
        sync(&stage, &billing, &billed, vec![change.clone()]).await;
    }
    let failed = entries(&stage, &billed.api_key).await;
    let [failed] = failed.as_slice() else { panic!("one entry: {failed:?}") };
    let error = json!({"code": "card_declined", "message": "The payment method was declined."});
    assert_eq!((&failed["outcome"], &failed["error"]), (&json!("failed"), &error));
    assert_eq!((&failed["failures"], &failed["version"]), (&json!(3), &json!(1)));
    sync(&stage, &billing, &billed, vec![change]).await;
    let outcomes: Vec<_> = entries(&stage, &billed.api_key).await;
    let outcomes: Vec<_> = outcomes.iter().map(|entry| &entry["outcome"]).collect();
    assert_eq!(outcomes, ["told", "failed"], "what was told is the newest of its version");
}

#[tokio::test]
async fn fewer_and_more_at_once_are_two_entries_of_one_version() {
    let (stage, billing) = (Stage::new().await, Billing::new().await);
    let billed = billing.organization(&stage).await;
    let change = create(&stage, &billed, 2, 0).await;
    sync(&stage, &billing, &billed, vec![change]).await;
    let seat = stage.items_under(&format!("ORG#{}", billed.organization)).await;
    let seat = seat.iter().find_map(|item| {
        let sk = headcount_tests::text_of(item, "sk")?;
        sk.strip_prefix("SEAT#").map(str::to_owned)
    });
    let end = Call::json(&json!({"account_id": seat.expect("a seat")})).bearer(&billed.api_key);
    assert_eq!(end.send(&stage.deactivate_seats()).await.status, 200);
    let row = stage.table.billing_row(&billed.organization).await.expect("a table").expect("a row");
    let by = row.changed_by().expect("a caller");
    assert_eq!((by.request_id.as_str(), row.version), ("request-1", 2));
    let change = create(&stage, &billed, 0, 1).await;
    sync(&stage, &billing, &billed, vec![change]).await;
    let told: Vec<_> = entries(&stage, &billed.api_key).await;
    let of = |entry: &Value| {
        (entry["version"].clone(), entry["outcome"].clone(), entry["seats"]["after"].clone())
    };
    let seats = |basic: u64, premium: u64| json!({"basic": basic, "premium": premium});
    assert_eq!(
        told.iter().map(of).collect::<Vec<_>>(),
        [
            (json!(3), json!("told"), seats(1, 1)),
            (json!(3), json!("partly"), seats(1, 0)),
            (json!(1), json!("told"), seats(2, 0)),
        ]
    );
    // The second version is none that the message named: nobody knows how it came about.
    let versions: Vec<_> = told[0]["changes"].as_array().into_iter().flatten().collect();
    assert_eq!(versions.iter().map(|change| &change["version"]).collect::<Vec<_>>(), [3]);
}

#[tokio::test]
async fn what_no_caller_did_names_nobody() {
    let (stage, billing) = (Stage::new().await, Billing::new().await);
    let billed = billing.organization(&stage).await;
    create(&stage, &billed, 1, 0).await;
    let state = stage.table.ledger_state(&billed.organization).await.expect("a table");
    let state = state.expect("a record");
    let raised = stage.table.raise_version(&state, stage.ports.now()).await;
    assert_eq!(raised, Ok(Written::Yes));
    let row = stage.table.billing_row(&billed.organization).await.expect("a table").expect("a row");
    assert_eq!((row.version, row.changed_version, row.changed_by()), (2, Some(1), None));
    let change = Change {
        version: 2,
        by: row.changed_by(),
        at: row.updated_at.parse().expect("a time"),
        seats: SeatChange::between(SeatCounts::default(), SeatCounts::default()),
    };
    sync(&stage, &billing, &billed, vec![change]).await;
    let told = entries(&stage, &billed.api_key).await;
    let change = &told[0]["changes"][0];
    assert_eq!((&change["credential"], &change["request_id"]), (&Value::Null, &Value::Null));
}

#[tokio::test]
async fn a_page_is_cut_where_it_would_show_too_many_changes() {
    let (stage, billing) = (Stage::new().await, Billing::new().await);
    let billed = billing.organization(&stage).await;
    let first = create(&stage, &billed, 1, 0).await;
    sync(&stage, &billing, &billed, vec![first.clone()]).await;
    let newest = create(&stage, &billed, 1, 0).await;
    // As if a thousand changes had been told of together, after a long outage.
    let pk = format!("ORG#{}", billed.organization);
    let number = |n: u64| aws_sdk_dynamodb::types::AttributeValue::N(n.to_string());
    stage.set(&pk, "BILLING", "version", number(1_500)).await;
    let changes = |from: u64| {
        let newest = newest.clone();
        (from..=1_500).map(move |version| Change { version, ..newest.clone() }).collect::<Vec<_>>()
    };
    sync(&stage, &billing, &billed, changes(2)).await;
    stage.set(&pk, "BILLING", "version", number(1_501)).await;
    sync(&stage, &billing, &billed, vec![Change { version: 1_501, ..newest.clone() }]).await;
    let key = &billed.api_key;
    let shown = |entries: &[Value]| -> Vec<(u64, usize)> {
        let of = |entry: &Value| {
            let changes = entry["changes"].as_array().map_or(0, Vec::len);
            (entry["version"].as_u64().expect("a version"), changes)
        };
        entries.iter().map(of).collect()
    };
    let (first, next) = page(&stage, key, &[]).await;
    assert_eq!(shown(&first), [(1_501, 1)]);
    let (second, next) = page(&stage, key, &[("cursor", &next.expect("there is more"))]).await;
    assert_eq!(shown(&second), [(1_500, 1_000)], "the newest of them");
    let (third, end) = page(&stage, key, &[("cursor", &next.expect("there is more"))]).await;
    assert_eq!((shown(&third), end), (vec![(1, 1)], None));
}

#[tokio::test]
async fn either_permission_will_do_and_none_will_not() {
    let stage = Stage::new().await;
    let (organization, _) = stage.seats_tenant().await;
    let holder = Holder::Organization(organization);
    for permission in [Permission::BillingRead, Permission::AccountsCreate] {
        let key = stage.credential(holder.clone(), &[permission]).await;
        entries(&stage, &key).await;
    }
    let key = stage.credential(holder.clone(), &[Permission::AccountsDeactivate]).await;
    let reply = get(&stage, &key, &[]).await;
    assert_eq!((reply.status, &reply.json()["error"]), (403, &json!("forbidden")));
    assert!(reply.text.contains("billing:read"), "{}", reply.text);

    let none = Call::empty().send(&stage.get_billing_history()).await;
    assert_eq!((none.status, &none.json()["error"]), (401, &json!("unauthorized")));
    for (what, header) in bad_credentials(&stage, &holder, Permission::BillingRead).await {
        let call = Call::empty().header("authorization", &header);
        let reply = call.send(&stage.get_billing_history()).await;
        assert_eq!((reply.status, &reply.text), (401, &none.text), "{what}");
    }
}

/// What an earlier version of the service wrote goes on being read, and told.
#[tokio::test]
async fn a_record_of_before_has_no_history_and_gets_one() {
    let (stage, billing) = (Stage::new().await, Billing::new().await);
    let billed = billing.organization(&stage).await;
    create(&stage, &billed, 1, 0).await;
    let pk = format!("ORG#{}", billed.organization);
    for name in ["changed_by", "changed_version"] {
        stage.remove(&pk, "BILLING", name).await;
    }
    let record = stage.table.billing(&billed.organization).await.expect("a table");
    assert_eq!(record.expect("a record").told, None);
    let event = batch([headcount_tests::billing::reached(&billed.organization, 1)]);
    billing.sync(&stage).handle(event).await.expect("every message has an id");
    let told = entries(&stage, &billed.api_key).await;
    assert_eq!((told.len(), &told[0]["changes"]), (1, &json!([])));
    let record = stage.table.billing(&billed.organization).await.expect("a table");
    let told = SeatCounts { basic: 1, premium: 0 };
    assert_eq!(record.expect("a record").told, Some(told));
}
