//! Wiring of [`sync_billing`].
use headcount_billing::configuration::{self, required};
use lambda_runtime::{Error, LambdaEvent, run, service_fn};
use sync_billing::{AwsQueue, Function, TAKES};

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Error> {
    let aws = headcount_platform::start().await?;
    let ledger = headcount_store::connect(aws.config(), &required("TABLE_NAME")?);
    let queue = AwsQueue::connect(aws.config(), required("BILLING_QUEUE_URL")?);
    let secret = aws.secret("STRIPE_SECRET_NAME").await?;
    let (stripe, prices) = (configuration::stripe(secret)?, configuration::prices()?);
    let sync = &Function { ledger, stripe, queue, prices, ports: headcount_model::port::System };
    run(service_fn(|e: LambdaEvent<_>| TAKES.answer(e.payload, |batch| sync.handle(batch)))).await
}
