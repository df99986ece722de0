//! get-organization on the real store.

#![allow(clippy::expect_used)] // A test that cannot be set up has to say so loudly.

use headcount_model::credential::{Holder, Permission};
use headcount_tests::{Call, Reply, Stage, bad_credentials};
use serde_json::json;

async fn get(stage: &Stage, key: &str) -> Reply {
    Call::empty().bearer(key).send(&stage.get_organization()).await
}

#[tokio::test]
async fn the_whole_answer_of_the_own_organization_alone() {
    let stage = Stage::new().await;
    for (organization, key) in [stage.seats_tenant().await, stage.seats_tenant().await] {
        let reply = get(&stage, &key).await;
        let data = json!([{"id": organization.as_str(), "name": "Acme"}]);
        let whole = json!({"ok": true, "code": 200, "message": "Success", "data": data});
        assert_eq!((reply.status, reply.json()), (200, whole));
        assert_eq!(reply.header("content-type"), "application/json");
    }
}

#[tokio::test]
async fn any_good_key_will_do_and_no_other_credential() {
    let stage = Stage::new().await;
    let (organization, _) = stage.seats_tenant().await;
    let holder = Holder::Organization(organization);
    let each = Permission::ALL.map(|permission| vec![permission]);
    for permissions in each.into_iter().chain([vec![]]) {
        let key = stage.credential(holder.clone(), &permissions).await;
        assert_eq!(get(&stage, &key).await.status, 200, "{permissions:?}");
    }
    let none = Call::empty().send(&stage.get_organization()).await;
    assert_eq!((none.status, &none.json()["error"]), (401, &json!("unauthorized")));
    for (what, header) in bad_credentials(&stage, &holder, Permission::AccountsRead).await {
        let call = Call::empty().header("authorization", &header);
        let reply = call.send(&stage.get_organization()).await;
        assert_eq!((reply.status, &reply.text), (401, &none.text), "{what}");
    }
    let agency = stage.agency_tenant().await;
    let token = stage.credential(agency.holder(), &Permission::ALL).await;
    let own = stage.own_account("owner").await;
    for other in [token, stage.administrator().await, own.token] {
        let reply = get(&stage, &other).await;
        assert_eq!((reply.status, &reply.text), (401, &none.text));
    }
}

#[tokio::test]
async fn it_is_one_call_besides_the_credential() {
    let stage = Stage::new().await;
    let (_, key) = stage.seats_tenant().await;
    stage.operations.take();
    get(&stage, &key).await;
    assert_eq!(stage.operations.take(), ["GetItem", "GetItem"]);
    let before = stage.snapshot().await;
    stage.operations.take();
    get(&stage, &key).await;
    assert_eq!(stage.operations.take(), ["GetItem"]);
    assert_eq!(stage.snapshot().await, before);
}
