//! Bringing Stripe to what the table says.
//!
//! A message says only that an organization reached a version. What Stripe is told is read from
//! the table at the time of the call and is absolute, so that a message may come twice, late or
//! out of order without doing harm: it either finds its version applied, or applies the newest.

use headcount_model::billing::{
    Attempt, BillingChange, BillingError, BillingLedger, BillingRecord, ItemTarget,
    LedgerUnavailable, ProrationBehavior, Recorded, RememberedItems, SeatCounts, TakenUpdate,
};
use headcount_model::history::{Outcome, Told};
use headcount_model::idempotency::hex;
use headcount_model::port::{Clock, Entropy, random};
use headcount_model::seats::Tier;
use headcount_model::tiers::Tiers;
use jiff::{SignedDuration, Timestamp};

use crate::subscription::{
    ITEM_MISSING, StripeFailure, Subscription, Subscriptions, Updated, reasons, targets_of_seats,
};
use crate::worth::Worth;

use fewer::Step;

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
    /// Stripe was told of this organization so often lately that the next update has to wait for so
    /// long. This is no failure of the message.
    TooSoon(SignedDuration),
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

/// How often the updates of one subscription may follow each other.
#[derive(Debug, Clone, Copy)]
struct Pace {
    /// One in this time, in the long run.
    every: SignedDuration,
    /// So many at once after a quiet time.
    burst: i32,
}

impl Pace {
    /// Stripe takes 200 updates of a subscription's quantities an hour: here they are 186 in the
    /// worst hour. Where each makes an invoice, it makes at most 20 a day: here they are 19 in the
    /// worst day (<https://docs.stripe.com/rate-limits>).
    fn of(behavior: ProrationBehavior) -> Self {
        match behavior {
            ProrationBehavior::CreateProrations | ProrationBehavior::None => {
                Self { every: SignedDuration::from_secs(20), burst: 6 }
            }
            ProrationBehavior::AlwaysInvoice => {
                Self { every: SignedDuration::from_mins(100), burst: 5 }
            }
        }
    }

    /// How far the updates reach after one more at `now`, or how long it has to wait (the generic
    /// cell rate algorithm).
    fn one_more(
        self,
        paced_until: Option<Timestamp>,
        now: Timestamp,
    ) -> Result<Timestamp, SignedDuration> {
        // A clock that was set back far, or a slower pace of before, must not stop billing: at this
        // pace nobody gets further ahead than the burst.
        let is_plausible = |until: &Timestamp| until.duration_since(now) <= self.every * self.burst;
        let from = paced_until.filter(is_plausible).map_or(now, |until| until.max(now));
        let wait = from.duration_since(now) - self.every * (self.burst - 1);
        if wait.is_positive() {
            return Err(wait);
        }
        Ok(from.saturating_add(self.every).unwrap_or(Timestamp::MAX))
    }
}

/// How many attempts one delivery makes at most: one that somebody left behind, one of its own, and
/// those that are made because of what the ones before met.
const MAX_ROUNDS: u32 = 6;

/// For how long Stripe carries out one key once: it forgets a key after a day at the earliest
/// (<https://docs.stripe.com/api/idempotent_requests>). What is older has arrived, or never will.
const KEY_LIFETIME: SignedDuration = SignedDuration::from_hours(23);

/// What earlier rounds have found out.
#[derive(Debug, Default)]
struct Findings {
    /// The key of an attempt that Stripe has answered without taking it: another one is due.
    answered: Option<String>,
    /// Whether an item is no longer what it was remembered as.
    items_are_stale: bool,
}

