//! Seat arithmetic and the billing record of an organization.
//!
//! The record counts what the organization has (`seats`) and how often that has changed
//! (`version`). What Stripe has been told is `applied_version`; billing is true when both are
//! equal.

use std::future::Future;
use std::str::FromStr;

use jiff::Timestamp;

use crate::fewer::Fewer;
use crate::history::{Change, Told};
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

impl std::ops::Add for SeatCounts {
    type Output = Self;

    fn add(self, other: Self) -> Self {
        Self { basic: self.basic + other.basic, premium: self.premium + other.premium }
    }
}

/// What becomes of the difference when quantities change within a period
/// (<https://docs.stripe.com/billing/subscriptions/prorations>). Each organization has its own.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum ProrationBehavior {
    /// It is collected on the next invoice.
    #[default]
    CreateProrations,
    /// It is neither charged nor credited.
    None,
    /// It is invoiced at once. Stripe makes at most 20 such invoices a day for a subscription.
    AlwaysInvoice,
}

impl ProrationBehavior {
    /// Every behaviour.
    pub const ALL: [ProrationBehavior; 3] = [
        ProrationBehavior::CreateProrations,
        ProrationBehavior::None,
        ProrationBehavior::AlwaysInvoice,
    ];

    /// The behaviour as Stripe and the table write it.
    pub fn as_str(self) -> &'static str {
        match self {
            ProrationBehavior::CreateProrations => "create_prorations",
            ProrationBehavior::None => "none",
            ProrationBehavior::AlwaysInvoice => "always_invoice",
        }
    }
}

impl FromStr for ProrationBehavior {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        Self::ALL.into_iter().find(|behavior| behavior.as_str() == text).ok_or_else(|| {
            let known = Self::ALL.map(Self::as_str).join(", ");
            format!("no such proration behavior; there are: {known}")
        })
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

    /// Whether the subscription has ended: nothing can be changed on it any more, and nothing is billed
    /// by it.
    pub fn has_ended(self) -> bool {
        matches!(self, SubscriptionStatus::Canceled | SubscriptionStatus::IncompleteExpired)
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
    /// The quantities that Stripe was last told; `None` before the first time.
    pub told: Option<SeatCounts>,
    /// What becomes of the difference when quantities change within a period.
    pub proration: ProrationBehavior,
    /// What becomes of it when seats are given back, and when that was.
    pub fewer: Fewer,
    /// The items of the subscription, as far as they are known.
    pub items: RememberedItems,
    /// How far the updates sent so far reach at the allowed pace; `None` before the first.
    pub paced_until: Option<Timestamp>,
    /// The update that Stripe was asked for and whose answer is not on record.
    pub attempt: Option<Attempt>,
    /// Why the last attempt to tell Stripe failed for good.
    pub last_error: Option<BillingError>,
}

impl BillingRecord {
    /// Whether Stripe has not been told of everything.
    pub fn is_behind(&self) -> bool {
        self.applied_version < self.version
    }
}

/// The items of a subscription that bill the tiers, `si_…`. They are remembered so that an update
/// is one call; Stripe is asked when one is missing or gone.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct RememberedItems {
    /// Bills basic seats.
    pub basic: Option<String>,
    /// Bills premium seats.
    pub premium: Option<String>,
}

impl RememberedItems {
    /// The item of one tier.
    pub fn of(&self, tier: Tier) -> Option<&str> {
        match tier {
            Tier::Basic => self.basic.as_deref(),
            Tier::Premium => self.premium.as_deref(),
        }
    }
}

/// What an item's quantity shall be, whatever it was.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ItemTarget {
    /// The item, `si_…`, or `None` to add one.
    pub id: Option<String>,
    /// The price that it shall be billed at, `price_…`.
    pub price: String,
    /// The quantity to end up with.
    pub quantity: u64,
}

