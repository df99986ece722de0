//! `GET /v1/auth/sessions`: LIFECYCLE, "Common" and "Identity API".

use headcount_model::identity::{Session, Tokens};
use headcount_model::port::Clock;
use headcount_tests::identity::lets_in_nobody_else;
use headcount_tests::{Call, OwnTenant, Reply, Stage};
use jiff::SignedDuration;
use serde_json::{Value, json};

const ROUTE: &str = "/v1/auth/sessions";

async fn list(stage: &Stage, own: &OwnTenant, query: &[(&str, &str)]) -> Reply {
    let call = Call::empty().at(ROUTE).without("content-type").bearer(&own.token);
    let call = query.iter().fold(call, |call, (name, value)| call.query(name, value));
    call.send(&stage.list_sessions()).await
}

/// The ids of the sessions that a caller is shown.
async fn shown(stage: &Stage, own: &OwnTenant) -> Vec<String> {
    ids(&list(stage, own, &[]).await)
}

fn ids(reply: &Reply) -> Vec<String> {
    assert_eq!(reply.status, 200, "{reply:?}");
    let data = reply.json()["data"].as_array().expect("a list").clone();
    data.iter().map(|session| session["session_id"].as_str().expect("an id").to_owned()).collect()
}

fn id(own: &OwnTenant) -> String {
    own.session.id.to_string()
}

/// Another session of an account, some time later.
async fn later(stage: &Stage, own: &OwnTenant) -> OwnTenant {
    stage.ports.advance(SignedDuration::from_mins(1));
    stage.session_of(&own.id, &own.email, 0).await
}

