//! list-seats on the real store.

#![allow(clippy::expect_used)] // A test that cannot be set up has to say so loudly.

use std::collections::BTreeMap;

use aws_sdk_dynamodb::types::AttributeValue;
use headcount_model::credential::{Holder, Permission};
use headcount_model::id::OrganizationId;
use headcount_tests::{Call, Reply, Stage, bad_credentials};
use serde_json::{Value, json};

/// The most bytes of an answer (LIFECYCLE).
const MOST_BYTES: usize = 4 * 1024 * 1024;

async fn list(stage: &Stage, key: &str, body: &Value) -> Reply {
    Call::json(body).bearer(key).send(&stage.list_seats()).await
}

async fn page(stage: &Stage, key: &str, body: &Value) -> (Vec<Value>, Option<String>) {
    let reply = list(stage, key, body).await;
    assert_eq!(reply.status, 200, "{}", reply.text);
    let body = reply.json();
    let next = body["next_cursor"].as_str().map(str::to_owned);
    (body["data"].as_array().expect("a bare list").clone(), next)
}

fn ids(seats: &[Value]) -> Vec<String> {
    seats.iter().map(|seat| seat["id"].as_str().expect("an id").to_owned()).collect()
}

async fn shown(stage: &Stage, key: &str, body: &Value) -> Vec<String> {
    ids(&page(stage, key, body).await.0)
}

/// Creates seats; their ids.
async fn create(stage: &Stage, key: &str, accounts: &Value) -> Vec<String> {
    let call = Call::json(&json!({ "accounts": accounts })).bearer(key);
    let reply = call.send(&stage.create_seats()).await;
    assert_eq!(reply.status, 200, "{}", reply.text);
    ids(reply.json()["data"]["accounts"].as_array().expect("seats"))
}

async fn deactivate(stage: &Stage, key: &str, id: &str) {
    let call = Call::json(&json!({ "account_id": id })).bearer(key);
    assert_eq!(call.send(&stage.deactivate_seats()).await.status, 200);
}

fn creator(username: &str) -> Value {
    json!({
        "tier": "premium", "platform": "tiktok", "username": username,
        "pfp_url": "https://example.com/a.jpg", "keywords": "a, b", "nick_name": "New",
        "age_range": "18-24", "sex": "other", "location": "Oslo", "description": "One\ntwo",
        "tag": "influencer", "org_group": "spring",
    })
}

#[tokio::test]
async fn the_whole_answer() {
    let stage = Stage::new().await;
    let (organization, key) = stage.seats_tenant().await;
    let empty =
        json!({"ok": true, "code": 200, "message": "Success", "data": [], "next_cursor": null});
    let reply = list(&stage, &key, &json!({})).await;
    assert_eq!((reply.status, reply.json()), (200, empty));
    assert_eq!(reply.header("content-type"), "application/json");

    let created = create(&stage, &key, &json!([{"tier": "basic"}, creator("new.creator")])).await;
    let group = AttributeValue::S("users".to_owned());
    let (pk, sk) = (format!("ORG#{organization}"), format!("SEAT#{}", created[1]));
    stage.set(&pk, &sk, "user_group", group).await;
    let reply = list(&stage, &key, &json!({})).await;
    let at = "2026-02-03T18:12:47.000Z";
    assert_eq!(
        (reply.status, reply.json()),
        (
            200,
            json!({
                "ok": true,
                "code": 200,
                "message": "Success",
                "data": [
                    {
                        "id": created[0], "type": null, "tier": "basic", "status": "uninitialized",
                        "platform": null, "username": null, "nick_name": null, "pfp_url": null,
                        "keywords": null, "description": null, "age_range": null, "sex": null,
                        "location": null, "tag": null, "org_group": null, "user_group": null,
                        "created_at": at, "updated_at": at, "version": 0,
                    },
                    {
                        "id": created[1], "type": "tiktok", "tier": "premium", "status": "pending",
                        "platform": "tiktok", "username": "new.creator", "nick_name": "New",
                        "pfp_url": "https://example.com/a.jpg", "keywords": "a,b",
                        "description": "One\ntwo", "age_range": "18-24", "sex": "other",
                        "location": "Oslo", "tag": "influencer", "org_group": "spring",
                        "user_group": "users", "created_at": at, "updated_at": at, "version": 0,
                    },
                ],
                "next_cursor": null,
            })
        )
    );
    // What is ours, or the operator's, stays there.
    for word in ["shared", "dedicated", "device", "ORG#", organization.as_str()] {
        assert!(!reply.text.contains(word), "{word} is in {}", reply.text);
    }
}

