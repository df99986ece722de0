//! Which subscriptions may be billed for more seats: one policy for the whole stack.

use std::fmt;

use jiff::{SignedDuration, Timestamp};

use crate::billing::{Standing, SubscriptionStatus};

/// The word for a subscription whose collection is paused: Stripe leaves its status as it is and
/// collects none of its invoices
/// (<https://docs.stripe.com/billing/subscriptions/pause-payment>).
pub const COLLECTION_PAUSED: &str = "collection_paused";

/// Which states of a subscription take seats, and for how long one that is past due does.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct BillingPolicy {
    /// In Stripe's order.
    statuses: Vec<SubscriptionStatus>,
    collection_paused: bool,
    past_due_grace: SignedDuration,
}

/// Why a policy makes no sense.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum PolicyError {
    /// There is no such state, or no seat can be billed in it.
    State(String),
    /// Without a state no seat could ever be created.
    NoState,
    /// The grace is longer than [`BillingPolicy::MAX_GRACE_DAYS`].
    Grace,
}

impl fmt::Display for PolicyError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            PolicyError::State(word) => write!(f, "{word:?} is no state that can be billed"),
            PolicyError::NoState => f.write_str("there is no state"),
            PolicyError::Grace => {
                write!(f, "the grace is 0 to {} days", BillingPolicy::MAX_GRACE_DAYS)
            }
        }
    }
}

impl std::error::Error for PolicyError {}

/// Why a subscription takes no seats.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum NotBillable {
    /// Its status is none of the policy's, or it is past due for longer than the grace.
    Status(SubscriptionStatus),
    /// Its collection is paused.
    CollectionPaused,
}

impl NotBillable {
    /// The state, in the words of the policy.
    pub fn as_str(self) -> &'static str {
        match self {
            NotBillable::Status(status) => status.as_str(),
            NotBillable::CollectionPaused => COLLECTION_PAUSED,
        }
    }
}

impl BillingPolicy {
    /// The longest grace, in days.
    pub const MAX_GRACE_DAYS: u16 = 365;

    /// A policy from the words of its states, statuses of Stripe and [`COLLECTION_PAUSED`], and the
    /// days for which a subscription that is past due takes seats; 0 is none.
    ///
    /// # Errors
    /// [`PolicyError`]. A subscription that has ended bills nothing, so `canceled` and
    /// `incomplete_expired` are no states of a policy.
    pub fn new(states: &str, past_due_grace_days: u16) -> Result<Self, PolicyError> {
        if past_due_grace_days > Self::MAX_GRACE_DAYS {
            return Err(PolicyError::Grace);
        }
        let words: Vec<_> =
            states.split(',').map(str::trim).filter(|word| !word.is_empty()).collect();
        let is_known = |word: &&str| {
            *word == COLLECTION_PAUSED
                || word.parse().is_ok_and(|status: SubscriptionStatus| !status.has_ended())
        };
        if let Some(unknown) = words.iter().find(|word| !is_known(word)) {
            return Err(PolicyError::State((*unknown).to_owned()));
        }
        let is_named = |status: &SubscriptionStatus| words.contains(&status.as_str());
        let statuses: Vec<_> = SubscriptionStatus::ALL.into_iter().filter(is_named).collect();
        if statuses.is_empty() {
            return Err(PolicyError::NoState);
        }
        Ok(Self {
            statuses,
            collection_paused: words.contains(&COLLECTION_PAUSED),
            past_due_grace: SignedDuration::from_hours(24 * i64::from(past_due_grace_days)),
        })
    }

    /// The statuses that take seats.
    pub fn statuses(&self) -> &[SubscriptionStatus] {
        &self.statuses
    }

    /// Whether a subscription whose collection is paused takes seats.
    pub fn takes_paused_collection(&self) -> bool {
        self.collection_paused
    }

