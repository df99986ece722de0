//! `POST /billing/deactivate`: an organization gives seats back, or keeps them after all.

use headcount_api::seats::{self, Refusal, Seats};
use headcount_api::{Answer, Endpoint, Failure, Incoming};
use headcount_model::credential::Credentials;
use headcount_model::idempotency::FingerprintKey;
use headcount_model::port::{Clock, Entropy};
use headcount_model::right::DeactivateSeats;
use headcount_model::seats::{Ending, SeatEndings, deactivate};
use headcount_model::tiers::Tiers;

const ROUTE: &str = "POST /billing/deactivate";

/// The function, over its ports.
pub struct Function<S, P> {
    /// Seats and credentials.
    pub store: S,
    /// Time and randomness.
    pub ports: P,
    /// What the tiers stand for.
    pub tiers: Tiers,
    /// Secret of the idempotency records.
    pub fingerprint_key: FingerprintKey,
}

impl<S, P> Endpoint for Function<S, P>
where
    S: SeatEndings + Credentials + Sync,
    P: Clock + Entropy,
{
    type Dialect = Seats;

    const SAMPLE: &str = "tests/events/deactivate-seats/deactivated.json";

    async fn handle(&self, request: &Incoming) -> Result<Answer, Failure<Refusal>> {
        let now = self.ports.now();
        let credential = request.authenticate(&self.store, now).await?;
        let granted = seats::grant::<DeactivateSeats>(credential.as_ref())?;
        let (organization, credential) = (granted.tenant(), granted.by());
        let seats = seats::deactivate_seats(request.json()?)?;
        let keyed = request.keyed(organization.as_str(), ROUTE, &self.fingerprint_key, now)?;

        let ending = Ending {
            organization,
            seats: &seats,
            credential,
            route: ROUTE,
            request_id: request.request_id(),
            request: keyed.as_ref(),
            answer: seats::deactivated,
            tiers: &self.tiers,
            now,
        };
        Ok(seats::told(deactivate(&self.store, &self.ports, &ending).await?))
    }
}
