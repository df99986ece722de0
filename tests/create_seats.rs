//! `POST /accounts/create` against its published documentation and CONTRACT section 1: what goes
//! in, and the status and whole body that come out.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use aws_sdk_dynamodb::Client;
use aws_sdk_dynamodb::config::retry::RetryConfig;
use aws_sdk_dynamodb::types::AttributeValue;
use create_seats::Function;
use headcount_model::billing::SubscriptionStatus;
use headcount_model::credential::{Credential, Holder, Permission, reveal};
use headcount_model::id::{AgencyLcuid, AppLcuid, OrganizationId};
use headcount_model::port::Clock;
use headcount_store::Table;
use headcount_tests::{Call, Item, Ports, Reply, Stage, bad_credentials, text_of, transport};
use jiff::SignedDuration;
use serde_json::{Value, json};
use tokio::io::{AsyncReadExt, AsyncWriteExt};

/// The largest body, in bytes.
const MAX_BODY: usize = 4_000 * 1024;

/// An organization that is billed, an API key of it, and the function.
struct Bench {
    stage: Stage,
    function: Function<Table, Ports>,
    organization: OrganizationId,
    api_key: String,
}

impl Bench {
    async fn new() -> Self {
        Self::with(Some(SubscriptionStatus::Active), 100_000).await
    }

    async fn with(status: Option<SubscriptionStatus>, seat_limit: u64) -> Self {
        let stage = Stage::new().await;
        let organization = stage.organization(status, seat_limit).await;
        Self {
            function: stage.create_seats(),
            api_key: stage.api_key(&organization).await,
            organization,
            stage,
        }
    }

    /// A call for these seats.
    fn seats(&self, accounts: impl Into<Value>) -> Call {
        Call::json(&json!({ "accounts": accounts.into() })).bearer(&self.api_key)
    }

    /// A call with this text as body.
    fn text(&self, body: impl Into<String>) -> Call {
        Call::text(body).bearer(&self.api_key)
    }

    /// Sends a call. Whatever comes of it has to be JSON under a request id.
    async fn send(&self, call: &Call) -> Reply {
        let reply = call.send(&self.function).await;
        assert_eq!(reply.header("content-type"), "application/json");
        assert_eq!(reply.header("x-request-id"), "request-1");
        reply
    }

    /// Sends a call that has to be refused with exactly this body and the status in it, and has
    /// to leave the table as it was.
    async fn refuses(&self, what: &str, call: &Call, body: &Value) {
        let before = self.snapshot().await;
        let reply = self.send(call).await;
        assert_eq!(reply.json(), *body, "{what}");
        assert_eq!(json!(reply.status), body["code"], "{what}");
        assert!(!reply.is_replay(), "{what}");
        assert_eq!(self.snapshot().await, before, "{what}: the table changed");
    }

    /// Sends a call that has to create `accounts`, now or in an earlier call, and returns their
    /// ids. `failed` are those of the request that could not be created.
    async fn creates(
        &self,
        what: &str,
        call: &Call,
        accounts: Vec<Value>,
        failed: usize,
    ) -> Created {
        let reply = self.send(call).await;
        assert_eq!(reply.status, 200, "{what}: {}", reply.text);
        let count = accounts.len();
        let mut body = reply.json();
        let ids = take_ids(&mut body);
        let expected = json!({
            "ok": true,
            "code": 200,
            "message": "Success",
            "data": {
                "message": format!("Successfully created {count} account(s)"),
                "successful": count,
                "failed": failed,
                "accounts": accounts,
            }
        });
        assert_eq!(body, expected, "{what}");
        let stored = self.snapshot().await;
        for id in &ids {
            let key = (format!("ORG#{}", self.organization), format!("SEAT#{id}"));
            assert!(stored.contains_key(&key), "{what}: {id} is not in the table");
        }
        Created { ids, reply }
    }

    /// Every item of the table by its key.
    async fn snapshot(&self) -> BTreeMap<(String, String), Item> {
        let items = self.stage.items().await.into_iter();
        items
            .map(|item| {
                let part = |name| text_of(&item, name).expect("a key").to_owned();
                ((part("pk"), part("sk")), item)
            })
            .collect()
    }

    /// The item of a seat.
    async fn seat(&self, id: &str) -> Item {
        let key = (format!("ORG#{}", self.organization), format!("SEAT#{id}"));
        self.snapshot().await.remove(&key).expect("a seat")
    }

    /// How many seats exist, how many are billed as basic and as premium, and how often that
    /// has changed.
    async fn count(&self) -> (usize, u64, u64, u64) {
        self.stage.seats(&self.organization).await
    }

    /// Sets how many more seats the organization may have.
    async fn leave_room_for(&self, seats: u64) {
        self.set_billing("seats_left", AttributeValue::N(seats.to_string())).await;
    }

    /// Sets the status of the subscription, as a webhook of Stripe would.
    async fn subscription_becomes(&self, status: SubscriptionStatus) {
        let status = AttributeValue::S(status.as_str().to_owned());
        self.set_billing("subscription_status", status).await;
    }

    async fn set_billing(&self, name: &str, value: AttributeValue) {
        let pk = format!("ORG#{}", self.organization);
        self.stage.set(&pk, "BILLING", name, value).await;
    }
}

/// What was created.
struct Created {
    ids: Vec<String>,
    reply: Reply,
}

/// Takes the ids out of an answer, after a look at them.
fn take_ids(body: &mut Value) -> Vec<String> {
    let accounts = body["data"]["accounts"].as_array_mut().expect("accounts");
    let ids: Vec<String> = accounts
        .iter_mut()
        .map(|account| {
            let id = account.as_object_mut().and_then(|fields| fields.remove("id"));
            let id = id.as_ref().and_then(Value::as_str).expect("an id").to_owned();
            assert!(id.starts_with("acc_"), "{id}");
            id
        })
        .collect();
    assert_eq!(BTreeSet::from_iter(&ids).len(), ids.len(), "an id twice");
    ids
}

/// A new seat without details, as the answer lists it.
fn uninitialized(tier: &str) -> Value {
    json!({"tier": tier, "status": "uninitialized", "platform": null, "username": null})
}

/// A new seat with details, as the answer lists it.
fn pending(tier: &str, platform: &str, username: &str) -> Value {
    json!({"tier": tier, "status": "pending", "platform": platform, "username": username})
}

/// A seat with the whole detail group and every optional field.
fn full_seat() -> Value {
    json!({
        "tier": "premium",
        "platform": "tiktok",
        "username": "newcreator",
        "pfp_url": "https://example.com/avatar.jpg",
        "keywords": "fitness,health,workout",
        "nick_name": "New Creator",
        "age_range": "18-24",
        "sex": "female",
        "location": "Austin, Texas",
        "description": "Runs and lifts.",
        "tag": "influencer",
        "org_group": "north",
    })
}

/// The full seat with one field replaced.
fn with(field: &str, value: impl Into<Value>) -> Value {
    let mut seat = full_seat();
    seat[field] = value.into();
    seat
}

/// The body of a refusal.
fn refusal(code: u64, error: &str, message: &str) -> Value {
    json!({"ok": false, "code": code, "message": message, "error": error})
}

/// A fault: the position of the seat, the field, the rule, the sentence.
type Fault<'t> = (Option<usize>, &'t str, &'t str, &'t str);

