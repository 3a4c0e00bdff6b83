//! Which proxy this machine's settings name for the target, by curl's rules
//! (`lib/url.c` and `lib/noproxy.c` of curl, as the manual describes them and
//! as the tests here ask curl itself). Reads variables, opens no socket.

mod no_proxy;

use crate::cli::parse::url_credentials;
use crate::config::{Credentials, RouteConfig};
use percent_encoding::percent_decode_str;
use std::collections::BTreeMap;
use url::Url;
use wss_bundle::environment::{ProxyChoice, ProxySetting};
use wss_bundle::observation::{ProxyEndpoint, Route, RouteKind};
use wss_bundle::target::Scheme;
use wss_bundle::{RouteId, Secret, Target};

pub use no_proxy::exempt;

/// Port of a proxy whose URL has none (`CURL_DEFAULT_PROXY_PORT`).
const DEFAULT_PORT: u16 = 1080;
/// Variables that name proxies or exemptions, as they are recorded.
const VARIABLES: [&str; 8] = [
    "http_proxy",
    "https_proxy",
    "HTTPS_PROXY",
    "all_proxy",
    "ALL_PROXY",
    "no_proxy",
    "NO_PROXY",
    "HTTP_PROXY",
];

/// The proxy variables of an environment; empty ones count as unset, as for curl.
#[derive(Debug, Clone, Default)]
pub struct Variables(BTreeMap<String, String>);

impl Variables {
    /// Those of this process.
    #[must_use]
    pub fn of_process() -> Self {
        Self::new(VARIABLES.iter().filter_map(|name| Some((*name, std::env::var(name).ok()?))))
    }

    /// Those given.
    pub fn new<N: Into<String>, V: Into<String>>(list: impl IntoIterator<Item = (N, V)>) -> Self {
        let list = list.into_iter().map(|(name, value)| (name.into(), value.into()));
        Self(list.filter(|(_, value)| !value.is_empty()).collect())
    }

