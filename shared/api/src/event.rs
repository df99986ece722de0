//! The event of a gateway, read so that no request can make the function fail before the
//! endpoint sees it: what `lambda_http` would not read is a refusal of the request, not an error
//! of ours.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use lambda_http::aws_lambda_events::alb::AlbTargetGroupRequest;
use lambda_http::aws_lambda_events::apigw::{ApiGatewayProxyRequest, ApiGatewayV2httpRequest};
use lambda_http::http::header::{HeaderMap, HeaderValue};
use lambda_http::request::LambdaRequest;
use serde::de::{Error, IgnoredAny};
use serde::{Deserialize, Deserializer};
use serde_json::Value;

use crate::incoming::HEADERS;

/// What is told to a function's caller whose event is none of a gateway.
const EXPECTED: &str =
    "this function expects the event of an HTTP API, a REST API or a load balancer";

/// A request as an HTTP API, a REST API or a load balancer hands it over, with nothing in it that
/// `lambda_http` would panic over. Of an event only what an endpoint looks at is read: headers and
/// body. Method, path and query are the gateway's.
#[derive(Debug)]
pub struct GatewayEvent(LambdaRequest);

impl GatewayEvent {
    pub(crate) fn into_request(self) -> LambdaRequest {
        self.0
    }
}

impl<'de> Deserialize<'de> for GatewayEvent {
    /// Reads any event that has the shape of a gateway's, whatever its headers and body hold.
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let event = Event::deserialize(deserializer)
            .map_err(|error| D::Error::custom(format_args!("{EXPECTED}: {error}")))?;
        event.into_request().map(Self).ok_or_else(|| D::Error::custom(EXPECTED))
    }
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Event {
    request_context: Context,
    #[serde(default)]
    headers: Value,
    #[serde(default)]
    multi_value_headers: Value,
    #[serde(default)]
    body: Value,
    #[serde(default)]
    is_base64_encoded: Value,
}

/// As much of a request context as tells which gateway it is, and so the form of the answer.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Context {
    elb: Option<IgnoredAny>,
    http: Option<IgnoredAny>,
    http_method: Option<IgnoredAny>,
}

impl Event {
    fn into_request(self) -> Option<LambdaRequest> {
        let (body, is_base64_encoded) = body(self.body, &self.is_base64_encoded);
        let single = headers(self.headers);
        // A REST API and a load balancer tell the values of a header in two places. Where there
        // is a list, it says more.
        let merged = |single| merge(single, headers(self.multi_value_headers));
        if self.request_context.elb.is_some() {
            let mut request = AlbTargetGroupRequest::default();
            request.headers = merged(single);
            request.body = body;
            request.is_base64_encoded = is_base64_encoded;
            Some(LambdaRequest::Alb(request))
        } else if self.request_context.http.is_some() {
            let mut request = ApiGatewayV2httpRequest::default();
            request.headers = single;
            request.body = body;
            request.is_base64_encoded = is_base64_encoded;
            Some(LambdaRequest::ApiGatewayV2(request))
        } else if self.request_context.http_method.is_some() {
            let mut request = ApiGatewayProxyRequest::default();
            request.headers = merged(single);
            request.body = body;
            request.is_base64_encoded = is_base64_encoded;
            Some(LambdaRequest::ApiGatewayV1(request))
        } else {
            None
        }
    }
}

/// The body, and whether it is base64. `lambda_http` panics over one that says so and is not:
/// it becomes a body that is no JSON, which has the same answer.
fn body(body: Value, is_base64: &Value) -> (Option<String>, bool) {
    let body = (!body.is_null()).then(|| text(body));
    let is_base64 = *is_base64 == Value::Bool(true);
    if is_base64 && body.as_deref().is_some_and(|text| STANDARD.decode(text).is_err()) {
        (Some("(not base64)".to_owned()), false)
    } else {
        (body, is_base64)
    }
}

/// The headers that an endpoint looks at. The host in particular is left out: `lambda_http` makes
/// a URI of it, which it need not be.
fn headers(headers: Value) -> HeaderMap {
    let Value::Object(headers) = headers else { return HeaderMap::new() };
    let mut kept = HeaderMap::with_capacity(HEADERS.len());
    for (name, value) in headers {
        let Some(name) = HEADERS.iter().find(|kept| name.eq_ignore_ascii_case(kept.as_str()))
        else {
            continue;
        };
        let values = match value {
            Value::Null => continue,
            Value::Array(values) => values,
            value => vec![value],
        };
        for value in values.into_iter().filter_map(header_value) {
            // More values than a map takes are more than a gateway lets through.
            let _ = kept.try_append(name, value);
        }
    }
    kept
}

/// A value is kept with U+FFFD for what HTTP does not allow, so that a credential or key that is
/// sent broken is refused and not overlooked.
fn header_value(value: Value) -> Option<HeaderValue> {
    let mut text = text(value);
    let forbidden = |c: char| c.is_ascii_control() && c != '\t';
    if text.contains(forbidden) {
        text = text.replace(forbidden, "\u{FFFD}");
    }
    HeaderValue::try_from(text).ok()
}

fn merge(mut single: HeaderMap, lists: HeaderMap) -> HeaderMap {
    for name in lists.keys() {
        single.remove(name);
    }
    single.extend(lists);
    single
}

/// A text, or the JSON of another value in its place.
fn text(value: Value) -> String {
    match value {
        Value::String(text) => text,
        other => other.to_string(),
    }
}

#[cfg(test)]
mod tests {
    use lambda_http::Request;
    use lambda_http::http::header::AUTHORIZATION;
    use serde_json::json;

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
            let headers = json!({"appIdV3": "2", "authorization": control});
            let lists = json!({"appIdV3": ["1", "2"]});
            let parts = json!({"headers": headers, "multiValueHeaders": lists});
            for event in &events(&parts)[1..] {
                let request = read(event).expect("a request");
                assert_eq!(request.headers().get_all("appidv3").iter().count(), 2);
                assert!(request.headers().contains_key("authorization"));
            }
        }
    }

    #[test]
    fn what_is_not_text_is_taken_for_its_json() {
        let headers = json!({"appIdV3": 1, "authorization": null, "content-type": [true]});
        let parts = json!({"headers": headers, "body": {"x": [1]}});
        for event in events(&parts) {
            let request = read(&event).expect("a request");
            assert_eq!(request.headers()["appidv3"], "1");
            assert_eq!(request.headers()["content-type"], "true");
            assert!(!request.headers().contains_key("authorization"));
            assert_eq!(request.body().as_ref(), br#"{"x":[1]}"#);
        }
    }
}
