//! `PATCH /v1/accounts/{id}`: an administrator changes an account (LIFECYCLE, "Identity API").

use headcount_api::identity::{self, Identity, NamedAccount, Refusal};
use headcount_api::{Answer, Endpoint, Failure, Incoming};
use headcount_model::credential::Credentials;
use headcount_model::idempotency::FingerprintKey;
use headcount_model::identity::{AccountChanges, Hashing, PasswordPolicy, PatchRequest, change};
use headcount_model::port::{Clock, Entropy};
use headcount_model::right::UpdateAccounts;

pub use headcount_platform::OwnThread;

const ROUTE: &str = "PATCH /v1/accounts/{id}";

/// The function, over its ports.
pub struct Function<S, P, H = OwnThread> {
    /// Accounts and credentials.
    pub store: S,
    /// Time and randomness.
    pub ports: P,
    /// Where passwords are compared and hashed.
    pub hashing: H,
    /// How long passwords must be.
    pub password_policy: PasswordPolicy,
    /// Secret of the idempotency records.
    pub fingerprint_key: FingerprintKey,
}

impl<S, P, H> Endpoint for Function<S, P, H>
where
    S: AccountChanges<UpdateAccounts> + Credentials + Sync,
    P: Clock + Entropy,
    H: Hashing,
{
    type Dialect = Identity;

    const SAMPLE: &str = "tests/events/update-account/updated.json";

    async fn handle(&self, request: &Incoming) -> Result<Answer, Failure<Refusal>> {
        let now = self.ports.now();
        let credential = request.authenticate(&self.store, now).await?;
        let named = NamedAccount::<UpdateAccounts>::by(request, ROUTE, credential.as_ref())?;
        let patch = identity::patch(request.merge_patch()?, self.password_policy)?;
        // One key may be used once for each account.
        let address = format!("PATCH /v1/accounts/{}", named.id);
        let by = named.granted.by().as_str();
        let keyed = request.keyed(by, &address, &self.fingerprint_key, now)?;
        let asked = PatchRequest {
            granted: named.granted,
            id: &named.id,
            known: None,
            spared: None,
            route: ROUTE,
            request_id: request.request_id(),
            request: keyed.as_ref(),
            now,
        };
        let is_meant = |account: &_| identity::is_meant(request, account);
        let ports = (&self.hashing, &self.ports);
        let changed = change(&self.store, ports, asked, &patch, is_meant, identity::whole).await?;
        Ok(identity::changed(changed))
    }
}
