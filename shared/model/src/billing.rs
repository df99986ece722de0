//! Seat arithmetic and the billing record of an organization.
//!
//! The record counts what the organization has (`seats`) and how often that has changed
//! (`version`). What Stripe has been told is `applied_version`; billing is true when both are
//! equal.

use std::future::Future;
use std::str::FromStr;

use jiff::Timestamp;

use crate::id::OrganizationId;
use crate::seats::{NewSeat, Tier};

/// Seats per tier.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct SeatCounts {
    /// Basic seats.
    pub basic: u64,
    /// Premium seats.
    pub premium: u64,
}

impl SeatCounts {
    /// Counts seats by tier.
    pub fn of<'a>(seats: impl IntoIterator<Item = &'a NewSeat>) -> Self {
        let mut counts = Self::default();
        for seat in seats {
            match seat.tier {
                Tier::Basic => counts.basic += 1,
                Tier::Premium => counts.premium += 1,
            }
        }
        counts
    }

    /// The count of one tier.
    pub fn get(self, tier: Tier) -> u64 {
        match tier {
            Tier::Basic => self.basic,
            Tier::Premium => self.premium,
        }
    }

    /// All seats.
    pub fn total(self) -> u64 {
        self.basic + self.premium
    }
}

/// Status of a Stripe subscription
/// (<https://docs.stripe.com/api/subscriptions/object#subscription_object-status>).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[allow(missing_docs)] // Stripe's own words.
pub enum SubscriptionStatus {
    Active,
    Trialing,
    PastDue,
    Unpaid,
    Canceled,
    Incomplete,
    IncompleteExpired,
    Paused,
}

impl SubscriptionStatus {
    /// Every status.
    pub const ALL: [SubscriptionStatus; 8] = [
        SubscriptionStatus::Active,
        SubscriptionStatus::Trialing,
        SubscriptionStatus::PastDue,
        SubscriptionStatus::Unpaid,
        SubscriptionStatus::Canceled,
        SubscriptionStatus::Incomplete,
        SubscriptionStatus::IncompleteExpired,
        SubscriptionStatus::Paused,
    ];

    /// The status as Stripe and the table write it.
    pub fn as_str(self) -> &'static str {
        match self {
            SubscriptionStatus::Active => "active",
            SubscriptionStatus::Trialing => "trialing",
            SubscriptionStatus::PastDue => "past_due",
            SubscriptionStatus::Unpaid => "unpaid",
            SubscriptionStatus::Canceled => "canceled",
            SubscriptionStatus::Incomplete => "incomplete",
            SubscriptionStatus::IncompleteExpired => "incomplete_expired",
            SubscriptionStatus::Paused => "paused",
        }
    }

    /// Whether seats may be added. `past_due` may: Stripe is still trying to collect.
    pub fn takes_seats(self) -> bool {
        match self {
            SubscriptionStatus::Active
            | SubscriptionStatus::Trialing
            | SubscriptionStatus::PastDue => true,
            SubscriptionStatus::Unpaid
            | SubscriptionStatus::Canceled
            | SubscriptionStatus::Incomplete
            | SubscriptionStatus::IncompleteExpired
            | SubscriptionStatus::Paused => false,
        }
    }
}

/// A status that Stripe has and this version does not know.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct UnknownStatus(pub String);

impl std::fmt::Display for UnknownStatus {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "unknown subscription status {:?}", self.0)
    }
}

impl std::error::Error for UnknownStatus {}

impl FromStr for SubscriptionStatus {
    type Err = UnknownStatus;

    fn from_str(text: &str) -> Result<Self, UnknownStatus> {
        Self::ALL
            .into_iter()
            .find(|status| status.as_str() == text)
            .ok_or_else(|| UnknownStatus(text.to_owned()))
    }
}

/// The billing record of an organization, as far as billing needs it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct BillingRecord {
    /// Whose it is.
    pub organization: OrganizationId,
    /// The Stripe subscription, `sub_…`; `None` when none is linked.
    pub subscription: Option<String>,
    /// The seats that exist.
    pub seats: SeatCounts,
    /// How often the seats have changed.
    pub version: u64,
    /// The version that Stripe was last told.
    pub applied_version: u64,
    /// The quantities that Stripe was last told, if it ever was.
    pub last_error: Option<BillingError>,
}

impl BillingRecord {
    /// Whether Stripe has not been told of everything.
    pub fn is_behind(&self) -> bool {
        self.applied_version < self.version
    }
}

/// Why billing could not be brought up to date, for operators and `GET /billing`. Never holds
/// a secret: the code and message are Stripe's or ours, without the request.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct BillingError {
    /// A stable code.
    pub code: String,
    /// For a person.
    pub message: String,
}

/// The message on the billing queue: an organization has reached a version. It says no more,
/// so that an old one can do no harm.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct BillingChange {
    /// Whose billing changed.
    pub organization: OrganizationId,
    /// The version that it reached.
    pub version: u64,
}

/// What became of recording an applied version.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Recorded {
    /// The record now says so.
    Yes,
    /// Another writer recorded a version at least as new, perhaps before our call reached
    /// Stripe: what Stripe holds now is unknown.
    Overtaken,
}

/// The table did not do what was asked of it; trying again later is right.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LedgerUnavailable(pub String);

impl std::fmt::Display for LedgerUnavailable {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "the table is not available: {}", self.0)
    }
}

impl std::error::Error for LedgerUnavailable {}

/// Where billing records are kept.
pub trait BillingLedger {
    /// The record as of now (a consistent read).
    ///
    /// # Errors
    /// When the table does not answer.
    fn billing(
        &self,
        organization: &OrganizationId,
    ) -> impl Future<Output = Result<Option<BillingRecord>, LedgerUnavailable>> + Send;

    /// Records that Stripe holds the quantities of `version`, provided that it was at
    /// `from` when we began.
    ///
    /// # Errors
    /// When the table does not answer.
    fn record_applied(
        &self,
        organization: &OrganizationId,
        from: u64,
        version: u64,
        now: Timestamp,
    ) -> impl Future<Output = Result<Recorded, LedgerUnavailable>> + Send;

    /// Records why billing cannot be brought up to date.
    ///
    /// # Errors
    /// When the table does not answer.
    fn record_failure(
        &self,
        organization: &OrganizationId,
        error: &BillingError,
        now: Timestamp,
    ) -> impl Future<Output = Result<(), LedgerUnavailable>> + Send;
}
