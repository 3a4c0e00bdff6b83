//! One upload over one connection: a request with a body, and the answer to it.
//! Knows no retries (`command/upload`), and no probes.
//!
//! The answer is read while the body is still being sent: a server that has
//! seen enough says so and hangs up, and what it says would be lost.

use super::http1::{HEAD_LIMIT, read_body, read_head};
use super::{BoxIo, Ctx, classify, dial, tap::Tap};
use std::time::Duration;
use tokio::io::{AsyncWrite, AsyncWriteExt};
use tokio::time::{Instant, timeout};
use wss_bundle::observation::{Body, RouteKind, Step, Tls, Verification};
use wss_bundle::target::Scheme;
use wss_bundle::{Failure, FailureKind, Operation, ResponseHead};

/// Bytes written at a time: progress is seen in these steps.
const CHUNK: usize = 16 * 1024;
/// How long an answer is waited for after the connection broke while sending.
const LAST_WORDS: Duration = Duration::from_secs(2);
/// How long the body of an answer may take; the status has come by then.
const BODY_TIME: Duration = Duration::from_secs(5);

/// What came back.
#[derive(Debug)]
pub struct Sent {
    /// The head of the answer.
    pub head: ResponseHead,
    /// Its body's beginning.
    pub body: Body,
    /// Whether every byte had been sent before it came.
    pub whole: bool,
}

/// Why nothing came back.
#[derive(Debug)]
pub struct NotSent {
    /// What happened.
    pub failure: Failure,
    /// Whether every byte had been sent by then: it may have arrived.
    pub whole: bool,
    /// Whether trying again could help.
    pub again: bool,
}

impl NotSent {
    fn before(failure: Failure) -> Self {
        Self { failure, whole: false, again: true }
    }
}

/// A request: the head is made for the route that it takes.
pub struct Request<'a> {
    /// Head for a request line with this target, and more header lines.
    pub head: &'a (dyn Fn(&str, &str) -> Vec<u8> + Sync),
    /// Path and query.
    pub path: &'a str,
    /// The body.
    pub body: &'a [u8],
    /// Told how many bytes of the body are sent.
    pub progress: &'a (dyn Fn(usize) + Sync),
}

/// Connects by a route, sends the request, and reads the answer. `stall` is how
/// long nothing may move.
///
/// # Errors
/// [`NotSent`]: no answer came. Any status is an answer.
pub async fn send(ctx: &Ctx, request: &Request<'_>, stall: Duration) -> Result<Sent, NotSent> {
    let target = &ctx.net.config.target;
    let way = std::sync::Arc::new(dial::find(ctx).await.map_err(NotSent::before)?);
    let kind = ctx.route().route.kind;
    let by_http_proxy = matches!(kind, RouteKind::HttpProxy | RouteKind::HttpsProxy);
    let (conn, head) = if target.scheme == Scheme::Http && by_http_proxy {
        // Proxies pass plain HTTP on, and often refuse tunnels to port 80.
        let conn = dial::first(ctx, &way, false).await.map_err(NotSent::before)?;
        let auth = ctx
            .route()
            .auth
            .as_ref()
            .map(|auth| format!("Proxy-Authorization: {}\r\n", super::request::basic(auth)));
        (conn, (request.head)(&target.url(request.path), &auth.unwrap_or_default()))
    } else {
        let conn = dial::dial(ctx, &way, false).await.map_err(refused)?;
        let conn = dial::secure(conn, &["http/1.1"]).await.map_err(NotSent::before)?;
        (conn, (request.head)(request.path, ""))
    };
    trusted(ctx)?;
    exchange(conn.stream, &head, request, stall).await
}

/// A proxy's refusal does not change by asking again.
fn refused(failure: Failure) -> NotSent {
    let again = failure.operation != Operation::Tunnel
        || !matches!(failure.kind, FailureKind::Other | FailureKind::SocksAuthentication);
    NotSent { failure, whole: false, again }
}

