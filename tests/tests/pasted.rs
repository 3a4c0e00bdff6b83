//! Output of the real curl, pasted: from the lab's outside into a collection inside.
#![allow(clippy::unwrap_used, clippy::expect_used, reason = "a test may panic")]

use serde_json::Value;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};
use wss_lab::lab::{Lab, LabConfig, Side};
use wss_lab::real::Product;
use wss_lab::scenario;

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

/// Where the lab is, for commands.
struct There {
    resolve: String,
    trust: PathBuf,
    url: String,
}

/// The page's command, with `options`; both streams, as a terminal shows them.
fn curl(there: &There, options: &[&str]) -> Vec<u8> {
    let mut curl = Command::new("curl");
    for name in ["http_proxy", "https_proxy", "all_proxy", "no_proxy"] {
        curl.env_remove(name).env_remove(name.to_uppercase());
    }
    let output = curl
        .args(["-i", "-N", "--max-time", "2", "--resolve", &there.resolve, "--cacert"])
        .arg(&there.trust)
        .args(["-H", "Connection: Upgrade", "-H", "Upgrade: websocket"])
        .args(["-H", "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ=="])
        .args(["-H", "Sec-WebSocket-Version: 13"])
        .args(options)
        .arg(format!("{}/v1/ws", there.url))
        .output()
        .expect("curl is needed: apt-get install curl");
    [output.stderr, output.stdout].concat()
}

/// Collects with an output pasted; gives the diagnosis and what the screen says.
fn collect(there: &There, env: &[(&str, String)], pasted: &[u8], vantage: &str) -> (Value, String) {
    let work = tempfile::tempdir().unwrap();
    std::fs::write(work.path().join("my curl.txt"), pasted).unwrap();
    let mut said = Vec::new();
    for json in [true, false] {
        let mut command = Command::new(program("wss-collector"));
        for name in ["http_proxy", "https_proxy", "all_proxy", "no_proxy"] {
            command.env_remove(name).env_remove(name.to_uppercase());
        }
        command.envs(env.iter().map(|(name, value)| (name, value))).current_dir(work.path());
        command.args(["--no-input", "--hold", "0", "--case", "C", "--force", "-o", "b.zip"]);
        command.args(["--resolve", &there.resolve, "--cacert"]).arg(&there.trust);
        command.args(["--curl-output", &format!("{vantage}=my curl.txt"), &there.url]);
        if json {
            command.arg("--json");
        }
        said.push(command.output().unwrap());
    }
    let json: Value = serde_json::from_slice(&said[0].stdout)
        .unwrap_or_else(|error| panic!("{error}: {}", text(&said[0])));
    // The report draws it, too; where it is compared, the page's table is lit.
    let report = Command::new(program("wss-analyzer"))
        .args(["report", "-o", "r.html", "b.zip"])
        .current_dir(work.path())
        .output()
        .unwrap();
    assert_eq!(report.status.code(), Some(0), "{}", text(&report));
    let page = std::fs::read_to_string(work.path().join("r.html")).unwrap();
    (json["diagnosis"].clone(), text(&said[1]) + &page)
}

fn network() -> LabConfig {
    let text = r#"{
        "lb": {"tls": {}}, "firewall": {"inside": "reset"},
        "proxy": {"intercept": {}, "upgrade": "strip", "headers": ["Via: 1.1 webgw.corp.example"]}
    }"#;
    serde_json::from_str(text).unwrap()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn curl_from_outside_settles_whose_fault_it_is() {
    let lab = Lab::start(&network()).await.unwrap();
    let there = There { resolve: lab.resolve(), trust: lab.trust_file(), url: lab.target() };
    let env = vec![("https_proxy", lab.proxy_url().unwrap())];
    lab.stand(Side::Outside).await.unwrap();
    let (there, plain, verbose) = tokio::task::spawn_blocking(move || {
        let plain = curl(&there, &["--http1.1"]);
        let verbose = curl(&there, &["--http1.1", "-v"]);
        (there, plain, verbose)
    })
    .await
    .unwrap();
    assert!(String::from_utf8_lossy(&plain).contains("HTTP/1.1 101"));
    lab.stand(Side::Inside).await.unwrap();
    tokio::task::spawn_blocking(move || {
        let crlf = String::from_utf8_lossy(&plain).replace('\n', "\r\n").into_bytes();
        for pasted in [plain, verbose, crlf] {
            let (diagnosis, said) = collect(&there, &env, &pasted, "outside");
            let verdict = &diagnosis["verdict"];
            assert_eq!(verdict["cause"], "proxy-blocks-websocket", "{verdict:#}");
            assert_eq!(verdict["location"], "client-network", "{verdict:#}");
            let item = &diagnosis["checklist"][0];
            assert_eq!(item["status"], "complete", "{item:#}");
            assert!(said.contains("curl, outside: HTTP/1.1 101"), "{said}");
            assert!(!said.contains("Now run this"), "{said}");
            let lit = "<tr class=\"lit\"><td>Fails from the corporate network, succeeds from";
            assert!(said.contains(lit), "the page's row is not lit");
        }
    })
    .await
    .unwrap();
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_pages_own_command_over_http2_is_no_test() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("scenarios/nginx-healthy-h2");
    let lab = Lab::start(&LabConfig::default()).await.unwrap();
    let real = scenario::start_real(&folder, Product::Nginx, "nginx.conf", &lab).unwrap();
    let there = There {
        resolve: format!("{}:{}:127.0.0.1", lab.host, real.addr.port()),
        trust: lab.trust_file(),
        url: format!("https://{}:{}", lab.host, real.addr.port()),
    };
    tokio::task::spawn_blocking(move || {
        let pasted = curl(&there, &[]);
        assert!(String::from_utf8_lossy(&pasted).contains("HTTP/2 400"));
        let (diagnosis, said) = collect(&there, &[], &pasted, "outside");
        assert_eq!(diagnosis["verdict"]["status"], "working", "{diagnosis:#}");
        let item = &diagnosis["checklist"][0];
        assert_eq!(item["status"], "partial", "{item:#}");
        assert!(item["how"].as_str().unwrap().contains("--http1.1"), "{item:#}");
        assert!(said.contains("curl, outside: HTTP/2 400") && said.contains("No test"), "{said}");
        assert!(!said.to_lowercase().contains("blocked:"), "{said}");
    })
    .await
    .unwrap();
    drop(real);
}
