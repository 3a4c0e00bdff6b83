//! What browsers saw of the console's socket: how it went, what their words
//! mean, and the same handshake of the collector's own beside it.

use super::{BundleView, RouteView};
use chrono::TimeDelta;
use wss_bundle::browser::{BrowserHandshake, BrowserRequest};
use wss_bundle::observation::{Certificate, Peer, Upgrade, probe};
use wss_bundle::{Bundle, Observation, ResponseHead, Step};

/// A recording that is further from the collection than this tells of another day.
const FRESH: TimeDelta = TimeDelta::hours(24);
/// A socket that ends within this time of its opening never worked, in milliseconds.
const AT_ONCE_MS: f64 = 800.0;

/// What the words of a browser mean. Sources: Chromium's `net_error_list.h` and
/// `websocket_basic_handshake_stream.cc`, Firefox's `websocket.properties` and
/// `ErrorList.py`, `NSURLError.h`; Chromium's were seen in the lab.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Meaning {
    /// The handshake was answered with this status.
    Status(u16),
    /// The proxy refused the tunnel.
    TunnelRefused,
    /// The proxy wants credentials.
    ProxyCredentials,
    /// The proxy cannot be reached.
    ProxyUnreachable,
    /// The server wants credentials.
    Credentials,
    /// The certificate is not trusted.
    Untrusted,
    /// The TLS handshake failed.
    TlsFailed,
    /// The name does not resolve.
    Unresolved,
    /// Nobody accepts the connection.
    Refused,
    /// It was reset, or closed without an answer.
    Cut,
    /// Nothing came.
    TimedOut,
    /// The answer is a 101 that is not valid.
    BadHandshake,
    /// Frames are not valid.
    BadFrames,
    /// An extension of the browser, or its developer tools, blocked it.
    Extension,
    /// A policy of the browser blocked it.
    Policy,
    /// The page's own security policy forbids it, or it is `ws://` on an `https://` page.
    Page,
    /// The page was left or reloaded: no fault.
    PageLeft,
    /// That it failed, and not why.
    Unspecific,
}

/// Texts, most telling first; compared without regard to case.
const WORDS: &[(&str, Meaning)] = &[
    ("proxy authentication failed", Meaning::ProxyCredentials),
    ("err_proxy_auth", Meaning::ProxyCredentials),
    ("establishing a tunnel via proxy server failed", Meaning::TunnelRefused),
    ("err_tunnel_connection_failed", Meaning::TunnelRefused),
    ("ns_error_proxy_authentication_failed", Meaning::ProxyCredentials),
    ("ns_error_proxy_", Meaning::TunnelRefused),
    ("ns_error_unknown_proxy_host", Meaning::ProxyUnreachable),
    ("err_proxy_connection_failed", Meaning::ProxyUnreachable),
    ("err_socks_connection", Meaning::ProxyUnreachable),
    ("http authentication failed", Meaning::Credentials),
    ("err_blocked_by_client", Meaning::Extension),
    ("err_blocked_by_administrator", Meaning::Policy),
    ("ns_error_blocked_by_policy", Meaning::Policy),
    ("content security policy", Meaning::Page),
    ("content-security-policy", Meaning::Page),
    ("insecure websocket connection", Meaning::Page),
    ("mixed content", Meaning::Page),
    ("err_blocked_by_csp", Meaning::Page),
    ("the operation is insecure", Meaning::Page),
    ("closed before the connection is established", Meaning::PageLeft),
    ("interrupted while the page was loading", Meaning::PageLeft),
    ("err_cert_", Meaning::Untrusted),
    ("sec_error_", Meaning::Untrusted),
    ("ssl_error_bad_cert_domain", Meaning::Untrusted),
    ("mozilla_pkix_error", Meaning::Untrusted),
    ("certificate for this server is invalid", Meaning::Untrusted),
    ("err_ssl_", Meaning::TlsFailed),
    ("ssl_error_", Meaning::TlsFailed),
    ("ns_error_net_inadequate_security", Meaning::TlsFailed),
    ("an ssl error has occurred", Meaning::TlsFailed),
    ("err_name_not_resolved", Meaning::Unresolved),
    ("ns_error_unknown_host", Meaning::Unresolved),
    ("specified hostname could not be found", Meaning::Unresolved),
    ("err_connection_refused", Meaning::Refused),
    ("ns_error_connection_refused", Meaning::Refused),
    ("could not connect to the server", Meaning::Refused),
    ("err_address_unreachable", Meaning::Refused),
    ("err_connection_timed_out", Meaning::TimedOut),
    ("err_timed_out", Meaning::TimedOut),
    ("ns_error_net_timeout", Meaning::TimedOut),
    ("handshake timed out", Meaning::TimedOut),
    ("the request timed out", Meaning::TimedOut),
    ("invalid frame header", Meaning::BadFrames),
    ("reserved bits are on", Meaning::BadFrames),
    ("must not mask", Meaning::BadFrames),
    ("could not decode a text frame", Meaning::BadFrames),
    ("unrecognized frame opcode", Meaning::BadFrames),
    ("control frame", Meaning::BadFrames),
    ("header is missing", Meaning::BadHandshake),
    ("header value", Meaning::BadHandshake),
    ("no response was received", Meaning::BadHandshake),
    ("bad response from the server", Meaning::BadHandshake),
    ("err_invalid_http_response", Meaning::BadHandshake),
    ("closed before receiving a handshake response", Meaning::Cut),
    ("err_connection_reset", Meaning::Cut),
    ("err_connection_closed", Meaning::Cut),
    ("err_empty_response", Meaning::Cut),
    ("ns_error_net_reset", Meaning::Cut),
    ("ns_error_net_interrupt", Meaning::Cut),
    ("network connection was lost", Meaning::Cut),
    ("can't establish a connection to the server", Meaning::Unspecific),
    ("websocket connection to", Meaning::Unspecific),
    ("ns_error_", Meaning::Unspecific),
    ("net::err_", Meaning::Unspecific),
    ("websocket network error", Meaning::Unspecific),
];

