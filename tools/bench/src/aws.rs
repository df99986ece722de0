//! AWS and Stripe on loopback, in the clear and over TLS, which counts what it is asked.

use std::collections::BTreeMap;
use std::path::Path;
use std::sync::{Arc, Mutex, PoisonError};

use axum::Router;
use axum::body::Bytes;
use axum::extract::{DefaultBodyLimit, State};
use axum::http::{HeaderMap, Method, StatusCode, Uri, header};
use axum::response::{IntoResponse, Response};
use axum::serve::ListenerExt;
use tokio::net::TcpListener;

use crate::answers;
use crate::backend::Backend;
use crate::failure::Failure;
use crate::tls::{self, TlsListener, Trust};

/// How often each operation was called.
pub(crate) type Calls = BTreeMap<String, u64>;

/// The endpoint.
pub(crate) struct Aws {
    /// `http://localhost:…`
    pub(crate) plain: String,
    /// `https://localhost:…`
    pub(crate) tls: String,
    /// What a client needs to trust the latter.
    pub(crate) trust: Trust,
    calls: Counter,
}

type Counter = Arc<Mutex<Calls>>;

impl Aws {
    /// Starts it before a backend; certificates go into `folder`.
    pub(crate) async fn start(backend: impl Backend, folder: &Path) -> Result<Self, Failure> {
        let calls = Counter::default();
        let shared = Shared { backend, calls: Arc::clone(&calls) };
        let router = Router::new()
            .fallback(answer)
            .layer(DefaultBodyLimit::disable())
            .with_state(Arc::new(shared));
        let (acceptor, trust) = tls::make(folder)?;
        let (plain, secure) =
            (TcpListener::bind("127.0.0.1:0").await?, TcpListener::bind("127.0.0.1:0").await?);
        let ports = (plain.local_addr()?.port(), secure.local_addr()?.port());
        let plain = plain.tap_io(|stream| {
            // Nagle's algorithm would hold back what is said in pieces.
            let _ = stream.set_nodelay(true);
        });
        let secure = TlsListener { tcp: secure, acceptor };
        tokio::spawn(axum::serve(plain, router.clone()).into_future());
        tokio::spawn(axum::serve(secure, router).into_future());
        Ok(Self {
            plain: format!("http://localhost:{}", ports.0),
            tls: format!("https://localhost:{}", ports.1),
            trust,
            calls,
        })
    }

    /// What was called since the last look.
    pub(crate) fn take_calls(&self) -> Calls {
        std::mem::take(&mut *self.calls.lock().unwrap_or_else(PoisonError::into_inner))
    }
}

struct Shared<B> {
    backend: B,
    calls: Counter,
}

impl<B> Shared<B> {
    fn count(&self, name: &str) {
        let mut calls = self.calls.lock().unwrap_or_else(PoisonError::into_inner);
        *calls.entry(name.to_owned()).or_default() += 1;
    }
}

async fn answer<B: Backend>(
    State(shared): State<Arc<Shared<B>>>,
    method: Method,
    uri: Uri,
    headers: HeaderMap,
    body: Bytes,
) -> Response {
    let target = headers.get("x-amz-target").and_then(|target| target.to_str().ok());
    let (status, content_type, body) = match target.and_then(|target| target.rsplit('.').next()) {
        Some(operation) => {
            shared.count(operation);
            let reply = shared.backend.answer(operation, body).await;
            (reply.status, "application/x-amz-json-1.0", reply.body)
        }
        None if uri.path().starts_with("/v1/") => {
            shared.count(&format!("Stripe {method}"));
            (StatusCode::OK, "application/json", answers::of_stripe(uri.path()).to_string())
        }
        // What DynamoDB says to a GET: no call of its API, and nothing that is paid for.
        None => {
            let healthy = "healthy: dynamodb.us-east-1.amazonaws.com".to_owned();
            (StatusCode::OK, "text/plain", healthy)
        }
    };
    (status, [(header::CONTENT_TYPE, content_type)], body).into_response()
}
