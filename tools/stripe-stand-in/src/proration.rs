//! Prorations: what a change in the middle of a period is worth. Source:
//! <https://docs.stripe.com/billing/subscriptions/prorations>: computed to the second, a credit for
//! the unused time at the old quantity and a charge for the remaining time at the new one. What is
//! credited depends on the subscription's billing mode.

use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use crate::{
    calendar,
    errors::ApiError,
    params::Fields,
    state::State,
    subscription::{BillingMode, Debit, Item, Period, Subscription},
};

/// What to do with the difference.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(crate) enum Behavior {
    /// Keep pending invoice items for the next invoice.
    #[default]
    CreateProrations,
    /// Forget the difference.
    None,
    /// Invoice the difference at once.
    AlwaysInvoice,
}

/// `proration_behavior` and `proration_date` of a request.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct Terms {
    pub(crate) behavior: Behavior,
    date: Option<i64>,
}

impl Terms {
    pub(crate) fn take(fields: &mut Fields) -> Result<Self, ApiError> {
        let words = [
            ("always_invoice", Behavior::AlwaysInvoice),
            ("create_prorations", Behavior::CreateProrations),
            ("none", Behavior::None),
        ];
        let behavior = fields.choice("proration_behavior", &words)?.unwrap_or_default();
        Ok(Self { behavior, date: fields.integer("proration_date")? })
    }

    /// As [`Terms::take`], for a preview, whose date must be one of a proration
    /// (<https://docs.stripe.com/api/invoices/create_preview#create_create_preview-subscription_details-proration_date>).
    pub(crate) fn take_for_preview(fields: &mut Fields) -> Result<Self, ApiError> {
        let terms = Self::take(fields)?;
        if terms.behavior == Behavior::None && terms.date.is_some() {
            return Err(ApiError::invalid(
                "subscription_details[proration_date]",
                "You cannot set `proration_date` when `proration_behavior` is `none`.",
            ));
        }
        Ok(terms)
    }

    /// The moment to compute from: now, unless the request says another of the current period.
    pub(crate) fn moment(&self, period: Period, now: i64) -> Result<i64, ApiError> {
        match self.date {
            None => Ok(now.clamp(period.start, period.end)),
            Some(date) if (period.start..=period.end).contains(&date) => Ok(date),
            Some(_) => Err(ApiError::refused_on(
                "proration_date",
                "Cannot specify a proration_date outside of the subscription's current period.",
            )),
        }
    }
}

/// Money owed (or, when negative, given back) for one subscription item over one period.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Charge {
    pub(crate) item: String,
    pub(crate) price: String,
    pub(crate) quantity: i64,
    /// Cents.
    pub(crate) amount: i64,
    pub(crate) description: String,
    pub(crate) period: Period,
    pub(crate) proration: bool,
}

impl Charge {
    /// An item's full amount for one period.
    pub(crate) fn full(state: &State, item: &Item, period: Period) -> Self {
        let (unit, name) = unit_and_name(state, &item.price);
        Self {
            item: item.id.clone(),
            price: item.price.clone(),
            quantity: item.quantity,
            amount: unit * item.quantity,
            description: format!("{} × {name}", item.quantity),
            period,
            proration: false,
        }
    }

    /// The `pricing` object of a line or an invoice item.
    pub(crate) fn pricing(&self, state: &State) -> Value {
        let price = state.prices.get(&self.price);
        json!({
            "type": "price_details",
            "price_details": { "price": self.price, "product": price.map(|price| &price.product) },
            "unit_amount_decimal": price.map(|price| price.unit_amount.to_string()),
        })
    }
}

/// The credits and charges for changing `subscription` from its items to `fresh` at `at`.
pub(crate) fn between(
    state: &State,
    subscription: &Subscription,
    fresh: &[Item],
    at: i64,
) -> Vec<Charge> {
    let old = &subscription.items;
    let unused = old.iter().filter(|item| differs(item, fresh));
    let remaining = fresh.iter().filter(|item| differs(item, old));
    let period = subscription.period;
    unused
        .flat_map(|item| match subscription.billing_mode {
            BillingMode::Classic => vec![credit(state, item, &current(state, item, period), at)],
            BillingMode::Flexible => {
                item.debits.iter().map(|debit| credit(state, item, debit, at)).collect()
            }
        })
        .chain(remaining.map(|item| rest(state, item, period, at)))
        .filter(|charge| charge.quantity > 0)
        .collect()
}

