//! HTTP/2: what plain curl gets where h2 is offered, and WebSocket by extended
//! CONNECT (RFC 8441). Heads are rendered as `curl -i` prints them.

use super::origin_auth::{First, Turn};
use super::patience::no_answer;
use super::tap::Tap;
use super::{BoxIo, Ctx, classify, likeness, request};
use crate::recorder::millis;
use h2::client::SendRequest;
use http::{HeaderValue, Method, Request, Response, Uri, Version};
use std::io;
use std::pin::Pin;
use std::task::{Context, Poll, ready};
use std::time::Duration;
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::time::Instant;
use wss_bundle::observation::{Body, Http, HttpReply, Upgrade};
use wss_bundle::{Bytes, Failure, FailureKind, Operation, Outcome, ResponseHead, Step};

/// Bytes of a body that are kept.
const BODY_KEPT: usize = 64 * 1024;
/// Bytes of a body that are read.
const BODY_LIMIT: u64 = 96 * 1024;
/// Bytes taken in on one connection, besides that of each path. Interim responses
/// and the like are kept by the library until somebody asks for them, which takes
/// twenty times their bytes.
const OVERHEAD: u64 = 256 * 1024;

/// An HTTP/2 connection, driven by a task of its own that ends with it.
pub struct Client {
    send: SendRequest<bytes::Bytes>,
    /// Whether the server's certificate is trusted here.
    trusted: bool,
    driver: tokio::task::JoinHandle<()>,
}

impl Drop for Client {
    fn drop(&mut self) {
        self.driver.abort();
    }
}

fn failure(detail: impl Into<String>) -> Failure {
    Failure::new(Operation::Http2, FailureKind::Http2Error, detail)
}

/// A stream of which no more than so many bytes are read.
struct Bounded {
    stream: Tap<BoxIo>,
    left: u64,
}

impl AsyncRead for Bounded {
    fn poll_read(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        if self.left == 0 {
            return Poll::Ready(Err(io::Error::other("more came than one connection may send")));
        }
        let before = buffer.filled().len();
        ready!(Pin::new(&mut self.stream).poll_read(cx, buffer))?;
        let came = buffer.filled().len() - before;
        self.left = self.left.saturating_sub(came as u64);
        Poll::Ready(Ok(()))
    }
}

impl AsyncWrite for Bounded {
    fn poll_write(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.stream).poll_write(cx, bytes)
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_flush(cx)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_shutdown(cx)
    }
}

/// Sends the connection's preface. The server's comes with its first answer.
/// `paths` are to be asked for.
///
/// # Errors
/// The connection cannot be written to.
pub async fn open(stream: Tap<BoxIo>, trusted: bool, paths: usize) -> Result<Client, Failure> {
    let left = OVERHEAD + (BODY_LIMIT + 16 * 1024) * paths as u64;
    let stream = Bounded { stream, left };
    let (send, connection) = h2::client::Builder::new()
        .enable_push(false)
        .max_header_list_size(64 * 1024)
        .initial_window_size(256 * 1024)
        .handshake(stream)
        .await
        .map_err(|error| classify::h2(&error))?;
    let driver = tokio::spawn(async move {
        let _ = connection.await;
    });
    Ok(Client { send, trusted, driver })
}

/// What of the user's secrets a request carries.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Secrets {
    All,
    /// The credentials were refused.
    NoCredentials,
    /// The server is not trusted here.
    None,
}

fn is_credentials(name: &str) -> bool {
    name.eq_ignore_ascii_case("authorization")
}

/// What a request may carry on this connection, and whether others wait for
/// what comes of it.
async fn secrets<'n>(ctx: &'n Ctx, client: &Client, path: &str) -> (Secrets, Option<First<'n>>) {
    let config = &ctx.net.config;
    let given =
        config.auth.is_some() || config.headers.iter().any(|(name, _)| is_credentials(name));
    match ctx.net.origin_auth(ctx.route) {
        _ if !client.trusted => (Secrets::None, None),
        Some(auth) if given => match auth.turn(path).await {
            Turn::First(first) => (Secrets::All, Some(first)),
            Turn::Yes => (Secrets::All, None),
            Turn::No => (Secrets::NoCredentials, None),
        },
        _ => (Secrets::All, None),
    }
}

