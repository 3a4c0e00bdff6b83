//! What is said to mend a file mends it: each patch is applied by `patch`, taken by
//! the real program, and read again; and for each program a file with the faults
//! that a diff can mend answers 101 once it is patched, and did not before.

use super::{accepted, apache, attached, backend, samples, status};
use std::collections::BTreeMap;
use std::path::Path;
use std::process::Command;
use wss_diagnosis::configuration::{Checked, Kind, Request, check};
use wss_lab::real::{Product, Real};

fn read(text: &str, port: u16) -> Checked {
    let request =
        Request { host: "b.example", port, tls: true, path: "/v1/ws", version: Some((1, 22, 1)) };
    check(&[attached(text)], &request, |_| Some((1, 22, 1))).unwrap()
}

/// The text after its patch, by the real `patch`.
fn patched(text: &str, patch: &str) -> String {
    let folder = tempfile::tempdir().unwrap();
    std::fs::write(folder.path().join("lab.conf"), text).unwrap();
    std::fs::write(folder.path().join("x.patch"), patch).unwrap();
    let done = Command::new("patch")
        .args(["-p1", "--fuzz=0", "-i", "x.patch"])
        .current_dir(folder.path())
        .output()
        .unwrap_or_else(|error| panic!("patch: {error} (./tests/run installs it)"));
    let said = String::from_utf8_lossy(&done.stdout).into_owned();
    assert!(done.status.success() && !said.contains("offset"), "{said}\n{patch}\n{text}");
    std::fs::read_to_string(folder.path().join("lab.conf")).unwrap()
}

/// Takes a text by the real program.
fn takes(id: &str, folder: &Path, text: &str) {
    let config = folder.join("lab.conf");
    let file = config.display().to_string();
    match id {
        "nginx" => {
            let text = super::hosts(text);
            let inner = match text.strip_prefix("http {") {
                Some(inner) => inner.trim_end().strip_suffix('}').unwrap().to_owned(),
                None => text,
            };
            let text = super::http(folder, &inner);
            std::fs::write(&config, &text).unwrap();
            let log = folder.join("error.log").display().to_string();
            accepted("nginx", &["-t", "-e", &log, "-c", &file], &text);
        }
        "haproxy" => {
            // This one has no `ws`, which 2.4 and later have; Debian's does.
            let text = text.replace(" x:1", " 127.0.0.1:1").replace(" ssl crt {pem}", "");
            std::fs::write(&config, &text).unwrap();
            accepted("haproxy", &["-c", "-f", &file], &text);
        }
        "apache" => {
            let text = apache::whole(text)
                .replace("{dir}", &folder.display().to_string())
                .replace("{port}", "12345");
            std::fs::write(&config, &text).unwrap();
            accepted("apache2", &["-t", "-f", &file], &text);
        }
        "envoy" => super::envoy::takes(folder, text),
        "varnish" => super::varnish::takes(folder, text),
        _ => {
            let text = text.replace("x:1", "127.0.0.1:1").replace("x:2", "127.0.0.1:2");
            std::fs::write(&config, &text).unwrap();
            accepted("caddy", &["adapt", "--adapter", "caddyfile", "--config", &file], &text);
        }
    }
}

#[test]
fn patches_are_taken_and_mend_what_they_name() {
    let folder = tempfile::tempdir().unwrap();
    std::fs::write(folder.path().join("proxy.conf"), "").unwrap();
    let mut count = BTreeMap::new();
    for (id, all) in samples::all() {
        for (about, text, _) in all {
            let checked = read(&text, 443);
            let reading = &checked.readings[0];
            if reading.patch.is_empty() {
                continue;
            }
            let after = patched(&text, &reading.patch);
            if !super::NOT_HERE.iter().any(|(name, _)| *name == about) {
                takes(id, folder.path(), &after);
            }
            let again = read(&after, 443);
            let left = &again.readings[0].issues;
            for issue in
                reading.issues.iter().filter(|i| !i.edits.is_empty() && i.provided.is_none())
            {
                let same = |kind: &Kind| {
                    std::mem::discriminant(kind) == std::mem::discriminant(&issue.kind)
                };
                assert!(
                    !left.iter().any(|i| same(&i.kind)),
                    "{id}: {about}: {:?} is still there\n{}\n{after}\n{left:?}",
                    issue.kind,
                    reading.patch
                );
            }
            *count.entry(id).or_insert(0) += 1;
        }
    }
    assert!(count.len() == 6 && count.values().all(|count| *count > 3), "{count:?}");
}

