//! `wss-collector check` in a script: states of the lab, what is expected of each, and how
//! it ends. JUnit XML is read by a real parser.
#![allow(clippy::unwrap_used, clippy::expect_used, reason = "a test may panic")]
#![cfg(unix)]

use serde_json::Value;
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};
use wss_bundle::read::{self, Limits};
use wss_lab::lab::{Lab, LabConfig};

fn program(name: &str) -> PathBuf {
    let path = Path::new(env!("CARGO_BIN_EXE_wss-lab")).with_file_name(name);
    assert!(path.is_file(), "{} is missing: cargo build --workspace", path.display());
    path
}

fn text(output: &Output) -> String {
    let both = [&output.stdout[..], &output.stderr[..]].concat();
    String::from_utf8_lossy(&both).into_owned()
}

/// The collector, with no settings of this machine.
fn alone(folder: &Path, program: impl AsRef<std::ffi::OsStr>) -> Command {
    let mut command = Command::new(program);
    for name in ["http_proxy", "https_proxy", "all_proxy", "no_proxy"] {
        command.env_remove(name).env_remove(name.to_uppercase());
    }
    command.env("HOME", folder).env("XDG_CURRENT_DESKTOP", "XFCE").current_dir(folder);
    command.stdin(Stdio::null());
    command
}

/// One state, and what a script would find of it: each expectation as it is typed, with
/// what is to come of it (`+` met, `-` not met, `?` cannot be told).
struct State {
    name: &'static str,
    lab: &'static str,
    proxy: bool,
    trust: bool,
    options: &'static [&'static str],
    expect: &'static [(&'static str, char)],
    code: i32,
}

const LB: &str = "[lb]\ntls = {}\n";

const fn state(name: &'static str, lab: &'static str) -> State {
    State { name, lab, proxy: false, trust: true, options: &[], expect: &[], code: 1 }
}

fn states() -> Vec<State> {
    vec![
        State {
            expect: &[
                ("works", '+'),
                ("via=direct", '+'),
                ("via=proxy", '-'),
                ("http1", '+'),
                ("tls=trusted", '+'),
                ("certificate>=1d", '+'),
                ("certificate>=1000d", '-'),
                ("opens<30s", '+'),
                ("opens<0.01ms", '-'),
                ("idle>=1s", '+'),
                ("cause=none", '+'),
                ("status=broken", '-'),
            ],
            ..state("healthy", LB)
        },
        State {
            expect: &[("works", '+'), ("idle>=2s", '+')],
            code: 0,
            ..state("healthy, held", LB)
        },
        State {
            expect: &[("works", '+'), ("idle>=2s", '?')],
            options: &["--hold", "1s"],
            ..state("healthy, not held for long enough", LB)
        },
        State {
            expect: &[("works", '-'), ("http1", '-'), ("tls=trusted", '+')],
            ..state("stripped", "[lb]\ntls = {}\nupgrade = \"strip\"\n")
        },
        State {
            expect: &[("cause=lb-strips-upgrade", '+'), ("status=broken", '+')],
            code: 0,
            ..state("stripped, as expected", "[lb]\ntls = {}\nupgrade = \"strip\"\n")
        },
        State {
            expect: &[("works", '-'), ("via=proxy", '+'), ("idle>=1s", '?'), ("opens<9s", '-')],
            proxy: true,
            ..state("407", "[lb]\ntls = {}\n[proxy]\nauth = { user = \"u\", password = \"p\" }\n")
        },
        State {
            expect: &[("works", '-'), ("tls=trusted", '-')],
            trust: false,
            ..state("untrusted", LB)
        },
        State {
            expect: &[("works", '-'), ("tls=trusted", '-'), ("certificate>=1h", '-')],
            ..state("expired", "[lb]\ntls = { certificate = \"expired\" }\n")
        },
        State {
            expect: &[("works", '+'), ("certificate>=3d", '+'), ("certificate>=30d", '-')],
            ..state("expires soon", "[lb]\ntls = { certificate = \"expires-soon\" }\n")
        },
        State {
            expect: &[("idle>=4s", '-'), ("idle<4s", '+'), ("status=unstable", '+')],
            ..state("idle cut", "[lb]\ntls = {}\n[lb.cut]\nidle-ms = 1500\n")
        },
        State {
            expect: &[("idle<4s", '+'), ("cause=idle-timeout", '+')],
            code: 0,
            ..state(
                "forgotten",
                "[lb]\ntls = {}\n[firewall.cut]\nidle-ms = 1500\nby = \"blackhole\"\n",
            )
        },
        State {
            expect: &[("works", '-'), ("via=direct", '+'), ("http1", '?'), ("tls=trusted", '?')],
            ..state("refused", "[lb]\ntls = {}\n[firewall]\ninside = \"refuse\"\n")
        },
        State {
            expect: &[("works", '?'), ("http1", '?')],
            ..state(
                "asks for a password",
                "[origin]\ntls = {}\nauth = { user = \"u\", password = \"p4ssword\" }\n",
            )
        },
        State {
            expect: &[("works", '+'), ("tls=trusted", '-'), ("certificate>=1h", '-')],
            ..state("plain", "")
        },
    ]
}

