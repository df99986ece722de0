//! What a function asks of DynamoDB.

use std::sync::{Arc, Mutex, PoisonError};

use aws_sdk_dynamodb::config::interceptors::BeforeTransmitInterceptorContextRef;
use aws_sdk_dynamodb::config::{ConfigBag, Intercept, RuntimeComponents};
use aws_sdk_dynamodb::error::BoxError;
use serde_json::Value;

/// The DynamoDB operations that a client has sent, retries included, each with its body. Clones
/// share the list.
#[derive(Debug, Clone, Default)]
pub struct Operations(Arc<Mutex<Vec<Sent>>>);

/// An operation and its body.
type Sent = (String, Vec<u8>);

/// What IAM is asked for an operation: the action, and the partition key that it is about; an
/// index has none of the table's.
pub type Access = (String, Option<String>);

impl Operations {
    /// The names of the operations since the last time they were taken, in order.
    pub fn take(&self) -> Vec<String> {
        self.take_sizes().into_iter().map(|(operation, _)| operation).collect()
    }

    /// The same, each with the bytes of its body.
    pub fn take_sizes(&self) -> Vec<(String, usize)> {
        self.take_all().into_iter().map(|(operation, body)| (operation, body.len())).collect()
    }

    /// What IAM was asked since the last time they were taken; a transaction is its parts.
    pub fn take_accesses(&self) -> Vec<Access> {
        let accesses = self.take_all().into_iter().flat_map(|(operation, body)| {
            let body = serde_json::from_slice(&body).expect("JSON");
            accesses(&operation, &body)
        });
        accesses.collect()
    }

    fn take_all(&self) -> Vec<Sent> {
        std::mem::take(&mut *self.0.lock().unwrap_or_else(PoisonError::into_inner))
    }
}

impl Intercept for Operations {
    fn name(&self) -> &'static str {
        "Operations"
    }

    fn read_before_transmit(
        &self,
        context: &BeforeTransmitInterceptorContextRef<'_>,
        _: &RuntimeComponents,
        _: &mut ConfigBag,
    ) -> Result<(), BoxError> {
        // `DynamoDB_20120810.GetItem`
        let target = context.request().headers().get("x-amz-target");
        let operation = target.and_then(|target| target.rsplit('.').next());
        let body = context.request().body().bytes().unwrap_or_default().to_vec();
        self.0
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .push((operation.unwrap_or_default().to_owned(), body));
        Ok(())
    }
}

/// The accesses of one operation.
fn accesses(operation: &str, body: &Value) -> Vec<Access> {
    let access = |action: &str, key: &Value| {
        let pk = key["pk"]["S"].as_str().expect("a partition key");
        (action.to_owned(), Some(pk.to_owned()))
    };
    match operation {
        "PutItem" => vec![access(operation, &body["Item"])],
        "GetItem" | "UpdateItem" | "DeleteItem" => vec![access(operation, &body["Key"])],
        "BatchGetItem" => {
            let tables = body["RequestItems"].as_object().expect("tables").values();
            let keys = tables.flat_map(|table| table["Keys"].as_array().expect("keys"));
            keys.map(|key| access(operation, key)).collect()
        }
        "Query" if body["IndexName"].is_string() => vec![(operation.to_owned(), None)],
        "Query" => {
            let condition = body["KeyConditionExpression"].as_str().expect("a condition");
            let name = condition.split(' ').nth(2).expect("pk = :name");
            let pk = body["ExpressionAttributeValues"][name]["S"].as_str().expect("a text");
            vec![(operation.to_owned(), Some(pk.to_owned()))]
        }
        "TransactWriteItems" => {
            let parts = body["TransactItems"].as_array().expect("parts").iter();
            let parts = parts.flat_map(|part| part.as_object().expect("a part"));
            let parts = parts.map(|(kind, part)| match kind.as_str() {
                "Put" => access("PutItem", &part["Item"]),
                "Update" => access("UpdateItem", &part["Key"]),
                "Delete" => access("DeleteItem", &part["Key"]),
                "ConditionCheck" => access("ConditionCheckItem", &part["Key"]),
                other => panic!("{other} is no part of a transaction"),
            });
            parts.collect()
        }
        other => panic!("nobody knows what {other} asks"),
    }
}