/// The body of a refusal for faults of fields.
fn faults(error: &str, message: &str, faults: &[Fault<'_>]) -> Value {
    let mut body = refusal(400, error, message);
    body["errors"] = faults
        .iter()
        .map(|(index, field, rule, message)| {
            json!({"index": index, "field": field, "rule": rule, "message": message})
        })
        .collect();
    body
}

/// The body of a refusal for one fault.
fn fault(index: impl Into<Option<usize>>, field: &str, rule: &str, sentence: &str) -> Value {
    let index = index.into();
    let message = match index {
        Some(index) => format!("accounts[{index}]: {sentence}"),
        None => sentence.to_owned(),
    };
    faults("invalid_request", &message, &[(index, field, rule, sentence)])
}

fn unauthorized() -> Value {
    refusal(401, "unauthorized", "A valid API key is required.")
}

fn no_billing() -> Value {
    refusal(402, "no_billing", "The organization has no active subscription to bill seats to.")
}

fn seat_limit_reached() -> Value {
    refusal(
        409,
        "seat_limit_reached",
        "The organization's seat limit leaves no room for these accounts.",
    )
}

fn key_reused() -> Value {
    refusal(
        422,
        "idempotency_key_reused",
        "This Idempotency-Key was used with another request body; nothing was done.",
    )
}

fn unavailable() -> Value {
    refusal(
        503,
        "service_unavailable",
        "The service could not complete the request in time; try again with the same Idempotency-Key.",
    )
}

// ------------------------------------------------------------------------------ What is created

#[tokio::test]
async fn the_published_example() {
    let bench = Bench::new().await;
    let call = bench.text(
        r#"{
            "accounts": [
                {
                    "tier": "basic"
                },
                {
                    "tier": "premium",
                    "platform": "tiktok",
                    "username": "newcreator",
                    "pfp_url": "https://example.com/avatar.jpg",
                    "keywords": "fitness,health,workout",
                    "nick_name": "New Creator",
                    "tag": "influencer"
                }
            ]
        }"#,
    );
    let accounts = vec![uninitialized("basic"), pending("premium", "tiktok", "newcreator")];
    let created = bench.creates("the example", &call, accounts, 0).await;
    assert!(!created.reply.is_replay());
    assert_eq!(created.reply.header("location"), "");
    assert_eq!(bench.count().await, (2, 1, 1, 1));
}

#[tokio::test]
async fn the_answer_keeps_the_order_of_the_request() {
    let bench = Bench::new().await;
    // More than one transaction holds, so that the pieces have to be put in order too.
    let names: Vec<String> = (0..150).rev().map(|n| format!("creator{n}")).collect();
    let mut seats: Vec<Value> = names.iter().map(|name| with("username", name.as_str())).collect();
    let mut accounts: Vec<Value> =
        names.iter().map(|name| pending("premium", "tiktok", name)).collect();
    seats.insert(7, json!({"tier": "basic"}));
    accounts.insert(7, uninitialized("basic"));
    let created = bench.creates("150 seats", &bench.seats(seats), accounts, 0).await;
    assert!(created.ids.is_sorted(), "ids are in the order of time");
}

#[tokio::test]
async fn optional_fields_go_with_and_without_the_detail_group() {
    let bench = Bench::new().await;
    let mut bare = full_seat();
    let fields = bare.as_object_mut().expect("an object");
    fields.retain(|name, _| {
        !["platform", "username", "pfp_url", "keywords"].contains(&name.as_str())
    });
    let nulls = json!({
        "tier": "basic", "platform": null, "username": null, "pfp_url": null, "keywords": null,
        "nick_name": null, "age_range": null, "sex": null, "location": null, "description": null,
        "tag": null, "org_group": null,
    });
    let call = bench.seats(json!([bare, full_seat(), nulls]));
    let accounts = vec![
        uninitialized("premium"),
        pending("premium", "tiktok", "newcreator"),
        uninitialized("basic"),
    ];
    let created = bench.creates("optional fields", &call, accounts, 0).await;
    for (id, sent) in created.ids.iter().zip([bare, full_seat(), json!({"tier": "basic"})]) {
        let item = bench.seat(id).await;
        for name in full_seat().as_object().expect("an object").keys() {
            assert_eq!(text_of(&item, name), sent[name].as_str(), "{name}");
        }
    }
}

#[tokio::test]
async fn every_field_at_its_limits() {
    let url = |length: usize| format!("https://example.com/{}", "a".repeat(length - 20));
    let keyword = "k".repeat(64);
    // Field, value as sent, value as stored.
    let mut rows: Vec<(&str, String, String)> = [
        ("tier", "basic", "basic"),
        ("tier", "premium", "premium"),
        ("platform", "tiktok", "tiktok"),
        ("platform", "instagram", "instagram"),
        ("username", "a", "a"),
        ("username", "@New.Creator_9-x", "New.Creator_9-x"),
        ("username", "  @trimmed ", "trimmed"),
        ("pfp_url", "http://example.com", "http://example.com"),
        ("pfp_url", " https://example.com:8443/a?b=c#d ", "https://example.com:8443/a?b=c#d"),
        ("pfp_url", "https://example.com/@handle", "https://example.com/@handle"),
        ("pfp_url", "https://bücher.example/ä.png", "https://bücher.example/ä.png"),
        ("pfp_url", "https://8.8.8.8/a.png", "https://8.8.8.8/a.png"),
        ("pfp_url", "https://172.32.0.1/a.png", "https://172.32.0.1/a.png"),
        ("pfp_url", "https://[2606:4700::1111]/", "https://[2606:4700::1111]/"),
        ("keywords", "a", "a"),
        ("keywords", " fitness , health,work out ", "fitness,health,work out"),
        ("keywords", "cafe\u{301}", "café"),
        ("nick_name", "x", "x"),
        ("nick_name", "  New Creator\n", "New Creator"),
        ("nick_name", "Zoe\u{308}", "Zoë"),
        ("nick_name", "می\u{200C}خواهم", "می\u{200C}خواهم"),
        ("nick_name", "👩\u{200D}🚀", "👩\u{200D}🚀"),
        ("age_range", "18-24", "18-24"),
        ("age_range", "0-120", "0-120"),
        ("age_range", "30-30", "30-30"),
        ("sex", "male", "male"),
        ("sex", "female", "female"),
        ("sex", "other", "other"),
        ("location", "Z", "Z"),
        ("description", "two\nlines\tand a tab", "two\nlines\tand a tab"),
        ("description", "lines\r\nof a\r\n\r\nform\r\n", "lines\nof a\n\nform"),
        ("tag", "t", "t"),
        ("org_group", "g", "g"),
    ]
    .map(|(field, sent, stored)| (field, sent.to_owned(), stored.to_owned()))
    .to_vec();
    for (field, longest) in [
        ("nick_name", 64),
        ("location", 128),
        ("description", 1_000),
        ("tag", 64),
        ("org_group", 64),
    ] {
        for unit in ["x", "😀", "e\u{301}"] {
            let composed = unit.replace("e\u{301}", "é");
            rows.push((field, format!(" {} ", unit.repeat(longest)), composed.repeat(longest)));
        }
    }
    for longest in [
        ("username", "u".repeat(64)),
        ("pfp_url", url(2_048)),
        ("keywords", keyword.clone()),
        ("keywords", ["k"; 50].join(",")),
        ("keywords", vec![keyword.as_str(); 50].join(",")),
    ] {
        rows.push((longest.0, longest.1.clone(), longest.1));
    }
    rows.push(("username", format!("@{}", "v".repeat(64)), "v".repeat(64)));

    let bench = Bench::new().await;
    let seats: Vec<Value> = rows
        .iter()
        .enumerate()
        .map(|(index, (field, sent, _))| {
            let mut seat = with("username", format!("creator{index}"));
            seat[*field] = json!(sent);
            seat
        })
        .collect();
    let reply = bench.send(&bench.seats(seats)).await;
    assert_eq!(reply.status, 200, "{}", reply.text);
    let body = reply.json();
    let accounts = body["data"]["accounts"].as_array().expect("accounts");
    assert_eq!(accounts.len(), rows.len());
    for ((field, sent, stored), account) in rows.iter().zip(accounts) {
        let item = bench.seat(account["id"].as_str().expect("an id")).await;
        assert_eq!(text_of(&item, field).unwrap_or_default(), *stored, "{field} {sent:?}");
        if ["tier", "platform", "username"].contains(field) {
            assert_eq!(account[*field], json!(stored), "{field} {sent:?}");
        }
        assert_eq!(account["status"], "pending");
    }
}

