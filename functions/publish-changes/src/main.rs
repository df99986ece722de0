//! Wiring of [`publish_changes`].

use headcount_api::configuration::required;
use lambda_runtime::{Error, LambdaEvent, run, service_fn, tracing};
use publish_changes::{AwsOutbox, Batch, handle};

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Error> {
    tracing::init_default_subscriber();
    let outbox = &AwsOutbox::connect(
        required("BILLING_QUEUE_URL")?,
        required("UNDELIVERED_QUEUE_URL")?,
        required("EVENT_BUS_NAME")?,
    )
    .await;
    let function = |event: LambdaEvent<Batch>| async { handle(outbox, event.payload).await };
    run(service_fn(function)).await
}
