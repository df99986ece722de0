//! publish-changes on stream records made from the items that the functions really write.

use std::sync::{Arc, Mutex};

use aws_sdk_dynamodb::types::AttributeValue;
use headcount_model::billing::BillingChange;
use headcount_model::credential::Permission;
use headcount_model::id::OrganizationId;
use headcount_tests::{Call, Item, Stage, outbox};
use publish_changes::{Batch, Event, Outbox, Parcel, SetAside, handle};
use serde_json::{Value, json};

/// Keeps what it is given and fails what it is told to.
#[derive(Default)]
struct Recorder {
    parcels: Mutex<Vec<Parcel>>,
    fails: Vec<usize>,
}

impl Outbox for Recorder {
    async fn deliver(&self, parcels: &[Parcel]) -> Vec<usize> {
        self.parcels.lock().expect("not poisoned").extend(parcels.to_vec());
        self.fails.clone()
    }
}

/// A stream record (<https://docs.aws.amazon.com/lambda/latest/dg/with-ddb.html>) with the
/// sequence number `n`.
fn record(n: usize, name: &str, old: Option<&Item>, new: Option<&Item>) -> Value {
    let image = |item: &Item| serde_json::to_value(serde_dynamo::Item::from(item.clone()));
    let image = |item: Option<&Item>| item.map(|item| image(item).expect("an item serializes"));
    let keys = new.or(old).map(|item| {
        json!({
            "pk": {"S": item["pk"].as_s().expect("text")},
            "sk": {"S": item["sk"].as_s().expect("text")}
        })
    });
    let mut record = json!({
        "eventID": format!("event-{n}"),
        "eventName": name,
        "eventVersion": "1.1",
        "eventSource": "aws:dynamodb",
        "awsRegion": "us-east-1",
        "dynamodb": {
            "ApproximateCreationDateTime": 1_770_142_367,
            "Keys": keys,
            "SequenceNumber": n.to_string(),
            "SizeBytes": 100,
            "StreamViewType": "NEW_AND_OLD_IMAGES"
        }
    });
    if let Some(image) = image(new) {
        record["dynamodb"]["NewImage"] = image;
    }
    if let Some(image) = image(old) {
        record["dynamodb"]["OldImage"] = image;
    }
    record
}

async fn publish(outbox: &Recorder, records: Vec<Value>) -> (Vec<Parcel>, Vec<String>) {
    let response = handle(outbox, Batch { records }).await.expect("records have numbers");
    let parcels = std::mem::take(&mut *outbox.parcels.lock().expect("not poisoned"));
    let failures = response.batch_item_failures.into_iter();
    (parcels, failures.map(|failure| failure.item_identifier).collect())
}

fn events(parcels: &[Parcel]) -> Vec<(&str, &Value)> {
    parcels
        .iter()
        .filter_map(|parcel| match parcel {
            Parcel::Event(Event { detail_type, detail }) => Some((*detail_type, detail)),
            _ => None,
        })
        .collect()
}

fn with(item: &Item, name: &str, value: AttributeValue) -> Item {
    let mut item = item.clone();
    item.insert(name.to_owned(), value);
    item
}

fn text(value: &str) -> AttributeValue {
    AttributeValue::S(value.to_owned())
}

fn number(value: u64) -> AttributeValue {
    AttributeValue::N(value.to_string())
}

/// A plain seat, a seat with details, and the billing record after their creation.
async fn seats() -> (Item, Item, Item) {
    let stage = Stage::new().await;
    let (organization, api_key) = stage.seats_tenant().await;
    let reply = Call::json(&json!({"accounts": [
        {"tier": "basic", "tag": "influencer"},
        {"tier": "premium", "platform": "tiktok", "username": "newcreator",
         "pfp_url": "https://example.com/avatar.jpg", "keywords": "fitness,health"}
    ]}))
    .bearer(&api_key)
    .send(&stage.create_seats())
    .await;
    assert_eq!(reply.status, 200);
    let items = stage.items_under(&format!("ORG#{organization}")).await;
    let find = |name: &str, value: &str| {
        let found = items.iter().find(|item| item.get(name) == Some(&text(value)));
        found.expect("it was written").clone()
    };
    (find("tier", "basic"), find("tier", "premium"), find("sk", "BILLING"))
}

