//! `POST /accounts/create`: an organization creates account seats (CONTRACT section 1).

use headcount_api::seats::{self, Refusal, Seats};
use headcount_api::{Answer, Endpoint, Failure, Incoming};
use headcount_model::audit;
use headcount_model::credential::Credentials;
use headcount_model::idempotency::FingerprintKey;
use headcount_model::policy::BillingPolicy;
use headcount_model::port::{Clock, Entropy};
use headcount_model::right::CreateSeats;
use headcount_model::seats::{Order, Platforms, Quote, SeatLedger, create};
use headcount_model::tiers::Tiers;

const ROUTE: &str = audit::CREATE_SEATS;

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
    /// Secret of the idempotency records and the quotes.
    pub fingerprint_key: FingerprintKey,
}

impl<S, P> Endpoint for Function<S, P>
where
    S: SeatLedger + Credentials + Sync,
    P: Clock + Entropy,
{
    type Dialect = Seats;

    const SAMPLE: &str = "tests/events/create-seats/created.json";

    async fn handle(&self, request: &Incoming) -> Result<Answer, Failure<Refusal>> {
        let now = self.ports.now();
        let credential = request.authenticate(&self.store, now).await?;
        let granted = seats::grant::<CreateSeats>(credential.as_ref())?;
        let (organization, credential) = (granted.tenant(), granted.by());
        let (command, quote) =
            seats::create_seats(request.json_of_seats()?, &self.platforms, |id| {
                Quote::parse(&id, organization, &self.fingerprint_key)
            })?;
        let caller = organization.as_str();
        let keyed = request.keyed(caller, ROUTE, &self.fingerprint_key, now)?;

        let seats = command.identify(&self.ports, &self.ports)?;
        let order = Order {
            organization,
            seats: &seats,
            request: keyed.as_ref(),
            tiers: &self.tiers,
            quoted: quote.map(|quote| quote.expects(&self.tiers, now)),
            policy: &self.policy,
            by: (credential, request.request_id()),
            now,
        };
        let created = create(&self.store, &self.ports, &order, seats::piece).await?;
        seats::created(&created)
    }
}
