//! Envoy's row of the table: how its files are recognised, and what mends an issue.

use super::check::read;
use super::edits::edits;
use crate::configuration::dialect::{Dialect, Fix, Masked, Proof, Recognised, Text, no_includes};
use crate::configuration::part::recognised;
use crate::configuration::{Issue, Kind};
use wss_bundle::redact::listed::ENVOY;

/// Envoy.
pub(crate) const DIALECT: Dialect = Dialect {
    id: "envoy",
    name: "Envoy",
    devices: &["envoy", "istio"],
    expected: "an Envoy one (static_resources, or what /config_dump prints)",
    whole: "Envoy: give its file, or what `curl http://127.0.0.1:ADMIN/config_dump` prints",
    commands: &[
        "cat /etc/envoy/envoy.yaml > envoy.yaml",
        "curl -s http://127.0.0.1:9901/config_dump > envoy.json   # the port of its admin address",
        "istioctl proxy-config all POD -n NAMESPACE -o json > envoy.json   # Istio",
    ],
    reload: "envoy --mode validate -c FILE, and start it anew",
    masked: Masked::Listed(&ENVOY),
    proof: Proof::Program,
    recognise,
    read,
    includes: no_includes,
    fix,
    edits,
};

/// Words of which every file of Envoy's has one.
const WORDS: [&str; 8] = [
    "static_resources",
    "staticResources",
    "filter_chains",
    "filterChains",
    "virtual_hosts",
    "virtualHosts",
    "lb_endpoints",
    "ConfigDump",
];

fn recognise(text: &Text<'_>) -> Recognised {
    let words = |text: &str| WORDS.iter().any(|word| text.contains(word));
    if !words(text.text) {
        return Recognised::No;
    }
    recognised(text, &ENVOY, words, "Envoy's")
}

fn fix(issue: &Issue) -> Option<Fix> {
    Some(match issue.kind {
        Kind::UpgradeHeaders if issue.line.contains("buffer") => Fix::new(
            "Give upgrades filters of their own, with the router alone (upgrade_configs, filters), or \
             take the buffer out for /v1/ (typed_per_filter_config).",
        ),
        Kind::UpgradeHeaders if issue.line.starts_with("request_headers") => {
            Fix::new("Remove the line: Envoy sends upgrades on by itself.")
        }
        Kind::UpgradeHeaders => Fix::new(
            "Write `upgrade_configs: [{ upgrade_type: websocket }]` in the connection manager, or in \
             the route.",
        ),
        Kind::Timeout(_) => Fix::new(
            "Set stream_idle_timeout to 3600s in the connection manager, or idle_timeout in the route \
             (0s takes the limit away).",
        ),
        Kind::Lifetime(_) => Fix::new(
            "Raise max_stream_duration to a day, or set it to 0s in the route: the console's socket \
             lives as long as the page is open.",
        ),
        Kind::Http2 => Fix::new(
            "Speak HTTP/1.1 to the backend: explicit_http_config with http_protocol_options.",
        ),
        Kind::Host => Fix::new("Remove the line: Envoy passes on the Host that the browser sent."),
        Kind::PathRule(Some(503)) => Fix::new("Name Bindplane's address in the cluster."),
        Kind::PathRule(_) => Fix::new(
            "Write a route for prefix /v1/ to Bindplane's cluster before the one that takes it now: \
             the first one that fits is taken.",
        ),
        _ => return None,
    })
}
