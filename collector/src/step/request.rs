//! Requests as bytes: what is sent, and the same without credentials, which is
//! what is recorded. Order and case are curl's, so that our results and those
//! of the page's curl command can be laid side by side.

use super::likeness;
use crate::config::{Config, Credentials};
use base64::Engine as _;
use wss_bundle::Bytes;
use wss_handed::har::ConsoleSocket;

/// The key of RFC 6455 section 1.3, which the page's curl command uses too.
pub const KEY: &str = "dGhlIHNhbXBsZSBub25jZQ==";
/// What a server must answer to [`KEY`].
pub const ACCEPT: &str = "s3pPLMBiTxaQ9kYGzzhZRbK+xOo=";
/// Stands for a removed value.
const REMOVED: &str = "[removed]";

/// The collector's own `User-Agent`.
#[must_use]
pub fn user_agent() -> String {
    format!("wss-collector/{}", env!("CARGO_PKG_VERSION"))
}

/// The four headers that the page's curl command adds.
pub const UPGRADE: [(&str, &str); 4] = [
    ("Connection", "Upgrade"),
    ("Upgrade", "websocket"),
    ("Sec-WebSocket-Key", KEY),
    ("Sec-WebSocket-Version", "13"),
];

/// A request head.
#[derive(Debug, Clone)]
pub struct Request {
    lines: Vec<Line>,
}

#[derive(Debug, Clone)]
struct Line {
    wire: String,
    shown: String,
    secret: Secrecy,
}

/// How secret a header's value is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Secrecy {
    /// It is recorded.
    None,
    /// It is not, and is sent to whoever answers.
    Unrecorded,
    /// It is for the target alone: not for whom this machine does not trust.
    TargetAlone,
    /// The same, and too many wrong ones lock an account.
    Credentials,
}

impl Request {
    /// Begins with the request line.
    #[must_use]
    pub fn new(method: &str, to: &str) -> Self {
        let mut request = Self { lines: Vec::new() };
        request.push(&format!("{method} {to} HTTP/1.1"), None);
        request
    }

    fn push(&mut self, wire: &str, shown: Option<(&str, Secrecy)>) {
        let wire = clean(wire);
        let (shown, secret) = match shown {
            Some((shown, secret)) => (clean(shown), secret),
            None => (wire.clone(), Secrecy::None),
        };
        self.lines.push(Line { wire, shown, secret });
    }

    /// Adds a header.
    pub fn header(&mut self, name: &str, value: &str) {
        self.push(&format!("{name}: {value}"), None);
    }

    /// Adds a header whose value is not recorded.
    pub fn secret(&mut self, name: &str, value: &str) {
        let secret = if name.eq_ignore_ascii_case("Authorization") {
            Secrecy::Credentials
        } else if ["Host", "Proxy-Authorization"].iter().any(|n| name.eq_ignore_ascii_case(n)) {
            Secrecy::Unrecorded
        } else {
            Secrecy::TargetAlone
        };
        self.push(&format!("{name}: {value}"), Some((&format!("{name}: {REMOVED}"), secret)));
    }

    /// Whether a wrong password in it is counted.
    #[must_use]
    pub fn has_credentials(&self) -> bool {
        self.lines.iter().any(|line| line.secret == Secrecy::Credentials)
    }

    /// Without credentials, as they were refused.
    pub fn drop_credentials(&mut self) {
        self.lines.retain(|line| line.secret != Secrecy::Credentials);
    }

    /// Without anything that is for the target alone.
    pub fn drop_secrets(&mut self) {
        self.lines.retain(|line| matches!(line.secret, Secrecy::None | Secrecy::Unrecorded));
    }

    fn bytes(&self, line: impl Fn(&Line) -> &str) -> Vec<u8> {
        let lines = self.lines.iter().flat_map(|one| [line(one).as_bytes(), b"\r\n"]);
        lines.chain([&b"\r\n"[..]]).flatten().copied().collect()
    }

    /// The bytes to send.
    #[must_use]
    pub fn wire(&self) -> Vec<u8> {
        self.bytes(|line| &line.wire)
    }

    /// The bytes to record.
    #[must_use]
    pub fn shown(&self) -> Bytes {
        Bytes(self.bytes(|line| &line.shown))
    }
}

/// A line break in a value would be another header.
fn clean(line: &str) -> String {
    line.replace(['\r', '\n'], "")
}

/// The value of an `Authorization: Basic` header.
#[must_use]
pub fn basic(credentials: &Credentials) -> String {
    let pair = format!("{}:{}", credentials.user.expose(), credentials.password.expose());
    format!("Basic {}", base64::engine::general_purpose::STANDARD.encode(pair))
}

/// What makes one GET differ from another.
#[derive(Debug, Default)]
pub struct Form<'a> {
    /// For the absolute form through a proxy, with what it is told of who asks.
    pub via_proxy: Option<Option<&'a str>>,
    /// Added after curl's own headers, before the user's.
    pub extra: &'a [(&'a str, &'a str)],
    /// The `User-Agent`, where it is not the collector's own.
    pub agent: Option<&'a str>,
}

