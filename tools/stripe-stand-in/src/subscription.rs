//! The subscription object and its items. Source:
//! <https://docs.stripe.com/api/subscriptions/object>.

mod view;

use serde::{Deserialize, Serialize};

use crate::{calendar::Recurrence, params::Metadata, table::Row};

/// Where a subscription stands. Source:
/// <https://docs.stripe.com/billing/subscriptions/overview#subscription-statuses>.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Status {
    /// In good standing.
    Active,
    /// Not paid for yet because of a trial.
    Trialing,
    /// The latest invoice is not paid.
    PastDue,
    /// Stripe has given up collecting; invoices are left as drafts.
    Unpaid,
    /// Over; final.
    Canceled,
    /// The first payment has not succeeded.
    Incomplete,
    /// The first payment did not succeed within 23 hours; final.
    IncompleteExpired,
    /// A trial ended without a payment method.
    Paused,
}

impl Status {
    pub(crate) const WORDS: [(&'static str, Self); 8] = [
        ("active", Self::Active),
        ("trialing", Self::Trialing),
        ("past_due", Self::PastDue),
        ("unpaid", Self::Unpaid),
        ("canceled", Self::Canceled),
        ("incomplete", Self::Incomplete),
        ("incomplete_expired", Self::IncompleteExpired),
        ("paused", Self::Paused),
    ];

    /// Whether nothing can follow.
    pub(crate) fn is_final(self) -> bool {
        matches!(self, Self::Canceled | Self::IncompleteExpired)
    }

    /// Whether the end of a period begins another.
    pub(crate) fn renews(self) -> bool {
        matches!(self, Self::Active | Self::Trialing | Self::PastDue | Self::Unpaid)
    }

    /// Whether a change of quantity is worth money: a trial is free, and before the first
    /// payment or while paused nothing is owed.
    pub(crate) fn prorates(self) -> bool {
        matches!(self, Self::Active | Self::PastDue | Self::Unpaid)
    }
}

/// A span of time in Unix seconds; the end is not part of it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Period {
    pub(crate) start: i64,
    pub(crate) end: i64,
}

/// How an invoice is paid.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Collection {
    ChargeAutomatically,
    SendInvoice,
}

impl Collection {
    pub(crate) const WORDS: [(&'static str, Self); 2] =
        [("charge_automatically", Self::ChargeAutomatically), ("send_invoice", Self::SendInvoice)];
}

/// What becomes of invoices that are not collected. Source:
/// <https://docs.stripe.com/api/subscriptions/object#subscription_object-pause_collection>.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum PauseBehavior {
    KeepAsDraft,
    MarkUncollectible,
    Void,
}

impl PauseBehavior {
    pub(crate) const WORDS: [(&'static str, Self); 3] = [
        ("keep_as_draft", Self::KeepAsDraft),
        ("mark_uncollectible", Self::MarkUncollectible),
        ("void", Self::Void),
    ];
}

/// That invoices are not collected; the status stays as it is.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct PauseCollection {
    pub(crate) behavior: PauseBehavior,
    /// Unix seconds. It does not end by itself here.
    pub(crate) resumes_at: Option<i64>,
}

/// Why it ended.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Cancellation {
    pub(crate) comment: Option<String>,
    pub(crate) feedback: Option<String>,
    pub(crate) reason: Option<String>,
}

/// One price on a subscription and how many of it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Item {
    pub(crate) id: String,
    pub(crate) created: i64,
    pub(crate) price: String,
    pub(crate) quantity: i64,
    pub(crate) metadata: Metadata,
    /// What was charged for the time that still runs: what flexible billing mode credits.
    #[serde(default)]
    pub(crate) debits: Vec<Debit>,
}

/// A charge for an item over some time.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Debit {
    /// Cents.
    pub(crate) amount: i64,
    pub(crate) price: String,
    pub(crate) quantity: i64,
    pub(crate) period: Period,
}

/// How prorations and invoices are computed. Source:
/// <https://docs.stripe.com/billing/subscriptions/billing-mode/compare>.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum BillingMode {
    /// A credit is computed from what the item is now.
    Classic,
    /// A credit is computed from what was charged, one for each charge.
    Flexible,
}

impl BillingMode {
    pub(crate) const WORDS: [(&'static str, Self); 2] =
        [("classic", Self::Classic), ("flexible", Self::Flexible)];

    /// What a subscription gets that is made without saying so: flexible since
    /// 2025-09-30.clover. Versions are dates, so that they compare as text.
    pub(crate) fn of_version(api_version: Option<&str>) -> Self {
        match api_version {
            Some(version) if version < "2025-09-30" => Self::Classic,
            _ => Self::Flexible,
        }
    }
}

/// A customer's subscription.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(crate) struct Subscription {
    pub(crate) id: String,
    pub(crate) created: i64,
    pub(crate) customer: String,
    pub(crate) status: Status,
    /// At least one, all with the same currency and recurrence.
    pub(crate) items: Vec<Item>,
    pub(crate) currency: String,
    pub(crate) every: Recurrence,
    /// The moment from which all period boundaries are counted.
    pub(crate) anchor: i64,
    pub(crate) period: Period,
    pub(crate) trial: Option<Period>,
    pub(crate) cancel_at_period_end: bool,
    /// When it was asked to end, where that was not asked as `cancel_at_period_end`.
    #[serde(default)]
    pub(crate) cancel_at: Option<i64>,
    pub(crate) canceled_at: Option<i64>,
    pub(crate) ended_at: Option<i64>,
    pub(crate) cancellation: Cancellation,
    pub(crate) latest_invoice: Option<String>,
    pub(crate) collection: Collection,
    pub(crate) days_until_due: Option<i64>,
    #[serde(default)]
    pub(crate) pause_collection: Option<PauseCollection>,
    pub(crate) default_payment_method: Option<String>,
    pub(crate) description: Option<String>,
    pub(crate) billing_mode: BillingMode,
    pub(crate) metadata: Metadata,
    /// A schedule that somebody attached, `sub_sched_…`. It does nothing here.
    #[serde(default)]
    pub(crate) schedule: Option<String>,
}

impl Subscription {
    /// When it ends unless somebody changes that.
    pub(crate) fn scheduled_end(&self) -> Option<i64> {
        if self.cancel_at_period_end { Some(self.period.end) } else { self.cancel_at }
    }
}

impl Row for Subscription {
    const OBJECT: &'static str = "subscription";
    fn id(&self) -> &str {
        &self.id
    }
    fn created(&self) -> i64 {
        self.created
    }
}

impl Row for Item {
    const OBJECT: &'static str = "subscription_item";
    fn id(&self) -> &str {
        &self.id
    }
    fn created(&self) -> i64 {
        self.created
    }
}
