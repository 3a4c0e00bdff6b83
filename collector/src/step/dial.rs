//! From nothing to a connection to the target, by any route: permit, TCP, the
//! proxy's TLS, tunnel; and then the target's TLS.

use super::tap::Tap;
use super::tunnel::Asked;
use super::{BoxIo, Ctx, cancelled, dns, tcp, tls, tunnel};
use crate::wire;
use crate::wire::tls::Secured;
use std::future::{Future as _, poll_fn};
use std::net::{IpAddr, SocketAddr};
use std::pin::pin;
use std::sync::Arc;
use std::task::Poll;
use tokio::io::AsyncReadExt;
use tokio::sync::OwnedSemaphorePermit;
use wss_bundle::observation::{Peer, RouteKind, TlsSession};
use wss_bundle::target::Scheme;
use wss_bundle::{Failure, FailureKind, Operation};

/// A route whose names have been looked up.
#[derive(Debug)]
pub struct Way {
    /// Addresses of the first hop: the proxy, or the target.
    pub first_hop: Vec<SocketAddr>,
    /// Addresses of the target, where they are needed here.
    pub target: Vec<IpAddr>,
}

/// A connection, with what it holds on to.
pub struct Conn {
    /// On whose behalf, with the connection's number.
    pub ctx: Ctx,
    /// The bytes.
    pub stream: Tap<BoxIo>,
    /// The target's TLS session.
    pub session: Option<TlsSession>,
    /// False where the target's certificate is not trusted here.
    pub trusted: bool,
    pub(crate) permit: Option<OwnedSemaphorePermit>,
}

impl Conn {
    /// Whether the peer has left an idle connection open, and said nothing on it.
    /// As far as is known now: its end may be on its way.
    pub async fn still_open(&mut self) -> bool {
        let mut byte = [0];
        let mut read = pin!(self.stream.read(&mut byte));
        poll_fn(|cx| Poll::Ready(read.as_mut().poll(cx).is_pending())).await
    }
}

/// Who is first on the way.
fn first_hop(ctx: &Ctx) -> (Peer, String, u16) {
    match &ctx.route().route.proxy {
        Some(proxy) => (Peer::Proxy, proxy.host.clone(), proxy.port),
        None => {
            let target = &ctx.net.config.target;
            (Peer::Target, target.host.clone(), target.port)
        }
    }
}

/// Whether the proxy is to be told an address, and no name.
fn resolves_here(ctx: &Ctx) -> bool {
    matches!(ctx.route().route.kind, RouteKind::Socks5 | RouteKind::Socks4)
}

/// Looks up the names that the route needs here: the first hop's, and the
/// target's for SOCKS with local resolution.
///
/// # Errors
/// The failure that was recorded.
pub async fn find(ctx: &Ctx) -> Result<Way, Failure> {
    let (peer, host, port) = first_hop(ctx);
    let addresses = dns::resolve(ctx, &host, port, peer).await?;
    let target = if resolves_here(ctx) {
        let target = &ctx.net.config.target;
        dns::resolve(ctx, &target.host, target.port, Peer::Target).await?
    } else {
        Vec::new()
    };
    let first_hop = addresses.into_iter().map(|address| SocketAddr::new(address, port)).collect();
    Ok(Way { first_hop, target })
}

/// Asks the name servers for the names that [`find`] looks up.
pub async fn cross_check(ctx: &Ctx) {
    let (peer, host, port) = first_hop(ctx);
    dns::ask_name_servers(ctx, &host, port, peer).await;
    if resolves_here(ctx) {
        let target = &ctx.net.config.target;
        dns::ask_name_servers(ctx, &target.host, target.port, Peer::Target).await;
    }
}

/// A permit for one connection to the route's first hop; `None` once cancelled.
pub async fn permit(ctx: &Ctx) -> Option<OwnedSemaphorePermit> {
    let (_, host, port) = first_hop(ctx);
    ctx.net.slot(ctx.route, &format!("{host}:{port}")).await
}

