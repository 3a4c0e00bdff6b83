//! The upgrade and the socket: what proxies and load balancers must be told.

use super::snippets::{self, Purpose};
use super::{bypass, network_team, products, remedy, request, target, with_found, with_snippet};
use crate::evidence::{Evidence, Meaning};
use crate::model::NextStep;
use crate::model::{Location, Remedy};
use crate::suggest::run_again;
use wss_bundle::transcript::quote;

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
    r.verify = run_again(e, NextStep::Credentials, "-u USER:PASSWORD").command;
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

pub(crate) fn right_path(e: &Evidence<'_>) -> Remedy {
    let mut r = remedy(
        e,
        "Use the path that the browser uses",
        &[
            "Open the console, then the developer tools (F12; Option-Command-I on a Mac), Network, WS, reload: the request's URL ends in the path."
                .into(),
            "If that is one of the paths tried here, a load balancer's path rule does not send it \
             to Bindplane: send all of /v1/ there."
                .into(),
        ],
    );
    r.verify = run_again(e, NextStep::Path, "--path PATH").command;
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
            format!(
                "For the network team, in words: {}",
                request(e).replace("\n- ", " - ").replace('\n', " ")
            ),
        ];
        if let Some(found) = snippets::of("squid", Purpose::Forward) {
            r.known_from(found.source);
            let text = found.text.replace("bindplane.example.com", &host);
            r = with_snippet(r, found.language, text);
        }
    }
    bypass::add(&mut r, e, &host);
    r
}

pub(crate) fn http2(e: &Evidence<'_>) -> Remedy {
    let device = e.deciding().and_then(|(_, route, path)| {
        let devices = &route.upgrade_reply(path)?.devices;
        devices
            .iter()
            .map(|m| m.signature.id.clone())
            .find(|id| snippets::of(id, Purpose::Http1).is_some())
    });
    let base = remedy(
        e,
        "Speak HTTP/1.1 where WebSocket passes",
        &[
            "AWS ALB: the target group's protocol version must be HTTP1 (the listener is not the \
             matter: browsers open a separate HTTP/1.1 connection)."
                .into(),
            "HAProxy: `ws h1` on the server line, or `alpn http/1.1`.".into(),
            "Envoy: leave `allow_connect` off unless the backend speaks RFC 8441; a front end must \
             offer `http/1.1` by ALPN."
                .into(),
        ],
    );
    with_found(base, device.and_then(|device| snippets::of(&device, Purpose::Http1)))
}

/// The handshake's answer is not what the server made of it.
pub(crate) fn transparent_upgrade(e: &Evidence<'_>, whose: Location) -> Remedy {
    let title = "Pass the upgrade and its frames through unchanged";
    let steps = [
        "Something on the path answers or wraps the handshake itself: a web application firewall, \
         an HTTP/2 bridge, or a proxy. Have it pass the connection through after the 101."
            .to_owned(),
        "IIS with ARR: remove the request's Sec-WebSocket-Extensions header; F5: add a WebSocket \
         profile."
            .to_owned(),
    ];
    if whose == Location::ServerSide {
        return remedy(e, title, &steps);
    }
    let mut r = network_team(e, title);
    r.steps = steps.to_vec();
    r
}

/// Without an offer nothing is compressed: the least that has to be changed.
pub(crate) fn compression(e: &Evidence<'_>, device: Option<&str>, whose: Location) -> Remedy {
    let title = "Let compressed frames through, or take the offer of compression away";
    let steps = [
        "At the hop that does it: pass Sec-WebSocket-Extensions on as it is, in requests and in \
         answers, and let frames through untouched after the 101."
            .to_owned(),
        "Where that cannot be had, remove Sec-WebSocket-Extensions from requests there: then nothing \
         is compressed, and the console works. IIS with ARR: a rule that sets \
         HTTP_SEC_WEBSOCKET_EXTENSIONS to nothing."
            .to_owned(),
    ];
    if whose == Location::ClientNetwork {
        let mut r = network_team(e, title);
        r.steps.extend(steps);
        return r;
    }
    let r = remedy(e, title, &steps);
    with_found(r, device.and_then(|device| snippets::of(device, Purpose::Compression)))
}

