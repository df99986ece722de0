//! The queue that the messages come from, to which one that has to wait goes back.

use std::future::Future;
use std::time::Duration;

use aws_config::timeout::TimeoutConfig;
use aws_sdk_sqs::error::DisplayErrorContext;
use headcount_billing::message;
use headcount_model::billing::BillingChange;
use jiff::Timestamp;

/// Takes messages back.
pub trait BillingQueue {
    /// Sends a change again, as a message of its own with a receive count of its own; whether the
    /// queue took it.
    fn send_again(
        &self,
        change: &BillingChange,
        now: Timestamp,
    ) -> impl Future<Output = bool> + Send;
}

/// The billing queue of a stack. It delays each message by some seconds, which is what the one
/// that is sent again waits.
pub struct AwsQueue {
    sqs: aws_sdk_sqs::Client,
    url: String,
}

impl AwsQueue {
    /// Connects as the environment says, with time limits: the SDK itself waits for ever.
    pub async fn connect(url: String) -> Self {
        let limits = TimeoutConfig::builder()
            .connect_timeout(Duration::from_secs(1))
            .operation_attempt_timeout(Duration::from_secs(2))
            .operation_timeout(Duration::from_secs(5))
            .build();
        let config = aws_config::from_env().timeout_config(limits).load().await;
        Self { sqs: aws_sdk_sqs::Client::new(&config), url }
    }
}

impl BillingQueue for AwsQueue {
    async fn send_again(&self, change: &BillingChange, now: Timestamp) -> bool {
        // The queue drops what it has seen in the last five minutes. The second makes this a new
        // message, and one only, should it be sent twice by mistake.
        let id = format!("{}:{}:w{}", change.organization, change.version, now.as_second());
        let sent = self
            .sqs
            .send_message()
            .queue_url(&self.url)
            .message_group_id(change.organization.as_str())
            .message_deduplication_id(id)
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
