//! What to do about each cause, for the device where it is known.
//!
//! Sources: the troubleshooting page, corrected where it is wrong (it names a
//! toggle that Azure Application Gateway does not have, and an HTTP/2 listener
//! that ALB does not have), the products' manuals, and measurements on real
//! servers. Every remedy ends with the command that shows whether it worked.

pub mod snippets;

use crate::configuration::{Issue, Kind, Program};
use crate::evidence::{Evidence, Meaning, RouteView};
use crate::model::{Cause, Remedy, Snippet};
use crate::rule::run_again;
use snippets::Purpose;
use wss_bundle::FailureKind;
use wss_bundle::observation::Distrust;
use wss_bundle::transcript::quote;

fn remedy(e: &Evidence<'_>, title: &str, steps: &[String]) -> Remedy {
    Remedy { title: title.into(), steps: steps.to_vec(), snippet: None, verify: run_again(e, "") }
}

fn with_snippet(mut remedy: Remedy, language: &str, text: impl Into<String>) -> Remedy {
    remedy.snippet = Some(Snippet { language: language.into(), text: text.into() });
    remedy
}

fn target(e: &Evidence<'_>) -> (String, u16, Vec<String>) {
    e.focus().map_or_else(
        || ("bindplane.example.com".into(), 443, vec!["/v1/ws".into()]),
        |f| {
            let t = &f.bundle.manifest.target;
            (t.host.clone(), t.port, t.paths.clone())
        },
    )
}

/// The request to hand to whoever runs the proxy or firewall.
fn request(e: &Evidence<'_>) -> String {
    let (host, port, paths) = target(e);
    format!(
        "Please allow WebSocket (wss://) for the Bindplane console:\n\
         - host {host}, TCP port {port}\n\
         - paths {}\n\
         - HTTP/1.1 requests with the headers `Connection: Upgrade` and `Upgrade: websocket` \
         (RFC 6455) must be forwarded with these headers, and the answer 101 passed back\n\
         - no TLS inspection for this host, or an inspection that forwards upgrades\n\
         - connections stay open: idle timeout and lifetime of at least 3600 seconds\n\
         Bindplane has no long-poll or server-sent-events fallback: without WebSocket the console \
         does not update.",
        paths.join(", ")
    )
}

pub(crate) fn network_team(e: &Evidence<'_>, title: &str) -> Remedy {
    with_snippet(
        remedy(
            e,
            title,
            &["Hand this request to the team that runs the proxy or firewall.".into()],
        ),
        "text",
        request(e),
    )
}

pub(crate) fn dns(e: &Evidence<'_>) -> Remedy {
    let (host, ..) = target(e);
    remedy(
        e,
        "Correct the DNS record",
        &[
            format!("Check that {host} is spelled as in the browser's address bar."),
            format!(
                "Ask whoever runs DNS inside for the record of {host}; compare: nslookup {host}"
            ),
        ],
    )
}

pub(crate) fn proxy_setting(e: &Evidence<'_>, source: &str) -> Remedy {
    remedy(
        e,
        "Correct the proxy setting",
        &[
            format!("The setting comes from: {source}. Check host and port with the network team."),
            "If the proxy is right, it is down or blocked from here: hand them the time and the \
             failure above."
                .into(),
        ],
    )
}

pub(crate) fn use_the_proxy(e: &Evidence<'_>, route: &RouteView<'_>) -> Remedy {
    let (host, ..) = target(e);
    remedy(
        e,
        "Let clients use the proxy for this host",
        &[
            format!(
                "Remove {host} (and suffixes that match it) from no_proxy, the PAC file's \
                     DIRECT rules, or the policy's bypass list."
            ),
            format!("Browsers then follow the {}.", route.route.id),
        ],
    )
}

pub(crate) fn open_the_port(e: &Evidence<'_>) -> Remedy {
    let (host, port, _) = target(e);
    let mut r = network_team(e, "Open the way to the target");
    r.steps = vec![
        format!(
            "Check that {host}:{port} is the address the browser uses; Bindplane itself \
                 listens on 3001, a load balancer usually on 443."
        ),
        "If it is, hand this request to the team that runs the firewall.".into(),
    ];
    r
}

