//! Wiring of [`create_seats`].

use create_seats::Function;
use headcount_api::{configuration, serve};
use headcount_model::port::System;
use lambda_http::{Error, tracing};

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Error> {
    tracing::init_default_subscriber();
    let store = headcount_store::connect(&configuration::table_name()?).await;
    let (platforms, fingerprint_key) = (
        configuration::platforms()?,
        configuration::fingerprint_key()?,
    );
    serve(Function { store, ports: System, platforms, fingerprint_key }).await
}
