//! `GET /v1/account`: an account looks at itself (LIFECYCLE, "Identity API").

use headcount_api::identity::{self, Identity, Refusal};
use headcount_api::{Answer, Endpoint, Failure, Incoming};
use headcount_model::identity::{OwnAccounts, Sessions};
use headcount_model::port::Clock;

/// The function, over its ports.
pub struct Function<S, P> {
    /// Accounts and sessions.
    pub store: S,
    /// Time.
    pub ports: P,
}

impl<S, P> Endpoint for Function<S, P>
where
    S: Sessions + OwnAccounts + Sync,
    P: Clock,
{
    type Dialect = Identity;

    const SAMPLE: &str = "tests/events/get-own-account/shown.json";

    async fn handle(&self, request: &Incoming) -> Result<Answer, Failure<Refusal>> {
        let caller = identity::caller(request, &self.store, self.ports.now()).await?;
        Ok(identity::shown(request, &caller.account))
    }
}
