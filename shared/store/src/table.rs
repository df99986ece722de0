//! The handle on the table.

use std::sync::Arc;
use std::time::Duration;

use aws_config::SdkConfig;
use aws_config::timeout::TimeoutConfig;
use aws_sdk_dynamodb::Client;
use aws_sdk_dynamodb::config::endpoint::{DefaultResolver, Params, ResolveEndpoint};
use aws_sdk_dynamodb::config::{AsyncSleep, SharedAsyncSleep, Sleep};
use aws_sdk_dynamodb::error::SdkError;
use aws_sdk_dynamodb::operation::get_item::GetItemError;
use headcount_model::port::{Clock, Entropy, System};

use crate::credentials::Cache;
use crate::key::Key;
use crate::transaction::Item;

/// How long one call, with the SDK's retries, may take. API Gateway gives up after 30 s and Lambda,
/// on a function behind it, after 25 s (stripe-webhook: 29 s); a caller should hear from us, not
/// from them.
const CALL_BUDGET: Duration = Duration::from_secs(3);
/// How long one attempt may take. DynamoDB answers in milliseconds, so a second means that the
/// answer is lost.
const ATTEMPT_BUDGET: Duration = Duration::from_secs(1);
/// How long conflicts of a transaction are retried.
const CONFLICT_BUDGET: Duration = Duration::from_secs(4);

/// The table of a stack.
#[derive(Clone)]
pub struct Table {
    pub(crate) client: Client,
    pub(crate) name: Arc<str>,
    pub(crate) clock: Arc<dyn Clock>,
    pub(crate) entropy: Arc<dyn Entropy>,
    pub(crate) sleep: SharedAsyncSleep,
    pub(crate) conflict_budget: Duration,
    pub(crate) cache: Arc<Cache>,
}

impl Table {
    /// A handle on the table `name`.
    ///
    /// The clock decides about expiry, the random source spreads retries. Between them it sleeps
    /// as the client does.
    pub fn new(
        client: Client,
        name: &str,
        clock: Arc<dyn Clock>,
        entropy: Arc<dyn Entropy>,
    ) -> Self {
        let sleep = client.config().sleep_impl();
        Self {
            client,
            sleep: sleep.unwrap_or_else(|| SharedAsyncSleep::new(TokioSleep)),
            name: name.into(),
            clock,
            entropy,
            conflict_budget: CONFLICT_BUDGET,
            cache: Arc::default(),
        }
    }

    /// The item at a key as of now (a consistent read).
    pub(crate) async fn get(&self, key: &Key) -> Result<Option<Item>, SdkError<GetItemError>> {
        let get = self.client.get_item().table_name(&*self.name).consistent_read(true);
        Ok(get.set_key(Some(key.attributes())).send().await?.item)
    }

    /// The same table, giving up on conflicts of transactions after `budget`.
    #[must_use]
    pub fn with_conflict_budget(self, budget: Duration) -> Self {
        Self { conflict_budget: budget, ..self }
    }
}

/// How a client without a sleep of its own sleeps.
#[derive(Debug)]
struct TokioSleep;

impl AsyncSleep for TokioSleep {
    fn sleep(&self, duration: Duration) -> Sleep {
        Sleep::new(tokio::time::sleep(duration))
    }
}

/// The time limits of calls: the SDK itself waits for ever.
pub fn time_limits() -> TimeoutConfig {
    TimeoutConfig::builder()
        .connect_timeout(ATTEMPT_BUDGET)
        .operation_attempt_timeout(ATTEMPT_BUDGET)
        .operation_timeout(CALL_BUDGET)
        .build()
}

/// A handle on the table `name`, with [`time_limits`].
pub fn connect(aws: &SdkConfig, name: &str) -> Table {
    let config = aws_sdk_dynamodb::config::Builder::from(aws).timeout_config(time_limits()).build();
    Table::new(Client::from_conf(config), name, Arc::new(System), Arc::new(System))
}

/// The address that calls go to; `None` without a region.
pub async fn endpoint(aws: &SdkConfig) -> Option<String> {
    let params = Params::builder()
        .set_region(aws.region().map(|region| region.as_ref().to_owned()))
        .set_endpoint(aws.endpoint_url().map(str::to_owned))
        .build()
        .ok()?;
    let endpoint = DefaultResolver::new().resolve_endpoint(&params).await.ok()?;
    Some(endpoint.url().to_owned())
}
