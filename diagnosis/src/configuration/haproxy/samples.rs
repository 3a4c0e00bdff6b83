//! HAProxy's samples: see `configuration/samples.rs`.

use super::Sample;

pub(crate) const SECRETS: &str = r#"
userlist admins
    user root password $5$Q4nary$x
    user joe insecure-password Q4nary
listen stats
    stats auth admin:Q4nary
    http-request set-header X-Token Q4nary
    http-check send meth GET uri /health hdr Authorization "Basic Q4nary"
    setenv KEY Q4nary
"#;

pub(crate) fn all() -> Vec<Sample> {
    let defaults =
        "defaults\n mode http\n timeout client 1h\n timeout server 1h\n timeout tunnel 1h\n";
    let all = [
        (
            "all is well",
            "frontend f\n bind :443\n default_backend b\nbackend b\n server s x:1\n",
            vec![],
        ),
        ("a listen", "listen f\n bind :443\n server s x:1\n", vec![]),
        (
            "the header goes",
            "frontend f\n bind :443\n http-request del-header Upgrade\n default_backend b\nbackend b\n server s x:1\n",
            vec!["headers @8"],
        ),
        (
            "the header goes in the backend, under a condition",
            "frontend f\n bind :443\n default_backend b\nbackend b\n http-request del-header Connection if { path_beg /v1/ }\n server s x:1\n",
            vec!["headers @10"],
        ),
        (
            "the grant is hidden",
            "frontend f\n bind :443\n http-response del-header Sec-WebSocket-Extensions\n default_backend b\nbackend b\n server s x:1\n",
            vec!["hides @8"],
        ),
        (
            "the grant is hidden, and the offer goes as well",
            "frontend f\n bind :443\n http-request del-header Sec-WebSocket-Extensions\n default_backend b\nbackend b\n http-response del-header Sec-WebSocket-Extensions\n server s x:1\n",
            vec![],
        ),
        (
            "the grant is hidden for another path",
            "frontend f\n bind :443\n default_backend b\nbackend b\n http-response del-header sec-websocket-extensions if { capture.req.uri -m beg /x/ }\n server s x:1\n",
            vec!["untold @10"],
        ),
        (
            "a condition that does not hold",
            "frontend f\n bind :443\n http-request del-header Upgrade if { path_beg /x/ }\n default_backend b\nbackend b\n server s x:1\n",
            vec![],
        ),
        (
            "a condition that nobody knows",
            "frontend f\n bind :443\n http-request del-header Upgrade if { src 192.0.2.1 }\n default_backend b\nbackend b\n server s x:1\n",
            vec!["untold @8"],
        ),
        (
            "denied",
            "frontend f\n bind :443\n http-request deny deny_status 404 if { path_beg /v1/ }\n default_backend b\nbackend b\n server s x:1\n",
            vec!["path Some(404) @8"],
        ),
        (
            "no backend for the path",
            "frontend f\n bind :443\n use_backend b if { path_beg /app }\nbackend b\n server s x:1\n",
            vec!["path Some(503) @6"],
        ),
        (
            "a backend by path",
            "frontend f\n bind :443\n acl ws hdr(Upgrade) -i websocket\n use_backend w if ws\n default_backend b\nbackend b\n server s x:1\nbackend w\n timeout tunnel 50000\n server s x:1\n",
            vec!["timeout 50 @14"],
        ),
        (
            "h2 to the backend",
            "frontend f\n bind :443\n default_backend b\nbackend b\n server s x:1 proto h2\n",
            vec!["h2 @10"],
        ),
        (
            "h2 with ws h1",
            "frontend f\n bind :443\n default_backend b\nbackend b\n server s x:1 proto h2 ws h1\n",
            vec![],
        ),
        (
            "the path moves",
            "frontend f\n bind :443\n http-request set-path /x%[path]\n default_backend b\nbackend b\n server s x:1\n",
            vec!["untold @8"],
        ),
        (
            "a redirect that does not hold",
            "frontend f\n bind :443 ssl crt {pem}\n http-request redirect scheme https unless { ssl_fc }\n default_backend b\nbackend b\n server s x:1\n",
            vec![],
        ),
        (
            "a name in a variable",
            "frontend f\n bind :443\n http-request set-var(txn.h) hdr(host),field(1,:)\n use_backend %[var(txn.h),field(1,.)] if { var(txn.h) -m end example }\nbackend b\n timeout tunnel 9s\n server s x:1\n",
            vec!["timeout 9 @11"],
        ),
        (
            "a map",
            "frontend f\n bind :443\n use_backend %[hdr(host),lower,map_str(/dev/null,b)]\nbackend b\n server s x:1\n",
            vec!["untold @8"],
        ),
        (
            "start-up decides, and the file tells",
            "frontend f\n bind :443\n default_backend b\nbackend b\n .if streq(a,b)\n timeout tunnel 7s\n .else\n timeout tunnel 8s\n .endif\n server s x:1\n",
            vec!["timeout 8 @13"],
        ),
        (
            "start-up decides, and the environment tells",
            "frontend f\n bind :443\n default_backend b\nbackend b\n .if defined(X)\n timeout tunnel 7s\n .endif\n server s x:1\n",
            vec!["untold @11"],
        ),
        (
            "a rate",
            "frontend f\n bind :443\n stick-table type ip size 1k store http_req_rate(10s)\n http-request track-sc0 src\n http-request deny deny_status 429 if { sc_http_req_rate(0) gt 9 }\n default_backend b\nbackend b\n server s x:1\n",
            vec!["limit 429 @10"],
        ),
        (
            "two servers without check",
            "frontend f\n bind :443\n default_backend b\nbackend b\n server s x:1\n server t x:1 check\n",
            vec!["unchecked @10"],
        ),
        (
            "the tunnel's time is taken back",
            "frontend f\n bind :443\n default_backend b\nbackend b\n timeout tunnel 1m\n server s x:1 send-proxy\n",
            vec!["sends @11 if seen", "timeout 60 @10"],
        ),
        (
            "tcp",
            "frontend f\n bind :443\n mode tcp\n timeout client 30s\n default_backend b\nbackend b\n mode tcp\n timeout tunnel 2h\n server s x:1\n",
            vec![],
        ),
    ];
    let whole = |(about, text, expected)| (about, format!("{defaults}{text}"), expected);
    all.into_iter().map(whole).collect()
}
