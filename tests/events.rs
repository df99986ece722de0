//! The sample events of `tests/events/`, fed to the functions that they are for. Each answer is
//! held to a snapshot; after a change that means to change one, `INSTA_UPDATE=always cargo test
//! -p headcount-tests --test events` writes them anew, to be read before they are kept.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};
use std::sync::Mutex;

use aws_lambda_events::event::sqs::SqsEvent;
use headcount_api::Endpoint;
use headcount_billing::{
    Item, ItemTarget, Prices, StripeFailure, Subscription, Subscriptions, message,
};
use headcount_model::agency::{Agency, AgencyAccount, NewAgencyAccount};
use headcount_model::billing::SubscriptionStatus;
use headcount_model::credential::{Credential, Holder, Permission};
use headcount_model::id::{
    AgencyAccountLcuid, AgencyLcuid, AppLcuid, CredentialId, OrganizationId,
};
use headcount_model::port::Clock;
use headcount_model::text::Text;
use headcount_store::StripeLink;
use headcount_tests::{Reply, Stage};
use publish_changes::{Batch, Event, Outbox, Parcel, SetAside, handle};
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
        "publish-changes" => publish(event).await,
        "sync-billing" => sync(&stage, event).await,
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
        subscription: "sub_demo".to_owned(),
        status: SubscriptionStatus::Active,
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

impl Outbox for Recorder {
    async fn deliver(&self, parcels: &[Parcel]) -> Vec<usize> {
        self.0.lock().expect("not poisoned").extend(parcels.iter().map(view));
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
    let delivered = outbox.0.into_inner().expect("not poisoned");
    json!({"response": response, "delivered": delivered})
}

// ------------------------------------------------------------------------------ Stripe

/// A subscription of both prices that keeps what it is told.
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
            items: vec![item("si_basic", "price_basic"), item("si_premium", "price_premium")],
        }
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
        key: &str,
    ) -> Result<Subscription, StripeFailure> {
        let items: Vec<Value> = targets
            .iter()
            .map(|target| json!({"id": target.id, "price": target.price, "quantity": target.quantity}))
            .collect();
        let told = json!({"subscription": subscription, "items": items, "idempotency_key": key});
        self.0.lock().expect("not poisoned").push(told);
        Ok(self.subscription(subscription))
    }
}

/// The messages are about the seats that `create-seats/created.json` asks for.
async fn sync(stage: &Stage, event: &Value) -> Value {
    let seats = &events()[&("create-seats".to_owned(), "created".to_owned())];
    let created = Reply::to_event(&stage.create_seats(), seats).await;
    assert_eq!(created.status, 200, "{}", created.text);

    let stripe = Stripe::default();
    let function = sync_billing::Function {
        ledger: stage.table.clone(),
        stripe: &stripe,
        prices: Prices {
            basic: Some("price_basic".to_owned()),
            premium: Some("price_premium".to_owned()),
        },
        ports: stage.ports.clone(),
    };
    let batch: SqsEvent = serde_json::from_value(event.clone()).expect("a batch");
    let response = function.handle(batch).await.expect("messages have ids");
    json!({"response": response, "stripe_was_told": stripe.0.into_inner().expect("not poisoned")})
}
