//! Bytes as received, and the head of an HTTP response.
//!
//! Order, case and exact bytes of header lines tell which device wrote a
//! response, so a parsed header map is not enough: the raw head is kept and
//! parsed views are made from it.

use base64::Engine as _;
use serde::{Deserialize, Deserializer, Serialize, Serializer};
use std::borrow::Cow;

/// Bytes from the network: a JSON string where they are UTF-8, otherwise
/// `{"base64": "…"}`, so that nothing is lost.
#[derive(Clone, PartialEq, Eq, Default)]
pub struct Bytes(pub Vec<u8>);

impl Bytes {
    /// The text, with invalid UTF-8 replaced.
    #[must_use]
    pub fn text(&self) -> Cow<'_, str> {
        String::from_utf8_lossy(&self.0)
    }

    /// Whether there is nothing.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// How many bytes.
    #[must_use]
    pub fn len(&self) -> usize {
        self.0.len()
    }
}

impl std::fmt::Debug for Bytes {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "b{:?}", self.text())
    }
}

impl From<&str> for Bytes {
    fn from(text: &str) -> Self {
        Self(text.as_bytes().to_vec())
    }
}

impl From<Vec<u8>> for Bytes {
    fn from(bytes: Vec<u8>) -> Self {
        Self(bytes)
    }
}

#[derive(Serialize, Deserialize)]
#[serde(untagged)]
enum Wire<'a> {
    Text(Cow<'a, str>),
    Base64 { base64: Cow<'a, str> },
}

impl Serialize for Bytes {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match std::str::from_utf8(&self.0) {
            Ok(text) => Wire::Text(text.into()),
            Err(_) => Wire::Base64 {
                base64: base64::engine::general_purpose::STANDARD.encode(&self.0).into(),
            },
        }
        .serialize(serializer)
    }
}

impl<'de> Deserialize<'de> for Bytes {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        match Wire::deserialize(deserializer)? {
            Wire::Text(text) => Ok(Self(text.into_owned().into_bytes())),
            Wire::Base64 { base64 } => base64::engine::general_purpose::STANDARD
                .decode(base64.as_bytes())
                .map(Self)
                .map_err(serde::de::Error::custom),
        }
    }
}

/// The head of an HTTP/1.x response: everything up to and including the empty
/// line, byte for byte as received.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ResponseHead {
    /// The bytes.
    pub raw: Bytes,
}

impl ResponseHead {
    /// Wraps raw bytes; views are tolerant, so nothing is rejected here.
    pub fn new(raw: impl Into<Vec<u8>>) -> Self {
        Self { raw: Bytes(raw.into()) }
    }

    /// The status line without its line end (empty when there is none).
    #[must_use]
    pub fn status_line(&self) -> String {
        self.raw.text().lines().next().unwrap_or_default().trim_end_matches('\r').to_owned()
    }

    /// The status code, when the first line has one.
    #[must_use]
    pub fn status(&self) -> Option<u16> {
        let line = self.status_line();
        if !line.starts_with("HTTP/") {
            return None;
        }
        line.split(' ').nth(1).and_then(|code| code.parse().ok())
    }

    /// `HTTP/1.1`, `HTTP/2` …
    #[must_use]
    pub fn version(&self) -> String {
        self.status_line().split(' ').next().unwrap_or_default().to_owned()
    }

    /// Header names and values in order, names in the case received.
    ///
    /// Folded lines (obsolete, RFC 9112 section 5.2) are joined to the line before.
    #[must_use]
    pub fn headers(&self) -> Vec<(String, String)> {
        let text = self.raw.text();
        let mut out: Vec<(String, String)> = Vec::new();
        for line in text.split('\n').skip(1) {
            let line = line.trim_end_matches('\r');
            if line.is_empty() {
                break;
            }
            if line.starts_with([' ', '\t']) {
                if let Some((_, value)) = out.last_mut() {
                    value.push(' ');
                    value.push_str(line.trim());
                }
                continue;
            }
            // HTTP/2's pseudo-headers (RFC 9113 section 8.3) begin with a colon.
            let from = usize::from(line.starts_with(':'));
            let colon = line[from..].find(':').map(|at| at + from);
            let (name, value) = colon.map_or((line, ""), |at| (&line[..at], &line[at + 1..]));
            out.push((name.trim_end().to_owned(), value.trim().to_owned()));
        }
        out
    }

    /// The first value of a header, by case-insensitive name.
    #[must_use]
    pub fn header(&self, name: &str) -> Option<String> {
        self.headers().into_iter().find(|(n, _)| n.eq_ignore_ascii_case(name)).map(|(_, v)| v)
    }

    /// Whether a comma-separated header contains a token (case-insensitive).
    #[must_use]
    pub fn has_token(&self, name: &str, token: &str) -> bool {
        self.headers()
            .iter()
            .filter(|(n, _)| n.eq_ignore_ascii_case(name))
            .flat_map(|(_, v)| v.split(','))
            .any(|t| t.trim().eq_ignore_ascii_case(token))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bytes_survive_json() {
        for raw in [&b"plain"[..], b"\xff\xfe", b""] {
            let json = serde_json::to_string(&Bytes(raw.to_vec())).unwrap();
            assert_eq!(serde_json::from_str::<Bytes>(&json).unwrap().0, raw);
        }
    }

    #[test]
    fn head_keeps_order_and_case() {
        let head = ResponseHead::new(
            "HTTP/1.1 101 \r\nupgrade: websocket\r\nConnection: keep-alive, Upgrade\r\nX: a\r\n b\r\n\r\n",
        );
        assert_eq!(head.status(), Some(101));
        assert_eq!(head.status_line(), "HTTP/1.1 101 ");
        assert_eq!(head.headers()[0].0, "upgrade");
        assert_eq!(head.headers()[2].1, "a b");
        assert!(head.has_token("connection", "upgrade"));
    }
}
