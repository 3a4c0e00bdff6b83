//! Who wrote a response, and what kind of answer it is.

use crate::model::{Cause, Confidence, DeviceRole, Side};
use crate::said::{self, Row, Says};
use crate::signature::{Match, Response, Signatures, by_route};
use wss_bundle::accept::{Fit, fit};
use wss_bundle::observation::HttpReply;
use wss_bundle::{Observation, ResponseHead};

/// Who wrote a response.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Author {
    /// The Bindplane server: its own marks are in the answer.
    Origin,
    /// A device on the path, by its own error page or shape.
    Device {
        /// What it does on the path.
        role: DeviceRole,
        /// On whose side it stands.
        side: Side,
        /// Its name.
        name: String,
    },
    /// Cannot be told.
    Unknown,
}

/// What kind of answer a response to an upgrade (or its plain twin) is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ReplyKind {
    /// A 101 that fulfils RFC 6455 section 4.1.
    Switched,
    /// A 101 that does not, or its headers under another status.
    BadSwitch,
    /// A WebSocket server that saw a request without upgrade headers: 400 or
    /// 426 with `Sec-WebSocket-Version` (RFC 6455 section 4.4), or gqlgen's
    /// own words for it.
    NotAnUpgrade,
    /// The console's page shell: the server does not know this path.
    PageShell,
    /// 401.
    Unauthorized,
    /// 403.
    Forbidden,
    /// 404.
    NotFound,
    /// 3xx.
    Redirect,
    /// 464: AWS ALB's "protocol version mismatch with the target group".
    ProtocolMismatch,
    /// 502 (and tinyproxy's 500).
    BadGateway,
    /// 503.
    Unavailable,
    /// 504.
    GatewayTimeout,
    /// Any other 2xx.
    OtherSuccess,
    /// Anything else.
    Other,
}

/// One response with what can be read out of it.
pub struct Reply<'a> {
    /// The observation it stands in.
    pub observation: &'a Observation,
    /// The response.
    pub reply: &'a HttpReply,
    /// Status code (0 when the line has none).
    pub status: u16,
    /// What kind of answer it is.
    pub kind: ReplyKind,
    /// Who wrote it.
    pub author: Author,
    /// Devices whose marks are on it, whether or not they wrote it.
    pub devices: Vec<Match<'a>>,
    /// What the status table knows of it; never of the server's own answers.
    pub said: Option<&'static Row>,
}

impl<'a> Reply<'a> {
    /// Reads a response. `expected_accept` is set for upgrades over HTTP/1.1;
    /// `by_proxy` says whether it came by a proxy that this machine knows of.
    #[must_use]
    pub fn new(
        observation: &'a Observation,
        reply: &'a HttpReply,
        expected_accept: Option<&str>,
        by_proxy: bool,
        signatures: &'a Signatures,
    ) -> Self {
        let head = &reply.head;
        let status = head.status().unwrap_or(0);
        let body = reply.body.bytes.text();
        let response = Response { status: head.status(), head, body: &body };
        let devices = by_route(signatures.match_response(&response), by_proxy);
        let kind = kind_of(status, head, &body, expected_accept);
        let own = matches!(
            kind,
            ReplyKind::Switched
                | ReplyKind::BadSwitch
                | ReplyKind::NotAnUpgrade
                | ReplyKind::PageShell
        );
        let said = if own { None } else { said::read(&response, &devices) };
        let kind = said.map_or(kind, |row| kind_said(kind, row));
        let author = author_of(kind, head, &body, &devices, said);
        Self { observation, reply, status, kind, author, devices, said }
    }

    /// Whether the status table says so of it.
    #[must_use]
    pub fn says(&self, what: Says) -> bool {
        self.said.is_some_and(|row| row.says == what)
    }

