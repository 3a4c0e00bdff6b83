//! What happened on the network, step by step: facts, never verdicts.
//!
//! A **probe** composes **steps**; each step leaves one [`Observation`]. The
//! steps are few and closed, so a new probe seldom changes the format. A reply
//! that says "no" (a 407 to CONNECT, a 400 to an upgrade) is a successful
//! exchange here: whether it is good news is for the diagnosis to say. A
//! [`Failure`] is an exchange that did not come to its end.

pub use crate::certificate::Certificate;

use crate::browser::BrowserHandshake;
use crate::failure::Failure;
use crate::head::{Bytes, ResponseHead};
use crate::target::Target;
use serde::{Deserialize, Serialize};
use std::fmt;
use std::net::{IpAddr, SocketAddr};
use std::sync::Arc;

/// All observations of one collection (`observations.json`).
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Observations {
    /// What was to be reached.
    pub target: Target,
    /// The routes that were tried.
    pub routes: Vec<Route>,
    /// Every observation, in the order in which the steps began.
    pub observations: Vec<Observation>,
    /// What browsers saw, where there is a HAR or a browser was run.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub browser: Vec<BrowserHandshake>,
}

/// `direct`, or `proxy <url>` (the URL without credentials). The same text
/// stands in the verdict's JSON.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct RouteId(pub String);

impl RouteId {
    /// The route without a proxy.
    #[must_use]
    pub fn direct() -> Self {
        Self("direct".into())
    }

    /// The route through a proxy; `url` must hold no credentials.
    #[must_use]
    pub fn proxy(url: &str) -> Self {
        Self(format!("proxy {url}"))
    }

    /// How something goes by it, for sentences: `directly`, `by the proxy <url>`.
    #[must_use]
    pub fn way(&self) -> String {
        match self.0.strip_prefix("proxy ") {
            Some(url) => format!("by the proxy {url}"),
            None if self.is_direct() => "directly".to_owned(),
            None => format!("by {self}"),
        }
    }

    /// The same as a noun: `the direct way`, `the proxy <url>`.
    #[must_use]
    pub fn noun(&self) -> String {
        match self.is_direct() {
            true => "the direct way".to_owned(),
            false => format!("the {self}"),
        }
    }

    /// Whether no proxy is used.
    #[must_use]
    pub fn is_direct(&self) -> bool {
        self.0 == "direct"
    }
}

impl fmt::Display for RouteId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// A way to the target.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Route {
    /// Its name.
    pub id: RouteId,
    /// How it gets there.
    pub kind: RouteKind,
    /// The proxy's host and port; `null` for the direct route.
    pub proxy: Option<ProxyEndpoint>,
    /// Who names this route, for people: `environment https_proxy`, `option --proxy` …
    pub sources: Vec<String>,
    /// Whether this machine's settings choose this route for the target. A
    /// browser here follows it; the other routes are tried for comparison.
    pub selected: bool,
}

/// How a route gets to the target.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum RouteKind {
    /// No proxy.
    Direct,
    /// Plain HTTP to the proxy, CONNECT through it.
    HttpProxy,
    /// TLS to the proxy, CONNECT through it.
    HttpsProxy,
    /// SOCKS 5, name resolved here.
    Socks5,
    /// SOCKS 5, name resolved by the proxy.
    Socks5h,
    /// SOCKS 4, name resolved here, to IPv4.
    Socks4,
    /// SOCKS 4a, name resolved by the proxy.
    Socks4a,
}

/// Where a proxy listens.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ProxyEndpoint {
    /// Host name or address, without brackets.
    pub host: String,
    /// TCP port.
    pub port: u16,
}