const NGINX: &str = "worker_processes 1;\npid {dir}/pid; error_log {dir}/error.log; events {}\nhttp { access_log off;\n\
    client_body_temp_path {dir}/a; proxy_temp_path {dir}/b; fastcgi_temp_path {dir}/c;\n\
    uwsgi_temp_path {dir}/d; scgi_temp_path {dir}/e;\nserver {\n    listen 127.0.0.1:{port};\n    \
    proxy_set_header X-Real-IP $remote_addr;\n    location / {\n        proxy_pass http://{backend};\n    }\n}\n}\n";
const HAPROXY: &str = "defaults\n    mode http\n    timeout connect 5s\n    timeout client 30s\n    timeout server 30s\n\
    frontend f\n    bind 127.0.0.1:{port}\n    http-request del-header Upgrade\n    default_backend b\n\
    backend b\n    server s {backend}\n";
const APACHE: &str = "<VirtualHost *:{port}>\n    ServerName b.example\n    SetEnv force-proxy-request-1.0 1\n    \
    ProxyPass /app http://{backend}/\n    ProxyPass / http://{backend}/\n</VirtualHost>\n";
const CADDY: &str = "{\n\tadmin off\n\tauto_https off\n}\nhttp://b.example:{port} {\n\trequest_header -Upgrade\n\t\
    reverse_proxy {backend} {\n\t\theader_up -Connection\n\t\ttransport http {\n\t\t\tread_timeout 3s\n\t\t}\n\t}\n}\n";

const ENVOY: &str = "static_resources:\n  listeners:\n  - name: console\n    address:\n      socket_address: { address: 127.0.0.1, port_value: {port} }\n    \
    filter_chains:\n    - filters:\n      - name: m\n        typed_config:\n          \
    \"@type\": type.googleapis.com/envoy.extensions.filters.network.http_connection_manager.v3.HttpConnectionManager\n          \
    stat_prefix: m\n          route_config:\n            virtual_hosts:\n            - name: h\n              domains: [\"*\"]\n              \
    request_headers_to_remove:\n              - x-a\n              - connection\n              routes:\n              \
    - match: { prefix: / }\n                route:\n                  cluster: console\n                  idle_timeout: 3s\n          \
    http_filters:\n          - name: r\n            typed_config: { \"@type\": type.googleapis.com/envoy.extensions.filters.http.router.v3.Router }\n  \
    clusters:\n  - name: console\n    connect_timeout: 5s\n    load_assignment:\n      cluster_name: console\n      \
    endpoints: [{ lb_endpoints: [{ endpoint: { address: { socket_address: { address: 127.0.0.1, port_value: {backend-port} } } } }] }]\n";

const VARNISH: &str = "vcl 4.1;\nbackend default { .host = \"127.0.0.1\"; .port = \"{backend-port}\"; }\nsub vcl_recv {\n    \
    if (req.url ~ \"^/app/\") {\n        return (synth(404));\n    }\n    return (hash);\n}\nsub vcl_pipe {\n    \
    set bereq.http.Connection = \"close\";\n}\n";

#[test]
fn what_is_patched_opens_sockets() {
    for (product, template) in [
        (Product::Nginx, NGINX.to_owned()),
        (Product::Haproxy, HAPROXY.to_owned()),
        (Product::Apache, apache::whole(APACHE)),
        (Product::Caddy, CADDY.to_owned()),
        (Product::Envoy, ENVOY.to_owned()),
        (Product::Varnish, VARNISH.to_owned()),
    ] {
        let own = backend();
        let values = BTreeMap::from([
            ("backend", own.to_string()),
            ("backend-port", own.port().to_string()),
        ]);
        let mut template = template;
        let mut answers = Vec::new();
        // One line at a time may hide another: Caddy's two headers.
        for _ in 0..3 {
            let real = Real::start(product, &template, &values).unwrap();
            let port = real.addr.port();
            let answer = status(real.addr, "b.example", "/v1/ws");
            answers.push(answer);
            if answer == 101 {
                break;
            }
            let text = std::fs::read_to_string(real.config_file()).unwrap();
            let checked = read(&text, port);
            let after = patched(&text, &checked.readings[0].patch);
            // Started anew at a port of its own.
            template = after.replace(&format!(":{port}"), ":{port}");
            template = template.replace(&format!("port_value: {port} "), "port_value: {port} ");
            let folder = real.config_file().parent().unwrap().display().to_string();
            template = template.replace(&folder, "{dir}");
        }
        // Envoy refuses what it does not let through by itself.
        let first = if product == Product::Envoy { 403 } else { 400 };
        assert_eq!(answers.first(), Some(&first), "{product:?} {answers:?}");
        assert_eq!(answers.last(), Some(&101), "{product:?} {answers:?}\n{template}");
    }
}