    /// The headers that show that a file was sent, and not the server's own answer:
    /// Bindplane's pages are compiled in, and have no date (facts: none of the
    /// three, and `Vary: Origin` on everything).
    #[must_use]
    pub fn from_disk(&self) -> Option<Vec<&'static str>> {
        file_headers(self.status, &self.reply.head)
    }

    /// The status line, for citations.
    #[must_use]
    pub fn line(&self) -> String {
        self.reply.head.status_line()
    }

    /// Name and version of the device that wrote it or passed it on, for
    /// sentences. The origin is where it came from, and no device on the way.
    #[must_use]
    pub fn device_name(&self) -> Option<String> {
        let device = self.devices.iter().find(|m| m.signature.role != DeviceRole::Origin);
        device.map(|m| match &m.version {
            Some(version) => format!("{} {version}", m.signature.name),
            None => m.signature.name.clone(),
        })
    }

    /// Whether a front end that ends TLS says, in HTTP, that it wants a client
    /// certificate: nginx (its codes 495 and 496, sent as 400), IIS, and setups of
    /// others with 403.
    #[must_use]
    pub fn asks_for_certificate(&self) -> bool {
        self.says(Says::WantsCertificate)
            || self.status == 403
                && ["No required SSL certificate was sent", "The SSL certificate error"]
                    .iter()
                    .any(|words| self.reply.body.bytes.text().contains(words))
    }

    /// Whether a port that speaks TLS says, in plain text, that it does: nginx, Go,
    /// Apache, Kong.
    #[must_use]
    pub fn wants_tls(&self) -> bool {
        self.says(Says::WantsTls)
    }

    /// Whether it is a header or a status that Bindplane's own answers have.
    #[must_use]
    pub fn has_the_origins_manners(&self) -> bool {
        origins_manners(&self.reply.head)
    }

    /// Whether two responses tell the same: status and kind of answer.
    #[must_use]
    pub fn same_answer(&self, other: &Self) -> bool {
        self.status == other.status && self.kind == other.kind
    }
}

/// Why a 101 is not valid (RFC 6455 section 4.1), or `None` when it is.
#[must_use]
pub fn invalid_switch(head: &ResponseHead, expected_accept: Option<&str>) -> Option<String> {
    if !head.has_token("upgrade", "websocket") {
        return Some("it has no `Upgrade: websocket`".into());
    }
    if !head.has_token("connection", "upgrade") {
        return Some("it has no `Connection: Upgrade`".into());
    }
    let got = head.header("sec-websocket-accept");
    match fit(expected_accept, got.as_deref()) {
        Fit::Missing => Some("it has no `Sec-WebSocket-Accept`".into()),
        Fit::Another => Some(format!(
            "its `Sec-WebSocket-Accept` is {} where the key that was sent asks for {}: something on \
             the path made its own handshake",
            got.unwrap_or_default(),
            expected_accept.unwrap_or_default()
        )),
        Fit::Right | Fit::Untold => None,
    }
}

/// `Vary: Origin` on everything, and an Origin that is let through (gin-cors).
fn origins_manners(head: &ResponseHead) -> bool {
    head.has_token("vary", "origin") || head.header("access-control-allow-origin").is_some()
}

fn file_headers(status: u16, head: &ResponseHead) -> Option<Vec<&'static str>> {
    let has = |name: &str| head.header(name).is_some();
    let stored = [
        ("x-amz-request-id", "x-amz-request-id (an S3 bucket)"),
        ("x-goog-generation", "x-goog-generation (a Google Cloud bucket)"),
        ("x-ms-blob-type", "x-ms-blob-type (an Azure blob)"),
    ];
    let mut found: Vec<&'static str> =
        [("last-modified", "Last-Modified"), ("etag", "ETag"), ("accept-ranges", "Accept-Ranges")]
            .into_iter()
            .chain(stored)
            .filter(|(name, _)| has(name))
            .map(|(_, shown)| shown)
            .collect();
    let dated = found.first() == Some(&"Last-Modified") && found.len() > 1;
    let file = matches!(status, 200 | 206 | 304) && dated && !origins_manners(head);
    found.truncate(4);
    file.then_some(found)
}

/// A status that is one program's own is the kind that it leads to.
fn kind_said(kind: ReplyKind, row: &Row) -> ReplyKind {
    match (kind, row.leads) {
        (ReplyKind::Other, Cause::BadGateway) => ReplyKind::BadGateway,
        (ReplyKind::Other, Cause::NoHealthyBackend) if row.says != Says::Crashed => {
            ReplyKind::Unavailable
        }
        (ReplyKind::Other, Cause::GatewayTimeout) => ReplyKind::GatewayTimeout,
        (kind, _) => kind,
    }
}

fn kind_of(status: u16, head: &ResponseHead, body: &str, accept: Option<&str>) -> ReplyKind {
    match status {
        101 if invalid_switch(head, accept).is_none() => ReplyKind::Switched,
        101 => ReplyKind::BadSwitch,
        _ if fit(accept, head.header("sec-websocket-accept").as_deref()) == Fit::Right => {
            ReplyKind::BadSwitch
        }
        400 | 426 if head.header("sec-websocket-version").is_some() => ReplyKind::NotAnUpgrade,
        400 if body.contains("transport not supported") || body.contains("unable to upgrade") => {
            ReplyKind::NotAnUpgrade
        }
        400 if body == "Upgrade Required\n" => ReplyKind::NotAnUpgrade,
        200 if is_page_shell(body) => ReplyKind::PageShell,
        200..=299 => ReplyKind::OtherSuccess,
        300..=399 => ReplyKind::Redirect,
        401 => ReplyKind::Unauthorized,
        403 => ReplyKind::Forbidden,
        404 => ReplyKind::NotFound,
        464 => ReplyKind::ProtocolMismatch,
        502 => ReplyKind::BadGateway,
        503 => ReplyKind::Unavailable,
        504 => ReplyKind::GatewayTimeout,
        _ => ReplyKind::Other,
    }
}

