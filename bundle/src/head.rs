//! Bytes as received, and the head of an HTTP response.
//!
//! Order, case and exact bytes of header lines tell which device wrote a
//! response, so a parsed header map is not enough: the raw head is kept and
//! parsed views are made from it.

use base64::Engine as _;
use serde::de::value::MapAccessDeserializer;
use serde::de::{Error, MapAccess, Visitor};
use serde::{Deserialize, Deserializer, Serialize, Serializer};
use std::borrow::Cow;
use std::fmt;

/// Bytes from the network: a JSON string where they are UTF-8, otherwise
/// `{"base64": "…"}`, so that nothing is lost.
#[derive(Clone, PartialEq, Eq, Default)]
pub struct Bytes(pub Vec<u8>);

impl Bytes {
    /// The text, with invalid UTF-8 replaced.
    #[must_use]
    pub fn text(&self) -> Cow<'_, str> {
        match std::str::from_utf8(&self.0) {
            Ok(text) => Cow::Borrowed(text),
            Err(_) => String::from_utf8_lossy(&self.0),
        }
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

/// What is not UTF-8, as JSON has it.
#[derive(Serialize, Deserialize)]
struct Encoded<'a> {
    #[serde(borrow)]
    base64: Cow<'a, str>,
}

impl Serialize for Bytes {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match std::str::from_utf8(&self.0) {
            Ok(text) => serializer.serialize_str(text),
            Err(_) => {
                let base64 = base64::engine::general_purpose::STANDARD.encode(&self.0).into();
                Encoded { base64 }.serialize(serializer)
            }
        }
    }
}

/// By hand, since bundles are mostly made of these: an untagged enum would copy
/// each text twice.
impl<'de> Deserialize<'de> for Bytes {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Either;
        impl<'de> Visitor<'de> for Either {
            type Value = Bytes;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a string, or an object with `base64`")
            }

            fn visit_str<E: Error>(self, text: &str) -> Result<Bytes, E> {
                Ok(Bytes(text.as_bytes().to_vec()))
            }

            fn visit_string<E: Error>(self, text: String) -> Result<Bytes, E> {
                Ok(Bytes(text.into_bytes()))
            }

            fn visit_map<A: MapAccess<'de>>(self, map: A) -> Result<Bytes, A::Error> {
                let Encoded { base64 } = Encoded::deserialize(MapAccessDeserializer::new(map))?;
                let decoded = base64::engine::general_purpose::STANDARD.decode(base64.as_bytes());
                decoded.map(Bytes).map_err(Error::custom)
            }
        }
        deserializer.deserialize_any(Either)
    }
}

/// The head of an HTTP/1.x response: everything up to and including the empty
/// line, byte for byte as received.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ResponseHead {
    /// The bytes.
    pub raw: Bytes,
    /// Header lines that came and were left out (see [`ResponseHead::bounded`]).
    #[serde(default, skip_serializing_if = "is_zero")]
    pub left_out: u64,
}

#[allow(clippy::trivially_copy_pass_by_ref, reason = "serde gives a reference")]
fn is_zero(count: &u64) -> bool {
    *count == 0
}

/// Header lines kept of one head. Servers and proxies themselves take 100 or
/// so (Apache's `LimitRequestFields`, HAProxy's `tune.http.maxhdr`, Envoy's
/// `max_headers_count`): more is no device that anybody looks for.
pub const LINES_KEPT: usize = 256;
/// Lines kept behind those, of names in [`DECIDE`].
const MORE_KEPT: usize = 32;
/// What the end of a body, an upgrade, a redirect and a challenge are told by:
/// kept wherever it stands.
const DECIDE: [&[u8]; 9] = [
    b"connection",
    b"content-length",
    b"location",
    b"proxy-authenticate",
    b"sec-websocket-accept",
    b"sec-websocket-extensions",
    b"transfer-encoding",
    b"upgrade",
    b"www-authenticate",
];

