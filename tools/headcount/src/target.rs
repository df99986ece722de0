//! Which stack and which Stripe account the commands work on.

use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use aws_config::timeout::TimeoutConfig;
use aws_config::{ConfigLoader, Region, SdkConfig};
use aws_sdk_dynamodb::Client;
use aws_sdk_dynamodb::config::Credentials;
use aws_smithy_http_client::tls;
use clap::parser::ValueSource;
use clap::{ArgMatches, Args};
use headcount_billing::stripe::Stripe;
use headcount_model::port::System;
use headcount_store::Table;
use secrecy::{ExposeSecret, SecretString};
use serde::Deserialize;
use url::{Host, Url};

use crate::failure::Failure;

/// The variable that holds the Stripe key.
const STRIPE_API_KEY: &str = "STRIPE_API_KEY";
/// The key for the Stripe stand-in of a local stack, which takes any test key.
const LOCAL_STRIPE_API_KEY: &str = "sk_test_local";
/// How long one call to a local AWS may take, which is slower than the real one.
const LOCAL_CALL_BUDGET: Duration = Duration::from_secs(10);

/// How long one call to a queue may take, the second that it waits for messages included.
const QUEUE_CALL_BUDGET: Duration = Duration::from_secs(10);

/// Options that say where to work.
#[derive(Args, Debug, Default)]
pub(crate) struct TargetOptions {
    /// Name of the stack's table.
    #[arg(long, env = "TABLE_NAME", global = true)]
    table: Option<String>,
    /// Where Stripe's API answers.
    #[arg(
        long,
        env = "STRIPE_API_BASE",
        global = true,
        value_name = "URL",
        default_value = "https://api.stripe.com",
        value_parser = clap::builder::NonEmptyStringValueParser::new()
    )]
    stripe_api_base: String,
    /// URL of the billing queue (output BillingQueueUrl of the stack).
    #[arg(long, env = "BILLING_QUEUE_URL", global = true, value_name = "URL")]
    billing_queue_url: Option<String>,
    /// URL of the queue of billing changes that were given up (output BillingDlqUrl).
    #[arg(long, env = "BILLING_DLQ_URL", global = true, value_name = "URL")]
    billing_dlq_url: Option<String>,
    /// The file of a running local stack, `.local/stack.json`. It stands for the table, the
    /// queues, Stripe, its key, and everything AWS; the environment counts for none of these then.
    #[arg(long, env = "HEADCOUNT_STACK", global = true, value_name = "FILE")]
    stack_file: Option<String>,
}

impl TargetOptions {
    /// Refuses arguments that a stack file would silently override. Variables it may: they say
    /// where one usually works.
    ///
    /// # Errors
    /// A usage failure.
    pub(crate) fn checked(self, matches: &ArgMatches) -> Result<Self, Failure> {
        let typed = |id: &str| matches.value_source(id) == Some(ValueSource::CommandLine);
        let overridden = ["table", "stripe_api_base", "billing_queue_url", "billing_dlq_url"]
            .into_iter()
            .find(|id| typed(id));
        match overridden {
            Some(id) if self.stack_file.is_some() => Err(Failure::usage(format!(
                "--{} makes no sense with a stack file, which says that too",
                id.replace('_', "-")
            ))
            .advise("Leave out the one or the other (--stack-file or HEADCOUNT_STACK).")),
            _ => Ok(self),
        }
    }

    /// A variable that is set to nothing counts as not set.
    fn stack_file(&self) -> Option<&Path> {
        let path = self.stack_file.as_deref()?;
        (!path.is_empty()).then(|| Path::new(path))
    }
}

/// The part of `.local/stack.json` that is needed here.
#[derive(Debug, Deserialize)]
struct StackFile {
    aws_endpoint: String,
    aws: LocalAws,
    table: String,
    billing_queue: Option<String>,
    billing_dlq: Option<String>,
    stripe: String,
}

#[derive(Debug, Deserialize)]
struct LocalAws {
    region: String,
    access_key_id: String,
    secret_access_key: SecretString,
}

impl StackFile {
    fn read(path: &Path) -> Result<Self, Failure> {
        let told = |error: &dyn std::fmt::Display| {
            Failure::new(format!("the stack file {}: {error}", path.display()))
                .advise("It exists while a local stack is up: make run")
        };
        let text = std::fs::read(path).map_err(|error| told(&error))?;
        serde_json::from_slice(&text).map_err(|error| told(&error))
    }
}

/// Where to work.
#[derive(Debug)]
pub(crate) struct Target {
    table: Option<String>,
    billing_queue: Option<String>,
    billing_dlq: Option<String>,
    /// `None`: as the environment says.
    aws: Option<(String, LocalAws)>,
    stripe_api_base: String,
    stripe_api_key: Option<SecretString>,
}

