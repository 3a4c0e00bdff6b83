//! A forward proxy.

use super::ca::Pki;
use super::config::ProxyConfig;
use std::io;
use std::net::SocketAddr;

/// A running forward proxy.
pub struct Proxy {
    /// Where it listens.
    pub addr: SocketAddr,
}

impl Proxy {
    /// Starts it.
    ///
    /// # Errors
    /// When no port can be had.
    pub async fn start(_config: ProxyConfig, _pki: &Pki) -> io::Result<Self> {
        Err(io::ErrorKind::Unsupported.into())
    }
}
