//! Servers that keep to no rule of HTTP/2 (RFC 9113), frame by frame. Whoever
//! speaks HTTP/1.1 to them is served as by a good one.

use super::server::Stream;
use std::io;
use tokio::io::{AsyncReadExt, AsyncWriteExt};

/// What is done once the client's first request has come.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[allow(missing_docs, reason = "their names say it")]
pub enum Flood {
    /// 400 to every request.
    Healthy,
    Silence,
    Garbage,
    Pings,
    Settings,
    /// A header block that never ends, of fields.
    Continuation,
    /// The same, of frames without a byte (CVE-2024-27316 and its kin).
    EmptyContinuation,
    GiantFrame,
    /// A small block that stands for megabytes (RFC 7541).
    HeaderBomb,
    /// Every request is reset at once, and again.
    Resets,
    /// No stream may send a byte, nor be opened.
    ZeroWindow,
    /// DATA beyond every window.
    EndlessData,
    /// DATA without a byte (CVE-2019-9518).
    EmptyData,
    Interim,
    GoAways,
    Pushes,
    WindowUpdates,
    UnknownFrames,
    /// A body that gzip makes large.
    GzipBomb,
}

impl Flood {
    /// All of them but [`Flood::Healthy`].
    pub const HOSTILE: [Self; 18] = [
        Self::Silence,
        Self::Garbage,
        Self::Pings,
        Self::Settings,
        Self::Continuation,
        Self::EmptyContinuation,
        Self::GiantFrame,
        Self::HeaderBomb,
        Self::Resets,
        Self::ZeroWindow,
        Self::EndlessData,
        Self::EmptyData,
        Self::Interim,
        Self::GoAways,
        Self::Pushes,
        Self::WindowUpdates,
        Self::UnknownFrames,
        Self::GzipBomb,
    ];
}

const DATA: u8 = 0;
const HEADERS: u8 = 1;
const RST_STREAM: u8 = 3;
const SETTINGS: u8 = 4;
const PUSH_PROMISE: u8 = 5;
const PING: u8 = 6;
const GOAWAY: u8 = 7;
const WINDOW_UPDATE: u8 = 8;
const CONTINUATION: u8 = 9;

const END_STREAM: u8 = 1;
const END_HEADERS: u8 = 4;

/// `:status` 200 and 400, by HPACK's static table; 103 as a literal.
const OK: &[u8] = &[0x88];
const BAD_REQUEST: &[u8] = &[0x8c];
const EARLY_HINTS: &[u8] = b"\x08\x03103";

fn frame(kind: u8, flags: u8, stream: u32, payload: &[u8]) -> Vec<u8> {
    let length = (payload.len() as u32).to_be_bytes();
    [&length[1..], &[kind, flags], &stream.to_be_bytes(), payload].concat()
}

/// Serves one connection on which h2 was agreed.
pub(super) async fn serve(flood: Flood, stream: impl Stream) -> io::Result<()> {
    let (mut reader, mut writer) = tokio::io::split(stream);
    let mut preface = [0; 24];
    reader.read_exact(&mut preface).await?;
    match flood {
        Flood::Silence => return drain(&mut reader).await,
        Flood::Garbage => {
            writer.write_all(&[0x99; 5000]).await?;
            return drain(&mut reader).await;
        }
        // INITIAL_WINDOW_SIZE and MAX_CONCURRENT_STREAMS are 0.
        Flood::ZeroWindow => {
            let settings = [0, 4, 0, 0, 0, 0, 0, 3, 0, 0, 0, 0];
            writer.write_all(&frame(SETTINGS, 0, 0, &settings)).await?;
            return drain(&mut reader).await;
        }
        _ => writer.write_all(&frame(SETTINGS, 0, 0, &[])).await?,
    }
    loop {
        let mut head = [0; 9];
        reader.read_exact(&mut head).await?;
        let length = u32::from_be_bytes([0, head[0], head[1], head[2]]);
        let (kind, flags) = (head[3], head[4]);
        let stream = u32::from_be_bytes([head[5], head[6], head[7], head[8]]);
        let mut payload = vec![0; length as usize];
        reader.read_exact(&mut payload).await?;
        match kind {
            SETTINGS if flags & 1 == 0 => writer.write_all(&frame(SETTINGS, 1, 0, &[])).await?,
            PING if flags & 1 == 0 => writer.write_all(&frame(PING, 1, 0, &payload)).await?,
            HEADERS if flood == Flood::Healthy => {
                let answer = frame(HEADERS, END_HEADERS | END_STREAM, stream, BAD_REQUEST);
                writer.write_all(&answer).await?;
            }
            HEADERS => {
                let (first, again) = bytes(flood, stream);
                // What the client answers must not keep it from reading.
                return tokio::select! {
                    sent = pour(&mut writer, &first, &again) => sent,
                    left = drain(&mut reader) => left,
                };
            }
            _ => {}
        }
    }
}