#[tokio::test]
async fn a_create_becomes_one_billing_message_and_its_events() {
    let (plain, detailed, billing) = seats().await;
    let before = with(&billing, "version", number(0));
    let (parcels, failures) = publish(
        &Recorder::default(),
        vec![
            record(1, "MODIFY", Some(&before), Some(&billing)),
            record(2, "INSERT", None, Some(&plain)),
            record(3, "INSERT", None, Some(&detailed)),
        ],
    )
    .await;
    assert!(failures.is_empty());
    let Parcel::Billing(change) = &parcels[0] else { panic!("{parcels:?}") };
    assert_eq!(change.version, 1);
    assert_eq!(change.organization.as_str(), billing["organization"].as_s().expect("text"));

    let events = events(&parcels);
    let types: Vec<_> = events.iter().map(|(detail_type, _)| *detail_type).collect();
    assert_eq!(types, ["SeatCreated", "SeatCreated", "SeatSetupRequested"]);
    let organization = billing["organization"].as_s().expect("text");
    assert_eq!(
        *events[2].1,
        json!({
            "version": 1,
            "id": "event-3:SeatSetupRequested",
            "data": {
                "organization": organization,
                "id": detailed["id"].as_s().expect("text"),
                "tier": "premium",
                "device_type": "dedicated",
                "platform": "tiktok",
                "username": "newcreator",
                "pfp_url": "https://example.com/avatar.jpg",
                "keywords": "fitness,health",
                "nick_name": null,
                "age_range": null,
                "sex": null,
                "location": null,
                "description": null,
                "request": 0,
                "requested_at": "2026-02-03T18:12:47.000000Z"
            }
        })
    );
    assert_eq!(events[0].1["data"]["tag"], "influencer");
    assert_eq!(events[0].1["data"]["status"], "uninitialized");
}

#[tokio::test]
async fn several_changes_of_one_organization_become_the_newest() {
    let (_, _, billing) = seats().await;
    let at = |version| with(&billing, "version", number(version));
    let change = |n, from, to| record(n, "MODIFY", Some(&at(from)), Some(&at(to)));
    let records = vec![change(1, 0, 1), change(2, 1, 2), change(3, 2, 3)];
    let (parcels, _) = publish(&Recorder::default(), records.clone()).await;
    assert_eq!(parcels.len(), 1);
    assert!(matches!(&parcels[0], Parcel::Billing(change) if change.version == 3));

    // If it cannot be sent, all three have to come again.
    let broken = Recorder { fails: vec![0], ..Recorder::default() };
    assert_eq!(publish(&broken, records).await.1, ["1"]);
}

#[tokio::test]
async fn who_made_each_version_goes_with_the_newest() {
    let (_, _, billing) = seats().await;
    let at = |version: u64, seats: u64| {
        let at = with(&billing, "version", number(version));
        with(&at, "seats_basic", number(seats))
    };
    let change = |n, old: &Item, new: &Item| record(n, "MODIFY", Some(old), Some(new));
    let by = billing["changed_by"].as_s().expect("text");
    // The first as it was written; then one that names nobody: what the record has is of the first.
    let first = change(1, &at(0, 0), &at(1, 1));
    let records = vec![first, change(2, &at(1, 1), &at(2, 4)), change(3, &at(2, 4), &at(3, 2))];
    let (parcels, _) = publish(&Recorder::default(), records).await;
    let [Parcel::Billing(told)] = parcels.as_slice() else { panic!("{parcels:?}") };
    let made: Vec<_> = told
        .changes
        .iter()
        .map(|change| {
            let by = change.by.as_ref();
            let by = by.map(|by| format!("{} {}", by.credential, by.request_id));
            (change.version, by, change.seats.basic, change.seats.premium)
        })
        .collect();
    assert_eq!(made, [(1, Some(by.clone()), 1, 0), (2, None, 3, 0), (3, None, -2, 0)]);
    assert!(by.ends_with(" request-1"), "{by}");
}

