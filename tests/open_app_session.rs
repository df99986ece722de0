//! `POST /api/v3/auth`: LIFECYCLE, "Agency API"; docs/adr/0038-tokens-of-apps.md.

use headcount_model::credential::{Holder, Permission};
use headcount_model::id::CredentialId;
use headcount_tests::{Call, Stage};
use jiff::SignedDuration;
use serde_json::{Value, json};

const REFUSED: &str = r#"{"ok":false,"message":"Unauthenticated.","code":401}"#;

/// The pair of a credential.
fn halves(credential: &str) -> (&str, &str) {
    credential.strip_prefix("hc_").and_then(|rest| rest.split_once('_')).expect("a credential")
}

fn call(token: &str, secret: &str) -> Call {
    Call::json(&json!({"token": token, "secret": secret})).at("/api/v3/auth")
}

fn status() -> Call {
    Call::empty().at("/api/v3/status")
}

/// The token that a credential is given.
async fn given(stage: &Stage, app: &str, credential: &str) -> String {
    let (id, secret) = halves(credential);
    let reply = call(id, secret).header("appidv3", app).send(&stage.open_app_session()).await;
    assert_eq!(reply.status, 200, "{}", reply.text);
    reply.json()["token"].as_str().expect("a token").to_owned()
}

#[tokio::test]
async fn a_pair_is_exchanged_for_a_token_in_a_read_and_a_write() {
    let stage = Stage::new().await;
    let tenant = stage.agency_tenant().await;
    let credential = stage.credential(tenant.holder(), &[]).await;
    let (id, secret) = halves(&credential);
    let form = Call::text(format!("token={id}&secret={secret}"))
        .header("content-type", "application/x-www-form-urlencoded")
        .at("/api/v3/auth");
    for (call, calls) in [(call(id, secret), &["GetItem", "PutItem"][..]), (form, &["PutItem"])] {
        stage.operations.take();
        let reply = call.header("appidv3", &tenant.app).send(&stage.open_app_session()).await;
        assert_eq!(stage.operations.take(), calls);
        let token = reply.json()["token"].as_str().unwrap_or_default().to_owned();
        let user = CredentialId::parse(id).expect("an id").user_lcuid();
        let expected = json!({"ok": true, "token": token, "user_lcuid": user});
        assert_eq!((reply.status, reply.json()), (200, expected));
        assert!(token.starts_with(&format!("hca_{id}_")) && user.starts_with("LCUID-LU-"));
        // A call to look it up, and none after that.
        stage.operations.take();
        for expected in [&["BatchGetItem"][..], &[]] {
            let reply = tenant.signed(status(), &token).send(&stage.check_token()).await;
            assert_eq!(reply.status, 200);
            assert_eq!(stage.operations.take(), expected);
        }
        let secret = token.rsplit('_').next().expect("a secret");
        assert!(!format!("{:?}", stage.snapshot().await).contains(secret), "kept as a hash alone");
    }
}

#[tokio::test]
async fn whatever_is_wrong_with_a_pair_has_one_answer_and_one_read() {
    let stage = Stage::new().await;
    let tenant = stage.agency_tenant().await;
    let other = stage.agency_tenant().await;
    let good = stage.credential(tenant.holder(), &Permission::ALL).await;
    let foreign = stage.credential(other.holder(), &Permission::ALL).await;
    let admin = stage.credential(Holder::Administrator, &Permission::ALL).await;
    let revoked = stage.credential(tenant.holder(), &Permission::ALL).await;
    let id = CredentialId::parse(halves(&revoked).0).expect("an id");
    stage.table.revoke_credential(&id).await.expect("revoked");
    let token = given(&stage, &tenant.app, &good).await;
    let (id, secret) = halves(&good);
    let before = stage.snapshot().await;
    let wrong = "0".repeat(64);
    let app_secret = token.rsplit('_').next().expect("a secret");
    for (what, (token, secret)) in [
        ("wrong secret", (id, wrong.as_str())),
        ("unknown", ("01kgjb9z8rd3m0seats0000000", secret)),
        ("no id", ("x", secret)),
        ("whole credential", (good.as_str(), secret)),
        ("no secret of ours", (id, "x")),
        ("revoked", halves(&revoked)),
        ("of another app", halves(&foreign)),
        ("of another API", halves(&admin)),
        ("a token of an app", (id, app_secret)),
    ] {
        stage.operations.take();
        let call = call(token, secret).header("appidv3", &tenant.app);
        let reply = call.send(&stage.open_app_session()).await;
        assert_eq!((reply.status, reply.text.as_str()), (401, REFUSED), "{what}");
        assert_eq!(stage.operations.take(), ["GetItem"], "{what}");
    }
    assert!(stage.snapshot().await == before);
}

