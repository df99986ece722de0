//! `headcount billing redrive` against two queues that speak SQS's JSON protocol.
#![allow(clippy::expect_used, reason = "a test fails by panicking")]

use std::process::Command;
use std::sync::{Arc, Mutex, MutexGuard, mpsc};

use axum::extract::State;
use axum::http::{HeaderMap, StatusCode};
use axum::routing::post;
use axum::{Json, Router};
use serde_json::{Value, json};

const QUEUE: &str = "http://sqs/1/billing.fifo";
const DLQ: &str = "http://sqs/1/billing-dlq.fifo";
const ORG: &str = "org_01k6z3v8m4t5q7r9w2x1y0abcd";

#[derive(Debug, Clone, PartialEq)]
struct Message {
    group: String,
    body: String,
    deduplication_id: String,
    in_flight: bool,
}

/// Both queues, and how many more messages are taken.
#[derive(Default)]
struct Contents {
    dead: Vec<Message>,
    queue: Vec<Message>,
    takes: usize,
}

#[derive(Clone, Default)]
struct Queues(Arc<Mutex<Contents>>);

impl Queues {
    fn with(dead: &[(&str, String)], takes: usize) -> Self {
        let dead = dead.iter().map(|(group, body)| Message {
            group: (*group).to_owned(),
            body: body.clone(),
            deduplication_id: "first".to_owned(),
            in_flight: false,
        });
        let contents = Contents { dead: dead.collect(), takes, ..Contents::default() };
        Self(Arc::new(Mutex::new(contents)))
    }

    fn contents(&self) -> MutexGuard<'_, Contents> {
        self.0.lock().expect("no test has panicked")
    }

    /// How many messages are dead, and how many are in the queue.
    fn counts(&self) -> (usize, usize) {
        let contents = self.contents();
        (contents.dead.len(), contents.queue.len())
    }

    /// Serves the queues for the rest of the process; returns the address.
    fn serve(&self) -> String {
        let (send, receive) = mpsc::channel();
        let router = Router::new().route("/", post(answer)).with_state(self.clone());
        std::thread::spawn(move || {
            let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
            runtime.expect("a runtime").block_on(async {
                let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.expect("a port");
                send.send(listener.local_addr().expect("bound")).expect("the test waits");
                axum::serve(listener, router).await.expect("serving");
            });
        });
        format!("http://{}", receive.recv().expect("the server starts"))
    }
}

async fn answer(
    State(queues): State<Queues>,
    headers: HeaderMap,
    body: String,
) -> (StatusCode, Json<Value>) {
    let target = headers.get("x-amz-target").and_then(|target| target.to_str().ok());
    let input: Value = serde_json::from_str(&body).expect("JSON");
    let mut contents = queues.contents();
    let answer = match target {
        Some("AmazonSQS.ReceiveMessage") => contents.receive(&input),
        Some("AmazonSQS.SendMessage") => match contents.send(&input) {
            Some(answer) => answer,
            None => {
                let error = json!({"__type": "com.amazonaws.sqs#QueueDoesNotExist"});
                return (StatusCode::BAD_REQUEST, Json(error));
            }
        },
        Some("AmazonSQS.DeleteMessage") => contents.delete(&input),
        other => panic!("{other:?} is not needed"),
    };
    (StatusCode::OK, Json(answer))
}

impl Contents {
    fn receive(&mut self, input: &Value) -> Value {
        assert_eq!(input["QueueUrl"], DLQ);
        let max = usize::try_from(input["MaxNumberOfMessages"].as_u64().expect("a number"));
        let visible = self.dead.iter_mut().enumerate().filter(|(_, message)| !message.in_flight);
        let received = visible.take(max.expect("small")).map(|(n, message)| {
            message.in_flight = true;
            json!({
                "MessageId": format!("m{n}"),
                "ReceiptHandle": message.body,
                "Body": message.body,
                "Attributes": {"MessageGroupId": message.group},
            })
        });
        json!({ "Messages": received.collect::<Vec<_>>() })
    }

