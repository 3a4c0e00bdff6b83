//! The parts of a HAR that are looked at, read as a stream: one entry is in
//! memory at a time, and of it neither bodies nor messages' payloads.

use super::guard::Strings;
use super::lenient::{List, Maybe, Number, Text, drain_list, otherwise_nothing};
use serde::Deserialize;
use serde::de::{DeserializeSeed, Deserializer, IgnoredAny, MapAccess, SeqAccess, Visitor};
use std::fmt;
use wss_bundle::browser::FRAMES_KEPT;

/// Headers taken of one message.
const HEADERS: usize = 100;
/// Pages taken of one HAR.
const PAGES: usize = 1000;
/// Texts of errors taken of one WebSocket.
const ERRORS: usize = 8;

/// Who wrote the HAR.
#[derive(Debug, Default, Deserialize)]
pub(super) struct Program {
    #[serde(default)]
    pub(super) name: Text,
    #[serde(default)]
    pub(super) version: Text,
}

/// A page; browsers put its URL into the title.
#[derive(Debug, Deserialize)]
pub(super) struct Page {
    #[serde(default)]
    pub(super) title: Text,
}

#[derive(Debug, Deserialize)]
pub(super) struct Header {
    #[serde(default)]
    pub(super) name: Text,
    #[serde(default)]
    pub(super) value: Text,
}

#[derive(Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Request {
    #[serde(default)]
    pub(super) method: Text,
    #[serde(default)]
    pub(super) url: Text,
    #[serde(default)]
    pub(super) http_version: Text,
    #[serde(default)]
    pub(super) headers: List<Maybe<Header>, HEADERS>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Response {
    #[serde(default)]
    pub(super) status: Number,
    #[serde(default)]
    pub(super) status_text: Text,
    #[serde(default)]
    pub(super) http_version: Text,
    #[serde(default)]
    pub(super) headers: List<Maybe<Header>, HEADERS>,
    /// Chrome's and Safari's name of the error.
    #[serde(default, rename = "_error")]
    pub(super) error: Text,
    /// Playwright's: what the browser's console says.
    #[serde(default, rename = "_failureText")]
    pub(super) failure: Text,
}

#[derive(Debug, Default, Deserialize)]
pub(super) struct Timings {
    #[serde(default)]
    pub(super) blocked: Number,
    #[serde(default)]
    pub(super) dns: Number,
    #[serde(default)]
    pub(super) connect: Number,
    /// Part of `connect`, except with Firefox.
    #[serde(default)]
    pub(super) ssl: Number,
    #[serde(default)]
    pub(super) send: Number,
    #[serde(default)]
    pub(super) wait: Number,
    #[serde(default)]
    pub(super) receive: Number,
}

/// One message of a WebSocket, without its payload.
#[derive(Debug, Default)]
pub(super) struct Message {
    pub(super) kind: Option<String>,
    /// Seconds since 1970.
    pub(super) time: Option<f64>,
    pub(super) opcode: Option<f64>,
    /// Length of `data`.
    pub(super) data: u64,
    /// Padding of `data`, for base64.
    pub(super) padding: u64,
}

/// `_webSocketMessages`.
#[derive(Debug, Default)]
pub(super) struct Messages {
    /// The first ones.
    pub(super) kept: Vec<Message>,
    pub(super) sent: u64,
    pub(super) received: u64,
    /// What Chrome lists as messages of the type `error`, where it has words.
    pub(super) errors: Vec<String>,
    /// Whether there was one, with words or without.
    pub(super) failed: bool,
    /// When the last message was, of all of them.
    pub(super) last: Option<f64>,
}

/// `_webSocketClose`, of HTTP Toolkit.
#[derive(Debug, Default, Deserialize)]
pub(super) struct Close {
    #[serde(default)]
    pub(super) code: Number,
}

