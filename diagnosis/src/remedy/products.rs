//! What to set or look at for products whose settings are not text to paste, or
//! that pass upgrades on by themselves, and which product a remedy is for: the one
//! found on the path, or the one that a person named (`--lb`).

use super::snippets::{Known, Purpose};
use crate::evidence::configured::described;
use crate::evidence::{Author, Evidence};
use crate::model::{Confidence, DeviceRole, Side};

/// More of [`super::snippets`]: one or no line to paste, and what to look at.
pub(super) static MORE: &[Known] = &[
    Known {
        devices: &["varnish"],
        purpose: Purpose::Forward,
        language: "vcl",
        text: "\
sub vcl_recv {
    if (req.http.upgrade ~ \"(?i)websocket\") {
        return (pipe);
    }
}

sub vcl_pipe {
    if (req.http.upgrade) {
        set bereq.http.upgrade = req.http.upgrade;
        set bereq.http.connection = req.http.connection;
    }
}",
        steps: &[
            "Varnish passes upgrades by `return (pipe)` alone, and vcl_pipe must copy both headers: bereq.http.upgrade and bereq.http.connection. One without the other reaches the server as a request that is no upgrade.",
            "Then: varnishd -C -f default.vcl >/dev/null && systemctl reload varnish",
        ],
        source: "https://varnish-cache.org/docs/7.1/users-guide/vcl-example-websockets.html",
    },
    Known {
        devices: &["varnish"],
        purpose: Purpose::Timeout,
        language: "sh",
        text: "varnishadm param.set pipe_timeout 3600",
        steps: &["And in varnishd's arguments, so that it stays: -p pipe_timeout=3600"],
        source: "https://varnish-cache.org/docs/7.1/reference/varnishd.html#pipe-timeout",
    },
    Known {
        devices: &["traefik"],
        purpose: Purpose::Forward,
        language: "text",
        text: "",
        steps: &[
            "Traefik forwards upgrades by itself; nothing switches it on. Look at the middlewares of the router that takes the WebSocket path: buffering, headers that set Connection or Upgrade, forwardAuth, plugins, rateLimit; try the router without them.",
            "Look whether that router takes the path at all (rule, entryPoints, priority), and whether the service's passHostHeader is true (the default).",
        ],
        source: "https://doc.traefik.io/traefik/user-guides/websocket/",
    },
    Known {
        devices: &["traefik"],
        purpose: Purpose::Timeout,
        language: "yaml",
        text: "\
entryPoints:
  websecure:
    transport:
      respondingTimeouts:
        readTimeout: 0
        idleTimeout: 3600s",
        steps: &[
            "Since 3.0 entryPoints.NAME.transport.respondingTimeouts.readTimeout is 60 s by default: 0 switches it off.",
        ],
        source: "https://doc.traefik.io/traefik/routing/entrypoints/#respondingtimeouts",
    },
    Known {
        devices: &["traefik"],
        purpose: Purpose::Host,
        language: "yaml",
        text: "\
http:
  services:
    bindplane:
      loadBalancer:
        passHostHeader: true
        servers:
        - url: http://bindplane.internal:3001",
        steps: &[],
        source: "https://doc.traefik.io/traefik/routing/services/#pass-host-header",
    },
    Known {
        devices: &["iis-arr"],
        purpose: Purpose::Forward,
        language: "powershell",
        text: "Install-WindowsFeature Web-WebSockets",
        steps: &[
            "IIS forwards upgrades by ARR (3.0 and later) once the feature WebSocket Protocol is installed and not switched off for the site (system.webServer/webSocket enabled). Then: iisreset",
            "Look at the URL Rewrite rule that takes the path; IIS corrupts compressed frames, so have it remove Sec-WebSocket-Extensions (server variable HTTP_SEC_WEBSOCKET_EXTENSIONS set to nothing).",
        ],
        source: "https://learn.microsoft.com/iis/get-started/whats-new-in-iis-8/iis-80-websocket-protocol-support",
    },
    Known {
        devices: &["iis-arr"],
        purpose: Purpose::Timeout,
        language: "sh",
        text: "%windir%\\system32\\inetsrv\\appcmd.exe set config -section:system.webServer/proxy /timeout:01:00:00 /commit:apphost",
        steps: &[
            "That is ARR's proxy timeout (Server Proxy Settings, Time-out), 2 minutes by default.",
        ],
        source: "https://learn.microsoft.com/iis/extensions/configuring-application-request-routing-arr/",
    },
    Known {
        devices: &["f5-bigip"],
        purpose: Purpose::Forward,
        language: "text",
        text: "tmsh modify ltm virtual VIRTUAL profiles add { websocket }",
        steps: &[
            "BIG-IP passes upgrades with an HTTP profile; with ASM or Advanced WAF, or where iRules look at frames, the virtual server needs a WebSocket profile (12.1 and later), and the policy the path as an allowed WebSocket URL.",
            "Look for an HTTP profile or iRule that removes Upgrade or Connection, and for a OneConnect profile, which is known to break upgrades.",
        ],
        source: "https://my.f5.com/manage/s/article/K14754",
    },
    Known {
        devices: &["f5-bigip"],
        purpose: Purpose::Timeout,
        language: "text",
        text: "tmsh modify ltm profile tcp TCP_PROFILE idle-timeout 3600",
        steps: &[
            "The TCP profile of the virtual server, client side and server side; 300 s by default.",
        ],
        source: "https://my.f5.com/manage/s/article/K7606",
    },
    Known {
        devices: &["kong"],
        purpose: Purpose::Forward,
        language: "text",
        text: "",
        steps: &[
            "Kong forwards upgrades by itself on routes whose protocols are http and https. Look at the plugins of the route (request-transformer, response-transformer, authentication), and whether the service's protocol is http or https.",
        ],
        source: "https://docs.konghq.com/gateway/latest/how-kong-works/routing-traffic/#proxy-websocket-traffic",
    },
    Known {
        devices: &["kong"],
        purpose: Purpose::Timeout,
        language: "sh",
        text: "curl -X PATCH http://localhost:8001/services/SERVICE -d read_timeout=3600000 -d write_timeout=3600000",
        steps: &["In milliseconds; 60000 by default."],
        source: "https://docs.konghq.com/gateway/latest/admin-api/#service-object",
    },
    Known {
        devices: &["aws-alb"],
        purpose: Purpose::Forward,
        language: "text",
        text: "",
        steps: &[
            "An Application Load Balancer forwards upgrades by itself over HTTP/1.1. Look at the target group's protocol version (HTTP1), the listener's rules for the path, and an AWS WAF that is attached.",
            "What stands behind it (an ingress controller, nginx in the container) may be the one that drops them.",
        ],
        source: "https://docs.aws.amazon.com/elasticloadbalancing/latest/application/load-balancer-listeners.html",
    },
    Known {
        devices: &["azure-appgw"],
        purpose: Purpose::Forward,
        language: "text",
        text: "",
        steps: &[
            "Application Gateway forwards upgrades by itself, and has no switch for it. Look at its WAF, at rewrite rules about Connection or Upgrade, and at what stands behind it.",
        ],
        source: "https://learn.microsoft.com/azure/application-gateway/application-gateway-websocket",
    },
    Known {
        devices: &["azure-frontdoor"],
        purpose: Purpose::Forward,
        language: "text",
        text: "",
        steps: &[
            "Front Door (Standard, Premium) forwards upgrades on routes without caching: switch caching off for the route that takes the WebSocket path. The classic tier does not.",
        ],
        source: "https://learn.microsoft.com/azure/frontdoor/standard-premium/websocket",
    },
    Known {
        devices: &["gcp-glb"],
        purpose: Purpose::Forward,
        language: "text",
        text: "",
        steps: &[
            "Google Cloud's load balancers forward upgrades by themselves over HTTP or HTTPS; the backend service's protocol must be HTTP or HTTPS, and not HTTP2. Look at Cloud Armor, and at what stands behind it.",
        ],
        source: "https://cloud.google.com/load-balancing/docs/https#websocket_support",
    },
    Known {
        devices: &["cloudflare"],
        purpose: Purpose::Forward,
        language: "text",
        text: "",
        steps: &[
            "Cloudflare: switch WebSockets on for the zone (Network, WebSockets), and look in Security, Events for a rule that acts on the path.",
            "What stands behind it gets the upgrade from Cloudflare and may be the one that drops it.",
        ],
        source: "https://developers.cloudflare.com/network/websockets/",
    },
    Known {
        devices: &["cloudfront"],
        purpose: Purpose::Forward,
        language: "text",
        text: "",
        steps: &[
            "CloudFront forwards upgrades where the behaviour's origin request policy forwards all viewer headers (AllViewer), or Sec-WebSocket-Key, -Version, -Protocol, -Accept, -Extensions by name.",
        ],
        source: "https://docs.aws.amazon.com/AmazonCloudFront/latest/DeveloperGuide/distribution-working-with.websockets.html",
    },
    Known {
        devices: &["lighttpd"],
        purpose: Purpose::Forward,
        language: "lighttpd",
        text: "\
$HTTP[\"url\"] =~ \"^/v1/\" {
    proxy.server = ( \"\" => ( ( \"host\" => \"127.0.0.1\", \"port\" => 3001 ) ) )
    proxy.header = ( \"upgrade\" => \"enable\" )
}",
        steps: &["lighttpd forwards upgrades only with proxy.header upgrade (1.4.46 and later)."],
        source: "https://redmine.lighttpd.net/projects/lighttpd/wiki/Mod_proxy",
    },
    Known {
        devices: &["h2o"],
        purpose: Purpose::Forward,
        language: "yaml",
        text: "proxy.websocket: ON",
        steps: &["In 2.3 and later: proxy.tunnel: ON"],
        source: "https://h2o.examp1e.net/configure/proxy_directives.html",
    },
    Known {
        devices: &["netscaler"],
        purpose: Purpose::Timeout,
        language: "text",
        text: "set lb vserver VSERVER -cltTimeout 3600\nset service SERVICE -svrTimeout 3600",
        steps: &[
            "The idle timeouts of the client's and of the server's side; 180 s and 360 s by default.",
        ],
        source: "https://docs.netscaler.com/en-us/citrix-adc/current-release/load-balancing/load-balancing-manage-clienttraffic/set-timeout-for-idle-client-connections.html",
    },
];

