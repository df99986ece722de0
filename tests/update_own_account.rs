//! `PATCH /v1/account`: LIFECYCLE, "Common" and "Identity API"; RFC 7396.

use aws_sdk_dynamodb::types::AttributeValue;
use headcount_model::identity::AccountStatus;
use headcount_tests::identity::{UNAUTHORIZED, lets_in_nobody_else, log_in};
use headcount_tests::{Call, Item, OwnTenant, PASSWORD, Reply, Stage, text_of};
use jiff::SignedDuration;
use serde_json::{Value, json};

const OTHER_PASSWORD: &str = "quite another password";
const EMAIL_LINKED: &str =
    r#"{"error":"email_exists","message":"This email is already linked to another account."}"#;

fn call(body: &Value) -> Call {
    Call::json(body).at("/v1/account").header("content-type", "application/merge-patch+json")
}

async fn patch(stage: &Stage, own: &OwnTenant, body: &Value) -> Reply {
    call(body).bearer(&own.token).send(&stage.update_own_account()).await
}

async fn shown(stage: &Stage, own: &OwnTenant) -> Reply {
    Call::empty().bearer(&own.token).send(&stage.get_own_account()).await
}

async fn audit(stage: &Stage, own: &OwnTenant) -> Vec<Item> {
    let mut items = stage.items_under(&format!("ACCOUNT#{}", own.id)).await;
    items.retain(|item| text_of(item, "sk").is_some_and(|sk| sk.starts_with("AUDIT#")));
    items
}

fn list(item: &Item, name: &str) -> Vec<String> {
    let list = item[name].as_l().expect("a list").iter();
    list.map(|text| text.as_s().expect("text").clone()).collect()
}

/// The addresses that are locked, with whose they are.
async fn locks(stage: &Stage) -> Vec<(String, String)> {
    let items = stage.items_under("EMAIL#").await;
    let text = |item: &Item, name| text_of(item, name).expect("text").to_owned();
    let mut locks: Vec<_> =
        items.iter().map(|item| (text(item, "pk"), text(item, "account"))).collect();
    locks.sort();
    locks
}

#[tokio::test]
async fn the_whole_answer_and_it_is_what_is_shown() {
    let stage = Stage::new().await;
    let own = stage.own_account("owner").await;
    stage.ports.advance(SignedDuration::from_mins(10));
    let body =
        json!({"name": " Acme Ltd. ", "settings": {"currency": "EUR", "timezone": "europe/oslo"}});
    let reply = patch(&stage, &own, &body).await;
    let expected = format!(
        concat!(
            r#"{{"id":"{}","email":"owner@example.com","name":"Acme Ltd.","type":"business","#,
            r#""status":"active","created_at":"2026-02-03T18:12:47Z","updated_at":"2026-02-03T18:22:47Z","#,
            r#""settings":{{"currency":"EUR","timezone":"Europe/Oslo","language":"en"}}}}"#
        ),
        own.id
    );
    assert_eq!((reply.status, reply.text.as_str()), (200, expected.as_str()));
    assert_eq!(reply.header("etag"), "\"1\"");
    let shown = shown(&stage, &own).await;
    assert_eq!((shown.text.as_str(), shown.header("etag")), (expected.as_str(), "\"1\""));
}

#[tokio::test]
async fn what_is_left_out_stays_and_null_is_the_default() {
    let stage = Stage::new().await;
    let own = stage.own_account("owner").await;
    let settings = async |body: Value| patch(&stage, &own, &body).await.json()["settings"].clone();
    let euros = json!({"currency": "EUR", "timezone": "Europe/Oslo", "language": "nb"});
    assert_eq!(settings(json!({"settings": euros})).await, euros);
    assert_eq!(settings(json!({"settings": {}})).await, euros);
    assert_eq!(settings(json!({"name": "x"})).await, euros);
    let some = settings(json!({"settings": {"timezone": null}})).await;
    assert_eq!(some, json!({"currency": "EUR", "timezone": "UTC", "language": "nb"}));
    let none = settings(json!({"settings": null})).await;
    assert_eq!(none, json!({"currency": "USD", "timezone": "UTC", "language": "en"}));
}

#[tokio::test]
async fn what_is_so_already_changes_nothing() {
    let stage = Stage::new().await;
    let own = stage.own_account("owner").await;
    let before = stage.items().await;
    stage.ports.advance(SignedDuration::from_mins(10));
    for body in [
        json!({}),
        json!({"name": "Acme Inc.", "email": "owner@example.com", "settings": {"currency": "USD"}}),
    ] {
        let reply = patch(&stage, &own, &body).await;
        assert_eq!((reply.status, reply.header("etag")), (200, "\"0\""));
        assert_eq!(reply.json()["updated_at"], "2026-02-03T18:12:47Z");
    }
    assert!(stage.items().await == before);
}