/// A filter that tells browsers from other programs.
pub(crate) fn as_browsers(e: &Evidence<'_>, whose: Location) -> Remedy {
    let title = "Let the handshake through as browsers send it";
    let step = "Look for a rule about the headers Origin or Sec-WebSocket-Protocol (a web application \
                firewall, an access list, a limit) at whoever ends the connection, and exempt \
                Bindplane's host from it.";
    if whose == Location::ClientNetwork {
        let mut r = network_team(e, title);
        r.steps.push(step.into());
        return r;
    }
    remedy(e, title, &[step.into()])
}

pub(crate) fn browsers_name(e: &Evidence<'_>, whose: Location) -> Remedy {
    let title = "Let handshakes in a browser's name pass";
    let step = "Look for a rule about the header User-Agent at whoever ends the connection (nginx: map \
                or if on $http_user_agent; HAProxy: req.hdr(user-agent); Apache: RewriteCond \
                %{HTTP_USER_AGENT}; a firewall's rule against bots or old browsers), and exempt the \
                console's paths from it.";
    if whose == Location::ClientNetwork {
        let mut r = network_team(e, title);
        r.steps.push(step.into());
        return r;
    }
    remedy(e, title, &[step.into()])
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
    let product = products::on_the_path(e).into_iter().find_map(|p| p.id);
    let device = device.or(product.as_deref());
    with_found(r, device.and_then(|device| snippets::of(device, Purpose::Host)))
}

pub(crate) fn timeout(e: &Evidence<'_>, seconds: f64) -> Remedy {
    let device = e.deciding().and_then(|(_, route, path)| {
        route.upgrade_reply(path).and_then(|r| r.devices.first().map(|m| m.signature.id.clone()))
    });
    let device = device.or_else(|| products::on_the_path(e).into_iter().find_map(|p| p.id));
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
    r.verify = run_again(e, NextStep::LongerHold, &format!("--hold {hold:.0}s")).command;
    with_found(r, device.and_then(|device| snippets::of(&device, Purpose::Timeout)))
}

/// A hop that forgets connections without a word.
pub(crate) fn forgotten(e: &Evidence<'_>, seconds: f64) -> Remedy {
    let mut r = timeout(e, seconds);
    r.steps.insert(
        0,
        "Look first at what keeps track of connections and says nothing when it forgets one: \
         firewalls and NAT (the session timeout of established TCP connections), AWS Network Load \
         Balancer (350 s, configurable) and NAT gateway, Azure Load Balancer (4 minutes; TCP reset on \
         idle can be switched on), GCP's firewall (10 minutes). Raise it, or let servers send TCP \
         keepalives more often than that."
            .into(),
    );
    r
}

/// Several servers behind one address, one of which is not like the others.
pub(crate) fn bad_node(e: &Evidence<'_>, device: Option<&str>) -> Remedy {
    let (host, port, _) = target(e);
    let path = e.focus().map_or("/v1/ws", |focus| focus.path);
    let each = format!(
        "Ask each server by itself, past the load balancer: run the collector with --resolve \
         {host}:{port}:ADDRESS-OF-THE-NODE for each address, or send the upgrade from the load \
         balancer to each node's own address and port. The one that does not answer 101 is it: \
         compare its version, configuration and log with the others'."
    );
    let check = format!(
        "have it ask for what the console needs ({path} with upgrade headers answers 101; /health answers 200)"
    );
    let known = match device {
        Some("haproxy" | "openshift-router") => format!(
            "HAProxy: `check` on each server line, with `option httpchk` and `http-check send`: {check}. \
             Without `check` a dead server stays in the rotation; `show servers state` on the stats \
             socket tells which is which."
        ),
        Some("nginx" | "openresty" | "ingress-nginx" | "nginx-ingress") => "nginx asks nobody by itself: leave max_fails at 1 or more (0 keeps a \
             dead server in the rotation) and proxy_next_upstream on, or mark the server `down` until \
             it is mended. The upstream's address in error.log, or $upstream_addr in the access log, \
             tells which it is."
            .to_owned(),
        Some("envoy") => format!("Envoy: health_checks or outlier_detection for the cluster; {check}."),
        Some("apache") => "Apache: ProxyHCExpr and hcmethod on each BalancerMember (mod_proxy_hcheck); the \
             balancer-manager shows which member is in error."
            .to_owned(),
        _ => format!("Then its health check: {check}; a node that fails it must leave the rotation."),
    };
    let mut r =
        remedy(e, "Find the node that differs, and take it out of the rotation", &[each, known]);
    r.verify = run_again(
        e,
        NextStep::Again,
        &format!("--resolve {}", quote(&format!("{host}:{port}:ADDRESS-OF-THE-NODE"))),
    )
    .command;
    r
}

