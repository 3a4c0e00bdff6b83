//! What is written and what is said.

use crate::server::{Server, Upgrades, collector, run, text};
use std::path::Path;
use wss_bundle::read::{self, Limits};

const QUICK: [&str; 4] = ["--hold", "0", "--timeout", "2s"];

fn args<'a>(rest: &[&'a str]) -> Vec<&'a str> {
    [rest, &QUICK].concat()
}

#[test]
fn it_works() {
    let folder = tempfile::tempdir().unwrap();
    let server = Server::start(Upgrades::Work);
    let output = run(folder.path(), &args(&[&server.url(), "-o", "out.zip", "--case", "C-1"]));
    let said = text(&output.stdout);
    assert_eq!(output.status.code(), Some(0), "{said}{}", text(&output.stderr));
    assert!(said.contains("WORKS"), "{said}");
    let opened = read::file(&folder.path().join("out.zip"), &Limits::default()).unwrap();
    assert!(opened.bundle.defects.is_empty(), "{:?}", opened.bundle.defects);
    let manifest = &opened.bundle.manifest;
    assert_eq!((manifest.case.as_str(), manifest.complete), ("C-1", true));
    assert!(!manifest.steps.is_empty());
}

#[test]
fn several_bundles_of_one_second_stand_side_by_side() {
    let folder = tempfile::tempdir().unwrap();
    let server = Server::start(Upgrades::Work);
    for _ in 0..4 {
        let output = run(folder.path(), &args(&[&server.url()]));
        let said = text(&output.stdout);
        assert_eq!(output.status.code(), Some(0), "{said}{}", text(&output.stderr));
        // The made-up case is said also where nothing else is to be run.
        let case = said.lines().find_map(|line| line.strip_prefix("Case:    ")).unwrap();
        assert_eq!((case.len(), &case[4..5]), (9, "-"), "{said}");
    }
    assert_eq!(std::fs::read_dir(folder.path()).unwrap().count(), 4);
}

#[test]
fn it_fails_and_says_what_to_run_next() {
    let folder = tempfile::tempdir().unwrap();
    let server = Server::start(Upgrades::Stripped);
    let output = run(folder.path(), &args(&[&server.url(), "--no-input"]));
    let said = text(&output.stdout);
    assert_eq!(output.status.code(), Some(1), "{said}");
    for part in ["BROKEN", "Bundle:", "Removed:", "--vantage outside --case", "inspect"] {
        assert!(said.contains(part), "{part} not in\n{said}");
    }
    let zips: Vec<String> = std::fs::read_dir(folder.path())
        .unwrap()
        .map(|entry| entry.unwrap().file_name().into_string().unwrap())
        .collect();
    assert_eq!(zips.len(), 1, "{zips:?}");
    assert!(
        zips[0].starts_with("wss-127.0.0.1-inside-2") && zips[0].ends_with("Z.zip"),
        "{zips:?}"
    );

    let inspected = run(folder.path(), &["inspect", &zips[0]]);
    let shown = text(&inspected.stdout);
    assert_eq!(inspected.status.code(), Some(0));
    for part in ["observations.json", "cookie-value", "transcripts/", "Target"] {
        assert!(shown.contains(part), "{part} not in\n{shown}");
    }
    assert_eq!(run(folder.path(), &["inspect", "missing.zip"]).status.code(), Some(2));
}

#[test]
fn a_ticket_stands_in_the_name_the_bundle_and_the_next_command() {
    let folder = tempfile::tempdir().unwrap();
    let server = Server::start(Upgrades::Stripped);
    let url = server.url();
    let asked = args(&[&url, "--no-input", "--ticket", "Case 12/7"]);
    let said = text(&run(folder.path(), &asked).stdout);
    assert!(said.contains("--ticket 'Case 12/7'"), "{said}");
    let file = std::fs::read_dir(folder.path()).unwrap().next().unwrap().unwrap().path();
    let name = file.file_name().unwrap().to_str().unwrap();
    assert!(name.starts_with("wss-Case_12_7-127.0.0.1-inside-2"), "{name}");
    let opened = read::file(&file, &Limits::default()).unwrap();
    assert_eq!(opened.bundle.manifest.ticket.as_deref(), Some("Case 12/7"));
    let shown = text(&run(folder.path(), &["inspect", name]).stdout);
    assert!(shown.contains("Ticket     Case 12/7"), "{shown}");
    let refused = run(folder.path(), &args(&[&url, "--ticket", "a\u{1b}b"]));
    assert_eq!(refused.status.code(), Some(2), "{}", text(&refused.stderr));
}

#[test]
fn without_a_terminal_there_are_plain_lines_and_no_escapes() {
    let folder = tempfile::tempdir().unwrap();
    let server = Server::start(Upgrades::Work);
    let output = run(folder.path(), &args(&[&server.url()]));
    let progress = text(&output.stderr);
    assert!(progress.contains("direct: upgrade ok"), "{progress}");
    for stream in [&output.stdout, &output.stderr] {
        assert!(!stream.contains(&0x1b), "{}", text(stream));
    }
}

