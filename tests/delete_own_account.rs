//! `DELETE /v1/account`: LIFECYCLE, "Common" and "Identity API".

use headcount_model::identity::Retention;
use headcount_tests::identity::{UNAUTHORIZED, lets_in_nobody_else, log_in};
use headcount_tests::{Call, Item, OwnTenant, PASSWORD, Reply, Stage, text_of};
use jiff::SignedDuration;
use serde_json::json;

fn call() -> Call {
    Call::empty().at("/v1/account").without("content-type")
}

async fn delete(stage: &Stage, own: &OwnTenant) -> Reply {
    call().bearer(&own.token).send(&stage.delete_own_account()).await
}

async fn sign_up(stage: &Stage, email: &str) -> u64 {
    let body = json!({"email": email, "name": "New", "type": "individual", "password": PASSWORD});
    Call::json(&body).send(&stage.create_account()).await.status
}

fn expected(own: &OwnTenant) -> String {
    format!(
        r#"{{"id":"{}","status":"closed","closed_at":"2026-02-03T18:12:47Z","message":"The account is closed."}}"#,
        own.id
    )
}

#[tokio::test]
async fn what_is_personal_is_gone_at_once() {
    let stage = Stage::new().await;
    let own = stage.own_account("very.personal").await;
    let reply = delete(&stage, &own).await;
    assert_eq!((reply.status, reply.text), (200, expected(&own)));
    let kept: Vec<Item> = stage.items_under("ACCOUNT#").await;
    let text = format!("{kept:?}");
    for personal in ["personal", "Acme", "argon2", "USD"] {
        assert!(!text.contains(personal), "{personal} in {text}");
    }
    // The address alone is in the key of its lock.
    let [lock] = stage.items_under("EMAIL#").await.try_into().expect("one");
    assert_eq!(text_of(&lock, "pk"), Some("EMAIL#very.personal@example.com"));
    assert_eq!(lock.len(), 4, "{lock:?}");
}

#[tokio::test]
async fn its_tokens_end_and_nobody_logs_in() {
    let stage = Stage::new().await;
    let own = stage.own_account("owner").await;
    let other = stage.session_of(&own.id, &own.email, 0).await;
    let get = async |own: &OwnTenant| {
        Call::empty().bearer(&own.token).send(&stage.get_own_account()).await
    };
    assert_eq!(get(&other).await.status, 200, "a warm process knows it");
    assert_eq!(delete(&stage, &own).await.status, 200);
    for own in [&own, &other] {
        let reply = get(own).await;
        assert_eq!((reply.status, reply.text.as_str()), (401, UNAUTHORIZED));
    }
    assert_eq!(log_in(&stage, &own.email, PASSWORD).await.status, 401);
}

#[tokio::test]
async fn repeated_it_is_the_same_answer() {
    let stage = Stage::new().await;
    let own = stage.own_account("owner").await;
    let first = delete(&stage, &own).await;
    let items = stage.items().await;
    stage.ports.advance(SignedDuration::from_mins(30));
    let again = delete(&stage, &own).await;
    assert_eq!((again.status, again.text), (200, first.text));
    assert!(stage.items().await == items);
    stage.ports.advance(SignedDuration::from_mins(30));
    assert_eq!(delete(&stage, &own).await.status, 401, "the token has expired");
}

#[tokio::test]
async fn the_address_is_free_after_thirty_days_and_no_sooner() {
    let stage = Stage::new().await;
    let own = stage.own_account("owner").await;
    let other = stage.own_account("other").await;
    delete(&stage, &own).await;
    let take = async || {
        let body = json!({"email": "owner@example.com"});
        Call::json(&body).bearer(&other.token).send(&stage.update_own_account()).await.status
    };
    stage.ports.advance(SignedDuration::from_secs(30 * 86_400 - 1));
    assert_eq!(sign_up(&stage, "OWNER@example.com").await, 409);
    let other = stage.session_of(&other.id, &other.email, 0).await;
    let take_now = async |own: &OwnTenant| {
        let body = json!({"email": "owner@example.com"});
        Call::json(&body).bearer(&own.token).send(&stage.update_own_account()).await.status
    };
    assert_eq!(take_now(&other).await, 409);
    stage.ports.advance(SignedDuration::from_secs(1));
    assert_eq!(take_now(&other).await, 200, "a change takes it as well as a sign-up");
    assert_eq!(take().await, 401, "the old token has expired");
    let locks = stage.items_under("EMAIL#owner").await;
    assert_eq!(text_of(&locks[0], "account"), Some(other.id.as_str()));
    assert!(!locks[0].contains_key("expires_at"));
    assert_eq!(sign_up(&stage, "owner@example.com").await, 409);
    assert_eq!(sign_up(&stage, "other@example.com").await, 201);
}

#[tokio::test]
async fn without_a_retention_it_is_free_at_once() {
    let stage = Stage::new().await;
    let own = stage.own_account("owner").await;
    let mut function = stage.delete_own_account();
    function.retention = Retention::new(0).expect("no days");
    assert_eq!(call().bearer(&own.token).send(&function).await.status, 200);
    assert_eq!(sign_up(&stage, "owner@example.com").await, 201);
}

#[tokio::test]
async fn an_audit_entry_stays_that_holds_no_value() {
    let stage = Stage::new().await;
    let own = stage.own_account("very.personal").await;
    delete(&stage, &own).await;
    let mut items = stage.items_under(&format!("ACCOUNT#{}", own.id)).await;
    items.retain(|item| text_of(item, "sk").is_some_and(|sk| sk.starts_with("AUDIT#")));
    let [entry] = items.try_into().expect("one");
    assert_eq!(text_of(&entry, "route"), Some("DELETE /v1/account"));
    assert_eq!(text_of(&entry, "credential"), Some(own.session.id.token().as_str()));
}

#[tokio::test]
async fn a_change_meanwhile_does_not_keep_it_open() {
    let stage = Stage::new().await;
    let own = stage.own_account("owner").await;
    let body = json!({"name": "x", "email": "new@example.com"});
    let change = Call::json(&body).bearer(&own.token);
    let update = stage.update_own_account();
    let (changed, deleted) = tokio::join!(change.send(&update), delete(&stage, &own));
    assert!([200, 401].contains(&changed.status), "{}", changed.text);
    assert_eq!(deleted.status, 200);
    assert_eq!(delete(&stage, &own).await.text, deleted.text);
}

#[tokio::test]
async fn it_is_one_call_besides_those_that_tell_who_calls() {
    let stage = Stage::new().await;
    let own = stage.own_account("owner").await;
    stage.operations.take();
    delete(&stage, &own).await;
    assert_eq!(stage.operations.take(), ["GetItem", "GetItem", "TransactWriteItems"]);
}

#[tokio::test]
async fn nobody_else_is_let_in() {
    let stage = Stage::new().await;
    lets_in_nobody_else(&stage, &call(), &stage.delete_own_account()).await;
}

#[tokio::test]
async fn without_the_table_it_says_to_come_back() {
    let stage = Stage::new().await;
    let own = stage.own_account("owner").await;
    stage.wire.cut();
    let reply = delete(&stage, &own).await;
    assert_eq!((reply.status, reply.header("retry-after")), (503, "1"));
    stage.wire.mend();
    assert_eq!(delete(&stage, &own).await.status, 200);
}
