//! `PATCH /v1/accounts/{id}`: LIFECYCLE, "Common" and "Identity API".

use headcount_model::credential::{Holder, Permission};
use headcount_model::identity::AccountStatus;
use headcount_tests::identity::{NOT_ACTIVE, UNAUTHORIZED, lets_in_administrators, log_in};
use headcount_tests::{Call, OwnTenant, PASSWORD, Reply, Stage, text_of};
use serde_json::{Value, json};

const PERMISSIONS: [Permission; 1] = [Permission::AccountsUpdate];

fn call(id: &str, body: &Value) -> Call {
    Call::json(body).at(&format!("/v1/accounts/{id}"))
}

async fn administrator(stage: &Stage) -> String {
    stage.credential(Holder::Administrator, &PERMISSIONS).await
}

async fn patch(stage: &Stage, own: &OwnTenant, body: &Value) -> Reply {
    let token = administrator(stage).await;
    call(own.id.as_str(), body).bearer(&token).send(&stage.update_account()).await
}

async fn shown(stage: &Stage, own: &OwnTenant) -> Reply {
    Call::empty().bearer(&own.token).send(&stage.get_own_account()).await
}

#[tokio::test]
async fn the_account_is_what_the_answer_says() {
    let stage = Stage::new().await;
    let own = stage.own_account("owner").await;
    let body =
        json!({"email": "new@example.com", "name": "Acme Ltd.", "settings": {"currency": "EUR"}});
    let reply = patch(&stage, &own, &body).await;
    assert_eq!((reply.status, reply.header("etag")), (200, "\"1\""));
    let shown = shown(&stage, &own).await;
    assert_eq!((shown.status, &shown.text), (200, &reply.text), "its sessions go on");
    assert_eq!(shown.json()["email"], "new@example.com");
}

#[tokio::test]
async fn a_suspended_account_is_of_no_use_until_it_is_active_again() {
    let stage = Stage::new().await;
    let own = stage.own_account_with_password("owner", AccountStatus::Active).await;
    assert_eq!(shown(&stage, &own).await.status, 200);
    let reply = patch(&stage, &own, &json!({"status": "suspended"})).await;
    assert_eq!((reply.status, &reply.json()["status"]), (200, &json!("suspended")));
    let refused = shown(&stage, &own).await;
    assert_eq!((refused.status, refused.text.as_str()), (403, NOT_ACTIVE));
    assert_eq!(log_in(&stage, &own.email, PASSWORD).await.status, 401);
    let reply = patch(&stage, &own, &json!({"status": "active"})).await;
    assert_eq!((reply.status, reply.header("etag")), (200, "\"2\""));
    assert_eq!(shown(&stage, &own).await.status, 200);
    assert_eq!(log_in(&stage, &own.email, PASSWORD).await.status, 200);
}

#[tokio::test]
async fn a_password_that_is_given_ends_every_session() {
    let stage = Stage::new().await;
    let own = stage.own_account("owner").await;
    let body = json!({"password": "quite another password"});
    assert_eq!(patch(&stage, &own, &body).await.status, 200);
    let refused = shown(&stage, &own).await;
    assert_eq!((refused.status, refused.text.as_str()), (401, UNAUTHORIZED));
    assert_eq!(log_in(&stage, &own.email, "quite another password").await.status, 200);
}

#[tokio::test]
async fn nobody_closes_an_account_by_a_patch_or_has_to_know_its_password() {
    let stage = Stage::new().await;
    let own = stage.own_account("owner").await;
    let before = shown(&stage, &own).await.text;
    for (body, field, rule) in [
        (json!({"status": "closed"}), "status", "one_of"),
        (json!({"status": "pending"}), "status", "one_of"),
        (json!({"status": null}), "status", "required"),
        (json!({"status": true}), "status", "type"),
        (
            json!({"password": "quite another password", "current_password": "x"}),
            "current_password",
            "unknown_field",
        ),
        (json!({"type": "individual"}), "type", "unknown_field"),
        (json!({"password": "the owner it is, of course"}), "password", "contains_email"),
    ] {
        let reply = patch(&stage, &own, &body).await;
        let told = &reply.json()["details"][0];
        assert_eq!(
            (reply.status, &told["field"], &told["rule"]),
            (400, &json!(field), &json!(rule))
        );
    }
    assert_eq!(shown(&stage, &own).await.text, before);
}

