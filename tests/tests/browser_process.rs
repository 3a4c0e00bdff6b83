//! The collector with a browser, as its users run it: what is left of the
//! browser however the run ends, and whom it talks to.
#![allow(clippy::unwrap_used, reason = "a test may panic")]
#![cfg(target_os = "linux")]

use std::io::{Read, Write};
use std::net::{TcpListener, TcpStream};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};
use wss_bundle::browser::{BrowserHandshake, BrowserRequest};
use wss_bundle::{Bundle, read};
use wss_lab::lab::{Lab, LabConfig};

const BROWSERS: [&str; 2] = ["chromium", "firefox-esr"];
/// How long anything may take on a busy machine.
const PATIENCE: Duration = Duration::from_secs(60);

/// A folder to run in; everything that is started below has it in its environment.
struct Place(tempfile::TempDir);

impl Place {
    fn new() -> Self {
        let place = Self(tempfile::tempdir().unwrap());
        std::fs::create_dir(place.temporary()).unwrap();
        place
    }

    fn temporary(&self) -> PathBuf {
        self.0.path().join("tmp")
    }

    fn collector(&self, args: &[&str]) -> Command {
        let program = Path::new(env!("CARGO_BIN_EXE_wss-lab")).with_file_name("wss-collector");
        let mut command = Command::new(program);
        command.current_dir(self.0.path()).env("TMPDIR", self.temporary());
        command.env("WSS_TEST", self.0.path());
        for name in ["http_proxy", "https_proxy", "all_proxy", "no_proxy"] {
            command.env_remove(name).env_remove(name.to_uppercase());
        }
        command.args(["--no-input", "--json", "-o", "c.zip"]).args(args);
        command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped());
        command
    }

    fn run(&self, args: &[&str]) -> (Option<i32>, String) {
        let output = self.collector(args).output().unwrap();
        (output.status.code(), String::from_utf8_lossy(&output.stderr).into_owned())
    }

    fn bundle(&self) -> Bundle {
        let opened = read::file(&self.0.path().join("c.zip"), &read::Limits::default()).unwrap();
        assert_eq!(opened.bundle.defects, []);
        opened.bundle
    }

    /// Processes started here that still run, without the collector itself.
    fn processes(&self) -> Vec<(u32, String)> {
        let mark = format!("WSS_TEST={}", self.0.path().display());
        let mut found = Vec::new();
        for entry in std::fs::read_dir("/proc").unwrap().flatten() {
            let Ok(id) = entry.file_name().to_string_lossy().parse::<u32>() else { continue };
            let of = |file: &str| {
                let bytes = std::fs::read(entry.path().join(file)).unwrap_or_default();
                String::from_utf8_lossy(&bytes).replace('\0', "\n")
            };
            let line = of("cmdline").replace('\n', " ");
            let ours = of("environ").lines().any(|v| v == mark)
                || line.contains(&self.temporary().display().to_string());
            if ours && !line.is_empty() && !line.contains("wss-collector --no-input") {
                found.push((id, line));
            }
        }
        found
    }

    fn browser_runs(&self) -> bool {
        self.processes().iter().any(|(_, line)| line.contains("remote-debugging-port"))
    }

    /// Waits until nothing is left, and says what is when there is.
    fn nothing_is_left(&self, of: &str) {
        let profiles = || -> Vec<_> {
            std::fs::read_dir(self.temporary()).unwrap().map(|e| e.unwrap().path()).collect()
        };
        let began = Instant::now();
        while !self.processes().is_empty() || !profiles().is_empty() {
            let left = (self.processes(), profiles());
            assert!(began.elapsed() < PATIENCE, "of {of} there is left: {left:#?}");
            std::thread::sleep(Duration::from_millis(50));
        }
    }
}

/// Waits for a condition.
fn wait(what: &str, done: impl Fn() -> bool) {
    let began = Instant::now();
    while !done() {
        assert!(began.elapsed() < PATIENCE, "{what} did not come");
        std::thread::sleep(Duration::from_millis(50));
    }
}

fn signal(name: &str, ids: &[u32]) {
    let ids = ids.iter().map(u32::to_string);
    let _ = Command::new("kill").arg(name).args(ids).stderr(Stdio::null()).status();
}

fn ended(mut child: Child) -> Option<i32> {
    let began = Instant::now();
    loop {
        if let Some(status) = child.try_wait().unwrap() {
            return status.code();
        }
        assert!(began.elapsed() < PATIENCE, "the collector does not end");
        std::thread::sleep(Duration::from_millis(50));
    }
}

