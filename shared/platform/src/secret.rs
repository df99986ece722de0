//! Secrets of Secrets Manager that the environment names.

use std::fmt;
use std::time::Duration;

use aws_config::timeout::TimeoutConfig;
use aws_sdk_secretsmanager::Client;
use aws_sdk_secretsmanager::error::DisplayErrorContext;
use secrecy::SecretString;

use crate::aws::Aws;

/// How long one reading, with the SDK's retries, may take: the SDK itself waits for ever.
const CALL_BUDGET: Duration = Duration::from_secs(8);
/// How long one attempt may take.
const ATTEMPT_BUDGET: Duration = Duration::from_secs(3);

/// Why a secret cannot be read. Never holds its text.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct UnreadableSecret {
    variable: &'static str,
    cause: String,
}

impl fmt::Display for UnreadableSecret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "the secret of {} {}", self.variable, self.cause)
    }
}

impl std::error::Error for UnreadableSecret {}

/// A secret, read anew each time.
#[derive(Debug, Clone)]
pub struct NamedSecret {
    client: Client,
    variable: &'static str,
    name: String,
}

impl NamedSecret {
    /// Its text as it is now, without white space around it.
    ///
    /// # Errors
    /// When it cannot be read or has none.
    pub async fn text(&self) -> Result<SecretString, UnreadableSecret> {
        let unreadable = |cause| UnreadableSecret { variable: self.variable, cause };
        let read = self.client.get_secret_value().secret_id(&self.name).send().await;
        let output = read.map_err(|error| {
            unreadable(format!("cannot be read: {}", DisplayErrorContext(&error)))
        })?;
        let text = output.secret_string.ok_or_else(|| unreadable("has no text".to_owned()))?;
        Ok(text.trim().into())
    }
}

impl Aws {
    /// The secret that a variable names, to be read when it is needed.
    ///
    /// # Errors
    /// When the variable is missing.
    pub fn named_secret(&self, variable: &'static str) -> Result<NamedSecret, UnreadableSecret> {
        let name = std::env::var(variable).map_err(|_| UnreadableSecret {
            variable,
            cause: "has no name: the variable must be set".to_owned(),
        })?;
        let budgets = TimeoutConfig::builder()
            .operation_attempt_timeout(ATTEMPT_BUDGET)
            .operation_timeout(CALL_BUDGET)
            .build();
        let config = aws_sdk_secretsmanager::config::Builder::from(self.config());
        let client = Client::from_conf(config.timeout_config(budgets).build());
        Ok(NamedSecret { client, variable, name })
    }

    /// The text of the secret that a variable names.
    ///
    /// # Errors
    /// When the variable is missing or the secret cannot be read.
    pub async fn secret(&self, variable: &'static str) -> Result<SecretString, UnreadableSecret> {
        self.named_secret(variable)?.text().await
    }

    /// The text of the secret that a variable names, and meanwhile [`Aws::open`]: the start waits
    /// for the longer of the two.
    ///
    /// # Errors
    /// As [`Aws::secret`].
    pub async fn open_and_read(
        &self,
        url: Option<String>,
        variable: &'static str,
    ) -> Result<SecretString, UnreadableSecret> {
        tokio::join!(self.open(url), self.secret(variable)).1
    }
}
