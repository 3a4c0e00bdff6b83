//! A proxy as people write it: a URL, `host:port`, or a name alone. Which port
//! and scheme are meant where none is written differs between programs.

use crate::config::Credentials;
use crate::target::url_credentials;
use percent_encoding::percent_decode_str;
use url::Url;
use wss_bundle::Secret;
use wss_bundle::observation::{ProxyEndpoint, RouteKind};

/// Who reads the text.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Reader {
    /// curl: without a port it takes 1080 (`CURL_DEFAULT_PROXY_PORT`).
    Curl,
    /// A browser: 80, and 1080 for SOCKS (Chromium, `net/docs/proxy.md`).
    Browser,
}

/// A proxy's URL, understood.
#[derive(Debug, Clone)]
pub struct Address {
    /// How it is spoken to.
    pub kind: RouteKind,
    /// Where it listens.
    pub endpoint: ProxyEndpoint,
    /// What stands before the `@`.
    pub auth: Option<Credentials>,
    /// `scheme://host:port`, without credentials.
    pub shown: String,
}

/// Understands a proxy's URL.
///
/// # Errors
/// Why it cannot be used, without its credentials.
pub fn parse(text: &str, reader: Reader) -> Result<Address, String> {
    let text = text.trim();
    let with_scheme = if text.contains("://") { text.to_owned() } else { format!("http://{text}") };
    let (scheme, rest) = with_scheme.split_once("://").unwrap_or_default();
    let scheme = scheme.to_ascii_lowercase();
    let kind = match (scheme.as_str(), reader) {
        ("http", _) => RouteKind::HttpProxy,
        ("https", _) => RouteKind::HttpsProxy,
        // Chrome leaves every name to a SOCKS 5 proxy, and knows no `socks5h`.
        ("socks5h", _) | ("socks5" | "socks", Reader::Browser) => RouteKind::Socks5h,
        ("socks5", Reader::Curl) => RouteKind::Socks5,
        // curl's `socks://` is version 4.
        ("socks4", _) | ("socks", Reader::Curl) => RouteKind::Socks4,
        ("socks4a", _) => RouteKind::Socks4a,
        (other, _) => {
            return Err(format!(
                "the scheme {other:?} is unknown; expected http, https, socks5h, socks5, \
                 socks4a or socks4"
            ));
        }
    };
    // A scheme without a default port of its own, so that a missing port shows.
    let url = Url::parse(&format!("proxy://{rest}")).map_err(|error| error.to_string())?;
    let host = url.host_str().unwrap_or_default().trim_matches(['[', ']']).to_ascii_lowercase();
    if host.is_empty() {
        return Err("it has no host".to_owned());
    }
    let default = match (kind, reader) {
        (RouteKind::HttpsProxy, _) => 443,
        (RouteKind::HttpProxy, Reader::Browser) => 80,
        _ => 1080,
    };
    let port = url.port().unwrap_or(default);
    if port == 0 {
        return Err("its port is 0".to_owned());
    }
    let bracketed = if host.contains(':') { format!("[{host}]") } else { host.clone() };
    let scheme = match kind {
        RouteKind::Socks5h => "socks5h",
        RouteKind::Socks4 => "socks4",
        _ => &scheme,
    };
    Ok(Address {
        kind,
        auth: url_credentials(&url),
        shown: format!("{scheme}://{bracketed}:{port}"),
        endpoint: ProxyEndpoint { host, port },
    })
}

/// The text of a setting without credentials, whatever else is wrong with it.
#[must_use]
pub fn without_credentials(text: &str) -> String {
    match text.rsplit_once('@') {
        None => text.to_owned(),
        Some((before, host)) => match before.split_once("://") {
            Some((scheme, _)) => format!("{scheme}://{host}"),
            None => host.to_owned(),
        },
    }
}

/// The credentials of a setting, whatever else is wrong with it.
#[must_use]
pub fn credentials_in(text: &str) -> Option<Credentials> {
    let (before, _) = text.rsplit_once('@')?;
    let userinfo = before.split_once("://").map_or(before, |(_, userinfo)| userinfo);
    let (user, password) = userinfo.split_once(':').unwrap_or((userinfo, ""));
    let decode = |text: &str| Secret::new(percent_decode_str(text).decode_utf8_lossy());
    Some(Credentials { user: decode(user), password: decode(password) })
}
