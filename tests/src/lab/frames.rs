//! A hop that reads frames and knows no extension (RFC 7692).

use super::config::CutBy;
use super::wire::Conn;
use std::io::{self, Cursor};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio_tungstenite::tungstenite::protocol::frame::FrameHeader;

/// The longest header there is.
const HEADER: usize = 14;

/// What becomes of a frame with RSV1.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Compressed {
    /// Both connections are closed.
    Close,
    /// It goes on without the bit.
    Clear,
}

/// One direction: what has come, and how much of a payload is still to come.
#[derive(Default)]
struct Direction {
    early: Vec<u8>,
    rest: u64,
}

impl Direction {
    /// What goes on of what has come; `None` when it is to be closed.
    fn pass(&mut self, bytes: &[u8], compressed: Compressed) -> io::Result<Option<Vec<u8>>> {
        self.early.extend_from_slice(bytes);
        let mut out = Vec::new();
        loop {
            let count = usize::try_from(self.rest).unwrap_or(usize::MAX).min(self.early.len());
            out.extend(self.early.drain(..count));
            self.rest -= count as u64;
            if self.rest > 0 || self.early.is_empty() {
                return Ok(Some(out));
            }
            let mut cursor = Cursor::new(&self.early[..self.early.len().min(HEADER)]);
            let Some((mut header, length)) =
                FrameHeader::parse(&mut cursor).map_err(io::Error::other)?
            else {
                return Ok(Some(out));
            };
            let size = usize::try_from(cursor.position()).unwrap_or_default();
            if header.rsv1 && compressed == Compressed::Close {
                return Ok(None);
            }
            header.rsv1 = false;
            header.format(length, &mut out).map_err(io::Error::other)?;
            self.early.drain(..size);
            self.rest = length;
        }
    }
}

/// Ties a client to its server, frame by frame, until one of them goes.
pub(crate) async fn relay(mut client: Conn, mut server: Conn, compressed: Compressed) {
    let (mut up, mut down) = (Direction::default(), Direction::default());
    let (mut from_client, mut from_server) = ([0; 4096], [0; 4096]);
    loop {
        let goes_on = tokio::select! {
            read = client.read(&mut from_client) => {
                pass(read, &from_client, &mut up, &mut server, compressed).await
            }
            read = server.read(&mut from_server) => {
                pass(read, &from_server, &mut down, &mut client, compressed).await
            }
        };
        if !matches!(goes_on, Ok(true)) {
            break;
        }
    }
    tokio::join!(client.end(CutBy::Fin), server.end(CutBy::Fin));
}

async fn pass(
    read: io::Result<usize>,
    bytes: &[u8],
    direction: &mut Direction,
    to: &mut Conn,
    compressed: Compressed,
) -> io::Result<bool> {
    let count = read?;
    if count == 0 {
        return Ok(false);
    }
    let Some(out) = direction.pass(&bytes[..count], compressed)? else { return Ok(false) };
    to.write_all(&out).await?;
    to.flush().await?;
    Ok(true)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn frames_go_on_byte_by_byte_without_the_bit() {
        // A Ping, a compressed text, a text.
        let frames = [&[0x89, 2, 1, 2][..], &[0xc1, 3, 7, 8, 9], &[0x81, 1, b'x']].concat();
        let mut whole = Direction::default();
        let expected = [&[0x89, 2, 1, 2][..], &[0x81, 3, 7, 8, 9], &[0x81, 1, b'x']].concat();
        assert_eq!(whole.pass(&frames, Compressed::Clear).unwrap().unwrap(), expected);
        let (mut single, mut out) = (Direction::default(), Vec::new());
        for byte in &frames {
            out.extend(single.pass(&[*byte], Compressed::Clear).unwrap().unwrap());
        }
        assert_eq!(out, expected);
        let mut closes = Direction::default();
        assert_eq!(closes.pass(&frames[..4], Compressed::Close).unwrap().unwrap(), &frames[..4]);
        assert_eq!(closes.pass(&frames[4..], Compressed::Close).unwrap(), None);
    }
}
