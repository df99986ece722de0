//! `PATCH /v1/account`: an account changes itself (LIFECYCLE, "Identity API").

use headcount_api::identity::{self, Identity, Refusal};
use headcount_api::{Answer, Endpoint, Failure, Incoming};
use headcount_model::idempotency::FingerprintKey;
use headcount_model::identity::{
    AccountChanges, ChangeRefusal, Hashing, OwnAccounts, PasswordPolicy, PatchRequest, Sessions,
    change,
};
use headcount_model::port::{Clock, Entropy};
use headcount_model::right::OwnAccount;

pub use headcount_platform::OwnThread;

const ROUTE: &str = "PATCH /v1/account";

/// The function, over its ports.
pub struct Function<S, P, H = OwnThread> {
    /// Accounts and sessions.
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
    S: Sessions + OwnAccounts + AccountChanges<OwnAccount> + Sync,
    P: Clock + Entropy,
    H: Hashing,
{
    type Dialect = Identity;

    const SAMPLE: &str = "tests/events/update-own-account/updated.json";

    async fn handle(&self, request: &Incoming) -> Result<Answer, Failure<Refusal>> {
        let now = self.ports.now();
        let caller = identity::caller(request, &self.store, now).await?;
        let patch = identity::own_patch(request.merge_patch()?, self.password_policy)?;
        let session = &caller.session;
        let keyed = request.keyed(session.account.as_str(), ROUTE, &self.fingerprint_key, now)?;
        let asked = PatchRequest {
            granted: session.grant(),
            id: &session.account,
            known: Some(caller.account),
            spared: Some(&session.id),
            route: ROUTE,
            request_id: request.request_id(),
            request: keyed.as_ref(),
            now,
        };
        let is_meant = |account: &_| identity::is_meant(request, account);
        let ports = (&self.hashing, &self.ports);
        let changed = change(&self.store, ports, asked, &patch, is_meant, identity::whole).await;
        let changed = changed.map_err(|refusal| match refusal {
            // It was there when the request came.
            ChangeRefusal::Missing => Failure::Unauthorized,
            other => other.into(),
        })?;
        Ok(identity::changed(changed))
    }
}
