//! Whether a pasted test is a valid one for a case, and how it ended.

use super::errors::{self, At};
use super::no_test::NoTest;
use wss_bundle::pasted::curl::{Program, Response, Test, field};
use wss_bundle::target::Scheme;
use wss_bundle::{Bundle, FailureKind, Target};

/// A valid test.
pub(super) struct Valid<'a> {
    pub(super) test: &'a Test,
    /// What it asked for, as far as it shows; else the case's.
    pub(super) target: Target,
    /// How it ended.
    pub(super) end: End<'a>,
    /// The proxy that it went by, `Some("")` where it is not named.
    pub(super) proxy: Option<String>,
    /// The key that was sent, where it is known.
    pub(super) key: Option<String>,
}

/// How a test ended.
pub(super) enum End<'a> {
    /// With this response, at this position.
    Answered(usize, &'a Response),
    /// With this status, and nothing more is shown.
    Status(u16),
    /// The proxy answered CONNECT so.
    Refused(Option<&'a Response>, u16),
    /// Before an answer.
    Failed(At, FailureKind),
}

/// The response to the upgrade, and its position. Before it may stand a proxy's
/// answer to CONNECT, interim responses, and a demand for credentials that
/// curl then fulfilled; after it what redirects led to.
pub(super) fn answer(test: &Test) -> Option<(usize, &Response)> {
    let all = &test.responses;
    let tunnel = test.proxy.is_some() || test.asked_for_a_tunnel();
    let mut connected = false;
    all.iter().enumerate().find(|(at, response)| {
        let last = at + 1 == all.len();
        match response.status {
            100 | 102..=199 => false,
            // The first of a tunnel's; behind it another answer, or how it failed.
            200..=299 if !connected && response.may_answer_connect() => {
                let connect = !last || tunnel && !test.errors.is_empty();
                connected |= connect;
                !connect
            }
            401 | 407 => last,
            _ => true,
        }
    })
}

/// Judges one test.
pub(super) fn judge<'a>(bundle: &Bundle, test: &'a Test) -> Result<Valid<'a>, NoTest> {
    if test.program != Program::Curl {
        return Err(NoTest::Program(test.program, test.said.clone()));
    }
    if test.hex && test.responses.is_empty() && test.errors.is_empty() {
        return Err(NoTest::Hexadecimal);
    }
    if !test.has_an_outcome() {
        return Err(if test.command.is_some() { NoTest::CommandAlone } else { NoTest::NoResponse });
    }
    let target = target(bundle, test)?;
    method(test)?;
    let key = request(bundle, test)?;
    let mut valid = Valid { test, target, end: End::Status(0), proxy: test.proxy.clone(), key };
    if valid.proxy.is_none() && test.asked_for_a_tunnel() {
        valid.proxy = Some(String::new());
    }
    valid.end = end(bundle, &mut valid.proxy, test)?;
    Ok(valid)
}

// ---- what was asked for