/// One entry.
#[derive(Debug, Default)]
pub(super) struct Entry {
    pub(super) started: Option<String>,
    pub(super) request: Request,
    pub(super) response: Response,
    pub(super) timings: Timings,
    /// Milliseconds in all.
    pub(super) time: Option<f64>,
    pub(super) close: Option<Close>,
    pub(super) address: Option<String>,
    pub(super) connection: Option<String>,
    pub(super) resource_type: Option<String>,
    /// `Some` where the entry has the list, also an empty one.
    pub(super) messages: Option<Messages>,
}

/// Who gets what is read.
pub(super) trait Sink {
    fn creator(&mut self, program: Program);
    fn page(&mut self, page: Page);
    fn entry(&mut self, entry: Entry);
}

/// The whole file; its value says whether there was a `log` with `entries`.
pub(super) struct File<'a, S> {
    pub(super) sink: &'a mut S,
    pub(super) strings: Strings,
}

impl<'de, S: Sink> DeserializeSeed<'de> for File<'_, S> {
    type Value = bool;
    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<bool, D::Error> {
        deserializer.deserialize_any(self)
    }
}

impl<'de, S: Sink> Visitor<'de> for File<'_, S> {
    type Value = bool;
    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a HAR")
    }
    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<bool, A::Error> {
        let mut found = false;
        while let Some(key) = map.next_key::<String>()? {
            if key == "log" {
                let log = Log { sink: self.sink, strings: self.strings.clone() };
                found |= map.next_value_seed(log)?;
            } else {
                map.next_value::<IgnoredAny>()?;
            }
        }
        Ok(found)
    }
    otherwise_nothing!(unit, bool, numbers, str, seq);
}

struct Log<'a, S> {
    sink: &'a mut S,
    strings: Strings,
}

impl<'de, S: Sink> DeserializeSeed<'de> for Log<'_, S> {
    type Value = bool;
    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<bool, D::Error> {
        deserializer.deserialize_any(self)
    }
}

impl<'de, S: Sink> Visitor<'de> for Log<'_, S> {
    type Value = bool;
    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a log")
    }
    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<bool, A::Error> {
        let mut found = false;
        while let Some(key) = map.next_key::<String>()? {
            match key.as_str() {
                "creator" | "browser" => {
                    if let Some(program) = map.next_value::<Maybe<Program>>()?.0 {
                        self.sink.creator(program);
                    }
                }
                "pages" => {
                    for page in map.next_value::<List<Maybe<Page>, PAGES>>()?.0 {
                        if let Some(page) = page.0 {
                            self.sink.page(page);
                        }
                    }
                }
                "entries" => {
                    let list = Entries { sink: &mut *self.sink, strings: self.strings.clone() };
                    found |= map.next_value_seed(list)?;
                }
                _ => {
                    map.next_value::<IgnoredAny>()?;
                }
            }
        }
        Ok(found)
    }
    otherwise_nothing!(unit, bool, numbers, str, seq);
}

struct Entries<'a, S> {
    sink: &'a mut S,
    strings: Strings,
}

impl<'de, S: Sink> DeserializeSeed<'de> for Entries<'_, S> {
    type Value = bool;
    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<bool, D::Error> {
        deserializer.deserialize_any(self)
    }
}

impl<'de, S: Sink> Visitor<'de> for Entries<'_, S> {
    type Value = bool;
    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("entries")
    }
    fn visit_seq<A: SeqAccess<'de>>(self, mut list: A) -> Result<bool, A::Error> {
        while let Some(entry) = list.next_element_seed(OneEntry(self.strings.clone()))? {
            if let Some(entry) = entry {
                self.sink.entry(*entry);
            }
        }
        Ok(true)
    }
    otherwise_nothing!(unit, bool, numbers, str, map);
}

struct OneEntry(Strings);

impl<'de> DeserializeSeed<'de> for OneEntry {
    type Value = Option<Box<Entry>>;
    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<Self::Value, D::Error> {
        deserializer.deserialize_any(self)
    }
}

