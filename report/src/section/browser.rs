//! What browsers saw, as their developer tools would show it: status, headers,
//! timing, frames, console; and beside it what differs from the collector's own
//! handshake.

use crate::{Case, View, words};
use serde::Serialize;
use wss_bundle::browser::{BrowserFrame, BrowserHandshake, BrowserRequest};
use wss_bundle::{Bytes, ResponseHead};
use wss_diagnosis::evidence::browser::{Difference, Fate, compare, course, fate, meaning};

/// Headers shown of one message.
const HEADERS: usize = 60;
/// Frames shown of one socket.
const FRAMES: usize = 40;
/// Longest header value, console line and the like.
const LINE: usize = 400;

#[derive(Debug, Serialize)]
pub(super) struct Browser {
    requests: Vec<Request>,
    more: usize,
}

#[derive(Debug, Serialize)]
struct Request {
    anchor: String,
    from: String,
    source: String,
    what: &'static str,
    url: String,
    status: String,
    symbol: &'static str,
    tone: &'static str,
    facts: Vec<Fact>,
    notes: Vec<String>,
    console: Vec<String>,
    request: Vec<Fact>,
    response: Vec<Fact>,
    exact: bool,
    timing: Vec<Fact>,
    frames: Vec<Frame>,
    more_frames: u64,
    own: Option<String>,
    differences: Vec<Row>,
}

#[derive(Debug, Serialize)]
struct Fact {
    name: String,
    value: String,
}

#[derive(Debug, Serialize)]
struct Frame {
    way: &'static str,
    at: String,
    opcode: String,
    bytes: u64,
}

#[derive(Debug, Serialize)]
struct Row {
    what: String,
    browser: String,
    collector: String,
}

impl Browser {
    pub(super) fn new(case: &Case<'_>) -> Self {
        let all = case.views.iter().map(|view| view.bundle.observations.browser.len()).sum::<usize>();
        let shown = case.views.iter().flat_map(|view| {
            view.browsers().map(move |(seen, anchor)| request(view, seen, anchor))
        });
        let requests: Vec<Request> = shown.collect();
        Self { more: all - requests.len(), requests }
    }
}

fn request(view: &View<'_>, seen: &BrowserHandshake, anchor: String) -> Request {
    let socket = seen.kind == BrowserRequest::Websocket;
    let (status, symbol, tone) = status(seen);
    let (request, response) = (headers(request_head(seen).as_ref()), headers(seen.response.as_ref()));
    let compared = socket.then(|| compare(view.bundle, seen)).flatten();
    Request {
        anchor,
        from: view.name.clone(),
        source: words::cut(&source(seen), 160),
        what: if socket { "WebSocket" } else { "page" },
        url: words::cut(&seen.url, LINE),
        status,
        symbol,
        tone,
        facts: facts(view, seen),
        notes: seen.notes.iter().take(12).map(|note| words::cut(note, LINE)).collect(),
        console: seen.console.iter().take(12).map(|line| words::cut(line, LINE)).collect(),
        request,
        response,
        exact: seen.exact,
        timing: timing(seen),
        more_frames: (seen.frames_sent + seen.frames_received)
            .saturating_sub(seen.frames.len().min(FRAMES) as u64),
        frames: seen.frames.iter().take(FRAMES).map(frame).collect(),
        own: compared.as_ref().and_then(|c| view.anchor(&c.observation)).map(str::to_owned),
        differences: compared
            .map(|compared| compared.differences.iter().take(30).map(row).collect())
            .unwrap_or_default(),
    }
}

fn source(seen: &BrowserHandshake) -> String {
    match (&seen.browser, seen.live) {
        (Some(browser), false) => format!("{}, {browser}", seen.source),
        _ => seen.source.clone(),
    }
}

