//! A Bindplane-like server, as Go's net/http, gin and gorilla answer byte for
//! byte. Its faults are in [`OriginConfig`].

mod reply;
mod socket;

use super::ca::Pki;
use super::config::{
    CertificateKind, CutBy, ExtendedConnect, OriginConfig, OriginUpgrade, Transport,
};
use super::h2::{self, Stream};
use super::hop::receive;
use super::server::{Log, Server};
use super::wire::Conn;
use reply::Decision;
use std::io;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;
use tokio::io::AsyncWriteExt;
use tokio_rustls::TlsAcceptor;

/// How long a client may take to begin.
const FIRST_BYTE: Duration = Duration::from_secs(30);
/// The first byte of a TLS handshake.
const HANDSHAKE: u8 = 0x16;
/// What Go says when a plain request comes to its TLS port.
const HTTP_TO_TLS: &[u8] =
    b"HTTP/1.0 400 Bad Request\r\n\r\nClient sent an HTTP request to an HTTPS server.\n";
/// What Go says to what is no request, a ClientHello for one.
const NO_REQUEST: &[u8] = b"HTTP/1.1 400 Bad Request\r\n\
    Content-Type: text/plain; charset=utf-8\r\nConnection: close\r\n\r\n400 Bad Request";

/// A running Bindplane server.
pub struct Origin {
    /// Where it listens.
    pub addr: SocketAddr,
    log: Log,
    _server: Server,
}

struct Inner {
    config: OriginConfig,
    acceptor: Option<TlsAcceptor>,
    log: Log,
}

impl Origin {
    /// Starts it.
    ///
    /// # Errors
    /// When its certificate cannot be made or no port can be had.
    pub async fn start(config: OriginConfig, host: &str, pki: &Pki) -> io::Result<Self> {
        let tls = config.tls.as_ref().filter(|_| config.transport != Transport::PlainText);
        let kind = CertificateKind::Valid;
        let acceptor = tls.map(|tls| pki.acceptor(tls, host, kind)).transpose()?;
        let log = Log::default();
        let inner = Arc::new(Inner { config, acceptor, log: log.clone() });
        let server = Server::start(move |conn| serve(conn, inner.clone())).await?;
        Ok(Self { addr: server.addr, log, _server: server })
    }

    /// Every request that arrived: its line and header lines, as received.
    #[must_use]
    pub fn requests(&self) -> Vec<Vec<String>> {
        self.log.all()
    }
}

async fn serve(mut conn: Conn, origin: Arc<Inner>) {
    match origin.config.transport {
        Transport::Silent => return conn.drain().await,
        Transport::Closes => return conn.end(CutBy::Fin).await,
        Transport::Serves | Transport::PlainText => {}
    }
    if let Some(acceptor) = &origin.acceptor {
        match conn.peek(1, FIRST_BYTE).await {
            Ok([HANDSHAKE, ..]) => match conn.accept(acceptor).await {
                Ok(secured) => conn = secured,
                Err(_) => return,
            },
            Ok([_, ..]) => {
                let _ = conn.write_all(HTTP_TO_TLS).await;
                return conn.end(CutBy::Fin).await;
            }
            _ => return,
        }
    }
    if conn.h2 {
        let announced = origin.config.extended_connect != ExtendedConnect::Absent;
        h2::serve(conn, announced, |stream| over_h2(stream, origin.clone())).await;
    } else {
        over_http1(conn, &origin).await;
    }
}

async fn over_http1(mut conn: Conn, origin: &Inner) {
    loop {
        let (head, body) = match receive(&mut conn).await {
            Ok(Some(request)) => request,
            Ok(None) => return conn.end(CutBy::Fin).await,
            Err(_) => {
                let _ = conn.write_all(NO_REQUEST).await;
                return conn.end(CutBy::Fin).await;
            }
        };
        origin.log.note(head.lines());
        tokio::time::sleep(Duration::from_millis(origin.config.delay_ms)).await;
        match reply::decide(&origin.config, &head, &body) {
            Decision::Reply(mut response) => {
                let closes = head.closes();
                if closes {
                    response.head.push("Connection", "close");
                }
                let method = head.request().map_or("GET", |(method, _)| method);
                if response.send(&mut conn, method).await.is_err() {
                    return;
                }
                if closes {
                    return conn.end(CutBy::Fin).await;
                }
            }
            Decision::Switch(switch) => {
                match origin.config.upgrade {
                    OriginUpgrade::Swallow => return conn.drain().await,
                    OriginUpgrade::Hangup => return conn.end(CutBy::Fin).await,
                    _ => {}
                }
                let sent = conn.write_all(&switch.bytes()).await;
                if sent.is_ok() && conn.flush().await.is_ok() {
                    socket::run(conn, &origin.config).await;
                }
                return;
            }
        }
    }
}

async fn over_h2(mut stream: Stream, origin: Arc<Inner>) {
    let mut head = stream.head.clone();
    origin.log.note(head.lines());
    tokio::time::sleep(Duration::from_millis(origin.config.delay_ms)).await;
    if stream.extended() {
        if origin.config.extended_connect == ExtendedConnect::Works {
            // Extended CONNECT has no key; the checks that follow want one.
            head.push("Sec-WebSocket-Key", "bGFiLWxhYi1sYWItbGFiIQ==");
        }
    } else {
        stream.read_body().await;
    }
    match reply::decide(&origin.config, &head, &stream.body) {
        Decision::Reply(response) => stream.reply(&response),
        Decision::Switch(switch) => match origin.config.upgrade {
            OriginUpgrade::Swallow => stream.hang().await,
            OriginUpgrade::Hangup => {}
            _ => {
                let protocol = switch.get("sec-websocket-protocol").map(str::to_owned);
                let headers: Vec<_> = protocol
                    .iter()
                    .map(|value| ("sec-websocket-protocol", value.as_str()))
                    .collect();
                if let Some(conn) = stream.switch(&headers) {
                    socket::run(conn, &origin.config).await;
                }
            }
        },
    }
}
