//! Webhooks of Stripe, signed anew: what the sample events need, whose signatures are of the past.

use std::path::{Path, PathBuf};

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use clap::{Args, Subcommand};
use headcount_billing::webhook::SigningSecrets;
use headcount_model::port::{Clock, System};
use jiff::Timestamp;
use serde_json::{Map, Value, json};

use crate::failure::Failure;
use crate::report::Report;
use crate::subscription::SubscriptionId;

const SIGNATURE: &str = "stripe-signature";

/// Webhooks of Stripe.
#[derive(Subcommand)]
pub(crate) enum Command {
    /// Prints a webhook as the event of a gateway, signed now, for the console's Test tab or
    /// `cargo lambda invoke --data-file`.
    ///
    /// The file holds an event of Stripe's API or a whole event of a gateway, such as those in
    /// tests/events/stripe-webhook; of the latter only signature, length and body change.
    Sign(Sign),
}

/// What to sign, and with what.
#[derive(Args)]
pub(crate) struct Sign {
    /// The signing secret of the webhook endpoint, whsec_… (of a local stack: .local/webhook.json).
    #[arg(
        long,
        env = "STRIPE_WEBHOOK_SECRET",
        hide_env_values = true,
        value_parser = SigningSecrets::parse
    )]
    secret: SigningSecrets,
    /// The time of the signature, in Unix seconds; without it, now. It is believed for 5 minutes.
    #[arg(long, value_name = "UNIX SECONDS", value_parser = time)]
    at: Option<Timestamp>,
    /// The subscription that the event is to be about, in the place of the one it names.
    #[arg(long, value_name = "SUB", value_parser = SubscriptionId::parse)]
    subscription: Option<SubscriptionId>,
    /// The webhook.
    file: PathBuf,
}

/// Reads Unix seconds.
fn time(text: &str) -> Result<Timestamp, String> {
    let seconds = text.parse().map_err(|_| "a whole number of seconds")?;
    Timestamp::from_second(seconds).map_err(|error| error.to_string())
}

impl Command {
    pub(crate) fn run(self) -> Result<Report, Failure> {
        let Command::Sign(Sign { secret, at, subscription, file }) = self;
        let text = read(&file)?;
        let mut webhook = Webhook::parse(&text).map_err(|not| not.of(&file))?;
        if let Some(subscription) = subscription {
            webhook.is_about(&subscription).map_err(|not| not.of(&file))?;
        }
        let at = at.unwrap_or_else(|| System.now());
        Ok(Report::of_document(webhook.signed(&secret, at)))
    }
}

fn read(file: &Path) -> Result<String, Failure> {
    std::fs::read_to_string(file)
        .map_err(|error| Failure::new(format!("the webhook {}: {error}", file.display())))
}

/// What a file holds instead of a webhook.
#[derive(Debug, PartialEq, Eq)]
enum NotAWebhook {
    /// It is not a JSON object.
    Malformed(String),
    /// The event of a gateway has no body that is text.
    Empty,
    /// It is about something else than a subscription.
    OtherSubject,
}

impl NotAWebhook {
    fn of(self, file: &Path) -> Failure {
        let why = match self {
            NotAWebhook::Malformed(error) => error,
            NotAWebhook::Empty => "the event of a gateway without a text as its body".to_owned(),
            NotAWebhook::OtherSubject => "it is about no subscription".to_owned(),
        };
        Failure::new(format!("the webhook {}: {why}", file.display()))
    }
}

/// A webhook on its way through a gateway.
struct Webhook {
    event: Map<String, Value>,
    body: String,
}

impl Webhook {
    /// Reads the event of a gateway; anything else is the body of one.
    fn parse(text: &str) -> Result<Self, NotAWebhook> {
        let object = serde_json::from_str::<Map<String, Value>>(text)
            .map_err(|error| NotAWebhook::Malformed(error.to_string()))?;
        if !object.contains_key("requestContext") {
            return Ok(Self { event: http_api_event(), body: text.to_owned() });
        }
        let body = object.get("body").and_then(Value::as_str).ok_or(NotAWebhook::Empty)?;
        let body = if is_base64(&object) {
            let bytes = STANDARD.decode(body).map_err(|_| NotAWebhook::Empty)?;
            String::from_utf8(bytes).map_err(|_| NotAWebhook::Empty)?
        } else {
            body.to_owned()
        };
        Ok(Self { event: object, body })
    }

