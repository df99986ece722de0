//! Bringing Stripe to what the table says.
//!
//! A message says only that an organization reached a version. What Stripe is told is read from
//! the table at the time of the call and is absolute, so that a message may come twice, late or
//! out of order without doing harm: it either finds its version applied, or applies the newest.

use headcount_model::billing::{
    BillingChange, BillingError, BillingLedger, BillingRecord, LedgerUnavailable, Recorded,
    RememberedItems, TakenUpdate,
};
use headcount_model::idempotency::hex;
use headcount_model::port::{Clock, Entropy, random};
use headcount_model::seats::Tier;
use headcount_model::tiers::Tiers;
use jiff::{SignedDuration, Timestamp};

use crate::subscription::{ItemTarget, StripeFailure, Subscription, Subscriptions, reasons};
use crate::worth::Worth;

/// The Stripe price of each tier.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Prices {
    /// `price_…` of basic seats; `None` when it is not configured.
    pub basic: Option<String>,
    /// `price_…` of premium seats; `None` when it is not configured.
    pub premium: Option<String>,
}

impl Prices {
    fn of(&self, tier: Tier) -> Option<&str> {
        match tier {
            Tier::Basic => self.basic.as_deref(),
            Tier::Premium => self.premium.as_deref(),
        }
    }
}

impl From<&Tiers> for Prices {
    fn from(tiers: &Tiers) -> Self {
        let price = |tier| tiers.of(tier).price.clone();
        Self { basic: price(Tier::Basic), premium: price(Tier::Premium) }
    }
}

/// What became of a message that may be acknowledged.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Applied {
    /// Stripe holds the quantities of this version, which is the message's or newer.
    Now(u64),
    /// An earlier call had brought Stripe to this version, the message's or a newer one.
    Before(u64),
}

impl Applied {
    /// The version that Stripe holds.
    pub fn version(self) -> u64 {
        match self {
            Applied::Now(version) | Applied::Before(version) => version,
        }
    }
}

/// Why a message's version was not applied.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Failure {
    /// Stripe was told of this organization so often lately that the next update has to wait. This
    /// is no failure of the message: it should be sent again, so that waiting does not use up its
    /// receive count.
    TooSoon,
    /// Later may be better.
    TryLater(String),
    /// Recorded on the billing record; somebody has to look. The message goes on to the
    /// dead-letter queue.
    Permanent(BillingError),
}

impl From<LedgerUnavailable> for Failure {
    fn from(error: LedgerUnavailable) -> Self {
        Failure::TryLater(error.to_string())
    }
}

/// The pace of updates for one subscription: 180 an hour, under Stripe's limit of 200 an hour
/// (<https://docs.stripe.com/rate-limits>).
const PACE: SignedDuration = SignedDuration::from_secs(20);
/// How many updates may follow each other at once after a quiet time. With them it is 186 in the
/// worst hour.
const BURST: i32 = 6;

/// How far the updates reach at the allowed pace after one more at `now`; `None` when it has to
/// wait (the generic cell rate algorithm).
fn paced(paced_until: Option<Timestamp>, now: Timestamp) -> Option<Timestamp> {
    let ahead = paced_until.map_or(SignedDuration::ZERO, |until| until.duration_since(now));
    // A clock that was set back far must not stop billing for as long. No writer goes further
    // ahead than what follows at once and what it puts right when it is overtaken.
    let is_plausible = ahead <= PACE * (BURST + MAX_ROUNDS);
    if is_plausible && ahead > PACE * (BURST - 1) {
        return None;
    }
    Some(one_more(paced_until.filter(|_| is_plausible), now))
}

/// How far the updates reach after one more, whether or not it has to wait.
fn one_more(paced_until: Option<Timestamp>, now: Timestamp) -> Timestamp {
    let from = paced_until.map_or(now, |until| until.max(now));
    from.saturating_add(PACE).unwrap_or(Timestamp::MAX)
}

/// How often a writer that was overtaken reads and applies again before it leaves the rest to
/// the next delivery.
const MAX_ROUNDS: i32 = 4;

