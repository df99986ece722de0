//! `GET /v1/accounts`: LIFECYCLE, "Common" and "Identity API"; docs/adr/0037-lists-of-accounts.md.

use std::path::Path;

use aws_sdk_dynamodb::types::AttributeValue;
use headcount_model::credential::{Holder, Permission};
use headcount_model::identity::AccountStatus;
use headcount_tests::identity::{UNAUTHORIZED, log_in};
use headcount_tests::{Call, LISTED, PASSWORD, Reply, Stage, bad_credentials};
use jiff::SignedDuration;
use serde_json::{Value, json};

const PERMISSIONS: [Permission; 2] = [Permission::AccountsRead, Permission::AccountsCreate];

fn call(token: &str, query: &[(&str, &str)]) -> Call {
    let call = Call::empty().at("/v1/accounts").without("content-type").bearer(token);
    query.iter().fold(call, |call, (name, value)| call.query(name, value))
}

async fn list(stage: &Stage, token: &str, query: &[(&str, &str)]) -> Reply {
    call(token, query).send(&stage.list_accounts()).await
}

/// The ids of a page, and the cursor of the next.
fn page(reply: &Reply) -> (Vec<String>, Option<String>) {
    assert_eq!(reply.status, 200, "{}", reply.text);
    let body = reply.json();
    let next = body["next_cursor"].as_str().map(str::to_owned);
    assert_eq!(body["has_more"], next.is_some(), "{}", reply.text);
    let id = |account: &Value| account["id"].as_str().expect("an id").to_owned();
    (body["data"].as_array().expect("a list").iter().map(id).collect(), next)
}

async fn shown(stage: &Stage, token: &str, query: &[(&str, &str)]) -> Vec<String> {
    page(&list(stage, token, query).await).0
}

/// The ids of all pages, and how many there were.
async fn walk(stage: &Stage, token: &str, query: &[(&str, &str)]) -> (Vec<String>, usize) {
    let (mut all, mut next) = page(&list(stage, token, query).await);
    let mut pages = 1;
    while let Some(cursor) = next {
        let query = [query, &[("cursor", &*cursor)]].concat();
        let (ids, behind) = page(&list(stage, token, &query).await);
        all.extend(ids);
        next = behind;
        pages += 1;
    }
    (all, pages)
}

fn many(numbers: impl IntoIterator<Item = usize>) -> Vec<String> {
    numbers.into_iter().map(|n| format!("acct_01kgjb9z8rd3m0many{n:08}")).collect()
}

/// The same fault for every cursor that is not one of the list.
fn is_no_cursor(reply: &Reply) {
    let expected = json!([{
        "field": "cursor", "rule": "cursor", "message": "cursor is not one that was given out for this list."
    }]);
    assert_eq!((reply.status, &reply.json()["details"]), (400, &expected), "{}", reply.text);
}

#[tokio::test]
async fn the_whole_answer_is_what_each_account_sees_of_itself() {
    let stage = Stage::new().await;
    let token = stage.administrator().await;
    let empty = r#"{"data":[],"has_more":false,"next_cursor":null}"#;
    let reply = list(&stage, &token, &[]).await;
    assert_eq!((reply.status, reply.text.as_str()), (200, empty));
    assert_eq!(reply.header("content-type"), "application/json");
    assert_eq!(reply.header("x-request-id"), "request-1");
    let body = json!({
        "email": "Jo@Bücher.example", "name": "Jo \"March\"", "type": "individual", "password": PASSWORD,
        "settings": {"currency": "EUR", "timezone": "europe/oslo", "language": "PT-br"}
    });
    let created = Call::json(&body).send(&stage.create_account()).await;
    stage.ports.advance(SignedDuration::from_micros(1));
    let own = stage.own_account("owner").await;
    let itself = Call::empty().bearer(&own.token).send(&stage.get_own_account()).await;
    let reply = list(&stage, &token, &[]).await;
    let expected = format!(
        r#"{{"data":[{},{}],"has_more":false,"next_cursor":null}}"#,
        created.text, itself.text
    );
    assert_eq!((reply.status, reply.text), (200, expected));
}

