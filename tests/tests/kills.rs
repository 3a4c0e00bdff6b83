//! Collections that die: killed at any time, without room, without a terminal.
//! A bundle is whole or not there, and what was gathered is not lost.
#![allow(clippy::unwrap_used, clippy::expect_used, reason = "a test may panic")]

use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::sync::Mutex;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::{Duration, Instant};
use wss_bundle::read::{self, Limits};
use wss_lab::hostile::server::{Behaviour, Hostile};

const KILLS: u32 = 100;
/// Killed at once; they wait most of the time.
const AT_ONCE: u32 = 5;

fn program(name: &str) -> PathBuf {
    let path = Path::new(env!("CARGO_BIN_EXE_wss-lab")).with_file_name(name);
    assert!(path.is_file(), "{}: cargo build --workspace makes it", path.display());
    path
}

fn collector(folder: &Path, server: &Hostile, hold: &str) -> Command {
    let mut command = Command::new(program("wss-collector"));
    command.arg(format!("http://{}", server.address)).current_dir(folder);
    command.args(["-x", "", "--no-input", "--timeout", "5s", "--hold", hold, "-o", "b.zip"]);
    for name in ["http_proxy", "https_proxy", "all_proxy", "no_proxy"] {
        command.env_remove(name).env_remove(name.to_uppercase());
    }
    command.env("HOME", folder).env("XDG_CURRENT_DESKTOP", "XFCE");
    command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null());
    command
}

fn served() -> (tokio::runtime::Runtime, Hostile) {
    let runtime =
        tokio::runtime::Builder::new_multi_thread().worker_threads(1).enable_all().build();
    let runtime = runtime.unwrap();
    let server = runtime.block_on(Hostile::server(Behaviour::Healthy, None)).unwrap();
    (runtime, server)
}

fn names(folder: &Path) -> Vec<String> {
    let entries = std::fs::read_dir(folder).unwrap();
    let mut names: Vec<String> =
        entries.map(|entry| entry.unwrap().file_name().into_string().unwrap()).collect();
    names.sort();
    names
}

/// What a killed run left; gives whether that was a bundle and a partial one.
fn judge(folder: &Path) -> Result<(bool, bool), String> {
    let limits = Limits::default();
    let bundle = folder.join("b.zip");
    let whole = bundle.exists();
    if whole {
        let opened = read::file(&bundle, &limits).map_err(|error| error.to_string())?;
        if !opened.bundle.defects.is_empty() {
            return Err(format!("{:?}", opened.bundle.defects));
        }
    }
    let partial = folder.join("b.zip.partial");
    let gathered = partial.exists();
    if gathered {
        let opened = read::file(&partial, &limits).map_err(|error| error.to_string())?;
        if opened.bundle.manifest.complete || opened.bundle.observations.observations.is_empty() {
            return Err("the partial file is not marked as one, or has nothing".to_owned());
        }
    }
    // What was being written at that very moment is named after what it becomes.
    let odd =
        |name: &String| !name.contains(".zip.partial") && name != "b.zip" && !name.starts_with('.');
    match names(folder).into_iter().find(odd) {
        Some(name) => Err(format!("{name} is left")),
        None => Ok((whole, gathered)),
    }
}

#[test]
fn killed_a_hundred_times_while_collecting() {
    let (_runtime, server) = served();
    let next = AtomicU32::new(0);
    let (whole, gathered) = (AtomicU32::new(0), AtomicU32::new(0));
    let wrong = Mutex::new(Vec::new());
    std::thread::scope(|scope| {
        for _ in 0..AT_ONCE {
            scope.spawn(|| {
                loop {
                    let number = next.fetch_add(1, Ordering::Relaxed);
                    if number >= KILLS {
                        return;
                    }
                    let folder = tempfile::tempdir().unwrap();
                    // Half of them end soon by themselves, so that the last moments are hit, too.
                    let hold = if number.is_multiple_of(2) { "60s" } else { "0" };
                    let mut child = collector(folder.path(), &server, hold).spawn().unwrap();
                    let wait = u64::from(number.wrapping_mul(2_654_435_761) >> 4) % 2500;
                    std::thread::sleep(Duration::from_millis(20 + wait));
                    let _ = child.kill();
                    child.wait().unwrap();
                    match judge(folder.path()) {
                        Ok((bundle, partial)) => {
                            whole.fetch_add(u32::from(bundle), Ordering::Relaxed);
                            gathered.fetch_add(u32::from(partial), Ordering::Relaxed);
                        }
                        Err(why) => wrong.lock().unwrap().push(format!("kill {number}: {why}")),
                    }
                }
            });
        }
    });
    let wrong = wrong.into_inner().unwrap();
    assert!(wrong.is_empty(), "{wrong:#?}");
    // The kills hit what they are about.
    assert!(gathered.into_inner() >= 10, "no partial files");
}

