//! `POST /v1/auth/login`: who has an account's password is given the tokens of a new session
//! (LIFECYCLE, "Identity API").

use headcount_api::identity::{self, Identity, Refusal};
use headcount_api::{Answer, Endpoint, Failure, Incoming};
use headcount_model::idempotency::FingerprintKey;
use headcount_model::identity::{Hashing, LogIns, log_in};
use headcount_model::port::{Clock, Entropy};

pub use headcount_platform::OwnThread;

/// The function, over its ports.
pub struct Function<S, P, H = OwnThread> {
    /// Accounts, sessions and the count of attempts.
    pub store: S,
    /// Time and randomness.
    pub ports: P,
    /// Where passwords are compared.
    pub hashing: H,
    /// Secret of the names under which attempts are counted.
    pub fingerprint_key: FingerprintKey,
}

impl<S, P, H> Endpoint for Function<S, P, H>
where
    S: LogIns + Sync,
    P: Clock + Entropy,
    H: Hashing,
{
    type Dialect = Identity;

    const SAMPLE: &str = "tests/events/open-session/logged-in.json";

    /// A credential that the request carries is looked at by nobody: it is for who has none.
    async fn handle(&self, request: &Incoming) -> Result<Answer, Failure<Refusal>> {
        let wish = identity::log_in(request.json()?)?;
        let (store, secret) = (&self.store, &self.fingerprint_key);
        let logged_in = log_in(store, &self.hashing, &self.ports, secret, &wish).await?;
        Ok(identity::logged_in(&logged_in))
    }
}
