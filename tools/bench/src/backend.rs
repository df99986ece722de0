//! What stands behind the AWS endpoint.

use std::future::{Future, ready};
use std::pin::Pin;

use axum::body::Bytes;
use axum::http::StatusCode;

use crate::answers;

/// An answer of AWS.
pub(crate) struct Reply {
    pub(crate) status: StatusCode,
    pub(crate) body: String,
}

impl Reply {
    /// It was done.
    pub(crate) fn done(body: impl ToString) -> Self {
        Self { status: StatusCode::OK, body: body.to_string() }
    }
}

/// A reply that may take its time.
pub(crate) type Replying = Pin<Box<dyn Future<Output = Reply> + Send>>;

/// Answers calls of AWS.
pub(crate) trait Backend: Send + Sync + 'static {
    /// `operation` is the last part of `x-amz-target`.
    fn answer(&self, operation: &str, body: Bytes) -> Replying;
}

/// Answers at once, and always the same.
pub(crate) struct Canned;

impl Backend for Canned {
    fn answer(&self, operation: &str, body: Bytes) -> Replying {
        Box::pin(ready(Reply::done(answers::of_aws(operation, &body))))
    }
}