#[test]
fn what_a_killed_run_gathered_is_read_and_told_of() {
    let (_runtime, server) = served();
    let work = tempfile::tempdir().unwrap();
    let partial = work.path().join("b.zip.partial");
    let mut child = collector(work.path(), &server, "60s").spawn().unwrap();
    let until = Instant::now() + Duration::from_secs(60);
    while !partial.exists() {
        assert!(Instant::now() < until, "no partial file");
        std::thread::sleep(Duration::from_millis(20));
    }
    // Somebody is still at it: another run says nothing of it, and takes nothing away.
    let other = collector(work.path(), &server, "0")
        .args(["--force"])
        .stderr(Stdio::piped())
        .output()
        .unwrap();
    let said = String::from_utf8_lossy(&other.stderr).into_owned();
    assert!(!said.contains("had gathered"), "{said}");
    child.kill().unwrap();
    child.wait().unwrap();
    assert_eq!(names(work.path()), ["b.zip", "b.zip.partial"]);
    std::fs::remove_file(work.path().join("b.zip")).unwrap();

    let page = Command::new(program("wss-analyzer"))
        .args(["report", "b.zip.partial", "-o", "-"])
        .current_dir(work.path())
        .output()
        .unwrap();
    let page = String::from_utf8(page.stdout).unwrap();
    assert!(page.split("</header>").next().unwrap().contains("! interrupted"), "{page}");

    let next = collector(work.path(), &server, "0").stderr(Stdio::piped()).output().unwrap();
    let said = String::from_utf8_lossy(&next.stderr).into_owned();
    assert_eq!(next.status.code(), Some(0), "{said}");
    assert_eq!(
        said.matches("b.zip.partial is what a collection that was killed").count(),
        1,
        "{said}"
    );
    assert_eq!(
        names(work.path()),
        ["b.zip", "b.zip.partial"],
        "it stays, and the new one's is gone"
    );
}

#[test]
fn a_closed_terminal_still_gives_a_bundle() {
    let (_runtime, server) = served();
    let work = tempfile::tempdir().unwrap();
    let mut command = collector(work.path(), &server, "60s");
    // Nobody reads what it says any more.
    let (reader, writer) = std::io::pipe().unwrap();
    drop(reader);
    let mut child = command.stderr(writer.try_clone().unwrap()).stdout(writer).spawn().unwrap();
    let until = Instant::now() + Duration::from_secs(60);
    while !work.path().join("b.zip.partial").exists() {
        assert!(Instant::now() < until, "no partial file");
        std::thread::sleep(Duration::from_millis(20));
    }
    let sent = Command::new("kill").args(["-HUP", &child.id().to_string()]).status().unwrap();
    assert!(sent.success());
    child.wait().unwrap();
    let opened = read::file(&work.path().join("b.zip"), &Limits::default()).unwrap();
    assert_eq!(opened.bundle.defects, []);
    assert!(!opened.bundle.manifest.complete);
    assert_eq!(names(work.path()), ["b.zip"]);
}

