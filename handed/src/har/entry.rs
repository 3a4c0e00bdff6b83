//! From an entry to what a browser saw: which entries are taken, and what of them.

use super::dialect::{Dialect, round};
use super::lenient::Maybe;
use super::log::{Entry, Header, Message, Page, Program, Request, Response, Sink};
use super::{Attachment, AttachmentKind, HOW, Har, strip};
use chrono::{DateTime, Utc};
use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write as _;
use url::Url;
use wss_bundle::browser::{ALIKE_KEPT, Alike, BrowserFrame, BrowserHandshake, BrowserRequest};
use wss_bundle::redact::Redactor;
use wss_bundle::{Bytes, ResponseHead, Target};

/// WebSockets kept of one file, and of one path with one outcome: a console
/// that cannot connect tries again every few seconds.
const SOCKETS: usize = 24;
const SOCKETS_ALIKE: usize = 6;
/// Documents kept.
const DOCUMENTS: usize = 8;
/// Bytes kept of one head.
const HEAD: usize = 16 << 10;
/// Bytes kept of one other text.
const TEXT: usize = 1000;

/// What makes two sockets alike, for a person who looks at the list.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
struct Likeness {
    path: String,
    status: Option<u16>,
    ended: bool,
    left: bool,
    words: Option<String>,
}

impl Likeness {
    fn of(seen: &BrowserHandshake) -> Self {
        Self {
            path: seen.path().to_owned(),
            status: seen.status(),
            ended: seen.closed.is_some(),
            left: wss_diagnosis::evidence::browser::left(seen),
            words: seen.console.first().or(seen.error.as_ref()).cloned(),
        }
    }
}

/// Takes entries, and keeps what belongs to the target.
pub(super) struct Collector<'a> {
    target: &'a Target,
    source: String,
    entry_name: String,
    redactor: Redactor,
    programs: Vec<Program>,
    pages: BTreeSet<String>,
    seen: Vec<BrowserHandshake>,
    alike: BTreeMap<Likeness, usize>,
    more_sockets: usize,
    /// Of those, how many are of no kind of which one was taken.
    not_counted: usize,
    /// Hosts of WebSockets that are not the target's.
    elsewhere: BTreeSet<String>,
    entries: u64,
    /// Until when the recording went on, as far as its entries tell.
    until: Option<DateTime<Utc>>,
    warnings: Vec<String>,
    name: String,
}

impl Sink for Collector<'_> {
    fn creator(&mut self, program: Program) {
        if self.programs.len() < 4 {
            self.programs.push(program);
        }
    }

    fn page(&mut self, page: Page) {
        if let Some(url) = page.title.0.as_deref().and_then(|title| Url::parse(title).ok()) {
            self.pages.insert(bare(&url));
        }
    }

    fn entry(&mut self, entry: Entry) {
        self.entries += 1;
        self.until = self.until.max(end(&entry));
        let Some(url) = entry.request.url.0.as_deref().and_then(|url| Url::parse(url).ok()) else {
            return;
        };
        let kind = if is_socket(&entry, &url) {
            BrowserRequest::Websocket
        } else if self.is_document(&entry, &url) {
            BrowserRequest::Document
        } else {
            return;
        };
        if !self.is_target(&url) {
            if kind == BrowserRequest::Websocket && self.elsewhere.len() < 5 {
                self.elsewhere.insert(authority(&url));
            }
            return;
        }
        let seen = self.handshake(entry, &url, kind);
        self.keep(seen);
    }
}

impl<'a> Collector<'a> {
    pub(super) fn new(name: &str, target: &'a Target) -> Self {
        let name = if name.is_empty() { "console.har" } else { name };
        // What is kept is a HAR, however it came.
        let packed = name.strip_suffix(".gz").or(name.strip_suffix(".zip"));
        let own = packed.unwrap_or(name);
        let plain = own.ends_with(".har") || (packed.is_none() && !own.contains('.'));
        let name = &match plain {
            true => own.to_owned(),
            false => format!("{}.har", own.trim_end_matches(".json")),
        };
        Self {
            target,
            source: format!("har:{name}"),
            entry_name: format!("attachments/{name}"),
            redactor: Redactor::new(),
            programs: Vec::new(),
            pages: BTreeSet::new(),
            seen: Vec::new(),
            alike: BTreeMap::new(),
            more_sockets: 0,
            not_counted: 0,
            elsewhere: BTreeSet::new(),
            entries: 0,
            until: None,
            warnings: Vec::new(),
            name: name.to_owned(),
        }
    }

