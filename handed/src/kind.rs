//! What a file is, by what is in it: nobody who drops a file says so. Asked are the
//! readers themselves, the strictest first.

use wss_bundle::pasted::curl;
use wss_bundle::{Vantage, sealed};
use wss_diagnosis::{configuration, console};

/// How much of a file is looked at, in bytes.
const LOOKED_AT: usize = 256 << 10;

/// What a file is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// A bundle, or a zip that may be one.
    Bundle,
    /// A bundle that is encrypted with age.
    Sealed,
    /// A browser's recording.
    Har,
    /// Output of curl, and from where its name says that it is.
    Curl(Option<Vantage>),
    /// A configuration, or what may be one.
    Configuration,
    /// Lines of a browser's console.
    Console,
}

/// What a file is, by its content, and where that leaves it open by its name.
#[must_use]
pub fn kind(name: &str, content: &[u8]) -> Kind {
    let lower = name.to_ascii_lowercase();
    if sealed::is_sealed(content) || lower.ends_with(".zip.age") {
        return Kind::Sealed;
    }
    let has = |what: &[u8]| content.windows(what.len()).any(|window| window == what);
    if content.starts_with(b"PK") {
        let recording = !has(b"manifest.json") && has(b".har");
        return if recording { Kind::Har } else { Kind::Bundle };
    }
    if lower.ends_with(".zip") {
        return Kind::Bundle;
    }
    if content.starts_with(b"\x1f\x8b") || lower.ends_with(".har") || is_har(content) {
        return Kind::Har;
    }
    let start = &content[..content.len().min(LOOKED_AT)];
    if curl::read(&curl::text(start)).tests.iter().any(curl::Test::has_an_outcome) {
        return Kind::Curl(side(&lower));
    }
    let text = wss_bundle::pasted::text(start);
    if configuration::program(&text).is_ok() {
        return Kind::Configuration;
    }
    if console::read(&text).iter().any(|message| message.meaning.is_some()) {
        return Kind::Console;
    }
    Kind::Configuration
}

/// Whether it begins as a HAR does: an object with a `log` in it.
fn is_har(content: &[u8]) -> bool {
    let text = wss_bundle::pasted::text(&content[..content.len().min(4096)]);
    let mut words = text.split_whitespace().flat_map(|word| word.split_inclusive(['{', ':', '"']));
    let start: String = words.by_ref().take(6).collect();
    start.starts_with("{\"log\":{") || start.starts_with("{\"log\":")
}

/// Where a file of this name was made, where the name says so.
fn side(name: &str) -> Option<Vantage> {
    match (name.contains("outside"), name.contains("inside")) {
        (true, false) => Some(Vantage::Outside),
        (false, true) => Some(Vantage::Inside),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_file_is_known_by_its_content() {
        let curl = b"HTTP/1.1 400 Bad Request\r\nServer: nginx\r\n\r\n";
        for (name, content, expected) in [
            ("x.zip", &b"PK\x03\x04...manifest.json"[..], Kind::Bundle),
            ("x.zip", b"PK\x03\x04...console.har", Kind::Har),
            ("cut.zip", b"", Kind::Bundle),
            ("x.age", b"age-encryption.org/v1\n", Kind::Sealed),
            ("export.txt", b"{ \"log\": { \"entries\": []}}", Kind::Har),
            ("export.har", b"", Kind::Har),
            ("outside.txt", curl, Kind::Curl(Some(Vantage::Outside))),
            ("out.txt", curl, Kind::Curl(None)),
            ("out.txt", b"curl: (6) Could not resolve host: b.example", Kind::Curl(None)),
            ("nginx.conf", b"http { server { listen 443 ssl; } }", Kind::Configuration),
            (
                "said.txt",
                b"WebSocket connection to 'wss://b.example/v1/ws' failed: Error during WebSocket handshake: Unexpected response code: 502",
                Kind::Console,
            ),
            ("notes.txt", b"The load balancer is the old one.", Kind::Configuration),
        ] {
            assert_eq!(kind(name, content), expected, "{name}: {}", String::from_utf8_lossy(content));
        }
    }
}
