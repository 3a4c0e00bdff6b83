//! Real browsers against real servers: the same verdict as without them, and
//! what the browser saw beside it.
#![allow(clippy::unwrap_used, reason = "a test may panic")]

use std::path::Path;
use wss_bundle::browser::BrowserRequest;
use wss_diagnosis::evidence::browser::{Fate, Meaning, browsers, heard};
use wss_lab::scenario::{self, Outcome};

const BROWSERS: [&str; 2] = ["chromium", "firefox-esr"];

/// Runs a scenario with each browser; its verdict must be the one without.
async fn with_each(name: &str, check: impl Fn(&str, &Outcome, Fate)) {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("scenarios").join(name);
    for browser in BROWSERS {
        let mut wanted = scenario::read(&folder).unwrap();
        wanted.outside = None;
        // What never comes is waited for to the end; anything else comes sooner or later.
        let silent = name == "deflate-and-no-frames-at-all";
        wanted.timeout = if silent { "10s" } else { "30s" }.into();
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
        assert_eq!(
            wss_diagnosis::console::meaning(&error),
            Some(Meaning::Untrusted),
            "{browser}: {error}"
        );
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

fn socket(outcome: &Outcome) -> &wss_bundle::BrowserHandshake {
    let seen = &outcome.bundles[0].observations.browser;
    seen.iter().find(|s| s.kind == BrowserRequest::Websocket && s.path() == "/v1/ws").unwrap()
}

fn rules(outcome: &Outcome) -> Vec<&'static str> {
    outcome.diagnosis.findings.iter().map(|f| f.rule).collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn compression_that_works() {
    with_each("deflate-healthy", |browser, outcome, fate| {
        assert_eq!(fate, Fate::Works, "{browser}");
        let socket = socket(outcome);
        let granted = socket.received("sec-websocket-extensions").unwrap();
        assert!(granted.starts_with("permessage-deflate"), "{browser}: {granted}");
        assert!(socket.frames_received > 0, "{browser}: {socket:?}");
    })
    .await;
}

/// The server compresses, and the browser was not told.
#[tokio::test(flavor = "multi_thread")]
async fn nginx_that_hides_the_grant() {
    with_each("deflate-nginx-hides-the-grant", |browser, outcome, fate| {
        assert_eq!(fate, Fate::NoFrames, "{browser}: {:?}", socket(outcome));
        assert_eq!(socket(outcome).received("sec-websocket-extensions"), None, "{browser}");
        let rules = rules(outcome);
        assert!(rules.contains(&"frames-blocked-compressed"), "{browser}: {rules:?}");
        assert!(!rules.contains(&"browser-only"), "{browser}: {rules:?}");
    })
    .await;
}

/// The browser compresses, and the server was not asked.
#[tokio::test(flavor = "multi_thread")]
async fn haproxy_that_grants_what_the_server_does_not_know() {
    with_each("deflate-haproxy-grants-it", |browser, outcome, fate| {
        assert_eq!(fate, Fate::NoFrames, "{browser}: {:?}", socket(outcome));
        assert!(!heard(socket(outcome)), "{browser}: {:?}", socket(outcome));
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_load_balancer_that_closes_at_compressed_frames() {
    with_each("deflate-lb-closes", |browser, outcome, fate| {
        assert_eq!(fate, Fate::NoFrames, "{browser}: {:?}", socket(outcome));
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn haproxy_that_refuses_the_offer() {
    with_each("deflate-haproxy-refuses-the-offer", |browser, outcome, fate| {
        assert_eq!(fate, Fate::Answered(403), "{browser}: {:?}", socket(outcome));
        let rules = rules(outcome);
        assert!(rules.contains(&"lb-strips-upgrade-offer"), "{browser}: {rules:?}");
        assert!(!rules.contains(&"browser-only"), "{browser}: {rules:?}");
    })
    .await;
}

/// No frame passes at all: an open socket of the browser's does not speak against it.
#[tokio::test(flavor = "multi_thread")]
async fn frames_that_do_not_pass_at_all() {
    with_each("deflate-and-no-frames-at-all", |browser, outcome, _| {
        assert!(!heard(socket(outcome)), "{browser}: {:?}", socket(outcome));
        assert!(!rules(outcome).contains(&"frames-blocked-compressed"), "{browser}");
    })
    .await;
}

/// What DevTools would export of this: the entry of a WebSocket from the events
/// of the protocol, as `Log.ts` puts it together.
fn as_devtools_export(events: &[serde_json::Value]) -> String {
    use serde_json::{Value, json};
    let of = |name: &str| {
        let found = events.iter().find(|event| event["method"] == name);
        found.map_or(Value::Null, |event| event["params"].clone())
    };
    let list = |headers: &Value| -> Vec<Value> {
        let all = headers.as_object().into_iter().flatten();
        all.map(|(name, value)| json!({ "name": name, "value": value })).collect()
    };
    let (created, sent) =
        (of("Network.webSocketCreated"), of("Network.webSocketWillSendHandshakeRequest"));
    let got = of("Network.webSocketHandshakeResponseReceived");
    let began = sent["timestamp"].as_f64().unwrap();
    let wall = sent["wallTime"].as_f64().unwrap();
    let messages: Vec<Value> = events
        .iter()
        .filter_map(|event| {
            let kind = match event["method"].as_str()? {
                "Network.webSocketFrameSent" => "send",
                "Network.webSocketFrameReceived" => "receive",
                _ => return None,
            };
            let frame = &event["params"]["response"];
            let time = wall + event["params"]["timestamp"].as_f64()? - began;
            Some(json!({ "type": kind, "time": time, "opcode": frame["opcode"],
                         "data": frame["payloadData"] }))
        })
        .collect();
    let at = chrono::DateTime::from_timestamp_micros((wall * 1e6) as i64).unwrap();
    let wait = (got["timestamp"].as_f64().unwrap() - began) * 1e3;
    json!({ "log": { "version": "1.2", "creator": { "name": "WebInspector", "version": "537.36" },
        "pages": [], "entries": [{
            "_resourceType": "websocket", "_webSocketMessages": messages,
            "startedDateTime": at.to_rfc3339(), "time": wait, "cache": {},
            "request": { "method": "GET", "url": created["url"], "httpVersion": "http/1.1",
                "headers": list(&sent["request"]["headers"]), "queryString": [], "cookies": [],
                "headersSize": -1, "bodySize": 0 },
            "response": { "status": got["response"]["status"],
                "statusText": got["response"]["statusText"], "httpVersion": "http/1.1",
                "headers": list(&got["response"]["headers"]), "cookies": [], "_error": null,
                "content": { "size": 0, "mimeType": "x-unknown" }, "redirectURL": "",
                "headersSize": -1, "bodySize": -1, "_transferSize": 0 },
            "serverIPAddress": "", "timings": { "blocked": -1, "dns": -1, "ssl": -1,
                "connect": -1, "send": 0, "wait": wait, "receive": 0 } }] } })
    .to_string()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_recording_of_a_real_chromium() {
    use serde_json::json;
    use wss_lab::lab::{Lab, LabConfig};
    let lab = Lab::start(&LabConfig::default()).await.unwrap();
    let at = format!("127.0.0.1:{}", lab.addr().port());
    let mut browser = wss_lab::browser::Browser::start().await.unwrap();
    browser.call("Page.navigate", json!({ "url": format!("http://{at}/health") })).await.unwrap();
    let script = format!(
        "new Promise(done => {{ const s = new WebSocket('ws://{at}/v1/ws?token=S3cr3t'); \
         s.onopen = () => s.send('S3cr3t payload'); s.onmessage = s.onclose = () => done(1); \
         setTimeout(() => done(2), 3000); }})"
    );
    let evaluated = json!({ "expression": script, "awaitPromise": true });
    browser.call("Runtime.evaluate", evaluated).await.unwrap();
    let export = as_devtools_export(browser.events());
    assert!(export.contains("S3cr3t"), "{export}");
    let (target, _) = wss_collector::cli::parse::target(&format!("http://{at}"), &[]).unwrap();
    let har = wss_handed::har::read(export.as_bytes(), "c.har", "c.har", &target).unwrap();
    assert_eq!(har.seen.len(), 1);
    let seen = &har.seen[0];
    assert_eq!(seen.status(), Some(101));
    assert!(seen.switched());
    assert_eq!(seen.path(), "/v1/ws");
    assert_eq!(seen.sent("origin"), Some(format!("http://{at}")));
    assert!(seen.received("sec-websocket-accept").is_some());
    assert!(seen.browser.as_deref().unwrap().starts_with("Chrome "), "{:?}", seen.browser);
    let first = &seen.frames[0];
    assert!(first.sent && first.opcode == "text" && first.bytes == 14, "{first:?}");
    assert!(first.at_ms.is_some_and(|at| (0.0..5000.0).contains(&at)), "{first:?}");
    let kept = serde_json::to_string(&har.seen).unwrap();
    assert!(!kept.contains("S3cr3t"), "{kept}");
    assert!(!String::from_utf8_lossy(&har.attachment.bytes).contains("S3cr3t"));
}