/// Names of the probes. A probe's name is also its file name in
/// `collector/src/probe/`, with `_` for `-`.
pub mod probe {
    /// Name resolution by every resolver.
    pub const RESOLVE: &str = "resolve";
    /// What the addresses that are used are called (PTR), by a configured name server.
    pub const REVERSE_NAMES: &str = "reverse-names";
    /// TCP to every address of the target.
    pub const ADDRESSES: &str = "addresses";
    /// The page's curl command with `--http1.1`, then frames.
    pub const UPGRADE: &str = "upgrade";
    /// Twin of `upgrade`: the same GET without `Connection`, `Upgrade`, `Sec-WebSocket-*`.
    pub const PLAIN_GET: &str = "plain-get";
    /// Twin of `upgrade`: with the browser's `Origin` and subprotocol.
    pub const BROWSER_UPGRADE: &str = "browser-upgrade";
    /// Twin of `browser-upgrade`: it offers permessage-deflate, as every browser does.
    pub const COMPRESSED_UPGRADE: &str = "compressed-upgrade";
    /// Twin of `browser-upgrade`: the handshake that a recording shows, header by header.
    pub const RECORDED_UPGRADE: &str = "recorded-upgrade";
    /// Twin of `upgrade`: what plain curl does where h2 is offered.
    pub const H2_GET: &str = "h2-get";
    /// Twin of `upgrade`: RFC 8441 extended CONNECT.
    pub const H2_CONNECT: &str = "h2-connect";
    /// Twin of `upgrade` for `ws://` through a proxy: the absolute-form request curl sends.
    pub const ABSOLUTE_FORM: &str = "absolute-form";
    /// GETs of `/health`, `/js/_globals.js` and `/`.
    pub const PAGES: &str = "pages";
    /// Twin of `upgrade`, where something was refused: the same in a browser's name.
    pub const UA_UPGRADE: &str = "ua-upgrade";
    /// Twin of `plain-get`, where something was refused: the same in a browser's name.
    pub const UA_GET: &str = "ua-get";
    /// Twin of `pages`, where something was refused: the same in a browser's name.
    pub const UA_PAGES: &str = "ua-pages";
    /// Twin of `upgrade`, where no path is known: the path in another spelling (see
    /// [`other_spellings`]).
    pub const PATH_TWIN: &str = "path-twin";
    /// Upgraded connection, silent.
    pub const HOLD_SILENT: &str = "hold-silent";
    /// Upgraded connection, silent for a part of the hold: a rung below `hold-silent`.
    pub const HOLD_RUNG: &str = "hold-rung";
    /// Upgraded connection that pings.
    pub const HOLD_CHATTY: &str = "hold-chatty";
    /// Twin of `hold-silent`: silent, and the system asks for signs of life below it (TCP
    /// keepalive).
    pub const HOLD_KEEPALIVE: &str = "hold-keepalive";
    /// Twin of `hold-silent`: silent, and the server sends data of its own accord, asked by
    /// GraphQL's `connection_init`.
    pub const HOLD_SERVER_DATA: &str = "hold-server-data";

    /// Whether a probe of this name holds a connection open.
    #[must_use]
    pub fn is_hold(name: &str) -> bool {
        [HOLD_SILENT, HOLD_RUNG, HOLD_CHATTY, HOLD_KEEPALIVE, HOLD_SERVER_DATA].contains(&name)
    }

    /// Other spellings of a path. A server that knows the path knows the first, with its
    /// first letter percent-encoded, as well (RFC 3986 section 6.2.2.2), while a rule
    /// that compares text passes it by. With the others a server that knows the path is
    /// reached by way of a hop that takes a part at its beginning away.
    #[must_use]
    pub fn other_spellings(path: &str) -> Vec<String> {
        let Some(rest) = path.strip_prefix('/') else { return Vec::new() };
        let mut out = Vec::new();
        let mut letters = rest.chars();
        if let Some(first) = letters.next().filter(char::is_ascii_alphanumeric) {
            out.push(format!("/%{:02X}{}", u32::from(first), letters.as_str()));
        }
        if let Some((first, _)) = rest.split_once('/') {
            out.push(format!("/{first}{path}"));
        }
        out.push(format!("{path}{path}"));
        out
    }
}

/// One step of one probe.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Observation {
    /// `o1`, `o2` … in the order in which the steps began; unique in its bundle.
    pub id: String,
    /// Which probe (see [`probe`]).
    pub probe: String,
    /// Which route.
    pub route: RouteId,
    /// The WebSocket or HTTP path that this probe is about.
    pub path: Option<String>,
    /// Steps with the same number ran on the same TCP connection; `null`
    /// where there was none.
    pub connection: Option<u32>,
    /// Milliseconds since the start of the collection.
    pub start_ms: f64,
    /// Milliseconds.
    pub duration_ms: f64,
    /// What was done, and what came of it.
    pub step: Step,
}

/// What came of a step.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Outcome<T> {
    /// It came to its end; what was seen.
    Ok(T),
    /// It did not.
    Failed(Failure),
}

