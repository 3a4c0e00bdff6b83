//! A connection, with or without TLS, that can be ended in every way there is;
//! and two of them tied together.

use super::config::{CutBy, CutConfig};
use std::io;
use std::net::SocketAddr;
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::task::{Context, Poll};
use std::time::Duration;
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt, ReadBuf};
use tokio::net::TcpStream;
use tokio::time::{Instant, timeout};
use tokio_rustls::{TlsAcceptor, TlsConnector};

/// Nothing that one server of the lab asks of another takes longer.
const PATIENCE: Duration = Duration::from_secs(10);
/// How long a client may take to notice the end of a stream.
const LINGER: Duration = Duration::from_secs(2);
/// Bytes thrown away on one connection.
const DRAIN_LIMIT: u64 = 64 * 1024 * 1024;
/// A close frame: 1001, going away.
const GOING_AWAY: [u8; 4] = [0x88, 2, 0x03, 0xe9];

trait Io: AsyncRead + AsyncWrite + Unpin + Send {}
impl<T: AsyncRead + AsyncWrite + Unpin + Send> Io for T {}

/// A TCP stream that is reset, and not closed, when it was told so.
struct Tcp {
    stream: TcpStream,
    reset: Arc<AtomicBool>,
}

impl Drop for Tcp {
    fn drop(&mut self) {
        if self.reset.load(Ordering::Relaxed) {
            let _ = self.stream.set_zero_linger();
        }
    }
}

impl AsyncRead for Tcp {
    fn poll_read(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buf: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_read(cx, buf)
    }
}

impl AsyncWrite for Tcp {
    fn poll_write(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.stream).poll_write(cx, bytes)
    }

    // rustls hands an alert and what comes before it over in one piece, once.
    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        pieces: &[io::IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.stream).poll_write_vectored(cx, pieces)
    }

    fn is_write_vectored(&self) -> bool {
        self.stream.is_write_vectored()
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_flush(cx)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_shutdown(cx)
    }
}

/// Makes a connection that somebody else holds end by a reset.
pub(crate) struct Killer(Arc<AtomicBool>);

impl Killer {
    /// When it is dropped next, it is reset.
    pub(crate) fn reset(&self) {
        self.0.store(true, Ordering::Relaxed);
    }
}

/// A connection.
pub(crate) struct Conn {
    io: Box<dyn Io>,
    /// Bytes that were read too early, and come first again.
    early: Vec<u8>,
    reset: Arc<AtomicBool>,
    /// Whether ALPN settled on HTTP/2.
    pub(crate) h2: bool,
}

impl Conn {
    /// A TCP connection.
    pub(crate) fn tcp(stream: TcpStream) -> Self {
        // A frame alone in its segment must not wait for the next one.
        let _ = stream.set_nodelay(true);
        let reset = Arc::new(AtomicBool::new(false));
        let io = Box::new(Tcp { stream, reset: reset.clone() });
        Self { io, early: Vec::new(), reset, h2: false }
    }

    /// Something else that bytes pass through: a stream of an HTTP/2 connection.
    pub(crate) fn other(io: impl AsyncRead + AsyncWrite + Unpin + Send + 'static) -> Self {
        let reset = Arc::new(AtomicBool::new(false));
        Self { io: Box::new(io), early: Vec::new(), reset, h2: false }
    }

    /// A connection to a server of the lab's.
    pub(crate) async fn dial(addr: SocketAddr) -> io::Result<Self> {
        Ok(Self::tcp(timeout(PATIENCE, TcpStream::connect(addr)).await??))
    }

    /// The server's side of TLS.
    pub(crate) async fn accept(self, acceptor: &TlsAcceptor) -> io::Result<Self> {
        let reset = self.reset.clone();
        let stream = timeout(PATIENCE, acceptor.accept(self)).await??;
        let h2 = stream.get_ref().1.alpn_protocol() == Some(b"h2");
        Ok(Self { io: Box::new(stream), early: Vec::new(), reset, h2 })
    }

    /// The client's side of TLS.
    pub(crate) async fn secure(self, connector: &TlsConnector, name: &str) -> io::Result<Self> {
        let reset = self.reset.clone();
        let name = rustls::pki_types::ServerName::try_from(name.to_owned())
            .map_err(|error| io::Error::new(io::ErrorKind::InvalidInput, error))?;
        let stream = timeout(PATIENCE, connector.connect(name, self)).await??;
        Ok(Self { io: Box::new(stream), early: Vec::new(), reset, h2: false })
    }

    /// Reads until `enough` bytes are there (or the end, or `limit`), and puts
    /// them back; returns them.
    pub(crate) async fn peek(&mut self, enough: usize, limit: Duration) -> io::Result<&[u8]> {
        let until = Instant::now() + limit;
        while self.early.len() < enough {
            let mut chunk = [0; 4096];
            let count = tokio::time::timeout_at(until, self.io.read(&mut chunk)).await??;
            if count == 0 {
                break;
            }
            self.early.extend_from_slice(&chunk[..count]);
        }
        Ok(&self.early)
    }

