//! `wss-collector watch` through minutes of faults: each change noticed in time, one bundle
//! each, metrics right at every scrape and read by the real readers, OTLP decoded by its own
//! definitions, a sleep of the machine that is no fault, flat memory, and a clean end.
#![allow(clippy::unwrap_used, clippy::expect_used, reason = "a test may panic")]
#![cfg(target_os = "linux")]

use serde_json::Value;
use std::collections::BTreeSet;
use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};
use wss_bundle::read::{self, Limits};
use wss_lab::lab::config::{
    CertificateKind, CutConfig, FirewallMode, HopUpgrade, LbConfig, TlsConfig,
};
use wss_lab::lab::lb::Upstream;
use wss_lab::lab::{Lab, LabConfig, Lb};

/// What docs/watch.md promises for a fault that breaks nothing that is held: `--every` (5 s) and
/// a tenth, or four times that while another fault lasts, and what a round takes. The rest is
/// for a machine that does other things beside.
const IN_TIME: Duration = Duration::from_secs(45);
/// A break is told as it comes.
const AT_ONCE: Duration = Duration::from_secs(4);

fn program(name: &str) -> PathBuf {
    let path = Path::new(env!("CARGO_BIN_EXE_wss-lab")).with_file_name(name);
    assert!(path.is_file(), "{} is missing: cargo build --workspace", path.display());
    path
}

fn readers() -> PathBuf {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../target/readers");
    assert!(folder.join("prometheus_client").is_dir(), "./tests/run install fetches it");
    folder
}

/// A watch that runs, and what it said.
struct Watch {
    child: Child,
    said: Arc<Mutex<Vec<(Instant, Value)>>>,
    taken: usize,
}

impl Watch {
    fn start(command: &mut Command) -> Self {
        let mut child = command.stdin(Stdio::null()).stdout(Stdio::piped()).spawn().unwrap();
        let said = Arc::new(Mutex::new(Vec::new()));
        let (lines, into) = (BufReader::new(child.stdout.take().unwrap()), said.clone());
        std::thread::spawn(move || {
            for line in lines.lines().map_while(Result::ok) {
                let value = serde_json::from_str(&line).unwrap_or_else(|_| panic!("{line}"));
                into.lock().unwrap().push((Instant::now(), value));
            }
        });
        Self { child, said, taken: 0 }
    }

    /// Waits for the next of this kind, and gives it with what came before it.
    fn next(&mut self, event: &str, limit: Duration) -> (Value, Vec<Value>) {
        let begun = Instant::now();
        let mut before = Vec::new();
        loop {
            let one = self.said.lock().unwrap().get(self.taken).cloned();
            match one {
                Some((_, value)) => {
                    self.taken += 1;
                    if value["event"] == event {
                        return (value, before);
                    }
                    before.push(value);
                }
                None if begun.elapsed() > limit => {
                    panic!("no {event} within {limit:?}; before it: {before:#?}")
                }
                None => std::thread::sleep(Duration::from_millis(20)),
            }
        }
    }

    /// Waits for the next change of verdict, which has to be this one.
    fn verdict(&mut self, status: &str, cause: &str) -> (Value, Vec<Value>) {
        let (verdict, before) = self.next("verdict", IN_TIME);
        let is = (verdict["status"].as_str().unwrap(), verdict["cause"].as_str().unwrap());
        assert_eq!(is, (status, cause), "{verdict:#} after {before:#?}");
        (verdict, before)
    }

    fn rss_kb(&self) -> u64 {
        let status = std::fs::read_to_string(format!("/proc/{}/status", self.child.id())).unwrap();
        let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:")).unwrap();
        line.trim().trim_end_matches(" kB").parse().unwrap()
    }
}

