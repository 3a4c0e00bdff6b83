//! nginx, HAProxy, Apache, Caddy, Varnish, IIS, and what Go writes.

use super::*;
use Cause::*;
use Says::*;
use Sign::*;

const NGINX_DOC: &str = "https://nginx.org/en/docs/http/ngx_http_proxy_module.html, https://nginx.org/en/docs/http/ngx_http_upstream_module.html";
const HAPROXY_DOC: &str =
    "https://docs.haproxy.org/2.6/configuration.html (http-errors, option http-errors)";
const APACHE_DOC: &str = "https://httpd.apache.org/docs/2.4/mod/mod_proxy.html";
const IIS_DOC: &str = "https://learn.microsoft.com/troubleshoot/developer/webapps/iis/health-diagnostic-performance/http-status-code";

#[rustfmt::skip]
pub(super) static ROWS: &[Row] = &[
    measured(
        "nginx-plain-http", "nginx", &[400, 497], Body(&["plain HTTP request was sent to HTTPS port"]),
        WantsTls, TlsFailure, "this port speaks TLS, and was spoken to in plain text",
        "", "https://nginx.org/en/docs/http/ngx_http_ssl_module.html#errors (497)",
        ("HTTP/1.1 400 Bad Request\nServer: nginx/1.22.1\nConnection: close", "<html>\r\n<head><title>400 The plain HTTP request was sent to HTTPS port</title></head>\r\n<body>\r\n<center><h1>400 Bad Request</h1></center>\r\n<center>The plain HTTP request was sent to HTTPS port</center>\r\n<hr><center>nginx/1.22.1</center>\r\n</body>\r\n</html>\r\n"),
    ),
    measured(
        "nginx-client-certificate", "nginx", &[400, 495, 496], Body(&["No required SSL certificate was sent", "The SSL certificate error"]),
        WantsCertificate, TlsFailure, "it wants a client certificate, or does not take the one that was shown",
        "ssl_verify_client, ssl_client_certificate", "https://nginx.org/en/docs/http/ngx_http_ssl_module.html#errors (495, 496)",
        ("HTTP/1.1 400 Bad Request\nServer: nginx\nConnection: close", "<html>\r\n<head><title>400 No required SSL certificate was sent</title></head>\r\n<body>\r\n<center><h1>400 Bad Request</h1></center>\r\n<center>No required SSL certificate was sent</center>\r\n<hr><center>nginx</center>\r\n</body>\r\n</html>\r\n"),
    ),
    measured(
        "nginx-header-too-large", "nginx", &[400, 494], Body(&["Request Header Or Cookie Too Large"]),
        Unreadable, BlockedPage, "the request's headers are larger than it takes (cookies, as a rule)",
        "large_client_header_buffers; delete the console's cookies in the browser", "https://nginx.org/en/docs/http/ngx_http_core_module.html#large_client_header_buffers (494)",
        ("HTTP/1.1 400 Bad Request\nServer: nginx/1.22.1\nConnection: close", "<html>\r\n<head><title>400 Request Header Or Cookie Too Large</title></head>\r\n<body>\r\n<center><h1>400 Bad Request</h1></center>\r\n<center>Request Header Or Cookie Too Large</center>\r\n<hr><center>nginx/1.22.1</center>\r\n</body>\r\n</html>\r\n"),
    ),
    documented(
        "nginx-494", "nginx", &[494], Status, Unreadable, BlockedPage, "the request's headers are larger than it takes", "large_client_header_buffers",
        "nginx source, src/http/ngx_http_request.h: NGX_HTTP_REQUEST_HEADER_TOO_LARGE 494", ("HTTP/1.1 494 \nServer: nginx", ""),
    ),
    documented(
        "nginx-495-496", "nginx", &[495, 496], Status, WantsCertificate, TlsFailure, "it wants a client certificate, or does not take the one that was shown", "ssl_verify_client",
        "nginx source, src/http/ngx_http_request.h: NGX_HTTPS_CERT_ERROR 495, NGX_HTTPS_NO_CERT 496", ("HTTP/1.1 496 \nServer: nginx", ""),
    ),
    documented(
        "nginx-497", "nginx", &[497], Status, WantsTls, TlsFailure, "this port speaks TLS, and was spoken to in plain text", "error_page 497",
        "nginx source, src/http/ngx_http_request.h: NGX_HTTP_TO_HTTPS 497", ("HTTP/1.1 497 \nServer: nginx", ""),
    ),
    documented(
        "nginx-499", "nginx", &[499], Status, ClientLeft, GatewayTimeout, "the client left before an answer came: its patience, or that of a hop before this one, is shorter than the backend takes", "",
        "nginx source, src/http/ngx_http_request.h: NGX_HTTP_CLIENT_CLOSED_REQUEST 499; Traefik answers 499 Client Closed Request, too", ("HTTP/1.1 499 \nServer: nginx", ""),
    ),
    documented(
        "ingress-nginx-default-backend", "ingress-nginx", &[404], Whole(&["default backend - 404"]), NoRoute, WrongPath, "no Ingress rule takes this host and path, so the default backend answers", "kubectl get ingress -A: host, path and pathType",
        "https://kubernetes.github.io/ingress-nginx/user-guide/default-backend/", ("HTTP/1.1 404 Not Found\nContent-Type: text/plain; charset=utf-8", "default backend - 404"),
    ),
    measured(
        "nginx-502", "nginx", &[502], By(NGINX), NoValidAnswer, BadGateway, "it asked the backend and got no valid answer: refused, reset, or none left (no live upstreams)", "error.log at the time of the test: `connect() failed`, `upstream prematurely closed connection`, `no live upstreams`",
        NGINX_DOC, ("HTTP/1.1 502 Bad Gateway\nServer: nginx/1.22.1\nContent-Type: text/html", "<html>\r\n<head><title>502 Bad Gateway</title></head>\r\n<body>\r\n<center><h1>502 Bad Gateway</h1></center>\r\n<hr><center>nginx/1.22.1</center>\r\n</body>\r\n</html>\r\n"),
    ),
    measured(
        "nginx-504", "nginx", &[504], By(NGINX), Slow, GatewayTimeout, "the backend does not connect or answer in time", "error.log: `upstream timed out`; proxy_connect_timeout, proxy_read_timeout",
        NGINX_DOC, ("HTTP/1.1 504 Gateway Time-out\nServer: nginx/1.22.1\nContent-Type: text/html", "<html>\r\n<head><title>504 Gateway Time-out</title></head>\r\n<body>\r\n<center><h1>504 Gateway Time-out</h1></center>\r\n<hr><center>nginx/1.22.1</center>\r\n</body>\r\n</html>\r\n"),
    ),
    measured(
        "nginx-503-retry-after", "nginx", &[503], ByWith(NGINX, "retry-after"), Closed, NoHealthyBackend, "closed on purpose, as Retry-After shows (a maintenance page, `return 503`); with a backend down nginx answers 502", "the configuration: return 503, error_page 503, if (-f …) return 503",
        "https://nginx.org/en/docs/http/ngx_http_rewrite_module.html#return", ("HTTP/1.1 503 Service Temporarily Unavailable\nServer: nginx/1.22.1\nRetry-After: 1800\nContent-Type: text/html", "<title>Back soon</title>"),
    ),
    measured(
        "nginx-503", "nginx", &[503], By(NGINX), OwnUnavailable, NoHealthyBackend, "its own 503: a limit (limit_req, limit_conn), a maintenance page or `return 503`; with a backend down nginx answers 502. ingress-nginx alone answers so for a service without endpoints", "error.log: `limiting requests`, `limiting connections`; the configuration: return 503. ingress-nginx: kubectl get endpoints",
        "https://nginx.org/en/docs/http/ngx_http_limit_req_module.html#limit_req_status, https://nginx.org/en/docs/http/ngx_http_rewrite_module.html#return, kubernetes/ingress-nginx docs (troubleshooting)", ("HTTP/1.1 503 Service Temporarily Unavailable\nServer: nginx/1.22.1\nContent-Type: text/html", "<html>\r\n<head><title>503 Service Temporarily Unavailable</title></head>\r\n<body>\r\n<center><h1>503 Service Temporarily Unavailable</h1></center>\r\n<hr><center>nginx/1.22.1</center>\r\n</body>\r\n</html>\r\n"),
    ),
    measured(
        "nginx-429", "nginx", &[429], Page(NGINX), Limited, RateLimited, "a limit on requests or connections (limit_req, limit_conn)", "error.log: `limiting requests`; burst=, nodelay",
        "https://nginx.org/en/docs/http/ngx_http_limit_req_module.html#limit_req_status", ("HTTP/1.1 429 Too Many Requests\nServer: nginx/1.22.1\nContent-Type: text/html", "<html>\r\n<head><title>429 Too Many Requests</title></head>\r\n<body>\r\n<center><h1>429 Too Many Requests</h1></center>\r\n<hr><center>nginx/1.22.1</center>\r\n</body>\r\n</html>\r\n"),
    ),
    measured(
        "nginx-500", "nginx", &[500], Page(NGINX), Crashed, BlockedPage, "an error of its own: an answer to an auth_request sub-request that is neither 2xx, 401 nor 403, a rewrite that goes in circles, a script", "error.log at the time of the test names it: `auth request unexpected status`, `rewrite or internal redirection cycle`",
        "https://nginx.org/en/docs/http/ngx_http_auth_request_module.html", ("HTTP/1.1 500 Internal Server Error\nServer: nginx/1.22.1\nContent-Type: text/html", "<html>\r\n<head><title>500 Internal Server Error</title></head>\r\n<body>\r\n<center><h1>500 Internal Server Error</h1></center>\r\n<hr><center>nginx/1.22.1</center>\r\n</body>\r\n</html>\r\n"),
    ),
    measured(
        "nginx-403", "nginx", &[403], Page(NGINX), Denied, BlockedPage, "an access rule of its own (deny, return 403, auth_request), or a folder without an index", "error.log: `access forbidden by rule`, `directory index of … is forbidden`",
        "https://nginx.org/en/docs/http/ngx_http_access_module.html", ("HTTP/1.1 403 Forbidden\nServer: nginx/1.22.1\nContent-Type: text/html", "<html>\r\n<head><title>403 Forbidden</title></head>\r\n<body>\r\n<center><h1>403 Forbidden</h1></center>\r\n<hr><center>nginx/1.22.1</center>\r\n</body>\r\n</html>\r\n"),
    ),
    measured(
        "nginx-404", "nginx", &[404], Page(NGINX), NoRoute, WrongPath, "it looks for a file and finds none: no location passes this path on, or another server block answers", "error.log: `open() … failed (2: No such file or directory)`; nginx -T",
        "https://nginx.org/en/docs/http/request_processing.html", ("HTTP/1.1 404 Not Found\nServer: nginx/1.22.1\nContent-Type: text/html", "<html>\r\n<head><title>404 Not Found</title></head>\r\n<body>\r\n<center><h1>404 Not Found</h1></center>\r\n<hr><center>nginx/1.22.1</center>\r\n</body>\r\n</html>\r\n"),
    ),
    measured(
        "nginx-400", "nginx", &[400], Page(NGINX), Unreadable, BlockedPage, "it cannot read the request: a Host that is not valid, or bytes before it, such as the header of the PROXY protocol", "error.log at level info: `client sent invalid …`",
        "https://nginx.org/en/docs/http/ngx_http_core_module.html#server_name", ("HTTP/1.1 400 Bad Request\nServer: nginx/1.22.1\nContent-Type: text/html\nConnection: close", "<html>\r\n<head><title>400 Bad Request</title></head>\r\n<body>\r\n<center><h1>400 Bad Request</h1></center>\r\n<hr><center>nginx/1.22.1</center>\r\n</body>\r\n</html>\r\n"),
    ),
    documented(
        "nginx-421", "nginx", &[421], Page(NGINX), UnknownHost, BlockedPage, "the name in the TLS handshake and the Host belong to sites with different client certificate settings", "",
        "nginx source, ngx_http_set_virtual_server: client attempted to request the server name different from the one that was negotiated", ("HTTP/1.1 421 Misdirected Request\nServer: nginx/1.22.1", "<html>\r\n<head><title>421 Misdirected Request</title></head>\r\n<body>\r\n<center><h1>421 Misdirected Request</h1></center>\r\n<hr><center>nginx/1.22.1</center>\r\n</body>\r\n</html>\r\n"),
    ),

    // HAProxy.
    measured(
        "haproxy-503", "HAProxy", &[503], Body(&["No server is available to handle this request."]), NoBackend, NoHealthyBackend, "it has no server to send the request to: all are down, or no backend was chosen", "the log's termination state (SC, sC), `show servers state`; the health check",
        HAPROXY_DOC, ("HTTP/1.1 503 Service Unavailable\ncontent-length: 107\ncache-control: no-cache\ncontent-type: text/html", "<html><body><h1>503 Service Unavailable</h1>\nNo server is available to handle this request.\n</body></html>\n"),
    ),
    measured(
        "haproxy-504", "HAProxy", &[504], Body(&["The server didn't respond in time."]), Slow, GatewayTimeout, "the server took the request and did not answer within `timeout server`", "the log's termination state sH",
        HAPROXY_DOC, ("HTTP/1.1 504 Gateway Time-out\ncontent-length: 92\ncache-control: no-cache\ncontent-type: text/html", "<html><body><h1>504 Gateway Time-out</h1>\nThe server didn't respond in time.\n</body></html>\n"),
    ),
    measured(
        "haproxy-502", "HAProxy", &[502], Body(&["The server returned an invalid or incomplete response."]), NoValidAnswer, BadGateway, "the server ended the connection, or answered with what it does not take", "`show errors` on the stats socket; the log's termination state (SH, PH)",
        HAPROXY_DOC, ("HTTP/1.1 502 Bad Gateway\ncontent-length: 107\ncache-control: no-cache\ncontent-type: text/html", "<html><body><h1>502 Bad Gateway</h1>\nThe server returned an invalid or incomplete response.\n</body></html>\n"),
    ),
    measured(
        "haproxy-408", "HAProxy", &[408], Body(&["Your browser didn't send a complete request in time."]), ClientLeft, GatewayTimeout, "no complete request came within `timeout http-request` or `timeout client`: a timeout, and no refusal", "the log's termination state cR",
        HAPROXY_DOC, ("HTTP/1.1 408 Request Time-out\ncontent-length: 110\ncache-control: no-cache\nconnection: close\ncontent-type: text/html", "<html><body><h1>408 Request Time-out</h1>\nYour browser didn't send a complete request in time.\n</body></html>\n"),
    ),
    measured(
        "haproxy-400", "HAProxy", &[400], Body(&["Your browser sent an invalid request."]), Unreadable, BlockedPage, "it does not take the request as valid; since 2.4 that is so of an upgrade without Sec-WebSocket-Key, too", "`show errors` on the stats socket",
        "https://github.com/haproxy/haproxy/issues/1642", ("HTTP/1.1 400 Bad request\ncontent-length: 90\ncache-control: no-cache\nconnection: close\ncontent-type: text/html", "<html><body><h1>400 Bad request</h1>\nYour browser sent an invalid request.\n</body></html>\n"),
    ),
    measured(
        "haproxy-403", "HAProxy", &[403], Body(&["Request forbidden by administrative rules."]), Denied, BlockedPage, "an `http-request deny` of its own refuses it", "the configuration: http-request deny, http-request tarpit",
        HAPROXY_DOC, ("HTTP/1.1 403 Forbidden\ncontent-length: 93\ncache-control: no-cache\ncontent-type: text/html", "<html><body><h1>403 Forbidden</h1>\nRequest forbidden by administrative rules.\n</body></html>\n"),
    ),
    measured(
        "haproxy-429", "HAProxy", &[429], Body(&["You have sent too many requests in a given amount of time."]), Limited, RateLimited, "a limit by stick table (http-request deny deny_status 429)", "the configuration: stick-table, sc_http_req_rate, sc_conn_rate",
        HAPROXY_DOC, ("HTTP/1.1 429 Too Many Requests\ncontent-length: 117\ncache-control: no-cache\ncontent-type: text/html", "<html><body><h1>429 Too Many Requests</h1>\nYou have sent too many requests in a given amount of time.\n</body></html>\n"),
    ),
    measured(
        "haproxy-500", "HAProxy", &[500], Body(&["An internal server error occurred.", "An internal server error occured."]), Crashed, BlockedPage, "an error of its own", "its log, at the time of the test",
        HAPROXY_DOC, ("HTTP/1.1 500 Internal Server Error\ncontent-length: 97\ncache-control: no-cache\ncontent-type: text/html", "<html><body><h1>500 Internal Server Error</h1>\nAn internal server error occurred.\n</body></html>\n"),
    ),
    measured(
        "haproxy-404", "HAProxy", &[404], Body(&["The resource could not be found."]), NoRoute, WrongPath, "a rule of its own answers 404 (http-request deny or return)", "the configuration: use_backend, http-request",
        HAPROXY_DOC, ("HTTP/1.1 404 Not Found\ncontent-length: 83\ncache-control: no-cache\ncontent-type: text/html", "<html><body><h1>404 Not Found</h1>\nThe resource could not be found.\n</body></html>\n"),
    ),

    // Apache httpd.
    measured(
        "apache-plain-http", "Apache httpd", &[400], Body(&["speaking plain HTTP to an SSL-enabled server port"]), WantsTls, TlsFailure, "this port speaks TLS, and was spoken to in plain text", "",
        "httpd source, modules/ssl/ssl_engine_kernel.c", ("HTTP/1.1 400 Bad Request\nServer: Apache/2.4.68 (Debian)\nContent-Type: text/html; charset=iso-8859-1", "<!DOCTYPE HTML PUBLIC \"-//IETF//DTD HTML 2.0//EN\">\n<html><head>\n<title>400 Bad Request</title>\n</head><body>\n<h1>Bad Request</h1>\n<p>Your browser sent a request that this server could not understand.<br />\nReason: You're speaking plain HTTP to an SSL-enabled server port.<br />\n Instead use the HTTPS scheme to access this URL, please.<br />\n</p>\n</body></html>\n"),
    ),
    measured(
        "apache-503", "Apache httpd", &[503], Body(&["The server is temporarily unable to service your"]), NoConnection, NoHealthyBackend, "it cannot connect to the backend (its 503), or is closed for maintenance", "error.log: AH00957, AH01114; after a failure it does not try again for `retry=` seconds (60)",
        APACHE_DOC, ("HTTP/1.1 503 Service Unavailable\nServer: Apache/2.4.68 (Debian)\nContent-Type: text/html; charset=iso-8859-1", "<!DOCTYPE HTML PUBLIC \"-//IETF//DTD HTML 2.0//EN\">\n<html><head>\n<title>503 Service Unavailable</title>\n</head><body>\n<h1>Service Unavailable</h1>\n<p>The server is temporarily unable to service your\nrequest due to maintenance downtime or capacity\nproblems. Please try again later.</p>\n</body></html>\n"),
    ),
    documented(
        "apache-502-dns", "Apache httpd", &[502], Body(&["DNS lookup failure for"]), NoConnection, BadGateway, "it cannot resolve the backend's name", "error.log: AH00898",
        APACHE_DOC, ("HTTP/1.1 502 Proxy Error\nServer: Apache/2.4.68 (Debian)", "<title>502 Proxy Error</title>\n<h1>Proxy Error</h1>\n<p>The proxy server could not handle the request<p>Reason: <strong>DNS lookup failure for: bindplane.internal</strong></p></p>"),
    ),
    measured(
        "apache-502-read", "Apache httpd", &[502], Body(&["Error reading from remote server"]), HangsUp, BadGateway, "the backend ended the connection in place of an answer, or took longer than ProxyTimeout", "error.log: AH01102, AH00898",
        APACHE_DOC, ("HTTP/1.1 502 Proxy Error\nServer: Apache/2.4.68 (Debian)", "<title>502 Proxy Error</title>\n<h1>Proxy Error</h1>\n<p>The proxy server received an invalid\nresponse from an upstream server.<br />\nThe proxy server could not handle the request<p>Reason: <strong>Error reading from remote server</strong></p></p>"),
    ),
    measured(
        "apache-502", "Apache httpd", &[502], Body(&["The proxy server received an invalid"]), NoValidAnswer, BadGateway, "the backend's answer was not valid, or ended too early", "error.log at the time of the test: AH01102, AH01097",
        APACHE_DOC, ("HTTP/1.1 502 Bad Gateway\nServer: Apache/2.4.68 (Debian)", "<!DOCTYPE HTML PUBLIC \"-//IETF//DTD HTML 2.0//EN\">\n<title>502 Bad Gateway</title>\n<h1>Bad Gateway</h1>\n<p>The proxy server received an invalid\nresponse from an upstream server.<br />\n</p>\n"),
    ),
    documented(
        "apache-504", "Apache httpd", &[504], Body(&["The gateway did not receive a timely response"]), Slow, GatewayTimeout, "the backend does not answer in time", "ProxyTimeout, timeout= of ProxyPass",
        APACHE_DOC, ("HTTP/1.1 504 Gateway Timeout\nServer: Apache/2.4.68 (Debian)", "<title>504 Gateway Timeout</title>\n<h1>Gateway Timeout</h1>\n<p>The gateway did not receive a timely response\nfrom the upstream server or application.</p>\n"),
    ),
    documented(
        "apache-421", "Apache httpd", &[421], Body(&["The client needs a new connection for this"]), UnknownHost, BlockedPage, "the Host is not of the site that the TLS handshake named: a hop before it sends another name as SNI than as Host", "the hop before it: SNI and Host to the backend (nginx: proxy_ssl_server_name, proxy_ssl_name)",
        "httpd source, modules/ssl/ssl_engine_kernel.c", ("HTTP/1.1 421 Misdirected Request\nServer: Apache/2.4.68 (Debian)", "<title>421 Misdirected Request</title>\n<h1>Misdirected Request</h1>\n<p>The client needs a new connection for this\nrequest as the requested host name does not match\nthe Server Name Indication (SNI) in use for this\nconnection.</p>\n"),
    ),
    measured(
        "apache-403", "Apache httpd", &[403], Body(&["You don't have permission to access this resource."]), Denied, BlockedPage, "an access rule of its own (Require), or a rewrite rule with [F], refuses it", "error.log: AH01630",
        "https://httpd.apache.org/docs/2.4/howto/access.html", ("HTTP/1.1 403 Forbidden\nServer: Apache/2.4.68 (Debian)\nContent-Type: text/html; charset=iso-8859-1", "<!DOCTYPE HTML PUBLIC \"-//IETF//DTD HTML 2.0//EN\">\n<title>403 Forbidden</title>\n<h1>Forbidden</h1>\n<p>You don't have permission to access this resource.</p>\n"),
    ),
    measured(
        "apache-404", "Apache httpd", &[404], Body(&["The requested URL was not found on this server."]), NoRoute, WrongPath, "it looks for a file and finds none: no ProxyPass takes this path, or another site answers", "apachectl -S; ProxyPass",
        APACHE_DOC, ("HTTP/1.1 404 Not Found\nServer: Apache/2.4.68 (Debian)\nContent-Type: text/html; charset=iso-8859-1", "<!DOCTYPE HTML PUBLIC \"-//IETF//DTD HTML 2.0//EN\">\n<title>404 Not Found</title>\n<h1>Not Found</h1>\n<p>The requested URL was not found on this server.</p>\n"),
    ),
    documented(
        "apache-500", "Apache httpd", &[500], Body(&["The server encountered an internal error or\nmisconfiguration"]), Crashed, BlockedPage, "an error of its own, such as a ProxyPass whose module is not loaded", "error.log: AH01144 (No protocol handler was valid for the URL)",
        APACHE_DOC, ("HTTP/1.1 500 Internal Server Error\nServer: Apache/2.4.68 (Debian)", "<title>500 Internal Server Error</title>\n<p>The server encountered an internal error or\nmisconfiguration and was unable to complete\nyour request.</p>\n"),
    ),

    // Varnish.
    measured(
        "varnish-503", "Varnish", &[503], Body(&["Backend fetch failed"]), NoValidAnswer, NoHealthyBackend, "it got no answer from the backend: refused, too slow, or considered sick", "varnishlog -g request -q 'RespStatus == 503': FetchError",
        "https://varnish-cache.org/docs/7.1/users-guide/troubleshooting.html", ("HTTP/1.1 503 Backend fetch failed\nServer: Varnish\nX-Varnish: 2\nContent-Type: text/html; charset=utf-8", "<!DOCTYPE html>\n<html>\n  <head>\n    <title>503 Backend fetch failed</title>\n  </head>\n  <body>\n    <h1>Error 503 Backend fetch failed</h1>\n    <p>Backend fetch failed</p>\n    <h3>Guru Meditation:</h3>\n    <p>XID: 3</p>\n    <hr>\n    <p>Varnish cache server</p>\n  </body>\n</html>\n"),
    ),
    measured(
        "varnish-synth", "Varnish", &[403, 404, 405, 429, 503], Every(&["Guru Meditation", "Varnish cache server"]), Denied, BlockedPage, "a page of its own, as its VCL says (synth)", "the VCL: return (synth(…))",
        "https://varnish-cache.org/docs/7.1/reference/vcl.html", ("HTTP/1.1 403 Forbidden\nServer: Varnish\nX-Varnish: 2", "<!DOCTYPE html>\n<html>\n  <head>\n    <title>403 Forbidden</title>\n  </head>\n  <body>\n    <h1>Error 403 Forbidden</h1>\n    <p>Forbidden</p>\n    <h3>Guru Meditation:</h3>\n    <p>XID: 2</p>\n    <hr>\n    <p>Varnish cache server</p>\n  </body>\n</html>\n"),
    ),

    // Go and Caddy.
    documented(
        "gorilla-hijack", "a Go server", &[500], Header("sec-websocket-version", ""), CannotHandOver, LbStripsUpgrade, "its WebSocket library saw the upgrade and could not take over the connection: a middleware wraps the response (logging, compression, tracing, authentication)", "its log: `response does not implement http.Hijacker`",
        "https://github.com/go-chi/chi/issues/915, https://github.com/kataras/muxie/issues/12; gorilla/websocket server.go, Upgrade", ("HTTP/1.1 500 Internal Server Error\nContent-Type: text/plain; charset=utf-8\nSec-Websocket-Version: 13\nX-Content-Type-Options: nosniff", "Internal Server Error\n"),
    ),
    documented(
        "hijacker", "a Go program", &[500, 501, 502], Body(&["http.Hijacker", "not a Hijacker", "hijacking not supported", "can't switch protocols using non-Hijacker"]), CannotHandOver, LbStripsUpgrade, "it saw the upgrade and cannot hand over the connection: a middleware wraps the response", "the middleware before it (logging, compression, tracing, authentication)",
        "https://github.com/goji/goji/issues/41, https://github.com/slok/go-http-metrics/issues/28; net/http/httputil ReverseProxy: can't switch protocols using non-Hijacker ResponseWriter", ("HTTP/1.1 500 Internal Server Error\nContent-Type: text/plain; charset=utf-8", "interface conversion: *logger.writer is not http.Hijacker: missing method Hijack\n"),
    ),
    measured(
        "go-plain-http", "a Go server (Caddy, Traefik, Bindplane itself)", &[400], Body(&["Client sent an HTTP request to an HTTPS server."]), WantsTls, TlsFailure, "this port speaks TLS, and was spoken to in plain text", "",
        "Go source, net/http/server.go", ("HTTP/1.0 400 Bad Request", "Client sent an HTTP request to an HTTPS server.\n"),
    ),
    measured(
        "caddy-502", "Caddy", &[502], ByEmpty(&["caddy"]), NoValidAnswer, BadGateway, "it cannot connect to the backend, or got no valid answer", "its log at level error: `dial tcp …`",
        "https://caddyserver.com/docs/caddyfile/directives/reverse_proxy", ("HTTP/1.1 502 Bad Gateway\nServer: Caddy\nContent-Length: 0", ""),
    ),
    measured(
        "caddy-503", "Caddy", &[503], ByEmpty(&["caddy"]), NoBackend, NoHealthyBackend, "no upstream is available: all are marked down, or there is none", "its log at level error: `no upstreams available`; health_uri, fail_duration",
        "https://caddyserver.com/docs/caddyfile/directives/reverse_proxy#health-checks", ("HTTP/1.1 503 Service Unavailable\nServer: Caddy\nContent-Length: 0", ""),
    ),
    measured(
        "caddy-504", "Caddy", &[504], ByEmpty(&["caddy"]), Slow, GatewayTimeout, "the backend does not answer in time", "transport http: dial_timeout, response_header_timeout",
        "https://caddyserver.com/docs/caddyfile/directives/reverse_proxy#the-http-transport", ("HTTP/1.1 504 Gateway Timeout\nServer: Caddy\nContent-Length: 0", ""),
    ),
    measured(
        "caddy-404", "Caddy", &[404], ByEmpty(&["caddy"]), NoRoute, WrongPath, "its file server finds no file for this path: no route sends it to the backend", "the Caddyfile: path matchers (`/v1/ws/*` does not take /v1/ws)",
        "https://caddyserver.com/docs/caddyfile/matchers#path-matchers", ("HTTP/1.1 404 Not Found\nServer: Caddy\nContent-Length: 0", ""),
    ),
    measured(
        "caddy-403", "Caddy", &[403], ByEmpty(&["caddy"]), Denied, BlockedPage, "a rule of its own refuses it (respond 403, a file it may not read)", "the Caddyfile: respond, @denied, forward_auth",
        "https://caddyserver.com/docs/caddyfile/directives/respond", ("HTTP/1.1 403 Forbidden\nServer: Caddy\nContent-Length: 0", ""),
    ),
    documented(
        "go-reverse-proxy-502", "a Go reverse proxy", &[502], Bare, NoValidAnswer, BadGateway, "it cannot connect to the backend, or got no valid answer (Go's ReverseProxy)", "its log: `http: proxy error: …`",
        "Go source, net/http/httputil/reverseproxy.go (defaultErrorHandler)", ("HTTP/1.1 502 Bad Gateway\nDate: Sun, 01 Mar 2026 08:15:30 GMT\nContent-Length: 0", ""),
    ),

    // IIS, http.sys, ARR.
    documented(
        "iis-502-3", "IIS with ARR", &[502], Body(&["HTTP Error 502.3", "502.3 - Bad Gateway", "Web server received an invalid response while acting as a gateway or proxy server", "There was a connection error while trying to route the request"]), NoValidAnswer, BadGateway, "ARR cannot connect to the backend, or it took longer than ARR's timeout (sub-status 502.3)", "the IIS log's sc-substatus and sc-win32-status: 12002 is a timeout, 12029 a refused connection",
        IIS_DOC, ("HTTP/1.1 502 Bad Gateway\nServer: Microsoft-IIS/10.0\nContent-Type: text/html", "<title>502 - Web server received an invalid response while acting as a gateway or proxy server.</title>"),
    ),
    documented(
        "iis-502-4", "IIS with ARR", &[502], Body(&["HTTP Error 502.4", "502.4 - No server"]), NoBackend, BadGateway, "no server of the farm is healthy (sub-status 502.4)", "ARR's server farm: Monitoring and Management, the health test's URL",
        IIS_DOC, ("HTTP/1.1 502 Bad Gateway\nServer: Microsoft-IIS/10.0", "<h2>HTTP Error 502.4 - Bad Gateway</h2>"),
    ),
    documented(
        "iis-502-5", "IIS", &[500, 502], Body(&["HTTP Error 502.5", "HTTP Error 500.3"]), Crashed, BadGateway, "the application behind IIS does not start", "the event log: IIS AspNetCore Module",
        IIS_DOC, ("HTTP/1.1 502 Bad Gateway\nServer: Microsoft-IIS/10.0", "<h2>HTTP Error 502.5 - Process Failure</h2>"),
    ),
    documented(
        "iis-503", "IIS (http.sys)", &[503], Body(&["HTTP Error 503. The service is unavailable."]), Closed, NoHealthyBackend, "http.sys answers: the application pool is stopped, disabled or full", "the application pool; %SystemRoot%\\System32\\LogFiles\\HTTPERR: AppOffline, QueueFull",
        "https://learn.microsoft.com/troubleshoot/developer/webapps/aspnet/site-behavior-performance/error-logging-http-apis", ("HTTP/1.1 503 Service Unavailable\nServer: Microsoft-HTTPAPI/2.0\nContent-Type: text/html; charset=us-ascii", "<HTML><HEAD><TITLE>Service Unavailable</TITLE></HEAD>\r\n<BODY><h2>Service Unavailable</h2>\r\n<hr><p>HTTP Error 503. The service is unavailable.</p>\r\n</BODY></HTML>\r\n"),
    ),
    documented(
        "iis-400-hostname", "IIS (http.sys)", &[400], Body(&["Invalid Hostname"]), UnknownHost, BlockedPage, "no site is bound to the Host that arrives", "the site's bindings; the Host that the hop before it sends",
        "https://learn.microsoft.com/troubleshoot/developer/webapps/aspnet/site-behavior-performance/error-logging-http-apis", ("HTTP/1.1 400 Bad Request\nServer: Microsoft-HTTPAPI/2.0\nContent-Type: text/html; charset=us-ascii", "<HTML><HEAD><TITLE>Bad Request</TITLE></HEAD>\r\n<BODY><h2>Bad Request - Invalid Hostname</h2>\r\n<hr><p>HTTP Error 400. The request hostname is invalid.</p>\r\n</BODY></HTML>\r\n"),
    ),
    documented(
        "iis-404-http-sys", "IIS (http.sys)", &[404], Body(&["HTTP Error 404. The requested resource is not found."]), NoRoute, WrongPath, "no application has registered this address with http.sys", "netsh http show servicestate",
        "https://learn.microsoft.com/troubleshoot/developer/webapps/aspnet/site-behavior-performance/error-logging-http-apis", ("HTTP/1.1 404 Not Found\nServer: Microsoft-HTTPAPI/2.0", "<h2>Not Found</h2>\r\n<hr><p>HTTP Error 404. The requested resource is not found.</p>\r\n"),
    ),
    documented(
        "iis-403-4", "IIS", &[403], Body(&["HTTP Error 403.4", "403.4 - Forbidden"]), WantsTls, TlsFailure, "the site wants TLS (sub-status 403.4)", "SSL Settings of the site",
        IIS_DOC, ("HTTP/1.1 403 Forbidden\nServer: Microsoft-IIS/10.0", "<h2>HTTP Error 403.4 - Forbidden</h2>"),
    ),
    documented(
        "iis-403-7", "IIS", &[403], Body(&["HTTP Error 403.7", "403.7 - Forbidden"]), WantsCertificate, TlsFailure, "the site wants a client certificate (sub-status 403.7)", "SSL Settings of the site",
        IIS_DOC, ("HTTP/1.1 403 Forbidden\nServer: Microsoft-IIS/10.0", "<h2>HTTP Error 403.7 - Forbidden</h2>"),
    ),
    documented(
        "iis-404-filter", "IIS", &[404], Body(&["The request filtering module is configured to deny", "HTTP Error 404.5", "HTTP Error 404.7", "HTTP Error 404.8", "HTTP Error 404.11"]), Denied, WrongPath, "IIS' request filtering refuses it (sub-status 404.5 to 404.19)", "Request Filtering of the site",
        IIS_DOC, ("HTTP/1.1 404 Not Found\nServer: Microsoft-IIS/10.0", "<h2>HTTP Error 404.8 - Not Found</h2><p>The request filtering module is configured to deny a path in the URL that contains a hiddenSegment section.</p>"),
    ),
    documented(
        "iis-404", "IIS", &[404], Body(&["HTTP Error 404.0", "404 - File or directory not found."]), NoRoute, WrongPath, "it looks for a file and finds none: no URL Rewrite rule sends this path to the backend (sub-status 404.0)", "URL Rewrite's inbound rules",
        IIS_DOC, ("HTTP/1.1 404 Not Found\nServer: Microsoft-IIS/10.0", "<h2>404 - File or directory not found.</h2>"),
    ),

    // Whoever says so.
    documented(
        "closed-for-maintenance", "whoever answers", &[503], Body(&["maintenance", "Maintenance", "be back soon", "Back soon"]), Closed, NoHealthyBackend, "a page of its own that says that it is closed for a while", "a maintenance page at whoever ends TLS",
        "RFC 9110 section 15.6.4", ("HTTP/1.1 503 Service Unavailable\nContent-Type: text/html", "<h1>Down for maintenance</h1>"),
    ),
    documented(
        "retry-after", "whoever answers", &[503], Header("retry-after", ""), Closed, NoHealthyBackend, "closed for a while, as Retry-After says: maintenance, or too much to do", "a maintenance page or a limit at whoever ends TLS",
        "RFC 9110 section 10.2.3", ("HTTP/1.1 503 Service Unavailable\nRetry-After: 120", "unavailable"),
    ),
];