impl Target {
    /// What the options and the environment say.
    ///
    /// # Errors
    /// When there is no stack file where one is named, or it is not one.
    pub(crate) fn new(options: TargetOptions) -> Result<Self, Failure> {
        if let Some(path) = options.stack_file() {
            let stack = StackFile::read(path)?;
            return Ok(Self {
                table: Some(stack.table),
                billing_queue: stack.billing_queue,
                billing_dlq: stack.billing_dlq,
                aws: Some((stack.aws_endpoint, stack.aws)),
                stripe_api_base: stack.stripe,
                stripe_api_key: Some(LOCAL_STRIPE_API_KEY.into()),
            });
        }
        Ok(Self {
            table: options.table.filter(|table| !table.is_empty()),
            billing_queue: options.billing_queue_url.filter(|url| !url.is_empty()),
            billing_dlq: options.billing_dlq_url.filter(|url| !url.is_empty()),
            aws: None,
            stripe_api_base: options.stripe_api_base,
            stripe_api_key: stripe_api_key(std::env::var(STRIPE_API_KEY).ok()),
        })
    }

    /// The table.
    ///
    /// # Errors
    /// A usage failure when none is named.
    pub(crate) async fn table(&self) -> Result<Table, Failure> {
        let name = self.table_name()?;
        Ok(match &self.aws {
            None => headcount_store::connect(&from_env().load().await, name),
            Some((endpoint, aws)) => aws.connect(endpoint, name).await,
        })
    }

    fn table_name(&self) -> Result<&str, Failure> {
        self.table.as_deref().ok_or_else(|| {
            Failure::usage("no table is named").advise(
                "Name it by --table or TABLE_NAME (output TableName of the stack), or name a \
                 local stack by --stack-file .local/stack.json.",
            )
        })
    }

    /// The table, provided that it is one of this machine.
    ///
    /// # Errors
    /// A usage failure when none is named, or AWS would be asked for it.
    pub(crate) async fn local_table(&self) -> Result<Table, Failure> {
        let endpoint = match &self.aws {
            Some((endpoint, _)) => Some(endpoint.clone()),
            None => std::env::var("AWS_ENDPOINT_URL").ok(),
        };
        let endpoint = endpoint.filter(|endpoint| is_loopback(endpoint)).ok_or_else(|| {
            Failure::usage("this is for a table of this machine alone").advise(
                "Name a local stack by --stack-file .local/stack.json, or a loopback address by \
                 AWS_ENDPOINT_URL.",
            )
        })?;
        let name = self.table_name()?;
        let config = match &self.aws {
            None => from_env().timeout_config(limits(LOCAL_CALL_BUDGET)).load().await,
            Some((endpoint, aws)) => aws.config(endpoint).await,
        };
        // Set on the client itself: another variable, or a profile, could name another endpoint
        // for DynamoDB than the one that was checked.
        let config = aws_sdk_dynamodb::config::Builder::from(&config).endpoint_url(endpoint);
        let client = Client::from_conf(config.build());
        Ok(Table::new(client, name, Arc::new(System), Arc::new(System)))
    }

    /// The billing queue and its dead letters.
    ///
    /// # Errors
    /// A usage failure when one of them is not named.
    pub(crate) async fn billing_queues(&self) -> Result<BillingQueues, Failure> {
        let (Some(queue), Some(dlq)) = (&self.billing_queue, &self.billing_dlq) else {
            return Err(Failure::usage("the billing queues are not named").advise(
                "Name both by --billing-queue-url and --billing-dlq-url, or by BILLING_QUEUE_URL \
                 and BILLING_DLQ_URL (outputs of the stack), or name a local stack by \
                 --stack-file .local/stack.json.",
            ));
        };
        let config = match &self.aws {
            None => from_env().timeout_config(limits(QUEUE_CALL_BUDGET)).load().await,
            Some((endpoint, aws)) => aws.config(endpoint).await,
        };
        let client = aws_sdk_sqs::Client::new(&config);
        Ok(BillingQueues { client, queue: queue.clone(), dlq: dlq.clone() })
    }

    /// A client of Stripe.
    ///
    /// # Errors
    /// A usage failure without a key, or when the key would leave the machine in clear text.
    pub(crate) fn stripe(&self) -> Result<Stripe, Failure> {
        let key = self.stripe_api_key.clone().ok_or_else(|| {
            Failure::usage("no Stripe key is known")
                .advise("Set STRIPE_API_KEY to a secret key (sk_…) of the Stripe account.")
        })?;
        if !is_test_key(&key) && !self.stripe_api_base.starts_with("https://") {
            return Err(Failure::usage(format!(
                "a live Stripe key is not sent to {}",
                self.stripe_api_base
            ))
            .advise("Use https, or a test key (sk_test_…)."));
        }
        Stripe::new(&self.stripe_api_base, key)
            .map_err(|error| Failure::new(format!("TLS does not start: {error}")))
    }
}

/// The billing queue and its dead letters.
pub(crate) struct BillingQueues {
    pub(crate) client: aws_sdk_sqs::Client,
    /// URL of the queue.
    pub(crate) queue: String,
    /// URL of the queue of dead letters.
    pub(crate) dlq: String,
}