#[tokio::test]
async fn both_content_types_are_taken_and_no_other() {
    let stage = Stage::new().await;
    let own = stage.own_account("owner").await;
    for (content_type, status) in [
        ("application/json", 200),
        ("application/merge-patch+json", 200),
        ("Application/Merge-Patch+JSON; charset=utf-8", 200),
        ("application/json-patch+json", 415),
        ("text/plain", 415),
        ("application/merge-patch+json; charset=latin1", 415),
    ] {
        let call = call(&json!({"name": "x"})).header("content-type", content_type);
        let reply = call.bearer(&own.token).send(&stage.update_own_account()).await;
        assert_eq!(reply.status, status, "{content_type}");
    }
}

#[tokio::test]
async fn if_match_has_to_name_the_version() {
    let stage = Stage::new().await;
    let own = stage.own_account("owner").await;
    let change = async |tag: &str, name: &str| {
        let call = call(&json!({"name": name})).bearer(&own.token).header("if-match", tag);
        call.send(&stage.update_own_account()).await
    };
    assert_eq!(change("\"0\"", "one").await.header("etag"), "\"1\"");
    let before = stage.items().await;
    for stale in ["\"0\"", "W/\"1\"", "", "1", "\"0\", \"2\""] {
        let reply = change(stale, "two").await;
        let expected = r#"{"error":"version_mismatch","message":"The account has been changed: If-Match does not name its version."}"#;
        assert_eq!((reply.status, reply.text.as_str()), (412, expected), "{stale}");
    }
    assert!(stage.items().await == before);
    assert_eq!(change("\"0\", \"1\"", "two").await.status, 200);
    assert_eq!(change("*", "three").await.header("etag"), "\"3\"");
}

#[tokio::test]
async fn another_address_takes_its_lock_along() {
    let stage = Stage::new().await;
    let own = stage.own_account("owner").await;
    let reply = patch(&stage, &own, &json!({"email": "New@Bücher.example"})).await;
    assert_eq!((reply.status, &reply.json()["email"]), (200, &json!("New@Bücher.example")));
    let lock = ("EMAIL#new@xn--bcher-kva.example".to_owned(), own.id.to_string());
    assert_eq!(locks(&stage).await, std::slice::from_ref(&lock));
    // In other letters it is the same address.
    patch(&stage, &own, &json!({"email": "NEW@bücher.example"})).await;
    assert_eq!(locks(&stage).await, [lock]);
    assert_eq!(shown(&stage, &own).await.json()["email"], "NEW@bücher.example");
    let old = stage.own_account("owner").await;
    assert_eq!(shown(&stage, &old).await.json()["email"], "owner@example.com", "it is free again");
}

#[tokio::test]
async fn an_address_that_is_taken_changes_nothing() {
    let stage = Stage::new().await;
    let own = stage.own_account("owner").await;
    stage.own_account("other").await;
    let before = stage.items().await;
    let body = json!({"name": "Another", "email": "OTHER@example.com"});
    for _ in 0..2 {
        let reply = call(&body).key("k").bearer(&own.token).send(&stage.update_own_account()).await;
        assert_eq!((reply.status, reply.text.as_str()), (409, EMAIL_LINKED));
    }
    assert!(stage.items().await == before);
}

#[tokio::test]
async fn of_many_who_want_an_address_one_gets_it() {
    let stage = Stage::new().await;
    let mut owns = Vec::new();
    for n in 0..8 {
        owns.push(stage.own_account(&format!("owner{n}")).await);
    }
    let body = json!({"email": "wanted@example.com"});
    let wishes = owns.iter().map(|own| patch(&stage, own, &body));
    let replies = futures_util::future::join_all(wishes).await;
    assert_eq!(replies.iter().filter(|reply| reply.status == 200).count(), 1);
    assert!(replies.iter().all(|reply| [200, 409].contains(&reply.status)));
    let locks = locks(&stage).await;
    assert_eq!(locks.len(), 8);
    for own in &owns {
        let email = shown(&stage, own).await.json()["email"].as_str().expect("text").to_owned();
        assert!(locks.contains(&(format!("EMAIL#{email}"), own.id.to_string())), "{email}");
    }
}

