//! The HTTP shell around [`Stripe`]: reads a request, takes the time, keeps the state file.

use std::{
    future::{Future, IntoFuture},
    io,
    net::{Ipv4Addr, SocketAddr},
    path::PathBuf,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::{Duration, SystemTime, UNIX_EPOCH},
};

use axum::{
    Router,
    body::Bytes,
    extract::{ConnectInfo, State},
    http::{HeaderMap, Method, StatusCode, Uri, header},
    response::{IntoResponse, Response},
};
use tokio::{net::TcpListener, sync::Notify};

use crate::{
    connection::{CuttableListener, Scissors},
    delivery,
    errors::ApiError,
    messages::{Reply, Request},
    state_file,
    stripe::{Begun, Stripe},
};

/// How long requests that are under way may take when the server stops.
const GRACE: Duration = Duration::from_secs(5);

/// How many bytes of changes the state file gathers before it is written anew.
const REWRITE_AFTER: usize = 32 << 20;

/// A server that is bound to its port and not yet answering.
#[derive(Debug)]
pub struct Server {
    listener: TcpListener,
    address: SocketAddr,
    shared: Arc<Shared>,
}

/// What the requests share.
#[derive(Debug)]
pub(crate) struct Shared {
    stripe: Mutex<Stripe>,
    file: Option<StateFile>,
    /// Wakes the delivery of webhooks.
    pub(crate) changed: Notify,
}

/// The state file and what it holds.
#[derive(Debug)]
struct StateFile {
    path: PathBuf,
    held: tokio::sync::Mutex<Held>,
}

/// How far a state file is.
#[derive(Debug)]
struct Held {
    revision: u64,
    /// Nothing may be appended: the end of the file is not known to be sound, as after a start or
    /// a write that failed.
    uncertain: bool,
    /// Bytes of changes behind the whole account.
    appended: usize,
}

impl Server {
    /// Binds a port of 127.0.0.1 (0: any free one) and reads the state file, if one is named.
    ///
    /// # Errors
    /// When the port is taken, or the file exists and is not a state file.
    pub async fn bind(port: u16, state_file: Option<PathBuf>) -> io::Result<Self> {
        // What webhooks are encrypted with. It refuses only when there is one already.
        let _ = rustls::crypto::ring::default_provider().install_default();
        let stripe = match &state_file {
            Some(path) => Stripe::load(path)?,
            None => Stripe::new(),
        };
        let held = tokio::sync::Mutex::new(Held {
            revision: stripe.state.revision,
            uncertain: true,
            appended: 0,
        });
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, port)).await;
        let listener = listener.map_err(|error| {
            io::Error::new(error.kind(), format!("cannot listen on port {port}: {error}"))
        })?;
        Ok(Self {
            address: listener.local_addr()?,
            listener,
            shared: Arc::new(Shared {
                stripe: Mutex::new(stripe),
                file: state_file.map(|path| StateFile { path, held }),
                changed: Notify::new(),
            }),
        })
    }

    /// Where it listens.
    #[must_use]
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// Answers until `shutdown` completes, then gives what is under way a few seconds to finish.
    ///
    /// # Errors
    /// When the state file cannot be written at the end.
    pub async fn run(self, shutdown: impl Future<Output = ()> + Send + 'static) -> io::Result<()> {
        let deliveries = tokio::spawn(delivery::run(self.shared.clone()));
        let router = Router::new().fallback(answer).with_state(self.shared.clone());
        let service = router.into_make_service_with_connect_info::<Scissors>();
        let stopping = Arc::new(Notify::new());
        let stopped = stopping.clone();
        let served = axum::serve(CuttableListener(self.listener), service)
            .with_graceful_shutdown(async move {
                shutdown.await;
                stopping.notify_one();
            })
            .into_future();
        let outcome = tokio::select! {
            outcome = served => outcome,
            () = async { stopped.notified().await; tokio::time::sleep(GRACE).await } => Ok(()),
        };
        deliveries.abort();
        self.shared.save().await?;
        outcome
    }
}

