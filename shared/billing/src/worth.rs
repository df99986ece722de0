//! What a change of a subscription would be worth, as Stripe's invoice preview says.

use std::future::Future;

use headcount_model::billing::ItemTarget;
use headcount_model::port::Entropy;

use crate::stripe::{Stripe, Transport};
use crate::subscription::{StripeFailure, Subscription};

/// Where it is known what changes are worth.
pub trait Worth {
    /// What Stripe would charge for the rest of the period if the items became `targets`
    /// now, in cents, were the difference prorated; negative for a credit.
    ///
    /// # Errors
    /// [`StripeFailure`].
    fn worth(
        &self,
        subscription: &Subscription,
        targets: &[ItemTarget],
        entropy: &dyn Entropy,
    ) -> impl Future<Output = Result<i64, StripeFailure>> + Send;
}

impl<T: Transport> Worth for Stripe<T> {
    async fn worth(
        &self,
        subscription: &Subscription,
        targets: &[ItemTarget],
        entropy: &dyn Entropy,
    ) -> Result<i64, StripeFailure> {
        self.prorated_now(subscription, targets, entropy).await
    }
}