impl Meaning {
    /// Reads a text; `None` when it is no known text of a browser.
    #[must_use]
    pub fn of(text: &str) -> Option<Self> {
        let text = text.replace('\u{2019}', "'").to_lowercase();
        if let Some((_, rest)) = text.split_once("unexpected response code: ") {
            let digits: String = rest.chars().take_while(char::is_ascii_digit).take(3).collect();
            return Some(digits.parse().map_or(Self::Unspecific, Self::Status));
        }
        WORDS.iter().find(|(words, _)| text.contains(words)).map(|(_, meaning)| *meaning)
    }

    /// What it means, as the rest of a sentence that begins with "that".
    #[must_use]
    pub fn words(self) -> String {
        match self {
            Self::Status(status) => return format!("the handshake was answered with {status}"),
            Self::TunnelRefused => "the proxy refused the tunnel (CONNECT)",
            Self::ProxyCredentials => "the proxy wants credentials",
            Self::ProxyUnreachable => "the proxy could not be reached",
            Self::Credentials => "the server wants credentials",
            Self::Untrusted => "the browser does not trust the certificate",
            Self::TlsFailed => "the TLS handshake failed",
            Self::Unresolved => "the name did not resolve",
            Self::Refused => "nothing accepted the connection",
            Self::Cut => "the connection was closed without an answer to the handshake",
            Self::TimedOut => "no answer came in time",
            Self::BadHandshake => "the answer to the handshake was not valid",
            Self::BadFrames => "the frames that came were not valid",
            Self::Extension => "something in the browser itself (an extension) blocked it",
            Self::Policy => "a policy of the browser blocked it",
            Self::Page => {
                "the page's own security policy forbids it, or it is ws:// on an https:// page"
            }
            Self::PageLeft => "the page was left or reloaded meanwhile, which is no fault",
            Self::Unspecific => "it failed, and not why",
        }
        .to_owned()
    }
}

/// How a browser's socket went.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Fate {
    /// The handshake succeeded, and nothing speaks against the frames.
    Works,
    /// It worked, and ended without a close frame while it was watched.
    CutLater,
    /// The handshake succeeded, and no frames passed.
    NoFrames,
    /// Another status than success.
    Answered(u16),
    /// No answer; what the browser's words mean.
    Failed(Meaning),
    /// It cannot be told.
    NotTold,
}