#[tokio::test]
async fn the_sessions_that_go_on_the_newest_first_and_no_secret() {
    let stage = Stage::new().await;
    let own = stage.own_account("owner").await;
    let other = later(&stage, &own).await;
    let reply = list(&stage, &own, &[]).await;
    let session = |of: &OwnTenant, current: bool, minute: u8| {
        format!(
            concat!(
                r#"{{"session_id":"{}","current":{},"created_at":"2026-02-03T18:{}:47Z","#,
                r#""expires_at":"2026-02-03T19:{}:47Z","refresh_token_expires_at":"2026-03-05T18:{}:47Z"}}"#
            ),
            id(of),
            current,
            minute,
            minute,
            minute
        )
    };
    let (newest, oldest) = (session(&other, false, 13), session(&own, true, 12));
    let expected = format!(r#"{{"data":[{newest},{oldest}],"has_more":false,"next_cursor":null}}"#);
    assert_eq!((reply.status, reply.text), (200, expected));
}

#[tokio::test]
async fn what_a_log_in_opens_is_listed_and_what_is_ended_is_not() {
    let stage = Stage::new().await;
    let status = headcount_model::identity::AccountStatus::Active;
    let own = stage.own_account_with_password("owner", status).await;
    stage.ports.advance(SignedDuration::from_mins(1));
    let body = json!({"email": own.email, "password": headcount_tests::PASSWORD});
    let opened = Call::json(&body).send(&stage.open_session()).await;
    assert_eq!(opened.status, 200, "{opened:?}");
    let token = opened.json()["access_token"].as_str().expect("a token").to_owned();
    let session = format!("sess_{}", token.split('_').nth(1).expect("an id"));
    assert_eq!(shown(&stage, &own).await, [session.clone(), id(&own)]);
    let end = Call::json(&json!({ "session_id": session })).bearer(&own.token);
    assert_eq!(end.send(&stage.end_session()).await.status, 200);
    assert_eq!(shown(&stage, &own).await, [id(&own)]);
    let left = stage.items_under(&format!("SESSIONS#{}", own.id)).await;
    assert_eq!(left.len(), 1, "its entry went with it: {left:?}");
}

#[tokio::test]
async fn neither_what_is_over_nor_what_a_new_password_ended_is_listed() {
    let stage = Stage::new().await;
    let own = stage.own_account("owner").await;
    let run_out = later(&stage, &own).await;
    stage.forget(&format!("SESSION#{}", run_out.session.id.token()), "SESSION").await;
    let over = Session { refresh_until: stage.ports.now(), ..run_out.session.clone() };
    stage.table.create_session(&over).await.expect("a session");
    let earlier = stage.session_of(&own.id, &own.email, 0).await;
    stage.forget(&format!("SESSION#{}", earlier.session.id.token()), "SESSION").await;
    let ended = Session { epoch: 7, ..earlier.session.clone() };
    stage.table.create_session(&ended).await.expect("a session");
    let gone = later(&stage, &own).await;
    stage.forget(&format!("SESSION#{}", gone.session.id.token()), "SESSION").await;
    assert_eq!(shown(&stage, &own).await, [id(&own)]);
}

#[tokio::test]
async fn new_tokens_keep_a_session_in_the_list_for_as_long_as_it_lives() {
    let stage = Stage::new().await;
    let own = stage.own_account("owner").await;
    let pk = format!("SESSIONS#{}", own.id);
    let until = async |stage: &Stage| {
        let items = stage.items_under(&pk).await;
        items[0]["expires_at"].as_n().expect("a number").parse::<i64>().expect("seconds")
    };
    let before = until(&stage).await;
    // As if it were older than the list.
    stage.forget(&pk, &format!("SESSION#{}", own.session.id.token())).await;
    assert!(shown(&stage, &own).await.is_empty());
    stage.ports.advance(SignedDuration::from_hours(24));
    let refreshed = Call::empty().bearer(&own.refresh).send(&stage.refresh_session()).await;
    assert_eq!(refreshed.status, 200, "{refreshed:?}");
    assert_eq!(until(&stage).await, before + 24 * 60 * 60);
    let token = refreshed.json()["access_token"].as_str().expect("a token").to_owned();
    let own = OwnTenant { token, ..own };
    assert_eq!(shown(&stage, &own).await, [id(&own)]);
}

#[tokio::test]
async fn nobody_is_shown_a_session_of_another_account() {
    let stage = Stage::new().await;
    let (own, other) = (stage.own_account("owner").await, stage.own_account("other").await);
    let theirs = later(&stage, &other).await;
    assert_eq!(shown(&stage, &own).await, [id(&own)]);
    // Not even where a list should lead to one.
    let stray = Session { account: own.id.clone(), ..theirs.session.clone() };
    stage.forget(&format!("SESSION#{}", theirs.session.id.token()), "SESSION").await;
    stage.table.create_session(&stray).await.expect("a session");
    stage.forget(&format!("SESSION#{}", theirs.session.id.token()), "SESSION").await;
    stage.table.create_session(&theirs.session).await.expect("a session");
    assert_eq!(shown(&stage, &own).await, [id(&own)]);
}

#[tokio::test]
async fn page_by_page_each_is_shown_once_and_a_cursor_is_good_for_its_account_alone() {
    let stage = Stage::new().await;
    let own = stage.own_account("owner").await;
    let mut all = vec![id(&own)];
    for _ in 0..4 {
        all.insert(0, id(&later(&stage, &own).await));
    }
    let mut seen = Vec::new();
    let mut cursor: Option<String> = None;
    for page in 0..3 {
        let query = cursor.as_deref().map(|cursor| ("cursor", cursor));
        let query: Vec<_> = [("limit", "2")].into_iter().chain(query).collect();
        let reply = list(&stage, &own, &query).await;
        seen.extend(ids(&reply));
        let body = reply.json();
        cursor = body["next_cursor"].as_str().map(str::to_owned);
        assert_eq!(body["has_more"], cursor.is_some());
        assert_eq!(cursor.is_some(), page < 2, "{body}");
        // One that is opened meanwhile is before them all.
        later(&stage, &own).await;
    }
    assert_eq!(seen, all);
    let first = list(&stage, &own, &[("limit", "1")]).await.json();
    let cursor = first["next_cursor"].as_str().expect("there is more").to_owned();
    let other = stage.own_account("other").await;
    let foreign = list(&stage, &other, &[("cursor", &cursor)]).await;
    let forged = format!("{}0", &cursor[..cursor.len() - 1]);
    let bad = list(&stage, &own, &[("cursor", &forged)]).await;
    assert_eq!((foreign.status, &foreign.text), (400, &bad.text));
    assert!(bad.text.contains(r#""field":"cursor""#), "{bad:?}");
}

#[tokio::test]
async fn every_fault_of_the_query_is_told_at_once() {
    let stage = Stage::new().await;
    let own = stage.own_account("owner").await;
    for limit in ["0", "101", "", "1.0", "ten"] {
        let reply =
            list(&stage, &own, &[("limit", limit), ("cursor", "x"), ("status", "all")]).await;
        let told = reply.json()["details"].as_array().expect("details").clone();
        let fields: Vec<_> = told.iter().map(|fault| fault["field"].as_str()).collect();
        assert_eq!(reply.status, 400);
        assert_eq!(fields, [Some("limit"), Some("cursor"), Some("status")], "{limit}");
    }
}

#[tokio::test]
async fn nobody_else_is_let_in() {
    let stage = Stage::new().await;
    lets_in_nobody_else(&stage, &Call::empty().at(ROUTE), &stage.list_sessions()).await;
}

#[tokio::test]
async fn a_page_is_three_calls_whatever_the_account_has_opened() {
    let stage = Stage::new().await;
    let own = stage.own_account("owner").await;
    for _ in 0..30 {
        let (session, _): (Session, Tokens) =
            Session::open(&own.id, 0, &stage.ports, &stage.ports).expect("entropy");
        stage.table.create_session(&session).await.expect("a session");
    }
    assert_eq!(list(&stage, &own, &[]).await.status, 200);
    stage.operations.take();
    let reply = list(&stage, &own, &[("limit", "10")]).await;
    assert_eq!(ids(&reply).len(), 10);
    // The account, the entries and the sessions; who calls, the process remembers.
    assert_eq!(stage.operations.take(), ["GetItem", "Query", "BatchGetItem"]);
    let secret = own.token.rsplit('_').next().expect("a secret");
    assert!(!reply.text.contains(secret), "{reply:?}");
}

#[tokio::test]
async fn without_the_table_it_says_to_come_back() {
    let stage = Stage::new().await;
    let own = stage.own_account("owner").await;
    assert_eq!(list(&stage, &own, &[]).await.status, 200);
    stage.wire.cut();
    let reply = list(&stage, &own, &[]).await;
    assert_eq!((reply.status, reply.header("retry-after")), (503, "1"));
    assert_eq!(reply.json()["error"], Value::from("service_unavailable"));
}
