//! The stand-in for Stripe, served in this process, with the two prices and an organization that
//! is billed by them.

use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use aws_lambda_events::event::sqs::{SqsEvent, SqsMessage};
use headcount_billing::message;
use headcount_billing::rotation::{SignatureCheck, SigningSecretSource};
use headcount_billing::stripe::Stripe;
use headcount_billing::webhook::SigningSecrets;
use headcount_billing::{Prices, Unanswered};
use headcount_model::billing::{BillingChange, SubscriptionStatus};
use headcount_model::id::OrganizationId;
use headcount_model::text::Text;
use headcount_model::tiers::Tiers;
use headcount_store::{StripeLink, Table};
use jiff::{SignedDuration, Timestamp};
use secrecy::SecretString;
use serde_json::{Value, json};
use stripe_stand_in::Server;

use crate::ports::Ports;
use crate::stage::{Stage, tiers_priced, up_to};

/// The API key of the tests; the stand-in takes any that begins like this.
pub const STRIPE_KEY: &str = "sk_test_tests";

/// What the tests sign webhooks with.
pub const SIGNING_SECRET: &str = "whsec_tests";

/// `POST /webhooks/stripe` over a ledger.
pub type Webhook<L> = stripe_webhook::Function<L, Stripe, SecretText, Ports>;

/// The text of the secret of webhooks, which can be replaced, and taken away with an empty one.
/// Clones share it.
#[derive(Debug, Clone, Default)]
pub struct SecretText {
    text: Arc<Mutex<String>>,
    reads: Arc<AtomicUsize>,
}

impl SecretText {
    /// A secret.
    pub fn of(text: &str) -> Self {
        let secret = Self::default();
        secret.replace(text);
        secret
    }

    /// Another text.
    pub fn replace(&self, text: &str) {
        *self.text.lock().expect("not poisoned") = text.to_owned();
    }

    /// How often it was read.
    pub fn reads(&self) -> usize {
        self.reads.load(Ordering::SeqCst)
    }
}

impl SigningSecretSource for SecretText {
    async fn read(&self) -> Result<SigningSecrets, Unanswered> {
        self.reads.fetch_add(1, Ordering::SeqCst);
        SigningSecrets::parse(&self.text.lock().expect("not poisoned"))
            .map_err(|error| Unanswered(error.to_string()))
    }
}

/// A Stripe account with the prices of both tiers.
pub struct Billing {
    /// The stand-in's address.
    pub base: String,
    /// Our client of it.
    pub stripe: Stripe,
    /// The prices.
    pub prices: Prices,
    /// The changes that had to wait and were sent again.
    pub sent_again: SentAgain,
    http: reqwest::Client,
}

/// Keeps the changes that are sent again and the delays of messages. Clones share them.
#[derive(Clone, Default)]
pub struct SentAgain {
    changes: Arc<Mutex<Vec<BillingChange>>>,
    delays: Arc<Mutex<Vec<(usize, Duration)>>>,
}

impl SentAgain {
    /// What was sent again since it was last taken.
    pub fn take(&self) -> Vec<BillingChange> {
        std::mem::take(&mut *self.changes.lock().expect("not poisoned"))
    }

    /// How many messages were delayed at a time, and for how long.
    pub fn delays(&self) -> Vec<(usize, Duration)> {
        self.delays.lock().expect("not poisoned").clone()
    }
}

impl sync_billing::BillingQueue for SentAgain {
    async fn send_again(&self, change: &BillingChange, _: &SqsMessage) -> bool {
        self.changes.lock().expect("not poisoned").push(change.clone());
        true
    }

    async fn delay(&self, messages: &[SqsMessage], delay: Duration) {
        self.delays.lock().expect("not poisoned").push((messages.len(), delay));
    }
}

/// An organization that is billed, with an API key.
pub struct Billed {
    /// The organization.
    pub organization: OrganizationId,
    /// Its key.
    pub api_key: String,
    /// Its subscription.
    pub subscription: String,
}

impl Billing {
    /// A new account.
    pub async fn new() -> Self {
        let server = Server::bind(0, None).await.expect("a free port");
        let base = format!("http://{}", server.address());
        tokio::spawn(server.run(std::future::pending()));
        let stripe = Stripe::new(&base, SecretString::from(STRIPE_KEY)).expect("a client");
        let mut billing = Self {
            base,
            stripe,
            prices: Prices { basic: None, premium: None },
            sent_again: SentAgain::default(),
            http: reqwest::Client::new(),
        };
        billing.prices.basic = Some(billing.price("Basic seat", 4_000).await);
        billing.prices.premium = Some(billing.price("Premium seat", 10_000).await);
        billing
    }

