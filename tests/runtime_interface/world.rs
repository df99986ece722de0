//! What a function finds around it: a table with the demo tenants, secrets, and Stripe's stand-in.

use std::path::PathBuf;
use std::process::Command;

use aws_sdk_dynamodb::types::AttributeValue;
use axum::body::to_bytes;
use axum::extract::Request;
use axum::response::{IntoResponse, Response};
use axum::{Json, Router};
use headcount_billing::webhook::SigningSecrets;
use headcount_model::billing::SubscriptionStatus;
use headcount_model::port::Clock;
use headcount_tests::billing::{Billing, SIGNING_SECRET, STRIPE_KEY};
use headcount_tests::samples::{SUBSCRIPTION, Sample, fall_past_due, one, reply, seed, tenants};
use headcount_tests::{Stage, TABLE};
use serde_json::{Value, json};

const STRIPE_SECRET: &str = "stripe";
const WEBHOOK_SECRET: &str = "stripe-webhook";
const FINGERPRINT_SECRET: &str = "fingerprint";

/// The world of one function.
pub(crate) struct World {
    stage: Stage,
    billing: Billing,
    /// Where it finds AWS.
    aws: String,
    function: String,
    /// What bills the first organization now.
    subscription: String,
    /// The table holds the demo tenants and nothing else: what came last was refused.
    is_as_seeded: bool,
}

impl World {
    pub(crate) async fn new(function: &str) -> Self {
        let (stage, billing) = (Stage::new().await, Billing::new().await);
        let aws = serve_aws(stage.endpoint.clone()).await;
        Self {
            stage,
            billing,
            aws,
            function: function.to_owned(),
            subscription: String::new(),
            is_as_seeded: false,
        }
    }

    /// The variables that template.yaml gives to the functions, and those of Lambda itself.
    pub(crate) fn environment(&self) -> Vec<(&'static str, String)> {
        let price = |price: &Option<String>| price.clone().expect("a price");
        let (basic, premium) =
            (price(&self.billing.prices.basic), price(&self.billing.prices.premium));
        let tiers = json!([
            {"name": "basic", "price": basic, "unit_amount": 4_000, "device_type": "shared"},
            {"name": "premium", "price": premium, "unit_amount": 10_000, "device_type": "dedicated"},
        ]);
        vec![
            ("AWS_REGION", "us-east-1".to_owned()),
            ("AWS_ACCESS_KEY_ID", "test".to_owned()),
            ("AWS_SECRET_ACCESS_KEY", "test".to_owned()),
            ("AWS_ENDPOINT_URL", self.aws.clone()),
            ("RUST_LOG", "info".to_owned()),
            ("TABLE_NAME", TABLE.to_owned()),
            ("FINGERPRINT_SECRET_NAME", FINGERPRINT_SECRET.to_owned()),
            ("PLATFORMS", "tiktok,instagram".to_owned()),
            ("BILLABLE_STATES", "active,trialing,past_due".to_owned()),
            ("PAST_DUE_GRACE_DAYS", "7".to_owned()),
            ("PASSWORD_MIN_LENGTH", "15".to_owned()),
            ("RETENTION_DAYS", "30".to_owned()),
            ("SELF_SIGNUP", "on".to_owned()),
            ("TIERS", tiers.to_string()),
            ("STRIPE_API_BASE", self.billing.base.clone()),
            ("STRIPE_SECRET_NAME", STRIPE_SECRET.to_owned()),
            ("STRIPE_WEBHOOK_SECRET_NAME", WEBHOOK_SECRET.to_owned()),
        ]
    }

    /// Puts everything back to where a sample starts. Only what is asked of Stripe needs a
    /// subscription there; a new one each time, since a canceled one stays canceled.
    pub(crate) async fn begin_anew(&mut self, sample: &Sample) {
        if self.is_as_seeded && self.function != "stripe-webhook" {
            return;
        }
        self.stage.clear().await;
        self.subscription = match self.function.as_str() {
            "stripe-webhook"
            | "quote-seats"
            | "open-billing-portal"
            | "cancel-billing"
            | "resume-billing" => self.subscribe().await,
            _ => SUBSCRIPTION.to_owned(),
        };
        seed(&self.stage, &self.subscription).await;
        if self.function == "open-billing-portal" {
            let key = format!("payer after {}", self.subscription);
            let customer = self.create("/v1/customers", &[], &key).await;
            let pk = format!("ORG#{}", tenants().1.seats.org);
            let customer = AttributeValue::S(customer);
            self.stage.set(&pk, "BILLING", "stripe_customer", customer).await;
        }
        if self.function == "stripe-webhook" {
            fall_past_due(&self.stage, &self.subscription).await;
            if let Some(status) = status_told(sample) {
                self.billing.set_status(&self.subscription, status).await;
            }
        }
    }

