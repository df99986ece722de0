//! Seats that are not the caller's to give back, and lists that are none.

use headcount_tests::Call;
use serde_json::{Value, json};

use crate::row::{Row, To, refused};
use crate::tenants::Tenants;

/// An id of the right form that nobody has.
const NOBODYS: &str = "acc_01kgjb9z8rd3m0n0b0dy000000";

pub(crate) fn rows(t: &Tenants) -> Vec<Row> {
    let row = |name, body: &Value, status, says: &str| {
        refused(name, To::Deactivate, Call::json(body).bearer(&t.key), status, says)
    };
    let bad = |name, body: &Value, faults: &str| {
        row(name, body, 400, &format!("invalid_request {faults}"))
    };
    let of = |id: &str| json!({ "account_id": id });
    vec![
        row("nobody's account", &of(NOBODYS), 404, "account_not_found account_id:not_found"),
        row(
            "a hundred accounts of nobody",
            &json!({"account_ids": (0..100).map(|n| format!("acc_01kgjb9z8rd3m0n0b0dy000{n:03}")).collect::<Vec<_>>()}),
            404,
            "account_not_found account_ids[0]:not_found account_ids[1]:not_found \
             account_ids[2]:not_found account_ids[3]:not_found",
        ),
        bad("upper case", &of(&NOBODYS.to_uppercase()), "account_id:account_id"),
        bad(
            "the id of another kind",
            &of("org_01kgjb9z8rd3m0acme00000000"),
            "account_id:account_id",
        ),
        bad(
            "a key of the table",
            &of("SEAT#acc_01kgjb9z8rd3m0n0b0dy000000"),
            "account_id:account_id",
        ),
        bad("a separator behind the id", &of(&format!("{NOBODYS}#x")), "account_id:account_id"),
        bad("a list where one is meant", &json!({"account_id": [NOBODYS]}), "account_id:type"),
        bad("one where a list is meant", &json!({"account_ids": NOBODYS}), "account_ids:type"),
        bad(
            "a revocation in words",
            &json!({"account_id": NOBODYS, "revoke": "true"}),
            "revoke:type",
        ),
        bad(
            "a revocation by number, of nothing",
            &json!({"revoke": 1}),
            "account_id:required revoke:type",
        ),
        bad(
            "the end by its name in the table",
            &json!({"account_id": NOBODYS, "ends_at": "2026-02-03T18:12:47.000Z"}),
            "ends_at:unknown_field",
        ),
        row(
            "the end of nobody's account, revoked",
            &json!({"account_id": NOBODYS, "revoke": true}),
            404,
            "account_not_found account_id:not_found",
        ),
        bad("an empty list", &json!({"account_ids": []}), "account_ids:count"),
        bad("many", &json!({"account_ids": vec![0; 90_000]}), "account_ids:count"),
        bad(
            "one account twice",
            &json!({"account_ids": [NOBODYS, NOBODYS]}),
            "account_ids[1]:duplicate",
        ),
        bad(
            "another organization by name",
            &json!({"account_id": NOBODYS, "organization": "org_01kgjb9z8rd3m0acme00000000"}),
            "organization:unknown_field",
        ),
        refused(
            "a key that may create",
            To::Deactivate,
            Call::json(&of(NOBODYS)).bearer(&t.idle_key),
            403,
            "forbidden",
        ),
    ]
}
