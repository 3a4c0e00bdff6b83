//! Envoy's samples: see `configuration/samples.rs`.

use super::Sample;

pub(crate) const SECRETS: &str = r#"static_resources:
  listeners:
  - name: console
    filter_chains:
    - transport_socket:
        typed_config:
          common_tls_context:
            tls_certificates:
            - private_key: { inline_string: "Q4nary" }
      filters:
      - name: envoy.filters.network.http_connection_manager
        typed_config:
          "@type": type.googleapis.com/envoy.extensions.filters.network.http_connection_manager.v3.HttpConnectionManager
          route_config:
            virtual_hosts:
            - name: console
              domains: ["b.example"]
              request_headers_to_add:
              - header:
                  key: authorization
                  value: Basic Q4naryQ4nary==
              routes:
              - match:
                  prefix: /
                  headers:
                  - name: x-api-key
                    string_match:
                      exact: Q4nary
                direct_response:
                  status: 200
                  body:
                    inline_string: Q4nary
  clusters: []
"#;

const TYPE: &str = "type.googleapis.com/envoy.extensions";

/// A file with one listener; the manager's lines begin at 11, and those of its one
/// virtual host at `17 + manager`.
fn file(manager: &str, host: &str, filters: &str, clusters: &str) -> String {
    let lines = |text: &str, indent: usize| -> String {
        text.lines().map(|line| format!("{}{line}\n", " ".repeat(indent))).collect()
    };
    format!(
        "static_resources:\n  listeners:\n  - name: console\n    address:\n      socket_address: {{ address: 127.0.0.1, port_value: 443 }}\n    \
         filter_chains:\n    - filters:\n      - name: envoy.filters.network.http_connection_manager\n        typed_config:\n          \
         \"@type\": {TYPE}.filters.network.http_connection_manager.v3.HttpConnectionManager\n{}          stat_prefix: console\n          \
         route_config:\n            name: console\n            virtual_hosts:\n            - name: console\n{}          \
         http_filters:\n{}          - name: envoy.filters.http.router\n            typed_config:\n              \
         \"@type\": {TYPE}.filters.http.router.v3.Router\n  clusters:\n{}",
        lines(manager, 10),
        lines(host, 14),
        lines(filters, 10),
        lines(clusters, 2),
    )
}

const GOOD: &str = "upgrade_configs:\n- upgrade_type: websocket\nstream_idle_timeout: 3600s";
const HOST: &str =
    "domains: [\"*\"]\nroutes:\n- match: { prefix: / }\n  route:\n    cluster: console";

fn cluster(more: &str) -> String {
    format!(
        "- name: console\n  connect_timeout: 1s\n{more}  load_assignment:\n    cluster_name: console\n    endpoints:\n    - lb_endpoints:\n      \
         - endpoint:\n          address:\n            socket_address: {{ address: 127.0.0.1, port_value: 3001 }}"
    )
}

fn manager(own: &str) -> String {
    file(own, HOST, "", &cluster(""))
}

fn host(own: &str) -> String {
    file(GOOD, own, "", &cluster(""))
}

fn filter(kind: &str, config: &str) -> String {
    let (package, message) = kind.split_once('/').unwrap_or((kind, kind));
    let own = format!(
        "- name: envoy.filters.http.{package}\n  typed_config:\n    \"@type\": {TYPE}.filters.http.{package}.v3.{message}\n{config}"
    );
    file(GOOD, HOST, &own, &cluster(""))
}

/// The same file as the admin port prints it.
const DUMP: &str = r#"{
 "configs": [
  {
   "@type": "type.googleapis.com/envoy.admin.v3.ListenersConfigDump",
   "dynamic_listeners": [
    {
     "name": "console",
     "active_state": {
      "listener": {
       "@type": "type.googleapis.com/envoy.config.listener.v3.Listener",
       "name": "console",
       "address": { "socket_address": { "address": "0.0.0.0", "port_value": 443 } },
       "filter_chains": [
        {
         "filters": [
          {
           "name": "envoy.filters.network.http_connection_manager",
           "typed_config": {
            "@type": "type.googleapis.com/envoy.extensions.filters.network.http_connection_manager.v3.HttpConnectionManager",
            "stat_prefix": "console",
            "rds": { "route_config_name": "console" }
           }
          }
         ]
        }
       ]
      }
     }
    }
   ]
  },
  {
   "@type": "type.googleapis.com/envoy.admin.v3.ClustersConfigDump",
   "dynamic_active_clusters": [
    { "cluster": { "name": "console", "type": "EDS", "connect_timeout": "1s" } }
   ]
  },
  {
   "@type": "type.googleapis.com/envoy.admin.v3.RoutesConfigDump",
   "dynamic_route_configs": [
    {
     "route_config": {
      "name": "console",
      "virtual_hosts": [
       {
        "name": "console",
        "domains": [ "*" ],
        "routes": [
         {
          "match": { "prefix": "/v1/" },
          "route": { "cluster": "console", "max_stream_duration": { "max_stream_duration": "900s" } }
         }
        ]
       }
      ]
     }
    }
   ]
  }
 ]
}
"#;

