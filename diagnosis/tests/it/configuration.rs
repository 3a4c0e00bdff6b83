//! A configuration beside what the probe saw: confirmed only where the effect is
//! there, and never a cause by itself.

use crate::cases::{healthy, stripped};
use crate::fixture::*;
use wss_bundle::observation::{EndedBy, Ending, probe};
use wss_bundle::redact::Redactor;
use wss_bundle::{Attachment, AttachmentKind, Bundle};
use wss_diagnosis::configuration::{DIALECTS, Request, check, program};
use wss_diagnosis::{Diagnosis, Finding, NextStep, Severity, diagnose};

#[allow(dead_code, reason = "not everybody needs all of them")]
#[path = "../../src/configuration/samples.rs"]
mod samples;

const NGINX: &str = "Server: nginx/1.22.1\r\n";

const BARE: &str = "server {\n  listen 443 ssl;\n  location / {\n    proxy_pass http://b:3001;\n    \
                    proxy_read_timeout 1h;\n    proxy_send_timeout 1h;\n  }\n}\n";
const LOST: &str = "server {\n  listen 443 ssl;\n  proxy_http_version 1.1;\n  \
                    proxy_set_header Upgrade $http_upgrade;\n  proxy_set_header Connection upgrade;\n  \
                    proxy_read_timeout 1h;\n  proxy_send_timeout 1h;\n  location /v1/ {\n    \
                    proxy_set_header X-Real-IP $remote_addr;\n    proxy_pass http://b:3001;\n  }\n}\n";
const FORWARDS: &str = "server {\n  listen 443 ssl;\n  proxy_http_version 1.1;\n  \
                        proxy_set_header Upgrade $http_upgrade;\n  proxy_set_header Connection upgrade;\n  \
                        proxy_read_timeout 1h;\n  proxy_send_timeout 1h;\n  location / {\n    \
                        proxy_pass http://b:3001;\n  }\n}\n";
const SHORT: &str = "server {\n  listen 443 ssl;\n  proxy_http_version 1.1;\n  \
                     proxy_set_header Upgrade $http_upgrade;\n  proxy_set_header Connection upgrade;\n  \
                     location / {\n    proxy_pass http://b:3001;\n    proxy_read_timeout 60s;\n    \
                     proxy_send_timeout 1h;\n  }\n}\n";
const PATH_RULE: &str = "server {\n  listen 443 ssl;\n  location /v1/ {\n    return 404;\n  }\n  \
                         location / {\n    proxy_pass http://b:3001;\n  }\n}\n";
const MAPPED: &str = "server {\n  listen 443 ssl;\n  location / {\n    proxy_http_version 1.1;\n    \
                      proxy_set_header Upgrade $http_upgrade;\n    \
                      proxy_set_header Connection $connection_upgrade;\n    proxy_read_timeout 1h;\n    \
                      proxy_send_timeout 1h;\n    proxy_pass http://b:3001;\n  }\n}\n";
const H2: &str = "defaults\n  mode http\n  timeout connect 5s\n  timeout client 1h\n  timeout server 1h\n\
                  frontend f\n  bind :443 ssl crt x.pem\n  default_backend b\nbackend b\n  \
                  server one 127.0.0.1:3001 proto h2\n";

const HIDES: &str = "server {\n  listen 443 ssl;\n  proxy_http_version 1.1;\n  \
                     proxy_set_header Upgrade $http_upgrade;\n  proxy_set_header Connection upgrade;\n  \
                     proxy_read_timeout 1h;\n  proxy_send_timeout 1h;\n  location / {\n    \
                     proxy_pass http://b:3001;\n    \
                     proxy_hide_header Sec-WebSocket-Extensions;\n  }\n}\n";

const LIMITED: &str = "worker_shutdown_timeout 2s;\nhttp {\n  \
                       limit_req_zone $binary_remote_addr zone=h:1m rate=1r/s;\n  server {\n    \
                       listen 443 ssl;\n    proxy_http_version 1.1;\n    \
                       proxy_set_header Upgrade $http_upgrade;\n    \
                       proxy_set_header Connection upgrade;\n    proxy_read_timeout 1h;\n    \
                       proxy_send_timeout 1h;\n    location / {\n      limit_req zone=h;\n      \
                       proxy_pass http://b:3001;\n    }\n  }\n}\n";
