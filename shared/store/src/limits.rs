//! What operators set for one organization: its limits and how its changes are prorated.

use headcount_model::billing::ProrationBehavior;
use headcount_model::fewer::FewerSeats;
use headcount_model::id::{OrganizationId, micros};
use headcount_model::seats::SeatsEnd;

use crate::key::Key;
use crate::provision::{ProvisionError, Provisioned, exists};
use crate::rows::{BillingRow, NO_SPENDING_LIMIT};
use crate::table::Table;
use crate::transaction::{Condition, Values, number, text, update};

/// How often a change of limits is tried again when another one came between.
const MAX_TRIES: u32 = 5;

/// New limits of an organization. What is `None` stays as it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Limits {
    /// The most seats that it may have.
    pub seats: Option<u64>,
    /// The most that its seats may cost.
    pub spending: Option<SpendingLimit>,
}

/// What a new organization may have. There is no default: without one, a key that got into other
/// hands is a bill without end, so that whoever makes an organization has to say it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Allowance {
    /// The most seats.
    pub seats: u64,
    /// The most that they may cost.
    pub spending: SpendingLimit,
}

/// The most that the seats of an organization may cost together.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum SpendingLimit {
    /// Cents a month.
    Cents(u64),
    /// Whatever they cost.
    None,
}

impl SpendingLimit {
    /// Above it there is no limit that says anything.
    pub const MAX_CENTS: u64 = 1_000_000_000_000;

    pub(crate) fn cents(self) -> Option<i64> {
        match self {
            SpendingLimit::Cents(cents) => {
                Some(i64::try_from(cents.min(Self::MAX_CENTS)).unwrap_or(i64::MAX))
            }
            SpendingLimit::None => None,
        }
    }
}

impl Table {
    /// Sets limits. What they leave moves by as much as they do, so that seats which are created
    /// meanwhile count. A limit below what is there is fine: nothing more can be added then.
    ///
    /// # Errors
    /// [`ProvisionError::NoSuch`] without the organization; [`ProvisionError::Contended`] when
    /// others keep changing the same limits.
    pub async fn set_limits(&self, id: &OrganizationId, limits: Limits) -> Provisioned {
        for _ in 0..MAX_TRIES {
            let row = self.billing_row(id).await?.ok_or(ProvisionError::NoSuch("organization"))?;
            match self.change_limits(id, &row, limits).await {
                Err(ProvisionError::Contended) => {}
                done => return done,
            }
        }
        Err(ProvisionError::Contended)
    }

    /// Changes the limits from what `row` says, in one conditional write.
    async fn change_limits(
        &self,
        id: &OrganizationId,
        row: &BillingRow,
        limits: Limits,
    ) -> Provisioned {
        let seats = limits.seats.unwrap_or(row.seat_limit);
        let cents = limits.spending.map_or(row.spending_limit, SpendingLimit::cents);
        let unlimited = |limit: Option<i64>| limit.unwrap_or(NO_SPENDING_LIMIT);
        let (expression, condition) = expressions(row.spending_limit, cents);
        let mut values = vec![
            (":seats", number(seats)),
            (":more_seats", number(i128::from(seats) - i128::from(row.seat_limit))),
            (":base", number(unlimited(row.spending_limit))),
            (":more_cents", number(unlimited(cents) - unlimited(row.spending_limit))),
            (":now", text(micros(self.clock.now()))),
        ];
        values.extend(cents.map(|cents| (":cents", number(cents))));
        let mut from: Values = vec![(":old_seats", number(row.seat_limit))];
        from.extend(row.spending_limit.map(|cents| (":old_cents", number(cents))));
        let condition = Condition { expression: condition.into(), values: from };
        let changed = update(self, &Key::billing(id), expression, condition, values);
        self.provision([(changed, ProvisionError::Contended)]).await
    }

    /// Sets how changes of an organization's quantities are prorated from now on.
    ///
    /// # Errors
    /// [`ProvisionError::NoSuch`] without the organization.
    pub async fn set_proration(
        &self,
        id: &OrganizationId,
        proration: ProrationBehavior,
    ) -> Provisioned {
        let set = "SET proration_behavior = :setting, updated_at = :now";
        self.set_behavior(id, set, proration.as_str()).await
    }

    /// Sets what becomes of the difference when seats of an organization are given back from now
    /// on.
    ///
    /// # Errors
    /// [`ProvisionError::NoSuch`] without the organization.
    pub async fn set_fewer_seats(&self, id: &OrganizationId, setting: FewerSeats) -> Provisioned {
        let set = "SET fewer_seats = :setting, updated_at = :now";
        self.set_behavior(id, set, setting.as_str()).await
    }

    /// Sets when seats of an organization end that are given back from now on. Those that are to end
    /// already end when they were told.
    ///
    /// # Errors
    /// [`ProvisionError::NoSuch`] without the organization.
    pub async fn set_seats_end(&self, id: &OrganizationId, setting: SeatsEnd) -> Provisioned {
        let set = "SET seats_end = :setting, updated_at = :now";
        self.set_behavior(id, set, setting.as_str()).await
    }

    async fn set_behavior(&self, id: &OrganizationId, set: &str, setting: &str) -> Provisioned {
        let values = vec![(":setting", text(setting)), (":now", text(micros(self.clock.now())))];
        let set = update(self, &Key::billing(id), set, exists(), values);
        self.provision([(set, ProvisionError::NoSuch("organization"))]).await
    }
}

/// Update and condition for a spending limit that was there or not, and shall be or not.
fn expressions(old: Option<i64>, new: Option<i64>) -> (&'static str, &'static str) {
    let expression = match new {
        Some(_) => {
            "SET seat_limit = :seats, seats_left = seats_left + :more_seats, \
             spending_limit = :cents, \
             cents_left = if_not_exists(cents_left, :base) + :more_cents, updated_at = :now"
        }
        None => {
            "SET seat_limit = :seats, seats_left = seats_left + :more_seats, \
             cents_left = if_not_exists(cents_left, :base) + :more_cents, updated_at = :now \
             REMOVE spending_limit"
        }
    };
    let condition = match old {
        Some(_) => "seat_limit = :old_seats AND spending_limit = :old_cents",
        None => "seat_limit = :old_seats AND attribute_not_exists(spending_limit)",
    };
    (expression, condition)
}
