//! Who wrote a response, and what kind of answer it is.

use crate::model::{Confidence, DeviceRole, Side};
use crate::signature::{Match, Response, Signatures, by_route};
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
    /// A 101 that does not.
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
        let devices =
            signatures.match_response(&Response { status: head.status(), head, body: &body });
        let devices = by_route(devices, by_proxy);
        let kind = kind_of(status, head, &body, expected_accept);
        let author = author_of(kind, head, &body, &devices);
        Self { observation, reply, status, kind, author, devices }
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
    /// certificate: nginx (its codes 495 and 496, sent as 400), Apache and HAProxy
    /// setups with 403.
    #[must_use]
    pub fn asks_for_certificate(&self) -> bool {
        let body = self.reply.body.bytes.text();
        matches!(self.status, 400 | 403 | 495 | 496)
            && ["No required SSL certificate was sent", "The SSL certificate error"]
                .iter()
                .any(|words| body.contains(words))
    }

    /// Whether a port that speaks TLS says, in plain text, that it does: nginx, Go,
    /// Apache.
    #[must_use]
    pub fn wants_tls(&self) -> bool {
        let body = self.reply.body.bytes.text();
        self.status == 400
            && [
                "plain HTTP request was sent to HTTPS port",
                "HTTP request to an HTTPS server",
                "speaking plain HTTP to an SSL-enabled server port",
            ]
            .iter()
            .any(|words| body.contains(words))
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
    match (head.header("sec-websocket-accept"), expected_accept) {
        (None, _) => Some("it has no `Sec-WebSocket-Accept`".into()),
        (Some(got), Some(expected)) if got.trim() != expected => Some(format!(
            "its `Sec-WebSocket-Accept` is {got} where the key that was sent asks for {expected}: \
             something on the path made its own handshake"
        )),
        _ => None,
    }
}

fn kind_of(status: u16, head: &ResponseHead, body: &str, accept: Option<&str>) -> ReplyKind {
    match status {
        101 if invalid_switch(head, accept).is_none() => ReplyKind::Switched,
        101 => ReplyKind::BadSwitch,
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

fn author_of(kind: ReplyKind, head: &ResponseHead, body: &str, devices: &[Match<'_>]) -> Author {
    match kind {
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