#[tokio::test]
async fn a_change_is_shown_in_its_place_and_a_closed_account_no_more() {
    let stage = Stage::new().await;
    let token = stage.credential(Holder::Administrator, &Permission::ALL).await;
    let mut accounts = Vec::new();
    for name in ["first", "second", "third"] {
        accounts.push(stage.own_account_with_password(name, AccountStatus::Active).await);
        stage.ports.advance(SignedDuration::from_secs(1));
    }
    let ids: Vec<_> = accounts.iter().map(|account| account.id.to_string()).collect();
    let patch = json!({
        "email": "other@example.com", "name": "Other", "status": "suspended", "settings": {"currency": "EUR"}
    });
    let path = format!("/v1/accounts/{}", ids[0]);
    let patched = Call::json(&patch).at(&path).bearer(&token).send(&stage.update_account()).await;
    assert_eq!(patched.status, 200, "{}", patched.text);
    let reply = list(&stage, &token, &[]).await;
    assert_eq!(page(&reply).0, ids);
    assert_eq!(reply.json()["data"][0], patched.json());
    // A log-in, a new hash and a new password change nothing of it.
    assert_eq!(log_in(&stage, &accounts[1].email, PASSWORD).await.status, 200);
    let password = json!({"password": "another long password", "current_password": PASSWORD});
    let own = Call::json(&password).bearer(&accounts[1].token);
    assert_eq!(own.send(&stage.update_own_account()).await.status, 200);
    assert_eq!(shown(&stage, &token, &[]).await, ids);
    let close = Call::empty().bearer(&accounts[1].token).send(&stage.delete_own_account()).await;
    assert_eq!(close.status, 200);
    assert_eq!(shown(&stage, &token, &[]).await, [ids[0].clone(), ids[2].clone()]);
    assert_eq!(shown(&stage, &token, &[("email", &accounts[1].email)]).await, [""; 0]);
    // Its address goes to another one, which is at the end.
    stage.ports.advance(SignedDuration::from_hours(24 * 31));
    let new = json!({
        "email": accounts[1].email, "name": "New", "type": "business", "password": PASSWORD
    });
    let new = Call::json(&new).send(&stage.create_account()).await.json();
    let new = new["id"].as_str().expect("an id").to_owned();
    assert_eq!(shown(&stage, &token, &[]).await, [ids[0].clone(), ids[2].clone(), new.clone()]);
    assert_eq!(shown(&stage, &token, &[("email", &accounts[1].email)]).await, [new]);
}

#[tokio::test]
async fn each_filter_shows_what_fits_it_and_nothing_else() {
    let stage = Stage::new().await;
    let token = stage.administrator().await;
    stage.many_own_accounts((0, 3), "active").await;
    stage.many_own_accounts((3, 2), "suspended").await;
    stage.many_own_accounts((5, 1), "pending").await;
    let at = |second: usize| format!("2026-01-01T00:00:0{second}Z");
    let (one, four) = (at(1), at(4));
    for (query, places) in [
        (&[][..], vec![0, 1, 2, 3, 4, 5]),
        (&[("status", "active")], vec![0, 1, 2]),
        (&[("status", "suspended")], vec![3, 4]),
        (&[("status", " pending ")], vec![5]),
        (&[("created_after", &one)], vec![1, 2, 3, 4, 5]),
        (&[("created_before", &four)], vec![0, 1, 2, 3]),
        (&[("created_after", &one), ("created_before", &four)], vec![1, 2, 3]),
        (&[("created_after", &one), ("created_before", &four), ("status", "suspended")], vec![3]),
        (&[("created_after", &four), ("created_before", &one)], vec![]),
        (&[("created_after", &one), ("created_before", &one)], vec![]),
        (&[("created_after", "2026-01-01T02:00:04%2B02:00")], vec![4, 5]),
        (&[("created_after", "2026-01-01T00:00:04.000001Z")], vec![5]),
        (&[("created_before", "-009999-01-02T01:59:59Z")], vec![]),
        (&[("created_after", "9999-12-30T22:00:00Z")], vec![]),
        (&[("email", "many3@example.com")], vec![3]),
        (&[("email", "MANY3%40Example.COM")], vec![3]),
        (&[("email", "many3@example.com"), ("status", "active")], vec![]),
        (&[("email", "many3@example.com"), ("created_after", &four)], vec![]),
        (&[("email", "many3@example.com"), ("created_before", &four)], vec![3]),
        (&[("email", "many@example.com")], vec![]),
    ] {
        for n in 0..6 {
            keep_lock(&stage, n).await;
        }
        assert_eq!(walk(&stage, &token, query).await.0, many(places), "{query:?}");
    }
}

