//! The queue that the messages come from, to which one that has to wait goes back.

use std::future::Future;
use std::time::Duration;

use aws_config::SdkConfig;
use aws_config::timeout::TimeoutConfig;
use aws_lambda_events::event::sqs::SqsMessage;
use aws_sdk_sqs::error::DisplayErrorContext;
use aws_sdk_sqs::types::ChangeMessageVisibilityBatchRequestEntry;
use headcount_billing::message;
use headcount_model::billing::BillingChange;

/// How long the first failure of a message keeps it from coming again; each further one doubles it.
const FIRST_DELAY: Duration = Duration::from_secs(5);
/// The longest such delay, the queue's own: with eight receives a message is given up after about
/// ten minutes, and reconcile-billing sends another.
const LONGEST_DELAY: Duration = Duration::from_secs(180);
/// How long a message that cannot be read waits. Time does not make it better, and its organization
/// waits until it has been given up: with eight receives for 40 seconds.
pub(crate) const POISON_DELAY: Duration = Duration::from_secs(5);

/// The longest wait for its turn for which a message is sent again.
pub(crate) const SHORT_WAIT: Duration = Duration::from_secs(60);

/// How long a message that failed for the `received`th time waits.
pub fn backoff(received: u32) -> Duration {
    let doublings = received.saturating_sub(1).min(16);
    FIRST_DELAY.saturating_mul(1 << doublings).min(LONGEST_DELAY)
}

/// Takes messages back.
pub trait BillingQueue {
    /// Makes messages of one group come again after a time of their own instead of the queue's.
    /// When it does not work, they come after the queue's.
    fn delay(&self, messages: &[SqsMessage], delay: Duration) -> impl Future<Output = ()> + Send;

    /// Sends a change again that has to wait, as a message of its own with a receive count of its
    /// own in the place of `waiting`; whether the queue took it.
    fn send_again(
        &self,
        change: &BillingChange,
        waiting: &SqsMessage,
    ) -> impl Future<Output = bool> + Send;
}

/// The deduplication id of the message that takes the place of one that has to wait.
///
/// The queue drops what it has seen in the last five minutes. The message that waits makes this a
/// new one, and one only, should it be sent twice by mistake. The time would not do: the clocks of
/// two processes differ, and a message that is dropped would be acknowledged and gone.
pub fn deduplication_id(change: &BillingChange, waiting: &SqsMessage) -> String {
    let waiting = waiting.message_id.as_deref().unwrap_or_default();
    format!("{}:{}:w{waiting}", change.organization, change.version)
}

/// The billing queue of a stack. It delays each message by some seconds, which is what the one
/// that is sent again waits.
pub struct AwsQueue {
    sqs: aws_sdk_sqs::Client,
    url: String,
}

impl AwsQueue {
    /// A client with time limits: the SDK itself waits for ever.
    pub fn connect(aws: &SdkConfig, url: String) -> Self {
        let limits = TimeoutConfig::builder()
            .connect_timeout(Duration::from_secs(1))
            .operation_attempt_timeout(Duration::from_secs(2))
            .operation_timeout(Duration::from_secs(5))
            .build();
        let config = aws_sdk_sqs::config::Builder::from(aws).timeout_config(limits).build();
        Self { sqs: aws_sdk_sqs::Client::from_conf(config), url }
    }
}

impl BillingQueue for AwsQueue {
    async fn delay(&self, messages: &[SqsMessage], delay: Duration) {
        let seconds = i32::try_from(delay.as_secs()).unwrap_or(i32::MAX);
        // A batch from the queue has ten messages at most, as has this call.
        let entries = messages.iter().enumerate().filter_map(|(position, message)| {
            ChangeMessageVisibilityBatchRequestEntry::builder()
                .id(position.to_string())
                .receipt_handle(message.receipt_handle.as_deref()?)
                .visibility_timeout(seconds)
                .build()
                .ok()
        });
        let changed = self
            .sqs
            .change_message_visibility_batch()
            .queue_url(&self.url)
            .set_entries(Some(entries.collect()))
            .send()
            .await;
        if let Err(error) = &changed {
            let cause = DisplayErrorContext(error);
            tracing::warn!(%cause, "messages come again only after the queue's own time");
        }
    }

    async fn send_again(&self, change: &BillingChange, waiting: &SqsMessage) -> bool {
        let sent = self
            .sqs
            .send_message()
            .queue_url(&self.url)
            .message_group_id(change.organization.as_str())
            .message_deduplication_id(deduplication_id(change, waiting))
            .message_body(message::encode(change))
            .send()
            .await;
        if let Err(error) = &sent {
            let cause = DisplayErrorContext(error);
            tracing::error!(%cause, "a message was not sent again");
        }
        sent.is_ok()
    }
}

#[cfg(test)]
mod tests {
    use headcount_model::id::OrganizationId;
    use headcount_model::port::System;

    use super::*;

    #[test]
    fn a_message_that_waits_twice_is_new_each_time_and_one_that_comes_twice_is_not() {
        let organization = OrganizationId::new(&System, &System).expect("entropy");
        let change = BillingChange { organization, version: 7, changes: Vec::new() };
        let message = |id: &str| {
            let mut message = SqsMessage::default();
            message.message_id = Some(id.to_owned());
            message
        };
        let id = |waiting| deduplication_id(&change, &message(waiting));
        assert_ne!(id("a"), id("b"));
        assert_eq!(id("a"), id("a"));
        assert!(id("0f4b3c1e-8f7a-4d0c-9a53-6f1d2c3b4a59").len() <= 128, "SQS takes 128");
    }
}