    /// Puts a subscription in the place of the one that the body is about.
    fn is_about(&mut self, subscription: &SubscriptionId) -> Result<(), NotAWebhook> {
        let mut body: Value = serde_json::from_str(&self.body)
            .map_err(|error| NotAWebhook::Malformed(error.to_string()))?;
        let object = body
            .pointer_mut("/data/object")
            .filter(|object| object["object"] == "subscription" && object["id"].is_string());
        let object = object.ok_or(NotAWebhook::OtherSubject)?;
        object["id"] = json!(subscription.as_str());
        if let Some(Value::Array(items)) = object.pointer_mut("/items/data") {
            for item in items {
                item["subscription"] = json!(subscription.as_str());
            }
        }
        self.body = body.to_string();
        Ok(())
    }

    /// The event of the gateway with a signature of that time.
    fn signed(mut self, secrets: &SigningSecrets, at: Timestamp) -> Value {
        let signature = secrets.sign(self.body.as_bytes(), at);
        let length = self.body.len().to_string();
        for (name, value) in [(SIGNATURE, &signature), ("content-length", &length)] {
            set_header(&mut self.event, name, value);
        }
        let body = if is_base64(&self.event) { STANDARD.encode(&self.body) } else { self.body };
        self.event.insert("body".to_owned(), json!(body));
        Value::Object(self.event)
    }
}

fn is_base64(event: &Map<String, Value>) -> bool {
    event.get("isBase64Encoded") == Some(&json!(true))
}

/// Sets a header wherever the event has headers: REST APIs give them twice, and load balancers in
/// one of two ways.
fn set_header(event: &mut Map<String, Value>, name: &str, value: &str) {
    for (member, value) in [("headers", json!(value)), ("multiValueHeaders", json!([value]))] {
        let Some(Value::Object(headers)) = event.get_mut(member) else { continue };
        let spelled = headers.keys().find(|known| known.eq_ignore_ascii_case(name));
        let spelled = spelled.map_or_else(|| name.to_owned(), Clone::clone);
        headers.insert(spelled, value);
    }
}