    /// Whether nothing was read that tells anything.
    pub(super) fn is_empty(&self) -> bool {
        self.seen.is_empty()
    }

    pub(super) fn warn(&mut self, warning: String) {
        self.warnings.push(warning);
    }

    pub(super) fn finish(mut self, shown: &str) -> Har {
        let sockets = self.seen.iter().filter(|s| s.kind == BrowserRequest::Websocket).count();
        if sockets == 0 {
            let what = if self.elsewhere.is_empty() {
                format!("no WebSocket is in it ({} requests)", self.entries)
            } else {
                let hosts: Vec<&str> = self.elsewhere.iter().map(String::as_str).collect();
                format!("its WebSockets are to other hosts: {}", hosts.join(", "))
            };
            self.warnings.push(format!(
                "{shown} has no WebSocket to {}: {what}; {HOW}",
                self.target.host_port()
            ));
        }
        if self.more_sockets > 0 {
            let lost = match self.not_counted {
                0 => String::new(),
                lost => format!("; {lost} of them went otherwise, and are left out"),
            };
            self.warnings.push(format!(
                "{shown} has {} more WebSockets that went like those that were taken: they are \
                 counted, without their headers{lost}",
                self.more_sockets
            ));
        }
        self.waited();
        let by_creator = self.by_creator();
        for seen in &mut self.seen {
            if seen.browser.is_none() {
                seen.browser.clone_from(&by_creator);
            }
        }
        let attachment = Attachment {
            name: self.name.clone(),
            kind: AttachmentKind::Har,
            vantage: None,
            path: None,
            bytes: strip::har(&self.seen, by_creator.as_deref()),
        };
        Har {
            removed: self.redactor.redactions(),
            seen: self.seen,
            attachment,
            warnings: self.warnings,
        }
    }

    /// Of a handshake that still waits Chromium writes no time at all: it waited at least
    /// for as long as the recording shows anything.
    fn waited(&mut self) {
        if Dialect::of(&self.programs) != Dialect::Chromium {
            return;
        }
        let open = |seen: &&mut BrowserHandshake| {
            seen.kind == BrowserRequest::Websocket
                && seen.response.is_none()
                && seen.closed.is_none()
                && seen.watched_ms.is_none()
        };
        for seen in self.seen.iter_mut().filter(open) {
            let span = self.until.zip(seen.at).map(|(until, at)| until - at);
            seen.watched_ms =
                span.map(|span| span.num_milliseconds() as f64).filter(|ms| *ms > 0.0);
        }
    }

    /// `Firefox 128.0`, from the HAR's own words.
    fn by_creator(&self) -> Option<String> {
        // Firefox writes `creator` and `browser`; of Chrome's only the engine shows.
        let program = self.programs.last()?;
        let name = clip(program.name.0.as_deref()?, 60);
        let version = clip(program.version.0.as_deref().unwrap_or_default(), 40);
        Some(match name.as_str() {
            "WebInspector" => "Chromium".to_owned(),
            "WebKit Web Inspector" => "Safari".to_owned(),
            _ => format!("{name} {version}").trim().to_owned(),
        })
    }

    fn is_target(&self, url: &Url) -> bool {
        let host = url.host_str().unwrap_or_default().trim_matches(['[', ']']);
        let host = host.trim_end_matches('.');
        host.eq_ignore_ascii_case(&self.target.host)
            && url.port_or_known_default() == Some(self.target.port)
    }

