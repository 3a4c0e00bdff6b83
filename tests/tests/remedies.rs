//! Every snippet that a remedy gives is put to the real program: it takes it,
//! and has nothing to warn of.
#![allow(clippy::unwrap_used, clippy::expect_used, reason = "a test may panic")]

use std::path::Path;
use std::process::{Command, Output};
use wss_diagnosis::remedy::snippets::{Known, Purpose, all};
use wss_lab::lab::config::CertificateKind;
use wss_lab::lab::{Lab, LabConfig};
use wss_lab::real::Product;

fn known(device: &str) -> Vec<&'static Known> {
    all().filter(|known| known.devices.contains(&device) && !known.text.is_empty()).collect()
}

/// Names that do not exist here, put in the place of ones that do.
fn local(text: &str) -> String {
    text.replace("bindplane.internal:3001", "127.0.0.1:3001")
}

fn run(program: &str, args: &[&str]) -> Output {
    Command::new(program)
        .args(args)
        .env("PATH", "/usr/sbin:/usr/bin:/sbin:/bin")
        .output()
        .unwrap_or_else(|error| panic!("{program}: {error} (./tests/run installs it)"))
}

#[track_caller]
fn accepted(output: &Output, config: &str) {
    let said = [&output.stdout[..], &output.stderr[..]].concat();
    let said = String::from_utf8_lossy(&said);
    assert!(output.status.success(), "{said}\n{config}");
    for word in ["warn", "WARN", "deprecated", "ERROR"] {
        assert!(!said.contains(word), "{said}\n{config}");
    }
}

fn write(folder: &Path, config: &str) -> String {
    let file = folder.join("config");
    std::fs::write(&file, config).unwrap();
    file.display().to_string()
}

#[test]
fn nginx() {
    let folder = tempfile::tempdir().unwrap();
    let dir = folder.path().display();
    for one in known("nginx") {
        let text = local(one.text);
        let (http, server) =
            match (one.purpose, text.split_once("# in the server { … } of this host")) {
                (Purpose::Forward, Some((http, server))) => (http.to_owned(), server.to_owned()),
                _ => (
                    String::new(),
                    format!("location / {{ proxy_pass http://127.0.0.1:3001;\n{text} }}"),
                ),
            };
        let config = format!(
            "pid {dir}/pid; error_log {dir}/error.log; events {{}}\nhttp {{ access_log off;\n\
             client_body_temp_path {dir}/a; proxy_temp_path {dir}/b; fastcgi_temp_path {dir}/c;\n\
             uwsgi_temp_path {dir}/d; scgi_temp_path {dir}/e;\n{http}\n\
             server {{ listen 127.0.0.1:8; {server} }} }}"
        );
        let file = write(folder.path(), &config);
        accepted(&run("nginx", &["-t", "-e", &format!("{dir}/error.log"), "-c", &file]), &config);
    }
}

#[tokio::test]
async fn haproxy() {
    let lab = Lab::start(&LabConfig::default()).await.unwrap();
    let (cert, key) = lab.pki.write_identity("h", &lab.host, CertificateKind::Valid).unwrap();
    let folder = tempfile::tempdir().unwrap();
    let both = folder.path().join("both.pem");
    let pem = [cert, key].map(|path| std::fs::read_to_string(path).unwrap()).concat();
    std::fs::write(&both, pem).unwrap();
    for one in known("haproxy") {
        let text = local(one.text)
            .replace("/etc/haproxy/certs/bindplane.pem", &both.display().to_string());
        let config = match one.purpose {
            Purpose::Forward => format!("{text}\n"),
            _ => format!(
                "defaults\n    mode http\n    timeout connect 9s\n    timeout client 9s\n    \
                 timeout server 9s\n{text}\nfrontend f\n    bind 127.0.0.1:8\n    \
                 default_backend b\nbackend b\n    server s 127.0.0.1:9\n"
            ),
        };
        accepted(&run("haproxy", &["-c", "-f", &write(folder.path(), &config)]), &config);
    }
}

#[test]
fn apache() {
    let folder = tempfile::tempdir().unwrap();
    let dir = folder.path().display();
    for one in known("apache") {
        let modules: String = ["mpm_event", "authz_core", "proxy", "proxy_http"]
            .iter()
            .map(|m| format!("LoadModule {m}_module /usr/lib/apache2/modules/mod_{m}.so\n"))
            .collect();
        let config = format!(
            "ServerRoot {dir}\nServerName localhost\nPidFile {dir}/pid\nErrorLog {dir}/error.log\n\
             Listen 127.0.0.1:8\n{modules}{}\n",
            local(one.text)
        );
        accepted(&run("apache2", &["-t", "-f", &write(folder.path(), &config)]), &config);
    }
}

#[test]
fn caddy() {
    let folder = tempfile::tempdir().unwrap();
    for one in known("caddy") {
        let config = format!("{}\n", local(one.text));
        let file = write(folder.path(), &config);
        let output = Command::new("caddy")
            .args(["validate", "--adapter", "caddyfile", "--config", &file])
            .env("XDG_DATA_HOME", folder.path())
            .env("XDG_CONFIG_HOME", folder.path())
            .output()
            .expect("caddy (./tests/run installs it)");
        let said = String::from_utf8_lossy(&output.stderr).into_owned();
        assert!(output.status.success(), "{said}\n{config}");
        assert!(!said.contains("\"level\":\"warn\""), "{said}");
    }
}

