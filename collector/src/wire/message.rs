//! One text message on an upgraded connection, compressed where that was
//! granted, between two Pings. The first Pong says that frames pass, the second
//! that the server has read past the message: a server that cannot read it fails
//! the connection. Its answers must be readable by the rules that browsers keep.
//!
//! The WebSocket library knows no extensions and refuses RSV1, so frames are
//! taken apart here, on its own parser of headers.

use super::deflate::{Granted, Inflater, deflated};
use super::tap::Tap;
use super::ws::{BYTES_LIMIT, CLOSING, FRAMES_KEPT, MESSAGE_LIMIT};
use super::{BoxIo, millis};
use std::io::Cursor;
use std::time::Duration;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::time::{Instant, sleep_until};
use tokio_tungstenite::tungstenite::protocol::frame::coding::{Control, Data, OpCode};
use tokio_tungstenite::tungstenite::protocol::frame::{Frame, FrameHeader};
use wss_bundle::observation::{EndedBy, Ending, FrameSeen, FramesSeen, MessageSent};
use wss_bundle::{Failure, FailureKind, Operation};

/// What the console says first on its socket (graphql-transport-ws, graphql-ws).
const TEXT: &[u8] = b"{\"type\":\"connection_init\"}";
/// Payload of the Ping before the message.
const BEFORE: &[u8] = b"wss-collector";
/// Payload of the Ping after it.
const AFTER: &[u8] = b"wss-collector, after";
/// How long a compressed answer is waited for when the server has read past the
/// message: some answer from another thread.
const ANSWER: Duration = Duration::from_millis(300);

/// Sends the message, and says what came; then closes. `granted` is what the 101
/// says about compression, where it was offered. `silence` says when waiting is over,
/// by the moment at which the message went.
///
/// # Errors
/// More came than is taken in.
pub async fn message<S: Future>(
    stream: Tap<BoxIo>,
    granted: Option<Granted>,
    limit: Duration,
    silence: impl FnOnce(Instant) -> S,
) -> Result<FramesSeen, Failure> {
    let mut talk = Talk::new(stream, granted);
    let seen = talk.through(limit, silence).await?;
    if seen.ending.how == EndedBy::StillOpen {
        talk.leave().await;
    }
    Ok(seen)
}

/// A client's end of a connection, frame by frame.
struct Talk {
    stream: Tap<BoxIo>,
    inflater: Option<Inflater>,
    buffer: Vec<u8>,
    /// A message in several frames: its kind, whether it is compressed, what came of it.
    begun: Option<(Data, bool, Vec<u8>)>,
}

/// What a frame means here.
enum Heard {
    Pong(Vec<u8>),
    /// A whole message, and it can be read.
    Message,
    /// Part of one, or somebody else's Ping or Pong.
    Other,
    Closed(Ending),
}

fn garbled(detail: impl Into<String>) -> Ending {
    Ending { detail: Some(detail.into()), ..Ending::new(EndedBy::Garbled) }
}

/// A frame as a client sends it: masked (RFC 6455 section 5.3).
fn masked(mut frame: Frame, compressed: bool) -> Vec<u8> {
    let random = uuid::Uuid::new_v4().into_bytes();
    let header = frame.header_mut();
    header.rsv1 = compressed;
    header.mask = Some([random[0], random[1], random[2], random[3]]);
    let mut out = Vec::new();
    // Writing to memory does not fail.
    let _ = frame.format(&mut out);
    out
}

impl Talk {
    fn new(mut stream: Tap<BoxIo>, granted: Option<Granted>) -> Self {
        let buffer = stream.take_back();
        Self { stream, inflater: granted.map(Inflater::new), buffer, begun: None }
    }

