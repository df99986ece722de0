//! How the billing of an organization stands, for whoever pays for it.

use std::future::Future;

use jiff::Timestamp;

use crate::billing::{BillingError, ProrationBehavior, SeatCounts, Standing};
use crate::credential::LookupFailed;
use crate::fewer::Fewer;
use crate::grant::Grant;
use crate::policy::{BillingPolicy, NotBillable};
use crate::right::ReadBilling;
use crate::seats::CommitRefusal;

/// The subscription that bills an organization.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Linked {
    /// `sub_…`
    pub id: String,
    /// How it stood when Stripe last told.
    pub standing: Standing,
    /// Since when a payment is due; `None` when none is.
    pub past_due_since: Option<Timestamp>,
}

/// The billing of an organization.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Statement {
    /// What the organization is called.
    pub name: String,
    /// The Stripe customer, `cus_…`: who pays, whatever becomes of the subscription. `None` when
    /// nobody does.
    pub customer: Option<String>,
    /// What it is billed by; `None` when nothing is linked.
    pub subscription: Option<Linked>,
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

    /// Why no seats can be added by the policy; `None` when they can, as far as it decides.
    pub fn not_billable(&self, policy: &BillingPolicy, now: Timestamp) -> Option<NotBillable> {
        let linked = self.subscription.as_ref()?;
        policy.check(&linked.standing, linked.past_due_since, now).err()
    }

    /// Whether seats that cost `cents` a month could be added now; by which subscription.
    ///
    /// # Errors
    /// The refusal that a create would get. Only its transaction decides; this is a forecast.
    pub fn room_for(
        &self,
        added: SeatCounts,
        cents: u64,
        policy: &BillingPolicy,
        now: Timestamp,
    ) -> Result<&Linked, CommitRefusal> {
        let linked = self.subscription.as_ref().ok_or(CommitRefusal::NoBilling)?;
        if self.not_billable(policy, now).is_some() {
            return Err(CommitRefusal::NoBilling);
        }
        if i128::from(self.seats_left) < i128::from(added.total()) {
            return Err(CommitRefusal::SeatLimitReached);
        }
        if self.cents_left.is_some_and(|left| i128::from(left) < i128::from(cents)) {
            return Err(CommitRefusal::SpendingLimitReached);
        }
        Ok(linked)
    }
}

/// Where statements come from.
pub trait Statements {
    /// The statement as of now, in one consistent read; `None` without the organization.
    ///
    /// # Errors
    /// [`LookupFailed`].
    fn statement(
        &self,
        granted: Grant<'_, ReadBilling>,
    ) -> impl Future<Output = Result<Option<Statement>, LookupFailed>> + Send;
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::billing::SubscriptionStatus;

    fn linked(status: SubscriptionStatus) -> Linked {
        let standing = Standing {
            status,
            collection_paused: false,
            cancel_at_period_end: false,
            period: None,
        };
        Linked { id: "sub_1".to_owned(), standing, past_due_since: None }
    }

    fn statement(version: u64, applied_version: u64, failed: bool) -> Statement {
        let error =
            BillingError { code: "c".to_owned(), message: "m".to_owned(), request_id: None };
        Statement {
            name: "Acme".to_owned(),
            customer: Some("cus_1".to_owned()),
            subscription: Some(linked(SubscriptionStatus::Active)),
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
        let policy = BillingPolicy::default();
        let room = |statement: &Statement, basic, cents| {
            let added = SeatCounts { basic, premium: 0 };
            statement.room_for(added, cents, &policy, now).map(|linked| linked.id.clone())
        };
        let mut standing = statement(0, 0, false);
        assert_eq!(room(&standing, 3, 10_000), Ok("sub_1".to_owned()));
        assert_eq!(room(&standing, 4, 0), Err(CommitRefusal::SeatLimitReached));
        assert_eq!(room(&standing, 3, 10_001), Err(CommitRefusal::SpendingLimitReached));
        standing.seats_left = -1;
        assert_eq!(room(&standing, 1, 0), Err(CommitRefusal::SeatLimitReached));

        standing = statement(0, 0, false);
        for (status, since, takes) in [
            (SubscriptionStatus::PastDue, "2026-02-03T00:00:01Z", true),
            (SubscriptionStatus::PastDue, "2026-02-03T00:00:00Z", false),
            (SubscriptionStatus::Canceled, "", false),
        ] {
            let past_due_since = since.parse().ok();
            standing.subscription = Some(Linked { past_due_since, ..linked(status) });
            assert_eq!(standing.not_billable(&policy, now).is_none(), takes, "{since}");
            assert_eq!(room(&standing, 1, 0).is_ok(), takes, "{since}");
        }
        standing.subscription = None;
        assert_eq!(room(&standing, 1, 0), Err(CommitRefusal::NoBilling));
    }
}
