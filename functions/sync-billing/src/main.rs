//! Wiring of [`sync_billing`].

use headcount_billing::configuration;
use headcount_model::port::System;
use lambda_runtime::{Error, LambdaEvent, run, service_fn, tracing};
use sync_billing::Function;

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Error> {
    tracing::init_default_subscriber();
    let ledger = headcount_store::connect(&configuration::required("TABLE_NAME")?).await;
    let stripe = configuration::stripe().await?;
    let function = &Function { ledger, stripe, prices: configuration::prices()?, ports: System };
    run(service_fn(|event: LambdaEvent<_>| function.handle(event.payload))).await
}
