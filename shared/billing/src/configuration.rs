//! What template.yaml tells a function that works with Stripe through its environment. The Stripe
//! API key is not in it: it lives in the memory of the process only.

use std::fmt;

use headcount_model::tiers::Tiers;
use secrecy::SecretString;

use crate::apply::Prices;
use crate::stripe::Stripe;

/// Why a function cannot start. Never holds the text of a secret.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Misconfigured(pub(crate) String);

impl fmt::Display for Misconfigured {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl std::error::Error for Misconfigured {}

/// A variable that must be set.
///
/// # Errors
/// When it is missing.
pub fn required(variable: &str) -> Result<String, Misconfigured> {
    std::env::var(variable).map_err(|_| Misconfigured(format!("{variable} must be set")))
}

/// `TIERS`: what the tiers stand for, a JSON list.
///
/// # Errors
/// When the variable is missing or its text makes no sense; the reason is told.
pub fn tiers() -> Result<Tiers, Misconfigured> {
    let text = required("TIERS")?;
    serde_json::from_str(&text).map_err(|error| Misconfigured(format!("TIERS: {error}")))
}

/// The prices in `TIERS`. One that is missing there is no reason not to start: it becomes an
/// error on the record of each organization that needs it.
///
/// # Errors
/// As [`tiers`].
pub fn prices() -> Result<Prices, Misconfigured> {
    tiers().map(|tiers| Prices::from(&tiers))
}

/// Where Stripe's API answers unless `STRIPE_API_BASE` is set, which template.yaml never does: no
/// stack can be made to send the API key elsewhere. The local run sets it around the functions.
const STRIPE_API_BASE: &str = "https://api.stripe.com";

/// A client of Stripe with an API key.
///
/// # Errors
/// When TLS does not start.
pub fn stripe(api_key: SecretString) -> Result<Stripe, Misconfigured> {
    let base = std::env::var("STRIPE_API_BASE").unwrap_or_else(|_| STRIPE_API_BASE.to_owned());
    Stripe::new(&base, api_key)
        .map_err(|error| Misconfigured(format!("the client of Stripe does not start: {error}")))
}
