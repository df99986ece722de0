//! delete-api-key on the real store.

#![allow(clippy::expect_used)] // A test that cannot be set up has to say so loudly.

use headcount_model::credential::{Holder, Permission};
use headcount_model::id::{CredentialId, OrganizationId};
use headcount_tests::{Call, Reply, Stage};
use jiff::SignedDuration;
use serde_json::{Value, json};

const NOBODYS: &str = "01kgjb9z8rd3m0n0b0dy000000";

fn id(key: &str) -> &str {
    key.split('_').nth(1).expect("an id")
}

async fn manager(stage: &Stage, organization: &OrganizationId) -> String {
    let holder = Holder::Organization(organization.clone());
    stage.credential(holder, &[Permission::KeysManage]).await
}

async fn delete(stage: &Stage, key: &str, named: &str) -> Reply {
    let call = Call::json(&json!({ "apiKeyId": named })).bearer(key);
    call.send(&stage.delete_api_key()).await
}

async fn listed(stage: &Stage, key: &str) -> Vec<String> {
    let reply = Call::json(&json!({})).bearer(key).send(&stage.list_api_keys()).await;
    let keys = reply.json()["data"].as_array().expect("a list").clone();
    keys.iter().map(|key| key["id"].as_str().expect("an id").to_owned()).collect()
}

async fn works(stage: &Stage, key: &str) -> bool {
    let seats = Call::json(&json!({})).bearer(key).send(&stage.list_seats()).await;
    seats.status == 200
}

#[tokio::test]
async fn a_deleted_key_is_listed_no_more_and_ends_within_thirty_seconds() {
    let stage = Stage::new().await;
    let (organization, first) = stage.seats_tenant().await;
    let key = manager(&stage, &organization).await;
    assert!(works(&stage, &first).await);
    let reply = delete(&stage, &key, id(&first)).await;
    let data = json!({"message": "API key deleted", "id": id(&first)});
    let whole = json!({"ok": true, "code": 200, "message": "Success", "data": data});
    assert_eq!((reply.status, reply.json()), (200, whole));
    assert_eq!(listed(&stage, &key).await, [id(&key)]);
    stage.ports.advance(SignedDuration::from_secs(30));
    assert!(!works(&stage, &first).await);
    // Again, it is no fault, and nothing is written.
    let before = stage.snapshot().await;
    let again = delete(&stage, &key, id(&first)).await;
    assert_eq!((again.status, &again.text), (200, &reply.text));
    assert_eq!(stage.snapshot().await, before);
}

#[tokio::test]
async fn the_last_key_that_may_manage_keys_does_not_delete_itself() {
    let stage = Stage::new().await;
    let (organization, _) = stage.seats_tenant().await;
    let (one, other) = (manager(&stage, &organization).await, manager(&stage, &organization).await);
    // One that has expired is none, nor one of another organization.
    let soon = json!({"name": "Soon", "permissions": ["keys:manage"], "expires_at": "2026-02-03T18:12:48Z"});
    let soon = Call::json(&soon).bearer(&one).send(&stage.create_api_key()).await;
    assert_eq!(soon.status, 200);
    stage.ports.advance(SignedDuration::from_secs(1));
    let (stranger, _) = stage.seats_tenant().await;
    manager(&stage, &stranger).await;
    assert_eq!(delete(&stage, &other, id(&other)).await.status, 200);
    let before = stage.snapshot().await;
    let refused = delete(&stage, &one, id(&one)).await;
    assert_eq!((refused.status, &refused.json()["error"]), (409, &json!("last_managing_api_key")));
    assert_eq!(stage.snapshot().await, before);
    assert!(listed(&stage, &one).await.contains(&id(&one).to_owned()));
}

/// A key that an operator took back is no other key, whatever the list says.
#[tokio::test]
async fn a_key_that_was_taken_back_leaves_the_last_one_alone() {
    let stage = Stage::new().await;
    let (organization, _) = stage.seats_tenant().await;
    let (one, other) = (manager(&stage, &organization).await, manager(&stage, &organization).await);
    let revoked = aws_sdk_dynamodb::types::AttributeValue::Bool(true);
    stage.set(&format!("CREDENTIAL#{}", id(&other)), "CREDENTIAL", "revoked", revoked).await;
    assert_eq!(delete(&stage, &one, id(&one)).await.status, 409);
}

