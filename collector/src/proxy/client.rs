//! What each browser makes of the settings for one URL. curl's rules are in
//! `curl`; here are Chrome's (also Edge's) and Firefox's, from their sources:
//! Chromium `net/proxy_resolution/` and `net/docs/proxy.md`, Firefox
//! `toolkit/system/*proxy/` and `netwerk/base/nsProtocolProxyService.cpp`.
//!
//! A WebSocket is not always treated like its page: for `wss` both take a
//! SOCKS proxy first, then the proxy for `https`, then the one for `http`, while
//! the page goes by the one for `https`. Checked against Chromium 156 and
//! Firefox 153 on Linux, with variables and with GNOME's settings; what is said
//! of them on Windows and macOS is from their sources alone.

use super::bypass::{self, Goal};
use super::pac::{Answers, File};
use super::source::{Kind, Manual, Says, Source};
use super::variables::Variables;

/// One stop of a way.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Hop {
    /// Straight to the target.
    Direct,
    /// A proxy, as [`super::address::parse`] reads it for browsers.
    Proxy(String),
}

/// What a client does.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Decision {
    /// It takes the first of these that it can connect to.
    Takes {
        /// At least one.
        hops: Vec<Hop>,
        /// Who names them.
        source: String,
        /// Why.
        because: String,
    },
    /// That is for a PAC file to say, which nobody has fetched.
    Asks(File),
}

impl Decision {
    fn direct(because: impl Into<String>) -> Self {
        Self::Takes { hops: vec![Hop::Direct], source: String::new(), because: because.into() }
    }
}

/// The desktop, as Chrome tells it (`base/nix/xdg_util.cc`).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Desktop {
    /// One that keeps GNOME's settings.
    Gnome,
    /// KDE.
    Kde,
    /// One whose settings no browser reads.
    Other,
    /// No variable tells; an `ssh` session, say.
    Unknown,
}

impl Desktop {
    /// From the session's variables.
    #[must_use]
    pub fn of(variables: &Variables) -> Self {
        let current = variables.get("XDG_CURRENT_DESKTOP").unwrap_or_default();
        for name in current.split(':').map(str::trim) {
            match name {
                "GNOME" | "Unity" | "X-Cinnamon" | "Deepin" | "Pantheon" | "UKUI" => {
                    return Self::Gnome;
                }
                "KDE" => return Self::Kde,
                "XFCE" | "LXQt" => return Self::Other,
                _ => {}
            }
        }
        match variables.get("DESKTOP_SESSION").unwrap_or_default() {
            "gnome" | "mate" | "deepin" | "ukui" => return Self::Gnome,
            "kde" | "kde4" | "kde-plasma" => return Self::Kde,
            session if session.contains("xfce") || session == "xubuntu" => return Self::Other,
            _ => {}
        }
        match (variables.get("GNOME_DESKTOP_SESSION_ID"), variables.get("KDE_FULL_SESSION")) {
            (Some(_), _) => Self::Gnome,
            (None, Some(_)) => Self::Kde,
            (None, None) if current.is_empty() => Self::Unknown,
            (None, None) => Self::Other,
        }
    }
}

/// The source that speaks for the system. Where no variable tells the desktop,
/// the one that names something does.
#[must_use]
pub fn system(sources: &[Source], desktop: Desktop) -> Option<&Source> {
    let of = |id: &str| sources.iter().find(|s| s.kind == Kind::System && s.id == id);
    let names = |source: &&Source| source.says.names_something();
    match desktop {
        _ if of("windows-machine").or(of("windows-user")).or(of("macos")).is_some() => {
            of("windows-machine").or(of("windows-user")).or(of("macos"))
        }
        Desktop::Gnome => of("gnome"),
        Desktop::Kde => of("kde"),
        Desktop::Other => None,
        Desktop::Unknown => of("gnome").filter(names).or_else(|| of("kde").filter(names)),
    }
}

/// Whose reading of the same settings.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Reading {
    Chrome,
    /// Firefox, following the system.
    FirefoxSystem,
    /// Firefox, by its own settings.
    Firefox,
}