const ASKS: &str = "server {\n  listen 443 ssl;\n  proxy_http_version 1.1;\n  \
                    proxy_set_header Upgrade $http_upgrade;\n  proxy_set_header Connection upgrade;\n  \
                    proxy_read_timeout 1h;\n  proxy_send_timeout 1h;\n  location / {\n    \
                    auth_request /asks;\n    proxy_pass http://b:3001;\n  }\n  location = /asks {\n    \
                    proxy_pass http://c;\n  }\n}\n";
const TWO: &str = "defaults\n  mode http\n  timeout connect 5s\n  timeout client 1h\n  timeout server 1h\n\
                   frontend f\n  bind :443 ssl crt x.pem\n  default_backend b\nbackend b\n  \
                   server one 127.0.0.1:3001\n  server two 127.0.0.1:3002\n";
const TCP: &str = "defaults\n  mode tcp\n  timeout connect 5s\n  timeout client 1h\n  timeout server 1h\n\
                   listen f\n  bind :443\n  server one 127.0.0.1:8443\n";
const NO_TARGET: &str = "{\n \"TargetGroups\": [\n  {\"TargetGroupName\": \"console\", \"ProtocolVersion\": \"HTTP1\"}\n ]\n}\n\
                         {\n \"TargetHealthDescriptions\": []\n}\n";
const NOBODY: &str = "HTTP/1.1 503 Service Temporarily Unavailable\r\nServer: awselb/2.0\r\n\
                      Content-Type: text/html\r\n\r\n";
const NOBODY_BODY: &str = "<html>\r\n<head><title>503 Service Temporarily Unavailable</title></head>\r\n\
                           <body>\r\n<center><h1>503 Service Temporarily Unavailable</h1></center>\r\n\
                           </body>\r\n</html>\r\n";
const AWAITS: &str = "server {\n  listen 8443 ssl proxy_protocol;\n  location / {\n    \
                      proxy_pass http://b:3001;\n  }\n}\n";

fn with(mut bundle: Bundle, text: &str) -> Bundle {
    bundle.attachments.push(Attachment {
        name: "site.conf".into(),
        kind: AttachmentKind::Configuration,
        vantage: None,
        path: Some("/etc/nginx/site.conf".into()),
        bytes: text.as_bytes().to_vec(),
    });
    bundle
}

fn nginx_strips() -> Bundle {
    stripped(Run::inside().direct(true), &Leaf::good(), STRIPPED_NGINX, NGINX).done()
}

fn works() -> OnRoute {
    healthy(Run::inside().direct(true), &Leaf::good())
}

fn cut_at(seconds: f64) -> Bundle {
    let cut = Cut::At(seconds, EndedBy::Fin, Some(true));
    works().hold(&Leaf::good(), 75.0, cut, Cut::Never).done()
}

/// Compression is offered; no grant arrives, and frames break or do not.
fn not_granted(ending: Ending) -> Bundle {
    let good = Leaf::good();
    works()
        .says(probe::BROWSER_UPGRADE, WS, false, Ending::new(EndedBy::StillOpen))
        .offers(WS, &good, SWITCHED)
        .says(probe::COMPRESSED_UPGRADE, WS, false, ending)
        .done()
}

fn answered(head: &str, body: &str) -> Bundle {
    let leaf = Leaf::good();
    let mut route = Run::inside().direct(true).resolved("203.0.113.10");
    for path in [WS, GRAPHQL] {
        route = route.upgrade(path, &leaf, head, body).plain(path, &leaf, head, body);
    }
    route.pages(&leaf, NGINX).done()
}

const NOT_FOUND: &str =
    "HTTP/1.1 404 Not Found\r\nServer: nginx/1.22.1\r\nContent-Type: text/html\r\n\r\n";
const NOT_FOUND_BODY: &str = "<html>\r\n<head><title>404 Not Found</title></head>\r\n<body>\r\n<center><h1>404 Not Found</h1></center>\r\n<hr><center>nginx/1.22.1</center>\r\n</body>\r\n</html>\r\n";

