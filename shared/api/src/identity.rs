//! The Identity API (CONTRACT section 3): `{"error":…,"message":…}`.

pub(crate) mod change;
pub(crate) mod close;
pub(crate) mod kept;
pub(crate) mod list;
pub(crate) mod session;

use headcount_model::credential::Permission;
use headcount_model::fault::{Fault, Given};
use headcount_model::id::seconds;
use headcount_model::idempotency::StoredAnswer;
use headcount_model::identity::{
    Account, AccountInput, AccountStatus, CommitRefusal, NewAccount, PasswordPolicy, SettingsInput,
};
use lambda_http::http::StatusCode;
use serde::Serialize;

use crate::dialect::{Answer, Dialect, Failure};
use crate::fields::Fields;
use crate::json::Object;
#[cfg(feature = "openapi")]
use crate::schema;
use crate::wording;

pub use change::{changed, own_patch, patch, whole};
pub use close::closed;
pub use kept::{NamedAccount, grant, is_meant, shown};
pub use list::{ACCOUNTS_ROUTE, MAX_PAGE, accounts, list_accounts, sessions};
pub use session::{
    Caller, admit, caller, end_session, ended, log_in, logged_in, refresh, refreshed, session,
};

/// The dialect of the Identity API.
pub struct Identity;

/// What the Identity API refuses.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Refusal {
    /// The credential is good and lacks the permission named.
    Forbidden(&'static str),
    /// Another account has this address.
    EmailExists,
    /// Nobody is logged in by this address and password.
    InvalidCredentials,
    /// Too many attempts to log in at this address; the next may be made after so many seconds.
    TooManyAttempts(u32),
    /// The session is good, and its account is not to be used.
    NotActive,
    /// The account has no such session.
    NoSuchSession,
    /// The credential is good and has none of these permissions. Unlike [`Refusal::Forbidden`], which
    /// create alone has, it is told as the pages of the other endpoints have it.
    Lacking(&'static [Permission]),
    /// There is no such account.
    NoSuchAccount,
    /// The caller means another version of the account.
    VersionMismatch,
    /// The address that the account is to have is another one's.
    EmailLinked,
}

impl From<CommitRefusal> for Failure<Refusal> {
    fn from(refusal: CommitRefusal) -> Self {
        match refusal {
            CommitRefusal::EmailExists => Failure::Refused(Refusal::EmailExists),
            CommitRefusal::KeyReused => Failure::KeyReused,
            CommitRefusal::Throttled => Failure::TooManyRequests,
            CommitRefusal::Unavailable => Failure::Unavailable,
        }
    }
}

/// Reads the body of `POST /v1/accounts`.
///
/// # Errors
/// Every fault.
pub fn create_account(body: Object, policy: PasswordPolicy) -> Result<NewAccount, Vec<Fault>> {
    let mut faults = Vec::new();
    let mut fields = Fields::new(body);
    let input = AccountInput {
        email: fields.text("email"),
        name: fields.text("name"),
        kind: fields.text("type"),
        password: fields.text("password"),
        settings: match fields.object("settings") {
            Given::Absent => Given::Absent,
            Given::Wrong(kind) => Given::Wrong(kind),
            Given::Value(settings) => Given::Value(settings_input(settings, &mut faults)),
        },
    };
    fields.refuse_rest(&mut faults);
    NewAccount::parse(input, policy, faults)
}

fn settings_input(settings: Object, faults: &mut Vec<Fault>) -> SettingsInput {
    let mut fields = Fields::nested("settings.", settings);
    let input = SettingsInput {
        currency: fields.text("currency"),
        timezone: fields.text("timezone"),
        language: fields.text("language"),
    };
    fields.refuse_rest(faults);
    input
}

/// An account as the caller sees it. The password is no part of it, nor is its hash.
#[derive(Serialize)]
#[cfg_attr(feature = "openapi", derive(schemars::JsonSchema))]
pub(crate) struct AccountView<'a> {
    /// Names the account.
    #[cfg_attr(feature = "openapi", schemars(schema_with = "schema::account_id"))]
    id: &'a str,
    /// The address as typed, trimmed.
    email: &'a str,
    /// The account's name, trimmed.
    name: &'a str,
    /// Whose account it is.
    #[serde(rename = "type")]
    #[cfg_attr(feature = "openapi", schemars(schema_with = "schema::account_kind"))]
    kind: &'a str,
    #[cfg_attr(feature = "openapi", schemars(schema_with = "schema::account_status"))]
    status: &'a str,
    /// UTC, whole seconds.
    #[cfg_attr(feature = "openapi", schemars(schema_with = "schema::time"))]
    created_at: String,
    /// UTC, whole seconds; at first that of the creation.
    #[cfg_attr(feature = "openapi", schemars(schema_with = "schema::time"))]
    updated_at: String,
    settings: SettingsView<'a>,
}

/// Preferences, defaults filled in.
#[derive(Serialize)]
#[cfg_attr(feature = "openapi", derive(schemars::JsonSchema), schemars(rename = "AccountSettings"))]
struct SettingsView<'a> {
    /// ISO 4217.
    currency: &'a str,
    /// A time zone of the IANA database.
    timezone: &'a str,
    /// BCP 47.
    language: &'a str,
}