/// Brings Stripe to the message's version of the organization or a newer one, unless it has it
/// already.
///
/// Each update is written down before Stripe is asked for it ([`Attempt`]), so that whatever was
/// asked for is answered before the next is asked for, whoever asked, and however late it arrives.
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
    // Before the message can be acknowledged: nothing else knows of them.
    ledger.keep_changes(organization, &change.changes).await?;
    let mut findings = Findings::default();
    let mut holds = None;
    for _ in 0..MAX_ROUNDS {
        let Some(record) = ledger.billing(organization).await? else {
            return Err(Failure::Permanent(error(
                "no_such_organization",
                "there is no billing record for this organization",
            )));
        };
        if record.applied_version >= change.version {
            let is_ours = holds == Some(record.applied_version);
            let applied = if is_ours { Applied::Now } else { Applied::Before };
            return Ok(applied(record.applied_version));
        }
        let begun = match begin(ledger, stripe, prices, &record, &findings, clock, entropy).await {
            Err(Failure::Permanent(error)) => {
                let answered = findings.answered.as_deref();
                ledger.record_failure(organization, answered, &error, clock.now()).await?;
                return Err(Failure::Permanent(error));
            }
            begun => begun?,
        };
        let Some(begun) = begun else { continue };
        let attempt = &begun.attempt;
        let fault = match ask(stripe, &begun.subscription, attempt).await? {
            Answer::Taken(updated) => match fit(&updated.subscription) {
                Err(unfit) => BillingError { request_id: updated.request_id, ..unfit },
                Ok(()) => {
                    let now = clock.now();
                    let told = begun.taken(&record, prices, &updated, now);
                    ledger.keep_told(organization, &told).await?;
                    let (key, version) = (attempt.key.clone(), attempt.version);
                    let update = TakenUpdate { key, version, seats: told.after, items: told.items };
                    match ledger.record_applied(organization, &update, now).await? {
                        Recorded::Yes => holds = Some(version),
                        Recorded::Overtaken => {}
                    }
                    continue;
                }
            },
            Answer::ItemGone(_) if !findings.items_are_stale => {
                tracing::warn!("a remembered item is gone");
                let answered = Some(attempt.key.clone());
                findings = Findings { answered, items_are_stale: true };
                continue;
            }
            Answer::NotTaken(cause) => {
                tracing::warn!(%cause, "Stripe failed; trying once more under another key");
                findings.answered = Some(attempt.key.clone());
                continue;
            }
            Answer::ItemGone(error) | Answer::Refused(error) => error,
        };
        let now = clock.now();
        ledger.keep_told(organization, &begun.failed(&record, prices, &fault, now)).await?;
        ledger.record_failure(organization, Some(&attempt.key), &fault, now).await?;
        return Err(Failure::Permanent(fault));
    }
    match holds {
        Some(version) if version >= change.version => Ok(Applied::Now(version)),
        _ => Err(Failure::TryLater("overtaken too often".to_owned())),
    }
}

/// What was written down.
struct Begun {
    /// `sub_…`
    subscription: String,
    attempt: Attempt,
}

impl Begun {
    /// What the history keeps of it when Stripe has taken it. `record` is what it was begun from.
    fn taken(
        &self,
        record: &BillingRecord,
        prices: &Prices,
        answer: &Updated,
        now: Timestamp,
    ) -> Told {
        let Updated { subscription, request_id } = answer;
        let is_whole = self.attempt.part_of.is_none();
        Told {
            outcome: if is_whole { Outcome::Told } else { Outcome::Partly },
            items: items(subscription, prices),
            request_id: request_id.clone(),
            ..self.told(record, prices, Some(subscription), now)
        }
    }

    /// What the history keeps of it when it failed for good.
    fn failed(
        &self,
        record: &BillingRecord,
        prices: &Prices,
        error: &BillingError,
        now: Timestamp,
    ) -> Told {
        let outcome = Outcome::Failed { error: error.clone(), times: 1 };
        let request_id = error.request_id.clone();
        Told { outcome, request_id, ..self.told(record, prices, None, now) }
    }

    /// What is so whatever came of it.
    fn told(
        &self,
        record: &BillingRecord,
        prices: &Prices,
        answer: Option<&Subscription>,
        now: Timestamp,
    ) -> Told {
        let Attempt { key, version, part_of, targets, proration, at } = &self.attempt;
        // Of a tier that it does not name Stripe's answer says what there is: an item that was deleted by
        // hand is billed no longer. Without an answer a part changes nothing, and a whole has no seats.
        let unnamed = |tier| match answer {
            Some(answer) => {
                let item = prices.of(tier).and_then(|price| answer.item_of(price));
                item.map_or(0, |item| item.quantity)
            }
            None => record.told.filter(|_| part_of.is_some()).unwrap_or_default().get(tier),
        };
        let quantity = |tier| {
            let is_of_tier = |target: &&ItemTarget| {
                prices.of(tier) == Some(target.price.as_str())
                    || target.id.is_some() && target.id.as_deref() == record.items.of(tier)
            };
            let target = targets.iter().find(is_of_tier);
            target.map_or_else(|| unnamed(tier), |target| target.quantity)
        };
        Told {
            version: part_of.unwrap_or(*version),
            since: record.applied_version,
            outcome: Outcome::Told,
            before: record.told,
            after: SeatCounts { basic: quantity(Tier::Basic), premium: quantity(Tier::Premium) },
            proration: *proration,
            subscription: self.subscription.clone(),
            items: record.items.clone(),
            key: key.clone(),
            request_id: None,
            begun_at: *at,
            answered_at: now,
        }
    }
}