/// On a file system of its own, as small or as closed as `options` say. What is
/// left of a partial file comes back as `left.zip` in `folder`.
fn on(options: &str, folder: &Path, more: &str, server: &Hostile) -> (Option<i32>, String) {
    let place = tempfile::tempdir().unwrap();
    let script = format!(
        "mount -t tmpfs -o {options} none {dir} && cd {dir} && {program} http://{address} -x '' \
         --no-input --timeout 5s -o b.zip {more}; code=$?; ls -A; \
         [ ! -e b.zip.partial ] || cp b.zip.partial {folder}/left.zip; exit $code",
        dir = place.path().display(),
        folder = folder.display(),
        program = program("wss-collector").display(),
        address = server.address,
    );
    let output = Command::new("unshare")
        .args(["--map-root-user", "--mount", "sh", "-c", &script])
        .output()
        .expect("unshare is needed: apt-get install util-linux");
    let both = [output.stdout, output.stderr].concat();
    (output.status.code(), String::from_utf8_lossy(&both).into_owned())
}

#[test]
fn a_small_disk_and_a_closed_folder_give_no_half_bundle() {
    let (_runtime, server) = served();
    let work = tempfile::tempdir().unwrap();
    let (code, said) = on("size=8k", work.path(), "--hold 0", &server);
    assert_eq!(code, Some(2), "{said}");
    assert!(said.contains("cannot write b.zip") && said.contains("--output"), "{said}");
    assert!(!said.lines().any(|line| line == "b.zip"), "{said}");
    let (code, said) = on("ro", work.path(), "--hold 0", &server);
    assert_eq!(code, Some(2), "{said}");
    assert!(said.contains("Read-only file system") && said.contains("--output"), "{said}");
}

/// A configuration of this many bytes that hardly compresses and holds no secret.
fn configuration(bytes: usize) -> String {
    let mut state = 7_u64;
    let mut text = String::from("events {}\nhttp { server { listen 80; } }\n");
    while text.len() < bytes {
        text.push_str("# ");
        for at in 0..70_u64 {
            state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(at);
            text.push(if at % 9 == 8 { ' ' } else { char::from(b'a' + (state >> 40) as u8 % 26) });
        }
        text.push('\n');
    }
    text
}

/// A disk that is full half-way through a bundle of half a megabyte.
#[test]
fn a_disk_that_fills_half_way_keeps_what_was_gathered() {
    let (_runtime, server) = served();
    let work = tempfile::tempdir().unwrap();
    let mut more = "--hold 3s".to_owned();
    for number in 0..3 {
        let file = work.path().join(format!("n{number}.conf"));
        std::fs::write(&file, configuration(300_000)).unwrap();
        more.push_str(&format!(" --config {}", file.display()));
    }
    // With room for it, the bundle is large.
    let (code, said) = on("size=64m", work.path(), &more, &server);
    assert_eq!(code, Some(0), "{said}");
    assert!(said.lines().any(|line| line == "b.zip") && !said.contains("partial"), "{said}");

    // Half-way through the partial file, which is then not there; and so is the bundle.
    let left = work.path().join("left.zip");
    let (code, said) = on("size=280k", work.path(), &more, &server);
    assert_eq!(code, Some(2), "{said}");
    assert!(said.contains("cannot write b.zip") && said.contains("No space left"), "{said}");
    assert!(!said.lines().any(|line| line.starts_with('.') || line.starts_with("b.zip")), "{said}");
    assert!(!left.exists());

    // Half-way through the bundle: the partial file was whole, and stays.
    let (code, said) = on("size=900k", work.path(), &more, &server);
    assert_eq!(code, Some(2), "{said}");
    assert!(said.contains("cannot write b.zip") && said.contains("No space left"), "{said}");
    assert!(said.contains("most of what was gathered is in b.zip.partial"), "{said}");
    let names: Vec<&str> =
        said.lines().filter(|l| l.starts_with('.') || l.starts_with("b.zip")).collect();
    assert_eq!(names, ["b.zip.partial"], "{said}");
    let opened = read::file(&left, &Limits::default()).unwrap();
    assert_eq!(opened.bundle.defects, []);
    assert!(!opened.bundle.manifest.complete);
    assert_eq!(opened.bundle.attachments.len(), 3);
    assert!(!opened.bundle.observations.observations.is_empty());
}
