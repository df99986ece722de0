//! Whether seats, ledger and Stripe agree, and what is done when they do not. Pure: what has been
//! read goes in, the differences come out.

use headcount_model::billing::Standing;
use headcount_model::id::{OrganizationId, SeatId};
use headcount_model::reconcile::{CountedSeats, LedgerState};
use headcount_model::seats::{Billed, Tier};
use headcount_model::tiers::Tiers;

use crate::subscription::{Subscription, reasons};

/// What Stripe has where the organization's subscription should be.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Seen {
    /// The organization has no subscription, so that there is nothing to look at.
    NotLinked,
    /// Stripe knows no subscription of this id.
    Gone,
    /// The subscription.
    There(Subscription),
}

/// What decides whether seats can be billed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Believed {
    /// The status in Stripe's words; `None` when none is on record.
    pub status: Option<String>,
    /// Whether the subscription ends with the current period.
    pub cancel_at_period_end: bool,
    /// Whether its invoices are collected no longer.
    pub collection_paused: bool,
}

impl std::fmt::Display for Believed {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let ends = if self.cancel_at_period_end { ", ends with the period" } else { "" };
        let paused = if self.collection_paused { ", collection paused" } else { "" };
        write!(f, "{}{ends}{paused}", self.status.as_deref().unwrap_or("none"))
    }
}

/// A difference between two of the three. "Ledger" is the billing record.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Drift {
    /// The ledger counts other seats than exist.
    Ledger {
        /// Of this tier.
        tier: Tier,
        /// What the ledger says.
        ledger: u64,
        /// How many there are.
        seats: u64,
    },
    /// The ledger leaves more or less room for seats than its limit does.
    Room {
        /// How many more seats the ledger leaves.
        ledger: i64,
        /// How many more the limit leaves.
        due: i64,
    },
    /// The ledger leaves more or less to spend than its limit does at today's prices.
    Spending {
        /// How many more cents a month the ledger leaves.
        ledger: i64,
        /// How many more the limit leaves.
        due: i64,
    },
    /// Stripe bills another amount for a seat than is configured for its tier.
    UnitAmount {
        /// The tier.
        tier: Tier,
        /// What is configured, in cents a month.
        configured: u64,
        /// What the price at Stripe says, in cents.
        stripe: u64,
    },
    /// There are seats that cannot be read, so that nothing can be said about the counts.
    UnreadableSeats,
    /// Stripe bills another quantity than it was told.
    Quantity {
        /// Of this tier.
        tier: Tier,
        /// What it was told.
        ledger: u64,
        /// What it bills.
        stripe: u64,
    },
    /// The subscription has no item for the price of a tier that has seats.
    ItemMissing {
        /// The tier.
        tier: Tier,
        /// What Stripe was told.
        ledger: u64,
    },
    /// No price is configured for a tier that has seats.
    PriceNotConfigured {
        /// The tier.
        tier: Tier,
        /// What should be billed.
        ledger: u64,
    },
    /// There are seats and no subscription is linked.
    NotLinked {
        /// All seats that the ledger counts.
        ledger: u64,
    },
    /// Stripe does not know the subscription.
    SubscriptionGone,
    /// There are seats, and the subscription that should bill them has ended.
    Ended {
        /// All seats that the ledger counts.
        ledger: u64,
        /// The subscription's status, in Stripe's words.
        status: String,
    },
    /// Seats that were to end with a period have ended when the next one had begun, so that they are
    /// billed for it.
    EndedLate {
        /// How many.
        seats: u64,
    },
    /// Seats cannot be billed by the subscription any more.
    Unfit {
        /// Why.
        reasons: String,
    },
    /// The subscription's metadata names another organization, or none, so that webhooks about it find
    /// nobody.
    Metadata {
        /// What it names.
        named: Option<OrganizationId>,
    },
    /// The subscription has another status, or another end, than the ledger believes.
    Status {
        /// What the ledger believes.
        ledger: Believed,
        /// What Stripe says.
        stripe: Believed,
    },
}

