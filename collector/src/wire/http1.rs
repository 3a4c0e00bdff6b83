//! HTTP/1.x responses, byte for byte: order and case of header lines tell
//! which device wrote them. Everything is bounded.

use super::tap::Tap;
use super::{BoxIo, classify, millis};
use std::time::Duration;
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWriteExt};
use tokio::time::Instant;
use wss_bundle::observation::{Body, EndedBy, Ending, HttpReply};
use wss_bundle::{Bytes, Failure, FailureKind, Operation, ResponseHead};

/// All heads of one response together.
pub(super) const HEAD_LIMIT: usize = 64 * 1024;
/// Interim responses before the final one.
const INTERIM_LIMIT: usize = 100;
/// Interim responses kept.
const INTERIM_KEPT: usize = 8;
/// Bytes of a body that are read.
const BODY_LIMIT: u64 = 1024 * 1024;
/// Bytes of a body that are kept.
const BODY_KEPT: usize = 64 * 1024;
/// Bytes kept of a body that came with 200: a page, of which the beginning
/// tells which one it is.
const PAGE_KEPT: usize = 4 * 1024;
/// How long to wait for more of what is no HTTP anyway.
const GARBAGE_WAIT: Duration = Duration::from_millis(200);

/// How the exchange is to be done.
#[derive(Debug, Clone, Copy)]
pub struct Exchange {
    /// When reading of the body stops; what came until then is kept.
    pub body_until: Instant,
    /// How long to watch a connection that was announced to close.
    pub watch_end: Duration,
    /// Whether a 2xx has no body, as that to CONNECT (RFC 9110 section 9.3.6).
    pub connect: bool,
}

/// A response, and whether the connection can take another request.
#[derive(Debug)]
pub struct Answer {
    /// What is recorded.
    pub reply: HttpReply,
    /// Whether the connection is free for another request.
    pub reusable: bool,
}

fn read_failure(kind: FailureKind, detail: impl Into<String>, received: &[u8]) -> Failure {
    let kept = &received[..received.len().min(HEAD_LIMIT)];
    let failure = Failure::new(Operation::Read, kind, detail);
    if kept.is_empty() { failure } else { failure.with_received(kept.to_vec()) }
}

/// Sends a request and reads the response to it. Bytes past a head that ends
/// HTTP (101, or 2xx to CONNECT) are put back into the stream.
///
/// # Errors
/// When no complete final head comes. A body that breaks off is no failure.
pub async fn exchange(
    stream: &mut Tap<BoxIo>,
    request: &[u8],
    how: Exchange,
) -> Result<Answer, Failure> {
    exchange_keeping(stream, request, how, None).await
}

/// The same, with `keep` bytes of the body kept, whatever the status.
///
/// # Errors
/// As [`exchange`].
pub async fn exchange_keeping(
    stream: &mut Tap<BoxIo>,
    request: &[u8],
    how: Exchange,
    keep: Option<usize>,
) -> Result<Answer, Failure> {
    let write = |error: std::io::Error| classify::io(Operation::Write, &error);
    stream.write_all(request).await.map_err(write)?;
    stream.flush().await.map_err(write)?;
    let sent = Instant::now();

    let mut buffer = Vec::new();
    let mut informational = Vec::new();
    let (mut interim, mut heads) = (0, 0);
    let mut first_byte = None;
    let head = loop {
        let (head, length) =
            read_head(stream, &mut buffer, HEAD_LIMIT - heads, &mut first_byte).await?;
        heads += length;
        match head.status() {
            Some(100 | 102..=199) => {
                interim += 1;
                if interim > INTERIM_LIMIT {
                    let detail = format!("more than {INTERIM_LIMIT} interim responses");
                    return Err(read_failure(FailureKind::TooMuchData, detail, &head.raw.0));
                }
                if informational.len() < INTERIM_KEPT {
                    informational.push(head);
                }
            }
            _ => break head,
        }
    };
    let first_byte_ms = first_byte.map_or(0.0, |at| millis(at.saturating_duration_since(sent)));
    let status = head.status().unwrap_or_default();
    if status == 101 || (how.connect && (200..300).contains(&status)) {
        stream.put_back(buffer);
        let body = Body::default();
        let reply = HttpReply { informational, head, body, first_byte_ms, ending: None };
        return Ok(Answer { reply, reusable: false });
    }
    let (body, complete) = read_body(stream, buffer, &head, how.body_until, keep).await;
    let closes = head.has_token("connection", "close")
        || (head.version() == "HTTP/1.0" && !head.has_token("connection", "keep-alive"));
    let mut ending = stream.handle().ended();
    if ending.is_none() && closes && !how.watch_end.is_zero() {
        ending = watch(stream, how.watch_end).await;
    }
    let reusable = complete && !closes && ending.is_none();
    let reply = HttpReply { informational, head, body, first_byte_ms, ending };
    Ok(Answer { reply, reusable })
}

