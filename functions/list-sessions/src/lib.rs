//! `GET /v1/auth/sessions`: the sessions of an account that go on (LIFECYCLE, "Identity API").

use headcount_api::identity::{self, Identity, MAX_PAGE, Refusal};
use headcount_api::{Answer, Endpoint, Failure, Incoming, paging};
use headcount_model::cursor::List;
use headcount_model::idempotency::FingerprintKey;
use headcount_model::identity::{OwnAccounts, SessionLists, Sessions, list_sessions};
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
        let secret = &self.fingerprint_key;
        let asked = paging::page(request.query(), &list, secret, MAX_PAGE, MAX_PAGE)?;
        let from = (asked.after.as_deref(), asked.limit);
        let page = list_sessions(&self.store, &caller.account, granted, from, now).await?;
        let next = paging::next(page.next.as_deref(), &list, secret)?;
        Ok(identity::sessions(&page.entries, &caller.session.id, next))
    }
}
