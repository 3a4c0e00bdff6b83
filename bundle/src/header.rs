//! Which headers may be shown whole, and which are secrets by their name. What becomes
//! of the others is the redactor's; whether a line is a header at all is its reader's.

use regex::Regex;
use std::sync::LazyLock;

/// Headers whose values may stay: those that routing, caching and devices write,
/// and none that carries a person's credential or session.
const MAY_STAY: &[&str] = &[
    "accept",
    "accept-encoding",
    "accept-language",
    "accept-ranges",
    "access-control-allow-credentials",
    "access-control-allow-headers",
    "access-control-allow-methods",
    "access-control-allow-origin",
    "age",
    "allow",
    "alt-svc",
    "cache-control",
    "cf-cache-status",
    "cf-ray",
    "cneonction",
    "connection",
    "content-encoding",
    "content-language",
    "content-length",
    "content-security-policy",
    "content-type",
    "date",
    "expires",
    "host",
    "keep-alive",
    "last-modified",
    "mime-version",
    "ngrok-error-code",
    "nncoection",
    "opamp-version",
    "origin",
    "pragma",
    "priority",
    "proxy-agent",
    "proxy-connection",
    "referrer-policy",
    "retry-after",
    "sec-ch-ua",
    "sec-ch-ua-mobile",
    "sec-ch-ua-platform",
    "sec-fetch-dest",
    "sec-fetch-mode",
    "sec-fetch-site",
    "sec-fetch-user",
    "sec-websocket-accept",
    "sec-websocket-extensions",
    "sec-websocket-key",
    "sec-websocket-protocol",
    "sec-websocket-version",
    "server",
    "server-timing",
    "strict-transport-security",
    "te",
    "trailer",
    "transfer-encoding",
    "upgrade",
    "upgrade-insecure-requests",
    "user-agent",
    "vary",
    "via",
    "warning",
    "x-azure-ref",
    "x-cache",
    "x-cache-hits",
    "x-cache-lookup",
    "x-cdn",
    "x-cnection",
    "x-content-type-options",
    "x-fastly-request-id",
    "x-frame-options",
    "x-iinfo",
    "x-powered-by",
    "x-served-by",
    "x-servedby",
    "x-squid-error",
    "x-timer",
    "x-varnish",
    "x-xss-protection",
];

/// The same for families of headers.
const MAY_STAY_PREFIX: &[&str] = &[
    "x-amz-cf-",
    "x-amz-apigw-id",
    "x-amzn-",
    "x-envoy-",
    "x-kong-",
    "x-barracuda-",
    "x-sophos-",
    "x-websense",
    "x-bluecoat-",
    "x-mwg-",
    "x-iwsaas-",
    "x-akamai-",
    "ocp-apim-",
];

/// Whether the value of this header may stay as it is.
#[must_use]
pub fn header_may_stay(name: &str) -> bool {
    let name = name.to_ascii_lowercase();
    MAY_STAY.contains(&name.as_str()) || MAY_STAY_PREFIX.iter().any(|p| name.starts_with(p))
}

/// Whether a header's name alone says that its value is a secret: wherever such a
/// line stands, it is no prose.
pub(crate) fn names_a_secret(name: &str) -> bool {
    let name = name.to_ascii_lowercase();
    ["cookie", "set-cookie", "authorization", "proxy-authorization"].contains(&name.as_str())
        || ["token", "secret", "api-key", "apikey", "password"].iter().any(|p| name.contains(p))
}

/// Where a header begins whose name says that its value is a secret, anywhere in a line.
pub(crate) fn secret_header(line: &str) -> Option<usize> {
    const NAME: &str = r"(?i)(?:^|[^A-Za-z0-9_-])([a-z0-9_-]*(?:cookie|authorization|token|secret|api-?key|password)[a-z0-9_-]*)\s*:";
    static NAMED: LazyLock<Option<Regex>> = LazyLock::new(|| Regex::new(NAME).ok());
    let found = NAMED.as_ref()?.captures(line)?.get(1)?;
    names_a_secret(found.as_str()).then_some(found.start())
}
