//! Wiring of [`reconcile_billing`].

use lambda_runtime::{Error, LambdaEvent, run, service_fn};
use reconcile_billing::{TAKES, Tick, configuration, deadline};

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Error> {
    let aws = headcount_platform::start().await?;
    let function = &configuration::function(&aws).await?;
    run(service_fn(|event: LambdaEvent<_>| {
        let (deadline, id) = (deadline(&event.context), event.context.request_id);
        TAKES.answer(event.payload, move |_: Tick| function.handle(deadline, id))
    }))
    .await
}
