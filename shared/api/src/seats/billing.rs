//! What the Seats API tells about billing: `GET /billing` and `POST /accounts/quote`. Amounts are
//! cents. The times of a period are ISO 8601 with milliseconds, as the original has them; the end of a
//! quote is in Unix seconds.

use headcount_model::billing::{BillingError, SeatCounts};
use headcount_model::id::OrganizationId;
use headcount_model::organization::Organization;
use headcount_model::policy::{BillingPolicy, NotBillable};
use headcount_model::seats::Tier;
use headcount_model::statement::{Statement, Sync};
use headcount_model::tiers::Tiers;
use jiff::Timestamp;
use lambda_http::http::StatusCode;
use serde::Serialize;

use super::Success;
use crate::dialect::Answer;
#[cfg(feature = "openapi")]
use crate::schema;

#[derive(Serialize)]
#[cfg_attr(feature = "openapi", derive(schemars::JsonSchema), schemars(rename = "BillingData"))]
pub(crate) struct StatementView<'s> {
    /// The Stripe customer, `cus_…`; `null` when nobody pays.
    billing_id: Option<&'s str>,
    /// The Stripe subscription, as of the last webhook; `null` when none is linked.
    subscription: Option<SubscriptionView>,
    /// The organization that is billed.
    orgs: [OrganizationView<'s>; 1],
    /// Which subscriptions take seats, and whether this one does.
    billable: BillableView,
    /// Whether Stripe bills the seats that exist.
    sync: SyncView<'s>,
}

/// An organization.
#[derive(Serialize)]
#[cfg_attr(feature = "openapi", derive(schemars::JsonSchema), schemars(rename = "Organization"))]
pub(crate) struct OrganizationView<'s> {
    /// `org_…`
    id: &'s str,
    /// What it is called.
    name: &'s str,
}

/// The answer to `GET /org`: a list, as in the original, of the caller's organization.
pub fn organizations(organization: &Organization) -> Answer {
    let Organization { id, name } = organization;
    let data = [OrganizationView { id: id.as_str(), name }];
    Answer::new(StatusCode::OK, &Success { ok: true, code: 200, message: "Success", data })
}

/// Which subscriptions take seats, and whether the organization's does.
#[derive(Serialize)]
#[cfg_attr(feature = "openapi", derive(schemars::JsonSchema), schemars(rename = "Billable"))]
struct BillableView {
    /// Whether seats can be added to the organization's.
    takes_seats: bool,
    /// The state that seats cannot be billed in; `null` when they can, or when nothing is linked.
    because: Option<&'static str>,
    /// The policy.
    #[serde(flatten)]
    policy: PolicyView,
}

/// Which subscriptions take seats.
#[derive(Serialize)]
#[cfg_attr(feature = "openapi", derive(schemars::JsonSchema), schemars(rename = "BillablePolicy"))]
struct PolicyView {
    /// The states that do: Stripe's statuses, and `collection_paused` where its invoices need not be
    /// collected.
    states: Vec<&'static str>,
    /// For how many days one that is past due does.
    past_due_grace_days: i64,
}

impl From<&BillingPolicy> for PolicyView {
    fn from(policy: &BillingPolicy) -> Self {
        Self {
            states: policy.states().collect(),
            past_due_grace_days: policy.past_due_grace_days(),
        }
    }
}

/// How a subscription stands.
#[derive(Serialize)]
#[cfg_attr(feature = "openapi", derive(schemars::JsonSchema), schemars(rename = "Subscription"))]
struct SubscriptionView {
    /// Stripe's status.
    #[cfg_attr(feature = "openapi", schemars(schema_with = "schema::subscription_status"))]
    status: &'static str,
    /// Whether it ends with the current period.
    cancel_at_period_end: bool,
    /// ISO 8601, UTC, with three decimals; `null` until Stripe has told.
    #[cfg_attr(feature = "openapi", schemars(schema_with = "schema::period_boundary"))]
    current_period_start: Option<String>,
    /// ISO 8601, UTC, with three decimals; `null` until Stripe has told.
    #[cfg_attr(feature = "openapi", schemars(schema_with = "schema::period_boundary"))]
    current_period_end: Option<String>,
    /// The seats that exist, by tier.
    slots: SlotsView,
}