/// The console's single-page shell (facts: `<title>BindPlane</title>`, `<div id="root">`).
#[must_use]
pub fn is_page_shell(body: &str) -> bool {
    let lower = body.get(..body.len().min(16_384)).unwrap_or(body).to_ascii_lowercase();
    lower.contains("<title>bindplane</title>")
        || (lower.contains("bindplane") && lower.contains("<div id=\"root\""))
}

fn author_of(
    kind: ReplyKind,
    head: &ResponseHead,
    body: &str,
    devices: &[Match<'_>],
    said: Option<&Row>,
) -> Author {
    let client_side = |m: &&Match<'_>| m.by_body && m.signature.side == Side::Client;
    match said.map(|row| (row.says, row)) {
        // A firewall's page is the firewall's, whoever passes it on; words that are
        // nobody's name only where no filter of the client's side wrote it.
        Some((Says::Filtered, row))
            if row.id != said::FIREWALLS_WORDS || !devices.iter().any(|m| client_side(&m)) =>
        {
            let known = devices.iter().find(|m| m.signature.role == DeviceRole::Waf);
            let name = known.map_or(row.program.to_owned(), |m| m.signature.name.clone());
            return Author::Device { role: DeviceRole::Waf, side: Side::Server, name };
        }
        // Somebody behind the one who signs it.
        Some((Says::RefusesHttp10, _)) => return Author::Unknown,
        Some((Says::CannotHandOver, _)) if head.header("sec-websocket-version").is_some() => {
            return Author::Origin;
        }
        _ => {}
    }
    match kind {
        // The console's page from a disk was not asked of the server.
        ReplyKind::PageShell if file_headers(200, head).is_some() => {
            let passes = devices.iter().find(|m| m.signature.role == DeviceRole::LoadBalancer);
            return passes.map_or(Author::Unknown, |m| Author::Device {
                role: m.signature.role,
                side: m.signature.side,
                name: m.signature.name.clone(),
            });
        }
        ReplyKind::Switched | ReplyKind::NotAnUpgrade | ReplyKind::PageShell => {
            return Author::Origin;
        }
        // 403 with the version header is gorilla's origin check.
        ReplyKind::Forbidden if head.header("sec-websocket-version").is_some() => {
            return Author::Origin;
        }
        // A bare 401 without Server, Via or body is the server's own.
        ReplyKind::Unauthorized
            if body.is_empty()
                && head.header("server").is_none()
                && head.header("via").is_none() =>
        {
            return Author::Origin;
        }
        _ => {}
    }
    // A reverse proxy stamps its name on everything that it passes on, so a
    // Server header alone does not make it the author; its own page does. A
    // gateway error without any origin's mark is the device's too.
    let gateway = matches!(
        kind,
        ReplyKind::BadGateway
            | ReplyKind::Unavailable
            | ReplyKind::GatewayTimeout
            | ReplyKind::ProtocolMismatch
    );
    devices
        .iter()
        .find(|m| m.by_body || m.confidence == Confidence::High && (gateway || body.is_empty()))
        .or_else(|| devices.first().filter(|_| gateway))
        .map_or(Author::Unknown, |m| Author::Device {
            role: m.signature.role,
            side: m.signature.side,
            name: m.signature.name.clone(),
        })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_rekeyed_101_is_not_valid() {
        let head = ResponseHead::new(
            "HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n\
             Sec-WebSocket-Accept: AAAA\r\n\r\n",
        );
        assert!(invalid_switch(&head, Some("s3pPLMBiTxaQ9kYGzzhZRbK+xOo=")).is_some());
        assert!(invalid_switch(&head, Some("AAAA")).is_none());
    }

    #[test]
    fn stripped_is_told_by_the_version_header() {
        let head =
            ResponseHead::new("HTTP/1.1 400 Bad Request\r\nSec-Websocket-Version: 13\r\n\r\n");
        assert_eq!(kind_of(400, &head, "Bad Request\n", None), ReplyKind::NotAnUpgrade);
        let plain = ResponseHead::new("HTTP/1.1 400 Bad Request\r\n\r\n");
        assert_eq!(kind_of(400, &plain, "Bad Request\n", None), ReplyKind::Other);
    }
}
