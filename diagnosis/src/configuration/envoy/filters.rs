//! What stands before the router: filters that ask, limit, answer or wait.

use super::check::{Check, at};
use super::gathered::kind;
use super::route::Asked;
use crate::configuration::Kind;
use crate::configuration::part::Part;

/// Filters that neither answer an upgrade nor change what makes it one.
const PLAIN: [&str; 31] = [
    "router",
    "cors",
    "csrf",
    "compressor",
    "decompressor",
    "gzip",
    "grpc_stats",
    "grpc_web",
    "grpc_http1_bridge",
    "grpc_http1_reverse_bridge",
    "connect_grpc_bridge",
    "header_to_metadata",
    "json_to_metadata",
    "set_metadata",
    "set_filter_state",
    "on_demand",
    "original_src",
    "stateful_session",
    "upstream_codec",
    "tap",
    "geoip",
    "ip_tagging",
    "bandwidth_limit",
    "cache",
    "cache_v2",
    "credential_injector",
    "alternate_protocols_cache",
    "dynamic_forward_proxy",
    "rate_limit_quota",
    "aws_request_signing",
    "thrift_to_metadata",
];

/// Filters that let some pass and others not.
const ASKING: [(&str, &str); 8] = [
    ("ext_authz", "who may pass is decided by what is asked first (ext_authz)"),
    ("jwt_authn", "who may pass is decided by a token (jwt_authn)"),
    ("oauth2", "who is not signed on is redirected to sign on (oauth2)"),
    ("api_key_auth", "who may pass is decided by a key (api_key_auth)"),
    ("rbac", "who may pass is decided by policies (rbac)"),
    (
        "ext_proc",
        "what becomes of the request is decided by a server that is asked first (ext_proc)",
    ),
    ("fault", "some requests are delayed or refused on purpose (fault)"),
    ("admission_control", "requests are refused while many fail (admission_control)"),
];

/// A filter's kind: the word of its message's package, or the end of its name.
fn word(filter: Part<'_>) -> &str {
    let config = filter.get("typed_config");
    let of = |text: &'_ str| -> Option<usize> { text.find("filters.http.").map(|at| at + 13) };
    let full = config.map_or("", |config| config.text("@type"));
    match of(full) {
        Some(from) => full[from..].split('.').next().unwrap_or_default(),
        None => filter.text("name").rsplit('.').next().unwrap_or_default(),
    }
}

/// Whether a route, its host or its table takes a filter out for its own requests.
fn taken_out(filter: Part<'_>, levels: &[Part<'_>]) -> Option<bool> {
    let name = filter.text("name");
    levels.iter().find_map(|level| {
        let own = level.get("typed_per_filter_config")?.node.get(name)?;
        match own.get("disabled").map(|d| d.text()) {
            Some(text) => Some(text == "true"),
            None => Some(false),
        }
    })
}

impl<'n> Check<'n> {
    /// What the filters of upgrades do: their own chain, where they have one.
    pub(super) fn filters(&mut self, manager: Part<'n>, levels: &[Part<'n>], asked: &Asked<'n>) {
        let own = manager
            .items("upgrade_configs")
            .find(|one| one.text("upgrade_type").eq_ignore_ascii_case("websocket"))
            .filter(|one| one.get("filters").is_some());
        let all: Vec<Part<'n>> = match own {
            Some(own) => own.items("filters").collect(),
            None => manager.items("http_filters").collect(),
        };
        for filter in all {
            let off = filter.text("disabled") == "true";
            if taken_out(filter, levels).unwrap_or(off) {
                continue;
            }
            self.filter(filter, levels, asked);
        }
    }

    fn filter(&mut self, filter: Part<'n>, levels: &[Part<'n>], asked: &Asked<'n>) {
        let word = word(filter);
        if PLAIN.contains(&word) || filter.text("name").starts_with("istio") {
            return;
        }
        if let Some((_, why)) = ASKING.iter().find(|(known, _)| *known == word) {
            return self.untold(Some(filter), *why);
        }
        let config = filter.get("typed_config").unwrap_or(filter);
        match word {
            "buffer" | "file_system_buffer" => {
                let says = "waits for the end of the request before it sends it on, and an upgrade \
                            has none: it gets no answer";
                self.issue(Kind::UpgradeHeaders, at(filter, "name"), says);
            }
            "basic_auth" => {
                let says = "asks for a password of its own";
                self.issue(Kind::PathRule(Some(401)), at(filter, "name"), says);
            }
            "local_ratelimit" => self.local_limit(filter, config, levels),
            "ratelimit" => {
                let says = "asks a service whether there were too many requests (429)";
                self.maybe(Kind::Limit(429), at(filter, "name"), says);
            }
            "health_check" => self.health(filter, config, asked),
            "header_mutation" => {
                for one in config
                    .deep(&["mutations"])
                    .into_iter()
                    .flat_map(|m| m.items("request_mutations"))
                {
                    let name = one.text("remove").to_ascii_lowercase();
                    if matches!(name.as_str(), "upgrade" | "connection") {
                        self.stripped(at(one, "remove"));
                    }
                }
            }
            other => {
                let other = if other.is_empty() { kind(config) } else { other };
                let why = format!("what the filter {other} does with an upgrade is not known here");
                self.untold(Some(filter), why);
            }
        }
    }

    pub(super) fn stripped(&mut self, at: (crate::configuration::Place, String)) {
        let says =
            "takes from the upgrade a header that makes it one: Envoy sends both on by itself";
        self.issue(Kind::UpgradeHeaders, at, says);
    }

    fn local_limit(&mut self, filter: Part<'n>, config: Part<'n>, levels: &[Part<'n>]) {
        let name = filter.text("name");
        let per_route = levels.iter().find_map(|level| {
            let own = level.get("typed_per_filter_config")?;
            Some(own.with(own.node.get(name)?))
        });
        let config = per_route.unwrap_or(config);
        let Some(bucket) = config.get("token_bucket") else { return };
        let code = config.deep(&["status", "code"]).and_then(|c| c.node.number());
        let status = match code {
            // Names of the codes are in no order that helps; most say 429.
            Some(code) if (400.0..600.0).contains(&code) => code as u16,
            _ => 429,
        };
        let says = format!("refuses requests above this ({status})");
        self.maybe(Kind::Limit(status), at(bucket, "max_tokens"), says);
    }

    fn health(&mut self, filter: Part<'n>, config: Part<'n>, asked: &Asked<'n>) {
        if config.text("pass_through_mode") == "true" {
            return;
        }
        for one in config.items("headers") {
            match asked.header(one) {
                Ok(true) => {}
                Ok(false) => return,
                Err((part, why)) => {
                    let why = format!("whether the health check answers depends on {why}");
                    return self.untold(Some(part), why);
                }
            }
        }
        let says = format!("answers {} itself, as a check of Envoy's own health", asked.path);
        self.issue(Kind::PathRule(Some(200)), at(filter, "name"), says);
    }
}
