//! `GET /api/v3/accounts/{lcuid}`: LIFECYCLE, "Common" and "Agency API".

use aws_sdk_dynamodb::types::AttributeValue;
use headcount_model::credential::Permission;
use headcount_tests::agency::{asks_for_one_of, lets_in_nobody_else};
use headcount_tests::{AgencyTenant, Call, Reply, Stage};
use jiff::SignedDuration;
use serde_json::{Value, json};

const PERMISSIONS: [Permission; 2] =
    [Permission::AccountView, Permission::AgencyUpdateDeleteAllAccounts];

fn call(lcuid: &str) -> Call {
    Call::empty().at(&format!("/api/v3/accounts/{lcuid}"))
}

struct Api {
    stage: Stage,
    tenant: AgencyTenant,
    token: String,
    function: get_agency_account::Function<headcount_store::Table, headcount_tests::Ports>,
}

impl Api {
    async fn new() -> Self {
        let stage = Stage::new().await;
        let tenant = stage.agency_tenant().await;
        let token = stage.credential(tenant.holder(), &[Permission::AccountView]).await;
        let function = stage.get_agency_account();
        stage.operations.take();
        Self { stage, tenant, token, function }
    }

    async fn get(&self, lcuid: &str) -> Reply {
        self.tenant.signed(call(lcuid), &self.token).send(&self.function).await
    }

    /// Creates an account and gives back what the caller was told of it.
    async fn create(&self, body: Value) -> Value {
        let mut body = body;
        body["agency_lcuid"] = json!(self.tenant.lcuid);
        let call = self.tenant.signed(Call::json(&body), &self.tenant.token);
        let reply = call.send(&self.stage.create_agency_account()).await;
        assert_eq!(reply.status, 200, "{}", reply.text);
        reply.json()["account"].clone()
    }
}

#[tokio::test]
async fn the_whole_answer() {
    let api = Api::new().await;
    api.stage.ports.advance(SignedDuration::from_micros(70));
    let created = api
        .create(json!({
            "name": "My New Account", "description": "Of\nmine", "website": "https://example.com",
            "parent_account_lcuid": api.tenant.parent,
        }))
        .await;
    api.stage.ports.advance(SignedDuration::from_hours(1));
    let reply = api.get(created["lcuid"].as_str().expect("an id")).await;
    assert_eq!(reply.header("content-type"), "application/json");
    // Byte for byte: the keys in the published order, every one there.
    let expected = format!(
        concat!(
            r#"{{"success":true,"account":{{"name":"My New Account","options":{{"#,
            r#""primary_image_public_url":null,"primary_image_background_removed_public_url":null}},"#,
            r#""lcuid":{},"slug":"MyNewAccount","website":"https://example.com","description":"Of\nmine","#,
            r#""created_at":"2026-02-03T18:12:47.000070Z","#,
            r#""inventory_item_class":["App\\LuCore\\InventoryItems\\GenericInventoryItemClass","#,
            r#""App\\LuCore\\InventoryItems\\PhotoStreamInventoryItemClass","#,
            r#""App\\LuCore\\InventoryItems\\CreativeInventoryItemClass"],"#,
            r#""account_class":"App\\LuCore\\Accounts\\InventoryAccountClass","#,
            r#""inventory_item_class_description":"Generic, Post, Creative","#,
            r#""account_class_description":"Inventory","is_parent_account":false,"#,
            r#""agency":{{"name":"Blue River","description":null,"software_provider":null,"website":null,"#,
            r#""status":"active","agency_class":null,"options":{{"primary_image_public_url":null,"#,
            r#""support_text":null,"proof_legal_text":null}},"lcuid":"{}","slug":"BlueRiver","#,
            r#""created_at":"2026-02-03T18:12:47.000000Z","updated_at":"2026-02-03T18:12:47.000000Z","#,
            r#""agency_class_description":null}}}}}}"#,
        ),
        created["lcuid"], api.tenant.lcuid
    );
    assert_eq!((reply.status, reply.text), (200, expected));
}

#[tokio::test]
async fn it_has_all_that_the_create_told() {
    let api = Api::new().await;
    for body in [
        json!({"name": "A"}),
        json!({"name": "Crème", "description": "d", "website": "https://a.example.com/"}),
    ] {
        let created = api.create(body).await;
        let shown = api.get(created["lcuid"].as_str().expect("an id")).await.json();
        for (field, value) in created.as_object().expect("an account") {
            assert_eq!(shown["account"][field], *value, "{field}");
        }
        assert_eq!(shown["account"]["is_parent_account"], false);
    }
    assert_eq!(api.get(&api.tenant.parent).await.json()["account"]["is_parent_account"], true);
}

#[tokio::test]
async fn it_makes_one_call_besides_the_credential() {
    let api = Api::new().await;
    api.get(&api.tenant.plain).await;
    assert_eq!(api.stage.operations.take(), ["GetItem", "BatchGetItem"]);
    api.get(&api.tenant.plain).await;
    assert_eq!(api.stage.operations.take(), ["BatchGetItem"], "the credential is remembered");
}

#[tokio::test]
async fn the_id_may_be_in_upper_case_and_needs_no_content_type() {
    let api = Api::new().await;
    let uuid = api.tenant.plain.replace("LCUID-LA-", "").to_uppercase();
    let call = api.tenant.signed(call(&format!("LCUID-LA-{uuid}")), &api.token);
    let reply = call.without("content-type").send(&api.function).await;
    assert_eq!(reply.json()["account"]["lcuid"], *api.tenant.plain);
}

#[tokio::test]
async fn either_permission_will_do_and_no_object_of_others_is_shown() {
    let api = Api::new().await;
    for permission in PERMISSIONS {
        let token = api.stage.credential(api.tenant.holder(), &[permission]).await;
        let reply = api.tenant.signed(call(&api.tenant.plain), &token).send(&api.function).await;
        assert_eq!(reply.status, 200, "{permission:?}");
    }
    let other = api.stage.agency_tenant().await;
    let accounts = (api.tenant.plain.as_str(), other.plain.as_str());
    asks_for_one_of(&api.stage, &api.tenant, &PERMISSIONS, accounts, call, &api.function).await;
    // And the other way round.
    let accounts = (other.plain.as_str(), api.tenant.parent.as_str());
    asks_for_one_of(&api.stage, &other, &PERMISSIONS, accounts, call, &api.function).await;
}

#[tokio::test]
async fn nobody_else_is_let_in() {
    let api = Api::new().await;
    let call = call(&api.tenant.plain);
    let permission = Permission::AccountView;
    lets_in_nobody_else(&api.stage, &api.tenant, permission, &call, &api.function).await;
}

#[tokio::test]
async fn an_account_that_cannot_be_read_is_no_missing_one() {
    let api = Api::new().await;
    let (pk, sk) =
        (format!("AGENCY#{}", api.tenant.lcuid), format!("ACCOUNT#{}", api.tenant.plain));
    api.stage.set(&pk, &sk, "lcuid", AttributeValue::S("nobody".to_owned())).await;
    assert_eq!(api.get(&api.tenant.plain).await.status, 503);
    api.stage.wire.cut();
    let reply = api.get(&api.tenant.parent).await;
    assert_eq!((reply.status, reply.header("retry-after")), (503, "1"));
}
