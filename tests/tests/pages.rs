//! The report in a real Chromium: quiet, asking for nothing, fitting every
//! width, readable for everybody, whole on paper; and harmless whatever is in
//! the bundles.
#![allow(clippy::unwrap_used, clippy::expect_used, reason = "a test may panic")]

use serde_json::Value;
use std::collections::BTreeSet;
use std::path::{Path, PathBuf};
use std::process::Command;
use wss_bundle::Bundle;
use wss_diagnosis::diagnose;
use wss_lab::browser::{Browser, View};
use wss_lab::scenario;
use wss_report::{Case, html, markdown};

/// Cases that look different from each other.
const SCENARIOS: [&str; 10] = [
    "demo",
    "healthy",
    "nginx-bare",
    "nginx-idle-timeout",
    "nginx-502",
    "auth-required",
    "certificate-expired",
    "squid-407",
    "refused",
    "h2-extended-connect-fails",
];

fn folder(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("scenarios").join(name)
}

fn page(bundles: &[Bundle]) -> String {
    html::render(&Case::new(&diagnose(bundles), bundles)).unwrap()
}

/// axe-core, which `tests/run` fetches; the tests do not go without it.
fn axe() -> String {
    let file = Path::new(env!("CARGO_MANIFEST_DIR")).join("../target/axe/package/axe.min.js");
    std::fs::read_to_string(&file)
        .unwrap_or_else(|error| panic!("{}: {error}: ./tests/run fetches it", file.display()))
}

const AXE: &str = "axe.run(document, { resultTypes: ['violations'] }).then(r => \
    r.violations.map(v => v.id + ': ' + v.nodes.slice(0, 3).map(n => n.html.slice(0, 160)).join(' | ')))";

