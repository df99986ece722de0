//! `GET /api/v3/objects/{lcuid}/can-be-deleted`: whether an account of the agency can be deleted
//! (LIFECYCLE, "Agency API").

use headcount_api::agency::{self, Agency, Named, Refusal};
use headcount_api::{Answer, Endpoint, Failure, Incoming};
use headcount_model::agency::DeletableAccounts;
use headcount_model::credential::Credentials;
use headcount_model::port::Clock;
use headcount_model::right::DeleteAgencyAccounts;

const ROUTE: &str = "GET /api/v3/objects/{lcuid}/can-be-deleted";

/// The function, over its ports.
pub struct Function<S, P> {
    /// Accounts and credentials.
    pub store: S,
    /// Time.
    pub ports: P,
}

impl<S, P> Endpoint for Function<S, P>
where
    S: DeletableAccounts + Credentials + Sync,
    P: Clock,
{
    type Dialect = Agency;

    const SAMPLE: &str = "tests/events/check-deletion/can-be-deleted.json";

    async fn handle(&self, request: &Incoming) -> Result<Answer, Failure<Refusal>> {
        let credential = agency::authenticate(request, &self.store, self.ports.now()).await?;
        let named = Named::<DeleteAgencyAccounts>::by(request, ROUTE, credential.as_ref())?;
        let found = self.store.deletable(named.granted, &named.lcuid).await?;
        let account = found.ok_or_else(|| named.missing())?;
        Ok(agency::deletable(account.has_sub_accounts))
    }
}