/// An update of a subscription, written down before Stripe is asked for it.
///
/// While it is on record nobody knows whether Stripe has taken it, or will: a call without an answer
/// may arrive later. Whoever comes next asks for the very same under the same key, which Stripe
/// carries out once, before asking for anything else
/// (<https://docs.stripe.com/api/idempotent_requests>). So updates take effect in the order in which
/// they were written down.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Attempt {
    /// The idempotency key, of this attempt alone.
    pub key: String,
    /// The version whose quantities it tells.
    pub version: u64,
    /// The version that it tells a first part of; `None` when it tells a whole one.
    pub part_of: Option<u64>,
    /// What Stripe is asked for.
    pub targets: Vec<ItemTarget>,
    /// What becomes of the difference.
    pub proration: ProrationBehavior,
    /// When it was written down.
    pub at: Timestamp,
}

/// An update that Stripe has taken.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TakenUpdate {
    /// The key of the attempt.
    pub key: String,
    /// The version whose quantities Stripe now holds.
    pub version: u64,
    /// The quantities that it was told.
    pub seats: SeatCounts,
    /// The subscription's items.
    pub items: RememberedItems,
}

/// Why billing could not be brought up to date, for operators and `GET /billing`. Never holds
/// a secret: the code and message are Stripe's or ours, without the request.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct BillingError {
    /// A stable code.
    pub code: String,
    /// For a person.
    pub message: String,
    /// Stripe's id of the request that it refused, `req_…`; `None` when the error is ours.
    pub request_id: Option<String>,
}

/// The message on the billing queue: an organization has reached a version. It says no more that
/// anything is done by, so that an old one can do no harm.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct BillingChange {
    /// Whose billing changed.
    pub organization: OrganizationId,
    /// The version that it reached.
    pub version: u64,
    /// How versions came about, for the history alone. A message that is sent again has none.
    pub changes: Vec<Change>,
}

/// What became of something that is recorded only if nobody else has recorded anything meanwhile.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Recorded {
    /// The record now says so.
    Yes,
    /// Another writer was faster, and nothing was recorded.
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

    /// Writes down what Stripe is about to be asked for, and how far updates reach with it,
    /// provided that nothing was begun or recorded since `record` was read.
    ///
    /// # Errors
    /// When the table does not answer.
    fn begin(
        &self,
        record: &BillingRecord,
        attempt: &Attempt,
        paced_until: Timestamp,
        now: Timestamp,
    ) -> impl Future<Output = Result<Recorded, LedgerUnavailable>> + Send;

    /// Keeps for the history how versions came about. To repeat it is harmless.
    ///
    /// # Errors
    /// When the table does not answer.
    fn keep_changes(
        &self,
        organization: &OrganizationId,
        changes: &[Change],
    ) -> impl Future<Output = Result<(), LedgerUnavailable>> + Send;

    /// Keeps for the history what Stripe answered. It comes before the answer is recorded, so that no version
    /// is recorded that the history does not have. To repeat it is harmless: of a version that is told
    /// the first entry stays.
    ///
    /// # Errors
    /// When the table does not answer.
    fn keep_told(
        &self,
        organization: &OrganizationId,
        told: &Told,
    ) -> impl Future<Output = Result<(), LedgerUnavailable>> + Send;

    /// Records what Stripe holds, provided that the attempt is still the one on record; it is over
    /// with that.
    ///
    /// # Errors
    /// When the table does not answer.
    fn record_applied(
        &self,
        organization: &OrganizationId,
        update: &TakenUpdate,
        now: Timestamp,
    ) -> impl Future<Output = Result<Recorded, LedgerUnavailable>> + Send;

    /// Records why billing cannot be brought up to date. With the key of an attempt, the attempt is
    /// over, and nothing is recorded when it is no longer the one on record.
    ///
    /// # Errors
    /// When the table does not answer.
    fn record_failure(
        &self,
        organization: &OrganizationId,
        attempt: Option<&str>,
        error: &BillingError,
        now: Timestamp,
    ) -> impl Future<Output = Result<(), LedgerUnavailable>> + Send;
}

/// The billing period of a subscription, in Unix seconds as Stripe gives them.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Period {
    /// When it began.
    pub start: i64,
    /// When it ends and the next one is invoiced.
    pub end: i64,
}

/// How a subscription stands, as Stripe says.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Standing {
    /// Its status.
    pub status: SubscriptionStatus,
    /// Whether its invoices are collected no longer, though its status says nothing of that.
    pub collection_paused: bool,
    /// Whether it ends with the current period.
    pub cancel_at_period_end: bool,
    /// The current period; `None` when Stripe does not tell one.
    pub period: Option<Period>,
}

