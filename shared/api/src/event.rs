//! The event of a gateway, read so that no request can make the function fail before the
//! endpoint sees it: what `lambda_http` would not read is a refusal of the request, not an error
//! of ours.

use std::fmt;
use std::marker::PhantomData;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use lambda_http::aws_lambda_events::alb::AlbTargetGroupRequest;
use lambda_http::aws_lambda_events::apigw::{ApiGatewayProxyRequest, ApiGatewayV2httpRequest};
use lambda_http::http::header::{HeaderMap, HeaderValue};
use lambda_http::request::LambdaRequest;
use percent_encoding::percent_decode_str;
use serde::de::{DeserializeOwned, DeserializeSeed, IgnoredAny, MapAccess, SeqAccess, Visitor};
use serde::{Deserialize, Deserializer};
use serde_json::Value;

use crate::incoming::HEADERS;
use crate::json::{Json, Object};

/// A request as an HTTP API, a REST API or a load balancer hands it over, with nothing in it that
/// `lambda_http` would panic over. Of an event only what an endpoint looks at is read: path, query,
/// headers and body. The method is the gateway's.
///
/// Any JSON can be read: who presses Test in the console, or keeps a function warm, sends something
/// else than a gateway does, and that is no fault of the function.
#[derive(Debug)]
pub struct GatewayEvent(Option<(LambdaRequest, Object)>);

impl GatewayEvent {
    /// The request and its query; `None` when the event is none of a gateway.
    pub(crate) fn into_request(self) -> Option<(LambdaRequest, Object)> {
        self.0
    }
}

impl<'de> Deserialize<'de> for GatewayEvent {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let event = Lenient::<Event>::new().deserialize(deserializer)?;
        Ok(Self(event.and_then(Event::into_request)))
    }
}

#[derive(Default)]
struct Event {
    context: Option<Context>,
    path: Value,
    headers: Value,
    multi_value_headers: Value,
    body: Value,
    is_base64_encoded: Value,
    query: Value,
    multi_value_query: Value,
}

#[derive(Deserialize)]
#[serde(field_identifier, rename_all = "camelCase")]
enum EventMember {
    RequestContext,
    // An HTTP API has both, and the first is as the caller wrote it.
    RawPath,
    Path,
    Headers,
    MultiValueHeaders,
    Body,
    IsBase64Encoded,
    QueryStringParameters,
    MultiValueQueryStringParameters,
    #[serde(other)]
    Other,
}

impl Members for Event {
    type Name = EventMember;

    fn read<'de, A: MapAccess<'de>>(
        &mut self,
        name: EventMember,
        of: &mut A,
    ) -> Result<(), A::Error> {
        match name {
            EventMember::RequestContext => self.context = of.next_value_seed(Lenient::new())?,
            EventMember::RawPath | EventMember::Path => self.path = of.next_value()?,
            EventMember::Headers => self.headers = of.next_value()?,
            EventMember::MultiValueHeaders => self.multi_value_headers = of.next_value()?,
            EventMember::Body => self.body = of.next_value()?,
            EventMember::IsBase64Encoded => self.is_base64_encoded = of.next_value()?,
            EventMember::QueryStringParameters => self.query = of.next_value()?,
            EventMember::MultiValueQueryStringParameters => {
                self.multi_value_query = of.next_value()?;
            }
            EventMember::Other => drop(of.next_value::<IgnoredAny>()?),
        }
        Ok(())
    }
}

/// As much of a request context as tells which gateway it is, and so the form of the answer: whether
/// these members are there.
#[derive(Default)]
struct Context {
    elb: bool,
    http: bool,
    http_method: bool,
}

#[derive(Deserialize)]
#[serde(field_identifier, rename_all = "camelCase")]
enum ContextMember {
    Elb,
    Http,
    HttpMethod,
    #[serde(other)]
    Other,
}

impl Members for Context {
    type Name = ContextMember;

    fn read<'de, A: MapAccess<'de>>(
        &mut self,
        name: ContextMember,
        of: &mut A,
    ) -> Result<(), A::Error> {
        let is_there = of.next_value::<Option<IgnoredAny>>()?.is_some();
        match name {
            ContextMember::Elb => self.elb = is_there,
            ContextMember::Http => self.http = is_there,
            ContextMember::HttpMethod => self.http_method = is_there,
            ContextMember::Other => {}
        }
        Ok(())
    }
}