/// The lock on the address of one of [`Stage::many_own_accounts`].
async fn keep_lock(stage: &Stage, n: usize) {
    let text = |text: String| AttributeValue::S(text);
    let lock = stage.client.put_item().table_name(headcount_tests::TABLE);
    let lock = lock.item("pk", text(format!("EMAIL#many{n}@example.com")));
    let lock = lock.item("sk", text("EMAIL".to_owned()));
    let id = many([n]).remove(0);
    lock.item("account", text(id)).send().await.expect("an item");
}

#[tokio::test]
async fn pages_have_every_account_once_whatever_is_created_and_changed_meanwhile() {
    let stage = Stage::new().await;
    let token = stage.credential(Holder::Administrator, &Permission::ALL).await;
    stage.many_own_accounts((0, 23), "active").await;
    for limit in ["1", "2", "7", "22", "23", "24", "100"] {
        assert_eq!(walk(&stage, &token, &[("limit", limit)]).await.0, many(0..23), "{limit}");
    }
    let (mut seen, mut cursor, mut step) = (Vec::new(), None::<String>, 0);
    loop {
        let mut query = vec![("limit", "5")];
        query.extend(cursor.as_deref().map(|cursor| ("cursor", cursor)));
        let (ids, next) = page(&list(&stage, &token, &query).await);
        seen.extend(ids);
        // One before, one behind and the last that was shown are changed; others come.
        for n in [step, step + 8, step * 5 + 4].map(|n| n.min(22)) {
            let path = format!("/v1/accounts/{}", many([n]).remove(0));
            let patch =
                json!({"status": if step % 2 == 0 { "suspended" } else { "active" }, "name": "X"});
            let patch = Call::json(&patch).at(&path).bearer(&token);
            assert_eq!(patch.send(&stage.update_account()).await.status, 200);
        }
        stage.own_account(&format!("new{step}")).await;
        step += 1;
        let Some(next) = next else { break };
        cursor = Some(next);
    }
    let old: Vec<_> = seen.iter().filter(|id| id.contains("many")).cloned().collect();
    assert_eq!(old, many(0..23), "each once and in their order");
    let mut all = seen.clone();
    all.sort();
    all.dedup();
    assert_eq!(all.len(), seen.len(), "what came meanwhile is there once at most");
}

#[tokio::test]
async fn accounts_of_one_moment_are_told_apart_by_their_ids() {
    let stage = Stage::new().await;
    let token = stage.administrator().await;
    let mut ids = Vec::new();
    for n in 0..9 {
        ids.push(stage.own_account(&format!("at-once{n}")).await.id.to_string());
    }
    ids.sort();
    assert_eq!(walk(&stage, &token, &[("limit", "2")]).await, (ids, 5));
}

#[tokio::test]
async fn a_page_is_one_call_whatever_there_is() {
    let stage = Stage::new().await;
    let token = stage.administrator().await;
    list(&stage, &token, &[]).await;
    stage.many_own_accounts((0, 250), "active").await;
    stage.operations.take();
    let (ids, next) = page(&list(&stage, &token, &[]).await);
    assert_eq!((ids, next.is_some()), (many(0..100), true));
    assert_eq!(stage.operations.take(), ["Query"]);
    let (ids, next) = page(&list(&stage, &token, &[("cursor", &next.expect("more"))]).await);
    assert_eq!((ids, next.is_some()), (many(100..200), true));
    assert_eq!(stage.operations.take(), ["Query"]);
    list(&stage, &token, &[("status", "pending")]).await;
    assert_eq!(stage.operations.take(), ["Query"]);
    keep_lock(&stage, 7).await;
    stage.operations.take();
    assert_eq!(shown(&stage, &token, &[("email", "many7@example.com")]).await, many([7]));
    assert_eq!(stage.operations.take(), ["GetItem", "GetItem"]);
    assert_eq!(shown(&stage, &token, &[("email", "nobody@example.com")]).await, [""; 0]);
    assert_eq!(stage.operations.take(), ["GetItem"]);
    let nothing =
        [("created_after", "2026-01-02T00:00:00Z"), ("created_before", "2026-01-01T00:00:00Z")];
    assert_eq!(shown(&stage, &token, &nothing).await, [""; 0]);
    assert_eq!(stage.operations.take(), [""; 0]);
    // A process that remembers nothing looks up who calls, too.
    let cold = list_accounts::Function { store: stage.cold_table(), ..stage.list_accounts() };
    call(&token, &[]).send(&cold).await;
    assert_eq!(stage.operations.take(), ["GetItem", "Query"]);
}

