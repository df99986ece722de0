//! The published examples, and the refusals that only a deployed stack can show.

use std::path::Path;

use reqwest::Method;
use serde_json::{Value, json};

use crate::stack::{Stack, until};

#[tokio::test]
async fn the_seats_example_and_what_follows_from_it() {
    let stack = Stack::up();
    let (org, key, subscription) = stack.organization();
    let body = json!({"accounts": [
        {"tier": "basic"},
        {"tier": "premium", "platform": "tiktok", "username": "newcreator",
         "pfp_url": "https://example.com/avatar.jpg", "keywords": "fitness,health,workout",
         "nick_name": "New Creator", "tag": "influencer"}
    ]});
    let bearer = format!("Bearer {key}");
    let answer = stack.post("/accounts/create", &[("authorization", &bearer)], &body).await;
    assert_eq!(answer.status, 200, "{answer:?}");
    assert!(!answer.header("x-request-id").is_empty());
    let accounts = answer.body["data"]["accounts"].as_array().expect("accounts").clone();
    let id = |n: usize| accounts[n]["id"].as_str().expect("an id");
    assert_eq!(
        answer.body,
        json!({"ok": true, "code": 200, "message": "Success", "data": {
            "message": "Successfully created 2 account(s)", "successful": 2, "failed": 0,
            "accounts": [
                {"id": id(0), "tier": "basic", "status": "uninitialized",
                 "platform": null, "username": null},
                {"id": id(1), "tier": "premium", "status": "pending",
                 "platform": "tiktok", "username": "newcreator"}
            ]
        }})
    );

    stack.until_billed(&subscription, (1, 1)).await;
    let event = stack.setup_request(id(1)).await;
    assert_eq!(event["detail-type"], "SeatSetupRequested");
    assert_eq!(event["detail"]["version"], 1);
    assert_eq!(event["detail"]["data"]["organization"], org.as_str());
    assert_eq!(event["detail"]["data"]["username"], "newcreator");
}

#[tokio::test]
async fn setup_has_an_answer_and_one_that_failed_is_asked_for_again() {
    let stack = Stack::up();
    let (org, key, _) = stack.organization();
    let bearer = format!("Bearer {key}");
    let headers = [("authorization", &*bearer)];
    let body = json!({"accounts": [
        {"tier": "basic", "platform": "tiktok", "username": "answered",
         "pfp_url": "https://example.com/avatar.jpg", "keywords": "fitness"}
    ]});
    let answer = stack.post("/accounts/create", &headers, &body).await;
    assert_eq!(answer.body["data"]["accounts"][0]["status"], "pending", "{answer:?}");
    let id = answer.body["data"]["accounts"][0]["id"].as_str().expect("an id").to_owned();
    let status = async || {
        let listed = stack.post("/accounts", &headers, &json!({"ids": [id]})).await;
        listed.body["data"][0]["status"].clone()
    };
    let result = |event: &Value, outcome: &str| {
        json!({"organization": org, "id": id, "outcome": outcome,
            "request": event["detail"]["data"]["request"]})
    };
    let again = async |keywords: &str| {
        let update = json!({"accountId": id, "keywords": keywords});
        let answer = stack.post("/accounts/update-info", &headers, &update).await;
        assert_eq!(answer.body["data"]["account"]["status"], "pending", "{answer:?}");
        stack.setup_request(&id).await
    };
    let first = stack.setup_request(&id).await;
    stack.send_setup_result(&result(&first, "failed")).await;
    until(&json!("failed"), status).await;
    let second = again("yoga").await;
    // Of one group, the late result is taken first. Were it believed, the other one would come too late.
    stack.send_setup_result(&result(&first, "ready")).await;
    stack.send_setup_result(&result(&second, "failed")).await;
    until(&json!("failed"), status).await;
    let third = again("dance").await;
    stack.send_setup_result(&result(&third, "ready")).await;
    until(&json!("initialized"), status).await;
}

#[tokio::test]
async fn the_agency_example() {
    let stack = Stack::up();
    let headers = [
        ("authorization", format!("Bearer {}", stack.get("/demo/agency/token"))),
        ("appidv3", stack.get("/demo/agency/app_id").to_owned()),
        ("accept", "application/json".to_owned()),
    ];
    let headers: Vec<_> = headers.iter().map(|(name, value)| (*name, value.as_str())).collect();
    let body = |parent: &str| {
        json!({
            "name": "My New Account",
            "description": "My New Account Description",
            "agency_lcuid": stack.get("/demo/agency/agency_lcuid"),
            "website": "https://www.mynewaccount.com",
            "parent_account_lcuid": stack.get(parent)
        })
    };
    let good = body("/demo/agency/parent_account_lcuid");
    let answer = stack.post("/api/v3/accounts", &headers, &good).await;
    assert_eq!(answer.status, 200, "{answer:?}");
    let account = answer.body["account"].as_object().expect("an account");
    assert_eq!(answer.body["success"], true);
    assert_eq!(account.len(), 11, "every key of the published example: {account:?}");
    assert_eq!(account["inventory_item_class_description"], "Generic, Post, Creative");

    let plain = body("/demo/agency/plain_account_lcuid");
    let answer = stack.post("/api/v3/accounts", &headers, &plain).await;
    let message = "The selected parent account lcuid is invalid.";
    assert_eq!(answer.status, 422);
    assert_eq!(
        answer.body,
        json!({"message": message, "errors": {"parent_account_lcuid": [message]}})
    );

    let token = format!("Bearer {}", stack.get("/demo/agency/token_without_permission"));
    let headers = [("authorization", token.as_str()), headers[1]];
    let answer = stack.post("/api/v3/accounts", &headers, &good).await;
    assert_eq!(answer.status, 403);
    let agency = stack.get("/demo/agency/agency_lcuid");
    assert_eq!(
        answer.body,
        json!({"message": format!("Unauthorized. Requires agency.createAccounts permission to perform this action on object [[{agency}]]")})
    );
}