/// What is read of an object, member by member.
trait Members: Default {
    /// The names that matter.
    type Name: DeserializeOwned;

    /// Reads the value of a member.
    fn read<'de, A: MapAccess<'de>>(
        &mut self,
        name: Self::Name,
        of: &mut A,
    ) -> Result<(), A::Error>;
}

/// Reads an object; of any other JSON, nothing.
struct Lenient<T>(PhantomData<T>);

impl<T> Lenient<T> {
    fn new() -> Self {
        Self(PhantomData)
    }
}

impl<'de, T: Members> DeserializeSeed<'de> for Lenient<T> {
    type Value = Option<T>;

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<Option<T>, D::Error> {
        deserializer.deserialize_any(self)
    }
}

impl<'de, T: Members> Visitor<'de> for Lenient<T> {
    type Value = Option<T>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("JSON")
    }

    fn visit_unit<E>(self) -> Result<Option<T>, E> {
        Ok(None)
    }

    fn visit_bool<E>(self, _: bool) -> Result<Option<T>, E> {
        Ok(None)
    }

    fn visit_i64<E>(self, _: i64) -> Result<Option<T>, E> {
        Ok(None)
    }

    fn visit_u64<E>(self, _: u64) -> Result<Option<T>, E> {
        Ok(None)
    }

    fn visit_f64<E>(self, _: f64) -> Result<Option<T>, E> {
        Ok(None)
    }

    fn visit_str<E>(self, _: &str) -> Result<Option<T>, E> {
        Ok(None)
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut elements: A) -> Result<Option<T>, A::Error> {
        while elements.next_element::<IgnoredAny>()?.is_some() {}
        Ok(None)
    }

    fn visit_map<A: MapAccess<'de>>(self, mut members: A) -> Result<Option<T>, A::Error> {
        let mut object = T::default();
        while let Some(name) = members.next_key()? {
            object.read(name, &mut members)?;
        }
        Ok(Some(object))
    }
}

