//! `wss-analyzer inbox`: halves of cases in any order, bad inputs among them, killed and
//! started twice; each case has one report, of all its bundles.
#![allow(clippy::unwrap_used, clippy::expect_used, reason = "a test may panic")]
#![cfg(unix)]

use serde_json::Value;
use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};
use std::time::{Duration, SystemTime};
use wss_lab::generate::generate;

fn analyzer(work: &Path, args: &[&str]) -> Command {
    let path = Path::new(env!("CARGO_BIN_EXE_wss-lab")).with_file_name("wss-analyzer");
    assert!(path.is_file(), "{}: cargo build --workspace makes it", path.display());
    let mut command = Command::new(path);
    command.args(args).current_dir(work).stdin(Stdio::null());
    command
}

fn run(work: &Path, args: &[&str]) -> Output {
    analyzer(work, args).output().unwrap()
}

fn text(bytes: &[u8]) -> String {
    String::from_utf8_lossy(bytes).into_owned()
}

/// As if it had been there for a while.
fn settled(path: &Path) {
    let file = std::fs::File::options().write(true).open(path).unwrap();
    file.set_modified(SystemTime::now() - Duration::from_secs(60)).unwrap();
}

fn arrive(work: &Path, name: &str) {
    let golden = Path::new(env!("CARGO_MANIFEST_DIR")).join("golden/demo").join(name);
    std::fs::create_dir_all(work.join("box")).unwrap();
    std::fs::copy(golden, work.join("box").join(name)).unwrap();
    settled(&work.join("box").join(name));
}

fn ids(report: &Path) -> BTreeSet<String> {
    let report: Value = serde_json::from_slice(&std::fs::read(report).unwrap()).unwrap();
    let bundles = report["case"]["bundles"].as_array().unwrap();
    bundles.iter().map(|bundle| bundle["id"].as_str().unwrap().to_owned()).collect()
}

fn folders(to: &Path) -> Vec<PathBuf> {
    let all = std::fs::read_dir(to).unwrap().map(|entry| entry.unwrap().path());
    let mut all: Vec<PathBuf> = all.filter(|path| path.is_dir()).collect();
    all.sort();
    all
}

const TELL: &str = "printf '%s\\n' \"$WSS_CASE|$WSS_STATUS|$WSS_CAUSE|$(printf %s \"$WSS_BUNDLES\" | grep -c .)|$(head -c 15 \"$WSS_REPORT\")\" >> ../told.txt && test -s \"$WSS_REPLY\" -a -s \"$WSS_JSON\"";

fn told(work: &Path) -> Vec<String> {
    let text = std::fs::read_to_string(work.join("told.txt")).unwrap_or_default();
    text.lines().map(str::to_owned).collect()
}

#[test]
fn a_case_is_drawn_when_it_comes_and_anew_with_its_other_half() {
    let work = tempfile::tempdir().unwrap();
    let work = work.path();
    // The command runs where the analyzer does.
    let there = work.join("there");
    std::fs::create_dir(&there).unwrap();
    let args = ["inbox", "../box", "--to", "../out", "--on-case", TELL];
    arrive(work, "inside.zip");
    let first = run(&there, &args);
    assert_eq!(first.status.code(), Some(0), "{}", text(&first.stderr));
    let folder = match folders(&work.join("out")).as_slice() {
        [one] => one.clone(),
        other => panic!("{other:?}"),
    };
    assert_eq!(ids(&folder.join("report.json")).len(), 1);
    assert_eq!(told(work).len(), 1, "{:?}", told(work));
    let line = text(&first.stdout);
    assert!(
        line.contains("broken  proxy-blocks-websocket") && line.contains("report.html"),
        "{line}"
    );

    // Nothing new: nothing is done, and nobody told.
    let again = run(&there, &args);
    assert_eq!((again.status.code(), text(&again.stdout).as_str()), (Some(0), ""));
    assert_eq!(told(work).len(), 1);

    // A poisonous one stops nothing; a command that fails is said, and run again.
    arrive(work, "outside.zip");
    std::fs::write(work.join("box/poison.zip"), b"PK\x03\x04 nothing").unwrap();
    settled(&work.join("box/poison.zip"));
    let failing = ["inbox", "../box", "--to", "../out", "--on-case", "exit 3"];
    let output = run(&there, &failing);
    let said = text(&output.stderr);
    assert_eq!(output.status.code(), Some(1), "{said}");
    assert!(said.contains("poison.zip") && said.contains("exit status: 3"), "{said}");
    assert_eq!(ids(&folder.join("report.json")).len(), 2);
    let output = run(&there, &args);
    assert_eq!(output.status.code(), Some(1), "{}", text(&output.stderr));
    let all = told(work);
    assert_eq!(all.len(), 2, "{all:?}");
    let ends = "|broken|proxy-blocks-websocket|2|<!DOCTYPE html>";
    assert!(all[1].to_lowercase().ends_with(&ends.to_lowercase()), "{all:?}");

    // A report that somebody has taken away comes again.
    std::fs::remove_file(folder.join("reply.md")).unwrap();
    run(&there, &args);
    assert!(folder.join("reply.md").is_file() && folders(&work.join("out")).len() == 1);
}

