//! `GET /billing`: how the billing of an organization stands (LIFECYCLE, "Seats API"). Everything comes
//! from the table; Stripe is not asked.

use headcount_api::seats::{self, Refusal, Seats};
use headcount_api::{Answer, Endpoint, Failure, Incoming};
use headcount_model::credential::Credentials;
use headcount_model::policy::BillingPolicy;
use headcount_model::port::Clock;
use headcount_model::right::ReadBilling;
use headcount_model::statement::Statements;

/// The function, over its ports.
pub struct Function<S, P> {
    /// Billing records and credentials.
    pub store: S,
    /// Time.
    pub ports: P,
    /// Which subscriptions take seats.
    pub policy: BillingPolicy,
}

impl<S, P> Endpoint for Function<S, P>
where
    S: Statements + Credentials + Sync,
    P: Clock,
{
    type Dialect = Seats;

    const SAMPLE: &str = "tests/events/get-billing/shown.json";

    async fn handle(&self, request: &Incoming) -> Result<Answer, Failure<Refusal>> {
        let credential = request.authenticate(&self.store, self.ports.now()).await?;
        let granted = seats::grant::<ReadBilling>(credential.as_ref())?;
        let statement = self.store.statement(granted).await?;
        // Whoever has a credential has a billing record too.
        let statement = statement.ok_or(Failure::Unavailable)?;
        Ok(seats::billing(granted.tenant(), &statement, &self.policy, self.ports.now()))
    }
}