fn origin_refused() -> Bundle {
    let good = Leaf::good();
    Run::inside()
        .direct(true)
        .resolved("203.0.113.10")
        .upgrade(WS, &good, SWITCHED, "")
        .pong(WS, Some(1.0), EndedBy::StillOpen)
        .browser(
            WS,
            &good,
            "HTTP/1.1 403 Forbidden\r\nServer: nginx/1.22.1\r\nSec-Websocket-Version: 13\r\n\r\n",
            "Forbidden\n",
        )
        .pages(&good, NGINX)
        .done()
}

/// A sample of Kubernetes'.
fn kubernetes(about: &str) -> String {
    let all = samples::kubernetes::all();
    let (_, text, _) = all.iter().find(|(own, ..)| *own == about).unwrap();
    text.replace("host: b.example", "host: '*.example'").replace("- b.example", "- '*.example'")
}

/// Cases for the invariants: name, bundle, cause.
pub(crate) fn given() -> Vec<(&'static str, Bundle, &'static str)> {
    let gateway = "HTTP/1.1 502 Bad Gateway\r\ncontent-length: 0\r\n\r\n";
    let haproxy = || {
        let leaf = Leaf::good();
        Run::inside()
            .direct(true)
            .resolved("203.0.113.10")
            .upgrade(WS, &leaf, gateway, "")
            .plain(WS, &leaf, STRIPPED, BAD)
            .pages(&leaf, "")
            .done()
    };
    vec![
        ("configuration: no headers", with(nginx_strips(), BARE), "lb-strips-upgrade"),
        ("configuration: headers lost", with(nginx_strips(), LOST), "lb-strips-upgrade"),
        ("configuration: it forwards", with(nginx_strips(), FORWARDS), "lb-strips-upgrade"),
        ("configuration: a variable", with(nginx_strips(), MAPPED), "lb-strips-upgrade"),
        ("configuration: it works all the same", with(works().done(), BARE), "none"),
        (
            "configuration: the grant is hidden",
            with(not_granted(Ending::new(EndedBy::Garbled)), HIDES),
            "frames-blocked",
        ),
        (
            "configuration: nothing to hide",
            with(not_granted(Ending::new(EndedBy::StillOpen)), HIDES),
            "none",
        ),
        ("configuration: 60 s, and cut", with(cut_at(60.05), SHORT), "idle-timeout"),
        ("configuration: 60 s, and cut at 30", with(cut_at(30.0), SHORT), "idle-timeout"),
        (
            "configuration: a path rule",
            with(answered(NOT_FOUND, NOT_FOUND_BODY), PATH_RULE),
            "wrong-path",
        ),
        ("configuration: HTTP/2 to the backend", with(haproxy(), H2), "lb-http2"),
        ("configuration: Host", with(origin_refused(), FORWARDS), "origin-rejected"),
        ("configuration: a limit", with(works().done(), LIMITED), "none"),
        ("configuration: a reload", with(works().done(), LIMITED), "none"),
        ("configuration: a subrequest", with(works().done(), ASKS), "none"),
        ("configuration: nobody checks", with(works().done(), TWO), "none"),
        (
            "configuration: an annotation that is none",
            with(works().done(), &kubernetes("an annotation that is none")),
            "none",
        ),
        (
            "configuration: ingress-nginx, and cut",
            with(cut_at(60.05), &kubernetes("ingress-nginx with a minute")),
            "idle-timeout",
        ),
        ("configuration: PROXY protocol", with(with(works().done(), TCP), AWAITS), "none"),
        (
            "configuration: no target",
            with(answered(NOBODY, NOBODY_BODY), NO_TARGET),
            "no-healthy-backend",
        ),
    ]
}

fn found<'d>(diagnosis: &'d Diagnosis, rule: &str) -> &'d Finding {
    let all: Vec<&str> = diagnosis.findings.iter().map(|f| f.rule).collect();
    diagnosis.findings.iter().find(|f| f.rule == rule).unwrap_or_else(|| panic!("{rule}: {all:?}"))
}

