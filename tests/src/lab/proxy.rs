//! A forward proxy: CONNECT, and requests in absolute form. It may ask for
//! credentials, refuse tunnels, or open the TLS inside them with the corporate
//! CA. Its faults are in [`ProxyConfig`].

use super::ca::{Pki, acceptor};
use super::config::{
    CertificateKind, CutBy, Product, ProxyAuth, ProxyAuthScheme, ProxyConfig, TunnelMode,
};
use super::hop::{Hop, PATIENCE, Upstream, receive};
use super::http1::{Head, Response};
use super::server::{Log, Server};
use super::wire::{Conn, relay};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use std::collections::HashMap;
use std::io;
use std::net::{IpAddr, SocketAddr};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;
use tokio::io::AsyncWriteExt;
use tokio_rustls::{TlsAcceptor, TlsConnector};

/// How long a client may take to speak inside its tunnel.
const FIRST_BYTE: Duration = Duration::from_secs(30);
/// The first byte of a TLS handshake.
const HANDSHAKE: u8 = 0x16;
const ESTABLISHED: &[u8] = b"HTTP/1.1 200 Connection established\r\n\r\n";

/// A running forward proxy.
pub struct Proxy {
    /// Where it listens.
    pub addr: SocketAddr,
    log: Log,
    _server: Server,
}

struct Inner {
    config: ProxyConfig,
    hop: Hop,
    pki: Arc<Pki>,
    connector: TlsConnector,
    forged: Mutex<HashMap<String, TlsAcceptor>>,
    log: Log,
}

impl Proxy {
    /// Starts it.
    ///
    /// # Errors
    /// When no port can be had.
    pub async fn start(config: ProxyConfig, pki: &Arc<Pki>) -> io::Result<Self> {
        let hop = Hop {
            product: Product::Plain,
            upgrade: config.upgrade,
            cut: config.cut,
            headers: config.headers.clone(),
            host: None,
            patience: PATIENCE,
        };
        let log = Log::default();
        let inner = Arc::new(Inner {
            config,
            hop,
            connector: pki.connector()?,
            pki: pki.clone(),
            forged: Mutex::default(),
            log: log.clone(),
        });
        let server = Server::start(move |conn| serve(conn, inner.clone())).await?;
        Ok(Self { addr: server.addr, log, _server: server })
    }

    /// Every request that arrived, those in opened tunnels included: its line
    /// and header lines, as received.
    #[must_use]
    pub fn requests(&self) -> Vec<Vec<String>> {
        self.log.all()
    }
}

async fn serve(mut conn: Conn, proxy: Arc<Inner>) {
    loop {
        let Ok(Some((head, body))) = receive(&mut conn).await else {
            return conn.end(CutBy::Fin).await;
        };
        proxy.log.note(head.lines());
        let Ok((method, target)) = head.request() else { return };
        let next = if let Some(refusal) = proxy.unauthorised(&head) {
            proxy.hop.say(conn, &head, refusal).await
        } else if method == "CONNECT" {
            match proxy.tunnel(conn, target).await {
                Ok(()) => return,
                Err((conn, status)) => proxy.hop.say(conn, &head, proxy.hop.page(status)).await,
            }
        } else {
            match proxy.absolute(target) {
                Some(upstream) => proxy.hop.step(conn, &head, body, &upstream).await,
                None => {
                    let status = if target.contains("://") { 503 } else { 400 };
                    proxy.hop.say(conn, &head, proxy.hop.page(status)).await
                }
            }
        };
        match next {
            Some(next) => conn = next,
            None => return,
        }
    }
}

impl Inner {
    /// The 407, where credentials are asked for and are not there.
    fn unauthorised(&self, head: &Head) -> Option<Response> {
        let ProxyAuth { scheme, user, password } = self.config.auth.as_ref()?;
        let expected = format!("Basic {}", STANDARD.encode(format!("{user}:{password}")));
        if *scheme == ProxyAuthScheme::Basic && head.get("proxy-authorization") == Some(&expected) {
            return None;
        }
        let schemes: &[&str] = match scheme {
            ProxyAuthScheme::Basic => &["Basic realm=\"Corp Web Gateway\""],
            ProxyAuthScheme::Ntlm => &["NTLM"],
            ProxyAuthScheme::Negotiate => &["Negotiate", "NTLM"],
        };
        let mut response = self.hop.page(407);
        schemes.iter().for_each(|scheme| response.head.push("Proxy-Authenticate", *scheme));
        Some(response)
    }

