//! What the configurations that were given say about the request that was
//! probed, beside what the probe saw.
//!
//! "Confirmed" only where the probe saw the effect: then the finding is an error,
//! explains the claim, and settles which of its readings is the right one. A file
//! alone claims nothing: it may not be the one that runs, and another hop may do
//! the same.
//!
//! The judge asks these last, with the claims of all other rules: `seen` compares,
//! `settle` mends the claim, `words` says why the probe need not have seen it.

mod seen;
mod settle;
mod words;

pub(crate) use settle::{Settled, settle};

use super::{Check, Rule};

pub(super) const HEADERS: Rule = Rule {
    id: "config-upgrade-headers",
    title: "The configuration does not send the upgrade on",
    looks_for: "in the location or backend that takes the WebSocket's path (--config): no Upgrade \
                or Connection, HTTP/1.0, headers lost because a nested location sets its own",
    why: "nginx drops Upgrade and Connection unless proxy_set_header sends them, inherits \
          proxy_set_header only where a block has none of its own, and speaks HTTP/1.0 to backends \
          before 1.29.7",
    remedy: "the lines to write, and where",
    check: Check::Settled,
};
pub(super) const HTTP2: Rule = Rule {
    id: "config-http2",
    title: "The configuration speaks HTTP/2 to the backend",
    looks_for: "proxy_http_version 2, grpc_pass, or a HAProxy server with proto h2 or alpn h2 and \
                without ws h1",
    why: "an upgrade cannot cross to an HTTP/2 backend without RFC 8441",
    remedy: "HTTP/1.1 to the backend",
    check: Check::Settled,
};
pub(super) const TIMEOUT: Rule = Rule {
    id: "config-timeout",
    title: "The configuration cuts silent connections",
    looks_for: "proxy_read_timeout, proxy_send_timeout, timeout tunnel, client or server under \
                3600 s, set or by default",
    why: "the console's socket may be silent for long; nginx' default is 60 s",
    remedy: "3600 s",
    check: Check::Settled,
};
pub(super) const PATH_RULE: Rule = Rule {
    id: "config-path-rule",
    title: "The configuration does not send the path to Bindplane",
    looks_for: "the location that takes the WebSocket's path as nginx finds it (try_files, \
                error_page and redirects included), or HAProxy's use_backend, deny and \
                default_backend, ending the request with an answer of its own",
    why: "a path rule for the pages alone leaves the WebSocket's path to whatever comes next",
    remedy: "send the path to Bindplane, too",
    check: Check::Settled,
};
pub(super) const HOST: Rule = Rule {
    id: "config-host",
    title: "The configuration hides the browser's Host",
    looks_for: "no proxy_set_header Host, or one that drops or changes the port ($host), where the \
                server refused the browser's Origin",
    why: "gorilla/websocket compares Origin with Host, and nginx sends the backend's name unless told",
    remedy: "pass the Host on",
    check: Check::Settled,
};
pub(super) const EXTENSIONS: Rule = Rule {
    id: "config-extensions",
    title: "The configuration hides what was agreed about compression",
    looks_for: "proxy_hide_header Sec-WebSocket-Extensions (nginx), or http-response del-header of it \
                (HAProxy), where the offer is sent on",
    why: "the server grants compression and compresses; a browser that does not see the grant fails \
          the connection at the first compressed frame (RFC 7692 section 6)",
    remedy: "let the header through, or remove it from requests as well",
    check: Check::Settled,
};
pub(super) const LIMIT: Rule = Rule {
    id: "config-limit",
    title: "The configuration limits requests or connections",
    looks_for: "limit_req, limit_conn (nginx), rules on stick tables, maxconn of a server (HAProxy)",
    why: "what is above the limit gets a 503 or 429 that looks like a missing backend; the \
          collector opens more sockets in a second than a browser does",
    remedy: "room for a browser's handshakes: a burst, or a limit for upgrades of their own",
    check: Check::Settled,
};
pub(super) const PROXY_PROTOCOL: Rule = Rule {
    id: "config-proxy-protocol",
    title: "One side speaks the PROXY protocol and the other does not",
    looks_for: "listen … proxy_protocol or accept-proxy against a server line without send-proxy, \
                and the reverse, where the probe's connection ended or got plain text",
    why: "who waits for a PROXY header ends a connection that begins otherwise; who does not \
          expect one takes it for a request (400 in plain text)",
    remedy: "both sides alike",
    check: Check::Settled,
};
pub(super) const NODES: Rule = Rule {
    id: "config-nodes",
    title: "Nobody checks the servers",
    looks_for: "several servers without `check` (HAProxy), with max_fails=0 or \
                proxy_next_upstream off (nginx)",
    why: "a server that fails, or has no WebSocket, stays in the rotation",
    remedy: "a health check on the path of the socket",
    check: Check::Settled,
};
pub(super) const RELOAD: Rule = Rule {
    id: "config-reload",
    title: "A reload ends every connection",
    looks_for: "worker_shutdown_timeout (nginx), hard-stop-after (HAProxy)",
    why: "connections that live for hours meet every reload; all end in the same moment",
    remedy: "a longer time, or fewer reloads",
    check: Check::Settled,
};
pub(super) const SUBREQUEST: Rule = Rule {
    id: "config-subrequest",
    title: "What is asked first gets the upgrade as well",
    looks_for: "auth_request whose location sends Upgrade on, set or inherited",
    why: "a session service refuses an upgrade, and nginx makes 500 of that (ngx_http_auth_request_module)",
    remedy: "clear Upgrade and Connection there",
    check: Check::Settled,
};
pub(super) const NO_EFFECT: Rule = Rule {
    id: "config-no-effect",
    title: "What was written is read by nobody",
    looks_for: "annotations of Kubernetes' objects that the controller does not read: another \
                program's, of no such name, on the wrong object, or with a value that it refuses",
    why: "no program says that it ignores an annotation: the default stays in effect, and the file \
          looks right",
    remedy: "what is read, and where",
    check: Check::Settled,
};
pub(super) const TARGETS: Rule = Rule {
    id: "config-targets",
    title: "Nobody behind takes requests",
    looks_for: "a target group without registered targets, with none in use, or with none that passes \
                its checks",
    why: "a load balancer without targets answers 503 itself; one whose targets all fail their checks \
          asks them all the same (AWS: fail open)",
    remedy: "targets that are registered and pass",
    check: Check::Settled,
};
pub(super) const NOT_IN_EFFECT: Rule = Rule {
    id: "config-not-in-effect",
    title: "The configuration would forward the upgrade",
    looks_for: "a configuration that sends the upgrade on, where the probe saw it stripped",
    why: "the file that was given is then not the one that runs, or another hop strips",
    remedy: "compare with what runs (nginx -T), or look at the next hop",
    check: Check::Settled,
};
pub(super) const UNTOLD: Rule = Rule {
    id: "config-cannot-tell",
    title: "What the configuration does cannot be told",
    looks_for: "files that are not understood or were not given, variables, conditions and rewrites \
                that decide",
    why: "a guess would be worse than none",
    remedy: "give the missing files",
    check: Check::Settled,
};