/// What an HTTP API makes of a webhook, payload version 2.0, without body and signature
/// (<https://docs.aws.amazon.com/apigateway/latest/developerguide/http-api-develop-integrations-lambda.html>).
fn http_api_event() -> Map<String, Value> {
    let (route, path) = ("POST /webhooks/stripe", "/webhooks/stripe");
    let host = "a1b2c3d4e5.execute-api.us-east-1.amazonaws.com";
    let agent = "Stripe/1.0 (+https://stripe.com/docs/webhooks)";
    let event = json!({
        "version": "2.0",
        "routeKey": route,
        "rawPath": path,
        "rawQueryString": "",
        "headers": {
            "content-type": "application/json; charset=utf-8",
            "host": host,
            "user-agent": agent,
        },
        "requestContext": {
            "accountId": "123456789012",
            "apiId": "a1b2c3d4e5",
            "domainName": host,
            "domainPrefix": "a1b2c3d4e5",
            "http": {
                "method": "POST",
                "path": path,
                "protocol": "HTTP/1.1",
                "sourceIp": "192.0.2.1",
                "userAgent": agent,
            },
            "requestId": "YRkGHg4RIAMEYzE=",
            "routeKey": route,
            "stage": "$default",
            "time": "03/Feb/2026:18:12:47 +0000",
            "timeEpoch": 1_770_142_367_000_u64,
        },
        "isBase64Encoded": false,
    });
    match event {
        Value::Object(event) => event,
        _ => Map::new(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const BODY: &str = r#"{ "id":"evt_1","type":"customer.subscription.updated","data":{"object":
        {"object":"subscription","id":"sub_old","items":{"data":[{"subscription":"sub_old"}]}}}}"#;

    fn secrets() -> SigningSecrets {
        SigningSecrets::parse("whsec_test").expect("a secret")
    }

    fn at() -> Timestamp {
        Timestamp::from_second(1_790_000_000).expect("a time")
    }

    /// The body of a signed event, whose signature must be right.
    fn accepted(event: &Value) -> String {
        let body = event["body"].as_str().expect("a body");
        let body = if event["isBase64Encoded"] == true {
            String::from_utf8(STANDARD.decode(body).expect("base64")).expect("text")
        } else {
            body.to_owned()
        };
        for headers in [&event["headers"], &event["multiValueHeaders"]] {
            for (name, value) in headers.as_object().into_iter().flatten() {
                let value = value.as_str().or(value[0].as_str()).expect("a text");
                match name.to_ascii_lowercase().as_str() {
                    SIGNATURE => {
                        let header = Some(value.as_bytes());
                        assert_eq!(secrets().verify(header, body.as_bytes(), at()), Ok(()));
                    }
                    "content-length" => assert_eq!(value, body.len().to_string()),
                    _ => {}
                }
            }
        }
        body
    }

    fn event(headers: &Value, body: &str, is_base64: bool) -> String {
        let mut event = json!({"requestContext": {}, "body": body, "isBase64Encoded": is_base64});
        for (name, value) in headers.as_object().expect("headers") {
            event[name] = value.clone();
        }
        event.to_string()
    }

    #[test]
    fn a_payload_becomes_an_event_with_the_same_bytes() {
        let webhook = Webhook::parse(BODY).expect("a payload");
        let signed = webhook.signed(&secrets(), at());
        assert_eq!(signed["version"], "2.0");
        assert!(signed["headers"][SIGNATURE].is_string());
        assert_eq!(accepted(&signed), BODY);
    }

    #[test]
    fn every_gateway_gets_its_header_where_it_looks_for_it() {
        let base64 = STANDARD.encode(BODY);
        for (headers, body, is_base64) in [
            (json!({"headers": {"stripe-signature": "old"}}), BODY, false),
            (json!({"headers": {"stripe-signature": "old"}}), base64.as_str(), true),
            (
                json!({"headers": {"Stripe-Signature": "old", "Content-Length": "1"},
                    "multiValueHeaders": {"Stripe-Signature": ["old"]}}),
                BODY,
                false,
            ),
            (json!({"multiValueHeaders": {"stripe-signature": ["old"]}}), &base64, true),
            (json!({"headers": {}}), BODY, false),
        ] {
            let webhook = Webhook::parse(&event(&headers, body, is_base64));
            let signed = webhook.expect("an event").signed(&secrets(), at());
            assert_eq!(accepted(&signed), BODY, "{headers}");
            assert!(!signed.to_string().contains("old\""), "{signed}");
            assert_eq!(signed["isBase64Encoded"], is_base64);
        }
    }

    #[test]
    fn another_subscription_takes_the_place_of_the_one_named() {
        let mut webhook = Webhook::parse(BODY).expect("a payload");
        let subscription = SubscriptionId::parse("sub_new").expect("an id");
        assert_eq!(webhook.is_about(&subscription), Ok(()));
        let body = accepted(&webhook.signed(&secrets(), at()));
        assert_eq!(body.matches("sub_new").count(), 2);
        assert!(!body.contains("sub_old"));
    }

    #[test]
    fn what_is_no_webhook_is_refused() {
        for text in ["", "[]", "\"x\"", "{"] {
            assert!(matches!(Webhook::parse(text), Err(NotAWebhook::Malformed(_))), "{text}");
        }
        let without = r#"{"requestContext":{}}"#;
        assert!(matches!(Webhook::parse(without), Err(NotAWebhook::Empty)));
        let invoice = r#"{"data":{"object":{"object":"invoice","id":"in_1"}}}"#;
        let mut invoice = Webhook::parse(invoice).expect("a payload");
        let subscription = SubscriptionId::parse("sub_new").expect("an id");
        assert_eq!(invoice.is_about(&subscription), Err(NotAWebhook::OtherSubject));
    }

    #[test]
    fn a_time_is_in_unix_seconds() {
        assert_eq!(time("1790000000"), Ok(at()));
        for bad in ["", "now", "1.5", "99999999999999999"] {
            assert!(time(bad).is_err(), "{bad}");
        }
    }
}
