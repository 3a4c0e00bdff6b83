//! All scenarios in one view: the confusion matrix, and what it rests on.

use super::config::Scenario;
use super::{Outcome, all, read, run};
use crate::real::Product;
use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write as _;
use std::path::Path;
use wss_diagnosis::signature::{Signature, Signatures};
use wss_diagnosis::{Cause, Confidence, diagnose_with};

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
            if signature.is_some_and(|s| scenario.expects(&s.name)) {
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
    /// Signatures without which every one of them would be judged otherwise.
    on: Option<BTreeSet<String>>,
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
    /// Runs every scenario of a folder, one after the other.
    ///
    /// # Errors
    /// There is none.
    pub async fn of(root: &Path) -> Result<Self, String> {
        let mut summary = Self::default();
        for folder in all(root)? {
            match run(&folder).await {
                Ok(outcome) => summary.add(&folder, &outcome),
                Err(error) => {
                    summary.all += 1;
                    summary.complaints.push(format!("{}: {error}", folder.display()));
                }
            }
        }
        Ok(summary)
    }

    fn add(&mut self, folder: &Path, outcome: &Outcome) {
        let (expected, verdict) = (&outcome.scenario.expect, &outcome.diagnosis.verdict);
        let judged = verdict.cause.slug();
        *self.matrix.entry((expected.cause.clone(), judged.to_owned())).or_default() += 1;
        let real = u32::from(outcome.scenario.real());
        self.all += 1;
        self.real += real;
        let mut complaints = outcome.complaints();
        complaints.extend(outcome.confident_and_wrong());
        self.right += u32::from(complaints.is_empty());
        let wrong = expected.cause != judged;
        self.sure_and_wrong += u32::from(wrong && verdict.confidence == Confidence::High);
        let name = folder.display();
        self.complaints.extend(complaints.into_iter().map(|what| format!("{name}: {what}")));
        let carried = self.causes.entry(expected.cause.clone()).or_default();
        carried.scenarios += 1;
        carried.real += real;
        let own = supports(outcome);
        carried.on = Some(match carried.on.take() {
            Some(before) => before.intersection(&own).cloned().collect(),
            None => own,
        });
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
            if let Some(on) = carried.on.as_ref().filter(|on| !on.is_empty()) {
                let list = on.iter().cloned().collect::<Vec<_>>().join(", ");
                notes.push(format!("on the signature {list} alone"));
            }
            if !notes.is_empty() {
                let _ = writeln!(out, "  {:28} {}", cause.slug(), notes.join("; "));
            }
        }
    }
}