/// The bytes of a response of which no more than [`LINES_KEPT`] header lines
/// are left (and those that decide), and how many were taken away. What stands
/// behind the head is not touched.
#[must_use]
pub fn bounded(raw: Vec<u8>) -> (Vec<u8>, u64) {
    let end = |line: &&[u8]| !matches!(line, [b'\n'] | [b'\r', b'\n']);
    let lines = || raw.split_inclusive(|byte| *byte == b'\n').take_while(end);
    // With the status line before them.
    if lines().nth(LINES_KEPT + 1).is_none() {
        return (raw, 0);
    }
    let (mut kept, mut at, mut more, mut left_out) = (Vec::new(), 0, 0, 0);
    for (number, line) in lines().enumerate() {
        at += line.len();
        let name = line.split(|byte| *byte == b':').next().unwrap_or_default().trim_ascii();
        let decides = || DECIDE.iter().any(|known| known.eq_ignore_ascii_case(name));
        if number <= LINES_KEPT {
            kept.extend_from_slice(line);
        } else if more < MORE_KEPT && decides() {
            kept.extend_from_slice(line);
            more += 1;
        } else {
            left_out += 1;
        }
    }
    kept.extend_from_slice(&raw[at..]);
    (kept, left_out)
}

impl ResponseHead {
    /// Wraps raw bytes; views are tolerant, so nothing is rejected here.
    pub fn new(raw: impl Into<Vec<u8>>) -> Self {
        Self { raw: Bytes(raw.into()), left_out: 0 }
    }

    /// The same, of bytes that came over the network: of thousands of header
    /// lines the first are kept, and those that decide, and how many were not
    /// stands in `left_out`. Each line costs many times its length where it is
    /// judged, cleaned and shown.
    #[must_use]
    pub fn bounded(raw: Vec<u8>) -> Self {
        let (raw, left_out) = bounded(raw);
        Self { raw: Bytes(raw), left_out }
    }

    /// The status line without its line end (empty when there is none), and without the
    /// blank that stands for an empty reason phrase (RFC 9112 section 4).
    #[must_use]
    pub fn status_line(&self) -> String {
        first_line(&self.raw.text()).trim_end().to_owned()
    }

    /// The status code, when the first line has one.
    #[must_use]
    pub fn status(&self) -> Option<u16> {
        let text = self.raw.text();
        let line = first_line(&text);
        if !line.starts_with("HTTP/") {
            return None;
        }
        line.split(' ').nth(1).and_then(|code| code.parse().ok())
    }

    /// `HTTP/1.1`, `HTTP/2` …
    #[must_use]
    pub fn version(&self) -> String {
        first_line(&self.raw.text()).split(' ').next().unwrap_or_default().to_owned()
    }

    /// Header names and values in order, names in the case received.
    ///
    /// Folded lines (obsolete, RFC 9112 section 5.2) are joined to the line before.
    #[must_use]
    pub fn headers(&self) -> Vec<(String, String)> {
        let text = self.raw.text();
        fields(&text).map(|(name, value)| (name.to_owned(), value.into_owned())).collect()
    }

    /// The first value of a header, by case-insensitive name.
    #[must_use]
    pub fn header(&self, name: &str) -> Option<String> {
        let text = self.raw.text();
        let found = fields(&text).find(|(own, _)| own.eq_ignore_ascii_case(name));
        found.map(|(_, value)| value.into_owned())
    }

    /// Whether a comma-separated header contains a token (case-insensitive).
    #[must_use]
    pub fn has_token(&self, name: &str, token: &str) -> bool {
        let is =
            |value: Cow<'_, str>| value.split(',').any(|t| t.trim().eq_ignore_ascii_case(token));
        let text = self.raw.text();
        fields(&text).any(|(own, value)| own.eq_ignore_ascii_case(name) && is(value))
    }
}

/// The header fields in a head's text, as [`ResponseHead::headers`] gives them,
/// without a copy of each.
pub fn fields(head: &str) -> impl Iterator<Item = (&str, Cow<'_, str>)> {
    Fields(head.split('\n').skip(1).peekable())
}

