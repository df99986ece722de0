//! Batches of a queue, and the partial responses to them.

use aws_lambda_events::event::sqs::{BatchItemFailure, SqsBatchResponse, SqsMessage};

/// The messages by group, each group in the order of the queue. A message without a group, which
/// a FIFO queue never delivers, is a group of its own.
pub fn by_group(messages: Vec<SqsMessage>) -> Vec<Vec<SqsMessage>> {
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

/// The response that names the messages to deliver again; Lambda deletes the others.
///
/// # Errors
/// [`NoMessageId`].
pub fn deliver_again<'m>(
    messages: impl IntoIterator<Item = &'m SqsMessage>,
) -> Result<SqsBatchResponse, NoMessageId> {
    let mut response = SqsBatchResponse::default();
    for message in messages {
        let mut failure = BatchItemFailure::default();
        failure.item_identifier = message.message_id.clone().ok_or(NoMessageId)?;
        response.batch_item_failures.push(failure);
    }
    Ok(response)
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
