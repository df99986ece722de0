//! Running an endpoint as a Lambda function.

use std::convert::Infallible;
use std::future::Future;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use lambda_http::http::header::{CONTENT_TYPE, HOST, LOCATION, RETRY_AFTER};
use lambda_http::http::{HeaderValue, Response};
use lambda_http::lambda_runtime::{self, LambdaEvent};
use lambda_http::request::LambdaRequest;
use lambda_http::{Body, Error, Request, RequestExt, Service, service_fn};
use serde::de::Error as _;
use serde::{Deserialize, Deserializer, Serialize};
use serde_json::value::RawValue;

use crate::dialect::{Answer, Dialect, Failure};
use crate::incoming::Incoming;

/// What a function does with a request.
pub trait Endpoint: Sync {
    /// The API that it belongs to.
    type Dialect: Dialect;

    /// Handles one request.
    ///
    /// # Errors
    /// Every refusal; the dialect words it.
    fn handle(
        &self,
        request: &Incoming,
    ) -> impl Future<Output = Result<Answer, Failure<<Self::Dialect as Dialect>::Refusal>>> + Send;
}

/// Polls the Lambda runtime for requests to `endpoint` until the process is stopped.
///
/// # Errors
/// When the runtime cannot be reached.
pub async fn serve<E: Endpoint>(endpoint: E) -> Result<(), Error> {
    let endpoint = &endpoint;
    lambda_runtime::run(service_fn(move |event: LambdaEvent<GatewayEvent>| async move {
        let (GatewayEvent(request), context) = event.into_parts();
        Ok::<_, Infallible>(answer(endpoint, LambdaEvent::new(request, context)).await)
    }))
    .await
}

/// An event from any gateway. By itself `lambda_http` reads it as one gateway's after the other's
/// until it fits; here an event that says it comes from an HTTP API is read as that at once.
struct GatewayEvent(LambdaRequest);

impl<'de> Deserialize<'de> for GatewayEvent {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = Box::<RawValue>::deserialize(deserializer)?;
        let text = text.get();
        let read = match serde_json::from_str::<Version>(text) {
            Ok(Version { version }) if version == HTTP_API => {
                serde_json::from_str(text).map(LambdaRequest::ApiGatewayV2)
            }
            _ => serde_json::from_str(text),
        };
        read.map(Self).map_err(D::Error::custom)
    }
}

/// The version of an HTTP API's events
/// (<https://docs.aws.amazon.com/apigateway/latest/developerguide/http-api-develop-integrations-lambda.html>).
const HTTP_API: &str = "2.0";

#[derive(Deserialize)]
struct Version {
    version: String,
}

/// Handles one event, whichever gateway it comes from. What comes back serializes to what that
/// gateway expects.
pub async fn answer<E: Endpoint>(
    endpoint: &E,
    event: LambdaEvent<LambdaRequest>,
) -> impl Serialize {
    let (request, context) = event.into_parts();
    let request = harmless(request);
    let mut adapter = lambda_http::Adapter::from(service_fn(|request: Request| async move {
        Ok::<_, Infallible>(respond(endpoint, request).await)
    }));
    let Ok(response) = adapter.call(LambdaEvent::new(request, context)).await;
    response
}

async fn respond<E: Endpoint>(endpoint: &E, request: Request) -> Response<Body> {
    let request_id =
        request.lambda_context_ref().map(|context| context.request_id.clone()).unwrap_or_default();
    let outcome = endpoint.handle(&Incoming::from(request)).await;
    let answer = outcome.unwrap_or_else(E::Dialect::word);
    tracing::info!(
        request_id,
        status = answer.status.as_u16(),
        replayed = answer.replayed,
        "answered"
    );
    response(answer, &request_id)
}

fn response(answer: Answer, request_id: &str) -> Response<Body> {
    let mut response = Response::new(Body::Text(answer.body));
    *response.status_mut() = answer.status;
    let headers = response.headers_mut();
    headers.insert(CONTENT_TYPE, HeaderValue::from_static("application/json"));
    if let Ok(value) = HeaderValue::from_str(request_id) {
        headers.insert("x-request-id", value);
    }
    if let Some(Ok(value)) = answer.location.map(|path| HeaderValue::from_str(&path)) {
        headers.insert(LOCATION, value);
    }
    if let Some(seconds) = answer.retry_after {
        headers.insert(RETRY_AFTER, HeaderValue::from(seconds));
    }
    if answer.replayed {
        headers.insert("idempotency-replayed", HeaderValue::from_static("true"));
    }
    response
}

/// Takes out of an event what `lambda_http` would panic over: a body that says it is base64
/// and is not (it becomes a body that is no JSON, which has the same answer), and a host, path
/// or query that does not make a URI (no endpoint looks at them).
fn harmless(mut request: LambdaRequest) -> LambdaRequest {
    match &mut request {
        LambdaRequest::ApiGatewayV2(event) => {
            decodable(&mut event.body, &mut event.is_base64_encoded);
            event.headers.remove(HOST);
            event.request_context.domain_name = None;
            event.raw_path = None;
            event.raw_query_string = None;
        }
        LambdaRequest::ApiGatewayV1(event) => {
            decodable(&mut event.body, &mut event.is_base64_encoded);
            event.headers.remove(HOST);
            event.multi_value_headers.remove(HOST);
            event.request_context.domain_name = None;
            event.path = None;
            event.query_string_parameters = Default::default();
            event.multi_value_query_string_parameters = Default::default();
        }
        LambdaRequest::Alb(event) => {
            decodable(&mut event.body, &mut event.is_base64_encoded);
            event.headers.remove(HOST);
            event.multi_value_headers.remove(HOST);
            event.path = None;
            event.query_string_parameters = Default::default();
            event.multi_value_query_string_parameters = Default::default();
        }
        // The enum is open; the features of the crate give these three.
        _ => {}
    }
    request
}

fn decodable(body: &mut Option<String>, is_base64: &mut bool) {
    if *is_base64 && body.as_deref().is_some_and(|text| STANDARD.decode(text).is_err()) {
        *body = Some("(not base64)".to_owned());
        *is_base64 = false;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The gateway that an event is taken to come from.
    fn gateway(event: &str) -> &'static str {
        match serde_json::from_str::<GatewayEvent>(event) {
            Ok(GatewayEvent(LambdaRequest::ApiGatewayV2(_))) => "HTTP API",
            Ok(GatewayEvent(LambdaRequest::ApiGatewayV1(_))) => "REST API",
            Ok(GatewayEvent(LambdaRequest::Alb(_))) => "load balancer",
            Ok(_) => "another",
            Err(_) => "none",
        }
    }

    #[test]
    fn an_event_is_read_as_that_of_the_gateway_it_comes_from() {
        let http = r#"{"version":"2.0","routeKey":"$default","headers":{},"requestContext":{"http":{"method":"POST"}},"isBase64Encoded":false}"#;
        let rest = r#"{"version":"1.0","httpMethod":"POST","headers":{},"multiValueHeaders":{},"requestContext":{"httpMethod":"POST","identity":{}},"isBase64Encoded":false}"#;
        let balancer = r#"{"httpMethod":"POST","headers":{},"requestContext":{"elb":{"targetGroupArn":"arn"}},"isBase64Encoded":false}"#;
        assert_eq!([http, rest, balancer].map(gateway), ["HTTP API", "REST API", "load balancer"]);
        assert_eq!(gateway(r#"{"version":"2.0"}"#), "none");
        assert_eq!(gateway("[]"), "none");
    }
}
