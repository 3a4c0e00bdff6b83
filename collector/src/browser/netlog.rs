//! Chromium's network log (`--log-net-log`): what went over the wire, whom by,
//! and what a proxy said. One event a line; names stand in its head, so that
//! their numbers may change from version to version. What is not found in it is
//! left as the DevTools protocol told it.

use super::record::{Record, opcode, request_head, response_head, round, same_address};
use crate::wire::tls::summarise;
use base64::Engine as _;
use rustls::pki_types::CertificateDer;
use rustls::pki_types::pem::PemObject;
use serde_json::Value;
use std::collections::{BTreeSet, HashMap};
use std::io::{BufRead, BufReader, Read};
use std::path::Path;
use wss_bundle::ResponseHead;
use wss_bundle::browser::{
    BrowserFrame, BrowserHandshake, BrowserRequest, BrowserTls, FRAMES_KEPT,
};

/// Bytes read of a log. One of a minute has half a megabyte.
const LIMIT: u64 = 64 << 20;
/// Bytes of a head that are taken.
const HEAD_LIMIT: usize = 64 << 10;
/// How far relations between sources are followed.
const DEPTH: usize = 8;

/// The log, by source: a request, a job, a socket.
#[derive(Default)]
struct Log {
    sources: HashMap<u64, Source>,
    order: Vec<u64>,
}

#[derive(Default)]
struct Source {
    kind: String,
    events: Vec<Event>,
    related: Vec<u64>,
}

struct Event {
    name: String,
    time: f64,
    params: Value,
}

/// Adds what the log tells to what is recorded.
pub(super) fn enrich(record: &mut Record, path: &Path) {
    let Some(log) = read(path) else { return };
    let mut used = BTreeSet::new();
    let watched: Vec<f64> = record.drafts.iter().map(|draft| record.watched_ms(draft)).collect();
    for (draft, watched) in record.drafts.iter_mut().zip(watched) {
        let request = log.order.iter().copied().find(|id| {
            let url = log.sources.get(id).and_then(Source::url);
            !used.contains(id) && url.is_some_and(|url| same_address(url, &draft.seen.url))
        });
        let Some(id) = request else { continue };
        used.insert(id);
        log.tell(id, &mut draft.seen, draft.began_ms, watched);
    }
}

fn read(path: &Path) -> Option<Log> {
    let mut reader = BufReader::new(std::fs::File::open(path).ok()?.take(LIMIT));
    let (mut events, mut kinds) = (HashMap::new(), HashMap::new());
    let mut log = Log::default();
    let mut line = String::new();
    while reader.read_line(&mut line).is_ok_and(|read| read > 0) {
        let text = line.trim().trim_end_matches(',').trim_end_matches("]}");
        if let Some(head) = text.strip_prefix("{\"constants\":") {
            let constants: Value = serde_json::from_str(head).ok()?;
            events = numbers(&constants["logEventTypes"]);
            kinds = numbers(&constants["logSourceType"]);
        } else if text.starts_with('{')
            && let Ok(mut event) = serde_json::from_str::<Value>(text)
        {
            log.add(&mut event, &events, &kinds);
        }
        line.clear();
    }
    Some(log)
}

fn numbers(names: &Value) -> HashMap<u64, String> {
    let all = names.as_object().into_iter().flatten();
    all.filter_map(|(name, number)| Some((number.as_u64()?, name.clone()))).collect()
}

impl Source {
    fn url(&self) -> Option<&str> {
        let start = |event: &&Event| event.name == "URL_REQUEST_START_JOB";
        self.events.iter().find(start).and_then(|event| event.params["url"].as_str())
    }

    fn last(&self, name: &str) -> Option<&Event> {
        self.events.iter().rev().find(|event| event.name == name)
    }
}