#[tokio::test]
async fn what_does_not_change_the_seats_is_not_published() {
    let (plain, _, billing) = seats().await;
    let applied = with(&billing, "applied_version", number(1));
    let tagged = with(&plain, "tag", text("other"));
    let (parcels, _) = publish(
        &Recorder::default(),
        vec![
            record(1, "MODIFY", Some(&billing), Some(&applied)),
            record(2, "MODIFY", Some(&plain), Some(&tagged)),
            record(3, "REMOVE", Some(&plain), None),
            record(4, "INSERT", None, Some(&with(&billing, "version", number(0)))),
        ],
    )
    .await;
    assert_eq!(parcels, []);
}

#[tokio::test]
async fn another_status_of_the_subscription_is_an_event() {
    let (_, _, billing) = seats().await;
    let canceled = with(&billing, "subscription_status", text("canceled"));
    let records = vec![record(1, "MODIFY", Some(&billing), Some(&canceled))];
    let (parcels, _) = publish(&Recorder::default(), records).await;
    let events = events(&parcels);
    let [(detail_type, detail)] = events[..] else { panic!("{events:?}") };
    assert_eq!(detail_type, "SubscriptionStatusChanged");
    let of = |name: &str| billing[name].as_s().expect("a text").clone();
    assert_eq!(
        *detail,
        json!({
            "version": 1,
            "id": "event-1:SubscriptionStatusChanged",
            "data": {
                "organization": of("organization"),
                "subscription": of("stripe_subscription"),
                "from": "active",
                "to": "canceled",
                "seats": {"basic": 1, "premium": 1},
                "changed_at": of("updated_at"),
            }
        })
    );
}

#[tokio::test]
async fn that_the_subscription_ends_with_its_period_is_an_event_and_that_it_goes_on() {
    let (_, _, billing) = seats().await;
    let ending = with(&billing, "cancel_at_period_end", AttributeValue::Bool(true));
    for (from, to, ends) in [(&billing, &ending, true), (&ending, &billing, false)] {
        let records = vec![record(1, "MODIFY", Some(from), Some(to))];
        let (parcels, _) = publish(&Recorder::default(), records).await;
        let events = events(&parcels);
        let [(detail_type, detail)] = events[..] else { panic!("{events:?}") };
        assert_eq!(detail_type, "SubscriptionEndChanged");
        let data = &detail["data"];
        assert_eq!(data["cancel_at_period_end"], ends);
        assert_eq!(data["organization"], billing["organization"].as_s().expect("a text").as_str());
    }
}

/// Type, percent, limit and use of each event about a limit when a record changes.
async fn limits_told(old: &Item, new: &Item) -> Vec<(String, u64, u64, u64)> {
    let records = vec![record(1, "MODIFY", Some(old), Some(new))];
    let (parcels, _) = publish(&Recorder::default(), records).await;
    let told = events(&parcels).into_iter().map(|(detail_type, detail)| {
        let number = |name: &str| detail["data"][name].as_u64().expect("a number");
        let percent = number("percent");
        assert_eq!(detail["id"], format!("event-1:{detail_type}:{percent}"));
        (detail_type.to_owned(), percent, number("limit"), number("used"))
    });
    told.collect()
}