/// Products by the words with which people name them, longest first where one
/// stands in another: alias, the signature's id, the name to show.
const NAMES: &[(&str, &str, &str)] = &[
    ("ingress-nginx", "ingress-nginx", "ingress-nginx"),
    ("nginx ingress", "ingress-nginx", "ingress-nginx"),
    ("nginx-ingress", "ingress-nginx", "ingress-nginx"),
    ("openresty", "openresty", "OpenResty"),
    ("nginx", "nginx", "nginx"),
    ("haproxy", "haproxy", "HAProxy"),
    ("ha proxy", "haproxy", "HAProxy"),
    ("openshift", "openshift-router", "OpenShift's router"),
    ("traefik", "traefik", "Traefik"),
    ("caddy", "caddy", "Caddy"),
    ("varnish", "varnish", "Varnish"),
    ("lighttpd", "lighttpd", "lighttpd"),
    ("h2o", "h2o", "H2O"),
    ("nghttpx", "nghttpx", "nghttpx"),
    ("istio", "istio", "Istio"),
    ("envoy", "envoy", "Envoy"),
    ("kong", "kong", "Kong"),
    ("apache", "apache", "Apache httpd"),
    ("httpd", "apache", "Apache httpd"),
    ("application request routing", "iis-arr", "IIS with ARR"),
    ("iis", "iis-arr", "IIS with ARR"),
    ("arr", "iis-arr", "IIS with ARR"),
    ("big-ip", "f5-bigip", "F5 BIG-IP"),
    ("bigip", "f5-bigip", "F5 BIG-IP"),
    ("f5", "f5-bigip", "F5 BIG-IP"),
    ("netscaler", "netscaler", "NetScaler"),
    ("citrix", "netscaler", "NetScaler"),
    ("network load balancer", "aws-nlb", "AWS NLB"),
    ("nlb", "aws-nlb", "AWS NLB"),
    ("classic load balancer", "aws-clb", "AWS Classic Load Balancer"),
    ("clb", "aws-clb", "AWS Classic Load Balancer"),
    ("application load balancer", "aws-alb", "AWS ALB"),
    ("alb", "aws-alb", "AWS ALB"),
    ("elb", "aws-alb", "AWS ALB"),
    ("cloudfront", "cloudfront", "Amazon CloudFront"),
    ("application gateway", "azure-appgw", "Azure Application Gateway"),
    ("app gateway", "azure-appgw", "Azure Application Gateway"),
    ("appgw", "azure-appgw", "Azure Application Gateway"),
    ("front door", "azure-frontdoor", "Azure Front Door"),
    ("frontdoor", "azure-frontdoor", "Azure Front Door"),
    ("cloudflare", "cloudflare", "Cloudflare"),
    ("google cloud", "gcp-glb", "Google Cloud load balancer"),
    ("gclb", "gcp-glb", "Google Cloud load balancer"),
    ("gcp", "gcp-glb", "Google Cloud load balancer"),
    ("gke", "gcp-glb", "Google Cloud load balancer"),
    ("akamai", "akamai", "Akamai"),
    ("fastly", "fastly", "Fastly"),
    ("kemp", "kemp", "Kemp LoadMaster"),
    ("loadmaster", "kemp", "Kemp LoadMaster"),
    ("a10", "a10", "A10 Thunder"),
    ("squid", "squid-reverse", "Squid"),
    ("fortiweb", "fortiweb", "FortiWeb"),
    ("imperva", "imperva", "Imperva"),
    ("incapsula", "imperva", "Imperva"),
    ("cloudflared", "cloudflared", "Cloudflare Tunnel"),
    ("stunnel", "stunnel", "stunnel"),
    ("ngrok", "ngrok", "ngrok"),
];