impl Log {
    fn add(
        &mut self,
        event: &mut Value,
        events: &HashMap<u64, String>,
        kinds: &HashMap<u64, String>,
    ) {
        let (Some(id), Some(number)) = (event["source"]["id"].as_u64(), event["type"].as_u64())
        else {
            return;
        };
        let Some(name) = events.get(&number) else { return };
        let source = self.sources.entry(id).or_insert_with(|| {
            self.order.push(id);
            Source::default()
        });
        if source.kind.is_empty() {
            let kind = event["source"]["type"].as_u64().and_then(|kind| kinds.get(&kind));
            source.kind = kind.cloned().unwrap_or_default();
        }
        let params = event["params"].take();
        if let Some(other) = params["source_dependency"]["id"].as_u64() {
            source.related.push(other);
        }
        let time = match &event["time"] {
            Value::String(text) => text.parse().unwrap_or(0.0),
            number => number.as_f64().unwrap_or(0.0),
        };
        source.events.push(Event { name: name.clone(), time, params });
    }

    /// A request, and the jobs and sockets that served it, nearest first. An
    /// HTTP/2 session serves others as well: beyond it nothing is this request's.
    fn chain(&self, id: u64) -> Vec<&Source> {
        let (mut seen, mut ring) = (BTreeSet::new(), vec![id]);
        seen.insert(id);
        let mut out = Vec::new();
        for _ in 0..DEPTH {
            let mut next = Vec::new();
            for source in ring.iter().filter_map(|id| self.sources.get(id)) {
                out.push(source);
                if source.kind.contains("SESSION") || source.kind.contains("NETWORK_QUALITY") {
                    continue;
                }
                let fresh =
                    |other: &&u64| self.sources.get(other).is_some_and(|s| s.kind != "URL_REQUEST");
                next.extend(
                    source.related.iter().filter(fresh).filter(|other| seen.insert(**other)),
                );
            }
            ring = next;
        }
        out
    }

    fn tell(&self, id: u64, seen: &mut BrowserHandshake, began_ms: f64, watched: f64) {
        let chain = self.chain(id);
        let Some(own) = chain.first() else { return };
        heads(own, seen);
        let find = |name: &str| chain.iter().find_map(|source| source.last(name));
        if let Some(event) = find("PROXY_RESOLUTION_SERVICE_RESOLVED_PROXY_LIST") {
            seen.route = event.params["proxy_info"].as_str().map(route);
        }
        if let Some(event) = find("HTTP_TRANSACTION_READ_TUNNEL_RESPONSE_HEADERS") {
            seen.tunnel = lines(&event.params["headers"], None).and_then(response_head);
        }
        if seen.remote.is_none()
            && let Some(event) = find("TCP_CONNECT")
        {
            seen.remote = event.params["remote_address"].as_str().map(str::to_owned);
        }
        if let Some(event) = find("SSL_CERTIFICATES_RECEIVED")
            && let Some(pem) = event.params["certificates"][0].as_str()
            && let Ok(leaf) = CertificateDer::from_pem_slice(pem.as_bytes())
        {
            let tls = seen.tls.get_or_insert_with(BrowserTls::default);
            tls.certificate = Some(summarise(&leaf));
        }
        if seen.kind == BrowserRequest::Websocket {
            if seen.response.is_none()
                && let Some(sent) = own.last("HTTP_TRANSACTION_SEND_REQUEST_HEADERS")
            {
                seen.response = refusal(&chain, sent.time, seen.tunnel.as_ref());
            }
            if seen.opened_ms.is_none()
                && let Some(error) = self.error(own)
            {
                // The protocol says it in words; here it has its name.
                if let Some(words) = seen.error.replace(error)
                    && !seen.console.iter().any(|line| line.contains(&words))
                {
                    seen.console.push(words);
                }
            }
            frames(own, seen, began_ms, watched);
        }
    }

    /// Name of the error that ended a request. -3 is its own end, -173 the way in
    /// which a request becomes a WebSocket.
    fn error(&self, own: &Source) -> Option<String> {
        let failed = own.events.iter().rev().find(|event| {
            event.params["net_error"]
                .as_i64()
                .is_some_and(|number| number < 0 && number != -3 && number != -173)
        })?;
        let number = failed.params["net_error"].as_i64()?;
        Some(
            NET_ERRORS.iter().find(|(n, _)| *n == number).map_or_else(
                || format!("net error {number}"),
                |(_, name)| format!("net::ERR_{name}"),
            ),
        )
    }
}

