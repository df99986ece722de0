//! `POST /api/v3/accounts`: an app creates an account in an agency (CONTRACT section 2).

use headcount_api::agency::{self, AccountBody, Agency, Refusal};
use headcount_api::{Answer, Endpoint, Failure, Incoming};
use headcount_model::agency::{AgencyAccount, AgencyAccounts, AgencySettings, create};
use headcount_model::audit;
use headcount_model::credential::{AgencyDirectory, Credential, Holder};
use headcount_model::id::{AgencyAccountLcuid, AgencyLcuid};
use headcount_model::idempotency::FingerprintKey;
use headcount_model::port::{Clock, Entropy};
use headcount_model::right::CreateAgencyAccounts;

const ROUTE: &str = audit::CREATE_AGENCY_ACCOUNT;

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
    S: AgencyAccounts + AgencyDirectory + Sync,
    P: Clock + Entropy,
{
    type Dialect = Agency;

    const SAMPLE: &str = "tests/events/create-agency-account/created.json";

    async fn handle(&self, request: &Incoming) -> Result<Answer, Failure<Refusal>> {
        let now = self.ports.now();
        // The body is read before the caller is known, because it names the agency, which is
        // looked up together with the credential. What is wrong with it is told afterwards.
        let body = request.json().map(AccountBody::from);
        let named = body.as_ref().ok().and_then(AccountBody::agency);
        let (credential, found) = self.look_up(request, named).await?;
        let Holder::App { app, agency } = &credential.holder else {
            return Err(Failure::Unauthorized);
        };
        if agency::app_of(request)? != *app {
            return Err(Failure::Refused(Refusal::ForeignApp));
        }
        let settings = match named {
            Some(named) => Some(authorized(&credential, named, found)?),
            None => None,
        };
        let account = body?.check()?;
        // Without an agency the check has failed.
        let settings = settings.ok_or(Failure::Unavailable)?;

        let keyed = request.keyed(app.as_str(), ROUTE, &self.fingerprint_key, now)?;
        let account = AgencyAccount {
            lcuid: AgencyAccountLcuid::new(&self.ports)?,
            agency: agency.clone(),
            new: account,
            is_parent_account: false,
            created_by: Some(audit::created_by(Some(&credential.id), request.request_id())),
            created_at: now,
        };
        let (stored, replayed) =
            create(&self.store, &self.ports, &account, keyed.as_ref(), |account, slug| {
                agency::created(account, slug, &settings)
            })
            .await?;
        Ok(Answer::stored(stored, replayed))
    }
}

impl<S, P> Function<S, P>
where
    S: AgencyDirectory + Sync,
    P: Clock + Entropy,
{
    /// The caller's credential, and the settings of the agency that the body names, in one
    /// look-up.
    async fn look_up(
        &self,
        request: &Incoming,
        named: Option<&str>,
    ) -> Result<(Credential, Option<AgencySettings>), Failure<Refusal>> {
        let presented = request.presented_to_agency().ok_or(Failure::Unauthorized)?;
        let lcuid = named.and_then(|named| AgencyLcuid::parse(named.trim()).ok());
        let (kept, settings) = self.store.credential_and_agency(&presented, lcuid.as_ref()).await?;
        let credential = presented.verify(kept, self.ports.now()).ok_or(Failure::Unauthorized)?;
        Ok((credential, settings))
    }
}

/// The settings of the agency, when the credential may create accounts in it. An agency that
/// does not exist and one of somebody else are refused in the same words.
fn authorized(
    credential: &Credential,
    named: &str,
    settings: Option<AgencySettings>,
) -> Result<AgencySettings, Failure<Refusal>> {
    let granted = agency::grant::<CreateAgencyAccounts>(credential, named)?;
    let is_own = AgencyLcuid::parse(named.trim()).as_ref() == Ok(granted.tenant().agency);
    settings.filter(|_| is_own).ok_or_else(|| agency::forbidden::<CreateAgencyAccounts>(named))
}