#[tokio::test]
async fn a_limit_that_comes_near_or_is_reached_is_told_once() {
    let (_, _, billing) = seats().await;
    let seats = |limit: u64, left: &str| {
        let limited = with(&billing, "seat_limit", number(limit));
        with(&limited, "seats_left", AttributeValue::N(left.to_owned()))
    };
    let seat = |percent, limit, used| ("SeatLimitReached".to_owned(), percent, limit, used);
    for (old, new, told) in [
        (seats(10, "3"), seats(10, "2"), vec![seat(80, 10, 8)]),
        (seats(10, "2"), seats(10, "1"), vec![]),
        (seats(10, "1"), seats(10, "0"), vec![seat(100, 10, 10)]),
        // A thousand seats at once.
        (
            seats(1_000, "1000"),
            seats(1_000, "0"),
            vec![seat(80, 1_000, 1_000), seat(100, 1_000, 1_000)],
        ),
        (seats(1_000, "201"), seats(1_000, "201"), vec![]),
        // Seats given back, and added again.
        (seats(10, "0"), seats(10, "3"), vec![]),
        (seats(10, "3"), seats(10, "0"), vec![seat(80, 10, 10), seat(100, 10, 10)]),
        // A limit is moved.
        (seats(10, "5"), seats(4, "-1"), vec![seat(80, 4, 5), seat(100, 4, 5)]),
        (seats(4, "-1"), seats(10, "5"), vec![]),
        (seats(0, "0"), seats(0, "0"), vec![]),
        (seats(5, "5"), seats(0, "0"), vec![seat(80, 0, 0), seat(100, 0, 0)]),
    ] {
        assert_eq!(limits_told(&old, &new).await, told, "{old:?} {new:?}");
    }

    let cents = |limit: Option<u64>, left: i64| {
        let left = with(&billing, "cents_left", AttributeValue::N(left.to_string()));
        limit.map_or(left.clone(), |limit| with(&left, "spending_limit", number(limit)))
    };
    let spent = |percent, limit, used| ("SpendingLimitReached".to_owned(), percent, limit, used);
    let none = 999_999_999_999_986_000;
    for (old, new, told) in [
        (cents(None, none), cents(None, 0), vec![]),
        (cents(Some(50_000), 14_000), cents(Some(50_000), 10_000), vec![spent(80, 50_000, 40_000)]),
        (cents(Some(50_000), 10_000), cents(Some(50_000), 0), vec![spent(100, 50_000, 50_000)]),
        (
            cents(None, none),
            cents(Some(14_000), 0),
            vec![spent(80, 14_000, 14_000), spent(100, 14_000, 14_000)],
        ),
        (cents(Some(14_000), 0), cents(None, none), vec![]),
    ] {
        assert_eq!(limits_told(&old, &new).await, told, "{old:?} {new:?}");
    }
}

#[tokio::test]
async fn the_end_of_a_seat_is_an_event_once() {
    let (_, detailed, _) = seats().await;
    let ended = with(&detailed, "status", text("deactivated"));
    let ended = with(&ended, "deactivated_at", text("2026-02-03T18:12:48.000000Z"));
    let changed = with(&ended, "tag", text("other"));
    let records = vec![
        record(1, "MODIFY", Some(&detailed), Some(&ended)),
        record(2, "MODIFY", Some(&ended), Some(&changed)),
    ];
    let (parcels, _) = publish(&Recorder::default(), records).await;
    let events = events(&parcels);
    let [(detail_type, detail)] = events[..] else { panic!("{events:?}") };
    assert_eq!(detail_type, "SeatDeactivated");
    let of = |name: &str| detailed[name].as_s().expect("a text").clone();
    assert_eq!(
        *detail,
        json!({
            "version": 1,
            "id": "event-1:SeatDeactivated",
            "data": {
                "organization": of("organization"),
                "id": of("id"),
                "tier": "premium",
                "device_type": of("device_type"),
                "platform": "tiktok",
                "username": of("username"),
                "tag": null,
                "org_group": null,
                "deactivated_at": "2026-02-03T18:12:48.000000Z",
            }
        })
    );
}

