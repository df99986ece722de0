//! Who the requests of the tables speak for, and good requests to begin from.

use headcount_billing::cancel::Cancels;
use headcount_billing::portal::Portals;
use headcount_billing::preview::{Change, Previewed, Previews};
use headcount_billing::rotation::SignatureCheck;
use headcount_billing::{StripeFailure, Subscription, Subscriptions, Updated};
use headcount_model::billing::{BillingError, ItemTarget, ProrationBehavior, SubscriptionStatus};
use headcount_model::credential::{Holder, Permission};
use headcount_model::port::{Clock, Entropy};
use headcount_model::web_url::WebUrl;
use headcount_store::Table;
use headcount_tests::billing::{SIGNING_SECRET, SecretText};
use headcount_tests::{AgencyTenant, Call, OwnTenant, Ports, Reply, Stage};
use secrecy::SecretString;
use serde_json::{Value, json};
use stripe_stand_in::sign_webhook;

use crate::row::To;

/// Two tenants of each API on one table.
pub(crate) struct Tenants {
    pub(crate) stage: Stage,
    /// An API key of the organization.
    pub(crate) key: String,
    /// An API key of the organization that changes its seats, alone.
    pub(crate) seat_updater: String,
    /// An API key of another organization.
    pub(crate) other_key: String,
    /// An API key of the organization that manages its keys, alone.
    pub(crate) key_manager: String,
    /// An API key of the organization that manages its subscription, alone.
    pub(crate) biller: String,
    /// An API key of the organization that allows nothing.
    pub(crate) idle_key: String,
    pub(crate) agency: AgencyTenant,
    /// A token of the agency's app that allows everything.
    pub(crate) manager: String,
    pub(crate) other_agency: AgencyTenant,
    pub(crate) administrator: String,
    /// An administrator who may change accounts.
    pub(crate) updater: String,
    /// An identity account, and a session of it.
    pub(crate) own: OwnTenant,
    /// Another account.
    pub(crate) other_own: OwnTenant,
}

impl Tenants {
    pub(crate) async fn new() -> Self {
        let stage = Stage::new().await;
        let (organization, key) = stage.seats_tenant().await;
        let other = stage.organization(Some(SubscriptionStatus::Active), 100).await;
        let agency = stage.agency_tenant().await;
        Self {
            manager: stage.credential(agency.holder(), &Permission::ALL).await,
            key_manager: stage
                .credential(Holder::Organization(organization.clone()), &[Permission::KeysManage])
                .await,
            biller: stage
                .credential(
                    Holder::Organization(organization.clone()),
                    &[Permission::BillingManage],
                )
                .await,
            seat_updater: stage
                .credential(
                    Holder::Organization(organization.clone()),
                    &[Permission::AccountsUpdate],
                )
                .await,
            other_key: stage.api_key(&other).await,
            idle_key: stage.credential(Holder::Organization(organization.clone()), &[]).await,
            agency,
            other_agency: stage.agency_tenant().await,
            administrator: stage.administrator().await,
            updater: stage.credential(Holder::Administrator, &[Permission::AccountsUpdate]).await,
            own: stage.own_account("own.account").await,
            other_own: stage.own_account("other.account").await,
            key,
            stage,
        }
    }