/// How a product came to be the one that a remedy is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Source {
    /// It left its mark on the path.
    Found,
    /// A person named it.
    Told,
}

/// The product that a remedy is for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Product {
    /// Its signature's id; `None` where a person's word is no known product.
    pub(crate) id: Option<String>,
    /// Its name.
    pub(crate) name: String,
    /// Where that is known from.
    pub(crate) by: Source,
}

impl Product {
    /// Whether it is this one.
    pub(crate) fn is(&self, ids: &[&str]) -> bool {
        self.id.as_deref().is_some_and(|id| ids.contains(&id))
    }
}

/// The products that a person's words name.
pub(crate) fn told(text: &str) -> Option<Product> {
    let words = text.to_lowercase();
    let stands = |alias: &str| {
        words.match_indices(alias).any(|(at, _)| {
            let before = words[..at].chars().next_back();
            let after = words[at + alias.len()..].chars().next();
            let letter = |c: Option<char>| c.is_some_and(char::is_alphanumeric);
            // `HAProxy2.6`, `F5-LTM`: a digit may follow where the name has none.
            !letter(before) && !after.is_some_and(char::is_alphabetic)
        })
    };
    let known = NAMES.iter().find(|(alias, ..)| stands(alias));
    let name = text.split_whitespace().collect::<Vec<_>>().join(" ");
    (!name.is_empty()).then(|| Product {
        id: known.map(|(_, id, _)| (*id).to_owned()),
        name: known.map_or(name, |(.., shown)| (*shown).to_owned()),
        by: Source::Told,
    })
}