impl<T> Outcome<T> {
    /// What was seen, if it came to its end.
    pub fn ok(&self) -> Option<&T> {
        match self {
            Self::Ok(seen) => Some(seen),
            Self::Failed(_) => None,
        }
    }

    /// The failure, if it did not.
    pub fn failure(&self) -> Option<&Failure> {
        match self {
            Self::Ok(_) => None,
            Self::Failed(failure) => Some(failure),
        }
    }
}

impl<T> From<Result<T, Failure>> for Outcome<T> {
    fn from(result: Result<T, Failure>) -> Self {
        match result {
            Ok(seen) => Self::Ok(seen),
            Err(failure) => Self::Failed(failure),
        }
    }
}

/// The steps. In JSON: `{"upgrade": {…}}`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Step {
    /// A name was looked up.
    Resolve(Resolve),
    /// A TCP connection was opened.
    Connect(Connect),
    /// A proxy was asked for a tunnel.
    Tunnel(Tunnel),
    /// A TLS handshake.
    Tls(Tls),
    /// A request that is no upgrade, and its response.
    Http(Http),
    /// A WebSocket opening handshake (RFC 6455 section 4, or RFC 8441).
    Upgrade(Upgrade),
    /// A Ping and its Pong on an upgraded connection.
    Frames(Frames),
    /// An upgraded connection was held open.
    Hold(Hold),
}

impl Step {
    /// The failure, if the step did not come to its end.
    #[must_use]
    pub fn failure(&self) -> Option<&Failure> {
        match self {
            Self::Resolve(s) => s.result.failure(),
            Self::Connect(s) => s.result.failure(),
            Self::Tunnel(s) => s.result.failure(),
            Self::Tls(s) => s.result.failure(),
            Self::Http(s) => s.result.failure(),
            Self::Upgrade(s) => s.result.failure(),
            Self::Frames(s) => s.result.failure(),
            Self::Hold(s) => s.result.failure(),
        }
    }
}

/// Who the step's connection, handshake or lookup is with.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Peer {
    /// The target (for a tunnelled connection: as seen through the tunnel).
    Target,
    /// The route's proxy.
    Proxy,
}

/// A lookup.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Resolve {
    /// The name (or address, which needs no lookup).
    pub name: String,
    /// Whose name it is.
    pub peer: Peer,
    /// Who was asked.
    pub resolver: Resolver,
    /// What came of it.
    pub result: Outcome<Resolved>,
}

/// Who was asked for a name.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Resolver {
    /// getaddrinfo, as the browser sees it (hosts file and all).
    System,
    /// One configured name server, asked directly.
    NameServer(SocketAddr),
    /// Nobody: `--resolve` said so.
    Override,
    /// Nobody: the name is an address.
    Literal,
}

/// What a lookup gave.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
pub struct Resolved {
    /// Addresses, in the resolver's order.
    pub addresses: Vec<IpAddr>,
    /// The answer's records, CNAME chain included, where a name server was asked.
    pub records: Vec<DnsRecord>,
}

/// One DNS record.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct DnsRecord {
    /// Owner name.
    pub name: String,
    /// `A`, `AAAA`, `CNAME` …
    pub kind: String,
    /// Seconds.
    pub ttl: u32,
    /// Presentation form.
    pub data: String,
}

/// A TCP connection attempt.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Connect {
    /// Whose address it is.
    pub peer: Peer,
    /// Where to.
    pub address: SocketAddr,
    /// What came of it.
    pub result: Outcome<Connected>,
}

/// An open TCP connection.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Connected {
    /// Our end.
    pub local: SocketAddr,
}

/// A request for a tunnel.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Tunnel {
    /// `host:port` asked for.
    pub to: String,
    /// The CONNECT request as sent (credentials removed); empty for SOCKS.
    pub request: Bytes,
    /// What became of signing on with the user's own ticket, where the proxy asked
    /// for that or an option did; absent where it was not tried.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub sign_on: Option<SignOn>,
    /// What came of it. Any status is a reply.
    pub result: Outcome<TunnelReply>,
}