    /// Where a name is: as configured, or itself an address.
    /// Only loopback is ever contacted, so no name is looked up.
    fn find(&self, host: &str, port: u16) -> Option<SocketAddr> {
        let hosts = &self.config.hosts;
        let known = hosts.get(&format!("{host}:{port}")).or_else(|| hosts.get(host));
        if let Some(addr) = known {
            return Some(*addr);
        }
        if let Ok(ip) = host.trim_matches(['[', ']']).parse::<IpAddr>() {
            return Some(SocketAddr::new(ip, port));
        }
        (host == "localhost").then(|| SocketAddr::from(([127, 0, 0, 1], port)))
    }

    /// Where a request in absolute form goes.
    fn absolute(&self, target: &str) -> Option<Upstream> {
        let (scheme, rest) = target.split_once("://")?;
        let authority = rest.split(['/', '?']).next().unwrap_or_default();
        let (host, port) = split(authority, if scheme == "https" { 443 } else { 80 })?;
        let addr = self.find(host, port)?;
        let tls = (scheme == "https").then(|| (self.connector.clone(), host.to_owned()));
        Some(Upstream { addr, tls })
    }

    /// Opens a tunnel and sees it to its end; or says with which status not.
    async fn tunnel(&self, mut conn: Conn, target: &str) -> Result<(), (Conn, u16)> {
        match self.config.tunnel {
            TunnelMode::Allow => {}
            TunnelMode::Refuse403 => return Err((conn, 403)),
            TunnelMode::Refuse502 => return Err((conn, 502)),
            TunnelMode::Refuse503 => return Err((conn, 503)),
            TunnelMode::Swallow => {
                conn.drain().await;
                return Ok(());
            }
            TunnelMode::Close => {
                conn.end(CutBy::Fin).await;
                return Ok(());
            }
        }
        let Some((host, port)) = split(target, 443) else { return Err((conn, 400)) };
        let Some(addr) = self.find(host, port) else { return Err((conn, 503)) };
        if self.config.intercept.is_some() {
            if conn.write_all(ESTABLISHED).await.is_ok() {
                self.open(conn, host, addr).await;
            }
            return Ok(());
        }
        let Ok(server) = Conn::dial(addr).await else { return Err((conn, 503)) };
        if conn.write_all(ESTABLISHED).await.is_ok() {
            relay(conn, server, &self.config.cut, true).await;
        }
        Ok(())
    }

    /// Reads what is in a tunnel: TLS with a forged certificate, or plain HTTP.
    /// What is neither passes.
    async fn open(&self, mut conn: Conn, host: &str, addr: SocketAddr) {
        let tls = match conn.peek(1, FIRST_BYTE).await {
            Ok([HANDSHAKE, ..]) => true,
            Ok([first, ..]) if first.is_ascii_uppercase() => false,
            Ok([_, ..]) => {
                if let Ok(server) = Conn::dial(addr).await {
                    relay(conn, server, &self.config.cut, true).await;
                }
                return;
            }
            _ => return,
        };
        if tls {
            let Ok(acceptor) = self.forge(host) else { return };
            let Ok(secured) = conn.accept(&acceptor).await else { return };
            conn = secured;
        }
        let upstream =
            Upstream { addr, tls: tls.then(|| (self.connector.clone(), host.to_owned())) };
        let log = |head: &Head| {
            self.log.note(head.lines());
            None
        };
        self.hop.serve(conn, &upstream, log).await;
    }

    /// A certificate for `host`, as interceptors make them: once for each name.
    fn forge(&self, host: &str) -> io::Result<TlsAcceptor> {
        let mut forged = self.forged.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(known) = forged.get(host) {
            return Ok(known.clone());
        }
        let identity = self.pki.corporate.issue(&[host], CertificateKind::Corporate)?;
        let made = acceptor(&identity, &["http/1.1".to_owned()], false, None)?;
        forged.insert(host.to_owned(), made.clone());
        Ok(made)
    }
}

/// `host:port`, or `host` alone.
fn split(authority: &str, default: u16) -> Option<(&str, u16)> {
    let authority = authority.rsplit('@').next().unwrap_or_default();
    match authority.rsplit_once(':') {
        Some((host, port)) if !host.is_empty() && !port.ends_with(']') => {
            port.parse().ok().map(|port| (host, port))
        }
        _ => Some((authority, default)).filter(|_| !authority.is_empty()),
    }
}
