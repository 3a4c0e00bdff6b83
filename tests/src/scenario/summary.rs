//! All scenarios in one view: the confusion matrix, and what it rests on.

use super::config::Scenario;
use super::{Outcome, all, read, run};
use crate::real::Product;
use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write as _;
use std::path::Path;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Mutex, PoisonError};
use wss_diagnosis::signature::{Signature, Signatures};
use wss_diagnosis::{Cause, Confidence, diagnose_with};

/// Scenarios at a time; more would change what is timed on two cores.
const AT_A_TIME: usize = 3;

impl Product {
    /// The signature of this product where it stands as a client's proxy
    /// (`via`), and where it stands before the server.
    fn signature(self, via: bool) -> &'static str {
        match self {
            Self::Nginx => "nginx",
            Self::Haproxy => "haproxy",
            Self::Squid if via => "squid",
            Self::Squid => "squid-reverse",
            Self::Apache => "apache",
            Self::Caddy => "caddy",
            Self::Varnish => "varnish",
            Self::Tinyproxy => "tinyproxy",
            Self::Lighttpd => "lighttpd",
            Self::Nghttpx => "nghttpx",
            Self::Dante => "dante",
            Self::Stunnel => "stunnel",
            Self::Envoy => "envoy",
            Self::H2o => "h2o",
            Self::Mitmdump => "mitmproxy",
            Self::Gorilla => "gorilla",
        }
    }
}

impl Scenario {
    /// Whether a real server is in it.
    #[must_use]
    pub fn real(&self) -> bool {
        !self.front.is_empty()
            || self.via.is_some()
            || self.middle.is_some()
            || self.gorilla.is_some()
    }

    /// The signatures of the real servers in it.
    #[must_use]
    pub fn signatures(&self) -> BTreeSet<&'static str> {
        let front = self.front.iter().chain(&self.middle).map(|r| r.server.signature(false));
        let via = self.via.iter().map(|r| r.server.signature(true));
        let origin = self.gorilla.iter().map(|_| Product::Gorilla.signature(false));
        front.chain(via).chain(origin).collect()
    }

    /// Whether it expects a product of this name to be found.
    #[must_use]
    pub fn expects(&self, product: &str) -> bool {
        self.expect.device.as_deref() == Some(product)
            || self.expect.devices.iter().any(|name| name == product)
    }
}

/// Which scenarios show a device to be found where it really is: for each
/// signature, their names.
///
/// # Errors
/// A scenario is not understood.
pub fn confirmed(root: &Path) -> Result<BTreeMap<String, Vec<String>>, String> {
    let mut out: BTreeMap<String, Vec<String>> = BTreeMap::new();
    for folder in all(root)? {
        let scenario = read(&folder)?;
        for id in scenario.signatures() {
            let signature = Signatures::built_in().get(id);
            // The origin is listed as what it serves.
            let own = signature.map(|s| if s.id == "gorilla" { "Bindplane" } else { &s.name });
            if own.is_some_and(|name| scenario.expects(name)) {
                let name = folder.file_name().unwrap_or_default().to_string_lossy().into_owned();
                out.entry(id.to_owned()).or_default().push(name);
            }
        }
    }
    Ok(out)
}

/// The signatures without which a verdict would name another cause.
fn supports(outcome: &Outcome) -> BTreeSet<String> {
    let named = |signature: &Signature| {
        let devices = &outcome.diagnosis.devices;
        devices.iter().any(|device| device.product.as_ref() == Some(&signature.name))
    };
    // What left no mark cannot have decided; but a mark need not make a device.
    Signatures::built_in()
        .iter()
        .filter(|signature| named(signature) || signature.id == "gorilla")
        .filter(|signature| {
            let others = Signatures::built_in().without(&signature.id);
            let verdict = diagnose_with(&outcome.bundles, &others).verdict;
            verdict.cause != outcome.diagnosis.verdict.cause
        })
        .map(|signature| signature.id.clone())
        .collect()
}

