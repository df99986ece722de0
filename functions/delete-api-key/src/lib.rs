//! `POST /org/api-key/delete`: an API key of an organization works no more.

use headcount_api::seats::{self, Refusal, Seats};
use headcount_api::{Answer, Endpoint, Failure, Incoming};
use headcount_model::api_key::{ApiKeys, KeyRequest, delete};
use headcount_model::credential::Credentials;
use headcount_model::idempotency::FingerprintKey;
use headcount_model::port::{Clock, Entropy};
use headcount_model::right::ManageKeys;

const ROUTE: &str = "POST /org/api-key/delete";

/// The function, over its ports.
pub struct Function<S, P> {
    /// API keys and credentials.
    pub store: S,
    /// Time and randomness.
    pub ports: P,
    /// Secret of the idempotency records.
    pub fingerprint_key: FingerprintKey,
}

impl<S, P> Endpoint for Function<S, P>
where
    S: ApiKeys + Credentials + Sync,
    P: Clock + Entropy,
{
    type Dialect = Seats;

    const SAMPLE: &str = "tests/events/delete-api-key/deleted.json";

    async fn handle(&self, request: &Incoming) -> Result<Answer, Failure<Refusal>> {
        let now = self.ports.now();
        let credential =
            request.authenticate(&self.store, now).await?.ok_or(Failure::Unauthorized)?;
        let granted = seats::grant::<ManageKeys>(Some(&credential))?;
        let id = seats::delete_api_key(request.json()?)?;
        let secret = &self.fingerprint_key;
        let keyed = request.keyed(granted.tenant().as_str(), ROUTE, secret, now)?;
        let asked = KeyRequest {
            granted,
            route: ROUTE,
            request_id: request.request_id(),
            request: keyed.as_ref(),
            now,
        };
        let (stored, replayed) =
            delete(&self.store, &self.ports, &asked, &id, seats::deleted_api_key).await?;
        Ok(Answer::stored(stored, replayed))
    }
}
