//! create-api-key on the real store.

#![allow(clippy::expect_used)] // A test that cannot be set up has to say so loudly.

use headcount_model::credential::{Holder, Permission};
use headcount_model::id::OrganizationId;
use headcount_tests::{Call, Reply, Stage, bad_credentials, text_of};
use jiff::SignedDuration;
use serde_json::{Value, json};

/// An organization and a key of it with some permissions.
async fn tenant(stage: &Stage, permissions: &[Permission]) -> (OrganizationId, String) {
    let (organization, _) = stage.seats_tenant().await;
    let key = stage.credential(Holder::Organization(organization.clone()), permissions).await;
    (organization, key)
}

async fn manager(stage: &Stage) -> (OrganizationId, String) {
    tenant(stage, &[Permission::KeysManage, Permission::AccountsCreate]).await
}

fn wish(permissions: &[&str]) -> Value {
    json!({"name": "Reports", "permissions": permissions})
}

async fn create(stage: &Stage, key: &str, body: &Value) -> Reply {
    Call::json(body).bearer(key).send(&stage.create_api_key()).await
}

async fn list(stage: &Stage, key: &str, body: &Value) -> u64 {
    Call::json(body).bearer(key).send(&stage.list_seats()).await.status
}

#[tokio::test]
async fn the_whole_answer_and_a_key_that_works() {
    let stage = Stage::new().await;
    let (organization, key) = manager(&stage).await;
    let mut body = wish(&["accounts:read"]);
    body["expires_at"] = json!("2027-02-03T18:12:47Z");
    let reply = create(&stage, &key, &body).await;
    let answer = reply.json();
    let (id, text) = (&answer["data"]["id"], answer["data"]["key"].as_str().expect("a key"));
    assert_eq!(
        (reply.status, answer.clone()),
        (
            200,
            json!({"ok": true, "code": 200, "message": "Success", "data": {
                "id": id, "name": "Reports", "created_at": "2026-02-03T18:12:47.000Z",
                "permissions": ["accounts:read"], "expires_at": "2027-02-03T18:12:47.000Z",
                "last_used_on": null, "key": text,
            }})
        )
    );
    let (prefix, secret) = text.rsplit_once('_').expect("a secret");
    assert_eq!(format!("hc_{}", id.as_str().expect("an id")), prefix);
    // It works at once, for what it allows alone, and to the second.
    assert_eq!(list(&stage, text, &json!({})).await, 200);
    assert_eq!(create(&stage, text, &body).await.status, 403);
    stage.ports.advance(SignedDuration::from_hours(365 * 24));
    assert_eq!(list(&stage, text, &json!({})).await, 401);
    // Nothing has its secret.
    let items = format!("{:?}", stage.items().await);
    assert!(!items.contains(secret), "the secret is kept");
    let audit = stage.items_under(&format!("ORG#{organization}")).await;
    let audit: Vec<_> = audit.iter().filter(|item| text_of(item, "route").is_some()).collect();
    assert_eq!(audit.len(), 1);
    assert_eq!(text_of(audit[0], "route"), Some("POST /org/api-key/create"));
    let own = key.split('_').nth(1);
    assert_eq!(text_of(audit[0], "credential"), own);
}

#[tokio::test]
async fn a_key_gives_only_what_it_has() {
    let stage = Stage::new().await;
    let (_, key) = manager(&stage).await;
    // What one permission includes it has too.
    for given in ["keys:manage", "accounts:create", "accounts:read", "billing:read"] {
        assert_eq!(create(&stage, &key, &wish(&[given])).await.status, 200, "{given}");
    }
    for other in ["accounts:deactivate", "accounts:update"] {
        let before = stage.snapshot().await;
        let reply = create(&stage, &key, &wish(&["accounts:read", other])).await;
        assert_eq!((reply.status, &reply.json()["error"]), (403, &json!("forbidden")), "{other}");
        assert!(reply.text.contains(other), "{}", reply.text);
        assert_eq!(stage.snapshot().await, before);
    }
    let all: Vec<_> = headcount_model::api_key::KEY_PERMISSIONS.to_vec();
    let (_, key) = tenant(&stage, &all).await;
    let names: Vec<_> = all.iter().map(|permission| permission.as_str()).collect();
    assert_eq!(create(&stage, &key, &wish(&names)).await.status, 200);
}

#[tokio::test]
async fn a_key_gives_no_longer_time_than_it_has() {
    let stage = Stage::new().await;
    let (organization, key) = manager(&stage).await;
    let mut body = wish(&["keys:manage"]);
    body["expires_at"] = json!("2026-03-03T00:00:00Z");
    let short = create(&stage, &key, &body).await.json()["data"]["key"].clone();
    let short = short.as_str().expect("a key");
    for (end, status) in [
        (json!("2026-03-03T00:00:00Z"), 200),
        (json!("2026-03-03T01:00:00+01:00"), 200),
        (json!("2026-03-03T00:00:01Z"), 400),
        (json!("2026-02-03T18:12:47Z"), 400),
        (json!("2026-02-03"), 400),
        (json!("2026-03-01T00:00:00"), 400),
        (json!("soon"), 400),
        (json!(""), 400),
        (json!(1_772_000_000), 400),
        (Value::Null, 200),
    ] {
        body["expires_at"] = end.clone();
        let reply = create(&stage, short, &body).await;
        assert_eq!(reply.status, status, "{end}: {}", reply.text);
        if status == 200 {
            assert_eq!(reply.json()["data"]["expires_at"], json!("2026-03-03T00:00:00.000Z"));
        } else {
            assert_eq!(reply.json()["errors"][0]["field"], json!("expires_at"), "{end}");
        }
    }
    assert_eq!(stage.items_under(&format!("ORG#{organization}")).await.len(), 2 + 2 + 2 * 4);
}