/// How one cause is carried.
#[derive(Default)]
struct Carried {
    scenarios: u32,
    real: u32,
    /// Signatures without which some of them would be judged otherwise, and how many.
    on: BTreeMap<String, u32>,
}

/// What takes time to find out of one scenario.
struct Judged {
    complaints: Vec<String>,
    own: BTreeSet<String>,
}

impl Judged {
    fn new(outcome: &Outcome) -> Self {
        let mut complaints = outcome.complaints();
        complaints.extend(outcome.confident_and_wrong());
        Self { complaints, own: supports(outcome) }
    }
}

/// What came of all scenarios.
#[derive(Default)]
pub struct Summary {
    matrix: BTreeMap<(String, String), u32>,
    causes: BTreeMap<String, Carried>,
    right: u32,
    sure_and_wrong: u32,
    all: u32,
    real: u32,
    complaints: Vec<String>,
}

impl Summary {
    /// Runs every scenario of a folder, a few at a time: most of them wait.
    ///
    /// # Errors
    /// There is none.
    pub fn of(root: &Path) -> Result<Self, String> {
        let folders = all(root)?;
        let next = AtomicUsize::new(0);
        let summary = Mutex::new(Self::default());
        let worker = || -> Result<(), String> {
            let runtime = tokio::runtime::Runtime::new().map_err(|error| error.to_string())?;
            while let Some(folder) = folders.get(next.fetch_add(1, Ordering::Relaxed)) {
                let outcome = runtime.block_on(run(folder));
                let outcome = outcome.map(|outcome| (Judged::new(&outcome), outcome));
                let mut summary = summary.lock().unwrap_or_else(PoisonError::into_inner);
                match outcome {
                    Ok((judged, outcome)) => summary.add(folder, &outcome, judged),
                    Err(error) => {
                        summary.all += 1;
                        summary.complaints.push(format!("{}: {error}", folder.display()));
                    }
                }
            }
            Ok(())
        };
        std::thread::scope(|scope| {
            let workers: Vec<_> = (0..AT_A_TIME).map(|_| scope.spawn(worker)).collect();
            workers.into_iter().try_for_each(|worker| {
                worker.join().map_err(|_| "a scenario broke off".to_owned())?
            })
        })?;
        let mut summary = summary.into_inner().unwrap_or_else(PoisonError::into_inner);
        summary.complaints.sort();
        Ok(summary)
    }

    fn add(&mut self, folder: &Path, outcome: &Outcome, judged_alone: Judged) {
        let (expected, verdict) = (&outcome.scenario.expect, &outcome.diagnosis.verdict);
        let judged = verdict.cause.slug();
        *self.matrix.entry((expected.cause.clone(), judged.to_owned())).or_default() += 1;
        let real = u32::from(outcome.scenario.real());
        self.all += 1;
        self.real += real;
        let Judged { complaints, own } = judged_alone;
        self.right += u32::from(complaints.is_empty());
        let wrong = expected.cause != judged;
        self.sure_and_wrong += u32::from(wrong && verdict.confidence == Confidence::High);
        let name = folder.display();
        self.complaints.extend(complaints.into_iter().map(|what| format!("{name}: {what}")));
        let carried = self.causes.entry(expected.cause.clone()).or_default();
        carried.scenarios += 1;
        carried.real += real;
        for signature in own {
            *carried.on.entry(signature).or_default() += 1;
        }
    }

    /// Scenarios that did not come out as an expert would have it.
    #[must_use]
    pub fn not_right(&self) -> u32 {
        self.all - self.right
    }