impl Fate {
    /// Whether the socket did not come to work.
    #[must_use]
    pub fn fails(self) -> bool {
        matches!(self, Self::NoFrames | Self::Answered(_) | Self::Failed(_))
    }
}

/// Whether anything came on an open socket, but for the frame that closes it.
#[must_use]
pub fn heard(seen: &BrowserHandshake) -> bool {
    let farewells = seen.frames.iter().filter(|frame| !frame.sent && frame.opcode == "close");
    seen.frames_received > farewells.count() as u64
}

/// How one socket of a browser went.
#[must_use]
pub fn fate(seen: &BrowserHandshake) -> Fate {
    let meaning = meaning(seen);
    if seen.switched() {
        let abnormal = seen.closed.as_ref().filter(|closed| {
            closed.code.is_some_and(|code| code == 1006 || code == 1002 || code == 1007)
        });
        let at_once = |from: Option<f64>, to: Option<f64>| {
            from.zip(to).is_some_and(|(from, to)| to - from <= AT_ONCE_MS)
        };
        return match (meaning, abnormal) {
            (Some(Meaning::BadFrames | Meaning::BadHandshake), _) => Fate::NoFrames,
            (_, Some(closed)) => {
                let opened = seen.opened_ms.or(seen.answered_ms);
                if !heard(seen) && at_once(opened, closed.at_ms) {
                    Fate::NoFrames
                } else {
                    Fate::CutLater
                }
            }
            _ => Fate::Works,
        };
    }
    if let Some(status) = seen.status() {
        return Fate::Answered(status);
    }
    match meaning {
        Some(Meaning::Status(status)) => Fate::Answered(status),
        Some(Meaning::PageLeft) => Fate::NotTold,
        Some(meaning) => Fate::Failed(meaning),
        // A browser that gave up says so by the code of its close event.
        None if seen.closed.is_some() => Fate::Failed(Meaning::Unspecific),
        None if seen.error.is_some() => Fate::Failed(Meaning::Unspecific),
        None => Fate::NotTold,
    }
}

/// What the browser's words about a request mean: the most telling of them.
#[must_use]
pub fn meaning(seen: &BrowserHandshake) -> Option<Meaning> {
    let all: Vec<Meaning> =
        seen.console.iter().chain(&seen.error).filter_map(|text| Meaning::of(text)).collect();
    all.iter().find(|one| **one != Meaning::Unspecific).or_else(|| all.first()).copied()
}

/// What one browser saw of one path: the socket that tells most.
#[derive(Debug, Clone, Copy)]
pub struct BrowserView<'a> {
    /// What it saw.
    pub seen: &'a BrowserHandshake,
    /// How it went.
    pub fate: Fate,
    /// Whether it is from the time of the collection.
    pub fresh: bool,
}

/// What every browser of a bundle saw of a path: those that the collector ran
/// first, then recordings, the newest first. Of one browser a socket that works
/// speaks before those that do not, since consoles try again.
#[must_use]
pub fn browsers<'a>(bundle: &'a Bundle, path: &str) -> Vec<BrowserView<'a>> {
    let path = path.split('?').next().unwrap_or_default();
    let started = bundle.manifest.started_at;
    let mut all: Vec<BrowserView<'a>> = Vec::new();
    for seen in &bundle.observations.browser {
        if seen.kind != BrowserRequest::Websocket || seen.path() != path {
            continue;
        }
        let fresh = seen.live || seen.at.is_some_and(|at| (started - at).abs() <= FRESH);
        let one = BrowserView { seen, fate: fate(seen), fresh };
        match all.iter_mut().find(|known| known.seen.source == seen.source) {
            Some(known) if tells_more(&one, known) => *known = one,
            Some(_) => {}
            None => all.push(one),
        }
    }
    all.sort_by(|a, b| {
        let key = |view: &BrowserView<'_>| (view.seen.live, view.seen.at);
        key(b).cmp(&key(a)).then_with(|| a.seen.id.cmp(&b.seen.id))
    });
    all
}

