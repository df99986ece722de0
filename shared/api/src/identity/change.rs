//! Patches of accounts.

use headcount_model::fault::{Fault, Given};
use headcount_model::idempotency::StoredAnswer;
use headcount_model::identity::{
    AccountPatch, AccountPatchInput, ChangeRefusal, Changed, KeptAccount, PasswordPolicy,
    SettingsPatchInput,
};
use lambda_http::http::StatusCode;

use super::kept::etag;
use super::{AccountView, Refusal};
use crate::dialect::{Answer, Failure};
use crate::fields::Fields;
use crate::json::Object;

impl From<ChangeRefusal> for Failure<Refusal> {
    fn from(refusal: ChangeRefusal) -> Self {
        match refusal {
            ChangeRefusal::Missing => Failure::Refused(Refusal::NoSuchAccount),
            ChangeRefusal::VersionMismatch => Failure::Refused(Refusal::VersionMismatch),
            ChangeRefusal::Faults(faults) => Failure::Faults(faults),
            ChangeRefusal::EmailExists => Failure::Refused(Refusal::EmailLinked),
            ChangeRefusal::KeyReused => Failure::KeyReused,
            ChangeRefusal::Throttled => Failure::TooManyRequests,
            ChangeRefusal::Unavailable => Failure::Unavailable,
        }
    }
}

/// Reads the body of `PATCH /v1/account`.
///
/// # Errors
/// Every fault.
pub fn own_patch(body: Object, policy: PasswordPolicy) -> Result<AccountPatch, Vec<Fault>> {
    read(body, policy, true)
}

/// Reads the body of `PATCH /v1/accounts/{id}`.
///
/// # Errors
/// Every fault.
pub fn patch(body: Object, policy: PasswordPolicy) -> Result<AccountPatch, Vec<Fault>> {
    read(body, policy, false)
}

fn read(body: Object, policy: PasswordPolicy, is_own: bool) -> Result<AccountPatch, Vec<Fault>> {
    let mut faults = Vec::new();
    let mut fields = Fields::new(body);
    let input = AccountPatchInput {
        email: fields.text_if_there("email"),
        name: fields.text_if_there("name"),
        password: fields.text_if_there("password"),
        // Whoever changes an account of somebody does not know its password.
        current_password: if is_own { fields.text_if_there("current_password") } else { None },
        settings: fields.object_if_there("settings").map(|given| match given {
            Given::Absent => Given::Absent,
            Given::Wrong(kind) => Given::Wrong(kind),
            Given::Value(settings) => Given::Value(settings_input(settings, &mut faults)),
        }),
        // Nobody suspends or reinstates the own account.
        status: if is_own { None } else { fields.text_if_there("status") },
        is_own,
    };
    fields.refuse_rest(&mut faults);
    AccountPatch::parse(input, policy, faults)
}

fn settings_input(settings: Object, faults: &mut Vec<Fault>) -> SettingsPatchInput {
    let mut fields = Fields::nested("settings.", settings);
    let input = SettingsPatchInput {
        currency: fields.text_if_there("currency"),
        timezone: fields.text_if_there("timezone"),
        language: fields.text_if_there("language"),
    };
    fields.refuse_rest(faults);
    input
}

/// The whole account, as the answer to a change is kept for retries.
pub fn whole(account: &KeptAccount) -> StoredAnswer {
    answer(account).kept()
}

/// The answer to a change.
pub fn changed(changed: Changed) -> Answer {
    match changed {
        Changed::Now(account) => answer(&account),
        Changed::Before(stored) => Answer::stored(stored, true),
    }
}

fn answer(account: &KeptAccount) -> Answer {
    Answer::new(StatusCode::OK, &AccountView::from(account)).tagged(etag(account))
}
