//! An organization's subscription ends with its period, or not after all, as the organization wishes
//! (docs/adr/0032-billing-by-its-organization.md).
//!
//! Stripe is asked how the subscription stands, told what is wished where it stands otherwise, and asked
//! again; what it says then is recorded under the lock of the standing, as what a webhook brings is. A
//! process that dies between the two leaves nothing undone: whoever asks again finds the subscription as it
//! was wished, and the webhook of the change brings it to the record too.

use std::future::Future;

use headcount_model::audit::Entry;
use headcount_model::cancellation::{
    Billed, CancellationRefusal, Cancellations, NotSettled, Settled,
};
use headcount_model::grant::Grant;
use headcount_model::id::AuditId;
use headcount_model::idempotency::{Keyed, StoredAnswer};
use headcount_model::port::{Clock, Entropy};
use headcount_model::right::ManageBilling;
use jiff::Timestamp;
use serde::Deserialize;

use crate::stripe::{Stripe, Transport};
use crate::subscription::{StripeFailure, Subscription, Subscriptions};

/// How often Stripe is asked again, because it stands otherwise or the record was written meanwhile.
const MAX_ROUNDS: u32 = 4;

/// The field of the billing record that changes, as the audit names it.
const FIELD: &str = "cancel_at_period_end";

/// Where the end of a subscription is set.
pub trait Cancels: Subscriptions {
    /// Lets a subscription end with its period, or not after all
    /// (<https://docs.stripe.com/api/subscriptions/update>). `key` is the idempotency key.
    ///
    /// # Errors
    /// [`StripeFailure`].
    fn cancel_at_period_end(
        &self,
        subscription: &str,
        ends: bool,
        key: &str,
    ) -> impl Future<Output = Result<(), StripeFailure>> + Send;
}

/// How an end was set: in flexible billing mode the portal sets `cancel_at` alone.
#[derive(Deserialize)]
struct SetEnd {
    #[serde(default)]
    cancel_at_period_end: bool,
    cancel_at: Option<i64>,
}

impl<T: Transport> Cancels for Stripe<T> {
    async fn cancel_at_period_end(
        &self,
        subscription: &str,
        ends: bool,
        key: &str,
    ) -> Result<(), StripeFailure> {
        let path = format!("/v1/subscriptions/{subscription}");
        // Stripe takes one of the two parameters only, and each undoes what it has set itself.
        let (name, value) = if ends {
            (FIELD, "true")
        } else {
            let set: SetEnd = self.get(&path, &[]).await?;
            if set.cancel_at.is_some() && !set.cancel_at_period_end {
                ("cancel_at", "")
            } else {
                (FIELD, "false")
            }
        };
        let form = [(name.to_owned(), value.to_owned())];
        // One key for each way, or Stripe would refuse the other.
        let key = format!("{key}:{name}");
        self.post::<Subscription>(&path, &form, &key).await.map(|_| ())
    }
}

/// A valid wish, with everything that decides about it.
pub struct Wish<'a> {
    /// Who asks, and whose subscription it is.
    pub granted: Grant<'a, ManageBilling>,
    /// By which route.
    pub route: &'static str,
    /// In which request, as its response names it.
    pub request_id: &'a str,
    /// Key and fingerprint, when the caller sent an idempotency key.
    pub request: Option<&'a Keyed>,
    /// Whether it shall end with its period.
    pub ends: bool,
    /// What the caller is told.
    pub answer: StoredAnswer,
    /// The time of the request.
    pub now: Timestamp,
}

