//! Wiring of [`reconcile_billing`].

use lambda_runtime::{Error, LambdaEvent, run, service_fn};
use reconcile_billing::{Tick, configuration, deadline};

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Error> {
    let aws = headcount_platform::start().await?;
    let function = &configuration::function(&aws).await?;
    run(service_fn(|event: LambdaEvent<Tick>| function.handle(deadline(&event.context)))).await
}
