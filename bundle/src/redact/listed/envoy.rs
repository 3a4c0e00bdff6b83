//! Envoy: its file, and what its admin port and `istioctl` print.

use super::{Finer, Listed};
use crate::structured::{Node, Value};

fn has(node: &Node, keys: &[&str]) -> bool {
    keys.iter().any(|key| node.get(key).is_some())
}

/// A listener, a table of routes, or a cluster with its endpoints.
fn resource(node: &Node) -> bool {
    has(
        node,
        &[
            "filter_chains",
            "filterChains",
            "default_filter_chain",
            "virtual_hosts",
            "virtualHosts",
            "lb_policy",
            "lbPolicy",
            "load_assignment",
            "loadAssignment",
        ],
    )
}

fn whose(node: &Node) -> bool {
    if let Value::List(all) = &node.value {
        return all.iter().any(resource);
    }
    let dumped = |one: &Node| one.text_of("@type").contains("envoy.");
    has(node, &["static_resources", "staticResources"])
        || node.items_of("configs").iter().any(dumped)
        || node.items_of("resources").iter().any(|one| dumped(one) || resource(one))
        || resource(node)
}

/// Bootstrap files, files of resources, dumps.
pub static ENVOY: Listed = Listed {
    whose,
    keys: &[
        "@type",
        "name",
        "address",
        "server_names",
        "serverNames",
        "transport_protocol",
        "transportProtocol",
        "application_protocols",
        "applicationProtocols",
        "alpn_protocols",
        "alpnProtocols",
        "codec_type",
        "codecType",
        "stat_prefix",
        "statPrefix",
        "upgrade_type",
        "upgradeType",
        "domains",
        "prefix",
        "path",
        "regex",
        "path_separated_prefix",
        "pathSeparatedPrefix",
        "substitution",
        "prefix_rewrite",
        "prefixRewrite",
        "path_redirect",
        "pathRedirect",
        "host_redirect",
        "hostRedirect",
        "scheme_redirect",
        "schemeRedirect",
        "response_code",
        "responseCode",
        "require_tls",
        "requireTls",
        "denominator",
        "cluster",
        "cluster_name",
        "clusterName",
        "cluster_header",
        "route_config_name",
        "routeConfigName",
        "host_rewrite_literal",
        "hostRewriteLiteral",
        "host_rewrite_header",
        "append_action",
        "appendAction",
        "request_headers_to_remove",
        "requestHeadersToRemove",
        "remove",
        "key",
        "code",
        "type",
        "lb_policy",
        "lbPolicy",
        "timeout",
        "idle_timeout",
        "idleTimeout",
        "stream_idle_timeout",
        "streamIdleTimeout",
        "max_stream_duration",
        "maxStreamDuration",
        "max_connection_duration",
        "request_timeout",
        "requestTimeout",
        "connect_timeout",
        "connectTimeout",
        "fill_interval",
        "fillInterval",
    ],
    pairs: &[],
    finer: &Finer::NONE,
};