/// As the status column would have it, with a mark.
fn status(seen: &BrowserHandshake) -> (String, &'static str, &'static str) {
    let text = match (&seen.response, &seen.error) {
        (Some(head), _) => head.status_line(),
        (None, Some(error)) => error.clone(),
        (None, None) => match meaning(seen) {
            Some(meaning) => meaning.words(),
            None => "no response".into(),
        },
    };
    let (symbol, tone) = if seen.kind == BrowserRequest::Document {
        match seen.status() {
            Some(200..=399) => ("✓", "good"),
            Some(_) => ("!", "warn"),
            None => ("✗", "bad"),
        }
    } else {
        match fate(seen) {
            Fate::Works => ("✓", "good"),
            Fate::CutLater => ("!", "warn"),
            Fate::NotTold => ("?", "none"),
            _ => ("✗", "bad"),
        }
    };
    (words::cut(&text, 160), symbol, tone)
}

fn facts(view: &View<'_>, seen: &BrowserHandshake) -> Vec<Fact> {
    let mut out = Vec::new();
    let mut add = |name: &str, value: Option<String>| {
        if let Some(value) = value {
            out.push(Fact { name: name.into(), value: words::cut(&value, LINE) });
        }
    };
    add("when", seen.at.map(|at| view.time(at)));
    add("route", seen.route.clone());
    add("remote address", seen.remote.clone());
    add("protocol", seen.protocol.clone());
    add("the proxy's answer to CONNECT", seen.tunnel.as_ref().map(ResponseHead::status_line));
    if let Some(tls) = &seen.tls {
        let both: Vec<String> = [&tls.version, &tls.cipher].into_iter().flatten().cloned().collect();
        add("TLS", Some(both.join(", ")).filter(|text| !text.is_empty()));
        add(
            "certificate",
            tls.certificate.as_ref().map(|leaf| format!("{}, issued by {}", leaf.subject, leaf.issuer)),
        );
    }
    add("Origin", seen.sent("origin"));
    add("subprotocol asked", seen.sent("sec-websocket-protocol"));
    add("subprotocol chosen", seen.received("sec-websocket-protocol"));
    add("extensions offered", seen.sent("sec-websocket-extensions"));
    add("extensions accepted", seen.received("sec-websocket-extensions"));
    add("error", seen.error.clone().filter(|_| seen.response.is_some()));
    out
}

fn timing(seen: &BrowserHandshake) -> Vec<Fact> {
    let mut out = Vec::new();
    let mut add = |name: &str, value: String| out.push(Fact { name: name.into(), value });
    if let Some(ms) = seen.opened_ms {
        add("open after", words::ms(ms));
    }
    for part in course(seen) {
        add("in time", part);
    }
    if let Some(clean) = seen.closed.as_ref().and_then(|closed| closed.clean) {
        add("closed", if clean { "clean" } else { "not clean" }.to_owned());
    }
    if let (None, Some(_), Some(ms)) = (&seen.closed, seen.opened_ms, seen.watched_ms) {
        add("still open after", words::ms(ms));
    }
    match seen.alike.len() as u64 + seen.alike_more {
        0 => {}
        more => add("went like it", format!("{more} more of this recording")),
    }
    out
}

fn request_head(seen: &BrowserHandshake) -> Option<ResponseHead> {
    let Bytes(raw) = seen.request.as_ref()?;
    Some(ResponseHead::new(raw.clone()))
}

/// First line and headers, one fact each.
fn headers(head: Option<&ResponseHead>) -> Vec<Fact> {
    let Some(head) = head else { return Vec::new() };
    let first = Fact { name: String::new(), value: words::cut(&head.status_line(), LINE) };
    let rest = head.headers().into_iter().take(HEADERS);
    let rest = rest.map(|(name, value)| Fact {
        name: words::cut(&name, 100),
        value: words::cut(&value, LINE),
    });
    std::iter::once(first).chain(rest).collect()
}

fn frame(frame: &BrowserFrame) -> Frame {
    Frame {
        way: if frame.sent { "sent" } else { "received" },
        at: frame.at_ms.map_or_else(String::new, words::ms),
        opcode: words::cut(&frame.opcode, 20),
        bytes: frame.bytes,
    }
}

fn row(difference: &Difference) -> Row {
    Row {
        what: difference.what.clone(),
        browser: words::cut(&difference.browser, LINE),
        collector: words::cut(&difference.collector, LINE),
    }
}