fn differs(item: &Item, others: &[Item]) -> bool {
    others
        .iter()
        .find(|other| other.id == item.id)
        .is_none_or(|other| other.quantity != item.quantity || other.price != item.price)
}

/// The credit for ending every item at `at`.
pub(crate) fn unused(state: &State, subscription: &Subscription, at: i64) -> Vec<Charge> {
    between(state, subscription, &[], at)
}

/// Notes on the items what was charged for their whole period.
pub(crate) fn note_debits(items: &mut [Item], charges: &[Charge]) {
    for item in items {
        item.debits = debits_of(item, charges);
    }
}

/// Notes on the items that are not as they were what was charged for the rest of the period. What
/// had been charged for them is credited by the same change.
pub(crate) fn replace_debits(old: &[Item], fresh: &mut [Item], charges: &[Charge]) {
    for item in fresh.iter_mut().filter(|item| differs(item, old)) {
        item.debits = debits_of(item, charges);
    }
}

fn debits_of(item: &Item, charges: &[Charge]) -> Vec<Debit> {
    let debits = charges.iter().filter(|charge| charge.item == item.id && charge.amount > 0);
    let debit = |charge: &Charge| Debit {
        amount: charge.amount,
        price: charge.price.clone(),
        quantity: charge.quantity,
        period: charge.period,
    };
    debits.map(debit).collect()
}

/// What the item's price and quantity of now cost for a whole period.
fn current(state: &State, item: &Item, period: Period) -> Debit {
    let (unit, _) = unit_and_name(state, &item.price);
    let amount = unit * item.quantity;
    Debit { amount, price: item.price.clone(), quantity: item.quantity, period }
}

/// The part of a debit that `at` leaves unused.
fn credit(state: &State, item: &Item, debit: &Debit, at: i64) -> Charge {
    let Period { start, end } = debit.period;
    let at = at.max(start);
    let amount = -share(debit.amount, end - at, end - start);
    part(state, item, debit, Period { start: at, end }, amount, "Unused time on")
}

/// What the item costs from `at` to the end of the period.
fn rest(state: &State, item: &Item, period: Period, at: i64) -> Charge {
    let whole = current(state, item, period);
    let amount = share(whole.amount, period.end - at, period.end - period.start);
    let left = Period { start: at, end: period.end };
    part(state, item, &whole, left, amount, "Remaining time on")
}

fn part(state: &State, item: &Item, of: &Debit, period: Period, amount: i64, word: &str) -> Charge {
    let (_, name) = unit_and_name(state, &of.price);
    let date = calendar::date(period.start);
    Charge {
        item: item.id.clone(),
        price: of.price.clone(),
        quantity: of.quantity,
        amount,
        description: format!("{word} {} × {name} after {date}", of.quantity),
        period,
        proration: true,
    }
}

fn unit_and_name<'a>(state: &'a State, price: &'a str) -> (i64, &'a str) {
    let Some(price) = state.prices.get(price) else {
        return (0, price);
    };
    let product = state.products.get(&price.product);
    (price.unit_amount, product.map_or(price.product.as_str(), |product| &product.name))
}

/// `amount × part / whole` in whole cents, halves rounded away from zero.
fn share(amount: i64, part: i64, whole: i64) -> i64 {
    let (amount, part, whole) = (i128::from(amount), i128::from(part), i128::from(whole.max(1)));
    let rounded = (2 * amount * part + whole) / (2 * whole);
    // A share of an i64 is an i64; what cannot happen counts as the whole.
    i64::try_from(rounded).unwrap_or(i64::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_share_is_whole_cents() {
        assert_eq!(share(4_000, 1, 2), 2_000);
        assert_eq!(share(1, 1, 2), 1);
        assert_eq!(share(100, 1, 3), 33);
        assert_eq!(share(200, 1, 3), 67);
        assert_eq!(share(i64::MAX, 7, 7), i64::MAX);
        assert_eq!(share(5, 0, 0), 0);
    }
}
