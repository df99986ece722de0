//! The billing queue, to Stripe.
//!
//! A batch holds messages of several organizations, each a FIFO group. Groups are worked on side
//! by side; within one, the first failure stops the group and is reported with everything behind
//! it, so that order is kept and one organization's trouble stays its own.

use aws_lambda_events::event::sqs::{BatchItemFailure, SqsBatchResponse, SqsEvent, SqsMessage};
use futures_util::future::join_all;
use headcount_billing::{Applied, Failure, Prices, Subscriptions, apply, message};
use headcount_model::billing::BillingLedger;
use headcount_model::port::{Clock, Entropy};
use lambda_runtime::Error;

/// The function, over its ports.
pub struct Function<L, S, P> {
    /// The billing records.
    pub ledger: L,
    /// Stripe.
    pub stripe: S,
    /// The price of each tier.
    pub prices: Prices,
    /// Time and randomness.
    pub ports: P,
}

impl<L, S, P> Function<L, S, P>
where
    L: BillingLedger,
    S: Subscriptions,
    P: Clock + Entropy,
{
    /// Applies a batch and names the messages to deliver again.
    ///
    /// # Errors
    /// [`NoMessageId`] when a message to deliver again cannot be named; the whole batch is then
    /// delivered again.
    pub async fn handle(&self, event: SqsEvent) -> Result<SqsBatchResponse, Error> {
        let groups = by_group(event.records);
        let failed = join_all(groups.iter().map(|group| self.apply_group(group))).await;
        let mut response = SqsBatchResponse::default();
        for message in failed.into_iter().flatten() {
            let mut failure = BatchItemFailure::default();
            failure.item_identifier = message.message_id.clone().ok_or(NoMessageId)?;
            response.batch_item_failures.push(failure);
        }
        Ok(response)
    }

    /// Applies the messages of a group in order; returns those to deliver again.
    async fn apply_group<'g>(&self, group: &'g [SqsMessage]) -> &'g [SqsMessage] {
        let mut applied_version = 0;
        for (position, message) in group.iter().enumerate() {
            match self.apply_message(message, applied_version).await {
                Some(version) => applied_version = version,
                None => return &group[position..],
            }
        }
        &[]
    }

    /// The version that Stripe holds afterwards; `None` when the message has to come again.
    async fn apply_message(&self, message: &SqsMessage, applied_version: u64) -> Option<u64> {
        let body = message.body.as_deref().unwrap_or_default();
        let Ok(change) = message::decode(body) else {
            tracing::error!(message_id = message.message_id, "a poison message");
            return None;
        };
        // A message before it in the batch brought Stripe further already.
        if change.version <= applied_version {
            return Some(applied_version);
        }
        let (organization, version) = (change.organization.as_str(), change.version);
        let outcome =
            apply(&self.ledger, &self.stripe, &self.prices, &change, &self.ports, &self.ports)
                .await;
        match outcome {
            Ok(applied) => {
                let called = matches!(applied, Applied::Now(_));
                let holds = applied.version();
                tracing::info!(organization, version, holds, called, "in step with Stripe");
                Some(holds)
            }
            Err(Failure::TryLater(cause)) => {
                tracing::warn!(organization, version, cause, "not applied; trying later");
                None
            }
            Err(Failure::Permanent(error)) => {
                let (code, cause) = (error.code, error.message);
                tracing::error!(organization, version, code, cause, "cannot be applied");
                None
            }
        }
    }
}

/// The messages by group, each group in the order of the queue. A message without a group, which
/// a FIFO queue never delivers, is a group of its own.
fn by_group(messages: Vec<SqsMessage>) -> Vec<Vec<SqsMessage>> {
    let mut groups: Vec<Vec<SqsMessage>> = Vec::new();
    for message in messages {
        let name = group_name(&message).map(str::to_owned);
        let known = groups
            .iter_mut()
            .find(|group| name.is_some() && group.first().and_then(group_name) == name.as_deref());
        match known {
            Some(group) => group.push(message),
            None => groups.push(vec![message]),
        }
    }
    groups
}

fn group_name(message: &SqsMessage) -> Option<&str> {
    message.attributes.get("MessageGroupId").map(String::as_str)
}

/// A message to deliver again has no id.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct NoMessageId;

impl std::fmt::Display for NoMessageId {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("a message without id failed")
    }
}

impl std::error::Error for NoMessageId {}
