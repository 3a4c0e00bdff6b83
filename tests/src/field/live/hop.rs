//! Hops that no program here makes, and websites that are not Bindplane.

use crate::field::case::{Answer, At, Behaviour};
use crate::lab::Pki;
use crate::lab::config::{CertificateKind, CutBy, CutConfig, HopUpgrade, Product, TlsConfig};
use crate::lab::hop::{self, Upstream};
use crate::lab::http1::{Head, Response, date};
use crate::lab::server::Server;
use crate::lab::wire::{Conn, relay};
use std::io;
use std::net::SocketAddr;
use std::path::Path;
use std::sync::Arc;
use tokio::io::{AsyncReadExt, AsyncWriteExt, split};
use tokio_rustls::TlsAcceptor;

/// The status line that is not let through, and what becomes of it.
const SWITCHING: &[u8] = b"HTTP/1.1 101 Switching Protocols";
const OK: &[u8] = b"HTTP/1.1 200 OK";

/// One hop.
pub(super) struct Hop {
    behaviour: Behaviour,
    acceptor: Option<TlsAcceptor>,
    upstream: Upstream,
    reads: hop::Hop,
    page: Option<Response>,
    answers: Vec<Answer>,
    cut: CutConfig,
}

impl Hop {
    pub(super) fn new(
        behaviour: Behaviour,
        at: &At,
        folder: &Path,
        pki: &Pki,
        to: SocketAddr,
    ) -> Result<Self, String> {
        let text = |error: io::Error| format!("{behaviour:?}: {error}");
        let secured = match behaviour {
            Behaviour::Forget => false,
            Behaviour::Website => at.secured.unwrap_or(false),
            _ => at.secured.unwrap_or(true),
        };
        let kind = match behaviour {
            Behaviour::Intercept => CertificateKind::Corporate,
            _ => CertificateKind::Valid,
        };
        let acceptor =
            secured.then(|| pki.acceptor(&TlsConfig::default(), super::stage::HOST, kind));
        // An interceptor opens what it met by TLS, and goes on by TLS.
        let tls = at.tls || behaviour == Behaviour::Intercept;
        let upgrade = match behaviour {
            Behaviour::Strip | Behaviour::Intercept => HopUpgrade::Strip,
            _ => HopUpgrade::Forward,
        };
        let page = match (behaviour, &at.page) {
            (Behaviour::PageToUpgrades, Some(name)) => {
                let body = std::fs::read(folder.join(name)).map_err(text)?;
                Some(answer(at.status.unwrap_or(403), &at.headers, body))
            }
            (Behaviour::PageToUpgrades, None) => {
                Some(answer(at.status.unwrap_or(403), &at.headers, Vec::new()))
            }
            _ => None,
        };
        Ok(Self {
            behaviour,
            acceptor: acceptor.transpose().map_err(text)?,
            upstream: Upstream::new(to, tls, super::stage::HOST, pki).map_err(text)?,
            reads: hop::Hop {
                product: Product::Plain,
                upgrade,
                cut: CutConfig::default(),
                headers: Vec::new(),
                host: None,
                patience: hop::PATIENCE,
            },
            page,
            answers: at.answers.clone(),
            cut: CutConfig {
                idle_ms: Some(at.after.as_millis().try_into().unwrap_or(u64::MAX)),
                lifetime_ms: None,
                by: CutBy::Blackhole,
            },
        })
    }

    /// Whether TLS ends here.
    pub(super) fn secured(&self) -> bool {
        self.acceptor.is_some()
    }

    async fn serve(&self, mut conn: Conn) {
        if let Some(acceptor) = &self.acceptor {
            match conn.accept(acceptor).await {
                Ok(secured) => conn = secured,
                Err(_) => return,
            }
        }
        match self.behaviour {
            Behaviour::Website => {
                self.reads.serve(conn, &self.upstream, |head| Some(self.site(head))).await;
            }
            Behaviour::Strip | Behaviour::Intercept => {
                self.reads.serve(conn, &self.upstream, |_| None).await;
            }
            Behaviour::PageToUpgrades => {
                let own = |head: &Head| self.page.clone().filter(|_| head.upgrades());
                self.reads.serve(conn, &self.upstream, own).await;
            }
            Behaviour::OkFor101 => {
                if let Ok(server) = self.upstream.open().await {
                    ok_for_101(conn, server).await;
                }
            }
            Behaviour::Forget => {
                if let Ok(server) = self.upstream.open().await {
                    relay(conn, server, &self.cut, true).await;
                }
            }
            Behaviour::Pass | Behaviour::Bindplane => {
                if let Ok(server) = self.upstream.open().await {
                    relay(conn, server, &CutConfig::default(), false).await;
                }
            }
        }
    }

    /// A website's answer.
    fn site(&self, head: &Head) -> Response {
        let fits = |answer: &&Answer| {
            answer.upgrade.is_none_or(|upgrade| upgrade == head.upgrades())
                && head.path().starts_with(&answer.path)
        };
        match self.answers.iter().find(fits) {
            Some(wanted) => {
                answer(wanted.status, &wanted.headers, wanted.body.clone().into_bytes())
            }
            None => {
                answer(404, &["Content-Type: text/html".into()], b"<h1>Not Found</h1>".to_vec())
            }
        }
    }
}

/// Starts it.
pub(super) async fn start(hop: Hop, addr: SocketAddr) -> io::Result<Server> {
    let hop = Arc::new(hop);
    Server::start_at(addr, move |conn| {
        let hop = hop.clone();
        async move { hop.serve(conn).await }
    })
    .await
}

fn answer(status: u16, headers: &[String], body: Vec<u8>) -> Response {
    let mut response = Response::new(status, &[], body);
    response.head.push("Date", date());
    headers.iter().for_each(|line| response.head.push_line(line));
    let length = response.body.len().to_string();
    if !matches!(status, 204 | 304) {
        response.head.push("Content-Length", length);
    }
    response
}

/// Every byte, but for the status line of a 101.
async fn ok_for_101(client: Conn, server: Conn) {
    let (mut from_client, mut to_client) = split(client);
    let (mut from_server, mut to_server) = split(server);
    let up = tokio::io::copy(&mut from_client, &mut to_server);
    let down = async {
        let mut chunk = vec![0; 16 * 1024];
        while let Ok(count @ 1..) = from_server.read(&mut chunk).await {
            // The server writes the whole head at once, and nothing before it.
            let sent = match chunk[..count].strip_prefix(SWITCHING) {
                Some(rest) => to_client.write_all(&[OK, rest].concat()).await,
                None => to_client.write_all(&chunk[..count]).await,
            };
            if sent.is_err() || to_client.flush().await.is_err() {
                break;
            }
        }
    };
    tokio::select! {
        _ = up => {}
        () = down => {}
    }
}
