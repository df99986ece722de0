//! The sample events of `tests/events/`, fed to the functions that they are for. Each answer is
//! held to a snapshot; after a change that means to change one, `INSTA_UPDATE=always cargo test
//! -p headcount-tests --test events` writes them anew, to be read before they are kept.

use std::collections::{BTreeMap, BTreeSet};
use std::num::NonZeroU32;
use std::path::{Path, PathBuf};
use std::sync::Mutex;
use std::time::Duration;

use aws_lambda_events::event::sqs::{SqsEvent, SqsMessage};
use headcount_api::Endpoint;
use headcount_billing::preview::{Change, Previewed, Previews};
use headcount_billing::rotation::SignatureCheck;
use headcount_billing::{
    Item, ItemTarget, Prices, StripeFailure, Subscription, Subscriptions, message,
};
use headcount_model::agency::{Agency, AgencyAccount, NewAgencyAccount};
use headcount_model::billing::{
    BillingChange, LinkedSubscription, Period, ProrationBehavior, Recorded, Standing,
    SubscriptionLedger, SubscriptionStatus,
};
use headcount_model::credential::{Credential, Holder, Permission};
use headcount_model::id::{
    AgencyAccountLcuid, AgencyLcuid, AppLcuid, CredentialId, OrganizationId,
};
use headcount_model::port::{Clock, Entropy};
use headcount_model::text::Text;
use headcount_model::tiers::Tiers;
use headcount_store::{StripeLink, Table};
use headcount_tests::billing::{SIGNING_SECRET, SecretText};
use headcount_tests::{Ports, Reply, Stage};
use jiff::{SignedDuration, Timestamp};
use publish_changes::{Batch, Event, Outbox, Parcel, SetAside, handle};
use reconcile_billing::{Finding, Findings, Message, Pause, Tick};
use serde_json::{Value, json};
use sha2::{Digest, Sha256};

// What the events name. Credentials are `hc_<id>_<secret>`.
const ORGANIZATION: &str = "org_01kgjb9z8rd3m0acme00000000";
const SEATS_KEY: (&str, &str) = ("01kgjb9z8rd3m0seats0000000", "5ea7");
const AGENCY: &str = "LCUID-LY-506fc585-77be-11ec-acb9-c2cdb617d190";
const FOREIGN_AGENCY: &str = "LCUID-LY-506fc585-77be-11ec-acb9-c2cdb617d191";
const PARENT: &str = "LCUID-LA-506fc585-77be-11ec-acb9-c2cdb617d190";
const APP: &str = "LCUID-LAP-0d3e0000-0000-4000-8000-000000000001";
const AGENCY_TOKEN: (&str, &str) = ("01kgjb9z8rd3m0agency000000", "a9e0");
const ADMINISTRATOR: (&str, &str) = ("01kgjb9z8rd3m0adm1n0000000", "ad31");
const SUBSCRIPTION: &str = "sub_demo";
/// February 2026, in which the events happen.
const PERIOD: Period = Period { start: 1_769_904_000, end: 1_772_323_200 };

/// The files of a folder, or nothing without it.
fn list(folder: &Path) -> Vec<PathBuf> {
    let entries = std::fs::read_dir(folder).into_iter().flatten();
    let mut paths: Vec<PathBuf> = entries.map(|entry| entry.expect("an entry").path()).collect();
    paths.sort();
    paths
}

fn name(path: &Path) -> String {
    let name = path.file_stem().and_then(|name| name.to_str());
    name.expect("a name in UTF-8").to_owned()
}

/// One event.
fn sample(function: &str, case: &str) -> Value {
    let event = events().remove(&(function.to_owned(), case.to_owned()));
    event.unwrap_or_else(|| panic!("there is no event {function}/{case}"))
}

fn folders(folder: &Path) -> BTreeSet<String> {
    let paths = list(folder).into_iter().filter(|path| path.is_dir());
    paths.map(|path| name(&path)).collect()
}

/// The events by function and case.
fn events() -> BTreeMap<(String, String), Value> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("events");
    let mut events = BTreeMap::new();
    for function in folders(&root) {
        for file in list(&root.join(&function)) {
            let text = std::fs::read_to_string(&file).expect("a file in UTF-8");
            let event = serde_json::from_str(&text)
                .unwrap_or_else(|error| panic!("{}: {error}", file.display()));
            events.insert((function.clone(), name(&file)), event);
        }
    }
    events
}