fn run(state: &State, lab: &Lab, folder: &Path, more: &[&str]) -> Output {
    let mut command = alone(folder, program("wss-collector"));
    command.args(["check", &lab.target(), "--resolve", &lab.resolve(), "--timeout", "5s"]);
    if state.trust {
        command.arg("--cacert").arg(lab.trust_file());
    }
    if state.proxy {
        command.env("https_proxy", lab.proxy_url().unwrap());
    }
    for (expect, _) in state.expect {
        command.args(["--expect", expect]);
    }
    command.args(state.options).args(more);
    command.output().unwrap()
}

/// Reads JUnit XML with a parser that pipelines use; gives each case's name with what
/// became of it.
fn junit(file: &Path) -> (BTreeMap<String, String>, Value) {
    let script = "import json, sys\nfrom junitparser import JUnitXml\n\
        xml = JUnitXml.fromfile(sys.argv[1])\n\
        cases = {case.name: (type(case.result[0]).__name__ if case.result else 'Passed') for suite in xml for case in suite}\n\
        reasons = [case.result[0].message for suite in xml for case in suite if case.result]\n\
        print(json.dumps({'cases': cases, 'reasons': reasons, 'tests': xml.tests, 'failures': xml.failures, 'errors': xml.errors}))";
    let readers = Path::new(env!("CARGO_MANIFEST_DIR")).join("../target/readers");
    assert!(readers.join("junitparser").is_dir(), "./tests/run install fetches junitparser");
    let mut python = Command::new("python3");
    let output = python.env("PYTHONPATH", readers).args(["-c", script]).arg(file).output().unwrap();
    assert!(output.status.success(), "{}", text(&output));
    let read: Value = serde_json::from_slice(&output.stdout).unwrap();
    let lint = Command::new("xmllint").arg("--noout").arg(file).output();
    let lint = lint.expect("xmllint is needed: ./tests/run install");
    assert!(lint.status.success(), "{}", text(&lint));
    let cases = read["cases"].as_object().unwrap().iter();
    (cases.map(|(name, what)| (name.clone(), what.as_str().unwrap().to_owned())).collect(), read)
}

