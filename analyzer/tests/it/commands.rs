//! The commands as they are run: output, files, exit codes.

use crate::fixture::cases;
use std::path::Path;
use std::process::{Command, Output};
use wss_bundle::redact::Redactor;
use wss_bundle::{Bundle, write};

fn run(folder: &Path, args: &[&str]) -> Output {
    let mut command = Command::new(env!("CARGO_BIN_EXE_wss-analyzer"));
    command.args(args).current_dir(folder).output().unwrap()
}

fn out(output: &Output) -> String {
    String::from_utf8(output.stdout.clone()).unwrap()
}

fn err(output: &Output) -> String {
    String::from_utf8(output.stderr.clone()).unwrap()
}

fn save(bundle: &Bundle, path: &Path) {
    write::file(&Redactor::new().bundle(bundle.clone()), path, true).unwrap();
}

/// A folder with `inside.zip` and `outside.zip` (broken), `well.zip`, `bad.zip`.
fn folder() -> tempfile::TempDir {
    let folder = tempfile::tempdir().unwrap();
    let all = cases();
    let of = |name: &str| &all.iter().find(|case| case.name == name).unwrap().bundles;
    save(&of("proxy-strips")[0], &folder.path().join("inside.zip"));
    save(&of("proxy-strips")[1], &folder.path().join("outside.zip"));
    save(&of("healthy")[0], &folder.path().join("well.zip"));
    std::fs::write(folder.path().join("bad.zip"), "no zip").unwrap();
    folder
}

#[test]
fn html_goes_to_report_html_and_replaces_it() {
    let folder = folder();
    let report = folder.path().join("report.html");
    std::fs::write(&report, "old").unwrap();
    let done = run(folder.path(), &["report", "inside.zip", "outside.zip"]);
    assert_eq!(done.status.code(), Some(0), "{}", err(&done));
    assert_eq!(out(&done), "report.html\n");
    let page = std::fs::read_to_string(report).unwrap();
    assert!(page.starts_with("<!doctype html>") && page.ends_with("</html>\n"));
    let others: Vec<_> = std::fs::read_dir(folder.path()).unwrap().collect();
    assert_eq!(others.len(), 5, "nothing else is left behind");
}

#[test]
fn json_and_markdown_go_to_standard_output() {
    let folder = folder();
    let json = run(folder.path(), &["report", "--format", "json", "inside.zip", "outside.zip"]);
    let value: serde_json::Value = serde_json::from_slice(&json.stdout).unwrap();
    assert_eq!(value["verdict"]["cause"], "proxy-blocks-websocket");
    let markdown = run(folder.path(), &["report", "--format", "markdown", "inside.zip"]);
    assert!(out(&markdown).contains("## What we found"));
    let html = run(folder.path(), &["report", "-o", "-", "inside.zip"]);
    assert!(out(&html).starts_with("<!doctype html>"));
    let file = run(folder.path(), &["report", "--format", "json", "-o", "a.json", "inside.zip"]);
    assert_eq!(out(&file), "a.json\n");
    assert!(folder.path().join("a.json").is_file() && !folder.path().join("report.html").exists());
}

#[test]
fn check_tells_scripts() {
    let folder = folder();
    let check =
        |bundle| run(folder.path(), &["report", "--check", "-o", "-", bundle]).status.code();
    assert_eq!(check("inside.zip"), Some(3));
    assert_eq!(check("well.zip"), Some(0));
}

#[test]
fn bad_inputs_are_named_and_the_rest_is_done() {
    let folder = folder();
    let some =
        run(folder.path(), &["report", "bad.zip", "inside.zip", "missing.zip", "inside.zip"]);
    assert_eq!(some.status.code(), Some(1));
    for name in ["bad.zip", "missing.zip", "given twice"] {
        assert!(err(&some).contains(name), "{}", err(&some));
    }
    assert!(folder.path().join("report.html").is_file());
    let none = run(folder.path(), &["report", "-o", "none.html", "bad.zip"]);
    assert_eq!(none.status.code(), Some(2));
    assert!(!folder.path().join("none.html").exists());
}

#[test]
fn what_cannot_be_written_is_said() {
    let folder = folder();
    let nowhere = run(folder.path(), &["report", "--open", "-o", "-", "inside.zip"]);
    assert_eq!(nowhere.status.code(), Some(2));
    assert!(err(&nowhere).contains("--open needs a file"), "{}", err(&nowhere));
    for place in [".", "no/such/folder/report.html"] {
        let output = run(folder.path(), &["report", "-o", place, "inside.zip"]);
        assert_eq!(output.status.code(), Some(2), "{place}");
        assert!(err(&output).contains("cannot write"), "{}", err(&output));
    }
}

#[cfg(target_os = "linux")]
#[test]
fn a_full_disk_is_no_success() {
    let folder = folder();
    let full = std::fs::OpenOptions::new().write(true).open("/dev/full").unwrap();
    let mut command = Command::new(env!("CARGO_BIN_EXE_wss-analyzer"));
    command.args(["report", "--format", "json", "inside.zip"]).current_dir(folder.path());
    let output = command.stdout(full).output().unwrap();
    assert_eq!(output.status.code(), Some(2));
    assert!(err(&output).contains("cannot write to standard output"), "{}", err(&output));
}

