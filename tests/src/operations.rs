//! What a function asks of DynamoDB.

use std::sync::{Arc, Mutex, PoisonError};

use aws_sdk_dynamodb::config::interceptors::BeforeTransmitInterceptorContextRef;
use aws_sdk_dynamodb::config::{ConfigBag, Intercept, RuntimeComponents};
use aws_sdk_dynamodb::error::BoxError;

/// The DynamoDB operations that a client has sent, retries included. Clones share the list.
#[derive(Debug, Clone, Default)]
pub struct Operations(Arc<Mutex<Vec<(String, usize)>>>);

impl Operations {
    /// The names of the operations since the last time they were taken, in order.
    pub fn take(&self) -> Vec<String> {
        self.take_sizes().into_iter().map(|(operation, _)| operation).collect()
    }

    /// The same, each with the bytes of its body.
    pub fn take_sizes(&self) -> Vec<(String, usize)> {
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
        let size = context.request().body().bytes().map_or(0, <[u8]>::len);
        self.0
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .push((operation.unwrap_or_default().to_owned(), size));
        Ok(())
    }
}
