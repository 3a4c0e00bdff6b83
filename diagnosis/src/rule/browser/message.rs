//! What somebody pasted of a browser's console, beside what was measured: whether it
//! is about this socket, what it means, and whether the two agree.

use crate::console::{self, Meaning, Message, Place, Stage};
use crate::evidence::{BundleView, Evidence, Reach, ReplyKind, RouteView};
use crate::model::{Finding, Severity};
use crate::rule::{Answer, Check, Draft, Rule};
use wss_bundle::Observation;
use wss_bundle::observation::Peer;

/// Messages told of one text.
const TOLD: usize = 8;

pub(in crate::rule) const BROWSER_MESSAGE: Rule = Rule {
    id: "browser-message",
    title: "What the browser's console says",
    looks_for: "a text that a person pasted: sentences of Chrome, Edge, Firefox and Safari in their languages, names \
                of errors, codes of close events, and what libraries make of them",
    why: "it tells at which layer a browser failed; it is somebody's word, from an unknown time, so \
          that it supports a verdict and never makes one",
    remedy: "none",
    check: Check::Evidence(browser_message),
};

/// How to paste something that tells.
const BETTER: &str = "In the browser, open the developer tools (F12; Option-Command-I on a Mac), Console, reload the console, wait \
                      until it fails, and paste the whole red line that begins with \"WebSocket \
                      connection to\" (Firefox: \"Firefox can't establish a connection\"); a recording \
                      (--har) or a browser that the collector asks (--browser) tells more.";

/// How far the collector's own handshake came.
#[derive(Debug, Clone, PartialEq)]
enum Measured {
    Works,
    Status(u16),
    Stopped(Stage, String),
    NotTold,
}

impl Measured {
    fn of(route: &RouteView<'_>, path: &str) -> Self {
        if route.socket(path).works() {
            return Self::Works;
        }
        let at = |peer: Peer, own: Stage| if peer == Peer::Proxy { Stage::Proxy } else { own };
        match route.reach() {
            Reach::Dns(_, peer, failure) => {
                Self::Stopped(at(peer, Stage::Network), failure.to_string())
            }
            Reach::Tcp(_, peer, failure) => {
                Self::Stopped(at(peer, Stage::Network), failure.to_string())
            }
            Reach::TunnelStatus(_, _, status) => {
                Self::Stopped(Stage::Proxy, format!("the proxy answered {status}"))
            }
            Reach::TunnelFailed(_, failure) => Self::Stopped(Stage::Proxy, failure.to_string()),
            Reach::TlsFailed(_, _, failure) => Self::Stopped(Stage::Tls, failure.to_string()),
            Reach::Reached | Reach::NotTried => match route.upgrade_reply(path) {
                Some(reply) if reply.kind == ReplyKind::Switched => {
                    Self::Stopped(Stage::Open, "101, and then it failed".to_owned())
                }
                Some(reply) => Self::Status(reply.status),
                None => match route.upgrade_failure(path) {
                    Some((_, failure)) => Self::Stopped(Stage::Asked, failure.to_string()),
                    None => Self::NotTold,
                },
            },
        }
    }

    fn words(&self) -> String {
        match self {
            Self::Works => "it works".to_owned(),
            Self::Status(status) => format!("the handshake is answered with {status}"),
            Self::Stopped(_, why) => why.clone(),
            Self::NotTold => "it was not told how far it comes".to_owned(),
        }
    }
}

/// How a message stands to what was measured.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Beside {
    /// It says the same.
    Fits,
    /// It says no more than that something failed.
    AddsNothing,
    /// The two cannot both be so, at one time and by one way.
    Disagrees,
    /// It works now.
    NotNow,
    /// It is no fault.
    NoFault,
}