#[test]
fn json_is_the_only_thing_on_standard_output() {
    let folder = tempfile::tempdir().unwrap();
    let server = Server::start(Upgrades::Work);
    let output = run(folder.path(), &args(&[&server.url(), "--json", "-o", "j.zip"]));
    let json: serde_json::Value = serde_json::from_slice(&output.stdout).unwrap();
    assert_eq!(json["bundle"], "j.zip");
    assert_eq!(json["diagnosis"]["verdict"]["cause"], "none");
    assert_eq!(json["diagnosis"]["format"]["name"], "wss-report");
    assert!(output.stderr.is_empty(), "{}", text(&output.stderr));
}

#[test]
fn the_bundle_on_standard_output() {
    let folder = tempfile::tempdir().unwrap();
    let server = Server::start(Upgrades::Work);
    let output = run(folder.path(), &args(&[&server.url(), "-o", "-"]));
    let opened = read::bytes(&output.stdout, Path::new("stdout"), &Limits::default()).unwrap();
    assert!(opened.bundle.defects.is_empty());
    assert!(text(&output.stderr).contains("WORKS"));
    assert_eq!(std::fs::read_dir(folder.path()).unwrap().count(), 0);
}

/// Everything that can be given: on the command line, in the URL, in the environment.
#[test]
fn no_secret_reaches_the_bundle_or_the_screen() {
    let folder = tempfile::tempdir().unwrap();
    let server = Server::start(Upgrades::Stripped);
    // The server echoes requests into its pages: the credentials come back.
    let target = format!("http://C4naryUser:C4nary%2FUrl@127.0.0.1:{}/", server.port);
    let cookie = "Cookie: BP_OP_AUTH=C4naryGivenCookie";
    let output = collector(folder.path())
        .env("all_proxy", "http://C4naryProxyUser:C4naryProxy@127.0.0.1:9")
        .args(args(&[&target, "-H", cookie, "-H", "X-Key: C4naryGivenHeader", "-o", "s.zip"]))
        .output()
        .unwrap();
    assert_eq!(output.status.code(), Some(1), "{}", text(&output.stderr));
    let zip = std::fs::File::open(folder.path().join("s.zip")).unwrap();
    let mut zip = zip::ZipArchive::new(zip).unwrap();
    let mut all = vec![("screen".to_owned(), [output.stdout, output.stderr].concat())];
    for index in 0..zip.len() {
        let mut file = zip.by_index(index).unwrap();
        let mut content = Vec::new();
        std::io::Read::read_to_end(&mut file, &mut content).unwrap();
        all.push((file.name().unwrap().into_owned(), content));
    }
    assert!(all.len() > 6);
    // Base64 of `C4nary` at each of three offsets, too.
    for (name, content) in &all {
        let shown = text(content);
        for trace in ["C4nary", "QzRuYXJ5", "M0bmFye", "NG5hcn"] {
            assert!(!shown.contains(trace), "{trace} in {name}:\n{shown}");
        }
    }
    let opened = read::file(&folder.path().join("s.zip"), &Limits::default()).unwrap();
    let kinds: Vec<&str> = opened.bundle.redactions.iter().map(|r| r.kind.as_str()).collect();
    assert!(kinds.contains(&"cookie-value") && kinds.contains(&"header given"), "{kinds:?}");
}

/// A proxy that is set and cannot be used is said, not passed over.
#[test]
fn a_setting_that_cannot_be_used_is_a_warning() {
    let folder = tempfile::tempdir().unwrap();
    let server = Server::start(Upgrades::Work);
    let output = collector(folder.path())
        .env("http_proxy", "quic://u:C4nary@127.0.0.1:1")
        .args(args(&[&server.url(), "-o", "w.zip"]))
        .output()
        .unwrap();
    let error = text(&output.stderr);
    assert!(error.contains("warning: proxy of environment http_proxy not tried"), "{error}");
    assert!(!error.contains("C4nary"), "{error}");
    let opened = read::file(&folder.path().join("w.zip"), &Limits::default()).unwrap();
    let environment = opened.bundle.environment;
    assert!(environment.notes.iter().any(|note| note.contains("quic")), "{environment:?}");
}

/// A file system with room for nothing: a namespace of its own with a tiny tmpfs.
#[test]
#[cfg(target_os = "linux")]
fn a_full_disk_is_a_clear_error_and_leaves_nothing() {
    let folder = tempfile::tempdir().unwrap();
    let script = format!(
        "mount -t tmpfs -o size=4k none {dir} && cd {dir} && head -c 4096 /dev/zero >full && \
         {program} 127.0.0.1:1 --hold 0 \
         --timeout 1s --no-input; code=$?; ls -A; exit $code",
        dir = folder.path().display(),
        program = env!("CARGO_BIN_EXE_wss-collector")
    );
    let output = std::process::Command::new("unshare")
        .args(["--map-root-user", "--mount", "sh", "-c", &script])
        .output()
        .expect("unshare is needed: apt-get install util-linux");
    let error = text(&output.stderr);
    assert_eq!(output.status.code(), Some(2), "{error}{}", text(&output.stdout));
    assert!(error.contains("cannot write") && error.contains("--output"), "{error}");
    // The verdict is shown all the same; no file stays behind.
    let said = text(&output.stdout);
    assert!(said.contains("BROKEN") && !said.contains(".zip"), "{said}");
}
