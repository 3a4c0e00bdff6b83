//! Configuration to paste, by device and purpose. Each is checked by the real
//! program where there is one (`tests/tests/remedies.rs`): without a warning.

pub use crate::configuration::Purpose;

/// One snippet.
#[derive(Debug)]
pub struct Known {
    /// Ids of the signatures of the devices that it is for.
    pub devices: &'static [&'static str],
    /// What it is for.
    pub purpose: Purpose,
    /// `nginx`, `haproxy` …
    pub language: &'static str,
    /// The text, empty where there is nothing to paste. Names in it are `bindplane.example.com` and `bindplane.internal`.
    pub text: &'static str,
    /// What else to know or do, for this product.
    pub steps: &'static [&'static str],
    /// Where it is known from.
    pub source: &'static str,
}

/// The snippet for a device, if there is one.
#[must_use]
pub fn of(device: &str, purpose: Purpose) -> Option<&'static Known> {
    all().find(|known| known.purpose == purpose && known.devices.contains(&device))
}

/// Every snippet.
pub fn all() -> impl Iterator<Item = &'static Known> {
    PASTED.iter().chain(super::products::MORE)
}

/// Those of the load balancers that are set by text.
static PASTED: &[Known] = &[
    Known {
        devices: &["nginx", "openresty"],
        purpose: Purpose::Forward,
        language: "nginx",
        text: "\
# in http { … }
map $http_upgrade $connection_upgrade {
    default upgrade;
    ''      close;
}

# in the server { … } of this host
location / {
    proxy_pass          http://bindplane.internal:3001;
    proxy_http_version  1.1;
    proxy_set_header    Upgrade $http_upgrade;
    proxy_set_header    Connection $connection_upgrade;
    proxy_set_header    Host $http_host;
    proxy_set_header    X-Real-IP $remote_addr;
    proxy_set_header    X-Forwarded-For $proxy_add_x_forwarded_for;
    proxy_set_header    X-Forwarded-Proto $scheme;
    proxy_read_timeout  3600s;
    proxy_send_timeout  3600s;
}",
        steps: &[],
        source: "https://nginx.org/en/docs/http/websocket.html",
    },
    Known {
        devices: &["nginx", "openresty"],
        purpose: Purpose::Timeout,
        language: "nginx",
        text: "# in the location { … } that passes to Bindplane\nproxy_read_timeout  3600s;\nproxy_send_timeout  3600s;",
        steps: &[],
        source: "https://nginx.org/en/docs/http/ngx_http_proxy_module.html#proxy_read_timeout",
    },
    Known {
        devices: &["nginx", "openresty"],
        purpose: Purpose::Host,
        language: "nginx",
        text: "# in the location { … } that passes to Bindplane, beside the other proxy_set_header lines\nproxy_set_header Host $http_host;",
        steps: &[],
        source: "https://nginx.org/en/docs/http/ngx_http_proxy_module.html#proxy_set_header",
    },
    Known {
        devices: &["nginx", "openresty"],
        purpose: Purpose::Compression,
        language: "nginx",
        text: "# in the location { … } that passes to Bindplane, beside the other proxy_set_header lines\nproxy_set_header Sec-WebSocket-Extensions \"\";",
        steps: &[
            "Take out what touches that header in the answer: proxy_hide_header, add_header, more_clear_headers.",
        ],
        source: "https://nginx.org/en/docs/http/ngx_http_proxy_module.html#proxy_set_header",
    },
    Known {
        devices: &["ingress-nginx"],
        purpose: Purpose::Forward,
        language: "yaml",
        text: "\
metadata:
  annotations:
    nginx.ingress.kubernetes.io/proxy-read-timeout: \"3600\"
    nginx.ingress.kubernetes.io/proxy-send-timeout: \"3600\"",
        steps: &[
            "ingress-nginx forwards upgrades by itself: look for a configuration-snippet or server-snippet with proxy_set_header lines of its own.",
        ],
        source: "https://kubernetes.github.io/ingress-nginx/user-guide/miscellaneous/#websockets",
    },
    Known {
        devices: &["ingress-nginx"],
        purpose: Purpose::Timeout,
        language: "yaml",
        text: "\
metadata:
  annotations:
    nginx.ingress.kubernetes.io/proxy-read-timeout: \"3600\"
    nginx.ingress.kubernetes.io/proxy-send-timeout: \"3600\"",
        steps: &[],
        source: "https://kubernetes.github.io/ingress-nginx/user-guide/miscellaneous/#websockets",
    },
    Known {
        devices: &["haproxy", "openshift-router"],
        purpose: Purpose::Forward,
        language: "haproxy",
        text: "\
defaults
    mode http
    timeout connect 10s
    timeout client  60s
    timeout server  60s
    timeout tunnel  3600s

frontend bindplane_front
    bind *:443 ssl crt /etc/haproxy/certs/bindplane.pem alpn h2,http/1.1
    default_backend bindplane_back

backend bindplane_back
    option forwardfor
    server bindplane1 bindplane.internal:3001 check",
        steps: &[],
        source: "https://docs.haproxy.org/2.6/configuration.html#4.2-timeout%20tunnel",
    },
    Known {
        devices: &["haproxy", "openshift-router"],
        purpose: Purpose::Timeout,
        language: "haproxy",
        text: "# in defaults, or in the backend\n    timeout tunnel  3600s",
        steps: &[
            "Without `timeout tunnel` the shorter of `timeout client` and `timeout server` cuts.",
        ],
        source: "https://docs.haproxy.org/2.6/configuration.html#4.2-timeout%20tunnel",
    },
    Known {
        devices: &["apache"],
        purpose: Purpose::Forward,
        language: "apache",
        text: "\
# Apache httpd 2.4.47 and later; modules proxy and proxy_http
ProxyPass        / http://bindplane.internal:3001/ upgrade=websocket timeout=3600
ProxyPassReverse / http://bindplane.internal:3001/
ProxyPreserveHost On",
        steps: &[],
        source: "https://httpd.apache.org/docs/2.4/mod/mod_proxy.html#protoupgrade",
    },
    Known {
        devices: &["apache"],
        purpose: Purpose::Timeout,
        language: "apache",
        text: "Timeout 3600\nProxyTimeout 3600",
        steps: &[],
        source: "https://httpd.apache.org/docs/2.4/mod/mod_proxy.html#proxytimeout (Timeout alone cuts too, as measured)",
    },
    Known {
        devices: &["apache"],
        purpose: Purpose::Host,
        language: "apache",
        text: "ProxyPreserveHost On",
        steps: &[],
        source: "https://httpd.apache.org/docs/2.4/mod/mod_proxy.html#proxypreservehost",
    },
    Known {
        devices: &["caddy"],
        purpose: Purpose::Forward,
        language: "caddy",
        text: "\
bindplane.example.com {
	# Caddy forwards upgrades by itself: look for header_up lines that remove
	# Upgrade or Connection, and remove them.
	reverse_proxy bindplane.internal:3001
}",
        steps: &[],
        source: "https://caddyserver.com/docs/caddyfile/directives/reverse_proxy#streaming",
    },
    Known {
        devices: &["envoy", "istio"],
        purpose: Purpose::Forward,
        language: "yaml",
        text: "# in the http_connection_manager\nupgrade_configs:\n- upgrade_type: websocket\nstream_idle_timeout: 3600s",
        steps: &["A route's own upgrade_configs override these."],
        source: "https://www.envoyproxy.io/docs/envoy/latest/intro/arch_overview/http/upgrades",
    },
    Known {
        devices: &["envoy", "istio"],
        purpose: Purpose::Timeout,
        language: "yaml",
        text: "# in the http_connection_manager\nstream_idle_timeout: 3600s",
        steps: &[],
        source: "https://www.envoyproxy.io/docs/envoy/latest/faq/configuration/timeouts",
    },
    Known {
        devices: &["aws-alb"],
        purpose: Purpose::Timeout,
        language: "sh",
        text: "aws elbv2 modify-load-balancer-attributes --load-balancer-arn ARN --attributes Key=idle_timeout.timeout_seconds,Value=3600",
        steps: &["1 to 4000 s are possible. WebSocket itself needs no setting."],
        source: "https://docs.aws.amazon.com/elasticloadbalancing/latest/application/edit-load-balancer-attributes.html",
    },
    Known {
        devices: &["gcp-glb"],
        purpose: Purpose::Timeout,
        language: "sh",
        text: "gcloud compute backend-services update BACKEND_SERVICE --global --timeout=3600",
        steps: &[
            "On GKE: a BackendConfig with timeoutSec: 3600, named by an annotation of the Service; annotations for nginx are ignored by the class gce.",
            "This time counts from the start, whatever the activity: the console reconnects after it.",
        ],
        source: "https://cloud.google.com/load-balancing/docs/https#timeouts_and_retries",
    },
    Known {
        devices: &["azure-appgw"],
        purpose: Purpose::Timeout,
        language: "sh",
        text: "az network application-gateway http-settings update --gateway-name GATEWAY --resource-group GROUP --name SETTINGS --timeout 3600",
        steps: &[
            "There is no switch for WebSocket (Microsoft: no user-configurable setting); what cuts is the request timeout of the backend setting, 20 s by default.",
        ],
        source: "https://learn.microsoft.com/azure/application-gateway/application-gateway-websocket",
    },
    Known {
        devices: &["squid", "squid-reverse"],
        purpose: Purpose::Forward,
        language: "squid",
        text: "\
# Do not open TLS for the console (before other ssl_bump lines):
acl bindplane ssl::server_name bindplane.example.com
ssl_bump splice bindplane

# Or let the upgrade through (Squid 5 and later):
http_upgrade_request_protocols websocket allow all
read_timeout 1 hour",
        steps: &[],
        source: "http://www.squid-cache.org/Doc/config/http_upgrade_request_protocols/",
    },
    Known {
        devices: &["caddy"],
        purpose: Purpose::Timeout,
        language: "caddy",
        text: "\
bindplane.example.com {
	reverse_proxy bindplane.internal:3001 {
		transport http {
			read_timeout 1h
			write_timeout 1h
		}
	}
}",
        steps: &[
            "Caddy cuts nothing by itself: look for read_timeout, write_timeout and stream_timeout. Its \
             read_timeout counts bytes from the backend alone, as measured.",
        ],
        source: "https://caddyserver.com/docs/caddyfile/directives/reverse_proxy#the-http-transport",
    },
    Known {
        devices: &["squid", "squid-reverse"],
        purpose: Purpose::Timeout,
        language: "squid",
        text: "read_timeout 1 hour",
        steps: &["It cuts tunnels, too, as measured; the default is 15 minutes."],
        source: "http://www.squid-cache.org/Doc/config/read_timeout/",
    },
    Known {
        devices: &["nginx", "openresty"],
        purpose: Purpose::Http1,
        language: "nginx",
        text: "# in the location { … } that passes to Bindplane\nproxy_http_version 1.1;",
        steps: &[],
        source: "https://nginx.org/en/docs/http/ngx_http_proxy_module.html#proxy_http_version",
    },
    Known {
        devices: &["haproxy", "openshift-router"],
        purpose: Purpose::Http1,
        language: "haproxy",
        text: "\
backend bindplane_back
    # no `proto h2`; where the server must offer h2 by ALPN for the rest, add: ws h1
    server bindplane1 bindplane.internal:3001 check",
        steps: &[],
        source: "https://docs.haproxy.org/2.6/configuration.html#5.2-ws",
    },
    Known {
        devices: &["haproxy", "openshift-router"],
        purpose: Purpose::Compression,
        language: "haproxy",
        text: "\
backend bindplane_back
    http-request del-header Sec-WebSocket-Extensions
    server bindplane1 bindplane.internal:3001 check",
        steps: &[
            "Take out what touches that header in the answer: http-response del-header, set-header, replace-header.",
        ],
        source: "https://docs.haproxy.org/2.6/configuration.html#4.2-http-request%20del-header",
    },
    Known {
        devices: &["envoy", "istio"],
        purpose: Purpose::Http1,
        language: "yaml",
        text: "\
# in the cluster that leads to Bindplane
typed_extension_protocol_options:
  envoy.extensions.upstreams.http.v3.HttpProtocolOptions:
    \"@type\": type.googleapis.com/envoy.extensions.upstreams.http.v3.HttpProtocolOptions
    explicit_http_config:
      http_protocol_options: {}",
        steps: &[
            "Remove `allow_connect: true` from http2_protocol_options where the backend speaks HTTP/1.1: \
             Envoy then offers browsers RFC 8441 and forwards no Sec-WebSocket-Key.",
        ],
        source: "https://www.envoyproxy.io/docs/envoy/latest/intro/arch_overview/http/upgrades, https://github.com/envoyproxy/envoy/issues/8547",
    },
    Known {
        devices: &["aws-alb"],
        purpose: Purpose::Http1,
        language: "sh",
        text: "aws elbv2 create-target-group --name bindplane-http1 --protocol HTTP --protocol-version HTTP1 --port 3001 --vpc-id VPC --health-check-path /health",
        steps: &[
            "A target group's protocol version is chosen when it is made: make another, register the \
             targets, and let the listener's rule forward to it.",
        ],
        source: "https://docs.aws.amazon.com/elasticloadbalancing/latest/application/load-balancer-target-groups.html#target-group-protocol-version",
    },
    Known {
        devices: &["aws-clb"],
        purpose: Purpose::Timeout,
        language: "sh",
        text: "aws elb modify-load-balancer-attributes --load-balancer-name NAME --load-balancer-attributes '{\"ConnectionSettings\":{\"IdleTimeout\":3600}}'",
        steps: &[
            "HTTP and HTTPS listeners of a Classic Load Balancer do not upgrade: use TCP or SSL listeners, or an Application Load Balancer.",
        ],
        source: "https://docs.aws.amazon.com/elasticloadbalancing/latest/classic/config-idle-timeout.html",
    },
    Known {
        devices: &["aws-nlb"],
        purpose: Purpose::Timeout,
        language: "sh",
        text: "aws elbv2 modify-listener-attributes --listener-arn ARN --attributes Key=tcp.idle_timeout.seconds,Value=3600",
        steps: &["60 to 6000 s are possible for TCP listeners; TLS listeners stay at 350 s."],
        source: "https://docs.aws.amazon.com/elasticloadbalancing/latest/network/update-idle-timeout.html",
    },
    Known {
        devices: &["netscaler"],
        purpose: Purpose::Forward,
        language: "text",
        text: "set ns httpProfile nshttp_default_profile -webSocket ENABLED",
        steps: &[
            "Or in the HTTP profile that is bound to the virtual server: a bound one counts before the default.",
        ],
        source: "https://docs.citrix.com/en-us/netscaler/12/system/http-configurations.html",
    },
];

