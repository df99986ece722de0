//! The Lambda Runtime API, for one process
//! (<https://docs.aws.amazon.com/lambda/latest/dg/runtimes-api.html>).

use std::net::SocketAddr;
use std::sync::{Arc, PoisonError};
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use axum::Router;
use axum::body::{Body, Bytes};
use axum::extract::{DefaultBodyLimit, Path, State};
use axum::http::{Response, StatusCode};
use axum::routing::{get, post};
use tokio::net::TcpListener;
use tokio::sync::{Mutex, mpsc};
use tokio::task::JoinHandle;
use tokio::time::timeout;

use crate::failure::{Doing, Failure};
use crate::process::Process;

/// What nothing that works takes.
const PATIENCE: Duration = Duration::from_secs(120);
/// What Lambda gives at most.
const LIMIT: Duration = Duration::from_secs(900);

/// The Runtime API, before a process has been started on it.
pub(crate) struct RuntimeApi {
    /// Where it listens: the value of `AWS_LAMBDA_RUNTIME_API`.
    pub(crate) address: SocketAddr,
    polls: mpsc::UnboundedReceiver<Instant>,
    events: mpsc::UnboundedSender<Bytes>,
    answers: mpsc::UnboundedReceiver<Answered>,
    server: JoinHandle<()>,
}

/// What came of an invocation.
pub(crate) struct Answered {
    /// When the whole answer was here.
    at: Instant,
    /// From when the process was given the event.
    pub(crate) latency: Duration,
    /// The answer.
    pub(crate) body: Bytes,
    failed: bool,
}

struct Shared {
    polls: mpsc::UnboundedSender<Instant>,
    events: Mutex<mpsc::UnboundedReceiver<Bytes>>,
    answers: mpsc::UnboundedSender<Answered>,
    given: std::sync::Mutex<Instant>,
}

impl RuntimeApi {
    pub(crate) async fn start() -> Result<Self, Failure> {
        let listener = TcpListener::bind("127.0.0.1:0").await?;
        let address = listener.local_addr()?;
        let (polls, polled) = mpsc::unbounded_channel();
        let (events, to_give) = mpsc::unbounded_channel();
        let (answers, answered) = mpsc::unbounded_channel();
        let shared = Shared {
            polls,
            events: Mutex::new(to_give),
            answers,
            given: std::sync::Mutex::new(Instant::now()),
        };
        let router = Router::new()
            .route("/2018-06-01/runtime/invocation/next", get(next))
            .route("/2018-06-01/runtime/invocation/{id}/response", post(response))
            .route("/2018-06-01/runtime/invocation/{id}/error", post(error))
            .route("/2018-06-01/runtime/init/error", post(init_error))
            .layer(DefaultBodyLimit::disable())
            .with_state(Arc::new(shared));
        let server = tokio::spawn(async move {
            // It serves until the session is dropped; there is no other end.
            let _ = axum::serve(listener, router).await;
        });
        Ok(Self { address, polls: polled, events, answers: answered, server })
    }
}

async fn next(State(shared): State<Arc<Shared>>) -> Result<Response<Body>, StatusCode> {
    // Nobody listens once the session has ended; then the event below never comes either.
    let _ = shared.polls.send(Instant::now());
    let event = shared.events.lock().await.recv().await.ok_or(StatusCode::GONE)?;
    let response = invocation(event).map_err(|_| StatusCode::INTERNAL_SERVER_ERROR);
    *shared.given.lock().unwrap_or_else(PoisonError::into_inner) = Instant::now();
    response
}

fn invocation(event: Bytes) -> axum::http::Result<Response<Body>> {
    let deadline = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default() + LIMIT;
    Response::builder()
        .header("content-type", "application/json")
        .header("lambda-runtime-aws-request-id", "8476a536-e9f4-11e8-9739-2dfe598c3fcd")
        .header("lambda-runtime-deadline-ms", deadline.as_millis().to_string())
        .header(
            "lambda-runtime-invoked-function-arn",
            "arn:aws:lambda:us-east-1:123456789012:function:bench",
        )
        .header(
            "lambda-runtime-trace-id",
            "Root=1-5bef4de7-ad49b0e87f6ef6c87fc2e700;Parent=9a9197af755a6419;Sampled=0",
        )
        .body(Body::from(event))
}

