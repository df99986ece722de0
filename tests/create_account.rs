//! `POST /v1/accounts`: CONTRACT, the part common to all APIs and section 3.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Arc, Mutex};

use headcount_model::credential::{
    Credential, Credentials, Holder, LookupFailed, Permission, Presented,
};
use headcount_model::id::{AgencyLcuid, AppLcuid};
use headcount_model::idempotency::StoredAnswer;
use headcount_model::identity::{Accounts, Commit, CommitRefusal, PasswordPolicy};
use headcount_model::port::{Clock, Entropy, NoEntropy};
use headcount_store::Table;
use headcount_tests::{Call, Fault, Ports, Reply, Stage, bad_credentials, text_of, transport};
use jiff::{SignedDuration, Timestamp};
use serde_json::{Value, json};
use sha2::{Digest, Sha256};

const PASSWORD: &str = "secure_password_here";

/// An empty stage and the endpoint, with self-signup on.
struct Api {
    stage: Stage,
    function: create_account::Function<Table, Ports>,
}

impl Api {
    async fn new() -> Self {
        let stage = Stage::new().await;
        let function = stage.create_account();
        stage.operations.take();
        Self { stage, function }
    }

    async fn without_self_signup() -> Self {
        let mut api = Self::new().await;
        api.function.self_signup = false;
        api
    }

    /// Sends a call as it is. What every answer of this API has is checked here.
    async fn send(&self, call: &Call) -> Reply {
        let reply = call.send(&self.function).await;
        assert_eq!(reply.header("x-request-id"), "request-1");
        assert_eq!(reply.header("content-type"), "application/json");
        assert_eq!(!reply.header("location").is_empty(), reply.status == 201);
        let later = matches!(reply.status, 429 | 503);
        assert_eq!(!reply.header("retry-after").is_empty(), later, "{reply:?}");
        reply
    }

    async fn post(&self, body: &Value) -> Reply {
        self.send(&Call::json(body)).await
    }

    /// How many accounts and e-mail locks were made, and how many answers are kept.
    async fn made(&self) -> (usize, usize) {
        let accounts = self.stage.items_under("ACCOUNT#").await.len();
        assert_eq!(accounts, self.stage.items_under("EMAIL#").await.len());
        (accounts, self.stage.items_under("IDEMPOTENCY#").await.len())
    }

    /// The password hash of the only account.
    async fn password_hash(&self) -> String {
        let accounts = self.stage.items_under("ACCOUNT#").await;
        assert_eq!(accounts.len(), 1);
        text_of(&accounts[0], "password_hash").expect("a hash").to_owned()
    }
}

/// Field, rule and message of faults.
type Faults = Vec<(&'static str, &'static str, String)>;

/// A body that is accepted, with `fields` over it.
fn body(fields: &Value) -> Value {
    let mut body = json!({
        "email": "owner@example.com",
        "name": "Acme Inc.",
        "type": "business",
        "password": PASSWORD
    });
    for (name, value) in fields.as_object().expect("fields") {
        body[name] = value.clone();
    }
    body
}

/// The same without some fields.
fn without(names: &[&str]) -> Value {
    let mut body = body(&json!({}));
    for name in names {
        body.as_object_mut().expect("an object").remove(*name);
    }
    body
}

/// The whole answer to a creation, its `id` taken from the reply and checked, with `fields`
/// over it.
fn created(reply: &Reply, fields: &Value) -> Value {
    let json = reply.json();
    let id = json["id"].as_str().expect("an id");
    assert!(id.len() > 5 && id.starts_with("acct_"), "{id}");
    assert_eq!(reply.header("location"), format!("/v1/accounts/{id}"));
    let mut expected = json!({
        "id": id,
        "email": "owner@example.com",
        "name": "Acme Inc.",
        "type": "business",
        "status": "active",
        "created_at": "2026-02-03T18:12:47Z",
        "updated_at": "2026-02-03T18:12:47Z",
        "settings": {"currency": "USD", "timezone": "UTC", "language": "en"}
    });
    for (name, value) in fields.as_object().expect("fields") {
        expected[name] = value.clone();
    }
    expected
}

/// A `400`: field, rule and message of every fault.
fn invalid(faults: &[(&str, &str, &str)]) -> Value {
    let details: Vec<_> = faults
        .iter()
        .map(|(field, rule, message)| json!({"field": field, "rule": rule, "message": message}))
        .collect();
    let message = match faults {
        [(_, _, message)] => (*message).to_owned(),
        _ => format!("The request has {} faults; see details.", faults.len()),
    };
    json!({"error": "invalid_request", "message": message, "details": details})
}

fn unauthorized() -> Value {
    json!({"error": "unauthorized", "message": "A valid access token is required."})
}

fn email_exists() -> Value {
    json!({"error": "email_exists", "message": "An account with this email already exists."})
}

fn key_reused() -> Value {
    json!({
        "error": "idempotency_key_reused",
        "message": "This Idempotency-Key was used with another request body; nothing was done."
    })
}

/// Checks rows of fields and faults: each is refused alone, and nothing is made.
async fn assert_refused(rows: Vec<(Value, Faults)>) {
    let api = Api::new().await;
    let mut wrong = Vec::new();
    for (fields, faults) in rows {
        let faults: Vec<_> = faults.iter().map(|(f, r, m)| (*f, *r, m.as_str())).collect();
        let (reply, expected) = (api.post(&body(&fields)).await, invalid(&faults));
        if (reply.status, reply.json()) != (400, expected.clone()) {
            wrong.push((fields.to_string(), expected, reply.status, reply.text));
        }
    }
    assert!(wrong.is_empty(), "{wrong:#?}");
    assert_eq!(api.made().await, (0, 0));
}

/// Checks rows of fields and what is different in the answer, each on an empty table.
async fn assert_accepted(rows: Vec<(Value, Value)>) {
    for (fields, expected) in rows {
        let api = Api::new().await;
        let reply = api.post(&body(&fields)).await;
        assert_eq!(reply.status, 201, "{fields} {}", reply.text);
        assert_eq!(reply.json(), created(&reply, &expected), "{fields}");
        assert_eq!(api.made().await, (1, 0));
    }
}

