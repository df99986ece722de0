//! Changes of seats that are not the caller's, of fields that nobody may set, and lists that are none.

use headcount_tests::Call;
use serde_json::{Value, json};

use crate::row::{Row, To, accepted, refused};
use crate::tenants::Tenants;

/// An id of the right form that nobody has.
const NOBODYS: &str = "acc_01kgjb9z8rd3m0n0b0dy000000";

pub(crate) fn rows(t: &Tenants) -> Vec<Row> {
    let call = |body: &Value| Call::json(body).bearer(&t.seat_updater);
    let bad = |name, body: &Value, faults: &str| {
        refused(name, To::Update, call(body), 400, format!("invalid_request {faults}"))
    };
    // What could be done, were the account there.
    let fine = |name, field: &str, value: Value| {
        let body = json!({"accountId": NOBODYS, field: value});
        refused(name, To::Update, call(&body), 404, "account_not_found accountId:not_found")
    };
    let of = |name, field: &str, value: Value, faults: &str| {
        bad(name, &json!({"accountId": NOBODYS, field: value}), faults)
    };
    let text = |name, body: &str, says: &str| {
        refused(name, To::Update, Call::text(body).bearer(&t.seat_updater), 400, says)
    };
    let id =
        |name, id: &str| bad(name, &json!({"accountId": id, "tag": "x"}), "accountId:account_id");
    let deep = format!("{}1{}", "[".repeat(60), "]".repeat(60));
    let deep = format!(r#"{{"accountId":"{NOBODYS}","profiles":{deep}}}"#);
    vec![
        fine("nobody's account", "tag", json!("x")),
        fine("nobody's account, cleared", "tag", Value::Null),
        fine("an expression as a tag", "tag", json!("x, tier = :premium")),
        fine("the name of a placeholder", "org_group", json!(":next")),
        fine("JSON in JSON", "profiles", json!("{\"tier\":\"premium\"}")),
        fine("a name of the table in what is kept", "profiles", json!({"pk": "ORG#x", "#tag": 1})),
        fine("what is kept, as long as it may be", "profiles", json!("x".repeat(4_094))),
        of("what is kept, too long", "profiles", json!("x".repeat(4_095)), "profiles:max_length"),
        of("half a number in what is kept", "postVersion", json!([{"a": 0.5}]), "postVersion:type"),
        of("a number below zero in it", "warmupVersion", json!(-1), "warmupVersion:type"),
        id("upper case", &NOBODYS.to_uppercase()),
        id("the id of another kind", "org_01kgjb9z8rd3m0acme00000000"),
        id("a key of the table", &format!("SEAT#{NOBODYS}")),
        id("a separator behind the id", &format!("{NOBODYS}#x")),
        of(
            "the status by its name",
            "status",
            json!("initialized"),
            "status:unknown_field accountId:nothing_to_change",
        ),
        of(
            "the device",
            "device_type",
            json!("x"),
            "device_type:unknown_field accountId:nothing_to_change",
        ),
        of("the end", "ends_at", Value::Null, "ends_at:unknown_field accountId:nothing_to_change"),
        of(
            "another organization",
            "organization",
            json!("org_x"),
            "organization:unknown_field accountId:nothing_to_change",
        ),
        of("no tier", "tier", Value::Null, "tier:required"),
        of("a tier in capitals", "tier", json!("PREMIUM"), "tier:one_of"),
        of("a tier among others", "tier", json!(["premium"]), "tier:type"),
        of("an operator for a tag", "tag", json!({"$set": "x"}), "tag:type"),
        of("a tag with a bidi override", "tag", json!("a\u{202E}b"), "tag:forbidden_character"),
        of("NUL in a group", "user_group", json!("a\u{0}b"), "user_group:forbidden_character"),
        of(
            "a picture of this machine",
            "pfp_url",
            json!("http://127.0.0.1/a"),
            "pfp_url:url_private_address",
        ),
        of("a version below zero", "version", json!(-1), "version:range"),
        of("a version in words", "version", json!("1"), "version:type"),
        of("a version beyond all", "version", json!(u64::MAX), "version:range"),
        bad(
            "two platforms",
            &json!({"accountId": NOBODYS, "platform": "tiktok", "type": "instagram"}),
            "type:exclusive",
        ),
        bad("nothing to change", &json!({"accountId": NOBODYS}), "accountId:nothing_to_change"),
        bad("nothing", &json!({}), "accountId:required accountId:nothing_to_change"),
        bad("no updates", &json!({"updates": []}), "updates:count"),
        bad("updates of null", &json!({"updates": null}), "updates:required"),
        bad("many", &json!({"updates": vec![0; 90_000]}), "updates:count"),
        bad(
            "an update for the updates",
            &json!({"updates": {"accountId": NOBODYS}}),
            "updates:type",
        ),
        bad(
            "updates that are none",
            &json!({"updates": [1, [], {"tag": "x"}, {"accountId": [NOBODYS]}]}),
            "updates:type updates:type accountId:required accountId:type",
        ),
        bad(
            "both forms at once",
            &json!({"updates": [{"accountId": NOBODYS, "tag": "x"}], "accountId": NOBODYS}),
            "accountId:unknown_field",
        ),
        accepted(
            "a hundred of nobody, each refused by itself",
            To::Update,
            call(&json!({"updates": (0..100).map(|n| json!({
                "accountId": format!("acc_01kgjb9z8rd3m0n0b0dy000{n:03}"), "tier": "premium",
            })).collect::<Vec<_>>()})),
        ),
        accepted(
            "ids that are none, each told by itself",
            To::Update,
            call(
                &json!({"updates": [{"accountId": "", "tag": "x"}, {"accountId": "\u{0}#", "tag": "x"}]}),
            ),
        ),
        accepted(
            "one account twice, however it is spelled",
            To::Update,
            call(&json!({"updates": [
                {"accountId": NOBODYS, "tag": "x"}, {"accountId": NOBODYS, "tag": "y"},
            ]})),
        ),
        text("one field twice", r#"{"accountId":"a","accountId":"b"}"#, "invalid_request"),
        text("a list for the object", "[]", "invalid_request"),
        text("deeper than anybody needs", &deep, "invalid_request"),
        refused(
            "a key that may create",
            To::Update,
            Call::json(&json!({"accountId": NOBODYS, "tag": "x"})).bearer(&t.key),
            403,
            "forbidden",
        ),
        refused(
            "an administrator who may change accounts",
            To::Update,
            Call::json(&json!({"accountId": NOBODYS, "tag": "x"})).bearer(&t.updater),
            401,
            "unauthorized",
        ),
    ]
}
