//! Names that inside and outside resolve differently, by the programs: each run
//! sees a hosts file of its own, in a mount namespace of its own, and asks no
//! name server but one on loopback that is not there.
#![allow(clippy::unwrap_used, clippy::expect_used, reason = "a test may panic")]

use serde_json::Value;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};
use wss_lab::lab::{Lab, LabConfig};

const HOST: &str = "bindplane.corp.example";

/// A program of the workspace, beside the lab's.
fn program(name: &str) -> PathBuf {
    let path = Path::new(env!("CARGO_BIN_EXE_wss-lab")).with_file_name(name);
    assert!(path.is_file(), "{} is missing: cargo build --workspace", path.display());
    path
}

fn text(output: &Output) -> String {
    let both = [&output.stdout[..], &output.stderr[..]].concat();
    String::from_utf8_lossy(&both).into_owned()
}

/// Collects where `hosts` is the hosts file.
fn collect(work: &Path, vantage: &str, hosts: &str, trust: &Path, port: u16) -> Output {
    let file = |name: &str, content: &str| {
        let path = work.join(format!("{vantage}-{name}"));
        std::fs::write(&path, content).unwrap();
        path
    };
    let hosts = file("hosts", hosts);
    let resolv = file("resolv.conf", "nameserver 127.0.0.97\noptions timeout:1 attempts:1\n");
    let switch = file("nsswitch.conf", "hosts: files dns\n");
    let script = r#"set -e
        for pair in "$1:/etc/hosts" "$2:/etc/resolv.conf" "$3:/etc/nsswitch.conf"; do
            mount --bind "${pair%%:*}" "$(readlink -f "${pair#*:}")"
        done
        shift 3
        exec "$@""#;
    let mut command = Command::new("unshare");
    command.args(["--map-root-user", "--mount", "sh", "-c", script, "sh"]);
    command.args([&hosts, &resolv, &switch]).arg(program("wss-collector"));
    command.args(["--json", "--no-input", "--hold", "0", "--timeout", "2s", "--case", "C"]);
    command.args(["--vantage", vantage, "-o", &format!("{vantage}.zip"), "--cacert"]).arg(trust);
    command.arg(format!("https://{HOST}:{port}")).current_dir(work);
    for name in ["http_proxy", "https_proxy", "all_proxy", "no_proxy"] {
        command.env_remove(name).env_remove(name.to_uppercase());
    }
    command.output().expect("unshare is needed: apt-get install util-linux")
}

/// Both sides collect; support judges. The port is the lab's, on 127.0.0.1 alone.
async fn judged(inside: &'static str, outside: &'static str) -> Value {
    let config: LabConfig = serde_json::from_str(r#"{"lb": {"tls": {}}}"#).unwrap();
    let lab = Lab::start(&config).await.unwrap();
    let (trust, port) = (lab.trust_file(), lab.addr().port());
    let running = tokio::task::spawn_blocking(move || {
        let work = tempfile::tempdir().unwrap();
        let first = collect(work.path(), "inside", inside, &trust, port);
        assert_eq!(first.status.code(), Some(1), "{}", text(&first));
        let second = collect(work.path(), "outside", outside, &trust, port);
        assert_eq!(second.status.code(), Some(0), "{}", text(&second));
        let report = Command::new(program("wss-analyzer"))
            .args(["report", "--format", "json", "inside.zip", "outside.zip"])
            .current_dir(work.path())
            .output()
            .unwrap();
        assert_eq!(report.status.code(), Some(0), "{}", text(&report));
        serde_json::from_slice(&report.stdout).unwrap()
    });
    running.await.unwrap()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn inside_the_name_leads_to_a_dead_address() {
    let report =
        judged("127.0.0.9 bindplane.corp.example\n", "127.0.0.1 bindplane.corp.example\n").await;
    let verdict = &report["verdict"];
    assert_eq!(verdict["cause"], "dns-split", "{verdict:#}");
    assert_eq!(verdict["location"], "client-network", "{verdict:#}");
    assert_eq!(verdict["confidence"], "high", "{verdict:#}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn inside_nobody_knows_the_name() {
    let report = judged("127.0.0.1 localhost\n", "127.0.0.1 bindplane.corp.example\n").await;
    let verdict = &report["verdict"];
    assert_eq!(verdict["cause"], "dns-failure", "{verdict:#}");
    assert_eq!(verdict["location"], "client-network", "{verdict:#}");
    assert_eq!(verdict["confidence"], "high", "{verdict:#}");
}
