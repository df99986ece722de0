//! Paths that nearly name an account, and credentials that nearly allow it.

use headcount_tests::Call;
use serde_json::{Value, json};

use crate::row::{Row, To, accepted, refused};
use crate::tenants::Tenants;

pub(crate) fn rows(t: &Tenants) -> Vec<Row> {
    let get = |id: &str| Call::empty().at(&format!("/v1/accounts/{id}")).bearer(&t.administrator);
    let missing = |name, id: &str| refused(name, To::AnAccount, get(id), 404, "not_found");
    let by = |name, credential: &str, status, says: &str| {
        refused(name, To::AnAccount, get(t.own.id.as_str()).bearer(credential), status, says)
    };
    let own = t.own.id.as_str();
    let mut rows = patches(t);
    rows.extend(ends(t));
    rows.extend(vec![
        accepted("an account", To::AnAccount, get(own)),
        accepted("an account behind a stage", To::AnAccount, {
            get(own).at(&format!("/prod/v1/accounts/{own}"))
        }),
        accepted("a body where none is asked for", To::AnAccount, {
            Call::text("{").at(&format!("/v1/accounts/{own}")).bearer(&t.administrator)
        }),
        missing("nobody's account", "acct_01kgjb9z8rd3m0n0b0dy000000"),
        missing("an account in upper case", &own.to_uppercase()),
        missing("an account without its prefix", &own["acct_".len()..]),
        missing("an account and more", &format!("{own}0")),
        missing("an account with an encoded letter", &own.replace("acct", "%61cct")),
        missing("an end of text in the path", &format!("{own}%00")),
        missing("a key of the table in the path", &format!("ACCOUNT#{own}")),
        missing("a session as an account", &t.own.session.id.to_string()),
        missing("a seat as an account", "acc_01kgjb9z8rd3m0seat00000000"),
        missing("two accounts", &format!("{own},{}", t.other_own.id)),
        missing("a folder above", ".."),
        missing("a wildcard", "*"),
        missing("no account", ""),
        missing("a very long name", &"a".repeat(6_000)),
        missing("a line end in the path", &format!("{own}\r\nx: y")),
        by("an account's own token", &t.own.token, 401, "unauthorized"),
        by("an API key", &t.key, 401, "unauthorized"),
        by("an app's token that may do everything", &t.manager, 401, "unauthorized"),
        by("no token", "", 401, "unauthorized"),
    ]);
    rows
}

/// Ends of accounts by who may not end them.
fn ends(t: &Tenants) -> Vec<Row> {
    let end = |id: &str| Call::empty().at(&format!("/v1/accounts/{id}"));
    let (own, other) = (t.own.id.as_str(), t.other_own.id.as_str());
    let refusal = |name, id: &str, token: &str, status, says: &str| {
        refused(name, To::End, end(id).bearer(token), status, says)
    };
    vec![
        refusal(
            "ended by its own token at an administrator's path",
            own,
            &t.own.token,
            401,
            "unauthorized",
        ),
        refusal("ended by another account", other, &t.own.token, 401, "unauthorized"),
        refusal("ended by who may change alone", own, &t.updater, 403, "forbidden"),
        refusal("ended by an API key", own, &t.key, 401, "unauthorized"),
        refused(
            "its own end by a refresh token",
            To::OwnEnd,
            Call::empty().bearer(&t.own.refresh),
            401,
            "unauthorized",
        ),
        refused(
            "its own end by an administrator",
            To::OwnEnd,
            Call::empty().bearer(&t.updater),
            401,
            "unauthorized",
        ),
    ]
}

/// Patches that would give more than they may, or that are none.
fn patches(t: &Tenants) -> Vec<Row> {
    let own = |name, body: Value, says: &str| {
        let call = Call::json(&body).bearer(&t.own.token);
        refused(name, To::OwnPatch, call, 400, format!("invalid_request {says}"))
    };
    let to = format!("/v1/accounts/{}", t.own.id);
    let named = |name, body: Value, status, says: &str| {
        let call = Call::json(&body).at(&to).bearer(&t.updater);
        refused(name, To::Patch, call, status, says)
    };
    let text = |name, body: &str, content_type: &str, status, says: &str| {
        let call = Call::text(body).header("content-type", content_type).bearer(&t.own.token);
        refused(name, To::OwnPatch, call, status, says)
    };
    let merge = "application/merge-patch+json";
    vec![
        own("a status of one's own", json!({"status": "active"}), "status:unknown_field"),
        own("another id", json!({"id": t.other_own.id.as_str()}), "id:unknown_field"),
        own("another kind", json!({"type": "individual"}), "type:unknown_field"),
        own("a version", json!({"version": 9}), "version:unknown_field"),
        own("a hash", json!({"password_hash": "x"}), "password_hash:unknown_field"),
        own("sessions", json!({"session_epoch": 0}), "session_epoch:unknown_field"),
        own("no address", json!({"email": null}), "email:required"),
        own("a name that shows nothing", json!({"name": "\u{3164}"}), "name:min_length"),
        own("a name that turns around", json!({"name": "a\u{202E}b"}), "name:forbidden_character"),
        own("settings as a list", json!({"settings": []}), "settings:type"),
        own(
            "a setting of nobody",
            json!({"settings": {"theme": "dark"}}),
            "settings.theme:unknown_field",
        ),
        own(
            "a password without the current one",
            json!({"password": "another long password"}),
            "current_password:required",
        ),
        own(
            "a wrong current password",
            json!({"password": "another long password", "current_password": "wrong"}),
            "current_password:current_password",
        ),
        text(
            "a list of operations",
            "[{\"op\":\"remove\",\"path\":\"/email\"}]",
            merge,
            400,
            "invalid_request",
        ),
        text("a JSON patch", "[]", "application/json-patch+json", 415, "unsupported_media_type"),
        text("the same member twice", r#"{"name":"a","name":"b"}"#, merge, 400, "invalid_request"),
        text("nothing", "", merge, 400, "invalid_request"),
        refused(
            "another account's address",
            To::OwnPatch,
            Call::json(&json!({"email": t.other_own.email.to_uppercase()})).bearer(&t.own.token),
            409,
            "email_exists",
        ),
        refused(
            "a version that never was",
            To::OwnPatch,
            Call::json(&json!({"name": "x"}))
                .bearer(&t.own.token)
                .header("if-match", "\"7\", W/\"0\""),
            412,
            "version_mismatch",
        ),
        named(
            "closed by a patch",
            json!({"status": "closed"}),
            400,
            "invalid_request status:one_of",
        ),
        named(
            "a current password",
            json!({"current_password": "x"}),
            400,
            "invalid_request current_password:unknown_field",
        ),
        named(
            "an address that is another's",
            json!({"email": t.other_own.email}),
            409,
            "email_exists",
        ),
        refused(
            "a patch of another account in the path of the own",
            To::Patch,
            Call::json(&json!({"name": "x"}))
                .at(&format!("/v1/accounts/{}", t.other_own.id))
                .bearer(&t.own.token),
            401,
            "unauthorized",
        ),
        refused(
            "a patch by who may create alone",
            To::Patch,
            Call::json(&json!({"name": "x"})).at(&to).bearer(&t.administrator),
            403,
            "forbidden",
        ),
        accepted("an empty patch", To::OwnPatch, {
            Call::text("{}").header("content-type", merge).bearer(&t.own.token)
        }),
        accepted("an address in other letters", To::OwnPatch, {
            Call::json(&json!({"email": t.own.email.to_uppercase()})).bearer(&t.own.token)
        })
        .keeps("ACCOUNT#", "email", t.own.email.to_uppercase()),
    ]
}