/// What became of signing on to a proxy with the user's own ticket (Negotiate,
/// RFC 4559). Reasons alone: nothing of a ticket is ever part of a bundle.
///
/// A bundle from a newer collector may carry a name that this version does not
/// know; it is read as [`SignOn::Other`].
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum SignOn {
    /// The request carried a token that was made from the ticket.
    Sent,
    /// There is no curl here, which makes the token.
    NoCurl,
    /// The curl that is here was built without GSS-API and SSPI.
    CurlWithoutKerberos,
    /// The user has no ticket.
    NoTicket,
    /// The ticket has expired.
    TicketExpired,
    /// The realm knows no service by the proxy's name, or no realm that the proxy
    /// would be of.
    ServerUnknown,
    /// The proxy is set by its address: Kerberos knows services by their names.
    NamedByAddress,
    /// No key distribution centre of the realm answers.
    KdcUnreachable,
    /// This machine's clock and the realm's are more than a few minutes apart.
    ClockSkew,
    /// All that could be made was NTLM within Negotiate, which is not sent.
    OnlyNtlm,
    /// It took longer than a step may take.
    TimedOut,
    /// Anything else.
    #[serde(other)]
    Other,
}

/// What the proxy answered.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct TunnelReply {
    /// The response to CONNECT; `null` for SOCKS, whose refusal is a failure.
    pub head: Option<ResponseHead>,
    /// Body of a refusal.
    pub body: Body,
}

/// A TLS handshake.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Tls {
    /// Whom the handshake is with (an HTTPS proxy has its own).
    pub peer: Peer,
    /// The name sent as SNI and verified.
    pub server_name: String,
    /// Protocols offered by ALPN.
    pub alpn_offered: Vec<String>,
    /// The chain as sent, leaf first; empty when none came. Handshakes that were
    /// shown the same one may share it.
    #[serde(with = "shared")]
    pub chain: Arc<[Certificate]>,
    /// Whether the chain is trusted here; `null` when none came. The handshake
    /// goes on after a failed verification, so that an interceptor can be named.
    pub verification: Option<Verification>,
    /// What came of it.
    pub result: Outcome<TlsSession>,
}

/// A list that several owners share, as JSON has any list.
mod shared {
    use serde::{Deserialize, Deserializer, Serialize, Serializer};
    use std::sync::Arc;

    pub(super) fn serialize<T: Serialize, S: Serializer>(
        list: &Arc<[T]>,
        serializer: S,
    ) -> Result<S::Ok, S::Error> {
        list.as_ref().serialize(serializer)
    }

    pub(super) fn deserialize<'de, T: Deserialize<'de>, D: Deserializer<'de>>(
        deserializer: D,
    ) -> Result<Arc<[T]>, D::Error> {
        Vec::deserialize(deserializer).map(Arc::from)
    }
}

/// An established TLS session.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct TlsSession {
    /// `TLSv1.3`, `TLSv1.2`.
    pub version: String,
    /// IANA name of the cipher suite.
    pub cipher: String,
    /// Protocol chosen by ALPN, if any.
    pub alpn: Option<String>,
}

/// The verdict of this machine's trust store (plus `--cacert`) on a chain.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Verification {
    /// A browser here would accept it.
    Trusted,
    /// A browser here would refuse it.
    Untrusted {
        /// Why.
        reason: Distrust,
        /// The verifier's own words.
        detail: String,
    },
    /// No trust store could be read.
    NotChecked {
        /// Why.
        detail: String,
    },
}

/// Why a chain is not trusted.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Distrust {
    /// Not valid any more.
    Expired,
    /// Not valid yet.
    NotYetValid,
    /// For another name.
    WrongName,
    /// Its issuer is not in the trust store.
    UnknownIssuer,
    /// Revoked.
    Revoked,
    /// Anything else.
    #[serde(other)]
    Other,
}

/// The body of a response, as far as it was kept.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct Body {
    /// The first bytes, transfer coding removed (at most 64 KiB).
    pub bytes: Bytes,
    /// How many bytes arrived.
    pub length: u64,
    /// Whether more came, or was announced, than was kept.
    pub truncated: bool,
}

/// A request that is no upgrade.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Http {
    /// `1.1` or `2`.
    pub version: String,
    /// The request head as sent (credentials removed). For HTTP/2 as `curl -v`
    /// would show it.
    pub request: Bytes,
    /// HTTP/2 only: whether the server's SETTINGS carry
    /// `SETTINGS_ENABLE_CONNECT_PROTOCOL = 1` (RFC 8441 section 3).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub extended_connect: Option<bool>,
    /// What came of it.
    pub result: Outcome<HttpReply>,
}

