//! The step of a tunnel through a proxy: HTTP CONNECT, SOCKS 5, SOCKS 4 and 4a.

use super::http1::{Exchange, exchange};
use super::tap::Tap;
use super::{BoxIo, Ctx, request};
use crate::wire::{socks4, socks5};
use std::net::{IpAddr, Ipv4Addr};
use std::sync::OnceLock;
use std::time::Duration;
use tokio::time::Instant;
use wss_bundle::observation::{Body, RouteKind, Tunnel, TunnelReply};
use wss_bundle::{Bytes, Failure, FailureKind, Operation, Outcome, Secret, Step};

fn failure(kind: FailureKind, detail: impl Into<String>) -> Failure {
    Failure::new(Operation::Tunnel, kind, detail)
}

/// What asking for a tunnel came to.
pub enum Asked {
    /// It is open.
    Open(Tap<BoxIo>),
    /// The proxy has said how it wants to be told who asks: once more, on this
    /// connection where it is still good.
    Again(Option<Tap<BoxIo>>),
}

/// Asks an HTTP proxy for a tunnel, and records its answer.
///
/// # Errors
/// The failure that was recorded; or, as a failure that is not, a refusal.
pub async fn connect(ctx: &Ctx, mut stream: Tap<BoxIo>) -> Result<Asked, Failure> {
    let config = &ctx.net.config;
    let said = ctx.proxy_auth().said(ctx, true).await;
    let request = request::connect(config, said.value.as_ref().map(Secret::expose));
    let handle = stream.handle();
    let sign_on = OnceLock::new();
    if let Some(known) = said.sign_on {
        let _ = sign_on.set(known);
    }
    let wrap = |result: Outcome<TunnelReply>| {
        Step::Tunnel(Tunnel {
            to: config.target.host_port(),
            request: request.shown(),
            sign_on: sign_on.get().copied(),
            result: handle.with_received(result),
        })
    };
    let how = Exchange {
        body_until: Instant::now() + ctx.timeout().mul_f64(0.8),
        watch_end: Duration::ZERO,
        connect: true,
    };
    let work = async {
        let answer = exchange(&mut stream, &request.wire(), how).await.map_err(|error| {
            let kind = match error.kind {
                FailureKind::HttpMalformed => FailureKind::ProxyMalformed,
                kind => kind,
            };
            Failure { operation: Operation::Tunnel, kind, ..error }
        })?;
        let status = answer.reply.head.status().unwrap_or_default();
        let head = &answer.reply.head;
        let again = status == 407
            && match ctx.route().auth {
                Some(_) => ctx.proxy_auth().learn(head),
                None if said.sign_on.is_some() => false,
                None => match ctx.proxy_auth().asked(ctx, head).await {
                    Some(Err(why)) => {
                        let _ = sign_on.set(why);
                        false
                    }
                    Some(Ok(())) => true,
                    None => false,
                },
            };
        let reply = TunnelReply { head: Some(answer.reply.head), body: answer.reply.body };
        Ok((reply, (stream, status, again, answer.reusable)))
    };
    let (stream, status, again, reusable) =
        ctx.step(Operation::Tunnel, ctx.timeout(), wrap, work).await?;
    if (200..300).contains(&status) {
        Ok(Asked::Open(stream))
    } else if again {
        Ok(Asked::Again(reusable.then_some(stream)))
    } else {
        Err(failure(FailureKind::Other, format!("the proxy answered CONNECT with {status}")))
    }
}

/// Asks a SOCKS 5 proxy for a tunnel, to an address or else by name, and
/// records its answer.
///
/// # Errors
/// The failure that was recorded.
pub async fn socks(
    ctx: &Ctx,
    mut stream: Tap<BoxIo>,
    address: Option<IpAddr>,
) -> Result<Tap<BoxIo>, Failure> {
    let target = &ctx.net.config.target;
    let to = match address {
        Some(IpAddr::V6(v6)) => format!("[{v6}]:{}", target.port),
        Some(v4) => format!("{v4}:{}", target.port),
        None => target.host_port(),
    };
    let handle = stream.handle();
    let wrap = |result: Outcome<TunnelReply>| {
        Step::Tunnel(Tunnel {
            to: to.clone(),
            request: Bytes::default(),
            sign_on: None,
            result: handle.with_received(result),
        })
    };
    let work = async {
        let auth = ctx.route().auth.as_ref();
        let auth = auth.map(|auth| (auth.user.expose(), auth.password.expose()));
        socks5::ask(&mut stream, target, auth, address).await?;
        Ok((TunnelReply { head: None, body: Body::default() }, stream))
    };
    ctx.step(Operation::Tunnel, ctx.timeout(), wrap, work).await
}

/// Asks a SOCKS 4 proxy for a tunnel: to an address, or (4a) by name; and records
/// the answer.
///
/// # Errors
/// The failure that was recorded.
pub async fn socks4(
    ctx: &Ctx,
    mut stream: Tap<BoxIo>,
    address: Option<Ipv4Addr>,
) -> Result<Tap<BoxIo>, Failure> {
    let target = &ctx.net.config.target;
    let by_name = ctx.route().route.kind == RouteKind::Socks4a;
    let address = address.or_else(|| target.host.parse().ok());
    let to = match address {
        Some(address) if !by_name => format!("{address}:{}", target.port),
        _ => target.host_port(),
    };
    let handle = stream.handle();
    let wrap = |result: Outcome<TunnelReply>| {
        Step::Tunnel(Tunnel {
            to: to.clone(),
            request: Bytes::default(),
            sign_on: None,
            result: handle.with_received(result),
        })
    };
    let work = async {
        let user = ctx.route().auth.as_ref().map_or("", |auth| auth.user.expose());
        socks4::ask(&mut stream, target, user, address, by_name).await?;
        Ok((TunnelReply { head: None, body: Body::default() }, stream))
    };
    ctx.step(Operation::Tunnel, ctx.timeout(), wrap, work).await
}