impl Shared {
    /// The account. A panic elsewhere cannot leave it half-changed for long: the next test resets
    /// it, and refusing all further service would only hide the first failure.
    pub(crate) fn stripe(&self) -> MutexGuard<'_, Stripe> {
        self.stripe.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Brings the file up to what the account is now. Changes that come while one write is under
    /// way share the next one.
    pub(crate) async fn save(&self) -> io::Result<()> {
        let Some(file) = &self.file else {
            return Ok(());
        };
        let wanted = self.stripe().state.revision;
        let mut held = file.held.lock().await;
        if held.revision >= wanted {
            return Ok(());
        }
        let whole = std::mem::replace(&mut held.uncertain, true) || held.appended > REWRITE_AFTER;
        let (revision, bytes) = {
            let state = &mut self.stripe().state;
            let changes = state.take_changes();
            (state.revision, state_file::line(if whole { state } else { &changes })?)
        };
        let (path, written) = (file.path.clone(), bytes.len());
        let write = if whole { state_file::replace } else { state_file::append };
        tokio::task::spawn_blocking(move || write(&path, &bytes)).await??;
        *held = Held {
            revision,
            uncertain: false,
            appended: if whole { 0 } else { held.appended + written },
        };
        Ok(())
    }

    /// Carries out one request and keeps what it changed before the answer leaves.
    async fn handle(&self, request: Request) -> Reply {
        let begun = self.stripe().begin(request, wall_clock());
        let reply = match begun {
            Begun::Answered(reply) => reply,
            Begun::Running(ticket) => {
                if ticket.delay_ms() > 0 {
                    tokio::time::sleep(Duration::from_millis(ticket.delay_ms())).await;
                }
                self.stripe().finish(*ticket, wall_clock())
            }
        };
        self.changed.notify_one();
        match self.save().await {
            Ok(()) => reply,
            Err(error) => {
                eprintln!("stripe-stand-in: the state file cannot be written: {error}");
                Reply { status: 500, body: ApiError::internal().body(), ..reply }
            }
        }
    }
}

/// Unix seconds.
pub(crate) fn wall_clock() -> i64 {
    let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    i64::try_from(since.as_secs()).unwrap_or(i64::MAX)
}

async fn answer(
    State(shared): State<Arc<Shared>>,
    ConnectInfo(scissors): ConnectInfo<Scissors>,
    method: Method,
    uri: Uri,
    headers: HeaderMap,
    body: Bytes,
) -> Response {
    let text = |name: &str| {
        let value = headers.get(name)?;
        Some(String::from_utf8_lossy(value.as_bytes()).into_owned())
    };
    let request = Request {
        method: method.as_str().to_owned(),
        path: uri.path().to_owned(),
        query: uri.query().unwrap_or_default().to_owned(),
        authorization: text("authorization"),
        idempotency_key: text("idempotency-key"),
        api_version: text("stripe-version"),
        body: body.to_vec(),
    };
    // A task of its own: a caller that hangs up does not stop Stripe from finishing.
    match tokio::spawn(async move { shared.handle(request).await }).await {
        Ok(reply) if reply.cut => {
            scissors.cut();
            StatusCode::INTERNAL_SERVER_ERROR.into_response()
        }
        Ok(reply) => response(&reply),
        Err(_) => StatusCode::INTERNAL_SERVER_ERROR.into_response(),
    }
}

fn response(reply: &Reply) -> Response {
    let status = StatusCode::from_u16(reply.status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
    let body = serde_json::to_vec_pretty(&reply.body).unwrap_or_default();
    let mut response = (status, [(header::CONTENT_TYPE, "application/json")], body).into_response();
    for (name, value) in &reply.headers {
        // A key that is not a valid header value came as one; what cannot be echoed is left out.
        if let Ok(value) = value.parse() {
            response.headers_mut().insert(*name, value);
        }
    }
    response
}