#[tokio::test]
async fn the_published_request_gets_the_published_answer() {
    let api = Api::new().await;
    let body = r#"{
  "email": "owner@example.com",
  "name": "Acme Inc.",
  "type": "business",
  "password": "secure_password_here",
  "settings": {
    "currency": "USD",
    "timezone": "America/New_York",
    "language": "en"
  }
}"#;
    let reply = api.send(&Call::text(body)).await;
    assert_eq!(reply.status, 201);
    assert!(!reply.is_replay());
    let id = reply.json()["id"].clone();
    // Byte for byte, the keys in the published order.
    let expected = format!(
        concat!(
            r#"{{"id":{},"email":"owner@example.com","name":"Acme Inc.","type":"business","#,
            r#""status":"active","created_at":"2026-02-03T18:12:47Z","#,
            r#""updated_at":"2026-02-03T18:12:47Z","settings":{{"currency":"USD","#,
            r#""timezone":"America/New_York","language":"en"}}}}"#
        ),
        id
    );
    assert_eq!(reply.text, expected);
    assert_eq!(reply.header("location"), format!("/v1/accounts/{}", id.as_str().expect("an id")));
    assert_eq!(api.made().await, (1, 0));

    let kept = api.stage.items_under("ACCOUNT#").await;
    for (attribute, value) in [
        ("id", id.as_str().expect("an id")),
        ("email", "owner@example.com"),
        ("email_ascii", "owner@example.com"),
        ("name", "Acme Inc."),
        ("type", "business"),
        ("status", "active"),
        ("currency", "USD"),
        ("timezone", "America/New_York"),
        ("language", "en"),
        ("created_at", "2026-02-03T18:12:47.000000Z"),
        ("updated_at", "2026-02-03T18:12:47.000000Z"),
    ] {
        assert_eq!(text_of(&kept[0], attribute), Some(value), "{attribute}");
    }
}

#[tokio::test]
async fn times_have_whole_seconds() {
    let api = Api::new().await;
    api.stage.ports.advance(SignedDuration::from_millis(999));
    let reply = api.post(&body(&json!({}))).await;
    assert_eq!(reply.json(), created(&reply, &json!({})));
}

#[tokio::test]
async fn settings_have_defaults_one_by_one_and_canonical_forms() {
    let settings = |currency: &str, timezone: &str, language: &str| json!({"settings": {"currency": currency, "timezone": timezone, "language": language}});
    let defaults = settings("USD", "UTC", "en");
    let mut rows = vec![
        (json!({}), defaults.clone()),
        (json!({"settings": null}), defaults.clone()),
        (json!({"settings": {}}), defaults.clone()),
        (json!({"settings": {"currency": null, "timezone": null, "language": null}}), defaults),
    ];
    for (sent, kept) in [
        ("EUR", "EUR"),
        ("JPY", "JPY"),
        (" CHF ", "CHF"),
        ("KWD", "KWD"),
        ("XOF", "XOF"),
        ("XCG", "XCG"),
        ("ZWG", "ZWG"),
        ("SLE", "SLE"),
    ] {
        rows.push((json!({"settings": {"currency": sent}}), settings(kept, "UTC", "en")));
    }
    for (sent, kept) in [
        ("America/New_York", "America/New_York"),
        ("america/new_york", "America/New_York"),
        (" Europe/Kyiv ", "Europe/Kyiv"),
        ("America/Argentina/Buenos_Aires", "America/Argentina/Buenos_Aires"),
        ("Asia/Calcutta", "Asia/Calcutta"),
        ("us/eastern", "US/Eastern"),
        ("Europe/Kiev", "Europe/Kiev"),
        ("Etc/GMT+5", "Etc/GMT+5"),
        ("utc", "UTC"),
    ] {
        rows.push((json!({"settings": {"timezone": sent}}), settings("USD", kept, "en")));
    }
    for (sent, kept) in [
        ("de", "de"),
        ("PT-br", "pt-BR"),
        ("zh-hant-tw", "zh-Hant-TW"),
        (" en-us ", "en-US"),
        ("es-419", "es-419"),
        ("sl-rozaj-biske", "sl-rozaj-biske"),
        ("de-CH-1996", "de-CH-1996"),
        ("iw", "he"),
        ("zh-min-nan", "nan"),
        ("en-GB-oed", "en-GB-oxendict"),
        ("i-klingon", "tlh"),
    ] {
        rows.push((json!({"settings": {"language": sent}}), settings("USD", "UTC", kept)));
    }
    assert_accepted(rows).await;
}

#[tokio::test]
async fn settings_that_name_nothing_are_refused() {
    let mut rows = Vec::new();
    for bad in [
        "",
        "usd",
        "Usd",
        "US",
        "USDX",
        "840",
        "ABC",
        "XTS",
        "XXX",
        "USN",
        "$",
        "U\u{200B}SD",
        "ＵＳＤ",
        "EUR\0",
    ] {
        let message = "settings.currency must be the ISO 4217 code of a currency in use such as USD, in upper case.";
        rows.push((
            json!({"settings": {"currency": bad}}),
            vec![("settings.currency", "iso_4217_currency", message.to_owned())],
        ));
    }
    for (withdrawn, cure) in [
        ("HRK", "; use EUR"),
        ("BGN", "; use EUR"),
        ("ANG", "; use XCG"),
        ("CUC", "; use CUP"),
        ("SLL", "; use SLE"),
        ("CSK", "; use CZK or EUR"),
        ("XFO", " without a successor"),
    ] {
        let message =
            format!("settings.currency is {withdrawn}, which ISO 4217 has withdrawn{cure}.");
        rows.push((
            json!({"settings": {"currency": withdrawn}}),
            vec![("settings.currency", "iso_4217_currency", message)],
        ));
    }
    for bad in [
        "",
        "Mars/Olympus",
        "+02:00",
        "GMT+25",
        "../etc/passwd",
        "America/New York",
        "New_York",
        "America/",
        "Factory",
        "posixrules",
        "localtime",
        "UTC\0",
    ] {
        let message = "settings.timezone must be an IANA time zone such as America/New_York.";
        rows.push((
            json!({"settings": {"timezone": bad}}),
            vec![("settings.timezone", "iana_timezone", message.to_owned())],
        ));
    }
    for bad in [
        "",
        "e",
        "en_US",
        "en--US",
        "-en",
        "en-",
        "12",
        "e n",
        "en-US-",
        "en\0",
        "ён",
        "x-private",
        "i-default",
        "english",
        "xx",
        "en-ZY",
        &"en-a".repeat(40),
    ] {
        let message = "settings.language must be a BCP 47 language tag such as en or pt-BR.";
        rows.push((
            json!({"settings": {"language": bad}}),
            vec![("settings.language", "bcp_47_language", message.to_owned())],
        ));
    }
    assert_refused(rows).await;
}

