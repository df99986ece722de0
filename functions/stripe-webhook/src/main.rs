//! Wiring of [`stripe_webhook`].

use headcount_billing::configuration;
use headcount_model::port::System;
use stripe_webhook::Function;

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), lambda_http::Error> {
    lambda_http::tracing::init_default_subscriber();
    let ledger = headcount_store::connect(&configuration::required("TABLE_NAME")?).await;
    let stripe = configuration::stripe().await?;
    let signatures = configuration::signature_check().await?;
    headcount_api::serve(Function { ledger, stripe, signatures, ports: System }).await
}
