//! The page that judges in the browser (`packaging/page`), in a real Chromium and a real
//! Firefox, used as a person uses it: files are dropped, texts are pasted, what it draws
//! is read. It must say what the analyzer says, ask nobody for anything, and bear
//! whatever it is handed.
#![allow(clippy::unwrap_used, clippy::expect_used, reason = "a test may panic")]
#![allow(clippy::print_stdout, reason = "what was measured")]

use base64::Engine as _;
use serde_json::{Value, json};
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};
use wss_bundle::read::{self, Limits};
use wss_bundle::{Bundle, Vantage};
use wss_diagnosis::diagnose;
use wss_lab::browser::{Browser, View};
use wss_lab::field;
use wss_lab::firefox::Firefox;
use wss_lab::lab::config::{CutBy, CutConfig, HopUpgrade, LbConfig, OriginConfig, TlsConfig};
use wss_lab::lab::{Lab, LabConfig};
use wss_report::{Case, html, json as report_json, markdown};

const DAY: View = View { width: 1366, height: 900, dark: false };
const NIGHT: View = View { width: 1366, height: 900, dark: true };

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).to_owned()
}

/// The page, which `tests/run` builds; the tests do not go without it.
fn built() -> PathBuf {
    let page = root().join("../target/page/wss-report.html");
    assert!(page.is_file(), "{}: ./tests/run page builds it", page.display());
    page.canonicalize().unwrap()
}

/// A browser with the page in it.
enum Tab {
    Chromium(Box<Browser>),
    Firefox(Box<Firefox>),
}

impl Tab {
    async fn each(view: View) -> [Self; 2] {
        [
            Self::Chromium(Box::new(Browser::start().await.unwrap())),
            Self::Firefox(Box::new(Firefox::start(view).await.unwrap())),
        ]
    }

    fn name(&self) -> &'static str {
        match self {
            Self::Chromium(_) => "Chromium",
            Self::Firefox(_) => "Firefox",
        }
    }

    /// Opens the page anew.
    async fn open(&mut self, url: &str) {
        match self {
            Self::Chromium(browser) => browser.open_url(url, DAY).await.unwrap(),
            Self::Firefox(browser) => browser.open(url).await.unwrap(),
        }
        self.until("document.body.dataset.ready !== undefined").await;
    }

    /// Away from the page: a hash alone would not load it anew.
    async fn blank(&mut self) {
        match self {
            Self::Chromium(browser) => browser.open_url("about:blank", DAY).await.unwrap(),
            Self::Firefox(browser) => browser.open("about:blank").await.unwrap(),
        }
    }

    async fn evaluate(&mut self, expression: &str) -> Value {
        let value = match self {
            Self::Chromium(browser) => browser.evaluate(expression).await,
            Self::Firefox(browser) => browser.evaluate(expression).await,
        };
        value.unwrap_or_else(|error| panic!("{}: {expression:.200}: {error:.2000}", self.name()))
    }

    async fn until(&mut self, condition: &str) {
        let began = Instant::now();
        while self.evaluate(condition).await != true {
            assert!(began.elapsed() < Duration::from_secs(60), "{}: {condition}", self.name());
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    }

    async fn complaints(&mut self) -> Vec<String> {
        match self {
            Self::Chromium(browser) => browser.complaints().await.unwrap(),
            Self::Firefox(browser) => browser.complaints().await.unwrap(),
        }
    }

    /// Drops files, and waits until they are judged; says what the page says.
    async fn drop(&mut self, files: &[(&str, &[u8], &str)]) -> Value {
        let encode = |bytes: &[u8]| base64::engine::general_purpose::STANDARD.encode(bytes);
        let files: Vec<Value> = files
            .iter()
            .map(|(name, bytes, role)| json!({ "name": name, "data": encode(bytes), "role": role }))
            .collect();
        self.evaluate(&DROP.replace("FILES", &json!(files).to_string())).await;
        self.until("document.body.dataset.judged !== undefined && document.getElementById('working').hidden").await;
        self.evaluate(SAYS).await
    }

    /// Takes everything back.
    async fn clear(&mut self) {
        self.evaluate(CLEAR).await;
        self.until("document.body.dataset.judged === undefined").await;
    }
}

