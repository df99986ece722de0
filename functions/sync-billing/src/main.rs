//! Wiring of [`sync_billing`].

use headcount_api::configuration::{required, table_name};
use headcount_billing::{Prices, stripe::Stripe};
use headcount_model::port::System;
use lambda_runtime::{Error, LambdaEvent, run, service_fn, tracing};
use sync_billing::{Function, secret::stripe_api_key};

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Error> {
    tracing::init_default_subscriber();
    let ledger = headcount_store::connect(&table_name()?).await;
    let key = stripe_api_key(&required("STRIPE_SECRET_NAME")?).await?;
    let stripe = Stripe::new(&required("STRIPE_API_BASE")?, key)?;
    let price = |variable| required(variable).ok();
    let prices = Prices { basic: price("STRIPE_PRICE_BASIC"), premium: price("STRIPE_PRICE_PREMIUM") };
    let function = &Function { ledger, stripe, prices, ports: System };
    run(service_fn(|event: LambdaEvent<_>| function.handle(event.payload))).await
}
