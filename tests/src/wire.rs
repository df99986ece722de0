//! The wire between the store and DynamoDB: what goes over it is noted, and it can be cut.

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

use aws_sdk_dynamodb::config::interceptors::{
    BeforeSerializationInterceptorContextRef, BeforeTransmitInterceptorContextMut,
};
use aws_sdk_dynamodb::config::retry::RetryConfig;
use aws_sdk_dynamodb::config::{ConfigBag, Intercept, RuntimeComponents};
use aws_sdk_dynamodb::error::BoxError;

/// Where nothing listens: the discard port of this machine.
const NOWHERE: &str = "http://127.0.0.1:9/";

/// Notes every call to DynamoDB. Clones share the notes.
#[derive(Debug, Clone, Default)]
pub struct Wire {
    calls: Arc<Mutex<Vec<String>>>,
    is_cut: Arc<AtomicBool>,
}

impl Wire {
    /// The operations since this was asked last, in order: `GetItem`, `TransactWriteItems` …
    pub fn take(&self) -> Vec<String> {
        std::mem::take(&mut *self.calls.lock().unwrap_or_else(PoisonError::into_inner))
    }

    /// From now on every connection is refused, and nothing is retried.
    pub fn cut(&self) {
        self.is_cut.store(true, Ordering::SeqCst);
    }

    /// Ends what [`Wire::cut`] began.
    pub fn mend(&self) {
        self.is_cut.store(false, Ordering::SeqCst);
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
        if self.is_cut.load(Ordering::SeqCst) {
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
        let request = context.request_mut();
        let target = request.headers().get("x-amz-target").unwrap_or_default();
        let operation = target.rsplit('.').next().unwrap_or_default().to_owned();
        self.calls.lock().unwrap_or_else(PoisonError::into_inner).push(operation);
        if self.is_cut.load(Ordering::SeqCst) {
            request.set_uri(NOWHERE)?;
        }
        Ok(())
    }
}
