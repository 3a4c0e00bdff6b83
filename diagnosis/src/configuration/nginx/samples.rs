//! nginx' samples: see `configuration/samples.rs`.

use super::Sample;

pub(crate) const SECRETS: &str = r#"
server {
    proxy_set_header Authorization "Basic Q4nary==";
    add_header Set-Cookie "id=Q4nary; Path=/";
    set $backend_token "Q4nary";
    secure_link_secret Q4nary;
    if ($http_x_api_key != "Q4nary") { return 403; }
    proxy_pass http://kim:Q4nary@b.example;
}
"#;

pub(crate) const GOOD: &str = "proxy_http_version 1.1; proxy_set_header Upgrade $http_upgrade; \
                    proxy_set_header Connection \"upgrade\"; proxy_read_timeout 1h; \
                    proxy_send_timeout 1h; proxy_set_header Host $host;";

pub(crate) fn all() -> Vec<Sample> {
    let map = "map $http_upgrade $connection_upgrade { default upgrade; '' close; }\n";
    vec![
        ("all is well", format!("server {{\nlocation / {{ proxy_pass http://b;\n{GOOD} }} }}"), vec![]),
        (
            "nothing is set",
            "server {\nlocation / {\nproxy_pass http://b; } }".to_owned(),
            vec!["headers @3", "timeout 60 @3", "version @3"],
        ),
        (
            "inherited from the server",
            format!("server {{\n{GOOD}\nlocation / {{\nproxy_pass http://b; }} }}"),
            vec![],
        ),
        (
            "inherited from http",
            format!("http {{ {GOOD} server {{\nlocation / {{\nproxy_pass http://b; }} }} }}"),
            vec![],
        ),
        (
            "lost by one header of its own",
            format!("server {{\n{GOOD}\nlocation / {{\nproxy_set_header X-A b;\nproxy_pass http://b; }} }}"),
            vec!["headers @4"],
        ),
        (
            "lost in a nested location",
            format!("server {{ location / {{\n{GOOD}\nproxy_pass http://b;\nlocation /v1/ {{\nproxy_set_header X-A b;\nproxy_pass http://b; }} }} }}"),
            vec!["headers @5"],
        ),
        (
            "the grant is hidden",
            format!("server {{\nproxy_hide_header sec-websocket-extensions;\nlocation / {{\n{GOOD}\nproxy_pass http://b; }} }}"),
            vec!["hides @2"],
        ),
        (
            "further in, another list of what is hidden",
            format!("server {{\nproxy_hide_header Sec-WebSocket-Extensions;\nlocation / {{\n{GOOD}\nproxy_hide_header X-A;\nproxy_pass http://b; }} }}"),
            vec![],
        ),
        (
            "the grant is hidden, and the offer goes as well",
            format!("server {{\nlocation / {{\n{GOOD}\nproxy_set_header Sec-WebSocket-Extensions \"\";\nproxy_hide_header Sec-WebSocket-Extensions;\nproxy_pass http://b; }} }}"),
            vec![],
        ),
        (
            "hidden, and passed by name",
            format!("server {{\nlocation / {{\n{GOOD}\nproxy_hide_header Sec-WebSocket-Extensions;\nproxy_pass_header Sec-WebSocket-Extensions;\nproxy_pass http://b; }} }}"),
            vec![],
        ),
        (
            "Upgrade alone",
            format!("server {{\nlocation / {{\nproxy_pass http://b;\n{}}} }}", GOOD.replace("proxy_set_header Connection \"upgrade\";", "")),
            vec!["headers @3"],
        ),
        (
            "Connection says close",
            format!("server {{\nlocation / {{\nproxy_pass http://b;\n{}}} }}", GOOD.replace("\"upgrade\"", "close")),
            vec!["headers @4"],
        ),
        (
            "a map",
            format!("{map}server {{\nlocation / {{ proxy_pass http://b;\n{} }} }}", GOOD.replace("\"upgrade\"", "$connection_upgrade")),
            vec![],
        ),
        (
            "a map that is wrong",
            format!("map $http_upgrade $cu {{ default close; '' upgrade; }}\nserver {{\nlocation / {{ proxy_pass http://b;\n{} }} }}", GOOD.replace("\"upgrade\"", "$cu")),
            vec!["headers @4"],
        ),
        (
            "a map by pattern",
            format!("map $http_upgrade $cu {{ default close; ~*^WebSocket$ Upgrade; }}\nserver {{\nlocation / {{ proxy_pass http://b;\n{} }} }}", GOOD.replace("\"upgrade\"", "${cu}")),
            vec![],
        ),
        (
            "a map that is not there",
            format!("server {{\nlocation / {{ proxy_pass http://b;\n{} }} }}", GOOD.replace("\"upgrade\"", "$connection_upgrade")),
            vec!["untold @3"],
        ),
        (
            "a variable that is set",
            format!("server {{ set $c upgrade;\nlocation / {{ proxy_pass http://b;\n{} }} }}", GOOD.replace("\"upgrade\"", "$c")),
            vec![],
        ),
        (
            "a variable that is set within an if",
            format!("server {{ set $c upgrade;\nlocation / {{ proxy_pass http://b; if ($http_x) {{ set $c close; }}\n{} }} }}", GOOD.replace("\"upgrade\"", "$c")),
            vec!["untold @3"],
        ),
        (
            "the client's own Connection",
            format!("server {{\nlocation / {{ proxy_pass http://b;\n{} }} }}", GOOD.replace("\"upgrade\"", "$http_connection")),
            vec![],
        ),
        (
            "HTTP/2 to the backend",
            format!("server {{\nlocation / {{ proxy_pass http://b;\n{} }} }}", GOOD.replace("1.1", "2")),
            vec!["h2 @3"],
        ),
        (
            "gRPC",
            "server {\nlocation / {\ngrpc_pass grpc://b; } }".to_owned(),
            vec!["h2 @3"],
        ),
        (
            "a timeout of a minute",
            format!("server {{\nlocation / {{ proxy_pass http://b;\n{} }} }}", GOOD.replace("read_timeout 1h", "read_timeout 1m")),
            vec!["timeout 60 @3"],
        ),
        (
            "a short time to send",
            format!("server {{\nlocation / {{ proxy_pass http://b;\n{} }} }}", GOOD.replace("send_timeout 1h", "send_timeout 5")),
            vec!["send 5 @3"],
        ),
        (
            "a file that was not given may set the headers",
            "server {\nlocation / {\ninclude proxy.conf; proxy_http_version 1.1; proxy_read_timeout 1d; proxy_send_timeout 1d; proxy_pass http://b; } }".to_owned(),
            vec!["untold @3"],
        ),
        (
            "an if that passes elsewhere",
            format!("server {{\nlocation / {{\nif ($http_upgrade) {{ proxy_pass http://ws; }}\nproxy_pass http://b;\n{GOOD} }} }}"),
            vec![],
        ),
        (
            "an if that refuses upgrades",
            format!("server {{\nlocation / {{\nif ($http_upgrade) {{\nreturn 403; }}\nproxy_pass http://b;\n{GOOD} }} }}"),
            vec!["path Some(403) @4"],
        ),
        (
            "an if that refuses all but upgrades",
            format!("server {{\nif ($http_upgrade !~* \"websocket\") {{\nreturn 403; }} location / {{\nproxy_pass http://b;\n{GOOD} }} }}"),
            vec![],
        ),
        (
            "try_files that ends at a named location",
            format!("server {{\nlocation / {{ try_files $uri @b; }}\nlocation @b {{\nproxy_pass http://b; {} }} }}", GOOD.replace("proxy_set_header Connection \"upgrade\";", "")),
            vec!["headers @4"],
        ),
        (
            "try_files that looks for a page before it",
            format!("server {{\nlocation / {{ try_files $uri /index.html @b; }}\nlocation @b {{\nproxy_pass http://b; {} }} }}", GOOD.replace("proxy_read_timeout 1h", "proxy_read_timeout 1m")),
            vec!["disk @2 if there", "timeout 60 @4 if not there"],
        ),
        (
            "try_files that ends at a page",
            "server {\nlocation / {\ntry_files $uri $uri/ /index.html; } }".to_owned(),
            vec!["disk @3"],
        ),
        (
            "an error page in the place of try_files",
            "server {\nerror_page 404 =200 /index.html; location /x {\nreturn 200; } }".to_owned(),
            vec!["disk @2"],
        ),
        (
            "a maintenance page by name",
            "server {\nerror_page 503 @m; location / {\nreturn 503; }\nlocation @m { return 503 x; } }".to_owned(),
            vec!["path Some(503) @3"],
        ),
        (
            "a redirect by port that does not hold",
            format!("server {{ if ($server_port !~ 443) {{ rewrite ^(/.*)$ https://$host$1 permanent; }}\nlocation / {{ proxy_pass http://b;\n{GOOD} }} }}"),
            vec![],
        ),
        (
            "a redirect that waits for a header",
            format!("server {{\nif ($http_x_forwarded_proto != https) {{\nreturn 301 https://$host$request_uri; }} location / {{ proxy_pass http://b;\n{GOOD} }} }}"),
            vec!["loop 301 @3 if seen", "untold @2"],
        ),
        (
            "rewritten to another location",
            format!("server {{\nlocation /v1/ {{ rewrite ^/v1/(.*)$ /b/$1 last; }} location /b/ {{\nproxy_pass http://b;\n{} }} }}", GOOD.replace("1.1", "1.0")),
            vec!["version @4"],
        ),
        (
            "a limit",
            format!("limit_req_zone $binary_remote_addr zone=z:1m rate=2r/s;\nserver {{ limit_req_status 429; location / {{\nlimit_req zone=z burst=5; proxy_pass http://b;\n{GOOD} }} }}"),
            vec!["limit 429 @3"],
        ),
        (
            "asked first, with the upgrade",
            format!("server {{\n{GOOD}\nlocation / {{ auth_request /a; proxy_pass http://b; }}\nlocation = /a {{ proxy_pass http://c; }} }}"),
            vec!["asks @2"],
        ),
        (
            "asked first, without it",
            format!("server {{\n{GOOD}\nlocation / {{\nauth_request /a; proxy_pass http://b; }}\nlocation = /a {{ proxy_set_header X-A b; proxy_pass http://c; }} }}"),
            vec!["untold @4"],
        ),
        (
            "two servers, and none is taken out",
            format!("upstream two {{ server 127.0.0.1:1;\nserver 127.0.0.1:2 max_fails=0; }}\nserver {{ location / {{ proxy_pass http://two;\n{GOOD} }} }}"),
            vec!["unchecked @2"],
        ),
        (
            "a PROXY header is awaited",
            format!("server {{\nlisten 127.0.0.1:443 proxy_protocol; location / {{ proxy_pass http://b;\n{GOOD} }} }}"),
            vec!["awaits @2 if seen"],
        ),
        (
            "an if that only returns",
            format!("server {{\nlocation / {{\nif ($http_x) {{ return 403; }}\nproxy_pass http://b;\n{GOOD} }} }}"),
            vec!["untold @3"],
        ),
    ]
}