#[test]
fn confirmed_only_where_the_probe_saw_it() {
    for (name, rule, explains, line) in [
        ("configuration: no headers", "config-upgrade-headers", "lb-strips-upgrade", "line 4"),
        ("configuration: headers lost", "config-upgrade-headers", "lb-strips-upgrade", "line 9"),
        ("configuration: 60 s, and cut", "config-timeout", "idle-timeout", "line 8"),
        ("configuration: ingress-nginx, and cut", "config-timeout", "idle-timeout", "line 6"),
        ("configuration: a path rule", "config-path-rule", "wrong-path", "line 4"),
        ("configuration: HTTP/2 to the backend", "config-http2", "lb-http2", "line 10"),
        ("configuration: no target", "config-targets", "no-healthy-backend", "line 7"),
        ("configuration: Host", "config-host", "origin-rejected", "line 9"),
        (
            "configuration: the grant is hidden",
            "config-extensions",
            "frames-blocked-compressed",
            "line 10",
        ),
    ] {
        let (_, bundle, _) = given().into_iter().find(|g| g.0 == name).unwrap();
        let diagnosis = diagnose(&[bundle]);
        let finding = found(&diagnosis, rule);
        assert_eq!(finding.severity, Severity::Error, "{name}: {}", finding.text);
        assert!(finding.explains.contains(&explains), "{name}: {:?}", finding.explains);
        assert!(
            finding.evidence.first.excerpt.contains(line),
            "{name}: {}",
            finding.evidence.first.excerpt
        );
        assert!(finding.text.contains("The probe saw it"), "{name}: {}", finding.text);
        assert!(diagnosis.verdict.summary.contains(line), "{name}: {}", diagnosis.verdict.summary);
        assert!(finding.remedy.as_ref().unwrap().steps[0].contains(line), "{name}");
    }
}

#[test]
fn not_seen_is_said_and_is_no_error() {
    for (name, rule, severity, says) in [
        (
            "configuration: it works all the same",
            "config-upgrade-headers",
            Severity::Info,
            "the upgrade passed",
        ),
        (
            "configuration: 60 s, and cut at 30",
            "config-timeout",
            Severity::Warning,
            "cut sooner, after 30.0 s",
        ),
        (
            "configuration: nothing to hide",
            "config-extensions",
            Severity::Info,
            "where the server compresses",
        ),
        (
            "configuration: an annotation that is none",
            "config-no-effect",
            Severity::Info,
            "it needs none for WebSocket",
        ),
        ("configuration: it forwards", "config-not-in-effect", Severity::Info, "not what runs"),
        ("configuration: a variable", "config-cannot-tell", Severity::Info, "$connection_upgrade"),
    ] {
        let (_, bundle, _) = given().into_iter().find(|g| g.0 == name).unwrap();
        let diagnosis = diagnose(&[bundle]);
        let finding = found(&diagnosis, rule);
        assert_eq!(finding.severity, severity, "{name}");
        assert!(finding.text.contains(says), "{name}: {}", finding.text);
        assert!(finding.explains.is_empty(), "{name}");
        assert!(!diagnosis.verdict.summary.contains("configuration shows"), "{name}");
    }
}

/// A file changes a cause only where one of its lines says exactly what the probe
/// saw; what is of no use changes nothing.
#[test]
fn only_a_line_that_was_seen_settles_the_cause() {
    for (name, bundle, _) in given() {
        for text in [BARE, LOST, FORWARDS, SHORT, PATH_RULE, MAPPED, H2, "server {", "nonsense"] {
            let mut without = bundle.clone();
            without.attachments.clear();
            let with = with(without.clone(), text);
            let (a, b) = (diagnose(&[without]), diagnose(&[with]));
            let what = |d: &Diagnosis| {
                let mut v = d.verdict.clone();
                // Where none was given, the way to get it.
                v.missing.retain(|next| next.step != NextStep::Configuration);
                (v.status, v.cause, v.location, v.confidence, v.missing)
            };
            let shown = b.findings.iter().any(|f| {
                f.rule.starts_with("config-")
                    && f.severity == Severity::Error
                    && f.explains.contains(&b.verdict.cause.slug())
            });
            if shown && what(&a) != what(&b) {
                assert_eq!(a.verdict.status, b.verdict.status, "{name}\n{text}");
                assert_eq!(
                    b.verdict.location,
                    wss_diagnosis::Location::ServerSide,
                    "{name}\n{text}"
                );
                continue;
            }
            assert_eq!(what(&a), what(&b), "{name}\n{text}");
            assert!(
                b.verdict.summary.starts_with(&a.verdict.summary),
                "{name}: {}",
                b.verdict.summary
            );
        }
    }
}

