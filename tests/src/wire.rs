//! The wire between the store and DynamoDB, which can be cut and told what to say.

use std::collections::VecDeque;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

use aws_sdk_dynamodb::config::http::HttpResponse;
use aws_sdk_dynamodb::config::interceptors::{
    BeforeDeserializationInterceptorContextMut, BeforeSerializationInterceptorContextRef,
    BeforeTransmitInterceptorContextMut,
};
use aws_sdk_dynamodb::config::retry::RetryConfig;
use aws_sdk_dynamodb::config::{ConfigBag, Intercept, RuntimeComponents};
use aws_sdk_dynamodb::error::BoxError;
use aws_smithy_types::body::SdkBody;

/// Where nothing listens: the discard port of this machine.
const NOWHERE: &str = "http://127.0.0.1:9/";

/// What happens to a call on its way.
#[derive(Debug, Clone)]
pub enum Fault {
    /// It never arrives, and DynamoDB seems to cancel the transaction for these reasons: the code of
    /// each action.
    Cancelled(Vec<&'static str>),
    /// It never arrives, and DynamoDB seems to have an internal error.
    Refused,
    /// It never arrives, and DynamoDB seems to say that calls come too fast.
    Throttled,
    /// It is carried out and answered; it is the next call of its kind that may be struck.
    Spared,
    /// It is carried out, and the answer gets lost on the way back.
    AnswerLost,
    /// It is carried out, and DynamoDB seems to be still at work on it.
    InProgress,
}

/// The error of a transaction whose first attempt has not ended.
const IN_PROGRESS: &str = r#"{"__type":"com.amazonaws.dynamodb.v20120810#TransactionInProgressException","Message":"The transaction with the given request token is already in progress."}"#;

/// The error of a call that comes too fast.
const THROTTLED: &str =
    r#"{"__type":"com.amazon.coral.availability#ThrottlingException","Message":"Rate exceeded"}"#;

/// Whether DynamoDB can be reached, and what happens to transactions. Clones share it.
#[derive(Debug, Clone, Default)]
pub struct Wire {
    cut: Arc<AtomicBool>,
    faults: Arc<Mutex<VecDeque<(&'static str, Fault)>>>,
}

/// Marks an attempt that a fault struck.
#[derive(Debug)]
struct Struck(Fault);

impl aws_smithy_types::config_bag::Storable for Struck {
    type Storer = aws_smithy_types::config_bag::StoreReplace<Self>;
}

impl Wire {
    /// From now on every connection is refused, and nothing is retried.
    pub fn cut(&self) {
        self.cut.store(true, Ordering::SeqCst);
    }

    /// Ends what [`Wire::cut`] began.
    pub fn mend(&self) {
        self.cut.store(false, Ordering::SeqCst);
    }

    /// Strikes the coming transactions, one fault each.
    pub fn strike(&self, faults: impl IntoIterator<Item = Fault>) {
        self.strike_on("TransactWriteItems", faults);
    }

    /// Strikes the coming calls of an operation, one fault each.
    pub fn strike_on(&self, operation: &'static str, faults: impl IntoIterator<Item = Fault>) {
        let faults = faults.into_iter().map(|fault| (operation, fault));
        self.faults.lock().unwrap_or_else(PoisonError::into_inner).extend(faults);
    }

    /// The next fault, when it is for this operation.
    fn next_fault(&self, operation: &str) -> Option<Fault> {
        let mut faults = self.faults.lock().unwrap_or_else(PoisonError::into_inner);
        let is_next = faults.front().is_some_and(|(struck, _)| *struck == operation);
        if is_next { faults.pop_front().map(|(_, fault)| fault) } else { None }
    }

    fn is_cut(&self) -> bool {
        self.cut.load(Ordering::SeqCst)
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
        config: &mut ConfigBag,
    ) -> Result<(), BoxError> {
        if self.is_cut() {
            context.request_mut().set_uri(NOWHERE)?;
        }
        let target = context.request().headers().get("x-amz-target").unwrap_or_default();
        let operation = target.rsplit('.').next().unwrap_or_default();
        let fault = self.next_fault(operation);
        if let Some(Fault::Cancelled(_) | Fault::Refused | Fault::Throttled) = &fault {
            // Something that changes nothing, whose answer is replaced below.
            let harmless = "DynamoDB_20120810.ListTables";
            context.request_mut().headers_mut().insert("x-amz-target", harmless);
        }
        match fault {
            Some(fault) => config.interceptor_state().store_put(Struck(fault)),
            None => config.interceptor_state().unset::<Struck>(),
        };
        Ok(())
    }

    fn modify_before_deserialization(
        &self,
        context: &mut BeforeDeserializationInterceptorContextMut<'_>,
        _: &RuntimeComponents,
        config: &mut ConfigBag,
    ) -> Result<(), BoxError> {
        let Some(Struck(fault)) = config.load::<Struck>() else { return Ok(()) };
        let (status, body) = match fault {
            Fault::Cancelled(codes) => (400, cancellation(codes)),
            Fault::Spared => return Ok(()),
            Fault::Refused | Fault::AnswerLost => (500, "{}".to_owned()),
            Fault::InProgress => (400, IN_PROGRESS.to_owned()),
            Fault::Throttled => (400, THROTTLED.to_owned()),
        };
        *context.response_mut() = HttpResponse::new(status.try_into()?, SdkBody::from(body));
        Ok(())
    }
}

/// The error of a cancelled transaction
/// (<https://docs.aws.amazon.com/amazondynamodb/latest/APIReference/API_TransactWriteItems.html>).
fn cancellation(codes: &[&str]) -> String {
    let reasons: Vec<_> = codes.iter().map(|code| serde_json::json!({ "Code": code })).collect();
    serde_json::json!({
        "__type": "com.amazonaws.dynamodb.v20120810#TransactionCanceledException",
        "Message": "Transaction cancelled",
        "CancellationReasons": reasons
    })
    .to_string()
}
