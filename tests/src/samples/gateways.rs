//! The functions behind a gateway, fed with samples in this process.

use std::sync::Mutex;
use std::sync::atomic::{AtomicBool, Ordering};

use headcount_billing::cancel::Cancels;
use headcount_billing::portal::Portals;
use headcount_billing::preview::{Change, Previewed, Previews};
use headcount_billing::rotation::SignatureCheck;
use headcount_billing::{Item, Prices, StripeFailure, Subscription, Subscriptions, Updated, Worth};
use headcount_model::billing::{
    ItemTarget, LinkedSubscription, ProrationBehavior, Recorded, Standing, SubscriptionLedger,
    SubscriptionStatus,
};
use headcount_model::id::OrganizationId;
use headcount_model::port::{Clock, Entropy};
use headcount_model::tiers::Tiers;
use headcount_model::web_url::WebUrl;
use headcount_store::Table;
use secrecy::SecretString;
use serde_json::{Value, json};

use super::{PERIOD, body_of, tenants};
use crate::billing::{SIGNING_SECRET, SecretText};
use crate::call::Reply;
use crate::ports::Ports;
use crate::stage::{Stage, tiers_priced};

/// The prices of the tiers, basic and premium.
pub const PRICES: [&str; 2] = ["price_basic", "price_premium"];

/// What a function answers to the event of a gateway, on a stage that has the demo tenants.
pub async fn reply(stage: &Stage, function: &str, event: &Value) -> Reply {
    match function {
        "create-seats" => Reply::to_event(&stage.create_seats(), event).await,
        "create-agency-account" => Reply::to_event(&stage.create_agency_account(), event).await,
        "check-token" => Reply::to_event(&stage.check_token(), event).await,
        "get-agency-account" => Reply::to_event(&stage.get_agency_account(), event).await,
        "list-agency-accounts" => Reply::to_event(&stage.list_agency_accounts(), event).await,
        "list-accounts-of-agency" => Reply::to_event(&stage.list_accounts_of_agency(), event).await,
        "update-agency-account" => Reply::to_event(&stage.update_agency_account(), event).await,
        "open-session" => Reply::to_event(&stage.open_session(), event).await,
        "refresh-session" => Reply::to_event(&stage.refresh_session(), event).await,
        "end-session" => Reply::to_event(&stage.end_session(), event).await,
        "list-accounts" => Reply::to_event(&stage.list_accounts(), event).await,
        "list-sessions" => Reply::to_event(&stage.list_sessions(), event).await,
        "get-own-account" => Reply::to_event(&stage.get_own_account(), event).await,
        "get-account" => Reply::to_event(&stage.get_account(), event).await,
        "delete-agency-account" => Reply::to_event(&stage.delete_agency_account(), event).await,
        "check-deletion" => Reply::to_event(&stage.check_deletion(), event).await,
        "update-own-account" => Reply::to_event(&stage.update_own_account(), event).await,
        "update-account" => Reply::to_event(&stage.update_account(), event).await,
        "delete-own-account" => Reply::to_event(&stage.delete_own_account(), event).await,
        "delete-account" => Reply::to_event(&stage.delete_account(), event).await,
        "create-account" => Reply::to_event(&stage.create_account(), event).await,
        "list-seats" => Reply::to_event(&stage.list_seats(), event).await,
        "get-organization" => Reply::to_event(&stage.get_organization(), event).await,
        "list-api-keys" => Reply::to_event(&stage.list_api_keys(), event).await,
        "create-api-key" => Reply::to_event(&stage.create_api_key(), event).await,
        "update-api-key" => Reply::to_event(&stage.update_api_key(), event).await,
        "delete-api-key" => Reply::to_event(&stage.delete_api_key(), event).await,
        "get-billing" => Reply::to_event(&stage.get_billing(), event).await,
        "get-billing-history" => Reply::to_event(&stage.get_billing_history(), event).await,
        "update-seats" => Reply::to_event(&stage.update_seats(), event).await,
        "deactivate-seats" => Reply::to_event(&stage.deactivate_seats(), event).await,
        "open-billing-portal" => {
            let (store, ports) = (stage.table.clone(), stage.ports.clone());
            let stripe = SampleStripe::default();
            Reply::to_event(&open_billing_portal::Function { store, stripe, ports }, event).await
        }
        "cancel-billing" => Reply::to_event(&cancel_billing(stage), event).await,
        "resume-billing" => Reply::to_event(&resume_billing(stage), event).await,
        "quote-seats" => Reply::to_event(&quote_seats(stage), event).await,
        "stripe-webhook" => {
            let stripe = SampleStripe::of_webhook(event);
            let function = stripe_webhook::Function {
                ledger: stage.table.clone(),
                stripe: &stripe,
                signatures: SignatureCheck::new(SecretText::of(SIGNING_SECRET)),
                ports: stage.ports.clone(),
            };
            Reply::to_event(&function, event).await
        }
        other => panic!("say here how {other} is fed"),
    }
}

/// Lets the table know of a payment that failed, which a webhook then puts right.
pub async fn fall_past_due(stage: &Stage, subscription: &str) {
    let organization = tenants().1.seats.org;
    let linked = LinkedSubscription { subscription: subscription.to_owned(), status_version: 0 };
    let standing = Standing { period: Some(PERIOD), ..SubscriptionStatus::PastDue.into() };
    let now = stage.ports.now();
    let recorded = stage.table.record_standing(&organization, &linked, &standing, now).await;
    assert_eq!(recorded, Ok(Recorded::Yes));
}