/// A GET as curl writes it: with its own headers first, then ours in the
/// place of the page's `-H`, then the user's.
#[must_use]
pub fn get(config: &Config, path: &str, form: &Form<'_>) -> Request {
    let users = |name: &str| given(config, name);
    let to = match form.via_proxy {
        Some(_) => config.target.url(path),
        None => path.to_owned(),
    };
    let mut request = Request::new("GET", &to);
    host(&mut request, config);
    if let Some(Some(value)) = form.via_proxy {
        request.secret("Proxy-Authorization", value);
    }
    if let Some(credentials) = config.auth.as_ref().filter(|_| !users("Authorization")) {
        request.secret("Authorization", &basic(credentials));
    }
    if !users("User-Agent") {
        let own = user_agent();
        request.header("User-Agent", form.agent.unwrap_or(&own));
    }
    if !users("Accept") {
        request.header("Accept", "*/*");
    }
    if form.via_proxy.is_some() {
        request.header("Proxy-Connection", "Keep-Alive");
    }
    for (name, value) in form.extra {
        request.header(name, value);
    }
    user_headers(&mut request, config);
    request
}

/// Whether the user gives a header of this name.
#[must_use]
pub fn given(config: &Config, name: &str) -> bool {
    config.headers.iter().any(|(own, _)| own.eq_ignore_ascii_case(name))
}

/// A page as a browser opens it from the address bar: its headers, in its order. It
/// takes no compressed page, since nobody here could read that.
#[must_use]
pub fn navigation(config: &Config, path: &str, form: &Form<'_>) -> Request {
    let secure = config.target.scheme == wss_bundle::target::Scheme::Https;
    let to = match form.via_proxy {
        Some(_) => config.target.url(path),
        None => path.to_owned(),
    };
    let mut request = Request::new("GET", &to);
    host(&mut request, config);
    if let Some(Some(value)) = form.via_proxy {
        request.secret("Proxy-Authorization", value);
    }
    let connection = if form.via_proxy.is_some() { "Proxy-Connection" } else { "Connection" };
    // Browsers tell these to secure origins alone.
    let hints = [
        ("sec-ch-ua", likeness::SEC_CH_UA),
        ("sec-ch-ua-mobile", "?0"),
        ("sec-ch-ua-platform", "\"Windows\""),
    ];
    let fetch = [
        ("Sec-Fetch-Site", "none"),
        ("Sec-Fetch-Mode", "navigate"),
        ("Sec-Fetch-User", "?1"),
        ("Sec-Fetch-Dest", "document"),
    ];
    let always = |headers: &[(&'static str, &'static str)]| headers.to_vec();
    let where_secure = |headers: &[(&'static str, &'static str)]| match secure {
        true => headers.to_vec(),
        false => Vec::new(),
    };
    let headers = [
        always(&[(connection, "keep-alive")]),
        where_secure(&hints),
        always(&[
            ("Upgrade-Insecure-Requests", "1"),
            ("User-Agent", likeness::USER_AGENT),
            ("Accept", likeness::ACCEPT),
        ]),
        where_secure(&fetch),
        always(&[("Accept-Encoding", "identity"), ("Accept-Language", likeness::LANGUAGE)]),
    ];
    for (name, value) in headers.concat().into_iter().filter(|(name, _)| !given(config, name)) {
        request.header(name, value);
    }
    if let Some(credentials) = config.auth.as_ref().filter(|_| !given(config, "Authorization")) {
        request.secret("Authorization", &basic(credentials));
    }
    user_headers(&mut request, config);
    request
}

/// The opening handshake in a browser's order, with its `Origin`, its name and
/// subprotocol; `extensions` as offered, if any.
#[must_use]
pub fn browser(config: &Config, path: &str, extensions: Option<&str>) -> Request {
    as_browsers(config, path, extensions, asked_subprotocol(config, path))
}

/// The same without a subprotocol: where none is agreed on, no server speaks of its own
/// accord, nor ends a connection whose first message does not come.
#[must_use]
pub fn browser_without_words(config: &Config, path: &str) -> Request {
    as_browsers(config, path, None, None)
}

