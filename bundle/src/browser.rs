//! What a browser saw of a WebSocket, and of the page that opens it: from a HAR
//! export that somebody made, or from a browser that the collector started.
//!
//! A browser tells less than a socket of one's own does, and each browser tells
//! other things: every field but the address may be missing, and missing means
//! "the browser did not say", never "there was none". Times are milliseconds
//! since this request began, since a HAR knows nothing of the collection's clock.

use crate::certificate::Certificate;
use crate::head::{Bytes, ResponseHead};
use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};

/// Frames kept of one WebSocket; the totals count all.
pub const FRAMES_KEPT: usize = 64;
/// Sockets of which one remembers in [`BrowserHandshake::alike`]; the others are counted.
pub const ALIKE_KEPT: usize = 500;

/// One request of a browser: a WebSocket handshake, or the page's document.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct BrowserHandshake {
    /// `b1`, `b2` …; unique in its bundle, and no id of an observation.
    pub id: String,
    /// Who says so: `har:console.har`, `Chromium 156.0.8078.79 headless`.
    pub source: String,
    /// Whether the collector itself ran the browser, at the time of its own
    /// probes. A HAR is from some other time, and maybe from another machine.
    #[serde(default)]
    pub live: bool,
    /// Family and version of the browser: `Chrome 126`, `Firefox 128`; `null`
    /// where it does not tell.
    #[serde(default)]
    pub browser: Option<String>,
    /// What was asked for.
    pub kind: BrowserRequest,
    /// Absolute URL: no userinfo, no fragment, values of the query removed.
    pub url: String,
    /// When it began, by the browser's clock.
    #[serde(default)]
    pub at: Option<DateTime<Utc>>,
    /// The request's head (credentials removed); `null` when the browser shows
    /// none, which for a WebSocket means that none was sent.
    #[serde(default)]
    pub request: Option<Bytes>,
    /// The response's head; `null` when none came.
    #[serde(default)]
    pub response: Option<ResponseHead>,
    /// Whether both heads are what went over the wire, in order and case.
    /// Otherwise they are put together from names and values as the browser
    /// lists them, so that their order tells nothing about devices.
    #[serde(default)]
    pub exact: bool,
    /// `http/1.1`, `h2`, `h3`: ALPN's names (RFC 7301), as far as the browser says.
    #[serde(default)]
    pub protocol: Option<String>,
    /// The browser's name of the error: `net::ERR_TUNNEL_CONNECTION_FAILED`,
    /// `NS_ERROR_CONNECTION_REFUSED`.
    #[serde(default)]
    pub error: Option<String>,
    /// What it said about this request on its console.
    #[serde(default)]
    pub console: Vec<String>,
    /// The way it took: `direct`, or `proxy <url>`; `null` when unknown.
    #[serde(default)]
    pub route: Option<String>,
    /// A proxy's answer to CONNECT, where the browser shows it.
    #[serde(default)]
    pub tunnel: Option<ResponseHead>,
    /// `address:port`, or the address alone, that it was connected to. Through
    /// a proxy: the proxy's.
    #[serde(default)]
    pub remote: Option<String>,
    /// The TLS session, where the browser tells of it.
    #[serde(default)]
    pub tls: Option<BrowserTls>,
    /// Milliseconds to the first byte of the response.
    #[serde(default)]
    pub answered_ms: Option<f64>,
    /// Milliseconds to the `open` event; `null` when it never came, or is unknown.
    #[serde(default)]
    pub opened_ms: Option<f64>,
    /// Milliseconds for which the browser was watched; `null` when unknown.
    #[serde(default)]
    pub watched_ms: Option<f64>,
    /// Frames, the first [`FRAMES_KEPT`] only. Payloads are never kept.
    #[serde(default)]
    pub frames: Vec<BrowserFrame>,
    /// Frames sent.
    #[serde(default)]
    pub frames_sent: u64,
    /// Frames received.
    #[serde(default)]
    pub frames_received: u64,
    /// Milliseconds to the last frame, of all of them; `null` when unknown.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub last_frame_ms: Option<f64>,
    /// How it ended; `null` while it was open, or when unknown.
    #[serde(default)]
    pub closed: Option<BrowserClose>,
    /// Further sockets of the same path that were answered like this one: a
    /// console that cannot stay connected tries again every few seconds.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub alike: Vec<Alike>,
    /// Of those, how many more than [`ALIKE_KEPT`] there were.
    #[serde(default, skip_serializing_if = "is_zero")]
    pub alike_more: u64,
    /// For people: what to know when reading this.
    #[serde(default)]
    pub notes: Vec<String>,
}

/// What a browser asked for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum BrowserRequest {
    /// A page.
    Document,
    /// A WebSocket.
    Websocket,
}

/// A TLS session, as a browser tells it.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(default)]
pub struct BrowserTls {
    /// `TLS 1.3`, in the browser's words.
    pub version: Option<String>,
    /// In the browser's words.
    pub cipher: Option<String>,
    /// The leaf, as far as the browser summarises it; other fields are empty.
    pub certificate: Option<Certificate>,
}