    fn first(&self, names: &[&'static str]) -> Option<(&'static str, &str)> {
        names.iter().find_map(|name| Some((*name, self.0.get(*name)?.as_str())))
    }
}

/// What was found.
#[derive(Debug)]
pub struct Found {
    /// Every route to try: direct, then each proxy.
    pub routes: Vec<RouteConfig>,
    /// What each source says, without credentials.
    pub settings: Vec<ProxySetting>,
    /// Which route curl would take.
    pub choices: Vec<ProxyChoice>,
    /// What could not be used, and why.
    pub notes: Vec<String>,
    /// Credentials of every setting, also of those that are not used here.
    pub credentials: Vec<Credentials>,
}

/// A proxy's URL, understood.
struct Parsed {
    kind: RouteKind,
    endpoint: ProxyEndpoint,
    auth: Option<Credentials>,
    shown: String,
}

fn parse(text: &str) -> Result<Parsed, String> {
    let with_scheme = if text.contains("://") { text.to_owned() } else { format!("http://{text}") };
    let (scheme, rest) = with_scheme.split_once("://").unwrap_or_default();
    let scheme = scheme.to_ascii_lowercase();
    let kind = match scheme.as_str() {
        "http" => RouteKind::HttpProxy,
        "https" => RouteKind::HttpsProxy,
        "socks5" => RouteKind::Socks5,
        "socks5h" => RouteKind::Socks5h,
        "socks4" | "socks4a" | "socks" => {
            return Err("SOCKS 4 is not supported; SOCKS 5 is (socks5h://)".to_owned());
        }
        other => {
            return Err(format!(
                "the scheme {other:?} is unknown; expected http, https, socks5 or socks5h"
            ));
        }
    };
    // A scheme without a default port of its own, so that a missing port shows.
    let url = Url::parse(&format!("proxy://{rest}")).map_err(|error| error.to_string())?;
    let host = url.host_str().unwrap_or_default().trim_matches(['[', ']']).to_ascii_lowercase();
    if host.is_empty() {
        return Err("it has no host".to_owned());
    }
    let default = if kind == RouteKind::HttpsProxy { 443 } else { DEFAULT_PORT };
    let port = url.port().unwrap_or(default);
    if port == 0 {
        return Err("its port is 0".to_owned());
    }
    let bracketed = if host.contains(':') { format!("[{host}]") } else { host.clone() };
    Ok(Parsed {
        kind,
        auth: url_credentials(&url),
        shown: format!("{scheme}://{bracketed}:{port}"),
        endpoint: ProxyEndpoint { host, port },
    })
}

/// The text of a setting without credentials, whatever else is wrong with it.
fn without_credentials(text: &str) -> String {
    match text.rsplit_once('@') {
        None => text.to_owned(),
        Some((before, host)) => match before.split_once("://") {
            Some((scheme, _)) => format!("{scheme}://{host}"),
            None => host.to_owned(),
        },
    }
}

/// The credentials of a setting, whatever else is wrong with it.
fn credentials_in(text: &str) -> Option<Credentials> {
    let (before, _) = text.rsplit_once('@')?;
    let userinfo = before.split_once("://").map_or(before, |(_, userinfo)| userinfo);
    let (user, password) = userinfo.split_once(':').unwrap_or((userinfo, ""));
    let decode = |text: &str| Secret::new(percent_decode_str(text).decode_utf8_lossy());
    Some(Credentials { user: decode(user), password: decode(password) })
}

struct Builder {
    routes: Vec<RouteConfig>,
    notes: Vec<String>,
}

impl Builder {
    /// Adds a route, or a source to one that is there. Gives its id.
    fn add(&mut self, text: &str, source: &str) -> Option<RouteId> {
        let parsed = match parse(text) {
            Ok(parsed) => parsed,
            Err(why) => {
                let shown = without_credentials(text);
                self.notes.push(format!("proxy of {source} not tried: {shown:?}: {why}"));
                return None;
            }
        };
        let id = RouteId::proxy(&parsed.shown);
        match self.routes.iter_mut().find(|r| r.route.id == id) {
            Some(known) => {
                known.route.sources.push(source.to_owned());
                known.auth = known.auth.take().or(parsed.auth);
            }
            None => self.routes.push(RouteConfig {
                route: Route {
                    id: id.clone(),
                    kind: parsed.kind,
                    proxy: Some(parsed.endpoint),
                    sources: vec![source.to_owned()],
                    selected: false,
                },
                auth: parsed.auth,
            }),
        }
        Some(id)
    }
}

/// Finds every route to the target, and the one that curl would take.
///
/// # Errors
/// A proxy given by `--proxy` that cannot be understood, in a sentence.
pub fn find(
    target: &Target,
    option: Option<&str>,
    noproxy: Option<&str>,
    variables: &Variables,
) -> Result<Found, String> {
    let direct = Route {
        id: RouteId::direct(),
        kind: RouteKind::Direct,
        proxy: None,
        sources: Vec::new(),
        selected: false,
    };
    let mut builder =
        Builder { routes: vec![RouteConfig { route: direct, auth: None }], notes: Vec::new() };
    let own: &[&'static str] = match target.scheme {
        // Upper case is not read here: in a CGI program it is a request header (httpoxy).
        Scheme::Http => &["http_proxy", "all_proxy", "ALL_PROXY"],
        Scheme::Https => &["https_proxy", "HTTPS_PROXY", "all_proxy", "ALL_PROXY"],
    };
    let given = option.filter(|text| !text.is_empty());
    if let Some(text) = given {
        parse(text).map_err(|why| format!("--proxy {:?}: {why}", without_credentials(text)))?;
    }
    let mut chosen = given.and_then(|text| builder.add(text, "option --proxy"));
    let mut because = "option --proxy".to_owned();
    let mut unusable = None;
    for name in own {
        let Some((_, text)) = variables.first(&[name]) else { continue };
        let id = builder.add(text, &format!("environment {name}"));
        if id.is_none() {
            unusable = unusable.or(Some(name));
        }
        if option.is_none() && chosen.is_none() && id.is_some() {
            chosen = id;
            because = format!("environment {name}");
        }
    }
    // curl looks at the environment's list also for a proxy given by option.
    let exempting = match noproxy {
        Some(list) => Some(("option --noproxy", list)),
        None => variables.first(&["no_proxy", "NO_PROXY"]),
    };
    if let (Some(_), Some((source, list))) = (&chosen, exempting)
        && exempt(&target.host, list)
    {
        because = format!("{source} exempts {}", target.host);
        chosen = None;
    } else if chosen.is_none() {
        because = match option {
            Some(_) => "option --proxy is empty".to_owned(),
            None => match unusable {
                Some(name) => format!("environment {name} cannot be used"),
                None => "no proxy is set for this target".to_owned(),
            },
        };
    }
    let chosen = chosen.unwrap_or_else(RouteId::direct);
    for route in &mut builder.routes {
        route.route.selected = route.route.id == chosen;
    }
    if let Some(direct) = builder.routes.first_mut().filter(|r| r.route.selected) {
        direct.route.sources.push(because.clone());
    }
    let choice = ProxyChoice { client: "curl".into(), route: chosen.0, because };
    Ok(Found {
        routes: builder.routes,
        settings: settings(option, noproxy, variables),
        choices: vec![choice],
        notes: builder.notes,
        credentials: option
            .into_iter()
            .chain(variables.0.iter().filter(|(key, _)| !is_list(key)).map(|(_, v)| v.as_str()))
            .filter_map(credentials_in)
            .collect(),
    })
}

/// Whether a variable lists hosts, and names no proxy.
fn is_list(key: &str) -> bool {
    key.eq_ignore_ascii_case("no_proxy")
}

fn settings(
    option: Option<&str>,
    noproxy: Option<&str>,
    variables: &Variables,
) -> Vec<ProxySetting> {
    let setting = |source: &str, key: &str, value: &str| ProxySetting {
        source: source.into(),
        key: key.into(),
        value: without_credentials(value),
    };
    let options = [("--proxy", option), ("--noproxy", noproxy)];
    options
        .iter()
        .filter_map(|(key, value)| Some(setting("option", key, (*value)?)))
        .chain(variables.0.iter().map(|(key, value)| setting("environment", key, value)))
        .collect()
}

#[cfg(test)]
mod tests;
