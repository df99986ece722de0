//! Events of queues, streams and schedules, told apart from what somebody sends by hand.

use std::error::Error;
use std::future::Future;

use serde::Serialize;
use serde::de::DeserializeOwned;
use serde_json::Value;

/// What a function takes that no gateway calls.
#[derive(Debug, Clone, Copy)]
pub struct Takes {
    what: &'static str,
    sample: &'static str,
    is_one: fn(&Value) -> bool,
}

/// What a function returns to whoever invoked it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(untagged)]
pub enum Returned<R> {
    /// What it did.
    Done(R),
    /// The event is none that it takes: its sender's mistake. As an error of the function it would end a deployment.
    Refused {
        /// One sentence that says what works.
        message: String,
    },
}

impl Takes {
    /// Batches of records: `what`, such as the `sample`, a file of this repository.
    ///
    /// Whatever has `Records` is one. Were it refused, Lambda would take what it holds for delivered; when it cannot
    /// be read, the function fails, and it comes again.
    pub const fn batches(what: &'static str, sample: &'static str) -> Self {
        Self { what, sample, is_one: |event| event.get("Records").is_some() }
    }

    /// Any object: `what`, such as the `sample`, a file of this repository.
    pub const fn objects(what: &'static str, sample: &'static str) -> Self {
        Self { what, sample, is_one: Value::is_object }
    }

    /// Events of partners, from EventBridge: `what`, such as the `sample`, a file of this repository.
    /// Whoever the partner is the rule has said; what a person sends has no such `source`
    /// (<https://docs.aws.amazon.com/eventbridge/latest/userguide/eb-saas.html>).
    pub const fn partner_events(what: &'static str, sample: &'static str) -> Self {
        let is_one = |event: &Value| {
            let source = event.get("source").and_then(Value::as_str);
            source.is_some_and(|source| source.starts_with("aws.partner/"))
        };
        Self { what, sample, is_one }
    }

    /// Hands an event over if it is one of these.
    ///
    /// # Errors
    /// When it is one and cannot be read, and what `handle` returns.
    pub async fn answer<E, R, F>(
        self,
        event: Value,
        handle: impl FnOnce(E) -> F,
    ) -> Result<Returned<R>, Box<dyn Error + Send + Sync>>
    where
        E: DeserializeOwned,
        F: Future<Output = Result<R, Box<dyn Error + Send + Sync>>>,
    {
        if !(self.is_one)(&event) {
            tracing::warn!("the event is none that this function takes");
            let message = format!("This function takes {}, such as {}.", self.what, self.sample);
            return Ok(Returned::Refused { message });
        }
        handle(serde_json::from_value(event)?).await.map(Returned::Done)
    }
}
