//! `GET /api/v3/agencies/{lcuid}/accounts`: which accounts an agency has (LIFECYCLE, "Agency API").

use headcount_api::agency::{self, Agency, MOST_LISTED, Refusal};
use headcount_api::{Answer, Endpoint, Failure, Incoming};
use headcount_model::agency::AgencyAccountRecords;
use headcount_model::credential::Credentials;
use headcount_model::port::Clock;
use headcount_model::right::ListAgencyAccounts;

const ROUTE: &str = "GET /api/v3/agencies/{lcuid}/accounts";

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

    const SAMPLE: &str = "tests/events/list-accounts-of-agency/listed.json";

    async fn handle(&self, request: &Incoming) -> Result<Answer, Failure<Refusal>> {
        let credential = agency::authenticate(request, &self.store, self.ports.now()).await?;
        let granted =
            agency::own_agency::<ListAgencyAccounts>(request, ROUTE, credential.as_ref())?;
        let page = agency::page(request)?;
        let at_most = if page.is_some() { usize::MAX } else { MOST_LISTED };
        let found = self.store.accounts(granted, at_most).await?;
        let (accounts, _) = found.ok_or(Failure::Refused(Refusal::TooManyAccounts))?;
        agency::told(page.map_or(&accounts[..], |page| page.of(&accounts)))
    }
}