pub(crate) fn proxy_credentials(e: &Evidence<'_>, schemes: &[String]) -> Remedy {
    let only_integrated = !schemes.is_empty()
        && schemes
            .iter()
            .all(|s| s.eq_ignore_ascii_case("negotiate") || s.eq_ignore_ascii_case("ntlm"));
    let mut steps = vec![if only_integrated {
        "The proxy takes integrated Windows authentication only (Negotiate, NTLM): a browser \
         answers that by itself. Try it from a browser here (--browser), or ask for an exemption \
         of this host."
            .to_owned()
    } else {
        "Give the credentials: wss-collector --proxy http://USER:PASSWORD@PROXY:PORT … (they are \
         never stored)."
            .to_owned()
    }];
    steps.push(
        "Or have this host exempted from authentication: hand over the request below.".into(),
    );
    let mut r = network_team(e, "Give the proxy credentials, or exempt the host");
    r.steps = steps;
    r
}

pub(crate) fn tls_handshake(e: &Evidence<'_>, kind: FailureKind) -> Remedy {
    let (host, port, _) = target(e);
    let steps = match kind {
        FailureKind::TlsNotTls => vec![format!(
            "Port {port} speaks plain text. If that is meant, use http://{host}:{port}; \
                     otherwise use the TLS port, or configure TLS on it."
        )],
        FailureKind::TlsClientCertificateRequired => vec![
            "Give the client certificate: wss-collector --cert CLIENT.pem --key CLIENT.key …"
                .into(),
        ],
        FailureKind::ConnectionReset | FailureKind::Eof | FailureKind::TimedOut => vec![format!(
            "Ask the network team whether a firewall filters TLS to {host} by server name."
        )],
        _ => vec![
            "The two sides have no TLS version or cipher in common: Bindplane may be set to TLS \
             1.3 alone (BINDPLANE_TLS_MIN_VERSION)."
                .into(),
        ],
    };
    let mut r = remedy(e, "Let the TLS handshake through", &steps);
    let (to, name) = (quote(&format!("{host}:{port}")), quote(&host));
    r.verify = format!("openssl s_client -connect {to} -servername {name} </dev/null");
    r
}

pub(crate) fn interception(e: &Evidence<'_>, who: &str) -> Remedy {
    let mut r = network_team(e, "Exempt the host from TLS inspection");
    r.steps = vec![
        format!("Best: have {who} bypass inspection for this host; hand over the request below."),
        "Otherwise: install the inspection's root certificate on this machine (the browser may \
         have it already, this program takes it with --cacert), and make sure that the inspection \
         forwards WebSocket upgrades."
            .into(),
    ];
    r
}

pub(crate) fn certificate(e: &Evidence<'_>, reason: Distrust) -> Remedy {
    let step = match reason {
        Distrust::Expired => "Renew the certificate on the load balancer or server.",
        Distrust::WrongName => {
            "Issue a certificate whose subjectAltName has the name that is used, or use the name \
             that it has."
        }
        Distrust::NotYetValid => "Check this machine's clock, then the certificate's dates.",
        _ => {
            "Install a certificate of a known authority with its full chain; or install the \
             private authority's root on the clients (test with --cacert ROOT.pem)."
        }
    };
    remedy(e, "Repair the certificate", &[step.into()])
}

pub(crate) fn credentials(e: &Evidence<'_>) -> Remedy {
    let mut r = remedy(
        e,
        "Run it again with credentials",
        &[
            "Give a user with -u, or the browser's session cookie with -H; neither is stored."
                .into(),
            "Or take the handshake's status from DevTools (Network, WS) in a logged-in browser."
                .into(),
        ],
    );
    r.verify = run_again(e, "-u USER:PASSWORD");
    r
}

pub(crate) fn use_https(e: &Evidence<'_>) -> Remedy {
    let (host, port, _) = target(e);
    let mut r = remedy(
        e,
        "Use the https:// (wss://) address",
        &[format!("Open https://{host}:{port}, and correct links that lead to http://.")],
    );
    r.verify = format!("wss-collector {}", quote(&format!("https://{host}:{port}")));
    r
}

pub(crate) fn redirect(e: &Evidence<'_>, to_https: bool) -> Remedy {
    let steps = if to_https {
        vec!["Use the https:// (wss://) address.".to_owned()]
    } else {
        vec![
            "If a sign-on proxy stands before Bindplane, exempt the WebSocket paths from its \
             redirect, or sign in again: the session may have expired."
                .into(),
            "If the host has moved, use its final address.".into(),
        ]
    };
    remedy(e, "Answer the upgrade instead of redirecting it", &steps)
}

