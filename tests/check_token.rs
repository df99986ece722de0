//! `GET /api/v3/status`: LIFECYCLE, "Agency API".

use headcount_model::credential::Permission;
use headcount_tests::agency::lets_in_nobody_else;
use headcount_tests::{Call, Stage};

fn call() -> Call {
    Call::empty().at("/api/v3/status")
}

#[tokio::test]
async fn every_good_token_is_told_so_whatever_it_allows() {
    let stage = Stage::new().await;
    let tenant = stage.agency_tenant().await;
    for permissions in [&[][..], &[Permission::AgencyCreateAccounts], &Permission::ALL] {
        let token = stage.credential(tenant.holder(), permissions).await;
        stage.operations.take();
        for expected in [&["GetItem"][..], &[]] {
            let reply = tenant.signed(call(), &token).send(&stage.check_token()).await;
            assert_eq!((reply.status, reply.text.as_str()), (200, r#"{"success":true}"#));
            assert_eq!(reply.header("content-type"), "application/json");
            assert_eq!(reply.header("x-request-id"), "request-1");
            assert_eq!(stage.operations.take(), expected);
        }
    }
}

#[tokio::test]
async fn a_client_that_says_nothing_of_content_is_answered() {
    let stage = Stage::new().await;
    let tenant = stage.agency_tenant().await;
    let bare = tenant.signed(call(), &tenant.token).without("content-type").without("accept");
    assert_eq!(bare.send(&stage.check_token()).await.status, 200);
}

#[tokio::test]
async fn nobody_else_is_let_in() {
    let stage = Stage::new().await;
    let tenant = stage.agency_tenant().await;
    let permission = Permission::AgencyCreateAccounts;
    lets_in_nobody_else(&stage, &tenant, permission, &call(), &stage.check_token()).await;
}

#[tokio::test]
async fn without_the_table_it_says_to_come_back() {
    let stage = Stage::new().await;
    let tenant = stage.agency_tenant().await;
    stage.wire.cut();
    let reply = tenant.signed(call(), &tenant.token).send(&stage.check_token()).await;
    assert_eq!((reply.status, reply.header("retry-after")), (503, "1"));
}