#[tokio::test]
async fn of_a_status_that_few_have_pages_end_where_a_thousand_were_looked_at() {
    let stage = Stage::new().await;
    let token = stage.administrator().await;
    stage.many_own_accounts((0, 1_100), "active").await;
    for n in [3, 5, 1_050] {
        let pk = format!("ACCOUNT#{}", many([n])[0]);
        let status = AttributeValue::S("suspended".to_owned());
        stage.set(&pk, "ACCOUNT", "status", status).await;
    }
    let query = [("status", "suspended"), ("limit", "2")];
    let first = page(&list(&stage, &token, &query).await);
    assert_eq!(first.0, many([3, 5]));
    assert!(first.1.is_some(), "there may be more");
    assert_eq!(walk(&stage, &token, &query).await, (many([3, 5, 1_050]), 2));
    let (none, pages) = walk(&stage, &token, &[("status", "pending")]).await;
    assert_eq!((none.len(), pages), (0, 2));
    let (one, pages) = walk(&stage, &token, &[("status", "suspended"), ("limit", "1")]).await;
    assert_eq!((one, pages), (many([3, 5, 1_050]), 3));
}

#[tokio::test]
async fn a_cursor_is_good_for_its_own_list_alone() {
    let stage = Stage::new().await;
    let token = stage.administrator().await;
    stage.many_own_accounts((0, 5), "active").await;
    let after = "2026-01-01T00:00:01Z";
    let filters: [&[(&str, &str)]; 5] = [
        &[],
        &[("status", "active")],
        &[("created_after", after)],
        &[("created_before", "2027-01-01T00:00:00Z")],
        &[("status", "active"), ("created_after", after)],
    ];
    for (n, given) in filters.iter().enumerate() {
        let cursor = page(&list(&stage, &token, &[given, &[("limit", "1")][..]].concat()).await).1;
        let cursor = cursor.expect("there is more");
        assert!(!cursor.contains("acct") && !cursor.contains("2026"), "{cursor}");
        for (m, asked) in filters.iter().enumerate() {
            let reply = list(&stage, &token, &[asked, &[("cursor", &*cursor)][..]].concat()).await;
            if n == m {
                assert!(!page(&reply).0.is_empty());
            } else {
                is_no_cursor(&reply);
            }
        }
        // Nor with an address, of which there is one account at most.
        let query = [("email", "many1@example.com"), ("cursor", &*cursor)];
        is_no_cursor(&list(&stage, &token, &query).await);
        // The limit is no filter, nor who of the administrators asks, nor how a time is written.
        let other = stage.administrator().await;
        let again = [given, &[("cursor", &*cursor), ("limit", "2")][..]].concat();
        assert_eq!(list(&stage, &other, &again).await.status, 200);
    }
    let spelled = [("created_after", "2026-01-01T01:00:01.0%2B01:00"), ("limit", "1")];
    let cursor = page(&list(&stage, &token, &spelled).await).1.expect("there is more");
    let query = [("created_after", after), ("cursor", &*cursor)];
    assert_eq!(shown(&stage, &token, &query).await, many([2, 3, 4]));
    // Lists of others: an organization's seats, and an account's sessions.
    let (organization, key) = stage.seats_tenant().await;
    stage.many_seats(&organization, (0, 2), "pending", 1).await;
    let seats = Call::json(&json!({"limit": 1})).bearer(&key).send(&stage.list_seats()).await;
    let own = stage.own_account("owner").await;
    stage.session_of(&own.id, &own.email, 0).await;
    let sessions = Call::empty().bearer(&own.token).query("limit", "1");
    let sessions = sessions.send(&stage.list_sessions()).await;
    for reply in [seats, sessions] {
        let cursor = reply.json()["next_cursor"].as_str().expect("there is more").to_owned();
        is_no_cursor(&list(&stage, &token, &[("cursor", &cursor)]).await);
    }
    for cursor in ["", "cursor_", "x", "acct_01kgjb9z8rd3m0many00000001", "cursor_00_00"] {
        is_no_cursor(&list(&stage, &token, &[("cursor", cursor)]).await);
    }
}

