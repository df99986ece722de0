//! Calls from pages of other origins: off as long as nobody allows any, and then for those alone.
//! `make end-to-end` runs [`off`] on a stack that allows none, and the rest on one that allows
//! [`ALLOWED`].

use std::collections::BTreeSet;
use std::path::Path;

use reqwest::Method;
use reqwest::header::HeaderMap;
use serde_json::{Value, json};

use crate::browser;
use crate::stack::{Answer, Stack};

/// What the Makefile gives the stack, in its order.
const ALLOWED: [&str; 2] = ["http://shop.example", "https://www.shop.example:8443"];
const FOREIGN: [&str; 4] =
    ["http://elsewhere.example", "https://shop.example", "http://shop.example:8080", "null"];

/// Method and path of every endpoint.
fn routes() -> Vec<(Method, String)> {
    let file = Path::new(env!("CARGO_MANIFEST_DIR")).join("../docs/openapi.json");
    let document = std::fs::read_to_string(file).expect("a document");
    let document: Value = serde_json::from_str(&document).expect("JSON");
    let paths = document["paths"].as_object().expect("paths").iter();
    let routes = paths.flat_map(|(path, methods)| {
        let methods = methods.as_object().expect("methods").keys();
        methods.map(|method| (method.to_uppercase().parse().expect("a method"), path.clone()))
    });
    routes.collect()
}

/// Sends a preflight, as a browser does before a call with JSON, a credential and a key.
async fn preflight(
    stack: &Stack,
    path: &str,
    origin: Option<&str>,
    method: &Method,
) -> (u16, HeaderMap) {
    let wanted = "appidv3,authorization,content-type,idempotency-key";
    let mut request = reqwest::Client::new()
        .request(Method::OPTIONS, format!("{}{path}", stack.get("/api")))
        .header("access-control-request-method", method.as_str())
        .header("access-control-request-headers", wanted);
    if let Some(origin) = origin {
        request = request.header("origin", origin);
    }
    let response = request.send().await.expect("an answer");
    (response.status().as_u16(), response.headers().clone())
}

/// The headers of CORS among these.
fn cors(headers: &HeaderMap) -> Vec<(String, String)> {
    let ours = headers.iter().filter(|(name, _)| name.as_str().starts_with("access-control-"));
    let text = |value: &reqwest::header::HeaderValue| value.to_str().expect("text").to_owned();
    let mut found: Vec<_> = ours.map(|(name, value)| (name.to_string(), text(value))).collect();
    found.sort();
    found
}

/// The names in a header's list, in lower case.
fn listed<'h>(headers: &'h HeaderMap, name: &str) -> BTreeSet<&'h str> {
    let value = headers.get(name).and_then(|value| value.to_str().ok()).unwrap_or_default();
    value.split(',').map(str::trim).collect()
}

/// Makes a call that says which page it comes from.
async fn call_from(stack: &Stack, origin: &str, path: &str, headers: &[(&str, &str)]) -> Answer {
    let headers = [headers, &[("origin", origin)]].concat();
    stack.post(path, &headers, &json!({})).await
}

mod off {
    use super::*;

    #[tokio::test]
    async fn no_preflight_is_answered_and_no_answer_names_an_origin() {
        let stack = Stack::up();
        for (method, path) in routes() {
            for origin in [None, Some(ALLOWED[0]), Some("null")] {
                let (status, headers) = preflight(&stack, &path, origin, &method).await;
                assert_eq!(
                    (status, cors(&headers)),
                    (404, Vec::new()),
                    "{method} {path} {origin:?}"
                );
            }
            let answer = call_from(&stack, ALLOWED[0], &path, &[]).await;
            assert_eq!(cors(&answer.headers), Vec::new(), "{method} {path}");
            assert!(!answer.headers.contains_key("vary"), "{method} {path}: {answer:?}");
        }
    }
}

#[tokio::test]
async fn the_preflight_of_every_route_is_answered_for_allowed_origins_alone() {
    let stack = Stack::up();
    for (method, path) in routes() {
        for origin in ALLOWED {
            let (status, headers) = preflight(&stack, &path, Some(origin), &method).await;
            let what = format!("{method} {path} from {origin}: {status} {headers:?}");
            assert_eq!(status, 204, "{what}");
            assert_eq!(headers["access-control-allow-origin"], origin, "{what}");
            assert_eq!(
                listed(&headers, "access-control-allow-methods"),
                ["DELETE", "GET", "PATCH", "POST", "PUT"].into(),
                "{what}"
            );
            let allowed = [
                "appidv3",
                "authorization",
                "content-type",
                "idempotency-key",
                "if-match",
                "if-none-match",
            ];
            assert_eq!(listed(&headers, "access-control-allow-headers"), allowed.into(), "{what}");
            assert_eq!(headers["access-control-max-age"], "3600", "{what}");
            assert!(!headers.contains_key("access-control-allow-credentials"), "{what}");
        }
        for origin in FOREIGN.map(Some).into_iter().chain([None]) {
            let (_, headers) = preflight(&stack, &path, origin, &method).await;
            assert_eq!(cors(&headers), Vec::new(), "{method} {path} from {origin:?}");
        }
    }
}

