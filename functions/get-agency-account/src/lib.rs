//! `GET /api/v3/accounts/{lcuid}`: an account of the agency (LIFECYCLE, "Agency API").

use headcount_api::agency::{self, Agency, Named, Refusal};
use headcount_api::{Answer, Endpoint, Failure, Incoming};
use headcount_model::agency::AgencyAccountRecords;
use headcount_model::credential::Credentials;
use headcount_model::port::Clock;
use headcount_model::right::ViewAgencyAccounts;

const ROUTE: &str = "GET /api/v3/accounts/{lcuid}";

/// The function, over its ports.
pub struct Function<S, P> {
    /// Accounts, agencies and credentials.
    pub store: S,
    /// Time.
    pub ports: P,
}

impl<S, P> Endpoint for Function<S, P>
where
    S: AgencyAccountRecords + Credentials + Sync,
    P: Clock,
{
    type Dialect = Agency;

    const SAMPLE: &str = "tests/events/get-agency-account/shown.json";

    async fn handle(&self, request: &Incoming) -> Result<Answer, Failure<Refusal>> {
        let credential = agency::authenticate(request, &self.store, self.ports.now()).await?;
        let named = Named::<ViewAgencyAccounts>::by(request, ROUTE, credential.as_ref())?;
        let found = self.store.account(named.granted, &named.lcuid).await?;
        let (account, agency) = found.ok_or_else(|| named.missing())?;
        Ok(agency::shown(&account, &agency))
    }
}
