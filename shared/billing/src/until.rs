//! Stripe, until a time.

use headcount_model::billing::{ItemTarget, ProrationBehavior};
use headcount_model::port::{Clock, Entropy};
use jiff::Timestamp;

use crate::subscription::{StripeFailure, Subscription, Subscriptions, Updated};
use crate::worth::Worth;

/// Stripe for a piece of work that has to end: from `last_call` on no call is begun. One that was
/// begun before may take its whole budget.
pub struct Until<'s, S> {
    /// Stripe.
    pub stripe: &'s S,
    /// Says what time it is.
    pub clock: &'s dyn Clock,
    /// When the last call may be begun.
    pub last_call: Timestamp,
}

impl<S> Until<'_, S> {
    fn in_time(&self) -> Result<&S, StripeFailure> {
        if self.clock.now() < self.last_call {
            return Ok(self.stripe);
        }
        Err(StripeFailure::Transient("no time is left for another call of Stripe".to_owned()))
    }
}

impl<S: Subscriptions + Sync> Subscriptions for Until<'_, S> {
    async fn fetch(&self, subscription: &str) -> Result<Subscription, StripeFailure> {
        self.in_time()?.fetch(subscription).await
    }

    async fn set_quantities(
        &self,
        subscription: &str,
        targets: &[ItemTarget],
        proration: ProrationBehavior,
        key: &str,
    ) -> Result<Updated, StripeFailure> {
        self.in_time()?.set_quantities(subscription, targets, proration, key).await
    }
}

impl<S: Worth + Sync> Worth for Until<'_, S> {
    async fn worth(
        &self,
        subscription: &Subscription,
        targets: &[ItemTarget],
        entropy: &dyn Entropy,
    ) -> Result<i64, StripeFailure> {
        self.in_time()?.worth(subscription, targets, entropy).await
    }
}