async fn lab() -> (Lab, String) {
    let lab = Lab::start(&LabConfig::default()).await.unwrap();
    let url = format!("http://127.0.0.1:{}", lab.addr().port());
    (lab, url)
}

fn sockets(bundle: &Bundle) -> Vec<&BrowserHandshake> {
    let all = bundle.observations.browser.iter();
    all.filter(|seen| seen.kind == BrowserRequest::Websocket).collect()
}

fn browser_step(bundle: &Bundle) -> wss_bundle::manifest::StepRecord {
    bundle.manifest.steps.iter().find(|s| s.name.starts_with("browser, ")).unwrap().clone()
}

#[tokio::test(flavor = "multi_thread")]
async fn nothing_is_left_after_success() {
    for browser in BROWSERS {
        let (_lab, url) = lab().await;
        let place = Place::new();
        let (code, said) =
            place.run(&[&url, "--path", "/v1/ws", "--hold", "1s", &format!("--browser={browser}")]);
        assert_eq!(code, Some(0), "{browser}: {said}");
        let bundle = place.bundle();
        assert_eq!(browser_step(&bundle).why, None, "{browser}");
        let seen = sockets(&bundle);
        assert_eq!(seen.len(), 1, "{browser}");
        assert!(seen[0].switched() && seen[0].live && seen[0].id.starts_with('b'), "{:?}", seen[0]);
        place.nothing_is_left(browser);
    }
}

/// One Ctrl-C, two, and a kill that no program can answer.
#[tokio::test(flavor = "multi_thread")]
async fn nothing_is_left_after_a_stop() {
    for browser in BROWSERS {
        for signals in [&["-INT"][..], &["-INT", "-INT"], &["-KILL"]] {
            let (_lab, url) = lab().await;
            let place = Place::new();
            let named = format!("--browser={browser}");
            let child = place
                .collector(&[&url, "--hold", "1h", "--timeout", "30s", &named])
                .spawn()
                .unwrap();
            wait("a running browser", || place.browser_runs());
            let profile = || std::fs::read_dir(place.temporary()).unwrap().next().is_some();
            wait("a profile", profile);
            for name in signals {
                signal(name, &[child.id()]);
                std::thread::sleep(Duration::from_millis(100));
            }
            let code = ended(child);
            if signals == ["-INT"] {
                assert!(matches!(code, Some(0 | 1)), "{browser}: {code:?}");
                let bundle = place.bundle();
                assert!(!bundle.manifest.complete, "{browser}");
                assert_eq!(browser_step(&bundle).why.as_deref(), Some("stopped by the user"));
            }
            place.nothing_is_left(&format!("{browser} after {signals:?}"));
        }
    }
}