/// Opens a connection to the first hop; through its TLS, for an HTTPS proxy.
/// `counted` connections take one of a host's permits; holds have theirs already.
///
/// # Errors
/// The failure that was recorded.
pub async fn first(ctx: &Ctx, way: &Arc<Way>, counted: bool) -> Result<Conn, Failure> {
    let (peer, host, _) = first_hop(ctx);
    let permit = match counted {
        true => Some(permit(ctx).await.ok_or_else(|| cancelled(Operation::Connect))?),
        false => None,
    };
    if ctx.net.is_silent(ctx.route) {
        return Err(Failure::new(
            Operation::Connect,
            FailureKind::Cancelled,
            "not tried: nothing answered on this route",
        ));
    }
    let (stream, ctx) = tcp::connect(ctx, &way.first_hop, peer).await?;
    ctx.net.note_reached(ctx.route, stream.peer_addr().ok());
    if let Some(every) = ctx.keepalive {
        wire::tcp::keep_alive(&stream, every)?;
    }
    let mut stream = Tap::new(Box::new(stream) as BoxIo, false);
    if ctx.route().route.kind == RouteKind::HttpsProxy {
        stream =
            tls::handshake(&ctx, Box::new(stream), &host, &["http/1.1"], Peer::Proxy).await?.stream;
    }
    Ok(Conn { ctx, stream, session: None, trusted: true, permit })
}

/// Opens a connection on which the target is spoken to: [`first`], then the tunnel.
///
/// # Errors
/// The failure that was recorded, or the proxy's refusal.
pub async fn dial(ctx: &Ctx, way: &Arc<Way>, counted: bool) -> Result<Conn, Failure> {
    let conn = Box::pin(first(ctx, way, counted)).await?;
    // Boxed: what each of these keeps while it waits would else be kept in every
    // probe that calls it, and copied on the stack where nothing is optimised.
    Box::pin(through(ctx, way, counted, conn)).await.inspect_err(|failure| {
        if failure.kind == FailureKind::TimedOut {
            ctx.net.note_silence(ctx.route);
        }
    })
}

/// Through the proxy, on a connection to it.
async fn through(ctx: &Ctx, way: &Arc<Way>, counted: bool, conn: Conn) -> Result<Conn, Failure> {
    match conn.ctx.route().route.kind {
        RouteKind::Direct => Ok(conn),
        RouteKind::HttpProxy | RouteKind::HttpsProxy => {
            let Conn { ctx: on, stream, session, trusted, permit } = conn;
            match Box::pin(tunnel::connect(&on, stream)).await? {
                Asked::Open(stream) => Ok(Conn { ctx: on, stream, session, trusted, permit }),
                Asked::Again(Some(stream)) => {
                    let stream = opened(Box::pin(tunnel::connect(&on, stream)).await?)?;
                    Ok(Conn { ctx: on, stream, session, trusted, permit })
                }
                Asked::Again(None) => {
                    // The old connection's permit is for the new one.
                    drop(permit);
                    let conn = Box::pin(first(ctx, way, counted)).await?;
                    let stream = opened(Box::pin(tunnel::connect(&conn.ctx, conn.stream)).await?)?;
                    Ok(Conn { stream, ..conn })
                }
            }
        }
        RouteKind::Socks5 | RouteKind::Socks5h => {
            let stream = tunnel::socks(&conn.ctx, conn.stream, way.target.first().copied()).await?;
            Ok(Conn { stream, ..conn })
        }
        RouteKind::Socks4 | RouteKind::Socks4a => {
            let address = way.target.iter().find_map(|address| match address {
                IpAddr::V4(v4) => Some(*v4),
                IpAddr::V6(_) => None,
            });
            let stream = tunnel::socks4(&conn.ctx, conn.stream, address).await?;
            Ok(Conn { stream, ..conn })
        }
    }
}

/// A tunnel that must be open by now.
fn opened(asked: Asked) -> Result<Tap<BoxIo>, Failure> {
    match asked {
        Asked::Open(stream) => Ok(stream),
        Asked::Again(_) => {
            let detail = "the proxy goes on asking for credentials";
            Err(Failure::new(Operation::Tunnel, FailureKind::Other, detail))
        }
    }
}

/// Makes the target's TLS handshake, where its scheme wants one.
///
/// # Errors
/// The failure that was recorded.
pub async fn secure(conn: Conn, alpn: &[&str]) -> Result<Conn, Failure> {
    let target = &conn.ctx.net.config.target;
    if target.scheme == Scheme::Http {
        return Ok(conn);
    }
    let host = target.host.clone();
    let Secured { stream, session, trusted } =
        tls::handshake(&conn.ctx, Box::new(conn.stream), &host, alpn, Peer::Target)
            .await
            .inspect_err(|failure| {
                if failure.kind == FailureKind::TimedOut {
                    conn.ctx.net.note_silence(conn.ctx.route);
                }
            })?;
    Ok(Conn { ctx: conn.ctx, stream, session: Some(session), trusted, permit: conn.permit })
}
