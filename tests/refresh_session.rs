//! `POST /v1/auth/refresh`: LIFECYCLE, "Identity API"; docs/adr/0033-refresh-tokens.md.

use headcount_model::credential::{Holder, Permission};
use headcount_model::identity::{AccountStatus, Session};
use headcount_model::port::Clock;
use headcount_tests::identity::{UNAUTHORIZED, log_in};
use headcount_tests::{Call, Item, OwnTenant, PASSWORD, Reply, Stage, text_of};
use jiff::SignedDuration;
use serde_json::{Value, json};

const ROUTE: &str = "/v1/auth/refresh";

fn call(token: &str) -> Call {
    Call::empty().at(ROUTE).without("content-type").bearer(token)
}

async fn refresh(stage: &Stage, token: &str) -> Reply {
    call(token).send(&stage.refresh_session()).await
}

async fn keep(stage: &Stage, token: &str) -> Reply {
    let body = json!({"rotate_refresh_token": false});
    Call::json(&body).at(ROUTE).bearer(token).send(&stage.refresh_session()).await
}

fn token(reply: &Reply, name: &str) -> String {
    assert_eq!(reply.status, 200, "{}", reply.text);
    reply.json()[name].as_str().expect("a token").to_owned()
}

/// Whether the access token is good for a process that remembers nothing.
async fn opens(stage: &Stage, token: &str) -> bool {
    let cold = get_own_account::Function { store: stage.cold_table(), ports: stage.ports.clone() };
    Call::empty().bearer(token).send(&cold).await.status == 200
}

async fn audit(stage: &Stage, own: &OwnTenant) -> Vec<Item> {
    let mut audit = stage.items_under(&format!("ACCOUNT#{}", own.id)).await;
    audit.retain(|item| text_of(item, "sk").is_some_and(|sk| sk.starts_with("AUDIT#")));
    audit
}

fn is_refused(reply: &Reply) {
    assert_eq!((reply.status, reply.text.as_str()), (401, UNAUTHORIZED));
}

#[tokio::test]
async fn without_a_body_both_tokens_are_new() {
    let stage = Stage::new().await;
    let own = stage.own_account("owner").await;
    stage.ports.advance(SignedDuration::from_hours(2));
    let reply = refresh(&stage, &own.refresh).await;
    let (access, new) = (token(&reply, "access_token"), token(&reply, "refresh_token"));
    let expected = format!(
        concat!(
            r#"{{"access_token":"{}","refresh_token":"{}","expires_at":"2026-02-03T21:12:47Z","#,
            r#""session_id":"{}","refresh_token_expires_at":"2026-03-05T20:12:47Z"}}"#
        ),
        access, new, own.session.id
    );
    assert_eq!(reply.text, expected);
    assert_eq!(access[..30], own.token[..30], "the same session");
    assert!(new != own.refresh && access != own.token && access != new);
    assert!(opens(&stage, &access).await);
    assert!(!opens(&stage, &new).await && !opens(&stage, &own.token).await);
    // And so on, also when the first refresh token would long have expired.
    stage.ports.advance(SignedDuration::from_hours(24 * 29));
    let next = refresh(&stage, &new).await;
    stage.ports.advance(SignedDuration::from_hours(24 * 29));
    assert_eq!(refresh(&stage, &token(&next, "refresh_token")).await.status, 200);
    assert!(audit(&stage, &own).await.is_empty());
}

#[tokio::test]
async fn what_says_nothing_of_rotation_rotates() {
    for body in
        [json!({}), json!({"rotate_refresh_token": null}), json!({"rotate_refresh_token": true})]
    {
        let stage = Stage::new().await;
        let own = stage.own_account("owner").await;
        let call = Call::json(&body).at(ROUTE).bearer(&own.refresh);
        let reply = call.send(&stage.refresh_session()).await;
        assert_ne!(token(&reply, "refresh_token"), own.refresh, "{body}");
    }
}

#[tokio::test]
async fn a_refresh_token_that_is_not_rotated_stays_and_lives_no_longer() {
    let stage = Stage::new().await;
    let own = stage.own_account("owner").await;
    stage.ports.advance(SignedDuration::from_mins(24 * 30 * 60 - 30));
    let first = keep(&stage, &own.refresh).await;
    assert_eq!(token(&first, "refresh_token"), own.refresh);
    let body = first.json();
    assert_eq!(body["refresh_token_expires_at"], "2026-03-05T18:12:47Z");
    assert_eq!(body["expires_at"], body["refresh_token_expires_at"], "nothing outlives it");
    let again = keep(&stage, &own.refresh).await;
    let (old, new) = (token(&first, "access_token"), token(&again, "access_token"));
    assert!(opens(&stage, &new).await);
    assert!(!opens(&stage, &old).await, "a session has one access token");
    stage.ports.advance(SignedDuration::from_mins(30));
    is_refused(&keep(&stage, &own.refresh).await);
    assert!(!opens(&stage, &new).await);
}

