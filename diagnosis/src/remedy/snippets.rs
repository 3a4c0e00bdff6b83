//! Configuration to paste, by device and purpose. Each is checked by the real
//! program where there is one (`tests/tests/remedies.rs`): without a warning.

/// What a snippet is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Purpose {
    /// The upgrade passes.
    Forward,
    /// Connections stay open for an hour.
    Timeout,
    /// The browser's `Host` arrives.
    Host,
}

/// One snippet.
#[derive(Debug)]
pub struct Known {
    /// Ids of the signatures of the devices that it is for.
    pub devices: &'static [&'static str],
    /// What it is for.
    pub purpose: Purpose,
    /// `nginx`, `haproxy` …
    pub language: &'static str,
    /// The text. Names in it are `bindplane.example.com` and `bindplane.internal`.
    pub text: &'static str,
    /// Where it is known from.
    pub source: &'static str,
}

/// The snippet for a device, if there is one.
#[must_use]
pub fn of(device: &str, purpose: Purpose) -> Option<&'static Known> {
    ALL.iter().find(|known| known.purpose == purpose && known.devices.contains(&device))
}

/// Every snippet.
pub static ALL: &[Known] = &[
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
        source: "https://nginx.org/en/docs/http/websocket.html",
    },
    Known {
        devices: &["nginx", "openresty"],
        purpose: Purpose::Timeout,
        language: "nginx",
        text: "# in the location { … } that passes to Bindplane\nproxy_read_timeout  3600s;\nproxy_send_timeout  3600s;",
        source: "https://nginx.org/en/docs/http/ngx_http_proxy_module.html#proxy_read_timeout",
    },
    Known {
        devices: &["nginx", "openresty"],
        purpose: Purpose::Host,
        language: "nginx",
        text: "# in the location { … } that passes to Bindplane, beside the other proxy_set_header lines\nproxy_set_header Host $http_host;",
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
        source: "https://docs.haproxy.org/2.6/configuration.html#4.2-timeout%20tunnel",
    },
    Known {
        devices: &["haproxy", "openshift-router"],
        purpose: Purpose::Timeout,
        language: "haproxy",
        text: "# in defaults, or in the backend\n    timeout tunnel  3600s",
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
        source: "https://httpd.apache.org/docs/2.4/mod/mod_proxy.html#protoupgrade",
    },
    Known {
        devices: &["apache"],
        purpose: Purpose::Timeout,
        language: "apache",
        text: "Timeout 3600\nProxyTimeout 3600",
        source: "https://httpd.apache.org/docs/2.4/mod/mod_proxy.html#proxytimeout (Timeout alone cuts too, as measured)",
    },
    Known {
        devices: &["apache"],
        purpose: Purpose::Host,
        language: "apache",
        text: "ProxyPreserveHost On",
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
        source: "https://caddyserver.com/docs/caddyfile/directives/reverse_proxy#streaming",
    },
    Known {
        devices: &["envoy", "istio"],
        purpose: Purpose::Forward,
        language: "yaml",
        text: "# in the http_connection_manager\nupgrade_configs:\n- upgrade_type: websocket\nstream_idle_timeout: 3600s",
        source: "https://www.envoyproxy.io/docs/envoy/latest/intro/arch_overview/http/upgrades",
    },
    Known {
        devices: &["envoy", "istio"],
        purpose: Purpose::Timeout,
        language: "yaml",
        text: "# in the http_connection_manager\nstream_idle_timeout: 3600s",
        source: "https://www.envoyproxy.io/docs/envoy/latest/faq/configuration/timeouts",
    },
    Known {
        devices: &["aws-alb"],
        purpose: Purpose::Timeout,
        language: "sh",
        text: "aws elbv2 modify-load-balancer-attributes --load-balancer-arn ARN --attributes Key=idle_timeout.timeout_seconds,Value=3600",
        source: "https://docs.aws.amazon.com/elasticloadbalancing/latest/application/edit-load-balancer-attributes.html",
    },
    Known {
        devices: &["gcp-glb"],
        purpose: Purpose::Timeout,
        language: "sh",
        text: "gcloud compute backend-services update BACKEND_SERVICE --global --timeout=3600",
        source: "https://cloud.google.com/load-balancing/docs/https#timeouts_and_retries",
    },
    Known {
        devices: &["azure-appgw"],
        purpose: Purpose::Timeout,
        language: "sh",
        text: "az network application-gateway http-settings update --gateway-name GATEWAY --resource-group GROUP --name SETTINGS --timeout 3600",
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
        source: "http://www.squid-cache.org/Doc/config/http_upgrade_request_protocols/",
    },
];