/// nginx' own mark on the answer: HAProxy's file is not confirmed by it.
#[test]
fn another_hops_answer_confirms_nothing() {
    let text = H2.replace("proto h2", "").replace(
        "  default_backend b\n",
        "  http-request del-header Upgrade\n  default_backend b\n",
    );
    let diagnosis = diagnose(&[with(nginx_strips(), &text)]);
    let finding = found(&diagnosis, "config-upgrade-headers");
    assert_eq!(finding.severity, Severity::Warning);
    assert!(finding.text.contains("nginx left its mark"), "{}", finding.text);
}

#[test]
fn a_file_that_is_not_understood_is_said_to_be() {
    let diagnosis = diagnose(&[with(nginx_strips(), "server {\n listen 443\n}\n")]);
    let finding = found(&diagnosis, "config-cannot-tell");
    assert!(finding.text.contains("line 3"), "{}", finding.text);
}

/// Nothing in the answers names it: what was given does, and no version is asked for.
#[test]
fn a_load_balancer_without_a_mark_is_known_by_what_was_given() {
    let listener = "{\n \"Listeners\": [\n  {\"Port\": 443, \"Protocol\": \"HTTPS\", \"DefaultActions\": []}\n ]\n}\n";
    let leaf = Leaf::good();
    let bare = || stripped(Run::inside().direct(true), &leaf, STRIPPED, "").done();
    let product = |d: &Diagnosis| -> Vec<String> {
        d.devices
            .iter()
            .filter_map(|d| Some(format!("{} {}", d.product.clone()?, d.confidence)))
            .collect()
    };
    let item = |d: &Diagnosis| d.checklist[1].clone();
    let (without, given) = (diagnose(&[bare()]), diagnose(&[with(bare(), listener)]));
    assert!(!product(&without).iter().any(|p| p.contains("AWS")), "{:?}", without.devices);
    assert_eq!(item(&without).status.to_string(), "missing", "{:?}", item(&without));
    assert!(
        product(&given).contains(&"AWS Application Load Balancer medium".to_owned()),
        "{:?}",
        given.devices
    );
    assert_eq!(item(&given).status.to_string(), "complete", "{:?}", item(&given));
    // A listener of another port takes another request.
    let elsewhere = diagnose(&[with(bare(), &listener.replace("443", "8443"))]);
    assert!(!product(&elsewhere).iter().any(|p| p.contains("AWS")), "{:?}", elsewhere.devices);
}

/// What prints the configuration is named where it is of use, and once.
#[test]
fn the_commands_that_print_the_configuration_are_named_where_none_was_given() {
    let named = |d: &Diagnosis| -> Vec<String> {
        let all = d.verdict.missing.iter().filter(|n| n.step == NextStep::Configuration);
        all.map(|n| n.command.clone()).collect()
    };
    assert_eq!(named(&diagnose(&[nginx_strips()])), ["wss-collector config-commands nginx"]);
    assert!(named(&diagnose(&[with(nginx_strips(), BARE)])).is_empty());
    assert!(named(&diagnose(&[works().done()])).is_empty());
    let amazon = diagnose(&[answered(NOBODY, NOBODY_BODY)]);
    assert_eq!(named(&amazon), ["wss-collector config-commands aws-alb"]);
}

/// A limit that no hold reached is foretold with the hold that reaches it.
#[test]
fn what_was_not_tried_is_foretold_with_what_would_show_it() {
    let idle = |seconds: u32| {
        format!(
            "{{\n\"Attributes\": [{{\"Key\": \"tcp.idle_timeout.seconds\", \"Value\": \"{seconds}\"}}]\n}}\n"
        )
    };
    let held = || works().hold(&Leaf::good(), 75.0, Cut::Never, Cut::Never).done();
    let told = |bundle: Bundle| {
        let diagnosis = diagnose(&[bundle]);
        let finding = found(&diagnosis, "config-timeout");
        assert_eq!(finding.severity, Severity::Warning, "{}", finding.text);
        finding.text.clone()
    };
    let text = told(with(held(), &idle(350)));
    assert!(text.contains("for 75 s only; `--hold 6m` would show it"), "{text}");
    let text = told(with(held(), &idle(60)));
    assert!(text.contains("outlived it (75 s)"), "{text}");
    let text = told(with(cut_at(30.0), &idle(350)));
    assert!(
        text.contains("cut sooner, after 30.0 s") && text.contains("another load balancer"),
        "{text}"
    );
    let text = told(with(works().done(), &idle(350)));
    assert!(text.contains("no silent connection was held; `--hold 6m`"), "{text}");
}