    /// A monthly price.
    pub async fn price(&self, name: &str, cents: u32) -> String {
        let amount = cents.to_string();
        self.create(
            "/v1/prices",
            &[
                ("currency", "usd"),
                ("unit_amount", &amount),
                ("recurring[interval]", "month"),
                ("product_data[name]", name),
            ],
        )
        .await
    }

    /// Creates an object and returns its id.
    async fn create(&self, path: &str, form: &[(&str, &str)]) -> String {
        let form: Vec<(String, String)> =
            form.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect();
        let key = format!("{path}:{form:?}");
        let object: Value = self
            .stripe
            .post(path, &form, &key[..key.len().min(255)])
            .await
            .expect("the stand-in creates it");
        object["id"].as_str().expect("an id").to_owned()
    }

    /// An organization with a subscription to both prices.
    pub async fn organization(&self, stage: &Stage) -> Billed {
        let organization = OrganizationId::new(&stage.ports, &stage.ports).expect("entropy");
        let customer = self
            .create("/v1/customers", &[("metadata[organization]", organization.as_str())])
            .await;
        let (basic, premium) = (&self.prices.basic, &self.prices.premium);
        let subscription = self
            .create(
                "/v1/subscriptions",
                &[
                    ("customer", &customer),
                    ("metadata[organization]", organization.as_str()),
                    ("items[0][price]", basic.as_deref().expect("a price")),
                    ("items[0][quantity]", "0"),
                    ("items[1][price]", premium.as_deref().expect("a price")),
                    ("items[1][quantity]", "0"),
                ],
            )
            .await;
        let link = StripeLink {
            customer,
            subscription: subscription.clone(),
            standing: SubscriptionStatus::Active.into(),
        };
        let name = Text::line("Acme", 1..=255).expect("a name");
        stage
            .table
            .create_organization(&organization, &name, Some(&link), up_to(100_000))
            .await
            .expect("an organization");
        Billed { api_key: stage.api_key(&organization).await, organization, subscription }
    }

    /// `POST /webhooks/stripe` on a stage's table.
    pub fn webhook(&self, stage: &Stage) -> Webhook<Table> {
        stripe_webhook::Function {
            ledger: stage.table.clone(),
            stripe: self.stripe.clone(),
            signatures: SignatureCheck::new(SecretText::of(SIGNING_SECRET)),
            ports: stage.ports.clone(),
        }
    }

    /// The events of the account about a subscription, oldest first, as they are delivered.
    pub async fn events(&self, subscription: &str) -> Vec<Value> {
        let newest = [("limit".to_owned(), "100".to_owned())];
        let list: Value = self.stripe.get("/v1/events", &newest).await.expect("events");
        let events = list["data"].as_array().into_iter().flatten().rev();
        events.filter(|event| event["data"]["object"]["id"] == subscription).cloned().collect()
    }

    /// Moves a subscription to a status, as if it had happened at Stripe.
    pub async fn set_status(&self, subscription: &str, status: SubscriptionStatus) {
        let what = format!("subscriptions/{subscription}/status");
        self.control("POST", &what, &json!({"status": status.as_str()})).await;
    }

    /// Cancels a subscription at its period's end, as its customer does in the billing portal.
    pub async fn cancel_in_portal(&self, subscription: &str) {
        let what = format!("subscriptions/{subscription}/portal-cancel");
        self.control("POST", &what, &Value::Null).await;
    }

    /// Pauses the collection of a subscription's invoices; without a behaviour it goes on.
    pub async fn pause_collection(&self, subscription: &str, behavior: &str) {
        let pause = match behavior {
            "" => ("pause_collection".to_owned(), String::new()),
            behavior => ("pause_collection[behavior]".to_owned(), behavior.to_owned()),
        };
        let path = format!("/v1/subscriptions/{subscription}");
        let key = format!("pause:{subscription}:{behavior}");
        let paused: Value = self.stripe.post(&path, &[pause], &key).await.expect("a subscription");
        assert_eq!(paused["pause_collection"]["behavior"].as_str().unwrap_or_default(), behavior);
    }

    /// Attaches a schedule to a subscription.
    pub async fn attach_schedule(&self, subscription: &str) {
        let what = format!("subscriptions/{subscription}/schedule");
        self.control("POST", &what, &Value::Null).await;
    }

    /// Forgets every object of the account.
    pub async fn forget_everything(&self) {
        self.control("POST", "reset", &Value::Null).await;
    }