#[tokio::test]
async fn a_rotated_token_ends_the_session_and_an_audit_entry_says_so() {
    let stage = Stage::new().await;
    let own = stage.own_account("owner").await;
    let other = stage.session_of(&own.id, &own.email, 0).await;
    let first = refresh(&stage, &own.refresh).await;
    let second = refresh(&stage, &token(&first, "refresh_token")).await;
    is_refused(&refresh(&stage, &own.refresh).await);
    assert!(!opens(&stage, &token(&second, "access_token")).await);
    is_refused(&refresh(&stage, &token(&second, "refresh_token")).await);
    assert!(opens(&stage, &other.token).await, "another session of the account goes on");
    let entries = audit(&stage, &own).await;
    let [entry] = entries.as_slice() else { panic!("{entries:?}") };
    for (name, value) in [
        ("credential", own.session.id.token().as_str()),
        ("route", "POST /v1/auth/refresh"),
        ("request_id", "request-1"),
    ] {
        assert_eq!(text_of(entry, name), Some(value), "{name}");
    }
    // Once ended it stays as it is.
    let before = stage.items().await;
    is_refused(&refresh(&stage, &own.refresh).await);
    is_refused(&keep(&stage, &token(&second, "refresh_token")).await);
    assert!(stage.items().await == before);
}

#[tokio::test]
async fn a_rotated_token_ends_the_session_also_without_rotation() {
    let stage = Stage::new().await;
    let own = stage.own_account("owner").await;
    let first = refresh(&stage, &own.refresh).await;
    is_refused(&keep(&stage, &own.refresh).await);
    assert!(!opens(&stage, &token(&first, "access_token")).await);
    assert_eq!(audit(&stage, &own).await.len(), 1);
}

/// Of refreshes that meet one wins at most, and then none of its tokens is good: who was first cannot be told.
#[tokio::test]
async fn of_refreshes_at_once_none_wins_unnoticed() {
    let stage = Stage::new().await;
    for n in 0..8 {
        let own = stage.own_account(&format!("owner{n}")).await;
        let many = (0..3).map(|_| refresh(&stage, &own.refresh));
        let replies = futures_util::future::join_all(many).await;
        let won: Vec<_> = replies.iter().filter(|reply| reply.status == 200).collect();
        assert!(won.len() <= 1, "{replies:?}");
        for reply in won {
            assert!(!opens(&stage, &token(reply, "access_token")).await);
            is_refused(&refresh(&stage, &token(reply, "refresh_token")).await);
        }
        assert_eq!(audit(&stage, &own).await.len(), 1);
    }
}

#[tokio::test]
async fn what_is_no_good_refresh_token_is_refused_and_changes_nothing() {
    let stage = Stage::new().await;
    let (own, other) = (stage.own_account("owner").await, stage.own_account("other").await);
    let now = stage.ports.now();
    let kept = async |change: &dyn Fn(&mut Session)| {
        let opened = stage.session_of(&own.id, &own.email, 0).await;
        stage.forget(&format!("SESSION#{}", opened.session.id.token()), "SESSION").await;
        let mut session = opened.session.clone();
        change(&mut session);
        stage.table.create_session(&session).await.expect("a session");
        opened.refresh
    };
    let gone = stage.own_account("gone").await;
    stage.forget(&format!("ACCOUNT#{}", gone.id), "ACCOUNT").await;
    let closed = stage.own_account("closed").await;
    stage.close(&closed.id).await;
    let mut standing = Vec::new();
    for status in [AccountStatus::Suspended, AccountStatus::Pending] {
        let account = stage.own_account(status.as_str()).await;
        stage.stand(&account.id, status).await;
        standing.push((status.as_str(), account.refresh));
    }
    let (_, api_key) = stage.seats_tenant().await;
    let missing = stage.session_of(&own.id, &own.email, 0).await;
    stage.forget(&format!("SESSION#{}", missing.session.id.token()), "SESSION").await;
    let last = if own.refresh.ends_with('0') { "1" } else { "0" };
    let mut bad = vec![
        ("ended", kept(&|session| session.ended_at = Some(now)).await),
        ("expired this moment", kept(&|session| session.refresh_until = now).await),
        ("of sessions that were ended", kept(&|session| session.epoch = 1).await),
        ("no such session", missing.refresh),
        ("of an account that is gone", gone.refresh),
        ("of a closed account", closed.refresh),
        ("an access token", own.token.clone()),
        ("wrong secret", format!("{}{last}", &own.refresh[..own.refresh.len() - 1])),
        ("secret of another", format!("{}{}", &own.refresh[..30], &other.refresh[30..])),
        ("an API key", api_key),
        ("a credential", stage.credential(Holder::Administrator, &Permission::ALL).await),
        ("no token", String::new()),
    ];
    bad.extend(standing);
    let before = stage.items().await;
    for (what, token) in &bad {
        for reply in [refresh(&stage, token).await, keep(&stage, token).await] {
            assert_eq!((reply.status, reply.text.as_str()), (401, UNAUTHORIZED), "{what}");
        }
    }
    is_refused(&call("").without("authorization").send(&stage.refresh_session()).await);
    for header in [format!("Basic {}", own.refresh), own.refresh.clone()] {
        let call = call("").header("authorization", &header);
        is_refused(&call.send(&stage.refresh_session()).await);
    }
    assert!(stage.items().await == before);
    assert_eq!(refresh(&stage, &own.refresh).await.status, 200, "it is as good as before");
}

