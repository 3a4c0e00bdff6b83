//! One function for each way in for what strangers wrote. None may panic,
//! hang, or take memory beyond its limits, whatever it is given.

use std::cell::RefCell;
use std::collections::BTreeSet;
use std::io::{Cursor, Write as _};
use std::path::Path;
use std::sync::OnceLock;
use std::time::Duration;
use tokio::io::AsyncWriteExt as _;
use wss_analyzer::intake::reader::Reader;
use wss_bundle::read::{self, Limits};
use wss_bundle::redact::Redactor;
use wss_bundle::target::Scheme;
use wss_bundle::{Attachment, AttachmentKind, Bundle, ResponseHead, Target, pasted, write};
use wss_collector::proxy::pac::engine::{self, Job};
use wss_collector::proxy::pac::functions::Now;
use wss_collector::proxy::pac::{self as proxy_script};
use wss_collector::step::dns as lookup;
use wss_collector::wire::http1::{self, Exchange};
use wss_collector::wire::tap::Tap;
use wss_collector::wire::{BoxIo, tls as session};
use wss_diagnosis::configuration::{self, Program, Request};
use wss_diagnosis::diagnose;
use wss_diagnosis::signature::{Response, Signatures};
use wss_report::{self as report, Case};

/// A way in.
pub type Entry = fn(&[u8]);

/// Every way in, by name: that of its program in `fuzz_targets/` and of its
/// folder in `corpus/`.
pub const ALL: [(&str, Entry); 26] = [
    ("bundle", bundle),
    ("har", har),
    ("console", console),
    ("pac", pac),
    ("pac_file", pac_file),
    ("curl_output", curl_output),
    ("http_head", http_head),
    ("dns", dns),
    ("tls", tls),
    ("nginx", nginx),
    ("haproxy", haproxy),
    ("apache", apache),
    ("caddy", caddy),
    ("aws", aws),
    ("envoy", envoy),
    ("varnish", varnish),
    ("caddy_json", caddy_json),
    ("kubernetes", kubernetes),
    ("gcp", gcp),
    ("azure", azure),
    ("netscaler", netscaler),
    ("f5", f5),
    ("iis", iis),
    ("traefik", traefik),
    ("signatures", signatures),
    ("report", report),
];

const GOOD: &[u8] = include_bytes!("../../tests/golden/demo/inside.zip");

/// A bundle of a real collection, with one observation of each kind: what the
/// others would add is time.
fn good() -> &'static Bundle {
    static GOOD_BUNDLE: OnceLock<Bundle> = OnceLock::new();
    GOOD_BUNDLE.get_or_init(|| {
        let opened = read::bytes(GOOD, Path::new("good.zip"), &Limits::default());
        let mut bundle = opened.expect("it is good").bundle;
        let mut known = BTreeSet::new();
        bundle.observations.observations.retain(|seen| {
            let step = serde_json::to_value(&seen.step).expect("it is data");
            let kind = step.as_object().and_then(|map| map.keys().next().cloned());
            known.insert((kind, seen.step.failure().is_some()))
        });
        let mut known = BTreeSet::new();
        let kind = |name: &str| name.split([' ', ',']).next().unwrap_or_default().to_owned();
        bundle.manifest.steps.retain(|step| known.insert(kind(&step.name)));
        bundle
    })
}

/// Its entries, as they stand in a zip.
fn good_entries() -> &'static Vec<(String, Vec<u8>)> {
    static ENTRIES: OnceLock<Vec<(String, Vec<u8>)>> = OnceLock::new();
    ENTRIES.get_or_init(|| {
        let bundle = Redactor::new().bundle(good().clone());
        let small = write::bytes(&bundle).expect("in memory");
        let mut zip = zip::ZipArchive::new(Cursor::new(small)).expect("it is good");
        (0..zip.len())
            .map(|at| {
                let mut file = zip.by_index(at).expect("it is good");
                let mut content = Vec::new();
                std::io::Read::read_to_end(&mut file, &mut content).expect("it is good");
                (file.name().expect("it has a name").into_owned(), content)
            })
            .filter(|(name, _)| name.ends_with(".json"))
            .collect()
    })
}

/// Small, so that a limit is reached before the fuzzer's own.
fn limits() -> Limits {
    Limits {
        entry_bytes: 4 << 20,
        total_bytes: 8 << 20,
        time: Duration::from_secs(5),
        ..Limits::default()
    }
}