    fn is_document(&self, entry: &Entry, url: &Url) -> bool {
        if !matches!(url.scheme(), "http" | "https") {
            return false;
        }
        match entry.resource_type.as_deref() {
            Some(kind) => kind == "document",
            None => {
                header(&entry.request, "sec-fetch-dest") == Some("document")
                    || self.pages.contains(&bare(url))
            }
        }
    }

    fn keep(&mut self, seen: BrowserHandshake) {
        let of_kind = self.seen.iter().filter(|other| other.kind == seen.kind).count();
        if seen.kind == BrowserRequest::Document {
            if of_kind < DOCUMENTS {
                self.seen.push(seen);
            }
            return;
        }
        let likeness = Likeness::of(&seen);
        let alike = self.alike.entry(likeness.clone()).or_default();
        if of_kind < SOCKETS && *alike < SOCKETS_ALIKE {
            *alike += 1;
            self.seen.push(seen);
            return;
        }
        self.more_sockets += 1;
        let of = |one: &&mut BrowserHandshake| Likeness::of(one) == likeness;
        let known = self.seen.iter_mut().rev().find(of);
        // Of its kind none was kept: it stands with those of its path and answer.
        let known = match known {
            Some(known) => known,
            None => {
                let near = |one: &&mut BrowserHandshake| {
                    one.kind == seen.kind
                        && one.path() == seen.path()
                        && one.status() == seen.status()
                };
                match self.seen.iter_mut().rev().find(near) {
                    Some(near) => near,
                    None => {
                        self.not_counted += 1;
                        return;
                    }
                }
            }
        };
        if known.alike.len() < ALIKE_KEPT {
            known.alike.push(Alike {
                at: seen.at,
                last_frame_ms: seen.last_frame_ms,
                left: likeness.left,
                closed: seen.closed,
            });
        } else {
            known.alike_more += 1;
        }
    }

    fn handshake(&mut self, entry: Entry, url: &Url, kind: BrowserRequest) -> BrowserHandshake {
        let shown = self.clean_url(url, kind);
        let mut seen = BrowserHandshake::new(&self.source, kind, shown);
        seen.browser = header(&entry.request, "user-agent").and_then(by_user_agent);
        seen.at = entry
            .started
            .as_deref()
            .and_then(|text| DateTime::parse_from_rfc3339(text).ok())
            .map(|at| at.with_timezone(&Utc));
        seen.protocol = [&entry.response.http_version, &entry.request.http_version]
            .into_iter()
            .find_map(|version| protocol(version.0.as_deref()?));
        if !entry.request.headers.0.is_empty() {
            seen.request = Some(self.request_head(&entry.request, url, seen.multiplexed()));
        }
        seen.response = self.response_head(&entry.response, seen.multiplexed());
        let error = entry.response.error.0.as_deref().filter(|error| !error.is_empty());
        seen.error = error.map(|error| self.text(error));
        let dialect = Dialect::of(&self.programs);
        seen.remote = remote(&entry, dialect);
        dialect.times(&entry, &mut seen);
        if let Some(messages) = entry.messages {
            seen.console = messages.errors.iter().map(|line| self.text(line)).collect();
            (seen.frames_sent, seen.frames_received) = (messages.sent, messages.received);
            let at = seen.at;
            seen.last_frame_ms = messages.last.zip(at).map(|(last, at)| since(last, at));
            seen.frames = messages.kept.iter().filter_map(|message| frame(message, at)).collect();
        }
        let failure = entry.response.failure.0.as_deref().filter(|text| !text.trim().is_empty());
        if let Some(line) = failure {
            let line = self.text(line);
            seen.console.push(line);
        }
        seen
    }

    fn text(&mut self, text: &str) -> String {
        self.redactor.text(&self.entry_name, "error", &clip(text, TEXT))
    }

    /// The URL that the bundle gets; a WebSocket's scheme is `ws` or `wss`.
    fn clean_url(&mut self, url: &Url, kind: BrowserRequest) -> String {
        let scheme = match (kind, url.scheme()) {
            (BrowserRequest::Websocket, "https" | "wss") => "wss",
            (BrowserRequest::Websocket, _) => "ws",
            (BrowserRequest::Document, scheme) => scheme,
        };
        let text = format!("{scheme}://{}{}", authority(url), self.path_and_query(url));
        clip(&text, TEXT)
    }

