//! `POST /accounts`: the seats of an organization, filtered, whole or page by page.

use headcount_api::seats::{self, Refusal, Seats};
use headcount_api::{Answer, Endpoint, Failure, Incoming};
use headcount_model::credential::Credentials;
use headcount_model::idempotency::FingerprintKey;
use headcount_model::port::Clock;
use headcount_model::right::ReadSeats;
use headcount_model::seats::{Platforms, SeatLists, list};

/// The function, over its ports.
pub struct Function<S, P> {
    /// Seats and credentials.
    pub store: S,
    /// Time.
    pub ports: P,
    /// The platforms that seats can be filtered by.
    pub platforms: Platforms,
    /// Secret of the cursors.
    pub fingerprint_key: FingerprintKey,
}

impl<S, P> Endpoint for Function<S, P>
where
    S: SeatLists + Credentials + Sync,
    P: Clock,
{
    type Dialect = Seats;

    const SAMPLE: &str = "tests/events/list-seats/listed.json";

    async fn handle(&self, request: &Incoming) -> Result<Answer, Failure<Refusal>> {
        let credential = request.authenticate(&self.store, self.ports.now()).await?;
        let granted = seats::grant::<ReadSeats>(credential.as_ref())?;
        let (organization, secret) = (granted.tenant(), &self.fingerprint_key);
        let asked = seats::list_seats(request.json()?, organization, &self.platforms, secret)?;
        let page = list(&self.store, granted, &asked, seats::weight).await?;
        seats::listed(page.as_ref(), organization, &asked.filter, secret)
    }
}
