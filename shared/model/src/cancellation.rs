//! A subscription that ends with its period, or not after all, because its organization wishes so
//! (docs/adr/0032-billing-by-its-organization.md).
//!
//! What a wish comes to is decided at Stripe; the table keeps what Stripe said, under the same lock as what
//! webhooks bring, with who asked for it.

use std::future::Future;

use jiff::Timestamp;

use crate::audit::Entry;
use crate::billing::{LinkedSubscription, Standing};
use crate::credential::LookupFailed;
use crate::grant::Grant;
use crate::idempotency::{Keyed, StoredAnswer};
use crate::port::NoEntropy;
use crate::right::ManageBilling;

/// What bills an organization, as far as the record knows.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Billed {
    /// The subscription, and how often its standing was written.
    pub linked: LinkedSubscription,
    /// Who pays, `cus_…`; `None` when nobody does.
    pub customer: Option<String>,
    /// Whether the record says that it has ended.
    pub has_ended: bool,
    /// Whether the record says that it ends with its period.
    pub cancel_at_period_end: bool,
}

/// One transaction: what Stripe said, who asked for it, and the answer to keep.
#[derive(Debug, Clone)]
pub struct Settled<'a> {
    /// The subscription, as it was read before Stripe was asked.
    pub linked: &'a LinkedSubscription,
    /// What Stripe said.
    pub standing: &'a Standing,
    /// The entry that says who did it; `None` where it was so already.
    pub audit: Option<Entry<'a>>,
    /// The request and the answer to keep for its retries, when it has a key.
    pub record: Option<(&'a Keyed, StoredAnswer)>,
    /// The time of the request.
    pub now: Timestamp,
}

/// Why nothing was recorded.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum NotSettled {
    /// Another writer was faster, or another subscription is linked now: Stripe is to be asked again.
    Overtaken,
    /// The idempotency key belongs to a request with another body.
    KeyReused,
    /// Later is fine.
    Throttled,
    /// The table did not answer in time; what happened is unknown.
    Unavailable,
}

/// Where it is kept that a subscription ends with its period.
pub trait Cancellations {
    /// What bills the organization as of now (a consistent read); `None` when nothing does.
    ///
    /// # Errors
    /// [`LookupFailed`].
    fn billed(
        &self,
        granted: Grant<'_, ManageBilling>,
    ) -> impl Future<Output = Result<Option<Billed>, LookupFailed>> + Send;

    /// The answer that a request was given before, while it is kept. It is asked for before Stripe is: what
    /// was carried out once is not carried out again, whatever came after it.
    ///
    /// # Errors
    /// [`NotSettled`], never [`NotSettled::Overtaken`].
    fn answered(
        &self,
        request: &Keyed,
        now: Timestamp,
    ) -> impl Future<Output = Result<Option<StoredAnswer>, NotSettled>> + Send;

    /// Commits all of it or nothing. `Some` is the answer stored by an earlier commit of the same
    /// request: nothing was recorded now.
    ///
    /// # Errors
    /// [`NotSettled`].
    fn settle(
        &self,
        granted: Grant<'_, ManageBilling>,
        settled: &Settled<'_>,
    ) -> impl Future<Output = Result<Option<StoredAnswer>, NotSettled>> + Send;
}

/// Why a wish about the subscription was not carried out.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum CancellationRefusal {
    /// No subscription is linked, or it has ended.
    NoBilling,
    /// As in [`NotSettled`].
    KeyReused,
    /// As in [`NotSettled`].
    Throttled,
    /// Table or Stripe did not do what was asked of them; another try is right and harmless.
    Unavailable,
}

impl From<NotSettled> for CancellationRefusal {
    fn from(not: NotSettled) -> Self {
        match not {
            NotSettled::KeyReused => Self::KeyReused,
            NotSettled::Throttled => Self::Throttled,
            NotSettled::Overtaken | NotSettled::Unavailable => Self::Unavailable,
        }
    }
}

impl From<LookupFailed> for CancellationRefusal {
    fn from(failed: LookupFailed) -> Self {
        match failed {
            LookupFailed::Throttled => Self::Throttled,
            LookupFailed::Unavailable => Self::Unavailable,
        }
    }
}

impl From<NoEntropy> for CancellationRefusal {
    fn from(_: NoEntropy) -> Self {
        Self::Unavailable
    }
}