#[tokio::test]
async fn a_seat_whose_details_come_later_is_set_up_then() {
    let (_, detailed, _) = seats().await;
    let before = with(&detailed, "status", text("uninitialized"));
    let (parcels, _) =
        publish(&Recorder::default(), vec![record(1, "MODIFY", Some(&before), Some(&detailed))])
            .await;
    let types: Vec<_> = events(&parcels).iter().map(|(detail_type, _)| *detail_type).collect();
    assert_eq!(types, ["SeatSetupRequested"]);
}

#[tokio::test]
async fn a_setup_that_failed_is_told_with_its_reason_and_asked_for_under_another_number() {
    let (_, detailed, _) = seats().await;
    let failed = with(&with(&detailed, "status", text("failed")), "version", number(1));
    let failed = with(&failed, "setup_error", text("no device"));
    let again = with(&with(&detailed, "version", number(2)), "setup_version", number(2));
    let records = vec![
        record(1, "MODIFY", Some(&detailed), Some(&failed)),
        record(2, "MODIFY", Some(&failed), Some(&again)),
    ];
    let (parcels, _) = publish(&Recorder::default(), records).await;
    let events = events(&parcels);
    let types: Vec<_> = events.iter().map(|(detail_type, _)| *detail_type).collect();
    assert_eq!(types, ["SeatUpdated", "SeatUpdated", "SeatSetupRequested"]);
    let data = |n: usize| &events[n].1["data"];
    assert_eq!(
        (&data(0)["status"], &data(0)["setup_error"]),
        (&json!("failed"), &json!("no device"))
    );
    assert_eq!((&data(1)["status"], data(1).get("setup_error")), (&json!("pending"), None));
    assert_eq!(data(2)["request"], 2);
}

#[tokio::test]
async fn events_of_accounts_hold_no_secret() {
    let stage = Stage::new().await;
    let tenant = stage.agency_tenant().await;
    let identity = json!({"email": "owner@example.com", "name": "Acme Inc.", "type": "business",
        "password": "secure_password_here"});
    let reply = Call::json(&identity).send(&stage.create_account()).await;
    assert_eq!(reply.status, 201);
    let account = &stage.items_under("ACCOUNT#").await[0];
    let agency_accounts = stage.items_under(&format!("AGENCY#{}", tenant.lcuid)).await;
    let parent = agency_accounts
        .iter()
        .find(|item| item.get("lcuid") == Some(&text(&tenant.parent)))
        .expect("the parent");
    let (parcels, _) = publish(
        &Recorder::default(),
        vec![record(1, "INSERT", None, Some(account)), record(2, "INSERT", None, Some(parent))],
    )
    .await;
    let events = events(&parcels);
    assert_eq!(events[0].0, "AccountCreated");
    assert_eq!(
        *events[0].1,
        json!({
            "version": 1,
            "id": "event-1:AccountCreated",
            "data": {
                "id": reply.json()["id"],
                "type": "business",
                "status": "active",
                "created_at": "2026-02-03T18:12:47.000000Z"
            }
        })
    );
    assert_eq!(events[1].0, "AgencyAccountCreated");
    assert_eq!(events[1].1["data"]["is_parent_account"], true);
}