/// A seat in each state that a seat can have, by the state.
async fn one_in_each_state(
    stage: &Stage,
    organization: &OrganizationId,
) -> BTreeMap<String, String> {
    let mut seats = BTreeMap::new();
    for (n, status) in headcount_model::seats::SeatStatus::ALL.into_iter().enumerate() {
        stage.many_seats(organization, (n, 1), status.as_str(), 1).await;
        seats.insert(status.as_str().to_owned(), format!("acc_01kgjb9z8rd3m0many{n:08}"));
    }
    seats
}

#[tokio::test]
async fn each_filter_shows_what_fits_it_and_nothing_else() {
    let stage = Stage::new().await;
    let (organization, key) = stage.seats_tenant().await;
    let seats = json!([
        {"tier": "basic"},
        {"tier": "basic", "tag": "a"},
        {"tier": "premium", "tag": "A"},
        {"tier": "premium", "tag": "a", "org_group": "g"},
        {"tier": "basic", "platform": "tiktok", "username": "t", "pfp_url": "https://example.com/", "keywords": "k"},
        {"tier": "basic", "platform": "instagram", "username": "i", "pfp_url": "https://example.com/", "keywords": "k", "org_group": "G"},
    ]);
    let all = create(&stage, &key, &seats).await;
    let group = AttributeValue::S("u".to_owned());
    stage
        .set(&format!("ORG#{organization}"), &format!("SEAT#{}", all[2]), "user_group", group)
        .await;
    let of = |places: &[usize]| -> Vec<String> {
        places.iter().map(|&place| all[place].clone()).collect()
    };
    for (filter, places) in [
        (json!({}), vec![0, 1, 2, 3, 4, 5]),
        (json!({"tag": "a"}), vec![1, 3]),
        (json!({"tag": " a "}), vec![1, 3]),
        (json!({"tag": "A"}), vec![2]),
        (json!({"tag": "none"}), vec![]),
        (json!({"org_group": "g"}), vec![3]),
        (json!({"user_group": "u"}), vec![2]),
        (json!({"tier": "basic"}), vec![0, 1, 4, 5]),
        (json!({"tier": "premium"}), vec![2, 3]),
        (json!({"platform": "tiktok"}), vec![4]),
        (json!({"platform": "instagram", "org_group": "G"}), vec![5]),
        (json!({"platform": "instagram", "org_group": "g"}), vec![]),
        (json!({"status": "pending"}), vec![4, 5]),
        (json!({"status": "setup"}), vec![4, 5]),
        (json!({"status": "uninitialized", "tag": "a", "tier": "premium"}), vec![3]),
        (json!({"ids": [all[5], all[0]]}), vec![0, 5]),
        (json!({"ids": [all[5], all[0], "acc_01kgjb9z8rd3m0n0b0dy000000"]}), vec![0, 5]),
        (json!({"ids": [all[5], all[1], all[3]], "tag": "a"}), vec![1, 3]),
        (json!({"ids": [all[1]], "user_group": "u"}), vec![]),
    ] {
        assert_eq!(shown(&stage, &key, &filter).await, of(&places), "{filter}");
        // A page of one after the other shows the same.
        let mut paged = Vec::new();
        let mut body = filter.clone();
        body["limit"] = json!(1);
        loop {
            let (seats, next) = page(&stage, &key, &body).await;
            assert!(seats.len() <= 1, "{filter}");
            paged.extend(ids(&seats));
            let Some(next) = next else { break };
            body["cursor"] = json!(next);
        }
        assert_eq!(paged, of(&places), "{filter}");
    }
}

