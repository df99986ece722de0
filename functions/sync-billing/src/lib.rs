//! The billing queue, to Stripe.
//!
//! A batch holds messages of several organizations, each a FIFO group. Groups are worked on side
//! by side; within one, the first failure stops the group and is reported with everything behind
//! it, so that order is kept and one organization's trouble stays its own.

mod queue;

use std::collections::HashMap;
use std::time::Duration;

use aws_lambda_events::event::sqs::{SqsBatchResponse, SqsEvent, SqsMessage};
use futures_util::future::join_all;
use headcount_billing::message::{self, Poisoned};
use headcount_billing::{Applied, Failure, Prices, Subscriptions, Until, Worth, apply};
use headcount_model::billing::{BillingChange, BillingLedger};
use headcount_model::id::OrganizationId;
use headcount_model::port::{Clock, Entropy};
use headcount_platform::{Takes, by_group, deliver_again};
use jiff::{SignedDuration, Timestamp};
use lambda_runtime::Error;

pub use queue::{AwsQueue, BillingQueue, backoff, deduplication_id};

/// What the function takes.
pub const TAKES: Takes =
    Takes::batches("a batch of the billing queue", "tests/events/sync-billing/applied.json");

/// How long after its beginning a batch may begin a call of Stripe. Lambda ends it after 30 s, and
/// then every message of it, of whichever organization, counts a receive and comes again only after the
/// queue's 180 s. A call may take 8 s, the table and the queue as much behind it.
const LAST_CALL_AFTER: SignedDuration = SignedDuration::from_secs(12);

/// The function, over its ports.
pub struct Function<L, S, Q, P> {
    /// The billing records.
    pub ledger: L,
    /// Stripe.
    pub stripe: S,
    /// The queue that the messages come from.
    pub queue: Q,
    /// The price of each tier.
    pub prices: Prices,
    /// Time and randomness.
    pub ports: P,
}

impl<L, S, Q, P> Function<L, S, Q, P>
where
    L: BillingLedger,
    S: Subscriptions + Worth + Sync,
    Q: BillingQueue,
    P: Clock + Entropy,
{
    /// Applies a batch and names the messages to deliver again.
    ///
    /// # Errors
    /// [`NoMessageId`](headcount_platform::NoMessageId) when a message to deliver again cannot be named; the whole batch is then
    /// delivered again.
    pub async fn handle(&self, event: SqsEvent) -> Result<SqsBatchResponse, Error> {
        let groups = by_group(event.records);
        let began = self.ports.now();
        let last_call = began.saturating_add(LAST_CALL_AFTER).unwrap_or(Timestamp::MAX);
        let stripe = &Until { stripe: &self.stripe, clock: &self.ports, last_call };
        let failed = groups.iter().map(|group| self.apply_group(group, stripe));
        let failed = join_all(failed).await;
        Ok(deliver_again(failed.into_iter().flatten())?)
    }

    /// Applies the messages of a group in order; returns those to deliver again.
    async fn apply_group<'g>(
        &self,
        group: &'g [SqsMessage],
        stripe: &Until<'_, S>,
    ) -> &'g [SqsMessage] {
        let mut newest = newest(group);
        for (position, message) in group.iter().enumerate() {
            let Ok(BillingChange { organization, .. }) = decode(message) else {
                tracing::error!(message_id = message.message_id, "a poison message");
                let again = &group[position..];
                self.queue.delay(again, queue::POISON_DELAY).await;
                return again;
            };
            // The newest version of the batch says all that the others say.
            let Some(change) = newest.remove(&organization) else { continue };
            if let Err(delay) = self.apply_change(&change, message, stripe).await {
                let again = &group[position..];
                self.queue.delay(again, delay).await;
                return again;
            }
        }
        &[]
    }

    /// Applies a change that `message` tells of.
    ///
    /// # Errors
    /// After which time the message is to come again. Without, it may be acknowledged.
    async fn apply_change(
        &self,
        change: &BillingChange,
        message: &SqsMessage,
        stripe: &Until<'_, S>,
    ) -> Result<(), Duration> {
        let (organization, version) = (change.organization.as_str(), change.version);
        let ports = &self.ports;
        match apply(&self.ledger, stripe, &self.prices, change, ports, ports).await {
            Ok(applied) => {
                let called = matches!(applied, Applied::Now(_));
                let holds = applied.version();
                tracing::info!(organization, version, holds, called, "in step with Stripe");
                return Ok(());
            }
            // Sent again it has a receive count of its own, so that waiting does not use that up. A
            // long wait is one receive, and would be many messages. One that failed before keeps its
            // count: what fails for good, and waits in between, would never be given up.
            Err(Failure::TooSoon(wait)) => {
                let wait = wait.unsigned_abs();
                // How its versions came about has been kept by now.
                let bare = BillingChange { changes: Vec::new(), ..change.clone() };
                let is_sent_again = wait <= queue::SHORT_WAIT && received(message) == 1;
                let sent = is_sent_again && self.queue.send_again(&bare, message).await;
                tracing::info!(organization, version, sent, ?wait, "waits for its turn");
                return if sent { Ok(()) } else { Err(wait.max(backoff(received(message)))) };
            }
            Err(Failure::TryLater(cause)) => {
                tracing::warn!(organization, version, cause, "not applied; trying later");
            }
            Err(Failure::Permanent(error)) => {
                let (code, cause) = (error.code, error.message);
                tracing::error!(organization, version, code, cause, "cannot be applied");
            }
        }
        Err(backoff(received(message)))
    }
}

/// How often a message was received, this time included.
fn received(message: &SqsMessage) -> u32 {
    let count = message.attributes.get("ApproximateReceiveCount");
    count.and_then(|count| count.parse().ok()).unwrap_or(1)
}

fn decode(message: &SqsMessage) -> Result<BillingChange, Poisoned> {
    message::decode(message.body.as_deref().unwrap_or_default())
}

/// All that the messages before the first poison say of each organization: its newest version, and how
/// each came about.
fn newest(group: &[SqsMessage]) -> HashMap<OrganizationId, BillingChange> {
    let mut newest: HashMap<OrganizationId, BillingChange> = HashMap::new();
    for change in group.iter().map_while(|message| decode(message).ok()) {
        match newest.get_mut(&change.organization) {
            Some(known) => {
                known.version = known.version.max(change.version);
                known.changes.extend(change.changes);
            }
            None => {
                newest.insert(change.organization.clone(), change);
            }
        }
    }
    newest
}