/// A request, and what is recorded of it.
fn build(
    ctx: &Ctx,
    path: &str,
    extended: bool,
    secrets: Secrets,
) -> Result<(Request<()>, Bytes), Failure> {
    let config = &ctx.net.config;
    let authority = config.target.authority();
    let uri: Uri = config
        .target
        .url(path)
        .parse()
        .map_err(|error: http::uri::InvalidUri| failure(error.to_string()))?;
    let method = if extended { Method::CONNECT } else { Method::GET };
    let mut shown = format!("{method} {path} HTTP/2\r\nHost: {authority}\r\n");
    let mut builder = Request::builder().method(method).uri(uri).version(Version::HTTP_2);
    if extended {
        builder = builder.extension(h2::ext::Protocol::from_static("websocket"));
        shown.push_str(":protocol: websocket\r\n");
    }
    let mut header = |name: &str, value: &str, secret: bool| {
        let name = name.to_ascii_lowercase();
        let (Ok(header), Ok(bytes)) =
            (http::HeaderName::from_bytes(name.as_bytes()), HeaderValue::from_str(value))
        else {
            return;
        };
        shown.push_str(&format!("{name}: {}\r\n", if secret { "[removed]" } else { value }));
        if let Some(headers) = builder.headers_mut() {
            headers.append(header, bytes);
        }
    };
    if let Some(credentials) = config.auth.as_ref().filter(|_| secrets == Secrets::All) {
        header("authorization", &request::basic(credentials), true);
    }
    let own = request::user_agent();
    // Browsers alone ask by extended CONNECT.
    let agent = if extended { likeness::USER_AGENT } else { &own };
    if !request::given(config, "user-agent") {
        header("user-agent", agent, false);
    }
    header("accept", "*/*", false);
    if extended {
        header("origin", &config.target.origin(), false);
        if let Some(subprotocol) = request::subprotocol(path) {
            header("sec-websocket-protocol", subprotocol, false);
        }
    } else {
        // curl sends these over h2 too; Connection and Upgrade it leaves out.
        header("sec-websocket-key", request::KEY, false);
    }
    header("sec-websocket-version", "13", false);
    for (name, value) in &config.headers {
        let withheld = match secrets {
            Secrets::All => false,
            Secrets::NoCredentials => is_credentials(name),
            Secrets::None => true,
        };
        if !withheld && !value.expose().is_empty() && !name.eq_ignore_ascii_case("host") {
            header(name, value.expose(), true);
        }
    }
    shown.push_str("\r\n");
    let request = builder.body(()).map_err(|error| failure(error.to_string()))?;
    Ok((request, shown.into_bytes().into()))
}

fn render(response: &Response<h2::RecvStream>) -> ResponseHead {
    let mut raw = format!("HTTP/2 {} \r\n", response.status().as_u16()).into_bytes();
    for (name, value) in response.headers() {
        raw.extend_from_slice(name.as_str().as_bytes());
        raw.extend_from_slice(b": ");
        raw.extend_from_slice(value.as_bytes());
        raw.extend_from_slice(b"\r\n");
    }
    raw.extend_from_slice(b"\r\n");
    ResponseHead::bounded(raw)
}

