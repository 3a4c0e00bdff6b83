//! What the times of a HAR, and a status of 0, mean by the program that wrote it.
//!
//! HAR says of times only that `wait` is that of the first byte. For a WebSocket each
//! program makes of them what it likes:
//!
//! | | Chrome, Edge and kin | Firefox, Safari | mitmproxy, Charles, Fiddler, Proxyman … | Playwright |
//! |---|---|---|---|---|
//! | `wait` | until the last message, or until the export: no answer's | until the answer | until the answer | -1 |
//! | `receive` | what came after, once it has ended; 0 while it is open | of the head | of the head | -1 |
//! | `time` | the socket's life, or until the export; 0 while it waits for an answer | of the handshake | of the handshake | between the messages, or -1 |
//! | `ssl` | within `connect` | beside it (Firefox) | beside it (mitmproxy), or within | - |
//! | a message `error` | the socket failed, with or without words | none | none | none: `_failureText` |
//! | `time` of a message | seconds | seconds | seconds | milliseconds |
//! | status 0 | no answer was shown: failed, or still waiting | failed | failed (`_error` with mitmproxy) | -1: failed |
//! | how it ended | by `receive` alone: neither code nor who | not at all | not at all | not at all |
//!
//! Recorded with the programs themselves, of a socket that opened, was refused, was cut,
//! was closed and was not answered: Chromium 156 (its DevTools' own export), Firefox 153
//! (its network monitor's), mitmproxy 11, Playwright 1.65 (`tests/field/18-recordings`).
//! Of the others by their sources (`HARBuilder.js` of WebKit) and by files that people show.

use super::log::{Entry, Messages, Program, Timings};
use wss_bundle::browser::{BrowserClose, BrowserHandshake};

/// Whose dialect a HAR is in.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Dialect {
    /// Chrome's developer tools, and those of browsers made of it.
    Chromium,
    /// Firefox's.
    Firefox,
    /// A program for which the times are those of the handshake.
    Handshake,
}

impl Dialect {
    pub(super) fn of(programs: &[Program]) -> Self {
        let name = |program: &Program| program.name.0.as_deref().unwrap_or_default().to_owned();
        let names: Vec<String> = programs.iter().map(name).collect();
        if names.iter().any(|name| name == "WebInspector") {
            Self::Chromium
        } else if names.iter().any(|name| name.starts_with("Firefox")) {
            Self::Firefox
        } else {
            Self::Handshake
        }
    }

    /// Milliseconds to the answer, the end, and how long it was watched, as far as
    /// this dialect tells.
    pub(super) fn times(self, entry: &Entry, seen: &mut BrowserHandshake) {
        let socket = seen.kind == wss_bundle::browser::BrowserRequest::Websocket;
        if self == Self::Chromium && socket {
            return chromium(entry, seen);
        }
        let apart = self == Self::Firefox || ssl_is_apart(entry);
        let answer = to_the_answer(&entry.timings, apart);
        if answer > 0.0 && seen.response.is_some() {
            seen.answered_ms = Some(round(answer));
        }
        if let Some(close) = &entry.close {
            let code = close.code.0.filter(|code| (1000.0..5000.0).contains(code));
            let code = code.map(|code| code as u16);
            seen.closed = Some(BrowserClose { code, clean: None, at_ms: None });
        }
        // That no answer is shown means that none came; these programs write an
        // entry when it is over.
        if socket && seen.response.is_none() && seen.closed.is_none() {
            let at_ms =
                known(entry.time).filter(|ms| *ms > 0.0).or(Some(answer).filter(|ms| *ms > 0.0));
            seen.closed = Some(BrowserClose { code: None, clean: None, at_ms: at_ms.map(round) });
        }
    }
}

/// Chrome's developer tools about a WebSocket.
fn chromium(entry: &Entry, seen: &mut BrowserHandshake) {
    let timings = &entry.timings;
    let sum = to_the_answer(timings, false);
    let receive = known(timings.receive.0).unwrap_or(0.0);
    let whole = known(entry.time).filter(|ms| *ms > 0.0).unwrap_or(sum + receive);
    let none = Messages::default();
    let messages = entry.messages.as_ref().unwrap_or(&none);
    let failed = messages.failed;
    if receive <= 0.0 && !failed {
        // It was open, or waited for its answer, when the recording was saved.
        seen.watched_ms = Some(round(whole)).filter(|ms| *ms > 0.0);
        return;
    }
    if seen.switched() && messages.sent + messages.received == 0 && !failed && sum > 0.0 {
        seen.answered_ms = Some(round(sum));
    }
    let at_ms = Some(round(if receive > 0.0 { sum + receive } else { whole }));
    // A socket that fails ends with 1006 (the WebSocket API's "fail the connection").
    let (code, clean) = if failed { (Some(1006), Some(false)) } else { (None, None) };
    seen.closed = Some(BrowserClose { code, clean, at_ms });
}

fn known(number: Option<f64>) -> Option<f64> {
    number.filter(|number| number.is_finite() && *number >= 0.0)
}

fn to_the_answer(timings: &Timings, ssl_apart: bool) -> f64 {
    let parts = [&timings.blocked, &timings.dns, &timings.connect, &timings.send, &timings.wait];
    let ssl = ssl_apart.then_some(&timings.ssl);
    parts.into_iter().chain(ssl).filter_map(|part| known(part.0)).sum()
}

/// Whether `ssl` stands beside `connect`, by the whole time.
fn ssl_is_apart(entry: &Entry) -> bool {
    let (Some(whole), Some(ssl)) = (known(entry.time), known(entry.timings.ssl.0)) else {
        return false;
    };
    let receive = known(entry.timings.receive.0).unwrap_or(0.0);
    let within = to_the_answer(&entry.timings, false) + receive;
    ssl > 0.0 && (within + ssl - whole).abs() < (within - whole).abs()
}

pub(super) fn round(ms: f64) -> f64 {
    (ms * 1e3).round() / 1e3
}
