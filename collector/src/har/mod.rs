//! `--har FILE`: what a browser recorded, of any browser that can export it.
//!
//! Taken are WebSocket handshakes with the target, and the target's own pages.
//! Everything else is dropped while the file is read: other hosts, bodies,
//! payloads of messages, cookies, authorisation, values of queries. What is kept
//! goes to the bundle's list of what browsers saw, and, as a HAR again, to its
//! attachments.
//!
//! Dialects, from the browsers' own sources (`Log.ts` of Chrome's DevTools,
//! `har-builder.js` of Firefox, `HARBuilder.js` of WebKit):
//!
//! | | Chrome, Edge | Firefox | Safari |
//! |---|---|---|---|
//! | creator | `WebInspector` | `Firefox` | `WebKit Web Inspector` |
//! | a WebSocket is told by | `_resourceType` | scheme, headers | scheme, headers |
//! | frames | `_webSocketMessages` | none | none |
//! | error | `response._error` | none | `response._error` |
//! | no response | status 0 | status 0 | status 0 |
//! | remote port | none | `connection` | none |

mod dialect;
mod entry;
mod given;
mod guard;
mod lenient;
mod log;
mod open;
mod strip;

use crate::config::ConsoleSocket;
use entry::Collector;
pub(crate) use entry::by_user_agent;
pub use given::Given;
use guard::Guard;
use serde::de::DeserializeSeed;
use std::io::Read;
use std::path::Path;
use wss_bundle::browser::BrowserRequest;
use wss_bundle::manifest::NotUsed;
use wss_bundle::{Attachment, AttachmentKind, BrowserHandshake, Redaction, ResponseHead, Target};

/// What a HAR gave.
#[derive(Debug)]
pub struct Har {
    /// What the browser saw, without ids.
    pub seen: Vec<BrowserHandshake>,
    /// The same as a HAR, for the bundle's attachments.
    pub attachment: Attachment,
    /// What was dropped while reading.
    pub removed: Vec<Redaction>,
    /// What the user should know.
    pub warnings: Vec<String>,
}

/// How to make a HAR that helps.
const HOW: &str = "in the browser, open the developer tools (F12; Option-Command-I on a Mac), Network, then reload the console, \
                   wait until it fails, and choose \"Save all as HAR\"";

/// Reads a HAR from a file.
///
/// # Errors
/// It cannot be read, or is no HAR: why, and how to get a usable one.
pub fn file(path: &Path, target: &Target) -> Result<Har, NotUsed> {
    let name = path.file_name().unwrap_or_default().to_string_lossy().into_owned();
    let shown = path.display().to_string();
    let why = |reason: String| not_used(&shown, reason, HOW);
    let file = std::fs::File::open(path).map_err(|e| why(format!("it cannot be read: {e}")))?;
    if file.metadata().is_ok_and(|meta| meta.is_dir()) {
        return Err(not_used(&shown, "it is a folder", "give one HAR file"));
    }
    read(open::file(file, &shown)?, &name, &shown, target)
}

fn not_used(shown: &str, reason: impl Into<String>, instead: &str) -> NotUsed {
    let (option, name) = ("--har".to_owned(), shown.to_owned());
    NotUsed { option, name, reason: reason.into(), instead: instead.to_owned() }
}

/// How the console opens its sockets: one for each path, as it was opened last.
#[must_use]
pub fn sockets(seen: &[BrowserHandshake]) -> Vec<ConsoleSocket> {
    let mut sockets: Vec<ConsoleSocket> = Vec::new();
    let handshakes = seen.iter().filter(|one| one.kind == BrowserRequest::Websocket);
    for one in handshakes {
        let whole = |value: Option<String>| value.filter(|v| !v.contains("[removed"));
        let socket = ConsoleSocket {
            path: one.path().to_owned(),
            origin: whole(one.sent("origin")),
            subprotocol: whole(one.sent("sec-websocket-protocol")),
            headers: replayable(one),
        };
        let usable =
            crate::cli::parse::path(&socket.path).is_ok() && !socket.path.contains("[removed");
        // Without a request nothing is known of how it was opened.
        if !usable || one.request.is_none() {
            continue;
        }
        match sockets.iter_mut().find(|known| known.path == socket.path) {
            Some(known) => *known = socket,
            None => sockets.push(socket),
        }
    }
    sockets
}

/// The headers of a handshake as they can be sent again: a whole one over HTTP/1.1.
/// What the redactor removed was secret, or may have been.
fn replayable(seen: &BrowserHandshake) -> Vec<(String, String)> {
    let Some(request) = &seen.request else { return Vec::new() };
    let all = ResponseHead::new(request.0.clone()).headers();
    let has = |name: &str| all.iter().any(|(own, _)| own.eq_ignore_ascii_case(name));
    let whole =
        ["host", "connection", "upgrade", "sec-websocket-version"].iter().all(|name| has(name));
    if !whole || seen.multiplexed() {
        return Vec::new();
    }
    let secret = ["cookie", "authorization", "proxy-authorization"];
    all.into_iter()
        .filter(|(name, value)| {
            !value.contains("[removed") && !secret.iter().any(|own| name.eq_ignore_ascii_case(own))
        })
        .collect()
}

/// Reads a HAR. `name` is the file's, `shown` how messages call it.
///
/// # Errors
/// As [`file()`].
pub fn read(
    mut content: impl Read,
    name: &str,
    shown: &str,
    target: &Target,
) -> Result<Har, NotUsed> {
    let why = |reason: String| not_used(shown, reason, HOW);
    let mut start = Vec::new();
    let io = |error| why(format!("it cannot be read: {error}"));
    content.by_ref().take(3).read_to_end(&mut start).map_err(io)?;
    if start.is_empty() {
        return Err(why("it is empty".to_owned()));
    }
    let content: Box<dyn Read + '_> = match start.as_slice() {
        [0xff, 0xfe, rest @ ..] | [0xfe, 0xff, rest @ ..] => {
            let rest = std::io::Cursor::new(rest.to_vec());
            Box::new(open::Utf16::new(rest.chain(content), start[0] == 0xff))
        }
        [0xef, 0xbb, 0xbf] => Box::new(content),
        _ => Box::new(std::io::Cursor::new(start).chain(content)),
    };
    let guard = Guard::new(content);
    let mut collector = Collector::new(name, target);
    let seed = log::File { strings: guard.strings(), sink: &mut collector };
    let mut json = serde_json::Deserializer::from_reader(guard);
    let parsed = seed.deserialize(&mut json).and_then(|found| json.end().map(|()| found));
    match parsed {
        Ok(true) => {}
        Ok(false) => {
            return Err(why("it is no HAR: it has no list log.entries".to_owned()));
        }
        Err(error) if collector.is_empty() => {
            return Err(why(format!("it is no HAR that can be read: {error}")));
        }
        Err(error) => collector
            .warn(format!("{shown} is damaged ({error}): what stands before the damage was read")),
    }
    Ok(collector.finish(shown))
}