#[tokio::test]
async fn one_to_a_thousand_seats() {
    let bench = Bench::new().await;
    for count in [1, 1_000] {
        let call = bench.seats(vec![json!({"tier": "basic"}); count]);
        let accounts = vec![uninitialized("basic"); count];
        bench.creates(&format!("{count} seats"), &call, accounts, 0).await;
    }
    assert_eq!(bench.count().await.0, 1_001);
    for count in [0, 1_001] {
        let call = bench.seats(vec![json!({"tier": "basic"}); count]);
        let body = fault(None, "accounts", "count", "accounts must have 1 to 1000 entries.");
        bench.refuses(&format!("{count} seats"), &call, &body).await;
    }
}

#[tokio::test]
async fn a_create_is_one_call_of_dynamodb_and_the_first_of_a_key_two() {
    let bench = Bench::new().await;
    let call = bench.seats(json!([{"tier": "basic"}, full_seat()]));
    let sent = async |call: &Call| {
        bench.stage.operations.take();
        bench.send(call).await;
        bench.stage.operations.take()
    };
    assert_eq!(sent(&call).await, ["GetItem", "TransactWriteItems"]);
    assert_eq!(sent(&call).await, ["TransactWriteItems"]);
    assert_eq!(sent(&call.clone().key("k")).await, ["TransactWriteItems"]);
    assert_eq!(sent(&call.clone().key("k")).await, ["TransactWriteItems"], "a replay");
    assert_eq!(sent(&bench.seats(json!([]))).await, [""; 0], "a faulty request");
}

// ------------------------------------------------------------------------------ What is refused

#[tokio::test]
async fn a_field_that_breaks_a_rule() {
    let long = |count| "x".repeat(count);
    let rows: Vec<(&str, Value, &str, &str)> = vec![
        // A tier is always needed.
        ("tier", json!(null), "required", "tier is required."),
        ("tier", json!(""), "one_of", "tier must be one of: basic, premium."),
        ("tier", json!("gold"), "one_of", "tier must be one of: basic, premium."),
        ("tier", json!("Basic"), "one_of", "tier must be one of: basic, premium."),
        ("platform", json!("myspace"), "one_of", "platform must be one of: tiktok, instagram."),
        ("platform", json!("TikTok"), "one_of", "platform must be one of: tiktok, instagram."),
        ("platform", json!(""), "one_of", "platform must be one of: tiktok, instagram."),
        ("username", json!(""), "min_length", "username must have at least 1 character(s)."),
        ("username", json!("@"), "min_length", "username must have at least 1 character(s)."),
        ("username", json!(long(65)), "max_length", "username must have at most 64 characters."),
        ("username", json!("@@a"), "alphabet", "username may contain only A-Z a-z 0-9 . _ -."),
        ("username", json!("a b"), "alphabet", "username may contain only A-Z a-z 0-9 . _ -."),
        ("username", json!("é"), "alphabet", "username may contain only A-Z a-z 0-9 . _ -."),
        ("username", json!("a\u{0}"), "alphabet", "username may contain only A-Z a-z 0-9 . _ -."),
        (
            "username",
            json!("a\u{200d}"),
            "alphabet",
            "username may contain only A-Z a-z 0-9 . _ -.",
        ),
        ("keywords", json!("  "), "count", "keywords must have 1 to 50 entries."),
        ("keywords", json!(["k"; 51].join(",")), "count", "keywords must have 1 to 50 entries."),
        (
            "keywords",
            json!("a,,b"),
            "keyword_length",
            "Each of the comma-separated keywords must have 1 to 64 characters.",
        ),
        (
            "keywords",
            json!("a,"),
            "keyword_length",
            "Each of the comma-separated keywords must have 1 to 64 characters.",
        ),
        (
            "keywords",
            json!(long(65)),
            "keyword_length",
            "Each of the comma-separated keywords must have 1 to 64 characters.",
        ),
        ("nick_name", json!(""), "min_length", "nick_name must have at least 1 character(s)."),
        ("nick_name", json!(" \n "), "min_length", "nick_name must have at least 1 character(s)."),
        ("nick_name", json!(long(65)), "max_length", "nick_name must have at most 64 characters."),
        ("location", json!(""), "min_length", "location must have at least 1 character(s)."),
        ("location", json!(long(129)), "max_length", "location must have at most 128 characters."),
        ("description", json!(""), "min_length", "description must have at least 1 character(s)."),
        (
            "description",
            json!(long(1_001)),
            "max_length",
            "description must have at most 1000 characters.",
        ),
        ("tag", json!(""), "min_length", "tag must have at least 1 character(s)."),
        ("tag", json!(long(65)), "max_length", "tag must have at most 64 characters."),
        ("org_group", json!(""), "min_length", "org_group must have at least 1 character(s)."),
        ("org_group", json!(long(65)), "max_length", "org_group must have at most 64 characters."),
        (
            "age_range",
            json!("18"),
            "age_range",
            "age_range must be two ages such as 18-24, at most 120.",
        ),
        (
            "age_range",
            json!("24-18"),
            "age_range",
            "age_range must be two ages such as 18-24, at most 120.",
        ),
        (
            "age_range",
            json!("18-121"),
            "age_range",
            "age_range must be two ages such as 18-24, at most 120.",
        ),
        (
            "age_range",
            json!("18–24"),
            "age_range",
            "age_range must be two ages such as 18-24, at most 120.",
        ),
        ("sex", json!("Male"), "one_of", "sex must be one of: male, female, other."),
        ("sex", json!(""), "one_of", "sex must be one of: male, female, other."),
    ];
    let bench = Bench::new().await;
    for (field, value, rule, sentence) in rows {
        let call = bench.seats(json!([{"tier": "basic"}, with(field, value.clone())]));
        let body = fault(1, field, rule, sentence);
        bench.refuses(&format!("{field} {value}"), &call, &body).await;
    }
}

#[tokio::test]
async fn a_value_of_another_json_type() {
    let bench = Bench::new().await;
    for value in [json!(1), json!(1.5), json!(true), json!([]), json!(["a"]), json!({"a": "b"})] {
        for field in full_seat().as_object().expect("an object").keys() {
            let sentence = format!("{field} must be a string.");
            let call = bench.seats(json!([with(field, value.clone())]));
            let body = fault(0, field, "type", &sentence);
            bench.refuses(&format!("{field} {value}"), &call, &body).await;
        }
        let call = bench.seats(json!([{"tier": "basic"}, value]));
        if !value.is_object() {
            let body = fault(1, "accounts", "type", "accounts must be an object.");
            bench.refuses(&format!("a seat {value}"), &call, &body).await;
        }
        if !value.is_array() {
            let body = fault(None, "accounts", "type", "accounts must be an array.");
            bench.refuses(&format!("accounts {value}"), &bench.seats(value.clone()), &body).await;
        }
    }
    let body = fault(0, "accounts", "type", "accounts must be an object.");
    bench.refuses("a seat null", &bench.seats(json!([null])), &body).await;
    for (what, call) in [("null", bench.seats(json!(null))), ("absent", bench.text("{}"))] {
        let body = fault(None, "accounts", "required", "accounts is required.");
        bench.refuses(what, &call, &body).await;
    }
}