#[tokio::test]
async fn changes_at_the_same_time_all_come_to_pass() {
    let stage = Stage::new().await;
    let own = stage.own_account("owner").await;
    let bodies = [
        json!({"name": "Both"}),
        json!({"settings": {"currency": "EUR"}}),
        json!({"settings": {"language": "nb"}}),
    ];
    let replies = bodies.iter().map(|body| patch(&stage, &own, body));
    for reply in futures_util::future::join_all(replies).await {
        assert_eq!(reply.status, 200);
    }
    let shown = shown(&stage, &own).await;
    assert_eq!(shown.header("etag"), "\"3\"");
    let account = shown.json();
    assert_eq!(account["name"], "Both");
    assert_eq!(
        account["settings"],
        json!({"currency": "EUR", "timezone": "UTC", "language": "nb"})
    );
}

#[tokio::test]
async fn another_password_ends_all_other_sessions_at_once() {
    let stage = Stage::new().await;
    let own = stage.own_account_with_password("owner", AccountStatus::Active).await;
    let other = stage.session_of(&own.id, &own.email, 0).await;
    assert_eq!(shown(&stage, &other).await.status, 200, "a warm process knows it");
    let body = json!({"password": OTHER_PASSWORD, "current_password": PASSWORD});
    let reply = patch(&stage, &own, &body).await;
    assert_eq!(reply.status, 200, "{}", reply.text);
    let refused = shown(&stage, &other).await;
    assert_eq!((refused.status, refused.text.as_str()), (401, UNAUTHORIZED));
    assert_eq!(shown(&stage, &own).await.status, 200);
    assert_eq!(log_in(&stage, &own.email, PASSWORD).await.status, 401);
    let logged_in = log_in(&stage, &own.email, OTHER_PASSWORD).await;
    let token = logged_in.json()["access_token"].as_str().expect("a token").to_owned();
    let fresh = Call::empty().bearer(&token).send(&stage.get_own_account()).await;
    assert_eq!(fresh.status, 200);
    let items = format!("{:?}", stage.items().await);
    assert!(!items.contains(OTHER_PASSWORD) && !items.contains(PASSWORD));
}

#[tokio::test]
async fn a_wrong_current_password_changes_nothing() {
    let stage = Stage::new().await;
    let own = stage.own_account_with_password("owner", AccountStatus::Active).await;
    let before = stage.items().await;
    let body = json!({"name": "x", "password": OTHER_PASSWORD, "current_password": "wrong"});
    let reply = patch(&stage, &own, &body).await;
    assert_eq!(reply.status, 400);
    let expected = json!([{
        "field": "current_password", "rule": "current_password",
        "message": "current_password is not the password of this account."
    }]);
    assert_eq!(reply.json()["details"], expected);
    assert!(stage.items().await == before);
}

