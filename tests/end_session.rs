//! `DELETE /v1/auth/session`: LIFECYCLE, "Common" and "Identity API".

use headcount_model::id::CredentialId;
use headcount_model::identity::SessionId;
use headcount_tests::identity::{UNAUTHORIZED, lets_in_nobody_else};
use headcount_tests::{Call, OwnTenant, Reply, Stage, text_of};
use jiff::SignedDuration;
use serde_json::{Value, json};

const ROUTE: &str = "/v1/auth/session";

async fn end(stage: &Stage, own: &OwnTenant, body: &Value) -> Reply {
    Call::json(body).at(ROUTE).bearer(&own.token).send(&stage.end_session()).await
}

/// Whether the token is good for a process that remembers nothing.
async fn is_open(stage: &Stage, own: &OwnTenant) -> bool {
    let cold = get_own_account::Function { store: stage.cold_table(), ports: stage.ports.clone() };
    let reply = Call::empty().bearer(&own.token).send(&cold).await;
    assert!(reply.status == 200 || reply.text == UNAUTHORIZED, "{reply:?}");
    reply.status == 200
}

fn told(id: &str, at: &str) -> String {
    format!(
        r#"{{"success":true,"invalidated_session_id":"{id}","revoked_tokens":2,"revoked_at":"{at}"}}"#
    )
}

#[tokio::test]
async fn without_a_body_it_is_this_session() {
    let stage = Stage::new().await;
    let own = stage.own_account("owner").await;
    let other = stage.session_of(&own.id, &own.email, 0).await;
    let bare = Call::empty().at(ROUTE).without("content-type").bearer(&own.token);
    let reply = bare.send(&stage.end_session()).await;
    let expected = told(&own.session.id.to_string(), "2026-02-03T18:12:47Z");
    assert_eq!((reply.status, reply.text), (200, expected));
    assert!(!is_open(&stage, &own).await);
    assert!(is_open(&stage, &other).await, "another session of the account goes on");
}

#[tokio::test]
async fn an_empty_object_and_null_are_this_session_too() {
    for body in [json!({}), json!({"session_id": null})] {
        let stage = Stage::new().await;
        let own = stage.own_account("owner").await;
        let reply = end(&stage, &own, &body).await;
        assert_eq!(reply.json()["invalidated_session_id"], own.session.id.to_string());
        assert!(!is_open(&stage, &own).await);
    }
}

#[tokio::test]
async fn another_session_of_the_account_is_ended_by_its_id() {
    let stage = Stage::new().await;
    let own = stage.own_account("owner").await;
    let other = stage.session_of(&own.id, &own.email, 0).await;
    let id = other.session.id.to_string();
    let reply = end(&stage, &own, &json!({"session_id": format!(" {id} ")})).await;
    assert_eq!((reply.status, reply.text), (200, told(&id, "2026-02-03T18:12:47Z")));
    assert!(is_open(&stage, &own).await && !is_open(&stage, &other).await);
}

#[tokio::test]
async fn repeated_it_is_the_same_answer_and_one_audit_entry() {
    let stage = Stage::new().await;
    let own = stage.own_account("owner").await;
    let other = stage.session_of(&own.id, &own.email, 0).await;
    let body = json!({"session_id": other.session.id.to_string()});
    let first = end(&stage, &own, &body).await;
    stage.ports.advance(SignedDuration::from_mins(10));
    let items = stage.items().await;
    let again = end(&stage, &own, &body).await;
    assert_eq!((again.status, again.text), (200, first.text));
    assert!(stage.items().await == items);
    let mut audit = stage.items_under(&format!("ACCOUNT#{}", own.id)).await;
    audit.retain(|item| text_of(item, "sk").is_some_and(|sk| sk.starts_with("AUDIT#")));
    let [entry] = audit.as_slice() else { panic!("{audit:?}") };
    for (name, value) in [
        ("account", own.id.as_str()),
        ("credential", own.session.id.token().as_str()),
        ("route", "DELETE /v1/auth/session"),
        ("at", "2026-02-03T18:12:47.000000Z"),
        ("request_id", "request-1"),
    ] {
        assert_eq!(text_of(entry, name), Some(value), "{name}");
    }
    let list = |name: &str| -> Vec<String> {
        let list = entry[name].as_l().expect("a list").iter();
        list.map(|text| text.as_s().expect("text").clone()).collect()
    };
    assert_eq!(list("objects"), [other.session.id.to_string()]);
    assert_eq!(list("fields"), ["ended_at"]);
}

#[tokio::test]
async fn a_warm_process_believes_an_ended_session_for_thirty_seconds_and_no_longer() {
    let stage = Stage::new().await;
    let own = stage.own_account("owner").await;
    let warm = stage.get_own_account();
    let get = async || Call::empty().bearer(&own.token).send(&warm).await.status;
    assert_eq!(get().await, 200);
    assert_eq!(end(&stage, &own, &json!({})).await.status, 200);
    stage.ports.advance(SignedDuration::from_secs(29));
    assert_eq!(get().await, 200);
    stage.ports.advance(SignedDuration::from_secs(1));
    assert_eq!(get().await, 401);
}