#[tokio::test]
async fn a_key_belongs_to_the_administrator_and_the_account() {
    let stage = Stage::new().await;
    let (one, other) = (stage.own_account("one").await, stage.own_account("other").await);
    let token = administrator(&stage).await;
    let keyed = async |own: &OwnTenant, token: &str, name: &str| {
        let call = call(own.id.as_str(), &json!({"name": name})).key("k").bearer(token);
        call.send(&stage.update_account()).await
    };
    let first = keyed(&one, &token, "x").await;
    let again = keyed(&one, &token, "x").await;
    assert_eq!((again.status, again.is_replay(), &again.text), (200, true, &first.text));
    assert_eq!(keyed(&one, &token, "y").await.status, 422);
    assert_eq!(keyed(&other, &token, "y").await.status, 200);
    let another = administrator(&stage).await;
    assert_eq!(keyed(&one, &another, "y").await.status, 200);
}

#[tokio::test]
async fn if_match_and_a_taken_address_are_as_for_the_account_itself() {
    let stage = Stage::new().await;
    let own = stage.own_account("owner").await;
    stage.own_account("other").await;
    let token = administrator(&stage).await;
    let before = stage.items().await;
    let stale =
        call(own.id.as_str(), &json!({"name": "x"})).bearer(&token).header("if-match", "\"9\"");
    assert_eq!(stale.send(&stage.update_account()).await.status, 412);
    let taken = call(own.id.as_str(), &json!({"email": "other@example.com"})).bearer(&token);
    let reply = taken.send(&stage.update_account()).await;
    assert_eq!((reply.status, &reply.json()["error"]), (409, &json!("email_exists")));
    assert!(stage.items().await == before);
}

#[tokio::test]
async fn the_audit_entry_names_the_administrator() {
    let stage = Stage::new().await;
    let own = stage.own_account("owner").await;
    let token = administrator(&stage).await;
    let call = call(own.id.as_str(), &json!({"status": "suspended"})).bearer(&token);
    assert_eq!(call.send(&stage.update_account()).await.status, 200);
    let mut items = stage.items_under(&format!("ACCOUNT#{}", own.id)).await;
    items.retain(|item| text_of(item, "sk").is_some_and(|sk| sk.starts_with("AUDIT#")));
    let [entry] = items.try_into().expect("one");
    assert_eq!(text_of(&entry, "credential"), Some(&token[3..29]));
    assert_eq!(text_of(&entry, "route"), Some("PATCH /v1/accounts/{id}"));
    assert_eq!(entry["fields"].as_l().expect("a list").len(), 1);
}

#[tokio::test]
async fn it_makes_two_calls_besides_the_credential() {
    let stage = Stage::new().await;
    let own = stage.own_account("owner").await;
    let token = administrator(&stage).await;
    stage.operations.take();
    call(own.id.as_str(), &json!({"name": "x"})).bearer(&token).send(&stage.update_account()).await;
    assert_eq!(stage.operations.take(), ["GetItem", "GetItem", "TransactWriteItems"]);
}

#[tokio::test]
async fn nobody_else_is_let_in_and_missing_ones_are_one() {
    let stage = Stage::new().await;
    let call = |id: &str| call(id, &json!({"name": "x"}));
    lets_in_administrators(&stage, &PERMISSIONS, call, &stage.update_account()).await;
}

#[tokio::test]
async fn without_the_table_it_says_to_come_back() {
    let stage = Stage::new().await;
    let own = stage.own_account("owner").await;
    let token = administrator(&stage).await;
    stage.wire.cut();
    let call = call(own.id.as_str(), &json!({"name": "x"})).bearer(&token);
    let reply = call.send(&stage.update_account()).await;
    assert_eq!((reply.status, reply.header("retry-after")), (503, "1"));
}
