//! Accounts as they are shown after their creation.

use headcount_model::id::seconds;
use headcount_model::identity::KeptAccount;
use lambda_http::http::StatusCode;

use super::{AccountView, SettingsView};
use crate::dialect::Answer;
use crate::incoming::Incoming;

impl<'a> From<&'a KeptAccount> for AccountView<'a> {
    fn from(account: &'a KeptAccount) -> Self {
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

/// The entity tag of an account: its version, in quotes.
fn etag(account: &KeptAccount) -> String {
    format!("\"{}\"", account.version)
}

/// The whole account, or that the caller has it already.
pub fn shown(request: &Incoming, account: &KeptAccount) -> Answer {
    let etag = etag(account);
    if request.has_already(&etag) {
        return Answer::not_modified(etag);
    }
    Answer::new(StatusCode::OK, &AccountView::from(account)).tagged(etag)
}