impl<'de> Visitor<'de> for OneEntry {
    type Value = Option<Box<Entry>>;
    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("an entry")
    }
    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Self::Value, A::Error> {
        let mut entry = Box::<Entry>::default();
        while let Some(key) = map.next_key::<String>()? {
            match key.as_str() {
                "startedDateTime" => entry.started = map.next_value::<Text>()?.0,
                "request" => entry.request = map.next_value::<Maybe<_>>()?.0.unwrap_or_default(),
                "response" => entry.response = map.next_value::<Maybe<_>>()?.0.unwrap_or_default(),
                "timings" => entry.timings = map.next_value::<Maybe<_>>()?.0.unwrap_or_default(),
                "time" => entry.time = map.next_value::<Number>()?.0,
                "_webSocketClose" => entry.close = map.next_value::<Maybe<_>>()?.0,
                "serverIPAddress" => entry.address = map.next_value::<Text>()?.0,
                "connection" => entry.connection = map.next_value::<Text>()?.0,
                "_resourceType" => entry.resource_type = map.next_value::<Text>()?.0,
                "_webSocketMessages" => {
                    entry.messages = map.next_value_seed(AllMessages(self.0.clone()))?;
                }
                _ => {
                    map.next_value::<IgnoredAny>()?;
                }
            }
        }
        Ok(Some(entry))
    }
    otherwise_nothing!(unit, bool, numbers, str, seq);
}

struct AllMessages(Strings);

impl<'de> DeserializeSeed<'de> for AllMessages {
    type Value = Option<Messages>;
    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<Self::Value, D::Error> {
        deserializer.deserialize_any(self)
    }
}

impl<'de> Visitor<'de> for AllMessages {
    type Value = Option<Messages>;
    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("messages")
    }
    fn visit_seq<A: SeqAccess<'de>>(self, mut list: A) -> Result<Self::Value, A::Error> {
        let mut all = Messages::default();
        while let Some(read) = list.next_element_seed(OneMessage(&self.0))? {
            let Some((message, error)) = read else { continue };
            match message.kind.as_deref() {
                Some("send") => all.sent += 1,
                Some("receive") => all.received += 1,
                Some("error") => {
                    all.failed = true;
                    if all.errors.len() < ERRORS {
                        all.errors.extend(error.filter(|text| !text.trim().is_empty()));
                    }
                    continue;
                }
                _ => continue,
            }
            all.last = match (all.last, message.time) {
                (Some(last), Some(time)) => Some(f64::max(last, time)),
                (last, time) => time.or(last),
            };
            if all.kept.len() < FRAMES_KEPT {
                all.kept.push(message);
            }
        }
        Ok(Some(all))
    }
    otherwise_nothing!(unit, bool, numbers, str, map);
}

struct OneMessage<'a>(&'a Strings);

impl<'de> DeserializeSeed<'de> for OneMessage<'_> {
    type Value = Option<(Message, Option<String>)>;
    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<Self::Value, D::Error> {
        deserializer.deserialize_any(self)
    }
}

impl<'de> Visitor<'de> for OneMessage<'_> {
    type Value = Option<(Message, Option<String>)>;
    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a message")
    }
    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Self::Value, A::Error> {
        let mut message = Message::default();
        let mut error = None;
        while let Some(key) = map.next_key::<String>()? {
            match key.as_str() {
                "type" => message.kind = map.next_value::<Text>()?.0,
                "time" => message.time = map.next_value::<Number>()?.0,
                "opcode" => message.opcode = map.next_value::<Number>()?.0,
                // An error's text is the browser's own; anything else is a payload.
                "data" if message.kind.as_deref() == Some("error") => {
                    error = map.next_value::<Text>()?.0;
                }
                "data" => {
                    self.0.take();
                    map.next_value::<IgnoredAny>()?;
                    let last = self.0.get();
                    (message.data, message.padding) = (last.bytes, last.padding);
                }
                _ => {
                    map.next_value::<IgnoredAny>()?;
                }
            }
        }
        Ok(Some((message, error)))
    }
    otherwise_nothing!(unit, bool, numbers, str);
    fn visit_seq<A: SeqAccess<'de>>(self, list: A) -> Result<Self::Value, A::Error> {
        drain_list(list)?;
        Ok(None)
    }
}