#[tokio::test]
async fn two_keys_that_delete_themselves_at_once_leave_one() {
    let stage = Stage::new().await;
    let (organization, _) = stage.seats_tenant().await;
    let (one, other) = (manager(&stage, &organization).await, manager(&stage, &organization).await);
    let both = tokio::join!(delete(&stage, &one, id(&one)), delete(&stage, &other, id(&other)));
    let mut statuses = [both.0.status, both.1.status];
    statuses.sort_unstable();
    assert_eq!(statuses, [200, 409]);
}

#[tokio::test]
async fn two_keys_that_delete_each_other_at_once_leave_one() {
    let stage = Stage::new().await;
    let (organization, _) = stage.seats_tenant().await;
    let (one, other) = (manager(&stage, &organization).await, manager(&stage, &organization).await);
    let both = tokio::join!(delete(&stage, &one, id(&other)), delete(&stage, &other, id(&one)));
    let mut statuses = [both.0.status, both.1.status];
    statuses.sort_unstable();
    assert_eq!(statuses, [200, 401]);
}

#[tokio::test]
async fn what_an_operator_takes_back_is_listed_no_more() {
    let stage = Stage::new().await;
    let (organization, first) = stage.seats_tenant().await;
    let key = manager(&stage, &organization).await;
    let credential = CredentialId::parse(id(&first)).expect("an id");
    for _ in 0..2 {
        stage.table.revoke_credential(&credential).await.expect("a credential");
        assert_eq!(listed(&stage, &key).await, [id(&key)]);
    }
}

#[tokio::test]
async fn anothers_key_and_one_that_is_not_there_are_one() {
    let stage = Stage::new().await;
    let (organization, _) = stage.seats_tenant().await;
    let key = manager(&stage, &organization).await;
    let (_, stranger) = stage.seats_tenant().await;
    let agency = stage.agency_tenant().await;
    let before = stage.snapshot().await;
    let missing = delete(&stage, &key, NOBODYS).await;
    assert_eq!((missing.status, &missing.json()["error"]), (404, &json!("api_key_not_found")));
    for other in [id(&stranger), id(&agency.token)] {
        let reply = delete(&stage, &key, other).await;
        assert_eq!((reply.status, &reply.text), (404, &missing.text));
    }
    assert_eq!(stage.snapshot().await, before);
    assert!(works(&stage, &stranger).await);
}

#[tokio::test]
async fn faults_replays_and_permissions() {
    let stage = Stage::new().await;
    let (organization, first) = stage.seats_tenant().await;
    let key = manager(&stage, &organization).await;
    for (body, field, rule) in [
        (json!({}), "apiKeyId", "required"),
        (json!({"apiKeyId": first}), "apiKeyId", "api_key_id"),
        (json!({"apiKeyId": 1}), "apiKeyId", "type"),
        (json!({"apiKeyId": NOBODYS, "id": "x"}), "id", "unknown_field"),
    ] {
        let reply = Call::json(&body).bearer(&key).send(&stage.delete_api_key()).await;
        let fault = reply.json()["errors"][0].clone();
        assert_eq!(
            (reply.status, &fault["field"], &fault["rule"]),
            (400, &json!(field), &json!(rule))
        );
    }
    assert_eq!(delete(&stage, &first, id(&first)).await.status, 403);
    let call = |named: &str| Call::json(&json!({ "apiKeyId": named })).bearer(&key).key("one");
    let done = call(id(&first)).send(&stage.delete_api_key()).await;
    let again = call(id(&first)).send(&stage.delete_api_key()).await;
    assert_eq!((again.status, &again.text, again.is_replay()), (200, &done.text, true));
    assert_eq!(call(NOBODYS).send(&stage.delete_api_key()).await.status, 404);
    assert_eq!(call(id(&key)).send(&stage.delete_api_key()).await.status, 409);
    let none: Value = Call::json(&json!({})).send(&stage.delete_api_key()).await.json();
    assert_eq!(none["error"], json!("unauthorized"));
}
