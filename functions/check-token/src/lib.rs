//! `GET /api/v3/status`: how a client finds out whether its token works (LIFECYCLE, "Agency API").

use headcount_api::agency::{self, Agency, Refusal};
use headcount_api::{Answer, Endpoint, Failure, Incoming};
use headcount_model::credential::Credentials;
use headcount_model::port::Clock;

/// The function, over its ports.
pub struct Function<S, P> {
    /// Credentials.
    pub store: S,
    /// Time.
    pub ports: P,
}

impl<S, P> Endpoint for Function<S, P>
where
    S: Credentials + Sync,
    P: Clock,
{
    type Dialect = Agency;

    const SAMPLE: &str = "tests/events/check-token/good.json";

    async fn handle(&self, request: &Incoming) -> Result<Answer, Failure<Refusal>> {
        let credential = agency::authenticate(request, &self.store, self.ports.now()).await?;
        agency::caller(request, credential.as_ref())?;
        Ok(agency::done())
    }
}
