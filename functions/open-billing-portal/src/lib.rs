//! `POST /billing/portal`: a session of Stripe's billing portal. Nothing is kept, and its address, which
//! acts for the customer, is in no log.

use std::time::Duration;

use headcount_api::seats::{self, Refusal, Seats};
use headcount_api::{Answer, Endpoint, Failure, Incoming};
use headcount_billing::portal::{Portals, open};
use headcount_model::cancellation::Cancellations;
use headcount_model::credential::Credentials;
use headcount_model::port::{Clock, Entropy};
use headcount_model::right::ManageBilling;

/// How long table and Stripe may take together, as for a quote.
const BUDGET: Duration = Duration::from_secs(14);

/// The function, over its ports.
pub struct Function<S, B, P> {
    /// Billing records and credentials.
    pub store: S,
    /// Stripe.
    pub stripe: B,
    /// Time and randomness.
    pub ports: P,
}

impl<S, B, P> Endpoint for Function<S, B, P>
where
    S: Cancellations + Credentials + Sync,
    B: Portals + Sync,
    P: Clock + Entropy,
{
    type Dialect = Seats;

    const SAMPLE: &str = "tests/events/open-billing-portal/opened.json";

    async fn handle(&self, request: &Incoming) -> Result<Answer, Failure<Refusal>> {
        let credential = request.authenticate(&self.store, self.ports.now()).await?;
        let granted = seats::grant::<ManageBilling>(credential.as_ref())?;
        let return_url = seats::open_portal(request.json_if_any()?)?;
        let asked = open(&self.store, &self.stripe, &self.ports, granted, return_url.as_ref());
        let Ok(opened) = tokio::time::timeout(BUDGET, asked).await else {
            tracing::warn!("Stripe took too long");
            return Err(Failure::Unavailable);
        };
        Ok(seats::portal(&opened?))
    }
}
