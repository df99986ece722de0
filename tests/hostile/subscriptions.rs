//! Portal, cancel and resume: links that lead elsewhere, fields that are none, and keys that may not.

use headcount_tests::Call;
use serde_json::{Value, json};

use crate::row::{Row, To, accepted, refused};
use crate::tenants::Tenants;

pub(crate) fn rows(t: &Tenants) -> Vec<Row> {
    let call = |body: &Value| Call::json(body).bearer(&t.biller);
    let link = |url: &str| call(&json!({ "return_url": url }));
    let bad = |name, url: &str, rule: &str| {
        refused(name, To::Portal, link(url), 400, format!("invalid_request return_url:{rule}"))
    };
    vec![
        accepted("the portal without a body", To::Portal, Call::empty().bearer(&t.biller)),
        accepted("a link of ours", To::Portal, link("https://shop.example/billing?a=b#c")),
        bad("a link that runs", "javascript:alert(1)", "url_scheme"),
        bad("a link to a file", "file:///etc/passwd", "url_scheme"),
        bad("a link with a password", "https://a:b@shop.example/", "url_user_info"),
        bad("a link to the machine itself", "http://localhost/", "url_private_address"),
        bad("no link", "", "url"),
        refused(
            "a link as a list",
            To::Portal,
            call(&json!({"return_url": ["https://shop.example"]})),
            400,
            "invalid_request return_url:type",
        ),
        refused(
            "a customer for the portal",
            To::Portal,
            call(&json!({"customer": "cus_2"})),
            400,
            "invalid_request customer:unknown_field",
        ),
        refused(
            "another's subscription to cancel",
            To::Cancel,
            call(&json!({"subscription": "sub_2"})),
            400,
            "invalid_request subscription:unknown_field",
        ),
        refused("a list to resume", To::Resume, call(&json!([])), 400, "invalid_request"),
        refused(
            "a key without the permission, the portal",
            To::Portal,
            Call::empty().bearer(&t.idle_key),
            403,
            "forbidden",
        ),
        refused(
            "a key without the permission, to cancel",
            To::Cancel,
            Call::empty().bearer(&t.idle_key),
            403,
            "forbidden",
        ),
        refused(
            "an account's token, to resume",
            To::Resume,
            Call::empty().bearer(&t.own.token),
            401,
            "unauthorized",
        ),
    ]
}