/// Brings Stripe to the newest version of the organization, unless it has the message's already.
///
/// # Errors
/// [`Failure`]; the message must then be delivered again.
pub async fn apply(
    ledger: &impl BillingLedger,
    stripe: &(impl Subscriptions + Worth),
    prices: &Prices,
    change: &BillingChange,
    clock: &dyn Clock,
    entropy: &dyn Entropy,
) -> Result<Applied, Failure> {
    let organization = &change.organization;
    let mut overtaken = false;
    for _ in 0..MAX_ROUNDS {
        let record = match ledger.billing(organization).await? {
            Some(record) => record,
            None => {
                return Err(Failure::Permanent(error(
                    "no_such_organization",
                    "there is no billing record for this organization",
                )));
            }
        };
        if record.applied_version >= change.version && !overtaken {
            return Ok(Applied::Before(record.applied_version));
        }
        // After being overtaken, Stripe may hold our older quantities although a newer version
        // was recorded. Only a call that it cannot have seen before puts that right. A permanent
        // failure may be stored under the version's key and would be replayed for a day.
        let key = if overtaken || record.last_error.is_some() {
            fresh_key(&record, entropy)?
        } else {
            format!("{organization}:{}", record.version)
        };
        let now = clock.now();
        let paced_until = match paced(record.paced_until, now) {
            Some(paced_until) => paced_until,
            // What an overtaken writer may have done has to be put right at once: when the message
            // came again, the record would say that there is nothing to do.
            None if overtaken => one_more(record.paced_until, now),
            None => return Err(Failure::TooSoon),
        };
        let applied = (!overtaken).then_some(record.applied_version);
        let told = if record.fewer.asks_first(applied, now) {
            fewer::set(stripe, prices, &record, &key, entropy).await
        } else {
            set(stripe, prices, &record, &key, entropy).await.map(|items| (items, 1))
        };
        let (items, updates) = match told {
            Ok(told) => told,
            Err(failure) => {
                if let Failure::Permanent(error) = &failure {
                    ledger.record_failure(organization, error, now).await?;
                }
                return Err(failure);
            }
        };
        let (from, version) = (record.applied_version, record.version);
        let paced_from = record.paced_until;
        let paced_until = if updates > 1 { one_more(Some(paced_until), now) } else { paced_until };
        let update = TakenUpdate { from, paced_from, version, items, paced_until };
        match ledger.record_applied(organization, &update, clock.now()).await? {
            Recorded::Yes => return Ok(Applied::Now(record.version)),
            Recorded::Overtaken => overtaken = true,
        }
    }
    Err(Failure::TryLater("overtaken too often".to_owned()))
}

/// Tells Stripe the quantities of `record`; returns the subscription's items. With the items
/// remembered this is one call.
async fn set(
    stripe: &impl Subscriptions,
    prices: &Prices,
    record: &BillingRecord,
    key: &str,
    entropy: &dyn Entropy,
) -> Result<RememberedItems, Failure> {
    let id = subscription(record)?;
    if let Some(targets) = remembered(prices, record)? {
        match update(stripe, id, &targets, record, key, entropy).await {
            // An item that is remembered was deleted at Stripe: look which there are.
            Err(Failure::Permanent(error)) if error.code == "resource_missing" => {
                tracing::warn!("a remembered item is gone");
                let key = fresh_key(record, entropy)?;
                return look_and_update(stripe, id, prices, record, &key, entropy).await;
            }
            outcome => {
                let updated = outcome?;
                fit(&updated)?;
                return Ok(items(&updated, prices));
            }
        }
    }
    look_and_update(stripe, id, prices, record, key, entropy).await
}

/// The subscription that bills the seats.
fn subscription(record: &BillingRecord) -> Result<&str, Failure> {
    record.subscription.as_deref().ok_or_else(|| {
        Failure::Permanent(error("no_subscription", "the organization has no subscription"))
    })
}

/// Reads the subscription for its items, then tells it the quantities.
async fn look_and_update(
    stripe: &impl Subscriptions,
    id: &str,
    prices: &Prices,
    record: &BillingRecord,
    key: &str,
    entropy: &dyn Entropy,
) -> Result<RememberedItems, Failure> {
    let subscription = stripe.fetch(id).await.map_err(failure)?;
    fit(&subscription)?;
    let items_now = billing_items(&subscription, prices, record);
    let targets = targets(&items_now, prices, record)?;
    let updated = update(stripe, id, &targets, record, key, entropy).await?;
    Ok(items(&updated, prices))
}