    fn path_and_query(&mut self, url: &Url) -> String {
        let path = clip(url.path(), TEXT);
        let path = self.redactor.text(&self.entry_name, "url", &path);
        let query = url.query().map_or(String::new(), |_| {
            let names: Vec<String> =
                url.query_pairs().take(20).map(|(name, _)| clip(&name, 40)).collect();
            self.redactor.removed_before(&[wss_bundle::Redaction {
                entry: self.entry_name.clone(),
                place: "url".into(),
                kind: "query-value".into(),
                count: names.len() as u64,
            }]);
            let clean = |name: &String| {
                let kept = name.chars().filter(|c| c.is_ascii_alphanumeric() || "-_.".contains(*c));
                format!("{}=[removed]", kept.collect::<String>())
            };
            format!("?{}", names.iter().map(clean).collect::<Vec<_>>().join("&"))
        });
        format!("{path}{query}")
    }

    fn request_head(&mut self, request: &Request, url: &Url, multiplexed: bool) -> Bytes {
        let method = clip(request.method.0.as_deref().unwrap_or("GET"), 20);
        let path = self.path_and_query(url);
        let version = if multiplexed { "HTTP/2" } else { "HTTP/1.1" };
        let mut head = format!("{} {path} {version}\r\n", one_line(&method));
        self.headers(&mut head, &request.headers.0, "request");
        Bytes(head.into_bytes())
    }

    fn response_head(&mut self, response: &Response, multiplexed: bool) -> Option<ResponseHead> {
        let status = response.status.0.filter(|status| (100.0..1000.0).contains(status))?;
        let version = if multiplexed { "HTTP/2" } else { "HTTP/1.1" };
        let reason = one_line(&clip(response.status_text.0.as_deref().unwrap_or_default(), 100));
        let mut head = format!("{version} {status:.0} {reason}\r\n");
        self.headers(&mut head, &response.headers.0, "response");
        Some(ResponseHead::new(head))
    }

    fn headers(&mut self, head: &mut String, headers: &[Maybe<Header>], place: &str) {
        for one in headers.iter().filter_map(|one| one.0.as_ref()) {
            let (Some(name), value) = (&one.name.0, one.value.0.as_deref().unwrap_or_default())
            else {
                continue;
            };
            let name = one_line(&clip(name, 100));
            // Firefox and Safari join repeated headers by line breaks.
            for line in value.split('\n').take(20) {
                let line = one_line(&clip(line, 4096));
                let mut value = self.redactor.header(&self.entry_name, place, &name, &line);
                // Some servers take a token as a subprotocol.
                if name.eq_ignore_ascii_case("sec-websocket-protocol") {
                    value = self.redactor.text(&self.entry_name, place, &value);
                }
                if head.len() + name.len() + value.len() < HEAD {
                    let _ = write!(head, "{name}: {value}\r\n");
                }
            }
        }
        head.push_str("\r\n");
    }
}

/// When an entry's exchange ended; when it began, where it has no time.
fn end(entry: &Entry) -> Option<DateTime<Utc>> {
    let began = DateTime::parse_from_rfc3339(entry.started.as_deref()?).ok()?.with_timezone(&Utc);
    // Nobody records for longer than a month.
    let took = entry.time.filter(|ms| (0.0..3e9).contains(ms)).unwrap_or(0.0);
    began.checked_add_signed(chrono::TimeDelta::milliseconds(took as i64))
}

fn is_socket(entry: &Entry, url: &Url) -> bool {
    entry.resource_type.as_deref() == Some("websocket")
        || entry.messages.is_some()
        || matches!(url.scheme(), "ws" | "wss")
        || header(&entry.request, "upgrade").is_some_and(|v| v.eq_ignore_ascii_case("websocket"))
        || header(&entry.request, "sec-websocket-key").is_some()
}

