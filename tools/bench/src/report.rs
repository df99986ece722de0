//! What a run found, as `target/bench/latest.json` keeps it.

use std::fs;
use std::path::Path;

use serde::{Deserialize, Serialize};

use crate::aws::Calls;
use crate::failure::{Doing, Failure};
use crate::machine::Machine;
use crate::stats::Series;
use crate::subject::{Role, Transport};

/// A run.
#[derive(Debug, Serialize, Deserialize)]
pub(crate) struct Report {
    /// When it was made, in UTC.
    pub(crate) made_at: String,
    /// Where.
    pub(crate) machine: Machine,
    /// Fresh processes of each subject and transport.
    pub(crate) rounds: u32,
    /// Warm invocations of each process, at most.
    pub(crate) invocations: usize,
    /// The figures.
    pub(crate) results: Vec<Measured>,
}

/// What one subject showed over one transport.
#[derive(Debug, Serialize, Deserialize)]
pub(crate) struct Measured {
    pub(crate) subject: String,
    pub(crate) role: Role,
    pub(crate) transport: Transport,
    /// What is deployed, unpacked.
    pub(crate) size_bytes: u64,
    #[serde(flatten)]
    pub(crate) figures: Figures,
    /// Calls of AWS and Stripe up to the first answer.
    pub(crate) calls_first: Calls,
    /// Calls of one warm invocation.
    pub(crate) calls_warm: Calls,
}

/// What the rounds showed, in their order.
#[derive(Debug, Serialize, Deserialize)]
pub(crate) struct Figures {
    /// From the start of the process until it asks for work.
    pub(crate) first_poll_ns: Series,
    /// From the start of the process until its first answer is here.
    pub(crate) first_response_ns: Series,
    /// From handing out an event until the answer is here: the median of a round.
    pub(crate) warm_p50_ns: Series,
    /// The same, the 99th percentile of a round.
    pub(crate) warm_p99_ns: Series,
    /// Processor time of a warm invocation, all threads, kernel included.
    pub(crate) warm_cpu_ns: Series,
    /// The most memory that the process has held.
    pub(crate) peak_memory_bytes: Series,
    /// What a warm invocation writes to the log.
    pub(crate) log_bytes: Series,
}

impl Report {
    /// Reads a report.
    pub(crate) fn read(path: &Path) -> Result<Self, Failure> {
        let text = fs::read_to_string(path).doing(path.display())?;
        serde_json::from_str(&text).doing(path.display())
    }

    /// Keeps the report.
    pub(crate) fn write(&self, path: &Path) -> Result<(), Failure> {
        let text = serde_json::to_string_pretty(self)?;
        fs::write(path, text + "\n").doing(path.display())
    }

    /// One result.
    pub(crate) fn of(&self, subject: &str, transport: Transport) -> Option<&Measured> {
        self.results
            .iter()
            .find(|measured| measured.subject == subject && measured.transport == transport)
    }
}