fn beside(meaning: Meaning, route: &RouteView<'_>, measured: &Measured) -> Beside {
    if meaning.harmless() {
        return Beside::NoFault;
    }
    let direct = route.route.id.is_direct();
    let by_proxy = meaning.stage() == Some(Stage::Proxy);
    if by_proxy && direct {
        return Beside::Disagrees;
    }
    // The collector goes on where a browser stops.
    if meaning == Meaning::Untrusted {
        return match route.trusted() {
            Some(false) => Beside::Fits,
            _ if *measured == Measured::Works => Beside::NotNow,
            _ => Beside::Disagrees,
        };
    }
    match (measured, meaning, meaning.stage()) {
        (Measured::Works, ..) => Beside::NotNow,
        (Measured::NotTold, ..) | (_, _, None) => Beside::AddsNothing,
        (Measured::Status(own), Meaning::Status(its), _) if *own == its => Beside::Fits,
        (Measured::Status(401), Meaning::Credentials, _) => Beside::Fits,
        (Measured::Status(_), Meaning::Refusal, _) => Beside::Fits,
        (Measured::Stopped(own, _), _, Some(its)) if *own == its => Beside::Fits,
        _ => Beside::Disagrees,
    }
}

/// What it means that the two do not agree.
fn why_not(meaning: Meaning, route: &RouteView<'_>, measured: &Measured) -> String {
    let own = measured.words();
    let way = route.route.id.way();
    let stage = meaning.stage();
    match (measured, meaning) {
        _ if stage == Some(Stage::Proxy) && route.route.id.is_direct() => format!(
            "The browser goes by a proxy, and the probes went directly ({own}): these do not agree. The \
             browser has a proxy setting of its own (an extension, a policy, a PAC file): try its way with \
             -x URL, or ask it with --browser."
        ),
        (Measured::Status(own), Meaning::Status(its)) => format!(
            "The browser got {its}, the probes got {own}: these do not agree. It was another moment, \
             another way, or another backend answered."
        ),
        (Measured::Status(_) | Measured::Stopped(..), _) if stage == Some(Stage::Browser) => {
            format!(
                "The browser did not let it go out at all, and the probes went out {way} ({own}): these do \
             not agree. There is something to change in the browser besides what was measured."
            )
        }
        (Measured::Status(_), _) if stage < Some(Stage::Answered) => format!(
            "The browser did not come as far as the probes ({own}, {way}): these do not agree. It takes \
             another way, has a setting of its own, or it was another moment."
        ),
        (Measured::Stopped(at, _), _) if stage < Some(*at) => format!(
            "The browser did not come as far as the probes ({own}, {way}): these do not agree. It takes \
             another way, has a setting of its own, or it was another moment."
        ),
        _ => format!(
            "The browser came further than the probes ({own}, {way}): these do not agree. It takes another \
             way, or it was another moment."
        ),
    }
}

fn same_host(focus: &BundleView<'_>, host: &str) -> bool {
    let own = focus.bundle.manifest.target.host.trim_matches(['[', ']']).trim_end_matches('.');
    host.eq_ignore_ascii_case(own)
}

/// The same of a message that names a connection's end instead of a URL. An address
/// may be the target's, another name or port is not.
fn another_end(focus: &BundleView<'_>, text: &str) -> Option<String> {
    let target = &focus.bundle.manifest.target;
    let (host, port) = console::endpoint(text)?;
    let address = host.parse::<std::net::IpAddr>().is_ok();
    let other_port = port.is_some_and(|port| port != target.port);
    let other_host = !address && !same_host(focus, &host);
    let shown = match port {
        Some(port) if host.contains(':') => format!("[{host}]:{port}"),
        Some(port) => format!("{host}:{port}"),
        None => host,
    };
    (other_host || other_port).then(|| format!("{shown}, and not about {}", target.host_port()))
}

/// Whether a message is about the socket that was tried, and otherwise why not.
fn elsewhere(focus: &BundleView<'_>, place: &Place) -> Option<String> {
    let target = &focus.bundle.manifest.target;
    if same_host(focus, &place.host) && place.port != target.port {
        return Some(format!(
            "port {} of {} ({}://), and not about port {}",
            place.port, place.host, place.scheme, target.port
        ));
    }
    if !same_host(focus, &place.host) {
        return Some(format!("{}, and not about {}", place.authority(), target.host_port()));
    }
    let known = |path: &String| {
        path.split('?').next().unwrap_or_default().trim_end_matches('/') == place.path
    };
    let tried = place.path.is_empty() || target.paths.iter().any(known);
    (place.is_socket() && !tried)
        .then(|| format!("the path {} of {}, which was not tried", place.path, target.host_port()))
}

