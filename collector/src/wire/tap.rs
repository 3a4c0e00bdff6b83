//! A stream that remembers: how it ended, what came in first, and when the
//! last byte came. Libraries above it turn these into errors of their own, and
//! lose what tells one hop from another.

use super::classify;
use std::io;
use std::pin::Pin;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::task::{Context, Poll, ready};
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::time::Instant;
use wss_bundle::observation::{EndedBy, Ending};
use wss_bundle::{Bytes, Outcome};

/// Bytes of the log that are kept.
const LOG_LIMIT: usize = 64 * 1024;

#[derive(Debug)]
struct State {
    tls: bool,
    ended: Option<Ending>,
    log: Vec<u8>,
    received: u64,
    last_byte: Instant,
}

/// What a [`Tap`] remembers; outlives the stream.
#[derive(Debug, Clone)]
pub struct TapHandle(Arc<Mutex<State>>);

impl TapHandle {
    fn lock(&self) -> MutexGuard<'_, State> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// How the stream ended, if it did.
    #[must_use]
    pub fn ended(&self) -> Option<Ending> {
        self.lock().ended.clone()
    }

    /// Starts the log anew.
    pub fn restart_log(&self) {
        self.lock().log.clear();
    }

    /// What came in since the log was started; `None` when nothing did.
    #[must_use]
    pub fn log(&self) -> Option<Bytes> {
        let state = self.lock();
        (!state.log.is_empty()).then(|| Bytes(state.log.clone()))
    }

    /// How many bytes came in.
    #[must_use]
    pub fn received(&self) -> u64 {
        self.lock().received
    }

    /// When the last byte came in (or the stream was made).
    #[must_use]
    pub fn last_byte(&self) -> Instant {
        self.lock().last_byte
    }

    /// Adds what had come in to a failure that does not say so itself.
    #[must_use]
    pub fn with_received<T>(&self, outcome: Outcome<T>) -> Outcome<T> {
        match outcome {
            Outcome::Failed(mut failure) => {
                if let (None, Some(log)) = (&failure.received, self.log()) {
                    failure = failure.with_received(log.0);
                }
                Outcome::Failed(failure)
            }
            ok @ Outcome::Ok(_) => ok,
        }
    }

    fn came_in(&self, bytes: &[u8]) {
        let mut state = self.lock();
        let room = LOG_LIMIT.saturating_sub(state.log.len()).min(bytes.len());
        state.log.extend_from_slice(&bytes[..room]);
        state.received += bytes.len() as u64;
        state.last_byte = Instant::now();
    }

    fn end(&self, error: Option<&io::Error>) {
        let mut state = self.lock();
        if state.ended.is_some() {
            return;
        }
        let how = error.map_or(EndedBy::Fin, classify::ended_by);
        state.ended = Some(Ending {
            how,
            // rustls reports a FIN without close_notify as an unexpected EOF.
            close_notify: (state.tls && how == EndedBy::Fin).then_some(error.is_none()),
            close_code: None,
            detail: error.map(ToString::to_string),
        });
    }
}

/// A stream that remembers.
#[derive(Debug)]
pub struct Tap<S> {
    inner: S,
    handle: TapHandle,
    prefix: Vec<u8>,
}

impl<S> Tap<S> {
    /// Wraps a stream; `tls` says whether it is the inside of a TLS session.
    pub fn new(inner: S, tls: bool) -> Self {
        let state =
            State { tls, ended: None, log: Vec::new(), received: 0, last_byte: Instant::now() };
        Self { inner, handle: TapHandle(Arc::new(Mutex::new(state))), prefix: Vec::new() }
    }

    /// Gives bytes that were read too far back, to be read first.
    pub fn put_back(&mut self, bytes: Vec<u8>) {
        let rest = std::mem::replace(&mut self.prefix, bytes);
        self.prefix.extend(rest);
    }

    /// Takes the bytes that were put back.
    pub fn take_back(&mut self) -> Vec<u8> {
        std::mem::take(&mut self.prefix)
    }

    /// What it remembers.
    #[must_use]
    pub fn handle(&self) -> TapHandle {
        self.handle.clone()
    }
}

impl<S: AsyncRead + Unpin> AsyncRead for Tap<S> {
    fn poll_read(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buf: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        if !self.prefix.is_empty() {
            let n = self.prefix.len().min(buf.remaining());
            let bytes: Vec<u8> = self.prefix.drain(..n).collect();
            buf.put_slice(&bytes);
            return Poll::Ready(Ok(()));
        }
        let before = buf.filled().len();
        let wanted = buf.remaining() > 0;
        let result = ready!(Pin::new(&mut self.inner).poll_read(cx, buf));
        match &result {
            Ok(()) if buf.filled().len() > before => self.handle.came_in(&buf.filled()[before..]),
            Ok(()) if wanted => self.handle.end(None),
            Ok(()) => {}
            Err(error) => self.handle.end(Some(error)),
        }
        Poll::Ready(result)
    }
}

impl<S: AsyncWrite + Unpin> AsyncWrite for Tap<S> {
    fn poll_write(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buf: &[u8],
    ) -> Poll<io::Result<usize>> {
        let result = ready!(Pin::new(&mut self.inner).poll_write(cx, buf));
        if let Err(error) = &result {
            self.handle.end(Some(error));
        }
        Poll::Ready(result)
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        let result = ready!(Pin::new(&mut self.inner).poll_flush(cx));
        if let Err(error) = &result {
            self.handle.end(Some(error));
        }
        Poll::Ready(result)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.inner).poll_shutdown(cx)
    }
}
