//! `GET /api/v3/accounts`: the accounts that a token may see (LIFECYCLE, "Agency API").

use headcount_api::agency::{self, Agency, MOST_LISTED, Refusal};
use headcount_api::{Answer, Endpoint, Failure, Incoming};
use headcount_model::agency::{AgencyAccountRecords, AgencySettings};
use headcount_model::credential::Credentials;
use headcount_model::port::Clock;
use headcount_model::right::ViewAgencyAccounts;

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

    const SAMPLE: &str = "tests/events/list-agency-accounts/listed.json";

    async fn handle(&self, request: &Incoming) -> Result<Answer, Failure<Refusal>> {
        let credential = agency::authenticate(request, &self.store, self.ports.now()).await?;
        let credential = agency::caller(request, credential.as_ref())?;
        let page = agency::page(request)?;
        // Whoever may see no account is told of none.
        let Ok(granted) = credential.grant::<ViewAgencyAccounts>() else {
            return agency::listed(&[], &AgencySettings::default());
        };
        let at_most = if page.is_some() { usize::MAX } else { MOST_LISTED };
        let found = self.store.accounts(granted.implied(), at_most).await?;
        let (accounts, agency) = found.ok_or(Failure::Refused(Refusal::TooManyAccounts))?;
        let shown = page.map_or(&accounts[..], |page| page.of(&accounts));
        agency::listed(shown, &agency.settings)
    }
}
