//! Wiring of [`list_accounts`].
use headcount_api::{configuration as read, serve};
use headcount_model::port::System;
use list_accounts::Function;

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), lambda_http::Error> {
    let aws = headcount_platform::start().await?;
    let store = headcount_store::connect(aws.config(), &read::table_name()?);
    let table = headcount_store::endpoint(aws.config()).await;
    let secret = aws.open_and_read(table, read::FINGERPRINT_SECRET).await?;
    let fingerprint_key = read::fingerprint_key(&secret)?;
    serve(Function { store, ports: System, fingerprint_key }).await
}