#[tokio::test]
async fn all_that_is_wrong_with_a_query_is_told_at_once() {
    let stage = Stage::new().await;
    let token = stage.administrator().await;
    let made_up = format!("cursor_00_{}", "0".repeat(64));
    for (query, rules) in [
        (&[("limit", "0")][..], json!([["limit", "range"]])),
        (&[("limit", "101")], json!([["limit", "range"]])),
        (&[("limit", "%2B1")], json!([["limit", "range"]])),
        (&[("limit", "1"), ("limit", "2")], json!([["limit", "range"]])),
        (&[("email", "")], json!([["email", "email"]])),
        (&[("email", "a@example.com"), ("email", "b@example.com")], json!([["email", "email"]])),
        (&[("status", "closed")], json!([["status", "one_of"]])),
        (&[("status", "Active")], json!([["status", "one_of"]])),
        (&[("status", "")], json!([["status", "one_of"]])),
        (&[("status", "active"), ("status", "active")], json!([["status", "one_of"]])),
        (&[("created_after", "")], json!([["created_after", "time"]])),
        (&[("created_after", "2026-01-01")], json!([["created_after", "time"]])),
        (&[("created_after", "2026-01-01T00:00:00")], json!([["created_after", "time"]])),
        // What is not encoded is a space.
        (&[("created_after", "2026-01-01T00:00:00 02:00")], json!([["created_after", "time"]])),
        (&[("created_before", "1767225600")], json!([["created_before", "time"]])),
        (&[("created_before", "2026-02-30T00:00:00Z")], json!([["created_before", "time"]])),
        (
            &[("name", "Acme"), ("type", "business")],
            json!([["name", "unknown_field"], ["type", "unknown_field"]]),
        ),
        (
            &[("page", "2"), ("cursor", "x"), ("limit", "x"), ("status", "x"), ("email", "x")],
            json!([
                ["email", "email"],
                ["status", "one_of"],
                ["limit", "range"],
                ["cursor", "cursor"],
                ["page", "unknown_field"]
            ]),
        ),
        // Which list is meant is not known: of the cursor the form alone is looked at.
        (&[("status", "x"), ("cursor", &made_up)], json!([["status", "one_of"]])),
    ] {
        let call = call(&token, query);
        for event in [call.event(), call.rest_event(), call.load_balancer_event()] {
            let reply = Reply::to_event(&stage.list_accounts(), &event).await;
            assert_eq!(reply.status, 400, "{query:?}: {}", reply.text);
            let details = reply.json()["details"].as_array().expect("details").clone();
            let told: Vec<_> =
                details.iter().map(|one| json!([one["field"], one["rule"]])).collect();
            assert_eq!(json!(told), rules, "{query:?}");
        }
    }
    let closed = list(&stage, &token, &[("status", "closed")]).await;
    let message = "status must be one of: active, suspended, pending.";
    assert_eq!(closed.json()["details"][0]["message"], message);
    let time = list(&stage, &token, &[("created_after", "today")]).await;
    let message = "created_after must be a time with its zone, such as 2026-01-31T00:00:00Z.";
    assert_eq!(time.json()["details"][0]["message"], message);
}

#[tokio::test]
async fn a_query_is_the_same_behind_every_gateway() {
    let stage = Stage::new().await;
    let token = stage.administrator().await;
    let body = json!({
        "email": "o+tag@bücher.example", "name": "O", "type": "individual", "password": PASSWORD
    });
    let created = Call::json(&body).send(&stage.create_account()).await;
    let id = created.json()["id"].as_str().expect("an id").to_owned();
    for email in ["o%2Btag%40b%C3%BCcher.example", "%6F%2Btag@xn--bcher-kva.example"] {
        let call = Call::text("[").at("/prod/v1/accounts/").bearer(&token).query("email", email);
        for event in [call.event(), call.rest_event(), call.load_balancer_event()] {
            let reply = Reply::to_event(&stage.list_accounts(), &event).await;
            assert_eq!(page(&reply).0, [id.clone()], "{email}");
        }
    }
}