/// The target as the test shows it; the case's where it shows none.
fn target(bundle: &Bundle, test: &Test) -> Result<Target, NoTest> {
    let own = &bundle.manifest.target;
    let mut target = own.clone();
    let mut path = None;
    let mut shown = false;
    if let Some(request) = test.request() {
        path = request.first().and_then(|line| line.split(' ').nth(1)).map(str::to_owned);
        if let Some(authority) = field(request.iter(), "host") {
            shown |= set_authority(&mut target, authority, None);
        }
    }
    let urls = test.command.as_ref().map_or(&[][..], |command| &command.urls);
    // Several URLs are several transfers; the case's own is the one that counts.
    let about = |url: &&String| url.to_ascii_lowercase().contains(&own.host.to_ascii_lowercase());
    if let Some(url) = urls.iter().find(about).or_else(|| urls.last()) {
        let (scheme, rest) = match url.split_once("://") {
            Some((scheme, rest)) => (Some(scheme.to_ascii_lowercase()), rest),
            None => (None, url.as_str()),
        };
        let scheme = match scheme.as_deref() {
            Some("https" | "wss") => Scheme::Https,
            // Without a scheme curl takes http.
            _ => Scheme::Http,
        };
        let end = rest.find(['/', '?', '#']).unwrap_or(rest.len());
        shown |= set_authority(&mut target, &rest[..end], Some(scheme));
        if path.is_none() {
            path = Some(if end < rest.len() { rest[end..].to_owned() } else { "/".to_owned() });
        }
    }
    let path = path.filter(|path| path.starts_with('/'));
    let plain = |path: &str| path.split(['?', '#']).next().unwrap_or_default().to_owned();
    let tried = |path: &str| own.paths.iter().find(|own| plain(own) == plain(path)).cloned();
    let (known, asked) = match &path {
        Some(path) => (tried(path), plain(path)),
        None => (None, String::new()),
    };
    let elsewhere = shown && (target.scheme, target.port) != (own.scheme, own.port)
        || !target.host.trim_end_matches('.').eq_ignore_ascii_case(own.host.trim_end_matches('.'));
    if elsewhere || path.is_some() && known.is_none() {
        let path = if path.is_some() { asked } else { String::new() };
        let here = own.url(own.paths.first().map_or("/", String::as_str));
        return Err(NoTest::Elsewhere { there: target.url(&path), here });
    }
    target.host.clone_from(&own.host);
    // The page's own, where it is not shown and not out of the question.
    let page = own.paths.iter().find(|path| *path == wss_bundle::target::DEFAULT_PATHS[0]);
    let assumed = || page.or(own.paths.first()).cloned().unwrap_or_else(|| "/".to_owned());
    target.paths = vec![known.unwrap_or_else(assumed)];
    Ok(target)
}

/// Takes host and port over, unless it is a placeholder (`<bindplane-host>` of the
/// page) or what a redactor left.
fn set_authority(target: &mut Target, authority: &str, scheme: Option<Scheme>) -> bool {
    let authority = authority.rsplit('@').next().unwrap_or_default();
    let plain = |c: char| c.is_ascii_alphanumeric() || ".-_:[]".contains(c);
    if authority.is_empty() || !authority.chars().all(plain) || authority.contains("removed") {
        return false;
    }
    let (host, port) = match authority.rsplit_once(':') {
        Some((host, port)) if !port.contains(']') => (host, port.parse().ok()),
        _ => (authority, None),
    };
    if let Some(scheme) = scheme {
        target.scheme = scheme;
    }
    target.port = port.unwrap_or_else(|| target.scheme.default_port());
    target.host = host.trim_matches(['[', ']']).to_ascii_lowercase();
    true
}

fn method(test: &Test) -> Result<(), NoTest> {
    let sent = test.request().and_then(|lines| lines.first()?.split(' ').next());
    let sent = sent.map(str::to_owned);
    let command = test.command.as_ref();
    let given = command.and_then(|command| match command.head_only {
        true => Some("HEAD".to_owned()),
        false => command.method.clone(),
    });
    match sent.or(given) {
        Some(method) if !method.eq_ignore_ascii_case("GET") => Err(NoTest::Method(method)),
        _ => Ok(()),
    }
}