    /// The words of the states that take seats.
    pub fn states(&self) -> impl Iterator<Item = &'static str> {
        let paused = self.collection_paused.then_some(COLLECTION_PAUSED);
        self.statuses.iter().map(|status| status.as_str()).chain(paused)
    }

    /// For how many days a subscription that is past due takes seats.
    pub fn past_due_grace_days(&self) -> i64 {
        self.past_due_grace.as_hours() / 24
    }

    /// A subscription that became past due later than this is within its grace at `now`.
    pub fn cutoff(&self, now: Timestamp) -> Timestamp {
        now.checked_sub(self.past_due_grace).unwrap_or(Timestamp::MIN)
    }

    /// Whether seats may be added to a subscription. One whose beginning of being past due nobody
    /// knows counts from when that is seen.
    ///
    /// # Errors
    /// [`NotBillable`].
    pub fn check(
        &self,
        standing: &Standing,
        past_due_since: Option<Timestamp>,
        now: Timestamp,
    ) -> Result<(), NotBillable> {
        let status = standing.status;
        let has_lapsed = status == SubscriptionStatus::PastDue
            && past_due_since.is_some_and(|since| since <= self.cutoff(now));
        if has_lapsed || !self.statuses.contains(&status) {
            return Err(NotBillable::Status(status));
        }
        if standing.collection_paused && !self.collection_paused {
            return Err(NotBillable::CollectionPaused);
        }
        Ok(())
    }
}

/// What a stack has unless it says otherwise.
impl Default for BillingPolicy {
    fn default() -> Self {
        use SubscriptionStatus::{Active, PastDue, Trialing};
        Self {
            statuses: vec![Active, Trialing, PastDue],
            collection_paused: false,
            past_due_grace: SignedDuration::from_hours(24 * 7),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn now() -> Timestamp {
        "2026-02-10T00:00:00Z".parse().expect("a time")
    }

    fn standing(status: SubscriptionStatus, collection_paused: bool) -> Standing {
        Standing { status, collection_paused, cancel_at_period_end: false, period: None }
    }

    #[test]
    fn a_grace_is_counted_back_from_now() {
        let cutoff = |days, now| BillingPolicy::new("active", days).expect("valid").cutoff(now);
        assert_eq!(cutoff(0, now()).to_string(), "2026-02-10T00:00:00Z");
        assert_eq!(cutoff(7, now()).to_string(), "2026-02-03T00:00:00Z");
        assert_eq!(cutoff(365, Timestamp::MIN), Timestamp::MIN);
        assert_eq!(BillingPolicy::new("active", 366), Err(PolicyError::Grace));
    }

    #[test]
    fn the_words_are_stripes_and_one_of_ours() {
        let policy = BillingPolicy::new(" past_due,active, trialing", 7);
        assert_eq!(policy, Ok(BillingPolicy::default()), "whatever their order");
        let states = |words| {
            let policy = BillingPolicy::new(words, 0);
            policy.map(|policy| policy.states().collect::<Vec<_>>())
        };
        assert_eq!(states("collection_paused,active"), Ok(vec!["active", "collection_paused"]));
        for bad in ["canceled", "incomplete_expired", "Active", "active;trialing"] {
            assert_eq!(states(bad), Err(PolicyError::State(bad.to_owned())));
        }
        for none in ["", " , ", "collection_paused"] {
            assert_eq!(states(none), Err(PolicyError::NoState));
        }
    }

    #[test]
    fn what_takes_seats_is_what_the_policy_names() {
        let policy = BillingPolicy::default();
        let check = |status, paused| policy.check(&standing(status, paused), None, now());
        for status in SubscriptionStatus::ALL {
            let is_named = ["active", "trialing", "past_due"].contains(&status.as_str());
            assert_eq!(check(status, false).is_ok(), is_named, "{status:?}");
            let paused = check(status, true).expect_err("nothing is collected");
            assert_eq!(paused.as_str() == COLLECTION_PAUSED, is_named, "{status:?}");
        }
        let lenient = BillingPolicy::new("unpaid,collection_paused", 7).expect("valid");
        let unpaid = standing(SubscriptionStatus::Unpaid, true);
        assert_eq!(lenient.check(&unpaid, None, now()), Ok(()));
        assert!(lenient.check(&standing(SubscriptionStatus::Active, false), None, now()).is_err());
    }

    #[test]
    fn past_due_is_taken_for_the_grace() {
        let check = |since: &str| {
            let past_due = standing(SubscriptionStatus::PastDue, false);
            BillingPolicy::default().check(&past_due, since.parse().ok(), now())
        };
        assert_eq!(check("nobody knows"), Ok(()));
        assert_eq!(check("2026-02-03T00:00:01Z"), Ok(()));
        let lapsed = NotBillable::Status(SubscriptionStatus::PastDue);
        assert_eq!(check("2026-02-03T00:00:00Z"), Err(lapsed));
    }
}