/// Killed, or stopped so that it answers nothing any more: the collection goes
/// on, says so, and cleans up.
#[tokio::test(flavor = "multi_thread")]
async fn a_browser_that_dies_or_hangs_spoils_nothing_else() {
    for browser in BROWSERS {
        for name in ["-KILL", "-STOP"] {
            let (_lab, url) = lab().await;
            let place = Place::new();
            let named = format!("--browser={browser}");
            let child = place
                .collector(&[&url, "--hold", "6s", "--timeout", "2s", &named])
                .spawn()
                .unwrap();
            wait("a running browser", || place.browser_runs());
            let ids: Vec<u32> = place
                .processes()
                .iter()
                // Crash reporters have sessions of their own, and end with the browser.
                .filter(|(_, line)| {
                    !line.contains("wss-collector-keeper") && !line.contains("crash")
                })
                .map(|(id, _)| *id)
                .collect();
            signal(name, &ids);
            assert_eq!(ended(child), Some(0), "{browser} {name}");
            let bundle = place.bundle();
            assert!(bundle.manifest.complete);
            let step = browser_step(&bundle);
            assert!(
                step.why.is_some() || !sockets(&bundle).is_empty(),
                "{browser} {name}: {step:?}"
            );
            place.nothing_is_left(&format!("{browser} after {name}"));
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_no_browser_is_said() {
    use std::os::unix::fs::PermissionsExt;
    let (_lab, url) = lab().await;
    for (script, says) in [
        ("#!/bin/sh\necho cannot open display >&2\nexit 3\n", "cannot open display"),
        ("#!/bin/sh\nexec sleep 600\n", "was not ready"),
        (
            "#!/bin/sh\nfor a; do case $a in --user-data-dir=*) d=${a#*=};; esac; done\n\
          printf '1\\n/x\\n' > $d/DevToolsActivePort; exec sleep 600\n",
            "refused",
        ),
    ] {
        let place = Place::new();
        let fake = place.0.path().join("chromium");
        std::fs::write(&fake, script).unwrap();
        std::fs::set_permissions(&fake, std::fs::Permissions::from_mode(0o755)).unwrap();
        let named = format!("--browser={}", fake.display());
        let (code, said) = place.run(&[&url, "--hold", "0", "--timeout", "500ms", &named]);
        assert_eq!(code, Some(0), "{said}");
        let why = browser_step(&place.bundle()).why.unwrap();
        assert!(why.to_lowercase().contains(says), "{why}");
        place.nothing_is_left("what is no browser");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn no_browser_is_said_and_is_no_failure() {
    let (_lab, url) = lab().await;
    let place = Place::new();
    let empty = place.0.path().join("empty");
    std::fs::create_dir(&empty).unwrap();
    let output =
        place.collector(&[&url, "--hold", "0", "--browser"]).env("PATH", &empty).output().unwrap();
    let said = String::from_utf8_lossy(&output.stderr).into_owned();
    assert_eq!(output.status.code(), Some(0), "{said}");
    assert!(said.contains("no Chrome, Chromium, Edge or Firefox is installed"), "{said}");
    let bundle = place.bundle();
    assert!(bundle.environment.notes.iter().any(|note| note.contains("--browser")));
    assert!(!bundle.manifest.steps.iter().any(|step| step.name.starts_with("browser, ")));
}

#[test]
fn the_dry_run_counts_it() {
    let place = Place::new();
    let output = place
        .collector(&["https://b.example", "--browser=chromium", "--dry-run"])
        .output()
        .unwrap();
    let text = String::from_utf8_lossy(&output.stdout).into_owned();
    assert!(text.contains("from a browser"), "{text}");
    assert!(text.contains("browser, /usr/bin/chromium"), "{text}");
    assert!(!place.browser_runs());
}

/// A proxy that notes what it is asked for, and answers nothing.
fn silent_proxy() -> (u16, Arc<Mutex<Vec<String>>>) {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let port = listener.local_addr().unwrap().port();
    let asked = Arc::new(Mutex::new(Vec::new()));
    let noted = asked.clone();
    std::thread::spawn(move || {
        for mut stream in listener.incoming().flatten() {
            let noted = noted.clone();
            std::thread::spawn(move || {
                let mut head = Vec::new();
                let mut byte = [0];
                while !head.ends_with(b"\r\n\r\n") && head.len() < 65_536 {
                    match stream.read(&mut byte) {
                        Ok(1) => head.push(byte[0]),
                        _ => return,
                    }
                }
                let head = String::from_utf8_lossy(&head).into_owned();
                noted.lock().unwrap().push(head);
                let _: Result<usize, _> = stream.read(&mut [0; 1]);
                let _ = TcpStream::write(&mut stream, b"");
            });
        }
    });
    (port, asked)
}

/// The machine's settings name a proxy: browsers follow it, and ask it for
/// nothing but the target, however long it takes.
#[test]
fn browsers_follow_the_settings_and_ask_for_the_target_alone() {
    for browser in BROWSERS {
        let (port, asked) = silent_proxy();
        let place = Place::new();
        let proxy = format!("http://127.0.0.1:{port}");
        let named = format!("--browser={browser}");
        let output = place
            .collector(&["https://bindplane.corp.example", "--path", "/v1/ws", "--hold", "0"])
            .args(["--timeout", "4s", "--resolve", "bindplane.corp.example:443:127.0.0.1", &named])
            .env("https_proxy", &proxy)
            .env("http_proxy", &proxy)
            .output()
            .unwrap();
        assert_eq!(output.status.code(), Some(1), "{output:?}");
        let asked = asked.lock().unwrap().clone();
        let by_browser = asked.iter().filter(|head| head.contains("Mozilla/")).count();
        let foreign: Vec<&String> =
            asked.iter().filter(|head| !head.contains(" bindplane.corp.example:443 ")).collect();
        assert!(foreign.is_empty(), "{browser}: {foreign:#?}");
        assert!(by_browser > 0, "{browser}: {asked:#?}");
        let bundle = place.bundle();
        let seen = sockets(&bundle);
        assert_eq!(seen.len(), 1, "{browser}: {:?}", browser_step(&bundle));
        assert!(!seen[0].switched(), "{browser}");
        if browser == "chromium" {
            let route = seen[0].route.as_deref();
            assert_eq!(route, Some(format!("proxy {proxy}").as_str()), "{:?}", seen[0]);
        }
        place.nothing_is_left(browser);
    }
}