#[test]
fn every_function_has_events_and_every_event_a_function() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    assert_eq!(folders(&root.join("events")), folders(&root.join("../functions")));
    let mut cases: BTreeMap<String, usize> = BTreeMap::new();
    for (function, _) in events().into_keys() {
        *cases.entry(function).or_default() += 1;
    }
    for function in folders(&root.join("events")) {
        let count = cases.get(&function).copied().unwrap_or_default();
        assert!(count >= 2, "{function} needs a success and a refusal");
    }
}

#[test]
fn every_snapshot_has_an_event() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("snapshots");
    let kept: BTreeSet<String> = list(&folder)
        .iter()
        .map(|path| name(path))
        .filter_map(|name| name.strip_prefix("events__").map(str::to_owned))
        .collect();
    let known: BTreeSet<String> =
        events().into_keys().map(|(function, case)| format!("{function}__{case}")).collect();
    assert_eq!(kept, known);
}

#[tokio::test]
async fn every_event_has_its_answer() {
    for ((function, case), event) in events() {
        let answer = answer(&function, &event).await;
        insta::assert_json_snapshot!(format!("{function}__{case}"), answer);
    }
}

/// What a function answers to an event, and what it does elsewhere, on a table of its own.
async fn answer(function: &str, event: &Value) -> Value {
    let stage = Stage::new().await;
    seed(&stage).await;
    match function {
        "create-seats" => http(&stage.create_seats(), event).await,
        "create-agency-account" => http(&stage.create_agency_account(), event).await,
        "create-account" => http(&stage.create_account(), event).await,
        "get-billing" => http(&stage.get_billing(), event).await,
        "quote-seats" => http(&quote_seats(&stage), event).await,
        "stripe-webhook" => webhook(&stage, event).await,
        "publish-changes" => publish(event).await,
        "sync-billing" => sync(&stage, event).await,
        "reconcile-billing" => reconcile(&stage, event).await,
        other => panic!("say here how {other} is fed"),
    }
}

async fn http(endpoint: &impl Endpoint, event: &Value) -> Value {
    let reply = Reply::to_event(endpoint, event).await;
    json!({"status": reply.status, "headers": reply.headers, "body": reply.json()})
}

// ------------------------------------------------------------------------------ Tenants

/// Everything that the events name.
async fn seed(stage: &Stage) {
    let table = &stage.table;
    let text = |text| Text::line(text, 1..=255).expect("a name");
    let organization = OrganizationId::parse(ORGANIZATION).expect("an id");
    let link = StripeLink {
        customer: "cus_demo".to_owned(),
        subscription: SUBSCRIPTION.to_owned(),
        status: SubscriptionStatus::Active,
        cancel_at_period_end: false,
        period: Some(PERIOD),
    };
    let created = table.create_organization(&organization, &text("Acme"), Some(&link), 100).await;
    created.expect("an organization");

    let agency = AgencyLcuid::parse(AGENCY).expect("an id");
    for lcuid in [&agency, &AgencyLcuid::parse(FOREIGN_AGENCY).expect("an id")] {
        let (lcuid, settings) = (lcuid.clone(), Default::default());
        let agency = Agency { lcuid, name: text("Blue River"), settings };
        table.create_agency(&agency).await.expect("an agency");
    }
    let app = AppLcuid::parse(APP).expect("an id");
    table.create_app(&app, &agency, &text("Demo")).await.expect("an app");
    stage
        .keep_agency_account(&AgencyAccount {
            lcuid: AgencyAccountLcuid::parse(PARENT).expect("an id"),
            agency: agency.clone(),
            new: NewAgencyAccount {
                name: text("Parent"),
                description: None,
                website: None,
                parent: None,
            },
            is_parent_account: true,
            created_at: stage.ports.now(),
        })
        .await;

    for ((id, secret), holder, permission) in [
        (SEATS_KEY, Holder::Organization(organization), Permission::AccountsCreate),
        (AGENCY_TOKEN, Holder::App { app, agency }, Permission::AgencyCreateAccounts),
        (ADMINISTRATOR, Holder::Administrator, Permission::AccountsCreate),
    ] {
        let credential = Credential {
            id: CredentialId::parse(id).expect("an id"),
            secret_hash: Sha256::digest(secret.repeat(16)).into(),
            holder,
            permissions: BTreeSet::from([permission]),
            expires_at: None,
            revoked: false,
        };
        stage.keep(&credential).await;
    }
}

