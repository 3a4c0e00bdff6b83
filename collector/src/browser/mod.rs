//! `--browser`: the same question, asked by a real browser.
//!
//! A browser is started headless, in a profile made for it that is removed
//! afterwards; it loads the target's page, and from that page's origin opens the
//! sockets that the console would. It follows the machine's own proxy settings,
//! policies and trust store: that is what makes its answer worth having. Nothing
//! of the user's profile is read, and it may load nothing but that one page:
//! everything else that a page or the browser itself would fetch is held back.
//!
//! Judged for driving it: `chromiumoxide` (60 000 lines generated from the
//! protocol, for Chromium alone), `fantoccini` and `thirtyfour` (WebDriver
//! classic: they need a driver beside the browser, and see neither frames nor
//! handshakes). What is used of either protocol is a dozen methods, over a
//! WebSocket client that is here anyway.

mod chromium;
mod find;
mod firefox;
mod netlog;
mod process;
mod quiet;
mod record;
mod wire;

pub use crate::config::{BrowserChoice as Choice, BrowserWay as Way};
pub use find::{Family, Program, program};

use crate::config::Config;
use crate::step::Net;
use record::Record;
use std::time::Duration;
use wss_bundle::observation::{Peer, RouteKind, Verification, probe};
use wss_bundle::target::{Scheme, is_agents};
use wss_bundle::{BrowserHandshake, Failure, FailureKind, Operation, Step};

/// How many times as long as a step a browser may take to start: a first start
/// on a slow disk takes half a minute.
const START: u32 = 3;
/// How long an opened socket is watched at least: what breaks frames shows at once.
const SETTLE: Duration = Duration::from_millis(1500);
/// How long a browser may take to end by itself, and to write its log.
const END: Duration = Duration::from_secs(3);

/// What `--browser` means here, and what to say when there is no browser.
/// `planned` is whether the options name the way.
///
/// # Errors
/// One was named, and is not there.
pub fn choose(
    named: Option<&str>,
    planned: bool,
) -> Result<(Option<Choice>, Option<String>), String> {
    let Some(named) = named else { return Ok((None, None)) };
    let way = if planned { Way::AsPlanned } else { Way::System };
    Ok(match program(named)? {
        Some(program) => (Some(Choice { program, way }), None),
        None => (
            None,
            Some(
                "--browser: no Chrome, Chromium, Edge or Firefox is installed here, so none was \
                 asked"
                    .to_owned(),
            ),
        ),
    })
}

/// The name of the program that `--browser` would ask.
#[must_use]
pub fn installed() -> Option<String> {
    let found = program("").ok().flatten()?;
    Some(found.path.file_stem()?.to_string_lossy().into_owned())
}

/// A proxy that the browser is told to use.
struct FixedProxy<'c> {
    url: String,
    kind: RouteKind,
    host: &'c str,
    port: u16,
    auth: Option<&'c crate::config::Credentials>,
}

/// `None`: the machine's settings. `Some(None)`: no proxy at all.
fn fixed_proxy<'c>(config: &'c Config, choice: &Choice) -> Option<Option<FixedProxy<'c>>> {
    if choice.way == Way::System {
        return None;
    }
    let selected = config.routes.iter().find(|route| route.route.selected);
    Some(selected.and_then(|route| {
        let proxy = route.route.proxy.as_ref()?;
        let scheme = match route.route.kind {
            RouteKind::Direct => return None,
            RouteKind::HttpProxy => "http",
            RouteKind::HttpsProxy => "https",
            RouteKind::Socks5 | RouteKind::Socks5h => "socks5",
            RouteKind::Socks4 | RouteKind::Socks4a => "socks4",
        };
        let host =
            if proxy.host.contains(':') { format!("[{}]", proxy.host) } else { proxy.host.clone() };
        Some(FixedProxy {
            url: format!("{scheme}://{host}:{}", proxy.port),
            kind: route.route.kind,
            host: &proxy.host,
            port: proxy.port,
            auth: route.auth.as_ref(),
        })
    }))
}

/// A socket that the page opens.
#[derive(Debug, Clone, serde::Serialize)]
struct Socket {
    url: String,
    protocols: Vec<String>,
    /// Whether it understands what the console says first.
    talks: bool,
}

/// What is said of sockets that are opened from a page of our own.
const OWN_PAGE: &str = "the target's page could not be had: the sockets were opened from an empty \
                        page of the collector's own in its place";

/// The console's sockets; agents do not run in browsers. Browsers fail a
/// handshake whose answer leaves out a subprotocol that they asked for: what no
/// HAR shows is asked for only where the server took it from the probe that asks
/// as a browser does.
async fn sockets(net: &Net) -> Vec<Socket> {
    let config = &net.config;
    let target = &config.target;
    let scheme = if target.scheme == Scheme::Https { "wss" } else { "ws" };
    let path_of = |path: &String| path.split('?').next().unwrap_or_default().to_owned();
    let console: Vec<&String> = target.paths.iter().filter(|path| !is_agents(path)).collect();
    let paths = if console.is_empty() { target.paths.iter().collect() } else { console };
    let until = tokio::time::Instant::now() + config.timeout;
    let mut sockets = Vec::new();
    for path in paths {
        let mut protocols = crate::step::request::asked_protocols(config, path);
        let shown = config.console.iter().any(|known| known.path == path_of(path));
        if !shown && !protocols.is_empty() && !takes_protocol(net, path, until).await {
            protocols.clear();
        }
        let url = format!("{scheme}://{}{path}", target.authority());
        sockets.push(Socket { url, protocols, talks: !is_agents(path) });
    }
    sockets
}

