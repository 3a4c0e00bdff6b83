//! Where a redirect of the upgrade leads, and what that says of who sent it.

use wss_bundle::Target;
use wss_bundle::target::Scheme;

/// What a redirect does.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Redirect {
    /// To the very URL that was asked for.
    Itself,
    /// The same host and path, by https where http was asked for.
    ToHttps,
    /// The same host and path, by http where https was asked for.
    ToHttp,
    /// The same host and path at another port.
    OtherPort,
    /// The same path with a slash at its end, or without the one it has.
    Slash {
        /// Whether it is added.
        added: bool,
    },
    /// The same path at another spelling of the host: with or without `www.`.
    Www,
    /// To somebody who wants to know who asks.
    SignOn {
        /// Whose page it is, where that is known.
        provider: Option<&'static str>,
    },
    /// The same path at another host.
    OtherHost,
    /// Another page of the same host.
    OtherPage,
    /// Another page of another host.
    Elsewhere,
    /// It names no place.
    Nowhere,
}

/// A URL, as far as it matters here.
#[derive(Debug, Default)]
struct Parts {
    scheme: String,
    host: String,
    port: Option<u16>,
    path: String,
    query: String,
}

/// Identity providers by a part of their host.
const HOSTS: &[(&str, &str)] = &[
    ("login.microsoftonline.", "Microsoft Entra ID"),
    ("login.windows.net", "Microsoft Entra ID"),
    ("login.microsoft.com", "Microsoft Entra ID"),
    ("b2clogin.com", "Azure AD B2C"),
    ("ciamlogin.com", "Microsoft Entra External ID"),
    ("okta.com", "Okta"),
    ("oktapreview.com", "Okta"),
    ("okta-emea.com", "Okta"),
    ("auth0.com", "Auth0"),
    ("accounts.google.com", "Google"),
    ("cloudflareaccess.com", "Cloudflare Access"),
    ("onelogin.com", "OneLogin"),
    ("pingidentity.", "Ping Identity"),
    ("pingone.", "Ping Identity"),
    ("amazoncognito.com", "Amazon Cognito"),
    ("signin.aws.amazon.com", "AWS"),
    ("duosecurity.com", "Duo"),
    ("jumpcloud.com", "JumpCloud"),
    ("github.com/login", "GitHub"),
    ("authenticate.pomerium.app", "Pomerium"),
];

/// Identity providers by a part of their path.
const PATHS: &[(&str, &str)] = &[
    ("/adfs/", "AD FS"),
    ("/realms/", "Keycloak"),
    ("/oauth2/start", "oauth2-proxy"),
    ("/oauth2/sign_in", "oauth2-proxy"),
    ("/oauth2/authorization", "an OAuth 2.0 sign-on"),
    ("/outpost.goauthentik.io/", "authentik"),
    ("/if/flow/", "authentik"),
    ("/application/o/authorize", "authentik"),
    ("/.pomerium/", "Pomerium"),
    ("/cdn-cgi/access/", "Cloudflare Access"),
    ("/cas/login", "CAS"),
    ("/shibboleth", "Shibboleth"),
    ("/simplesaml", "SimpleSAMLphp"),
    ("/idp/", "a SAML identity provider"),
    ("/saml", "a SAML identity provider"),
    ("/my.policy", "F5 BIG-IP APM"),
    ("/vpn/", "NetScaler Gateway"),
    ("/logon/logonpoint", "NetScaler"),
    ("/siteminderagent", "SiteMinder"),
    ("/pkmslogin", "IBM Verify Access"),
    ("/oam/server", "Oracle Access Manager"),
    ("/.auth/login", "Azure App Service authentication"),
    ("/dex/auth", "Dex"),
];

/// What a sign-on carries in its query.
const QUERY: &[&str] = &[
    "samlrequest=",
    "client_id=",
    "response_type=",
    "openid.mode=",
    "wa=wsignin",
    "redirect_uri=",
    "service=http",
];

/// Words of a page to sign on at.
const LOGIN: &[&str] = &[
    "login",
    "log-in",
    "logon",
    "signin",
    "sign-in",
    "sign_in",
    "sso",
    "auth",
    "oauth2",
    "authorize",
];

/// Reads where a redirect leads, for a request of `path` at `target`.
#[must_use]
pub fn read(target: &Target, path: &str, location: &str) -> Redirect {
    let location = location.trim();
    if location.is_empty() {
        return Redirect::Nowhere;
    }
    let to = parse(target, path, location);
    let (own_path, own_query) = path.split_once('?').unwrap_or((path, ""));
    let host = target.host.trim_end_matches('.').to_ascii_lowercase();
    let scheme = target.scheme.as_str();
    let same_path = to.path == own_path && to.query == own_query;
    if to.host == host && same_path {
        let default = |scheme: &str| if scheme == "https" { 443 } else { 80 };
        let port = to.port.unwrap_or(default(&to.scheme));
        return match (to.scheme.as_str(), scheme) {
            ("https", "http") => Redirect::ToHttps,
            ("http", "https") => Redirect::ToHttp,
            _ if port == target.port => Redirect::Itself,
            _ => Redirect::OtherPort,
        };
    }
    let bare = |path: &str| path.trim_end_matches('/').to_owned();
    if bare(&to.path) == bare(own_path) && to.path != own_path {
        let added = to.path.len() > own_path.len();
        return Redirect::Slash { added };
    }
    if let Some(provider) = provider(&to) {
        return Redirect::SignOn { provider };
    }
    let www = |a: &str, b: &str| a.strip_prefix("www.") == Some(b);
    if same_path && (www(&to.host, &host) || www(&host, &to.host)) {
        return Redirect::Www;
    }
    match (to.host == host, same_path) {
        (true, _) => Redirect::OtherPage,
        (false, true) => Redirect::OtherHost,
        (false, false) => Redirect::Elsewhere,
    }
}

