//! API keys: others' keys, keys that would be more than what gives them, and names that are none.

use headcount_tests::Call;
use serde_json::{Value, json};

use crate::row::{Row, To, accepted, refused};
use crate::tenants::Tenants;

/// An id of the right form that nobody has.
const NOBODYS: &str = "01kgjb9z8rd3m0n0b0dy000000";

fn id(key: &str) -> &str {
    key.split('_').nth(1).unwrap_or_default()
}

pub(crate) fn rows(t: &Tenants) -> Vec<Row> {
    let call = |body: &Value| Call::json(body).bearer(&t.key_manager);
    let bad = |name, to, body: &Value, faults: &str| {
        refused(name, to, call(body), 400, format!("invalid_request {faults}"))
    };
    let missing = |name, to, body: &Value| refused(name, to, call(body), 404, "api_key_not_found");
    let named = |id: &str| json!({"apiKeyId": id, "name": "Mine"});
    let gone = |id: &str| json!({ "apiKeyId": id });
    let with = |fields: Value| {
        let mut good = json!({"name": "Reports", "permissions": ["keys:manage"]});
        for (name, value) in fields.as_object().into_iter().flatten() {
            good[name] = value.clone();
        }
        good
    };
    let rights = |rights: Value| with(json!({ "permissions": rights }));
    let ends = |end: Value| with(json!({ "expires_at": end }));
    vec![
        missing("nobody's key, named", To::NameKey, &named(NOBODYS)),
        missing("another organization's key, named", To::NameKey, &named(id(&t.other_key))),
        missing("an administrator's token, named", To::NameKey, &named(id(&t.administrator))),
        missing("an agency's token, named", To::NameKey, &named(id(&t.agency.token))),
        missing("a session, named", To::NameKey, &named(id(&t.own.token))),
        missing("nobody's key, deleted", To::EndKey, &gone(NOBODYS)),
        missing("another organization's key, deleted", To::EndKey, &gone(id(&t.other_key))),
        missing("an administrator's token, deleted", To::EndKey, &gone(id(&t.administrator))),
        missing("an agency's token, deleted", To::EndKey, &gone(id(&t.agency.token))),
        refused(
            "the last manager, deleted by itself",
            To::EndKey,
            call(&gone(id(&t.key_manager))),
            409,
            "last_managing_api_key",
        ),
        bad("a whole key as id", To::EndKey, &gone(&t.key), "apiKeyId:api_key_id"),
        bad(
            "a key of the table",
            To::EndKey,
            &gone(&format!("CREDENTIAL#{NOBODYS}")),
            "apiKeyId:api_key_id",
        ),
        bad(
            "an id in capitals",
            To::NameKey,
            &named(&NOBODYS.to_uppercase()),
            "apiKeyId:api_key_id",
        ),
        bad(
            "an id with a separator",
            To::NameKey,
            &named("01kgjb9z8rd3m0n0b0dy00000#"),
            "apiKeyId:api_key_id",
        ),
        bad("a list of ids", To::EndKey, &json!({"apiKeyId": [NOBODYS]}), "apiKeyId:type"),
        bad(
            "the id by another name",
            To::EndKey,
            &json!({"id": NOBODYS}),
            "apiKeyId:required id:unknown_field",
        ),
        bad(
            "new rights with a name",
            To::NameKey,
            &json!({"apiKeyId": NOBODYS, "name": "x", "permissions": ["keys:manage"]}),
            "permissions:unknown_field",
        ),
        bad(
            "a name with a bidi override",
            To::NewKey,
            &with(json!({"name": "a\u{202E}b"})),
            "name:forbidden_character",
        ),
        bad(
            "a name that shows nothing",
            To::NewKey,
            &with(json!({"name": "\u{3164}"})),
            "name:min_length",
        ),
        bad(
            "a name that is too long",
            To::NewKey,
            &with(json!({"name": "🚀".repeat(65)})),
            "name:max_length",
        ),
        bad("no rights", To::NewKey, &rights(json!([])), "permissions:count"),
        bad("null for rights", To::NewKey, &rights(Value::Null), "permissions:required"),
        bad("many rights", To::NewKey, &rights(json!(vec![0; 90_000])), "permissions:count"),
        bad("every right by a star", To::NewKey, &rights(json!(["*"])), "permissions[0]:one_of"),
        bad(
            "a right in capitals",
            To::NewKey,
            &rights(json!(["KEYS:MANAGE"])),
            "permissions[0]:one_of",
        ),
        bad(
            "a right of another API",
            To::NewKey,
            &rights(json!(["agency.createAccounts"])),
            "permissions[0]:one_of",
        ),
        bad(
            "a right of administrators",
            To::NewKey,
            &rights(json!(["accounts:delete"])),
            "permissions[0]:one_of",
        ),
        bad(
            "one right twice",
            To::NewKey,
            &rights(json!(["keys:manage", "keys:manage"])),
            "permissions[1]:duplicate",
        ),
        refused(
            "a right that is not its own",
            To::NewKey,
            call(&rights(json!(["accounts:create"]))),
            403,
            "forbidden",
        ),
        bad(
            "an end that has passed",
            To::NewKey,
            &ends(json!("2026-02-03T18:12:47Z")),
            "expires_at:key_end",
        ),
        bad(
            "an end without a zone",
            To::NewKey,
            &ends(json!("2031-01-01T00:00:00")),
            "expires_at:key_end",
        ),
        bad("a day for an end", To::NewKey, &ends(json!("2031-01-01")), "expires_at:key_end"),
        bad("an end in seconds", To::NewKey, &ends(json!(1_900_000_000)), "expires_at:type"),
        bad(
            "an end beyond time",
            To::NewKey,
            &ends(json!("99999-01-01T00:00:00Z")),
            "expires_at:key_end",
        ),
        bad(
            "a secret of one's own",
            To::NewKey,
            &with(json!({"key": "hc_x", "secret_hash": "x"})),
            "key:unknown_field secret_hash:unknown_field",
        ),
        bad(
            "another organization by name",
            To::NewKey,
            &with(json!({"organization": "org_01kgjb9z8rd3m0acme00000000"})),
            "organization:unknown_field",
        ),
        bad("filters of the list", To::Keys, &json!({"limit": 1}), "limit:unknown_field"),
        accepted("a list without a body", To::Keys, Call::empty().bearer(&t.key_manager)),
        accepted(
            "an end as far as there is time",
            To::NewKey,
            call(&ends(json!("9999-12-30T00:00:00Z"))),
        ),
        accepted(
            "an end with an offset",
            To::NewKey,
            call(&ends(json!("2026-02-03T23:12:47+04:00"))),
        ),
        refused(
            "a key without the permission, of itself",
            To::EndKey,
            Call::json(&gone(id(&t.idle_key))).bearer(&t.idle_key),
            403,
            "forbidden",
        ),
        refused(
            "a key that creates seats, the list",
            To::Keys,
            Call::empty().bearer(&t.key),
            403,
            "forbidden",
        ),
        refused("nobody's new key", To::NewKey, Call::json(&with(json!({}))), 401, "unauthorized"),
        refused(
            "an agency's new key",
            To::NewKey,
            Call::json(&with(json!({}))).bearer(&t.manager),
            401,
            "unauthorized",
        ),
        refused(
            "an idempotency key of two words",
            To::NewKey,
            call(&with(json!({}))).key("two words"),
            400,
            "invalid_request",
        ),
    ]
}
