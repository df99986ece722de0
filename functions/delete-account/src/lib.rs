//! `DELETE /v1/accounts/{id}`: an administrator closes an account (LIFECYCLE, "Identity API").

use headcount_api::identity::{self, Identity, NamedAccount, Refusal};
use headcount_api::{Answer, Endpoint, Failure, Incoming};
use headcount_model::credential::Credentials;
use headcount_model::identity::{AccountClosings, CloseRequest, Retention, close};
use headcount_model::port::{Clock, Entropy};
use headcount_model::right::DeleteAccounts;

const ROUTE: &str = "DELETE /v1/accounts/{id}";

/// The function, over its ports.
pub struct Function<S, P> {
    /// Accounts and credentials.
    pub store: S,
    /// Time and randomness.
    pub ports: P,
    /// For how long the address is kept from others.
    pub retention: Retention,
}

impl<S, P> Endpoint for Function<S, P>
where
    S: AccountClosings<DeleteAccounts> + Credentials + Sync,
    P: Clock + Entropy,
{
    type Dialect = Identity;

    const SAMPLE: &str = "tests/events/delete-account/closed.json";

    async fn handle(&self, request: &Incoming) -> Result<Answer, Failure<Refusal>> {
        let now = self.ports.now();
        let credential = request.authenticate(&self.store, now).await?;
        let named = NamedAccount::<DeleteAccounts>::by(request, ROUTE, credential.as_ref())?;
        let asked = CloseRequest {
            granted: named.granted,
            id: &named.id,
            known: None,
            retention: self.retention,
            route: ROUTE,
            request_id: request.request_id(),
            now,
        };
        let closed = close(&self.store, &self.ports, asked).await?;
        Ok(identity::closed(&closed))
    }
}