impl Drop for Watch {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

fn get(address: &str, accept: &str) -> String {
    let mut stream = TcpStream::connect(address).unwrap();
    write!(stream, "GET /metrics HTTP/1.1\r\nHost: x\r\nAccept: {accept}\r\n\r\n").unwrap();
    let mut text = String::new();
    stream.read_to_string(&mut text).unwrap();
    let (head, body) = text.split_once("\r\n\r\n").unwrap();
    assert!(head.starts_with("HTTP/1.1 200 "), "{head}");
    body.to_owned()
}

/// The value of one sample, by its name and what its labels contain.
fn sample(text: &str, name: &str, label: &str) -> Option<f64> {
    let own = |line: &&str| line.split(['{', ' ']).next() == Some(name) && line.contains(label);
    text.lines().find(own).map(|line| line.rsplit(' ').next().unwrap().parse().unwrap())
}

/// What is true of a scrape at any time.
fn consistent(text: &str) {
    let Some(success) = sample(text, "probe_success", "") else {
        // No round has ended yet.
        assert_eq!(sample(text, "wss_rounds_total", ""), Some(0.0), "{text}");
        return;
    };
    let one = |status: &str| sample(text, "wss_verdict", &format!("status=\"{status}\"")).unwrap();
    let all: f64 = ["working", "unstable", "broken", "unknown"].map(one).iter().sum();
    assert!((all - 1.0).abs() < 1e-9, "{text}");
    assert!((one("working") - success).abs() < 1e-9, "{text}");
    let none = sample(text, "wss_cause_info", "cause=\"none\"").is_some();
    assert_eq!(none, success > 0.5, "{text}");
    let up = sample(text, "wss_held_connection_up", "").unwrap() > 0.5;
    let since = sample(text, "wss_held_connection_opened_timestamp_seconds", "");
    assert_eq!(up, since.is_some(), "{text}");
}

/// Scrapes again and again, as long as it is told to.
fn scrape(address: String, stop: Arc<AtomicBool>) -> std::thread::JoinHandle<u32> {
    std::thread::spawn(move || {
        let (mut count, mut rounds, mut breaks) = (0, 0.0, 0.0);
        while !stop.load(Ordering::Relaxed) {
            let text = get(&address, "*/*");
            consistent(&text);
            let now = |name| sample(&text, name, "").unwrap();
            assert!(
                now("wss_rounds_total") >= rounds
                    && now("wss_held_connection_breaks_total") >= breaks
            );
            (rounds, breaks) = (now("wss_rounds_total"), now("wss_held_connection_breaks_total"));
            count += 1;
            std::thread::sleep(Duration::from_millis(200));
        }
        count
    })
}

/// The real readers: Prometheus' `promtool`, and Prometheus' own parser of OpenMetrics.
fn read_by_prometheus(address: &str, file: &Path) {
    let mut promtool = Command::new("promtool");
    promtool.args(["check", "metrics"]).stdin(Stdio::piped()).stderr(Stdio::piped());
    let mut promtool = promtool.spawn().expect("promtool is needed: ./tests/run install");
    let text = get(address, "text/plain");
    promtool.stdin.take().unwrap().write_all(text.as_bytes()).unwrap();
    let output = promtool.wait_with_output().unwrap();
    assert!(output.status.success(), "{}\n{text}", String::from_utf8_lossy(&output.stderr));

    let script = "import sys\nfrom prometheus_client.openmetrics.parser import text_string_to_metric_families as read\n\
        for text in (sys.stdin.read(), open(sys.argv[1]).read()):\n \
        families = list(read(text))\n assert len(families) > 10, families\n \
        assert any(f.name == 'wss_rounds' and f.type == 'counter' for f in families)";
    let mut python = Command::new("python3");
    python.env("PYTHONPATH", readers()).args(["-c", script]).arg(file).stdin(Stdio::piped());
    let mut python = python.stderr(Stdio::piped()).spawn().unwrap();
    let text = get(address, "application/openmetrics-text;version=1.0.0");
    python.stdin.take().unwrap().write_all(text.as_bytes()).unwrap();
    let output = python.wait_with_output().unwrap();
    assert!(output.status.success(), "{}\n{text}", String::from_utf8_lossy(&output.stderr));
}

/// An OpenTelemetry collector's door: takes what comes, and keeps it as it came.
fn collector(folder: PathBuf) -> SocketAddr {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap();
    std::thread::spawn(move || {
        let mut number = 0;
        for stream in listener.incoming().flatten() {
            number += 1;
            let (folder, number) = (folder.clone(), number);
            // Connections stay open for more than one.
            std::thread::spawn(move || take(stream, &folder, number));
        }
    });
    address
}

fn take(stream: TcpStream, folder: &Path, connection: u32) {
    let mut reader = BufReader::new(stream.try_clone().unwrap());
    for number in 0.. {
        let (mut length, mut path, mut secret) = (0, String::new(), false);
        loop {
            let mut line = String::new();
            if reader.read_line(&mut line).unwrap_or(0) == 0 {
                return;
            }
            let lower = line.trim().to_ascii_lowercase();
            if let Some(rest) = lower.strip_prefix("post ") {
                rest.split(' ').next().unwrap().clone_into(&mut path);
            } else if let Some(rest) = lower.strip_prefix("content-length: ") {
                length = rest.parse().unwrap();
            } else if lower == "content-type: application/x-protobuf" {
                secret |= false;
            } else if lower == "x-key: hunter2" {
                secret = true;
            } else if lower.is_empty() {
                break;
            }
        }
        assert!(secret, "the header that was given");
        let mut body = vec![0; length];
        reader.read_exact(&mut body).unwrap();
        let kind = path.rsplit('/').next().unwrap();
        std::fs::write(folder.join(format!("{connection:03}-{number:04}.{kind}")), body).unwrap();
        (&stream).write_all(b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n").unwrap();
    }
}

/// What came, decoded by OpenTelemetry's own definitions of its protocol.
fn decoded(folder: &Path) -> Value {
    let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/watch_readers/otlp.py");
    let mut python = Command::new("python3");
    let output = python.env("PYTHONPATH", readers()).arg(script).arg(folder).output().unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    serde_json::from_slice(&output.stdout).unwrap()
}

/// The network of the test: one address, behind which another load balancer may stand.
struct Stage {
    runtime: tokio::runtime::Runtime,
    lab: Lab,
    others: Vec<Lb>,
}

impl Stage {
    fn start() -> Self {
        let runtime = tokio::runtime::Builder::new_multi_thread()
            .worker_threads(2)
            .enable_all()
            .build()
            .unwrap();
        let config: LabConfig = toml::from_str("[lb]\ntls = {}\n").unwrap();
        let lab = runtime.block_on(Lab::start(&config)).unwrap();
        Self { runtime, lab, others: Vec::new() }
    }

    fn set(&self, mode: FirewallMode, to: SocketAddr) {
        let set = self.lab.firewall.set(mode, to, CutConfig::default());
        self.runtime.block_on(set).unwrap();
    }

    /// Another load balancer takes the place; what is open stays so.
    fn another(&mut self, config: LbConfig) {
        let (origin, host) = (self.lab.origin.addr, self.lab.host.clone());
        let upstream = Upstream::new(origin, false, &host, &self.lab.pki).unwrap();
        let config = LbConfig { tls: Some(config.tls.unwrap_or_default()), ..config };
        let start = Lb::start(config, upstream, &host, CertificateKind::Valid, &self.lab.pki);
        let lb = self.runtime.block_on(start).unwrap();
        self.set(FirewallMode::Open, lb.addr);
        self.others.push(lb);
    }

    fn well(&self) {
        self.set(FirewallMode::Open, self.lab.front());
    }

    fn command(&self, folder: &Path, uptime: &Path) -> Command {
        // A sleep of the machine is what /proc/uptime says; in a namespace it says what a
        // test wants.
        let mut command = Command::new("unshare");
        command.args(["--map-root-user", "--mount", "sh", "-c"]);
        command.arg("mount --bind \"$0\" /proc/uptime && exec \"$@\"").arg(uptime);
        command.arg(program("wss-collector"));
        for name in ["http_proxy", "https_proxy", "all_proxy", "no_proxy"] {
            command.env_remove(name).env_remove(name.to_uppercase());
        }
        command.env("HOME", folder).env("XDG_CURRENT_DESKTOP", "XFCE").current_dir(folder);
        command.args(["watch", &self.lab.target(), "--resolve", &self.lab.resolve()]);
        command.arg("--cacert").arg(self.lab.trust_file());
        command.args(["--timeout", "5s", "--json"]);
        command
    }
}

/// What `/proc/uptime` says, with so many seconds of sleep.
struct Uptime {
    file: PathBuf,
    slept: Arc<Mutex<f64>>,
}

impl Uptime {
    /// Written anew all the time, from the real one.
    fn start(file: PathBuf, stop: Arc<AtomicBool>) -> Self {
        let slept = Arc::new(Mutex::new(0.0));
        let now = |slept: f64| {
            let text = std::fs::read_to_string("/proc/uptime").unwrap();
            let up: f64 = text.split(' ').next().unwrap().parse().unwrap();
            format!("{:.2} 0.00\n", up + slept)
        };
        std::fs::write(&file, now(0.0)).unwrap();
        let (path, shared) = (file.clone(), slept.clone());
        std::thread::spawn(move || {
            // As long as the number stays one of the same length, no reader sees half of it.
            let mut open = std::fs::File::options().write(true).open(&path).unwrap();
            while !stop.load(Ordering::Relaxed) {
                let text = now(*shared.lock().unwrap());
                std::io::Seek::rewind(&mut open).unwrap();
                open.write_all(text.as_bytes()).unwrap();
                std::thread::sleep(Duration::from_millis(20));
            }
        });
        Self { file, slept }
    }
}

fn bundles(folder: &Path) -> BTreeSet<PathBuf> {
    std::fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path()).collect()
}

/// The bundle that a notice names is there, whole, alone new, and shows that verdict.
fn one_bundle(notice: &Value, folder: &Path, known: &mut BTreeSet<PathBuf>) {
    let now = bundles(&folder.join("bundles"));
    let new: Vec<&PathBuf> = now.difference(known).collect();
    assert_eq!(new.len(), 1, "{new:?} for {notice:#}");
    assert_eq!(folder.join(notice["bundle"].as_str().unwrap()), *new[0]);
    let opened = read::file(new[0], &Limits::default()).unwrap();
    assert!(opened.bundle.defects.is_empty() && opened.bundle.manifest.complete);
    let shown = wss_diagnosis::diagnose(std::slice::from_ref(&opened.bundle)).verdict;
    assert_eq!(
        (shown.status.slug(), shown.cause.slug()),
        (notice["status"].as_str().unwrap(), notice["cause"].as_str().unwrap())
    );
    *known = now;
}

#[test]
fn minutes_of_faults() {
    let folder = tempfile::tempdir().unwrap();
    let folder = folder.path();
    for name in ["bundles", "otlp"] {
        std::fs::create_dir(folder.join(name)).unwrap();
    }
    let outside = tempfile::tempdir().unwrap();
    let stop = Arc::new(AtomicBool::new(false));
    let uptime = Uptime::start(outside.path().join("uptime"), stop.clone());
    let mut stage = Stage::start();
    let otlp = collector(folder.join("otlp"));
    let mut command = stage.command(folder, &uptime.file);
    command.args([
        "--bundles",
        "bundles",
        "--metrics-file",
        "m.om",
        "--metrics-listen",
        "127.0.0.1:0",
    ]);
    command.args([
        "--every",
        "5s",
        "--otlp",
        &format!("http://{otlp}"),
        "--otlp-header",
        "X-Key: hunter2",
    ]);
    let mut watch = Watch::start(&mut command);
    let (begun, _) = watch.next("watching", IN_TIME);
    let page = begun["metrics"].as_str().unwrap().to_owned();
    let address = page.trim_start_matches("http://").trim_end_matches("/metrics").to_owned();
    let scraping = scrape(address.clone(), stop.clone());
    let mut known = BTreeSet::new();

    // All is well: no bundle; a connection is held.
    let (first, _) = watch.verdict("working", "none");
    assert!(first.get("bundle").is_none() && bundles(&folder.join("bundles")).is_empty());
    let held = || {
        let since = Instant::now();
        while sample(&get(&address, "*/*"), "wss_held_connection_up", "") != Some(1.0) {
            assert!(since.elapsed() < IN_TIME, "no connection is held");
            std::thread::sleep(Duration::from_millis(50));
        }
    };
    held();
    let early = watch.rss_kb();

    // The machine sleeps for an hour: told, and no fault.
    *uptime.slept.lock().unwrap() += 3600.0;
    let (slept, before) = watch.next("slept", IN_TIME);
    assert!((slept["slept_s"].as_f64().unwrap() - 3600.0).abs() < 5.0, "{slept}");
    assert!(before.is_empty(), "{before:#?}");
    held();

    // The server is gone: the break at once, then why.
    let gone = Instant::now();
    stage.set(FirewallMode::Refuse, stage.lab.front());
    let (broke, _) = watch.next("broke", AT_ONCE);
    assert!(gone.elapsed() < AT_ONCE && broke["by"].as_str().unwrap().contains("reset"), "{broke}");
    let (verdict, _) = watch.verdict("broken", "unreachable");
    assert_eq!(verdict["status_before"], "working");
    assert!(verdict["before_lasted_s"].as_f64().unwrap() > 0.0);
    one_bundle(&verdict, folder, &mut known);
    read_by_prometheus(&address, &folder.join("m.om"));
    assert_eq!(sample(&get(&address, "*/*"), "probe_success", ""), Some(0.0));

    // It is back, and now has an idle limit of three seconds: the held connection is cut, and
    // the rounds that hold for longer say what that is.
    let cut = CutConfig { idle_ms: Some(3000), ..CutConfig::default() };
    stage.another(LbConfig { cut, ..LbConfig::default() });
    let (mut verdict, _) = watch.next("verdict", IN_TIME);
    if verdict["status"] == "working" {
        // A round was quicker than the limit.
        one_bundle(&verdict, folder, &mut known);
        (verdict, _) = watch.next("verdict", IN_TIME);
    }
    assert_eq!(
        (&verdict["status"], &verdict["cause"]),
        (&"unstable".into(), &"idle-timeout".into()),
        "{verdict}"
    );
    one_bundle(&verdict, folder, &mut known);
    let text = get(&address, "*/*");
    let (alive, dead) =
        (sample(&text, "wss_idle_alive_seconds", ""), sample(&text, "wss_idle_cut_seconds", ""));
    assert!(alive.unwrap() < 3.1 && (2.8..4.5).contains(&dead.unwrap()), "{text}");

    // No limit any more.
    stage.well();
    let (verdict, _) = watch.verdict("working", "none");
    assert!(verdict["text"].as_str().unwrap().contains("It was unstable (idle-timeout) for"));
    one_bundle(&verdict, folder, &mut known);

    // A hop begins to strip; what is held stays open.
    stage.another(LbConfig { upgrade: HopUpgrade::Strip, ..LbConfig::default() });
    let (verdict, _) = watch.verdict("broken", "lb-strips-upgrade");
    one_bundle(&verdict, folder, &mut known);
    let text = get(&address, "*/*");
    assert_eq!(sample(&text, "probe_websocket_status_code", ""), Some(400.0));
    assert_eq!(sample(&text, "probe_websocket_connection_upgraded", ""), Some(0.0));
    stage.well();
    let (verdict, _) = watch.verdict("working", "none");
    one_bundle(&verdict, folder, &mut known);

    // A certificate that lives for twenty seconds.
    let tls = TlsConfig { certificate: Some(CertificateKind::ShortLived), ..TlsConfig::default() };
    stage.another(LbConfig { tls: Some(tls), ..LbConfig::default() });
    let (verdict, _) = watch.next("verdict", IN_TIME + Duration::from_secs(20));
    assert_eq!(verdict["cause"], "tls-untrusted", "{verdict}");
    one_bundle(&verdict, folder, &mut known);
    let text = get(&address, "*/*");
    let expiry = sample(&text, "probe_ssl_earliest_cert_expiry", "").unwrap();
    let now = std::time::SystemTime::UNIX_EPOCH.elapsed().unwrap().as_secs_f64();
    assert!((0.0..60.0).contains(&(now - expiry)), "{expiry} {now}");
    read_by_prometheus(&address, &folder.join("m.om"));

    ended(watch, folder, stop, scraping, early, known.len());
}

fn ended(
    mut watch: Watch,
    folder: &Path,
    stop: Arc<AtomicBool>,
    scraping: std::thread::JoinHandle<u32>,
    early: u64,
    written: usize,
) {
    let late = watch.rss_kb();
    assert!(late < early + 8 * 1024, "{early} kB, then {late} kB");
    stop.store(true, Ordering::Relaxed);
    assert!(scraping.join().unwrap() > 100);

    let pid = watch.child.id().to_string();
    assert!(Command::new("kill").args(["-TERM", &pid]).status().unwrap().success());
    watch.next("stopped", AT_ONCE * 2);
    assert_eq!(watch.child.wait().unwrap().code(), Some(0));
    let last = std::fs::read_to_string(folder.join("m.om")).unwrap();
    assert!(last.ends_with("# EOF\n"));
    assert_eq!(sample(&last, "wss_watch_running", ""), Some(0.0), "{last}");
    assert_eq!(sample(&last, "wss_bundles_total", ""), Some(written as f64));
    assert_eq!(sample(&last, "wss_sleeps_total", ""), Some(1.0));
    assert_eq!(sample(&last, "wss_otlp_unsent_total", ""), Some(0.0));
    let names: BTreeSet<String> = std::fs::read_dir(folder)
        .unwrap()
        .map(|entry| entry.unwrap().file_name().into_string().unwrap())
        .collect();
    assert_eq!(names.iter().map(String::as_str).collect::<Vec<_>>(), ["bundles", "m.om", "otlp"]);

    let otlp = decoded(&folder.join("otlp"));
    let names: Vec<&str> =
        otlp["names"].as_array().unwrap().iter().map(|n| n.as_str().unwrap()).collect();
    for name in [
        "probe_success",
        "wss_verdict",
        "wss_layer_duration_seconds",
        "wss_rounds_total",
        "wss_idle_cut_seconds",
    ] {
        assert!(names.contains(&name), "{name}: {names:?}");
    }
    let logs: Vec<String> = otlp["logs"]
        .as_array()
        .unwrap()
        .iter()
        .map(|log| {
            log.as_array()
                .unwrap()
                .iter()
                .map(|part| part.as_str().unwrap())
                .collect::<Vec<_>>()
                .join(" ")
        })
        .collect();
    for log in [
        "wss.watching INFO",
        "wss.verdict INFO working none",
        "wss.slept INFO",
        "wss.broke ERROR",
        "wss.verdict ERROR broken unreachable",
        "wss.verdict WARN unstable idle-timeout",
        "wss.verdict ERROR broken lb-strips-upgrade",
        "wss.verdict ERROR broken tls-untrusted",
        "wss.stopped INFO",
    ] {
        assert!(logs.iter().any(|one| one.trim() == log), "{log}: {logs:#?}");
    }
    let verdicts = logs.iter().filter(|log| log.starts_with("wss.verdict")).count();
    // The first, at which all was well, wrote none.
    assert_eq!(verdicts, written + 1, "{logs:#?}");
}

#[test]
fn what_is_wrong_is_said_before_anything_is_contacted() {
    let stage = Stage::start();
    let folder = tempfile::tempdir().unwrap();
    for (more, says) in [
        (["--every", "1s"].as_slice(), "at least 5s"),
        (&["--keep", "0"], "between 1 and 10000"),
        (&["--bundles", "nowhere"], "nowhere"),
        (&["--metrics-file", "nowhere/m.om"], "nowhere"),
        (&["--metrics-file", "."], "folder"),
        (&["--metrics-listen", "0.0.0.0:9815"], "loopback"),
        (&["--metrics-listen", "x"], "loopback"),
        (&["--otlp", "127.0.0.1:4318"], "http://127.0.0.1:4318"),
        (&["--otlp", "http://u:hunter2@127.0.0.1:4318"], "--otlp-header"),
        (&["--otlp", "http://127.0.0.1:1", "--otlp-header", "hunter2"], "no colon"),
        (&["--otlp-header", "A: hunter2"], "--otlp"),
    ] {
        let uptime = Path::new("/proc/uptime");
        let output = stage.command(folder.path(), uptime).args(more).output().unwrap();
        let said = String::from_utf8_lossy(&output.stderr);
        assert_eq!(output.status.code(), Some(2), "{more:?}: {said}");
        assert!(said.contains(says) && !said.contains("hunter2"), "{more:?}: {said}");
    }
    assert!(stage.lab.lb.as_ref().unwrap().requests().is_empty(), "nobody was to be contacted");
}

/// Nobody at the door of the OpenTelemetry collector: nothing waits for it.
#[test]
fn a_collector_that_is_away_is_counted_and_waited_for_no_longer() {
    let stage = Stage::start();
    let folder = tempfile::tempdir().unwrap();
    let mut command = stage.command(folder.path(), Path::new("/proc/uptime"));
    let away = wss_lab::real::closed_port().unwrap();
    command.args(["--otlp", &format!("http://127.0.0.1:{away}"), "--metrics-file", "m.prom"]);
    command.args(["--every", "5s"]);
    let mut watch = Watch::start(&mut command);
    watch.verdict("working", "none");
    let text = || std::fs::read_to_string(folder.path().join("m.prom")).unwrap();
    let since = Instant::now();
    while sample(&text(), "wss_otlp_unsent_total", "") == Some(0.0) {
        assert!(since.elapsed() < IN_TIME, "{}", text());
        std::thread::sleep(Duration::from_millis(50));
    }
    assert!(!text().contains("# EOF"), "node_exporter's format");
    let pid = watch.child.id().to_string();
    assert!(Command::new("kill").args(["-TERM", &pid]).status().unwrap().success());
    watch.next("stopped", AT_ONCE * 2);
    assert_eq!(watch.child.wait().unwrap().code(), Some(0));
    assert!(
        text().contains("wss_watch_running")
            && sample(&text(), "wss_watch_running", "") == Some(0.0)
    );
}

/// The files of `packaging/watch` and the examples of `docs/watch.md`, by the programs that
/// are to read them.
#[test]
fn services_and_rules_are_as_their_programs_want_them() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("..");
    let folder = tempfile::tempdir().unwrap();
    // systemd looks for the program where the unit says.
    let unit = root.join("packaging/watch/wss-collector-watch@.service");
    let text = std::fs::read_to_string(unit).unwrap();
    assert!(text.contains("/usr/bin/wss-collector watch"));
    let text = text.replace("/usr/bin/wss-collector", program("wss-collector").to_str().unwrap());
    let unit = folder.path().join("wss-collector-watch@b.example.service");
    std::fs::write(&unit, &text).unwrap();
    let verify = Command::new("systemd-analyze").args(["verify", "--man=no"]).arg(&unit).output();
    let verify = verify.expect("systemd-analyze is needed: ./tests/run install");
    let said = String::from_utf8_lossy(&verify.stderr);
    assert!(verify.status.success() && !said.contains("wss-collector"), "{said}");

