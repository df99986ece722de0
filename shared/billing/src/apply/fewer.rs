//! Telling Stripe of fewer seats, or of more after there were fewer. One update has one
//! `proration_behavior` for all of its items, and what becomes of a difference depends on its
//! direction: so the subscription is read first, and what goes down unprorated and what goes up
//! prorated are two updates (docs/adr/0018-fewer-seats.md).

use headcount_model::billing::{BillingRecord, ProrationBehavior, RememberedItems};
use headcount_model::port::Entropy;

use super::{Failure, Prices, billing_items, failure, fit, items, targets, update};
use crate::subscription::{ItemTarget, Subscription, Subscriptions};
use crate::worth::Worth;

/// One update, of items whose differences are treated alike.
#[derive(Debug, PartialEq, Eq)]
struct Step {
    targets: Vec<ItemTarget>,
    proration: ProrationBehavior,
    key: String,
}

/// Tells Stripe the quantities of `record`; returns the subscription's items, and in how many
/// updates.
pub(super) async fn set(
    stripe: &(impl Subscriptions + Worth),
    prices: &Prices,
    record: &BillingRecord,
    key: &str,
    entropy: &dyn Entropy,
) -> Result<(RememberedItems, usize), Failure> {
    let id = super::subscription(record)?;
    let mut subscription = stripe.fetch(id).await.map_err(failure)?;
    fit(&subscription)?;
    let targets = targets(&billing_items(&subscription, prices, record), prices, record)?;
    let mut unprorated = Vec::new();
    for target in &targets {
        let goes_down = target.quantity < quantity(&subscription, target);
        if goes_down && record.fewer.proration(record.proration) == ProrationBehavior::None
            || is_paid(stripe, &subscription, target, record, entropy).await?
        {
            unprorated.push(target.clone());
        }
    }
    let steps = steps(&subscription, targets, unprorated, record.proration, key);
    let count = steps.len();
    for Step { targets, proration, key } in steps {
        let record = BillingRecord { proration, ..record.clone() };
        subscription = update(stripe, id, &targets, &record, &key, entropy).await?;
    }
    Ok((items(&subscription, prices), count))
}

/// What Stripe bills where a target is.
fn quantity(subscription: &Subscription, target: &ItemTarget) -> u64 {
    let item = subscription.items.iter().find(|item| Some(&item.id) == target.id.as_ref());
    item.map_or(0, |item| item.quantity)
}

/// Whether seats that are added were paid for in this period already, and given back without a
/// credit. Stripe would credit what was given back when they are added: only it knows how much it
/// has charged.
async fn is_paid(
    stripe: &impl Worth,
    subscription: &Subscription,
    target: &ItemTarget,
    record: &BillingRecord,
    entropy: &dyn Entropy,
) -> Result<bool, Failure> {
    let goes_up = target.quantity > quantity(subscription, target);
    if !goes_up || target.id.is_none() || record.proration == ProrationBehavior::None {
        return Ok(false);
    }
    let worth = stripe.worth(subscription, std::slice::from_ref(target), entropy);
    Ok(worth.await.map_err(failure)? <= 0)
}

/// The updates that bring the subscription to its targets; none where it is there. What goes down
/// comes first, so that more than there is is never billed.
fn steps(
    subscription: &Subscription,
    targets: Vec<ItemTarget>,
    unprorated: Vec<ItemTarget>,
    proration: ProrationBehavior,
    key: &str,
) -> Vec<Step> {
    let is_there = |target: &ItemTarget| {
        let item = subscription.item_of(&target.price);
        item.map_or(0, |item| item.quantity) == target.quantity
    };
    let mut is_prorated = targets.iter().filter(|target| !is_there(target));
    let is_prorated = is_prorated.any(|target| !unprorated.contains(target));
    let none = ProrationBehavior::None;
    let key = key.to_owned();
    match (unprorated.is_empty(), is_prorated) {
        (true, false) => Vec::new(),
        (true, true) => vec![Step { targets, proration, key }],
        (false, false) => vec![Step { targets, proration: none, key }],
        (false, true) => vec![
            Step { targets: unprorated, proration: none, key: format!("{key}:unprorated") },
            Step { targets, proration, key },
        ],
    }
}
