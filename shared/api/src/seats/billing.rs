//! What the Seats API tells about billing: `GET /billing` and `POST /accounts/quote`. Times are
//! Unix seconds and amounts are cents, as in the Stripe objects that they come from.

use headcount_model::billing::{BillingError, SeatCounts};
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
#[cfg_attr(feature = "openapi", derive(schemars::JsonSchema))]
pub(crate) struct StatementView<'s> {
    /// The Stripe customer, `cus_…`.
    billing_id: &'s str,
    /// The Stripe subscription, as of the last webhook.
    subscription: SubscriptionView,
    /// Whether Stripe bills the seats that exist.
    sync: SyncView<'s>,
}

/// How a subscription stands.
#[derive(Serialize)]
#[cfg_attr(feature = "openapi", derive(schemars::JsonSchema))]
struct SubscriptionView {
    /// Stripe's status.
    #[cfg_attr(feature = "openapi", schemars(schema_with = "schema::subscription_status"))]
    status: &'static str,
    /// Whether it ends with the current period.
    cancel_at_period_end: bool,
    /// Unix seconds; `null` until Stripe has told.
    current_period_start: Option<i64>,
    /// Unix seconds; `null` until Stripe has told.
    current_period_end: Option<i64>,
    /// The seats that exist, by tier.
    slots: SlotsView,
}

/// Seats by tier.
#[derive(Serialize)]
#[cfg_attr(feature = "openapi", derive(schemars::JsonSchema))]
struct SlotsView {
    /// Basic seats.
    basic: u64,
    /// Premium seats.
    premium: u64,
}

/// Whether the bill is current.
#[derive(Serialize)]
#[cfg_attr(feature = "openapi", derive(schemars::JsonSchema))]
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

/// An error of Stripe.
#[derive(Serialize)]
#[cfg_attr(feature = "openapi", derive(schemars::JsonSchema))]
struct ErrorView<'s> {
    /// Stripe's code.
    code: &'s str,
    /// Stripe's words.
    message: &'s str,
}

impl<'s> From<&'s BillingError> for ErrorView<'s> {
    fn from(error: &'s BillingError) -> Self {
        Self { code: &error.code, message: &error.message }
    }
}

const SYNCED: &str = "synced";
const PENDING: &str = "pending";
const FAILED: &str = "failed";

/// What `sync.state` can be.
#[cfg(feature = "openapi")]
pub(crate) const SYNC_STATES: [&str; 3] = [SYNCED, PENDING, FAILED];

/// The answer to `GET /billing`.
pub fn billing(statement: &Statement) -> Answer {
    let standing = &statement.standing;
    let (state, error) = match statement.sync() {
        Sync::Synced => (SYNCED, None),
        Sync::Pending => (PENDING, None),
        Sync::Failed(error) => (FAILED, Some(error.into())),
    };
    success(StatementView {
        billing_id: &statement.customer,
        subscription: SubscriptionView {
            status: standing.status.as_str(),
            cancel_at_period_end: standing.cancel_at_period_end,
            current_period_start: standing.period.map(|period| period.start),
            current_period_end: standing.period.map(|period| period.end),
            slots: SlotsView { basic: statement.seats.basic, premium: statement.seats.premium },
        },
        sync: SyncView {
            state,
            version: statement.version,
            applied_version: statement.applied_version,
            error,
        },
    })
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
    /// When it stops holding.
    pub expires_at: Timestamp,
}

/// The currency of every amount.
pub(crate) const CURRENCY: &str = "usd";

#[derive(Serialize)]
#[cfg_attr(feature = "openapi", derive(schemars::JsonSchema))]
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
    /// When the quote ends, in Unix seconds: an hour after it was made.
    expires_at: i64,
}

/// Seats and prices by tier.
#[derive(Serialize)]
#[cfg_attr(feature = "openapi", derive(schemars::JsonSchema))]
struct TiersView {
    /// Basic seats.
    basic: TierView,
    /// Premium seats.
    premium: TierView,
}

/// Seats of one tier.
#[derive(Serialize)]
#[cfg_attr(feature = "openapi", derive(schemars::JsonSchema))]
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
        expires_at: quoted.expires_at.as_second(),
        quote_id: quoted.id,
    })
}

fn success(data: impl Serialize) -> Answer {
    Answer::new(StatusCode::OK, &Success { ok: true, code: 200, message: "Success", data })
}
