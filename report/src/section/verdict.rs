//! The verdict in one sentence, where the fault lies, how sure and why.

use crate::part::{Span, prose};
use crate::{Case, words};
use serde::Serialize;
use wss_bundle::Bundle;
use wss_diagnosis::{Location, Severity};

/// Longest sentence that is a heading.
const SENTENCE: usize = 420;
/// Longest reason on the first screen; all of it is with the evidence.
const WHY: usize = 320;

#[derive(Debug, Serialize)]
pub(super) struct Verdict {
    status: &'static str,
    symbol: &'static str,
    tone: &'static str,
    cause: &'static str,
    summary: Vec<Span>,
    location: Option<Place>,
    confidence: &'static str,
    dots: Vec<bool>,
    meaning: &'static str,
    why: Vec<Span>,
    /// A second fault, which the first one hides.
    also: Option<Also>,
    target: String,
    case: String,
    tickets: Vec<String>,
    runs: Vec<Run>,
}

#[derive(Debug, Serialize)]
struct Place {
    place: &'static str,
    what: &'static str,
}

#[derive(Debug, Serialize)]
struct Also {
    title: String,
    anchor: String,
}

#[derive(Debug, Serialize)]
struct Run {
    name: String,
    at: String,
    complete: bool,
    /// Something is not what was collected: its SHA-256 or size is another.
    altered: bool,
    /// The zip is damaged or cut off; what could be read was.
    salvaged: bool,
    defects: usize,
}

impl Verdict {
    pub(super) fn new(case: &Case<'_>) -> Self {
        let verdict = &case.diagnosis.verdict;
        let (place, what) = words::location(verdict.location);
        let why = case.main().map_or("", |f| words::beyond(&f.text, &verdict.summary));
        let filled = words::dots(verdict.confidence);
        Self {
            status: words::status(verdict.status),
            symbol: words::symbol(verdict.status),
            tone: words::tone(verdict.status),
            cause: verdict.cause.slug(),
            summary: prose(&words::cut(&verdict.summary, SENTENCE)),
            location: (verdict.location != Location::None).then_some(Place { place, what }),
            confidence: verdict.confidence.slug(),
            dots: (0..3).map(|at| at < filled).collect(),
            meaning: words::confidence(verdict),
            why: prose(&words::cut(why, WHY)),
            also: case.others().find(|f| f.severity == Severity::Error).map(|f| Also {
                title: words::cut(&f.title, 200),
                anchor: case.finding_anchor(f),
            }),
            target: words::cut(&case.diagnosis.case.target, 200),
            case: words::cut(&case.diagnosis.case.id, 60),
            tickets: case.tickets().into_iter().map(|ticket| words::cut(ticket, 60)).collect(),
            runs: case
                .views
                .iter()
                .map(|view| Run {
                    name: view.name.clone(),
                    at: view.time(view.bundle.manifest.started_at),
                    complete: view.bundle.manifest.complete,
                    altered: has(view.bundle, &["sha256-mismatch", "size-mismatch"]),
                    salvaged: has(view.bundle, &["damaged-archive", "cut-off-entry"]),
                    defects: view.bundle.defects.len(),
                })
                .collect(),
        }
    }
}

fn has(bundle: &Bundle, kinds: &[&str]) -> bool {
    bundle.defects.iter().any(|defect| kinds.contains(&defect.kind.as_str()))
}
