//! What an endpoint works with: the account, the time, and which request it serves.

use serde_json::Value;

use crate::{
    events::{self, SubscriptionEvent},
    state::State,
};

/// The request that an effect came from; without ids when time or the control plane caused it.
#[derive(Debug, Clone, Default)]
pub(crate) struct Origin {
    pub(crate) request_id: Option<String>,
    pub(crate) idempotency_key: Option<String>,
    /// The version of the API that the request speaks.
    pub(crate) api_version: Option<String>,
}

/// One execution against the account.
#[derive(Debug)]
pub(crate) struct Call<'a> {
    pub(crate) state: &'a mut State,
    /// Unix seconds on the stand-in's clock.
    pub(crate) now: i64,
    pub(crate) origin: Origin,
}

impl Call<'_> {
    /// A fresh id.
    pub(crate) fn id(&mut self, prefix: &str) -> String {
        self.state.ids.next(prefix)
    }

    /// Records an event and queues it for the webhook endpoints that listen.
    pub(crate) fn emit(&mut self, kind: SubscriptionEvent, object: Value, previous: Option<Value>) {
        events::record(self.state, self.now, &self.origin, kind, object, previous);
    }
}