/// Reads what still comes, to see how the connection ends.
async fn watch(stream: &mut Tap<BoxIo>, limit: Duration) -> Option<Ending> {
    let mut scratch = vec![0; 4096];
    let _ = tokio::time::timeout(limit, async {
        for _ in 0..64 {
            if !matches!(stream.read(&mut scratch).await, Ok(n) if n > 0) {
                break;
            }
        }
    })
    .await;
    Some(stream.handle().ended().unwrap_or_else(|| Ending::new(EndedBy::StillOpen)))
}

/// The length of the head at the beginning, empty line included.
fn head_length(bytes: &[u8]) -> Option<usize> {
    let mut from = 0;
    while let Some(at) = bytes[from..].iter().position(|&b| b == b'\n') {
        let next = from + at + 1;
        match &bytes[next..] {
            [b'\n', ..] => return Some(next + 1),
            [b'\r', b'\n', ..] => return Some(next + 2),
            _ => from = next,
        }
    }
    None
}

/// Whether the bytes are, or can still become, an HTTP/1.x status line.
fn plausible(bytes: &[u8]) -> bool {
    let fixed = b"HTTP/1.";
    let n = bytes.len().min(fixed.len());
    if bytes[..n] != fixed[..n] {
        return false;
    }
    let Some(line_end) = bytes.iter().position(|&b| b == b'\n') else { return true };
    let line = &bytes[fixed.len().min(line_end)..line_end];
    matches!(line, [b'0'..=b'9', b' ', a, b, c, rest @ ..]
        if [a, b, c].iter().all(|d| d.is_ascii_digit())
            && matches!(rest.first(), None | Some(b' ' | b'\r')))
}

/// Reads one head; gives what is kept of it, and how long it was.
pub(super) async fn read_head(
    stream: &mut (impl AsyncRead + Unpin),
    buffer: &mut Vec<u8>,
    limit: usize,
    first_byte: &mut Option<Instant>,
) -> Result<(ResponseHead, usize), Failure> {
    let mut searched = 0_usize;
    let mut chunk = vec![0; 8192];
    loop {
        if !plausible(buffer) {
            let _ = tokio::time::timeout(GARBAGE_WAIT, fill(stream, buffer)).await;
            return Err(read_failure(
                FailureKind::HttpMalformed,
                "what came back does not begin with an HTTP/1.x status line",
                buffer,
            ));
        }
        // Only what is new is searched (and the three bytes that may begin the end).
        let from = searched.saturating_sub(3);
        if let Some(length) = head_length(&buffer[from..]).map(|length| from + length) {
            if length > limit {
                return Err(too_large(buffer));
            }
            let rest = buffer.split_off(length);
            return Ok((ResponseHead::bounded(std::mem::replace(buffer, rest)), length));
        }
        if buffer.len() > limit {
            return Err(too_large(buffer));
        }
        searched = buffer.len();
        let had = buffer.len();
        match stream.read(&mut chunk).await {
            Ok(0) if had == 0 => {
                return Err(read_failure(FailureKind::Eof, "closed without a byte", &[]));
            }
            Ok(0) => {
                return Err(read_failure(FailureKind::Eof, "closed within the head", buffer));
            }
            Ok(n) => {
                first_byte.get_or_insert_with(Instant::now);
                buffer.extend_from_slice(&chunk[..n]);
            }
            Err(error) => {
                let failure = classify::io(Operation::Read, &error);
                return Err(read_failure(failure.kind, failure.detail, buffer));
            }
        }
    }
}

fn too_large(buffer: &[u8]) -> Failure {
    let detail = format!("the head is larger than {HEAD_LIMIT} bytes");
    read_failure(FailureKind::HttpHeadTooLarge, detail, buffer)
}

async fn fill(stream: &mut (impl AsyncRead + Unpin), buffer: &mut Vec<u8>) {
    let mut chunk = vec![0; 8192];
    while buffer.len() < HEAD_LIMIT {
        match stream.read(&mut chunk).await {
            Ok(n) if n > 0 => buffer.extend_from_slice(&chunk[..n]),
            _ => break,
        }
    }
}