#[tokio::test]
async fn accepted_fields_come_back_normalised() {
    let name_255 = "é".repeat(255);
    let letter = |count| "a".repeat(count);
    let longest = format!("{}@{}.{}.{}.com", letter(64), letter(61), letter(61), letter(60));
    assert_eq!(longest.len(), 254 - 1);
    let longest = longest.replace(".com", ".info");
    assert_eq!(longest.len(), 254);
    let rows = vec![
        (json!({"type": "individual"}), json!({"type": "individual"})),
        (json!({"type": " business\n"}), json!({"type": "business"})),
        (json!({"name": "  A \u{3000}"}), json!({"name": "A"})),
        (json!({"name": "Cafe\u{301}"}), json!({"name": "Café"})),
        (json!({"name": "e\u{301}".repeat(255)}), json!({"name": name_255})),
        (
            json!({"name": "می\u{200C}خواهم 👩\u{200D}🚀"}),
            json!({"name": "می\u{200C}خواهم 👩\u{200D}🚀"}),
        ),
        (json!({"name": "<b>\"&'"}), json!({"name": "<b>\"&'"})),
        (json!({"email": "  Owner@Example.COM\n"}), json!({"email": "Owner@Example.COM"})),
        (json!({"email": "a.b+tag@example.com"}), json!({"email": "a.b+tag@example.com"})),
        (
            json!({"email": "!#$%&'*+-/=?^_`{|}~@example.com"}),
            json!({"email": "!#$%&'*+-/=?^_`{|}~@example.com"}),
        ),
        (json!({"email": "x@BÜCHER.example"}), json!({"email": "x@BÜCHER.example"})),
        (json!({"email": "x@bu\u{308}cher.example"}), json!({"email": "x@bücher.example"})),
        (json!({"email": "x@пример.рф"}), json!({"email": "x@пример.рф"})),
        (json!({"email": longest}), json!({"email": longest})),
    ];
    assert_accepted(rows).await;
}

#[tokio::test]
async fn an_internationalized_domain_is_stored_as_a_labels() {
    let api = Api::new().await;
    api.post(&body(&json!({"email": "X@BÜCHER.example"}))).await;
    let accounts = api.stage.items_under("ACCOUNT#").await;
    assert_eq!(text_of(&accounts[0], "email"), Some("X@BÜCHER.example"));
    assert_eq!(text_of(&accounts[0], "email_ascii"), Some("X@xn--bcher-kva.example"));
    let locks = api.stage.items_under("EMAIL#").await;
    assert_eq!(text_of(&locks[0], "pk"), Some("EMAIL#x@xn--bcher-kva.example"));
}

#[tokio::test]
async fn the_email_is_unique_whatever_its_case() {
    let api = Api::new().await;
    let post = async |email: &str| api.post(&body(&json!({"email": email}))).await;
    // Each has its own account.
    let different = [
        "owner@example.com",
        "owner+tag@example.com",
        "own.er@example.com",
        "owner@mail.example.com",
        "x@bücher.example",
        "x@bucher.example",
        // A Cyrillic letter that looks like a Latin one.
        "owner@ex\u{430}mple.com",
    ];
    for email in different {
        assert_eq!(post(email).await.status, 201, "{email}");
    }
    for email in [
        "owner@example.com",
        " owner@example.com ",
        "OWNER@example.com",
        "owner@EXAMPLE.COM",
        "Owner+Tag@Example.com",
        "x@BÜCHER.example",
        "x@bu\u{308}cher.example",
        "X@xn--bcher-kva.example",
        "x@XN--BCHER-KVA.example",
        // Full-width letters, which IDNA maps.
        "owner@ｅｘａｍｐｌｅ.com",
        "owner@example。com",
    ] {
        let reply = post(email).await;
        assert_eq!((reply.status, reply.json()), (409, email_exists()), "{email}");
    }
    assert_eq!(api.made().await, (different.len(), 0));
}

#[tokio::test]
async fn an_attempt_that_is_still_at_work_is_nobody_elses() {
    let api = Api::new().await;
    // As many as the SDK tries.
    api.stage.wire.strike(vec![Fault::InProgress; 3]);
    let reply = api.post(&body(&json!({}))).await;
    assert_eq!(reply.status, 503, "its own address is not taken: {}", reply.text);
    assert_eq!(api.made().await, (1, 0));
}

#[tokio::test]
async fn what_is_no_address_is_refused() {
    let letter = |count| "a".repeat(count);
    let mut rows = Vec::new();
    for bad in [
        "",
        "  ",
        "plain",
        "@",
        "@example.com",
        "owner@",
        "a@b@example.com",
        "owner@localhost",
        "owner@example.com.",
        "owner@.example.com",
        "owner@example..com",
        "owner@-example.com",
        "owner@example-.com",
        "owner@exam_ple.com",
        "owner@exa mple.com",
        "owner@example.com:25",
        // Addresses of machines.
        "owner@127.0.0.1",
        "owner@[127.0.0.1]",
        "owner@[IPv6:::1]",
        "owner@2130706433",
        "owner@0x7f.1",
        "owner@①②⑦.0.0.1",
        // Local parts that are no dot-atom.
        "a..b@example.com",
        ".a@example.com",
        "a.@example.com",
        "a b@example.com",
        "\"a b\"@example.com",
        "\"a\"@example.com",
        "a(comment)@example.com",
        "a\\@b@example.com",
        // More than an address.
        "Owner <owner@example.com>",
        "<owner@example.com>",
        "mailto:owner@example.com",
        "a@example.com,b@example.com",
        "a@example.com;b@example.com",
        "a@example.com b@example.com",
        "owner@example.com\r\nBcc: x@example.com",
        "owner@example.com\0",
        "ow\0ner@example.com",
        "owner@exam\0ple.com",
        "owner@exam\tple.com",
        // Letters that look like others.
        "\u{43E}wner@example.com",
        "ünder@example.com",
        "ｏwner@example.com",
        "owner＠example.com",
        // What is not seen.
        "owner\u{200B}@example.com",
        "owner@exam\u{200B}ple.com",
        "owner@exam\u{2060}ple.com",
        "owner@exam\u{FEFF}ple.com",
        "owner@exam\u{202E}ple.com",
        "owner@exam\u{2066}ple.com",
        "owner@example\u{E0041}.com",
        "\u{FEFF}owner@example.com",
    ] {
        // NUL and line breaks at the end are white space to some: not to this API.
        rows.push((
            json!({"email": bad}),
            vec![(
                "email",
                "email",
                "email must be one e-mail address such as owner@example.com.".to_owned(),
            )],
        ));
    }
    let local_65 = format!("{}@example.com", letter(65));
    rows.push((
        json!({"email": local_65}),
        vec![(
            "email",
            "email",
            "email must be one e-mail address such as owner@example.com.".to_owned(),
        )],
    ));
    let ascii_255 = format!("{}@{}.{}.{}.infos", letter(64), letter(61), letter(61), letter(60));
    assert_eq!(ascii_255.len(), 255);
    // 250 characters as typed, more as A-labels.
    let label = format!("{}ü", letter(55));
    let a_labels = format!("{}@{label}.{label}.{label}.com", letter(64));
    assert!(a_labels.chars().count() < 254);
    for long in [ascii_255, a_labels, letter(100_000)] {
        rows.push((
            json!({"email": long}),
            vec![("email", "max_length", "email must have at most 254 characters.".to_owned())],
        ));
    }
    assert_refused(rows).await;
}

