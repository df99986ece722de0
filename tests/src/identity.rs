//! What every endpoint that an account calls for itself refuses in the same words.

use headcount_api::Endpoint;
use headcount_model::credential::{Holder, Permission};
use headcount_model::identity::{AccountStatus, Session};
use headcount_model::port::Clock;
use jiff::SignedDuration;

use crate::call::{Call, Reply};
use crate::stage::{OwnTenant, Stage};
use crate::unauthorized::bad_credentials;

/// The answer to every kind of bad token.
pub const UNAUTHORIZED: &str =
    r#"{"error":"unauthorized","message":"A valid access token is required."}"#;
/// The answer to the good token of an account that is not to be used.
pub const NOT_ACTIVE: &str =
    r#"{"error":"forbidden","message":"This account may not be used at present."}"#;

/// A token with another end.
fn tampered(token: &str) -> String {
    let last = if token.ends_with('0') { "1" } else { "0" };
    format!("{}{last}", &token[..token.len() - 1])
}

/// Holds that only a good access token of an account that may be used is let in, and that nothing is
/// changed by others. `call` is good but for the token.
pub async fn lets_in_nobody_else(stage: &Stage, call: &Call, endpoint: &impl Endpoint) {
    let own = stage.own_account("let-in").await;
    let other = stage.own_account("not-let-in").await;
    let keep = async |change: &dyn Fn(&mut Session)| {
        let opened = stage.session_of(&own.id, &own.email, 0).await;
        let id = opened.session.id.token();
        stage.forget(&format!("SESSION#{id}"), "SESSION").await;
        let mut session = opened.session.clone();
        change(&mut session);
        stage.table.create_session(&session).await.expect("a session");
        opened.token
    };
    let now = stage.ports.now();
    let mut bad = vec![("no such session", {
        let gone = stage.session_of(&own.id, &own.email, 0).await;
        stage.forget(&format!("SESSION#{}", gone.session.id.token()), "SESSION").await;
        gone.token
    })];
    bad.push(("ended", keep(&|session| session.ended_at = Some(now)).await));
    bad.push(("expired this moment", keep(&|session| session.access_until = now).await));
    bad.push(("expired long ago", {
        keep(&|session| session.access_until = now - SignedDuration::from_hours(1)).await
    }));
    bad.push(("of sessions that were ended", keep(&|session| session.epoch = 1).await));
    bad.push(("a refresh token", own.refresh.clone()));
    bad.push(("wrong secret", tampered(&own.token)));
    bad.push(("secret of another", format!("{}{}", &own.token[..30], &other.token[30..])));
    let gone = stage.own_account("gone").await;
    stage.forget(&format!("ACCOUNT#{}", gone.id), "ACCOUNT").await;
    bad.push(("of an account that is gone", gone.token));
    let (organization, api_key) = stage.seats_tenant().await;
    bad.push(("an API key", api_key));
    for holder in [Holder::Organization(organization), Holder::Administrator] {
        bad.push(("a credential", stage.credential(holder, &Permission::ALL).await));
    }
    let mut refused = vec![("no token", call.clone().without("authorization"))];
    refused.extend(bad.iter().map(|(what, token)| (*what, call.clone().bearer(token))));
    let headers = bad_credentials(stage, &Holder::Administrator, Permission::AccountsCreate).await;
    let headers = headers.iter();
    refused.extend(
        headers.map(|(what, header)| (*what, call.clone().header("authorization", header))),
    );

    let suspended = stage.own_account("suspended").await;
    stage.stand(&suspended.id, AccountStatus::Suspended).await;
    let before = stage.items().await;
    for (what, call) in refused {
        let reply = call.send(endpoint).await;
        assert_eq!((reply.status, reply.text.as_str()), (401, UNAUTHORIZED), "{what}");
    }
    let reply = call.clone().bearer(&suspended.token).send(endpoint).await;
    assert_eq!((reply.status, reply.text.as_str()), (403, NOT_ACTIVE));
    assert!(stage.items().await == before, "who is not let in has changed something");
}

