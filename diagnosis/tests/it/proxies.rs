//! Who takes which way: curl, the browsers, the page beside its WebSocket; and
//! what a proxy that asks for credentials is said to want.

use crate::cases::{Case, healthy, stripped};
use crate::fixture::*;
use wss_bundle::environment::ProxyChoice;
use wss_bundle::{Bundle, FailureKind};
use wss_diagnosis::{Confidence, Diagnosis, Finding, Severity, diagnose};

fn finding<'a>(diagnosis: &'a Diagnosis, rule: &str) -> Option<&'a Finding> {
    diagnosis.findings.iter().find(|finding| finding.rule == rule)
}

fn choice(client: &str, route: &str) -> ProxyChoice {
    ProxyChoice {
        client: client.into(),
        route: route.into(),
        because: format!("{client}'s reason"),
        ..ProxyChoice::default()
    }
}

fn proxied() -> String {
    format!("proxy {PROXY}")
}

/// The direct way works; the proxy strips. The proxy is chosen, or not.
fn machine(by_proxy: bool) -> Bundle {
    let run = healthy(Run::inside().direct(!by_proxy), &Leaf::good()).then();
    stripped(run.proxy(by_proxy), &Leaf::good(), STRIPPED, "").done()
}

/// For the list of cases.
pub(crate) fn cases() -> Vec<Case> {
    let mut bundle = machine(true);
    let page = Some("direct".to_owned());
    bundle.environment.proxy_choices =
        vec![choice("curl", "direct"), ProxyChoice { page, ..choice("chrome", &proxied()) }];
    let expect = ("broken", "proxy-blocks-websocket", "client-network", Confidence::High);
    vec![Case {
        name: "curl goes direct, browsers by a proxy that strips",
        bundles: vec![bundle],
        expect,
    }]
}

#[test]
fn curl_works_and_the_browser_does_not() {
    let mut bundle = machine(true);
    bundle.environment.proxy_choices =
        vec![choice("curl", "direct"), choice("chrome", &proxied()), choice("firefox", &proxied())];
    let diagnosis = diagnose(&[bundle]);
    let finding = finding(&diagnosis, "clients-differ").unwrap();
    assert_eq!(finding.severity, Severity::Warning);
    assert!(finding.title.contains("curl works and a browser does not"), "{}", finding.title);
    for words in ["curl goes by direct (curl's reason); there the WebSocket works", "Firefox goes"]
    {
        assert!(finding.text.contains(words), "{}", finding.text);
    }
    // Both ways are shown.
    assert_eq!(finding.evidence.rest.len(), 1);
}

#[test]
fn nothing_is_said_where_all_go_the_same_way_or_nobody_knows() {
    for choices in [
        vec![],
        vec![choice("curl", "direct"), choice("chrome", "direct"), choice("firefox", "direct")],
        vec![choice("curl", "direct"), choice("chrome", "unknown")],
    ] {
        let mut bundle = machine(false);
        bundle.environment.proxy_choices = choices;
        let diagnosis = diagnose(&[bundle]);
        assert!(finding(&diagnosis, "clients-differ").is_none());
        assert!(finding(&diagnosis, "page-and-socket-differ").is_none());
    }
}

#[test]
fn a_way_that_was_not_tried_is_no_failure() {
    let mut bundle = machine(false);
    bundle.environment.proxy_choices =
        vec![choice("curl", "direct"), choice("chrome", "proxy http://elsewhere.example:80")];
    let diagnosis = diagnose(&[bundle]);
    let finding = finding(&diagnosis, "clients-differ").unwrap();
    assert_eq!(finding.severity, Severity::Info);
    assert!(finding.text.contains("which was not tried"), "{}", finding.text);
}

#[test]
fn the_page_by_another_way_than_its_socket() {
    let mut bundle = machine(true);
    let page = Some("direct".to_owned());
    bundle.environment.proxy_choices = vec![ProxyChoice { page, ..choice("chrome", &proxied()) }];
    let diagnosis = diagnose(&[bundle]);
    let finding = finding(&diagnosis, "page-and-socket-differ").unwrap();
    assert_eq!(finding.severity, Severity::Warning);
    assert!(finding.text.contains("fetch the page by direct"), "{}", finding.text);
}

#[test]
fn a_proxy_that_only_browsers_use_is_not_so_surely_missed() {
    let blocked = || {
        let direct = Run::inside()
            .direct(true)
            .resolved("203.0.113.10")
            .no_tcp(FailureKind::ConnectionReset);
        healthy(direct.then().proxy(false), &Leaf::good()).done()
    };
    let verdict = |choices: Vec<ProxyChoice>| {
        let mut bundle = blocked();
        bundle.environment.proxy_choices = choices;
        let diagnosis = diagnose(&[bundle]);
        assert_eq!(diagnosis.verdict.cause.slug(), "proxy-required");
        diagnosis.verdict.confidence
    };
    assert_eq!(verdict(vec![choice("curl", "direct")]), Confidence::High);
    assert_eq!(verdict(vec![choice("chrome", &proxied())]), Confidence::Medium);
    let one_of_two = vec![choice("chrome", &proxied()), choice("firefox", "direct")];
    assert_eq!(verdict(one_of_two), Confidence::High);
}

#[test]
fn what_a_proxy_asks_for_is_named() {
    let asks = |scheme: &str| {
        let head = format!(
            "HTTP/1.1 407 Proxy Authentication Required\r\nProxy-Authenticate: {scheme}\r\n\r\n"
        );
        let run = Run::inside().direct(false).no_tcp(FailureKind::TimedOut).then();
        let bundle = run.proxy(true).resolved("10.0.0.8").tunnel_reply(&head, "").done();
        let diagnosis = diagnose(&[bundle]);
        assert_eq!(diagnosis.verdict.cause.slug(), "proxy-auth-required");
        let finding = finding(&diagnosis, "proxy-auth-required").unwrap();
        let steps = finding.remedy.as_ref().unwrap().steps.join(" ");
        format!("{} {} {steps}", diagnosis.verdict.summary, finding.text)
    };
    for scheme in ["Basic realm=\"x\"", "Digest realm=\"x\", nonce=\"y\""] {
        let text = asks(scheme);
        assert!(text.contains(scheme.split(' ').next().unwrap()), "{text}");
        assert!(text.contains("Give the credentials"), "{text}");
    }
    for scheme in ["NTLM", "Negotiate"] {
        let text = asks(scheme);
        assert!(text.contains(scheme) && text.contains("--browser"), "{text}");
        assert!(text.contains("integrated Windows authentication"), "{text}");
    }
}