#[tokio::test]
async fn characters_that_hide_or_reorder_text() {
    let bench = Bench::new().await;
    let in_every_field = [
        '\0',
        '\u{1}',
        '\r',
        '\u{1b}',
        '\u{7f}',
        '\u{85}',
        '\u{9f}',
        '\u{200B}',
        '\u{2028}',
        '\u{2029}',
        '\u{202A}',
        '\u{202B}',
        '\u{202C}',
        '\u{202D}',
        '\u{202E}',
        '\u{2060}',
        '\u{2066}',
        '\u{2067}',
        '\u{2068}',
        '\u{2069}',
        '\u{FDD0}',
        '\u{FDEF}',
        '\u{FEFF}',
        '\u{FFFE}',
        '\u{FFFF}',
        '\u{1FFFE}',
        '\u{E0001}',
        '\u{E0020}',
        '\u{E007F}',
        '\u{10FFFF}',
    ];
    let fields = ["nick_name", "location", "description", "tag", "org_group", "keywords"];
    let rows = in_every_field
        .into_iter()
        .flat_map(|c| fields.map(|field| (field, c)))
        // Newline and tab are allowed in the description only.
        .chain(['\n', '\t'].into_iter().flat_map(|c| {
            ["nick_name", "location", "tag", "org_group", "keywords"].map(|field| (field, c))
        }));
    for (field, c) in rows {
        let sentence = format!("{field} must not contain the character U+{:04X}.", u32::from(c));
        let call = bench.seats(json!([with(field, format!("a{c}b"))]));
        let body = fault(0, field, "forbidden_character", &sentence);
        bench.refuses(&format!("{field} {c:?}"), &call, &body).await;
    }
}

#[tokio::test]
async fn urls_that_are_not_taken() {
    let absolute = ("url", "pfp_url must be an absolute URL such as https://example.com/a.jpg.");
    let scheme = ("url_scheme", "pfp_url must be an http or https URL.");
    let user = ("url_user_info", "pfp_url must be a URL without user name and password.");
    let private = (
        "url_private_address",
        "pfp_url must be a URL whose host is public: no private, loopback or link-local address and no local name.",
    );
    let tab = ("forbidden_character", "pfp_url must not contain the character U+0009.");
    let nul = ("forbidden_character", "pfp_url must not contain the character U+0000.");
    let long = ("max_length", "pfp_url must have at most 2048 characters.");
    let too_long = format!("https://example.com/{}", "a".repeat(2_029));
    let bench = Bench::new().await;
    for (url, (rule, sentence)) in [
        ("", absolute),
        ("avatar.jpg", absolute),
        ("/avatar.jpg", absolute),
        ("//example.com/a.jpg", absolute),
        ("http:example.com", absolute),
        ("http:///example.com", absolute),
        ("https://", absolute),
        ("https://exa mple.com/", absolute),
        ("https://example.com:99999/", absolute),
        ("ftp://example.com/a.jpg", scheme),
        ("file:///etc/passwd", scheme),
        ("javascript:alert(1)", scheme),
        ("data:image/png;base64,AA==", scheme),
        ("https://user@example.com/", user),
        ("https://user:secret@example.com/", user),
        ("https://@example.com/", user),
        // Readers disagree about which of the two is the host.
        ("https://example.com\\@169.254.169.254/", user),
        ("https://example.com\\.internal/", absolute),
        ("http://127.0.0.1/", private),
        ("http://127.1/", private),
        ("http://0x7f.1/", private),
        ("http://0177.0.0.1/", private),
        ("http://2130706433/", private),
        ("http://127.0.0.1./", private),
        ("http://①②⑦.0.0.1/", private),
        ("http://10.1.2.3/", private),
        ("http://172.16.0.1/", private),
        ("http://172.31.255.255/", private),
        ("http://192.168.0.1/", private),
        ("http://169.254.169.254/latest/meta-data/", private),
        ("http://[::1]/", private),
        ("http://[fc00::1]/", private),
        ("http://[fe80::1]/", private),
        ("http://[::ffff:10.0.0.1]/", private),
        ("https://exam\tple.com/", tab),
        ("https://example.com/\0", nul),
        (&too_long, long),
    ] {
        let call = bench.seats(json!([with("pfp_url", url)]));
        bench.refuses(url, &call, &fault(0, "pfp_url", rule, sentence)).await;
    }
}

#[tokio::test]
async fn fields_that_a_caller_may_not_set() {
    let bench = Bench::new().await;
    for name in
        ["id", "status", "org", "organization", "is_parent_account", "pk", "Tier", "created_at"]
    {
        for value in [json!("x"), json!(null), json!(1)] {
            let sentence = format!("{name} is not a field of this request.");
            let mut request = json!({"accounts": [{"tier": "basic"}]});
            request[name] = value.clone();
            let call = Call::json(&request).bearer(&bench.api_key);
            let body = fault(None, name, "unknown_field", &sentence);
            bench.refuses(&format!("{name} of the request"), &call, &body).await;

            let mut seat = json!({"tier": "basic"});
            seat[name] = value;
            let body = fault(0, name, "unknown_field", &sentence);
            bench.refuses(&format!("{name} of a seat"), &bench.seats(json!([seat])), &body).await;
        }
    }
}

#[tokio::test]
async fn some_but_not_all_detail_fields() {
    let details = ["platform", "username", "pfp_url", "keywords"];
    let bench = Bench::new().await;
    for present in 1..15_u8 {
        let missing: Vec<&str> =
            (0..4).filter(|bit| present & (1 << bit) == 0).map(|bit| details[bit]).collect();
        let sentences: Vec<String> = missing
            .iter()
            .map(|field| {
                format!(
                    "{field} is required: platform, username, pfp_url and keywords go together."
                )
            })
            .collect();
        let expected: Vec<Fault<'_>> = missing
            .iter()
            .zip(&sentences)
            .map(|(field, sentence)| (Some(1), *field, "required", sentence.as_str()))
            .collect();
        let message = format!(
            "accounts[1] is missing {}: give platform, username, pfp_url and keywords together or none of them.",
            missing.join(", ")
        );
        let body = faults("missing_detail_fields", &message, &expected);
        // A field that is null is as missing as one that is not there.
        let (mut without, mut null) = (full_seat(), full_seat());
        for field in &missing {
            without.as_object_mut().expect("an object").remove(*field);
            null[*field] = Value::Null;
        }
        for seat in [without, null] {
            let call = bench.seats(json!([{"tier": "basic"}, seat]));
            bench.refuses(&message, &call, &body).await;
        }
    }
}

#[tokio::test]
async fn one_account_twice() {
    let named = |platform: &str, username: &str| {
        let mut seat = with("platform", platform);
        seat["username"] = json!(username);
        seat
    };
    let bench = Bench::new().await;
    let sentence = "username and platform are those of account 0 of this request.";
    for username in ["creator", "@creator", " creator "] {
        let call = bench.seats(json!([named("tiktok", "creator"), named("tiktok", username)]));
        bench.refuses(username, &call, &fault(1, "username", "duplicate", sentence)).await;
    }
    // It is a duplicate whatever else is wrong with either seat.
    let mut gold = named("tiktok", "creator");
    gold["tier"] = json!("gold");
    let body = faults(
        "invalid_request",
        "The request has 2 faults; see errors.",
        &[
            (Some(0), "tier", "one_of", "tier must be one of: basic, premium."),
            (Some(1), "username", "duplicate", sentence),
        ],
    );
    let call = bench.seats(json!([gold, named("tiktok", "creator")]));
    bench.refuses("a duplicate of a faulty seat", &call, &body).await;

    let call = bench.seats(json!([named("tiktok", "creator"), named("instagram", "creator")]));
    let accounts =
        vec![pending("premium", "tiktok", "creator"), pending("premium", "instagram", "creator")];
    bench.creates("two platforms", &call, accounts, 0).await;
}

