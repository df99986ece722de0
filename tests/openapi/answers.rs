//! Everything that the document says an endpoint answers is made to happen, and compared to the
//! byte with the document's example, but for what is new each time.

use std::collections::BTreeSet;
use std::sync::Arc;

use aws_sdk_dynamodb::Client;
use aws_sdk_dynamodb::config::retry::RetryConfig;
use aws_sdk_dynamodb::types::AttributeValue;
use axum::Router;
use axum::http::StatusCode;
use headcount_api::Endpoint;
use headcount_billing::message;
use headcount_model::agency::{Agency, AgencyAccount, NewAgencyAccount};
use headcount_model::billing::BillingChange;
use headcount_model::credential::{Holder, Permission, Presented};
use headcount_model::history::{By, Change, SeatChange};
use headcount_model::id::{
    AgencyAccountLcuid, AgencyLcuid, AppLcuid, CredentialId, OrganizationId, SeatId,
};
use headcount_model::identity::{AccountStatus, Session, SessionId};
use headcount_model::port::Clock;
use headcount_model::text::Text;
use headcount_store::{Limits, SpendingLimit, Table};
use headcount_tests::billing::{Billing, SIGNING_SECRET, batch, reached};
use headcount_tests::{Call, OwnTenant, Reply, Stage};
use jiff::SignedDuration;
use serde_json::{Value, json};
use stripe_stand_in::sign_webhook;

use crate::document::Document;

/// One more than the largest body of any endpoint, in bytes.
const TOO_MANY_BYTES: usize = 4_000 * 1024 + 1;

/// The header of an answer that was given before.
const REPLAYED: &str = "idempotency-replayed";

/// What is new in each answer.
const NEW_EACH_TIME: [&str; 21] = [
    "url",
    "key",
    "access_token",
    "refresh_token",
    "session_id",
    "invalidated_session_id",
    "id",
    "lcuid",
    "quote_id",
    "billing_id",
    "expires_at",
    "proration_amount",
    "current_period_start",
    "current_period_end",
    "begun_at",
    "answered_at",
    "at",
    "credential",
    "request_id",
    "next_cursor",
    "ends_at",
];

/// What an operation answered, by the keys of the document's examples.
struct Answered {
    document: Document,
    operation: &'static str,
    replies: Vec<(&'static str, Reply)>,
}

impl Answered {
    fn new(operation: &'static str) -> Self {
        Self { document: Document::new(), operation, replies: Vec::new() }
    }

    fn add(&mut self, key: &'static str, reply: Reply) {
        self.replies.push((key, reply));
    }

    fn example(&self, key: &str) -> Value {
        self.document.request(self.operation, key)
    }

    /// Sends the document's example of a request.
    async fn send(&mut self, key: &'static str, call: impl Fn(Call) -> Call, to: &impl Endpoint) {
        let reply = call(Call::json(&self.example(key))).send(to).await;
        self.add(key, reply);
    }

    /// Sends the document's example of a request, which is answered otherwise here.
    async fn send_as(
        &mut self,
        key: &'static str,
        example: &str,
        call: impl Fn(Call) -> Call,
        to: &impl Endpoint,
    ) {
        let reply = call(Call::json(&self.example(example))).send(to).await;
        self.add(key, reply);
    }

    /// What is refused before fields are looked at, and a table that is in trouble. `good` is a
    /// body that the endpoint accepts.
    async fn unreadable(&mut self, good: &Value, call: impl Fn(Call) -> Call, to: &impl Endpoint) {
        for (key, body) in [
            ("malformed_json", Call::text(api_reference::SLIP)),
            ("payload_too_large", Call::text(" ".repeat(TOO_MANY_BYTES))),
            ("not_json", Call::json(good).header("content-type", "text/plain")),
            ("encoded", Call::json(good).header("content-encoding", "gzip")),
        ] {
            let reply = call(body).send(to).await;
            self.add(key, reply);
        }
    }

    /// What can be wrong with an idempotency key. `other` is accepted as well as `good`.
    async fn keys(
        &mut self,
        (good, other): (&Value, &Value),
        call: impl Fn(Call) -> Call,
        to: &impl Endpoint,
    ) {
        let reply = call(Call::json(good)).key("two words").send(to).await;
        self.add("bad_idempotency_key", reply);

        let first = call(Call::json(good)).key("reused").send(to).await;
        let again = call(Call::json(good)).key("reused").send(to).await;
        assert_eq!((&first.text, first.status), (&again.text, again.status));
        assert!(self.any_with(first.status).headers.contains(REPLAYED), "{first:?}");
        assert!(!first.is_replay() && again.is_replay(), "{again:?}");
        let reply = call(Call::json(other)).key("reused").send(to).await;
        self.add("idempotency_key_reused", reply);
    }

    /// Any of the document's answers with a status.
    fn any_with(&self, status: u64) -> crate::document::Answer {
        let mut answers = self.document.answers().into_iter();
        let found =
            answers.find(|answer| answer.operation == self.operation && answer.status == status);
        found.unwrap_or_else(|| panic!("{} has no {status}", self.operation))
    }