/// A zip (`Z` and its bytes), or one of a bundle's JSON entries with this content
/// (`0` to `9`, and the content): read by both readers, judged, and shown.
pub fn bundle(data: &[u8]) {
    let Some((&kind, rest)) = data.split_first() else { return };
    let entries = good_entries();
    let zip = match kind {
        b'0'..=b'9' => {
            let at = usize::from(kind - b'0') % entries.len();
            let mut zip = zip::ZipWriter::new(Cursor::new(Vec::new()));
            let options = zip::write::SimpleFileOptions::default()
                .compression_method(zip::CompressionMethod::Stored);
            for (number, (name, content)) in entries.iter().enumerate() {
                let content = if number == at { rest } else { content };
                zip.start_file(name.as_str(), options).expect("in memory");
                zip.write_all(content).expect("in memory");
            }
            zip.finish().expect("in memory").into_inner()
        }
        _ => rest.to_vec(),
    };
    let name = Path::new("fuzz.zip");
    let _ = Reader::default().read(&zip, name, |_| true);
    if let Ok(opened) = read::bytes(&zip, name, &limits()) {
        let bundles = [opened.bundle];
        let diagnosis = diagnose(&bundles);
        if kind != b'Z' {
            show(&diagnosis, &bundles);
        }
    }
}

fn target() -> Target {
    Target {
        scheme: Scheme::Https,
        host: "b.example".to_owned(),
        port: 443,
        paths: vec!["/v1/ws".to_owned()],
    }
}

/// What somebody pasted of a browser's console, and the verdict beside it.
pub fn console(data: &[u8]) {
    let text = String::from_utf8_lossy(data);
    let messages = wss_diagnosis::console::read(&text);
    assert!(messages.len() <= 40, "{} messages", messages.len());
    for message in &messages {
        assert!(message.text.chars().count() <= 600, "{}", message.text);
    }
    let mut bundle = good().clone();
    bundle.manifest.answers.browser_message = Some(text.into_owned());
    let _ = diagnose(&[bundle]);
}

/// A HAR; what is kept of it is shown in a report.
pub fn har(data: &[u8]) {
    if let Ok(har) = wss_handed::har::read(data, "f.har", "f.har", &target()) {
        let _ = wss_handed::har::sockets(&har.seen);
        let mut bundle = good().clone();
        bundle.observations.browser = wss_handed::har::numbered(har.seen.iter());
        bundle.attachments = vec![har.attachment];
        let _ = diagnose(std::slice::from_ref(Redactor::new().bundle(bundle).get()));
    }
}

/// What `FindProxyForURL` returned.
pub fn pac(data: &[u8]) {
    let text = String::from_utf8_lossy(data);
    let said = proxy_script::understand(&text);
    assert!(!said.hops.is_empty(), "nothing is DIRECT");
    assert!(!said.text.chars().any(char::is_control), "{:?}", said.text);
}

/// A PAC file, from bytes over the script to what its answer means. Within the limits of
/// memory and time that the collector has; its process, which is ended where QuickJS cannot
/// be interrupted, is not here.
pub fn pac_file(data: &[u8]) {
    let script =
        proxy_script::script(data, data.last().is_some_and(|b| b % 2 == 0).then_some("utf-8"));
    let _ = proxy_script::load::data(&format!("data:application/x-ns-proxy-autoconfig,{script}"));
    let job = Job {
        script,
        questions: vec![("wss://b.example/".to_owned(), "b.example".to_owned())],
        my_address: [10, 1, 2, 3].into(),
        now: Now { local: "2026-11-21T10:00:00+01:00".parse().expect("it is a time") },
        limit: Duration::from_millis(100),
    };
    let addresses = |name: &str| match name {
        "b.example" => vec![[10, 0, 0, 7].into(), "2001:db8::1".parse().expect("it is an address")],
        _ => Vec::new(),
    };
    match engine::run(&job, addresses) {
        Ok(answers) => answers.iter().for_each(|answer| pac(answer.as_bytes())),
        Err(why) => assert!(!why.is_empty() && !why.chars().any(char::is_control), "{why:?}"),
    }
}

fn attached(kind: AttachmentKind, data: &[u8]) -> Bundle {
    let mut bundle = good().clone();
    bundle.attachments = vec![Attachment {
        name: "given.txt".to_owned(),
        kind,
        vantage: None,
        path: Some("/etc/given.conf".to_owned()),
        bytes: data.to_vec(),
    }];
    bundle
}