#[tokio::test]
async fn every_fault_of_every_seat_at_once() {
    let bench = Bench::new().await;
    let call = Call::json(&json!({
        "dry_run": true,
        "accounts": [
            {"tier": "gold", "id": "acc_1", "nick_name": "", "sex": 1},
            {"tier": "basic"},
            7,
            {"platform": "myspace", "username": "a b", "age_range": "x"},
        ],
    }))
    .bearer(&bench.api_key);
    let body = faults(
        "missing_detail_fields",
        "accounts[3] is missing pfp_url, keywords: give platform, username, pfp_url and keywords together or none of them.",
        &[
            (None, "dry_run", "unknown_field", "dry_run is not a field of this request."),
            (Some(0), "id", "unknown_field", "id is not a field of this request."),
            (Some(0), "tier", "one_of", "tier must be one of: basic, premium."),
            (Some(0), "nick_name", "min_length", "nick_name must have at least 1 character(s)."),
            (Some(0), "sex", "type", "sex must be a string."),
            (Some(2), "accounts", "type", "accounts must be an object."),
            (Some(3), "tier", "required", "tier is required."),
            (
                Some(3),
                "pfp_url",
                "required",
                "pfp_url is required: platform, username, pfp_url and keywords go together.",
            ),
            (
                Some(3),
                "keywords",
                "required",
                "keywords is required: platform, username, pfp_url and keywords go together.",
            ),
            (Some(3), "platform", "one_of", "platform must be one of: tiktok, instagram."),
            (Some(3), "username", "alphabet", "username may contain only A-Z a-z 0-9 . _ -."),
            (
                Some(3),
                "age_range",
                "age_range",
                "age_range must be two ages such as 18-24, at most 120.",
            ),
        ],
    );
    bench.refuses("faults everywhere", &call, &body).await;
}

#[tokio::test]
async fn the_longest_list_of_faults_fits_an_answer_of_lambda() {
    // 6 MB (https://docs.aws.amazon.com/lambda/latest/dg/gettingstarted-limits.html); anything
    // longer would reach the caller as a 5xx. Every field of every seat is wrong, in the way with the
    // longest sentence, and fields of names that grow when they are told fill the body.
    let mut seat = json!({
        "tier": "x", "platform": "x", "username": "!", "pfp_url": "http://localhost", "keywords": ",",
        "nick_name": "\u{202e}", "age_range": "x", "sex": "x", "location": "\u{202e}",
        "description": "\u{202e}", "tag": "\u{202e}", "org_group": "\u{202e}",
    });
    for n in 0..10 {
        seat[format!("\u{1}{n}{}", "\u{1}".repeat(62))] = json!(0);
    }
    let body = json!({"accounts": vec![seat; 1_000]}).to_string();
    assert!((MAX_BODY - 300_000..=MAX_BODY).contains(&body.len()), "{}", body.len());
    let bench = Bench::new().await;
    let reply = bench.send(&bench.text(body)).await;
    assert_eq!(reply.status, 400);
    // The first thousand unknown fields are told.
    assert_eq!(reply.json()["errors"].as_array().map(Vec::len), Some(13_000));
    // The answer travels as text within JSON.
    assert!(json!(reply.text).to_string().len() < 6_000_000);
}

#[tokio::test]
async fn a_thousand_seats_with_every_detail_and_ordinary_urls() {
    let bench = Bench::new().await;
    let seats = (0..1_000).map(|n| {
        let mut seat = with("username", format!("creator.number.{n:04}"));
        seat["pfp_url"] = json!(format!(
            "https://scontent-fra3-1.cdn.example.com/v/t51.2885-19/{n:018}_n.jpg?stp=dst-jpg_s150x150&{}",
            "_nc_sid=8b3546&oh=00_AYBq".repeat(12)
        ));
        seat
    });
    let body = json!({"accounts": seats.collect::<Vec<_>>()}).to_string();
    assert!(body.len() > 600_000, "{}", body.len());
    let call = bench.text(body);
    let made = (0..1_000)
        .map(|n| {
            json!({
                "tier": "premium", "status": "pending", "platform": "tiktok",
                "username": format!("creator.number.{n:04}"),
            })
        })
        .collect();
    bench.creates("a thousand", &call, made, 0).await;
}

// ------------------------------------------------------------------------------ Transport

#[tokio::test]
async fn requests_that_cannot_be_read() {
    let bench = Bench::new().await;
    for case in transport::unreadable(&json!({"accounts": [{"tier": "basic"}]}), 4_000) {
        let error = match case.status {
            400 => "invalid_request",
            413 => "payload_too_large",
            _ => "unsupported_media_type",
        };
        let body = refusal(case.status, error, &case.message);
        bench.refuses(case.what, &case.call.bearer(&bench.api_key), &body).await;
    }
}

#[tokio::test]
async fn requests_that_are_written_in_an_unusual_way() {
    let bench = Bench::new().await;
    for (what, call) in transport::readable(&json!({"accounts": [{"tier": "basic"}]}), 4_000) {
        let call = call.bearer(&bench.api_key);
        bench.creates(what, &call, vec![uninitialized("basic")], 0).await;
    }
}