#[test]
fn what_cannot_be_done_is_said() {
    let work = tempfile::tempdir().unwrap();
    for (args, says) in [
        (["inbox", "nowhere"].as_slice(), "nowhere: it is no folder"),
        (&["inbox", "s3://bundles"], "--to"),
        (&["inbox", ".", "--every", "3"], "--follow"),
        (&["inbox", ".", "--identity", "gone"], "gone"),
    ] {
        let output = run(work.path(), args);
        let said = text(&output.stderr);
        assert!(output.status.code() == Some(2) && said.contains(says), "{args:?}: {said}");
    }
}

/// Nothing new comes, and whoever was not told is told nevertheless: once.
#[test]
fn followed_it_tells_again_whoever_was_not_told() {
    let work = tempfile::tempdir().unwrap();
    let work = work.path();
    arrive(work, "inside.zip");
    let once = "echo \"$WSS_CASE\" >> told.txt; test \"$(grep -c . told.txt)\" -gt 1";
    let args = ["inbox", "box", "--to", "out", "--follow", "--every", "1", "--on-case", once];
    let said = std::fs::File::create(work.join("said.txt")).unwrap();
    let mut follow = analyzer(work, &args).stdout(Stdio::null()).stderr(said).spawn().unwrap();
    let until = SystemTime::now() + Duration::from_secs(60);
    while told(work).len() < 2 {
        assert!(SystemTime::now() < until, "nobody was told again: {:?}", told(work));
        std::thread::sleep(Duration::from_millis(50));
    }
    // The other half comes, in a pass after that one: nobody is told a third time of the first.
    arrive(work, "outside.zip");
    let first = told(work)[0].clone();
    while told(work).len() < 3 {
        assert!(SystemTime::now() < until, "the other half was not told of");
        std::thread::sleep(Duration::from_millis(50));
    }
    follow.kill().unwrap();
    follow.wait().unwrap();
    let all = told(work);
    assert_eq!(all, [first.clone(), first.clone(), first], "of one case, by its id");
    let said = std::fs::read_to_string(work.join("said.txt")).unwrap();
    assert_eq!(said.matches("exit status: 1").count(), 1, "{said}");
}

/// A file that is still written is left until it is whole.
#[test]
fn followed_it_takes_what_is_whole_and_no_more() {
    let work = tempfile::tempdir().unwrap();
    let work = work.path();
    arrive(work, "inside.zip");
    let whole = std::fs::read(work.join("box/inside.zip")).unwrap();
    let path = work.join("box/inside.zip");
    std::fs::write(&path, &whole[..whole.len() / 2]).unwrap();
    let args = ["inbox", "box", "--follow", "--every", "1"];
    let mut follow =
        analyzer(work, &args).stdout(Stdio::null()).stderr(Stdio::null()).spawn().unwrap();
    // Written on for longer than it takes to settle, in steps shorter than that.
    for part in 1..=6 {
        std::thread::sleep(Duration::from_millis(500));
        std::fs::write(&path, &whole[..whole.len() * (6 + part) / 12]).unwrap();
    }
    let until = SystemTime::now() + Duration::from_secs(60);
    let done =
        || folders(&work.join("box")).iter().any(|folder| folder.join("case.json").is_file());
    while !done() {
        assert!(SystemTime::now() < until, "nothing was drawn");
        std::thread::sleep(Duration::from_millis(50));
    }
    follow.kill().unwrap();
    follow.wait().unwrap();
    let bad = run(work, &["sql", "--format", "json", "SELECT * FROM bad"]);
    assert_eq!(text(&bad.stdout).trim(), "[]");
    let page = std::fs::read_to_string(folders(&work.join("box"))[0].join("report.html")).unwrap();
    assert!(!page.contains("damaged, read in part"));
}

fn rows(work: &Path, store: &str, query: &str) -> Vec<Value> {
    let output = run(work, &["sql", "--store", store, "--format", "json", query]);
    assert!(output.status.success(), "{query}: {}", text(&output.stderr));
    serde_json::from_slice(&output.stdout).unwrap()
}