    /// For people: expected causes down, judged ones across; what is right
    /// stands on the diagonal. Below it, what the whole rests on.
    ///
    /// # Errors
    /// A scenario is not understood.
    pub fn text(&self, root: &Path) -> Result<String, String> {
        let mut out = self.complaints.join("\n");
        let _ = writeln!(out, "\n{:28} {:28} {:>5}", "expected", "judged", "cases");
        for ((expected, judged), count) in &self.matrix {
            let mark = if expected == judged { "" } else { "  WRONG" };
            let _ = writeln!(out, "{expected:28} {judged:28} {count:>5}{mark}");
        }
        let _ = writeln!(
            out,
            "{} scenarios, {} with real servers: {} right, {} sure and wrong",
            self.all, self.real, self.right, self.sure_and_wrong
        );
        self.thin(&mut out);
        let confirmed = confirmed(root)?;
        let (seen, unseen): (Vec<_>, Vec<_>) =
            Signatures::built_in().iter().partition(|s| confirmed.contains_key(&s.id));
        let names =
            |list: &[&Signature]| list.iter().map(|s| s.id.as_str()).collect::<Vec<_>>().join(", ");
        let _ = writeln!(out, "\ndevices recognised at a real server ({}):", seen.len());
        let _ = writeln!(out, "  {}", names(&seen));
        let _ = writeln!(out, "devices that no real server here confirmed ({}):", unseen.len());
        let _ = writeln!(out, "  {}", names(&unseen));
        Ok(out)
    }

    fn thin(&self, out: &mut String) {
        let _ = writeln!(out, "\ncauses that rest on little:");
        for cause in Cause::ALL {
            let nothing = Carried::default();
            let carried = self.causes.get(cause.slug()).unwrap_or(&nothing);
            let mut notes = Vec::new();
            if carried.scenarios < 2 {
                notes.push(format!("{} scenario(s)", carried.scenarios));
            }
            if carried.real == 0 {
                notes.push("no real server".to_owned());
            }
            for (signature, count) in &carried.on {
                let all = carried.scenarios;
                notes.push(format!("{count} of {all} on the signature {signature} alone"));
            }
            if !notes.is_empty() {
                let _ = writeln!(out, "  {:28} {}", cause.slug(), notes.join("; "));
            }
        }
    }
}