pub(crate) fn all() -> Vec<Sample> {
    let route =
        |inner: &str| format!("domains: [\"*\"]\nroutes:\n- match: {{ prefix: /v1/ }}\n  {inner}");
    let options = |http: &str| {
        format!(
            "  typed_extension_protocol_options:\n    envoy.extensions.upstreams.http.v3.HttpProtocolOptions:\n      \
             \"@type\": {TYPE}.upstreams.http.v3.HttpProtocolOptions\n      {http}\n"
        )
    };
    let clustered = |more: &str| file(GOOD, HOST, "", &cluster(more));
    vec![
        ("all is well", manager(GOOD), vec![]),
        ("no upgrades", manager("stream_idle_timeout: 0s"), vec!["headers @12"]),
        (
            "no upgrades, and the default time",
            manager("codec_type: AUTO"),
            vec!["headers @12", "timeout 300 @12"],
        ),
        (
            "another kind of upgrade",
            manager("upgrade_configs:\n- upgrade_type: CONNECT\nstream_idle_timeout: 3600s"),
            vec!["headers @12"],
        ),
        (
            "switched off",
            manager(
                "upgrade_configs:\n- upgrade_type: WebSocket\n  enabled: false\nstream_idle_timeout: 3600s",
            ),
            vec!["headers @13"],
        ),
        (
            "switched off for all, and on for the route",
            file(
                "upgrade_configs: [{ upgrade_type: websocket, enabled: false }]\nstream_idle_timeout: 3600s",
                &route(
                    "route: { cluster: console, upgrade_configs: [{ upgrade_type: websocket }] }",
                ),
                "",
                &cluster(""),
            ),
            vec![],
        ),
        (
            "switched off for the route",
            host(&route(
                "route:\n    cluster: console\n    upgrade_configs: [{ upgrade_type: websocket, enabled: false }]",
            )),
            vec!["headers @24"],
        ),
        (
            "a minute of silence",
            manager("upgrade_configs: [{ upgrade_type: websocket }]\nstream_idle_timeout: 60s"),
            vec!["timeout 60 @12"],
        ),
        (
            "the route's time goes before",
            host(&route("route: { cluster: console, idle_timeout: 90s }")),
            vec!["timeout 90 @22"],
        ),
        (
            "a time for answers alone",
            host(&route("route: { cluster: console, timeout: 15s }")),
            vec![],
        ),
        (
            "an age",
            host(&route(
                "route:\n    cluster: console\n    max_stream_duration:\n      max_stream_duration: 900s",
            )),
            vec!["life 900 @25"],
        ),
        (
            "an age for all, and none for the route",
            file(
                &format!("{GOOD}\ncommon_http_protocol_options:\n  max_stream_duration: 900s"),
                &route(
                    "route: { cluster: console, max_stream_duration: { max_stream_duration: 0s } }",
                ),
                "",
                &cluster(""),
            ),
            vec![],
        ),
        (
            "an age of the cluster's streams",
            clustered(&options(
                "common_http_protocol_options: { max_stream_duration: 600s }\n      explicit_http_config: { http_protocol_options: {} }",
            )),
            vec!["life 600 @34"],
        ),
        (
            "HTTP/2 to the backend",
            clustered(&options("explicit_http_config: { http2_protocol_options: {} }")),
            vec!["h2 @34"],
        ),
        (
            "no route",
            host(
                "domains: [\"*\"]\nroutes:\n- match: { prefix: /app/ }\n  route: { cluster: console }",
            ),
            vec!["path Some(404) @21"],
        ),
        (
            "no name",
            host(
                "domains: [c.example]\nroutes:\n- match: { prefix: / }\n  route: { cluster: console }",
            ),
            vec!["path Some(404) @18"],
        ),
        (
            "the first that fits",
            host(
                "domains: [b.example]\nroutes:\n- match: { prefix: /v1 }\n  direct_response: { status: 410 }\n- match: { path: /v1/ws }\n  route: { cluster: console }",
            ),
            vec!["path Some(410) @22"],
        ),
        (
            "by the header",
            host(
                "domains: [\"*.example\"]\nroutes:\n- match: { prefix: /, headers: [{ name: Upgrade, string_match: { exact: websocket } }] }\n  route: { cluster: console }\n- match: { prefix: / }\n  direct_response: { status: 410 }",
            ),
            vec![],
        ),
        (
            "who asks decides",
            host(
                "domains: [\"*\"]\nroutes:\n- match: { prefix: /, headers: [{ name: x-who, present_match: true }] }\n  route: { cluster: console }",
            ),
            vec!["untold @21"],
        ),
        (
            "sent elsewhere",
            host(&route("redirect: { host_redirect: c.example, response_code: FOUND }")),
            vec!["path Some(302) @22"],
        ),
        (
            "sent to itself",
            host(&route("redirect: { https_redirect: true }")),
            vec!["loop 301 @22"],
        ),
        (
            "a name of its own",
            host(&route("route: { cluster: console, host_rewrite_literal: c }")),
            vec![],
        ),
        (
            "the path is cut",
            host(&route("route:\n    cluster: console\n    prefix_rewrite: /")),
            vec!["moved @24"],
        ),
        (
            "the header goes",
            host(&route(
                "request_headers_to_remove:\n  - x-a\n  - upgrade\n  route: { cluster: console }",
            )),
            vec!["headers @24"],
        ),
        (
            "who may pass",
            filter(
                "ext_authz/ExtAuthz",
                "    failure_mode_allow: true\n    http_service: { server_uri: { uri: 127.0.0.1, cluster: console, timeout: 1s } }",
            ),
            vec!["untold @25"],
        ),
        (
            "waits for the end",
            filter("buffer/Buffer", "    max_request_bytes: 1000"),
            vec!["headers @25"],
        ),
        (
            "a limit",
            filter(
                "local_ratelimit/LocalRateLimit",
                "    stat_prefix: x\n    token_bucket: { max_tokens: 5, fill_interval: 1s }",
            ),
            vec!["limit 429 @29 if seen"],
        ),
        (
            "no endpoint",
            file(GOOD, HOST, "", "- name: console\n  load_assignment:\n    cluster_name: console"),
            vec!["path Some(503) @31"],
        ),
        (
            "as it is in effect",
            DUMP.to_owned(),
            vec!["headers @20", "life 900 @51", "timeout 300 @20"],
        ),
    ]
}