const WIDER_THAN_THE_VIEW: &str =
    "document.documentElement.scrollWidth - document.documentElement.clientWidth";

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn every_kind_of_case_is_a_good_page() {
    let axe = axe();
    let work = tempfile::tempdir().unwrap();
    let mut browser = Browser::start().await.unwrap();
    let mut wrong: Vec<String> = Vec::new();
    for name in SCENARIOS {
        let outcome = scenario::run(&folder(name)).await.unwrap();
        let text = page(&outcome.bundles);
        assert!(text.len() < 300_000, "{name}: {} bytes", text.len());
        let file = work.path().join(format!("{name}.html"));
        std::fs::write(&file, &text).unwrap();
        let mut complain = |what: String| wrong.push(format!("{name}: {what}"));
        for problem in structure(&text) {
            complain(problem);
        }
        for (width, height) in [(1366, 768), (320, 640), (768, 1024), (1440, 900), (3840, 2160)] {
            let view = View { width, height, dark: false };
            browser.open(&file, view).await.unwrap();
            for complaint in browser.complaints().await.unwrap() {
                complain(complaint);
            }
            let wider = browser.evaluate(WIDER_THAN_THE_VIEW).await.unwrap();
            if wider != 0 {
                complain(format!("{wider} px wider than {width}"));
            }
        }
        for dark in [false, true] {
            browser.open(&file, View { width: 1366, height: 768, dark }).await.unwrap();
            if !dark {
                for part in ["verdict", "path", "next", "checklist"] {
                    let top =
                        format!("document.getElementById('{part}').getBoundingClientRect().top");
                    let top = browser.evaluate(&top).await.unwrap();
                    if top.as_f64().is_none_or(|top| top > 700.0) {
                        complain(format!("{part} begins at {top} px, below the first screen"));
                    }
                }
            }
            browser.evaluate(&axe).await.unwrap();
            // Folded parts count, too.
            let unfold = "document.querySelectorAll('details').forEach(d => { d.open = true })";
            browser.evaluate(unfold).await.unwrap();
            let violations = browser.evaluate(AXE).await.unwrap();
            for violation in violations.as_array().unwrap() {
                complain(format!("axe, {}: {violation}", if dark { "dark" } else { "light" }));
            }
        }
        let paper = work.path().join(format!("{name}.pdf"));
        std::fs::write(&paper, browser.print().await.unwrap()).unwrap();
        for missing in missing_on_paper(&text, &paper) {
            complain(format!("not on paper: {missing}"));
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

/// Headings of the page that its PDF lacks.
fn missing_on_paper(page: &str, file: &Path) -> Vec<String> {
    let output = Command::new("pdftotext").arg(file).arg("-").output();
    let output = output.expect("pdftotext is needed: apt-get install poppler-utils");
    // Lines break where they must, on paper.
    let joined = |text: &str| text.split_whitespace().collect::<Vec<_>>().join(" ");
    let text = joined(&String::from_utf8_lossy(&output.stdout));
    let headings: Vec<String> = page
        .split("<h2")
        .skip(1)
        .filter_map(|rest| Some(rest.split_once('>')?.1.split('<').next()?.trim().to_owned()))
        .collect();
    assert!(headings.len() > 12, "{headings:?}");
    headings.into_iter().filter(|heading| !text.contains(&joined(heading))).collect()
}

/// Ids are unique, and every link within the page leads somewhere.
fn structure(page: &str) -> Vec<String> {
    let values = |attribute: &str| -> Vec<String> {
        page.split(&format!(" {attribute}=\""))
            .skip(1)
            .filter_map(|rest| Some(rest.split_once('"')?.0.to_owned()))
            .collect()
    };
    let ids = values("id");
    let unique: BTreeSet<&String> = ids.iter().collect();
    let mut out = Vec::new();
    if unique.len() != ids.len() {
        out.push("an id stands twice".to_owned());
    }
    for link in values("href") {
        let leads = link.strip_prefix('#').is_some_and(|id| unique.contains(&id.to_owned()));
        if !leads && link != "data:," {
            out.push(format!("the link {link} leads nowhere"));
        }
    }
    out
}

/// What would do harm, were it not text.
const HOSTILE: [&str; 7] = [
    "<script>document.title='pwned'</script>",
    "\"><img src=x onerror=\"document.title='pwned'\">",
    "{{{raw}}} {{#each x}} {{> verdict}}",
    "javascript:document.title='pwned'",
    "</style></details></main><style>*{display:none}</style><!--",
    "\u{202e}gpj.exe\u{200b}\u{7}\u{1b}[2J\u{0}",
    "' onfocus='document.title=1' autofocus x='",
];

/// Puts `text` into every string of a value, where what comes out can still be read.
fn poison<T: serde::Serialize + serde::de::DeserializeOwned>(value: &T, text: &str) -> T {
    let mut json = serde_json::to_value(value).unwrap();
    let mut places = Vec::new();
    pointers(&json, String::new(), &mut places);
    for place in places {
        let slot = json.pointer_mut(&place).unwrap();
        let before = std::mem::replace(slot, Value::String(text.to_owned()));
        if serde_json::from_value::<T>(json.clone()).is_err() {
            *json.pointer_mut(&place).unwrap() = before;
        }
    }
    serde_json::from_value(json).unwrap()
}

fn pointers(value: &Value, at: String, out: &mut Vec<String>) {
    match value {
        Value::String(_) => out.push(at),
        Value::Array(items) => {
            for (number, item) in items.iter().enumerate() {
                pointers(item, format!("{at}/{number}"), out);
            }
        }
        Value::Object(fields) => {
            for (name, item) in fields {
                pointers(item, format!("{at}/{}", name.replace('~', "~0").replace('/', "~1")), out);
            }
        }
        _ => {}
    }
}

/// The names by which the diagnosis finds its way stay; everything else is hostile.
fn poisoned(bundle: &Bundle, text: &str) -> Bundle {
    let mut out = bundle.clone();
    out.environment = poison(&bundle.environment, text);
    out.manifest.answers = poison(&bundle.manifest.answers, text);
    out.manifest.answers.network_path = Some(text.to_owned());
    out.manifest.answers.load_balancer = Some(text.to_owned());
    out.manifest.case = text.to_owned();
    out.manifest.collector = poison(&bundle.manifest.collector, text);
    for step in &mut out.manifest.steps {
        step.name = text.to_owned();
        step.why = Some(text.to_owned());
    }
    for observation in &mut out.observations.observations {
        observation.step = poison(&observation.step, text);
    }
    out.defects.push(wss_bundle::Defect {
        entry: Some(text.to_owned()),
        kind: text.to_owned(),
        detail: text.to_owned(),
        offset: None,
    });
    out.redactions.push(wss_bundle::Redaction {
        entry: text.to_owned(),
        place: text.to_owned(),
        kind: text.to_owned(),
        count: 1,
    });
    out
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn hostile_text_stays_text() {
    let work = tempfile::tempdir().unwrap();
    let outcome = scenario::run(&folder("demo")).await.unwrap();
    let mut browser = Browser::start().await.unwrap();
    let view = View { width: 320, height: 640, dark: false };
    let file = work.path().join("page.html");
    std::fs::write(&file, page(&outcome.bundles)).unwrap();
    browser.open(&file, view).await.unwrap();
    let count =
        "[...document.querySelectorAll('script, style, img, iframe, link, form, object')].length";
    let usual = browser.evaluate(count).await.unwrap();
    let long = "🦀<b>".repeat(250_000);
    for text in HOSTILE.into_iter().chain([long.as_str()]) {
        let shown: String = text.chars().take(40).collect();
        let bundles: Vec<Bundle> = if text.len() > 1000 {
            // One field at a time would take an hour: the ones that are shown most.
            let mut bundles = outcome.bundles.clone();
            bundles[0].manifest.case = text.to_owned();
            bundles[0].manifest.answers.network_path = Some(text.to_owned());
            bundles[0].environment.hints.push(text.to_owned());
            bundles
        } else {
            outcome.bundles.iter().map(|bundle| poisoned(bundle, text)).collect()
        };
        let page = page(&bundles);
        std::fs::write(&file, &page).unwrap();
        browser.open(&file, view).await.unwrap();
        assert_eq!(browser.complaints().await.unwrap(), Vec::<String>::new(), "{shown}");
        assert_eq!(browser.evaluate(count).await.unwrap(), usual, "{shown}");
        let title = browser.evaluate("document.title").await.unwrap();
        // A script that ran would have changed it.
        assert!(title.as_str().unwrap().contains("https://"), "{title}");
        let handlers = "document.querySelectorAll('[onerror], [onfocus], [autofocus]').length";
        assert_eq!(browser.evaluate(handlers).await.unwrap(), 0, "{shown}");
        let links = "[...document.querySelectorAll('a')].filter(a => !a.getAttribute('href').startsWith('#')).length";
        assert_eq!(browser.evaluate(links).await.unwrap(), 0, "{shown}");
        let wider = browser.evaluate(WIDER_THAN_THE_VIEW).await.unwrap();
        assert_eq!(wider, 0, "{shown}: wider than the view");
        let reply = markdown::render(&Case::new(&diagnose(&bundles), &bundles));
        assert!(!reply.contains("\n<script") && !reply.contains('\u{202e}'), "{shown}:\n{reply}");
    }
}
