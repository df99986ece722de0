//! `GET /billing/history`: what Stripe was told of an organization's seats, by whose doing, and what came
//! of it, the newest first. Everything comes from the table; Stripe is not asked.

use headcount_api::seats::{self, Refusal, Seats};
use headcount_api::{Answer, Endpoint, Failure, Incoming, paging};
use headcount_model::credential::Credentials;
use headcount_model::cursor::List;
use headcount_model::history::{BillingHistory, DEFAULT_PAGE, MAX_PAGE};
use headcount_model::idempotency::FingerprintKey;
use headcount_model::port::Clock;
use headcount_model::right::ReadBilling;

const ROUTE: &str = "GET /billing/history";

/// The function, over its ports.
pub struct Function<S, P> {
    /// The history and credentials.
    pub store: S,
    /// Time.
    pub ports: P,
    /// Secret of the cursors.
    pub fingerprint_key: FingerprintKey,
}

impl<S, P> Endpoint for Function<S, P>
where
    S: BillingHistory + Credentials + Sync,
    P: Clock,
{
    type Dialect = Seats;

    const SAMPLE: &str = "tests/events/get-billing-history/shown.json";

    async fn handle(&self, request: &Incoming) -> Result<Answer, Failure<Refusal>> {
        let credential = request.authenticate(&self.store, self.ports.now()).await?;
        let granted = seats::grant::<ReadBilling>(credential.as_ref())?;
        let list = List { tenant: granted.tenant().as_str(), route: ROUTE, filters: &[] };
        let secret = &self.fingerprint_key;
        let asked = paging::page(request.query(), &list, secret, DEFAULT_PAGE, MAX_PAGE)?;
        let page = self.store.history(granted, asked.after.as_deref(), asked.limit).await?;
        let next = paging::next(page.next.as_deref(), &list, secret)?;
        Ok(seats::history(&page, next))
    }
}