/// The products that may have to be changed on the server's side, the likeliest
/// first: who wrote the answer, who is known to drop upgrades or was described by files,
/// who passed it on; and at last the one that a person named.
pub(crate) fn on_the_path(e: &Evidence<'_>) -> Vec<Product> {
    let mut found: Vec<(u8, Product)> = Vec::new();
    if let Some((_, route, path)) = e.deciding() {
        let reply = route.upgrade_reply(path);
        let author = reply.and_then(|r| match &r.author {
            Author::Device { name, side: Side::Server, .. } => Some(name.clone()),
            _ => None,
        });
        let first = reply.into_iter().chain(route.replies());
        for m in first.flat_map(|r| &r.devices) {
            let known = m.signature.side != Side::Client
                && m.signature.role != DeviceRole::Origin
                && m.confidence >= Confidence::Medium;
            if !known || found.iter().any(|(_, p)| p.id.as_deref() == Some(&m.signature.id)) {
                continue;
            }
            let id = m.signature.id.as_str();
            let rank = match id {
                _ if author.as_ref() == Some(&m.signature.name) => 0,
                "varnish" => 1,
                "nginx" | "openresty" | "apache" | "lighttpd" | "h2o" | "iis-arr" | "netscaler"
                | "envoy" | "squid-reverse" => 2,
                _ => 3,
            };
            let product = Product {
                id: Some(id.to_owned()),
                name: m.signature.name.clone(),
                by: Source::Found,
            };
            found.push((rank, product));
        }
    }
    // What hides its name is known by what was given of it.
    for (id, _) in described(e) {
        let known = e.signatures.get(id).filter(|known| known.role != DeviceRole::Origin);
        if let Some(known) =
            known.filter(|_| !found.iter().any(|(_, p)| p.id.as_deref() == Some(id)))
        {
            let name = known.name.clone();
            found.push((1, Product { id: Some(id.to_owned()), name, by: Source::Found }));
        }
    }
    found.sort_by_key(|(rank, _)| *rank);
    let mut out: Vec<Product> = found.into_iter().map(|(_, product)| product).collect();
    let said = e.bundles.iter().find_map(|v| v.bundle.manifest.answers.load_balancer.as_deref());
    let named = said.and_then(told).filter(|p| !out.iter().any(|own| own.id == p.id));
    out.extend(named);
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn products_are_known_by_the_words_of_people() {
        for (text, id) in [
            ("Traefik 3.2", "traefik"),
            ("F5", "f5-bigip"),
            ("F5 BIG-IP LTM 16.1", "f5-bigip"),
            ("AWS ALB", "aws-alb"),
            ("IIS ARR", "iis-arr"),
            ("IIS 10 with Application Request Routing", "iis-arr"),
            ("Apache", "apache"),
            ("Apache/2.4.57", "apache"),
            ("Kong", "kong"),
            ("Envoy/Istio", "istio"),
            ("Caddy v2", "caddy"),
            ("Varnish 7", "varnish"),
            ("HAProxy2.6", "haproxy"),
            ("our nginx, 1.25", "nginx"),
            ("nginx ingress controller", "ingress-nginx"),
            ("GCP", "gcp-glb"),
            ("Azure Application Gateway v2", "azure-appgw"),
            ("Cloudflare", "cloudflare"),
            ("Citrix NetScaler", "netscaler"),
        ] {
            assert_eq!(told(text).unwrap().id.as_deref(), Some(id), "{text}");
        }
        // Words within words name nothing.
        for text in ["Zarrangement", "talb", "Sangfor AD"] {
            let told = told(text).unwrap();
            assert_eq!((told.id, told.name.as_str()), (None, text));
        }
        assert_eq!(told("  "), None);
    }
}
