//! Subscriptions as billing sees them.

use std::fmt;
use std::future::Future;

use headcount_model::billing::{
    BillingError, ItemTarget, Period, ProrationBehavior, SeatCounts, Standing, SubscriptionStatus,
    UnknownStatus,
};
use headcount_model::id::OrganizationId;
use headcount_model::seats::Tier;

/// One item of a subscription.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Item {
    /// `si_…`
    pub id: String,
    /// The price it is billed at, `price_…`.
    pub price: String,
    /// How many.
    pub quantity: u64,
    /// What one costs, in cents; `None` where the price has no amount for one.
    pub unit_amount: Option<u64>,
}

/// Why seats cannot be billed by a subscription: they are counted and priced by the month in US
/// dollars, and told as one quantity for each tier.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Unfit {
    /// An item is billed in another currency.
    Currency {
        /// `price_…`
        price: String,
        /// In Stripe's words: `eur`.
        currency: String,
    },
    /// An item is not billed once a month.
    Interval {
        /// `price_…`
        price: String,
        /// In Stripe's words: `1 year`.
        every: String,
    },
    /// An item is billed by what is used, and has no quantity.
    Metered {
        /// `price_…`
        price: String,
    },
    /// Two items are billed at one price, so that it is open which of them is the tier's.
    SecondItem {
        /// `price_…`
        price: String,
    },
    /// There are more items than Stripe shows at once.
    MoreItems,
    /// A schedule changes the items by itself.
    Schedule,
}

impl Unfit {
    /// A stable code, for the billing record.
    pub fn code(&self) -> &'static str {
        match self {
            Unfit::Currency { .. } => "subscription_currency",
            Unfit::Interval { .. } => "subscription_interval",
            Unfit::Metered { .. } => "subscription_metered",
            Unfit::SecondItem { .. } => "subscription_second_item",
            Unfit::MoreItems => "subscription_more_items",
            Unfit::Schedule => "subscription_schedule",
        }
    }
}

impl fmt::Display for Unfit {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Unfit::Currency { price, currency } => {
                write!(f, "the price {price} is in {currency}, and seats are billed in usd")
            }
            Unfit::Interval { price, every } => {
                write!(f, "the price {price} is billed every {every}, and seats every month")
            }
            Unfit::Metered { price } => {
                write!(f, "the price {price} is billed by what is used, and has no quantity")
            }
            Unfit::SecondItem { price } => write!(f, "two items are billed at the price {price}"),
            Unfit::MoreItems => f.write_str("it has more items than Stripe shows at once"),
            Unfit::Schedule => f.write_str("a schedule is attached, which changes its items"),
        }
    }
}

/// Several reasons, for a person.
pub fn reasons(unfit: &[Unfit]) -> String {
    unfit.iter().map(Unfit::to_string).collect::<Vec<_>>().join("; ")
}

/// A subscription.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Subscription {
    /// `sub_…`
    pub id: String,
    /// Who pays, `cus_…`.
    pub customer: String,
    /// Its status in Stripe's words.
    pub status: String,
    /// Whether its invoices are collected no longer, whatever its status.
    pub collection_paused: bool,
    /// Whether it ends with the current period.
    pub cancel_at_period_end: bool,
    /// The current period; `None` when it has no item that tells one.
    pub period: Option<Period>,
    /// The organization that its metadata names; `None` when it names none of ours.
    pub organization: Option<OrganizationId>,
    /// Its items.
    pub items: Vec<Item>,
    /// Why seats cannot be billed by it: empty where they can.
    pub unfit: Vec<Unfit>,
}

impl Subscription {
    /// Whether it has ended: nothing can be changed on it any more, and nothing is billed by it.
    pub fn has_ended(&self) -> bool {
        self.status.parse().is_ok_and(SubscriptionStatus::has_ended)
    }

    /// How it stands.
    ///
    /// # Errors
    /// For a status that Stripe has and this version does not know: to guess what it means would be
    /// to give seats away or to refuse them.
    pub fn standing(&self) -> Result<Standing, UnknownStatus> {
        Ok(Standing {
            status: self.status.parse()?,
            collection_paused: self.collection_paused,
            cancel_at_period_end: self.cancel_at_period_end,
            period: self.period,
        })
    }

    /// The item that is billed at a price.
    pub fn item_of(&self, price: &str) -> Option<&Item> {
        self.items.iter().find(|item| item.price == price)
    }
}

/// The quantity of every tier, at its price, by the item that bills it. A tier without an item gets
/// one as soon as it has seats; an item whose seats are gone stays, with quantity 0.
///
/// # Errors
/// `price_not_configured` for a tier that has seats and no price.
pub(crate) fn targets_of_seats<'p>(
    seats: SeatCounts,
    price: impl Fn(Tier) -> Option<&'p str>,
    item: impl Fn(Tier, &str) -> Option<String>,
) -> Result<Vec<ItemTarget>, BillingError> {
    let mut targets = Vec::new();
    for tier in Tier::ALL {
        let quantity = seats.get(tier);
        let Some(price) = price(tier) else {
            if quantity == 0 {
                continue;
            }
            return Err(BillingError {
                code: "price_not_configured".to_owned(),
                message: format!("no Stripe price is configured for tier {}", tier.as_str()),
                request_id: None,
            });
        };
        let id = item(tier, price);
        if id.is_some() || quantity > 0 {
            targets.push(ItemTarget { id, price: price.to_owned(), quantity });
        }
    }
    Ok(targets)
}

/// Why Stripe did not do what was asked, sorted by what to do about it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum StripeFailure {
    /// Too many requests, a lock, no answer: the same request with the same key later.
    Transient(String),
    /// A server error, which Stripe replays under the same key, or a key that was first used for
    /// another request: look what happened, then use another key.
    Stored(String),
    /// Trying again changes nothing; somebody has to look.
    Permanent(BillingError),
}

/// Code of an error over a subscription that Stripe does not have.
pub(crate) const MISSING: &str = "subscription_missing";
/// Code of an error over an item that the subscription does not have.
pub(crate) const ITEM_MISSING: &str = "item_missing";

impl StripeFailure {
    /// Whether Stripe has no such subscription, or has it no longer.
    pub fn is_missing(&self) -> bool {
        matches!(self, StripeFailure::Permanent(error) if error.code == MISSING)
    }
}

/// What an update of a subscription was answered.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Updated {
    /// The subscription after it.
    pub subscription: Subscription,
    /// Stripe's id of the request that was carried out, `req_…`; `None` when the answer has none.
    pub request_id: Option<String>,
}

/// An answer without an id.
impl From<Subscription> for Updated {
    fn from(subscription: Subscription) -> Self {
        Self { subscription, request_id: None }
    }
}

/// The part of Stripe's API that seat billing needs.
pub trait Subscriptions {
    /// The subscription as it is
    /// (<https://docs.stripe.com/api/subscriptions/retrieve>).
    ///
    /// # Errors
    /// [`StripeFailure`].
    fn fetch(
        &self,
        subscription: &str,
    ) -> impl Future<Output = Result<Subscription, StripeFailure>> + Send;

    /// Sets the quantities of items in one call
    /// (<https://docs.stripe.com/api/subscriptions/update>). `key` is the idempotency key.
    ///
    /// # Errors
    /// [`StripeFailure`].
    fn set_quantities(
        &self,
        subscription: &str,
        targets: &[ItemTarget],
        proration: ProrationBehavior,
        key: &str,
    ) -> impl Future<Output = Result<Updated, StripeFailure>> + Send;
}
