//! A call of an HTTP function, as API Gateway makes it, and its reply.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use headcount_api::{Endpoint, GatewayEvent, answer};
use lambda_http::Context;
use lambda_http::lambda_runtime::LambdaEvent;
use serde_json::{Map, Value, json};

/// A request to an endpoint: a `POST` with a JSON content type until told otherwise.
#[derive(Debug, Clone)]
pub struct Call {
    path: String,
    /// Names and values, as they stand in a URL.
    query: Vec<(String, String)>,
    headers: Map<String, Value>,
    body: Value,
    is_base64: bool,
}

impl Call {
    /// A call with a text body.
    pub fn text(body: impl Into<String>) -> Self {
        let mut headers = Map::new();
        headers.insert("content-type".to_owned(), json!("application/json"));
        Self {
            path: "/".to_owned(),
            query: Vec::new(),
            headers,
            body: json!(body.into()),
            is_base64: false,
        }
    }

    /// A call with a JSON body.
    pub fn json(body: &Value) -> Self {
        Self::text(body.to_string())
    }

    /// A call whose body the gateway hands over as base64.
    pub fn bytes(body: &[u8]) -> Self {
        Self::raw_base64(&STANDARD.encode(body))
    }

    /// A call whose body is said to be base64, whether it is or not.
    pub fn raw_base64(body: &str) -> Self {
        Self { is_base64: true, ..Self::text(body) }
    }

    /// A call without a body.
    pub fn empty() -> Self {
        Self { body: Value::Null, ..Self::text("") }
    }

    /// With a path.
    #[must_use]
    pub fn at(self, path: &str) -> Self {
        Self { path: path.to_owned(), ..self }
    }

    /// With a parameter, as it stands in a URL.
    #[must_use]
    pub fn query(mut self, name: &str, value: &str) -> Self {
        self.query.push((name.to_owned(), value.to_owned()));
        self
    }

    /// With a header, in lower case as HTTP APIs send them.
    #[must_use]
    pub fn header(mut self, name: &str, value: &str) -> Self {
        self.headers.insert(name.to_owned(), json!(value));
        self
    }

    /// With one more value of a header that is there already.
    #[must_use]
    pub fn header_again(mut self, name: &str, value: &str) -> Self {
        let values = self.headers.entry(name).or_insert_with(|| json!([]));
        if values.is_string() {
            *values = json!([values]);
        }
        values.as_array_mut().expect("a list").push(json!(value));
        self
    }

    /// Without a header.
    #[must_use]
    pub fn without(mut self, name: &str) -> Self {
        self.headers.remove(name);
        self
    }

    /// With a bearer credential.
    #[must_use]
    pub fn bearer(self, credential: &str) -> Self {
        self.header("authorization", &format!("Bearer {credential}"))
    }

    /// With an idempotency key.
    #[must_use]
    pub fn key(self, key: &str) -> Self {
        self.header("idempotency-key", key)
    }

    /// The event of an HTTP API, payload version 2.0
    /// (<https://docs.aws.amazon.com/apigateway/latest/developerguide/http-api-develop-integrations-lambda.html>).
    pub fn event(&self) -> Value {
        // The values of one header come with commas between them.
        let headers = self.headers.iter().map(|(name, value)| {
            let value = match value.as_array() {
                Some(values) => {
                    values.iter().filter_map(Value::as_str).collect::<Vec<_>>().join(",")
                }
                None => value.as_str().unwrap_or_default().to_owned(),
            };
            (name.clone(), json!(value))
        });
        let query = self.query.iter().map(|(name, value)| format!("{name}={value}"));
        // So do those of one parameter.
        let mut parameters: Map<String, Value> = Map::new();
        for (name, value) in &self.query {
            let value = match parameters.get(name).and_then(Value::as_str) {
                Some(known) => format!("{known},{}", decoded(value)),
                None => decoded(value),
            };
            parameters.insert(name.clone(), json!(value));
        }
        json!({
            "version": "2.0",
            "routeKey": "POST /",
            "rawPath": self.path,
            "rawQueryString": query.collect::<Vec<_>>().join("&"),
            "headers": headers.collect::<Map<_, _>>(),
            "queryStringParameters": parameters,
            "requestContext": {
                "accountId": "123456789012",
                "apiId": "api",
                "domainName": "api.execute-api.us-east-1.amazonaws.com",
                "http": {
                    "method": "POST",
                    "path": self.path,
                    "protocol": "HTTP/1.1",
                    "sourceIp": "192.0.2.1",
                    "userAgent": "test"
                },
                "requestId": "gateway-request",
                "routeKey": "POST /",
                "stage": "$default",
                "time": "03/Feb/2026:18:12:47 +0000",
                "timeEpoch": 1_770_142_367_000_u64
            },
            "body": self.body,
            "isBase64Encoded": self.is_base64
        })
    }