/// Whether a server that switches protocols on this path names a subprotocol.
/// One that does not switch gets the question as the console would put it.
async fn takes_protocol(net: &Net, path: &str, until: tokio::time::Instant) -> bool {
    let answered = net.recorder.until(|seen| match &seen.step {
        Step::Upgrade(upgrade)
            if seen.probe == probe::BROWSER_UPGRADE && seen.path.as_deref() == Some(path) =>
        {
            let head = upgrade.result.ok().map(|reply| &reply.head);
            Some(head.is_none_or(|head| {
                head.status() != Some(101) || head.header("sec-websocket-protocol").is_some()
            }))
        }
        _ => None,
    });
    tokio::time::timeout_at(until, answered).await.unwrap_or(false)
}

/// The page's script, with the sockets to open.
fn script(sockets: &[Socket]) -> String {
    let list = serde_json::to_string(sockets).unwrap_or_else(|_| "[]".into());
    include_str!("page.js").trim().replacen("SOCKETS", &list, 1)
}

/// What a run needs, and what it has seen so far.
struct Session<'r> {
    net: &'r Net,
    choice: &'r Choice,
    record: Record,
    /// Hash of the key of the leaf that `--cacert` vouches for.
    vouched: Option<String>,
}

impl Session<'_> {
    fn config(&self) -> &Config {
        &self.net.config
    }

    /// How long to watch the sockets once they are open.
    fn watch(&self) -> Duration {
        self.config().hold.max(SETTLE)
    }

    /// How long a page or a handshake may take: browsers try again by themselves.
    fn patience(&self) -> Duration {
        self.config().timeout + Duration::from_secs(5)
    }
}

/// Runs the browser; what it saw goes to the recorder, also when it fails midway.
///
/// # Errors
/// Why there is nothing, or not all.
pub async fn run(net: &Net) -> Result<(), Failure> {
    let Some(choice) = &net.config.browser else { return Ok(()) };
    let mut session = Session { net, choice, record: Record::new(), vouched: None };
    let running = async {
        session.vouched = vouched(net).await;
        if session.vouched.is_some() {
            session.record.notes.push(
                "authorities given with --cacert cannot be handed to a browser: it was told not to \
                 check the certificate that the collector found to be theirs"
                    .to_owned(),
            );
        }
        match choice.program.family {
            Family::Chromium => chromium::run(&mut session).await,
            Family::Firefox => firefox::run(&mut session).await,
        }
    };
    let result = tokio::select! {
        biased;
        () = net.cancelled() => Err(None),
        result = running => result.map_err(Some),
    };
    let why = match &result {
        Ok(()) => None,
        Err(None) => Some("stopped by the user".to_owned()),
        Err(Some(why)) => Some(format!("it was broken off: {why}")),
    };
    let seen: Vec<BrowserHandshake> = session.record.finish(why);
    net.recorder.browser(seen);
    result.map_err(|why| match why {
        None => Failure::new(Operation::Read, FailureKind::Cancelled, "stopped by the user"),
        Some(why) => {
            let path = choice.program.path.display();
            Failure::new(Operation::Read, FailureKind::Other, format!("{path}: {why}"))
        }
    })
}

/// SHA-256 of the public key of the target's leaf, in hexadecimal, where it is
/// trusted because of `--cacert`: the browser knows nothing of that. The probes
/// of the selected route find it out.
async fn vouched(net: &Net) -> Option<String> {
    let config = &net.config;
    if config.tls.extra_roots.is_empty() || config.target.scheme == Scheme::Http {
        return None;
    }
    let selected = config.routes.iter().find(|r| r.route.selected).or(config.routes.first())?;
    let until = tokio::time::Instant::now() + config.timeout;
    let found = net.recorder.until(|seen| match &seen.step {
        Step::Tls(tls) if tls.peer == Peer::Target && seen.route == selected.route.id => {
            Some((tls.verification.clone(), tls.chain.first().cloned()))
        }
        _ => None,
    });
    match tokio::time::timeout_at(until, found).await {
        Ok((Some(Verification::Trusted), Some(leaf))) => Some(leaf.spki_sha256),
        _ => None,
    }
}

/// Whether this process is root, which Chromium's sandbox does not support.
fn is_root() -> bool {
    #[cfg(target_os = "linux")]
    {
        use std::os::unix::fs::MetadataExt;
        std::fs::metadata("/proc/self").is_ok_and(|me| me.uid() == 0)
    }
    #[cfg(not(target_os = "linux"))]
    false
}
