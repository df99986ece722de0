//! `POST /accounts/create`: an organization creates account seats (CONTRACT section 1).

use headcount_api::seats::{self, Refusal, Seats};
use headcount_api::{Answer, Endpoint, Failure, Incoming};
use headcount_model::credential::{Credentials, Holder, Permission};
use headcount_model::idempotency::FingerprintKey;
use headcount_model::port::{Clock, Entropy};
use headcount_model::seats::{Platforms, SeatLedger, create};

const ROUTE: &str = "POST /accounts/create";

/// The function, over its ports.
pub struct Function<S, P> {
    /// Seats and credentials.
    pub store: S,
    /// Time and randomness.
    pub ports: P,
    /// The platforms that seats may be on.
    pub platforms: Platforms,
    /// Secret of the idempotency records.
    pub fingerprint_key: FingerprintKey,
}

impl<S, P> Endpoint for Function<S, P>
where
    S: SeatLedger + Credentials + Sync,
    P: Clock + Entropy,
{
    type Dialect = Seats;

    async fn handle(&self, request: &Incoming) -> Result<Answer, Failure<Refusal>> {
        let now = self.ports.now();
        let credential =
            request.authenticate(&self.store, now).await?.ok_or(Failure::Unauthorized)?;
        let Holder::Organization(organization) = &credential.holder else {
            return Err(Failure::Unauthorized);
        };
        if !credential.allows(Permission::AccountsCreate) {
            let missing = Permission::AccountsCreate.as_str();
            return Err(Failure::Refused(Refusal::Forbidden(missing)));
        }
        let command = seats::create_seats(request.json()?, &self.platforms)?;
        let caller = organization.as_str();
        let keyed = request.keyed(caller, ROUTE, &self.fingerprint_key, now)?;

        let seats = command.identify(&self.ports, &self.ports)?;
        let created =
            create(&self.store, organization, &seats, keyed.as_ref(), now, seats::piece).await?;
        seats::created(&created)
    }
}
