//! Real browsers against real servers: the same verdict as without them, and
//! what the browser saw beside it.
#![allow(clippy::unwrap_used, reason = "a test may panic")]

use std::path::Path;
use wss_bundle::browser::BrowserRequest;
use wss_diagnosis::evidence::browser::{Fate, Meaning, browsers};
use wss_lab::scenario::{self, Outcome};

const BROWSERS: [&str; 2] = ["chromium", "firefox-esr"];

/// Runs a scenario with each browser; its verdict must be the one without.
async fn with_each(name: &str, check: impl Fn(&str, &Outcome, Fate)) {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("scenarios").join(name);
    for browser in BROWSERS {
        let mut wanted = scenario::read(&folder).unwrap();
        wanted.outside = None;
        wanted.timeout = "10s".into();
        wanted.inside.as_mut().unwrap().browser = Some(browser.to_owned());
        let outcome = scenario::run_as(&folder, wanted).await.unwrap();
        let bundle = &outcome.bundles[0];
        let shown = serde_json::to_string_pretty(&bundle.observations.browser).unwrap();
        let step = bundle.manifest.steps.iter().find(|s| s.name.starts_with("browser, ")).unwrap();
        assert_eq!(step.why, None, "{name}, {browser}: {shown}");
        let verdict = &outcome.diagnosis.verdict;
        let got = serde_json::to_value(verdict).unwrap();
        let expect = &outcome.scenario.expect;
        assert_eq!(
            (
                got["status"].as_str().unwrap(),
                got["cause"].as_str().unwrap(),
                got["location"].as_str().unwrap()
            ),
            (expect.status.as_str(), expect.cause.as_str(), expect.location.as_str()),
            "{name}, {browser}: {}\n{shown}",
            verdict.summary
        );
        let path = outcome.diagnosis.case.target.rsplit_once("/v1/").unwrap().1;
        let seen = browsers(bundle, &format!("/v1/{path}"));
        assert_eq!(seen.len(), 1, "{name}, {browser}: {shown}");
        check(browser, &outcome, seen[0].fate);
        let handshake = outcome.diagnosis.checklist.iter().find(|i| i.item == "failed-handshake");
        let have = handshake.unwrap().have.join("; ");
        assert!(have.contains("headless"), "{name}, {browser}: {have}");
    }
}

fn summary(outcome: &Outcome) -> &str {
    &outcome.diagnosis.verdict.summary
}

#[tokio::test(flavor = "multi_thread")]
async fn healthy() {
    with_each("nginx-healthy-h2", |browser, outcome, fate| {
        assert_eq!(fate, Fate::Works, "{browser}");
        let seen = &outcome.bundles[0].observations.browser;
        let page = seen.iter().find(|s| s.kind == BrowserRequest::Document).unwrap();
        assert_eq!(page.status(), Some(200), "{browser}");
        assert_eq!(page.protocol.as_deref(), Some("h2"), "{browser}");
        let socket =
            seen.iter().find(|s| s.kind == BrowserRequest::Websocket && s.switched()).unwrap();
        assert!(socket.opened_ms.is_some(), "{browser}");
        assert!(
            socket.sent("origin").is_some() && socket.sent("sec-websocket-extensions").is_some()
        );
        assert!(socket.received("sec-websocket-accept").is_some(), "{browser}: {socket:?}");
        assert!(socket.notes.iter().any(|note| note.contains("--cacert")), "{:?}", socket.notes);
        if browser == "chromium" {
            assert!(
                socket.exact
                    && socket.remote.is_some()
                    && socket.route.as_deref() == Some("direct")
            );
            assert!(socket.tls.as_ref().unwrap().certificate.as_ref().unwrap().sha256.len() == 64);
            assert!(socket.notes.iter().any(|note| note.contains("sandbox")), "{:?}", socket.notes);
        }
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn nginx_without_the_upgrade_headers() {
    with_each("nginx-bare", |browser, outcome, fate| {
        assert_eq!(fate, Fate::Answered(400), "{browser}");
        let seen = &outcome.bundles[0].observations.browser;
        let socket = seen.iter().find(|s| s.path() == "/v1/ws").unwrap();
        assert!(socket.received("server").unwrap().starts_with("nginx"), "{browser}: {socket:?}");
    })
    .await;
}

/// A browser that came by HTTP/2 uses RFC 8441, and Envoy forwards no key.
#[tokio::test(flavor = "multi_thread")]
async fn envoy_with_extended_connect() {
    with_each("envoy-h2-connect-to-h1", |browser, outcome, fate| {
        assert!(fate.fails(), "{browser}: {fate:?} {}", summary(outcome));
        let seen = &outcome.bundles[0].observations.browser;
        let socket = seen.iter().find(|s| s.path() == "/v1/ws").unwrap();
        assert!(socket.multiplexed(), "{browser}: {socket:?}");
        // Firefox calls it GET.
        let request = socket.request.as_ref().unwrap();
        assert!(browser != "chromium" || request.text().starts_with("CONNECT "), "{request:?}");
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn nginx_without_host_and_an_origin_check() {
    with_each("nginx-origin-rejected", |browser, _, fate| {
        assert_eq!(fate, Fate::Answered(403), "{browser}");
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn squid_that_denies_connect() {
    with_each("squid-refuses", |browser, outcome, fate| {
        assert!(matches!(fate, Fate::Failed(_)), "{browser}: {fate:?}");
        let seen = &outcome.bundles[0].observations.browser;
        let socket = seen.iter().find(|s| s.kind == BrowserRequest::Websocket).unwrap();
        if browser == "chromium" {
            assert_eq!(fate, Fate::Failed(Meaning::TunnelRefused));
            assert!(socket.route.as_ref().unwrap().starts_with("proxy http://127.0.0.1:"));
            let answer = socket.tunnel.as_ref().unwrap();
            assert_eq!(answer.status(), Some(403));
            assert!(answer.header("x-squid-error").is_some(), "{answer:?}");
        }
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_proxy_that_strips() {
    with_each("squid-bump-strips", |browser, _, fate| {
        assert_eq!(fate, Fate::Answered(400), "{browser}");
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_certificate_that_is_not_trusted() {
    with_each("certificate-unknown-issuer", |browser, outcome, fate| {
        let seen = &outcome.bundles[0].observations.browser;
        assert!(matches!(fate, Fate::Failed(_)), "{browser}: {fate:?}");
        let page = seen.iter().find(|s| s.kind == BrowserRequest::Document).unwrap();
        let error = page.error.clone().unwrap_or_default();
        assert_eq!(Meaning::of(&error), Some(Meaning::Untrusted), "{browser}: {error}");
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_idle_connection_that_is_cut() {
    with_each("nginx-idle-timeout", |browser, outcome, fate| {
        assert_eq!(fate, Fate::CutLater, "{browser}: {}", summary(outcome));
        let seen = &outcome.bundles[0].observations.browser;
        let socket = seen.iter().find(|s| s.closed.is_some()).unwrap();
        let closed = socket.closed.as_ref().unwrap();
        assert_eq!((closed.code, closed.clean), (Some(1006), Some(false)), "{browser}");
        let rules: Vec<&str> = outcome.diagnosis.findings.iter().map(|f| f.rule).collect();
        assert!(rules.contains(&"browser-cut"), "{browser}: {rules:?}");
    })
    .await;
}
