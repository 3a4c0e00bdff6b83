//! A HAR: what a browser recorded, of any browser that can export it.
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

mod console;
mod dialect;
mod entry;
mod given;
mod guard;
mod lenient;
mod log;
mod open;
mod strip;

pub use console::{ConsoleSocket, sockets};
use entry::Collector;
pub use entry::by_user_agent;
pub use given::Given;
use guard::Guard;
use serde::de::DeserializeSeed;
use std::io::{BufReader, Read, Seek};
use std::path::Path;
use wss_bundle::manifest::NotUsed;
use wss_bundle::{Attachment, AttachmentKind, BrowserHandshake, Redaction, Target};

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
    packed(file, &name, &shown, target)
}

/// Reads a HAR, however it is packed: as it is, by gzip, in a zip. `name` is the
/// file's, `shown` how messages call it.
///
/// # Errors
/// As [`file()`].
pub fn packed(
    content: impl Read + Seek + 'static,
    name: &str,
    shown: &str,
    target: &Target,
) -> Result<Har, NotUsed> {
    read(open::unpacked(BufReader::new(content), shown)?, name, shown, target)
}

/// What browsers saw, with the ids of a bundle.
pub fn numbered<'s>(seen: impl IntoIterator<Item = &'s BrowserHandshake>) -> Vec<BrowserHandshake> {
    let numbered = seen.into_iter().zip(1..);
    numbered.map(|(one, n)| BrowserHandshake { id: format!("b{n}"), ..one.clone() }).collect()
}

fn not_used(shown: &str, reason: impl Into<String>, instead: &str) -> NotUsed {
    let (option, name) = ("--har".to_owned(), shown.to_owned());
    NotUsed { option, name, reason: reason.into(), instead: instead.to_owned() }
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
