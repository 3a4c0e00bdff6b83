//! Bundles from strangers, read by the real analyzer: each defect told with its
//! entry and place, within time and memory, and nothing else touched.
#![allow(clippy::unwrap_used, clippy::expect_used, reason = "a test may panic")]
#![allow(clippy::print_stdout, reason = "what was measured, and the seed")]

mod cases {
    pub(crate) mod structure;
    pub(crate) mod text;
}

use cases::{structure, text};
use serde_json::Value;
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::Mutex;
use std::time::{Duration, Instant};
use wss_analyzer::intake::reader::Reader;
use wss_bundle::read::{self, Limits};
use wss_diagnosis::diagnose;
use wss_lab::hostile::forge::{Entry, Zip};
use wss_lab::hostile::measure;

/// Each is done with in one second; twice that where the program is not optimised.
const CPU: Duration = Duration::from_secs(if cfg!(debug_assertions) { 2 } else { 1 });
/// 128 MiB.
const PEAK_KIB: u64 = 128 << 10;

/// What is expected of a bundle.
pub(crate) enum Expect {
    /// It is read, and these are among its defects: kind, entry, offset.
    Read(Vec<(&'static str, Option<String>, Option<usize>)>),
    /// It is read, and nothing is wrong with it.
    Clean,
    /// It is refused, in words that contain these.
    Refused(&'static str),
    /// Whatever: only limits hold.
    Any,
}

/// One hostile bundle.
pub(crate) struct Case {
    pub(crate) name: String,
    pub(crate) bytes: Vec<u8>,
    pub(crate) expect: Expect,
}

impl Case {
    pub(crate) fn new(name: impl Into<String>, bytes: Vec<u8>, expect: Expect) -> Self {
        Self { name: name.into(), bytes, expect }
    }
}

/// A bundle that a real collection made.
pub(crate) fn good() -> Zip {
    let file = Path::new(env!("CARGO_MANIFEST_DIR")).join("golden/demo/inside.zip");
    Zip::of(&std::fs::read(file).unwrap())
}

fn analyzer() -> PathBuf {
    let path = Path::new(env!("CARGO_BIN_EXE_wss-lab")).with_file_name("wss-analyzer");
    assert!(path.exists(), "{}: cargo build --workspace makes it", path.display());
    path
}

fn all() -> Vec<Case> {
    let cases: Vec<Case> = structure::cases().into_iter().chain(text::cases()).collect();
    assert!(cases.len() >= 60, "{} cases", cases.len());
    cases
}

/// What is in a folder, and when it was changed.
fn listing(folder: &Path) -> BTreeMap<PathBuf, u64> {
    let mut found = BTreeMap::new();
    for entry in std::fs::read_dir(folder).unwrap() {
        let entry = entry.unwrap();
        if entry.file_type().unwrap().is_dir() {
            found.extend(listing(&entry.path()));
        }
        found.insert(entry.path(), entry.metadata().unwrap().len());
    }
    found
}

/// Runs `work` over all items, on two threads; gives what each complained of.
fn on_two<T: Send>(items: Vec<T>, work: impl Fn(T) -> Result<(), String> + Sync) -> Vec<String> {
    let items = Mutex::new(items.into_iter());
    let wrong = Mutex::new(Vec::new());
    std::thread::scope(|scope| {
        for _ in 0..2 {
            scope.spawn(|| {
                loop {
                    let Some(item) = items.lock().unwrap().next() else { return };
                    if let Err(complaint) = work(item) {
                        wrong.lock().unwrap().push(complaint);
                    }
                }
            });
        }
    });
    wrong.into_inner().unwrap()
}

#[test]
fn every_hostile_bundle_is_told_within_limits() {
    let work = tempfile::tempdir().unwrap();
    let (good, cases) = (good().forge().bytes, all());
    let total = cases.len();
    let mut complaints = Vec::new();
    std::fs::write(work.path().join("good.zip"), &good).unwrap();
    let alone = measured(work.path(), &["rows", "good.zip"], &mut complaints);
    let alone = String::from_utf8(alone.output.stdout).unwrap();
    assert!(complaints.is_empty() && !alone.is_empty(), "{complaints:?}");
    std::fs::remove_file(work.path().join("good.zip")).unwrap();
    // The page takes longest, and is a matter of the text alone: every fourth.
    let numbered = cases.into_iter().enumerate().collect();
    let wrong = on_two(numbered, |(number, case): (usize, Case)| {
        let folder = work.path().join(&case.name);
        std::fs::create_dir(&folder).unwrap();
        std::fs::write(folder.join("case.zip"), &case.bytes).unwrap();
        std::fs::write(folder.join("good.zip"), &good).unwrap();
        let before = listing(&folder);
        let mut complaints = Vec::new();
        report(&folder, &case, number % 4 == 0, &mut complaints);
        rows(&folder, &alone, &mut complaints);
        let after = listing(&folder);
        if after != before {
            complaints.push(format!("something was written: {after:?}"));
        }
        match complaints.is_empty() {
            true => Ok(()),
            false => Err(format!("{}: {}", case.name, complaints.join("\n    "))),
        }
    });
    assert_eq!(std::fs::read_dir(work.path()).unwrap().count(), total, "only the cases' folders");
    assert!(wrong.is_empty(), "{} of {total}:\n{}", wrong.len(), wrong.join("\n"));
}

fn measured(folder: &Path, args: &[&str], complaints: &mut Vec<String>) -> measure::Measured {
    let mut command = Command::new(analyzer());
    command.args(args).current_dir(folder).env("TMPDIR", folder).env("HOME", folder);
    let ran = measure::run(&command);
    let code = ran.output.status.code();
    let said = String::from_utf8_lossy(&ran.output.stderr).into_owned();
    if !matches!(code, Some(0..=3)) {
        complaints.push(format!("{args:?}: ended by {code:?}: {said}"));
    }
    let name = folder.file_name().unwrap_or_default().to_string_lossy();
    println!("{name:40} {:8} {:?} {} KiB", args[0], ran.cpu, ran.peak_kib);
    if ran.cpu > CPU || ran.peak_kib > PEAK_KIB {
        complaints.push(format!("{args:?}: {:?}, {} KiB", ran.cpu, ran.peak_kib));
    }
    // A message may name the entry, never with controls of a stranger's choice.
    if said.chars().any(|c| c.is_control() && c != '\n') {
        complaints.push(format!("{args:?}: controls on the terminal: {said:?}"));
    }
    ran
}

/// The page of it, and the defects as scripts get them.
fn report(folder: &Path, case: &Case, page: bool, complaints: &mut Vec<String>) {
    let ran = measured(folder, &["report", "--format", "json", "case.zip"], complaints);
    let error = String::from_utf8_lossy(&ran.output.stderr).into_owned();
    let json: Option<Value> = serde_json::from_slice(&ran.output.stdout).ok();
    let defects = json.as_ref().map(|json| {
        let all = json["case"]["bundles"][0]["defects"].as_array().cloned().unwrap_or_default();
        all.iter().filter_map(|one| one.as_str().map(str::to_owned)).collect::<Vec<String>>()
    });
    match (&case.expect, defects) {
        (Expect::Any, _) => {}
        (Expect::Refused(words), None) if error.contains(words) => {}
        (Expect::Refused(words), now) => {
            complaints.push(format!("refused with {words:?}? {now:?} {error}"));
        }
        (Expect::Clean, Some(now)) if now.is_empty() => {}
        (Expect::Clean, now) => complaints.push(format!("clean? {now:?} {error}")),
        (Expect::Read(_), None) => complaints.push(format!("read? {error}")),
        (Expect::Read(expected), Some(now)) => {
            for (kind, entry, offset) in expected {
                let start = match entry {
                    Some(entry) => format!("{kind}: {entry}: "),
                    None => format!("{kind}: "),
                };
                let end = offset.map_or(String::new(), |at| format!("(at byte {at} of the zip)"));
                if !now.iter().any(|one| one.starts_with(&start) && one.ends_with(&end)) {
                    complaints.push(format!("{start}… {end} is not in {now:?}"));
                }
            }
            if !page {
                return;
            }
            let page = measured(folder, &["report", "case.zip", "-o", "-"], complaints);
            let page = String::from_utf8_lossy(&page.output.stdout).into_owned();
            let head = page.split("</header>").next().unwrap_or_default();
            if !head.contains("defects</a>") {
                complaints.push("the head of the report says nothing of it".to_owned());
            }
        }
    }
}

/// Together with a good bundle, which is judged as ever.
fn rows(folder: &Path, alone: &str, complaints: &mut Vec<String>) {
    let both = measured(folder, &["rows", "case.zip", "good.zip"], complaints);
    let both = String::from_utf8_lossy(&both.output.stdout).into_owned();
    if !both.contains(alone.trim_end()) {
        complaints.push(format!("the good bundle beside it: {both:?}"));
    }
}

/// A small pseudo-random generator (splitmix64): what it gives is told by its seed.
struct Random(u64);

impl Random {
    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        z ^ (z >> 31)
    }

    fn below(&mut self, most: usize) -> usize {
        usize::try_from(self.next() % most.max(1) as u64).unwrap()
    }

    /// Some bytes set, flipped, removed, doubled, or moved; sometimes cut off.
    fn mutate(&mut self, bytes: &mut Vec<u8>) {
        for _ in 0..=self.below(4) {
            let at = self.below(bytes.len());
            match self.below(8) {
                0 => bytes[at] ^= 1 << self.below(8),
                1 => bytes[at] = [0, 0xff, 0x7f, 0x80, 1][self.below(5)],
                2 => bytes[at] = self.next() as u8,
                3 => drop(bytes.drain(at..(at + self.below(40)).min(bytes.len()))),
                4 => {
                    let part = bytes[at..(at + self.below(200)).min(bytes.len())].to_vec();
                    let to = self.below(bytes.len());
                    bytes.splice(to..to, part);
                }
                5 => {
                    // Numbers in headers are little-endian, of two or four bytes.
                    let value = (self.next() as u32 >> self.below(32)).to_le_bytes();
                    for (slot, byte) in bytes[at..].iter_mut().zip(value) {
                        *slot = byte;
                    }
                }
                6 if self.below(4) == 0 => bytes.truncate(at.max(1)),
                _ => {
                    // In the directory and the end, where one byte tells most.
                    let near = bytes.len() - 1 - self.below(bytes.len().min(900));
                    bytes[near] = self.next() as u8;
                }
            }
            if bytes.is_empty() {
                bytes.push(0);
            }
        }
    }
}

/// A good bundle with few observations, stored or deflated.
fn small(deflated: bool) -> Vec<u8> {
    let mut zip = good();
    zip.entries.retain(|entry| !entry.listed.name.starts_with(b"transcripts/"));
    let opened = read::bytes(&good().forge().bytes, Path::new("g"), &Limits::default()).unwrap();
    let mut bundle = opened.bundle;
    bundle.observations.observations.truncate(6);
    bundle.manifest.steps.truncate(3);
    let parts = [
        ("manifest.json", serde_json::to_vec(&bundle.manifest).unwrap()),
        ("observations.json", serde_json::to_vec(&bundle.observations).unwrap()),
    ];
    for (name, content) in parts {
        *zip.entry(name) =
            if deflated { Entry::new(name, &content) } else { Entry::stored(name, &content) };
    }
    zip.forge().bytes
}

#[test]
fn ten_thousand_mutations_of_a_good_bundle() {
    const MUTATIONS: u64 = 10_000;
    let seed = std::env::var("WSS_SEED").ok().and_then(|text| text.parse().ok());
    let seed = seed.unwrap_or_else(|| u64::from(std::process::id()) ^ 0x5eed);
    println!("WSS_SEED={seed} does the same again");
    let goods = [small(true), small(false)];
    let (name, limits) = (Path::new("mutated.zip"), Limits::default());
    let slowest = Mutex::new(Duration::ZERO);
    let read = Mutex::new(0_u64);
    let wrong = on_two((0..MUTATIONS).collect(), |number| {
        let mut bytes = goods[(number % 2) as usize].clone();
        Random(seed ^ number.wrapping_mul(0x2545_f491_4f6c_dd1d)).mutate(&mut bytes);
        let begun = Instant::now();
        let ended = std::panic::catch_unwind(|| {
            let careful = read::bytes(&bytes, name, &limits);
            // The quick reader takes what is regular alone, and never sees more in it.
            let quick = Reader::default().read(&bytes, name, |_| true);
            match (&careful, &quick) {
                (Ok(careful), Ok(Some(quick))) => {
                    let same = careful.bundle.observations == quick.bundle.observations
                        && careful.bundle.manifest == quick.bundle.manifest;
                    assert!(same, "the two readers disagree");
                    if number % 20 == 0 {
                        let _ = diagnose(std::slice::from_ref(&careful.bundle));
                    }
                    *read.lock().unwrap() += 1;
                }
                (Err(_), Err(_)) => {}
                other => panic!("one reader refuses it: {other:?}"),
            }
        });
        let took = begun.elapsed();
        let mut longest = slowest.lock().unwrap();
        *longest = took.max(*longest);
        match ended {
            Ok(()) if took < Duration::from_secs(5) => Ok(()),
            Ok(()) => Err(format!("mutation {number} took {took:?}")),
            Err(_) => Err(format!("mutation {number} panicked")),
        }
    });
    let read = *read.lock().unwrap();
    let status = std::fs::read_to_string("/proc/self/status").unwrap();
    let peak = status.lines().find_map(|line| line.strip_prefix("VmHWM:")).unwrap();
    let peak: u64 = peak.trim().trim_end_matches(" kB").parse().unwrap();
    println!(
        "{read} of {MUTATIONS} could be read; slowest {:?}; {peak} KiB",
        slowest.lock().unwrap()
    );
    assert!(wrong.is_empty(), "seed {seed}: {:?}", &wrong[..wrong.len().min(10)]);
    assert!(peak < PEAK_KIB, "{peak} KiB");
    // Else the mutations would only ever try the first lines of the reader.
    assert!(read > MUTATIONS / 5, "{read}");
}

/// Whatever a download loses at its end: what came is read, and said to be a part.
#[test]
fn what_is_cut_off_is_salvaged() {
    let whole = good().forge();
    let bytes = &whole.bytes;
    let (mut seen, mut growing) = (0, 0);
    for length in (200..bytes.len()).step_by(97) {
        let opened = match read::bytes(&bytes[..length], Path::new("c.zip"), &Limits::default()) {
            Ok(opened) => opened,
            Err(error) => {
                let first = whole.places[0].end;
                assert!(length < first, "{length}: the manifest was whole at {first}: {error}");
                continue;
            }
        };
        let kinds: Vec<&str> = opened.bundle.defects.iter().map(|d| d.kind.as_str()).collect();
        assert!(kinds.contains(&"damaged-archive"), "{length}: {kinds:?}");
        let observations = opened.bundle.observations.observations.len();
        assert!(observations >= growing, "{length}: {observations} after {growing}");
        growing = observations;
        seen += 1;
        let diagnosis = diagnose(std::slice::from_ref(&opened.bundle));
        if observations == 0 {
            let status = diagnosis.verdict.status;
            assert_ne!(status, wss_diagnosis::Status::Working, "{length}");
        }
    }
    assert!(seen > 50 && growing > 30, "{seen} {growing}");
}

#[test]
fn a_changed_bundle_says_so_in_the_head_of_its_report() {
    let mut zip = good();
    let entry = zip.entry("environment.json");
    *entry = Entry::new("environment.json", b"{\"hints\":[\"somebody was here\"]}");
    let work = tempfile::tempdir().unwrap();
    std::fs::write(work.path().join("case.zip"), zip.forge().bytes).unwrap();
    let mut complaints = Vec::new();
    let page = measured(work.path(), &["report", "case.zip", "-o", "-"], &mut complaints);
    assert!(complaints.is_empty(), "{complaints:?}");
    let page = String::from_utf8(page.output.stdout).unwrap();
    let head = page.split("</header>").next().unwrap();
    assert!(head.contains("changed after it was collected (SHA-256)"), "{head}");
    let cut = &zip.forge().bytes[..7000];
    std::fs::write(work.path().join("case.zip"), cut).unwrap();
    let page = measured(work.path(), &["report", "case.zip", "-o", "-"], &mut complaints);
    let page = String::from_utf8(page.output.stdout).unwrap();
    assert!(page.split("</header>").next().unwrap().contains("damaged, read in part"));
}

/// Drops one file, and counts how long nothing else could be done meanwhile.
const DROPPED: &str = "(async () => {
    const data = new DataTransfer();
    const text = atob(DATA);
    data.items.add(new File([Uint8Array.from(text, (c) => c.charCodeAt(0))], 'case.zip'));
    delete document.body.dataset.judged;
    let last = performance.now(), longest = 0;
    const timer = setInterval(() => { const now = performance.now(); longest = Math.max(longest, now - last); last = now; }, 20);
    document.getElementById('drop').dispatchEvent(new DragEvent('drop', { dataTransfer: data, bubbles: true, cancelable: true }));
    const from = performance.now();
    while (document.body.dataset.judged === undefined && performance.now() - from < 30000) await new Promise((done) => setTimeout(done, 20));
    clearInterval(timer);
    const row = document.querySelector('#items > li');
    const answer = { judged: document.body.dataset.judged, longest, kind: row.className, text: row.textContent,
        status: document.getElementById('status').textContent, title: document.title,
        strange: document.querySelectorAll('#work img, #work script, #work style, #work form, #work object').length };
    for (const button of [...document.querySelectorAll('#items button')].reverse()) button.click();
    while (document.body.dataset.judged !== undefined) await new Promise((done) => setTimeout(done, 20));
    return answer;
})()";