impl<'a> From<&'a Account> for AccountView<'a> {
    fn from(account: &'a Account) -> Self {
        let created_at = seconds(account.created_at);
        Self {
            id: account.id.as_str(),
            email: account.email.as_typed(),
            name: account.name.as_str(),
            kind: account.kind.as_str(),
            status: AccountStatus::Active.as_str(),
            updated_at: created_at.clone(),
            created_at,
            settings: SettingsView {
                currency: account.settings.currency.as_str(),
                timezone: account.settings.timezone.as_str(),
                language: account.settings.language.as_str(),
            },
        }
    }
}

/// The answer to a creation.
pub fn created(account: &Account) -> StoredAnswer {
    StoredAnswer {
        status: 201,
        location: Some(format!("/v1/accounts/{}", account.id)),
        body: serde_json::to_string(&AccountView::from(account)).unwrap_or_default(),
    }
}

#[derive(Serialize)]
#[cfg_attr(feature = "openapi", derive(schemars::JsonSchema))]
pub(crate) struct ErrorBody {
    /// The stable code. Match on this one.
    error: &'static str,
    /// A sentence for a person. It may change.
    message: String,
    /// What is wrong with which field, where fields are the cause.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    details: Vec<FaultView>,
}

#[derive(Serialize)]
#[cfg_attr(feature = "openapi", derive(schemars::JsonSchema), schemars(rename = "IdentityFault"))]
struct FaultView {
    /// The field, dotted when nested: `settings.timezone`.
    field: String,
    /// The stable code of the rule that it breaks.
    rule: &'static str,
    /// A sentence for a person. It may change.
    message: String,
}

impl From<&Fault> for FaultView {
    fn from(fault: &Fault) -> Self {
        Self {
            field: fault.field.clone().into_owned(),
            rule: wording::code(&fault.rule),
            message: wording::sentence(&fault.field, &fault.rule),
        }
    }
}

fn error(status: StatusCode, error: &'static str, message: impl Into<String>) -> Answer {
    Answer::new(status, &ErrorBody { error, message: message.into(), details: Vec::new() })
}

impl Dialect for Identity {
    type Refusal = Refusal;

    fn word(failure: Failure<Refusal>) -> Answer {
        match failure {
            Failure::Transport(transport) => {
                error(transport.status(), wording::transport_code(&transport), transport.message())
            }
            Failure::Faults(faults) => Answer::new(
                StatusCode::BAD_REQUEST,
                &ErrorBody {
                    error: "invalid_request",
                    message: match faults.as_slice() {
                        [only] => wording::located(only),
                        _ => format!("The request has {} faults; see details.", faults.len()),
                    },
                    details: faults.iter().map(FaultView::from).collect(),
                },
            ),
            Failure::Unauthorized => {
                error(StatusCode::UNAUTHORIZED, "unauthorized", "A valid access token is required.")
            }
            Failure::KeyReused => error(
                StatusCode::UNPROCESSABLE_ENTITY,
                "idempotency_key_reused",
                wording::KEY_REUSED,
            ),
            Failure::TooManyRequests => {
                error(StatusCode::TOO_MANY_REQUESTS, "rate_limited", wording::TOO_MANY_REQUESTS)
                    .retry_soon()
            }
            Failure::Unavailable => {
                error(StatusCode::SERVICE_UNAVAILABLE, "service_unavailable", wording::UNAVAILABLE)
                    .retry_soon()
            }
            Failure::Refused(Refusal::Forbidden(permission)) => error(
                StatusCode::FORBIDDEN,
                "unauthorized",
                format!("This access token lacks the permission {permission}."),
            ),
            Failure::Refused(Refusal::EmailExists) => error(
                StatusCode::CONFLICT,
                "email_exists",
                "An account with this email already exists.",
            ),
            // One answer, whether there is such an account, what its password is and how it stands.
            Failure::Refused(Refusal::InvalidCredentials) => error(
                StatusCode::UNAUTHORIZED,
                "invalid_credentials",
                "The email or the password is wrong.",
            ),
            Failure::Refused(Refusal::TooManyAttempts(seconds)) => error(
                StatusCode::TOO_MANY_REQUESTS,
                "too_many_attempts",
                format!("Too many attempts to log in with this email: try again in {seconds} s."),
            )
            .retry_in(seconds),
            Failure::Refused(Refusal::NotActive) => error(
                StatusCode::FORBIDDEN,
                "forbidden",
                "This account may not be used at present.",
            ),
            Failure::Refused(Refusal::NoSuchSession) => {
                error(StatusCode::NOT_FOUND, "not_found", "This account has no such session.")
            }
            Failure::Refused(Refusal::Lacking(one_of)) => error(
                StatusCode::FORBIDDEN,
                "forbidden",
                // The first is the endpoint's own; the others include it.
                one_of.first().map_or_else(String::new, |own| {
                    format!("This access token lacks the permission {}.", own.as_str())
                }),
            ),
            Failure::Refused(Refusal::NoSuchAccount) => {
                error(StatusCode::NOT_FOUND, "not_found", "There is no such account.")
            }
            Failure::Refused(Refusal::VersionMismatch) => error(
                StatusCode::PRECONDITION_FAILED,
                "version_mismatch",
                "The account has been changed: If-Match does not name its version.",
            ),
            Failure::Refused(Refusal::EmailLinked) => error(
                StatusCode::CONFLICT,
                "email_exists",
                "This email is already linked to another account.",
            ),
        }
    }
}
