//! Telling Stripe of fewer seats, or of more after there were fewer. One update has one
//! `proration_behavior` for all of its items, and what becomes of a difference depends on its
//! direction: so the subscription is read first, and what goes down unprorated and what goes up
//! prorated are two updates (docs/adr/0018-fewer-seats.md).

use headcount_model::billing::{BillingRecord, ItemTarget, ProrationBehavior};
use headcount_model::port::Entropy;

use super::{Failure, Prices, billing_items, failure, fit, targets};
use crate::subscription::{Subscription, Subscriptions};
use crate::worth::Worth;

/// One update, of items whose differences are treated alike.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Step {
    pub(super) targets: Vec<ItemTarget>,
    pub(super) proration: ProrationBehavior,
    /// Whether Stripe holds all quantities of the version after it.
    pub(super) is_whole: bool,
}

impl Step {
    /// An update that tells a whole version.
    pub(super) fn whole(targets: Vec<ItemTarget>, proration: ProrationBehavior) -> Self {
        Self { targets, proration, is_whole: true }
    }

    /// What its idempotency key ends with.
    pub(super) fn suffix(&self) -> &'static str {
        if self.is_whole { "" } else { ":unprorated" }
    }
}

/// The next update that brings Stripe to the quantities of `record`.
pub(super) async fn next(
    stripe: &(impl Subscriptions + Worth),
    id: &str,
    prices: &Prices,
    record: &BillingRecord,
    entropy: &dyn Entropy,
) -> Result<Step, Failure> {
    let subscription = stripe.fetch(id).await.map_err(failure)?;
    fit(&subscription).map_err(Failure::Permanent)?;
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
    Ok(step(&subscription, targets, unprorated, record.proration))
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

/// The next update towards the targets. What goes down comes first, so that more than there is is
/// never billed. Where nothing is left to change, nothing is prorated either.
fn step(
    subscription: &Subscription,
    targets: Vec<ItemTarget>,
    unprorated: Vec<ItemTarget>,
    proration: ProrationBehavior,
) -> Step {
    let is_there = |target: &ItemTarget| {
        let item = subscription.item_of(&target.price);
        item.map_or(0, |item| item.quantity) == target.quantity
    };
    let mut changed = targets.iter().filter(|target| !is_there(target));
    let is_prorated = changed.any(|target| !unprorated.contains(target));
    match (unprorated.is_empty(), is_prorated) {
        (true, true) => Step::whole(targets, proration),
        (_, false) => Step::whole(targets, ProrationBehavior::None),
        (false, true) => {
            Step { targets: unprorated, proration: ProrationBehavior::None, is_whole: false }
        }
    }
}