#[tokio::test]
async fn every_fault_is_told_at_once_and_nothing_is_changed() {
    let stage = Stage::new().await;
    let own = stage.own_account("owner").await;
    let before = stage.items().await;
    for (body, fields) in [
        (
            json!({
                "email": "owner", "name": "", "password": "short", "id": "x", "status": "active",
                "settings": {"currency": "XXX", "timezone": "Mars", "language": "?", "theme": "dark"}
            }),
            json!([
                ["email", "email"],
                ["name", "min_length"],
                ["password", "min_length"],
                ["current_password", "required"],
                ["settings.currency", "iso_4217_currency"],
                ["settings.timezone", "iana_timezone"],
                ["settings.language", "bcp_47_language"],
                ["settings.theme", "unknown_field"],
                ["id", "unknown_field"],
                ["status", "unknown_field"]
            ]),
        ),
        (
            json!({"email": null, "name": null}),
            json!([["email", "required"], ["name", "required"]]),
        ),
        (json!({"settings": "x"}), json!([["settings", "type"]])),
        (json!({"settings": {"currency": 1}}), json!([["settings.currency", "type"]])),
        (json!({"current_password": "x"}), json!([["password", "required"]])),
        (
            json!({"password": "the owner of acme inc.", "current_password": "x"}),
            json!([["password", "contains_email"], ["password", "contains_name"]]),
        ),
    ] {
        let reply = patch(&stage, &own, &body).await;
        let details = reply.json()["details"].as_array().expect("details").clone();
        let told: Vec<_> = details.iter().map(|one| json!([one["field"], one["rule"]])).collect();
        assert_eq!((reply.status, json!(told)), (400, fields), "{body}");
    }
    for (text, status) in
        [("", 400), ("{", 400), ("[]", 400), ("null", 400), (r#"{"name":"a","name":"b"}"#, 400)]
    {
        let call = Call::text(text).bearer(&own.token);
        assert_eq!(call.send(&stage.update_own_account()).await.status, status, "{text}");
    }
    assert!(stage.items().await == before);
}

#[tokio::test]
async fn a_key_gives_the_same_answer_and_one_change() {
    let stage = Stage::new().await;
    let own = stage.own_account_with_password("owner", AccountStatus::Active).await;
    let body = json!({"name": "x", "password": OTHER_PASSWORD, "current_password": PASSWORD});
    let keyed = async |body: &Value| {
        call(body).key("k").bearer(&own.token).send(&stage.update_own_account()).await
    };
    let first = keyed(&body).await;
    assert_eq!((first.status, first.is_replay()), (200, false));
    let items = stage.items().await;
    // The current password is another one by now.
    let again = keyed(&body).await;
    assert_eq!((again.status, again.is_replay(), &again.text), (200, true, &first.text));
    assert_eq!(keyed(&json!({"name": "y"})).await.status, 422);
    assert!(stage.items().await == items);
    assert_eq!(audit(&stage, &own).await.len(), 1);
    // Another account's key of the same text is another one.
    let other = stage.own_account("other").await;
    let reply = call(&json!({"name": "y"})).key("k").bearer(&other.token);
    assert_eq!(reply.send(&stage.update_own_account()).await.status, 200);
}

#[tokio::test]
async fn an_audit_entry_names_who_and_the_fields_and_no_value() {
    let stage = Stage::new().await;
    let own = stage.own_account_with_password("owner", AccountStatus::Active).await;
    let body = json!({
        "email": "new.owner@example.com", "name": "Acme Ltd.", "settings": {"language": "nb"},
        "password": OTHER_PASSWORD, "current_password": PASSWORD
    });
    assert_eq!(patch(&stage, &own, &body).await.status, 200);
    let [entry] = audit(&stage, &own).await.try_into().expect("one");
    for (name, value) in [
        ("account", own.id.as_str()),
        ("credential", own.session.id.token().as_str()),
        ("route", "PATCH /v1/account"),
        ("at", "2026-02-03T18:12:47.000000Z"),
        ("request_id", "request-1"),
    ] {
        assert_eq!(text_of(&entry, name), Some(value), "{name}");
    }
    assert_eq!(list(&entry, "objects"), [own.id.to_string()]);
    assert_eq!(list(&entry, "fields"), ["email", "name", "password", "settings.language"]);
    let text = format!("{entry:?}");
    for value in ["new.owner", "Acme", OTHER_PASSWORD, "argon2"] {
        assert!(!text.contains(value), "{value}");
    }
}

#[tokio::test]
async fn an_account_without_a_version_counts_as_never_changed() {
    let stage = Stage::new().await;
    let own = stage.own_account("owner").await;
    let pk = format!("ACCOUNT#{}", own.id);
    assert_eq!(patch(&stage, &own, &json!({"name": "x"})).await.header("etag"), "\"1\"");
    stage.remove(&pk, "ACCOUNT", "version").await;
    assert_eq!(patch(&stage, &own, &json!({"name": "y"})).await.header("etag"), "\"1\"");
    stage.set(&pk, "ACCOUNT", "version", AttributeValue::N("41".to_owned())).await;
    assert_eq!(patch(&stage, &own, &json!({"name": "z"})).await.header("etag"), "\"42\"");
}

#[tokio::test]
async fn it_is_one_call_besides_those_that_tell_who_calls() {
    let stage = Stage::new().await;
    let own = stage.own_account("owner").await;
    stage.operations.take();
    patch(&stage, &own, &json!({"name": "x"})).await;
    assert_eq!(stage.operations.take(), ["GetItem", "GetItem", "TransactWriteItems"]);
    // The session is remembered; the record of the key is looked for.
    call(&json!({"name": "y"})).key("k").bearer(&own.token).send(&stage.update_own_account()).await;
    assert_eq!(stage.operations.take(), ["GetItem", "GetItem", "TransactWriteItems"]);
}

#[tokio::test]
async fn nobody_else_is_let_in() {
    let stage = Stage::new().await;
    lets_in_nobody_else(&stage, &call(&json!({"name": "x"})), &stage.update_own_account()).await;
}

#[tokio::test]
async fn without_the_table_it_says_to_come_back() {
    let stage = Stage::new().await;
    let own = stage.own_account("owner").await;
    shown(&stage, &own).await;
    stage.wire.cut();
    let reply = patch(&stage, &own, &json!({"name": "x"})).await;
    assert_eq!((reply.status, reply.header("retry-after")), (503, "1"));
    stage.wire.mend();
    assert_eq!(shown(&stage, &own).await.json()["name"], "Acme Inc.");
}

#[tokio::test]
async fn the_token_of_a_closed_account_is_nobodys() {
    let stage = Stage::new().await;
    let own = stage.own_account("owner").await;
    stage.close(&own.id).await;
    let reply =
        call(&json!({"name": "x"})).bearer(&own.token).send(&stage.update_own_account()).await;
    assert_eq!((reply.status, reply.text.as_str()), (401, UNAUTHORIZED));
}
