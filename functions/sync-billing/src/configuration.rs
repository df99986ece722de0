//! What template.yaml tells the function through its environment, and the Stripe API key.

use aws_sdk_secretsmanager::Client;
use aws_sdk_secretsmanager::error::DisplayErrorContext;
use headcount_billing::Prices;
use headcount_billing::stripe::Stripe;
use lambda_runtime::Error;
use secrecy::SecretString;

/// A variable that must be set.
///
/// # Errors
/// When it is missing.
pub fn required(variable: &str) -> Result<String, Error> {
    std::env::var(variable).map_err(|_| format!("{variable} must be set").into())
}

/// `STRIPE_PRICE_BASIC` and `STRIPE_PRICE_PREMIUM`. A missing price is no reason not to start:
/// it becomes an error on the record of each organization that needs it.
pub fn prices() -> Prices {
    let price = |variable| std::env::var(variable).ok().filter(|id| !id.is_empty());
    Prices { basic: price("STRIPE_PRICE_BASIC"), premium: price("STRIPE_PRICE_PREMIUM") }
}

/// A client of `STRIPE_API_BASE` with the API key in the secret that `STRIPE_SECRET_NAME` names.
///
/// # Errors
/// When a variable is missing or the secret cannot be read.
pub async fn stripe() -> Result<Stripe, Error> {
    let key = api_key(&required("STRIPE_SECRET_NAME")?).await?;
    Ok(Stripe::new(&required("STRIPE_API_BASE")?, key)?)
}

/// Reads the key when the process starts. It lives in the memory of the process only: not in
/// the template, the environment or the table.
async fn api_key(secret: &str) -> Result<SecretString, Error> {
    let config = aws_config::load_from_env().await;
    let read = Client::new(&config).get_secret_value().secret_id(secret).send().await;
    let output = read.map_err(|error| {
        let cause = DisplayErrorContext(&error).to_string();
        format!("the Stripe API key cannot be read: {cause}")
    })?;
    let text = output.secret_string.ok_or("the secret of the Stripe API key has no text")?;
    Ok(text.trim().into())
}
