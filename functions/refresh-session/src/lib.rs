//! `POST /v1/auth/refresh`: a session's refresh token gives new tokens (LIFECYCLE, "Identity API").

use headcount_api::identity::{self, Identity, Refusal};
use headcount_api::{Answer, Endpoint, Failure, Incoming};
use headcount_model::identity::{RefreshAsked, Refreshes, refresh};
use headcount_model::port::{Clock, Entropy};

const ROUTE: &str = "POST /v1/auth/refresh";

/// The function, over its ports.
pub struct Function<S, P> {
    /// Sessions.
    pub store: S,
    /// Time and randomness.
    pub ports: P,
}

impl<S, P> Endpoint for Function<S, P>
where
    S: Refreshes + Sync,
    P: Clock + Entropy,
{
    type Dialect = Identity;

    const SAMPLE: &str = "tests/events/refresh-session/refreshed.json";

    /// The body is read before the token is looked at: a bad one must use up no token.
    async fn handle(&self, request: &Incoming) -> Result<Answer, Failure<Refusal>> {
        let token = request.bearer().ok_or(Failure::Unauthorized)?;
        let presented = request.presented().ok_or(Failure::Unauthorized)?;
        let rotate = identity::refresh(request.json_if_any()?)?;
        let asked = RefreshAsked {
            presented: &presented,
            rotate,
            route: ROUTE,
            request_id: request.request_id(),
        };
        let (session, tokens) = refresh(&self.store, &self.ports, asked).await?;
        Ok(identity::refreshed(&session, &tokens, &token))
    }
}
