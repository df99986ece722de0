//! Lists of seats: filters that are none, ids and cursors of others, and numbers that are none.

use headcount_tests::Call;
use serde_json::{Value, json};

use crate::row::{Row, To, accepted, refused};
use crate::tenants::Tenants;

/// An id of the right form that nobody has.
const NOBODYS: &str = "acc_01kgjb9z8rd3m0n0b0dy000000";

pub(crate) fn rows(t: &Tenants) -> Vec<Row> {
    let call = |body: &Value| Call::json(body).bearer(&t.key);
    let bad = |name, body: &Value, faults: &str| {
        refused(name, To::List, call(body), 400, format!("invalid_request {faults}"))
    };
    let good = |name, body: &Value| accepted(name, To::List, call(body));
    let text = |text: &str| Call::text(text).bearer(&t.key);
    let malformed = |name, body: &str| refused(name, To::List, text(body), 400, "invalid_request");
    let long = "🚀".repeat(65);
    let ids = |count: usize| -> Vec<String> {
        (0..count).map(|n| format!("acc_01kgjb9z8rd3m0n0b0dy000{n:03}")).collect()
    };
    vec![
        good("no filter", &json!({})),
        good(
            "null for every field",
            &json!({"tag": null, "ids": null, "limit": null, "cursor": null}),
        ),
        good("the id of nobody", &json!({"ids": [NOBODYS]})),
        good("a hundred ids of nobody", &json!({"ids": ids(100)})),
        good("a filter as long as it may be", &json!({"tag": "🚀".repeat(64)})),
        good("an expression as a tag", &json!({"tag": "x OR tag <> :tag"})),
        good("the name of a placeholder", &json!({"org_group": ":deactivated"})),
        good("what the original calls pending", &json!({"status": "setup"})),
        good("a whole number with a point", &text_json("{\"limit\":1.0}")),
        accepted(
            "an idempotency key, which nothing comes of",
            To::List,
            call(&json!({})).key("two words"),
        ),
        bad("a tag that shows nothing", &json!({"tag": " \u{200D} "}), "tag:min_length"),
        bad("a tag that is too long", &json!({"tag": long}), "tag:max_length"),
        bad("a tag with a bidi override", &json!({"tag": "a\u{202E}b"}), "tag:forbidden_character"),
        bad("NUL in a group", &json!({"org_group": "a\u{0}b"}), "org_group:forbidden_character"),
        bad("an operator for a tag", &json!({"tag": {"$ne": ""}}), "tag:type"),
        bad("a list of tags", &json!({"tag": ["a", "b"]}), "tag:type"),
        bad("a status of nobody", &json!({"status": "gone"}), "status:one_of"),
        bad("a status in capitals", &json!({"status": "PENDING"}), "status:one_of"),
        bad("a tier of nobody", &json!({"tier": "gold"}), "tier:one_of"),
        bad("a platform that is not served", &json!({"platform": "myspace"}), "platform:one_of"),
        bad("a limit of nothing", &json!({"limit": 0}), "limit:range"),
        bad("one more than a page", &json!({"limit": 1_001}), "limit:range"),
        bad("a limit below nothing", &json!({"limit": -1}), "limit:range"),
        bad("half a seat", &json!({"limit": 1.5}), "limit:range"),
        bad("the limit in words", &json!({"limit": "100"}), "limit:type"),
        bad("a limit of yes", &json!({"limit": true}), "limit:type"),
        refused(
            "a huge limit",
            To::List,
            text(r#"{"limit":99999999999999999999999999999999999999}"#),
            400,
            "invalid_request limit:range",
        ),
        refused(
            "a huge limit with an exponent",
            To::List,
            text(r#"{"limit":1e300}"#),
            400,
            "invalid_request limit:range",
        ),
        bad("no ids", &json!({"ids": []}), "ids:count"),
        bad("a hundred and one ids", &json!({"ids": ids(101)}), "ids:count"),
        bad("an id for the ids", &json!({"ids": NOBODYS}), "ids:type"),
        bad("one id twice", &json!({"ids": [NOBODYS, NOBODYS]}), "ids[1]:duplicate"),
        bad(
            "ids that are none",
            &json!({"ids": ["acc_", null, 7, format!("{NOBODYS}#x"), NOBODYS.to_uppercase()]}),
            "ids[0]:account_id ids[1]:required ids[2]:type ids[3]:account_id",
        ),
        bad(
            "a key of the table",
            &json!({"ids": [format!("SEAT#{NOBODYS}")]}),
            "ids[0]:account_id",
        ),
        bad("a cursor that is none", &json!({"cursor": "cursor_00_00"}), "cursor:cursor"),
        bad(
            "a key of the table as cursor",
            &json!({"cursor": format!("SEAT#{NOBODYS}")}),
            "cursor:cursor",
        ),
        bad("an empty cursor", &json!({"cursor": ""}), "cursor:cursor"),
        bad(
            "a cursor beside faults",
            &json!({"cursor": "x", "tier": "gold"}),
            "tier:one_of cursor:cursor",
        ),
        bad(
            "another organization by name",
            &json!({"organization": "org_01kgjb9z8rd3m0acme00000000"}),
            "organization:unknown_field",
        ),
        bad("an unknown filter", &json!({"username": "a"}), "username:unknown_field"),
        bad(
            "every fault at once",
            &json!({"tag": "", "limit": 0, "page": 2}),
            "tag:min_length limit:range page:unknown_field",
        ),
        malformed("no body", ""),
        malformed("a list for the object", "[]"),
        malformed("one filter twice", r#"{"tag":"a","tag":"b"}"#),
        refused("nobody's list", To::List, Call::json(&json!({})), 401, "unauthorized"),
        refused(
            "a key that allows nothing",
            To::List,
            Call::json(&json!({})).bearer(&t.idle_key),
            403,
            "forbidden",
        ),
        refused("nobody's organization", To::Organization, Call::empty(), 401, "unauthorized"),
        accepted(
            "a key that allows nothing, of itself",
            To::Organization,
            Call::empty().bearer(&t.idle_key),
        ),
        accepted(
            "what nobody reads",
            To::Organization,
            text("[").query("id", "org_01kgjb9z8rd3m0acme00000000"),
        ),
        refused(
            "an administrator's organization",
            To::Organization,
            Call::empty().bearer(&t.administrator),
            401,
            "unauthorized",
        ),
        refused(
            "an agency's organization",
            To::Organization,
            Call::empty().bearer(&t.manager),
            401,
            "unauthorized",
        ),
        refused(
            "the organization of a session",
            To::Organization,
            Call::empty().bearer(&t.own.token),
            401,
            "unauthorized",
        ),
        refused(
            "an administrator's list",
            To::List,
            Call::json(&json!({})).bearer(&t.administrator),
            401,
            "unauthorized",
        ),
    ]
}

fn text_json(text: &str) -> Value {
    serde_json::from_str(text).expect("JSON")
}
