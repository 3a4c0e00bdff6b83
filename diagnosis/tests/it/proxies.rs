//! Who takes which way: curl, the browsers, the page beside its WebSocket; and
//! what a proxy that asks for credentials is said to want.

use crate::cases::{Case, healthy, stripped};
use crate::fixture::*;
use wss_bundle::environment::ProxyChoice;
use wss_bundle::observation::EndedBy;
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
    let blocked = Case {
        name: "curl goes direct, browsers by a proxy that strips",
        bundles: vec![bundle],
        expect,
    };
    let further = Case {
        name: "a proxy that strips; directly the upgrade gets through, and is cut when silent",
        bundles: vec![gets_further()],
        expect,
    };
    let needed = Case {
        name: "direct is blocked; the proxy that is not used lets the upgrade through, and cuts it",
        bundles: vec![cut_by_the_proxy()],
        expect: ("broken", "proxy-required", "client-network", Confidence::Medium),
    };
    vec![blocked, further, needed]
}

const CUT: Cut = Cut::At(30.0, EndedBy::Fin, Some(true));

fn gets_further() -> Bundle {
    let good = Leaf::good();
    let direct = healthy(Run::inside().direct(false), &good).hold(&good, 75.0, CUT, Cut::Never);
    stripped(direct.then().proxy(true), &Leaf::corporate(), STRIPPED, "").done()
}

fn cut_by_the_proxy() -> Bundle {
    let good = Leaf::good();
    let direct = Run::inside().direct(true).resolved("203.0.113.10");
    let proxy = direct.no_tcp(FailureKind::ConnectionReset).then().proxy(false);
    healthy(proxy, &good).hold(&good, 75.0, CUT, Cut::Never).done()
}

#[test]
fn a_way_on_which_the_upgrade_alone_gets_through_is_no_way_around() {
    let diagnosis = diagnose(&[gets_further()]);
    assert!(finding(&diagnosis, "another-route-works").is_none());
    let further = finding(&diagnosis, "another-route-gets-further").unwrap();
    assert!(further.text.contains("cut after 30.0 s"), "{}", further.text);
    let summary = diagnose(&[cut_by_the_proxy()]).verdict.summary;
    assert!(!summary.contains("that works"), "{summary}");
    assert!(summary.contains("cut after 30.0 s"), "{summary}");
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
    for words in ["curl goes directly (curl's reason); there the WebSocket works", "Firefox goes"] {
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
    assert!(finding.text.contains("fetch the page directly"), "{}", finding.text);
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

fn sure(client: &str, route: &str) -> ProxyChoice {
    ProxyChoice { certain: true, ..choice(client, route) }
}

/// What is said of a machine whose variables choose the direct way, which works
/// (or the proxy, which strips), and whose browsers go as `choices` say.
fn judged(by_proxy: bool, choices: Vec<ProxyChoice>) -> Diagnosis {
    let mut bundle = machine(by_proxy);
    bundle.environment.proxy_choices = choices;
    diagnose(&[bundle])
}

fn in_short(diagnosis: &Diagnosis) -> (&str, &str, Confidence) {
    let verdict = &diagnosis.verdict;
    (verdict.status.slug(), verdict.cause.slug(), verdict.confidence)
}

fn asks_a_browser(diagnosis: &Diagnosis) -> bool {
    diagnosis.verdict.missing.iter().any(|command| command.command.contains("--browser"))
}

#[test]
fn the_verdict_is_about_the_way_of_browsers() {
    let by = |client: &str| sure(client, &proxied());
    let broken = judged(false, vec![choice("curl", "direct"), by("chrome"), by("firefox")]);
    let expected = ("broken", "proxy-blocks-websocket", Confidence::Medium);
    assert_eq!(in_short(&broken), expected);
    assert!(broken.verdict.summary.contains("the way of browsers here: the proxy"), "{broken:#?}");
    assert!(asks_a_browser(&broken));
    assert!(broken.routes.iter().all(|ladder| ladder.chosen == (ladder.route == proxied())));
    let own = |client: &str| sure(client, "direct");
    let works = judged(true, vec![choice("curl", &proxied()), own("chrome"), own("firefox")]);
    assert_eq!(in_short(&works), ("working", "none", Confidence::Medium));
    assert!(works.verdict.summary.contains("and there it does not"));
    assert!(asks_a_browser(&works));
}

#[test]
fn where_it_goes_the_same_by_every_way_nothing_is_taken_back() {
    let all = ["chrome", "firefox"].map(|client| sure(client, &proxied()));
    let expected = ("broken", "proxy-blocks-websocket", Confidence::High);
    assert_eq!(in_short(&judged(true, all.to_vec())), expected);
}

#[test]
fn a_reading_of_variables_alone_moves_no_verdict() {
    let all = ["chrome", "firefox"].map(|client| choice(client, &proxied()));
    assert_eq!(in_short(&judged(false, all.to_vec())).0, "working");
}

#[test]
fn a_way_named_by_an_option_is_the_way_that_is_asked_about() {
    let mut bundle = machine(false);
    bundle.environment.proxy_choices = vec![sure("chrome", &proxied())];
    let setting = ("option", "--noproxy", "*");
    bundle.environment.proxy_settings = vec![wss_bundle::environment::ProxySetting {
        source: setting.0.into(),
        key: setting.1.into(),
        value: setting.2.into(),
    }];
    assert_eq!(in_short(&diagnose(&[bundle])).0, "working");
}

#[test]
fn where_browsers_are_divided_it_is_told_which_fails() {
    let divided = || vec![sure("chrome", &proxied()), sure("firefox", "direct")];
    // The settings choose what fails: broken, and not so surely.
    let chosen = judged(true, divided());
    assert_eq!(in_short(&chosen), ("broken", "proxy-blocks-websocket", Confidence::Medium));
    assert!(chosen.verdict.summary.contains("Firefox goes directly"), "{chosen:#?}");
    // Variables choose what works, and one browser does not follow them.
    let other = judged(false, divided());
    assert_eq!(in_short(&other), ("unknown", "insufficient", Confidence::Low));
    assert_eq!(other.alternatives[0].cause.slug(), "proxy-blocks-websocket");
    assert!(other.verdict.summary.contains("Chrome goes by the proxy"), "{other:#?}");
    assert!(asks_a_browser(&other));
}

#[test]
fn a_way_of_browsers_that_nobody_tried_makes_it_less_sure() {
    for route in ["unknown", "proxy http://elsewhere.example:80"] {
        let diagnosis = judged(false, vec![sure("chrome", route)]);
        assert_eq!(in_short(&diagnosis), ("working", "none", Confidence::Low));
        assert!(asks_a_browser(&diagnosis));
    }
}

#[test]
fn browsers_pass_over_a_proxy_that_is_gone() {
    let direct = healthy(Run::inside().direct(true), &Leaf::good()).then();
    let gone = direct.proxy(false).resolved("10.0.0.8").no_tcp(FailureKind::ConnectionRefused);
    let mut bundle = gone.done();
    let chrome = sure("chrome", &proxied());
    bundle.environment.proxy_choices = vec![chrome.clone()];
    assert_eq!(in_short(&diagnose(&[bundle.clone()])).1, "proxy-unreachable");
    bundle.environment.proxy_choices = vec![ProxyChoice { then: vec!["direct".into()], ..chrome }];
    assert_eq!(in_short(&diagnose(&[bundle])).0, "working");
}
