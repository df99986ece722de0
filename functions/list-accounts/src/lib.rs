//! `GET /v1/accounts`: an administrator lists accounts (LIFECYCLE, "Identity API").

use headcount_api::identity::{self, Identity, Refusal};
use headcount_api::{Answer, Endpoint, Failure, Incoming};
use headcount_model::credential::Credentials;
use headcount_model::idempotency::FingerprintKey;
use headcount_model::identity::{AccountLists, list_accounts};
use headcount_model::port::Clock;
use headcount_model::right::ReadAccounts;

/// The function, over its ports.
pub struct Function<S, P> {
    /// Accounts and credentials.
    pub store: S,
    /// Time.
    pub ports: P,
    /// Secret of the cursors.
    pub fingerprint_key: FingerprintKey,
}

impl<S, P> Endpoint for Function<S, P>
where
    S: AccountLists + Credentials + Sync,
    P: Clock,
{
    type Dialect = Identity;

    const SAMPLE: &str = "tests/events/list-accounts/listed.json";

    async fn handle(&self, request: &Incoming) -> Result<Answer, Failure<Refusal>> {
        let credential = request.authenticate(&self.store, self.ports.now()).await?;
        let granted = identity::grant::<ReadAccounts>(credential.as_ref())?;
        let secret = &self.fingerprint_key;
        let (filter, asked) = identity::list_accounts(request.query(), secret)?;
        let from = (asked.after.as_deref(), asked.limit);
        let page = list_accounts(&self.store, granted, &filter, from).await?;
        identity::accounts(&page, &filter, secret)
    }
}
