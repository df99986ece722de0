//! list-api-keys on the real store.

#![allow(clippy::expect_used)] // A test that cannot be set up has to say so loudly.

use headcount_model::credential::{Holder, Permission};
use headcount_tests::{Call, Reply, Stage, bad_credentials};
use serde_json::{Value, json};

async fn list(stage: &Stage, key: &str) -> Reply {
    Call::json(&json!({})).bearer(key).send(&stage.list_api_keys()).await
}

#[tokio::test]
async fn the_whole_answer_of_the_own_keys_alone() {
    let stage = Stage::new().await;
    let (other, _) = stage.seats_tenant().await;
    stage.credential(Holder::Organization(other), &[Permission::KeysManage]).await;
    let (organization, first) = stage.seats_tenant().await;
    let key = stage.credential(Holder::Organization(organization), &[Permission::KeysManage]).await;
    let body = json!({"name": "Réports", "permissions": ["keys:manage"], "expires_at": "2027-01-01T00:00:00Z"});
    let made = Call::json(&body).bearer(&key).send(&stage.create_api_key()).await.json();
    let id = |key: &str| key.split('_').nth(1).expect("an id").to_owned();
    let listed = |id: &Value, name: &str, permissions: Value, end: Value| {
        json!({
            "id": id, "name": name, "created_at": "2026-02-03T18:12:47.000Z",
            "permissions": permissions, "expires_at": end, "last_used_on": null,
        })
    };
    let reply = list(&stage, &key).await;
    let mut data = reply.json()["data"].as_array().expect("a bare list").clone();
    // Ids of one moment have no order.
    let mut expected = vec![
        listed(
            &json!(id(&first)),
            "API key",
            json!(["accounts:create", "accounts:deactivate"]),
            Value::Null,
        ),
        listed(&json!(id(&key)), "API key", json!(["keys:manage"]), Value::Null),
        listed(
            &made["data"]["id"],
            "Réports",
            json!(["keys:manage"]),
            json!("2027-01-01T00:00:00.000Z"),
        ),
    ];
    let by_id = |one: &Value| one["id"].as_str().map(str::to_owned);
    data.sort_by_key(by_id);
    expected.sort_by_key(by_id);
    assert_eq!((reply.status, data), (200, expected));
    assert!(!reply.text.contains("secret") && !reply.text.contains("hc_"), "{}", reply.text);
    let mut whole = reply.json();
    whole["data"] = json!(null);
    assert_eq!(whole, json!({"ok": true, "code": 200, "message": "Success", "data": null}));
}

#[tokio::test]
async fn a_body_may_be_left_out_and_has_no_field() {
    let stage = Stage::new().await;
    let (organization, _) = stage.seats_tenant().await;
    let key = stage.credential(Holder::Organization(organization), &[Permission::KeysManage]).await;
    let empty = Call::empty().without("content-type").bearer(&key);
    let empty = empty.send(&stage.list_api_keys()).await;
    assert_eq!((empty.status, &empty.text), (200, &list(&stage, &key).await.text));
    let call = Call::json(&json!({"limit": 1, "org": "org_1"})).bearer(&key);
    let reply = call.send(&stage.list_api_keys()).await;
    assert_eq!((reply.status, reply.json()["errors"].as_array().map(Vec::len)), (400, Some(2)));
}

#[tokio::test]
async fn it_is_one_call_and_needs_the_permission() {
    let stage = Stage::new().await;
    let (organization, idle) = stage.seats_tenant().await;
    let holder = Holder::Organization(organization);
    let key = stage.credential(holder.clone(), &[Permission::KeysManage]).await;
    stage.operations.take();
    list(&stage, &key).await;
    assert_eq!(stage.operations.take(), ["GetItem", "Query"]);
    let reply = list(&stage, &idle).await;
    assert_eq!((reply.status, &reply.json()["error"]), (403, &json!("forbidden")));
    assert!(reply.text.contains("keys:manage"), "{}", reply.text);
    let none = Call::json(&json!({})).send(&stage.list_api_keys()).await;
    for (what, header) in bad_credentials(&stage, &holder, Permission::KeysManage).await {
        let call = Call::json(&json!({})).header("authorization", &header);
        let reply = call.send(&stage.list_api_keys()).await;
        assert_eq!((reply.status, &reply.text), (401, &none.text), "{what}");
    }
}

/// Keys that were made before there was a list work on. They are in it once they are named.
#[tokio::test]
async fn a_key_that_is_older_than_the_list_works_and_can_be_named() {
    let stage = Stage::new().await;
    let (organization, old) = stage.seats_tenant().await;
    let holder = Holder::Organization(organization.clone());
    let key = stage.credential(holder, &[Permission::KeysManage]).await;
    let id = old.split('_').nth(1).expect("an id");
    stage.forget(&format!("ORG#{organization}"), &format!("APIKEY#{id}")).await;
    let names = |reply: Reply| -> Vec<Value> {
        let keys = reply.json()["data"].as_array().expect("a list").clone();
        keys.into_iter().map(|key| key["name"].clone()).collect()
    };
    assert_eq!(names(list(&stage, &key).await), ["API key"]);
    let seats = Call::json(&json!({})).bearer(&old).send(&stage.list_seats()).await;
    assert_eq!(seats.status, 200);
    let edit = Call::json(&json!({"apiKeyId": id, "name": "Old"})).bearer(&key);
    let edited = edit.send(&stage.update_api_key()).await;
    assert_eq!(
        (edited.status, &edited.json()["data"]["permissions"]),
        (200, &json!(["accounts:create", "accounts:deactivate"]))
    );
    assert_eq!(names(list(&stage, &key).await).len(), 2);
    let seats = Call::json(&json!({})).bearer(&old).send(&stage.list_seats()).await;
    assert_eq!(seats.status, 200);
}
