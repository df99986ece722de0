//! Wiring of [`stripe_events`].
use headcount_billing::configuration::{self, required};
use headcount_model::port::System;
use lambda_runtime::{Error, LambdaEvent, run, service_fn};
use stripe_events::{Function, TAKES};

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Error> {
    let aws = headcount_platform::start().await?;
    let ledger = headcount_store::connect(aws.config(), &required("TABLE_NAME")?);
    let stripe = configuration::stripe(aws.secret("STRIPE_SECRET_NAME").await?)?;
    let events = &Function { ledger, stripe, ports: System };
    run(service_fn(|e: LambdaEvent<_>| TAKES.answer(e.payload, |one| events.handle(one)))).await
}