#[tokio::test]
async fn options_that_is_no_preflight_says_nothing() {
    let stack = Stack::up();
    let url = format!("{}/v1/accounts", stack.get("/api"));
    let request = reqwest::Client::new().request(Method::OPTIONS, url).header("origin", ALLOWED[0]);
    let response = request.send().await.expect("an answer");
    assert_eq!(cors(response.headers()), Vec::new());
}

#[tokio::test]
async fn what_a_function_answers_can_be_read_by_allowed_origins_alone() {
    let stack = Stack::up();
    let large = "x".repeat(257 * 1024);
    let unknown = [("authorization", "Bearer hc_unknown")];
    let calls = [
        ("/v1/accounts", 400, &[][..], json!({})),
        ("/v1/accounts", 401, &unknown[..], json!({})),
        ("/v1/accounts", 413, &[][..], json!({ "name": large })),
        ("/api/v3/accounts", 401, &[][..], json!({})),
        ("/accounts/create", 401, &[][..], json!({})),
    ];
    for (path, status, headers, body) in calls {
        for origin in ALLOWED {
            let headers = [headers, &[("origin", origin)]].concat();
            let answer = stack.post(path, &headers, &body).await;
            assert_eq!(answer.status, status, "{path}: {answer:?}");
            assert_eq!(answer.header("access-control-allow-origin"), origin, "{path}: {answer:?}");
            let exposed = [
                "apigw-requestid",
                "etag",
                "idempotency-replayed",
                "location",
                "retry-after",
                "x-request-id",
            ];
            assert_eq!(listed(&answer.headers, "access-control-expose-headers"), exposed.into());
        }
        for origin in FOREIGN {
            let answer = call_from(&stack, origin, path, headers).await;
            assert_eq!(cors(&answer.headers), Vec::new(), "{path} from {origin}");
        }
        let answer = stack.post(path, headers, &body).await;
        assert_eq!(cors(&answer.headers), Vec::new(), "{path} without an origin");
    }
}

#[tokio::test]
async fn a_page_of_an_allowed_origin_signs_up_in_a_browser_and_no_other_page_does() {
    let stack = Stack::up();
    let email = stack.unused_email("{}");
    let Some(seen) = browser::seen_by("origins.py", &["--email", &email], &stack) else { return };

    let shop = &seen["shop.example"];
    let account = &shop["signed_up"]["body"];
    assert_eq!(shop["signed_up"]["status"], 201, "{shop}");
    assert_eq!(account["email"], email.replace("{}", "shop.example"));
    let read = &shop["signed_up"]["headers"];
    let location = format!("/v1/accounts/{}", account["id"].as_str().expect("an id"));
    assert_eq!(read["location"], location, "{read}");
    assert!(read["x-request-id"].is_string(), "{read}");
    assert_eq!(shop["again"]["headers"]["idempotency-replayed"], "true", "{shop}");
    assert_eq!(shop["again"]["body"], *account);
    assert_eq!(shop["invalid"]["body"]["error"], "invalid_request", "{shop}");
    for (call, status) in [("simple", 415), ("seats", 200), ("agency", 200), ("billing", 200)] {
        assert_eq!(shop[call]["status"], status, "{call}: {shop}");
    }
    // A header that nobody asked for, and what the gateway answers in the place of a function.
    for call in ["other_header", "no_route"] {
        assert_eq!(shop[call], json!({ "refused": "TypeError" }), "{call}: {shop}");
    }

    let calls = seen["elsewhere.example"].as_object().expect("what the other page saw");
    assert_eq!(calls.len(), shop.as_object().expect("calls").len());
    for (call, got) in calls {
        assert_eq!(*got, json!({ "refused": "TypeError" }), "{call}");
    }
    // Nothing came of its calls either: the address is free.
    let body = json!({
        "email": email.replace("{}", "elsewhere.example"),
        "name": "Acme Inc.",
        "type": "business",
        "password": "signed up after all, elsewhere",
    });
    let answer = stack.post("/v1/accounts", &[], &body).await;
    assert_eq!(answer.status, 201, "{answer:?}");
}