fn tells_more(one: &BrowserView<'_>, known: &BrowserView<'_>) -> bool {
    let rank = |fate: Fate| match fate {
        Fate::Works | Fate::CutLater => 2,
        Fate::NotTold => 0,
        _ => 1,
    };
    let order = |view: &BrowserView<'_>| (rank(view.fate), view.seen.at);
    (order(one), &known.seen.id) > (order(known), &one.seen.id)
}

/// The collector's route that a browser took.
pub enum Taken<'v, 'a> {
    /// This one.
    Route(&'v RouteView<'a>),
    /// One that was not tried; its name.
    NotTried(&'a str),
}

/// Which of the collector's routes a browser took. One that does not tell is
/// taken to follow the machine's settings.
#[must_use]
pub fn taken<'v, 'a>(
    view: &'v BundleView<'a>,
    seen: &'a BrowserHandshake,
) -> Option<Taken<'v, 'a>> {
    let Some(route) = seen.route.as_deref() else { return view.selected().map(Taken::Route) };
    let known = view.routes.iter().find(|known| same_way(&known.route.id.0, route));
    Some(known.map_or(Taken::NotTried(route), Taken::Route))
}

/// Whether two names are of one route, as far as a browser tells.
pub(super) fn same_way(a: &str, b: &str) -> bool {
    a == b || place(a).is_some() && place(a) == place(b)
}

/// Host and port of a proxy's route.
fn place(route: &str) -> Option<&str> {
    Some(route.strip_prefix("proxy ")?.split_once("://")?.1.trim_end_matches('/'))
}

/// One thing that is not the same.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Difference {
    /// What.
    pub what: String,
    /// The browser's.
    pub browser: String,
    /// The collector's.
    pub collector: String,
}

/// A browser's handshake beside the collector's own.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Compared {
    /// The observation it is compared with.
    pub observation: String,
    /// What differs; empty when they are alike.
    pub differences: Vec<Difference>,
}

/// Lays a browser's handshake beside the collector's own, by the same route.
#[must_use]
pub fn compare(bundle: &Bundle, seen: &BrowserHandshake) -> Option<Compared> {
    let (own, upgrade) = counterpart(bundle, seen)?;
    let mut out = Vec::new();
    let mut add = |what: &str, browser: Option<String>, collector: Option<String>| {
        if browser != collector && (browser.is_some() || collector.is_some()) {
            // What the redactor masked is there, and nobody can say whether it is the same.
            let masked = |value: &Option<String>| {
                value.as_ref().is_some_and(|value| value.contains("[removed"))
            };
            let unknown = masked(&browser) || masked(&collector);
            let shown = |value: Option<String>| {
                value.map_or_else(|| "none".into(), |value| value.replace("[removed]", "masked"))
            };
            let what = if unknown && browser.is_some() && collector.is_some() {
                format!("{what} (masked here: not to be compared)")
            } else {
                what.to_owned()
            };
            out.push(Difference { what, browser: shown(browser), collector: shown(collector) });
        }
    };
    if let Some(route) = &seen.route {
        let same = same_way(&own.route.0, route);
        let collector = if same { route.clone() } else { own.route.0.clone() };
        add("route", Some(route.clone()), Some(collector));
    }
    if let Some(remote) = &seen.remote {
        let address = on_connection(bundle, own).find_map(|step| match step {
            Step::Connect(step) => Some(step.address),
            _ => None,
        });
        // Some browsers tell the address alone.
        let with_port = remote.parse::<std::net::SocketAddr>().is_ok();
        let address = address.map(|a| if with_port { a.to_string() } else { a.ip().to_string() });
        if address.is_some() {
            add("address", Some(remote.clone()), address);
        }
    }
    if let Some(protocol) = &seen.protocol {
        let own = if upgrade.version == "2" { "h2" } else { "http/1.1" };
        add("protocol (ALPN)", Some(protocol.clone()), Some(own.to_owned()));
    }
    certificates(bundle, own, seen, &mut add);
    requests(seen, upgrade, &mut add);
    answers(seen, upgrade, &mut add);
    Some(Compared { observation: own.id.clone(), differences: out })
}