    fn send(&mut self, input: &Value) -> Option<Value> {
        assert_eq!(input["QueueUrl"], QUEUE);
        self.takes = self.takes.checked_sub(1)?;
        let text = |field: &str| input[field].as_str().expect("a text").to_owned();
        self.queue.push(Message {
            group: text("MessageGroupId"),
            body: text("MessageBody"),
            deduplication_id: text("MessageDeduplicationId"),
            in_flight: false,
        });
        Some(json!({"MessageId": "sent"}))
    }

    fn delete(&mut self, input: &Value) -> Value {
        assert_eq!(input["QueueUrl"], DLQ);
        self.dead.retain(|message| input["ReceiptHandle"] != message.body);
        json!({})
    }
}

fn change(version: u64) -> String {
    json!({"organization": ORG, "version": version}).to_string()
}

fn redrive(address: &str, arguments: &[&str]) -> std::process::Output {
    let mut command = Command::new(env!("CARGO_BIN_EXE_headcount"));
    command
        .env_clear()
        .env("AWS_ENDPOINT_URL_SQS", address)
        .env("AWS_REGION", "us-east-1")
        .env("AWS_ACCESS_KEY_ID", "test")
        .env("AWS_SECRET_ACCESS_KEY", "test")
        .env("BILLING_QUEUE_URL", QUEUE)
        .env("BILLING_DLQ_URL", DLQ)
        .args(["billing", "redrive", "--output", "json"])
        .args(arguments);
    command.output().expect("the program starts")
}

fn told(output: &std::process::Output) -> Value {
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    serde_json::from_slice(&output.stdout).expect("one JSON object")
}

#[test]
fn dead_letters_go_back_in_order_under_ids_of_their_own() {
    let letters: Vec<_> = (1..=23).map(|version| (ORG, change(version))).collect();
    let queues = Queues::with(&letters, usize::MAX);
    let output = redrive(&queues.serve(), &[]);
    assert_eq!(told(&output), json!({"moved": 23, "left": 0}));

    let contents = queues.contents();
    assert_eq!(contents.dead, []);
    let bodies: Vec<_> = contents.queue.iter().map(|message| message.body.clone()).collect();
    assert_eq!(bodies, letters.iter().map(|(_, body)| body.clone()).collect::<Vec<_>>());
    assert!(contents.queue.iter().all(|message| message.group == ORG));
    let mut ids: Vec<_> = contents.queue.iter().map(|message| &message.deduplication_id).collect();
    ids.sort();
    ids.dedup();
    assert_eq!(ids.len(), 23);
    assert!(ids.iter().all(|id| *id != "first" && id.len() <= 128));
}

#[test]
fn no_more_are_moved_than_asked_for() {
    let letters: Vec<_> = (1..=15).map(|version| (ORG, change(version))).collect();
    let queues = Queues::with(&letters, usize::MAX);
    let output = redrive(&queues.serve(), &["--max", "12"]);
    assert_eq!(told(&output), json!({"moved": 12, "left": 0}));
    assert_eq!(queues.counts(), (3, 12));
}

#[test]
fn what_is_no_billing_change_stays() {
    let letters = [("odd", "{".to_owned()), (ORG, change(1))];
    let queues = Queues::with(&letters, usize::MAX);
    let output = redrive(&queues.serve(), &[]);
    assert_eq!(told(&output), json!({"moved": 1, "left": 1}));
    assert_eq!(queues.counts(), (1, 1));
}

#[test]
fn a_queue_that_fails_loses_nothing() {
    let letters: Vec<_> = (1..=5).map(|version| (ORG, change(version))).collect();
    let queues = Queues::with(&letters, 2);
    let output = redrive(&queues.serve(), &[]);
    assert_eq!(output.status.code(), Some(1));
    let message = String::from_utf8_lossy(&output.stderr).into_owned();
    assert!(message.contains("2 messages were moved; then the queue did not answer"), "{message}");
    assert_eq!(queues.counts(), (3, 2));
}

#[test]
fn both_queues_have_to_be_named() {
    let output = Command::new(env!("CARGO_BIN_EXE_headcount"))
        .env_clear()
        .env("BILLING_QUEUE_URL", QUEUE)
        .args(["billing", "redrive"])
        .output()
        .expect("the program starts");
    assert_eq!(output.status.code(), Some(2));
    assert!(String::from_utf8_lossy(&output.stderr).contains("--billing-dlq-url"));
}