/// curl's output as somebody pasted it: cleaned, taken apart, judged, masked.
pub fn curl_output(data: &[u8]) {
    let text = pasted::text(data);
    assert_eq!(pasted::text(text.as_bytes()), text, "what is clean is cleaned again");
    let whole: Vec<&str> = text.lines().collect();
    for line in pasted::lines(&text) {
        let whole = whole[line.number - 1];
        assert_eq!(whole.get(line.start..line.start + line.text.len()), Some(line.text));
    }
    let letters = pasted::curl::text(data);
    assert_eq!(pasted::curl::text(letters.as_bytes()), letters, "a dump is undone again");
    let _ = pasted::curl::read(&letters);
    let plain = attached(AttachmentKind::CurlOutput, data);
    let _ = wss_diagnosis::curl_output::all(std::slice::from_ref(&plain));
    let redacted = Redactor::new().bundle(plain);
    let _ = wss_diagnosis::curl_output::all(std::slice::from_ref(redacted.get()));
}

thread_local! {
    static RUNTIME: RefCell<tokio::runtime::Runtime> = RefCell::new(
        tokio::runtime::Builder::new_current_thread().enable_time().build().expect("a runtime"),
    );
}

/// A response by HTTP/1.x: heads, interim ones, and the body.
pub fn http_head(data: &[u8]) {
    RUNTIME.with_borrow(|runtime| {
        runtime.block_on(async {
            let (near, mut far) = tokio::io::duplex(1 << 21);
            far.write_all(data).await.expect("there is room");
            let sending = tokio::io::AsyncWriteExt::shutdown(&mut far);
            sending.await.expect("in memory");
            let mut stream = Tap::new(Box::new(near) as BoxIo, false);
            let how = Exchange {
                body_until: tokio::time::Instant::now() + Duration::from_secs(1),
                watch_end: Duration::ZERO,
                connect: data.len() % 2 == 1,
            };
            if let Ok(answer) = http1::exchange(&mut stream, b"GET / HTTP/1.1\r\n\r\n", how).await {
                judge(&answer.reply.head, &answer.reply.body.bytes.text());
            }
        });
    });
    judge(&ResponseHead::new(data.to_vec()), "");
}

/// What devices are told by.
fn judge(head: &ResponseHead, body: &str) {
    let _ = (head.status(), head.version(), head.headers(), head.has_token("connection", "x"));
    let _ = Signatures::built_in().match_response(&Response { status: None, head, body });
}

/// An answer of a name server.
pub fn dns(data: &[u8]) {
    if let Ok(resolved) = lookup::answer(data) {
        assert!(resolved.records.len() <= 128 && resolved.addresses.len() <= 128);
        for record in &resolved.records {
            let _ = Signatures::built_in().match_cname(&record.data);
        }
    }
}

/// A certificate.
pub fn tls(data: &[u8]) {
    let certificate = session::summarise(data);
    let _ = Signatures::built_in().match_certificate(&[certificate]);
}

fn configured(data: &[u8]) {
    let text = String::from_utf8_lossy(data);
    let _ = configuration::program(&text);
    let _ = configuration::includes(&text);
    let request =
        Request { host: "b.example", port: 443, tls: true, path: "/v1/ws", version: None };
    let bundle = attached(AttachmentKind::Configuration, data);
    let version = |_: Program| Some((1, 22, 1));
    let _ = configuration::check(&bundle.attachments, &request, version);
    let redacted = Redactor::new().bundle(bundle);
    let _ = configuration::check(&redacted.get().attachments, &request, |_| None);
}

/// A configuration of nginx's.
pub fn nginx(data: &[u8]) {
    configured(data);
}

/// A configuration of HAProxy's.
pub fn haproxy(data: &[u8]) {
    configured(data);
}

/// A configuration of Apache's.
pub fn apache(data: &[u8]) {
    configured(data);
}

/// A Caddyfile.
pub fn caddy(data: &[u8]) {
    configured(data);
}

/// What AWS' command line prints.
pub fn aws(data: &[u8]) {
    configured(data);
}

/// Envoy's file, or what it prints.
pub fn envoy(data: &[u8]) {
    configured(data);
}

/// A VCL.
pub fn varnish(data: &[u8]) {
    configured(data);
}