/// What Chrome (or Edge) does: its policies, then the system's settings, then
/// (Linux) the variables.
#[must_use]
pub fn chrome(
    kind: Kind,
    goal: &Goal<'_>,
    sources: &[Source],
    variables: &Variables,
    answers: &Answers,
) -> Decision {
    if let Some(policy) = policy(sources, kind) {
        return decide(&policy.says, &policy.name, goal, Reading::Chrome, answers);
    }
    let desktop = Desktop::of(variables);
    if let Some(source) = system(sources, desktop) {
        return decide(&source.says, &source.name, goal, Reading::Chrome, answers);
    }
    match of_variables(variables) {
        Some((says, name)) => decide(&says, &name, goal, Reading::Chrome, answers),
        None => Decision::direct("no proxy is set"),
    }
}

/// Whether a browser here surely reads its proxies so: the system's settings or
/// a policy speak, or the session has a desktop, whose browsers have its
/// variables. Without these there may be no browser at all.
#[must_use]
pub fn certain(kind: Kind, sources: &[Source], variables: &Variables) -> bool {
    let desktop = Desktop::of(variables);
    cfg!(any(windows, target_os = "macos"))
        || desktop != Desktop::Unknown
        || policy(sources, kind).is_some()
        || system(sources, desktop).is_some()
}

/// What the system's settings say by themselves, read as Chrome reads them.
#[must_use]
pub fn of_system(source: &Source, goal: &Goal<'_>, answers: &Answers) -> Decision {
    decide(&source.says, &source.name, goal, Reading::Chrome, answers)
}

/// What Firefox does as it is installed: its policies, then the system's
/// settings (KDE's are not read), then (Linux) the variables.
#[must_use]
pub fn firefox(
    goal: &Goal<'_>,
    sources: &[Source],
    variables: &Variables,
    answers: &Answers,
) -> Decision {
    if let Some(policy) = policy(sources, Kind::Firefox) {
        return decide(&policy.says, &policy.name, goal, Reading::Firefox, answers);
    }
    let desktop = Desktop::of(variables);
    let gnome = sources.iter().find(|source| source.id == "gnome");
    let source = match system(sources, desktop) {
        Some(source) if source.id != "kde" => Some(source),
        // Firefox asks for GNOME's settings on every desktop.
        _ => gnome,
    };
    if let Some(source) = source {
        let says = Says { auto_detect: false, ..source.says.clone() };
        if says.names_something() {
            return decide(&says, &source.name, goal, Reading::FirefoxSystem, answers);
        }
        if source.id != "gnome" {
            return Decision::direct(format!("{} name no proxy", source.name));
        }
    }
    firefox_variables(goal, variables)
}

/// The policies of a browser, unless they leave it to the system.
fn policy(sources: &[Source], kind: Kind) -> Option<&Source> {
    sources
        .iter()
        .filter(|source| source.kind == kind)
        .find(|source| source.says.names_something() || source.says.none)
}

/// The variables as Chrome reads them (`GetConfigFromEnv`): `all_proxy` before
/// the others; for each lower case before upper case.
#[must_use]
pub fn of_variables(variables: &Variables) -> Option<(Says, String)> {
    if let Some((name, value)) = variables.either_case("auto_proxy") {
        let says = Says { pac: Some(value.to_owned()), ..Says::default() };
        return Some((says, format!("environment {name}")));
    }
    // Chrome leaves out the scheme that people write there, and takes what is
    // left for an HTTP proxy: also `socks5://` (seen with Chromium 156).
    let proxy = |name: &'static str| -> Option<(String, String)> {
        let (name, value) = variables.either_case(name)?;
        let value = super::address::without_credentials(value.trim_end_matches('/'));
        let rest = value.split_once("://").map_or(value.as_str(), |(_, rest)| rest);
        Some((name, format!("http://{rest}")))
    };
    let mut manual = Manual { suffix: true, ..Manual::default() };
    let mut names = Vec::new();
    if let Some((name, value)) = proxy("all_proxy") {
        manual.all.push(value);
        names.push(name);
    } else {
        for (variable, list) in
            [("http_proxy", &mut manual.http), ("https_proxy", &mut manual.https)]
        {
            if let Some((name, value)) = proxy(variable) {
                list.push(value);
                names.push(name);
            }
        }
    }
    if manual.is_empty()
        && let Some((_, server)) = variables.first(&["SOCKS_SERVER"])
    {
        let version = if variables.get("SOCKS_VERSION") == Some("4") { "socks4" } else { "socks5" };
        let server = super::address::without_credentials(server);
        let server = server.split_once("://").map_or(server.as_str(), |(_, rest)| rest);
        manual.all.push(format!("{version}://{server}"));
        names.push("SOCKS_SERVER".to_owned());
    }
    if manual.is_empty() {
        return None;
    }
    if let Some((_, list)) = variables.either_case("no_proxy") {
        manual.bypass = bypass::entries(list, &[',', ';']);
    }
    let says = Says { manual: Some(manual), ..Says::default() };
    Some((says, format!("environment {}", names.join(" and "))))
}