/// The path that a message is about, as it was tried.
fn path_of<'a>(focus: &'a BundleView<'_>, place: Option<&Place>, deciding: &'a str) -> &'a str {
    let said = place.filter(|place| place.is_socket() && !place.path.is_empty());
    let Some(said) = said else { return deciding };
    let bare =
        |path: &str| path.split('?').next().unwrap_or_default().trim_end_matches('/').to_owned();
    let paths = &focus.bundle.observations.target.paths;
    paths.iter().map(String::as_str).find(|path| bare(path) == said.path).unwrap_or(deciding)
}

fn browser_message(e: &Evidence<'_>) -> Answer {
    let Some((focus, route, path)) = e.deciding() else { return Answer::NotApplicable };
    let Some(text) = &focus.bundle.manifest.answers.browser_message else {
        return Answer::NotApplicable;
    };
    let observation = route
        .upgrade_reply(path)
        .map(|r| r.observation)
        .or_else(|| route.upgrade_failure(path).map(|(o, _)| o))
        .or_else(|| route.observations.first().copied());
    let Some(observation) = observation else { return Answer::NotApplicable };
    let messages = console::read(text);
    let told: Vec<Finding> = messages
        .iter()
        .take(TOLD)
        .map(|message| tell(message, focus, observation, route, path))
        .collect();
    if told.is_empty() { Answer::NotApplicable } else { Answer::Note(told) }
}

fn tell(
    message: &Message,
    focus: &BundleView<'_>,
    observation: &Observation,
    route: &RouteView<'_>,
    path: &str,
) -> Finding {
    let shown: String = message.text.chars().take(300).collect();
    let note = |severity, title: &str, text: String| {
        Draft::new(severity, title, focus, observation, format!("pasted: {shown}"))
            .text(text)
            .done()
    };
    let elsewhere = match &message.place {
        // The page's own host, and the page's own fault: it is this console's.
        Some(place) if message.meaning == Some(Meaning::Mixed) && same_host(focus, &place.host) => {
            None
        }
        Some(place) => elsewhere(focus, place),
        None => another_end(focus, &message.text),
    };
    let Some(meaning) = message.meaning else {
        return note(
            Severity::Info,
            "The browser's message is none that is known here",
            format!("It is shown as it was given, and was not used. {BETTER}"),
        );
    };
    if let Some(other) = elsewhere {
        return note(
            Severity::Warning,
            "The browser's message is about something else",
            format!(
                "The message is about {other}: it was not used. It means that {}. {BETTER}",
                meaning.words()
            ),
        );
    }
    let path = path_of(focus, message.place.as_ref(), path);
    let measured = Measured::of(route, path);
    let by = message.who.map_or(String::new(), |who| format!(" ({who})"));
    let words = match meaning {
        // Firefox writes it where the socket had not opened.
        Meaning::Unspecific if message.who.is_some_and(|who| who.starts_with("Firefox")) => {
            "the browser could not connect, and not why".to_owned()
        }
        _ => meaning.words(),
    };
    let means = format!("The message{by} means that {words}.");
    let title = "What the browser's console said";
    let now = "What was measured works now, so that the message tells of another moment or of the browser \
               itself: to catch it, ask a browser with --browser, or record it with --har while it fails.";
    match beside(meaning, route, &measured) {
        Beside::NoFault if measured == Measured::Works => {
            note(Severity::Info, title, format!("{means} {now}"))
        }
        Beside::NoFault => note(Severity::Info, title, means),
        Beside::Fits => note(
            Severity::Info,
            title,
            format!(
                "{means} It is somebody's word, and fits what was measured ({}).",
                measured.words()
            ),
        ),
        Beside::AddsNothing => note(
            Severity::Info,
            title,
            format!(
                "{means} It adds nothing to what was measured ({}), and takes nothing from it.",
                measured.words()
            ),
        ),
        Beside::NotNow => note(Severity::Info, title, format!("{means} {now}")),
        Beside::Disagrees => {
            let also = if measured == Measured::Works { format!(" {now}") } else { String::new() };
            note(
                Severity::Warning,
                "The browser's message and what was measured do not agree",
                format!("{means} {}{also}", why_not(meaning, route, &measured)),
            )
        }
    }
}