    /// The event of a REST API, payload version 1.0
    /// (<https://docs.aws.amazon.com/apigateway/latest/developerguide/set-up-lambda-proxy-integrations.html#api-gateway-simple-proxy-for-lambda-input-format>).
    pub fn rest_event(&self) -> Value {
        self.event_with_lists(
            decoded,
            &json!({
                "accountId": "123456789012",
                "apiId": "api",
                "domainName": "api.execute-api.us-east-1.amazonaws.com",
                "httpMethod": "POST",
                "identity": {"sourceIp": "192.0.2.1"},
                "requestId": "gateway-request",
                "resourcePath": "/",
                "stage": "prod"
            }),
        )
    }

    /// The event of an Application Load Balancer with lists of header values
    /// (<https://docs.aws.amazon.com/elasticloadbalancing/latest/application/lambda-functions.html#multi-value-headers>).
    pub fn load_balancer_event(&self) -> Value {
        let group = "arn:aws:elasticloadbalancing:us-east-1:123456789012:targetgroup/headcount/1";
        // It leaves parameters as they are.
        self.event_with_lists(str::to_owned, &json!({"elb": {"targetGroupArn": group}}))
    }

    /// An event that has every header twice: its last value, and the list of all.
    fn event_with_lists(&self, parameter: fn(&str) -> String, context: &Value) -> Value {
        let lists = self.headers.iter().map(|(name, value)| {
            (name.clone(), if value.is_array() { value.clone() } else { json!([value]) })
        });
        let lists: Map<_, _> = lists.collect();
        let last = |values: &Value| values.as_array().and_then(|values| values.last()).cloned();
        let single: Map<_, _> =
            lists.iter().filter_map(|(name, values)| Some((name.clone(), last(values)?))).collect();
        let mut parameters: Map<String, Value> = Map::new();
        for (name, value) in &self.query {
            let values = parameters.entry(name).or_insert_with(|| json!([]));
            values.as_array_mut().expect("a list").push(json!(parameter(value)));
        }
        json!({
            "resource": "/",
            "path": self.path,
            "httpMethod": "POST",
            "multiValueQueryStringParameters": parameters,
            "headers": single,
            "multiValueHeaders": lists,
            "requestContext": context,
            "body": self.body,
            "isBase64Encoded": self.is_base64
        })
    }

    /// Sends the call to an endpoint.
    pub async fn send(&self, endpoint: &impl Endpoint) -> Reply {
        Reply::to_event(endpoint, &self.event()).await
    }
}

/// A text without its percent-encoding.
fn decoded(text: &str) -> String {
    let mut parts = text.split('%');
    let mut bytes = parts.next().unwrap_or_default().as_bytes().to_vec();
    for part in parts {
        bytes.push(u8::from_str_radix(&part[..2], 16).expect("two digits"));
        bytes.extend_from_slice(&part.as_bytes()[2..]);
    }
    String::from_utf8_lossy(&bytes).into_owned()
}

/// What came back.
#[derive(Debug, Clone, PartialEq)]
pub struct Reply {
    /// HTTP status.
    pub status: u64,
    /// Headers, names in lower case.
    pub headers: Map<String, Value>,
    /// The body as text.
    pub text: String,
}

impl Reply {
    /// Hands an event to an endpoint as the Lambda runtime does.
    pub async fn to_event(endpoint: &impl Endpoint, event: &Value) -> Self {
        let request: GatewayEvent = serde_json::from_value(event.clone()).expect("any JSON");
        let mut context = Context::default();
        context.request_id = "request-1".to_owned();
        let response = answer(endpoint, LambdaEvent::new(request, context)).await;
        Self::of(&serde_json::to_value(response).expect("a response serializes"))
    }

    /// What a function returned to its gateway, whichever that is.
    pub fn of(response: &Value) -> Self {
        Self {
            status: response["statusCode"].as_u64().expect("a status"),
            headers: response["headers"]
                .as_object()
                .filter(|headers| !headers.is_empty())
                .or(response["multiValueHeaders"].as_object())
                .cloned()
                .unwrap_or_default(),
            text: response["body"].as_str().unwrap_or_default().to_owned(),
        }
    }

    /// The body as JSON.
    pub fn json(&self) -> Value {
        serde_json::from_str(&self.text).expect("every answer is JSON")
    }

    /// A header's text; empty when there is none.
    pub fn header(&self, name: &str) -> &str {
        match &self.headers.get(name) {
            Some(Value::Array(values)) => values.first().and_then(Value::as_str),
            Some(value) => value.as_str(),
            None => None,
        }
        .unwrap_or_default()
    }

    /// Whether it was an earlier answer again.
    pub fn is_replay(&self) -> bool {
        self.header("idempotency-replayed") == "true"
    }
}