/// The same bundles in the page that judges in the browser: nothing runs, nothing hangs it,
/// and each is told of as the analyzer does.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
#[ignore = "./tests/run page builds the page"]
async fn the_page_bears_every_hostile_bundle() {
    use base64::Engine as _;
    let page = Path::new(env!("CARGO_MANIFEST_DIR")).join("../target/page/wss-report.html");
    let page = page.canonicalize().expect("./tests/run page builds it");
    let view = wss_lab::browser::View { width: 1366, height: 900, dark: false };
    let mut browser = wss_lab::browser::Browser::start().await.unwrap();
    browser.open(&page, view).await.unwrap();
    while browser.evaluate("document.body.dataset.ready !== undefined").await.unwrap() != true {
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    let mut wrong = Vec::new();
    for case in all() {
        let data = base64::engine::general_purpose::STANDARD.encode(&case.bytes);
        let drop = DROPPED.replace("DATA", &format!("\"{data}\""));
        let answer = browser.evaluate(&drop).await.unwrap();
        let mut complain = |what: String| wrong.push(format!("{}: {what}", case.name));
        if answer["longest"].as_f64().is_none_or(|ms| ms > 1000.0) {
            complain(format!("the page stood still for {} ms", answer["longest"]));
        }
        if !answer["judged"].is_string() {
            complain(format!("it was not done with: {answer}"));
        }
        if answer["title"] != "Why does the console stay offline?" || answer["strange"] != 0 {
            complain(format!("something was drawn that is not the page's: {answer}"));
        }
        match &case.expect {
            Expect::Read(_) if answer["kind"] != "warn" => {
                complain(format!("no defect told: {answer}"))
            }
            Expect::Clean if answer["kind"] != "good" => complain(format!("not well: {answer}")),
            Expect::Refused(_) if answer["kind"] != "bad" => {
                complain(format!("not refused: {answer}"))
            }
            _ => {}
        }
        for complaint in browser.complaints().await.unwrap() {
            complain(complaint);
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}