/// The answer about an account that is not there.
pub const NO_SUCH_ACCOUNT: &str = r#"{"error":"not_found","message":"There is no such account."}"#;

/// Holds that only administrators with one of `permissions` are let in, that an account that is not
/// there, one that is no more and what is no id have one answer to each of two administrators, and that
/// none of that changes anything. `call` makes a call about an account, without token.
pub async fn lets_in_administrators(
    stage: &Stage,
    permissions: &[Permission],
    call: impl Fn(&str) -> Call,
    endpoint: &impl Endpoint,
) {
    administrators(stage, permissions, false, call, endpoint).await;
}

/// The same, but that an account which is no more is told again that it is.
pub async fn lets_in_administrators_again(
    stage: &Stage,
    permissions: &[Permission],
    call: impl Fn(&str) -> Call,
    endpoint: &impl Endpoint,
) {
    administrators(stage, permissions, true, call, endpoint).await;
}

async fn administrators(
    stage: &Stage,
    permissions: &[Permission],
    told_again: bool,
    call: impl Fn(&str) -> Call,
    endpoint: &impl Endpoint,
) {
    let own = stage.own_account("administered").await;
    let id = own.id.to_string();
    let closed = stage.own_account("closed-one").await;
    if !told_again {
        stage.close(&closed.id).await;
    }
    let others: Vec<_> =
        Permission::ALL.into_iter().filter(|one| !permissions.contains(one)).collect();
    let lacking = stage.credential(Holder::Administrator, &others).await;
    let good = stage.credential(Holder::Administrator, permissions).await;
    let another = stage.credential(Holder::Administrator, &permissions[..1]).await;
    let (organization, api_key) = stage.seats_tenant().await;
    let foreign = stage.credential(Holder::Organization(organization), &Permission::ALL).await;
    let headers = bad_credentials(stage, &Holder::Administrator, permissions[0]).await;
    let before = stage.items().await;

    let good_call = call(&id);
    for token in [&api_key, &foreign, &own.token, &own.refresh] {
        let reply = good_call.clone().bearer(token).send(endpoint).await;
        assert_eq!((reply.status, reply.text.as_str()), (401, UNAUTHORIZED));
    }
    assert_eq!(good_call.clone().without("authorization").send(endpoint).await.text, UNAUTHORIZED);
    for (what, header) in &headers {
        let reply = good_call.clone().header("authorization", header).send(endpoint).await;
        assert_eq!((reply.status, reply.text.as_str()), (401, UNAUTHORIZED), "{what}");
    }
    let forbidden = format!(
        r#"{{"error":"forbidden","message":"This access token lacks the permission {}."}}"#,
        permissions[0].as_str()
    );
    let mut missing = vec![
        "acct_01kgjb9z8rd3m0n0b0dy000000".to_owned(),
        id.to_uppercase(),
        id.replace("acct_", ""),
        format!("{id}0"),
        own.session.id.to_string(),
        "acc_01kgjb9z8rd3m0seat00000000".to_owned(),
        format!("{id}%00"),
        format!("ACCOUNT#{id}"),
        "..".to_owned(),
        String::new(),
        "x".repeat(4_000),
    ];
    missing.extend((!told_again).then(|| closed.id.to_string()));
    for id in missing.iter().chain([&id]) {
        let reply = call(id).bearer(&lacking).send(endpoint).await;
        assert_eq!((reply.status, reply.text.as_str()), (403, forbidden.as_str()), "{id}");
    }
    for id in &missing {
        for token in [&good, &another] {
            let reply = call(id).bearer(token).send(endpoint).await;
            assert_eq!((reply.status, reply.text.as_str()), (404, NO_SUCH_ACCOUNT), "{id}");
        }
    }
    assert!(stage.items().await == before, "who is refused has changed something");
}

/// Logs in.
pub async fn log_in(stage: &Stage, email: &str, password: &str) -> Reply {
    let body = serde_json::json!({"email": email, "password": password});
    Call::json(&body).send(&stage.open_session()).await
}

/// A call by an account.
pub fn by(call: Call, own: &OwnTenant) -> Call {
    call.bearer(&own.token)
}