/// Probes go on when a certificate is not trusted, to see more. Here nothing is
/// sent then.
fn trusted(ctx: &Ctx) -> Result<(), NotSent> {
    let (observations, _) = ctx.net.recorder.finish();
    let distrusted = observations.iter().find_map(|seen| match &seen.step {
        Step::Tls(Tls { verification: Some(Verification::Trusted), .. }) => None,
        Step::Tls(Tls { server_name, verification, .. }) => {
            let why = match verification {
                Some(
                    Verification::Untrusted { detail, .. } | Verification::NotChecked { detail },
                ) => detail.as_str(),
                _ => "it sent none",
            };
            Some(format!(
                "the certificate of {server_name} is not trusted here ({why}); nothing was sent. \
                 --cacert FILE adds its authority"
            ))
        }
        _ => None,
    });
    match distrusted {
        None => Ok(()),
        Some(why) => Err(NotSent {
            failure: Failure::new(Operation::TlsHandshake, FailureKind::TlsProtocol, why),
            whole: false,
            again: false,
        }),
    }
}

async fn exchange(
    stream: Tap<BoxIo>,
    head: &[u8],
    request: &Request<'_>,
    stall: Duration,
) -> Result<Sent, NotSent> {
    let (mut reader, mut writer) = tokio::io::split(stream);
    let mut writing = std::pin::pin!(write(&mut writer, head, request, stall));
    let mut reading = std::pin::pin!(answer(&mut reader));
    let mut whole = false;
    let written = tokio::select! {
        // What is written to its end counts as that, though an answer is there.
        biased;
        written = &mut writing => written,
        answer = &mut reading => return match answer {
            Ok((head, body)) => Ok(Sent { head, body, whole }),
            // It hung up on the request.
            Err(failure) => Err(NotSent { failure, whole, again: true }),
        },
    };
    match written {
        Ok(()) => whole = true,
        Err(failure) => {
            return match timeout(LAST_WORDS, reading).await {
                Ok(Ok((head, body))) => Ok(Sent { head, body, whole }),
                _ => Err(NotSent { failure, whole, again: true }),
            };
        }
    }
    match timeout(stall, reading).await {
        Ok(Ok((head, body))) => Ok(Sent { head, body, whole }),
        Ok(Err(failure)) => Err(NotSent { failure, whole, again: true }),
        Err(_) => {
            let detail = format!("no answer within {:.0} s", stall.as_secs_f64());
            let failure = Failure::new(Operation::Read, FailureKind::TimedOut, detail);
            Err(NotSent { failure, whole, again: true })
        }
    }
}

async fn write(
    writer: &mut (impl AsyncWrite + Unpin),
    head: &[u8],
    request: &Request<'_>,
    stall: Duration,
) -> Result<(), Failure> {
    let stalled = |_| {
        let detail = format!("nothing was taken for {:.0} s", stall.as_secs_f64());
        Failure::new(Operation::Write, FailureKind::TimedOut, detail)
    };
    let io = |error: std::io::Error| classify::io(Operation::Write, &error);
    timeout(stall, writer.write_all(head)).await.map_err(stalled)?.map_err(io)?;
    let mut sent = 0;
    for chunk in request.body.chunks(CHUNK) {
        // Flushed as it goes: progress is what was handed on, not what waits here.
        let step = async {
            writer.write_all(chunk).await?;
            writer.flush().await
        };
        timeout(stall, step).await.map_err(stalled)?.map_err(io)?;
        sent += chunk.len();
        (request.progress)(sent);
    }
    timeout(stall, writer.flush()).await.map_err(stalled)?.map_err(io)
}

async fn answer(
    reader: &mut (impl tokio::io::AsyncRead + Unpin),
) -> Result<(ResponseHead, Body), Failure> {
    let mut buffer = Vec::new();
    let mut first_byte = None;
    let mut read = 0;
    loop {
        let limit = HEAD_LIMIT.saturating_sub(read);
        let (head, length) = read_head(reader, &mut buffer, limit, &mut first_byte).await?;
        read += length;
        if head.status().is_some_and(|status| (100..200).contains(&status)) {
            continue;
        }
        let (body, _) = read_body(reader, buffer, &head, Instant::now() + BODY_TIME, None).await;
        return Ok((head, body));
    }
}
