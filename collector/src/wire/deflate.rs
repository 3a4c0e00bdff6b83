//! permessage-deflate (RFC 7692): what is offered, what was granted, and
//! messages in and out of their compressed form.

use flate2::{Compress, Compression, Decompress, FlushCompress, FlushDecompress, Status};
use wss_bundle::ResponseHead;

/// What Chrome, Edge and Safari offer; Firefox leaves the parameter out.
pub const OFFER: &str = "permessage-deflate; client_max_window_bits";
/// The end of every compressed message, which is not sent (section 7.2.1).
const TAIL: [u8; 4] = [0, 0, 0xff, 0xff];
/// Bytes inflated at a time.
const CHUNK: usize = 4096;

/// What a 101 grants.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Granted {
    /// `server_no_context_takeover`: each message stands alone.
    fresh: bool,
}

/// Whether a 101 grants compression.
#[must_use]
pub fn granted(head: &ResponseHead) -> Option<Granted> {
    let headers = head.headers();
    headers
        .iter()
        .filter(|(name, _)| name.eq_ignore_ascii_case("sec-websocket-extensions"))
        .flat_map(|(_, value)| value.split(','))
        .find_map(|extension| {
            let mut parts = extension.split(';').map(str::trim);
            let name = parts.next()?;
            let fresh = parts.any(|p| p.eq_ignore_ascii_case("server_no_context_takeover"));
            name.eq_ignore_ascii_case("permessage-deflate").then_some(Granted { fresh })
        })
}

/// A message's payload, compressed. It refers to nothing but itself, so that it
/// is valid for every window that a server may ask for, short as it is.
#[must_use]
pub fn deflated(message: &[u8]) -> Vec<u8> {
    let mut out = Vec::with_capacity(message.len() + 64);
    let mut deflate = Compress::new(Compression::fast(), false);
    let _ = deflate.compress_vec(message, &mut out, FlushCompress::Sync);
    out.truncate(out.len() - if out.ends_with(&TAIL) { TAIL.len() } else { 0 });
    out
}

/// Takes a server's messages out of their compressed form.
#[derive(Debug)]
pub struct Inflater {
    inflate: Decompress,
    fresh: bool,
}

impl Inflater {
    /// For what was granted.
    #[must_use]
    pub fn new(granted: Granted) -> Self {
        Self { inflate: Decompress::new(false), fresh: granted.fresh }
    }

    /// A message, at most `limit` bytes of it; `None` when it is no deflated data.
    pub fn message(&mut self, payload: &[u8], limit: usize) -> Option<Vec<u8>> {
        if self.fresh {
            self.inflate.reset(false);
        }
        let whole = [payload, &TAIL].concat();
        let before = self.inflate.total_in();
        let mut out = Vec::new();
        loop {
            let read = usize::try_from(self.inflate.total_in() - before).ok()?;
            out.reserve(CHUNK);
            let produced = out.len();
            let rest = whole.get(read..).unwrap_or_default();
            let status = self.inflate.decompress_vec(rest, &mut out, FlushDecompress::Sync).ok()?;
            if out.len() > limit {
                out.truncate(limit);
                return Some(out);
            }
            let all_read = self.inflate.total_in() - before >= whole.len() as u64;
            let still = out.len() == produced
                && self.inflate.total_in() - before == u64::try_from(read).ok()?;
            match status {
                // A last block ends the stream; the next message begins another.
                Status::StreamEnd => {
                    self.inflate.reset(false);
                    return Some(out);
                }
                _ if all_read && out.len() < out.capacity() => return Some(out),
                _ if still => return None,
                _ => {}
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const PLAIN: Granted = Granted { fresh: false };

    /// Section 7.2.3: the examples of the standard.
    #[test]
    fn the_standards_examples() {
        let hello = [0xf2, 0x48, 0xcd, 0xc9, 0xc9, 0x07, 0x00];
        let again = [0xf2, 0x00, 0x11, 0x00, 0x00];
        let mut shared = Inflater::new(PLAIN);
        assert_eq!(shared.message(&hello, 100).unwrap(), b"Hello");
        assert_eq!(shared.message(&again, 100).unwrap(), b"Hello");
        let mut fresh = Inflater::new(Granted { fresh: true });
        assert_eq!(fresh.message(&hello, 100).unwrap(), b"Hello");
        assert_eq!(fresh.message(&hello, 100).unwrap(), b"Hello");
        // Not compressed within; a last block; two blocks; nothing at all.
        for (bytes, text) in [
            (&[0x00, 0x05, 0x00, 0xfa, 0xff, 0x48, 0x65, 0x6c, 0x6c, 0x6f, 0x00][..], "Hello"),
            (&[0xf3, 0x48, 0xcd, 0xc9, 0xc9, 0x07, 0x00, 0x00], "Hello"),
            (
                &[0xf2, 0x48, 0x05, 0x00, 0x00, 0x00, 0xff, 0xff, 0xca, 0xc9, 0xc9, 0x07, 0x00],
                "Hello",
            ),
            (&[0x00], ""),
        ] {
            let inflated = Inflater::new(PLAIN).message(bytes, 100).unwrap();
            assert_eq!(String::from_utf8(inflated).unwrap(), text, "{bytes:x?}");
        }
    }

    #[test]
    fn there_and_back() {
        for message in [&b"{\"type\":\"connection_init\"}"[..], b"", &[b'x'; 50_000]] {
            let sent = deflated(message);
            assert!(!sent.ends_with(&TAIL));
            assert_eq!(Inflater::new(PLAIN).message(&sent, 100_000).unwrap(), message);
        }
    }

    #[test]
    fn what_is_not_deflated_is_none_and_a_bomb_is_bounded() {
        assert_eq!(Inflater::new(PLAIN).message(b"{\"type\":\"connection_ack\"}", 1000), None);
        assert_eq!(Inflater::new(PLAIN).message(&[0xff; 40], 1000), None);
        let bomb = deflated(&vec![0; 10 * 1024 * 1024]);
        assert_eq!(Inflater::new(PLAIN).message(&bomb, 1000).unwrap().len(), 1000);
    }

    #[test]
    fn what_a_101_grants() {
        let of =
            |lines: &str| granted(&ResponseHead::new(format!("HTTP/1.1 101 x\r\n{lines}\r\n\r\n")));
        assert_eq!(of("Upgrade: websocket"), None);
        assert_eq!(of("sec-websocket-extensions: permessage-deflate"), Some(PLAIN));
        assert_eq!(
            of("Sec-WebSocket-Extensions: x-other, Permessage-Deflate; \
                server_no_context_takeover; client_no_context_takeover"),
            Some(Granted { fresh: true })
        );
        assert_eq!(of("Sec-WebSocket-Extensions: x-webkit-deflate-frame"), None);
    }
}