/// One call that changes anything, and another under a fresh key when Stripe stored a failure.
async fn update(
    stripe: &impl Subscriptions,
    id: &str,
    targets: &[ItemTarget],
    record: &BillingRecord,
    key: &str,
    entropy: &dyn Entropy,
) -> Result<Subscription, Failure> {
    match stripe.set_quantities(id, targets, record.proration, key).await {
        Ok(updated) => Ok(updated),
        Err(StripeFailure::Stored(cause)) => {
            // The key is burnt: Stripe answers it with this failure for a day. Whether the call
            // took effect shows in the subscription.
            let subscription = stripe.fetch(id).await.map_err(failure)?;
            if agrees(&subscription, targets) {
                return Ok(subscription);
            }
            tracing::warn!(%cause, "Stripe failed; trying once more under another key");
            let key = fresh_key(record, entropy)?;
            stripe.set_quantities(id, targets, record.proration, &key).await.map_err(failure)
        }
        Err(other) => Err(failure(other)),
    }
}

/// The items that bill the configured prices.
fn items(subscription: &Subscription, prices: &Prices) -> RememberedItems {
    let item = |tier| {
        let price = prices.of(tier)?;
        subscription.item_of(price).map(|item| item.id.clone())
    };
    RememberedItems { basic: item(Tier::Basic), premium: item(Tier::Premium) }
}

/// The items to change: those at the configured prices, and of a tier without one the item that
/// billed it so far, which moves to its tier's new price.
fn billing_items(
    subscription: &Subscription,
    prices: &Prices,
    record: &BillingRecord,
) -> RememberedItems {
    let at_price = items(subscription, prices);
    let item = |tier| {
        let so_far = || {
            let id = record.items.of(tier)?;
            let is_there = subscription.items.iter().any(|item| item.id == id);
            let is_anothers = Tier::ALL.iter().any(|&other| at_price.of(other) == Some(id));
            (is_there && !is_anothers).then_some(id)
        };
        at_price.of(tier).or_else(so_far).map(str::to_owned)
    };
    RememberedItems { basic: item(Tier::Basic), premium: item(Tier::Premium) }
}

/// The targets by what is remembered; `None` when a tier with seats has no item in memory.
fn remembered(prices: &Prices, record: &BillingRecord) -> Result<Option<Vec<ItemTarget>>, Failure> {
    let targets = targets(&record.items, prices, record)?;
    let is_complete = !targets.is_empty() && targets.iter().all(|target| target.id.is_some());
    Ok(is_complete.then_some(targets))
}

/// What Stripe is to be told of the record's seats, by these items.
fn targets(
    items: &RememberedItems,
    prices: &Prices,
    record: &BillingRecord,
) -> Result<Vec<ItemTarget>, Failure> {
    let item = |tier, _: &str| items.of(tier).map(str::to_owned);
    ItemTarget::of_seats(record.seats, |tier| prices.of(tier), item).map_err(Failure::Permanent)
}

/// Whether the seats can be billed by the subscription as it is now. What was changed on it since
/// it was linked goes on record.
fn fit(subscription: &Subscription) -> Result<(), Failure> {
    match subscription.unfit.first() {
        None => Ok(()),
        Some(first) => Err(Failure::Permanent(error(first.code(), &reasons(&subscription.unfit)))),
    }
}

fn agrees(subscription: &Subscription, targets: &[ItemTarget]) -> bool {
    targets.iter().all(|target| {
        subscription.item_of(&target.price).is_some_and(|item| item.quantity == target.quantity)
    })
}

/// An idempotency key that Stripe has not seen.
fn fresh_key(record: &BillingRecord, entropy: &dyn Entropy) -> Result<String, Failure> {
    let random =
        random::<8>(entropy).map_err(|no_entropy| Failure::TryLater(no_entropy.to_string()))?;
    Ok(format!("{}:{}:{}", record.organization, record.version, hex(&random)))
}

fn error(code: &str, message: &str) -> BillingError {
    BillingError { code: code.to_owned(), message: message.to_owned() }
}

fn failure(failure: StripeFailure) -> Failure {
    match failure {
        StripeFailure::Transient(cause) | StripeFailure::Stored(cause) => Failure::TryLater(cause),
        StripeFailure::Permanent(error) => Failure::Permanent(error),
    }
}

mod fewer;
#[cfg(test)]
mod tests;
