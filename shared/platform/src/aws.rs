//! The way to AWS: credentials, region and endpoint of the environment, and one HTTPS client for
//! all services.

use std::path::{Path, PathBuf};
use std::time::Duration;
use std::{fmt, fs, io};

use aws_config::environment::{
    EnvironmentVariableCredentialsProvider, EnvironmentVariableRegionProvider,
};
use aws_config::meta::region::ProvideRegion;
use aws_config::retry::RetryConfig;
use aws_config::stalled_stream_protection::StalledStreamProtectionConfig;
use aws_config::{BehaviorVersion, SdkConfig};
use aws_credential_types::provider::SharedCredentialsProvider;
use aws_smithy_async::rt::sleep::TokioSleep;
use aws_smithy_http_client::Connector;
use aws_smithy_http_client::tls::rustls_provider::CryptoMode;
use aws_smithy_http_client::tls::{Provider, TlsContext, TrustStore};
use aws_smithy_runtime_api::client::http::{
    HttpConnector, HttpConnectorSettings, SharedHttpConnector, http_client_fn,
};
use aws_smithy_runtime_api::client::orchestrator::HttpRequest;
use aws_smithy_types::byte_stream::ByteStream;

/// The roots of Amazon's own certification authority.
const AMAZON_ROOTS: &str = include_str!("amazon_roots.pem");

/// What a certificate begins with in a PEM file.
const CERTIFICATE: &str = "-----BEGIN CERTIFICATE-----";

/// A file of root certificates (PEM) to trust in the place of [`AMAZON_ROOTS`]: the variable of
/// AWS's command line.
const CA_BUNDLE: &str = "AWS_CA_BUNDLE";

/// An address that takes the place of every service's own: the variable of all SDKs.
const ENDPOINT_URL: &str = "AWS_ENDPOINT_URL";

/// How long a connection may take to open. AWS answers within milliseconds, so a second means
/// that the packet is lost.
const CONNECT_BUDGET: Duration = Duration::from_secs(1);

/// How long the start may wait for a connection that is opened ahead.
const OPEN_BUDGET: Duration = Duration::from_millis(500);

/// The file that [`CA_BUNDLE`] names is none of certificates.
#[derive(Debug)]
pub struct BadTrustStore {
    file: PathBuf,
    cause: io::Error,
}

impl fmt::Display for BadTrustStore {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{CA_BUNDLE} names {}: {}", self.file.display(), self.cause)
    }
}

impl std::error::Error for BadTrustStore {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        Some(&self.cause)
    }
}

/// The way from a function to AWS.
#[derive(Debug, Clone)]
pub struct Aws {
    config: SdkConfig,
    connector: SharedHttpConnector,
}

impl Aws {
    /// The way that the environment of a function says: `AWS_REGION`, `AWS_ACCESS_KEY_ID` and its
    /// kin, `AWS_ENDPOINT_URL`, `AWS_CA_BUNDLE`. Nothing else is asked: a function has neither
    /// profile files nor a metadata service.
    ///
    /// # Errors
    /// [`BadTrustStore`].
    pub async fn from_env() -> Result<Self, BadTrustStore> {
        let bundle = set(CA_BUNDLE).map(PathBuf::from);
        let connector = connector(trust_store(bundle)?);
        let credentials = EnvironmentVariableCredentialsProvider::new();
        // One connector for all clients: one pool of connections, one list of roots.
        let shared = connector.clone();
        let client = http_client_fn(move |_, _| shared.clone());
        let mut config = SdkConfig::builder()
            .behavior_version(BehaviorVersion::latest())
            .region(EnvironmentVariableRegionProvider::new().region().await)
            .credentials_provider(SharedCredentialsProvider::new(credentials))
            .retry_config(RetryConfig::standard())
            // Every attempt has a time limit of its own, and answers are small.
            .stalled_stream_protection(StalledStreamProtectionConfig::disabled())
            .sleep_impl(TokioSleep::new())
            .http_client(client);
        config.set_endpoint_url(set(ENDPOINT_URL));
        Ok(Self { config: config.build(), connector })
    }

    /// What a client of a service is made from.
    pub fn config(&self) -> &SdkConfig {
        &self.config
    }