#[tokio::test]
async fn names_types_and_unknown_fields() {
    let mut rows = Vec::new();
    for blank in ["", " \t\u{a0}", "\u{3164}\u{FFA0}", "\u{2800} \u{2800}", "\u{200D}"] {
        rows.push((
            json!({"name": blank}),
            vec![("name", "min_length", "name must have at least 1 character(s).".to_owned())],
        ));
    }
    for long in ["x".repeat(256), "é".repeat(256)] {
        rows.push((
            json!({"name": long}),
            vec![("name", "max_length", "name must have at most 255 characters.".to_owned())],
        ));
    }
    for character in [
        '\0',
        '\n',
        '\t',
        '\r',
        '\u{1b}',
        '\u{7f}',
        '\u{85}',
        '\u{200B}',
        '\u{2060}',
        '\u{FEFF}',
        '\u{202A}',
        '\u{202E}',
        '\u{2066}',
        '\u{2069}',
        '\u{2028}',
        '\u{2029}',
        '\u{FDD0}',
        '\u{FFFF}',
        '\u{1FFFE}',
        '\u{E0001}',
        '\u{E007F}',
    ] {
        let code = u32::from(character);
        rows.push((
            json!({"name": format!("Ac{character}me")}),
            vec![(
                "name",
                "forbidden_character",
                format!("name must not contain the character U+{code:04X}."),
            )],
        ));
    }
    for bad in ["", "Business", "INDIVIDUAL", "company", "individual,business", "business\0"] {
        rows.push((
            json!({"type": bad}),
            vec![("type", "one_of", "type must be one of: individual, business.".to_owned())],
        ));
    }
    for field in [
        "id",
        "status",
        "org",
        "role",
        "is_parent_account",
        "created_at",
        "updated_at",
        "password_hash",
        "Email",
        "kind",
        "",
    ] {
        for value in [json!("x"), json!(1), Value::Null] {
            rows.push((
                json!({field: value}),
                vec![(field, "unknown_field", format!("{field} is not a field of this request."))],
            ));
        }
    }
    for (field, name) in
        [("Currency", "settings.Currency"), ("theme", "settings.theme"), ("id", "settings.id")]
    {
        rows.push((
            json!({"settings": {field: null}}),
            vec![(name, "unknown_field", format!("{name} is not a field of this request."))],
        ));
    }
    assert_refused(rows).await;
}

#[tokio::test]
async fn missing_fields_and_fields_of_another_type() {
    let api = Api::new().await;
    let required = [
        ("email", "required", "email is required."),
        ("name", "required", "name is required."),
        ("type", "required", "type is required."),
        ("password", "required", "password is required."),
    ];
    let reply = api.post(&json!({})).await;
    assert_eq!((reply.status, reply.json()), (400, invalid(&required)));
    for fault in required {
        for body in [without(&[fault.0]), body(&json!({fault.0: null}))] {
            let reply = api.post(&body).await;
            assert_eq!((reply.status, reply.json()), (400, invalid(&[fault])), "{body}");
        }
    }
    let mut rows = Vec::new();
    for wrong in [json!(1), json!(1.5), json!(true), json!(["x"]), json!({"x": "y"})] {
        for field in ["email", "name", "type", "password"] {
            rows.push((
                json!({field: wrong}),
                vec![(field, "type", format!("{field} must be a string."))],
            ));
        }
        for (field, name) in [
            ("currency", "settings.currency"),
            ("timezone", "settings.timezone"),
            ("language", "settings.language"),
        ] {
            rows.push((
                json!({"settings": {field: wrong}}),
                vec![(name, "type", format!("{name} must be a string."))],
            ));
        }
    }
    for wrong in
        [json!(1), json!(true), json!("x"), json!(""), json!([]), json!([{"currency": "USD"}])]
    {
        rows.push((
            json!({"settings": wrong}),
            vec![("settings", "type", "settings must be an object.".to_owned())],
        ));
    }
    assert_refused(rows).await;
}

#[tokio::test]
async fn all_faults_come_back_at_once() {
    let api = Api::new().await;
    let reply = api
        .post(&json!({
            "email": "nobody",
            "type": "robot",
            "password": "Password",
            "settings": {"currency": "usd", "timezone": "Mars", "language": "?", "theme": 1},
            "id": "acct_1",
            "status": "closed"
        }))
        .await;
    let expected = invalid(&[
        ("email", "email", "email must be one e-mail address such as owner@example.com."),
        ("name", "required", "name is required."),
        ("type", "one_of", "type must be one of: individual, business."),
        ("password", "min_length", "password must have at least 15 character(s)."),
        ("password", "common_password", "password is one of the most commonly used ones."),
        (
            "settings.currency",
            "iso_4217_currency",
            "settings.currency must be the ISO 4217 code of a currency in use such as USD, in upper case.",
        ),
        (
            "settings.timezone",
            "iana_timezone",
            "settings.timezone must be an IANA time zone such as America/New_York.",
        ),
        (
            "settings.language",
            "bcp_47_language",
            "settings.language must be a BCP 47 language tag such as en or pt-BR.",
        ),
        ("settings.theme", "unknown_field", "settings.theme is not a field of this request."),
        ("id", "unknown_field", "id is not a field of this request."),
        ("status", "unknown_field", "status is not a field of this request."),
    ]);
    assert_eq!((reply.status, reply.json()), (400, expected));
}

