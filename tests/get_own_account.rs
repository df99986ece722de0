//! `GET /v1/account`: LIFECYCLE, "Common" and "Identity API".

use aws_sdk_dynamodb::types::AttributeValue;
use headcount_model::identity::AccountStatus;
use headcount_tests::identity::{NOT_ACTIVE, UNAUTHORIZED, lets_in_nobody_else, log_in};
use headcount_tests::{Call, OwnTenant, PASSWORD, Reply, Stage};
use jiff::SignedDuration;
use serde_json::json;

fn call() -> Call {
    Call::empty().at("/v1/account")
}

async fn get(stage: &Stage, own: &OwnTenant) -> Reply {
    call().bearer(&own.token).send(&stage.get_own_account()).await
}

#[tokio::test]
async fn the_whole_answer() {
    let stage = Stage::new().await;
    let own = stage.own_account("owner").await;
    stage.ports.advance(SignedDuration::from_mins(59));
    let reply = get(&stage, &own).await;
    let expected = format!(
        concat!(
            r#"{{"id":"{}","email":"owner@example.com","name":"Acme Inc.","type":"business","#,
            r#""status":"active","created_at":"2026-02-03T18:12:47Z","updated_at":"2026-02-03T18:12:47Z","#,
            r#""settings":{{"currency":"USD","timezone":"UTC","language":"en"}}}}"#
        ),
        own.id
    );
    assert_eq!((reply.status, reply.text.as_str()), (200, expected.as_str()));
    assert_eq!(reply.header("etag"), "\"0\"");
    assert_eq!(reply.header("content-type"), "application/json");
    assert_eq!(reply.header("x-request-id"), "request-1");
}

#[tokio::test]
async fn what_was_created_and_logged_in_to_is_what_is_shown() {
    let stage = Stage::new().await;
    let body = json!({
        "email": "Jo@Bücher.example", "name": "Jo \"March\"", "type": "individual", "password": PASSWORD,
        "settings": {"currency": "EUR", "timezone": "europe/oslo", "language": "PT-br"}
    });
    let created = Call::json(&body).send(&stage.create_account()).await;
    assert_eq!(created.status, 201, "{}", created.text);
    let logged_in = log_in(&stage, "jo@bücher.example", PASSWORD).await;
    let token = logged_in.json()["access_token"].as_str().expect("a token").to_owned();
    let shown = call().bearer(&token).send(&stage.get_own_account()).await;
    assert_eq!((shown.status, shown.text), (200, created.text));
}

#[tokio::test]
async fn a_warm_look_is_one_call() {
    let stage = Stage::new().await;
    let own = stage.own_account("owner").await;
    stage.operations.take();
    get(&stage, &own).await;
    assert_eq!(stage.operations.take(), ["GetItem", "GetItem"]);
    get(&stage, &own).await;
    assert_eq!(stage.operations.take(), ["GetItem"], "the session is remembered");
    stage.ports.advance(SignedDuration::from_secs(30));
    get(&stage, &own).await;
    assert_eq!(stage.operations.take(), ["GetItem", "GetItem"], "for 30 s");
}

#[tokio::test]
async fn a_known_session_costs_a_stranger_as_much_as_an_unknown_one() {
    let stage = Stage::new().await;
    let own = stage.own_account("owner").await;
    get(&stage, &own).await;
    let end = "0".repeat(64);
    for id in [&own.token[3..29], "01kgjb9z8rd3m0n0b0dy000000"] {
        stage.operations.take();
        let stranger =
            call().bearer(&format!("hc_{id}_{end}")).send(&stage.get_own_account()).await;
        assert_eq!((stranger.status, stranger.text.as_str()), (401, UNAUTHORIZED));
        assert_eq!(stage.operations.take(), ["GetItem"]);
    }
}

