//! Encrypted bundles, with the real `age` at the other end.
#![allow(clippy::unwrap_used, clippy::expect_used, reason = "a test may panic")]

use std::path::{Path, PathBuf};
use std::process::{Command, Output};
use wss_lab::real::closed_port;

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

/// Runs something in `folder`.
fn run(folder: &Path, program: impl AsRef<std::ffi::OsStr>, args: &[&str]) -> Output {
    let mut command = Command::new(program.as_ref());
    for name in ["http_proxy", "https_proxy", "all_proxy", "no_proxy"] {
        command.env_remove(name).env_remove(name.to_uppercase());
    }
    let output = command.args(args).current_dir(folder).output();
    output.expect("age and age-keygen are needed: apt-get install age")
}

/// Collects from a port at which nobody is; `options` say where the bundle goes.
fn collect(folder: &Path, options: &[&str]) -> Output {
    let target = format!("127.0.0.1:{}", closed_port().unwrap());
    let fixed = ["--hold", "0", "--timeout", "2s", "--no-input", &target];
    run(folder, program("wss-collector"), &[options, &fixed].concat())
}

/// A key pair: the file with the private one, and the public one.
fn key(folder: &Path, name: &str) -> String {
    let made = run(folder, "age-keygen", &["-o", name]);
    assert!(made.status.success(), "{}", text(&made));
    let shown = run(folder, "age-keygen", &["-y", name]);
    String::from_utf8(shown.stdout).unwrap().trim().to_owned()
}

fn names(folder: &Path) -> Vec<String> {
    let mut names: Vec<String> = std::fs::read_dir(folder)
        .unwrap()
        .map(|entry| entry.unwrap().file_name().into_string().unwrap())
        .collect();
    names.sort();
    names
}

#[test]
fn age_opens_what_the_collector_sealed_and_the_analyzer_what_age_sealed() {
    let work = tempfile::tempdir().unwrap();
    let folder = work.path();
    let (support, second) = (key(folder, "support.key"), key(folder, "second.key"));
    let list = format!("# support\n{support}\n\n{second}\n");
    std::fs::write(folder.join("support.pub"), list).unwrap();

    // By a recipients file: both keys open it. The default name says what it is.
    let done = collect(folder, &["--encrypt-to", "@support.pub"]);
    let said = text(&done);
    assert_eq!(done.status.code(), Some(1), "{said}");
    assert!(said.contains("only the owner of") && !said.contains("inspect"), "{said}");
    let name = names(folder).into_iter().find(|name| name.starts_with("wss-")).unwrap();
    assert!(name.ends_with("Z.zip.age"), "{name}");
    for key in ["support.key", "second.key"] {
        let opened = run(folder, "age", &["-d", "-i", key, "-o", "plain.zip", &name]);
        assert!(opened.status.success(), "{}", text(&opened));
        let verified = run(folder, program("wss-analyzer"), &["verify", "plain.zip"]);
        assert_eq!(verified.status.code(), Some(0), "{}", text(&verified));
        let verified = run(folder, program("wss-analyzer"), &["verify", "--identity", key, &name]);
        assert_eq!(verified.status.code(), Some(0), "{}", text(&verified));
    }

    // The other way round; also armoured, as pasted into a ticket.
    for armour in [&[][..], &["-a"]] {
        let seal = [armour, &["-r", &support, "-o", "by-age.zip.age", "plain.zip"]].concat();
        let sealed = run(folder, "age", &seal);
        assert!(sealed.status.success(), "{}", text(&sealed));
        let report = ["report", "--format", "json", "--identity", "support.key", "by-age.zip.age"];
        let report = run(folder, program("wss-analyzer"), &report);
        assert_eq!(report.status.code(), Some(0), "{}", text(&report));
        let json: serde_json::Value = serde_json::from_slice(&report.stdout).unwrap();
        assert_eq!(json["verdict"]["cause"], "unreachable");
        let shown = ["inspect", "--identity", "support.key", "by-age.zip.age"];
        let shown = run(folder, program("wss-collector"), &shown);
        assert!(text(&shown).contains("observations.json"), "{}", text(&shown));
    }
}

