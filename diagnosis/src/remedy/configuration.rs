//! What to write in a configuration that was given, and where.

use super::snippets::{self, Purpose};
use super::{remedy, with_found};
use crate::configuration::{Generator, Issue, Kind, Program, Reading};
use crate::evidence::Evidence;
use crate::model::Remedy;

/// What to write in a file that was given, and where.
pub(crate) fn configuration(e: &Evidence<'_>, reading: &Reading, issue: &Issue) -> Remedy {
    let program = reading.program;
    let (device, check) = match program {
        Program::Nginx => ("nginx", "nginx -t && systemctl reload nginx"),
        Program::Haproxy => ("haproxy", "haproxy -c -f FILE && systemctl reload haproxy"),
    };
    let (step, purpose) = match (issue.kind, program) {
        (Kind::UpgradeHeaders | Kind::HttpVersion, Program::Nginx) => (
            "In the block that passes the request on, write proxy_http_version and the \
             proxy_set_header lines of the snippet. A block with one proxy_set_header of its own \
             inherits none: repeat them there, or move its own further out.",
            Some(Purpose::Forward),
        ),
        (Kind::UpgradeHeaders | Kind::HttpVersion, Program::Haproxy) => (
            "Remove the line, or exempt upgrades from it: HAProxy forwards them by itself in \
             `mode http`.",
            None,
        ),
        (Kind::Timeout(_) | Kind::SendTimeout(_), _) => {
            ("Raise the timeout to 3600 s where it applies.", Some(Purpose::Timeout))
        }
        (Kind::Http2, Program::Nginx) => {
            ("Pass to the backend by proxy_pass and HTTP/1.1.", Some(Purpose::Forward))
        }
        (Kind::Http2, Program::Haproxy) => {
            ("Add `ws h1` to the server line, or leave `proto h2` and `alpn h2` out.", None)
        }
        (Kind::PathRule(_), _) => (
            "Send all of /v1/ to Bindplane, before the rule that takes it now.",
            Some(Purpose::Forward).filter(|_| program == Program::Nginx),
        ),
        (Kind::HidesGrant, Program::Nginx) => (
            "Remove the line, or take the offer away as well: proxy_set_header \
             Sec-WebSocket-Extensions \"\"; beside the other proxy_set_header lines.",
            Some(Purpose::Compression),
        ),
        (Kind::HidesGrant, Program::Haproxy) => (
            "Remove the line, or take the offer away as well: http-request del-header \
             sec-websocket-extensions.",
            Some(Purpose::Compression),
        ),
        (Kind::Host, Program::Nginx) => (
            "Pass the browser's Host on as it came, with its port: proxy_set_header Host \
             $http_host; ($host drops the port).",
            Some(Purpose::Host),
        ),
        (Kind::Host, _) => ("Pass the browser's Host on.", Some(Purpose::Host)),
        (Kind::Disk, _) => (
            "Give /v1/ a location of its own that passes requests to Bindplane, before the one that \
             serves files.",
            Some(Purpose::Forward),
        ),
        (Kind::OtherBackend, _) => (
            "Compare the name alone: hdr_dom(host) -i NAME, or hdr(host),field(1,:) -i NAME.",
            None,
        ),
        (Kind::RedirectLoop(_), _) => (
            "Let what ends TLS say so: X-Forwarded-Proto: https (HAProxy: http-request set-header \
             X-Forwarded-Proto https if { ssl_fc }; nginx: proxy_set_header X-Forwarded-Proto \
             $scheme;).",
            None,
        ),
        (Kind::Limit(_), Program::Nginx) => (
            "Leave room for a browser's handshakes: burst=20 nodelay, or no limit on the \
             WebSocket's paths.",
            None,
        ),
        (Kind::Limit(_), Program::Haproxy) => {
            ("Leave room for a browser's handshakes, or exempt the WebSocket's paths.", None)
        }
        (Kind::ProxyHeaderAwaited, _) => (
            "Make both sides alike: add send-proxy to the server line of what stands before it, or \
             take proxy_protocol (accept-proxy) away here.",
            None,
        ),
        (Kind::ProxyHeaderSent, _) => (
            "Make both sides alike: add proxy_protocol to nginx' listen (accept-proxy to HAProxy's \
             bind), or take send-proxy away here.",
            None,
        ),
        (Kind::NotChecked, Program::Nginx) => (
            "Leave max_fails at its default and proxy_next_upstream on, and ask each server by \
             itself (--resolve HOST:PORT:ADDRESS) whether it carries WebSocket.",
            None,
        ),
        (Kind::NotChecked, Program::Haproxy) => (
            "Check every server on a path of Bindplane's: option httpchk GET /health, and `check` on \
             each server line; ask each by itself (--resolve HOST:PORT:ADDRESS) whether it carries \
             WebSocket.",
            None,
        ),
        (Kind::Reload(_), _) => {
            ("Raise it to hours, or leave it out: then connections outlive a reload.", None)
        }
        (Kind::Subrequest, _) => (
            "In that location, write proxy_set_header Upgrade \"\"; and proxy_set_header Connection \
             \"\"; the load balancer's error log names the subrequest.",
            None,
        ),
    };
    let switch = switch(reading.generator, issue.kind);
    let steps =
        [format!("{}: `{}`. {step}{switch}", issue.place, issue.line), format!("Then: {check}")];
    let base = remedy(e, &format!("Change {}", issue.place), &steps);
    with_found(base, purpose.and_then(|purpose| snippets::of(device, purpose)))
}

/// Where the program that wrote the file has a switch for it: what is edited by
/// hand there is overwritten.
fn switch(generator: Option<Generator>, kind: Kind) -> &'static str {
    let headers = matches!(kind, Kind::UpgradeHeaders | Kind::HttpVersion);
    let times = matches!(kind, Kind::Timeout(_) | Kind::SendTimeout(_));
    match generator {
        Some(Generator::NginxProxyManager) if headers => {
            " In Nginx Proxy Manager: switch on `Websockets Support` of the proxy host."
        }
        Some(Generator::NginxProxyManager) => {
            " In Nginx Proxy Manager: the proxy host's tab `Advanced` takes such lines."
        }
        Some(Generator::IngressNginx) if times => {
            " In Kubernetes: the Ingress' annotations nginx.ingress.kubernetes.io/proxy-read-timeout \
             and proxy-send-timeout, \"3600\"; the file itself is written anew."
        }
        Some(Generator::IngressNginx) => {
            " In Kubernetes: an annotation nginx.ingress.kubernetes.io/… of the Ingress, or the \
             controller's ConfigMap; the file itself is written anew."
        }
        Some(Generator::BtPanel) => {
            " In the panel: the website's `Reverse proxy` (its own file) or `Config`; both may be \
             written anew."
        }
        Some(Generator::Plesk) => {
            " In Plesk: `Apache & nginx Settings`, `Additional nginx directives`; the file itself is \
             written anew."
        }
        Some(Generator::Firewall) => {
            " The file is written by the firewall's HAProxy package: set it in its interface."
        }
        None => "",
    }
}