/// Whether it is a sign-on, and whose.
fn provider(to: &Parts) -> Option<Option<&'static str>> {
    let (path, query) = (to.path.to_ascii_lowercase(), to.query.to_ascii_lowercase());
    let place = format!("{}{path}", to.host);
    let known = HOSTS
        .iter()
        .find(|(part, _)| place.contains(part))
        .or_else(|| PATHS.iter().find(|(part, _)| path.contains(part)));
    if let Some((_, name)) = known {
        return Some(Some(name));
    }
    let words = |text: &str| {
        text.split(['/', '.', '?']).any(|word| {
            LOGIN.iter().any(|login| word == *login || word.strip_suffix("s") == Some(login))
        })
    };
    let asks = QUERY.iter().any(|part| query.contains(part));
    let named = words(&path) || to.host.split('.').next().is_some_and(words);
    (asks || named).then_some(None)
}

/// The parts of a reference, resolved against the request (RFC 3986 section 5).
fn parse(target: &Target, path: &str, location: &str) -> Parts {
    let own = |scheme: Scheme| scheme.as_str().to_owned();
    let mut parts = Parts {
        scheme: own(target.scheme),
        host: target.host.trim_end_matches('.').to_ascii_lowercase(),
        port: Some(target.port),
        ..Parts::default()
    };
    let without_fragment = location.split('#').next().unwrap_or_default();
    let rest = match without_fragment.split_once("://") {
        Some((scheme, rest)) if !scheme.contains(['/', '?']) => {
            parts.scheme = match scheme.to_ascii_lowercase().as_str() {
                "wss" => "https".to_owned(),
                "ws" => "http".to_owned(),
                other => other.to_owned(),
            };
            Some(rest)
        }
        _ => without_fragment.strip_prefix("//"),
    };
    let reference = match rest {
        Some(rest) => {
            let end = rest.find(['/', '?']).unwrap_or(rest.len());
            let authority = rest[..end].rsplit('@').next().unwrap_or_default();
            let (host, port) = match authority.rsplit_once(':') {
                Some((host, port)) if port.bytes().all(|b| b.is_ascii_digit()) => {
                    (host, port.parse().ok())
                }
                _ => (authority, None),
            };
            parts.host = host.trim_end_matches('.').to_ascii_lowercase();
            parts.port = port;
            &rest[end..]
        }
        None => without_fragment,
    };
    let (to_path, query) = reference.split_once('?').unwrap_or((reference, ""));
    let base = path.split('?').next().unwrap_or_default();
    parts.path = match to_path {
        "" if rest.is_some() => "/".to_owned(),
        "" => base.to_owned(),
        to if to.starts_with('/') => to.to_owned(),
        to => {
            let folder = base.rfind('/').map_or("/", |at| &base[..=at]);
            format!("{folder}{}", to.trim_start_matches("./"))
        }
    };
    query.clone_into(&mut parts.query);
    parts
}

#[cfg(test)]
mod tests {
    use super::*;

    fn target(port: u16) -> Target {
        Target {
            scheme: Scheme::Https,
            host: "console.example.com".into(),
            port,
            paths: vec!["/v1/ws".into()],
        }
    }

    #[test]
    fn what_a_redirect_does() {
        let known = |name| Redirect::SignOn { provider: Some(name) };
        for (location, expected) in [
            ("https://console.example.com:8443/v1/ws", Redirect::Itself),
            ("/v1/ws", Redirect::Itself),
            ("HTTPS://Console.Example.com:8443/v1/ws#x", Redirect::Itself),
            ("https://console.example.com/v1/ws", Redirect::OtherPort),
            ("http://console.example.com/v1/ws", Redirect::ToHttp),
            ("https://console.example.com:8443/v1/ws/", Redirect::Slash { added: true }),
            ("http://console.example.com/v1/ws/", Redirect::Slash { added: true }),
            ("/v1/ws/", Redirect::Slash { added: true }),
            ("ws/", Redirect::Slash { added: true }),
            ("https://www.console.example.com/v1/ws", Redirect::Www),
            ("https://bindplane.example.com/v1/ws", Redirect::OtherHost),
            ("https://console.example.com:8443/", Redirect::OtherPage),
            ("https://portal.example.com/", Redirect::Elsewhere),
            (
                "https://login.microsoftonline.com/x/oauth2/v2.0/authorize?client_id=1",
                known("Microsoft Entra ID"),
            ),
            ("https://corp.okta.com/app/x", known("Okta")),
            ("https://sso.example.com/adfs/ls/?wa=wsignin1.0", known("AD FS")),
            ("https://id.example.com/realms/corp/protocol/openid-connect/auth", known("Keycloak")),
            ("/oauth2/start?rd=%2Fv1%2Fws", known("oauth2-proxy")),
            ("https://x.cloudflareaccess.com/cdn-cgi/access/login/y", known("Cloudflare Access")),
            ("/login", Redirect::SignOn { provider: None }),
            ("/signin?next=/v1/ws", Redirect::SignOn { provider: None }),
            ("https://sso.corp.example/", Redirect::SignOn { provider: None }),
            ("https://authors.example.com/v1/ws", Redirect::OtherHost),
            ("", Redirect::Nowhere),
        ] {
            assert_eq!(read(&target(8443), "/v1/ws", location), expected, "{location}");
        }
        assert_eq!(read(&target(443), "/v1/ws/", "/v1/ws"), Redirect::Slash { added: false });
        let plain = Target { scheme: Scheme::Http, port: 80, ..target(80) };
        let to = "https://console.example.com/v1/ws";
        assert_eq!(read(&plain, "/v1/ws", to), Redirect::ToHttps);
    }
}
