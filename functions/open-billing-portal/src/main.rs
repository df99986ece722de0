//! Wiring of [`open_billing_portal`].
use headcount_api::{configuration as read, serve};
use headcount_model::port::System;
use open_billing_portal::Function;
#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), lambda_http::Error> {
    let aws = headcount_platform::start().await?;
    let store = headcount_store::connect(aws.config(), &read::table_name()?);
    aws.open(headcount_store::endpoint(aws.config()).await).await;
    let stripe = headcount_billing::configuration::stripe(aws.secret("STRIPE_SECRET_NAME").await?)?;
    serve(Function { store, stripe, ports: System }).await
}
