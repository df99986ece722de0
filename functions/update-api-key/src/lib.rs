//! `POST /org/api-key/edit`: an API key of an organization gets another name.

use headcount_api::seats::{self, Refusal, Seats};
use headcount_api::{Answer, Endpoint, Failure, Incoming};
use headcount_model::api_key::{ApiKeys, KeyRequest, rename};
use headcount_model::credential::Credentials;
use headcount_model::idempotency::FingerprintKey;
use headcount_model::port::{Clock, Entropy};
use headcount_model::right::ManageKeys;

const ROUTE: &str = "POST /org/api-key/edit";

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

    const SAMPLE: &str = "tests/events/update-api-key/updated.json";

    async fn handle(&self, request: &Incoming) -> Result<Answer, Failure<Refusal>> {
        let now = self.ports.now();
        let credential =
            request.authenticate(&self.store, now).await?.ok_or(Failure::Unauthorized)?;
        let granted = seats::grant::<ManageKeys>(Some(&credential))?;
        let (id, name) = seats::rename_api_key(request.json()?)?;
        let secret = &self.fingerprint_key;
        let keyed = request.keyed(granted.tenant().as_str(), ROUTE, secret, now)?;
        let asked = KeyRequest {
            granted,
            route: ROUTE,
            request_id: request.request_id(),
            request: keyed.as_ref(),
            now,
        };
        let wanted = (&id, &name);
        let (stored, replayed) =
            rename(&self.store, &self.ports, &asked, wanted, seats::renamed_api_key).await?;
        Ok(Answer::stored(stored, replayed))
    }
}