#[tokio::test]
async fn what_is_deactivated_is_shown_under_its_status_alone() {
    let stage = Stage::new().await;
    let (organization, key) = stage.seats_tenant().await;
    let seats = one_in_each_state(&stage, &organization).await;
    for (status, id) in &seats {
        let only = std::slice::from_ref(id);
        assert_eq!(shown(&stage, &key, &json!({ "status": status })).await, only);
        let named = shown(&stage, &key, &json!({ "ids": [id] })).await;
        assert_eq!(named.is_empty(), status == "deactivated", "{status}");
        let both = json!({ "ids": [id], "status": status });
        assert_eq!(shown(&stage, &key, &both).await, only);
    }
    let all = shown(&stage, &key, &json!({})).await;
    assert_eq!(all.len(), seats.len() - 1);
    assert!(!all.contains(&seats["deactivated"]));
}

#[tokio::test]
async fn each_seat_is_shown_once_whatever_happens_meanwhile() {
    let stage = Stage::new().await;
    let (_, key) = stage.seats_tenant().await;
    let all = create(&stage, &key, &json!(vec![json!({"tier": "basic"}); 10])).await;
    let (first, next) = page(&stage, &key, &json!({"limit": 3})).await;
    assert_eq!(ids(&first), all[..3]);
    // One that was shown goes, the one behind the cursor too, and others come.
    deactivate(&stage, &key, &all[2]).await;
    deactivate(&stage, &key, &all[3]).await;
    let more = create(&stage, &key, &json!([{"tier": "basic"}, {"tier": "premium"}])).await;
    let body = json!({"limit": 3, "cursor": next.expect("there is more")});
    let (second, next) = page(&stage, &key, &body).await;
    assert_eq!(ids(&second), all[4..7]);
    // The length of a page is no filter, and may be left out behind a cursor.
    let body = json!({"cursor": next.expect("there is more")});
    let (rest, next) = page(&stage, &key, &body).await;
    assert_eq!((ids(&rest), next), ([&all[7..], &more[..]].concat(), None));
}

#[tokio::test]
async fn the_end_is_told_and_not_found_by_an_empty_page() {
    let stage = Stage::new().await;
    let (_, key) = stage.seats_tenant().await;
    let all = create(&stage, &key, &json!(vec![json!({"tier": "basic"}); 4])).await;
    for (limit, more) in [(1, true), (3, true), (4, false), (5, false), (1_000, false)] {
        let (seats, next) = page(&stage, &key, &json!({ "limit": limit })).await;
        assert_eq!((seats.len(), next.is_some()), (limit.min(4), more), "{limit}");
        let named = json!({ "limit": limit, "ids": all });
        let (seats, next) = page(&stage, &key, &named).await;
        assert_eq!((seats.len(), next.is_some()), (limit.min(4), more), "{limit} of those named");
    }
}

#[tokio::test]
async fn a_hundred_seats_are_one_call_however_many_there_are() {
    let stage = Stage::new().await;
    let (organization, key) = stage.seats_tenant().await;
    stage.many_seats(&organization, (0, 300), "uninitialized", 10).await;
    stage.operations.take();
    let (seats, next) = page(&stage, &key, &json!({"limit": 100})).await;
    assert_eq!(seats.len(), 100);
    assert_eq!(stage.operations.take(), ["GetItem", "Query"]);
    let body = json!({"limit": 100, "cursor": next.expect("there is more")});
    assert_eq!(page(&stage, &key, &body).await.0.len(), 100);
    assert_eq!(stage.operations.take(), ["Query"]);
    let body = json!({ "ids": ids(&seats) });
    assert_eq!(page(&stage, &key, &body).await.0.len(), 100);
    assert_eq!(stage.operations.take(), ["BatchGetItem"]);
    let body = json!({"limit": 5, "tag": "none"});
    assert_eq!(page(&stage, &key, &body).await, (Vec::new(), None));
    assert_eq!(stage.operations.take(), ["Query"]);
    assert_eq!(page(&stage, &key, &json!({})).await.0.len(), 300);
    assert_eq!(stage.operations.take(), ["Query"]);
}

