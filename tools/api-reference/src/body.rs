//! Bodies as the functions read and write them.

use headcount_api::{Answer, Incoming, Object, Transport};
use headcount_model::idempotency::StoredAnswer;
use headcount_model::identity::KeptAccount;
use lambda_http::http::HeaderValue;
use lambda_http::http::header::CONTENT_TYPE;
use lambda_http::{Body, Request};

use crate::json::Json;

/// The malformed body of the examples, as a slip makes it.
pub const SLIP: &str = "{\"accounts\": [}";

/// An example as an endpoint reads it.
pub(crate) fn read(example: &Json) -> Object {
    let text = serde_json::to_string(example).expect("JSON is text");
    request(text).json().expect("an example of a request is a JSON object")
}

/// What the reader of bodies says about one that is malformed.
pub(crate) fn malformed() -> Transport {
    request(SLIP.to_owned()).json().expect_err("it is malformed")
}

fn request(body: String) -> Incoming {
    let mut request = Request::new(Body::Text(body));
    request.headers_mut().insert(CONTENT_TYPE, HeaderValue::from_static("application/json"));
    Incoming::from(request)
}

/// The body of an answer.
pub(crate) fn of(answer: &Answer) -> Json {
    Json::parse(&answer.body).expect("every answer is JSON")
}

/// An account as it is shown to who has nothing of it.
pub(crate) fn shown(account: &KeptAccount) -> Json {
    of(&headcount_api::identity::shown(&request(String::new()), account))
}

/// The body of an answer that is kept for retries.
pub(crate) fn stored(answer: &StoredAnswer) -> Json {
    Json::parse(&answer.body).expect("every answer is JSON")
}