impl LocalAws {
    async fn connect(&self, endpoint: &str, table: &str) -> Table {
        Table::new(
            Client::new(&self.config(endpoint).await),
            table,
            Arc::new(System),
            Arc::new(System),
        )
    }

    async fn config(&self, endpoint: &str) -> SdkConfig {
        let credentials = Credentials::new(
            &self.access_key_id,
            self.secret_access_key.expose_secret(),
            None,
            None,
            "stack file",
        );
        from_env()
            .endpoint_url(endpoint)
            .region(Region::new(self.region.clone()))
            .credentials_provider(credentials)
            .timeout_config(limits(LOCAL_CALL_BUDGET))
            .load()
            .await
    }
}

/// AWS as the environment and the operator's profile say, trusting whom the machine trusts.
fn from_env() -> ConfigLoader {
    let https = aws_smithy_http_client::Builder::new()
        .tls_provider(tls::Provider::Rustls(tls::rustls_provider::CryptoMode::Ring))
        .build_https();
    aws_config::from_env().http_client(https)
}

fn limits(call: Duration) -> TimeoutConfig {
    TimeoutConfig::builder().operation_timeout(call).build()
}

/// Whether a URL is answered on this machine.
fn is_loopback(url: &str) -> bool {
    match Url::parse(url).as_ref().ok().and_then(Url::host) {
        Some(Host::Ipv4(address)) => address.is_loopback(),
        Some(Host::Ipv6(address)) => address.is_loopback(),
        // Never asked of a name server (RFC 6761, section 6.3).
        Some(Host::Domain(name)) => name == "localhost",
        None => false,
    }
}

/// A key without the newline that reading it from a file leaves; `None` when nothing is left.
fn stripe_api_key(variable: Option<String>) -> Option<SecretString> {
    let key = variable?;
    let key = key.trim();
    (!key.is_empty()).then(|| key.into())
}

/// Whether a key is for test mode (<https://docs.stripe.com/keys>): secret or restricted.
fn is_test_key(key: &SecretString) -> bool {
    let key = key.expose_secret();
    key.starts_with("sk_test_") || key.starts_with("rk_test_")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn target(base: &str, key: &str) -> Target {
        Target {
            table: None,
            billing_queue: None,
            billing_dlq: None,
            aws: None,
            stripe_api_base: base.to_owned(),
            stripe_api_key: stripe_api_key(Some(key.to_owned())),
        }
    }

    #[test]
    fn a_live_key_travels_encrypted_only() {
        for (base, key, sent) in [
            ("https://api.stripe.com", "sk_live_1", true),
            ("https://api.stripe.com", "sk_test_1\n", true),
            ("http://127.0.0.1:12111", "sk_test_1", true),
            ("http://127.0.0.1:12111", "sk_live_1", false),
            ("http://127.0.0.1:12111", "rk_live_1", false),
            ("https://api.stripe.com", " ", false),
        ] {
            assert_eq!(target(base, key).stripe().is_ok(), sent, "{base} {key}");
        }
    }

    #[test]
    fn only_this_machine_is_local() {
        for (url, local) in [
            ("http://127.0.0.1:4566", true),
            ("http://127.1:4566", true),
            ("http://[::1]:4566/", true),
            ("http://localhost:4566", true),
            ("https://dynamodb.us-east-1.amazonaws.com", false),
            ("http://127.0.0.1.example.com", false),
            ("http://127.0.0.1@example.com", false),
            ("http://localhost.example.com", false),
            ("http://10.0.0.1:4566", false),
            ("http://0.0.0.0:4566", false),
            ("127.0.0.1:4566", false),
            ("", false),
        ] {
            assert_eq!(is_loopback(url), local, "{url}");
        }
    }

    #[test]
    fn a_stack_file_is_read_as_the_local_run_writes_it() {
        let stack: StackFile = serde_json::from_str(
            r#"{"api":"http://127.0.0.1:8787","aws_endpoint":"http://127.0.0.1:4566",
                "aws":{"region":"us-east-1","access_key_id":"test","secret_access_key":"test"},
                "table":"t","billing_queue":"q","billing_dlq":"d",
                "stripe":"http://127.0.0.1:12111","demo":{}}"#,
        )
        .expect("a stack file");
        assert_eq!(stack.table, "t");
        assert_eq!(
            (stack.billing_queue.as_deref(), stack.billing_dlq.as_deref()),
            (Some("q"), Some("d"))
        );
        assert_eq!(stack.aws.region, "us-east-1");
    }

    #[test]
    fn the_key_of_aws_is_not_shown() {
        let aws = LocalAws {
            region: "r".to_owned(),
            access_key_id: "a".to_owned(),
            secret_access_key: "hidden".into(),
        };
        assert!(!format!("{aws:?}").contains("hidden"));
    }
}
