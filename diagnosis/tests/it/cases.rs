use crate::fixture::*;
use wss_bundle::observation::EndedBy;
use wss_bundle::observation::probe::PATH_TWIN;
use wss_bundle::{Bundle, FailureKind};
use wss_diagnosis::{Confidence, diagnose};

/// What an expert would say: status, cause, location, and at least how sure.
pub(crate) struct Case {
    pub(crate) name: &'static str,
    pub(crate) bundles: Vec<Bundle>,
    pub(crate) expect: (&'static str, &'static str, &'static str, Confidence),
}

const NGINX: &str = "Server: nginx/1.22.1\r\n";
const NGINX_502: &str = "HTTP/1.1 502 Bad Gateway\r\nServer: nginx/1.22.1\r\nDate: x\r\nContent-Type: text/html\r\nContent-Length: 157\r\nConnection: keep-alive\r\n\r\n";
const NGINX_502_BODY: &str = "<html>\r\n<head><title>502 Bad Gateway</title></head>\r\n<body>\r\n<center><h1>502 Bad Gateway</h1></center>\r\n<hr><center>nginx/1.22.1</center>\r\n</body>\r\n</html>\r\n";
const NGINX_504: &str =
    "HTTP/1.1 504 Gateway Time-out\r\nServer: nginx/1.22.1\r\nContent-Type: text/html\r\n\r\n";
const NGINX_504_BODY: &str = "<html>\r\n<head><title>504 Gateway Time-out</title></head>\r\n<body>\r\n<center><h1>504 Gateway Time-out</h1></center>\r\n<hr><center>nginx/1.22.1</center>\r\n</body>\r\n</html>\r\n";
const HAPROXY_503: &str = "HTTP/1.1 503 Service Unavailable\r\ncontent-length: 107\r\ncache-control: no-cache\r\ncontent-type: text/html\r\nconnection: close\r\n\r\n";
const HAPROXY_503_BODY: &str = "<html><body><h1>503 Service Unavailable</h1>\nNo server is available to handle this request.\n</body></html>\n";
const UNAUTHORIZED: &str =
    "HTTP/1.1 401 Unauthorized\r\nVary: Origin\r\nDate: x\r\nContent-Length: 0\r\n\r\n";
pub(crate) const SHELL_OK: &str =
    "HTTP/1.1 200 OK\r\nContent-Type: text/html; charset=utf-8\r\nVary: Origin\r\n\r\n";
const SQUID_407: &str = "HTTP/1.1 407 Proxy Authentication Required\r\nServer: squid/5.7\r\nMime-Version: 1.0\r\nContent-Type: text/html;charset=utf-8\r\nX-Squid-Error: ERR_CACHE_ACCESS_DENIED 0\r\nProxy-Authenticate: Basic realm=\"Corp\"\r\n\r\n";
const SQUID_403: &str = "HTTP/1.1 403 Forbidden\r\nServer: squid/5.7\r\nMime-Version: 1.0\r\nX-Squid-Error: ERR_ACCESS_DENIED 0\r\n\r\n";
const ENVOY_403: &str =
    "HTTP/1.1 403 Forbidden\r\ndate: x\r\nserver: envoy\r\ncontent-length: 0\r\n\r\n";

/// The agents' path of a server without a key for it.
pub(crate) fn opamp(route: OnRoute, leaf: &Leaf) -> OnRoute {
    route.upgrade(OPAMP, leaf, UNAUTHORIZED, "").plain(OPAMP, leaf, UNAUTHORIZED, "")
}

/// Everything works on this route.
pub(crate) fn healthy(route: OnRoute, leaf: &Leaf) -> OnRoute {
    let route = route.resolved("203.0.113.10").works(WS, leaf).plain(WS, leaf, STRIPPED, BAD);
    let route = route.upgrade(GRAPHQL, leaf, SHELL_OK, SHELL).plain(GRAPHQL, leaf, SHELL_OK, SHELL);
    opamp(route, leaf).pages(leaf, "")
}

/// Upgrade and plain twin get the same answer from the origin.
pub(crate) fn stripped(route: OnRoute, leaf: &Leaf, head: &str, server: &str) -> OnRoute {
    stripped_at("203.0.113.10", route, leaf, head, server)
}

pub(crate) fn stripped_at(
    address: &str,
    route: OnRoute,
    leaf: &Leaf,
    head: &str,
    server: &str,
) -> OnRoute {
    route
        .resolved(address)
        .upgrade(WS, leaf, head, BAD)
        .browser(WS, leaf, head, BAD)
        .plain(WS, leaf, head, BAD)
        .upgrade(GRAPHQL, leaf, SHELL_OK, SHELL)
        .upgrade(OPAMP, leaf, UNAUTHORIZED, "")
        .pages(leaf, server)
}

/// The same answer to everything.
fn all(route: OnRoute, leaf: &Leaf, head: &str, body: &str) -> OnRoute {
    let mut route = route.resolved("203.0.113.10");
    for path in [WS, GRAPHQL, OPAMP] {
        route = route.upgrade(path, leaf, head, body).plain(path, leaf, head, body);
        route = route.browser(path, leaf, head, body);
    }
    for page in ["/health", "/js/_globals.js", "/"] {
        route = route.page(page, leaf, head, body);
    }
    route
}

/// The upgrade gets this, and pages are Bindplane's.
fn upgrade_alone(route: OnRoute, leaf: &Leaf, head: &str, body: &str, server: &str) -> OnRoute {
    let mut route = route.resolved("203.0.113.10");
    for path in [WS, GRAPHQL, OPAMP] {
        route = route.upgrade(path, leaf, head, body).browser(path, leaf, head, body);
        route = route.plain(path, leaf, STRIPPED, BAD);
    }
    route.pages(leaf, server)
}

pub(crate) fn swallowed(route: OnRoute, leaf: &Leaf, kind: FailureKind) -> OnRoute {
    let mut route = route.resolved("203.0.113.10");
    for path in [WS, GRAPHQL, OPAMP] {
        route = route.no_answer(path, leaf, kind).plain(path, leaf, STRIPPED, BAD);
    }
    route.pages(leaf, "")
}

fn silence(how: EndedBy, close_notify: Option<bool>, s: f64) -> Cut {
    Cut::At(s, how, close_notify)
}

pub(crate) fn cases() -> Vec<Case> {
    use Confidence::{High, Low, Medium};
    let good = Leaf::good();
    let corp = Leaf::corporate();
    let inside = Run::inside;
    let outside = Run::outside;
    let fine_outside = || healthy(outside().direct(true), &Leaf::good()).done();
    let mut out = Vec::new();
    let mut case = |name, bundles: Vec<Bundle>, expect| out.push(Case { name, bundles, expect });

    // It works.
    case(
        "healthy",
        vec![healthy(inside().direct(true), &good).done()],
        ("working", "none", "none", Medium),
    );
    case(
        "healthy, held",
        vec![
            healthy(inside().direct(true), &good).hold(&good, 75.0, Cut::Never, Cut::Never).done(),
        ],
        ("working", "none", "none", High),
    );
    case(
        "healthy through a proxy; direct is blocked, as it should be",
        vec![
            healthy(
                inside()
                    .direct(false)
                    .resolved("203.0.113.10")
                    .no_tcp(FailureKind::ConnectionReset)
                    .then()
                    .proxy(true),
                &good,
            )
            .done(),
        ],
        ("working", "none", "none", Medium),
    );
    case(
        "healthy through a trusted interceptor",
        vec![
            healthy(inside().direct(false).no_tcp(FailureKind::TimedOut).then().proxy(true), &corp)
                .done(),
            fine_outside(),
        ],
        ("working", "none", "none", Medium),
    );
    case(
        "plain curl would fail over HTTP/2, and nothing is wrong",
        vec![
            healthy(inside().direct(true), &good)
                .h2(
                    WS,
                    &good,
                    "HTTP/2 400 \r\nserver: nginx/1.22.1\r\nsec-websocket-version: 13\r\n\r\n",
                    BAD,
                )
                .done(),
        ],
        ("working", "none", "none", Medium),
    );
    case(
        "works inside, fails outside",
        vec![
            healthy(inside().direct(true), &good).done(),
            outside().direct(true).resolved("203.0.113.10").no_tcp(FailureKind::TimedOut).done(),
        ],
        ("working", "none", "none", Medium),
    );

    case(
        "the agents' path alone, asked for by name",
        vec![
            inside()
                .paths(&[OPAMP])
                .direct(true)
                .resolved("203.0.113.10")
                .works(OPAMP, &good)
                .pages(&good, "")
                .done(),
        ],
        ("working", "none", "none", Medium),
    );
    case(
        "ws:// through a proxy: CONNECT decides, curl's absolute form is a twin",
        vec![
            healthy(
                inside()
                    .plain_text()
                    .direct(false)
                    .no_tcp(FailureKind::TimedOut)
                    .then()
                    .proxy(true),
                &good,
            )
            .absolute(WS, &good, STRIPPED, BAD)
            .done(),
        ],
        ("working", "none", "none", Medium),
    );

    // Names and TCP.
    case(
        "no such name",
        vec![inside().direct(true).unresolved().done()],
        ("broken", "dns-failure", "undetermined", Medium),
    );
    case(
        "no such name inside alone",
        vec![inside().direct(true).unresolved().done(), fine_outside()],
        ("broken", "dns-failure", "client-network", High),
    );
    case(
        "no such name anywhere",
        vec![inside().direct(true).unresolved().done(), outside().direct(true).unresolved().done()],
        ("broken", "dns-failure", "target", High),
    );
    case(
        "inside another, dead address",
        vec![
            inside().direct(true).resolved("10.9.9.9").no_tcp(FailureKind::TimedOut).done(),
            fine_outside(),
        ],
        ("broken", "dns-split", "client-network", High),
    );
    for kind in
        [FailureKind::ConnectionRefused, FailureKind::TimedOut, FailureKind::ConnectionReset]
    {
        case(
            "no TCP",
            vec![inside().direct(true).resolved("203.0.113.10").no_tcp(kind).done()],
            ("broken", "unreachable", "undetermined", Medium),
        );
    }
    case(
        "no TCP inside alone",
        vec![
            inside().direct(true).resolved("203.0.113.10").no_tcp(FailureKind::TimedOut).done(),
            fine_outside(),
        ],
        ("broken", "unreachable", "client-network", High),
    );
    case(
        "no TCP anywhere",
        vec![
            inside()
                .direct(true)
                .resolved("203.0.113.10")
                .no_tcp(FailureKind::ConnectionRefused)
                .done(),
            outside()
                .direct(true)
                .resolved("203.0.113.10")
                .no_tcp(FailureKind::ConnectionRefused)
                .done(),
        ],
        ("broken", "unreachable", "server-side", High),
    );

    // The proxy itself.
    case(
        "the proxy is dead, direct works",
        vec![
            healthy(inside().direct(false), &good)
                .then()
                .proxy(true)
                .resolved("10.0.0.8")
                .no_tcp(FailureKind::ConnectionRefused)
                .done(),
        ],
        ("broken", "proxy-unreachable", "client-network", High),
    );
    case(
        "the proxy's name does not resolve",
        vec![
            inside()
                .direct(false)
                .no_tcp(FailureKind::TimedOut)
                .then()
                .proxy(true)
                .unresolved()
                .done(),
        ],
        ("broken", "proxy-unreachable", "client-network", High),
    );
    case(
        "407",
        vec![
            inside()
                .direct(false)
                .no_tcp(FailureKind::TimedOut)
                .then()
                .proxy(true)
                .resolved("10.0.0.8")
                .tunnel_reply(SQUID_407, "")
                .done(),
        ],
        ("broken", "proxy-auth-required", "client-network", High),
    );
    case(
        "the proxy refuses CONNECT",
        vec![
            inside()
                .direct(false)
                .no_tcp(FailureKind::TimedOut)
                .then()
                .proxy(true)
                .resolved("10.0.0.8")
                .tunnel_reply(SQUID_403, "")
                .done(),
        ],
        ("broken", "proxy-refuses-tunnel", "client-network", High),
    );
    case(
        "the proxy cannot reach a dead target either",
        vec![
            inside()
                .direct(false)
                .resolved("203.0.113.10")
                .no_tcp(FailureKind::ConnectionRefused)
                .then()
                .proxy(true)
                .resolved("10.0.0.8")
                .tunnel_reply("HTTP/1.1 503 Service Unavailable\r\nServer: squid/5.7\r\nX-Squid-Error: ERR_CONNECT_FAIL 111\r\n\r\n", "<!-- ERR_CONNECT_FAIL -->")
                .done(),
        ],
        ("broken", "unreachable", "undetermined", Medium),
    );
    case(
        "direct is blocked, and no_proxy exempts the host",
        vec![
            healthy(
                inside()
                    .direct(true)
                    .resolved("203.0.113.10")
                    .no_tcp(FailureKind::ConnectionReset)
                    .then()
                    .proxy(false),
                &good,
            )
            .done(),
        ],
        ("broken", "proxy-required", "client-network", High),
    );

    // TLS.
    for kind in [FailureKind::TlsNotTls, FailureKind::TlsClientCertificateRequired] {
        case(
            "no TLS",
            vec![inside().direct(true).resolved("203.0.113.10").no_tls(kind).done()],
            ("broken", "tls-failure", "server-side", Medium),
        );
    }
    case(
        "TLS is reset inside, works outside",
        vec![
            inside()
                .direct(true)
                .resolved("203.0.113.10")
                .no_tls(FailureKind::ConnectionReset)
                .done(),
            fine_outside(),
        ],
        ("broken", "tls-failure", "client-network", High),
    );
    case(
        "expired",
        vec![healthy(inside().direct(true), &Leaf::expired()).done()],
        ("broken", "tls-untrusted", "server-side", Medium),
    );
    case(
        "expired, seen from both sides",
        vec![
            healthy(inside().direct(true), &Leaf::expired()).done(),
            healthy(outside().direct(true), &Leaf::expired()).done(),
        ],
        ("broken", "tls-untrusted", "server-side", High),
    );
    case(
        "self-signed",
        vec![healthy(inside().direct(true), &Leaf::self_signed()).done()],
        ("broken", "tls-untrusted", "server-side", Medium),
    );
    case(
        "an unknown issuer, one vantage",
        vec![healthy(inside().direct(true), &Leaf::corporate_untrusted()).done()],
        ("broken", "tls-untrusted", "undetermined", Medium),
    );
    case(
        "an unknown issuer, and another leaf outside",
        vec![healthy(inside().direct(true), &Leaf::corporate_untrusted()).done(), fine_outside()],
        ("broken", "tls-intercepted", "client-network", High),
    );
    case(
        "a known interceptor, not trusted here",
        vec![healthy(inside().direct(true), &Leaf::zscaler_untrusted()).done()],
        ("broken", "tls-intercepted", "client-network", Medium),
    );
    case(
        "h2 alone by ALPN",
        vec![
            inside()
                .direct(true)
                .resolved("203.0.113.10")
                .no_tls(FailureKind::TlsNoApplicationProtocol)
                .done(),
        ],
        ("broken", "lb-http2", "server-side", High),
    );

    // The upgrade.
    case(
        "nginx strips",
        vec![stripped(inside().direct(true), &good, STRIPPED_NGINX, NGINX).done()],
        ("broken", "lb-strips-upgrade", "server-side", Medium),
    );
    case(
        "nginx strips, seen from both sides",
        vec![
            stripped(inside().direct(true), &good, STRIPPED_NGINX, NGINX).done(),
            stripped(outside().direct(true), &good, STRIPPED_NGINX, NGINX).done(),
        ],
        ("broken", "lb-strips-upgrade", "server-side", High),
    );
    case(
        "stripped through a CONNECT proxy over trusted TLS: not the proxy's",
        vec![
            stripped(
                inside().direct(false).no_tcp(FailureKind::TimedOut).then().proxy(true),
                &good,
                STRIPPED_NGINX,
                NGINX,
            )
            .done(),
        ],
        ("broken", "lb-strips-upgrade", "server-side", Medium),
    );
    case(
        "stripped by an interceptor: outside works",
        vec![
            stripped(
                inside().direct(false).no_tcp(FailureKind::ConnectionReset).then().proxy(true),
                &corp,
                STRIPPED,
                "",
            )
            .done(),
            fine_outside(),
        ],
        ("broken", "proxy-blocks-websocket", "client-network", High),
    );
    case(
        "stripped by a proxy: direct works",
        vec![
            stripped(
                healthy(inside().direct(false), &good).then().proxy(true),
                &corp,
                STRIPPED,
                "",
            )
            .done(),
        ],
        ("broken", "proxy-blocks-websocket", "client-network", High),
    );
    case(
        "stripped by a known interceptor, one vantage",
        vec![stripped(inside().direct(true), &Leaf::zscaler_trusted(), STRIPPED, "").done()],
        ("broken", "proxy-blocks-websocket", "client-network", Medium),
    );
    case(
        "stripped behind an authority for inspection, one vantage",
        vec![
            stripped(
                inside().direct(false).no_tcp(FailureKind::ConnectionReset).then().proxy(true),
                &Leaf::inspection(),
                STRIPPED_NGINX,
                NGINX,
            )
            .done(),
        ],
        ("broken", "proxy-blocks-websocket", "client-network", Medium),
    );
    case(
        "swallowed inside, works outside",
        vec![swallowed(inside().direct(true), &good, FailureKind::TimedOut).done(), fine_outside()],
        ("broken", "proxy-blocks-websocket", "client-network", High),
    );
    case(
        "reset inside, works outside",
        vec![
            swallowed(inside().direct(true), &good, FailureKind::ConnectionReset).done(),
            fine_outside(),
        ],
        ("broken", "proxy-blocks-websocket", "client-network", High),
    );
    case(
        "Envoy refuses upgrades",
        vec![
            upgrade_alone(inside().direct(true), &good, ENVOY_403, "", "server: envoy\r\n").done(),
        ],
        ("broken", "lb-strips-upgrade", "server-side", Medium),
    );
    case(
        "502 to everything",
        vec![all(inside().direct(true), &good, NGINX_502, NGINX_502_BODY).done()],
        ("broken", "bad-gateway", "server-side", Medium),
    );
    case(
        "502 to the upgrade alone",
        vec![upgrade_alone(inside().direct(true), &good, NGINX_502, NGINX_502_BODY, NGINX).done()],
        ("broken", "bad-gateway", "server-side", Medium),
    );
    case(
        "503",
        vec![all(inside().direct(true), &good, HAPROXY_503, HAPROXY_503_BODY).done()],
        ("broken", "no-healthy-backend", "server-side", Medium),
    );
    case(
        "503 from both sides",
        vec![
            all(inside().direct(true), &good, HAPROXY_503, HAPROXY_503_BODY).done(),
            all(outside().direct(true), &good, HAPROXY_503, HAPROXY_503_BODY).done(),
        ],
        ("broken", "no-healthy-backend", "server-side", High),
    );
    case(
        "504 to the upgrade",
        vec![upgrade_alone(inside().direct(true), &good, NGINX_504, NGINX_504_BODY, NGINX).done()],
        ("broken", "gateway-timeout", "server-side", Medium),
    );
    case(
        "silence to the upgrade, one vantage, trusted TLS",
        vec![swallowed(inside().direct(true), &good, FailureKind::TimedOut).done()],
        ("broken", "gateway-timeout", "server-side", Medium),
    );
    case(
        "464",
        vec![
            upgrade_alone(
                inside().direct(true),
                &good,
                "HTTP/1.1 464 \r\nServer: awselb/2.0\r\nContent-Length: 0\r\n\r\n",
                "",
                "",
            )
            .done(),
        ],
        ("broken", "lb-http2", "server-side", Medium),
    );
    case(
        "401 to all alike",
        vec![
            inside()
                .direct(true)
                .resolved("203.0.113.10")
                .upgrade(WS, &good, UNAUTHORIZED, "")
                .plain(WS, &good, UNAUTHORIZED, "")
                .upgrade(GRAPHQL, &good, UNAUTHORIZED, "")
                .plain(GRAPHQL, &good, UNAUTHORIZED, "")
                .pages(&good, "")
                .done(),
        ],
        ("unknown", "auth-required", "target", High),
    );
    case(
        "the page shell for every path",
        vec![
            inside()
                .direct(true)
                .resolved("203.0.113.10")
                .upgrade(WS, &good, SHELL_OK, SHELL)
                .plain(WS, &good, SHELL_OK, SHELL)
                .upgrade(GRAPHQL, &good, SHELL_OK, SHELL)
                .plain(GRAPHQL, &good, SHELL_OK, SHELL)
                .handshake(PATH_TWIN, "/%761/ws", &good, Ok((SHELL_OK, SHELL)))
                .handshake(PATH_TWIN, "/v1/v1/ws", &good, Ok((SHELL_OK, SHELL)))
                .pages(&good, "")
                .done(),
        ],
        ("broken", "wrong-path", "target", Medium),
    );
    for spelled in ["/%761/ws", "/v1/v1/graphql", "/v1/ws/v1/ws"] {
        let run = [WS, GRAPHQL].into_iter().fold(
            inside().direct(true).resolved("203.0.113.10"),
            |run, path| {
                run.upgrade(path, &good, SHELL_OK, SHELL).plain(path, &good, SHELL_OK, SHELL)
            },
        );
        case(
            "a hop without a mark changes the path",
            vec![
                run.handshake(PATH_TWIN, spelled, &good, Ok((SWITCHED, "")))
                    .pages(&good, "")
                    .done(),
            ],
            ("broken", "wrong-path", "server-side", High),
        );
    }
    let monitor = "HTTP/1.0 200 OK\r\ncache-control: no-cache\r\nconnection: close\r\ncontent-type: text/html\r\n\r\n";
    let ready = "<html><body><h1>200 OK</h1>\nService ready.\n</body></html>\n";
    case(
        "one of the two paths is answered before the server",
        vec![
            opamp(inside().direct(true).resolved("203.0.113.10").works(GRAPHQL, &good), &good)
                .upgrade(WS, &good, monitor, ready)
                .plain(WS, &good, monitor, ready)
                .pages(&good, "")
                .done(),
        ],
        ("working", "none", "none", Medium),
    );
    let login = "HTTP/1.1 302 Found\r\nLocation: https://login.idp.example/authorize\r\nContent-Length: 0\r\n\r\n";
    case(
        "sent to sign on",
        vec![all(inside().direct(true), &good, login, "").done()],
        ("broken", "redirected", "server-side", Medium),
    );
    let to_https = "HTTP/1.1 301 Moved Permanently\r\nLocation: https://bindplane.corp.example/v1/ws\r\nContent-Length: 0\r\n\r\n";
    case(
        "http sent to https",
        vec![all(inside().plain_text().direct(true), &good, to_https, "").done()],
        ("broken", "redirected", "target", High),
    );
    let portal = "HTTP/1.1 200 OK\r\nContent-Type: text/html\r\n\r\n";
    case(
        "somebody's own page to everything, Bindplane's outside",
        vec![
            all(
                inside().direct(true),
                &corp,
                portal,
                "<title>Access blocked</title><p>Category: uncategorized",
            )
            .done(),
            fine_outside(),
        ],
        ("broken", "blocked-page", "client-network", High),
    );

    // After the 101.
    case(
        "a foreign Accept",
        vec![upgrade_alone(inside().direct(true), &good, "HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Accept: AAAAAAAAAAAAAAAAAAAAAAAAAAA=\r\n\r\n", "", "").done()],
        ("broken", "bad-handshake", "server-side", Medium),
    );
    case(
        "101, and no Pong",
        vec![
            inside()
                .direct(true)
                .resolved("203.0.113.10")
                .upgrade(WS, &good, SWITCHED, "")
                .pong(WS, None, EndedBy::Silence)
                .pages(&good, "")
                .done(),
        ],
        ("broken", "frames-blocked", "server-side", Medium),
    );
    case(
        "101, and no Pong inside alone",
        vec![
            inside()
                .direct(true)
                .resolved("203.0.113.10")
                .upgrade(WS, &good, SWITCHED, "")
                .pong(WS, None, EndedBy::Reset)
                .pages(&good, "")
                .done(),
            fine_outside(),
        ],
        ("broken", "frames-blocked", "client-network", High),
    );
    case(
        "the browser's Origin is refused",
        vec![
            inside()
                .direct(true)
                .resolved("203.0.113.10")
                .upgrade(WS, &good, SWITCHED, "")
                .pong(WS, Some(1.0), EndedBy::StillOpen)
                .browser(WS, &good, "HTTP/1.1 403 Forbidden\r\nServer: nginx/1.22.1\r\nSec-Websocket-Version: 13\r\n\r\n", "Forbidden\n")
                .pages(&good, NGINX)
                .done(),
        ],
        ("broken", "origin-rejected", "server-side", High),
    );
    case(
        "WebSocket over HTTP/2 is announced and fails",
        vec![
            healthy(inside().direct(true), &good)
                .h2(WS, &good, "HTTP/2 200 \r\nserver: envoy\r\n\r\n", SHELL)
                .h2_connect(WS, Ok("HTTP/2 400 \r\nserver: envoy\r\n\r\n"))
                .done(),
        ],
        ("broken", "lb-http2", "server-side", High),
    );

    // Several runs.
    case(
        "two faults: a firewall inside, and behind it a balancer that strips",
        vec![
            inside()
                .direct(true)
                .resolved("203.0.113.10")
                .no_tls(FailureKind::ConnectionReset)
                .done(),
            stripped(outside().direct(true), &good, STRIPPED_NGINX, NGINX).done(),
        ],
        ("broken", "tls-failure", "client-network", High),
    );
    case(
        "mended: the newest from inside speaks",
        vec![
            stripped(inside().direct(true), &good, STRIPPED_NGINX, NGINX).done(),
            healthy(inside().later(2).direct(true), &good).done(),
        ],
        ("working", "none", "none", Medium),
    );
    case(
        "a week between inside and outside",
        vec![
            swallowed(inside().later(7 * 24).direct(true), &good, FailureKind::TimedOut).done(),
            fine_outside(),
        ],
        ("broken", "proxy-blocks-websocket", "client-network", Medium),
    );
    case(
        "a private server inside, a public one outside",
        vec![
            stripped_at("10.4.4.4", inside().direct(true), &good, STRIPPED_NGINX, NGINX).done(),
            healthy(outside().direct(true), &Leaf::other_good()).done(),
        ],
        ("broken", "lb-strips-upgrade", "server-side", Medium),
    );

    // Time.
    case(
        "cut after 60 s of silence, in order",
        vec![
            healthy(inside().direct(true), &good)
                .hold(&good, 75.0, silence(EndedBy::Fin, Some(true), 60.0), Cut::Never)
                .done(),
        ],
        ("unstable", "idle-timeout", "server-side", High),
    );
    case(
        "cut after 30 s of silence by a hop that does not own TLS",
        vec![
            healthy(inside().direct(false).no_tcp(FailureKind::TimedOut).then().proxy(true), &good)
                .hold(&good, 75.0, silence(EndedBy::Fin, Some(false), 30.0), Cut::Never)
                .done(),
        ],
        ("unstable", "idle-timeout", "undetermined", Medium),
    );
    case(
        "cut after 60 s inside, held outside",
        vec![
            healthy(inside().direct(true), &good)
                .hold(&good, 75.0, silence(EndedBy::Silence, None, 60.0), Cut::Never)
                .done(),
            healthy(outside().direct(true), &good).hold(&good, 75.0, Cut::Never, Cut::Never).done(),
        ],
        ("unstable", "idle-timeout", "client-network", High),
    );
    let through_a_proxy = |direct: Cut, proxied: Cut| {
        let direct = healthy(inside().direct(false), &good).hold(&good, 75.0, direct, Cut::Never);
        healthy(direct.then().proxy(true), &good).hold(&good, 75.0, proxied, Cut::Never).done()
    };
    case(
        "cut through the proxy, held directly",
        vec![through_a_proxy(Cut::Never, silence(EndedBy::Fin, Some(false), 30.0))],
        ("unstable", "idle-timeout", "client-network", High),
    );
    case(
        "cut through the proxy and directly at the same age",
        vec![through_a_proxy(
            silence(EndedBy::Fin, Some(true), 60.0),
            silence(EndedBy::Fin, Some(true), 60.1),
        )],
        ("unstable", "idle-timeout", "server-side", High),
    );
    case(
        "cut in order by an interceptor",
        vec![
            healthy(inside().direct(true), &Leaf::zscaler_trusted())
                .hold(
                    &Leaf::zscaler_trusted(),
                    75.0,
                    silence(EndedBy::Fin, Some(true), 60.0),
                    Cut::Never,
                )
                .done(),
        ],
        ("unstable", "idle-timeout", "client-network", Medium),
    );
    case(
        "cut at 30 s whatever the activity",
        vec![
            healthy(inside().direct(true), &good)
                .hold(
                    &good,
                    75.0,
                    silence(EndedBy::Fin, Some(true), 30.0),
                    silence(EndedBy::Fin, Some(true), 30.1),
                )
                .done(),
        ],
        ("unstable", "lifetime-limit", "server-side", Medium),
    );

    // A configuration was given: the cause stays what the probe saw.
    for (name, bundle, cause) in crate::configuration::given() {
        let expect = match cause {
            "none" => ("working", "none", "none", Medium),
            "idle-timeout" => ("unstable", cause, "server-side", Medium),
            "auth-required" => ("unknown", cause, "target", Medium),
            _ => ("broken", cause, "server-side", Medium),
        };
        case(name, vec![bundle], expect);
    }

    // It cannot be told.
    case(
        "nothing was tried",
        vec![inside().direct(true).done()],
        ("unknown", "insufficient", "undetermined", Low),
    );
    case(
        "two targets",
        vec![
            stripped(
                inside().direct(false).no_tcp(FailureKind::TimedOut).then().proxy(true),
                &Leaf::corporate(),
                STRIPPED,
                "",
            )
            .done(),
            healthy(outside().host("other.example").direct(true), &good).done(),
        ],
        ("broken", "lb-strips-upgrade", "server-side", Medium),
    );
    out.extend(crate::browser::cases());
    out.extend(crate::pasted::cases());
    out.extend(crate::origin::cases());
    out.extend(crate::likeness::cases());
    out.extend(crate::proxies::cases());
    out.extend(crate::repeat::cases());
    out.extend(crate::silence::cases());
    out
}

#[test]
fn every_case_gets_the_experts_verdict() {
    let mut wrong = Vec::new();
    for case in cases() {
        let diagnosis = diagnose(&case.bundles);
        let verdict = serde_json::to_value(&diagnosis.verdict).unwrap();
        let got = (
            verdict["status"].as_str().unwrap(),
            verdict["cause"].as_str().unwrap(),
            verdict["location"].as_str().unwrap(),
        );
        let (status, cause, location, confidence) = case.expect;
        if got != (status, cause, location) || diagnosis.verdict.confidence < confidence {
            wrong.push(format!(
                "{}:\n  expected {:?}\n  got      {got:?} {:?}\n  {}",
                case.name, case.expect, diagnosis.verdict.confidence, diagnosis.verdict.summary
            ));
        }
    }
    assert!(wrong.is_empty(), "{} wrong:\n{}", wrong.len(), wrong.join("\n"));
}

/// Every cause of the contract is somebody's expectation here.
#[test]
fn every_cause_has_a_case() {
    let covered: Vec<&str> = cases().iter().map(|c| c.expect.1).collect();
    let missing: Vec<&str> = wss_diagnosis::Cause::ALL
        .iter()
        .map(|c| c.slug())
        .filter(|slug| !covered.contains(slug))
        .collect();
    assert!(missing.is_empty(), "{missing:?}");
}
