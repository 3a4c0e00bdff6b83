//! On a terminal: the question, the live view, colours, widths.

use crate::server::{Server, Upgrades, collector, text};
use std::io::Write;
use std::path::Path;
use std::process::Stdio;
use wss_bundle::Vantage;
use wss_bundle::read::{self, Limits};

/// Runs the program on a pseudo-terminal of 80 columns, and types `answer`.
/// Gives what appeared on it.
fn on_a_terminal(folder: &Path, args: &str, variables: &[(&str, &str)], answer: &str) -> String {
    let program = env!("CARGO_BIN_EXE_wss-collector");
    let line = format!("stty cols 80 rows 40; exec {program} {args}");
    let mut child = collector(folder)
        .get_envs()
        .fold(&mut std::process::Command::new("script"), |command, (name, value)| match value {
            Some(value) => command.env(name, value),
            None => command.env_remove(name),
        })
        .env("TERM", "xterm-256color")
        .env_remove("NO_COLOR")
        .envs(variables.iter().copied())
        .current_dir(folder)
        .args(["-qec", &line, "/dev/null"])
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .expect("script is needed: apt-get install bsdutils");
    let mut typing = child.stdin.take().unwrap();
    typing.write_all(answer.as_bytes()).unwrap();
    let output = child.wait_with_output().unwrap();
    drop(typing);
    text(&output.stdout)
}

const QUICK: &str = "--hold 0 --timeout 2s -o t.zip";

/// Escape sequences that set a colour or weight, but for "back to normal".
fn paints(screen: &str) -> bool {
    screen.split("\u{1b}[").skip(1).any(|rest| {
        let digits = rest.trim_start_matches(|c: char| c.is_ascii_digit() || c == ';');
        digits.starts_with('m') && !rest.starts_with("0m") && !rest.starts_with('m')
    })
}

#[test]
fn the_question_is_asked_and_its_answer_taken() {
    for (answer, vantage) in [("n\n\n\n", Vantage::Outside), ("\n\n\n", Vantage::Inside)] {
        let folder = tempfile::tempdir().unwrap();
        let server = Server::start(Upgrades::Work);
        let screen =
            on_a_terminal(folder.path(), &format!("{} {QUICK}", server.url()), &[], answer);
        assert!(screen.contains("inside the corporate network"), "{screen}");
        assert!(screen.contains("WORKS") && paints(&screen), "{screen}");
        let opened = read::file(&folder.path().join("t.zip"), &Limits::default()).unwrap();
        assert_eq!(opened.bundle.manifest.vantage, vantage, "{screen}");
    }
}

/// As by a double click: nothing was given, and there is a window.
#[test]
fn without_a_target_it_is_asked_for() {
    let folder = tempfile::tempdir().unwrap();
    let server = Server::start(Upgrades::Stripped);
    let screen = on_a_terminal(folder.path(), "", &[], &format!(" {} \n\n\n\n", server.url()));
    assert!(screen.contains("Where is the Bindplane console?"), "{screen}");
    assert!(screen.contains("BROKEN") && screen.contains("[Y/n]"), "{screen}");
    assert_eq!(std::fs::read_dir(folder.path()).unwrap().count(), 1, "{screen}");
    for answer in ["\n", "--help\n", "a b c\n"] {
        let screen = on_a_terminal(folder.path(), "", &[], answer);
        assert!(screen.contains("error:"), "{screen}");
    }
    // Where nobody can answer, as before.
    let output = collector(folder.path()).output().unwrap();
    let said = text(&output.stderr);
    assert!(output.status.code() == Some(2) && said.contains("<TARGET>"), "{said}");
    assert!(!said.contains("Where is"), "{said}");
}

/// What was detected stands there as the answer; Enter confirms it.
#[test]
fn three_questions_and_no_more() {
    let folder = tempfile::tempdir().unwrap();
    let server = Server::start(Upgrades::Work);
    let args = format!("{} {QUICK} -x http://127.0.0.1:9", server.url());
    let screen = on_a_terminal(folder.path(), &args, &[], "n\nHAProxy 2.6\n\n");
    assert_eq!(screen.matches("? [").count() + screen.matches("?\r\n  [").count(), 3, "{screen}");
    assert!(
        screen.contains("[this machine > proxy 127.0.0.1:9 > HAProxy 2.6 > Bindplane]"),
        "{screen}"
    );
    let opened = read::file(&folder.path().join("t.zip"), &Limits::default()).unwrap();
    let answers = &opened.bundle.manifest.answers;
    assert_eq!(opened.bundle.manifest.vantage, Vantage::Outside);
    assert_eq!(answers.load_balancer.as_deref(), Some("HAProxy 2.6"), "{screen}");
    let path = answers.network_path.as_deref().unwrap();
    assert!(path.starts_with("this machine > proxy 127.0.0.1:9") && path.contains("confirmed"));

    // Where an option answers, it is not asked; what is not known stays so.
    let folder = tempfile::tempdir().unwrap();
    let args = format!("{} {QUICK} --lb Envoy", server.url());
    let screen = on_a_terminal(folder.path(), &args, &[], "\n\n");
    assert!(!screen.contains("Load balancer or proxy before"), "{screen}");
    let opened = read::file(&folder.path().join("t.zip"), &Limits::default()).unwrap();
    let answers = &opened.bundle.manifest.answers;
    assert_eq!(answers.load_balancer.as_deref(), Some("Envoy"));
    assert!(answers.network_path.as_deref().is_none_or(|path| path.contains("Envoy")));
}

#[test]
fn it_is_not_asked_when_the_answer_is_given_or_not_wanted() {
    for options in ["--vantage outside", "--no-input", "--json"] {
        let folder = tempfile::tempdir().unwrap();
        let server = Server::start(Upgrades::Work);
        let args = format!("{} {QUICK} {options}", server.url());
        let screen = on_a_terminal(folder.path(), &args, &[], "");
        assert!(!screen.contains("[Y/n]"), "{screen}");
        assert!(folder.path().join("t.zip").exists(), "{screen}");
    }
}

#[test]
fn colours_only_where_they_are_wanted_and_lines_fit() {
    for (name, value) in [("NO_COLOR", "1"), ("TERM", "dumb")] {
        let folder = tempfile::tempdir().unwrap();
        let server = Server::start(Upgrades::Stripped);
        let proxy = "http://a-proxy-with-a-long-name.corp.example:3128";
        let args = format!("{} {QUICK} --vantage inside -x {proxy}", server.url());
        let screen = on_a_terminal(folder.path(), &args, &[(name, value)], "");
        assert!(!paints(&screen), "{name}: {screen}");
        assert!(name != "TERM" || !screen.contains('\u{1b}'), "{screen}");
        let end = &screen[screen.find("\nBROKEN").unwrap()..];
        for line in end.lines().filter(|line| !line.contains("wss-collector")) {
            assert!(line.trim_end().chars().count() <= 80, "{line}");
        }
        assert!(end.contains(":3128"), "{end}");
    }
}