/// Bundles in random order; the analyzer is killed again and again.
fn killed(count: usize, kills: usize) {
    let work = tempfile::tempdir().unwrap();
    let work = work.path();
    generate(count, 11, &work.join("made")).unwrap();
    let mut files = Vec::new();
    let mut waiting = vec![work.join("made/in")];
    while let Some(folder) = waiting.pop() {
        for entry in std::fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() { waiting.push(path) } else { files.push(path) }
        }
    }
    for number in 0..count / 10 {
        let path = work.join(format!("made/{number}-bad.zip"));
        let torn = std::fs::read(&files[number]).unwrap();
        let bad: &[u8] = [b"".as_slice(), b"<html>Sign in", &torn[..300]][number % 3];
        std::fs::write(&path, bad).unwrap();
        files.push(path);
    }
    // In an order of their own: ids are random. Two may have one name.
    files.sort_by_key(|path| {
        path.file_name().unwrap().to_string_lossy().chars().rev().collect::<String>()
    });
    let boxed = work.join("box");
    std::fs::create_dir(&boxed).unwrap();
    let chunk = files.len().div_ceil(kills);
    for (number, some) in files.chunks(chunk).enumerate() {
        for path in some {
            settled(path);
            std::fs::rename(path, boxed.join(path.file_name().unwrap())).unwrap();
        }
        let mut command = analyzer(work, &["inbox", "box", "--to", "out"]);
        let mut child = command.stdout(Stdio::null()).stderr(Stdio::null()).spawn().unwrap();
        // Anywhere in its work, and sometimes after it.
        std::thread::sleep(Duration::from_millis((number as u64 * 97) % 900));
        child.kill().unwrap();
        child.wait().unwrap();
    }
    // Two at once do the rest.
    let args = ["inbox", "box", "--to", "out"];
    let other = analyzer(work, &args).stdout(Stdio::null()).stderr(Stdio::null()).spawn().unwrap();
    let one = run(work, &args);
    let other = other.wait_with_output().unwrap();
    for (status, said) in [(one.status, text(&one.stderr)), (other.status, String::new())] {
        assert_eq!(status.code(), Some(1), "bad ones are among them: {said}");
    }
    let last = run(work, &args);
    assert_eq!(text(&last.stdout), "", "something was left to do");

    // As `trends` counts the same files.
    let trends = run(work, &["trends", "box", "--store", "other"]);
    assert_eq!(trends.status.code(), Some(1), "{}", text(&trends.stderr));
    let all = "SELECT bundle_id, case_id, host, cause FROM bundles ORDER BY 1";
    let bundles = rows(work, "wss-store", all);
    assert_eq!(bundles, rows(work, "other", all));
    assert!(bundles.len() >= count, "{}", bundles.len());
    let bad = "SELECT COUNT(*) AS n FROM bad";
    assert_eq!(rows(work, "wss-store", bad), rows(work, "other", bad));

    let mut cases: BTreeMap<(String, String), BTreeSet<String>> = BTreeMap::new();
    for row in &bundles {
        let of = |key: &str| row[key].as_str().unwrap().to_owned();
        cases.entry((of("case_id"), of("host"))).or_default().insert(of("bundle_id"));
    }
    let drawn = folders(&work.join("out"));
    assert_eq!(drawn.len(), cases.len());
    let mut wanted: Vec<BTreeSet<String>> = cases.into_values().collect();
    assert!(wanted.iter().any(|case| case.len() > 1), "no case has two bundles");
    let mut found = Vec::new();
    for folder in drawn {
        let names = std::fs::read_dir(&folder).unwrap();
        let names: BTreeSet<String> =
            names.map(|entry| entry.unwrap().file_name().into_string().unwrap()).collect();
        let whole = [".lock", "case.json", "reply.md", "report.html", "report.json"];
        assert_eq!(names, whole.map(str::to_owned).into(), "{}", folder.display());
        found.push(ids(&folder.join("report.json")));
    }
    wanted.sort();
    found.sort();
    assert!(wanted == found, "a report lacks a bundle, or has another's");
}

#[test]
fn killed_again_and_again_each_case_has_one_report() {
    killed(120, 15);
}

/// By hand: `cargo nextest run --release --workspace -E 'binary(inbox)' --run-ignored all`.
#[test]
#[ignore = "two thousand bundles take minutes without optimisation"]
fn two_thousand_bundles_and_fifty_kills() {
    killed(2000, 50);
}