#[tokio::test]
async fn the_identity_example_and_its_repetition() {
    let stack = Stack::up();
    let bearer = format!("Bearer {}", stack.get("/demo/identity/admin_token"));
    let body = json!({
        "email": stack.unused_email("owner"),
        "name": "Acme Inc.",
        "type": "business",
        "password": "secure_password_here",
        "settings": {"currency": "USD", "timezone": "America/New_York", "language": "en"}
    });
    let answer = stack.post("/v1/accounts", &[("authorization", &bearer)], &body).await;
    assert_eq!(answer.status, 201, "{answer:?}");
    let id = answer.body["id"].as_str().expect("an id");
    assert_eq!(answer.header("location"), format!("/v1/accounts/{id}"));
    assert_eq!(answer.body["settings"], body["settings"]);

    let again = stack.post("/v1/accounts", &[], &body).await;
    assert_eq!(again.status, 409);
    assert_eq!(
        again.body,
        json!({"error": "email_exists", "message": "An account with this email already exists."})
    );

    let items = stack.partition(&format!("ACCOUNT#{id}")).await;
    let stored = format!("{items:?}");
    assert!(stored.contains("$argon2id$v=19$m=19456,t=2,p=1$"));
    assert!(!stored.contains("secure_password_here"));
}

#[tokio::test]
async fn an_organization_without_billing_creates_nothing() {
    let stack = Stack::up();
    let bearer = format!("Bearer {}", stack.get("/demo/seats_no_billing/api_key"));
    let body = json!({"accounts": [{"tier": "basic"}]});
    let answer = stack.post("/accounts/create", &[("authorization", &bearer)], &body).await;
    assert_eq!((answer.status, &answer.body["error"]), (402, &json!("no_billing")));
    let kinds = stack.kinds(stack.get("/demo/seats_no_billing/org")).await;
    assert_eq!(kinds, ["APIKEY", "BILLING", "ORG"], "nothing was created");
}

/// Method and path of every route that template.yaml declares.
fn routes_of_the_template() -> Vec<(Method, String)> {
    let template = Path::new(env!("CARGO_MANIFEST_DIR")).join("../template.yaml");
    let template = std::fs::read_to_string(template).expect("a template");
    let mut routes = Vec::new();
    let mut method = None;
    for line in template.lines() {
        if let Some(name) = line.trim().strip_prefix("Method: ") {
            method = Some(name.parse().expect("a method"));
        } else if let Some(path) = line.trim().strip_prefix("Path: ") {
            routes.push((method.take().expect("a method before the path"), path.to_owned()));
        }
    }
    assert_eq!(routes.len(), template.matches("Type: HttpApi\n").count(), "{routes:?}");
    routes
}

#[tokio::test]
async fn every_route_of_the_template_is_there_and_asks_who_calls() {
    let stack = Stack::up();
    for (method, path) in routes_of_the_template() {
        let body = (method != Method::GET).then(|| json!({}));
        let answer = stack.call(method, &path, &[], body.as_ref()).await;
        let expected = match path.as_str() {
            // Anyone may sign up and log in; this is no good way to.
            "/v1/accounts" | "/v1/auth/login" => 400,
            // Stripe says who it is by a signature, in a header that is not there.
            "/webhooks/stripe" => 400,
            _ => 401,
        };
        assert_eq!(answer.status, expected, "{path}: {answer:?}");
    }
    let signup = stack.post("/v1/accounts", &[], &json!({})).await;
    assert_eq!(signup.body["error"], "invalid_request");
    let answer = stack.post("/nowhere", &[], &json!({})).await;
    assert_eq!(answer.status, 404);
}

#[tokio::test]
async fn a_credential_taken_back_stops_working_for_new_processes() {
    let stack = Stack::up();
    let made = stack.headcount(&["admin-token", "create", "--permission", "accounts:create"]);
    let text = |value: &Value| value.as_str().expect("a text").to_owned();
    stack.headcount(&["credential", "revoke", &text(&made["id"])]);
    let bearer = format!("Bearer {}", text(&made["credential"]));
    // Never used before, so that no process remembers it.
    let answer = stack.post("/v1/accounts", &[("authorization", &bearer)], &json!({})).await;
    assert_eq!(answer.status, 401);
}
