//! The case as the sections see it: bundles in order, each with a name for
//! people, and an anchor for everything that can be linked to.

use super::words;
use std::collections::{BTreeMap, BTreeSet};
use wss_bundle::transcript::{self, Transcript};
use wss_bundle::{BrowserHandshake, Bundle, Observation, RouteId};
use wss_diagnosis::signature::Signatures;
use wss_diagnosis::{Cause, Citation, Diagnosis, Finding, PastedOutput, RouteLadder};

/// Transcripts shown of one bundle. A usual one has a dozen.
const TRANSCRIPTS: usize = 30;
/// Requests of browsers shown of one bundle. A usual one has three.
const BROWSERS: usize = 15;
/// Observations shown of one bundle. A usual one has sixty.
pub const OBSERVATIONS: usize = 500;

/// What a report is about.
#[derive(Debug)]
pub struct Case<'a> {
    /// The verdict on it.
    pub diagnosis: &'a Diagnosis,
    /// The bundles in the diagnosis' order: inside first, then by time.
    pub views: Vec<View<'a>>,
    /// The path that decides.
    pub path: String,
    /// Known devices.
    pub signatures: &'a Signatures,
}

/// One bundle.
#[derive(Debug)]
pub struct View<'a> {
    /// The bundle.
    pub bundle: &'a Bundle,
    /// `inside`, or `inside 2` where there are several of one vantage.
    pub name: String,
    /// Short name in anchors; unique in the case.
    short: String,
    /// The route that it is judged by.
    selected: Option<&'a RouteId>,
    /// Anchors of the observations, in their order; unique in the page.
    anchors: Vec<String>,
    /// Position of an observation by its id; the first, where ids repeat.
    positions: BTreeMap<&'a str, usize>,
    /// Positions of what browsers saw, by id; the first, where ids repeat.
    browsers: BTreeMap<&'a str, usize>,
    /// Transcripts by the id of their observation, in order.
    pub transcripts: Vec<Transcript>,
}

impl<'a> Case<'a> {
    /// Puts a diagnosis and its bundles together.
    #[must_use]
    pub fn new(diagnosis: &'a Diagnosis, bundles: &'a [Bundle]) -> Self {
        Self::with(diagnosis, bundles, Signatures::built_in())
    }

    /// The same with the signatures that the diagnosis was made with.
    #[must_use]
    pub fn with(
        diagnosis: &'a Diagnosis,
        bundles: &'a [Bundle],
        signatures: &'a Signatures,
    ) -> Self {
        let mut used = BTreeSet::new();
        let ordered: Vec<&Bundle> = diagnosis
            .case
            .bundles
            .iter()
            .filter_map(|summary| {
                let at = bundles
                    .iter()
                    .enumerate()
                    .position(|(at, b)| b.manifest.id == summary.id && !used.contains(&at))?;
                used.insert(at);
                bundles.get(at)
            })
            .collect();
        let mut shorts = BTreeSet::new();
        let views: Vec<View<'_>> = ordered
            .iter()
            .map(|bundle| {
                let mut short = clean(&bundle.manifest.id, 8);
                while !shorts.insert(short.clone()) {
                    short.push('x');
                }
                View::new(bundle, diagnosis, words::name(bundle, &ordered), short)
            })
            .collect();
        let path = diagnosis.case.path.clone();
        Self { diagnosis, views, path, signatures }
    }

    /// The tickets that the bundles name, each once.
    #[must_use]
    pub fn tickets(&self) -> Vec<&'a str> {
        let mut out: Vec<&str> = Vec::new();
        for ticket in self.views.iter().filter_map(|view| view.bundle.manifest.ticket.as_deref()) {
            if !out.contains(&ticket) {
                out.push(ticket);
            }
        }
        out
    }

    /// The view of the bundle with this id.
    #[must_use]
    pub fn view(&self, id: &str) -> Option<&View<'a>> {
        self.views.iter().find(|view| view.bundle.manifest.id == id)
    }

    /// What was pasted, where a citation is of that: it has a vantage of its own.
    #[must_use]
    pub fn pasted(&self, citation: &Citation) -> Option<&PastedOutput> {
        let wss_diagnosis::Cited::Pasted(id) = citation.cited() else { return None };
        let mut all = self.diagnosis.compared.pasted.iter();
        all.find(|output| output.bundle == citation.bundle && output.observation == id)
    }

    /// The view of the bundle that decides.
    #[must_use]
    pub fn focus(&self) -> Option<&View<'a>> {
        let id = self.diagnosis.compared.focus.as_deref();
        id.and_then(|id| self.view(id)).or_else(|| self.views.first())
    }

    /// The finding that the verdict rests on: the first, where a rule claims a cause.
    #[must_use]
    pub fn main(&self) -> Option<&'a Finding> {
        match self.diagnosis.verdict.cause {
            Cause::None | Cause::Insufficient => None,
            _ => self.diagnosis.findings.first(),
        }
    }

    /// Every finding but the verdict's.
    pub fn others(&self) -> impl Iterator<Item = &'a Finding> {
        self.diagnosis.findings.iter().skip(usize::from(self.main().is_some()))
    }

    /// Where a finding stands in the page. Its rule's id, since that lasts; with
    /// a number where a rule has several findings.
    #[must_use]
    pub fn finding_anchor(&self, finding: &Finding) -> String {
        let same = self.diagnosis.findings.iter().filter(|f| f.rule == finding.rule);
        match same.take_while(|f| !std::ptr::eq(*f, finding)).count() {
            0 => format!("finding-{}", finding.rule),
            earlier => format!("finding-{}-{}", finding.rule, earlier + 1),
        }
    }

    /// How far the deciding path climbed on the route that a bundle's settings choose.
    #[must_use]
    pub fn deciding_ladder(&self, view: &View<'_>) -> Option<&'a RouteLadder> {
        let route = view.selected()?;
        self.diagnosis.routes.iter().find(|ladder| {
            ladder.bundle == view.bundle.manifest.id
                && ladder.route == route.0
                && ladder.path == self.path
        })
    }
}

