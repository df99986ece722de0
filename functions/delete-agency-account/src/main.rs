//! Wiring of [`delete_agency_account`].

use delete_agency_account::Function;
use headcount_api::{configuration, serve};
use headcount_model::port::System;

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), lambda_http::Error> {
    let aws = headcount_platform::start().await?;
    let store = headcount_store::connect(aws.config(), &configuration::table_name()?);
    let table = headcount_store::endpoint(aws.config()).await;
    let secret = aws.open_and_read(table, configuration::FINGERPRINT_SECRET).await?;
    let fingerprint_key = configuration::fingerprint_key(&secret)?;
    serve(Function { store, ports: System, fingerprint_key }).await
}
