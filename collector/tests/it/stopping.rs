//! Ctrl-C once, and twice.

use crate::server::{Server, Upgrades, collector, text};
use std::io::{BufRead, BufReader, Write};
use std::process::{Child, Command, Stdio};
use wss_bundle::manifest::StepOutcome;
use wss_bundle::read::{self, Limits};

/// Starts a collection that cannot end soon, and returns when it has said all of `until`.
fn begun(
    folder: &std::path::Path,
    server: &Server,
    args: &[&str],
    until: &[&str],
) -> (Child, BufReader<std::process::ChildStderr>) {
    let mut child = collector(folder)
        .args([&server.url(), "-o", "c.zip", "--timeout", "60s"])
        .args(args)
        .stderr(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    let mut lines = BufReader::new(child.stderr.take().unwrap());
    let mut said = String::new();
    while !until.iter().all(|part| said.contains(part)) {
        assert!(lines.read_line(&mut said).unwrap() > 0, "it ended too soon: {said}");
    }
    (child, lines)
}

fn signal(child: &Child, name: &str) {
    let status = Command::new("kill").args([name, &child.id().to_string()]).status().unwrap();
    assert!(status.success());
}

#[test]
fn one_interrupt_still_writes_a_valid_bundle_marked_incomplete() {
    for name in ["-INT", "-TERM"] {
        let folder = tempfile::tempdir().unwrap();
        let server = Server::start(Upgrades::Silent);
        let (child, _lines) = begun(folder.path(), &server, &["--hold", "0"], &["http ok"]);
        signal(&child, name);
        let output = child.wait_with_output().unwrap();
        assert_eq!(output.status.code(), Some(1), "{}", text(&output.stdout));
        let opened = read::file(&folder.path().join("c.zip"), &Limits::default()).unwrap();
        assert!(opened.bundle.defects.is_empty());
        let manifest = opened.bundle.manifest;
        assert!(!manifest.complete);
        assert!(manifest.steps.iter().any(|step| step.outcome == StepOutcome::Cancelled));
        assert!(!opened.bundle.observations.observations.is_empty());
    }
}

#[test]
fn an_interrupt_ends_a_hold() {
    let folder = tempfile::tempdir().unwrap();
    let server = Server::start(Upgrades::Work);
    let (child, _lines) =
        begun(folder.path(), &server, &["--hold", "1h"], &["holding", "frames ok", "http ok"]);
    signal(&child, "-INT");
    let output = child.wait_with_output().unwrap();
    // It works; that it was stopped early is in the bundle.
    assert_eq!(output.status.code(), Some(0), "{}", text(&output.stdout));
    assert!(folder.path().join("c.zip").exists());
}

/// The bundle goes to a pipe that is full, so that writing it cannot end.
#[test]
fn a_second_interrupt_gives_up_at_any_time() {
    let folder = tempfile::tempdir().unwrap();
    let server = Server::start(Upgrades::Silent);
    let (_reader, mut writer) = std::io::pipe().unwrap();
    let full = writer.try_clone().unwrap();
    let filling = std::thread::spawn(move || writer.write_all(&vec![0; 1 << 20]));
    let mut child = collector(folder.path())
        .args([&server.url(), "-o", "-", "--timeout", "60s", "--hold", "0"])
        .stderr(Stdio::piped())
        .stdout(full)
        .spawn()
        .unwrap();
    let mut lines = BufReader::new(child.stderr.take().unwrap());
    let mut wait_for = |part: &str| {
        let mut said = String::new();
        while !said.contains(part) {
            assert!(lines.read_line(&mut said).unwrap() > 0, "it ended too soon: {said}");
        }
    };
    wait_for("http ok");
    signal(&child, "-INT");
    wait_for("stopping");
    signal(&child, "-INT");
    wait_for("given up");
    assert_eq!(child.wait().unwrap().code(), Some(130));
    // Still waiting for room: nobody ever reads.
    assert!(!filling.is_finished());
}