/// All devices as a page (`docs/devices.md`).
///
/// # Errors
/// A scenario is not understood.
pub fn devices_page(root: &Path) -> Result<String, String> {
    let confirmed = confirmed(root)?;
    let mut out = String::from(
        "# The devices\n\nGenerated from `diagnosis/signatures/` and `tests/scenarios/`; a test fails \
         when it is stale (`UPDATE_DOCS=1 cargo test -p wss-lab --lib devices_page` writes it \
         anew).\n\nAfter each sign stands where its pattern comes from: `lab` was seen at a real \
         server, `waf` (wafw00f), `wap` (webappanalyzer), `mit` (mitmengine), `ooni`, `chr` \
         (Chromium) and `str` are from public sources, `gk` is general knowledge and counts least. \
         \"Confirmed\" names scenarios in which the real server stands on the path and is \
         recognised; where there is none, the signature rests on documents, or on what was recorded of \
         the real server once.\n\n\
         | device | role | side | recognised by | confirmed |\n|---|---|---|---|---|\n",
    );
    for signature in Signatures::built_in().iter() {
        let signs: Vec<String> =
            signature.looks_at().iter().map(|(what, from)| format!("{what} ({from})")).collect();
        let signs = if signs.is_empty() {
            "nothing: it is transparent".to_owned()
        } else {
            signs.join("; ").replace('|', "\\|")
        };
        let shown = match confirmed.get(&signature.id).map(Vec::as_slice) {
            None if signature.sources().contains(&"lab") => "seen once, in no scenario".to_owned(),
            None => "documents alone".to_owned(),
            Some([one]) => format!("`{one}`"),
            Some([first, rest @ ..]) => format!("`{first}` and {} more", rest.len()),
            Some([]) => String::new(),
        };
        let (name, role, side) = (&signature.name, signature.role.slug(), signature.side.slug());
        let _ = writeln!(out, "| {name} | {role} | {side} | {signs} | {shown} |");
    }
    Ok(out)
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::path::PathBuf;

    /// Read from what a browser or a person gave, which no server of a scenario
    /// does; `diagnosis/tests/it` and the tests of those options have them.
    const GIVEN: [&str; 11] = [
        "browser-agrees",
        "browser-cut",
        "browser-message",
        "browser-only",
        "browser-other-way",
        "browser-works",
        "changed-since",
        "collected-apart",
        "curl-output-no-test",
        "lb-http2-browser",
        "page-and-socket-differ",
    ];

    /// Want several runs, or an answer that changes at the right moment, which no
    /// stage does each time; `diagnosis/tests/it` has a case for each.
    const BY_CHANCE: [&str; 5] = [
        "backends-differ-by-run",
        "insufficient-limit",
        "insufficient-pings-alone",
        "insufficient-turned",
        "runs-disagree",
    ];

    fn root() -> PathBuf {
        Path::new(env!("CARGO_MANIFEST_DIR")).join("scenarios")
    }

    fn scenarios() -> Vec<Scenario> {
        all(&root()).unwrap().iter().map(|folder| read(folder).unwrap()).collect()
    }

    #[test]
    fn devices_page_is_current() {
        let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../docs/devices.md");
        let wanted = devices_page(&root()).unwrap();
        if std::env::var_os("UPDATE_DOCS").is_some() {
            std::fs::write(&path, &wanted).unwrap();
        }
        let found = std::fs::read_to_string(&path).unwrap_or_default();
        assert!(
            found == wanted,
            "docs/devices.md is stale: UPDATE_DOCS=1 cargo test -p wss-lab --lib devices_page"
        );
    }

    fn field() -> Vec<crate::field::Case> {
        let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("field");
        crate::field::Case::all(&root).unwrap()
    }

    /// What a scenario, or a case from the field, expects is what its own test finds.
    #[test]
    fn every_rule_is_expected_to_speak_in_a_scenario() {
        let mut heard = BTreeSet::new();
        for case in field() {
            heard.extend(case.expected_rules().into_iter().map(str::to_owned));
        }
        for scenario in scenarios() {
            heard.extend(scenario.expect.rules);
            heard.extend(scenario.expect.confirmed);
            heard.insert(scenario.expect.cause);
        }
        let ids: BTreeSet<&str> = wss_diagnosis::rules().iter().map(|rule| rule.id).collect();
        let excepted: Vec<&str> = GIVEN.into_iter().chain(BY_CHANCE).collect();
        let silent: Vec<_> =
            ids.iter().filter(|id| !heard.contains(**id) && !excepted.contains(id)).collect();
        assert!(silent.is_empty(), "{silent:?}");
        for id in excepted {
            assert!(ids.contains(id) && !heard.contains(id), "{id} is no exception any more");
        }
    }

    #[test]
    fn every_cause_is_carried_by_two_scenarios_and_a_real_server() {
        let (all, field) = (scenarios(), field());
        for cause in Cause::ALL.iter().filter(|cause| **cause != Cause::BrowserOnly) {
            let own: Vec<_> = all.iter().filter(|s| s.expect.cause == cause.slug()).collect();
            // Those from the field run real programs; several causes may be right there.
            let field = field.iter().filter(|case| {
                case.expected_rules().contains(&cause.slug())
                    && case.expected_causes().iter().any(|one| one == cause.slug())
            });
            let field = field.count();
            assert!(own.len() + field >= 2, "{cause}: {} scenarios", own.len() + field);
            // What cannot be told is told of nobody's page.
            let real = field > 0 || own.iter().any(|s| s.real()) || *cause == Cause::Insufficient;
            assert!(real, "{cause}: no real server");
        }
    }

    #[test]
    fn the_demands_on_the_set_hold() {
        let all = scenarios();
        let real = all.iter().filter(|s| s.real()).count();
        assert!(all.len() >= 60 && real >= 40, "{} scenarios, {real} real", all.len());
        let gorilla = all.iter().filter(|s| s.gorilla.is_some()).count();
        assert!(gorilla * 2 >= real, "the real origin in {gorilla} of {real}");
    }
}
