//! What the browser says, put together: protocol events and the page's own
//! events speak of the same socket by its URL.

use crate::recorder::millis;
use chrono::{DateTime, Utc};
use serde_json::Value;
use std::time::Instant;
use wss_bundle::browser::{
    BrowserClose, BrowserFrame, BrowserHandshake, BrowserRequest, FRAMES_KEPT,
};
use wss_bundle::{Bytes, ResponseHead};

/// Requests kept: a page that redirects in circles has an end.
const KEPT: usize = 40;
/// Console lines kept of one request.
const CONSOLE: usize = 8;

/// One request, while it is watched.
pub(super) struct Draft {
    /// The protocol's id of the request.
    pub(super) key: String,
    /// When it began, by the browser's clock, in milliseconds.
    pub(super) began_ms: f64,
    /// What is known.
    pub(super) seen: BrowserHandshake,
    created: Instant,
}

/// All requests of one run.
pub(super) struct Record {
    pub(super) drafts: Vec<Draft>,
    /// `Chromium 156.0.8078.79 headless`.
    pub(super) source: String,
    /// Family and version.
    pub(super) browser: Option<String>,
    /// For people, about the whole run.
    pub(super) notes: Vec<String>,
    /// URLs of the sockets, in the order in which the page's script has them.
    pub(super) sockets: Vec<String>,
    /// Whether frames come from the protocol, so that the page's count is not wanted.
    pub(super) protocol_frames: bool,
    frozen: Option<Instant>,
}

impl Record {
    pub(super) fn new() -> Self {
        Self {
            drafts: Vec::new(),
            source: "browser".into(),
            browser: None,
            notes: Vec::new(),
            sockets: Vec::new(),
            protocol_frames: false,
            frozen: None,
        }
    }

    /// A request has begun.
    pub(super) fn begin(
        &mut self,
        key: &str,
        kind: BrowserRequest,
        url: &str,
        began_ms: f64,
        at: Option<DateTime<Utc>>,
    ) {
        if self.drafts.len() >= KEPT || self.frozen.is_some() {
            return;
        }
        let url = url.split('#').next().unwrap_or_default().to_owned();
        let mut seen = BrowserHandshake::new(&self.source, kind, url);
        seen.at = at;
        seen.live = true;
        let created = Instant::now();
        self.drafts.push(Draft { key: key.to_owned(), began_ms, seen, created });
    }

    /// The newest request with this id, as long as what happens is recorded.
    pub(super) fn of(&mut self, key: &str) -> Option<&mut Draft> {
        if self.frozen.is_some() {
            return None;
        }
        self.drafts.iter_mut().rev().find(|draft| draft.key == key)
    }

    fn socket(&mut self, at: usize) -> Option<&mut Draft> {
        let url = self.sockets.get(at)?.clone();
        let known = |draft: &Draft| {
            draft.seen.kind == BrowserRequest::Websocket && same_address(&draft.seen.url, &url)
        };
        if !self.drafts.iter().any(known) {
            // The browser refused before it asked the network.
            self.begin(&format!("page {at}"), BrowserRequest::Websocket, &url, 0.0, None);
        }
        self.drafts.iter_mut().find(|draft| known(draft))
    }

    /// What the page's script tells.
    pub(super) fn page(&mut self, told: &str) {
        if self.frozen.is_some() {
            return;
        }
        let Ok(told) = serde_json::from_str::<Value>(told) else { return };
        let protocol_frames = self.protocol_frames;
        let Some(at) = told["at"].as_u64().and_then(|at| usize::try_from(at).ok()) else { return };
        let Some(draft) = self.socket(at) else { return };
        let seen = &mut draft.seen;
        let ms = told["ms"].as_f64().map(round);
        match told["what"].as_str() {
            Some("open") => seen.opened_ms = ms,
            Some("close") => {
                seen.closed = Some(BrowserClose {
                    code: told["code"].as_u64().and_then(|code| u16::try_from(code).ok()),
                    clean: told["clean"].as_bool(),
                    at_ms: ms,
                });
            }
            Some("refused") => {
                let detail = told["detail"].as_str().unwrap_or_default();
                seen.error = Some(format!("the page may not open it: {detail}"));
            }
            Some(way @ ("sent" | "received")) if !protocol_frames => {
                let opcode = told["opcode"].as_str().unwrap_or_default();
                let bytes = told["bytes"].as_u64().unwrap_or(0);
                frame(seen, way == "sent", opcode, bytes, ms);
            }
            _ => {}
        }
    }

    /// A line of the console, for the sockets that it names.
    pub(super) fn console(&mut self, line: &str) {
        if self.frozen.is_some() {
            return;
        }
        for draft in &mut self.drafts {
            let seen = &mut draft.seen;
            let address = seen.url.split('?').next().unwrap_or_default();
            let named = seen.kind == BrowserRequest::Websocket && line.contains(address);
            if named && seen.console.len() < CONSOLE && !seen.console.iter().any(|l| l == line) {
                seen.console.push(line.chars().take(500).collect());
            }
        }
    }

    /// Whether every socket has ended, or is open and has been for `watch`.
    pub(super) fn settled(&self, watch: std::time::Duration) -> bool {
        self.sockets.iter().all(|url| {
            self.drafts.iter().any(|draft| {
                let seen = &draft.seen;
                let over = seen.closed.is_some()
                    || seen.error.is_some() && seen.opened_ms.is_none()
                    || seen.opened_ms.is_some() && draft.created.elapsed() >= watch;
                seen.kind == BrowserRequest::Websocket && same_address(&seen.url, url) && over
            })
        })
    }

