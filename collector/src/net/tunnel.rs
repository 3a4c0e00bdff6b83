//! Tunnels through proxies: HTTP CONNECT, and SOCKS 5 (RFC 1928, RFC 1929).

use super::http1::{Exchange, exchange};
use super::tap::Tap;
use super::{BoxIo, Ctx, classify, request};
use std::net::IpAddr;
use std::time::Duration;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::time::Instant;
use wss_bundle::observation::{Body, Tunnel, TunnelReply};
use wss_bundle::{Bytes, Failure, FailureKind, Operation, Outcome, Step};

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
    let credentials = ctx.route().auth.as_ref();
    let authorization =
        credentials.map(|auth| ctx.proxy_auth().header(auth, &config.target.host_port()));
    let request = request::connect(config, authorization.as_deref());
    let handle = stream.handle();
    let wrap = |result: Outcome<TunnelReply>| {
        Step::Tunnel(Tunnel {
            to: config.target.host_port(),
            request: request.shown(),
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
        let again =
            status == 407 && credentials.is_some() && ctx.proxy_auth().learn(&answer.reply.head);
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
            result: handle.with_received(result),
        })
    };
    let work = async {
        negotiate(ctx, &mut stream, address).await?;
        Ok((TunnelReply { head: None, body: Body::default() }, stream))
    };
    ctx.step(Operation::Tunnel, ctx.timeout(), wrap, work).await
}

async fn negotiate(
    ctx: &Ctx,
    stream: &mut Tap<BoxIo>,
    address: Option<IpAddr>,
) -> Result<(), Failure> {
    let io = |error: std::io::Error| classify::io(Operation::Tunnel, &error);
    let auth = ctx.route().auth.as_ref();
    let methods: &[u8] = if auth.is_some() { &[5, 2, 0, 2] } else { &[5, 1, 0] };
    stream.write_all(methods).await.map_err(io)?;
    stream.flush().await.map_err(io)?;
    let mut reply = [0; 2];
    stream.read_exact(&mut reply).await.map_err(io)?;
    match (reply, auth) {
        ([5, 0], _) => {}
        ([5, 2], Some(auth)) => {
            let (user, password) = (auth.user.expose(), auth.password.expose());
            let (Ok(u), Ok(p)) = (u8::try_from(user.len()), u8::try_from(password.len())) else {
                let detail = "user name or password is longer than 255 bytes";
                return Err(failure(FailureKind::SocksAuthentication, detail));
            };
            let message = [&[1, u], user.as_bytes(), &[p], password.as_bytes()].concat();
            stream.write_all(&message).await.map_err(io)?;
            stream.flush().await.map_err(io)?;
            stream.read_exact(&mut reply).await.map_err(io)?;
            if reply[1] != 0 {
                let detail = format!("user name and password refused (status {})", reply[1]);
                return Err(failure(FailureKind::SocksAuthentication, detail));
            }
        }
        ([5, method], _) => {
            let detail = format!("no acceptable authentication method (answer {method:#04x})");
            return Err(failure(FailureKind::SocksAuthentication, detail));
        }
        _ => return Err(failure(FailureKind::ProxyMalformed, "the answer is not SOCKS 5")),
    }

    let target = &ctx.net.config.target;
    let mut message = vec![5, 1, 0];
    match address.or_else(|| target.host.parse().ok()) {
        Some(IpAddr::V4(v4)) => {
            message.push(1);
            message.extend(v4.octets());
        }
        Some(IpAddr::V6(v6)) => {
            message.push(4);
            message.extend(v6.octets());
        }
        None => {
            let length = u8::try_from(target.host.len())
                .map_err(|_| failure(FailureKind::Other, "the host name is too long"))?;
            message.extend([3, length]);
            message.extend(target.host.as_bytes());
        }
    }
    message.extend(target.port.to_be_bytes());
    stream.write_all(&message).await.map_err(io)?;
    stream.flush().await.map_err(io)?;

    let mut head = [0; 4];
    stream.read_exact(&mut head).await.map_err(io)?;
    if head[0] != 5 {
        return Err(failure(FailureKind::ProxyMalformed, "the answer is not SOCKS 5"));
    }
    if head[1] != 0 {
        let detail = format!("reply {}: {}", head[1], refusal(head[1]));
        return Err(failure(FailureKind::SocksRefused, detail));
    }
    let length = match head[3] {
        1 => 4,
        4 => 16,
        3 => usize::from(stream.read_u8().await.map_err(io)?),
        _ => return Err(failure(FailureKind::ProxyMalformed, "unknown address type")),
    };
    let mut bound = vec![0; length + 2];
    stream.read_exact(&mut bound).await.map_err(io)?;
    Ok(())
}

/// RFC 1928 section 6.
fn refusal(code: u8) -> &'static str {
    match code {
        1 => "general failure",
        2 => "not allowed by the rules",
        3 => "network unreachable",
        4 => "host unreachable",
        5 => "connection refused",
        6 => "TTL expired",
        7 => "command not supported",
        8 => "address type not supported",
        _ => "unassigned",
    }
}
