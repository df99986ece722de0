//! `GET /api/v3/agencies/{lcuid}/accounts`: LIFECYCLE, "Common" and "Agency API".

use headcount_model::credential::Permission;
use headcount_tests::agency::{forbidden, lets_in_nobody_else};
use headcount_tests::{AgencyTenant, Call, Reply, Stage};
use jiff::SignedDuration;
use serde_json::json;

const PERMISSIONS: [Permission; 1] = [Permission::AgencyViewAccounts];

fn call(lcuid: &str) -> Call {
    Call::empty().at(&format!("/api/v3/agencies/{lcuid}/accounts"))
}

struct Api {
    stage: Stage,
    tenant: AgencyTenant,
    token: String,
    function: list_accounts_of_agency::Function<headcount_store::Table, headcount_tests::Ports>,
}

impl Api {
    async fn new() -> Self {
        let stage = Stage::new().await;
        let tenant = stage.agency_tenant().await;
        let token = stage.credential(tenant.holder(), &PERMISSIONS).await;
        let function = stage.list_accounts_of_agency();
        stage.operations.take();
        Self { stage, tenant, token, function }
    }

    async fn send(&self, call: Call) -> Reply {
        self.tenant.signed(call, &self.token).send(&self.function).await
    }
}

#[tokio::test]
async fn the_whole_answer_has_no_class_fields() {
    let api = Api::new().await;
    api.stage.ports.advance(SignedDuration::from_micros(70));
    let body = json!({
        "name": "Blue River", "description": "Of\nmine", "website": "https://example.com",
        "agency_lcuid": api.tenant.lcuid,
    });
    let create = api.tenant.signed(Call::json(&body), &api.tenant.token);
    let created = create.send(&api.stage.create_agency_account()).await.json();
    let reply = api.send(call(&api.tenant.lcuid)).await;
    assert_eq!(reply.status, 200);
    let expected = format!(
        concat!(
            r#"{{"name":"Blue River","options":{{"primary_image_public_url":null,"#,
            r#""primary_image_background_removed_public_url":null}},"lcuid":{},"slug":"BlueRiver","#,
            r#""website":"https://example.com","description":"Of\nmine","#,
            r#""created_at":"2026-02-03T18:12:47.000070Z","is_parent_account":false}}]}}"#,
        ),
        created["account"]["lcuid"]
    );
    assert!(reply.text.starts_with(r#"{"success":true,"accounts":[{"name":"P"#), "{}", reply.text);
    assert!(reply.text.ends_with(&expected), "{}", reply.text);
    assert_eq!(reply.json()["accounts"].as_array().map(Vec::len), Some(3));
}

#[tokio::test]
async fn pages_are_those_of_the_other_list_and_one_call_each() {
    let api = Api::new().await;
    api.stage.many_accounts(&api.tenant.lcuid, 10, 1).await;
    api.stage.operations.take();
    let page = call(&api.tenant.lcuid).query("page", "2").query("per_page", "4");
    let reply = api.send(page).await.json();
    let names: Vec<_> = reply["accounts"].as_array().expect("a list").iter().collect();
    let names: Vec<_> = names.into_iter().map(|account| account["name"].clone()).collect();
    assert_eq!(names, ["Account 5", "Account 4", "Account 3", "Account 2"]);
    assert_eq!(api.stage.operations.take(), ["GetItem", "Query"]);
    let bad = api.send(call(&api.tenant.lcuid).query("per_page", "1,2")).await;
    let message = "The per page field must be between 1 and 100.";
    assert_eq!((bad.status, bad.json()["message"].clone()), (422, json!(message)));
}

#[tokio::test]
async fn a_list_beyond_four_megabytes_is_refused() {
    let api = Api::new().await;
    api.stage.many_accounts(&api.tenant.lcuid, 300, 5_000).await;
    assert_eq!(api.send(call(&api.tenant.lcuid)).await.status, 400);
    assert_eq!(api.send(call(&api.tenant.lcuid).query("page", "1")).await.status, 200);
}

#[tokio::test]
async fn the_permission_is_asked_for_and_another_agency_is_one_that_does_not_exist() {
    let api = Api::new().await;
    let other = api.stage.agency_tenant().await;
    let lacking: Vec<_> =
        Permission::ALL.into_iter().filter(|one| !PERMISSIONS.contains(one)).collect();
    let lacking = api.stage.credential(api.tenant.holder(), &lacking).await;
    let uuid = api.tenant.lcuid.replace("LCUID-LY-", "");
    let upper = format!("LCUID-LY-{}", uuid.to_uppercase());
    assert_eq!(api.send(call(&upper)).await.status, 200);

    let before = api.stage.snapshot().await;
    let own = api.tenant.signed(call(&api.tenant.lcuid), &lacking).send(&api.function).await;
    assert_eq!((own.status, own.json()), (403, forbidden(&PERMISSIONS, &api.tenant.lcuid)));
    for object in [
        other.lcuid.clone(),
        "LCUID-LY-407a0e2f-511a-4925-afd4-491724e0d862".to_owned(),
        api.tenant.plain.clone(),
        api.tenant.app.clone(),
        format!("LCUID-LA-{uuid}"),
        format!("{}0", api.tenant.lcuid),
        uuid,
        "..".to_owned(),
    ] {
        for token in [&api.token, &lacking] {
            api.stage.operations.take();
            let reply = api.tenant.signed(call(&object), token).send(&api.function).await;
            assert_eq!((reply.status, reply.json()), (403, forbidden(&PERMISSIONS, &object)));
            assert!(!api.stage.operations.take().contains(&"Query".into()), "nothing is read");
        }
    }
    for object in ["", "%4CCUID-LY", "a b", "AGENCY#x"] {
        let reply = api.send(call(object)).await;
        assert_eq!((reply.status, reply.json()), (403, forbidden(&PERMISSIONS, "")), "{object}");
    }
    assert!(api.stage.snapshot().await == before);
}

#[tokio::test]
async fn nobody_else_is_let_in() {
    let api = Api::new().await;
    let call = call(&api.tenant.lcuid);
    let permission = Permission::AgencyViewAccounts;
    lets_in_nobody_else(&api.stage, &api.tenant, permission, &call, &api.function).await;
    api.stage.wire.cut();
    assert_eq!(api.send(call).await.status, 503);
}
