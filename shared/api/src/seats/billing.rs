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

#[derive(Serialize)]
struct StatementView<'s> {
    billing_id: &'s str,
    subscription: SubscriptionView,
    sync: SyncView<'s>,
}

#[derive(Serialize)]
struct SubscriptionView {
    status: &'static str,
    cancel_at_period_end: bool,
    current_period_start: Option<i64>,
    current_period_end: Option<i64>,
    slots: SlotsView,
}

#[derive(Serialize)]
struct SlotsView {
    basic: u64,
    premium: u64,
}

#[derive(Serialize)]
struct SyncView<'s> {
    state: &'static str,
    version: u64,
    applied_version: u64,
    error: Option<ErrorView<'s>>,
}

#[derive(Serialize)]
struct ErrorView<'s> {
    code: &'s str,
    message: &'s str,
}

impl<'s> From<&'s BillingError> for ErrorView<'s> {
    fn from(error: &'s BillingError) -> Self {
        Self { code: &error.code, message: &error.message }
    }
}

/// The answer to `GET /billing`.
pub fn billing(statement: &Statement) -> Answer {
    let standing = &statement.standing;
    let (state, error) = match statement.sync() {
        Sync::Synced => ("synced", None),
        Sync::Pending => ("pending", None),
        Sync::Failed(error) => ("failed", Some(error.into())),
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

#[derive(Serialize)]
struct QuoteView {
    quote_id: String,
    tiers: TiersView,
    monthly_total_before: u64,
    monthly_total_after: u64,
    proration_amount: i64,
    currency: &'static str,
    expires_at: i64,
}

#[derive(Serialize)]
struct TiersView {
    basic: TierView,
    premium: TierView,
}

#[derive(Serialize)]
struct TierView {
    before: u64,
    after: u64,
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
        currency: "usd",
        expires_at: quoted.expires_at.as_second(),
        quote_id: quoted.id,
    })
}

fn success(data: impl Serialize) -> Answer {
    Answer::new(StatusCode::OK, &Success { ok: true, code: 200, message: "Success", data })
}