#[tokio::test]
async fn every_fault_is_told_at_once() {
    let stage = Stage::new().await;
    let (_, key) = manager(&stage).await;
    let faults = |reply: &Reply| -> Vec<String> {
        let answer = reply.json();
        let faults = answer["errors"].as_array().into_iter().flatten();
        faults
            .map(|fault| format!("{} {}", fault["field"], fault["rule"]).replace('"', ""))
            .collect()
    };
    let body = json!({
        "name": " ", "expires_at": "soon", "id": "x",
        "permissions": ["accounts:read", "agency.createAccounts", "accounts:read", null, 1, "account"],
    });
    let reply = create(&stage, &key, &body).await;
    assert_eq!((reply.status, &reply.json()["error"]), (400, &json!("invalid_request")));
    assert_eq!(
        faults(&reply),
        [
            "name min_length",
            "permissions[1] one_of",
            "permissions[2] duplicate",
            "permissions[3] required",
            "permissions[4] type",
            "permissions[5] one_of",
            "expires_at key_end",
            "id unknown_field",
        ]
    );
    let reply = create(&stage, &key, &json!({})).await;
    assert_eq!(faults(&reply), ["name required", "permissions required"]);
    for (permissions, rule) in
        [(json!([]), "count"), (json!(vec!["a"; 8]), "count"), (json!("accounts:read"), "type")]
    {
        let reply = create(&stage, &key, &json!({"name": "x", "permissions": permissions})).await;
        assert_eq!(faults(&reply), [format!("permissions {rule}")]);
    }
}

#[tokio::test]
async fn a_replay_has_one_key_and_never_its_text() {
    let stage = Stage::new().await;
    let (organization, key) = manager(&stage).await;
    let call = |body: &Value| Call::json(body).bearer(&key).key("one");
    let body = wish(&["accounts:read"]);
    let first = call(&body).send(&stage.create_api_key()).await;
    let secret = first.json()["data"]["key"].as_str().expect("a key").to_owned();
    let kept = stage.items().await.len();
    for _ in 0..2 {
        let again = call(&body).send(&stage.create_api_key()).await;
        assert!(again.is_replay());
        let mut expected = first.json();
        expected["data"]["key"] = Value::Null;
        assert_eq!((again.status, again.json()), (200, expected));
    }
    assert_eq!(stage.items().await.len(), kept);
    let other = call(&wish(&["billing:read"])).send(&stage.create_api_key()).await;
    assert_eq!((other.status, &other.json()["error"]), (422, &json!("idempotency_key_reused")));
    // It is the first one's key that works.
    assert_eq!(list(&stage, &secret, &json!({})).await, 200);
    let items = stage.items_under(&format!("ORG#{organization}")).await;
    let listed = items.iter().filter(|item| text_of(item, "name") == Some("Reports")).count();
    assert_eq!(listed, 1);
}

/// A warm process believes a key for 30 s. It cannot leave another one behind meanwhile.
#[tokio::test]
async fn a_deleted_key_makes_no_other() {
    let stage = Stage::new().await;
    let (organization, key) = manager(&stage).await;
    let other =
        stage.credential(Holder::Organization(organization), &[Permission::KeysManage]).await;
    let body = wish(&["keys:manage"]);
    assert_eq!(create(&stage, &other, &body).await.status, 200);
    let id = other.split('_').nth(1).expect("an id");
    let delete = Call::json(&json!({ "apiKeyId": id })).bearer(&key);
    assert_eq!(delete.send(&stage.delete_api_key()).await.status, 200);
    let before = stage.snapshot().await;
    let reply = create(&stage, &other, &body).await;
    let none = Call::json(&body).send(&stage.create_api_key()).await;
    assert_eq!((reply.status, &reply.text), (401, &none.text));
    assert_eq!(stage.snapshot().await, before);
}

#[tokio::test]
async fn the_permission_is_needed() {
    let stage = Stage::new().await;
    let (organization, _) = manager(&stage).await;
    let holder = Holder::Organization(organization);
    let others: Vec<_> =
        Permission::ALL.into_iter().filter(|one| *one != Permission::KeysManage).collect();
    let key = stage.credential(holder.clone(), &others).await;
    let reply = create(&stage, &key, &wish(&["accounts:read"])).await;
    assert_eq!((reply.status, &reply.json()["error"]), (403, &json!("forbidden")));
    assert!(reply.text.contains("keys:manage"), "{}", reply.text);
    let none = Call::json(&json!({})).send(&stage.create_api_key()).await;
    assert_eq!(none.status, 401);
    for (what, header) in bad_credentials(&stage, &holder, Permission::KeysManage).await {
        let call = Call::json(&json!({})).header("authorization", &header);
        let reply = call.send(&stage.create_api_key()).await;
        assert_eq!((reply.status, &reply.text), (401, &none.text), "{what}");
    }
}

#[tokio::test]
async fn it_is_two_calls_besides_the_credential() {
    let stage = Stage::new().await;
    let (_, key) = manager(&stage).await;
    stage.operations.take();
    create(&stage, &key, &wish(&["accounts:read"])).await;
    assert_eq!(stage.operations.take(), ["GetItem", "Query", "TransactWriteItems"]);
}
