//! `POST /org/api-key`: the API keys of an organization, without their texts.

use headcount_api::seats::{self, Refusal, Seats};
use headcount_api::{Answer, Endpoint, Failure, Incoming};
use headcount_model::api_key::ApiKeys;
use headcount_model::credential::Credentials;
use headcount_model::port::Clock;
use headcount_model::right::ManageKeys;

/// The function, over its ports.
pub struct Function<S, P> {
    /// API keys and credentials.
    pub store: S,
    /// Time.
    pub ports: P,
}

impl<S, P> Endpoint for Function<S, P>
where
    S: ApiKeys + Credentials + Sync,
    P: Clock,
{
    type Dialect = Seats;

    const SAMPLE: &str = "tests/events/list-api-keys/listed.json";

    async fn handle(&self, request: &Incoming) -> Result<Answer, Failure<Refusal>> {
        let credential = request.authenticate(&self.store, self.ports.now()).await?;
        let granted = seats::grant::<ManageKeys>(credential.as_ref())?;
        seats::list_api_keys(request.json_if_any()?)?;
        Ok(seats::api_keys(&self.store.keys(granted).await?))
    }
}
