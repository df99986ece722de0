//! The event of a gateway, read so that no request can make the function fail before the
//! endpoint sees it: what `lambda_http` cannot read is a refusal of the request, not an error of
//! ours.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use lambda_http::http::header::{HOST, HeaderMap, HeaderName};
use lambda_http::request::LambdaRequest;
use serde::de::Error;
use serde::{Deserialize, Deserializer};
use serde_json::value::RawValue;
use serde_json::{Map, Value, json};

/// A request as an HTTP API, a REST API or a load balancer hands it over.
#[derive(Debug)]
pub struct GatewayEvent(LambdaRequest);

impl GatewayEvent {
    /// The request, without anything that `lambda_http` would panic over.
    pub(crate) fn into_request(self) -> LambdaRequest {
        self.0
    }
}

impl<'de> Deserialize<'de> for GatewayEvent {
    /// Reads any event that has the shape of a gateway's, whatever its headers hold.
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let event = Box::<RawValue>::deserialize(deserializer)?;
        let request = whole(event.get())
            .or_else(|error| reduced(event.get()).ok_or(error))
            .map_err(D::Error::custom)?;
        Ok(Self(harmless(request)))
    }
}

/// The event as `lambda_http` reads it: as one gateway's after the other's until it fits. One that
/// says it comes from an HTTP API is read as that at once.
fn whole(event: &str) -> Result<LambdaRequest, serde_json::Error> {
    match serde_json::from_str(event) {
        Ok(Version { version }) if version == HTTP_API => {
            serde_json::from_str(event).map(LambdaRequest::ApiGatewayV2)
        }
        _ => serde_json::from_str(event),
    }
}

/// The version of an HTTP API's events
/// (<https://docs.aws.amazon.com/apigateway/latest/developerguide/http-api-develop-integrations-lambda.html>).
const HTTP_API: &str = "2.0";

#[derive(Deserialize)]
struct Version {
    version: String,
}

/// What an endpoint looks at in an event that `lambda_http` refuses as a whole: headers, made
/// legible, and body. `None` when it is no event of a gateway.
fn reduced(event: &str) -> Option<LambdaRequest> {
    let Value::Object(mut event) = serde_json::from_str(event).ok()? else { return None };
    let mut take = |name: &str| event.remove(name).unwrap_or_default();
    let context = origin(&take("requestContext"))?;
    let body = match take("body") {
        Value::Null => Value::Null,
        body => Value::String(text(body)),
    };
    let is_base64 = take("isBase64Encoded") == Value::Bool(true);
    let request = json!({
        "httpMethod": "POST",
        "headers": legible(take("headers")),
        "multiValueHeaders": legible(take("multiValueHeaders")),
        "requestContext": context,
        "body": body,
        "isBase64Encoded": is_base64,
    });
    serde_json::from_value(request).ok()
}

/// As much of a request context as tells which gateway it is, and so the form of the answer.
fn origin(context: &Value) -> Option<Value> {
    let has = |name| context.get(name).is_some();
    if has("elb") {
        Some(json!({"elb": {}}))
    } else if has("http") {
        Some(json!({"http": {"method": "POST"}}))
    } else {
        has("httpMethod").then(|| json!({"httpMethod": "POST"}))
    }
}

/// Headers that HTTP allows. A name that it does not allow is none that we read. A value is kept
/// with U+FFFD for what it does not allow, so that a credential or key that is sent broken is
/// refused and not overlooked.
fn legible(headers: Value) -> Map<String, Value> {
    let Value::Object(headers) = headers else { return Map::new() };
    headers
        .into_iter()
        .filter(|(name, value)| HeaderName::from_bytes(name.as_bytes()).is_ok() && !value.is_null())
        .map(|(name, value)| {
            let values = match value {
                Value::Array(values) => values,
                value => vec![value],
            };
            (name, values.into_iter().map(|value| Value::String(printable(text(value)))).collect())
        })
        .collect()
}

fn printable(text: String) -> String {
    text.chars().map(|c| if c.is_ascii_control() && c != '\t' { '\u{FFFD}' } else { c }).collect()
}

/// A text, or the JSON of another value in its place.
fn text(value: Value) -> String {
    match value {
        Value::String(text) => text,
        other => other.to_string(),
    }
}

