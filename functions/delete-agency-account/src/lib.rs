//! `DELETE /api/v3/objects/{lcuid}`: an app deletes an account of its agency (LIFECYCLE, "Agency
//! API").

use headcount_api::agency::{self, Agency, Named, Refusal};
use headcount_api::{Answer, Endpoint, Failure, Incoming};
use headcount_model::agency::{AccountRequest, AgencyAccountDeletions, delete};
use headcount_model::credential::Credentials;
use headcount_model::idempotency::FingerprintKey;
use headcount_model::port::{Clock, Entropy};
use headcount_model::right::DeleteAgencyAccounts;

const ROUTE: &str = "DELETE /api/v3/objects/{lcuid}";

/// The function, over its ports.
pub struct Function<S, P> {
    /// Accounts and credentials.
    pub store: S,
    /// Time and randomness.
    pub ports: P,
    /// Secret of the idempotency records.
    pub fingerprint_key: FingerprintKey,
}

impl<S, P> Endpoint for Function<S, P>
where
    S: AgencyAccountDeletions + Credentials + Sync,
    P: Clock + Entropy,
{
    type Dialect = Agency;

    const SAMPLE: &str = "tests/events/delete-agency-account/deleted.json";

    async fn handle(&self, request: &Incoming) -> Result<Answer, Failure<Refusal>> {
        let now = self.ports.now();
        let credential = agency::authenticate(request, &self.store, now).await?;
        let named = Named::<DeleteAgencyAccounts>::by(request, ROUTE, credential.as_ref())?;
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
        let deleted = delete(&self.store, &self.ports, &asked, &agency::done().kept()).await;
        let (stored, replayed) = deleted.map_err(|refusal| named.refused(refusal))?;
        Ok(Answer::stored(stored, replayed))
    }
}