/// The errors that a handshake can end with (Chromium's `net_error_list.h`).
const NET_ERRORS: [(i64, &str); 38] = [
    (-7, "TIMED_OUT"),
    (-10, "ACCESS_DENIED"),
    (-15, "SOCKET_NOT_CONNECTED"),
    (-20, "BLOCKED_BY_CLIENT"),
    (-21, "NETWORK_CHANGED"),
    (-22, "BLOCKED_BY_ADMINISTRATOR"),
    (-27, "BLOCKED_BY_RESPONSE"),
    (-30, "BLOCKED_BY_CSP"),
    (-100, "CONNECTION_CLOSED"),
    (-101, "CONNECTION_RESET"),
    (-102, "CONNECTION_REFUSED"),
    (-103, "CONNECTION_ABORTED"),
    (-104, "CONNECTION_FAILED"),
    (-105, "NAME_NOT_RESOLVED"),
    (-106, "INTERNET_DISCONNECTED"),
    (-107, "SSL_PROTOCOL_ERROR"),
    (-109, "ADDRESS_UNREACHABLE"),
    (-110, "SSL_CLIENT_AUTH_CERT_NEEDED"),
    (-111, "TUNNEL_CONNECTION_FAILED"),
    (-113, "SSL_VERSION_OR_CIPHER_MISMATCH"),
    (-115, "PROXY_AUTH_UNSUPPORTED"),
    (-118, "CONNECTION_TIMED_OUT"),
    (-120, "SOCKS_CONNECTION_FAILED"),
    (-127, "PROXY_AUTH_REQUESTED"),
    (-130, "PROXY_CONNECTION_FAILED"),
    (-136, "PROXY_CERTIFICATE_INVALID"),
    (-200, "CERT_COMMON_NAME_INVALID"),
    (-201, "CERT_DATE_INVALID"),
    (-202, "CERT_AUTHORITY_INVALID"),
    (-206, "CERT_REVOKED"),
    (-207, "CERT_INVALID"),
    (-312, "UNSAFE_PORT"),
    (-320, "INVALID_RESPONSE"),
    (-324, "EMPTY_RESPONSE"),
    (-337, "HTTP2_PROTOCOL_ERROR"),
    (-370, "INVALID_HTTP_RESPONSE"),
    (-384, "BLOCKED_BY_PRIVATE_NETWORK_ACCESS_CHECKS"),
    (-385, "BLOCKED_BY_LOCAL_NETWORK_ACCESS_CHECKS"),
];

fn heads(own: &Source, seen: &mut BrowserHandshake) {
    if let Some(sent) = own.last("HTTP_TRANSACTION_SEND_REQUEST_HEADERS") {
        let line = sent.params["line"].as_str().map(str::trim_end);
        if let Some(text) = lines(&sent.params["headers"], line) {
            seen.request = request_head(text);
            seen.exact = true;
        }
        if seen.kind == BrowserRequest::Websocket {
            seen.protocol = Some("http/1.1".into());
        }
    } else if let Some(sent) = own.last("HTTP_TRANSACTION_HTTP2_SEND_REQUEST_HEADERS") {
        let names = &sent.params["headers"];
        let pseudo = |name: &str| {
            let all = names.as_array().into_iter().flatten().filter_map(Value::as_str);
            let prefix = format!("{name}: ");
            all.filter_map(|line| line.strip_prefix(&prefix).map(str::to_owned)).next()
        };
        let method = pseudo(":method").unwrap_or_else(|| "GET".into());
        let path = pseudo(":path").unwrap_or_else(|| "/".into());
        if let Some(text) = lines(names, Some(&format!("{method} {path} HTTP/2"))) {
            seen.request = request_head(text);
            seen.exact = true;
        }
        seen.protocol = Some("h2".into());
    }
    if let Some(got) = own.last("HTTP_TRANSACTION_READ_RESPONSE_HEADERS")
        && let Some(text) = lines(&got.params["headers"], None)
        && (seen.response.is_none() || seen.multiplexed())
    {
        // HTTP/2 has no status line; the log writes HTTP/1.1's.
        let text = if seen.multiplexed() { text.replacen("HTTP/1.1", "HTTP/2", 1) } else { text };
        seen.response = response_head(text);
    }
}