#[tokio::test]
async fn a_taken_email_is_not_told_to_a_request_with_other_faults() {
    let api = Api::new().await;
    api.post(&body(&json!({}))).await;
    let reply = api.post(&body(&json!({"name": ""}))).await;
    let fault = ("name", "min_length", "name must have at least 1 character(s).");
    assert_eq!((reply.status, reply.json()), (400, invalid(&[fault])));
}

#[tokio::test]
async fn passwords_that_are_accepted() {
    let count_15 = "fifteen letters";
    assert_eq!(count_15.chars().count(), 15);
    let rows = [
        (json!({}), count_15.to_owned()),
        (json!({}), "x7".repeat(64)),
        // Scalar values count, after composing, not bytes.
        (json!({}), "🔑".repeat(128)),
        (json!({}), "e\u{301}".repeat(128)),
        (json!({}), "пароль подлиннее".to_owned()),
        // Nothing is trimmed, nothing is forbidden, no kinds of characters are asked for.
        (json!({}), " ".repeat(15)),
        (json!({}), "  leading, trailing  ".to_owned()),
        (json!({}), "nul\0newline\nescape\u{1b}bidi\u{202e}".to_owned()),
        (json!({}), "aaaaaaaaaaaaaaab".to_owned()),
        // Parts of three characters may appear.
        (json!({"email": "bob@example.com"}), "bob bob bob bob bob".to_owned()),
        (json!({"name": "Bob"}), "bob bob bob bob bob".to_owned()),
        (json!({"name": "日本語"}), "日本語の長いパスワードです。ほんとう".to_owned()),
        // Neither the domain nor a part of the name counts.
        (json!({"name": "Acme Inc."}), "example.com and acme too".to_owned()),
    ];
    let rows = rows.into_iter().map(|(mut fields, password)| {
        fields["password"] = json!(password);
        let mut expected = fields.clone();
        expected.as_object_mut().expect("fields").remove("password");
        (fields, expected)
    });
    assert_accepted(rows.collect()).await;
}

#[tokio::test]
async fn passwords_that_are_refused() {
    let short =
        ("password", "min_length", "password must have at least 15 character(s).".to_owned());
    let long = ("password", "max_length", "password must have at most 128 characters.".to_owned());
    let common = (
        "password",
        "common_password",
        "password is one of the most commonly used ones.".to_owned(),
    );
    let email = (
        "password",
        "contains_email",
        "password must not contain the part of the email before the @.".to_owned(),
    );
    let name = ("password", "contains_name", "password must not contain the name.".to_owned());
    let rows = vec![
        (json!({"password": ""}), vec![short.clone()]),
        (json!({"password": "fourteen chars"}), vec![short.clone()]),
        (json!({"password": "é".repeat(14)}), vec![short.clone()]),
        // Fifteen scalar values before they are composed.
        (json!({"password": "fourteen_cafe\u{301}\u{327}"}), vec![short.clone()]),
        (json!({"password": "x7".repeat(64) + "x"}), vec![long.clone()]),
        (json!({"password": "🔑".repeat(129)}), vec![long.clone()]),
        (json!({"password": "x7".repeat(50_000)}), vec![long]),
        (json!({"password": "passwordpassword"}), vec![common.clone()]),
        (json!({"password": "PasswordPASSWORD"}), vec![common.clone()]),
        (json!({"password": "123456789012345"}), vec![common.clone()]),
        (json!({"password": "qwertyuiopasdfghjkl"}), vec![common.clone()]),
        (json!({"password": "sunshine"}), vec![short.clone(), common.clone()]),
        (json!({"password": "the owner of it all"}), vec![email.clone()]),
        (json!({"password": "THE OWNER OF IT ALL"}), vec![email.clone()]),
        (
            json!({"email": " OWNER@example.com ", "password": "theownerofitall"}),
            vec![email.clone()],
        ),
        (
            json!({"email": "four@example.com", "password": "twenty-four hours"}),
            vec![email.clone()],
        ),
        (json!({"password": "welcome to acme inc. again"}), vec![name.clone()]),
        (json!({"password": "WELCOME TO ACME INC. AGAIN"}), vec![name.clone()]),
        (json!({"name": " Café ", "password": "mon cafe\u{301} du matin"}), vec![name.clone()]),
        (json!({"name": "ÉCLAIR", "password": "mes éclairs du matin"}), vec![name.clone()]),
        // Without case means in every script: a sigma has two small forms, a sharp s none.
        (json!({"name": "ΟΔΥΣΣΕΥΣ", "password": "οδυσσευσ ο πολυμηχανος"}), vec![name.clone()]),
        (json!({"name": "Straße", "password": "AUF DER STRASSE NACH"}), vec![name.clone()]),
        (
            json!({"name": "Owner", "password": "owner, owner, owner"}),
            vec![email.clone(), name.clone()],
        ),
        (json!({"password": "owner"}), vec![short, email]),
    ];
    assert_refused(rows).await;
}

#[tokio::test]
async fn the_minimum_can_be_lowered_to_eight() {
    assert_eq!(PasswordPolicy::new(7).map(|_| ()), None);
    let mut api = Api::new().await;
    api.function.password_policy = PasswordPolicy::new(8).expect("allowed");
    let reply = api.post(&body(&json!({"password": "7 chars"}))).await;
    let fault = ("password", "min_length", "password must have at least 8 character(s).");
    assert_eq!((reply.status, reply.json()), (400, invalid(&[fault])));
    let reply = api.post(&body(&json!({"password": "sunshine"}))).await;
    let fault = ("password", "common_password", "password is one of the most commonly used ones.");
    assert_eq!((reply.status, reply.json()), (400, invalid(&[fault])));
    assert_eq!(api.post(&body(&json!({"password": "8 chars!"}))).await.status, 201);
}

#[tokio::test]
async fn the_password_is_kept_as_argon2id_and_nowhere_else() {
    let api = Api::new().await;
    let body = body(&json!({}));
    let reply = api.send(&Call::json(&body).key("k")).await;
    let refused = api.send(&Call::json(&body)).await;
    assert_eq!((reply.status, refused.status), (201, 409));

    let hash = api.password_hash().await;
    let parts: Vec<_> = hash.split('$').collect();
    let ["", "argon2id", "v=19", "m=19456,t=2,p=1", salt, output] = parts[..] else {
        panic!("{hash}");
    };
    // Sixteen and thirty-two bytes in base64.
    assert_eq!((salt.len(), output.len()), (22, 43));

    let table = format!("{:?}", api.stage.items().await);
    assert_eq!(table.matches(output).count(), 1, "the hash is on the account alone");
    let hex = |text: &str| -> String {
        Sha256::digest(text).iter().map(|byte| format!("{byte:02x}")).collect()
    };
    // The record holds the answer and a keyed hash: neither the password, nor anything that a
    // guess could be checked against without the secret of the stack.
    for secret in [PASSWORD, &hex(PASSWORD), &hex(&body.to_string())] {
        assert!(!table.contains(secret), "{secret}");
        assert!(!reply.text.contains(secret) && !refused.text.contains(secret));
    }
    assert!(!reply.text.contains("argon2") && !reply.text.contains("password"));
}

