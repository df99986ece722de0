//! The queues through which seats are billed.

use aws_sdk_sqs::error::DisplayErrorContext;
use aws_sdk_sqs::types::{Message, MessageSystemAttributeName};
use clap::{Args, Subcommand};
use headcount_billing::message;
use headcount_model::idempotency::hex;
use headcount_model::port::{System, random};

use crate::comparison::Compare;
use crate::explain::Explain;
use crate::failure::Failure;
use crate::report::Report;
use crate::target::{BillingQueues, Target};

/// The most messages that one call receives
/// (<https://docs.aws.amazon.com/AWSSimpleQueueService/latest/APIReference/API_ReceiveMessage.html>).
const MAX_RECEIVED: u32 = 10;
/// How long a call waits for messages, in seconds. Without waiting, SQS asks some of its servers
/// only and may find nothing although there is something.
const WAIT_SECONDS: i32 = 1;

/// The queues through which seats are billed.
#[derive(Subcommand)]
pub(crate) enum Command {
    /// Moves billing changes that were given up back to their queue.
    ///
    /// Each is sent again before it is deleted, so that none is lost; one that is sent twice does
    /// no harm, and neither does an old one: Stripe is always told the newest counts.
    Redrive(Redrive),
    /// Compares what Stripe bills with the seats that there are. Nothing is changed.
    ///
    /// For a table that was restored to an earlier time; the runbook says when.
    Compare(Compare),
    /// Says what Stripe was told of an organization's seats, by whose doing, and what came of it.
    ///
    /// Each update with the versions that it told of and who made them, the quantities before and after,
    /// what Stripe answered, and the lines of invoices that it made. Nothing is changed.
    Explain(Explain),
}

/// What to move.
#[derive(Args)]
pub(crate) struct Redrive {
    /// The most messages to move.
    #[arg(
        long,
        value_name = "MESSAGES",
        default_value_t = 10_000,
        value_parser = clap::value_parser!(u32).range(1..)
    )]
    max: u32,
}

impl Command {
    pub(crate) async fn run(self, target: &Target) -> Result<Report, Failure> {
        match self {
            Command::Redrive(Redrive { max }) => {
                redrive(&target.billing_queues().await?, max).await
            }
            Command::Compare(compare) => compare.run(target).await,
            Command::Explain(explain) => explain.run(target).await,
        }
    }
}

async fn redrive(queues: &BillingQueues, max: u32) -> Result<Report, Failure> {
    let (mut moved, mut left) = (0, 0);
    while moved + left < max {
        let messages = receive(queues, MAX_RECEIVED.min(max - moved - left)).await;
        let messages = messages.map_err(|failure| after(moved, failure))?;
        if messages.is_empty() {
            break;
        }
        // One after the other: those of one organization keep their order.
        for message in &messages {
            if is_ours(message) {
                return_to_queue(queues, message).await.map_err(|failure| after(moved, failure))?;
                moved += 1;
            } else {
                left += 1;
            }
        }
    }
    let report = Report::new().field("moved", moved).field("left", left);
    Ok(if left == 0 {
        report
    } else {
        report.note("Messages that are no billing changes stay among the dead letters.")
    })
}

/// A message that cannot be read would only come back, and hold up its organization meanwhile.
fn is_ours(message: &Message) -> bool {
    message.body().is_some_and(|body| message::decode(body).is_ok())
}

async fn receive(queues: &BillingQueues, count: u32) -> Result<Vec<Message>, Failure> {
    let output = queues
        .client
        .receive_message()
        .queue_url(&queues.dlq)
        .max_number_of_messages(i32::try_from(count).unwrap_or(i32::MAX))
        .wait_time_seconds(WAIT_SECONDS)
        .message_system_attribute_names(MessageSystemAttributeName::MessageGroupId)
        .send()
        .await
        .map_err(|error| failed(&error))?;
    Ok(output.messages.unwrap_or_default())
}

async fn return_to_queue(queues: &BillingQueues, message: &Message) -> Result<(), Failure> {
    let group = message
        .attributes()
        .and_then(|attributes| attributes.get(&MessageSystemAttributeName::MessageGroupId))
        .ok_or_else(|| Failure::new("a dead letter has no message group"))?;
    // SQS would drop an id that it has seen within five minutes, and the message would be gone.
    let id = format!("redrive:{}", hex(&random::<16>(&System)?));
    queues
        .client
        .send_message()
        .queue_url(&queues.queue)
        .message_group_id(group)
        .message_deduplication_id(id)
        .message_body(message.body().unwrap_or_default())
        .send()
        .await
        .map_err(|error| failed(&error))?;
    queues
        .client
        .delete_message()
        .queue_url(&queues.dlq)
        .set_receipt_handle(message.receipt_handle.clone())
        .send()
        .await
        .map_err(|error| failed(&error))?;
    Ok(())
}

fn failed<E: std::error::Error + 'static>(error: &E) -> Failure {
    Failure::new(format!("the queue did not answer: {}", DisplayErrorContext(error))).advise(
        "Check the queue URLs, AWS_REGION and the AWS credentials, then repeat the command.",
    )
}

/// Says how far it came.
fn after(moved: u32, failure: Failure) -> Failure {
    if moved == 0 {
        failure
    } else {
        failure.preceded_by(&format!("{moved} messages were moved; then "))
    }
}