impl Drift {
    /// A stable name, for records and filters.
    pub fn kind(&self) -> &'static str {
        match self {
            Drift::Ledger { .. } => "ledger",
            Drift::Room { .. } => "room",
            Drift::Spending { .. } => "spending",
            Drift::UnitAmount { .. } => "unit_amount",
            Drift::UnreadableSeats => "unreadable_seats",
            Drift::Quantity { .. } => "quantity",
            Drift::ItemMissing { .. } => "item_missing",
            Drift::PriceNotConfigured { .. } => "price_not_configured",
            Drift::NotLinked { .. } => "not_linked",
            Drift::SubscriptionGone => "subscription_gone",
            Drift::Ended { .. } => "subscription_ended",
            Drift::EndedLate { .. } => "ended_late",
            Drift::Unfit { .. } => "subscription_unfit",
            Drift::Metadata { .. } => "metadata",
            Drift::Status { .. } => "status",
        }
    }

    /// What must have happened, for a person.
    pub fn cause(&self) -> &'static str {
        match self {
            Drift::Ledger { ledger, seats, .. } if seats < ledger => {
                "seats were removed from the table, or the record was raised, by hand"
            }
            Drift::Ledger { .. } => {
                "seats were added to the table, or the record was lowered, by hand"
            }
            Drift::Room { .. } => "the record's limit, or what it leaves, was changed by hand",
            Drift::Spending { .. } => {
                "the unit amounts were configured anew, or what the record leaves to spend was changed by hand"
            }
            Drift::UnitAmount { .. } => {
                "the unit amount that is configured is not that of the price at Stripe"
            }
            Drift::UnreadableSeats => "seats were written by hand or by another version",
            Drift::Quantity { .. } => "the quantity was changed in Stripe by hand",
            Drift::ItemMissing { .. } => "the item was removed from the subscription by hand",
            Drift::PriceNotConfigured { .. } => "the stack has no price for this tier",
            Drift::NotLinked { .. } => "the record lost its subscription, by hand",
            Drift::SubscriptionGone => {
                "the record names a subscription of another account or mode of Stripe"
            }
            Drift::Ended { .. } => "the subscription was canceled, or never paid, while seats run",
            Drift::EndedLate { .. } => {
                "nothing was compared before the period of these seats ended, and they are billed for the next"
            }
            Drift::Unfit { .. } => {
                "the subscription was changed in Stripe so that seats cannot be billed by it"
            }
            Drift::Metadata { .. } => "the subscription's metadata was changed in Stripe by hand",
            Drift::Status { .. } => "a webhook of this subscription has not arrived",
        }
    }

    /// What the ledger says and what the seats or Stripe say, for a person.
    pub fn sides(&self) -> (String, String) {
        let none = || "none".to_owned();
        match self {
            Drift::Ledger { ledger, seats: other, .. }
            | Drift::Quantity { ledger, stripe: other, .. } => {
                (ledger.to_string(), other.to_string())
            }
            Drift::Room { ledger, due } | Drift::Spending { ledger, due } => {
                (ledger.to_string(), due.to_string())
            }
            Drift::UnitAmount { configured, stripe, .. } => {
                (configured.to_string(), stripe.to_string())
            }
            Drift::ItemMissing { ledger, .. }
            | Drift::PriceNotConfigured { ledger, .. }
            | Drift::NotLinked { ledger } => (ledger.to_string(), none()),
            Drift::EndedLate { seats } => (none(), seats.to_string()),
            Drift::UnreadableSeats | Drift::SubscriptionGone => (none(), none()),
            Drift::Ended { ledger, status } => (ledger.to_string(), status.clone()),
            Drift::Unfit { reasons } => (none(), reasons.clone()),
            Drift::Metadata { named } => {
                (none(), named.as_ref().map_or_else(none, ToString::to_string))
            }
            Drift::Status { ledger, stripe } => (ledger.to_string(), stripe.to_string()),
        }
    }

    /// The tier, where it is about one.
    pub fn tier(&self) -> Option<Tier> {
        match *self {
            Drift::Ledger { tier, .. }
            | Drift::Quantity { tier, .. }
            | Drift::ItemMissing { tier, .. }
            | Drift::UnitAmount { tier, .. }
            | Drift::PriceNotConfigured { tier, .. } => Some(tier),
            _ => None,
        }
    }

    /// The seats that one side does not know of: the newest, as many as the sides differ by.
    /// Which seats have vanished the table cannot tell, so that a side with too many names none.
    pub fn accounts<'c>(&self, counted: &'c CountedSeats) -> &'c [SeatId] {
        match *self {
            Drift::Ledger { tier, ledger, seats } => {
                counted.newest(tier, seats.saturating_sub(ledger))
            }
            Drift::Quantity { tier, ledger, stripe } => {
                counted.newest(tier, ledger.saturating_sub(stripe))
            }
            Drift::ItemMissing { tier, ledger } | Drift::PriceNotConfigured { tier, ledger } => {
                counted.newest(tier, ledger)
            }
            _ => &[],
        }
    }
}

