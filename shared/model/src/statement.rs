//! How the billing of an organization stands, for whoever pays for it.

use std::future::Future;

use jiff::Timestamp;

use crate::billing::{
    BillingError, PastDueGrace, ProrationBehavior, SeatCounts, Standing, SubscriptionStatus,
};
use crate::credential::LookupFailed;
use crate::fewer::Fewer;
use crate::id::OrganizationId;
use crate::seats::CommitRefusal;

/// The billing of an organization that has a subscription.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Statement {
    /// The Stripe customer, `cus_…`: who pays, whatever becomes of the subscription.
    pub customer: String,
    /// The Stripe subscription, `sub_…`.
    pub subscription: String,
    /// How the subscription stood when Stripe last told.
    pub standing: Standing,
    /// Since when a payment is due; `None` when none is.
    pub past_due_since: Option<Timestamp>,
    /// The seats that exist.
    pub seats: SeatCounts,
    /// How many seats the seat limit leaves; below zero when it was lowered under them.
    pub seats_left: i64,
    /// How many cents a month the spending limit leaves; `None` without a limit.
    pub cents_left: Option<i64>,
    /// What becomes of the difference when quantities change within a period.
    pub proration: ProrationBehavior,
    /// What becomes of it when seats are given back, and when that was.
    pub fewer: Fewer,
    /// How often the seats have changed.
    pub version: u64,
    /// The version that Stripe was last told.
    pub applied_version: u64,
    /// Why the last attempt to tell Stripe failed for good.
    pub last_error: Option<BillingError>,
}

/// Whether the bill is current.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Sync<'s> {
    /// Stripe bills the seats that there are.
    Synced,
    /// Stripe is about to be told.
    Pending,
    /// Stripe could not be told, and somebody has to look.
    Failed(&'s BillingError),
}

impl Statement {
    /// Whether the bill is current. An error that was overcome is none.
    pub fn sync(&self) -> Sync<'_> {
        match &self.last_error {
            _ if self.applied_version >= self.version => Sync::Synced,
            None => Sync::Pending,
            Some(error) => Sync::Failed(error),
        }
    }

    /// Whether seats that cost `cents` a month could be added now.
    ///
    /// # Errors
    /// The refusal that a create would get. Only its transaction decides; this is a forecast.
    pub fn room_for(
        &self,
        added: SeatCounts,
        cents: u64,
        grace: PastDueGrace,
        now: Timestamp,
    ) -> Result<(), CommitRefusal> {
        let lapsed = self.standing.status == SubscriptionStatus::PastDue
            && self.past_due_since.is_some_and(|since| since <= grace.cutoff(now));
        if lapsed || !self.standing.status.takes_seats() {
            return Err(CommitRefusal::NoBilling);
        }
        if i128::from(self.seats_left) < i128::from(added.total()) {
            return Err(CommitRefusal::SeatLimitReached);
        }
        if self.cents_left.is_some_and(|left| i128::from(left) < i128::from(cents)) {
            return Err(CommitRefusal::SpendingLimitReached);
        }
        Ok(())
    }
}

/// Where statements come from.
pub trait Statements {
    /// The statement as of now, in one consistent read; `None` when the organization has no
    /// subscription.
    ///
    /// # Errors
    /// [`LookupFailed`].
    fn statement(
        &self,
        organization: &OrganizationId,
    ) -> impl Future<Output = Result<Option<Statement>, LookupFailed>> + Send;
}

#[cfg(test)]
mod tests {
    use super::*;

    fn statement(version: u64, applied_version: u64, failed: bool) -> Statement {
        let error = BillingError { code: "c".to_owned(), message: "m".to_owned() };
        Statement {
            customer: "cus_1".to_owned(),
            subscription: "sub_1".to_owned(),
            standing: Standing {
                status: SubscriptionStatus::Active,
                cancel_at_period_end: false,
                period: None,
            },
            past_due_since: None,
            seats: SeatCounts::default(),
            seats_left: 3,
            cents_left: Some(10_000),
            proration: ProrationBehavior::default(),
            fewer: Fewer::default(),
            version,
            applied_version,
            last_error: failed.then_some(error),
        }
    }

    #[test]
    fn an_error_counts_while_stripe_is_behind() {
        assert_eq!(statement(2, 2, false).sync(), Sync::Synced);
        assert_eq!(statement(2, 2, true).sync(), Sync::Synced);
        assert_eq!(statement(2, 1, false).sync(), Sync::Pending);
        assert!(matches!(statement(2, 1, true).sync(), Sync::Failed(_)));
    }

    #[test]
    fn there_is_room_while_subscription_and_limits_leave_it() {
        let now: Timestamp = "2026-02-10T00:00:00Z".parse().expect("a time");
        let grace = PastDueGrace::from_days(7).expect("a grace");
        let room = |statement: &Statement, basic, cents| {
            statement.room_for(SeatCounts { basic, premium: 0 }, cents, grace, now)
        };
        let mut standing = statement(0, 0, false);
        assert_eq!(room(&standing, 3, 10_000), Ok(()));
        assert_eq!(room(&standing, 4, 0), Err(CommitRefusal::SeatLimitReached));
        assert_eq!(room(&standing, 3, 10_001), Err(CommitRefusal::SpendingLimitReached));
        standing.seats_left = -1;
        assert_eq!(room(&standing, 1, 0), Err(CommitRefusal::SeatLimitReached));

        standing = statement(0, 0, false);
        standing.standing.status = SubscriptionStatus::PastDue;
        assert_eq!(room(&standing, 1, 0), Ok(()));
        standing.past_due_since = "2026-02-03T00:00:01Z".parse().ok();
        assert_eq!(room(&standing, 1, 0), Ok(()));
        standing.past_due_since = "2026-02-03T00:00:00Z".parse().ok();
        assert_eq!(room(&standing, 1, 0), Err(CommitRefusal::NoBilling));
        standing.standing.status = SubscriptionStatus::Canceled;
        assert_eq!(room(&standing, 1, 0), Err(CommitRefusal::NoBilling));
    }
}