#[tokio::test]
async fn administrators_with_the_permission_are_let_in_and_nobody_else() {
    let stage = Stage::new().await;
    let own = stage.own_account("owner").await;
    for permission in PERMISSIONS {
        let token = stage.credential(Holder::Administrator, &[permission]).await;
        assert_eq!(shown(&stage, &token, &[]).await, [own.id.to_string()]);
    }
    let others: Vec<_> =
        Permission::ALL.into_iter().filter(|one| !PERMISSIONS.contains(one)).collect();
    let lacking = stage.credential(Holder::Administrator, &others).await;
    let forbidden = r#"{"error":"forbidden","message":"This access token lacks the permission accounts:read."}"#;
    // Who may not look is not told what is wrong with the query, nor whose an address is.
    for query in [&[][..], &[("limit", "0")], &[("email", "owner@example.com")]] {
        let reply = list(&stage, &lacking, query).await;
        assert_eq!((reply.status, reply.text.as_str()), (403, forbidden));
    }
    let (organization, key) = stage.seats_tenant().await;
    let foreign = stage.credential(Holder::Organization(organization), &Permission::ALL).await;
    let agency = stage.agency_tenant().await;
    let app = stage.credential(agency.holder(), &Permission::ALL).await;
    for token in [&own.token, &own.refresh, &key, &foreign, &app] {
        let reply = list(&stage, token, &[]).await;
        assert_eq!((reply.status, reply.text.as_str()), (401, UNAUTHORIZED));
    }
    let nobody = call("x", &[]).without("authorization").send(&stage.list_accounts()).await;
    assert_eq!((nobody.status, nobody.text.as_str()), (401, UNAUTHORIZED));
    for (what, header) in bad_credentials(&stage, &Holder::Administrator, PERMISSIONS[0]).await {
        let call = call("x", &[]).header("authorization", &header);
        assert_eq!(call.send(&stage.list_accounts()).await.status, 401, "{what}");
    }
}

/// An account that an earlier version created has no place in the list yet.
#[tokio::test]
async fn older_accounts_come_into_the_list_where_they_belong() {
    let stage = Stage::new().await;
    let token = stage.administrator().await;
    let mut ids = Vec::new();
    for name in ["first", "second", "third", "closed"] {
        ids.push(stage.own_account(name).await.id);
        stage.ports.advance(SignedDuration::from_secs(1));
    }
    let all: Vec<_> = ids[..3].iter().map(ToString::to_string).collect();
    for id in &ids[..2] {
        stage.remove(&format!("ACCOUNT#{id}"), "ACCOUNT", "listed_as").await;
    }
    stage.close(&ids[3]).await;
    assert_eq!(shown(&stage, &token, &[]).await, all[2..]);
    // By its address it is found all the same.
    let by_address = shown(&stage, &token, &[("email", "first@example.com")]).await;
    assert_eq!(by_address, all[..1]);
    let before = stage.items().await.len();
    assert_eq!(stage.table.list_older_accounts().await, Ok(2));
    assert_eq!(shown(&stage, &token, &[]).await, all);
    assert_eq!(stage.table.list_older_accounts().await, Ok(0));
    assert_eq!(stage.items().await.len(), before);
}

#[tokio::test]
async fn the_index_has_no_more_of_an_account_than_is_shown() {
    let template = Path::new(env!("CARGO_MANIFEST_DIR")).join("../template.yaml");
    let template = std::fs::read_to_string(template).expect("a template");
    let line = format!("NonKeyAttributes: [{}]", LISTED.join(", "));
    assert!(template.contains(&line), "{line}");
    assert!(!LISTED.contains(&"password_hash"));
    let stage = Stage::new().await;
    stage.own_account("owner").await;
    stage.agency_tenant().await;
    stage.seats_tenant().await;
    let query = stage.client.query().table_name(headcount_tests::TABLE).index_name("accounts");
    let query = query.key_condition_expression("sk = :account");
    let query =
        query.expression_attribute_values(":account", AttributeValue::S("ACCOUNT".to_owned()));
    let items = query.send().await.expect("the table answers").items.expect("items");
    let [item] = items.as_slice() else { panic!("{items:?}") };
    let mut names: Vec<_> = item.keys().map(String::as_str).collect();
    names.sort_unstable();
    let mut expected = [&LISTED[..], &["pk", "sk", "listed_as"]].concat();
    expected.sort_unstable();
    assert_eq!(names, expected);
    // Nothing else of the table is in it.
    assert_eq!(stage.items_with("listed_as").await, 1);
}

#[tokio::test]
async fn without_the_table_it_says_to_come_back() {
    let stage = Stage::new().await;
    let token = stage.administrator().await;
    let own = stage.own_account("owner").await;
    stage.wire.cut();
    for query in [&[][..], &[("email", "owner@example.com")]] {
        let reply = list(&stage, &token, query).await;
        assert_eq!((reply.status, reply.header("retry-after")), (503, "1"));
    }
    stage.wire.mend();
    // An item that says nothing is no account, and none is left out silently.
    stage.remove(&format!("ACCOUNT#{}", own.id), "ACCOUNT", "email").await;
    assert_eq!(list(&stage, &token, &[]).await.status, 503);
}
