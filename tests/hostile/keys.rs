//! Idempotency keys in hands and places that are not theirs. `send` holds that none of these
//! requests gets somebody else's answer.

use headcount_tests::Call;
use serde_json::json;

use crate::row::{Row, To, accepted, refused};
use crate::tenants::{Tenants, sign_up};

pub(crate) fn rows(t: &Tenants) -> Vec<Row> {
    let reused = |name, to, call| refused(name, to, call, 422, "idempotency_key_reused");
    let seat = |key: &str| t.seat().key(key);
    let account = |key: &str| t.account(&json!({"name": "Keyed"})).key(key);
    let person = |email: &str| sign_up(&json!({ "email": email }));
    let framework = "This Idempotency-Key was used with another request body; nothing was done.";
    vec![
        accepted(
            "the key of another organization",
            To::Seats,
            t.seat().bearer(&t.other_key).key("one"),
        )
        .after(To::Seats, seat("one")),
        accepted("the key at another API", To::Agency, account("one")),
        accepted("the key at a third API", To::Identity, person("keyed@example.com").key("one")),
        accepted(
            "the key of another app",
            To::Agency,
            t.account_of(&t.other_agency, &json!({"name": "Keyed"})).key("one"),
        ),
        accepted(
            "the key of those who sign up, in an administrator's hand",
            To::Identity,
            person("other@example.com").key("one").bearer(&t.administrator),
        ),
        accepted("the key in another case", To::Seats, seat("ONE")),
        accepted("the key with what could be the number of a part", To::Seats, seat("one#1")),
        reused("another body", To::Seats, t.seats(&json!([{"tier": "premium"}])).key("one")),
        reused(
            "the same body with a space",
            To::Seats,
            t.seats_text("{\"accounts\":[{\"tier\":\"basic\"} ]}").key("one"),
        ),
        reused(
            "the same body, its letters escaped",
            To::Seats,
            t.seats_text(r#"{"accounts":[{"tier":"b\u0061sic"}]}"#).key("one"),
        ),
        accepted(
            "the key of somebody else's sign-up",
            To::Identity,
            person("mallory@example.com").key("one"),
        ),
        reused(
            "the sign-up of somebody else with another password",
            To::Identity,
            sign_up(&json!({"email": "keyed@example.com", "password": "guessed_password_1"}))
                .key("one"),
        ),
        refused(
            "another account",
            To::Agency,
            t.account(&json!({"name": "Other"})).key("one"),
            422,
            framework,
        ),
        refused(
            "a good key and a bad credential",
            To::Seats,
            Call::json(&json!({"accounts": [{"tier": "basic"}]})).key("one"),
            401,
            "unauthorized",
        ),
        refused(
            "a good key and a bad body",
            To::Seats,
            t.seats_text("{").key("one"),
            400,
            "invalid_request",
        ),
        refused(
            "a quote of nobody",
            To::Seats,
            t.seats_text(r#"{"accounts":[{"tier":"basic"}],"quote_id":"quote_x"}"#),
            400,
            "invalid_request quote_id:quote",
        ),
        refused(
            "a field of creates at a quote",
            To::Quote,
            t.seats_text(r#"{"accounts":[{"tier":"basic"}],"quote_id":"quote_x"}"#),
            400,
            "invalid_request quote_id:unknown_field",
        ),
    ]
}