/// Whether the request was one that a server can take; gives the key that was sent.
fn request(bundle: &Bundle, test: &Test) -> Result<Option<String>, NoTest> {
    let command = test.command.as_ref();
    let answered = answer(test);
    let old = |(_, response): (usize, &Response)| response.version.starts_with('1');
    let http2 = answered.is_some_and(|answer| !old(answer))
        || test.errors.last().is_some_and(|e| matches!(e.code, 16 | 92 | 95 | 96));
    let websocket = command.is_some_and(wss_bundle::pasted::curl::Command::is_websocket);
    // Headers from a file are not known.
    let from_file = command.is_some_and(|c| c.headers.iter().any(|h| h.name.starts_with('@')));
    let sent = |name: &str| -> Option<String> {
        match (test.request(), command) {
            (Some(lines), _) => field(lines.iter().skip(1), name).map(str::to_owned),
            (None, Some(command)) => command.header(name).map(str::to_owned),
            (None, None) => None,
        }
    };
    // Over HTTP/2 curl leaves them out: what was asked for stands in the command.
    let asked = |name: &str| match command {
        Some(command) if http2 => command.header(name).map(str::to_owned),
        _ => sent(name),
    };
    let known = test.request().is_some_and(|_| !http2) || command.is_some() && !from_file;
    if known && !(websocket && test.request().is_none()) {
        let token = |name: &str, token: &str| {
            asked(name).is_some_and(|value| {
                value.split(',').any(|own| own.trim().eq_ignore_ascii_case(token))
            })
        };
        if !token("upgrade", "websocket") {
            return Err(NoTest::NoUpgrade);
        }
        if http2 {
            return Err(NoTest::Http2);
        }
        if !token("connection", "upgrade") {
            return Err(NoTest::Lacks("Connection: Upgrade"));
        }
        if asked("sec-websocket-key").is_none_or(|key| key.is_empty()) {
            return Err(NoTest::Lacks("Sec-WebSocket-Key"));
        }
        if asked("sec-websocket-version").is_none_or(|version| version.trim() != "13") {
            return Err(NoTest::Lacks("Sec-WebSocket-Version: 13"));
        }
    }
    if http2 {
        return Err(NoTest::Http2);
    }
    if let Some(origin) = sent("origin").filter(|origin| !origin.is_empty()) {
        let own = bundle.manifest.target.origin();
        let given = bundle
            .manifest
            .options
            .iter()
            .any(|o| o.option == "-H" && o.words().to_lowercase().contains("origin"));
        if !origin.eq_ignore_ascii_case(&own) && !given {
            return Err(NoTest::Origin(origin.chars().take(100).collect()));
        }
    }
    let follows = command.is_some_and(|command| command.follows);
    let redirected = answered.is_some_and(|(_, r)| (300..400).contains(&r.status));
    if follows && (redirected || answered.is_none() && test.written.is_some()) {
        return Err(NoTest::Followed);
    }
    let key = sent("sec-websocket-key");
    let switched = answered.is_some_and(|(_, response)| response.status == 101);
    match key.as_deref().map(key_of) {
        Some(Key::Bad) if !switched => Err(NoTest::Key),
        Some(Key::Known) => Ok(key),
        _ => Ok(None),
    }
}

enum Key {
    Known,
    /// Made by the shell, or removed.
    Unknown,
    Bad,
}

fn key_of(key: &str) -> Key {
    if key.contains(['$', '`', '[', '%', '<', '{']) {
        return Key::Unknown;
    }
    if wss_bundle::accept::is_key(key) { Key::Known } else { Key::Bad }
}

// ---- how it ended