/// A limit that refuses what a browser does.
pub(crate) fn limit(e: &Evidence<'_>) -> Remedy {
    remedy(
        e,
        "Raise the limit for the WebSocket paths",
        &[
            "At whoever refuses: nginx limit_req (with burst= and nodelay) and limit_conn in the \
             location of the WebSocket paths; HAProxy http-request deny or tcp-request reject by a \
             stick-table; Envoy local_rate_limit; Traefik rateLimit; a cloud's or WAF's rate rule."
                .into(),
            "Where many people come from one address (NAT, a proxy before the load balancer), count \
             by something else: the forwarded address, a cookie, a user."
                .into(),
        ],
    )
}

/// Something ended all connections at once.
pub(crate) fn event(e: &Evidence<'_>) -> Remedy {
    let mut r = remedy(
        e,
        "Find out what happened in that moment",
        &[
            "Look in the logs of every load balancer and of Bindplane at the time of the test: a \
             reload, a restart, a deployment, a failover."
                .into(),
            "Where reloads are frequent, let old processes keep their WebSockets: nginx without \
             worker_shutdown_timeout, or a long one; HAProxy with a longer hard-stop-after; \
             Kubernetes with a longer terminationGracePeriodSeconds."
                .into(),
        ],
    );
    r.verify = run_again(e, NextStep::LongerHold, "--hold 75s").command;
    r
}

/// For a condition that wants a header to be one word alone.
pub(crate) fn whole_header(e: &Evidence<'_>, name: &str, value: &str) -> Remedy {
    let steps = [
        format!(
            "Look for the condition on {name} (Apache: RewriteCond %{{HTTP:{name}}}; nginx: if or map on \
             $http_{}; HAProxy: an acl on hdr({name})), and let it match the word and not the whole header.",
            name.to_ascii_lowercase()
        ),
        format!(
            "Apache: RewriteCond %{{HTTP:{name}}} {} [NC], without ^ and $. nginx: ~*{1} in place of {1}. \
             HAProxy: hdr({name}) -i {1}, which compares each word of the list.",
            value.rsplit(',').next().unwrap_or(value).trim().to_ascii_lowercase(),
            value.rsplit(',').next().unwrap_or(value).trim().to_ascii_lowercase(),
        ),
        "Or leave the condition on Connection out: the one on Upgrade is enough.".to_owned(),
    ];
    remedy(e, "Match the word in the header, and not the whole header", &steps)
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
        Some(Meaning::Port) => vec![
            "Serve the console on a port that browsers allow (443, or one that is not on the list of \
             unsafe ports in the Fetch standard); a policy may allow one (ExplicitlyAllowedNetworkPorts; \
             Firefox: network.security.ports.banned.override).",
        ],
        Some(Meaning::LocalNetwork) => vec![
            "Allow local-network access for the console's site (Chrome and Edge: the icon before the \
             address, Site settings, Local network access), or for all by policy \
             (LocalNetworkAccessAllowedForUrls).",
            "Or let page and WebSocket both have private addresses, or both public ones (split DNS).",
        ],
        _ => vec![extensions, proxy, policy, other],
    };
    let steps: Vec<String> = steps.into_iter().map(str::to_owned).collect();
    Remedy {
        verify: run_again(e, NextStep::Browser, "--browser").command,
        ..remedy(e, "Look at the browser: extensions, proxy settings, policies", &steps)
    }
}
