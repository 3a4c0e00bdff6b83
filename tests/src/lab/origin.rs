//! A Bindplane-like server.

use super::ca::Pki;
use super::config::OriginConfig;
use std::io;
use std::net::SocketAddr;

/// A running Bindplane server.
pub struct Origin {
    /// Where it listens.
    pub addr: SocketAddr,
}

impl Origin {
    /// Starts it.
    ///
    /// # Errors
    /// When its certificate cannot be made or no port can be had.
    pub async fn start(_config: OriginConfig, _host: &str, _pki: &Pki) -> io::Result<Self> {
        Err(io::ErrorKind::Unsupported.into())
    }

    /// Every request that arrived: its line and header lines, as received.
    #[must_use]
    pub fn requests(&self) -> Vec<Vec<String>> {
        Vec::new()
    }
}