/// The variables as Firefox reads them (`GetProxyFromEnvironment`).
fn firefox_variables(goal: &Goal<'_>, variables: &Variables) -> Decision {
    if cfg!(any(windows, target_os = "macos")) {
        return Decision::direct("no proxy is set");
    }
    let own: &[&'static str] = match goal.scheme {
        "wss" | "https" => &["https_proxy", "all_proxy"],
        _ => &["http_proxy", "all_proxy"],
    };
    let Some((name, value)) = own.iter().find_map(|name| variables.either_case(name)) else {
        return Decision::direct("no proxy is set");
    };
    if let Some((list_name, list)) = variables.either_case("no_proxy")
        && bypass::firefox_variable(goal, list)
    {
        return Decision::direct(format!("environment {list_name} exempts {}", goal.host));
    }
    if !value.to_ascii_lowercase().starts_with("http://") {
        let because = format!("environment {name} is no http:// URL, which Firefox wants");
        return Decision::direct(because);
    }
    let proxy = super::address::without_credentials(value);
    let because = format!("environment {name}");
    Decision::Takes { hops: vec![Hop::Proxy(proxy)], source: because.clone(), because }
}

/// One source's word, as one browser reads it: a PAC file before proxies by
/// name, which are what is left when no PAC file can be had.
fn decide(
    says: &Says,
    name: &str,
    goal: &Goal<'_>,
    reading: Reading,
    answers: &Answers,
) -> Decision {
    let files = says
        .auto_detect
        .then_some(File::Wpad)
        .into_iter()
        .chain(says.pac.iter().map(|url| File::Url(url.clone())));
    let mut troubles = Vec::new();
    // Chrome never asks a PAC file about this machine itself.
    if says.auto_detect || says.pac.is_some() {
        if reading == Reading::Chrome && bypass::implicit(goal) {
            return Decision::direct(format!("{} is this machine itself", goal.host));
        }
        for file in files {
            match answers.get(&file) {
                None => return Decision::Asks(file),
                Some(Ok(said)) => {
                    let said =
                        if goal.scheme.starts_with("ws") { &said.socket } else { &said.page };
                    return Decision::Takes {
                        hops: said.hops.clone(),
                        source: format!("{name}: {file}"),
                        because: match said.without().filter(|_| reading == Reading::Chrome) {
                            Some(drops) => format!("{name}: {file} says {}; {drops}", said.text),
                            None => format!("{name}: {file} says {}", said.text),
                        },
                    };
                }
                Some(Err(why)) => troubles.push(format!("{file}: {why}")),
            }
        }
    }
    let also = if troubles.is_empty() {
        String::new()
    } else {
        format!(" ({} could not be used)", troubles.join("; "))
    };
    match &says.manual {
        Some(manual) => by_name(manual, name, &also, goal, reading),
        None => Decision::direct(format!("{name} name no proxy{also}")),
    }
}