#[test]
fn signatures_are_added_or_refused_by_name() {
    let folder = folder();
    let own = folder.path().join("own");
    std::fs::create_dir(&own).unwrap();
    let report = || run(folder.path(), &["report", "--signatures", "own", "-o", "-", "inside.zip"]);
    assert!(err(&report()).contains("no *.toml"), "{}", err(&report()));
    std::fs::write(own.join("x.toml"), "not = [toml").unwrap();
    let refused = report();
    assert_eq!(refused.status.code(), Some(2));
    assert!(err(&refused).contains("x.toml"), "{}", err(&refused));
}

#[test]
fn verify_says_whether_a_bundle_is_whole() {
    let folder = folder();
    let whole = run(folder.path(), &["verify", "inside.zip"]);
    assert_eq!(whole.status.code(), Some(0), "{}", err(&whole));
    let path = folder.path().join("inside.zip");
    let mut bytes = std::fs::read(&path).unwrap();
    let at = bytes.len() / 2;
    bytes[at] ^= 0xff;
    std::fs::write(&path, bytes).unwrap();
    let broken = run(folder.path(), &["verify", "inside.zip"]);
    assert!(matches!(broken.status.code(), Some(1 | 2)), "{}", out(&broken));
    assert!(err(&broken).contains("inside.zip"));
    assert_eq!(run(folder.path(), &["verify", "bad.zip"]).status.code(), Some(2));
}

#[test]
fn explain_knows_every_rule_and_near_names() {
    let folder = folder();
    let list = out(&run(folder.path(), &["explain"]));
    for rule in wss_diagnosis::rules() {
        assert!(list.contains(rule.id), "{}", rule.id);
        let one = run(folder.path(), &["explain", rule.id]);
        assert!(one.status.success() && out(&one).contains(rule.looks_for), "{}", rule.id);
    }
    let near = run(folder.path(), &["explain", "proxy-block-websockets"]);
    assert_eq!(near.status.code(), Some(2));
    assert!(err(&near).contains("proxy-blocks-websocket"), "{}", err(&near));
    let far = run(folder.path(), &["explain", "zzz"]);
    assert!(err(&far).contains("explain lists them"), "{}", err(&far));
}

#[test]
fn completions_and_manual_pages() {
    let folder = tempfile::tempdir().unwrap();
    for (args, says) in [
        (&["completions", "bash"][..], "complete"),
        (&["man"], ".TH wss-analyzer 1"),
        (&["man", "report"], ".TH wss-analyzer-report 1"),
    ] {
        let done = run(folder.path(), args);
        assert_eq!(done.status.code(), Some(0), "{args:?}: {}", err(&done));
        assert!(out(&done).contains(says), "{args:?}: {}", out(&done));
    }
    let done = run(folder.path(), &["man", "nonsense"]);
    assert_eq!(done.status.code(), Some(2));
    assert!(err(&done).contains("no command \"nonsense\""), "{}", err(&done));
}

#[test]
fn a_bundle_may_come_on_standard_input() {
    let folder = folder();
    for args in [&["verify", "-"][..], &["report", "--format", "json", "-"]] {
        let mut command = Command::new(env!("CARGO_BIN_EXE_wss-analyzer"));
        command.args(args).current_dir(folder.path());
        command.stdin(std::fs::File::open(folder.path().join("well.zip")).unwrap());
        let done = command.output().unwrap();
        assert_eq!(done.status.code(), Some(0), "{args:?}: {}", err(&done));
    }
}

#[test]
fn a_report_on_what_is_damaged_says_so_in_a_line() {
    let folder = folder();
    let path = folder.path().join("inside.zip");
    let mut bytes = std::fs::read(&path).unwrap();
    bytes.truncate(bytes.len() - 40);
    std::fs::write(&path, bytes).unwrap();
    let done = run(folder.path(), &["report", "inside.zip", "outside.zip"]);
    assert_eq!(done.status.code(), Some(0), "{}", err(&done));
    let said = err(&done);
    assert_eq!(said.lines().count(), 1, "{said}");
    assert!(said.contains("inside.zip: judged by what could be read: "), "{said}");
}

#[cfg(unix)]
#[test]
fn a_pipe_in_a_folder_is_named_and_stops_nobody() {
    let folder = folder();
    let many = folder.path().join("many");
    std::fs::create_dir(&many).unwrap();
    std::fs::rename(folder.path().join("well.zip"), many.join("well.zip")).unwrap();
    let pipe = many.join("pipe.zip");
    assert!(Command::new("mkfifo").arg(&pipe).status().unwrap().success());
    for args in [&["rows", "many"][..], &["trends", "many", "--store", "s", "-o", "t.html"]] {
        let done = run(folder.path(), args);
        assert_eq!(done.status.code(), Some(1), "{args:?}: {}", err(&done));
        assert!(err(&done).contains("pipe.zip: no regular file"), "{args:?}: {}", err(&done));
    }
}