/// Writes down what Stripe is asked for next: what it was asked for without an answer, or else the
/// record's seats. `None` when somebody else wrote first.
async fn begin(
    ledger: &impl BillingLedger,
    stripe: &(impl Subscriptions + Worth),
    prices: &Prices,
    record: &BillingRecord,
    findings: &Findings,
    clock: &dyn Clock,
    entropy: &dyn Entropy,
) -> Result<Option<Begun>, Failure> {
    let Some(subscription) = record.subscription.clone() else {
        return Err(Failure::Permanent(error(
            "no_subscription",
            "the organization has no subscription",
        )));
    };
    let is_open = |attempt: &&Attempt| {
        findings.answered.as_ref() != Some(&attempt.key)
            && clock.now().duration_since(attempt.at) < KEY_LIFETIME
    };
    let unanswered = record.attempt.as_ref().filter(is_open);
    // Looked at before anything is read of Stripe for it. The pace is the organization's, whatever this
    // one update does with the difference: at a faster one, how far it has come would not be believed.
    let turn = Pace::of(record.proration).one_more(record.paced_until, clock.now());
    let paced_until = turn.map_err(Failure::TooSoon)?;
    let attempt = match unanswered {
        Some(attempt) => attempt.clone(),
        None => {
            let step = if record.fewer.asks_first(Some(record.applied_version), clock.now()) {
                fewer::next(stripe, &subscription, prices, record, entropy).await?
            } else {
                Step::whole(
                    seat_targets(stripe, &subscription, prices, record, findings).await?,
                    record.proration,
                )
            };
            // Under the version's key Stripe may have stored a failure, which it would give for a day.
            let is_used = record.attempt.is_some() || findings.answered.is_some();
            let key = if is_used || record.last_error.is_some() {
                fresh_key(record, entropy)?
            } else {
                format!("{}:{}{}", record.organization, record.version, step.suffix())
            };
            // What is only a part of the version leaves the one before on record.
            let (version, part_of) = if step.is_whole {
                (record.version, None)
            } else {
                (record.applied_version, Some(record.version))
            };
            let Step { targets, proration, .. } = step;
            Attempt { key, version, part_of, targets, proration, at: clock.now() }
        }
    };
    match ledger.begin(record, &attempt, paced_until, clock.now()).await? {
        Recorded::Yes => Ok(Some(Begun { subscription, attempt })),
        Recorded::Overtaken => Ok(None),
    }
}

/// What Stripe is to be told of the record's seats. With the items remembered nothing is read.
async fn seat_targets(
    stripe: &impl Subscriptions,
    subscription: &str,
    prices: &Prices,
    record: &BillingRecord,
    findings: &Findings,
) -> Result<Vec<ItemTarget>, Failure> {
    let remembered = targets(&record.items, prices, record)?;
    let is_complete = !remembered.is_empty() && remembered.iter().all(|item| item.id.is_some());
    if is_complete && !findings.items_are_stale {
        return Ok(remembered);
    }
    let subscription = stripe.fetch(subscription).await.map_err(failure)?;
    fit(&subscription).map_err(Failure::Permanent)?;
    targets(&billing_items(&subscription, prices, record), prices, record)
}

/// How Stripe answered an attempt. Each of them ends it.
enum Answer {
    /// It is carried out.
    Taken(Updated),
    /// It failed, and would fail under this key for a day.
    NotTaken(String),
    /// It names an item that is not there.
    ItemGone(BillingError),
    /// It is refused for good.
    Refused(BillingError),
}

/// Asks Stripe for an attempt.
async fn ask(
    stripe: &impl Subscriptions,
    subscription: &str,
    attempt: &Attempt,
) -> Result<Answer, Failure> {
    let Attempt { key, targets, proration, .. } = attempt;
    match stripe.set_quantities(subscription, targets, *proration, key).await {
        Ok(updated) => Ok(Answer::Taken(updated)),
        Err(StripeFailure::Stored(cause)) => {
            // Whether it took effect shows in the subscription.
            let found = stripe.fetch(subscription).await.map_err(failure)?;
            let is_taken = agrees(&found, targets);
            Ok(if is_taken { Answer::Taken(found.into()) } else { Answer::NotTaken(cause) })
        }
        Err(StripeFailure::Permanent(error)) if error.code == ITEM_MISSING => {
            Ok(Answer::ItemGone(error))
        }
        Err(StripeFailure::Permanent(error)) => Ok(Answer::Refused(error)),
        Err(transient) => Err(failure(transient)),
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

/// What Stripe is to be told of the record's seats, by these items.
fn targets(
    items: &RememberedItems,
    prices: &Prices,
    record: &BillingRecord,
) -> Result<Vec<ItemTarget>, Failure> {
    let item = |tier, _: &str| items.of(tier).map(str::to_owned);
    targets_of_seats(record.seats, |tier| prices.of(tier), item).map_err(Failure::Permanent)
}

/// Whether the seats can be billed by the subscription as it is now. What was changed on it since
/// it was linked goes on record.
fn fit(subscription: &Subscription) -> Result<(), BillingError> {
    match subscription.unfit.first() {
        None => Ok(()),
        Some(first) => Err(error(first.code(), &reasons(&subscription.unfit))),
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
    BillingError { code: code.to_owned(), message: message.to_owned(), request_id: None }
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
