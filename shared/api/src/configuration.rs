//! What template.yaml tells a function through its environment.

use std::borrow::Cow;
use std::fmt;

use headcount_model::app_token::AppTokenLifetime;
use headcount_model::idempotency::FingerprintKey;
use headcount_model::identity::{PasswordPolicy, Retention};
use headcount_model::policy::{BillingPolicy, PolicyError};
use headcount_model::seats::Platforms;
use headcount_model::tiers::Tiers;
use secrecy::{ExposeSecret, SecretString};

/// The variable that names the secret of [`fingerprint_key`] in Secrets Manager.
pub const FINGERPRINT_SECRET: &str = "FINGERPRINT_SECRET_NAME";

/// A variable that is missing or makes no sense. The value is not told: it may be a secret.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Misconfigured {
    variable: &'static str,
    rule: Cow<'static, str>,
}

impl fmt::Display for Misconfigured {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "environment variable {} {}", self.variable, self.rule)
    }
}

impl std::error::Error for Misconfigured {}

fn wrong(variable: &'static str, rule: impl Into<Cow<'static, str>>) -> Misconfigured {
    Misconfigured { variable, rule: rule.into() }
}

/// A variable that must be set.
///
/// # Errors
/// [`Misconfigured`] when it is missing or empty.
pub fn required(variable: &'static str) -> Result<String, Misconfigured> {
    std::env::var(variable)
        .ok()
        .filter(|value| !value.is_empty())
        .ok_or(wrong(variable, "must be set"))
}

/// `TABLE_NAME`.
///
/// # Errors
/// [`Misconfigured`].
pub fn table_name() -> Result<String, Misconfigured> {
    required("TABLE_NAME")
}

/// The stack's secret for idempotency records, the text of the secret that the variable
/// [`FINGERPRINT_SECRET`] names.
///
/// # Errors
/// [`Misconfigured`] when it is too short.
pub fn fingerprint_key(secret: &SecretString) -> Result<FingerprintKey, Misconfigured> {
    FingerprintKey::new(secret.expose_secret().as_bytes())
        .map_err(|_| wrong(FINGERPRINT_SECRET, "must name a secret of at least 32 bytes"))
}

/// `PLATFORMS`: a comma-separated list.
///
/// # Errors
/// [`Misconfigured`].
pub fn platforms() -> Result<Platforms, Misconfigured> {
    Ok(Platforms::from_list(&required("PLATFORMS")?))
}

/// `TIERS`: what the tiers stand for, a JSON list. It is no secret: what is wrong with it is told.
///
/// # Errors
/// [`Misconfigured`].
pub fn tiers() -> Result<Tiers, Misconfigured> {
    serde_json::from_str(&required("TIERS")?)
        .map_err(|error| wrong("TIERS", format!("makes no sense: {error}")))
}

/// `BILLABLE_STATES` and `PAST_DUE_GRACE_DAYS`: which subscriptions take seats, and for how many days
/// one that is past due does.
///
/// # Errors
/// [`Misconfigured`].
pub fn billing_policy() -> Result<BillingPolicy, Misconfigured> {
    let (states, days) = (required("BILLABLE_STATES")?, required("PAST_DUE_GRACE_DAYS")?);
    let days = days.parse().map_err(|_| wrong("PAST_DUE_GRACE_DAYS", "must be 0 to 365"))?;
    BillingPolicy::new(&states, days).map_err(|error| match error {
        PolicyError::Grace => wrong("PAST_DUE_GRACE_DAYS", "must be 0 to 365"),
        other => wrong("BILLABLE_STATES", format!("makes no sense: {other}")),
    })
}

/// `PASSWORD_MIN_LENGTH`.
///
/// # Errors
/// [`Misconfigured`].
pub fn password_policy() -> Result<PasswordPolicy, Misconfigured> {
    required("PASSWORD_MIN_LENGTH")?
        .parse()
        .ok()
        .and_then(PasswordPolicy::new)
        .ok_or(wrong("PASSWORD_MIN_LENGTH", "must be 8 to 128"))
}

/// `RETENTION_DAYS`: for how many days the address of a deleted account is kept from others.
///
/// # Errors
/// [`Misconfigured`].
pub fn retention() -> Result<Retention, Misconfigured> {
    let days = required("RETENTION_DAYS")?.parse().ok();
    days.and_then(Retention::new).ok_or(wrong("RETENTION_DAYS", "must be 0 to 3650"))
}

/// `APP_TOKEN_DAYS`: for how many days a token of an app works.
///
/// # Errors
/// [`Misconfigured`].
pub fn app_token_lifetime() -> Result<AppTokenLifetime, Misconfigured> {
    let days = required("APP_TOKEN_DAYS")?.parse().ok();
    days.and_then(AppTokenLifetime::new).ok_or(wrong("APP_TOKEN_DAYS", "must be 1 to 3650"))
}

/// `SELF_SIGNUP`: whether anyone may create an identity account.
///
/// # Errors
/// [`Misconfigured`].
pub fn self_signup() -> Result<bool, Misconfigured> {
    match required("SELF_SIGNUP")?.as_str() {
        "on" => Ok(true),
        "off" => Ok(false),
        _ => Err(wrong("SELF_SIGNUP", "must be on or off")),
    }
}
