//! Log-ins that are not as they seem, tokens that nearly open an account, and sessions of others.

use headcount_tests::Call;
use serde_json::{Value, json};

use crate::row::{Row, To, accepted, refused};
use crate::tenants::Tenants;

pub(crate) fn rows(t: &Tenants) -> Vec<Row> {
    let mut rows = log_ins(t);
    rows.extend(tokens(t));
    rows.extend(refreshes(t));
    rows.extend(lists(t));
    rows.extend(endings(t));
    rows
}

fn log_ins(t: &Tenants) -> Vec<Row> {
    let log_in = |name, body: Value, says: &str| {
        refused(name, To::LogIn, Call::json(&body), 400, format!("invalid_request {says}"))
    };
    let (email, password) = (&t.own.email, "secure_password_here");
    let text =
        |name, body: String| refused(name, To::LogIn, Call::text(body), 400, "invalid_request");
    vec![
        log_in("nothing", json!({}), "email:required password:required"),
        log_in(
            "an address as a list",
            json!({"email": [email], "password": password}),
            "email:type",
        ),
        log_in(
            "an address as an object",
            json!({"email": {"$ne": null}, "password": {"$ne": null}}),
            "email:type password:type",
        ),
        log_in("no address", json!({"email": "owner", "password": password}), "email:email"),
        log_in(
            "two addresses",
            json!({"email": format!("{email},x@example.com"), "password": password}),
            "email:email",
        ),
        log_in(
            "a pattern for an address",
            json!({"email": "*", "password": password}),
            "email:email",
        ),
        log_in(
            "an address of the table",
            json!({"email": format!("EMAIL#{email}\0"), "password": password}),
            "email:email",
        ),
        log_in("no password", json!({"email": email, "password": ""}), "password:min_length"),
        log_in(
            "a password of 129",
            json!({"email": email, "password": "x".repeat(129)}),
            "password:max_length",
        ),
        log_in(
            "a very long password",
            json!({"email": email, "password": "x".repeat(200_000)}),
            "password:max_length",
        ),
        log_in(
            "a wish for another account",
            json!({"email": email, "password": password, "id": t.other_own.id.as_str()}),
            "id:unknown_field",
        ),
        log_in(
            "a wish for rights",
            json!({"email": email, "password": password, "permissions": ["accounts:create"]}),
            "permissions:unknown_field",
        ),
        text("two passwords", format!(r#"{{"email":"{email}","password":"a","password":"b"}}"#)),
        text("half a password", format!(r#"{{"email":"{email}","password":"a"#)),
        refused(
            "a form",
            To::LogIn,
            Call::text(format!("email={email}&password={password}"))
                .header("content-type", "application/x-www-form-urlencoded"),
            415,
            "unsupported_media_type",
        ),
    ]
}

fn tokens(t: &Tenants) -> Vec<Row> {
    let get = |name, token: &str| {
        refused(name, To::OwnAccount, Call::empty().bearer(token), 401, "unauthorized")
    };
    let (id, secret) = (&t.own.token[3..29], &t.own.token[30..]);
    vec![
        get("a refresh token", &t.own.refresh),
        get("the secret of another account", &format!("hc_{id}_{}", &t.other_own.token[30..])),
        get("the id of another session", &format!("hc_{}_{secret}", &t.other_own.token[3..29])),
        get("the id of a session", &format!("hc_sess_{id}_{secret}")),
        get("the id of the account", &format!("hc_{}_{secret}", t.own.id)),
        get("an administrator's token", &t.administrator),
        get("an API key", &t.key),
        get("an app's token", &t.manager),
        get("no token", ""),
        refused(
            "a token at an administrator's endpoint",
            To::Identity,
            crate::tenants::sign_up(&json!({})).bearer(&t.own.token),
            401,
            "unauthorized",
        ),
        refused(
            "a token at the Seats API",
            To::Billing,
            Call::empty().bearer(&t.own.token),
            401,
            "unauthorized",
        ),
        accepted("a body where none is asked for", To::OwnAccount, {
            Call::text("{\"id\":").bearer(&t.own.token)
        }),
        accepted("an entity tag that is none", To::OwnAccount, {
            Call::empty().bearer(&t.own.token).header("if-none-match", "\"0, W/0, \u{1}")
        }),
        accepted("a very long list of entity tags", To::OwnAccount, {
            Call::empty().bearer(&t.own.token).header("if-none-match", &"\"a\",".repeat(1_500))
        }),
        accepted("another account in the path", To::OwnAccount, {
            Call::empty().bearer(&t.own.token).at(&format!("/v1/account/{}", t.other_own.id))
        }),
    ]
}

fn refreshes(t: &Tenants) -> Vec<Row> {
    let refresh = |name, token: &str| {
        refused(name, To::Refresh, Call::empty().bearer(token), 401, "unauthorized")
    };
    let asked = |name, body: Value, says: &str| {
        let call = Call::json(&body).bearer(&t.own.refresh);
        refused(name, To::Refresh, call, 400, format!("invalid_request {says}"))
    };
    let (id, secret) = (&t.own.refresh[3..29], &t.own.refresh[30..]);
    let mixed = format!("hc_{}_{secret}", &t.other_own.refresh[3..29]);
    vec![
        refresh("an access token", &t.own.token),
        refresh("a refresh token's secret with another's id", &mixed),
        refresh("a refresh token in upper case", &format!("hc_{id}_{}", secret.to_uppercase())),
        refresh("the hash of nothing", &format!("hc_{id}_{}", "0".repeat(64))),
        refresh("a key of the table for a secret", &format!("hc_{id}_ROTATED#{secret}")),
        refresh("a session's id", &t.own.session.id.to_string()),
        refresh("an administrator's token for a refresh", &t.administrator),
        refresh("an API key for a refresh", &t.key),
        refresh("no token for a refresh", ""),
        refresh("a very long token", &t.own.refresh.repeat(100)),
        asked(
            "a text for whether to rotate",
            json!({"rotate_refresh_token": "false"}),
            "rotate_refresh_token:type",
        ),
        asked(
            "a number for whether to rotate, and a token",
            json!({"rotate_refresh_token": 0, "refresh_token": t.own.refresh}),
            "rotate_refresh_token:type refresh_token:unknown_field",
        ),
        asked(
            "a longer life",
            json!({"expires_in": 4_000_000_000_u64}),
            "expires_in:unknown_field",
        ),
        refused(
            "half a body for a refresh",
            To::Refresh,
            Call::text("{").bearer(&t.own.refresh),
            400,
            "invalid_request",
        ),
    ]
}

fn lists(t: &Tenants) -> Vec<Row> {
    let call = || Call::empty().bearer(&t.own.token);
    let bad = |name, call: Call, says: &str| {
        refused(name, To::Sessions, call, 400, format!("invalid_request {says}"))
    };
    let by = |name, token: &str| {
        refused(name, To::Sessions, Call::empty().bearer(token), 401, "unauthorized")
    };
    let key = format!("SESSION#{}", t.own.session.id.token());
    vec![
        accepted("a list with a body", To::Sessions, Call::text("\0[").bearer(&t.own.token)),
        accepted("another path of the list", To::Sessions, call().at("/prod/v1/auth/sessions/")),
        bad("a longer page", call().query("limit", "101"), "limit:range"),
        bad("a page of half an entry", call().query("limit", "0.5"), "limit:range"),
        bad("two limits", call().query("limit", "1").query("limit", "2"), "limit:range"),
        bad("a limit with a sign", call().query("limit", "%2B1"), "limit:range"),
        bad("a key of the table to go on from", call().query("cursor", &key), "cursor:cursor"),
        bad(
            "a session to go on from",
            call().query("cursor", &t.own.session.id.to_string()),
            "cursor:cursor",
        ),
        bad(
            "sessions of another",
            call().query("account", t.other_own.id.as_str()),
            "account:unknown_field",
        ),
        bad("ended ones too", call().query("status", "ended"), "status:unknown_field"),
        by("a list by a refresh token", &t.own.refresh),
        by("a list by an administrator", &t.administrator),
        by("a list by an API key", &t.key),
        by("a list by nobody", ""),
    ]
}

fn endings(t: &Tenants) -> Vec<Row> {
    let end = |name, body: Value, status, says: &str| {
        refused(name, To::EndSession, Call::json(&body).bearer(&t.own.token), status, says)
    };
    let missing = |name, id: &str| end(name, json!({"session_id": id}), 404, "not_found");
    vec![
        missing("another account's session", &t.other_own.session.id.to_string()),
        missing("nobody's session", "sess_01kgjb9z8rd3m0n0b0dy000000"),
        missing("a session without its prefix", t.own.session.id.token().as_str()),
        missing("a session in upper case", &t.own.session.id.to_string().to_uppercase()),
        missing("the account as a session", t.own.id.as_str()),
        missing("a key of the table", &format!("SESSION#{}", t.own.session.id.token())),
        missing("no session", ""),
        missing("a very long session", &"sess_".repeat(10_000)),
        end(
            "a list of sessions",
            json!({"session_id": [t.own.session.id.to_string()]}),
            400,
            "invalid_request session_id:type",
        ),
        end(
            "an account",
            json!({"account": t.other_own.id.as_str()}),
            400,
            "invalid_request account:unknown_field",
        ),
        refused(
            "half a body",
            To::EndSession,
            Call::text("{").bearer(&t.own.token),
            400,
            "invalid_request",
        ),
        refused(
            "a session ended by an administrator",
            To::EndSession,
            Call::empty().bearer(&t.administrator),
            401,
            "unauthorized",
        ),
    ]
}
