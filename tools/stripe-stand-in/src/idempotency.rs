//! Idempotency keys by Stripe's rules. Source: <https://docs.stripe.com/api/idempotent_requests>
//! and <https://docs.stripe.com/error-low-level#idempotency>.

use serde::{Deserialize, Serialize};
use serde_json::Value;
use sha2::{Digest, Sha256};

use crate::{calendar, errors::ApiError, form::Params, state::State};

/// "Idempotency keys are up to 255 characters long."
const MAX_KEY: usize = 255;

/// What a key was first used for, and what was answered.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(crate) struct Record {
    path: String,
    fingerprint: String,
    status: u16,
    /// The body as JSON text: a day's worth of answers is kept small.
    body: String,
    stored_at: i64,
    /// The request that was carried out. A state file of before has none.
    #[serde(default)]
    request_id: Option<String>,
}

/// An answer that is given again.
#[derive(Debug, Clone)]
pub(crate) struct Stored {
    pub(crate) status: u16,
    pub(crate) body: Value,
    pub(crate) request_id: Option<String>,
}

/// One use of a key.
#[derive(Debug, Clone)]
pub(crate) struct Use {
    pub(crate) key: String,
    path: String,
    fingerprint: String,
}

impl Use {
    /// Refuses a key that is empty or too long.
    pub(crate) fn new(key: &str, path: &str, params: &Params) -> Result<Self, ApiError> {
        if key.is_empty() || key.chars().count() > MAX_KEY {
            let message = format!("Idempotency keys have 1 to {MAX_KEY} characters.");
            return Err(ApiError::unreadable(&message));
        }
        Ok(Self { key: key.to_owned(), path: path.to_owned(), fingerprint: fingerprint(params) })
    }

    /// The stored answer, if this request was answered within the last 24 hours; an error, if the
    /// key was used for something else.
    pub(crate) fn stored(&self, state: &State, now: i64) -> Result<Option<Stored>, ApiError> {
        let record = state.idempotency.get(&self.key).filter(|record| !expired(record, now));
        let Some(record) = record else {
            return Ok(None);
        };
        if record.path != self.path {
            return Err(ApiError::key_reused_elsewhere(&self.key, &self.path, &record.path));
        }
        if record.fingerprint != self.fingerprint {
            return Err(ApiError::key_reused(&self.key));
        }
        let body = serde_json::from_str(&record.body).unwrap_or_default();
        Ok(Some(Stored { status: record.status, body, request_id: record.request_id.clone() }))
    }

    /// Keeps the answer under the key, and forgets what is older than a day.
    pub(crate) fn store(
        self,
        state: &mut State,
        now: i64,
        (status, body): (u16, &Value),
        request_id: &str,
    ) {
        state.idempotency.retain(|_, record| !expired(record, now));
        let Self { key, path, fingerprint } = self;
        let record = Record {
            path,
            fingerprint,
            status,
            body: body.to_string(),
            stored_at: now,
            request_id: Some(request_id.to_owned()),
        };
        state.add_key(key, record);
    }
}

fn expired(record: &Record, now: i64) -> bool {
    now >= record.stored_at.saturating_add(calendar::days(1))
}

/// SHA-256 over the sorted parameters: equal for equal parameters in any order.
fn fingerprint(params: &Params) -> String {
    // A map with text keys always serialises.
    let canonical = serde_json::to_vec(params).unwrap_or_default();
    Sha256::digest(canonical).iter().map(|byte| format!("{byte:02x}")).collect()
}
