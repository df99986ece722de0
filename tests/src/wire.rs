//! The wire between the store and DynamoDB, which can be cut.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use aws_sdk_dynamodb::config::interceptors::{
    BeforeSerializationInterceptorContextRef, BeforeTransmitInterceptorContextMut,
};
use aws_sdk_dynamodb::config::retry::RetryConfig;
use aws_sdk_dynamodb::config::{ConfigBag, Intercept, RuntimeComponents};
use aws_sdk_dynamodb::error::BoxError;

/// Where nothing listens: the discard port of this machine.
const NOWHERE: &str = "http://127.0.0.1:9/";

/// Whether DynamoDB can be reached. Clones share the answer.
#[derive(Debug, Clone, Default)]
pub struct Wire(Arc<AtomicBool>);

impl Wire {
    /// From now on every connection is refused, and nothing is retried.
    pub fn cut(&self) {
        self.0.store(true, Ordering::SeqCst);
    }

    /// Ends what [`Wire::cut`] began.
    pub fn mend(&self) {
        self.0.store(false, Ordering::SeqCst);
    }

    fn is_cut(&self) -> bool {
        self.0.load(Ordering::SeqCst)
    }
}

impl Intercept for Wire {
    fn name(&self) -> &'static str {
        "Wire"
    }

    fn read_before_execution(
        &self,
        _: &BeforeSerializationInterceptorContextRef<'_>,
        config: &mut ConfigBag,
    ) -> Result<(), BoxError> {
        if self.is_cut() {
            // A test does not wait for the pauses between retries.
            config.interceptor_state().store_put(RetryConfig::disabled());
        }
        Ok(())
    }

    fn modify_before_transmit(
        &self,
        context: &mut BeforeTransmitInterceptorContextMut<'_>,
        _: &RuntimeComponents,
        _: &mut ConfigBag,
    ) -> Result<(), BoxError> {
        if self.is_cut() {
            context.request_mut().set_uri(NOWHERE)?;
        }
        Ok(())
    }
}