#[tokio::test]
async fn the_hash_is_of_the_composed_password_with_every_character() {
    // The random source repeats itself from stage to stage, so equal passwords hash alike.
    let hash = async |password: &str| {
        let api = Api::new().await;
        let reply = api.post(&body(&json!({"password": password}))).await;
        assert_eq!(reply.status, 201, "{}", reply.text);
        api.password_hash().await
    };
    let composed = hash("caf\u{e9} au lait, bien chaud").await;
    assert_eq!(composed, hash("cafe\u{301} au lait, bien chaud").await);
    for other in [
        "cafe au lait, bien chaud",
        "Caf\u{e9} au lait, bien chaud",
        " caf\u{e9} au lait, bien chaud",
        "caf\u{e9} au lait, bien chaud ",
        "caf\u{e9} au lait, bien chaud\0",
    ] {
        assert_ne!(composed, hash(other).await, "{other:?}");
    }
}

#[tokio::test]
async fn two_accounts_with_one_password_have_two_hashes() {
    let api = Api::new().await;
    for email in ["one@example.com", "two@example.com"] {
        assert_eq!(api.post(&body(&json!({"email": email}))).await.status, 201);
    }
    let accounts = api.stage.items_under("ACCOUNT#").await;
    let hashes: BTreeSet<_> =
        accounts.iter().map(|item| text_of(item, "password_hash").expect("a hash")).collect();
    assert_eq!(hashes.len(), 2);
}

/// Ports that note how many random bytes were asked for, and give none after some time.
#[derive(Clone)]
struct Noted {
    ports: Ports,
    draws: Arc<Mutex<Vec<usize>>>,
    most: usize,
}

impl Clock for Noted {
    fn now(&self) -> Timestamp {
        self.ports.now()
    }
}

impl Entropy for Noted {
    fn fill(&self, bytes: &mut [u8]) -> Result<(), NoEntropy> {
        let mut draws = self.draws.lock().expect("not poisoned");
        if draws.len() == self.most {
            return Err(NoEntropy);
        }
        draws.push(bytes.len());
        self.ports.fill(bytes)
    }
}

/// Sends a body to the endpoint with noted ports.
async fn send_noted(stage: &Stage, call: &Call, most: usize) -> (u64, Vec<usize>) {
    let draws = Arc::default();
    let noted = Noted { ports: stage.ports.clone(), draws: Arc::clone(&draws), most };
    let usual = stage.create_account();
    let function = create_account::Function {
        store: usual.store,
        hashing: create_account::OwnThread,
        ports: noted,
        password_policy: usual.password_policy,
        self_signup: usual.self_signup,
        fingerprint_key: usual.fingerprint_key,
    };
    let reply = call.send(&function).await;
    let draws = draws.lock().expect("not poisoned").clone();
    (reply.status, draws)
}

#[tokio::test]
async fn the_hash_is_computed_whether_or_not_the_email_exists() {
    let stage = Stage::new().await;
    let call = Call::json(&body(&json!({})));
    let (first, fresh) = send_noted(&stage, &call, usize::MAX).await;
    stage.operations.take();
    let (second, taken) = send_noted(&stage, &call, usize::MAX).await;
    assert_eq!((first, second), (201, 409));
    // An id and a salt, each time, and one call to the table, after the salt was drawn.
    assert_eq!(fresh, [16, 16]);
    assert_eq!(taken, fresh);
    assert_eq!(stage.operations.take(), ["TransactWriteItems"]);
    for email in ["owner@example.com", "new@example.com"] {
        let call = Call::json(&body(&json!({"email": email})));
        assert_eq!(send_noted(&stage, &call, 1).await, (503, vec![16]), "{email}");
    }
    assert_eq!(stage.operations.take(), [""; 0], "no salt, no transaction");
}

#[tokio::test]
async fn anyone_signs_up_unless_that_is_turned_off() {
    let open = Api::new().await;
    assert_eq!(open.post(&body(&json!({}))).await.status, 201);
    let closed = Api::without_self_signup().await;
    for call in [
        Call::json(&body(&json!({}))),
        Call::json(&body(&json!({}))).key("k"),
        Call::json(&json!({})),
        Call::text("{"),
    ] {
        let reply = closed.send(&call).await;
        assert_eq!((reply.status, reply.json()), (401, unauthorized()));
    }
    assert_eq!(closed.made().await, (0, 0));
}

#[tokio::test]
async fn an_administrator_creates_accounts_whether_or_not_anyone_may() {
    for api in [Api::new().await, Api::without_self_signup().await] {
        let token = api.stage.administrator().await;
        let reply = api.send(&Call::json(&body(&json!({}))).bearer(&token)).await;
        assert_eq!((reply.status, reply.json()), (201, created(&reply, &json!({}))));
        let reply = api.send(&Call::json(&body(&json!({}))).bearer(&token)).await;
        assert_eq!((reply.status, reply.json()), (409, email_exists()));
        let scheme = format!("bEARER {token}");
        let call = Call::json(&body(&json!({"email": "two@example.com"})));
        assert_eq!(api.send(&call.header("authorization", &scheme)).await.status, 201);
        assert_eq!(api.made().await, (2, 0));
    }
}

#[tokio::test]
async fn an_administrator_without_the_permission_is_refused() {
    for api in [Api::new().await, Api::without_self_signup().await] {
        for permissions in [&[][..], &[Permission::AgencyCreateAccounts]] {
            let token = api.stage.credential(Holder::Administrator, permissions).await;
            for body in [body(&json!({})), json!({})] {
                let reply = api.send(&Call::json(&body).bearer(&token)).await;
                let expected = json!({
                    "error": "unauthorized",
                    "message": "This access token lacks the permission accounts:create."
                });
                assert_eq!((reply.status, reply.json()), (403, expected));
            }
        }
        assert_eq!(api.made().await, (0, 0));
    }
}