fn header<'r>(request: &'r Request, name: &str) -> Option<&'r str> {
    request
        .headers
        .0
        .iter()
        .filter_map(|one| one.0.as_ref())
        .find(|one| one.name.0.as_deref().is_some_and(|n| n.eq_ignore_ascii_case(name)))
        .and_then(|one| one.value.0.as_deref())
}

/// Family and major version, from `User-Agent`.
#[must_use]
pub fn by_user_agent(text: &str) -> Option<String> {
    let version = |mark: &str| {
        let rest = &text[text.find(mark)? + mark.len()..];
        let digits: String = rest.chars().take_while(char::is_ascii_digit).take(6).collect();
        (!digits.is_empty()).then_some(digits)
    };
    for (mark, name) in [
        ("Edg/", "Edge"),
        ("OPR/", "Opera"),
        ("HeadlessChrome/", "Chrome"),
        ("Chrome/", "Chrome"),
        ("Firefox/", "Firefox"),
        ("Version/", "Safari"),
    ] {
        if let Some(version) = version(mark) {
            return Some(format!("{name} {version}"));
        }
    }
    None
}

/// ALPN's name of a version.
fn protocol(version: &str) -> Option<String> {
    let name = match version.to_ascii_lowercase().as_str() {
        "http/1.1" => "http/1.1",
        "http/1.0" => "http/1.0",
        "h2" | "http/2" | "http/2.0" => "h2",
        "h3" | "http/3" | "http/3.0" | "h3-29" => "h3",
        _ => return None,
    };
    Some(name.to_owned())
}

/// Firefox tells the port, as `connection`; Chrome's `connection` is a number of its own.
fn remote(entry: &Entry, dialect: Dialect) -> Option<String> {
    let address: std::net::IpAddr =
        entry.address.as_deref()?.trim_matches(['[', ']']).parse().ok()?;
    let firefox = dialect == Dialect::Firefox;
    let port = entry.connection.as_deref().and_then(|port| port.parse::<u16>().ok());
    Some(match port.filter(|_| firefox) {
        Some(port) => std::net::SocketAddr::new(address, port).to_string(),
        None => address.to_string(),
    })
}

fn frame(message: &Message, began: Option<DateTime<Utc>>) -> Option<BrowserFrame> {
    let sent = message.kind.as_deref() == Some("send");
    let opcode = match message.opcode? as i64 {
        0 => "continuation".to_owned(),
        1 => "text".to_owned(),
        2 => "binary".to_owned(),
        8 => "close".to_owned(),
        9 => "ping".to_owned(),
        10 => "pong".to_owned(),
        other => other.to_string(),
    };
    // Binary payloads are base64 in a HAR.
    let bytes = match opcode.as_str() {
        "text" => message.data,
        _ => (message.data / 4 * 3).saturating_sub(message.padding.min(2)),
    };
    let at_ms = message.time.zip(began).map(|(time, began)| since(time, began));
    Some(BrowserFrame { sent, opcode, bytes, at_ms })
}

/// Seconds since 1970; some programs write milliseconds.
fn since(time: f64, began: DateTime<Utc>) -> f64 {
    let ms = if time > 1e11 { time } else { time * 1e3 };
    round(ms - began.timestamp_micros() as f64 / 1e3)
}

/// Host and port, without userinfo.
fn authority(url: &Url) -> String {
    let host = url.host_str().unwrap_or_default();
    url.port().map_or_else(|| host.to_owned(), |port| format!("{host}:{port}"))
}

/// To compare pages: no query, no fragment.
fn bare(url: &Url) -> String {
    format!("{}://{}{}", url.scheme(), authority(url), url.path())
}

fn one_line(text: &str) -> String {
    text.chars().filter(|c| !c.is_control()).collect()
}

fn clip(text: &str, most: usize) -> String {
    if text.len() <= most {
        return text.to_owned();
    }
    let end = (0..=most).rev().find(|at| text.is_char_boundary(*at)).unwrap_or(0);
    text[..end].to_owned()
}
