//! Secrets of Secrets Manager that the environment names.

use std::time::Duration;

use aws_config::SdkConfig;
use aws_config::timeout::TimeoutConfig;
use aws_sdk_secretsmanager::Client;
use aws_sdk_secretsmanager::error::DisplayErrorContext;
use secrecy::{ExposeSecret, SecretString};

use crate::configuration::{Misconfigured, required};
use crate::follow::Unanswered;
use crate::rotation::SigningSecretSource;
use crate::webhook::SigningSecrets;

/// How long one reading, with the SDK's retries, may take: the SDK itself waits for ever.
const CALL_BUDGET: Duration = Duration::from_secs(8);
/// How long one attempt may take.
const ATTEMPT_BUDGET: Duration = Duration::from_secs(3);

/// A secret, read anew each time.
#[derive(Debug, Clone)]
pub struct NamedSecret {
    client: Client,
    variable: &'static str,
    name: String,
}

impl NamedSecret {
    /// The secret that a variable names.
    ///
    /// # Errors
    /// When the variable is missing.
    pub(crate) fn of(aws: &SdkConfig, variable: &'static str) -> Result<Self, Misconfigured> {
        let name = required(variable)?;
        let budgets = TimeoutConfig::builder()
            .operation_attempt_timeout(ATTEMPT_BUDGET)
            .operation_timeout(CALL_BUDGET)
            .build();
        let config =
            aws_sdk_secretsmanager::config::Builder::from(aws).timeout_config(budgets).build();
        Ok(Self { client: Client::from_conf(config), variable, name })
    }

    /// Its text as it is now.
    ///
    /// # Errors
    /// When it cannot be read or has none.
    pub(crate) async fn text(&self) -> Result<SecretString, Misconfigured> {
        let variable = self.variable;
        let read = self.client.get_secret_value().secret_id(&self.name).send().await;
        let output = read.map_err(|error| {
            let cause = DisplayErrorContext(&error).to_string();
            Misconfigured(format!("the secret of {variable} cannot be read: {cause}"))
        })?;
        let no_text = || Misconfigured(format!("the secret of {variable} has no text"));
        Ok(output.secret_string.ok_or_else(no_text)?.trim().into())
    }
}

impl SigningSecretSource for NamedSecret {
    async fn read(&self) -> Result<SigningSecrets, Unanswered> {
        let text = self.text().await.map_err(|error| Unanswered(error.to_string()))?;
        SigningSecrets::parse(text.expose_secret())
            .map_err(|error| Unanswered(format!("the secret of {}: {error}", self.variable)))
    }
}