/// What is done about the drifts of an organization.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Remedy {
    /// Nothing: somebody has to look.
    None,
    /// The ledger's counts are corrected; that is a new version, and so reaches Stripe.
    Correct,
    /// The ledger gets a new version with the same counts, so that Stripe is told again.
    TellAgain,
}

/// What heals drifts that were found together.
pub fn remedy(drifts: &[Drift]) -> Remedy {
    let any = |is: fn(&Drift) -> bool| drifts.iter().any(is);
    if any(|drift| matches!(drift, Drift::UnreadableSeats)) {
        Remedy::None
    } else if any(|drift| {
        matches!(drift, Drift::Ledger { .. } | Drift::Room { .. } | Drift::Spending { .. })
    }) {
        Remedy::Correct
    } else if any(|drift| {
        matches!(drift, Drift::Quantity { .. } | Drift::ItemMissing { .. } | Drift::Unfit { .. })
    }) {
        // Telling Stripe of one that is unfit puts the reason on record.
        Remedy::TellAgain
    } else {
        Remedy::None
    }
}

/// What is known of the subscription, as far as it decides when seats end. Stripe's word is newer than
/// the ledger's; of one that Stripe does not know, or that the ledger lost, nothing is believed.
pub fn billed(seen: &Seen) -> Billed {
    let Seen::There(subscription) = seen else { return Billed::Unknown };
    match subscription.period {
        _ if subscription.has_ended() => Billed::Ended,
        Some(period) => Billed::Until(period),
        None => Billed::Unknown,
    }
}

/// Every difference. The ledger must be one that Stripe has been told of completely, and the seats
/// must have been counted while it did not change; of any other nothing can be said.
pub fn compare(
    counted: &CountedSeats,
    ledger: &LedgerState,
    seen: &Seen,
    tiers: &Tiers,
) -> Vec<Drift> {
    let mut drifts = if counted.unreadable.is_empty() {
        of_ledger(counted, ledger, tiers)
    } else {
        vec![Drift::UnreadableSeats]
    };
    match seen {
        Seen::NotLinked if ledger.seats.total() > 0 => {
            drifts.push(Drift::NotLinked { ledger: ledger.seats.total() });
        }
        Seen::NotLinked => {}
        Seen::Gone => drifts.push(Drift::SubscriptionGone),
        Seen::There(subscription) => {
            drifts.extend(of_status(ledger, subscription));
            drifts.extend(of_metadata(ledger, subscription));
            drifts.extend(of_stripe(ledger, subscription, tiers));
        }
    }
    drifts
}

/// What Stripe says of the subscription, where the ledger says otherwise. A billing period that
/// has ended is no drift, but it is news too. `None` also for a status that we do not know.
pub fn news(ledger: &LedgerState, seen: &Seen) -> Option<Standing> {
    let Seen::There(subscription) = seen else { return None };
    let period_is_known = subscription.period.is_none() || ledger.period == subscription.period;
    if of_status(ledger, subscription).is_none() && period_is_known {
        return None;
    }
    subscription.standing().ok()
}

