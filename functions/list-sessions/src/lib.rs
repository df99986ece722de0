//! `GET /v1/auth/sessions`: the sessions of an account that go on (LIFECYCLE, "Identity API").

use headcount_api::identity::{self, Identity, Refusal};
use headcount_api::{Answer, Endpoint, Failure, Incoming, paging};
use headcount_model::credential::LookupFailed;
use headcount_model::cursor::List;
use headcount_model::id::CredentialId;
use headcount_model::idempotency::FingerprintKey;
use headcount_model::identity::{
    MAX_SESSIONS_PER_PAGE, OwnAccounts, SessionId, SessionLists, Sessions,
};
use headcount_model::port::Clock;

const ROUTE: &str = "GET /v1/auth/sessions";

/// The function, over its ports.
pub struct Function<S, P> {
    /// Accounts and sessions.
    pub store: S,
    /// Time.
    pub ports: P,
    /// Secret of the cursors.
    pub fingerprint_key: FingerprintKey,
}

impl<S, P> Endpoint for Function<S, P>
where
    S: Sessions + OwnAccounts + SessionLists + Sync,
    P: Clock,
{
    type Dialect = Identity;

    const SAMPLE: &str = "tests/events/list-sessions/listed.json";

    async fn handle(&self, request: &Incoming) -> Result<Answer, Failure<Refusal>> {
        let now = self.ports.now();
        let caller = identity::caller(request, &self.store, now).await?;
        let granted = caller.session.grant();
        let list = List { tenant: granted.tenant().as_str(), route: ROUTE, filters: &[] };
        let (secret, most) = (&self.fingerprint_key, MAX_SESSIONS_PER_PAGE);
        let asked = paging::page(request.query(), &list, secret, most, most)?;
        // What is signed was written by us.
        let after = asked.after.as_deref().map(CredentialId::parse).transpose();
        let after = after.map_err(|_| LookupFailed::Unavailable)?.map(SessionId::of);
        let page = self.store.opened(granted, after.as_ref(), asked.limit).await?;
        let next = page.next.as_ref().map(|id| list.cursor(id.token().as_str(), secret));
        let next = next.transpose().map_err(|_| Failure::Unavailable)?;
        Ok(identity::sessions(&caller, &page, next, now))
    }
}
