//! WebSocket frames on an upgraded connection: a Ping, its Pong, and what else
//! comes. Payloads are never kept.

use super::tap::{Tap, TapHandle};
use super::{BoxIo, millis};
use futures_util::{SinkExt, StreamExt};
use std::time::Duration;
use tokio::time::Instant;
use tokio_tungstenite::WebSocketStream;
use tokio_tungstenite::tungstenite::protocol::{Role, WebSocketConfig};
use tokio_tungstenite::tungstenite::{Error, Message};
use wss_bundle::observation::{EndedBy, Ending, FrameSeen, FramesSeen};
use wss_bundle::{Failure, FailureKind, Operation};

/// The largest message or frame taken in.
pub(super) const MESSAGE_LIMIT: usize = 1024 * 1024;
/// Bytes taken in on one connection.
pub(super) const BYTES_LIMIT: u64 = 16 * 1024 * 1024;
/// Frames taken in on one connection: more is a flood.
const FRAMES_LIMIT: usize = 100_000;
/// Frames recorded.
pub(super) const FRAMES_KEPT: usize = 32;
/// How long to wait for the answer to our close frame, or for the end after theirs.
pub const CLOSING: Duration = Duration::from_millis(500);
/// Payload of our Pings.
const PING: &[u8] = b"wss-collector";

/// A client's end of an upgraded connection.
pub struct Socket {
    ws: WebSocketStream<Tap<BoxIo>>,
    tap: TapHandle,
    frames: usize,
    closing: Option<Ending>,
}

/// What came next.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Event {
    /// The Pong to one of our Pings.
    Pong,
    /// Any other frame.
    Frame(FrameSeen),
    /// The connection has ended.
    Ended(Ending),
    /// More came than is taken in.
    Flood,
}

impl Socket {
    /// Takes over a connection after its 101.
    pub async fn new(mut stream: Tap<BoxIo>) -> Self {
        let tap = stream.handle();
        let early = stream.take_back();
        let config = WebSocketConfig::default()
            .max_message_size(Some(MESSAGE_LIMIT))
            .max_frame_size(Some(MESSAGE_LIMIT));
        let ws =
            WebSocketStream::from_partially_read(stream, early, Role::Client, Some(config)).await;
        Self { ws, tap, frames: 0, closing: None }
    }

    /// What is known about the stream below.
    #[must_use]
    pub fn tap(&self) -> &TapHandle {
        &self.tap
    }

    /// Waits for what comes next. May be dropped and called again.
    pub async fn next(&mut self) -> Event {
        if let Some(ending) = self.closing.clone() {
            return self.closed(ending).await;
        }
        self.frames += 1;
        if self.frames > FRAMES_LIMIT || self.tap.received() > BYTES_LIMIT {
            return Event::Flood;
        }
        // Frames that are there already would be taken in without a pause.
        tokio::task::consume_budget().await;
        let frame = |opcode: &str, bytes: usize| Event::Frame(frame_seen(opcode, bytes as u64));
        match self.ws.next().await {
            Some(Ok(Message::Pong(payload))) if payload == PING => Event::Pong,
            Some(Ok(Message::Pong(payload))) => frame("pong", payload.len()),
            Some(Ok(Message::Ping(payload))) => frame("ping", payload.len()),
            Some(Ok(Message::Text(text))) => frame("text", text.len()),
            Some(Ok(Message::Binary(bytes))) => frame("binary", bytes.len()),
            Some(Ok(Message::Frame(raw))) => frame("binary", raw.len()),
            Some(Ok(Message::Close(close))) => {
                let ending = Ending {
                    how: EndedBy::CloseFrame,
                    close_notify: None,
                    close_code: close.as_ref().map(|close| close.code.into()),
                    detail: close
                        .map(|close| close.reason.to_string())
                        .filter(|reason| !reason.is_empty()),
                };
                self.closing = Some(ending.clone());
                self.closed(ending).await
            }
            Some(Err(error)) => Event::Ended(self.ending(&error)),
            None => Event::Ended(self.tap.ended().unwrap_or_else(|| Ending::new(EndedBy::Fin))),
        }
    }