fn end<'a>(bundle: &Bundle, proxy: &mut Option<String>, test: &'a Test) -> Result<End<'a>, NoTest> {
    let error = test.errors.last();
    let what = error.and_then(|error| errors::what(error.code, &error.words));
    if let (Some(error), Some((At::TunnelStatus, _))) = (error, what)
        && let Some(status) = errors::status(&error.words)
    {
        proxy.get_or_insert_default();
        let shown = test.responses.iter().rfind(|response| response.status == status);
        return Ok(End::Refused(shown, status));
    }
    if let Some((at, response)) = answer(test) {
        let tunnel_alone = test.asked_for_a_tunnel() && test.request().is_none();
        if response.status == 407 || response.status >= 300 && tunnel_alone {
            proxy.get_or_insert_default();
            return Ok(End::Refused(Some(response), response.status));
        }
        return Ok(End::Answered(at, response));
    }
    let Some(error) = error else {
        return match test.written {
            Some(status @ 100..) => Ok(End::Status(status)),
            _ => Err(NoTest::NoResponse),
        };
    };
    let own = &bundle.manifest.target.host;
    let named = host_in(&error.words);
    if error.code == 6
        && let Some(host) = &named
        && !host.eq_ignore_ascii_case(own)
    {
        return Err(if is_word(host) {
            NoTest::Words(host.clone())
        } else {
            NoTest::Elsewhere { there: host.clone(), here: own.clone() }
        });
    }
    // curl's numbers for what a redirect led to.
    if error.code == 47 {
        return Err(NoTest::Followed);
    }
    let Some((at, kind)) = what else { return Err(NoTest::Unclear(error.code)) };
    match at {
        At::Here(why) => Err(NoTest::Here(why)),
        At::Status => match errors::status(&error.words) {
            Some(status) => Ok(End::Status(status)),
            None => Err(NoTest::NoResponse),
        },
        At::Tcp => {
            // Whose connection it was: of a proxy the URL says nothing.
            if let Some(host) =
                named.filter(|host| !host.eq_ignore_ascii_case(own) && !is_address(host))
            {
                if proxy.is_none() && test.command.is_none() {
                    return Err(NoTest::Elsewhere { there: host, here: own.clone() });
                }
                proxy.get_or_insert(host);
            }
            Ok(End::Failed(At::Tcp, tcp(kind, test)))
        }
        At::Answer if kind == FailureKind::TimedOut && !test.connected => {
            // `-v` tells a silent server from packets that were dropped.
            let verbose = !test.messages.is_empty();
            let trying = test.messages.iter().any(|said| said.trim_start().starts_with("Trying "));
            let at = if verbose && trying { At::Tcp } else { At::Answer };
            Ok(End::Failed(at, kind))
        }
        At::ProxyName => {
            proxy.get_or_insert_with(|| host_in(&error.words).unwrap_or_default());
            Ok(End::Failed(at, kind))
        }
        At::Tunnel => {
            proxy.get_or_insert_default();
            Ok(End::Failed(at, kind))
        }
        _ => Ok(End::Failed(at, kind)),
    }
}

/// Newer curls say "Could not connect to server" for all: the line before says why,
/// and a refusal takes no time (Windows gives up after 21 s, Linux after 130 s).
fn tcp(kind: FailureKind, test: &Test) -> FailureKind {
    if kind != FailureKind::Other {
        return kind;
    }
    let said = test.messages.iter().rev().filter(|said| said.contains("fail"));
    let told = said.filter_map(|said| errors::what(7, said)).map(|(_, kind)| kind);
    let told = told.into_iter().find(|kind| *kind != FailureKind::Other);
    let took = test.errors.iter().find_map(|error| errors::took_ms(&error.words));
    told.unwrap_or(match took {
        Some(ms) if ms >= 15_000.0 => FailureKind::TimedOut,
        // Windows tries a refused port three times, in two seconds.
        Some(ms) if ms <= 3_000.0 => FailureKind::ConnectionRefused,
        _ => FailureKind::Other,
    })
}

/// The host that an error names: `Could not resolve host: b`, `Failed to connect to
/// b port 443`.
fn host_in(words: &str) -> Option<String> {
    let lower = words.to_ascii_lowercase();
    ["resolve host: ", "resolve host '", "resolve proxy: ", "failed to connect to "]
        .iter()
        .find_map(|before| {
            let at = lower.find(before)? + before.len();
            let rest = words.get(at..)?;
            let host = rest.split([' ', ',', ';']).next()?.trim_matches(['\'', '.', '[', ']']);
            (!host.is_empty()).then(|| host.to_owned())
        })
}

/// What is no host's name but a word of a header.
fn is_word(host: &str) -> bool {
    !host.contains('.') || !host.is_ascii() || host.contains(['"', '\''])
}

fn is_address(host: &str) -> bool {
    host.parse::<std::net::IpAddr>().is_ok()
}