#[tokio::test]
async fn a_credential_that_is_present_and_bad_is_never_ignored() {
    for api in [Api::new().await, Api::without_self_signup().await] {
        let permission = Permission::AccountsCreate;
        let mut rows = bad_credentials(&api.stage, &Holder::Administrator, permission).await;
        let (_, api_key) = api.stage.seats_tenant().await;
        let tenant = api.stage.agency_tenant().await;
        let app = Holder::App {
            app: AppLcuid::parse(&tenant.app).expect("an app"),
            agency: AgencyLcuid::parse(&tenant.lcuid).expect("an agency"),
        };
        let app_token = api.stage.credential(app, &[permission]).await;
        for (what, token) in [
            ("an API key of the Seats API", &api_key),
            ("a token of the Agency API", &tenant.token),
            ("a token of the Agency API with the permission", &app_token),
        ] {
            rows.push((what, format!("Bearer {token}")));
        }
        for (what, authorization) in rows {
            // Whatever else is wrong with the request.
            for call in [
                Call::json(&body(&json!({}))),
                Call::json(&body(&json!({}))).key("k"),
                Call::json(&json!({})),
                Call::text("{"),
            ] {
                let reply = api.send(&call.header("authorization", &authorization)).await;
                assert_eq!((reply.status, reply.json()), (401, unauthorized()), "{what}");
            }
        }
        assert_eq!(api.stage.items_under("EMAIL#").await.len(), 0);
        assert_eq!(api.stage.items_under("IDEMPOTENCY#").await.len(), 0);
    }
}

#[tokio::test]
async fn what_cannot_be_read_is_told_in_this_apis_envelope() {
    let api = Api::new().await;
    let codes = BTreeMap::from([
        (400, "invalid_request"),
        (413, "payload_too_large"),
        (415, "unsupported_media_type"),
    ]);
    let mut wrong = Vec::new();
    for case in transport::unreadable(&body(&json!({})), 256) {
        let reply = api.send(&case.call).await;
        let expected = json!({"error": codes[&case.status], "message": case.message});
        if (reply.status, reply.json()) != (case.status, expected.clone()) {
            wrong.push((case.what, expected, reply.status, reply.text));
        }
    }
    assert!(wrong.is_empty(), "{wrong:#?}");
    assert_eq!(api.made().await, (0, 0));
}

#[tokio::test]
async fn unusual_spellings_of_a_good_request_are_read() {
    for (what, call) in transport::readable(&body(&json!({})), 256) {
        let api = Api::new().await;
        let reply = api.send(&call).await;
        assert_eq!(reply.status, 201, "{what}: {}", reply.text);
        assert_eq!(reply.json(), created(&reply, &json!({})), "{what}");
    }
}

#[tokio::test]
async fn thirty_two_levels_are_read() {
    let api = Api::new().await;
    let lists = format!("{}{}", "[".repeat(31), "]".repeat(31));
    let text = body(&json!({})).to_string().replace("\"Acme Inc.\"", &lists);
    let reply = api.send(&Call::text(text)).await;
    let fault = ("name", "type", "name must be a string.");
    assert_eq!((reply.status, reply.json()), (400, invalid(&[fault])));
}

#[tokio::test]
async fn a_retry_gets_the_first_answer_with_its_location_and_makes_nothing() {
    let api = Api::new().await;
    let token = api.stage.administrator().await;
    for (email, token) in [("one@example.com", None), ("two@example.com", Some(&token))] {
        let body = body(&json!({"email": email}));
        let sign = |call: Call| token.map_or(call.clone(), |token| call.bearer(token)).key("k");
        let first = api.send(&sign(Call::json(&body))).await;
        assert_eq!((first.status, first.is_replay()), (201, false));
        api.stage.ports.advance(SignedDuration::from_secs(60));
        for call in [Call::json(&body), Call::bytes(body.to_string().as_bytes())] {
            let reply = api.send(&sign(call)).await;
            assert_eq!((reply.status, &reply.text), (201, &first.text));
            assert_eq!(reply.header("location"), first.header("location"));
            assert!(reply.is_replay());
        }
    }
    assert_eq!(api.made().await, (2, 2));
}

#[tokio::test]
async fn a_key_with_another_body_is_refused_and_does_nothing() {
    let api = Api::new().await;
    let send = async |fields: Value| api.send(&Call::json(&body(&fields)).key("k")).await;
    assert_eq!(send(json!({})).await.status, 201);
    for fields in [
        json!({"email": "Owner@EXAMPLE.com"}),
        json!({"name": "Other"}),
        json!({"password": "another_password_here"}),
        json!({"settings": {}}),
    ] {
        let reply = send(fields).await;
        assert_eq!((reply.status, reply.json()), (422, key_reused()));
        assert!(!reply.is_replay());
    }
    assert_eq!(api.made().await, (1, 1));
}

#[tokio::test]
async fn strangers_who_sign_up_do_not_block_each_others_keys() {
    let api = Api::new().await;
    let send = async |email: &str| {
        let reply = api.send(&Call::json(&body(&json!({"email": email}))).key("1")).await;
        assert_eq!(reply.status, 201, "{}", reply.text);
        reply
    };
    let first = send("owner@example.com").await;
    let other = send("other@example.com").await;
    assert!(!first.is_replay() && !other.is_replay());
    for (email, created) in [("owner@example.com", first), ("other@example.com", other)] {
        let again = send(email).await;
        assert!(again.is_replay());
        assert_eq!(again.text, created.text);
    }
    assert_eq!(api.made().await, (2, 2));
    // Nor does the table tell who signed up with which key.
    let records = format!("{:?}", api.stage.items_under("IDEMPOTENCY#").await);
    assert!(records.contains("IDEMPOTENCY#anyone-"), "{records}");
    assert!(!records.contains("IDEMPOTENCY#owner"), "{records}");
}

#[tokio::test]
async fn a_key_belongs_to_an_administrator() {
    let api = Api::new().await;
    let (one, two) = (api.stage.administrator().await, api.stage.administrator().await);
    let send = async |token: &str, email: &str| {
        let body = body(&json!({"email": email}));
        api.send(&Call::json(&body).bearer(token).key("k")).await
    };
    let first = send(&one, "one@example.com").await;
    assert_eq!((first.status, first.is_replay()), (201, false));
    // The same request of another is a request of its own, and the address is taken.
    let same = send(&two, "one@example.com").await;
    assert_eq!((same.status, same.json()), (409, email_exists()));
    let second = send(&two, "two@example.com").await;
    assert_eq!((second.status, second.is_replay()), (201, false));
    assert_eq!(send(&one, "one@example.com").await.text, first.text);
    assert_eq!(send(&two, "two@example.com").await.text, second.text);
    // Nor does one who signs up meet their records.
    let body = body(&json!({"email": "one@example.com"}));
    let reply = api.send(&Call::json(&body).key("k")).await;
    assert_eq!((reply.status, reply.json()), (409, email_exists()));
}

