//! The stack that is driven: its addresses, its command line, its table and queues.

use std::fmt::Debug;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Duration;

use aws_sdk_dynamodb::config::{BehaviorVersion, Credentials, Region};
use aws_sdk_dynamodb::types::AttributeValue;
use headcount_tests::Item;
use reqwest::Method;
use serde_json::{Value, json};

/// How long something may take that happens behind the API.
const PATIENCE: Duration = Duration::from_secs(60);

/// A running stack.
pub(crate) struct Stack {
    file: PathBuf,
    description: Value,
    http: reqwest::Client,
}

/// What an endpoint answered.
#[derive(Debug)]
pub(crate) struct Answer {
    pub(crate) status: u16,
    pub(crate) headers: reqwest::header::HeaderMap,
    pub(crate) body: Value,
}

impl Answer {
    pub(crate) fn header(&self, name: &str) -> &str {
        self.headers.get(name).and_then(|value| value.to_str().ok()).unwrap_or_default()
    }
}

impl Stack {
    /// The stack of `HEADCOUNT_STACK`.
    pub(crate) fn up() -> Self {
        let file =
            std::env::var("HEADCOUNT_STACK").expect("HEADCOUNT_STACK; see `make end-to-end`");
        let file = PathBuf::from(file);
        let text = std::fs::read_to_string(&file).expect("a stack that is up");
        headcount_billing::stripe::install_tls();
        Self {
            file,
            description: serde_json::from_str(&text).expect("a description"),
            http: reqwest::Client::new(),
        }
    }

    /// stack.json.
    pub(crate) fn file(&self) -> &Path {
        &self.file
    }

    /// A text of stack.json by its JSON pointer.
    pub(crate) fn get(&self, pointer: &str) -> &str {
        let found = self.description.pointer(pointer).and_then(Value::as_str);
        found.unwrap_or_else(|| panic!("stack.json has no {pointer}"))
    }

    /// Posts JSON with headers.
    pub(crate) async fn post(&self, path: &str, headers: &[(&str, &str)], body: &Value) -> Answer {
        self.call(Method::POST, path, headers, Some(body)).await
    }

    /// Makes a request, with a JSON body if there is one.
    pub(crate) async fn call(
        &self,
        method: Method,
        path: &str,
        headers: &[(&str, &str)],
        body: Option<&Value>,
    ) -> Answer {
        let mut request = self.http.request(method, format!("{}{path}", self.get("/api")));
        if let Some(body) = body {
            request = request.header("content-type", "application/json").body(body.to_string());
        }
        for (name, value) in headers {
            request = request.header(*name, *value);
        }
        let response = request.send().await.expect("the API answers");
        Answer {
            status: response.status().as_u16(),
            headers: response.headers().clone(),
            body: serde_json::from_slice(&response.bytes().await.expect("a body"))
                .expect("every answer is JSON"),
        }
    }

    /// What `GET /billing` shows the holder of an API key.
    pub(crate) async fn billing(&self, key: &str) -> Value {
        let bearer = format!("Bearer {key}");
        let headers = [("authorization", bearer.as_str())];
        let answer = self.call(Method::GET, "/billing", &headers, None).await;
        assert_eq!(answer.status, 200, "{answer:?}");
        answer.body["data"].clone()
    }

    /// The operator's command line.
    pub(crate) fn command_line(&self) -> PathBuf {
        let test = std::env::current_exe().expect("a test binary");
        test.ancestors().nth(2).expect("a target folder").join("headcount")
    }

    /// Runs the operator's command line on this stack; returns what it prints.
    pub(crate) fn headcount(&self, arguments: &[&str]) -> Value {
        let output = Command::new(self.command_line())
            .args(["--output", "json", "--stack-file"])
            .arg(&self.file)
            .args(arguments)
            .output()
            .expect("headcount is built");
        let said = String::from_utf8_lossy(&output.stderr).into_owned();
        assert!(output.status.success(), "headcount {arguments:?}: {said}");
        serde_json::from_slice(&output.stdout).expect("JSON")
    }

    /// An address that no account of the stack has, however often these tests ran on it.
    pub(crate) fn unused_email(&self, name: &str) -> String {
        let made = self.headcount(&["agency", "create", "--name", "For a unique id"]);
        let unique = made["agency_lcuid"].as_str().expect("an id").to_lowercase();
        format!("{name}+{unique}@example.com")
    }

    /// An organization that is billed: its id, API key and subscription.
    pub(crate) fn organization(&self) -> (String, String, String) {
        let create = ["org", "create", "--name", "End to end", "--with-billing"];
        let limits = ["--seat-limit", "1000", "--spending-limit", "none"];
        let made = self.headcount(&[&create[..], &limits].concat());
        let text = |value: &Value| value.as_str().expect("a text").to_owned();
        let org = text(&made["org"]);
        let key = ["api-key", "create", "--org", &org, "--permission", "accounts:create"];
        let key = text(&self.headcount(&key)["credential"]);
        (org, key, text(&made["subscription"]))
    }

    /// The quantities of a subscription, basic and premium, as the Stripe stand-in has them.
    pub(crate) async fn quantities(&self, subscription: &str) -> (u64, u64) {
        let url = format!("{}/v1/subscriptions/{subscription}", self.get("/stripe"));
        let response = self.http.get(url).bearer_auth("sk_test_tests").send().await;
        let body = response.expect("the stand-in answers").bytes().await.expect("a body");
        let body: Value = serde_json::from_slice(&body).expect("JSON");
        let of = |lookup_key: &str| {
            let items = body["items"]["data"].as_array().into_iter().flatten();
            let mut items = items.filter(|item| item["price"]["lookup_key"] == lookup_key);
            items.next().and_then(|item| item["quantity"].as_u64()).unwrap_or(0)
        };
        (of("headcount_basic"), of("headcount_premium"))
    }