    /// What happens from now on is our own doing.
    pub(super) fn freeze(&mut self) {
        self.frozen.get_or_insert_with(Instant::now);
    }

    /// How long a request was watched, in milliseconds.
    pub(super) fn watched_ms(&self, draft: &Draft) -> f64 {
        let until = self.frozen.unwrap_or_else(Instant::now);
        millis(until.saturating_duration_since(draft.created))
    }

    /// Everything, without ids.
    pub(super) fn finish(mut self, why: Option<String>) -> Vec<BrowserHandshake> {
        self.freeze();
        let notes: Vec<String> = self.notes.iter().cloned().chain(why).collect();
        let watched: Vec<f64> = self.drafts.iter().map(|draft| self.watched_ms(draft)).collect();
        let drafts = self.drafts.into_iter().zip(watched);
        drafts
            .map(|(draft, watched)| {
                let mut seen = draft.seen;
                seen.source.clone_from(&self.source);
                seen.browser.clone_from(&self.browser);
                seen.watched_ms = Some(watched);
                seen.notes.extend(notes.iter().cloned());
                seen
            })
            .collect()
    }
}

/// Counts a frame, and keeps the first ones.
pub(super) fn frame(
    seen: &mut BrowserHandshake,
    sent: bool,
    opcode: &str,
    bytes: u64,
    at_ms: Option<f64>,
) {
    let total = if sent { &mut seen.frames_sent } else { &mut seen.frames_received };
    *total += 1;
    if seen.frames.len() < FRAMES_KEPT {
        let opcode = opcode.to_owned();
        seen.frames.push(BrowserFrame { sent, opcode, bytes, at_ms });
    }
}

/// Name of an opcode (RFC 6455 section 5.2).
pub(super) fn opcode(number: i64) -> String {
    match number {
        0 => "continuation".into(),
        1 => "text".into(),
        2 => "binary".into(),
        8 => "close".into(),
        9 => "ping".into(),
        10 => "pong".into(),
        other => other.to_string(),
    }
}

/// `ws://h/p` and `http://h/p` are the same to Firefox; default ports are left out.
pub(super) fn same_address(a: &str, b: &str) -> bool {
    let parts = |url: &str| {
        let url = url::Url::parse(url).ok()?;
        let tls = matches!(url.scheme(), "https" | "wss");
        let port = url.port_or_known_default()?;
        Some((
            tls,
            url.host_str()?.to_owned(),
            port,
            url.path().to_owned(),
            url.query().map(str::to_owned),
        ))
    };
    parts(a).is_some() && parts(a) == parts(b)
}

/// A head from names and values as a browser lists them.
pub(super) fn head(first: &str, headers: &[(String, String)]) -> String {
    let mut out = format!("{}\r\n", clean(first));
    for (name, value) in headers {
        for line in value.split('\n') {
            out.push_str(&format!("{}: {}\r\n", clean(name), clean(line)));
        }
    }
    out.push_str("\r\n");
    out
}

pub(super) fn request_head(text: String) -> Option<Bytes> {
    Some(Bytes(text.into_bytes()))
}

pub(super) fn response_head(text: String) -> Option<ResponseHead> {
    Some(ResponseHead::new(text))
}

fn clean(text: &str) -> String {
    text.chars().filter(|c| !c.is_control()).collect()
}

pub(super) fn round(ms: f64) -> f64 {
    (ms * 1e3).round() / 1e3
}

/// Path and query of a URL, for a request line.
pub(super) fn path_of(url: &str) -> String {
    url::Url::parse(url).map_or_else(
        |_| "/".to_owned(),
        |url| url[url::Position::BeforePath..url::Position::AfterQuery].to_owned(),
    )
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::time::Duration;

    #[test]
    fn the_page_and_the_protocol_speak_of_the_same_socket() {
        let mut record = Record::new();
        record.sockets = vec!["wss://b.example/v1/ws".into(), "wss://b.example/v1/graphql".into()];
        record.begin("7", BrowserRequest::Websocket, "https://b.example:443/v1/ws", 0.0, None);
        record.page(r#"{"at":0,"what":"open","ms":12.5}"#);
        record.page(r#"{"at":0,"what":"received","ms":13,"opcode":"text","bytes":5}"#);
        assert!(!record.settled(Duration::ZERO), "the second has not ended");
        record.page(r#"{"at":1,"what":"close","ms":3,"code":1006,"clean":false}"#);
        assert!(record.settled(Duration::ZERO));
        assert!(!record.settled(Duration::from_secs(60)));
        record.console("WebSocket connection to 'wss://b.example/v1/graphql' failed: x");
        record.freeze();
        record.page(r#"{"at":0,"what":"close","ms":99,"code":1000,"clean":true}"#);
        record.page("garbage");
        let seen = record.finish(Some("why".into()));
        assert_eq!(seen.len(), 2);
        assert_eq!((seen[0].opened_ms, seen[0].frames_received), (Some(12.5), 1));
        assert_eq!(seen[0].closed, None, "closing it was our own doing");
        assert_eq!(seen[1].closed.as_ref().unwrap().code, Some(1006));
        assert_eq!(seen[1].console.len(), 1);
        assert_eq!(seen[0].notes, ["why"]);
    }
}
