//! The queue of setup results, to the seats: `ready` makes a seat `initialized`, `failed` makes it `failed`
//! (docs/adr/0036-results-of-setups.md).
//!
//! A batch holds results of several organizations, each a FIFO group. Groups are worked on side by side;
//! within one, the table's first failure stops the group, so that results come to their seats in order.
//! A poison message has no place in any order: it alone is delivered again, until the queue gives it up,
//! and what is behind it goes on.

mod message;

use aws_lambda_events::event::sqs::{SqsBatchResponse, SqsEvent, SqsMessage};
use futures_util::future::join_all;
use headcount_model::port::{Clock, Entropy};
use headcount_model::seats::{Decided, SetupUndecided, Setups, record_setup};
use headcount_platform::{Takes, by_group, deliver_again};
use lambda_runtime::Error;

pub use message::{Poisoned, decode};

/// What the function takes.
pub const TAKES: Takes =
    Takes::batches("a batch of the queue of setup results", "tests/events/record-setup/ready.json");

/// The function, over its ports.
pub struct Function<S, P> {
    /// The seats.
    pub store: S,
    /// Time and randomness.
    pub ports: P,
}

/// Why a message is delivered again.
enum Again {
    /// It never will be anything else.
    Poison,
    /// Later it works.
    Later,
}

impl<S: Setups, P: Clock + Entropy> Function<S, P> {
    /// Records a batch and names the messages to deliver again. The audit names `invocation`.
    ///
    /// # Errors
    /// [`NoMessageId`](headcount_platform::NoMessageId) when a message to deliver again cannot be named;
    /// the whole batch is then delivered again.
    pub async fn handle(
        &self,
        event: SqsEvent,
        invocation: String,
    ) -> Result<SqsBatchResponse, Error> {
        let groups = by_group(event.records);
        let failed = groups.iter().map(|group| self.record_group(group, &invocation));
        let failed = join_all(failed).await;
        Ok(deliver_again(failed.into_iter().flatten())?)
    }

    /// Records the messages of a group in order; returns those to deliver again.
    async fn record_group<'g>(
        &self,
        group: &'g [SqsMessage],
        invocation: &str,
    ) -> Vec<&'g SqsMessage> {
        let mut again = Vec::new();
        for (position, message) in group.iter().enumerate() {
            match self.record(message, invocation).await {
                Ok(()) => {}
                Err(Again::Poison) => again.push(message),
                Err(Again::Later) => {
                    again.extend(&group[position..]);
                    break;
                }
            }
        }
        again
    }

    /// Records a result. A message that is recorded, or says nothing new, may be acknowledged.
    async fn record(&self, message: &SqsMessage, invocation: &str) -> Result<(), Again> {
        let message_id = message.message_id.as_deref();
        let poison = |faults: &str| {
            tracing::error!(message_id, faults, "a poison message");
            Again::Poison
        };
        let result = match decode(message.body.as_deref().unwrap_or_default()) {
            Ok(result) => result,
            Err(Poisoned::Malformed(why)) => return Err(poison(&why)),
            Err(Poisoned::Faults(faults)) => return Err(poison(&message::told(&faults))),
        };
        let (organization, id) = (result.organization.as_str(), result.id.as_str());
        let outcome = result.outcome.as_str();
        match record_setup(&self.store, &self.ports, &result, invocation).await {
            Ok(Decided::Now(_)) => tracing::info!(organization, id, outcome, "recorded"),
            Ok(Decided::Passed(why)) => {
                let request = result.request;
                tracing::info!(organization, id, outcome, request, ?why, "comes too late");
            }
            Err(SetupUndecided::Faults(faults)) => return Err(poison(&message::told(&faults))),
            Err(SetupUndecided::TryLater) => {
                tracing::warn!(organization, id, outcome, "not recorded; trying later");
                return Err(Again::Later);
            }
        }
        Ok(())
    }
}