    /// Opens a connection to `url` and leaves it in the pool for the first request to find: with
    /// TLS that is most of what a first request costs. It sends `GET /`, which every service
    /// answers without looking at who asks.
    ///
    /// It is waited for, since a request that comes meanwhile would open a second one, and since
    /// Lambda gives the start more processor time than requests. When it fails, the first request
    /// finds out by itself.
    pub async fn open(&self, url: Option<String>) {
        let Some(Ok(request)) = url.map(HttpRequest::get) else { return };
        let exchange = async {
            // Only an answer that was read to its end leaves the connection to others.
            if let Ok(answer) = self.connector.call(request).await {
                let _ = ByteStream::new(answer.into_body()).collect().await;
            }
        };
        if tokio::time::timeout(OPEN_BUDGET, exchange).await.is_err() {
            tracing::warn!("no connection yet");
        }
    }
}

/// A variable that is set to something.
fn set(variable: &str) -> Option<String> {
    std::env::var(variable).ok().filter(|value| !value.is_empty())
}

fn trust_store(bundle: Option<PathBuf>) -> Result<TrustStore, BadTrustStore> {
    let roots = match bundle {
        None => AMAZON_ROOTS.to_owned(),
        Some(file) => certificates(&file).map_err(|cause| BadTrustStore { file, cause })?,
    };
    Ok(TrustStore::empty().with_pem_certificate(roots))
}

/// A file that has at least one certificate. With none it would seem as if nobody could be trusted.
fn certificates(file: &Path) -> io::Result<String> {
    let text = String::from_utf8_lossy(&fs::read(file)?).into_owned();
    if text.contains(CERTIFICATE) { Ok(text) } else { Err(io::ErrorKind::InvalidData.into()) }
}

fn connector(roots: TrustStore) -> SharedHttpConnector {
    let mut builder = Connector::builder()
        .connector_settings(
            HttpConnectorSettings::builder().connect_timeout(CONNECT_BUDGET).build(),
        )
        .sleep_impl(TokioSleep::new())
        .tls_provider(Provider::Rustls(CryptoMode::Ring));
    if let Ok(context) = TlsContext::builder().with_trust_store(roots).build() {
        builder.set_tls_context(context);
    }
    SharedHttpConnector::new(builder.build())
}

#[cfg(test)]
mod tests {
    use tokio::io::{AsyncReadExt, AsyncWriteExt};
    use tokio::net::{TcpListener, TcpStream};
    use tokio::sync::mpsc;

    use super::*;

    fn aws() -> Aws {
        let connector = connector(trust_store(None).expect("Amazon's roots"));
        Aws { config: SdkConfig::builder().build(), connector }
    }

    /// Answers whatever comes over a connection, one packet a request.
    async fn answer(mut stream: TcpStream) {
        let mut request = [0; 4_096];
        while stream.read(&mut request).await.is_ok_and(|read| read > 0) {
            let answer = b"HTTP/1.1 404 Not Found\r\ncontent-length: 7\r\n\r\nhealthy";
            stream.write_all(answer).await.expect("a caller who listens");
        }
    }

    /// A server: its address, and a message for each connection.
    async fn server() -> (String, mpsc::UnboundedReceiver<()>) {
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a free port");
        let url = format!("http://{}", listener.local_addr().expect("an address"));
        let (send, connections) = mpsc::unbounded_channel();
        tokio::spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                send.send(()).expect("a test that waits");
                tokio::spawn(answer(stream));
            }
        });
        (url, connections)
    }

    #[tokio::test]
    async fn the_first_request_finds_the_connection_that_was_opened() {
        let (url, mut connections) = server().await;
        let aws = aws();
        aws.open(Some(url.clone())).await;
        for _ in 0..2 {
            let request = HttpRequest::get(format!("{url}/x")).expect("a request");
            let answer = aws.connector.call(request).await.expect("an answer");
            ByteStream::new(answer.into_body()).collect().await.expect("a body");
        }
        assert_eq!(connections.recv().await, Some(()));
        assert!(connections.try_recv().is_err(), "one connection");
    }

    #[tokio::test]
    async fn what_cannot_be_opened_is_let_be() {
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a free port");
        let url = format!("http://{}", listener.local_addr().expect("an address"));
        drop(listener);
        for url in [Some(url), Some("no address".to_owned()), None] {
            aws().open(url).await;
        }
    }

    #[test]
    fn the_roots_are_those_of_amazon() {
        assert_eq!(AMAZON_ROOTS.matches(CERTIFICATE).count(), 5);
    }

    #[test]
    fn a_bundle_without_certificates_is_refused() {
        let own_source = Path::new(env!("CARGO_MANIFEST_DIR")).join("Cargo.toml");
        let missing = own_source.with_extension("missing");
        for file in [own_source, missing] {
            let error = trust_store(Some(file.clone())).expect_err("no bundle").to_string();
            assert!(error.contains(CA_BUNDLE), "{error}");
            assert!(error.contains(&file.display().to_string()), "{error}");
        }
    }
}