type Add<'f> = &'f mut dyn FnMut(&str, Option<String>, Option<String>);

fn certificates(bundle: &Bundle, own: &Observation, seen: &BrowserHandshake, add: Add<'_>) {
    let leaf = on_connection(bundle, own).find_map(|step| match step {
        Step::Tls(step) if step.peer == Peer::Target => step.chain.first(),
        _ => None,
    });
    let browsers = seen.tls.as_ref().and_then(|tls| tls.certificate.as_ref());
    let (Some(leaf), Some(browsers)) = (leaf, browsers) else { return };
    let same = if browsers.sha256.is_empty() {
        browsers.issuer_cn == leaf.issuer_cn
    } else {
        browsers.sha256 == leaf.sha256
    };
    if !same {
        let shown = |c: &Certificate| format!("{}, issued by {}", c.subject, c.issuer);
        add("certificate", Some(shown(browsers)), Some(shown(leaf)));
    }
}

fn requests(seen: &BrowserHandshake, upgrade: &Upgrade, add: Add<'_>) {
    if seen.request.is_none() {
        return;
    }
    let ours = ResponseHead::new(upgrade.request.0.clone());
    let host = seen.sent("host").or_else(|| seen.sent(":authority"));
    add("request header Host", host, ours.header("host"));
    for name in [
        "Origin",
        "Sec-WebSocket-Protocol",
        "Sec-WebSocket-Extensions",
        "Sec-WebSocket-Version",
        "Cookie",
        "Authorization",
    ] {
        add(&format!("request header {name}"), seen.sent(name), ours.header(name));
    }
}

fn answers(seen: &BrowserHandshake, upgrade: &Upgrade, add: Add<'_>) {
    let ours = upgrade.result.ok().map(|reply| &reply.head);
    let line = |status: Option<u16>, error: Option<String>| match status {
        Some(status) => Some(format!("status {status}")),
        None => Some(error.unwrap_or_else(|| "no answer".into())),
    };
    let own_error = upgrade.result.failure().map(ToString::to_string);
    let said = seen.error.clone().or_else(|| seen.console.first().cloned());
    // A status that only the browser's words tell is as good as one in a head.
    let status = seen.status().or(match fate(seen) {
        Fate::Answered(status) => Some(status),
        _ => None,
    });
    add("answer", line(status, said), line(ours.and_then(ResponseHead::status), own_error));
    if seen.response.is_some()
        && let Some(ours) = ours
    {
        for name in
            ["Server", "Via", "Location", "Sec-WebSocket-Protocol", "Sec-WebSocket-Extensions"]
        {
            add(&format!("response header {name}"), seen.received(name), ours.header(name));
        }
    }
}

/// The collector's handshake as a browser sends it, by the browser's route, or
/// by the selected one where the browser's was not tried.
fn counterpart<'b>(
    bundle: &'b Bundle,
    seen: &BrowserHandshake,
) -> Option<(&'b Observation, &'b Upgrade)> {
    let routes = &bundle.observations.routes;
    let by_name = seen
        .route
        .as_deref()
        .and_then(|route| routes.iter().find(|known| same_way(&known.id.0, route)));
    let route =
        by_name.or_else(|| routes.iter().find(|r| r.selected)).or_else(|| routes.first())?;
    let of = |wanted: &str| {
        bundle.observations.observations.iter().find_map(|o| match &o.step {
            Step::Upgrade(upgrade)
                if o.probe == wanted
                    && o.route == route.id
                    && o.path.as_deref().and_then(|p| p.split('?').next()) == Some(seen.path()) =>
            {
                Some((o, upgrade))
            }
            _ => None,
        })
    };
    let own = if seen.multiplexed() { of(probe::H2_CONNECT) } else { None };
    own.or_else(|| of(probe::BROWSER_UPGRADE)).or_else(|| of(probe::UPGRADE))
}

fn on_connection<'b>(bundle: &'b Bundle, own: &Observation) -> impl Iterator<Item = &'b Step> {
    let connection = own.connection;
    bundle
        .observations
        .observations
        .iter()
        .filter(move |o| connection.is_some() && o.connection == connection)
        .map(|o| &o.step)
}

