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
    rows.extend(lists(t));
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

/// Lists that are asked for more than they show.
fn lists(t: &Tenants) -> Vec<Row> {
    let call = || Call::empty().at("/v1/accounts").bearer(&t.administrator);
    let bad = |name, parameter: &str, value: &str, fault: &str| {
        let says = format!("invalid_request {parameter}:{fault}");
        refused(name, To::AllAccounts, call().query(parameter, value), 400, says)
    };
    let by = |name, token: &str, status, says: &str| {
        refused(name, To::AllAccounts, call().bearer(token), status, says)
    };
    let key = format!("2026-02-03T18:12:47.000000Z#{}", t.own.id);
    let twice = call().query("email", &t.own.email).query("email", &t.other_own.email);
    vec![
        accepted(
            "a list with half a body",
            To::AllAccounts,
            Call::text("{").bearer(&t.administrator),
        ),
        accepted("a list behind a slash", To::AllAccounts, call().at("/prod/v1/accounts/")),
        accepted("an address with an encoded at", To::AllAccounts, {
            call().query("email", &t.own.email.replace('@', "%40"))
        }),
        accepted("the longest time there is", To::AllAccounts, {
            call().query("created_before", "9999-12-30T22:00:00Z")
        }),
        accepted("a time before all times", To::AllAccounts, {
            call().query("created_after", "-009999-01-02T01:59:59Z")
        }),
        accepted("a star, which is a letter of an address", To::AllAccounts, {
            call().query("email", "*@example.com")
        }),
        bad("a time behind the last", "created_after", "10000-01-01T00:00:00Z", "time"),
        bad("a time without a zone", "created_after", "2026-01-01T00:00:00", "time"),
        bad("a time of no calendar", "created_before", "2026-13-01T00:00:00Z", "time"),
        bad("an operator for a time", "created_after", "2026-01-01T00:00:00Z' OR 1=1", "time"),
        bad("a very long time", "created_after", &"2".repeat(10_000), "time"),
        bad("all statuses", "status", "active,suspended", "one_of"),
        bad("those that are closed", "status", "closed", "one_of"),
        bad("a wildcard for a status", "status", "*", "one_of"),
        bad("a beginning of an address", "email", "own", "email"),
        bad("a key of the table for an address", "email", "EMAIL#own.account", "email"),
        bad("two hundred accounts", "limit", "200", "range"),
        bad("all accounts", "limit", "-1", "range"),
        bad("a place in the list for a cursor", "cursor", &key, "cursor"),
        bad("an account for a cursor", "cursor", t.own.id.as_str(), "cursor"),
        bad("an order", "sort", "name", "unknown_field"),
        bad("passwords", "fields", "password_hash", "unknown_field"),
        bad("filters of an object", "status.ne", "active", "unknown_field"),
        refused("two addresses", To::AllAccounts, twice, 400, "invalid_request email:email"),
        by("a list by an account itself", &t.own.token, 401, "unauthorized"),
        by("a list by who may change alone", &t.updater, 403, "forbidden"),
        by("a list by an API key", &t.key, 401, "unauthorized"),
        by("a list by an app", &t.manager, 401, "unauthorized"),
        by("a list by nobody", "", 401, "unauthorized"),
    ]
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