    async fn through<S: Future>(
        &mut self,
        limit: Duration,
        silence: impl FnOnce(Instant) -> S,
    ) -> Result<FramesSeen, Failure> {
        let compressed = self.inflater.is_some();
        let payload = if compressed { deflated(TEXT) } else { TEXT.to_vec() };
        let bytes = payload.len() as u64;
        let mut message = MessageSent { compressed, bytes, passed_ms: None };
        let (mut pong_ms, mut received) = (None, Vec::new());
        let sent = Instant::now();
        let out = [
            masked(Frame::ping(BEFORE), false),
            masked(Frame::message(payload, OpCode::Data(Data::Text), true), compressed),
            masked(Frame::ping(AFTER), false),
        ]
        .concat();
        let mut until = sent + limit;
        let mut answered = false;
        // What cannot be sent may have been answered already: reading tells the end.
        let _ = tokio::time::timeout_at(until, self.send(&out)).await;
        // As long as the twin's Ping waits.
        let silence = silence(sent);
        tokio::pin!(silence);
        let ending = loop {
            let read_past = message.passed_ms.is_some();
            let heard = tokio::select! {
                biased;
                heard = self.next(&mut received) => heard,
                _ = &mut silence, if !read_past => break Ending::new(EndedBy::Silence),
                () = sleep_until(until), if read_past => break Ending::new(EndedBy::StillOpen),
            };
            // Where frames never stop, timers have to wait for them.
            if Instant::now() > until + CLOSING {
                break Ending::new(EndedBy::Silence);
            }
            match heard? {
                Heard::Pong(of) if of == BEFORE && pong_ms.is_none() => {
                    pong_ms = Some(millis(sent.elapsed()));
                }
                Heard::Pong(of) if of == AFTER && message.passed_ms.is_none() => {
                    message.passed_ms = Some(millis(sent.elapsed()));
                    // The second answers for the first as well (RFC 6455 section 5.5.3).
                    pong_ms = pong_ms.or(message.passed_ms);
                    until = until.min(Instant::now() + ANSWER);
                }
                Heard::Message => answered = true,
                Heard::Pong(_) | Heard::Other => {}
                Heard::Closed(ending) => break ending,
            }
            if message.passed_ms.is_some() && (answered || !compressed) {
                break Ending::new(EndedBy::StillOpen);
            }
        };
        Ok(FramesSeen { pong_ms, received, ending, message: Some(message) })
    }

    async fn send(&mut self, bytes: &[u8]) -> std::io::Result<()> {
        self.stream.write_all(bytes).await?;
        self.stream.flush().await
    }

    /// The next frame; recorded, if there is room. May be dropped and called again.
    async fn next(&mut self, received: &mut Vec<FrameSeen>) -> Result<Heard, Failure> {
        loop {
            let mut cursor = Cursor::new(&self.buffer[..]);
            let header = match FrameHeader::parse(&mut cursor) {
                Ok(header) => header,
                Err(error) => return Ok(Heard::Closed(garbled(error.to_string()))),
            };
            if let Some((header, length)) = header {
                if let Some(why) = not_allowed(&header, length) {
                    return Ok(Heard::Closed(garbled(why)));
                }
                let start = usize::try_from(cursor.position()).unwrap_or_default();
                let end = start + usize::try_from(length).unwrap_or(MESSAGE_LIMIT);
                if self.buffer.len() >= end {
                    let payload = self.buffer[start..end].to_vec();
                    self.buffer.drain(..end);
                    return Ok(self.frame(&header, payload, received).await);
                }
            }
            if self.stream.handle().received() > BYTES_LIMIT {
                let detail = "more came than one connection may send";
                return Err(Failure::new(Operation::Frames, FailureKind::TooMuchData, detail));
            }
            let mut chunk = [0; 4096];
            match self.stream.read(&mut chunk).await {
                Ok(count @ 1..) => self.buffer.extend_from_slice(&chunk[..count]),
                Ok(0) | Err(_) => {
                    let ended = self.stream.handle().ended();
                    return Ok(Heard::Closed(ended.unwrap_or_else(|| Ending::new(EndedBy::Fin))));
                }
            }
        }
    }

