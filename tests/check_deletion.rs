//! `GET /api/v3/objects/{lcuid}/can-be-deleted`: LIFECYCLE, "Common" and "Agency API".

use headcount_model::credential::Permission;
use headcount_tests::agency::{asks_for_one_of, lets_in_nobody_else};
use headcount_tests::{AgencyTenant, Call, Reply, Stage};
use serde_json::json;

const PERMISSIONS: [Permission; 2] =
    [Permission::AccountDelete, Permission::AgencyUpdateDeleteAllAccounts];

fn call(lcuid: &str) -> Call {
    Call::empty().at(&format!("/api/v3/objects/{lcuid}/can-be-deleted"))
}

struct Api {
    stage: Stage,
    tenant: AgencyTenant,
    token: String,
    function: check_deletion::Function<headcount_store::Table, headcount_tests::Ports>,
}

impl Api {
    async fn new() -> Self {
        let stage = Stage::new().await;
        let tenant = stage.agency_tenant().await;
        let token = stage.credential(tenant.holder(), &[Permission::AccountDelete]).await;
        let function = stage.check_deletion();
        stage.operations.take();
        Self { stage, tenant, token, function }
    }

    async fn ask(&self, lcuid: &str) -> Reply {
        self.tenant.signed(call(lcuid), &self.token).send(&self.function).await
    }
}

#[tokio::test]
async fn it_says_whether_and_why_not_and_deletes_nothing() {
    let api = Api::new().await;
    let before = api.stage.snapshot().await;
    let yes =
        r#"{"success":true,"can_be_deleted":true,"what_else_will_be_deleted":{},"reasons":[]}"#;
    for lcuid in [&api.tenant.plain, &api.tenant.parent] {
        let reply = api.ask(lcuid).await;
        assert_eq!((reply.status, reply.text.as_str()), (200, yes));
    }
    assert!(api.stage.snapshot().await == before);
    let body = json!({
        "name": "Below", "agency_lcuid": api.tenant.lcuid, "parent_account_lcuid": api.tenant.parent,
    });
    let create = api.tenant.signed(Call::json(&body), &api.tenant.token);
    assert_eq!(create.send(&api.stage.create_agency_account()).await.status, 200);
    let no = r#"{"success":true,"can_be_deleted":false,"what_else_will_be_deleted":{},"reasons":["The account has sub-accounts."]}"#;
    let reply = api.ask(&api.tenant.parent).await;
    assert_eq!((reply.status, reply.text.as_str()), (200, no));
    assert_eq!(api.ask(&api.tenant.plain).await.text, yes);
}

#[tokio::test]
async fn it_makes_one_call_besides_the_credential_and_another_for_a_parent() {
    let api = Api::new().await;
    api.ask(&api.tenant.plain).await;
    assert_eq!(api.stage.operations.take(), ["GetItem", "GetItem"]);
    api.ask(&api.tenant.plain).await;
    assert_eq!(api.stage.operations.take(), ["GetItem"]);
    api.ask(&api.tenant.parent).await;
    assert_eq!(api.stage.operations.take(), ["GetItem", "Query"]);
}

#[tokio::test]
async fn either_permission_will_do_and_nothing_of_others_is_told() {
    let api = Api::new().await;
    for permission in PERMISSIONS {
        let token = api.stage.credential(api.tenant.holder(), &[permission]).await;
        let reply = api.tenant.signed(call(&api.tenant.plain), &token).send(&api.function).await;
        assert_eq!(reply.status, 200, "{permission:?}");
    }
    let other = api.stage.agency_tenant().await;
    let accounts = (api.tenant.plain.as_str(), other.plain.as_str());
    asks_for_one_of(&api.stage, &api.tenant, &PERMISSIONS, accounts, call, &api.function).await;
    let accounts = (other.plain.as_str(), api.tenant.parent.as_str());
    asks_for_one_of(&api.stage, &other, &PERMISSIONS, accounts, call, &api.function).await;
}

#[tokio::test]
async fn nobody_else_is_let_in() {
    let api = Api::new().await;
    let call = call(&api.tenant.plain);
    let permission = Permission::AccountDelete;
    lets_in_nobody_else(&api.stage, &api.tenant, permission, &call, &api.function).await;
    api.stage.wire.cut();
    assert_eq!(api.ask(&api.tenant.plain).await.status, 503);
}