/// A real event with real files; what a person would choose in the lists is chosen.
const DROP: &str = "(() => {
    const files = FILES, data = new DataTransfer();
    delete document.body.dataset.judged;
    for (const { name, data: text } of files) {
        const bytes = Uint8Array.from(atob(text), (c) => c.charCodeAt(0));
        data.items.add(new File([bytes], name));
    }
    document.getElementById('drop').dispatchEvent(new DragEvent('drop', { dataTransfer: data, bubbles: true, cancelable: true }));
    const rows = document.querySelectorAll('#items select');
    const before = rows.length - files.length;
    files.forEach(({ role }, at) => {
        if (role === 'any') return;
        const list = document.querySelectorAll('#items select')[before + at];
        list.value = role;
        list.dispatchEvent(new Event('change'));
    });
})()";
const SAYS: &str = "({
    judged: document.body.dataset.judged,
    status: document.getElementById('status').textContent,
    items: [...document.querySelectorAll('#items > li')].map((row) => ({ kind: row.className, text: row.textContent })),
    said: document.getElementById('said').textContent,
    reply: document.getElementById('reply').textContent,
    checklist: [...document.querySelectorAll('#checklist > li')].map((row) => row.dataset.item + ': ' + row.dataset.status),
    report: document.getElementById('result').hidden ? null : window.lastReport,
})";
const CLEAR: &str = "(() => {
    for (const box of document.querySelectorAll('#work textarea, #work input[type=text]')) box.value = '';
    for (const button of [...document.querySelectorAll('#items button')].reverse()) button.click();
    document.getElementById('target').dispatchEvent(new Event('input', { bubbles: true }));
})()";

fn address() -> String {
    format!("file://{}", built().display())
}

/// The zips of a recorded case, in the order of their names.
fn zips(folder: &Path) -> Vec<(String, Vec<u8>)> {
    let mut zips: Vec<PathBuf> = std::fs::read_dir(folder)
        .unwrap()
        .map(|entry| entry.unwrap().path())
        .filter(|path| path.extension().is_some_and(|end| end == "zip"))
        .collect();
    zips.sort();
    let name = |path: &PathBuf| path.file_name().unwrap().to_str().unwrap().to_owned();
    zips.iter().map(|path| (name(path), std::fs::read(path).unwrap())).collect()
}

fn bundles(files: &[(String, Vec<u8>)]) -> Vec<Bundle> {
    let limits = Limits::default();
    files
        .iter()
        .map(|(name, bytes)| read::bytes(bytes, Path::new(name), &limits).unwrap().bundle)
        .collect()
}

fn given(files: &[(String, Vec<u8>)]) -> Vec<(&str, &[u8], &'static str)> {
    files.iter().map(|(name, bytes)| (name.as_str(), bytes.as_slice(), "any")).collect()
}