#[tokio::test]
async fn seats_that_are_no_more_do_not_make_pages_empty() {
    let stage = Stage::new().await;
    let (organization, key) = stage.seats_tenant().await;
    stage.many_seats(&organization, (0, 500), "deactivated", 10).await;
    stage.many_seats(&organization, (500, 5), "uninitialized", 10).await;
    stage.operations.take();
    let (seats, next) = page(&stage, &key, &json!({"limit": 4})).await;
    assert_eq!((seats.len(), next.is_some()), (4, true));
    assert_eq!(stage.operations.take(), ["GetItem", "Query", "Query"]);
}

#[tokio::test]
async fn a_list_of_more_than_four_megabytes_is_refused_whole_and_given_in_pages() {
    let stage = Stage::new().await;
    let (organization, key) = stage.seats_tenant().await;
    let each = 30_000;
    // Past what the use case lets in, so that few are enough.
    stage.many_seats(&organization, (0, 150), "uninitialized", each).await;
    let reply = list(&stage, &key, &json!({})).await;
    assert_eq!((reply.status, &reply.json()["error"]), (400, &json!("too_many_accounts")));
    for name in ["limit", "cursor"] {
        assert!(reply.text.contains(name), "{}", reply.text);
    }
    let mut shown = Vec::new();
    let mut body = json!({"limit": 1_000});
    loop {
        let reply = list(&stage, &key, &body).await;
        assert!(reply.status == 200 && reply.text.len() < MOST_BYTES + 1_000);
        shown.extend(ids(reply.json()["data"].as_array().expect("a list")));
        let Some(next) = reply.json()["next_cursor"].as_str().map(str::to_owned) else { break };
        body["cursor"] = json!(next);
    }
    let expected: Vec<_> = (0..150).map(|n| format!("acc_01kgjb9z8rd3m0many{n:08}")).collect();
    assert_eq!(shown, expected, "each once, in order");
    // What a filter leaves may be little enough.
    assert_eq!(page(&stage, &key, &json!({"tag": "none"})).await, (Vec::new(), None));
    let few = json!({ "ids": expected[..100] });
    assert_eq!(page(&stage, &key, &few).await.0.len(), 100);
}

#[tokio::test]
async fn a_cursor_is_good_for_its_own_list_alone() {
    let stage = Stage::new().await;
    let ((one, key), (other, stranger)) = (stage.seats_tenant().await, stage.seats_tenant().await);
    for organization in [&one, &other] {
        stage.many_seats(organization, (0, 3), "uninitialized", 10).await;
    }
    let (_, cursor) = page(&stage, &key, &json!({"limit": 1})).await;
    let cursor = cursor.expect("there is more");
    let with = |cursor: &str| json!({"limit": 1, "cursor": cursor});
    let foreign = list(&stage, &stranger, &with(&cursor)).await;
    let errors = json!([{
        "index": null,
        "field": "cursor",
        "rule": "cursor",
        "message": "cursor is not one that was given out for this list.",
    }]);
    assert_eq!((foreign.status, &foreign.json()["errors"]), (400, &errors));
    let tampered = format!("{}0", &cursor[..cursor.len() - 1]);
    for malformed in ["", "cursor", "cursor_", "cursor__", &cursor[..60], &tampered, "SEAT#1"] {
        let reply = list(&stage, &key, &with(malformed)).await;
        assert_eq!((reply.status, &reply.text), (400, &foreign.text), "{malformed}");
    }
    let seat = "acc_01kgjb9z8rd3m0many00000000";
    for filter in [
        json!({"tag": "a"}),
        json!({"org_group": "a"}),
        json!({"user_group": "a"}),
        json!({"status": "uninitialized"}),
        json!({"tier": "basic"}),
        json!({"platform": "tiktok"}),
        json!({"ids": [seat]}),
    ] {
        let mut body = filter.clone();
        body["cursor"] = json!(cursor);
        let reply = list(&stage, &key, &body).await;
        assert_eq!((reply.status, &reply.text), (400, &foreign.text), "{filter}");
    }
    // Its own is still good, and that of the history is another list's.
    assert_eq!(page(&stage, &key, &with(&cursor)).await.0.len(), 1);
    let history = Call::empty().bearer(&key).query("cursor", &cursor);
    assert_eq!(history.send(&stage.get_billing_history()).await.status, 400);
}