#[tokio::test]
async fn a_key_answers_for_twenty_four_hours() {
    let api = Api::new().await;
    let token = api.stage.administrator().await;
    // Not on a whole second.
    api.stage.ports.advance(SignedDuration::from_millis(900));
    let call = Call::json(&body(&json!({}))).bearer(&token).key("k");
    api.send(&call).await;
    api.stage.ports.advance(SignedDuration::from_hours(24) - SignedDuration::from_millis(1));
    assert!(api.send(&call).await.is_replay());
    api.stage.ports.advance(SignedDuration::from_secs(1));
    let reply = api.send(&call).await;
    assert_eq!((reply.status, reply.json()), (409, email_exists()));
    // The old record is free for another request.
    let other = Call::json(&body(&json!({"email": "other@example.com"})));
    let reply = api.send(&other.bearer(&token).key("k")).await;
    assert_eq!((reply.status, reply.is_replay()), (201, false));
    assert_eq!(api.made().await, (2, 1));
}

#[tokio::test]
async fn refusals_are_not_recorded() {
    let api = Api::new().await;
    api.post(&body(&json!({}))).await;
    let send = async |fields: Value| api.send(&Call::json(&body(&fields)).key("k")).await;
    assert_eq!(send(json!({"name": ""})).await.status, 400);
    assert_eq!(send(json!({})).await.status, 409);
    assert_eq!(api.made().await, (1, 0));
    let reply = send(json!({"email": "other@example.com"})).await;
    assert_eq!((reply.status, reply.is_replay()), (201, false));
}

#[tokio::test]
async fn signing_up_costs_one_call_and_an_administrators_first_create_two() {
    let api = Api::new().await;
    let token = api.stage.administrator().await;
    api.stage.operations.take();
    let email = |email: &str| Call::json(&body(&json!({"email": email}))).key(email);
    let once = ["TransactWriteItems"];
    api.send(&email("one@example.com")).await;
    assert_eq!(api.stage.operations.take(), once);
    api.send(&email("one@example.com")).await;
    assert_eq!(api.stage.operations.take(), once, "a replay");
    api.send(&email("two@example.com").bearer(&token)).await;
    assert_eq!(api.stage.operations.take(), ["GetItem", "TransactWriteItems"]);
    api.send(&email("three@example.com").bearer(&token)).await;
    assert_eq!(api.stage.operations.take(), once);
    api.post(&json!({})).await;
    assert_eq!(api.stage.operations.take(), [""; 0], "a fault");
}

#[tokio::test]
async fn without_the_table_the_caller_is_told_to_come_back() {
    let expected = json!({
        "error": "service_unavailable",
        "message": "The service could not complete the request in time; try again with the same Idempotency-Key."
    });
    let api = Api::new().await;
    let token = api.stage.administrator().await;
    let call = Call::json(&body(&json!({}))).key("k");
    api.stage.wire.cut();
    for call in [call.clone(), call.clone().bearer(&token)] {
        let reply = api.send(&call).await;
        assert_eq!((reply.status, reply.json()), (503, expected.clone()));
        assert_eq!(reply.header("retry-after"), "1");
    }
    api.stage.wire.mend();
    let reply = api.send(&call).await;
    assert_eq!((reply.status, reply.is_replay()), (201, false));
}

/// A table that says who calls only after an id and a salt were drawn.
struct Late {
    table: Table,
    draws: Arc<Mutex<Vec<usize>>>,
}

impl Credentials for Late {
    async fn credential(&self, who: &Presented) -> Result<Option<Credential>, LookupFailed> {
        for _ in 0..100 {
            if self.draws.lock().expect("not poisoned").len() == 2 {
                return self.table.credential(who).await;
            }
            tokio::task::yield_now().await;
        }
        Err(LookupFailed::Unavailable)
    }
}

impl Accounts for Late {
    async fn commit(&self, commit: Commit<'_>) -> Result<Option<StoredAnswer>, CommitRefusal> {
        self.table.commit(commit).await
    }
}

#[tokio::test]
async fn the_password_is_hashed_while_the_table_is_asked_who_calls() {
    let stage = Stage::new().await;
    let token = stage.administrator().await;
    let usual = stage.create_account();
    let draws = Arc::default();
    let function = create_account::Function {
        store: Late { table: usual.store, draws: Arc::clone(&draws) },
        hashing: create_account::OwnThread,
        ports: Noted { ports: usual.ports, draws, most: usize::MAX },
        password_policy: usual.password_policy,
        self_signup: false,
        fingerprint_key: usual.fingerprint_key,
    };
    let call = Call::json(&body(&json!({}))).bearer(&token);
    assert_eq!(call.send(&function).await.status, 201);
}

/// A table that is asked for more than it takes.
struct Throttled;

impl Credentials for Throttled {
    async fn credential(&self, _: &Presented) -> Result<Option<Credential>, LookupFailed> {
        Err(LookupFailed::Throttled)
    }
}

impl Accounts for Throttled {
    async fn commit(&self, _: Commit<'_>) -> Result<Option<StoredAnswer>, CommitRefusal> {
        Err(CommitRefusal::Throttled)
    }
}

#[tokio::test]
async fn a_table_that_throttles_makes_the_caller_come_back() {
    let stage = Stage::new().await;
    let token = stage.administrator().await;
    let usual = stage.create_account();
    let function = create_account::Function {
        store: Throttled,
        hashing: create_account::OwnThread,
        ports: usual.ports,
        password_policy: usual.password_policy,
        self_signup: usual.self_signup,
        fingerprint_key: usual.fingerprint_key,
    };
    let call = Call::json(&body(&json!({})));
    for call in [call.clone(), call.bearer(&token)] {
        let reply = call.send(&function).await;
        let expected =
            json!({"error": "rate_limited", "message": "Too many requests; try again shortly."});
        assert_eq!((reply.status, reply.json()), (429, expected));
        assert_eq!(reply.header("retry-after"), "1");
        assert_eq!(reply.header("x-request-id"), "request-1");
    }
}