#[tokio::test]
async fn who_has_it_already_is_told_so() {
    let stage = Stage::new().await;
    let own = stage.own_account("owner").await;
    let (pk, version) = (format!("ACCOUNT#{}", own.id), AttributeValue::N("12".to_owned()));
    stage.set(&pk, "ACCOUNT", "version", version).await;
    let ask = async |tag: &str| {
        let call = call().bearer(&own.token).header("if-none-match", tag);
        call.send(&stage.get_own_account()).await
    };
    for tag in
        ["\"12\"", "W/\"12\"", "*", "\"11\", \"12\"", "\"11\",W/\"12\" , \"x\"", "\"a,b\", \"12\""]
    {
        let reply = ask(tag).await;
        assert_eq!((reply.status, reply.text.as_str()), (304, ""), "{tag}");
        assert_eq!(reply.header("etag"), "\"12\"");
        assert_eq!(reply.header("x-request-id"), "request-1");
        assert!(!reply.headers.contains_key("content-type"), "{reply:?}");
    }
    for tag in ["", "12", "\"1\"", "\"112\"", "\"12", "w/\"12\"", "\"1\", \"2\""] {
        let reply = ask(tag).await;
        assert_eq!((reply.status, reply.header("etag")), (200, "\"12\""), "{tag}");
    }
    // A header of several lines is one list.
    let several = call().bearer(&own.token).header("if-none-match", "\"1\"");
    let several = several.header_again("if-none-match", "\"12\"");
    for event in [several.event(), several.rest_event(), several.load_balancer_event()] {
        assert_eq!(Reply::to_event(&stage.get_own_account(), &event).await.status, 304);
    }
    // Who may not see it is not told whether it is still the same.
    stage.stand(&own.id, AccountStatus::Suspended).await;
    assert_eq!(ask("\"12\"").await.status, 403);
}

#[tokio::test]
async fn it_needs_no_content_type_and_no_permission() {
    let stage = Stage::new().await;
    let own = stage.own_account("owner").await;
    let bare = call().bearer(&own.token).without("content-type").without("accept");
    assert_eq!(bare.send(&stage.get_own_account()).await.status, 200);
}

#[tokio::test]
async fn nobody_else_is_let_in() {
    let stage = Stage::new().await;
    lets_in_nobody_else(&stage, &call(), &stage.get_own_account()).await;
}

#[tokio::test]
async fn a_token_of_a_suspended_account_is_refused_at_once_and_works_again_later() {
    let stage = Stage::new().await;
    let own = stage.own_account("owner").await;
    assert_eq!(get(&stage, &own).await.status, 200);
    stage.stand(&own.id, AccountStatus::Suspended).await;
    let reply = get(&stage, &own).await;
    assert_eq!((reply.status, reply.text.as_str()), (403, NOT_ACTIVE));
    stage.stand(&own.id, AccountStatus::Active).await;
    assert_eq!(get(&stage, &own).await.status, 200);
}

#[tokio::test]
async fn an_account_that_cannot_be_read_is_no_missing_one() {
    let stage = Stage::new().await;
    let own = stage.own_account("owner").await;
    let pk = format!("ACCOUNT#{}", own.id);
    for (attribute, bad) in [("status", "asleep"), ("email", "nobody"), ("created_at", "once")] {
        let items = stage.items_under(&pk).await;
        let good = items[0][attribute].clone();
        stage.set(&pk, "ACCOUNT", attribute, AttributeValue::S(bad.to_owned())).await;
        assert_eq!(get(&stage, &own).await.status, 503, "{attribute}");
        stage.set(&pk, "ACCOUNT", attribute, good).await;
    }
    assert_eq!(get(&stage, &own).await.status, 200);
    stage.wire.cut();
    let reply = get(&stage, &own).await;
    assert_eq!((reply.status, reply.header("retry-after")), (503, "1"));
}

#[tokio::test]
async fn the_token_of_a_closed_account_is_nobodys() {
    let stage = Stage::new().await;
    let own = stage.own_account("owner").await;
    stage.close(&own.id).await;
    let reply = call().bearer(&own.token).send(&stage.get_own_account()).await;
    assert_eq!((reply.status, reply.text.as_str()), (401, UNAUTHORIZED));
}