fn agrees(state: &State, output: &Output, folder: &Path) {
    let name = state.name;
    assert_eq!(output.status.code(), Some(state.code), "{name}: {}", text(output));
    let said: Value = serde_json::from_slice(&output.stdout).unwrap();
    assert_eq!(said["met"], state.code == 0, "{name}");
    let (cases, counts) = junit(&folder.join("junit.xml"));
    let all = said["expectations"].as_array().unwrap();
    assert_eq!(all.len(), state.expect.len(), "{name}: {all:?}");
    for ((expect, wanted), one) in state.expect.iter().zip(all) {
        let (slug, case) = match wanted {
            '+' => ("met", "Passed"),
            '-' => ("not-met", "Failure"),
            _ => ("unknown", "Error"),
        };
        assert_eq!(one["expect"], *expect, "{name}");
        assert_eq!(one["outcome"], slug, "{name}: {one}");
        assert!(!one["reason"].as_str().unwrap().is_empty(), "{name}: {one}");
        assert_eq!(cases[*expect], case, "{name}: {expect}");
    }
    let count = |sign: char| state.expect.iter().filter(|(_, wanted)| *wanted == sign).count();
    assert_eq!(counts["tests"], state.expect.len());
    assert_eq!((&counts["failures"], &counts["errors"]), (&count('-').into(), &count('?').into()));

    // A bundle where something is not met, a whole one, and else nothing.
    let bundles: Vec<PathBuf> =
        std::fs::read_dir(folder.join("bundles")).unwrap().map(|e| e.unwrap().path()).collect();
    assert_eq!(bundles.len(), usize::from(state.code != 0), "{name}: {bundles:?}");
    for path in &bundles {
        let opened = read::file(path, &Limits::default()).unwrap();
        assert!(opened.bundle.defects.is_empty() && opened.bundle.manifest.complete, "{name}");
        assert_eq!(
            said["bundle"],
            path.file_name().unwrap().to_str().map(|n| format!("bundles/{n}")).unwrap()
        );
        assert_eq!(opened.bundle.manifest.ticket.as_deref(), Some("T-1"));
    }
    let left: Vec<_> = std::fs::read_dir(folder).unwrap().map(|e| e.unwrap().file_name()).collect();
    assert_eq!(left.len(), 2, "{name}: {left:?}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn states_of_the_lab_and_how_a_script_sees_them() {
    let checks = states().into_iter().map(|state| {
        tokio::spawn(async move {
            let config: LabConfig = toml::from_str(state.lab).unwrap();
            let lab = Lab::start(&config).await.unwrap();
            tokio::task::spawn_blocking(move || {
                let folder = tempfile::tempdir().unwrap();
                std::fs::create_dir(folder.path().join("bundles")).unwrap();
                let more = [
                    "--json",
                    "--junit",
                    "junit.xml",
                    "--bundle-on-failure",
                    "bundles",
                    "--ticket",
                    "T-1",
                ];
                let output = run(&state, &lab, folder.path(), &more);
                agrees(&state, &output, folder.path());
            })
            .await
            .unwrap();
        })
    });
    for check in checks.collect::<Vec<_>>() {
        check.await.unwrap();
    }
}

/// In a network namespace of its own there is nobody to ask.
#[test]
fn a_name_that_does_not_resolve() {
    let folder = tempfile::tempdir().unwrap();
    let output = alone(folder.path(), "unshare")
        .args(["--map-root-user", "--net"])
        .arg(program("wss-collector"))
        .args(["check", "bindplane.corp.example", "--timeout", "2s", "--expect", "http1"])
        .output()
        .unwrap();
    let said = text(&output);
    assert_eq!(output.status.code(), Some(1), "{said}");
    let lines: Vec<&str> = said.lines().collect();
    assert!(lines[0].starts_with("FAIL  works: ") && lines[0].contains("dns-failure"), "{said}");
    assert!(lines[1].starts_with("?     http1: not reached: dns failed"), "{said}");
    assert_eq!(lines[2], "Of 2 expected, 1 not met, 1 cannot be told.");
    assert_eq!(std::fs::read_dir(folder.path()).unwrap().count(), 0);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_is_wrong_is_said_before_anything_is_contacted() {
    let lab = Lab::start(&toml::from_str(LB).unwrap()).await.unwrap();
    let folder = tempfile::tempdir().unwrap();
    let state = State { code: 2, ..state("wrong", LB) };
    for (more, says) in [
        (["--expect", "idle=60"].as_slice(), "idle>=3600s"),
        (&["--expect", "cause=proxies"], "proxy-blocks-websocket"),
        (&["--junit", "nowhere/j.xml"], "nowhere"),
        (&["--junit", "."], "folder"),
        (&["--bundle-on-failure", "nowhere"], "nowhere"),
        (&["--hold", "2d"], "--hold"),
    ] {
        let output = run(&state, &lab, folder.path(), more);
        assert_eq!(output.status.code(), Some(2), "{more:?}: {}", text(&output));
        assert!(text(&output).contains(says), "{more:?}: {}", text(&output));
        assert!(output.stdout.is_empty());
    }
    assert_eq!(std::fs::read_dir(folder.path()).unwrap().count(), 0);
    assert!(lab.lb.as_ref().unwrap().requests().is_empty(), "nobody was to be contacted");
}