async fn response(
    State(shared): State<Arc<Shared>>,
    Path(_): Path<String>,
    body: Bytes,
) -> StatusCode {
    answered(&shared, body, false)
}

async fn error(
    State(shared): State<Arc<Shared>>,
    Path(_): Path<String>,
    body: Bytes,
) -> StatusCode {
    answered(&shared, body, true)
}

async fn init_error(State(shared): State<Arc<Shared>>, body: Bytes) -> StatusCode {
    answered(&shared, body, true)
}

fn answered(shared: &Shared, body: Bytes, failed: bool) -> StatusCode {
    let at = Instant::now();
    let given = *shared.given.lock().unwrap_or_else(PoisonError::into_inner);
    let answered = Answered { at, latency: at.saturating_duration_since(given), body, failed };
    // As above: without a session there is nobody to tell.
    let _ = shared.answers.send(answered);
    StatusCode::ACCEPTED
}

/// A process that takes invocations.
pub(crate) struct Session {
    api: RuntimeApi,
    /// The process.
    pub(crate) process: Process,
    polled: u64,
    invoked: u64,
}

impl Session {
    /// The process must have been started with the address of the API.
    pub(crate) fn new(api: RuntimeApi, process: Process) -> Self {
        Self { api, process, polled: 0, invoked: 0 }
    }

    /// Waits for the first poll; how long it took from the start of the process.
    pub(crate) async fn first_poll(&mut self) -> Result<Duration, Failure> {
        let polled = self.poll().await?;
        Ok(polled.saturating_duration_since(self.process.started))
    }

    /// Waits until the process asks for work once more than it was invoked.
    pub(crate) async fn idle(&mut self) -> Result<(), Failure> {
        while self.polled <= self.invoked {
            self.poll().await?;
        }
        Ok(())
    }

    async fn poll(&mut self) -> Result<Instant, Failure> {
        let Self { api, process, .. } = self;
        let polled = async {
            tokio::select! {
                polled = api.polls.recv() => polled.ok_or_else(|| Failure::new("the server ended")),
                failed = api.answers.recv() => Err(refused(failed)),
                ended = process.ended() => Err(ended),
            }
        };
        let at = timeout(PATIENCE, polled).await.doing("waiting for a poll")??;
        self.polled += 1;
        Ok(at)
    }

    /// Invokes the function once.
    pub(crate) async fn invoke(&mut self, event: &Bytes) -> Result<Answered, Failure> {
        self.invoked += 1;
        let Self { api, process, .. } = self;
        api.events.send(event.clone()).map_err(|_| Failure::new("the server ended"))?;
        let answered = async {
            tokio::select! {
                answered = api.answers.recv() => answered.ok_or_else(|| Failure::new("the server ended")),
                ended = process.ended() => Err(ended),
            }
        };
        let answered = timeout(PATIENCE, answered).await.doing("waiting for an answer")??;
        if answered.failed { Err(refused(Some(answered))) } else { Ok(answered) }
    }

    /// How long an answer took from the start of the process.
    pub(crate) fn since_start(&self, answered: &Answered) -> Duration {
        answered.at.saturating_duration_since(self.process.started)
    }

    /// Ends the process in an orderly way.
    pub(crate) async fn end(self) -> Result<(), Failure> {
        let Self { api, process, .. } = self;
        process.terminate().await?;
        drop(api);
        Ok(())
    }
}

impl Drop for RuntimeApi {
    fn drop(&mut self) {
        self.server.abort();
    }
}

fn refused(answered: Option<Answered>) -> Failure {
    let body = answered.map(|answered| answered.body).unwrap_or_default();
    Failure::new(format!("the function failed: {}", String::from_utf8_lossy(&body)))
}
