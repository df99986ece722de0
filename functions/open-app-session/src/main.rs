//! Wiring of [`open_app_session`].

use headcount_api::{configuration, serve};
use headcount_model::port::System;
use open_app_session::Function;

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), lambda_http::Error> {
    let aws = headcount_platform::start().await?;
    let store = headcount_store::connect(aws.config(), &configuration::table_name()?);
    let lifetime = configuration::app_token_lifetime()?;
    aws.open(headcount_store::endpoint(aws.config()).await).await;
    serve(Function { store, ports: System, lifetime }).await
}
