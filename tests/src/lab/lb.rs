//! A reverse proxy or load balancer.

use super::ca::Pki;
use super::config::{CertificateKind, LbConfig};
use std::io;
use std::net::SocketAddr;
use tokio_rustls::TlsConnector;

/// Where a hop sends what it takes.
#[derive(Clone)]
pub struct Upstream {
    /// Address.
    pub addr: SocketAddr,
    /// The name to verify, where it is spoken to by TLS.
    pub tls: Option<(TlsConnector, String)>,
}

impl Upstream {
    /// A server of the lab's.
    ///
    /// # Errors
    /// When the CA's certificate cannot be read.
    pub fn new(addr: SocketAddr, tls: bool, host: &str, pki: &Pki) -> io::Result<Self> {
        let connector = tls.then(|| pki.connector()).transpose()?;
        Ok(Self { addr, tls: connector.map(|connector| (connector, host.to_owned())) })
    }
}

/// A running load balancer.
pub struct Lb {
    /// Where it listens.
    pub addr: SocketAddr,
}

impl Lb {
    /// Starts it; `kind` is its certificate where its configuration names none.
    ///
    /// # Errors
    /// When its certificate cannot be made or no port can be had.
    pub async fn start(
        _config: LbConfig,
        _upstream: Upstream,
        _host: &str,
        _kind: CertificateKind,
        _pki: &Pki,
    ) -> io::Result<Self> {
        Err(io::ErrorKind::Unsupported.into())
    }
}