/// Seats by tier.
#[derive(Serialize)]
#[cfg_attr(feature = "openapi", derive(schemars::JsonSchema), schemars(rename = "Slots"))]
pub(super) struct SlotsView {
    /// Basic seats.
    pub(super) basic: u64,
    /// Premium seats.
    pub(super) premium: u64,
}

/// Whether the bill is current.
#[derive(Serialize)]
#[cfg_attr(feature = "openapi", derive(schemars::JsonSchema), schemars(rename = "BillingSync"))]
struct SyncView<'s> {
    /// `synced`: Stripe was told of the newest version. `pending`: it is about to be. `failed`: it
    /// could not be, and an operator has to look.
    #[cfg_attr(feature = "openapi", schemars(schema_with = "schema::sync_state"))]
    state: &'static str,
    /// How often the seats have changed.
    version: u64,
    /// The version that Stripe was last told.
    applied_version: u64,
    /// Why Stripe could not be told; `null` unless `state` is `failed`.
    error: Option<ErrorView<'s>>,
}

/// Why Stripe could not be told.
#[derive(Serialize)]
#[cfg_attr(feature = "openapi", derive(schemars::JsonSchema), schemars(rename = "BillingError"))]
pub(super) struct ErrorView<'s> {
    /// A stable code.
    #[cfg_attr(feature = "openapi", schemars(schema_with = "schema::billing_error"))]
    code: &'s str,
    /// For a person.
    message: &'static str,
}

/// The code for everything that is the operator's own affair.
const OTHER_ERROR: (&str, &str) =
    ("billing_failed", "The change could not be billed yet. The operator has been told.");

/// What is told of errors, by their code. Whatever else is on record, Stripe's words among it, names
/// the operator's prices, customers and other tenants, and stays there.
const TOLD_ERRORS: [(&str, &str); 8] = [
    ("card_declined", "The payment method was declined."),
    ("expired_card", "The payment method has expired."),
    ("authentication_required", "The payment needs to be confirmed by the customer."),
    ("payment_intent_authentication_failure", "The payment was not confirmed by the customer."),
    ("no_subscription", "No subscription is linked to the organization."),
    ("subscription_missing", "The subscription does not exist any more."),
    ("subscription_schedule", "The subscription is changed by a schedule."),
    OTHER_ERROR,
];

/// The codes of [`TOLD_ERRORS`].
#[cfg(feature = "openapi")]
pub(crate) fn told_codes() -> Vec<&'static str> {
    TOLD_ERRORS.iter().map(|(code, _)| *code).collect()
}

impl From<&BillingError> for ErrorView<'_> {
    fn from(error: &BillingError) -> Self {
        let told = TOLD_ERRORS.iter().find(|(code, _)| *code == error.code);
        let (code, message) = *told.unwrap_or(&OTHER_ERROR);
        Self { code, message }
    }
}

const SYNCED: &str = "synced";
const PENDING: &str = "pending";
const FAILED: &str = "failed";

/// What `sync.state` can be.
#[cfg(feature = "openapi")]
pub(crate) const SYNC_STATES: [&str; 3] = [SYNCED, PENDING, FAILED];

/// The answer to `GET /billing`.
pub fn billing(
    organization: &OrganizationId,
    statement: &Statement,
    policy: &BillingPolicy,
    now: Timestamp,
) -> Answer {
    let (state, error) = match statement.sync() {
        Sync::Synced => (SYNCED, None),
        Sync::Pending => (PENDING, None),
        Sync::Failed(error) => (FAILED, Some(error.into())),
    };
    let not_billable = statement.not_billable(policy, now);
    let slots = || SlotsView { basic: statement.seats.basic, premium: statement.seats.premium };
    success(StatementView {
        billing_id: statement.customer.as_deref(),
        subscription: statement.subscription.as_ref().map(|linked| SubscriptionView {
            status: linked.standing.status.as_str(),
            cancel_at_period_end: linked.standing.cancel_at_period_end,
            current_period_start: linked.standing.period.and_then(|period| iso(period.start)),
            current_period_end: linked.standing.period.and_then(|period| iso(period.end)),
            slots: slots(),
        }),
        orgs: [OrganizationView { id: organization.as_str(), name: &statement.name }],
        billable: BillableView {
            takes_seats: statement.subscription.is_some() && not_billable.is_none(),
            because: not_billable.map(NotBillable::as_str),
            policy: policy.into(),
        },
        sync: SyncView {
            state,
            version: statement.version,
            applied_version: statement.applied_version,
            error,
        },
    })
}