fn by_name(
    manual: &Manual,
    source: &str,
    also: &str,
    goal: &Goal<'_>,
    reading: Reading,
) -> Decision {
    let name = format!("{source}{also}");
    let listed = match reading {
        Reading::Chrome => bypass::chrome(goal, &manual.bypass, manual.suffix),
        Reading::FirefoxSystem => {
            bypass::firefox_gnome(goal, &manual.bypass) || pattern(goal, manual)
        }
        Reading::Firefox => bypass::firefox(goal, &manual.bypass),
    };
    let exempt = match (manual.reversed, reading) {
        (true, Reading::Chrome) => !listed || bypass::implicit(goal),
        _ => listed,
    };
    if exempt {
        return Decision::direct(format!("{name} exempt {}", goal.host));
    }
    let (list, which) = proxies(manual, goal.scheme, reading);
    if list.is_empty() {
        return Decision::direct(format!("{name} name no proxy for {}", goal.scheme));
    }
    let hops = list
        .iter()
        .map(|proxy| match (proxy.as_str(), proxy.strip_prefix("socks5://")) {
            ("direct://", _) => Hop::Direct,
            // Firefox speaks version 4 to the system's SOCKS proxy (seen with 153).
            (_, Some(place)) if reading == Reading::FirefoxSystem => {
                Hop::Proxy(format!("socks4a://{place}"))
            }
            (proxy, _) => Hop::Proxy(proxy.to_owned()),
        })
        .collect();
    Decision::Takes { hops, source: source.to_owned(), because: format!("{name}: {which}") }
}

/// The lists of Windows and macOS, as Firefox reads them (`IsHostProxyEntry`).
fn pattern(goal: &Goal<'_>, manual: &Manual) -> bool {
    let host = goal.host.to_ascii_lowercase();
    manual.patterns
        && manual.bypass.iter().any(|entry| match entry.to_ascii_lowercase().as_str() {
            "<local>" => !host.contains(['.', ':']) || matches!(host.as_str(), "127.0.0.1" | "::1"),
            entry => bypass::glob(entry, &host),
        })
}

/// The proxies for a scheme, and which setting that was.
fn proxies<'a>(manual: &'a Manual, scheme: &str, reading: Reading) -> (&'a [String], &'static str) {
    let all = (manual.all.as_slice(), "the proxy for everything");
    let http = (manual.http.as_slice(), "the proxy for http");
    let https = (manual.https.as_slice(), "the proxy for https");
    let socks = (manual.socks.as_slice(), "the SOCKS proxy");
    // GNOME with nothing but a SOCKS proxy uses it for everything, and so it
    // comes out by these orders, too.
    let order: &[_] = match (reading, scheme) {
        (Reading::Chrome, "ws" | "wss") => &[all, socks, https, http],
        (Reading::Chrome, "https") => &[all, https, socks],
        (Reading::Chrome, _) => &[all, http, socks],
        // nsProtocolProxyService: a WebSocket prefers SOCKS, then the proxy for https.
        (Reading::Firefox, "ws" | "wss") => &[socks, https],
        (Reading::Firefox, "https") => &[https, socks],
        (Reading::Firefox, _) => &[http, socks],
        (Reading::FirefoxSystem, "ws" | "wss") => &[all, socks, https, http],
        (Reading::FirefoxSystem, "https") => &[https, all, http, socks],
        (Reading::FirefoxSystem, _) => &[http, all, socks],
    };
    order.iter().copied().find(|(list, _)| !list.is_empty()).unwrap_or((&[], ""))
}

/// Every proxy that a source names for a URL, exempted or not: each is worth trying.
#[must_use]
pub fn candidates(says: &Says, goal: &Goal<'_>) -> Vec<String> {
    let Some(manual) = &says.manual else { return Vec::new() };
    let page = if goal.scheme == "wss" { "https" } else { "http" };
    let mut out: Vec<String> = Vec::new();
    for scheme in [goal.scheme, page] {
        for proxy in proxies(manual, scheme, Reading::Chrome).0 {
            if proxy != "direct://" && !out.contains(proxy) {
                out.push(proxy.clone());
            }
        }
    }
    out
}
