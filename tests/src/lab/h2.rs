//! HTTP/2 on the server's side. A stream is turned into the HTTP/1.1 request
//! that it stands for, and goes the way of those; extended CONNECT (RFC 8441)
//! into the upgrade.

use super::config::ExtendedConnect;
use super::hop::{Fate, Hop, Upstream};
use super::http1::{Head, Response};
use super::wire::Conn;
use bytes::Bytes;
use h2::server::SendResponse;
use h2::{RecvStream, SendStream};
use http::{HeaderName, HeaderValue, Request};
use std::time::Duration;
use tokio::io::{AsyncReadExt, AsyncWriteExt, DuplexStream};
use tokio::task::JoinSet;
use tokio::time::timeout;

/// Nobody in the lab needs longer for a request.
const PATIENCE: Duration = Duration::from_secs(30);
/// Bodies of requests larger than this are cut off.
const BODY_LIMIT: usize = 1024 * 1024;
/// What a gateway makes up for a backend, since extended CONNECT has no key.
const KEY: &str = "bGFiLWxhYi1sYWItbGFiIQ==";

/// One request of an HTTP/2 connection.
pub(crate) struct Stream {
    /// As HTTP/1.1; with `Upgrade` where it was an extended CONNECT.
    pub(crate) head: Head,
    pub(crate) body: Vec<u8>,
    recv: RecvStream,
    send: SendResponse<Bytes>,
}

impl Stream {
    /// Whether it asks for a WebSocket.
    pub(crate) fn extended(&self) -> bool {
        self.head.upgrades()
    }

    /// Answers it.
    pub(crate) fn reply(mut self, response: &Response) {
        let empty = response.body.is_empty();
        let Ok(head) = render(&response.head) else { return };
        let Ok(mut stream) = self.send.send_response(head, empty) else { return };
        if !empty {
            let _ = stream.send_data(Bytes::copy_from_slice(&response.body), true);
        }
    }

    /// Opens the WebSocket: its bytes pass through what is given back.
    pub(crate) fn switch(mut self, headers: &[(&str, &str)]) -> Option<Conn> {
        let head = Head::new("HTTP/1.1 200 OK", headers);
        let stream = self.send.send_response(render(&head).ok()?, false).ok()?;
        let (ours, theirs) = tokio::io::duplex(64 * 1024);
        tokio::spawn(pump(self.recv, stream, theirs));
        Some(Conn::other(ours))
    }

    /// Leaves it without an answer; the stream stays open.
    pub(crate) async fn hang(self) {
        std::future::pending::<()>().await;
    }
}

/// Serves an HTTP/2 connection; every stream goes to `serve`.
pub(crate) async fn serve<F, Fut>(conn: Conn, announced: bool, serve: F)
where
    F: Fn(Stream) -> Fut,
    Fut: Future<Output = ()> + Send + 'static,
{
    let mut builder = h2::server::Builder::new();
    builder.max_concurrent_streams(64).max_header_list_size(64 * 1024);
    if announced {
        builder.enable_connect_protocol();
    }
    let Ok(Ok(mut connection)) = timeout(PATIENCE, builder.handshake::<_, Bytes>(conn)).await
    else {
        return;
    };
    let mut streams = JoinSet::new();
    loop {
        tokio::select! {
            accepted = connection.accept() => match accepted {
                Some(Ok((request, send))) => {
                    let (head, recv) = translate(request);
                    let stream = Stream { head, body: Vec::new(), recv, send };
                    streams.spawn(serve(stream));
                }
                _ => return,
            },
            Some(_) = streams.join_next() => {}
        }
    }
}

/// Serves an HTTP/2 connection as a hop does.
pub(crate) async fn forward(
    conn: Conn,
    extended: ExtendedConnect,
    hop: Hop,
    upstream: Upstream,
    own: impl Fn(&Head) -> Option<Response>,
) {
    serve(conn, extended != ExtendedConnect::Absent, |mut stream| {
        let answer = own(&stream.head);
        let (hop, upstream) = (hop.clone(), upstream.clone());
        async move {
            if let Some(response) = answer {
                return stream.reply(&response);
            }
            if !stream.extended() {
                stream.read_body().await;
            } else if extended == ExtendedConnect::Works {
                stream.head.push("Sec-WebSocket-Key", KEY);
            }
            let body = std::mem::take(&mut stream.body);
            match hop.ask(&stream.head, body, &upstream).await {
                Fate::Reply(response) => stream.reply(&response),
                Fate::Upgraded(reply, server) => {
                    let kept = ["server", "sec-websocket-protocol"];
                    let headers: Vec<_> =
                        kept.iter().filter_map(|name| Some((*name, reply.get(name)?))).collect();
                    if let Some(client) = stream.switch(&headers) {
                        hop.join(client, server).await;
                    }
                }
                Fate::Swallowed => stream.hang().await,
                // Dropping a stream without an answer resets it.
                Fate::Closed => {}
            }
        }
    })
    .await;
}

impl Stream {
    /// Takes the request's body in.
    pub(crate) async fn read_body(&mut self) {
        let _ = timeout(PATIENCE, async {
            while let Some(Ok(chunk)) = self.recv.data().await {
                let _ = self.recv.flow_control().release_capacity(chunk.len());
                self.body.extend_from_slice(&chunk);
                if self.body.len() > BODY_LIMIT {
                    return;
                }
            }
        })
        .await;
    }
}

/// A stream's request, as HTTP/1.1.
fn translate(request: Request<RecvStream>) -> (Head, RecvStream) {
    let (parts, recv) = request.into_parts();
    let extended = parts.extensions.get::<h2::ext::Protocol>().is_some();
    let method = if extended { "GET" } else { parts.method.as_str() };
    let path = parts.uri.path_and_query().map_or("/", |path| path.as_str());
    let mut head = Head::new(format!("{method} {path} HTTP/1.1"), &[]);
    if let Some(authority) = parts.uri.authority() {
        head.push("Host", authority.as_str());
    }
    for (name, value) in &parts.headers {
        head.push(name.as_str(), String::from_utf8_lossy(value.as_bytes()));
    }
    if extended {
        head.push("Connection", "Upgrade");
        head.push("Upgrade", "websocket");
    }
    (head, recv)
}

/// A response's head, as HTTP/2.
fn render(head: &Head) -> Result<http::Response<()>, http::Error> {
    let mut response = http::Response::builder().status(head.status());
    for (name, value) in &head.headers {
        let name = HeaderName::from_bytes(name.as_bytes())?;
        if name != "connection" && name != "keep-alive" && name != "transfer-encoding" {
            response = response.header(name, HeaderValue::from_str(value)?);
        }
    }
    response.body(())
}

/// Passes bytes between a stream and what stands for it, until either ends.
async fn pump(mut recv: RecvStream, mut send: SendStream<Bytes>, ours: DuplexStream) {
    let (mut read, mut write) = tokio::io::split(ours);
    let up = async {
        while let Some(Ok(chunk)) = recv.data().await {
            let _ = recv.flow_control().release_capacity(chunk.len());
            if write.write_all(&chunk).await.is_err() {
                return;
            }
        }
        let _ = write.shutdown().await;
    };
    let down = async {
        let mut chunk = [0; 8192];
        while let Ok(count @ 1..) = read.read(&mut chunk).await {
            if send.send_data(Bytes::copy_from_slice(&chunk[..count]), false).is_err() {
                return;
            }
        }
        let _ = send.send_data(Bytes::new(), true);
    };
    tokio::join!(up, down);
}