#[tokio::test]
async fn a_change_of_an_agency_account_is_told_and_bookkeeping_is_not() {
    let stage = Stage::new().await;
    let tenant = stage.agency_tenant().await;
    let account = async || {
        let items = stage.items_under(&format!("AGENCY#{}", tenant.lcuid)).await;
        items.into_iter().find(|item| item.get("lcuid") == Some(&text(&tenant.plain))).expect("it")
    };
    let token = stage.credential(tenant.holder(), &Permission::ALL).await;
    let change = async |name: &str| {
        let before = account().await;
        let call = Call::json(&json!({ "name": name }));
        let call = call.at(&format!("/api/v3/accounts/{}", tenant.plain));
        let reply = tenant.signed(call, &token).send(&stage.update_agency_account()).await;
        assert_eq!(reply.status, 200, "{}", reply.text);
        (before, account().await)
    };
    let (first, second) = (change("Renamed").await, change("Again").await);
    let bookkeeping = with(&second.1, "updated_at", text("2026-02-03T18:13:00.000000Z"));
    let records = vec![
        record(1, "MODIFY", Some(&first.0), Some(&first.1)),
        record(2, "MODIFY", Some(&second.0), Some(&second.1)),
        record(3, "MODIFY", Some(&second.1), Some(&bookkeeping)),
    ];
    let (parcels, _) = publish(&Recorder::default(), records).await;
    let events = events(&parcels);
    assert_eq!(events.len(), 2, "{events:?}");
    let expected = |n: u64, name: &str| {
        json!({
            "version": 1,
            "id": format!("event-{n}:AgencyAccountUpdated"),
            "data": {
                "agency_lcuid": tenant.lcuid,
                "lcuid": tenant.plain,
                "name": name,
                "slug": "Plain",
                "parent_account_lcuid": null,
                "is_parent_account": false,
                "version": n,
                "updated_at": "2026-02-03T18:12:47.000000Z",
            }
        })
    };
    assert_eq!(events[0], ("AgencyAccountUpdated", &expected(1, "Renamed")));
    assert_eq!(events[1], ("AgencyAccountUpdated", &expected(2, "Again")));
}

#[tokio::test]
async fn a_deleted_agency_account_is_told_and_nothing_else_that_goes() {
    let stage = Stage::new().await;
    let tenant = stage.agency_tenant().await;
    let items = stage.items_under(&format!("AGENCY#{}", tenant.lcuid)).await;
    let plain = items.iter().find(|item| item.get("lcuid") == Some(&text(&tenant.plain)));
    let mut slug = stage.items_under("SLUG#").await;
    let slug = slug.remove(0);
    let records = vec![record(1, "REMOVE", plain, None), record(2, "REMOVE", Some(&slug), None)];
    let (parcels, _) = publish(&Recorder::default(), records).await;
    let expected = json!({
        "version": 1,
        "id": "event-1:AgencyAccountDeleted",
        "data": {
            "agency_lcuid": tenant.lcuid,
            "lcuid": tenant.plain,
            "name": "Plain",
            "slug": "Plain",
            "parent_account_lcuid": null,
            "is_parent_account": false,
        }
    });
    assert_eq!(events(&parcels), [("AgencyAccountDeleted", &expected)]);
    assert_eq!(parcels.len(), 1);
}

#[tokio::test]
async fn a_change_and_the_end_of_an_identity_account_are_told_and_bookkeeping_is_not() {
    let stage = Stage::new().await;
    let own = stage.own_account("very.personal").await;
    let account = async || {
        let items = stage.items_under(&format!("ACCOUNT#{}", own.id)).await;
        items.into_iter().find(|item| item["sk"] == text("ACCOUNT")).expect("it")
    };
    let created = account().await;
    let call = Call::json(&json!({"name": "Renamed"})).bearer(&own.token);
    assert_eq!(call.send(&stage.update_own_account()).await.status, 200);
    let changed = account().await;
    let rehashed = with(&changed, "password_hash", text("another"));
    let call = Call::empty().bearer(&own.token);
    assert_eq!(call.send(&stage.delete_own_account()).await.status, 200);
    let closed = account().await;
    let records = vec![
        record(1, "MODIFY", Some(&created), Some(&changed)),
        record(2, "MODIFY", Some(&changed), Some(&rehashed)),
        record(3, "MODIFY", Some(&rehashed), Some(&closed)),
        record(4, "MODIFY", Some(&closed), Some(&closed)),
    ];
    let (parcels, failures) = publish(&Recorder::default(), records).await;
    assert!(failures.is_empty());
    let at = "2026-02-03T18:12:47.000000Z";
    let updated = json!({"version": 1, "id": "event-1:AccountUpdated", "data": {
        "id": own.id.as_str(), "type": "business", "status": "active", "version": 1, "updated_at": at
    }});
    let deleted = json!({"version": 1, "id": "event-3:AccountDeleted", "data": {
        "id": own.id.as_str(), "deleted_at": at
    }});
    assert_eq!(events(&parcels), [("AccountUpdated", &updated), ("AccountDeleted", &deleted)]);
    assert_eq!(parcels.len(), 2);
}

