//! Wiring of [`stripe_webhook`].
use headcount_billing::configuration::{self, required};
use headcount_billing::rotation::SignatureCheck;
use headcount_model::port::System;
use stripe_webhook::{Function, Kept};

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), lambda_http::Error> {
    let aws = headcount_platform::start().await?;
    let ledger = headcount_store::connect(aws.config(), &required("TABLE_NAME")?);
    let stripe = configuration::stripe(aws.secret("STRIPE_SECRET_NAME").await?)?;
    let signatures = SignatureCheck::new(Kept(aws.named_secret("STRIPE_WEBHOOK_SECRET_NAME")?));
    headcount_api::serve(Function { ledger, stripe, signatures, ports: System }).await
}