    /// Ends every fault.
    pub async fn heal(&self) {
        self.control("DELETE", "faults", &Value::Null).await;
    }

    /// The tiers as the template has them, with the prices of this account.
    pub fn tiers(&self) -> Tiers {
        tiers_priced(&self.prices)
    }

    /// Moves the account's clock to a time; it goes on running from there.
    pub async fn set_clock(&self, now: Timestamp) {
        self.control("POST", "clock", &json!({ "now": now.as_second() })).await;
    }

    /// `sync-billing` on a stage's table.
    pub fn sync(&self, stage: &Stage) -> sync_billing::Function<Table, Stripe, SentAgain, Ports> {
        sync_billing::Function {
            ledger: stage.table.clone(),
            stripe: self.stripe.clone(),
            queue: self.sent_again.clone(),
            prices: self.prices.clone(),
            ports: stage.ports.clone(),
        }
    }

    /// Delivers what was sent again, 20 seconds later each time, until nothing is left.
    pub async fn settle(&self, stage: &Stage) {
        loop {
            let changes = self.sent_again.take();
            if changes.is_empty() {
                return;
            }
            stage.ports.advance(SignedDuration::from_secs(20));
            let messages =
                changes.iter().map(|change| reached(&change.organization, change.version));
            let response = self.sync(stage).handle(batch(messages)).await.expect("ids");
            assert!(response.batch_item_failures.is_empty(), "{response:?}");
        }
    }

    /// The quantities of a subscription, basic and premium, as Stripe has them.
    pub async fn quantities(&self, subscription: &str) -> (u64, u64) {
        let object = self
            .http
            .get(format!("{}/v1/subscriptions/{subscription}", self.base))
            .bearer_auth(STRIPE_KEY)
            .send()
            .await
            .expect("the stand-in answers")
            .bytes()
            .await
            .expect("a body");
        let object: Value = serde_json::from_slice(&object).expect("JSON");
        let of = |price: &Option<String>| {
            object["items"]["data"]
                .as_array()
                .into_iter()
                .flatten()
                .find(|item| item["price"]["id"].as_str() == price.as_deref())
                .and_then(|item| item["quantity"].as_u64())
                .unwrap_or(0)
        };
        (of(&self.prices.basic), of(&self.prices.premium))
    }

    /// How many updates of subscriptions the account has answered.
    pub async fn updates(&self) -> usize {
        self.subscription_calls("POST").await
    }

    /// How often the account was asked for a subscription.
    pub async fn subscription_reads(&self) -> usize {
        self.subscription_calls("GET").await
    }

    async fn subscription_calls(&self, method: &str) -> usize {
        let log = self.control("GET", "requests", &Value::Null).await;
        log.as_array()
            .or_else(|| log["requests"].as_array())
            .into_iter()
            .flatten()
            .filter(|call| {
                let path = call["path"].as_str().unwrap_or_default();
                call["method"] == method && path.starts_with("/v1/subscriptions/")
            })
            .count()
    }

    /// Makes calls go wrong; the stand-in's README says how.
    pub async fn fault(&self, fault: &Value) {
        self.control("POST", "faults", fault).await;
    }

    async fn control(&self, method: &str, what: &str, body: &Value) -> Value {
        let method = method.parse().expect("a method");
        let response = self
            .http
            .request(method, format!("{}/_stand-in/{what}", self.base))
            .header("content-type", "application/json")
            .body(body.to_string())
            .send()
            .await
            .expect("the stand-in answers");
        assert!(response.status().is_success(), "{what}: {body}");
        let body = response.bytes().await.expect("a body");
        serde_json::from_slice(&body).unwrap_or(json!(null))
    }
}

/// A batch of the billing queue: group and text of each message. Ids are `message-<n>`.
pub fn batch<'a>(messages: impl IntoIterator<Item = (&'a str, String)>) -> SqsEvent {
    let mut event = SqsEvent::default();
    for (n, (group, body)) in messages.into_iter().enumerate() {
        let mut message = SqsMessage::default();
        message.message_id = Some(format!("message-{n}"));
        message.body = Some(body);
        message.attributes.insert("MessageGroupId".to_owned(), group.to_owned());
        event.records.push(message);
    }
    event
}

/// The message that says that an organization reached a version.
pub fn reached(organization: &OrganizationId, version: u64) -> (&str, String) {
    let change = BillingChange { organization: organization.clone(), version, changes: Vec::new() };
    (organization.as_str(), message::encode(&change))
}