#[tokio::test]
async fn a_record_that_cannot_be_read_is_set_aside_by_its_key_only() {
    let (plain, _, _) = seats().await;
    let stage = Stage::new().await;
    let identity = json!({"email": "owner@example.com", "name": "Acme Inc.", "type": "business",
        "password": "secure_password_here"});
    Call::json(&identity).send(&stage.create_account()).await;
    let mut account = stage.items_under("ACCOUNT#").await[0].clone();
    account.remove("status");
    let pk = account["pk"].as_s().expect("text").clone();

    let (parcels, failures) = publish(
        &Recorder::default(),
        vec![
            record(1, "INSERT", None, Some(&account)),
            json!({"eventName": "INSERT"}),
            record(3, "INSERT", None, Some(&plain)),
        ],
    )
    .await;
    assert!(failures.is_empty());
    assert_eq!(
        parcels[0],
        Parcel::SetAside(SetAside {
            reason: "an item of another shape",
            event_id: "event-1".to_owned(),
            keys: json!({"pk": {"S": pk}, "sk": {"S": "ACCOUNT"}}),
        })
    );
    assert!(matches!(parcels[1], Parcel::SetAside(_)));
    assert_eq!(events(&parcels)[0].0, "SeatCreated");
}

#[tokio::test]
async fn lambda_goes_back_to_the_first_record_that_was_not_delivered() {
    let (plain, detailed, _) = seats().await;
    let broken = Recorder { fails: vec![2, 1], ..Recorder::default() };
    let records = vec![
        record(1, "INSERT", None, Some(&plain)),
        record(2, "INSERT", None, Some(&detailed)),
        record(3, "INSERT", None, Some(&plain)),
    ];
    let (parcels, failures) = publish(&broken, records.clone()).await;
    assert_eq!(failures, ["2"]);
    // What comes again has the same ids, so that consumers can tell.
    assert_eq!(publish(&broken, records).await.0, parcels);
}

/// SQS and EventBridge as far as the outbox uses them: they keep what they are sent, and refuse
/// entries whose text holds a word.
mod services {
    use std::sync::{Arc, Mutex};

    use axum::Router;
    use axum::body::Bytes;
    use axum::extract::State;
    use axum::http::HeaderMap;
    use serde_json::{Value, json};

    #[derive(Default)]
    pub(crate) struct Services {
        pub(crate) calls: Mutex<Vec<Value>>,
        pub(crate) refuses: &'static str,
    }

    pub(crate) async fn serve(services: Arc<Services>) -> String {
        let app = Router::new().fallback(answer).with_state(services);
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.expect("a free port");
        let address = listener.local_addr().expect("an address");
        tokio::spawn(async move { axum::serve(listener, app).await });
        format!("http://{address}")
    }

