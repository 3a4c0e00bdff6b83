//! Servers with faults, in this process, on loopback.
//!
//! ```text
//!            (the address that both sides see)
//! inside ──► firewall ──► [middlebox] ──► [lb] ──► origin
//! outside ─► firewall ──────────────────► [lb] ──► origin
//! inside ──► proxy ─────────────────────► [lb] ──► origin
//! ```
//!
//! Both sides see the same name, address and port, as the real comparison of
//! two bundles needs: [`Lab::stand`] says on which side the next client is.
//! What is in brackets is there when the configuration has it. Every server
//! stops when its handle is dropped, and every read is bounded.

pub mod ca;
pub mod config;
pub mod firewall;
mod frames;
mod h2;
pub(crate) mod hop;
pub(crate) mod http1;
pub mod lb;
pub mod origin;
mod pages;
pub mod proxy;
pub(crate) mod server;
#[cfg(test)]
mod tests;
pub(crate) mod wire;

pub use ca::Pki;
pub use config::LabConfig;
pub use firewall::Firewall;
pub use lb::Lb;
pub use origin::Origin;
pub use proxy::Proxy;

use config::CertificateKind;
use std::io;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::sync::Arc;

/// On which side of the corporate network the next client is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Side {
    /// In it.
    Inside,
    /// Out of it.
    Outside,
}

/// A running lab.
pub struct Lab {
    /// The target's name.
    pub host: String,
    /// Its certificates.
    pub pki: Arc<Pki>,
    /// The Bindplane server; it stands idle where a real one takes its place.
    pub origin: Origin,
    /// Where requests end: the server's address.
    backend: SocketAddr,
    /// In front of it.
    pub lb: Option<Lb>,
    /// The transparent interceptor.
    pub middlebox: Option<Lb>,
    /// What stands at the address that both sides see.
    pub firewall: Firewall,
    /// The corporate proxy.
    pub proxy: Option<Proxy>,
    config: LabConfig,
    dir: tempfile::TempDir,
}

impl Lab {
    /// Starts every server. The next client is inside.
    ///
    /// # Errors
    /// When a certificate cannot be made or a port cannot be had.
    pub async fn start(config: &LabConfig) -> io::Result<Self> {
        Self::start_before(config, |_, _| Ok(None)).await
    }

    /// The same in front of a server that `place` starts, given a directory
    /// and the certificates, and that takes the place of the lab's own.
    ///
    /// # Errors
    /// As [`Lab::start`], and what `place` says.
    pub async fn start_before(
        config: &LabConfig,
        place: impl FnOnce(&Path, &Pki) -> io::Result<Option<SocketAddr>>,
    ) -> io::Result<Self> {
        let dir = tempfile::tempdir()?;
        let host = config.host.clone();
        let subject = config.proxy.as_ref().and_then(|proxy| proxy.intercept.as_ref());
        let subject = subject.map(|intercept| intercept.subject.clone()).unwrap_or_default();
        let pki = Arc::new(Pki::new(dir.path(), &subject)?);
        let origin = Origin::start(config.origin.clone(), &host, &pki).await?;
        let backend = place(dir.path(), &pki)?.unwrap_or(origin.addr);
        let mut front = lb::Upstream::new(backend, config.origin.tls.is_some(), &host, &pki)?;
        let mut lb = None;
        if let Some(wanted) = &config.lb {
            let kind = CertificateKind::Valid;
            let started = Lb::start(wanted.clone(), front, &host, kind, &pki).await?;
            front = lb::Upstream::new(started.addr, wanted.tls.is_some(), &host, &pki)?;
            lb = Some(started);
        }
        let front_addr = front.addr;
        let mut middlebox = None;
        if let Some(wanted) = &config.middlebox {
            let kind = CertificateKind::Corporate;
            middlebox = Some(Lb::start(wanted.clone(), front, &host, kind, &pki).await?);
        }
        let mut proxy = None;
        if let Some(wanted) = &config.proxy {
            let mut wanted = wanted.clone();
            wanted.hosts.entry(host.clone()).or_insert(front_addr);
            proxy = Some(Proxy::start(wanted, &pki).await?);
        }
        let firewall = Firewall::start(front_addr, &host).await?;
        let config = config.clone();
        let lab = Self { host, pki, origin, backend, lb, middlebox, firewall, proxy, config, dir };
        lab.stand(Side::Inside).await?;
        Ok(lab)
    }

    /// Says on which side the next client is; in effect when it returns.
    ///
    /// # Errors
    /// When the firewall's port cannot be had again.
    pub async fn stand(&self, side: Side) -> io::Result<()> {
        let front = self.front();
        let (mode, upstream, cut) = match side {
            Side::Inside => (
                self.config.firewall.inside,
                self.middlebox.as_ref().map_or(front, |middlebox| middlebox.addr),
                self.config.firewall.cut,
            ),
            Side::Outside => (self.config.firewall.outside, front, config::CutConfig::default()),
        };
        self.firewall.set(mode, upstream, cut).await
    }

    /// What a real server stands in front of: the load balancer, or the server.
    #[must_use]
    pub fn front(&self) -> SocketAddr {
        self.lb.as_ref().map_or(self.backend, |lb| lb.addr)
    }

    /// The address that both sides see.
    #[must_use]
    pub fn addr(&self) -> SocketAddr {
        self.firewall.addr
    }

    /// The target's URL, without a path.
    #[must_use]
    pub fn target(&self) -> String {
        let tls = match &self.config.lb {
            Some(lb) => lb.tls.is_some(),
            None => self.config.origin.tls.is_some(),
        };
        let scheme = if tls { "https" } else { "http" };
        format!("{scheme}://{}:{}", self.host, self.addr().port())
    }

    /// The collector's `--resolve` for the target.
    #[must_use]
    pub fn resolve(&self) -> String {
        format!("{}:{}:127.0.0.1", self.host, self.addr().port())
    }

    /// The proxy's URL, without credentials.
    #[must_use]
    pub fn proxy_url(&self) -> Option<String> {
        self.proxy.as_ref().map(|proxy| format!("http://{}", proxy.addr))
    }

    /// What a managed machine trusts: for the collector's `--cacert`.
    #[must_use]
    pub fn trust_file(&self) -> PathBuf {
        self.pki.trust_file()
    }

    /// A directory that goes away with the lab.
    #[must_use]
    pub fn dir(&self) -> &Path {
        self.dir.path()
    }
}
