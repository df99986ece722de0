//! update-api-key on the real store.

#![allow(clippy::expect_used)] // A test that cannot be set up has to say so loudly.

use headcount_model::credential::{Holder, Permission};
use headcount_tests::{Call, Reply, Stage, text_of};
use serde_json::{Value, json};

/// The form of an id that nobody has.
const NOBODYS: &str = "01kgjb9z8rd3m0n0b0dy000000";

fn id(key: &str) -> &str {
    key.split('_').nth(1).expect("an id")
}

async fn manager(stage: &Stage) -> String {
    let (organization, _) = stage.seats_tenant().await;
    stage.credential(Holder::Organization(organization), &[Permission::KeysManage]).await
}

async fn edit(stage: &Stage, key: &str, body: &Value) -> Reply {
    Call::json(body).bearer(key).send(&stage.update_api_key()).await
}

#[tokio::test]
async fn a_key_is_called_otherwise_and_works_as_before() {
    let stage = Stage::new().await;
    let (organization, first) = stage.seats_tenant().await;
    let holder = Holder::Organization(organization.clone());
    let key = stage.credential(holder, &[Permission::KeysManage]).await;
    for (named, name) in [(&first, "Shop"), (&first, "Shop 2"), (&key, "Own")] {
        let body = json!({"apiKeyId": id(named), "name": format!(" {name} ")});
        let reply = edit(&stage, &key, &body).await;
        let answer = reply.json();
        assert_eq!((reply.status, &answer["data"]["name"]), (200, &json!(name)), "{}", reply.text);
        assert_eq!(answer["data"]["id"], json!(id(named)));
        assert!(answer["data"].get("key").is_none());
    }
    let list = Call::json(&json!({})).bearer(&key).send(&stage.list_api_keys()).await.json();
    let names: Vec<_> =
        list["data"].as_array().into_iter().flatten().map(|key| &key["name"]).collect();
    assert!(names.contains(&&json!("Shop 2")) && names.contains(&&json!("Own")), "{names:?}");
    let seats = Call::json(&json!({})).bearer(&first).send(&stage.list_seats()).await;
    assert_eq!(seats.status, 200);
    let audit = stage.items_under(&format!("ORG#{organization}")).await;
    let routes = audit.iter().filter_map(|item| text_of(item, "route"));
    assert_eq!(routes.collect::<Vec<_>>(), ["POST /org/api-key/edit"; 3]);
}

#[tokio::test]
async fn anothers_key_a_deleted_one_and_one_that_is_not_there_are_one() {
    let stage = Stage::new().await;
    let (key, stranger) = (manager(&stage).await, manager(&stage).await);
    let agency = stage.agency_tenant().await;
    let administrator = stage.administrator().await;
    let body = |id: &str| json!({"apiKeyId": id, "name": "Mine"});
    let gone = json!({"name": "Gone", "permissions": ["keys:manage"]});
    let gone = Call::json(&gone).bearer(&key).send(&stage.create_api_key()).await.json();
    let gone = gone["data"]["id"].as_str().expect("an id").to_owned();
    let delete = Call::json(&json!({ "apiKeyId": gone })).bearer(&key);
    assert_eq!(delete.send(&stage.delete_api_key()).await.status, 200);
    let before = stage.snapshot().await;
    let missing = edit(&stage, &key, &body(NOBODYS)).await;
    assert_eq!((missing.status, &missing.json()["error"]), (404, &json!("api_key_not_found")));
    for other in [id(&stranger), id(&agency.token), id(&administrator), &gone] {
        let reply = edit(&stage, &key, &body(other)).await;
        assert_eq!((reply.status, &reply.text), (404, &missing.text), "{other}");
    }
    assert_eq!(stage.snapshot().await, before);
}

#[tokio::test]
async fn every_fault_is_told_at_once_and_a_replay_answers_the_same() {
    let stage = Stage::new().await;
    let key = manager(&stage).await;
    let reply = edit(&stage, &key, &json!({"apiKeyId": key, "name": "", "permissions": []})).await;
    let answer = reply.json();
    let faults = answer["errors"].as_array().expect("faults").iter();
    let faults: Vec<_> = faults.map(|fault| (&fault["field"], &fault["rule"])).collect();
    assert_eq!(
        faults,
        [
            (&json!("apiKeyId"), &json!("api_key_id")),
            (&json!("name"), &json!("min_length")),
            (&json!("permissions"), &json!("unknown_field")),
        ]
    );
    assert!(!reply.text.contains(key.rsplit('_').next().expect("a secret")));
    let call = |name: &str| {
        let body = json!({"apiKeyId": id(&key), "name": name});
        Call::json(&body).bearer(&key).key("one")
    };
    let first = call("A").send(&stage.update_api_key()).await;
    let again = call("A").send(&stage.update_api_key()).await;
    assert_eq!((again.status, &again.text, again.is_replay()), (200, &first.text, true));
    assert_eq!(call("B").send(&stage.update_api_key()).await.status, 422);
}

#[tokio::test]
async fn the_permission_is_needed() {
    let stage = Stage::new().await;
    let (_, idle) = stage.seats_tenant().await;
    let body = json!({"apiKeyId": id(&idle), "name": "Own"});
    let reply = edit(&stage, &idle, &body).await;
    assert_eq!((reply.status, &reply.json()["error"]), (403, &json!("forbidden")));
    assert_eq!(Call::json(&body).send(&stage.update_api_key()).await.status, 401);
}