/// A standing of which nothing but the status is known.
impl From<SubscriptionStatus> for Standing {
    fn from(status: SubscriptionStatus) -> Self {
        Self { status, collection_paused: false, cancel_at_period_end: false, period: None }
    }
}

/// Which subscription bills an organization, and how often its standing was written.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LinkedSubscription {
    /// `sub_…`
    pub subscription: String,
    /// Counts the writes of the standing; a writer names the count that it began with.
    pub status_version: u64,
}

/// Where it is kept how an organization's subscription stands.
///
/// A standing is true at the moment when Stripe is asked. So that an answer that is older never
/// replaces a newer one, a writer reads [`linked`](SubscriptionLedger::linked) first, then asks
/// Stripe, then writes under the condition that nobody else has written since.
pub trait SubscriptionLedger {
    /// The subscription of an organization as of now (a consistent read); `None` without the
    /// organization or when none is linked.
    ///
    /// # Errors
    /// When the table does not answer.
    fn linked(
        &self,
        organization: &OrganizationId,
    ) -> impl Future<Output = Result<Option<LinkedSubscription>, LedgerUnavailable>> + Send;

    /// Records what Stripe said after `linked` was read; [`Recorded::Overtaken`] when another
    /// writer was faster or another subscription is linked now. Seats, `version` and
    /// `applied_version` stay as they are. A period that is not told stays too.
    ///
    /// # Errors
    /// When the table does not answer.
    fn record_standing(
        &self,
        organization: &OrganizationId,
        linked: &LinkedSubscription,
        standing: &Standing,
        now: Timestamp,
    ) -> impl Future<Output = Result<Recorded, LedgerUnavailable>> + Send;
}

#[cfg(test)]
mod tests {
    use super::*;

    fn seat(tier: Tier) -> NewSeat {
        NewSeat { tier, details: None, profile: Default::default() }
    }

    #[test]
    fn counts_are_by_tier() {
        let seats = [Tier::Premium, Tier::Basic, Tier::Premium].map(seat);
        let counts = SeatCounts::of(&seats);
        assert_eq!(counts, SeatCounts { basic: 1, premium: 2 });
        assert_eq!((counts.get(Tier::Basic), counts.get(Tier::Premium)), (1, 2));
        assert_eq!(counts.total(), 3);
        let sum = counts + SeatCounts { basic: 10, premium: 100 };
        assert_eq!(sum, SeatCounts { basic: 11, premium: 102 });
    }

    #[test]
    fn what_is_written_is_read_back_and_nothing_else() {
        for status in SubscriptionStatus::ALL {
            assert_eq!(status.as_str().parse(), Ok(status));
        }
        let unknown = "Active".parse::<SubscriptionStatus>().expect_err("another case");
        assert_eq!(unknown.to_string(), "unknown subscription status \"Active\"");
        for behavior in ProrationBehavior::ALL {
            assert_eq!(behavior.as_str().parse(), Ok(behavior));
        }
        let unknown = "".parse::<ProrationBehavior>().expect_err("nothing");
        assert!(unknown.ends_with("create_prorations, none, always_invoice"), "{unknown}");
        let unavailable = LedgerUnavailable("it is away".to_owned());
        assert_eq!(unavailable.to_string(), "the table is not available: it is away");
    }

    #[test]
    fn a_record_is_behind_until_its_version_is_applied() {
        let items = RememberedItems { basic: Some("si_b".to_owned()), premium: None };
        assert_eq!((items.of(Tier::Basic), items.of(Tier::Premium)), (Some("si_b"), None));
        let behind = |applied_version| {
            let organization = "org_01kafzqzxqxqxqxqxqxqxqxqxq";
            BillingRecord {
                organization: OrganizationId::parse(organization).expect("an id"),
                subscription: None,
                seats: SeatCounts::default(),
                version: 7,
                applied_version,
                told: None,
                proration: ProrationBehavior::default(),
                fewer: Fewer::default(),
                items: items.clone(),
                paced_until: None,
                attempt: None,
                last_error: None,
            }
            .is_behind()
        };
        assert_eq!([6, 7, 8].map(behind), [true, false, false]);
    }
}