pub(crate) fn right_path(e: &Evidence<'_>) -> Remedy {
    let mut r = remedy(
        e,
        "Use the path that the browser uses",
        &[
            "Open the console, press F12, Network, WS, reload: the request's URL ends in the path."
                .into(),
            "If that is one of the paths tried here, a load balancer's path rule does not send it \
             to Bindplane: send all of /v1/ there."
                .into(),
        ],
    );
    r.verify = run_again(e, "--path PATH");
    r
}

pub(crate) fn proxy_websocket(e: &Evidence<'_>) -> Remedy {
    let device =
        e.deciding().and_then(|(_, route, path)| route.upgrade_reply(path)).and_then(|r| {
            r.devices.iter().map(|m| m.signature.id.clone()).find(|id| id.starts_with("squid"))
        });
    let (host, ..) = target(e);
    let mut r = network_team(e, "Let WebSocket through, or bypass inspection for this host");
    if device.is_some() {
        r.steps = vec![
            "Squid drops Upgrade unless it is allowed. Either do not open TLS for this host \
             (splice), or allow the upgrade; then: squid -k reconfigure"
                .into(),
            "For the network team, in words: host, port 443, `Upgrade: websocket` forwarded, \
             timeout 3600 s, no fallback exists."
                .into(),
        ];
        if let Some(found) = snippets::of("squid", Purpose::Forward) {
            r.steps.push(format!("Source: {}", found.source));
            let text = found.text.replace("bindplane.example.com", &host);
            r = with_snippet(r, found.language, text);
        }
    }
    r
}

pub(crate) fn forward_upgrade(e: &Evidence<'_>, device: Option<&str>) -> Remedy {
    let check = match device {
        Some("nginx" | "openresty") => "then: nginx -t && systemctl reload nginx",
        Some("haproxy") => {
            "HAProxy forwards upgrades by itself in `mode http`: look for http-request del-header \
             of Upgrade or Connection; then: haproxy -c -f haproxy.cfg && systemctl reload haproxy"
        }
        Some("apache") => "then: apachectl configtest && systemctl reload apache2",
        _ => "on every hop that ends HTTP between the browser and Bindplane",
    };
    let base = remedy(
        e,
        "Forward the upgrade headers to Bindplane",
        &[
            format!(
                "Forward `Upgrade` and `Connection` to Bindplane over HTTP/1.1, and keep the \
                 connection open for 3600 s; {check}."
            ),
            "In nginx, a proxy_set_header in a nested location loses all those of the level above: \
             look at the location that matches the WebSocket path."
                .into(),
        ],
    );
    let found = match device {
        None => snippets::of("nginx", Purpose::Forward),
        Some(device) => snippets::of(device, Purpose::Forward),
    };
    with_found(base, found)
}

fn with_found(mut remedy: Remedy, found: Option<&snippets::Known>) -> Remedy {
    if let Some(found) = found {
        remedy.steps.push(format!("Source: {}", found.source));
        remedy = with_snippet(remedy, found.language, found.text);
    }
    remedy
}

pub(crate) fn http2(e: &Evidence<'_>) -> Remedy {
    remedy(
        e,
        "Speak HTTP/1.1 where WebSocket passes",
        &[
            "AWS ALB: set the target group's protocol version to HTTP1 (the listener is not the \
             matter: browsers open a separate HTTP/1.1 connection)."
                .into(),
            "HAProxy: `ws h1` on the server line, or `alpn http/1.1`.".into(),
            "Envoy: leave `allow_connect` off unless the backend speaks RFC 8441; a front end must \
             offer `http/1.1` by ALPN."
                .into(),
        ],
    )
}

pub(crate) fn gateway(e: &Evidence<'_>, cause: Cause) -> Remedy {
    let steps: Vec<String> = match cause {
        Cause::NoHealthyBackend => vec![
            "Check that Bindplane runs and that the health check asks for GET /health, which \
             answers 200 without credentials, on port 3001."
                .into(),
        ],
        Cause::GatewayTimeout => vec![
            "Check on the load balancer that Bindplane answers the upgrade: send the same request \
             from there to port 3001."
                .into(),
            "A firewall between load balancer and Bindplane that drops packets looks the same."
                .into(),
        ],
        _ => vec![
            "Check on the load balancer that Bindplane's address, port 3001 and scheme (http or \
             https) are right, and that it listens on more than 127.0.0.1."
                .into(),
            "Look in the load balancer's error log at the time of the test.".into(),
        ],
    };
    remedy(e, "Repair the way from load balancer to Bindplane", &steps)
}

