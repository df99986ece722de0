//! `GET /v1/accounts/{id}`: an administrator looks at an account (LIFECYCLE, "Identity API").

use headcount_api::identity::{self, Identity, NamedAccount, Refusal};
use headcount_api::{Answer, Endpoint, Failure, Incoming};
use headcount_model::credential::Credentials;
use headcount_model::identity::AccountRecords;
use headcount_model::port::Clock;
use headcount_model::right::ReadAccounts;

const ROUTE: &str = "GET /v1/accounts/{id}";

/// The function, over its ports.
pub struct Function<S, P> {
    /// Accounts and credentials.
    pub store: S,
    /// Time.
    pub ports: P,
}

impl<S, P> Endpoint for Function<S, P>
where
    S: AccountRecords + Credentials + Sync,
    P: Clock,
{
    type Dialect = Identity;

    const SAMPLE: &str = "tests/events/get-account/shown.json";

    async fn handle(&self, request: &Incoming) -> Result<Answer, Failure<Refusal>> {
        let credential = request.authenticate(&self.store, self.ports.now()).await?;
        let named = NamedAccount::<ReadAccounts>::by(request, ROUTE, credential.as_ref())?;
        let account = self.store.account(named.granted, &named.id).await?;
        let account = account.ok_or(Failure::Refused(Refusal::NoSuchAccount))?;
        Ok(identity::shown(request, &account))
    }
}
