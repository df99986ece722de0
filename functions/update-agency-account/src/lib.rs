//! `PUT /api/v3/accounts/{lcuid}`: an app changes an account of its agency (LIFECYCLE, "Agency
//! API").

use headcount_api::agency::{self, Agency, Named, Refusal};
use headcount_api::{Answer, Endpoint, Failure, Incoming};
use headcount_model::agency::{AccountRequest, AgencyAccountChanges, change};
use headcount_model::credential::Credentials;
use headcount_model::idempotency::FingerprintKey;
use headcount_model::port::{Clock, Entropy};
use headcount_model::right::UpdateAgencyAccounts;

const ROUTE: &str = "PUT /api/v3/accounts/{lcuid}";

/// The function, over its ports.
pub struct Function<S, P> {
    /// Accounts, agencies and credentials.
    pub store: S,
    /// Time and randomness.
    pub ports: P,
    /// Secret of the idempotency records.
    pub fingerprint_key: FingerprintKey,
}

impl<S, P> Endpoint for Function<S, P>
where
    S: AgencyAccountChanges + Credentials + Sync,
    P: Clock + Entropy,
{
    type Dialect = Agency;

    const SAMPLE: &str = "tests/events/update-agency-account/updated.json";

    async fn handle(&self, request: &Incoming) -> Result<Answer, Failure<Refusal>> {
        let now = self.ports.now();
        let credential = agency::authenticate(request, &self.store, now).await?;
        let named = Named::<UpdateAgencyAccounts>::by(request, ROUTE, credential.as_ref())?;
        let wish = agency::change(request.json()?)?;
        let app = named.granted.tenant().app.as_str();
        let keyed = request.keyed(app, &named.address(ROUTE), &self.fingerprint_key, now)?;
        let asked = AccountRequest {
            granted: named.granted,
            lcuid: &named.lcuid,
            route: ROUTE,
            request_id: request.request_id(),
            request: keyed.as_ref(),
            now,
        };
        let changed = change(&self.store, &self.ports, &asked, &wish, |account, agency| {
            agency::shown(account, agency).kept()
        });
        let (stored, replayed) = changed.await.map_err(|refusal| named.refused(refusal))?;
        Ok(Answer::stored(stored, replayed))
    }
}