pub(crate) fn transparent_upgrade(e: &Evidence<'_>) -> Remedy {
    let mut r = network_team(e, "Pass the upgrade and its frames through unchanged");
    r.steps = vec![
        "Something on the path answers or wraps the handshake itself: a web application firewall, \
         an HTTP/2 bridge, or a proxy. Have it pass the connection through after the 101."
            .into(),
        "IIS with ARR: remove the request's Sec-WebSocket-Extensions header; F5: add a WebSocket \
         profile."
            .into(),
    ];
    r
}

pub(crate) fn origin(e: &Evidence<'_>, device: Option<&str>) -> Remedy {
    let r = remedy(
        e,
        "Pass the browser's Host header on",
        &["The load balancer must send Bindplane the Host that the browser used (nginx: \
           proxy_set_header Host $http_host; Apache: ProxyPreserveHost On), or Bindplane must \
           allow the origin (BINDPLANE_CORS_ALLOWED_ORIGINS)."
            .into()],
    );
    with_found(r, device.and_then(|device| snippets::of(device, Purpose::Host)))
}

/// For a browser that fails alone (the page: "check browser extensions or
/// per-browser proxy settings").
pub(crate) fn browser(e: &Evidence<'_>, why: Option<Meaning>) -> Remedy {
    let extensions = "Open the console in a private window with extensions off (chrome://extensions, \
                      edge://extensions, about:addons). When it works there, switch them on one by \
                      one: ad blockers, privacy and security extensions intercept WebSocket.";
    let proxy = "Compare the browser's own proxy settings with the machine's (Firefox: Settings, \
                 Network Settings; Chrome and Edge: extensions and policies may set a proxy).";
    let policy = "Look for a policy that blocks the host or WebSocket (chrome://policy, \
                  edge://policy, about:policies): URLBlocklist, ProxySettings, WebsiteFilter.";
    let trust = "The browser's trust store is not the machine's: Firefox has its own (import the \
                 authority, or set security.enterprise_roots.enabled), Chrome its own roots and \
                 those of the machine.";
    let other = "Try another browser on the same machine: wss-collector --browser=PATH does it.";
    let steps: Vec<&str> = match why {
        Some(Meaning::Untrusted) => vec![trust, policy, other],
        Some(Meaning::Policy) => vec![policy, other],
        Some(Meaning::Extension) => vec![extensions, other],
        _ => vec![extensions, proxy, policy, other],
    };
    let steps: Vec<String> = steps.into_iter().map(str::to_owned).collect();
    Remedy {
        verify: run_again(e, "--browser"),
        ..remedy(e, "Look at the browser: extensions, proxy settings, policies", &steps)
    }
}

pub(crate) fn timeout(e: &Evidence<'_>, seconds: f64) -> Remedy {
    let device = e.deciding().and_then(|(_, route, path)| {
        route.upgrade_reply(path).and_then(|r| r.devices.first().map(|m| m.signature.id.clone()))
    });
    let mut r = remedy(
        e,
        "Raise the timeout to 3600 s",
        &[
            "On every hop between browser and Bindplane: nginx proxy_read_timeout and \
             proxy_send_timeout; HAProxy timeout tunnel; AWS ALB idle timeout; GCP backend service \
             timeout (a lifetime); Azure Application Gateway request timeout; Envoy \
             stream_idle_timeout; Squid read_timeout; Kubernetes ingress-nginx annotations \
             nginx.ingress.kubernetes.io/proxy-read-timeout and proxy-send-timeout."
                .into(),
            "If one hop is at 3600 s already, it is another one.".into(),
        ],
    );
    // Held a little beyond the cut, the same run shows whether it is gone.
    let hold = (seconds * 1.5).ceil().max(75.0);
    r.verify = run_again(e, &format!("--hold {hold:.0}s"));
    with_found(r, device.and_then(|device| snippets::of(&device, Purpose::Timeout)))
}

/// What to write in a file that was given, and where.
pub(crate) fn configuration(e: &Evidence<'_>, program: Program, issue: &Issue) -> Remedy {
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
        (Kind::Host, _) => ("Pass the browser's Host on.", Some(Purpose::Host)),
    };
    let steps = [format!("{}: `{}`. {step}", issue.place, issue.line), format!("Then: {check}")];
    let base = remedy(e, &format!("Change {}", issue.place), &steps);
    with_found(base, purpose.and_then(|purpose| snippets::of(device, purpose)))
}