// ------------------------------------------------------------------------------ Outbox

/// Keeps what it is given.
#[derive(Default)]
struct Recorder(Mutex<Vec<Value>>);

impl Recorder {
    fn keep(&self, values: impl IntoIterator<Item = Value>) {
        self.0.lock().expect("not poisoned").extend(values);
    }

    fn kept(self) -> Vec<Value> {
        self.0.into_inner().expect("not poisoned")
    }
}

impl Outbox for Recorder {
    async fn deliver(&self, parcels: &[Parcel]) -> Vec<usize> {
        self.keep(parcels.iter().map(view));
        Vec::new()
    }
}

fn view(parcel: &Parcel) -> Value {
    match parcel {
        Parcel::Billing(change) => json!({"billing_queue": message::encode(change)}),
        Parcel::Event(Event { detail_type, detail }) => {
            json!({"event": detail_type, "detail": detail})
        }
        Parcel::SetAside(SetAside { reason, event_id, keys }) => {
            json!({"set_aside": {"reason": reason, "event_id": event_id, "keys": keys}})
        }
    }
}

async fn publish(event: &Value) -> Value {
    let outbox = Recorder::default();
    let batch: Batch = serde_json::from_value(event.clone()).expect("a batch");
    let response = handle(&outbox, batch).await.expect("records have numbers");
    json!({"response": response, "delivered": outbox.kept()})
}

// ------------------------------------------------------------------------------ Stripe

/// An active subscription of both prices, without seats, that keeps what it is told.
#[derive(Default)]
struct Stripe(Mutex<Vec<Value>>);

impl Stripe {
    fn subscription(&self, id: &str) -> Subscription {
        let item = |id: &str, price: &str| Item {
            id: id.to_owned(),
            price: price.to_owned(),
            quantity: 0,
        };
        Subscription {
            id: id.to_owned(),
            status: "active".to_owned(),
            cancel_at_period_end: false,
            period: Some(PERIOD),
            organization: Some(OrganizationId::parse(ORGANIZATION).expect("an id")),
            items: vec![item("si_basic", "price_basic"), item("si_premium", "price_premium")],
        }
    }

    fn was_told(self) -> Vec<Value> {
        self.0.into_inner().expect("not poisoned")
    }
}

impl Subscriptions for &Stripe {
    async fn fetch(&self, subscription: &str) -> Result<Subscription, StripeFailure> {
        Ok(self.subscription(subscription))
    }

    async fn set_quantities(
        &self,
        subscription: &str,
        targets: &[ItemTarget],
        proration: ProrationBehavior,
        key: &str,
    ) -> Result<Subscription, StripeFailure> {
        let items: Vec<Value> = targets
            .iter()
            .map(|target| json!({"id": target.id, "price": target.price, "quantity": target.quantity}))
            .collect();
        let told = json!({
            "subscription": subscription,
            "items": items,
            "proration_behavior": proration.as_str(),
            "idempotency_key": key,
        });
        self.0.lock().expect("not poisoned").push(told);
        Ok(self.subscription(subscription))
    }
}

impl Previews for Stripe {
    /// The difference by the month for what is left of the period, in whole cents.
    async fn proration(
        &self,
        change: &Change<'_>,
        _: &dyn Entropy,
    ) -> Result<Previewed, StripeFailure> {
        let monthly = |seats| i64::try_from(change.tiers.monthly(seats)).expect("few seats");
        let more = monthly(change.after) - monthly(change.before);
        let left = PERIOD.end - change.now.as_second();
        Ok(Previewed::Proration(more * left / (PERIOD.end - PERIOD.start)))
    }
}

/// The tiers with the prices of the subscription.
fn tiers() -> Tiers {
    let tiers = json!([
        {"name": "basic", "price": "price_basic", "unit_amount": 4_000, "device_type": "shared"},
        {"name": "premium", "price": "price_premium", "unit_amount": 10_000, "device_type": "dedicated"},
    ]);
    serde_json::from_value(tiers).expect("valid tiers")
}

fn quote_seats(stage: &Stage) -> quote_seats::Function<Table, Stripe, Ports> {
    // What a quote and a create have in common.
    let create = stage.create_seats();
    quote_seats::Function {
        store: create.store,
        stripe: Stripe::default(),
        ports: create.ports,
        platforms: create.platforms,
        tiers: tiers(),
        grace: create.grace,
        fingerprint_key: create.fingerprint_key,
    }
}