fn as_browsers(
    config: &Config,
    path: &str,
    extensions: Option<&str>,
    subprotocol: Option<&str>,
) -> Request {
    let mut request = Request::new("GET", path);
    host(&mut request, config);
    let console = console_socket(config, path);
    let origin = console.and_then(|socket| socket.origin.clone());
    let origin = origin.unwrap_or_else(|| config.target.origin());
    let secure = config.target.scheme == wss_bundle::target::Scheme::Https;
    for (name, value) in [
        ("Connection", "Upgrade"),
        ("Pragma", "no-cache"),
        ("Cache-Control", "no-cache"),
        ("User-Agent", likeness::USER_AGENT),
        ("Upgrade", "websocket"),
        ("Origin", &origin),
        ("Sec-WebSocket-Version", "13"),
        ("Accept-Encoding", likeness::encoding(secure)),
        ("Accept-Language", likeness::LANGUAGE),
        ("Sec-WebSocket-Key", KEY),
    ] {
        if !(name == "User-Agent" && given(config, name)) {
            request.header(name, value);
        }
    }
    if let Some(extensions) = extensions {
        request.header("Sec-WebSocket-Extensions", extensions);
    }
    if let Some(subprotocol) = subprotocol {
        request.header("Sec-WebSocket-Protocol", subprotocol);
    }
    if let Some(credentials) = &config.auth {
        request.secret("Authorization", &basic(credentials));
    }
    user_headers(&mut request, config);
    request
}

/// The handshake that a recording shows for this path, with our own key; `None`
/// where there is none, or where it is in kind what [`browser`] sends.
#[must_use]
pub fn recorded(config: &Config, path: &str) -> Option<Request> {
    let headers = &console_socket(config, path)?.headers;
    let own = browser(config, path, None).shown();
    let own = wss_bundle::ResponseHead::new(own.0);
    let of_kind = |name: &str| {
        // What the twins have each for themselves, or what is everybody's own.
        let apart = ["host", "origin", "user-agent", "accept-encoding", "accept-language"];
        !apart.contains(&name) && !name.starts_with("sec-websocket-")
    };
    let differs = headers.iter().any(|(name, value)| {
        let name = name.to_ascii_lowercase();
        of_kind(&name) && own.header(&name).as_deref() != Some(value)
    });
    if !differs {
        return None;
    }
    let mut request = Request::new("GET", path);
    for (name, value) in headers {
        let key = name.eq_ignore_ascii_case("Sec-WebSocket-Key");
        // What is given here is added below.
        if !given(config, name) {
            request.header(name, if key { KEY } else { value });
        }
    }
    if !headers.iter().any(|(name, _)| name.eq_ignore_ascii_case("Sec-WebSocket-Key")) {
        request.header("Sec-WebSocket-Key", KEY);
    }
    if let Some(credentials) = config.auth.as_ref().filter(|_| !given(config, "Authorization")) {
        request.secret("Authorization", &basic(credentials));
    }
    user_headers(&mut request, config);
    Some(request)
}

/// The subprotocols that the console asks for on this path.
#[must_use]
pub fn asked_protocols(config: &Config, path: &str) -> Vec<String> {
    let asked = asked_subprotocol(config, path).unwrap_or_default();
    let names = asked.split(',').map(str::trim).filter(|name| !name.is_empty());
    names.map(str::to_owned).collect()
}

fn asked_subprotocol<'c>(config: &'c Config, path: &str) -> Option<&'c str> {
    match console_socket(config, path) {
        Some(seen) => seen.subprotocol.as_deref(),
        None => subprotocol(path),
    }
}

/// The subprotocols that the console was seen to ask for on this path.
#[must_use]
pub fn recorded_subprotocol<'c>(config: &'c Config, path: &str) -> Option<&'c str> {
    console_socket(config, path)?.subprotocol.as_deref()
}

/// How the console opens this path, where a HAR shows it.
fn console_socket<'c>(config: &'c Config, path: &str) -> Option<&'c ConsoleSocket> {
    let path = path.split('?').next().unwrap_or_default();
    config.console.iter().find(|socket| socket.path == path)
}

/// The subprotocol that the console's browser code asks for; agents ask for none.
#[must_use]
pub fn subprotocol(path: &str) -> Option<&'static str> {
    (!wss_bundle::target::is_agents(path)).then_some("graphql-transport-ws")
}

/// A CONNECT as curl writes it.
#[must_use]
pub fn connect(config: &Config, authorization: Option<&str>) -> Request {
    let to = config.target.host_port();
    let mut request = Request::new("CONNECT", &to);
    request.header("Host", &to);
    if let Some(value) = authorization {
        request.secret("Proxy-Authorization", value);
    }
    request.header("User-Agent", &user_agent());
    request.header("Proxy-Connection", "Keep-Alive");
    request
}

/// `Host` comes first, the user's in place of ours, as with curl.
fn host(request: &mut Request, config: &Config) {
    match config.headers.iter().find(|(name, _)| name.eq_ignore_ascii_case("Host")) {
        Some((name, value)) if !value.expose().is_empty() => request.secret(name, value.expose()),
        Some(_) => {}
        None => request.header("Host", &config.target.authority()),
    }
}

/// The user's `-H` lines. An empty value only removes curl's own header.
fn user_headers(request: &mut Request, config: &Config) {
    for (name, value) in &config.headers {
        if !name.eq_ignore_ascii_case("Host") && !value.expose().is_empty() {
            request.secret(name, value.expose());
        }
    }
}