/// One frame.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct BrowserFrame {
    /// Sent by the browser, or received.
    pub sent: bool,
    /// `text`, `binary`, `close`, `ping`, `pong`, or the opcode's number.
    pub opcode: String,
    /// Payload size in bytes.
    pub bytes: u64,
    /// Milliseconds since the request began; `null` when unknown.
    pub at_ms: Option<f64>,
}

fn is_zero(number: &u64) -> bool {
    *number == 0
}

/// When a further socket was, and how it ended.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Alike {
    /// When it began.
    pub at: Option<DateTime<Utc>>,
    /// How it ended, in milliseconds since it began; `null` while it was open.
    #[serde(default)]
    pub closed: Option<BrowserClose>,
    /// Milliseconds to its last frame.
    #[serde(default)]
    pub last_frame_ms: Option<f64>,
    /// Whether its page was left before it opened, by the browser's own words.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub left: bool,
}

/// How a browser's WebSocket ended.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct BrowserClose {
    /// The `close` event's code (RFC 6455 section 7.4; 1006: no close frame came).
    pub code: Option<u16>,
    /// The `close` event's `wasClean`.
    pub clean: Option<bool>,
    /// Milliseconds since the request began.
    pub at_ms: Option<f64>,
}

impl BrowserHandshake {
    /// One of which only the address is known.
    #[must_use]
    pub fn new(source: &str, kind: BrowserRequest, url: String) -> Self {
        Self {
            id: String::new(),
            source: source.to_owned(),
            live: false,
            browser: None,
            kind,
            url,
            at: None,
            request: None,
            response: None,
            exact: false,
            protocol: None,
            error: None,
            console: Vec::new(),
            route: None,
            tunnel: None,
            remote: None,
            tls: None,
            answered_ms: None,
            opened_ms: None,
            watched_ms: None,
            frames: Vec::new(),
            frames_sent: 0,
            frames_received: 0,
            last_frame_ms: None,
            closed: None,
            alike: Vec::new(),
            alike_more: 0,
            notes: Vec::new(),
        }
    }

    /// The response's status. HAR exports and DevTools write 0 where none came.
    #[must_use]
    pub fn status(&self) -> Option<u16> {
        self.response.as_ref().and_then(ResponseHead::status).filter(|status| *status != 0)
    }

    /// A header of the request, by case-insensitive name.
    #[must_use]
    pub fn sent(&self, name: &str) -> Option<String> {
        ResponseHead::new(self.request.as_ref()?.0.clone()).header(name)
    }

    /// A header of the response, by case-insensitive name.
    #[must_use]
    pub fn received(&self, name: &str) -> Option<String> {
        self.response.as_ref()?.header(name)
    }

    /// Whether HTTP/2 or later was spoken: a WebSocket then was opened by
    /// extended CONNECT (RFC 8441, RFC 9220), and a 200 is its success.
    #[must_use]
    pub fn multiplexed(&self) -> bool {
        self.protocol.as_deref().is_some_and(|p| p.starts_with("h2") || p.starts_with("h3"))
    }

    /// Whether the server agreed to the WebSocket.
    #[must_use]
    pub fn switched(&self) -> bool {
        match self.status() {
            Some(101) => true,
            Some(200) => self.kind == BrowserRequest::Websocket && self.multiplexed(),
            _ => false,
        }
    }

    /// Path of the URL, without its query.
    #[must_use]
    pub fn path(&self) -> &str {
        let after = self.url.split_once("://").map_or(self.url.as_str(), |(_, rest)| rest);
        let path = after.find('/').map_or("/", |at| &after[at..]);
        path.split(['?', '#']).next().unwrap_or("/")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn paths_and_statuses() {
        let mut seen = BrowserHandshake::new(
            "har:x",
            BrowserRequest::Websocket,
            "wss://b.example:8443/v1/ws?token=[removed]".into(),
        );
        assert_eq!(seen.path(), "/v1/ws");
        assert_eq!(seen.status(), None);
        seen.response = Some(ResponseHead::new("HTTP/1.1 0 \r\n\r\n"));
        assert_eq!(seen.status(), None);
        seen.response = Some(ResponseHead::new("HTTP/2 200\r\n\r\n"));
        assert!(!seen.switched());
        seen.protocol = Some("h2".into());
        assert!(seen.switched());
        seen.url = "wss://b.example".into();
        assert_eq!(seen.path(), "/");
    }

    #[test]
    fn what_an_older_or_newer_collector_leaves_out_is_read() {
        let json = r#"{"id":"b1","source":"har:x","kind":"websocket","url":"wss://b/","new":1}"#;
        let seen: BrowserHandshake = serde_json::from_str(json).unwrap();
        assert_eq!(seen.frames_sent, 0);
        let again: BrowserHandshake =
            serde_json::from_str(&serde_json::to_string(&seen).unwrap()).unwrap();
        assert_eq!(again, seen);
    }
}