/// Makes the seats that `create-seats/created.json` asks for.
async fn make_seats(stage: &Stage) {
    let created = sample("create-seats", "created");
    let created = Reply::to_event(&stage.create_seats(), &created).await;
    assert_eq!(created.status, 200, "{}", created.text);
}

impl sync_billing::BillingQueue for &Recorder {
    async fn send_again(&self, change: &BillingChange, _: &SqsMessage) -> bool {
        self.keep([json!(message::encode(change))]);
        true
    }

    async fn delay(&self, _: &[SqsMessage], _: Duration) {}
}

/// The messages are about the first seats of the organization.
async fn sync(stage: &Stage, event: &Value) -> Value {
    make_seats(stage).await;
    let (stripe, recorder) = (Stripe::default(), Recorder::default());
    let function = sync_billing::Function {
        ledger: stage.table.clone(),
        stripe: &stripe,
        queue: &recorder,
        prices: Prices::from(&tiers()),
        ports: stage.ports.clone(),
    };
    let batch: SqsEvent = serde_json::from_value(event.clone()).expect("a batch");
    let response = function.handle(batch).await.expect("messages have ids");
    let (told, again) = (stripe.was_told(), recorder.kept());
    json!({"response": response, "stripe_was_told": told, "sent_again": again})
}

/// The subscription is past due as far as the table knows, and active again at Stripe.
async fn webhook(stage: &Stage, event: &Value) -> Value {
    let organization = OrganizationId::parse(ORGANIZATION).expect("an id");
    let linked = LinkedSubscription { subscription: SUBSCRIPTION.to_owned(), status_version: 0 };
    let standing = Standing {
        status: SubscriptionStatus::PastDue,
        cancel_at_period_end: false,
        period: Some(PERIOD),
    };
    let now = stage.ports.now();
    let recorded = stage.table.record_standing(&organization, &linked, &standing, now).await;
    assert_eq!(recorded, Ok(Recorded::Yes));

    let function = stripe_webhook::Function {
        ledger: stage.table.clone(),
        stripe: &Stripe::default(),
        signatures: SignatureCheck::new(SecretText::of(SIGNING_SECRET)),
        ports: stage.ports.clone(),
    };
    let answer = http(&function, event).await;
    let shown = Reply::to_event(&stage.get_billing(), &sample("get-billing", "shown")).await;
    json!({"answer": answer, "subscription_afterwards": shown.json()["data"]["subscription"]})
}

// ------------------------------------------------------------------------------ Schedule

/// Time that stands still, for whoever would wait.
struct Still(Timestamp);

impl Clock for Still {
    fn now(&self) -> Timestamp {
        self.0
    }
}

impl Pause for Still {
    async fn pause_until(&self, _: Timestamp) {}
}

impl reconcile_billing::BillingQueue for &Recorder {
    async fn send(&self, messages: &[Message]) -> usize {
        let sent = messages.iter().map(|Message { change, deduplication_id }| {
            json!({"billing_queue": message::encode(change), "deduplication_id": deduplication_id})
        });
        self.keep(sent);
        messages.len()
    }
}

impl Findings for &Recorder {
    fn record(&self, finding: &Finding) {
        let (drift, action) = (finding.drift.kind(), finding.action.as_str());
        self.keep([json!({"drift": drift, "action": action})]);
    }
}

/// Seats were made at the usual moment, and the message about them was lost. The run is at the
/// time of the event.
async fn reconcile(stage: &Stage, event: &Value) -> Value {
    if let Err(error) = serde_json::from_value::<Tick>(event.clone()) {
        return json!({"refused": error.to_string()});
    }
    make_seats(stage).await;
    let now: Timestamp = event["time"].as_str().and_then(|time| time.parse().ok()).expect("a time");
    let (stripe, recorder) = (Stripe::default(), Recorder::default());
    let function = reconcile_billing::Function {
        ledger: stage.table.clone(),
        stripe: &stripe,
        queue: &recorder,
        findings: &recorder,
        tiers: tiers(),
        reads_per_second: NonZeroU32::new(15).expect("above 0"),
        ports: Still(now),
    };
    let deadline = now + SignedDuration::from_secs(240);
    let report = function.handle(deadline).await.expect("the table answers");
    json!({"report": report, "delivered": recorder.kept()})
}