/// Carries out a wish. The answer is a replay where the same request was carried out before.
///
/// # Errors
/// [`CancellationRefusal`].
pub async fn cancel(
    store: &impl Cancellations,
    stripe: &impl Cancels,
    ports: &(impl Clock + Entropy),
    wish: &Wish<'_>,
) -> Result<(StoredAnswer, bool), CancellationRefusal> {
    if let Some(request) = wish.request
        && let Some(answer) = store.answered(request, wish.now).await?
    {
        return Ok((answer, true));
    }
    let mut told = false;
    for round in 0..MAX_ROUNDS {
        // Read before Stripe is asked: a write since then makes the answer too old to record.
        let billed = store.billed(wish.granted).await?.ok_or(CancellationRefusal::NoBilling)?;
        let id = &billed.linked.subscription;
        let found = stripe.fetch(id).await.map_err(refused)?;
        if found.has_ended() {
            return Err(CancellationRefusal::NoBilling);
        }
        if found.cancel_at_period_end != wish.ends {
            // Another round is another key: one that was used before, by a process that died, would be
            // answered with what it did then.
            let (what, version) =
                (if wish.ends { "cancel" } else { "resume" }, billed.linked.status_version);
            let key = format!("{what}:{id}:{version}:{round}");
            match stripe.cancel_at_period_end(id, wish.ends, &key).await {
                Ok(()) => told = true,
                // What Stripe has stored under a key it answers for ever: with the record's version the
                // key moves on, here and for whoever comes later.
                Err(StripeFailure::Stored(cause)) => {
                    tracing::warn!(cause, "asked again under another key");
                    match keep(store, wish, (&billed, &found), None, None).await {
                        Ok(_) | Err(NotSettled::Overtaken) => {}
                        Err(not) => return Err(not.into()),
                    }
                }
                Err(failure) => return Err(refused(failure)),
            }
            continue;
        }
        match settle(store, ports, wish, (&billed, &found), told).await {
            Err(NotSettled::Overtaken) => {}
            Ok(None) => return Ok((wish.answer.clone(), false)),
            Ok(Some(stored)) => return Ok((stored, true)),
            Err(not) => return Err(not.into()),
        }
    }
    tracing::warn!("the subscription was changed too often meanwhile");
    Err(CancellationRefusal::Unavailable)
}

/// Records what Stripe said, with who asked for it unless it was so before.
async fn settle(
    store: &impl Cancellations,
    ports: &(impl Clock + Entropy),
    wish: &Wish<'_>,
    (billed, found): (&Billed, &Subscription),
    told: bool,
) -> Result<Option<StoredAnswer>, NotSettled> {
    let is_change = told || billed.cancel_at_period_end != wish.ends;
    let audit = if is_change {
        Some(Entry {
            id: AuditId::new(ports, ports).map_err(|_| NotSettled::Unavailable)?,
            credential: Some(wish.granted.by()),
            route: wish.route,
            objects: vec![billed.linked.subscription.as_str()],
            fields: &[FIELD],
            at: wish.now,
            request_id: wish.request_id,
        })
    } else {
        None
    };
    let record = wish.request.map(|request| (request, wish.answer.clone()));
    keep(store, wish, (billed, found), audit, record).await
}

/// Writes what Stripe said into the record, if nobody has written since it was read.
async fn keep(
    store: &impl Cancellations,
    wish: &Wish<'_>,
    (billed, found): (&Billed, &Subscription),
    audit: Option<Entry<'_>>,
    record: Option<(&Keyed, StoredAnswer)>,
) -> Result<Option<StoredAnswer>, NotSettled> {
    let standing = found.standing().map_err(|unknown| {
        tracing::error!(%unknown, "a subscription stands as nobody knows");
        NotSettled::Unavailable
    })?;
    let (linked, standing, now) = (&billed.linked, &standing, wish.now);
    store.settle(wish.granted, &Settled { linked, standing, audit, record, now }).await
}

/// What a caller is told of what Stripe did not do.
pub(crate) fn refused(failure: StripeFailure) -> CancellationRefusal {
    if failure.is_missing() {
        return CancellationRefusal::NoBilling;
    }
    match failure {
        StripeFailure::Transient(cause) | StripeFailure::Stored(cause) => {
            tracing::warn!(cause, "Stripe did not do it");
        }
        StripeFailure::Permanent(error) => {
            let (code, cause) = (error.code, error.message);
            tracing::error!(code, cause, "Stripe refused");
        }
    }
    CancellationRefusal::Unavailable
}
