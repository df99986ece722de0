//! Wiring of [`stripe_webhook`].

use headcount_billing::configuration::{self, required};
use headcount_model::port::System;
use stripe_webhook::Function;

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), lambda_http::Error> {
    let aws = headcount_platform::start().await?;
    let ledger = headcount_store::connect(aws.config(), &required("TABLE_NAME")?);
    let stripe = configuration::stripe(aws.config()).await?;
    let signatures = configuration::signature_check(aws.config())?;
    headcount_api::serve(Function { ledger, stripe, signatures, ports: System }).await
}