    async fn frame(
        &mut self,
        header: &FrameHeader,
        payload: Vec<u8>,
        received: &mut Vec<FrameSeen>,
    ) -> Heard {
        if received.len() < FRAMES_KEPT {
            let opcode = match header.opcode {
                OpCode::Data(Data::Text) => "text",
                OpCode::Data(Data::Binary) => "binary",
                OpCode::Data(_) => "continuation",
                OpCode::Control(Control::Ping) => "ping",
                OpCode::Control(Control::Pong) => "pong",
                OpCode::Control(_) => "close",
            };
            let (bytes, compressed) = (payload.len() as u64, header.rsv1);
            received.push(FrameSeen { opcode: opcode.to_owned(), bytes, compressed });
        }
        if header.rsv1 && self.inflater.is_none() {
            return Heard::Closed(garbled(
                "a compressed frame (RSV1), though the 101 grants no compression",
            ));
        }
        match header.opcode {
            OpCode::Control(Control::Pong) => Heard::Pong(payload),
            OpCode::Control(Control::Ping) => {
                let pong = masked(Frame::pong(payload), false);
                let _ = self.send(&pong).await;
                Heard::Other
            }
            OpCode::Control(_) => Heard::Closed(self.closed(&payload).await),
            OpCode::Data(kind) => {
                let begun = match (kind, self.begun.take()) {
                    (Data::Continue, Some((kind, compressed, mut before))) if !header.rsv1 => {
                        before.extend(payload);
                        (kind, compressed, before)
                    }
                    (Data::Text | Data::Binary, None) => (kind, header.rsv1, payload),
                    _ => return Heard::Closed(garbled("frames of a message out of order")),
                };
                if begun.2.len() > MESSAGE_LIMIT {
                    return Heard::Closed(garbled("a message beyond the limit"));
                }
                if header.is_final {
                    return self.whole(begun);
                }
                self.begun = Some(begun);
                Heard::Other
            }
        }
    }

    fn whole(&mut self, (kind, compressed, payload): (Data, bool, Vec<u8>)) -> Heard {
        let payload = match &mut self.inflater {
            Some(inflater) if compressed => inflater.message(&payload, MESSAGE_LIMIT),
            _ => Some(payload),
        };
        match payload {
            None => Heard::Closed(garbled("a compressed message that does not inflate")),
            Some(text) if kind == Data::Text && std::str::from_utf8(&text).is_err() => {
                Heard::Closed(garbled("a text message that is not UTF-8"))
            }
            Some(_) => Heard::Message,
        }
    }

    /// After the peer's close frame: the end of the stream is worth a moment,
    /// since it tells about close_notify.
    async fn closed(&mut self, payload: &[u8]) -> Ending {
        let code = payload.first_chunk().map(|code| u16::from_be_bytes(*code));
        let reason = String::from_utf8_lossy(payload.get(2..).unwrap_or_default()).into_owned();
        self.close_and_watch().await;
        Ending {
            how: EndedBy::CloseFrame,
            close_notify: self.stream.handle().ended().and_then(|end| end.close_notify),
            close_code: code,
            detail: Some(reason).filter(|reason| !reason.is_empty()),
        }
    }

    /// Says goodbye and goes, as [`super::ws::Socket::close`] does.
    async fn leave(&mut self) {
        let close = masked(Frame::close(None), false);
        let _ = tokio::time::timeout(CLOSING, self.send(&close)).await;
    }

    /// Answers the peer's close frame, and waits a moment for the stream's end.
    async fn close_and_watch(&mut self) {
        let close = masked(Frame::close(None), false);
        let _ = tokio::time::timeout(CLOSING, async {
            self.send(&close).await?;
            let mut rest = [0; 4096];
            let mut total = 0;
            while let count @ 1.. = self.stream.read(&mut rest).await? {
                total += count;
                if total > MESSAGE_LIMIT {
                    break;
                }
            }
            std::io::Result::Ok(())
        })
        .await;
    }
}

/// What a server must not send (RFC 6455 sections 5.1, 5.2 and 5.5), and what
/// is more than is taken in.
fn not_allowed(header: &FrameHeader, length: u64) -> Option<&'static str> {
    let control = matches!(header.opcode, OpCode::Control(_));
    if header.rsv2 || header.rsv3 || (control && header.rsv1) {
        Some("reserved bits are set")
    } else if header.mask.is_some() {
        Some("a server's frame is masked")
    } else if control && (length > 125 || !header.is_final) {
        Some("a control frame that is too long, or in pieces")
    } else if length > MESSAGE_LIMIT as u64 {
        Some("a frame beyond the limit")
    } else {
        None
    }
}
