//! One collection after another, each held to what holds for every run.

use serde_json::Value;
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::Semaphore;
use wss_bundle::Step;
use wss_bundle::read::{self, Limits};
use wss_diagnosis::diagnose;
use wss_lab::hostile::measure;
use wss_lab::hostile::server::Hostile;

/// A whole run: a dozen steps of one second, side by side, on a busy machine.
const WALL: Duration = Duration::from_secs(45);
/// One step, with `--timeout 1s`: its own second, what it waits for besides
/// (another family, a body), and a busy machine.
const STEP_MS: f64 = 20_000.0;
/// What a hostile server may cost more than a good one.
const MORE_KIB: u64 = 16 << 10;
/// TCP connections of one route, at most: what `--dry-run` prints, asking again
/// included, and one more for each that is broken off and tried again.
const CONNECTIONS: usize = 32;
/// What no bundle of one hostile server comes near.
const ZIP: u64 = 4 << 20;
/// Collections at once.
const AT_ONCE: usize = 6;

pub(crate) fn program(name: &str) -> PathBuf {
    let path = Path::new(env!("CARGO_BIN_EXE_wss-lab")).with_file_name(name);
    assert!(path.is_file(), "{}: cargo build --workspace makes it", path.display());
    path
}

/// What a collection gave.
#[derive(Debug)]
struct Outcome {
    name: String,
    status: String,
    cause: String,
    summary: String,
    connections: usize,
    peak_kib: u64,
    wall: Duration,
    complaints: Vec<String>,
}

/// Runs the collector, and holds it to what holds for every run.
fn collect(name: &str, wrap: &[String], args: &[String], timeout: &str) -> Outcome {
    let work = tempfile::tempdir().unwrap();
    let mut all: Vec<String> = wrap.to_vec();
    all.push(program("wss-collector").display().to_string());
    all.extend(args.iter().cloned());
    let fixed = ["--timeout", timeout, "--hold", "0", "--no-input", "--case", "H", "--json"];
    all.extend(fixed.iter().map(ToString::to_string));
    all.extend(["-o".to_owned(), "out.zip".to_owned()]);
    let mut command = Command::new(&all[0]);
    command.args(&all[1..]).current_dir(work.path());
    for name in ["http_proxy", "https_proxy", "all_proxy", "no_proxy"] {
        command.env_remove(name).env_remove(name.to_uppercase());
    }
    command.env("HOME", work.path()).env("XDG_CURRENT_DESKTOP", "XFCE").env_remove("KDEHOME");
    let ran = measure::run(&command);
    let error = String::from_utf8_lossy(&ran.output.stderr).into_owned();
    let mut complaints = Vec::new();
    let code = ran.output.status.code();
    if !matches!(code, Some(0 | 1)) {
        complaints.push(format!("ended by {code:?}: {error}"));
    }
    for stream in [&ran.output.stdout, &ran.output.stderr] {
        let text = String::from_utf8_lossy(stream);
        let bad = |c: char| (c.is_control() && c != '\n') || ('\u{202a}'..='\u{202e}').contains(&c);
        if text.contains(bad) {
            complaints.push(format!("controls on the terminal: {text:?}"));
        }
    }
    if ran.wall > WALL {
        complaints.push(format!("took {:?}", ran.wall));
    }
    let json: Value = serde_json::from_slice(&ran.output.stdout).unwrap_or_default();
    let verdict = &json["diagnosis"]["verdict"];
    let field = |name: &str| verdict[name].as_str().unwrap_or("none given").to_owned();
    let mut connections = 0;
    match read::file(&work.path().join("out.zip"), &Limits::default()) {
        Ok(opened) => {
            // The other program says the same of it.
            let again = diagnose(std::slice::from_ref(&opened.bundle)).verdict;
            if again.cause.to_string() != field("cause") {
                complaints.push(format!("the analyzer says {}", again.cause));
            }
            complaints.extend(opened.bundle.defects.iter().map(ToString::to_string));
            let all = &opened.bundle.observations.observations;
            let mut by_route: BTreeMap<&str, usize> = BTreeMap::new();
            for one in all.iter().filter(|o| matches!(o.step, Step::Connect(_))) {
                *by_route.entry(one.route.0.as_str()).or_default() += 1;
            }
            connections = by_route.into_values().max().unwrap_or_default();
            let zip = std::fs::metadata(work.path().join("out.zip")).unwrap().len();
            if zip > ZIP {
                complaints.push(format!("a bundle of {zip} bytes"));
            }
            complaints.extend(
                all.iter()
                    .filter(|o| o.duration_ms > STEP_MS)
                    .map(|o| format!("{} of {} took {} ms", o.id, o.probe, o.duration_ms)),
            );
        }
        Err(error) => complaints.push(error.to_string()),
    }
    let left: Vec<_> =
        std::fs::read_dir(work.path()).unwrap().map(|e| e.unwrap().file_name()).collect();
    if left != ["out.zip"] {
        complaints.push(format!("left behind: {left:?}"));
    }
    Outcome {
        name: name.to_owned(),
        status: field("status"),
        cause: field("cause"),
        summary: field("summary"),
        connections,
        peak_kib: ran.peak_kib,
        wall: ran.wall,
        complaints,
    }
}

