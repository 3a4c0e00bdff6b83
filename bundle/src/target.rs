//! The target: what the customer wants to reach, as given on the command line.

use serde::{Deserialize, Serialize};
use url::Url;

/// The WebSocket paths that are tried when the target names none.
///
/// `/v1/ws` is the troubleshooting page's, `/v1/graphql` the public server
/// sources', and `/v1/opamp` the agents'.
pub const DEFAULT_PATHS: [&str; 3] = ["/v1/ws", "/v1/graphql", "/v1/opamp"];

/// The agents' path: told apart, since it does not make the console work.
pub const AGENT_PATH: &str = "/v1/opamp";

/// Whether a path is the agents': what stands behind `?` makes no difference.
#[must_use]
pub fn is_agents(path: &str) -> bool {
    path.split(['?', '#']).next() == Some(AGENT_PATH)
}

/// What the customer wants to reach. It never holds credentials: those of a
/// URL are split off when it is parsed.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Target {
    /// `https` or `http` (`wss` and `ws` are read as these).
    pub scheme: Scheme,
    /// Host name or address, without brackets, lower case.
    pub host: String,
    /// TCP port.
    pub port: u16,
    /// WebSocket paths to try, in order, each with its query.
    pub paths: Vec<String>,
}

/// Whether TLS is spoken to the target.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Scheme {
    /// Plain text (`ws://`).
    Http,
    /// TLS (`wss://`).
    Https,
}

impl Scheme {
    /// The scheme of the page: `http` or `https`.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Http => "http",
            Self::Https => "https",
        }
    }

    /// 80 or 443.
    #[must_use]
    pub fn default_port(self) -> u16 {
        match self {
            Self::Http => 80,
            Self::Https => 443,
        }
    }
}

impl Target {
    /// Host and, where it is not the scheme's default, port: the value of
    /// `Host` (RFC 9110 section 7.2). IPv6 addresses are bracketed.
    #[must_use]
    pub fn authority(&self) -> String {
        if self.port == self.scheme.default_port() {
            self.bracketed_host()
        } else {
            self.host_port()
        }
    }

    /// Host and port, always both: the form CONNECT wants (RFC 9110 section 9.3.6).
    #[must_use]
    pub fn host_port(&self) -> String {
        format!("{}:{}", self.bracketed_host(), self.port)
    }

    fn bracketed_host(&self) -> String {
        if self.host.contains(':') { format!("[{}]", self.host) } else { self.host.clone() }
    }

    /// `https://host[:port]`, as in an `Origin` header.
    #[must_use]
    pub fn origin(&self) -> String {
        format!("{}://{}", self.scheme.as_str(), self.authority())
    }

    /// The full URL of a path.
    #[must_use]
    pub fn url(&self, path: &str) -> String {
        format!("{}{path}", self.origin())
    }
}

/// A path with its query.
///
/// # Errors
/// No leading `/`; characters that cannot stand in a request line.
pub fn path(text: &str) -> Result<String, String> {
    if !text.starts_with('/') {
        return Err("a path begins with /".to_owned());
    }
    if text.contains('#') {
        return Err("a path has no fragment (#)".to_owned());
    }
    if text.len() > 2000
        || text.chars().any(|c| c.is_whitespace() || c.is_control() || !c.is_ascii())
    {
        return Err(
            "a path has no blanks, and only ASCII characters; percent-encode them".to_owned()
        );
    }
    Ok(text.to_owned())
}

/// What stands around an address that was copied from a mail, a chat or the address
/// bar, and is no part of it.
fn bare(text: &str) -> &str {
    let around = |c: char| {
        c.is_whitespace()
            || c.is_control()
            || "<>\"'`\u{ab}\u{bb}\u{2018}\u{2019}\u{201a}\u{201c}\u{201d}\u{201e}".contains(c)
            || "\u{200b}\u{200c}\u{200d}\u{200e}\u{200f}\u{2060}\u{feff}".contains(c)
    };
    let mut text = text.trim_matches(around);
    for prefix in ["view-source:", "url:"] {
        if let Some(head) = text.get(..prefix.len())
            && head.eq_ignore_ascii_case(prefix)
        {
            text = text[prefix.len()..].trim_matches(around);
        }
    }
    text.strip_prefix("//").unwrap_or(text)
}

/// What of a target is left out, in a sentence: nobody is sent a fragment.
#[must_use]
pub fn left_out(text: &str) -> Option<String> {
    let (_, fragment) = bare(text).split_once('#')?;
    let shown: String = fragment.chars().filter(|c| !c.is_control()).take(60).collect();
    Some(format!(
        "#{shown} at the end of the target is left out: browsers keep it to themselves, and no \
         server sees it"
    ))
}

/// `host`, `host:port`, or a URL as people paste it; with the URL, which may hold
/// credentials: they are no part of a [`Target`]. A fragment is left out.
///
/// # Errors
/// A scheme other than https, wss, http and ws; no host; port 0.
pub fn parse(text: &str, paths: &[String]) -> Result<(Target, Url), String> {
    let text = bare(text);
    let text = text.split_once('#').map_or(text, |(before, _)| before);
    let example = "expected a host, host:port, or an https://, wss://, http:// or ws:// URL";
    if text.is_empty() || text.chars().any(|c| c.is_whitespace() || c.is_control()) {
        return Err(format!("the target is empty or has blanks in it; {example}"));
    }
    let with_scheme =
        if text.contains("://") { text.to_owned() } else { format!("https://{text}") };
    let (scheme, rest) = with_scheme.split_once("://").unwrap_or_default();
    let (scheme, http) = match scheme.to_ascii_lowercase().as_str() {
        "https" | "wss" => (Scheme::Https, "https"),
        "http" | "ws" => (Scheme::Http, "http"),
        other => return Err(format!("the target's scheme {other:?} is unknown; {example}")),
    };
    let url = Url::parse(&format!("{http}://{rest}"))
        .map_err(|error| format!("the target cannot be understood ({error}); {example}"))?;
    let host = url.host_str().unwrap_or_default().trim_matches(['[', ']']).to_owned();
    let host = host.trim_end_matches('.').to_owned();
    if host.is_empty() {
        return Err(format!("the target has no host; {example}"));
    }
    // No host's name (RFC 952), and an option to whoever pastes a suggested command.
    if host.starts_with('-') {
        return Err(format!("the target begins with a hyphen, as no host does; {example}"));
    }
    let port = url.port_or_known_default().unwrap_or_else(|| scheme.default_port());
    if port == 0 {
        return Err("the target's port is 0; expected 1 to 65535".to_owned());
    }
    let own = &url[url::Position::BeforePath..url::Position::AfterQuery];
    let paths = match (paths, own) {
        ([], "" | "/") => DEFAULT_PATHS.map(str::to_owned).to_vec(),
        ([], path) => vec![self::path(path)?],
        (given, _) => given.to_vec(),
    };
    let mut unique = Vec::new();
    for path in paths {
        if !unique.contains(&path) {
            unique.push(path);
        }
    }
    if unique.len() > 16 {
        return Err("more than 16 paths; each costs half a dozen connections".to_owned());
    }
    Ok((Target { scheme, host, port, paths: unique }, url))
}