#[tokio::test]
async fn squid() {
    let lab = Lab::start(&LabConfig::default()).await.unwrap();
    let folder = tempfile::tempdir().unwrap();
    let both = folder.path().join("ca.pem");
    std::fs::write(&both, lab.pki.corporate.pem() + &lab.pki.corporate.key_pem()).unwrap();
    for one in known("squid") {
        let config = format!(
            "http_port 127.0.0.1:8 ssl-bump tls-cert={} generate-host-certificates=on\n\
             pid_filename {dir}/pid\ncache_log {dir}/log\ncache_effective_user proxy\n\
             visible_hostname lab\nhttp_access allow all\n{}\nssl_bump peek all\n",
            both.display(),
            one.text,
            dir = folder.path().display()
        );
        let output = run("squid", &["-k", "parse", "-f", &write(folder.path(), &config)]);
        let said = String::from_utf8_lossy(&output.stderr).into_owned();
        assert!(output.status.success(), "{said}");
        for word in ["WARNING", "ERROR", "FATAL", "unrecognized"] {
            assert!(!said.contains(word), "{said}");
        }
    }
}

/// Indented, without comments.
fn indented(text: &str, by: usize) -> String {
    let lines = text.lines().filter(|line| !line.starts_with('#'));
    lines.map(|line| format!("{}{line}\n", " ".repeat(by))).collect()
}

#[test]
fn envoy() {
    let folder = tempfile::tempdir().unwrap();
    let program =
        Product::Envoy.find().unwrap_or_else(|| panic!("{}", Product::Envoy.how_to_get()));
    for one in known("envoy") {
        let (manager, cluster) = match one.purpose {
            Purpose::Http1 => (String::new(), indented(one.text, 4)),
            _ => (indented(one.text, 10), String::new()),
        };
        let config = format!(
            r#"static_resources:
  listeners:
  - address: {{ socket_address: {{ address: 127.0.0.1, port_value: 8 }} }}
    filter_chains:
    - filters:
      - name: envoy.filters.network.http_connection_manager
        typed_config:
          "@type": type.googleapis.com/envoy.extensions.filters.network.http_connection_manager.v3.HttpConnectionManager
          stat_prefix: lab
          route_config:
            virtual_hosts:
            - name: all
              domains: ["*"]
              routes: [{{ match: {{ prefix: / }}, route: {{ cluster: bindplane }} }}]
          http_filters:
          - name: envoy.filters.http.router
            typed_config: {{ "@type": type.googleapis.com/envoy.extensions.filters.http.router.v3.Router }}
{manager}  clusters:
  - name: bindplane
{cluster}    load_assignment:
      cluster_name: bindplane
      endpoints:
      - lb_endpoints:
        - endpoint: {{ address: {{ socket_address: {{ address: 127.0.0.1, port_value: 9 }} }} }}
"#
        );
        let file = folder.path().join("envoy.yaml");
        std::fs::write(&file, &config).unwrap();
        let output = Command::new(&program)
            .args(["--mode", "validate", "-l", "warning", "-c", &file.display().to_string()])
            .output()
            .unwrap();
        let said = [&output.stdout[..], &output.stderr[..]].concat();
        let said = String::from_utf8_lossy(&said);
        assert!(output.status.success(), "{said}\n{config}");
        assert!(!said.contains("eprecated"), "{said}\n{config}");
    }
}

/// A snippet for a device that no signature can name would never be shown.
#[test]
fn every_device_of_a_snippet_has_a_signature() {
    let ids: Vec<&str> =
        wss_diagnosis::signature::Signatures::built_in().iter().map(|s| s.id.as_str()).collect();
    for one in all() {
        for device in one.devices {
            assert!(ids.contains(device), "{device}");
        }
    }
}

#[test]
fn varnish() {
    let folder = tempfile::tempdir().unwrap();
    for one in known("varnish").into_iter().filter(|one| one.language == "vcl") {
        let vcl = format!(
            "vcl 4.1;\nbackend default {{ .host = \"127.0.0.1\"; .port = \"9\"; }}\n{}\n",
            one.text
        );
        let file = write(folder.path(), &vcl);
        let output =
            run("varnishd", &["-C", "-f", &file, "-n", &folder.path().display().to_string()]);
        let said = String::from_utf8_lossy(&output.stderr).into_owned();
        // It prints the program that it makes of it, where there is nothing to say.
        let complaint = said.lines().find(|line| line.contains("Message from VCC-compiler"));
        assert!(output.status.success() && complaint.is_none(), "{said}\n{vcl}");
    }
}

#[test]
fn lighttpd() {
    let folder = tempfile::tempdir().unwrap();
    for one in known("lighttpd") {
        let config = format!(
            "server.document-root = \"{}\"\nserver.port = 8\nserver.modules = ( \"mod_proxy\" )\n{}\n",
            folder.path().display(),
            one.text
        );
        accepted(&run("lighttpd", &["-tt", "-f", &write(folder.path(), &config)]), &config);
    }
}

#[test]
fn h2o() {
    let folder = tempfile::tempdir().unwrap();
    for one in known("h2o") {
        let config = format!(
            "listen:\n  port: 8\n  host: 127.0.0.1\nhosts:\n  default:\n    paths:\n      /:\n        \
             proxy.reverse.url: http://127.0.0.1:9/\n        {}\n",
            one.text
        );
        accepted(&run("h2o", &["-t", "-c", &write(folder.path(), &config)]), &config);
    }
}