#[cfg(test)]
mod tests {
    use super::*;
    use wss_bundle::browser::BrowserClose;

    #[test]
    fn words_of_the_browsers() {
        for (text, meaning) in [
            (
                "WebSocket connection to 'wss://b/v1/ws' failed: Error during WebSocket handshake: \
                 Unexpected response code: 400",
                Meaning::Status(400),
            ),
            (
                "WebSocket connection to 'wss://b/' failed: Establishing a tunnel via proxy server \
                 failed.",
                Meaning::TunnelRefused,
            ),
            (
                "failed: Error in connection establishment: net::ERR_CERT_AUTHORITY_INVALID",
                Meaning::Untrusted,
            ),
            ("net::ERR_TUNNEL_CONNECTION_FAILED", Meaning::TunnelRefused),
            ("net::ERR_PROXY_CONNECTION_FAILED", Meaning::ProxyUnreachable),
            ("net::ERR_BLOCKED_BY_CLIENT", Meaning::Extension),
            ("net::ERR_CONNECTION_REFUSED", Meaning::Refused),
            ("WebSocket connection to 'x' failed: Invalid frame header", Meaning::BadFrames),
            (
                "WebSocket connection to 'x' failed: WebSocket is closed before the connection is \
                 established.",
                Meaning::PageLeft,
            ),
            (
                "Error during WebSocket handshake: 'Upgrade' header is missing",
                Meaning::BadHandshake,
            ),
            ("Connection closed before receiving a handshake response", Meaning::Cut),
            ("HTTP Authentication failed; no valid credentials available", Meaning::Credentials),
            (
                "Firefox can\u{2019}t establish a connection to the server at wss://b/v1/ws.",
                Meaning::Unspecific,
            ),
            (
                "The connection to wss://b/ was interrupted while the page was loading.",
                Meaning::PageLeft,
            ),
            ("NS_ERROR_UNKNOWN_HOST", Meaning::Unresolved),
            ("There was a bad response from the server.", Meaning::BadHandshake),
            ("The network connection was lost.", Meaning::Cut),
            ("WebSocket connection to 'wss://b/' failed: ", Meaning::Unspecific),
            ("net::ERR_SOMETHING_NEW", Meaning::Unspecific),
        ] {
            assert_eq!(Meaning::of(text), Some(meaning), "{text}");
        }
        assert_eq!(Meaning::of("TypeError: x is undefined"), None);
    }

    fn seen(status: u16) -> BrowserHandshake {
        let url = "wss://b.example/v1/ws".to_owned();
        let mut seen = BrowserHandshake::new("har:x", BrowserRequest::Websocket, url);
        if status > 0 {
            seen.response = Some(ResponseHead::new(format!("HTTP/1.1 {status} x\r\n\r\n")));
        }
        seen
    }

    fn closed(code: u16, at_ms: f64) -> Option<BrowserClose> {
        Some(BrowserClose { code: Some(code), clean: None, at_ms: Some(at_ms) })
    }

    #[test]
    fn fates() {
        assert_eq!(fate(&seen(101)), Fate::Works);
        assert_eq!(fate(&seen(403)), Fate::Answered(403));
        assert_eq!(fate(&seen(0)), Fate::NotTold);
        let at_once =
            BrowserHandshake { opened_ms: Some(50.0), closed: closed(1006, 60.0), ..seen(101) };
        assert_eq!(fate(&at_once), Fate::NoFrames);
        let later = BrowserHandshake { closed: closed(1006, 60_050.0), ..at_once.clone() };
        assert_eq!(fate(&later), Fate::CutLater);
        // The server's own farewell is no fault of the network.
        let own = BrowserHandshake { closed: closed(4401, 60.0), ..at_once };
        assert_eq!(fate(&own), Fate::Works);
        let unspecific = BrowserHandshake { closed: closed(1006, 20.0), ..seen(0) };
        assert_eq!(fate(&unspecific), Fate::Failed(Meaning::Unspecific));
        let told = BrowserHandshake {
            console: vec!["failed: ".into(), "Unexpected response code: 502".into()],
            ..seen(0)
        };
        assert_eq!(fate(&told), Fate::Answered(502));
    }
}