/// Unix seconds as the original writes times: `2026-02-03T18:12:47.000Z`.
fn iso(second: i64) -> Option<String> {
    Timestamp::from_second(second).ok().map(|time| format!("{time:.3}"))
}

/// What a create would cost.
#[derive(Debug, Clone)]
pub struct Quoted<'q> {
    /// By what a create refers to it.
    pub id: String,
    /// The seats that exist.
    pub before: SeatCounts,
    /// The seats that would exist.
    pub after: SeatCounts,
    /// What they cost.
    pub tiers: &'q Tiers,
    /// What the rest of the current period costs more, in cents.
    pub proration: i64,
    /// Which subscriptions take seats.
    pub policy: &'q BillingPolicy,
    /// When it stops holding.
    pub expires_at: Timestamp,
}

/// The currency of every amount.
pub(crate) const CURRENCY: &str = "usd";

#[derive(Serialize)]
#[cfg_attr(feature = "openapi", derive(schemars::JsonSchema), schemars(rename = "QuoteData"))]
pub(crate) struct QuoteView {
    /// Makes a create hold to this quote.
    quote_id: String,
    /// Seats and prices by tier.
    tiers: TiersView,
    /// What the seats that exist cost a month, in cents.
    monthly_total_before: u64,
    /// What they would cost a month with these, in cents.
    monthly_total_after: u64,
    /// What Stripe would charge for the rest of the current period, in cents; 0 when the
    /// organization's changes are not prorated.
    proration_amount: i64,
    /// ISO 4217, in lower case, as in Stripe.
    #[cfg_attr(feature = "openapi", schemars(schema_with = "schema::currency"))]
    currency: &'static str,
    /// Which subscriptions take seats; the organization's does.
    billable: PolicyView,
    /// When the quote ends, in Unix seconds: an hour after it was made.
    expires_at: i64,
}

/// Seats and prices by tier.
#[derive(Serialize)]
#[cfg_attr(feature = "openapi", derive(schemars::JsonSchema), schemars(rename = "QuotedTiers"))]
struct TiersView {
    /// Basic seats.
    basic: TierView,
    /// Premium seats.
    premium: TierView,
}

/// Seats of one tier.
#[derive(Serialize)]
#[cfg_attr(feature = "openapi", derive(schemars::JsonSchema), schemars(rename = "QuotedTier"))]
struct TierView {
    /// The seats that exist.
    before: u64,
    /// The seats that would exist.
    after: u64,
    /// What one costs a month, in cents.
    unit_amount: u64,
}

/// The answer to `POST /accounts/quote`.
pub fn quoted(quoted: Quoted<'_>) -> Answer {
    let tier = |tier| TierView {
        before: quoted.before.get(tier),
        after: quoted.after.get(tier),
        unit_amount: quoted.tiers.of(tier).unit_amount,
    };
    success(QuoteView {
        tiers: TiersView { basic: tier(Tier::Basic), premium: tier(Tier::Premium) },
        monthly_total_before: quoted.tiers.monthly(quoted.before),
        monthly_total_after: quoted.tiers.monthly(quoted.after),
        proration_amount: quoted.proration,
        currency: CURRENCY,
        billable: quoted.policy.into(),
        expires_at: quoted.expires_at.as_second(),
        quote_id: quoted.id,
    })
}

fn success(data: impl Serialize) -> Answer {
    Answer::new(StatusCode::OK, &Success { ok: true, code: 200, message: "Success", data })
}