    /// After the peer's close frame: the end of the stream is worth a moment,
    /// since it tells about close_notify.
    async fn closed(&mut self, mut ending: Ending) -> Event {
        let _ = tokio::time::timeout(CLOSING, async {
            while let Some(Ok(_)) = self.ws.next().await {}
        })
        .await;
        ending.close_notify = self.tap.ended().and_then(|end| end.close_notify);
        Event::Ended(ending)
    }

    /// The stream's own account of its end goes before the library's.
    fn ending(&self, error: &Error) -> Ending {
        self.tap.ended().unwrap_or_else(|| Ending {
            detail: Some(error.to_string()),
            ..Ending::new(EndedBy::Garbled)
        })
    }

    /// Sends a Ping.
    ///
    /// # Errors
    /// How the connection had ended.
    pub async fn ping(&mut self, limit: Duration) -> Result<(), Ending> {
        let ping = self.ws.send(Message::Ping(PING.into()));
        match tokio::time::timeout(limit, ping).await {
            Ok(Ok(())) => Ok(()),
            Ok(Err(error)) => Err(self.ending(&error)),
            Err(_) => Err(Ending::new(EndedBy::Silence)),
        }
    }

    /// Sends a text message.
    ///
    /// # Errors
    /// How the connection had ended.
    pub async fn text(&mut self, text: &str, limit: Duration) -> Result<(), Ending> {
        let text = self.ws.send(Message::Text(text.into()));
        match tokio::time::timeout(limit, text).await {
            Ok(Ok(())) => Ok(()),
            Ok(Err(error)) => Err(self.ending(&error)),
            Err(_) => Err(Ending::new(EndedBy::Silence)),
        }
    }

    /// Says goodbye and goes. The peer's close frame would tell nothing, and
    /// costs a round trip in which the next probe could have begun.
    pub async fn close(mut self) {
        let _ = tokio::time::timeout(CLOSING, self.ws.close(None)).await;
    }
}

fn frame_seen(opcode: &str, bytes: u64) -> FrameSeen {
    FrameSeen { opcode: opcode.to_owned(), bytes, compressed: false }
}

/// Sends a Ping, and waits for its Pong. `silence` says when waiting is over, by the
/// moment at which the Ping went.
///
/// # Errors
/// More came than is taken in.
pub async fn ping_pong<S: Future>(
    socket: &mut Socket,
    limit: Duration,
    silence: impl FnOnce(Instant) -> S,
) -> Result<FramesSeen, Failure> {
    let sent = Instant::now();
    let mut received = Vec::new();
    let ended =
        |pong_ms, received, ending| Ok(FramesSeen { pong_ms, received, ending, message: None });
    if let Err(ending) = socket.ping(limit).await {
        // The peer may have said something before it went.
        return ended(None, received, ending);
    }
    let silence = silence(sent);
    tokio::pin!(silence);
    loop {
        let event = tokio::select! {
            event = socket.next() => event,
            _ = &mut silence => return ended(None, received, Ending::new(EndedBy::Silence)),
        };
        // Where frames never stop, timers have to wait for them.
        if event != Event::Pong && sent.elapsed() > limit + CLOSING {
            return ended(None, received, Ending::new(EndedBy::Silence));
        }
        match event {
            Event::Pong => {
                if received.len() < FRAMES_KEPT {
                    let bytes = PING.len() as u64;
                    received.push(frame_seen("pong", bytes));
                }
                let pong_ms = Some(millis(sent.elapsed()));
                return ended(pong_ms, received, Ending::new(EndedBy::StillOpen));
            }
            Event::Frame(frame) if received.len() < FRAMES_KEPT => received.push(frame),
            Event::Frame(_) => {}
            Event::Ended(ending) => {
                if ending.how == EndedBy::CloseFrame && received.len() < FRAMES_KEPT {
                    let reason = ending.detail.as_ref().map_or(0, String::len);
                    let bytes = if ending.close_code.is_some() { reason as u64 + 2 } else { 0 };
                    received.push(frame_seen("close", bytes));
                }
                return ended(None, received, ending);
            }
            Event::Flood => {
                let detail = "more frames came than one connection may send";
                return Err(Failure::new(Operation::Frames, FailureKind::TooMuchData, detail));
            }
        }
    }
}