/// A response.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct HttpReply {
    /// Interim 1xx responses before it (at most 8 are kept).
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub informational: Vec<ResponseHead>,
    /// Head, byte for byte (HTTP/2: as `curl -i` prints it).
    pub head: ResponseHead,
    /// Body.
    pub body: Body,
    /// Milliseconds from the request's last byte to the response's first.
    pub first_byte_ms: f64,
    /// How the connection ended, where that was watched.
    pub ending: Option<Ending>,
}

/// A WebSocket opening handshake.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Upgrade {
    /// `1.1`, or `2` for RFC 8441 extended CONNECT.
    pub version: String,
    /// The request head as sent (credentials removed).
    pub request: Bytes,
    /// The `Sec-WebSocket-Accept` that a server must answer to the key sent
    /// (RFC 6455 section 4.2.2); `null` for HTTP/2.
    pub expected_accept: Option<String>,
    /// What came of it. Any status is a reply.
    pub result: Outcome<HttpReply>,
}

/// A Ping, its Pong, and what else came.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Frames {
    /// What came of it.
    pub result: Outcome<FramesSeen>,
}

/// Frames seen.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct FramesSeen {
    /// Milliseconds from our Ping to its Pong; `null` when none came.
    pub pong_ms: Option<f64>,
    /// Data and control frames received, first 32 only.
    pub received: Vec<FrameSeen>,
    /// How it ended. `still-open` is the good end: we closed.
    pub ending: Ending,
    /// The text message that was sent right after the Ping; `null` where none was.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub message: Option<MessageSent>,
}

/// One frame received. Payloads are never kept.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct FrameSeen {
    /// `text`, `binary`, `ping`, `pong`, `close`; `continuation` of a message in several frames.
    pub opcode: String,
    /// Payload size, as it came over the wire.
    pub bytes: u64,
    /// Whether RSV1 was set, as on a compressed message's first frame (RFC 7692 section 6).
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub compressed: bool,
}

/// A text message that was sent, and a Ping behind it.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct MessageSent {
    /// Whether it went compressed (RSV1, RFC 7692).
    pub compressed: bool,
    /// Payload size on the wire.
    pub bytes: u64,
    /// Milliseconds to the Pong of the Ping behind it, which shows that the
    /// server has read past the message; `null` when none came.
    pub passed_ms: Option<f64>,
}

/// A held connection.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Hold {
    /// Milliseconds between our Pings; `null` for the silent hold.
    pub ping_interval_ms: Option<f64>,
    /// Milliseconds between the system's own signs of life (TCP keepalive, RFC 9293 section
    /// 3.8.4); absent where it sends none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub keepalive_ms: Option<f64>,
    /// How long it was meant to last, in milliseconds.
    pub planned_ms: f64,
    /// What came of it.
    pub result: Outcome<Held>,
}

/// How a held connection fared.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Held {
    /// Milliseconds from the 101 to the end.
    pub held_ms: f64,
    /// Pings sent.
    pub pings: u32,
    /// Pongs received.
    pub pongs: u32,
    /// Frames that the server sent of its own accord (a server that talks
    /// makes a silent hold less than silent).
    pub server_frames: u32,
    /// Milliseconds between the last byte received and the end.
    pub quiet_ms: f64,
    /// How it ended.
    pub ending: Ending,
}

/// How a connection ended.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Ending {
    /// By what.
    pub how: EndedBy,
    /// Whether a TLS close_notify came before the FIN (RFC 8446 section 6.1);
    /// `null` without TLS, or when no FIN came.
    pub close_notify: Option<bool>,
    /// Code of the close frame (RFC 6455 section 7.4).
    pub close_code: Option<u16>,
    /// The raw text of an error, or the close frame's reason.
    pub detail: Option<String>,
}

impl Ending {
    /// An ending without TLS, code or detail.
    #[must_use]
    pub fn new(how: EndedBy) -> Self {
        Self { how, close_notify: None, close_code: None, detail: None }
    }
}

/// By what a connection ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum EndedBy {
    /// It was still open when we were done with it.
    StillOpen,
    /// The peer sent a close frame first.
    CloseFrame,
    /// The peer ended the TCP stream in order.
    Fin,
    /// The peer reset the connection.
    Reset,
    /// Nothing came any more: no Pong within the deadline.
    Silence,
    /// The stream became invalid (bad frame, TLS error).
    Garbled,
}
