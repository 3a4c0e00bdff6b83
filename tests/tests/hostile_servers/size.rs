//! However much is given and answered, the analyzer takes the bundle.

use super::run::program;
use std::process::{Command, Stdio};
use wss_bundle::read::{self, Limits};
use wss_bundle::{Outcome, Step};
use wss_lab::hostile::server::{Behaviour, Hostile};

/// Words that hardly compress and look like no secret.
fn words(bytes: usize) -> String {
    let mut state = 11_u64;
    let mut text = String::with_capacity(bytes + 80);
    while text.len() < bytes {
        for at in 0..70_u64 {
            state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(at);
            text.push(if at % 9 == 8 { ' ' } else { char::from(b'a' + (state >> 40) as u8 % 26) });
        }
        text.push('\n');
    }
    text
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_bundle_of_everything_that_is_too_large_is_read() {
    let work = tempfile::tempdir().unwrap();
    // A dozen answers of 64 KiB that grow when secrets are removed, behind a
    // proxy that sends thousands of header lines.
    let server = Hostile::server(Behaviour::HugeRefusal, None).await.unwrap();
    let proxy = Hostile::server(Behaviour::ManyHeaders, None).await.unwrap();
    let mut command = Command::new(program("wss-collector"));
    command.arg(format!("http://{}", server.address)).current_dir(work.path());
    command.args(["-x", &format!("http://{}", proxy.address)]);
    for number in 0..12 {
        let name = format!("curl{number}.txt");
        let output = format!(
            "> GET /v1/ws HTTP/1.1\n> Host: a.example\n>\n< HTTP/1.1 400 Bad Request\n<\n{}",
            words(1_000_000)
        );
        std::fs::write(work.path().join(&name), output).unwrap();
        command.args(["--curl-output", &format!("outside={name}")]);
    }
    let entry = format!(
        r#"{{"startedDateTime":"2026-03-01T08:15:30.250Z","time":1,"request":{{"method":"GET","url":"ws://{}/v1/ws","httpVersion":"HTTP/1.1","headers":[{}]}},"response":{{"status":400,"statusText":"Bad","httpVersion":"HTTP/1.1","headers":[]}},"timings":{{}}}}"#,
        server.address,
        vec![r#"{"name":"X-Long","value":"v"}"#; 500].join(","),
    );
    let har = format!(
        r#"{{"log":{{"version":"1.2","creator":{{"name":"x","version":"1"}},"entries":[{}]}}}}"#,
        vec![entry; 2000].join(",")
    );
    std::fs::write(work.path().join("a.har"), har).unwrap();
    command.args(["--har", "a.har"]);
    for number in 0..3 {
        let name = format!("n{number}.conf");
        let text: String = words(1_000_000).lines().map(|line| format!("# {line}\n")).collect();
        std::fs::write(work.path().join(&name), format!("events {{}}\n{text}")).unwrap();
        command.args(["--config", &name]);
    }
    command.args(["--timeout", "5s", "--hold", "0", "--no-input", "--json", "-o", "out.zip"]);
    command.env("HOME", work.path()).env("XDG_CURRENT_DESKTOP", "XFCE").stdin(Stdio::null());
    let ran = tokio::task::spawn_blocking(move || command.output().unwrap()).await.unwrap();
    let said = String::from_utf8_lossy(&ran.stderr).into_owned();
    assert_eq!(ran.status.code(), Some(1), "{said}");

    let opened = read::file(&work.path().join("out.zip"), &Limits::default()).unwrap();
    let bundle = opened.bundle;
    assert_eq!(bundle.defects, []);
    // The bounds were met, and what they took is said.
    let notes = &bundle.environment.notes;
    assert!(notes.iter().any(|note| note.contains("too large")), "{notes:?}");
    let given: usize = bundle.attachments.iter().map(|one| one.bytes.len()).sum();
    assert!((4 << 20..=8 << 20).contains(&given), "{given}");
    assert!(bundle.attachments.iter().all(|one| one.bytes.len() > 100), "whole ones");
    assert!(!bundle.observations.browser.is_empty() && bundle.observations.browser.len() < 50);
    let seen = &bundle.observations.observations;
    let large = |step: &Step| match step {
        Step::Upgrade(upgrade) => match &upgrade.result {
            Outcome::Ok(reply) => reply.body.bytes.len() > 64 << 10,
            Outcome::Failed(_) => false,
        },
        _ => false,
    };
    assert!(seen.iter().any(|o| large(&o.step)), "no answer grew");
    let cut = |step: &Step| match step {
        Step::Tunnel(tunnel) => match &tunnel.result {
            Outcome::Ok(reply) => reply.head.as_ref().is_some_and(|head| head.left_out > 8000),
            Outcome::Failed(_) => false,
        },
        _ => false,
    };
    assert!(seen.iter().any(|o| cut(&o.step)), "no head was cut");

    let page = Command::new(program("wss-analyzer"))
        .args(["report", "out.zip", "-o", "-"])
        .current_dir(work.path())
        .output()
        .unwrap();
    let page = String::from_utf8_lossy(&page.stdout).into_owned();
    let head = page.split("</header>").next().unwrap();
    assert!(head.len() > 1000 && !head.contains("defects</a>"), "{head}");
}