/// What `wss-analyzer report` makes of the same, byte for byte.
async fn golden(tab: &mut Tab, from: &str) {
    let cases = wss_lab::scenario::all(&root().join("golden")).unwrap();
    assert!(cases.len() > 20, "{cases:?}");
    tab.open(from).await;
    let mut took = Vec::new();
    for folder in cases {
        let files = zips(&folder);
        let bundles = bundles(&files);
        let diagnosis = diagnose(&bundles);
        let case = Case::new(&diagnosis, &bundles);
        let says = tab.drop(&given(&files)).await;
        let what = format!("{}, {}", tab.name(), folder.display());
        assert_eq!(says["report"]["html"], html::render(&case).unwrap(), "{what}");
        assert_eq!(says["report"]["json"], report_json(&diagnosis).unwrap(), "{what}");
        assert_eq!(says["report"]["markdown"], markdown::render(&case), "{what}");
        assert_eq!(says["reply"], says["report"]["markdown"], "{what}");
        assert_eq!(says["said"], diagnosis.verdict.summary.replace('`', ""), "{what}");
        let all: Vec<&str> =
            says["checklist"].as_array().unwrap().iter().map(|v| v.as_str().unwrap()).collect();
        let expected: Vec<String> = diagnosis
            .checklist
            .iter()
            .map(|item| format!("{}: {}", item.item, json!(item.status).as_str().unwrap()))
            .collect();
        assert_eq!(all, expected, "{what}");
        for item in says["items"].as_array().unwrap() {
            assert!(
                item["text"].as_str().unwrap().contains("every checksum is right"),
                "{what}: {item}"
            );
        }
        took.push(tab.evaluate("Number(document.body.dataset.took)").await.as_f64().unwrap());
        if let Tab::Firefox(firefox) = tab {
            let title =
                "document.readyState === 'complete' && document.querySelector('h1').textContent";
            let mut drawn = Value::Null;
            for _ in 0..100 {
                drawn = firefox.evaluate_in_frame(title).await.unwrap_or_default();
                if drawn.is_string() {
                    break;
                }
                tokio::time::sleep(Duration::from_millis(20)).await;
            }
            let words = |text: &str| text.split_whitespace().collect::<Vec<_>>().join(" ");
            assert!(
                words(drawn.as_str().unwrap()).contains(&words(&diagnosis.verdict.summary)[..20]),
                "{what}: {drawn}"
            );
        }
        assert_eq!(tab.complaints().await, Vec::<String>::new(), "{what}");
        tab.clear().await;
    }
    took.sort_by(f64::total_cmp);
    let ready = tab.evaluate("document.getElementById('ready').textContent").await;
    println!(
        "{}: {ready} judged and drawn in {} ms (median), {} ms (most)",
        tab.name(),
        took[took.len() / 2],
        took[took.len() - 1]
    );
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
#[ignore = "./tests/run page builds the page"]
async fn recorded_cases_give_the_analyzers_report_in_chromium() {
    let [mut tab, _] = Tab::each(DAY).await;
    golden(&mut tab, &address()).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
#[ignore = "./tests/run page builds the page"]
async fn recorded_cases_give_the_analyzers_report_in_firefox() {
    let [_, mut tab] = Tab::each(DAY).await;
    golden(&mut tab, &address()).await;
}

/// From a server of a help site's: the same, and no request after the page's own.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
#[ignore = "./tests/run page builds the page"]
async fn from_a_server_it_asks_for_nothing_but_itself() {
    let page = std::fs::read(built()).unwrap();
    let server = wss_lab::page::serve(page).await.unwrap();
    let files = zips(&root().join("golden/demo"));
    let diagnosis = diagnose(&bundles(&files));
    for mut tab in Tab::each(DAY).await {
        let before = server.requests();
        tab.open(&format!("http://{}/wss-report.html", server.addr())).await;
        let says = tab.drop(&given(&files)).await;
        assert_eq!(says["report"]["json"], report_json(&diagnosis).unwrap(), "{}", tab.name());
        let own = |complaint: &String| !complaint.ends_with("/wss-report.html");
        let complaints: Vec<String> = tab.complaints().await.into_iter().filter(own).collect();
        assert_eq!(complaints, Vec::<String>::new(), "{}", tab.name());
        assert_eq!(server.requests() - before, 1, "{}", tab.name());
    }
}

/// A policy that holds: what holds a person's files connects to nobody.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
#[ignore = "./tests/run page builds the page"]
async fn the_page_cannot_connect() {
    let page = std::fs::read(built()).unwrap();
    let server = wss_lab::page::serve(page).await.unwrap();
    for mut tab in Tab::each(DAY).await {
        tab.open(&address()).await;
        let tried = format!(
            "fetch('http://{0}/', {{ mode: 'no-cors' }}).then(() => 'connected', () => 'refused')",
            server.addr()
        );
        assert_eq!(tab.evaluate(&tried).await, "refused", "{}", tab.name());
    }
    assert_eq!(server.requests(), 0);
}

/// The options of a recorded case of `tests/field`, as files and fields.
struct Handed {
    name: String,
    files: Vec<(String, Vec<u8>, &'static str)>,
    target: String,
    fields: Vec<(&'static str, String)>,
    causes: Vec<String>,
}

fn handed() -> Vec<Handed> {
    let mut all = Vec::new();
    for case in field::Case::all(&root().join("field")).unwrap() {
        let Some((recorded, message)) = case.recorded() else { continue };
        let text = message.map(|at| recorded.message[at].text.clone());
        let work = tempfile::tempdir().unwrap();
        field::copy_of(&case, work.path()).unwrap();
        let mut one = Handed {
            name: case.name.clone(),
            files: Vec::new(),
            target: recorded.target.clone(),
            fields: Vec::new(),
            causes: case.expected_causes().to_vec(),
        };
        let mut options = recorded.options.iter();
        while let Some(option) = options.next() {
            let Some(value) = options.next() else { break };
            let value =
                if value == "TEXT" { text.clone().unwrap_or_default() } else { value.clone() };
            let read = |file: &str| std::fs::read(work.path().join(file)).unwrap_or_default();
            match option.as_str() {
                "--curl-output" => {
                    let (side, file) = value.split_once('=').unwrap();
                    let role = if side == "inside" { "curl-inside" } else { "curl-outside" };
                    one.files.push((file.to_owned(), read(file), role));
                }
                "--har" => one.files.push((value.clone(), read(&value), "har")),
                "--config" => one.files.push((value.clone(), read(&value), "configuration")),
                "--browser-message" => {
                    one.files.push(("said.txt".into(), value.into_bytes(), "console"))
                }
                "--lb" => one.fields.push(("lb", value)),
                "--network-path" => one.fields.push(("path", value)),
                _ => {}
            }
        }
        if !one.files.is_empty() {
            all.push(one);
        }
    }
    all
}

/// Cases whose verdict needs no probe: `tests/field/without-probe.txt`, a name a line. The
/// list may only get longer.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
#[ignore = "./tests/run page builds the page"]
async fn what_is_handed_over_without_a_bundle_is_judged() {
    let list = root().join("field/without-probe.txt");
    let known = std::fs::read_to_string(&list).unwrap_or_default();
    let handed = handed();
    assert!(handed.len() > 100, "{}", handed.len());
    let [mut tab, _] = Tab::each(DAY).await;
    tab.open(&address()).await;
    let (mut right, mut wrong) = (Vec::new(), Vec::new());
    for case in &handed {
        let mut set = format!("document.getElementById('target').value = {};", json!(case.target));
        for (field, value) in &case.fields {
            set.push_str(&format!("document.getElementById('{field}').value = {};", json!(value)));
        }
        tab.evaluate(&format!("(() => {{ {set} }})()")).await;
        let files: Vec<(&str, &[u8], &str)> = case
            .files
            .iter()
            .map(|(name, bytes, role)| (name.as_str(), bytes.as_slice(), *role))
            .collect();
        let says = tab.drop(&files).await;
        let judged = says["judged"].as_str().unwrap().to_owned();
        if judged == "failed" {
            wrong.push(format!("{}: {}", case.name, says["status"]));
        }
        // Whatever it is, it is told of: a verdict, or why it is of no use.
        let told = says["items"].as_array().unwrap().iter().all(|item| item["kind"] != "");
        if !told {
            wrong.push(format!("{}: not told of: {says}", case.name));
        }
        if case.causes.contains(&judged) {
            right.push(case.name.clone());
        } else if known.lines().any(|line| line == case.name) {
            wrong.push(format!("{}: {judged}, expected {:?}", case.name, case.causes));
        }
        let complaints = tab.complaints().await;
        if !complaints.is_empty() {
            wrong.push(format!("{}: {complaints:?}", case.name));
        }
        tab.clear().await;
    }
    if std::env::var_os("UPDATE_GOLDEN").is_some() {
        std::fs::write(&list, right.join("\n") + "\n").unwrap();
    }
    println!("{} of {} cases need no probe", right.len(), handed.len());
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
    assert!(!right.is_empty());
}

const FROM_INSIDE: &str = "HTTP/1.1 400 Bad Request\nServer: nginx/1.22.1\nSet-Cookie: session=Q4naryQ4naryQ4nary\nSec-Websocket-Version: 13\nContent-Type: text/plain; charset=utf-8\n\nBad Request\n";
const FROM_OUTSIDE: &str = "HTTP/1.1 101 Switching Protocols\nUpgrade: websocket\nConnection: Upgrade\nSec-WebSocket-Accept: s3pPLMBiTxaQ9kYGzzhZRbK+xOo=\n\n";

/// The page's own commands, both outputs pasted: a verdict, the checklist, and a bundle
/// that the analyzer judges alike and in which no secret is.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
#[ignore = "./tests/run page builds the page"]
async fn two_pasted_outputs_are_a_verdict_and_a_bundle() {
    for mut tab in Tab::each(DAY).await {
        tab.open(&address()).await;
        let typed = "(() => { const box = document.getElementById('target'); box.value = 'https://bindplane.corp.example/agents'; box.dispatchEvent(new Event('input', { bubbles: true })); })()";
        tab.evaluate(typed).await;
        let command = tab.evaluate("document.getElementById('curl-inside').textContent").await;
        let command = command.as_str().unwrap();
        assert!(
            command.contains(" --http1.1 ")
                && command.ends_with(" https://bindplane.corp.example/v1/ws"),
            "{command}"
        );
        let inside =
            format!("$ {command} -H 'Authorization: Bearer Q4naryQ4naryQ4nary'\n{FROM_INSIDE}");
        let outside = format!("$ {command}\n{FROM_OUTSIDE}");
        let paste = format!(
            "(() => {{ for (const [id, text] of [['paste-inside', {}], ['paste-outside', {}]]) {{ const box = document.getElementById(id); box.value = text; box.dispatchEvent(new Event('input', {{ bubbles: true }})); }} }})()",
            json!(inside),
            json!(outside)
        );
        tab.evaluate(&paste).await;
        tab.until("document.body.dataset.judged !== undefined && document.getElementById('working').hidden").await;
        let says = tab.evaluate(SAYS).await;
        let name = tab.name();
        assert!(
            ["proxy-blocks-websocket", "lb-strips-upgrade"]
                .contains(&says["judged"].as_str().unwrap()),
            "{name}: {says}"
        );
        let cause = says["judged"].clone();
        assert_eq!(says["checklist"][0], "upgrade-test: complete", "{name}: {says}");
        assert!(!says.to_string().contains("Q4nary"), "{name}");
        // Shown before it is saved.
        tab.evaluate("document.getElementById('save-bundle').click()").await;
        tab.until("!document.getElementById('bundle-box').hidden").await;
        let shown =
            tab.evaluate("document.getElementById('bundle-box').textContent").await.to_string();
        assert!(
            shown.contains("attachments/curl-output-inside.txt") && shown.contains("manifest.json"),
            "{shown}"
        );
        let saved = "(async () => { const made = URL.createObjectURL; let blob; URL.createObjectURL = (b) => { blob = b; return made.call(URL, b); }; document.getElementById('bundle-save').click(); URL.createObjectURL = made; const bytes = new Uint8Array(await blob.arrayBuffer()); let text = ''; for (const b of bytes) text += String.fromCharCode(b); return btoa(text); })()";
        let saved = tab.evaluate(saved).await;
        let zip =
            base64::engine::general_purpose::STANDARD.decode(saved.as_str().unwrap()).unwrap();
        let opened = read::bytes(&zip, Path::new("saved.zip"), &Limits::default()).unwrap();
        assert_eq!(opened.bundle.defects, []);
        assert_eq!(opened.bundle.manifest.vantage, Vantage::Inside);
        assert!(!opened.bundle.redactions.is_empty(), "{name}: nothing was removed");
        for attachment in &opened.bundle.attachments {
            assert!(!String::from_utf8_lossy(&attachment.bytes).contains("Q4nary"), "{name}");
        }
        let bundles = [opened.bundle];
        assert_eq!(json!(diagnose(&bundles).verdict.cause), cause, "{name}");
        let own = |complaint: &String| !complaint.contains("blob:");
        let complaints: Vec<String> = tab.complaints().await.into_iter().filter(own).collect();
        assert_eq!(complaints, Vec::<String>::new(), "{name}");
    }
}

/// A bundle for somebody: without the key, with a wrong one, with the right one.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
#[ignore = "./tests/run page builds the page"]
async fn an_encrypted_bundle_is_opened_with_a_pasted_key() {
    let work = tempfile::tempdir().unwrap();
    let key = work.path().join("key");
    let made = std::process::Command::new("age-keygen").arg("-o").arg(&key).output();
    assert!(made.expect("apt-get install age").status.success());
    let shown = std::process::Command::new("age-keygen").arg("-y").arg(&key).output().unwrap();
    let public = String::from_utf8(shown.stdout).unwrap().trim().to_owned();
    let files = zips(&root().join("golden/demo"));
    let to = wss_bundle::sealed::Recipients::parse(&[public]).unwrap();
    let sealed = wss_bundle::sealed::seal(&files[0].1, &to).unwrap();
    for mut tab in Tab::each(DAY).await {
        tab.open(&address()).await;
        let says = tab.drop(&[("inside.zip.age", &sealed, "any")]).await;
        assert_eq!(says["judged"], "nothing", "{says}");
        assert!(
            says["items"][0]["text"].as_str().unwrap().contains("paste the private key"),
            "{says}"
        );
        let text = std::fs::read_to_string(&key).unwrap();
        let paste = format!(
            "(() => {{ delete document.body.dataset.judged; const box = document.getElementById('identity'); box.value = {}; box.dispatchEvent(new Event('input', {{ bubbles: true }})); }})()",
            json!(text)
        );
        tab.evaluate(&paste).await;
        tab.until("document.body.dataset.judged !== undefined && document.getElementById('working').hidden").await;
        let diagnosis = diagnose(&bundles(&files[..1]));
        let says = tab.evaluate(SAYS).await;
        assert_eq!(says["report"]["json"], report_json(&diagnosis).unwrap(), "{}", tab.name());
    }
}

/// axe-core, which `tests/run` fetches; the tests do not go without it.
fn axe() -> String {
    let file = root().join("../target/axe/package/axe.min.js");
    std::fs::read_to_string(&file)
        .unwrap_or_else(|error| panic!("{}: {error}: ./tests/run fetches it", file.display()))
}

const AXE: &str = "axe.run(document, { iframes: false, resultTypes: ['violations'] }).then(r => \
    r.violations.map(v => v.id + ': ' + v.nodes.slice(0, 3).map(n => n.html.slice(0, 160)).join(' | ')))";

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
#[ignore = "./tests/run page builds the page"]
async fn it_fits_every_width_and_everybody() {
    let axe = axe();
    let files = zips(&root().join("golden/demo"));
    let mut wrong = Vec::new();
    let mut chromium = Browser::start().await.unwrap();
    for (width, dark) in [(320, false), (768, true), (1366, false), (1366, true), (3840, false)] {
        let view = View { width, height: 900, dark };
        for hash in ["", "#live=bindplane.corp.example"] {
            chromium.open_url("about:blank", view).await.unwrap();
            chromium.open_url(&format!("{}{hash}", address()), view).await.unwrap();
            let mut tab = Tab::Chromium(Box::new(chromium));
            tab.until("document.body.dataset.ready !== undefined").await;
            for full in [false, true] {
                if full && !hash.is_empty() {
                    continue;
                }
                if full {
                    tab.drop(&given(&files)).await;
                    tab.evaluate(
                        "document.querySelectorAll('details').forEach((d) => { d.open = true })",
                    )
                    .await;
                }
                let wider =
                    "document.documentElement.scrollWidth - document.documentElement.clientWidth";
                let wider = tab.evaluate(wider).await;
                let at = format!("{width} px, dark {dark}, {hash:?}, full {full}");
                if wider != 0 {
                    wrong.push(format!("{at}: {wider} px wider than the view"));
                }
                tab.evaluate(&axe).await;
                for violation in tab.evaluate(AXE).await.as_array().unwrap() {
                    wrong.push(format!("{at}: axe: {violation}"));
                }
            }
            let Tab::Chromium(browser) = tab else { unreachable!() };
            chromium = *browser;
        }
    }
    for view in [DAY, NIGHT] {
        let mut firefox = Tab::Firefox(Box::new(Firefox::start(view).await.unwrap()));
        firefox.open(&address()).await;
        firefox.drop(&given(&files)).await;
        if let Tab::Firefox(browser) = &mut firefox {
            browser.run(&axe).await.unwrap();
        }
        for violation in firefox.evaluate(AXE).await.as_array().unwrap() {
            wrong.push(format!("Firefox, dark {}: axe: {violation}", view.dark));
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

/// Everything can be reached and done by keys alone.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
#[ignore = "./tests/run page builds the page"]
async fn keys_alone_reach_everything() {
    let [mut tab, _] = Tab::each(DAY).await;
    tab.open(&address()).await;
    tab.drop(&given(&zips(&root().join("golden/demo")))).await;
    let unreachable = "[...document.querySelectorAll('#work button, #work input, #work textarea, #work select, #work summary, #work a')]
        .filter((one) => one.offsetParent !== null && (one.tabIndex < 0 || one.closest('[inert]'))).map((one) => one.outerHTML.slice(0, 80))";
    assert_eq!(tab.evaluate(unreachable).await, json!([]));
    let order = "(() => { const seen = []; for (const one of document.querySelectorAll('[tabindex]')) if (one.tabIndex > 0) seen.push(one.id); return seen; })()";
    assert_eq!(tab.evaluate(order).await, json!([]));
}

/// The live test: what the page says for each.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
#[ignore = "./tests/run page builds the page"]
async fn the_live_test_says_what_a_page_can_see() {
    let plain = OriginConfig::default();
    let healthy = LabConfig { origin: plain.clone(), ..LabConfig::default() };
    let stripped = LabConfig {
        lb: Some(LbConfig { upgrade: HopUpgrade::Strip, ..LbConfig::default() }),
        ..LabConfig::default()
    };
    let mut cut = LabConfig::default();
    cut.firewall.cut = CutConfig { idle_ms: Some(1500), by: CutBy::Reset, ..CutConfig::default() };
    let untrusted = LabConfig {
        origin: OriginConfig { tls: Some(TlsConfig::default()), ..plain },
        ..LabConfig::default()
    };
    for mut tab in Tab::each(DAY).await {
        for (what, config, opens, says) in [
            ("healthy", &healthy, true, "opens from this browser"),
            ("stripped", &stripped, false, "Requests pass and the WebSocket does not"),
            ("idle cut", &cut, true, "It was cut after"),
            ("untrusted", &untrusted, false, "Neither passes from this browser"),
        ] {
            let lab = Lab::start(config).await.unwrap();
            let scheme = lab.target().split_once("://").unwrap().0.to_owned();
            let target = format!("{scheme}://127.0.0.1:{}", lab.addr().port());
            tab.blank().await;
            tab.open(&format!(
                "{}#live={}",
                address(),
                target.replace(':', "%3A").replace('/', "%2F")
            ))
            .await;
            tab.evaluate("document.getElementById('live-start').click()").await;
            let text = "document.getElementById('live-means').textContent";
            tab.until(&format!("{text}.includes({})", json!(says))).await;
            let seen = tab.evaluate("window.lastLive").await;
            let at = format!("{}, {what}: {seen}", tab.name());
            assert_eq!(seen["opened_ms"].is_number(), opens, "{at}");
            assert_eq!(seen["closed"].is_null(), what == "healthy", "{at}");
            // The path is the console's.
            assert!(seen["url"].as_str().unwrap().ends_with("/v1/ws"), "{at}");
        }
    }
}
