//! Whom the program trusts: the system's list, what variables put in its
//! place, and what `--cacert` adds. An interceptor is named either way.
#![allow(clippy::unwrap_used, clippy::expect_used, reason = "a test may panic")]

use serde_json::Value;
use std::path::{Path, PathBuf};
use std::process::Command;
use wss_bundle::read::{self, Limits};
use wss_lab::lab::{Lab, LabConfig};

fn program() -> PathBuf {
    let path = Path::new(env!("CARGO_BIN_EXE_wss-lab")).with_file_name("wss-collector");
    assert!(path.is_file(), "{} is missing: cargo build --workspace", path.display());
    path
}

/// Collects with variables and options; gives what `--json` says, and where the
/// bundle says that trust came from.
fn collect(lab: &Lab, variables: &[(&str, &Path)], options: &[&str]) -> (Value, String) {
    let folder = tempfile::tempdir().unwrap();
    let mut command = Command::new(program());
    for name in ["http_proxy", "https_proxy", "all_proxy", "no_proxy"] {
        command.env_remove(name).env_remove(name.to_uppercase());
    }
    command.env_remove("SSL_CERT_FILE").env_remove("SSL_CERT_DIR");
    command.env("HOME", folder.path()).env("XDG_CURRENT_DESKTOP", "XFCE");
    for (name, value) in variables {
        command.env(name, value);
    }
    let output = command
        .args(["--json", "--no-input", "--hold", "0", "-o", "bundle.zip", "--resolve"])
        .arg(lab.resolve())
        .args(options)
        .arg(lab.target())
        .current_dir(folder.path())
        .output()
        .unwrap();
    let said = String::from_utf8_lossy(&output.stderr).into_owned();
    let json: Value = serde_json::from_slice(&output.stdout).expect(&said);
    let opened = read::file(&folder.path().join("bundle.zip"), &Limits::default()).unwrap();
    (json, opened.bundle.environment.trust.source)
}

fn cause(json: &Value) -> &str {
    json["diagnosis"]["verdict"]["cause"].as_str().unwrap()
}

async fn start(toml: &str) -> Lab {
    Lab::start(&toml::from_str::<LabConfig>(toml).unwrap()).await.unwrap()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_variables_and_options_make_trusted() {
    let lab = start("[lb]\ntls = {}\n").await;
    let ca = lab.pki.ca_file();
    // A folder as OpenSSL wants it: named by the subject's hash.
    let folder = tempfile::tempdir().unwrap();
    std::fs::copy(&ca, folder.path().join("lab.pem")).unwrap();
    let rehash = Command::new("openssl").arg("rehash").arg(folder.path()).status();
    assert!(rehash.expect("openssl is needed: apt-get install openssl").success());
    tokio::task::spawn_blocking(move || {
        let file = ca.to_str().unwrap();
        let system = "operating system";
        for (variables, options, trusted, source) in [
            (vec![], vec![], false, system),
            (vec![], vec!["--cacert", file], true, system),
            (vec![("SSL_CERT_FILE", ca.as_path())], vec![], true, "SSL_CERT_FILE"),
            (vec![("SSL_CERT_DIR", folder.path())], vec![], true, "SSL_CERT_DIR"),
        ] {
            let (json, said) = collect(&lab, &variables, &options);
            let wanted =
                if trusted { &["none"][..] } else { &["tls-untrusted", "tls-intercepted"] };
            assert!(wanted.contains(&cause(&json)), "{variables:?} {options:?}: {json:#}");
            assert_eq!(said, source, "{variables:?} {options:?}");
        }
    })
    .await
    .unwrap();
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_interceptor_is_named_trusted_or_not() {
    let lab = start("[lb]\ntls = {}\n[proxy]\nintercept = {}\n").await;
    let (proxy, ca, both) = (lab.proxy_url().unwrap(), lab.pki.ca_file(), lab.trust_file());
    tokio::task::spawn_blocking(move || {
        for (trust, trusted) in [(ca, false), (both, true)] {
            let options = ["-x", &proxy, "--cacert", trust.to_str().unwrap()];
            let (json, _) = collect(&lab, &[], &options);
            let devices = json["diagnosis"]["devices"].as_array().unwrap();
            let named = devices.iter().any(|device| device["role"] == "tls-interceptor");
            assert!(named, "{trusted}: {devices:#?}");
            assert_eq!(cause(&json) == "tls-intercepted", !trusted, "{}", cause(&json));
        }
    })
    .await
    .unwrap();
}