/// Takes out of an event what `lambda_http` would panic over or lose: a body that says it is
/// base64 and is not (it becomes a body that is no JSON, which has the same answer); a host,
/// path, stage or query that does not make a URI (no endpoint looks at them); all but the last
/// of several values of a header.
fn harmless(mut request: LambdaRequest) -> LambdaRequest {
    match &mut request {
        LambdaRequest::ApiGatewayV2(event) => {
            decodable(&mut event.body, &mut event.is_base64_encoded);
            event.headers.remove(HOST);
            event.request_context.domain_name = None;
            event.request_context.stage = None;
            event.raw_path = None;
            event.raw_query_string = None;
        }
        LambdaRequest::ApiGatewayV1(event) => {
            decodable(&mut event.body, &mut event.is_base64_encoded);
            event.headers.remove(HOST);
            keep_all(&mut event.headers, &event.multi_value_headers);
            event.multi_value_headers.remove(HOST);
            event.request_context.domain_name = None;
            event.request_context.stage = None;
            event.path = None;
            event.query_string_parameters = Default::default();
            event.multi_value_query_string_parameters = Default::default();
        }
        LambdaRequest::Alb(event) => {
            decodable(&mut event.body, &mut event.is_base64_encoded);
            event.headers.remove(HOST);
            keep_all(&mut event.headers, &event.multi_value_headers);
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

/// `lambda_http` puts the single values over the lists of all values; where there is a list, it
/// says more.
fn keep_all(single: &mut HeaderMap, all: &HeaderMap) {
    for name in all.keys() {
        single.remove(name);
    }
}

#[cfg(test)]
mod tests {
    use lambda_http::Request;
    use lambda_http::http::header::AUTHORIZATION;

    use super::*;

    fn read(event: &Value) -> Result<Request, serde_json::Error> {
        let event: GatewayEvent = serde_json::from_value(event.clone())?;
        Ok(event.into_request().into())
    }

    /// An event of each gateway, with these parts.
    fn events(parts: &Value) -> [Value; 3] {
        let contexts = [
            json!({"http": {"method": "POST"}}),
            json!({"httpMethod": "POST"}),
            json!({"elb": {"targetGroupArn": "arn"}}),
        ];
        contexts.map(|context| {
            let mut event = parts.clone();
            event["httpMethod"] = json!("POST");
            event["requestContext"] = context;
            event
        })
    }

    #[test]
    fn what_is_no_event_of_a_gateway_is_told_so() {
        for event in [json!({}), json!([]), json!(null), json!({"Records": []})] {
            let error = read(&event).expect_err("no request").to_string();
            assert!(error.contains("this function expects"), "{error}");
        }
        assert!(read(&json!({"requestContext": {"stage": "x"}, "headers": {}})).is_err());
    }

    #[test]
    fn what_http_does_not_allow_stays_visible_in_a_value() {
        for event in events(&json!({"headers": {"Authorization": "Bearer a\u{1}b\tc", "x y": "z"}}))
        {
            let request = read(&event).expect("a request");
            let value = request.headers()[AUTHORIZATION].as_bytes();
            assert_eq!(value, "Bearer a\u{FFFD}b\tc".as_bytes());
            assert_eq!(request.headers().len(), 1);
        }
    }

    #[test]
    fn of_several_values_none_is_lost() {
        for control in ["c", "\u{1}"] {
            let headers = json!({"a": "2", "b": control});
            let lists = json!({"a": ["1", "2"]});
            let parts = json!({"headers": headers, "multiValueHeaders": lists});
            for event in &events(&parts)[1..] {
                let request = read(event).expect("a request");
                assert_eq!(request.headers().get_all("a").iter().count(), 2);
                assert!(request.headers().contains_key("b"));
            }
        }
    }

    #[test]
    fn what_is_not_text_is_taken_for_its_json() {
        let parts = json!({"headers": {"a": 1, "b": null, "c": [true]}, "body": {"x": [1]}});
        for event in events(&parts) {
            let request = read(&event).expect("a request");
            assert_eq!(request.headers()["a"], "1");
            assert_eq!(request.headers()["c"], "true");
            assert!(!request.headers().contains_key("b"));
            assert_eq!(request.body().as_ref(), br#"{"x":[1]}"#);
        }
    }
}