impl Event {
    fn into_request(self) -> Option<(LambdaRequest, Object)> {
        let context = self.context?;
        // A load balancer leaves parameters encoded. Where there is a list of the values of one, it says
        // more.
        let decode = if context.elb { decoded } else { str::to_owned };
        let mut parameters = query(self.query, decode);
        parameters.extend(query(self.multi_value_query, decode));
        let (body, is_base64_encoded) = body(self.body, &self.is_base64_encoded);
        let single = headers(self.headers);
        let path = path(self.path);
        // A REST API and a load balancer tell the values of a header in two places. Where there
        // is a list, it says more.
        let merged = |single| merge(single, headers(self.multi_value_headers));
        let request = if context.elb {
            let mut request = AlbTargetGroupRequest::default();
            request.path = path;
            request.headers = merged(single);
            request.body = body;
            request.is_base64_encoded = is_base64_encoded;
            LambdaRequest::Alb(request)
        } else if context.http {
            let mut request = ApiGatewayV2httpRequest::default();
            request.raw_path = path;
            request.headers = single;
            request.body = body;
            request.is_base64_encoded = is_base64_encoded;
            LambdaRequest::ApiGatewayV2(request)
        } else if context.http_method {
            let mut request = ApiGatewayProxyRequest::default();
            request.path = path;
            request.headers = merged(single);
            request.body = body;
            request.is_base64_encoded = is_base64_encoded;
            LambdaRequest::ApiGatewayV1(request)
        } else {
            return None;
        };
        Some((request, parameters))
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

/// The longest path that is read, in bytes: no id of ours needs more, and a URI takes 64 KiB.
const MAX_PATH: usize = 8_192;

/// The path, if it could name something of ours: every id is of these characters, and `lambda_http`
/// makes a URI of it, which it need not be.
fn path(path: Value) -> Option<String> {
    let Value::String(path) = path else { return None };
    let is_plain = |b: u8| b.is_ascii_alphanumeric() || b"/-_.~".contains(&b);
    let is_ours = path.starts_with('/') && path.len() <= MAX_PATH && path.bytes().all(is_plain);
    is_ours.then_some(path)
}

/// A text without its percent-encoding; what is none stays as it is.
fn decoded(text: &str) -> String {
    percent_decode_str(&text.replace('+', " ")).decode_utf8_lossy().into_owned()
}

/// The parameters of a query, as the fields of an object. Several values of one come with commas between
/// them, as an HTTP API has them: no parameter takes a comma, so that such a one is refused.
fn query(parameters: Value, decode: fn(&str) -> String) -> Object {
    let Value::Object(parameters) = parameters else { return Object::new() };
    let one = |value| decode(&text(value));
    let value = |value| match value {
        Value::Array(values) => values.into_iter().map(one).collect::<Vec<_>>().join(","),
        value => one(value),
    };
    let field = |(name, given): (String, Value)| (decode(&name), Json::String(value(given)));
    parameters.into_iter().map(field).collect()
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
    use crate::Incoming;

    fn read(event: &Value) -> Option<Request> {
        let read: GatewayEvent = serde_json::from_value(event.clone()).expect("any JSON");
        let text: GatewayEvent = serde_json::from_str(&event.to_string()).expect("any JSON");
        assert_eq!(format!("{read:?}"), format!("{text:?}"));
        read.into_request().map(|(request, _)| Request::from(request))
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
    fn what_is_no_event_of_a_gateway_is_no_request() {
        for event in [
            json!({}),
            json!([]),
            json!([{"requestContext": {"http": {}}}]),
            json!(null),
            json!("ping"),
            json!(-1),
            json!(1),
            json!(1.5),
            json!(true),
            json!({"key1": "value1", "key2": "value2", "key3": "value3"}),
            json!({"Records": []}),
            json!({"requestContext": null}),
            json!({"requestContext": "http"}),
            json!({"requestContext": [{"http": {}}]}),
            json!({"requestContext": {"http": null}}),
            json!({"requestContext": {"stage": "x"}, "headers": {}}),
        ] {
            assert!(read(&event).is_none(), "{event}");
        }
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
    fn a_path_longer_than_any_of_ours_is_none() {
        for event in events(&json!({"rawPath": format!("/accounts/{}", "a".repeat(70_000))})) {
            let mut event = event;
            event["path"] = event["rawPath"].clone();
            let request = Incoming::from(read(&event).expect("a request"));
            assert_eq!(request.path_parameter("GET /accounts/{id}"), None);
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
    fn the_query_is_the_same_whichever_gateway_hands_it_over() {
        let single = json!({"limit": "5", "cursor": "a,b", "n": null});
        let lists = json!({"cursor": ["a", "b"], "limit": ["5"]});
        let both =
            json!({"queryStringParameters": single, "multiValueQueryStringParameters": lists});
        for parts in [both, json!({"queryStringParameters": single})] {
            for event in events(&parts) {
                let event: GatewayEvent = serde_json::from_value(event).expect("any JSON");
                let (_, query) = event.into_request().expect("a request");
                let text = |text: &str| Json::String(text.to_owned());
                let expected = [("cursor", "a,b"), ("limit", "5"), ("n", "null")];
                let expected = expected.map(|(name, value)| (name.to_owned(), text(value)));
                assert_eq!(query, Object::from(expected));
            }
        }
        for none in [
            json!({}),
            json!({"queryStringParameters": null}),
            json!({"queryStringParameters": []}),
        ] {
            for event in events(&none) {
                let event: GatewayEvent = serde_json::from_value(event).expect("any JSON");
                assert_eq!(event.into_request().expect("a request").1, Object::new());
            }
        }
    }

    #[test]
    fn a_load_balancer_leaves_the_query_encoded() {
        let encoded = json!({"cur%73or": "%C3%A9+%2c%zz", "limit": ["1%30", "2"]});
        let [http, rest, balancer] = events(&json!({"queryStringParameters": encoded}));
        let plain = [("cur%73or", "%C3%A9+%2c%zz"), ("limit", "1%30,2")];
        for (event, expected) in
            [(http, plain), (rest, plain), (balancer, [("cursor", "é ,%zz"), ("limit", "10,2")])]
        {
            let event: GatewayEvent = serde_json::from_value(event).expect("any JSON");
            let field =
                |(name, value): (&str, &str)| (name.to_owned(), Json::String(value.to_owned()));
            assert_eq!(
                event.into_request().expect("a request").1,
                Object::from(expected.map(field))
            );
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