async fn drain(reader: &mut (impl AsyncReadExt + Unpin)) -> io::Result<()> {
    let mut sink = [0; 16 << 10];
    while reader.read(&mut sink).await? > 0 {}
    Ok(())
}

async fn pour(
    writer: &mut (impl AsyncWriteExt + Unpin),
    first: &[u8],
    again: &[u8],
) -> io::Result<()> {
    writer.write_all(first).await?;
    writer.flush().await?;
    if again.is_empty() {
        return std::future::pending().await;
    }
    loop {
        writer.write_all(again).await?;
        tokio::task::consume_budget().await;
    }
}

/// What is sent once, and what again and again.
fn bytes(flood: Flood, stream: u32) -> (Vec<u8>, Vec<u8>) {
    let head = |flags: u8, block: &[u8]| frame(HEADERS, flags, stream, block);
    // A literal field without a place in the table (RFC 7541 section 6.2.2).
    let field = [&b"\x00\x06x-more\x7f\x81\x01"[..], &[b'm'; 256]].concat();
    match flood {
        Flood::Pings => (Vec::new(), frame(PING, 0, 0, b"flooding").repeat(500)),
        Flood::Settings => (Vec::new(), frame(SETTINGS, 0, 0, &[0, 4, 0, 1, 0, 0]).repeat(500)),
        Flood::Continuation => (head(0, OK), frame(CONTINUATION, 0, stream, &field.repeat(50))),
        Flood::EmptyContinuation => (head(0, OK), frame(CONTINUATION, 0, stream, &[]).repeat(1000)),
        Flood::GiantFrame => {
            let mut giant = head(END_HEADERS, OK);
            giant.extend([0xff, 0xff, 0xff, DATA, 0]);
            giant.extend(stream.to_be_bytes());
            (giant, vec![b'x'; 8192])
        }
        Flood::HeaderBomb => {
            // One field of 4000 bytes into the table, and 15,000 times out of it.
            let mut block = OK.to_vec();
            block.extend(b"\x40\x01b\x7f\xa1\x1e");
            block.extend([b'B'; 4000]);
            let rest = vec![0xbe; 12_000];
            let end = frame(CONTINUATION, END_HEADERS, stream, &rest);
            ([head(END_STREAM, &block), end].concat(), Vec::new())
        }
        Flood::Resets => {
            let reset = frame(RST_STREAM, 0, stream, &[0, 0, 0, 8]);
            (reset.clone(), reset.repeat(500))
        }
        Flood::EndlessData => (head(END_HEADERS, OK), frame(DATA, 0, stream, &[b'x'; 16_000])),
        Flood::EmptyData => (head(END_HEADERS, OK), frame(DATA, 0, stream, &[]).repeat(1000)),
        Flood::Interim => (Vec::new(), head(END_HEADERS, EARLY_HINTS).repeat(500)),
        Flood::GoAways => (Vec::new(), frame(GOAWAY, 0, 0, &[0, 0, 0, 1, 0, 0, 0, 11]).repeat(500)),
        Flood::Pushes => {
            let pushed = [&2_u32.to_be_bytes()[..], OK].concat();
            (Vec::new(), frame(PUSH_PROMISE, END_HEADERS, stream, &pushed).repeat(500))
        }
        Flood::WindowUpdates => {
            (Vec::new(), frame(WINDOW_UPDATE, 0, 0, &[0x7f, 0xff, 0xff, 0xff]).repeat(500))
        }
        Flood::UnknownFrames => (Vec::new(), frame(0x7f, 0, 0, &[0; 4000]).repeat(10)),
        Flood::GzipBomb => {
            // content-encoding by its index in the static table.
            let block = [OK, b"\x0f\x0b\x04gzip"].concat();
            let mut all = head(END_HEADERS, &block);
            let bomb = super::server::gzip_zeros();
            for part in bomb.chunks(16_000) {
                all.extend(frame(DATA, 0, stream, part));
            }
            all.extend(frame(DATA, END_STREAM, stream, &[]));
            (all, Vec::new())
        }
        Flood::Healthy | Flood::Silence | Flood::Garbage | Flood::ZeroWindow => {
            (Vec::new(), Vec::new())
        }
    }
}