/// How a body ends.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Framing {
    Length(u64),
    Chunked,
    UntilClose,
}

fn framing(head: &ResponseHead) -> Framing {
    if matches!(head.status(), Some(204 | 304)) {
        return Framing::Length(0);
    }
    if head.has_token("transfer-encoding", "chunked") {
        return Framing::Chunked;
    }
    match head.header("content-length").map(|value| value.parse()) {
        Some(Ok(length)) => Framing::Length(length),
        _ => Framing::UntilClose,
    }
}

/// Takes body bytes in as they come.
struct Keeper {
    kept: Vec<u8>,
    limit: usize,
    length: u64,
}

impl Keeper {
    fn take(&mut self, bytes: &[u8]) {
        let room = self.limit.saturating_sub(self.kept.len()).min(bytes.len());
        self.kept.extend_from_slice(&bytes[..room]);
        self.length += bytes.len() as u64;
    }
}

/// Reads the body; says whether it came to its end.
pub(super) async fn read_body(
    stream: &mut (impl AsyncRead + Unpin),
    mut buffer: Vec<u8>,
    head: &ResponseHead,
    until: Instant,
    keep: Option<usize>,
) -> (Body, bool) {
    let framing = framing(head);
    let limit = keep.unwrap_or(if head.status() == Some(200) { PAGE_KEPT } else { BODY_KEPT });
    let mut keeper = Keeper { kept: Vec::new(), limit, length: 0 };
    let mut chunks = Chunks::Size;
    let mut wire = buffer.len() as u64;
    let mut chunk = vec![0; 8192];
    let complete = loop {
        match framing {
            Framing::Length(length) => {
                let due = usize::try_from(length - keeper.length).unwrap_or(usize::MAX);
                keeper.take(&buffer[..buffer.len().min(due)]);
                buffer.clear();
                if keeper.length == length {
                    break true;
                }
            }
            Framing::Chunked => {
                if let Some(valid) = chunks.advance(&mut buffer, &mut keeper) {
                    break valid;
                }
            }
            Framing::UntilClose => {
                keeper.take(&buffer);
                buffer.clear();
            }
        }
        if wire >= BODY_LIMIT {
            break false;
        }
        match tokio::time::timeout_at(until, stream.read(&mut chunk)).await {
            Ok(Ok(n)) if n > 0 => {
                wire += n as u64;
                buffer.extend_from_slice(&chunk[..n]);
            }
            Ok(Ok(_)) => break framing == Framing::UntilClose,
            Ok(Err(_)) | Err(_) => break false,
        }
    };
    let truncated = !complete || keeper.length > keeper.kept.len() as u64;
    (Body { bytes: Bytes(keeper.kept), length: keeper.length, truncated }, complete)
}

/// Where in a chunked body we are (RFC 9112 section 7.1).
enum Chunks {
    Size,
    Data(u64),
    DataEnd,
    Trailer,
}

impl Chunks {
    /// Takes what is complete out of the buffer. `Some(true)` at the body's
    /// end, `Some(false)` when it is not valid, `None` when more must come.
    fn advance(&mut self, buffer: &mut Vec<u8>, keeper: &mut Keeper) -> Option<bool> {
        loop {
            if let Self::Data(due) = self {
                let n = usize::try_from(*due).unwrap_or(usize::MAX).min(buffer.len());
                keeper.take(&buffer[..n]);
                buffer.drain(..n);
                *due -= n as u64;
                if *due > 0 {
                    return None;
                }
                *self = Self::DataEnd;
            }
            let Some(end) = buffer.iter().position(|&b| b == b'\n') else {
                return (buffer.len() > 4096).then_some(false);
            };
            let line: Vec<u8> = buffer.drain(..=end).collect();
            let line = String::from_utf8_lossy(&line);
            let line = line.trim();
            *self = match self {
                Self::Size => {
                    let digits = line.split(';').next().unwrap_or_default().trim();
                    match u64::from_str_radix(digits, 16) {
                        Ok(0) => Self::Trailer,
                        Ok(size) => Self::Data(size),
                        Err(_) => return Some(false),
                    }
                }
                Self::DataEnd | Self::Data(_) if line.is_empty() => Self::Size,
                Self::DataEnd | Self::Data(_) => return Some(false),
                Self::Trailer if line.is_empty() => return Some(true),
                Self::Trailer => Self::Trailer,
            };
        }
    }
}
