//! What template.yaml tells the function through its environment.

use std::num::NonZeroU32;

use headcount_billing::configuration::{required, stripe, tiers};
use headcount_billing::stripe::Stripe;
use headcount_model::port::System;
use headcount_platform::Aws;
use headcount_store::Table;
use lambda_runtime::Error;

use crate::{AwsQueue, Function, LogFindings};

/// The function of a stack.
///
/// # Errors
/// When a variable is missing or makes no sense, or the Stripe API key cannot be read.
pub async fn function(
    aws: &Aws,
) -> Result<Function<Table, Stripe, AwsQueue, LogFindings, System>, Error> {
    Ok(Function {
        ledger: headcount_store::connect(aws.config(), &required("TABLE_NAME")?),
        stripe: stripe(aws.secret("STRIPE_SECRET_NAME").await?)?,
        queue: AwsQueue::connect(aws.config(), required("BILLING_QUEUE_URL")?),
        findings: LogFindings,
        tiers: tiers()?,
        reads_per_second: reads_per_second(&required("STRIPE_READS_PER_SECOND")?)?,
        ports: System,
    })
}

fn reads_per_second(text: &str) -> Result<NonZeroU32, Error> {
    text.parse().map_err(|_| "STRIPE_READS_PER_SECOND must be a whole number above 0".into())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_rate_of_nothing_is_refused() {
        assert_eq!(reads_per_second("15").map(NonZeroU32::get).ok(), Some(15));
        for text in ["", "0", "-1", "1.5", "many"] {
            assert!(reads_per_second(text).is_err(), "{text}");
        }
    }
}
