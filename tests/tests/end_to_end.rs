//! The programs as their users run them, end to end.
#![allow(clippy::unwrap_used, clippy::expect_used, reason = "a test may panic")]

use std::path::{Path, PathBuf};
use std::process::{Command, Output};
use wss_lab::lab::{Lab, LabConfig};
use wss_lab::real::{Product, Real};
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

fn without_proxies(command: &mut Command) -> &mut Command {
    for name in ["http_proxy", "https_proxy", "all_proxy", "no_proxy"] {
        command.env_remove(name).env_remove(name.to_uppercase());
    }
    command
}

/// What Chromium has to say about a page: messages of its console. A page that
/// violates its own content security policy, or that tries to load anything,
/// is told of there.
fn console_messages(page: &Path) -> Vec<String> {
    let profile = tempfile::tempdir().unwrap();
    let output = Command::new("chromium")
        .args(["--headless", "--no-sandbox", "--disable-gpu", "--no-first-run"])
        .args(["--disable-background-networking", "--disable-component-update"])
        .args(["--enable-logging=stderr", "--v=0", "--virtual-time-budget=2000", "--dump-dom"])
        .arg(format!("--user-data-dir={}", profile.path().display()))
        .arg(format!("file://{}", page.display()))
        .output()
        .expect("chromium is needed: apt-get install chromium");
    let dom = String::from_utf8_lossy(&output.stdout);
    assert!(dom.contains("id=\"verdict\""), "the page was not rendered: {}", text(&output));
    // Without script the buttons would still be hidden.
    assert!(dom.contains("class=\"copy\">"), "the script did not run");
    String::from_utf8_lossy(&output.stderr)
        .lines()
        .filter(|line| line.contains("CONSOLE"))
        .map(str::to_owned)
        .collect()
}

#[test]
fn the_demo_names_the_proxy_and_its_report_is_quiet() {
    let mut demo = Command::new(env!("CARGO_BIN_EXE_wss-lab"));
    let output = demo.arg("demo").output().unwrap();
    assert!(output.status.success(), "{}", text(&output));
    let said = String::from_utf8(output.stdout).unwrap();
    let last: Vec<&Path> = said.lines().rev().take(3).map(Path::new).collect();
    let [report, outside, inside] = last[..] else { panic!("{said}") };
    for path in [inside, outside] {
        let verified = Command::new(program("wss-analyzer")).arg("verify").arg(path).output();
        let verified = verified.unwrap();
        assert_eq!(verified.status.code(), Some(0), "{}", text(&verified));
    }
    let page = std::fs::read_to_string(report).unwrap();
    assert!(page.len() < 300_000, "{} bytes", page.len());
    for loads in ["<link rel=\"stylesheet", "<script src", "<img", "<iframe", "@import", "url("] {
        assert!(!page.contains(loads), "{loads}");
    }
    assert_eq!(console_messages(report), Vec::<String>::new());

    // One side alone is judged with less certainty, and --check says so to scripts.
    let one = Command::new(program("wss-analyzer"))
        .args(["report", "--check", "--format", "json"])
        .arg(inside)
        .output()
        .unwrap();
    assert_eq!(one.status.code(), Some(3), "{}", text(&one));
    let json: serde_json::Value = serde_json::from_slice(&one.stdout).unwrap();
    assert_ne!(json["verdict"]["confidence"], "high", "{}", json["verdict"]);
}