    // The task for Windows: well-formed, and its options are the program's.
    let task = root.join("packaging/watch/wss-collector-watch.xml");
    let lint = Command::new("xmllint").arg("--noout").arg(&task).output().unwrap();
    assert!(lint.status.success(), "{}", String::from_utf8_lossy(&lint.stderr));
    let options = |text: &str| -> Vec<String> {
        let words = text.split(|c: char| c.is_whitespace() || c == '<' || c == '=');
        words.filter(|word| word.starts_with("--")).map(str::to_owned).collect()
    };
    let help = Command::new(program("wss-collector")).args(["watch", "--help"]).output().unwrap();
    let help = String::from_utf8(help.stdout).unwrap();
    let task = std::fs::read_to_string(task).unwrap();
    let arguments = task.split("<Arguments>").nth(1).unwrap().split("</Arguments>").next().unwrap();
    let start = text.lines().find(|line| line.starts_with("ExecStart=")).unwrap();
    let all = [options(arguments), options(start)].concat();
    assert!(all.len() > 5, "{all:?}");
    for option in all {
        assert!(help.contains(&format!("{option} ")), "{option}");
    }

    // The example of alert rules.
    let page = std::fs::read_to_string(root.join("docs/watch.md")).unwrap();
    let rules = page.split("```yaml\n").find(|part| part.starts_with("groups:")).unwrap();
    let rules = rules.split("```").next().unwrap();
    let file = folder.path().join("rules.yml");
    std::fs::write(&file, rules).unwrap();
    let checked = Command::new("promtool").args(["check", "rules"]).arg(&file).output().unwrap();
    let said = [&checked.stdout[..], &checked.stderr[..]].concat();
    assert!(checked.status.success(), "{}", String::from_utf8_lossy(&said));
    // Every metric that they name is one that is told.
    let source = include_str!("../../collector/src/command/watch/measure.rs");
    let names = rules.split(|c: char| !c.is_ascii_alphanumeric() && c != '_');
    let named: BTreeSet<&str> =
        names.filter(|word| word.starts_with("probe_") || word.starts_with("wss_")).collect();
    assert!(named.len() > 3, "{named:?}");
    for name in named {
        assert!(source.contains(&format!("\"{name}\"")), "{name}");
        assert!(page.contains(&format!("| `{name}")), "{name} has no row in docs/watch.md");
    }
}
