//! The Stripe API key. It is read when the process starts and lives in its memory only: not in
//! the template, the environment or the table.

use aws_sdk_secretsmanager::Client;
use secrecy::SecretString;

/// Reads the secret named `name`: the bare key, or a JSON object with the member `api_key`.
///
/// # Errors
/// When it cannot be read. The error does not hold the secret.
pub async fn stripe_api_key(name: &str) -> Result<SecretString, lambda_runtime::Error> {
    let config = aws_config::load_from_env().await;
    let output = Client::new(&config)
        .get_secret_value()
        .secret_id(name)
        .send()
        .await
        .map_err(|error| {
            let cause = aws_sdk_secretsmanager::error::DisplayErrorContext(&error).to_string();
            format!("the Stripe API key cannot be read: {cause}")
        })?;
    let text = output
        .secret_string
        .ok_or("the secret of the Stripe API key has no text")?;
    let in_object = serde_json::from_str::<serde_json::Value>(&text)
        .ok()
        .and_then(|object| object["api_key"].as_str().map(str::to_owned));
    Ok(in_object.unwrap_or(text).into())
}
