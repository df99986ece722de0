//! Wiring of [`refresh_session`].

use headcount_api::{configuration, serve};
use headcount_model::port::System;
use refresh_session::Function;

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), lambda_http::Error> {
    let aws = headcount_platform::start().await?;
    let store = headcount_store::connect(aws.config(), &configuration::table_name()?);
    aws.open(headcount_store::endpoint(aws.config()).await).await;
    serve(Function { store, ports: System }).await
}