#[cfg(test)]
mod tests {
    use super::*;

    /// The load balancers of the list: where each has something to set,
    /// there is something to paste.
    #[test]
    fn every_device_has_what_it_needs() {
        use Purpose::{Forward, Http1, Timeout};
        for (device, purposes) in [
            ("nginx", &[Forward, Timeout, Purpose::Host, Http1, Purpose::Compression][..]),
            ("haproxy", &[Forward, Timeout, Http1, Purpose::Compression]),
            ("apache", &[Forward, Timeout, Purpose::Host]),
            ("caddy", &[Forward, Timeout]),
            ("envoy", &[Forward, Timeout, Http1]),
            ("ingress-nginx", &[Forward, Timeout]),
            ("aws-alb", &[Timeout, Http1]),
            ("gcp-glb", &[Timeout]),
            ("azure-appgw", &[Timeout]),
            ("squid", &[Forward, Timeout]),
            ("varnish", &[Forward, Timeout]),
            ("traefik", &[Forward, Timeout, Purpose::Host]),
            ("iis-arr", &[Forward, Timeout]),
            ("f5-bigip", &[Forward, Timeout]),
            ("netscaler", &[Forward, Timeout]),
            ("kong", &[Forward, Timeout]),
            ("cloudflare", &[Forward]),
            ("aws-alb", &[Forward]),
            ("azure-appgw", &[Forward]),
            ("gcp-glb", &[Forward]),
        ] {
            for purpose in purposes {
                let known = of(device, *purpose);
                let known = known.unwrap_or_else(|| panic!("{device}: nothing for {purpose:?}"));
                assert!(known.source.starts_with("http"), "{device}: {}", known.source);
            }
        }
        for (at, one) in all().enumerate() {
            assert!(!one.text.is_empty() || !one.steps.is_empty(), "{:?}", one.devices);
            for device in one.devices {
                let twice = all()
                    .take(at)
                    .any(|other| other.purpose == one.purpose && other.devices.contains(device));
                assert!(!twice, "{device}: two for {:?}", one.purpose);
            }
        }
    }
}
