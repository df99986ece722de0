//! Wiring of [`create_seats`].

use create_seats::Function;
use headcount_api::{configuration as read, serve};
use headcount_model::port::System;

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), lambda_http::Error> {
    lambda_http::tracing::init_default_subscriber();
    let store = headcount_store::connect(&read::table_name()?).await;
    let (platforms, tiers) = (read::platforms()?, read::tiers()?);
    let (grace, fingerprint_key) = (read::past_due_grace()?, read::fingerprint_key()?);
    serve(Function { store, ports: System, platforms, tiers, grace, fingerprint_key }).await
}
