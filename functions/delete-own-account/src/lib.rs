//! `DELETE /v1/account`: an account closes itself (LIFECYCLE, "Identity API").

use headcount_api::identity::{self, Identity, Refusal};
use headcount_api::{Answer, Endpoint, Failure, Incoming};
use headcount_model::identity::{
    AccountClosings, ChangeRefusal, CloseRequest, Found, Retention, Sessions, close,
};
use headcount_model::port::{Clock, Entropy};
use headcount_model::right::OwnAccount;

const ROUTE: &str = "DELETE /v1/account";

/// The function, over its ports.
pub struct Function<S, P> {
    /// Accounts and sessions.
    pub store: S,
    /// Time and randomness.
    pub ports: P,
    /// For how long the address is kept from others.
    pub retention: Retention,
}

impl<S, P> Endpoint for Function<S, P>
where
    S: Sessions + AccountClosings<OwnAccount> + Sync,
    P: Clock + Entropy,
{
    type Dialect = Identity;

    const SAMPLE: &str = "tests/events/delete-own-account/closed.json";

    async fn handle(&self, request: &Incoming) -> Result<Answer, Failure<Refusal>> {
        let now = self.ports.now();
        let session = identity::session(request, &self.store, now).await?;
        let granted = session.grant();
        let account = match self.store.found(granted, &session.account).await? {
            None => return Err(Failure::Unauthorized),
            // Whoever was not answered asks again, by a token that is good for this alone.
            Some(Found::Closed(closed)) => return Ok(identity::closed(&closed)),
            Some(Found::Open(account)) => account,
        };
        identity::admit(&account, &session)?;
        let asked = CloseRequest {
            granted,
            id: &session.account,
            known: Some(account),
            retention: self.retention,
            route: ROUTE,
            request_id: request.request_id(),
            now,
        };
        let closed =
            close(&self.store, &self.ports, asked).await.map_err(|refusal| match refusal {
                // It was there when the request came.
                ChangeRefusal::Missing => Failure::Unauthorized,
                other => other.into(),
            })?;
        Ok(identity::closed(&closed))
    }
}
