#!/bin/sh
# lambda_http drops all but the first value of a header behind an HTTP API. A response with two Link or WWW-Authenticate or
# Vary headers, which http's HeaderMap holds and every other gateway of the crate passes on, arrives with one of them.
# Payload format 2.0 has no multi-value headers and wants one value with commas; a comment at the place in the crate says
# that they are combined, and the events of requests are. Set-Cookie is right: it goes to `cookies`. Join them yourself.
#
# Source: https://docs.aws.amazon.com/apigateway/latest/developerguide/http-api-develop-integrations-lambda.html (2.0: duplicate
# headers are combined with commas); RFC 9110, 5.3 (a list may be sent as several fields, or as one with commas).
#
# Seen on 2026-11-29, lambda_http 1.3.2, for a response with Link: </a>, Link: </b>, and two cookies:
#   HTTP API {"cookies":["a=1","b=2"],"link":"</a>"}
#   REST API {"link":["</a>","</b>"],"set-cookie":["a=1","b=2"]}
#
# Needs cargo. Fails when the crate behaves otherwise.
set -eu
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
cd "$folder"
mkdir src
cat > Cargo.toml <<'TOML'
[package]
name = "headers"
edition = "2024"

[workspace]

[dependencies]
lambda_http = { version = "=1.3.2", default-features = false, features = ["apigw_http", "apigw_rest"] }
serde_json = "=1.0.154"
tokio = { version = "=1.54.1", features = ["macros", "rt"] }

[profile.dev]
debug = false
TOML
cat > src/main.rs <<'RUST'
use lambda_http::{Adapter, Body, Context, Error, LambdaEvent, Request, Response, Service, request::LambdaRequest, service_fn};
use serde_json::{Value, json};

async fn handler(_: Request) -> Result<Response<Body>, Error> {
    let response = Response::builder().header("link", "</a>").header("link", "</b>");
    Ok(response.header("set-cookie", "a=1").header("set-cookie", "b=2").body(Body::Empty)?)
}

async fn answer(event: Value) -> Result<Value, Error> {
    let request: LambdaRequest = serde_json::from_value(event)?;
    let response = Adapter::from(service_fn(handler)).call(LambdaEvent::new(request, Context::default())).await?;
    Ok(serde_json::to_value(response)?)
}

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Error> {
    let http = answer(json!({
        "version": "2.0", "routeKey": "GET /", "rawPath": "/", "rawQueryString": "", "headers": {}, "isBase64Encoded": false,
        "requestContext": {
            "accountId": "1", "apiId": "api", "domainName": "example.com", "domainPrefix": "api", "requestId": "id",
            "routeKey": "GET /", "stage": "$default", "time": "29/Nov/2026:00:00:00 +0000", "timeEpoch": 1795910400000_i64,
            "http": {"method": "GET", "path": "/", "protocol": "HTTP/1.1", "sourceIp": "192.0.2.1", "userAgent": "curl"}
        }
    }))
    .await?;
    println!("HTTP API {}", json!({"link": http["headers"]["link"], "cookies": http["cookies"]}));
    let rest = answer(json!({
        "resource": "/", "path": "/", "httpMethod": "GET", "headers": {}, "multiValueHeaders": {},
        "queryStringParameters": null, "multiValueQueryStringParameters": null, "pathParameters": null,
        "stageVariables": null, "body": null, "isBase64Encoded": false,
        "requestContext": {"accountId": "1", "apiId": "api", "httpMethod": "GET", "path": "/", "resourceId": "r",
            "resourcePath": "/", "requestId": "id", "stage": "prod", "protocol": "HTTP/1.1", "identity": {}}
    }))
    .await?;
    let headers = &rest["multiValueHeaders"];
    println!("REST API {}", json!({"link": headers["link"], "set-cookie": headers["set-cookie"]}));
    Ok(())
}
RUST
seen=$(cargo run --quiet)
echo "$seen"
test "$seen" = 'HTTP API {"cookies":["a=1","b=2"],"link":"</a>"}
REST API {"link":["</a>","</b>"],"set-cookie":["a=1","b=2"]}'
