//! Wiring of [`record_setup`].
use headcount_model::port::System;
use lambda_runtime::{Error, LambdaEvent, run, service_fn};
use record_setup::{Function, TAKES};

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Error> {
    let aws = headcount_platform::start().await?;
    let store = headcount_store::connect(aws.config(), &std::env::var("TABLE_NAME")?);
    let record = &Function { store, ports: System };
    run(service_fn(|e: LambdaEvent<_>| {
        TAKES.answer(e.payload, move |batch| record.handle(batch, e.context.request_id))
    }))
    .await
}
