//! A reverse proxy or load balancer: TLS ends here, and requests go to one
//! backend. Its faults are in [`LbConfig`].

use super::ca::Pki;
use super::config::{CertificateKind, CutBy, LbConfig};
use super::h2;
use super::hop::{Hop, PATIENCE};
use super::http1::{Head, Response};
use super::pages::{answer, http_to_tls};
use super::server::{Log, Server};
use super::wire::Conn;
use std::io;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;
use tokio_rustls::TlsAcceptor;

pub use super::hop::Upstream;

/// How long a client may take to begin.
const FIRST_BYTE: Duration = Duration::from_secs(30);
/// The first byte of a TLS handshake.
const HANDSHAKE: u8 = 0x16;

/// A running load balancer.
pub struct Lb {
    /// Where it listens.
    pub addr: SocketAddr,
    log: Log,
    _server: Server,
}

struct Inner {
    config: LbConfig,
    hop: Hop,
    upstream: Upstream,
    acceptor: Option<TlsAcceptor>,
    log: Log,
}

impl Lb {
    /// Starts it; `kind` is its certificate where its configuration names none.
    ///
    /// # Errors
    /// When its certificate cannot be made or no port can be had.
    pub async fn start(
        config: LbConfig,
        upstream: Upstream,
        host: &str,
        kind: CertificateKind,
        pki: &Pki,
    ) -> io::Result<Self> {
        let acceptor = config.tls.as_ref().map(|tls| pki.acceptor(tls, host, kind)).transpose()?;
        let hop = Hop {
            product: config.product,
            upgrade: config.upgrade,
            cut: config.cut,
            headers: Vec::new(),
            host: config.host.clone(),
            patience: config.patience_ms.map_or(PATIENCE, Duration::from_millis),
        };
        let log = Log::default();
        let inner = Inner { config, hop, upstream, acceptor, log: log.clone() };
        let inner = Arc::new(inner);
        let server = Server::start(move |conn| serve(conn, inner.clone())).await?;
        Ok(Self { addr: server.addr, log, _server: server })
    }

    /// Every request that arrived: its line and header lines, as received.
    #[must_use]
    pub fn requests(&self) -> Vec<Vec<String>> {
        self.log.all()
    }
}

async fn serve(mut conn: Conn, lb: Arc<Inner>) {
    if let Some(acceptor) = &lb.acceptor {
        match conn.peek(1, FIRST_BYTE).await {
            Ok([HANDSHAKE, ..]) => match conn.accept(acceptor).await {
                Ok(secured) => conn = secured,
                Err(_) => return,
            },
            Ok([_, ..]) => {
                if let Some(page) = http_to_tls(lb.config.product) {
                    let _ = page.send(&mut conn, "GET").await;
                }
                return conn.end(CutBy::Fin).await;
            }
            _ => return,
        }
    }
    if conn.h2 {
        let extended = lb.config.extended_connect;
        let own = {
            let lb = lb.clone();
            move |head: &Head| own(&lb, head)
        };
        return h2::forward(conn, extended, lb.hop.clone(), lb.upstream.clone(), own).await;
    }
    lb.hop.serve(conn, &lb.upstream, |head| own(&lb, head)).await;
}

/// What the load balancer answers itself.
fn own(lb: &Inner, head: &Head) -> Option<Response> {
    lb.log.note(head.lines());
    let path = head.path();
    if lb.config.unrouted.iter().any(|prefix| path.starts_with(prefix.as_str())) {
        return Some(lb.hop.page(404));
    }
    let mut wanted = lb.config.answer.clone()?;
    for line in &mut wanted.headers {
        *line = line.replace("{host}", head.get("host").unwrap_or_default());
    }
    wanted.scope.covers(head).then(|| answer(lb.config.product, &wanted))
}