/// The configuration of a scenario, and what the page's own curl command and
/// the collector say about it.
async fn nginx(name: &str) -> (String, Output, serde_json::Value) {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("scenarios").join(name);
    let lab = Lab::start(&LabConfig::default()).await.unwrap();
    let real = scenario::start_real(&folder, Product::Nginx, "nginx.conf", &lab).unwrap();
    let Real { addr, .. } = &real;
    let url = format!("https://{}:{}", lab.host, addr.port());
    let resolve = format!("{}:{}:127.0.0.1", lab.host, addr.port());
    let trust = lab.trust_file();
    let work = tempfile::tempdir().unwrap();
    let bundle = work.path().join("b.zip");
    let running = tokio::task::spawn_blocking(move || {
        let mut curl = Command::new("curl");
        without_proxies(&mut curl)
            .args(["-i", "-N", "-s", "--max-time", "3", "--resolve", &resolve, "--cacert"])
            .arg(&trust)
            .args(["-H", "Connection: Upgrade", "-H", "Upgrade: websocket"])
            .args(["-H", "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ=="])
            .args(["-H", "Sec-WebSocket-Version: 13"])
            .arg(format!("{url}/v1/ws"));
        let page = String::from_utf8_lossy(&curl.output().unwrap().stdout).into_owned();
        let mut collector = Command::new(program("wss-collector"));
        without_proxies(&mut collector)
            .args(["--json", "--no-input", "--hold", "1s", "--resolve", &resolve, "--cacert"])
            .arg(&trust)
            .arg("-o")
            .arg(&bundle)
            .arg(&url);
        (page, collector.output().unwrap())
    });
    let (page, output) = running.await.unwrap();
    let json = serde_json::from_slice(&output.stdout).unwrap_or_default();
    (page, output, json)
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn nginx_with_the_right_headers_works_though_the_pages_curl_says_no() {
    let (page, output, json) = nginx("nginx-healthy-h2").await;
    assert!(page.starts_with("HTTP/2 400"), "{page}");
    assert_eq!(output.status.code(), Some(0), "{}", text(&output));
    let verdict = &json["diagnosis"]["verdict"];
    assert_eq!((&verdict["cause"], &verdict["status"]), (&"none".into(), &"working".into()));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn nginx_without_them_strips() {
    let (_, output, json) = nginx("nginx-bare").await;
    assert_eq!(output.status.code(), Some(1), "{}", text(&output));
    let diagnosis = &json["diagnosis"];
    assert_eq!(diagnosis["verdict"]["cause"], "lb-strips-upgrade");
    assert_eq!(diagnosis["verdict"]["location"], "server-side");
    let devices = diagnosis["devices"].as_array().unwrap();
    let nginx = devices.iter().find(|device| device["product"] == "nginx").unwrap();
    assert_eq!(nginx["version"].as_str(), Product::Nginx.version().as_deref());
}

/// In a network namespace of its own there is nobody to ask: names fail, and
/// nothing leaves the machine.
#[test]
fn a_name_that_does_not_resolve() {
    let work = tempfile::tempdir().unwrap();
    let mut command = Command::new("unshare");
    without_proxies(&mut command)
        .args(["--map-root-user", "--net"])
        .arg(program("wss-collector"))
        .args(["--json", "--no-input", "--hold", "0", "--timeout", "3s", "-o", "d.zip"])
        .arg("bindplane.corp.example")
        .current_dir(work.path());
    let started = std::time::Instant::now();
    let output = command.output().unwrap();
    assert_eq!(output.status.code(), Some(1), "{}", text(&output));
    // About twice one step's time on a dead network.
    assert!(started.elapsed().as_secs_f64() < 8.0, "{:?}", started.elapsed());
    let json: serde_json::Value = serde_json::from_slice(&output.stdout).unwrap();
    assert_eq!(json["diagnosis"]["verdict"]["cause"], "dns-failure", "{json}");
}

#[test]
fn the_analyzer_says_which_input_is_bad_and_does_the_rest() {
    let work = tempfile::tempdir().unwrap();
    std::fs::write(work.path().join("bad.zip"), "no zip").unwrap();
    let analyzer = |args: &[&str]| {
        Command::new(program("wss-analyzer")).args(args).current_dir(work.path()).output().unwrap()
    };
    let none = analyzer(&["report", "bad.zip", "missing.zip"]);
    assert_eq!(none.status.code(), Some(2), "{}", text(&none));
    for name in ["bad.zip: ", "missing.zip: "] {
        assert!(text(&none).contains(name), "{}", text(&none));
    }
    assert!(!work.path().join("report.html").exists());
    assert_eq!(analyzer(&["explain", "no-such-rule"]).status.code(), Some(2));
    let all = analyzer(&["explain"]);
    assert_eq!(all.status.code(), Some(0));
    for rule in wss_diagnosis::rules() {
        assert!(text(&all).contains(rule.id));
        assert_eq!(analyzer(&["explain", rule.id]).status.code(), Some(0), "{}", rule.id);
    }
    for cause in wss_diagnosis::Cause::ALL.iter().map(|cause| cause.slug()) {
        if ["none", "insufficient", "browser-only"].contains(&cause) {
            continue;
        }
        assert_eq!(analyzer(&["explain", cause]).status.code(), Some(0), "{cause}");
    }
}
