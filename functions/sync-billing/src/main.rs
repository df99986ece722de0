//! Wiring of [`sync_billing`].

use headcount_billing::configuration::{self, required};
use lambda_runtime::{Error, LambdaEvent, run, service_fn, tracing};
use sync_billing::{AwsQueue, Function};

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Error> {
    tracing::init_default_subscriber();
    let ledger = headcount_store::connect(&required("TABLE_NAME")?).await;
    let queue = AwsQueue::connect(required("BILLING_QUEUE_URL")?).await;
    let (stripe, prices) = (configuration::stripe().await?, configuration::prices()?);
    let sync = &Function { ledger, stripe, queue, prices, ports: headcount_model::port::System };
    run(service_fn(|event: LambdaEvent<_>| sync.handle(event.payload))).await
}