impl<'a> View<'a> {
    fn new(bundle: &'a Bundle, diagnosis: &Diagnosis, name: String, short: String) -> Self {
        let chosen = |id: &RouteId| {
            let mut ladders = diagnosis.routes.iter();
            ladders.any(|l| l.chosen && l.bundle == bundle.manifest.id && l.route == id.0)
        };
        let routes = &bundle.observations.routes;
        let selected = routes.iter().map(|route| &route.id).find(|id| chosen(id));
        let observations = &bundle.observations.observations;
        let mut taken = BTreeSet::new();
        let mut positions = BTreeMap::new();
        let anchors = observations
            .iter()
            .enumerate()
            .map(|(at, o)| {
                positions.entry(o.id.as_str()).or_insert(at);
                let mut anchor = format!("o-{short}-{}", clean(&o.id, 16));
                if !taken.insert(anchor.clone()) {
                    // `_` is in no cleaned id, so that this is in no other anchor.
                    anchor = format!("{anchor}_{at}");
                }
                anchor
            })
            .collect();
        let mut browsers = BTreeMap::new();
        for (at, seen) in bundle.observations.browser.iter().enumerate().take(BROWSERS) {
            browsers.entry(seen.id.as_str()).or_insert(at);
        }
        let mut transcripts = transcript::all(bundle);
        // Where ids repeat, the first speaks: anchors and links go by id.
        let mut seen = BTreeSet::new();
        transcripts.retain(|one| seen.insert(one.observation.clone()));
        transcripts.truncate(TRANSCRIPTS);
        Self { bundle, name, short, selected, anchors, positions, browsers, transcripts }
    }

    /// The observations that are shown, each with its anchor.
    pub fn observations(&self) -> impl Iterator<Item = (&'a Observation, &str)> {
        let all = self.bundle.observations.observations.iter();
        all.zip(self.anchors.iter().map(String::as_str)).take(OBSERVATIONS)
    }

    /// An observation by its id.
    #[must_use]
    pub fn observation(&self, id: &str) -> Option<&'a Observation> {
        self.bundle.observations.observations.get(*self.positions.get(id)?)
    }

    /// Where an observation stands in the page; `None` where it is left out.
    #[must_use]
    pub fn anchor(&self, id: &str) -> Option<&str> {
        let at = *self.positions.get(id)?;
        (at < OBSERVATIONS).then(|| self.anchors.get(at).map(String::as_str))?
    }

    /// Where what a browser saw stands.
    #[must_use]
    pub fn browser_anchor(&self, id: &str) -> Option<String> {
        self.browsers.get(id).map(|at| format!("b-{}_{at}", self.short))
    }

    /// What browsers saw, as far as it is shown, each with its anchor.
    pub fn browsers(&self) -> impl Iterator<Item = (&'a BrowserHandshake, String)> {
        let all = self.bundle.observations.browser.iter().enumerate().take(BROWSERS);
        all.map(|(at, seen)| (seen, format!("b-{}_{at}", self.short)))
    }

    /// The transcript of an observation.
    #[must_use]
    pub fn transcript(&self, id: &str) -> Option<&Transcript> {
        self.transcripts.iter().find(|one| one.observation == id)
    }

    /// Where the transcript of an observation stands; `None` where it has none.
    #[must_use]
    pub fn transcript_anchor(&self, id: &str) -> Option<String> {
        self.transcript(id)?;
        Some(format!("t{}", self.anchor(id)?.strip_prefix('o')?))
    }

    /// An anchor for something else of this bundle.
    #[must_use]
    pub fn own_anchor(&self, what: &str) -> String {
        format!("{what}-{}", self.short)
    }

    /// The route that the bundle is judged by: browsers there take it.
    #[must_use]
    pub fn selected(&self) -> Option<&'a RouteId> {
        self.selected
    }

    /// A time of this collection, in UTC and as the clocks there showed it.
    #[must_use]
    pub fn time(&self, at: chrono::DateTime<chrono::Utc>) -> String {
        words::time(at, self.bundle.environment.clock.utc_offset_minutes)
    }
}

/// What of an untrusted id may stand in an anchor.
fn clean(id: &str, most: usize) -> String {
    id.chars().filter(|c| c.is_ascii_alphanumeric() || *c == '-').take(most).collect()
}