#[test]
fn what_cannot_be_opened_is_said_in_a_sentence() {
    let work = tempfile::tempdir().unwrap();
    let folder = work.path();
    let support = key(folder, "support.key");
    key(folder, "other.key");
    let done = collect(folder, &["--encrypt-to", &support, "-o", "b.zip.age"]);
    assert_eq!(done.status.code(), Some(1), "{}", text(&done));
    let sealed = std::fs::read(folder.join("b.zip.age")).unwrap();
    std::fs::write(folder.join("cut.zip.age"), &sealed[..sealed.len() - 100]).unwrap();
    let mut bent = sealed.clone();
    let middle = bent.len() / 2;
    bent[middle] ^= 1;
    std::fs::write(folder.join("bent.zip.age"), bent).unwrap();
    for (args, says) in [
        (&["verify", "b.zip.age"][..], "--identity FILE"),
        (&["report", "b.zip.age"], "--identity FILE"),
        (&["verify", "--identity", "other.key", "b.zip.age"], "another key than those in other"),
        (&["verify", "--identity", "support.key", "cut.zip.age"], "damaged"),
        (&["verify", "--identity", "support.key", "bent.zip.age"], "damaged"),
        (&["verify", "--identity", "none.key", "b.zip.age"], "none.key: "),
        (&["verify", "--identity", "b.zip.age", "b.zip.age"], "itself encrypted"),
        (&["report", "--identity", "none.key", "b.zip.age"], "none.key: "),
    ] {
        let output = run(folder, program("wss-analyzer"), args);
        assert_eq!(output.status.code(), Some(2), "{args:?}: {}", text(&output));
        assert!(text(&output).contains(says), "{args:?}: {}", text(&output));
        assert!(!text(&output).contains("SECRET"), "{}", text(&output));
    }
    // Without a key the collector's own look inside says what to do instead.
    let shown = run(folder, program("wss-collector"), &["inspect", "b.zip.age"]);
    assert!(text(&shown).contains("collect without --encrypt-to"), "{}", text(&shown));
}

/// Nothing plain is left behind, neither by success nor by failure.
#[test]
fn no_plain_bundle_is_left_behind() {
    let work = tempfile::tempdir().unwrap();
    let folder = work.path();
    let support = key(folder, "support.key");
    let private = std::fs::read_to_string(folder.join("support.key")).unwrap();
    let private = private.lines().last().unwrap();
    for wrong in ["age1nonsense", "@missing.pub", private, "ssh-ed25519 AAAA"] {
        let done = collect(folder, &["--encrypt-to", wrong]);
        assert_eq!(done.status.code(), Some(2), "{}", text(&done));
        assert!(!text(&done).contains(private), "{}", text(&done));
    }
    assert_eq!(names(folder), ["support.key"]);

    let json = collect(folder, &["--encrypt-to", &support, "--json"]);
    let said: serde_json::Value = serde_json::from_slice(&json.stdout).unwrap();
    let path = said["bundle"].as_str().unwrap();
    assert!(path.ends_with(".zip.age"), "{path}");
    assert_eq!(names(folder).len(), 2);
    let sealed = std::fs::read(folder.join(path)).unwrap();
    assert!(sealed.starts_with(b"age-encryption.org/v1\n"));

    let stream = collect(folder, &["--encrypt-to", &support, "-o", "-"]);
    assert!(stream.stdout.starts_with(b"age-encryption.org/v1\n"), "{}", text(&stream));
    for content in [&sealed, &stream.stdout] {
        let traces = [&b"PK\x03\x04"[..], b"manifest.json", b"observations", b"127.0.0.1"];
        for trace in traces {
            assert!(!content.windows(trace.len()).any(|w| w == trace), "{trace:?}");
        }
    }
    assert_eq!(names(folder).len(), 2);
}
