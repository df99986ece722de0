//! Wiring of [`publish_changes`].

use lambda_runtime::{Error, LambdaEvent, run, service_fn};
use publish_changes::{AwsOutbox, Batch, TAKES, handle};
use serde_json::Value;

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Error> {
    let aws = headcount_platform::start().await?;
    let outbox = &AwsOutbox::connect(aws.config())?;
    let answer = |batch: Batch| handle(outbox, batch);
    run(service_fn(|event: LambdaEvent<Value>| TAKES.answer(event.payload, answer))).await
}
