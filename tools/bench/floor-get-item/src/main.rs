//! The least that a function on `lambda_http` and the AWS SDK can do to show something of a table: it
//! reads one item and answers. Its way to AWS is the one of Headcount's functions.

use std::sync::Arc;

use aws_sdk_dynamodb::Client;
use aws_sdk_dynamodb::types::AttributeValue;
use lambda_http::{Body, Error, Request, RequestExt, Response, run, service_fn};

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Error> {
    let aws = headcount_platform::start().await?;
    let table: Arc<str> = std::env::var("TABLE_NAME")?.into();
    let client = Client::new(aws.config());
    aws.open(aws.config().endpoint_url().map(str::to_owned)).await;
    run(service_fn(|request| get(client.clone(), Arc::clone(&table), request))).await
}

async fn get(client: Client, table: Arc<str>, request: Request) -> Result<Response<Body>, Error> {
    let text = |text: &str| AttributeValue::S(text.to_owned());
    let id = request.lambda_context().request_id;
    // As the functions read what a caller may just have written.
    let get = client.get_item().table_name(&*table).consistent_read(true);
    get.key("pk", text(&id)).key("sk", text("ITEM")).send().await?;
    Ok(Response::new(Body::from("{}")))
}