    /// Moves a subscription to a status, as if it had happened at Stripe.
    pub(crate) async fn set_status(&self, subscription: &str, status: &str) {
        let stripe = self.get("/stripe");
        let url = format!("{stripe}/_stand-in/subscriptions/{subscription}/status");
        let request = self.http.post(url).header("content-type", "application/json");
        let response = request.body(json!({"status": status}).to_string()).send().await;
        let answered = response.expect("the stand-in answers").status();
        assert!(answered.is_success(), "{subscription} {status}: {answered}");
    }

    /// Waits until the subscription holds these quantities.
    pub(crate) async fn until_billed(&self, subscription: &str, expected: (u64, u64)) {
        until(&expected, async || self.quantities(subscription).await).await;
    }

    fn aws(&self) -> aws_sdk_sqs::config::Builder {
        let (id, secret) = (self.get("/aws/access_key_id"), self.get("/aws/secret_access_key"));
        aws_sdk_sqs::Config::builder()
            .behavior_version(BehaviorVersion::latest())
            .region(Region::new(self.get("/aws/region").to_owned()))
            .credentials_provider(Credentials::new(id, secret, None, None, "stack"))
            .endpoint_url(self.get("/aws_endpoint"))
            .http_client(headcount_tests::plain_http())
    }

    /// A client of the queues.
    pub(crate) fn queues(&self) -> aws_sdk_sqs::Client {
        aws_sdk_sqs::Client::from_conf(self.aws().build())
    }

    /// The items of a partition.
    pub(crate) async fn partition(&self, pk: &str) -> Vec<Item> {
        let (id, secret) = (self.get("/aws/access_key_id"), self.get("/aws/secret_access_key"));
        let config = aws_sdk_dynamodb::Config::builder()
            .behavior_version(BehaviorVersion::latest())
            .region(Region::new(self.get("/aws/region").to_owned()))
            .credentials_provider(Credentials::new(id, secret, None, None, "stack"))
            .endpoint_url(self.get("/aws_endpoint"))
            .http_client(headcount_tests::plain_http())
            .build();
        let query = aws_sdk_dynamodb::Client::from_conf(config)
            .query()
            .table_name(self.get("/table"))
            .consistent_read(true)
            .key_condition_expression("pk = :pk")
            .expression_attribute_values(":pk", AttributeValue::S(pk.to_owned()));
        let items = query.into_paginator().items().send();
        items.collect::<Result<Vec<_>, _>>().await.expect("the table answers")
    }

    /// What there is of an organization, each item by the beginning of its sort key.
    pub(crate) async fn kinds(&self, org: &str) -> Vec<String> {
        let items = self.partition(&format!("ORG#{org}")).await;
        let sort_keys = items.iter().filter_map(|item| item["sk"].as_s().ok());
        sort_keys.map(|key| key.split('#').next().unwrap_or_default().to_owned()).collect()
    }

    /// How many seats an organization has.
    pub(crate) async fn seats(&self, org: &str) -> usize {
        let items = self.partition(&format!("ORG#{org}")).await;
        let sort_keys = items.iter().filter_map(|item| item["sk"].as_s().ok());
        sort_keys.filter(|sk| sk.starts_with("SEAT#")).count()
    }

    /// The setup queue's message for a seat; it is taken off the queue.
    pub(crate) async fn setup_request(&self, seat: &str) -> Value {
        let queues = self.queues();
        let url = self.get("/billing_queue").replace("billing-changes.fifo", "seat-setup");
        let waiting = async {
            loop {
                let received = queues
                    .receive_message()
                    .queue_url(&url)
                    .max_number_of_messages(10)
                    .visibility_timeout(0)
                    .wait_time_seconds(1)
                    .send()
                    .await
                    .expect("the queue answers");
                for message in received.messages() {
                    let body = message.body().unwrap_or_default();
                    let event: Value = serde_json::from_str(body).expect("an event");
                    if event["detail"]["data"]["id"] == seat {
                        let receipt = message.receipt_handle();
                        let delete = queues.delete_message().queue_url(&url);
                        delete.set_receipt_handle(receipt.map(str::to_owned)).send().await.ok();
                        return event;
                    }
                }
            }
        };
        tokio::time::timeout(PATIENCE, waiting).await.expect("a setup request")
    }

    /// Sends what device provisioning sends.
    pub(crate) async fn send_setup_result(&self, result: &Value) {
        let url = self.get("/setup_results_queue");
        let id = ["id", "request", "outcome"].map(|name| result[name].to_string());
        let send = self.queues().send_message().queue_url(url).message_body(result.to_string());
        let send = send.message_group_id(result["organization"].as_str().expect("an id"));
        let id = id.join(":").replace('"', "");
        send.message_deduplication_id(id).send().await.expect("the queue answers");
    }
}

/// Looks at something that happens behind the API until it is as expected.
pub(crate) async fn until<T: Debug + PartialEq>(expected: &T, look: impl AsyncFn() -> T) {
    let mut ticks = tokio::time::interval(Duration::from_millis(100));
    let mut last = None;
    let waiting = async {
        loop {
            ticks.tick().await;
            if last.insert(look().await) == expected {
                return;
            }
        }
    };
    let waited = tokio::time::timeout(PATIENCE, waiting).await;
    assert!(waited.is_ok(), "it is {last:?}, not {expected:?}");
}
