//! TLS on loopback, with an authority made at start.

use std::fs;
use std::io;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use axum::serve::Listener;
use rcgen::{BasicConstraints, CertificateParams, CertifiedIssuer, DnType, IsCa, KeyPair};
use tokio::net::{TcpListener, TcpStream};
use tokio_rustls::TlsAcceptor;
use tokio_rustls::rustls::ServerConfig;
use tokio_rustls::rustls::crypto::ring;
use tokio_rustls::rustls::pki_types::{PrivateKeyDer, PrivatePkcs8KeyDer};
use tokio_rustls::server::TlsStream;

use crate::failure::Failure;

/// Where systems keep the authorities that they trust; the first is where Lambda does.
const BUNDLES: [&str; 3] =
    ["/etc/pki/tls/certs/ca-bundle.crt", "/etc/ssl/certs/ca-certificates.crt", "/etc/ssl/cert.pem"];

/// Files that let a client trust the endpoint.
#[derive(Debug, Clone)]
pub(crate) struct Trust {
    /// The authority alone.
    pub(crate) authority: PathBuf,
    /// The authority behind those that the system trusts: who reads the system's bundle on Lambda
    /// reads as much here.
    pub(crate) bundle: PathBuf,
}

/// Makes an authority and a certificate of `localhost`.
pub(crate) fn make(folder: &Path) -> Result<(TlsAcceptor, Trust), Failure> {
    let mut authority = CertificateParams::default();
    // A name of its own: a certificate that has its issuer's name looks self-signed.
    authority.distinguished_name.push(DnType::CommonName, "Authority of the benchmark");
    authority.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
    let authority = CertifiedIssuer::self_signed(authority, KeyPair::generate()?)?;
    let names = ["localhost".to_owned(), "127.0.0.1".to_owned()];
    let key = KeyPair::generate()?;
    let certificate = CertificateParams::new(names)?.signed_by(&key, &authority)?;

    let private = PrivateKeyDer::from(PrivatePkcs8KeyDer::from(key.serialize_der()));
    let config = ServerConfig::builder_with_provider(Arc::new(ring::default_provider()))
        .with_safe_default_protocol_versions()?
        .with_no_client_auth()
        .with_single_cert(vec![certificate.der().clone()], private)?;

    let trust =
        Trust { authority: folder.join("authority.pem"), bundle: folder.join("bundle.pem") };
    let system = BUNDLES.iter().find_map(|path| fs::read_to_string(path).ok()).unwrap_or_default();
    fs::write(&trust.authority, authority.pem())?;
    fs::write(&trust.bundle, format!("{system}\n{}", authority.pem()))?;
    Ok((TlsAcceptor::from(Arc::new(config)), trust))
}

/// A listener that speaks TLS.
pub(crate) struct TlsListener {
    pub(crate) tcp: TcpListener,
    pub(crate) acceptor: TlsAcceptor,
}

impl Listener for TlsListener {
    type Io = TlsStream<TcpStream>;
    type Addr = SocketAddr;

    async fn accept(&mut self) -> (Self::Io, Self::Addr) {
        loop {
            let (stream, address) = Listener::accept(&mut self.tcp).await;
            // Nagle's algorithm would hold back what a handshake says in pieces.
            let _ = stream.set_nodelay(true);
            // One process is under test at a time: its handshakes may wait for each other.
            if let Ok(stream) = self.acceptor.accept(stream).await {
                return (stream, address);
            }
        }
    }

    fn local_addr(&self) -> io::Result<Self::Addr> {
        self.tcp.local_addr()
    }
}
