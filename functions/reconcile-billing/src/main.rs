//! Wiring of [`reconcile_billing`].

use lambda_runtime::{Error, LambdaEvent, run, service_fn, tracing};
use reconcile_billing::{Tick, configuration, deadline};

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Error> {
    tracing::init_default_subscriber();
    let function = &configuration::function().await?;
    run(service_fn(|event: LambdaEvent<Tick>| function.handle(deadline(&event.context)))).await
}