#[tokio::test]
async fn a_suspended_account_goes_on_where_it_stopped_once_it_is_active() {
    let stage = Stage::new().await;
    let own = stage.own_account("owner").await;
    stage.stand(&own.id, AccountStatus::Suspended).await;
    is_refused(&refresh(&stage, &own.refresh).await);
    stage.stand(&own.id, AccountStatus::Active).await;
    assert_eq!(refresh(&stage, &own.refresh).await.status, 200);
}

#[tokio::test]
async fn a_new_password_spares_the_session_that_gave_it_alone() {
    let stage = Stage::new().await;
    let own = stage.own_account_with_password("owner", AccountStatus::Active).await;
    let other = stage.session_of(&own.id, &own.email, 0).await;
    let body = json!({"password": "another long password", "current_password": PASSWORD});
    let change = Call::json(&body).bearer(&own.token);
    assert_eq!(change.send(&stage.update_own_account()).await.status, 200);
    is_refused(&refresh(&stage, &other.refresh).await);
    let spared = refresh(&stage, &own.refresh).await;
    assert!(opens(&stage, &token(&spared, "access_token")).await);
    // A log-in after it is of the new count.
    let reply = log_in(&stage, &own.email, "another long password").await;
    assert_eq!(refresh(&stage, &token(&reply, "refresh_token")).await.status, 200);
}

#[tokio::test]
async fn bad_bodies_are_refused_and_use_up_no_token() {
    let stage = Stage::new().await;
    let own = stage.own_account("owner").await;
    let before = stage.items().await;
    let send =
        async |call: Call| call.at(ROUTE).bearer(&own.refresh).send(&stage.refresh_session()).await;
    for (body, fields) in [
        (json!({"rotate_refresh_token": "yes"}), json!([["rotate_refresh_token", "type"]])),
        (
            json!({"rotate_refresh_token": 1, "refresh_token": own.refresh}),
            json!([["rotate_refresh_token", "type"], ["refresh_token", "unknown_field"]]),
        ),
    ] {
        let reply = send(Call::json(&body)).await;
        let details: Vec<Value> = reply.json()["details"].as_array().expect("details").clone();
        let told: Vec<_> = details.iter().map(|one| json!([one["field"], one["rule"]])).collect();
        assert_eq!((reply.status, json!(told)), (400, fields));
    }
    for (call, status) in [
        (Call::text("{"), 400),
        (Call::text("[]"), 400),
        (Call::text("{}").header("content-type", "text/plain"), 415),
        (Call::text("{}").header("content-encoding", "gzip"), 415),
        (Call::text(" ".repeat(256 * 1024 + 1)), 413),
    ] {
        assert_eq!(send(call).await.status, status);
    }
    assert!(stage.items().await == before);
    assert_eq!(refresh(&stage, &own.refresh).await.status, 200);
}

#[tokio::test]
async fn of_the_tokens_the_hashes_alone_are_kept() {
    let stage = Stage::new().await;
    let own = stage.own_account("owner").await;
    let reply = refresh(&stage, &own.refresh).await;
    let items = format!("{:?}", stage.items().await);
    let new = [token(&reply, "access_token"), token(&reply, "refresh_token")];
    for token in new.iter().chain([&own.token, &own.refresh]) {
        assert!(!items.contains(&token[30..]));
    }
}

#[tokio::test]
async fn it_is_one_read_and_one_transaction() {
    let stage = Stage::new().await;
    let own = stage.own_account("owner").await;
    stage.operations.take();
    let reply = refresh(&stage, &own.refresh).await;
    assert_eq!(stage.operations.take(), ["BatchGetItem", "TransactWriteItems"]);
    keep(&stage, &token(&reply, "refresh_token")).await;
    assert_eq!(stage.operations.take(), ["BatchGetItem", "TransactWriteItems"]);
    refresh(&stage, &own.refresh).await;
    assert_eq!(stage.operations.take(), ["BatchGetItem", "TransactWriteItems"]);
}

#[tokio::test]
async fn without_the_table_it_says_to_come_back() {
    let stage = Stage::new().await;
    let own = stage.own_account("owner").await;
    stage.wire.cut();
    let reply = refresh(&stage, &own.refresh).await;
    assert_eq!((reply.status, reply.header("retry-after")), (503, "1"));
    stage.wire.mend();
    assert_eq!(refresh(&stage, &own.refresh).await.status, 200);
}
