//! `DELETE /v1/auth/session`: an account ends one of its sessions, this one unless it says otherwise
//! (LIFECYCLE, "Identity API").

use headcount_api::identity::{self, Identity, Refusal};
use headcount_api::{Answer, Endpoint, Failure, Incoming};
use headcount_model::audit::Entry;
use headcount_model::id::AuditId;
use headcount_model::identity::{EndSession, OwnAccounts, SessionEndings, Sessions};
use headcount_model::port::{Clock, Entropy};

const ROUTE: &str = "DELETE /v1/auth/session";

/// The function, over its ports.
pub struct Function<S, P> {
    /// Accounts and sessions.
    pub store: S,
    /// Time and randomness.
    pub ports: P,
}

impl<S, P> Endpoint for Function<S, P>
where
    S: Sessions + OwnAccounts + SessionEndings + Sync,
    P: Clock + Entropy,
{
    type Dialect = Identity;

    const SAMPLE: &str = "tests/events/end-session/ended.json";

    async fn handle(&self, request: &Incoming) -> Result<Answer, Failure<Refusal>> {
        let now = self.ports.now();
        let caller = identity::caller(request, &self.store, now).await?;
        let named = identity::end_session(request.json_if_any()?)?;
        let session = named.as_ref().unwrap_or(&caller.session.id);
        let granted = caller.session.grant();
        let id = session.to_string();
        let audit = Entry {
            id: AuditId::new(&self.ports, &self.ports)?,
            credential: Some(granted.by()),
            route: ROUTE,
            objects: vec![&id],
            fields: &["ended_at"],
            at: now,
            request_id: request.request_id(),
        };
        let ended_at = self.store.end(granted, EndSession { session, audit, now }).await?;
        Ok(identity::ended(session, ended_at))
    }
}
