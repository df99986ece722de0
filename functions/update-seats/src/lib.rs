//! `POST /accounts/update-info`: an organization changes seats that it has.

use headcount_api::seats::{self, Refusal, Seats};
use headcount_api::{Answer, Endpoint, Failure, Incoming};
use headcount_model::credential::Credentials;
use headcount_model::idempotency::FingerprintKey;
use headcount_model::policy::BillingPolicy;
use headcount_model::port::{Clock, Entropy};
use headcount_model::right::UpdateSeats;
use headcount_model::seats::{Platforms, SeatUpdates, Updating, update};
use headcount_model::tiers::Tiers;

const ROUTE: &str = "POST /accounts/update-info";

/// The function, over its ports.
pub struct Function<S, P> {
    /// Seats and credentials.
    pub store: S,
    /// Time and randomness.
    pub ports: P,
    /// The platforms that seats may be on.
    pub platforms: Platforms,
    /// What the tiers stand for.
    pub tiers: Tiers,
    /// Which subscriptions take seats.
    pub policy: BillingPolicy,
    /// Secret of the idempotency records.
    pub fingerprint_key: FingerprintKey,
}

impl<S, P> Endpoint for Function<S, P>
where
    S: SeatUpdates + Credentials + Sync,
    P: Clock + Entropy,
{
    type Dialect = Seats;

    const SAMPLE: &str = "tests/events/update-seats/updated.json";

    async fn handle(&self, request: &Incoming) -> Result<Answer, Failure<Refusal>> {
        let now = self.ports.now();
        let credential = request.authenticate(&self.store, now).await?;
        let granted = seats::grant::<UpdateSeats>(credential.as_ref())?;
        let (organization, credential) = (granted.tenant(), granted.by());
        let updates = seats::update_seats(request.json()?, &self.platforms)?;
        let keyed = request.keyed(organization.as_str(), ROUTE, &self.fingerprint_key, now)?;

        let updating = Updating {
            organization,
            updates: &updates,
            credential,
            route: ROUTE,
            request_id: request.request_id(),
            request: keyed.as_ref(),
            word: seats::update_told,
            tiers: &self.tiers,
            policy: &self.policy,
            now,
        };
        let done = update(&self.store, &self.ports, &updating).await?;
        Ok(seats::updated(&updates, done))
    }
}
