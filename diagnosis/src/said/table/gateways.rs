//! Envoy and what is built on it, Traefik, Kong, APISIX, OpenShift's router, Squid.

use super::*;
use Cause::*;
use Says::*;
use Sign::*;

const ENVOY: &[&str] = &["envoy", "istio"];
const ENVOY_DOC: &str = "https://www.envoyproxy.io/docs/envoy/latest/configuration/observability/access_log/usage#response-flags";
const KONG_DOC: &str = "Kong source, kong/runloop/handler.lua and kong/error_handlers.lua";
const RESET: &str = "upstream connect error or disconnect/reset before headers";

#[rustfmt::skip]
pub(super) static ROWS: &[Row] = &[
    documented(
        "envoy-tls-error", "Envoy", &[503], Every(&[RESET, "TLS_error"]), BackendTls, NoHealthyBackend, "TLS with the backend fails: it speaks plain text there, or its certificate is not taken", "the cluster's transport_socket (Istio: DestinationRule tls mode); response flag UF",
        ENVOY_DOC, ("HTTP/1.1 503 Service Unavailable\ncontent-type: text/plain\ndate: x\nserver: envoy", "upstream connect error or disconnect/reset before headers. reset reason: remote connection failure, transport failure reason: TLS_error:|268435703:SSL routines:OPENSSL_internal:WRONG_VERSION_NUMBER:TLS_error_end"),
    ),
    measured(
        "envoy-protocol-error", "Envoy", &[502, 503], Every(&[RESET, "protocol error"]), OtherVersion, LbHttp2, "it speaks HTTP/2 to a backend that speaks HTTP/1.1, or the other way round", "the cluster's explicit_http_config (Istio: the Service port's name or appProtocol); response flag UPE",
        ENVOY_DOC, ("HTTP/1.1 502 Bad Gateway\ncontent-type: text/plain\ndate: x\nserver: envoy", "upstream connect error or disconnect/reset before headers. reset reason: protocol error"),
    ),
    measured(
        "envoy-unreachable", "Envoy", &[503], Body(&["reset reason: connection failure", "reset reason: remote connection failure", "reset reason: local connection failure", "reset reason: connection timeout", "delayed connect error", "immediate connect error"]), NoConnection, NoHealthyBackend, "it cannot connect to the backend", "response flag UF; the endpoint's address and port",
        ENVOY_DOC, ("HTTP/1.1 503 Service Unavailable\ncontent-type: text/plain\ndate: x\nserver: envoy", "upstream connect error or disconnect/reset before headers. reset reason: remote connection failure, transport failure reason: delayed connect error: 111"),
    ),
    measured(
        "envoy-hangs-up", "Envoy", &[503], Body(&["reset reason: connection termination", "reset reason: remote reset", "reset reason: local reset"]), HangsUp, NoHealthyBackend, "the backend ended the connection in place of an answer", "response flags UC, UR",
        ENVOY_DOC, ("HTTP/1.1 503 Service Unavailable\ncontent-type: text/plain\ndate: x\nserver: envoy", "upstream connect error or disconnect/reset before headers. reset reason: connection termination"),
    ),
    measured(
        "envoy-overflow", "Envoy", &[503], Every(&[RESET, "overflow"]), Full, NoHealthyBackend, "it has as many requests under way to the backend as it may", "circuit_breakers (Istio: DestinationRule connectionPool); response flag UO",
        ENVOY_DOC, ("HTTP/1.1 503 Service Unavailable\ncontent-type: text/plain\ndate: x\nserver: envoy\nx-envoy-overloaded: true", "upstream connect error or disconnect/reset before headers. reset reason: overflow"),
    ),
    documented(
        "envoy-reset", "Envoy", &[503], Body(&[RESET]), NoValidAnswer, NoHealthyBackend, "the connection to the backend failed before an answer", "its access log's response flags",
        ENVOY_DOC, ("HTTP/1.1 503 Service Unavailable\ncontent-type: text/plain\ndate: x\nserver: envoy", "upstream connect error or disconnect/reset before headers. reset reason: something new"),
    ),
    measured(
        "envoy-no-healthy-upstream", "Envoy (or a load balancer built on it, such as Google Cloud's)", &[503], Whole(&["no healthy upstream"]), NoBackend, NoHealthyBackend, "it has no backend to send the request to: no endpoint is healthy", "response flag UH; Kubernetes: kubectl get endpoints",
        ENVOY_DOC, ("HTTP/1.1 503 Service Unavailable\ncontent-length: 19\ncontent-type: text/plain\ndate: x\nserver: envoy", "no healthy upstream"),
    ),
    measured(
        "envoy-504", "Envoy", &[504], Body(&["upstream request timeout"]), Slow, GatewayTimeout, "the backend does not answer within the route's timeout", "route timeout (Istio: VirtualService timeout); response flag UT",
        ENVOY_DOC, ("HTTP/1.1 504 Gateway Timeout\ncontent-length: 24\ncontent-type: text/plain\ndate: x\nserver: envoy", "upstream request timeout"),
    ),
    documented(
        "envoy-overloaded", "Envoy", &[503], Whole(&["envoy overloaded", "Envoy Overloaded"]), Full, NoHealthyBackend, "its own overload manager refuses requests", "overload_manager; its memory and connections; response flag OM",
        "Envoy source, source/common/http/conn_manager_impl.cc", ("HTTP/1.1 503 Service Unavailable\ncontent-type: text/plain\ndate: x\nserver: envoy", "envoy overloaded"),
    ),
    measured(
        "envoy-rate-limited", "Envoy", &[429, 503], Whole(&["local_rate_limited"]), Limited, RateLimited, "its local rate limit refuses the request", "envoy.filters.http.local_ratelimit: token_bucket; response flag RL",
        "https://www.envoyproxy.io/docs/envoy/latest/configuration/http/http_filters/local_rate_limit_filter", ("HTTP/1.1 429 Too Many Requests\ncontent-length: 18\ncontent-type: text/plain\ndate: x\nserver: envoy", "local_rate_limited"),
    ),
    measured(
        "envoy-rbac", "Envoy", &[403], Whole(&["RBAC: access denied"]), Denied, BlockedPage, "its RBAC filter refuses the request", "Istio: AuthorizationPolicy; envoy.filters.http.rbac",
        "https://istio.io/latest/docs/ops/common-problems/security-issues/", ("HTTP/1.1 403 Forbidden\ncontent-length: 19\ncontent-type: text/plain\ndate: x\nserver: envoy", "RBAC: access denied"),
    ),
    measured(
        "envoy-jwt", "Envoy", &[401], Body(&["Jwt is missing", "Jwt verification fails", "Jwt is expired", "Jwt issuer is not configured"]), SignOn, AuthRequired, "its JWT filter wants a token", "Istio: RequestAuthentication",
        "https://www.envoyproxy.io/docs/envoy/latest/configuration/http/http_filters/jwt_authn_filter", ("HTTP/1.1 401 Unauthorized\ncontent-type: text/plain\nwww-authenticate: Bearer realm=\"https://x/\"\nserver: envoy", "Jwt is missing"),
    ),
    measured(
        "envoy-upgrade-refused", "Envoy", &[403], ByEmpty(ENVOY), RefusesUpgrades, LbStripsUpgrade, "it refuses upgrades without upgrade_configs (its empty 403)", "upgrade_configs of the HTTP connection manager, or of the route",
        "https://www.envoyproxy.io/docs/envoy/latest/intro/arch_overview/http/upgrades", ("HTTP/1.1 403 Forbidden\ndate: x\nserver: envoy\ncontent-length: 0", ""),
    ),
    measured(
        "envoy-no-route", "Envoy", &[404], ByEmpty(ENVOY), NoRoute, WrongPath, "no route takes this host and path (its empty 404)", "virtual_hosts: domains and routes (a Host with a port is another domain); response flag NR",
        ENVOY_DOC, ("HTTP/1.1 404 Not Found\ndate: x\nserver: envoy\ncontent-length: 0", ""),
    ),
    measured(
        "envoy-no-cluster", "Envoy", &[503], ByEmpty(ENVOY), NoBackend, NoHealthyBackend, "its route leads to a cluster that it does not have (its empty 503)", "response flag NC; Istio: host names in VirtualService and DestinationRule",
        ENVOY_DOC, ("HTTP/1.1 503 Service Unavailable\ndate: x\nserver: envoy\ncontent-length: 0", ""),
    ),
    documented(
        "envoy-black-hole", "Istio", &[502], ByEmpty(ENVOY), NoRoute, BadGateway, "its sidecar does not know where the request goes (BlackHoleCluster)", "outboundTrafficPolicy REGISTRY_ONLY; a ServiceEntry",
        "https://istio.io/latest/docs/ops/common-problems/network-issues/", ("HTTP/1.1 502 Bad Gateway\ndate: x\nserver: istio-envoy\ncontent-length: 0", ""),
    ),

    // Kong, before Envoy's 426: its own names TLS.
    documented(
        "kong-wants-tls", "Kong", &[426], Body(&["Please use HTTPS protocol"]), WantsTls, TlsFailure, "the route wants HTTPS, and the request came by plain HTTP", "the route's protocols and https_redirect_status_code; a TLS end before Kong: trusted_ips and X-Forwarded-Proto",
        KONG_DOC, ("HTTP/1.1 426 Upgrade Required\nConnection: Upgrade\nUpgrade: TLS/1.2, HTTP/1.1\nServer: kong/3.4.0\nContent-Type: application/json", "{\"message\":\"Please use HTTPS protocol\"}"),
    ),
    documented(
        "kong-no-route", "Kong", &[404], Body(&["no Route matched with those values"]), NoRoute, WrongPath, "no route takes this host and path", "the route's hosts, paths and protocols",
        KONG_DOC, ("HTTP/1.1 404 Not Found\nServer: kong/3.4.0\nContent-Type: application/json", "{\"message\":\"no Route matched with those values\"}"),
    ),
    documented(
        "kong-502", "Kong", &[502], Body(&["An invalid response was received from the upstream server"]), NoValidAnswer, BadGateway, "it got no valid answer from the backend: refused, reset, or not HTTP", "Kong's error.log: `connect() failed`, `upstream prematurely closed`",
        KONG_DOC, ("HTTP/1.1 502 Bad Gateway\nServer: kong/3.4.0\nContent-Type: application/json", "{\"message\":\"An invalid response was received from the upstream server\"}"),
    ),
    documented(
        "kong-503", "Kong", &[500, 503], Body(&["failure to get a peer from the ring-balancer", "name resolution failed", "no healthy upstream target"]), NoBackend, NoHealthyBackend, "no target of the upstream is healthy, or its name does not resolve", "the Admin API's /upstreams/NAME/health",
        KONG_DOC, ("HTTP/1.1 503 Service Temporarily Unavailable\nServer: kong/3.4.0\nContent-Type: application/json", "{\"message\":\"failure to get a peer from the ring-balancer\"}"),
    ),
    documented(
        "kong-504", "Kong", &[504], Body(&["The upstream server is timing out"]), Slow, GatewayTimeout, "the backend does not answer in time", "the service's connect_timeout, read_timeout",
        KONG_DOC, ("HTTP/1.1 504 Gateway Timeout\nServer: kong/3.4.0\nContent-Type: application/json", "{\"message\":\"The upstream server is timing out\"}"),
    ),
    documented(
        "kong-429", "Kong", &[429], Body(&["API rate limit exceeded"]), Limited, RateLimited, "its rate-limiting plugin refuses the request", "the plugin rate-limiting",
        "https://docs.konghq.com/hub/kong-inc/rate-limiting/", ("HTTP/1.1 429 Too Many Requests\nServer: kong/3.4.0\nRetry-After: 30", "{\"message\":\"API rate limit exceeded\"}"),
    ),
    documented(
        "kong-401", "Kong", &[401], Body(&["No API key found in request", "Unauthorized\"}"]), SignOn, AuthRequired, "an authentication plugin wants credentials", "the plugins of the route",
        "https://docs.konghq.com/hub/kong-inc/key-auth/", ("HTTP/1.1 401 Unauthorized\nServer: kong/3.4.0\nWWW-Authenticate: Key realm=\"kong\"", "{\"message\":\"No API key found in request\"}"),
    ),
    measured(
        "http10-refused", "whoever refuses HTTP/1.0", &[426], Sign::Http10, RefusesHttp10, LbStripsUpgrade, "the hop before it asks by HTTP/1.0, which it refuses", "the hop before it: nginx `proxy_http_version 1.1` (its default was 1.0 until 1.29.7); or Istio's PILOT_HTTP10=1",
        "https://github.com/envoyproxy/envoy/issues/4243, https://github.com/apache/devlake/issues/6190, https://istio.io/latest/docs/ops/common-problems/network-issues/#envoy-wont-connect-to-my-http10-service", ("HTTP/1.1 426 Upgrade Required\nServer: nginx/1.22.1\nContent-Length: 16", "Upgrade Required"),
    ),
    documented(
        "http-505", "a server that refuses HTTP/1.0", &[505], Status, RefusesHttp10, LbStripsUpgrade, "the hop before it asks by a version of HTTP that it refuses", "the hop before it: nginx `proxy_http_version 1.1`",
        "RFC 9110 section 15.6.6", ("HTTP/1.1 505 HTTP Version Not Supported\nServer: x", ""),
    ),

    documented(
        "apisix-no-route", "Apache APISIX", &[404], Body(&["404 Route Not Found"]), NoRoute, WrongPath, "no route takes this host and path", "the route's uri and host; WebSocket needs enable_websocket",
        "https://apisix.apache.org/docs/apisix/FAQ/", ("HTTP/1.1 404 Not Found\nServer: APISIX/3.4.0", "{\"error_msg\":\"404 Route Not Found\"}"),
    ),

    // Traefik.
    documented(
        "traefik-no-server", "Traefik", &[503], Whole(&["no available server"]), NoBackend, NoHealthyBackend, "the service has no server: no running container, or all fail the health check", "the dashboard's services; Kubernetes: kubectl get endpoints",
        "https://doc.traefik.io/traefik/routing/services/", ("HTTP/1.1 503 Service Unavailable\nContent-Type: text/plain; charset=utf-8\nX-Content-Type-Options: nosniff", "no available server\n"),
    ),
    documented(
        "traefik-502", "Traefik", &[502], Whole(&["Bad Gateway"]), NoValidAnswer, BadGateway, "it cannot connect to the backend, or got no valid answer", "the log at level DEBUG; loadbalancer.server.port",
        "https://doc.traefik.io/traefik/getting-started/faq/", ("HTTP/1.1 502 Bad Gateway\nContent-Length: 11", "Bad Gateway"),
    ),
    documented(
        "traefik-504", "Traefik", &[504], Whole(&["Gateway Timeout"]), Slow, GatewayTimeout, "the backend does not connect or answer in time", "serversTransport.forwardingTimeouts; a container on another network",
        "https://doc.traefik.io/traefik/getting-started/faq/", ("HTTP/1.1 504 Gateway Timeout\nContent-Length: 15", "Gateway Timeout"),
    ),
    documented(
        "traefik-429", "Traefik", &[429], Whole(&["Too Many Requests", "No bursting period established"]), Limited, RateLimited, "its middleware rateLimit refuses the request", "the middleware: average, burst",
        "https://doc.traefik.io/traefik/middlewares/http/ratelimit/", ("HTTP/1.1 429 Too Many Requests\nRetry-After: 1", "Too Many Requests"),
    ),
    documented(
        "traefik-no-route", "Traefik (or another Go program)", &[404], Sign::NotOrigins(&["404 page not found"]), NoRoute, WrongPath, "no router takes this host and path", "the dashboard's routers: rule, entryPoints, priority",
        "https://doc.traefik.io/traefik/getting-started/faq/#404-not-found; Go source, net/http NotFound", ("HTTP/1.1 404 Not Found\nContent-Type: text/plain; charset=utf-8\nX-Content-Type-Options: nosniff", "404 page not found\n"),
    ),

    documented(
        "openshift-503", "OpenShift's router", &[503], Body(&["Application is not available"]), NoBackend, NoHealthyBackend, "no route takes this host and path, or no pod behind it is ready", "oc get route,endpoints",
        "openshift/router, images/router/haproxy/conf/error-page-503.http", ("HTTP/1.0 503 Service Unavailable\npragma: no-cache\ncontent-type: text/html", "<html><title>x</title><body><h1>Application is not available</h1><p>The application is currently not serving requests at this endpoint.</p></body></html>"),
    ),

    // Squid, in front of a server or before clients.
    measured(
        "squid-connect-fail", "Squid", &[503], Sign::Squid("ERR_CONNECT_FAIL"), NoConnection, NoHealthyBackend, "it cannot connect to the server", "access.log; the address that it resolves",
        "squid source, errors/templates", ("HTTP/1.1 503 Service Unavailable\nServer: squid/5.7\nX-Squid-Error: ERR_CONNECT_FAIL 111", "<body id=ERR_CONNECT_FAIL>"),
    ),
    documented(
        "squid-dns-fail", "Squid", &[503], Sign::Squid("ERR_DNS_FAIL"), NoConnection, NoHealthyBackend, "it cannot resolve the server's name", "dns_nameservers, hosts_file",
        "squid source, errors/templates", ("HTTP/1.1 503 Service Unavailable\nServer: squid/5.7\nX-Squid-Error: ERR_DNS_FAIL 0", "<body id=ERR_DNS_FAIL>"),
    ),
    documented(
        "squid-tls-fail", "Squid", &[503], Sign::Squid("ERR_SECURE_CONNECT_FAIL"), BackendTls, NoHealthyBackend, "TLS between it and the server fails", "the server's certificate, sslproxy_ca settings",
        "squid source, errors/templates", ("HTTP/1.1 503 Service Unavailable\nServer: squid/5.7\nX-Squid-Error: ERR_SECURE_CONNECT_FAIL 71", "<body id=ERR_SECURE_CONNECT_FAIL>"),
    ),
    measured(
        "squid-timeout", "Squid", &[504], Sign::Squid("ERR_READ_TIMEOUT"), Slow, GatewayTimeout, "the server does not answer in time", "read_timeout",
        "squid source, errors/templates", ("HTTP/1.1 504 Gateway Timeout\nServer: squid/5.7\nX-Squid-Error: ERR_READ_TIMEOUT 0", "<body id=ERR_READ_TIMEOUT>"),
    ),
    measured(
        "squid-zero-size", "Squid", &[502, 503], Sign::Squid("ERR_ZERO_SIZE_OBJECT"), HangsUp, BadGateway, "the server ended the connection in place of an answer", "",
        "squid source, errors/templates", ("HTTP/1.1 502 Bad Gateway\nServer: squid/5.7\nX-Squid-Error: ERR_ZERO_SIZE_OBJECT 0", "<body id=ERR_ZERO_SIZE_OBJECT>"),
    ),
    documented(
        "squid-invalid-response", "Squid", &[502], Sign::Squid("ERR_INVALID_RESP"), NoValidAnswer, BadGateway, "it does not take the server's answer (a 101 that it did not ask for, among others)", "http_upgrade_request_protocols",
        "squid source, errors/templates", ("HTTP/1.1 502 Bad Gateway\nServer: squid/5.7\nX-Squid-Error: ERR_INVALID_RESP 0", "<body id=ERR_INVALID_RESP>"),
    ),
    measured(
        "squid-denied", "Squid", &[403], Sign::Squid("ERR_ACCESS_DENIED"), Denied, BlockedPage, "its access rules refuse the request", "http_access",
        "squid source, errors/templates", ("HTTP/1.1 403 Forbidden\nServer: squid/5.7\nX-Squid-Error: ERR_ACCESS_DENIED 0", "<body id=ERR_ACCESS_DENIED>"),
    ),
    documented(
        "netscaler-503", "NetScaler", &[503], Body(&["Http/1.1 Service Unavailable"]), NoBackend, NoHealthyBackend, "the virtual server has no service that is up", "show lb vserver NAME",
        "https://docs.netscaler.com/en-us/citrix-adc/current-release/load-balancing.html", ("HTTP/1.1 503 Service Unavailable\nContent-Length: 59\nConnection: close", "<html><body><b>Http/1.1 Service Unavailable</b></body> </html>"),
    ),
    documented(
        "ngrok", "ngrok", &[404, 502, 503], Sign::Header("ngrok-error-code", "ERR_NGROK_"), NoBackend, BadGateway, "the tunnel is offline, or its agent cannot reach the server", "https://ngrok.com/docs/errors/ with the code on the page",
        "https://ngrok.com/docs/errors/", ("HTTP/1.1 502 Bad Gateway\nngrok-error-code: ERR_NGROK_8012", "ERR_NGROK_8012"),
    ),
];
