//! `GET /org`: the organization of the caller's key.

use headcount_api::seats::{self, Refusal, Seats};
use headcount_api::{Answer, Endpoint, Failure, Incoming};
use headcount_model::credential::Credentials;
use headcount_model::organization::Organizations;
use headcount_model::port::Clock;

/// The function, over its ports.
pub struct Function<S, P> {
    /// Organizations and credentials.
    pub store: S,
    /// Time.
    pub ports: P,
}

impl<S, P> Endpoint for Function<S, P>
where
    S: Organizations + Credentials + Sync,
    P: Clock,
{
    type Dialect = Seats;

    const SAMPLE: &str = "tests/events/get-organization/shown.json";

    async fn handle(&self, request: &Incoming) -> Result<Answer, Failure<Refusal>> {
        let credential = request.authenticate(&self.store, self.ports.now()).await?;
        let granted = seats::belongs(credential.as_ref())?;
        // Whoever has a credential has an organization too.
        let organization = self.store.organization(granted).await?.ok_or(Failure::Unavailable)?;
        Ok(seats::organizations(&organization))
    }
}