#[tokio::test]
async fn sessions_of_others_and_none_are_the_same_and_nothing_is_changed() {
    let stage = Stage::new().await;
    let own = stage.own_account("owner").await;
    let other = stage.own_account("other").await;
    let ended = stage.session_of(&other.id, &other.email, 0).await;
    end(&stage, &other, &json!({"session_id": ended.session.id.to_string()})).await;
    let before = stage.items().await;
    let expected = r#"{"error":"not_found","message":"This account has no such session."}"#;
    for id in [
        other.session.id.to_string(),
        ended.session.id.to_string(),
        "sess_01kgjb9z8rd3m0n0b0dy000000".to_owned(),
        own.session.id.token().to_string(),
        own.session.id.to_string().to_uppercase(),
        own.id.to_string(),
        "sess_".to_owned(),
        String::new(),
    ] {
        let reply = end(&stage, &own, &json!({"session_id": id})).await;
        assert_eq!((reply.status, reply.text.as_str()), (404, expected), "{id}");
    }
    assert!(stage.items().await == before);
    assert!(is_open(&stage, &other).await);
}

/// Pairs of a session of somebody else and one that nobody has: not a byte tells one from the other.
#[tokio::test]
async fn generated_pairs_of_foreign_and_missing_sessions_are_one() {
    let stage = Stage::new().await;
    let own = stage.own_account("owner").await;
    for n in 0..48 {
        let other = stage.own_account(&format!("other{n}")).await;
        if n % 3 == 0 {
            assert_eq!(end(&stage, &other, &json!({})).await.status, 200);
        }
        let missing = CredentialId::new(&stage.ports, &stage.ports).expect("entropy");
        let pair = [other.session.id.clone(), SessionId::of(missing)];
        let before = stage.items().await;
        let mut replies = Vec::new();
        for id in &pair {
            replies.push(end(&stage, &own, &json!({"session_id": id.to_string()})).await);
        }
        assert_eq!(replies[0], replies[1], "{pair:?}");
        assert_eq!(replies[0].status, 404);
        assert!(stage.items().await == before);
    }
}

#[tokio::test]
async fn bad_bodies_are_refused_and_end_nothing() {
    let stage = Stage::new().await;
    let own = stage.own_account("owner").await;
    let before = stage.items().await;
    let id = own.session.id.to_string();
    for (body, fields) in [
        (json!({"session_id": 1}), json!([["session_id", "type"]])),
        (
            json!({"session_id": [id], "all": true}),
            json!([["session_id", "type"], ["all", "unknown_field"]]),
        ),
        (json!({"id": id}), json!([["id", "unknown_field"]])),
    ] {
        let reply = end(&stage, &own, &body).await;
        let details = reply.json()["details"].as_array().expect("details").clone();
        let told: Vec<_> = details.iter().map(|one| json!([one["field"], one["rule"]])).collect();
        assert_eq!((reply.status, json!(told)), (400, fields));
    }
    for (call, status) in [
        (Call::text("{"), 400),
        (Call::text("[]"), 400),
        (Call::text(" "), 400),
        (Call::text("{}").header("content-type", "text/plain"), 415),
        (Call::text("{}").without("content-type"), 415),
        (Call::text("{}").header("content-encoding", "gzip"), 415),
        (Call::text(" ".repeat(256 * 1024 + 1)), 413),
    ] {
        let reply = call.at(ROUTE).bearer(&own.token).send(&stage.end_session()).await;
        assert_eq!(reply.status, status, "{}", reply.text);
    }
    assert!(stage.items().await == before);
}

#[tokio::test]
async fn it_is_one_call_besides_those_that_tell_who_calls() {
    let stage = Stage::new().await;
    let own = stage.own_account("owner").await;
    stage.operations.take();
    end(&stage, &own, &json!({})).await;
    assert_eq!(stage.operations.take(), ["GetItem", "GetItem", "TransactWriteItems"]);
}

#[tokio::test]
async fn nobody_else_is_let_in() {
    let stage = Stage::new().await;
    lets_in_nobody_else(&stage, &Call::empty().at(ROUTE), &stage.end_session()).await;
}

#[tokio::test]
async fn without_the_table_it_says_to_come_back() {
    let stage = Stage::new().await;
    let own = stage.own_account("owner").await;
    stage.wire.cut();
    let reply = end(&stage, &own, &json!({})).await;
    assert_eq!((reply.status, reply.header("retry-after")), (503, "1"));
    stage.wire.mend();
    assert!(is_open(&stage, &own).await);
}

#[tokio::test]
async fn the_token_of_a_closed_account_is_nobodys() {
    let stage = Stage::new().await;
    let own = stage.own_account("owner").await;
    stage.close(&own.id).await;
    let reply = Call::empty().at(ROUTE).bearer(&own.token).send(&stage.end_session()).await;
    assert_eq!((reply.status, reply.text.as_str()), (401, UNAUTHORIZED));
}