    /// A subscription of the first organization to both prices.
    async fn subscribe(&self) -> String {
        let organization = tenants().1.seats.org;
        let metadata = ("metadata[organization]".to_owned(), organization.to_string());
        let key = |what: &str| format!("{what} after {}", self.subscription);
        let customer = [metadata.clone()];
        let customer = self.create("/v1/customers", &customer, &key("customer")).await;
        let mut form = vec![("customer".to_owned(), customer), metadata];
        let prices = [&self.billing.prices.basic, &self.billing.prices.premium];
        for (n, price) in prices.into_iter().enumerate() {
            let price = price.clone().expect("a price");
            form.push((format!("items[{n}][price]"), price));
            form.push((format!("items[{n}][quantity]"), "0".to_owned()));
        }
        self.create("/v1/subscriptions", &form, &key("subscription")).await
    }

    async fn create(&self, path: &str, form: &[(String, String)], key: &str) -> String {
        let created: Value =
            self.billing.stripe.post(path, form, key).await.expect("the stand-in creates it");
        created["id"].as_str().expect("an id").to_owned()
    }

    /// The event to send. A webhook whose signature was right in its time is signed now, by the
    /// operator's command line, and is about the subscription that there is.
    pub(crate) fn event(&self, sample: &Sample) -> Value {
        if self.function != "stripe-webhook" || !was_rightly_signed(sample, &self.stage) {
            return sample.event.clone();
        }
        let mut sign = Command::new(command_line());
        sign.args(["webhook", "sign", "--secret", SIGNING_SECRET]);
        if is_about_the_subscription(sample) {
            sign.args(["--subscription", &self.subscription]);
        }
        let output = sign.arg(&sample.path).output().expect("headcount is built");
        let said = String::from_utf8_lossy(&output.stderr);
        assert!(output.status.success(), "{said}");
        serde_json::from_slice(&output.stdout).expect("an event")
    }

    /// What a snapshot keeps: for webhooks also how the subscription stands afterwards.
    pub(crate) async fn outcome(&mut self, answer: Value) -> Value {
        self.is_as_seeded = answer["status"].as_u64().is_some_and(|status| status >= 400);
        if self.function != "stripe-webhook" {
            return answer;
        }
        let billing = one("get-billing", "shown");
        let billing = reply(&self.stage, &billing.function, &billing.event).await.json();
        json!({"answer": answer, "subscription_afterwards": billing["data"]["subscription"]})
    }
}

/// `headcount`, beside the folder of the test's own binary.
fn command_line() -> PathBuf {
    let test = std::env::current_exe().expect("a test binary");
    test.ancestors().nth(2).map(|target| target.join("headcount")).expect("a target folder")
}

fn was_rightly_signed(sample: &Sample, stage: &Stage) -> bool {
    let secrets = SigningSecrets::parse(SIGNING_SECRET).expect("a secret");
    let header = sample.header("stripe-signature").map(str::as_bytes);
    secrets.verify(header, &sample.body(), stage.ports.now()).is_ok()
}

fn object(sample: &Sample) -> Value {
    let body: Value = serde_json::from_slice(&sample.body()).unwrap_or_default();
    body["data"]["object"].clone()
}

fn is_about_the_subscription(sample: &Sample) -> bool {
    object(sample)["id"] == SUBSCRIPTION
}

/// How the subscription stands at Stripe when a webhook about it comes.
fn status_told(sample: &Sample) -> Option<SubscriptionStatus> {
    let status = object(sample)["status"].as_str().map(str::parse);
    status.and_then(Result::ok).filter(|_| is_about_the_subscription(sample))
}

/// One address for all of AWS, which is how a function is told of it: what is for Secrets Manager
/// is answered, the rest goes on to the table.
async fn serve_aws(table: String) -> String {
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.expect("a free port");
    let address = listener.local_addr().expect("an address");
    let http = reqwest::Client::new();
    let app = Router::new().fallback(move |request: Request| {
        let (http, table) = (http.clone(), table.clone());
        async move { answer(&http, &table, request).await }
    });
    tokio::spawn(async move { axum::serve(listener, app).await });
    format!("http://{address}")
}

async fn answer(http: &reqwest::Client, table: &str, request: Request) -> Response {
    let (parts, body) = request.into_parts();
    let body = to_bytes(body, usize::MAX).await.expect("a body");
    let target = parts.headers.get("x-amz-target").map_or(&b""[..], |target| target.as_bytes());
    if target.starts_with(b"secretsmanager.") {
        return get_secret_value(&body).into_response();
    }
    let mut headers = parts.headers;
    headers.remove("host");
    let sent = http.request(parts.method, table).headers(headers).body(body).send().await;
    let answered = sent.expect("the table answers");
    let (status, headers) = (answered.status(), answered.headers().clone());
    (status, headers, answered.bytes().await.expect("a body")).into_response()
}

/// Secrets Manager, as far as a function asks it
/// (<https://docs.aws.amazon.com/secretsmanager/latest/apireference/API_GetSecretValue.html>).
fn get_secret_value(body: &[u8]) -> Json<Value> {
    let request: Value = serde_json::from_slice(body).unwrap_or_default();
    let text = match request["SecretId"].as_str() {
        Some(STRIPE_SECRET) => STRIPE_KEY,
        Some(WEBHOOK_SECRET) => SIGNING_SECRET,
        Some(FINGERPRINT_SECRET) => "the secret of a stack, of 32 bytes or more",
        other => panic!("nobody should ask for {other:?}"),
    };
    Json(json!({"Name": request["SecretId"], "SecretString": text}))
}