#[tokio::test]
async fn what_is_malformed_within_a_seat() {
    let empty_objects = format!("{}{{}}{}", "{\"a\":".repeat(32), "}".repeat(32));
    let rows: Vec<(&str, &[u8])> = vec![
        ("cut off", b"{\"accounts\":[{\"tier\":\"basic\"}]"),
        ("trailing text", b"{\"accounts\":[{\"tier\":\"basic\"}]} x"),
        ("duplicate lists", br#"{"accounts":[{"tier":"basic"}],"accounts":[{"tier":"basic"}]}"#),
        ("duplicate keys", br#"{"accounts":[{"tier":"basic","tier":"premium"}]}"#),
        ("one of them escaped", br#"{"accounts":[{"tier":"basic","\u0074ier":"basic"}]}"#),
        ("a list of seats alone", br#"[{"tier":"basic"}]"#),
        ("the fields in a list", br#"[[{"tier":"basic"}]]"#),
        ("lone leading surrogate", br#"{"accounts":[{"tier":"basic","tag":"\ud800"}]}"#),
        ("lone trailing surrogate", br#"{"accounts":[{"tier":"basic","tag":"\udc00"}]}"#),
        ("lone surrogate in a name", br#"{"accounts":[{"tier":"basic","\ud800":1}]}"#),
        ("invalid UTF-8 in a value", b"{\"accounts\":[{\"tier\":\"basic\",\"tag\":\"\xff\"}]}"),
        ("invalid UTF-8 in a name", b"{\"accounts\":[{\"tier\":\"basic\",\"\xff\":1}]}"),
        ("trailing comma", br#"{"accounts":[{"tier":"basic"},]}"#),
        ("raw newline", b"{\"accounts\":[{\"tier\":\"basic\",\"tag\":\"a\nb\"}]}"),
        ("33 levels of empty objects", empty_objects.as_bytes()),
    ];
    let mut calls: Vec<(&str, Call)> =
        rows.into_iter().map(|(what, body)| (what, Call::bytes(body))).collect();
    // What the gateway makes of bytes that are not UTF-8 when it hands over text.
    let repaired = "{\"accounts\":[{\"tier\":\"basic\",\"tag\":\"\u{FFFD}\"}]}";
    calls.push(("repaired UTF-8", Call::text(repaired)));
    for not_base64 in ["a", "abc", "====", "YQ", "e30\n", "{\"accounts\":[{\"tier\":\"basic\"}]}"] {
        calls.push((not_base64, Call::raw_base64(not_base64)));
    }
    let bench = Bench::new().await;
    for (what, call) in calls {
        let call = call.bearer(&bench.api_key);
        // The message goes on with the reason and the place, for a person.
        let said = bench.send(&call).await.json()["message"].clone();
        let said = said.as_str().unwrap_or_default();
        let known = "The request body is not a valid JSON object: ";
        assert!(said.starts_with(known) && said.len() < 150, "{what}: {said}");
        bench.refuses(what, &call, &refusal(400, "invalid_request", said)).await;
    }
}

#[tokio::test]
async fn thirty_two_levels_are_read() {
    let bench = Bench::new().await;
    let objects = format!("{}0{}", "{\"a\":".repeat(32), "}".repeat(32));
    let arrays = format!("{{\"a\":{}{}}}", "[".repeat(31), "]".repeat(31));
    for body in [objects, arrays] {
        let expected = faults(
            "invalid_request",
            "The request has 2 faults; see errors.",
            &[
                (None, "a", "unknown_field", "a is not a field of this request."),
                (None, "accounts", "required", "accounts is required."),
            ],
        );
        bench.refuses(&body, &bench.text(body.as_str()), &expected).await;
    }
}

#[tokio::test]
async fn a_body_is_measured_in_bytes() {
    let bench = Bench::new().await;
    let wide = format!("{{\"accounts\":[{{\"tier\":\"{}\"}}]}}", "é".repeat(MAX_BODY / 2));
    let message = "The request body is larger than 4000 KiB.";
    let body = refusal(413, "payload_too_large", message);
    bench.refuses("wide characters", &bench.text(wide), &body).await;
}

#[tokio::test]
async fn base64_bodies_and_headers_that_are_not_ascii() {
    let bench = Bench::new().await;
    let body = br#"{"accounts":[{"tier":"basic","tag":"na\u00efve caf\u00e9"}]}"#;
    let plain = "{\"accounts\":[{\"tier\":\"basic\",\"tag\":\"naïve café\"}]}";
    for call in [Call::bytes(body), Call::bytes(plain.as_bytes()), Call::text(plain)] {
        let call = call
            .bearer(&bench.api_key)
            .header("user-agent", "naïve café 🚀")
            .header("x-forwarded-for", "é")
            .header("host", "é");
        let created = bench.creates("non-ASCII", &call, vec![uninitialized("basic")], 0).await;
        let seat = bench.seat(&created.ids[0]).await;
        assert_eq!(text_of(&seat, "tag"), Some("naïve café"));
    }
}

// ------------------------------------------------------------------------------ Credentials

#[tokio::test]
async fn every_bad_credential_has_one_and_the_same_answer() {
    let bench = Bench::new().await;
    let (id, secret) = bench.api_key.rsplit_once('_').expect("an id and a secret");
    let everything = [Permission::AccountsCreate, Permission::AgencyCreateAccounts];
    let agency = bench.stage.agency_tenant().await;
    let app = Holder::App {
        app: AppLcuid::parse(&agency.app).expect("an id"),
        agency: AgencyLcuid::parse(&agency.lcuid).expect("an id"),
    };
    let app = bench.stage.credential(app, &everything).await;
    let administrator = bench.stage.credential(Holder::Administrator, &everything).await;
    let holder = Holder::Organization(bench.organization.clone());
    let mut rows = bad_credentials(&bench.stage, &holder, Permission::AccountsCreate).await;
    rows.extend([
        ("user and password", "Basic dXNlcjpwYXNzd29yZA==".to_owned()),
        ("upper-case secret", format!("Bearer {id}_{}", secret.to_uppercase())),
        ("an app's token", format!("Bearer {app}")),
        ("an administrator's token", format!("Bearer {administrator}")),
    ]);

    let call = bench.seats(json!([{"tier": "basic"}]));
    let without = call.clone().without("authorization");
    bench.refuses("none", &without, &unauthorized()).await;
    let answer = bench.send(&without).await;
    for (what, authorization) in rows {
        let call = call.clone().header("authorization", &authorization);
        bench.refuses(what, &call, &unauthorized()).await;
        assert_eq!(bench.send(&call).await, answer, "{what}: told apart");
    }
}

#[tokio::test]
async fn good_credentials() {
    let bench = Bench::new().await;
    let call = bench.seats(json!([{"tier": "basic"}]));
    let hour = bench.stage.ports.now() + SignedDuration::from_hours(1);
    let (credential, lasts) = Credential::issue(
        Holder::Organization(bench.organization.clone()),
        BTreeSet::from([Permission::AccountsCreate]),
        Some(hour),
        &bench.stage.ports,
        &bench.stage.ports,
    )
    .expect("entropy");
    bench.stage.keep(&credential).await;
    let lasts = reveal(&lasts);
    for authorization in [
        format!("Bearer {}", bench.api_key),
        format!("bearer {}", bench.api_key),
        format!("Bearer {lasts}"),
    ] {
        let call = call.clone().header("authorization", &authorization);
        bench.creates(&authorization, &call, vec![uninitialized("basic")], 0).await;
    }
    // What a warm process remembers does not outlive the credential.
    bench.stage.ports.advance(SignedDuration::from_hours(1));
    bench.refuses("expired by now", &call.bearer(lasts), &unauthorized()).await;
}

#[tokio::test]
async fn a_credential_is_revoked_within_thirty_seconds() {
    let bench = Bench::new().await;
    let call = bench.seats(json!([{"tier": "basic"}]));
    bench.creates("before", &call, vec![uninitialized("basic")], 0).await;
    let id = bench.api_key.split('_').nth(1).expect("an id");
    let revoked = AttributeValue::Bool(true);
    let pk = format!("CREDENTIAL#{id}");
    bench.stage.set(&pk, "CREDENTIAL", "revoked", revoked).await;
    bench.stage.ports.advance(SignedDuration::from_secs(30));
    bench.refuses("revoked", &call, &unauthorized()).await;
}

#[tokio::test]
async fn a_key_without_the_permission() {
    let bench = Bench::new().await;
    let forbidden = refusal(403, "forbidden", "This API key lacks the permission accounts:create.");
    for permissions in [&[][..], &[Permission::AgencyCreateAccounts]] {
        let holder = Holder::Organization(bench.organization.clone());
        let key = bench.stage.credential(holder, permissions).await;
        let call = bench.seats(json!([{"tier": "basic"}])).bearer(&key);
        bench.refuses("no permission", &call, &forbidden).await;
    }
}

// ------------------------------------------------------------------------------ Billing

#[tokio::test]
async fn only_an_organization_that_is_billed_gets_seats() {
    use SubscriptionStatus::{
        Active, Canceled, Incomplete, IncompleteExpired, PastDue, Paused, Trialing, Unpaid,
    };
    for status in [Active, Trialing, PastDue] {
        let bench = Bench::with(Some(status), 10).await;
        let call = bench.seats(json!([{"tier": "basic"}, {"tier": "premium"}]));
        let accounts = vec![uninitialized("basic"), uninitialized("premium")];
        bench.creates(status.as_str(), &call, accounts, 0).await;
        assert_eq!(bench.count().await, (2, 1, 1, 1));
    }
    let refused = [Canceled, Unpaid, Incomplete, IncompleteExpired, Paused];
    for status in refused.map(Some).into_iter().chain([None]) {
        let bench = Bench::with(status, 10).await;
        for call in [
            bench.seats(json!([{"tier": "basic"}])),
            bench.seats(json!([{"tier": "basic"}])).key("k"),
            bench.seats(vec![json!({"tier": "basic"}); 11]),
            bench.seats(vec![json!({"tier": "basic"}); 300]),
        ] {
            bench.refuses(&format!("{status:?}"), &call, &no_billing()).await;
        }
        assert_eq!(bench.count().await, (0, 0, 0, 0));
    }
}

#[tokio::test]
async fn the_seat_limit_to_the_seat() {
    let bench = Bench::with(Some(SubscriptionStatus::Active), 3).await;
    let of = |count| bench.seats(vec![json!({"tier": "premium"}); count]);
    let made = |count| vec![uninitialized("premium"); count];
    bench.refuses("four of three", &of(4), &seat_limit_reached()).await;
    bench.creates("two of three", &of(2), made(2), 0).await;
    bench.refuses("two of one", &of(2), &seat_limit_reached()).await;
    bench.creates("one of one", &of(1), made(1), 0).await;
    bench.refuses("one of none", &of(1), &seat_limit_reached()).await;
    assert_eq!(bench.count().await, (3, 0, 3, 2));
}

#[tokio::test]
async fn what_fits_one_transaction_is_all_or_nothing() {
    // 100 actions less the billing record, and less the idempotency record where there is one.
    for (count, key) in [(99, None), (98, Some("k"))] {
        let bench = Bench::with(Some(SubscriptionStatus::Active), count as u64 - 1).await;
        let seats = vec![json!({"tier": "basic"}); count];
        let call = key.iter().fold(bench.seats(seats), |call, key| call.key(key));
        bench.refuses("one too many", &call, &seat_limit_reached()).await;
        bench.leave_room_for(count as u64).await;
        let accounts = vec![uninitialized("basic"); count];
        bench.creates("just enough", &call, accounts, 0).await;
        assert_eq!(bench.count().await.3, 1, "one transaction");
    }
}

#[tokio::test]
async fn a_long_request_stops_at_the_seat_limit_and_says_so() {
    let bench = Bench::with(Some(SubscriptionStatus::Active), 250).await;
    let call = bench.seats(vec![json!({"tier": "basic"}); 300]);
    let accounts = vec![uninitialized("basic"); 198];
    bench.creates("two transactions of 99", &call, accounts, 102).await;
    assert_eq!(bench.count().await, (198, 198, 0, 2));
    // The last 3 of 102 would fit, but a series ends where it stops.
    let call = bench.seats(vec![json!({"tier": "basic"}); 102]);
    bench.refuses("the rest", &call, &seat_limit_reached()).await;
}

#[tokio::test]
async fn an_interrupted_request_goes_on_under_its_key() {
    let bench = Bench::with(Some(SubscriptionStatus::Active), 100).await;
    let seats: Vec<Value> = (0..300).map(|n| with("username", format!("creator{n}"))).collect();
    let accounts: Vec<Value> =
        (0..300).map(|n| pending("premium", "tiktok", &format!("creator{n}"))).collect();
    let call = bench.seats(seats.clone()).key("import-7");
    let made = |count: usize| accounts[..count].to_vec();

    let first = bench.creates("room for one of four", &call, made(98), 202).await;
    assert!(!first.reply.is_replay());
    let again = bench.creates("still no room", &call, made(98), 202).await;
    assert_eq!(again.reply.text, first.reply.text);
    assert!(again.reply.is_replay(), "nothing was done");
    assert_eq!(bench.count().await, (98, 0, 98, 1));

    // What stops it need not be what stopped it before.
    bench.leave_room_for(1_000).await;
    bench.subscription_becomes(SubscriptionStatus::Unpaid).await;
    let unpaid = bench.creates("unpaid by now", &call, made(98), 202).await;
    assert_eq!(unpaid.ids, first.ids);
    bench.subscription_becomes(SubscriptionStatus::Active).await;
    bench.leave_room_for(100).await;
    let second = bench.creates("room for one more", &call, made(196), 104).await;
    assert!(!second.reply.is_replay(), "something was done");
    assert_eq!(second.ids[..98], first.ids);

    bench.leave_room_for(1_000).await;
    let third = bench.creates("room for all", &call, made(300), 0).await;
    assert_eq!(third.ids[..196], second.ids);
    assert!(!third.reply.is_replay());
    assert_eq!(bench.count().await, (300, 0, 300, 4));

    let last = bench.creates("all there", &call, made(300), 0).await;
    assert_eq!(last.reply.text, third.reply.text);
    assert!(last.reply.is_replay());
    assert_eq!(bench.count().await, (300, 0, 300, 4));

    let other = bench.seats(&seats[..299]).key("import-7");
    bench.refuses("another body", &other, &key_reused()).await;
}

// ------------------------------------------------------------------------------ Idempotency

#[tokio::test]
async fn a_request_is_carried_out_once_under_its_key() {
    let bench = Bench::new().await;
    let longest = "k".repeat(255);
    for key in ["k", "~!#$%&'()*+/:;<=>?@[]^_`{|}", &longest] {
        let before = bench.count().await.0;
        let call = bench.seats(json!([{"tier": "basic"}, full_seat()])).key(key);
        let accounts = vec![uninitialized("basic"), pending("premium", "tiktok", "newcreator")];
        let first = bench.creates(key, &call, accounts.clone(), 0).await;
        assert!(!first.reply.is_replay());
        for _ in 0..3 {
            let again = bench.creates(key, &call, accounts.clone(), 0).await;
            assert!(again.reply.is_replay());
            assert_eq!(again.reply.status, first.reply.status);
            assert_eq!(again.reply.text, first.reply.text);
        }
        assert_eq!(bench.count().await.0, before + 2);
    }
}

#[tokio::test]
async fn an_answer_comes_back_whatever_has_changed_since() {
    let bench = Bench::with(Some(SubscriptionStatus::Active), 1).await;
    let call = bench.seats(json!([{"tier": "basic"}])).key("k");
    let made = vec![uninitialized("basic")];
    let first = bench.creates("the seat", &call, made.clone(), 0).await;
    bench.subscription_becomes(SubscriptionStatus::Canceled).await;
    let again = bench.creates("canceled", &call, made.clone(), 0).await;
    assert_eq!(again.reply.text, first.reply.text);
    assert!(again.reply.is_replay());
    // Another process, and another API key of the same organization.
    let call = call.bearer(&bench.stage.api_key(&bench.organization).await);
    let cold = Function { store: bench.stage.cold_table(), ..bench.stage.create_seats() };
    assert_eq!(call.send(&cold).await, again.reply);
}

#[tokio::test]
async fn a_key_with_another_body_does_nothing() {
    let bench = Bench::new().await;
    let call = bench.text("{\"accounts\":[{\"tier\":\"basic\"}]}").key("k");
    bench.creates("the first", &call, vec![uninitialized("basic")], 0).await;
    for other in [
        "{\"accounts\":[{\"tier\":\"premium\"}]}",
        "{\"accounts\":[{\"tier\":\"basic\"},{\"tier\":\"basic\"}]}",
        "{\"accounts\":[{\"tier\":\"basic\",\"tag\":\"a\"}]}",
    ] {
        bench.refuses(other, &bench.text(other).key("k"), &key_reused()).await;
    }
    // Before anything else is said about the other body.
    bench.subscription_becomes(SubscriptionStatus::Canceled).await;
    let other = bench.seats(json!([{"tier": "premium"}])).key("k");
    bench.refuses("canceled", &other, &key_reused()).await;
}

#[tokio::test]
async fn a_refusal_does_not_use_up_its_key() {
    let bench = Bench::with(None, 0).await;
    let call = bench.seats(json!([{"tier": "basic"}])).key("k");
    let faulty = bench.seats(json!([])).key("k");
    let count = fault(None, "accounts", "count", "accounts must have 1 to 1000 entries.");
    let nobody = call.clone().without("authorization");
    bench.refuses("401", &nobody, &unauthorized()).await;
    bench.refuses("400", &faulty, &count).await;
    bench.refuses("402", &call, &no_billing()).await;
    bench.subscription_becomes(SubscriptionStatus::Active).await;
    bench.refuses("409", &call, &seat_limit_reached()).await;
    bench.leave_room_for(1).await;
    let created = bench.creates("at last", &call, vec![uninitialized("basic")], 0).await;
    assert!(!created.reply.is_replay());
}

#[tokio::test]
async fn a_key_belongs_to_its_caller() {
    let bench = Bench::new().await;
    let call = bench.seats(json!([{"tier": "basic"}])).key("k");
    bench.creates("one", &call, vec![uninitialized("basic")], 0).await;
    let (other, other_key) = bench.stage.seats_tenant().await;
    for accounts in [json!([{"tier": "premium"}]), json!([{"tier": "premium"}])] {
        let call = bench.seats(accounts).key("k").bearer(&other_key);
        assert_eq!(bench.send(&call).await.status, 200);
    }
    assert_eq!(bench.stage.seats(&other).await, (1, 0, 1, 1));
    assert_eq!(bench.count().await, (1, 1, 0, 1));
}

#[tokio::test]
async fn a_key_lives_for_a_day() {
    let bench = Bench::new().await;
    let call = bench.seats(json!([{"tier": "basic"}])).key("k");
    let other = bench.seats(json!([{"tier": "premium"}])).key("k");
    let made = vec![uninitialized("basic")];
    let first = bench.creates("the first", &call, made.clone(), 0).await;
    let day = SignedDuration::from_hours(24);
    bench.stage.ports.advance(day - SignedDuration::from_secs(1));
    let again = bench.creates("a second before", &call, made, 0).await;
    assert_eq!(again.reply.text, first.reply.text);
    bench.refuses("a second before", &other, &key_reused()).await;
    // DynamoDB has not deleted the record yet; it counts as gone all the same.
    bench.stage.ports.advance(SignedDuration::from_secs(1));
    let new = bench.creates("a day later", &other, vec![uninitialized("premium")], 0).await;
    assert!(!new.reply.is_replay());
    bench.refuses("the first body by now", &call, &key_reused()).await;
    assert_eq!(bench.count().await, (2, 1, 1, 2));
}

#[tokio::test]
async fn a_thousand_seats_under_a_key() {
    let bench = Bench::new().await;
    let call = bench.seats(vec![json!({"tier": "basic"}); 1_000]).key("k");
    let made = vec![uninitialized("basic"); 1_000];
    bench.stage.operations.take();
    let first = bench.creates("a thousand", &call, made.clone(), 0).await;
    assert!(first.ids.is_sorted());
    let again = bench.creates("again", &call, made, 0).await;
    assert!(again.reply.is_replay());
    assert_eq!(again.reply.text, first.reply.text);
    // 98 seats to a transaction.
    assert_eq!(bench.count().await, (1_000, 1_000, 0, 11));
}

#[tokio::test]
async fn what_is_kept_for_a_replay_tells_nothing_about_the_body() {
    let bench = Bench::new().await;
    let call = bench.seats(json!([with("nick_name", "Ms. Secret")])).key("my-key");
    bench.send(&call).await;
    let records = bench.stage.items_under("IDEMPOTENCY#").await;
    assert_eq!(records.len(), 1);
    let record = format!("{records:?}");
    for secret in ["Secret", "my-key", &bench.api_key] {
        assert!(!record.contains(secret), "{secret}");
    }
}

// ------------------------------------------------------------------------------ DynamoDB in trouble

/// The function on a DynamoDB at this address.
fn function_on(bench: &Bench, address: std::net::SocketAddr) -> Function<Table, Ports> {
    let config = bench.stage.client.config().to_builder();
    let config = config
        .endpoint_url(format!("http://{address}"))
        .retry_config(RetryConfig::disabled())
        .build();
    let ports = Arc::new(bench.stage.ports.clone());
    Function {
        store: Table::new(Client::from_conf(config), "headcount", ports.clone(), ports),
        ..bench.stage.create_seats()
    }
}

/// Nothing about how it is built, in headers or body.
fn tells_no_internals(reply: &Reply) {
    let said = format!("{:?}{}", reply.headers, reply.text).to_lowercase();
    for internal in ["dynamo", "headcount", "127.0.0.1", "exception", "sdk", "aws", "error trying"]
    {
        assert!(!said.contains(internal), "{said}");
    }
}

#[tokio::test]
async fn a_dynamodb_that_is_down_is_a_503() {
    let bench = Bench::new().await;
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.expect("a port");
    let nobody = listener.local_addr().expect("an address");
    drop(listener);
    let call = bench.seats(json!([{"tier": "basic"}]));
    let reply = call.send(&function_on(&bench, nobody)).await;
    assert_eq!((reply.status, reply.json()), (503, unavailable()));
    assert_eq!(reply.header("retry-after"), "1");
    assert_eq!(reply.header("x-request-id"), "request-1");
    tells_no_internals(&reply);
}

#[tokio::test]
async fn a_transaction_that_fails_for_no_known_reason_is_a_503() {
    let bench = Bench::new().await;
    let call = bench.seats(json!([{"tier": "basic"}]));
    // The credential is known from now on; then the table is gone.
    bench.send(&call).await;
    let delete = bench.stage.client.delete_table().table_name("headcount");
    delete.send().await.expect("a table less");
    for call in [call.clone(), call.key("k")] {
        let reply = bench.send(&call).await;
        assert_eq!((reply.status, reply.json()), (503, unavailable()));
        assert_eq!(reply.header("retry-after"), "1");
        tells_no_internals(&reply);
    }
}

#[tokio::test]
async fn a_dynamodb_that_throttles_is_a_429() {
    let bench = Bench::new().await;
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.expect("a port");
    let address = listener.local_addr().expect("an address");
    tokio::spawn(async move {
        let body = r#"{"__type":"com.amazonaws.dynamodb.v20120810#ThrottlingException","message":"Rate of requests exceeds the allowed throughput of table headcount."}"#;
        let answer = format!(
            "HTTP/1.1 400 Bad Request\r\ncontent-type: application/x-amz-json-1.0\r\ncontent-length: {}\r\nconnection: close\r\n\r\n{body}",
            body.len()
        );
        while let Ok((mut connection, _)) = listener.accept().await {
            // The request fits one read; what it says does not matter.
            let mut request = [0; 16 * 1024];
            let length = connection.read(&mut request).await.expect("a request");
            assert!(length > 0);
            connection.write_all(answer.as_bytes()).await.expect("an answer");
        }
    });
    let call = bench.seats(json!([{"tier": "basic"}]));
    let reply = call.send(&function_on(&bench, address)).await;
    let body = refusal(429, "rate_limited", "Too many requests; try again shortly.");
    assert_eq!((reply.status, reply.json()), (429, body));
    assert_eq!(reply.header("retry-after"), "1");
    tells_no_internals(&reply);
}

#[tokio::test]
async fn a_long_request_becomes_new_as_a_whole() {
    let stage = Stage::new().await;
    let organization = stage.organization(Some(SubscriptionStatus::Active), 98).await;
    let api_key = stage.api_key(&organization).await;
    let seats = |count| {
        let accounts = vec![json!({"tier": "basic"}); count];
        Call::json(&json!({ "accounts": accounts })).bearer(&api_key).key("long")
    };
    let function = stage.create_seats();
    let first = seats(150).send(&function).await;
    assert_eq!(
        (&first.json()["data"]["successful"], &first.json()["data"]["failed"]),
        (&json!(98), &json!(52))
    );

    // An hour before the record of the first part ends, the rest is created.
    let room = aws_sdk_dynamodb::types::AttributeValue::N("10000".to_owned());
    stage.set(&format!("ORG#{organization}"), "BILLING", "seats_left", room).await;
    stage.ports.advance(SignedDuration::from_hours(23));
    let second = seats(150).send(&function).await;
    assert_eq!(second.json()["data"]["failed"], 0);
    assert_eq!(stage.seats(&organization).await.0, 150);

    // After it has ended, nothing of the old request answers: neither the same body nor another.
    stage.ports.advance(SignedDuration::from_hours(1));
    let third = seats(150).send(&function).await;
    assert!(!third.is_replay());
    assert_eq!(third.json()["data"]["successful"], 150);
    assert_eq!(stage.seats(&organization).await.0, 300);
    let other = seats(151).send(&function).await;
    assert_eq!((other.status, &other.json()["error"]), (422, &json!("idempotency_key_reused")));
    assert_eq!(stage.seats(&organization).await.0, 300);
}