#[tokio::test]
async fn a_token_ends_after_its_days_and_with_its_credential() {
    let stage = Stage::new().await;
    let tenant = stage.agency_tenant().await;
    let credential = stage.credential(tenant.holder(), &[]).await;
    let token = given(&stage, &tenant.app, &credential).await;
    let works = async || tenant.signed(status(), &token).send(&stage.check_token()).await.status;
    assert_eq!(works().await, 200);
    stage.ports.advance(SignedDuration::from_hours(24 * 365) - SignedDuration::from_secs(1));
    assert_eq!(works().await, 200);
    stage.ports.advance(SignedDuration::from_secs(1));
    assert_eq!(works().await, 401);

    let token = given(&stage, &tenant.app, &credential).await;
    let works = async || tenant.signed(status(), &token).send(&stage.check_token()).await.status;
    assert_eq!(works().await, 200);
    let id = CredentialId::parse(halves(&credential).0).expect("an id");
    stage.table.revoke_credential(&id).await.expect("revoked");
    stage.ports.advance(SignedDuration::from_secs(30));
    assert_eq!(works().await, 401);
}

#[tokio::test]
async fn what_cannot_be_read_is_told_all_at_once_in_this_endpoints_form() {
    let stage = Stage::new().await;
    let tenant = stage.agency_tenant().await;
    let reply = Call::json(&json!({"token": 1, "extra": "x"}))
        .header("appidv3", &tenant.app)
        .send(&stage.open_app_session())
        .await;
    let expected = json!({"ok": false, "code": 422,
        "message": "The token field must be a string. (and 2 more errors)",
        "errors": {"token": ["The token field must be a string."],
            "secret": ["The secret field is required."],
            "extra": ["The extra field is prohibited."]}});
    assert_eq!((reply.status, reply.json()), (422, expected));
    let form = "application/x-www-form-urlencoded";
    for (body, content_type, status) in [
        ("token=a&token=b&secret=c", form, 400),
        ("token=%FF&secret=c", form, 400),
        ("token=a", form, 422),
        ("", form, 422),
        ("token=a&secret=b", "text/plain", 415),
        ("token=a&secret=b", "application/json", 400),
    ] {
        let call = Call::text(body).header("content-type", content_type);
        let reply = call.header("appidv3", &tenant.app).send(&stage.open_app_session()).await;
        let (ok, code) = (reply.json()["ok"].clone(), reply.json()["code"].clone());
        assert_eq!((reply.status, ok, code), (status, Value::Bool(false), json!(status)), "{body}");
    }
    let reply = call("a", "b").send(&stage.open_app_session()).await;
    assert_eq!((reply.status, &reply.json()["ok"]), (400, &Value::Bool(false)));
}

#[tokio::test]
async fn a_token_opens_the_agency_api_alone() {
    let stage = Stage::new().await;
    let tenant = stage.agency_tenant().await;
    let token = given(&stage, &tenant.app, &tenant.token).await;
    let body = json!({"name": "By an app", "agency_lcuid": tenant.lcuid});
    stage.operations.take();
    let create = tenant.signed(Call::json(&body), &token);
    let reply = create.send(&stage.create_agency_account()).await;
    assert_eq!(reply.status, 200, "{}", reply.text);
    assert_eq!(stage.operations.take(), ["BatchGetItem", "TransactWriteItems"]);
    stage.operations.take();
    let reply = Call::empty().bearer(&token).send(&stage.get_organization()).await;
    assert_eq!(reply.status, 401);
    assert!(stage.operations.take().is_empty());
}