#[tokio::test]
async fn another_organizations_seats_and_those_that_are_not_there_are_one() {
    let stage = Stage::new().await;
    let ((one, key), (other, stranger)) = (stage.seats_tenant().await, stage.seats_tenant().await);
    stage.many_seats(&one, (0, 2), "uninitialized", 10).await;
    stage.many_seats(&other, (10, 2), "uninitialized", 10).await;
    let before = stage.snapshot().await;
    let foreign = shown(&stage, &stranger, &json!({})).await;
    let missing = json!({"ids": ["acc_01kgjb9z8rd3m0n0b0dy000000"]});
    let missing = list(&stage, &key, &missing).await;
    for id in foreign {
        let reply = list(&stage, &key, &json!({ "ids": [id] })).await;
        assert_eq!((reply.status, &reply.text), (missing.status, &missing.text));
    }
    assert_eq!(shown(&stage, &key, &json!({})).await.len(), 2);
    assert_eq!(stage.snapshot().await, before, "a list changes nothing");
}

#[tokio::test]
async fn every_fault_is_told_at_once() {
    let stage = Stage::new().await;
    let (_, key) = stage.seats_tenant().await;
    let body = json!({
        "tag": "", "org_group": 1, "user_group": "g".repeat(65), "status": "gone", "tier": "gold",
        "platform": "myspace", "ids": ["acc_"], "limit": 1_001, "cursor": "x", "page": 2,
    });
    let reply = list(&stage, &key, &body).await;
    let answer = reply.json();
    let faults = answer["errors"].as_array().expect("faults").iter();
    let faults: Vec<_> = faults
        .map(|fault| format!("{} {}", fault["field"], fault["rule"]).replace('"', ""))
        .collect();
    assert_eq!((reply.status, &answer["error"]), (400, &json!("invalid_request")));
    assert_eq!(
        faults,
        [
            "tag min_length",
            "org_group type",
            "user_group max_length",
            "status one_of",
            "tier one_of",
            "platform one_of",
            "ids[0] account_id",
            "limit range",
            "cursor cursor",
            "page unknown_field",
        ]
    );
}

#[tokio::test]
async fn either_permission_will_do_and_none_will_not() {
    let stage = Stage::new().await;
    let (organization, _) = stage.seats_tenant().await;
    let holder = Holder::Organization(organization);
    for permission in [Permission::AccountsRead, Permission::AccountsCreate] {
        let key = stage.credential(holder.clone(), &[permission]).await;
        page(&stage, &key, &json!({})).await;
    }
    let key = stage.credential(holder.clone(), &[Permission::BillingRead]).await;
    let reply = list(&stage, &key, &json!({})).await;
    assert_eq!((reply.status, &reply.json()["error"]), (403, &json!("forbidden")));
    assert!(reply.text.contains("accounts:read"), "{}", reply.text);

    let none = Call::json(&json!({})).send(&stage.list_seats()).await;
    assert_eq!((none.status, &none.json()["error"]), (401, &json!("unauthorized")));
    for (what, header) in bad_credentials(&stage, &holder, Permission::AccountsRead).await {
        let call = Call::json(&json!({})).header("authorization", &header);
        let reply = call.send(&stage.list_seats()).await;
        assert_eq!((reply.status, &reply.text), (401, &none.text), "{what}");
    }
}

/// What an earlier version of the service wrote, or a later one, is shown.
#[tokio::test]
async fn seats_of_other_versions_are_shown() {
    let stage = Stage::new().await;
    let (organization, key) = stage.seats_tenant().await;
    let id = &create(&stage, &key, &json!([{"tier": "basic"}])).await[0];
    let (pk, sk) = (format!("ORG#{organization}"), format!("SEAT#{id}"));
    stage.remove(&pk, &sk, "device_type").await;
    stage.set(&pk, &sk, "status", AttributeValue::S("dormant".to_owned())).await;
    stage.set(&pk, &sk, "version", AttributeValue::N("3".to_owned())).await;
    let (seats, _) = page(&stage, &key, &json!({})).await;
    assert_eq!((&seats[0]["status"], &seats[0]["version"]), (&json!("dormant"), &json!(3)));
}