/// How the standing on record differs from the subscription's. Unlike [`compare`], this says
/// something of a ledger that Stripe has not been told of completely, too.
pub fn compare_standing(ledger: &LedgerState, seen: &Seen) -> Option<Drift> {
    match seen {
        Seen::There(subscription) => of_status(ledger, subscription),
        Seen::NotLinked | Seen::Gone => None,
    }
}

fn of_ledger(counted: &CountedSeats, ledger: &LedgerState, tiers: &Tiers) -> Vec<Drift> {
    let counts = Tier::ALL.into_iter().filter_map(|tier| {
        let (ledger, seats) = (ledger.seats.get(tier), counted.seats.get(tier));
        (ledger != seats).then_some(Drift::Ledger { tier, ledger, seats })
    });
    let counts: Vec<_> = counts.collect();
    // A wrong count is one drift, not three: what it leaves is corrected with it.
    if !counts.is_empty() {
        return counts;
    }
    let due = ledger.room_beside(counted.seats);
    let room = (ledger.seats_left != due).then_some(Drift::Room { ledger: ledger.seats_left, due });
    let due = ledger.cents_beside(counted.seats, tiers);
    let spending = ledger.cents_left.filter(|&left| left != due);
    let spending = spending.map(|ledger| Drift::Spending { ledger, due });
    room.into_iter().chain(spending).collect()
}

/// One that has ended needs no name any more.
fn of_metadata(ledger: &LedgerState, subscription: &Subscription) -> Option<Drift> {
    let named = subscription.organization.as_ref();
    let is_right = subscription.has_ended() || named == Some(&ledger.organization);
    (!is_right).then(|| Drift::Metadata { named: named.cloned() })
}

fn of_status(ledger: &LedgerState, subscription: &Subscription) -> Option<Drift> {
    let believed = Believed {
        status: ledger.status.clone(),
        cancel_at_period_end: ledger.cancel_at_period_end,
        collection_paused: ledger.collection_paused,
    };
    let told = Believed {
        status: Some(subscription.status.clone()),
        cancel_at_period_end: subscription.cancel_at_period_end,
        collection_paused: subscription.collection_paused,
    };
    (believed != told).then_some(Drift::Status { ledger: believed, stripe: told })
}

fn of_stripe(ledger: &LedgerState, subscription: &Subscription, tiers: &Tiers) -> Vec<Drift> {
    // Nothing can be changed on a subscription that has ended, and nothing is billed by it.
    if subscription.has_ended() {
        let ledger = ledger.seats.total();
        let ended = Drift::Ended { ledger, status: subscription.status.clone() };
        return if ledger > 0 { vec![ended] } else { Vec::new() };
    }
    if !subscription.unfit.is_empty() {
        return vec![Drift::Unfit { reasons: reasons(&subscription.unfit) }];
    }
    let drift = |tier| {
        let quantity = of_tier(tier, ledger, subscription, tiers);
        quantity.into_iter().chain(of_amount(tier, subscription, tiers))
    };
    Tier::ALL.into_iter().flat_map(drift).collect()
}

/// What a seat costs is configured for limits and quotes, and at Stripe for the bill.
fn of_amount(tier: Tier, subscription: &Subscription, tiers: &Tiers) -> Option<Drift> {
    let terms = tiers.of(tier);
    let item = subscription.item_of(terms.price.as_deref()?)?;
    let (configured, stripe) = (terms.unit_amount, item.unit_amount?);
    (configured != stripe).then_some(Drift::UnitAmount { tier, configured, stripe })
}

fn of_tier(
    tier: Tier,
    ledger: &LedgerState,
    subscription: &Subscription,
    tiers: &Tiers,
) -> Option<Drift> {
    let ledger = ledger.seats.get(tier);
    let Some(price) = tiers.of(tier).price.as_deref() else {
        return (ledger > 0).then_some(Drift::PriceNotConfigured { tier, ledger });
    };
    match subscription.item_of(price) {
        None if ledger > 0 => Some(Drift::ItemMissing { tier, ledger }),
        Some(item) if item.quantity != ledger => {
            Some(Drift::Quantity { tier, ledger, stripe: item.quantity })
        }
        _ => None,
    }
}

#[cfg(test)]
mod tests;