    /// Puts bytes back that were read too early.
    pub(crate) fn put_back(&mut self, bytes: &[u8]) {
        self.early.splice(..0, bytes.iter().copied());
    }

    /// See [`Killer`].
    pub(crate) fn killer(&self) -> Killer {
        Killer(self.reset.clone())
    }

    /// Ends the connection.
    pub(crate) async fn end(mut self, how: CutBy) {
        match how {
            CutBy::Reset => self.reset.store(true, Ordering::Relaxed),
            CutBy::Blackhole => self.drain().await,
            CutBy::Fin | CutBy::CloseFrame => {
                if how == CutBy::CloseFrame {
                    let _ = timeout(LINGER, self.write_all(&GOING_AWAY)).await;
                }
                let _ = timeout(LINGER, self.shutdown()).await;
                // Closing with unread bytes would be a reset.
                let _ = timeout(LINGER, self.drain()).await;
            }
        }
    }

    /// Takes everything in and says nothing, until the peer goes.
    pub(crate) async fn drain(&mut self) {
        let mut chunk = [0; 4096];
        let mut total = 0;
        while let Ok(count @ 1..) = self.read(&mut chunk).await {
            total += count as u64;
            if total > DRAIN_LIMIT {
                return;
            }
        }
    }
}

impl AsyncRead for Conn {
    fn poll_read(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buf: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        if self.early.is_empty() {
            return Pin::new(&mut self.io).poll_read(cx, buf);
        }
        let count = buf.remaining().min(self.early.len());
        buf.put_slice(&self.early[..count]);
        self.early.drain(..count);
        Poll::Ready(Ok(()))
    }
}

impl AsyncWrite for Conn {
    fn poll_write(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.io).poll_write(cx, bytes)
    }

    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        pieces: &[io::IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.io).poll_write_vectored(cx, pieces)
    }

    fn is_write_vectored(&self) -> bool {
        self.io.is_write_vectored()
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.io).poll_flush(cx)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.io).poll_shutdown(cx)
    }
}

/// When a connection is due to be cut, if nothing happens until then.
pub(crate) fn due(cut: &CutConfig, began: Instant, last: Instant) -> Option<Instant> {
    let idle = cut.idle_ms.map(|ms| last + Duration::from_millis(ms));
    let lifetime = cut.lifetime_ms.map(|ms| began + Duration::from_millis(ms));
    idle.into_iter().chain(lifetime).min()
}

/// Sleeps until then, or for ever.
pub(crate) async fn until(due: Option<Instant>) {
    match due {
        Some(due) => tokio::time::sleep_until(due).await,
        None => std::future::pending().await,
    }
}

/// Ties a client's connection to a server's until one ends or is cut. A hop
/// that owns neither's TLS passes a reset on (`transparent`); one that does
/// ends the other side in order.
pub(crate) async fn relay(mut client: Conn, mut server: Conn, cut: &CutConfig, transparent: bool) {
    let began = Instant::now();
    let mut last = began;
    let (mut up, mut down) = ([0; 8192], [0; 8192]);
    let (mut client_done, mut server_done) = (false, false);
    let broken = if transparent { CutBy::Reset } else { CutBy::Fin };
    while !(client_done && server_done) {
        tokio::select! {
            read = client.read(&mut up), if !client_done => match read {
                Ok(0) => {
                    client_done = true;
                    let _ = timeout(LINGER, server.shutdown()).await;
                }
                Ok(count) => {
                    last = Instant::now();
                    if !matches!(timeout(PATIENCE, send(&mut server, &up[..count])).await, Ok(Ok(()))) {
                        return client.end(broken).await;
                    }
                }
                Err(_) => return server.end(broken).await,
            },
            read = server.read(&mut down), if !server_done => match read {
                Ok(0) => {
                    server_done = true;
                    let _ = timeout(LINGER, client.shutdown()).await;
                    // What the client still has to say, nobody hears.
                    if !client_done {
                        let _ = timeout(LINGER, client.drain()).await;
                        return;
                    }
                }
                Ok(count) => {
                    last = Instant::now();
                    if !matches!(timeout(PATIENCE, send(&mut client, &down[..count])).await, Ok(Ok(()))) {
                        return server.end(broken).await;
                    }
                }
                Err(_) => return client.end(broken).await,
            },
            () = until(due(cut, began, last)) => {
                if cut.by == CutBy::Blackhole {
                    tokio::join!(client.drain(), server.drain());
                } else {
                    tokio::join!(client.end(cut.by), server.end(CutBy::Fin));
                }
                return;
            }
        }
    }
}

async fn send(to: &mut Conn, bytes: &[u8]) -> io::Result<()> {
    to.write_all(bytes).await?;
    to.flush().await
}
