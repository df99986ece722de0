//! Wiring of [`publish_changes`].

use lambda_runtime::{Error, LambdaEvent, run, service_fn};
use publish_changes::{AwsOutbox, Batch, handle};

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Error> {
    let aws = headcount_platform::start().await?;
    let outbox = &AwsOutbox::connect(aws.config())?;
    run(service_fn(|event: LambdaEvent<Batch>| handle(outbox, event.payload))).await
}
