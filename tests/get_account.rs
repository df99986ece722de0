//! `GET /v1/accounts/{id}`: LIFECYCLE, "Common" and "Identity API".

use headcount_model::credential::{Holder, Permission};
use headcount_model::identity::AccountStatus;
use headcount_tests::identity::lets_in_administrators;
use headcount_tests::{Call, Reply, Stage};

const PERMISSIONS: [Permission; 2] = [Permission::AccountsRead, Permission::AccountsCreate];

fn call(id: &str) -> Call {
    Call::empty().at(&format!("/v1/accounts/{id}"))
}

async fn get(stage: &Stage, token: &str, id: &str) -> Reply {
    call(id).bearer(token).send(&stage.get_account()).await
}

#[tokio::test]
async fn either_permission_shows_what_the_account_itself_sees() {
    let stage = Stage::new().await;
    let own = stage.own_account("owner").await;
    let itself = Call::empty().bearer(&own.token).send(&stage.get_own_account()).await;
    for permission in PERMISSIONS {
        let token = stage.credential(Holder::Administrator, &[permission]).await;
        let reply = get(&stage, &token, own.id.as_str()).await;
        assert_eq!((reply.status, &reply.text), (200, &itself.text));
        assert_eq!((reply.header("etag"), reply.header("x-request-id")), ("\"0\"", "request-1"));
    }
}

#[tokio::test]
async fn every_status_but_closed_is_shown() {
    let stage = Stage::new().await;
    let own = stage.own_account("owner").await;
    let token = stage.administrator().await;
    for status in AccountStatus::ALL {
        if status == AccountStatus::Closed {
            stage.close(&own.id).await;
        } else {
            stage.stand(&own.id, status).await;
        }
        let reply = get(&stage, &token, own.id.as_str()).await;
        if status == AccountStatus::Closed {
            assert_eq!(reply.status, 404);
        } else {
            assert_eq!(reply.json()["status"], status.as_str());
        }
    }
}

#[tokio::test]
async fn who_has_it_already_is_told_so() {
    let stage = Stage::new().await;
    let own = stage.own_account("owner").await;
    let token = stage.administrator().await;
    let ask = async |id: &str, tag: &str| {
        call(id).bearer(&token).header("if-none-match", tag).send(&stage.get_account()).await.status
    };
    assert_eq!(ask(own.id.as_str(), "W/\"0\"").await, 304);
    assert_eq!(ask(own.id.as_str(), "\"1\"").await, 200);
    assert_eq!(ask("acct_01kgjb9z8rd3m0n0b0dy000000", "*").await, 404);
}

#[tokio::test]
async fn a_warm_look_is_one_call() {
    let stage = Stage::new().await;
    let own = stage.own_account("owner").await;
    let token = stage.administrator().await;
    stage.operations.take();
    get(&stage, &token, own.id.as_str()).await;
    assert_eq!(stage.operations.take(), ["GetItem", "GetItem"]);
    get(&stage, &token, own.id.as_str()).await;
    assert_eq!(stage.operations.take(), ["GetItem"]);
    let bare = call(own.id.as_str()).bearer(&token).without("content-type").without("accept");
    assert_eq!(bare.send(&stage.get_account()).await.status, 200);
}

#[tokio::test]
async fn nobody_else_is_let_in_and_missing_ones_are_one() {
    let stage = Stage::new().await;
    lets_in_administrators(&stage, &PERMISSIONS, call, &stage.get_account()).await;
}

#[tokio::test]
async fn without_the_table_it_says_to_come_back() {
    let stage = Stage::new().await;
    let own = stage.own_account("owner").await;
    let token = stage.administrator().await;
    stage.wire.cut();
    let reply = get(&stage, &token, own.id.as_str()).await;
    assert_eq!((reply.status, reply.header("retry-after")), (503, "1"));
}
