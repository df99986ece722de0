//! Wiring of [`create_seats`].

use create_seats::Function;
use headcount_api::{configuration, serve};
use headcount_model::port::System;

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), lambda_http::Error> {
    lambda_http::tracing::init_default_subscriber();
    let store = headcount_store::connect(&configuration::table_name()?).await;
    let platforms = configuration::platforms()?;
    let fingerprint_key = configuration::fingerprint_key()?;
    serve(Function { store, ports: System, platforms, fingerprint_key }).await
}