    /// Holds what happened against the document: every example is there, no other answer is, and
    /// each is as documented.
    fn check(self) {
        let documented: Vec<_> = self
            .document
            .answers()
            .into_iter()
            .filter(|answer| answer.operation == self.operation)
            .collect();
        let keys: BTreeSet<&str> = documented.iter().map(|answer| answer.key.as_str()).collect();
        let happened: BTreeSet<&str> = self.replies.iter().map(|(key, _)| *key).collect();
        assert_eq!(happened, keys, "{}: what happened, and what is documented", self.operation);
        for (key, reply) in &self.replies {
            let what = format!("{} {key}: {reply:?}", self.operation);
            let example = documented.iter().find(|answer| answer.key == *key).expect("it is there");
            assert_eq!(reply.status, example.status, "{what}");
            let body = reply.json();
            self.document.holds(&example.schema, &body, &what);
            assert_eq!(masked(body), masked(example.example.clone()), "{what}");
            check_headers(reply, &example.headers, &what);
        }
    }
}

/// Every header that is always there has to be; nothing that is not documented may be.
fn check_headers(reply: &Reply, documented: &BTreeSet<String>, what: &str) {
    let there: BTreeSet<String> = reply.headers.keys().map(|name| name.to_lowercase()).collect();
    for name in documented.iter().filter(|name| *name != REPLAYED) {
        assert!(there.contains(name), "{what}: {name} is missing");
    }
    for name in there.iter().filter(|name| *name != "content-type") {
        assert!(documented.contains(name), "{what}: {name} is not documented");
    }
}

/// A body without what is new each time.
fn masked(body: Value) -> Value {
    match body {
        Value::Object(members) => {
            let member = |(name, value): (String, Value)| {
                let new = NEW_EACH_TIME.contains(&name.as_str());
                (name, if new { Value::Null } else { masked(value) })
            };
            members.into_iter().map(member).collect()
        }
        Value::Array(elements) => elements.into_iter().map(masked).collect(),
        other => other,
    }
}

/// A table that takes nothing any more.
async fn throttled(stage: &Stage) -> Table {
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.expect("a free port");
    let address = listener.local_addr().expect("an address");
    let error = r#"{"__type":"com.amazonaws.dynamodb.v20120810#ThrottlingException"}"#;
    let server = Router::new().fallback(move || async move { (StatusCode::BAD_REQUEST, error) });
    tokio::spawn(async move { axum::serve(listener, server).await });
    let config = stage.client.config().to_builder();
    let config = config
        .endpoint_url(format!("http://{address}"))
        .retry_config(RetryConfig::disabled())
        .build();
    let ports = Arc::new(stage.ports.clone());
    Table::new(Client::from_conf(config), "headcount", ports.clone(), ports)
}

/// What all endpoints of the Seats API refuse in the same way.
async fn seats_refusals(
    answered: &mut Answered,
    stage: &Stage,
    permission: &[Permission],
    good: &Call,
    to: &impl Endpoint,
) {
    credential_refusals(answered, stage, good, to).await;
    let organization = stage.organization(None, 10).await;
    let key = stage.credential(Holder::Organization(organization), permission).await;
    answered.add("no_billing", good.clone().bearer(&key).send(to).await);
}

/// What a key of the Seats API is refused for.
async fn credential_refusals(
    answered: &mut Answered,
    stage: &Stage,
    good: &Call,
    to: &impl Endpoint,
) {
    answered.add("unauthorized", good.send(to).await);
    let organization = stage.organization(None, 10).await;
    let key = stage.credential(Holder::Organization(organization), &[]).await;
    answered.add("forbidden", good.clone().bearer(&key).send(to).await);
}

/// Organizations whose limits leave no room, each with its key.
async fn without_room(stage: &Stage) -> [(&'static str, String); 2] {
    let (full, full_key) = stage.seats_tenant().await;
    let limits = Limits { seats: Some(0), spending: None };
    stage.table.set_limits(&full, limits).await.expect("an organization");
    let (poor, poor_key) = stage.seats_tenant().await;
    let limits = Limits { seats: None, spending: Some(SpendingLimit::Cents(1)) };
    stage.table.set_limits(&poor, limits).await.expect("an organization");
    [("seat_limit_reached", full_key), ("spending_limit_reached", poor_key)]
}

const BASIC_SEAT: &str = r#"{"accounts":[{"tier":"basic"}]}"#;

#[tokio::test]
async fn create_seats_answers_as_documented() {
    let (stage, billing) = (Stage::new().await, Billing::new().await);
    let billed = billing.organization(&stage).await;
    let function = create_seats::Function { tiers: billing.tiers(), ..stage.create_seats() };
    let mut answered = Answered::new("createSeats");
    let call = |call: Call| call.bearer(&billed.api_key);
    for key in ["two_seats", "one_seat", "missing_detail_fields", "invalid_request"] {
        answered.send(key, call, &function).await;
    }
    let (two, one) = (answered.example("two_seats"), answered.example("one_seat"));
    let good = Call::json(&two);
    answered.unreadable(&two, call, &function).await;
    answered.keys((&two, &one), call, &function).await;
    let creates = [Permission::AccountsCreate];
    seats_refusals(&mut answered, &stage, &creates, &good, &function).await;
    for (key, api_key) in without_room(&stage).await {
        answered.add(key, good.clone().bearer(&api_key).send(&function).await);
    }

    let quoted = call(Call::json(&one)).send(&stage.quote_seats(&billing)).await;
    let mut held = one.clone();
    held["quote_id"] = quoted.json()["data"]["quote_id"].clone();
    stage.ports.advance(SignedDuration::from_hours(2));
    answered.add("quote_expired", call(Call::json(&held)).send(&function).await);

    let store = throttled(&stage).await;
    let throttled = create_seats::Function { store, ..stage.create_seats() };
    answered.add("rate_limited", call(good.clone()).send(&throttled).await);
    stage.wire.cut();
    answered.add("service_unavailable", call(good).send(&function).await);
    answered.check();
}

#[tokio::test]
async fn quote_seats_answers_as_documented() {
    let (stage, billing) = (Stage::new().await, Billing::new().await);
    let billed = billing.organization(&stage).await;
    let function = stage.quote_seats(&billing);
    let mut answered = Answered::new("quoteSeats");
    let call = |call: Call| call.bearer(&billed.api_key);
    let seat = call(Call::text(BASIC_SEAT)).send(&stage.create_seats()).await;
    assert_eq!(seat.status, 200, "{seat:?}");
    for key in ["two_seats", "missing_detail_fields", "invalid_request"] {
        answered.send(key, call, &function).await;
    }
    let good = answered.example("two_seats");
    answered.unreadable(&good, call, &function).await;
    let good = Call::json(&good);
    let creates = [Permission::AccountsCreate];
    seats_refusals(&mut answered, &stage, &creates, &good, &function).await;
    for (key, api_key) in without_room(&stage).await {
        answered.add(key, good.clone().bearer(&api_key).send(&function).await);
    }
    let throttled =
        quote_seats::Function { store: throttled(&stage).await, ..stage.quote_seats(&billing) };
    answered.add("rate_limited", call(good.clone()).send(&throttled).await);
    stage.wire.cut();
    answered.add("service_unavailable", call(good).send(&function).await);
    answered.check();
}

/// An organization whose seats, those of the examples, can be changed, and a key that may do so.
async fn changing(stage: &Stage) -> (OrganizationId, String) {
    let (organization, _) = stage.seats_tenant().await;
    for id in api_reference::ACCOUNTS {
        let seat = SeatId::parse(id).expect("an id");
        stage.table.create_deactivated_seat(&organization, &seat).await.expect("a seat");
        let status = AttributeValue::S("uninitialized".to_owned());
        let (pk, sk) = (format!("ORG#{organization}"), format!("SEAT#{id}"));
        stage.set(&pk, &sk, "status", status).await;
        // As of one that was created.
        stage.remove(&pk, &sk, "version").await;
    }
    let holder = Holder::Organization(organization.clone());
    let key = stage.credential(holder, &[Permission::AccountsUpdate]).await;
    (organization, key)
}

#[tokio::test]
async fn update_seats_answers_as_documented() {
    let stage = Stage::new().await;
    let function = stage.update_seats();
    let mut answered = Answered::new("updateSeats");
    for example in ["one_account", "several_accounts"] {
        let (_, key) = changing(&stage).await;
        answered.send(example, |call| call.bearer(&key), &function).await;
    }
    let (organization, api_key) = changing(&stage).await;
    let call = |call: Call| call.bearer(&api_key);
    answered.send("invalid_request", call, &function).await;
    let of = |field: &str, value: Value| {
        Call::json(&json!({"accountId": api_reference::ACCOUNTS[0], "tag": "x", field: value}))
    };
    let part =
        json!({"accountId": api_reference::ACCOUNTS[0], "platform": "tiktok", "username": "a"});
    let reply = call(Call::json(&part)).send(&function).await;
    answered.add("missing_detail_fields", reply);
    let reply = call(of("version", json!(7))).send(&function).await;
    answered.add("version_mismatch", reply);
    let (one, several) = (answered.example("one_account"), answered.example("several_accounts"));
    answered.unreadable(&one, call, &function).await;
    answered.keys((&one, &several), call, &function).await;
    let premium = of("tier", json!("premium"));
    let limits = Limits { seats: None, spending: Some(SpendingLimit::Cents(1)) };
    stage.table.set_limits(&organization, limits).await.expect("an organization");
    let reply = call(premium.clone()).send(&function).await;
    answered.add("spending_limit_reached", reply);
    let canceled = AttributeValue::S("canceled".to_owned());
    stage.set(&format!("ORG#{organization}"), "BILLING", "subscription_status", canceled).await;
    answered.add("no_billing", call(premium).send(&function).await);
    let good = Call::json(&one);
    credential_refusals(&mut answered, &stage, &good, &function).await;
    let stranger = stage.organization(None, 10).await;
    let holder = Holder::Organization(stranger);
    let stranger = stage.credential(holder, &[Permission::AccountsUpdate]).await;
    answered.add("account_not_found", good.clone().bearer(&stranger).send(&function).await);
    let ended = AttributeValue::S("deactivated".to_owned());
    let sk = format!("SEAT#{}", api_reference::ACCOUNTS[0]);
    stage.set(&format!("ORG#{organization}"), &sk, "status", ended).await;
    answered.add("account_deactivated", call(good.clone()).send(&function).await);

    let store = throttled(&stage).await;
    let throttled = update_seats::Function { store, ..stage.update_seats() };
    answered.add("rate_limited", call(good.clone()).send(&throttled).await);
    stage.wire.cut();
    answered.add("service_unavailable", call(good).send(&function).await);
    answered.check();
}

#[tokio::test]
async fn deactivate_seats_answers_as_documented() {
    let stage = Stage::new().await;
    let (organization, api_key) = stage.seats_tenant().await;
    for id in api_reference::ACCOUNTS {
        let id = SeatId::parse(id).expect("an id");
        stage.table.create_deactivated_seat(&organization, &id).await.expect("a seat");
    }
    let function = stage.deactivate_seats();
    let mut answered = Answered::new("deactivateSeats");
    let call = |call: Call| call.bearer(&api_key);
    for key in ["one_account", "several_accounts", "invalid_request"] {
        answered.send(key, call, &function).await;
    }
    let (one, several) = (answered.example("one_account"), answered.example("several_accounts"));
    answered.unreadable(&one, call, &function).await;
    answered.keys((&one, &several), call, &function).await;
    let good = Call::json(&one);
    answered.add("unauthorized", good.send(&function).await);
    let holder = Holder::Organization(organization);
    let key = stage.credential(holder, &[]).await;
    answered.add("forbidden", good.clone().bearer(&key).send(&function).await);
    let (_, stranger) = stage.seats_tenant().await;
    answered.add("account_not_found", good.clone().bearer(&stranger).send(&function).await);
    answered.send_as("account_deactivated", "revoked", call, &function).await;
    let key = seats_that_end_later(&stage).await;
    let later = |call: Call| call.bearer(&key);
    answered.send_as("ends_later", "one_account", later, &function).await;
    answered.send("revoked", later, &function).await;

    let store = throttled(&stage).await;
    let throttled = deactivate_seats::Function { store, ..stage.deactivate_seats() };
    answered.add("rate_limited", call(good.clone()).send(&throttled).await);
    stage.wire.cut();
    answered.add("service_unavailable", call(good).send(&function).await);
    answered.check();
}

/// The key of an organization whose seats, those of the examples, end with the period.
async fn seats_that_end_later(stage: &Stage) -> String {
    let (organization, key) = stage.seats_tenant().await;
    let pk = format!("ORG#{organization}");
    for id in api_reference::ACCOUNTS {
        let seat = SeatId::parse(id).expect("an id");
        stage.table.create_deactivated_seat(&organization, &seat).await.expect("a seat");
        let status = AttributeValue::S("uninitialized".to_owned());
        stage.set(&pk, &format!("SEAT#{id}"), "status", status).await;
    }
    let number = |value: &str| AttributeValue::N(value.to_owned());
    for (name, value) in [
        ("seats_basic", number("2")),
        ("seats_end", AttributeValue::S("period_end".to_owned())),
        ("current_period_start", number("1770142367")),
        ("current_period_end", number("1772561567")),
    ] {
        stage.set(&pk, "BILLING", name, value).await;
    }
    key
}

#[tokio::test]
async fn list_seats_answers_as_documented() {
    let stage = Stage::new().await;
    let (organization, api_key) = stage.seats_tenant().await;
    let two = Document::new().request("createSeats", "two_seats");
    let created = Call::json(&two).bearer(&api_key).send(&stage.create_seats()).await;
    assert_eq!(created.status, 200, "{created:?}");
    let function = stage.list_seats();
    let mut answered = Answered::new("listSeats");
    let call = |call: Call| call.bearer(&api_key);
    answered.send("all", call, &function).await;
    let one = json!({"accounts": [{"tier": "basic", "tag": "influencer"}]});
    let more = Call::json(&one).bearer(&api_key).send(&stage.create_seats()).await;
    assert_eq!(more.status, 200, "{more:?}");
    for key in ["page", "invalid_request"] {
        answered.send(key, call, &function).await;
    }
    let page = answered.example("page");
    answered.unreadable(&page, call, &function).await;
    let good = Call::json(&page);
    credential_refusals(&mut answered, &stage, &good, &function).await;

    let store = throttled(&stage).await;
    let throttled = list_seats::Function { store, ..stage.list_seats() };
    answered.add("rate_limited", call(good.clone()).send(&throttled).await);
    stage.many_seats(&organization, (0, 150), "uninitialized", 30_000).await;
    answered.send_as("too_many_accounts", "all", call, &function).await;
    stage.wire.cut();
    answered.add("service_unavailable", call(good).send(&function).await);
    answered.check();
}

#[tokio::test]
async fn get_organization_answers_as_documented() {
    let stage = Stage::new().await;
    let (_, key) = stage.seats_tenant().await;
    let function = stage.get_organization();
    let mut answered = Answered::new("getOrganization");
    let call = Call::empty().bearer(&key);
    answered.add("shown", call.send(&function).await);
    answered.add("unauthorized", Call::empty().send(&function).await);
    let store = throttled(&stage).await;
    let throttled = get_organization::Function { store, ..stage.get_organization() };
    answered.add("rate_limited", call.send(&throttled).await);
    stage.wire.cut();
    answered.add("service_unavailable", call.send(&function).await);
    answered.check();
}

/// An organization, with a key that may manage keys.
async fn managing(stage: &Stage) -> (OrganizationId, String) {
    let (organization, _) = stage.seats_tenant().await;
    let holder = Holder::Organization(organization.clone());
    let permissions = [Permission::KeysManage, Permission::AccountsRead];
    (organization, stage.credential(holder, &permissions).await)
}

/// The key of the document's examples, of an organization.
async fn key_of_the_examples(stage: &Stage, organization: &OrganizationId) {
    let text = format!("hc_{}_{}", api_reference::API_KEY_ID, "5ea7".repeat(16));
    let presented = Presented::of_token(&text).expect("a key");
    let holder = Holder::Organization(organization.clone());
    let permissions = [Permission::AccountsRead].into();
    stage.keep(&presented.issued_to(holder, permissions)).await;
}

#[tokio::test]
async fn list_api_keys_answers_as_documented() {
    let stage = Stage::new().await;
    let organization = stage.organization(None, 10).await;
    key_of_the_examples(&stage, &organization).await;
    let holder = Holder::Organization(organization.clone());
    let key = stage.credential(holder, &[Permission::KeysManage]).await;
    // It works, and is in no list.
    let id = key.split('_').nth(1).expect("an id");
    stage.forget(&format!("ORG#{organization}"), &format!("APIKEY#{id}")).await;
    let function = stage.list_api_keys();
    let mut answered = Answered::new("listApiKeys");
    let call = |call: Call| call.bearer(&key);
    for key in ["all", "invalid_request"] {
        answered.send(key, call, &function).await;
    }
    answered.unreadable(&json!({}), call, &function).await;
    let good = Call::json(&json!({}));
    credential_refusals(&mut answered, &stage, &good, &function).await;
    let store = throttled(&stage).await;
    let throttled = list_api_keys::Function { store, ..stage.list_api_keys() };
    answered.add("rate_limited", call(good.clone()).send(&throttled).await);
    stage.wire.cut();
    answered.add("service_unavailable", call(good).send(&function).await);
    answered.check();
}

#[tokio::test]
async fn create_api_key_answers_as_documented() {
    let stage = Stage::new().await;
    let (organization, key) = managing(&stage).await;
    let function = stage.create_api_key();
    let mut answered = Answered::new("createApiKey");
    let call = |call: Call| call.bearer(&key);
    for key in ["reports", "invalid_request"] {
        answered.send(key, call, &function).await;
    }
    let good = answered.example("reports");
    answered.unreadable(&good, call, &function).await;
    let more = json!({"name": "Other", "permissions": ["accounts:read"]});
    let bad = call(Call::json(&good)).key("two words").send(&function).await;
    answered.add("bad_idempotency_key", bad);
    let first = call(Call::json(&good)).key("reused").send(&function).await;
    let again = call(Call::json(&good)).key("reused").send(&function).await;
    assert!(first.status == 200 && again.is_replay());
    assert_eq!(again.json()["data"]["key"], Value::Null);
    answered.document.holds(
        &answered.any_with(200).schema,
        &again.json(),
        "a replay, which has no key",
    );
    let reused = call(Call::json(&more)).key("reused").send(&function).await;
    answered.add("idempotency_key_reused", reused);
    let other = json!({"name": "Other", "permissions": ["accounts:update"]});
    answered.add("not_ones_own", call(Call::json(&other)).send(&function).await);
    let good = Call::json(&good);
    credential_refusals(&mut answered, &stage, &good, &function).await;
    stage.many_keys(&organization, headcount_model::api_key::MAX_KEYS).await;
    answered.add("api_key_limit_reached", call(good.clone()).send(&function).await);
    let store = throttled(&stage).await;
    let throttled = create_api_key::Function { store, ..stage.create_api_key() };
    answered.add("rate_limited", call(good.clone()).send(&throttled).await);
    stage.wire.cut();
    answered.add("service_unavailable", call(good).send(&function).await);
    answered.check();
}

#[tokio::test]
async fn update_api_key_answers_as_documented() {
    let stage = Stage::new().await;
    let (organization, key) = managing(&stage).await;
    key_of_the_examples(&stage, &organization).await;
    let function = stage.update_api_key();
    let mut answered = Answered::new("updateApiKey");
    let call = |call: Call| call.bearer(&key);
    for key in ["named", "invalid_request"] {
        answered.send(key, call, &function).await;
    }
    let good = answered.example("named");
    answered.unreadable(&good, call, &function).await;
    let other = json!({"apiKeyId": api_reference::API_KEY_ID, "name": "Other"});
    answered.keys((&good, &other), call, &function).await;
    let good = Call::json(&good);
    credential_refusals(&mut answered, &stage, &good, &function).await;
    let (_, stranger) = managing(&stage).await;
    answered.add("api_key_not_found", good.clone().bearer(&stranger).send(&function).await);
    let store = throttled(&stage).await;
    let throttled = update_api_key::Function { store, ..stage.update_api_key() };
    answered.add("rate_limited", call(good.clone()).send(&throttled).await);
    stage.wire.cut();
    answered.add("service_unavailable", call(good).send(&function).await);
    answered.check();
}

#[tokio::test]
async fn delete_api_key_answers_as_documented() {
    let stage = Stage::new().await;
    let (organization, key) = managing(&stage).await;
    key_of_the_examples(&stage, &organization).await;
    let function = stage.delete_api_key();
    let mut answered = Answered::new("deleteApiKey");
    let call = |call: Call| call.bearer(&key);
    for key in ["deleted", "invalid_request"] {
        answered.send(key, call, &function).await;
    }
    let good = answered.example("deleted");
    answered.unreadable(&good, call, &function).await;
    let own = json!({ "apiKeyId": key.split('_').nth(1) });
    answered.add("last_managing_api_key", call(Call::json(&own)).send(&function).await);
    let (one, other) = (managing(&stage).await.1, managing(&stage).await.1);
    let foreign = json!({ "apiKeyId": one.split('_').nth(1) });
    answered.add("api_key_not_found", Call::json(&foreign).bearer(&other).send(&function).await);
    let spare = Holder::Organization(organization.clone());
    let spare = stage.credential(spare, &[]).await;
    let second = json!({ "apiKeyId": spare.split('_').nth(1) });
    answered.keys((&good, &second), call, &function).await;
    let good = Call::json(&good);
    credential_refusals(&mut answered, &stage, &good, &function).await;
    let store = throttled(&stage).await;
    let throttled = delete_api_key::Function { store, ..stage.delete_api_key() };
    answered.add("rate_limited", call(good.clone()).send(&throttled).await);
    stage.wire.cut();
    answered.add("service_unavailable", call(good).send(&function).await);
    answered.check();
}

#[tokio::test]
async fn open_billing_portal_answers_as_documented() {
    let (stage, billing) = (Stage::new().await, Billing::new().await);
    let billed = billing.organization(&stage).await;
    let holder = Holder::Organization(billed.organization.clone());
    let key = stage.credential(holder, &[Permission::BillingManage]).await;
    let function = stage.open_billing_portal(&billing);
    let mut answered = Answered::new("openBillingPortal");
    let call = |call: Call| call.bearer(&key);
    for key in ["opened", "invalid_request"] {
        answered.send(key, call, &function).await;
    }
    let good = answered.example("opened");
    answered.unreadable(&good, call, &function).await;
    let good = Call::json(&good);
    let unlinked = Holder::Organization(stage.organization(None, 10).await);
    let unlinked = stage.credential(unlinked, &[Permission::BillingManage]).await;
    answered.add("no_billing", good.clone().bearer(&unlinked).send(&function).await);
    credential_refusals(&mut answered, &stage, &good, &function).await;
    let store = throttled(&stage).await;
    let throttled = open_billing_portal::Function { store, ..stage.open_billing_portal(&billing) };
    answered.add("rate_limited", call(good.clone()).send(&throttled).await);
    stage.wire.cut();
    answered.add("service_unavailable", call(good).send(&function).await);
    answered.check();
}

#[tokio::test]
async fn cancel_billing_answers_as_documented() {
    let (stage, billing) = (Stage::new().await, Billing::new().await);
    let billed = billing.organization(&stage).await;
    let holder = Holder::Organization(billed.organization.clone());
    let key = stage.credential(holder, &[Permission::BillingManage]).await;
    let function = stage.cancel_billing(&billing);
    let mut answered = Answered::new("cancelBilling");
    let call = |call: Call| call.bearer(&key);
    for key in ["done", "invalid_request"] {
        answered.send(key, call, &function).await;
    }
    let good = answered.example("done");
    answered.unreadable(&good, call, &function).await;
    let good = Call::json(&good);
    let malformed = call(good.clone()).key("two words");
    answered.add("bad_idempotency_key", malformed.send(&function).await);
    let retried = call(good.clone()).key("k");
    assert_eq!(retried.send(&function).await.status, 200);
    let other = call(Call::text("{ }")).key("k");
    answered.add("idempotency_key_reused", other.send(&function).await);
    let unlinked = Holder::Organization(stage.organization(None, 10).await);
    let unlinked = stage.credential(unlinked, &[Permission::BillingManage]).await;
    answered.add("no_billing", good.clone().bearer(&unlinked).send(&function).await);
    credential_refusals(&mut answered, &stage, &good, &function).await;
    let store = throttled(&stage).await;
    let throttled = cancel_billing::Function { store, ..stage.cancel_billing(&billing) };
    answered.add("rate_limited", call(good.clone()).send(&throttled).await);
    stage.wire.cut();
    answered.add("service_unavailable", call(good).send(&function).await);
    answered.check();
}

#[tokio::test]
async fn resume_billing_answers_as_documented() {
    let (stage, billing) = (Stage::new().await, Billing::new().await);
    let billed = billing.organization(&stage).await;
    let holder = Holder::Organization(billed.organization.clone());
    let key = stage.credential(holder, &[Permission::BillingManage]).await;
    let function = stage.resume_billing(&billing);
    let mut answered = Answered::new("resumeBilling");
    let call = |call: Call| call.bearer(&key);
    for key in ["done", "invalid_request"] {
        answered.send(key, call, &function).await;
    }
    let good = answered.example("done");
    answered.unreadable(&good, call, &function).await;
    let good = Call::json(&good);
    let malformed = call(good.clone()).key("two words");
    answered.add("bad_idempotency_key", malformed.send(&function).await);
    let retried = call(good.clone()).key("k");
    assert_eq!(retried.send(&function).await.status, 200);
    let other = call(Call::text("{ }")).key("k");
    answered.add("idempotency_key_reused", other.send(&function).await);
    let unlinked = Holder::Organization(stage.organization(None, 10).await);
    let unlinked = stage.credential(unlinked, &[Permission::BillingManage]).await;
    answered.add("no_billing", good.clone().bearer(&unlinked).send(&function).await);
    credential_refusals(&mut answered, &stage, &good, &function).await;
    let store = throttled(&stage).await;
    let throttled = resume_billing::Function { store, ..stage.resume_billing(&billing) };
    answered.add("rate_limited", call(good.clone()).send(&throttled).await);
    stage.wire.cut();
    answered.add("service_unavailable", call(good).send(&function).await);
    answered.check();
}

#[tokio::test]
async fn get_billing_answers_as_documented() {
    let (stage, billing) = (Stage::new().await, Billing::new().await);
    let billed = billing.organization(&stage).await;
    let function = stage.get_billing();
    let mut answered = Answered::new("getBilling");
    let call = Call::empty().bearer(&billed.api_key);
    let record = format!("ORG#{}", billed.organization);
    for name in ["current_period_start", "current_period_end"] {
        stage.set(&record, "BILLING", name, AttributeValue::N("1770142367".to_owned())).await;
    }
    let seat = Call::text(BASIC_SEAT).bearer(&billed.api_key).send(&stage.create_seats()).await;
    assert_eq!(seat.status, 200, "{seat:?}");
    answered.add("pending", call.send(&function).await);
    let message = batch([reached(&billed.organization, 1)]);
    let synced = billing.sync(&stage).handle(message).await.expect("ids");
    assert!(synced.batch_item_failures.is_empty());
    answered.add("synced", call.send(&function).await);

    credential_refusals(&mut answered, &stage, &Call::empty(), &function).await;
    let throttled = get_billing::Function { store: throttled(&stage).await, ..stage.get_billing() };
    answered.add("rate_limited", call.send(&throttled).await);
    stage.wire.cut();
    answered.add("service_unavailable", call.send(&function).await);
    answered.check();
}

#[tokio::test]
async fn get_billing_history_answers_as_documented() {
    let (stage, billing) = (Stage::new().await, Billing::new().await);
    let billed = billing.organization(&stage).await;
    let function = stage.get_billing_history();
    let mut answered = Answered::new("getBillingHistory");
    let call = Call::empty().bearer(&billed.api_key);
    for body in [r#"{"tier":"basic"},{"tier":"basic"}"#, r#"{"tier":"basic"},{"tier":"premium"}"#] {
        let seats = Call::text(format!(r#"{{"accounts":[{body}]}}"#)).bearer(&billed.api_key);
        let seats = seats.send(&stage.create_seats()).await;
        assert_eq!(seats.status, 200, "{seats:?}");
    }
    let by = By {
        credential: CredentialId::new(&stage.ports, &stage.ports).expect("entropy"),
        request_id: "request-1".to_owned(),
    };
    let made = |version, basic, premium| Change {
        version,
        by: Some(by.clone()),
        at: stage.ports.now(),
        seats: SeatChange { basic, premium },
    };
    let changes = vec![made(1, 2, 0), made(2, 1, 1)];
    let organization = billed.organization.clone();
    let change = BillingChange { organization, version: 2, changes };
    let message = || batch([(billed.organization.as_str(), message::encode(&change))]);
    billing
        .fault(&json!({"kind": "402", "method": "POST", "path_prefix": "/v1/subscriptions"}))
        .await;
    let failed = billing.sync(&stage).handle(message()).await.expect("ids");
    assert_eq!(failed.batch_item_failures.len(), 1);
    let mut with_more = call.send(&function).await;
    let cursor = format!(r#""next_cursor":"cursor_00_{}""#, "0".repeat(64));
    with_more.text = with_more.text.replace(r#""next_cursor":null"#, &cursor);
    answered.add("failed", with_more);
    let synced = billing.sync(&stage).handle(message()).await.expect("ids");
    assert!(synced.batch_item_failures.is_empty());
    answered.add("told", call.clone().query("limit", "1").send(&function).await);
    let page = call.clone().query("limit", "1").send(&function).await.json();
    let next = page["next_cursor"].as_str().expect("there is more").to_owned();
    let rest = call.clone().query("cursor", &next).send(&function).await.json();
    assert_eq!(
        (&rest["data"][0]["outcome"], &rest["next_cursor"]),
        (&json!("failed"), &json!(null))
    );

    let wrong = call.clone().query("limit", "0").query("cursor", "x").query("page", "2");
    answered.add("invalid_request", wrong.send(&function).await);
    credential_refusals(&mut answered, &stage, &Call::empty(), &function).await;
    let store = throttled(&stage).await;
    let throttled = get_billing_history::Function { store, ..stage.get_billing_history() };
    answered.add("rate_limited", call.send(&throttled).await);
    stage.wire.cut();
    answered.add("service_unavailable", call.send(&function).await);
    answered.check();
}

/// An app's token and id.
pub(crate) struct App {
    pub(crate) id: AppLcuid,
    pub(crate) token: String,
    token_without_permission: String,
    pub(crate) holder: Holder,
}

/// The agency of the document's examples, with the parent account that they name.
pub(crate) async fn agency_of_the_examples(stage: &Stage) -> App {
    let name = |name| Text::line(name, 1..=255).expect("a name");
    let agency = AgencyLcuid::parse(api_reference::AGENCY).expect("an id");
    let settings =
        Agency { lcuid: agency.clone(), name: name("Blue River"), settings: Default::default() };
    stage.table.create_agency(&settings).await.expect("an agency");
    let id = AppLcuid::new(&stage.ports).expect("entropy");
    stage.table.create_app(&id, &agency, &name("App")).await.expect("an app");
    let parent = AgencyAccount {
        lcuid: AgencyAccountLcuid::parse(api_reference::PARENT).expect("an id"),
        agency: agency.clone(),
        new: NewAgencyAccount {
            name: name("Parent"),
            description: None,
            website: None,
            parent: None,
        },
        is_parent_account: true,
        created_by: None,
        created_at: stage.ports.now(),
    };
    stage.keep_agency_account(&parent).await;
    let holder = Holder::App { app: id.clone(), agency };
    App {
        token: stage.credential(holder.clone(), &[Permission::AgencyCreateAccounts]).await,
        token_without_permission: stage.credential(holder.clone(), &[]).await,
        holder,
        id,
    }
}

#[tokio::test]
async fn create_agency_account_answers_as_documented() {
    let stage = Stage::new().await;
    let app = agency_of_the_examples(&stage).await;
    let function = stage.create_agency_account();
    let mut answered = Answered::new("createAgencyAccount");
    let id = app.id.to_string();
    let call = |call: Call| call.bearer(&app.token).header("appidv3", &id);
    for key in ["sub_account", "account", "invalid_fields"] {
        answered.send(key, call, &function).await;
    }
    let (good, other) = (answered.example("sub_account"), answered.example("account"));
    answered.unreadable(&good, call, &function).await;
    answered.keys((&good, &other), call, &function).await;
    let good = Call::json(&good);
    let foreign = AppLcuid::new(&stage.ports).expect("entropy").to_string();
    for (key, call) in [
        ("unauthenticated", call(good.clone()).without("authorization")),
        ("bad_app_header", call(good.clone()).without("appidv3")),
        ("foreign_app", call(good.clone()).header("appidv3", &foreign)),
        ("forbidden", call(good.clone()).bearer(&app.token_without_permission)),
    ] {
        answered.add(key, call.send(&function).await);
    }
    let store = throttled(&stage).await;
    let throttled = create_agency_account::Function { store, ..stage.create_agency_account() };
    answered.add("rate_limited", call(good.clone()).send(&throttled).await);
    stage.wire.cut();
    answered.add("service_unavailable", call(good).send(&function).await);
    answered.check();
}

/// What every endpoint of the Agency API refuses of its callers, and a table that is in trouble.
/// `call` is good but for token and app; `without` is a token that may not.
async fn agency_refusals<E: Endpoint>(
    answered: &mut Answered,
    stage: &Stage,
    (app, token, without): (&App, &str, Option<&str>),
    call: Call,
    to: impl Fn(Table) -> E,
) {
    let endpoint = to(stage.table.clone());
    let call = call.bearer(token).header("appidv3", app.id.as_str());
    let foreign = AppLcuid::new(&stage.ports).expect("entropy").to_string();
    let mut calls = vec![
        ("unauthenticated", call.clone().without("authorization")),
        ("bad_app_header", call.clone().without("appidv3")),
        ("foreign_app", call.clone().header("appidv3", &foreign)),
    ];
    calls.extend(without.map(|without| ("forbidden", call.clone().bearer(without))));
    for (key, call) in calls {
        answered.add(key, call.send(&endpoint).await);
    }
    answered.add("rate_limited", call.send(&to(throttled(stage).await)).await);
    stage.wire.cut();
    answered.add("service_unavailable", call.send(&to(stage.cold_table())).await);
    stage.wire.mend();
}

#[tokio::test]
async fn check_token_answers_as_documented() {
    let stage = Stage::new().await;
    let app = agency_of_the_examples(&stage).await;
    let mut answered = Answered::new("checkToken");
    let call = Call::empty().at("/api/v3/status");
    let good = call.clone().bearer(&app.token).header("appidv3", app.id.as_str());
    answered.add("good", good.send(&stage.check_token()).await);
    let to = |store| check_token::Function { store, ..stage.check_token() };
    agency_refusals(&mut answered, &stage, (&app, &app.token, None), call, to).await;
    answered.check();
}

#[tokio::test]
async fn get_agency_account_answers_as_documented() {
    let stage = Stage::new().await;
    let app = agency_of_the_examples(&stage).await;
    let token = stage.credential(app.holder.clone(), &[Permission::AccountView]).await;
    let mut answered = Answered::new("getAgencyAccount");
    let call = Call::empty().at(&format!("/api/v3/accounts/{}", api_reference::PARENT));
    let good = call.clone().bearer(&token).header("appidv3", app.id.as_str());
    answered.add("account", good.send(&stage.get_agency_account()).await);
    let to = |store| get_agency_account::Function { store, ..stage.get_agency_account() };
    let tokens = (&app, &*token, Some(&*app.token));
    agency_refusals(&mut answered, &stage, tokens, call, to).await;
    answered.check();
}

#[tokio::test]
async fn update_agency_account_answers_as_documented() {
    let stage = Stage::new().await;
    let app = agency_of_the_examples(&stage).await;
    let token = stage.credential(app.holder.clone(), &[Permission::AccountUpdate]).await;
    let function = stage.update_agency_account();
    let mut answered = Answered::new("updateAgencyAccount");
    let path = format!("/api/v3/accounts/{}", api_reference::PARENT);
    let app_id = app.id.to_string();
    let call = |call: Call| call.at(&path).bearer(&token).header("appidv3", &app_id);
    for key in ["renamed", "cleared", "invalid_fields"] {
        // Each example begins with the same account.
        let (pk, sk) = (
            format!("AGENCY#{}", api_reference::AGENCY),
            format!("ACCOUNT#{}", api_reference::PARENT),
        );
        let text = |text: &str| AttributeValue::S(text.to_owned());
        stage.set(&pk, &sk, "name", text("Parent")).await;
        stage.set(&pk, &sk, "description", text("Everything below")).await;
        stage.remove(&pk, &sk, "website").await;
        answered.send(key, call, &function).await;
    }
    let (good, other) = (answered.example("renamed"), answered.example("cleared"));
    answered.unreadable(&good, call, &function).await;
    answered.keys((&good, &other), call, &function).await;
    let to = |store| update_agency_account::Function { store, ..stage.update_agency_account() };
    let tokens = (&app, &*token, Some(&*app.token));
    agency_refusals(&mut answered, &stage, tokens, Call::json(&good).at(&path), to).await;
    answered.check();
}

/// Makes an account below the one of the examples.
async fn sub_account(stage: &Stage, app: &App) {
    let body = json!({
        "name": "Below", "agency_lcuid": api_reference::AGENCY,
        "parent_account_lcuid": api_reference::PARENT,
    });
    let call = Call::json(&body).bearer(&app.token).header("appidv3", app.id.as_str());
    assert_eq!(call.send(&stage.create_agency_account()).await.status, 200);
}

#[tokio::test]
async fn delete_agency_account_answers_as_documented() {
    let stage = Stage::new().await;
    let app = agency_of_the_examples(&stage).await;
    let token = stage.credential(app.holder.clone(), &[Permission::AccountDelete]).await;
    let function = stage.delete_agency_account();
    let mut answered = Answered::new("deleteAgencyAccount");
    let call = Call::empty().at(&format!("/api/v3/objects/{}", api_reference::PARENT));
    let good = call.clone().bearer(&token).header("appidv3", app.id.as_str());
    let to = |store| delete_agency_account::Function { store, ..stage.delete_agency_account() };
    let tokens = (&app, &*token, Some(&*app.token));
    agency_refusals(&mut answered, &stage, tokens, call, to).await;
    answered.add("bad_idempotency_key", good.clone().key("two words").send(&function).await);
    answered.add("deleted", good.clone().key("once").send(&function).await);
    let other = Call::text("{}").at(&format!("/api/v3/objects/{}", api_reference::PARENT));
    let other = other.bearer(&token).header("appidv3", app.id.as_str()).key("once");
    answered.add("idempotency_key_reused", other.send(&function).await);

    let stage = Stage::new().await;
    let app = agency_of_the_examples(&stage).await;
    let token = stage.credential(app.holder.clone(), &[Permission::AccountDelete]).await;
    sub_account(&stage, &app).await;
    let call = Call::empty().at(&format!("/api/v3/objects/{}", api_reference::PARENT));
    let good = call.bearer(&token).header("appidv3", app.id.as_str());
    answered.add("has_sub_accounts", good.send(&stage.delete_agency_account()).await);
    answered.check();
}

#[tokio::test]
async fn check_deletion_answers_as_documented() {
    let stage = Stage::new().await;
    let app = agency_of_the_examples(&stage).await;
    let token = stage.credential(app.holder.clone(), &[Permission::AccountDelete]).await;
    let mut answered = Answered::new("checkDeletion");
    let path = format!("/api/v3/objects/{}/can-be-deleted", api_reference::PARENT);
    let call = Call::empty().at(&path);
    let good = call.clone().bearer(&token).header("appidv3", app.id.as_str());
    answered.add("can_be_deleted", good.send(&stage.check_deletion()).await);
    sub_account(&stage, &app).await;
    answered.add("has_sub_accounts", good.send(&stage.check_deletion()).await);
    let to = |store| check_deletion::Function { store, ..stage.check_deletion() };
    let tokens = (&app, &*token, Some(&*app.token));
    agency_refusals(&mut answered, &stage, tokens, call, to).await;
    answered.check();
}

/// Gives the agency so many accounts that the list of them is no answer.
async fn fill(stage: &Stage) {
    stage.many_accounts(api_reference::AGENCY, 300, 5_000).await;
}

#[tokio::test]
async fn list_agency_accounts_answers_as_documented() {
    let stage = Stage::new().await;
    let app = agency_of_the_examples(&stage).await;
    let token = stage.credential(app.holder.clone(), &[Permission::AccountView]).await;
    let mut answered = Answered::new("listAgencyAccounts");
    let call = Call::empty().at("/api/v3/accounts");
    let good = call.clone().bearer(&token).header("appidv3", app.id.as_str());
    answered.add("accounts", good.send(&stage.list_agency_accounts()).await);
    let bad = good.clone().query("page", "0").query("per_page", "0");
    answered.add("bad_page", bad.send(&stage.list_agency_accounts()).await);
    let to = |store| list_agency_accounts::Function { store, ..stage.list_agency_accounts() };
    agency_refusals(&mut answered, &stage, (&app, &token, None), call, to).await;
    fill(&stage).await;
    answered.add("too_many_accounts", good.send(&stage.list_agency_accounts()).await);
    answered.check();
}

#[tokio::test]
async fn list_accounts_of_agency_answers_as_documented() {
    let stage = Stage::new().await;
    let app = agency_of_the_examples(&stage).await;
    let token = stage.credential(app.holder.clone(), &[Permission::AgencyViewAccounts]).await;
    let mut answered = Answered::new("listAccountsOfAgency");
    let call = Call::empty().at(&format!("/api/v3/agencies/{}/accounts", api_reference::AGENCY));
    let good = call.clone().bearer(&token).header("appidv3", app.id.as_str());
    answered.add("accounts", good.send(&stage.list_accounts_of_agency()).await);
    let bad = good.clone().query("page", "0").query("per_page", "0");
    answered.add("bad_page", bad.send(&stage.list_accounts_of_agency()).await);
    let to = |store| list_accounts_of_agency::Function { store, ..stage.list_accounts_of_agency() };
    let tokens = (&app, &*token, Some(&*app.token));
    agency_refusals(&mut answered, &stage, tokens, call, to).await;
    fill(&stage).await;
    answered.add("too_many_accounts", good.send(&stage.list_accounts_of_agency()).await);
    answered.check();
}

#[tokio::test]
async fn create_account_answers_as_documented() {
    let stage = Stage::new().await;
    let function = stage.create_account();
    let mut answered = Answered::new("createAccount");
    let call = |call: Call| call;
    for key in ["business", "individual", "invalid_request"] {
        answered.send(key, call, &function).await;
    }
    let business = answered.example("business");
    answered.unreadable(&business, call, &function).await;
    answered.add("email_exists", Call::json(&business).send(&function).await);
    let another = |name: &str| {
        let mut body = business.clone();
        body["email"] = json!(format!("{name}@example.com"));
        body
    };
    let keyed = another("first");
    let mut renamed = keyed.clone();
    renamed["name"] = json!("Another");
    answered.keys((&keyed, &renamed), call, &function).await;
    let good = Call::json(&another("third"));
    answered.add("unauthorized", good.clone().bearer("hc_unknown").send(&function).await);
    let token = stage.credential(Holder::Administrator, &[]).await;
    answered.add("forbidden", good.clone().bearer(&token).send(&function).await);
    let throttled =
        create_account::Function { store: throttled(&stage).await, ..stage.create_account() };
    answered.add("rate_limited", good.send(&throttled).await);
    stage.wire.cut();
    answered.add("service_unavailable", good.send(&function).await);
    answered.check();
}

/// The account of the examples.
async fn account_of_the_examples(stage: &Stage) -> OwnTenant {
    stage.own_account_with_password("owner", AccountStatus::Active).await
}

/// What every endpoint that an account calls for itself refuses, and a table that is in trouble.
/// `call` is good but for the token.
async fn own_refusals<E: Endpoint>(
    answered: &mut Answered,
    stage: &Stage,
    own: &OwnTenant,
    call: Call,
    to: impl Fn(Table) -> E,
) {
    answered.add("unauthorized", call.clone().send(&to(stage.table.clone())).await);
    let call = call.bearer(&own.token);
    stage.stand(&own.id, AccountStatus::Suspended).await;
    answered.add("not_active", call.clone().send(&to(stage.table.clone())).await);
    stage.stand(&own.id, AccountStatus::Active).await;
    answered.add("rate_limited", call.clone().send(&to(throttled(stage).await)).await);
    stage.wire.cut();
    answered.add("service_unavailable", call.send(&to(stage.cold_table())).await);
    stage.wire.mend();
}

#[tokio::test]
async fn get_own_account_answers_as_documented() {
    let stage = Stage::new().await;
    let own = account_of_the_examples(&stage).await;
    let mut answered = Answered::new("getOwnAccount");
    let good = Call::empty().bearer(&own.token);
    answered.add("account", good.send(&stage.get_own_account()).await);
    let to = |store| get_own_account::Function { store, ..stage.get_own_account() };
    own_refusals(&mut answered, &stage, &own, Call::empty(), to).await;
    answered.check();
}

/// What every endpoint refuses of administrators who name an account, and a table that is in trouble.
/// `call` is good but for path and token.
async fn named_refusals<E: Endpoint>(
    answered: &mut Answered,
    stage: &Stage,
    (id, token): (&str, &str),
    call: Call,
    to: impl Fn(Table) -> E,
) {
    let endpoint = to(stage.table.clone());
    let good = call.clone().at(&format!("/v1/accounts/{id}")).bearer(token);
    let missing = good.clone().at("/v1/accounts/acct_01kgjb9z8rd3m0n0b0dy000000");
    let lacking = stage.credential(Holder::Administrator, &[]).await;
    for (key, call) in [
        ("unauthorized", good.clone().without("authorization")),
        ("forbidden", good.clone().bearer(&lacking)),
        ("no_such_account", missing),
    ] {
        answered.add(key, call.send(&endpoint).await);
    }
    answered.add("rate_limited", good.clone().send(&to(throttled(stage).await)).await);
    stage.wire.cut();
    answered.add("service_unavailable", good.send(&to(stage.cold_table())).await);
    stage.wire.mend();
}

#[tokio::test]
async fn get_account_answers_as_documented() {
    let stage = Stage::new().await;
    let own = account_of_the_examples(&stage).await;
    let token = stage.credential(Holder::Administrator, &[Permission::AccountsRead]).await;
    let mut answered = Answered::new("getAccount");
    let call = Call::empty().at(&format!("/v1/accounts/{}", own.id)).bearer(&token);
    answered.add("account", call.send(&stage.get_account()).await);
    let to = |store| get_account::Function { store, ..stage.get_account() };
    named_refusals(&mut answered, &stage, (own.id.as_str(), &token), Call::empty(), to).await;
    answered.check();
}

/// Puts the account of the examples back to what it was before it was changed.
async fn put_back(stage: &Stage, own: &OwnTenant) {
    let pk = format!("ACCOUNT#{}", own.id);
    stage.set(&pk, "ACCOUNT", "name", AttributeValue::S("Acme Inc.".to_owned())).await;
    stage.set(&pk, "ACCOUNT", "currency", AttributeValue::S("USD".to_owned())).await;
    stage.remove(&pk, "ACCOUNT", "version").await;
}

/// What can be wrong with a patch whoever sends it.
async fn patch_refusals<E: Endpoint>(
    answered: &mut Answered,
    stage: &Stage,
    own: &OwnTenant,
    call: impl Fn(Call) -> Call,
    function: &E,
) {
    for key in ["renamed", "invalid_request"] {
        answered.send(key, &call, function).await;
    }
    let good = answered.example("renamed");
    answered.unreadable(&good, &call, function).await;
    let other = json!({"name": "Another"});
    answered.keys((&good, &other), &call, function).await;
    stage.own_account("taken").await;
    let taken = json!({"email": "taken@example.com"});
    answered.add("email_exists", call(Call::json(&taken)).send(function).await);
    let stale = call(Call::json(&good)).header("if-match", "\"99\"");
    answered.add("version_mismatch", stale.send(function).await);
    put_back(stage, own).await;
}

#[tokio::test]
async fn update_own_account_answers_as_documented() {
    let stage = Stage::new().await;
    let own = account_of_the_examples(&stage).await;
    let function = stage.update_own_account();
    let mut answered = Answered::new("updateOwnAccount");
    let call = |call: Call| call.bearer(&own.token);
    patch_refusals(&mut answered, &stage, &own, call, &function).await;
    let good = Call::json(&answered.example("renamed"));
    let to = |store| update_own_account::Function { store, ..stage.update_own_account() };
    own_refusals(&mut answered, &stage, &own, good, to).await;
    answered.check();
}

#[tokio::test]
async fn update_account_answers_as_documented() {
    let stage = Stage::new().await;
    let own = account_of_the_examples(&stage).await;
    let function = stage.update_account();
    let mut answered = Answered::new("updateAccount");
    let token = stage.credential(Holder::Administrator, &[Permission::AccountsUpdate]).await;
    let path = format!("/v1/accounts/{}", own.id);
    let call = |call: Call| call.at(&path).bearer(&token);
    patch_refusals(&mut answered, &stage, &own, call, &function).await;
    let good = Call::json(&answered.example("renamed"));
    let to = |store| update_account::Function { store, ..stage.update_account() };
    named_refusals(&mut answered, &stage, (own.id.as_str(), &token), good, to).await;
    answered.check();
}

#[tokio::test]
async fn delete_own_account_answers_as_documented() {
    let stage = Stage::new().await;
    let own = account_of_the_examples(&stage).await;
    let mut answered = Answered::new("deleteOwnAccount");
    let to = |store| delete_own_account::Function { store, ..stage.delete_own_account() };
    own_refusals(&mut answered, &stage, &own, Call::empty(), to).await;
    let good = Call::empty().bearer(&own.token);
    answered.add("closed", good.send(&stage.delete_own_account()).await);
    answered.check();
}

#[tokio::test]
async fn delete_account_answers_as_documented() {
    let stage = Stage::new().await;
    let own = account_of_the_examples(&stage).await;
    let token = stage.credential(Holder::Administrator, &[Permission::AccountsDelete]).await;
    let mut answered = Answered::new("deleteAccount");
    let to = |store| delete_account::Function { store, ..stage.delete_account() };
    named_refusals(&mut answered, &stage, (own.id.as_str(), &token), Call::empty(), to).await;
    let good = Call::empty().at(&format!("/v1/accounts/{}", own.id)).bearer(&token);
    answered.add("closed", good.send(&stage.delete_account()).await);
    answered.check();
}

#[tokio::test]
async fn end_session_answers_as_documented() {
    let stage = Stage::new().await;
    let own = account_of_the_examples(&stage).await;
    let function = stage.end_session();
    let mut answered = Answered::new("endSession");
    let another = SessionId::parse(api_reference::SESSION).expect("an id");
    let another = Session { id: another, ..own.session.clone() };
    stage.table.create_session(&another).await.expect("a session");
    let call = |call: Call| call.bearer(&own.token);
    for key in ["another_session", "invalid_request", "this_session"] {
        answered.send(key, call, &function).await;
    }
    let own = stage.session_of(&own.id, &own.email, 0).await;
    let call = |call: Call| call.bearer(&own.token);
    answered.unreadable(&json!({}), call, &function).await;
    let missing = json!({"session_id": "sess_01kgjb9z8rd3m0n0b0dy000000"});
    answered.add("no_such_session", call(Call::json(&missing)).send(&function).await);
    let to = |store| end_session::Function { store, ..stage.end_session() };
    own_refusals(&mut answered, &stage, &own, Call::empty(), to).await;
    answered.check();
}

#[tokio::test]
async fn list_accounts_answers_as_documented() {
    let stage = Stage::new().await;
    account_of_the_examples(&stage).await;
    let token = stage.credential(Holder::Administrator, &[Permission::AccountsRead]).await;
    let function = stage.list_accounts();
    let mut answered = Answered::new("listAccounts");
    let call = Call::empty().bearer(&token);
    answered.add("accounts", call.clone().send(&function).await);
    stage.ports.advance(SignedDuration::from_secs(1));
    stage.own_account("second").await;
    answered.add("more", call.clone().query("limit", "1").send(&function).await);
    let wrong = call.clone().query("email", "owner").query("status", "closed");
    let wrong = wrong.query("created_after", "today").query("limit", "0").query("page", "2");
    answered.add("invalid_request", wrong.send(&function).await);
    answered.add("unauthorized", Call::empty().send(&function).await);
    let lacking = stage.credential(Holder::Administrator, &[]).await;
    answered.add("forbidden", call.clone().bearer(&lacking).send(&function).await);
    let store = throttled(&stage).await;
    let throttled = list_accounts::Function { store, ..stage.list_accounts() };
    answered.add("rate_limited", call.clone().send(&throttled).await);
    stage.wire.cut();
    answered.add("service_unavailable", call.send(&function).await);
    answered.check();
}

#[tokio::test]
async fn list_sessions_answers_as_documented() {
    let stage = Stage::new().await;
    let own = account_of_the_examples(&stage).await;
    stage.ports.advance(SignedDuration::from_millis(1));
    let other = stage.session_of(&own.id, &own.email, 0).await;
    let keep = Call::json(&json!({"rotate_refresh_token": false})).bearer(&other.refresh);
    assert_eq!(keep.send(&stage.refresh_session()).await.status, 200);
    let function = stage.list_sessions();
    let mut answered = Answered::new("listSessions");
    let call = Call::empty().bearer(&own.token);
    answered.add("sessions", call.clone().send(&function).await);
    answered.add("more", call.clone().query("limit", "1").send(&function).await);
    let wrong = call.query("limit", "0").query("cursor", "x").query("page", "2");
    answered.add("invalid_request", wrong.send(&function).await);
    let to = |store| list_sessions::Function { store, ..stage.list_sessions() };
    own_refusals(&mut answered, &stage, &own, Call::empty(), to).await;
    answered.check();
}

#[tokio::test]
async fn refresh_session_answers_as_documented() {
    let stage = Stage::new().await;
    let own = account_of_the_examples(&stage).await;
    let function = stage.refresh_session();
    let mut answered = Answered::new("refreshSession");
    let call = |call: Call| call.bearer(&own.refresh);
    for key in ["invalid_request", "keep", "rotate"] {
        answered.send(key, call, &function).await;
    }
    let other = stage.session_of(&own.id, &own.email, 0).await;
    let call = |call: Call| call.bearer(&other.refresh);
    answered.unreadable(&json!({}), call, &function).await;
    // Used again.
    answered.add("unauthorized", Call::empty().bearer(&own.refresh).send(&function).await);
    let store = throttled(&stage).await;
    let throttled = refresh_session::Function { store, ..stage.refresh_session() };
    answered.add("rate_limited", call(Call::empty()).send(&throttled).await);
    stage.wire.cut();
    answered.add("service_unavailable", call(Call::empty()).send(&function).await);
    answered.check();
}

#[tokio::test]
async fn open_session_answers_as_documented() {
    let stage = Stage::new().await;
    account_of_the_examples(&stage).await;
    let function = stage.open_session();
    let mut answered = Answered::new("openSession");
    for key in ["log_in", "invalid_request"] {
        answered.send(key, |call| call, &function).await;
    }
    let good = answered.example("log_in");
    answered.unreadable(&good, |call| call, &function).await;
    let wrong = Call::json(&json!({"email": "nobody@example.com", "password": "wrong"}));
    answered.add("invalid_credentials", wrong.clone().send(&function).await);
    for _ in 0..9 {
        assert_eq!(wrong.clone().send(&function).await.status, 401);
    }
    answered.add("too_many_attempts", wrong.send(&function).await);
    let store = throttled(&stage).await;
    let throttled = open_session::Function { store, ..stage.open_session() };
    answered.add("rate_limited", Call::json(&good).send(&throttled).await);
    stage.wire.cut();
    answered.add("service_unavailable", Call::json(&good).send(&function).await);
    answered.check();
}

#[tokio::test]
async fn stripe_webhook_answers_as_documented() {
    let (stage, billing) = (Stage::new().await, Billing::new().await);
    let function = billing.webhook(&stage);
    let mut answered = Answered::new("stripeWebhook");
    let now = stage.ports.now().as_second();
    let signed = |secret: &str, time: i64, body: &str| {
        Call::text(body).header("stripe-signature", &sign_webhook(secret, time, body))
    };
    for key in ["subscription_updated", "another_event"] {
        let body = answered.example(key).to_string();
        answered.add(key, signed(SIGNING_SECRET, now, &body).send(&function).await);
    }
    let event = answered.example("subscription_updated").to_string();
    for (key, call) in [
        ("no_signature", Call::text(&*event)),
        ("malformed_signature", Call::text(&*event).header("stripe-signature", "good")),
        ("wrong_signature", signed("whsec_another", now, &event)),
        ("old_signature", signed(SIGNING_SECRET, now - 301, &event)),
        ("not_an_event", signed(SIGNING_SECRET, now, "{}")),
        ("payload_too_large", Call::text(" ".repeat(TOO_MANY_BYTES))),
    ] {
        answered.add(key, call.send(&function).await);
    }
    // About somebody's subscription, and Stripe cannot be asked.
    let billed = billing.organization(&stage).await;
    let mut event: Value = answered.example("subscription_updated");
    event["data"]["object"]["id"] = json!(billed.subscription);
    event["data"]["object"]["metadata"] = json!({ "organization": billed.organization.as_str() });
    billing.fault(&json!({ "kind": "500", "per_mille": 1_000 })).await;
    let reply = signed(SIGNING_SECRET, now, &event.to_string()).send(&function).await;
    answered.add("service_unavailable", reply);
    answered.check();
}
