//! The outbox on SQS and EventBridge.

use std::time::Duration;

use aws_config::SdkConfig;
use aws_config::timeout::TimeoutConfig;
use aws_sdk_eventbridge::types::PutEventsRequestEntry;
use aws_sdk_sqs::error::DisplayErrorContext;
use aws_sdk_sqs::types::SendMessageBatchRequestEntry;
use headcount_billing::message;
use lambda_runtime::Error;

use crate::Outbox;
use crate::parcel::{Event, Parcel};

/// The most entries of one call, to either service.
const MAX_ENTRIES: usize = 10;
/// The `source` of our events.
const SOURCE: &str = "headcount";

/// The outbox of a stack.
pub struct AwsOutbox {
    /// Client of the queues.
    pub sqs: aws_sdk_sqs::Client,
    /// Client of the bus.
    pub events: aws_sdk_eventbridge::Client,
    /// The billing queue, FIFO.
    pub billing_queue_url: String,
    /// The queue for what cannot be published.
    pub undelivered_queue_url: String,
    /// The event bus.
    pub event_bus_name: String,
}

impl Outbox for AwsOutbox {
    async fn deliver(&self, parcels: &[Parcel]) -> Vec<usize> {
        let (mut billing, mut aside, mut events) = (Vec::new(), Vec::new(), Vec::new());
        for (position, parcel) in parcels.iter().enumerate() {
            match parcel {
                Parcel::Billing(change) => {
                    // One group an organization: its changes are applied one after the other,
                    // and hold up nobody else's.
                    let id = format!("{}:{}", change.organization, change.version);
                    let entry = SendMessageBatchRequestEntry::builder()
                        .message_group_id(change.organization.as_str())
                        .message_deduplication_id(id)
                        .message_body(message::encode(change));
                    billing.push((position, entry));
                }
                Parcel::SetAside(record) => {
                    let body = serde_json::json!({
                        "reason": record.reason,
                        "event_id": record.event_id,
                        "keys": record.keys,
                    });
                    let entry =
                        SendMessageBatchRequestEntry::builder().message_body(body.to_string());
                    aside.push((position, entry));
                }
                Parcel::Event(event) => events.push((position, event)),
            }
        }
        let mut failed = self.send(&self.billing_queue_url, billing).await;
        failed.extend(self.send(&self.undelivered_queue_url, aside).await);
        for chunk in events.chunks(MAX_ENTRIES) {
            failed.extend(self.put(chunk).await);
        }
        failed
    }
}

impl AwsOutbox {
    /// Clients of what the environment names (`BILLING_QUEUE_URL`, `UNDELIVERED_QUEUE_URL`,
    /// `EVENT_BUS_NAME`), with time limits: the SDK itself waits for ever.
    ///
    /// # Errors
    /// When a variable is missing.
    pub fn connect(aws: &SdkConfig) -> Result<Self, Error> {
        let required =
            |variable: &str| std::env::var(variable).map_err(|_| format!("{variable} must be set"));
        let limits = TimeoutConfig::builder()
            .connect_timeout(Duration::from_secs(1))
            .operation_attempt_timeout(Duration::from_secs(2))
            .operation_timeout(Duration::from_secs(6))
            .build();
        let config = aws.to_builder().timeout_config(limits).build();
        Ok(Self {
            sqs: aws_sdk_sqs::Client::new(&config),
            events: aws_sdk_eventbridge::Client::new(&config),
            billing_queue_url: required("BILLING_QUEUE_URL")?,
            undelivered_queue_url: required("UNDELIVERED_QUEUE_URL")?,
            event_bus_name: required("EVENT_BUS_NAME")?,
        })
    }
}

type Entry = aws_sdk_sqs::types::builders::SendMessageBatchRequestEntryBuilder;

impl AwsOutbox {
    async fn send(&self, queue: &str, entries: Vec<(usize, Entry)>) -> Vec<usize> {
        let mut failed = Vec::new();
        for chunk in entries.chunks(MAX_ENTRIES) {
            let positions: Vec<usize> = chunk.iter().map(|(position, _)| *position).collect();
            let entries: Result<Vec<_>, _> = chunk
                .iter()
                .map(|(position, entry)| entry.clone().id(position.to_string()).build())
                .collect();
            let sent = match entries {
                Ok(entries) => {
                    self.sqs
                        .send_message_batch()
                        .queue_url(queue)
                        .set_entries(Some(entries))
                        .send()
                        .await
                }
                Err(error) => Err(error.into()),
            };
            match sent {
                Ok(output) => failed.extend(output.failed.iter().filter_map(|entry| {
                    tracing::error!(code = entry.code, "a message was not sent");
                    entry.id.parse::<usize>().ok()
                })),
                Err(error) => {
                    let cause = DisplayErrorContext(&error);
                    tracing::error!(%cause, "messages were not sent");
                    failed.extend(positions);
                }
            }
        }
        failed
    }

    async fn put(&self, chunk: &[(usize, &Event)]) -> Vec<usize> {
        let entries = chunk.iter().map(|(_, event)| {
            PutEventsRequestEntry::builder()
                .event_bus_name(&self.event_bus_name)
                .source(SOURCE)
                .detail_type(event.detail_type)
                .detail(event.detail.to_string())
                .build()
        });
        let output = self.events.put_events().set_entries(Some(entries.collect())).send().await;
        match output {
            // One result an entry, in order; those that failed have an error code.
            Ok(output) => chunk
                .iter()
                .zip(output.entries())
                .filter(|(_, result)| result.error_code().is_some())
                .map(|((position, _), result)| {
                    tracing::error!(code = result.error_code(), "an event was not put");
                    *position
                })
                .collect(),
            Err(error) => {
                let cause = DisplayErrorContext(&error);
                tracing::error!(%cause, "events were not put");
                chunk.iter().map(|(position, _)| *position).collect()
            }
        }
    }
}