/// The head of the answer to a refused handshake, from the socket's bytes. What
/// came in the same millisecond before it is the proxy's answer to CONNECT.
fn refusal(chain: &[&Source], since: f64, tunnel: Option<&ResponseHead>) -> Option<ResponseHead> {
    let bytes_of = |name: &str| {
        let mut bytes = Vec::new();
        for source in chain {
            for event in source.events.iter().filter(|e| e.name == name && e.time >= since) {
                let piece = event.params["bytes"].as_str().unwrap_or_default();
                bytes.extend(base64::engine::general_purpose::STANDARD.decode(piece).ok()?);
                if bytes.len() > HEAD_LIMIT {
                    return Some(bytes);
                }
            }
        }
        Some(bytes).filter(|bytes| !bytes.is_empty())
    };
    // With TLS, a socket's own bytes are ciphertext.
    let encrypted = chain.iter().any(|source| source.last("SSL_CONNECT").is_some());
    let bytes = if encrypted {
        bytes_of("SSL_SOCKET_BYTES_RECEIVED")?
    } else {
        bytes_of("SOCKET_BYTES_RECEIVED")?
    };
    let mut rest = bytes.as_slice();
    while rest.starts_with(b"HTTP/") {
        let end = rest.windows(4).position(|w| w == b"\r\n\r\n")? + 4;
        let head = ResponseHead::new(&rest[..end]);
        let of_tunnel = tunnel.is_some_and(|tunnel| tunnel.status_line() == head.status_line());
        if !(of_tunnel && rest[end..].starts_with(b"HTTP/")) {
            return Some(head);
        }
        rest = &rest[end..];
    }
    None
}

/// A head from the log's list of lines; of credentials the log has only lengths.
fn lines(list: &Value, first: Option<&str>) -> Option<String> {
    let list = list.as_array()?;
    let mut out = String::new();
    for line in first.into_iter().chain(list.iter().filter_map(Value::as_str)) {
        out.extend(line.chars().filter(|c| !c.is_control()));
        out.push_str("\r\n");
    }
    out.push_str("\r\n");
    Some(out)
}

/// Frames as they were on the wire, control frames as well.
fn frames(own: &Source, seen: &mut BrowserHandshake, began_ms: f64, watched: f64) {
    let all: Vec<BrowserFrame> = own
        .events
        .iter()
        .filter_map(|event| {
            let sent = match event.name.as_str() {
                "WEBSOCKET_SENT_FRAME_HEADER" => true,
                "WEBSOCKET_RECV_FRAME_HEADER" => false,
                _ => return None,
            };
            let at_ms = round((event.time - began_ms).max(0.0));
            Some(BrowserFrame {
                sent,
                opcode: opcode(event.params["opcode"].as_i64().unwrap_or(-1)),
                bytes: event.params["payload_length"].as_u64().unwrap_or(0),
                at_ms: Some(at_ms),
            })
        })
        // Later ones are answers to our closing it.
        .filter(|frame| frame.at_ms.is_some_and(|at| at <= watched))
        .collect();
    if all.is_empty() {
        return;
    }
    seen.frames_sent = all.iter().filter(|frame| frame.sent).count() as u64;
    seen.frames_received = all.iter().filter(|frame| !frame.sent).count() as u64;
    seen.frames = all.into_iter().take(FRAMES_KEPT).collect();
}

/// `PROXY host:port` → `proxy http://host:port`, the name that routes have here.
fn route(info: &str) -> String {
    let first = info.split(';').next().unwrap_or_default().trim();
    let (kind, place) = first.split_once(' ').unwrap_or((first, ""));
    match kind {
        "DIRECT" => "direct".to_owned(),
        "PROXY" => format!("proxy http://{place}"),
        "HTTPS" => format!("proxy https://{place}"),
        "SOCKS5" => format!("proxy socks5://{place}"),
        "SOCKS" | "SOCKS4" => format!("proxy socks4://{place}"),
        _ => first.to_owned(),
    }
}