/// Caddy's JSON.
pub fn caddy_json(data: &[u8]) {
    configured(data);
}

/// Objects of Kubernetes.
pub fn kubernetes(data: &[u8]) {
    configured(data);
}

/// What gcloud prints.
pub fn gcp(data: &[u8]) {
    configured(data);
}

/// What az prints.
pub fn azure(data: &[u8]) {
    configured(data);
}

/// Traefik's YAML, and labels.
pub fn traefik(data: &[u8]) {
    configured(data);
}

/// IIS' XML.
pub fn iis(data: &[u8]) {
    configured(data);
}

/// What `tmsh list ltm` prints.
pub fn f5(data: &[u8]) {
    configured(data);
}

/// A NetScaler's ns.conf.
pub fn netscaler(data: &[u8]) {
    configured(data);
}

/// A signature (what stands before the first NUL), asked about a response
/// (what stands behind it).
pub fn signatures(data: &[u8]) {
    let (text, response) = match data.iter().position(|byte| *byte == 0) {
        Some(at) => (&data[..at], &data[at + 1..]),
        None => (data, &data[..0]),
    };
    let text = String::from_utf8_lossy(text);
    let head = ResponseHead::new(response.to_vec());
    match Signatures::with_extra(&[("fuzz.toml", &text)]) {
        Ok(all) => {
            let _ = all.match_response(&Response { status: None, head: &head, body: "" });
            let _ = all.match_cname(&head.status_line());
        }
        Err(error) => assert!(error.starts_with("fuzz.toml: "), "{error}"),
    }
}

/// Text (behind two bytes that say where) in place of one of a bundle's strings,
/// in the page and in the draft reply.
pub fn report(data: &[u8]) {
    static STRINGS: OnceLock<(serde_json::Value, Vec<String>)> = OnceLock::new();
    let Some((place, payload)) = data.split_first_chunk::<2>() else { return };
    let bundle = good();
    let (whole, strings) = STRINGS.get_or_init(|| {
        let value = serde_json::json!({
            "manifest": bundle.manifest,
            "observations": bundle.observations,
            "environment": bundle.environment,
        });
        let mut found = Vec::new();
        places(&value, String::new(), &mut found);
        (value, found)
    });
    let payload = String::from_utf8_lossy(payload);
    let mut value = whole.clone();
    let at = usize::from(u16::from_be_bytes(*place)) % strings.len();
    if let Some(slot) = value.pointer_mut(&strings[at]) {
        *slot = serde_json::Value::String(payload.into_owned());
    }
    let mut bundle = bundle.clone();
    let part = |name: &str| value.get(name).cloned().unwrap_or_default();
    let (Ok(manifest), Ok(observations), Ok(environment)) = (
        serde_json::from_value(part("manifest")),
        serde_json::from_value(part("observations")),
        serde_json::from_value(part("environment")),
    ) else {
        return;
    };
    (bundle.manifest, bundle.observations, bundle.environment) =
        (manifest, observations, environment);
    let bundles = [bundle];
    show(&diagnose(&bundles), &bundles);
}

/// Renders, and holds to what may be in a page.
fn show(diagnosis: &wss_diagnosis::Diagnosis, bundles: &[Bundle]) {
    let case = Case::new(diagnosis, bundles);
    let page = report::html::render(&case).expect("templates fit");
    assert_eq!(page.matches("<script").count(), 1, "markup came in");
    assert_eq!(page.matches("<style").count(), 1, "markup came in");
    let bad = |c: char| (c.is_control() && c != '\n' && c != '\t') || bidi(c);
    assert!(!page.contains(bad), "a control character is in the page");
    let reply = report::markdown::render(&case);
    assert!(!reply.contains(bad), "a control character is in the reply");
}

fn bidi(c: char) -> bool {
    matches!(c, '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}')
}

fn places(value: &serde_json::Value, at: String, found: &mut Vec<String>) {
    use serde_json::Value;
    match value {
        Value::String(_) => found.push(at),
        Value::Array(all) => {
            all.iter().enumerate().for_each(|(n, one)| places(one, format!("{at}/{n}"), found));
        }
        Value::Object(all) => {
            all.iter().for_each(|(key, one)| {
                let key = key.replace('~', "~0").replace('/', "~1");
                places(one, format!("{at}/{key}"), found);
            });
        }
        _ => {}
    }
}
