//! Headers: values that HTTP does not allow, several of one, types that are nearly JSON.
//!
//! A gateway may hand over what `lambda_http` refuses as a whole; the function must answer all
//! the same.

use headcount_tests::Call;

use crate::row::{Row, To, accepted, refused};
use crate::tenants::{Tenants, sign_up};
use serde_json::json;

const UNAUTHORIZED: &str = "unauthorized";
const KEY: &str = "invalid_request";
const TYPE: &str = "unsupported_media_type";
const APP: &str = "The AppIdV3 header is required and must be an app id such as \
                   LCUID-LAP-00000000-0000-4000-8000-000000000000.";

pub(crate) fn rows(t: &Tenants) -> Vec<Row> {
    let mut rows = authorization(t);
    rows.extend(keys(t));
    rows.extend(types(t));
    rows.extend(others(t));
    rows
}

fn authorization(t: &Tenants) -> Vec<Row> {
    let header = |value: &str| t.seat().header("authorization", value);
    let seats = |name, call| refused(name, To::Seats, call, 401, UNAUTHORIZED);
    let anyone = |name, value: &str| {
        refused(
            name,
            To::Identity,
            sign_up(&json!({})).header("authorization", value),
            401,
            UNAUTHORIZED,
        )
    };
    let key = &t.key;
    vec![
        seats("a control character in the credential", header(&format!("Bearer {key}\u{1}"))),
        seats(
            "a line break and another header in the credential",
            header(&format!("Bearer {key}\r\nx-admin: true")),
        ),
        seats("NUL before the scheme", header(&format!("\0Bearer {key}"))),
        seats("DEL behind the credential", header(&format!("Bearer {key}\u{7f}"))),
        seats("a tab for the space", header(&format!("Bearer\t{key}"))),
        seats("a space that does not break for the space", header(&format!("Bearer\u{a0}{key}"))),
        seats("a scheme with an accent", header(&format!("Béarer {key}"))),
        seats(
            "a credential of 60,000 characters",
            header(&format!("Bearer {key}{}", "0".repeat(60_000))),
        ),
        seats(
            "two credentials, both good",
            t.seat().header_again("authorization", &format!("Bearer {}", t.other_key)),
        ),
        seats(
            "one credential twice",
            t.seat().header_again("authorization", &format!("Bearer {key}")),
        ),
        seats("two credentials in one header", header(&format!("Bearer {key}, Bearer {key}"))),
        anyone("an empty credential at a sign-up", ""),
        anyone("a broken credential at a sign-up", "\u{0}"),
        anyone("a credential in other scripts at a sign-up", "Веаrеr hc_x_y"),
        anyone("the scheme alone at a sign-up", "Bearer"),
    ]
}

fn keys(t: &Tenants) -> Vec<Row> {
    let seats = |name, call| refused(name, To::Seats, call, 400, KEY);
    vec![
        seats("a line break in the idempotency key", t.seat().key("k\r\nx: y")),
        seats("NUL in the idempotency key", t.seat().key("k\0")),
        seats("an idempotency key of nothing", t.seat().key("")),
        seats("an idempotency key of 256 characters", t.seat().key(&"k".repeat(256))),
        seats("an idempotency key in full width", t.seat().key("ｋ１")),
        seats("an idempotency key with a joiner", t.seat().key("k\u{200B}")),
        seats("two idempotency keys with a space between", t.seat().key("one two")),
        accepted(
            "an idempotency key that looks like a key of the table",
            To::Seats,
            t.seat().key("a#POST/x#1\\\"}"),
        ),
    ]
}

fn types(t: &Tenants) -> Vec<Row> {
    let seats = |name, content_type| {
        refused(name, To::Seats, t.seat().header("content-type", content_type), 415, TYPE)
    };
    let coded = |name, coding| {
        refused(name, To::Seats, t.seat().header("content-encoding", coding), 415, TYPE)
    };
    vec![
        seats("a control character in the content type", "application/json\u{0}"),
        seats("a type and a line break", "application/json\r\nx: y"),
        seats("a patch", "application/json-patch+json"),
        seats("JSON Lines", "application/jsonl"),
        seats("two types in one header", "application/json, text/html"),
        seats("a charset behind a good one", "application/json; charset=utf-8; charset=utf-7"),
        seats("UTF-7", "application/json;charset=utf-7"),
        seats("a soft hyphen in the type", "application/js\u{ad}on"),
        refused(
            "two content types",
            To::Seats,
            t.seat().header_again("content-type", "text/plain"),
            415,
            TYPE,
        ),
        coded("gzip as it says", "gzip"),
        coded("no coding, said so", "identity"),
        coded("a coding of control characters", "\u{8}"),
        accepted(
            "the type in odd case with empty parameters",
            To::Seats,
            t.seat().header("content-type", "APPLICATION/Json;;  CHARSET=\"UTF-8\" ;"),
        ),
    ]
}

fn others(t: &Tenants) -> Vec<Row> {
    let app = |name, call| refused(name, To::Agency, call, 400, APP);
    let account = || t.account(&json!({"name": "Headers"}));
    vec![
        app(
            "a control character in the app id",
            account().header("appidv3", &format!("{}\u{2}", t.agency.app)),
        ),
        app("two app ids", account().header_again("appidv3", &t.agency.app)),
        app(
            "an app id in braces",
            account().header("appidv3", "LCUID-LAP-{60f1bc3d-4172-45ad-be4d-1dcbfce926ef}"),
        ),
        app("no app id", account().without("appidv3")),
        refused(
            "the app of another agency",
            To::Agency,
            account().header("appidv3", &t.other_agency.app),
            403,
            "Unauthorized. The token does not belong to the app that the AppIdV3 header names.",
        ),
        accepted(
            "header names that HTTP does not allow",
            To::Seats,
            t.seat().header("заголовок", "x").header("x y", "z").header("", "w"),
        ),
        accepted(
            "a host that is none",
            To::Seats,
            t.seat()
                .header("host", "evil.example\r\n/\u{0}")
                .header("x-forwarded-proto", "javascript"),
        ),
        accepted(
            "a method that overrides",
            To::Seats,
            t.seat().header("x-http-method-override", "DELETE").header("x-original-url", "/admin"),
        ),
        accepted(
            "a length and a coding that lie",
            To::Seats,
            t.seat()
                .header("content-length", "0")
                .header("transfer-encoding", "chunked")
                .header("expect", "100-continue"),
        ),
        accepted("a hundred cookies", To::Seats, t.seat().header("cookie", &"a=b; ".repeat(100))),
        refused("a body on a GET, and no key", To::Billing, Call::text("{}"), 401, UNAUTHORIZED),
        accepted(
            "a GET with a body that is no JSON",
            To::Billing,
            Call::text("\0{").bearer(&t.key).header("content-type", "\u{1}"),
        ),
    ]
}
