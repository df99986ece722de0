//! The HTTP shell: the state file, cut connections, and webhooks on the wire.
#![allow(clippy::unwrap_used, reason = "a test that cannot go on should stop")]

use std::path::{Path, PathBuf};

use axum::{Router, extract::State, http::HeaderMap, routing::post};
use reqwest::{Client, RequestBuilder};
use serde_json::Value;
use stripe_stand_in::{Server, sign_webhook};
use tokio::{
    net::TcpListener,
    sync::{mpsc, oneshot},
    task::JoinHandle,
};

struct Running {
    base: String,
    client: Client,
    stop: oneshot::Sender<()>,
    task: JoinHandle<std::io::Result<()>>,
}

impl Running {
    async fn start(state: Option<&Path>) -> Self {
        let server = Server::bind(0, state.map(Path::to_owned)).await.unwrap();
        let base = format!("http://{}", server.address());
        let (stop, stopped) = oneshot::channel();
        let task = tokio::spawn(server.run(async {
            let _ = stopped.await;
        }));
        Self { base, client: Client::new(), stop, task }
    }

    fn post(&self, path: &str, form: &'static str) -> RequestBuilder {
        let request = self.client.post(format!("{}{path}", self.base));
        request.bearer_auth("sk_test_1").body(form)
    }

    async fn get(&self, path: &str) -> Value {
        let request = self.client.get(format!("{}{path}", self.base)).bearer_auth("sk_test_1");
        object(request).await
    }

    async fn stop(self) {
        drop(self.client);
        self.stop.send(()).unwrap();
        self.task.await.unwrap().unwrap();
    }
}

/// An empty directory of this test's own.
fn directory(name: &str) -> PathBuf {
    let path = Path::new(env!("CARGO_TARGET_TMPDIR")).join(name);
    let _ = std::fs::remove_dir_all(&path);
    std::fs::create_dir_all(&path).unwrap();
    path
}

#[tokio::test]
async fn the_account_survives_a_restart() {
    let directory = directory("stripe-stand-in-restart");
    let file = directory.join("state.json");
    let server = Running::start(Some(&file)).await;
    let request = server.post("/v1/customers", "name=a").header("Idempotency-Key", "k");
    let created = object(request).await;
    // The answer came after the write: the file is complete although nothing was stopped yet.
    assert!(std::fs::read_to_string(&file).unwrap().contains(created["id"].as_str().unwrap()));
    server.stop().await;

    let server = Running::start(Some(&file)).await;
    let request = server.post("/v1/customers", "name=a").header("Idempotency-Key", "k");
    let reply = request.send().await.unwrap();
    assert_eq!(reply.headers()["Idempotent-Replayed"], "true");
    assert_eq!(body(reply).await, created);
    let other = object(server.post("/v1/customers", "")).await;
    assert_ne!(other["id"], created["id"]);
    server.stop().await;
    let names: Vec<_> =
        std::fs::read_dir(&directory).unwrap().map(|e| e.unwrap().file_name()).collect();
    assert_eq!(names, ["state.json"]);
}

#[tokio::test]
async fn a_file_that_is_no_state_is_refused_and_kept() {
    let file = directory("stripe-stand-in-broken").join("state.json");
    std::fs::write(&file, "{\"half").unwrap();
    assert!(Server::bind(0, Some(file.clone())).await.is_err());
    assert_eq!(std::fs::read_to_string(&file).unwrap(), "{\"half");
}

#[tokio::test]
async fn a_cut_connection_gives_no_answer() {
    let server = Running::start(None).await;
    for (fault, customers) in [("cut_before", 0), ("cut_after", 1)] {
        let fault = format!(r#"{{"kind":"{fault}","method":"POST"}}"#);
        let control = server.client.post(format!("{}/_stand-in/faults", server.base));
        assert!(control.body(fault).send().await.unwrap().status().is_success());
        assert!(server.post("/v1/customers", "name=a").send().await.is_err());
        let list = server.get("/v1/customers").await;
        assert_eq!(list["data"].as_array().unwrap().len(), customers);
    }
    server.stop().await;
}

#[tokio::test]
async fn webhooks_arrive_signed() {
    let (events, mut received) = mpsc::unbounded_channel();
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}/hook", listener.local_addr().unwrap());
    let hook = post(
        |State(events): State<mpsc::UnboundedSender<(String, String)>>,
         headers: HeaderMap,
         body: String| async move {
            let signature = headers["Stripe-Signature"].to_str().unwrap().to_owned();
            events.send((signature, body)).unwrap();
        },
    );
    let app = Router::new().route("/hook", hook).with_state(events);
    let endpoint = tokio::spawn(async move { axum::serve(listener, app).await });

    let server = Running::start(None).await;
    let form = format!("url={url}&enabled_events[]=*");
    let created = object(server.post("/v1/webhook_endpoints", "").body(form)).await;
    let secret = created["secret"].as_str().unwrap().to_owned();
    let customer = id(server.post("/v1/customers", "name=a")).await;
    let price = "currency=usd&unit_amount=1&recurring[interval]=day&product_data[name]=x";
    let price = id(server.post("/v1/prices", price)).await;
    let form = format!("customer={customer}&items[0][price]={price}");
    let subscription = id(server.post("/v1/subscriptions", "").body(form)).await;

    let (signature, payload) = received.recv().await.unwrap();
    let event: Value = serde_json::from_str(&payload).unwrap();
    assert_eq!(event["type"], "customer.subscription.created");
    assert_eq!(event["data"]["object"]["id"], *subscription);
    let time = signature.strip_prefix("t=").unwrap().split_once(',').unwrap().0;
    assert_eq!(signature, sign_webhook(&secret, time.parse().unwrap(), &payload));
    endpoint.abort();
    server.stop().await;
}

async fn body(response: reqwest::Response) -> Value {
    serde_json::from_slice(&response.bytes().await.unwrap()).unwrap()
}

async fn object(request: RequestBuilder) -> Value {
    body(request.send().await.unwrap()).await
}

async fn id(request: RequestBuilder) -> String {
    object(request).await["id"].as_str().unwrap().to_owned()
}
