//! Who answered, and what a configuration says: in the page and in the reply.

use crate::fixture::cases;
use crate::page::{check, render};
use wss_bundle::{Attachment, AttachmentKind, Bundle};
use wss_diagnosis::{Cause, diagnose};
use wss_report::{self as report, Case};

fn stripped() -> Vec<Bundle> {
    let found = cases().into_iter().find(|case| {
        case.diagnosis.verdict.cause == Cause::LbStripsUpgrade && case.bundles.len() == 1
    });
    found.expect("a case in which the load balancer strips").bundles
}

fn with(mut bundles: Vec<Bundle>, text: &str) -> Vec<Bundle> {
    bundles[0].attachments.push(Attachment {
        name: "site.conf".into(),
        kind: AttachmentKind::Configuration,
        vantage: None,
        path: Some("/etc/nginx/conf.d/site.conf".into()),
        bytes: text.into(),
    });
    bundles
}

fn markdown(bundles: &[Bundle]) -> String {
    let diagnosis = diagnose(bundles);
    report::markdown::render(&Case::new(&diagnosis, bundles))
}

#[test]
fn each_answer_has_an_author_and_reasons() {
    let bundles = stripped();
    let page = check(&render(&diagnose(&bundles), &bundles));
    for part in
        ["Who answered", "Bindplane 1.99.1", "Sec-WebSocket-Version: 13 is what", "nginx 1.22.1"]
    {
        assert!(page.text.contains(part), "{part} not in\n{}", page.text);
    }
    let reply = markdown(&bundles);
    assert!(
        reply.contains("Who answered: Bindplane 1\\.99\\.1 (origin)")
            || reply.contains("Who answered: Bindplane 1.99.1 (origin)"),
        "{reply}"
    );
}

#[test]
fn a_configuration_is_followed_line_by_line() {
    let text = "server {\n  listen 443 ssl;\n  location / {\n    proxy_pass http://<b>x</b>:3001;\n  }\n}\n";
    let bundles = with(stripped(), text);
    let page = check(&render(&diagnose(&bundles), &bundles));
    for part in [
        "nginx: the way of /v1/ws",
        "/etc/nginx/conf.d/site.conf line 4",
        "proxy_pass http://<b>x</b>:3001;",
        "the probe saw it",
        "the probe did not show it",
    ] {
        assert!(page.text.contains(part), "{part} not in\n{}", page.text);
    }
    let reply = markdown(&bundles);
    assert!(
        reply.contains("The configuration shows where: /etc/nginx/conf.d/site.conf line 4")
            || reply.contains("The configuration shows where: /etc/nginx/conf\\.d"),
        "{reply}"
    );
}

#[test]
fn without_a_configuration_the_way_to_give_one_is_said() {
    let bundles = stripped();
    let page = check(&render(&diagnose(&bundles), &bundles));
    assert!(page.text.contains("wss-collector --config FILE"), "{}", page.text);
}

#[test]
fn a_hostile_configuration_gives_a_page_that_opens() {
    let deep = "http {".repeat(50_000);
    let long = format!("server {{ location / {{ proxy_pass http://{}; }} }}", "x".repeat(200_000));
    let many = "server { listen 443; location / { proxy_set_header A b; proxy_pass http://x; } }\n"
        .repeat(5_000);
    for text in
        [deep.as_str(), &long, &many, "\u{0}\u{202e}server {", "frontend \u{1b}[31m\n bind :443\n"]
    {
        let bundles = with(stripped(), text);
        let html = render(&diagnose(&bundles), &bundles);
        check(&html);
        assert!(html.len() < 300_000, "{} bytes", html.len());
        markdown(&bundles);
    }
}
