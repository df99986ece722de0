//! Running an endpoint as a Lambda function.

use std::convert::Infallible;
use std::future::{Future, ready};
use std::pin::Pin;

use lambda_http::http::header::{CONTENT_TYPE, ETAG, LOCATION, RETRY_AFTER};
use lambda_http::http::{HeaderValue, Response, StatusCode};
use lambda_http::lambda_runtime::{self, LambdaEvent};
use lambda_http::request::LambdaRequest;
use lambda_http::{Body, Error, IntoResponse, Request, Service, service_fn};
use serde::Serialize;

use crate::dialect::{Answer, Dialect, Failure};
use crate::event::GatewayEvent;
use crate::incoming::Incoming;

/// What a function does with a request.
pub trait Endpoint: Sync {
    /// The API that it belongs to.
    type Dialect: Dialect;

    /// A sample event that it answers with success, for who sends it something that is none of a gateway:
    /// a file of this repository.
    const SAMPLE: &'static str;

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
    lambda_runtime::run(service_fn(move |event| async move {
        Ok::<_, Infallible>(answer(endpoint, event).await)
    }))
    .await
}

/// Handles one event, whichever gateway it comes from. What comes back serializes to what that
/// gateway expects. An event of no gateway is its sender's mistake, as a request can be: 400, with a sentence
/// that says what works. As an error of the function it would end a deployment.
pub async fn answer<E: Endpoint>(endpoint: &E, event: LambdaEvent<GatewayEvent>) -> impl Serialize {
    let (event, context) = event.into_parts();
    let (request, mut query) = match event.into_request() {
        Some((request, query)) => (request, Some(query)),
        None => (LambdaRequest::ApiGatewayV2(Default::default()), None),
    };
    let mut adapter = lambda_http::Adapter::from(service_fn(|request: Request| {
        let query = query.take();
        async move {
            let request = Incoming::from(request);
            Ok::<_, Infallible>(match query {
                Some(query) => respond(endpoint, request.with_query(query)).await,
                None => refuse(E::SAMPLE, request.request_id()),
            })
        }
    }));
    let Ok(response) = adapter.call(LambdaEvent::new(request, context)).await;
    response
}

/// The answer to an event of no gateway.
fn refuse(sample: &str, request_id: &str) -> Reply {
    #[derive(Serialize)]
    struct Refused {
        message: String,
    }
    tracing::warn!(request_id, "the event is none of a gateway");
    let message = format!(
        "This function takes the event of an HTTP API, a REST API or a load balancer, such as {sample}."
    );
    Reply(response(Answer::new(StatusCode::BAD_REQUEST, &Refused { message }), request_id))
}

async fn respond<E: Endpoint>(endpoint: &E, request: Incoming) -> Reply {
    let request_id = request.request_id();
    let outcome = endpoint.handle(&request).await;
    let answer = outcome.unwrap_or_else(E::Dialect::word);
    tracing::info!(
        request_id,
        status = answer.status.as_u16(),
        replayed = answer.replayed,
        "answered"
    );
    Reply(response(answer, request_id))
}

/// A response whose body is text already. That of `lambda_http` itself would find out the body's
/// charset, and link every encoding there is for that.
struct Reply(Response<Body>);

impl IntoResponse for Reply {
    fn into_response(self) -> Pin<Box<dyn Future<Output = Response<Body>> + Send>> {
        Box::pin(ready(self.0))
    }
}

fn response(answer: Answer, request_id: &str) -> Response<Body> {
    let mut response = Response::new(Body::Text(answer.body));
    *response.status_mut() = answer.status;
    let headers = response.headers_mut();
    if answer.status != StatusCode::NOT_MODIFIED {
        headers.insert(CONTENT_TYPE, HeaderValue::from_static("application/json"));
    }
    if let Ok(value) = HeaderValue::from_str(request_id) {
        headers.insert("x-request-id", value);
    }
    if let Some(Ok(value)) = answer.location.map(|path| HeaderValue::from_str(&path)) {
        headers.insert(LOCATION, value);
    }
    if let Some(seconds) = answer.retry_after {
        headers.insert(RETRY_AFTER, HeaderValue::from(seconds));
    }
    if let Some(Ok(value)) = answer.etag.map(|etag| HeaderValue::from_str(&etag)) {
        headers.insert(ETAG, value);
    }
    if answer.replayed {
        headers.insert("idempotency-replayed", HeaderValue::from_static("true"));
    }
    response
}