/// A row names devices by their signatures.
#[test]
fn devices_of_every_dialect_are_known() {
    for dialect in DIALECTS {
        for device in dialect.devices {
            let known = wss_diagnosis::signature::Signatures::built_in().get(device);
            assert!(known.is_some(), "{}: no device {device}", dialect.id);
        }
    }
}

fn masked(text: &str) -> String {
    let bundle = Redactor::new().bundle(with(works().done(), text)).into_inner();
    String::from_utf8(bundle.attachments[0].bytes.clone()).unwrap()
}

/// What may stay of a file is the same for every row: no secret, and all that is read.
const TRAEFIK: &str = "entryPoints:\n  websecure:\n    address: \":443\"\n    transport:\n      respondingTimeouts:\n        \
                       readTimeout: 60s\n        idleTimeout: 3600s\nhttp:\n  routers:\n    console:\n      \
                       rule: PathPrefix(`/`)\n      service: console\n  services:\n    console:\n      loadBalancer:\n        \
                       servers:\n        - url: http://127.0.0.1:3001\n";

/// What was never held against its program is told where it fits, said to be unproved,
/// and neither an error nor the cause.
#[test]
fn a_hint_is_said_to_be_one_and_confirms_nothing() {
    let alone = diagnose(&[cut_at(60.0)]);
    let diagnosis = diagnose(&[with(cut_at(60.0), TRAEFIK)]);
    let hint = diagnosis.findings.iter().find(|f| f.rule == "config-timeout").unwrap();
    assert!(hint.text.contains("A hint") && hint.text.contains("unproved"), "{}", hint.text);
    assert!(hint.text.contains("was cut after 60"), "{}", hint.text);
    assert_eq!(hint.severity, Severity::Warning);
    assert!(hint.explains.is_empty());
    assert_eq!(diagnosis.verdict, alone.verdict);
    // The same of a program that was held against its files is confirmed.
    let sure = diagnose(&[with(cut_at(60.0), SHORT)]);
    let sure = sure.findings.iter().find(|f| f.rule == "config-timeout").unwrap();
    assert!(sure.severity == Severity::Error && !sure.explains.is_empty(), "{sure:?}");
}

#[test]
fn masking_takes_secrets_and_leaves_what_is_read() {
    let (secrets, samples) = (samples::secrets(), samples::all());
    let request =
        Request { host: "b.example", port: 443, tls: true, path: "/v1/ws", version: None };
    for dialect in DIALECTS {
        let (_, text) = secrets.iter().find(|(id, _)| *id == dialect.id).unwrap();
        assert_eq!(program(text).map(|p| p.dialect().id), Ok(dialect.id), "{text}");
        let out = masked(text);
        for (line, was) in out.lines().zip(text.lines()) {
            assert!(!line.contains("Q4nary"), "{}: {line}", dialect.id);
            assert!(was.contains("Q4nary") || line == was, "{}: {was} became {line}", dialect.id);
        }
        for (about, text, _) in &samples.iter().find(|(id, _)| *id == dialect.id).unwrap().1 {
            let read = |text: &str| -> Vec<String> {
                let given = with(works().done(), text).attachments;
                let checked = check(&given, &request, |_| None).unwrap();
                let reading = checked.readings.first().unwrap_or_else(|| panic!("{about}\n{text}"));
                let issues = reading.issues.iter();
                let issues = issues.map(|i| format!("{:?} {} {:?}", i.kind, i.place, i.provided));
                let untold = reading.untold.iter().map(|u| format!("untold {:?}", u.place));
                issues.chain(untold).collect()
            };
            assert_eq!(
                read(&masked(text)),
                read(text),
                "{}: {about}\n{}",
                dialect.id,
                masked(text)
            );
        }
    }
}