    /// Hands an event to an endpoint.
    pub(crate) async fn send(&self, to: To, event: &Value) -> Reply {
        let stage = &self.stage;
        match to {
            To::Seats => Reply::to_event(&stage.create_seats(), event).await,
            To::Quote => Reply::to_event(&self.quote_seats(), event).await,
            To::List => Reply::to_event(&stage.list_seats(), event).await,
            To::Update => Reply::to_event(&stage.update_seats(), event).await,
            To::Deactivate => Reply::to_event(&stage.deactivate_seats(), event).await,
            To::Keys => Reply::to_event(&stage.list_api_keys(), event).await,
            To::NewKey => Reply::to_event(&stage.create_api_key(), event).await,
            To::NameKey => Reply::to_event(&stage.update_api_key(), event).await,
            To::EndKey => Reply::to_event(&stage.delete_api_key(), event).await,
            To::Organization => Reply::to_event(&stage.get_organization(), event).await,
            To::Billing => Reply::to_event(&stage.get_billing(), event).await,
            To::Portal => Reply::to_event(&self.open_billing_portal(), event).await,
            To::Cancel => Reply::to_event(&self.cancel_billing(), event).await,
            To::Resume => Reply::to_event(&self.resume_billing(), event).await,
            To::History => Reply::to_event(&stage.get_billing_history(), event).await,
            To::Agency => Reply::to_event(&stage.create_agency_account(), event).await,
            To::Token => Reply::to_event(&stage.check_token(), event).await,
            To::Account => Reply::to_event(&stage.get_agency_account(), event).await,
            To::Accounts => Reply::to_event(&stage.list_agency_accounts(), event).await,
            To::AccountsOfAgency => Reply::to_event(&stage.list_accounts_of_agency(), event).await,
            To::Change => Reply::to_event(&stage.update_agency_account(), event).await,
            To::Delete => Reply::to_event(&stage.delete_agency_account(), event).await,
            To::CanBeDeleted => Reply::to_event(&stage.check_deletion(), event).await,
            To::Identity => Reply::to_event(&stage.create_account(), event).await,
            To::LogIn => Reply::to_event(&stage.open_session(), event).await,
            To::Refresh => Reply::to_event(&stage.refresh_session(), event).await,
            To::EndSession => Reply::to_event(&stage.end_session(), event).await,
            To::AllAccounts => Reply::to_event(&stage.list_accounts(), event).await,
            To::Sessions => Reply::to_event(&stage.list_sessions(), event).await,
            To::OwnAccount => Reply::to_event(&stage.get_own_account(), event).await,
            To::AnAccount => Reply::to_event(&stage.get_account(), event).await,
            To::OwnPatch => Reply::to_event(&stage.update_own_account(), event).await,
            To::Patch => Reply::to_event(&stage.update_account(), event).await,
            To::OwnEnd => Reply::to_event(&stage.delete_own_account(), event).await,
            To::End => Reply::to_event(&stage.delete_account(), event).await,
            To::Webhook => Reply::to_event(&self.webhook(), event).await,
        }
    }

    fn quote_seats(&self) -> quote_seats::Function<Table, NoStripe, Ports> {
        let seats = self.stage.create_seats();
        quote_seats::Function {
            store: seats.store,
            stripe: NoStripe,
            ports: seats.ports,
            platforms: seats.platforms,
            tiers: seats.tiers,
            policy: seats.policy,
            fingerprint_key: seats.fingerprint_key,
        }
    }

    fn open_billing_portal(&self) -> open_billing_portal::Function<Table, NoStripe, Ports> {
        open_billing_portal::Function {
            store: self.stage.table.clone(),
            stripe: NoStripe,
            ports: self.stage.ports.clone(),
        }
    }

    fn cancel_billing(&self) -> cancel_billing::Function<Table, Subscribed, Ports> {
        cancel_billing::Function {
            store: self.stage.table.clone(),
            stripe: Subscribed { ends: true },
            ports: self.stage.ports.clone(),
            fingerprint_key: self.stage.create_seats().fingerprint_key,
        }
    }

    fn resume_billing(&self) -> resume_billing::Function<Table, Subscribed, Ports> {
        resume_billing::Function {
            store: self.stage.table.clone(),
            stripe: Subscribed { ends: false },
            ports: self.stage.ports.clone(),
            fingerprint_key: self.stage.create_seats().fingerprint_key,
        }
    }

    fn webhook(&self) -> stripe_webhook::Function<Table, NoStripe, SecretText, Ports> {
        stripe_webhook::Function {
            ledger: self.stage.table.clone(),
            stripe: NoStripe,
            signatures: SignatureCheck::new(SecretText::of(SIGNING_SECRET)),
            ports: self.stage.ports.clone(),
        }
    }

