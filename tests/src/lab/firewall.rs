//! A packet filter.

use super::config::{CutConfig, FirewallMode};
use std::io;
use std::net::SocketAddr;

/// A running packet filter.
pub struct Firewall {
    /// Where it listens.
    pub addr: SocketAddr,
}

impl Firewall {
    /// Starts it, open.
    ///
    /// # Errors
    /// When no port can be had.
    pub async fn start(_upstream: SocketAddr, _host: &str) -> io::Result<Self> {
        Err(io::ErrorKind::Unsupported.into())
    }

    /// Changes what it does; in effect when it returns.
    ///
    /// # Errors
    /// When its port cannot be had again.
    pub async fn set(
        &self,
        _mode: FirewallMode,
        _upstream: SocketAddr,
        _cut: CutConfig,
    ) -> io::Result<()> {
        Err(io::ErrorKind::Unsupported.into())
    }
}