    async fn answer(
        State(services): State<Arc<Services>>,
        headers: HeaderMap,
        body: Bytes,
    ) -> String {
        let target = headers["x-amz-target"].to_str().expect("a target").to_owned();
        let call: Value = serde_json::from_slice(&body).expect("JSON");
        services.calls.lock().expect("not poisoned").push(call.clone());
        let entries = call["Entries"].as_array().expect("entries");
        let refused = |entry: &Value| {
            !services.refuses.is_empty() && entry.to_string().contains(services.refuses)
        };
        if target.ends_with("PutEvents") {
            let results: Vec<Value> = entries
                .iter()
                .map(|entry| match refused(entry) {
                    true => {
                        json!({"ErrorCode": "ThrottlingException", "ErrorMessage": "slow down"})
                    }
                    false => json!({"EventId": "1"}),
                })
                .collect();
            let failed = entries.iter().filter(|entry| refused(entry)).count();
            return json!({"FailedEntryCount": failed, "Entries": results}).to_string();
        }
        let (failed, successful): (Vec<_>, Vec<_>) = entries.iter().partition(|e| refused(e));
        let failed: Vec<_> = failed
            .iter()
            .map(|entry| json!({"Id": entry["Id"], "Code": "InternalError", "SenderFault": false}))
            .collect();
        let successful: Vec<_> = successful
            .iter()
            .map(|entry| json!({"Id": entry["Id"], "MessageId": "1", "MD5OfMessageBody": format!("{:x}", md5(entry))}))
            .collect();
        json!({"Failed": failed, "Successful": successful}).to_string()
    }

    /// The SDK compares the digest of each message with the one that it sent.
    fn md5(entry: &Value) -> md5::Digest {
        md5::compute(entry["MessageBody"].as_str().expect("a body"))
    }
}

/// 25 events, a billing change and a record set aside, in turn.
fn parcels() -> Vec<Parcel> {
    let organization = "org_01kafzqzxqxqxqxqxqxqxqxqxq";
    let organization = OrganizationId::parse(organization).expect("an id");
    let mut parcels: Vec<_> = (0..25)
        .map(|n| {
            Parcel::Event(Event {
                detail_type: "SeatCreated",
                detail: json!({ "id": format!("seat-{n}-") }),
            })
        })
        .collect();
    parcels.push(Parcel::Billing(BillingChange { organization, version: 7, changes: Vec::new() }));
    parcels.push(Parcel::SetAside(SetAside {
        reason: "broken",
        event_id: "event-1".to_owned(),
        keys: json!({}),
    }));
    parcels
}

#[tokio::test]
async fn parcels_go_out_in_batches_of_ten_with_group_and_deduplication_id() {
    let services = Arc::new(services::Services::default());
    let outbox = outbox(&services::serve(Arc::clone(&services)).await);
    assert_eq!(outbox.deliver(&parcels()).await, Vec::<usize>::new());
    let calls = services.calls.lock().expect("not poisoned");
    let sizes: Vec<_> = calls.iter().map(|call| call["Entries"].as_array().map(Vec::len)).collect();
    assert_eq!(sizes, [Some(1), Some(1), Some(10), Some(10), Some(5)]);
    let message = &calls[0]["Entries"][0];
    assert_eq!(message["MessageGroupId"], "org_01kafzqzxqxqxqxqxqxqxqxqxq");
    assert_eq!(message["MessageDeduplicationId"], "org_01kafzqzxqxqxqxqxqxqxqxqxq:7");
    assert_eq!(calls[2]["Entries"][0]["Source"], "headcount");
    assert_eq!(calls[2]["Entries"][0]["EventBusName"], "bus");
}

#[tokio::test]
async fn an_entry_that_is_refused_in_an_accepted_call_counts_as_undelivered() {
    for (refuses, undelivered) in [("seat-13-", 13), ("org_", 25), ("broken", 26)] {
        let services = Arc::new(services::Services { refuses, ..Default::default() });
        let outbox = outbox(&services::serve(Arc::clone(&services)).await);
        assert_eq!(outbox.deliver(&parcels()).await, [undelivered], "{refuses}");
    }
}

#[tokio::test]
async fn without_an_answer_nothing_counts_as_delivered() {
    // A port that nothing listens on.
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.expect("a free port");
    let address = listener.local_addr().expect("an address");
    drop(listener);
    let mut undelivered = outbox(&format!("http://{address}")).deliver(&parcels()).await;
    undelivered.sort_unstable();
    assert_eq!(undelivered, (0..27).collect::<Vec<_>>());
}
