//! Accounts as they are shown after their creation.

use headcount_model::credential::Credential;
use headcount_model::grant::{EveryAccount, Grant, NotGranted, Right};
use headcount_model::id::{AccountId, seconds};
use headcount_model::identity::{KeptAccount, ListedAccount};
use lambda_http::http::StatusCode;

use super::{AccountView, Refusal, SettingsView};
use crate::dialect::{Answer, Failure};
use crate::incoming::Incoming;

/// A view of each kind of account that has what is shown.
macro_rules! shown_of {
    ($($kind:ty),+) => {$(
        impl<'a> From<&'a $kind> for AccountView<'a> {
            fn from(account: &'a $kind) -> Self {
                Self {
                    id: account.id.as_str(),
                    email: account.email.as_typed(),
                    name: &account.name,
                    kind: account.kind.as_str(),
                    status: account.status.as_str(),
                    created_at: seconds(account.created_at),
                    updated_at: seconds(account.updated_at),
                    settings: SettingsView {
                        currency: &account.currency,
                        timezone: &account.timezone,
                        language: &account.language,
                    },
                }
            }
        }
    )+};
}

shown_of!(KeptAccount, ListedAccount);

/// What an administrator's credential allows.
///
/// # Errors
/// [`Failure::Unauthorized`] without one, [`Refusal::Lacking`] for one that does not allow it.
pub fn grant<R: Right<Of = EveryAccount>>(
    credential: Option<&Credential>,
) -> Result<Grant<'_, R>, Failure<Refusal>> {
    let credential = credential.ok_or(Failure::Unauthorized)?;
    credential.grant().map_err(|not| match not {
        NotGranted::Foreign => Failure::Unauthorized,
        NotGranted::Lacking => Failure::Refused(Refusal::Lacking(R::ONE_OF)),
    })
}

/// An account that an administrator names in the path, and may do something with.
pub struct NamedAccount<'c, R: Right> {
    /// What may be done.
    pub granted: Grant<'c, R>,
    /// With which account.
    pub id: AccountId,
}

impl<'c, R: Right<Of = EveryAccount>> NamedAccount<'c, R> {
    /// Reads the path of a request on `route`.
    ///
    /// # Errors
    /// As [`grant`]; [`Refusal::NoSuchAccount`] for what is no id.
    pub fn by(
        request: &Incoming,
        route: &str,
        credential: Option<&'c Credential>,
    ) -> Result<Self, Failure<Refusal>> {
        let granted = grant(credential)?;
        let id = request.path_parameter(route).and_then(|id| AccountId::parse(id).ok());
        let id = id.ok_or(Failure::Refused(Refusal::NoSuchAccount))?;
        Ok(Self { granted, id })
    }
}

/// The entity tag of an account: its version, in quotes.
pub(super) fn etag(account: &KeptAccount) -> String {
    format!("\"{}\"", account.version)
}

/// Whether `If-Match`, where there is one, names the version of an account.
pub fn is_meant(request: &Incoming, account: &KeptAccount) -> bool {
    !request.means_another(&etag(account))
}

/// The whole account, or that the caller has it already.
pub fn shown(request: &Incoming, account: &KeptAccount) -> Answer {
    let etag = etag(account);
    if request.has_already(&etag) {
        return Answer::not_modified(etag);
    }
    Answer::new(StatusCode::OK, &AccountView::from(account)).tagged(etag)
}
