//! Keeping it true how a subscription stands.
//!
//! An event says only that something happened to a subscription. How it stands is read from
//! Stripe, so that events may come twice, late or out of order without doing harm, and written
//! only if nobody has written since before Stripe was asked: of two that do this at once, the
//! one whose answer is older asks again.

use std::fmt;

use headcount_model::billing::{
    LedgerUnavailable, Recorded, Standing, SubscriptionLedger, SubscriptionStatus,
};
use headcount_model::id::OrganizationId;
use headcount_model::port::Clock;

use crate::subscription::{StripeFailure, Subscription, Subscriptions};
use crate::webhook::{Event, Notice};

/// What became of a notice.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Followed {
    /// The record says so now.
    Recorded(Standing),
    /// No organization of ours is billed by the subscription; there is nothing to do.
    NotOurs,
}

/// The table, Stripe or where secrets are kept could not be asked, or not understood; nothing is
/// known to be recorded. Another try is right.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Unanswered(pub String);

impl fmt::Display for Unanswered {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl std::error::Error for Unanswered {}

impl From<LedgerUnavailable> for Unanswered {
    fn from(error: LedgerUnavailable) -> Self {
        Unanswered(error.to_string())
    }
}

impl From<StripeFailure> for Unanswered {
    fn from(failure: StripeFailure) -> Self {
        Unanswered(match failure {
            StripeFailure::Transient(cause) | StripeFailure::Stored(cause) => cause,
            StripeFailure::Permanent(error) => format!("{}: {}", error.code, error.message),
        })
    }
}

/// How often a writer that was overtaken asks Stripe again before it leaves the rest to the next
/// delivery.
const MAX_ROUNDS: u32 = 4;

/// Records how the subscription of a notice stands now, if an organization is billed by it.
///
/// # Errors
/// [`Unanswered`]; the notice must then come again.
pub async fn follow(
    ledger: &impl SubscriptionLedger,
    stripe: &impl Subscriptions,
    notice: &Notice,
    clock: &dyn Clock,
) -> Result<Followed, Unanswered> {
    match whose(stripe, notice).await? {
        Some(organization) => {
            refresh(ledger, stripe, &organization, &notice.subscription, clock).await
        }
        None => Ok(Followed::NotOurs),
    }
}

/// Does what follows from an event, whichever way it came, and says so in the log. Nothing follows from one
/// that is about something else than a subscription.
///
/// # Errors
/// [`Unanswered`]; the event must then come again.
pub async fn heed(
    ledger: &impl SubscriptionLedger,
    stripe: &impl Subscriptions,
    event: &Event,
    clock: &dyn Clock,
) -> Result<(), Unanswered> {
    let Event { id, kind, subscription } = event;
    let Some(notice) = subscription else {
        tracing::info!(event = id, kind, "nothing follows from it");
        return Ok(());
    };
    let subscription = &notice.subscription;
    match follow(ledger, stripe, notice, clock).await {
        Ok(Followed::Recorded(standing)) => {
            let status = standing.status.as_str();
            tracing::info!(event = id, kind, subscription, status, "recorded");
            Ok(())
        }
        Ok(Followed::NotOurs) => {
            tracing::info!(event = id, kind, subscription, "no organization is billed by it");
            Ok(())
        }
        Err(unanswered) => {
            let cause = unanswered.to_string();
            tracing::error!(event = id, kind, subscription, cause, "not recorded");
            Err(unanswered)
        }
    }
}

/// Records how a subscription stands now, if it is the one that bills the organization.
///
/// # Errors
/// [`Unanswered`].
async fn refresh(
    ledger: &impl SubscriptionLedger,
    stripe: &impl Subscriptions,
    organization: &OrganizationId,
    subscription: &str,
    clock: &dyn Clock,
) -> Result<Followed, Unanswered> {
    for _ in 0..MAX_ROUNDS {
        // Read before Stripe is asked: a write since then makes the answer too old to record.
        let linked = ledger.linked(organization).await?;
        let Some(linked) = linked.filter(|linked| linked.subscription == subscription) else {
            return Ok(Followed::NotOurs);
        };
        let standing = standing(find(stripe, subscription).await?.as_ref())?;
        // Written even when nothing seems to change: it tells whoever asked Stripe before us
        // that their answer is too old.
        match ledger.record_standing(organization, &linked, &standing, clock.now()).await? {
            Recorded::Yes => return Ok(Followed::Recorded(standing)),
            Recorded::Overtaken => {}
        }
    }
    Err(Unanswered("overtaken too often".to_owned()))
}

/// The organization that a subscription names, by its notice or else as Stripe has it now.
async fn whose(
    stripe: &impl Subscriptions,
    notice: &Notice,
) -> Result<Option<OrganizationId>, Unanswered> {
    match &notice.organization {
        Some(organization) => Ok(Some(organization.clone())),
        None => {
            let subscription = find(stripe, &notice.subscription).await?;
            Ok(subscription.and_then(|subscription| subscription.organization))
        }
    }
}

/// The subscription, or `None` when Stripe has it no longer.
async fn find(
    stripe: &impl Subscriptions,
    subscription: &str,
) -> Result<Option<Subscription>, StripeFailure> {
    match stripe.fetch(subscription).await {
        Ok(subscription) => Ok(Some(subscription)),
        Err(failure) if failure.is_missing() => Ok(None),
        Err(failure) => Err(failure),
    }
}

/// A subscription that Stripe no longer has is canceled.
fn standing(subscription: Option<&Subscription>) -> Result<Standing, Unanswered> {
    let standing = subscription.map(Subscription::standing).transpose();
    let standing = standing.map_err(|unknown| Unanswered(unknown.to_string()))?;
    Ok(standing.unwrap_or_else(|| SubscriptionStatus::Canceled.into()))
}
