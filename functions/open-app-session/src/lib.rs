//! `POST /api/v3/auth`: an app is given a token for the pair that an operator handed out
//! (LIFECYCLE, "Agency API"; docs/adr/0038-tokens-of-apps.md).

use headcount_api::agency::auth::{self, Auth, Refusal};
use headcount_api::{Answer, Endpoint, Failure, Incoming};
use headcount_model::app_token::{AppTokenLifetime, AppTokens, give_app_token};
use headcount_model::port::{Clock, Entropy};

/// The function, over its ports.
pub struct Function<S, P> {
    /// Credentials and the tokens of apps.
    pub store: S,
    /// Time and randomness.
    pub ports: P,
    /// For how long a token works.
    pub lifetime: AppTokenLifetime,
}

impl<S, P> Endpoint for Function<S, P>
where
    S: AppTokens + Sync,
    P: Clock + Entropy,
{
    type Dialect = Auth;

    const SAMPLE: &str = "tests/events/open-app-session/given.json";

    /// A credential that the request carries is looked at by nobody: it is for who has no token.
    async fn handle(&self, request: &Incoming) -> Result<Answer, Failure<Refusal>> {
        let app = auth::app_of(request)?;
        let pair = auth::pair(request)?;
        let (store, ports) = (&self.store, &self.ports);
        let (credential, token) = give_app_token(store, ports, self.lifetime, &app, &pair).await?;
        Ok(auth::given(&credential, &token))
    }
}
