//! `POST /billing/cancel`: the subscription of an organization ends with its period.

use std::time::Duration;

use headcount_api::seats::{self, Refusal, Seats};
use headcount_api::{Answer, Endpoint, Failure, Incoming};
use headcount_billing::cancel::{Cancels, Wish, cancel};
use headcount_model::cancellation::Cancellations;
use headcount_model::credential::Credentials;
use headcount_model::idempotency::FingerprintKey;
use headcount_model::port::{Clock, Entropy};
use headcount_model::right::ManageBilling;

const ROUTE: &str = "POST /billing/cancel";

/// How long table and Stripe may take together. The function has 25 s, and a caller should hear from us
/// that Stripe does not answer.
const BUDGET: Duration = Duration::from_secs(14);

/// The function, over its ports.
pub struct Function<S, B, P> {
    /// Billing records and credentials.
    pub store: S,
    /// Stripe.
    pub stripe: B,
    /// Time and randomness.
    pub ports: P,
    /// Secret of the idempotency records.
    pub fingerprint_key: FingerprintKey,
}

impl<S, B, P> Endpoint for Function<S, B, P>
where
    S: Cancellations + Credentials + Sync,
    B: Cancels + Sync,
    P: Clock + Entropy,
{
    type Dialect = Seats;

    const SAMPLE: &str = "tests/events/cancel-billing/cancelled.json";

    async fn handle(&self, request: &Incoming) -> Result<Answer, Failure<Refusal>> {
        let now = self.ports.now();
        let credential = request.authenticate(&self.store, now).await?;
        let granted = seats::grant::<ManageBilling>(credential.as_ref())?;
        seats::cancel_billing(request.json_if_any()?)?;
        let secret = &self.fingerprint_key;
        let keyed = request.keyed(granted.tenant().as_str(), ROUTE, secret, now)?;
        let wish = Wish {
            granted,
            route: ROUTE,
            request_id: request.request_id(),
            request: keyed.as_ref(),
            ends: true,
            answer: seats::cancelled(),
            now,
        };
        let asked = cancel(&self.store, &self.stripe, &self.ports, &wish);
        let Ok(done) = tokio::time::timeout(BUDGET, asked).await else {
            tracing::warn!("Stripe took too long");
            return Err(Failure::Unavailable);
        };
        let (stored, replayed) = done?;
        Ok(Answer::stored(stored, replayed))
    }
}