fn first_line(text: &str) -> &str {
    text.lines().next().unwrap_or_default().trim_end_matches('\r')
}

struct Fields<'a>(std::iter::Peekable<std::iter::Skip<std::str::Split<'a, char>>>);

impl<'a> Iterator for Fields<'a> {
    type Item = (&'a str, Cow<'a, str>);

    fn next(&mut self) -> Option<Self::Item> {
        let folded = |line: &str| line.starts_with([' ', '\t']);
        loop {
            // The empty line stays where it is, so that nothing comes after it.
            let end = |line: &&str| line.trim_end_matches('\r').is_empty();
            let line = self.0.next_if(|line| !end(line))?.trim_end_matches('\r');
            if folded(line) {
                continue;
            }
            // HTTP/2's pseudo-headers (RFC 9113 section 8.3) begin with a colon.
            let from = usize::from(line.starts_with(':'));
            let colon = line[from..].find(':').map(|at| at + from);
            let (name, value) = colon.map_or((line, ""), |at| (&line[..at], &line[at + 1..]));
            let mut value = Cow::Borrowed(value.trim());
            while let Some(more) = self.0.next_if(|line| folded(line)) {
                let value = value.to_mut();
                value.push(' ');
                value.push_str(more.trim());
            }
            return Some((name.trim_end(), value));
        }
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
    fn of_many_lines_the_first_stay_and_those_that_decide() {
        let few = format!("HTTP/1.1 200 OK\r\n{}\r\n", "a: b\r\n".repeat(LINES_KEPT));
        let head = ResponseHead::bounded(few.clone().into_bytes());
        assert_eq!((head.raw.0, head.left_out), (few.into_bytes(), 0));

        let many = "X-Many: b\r\n".repeat(LINES_KEPT + 700);
        let body = "a\n".repeat(1000);
        let raw = format!(
            "HTTP/1.1 101 Go\r\n{many}Upgrade: websocket\r\nSEC-WEBSOCKET-ACCEPT : x\r\n\r\n{body}"
        );
        let head = ResponseHead::bounded(raw.into_bytes());
        assert_eq!(head.left_out, 700);
        assert_eq!(head.headers().len(), LINES_KEPT + 2);
        assert_eq!(head.header("sec-websocket-accept").unwrap(), "x");
        assert!(head.has_token("upgrade", "websocket"));
        assert!(head.raw.text().ends_with(&format!("x\r\n\r\n{body}")));
        let json = serde_json::to_string(&head).unwrap();
        assert!(json.contains("\"left_out\":700"), "{json}");
        assert_eq!(serde_json::from_str::<ResponseHead>(&json).unwrap(), head);

        // Neither does a flood of lines that decide come in, nor one without an end.
        let flood = format!("HTTP/1.1 200 OK\r\n{}", "Location: /\r\n".repeat(4000));
        let (kept, left_out) = bounded(flood.into_bytes());
        assert_eq!(left_out, (4000 - LINES_KEPT - MORE_KEPT) as u64);
        assert_eq!(kept.split(|b| *b == b'\n').count(), 1 + LINES_KEPT + MORE_KEPT + 1);
        for odd in [&b""[..], b"\n", b"\r\n", b"x"] {
            assert_eq!(bounded(odd.to_vec()), (odd.to_vec(), 0));
        }
    }

    #[test]
    fn head_keeps_order_and_case() {
        let head = ResponseHead::new(
            "HTTP/1.1 101 \r\nupgrade: websocket\r\nConnection: keep-alive, Upgrade\r\nX: a\r\n b\r\n\r\n",
        );
        assert_eq!(head.status(), Some(101));
        assert_eq!(head.status_line(), "HTTP/1.1 101");
        assert_eq!(head.headers()[0].0, "upgrade");
        assert_eq!(head.headers()[2].1, "a b");
        assert!(head.has_token("connection", "upgrade"));
    }
}
