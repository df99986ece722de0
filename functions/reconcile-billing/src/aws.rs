//! The billing queue on SQS.

use std::time::Duration;

use aws_config::SdkConfig;
use aws_config::timeout::TimeoutConfig;
use aws_sdk_sqs::error::DisplayErrorContext;
use aws_sdk_sqs::types::SendMessageBatchRequestEntry;
use headcount_billing::message;

use crate::republish::{BillingQueue, Message};

/// The billing queue of a stack.
pub struct AwsQueue {
    /// Client of the queue.
    pub sqs: aws_sdk_sqs::Client,
    /// Its URL.
    pub url: String,
}

impl AwsQueue {
    /// A client with time limits: the SDK itself waits for ever.
    pub fn connect(aws: &SdkConfig, url: String) -> Self {
        let limits = TimeoutConfig::builder()
            .connect_timeout(Duration::from_secs(1))
            .operation_attempt_timeout(Duration::from_secs(2))
            .operation_timeout(Duration::from_secs(6))
            .build();
        let config = aws_sdk_sqs::config::Builder::from(aws).timeout_config(limits).build();
        Self { sqs: aws_sdk_sqs::Client::from_conf(config), url }
    }
}

impl BillingQueue for AwsQueue {
    async fn send(&self, messages: &[Message]) -> usize {
        let entries: Result<Vec<_>, _> = messages
            .iter()
            .enumerate()
            .map(|(position, message)| {
                SendMessageBatchRequestEntry::builder()
                    .id(position.to_string())
                    .message_group_id(message.change.organization.as_str())
                    .message_deduplication_id(&message.deduplication_id)
                    .message_body(message::encode(&message.change))
                    .build()
            })
            .collect();
        let sent = match entries {
            Ok(entries) => {
                let batch = self.sqs.send_message_batch().queue_url(&self.url);
                batch.set_entries(Some(entries)).send().await
            }
            Err(error) => Err(error.into()),
        };
        match sent {
            Ok(output) => {
                for entry in &output.failed {
                    tracing::error!(code = entry.code, "a message was not sent again");
                }
                messages.len().saturating_sub(output.failed.len())
            }
            Err(error) => {
                let cause = DisplayErrorContext(&error);
                tracing::error!(%cause, "messages were not sent again");
                0
            }
        }
    }
}
