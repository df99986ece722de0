//! The last calls, for tests to look at.

use std::collections::VecDeque;

use serde::Serialize;

use crate::{faults::FaultKind, form::Params};

/// How many calls the log holds.
const LOGGED: usize = 1_000;

/// The last calls, oldest first.
#[derive(Debug, Default, Serialize)]
#[serde(transparent)]
pub(crate) struct RequestLog(VecDeque<LogEntry>);

/// One call.
#[derive(Debug, Serialize)]
pub(crate) struct LogEntry {
    /// Unix seconds on the stand-in's clock.
    pub(crate) at: i64,
    pub(crate) request_id: String,
    pub(crate) method: String,
    pub(crate) path: String,
    pub(crate) params: Params,
    pub(crate) idempotency_key: Option<String>,
    pub(crate) api_version: String,
    /// `null`: the connection was cut.
    pub(crate) status: Option<u16>,
    pub(crate) replayed: bool,
    /// The request that a replay answers for.
    #[serde(skip)]
    pub(crate) original_request: Option<String>,
    pub(crate) fault: Option<FaultKind>,
}

impl RequestLog {
    pub(crate) fn push(&mut self, entry: LogEntry) {
        self.0.push_back(entry);
        if self.0.len() > LOGGED {
            self.0.pop_front();
        }
    }
}