/// Sends a request and reads the response. The stream of a 200 to an extended
/// CONNECT stays open as long as the WebSocket would, so its body is not read.
async fn ask(
    ctx: &Ctx,
    client: &Client,
    request: Request<()>,
    extended: bool,
    body_until: Instant,
) -> Result<HttpReply, Failure> {
    let h2 = |error: h2::Error| classify::h2(&error);
    let mut send = client.send.clone().ready().await.map_err(h2)?;
    let (response, mut ours) = send.send_request(request, !extended).map_err(h2)?;
    let sent = Instant::now();
    let silence = ctx.net.patience.silence(ctx.route, sent, ctx.timeout());
    let response = tokio::select! {
        biased;
        response = response => response.map_err(h2)?,
        // As with HTTP/1.1: its twin waits as long.
        lasted = silence => {
            let why = no_answer(lasted);
            return Err(Failure::new(Operation::Http2, FailureKind::TimedOut, why));
        }
    };
    ctx.net.patience.answered(ctx.route, sent.elapsed());
    let first_byte_ms = millis(sent.elapsed());
    let head = render(&response);
    let mut body = Body::default();
    if extended && response.status().is_success() {
        ours.send_reset(h2::Reason::CANCEL);
    } else {
        let limit = if head.status() == Some(200) { 4096 } else { BODY_KEPT };
        let complete =
            tokio::time::timeout_at(body_until, read_body(response.into_body(), &mut body, limit))
                .await;
        body.truncated = !matches!(complete, Ok(true)) || body.length > body.bytes.len() as u64;
    }
    Ok(HttpReply { informational: Vec::new(), head, body, first_byte_ms, ending: None })
}

async fn read_body(mut stream: h2::RecvStream, body: &mut Body, limit: usize) -> bool {
    while let Some(chunk) = stream.data().await {
        let Ok(chunk) = chunk else { return false };
        let room = limit.saturating_sub(body.bytes.len()).min(chunk.len());
        body.bytes.0.extend_from_slice(&chunk[..room]);
        body.length += chunk.len() as u64;
        let _ = stream.flow_control().release_capacity(chunk.len());
        if body.length >= BODY_LIMIT {
            return false;
        }
    }
    true
}

/// What plain curl gets where h2 is offered; recorded, with what the server's
/// SETTINGS say about extended CONNECT. Several may be under way at once.
///
/// # Errors
/// The failure that was recorded.
pub async fn get(ctx: &Ctx, client: &Client, path: &str) -> Result<bool, Failure> {
    let (secrets, first) = secrets(ctx, client, path).await;
    let (request, shown) = build(ctx, path, false, secrets)?;
    let limit = ctx.timeout();
    let announced = std::sync::Mutex::new(None);
    let wrap = |result: Outcome<HttpReply>| {
        let extended_connect = announced.lock().ok().and_then(|seen| *seen);
        let version = "2".to_owned();
        Step::Http(Http { version, request: shown, extended_connect, result })
    };
    let work = async {
        let body_until = Instant::now() + body_time(limit);
        let reply = ask(ctx, client, request, false, body_until).await;
        // The SETTINGS come before any response (RFC 9113 section 3.4).
        let extended = client.send.is_extended_connect_protocol_enabled();
        if let Ok(mut seen) = announced.lock() {
            *seen = Some(extended);
        }
        let status = reply.as_ref().ok().and_then(|reply| reply.head.status());
        if let Some(first) = first {
            first.end(status);
        }
        reply.map(|reply| (reply, extended))
    };
    ctx.step(Operation::Http2, limit, wrap, work).await
}

/// A WebSocket opening handshake by extended CONNECT, recorded.
///
/// # Errors
/// The failure that was recorded.
pub async fn connect(ctx: &Ctx, client: &Client, path: &str) -> Result<(), Failure> {
    // After the GETs: whether credentials are refused is known by now.
    let (secrets, _) = secrets(ctx, client, path).await;
    let (request, shown) = build(ctx, path, true, secrets)?;
    let limit = ctx.timeout();
    let wrap = |result| {
        let version = "2".to_owned();
        Step::Upgrade(Upgrade { version, request: shown, expected_accept: None, result })
    };
    let work = async {
        let body_until = Instant::now() + body_time(limit);
        ask(ctx, client, request, true, body_until).await.map(|reply| (reply, ()))
    };
    ctx.step(Operation::Http2, limit, wrap, work).await
}

/// Most of a step's time, so that a body without end is no timeout.
#[must_use]
pub fn body_time(limit: Duration) -> Duration {
    limit.mul_f64(0.8)
}
