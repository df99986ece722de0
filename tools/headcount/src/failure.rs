//! What went wrong, and what to do about it.

use std::fmt;
use std::io;
use std::process::ExitCode;

use headcount_billing::StripeFailure;
use headcount_model::port::NoEntropy;
use headcount_store::ProvisionError;

/// Why a command was not carried out, in words for the operator.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Failure {
    what: String,
    to_do: Option<String>,
    code: u8,
}

impl Failure {
    /// Something failed.
    pub(crate) fn new(what: impl Into<String>) -> Self {
        Self { what: what.into(), to_do: None, code: 1 }
    }

    /// The arguments or the environment make no sense.
    pub(crate) fn usage(what: impl Into<String>) -> Self {
        Self { code: 2, ..Self::new(what) }
    }

    /// The result could not be written to standard output.
    pub(crate) fn unwritten(error: io::Error) -> Self {
        Self::new(format!("done, but the result could not be written: {error}"))
    }

    /// Says what to do instead of what was said before.
    #[must_use]
    pub(crate) fn advise(self, to_do: impl Into<String>) -> Self {
        Self { to_do: Some(to_do.into()), ..self }
    }

    /// Says what was done before.
    #[must_use]
    pub(crate) fn preceded_by(self, done: &str) -> Self {
        Self { what: format!("{done}{}", self.what), ..self }
    }

    /// What the process ends with.
    pub(crate) fn exit_code(&self) -> ExitCode {
        ExitCode::from(self.code)
    }
}

impl fmt::Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.what)?;
        match &self.to_do {
            Some(to_do) => write!(f, "\n{to_do}"),
            None => Ok(()),
        }
    }
}

impl From<ProvisionError> for Failure {
    fn from(error: ProvisionError) -> Self {
        let failure = Self::new(error.to_string());
        match error {
            ProvisionError::Unavailable => failure.advise(
                "The cause is above. Check --table, AWS_REGION, AWS_ENDPOINT_URL and the AWS \
                 credentials, then repeat the command.",
            ),
            ProvisionError::NoSuch(_) => {
                failure.advise("Check the id, and that --table names the stack that has it.")
            }
            ProvisionError::Contended => failure.advise("Nothing was changed. Repeat the command."),
            ProvisionError::Exists(_)
            | ProvisionError::OtherSubscription
            | ProvisionError::TooDeep => failure.advise("Nothing was changed."),
        }
    }
}

impl From<StripeFailure> for Failure {
    fn from(error: StripeFailure) -> Self {
        match error {
            StripeFailure::Transient(told) => {
                Self::new(told).advise("Check --stripe-api-base, then repeat the command.")
            }
            StripeFailure::Stored(told) => Self::new(told)
                .advise("Look at https://status.stripe.com, then repeat the command."),
            StripeFailure::Permanent(error) => {
                let failure =
                    Self::new(format!("Stripe refused ({}): {}", error.code, error.message));
                failure.advise(
                    "Check that STRIPE_API_KEY is a secret key of the right account and mode, \
                     and what the command names.",
                )
            }
        }
    }
}

impl From<NoEntropy> for Failure {
    fn from(error: NoEntropy) -> Self {
        Self::new(error.to_string())
    }
}

#[cfg(test)]
mod tests {
    use headcount_model::billing::BillingError;

    use super::*;

    #[test]
    fn a_failure_says_what_happened_and_what_to_do() {
        let refused = StripeFailure::Permanent(BillingError {
            code: "subscription_missing".to_owned(),
            message: "No such subscription: 'sub_1'".to_owned(),
            request_id: None,
        });
        let text = Failure::from(refused).to_string();
        let (what, to_do) = text.split_once('\n').expect("two lines");
        assert_eq!(what, "Stripe refused (subscription_missing): No such subscription: 'sub_1'");
        assert!(to_do.contains("STRIPE_API_KEY"));
    }

    #[test]
    fn only_usage_ends_with_two() {
        assert_eq!(Failure::usage("x").code, 2);
        assert_eq!(Failure::from(ProvisionError::Unavailable).code, 1);
        assert_eq!(Failure::usage("x").advise("y").code, 2);
    }
}