/// One run to be made, and what it may find.
pub(crate) struct Case {
    pub(crate) name: String,
    /// What the collector is started by.
    pub(crate) wrap: Vec<String>,
    args: Vec<String>,
    /// `status cause`: what is said of it; two of them with ` | ` between, where a
    /// moment decides.
    sensible: &'static str,
    /// TCP connections that are tried, at most.
    pub(crate) connections: usize,
    /// What must be there until it has ended.
    _servers: Vec<Hostile>,
}

impl Case {
    pub(crate) fn new(
        name: String,
        args: Vec<String>,
        sensible: &'static str,
        servers: Vec<Hostile>,
    ) -> Self {
        Self { name, wrap: Vec::new(), args, sensible, connections: CONNECTIONS, _servers: servers }
    }

    /// Collects with this timeout, and adds what is wrong with what is said.
    fn collect(&self, timeout: &str) -> Outcome {
        let mut outcome = collect(&self.name, &self.wrap, &self.args, timeout);
        let said = format!("{} {}", outcome.status, outcome.cause);
        if !self.sensible.split(" | ").any(|one| one == said) {
            outcome.complaints.push(format!("{said} ({})", outcome.summary));
        }
        if outcome.connections > self.connections {
            outcome.complaints.push(format!("{} connections", outcome.connections));
        }
        outcome
    }
}

/// Runs all of them. The first is the measure of memory, and has to be told
/// rightly. Six at once on a busy machine miss a deadline of one second now and
/// then, so that whether a server ever answers cannot be told: whatever is wrong
/// is tried again, alone and with more time.
pub(crate) async fn run(cases: Vec<Case>) {
    let total = cases.len();
    let slots = Arc::new(Semaphore::new(AT_ONCE));
    let mut running = Vec::new();
    for case in cases {
        let slots = slots.clone();
        running.push(tokio::spawn(async move {
            let _slot = slots.acquire_owned().await.unwrap();
            tokio::task::spawn_blocking(move || {
                let outcome = case.collect("1s");
                // The servers must outlive the run, and perhaps another.
                (outcome, case)
            })
            .await
            .unwrap()
        }));
    }
    let mut outcomes = Vec::new();
    for one in running {
        outcomes.push(one.await.unwrap());
    }
    let base = outcomes[0].0.peak_kib;
    let mut wrong = Vec::new();
    for (mut outcome, case) in outcomes {
        let case = Arc::new(case);
        for timeout in ["5s", "9s"] {
            if outcome.complaints.is_empty() {
                break;
            }
            println!("{}: {}; again", outcome.name, outcome.complaints.join("; "));
            let case = case.clone();
            let again = tokio::task::spawn_blocking(move || case.collect(timeout)).await.unwrap();
            let peak_kib = again.peak_kib.max(outcome.peak_kib);
            outcome = Outcome { peak_kib, ..again };
        }
        if outcome.peak_kib > base + MORE_KIB {
            let (peak, healthy) = (outcome.peak_kib, base);
            outcome.complaints.push(format!("{peak} KiB, and {healthy} for a good server"));
        }
        let said = format!("{} {}", outcome.status, outcome.cause);
        println!(
            "{:40} {said:40} {:>6} KiB {:>3} connections {:?}",
            outcome.name, outcome.peak_kib, outcome.connections, outcome.wall
        );
        if !outcome.complaints.is_empty() {
            wrong.push(format!("{}: {}", outcome.name, outcome.complaints.join("; ")));
        }
    }
    assert!(wrong.is_empty(), "{} of {total}:\n{}", wrong.len(), wrong.join("\n"));
}