    /// A good create of one seat.
    pub(crate) fn seat(&self) -> Call {
        self.seats(&json!([{"tier": "basic"}]))
    }

    /// A create of seats.
    pub(crate) fn seats(&self, accounts: &Value) -> Call {
        Call::json(&json!({ "accounts": accounts })).bearer(&self.key)
    }

    /// A create by the organization with any text as body.
    pub(crate) fn seats_text(&self, body: impl Into<String>) -> Call {
        Call::text(body).bearer(&self.key)
    }

    /// A good create of an agency account, with some fields otherwise.
    pub(crate) fn account(&self, fields: &Value) -> Call {
        self.account_of(&self.agency, fields)
    }

    /// The same for one of the agencies.
    pub(crate) fn account_of(&self, agency: &AgencyTenant, fields: &Value) -> Call {
        let good = json!({"name": "Blue River", "agency_lcuid": agency.lcuid});
        Call::json(&merged(good, fields)).bearer(&agency.token).header("appidv3", &agency.app)
    }

    /// A call about what a path names, by whoever may do everything in the agency.
    pub(crate) fn managing(&self, call: Call, path: &str) -> Call {
        self.agency.signed(call.at(path), &self.manager)
    }

    /// A webhook, signed.
    pub(crate) fn webhook_call(&self, body: &str) -> Call {
        let now = self.stage.ports.now().as_second();
        Call::text(body).header("stripe-signature", &sign_webhook(SIGNING_SECRET, now, body))
    }
}

/// A sign-up, with some fields otherwise.
pub(crate) fn sign_up(fields: &Value) -> Call {
    let good = json!({
        "email": "owner@example.com",
        "name": "Acme Inc.",
        "type": "business",
        "password": "secure_password_here"
    });
    Call::json(&merged(good, fields))
}

fn merged(mut good: Value, fields: &Value) -> Value {
    for (name, value) in fields.as_object().into_iter().flatten() {
        good[name] = value.clone();
    }
    good
}

/// A Stripe without subscriptions.
pub(crate) struct NoStripe;

fn missing() -> StripeFailure {
    let (code, message) = ("subscription_missing".to_owned(), "No such subscription".to_owned());
    StripeFailure::Permanent(BillingError { code, message, request_id: None })
}

impl Subscriptions for NoStripe {
    async fn fetch(&self, _: &str) -> Result<Subscription, StripeFailure> {
        Err(missing())
    }

    async fn set_quantities(
        &self,
        _: &str,
        _: &[ItemTarget],
        _: ProrationBehavior,
        _: &str,
    ) -> Result<Updated, StripeFailure> {
        Err(missing())
    }
}

impl Previews for NoStripe {
    async fn proration(&self, _: &Change<'_>, _: &dyn Entropy) -> Result<Previewed, StripeFailure> {
        Ok(Previewed::Proration(0))
    }
}

impl Portals for NoStripe {
    async fn portal(
        &self,
        _: &str,
        _: Option<&WebUrl>,
        _: &str,
    ) -> Result<SecretString, StripeFailure> {
        Ok("https://billing.stripe.com/p/session/test".into())
    }
}

/// A subscription that stands as it is wished, whosever it is.
pub(crate) struct Subscribed {
    ends: bool,
}

impl Subscriptions for Subscribed {
    async fn fetch(&self, id: &str) -> Result<Subscription, StripeFailure> {
        Ok(Subscription {
            id: id.to_owned(),
            customer: "cus_1".to_owned(),
            status: "active".to_owned(),
            collection_paused: false,
            cancel_at_period_end: self.ends,
            period: None,
            organization: None,
            items: Vec::new(),
            unfit: Vec::new(),
        })
    }

    async fn set_quantities(
        &self,
        _: &str,
        _: &[ItemTarget],
        _: ProrationBehavior,
        _: &str,
    ) -> Result<Updated, StripeFailure> {
        Err(missing())
    }
}

impl Cancels for Subscribed {
    async fn cancel_at_period_end(&self, _: &str, _: bool, _: &str) -> Result<(), StripeFailure> {
        Err(missing())
    }
}
