//! What an endpoint says, before it is put into the words of one of the three APIs.

use headcount_model::credential::LookupFailed;
use headcount_model::fault::Fault;
use headcount_model::idempotency::StoredAnswer;
use headcount_model::port::NoEntropy;
use lambda_http::http::StatusCode;
use serde::Serialize;

/// An answer in the making.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Answer {
    /// HTTP status.
    pub status: StatusCode,
    /// Body, JSON.
    pub body: String,
    /// `Location` header.
    pub location: Option<String>,
    /// `Retry-After` header, in seconds.
    pub retry_after: Option<u32>,
    /// `ETag` header, with its quotes.
    pub etag: Option<String>,
    /// Whether this answer was given before (`Idempotency-Replayed`).
    pub replayed: bool,
}

impl Answer {
    /// An answer with a body.
    pub fn new(status: StatusCode, body: &impl Serialize) -> Self {
        Self {
            status,
            // The bodies are structs and lists of text and numbers, which always serialize.
            body: serde_json::to_string(body).unwrap_or_default(),
            location: None,
            retry_after: None,
            etag: None,
            replayed: false,
        }
    }

    /// The answer that was kept for a retry, or just given.
    pub fn stored(stored: StoredAnswer, replayed: bool) -> Self {
        Self {
            // Only statuses that were given before are stored.
            status: StatusCode::from_u16(stored.status).unwrap_or(StatusCode::OK),
            body: stored.body,
            location: stored.location,
            retry_after: None,
            etag: None,
            replayed,
        }
    }

    /// The answer as it is kept for retries.
    pub fn kept(self) -> StoredAnswer {
        StoredAnswer { status: self.status.as_u16(), location: self.location, body: self.body }
    }

    /// Tells the caller to come back in a second.
    #[must_use]
    pub fn retry_soon(self) -> Self {
        self.retry_in(1)
    }

    /// Tells the caller to come back in so many seconds.
    #[must_use]
    pub fn retry_in(self, seconds: u32) -> Self {
        Self { retry_after: Some(seconds), ..self }
    }

    /// With an entity tag.
    #[must_use]
    pub fn tagged(self, etag: String) -> Self {
        Self { etag: Some(etag), ..self }
    }

    /// That the caller has it already, under this tag: 304, without a body.
    pub fn not_modified(etag: String) -> Self {
        let status = StatusCode::NOT_MODIFIED;
        Self {
            status,
            body: String::new(),
            location: None,
            retry_after: None,
            etag: Some(etag),
            replayed: false,
        }
    }
}

/// What can go wrong with a request, whatever the API. `R` is what its own domain refuses.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Failure<R> {
    /// The request cannot be read.
    Transport(Transport),
    /// Fields break rules.
    Faults(Vec<Fault>),
    /// There is no good credential.
    Unauthorized,
    /// The idempotency key belongs to a request with another body.
    KeyReused,
    /// Too fast; later is fine.
    TooManyRequests,
    /// Something that is needed did not answer in time.
    Unavailable,
    /// The API's own refusals.
    Refused(R),
}

/// Why a request cannot be read.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Transport {
    /// The body is not the JSON object it has to be; a sentence says why.
    MalformedJson(String),
    /// The body has more bytes than this, [`MAX_BODY`](crate::MAX_BODY) or
    /// [`MAX_SEATS_BODY`](crate::MAX_SEATS_BODY).
    TooLarge(usize),
    /// The content type is not JSON.
    NotJson,
    /// The body is compressed or otherwise encoded.
    Encoded,
    /// The `Idempotency-Key` header is not 1 to 255 visible ASCII characters.
    IdempotencyKey,
}

impl Transport {
    /// The HTTP status, the same in every API.
    pub fn status(&self) -> StatusCode {
        match self {
            Transport::MalformedJson(_) | Transport::IdempotencyKey => StatusCode::BAD_REQUEST,
            Transport::TooLarge(_) => StatusCode::PAYLOAD_TOO_LARGE,
            Transport::NotJson | Transport::Encoded => StatusCode::UNSUPPORTED_MEDIA_TYPE,
        }
    }

    /// A sentence for a person.
    pub fn message(&self) -> String {
        match self {
            Transport::MalformedJson(why) => {
                format!("The request body is not a valid JSON object: {why}.")
            }
            Transport::TooLarge(bytes) => {
                format!("The request body is larger than {} KiB.", bytes / 1024)
            }
            Transport::NotJson => "The Content-Type must be application/json.".to_owned(),
            Transport::Encoded => "The request body must not have a Content-Encoding.".to_owned(),
            Transport::IdempotencyKey => {
                "The Idempotency-Key header must be 1 to 255 visible ASCII characters.".to_owned()
            }
        }
    }
}

impl<R> From<Transport> for Failure<R> {
    fn from(transport: Transport) -> Self {
        Failure::Transport(transport)
    }
}

impl<R> From<Vec<Fault>> for Failure<R> {
    fn from(faults: Vec<Fault>) -> Self {
        Failure::Faults(faults)
    }
}

impl<R> From<NoEntropy> for Failure<R> {
    fn from(_: NoEntropy) -> Self {
        Failure::Unavailable
    }
}

impl<R> From<LookupFailed> for Failure<R> {
    fn from(failed: LookupFailed) -> Self {
        match failed {
            LookupFailed::Throttled => Failure::TooManyRequests,
            LookupFailed::Unavailable => Failure::Unavailable,
        }
    }
}

/// How an API words what goes wrong. Each implementation is a `match` over every failure, so
/// that a new one cannot be forgotten.
pub trait Dialect {
    /// What the API's own domain refuses.
    type Refusal: Send;

    /// The answer to a failure: status and body as the API's clients know them.
    fn word(failure: Failure<Self::Refusal>) -> Answer;
}
