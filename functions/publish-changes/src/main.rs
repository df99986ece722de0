//! Wiring of [`publish_changes`].

use lambda_runtime::{Error, LambdaEvent, run, service_fn, tracing};
use publish_changes::{AwsOutbox, Batch, handle};

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Error> {
    tracing::init_default_subscriber();
    let outbox = &AwsOutbox::connect().await?;
    run(service_fn(|event: LambdaEvent<Batch>| handle(outbox, event.payload))).await
}
