//! Wiring of [`create_account`].

use create_account::Function;
use headcount_api::{configuration, serve};
use headcount_model::port::System;

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), lambda_http::Error> {
    let aws = headcount_platform::start().await?;
    let store = headcount_store::connect(aws.config(), &configuration::table_name()?);
    aws.open(headcount_store::endpoint(aws.config()).await).await;
    let password_policy = configuration::password_policy()?;
    let self_signup = configuration::self_signup()?;
    let fingerprint_key = configuration::fingerprint_key()?;
    serve(Function { store, ports: System, password_policy, self_signup, fingerprint_key }).await
}