/// The tiers with [`PRICES`].
pub fn tiers() -> Tiers {
    let [basic, premium] = PRICES.map(|price| Some(price.to_owned()));
    tiers_priced(&Prices { basic, premium })
}

fn cancel_billing(stage: &Stage) -> cancel_billing::Function<Table, SampleStripe, Ports> {
    cancel_billing::Function {
        store: stage.table.clone(),
        stripe: SampleStripe::default(),
        ports: stage.ports.clone(),
        fingerprint_key: stage.create_seats().fingerprint_key,
    }
}

/// The subscription ends with its period, until it is resumed.
fn resume_billing(stage: &Stage) -> resume_billing::Function<Table, SampleStripe, Ports> {
    resume_billing::Function {
        store: stage.table.clone(),
        stripe: SampleStripe::ending(),
        ports: stage.ports.clone(),
        fingerprint_key: stage.create_seats().fingerprint_key,
    }
}

fn quote_seats(stage: &Stage) -> quote_seats::Function<Table, SampleStripe, Ports> {
    // What a quote and a create have in common.
    let create = stage.create_seats();
    quote_seats::Function {
        store: create.store,
        stripe: SampleStripe::default(),
        ports: create.ports,
        platforms: create.platforms,
        tiers: tiers(),
        policy: create.policy,
        fingerprint_key: create.fingerprint_key,
    }
}

/// A Stripe account in which every subscription that [`seed`](super::seed) gives out is one to both
/// prices, without seats. It keeps what it is told.
pub struct SampleStripe {
    status: String,
    told: Mutex<Vec<Value>>,
    /// Whether the subscription ends with its period.
    ends: AtomicBool,
}

impl Default for SampleStripe {
    fn default() -> Self {
        Self { status: "active".to_owned(), told: Mutex::default(), ends: AtomicBool::default() }
    }
}

impl SampleStripe {
    /// An account in which the subscription stands as a webhook says, if it says anything.
    fn of_webhook(event: &Value) -> Self {
        let body: Value = serde_json::from_slice(&body_of(event)).unwrap_or_default();
        match body["data"]["object"]["status"].as_str() {
            Some(status) => Self { status: status.to_owned(), ..Self::default() },
            None => Self::default(),
        }
    }

    /// An account in which the subscription ends with its period.
    fn ending() -> Self {
        Self { ends: AtomicBool::new(true), ..Self::default() }
    }

    /// The updates that it was told.
    pub fn was_told(self) -> Vec<Value> {
        self.told.into_inner().expect("not poisoned")
    }

    fn subscription(&self, id: &str) -> Subscription {
        let item = |id: &str, price: &str| Item {
            id: id.to_owned(),
            price: price.to_owned(),
            quantity: 0,
            unit_amount: None,
        };
        Subscription {
            id: id.to_owned(),
            status: self.status.clone(),
            collection_paused: false,
            cancel_at_period_end: self.ends.load(Ordering::SeqCst),
            period: Some(PERIOD),
            organization: id
                .strip_prefix("sub_")
                .and_then(|rest| OrganizationId::parse(rest).ok())
                .or_else(|| Some(tenants().1.seats.org)),
            items: vec![item("si_basic", PRICES[0]), item("si_premium", PRICES[1])],
            unfit: Vec::new(),
            customer: "cus_1".to_owned(),
        }
    }
}

impl Subscriptions for &SampleStripe {
    async fn fetch(&self, subscription: &str) -> Result<Subscription, StripeFailure> {
        Ok(self.subscription(subscription))
    }

    async fn set_quantities(
        &self,
        subscription: &str,
        targets: &[ItemTarget],
        proration: ProrationBehavior,
        key: &str,
    ) -> Result<Updated, StripeFailure> {
        let items: Vec<Value> = targets
            .iter()
            .map(|target| json!({"id": target.id, "price": target.price, "quantity": target.quantity}))
            .collect();
        self.told.lock().expect("not poisoned").push(json!({
            "subscription": subscription,
            "items": items,
            "proration_behavior": proration.as_str(),
            "idempotency_key": key,
        }));
        Ok(self.subscription(subscription).into())
    }
}

impl Subscriptions for SampleStripe {
    async fn fetch(&self, subscription: &str) -> Result<Subscription, StripeFailure> {
        (&self).fetch(subscription).await
    }

    async fn set_quantities(
        &self,
        subscription: &str,
        targets: &[ItemTarget],
        proration: ProrationBehavior,
        key: &str,
    ) -> Result<Updated, StripeFailure> {
        (&self).set_quantities(subscription, targets, proration, key).await
    }
}

impl Cancels for SampleStripe {
    async fn cancel_at_period_end(
        &self,
        _: &str,
        ends: bool,
        _: &str,
    ) -> Result<(), StripeFailure> {
        self.ends.store(ends, Ordering::SeqCst);
        Ok(())
    }
}

impl Portals for SampleStripe {
    async fn portal(
        &self,
        _: &str,
        _: Option<&WebUrl>,
        _: &str,
    ) -> Result<SecretString, StripeFailure> {
        Ok("https://billing.stripe.com/p/session/test_1".into())
    }
}

impl Worth for &SampleStripe {
    async fn worth(
        &self,
        _: &Subscription,
        _: &[ItemTarget],
        _: &dyn Entropy,
    ) -> Result<i64, StripeFailure> {
        Ok(0)
    }
}

impl Previews for SampleStripe {
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
