//! `--config`: what is read is listed, attached without secrets, and checked.

use crate::server::{Server, Upgrades, run, text};
use std::path::Path;
use wss_bundle::AttachmentKind;
use wss_bundle::read::{self, Limits};

fn write(folder: &Path, port: u16) {
    std::fs::create_dir_all(folder.join("lb/conf.d")).unwrap();
    std::fs::write(folder.join("lb/nginx.conf"), "http {\n  include conf.d/*.conf;\n}\n").unwrap();
    std::fs::write(
        folder.join("lb/conf.d/site.conf"),
        format!(
            "server {{\n  listen {port};\n  location / {{\n    \
             proxy_set_header Authorization \"Basic S3cretS3cret\";\n    \
             proxy_pass http://127.0.0.1:3001;\n  }}\n}}\n"
        ),
    )
    .unwrap();
}

#[test]
fn a_configuration_is_attached_without_secrets_and_checked() {
    let folder = tempfile::tempdir().unwrap();
    let server = Server::start(Upgrades::Stripped);
    write(folder.path(), server.port);
    let url = server.url();
    let args =
        ["--config", "lb/nginx.conf", "--hold", "0", "--timeout", "2s", "-o", "out.zip", "--json"];
    let output = run(folder.path(), &[&[url.as_str()], &args[..]].concat());
    assert_eq!(output.status.code(), Some(1), "{}", text(&output.stderr));
    let json: serde_json::Value = serde_json::from_slice(&output.stdout).unwrap();
    let diagnosis = &json["diagnosis"];
    assert_eq!(diagnosis["verdict"]["cause"], "lb-strips-upgrade", "{json}");
    let found = diagnosis["findings"].as_array().unwrap();
    let found = found.iter().find(|f| f["rule"] == "config-upgrade-headers").unwrap();
    assert_eq!(found["severity"], "error", "{found}");
    assert!(
        found["evidence"][0]["excerpt"].as_str().unwrap().starts_with("lb/conf.d/site.conf line 5"),
        "{found}"
    );
    let opened = read::file(&folder.path().join("out.zip"), &Limits::default()).unwrap();
    let paths: Vec<_> = opened.bundle.attachments.iter().map(|a| a.path.clone().unwrap()).collect();
    assert_eq!(paths, ["lb/nginx.conf", "lb/conf.d/site.conf"]);
    for attachment in &opened.bundle.attachments {
        assert_eq!(attachment.kind, AttachmentKind::Configuration);
        let content = String::from_utf8_lossy(&attachment.bytes).into_owned();
        assert!(!content.contains("S3cret"), "{content}");
    }
    assert!(opened.bundle.redactions.iter().any(|r| r.place == "line 4"));
}

#[test]
fn a_dry_run_lists_the_included_files_too() {
    let folder = tempfile::tempdir().unwrap();
    let server = Server::start(Upgrades::Work);
    write(folder.path(), server.port);
    let output = run(folder.path(), &[&server.url(), "--config", "lb/nginx.conf", "--dry-run"]);
    let said = text(&output.stdout);
    assert_eq!(output.status.code(), Some(0), "{said}");
    for part in ["lb/nginx.conf", "lb/conf.d/site.conf"] {
        assert!(said.contains(part), "{said}");
    }
    assert!(!said.contains("S3cret"), "{said}");
    assert_eq!(server.connections(), 0);
}
