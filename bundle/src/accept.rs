//! The key of a WebSocket handshake and what a server must answer to it
//! (RFC 6455 sections 4.1 and 4.2.2).

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use sha1::{Digest as _, Sha1};

const GUID: &str = "258EAFA5-E914-47DA-95CA-C5AB0DC85B11";

/// `Sec-WebSocket-Accept` for a `Sec-WebSocket-Key`.
#[must_use]
pub fn accept(key: &str) -> String {
    STANDARD.encode(Sha1::digest(format!("{}{GUID}", key.trim())))
}

/// How the accept of an answer fits the key that was sent.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Fit {
    /// It is the one that the key asks for: nobody can compute it without the key.
    Right,
    /// It is another key's.
    Another,
    /// There is none.
    Missing,
    /// No key is known, so that any fits.
    Untold,
}

/// How the accept that was given fits the one that the key asks for.
#[must_use]
pub fn fit(wanted: Option<&str>, given: Option<&str>) -> Fit {
    match (wanted, given) {
        (None, _) => Fit::Untold,
        (Some(_), None) => Fit::Missing,
        (Some(wanted), Some(given)) if given.trim() == wanted => Fit::Right,
        (Some(_), Some(_)) => Fit::Another,
    }
}

/// Whether it is a key: 16 bytes in base64.
#[must_use]
pub fn is_key(key: &str) -> bool {
    STANDARD.decode(key.trim()).is_ok_and(|bytes| bytes.len() == 16)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_accept_fits_its_key_alone() {
        let own = accept("dGhlIHNhbXBsZSBub25jZQ==");
        assert_eq!(fit(Some(&own), Some(&format!(" {own} "))), Fit::Right);
        assert_eq!(fit(Some(&own), Some(&accept("AAAAAAAAAAAAAAAAAAAAAA=="))), Fit::Another);
        assert_eq!(fit(Some(&own), None), Fit::Missing);
        assert_eq!(fit(None, Some("whatever")), Fit::Untold);
    }

    #[test]
    fn as_the_rfc_has_it() {
        assert_eq!(accept("dGhlIHNhbXBsZSBub25jZQ=="), "s3pPLMBiTxaQ9kYGzzhZRbK+xOo=");
        assert!(is_key("dGhlIHNhbXBsZSBub25jZQ=="));
        assert!(
            !is_key("SGVsbG8sIHdvcmxkIQ==") && !is_key("x3JJHMbDL1EzLkh9GBhXDw") && !is_key("")
        );
    }
}
