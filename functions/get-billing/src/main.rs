//! Wiring of [`get_billing`].

use get_billing::Function;
use headcount_api::{configuration, serve};
use headcount_model::port::System;

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), lambda_http::Error> {
    lambda_http::tracing::init_default_subscriber();
    let store = headcount_store::connect(&configuration::table_name()?).await;
    serve(Function { store, ports: System }).await
}
