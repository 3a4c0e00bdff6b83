//! What a route does to an upgrade: whether it may be one, times, headers, the path,
//! the cluster.

use super::check::{Check, at, shown};
use super::gathered::seconds;
use super::route::{Asked, whole};
use crate::configuration::part::Part;
use crate::configuration::{Kind, NEEDED_S, Place};

/// Where nothing else is set (`stream_idle_timeout`).
const IDLE_S: f64 = 300.0;

/// The options of a cluster's HTTP.
const OPTIONS: &str = "envoy.extensions.upstreams.http.v3.HttpProtocolOptions";

/// What a redirect's code is called.
const CODES: [(&str, u16); 5] = [
    ("MOVED_PERMANENTLY", 301),
    ("FOUND", 302),
    ("SEE_OTHER", 303),
    ("TEMPORARY_REDIRECT", 307),
    ("PERMANENT_REDIRECT", 308),
];

impl<'n> Check<'n> {
    /// The route that takes the request; `levels` are it, its host and its table.
    pub(super) fn taken(&mut self, manager: Part<'n>, levels: &[Part<'n>; 3], asked: &Asked<'n>) {
        let [route, host, _] = *levels;
        self.upgraded(manager, route);
        if self.wants_tls(host) {
            return;
        }
        self.filters(manager, levels, asked);
        if let Some(direct) = route.get("direct_response") {
            let status = direct.get("status").and_then(|s| s.node.text().parse().ok());
            let says =
                format!("answers {} itself, and sends nothing to Bindplane", asked.request.path);
            return self.issue(Kind::PathRule(status), at(direct, "status"), says);
        }
        if let Some(redirect) = route.get("redirect") {
            return self.redirect(route, redirect, asked);
        }
        let Some(action) = route.get("route") else {
            return self.untold(Some(route), "what this route does is not known here");
        };
        self.headers(levels, action);
        self.path(route, action, asked);
        self.host(action, asked);
        self.times(manager, action);
        self.clusters(action);
    }

    /// Whether upgrades are let through: the route's word goes before the manager's.
    fn upgraded(&mut self, manager: Part<'n>, route: Part<'n>) {
        let websocket = |one: &Part<'n>| one.text("upgrade_type").eq_ignore_ascii_case("websocket");
        let own = route.get("route").and_then(|a| a.items("upgrade_configs").find(websocket));
        let all = manager.items("upgrade_configs").find(websocket);
        match own.or(all) {
            Some(one) if one.text("enabled") == "false" => {
                let says = "refuses upgrades here: Envoy answers them itself, with an empty 403";
                self.issue(Kind::UpgradeHeaders, at(one, "enabled"), says);
            }
            Some(one) => self.follow(one, "upgrade_type"),
            None => {
                let says = "is of a connection manager that has no upgrade_configs for websocket: Envoy \
                            answers upgrades itself, with an empty 403";
                let other = manager.items("upgrade_configs").next();
                let place = match other {
                    Some(other) => at(other, "upgrade_type"),
                    None => anchor(manager),
                };
                self.issue(Kind::UpgradeHeaders, place, says);
            }
        }
    }

    /// Whether the host redirects what came without TLS.
    fn wants_tls(&mut self, host: Part<'n>) -> bool {
        let (wanted, tls) = (host.text("require_tls"), self.request.tls);
        let place = at(host, "require_tls");
        match wanted {
            "ALL" if !tls => {
                let says = "redirects to https (301), which a WebSocket does not follow";
                self.issue(Kind::PathRule(Some(301)), place, says);
                true
            }
            "ALL" | "EXTERNAL_ONLY" => {
                let says = "redirects to https what does not say that it came by it \
                            (X-Forwarded-Proto): to the very URL that was asked for";
                self.maybe(Kind::RedirectLoop(301), place, says);
                false
            }
            _ => false,
        }
    }

    fn redirect(&mut self, route: Part<'n>, redirect: Part<'n>, asked: &Asked<'n>) {
        let code = redirect.text("response_code");
        let status = CODES.iter().find(|(name, _)| *name == code).map_or(301, |(_, code)| *code);
        let plain =
            ["host_redirect", "port_redirect", "path_redirect", "prefix_rewrite", "regex_rewrite"];
        let changed = plain.iter().any(|key| redirect.get(key).is_some());
        let https = redirect.text("https_redirect") == "true"
            || redirect.text("scheme_redirect") == "https";
        let same = !changed && (https || redirect.get("scheme_redirect").is_none());
        if same && (self.request.tls || !https) {
            let says = "redirects to the very URL that was asked for";
            return self.issue(Kind::RedirectLoop(status), at(route, "redirect"), says);
        }
        let says = format!(
            "redirects {} ({status}), which a WebSocket does not follow",
            asked.request.path
        );
        self.issue(Kind::PathRule(Some(status)), at(route, "redirect"), says);
    }

    /// Headers that are taken away or set on the way.
    fn headers(&mut self, levels: &[Part<'n>; 3], action: Part<'n>) {
        let several = action.deep(&["weighted_clusters"]);
        let weighted = several.into_iter().flat_map(|all| all.items("clusters"));
        let all: Vec<Part<'n>> = levels.iter().copied().chain(weighted).collect();
        for level in all {
            for name in level.items("request_headers_to_remove") {
                let lower = name.node.text().to_ascii_lowercase();
                if matches!(lower.as_str(), "upgrade" | "connection") {
                    let line = format!("request_headers_to_remove: {}", shown(name.node));
                    self.stripped((name.place(), line));
                }
            }
            for one in level.items("request_headers_to_add") {
                self.added(one);
            }
        }
    }

    fn added(&mut self, one: Part<'n>) {
        let Some(header) = one.get("header") else { return };
        let wanted = match header.text("key").to_ascii_lowercase().as_str() {
            "upgrade" => "websocket",
            "connection" => "upgrade",
            _ => return,
        };
        let action = one.text("append_action");
        let value = header.text("value").to_ascii_lowercase();
        if !(action.starts_with("OVERWRITE") || one.text("append") == "false")
            || value.contains(wanted)
        {
            return;
        }
        if value.starts_with("[removed") || value.contains('%') {
            return self.untold(Some(header), "the value that is set is not in the file");
        }
        self.stripped(at(header, "key"));
    }

    /// The path that the backend is asked for.
    fn path(&mut self, route: Part<'n>, action: Part<'n>, asked: &Asked<'n>) {
        let keys = ["prefix_rewrite", "regex_rewrite", "path_rewrite_policy", "path_rewrite"];
        let Some((key, by)) = keys.iter().find_map(|key| Some((*key, action.get(key)?))) else {
            return;
        };
        let path = match key {
            "prefix_rewrite" => {
                let own = route.get("match");
                let prefix = ["prefix", "path_separated_prefix"]
                    .iter()
                    .find_map(|key| own?.get(key))
                    .map_or(asked.path.len(), |p| p.node.text().len());
                let rest = asked.path.get(prefix..).unwrap_or_default();
                Some(format!("{}{rest}", by.node.text()))
            }
            "regex_rewrite" => rewritten(by, &asked.path),
            _ => None,
        };
        match path {
            Some(path) if path == asked.path => {}
            Some(path) => {
                let says = format!("asks Bindplane for {path} instead of {}", asked.path);
                self.issue(Kind::PathChanged, at(action, key), says);
            }
            None => self.untold(Some(by), "this line may change the path"),
        }
    }

    /// gorilla compares Origin with Host.
    fn host(&mut self, action: Part<'n>, asked: &Asked<'n>) {
        let why = "browsers name theirs in Origin, and a server that compares the two refuses. \
                   Without this line Envoy passes on what the browser sent";
        if let Some(literal) = action.get("host_rewrite_literal") {
            let (sent, wanted) = (literal.node.text(), asked.request.authority());
            if !sent.eq_ignore_ascii_case(&wanted) {
                let says =
                    format!("sends `{sent}` as Host, where the browser said `{wanted}`: {why}");
                self.issue(Kind::Host, at(action, "host_rewrite_literal"), says);
            }
        }
        if action.text("auto_host_rewrite") == "true" {
            let says = format!("sends the backend's own name as Host, where it has one: {why}");
            self.issue(Kind::Host, at(action, "auto_host_rewrite"), says);
        }
        let other = ["host_rewrite_header", "host_rewrite_path_regex", "host_rewrite"];
        if let Some(by) = other.iter().find_map(|key| action.get(key)) {
            self.untold(Some(by), "this line changes Host");
        }
    }

    fn times(&mut self, manager: Part<'n>, action: Part<'n>) {
        let own = action.get("idle_timeout").map(|_| (action, "idle_timeout"));
        let all = manager.get("stream_idle_timeout").map(|_| (manager, "stream_idle_timeout"));
        match own.or(all) {
            Some((part, key)) => {
                let s = part.get(key).and_then(|t| seconds(t.node)).unwrap_or(0.0);
                if s > 0.0 && s < NEEDED_S {
                    let says = format!("cuts a connection on which nothing comes for {s:.0} s");
                    self.issue(Kind::Timeout(s), at(part, key), says);
                }
            }
            None => {
                let says = format!(
                    "is of a connection manager without stream_idle_timeout: Envoy cuts a connection on \
                     which nothing comes for {IDLE_S:.0} s"
                );
                self.issue(Kind::Timeout(IDLE_S), anchor(manager), says);
            }
        }
        let own =
            action.get("max_stream_duration").filter(|m| m.get("max_stream_duration").is_some());
        let limit = own.or_else(|| manager.get("common_http_protocol_options"));
        self.lifetime(limit);
    }

    /// An age at which a connection ends; nothing where there is none, or 0.
    fn lifetime(&mut self, options: Option<Part<'n>>) {
        let Some(options) = options else { return };
        let limit = options.get("max_stream_duration").and_then(|limit| seconds(limit.node));
        if let Some(s) = limit.filter(|s| *s > 0.0 && *s < NEEDED_S) {
            let says =
                format!("ends every connection at an age of {s:.0} s, whatever passes on it");
            self.issue(Kind::Lifetime(s), at(options, "max_stream_duration"), says);
        }
    }

    fn clusters(&mut self, action: Part<'n>) {
        let several = action.deep(&["weighted_clusters"]);
        let mut names: Vec<Part<'n>> = action.get("cluster").into_iter().collect();
        names.extend(several.into_iter().flat_map(|all| all.items("clusters")).filter_map(|one| {
            let weight = one.get("weight").and_then(|w| w.node.number());
            one.get("name").filter(|_| weight != Some(0.0))
        }));
        if names.is_empty() {
            return self.untold(Some(action), "which cluster is asked is decided while it runs");
        }
        for name in names {
            match self.given.cluster(name.node.text()) {
                Some(cluster) => self.cluster(cluster),
                None => {
                    let why = format!("the cluster {} was not given", name.node.text());
                    self.untold(Some(name), why);
                }
            }
        }
    }

    fn cluster(&mut self, cluster: Part<'n>) {
        self.follow(cluster, "name");
        let options = cluster
            .get("typed_extension_protocol_options")
            .and_then(|all| all.node.get(OPTIONS).map(|own| all.with(own)));
        self.lifetime(options.and_then(|own| own.get("common_http_protocol_options")));
        if options.is_none() {
            self.lifetime(cluster.get("common_http_protocol_options"));
        }
        let says = "makes Envoy speak HTTP/2 to the backend, which an upgrade crosses by extended \
                    CONNECT alone (RFC 8441): few servers take it";
        let explicit = options.and_then(|own| own.get("explicit_http_config"));
        let old = cluster.get("http2_protocol_options").filter(|_| options.is_none());
        if let Some(explicit) = explicit.filter(|e| e.get("http2_protocol_options").is_some()) {
            self.issue(Kind::Http2, at(explicit, "http2_protocol_options"), says);
        } else if old.is_some() {
            self.issue(Kind::Http2, at(cluster, "http2_protocol_options"), says);
        } else if let Some(auto) = options.and_then(|own| own.get("auto_config")) {
            let says = "lets the backend choose HTTP/2, which an upgrade crosses by extended CONNECT \
                        alone (RFC 8441)";
            self.maybe(Kind::Http2, (auto.place(), "auto_config".to_owned()), says);
        }
        let listed = cluster.get("load_assignment");
        if listed.is_some_and(|all| !has_endpoints(all)) {
            let says = "has no endpoint: Envoy answers 503";
            self.issue(Kind::PathRule(Some(503)), at(cluster, "load_assignment"), says);
        }
    }
}

fn has_endpoints(all: Part<'_>) -> bool {
    all.items("endpoints").any(|one| {
        one.get("lb_endpoints").is_some_and(|e| !e.node.items().is_empty())
            || one.get("leds_cluster_locality_config").is_some()
    })
}

/// The line of a connection manager that stands for it.
fn anchor(manager: Part<'_>) -> (Place, String) {
    at(manager, "stat_prefix")
}

/// A path after `regex_rewrite`; `None` where the pattern is not read here.
fn rewritten(by: Part<'_>, path: &str) -> Option<String> {
    let pattern = by.get("pattern")?.text("regex");
    whole(pattern)?;
    let regex = regex::Regex::new(pattern).ok()?;
    let mut to = String::new();
    let mut rest = by.text("substitution").chars();
    while let Some(c) = rest.next() {
        match (c, if c == '\\' { rest.next() } else { None }) {
            (_, Some(digit)) if digit.is_ascii_digit() => to.push_str(&format!("${{{digit}}}")),
            (_, Some('\\')) => to.push('\\'),
            (_, Some(_)) => return None,
            ('$', None) => to.push_str("$$"),
            (c, None) => to.push(c),
        }
    }
    Some(regex.replace_all(path, to.as_str()).into_owned())
}
