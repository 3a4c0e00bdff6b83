//! The verdict in one sentence, where the fault lies, how sure and why.

use crate::report::{Case, words};
use serde::Serialize;

#[derive(Debug, Serialize)]
pub(super) struct Verdict {
    status: &'static str,
    tone: &'static str,
    cause: &'static str,
    summary: String,
    location: Option<&'static str>,
    confidence: &'static str,
    why: Option<String>,
    target: String,
    case: String,
    bundles: Vec<Line>,
}

#[derive(Debug, Serialize)]
struct Line {
    name: String,
    at: String,
    complete: bool,
}

impl Verdict {
    pub(super) fn new(case: &Case<'_>) -> Self {
        let diagnosis = case.diagnosis;
        let verdict = &diagnosis.verdict;
        let all: Vec<_> = case.in_order().collect();
        let main = diagnosis.findings.iter().find(|f| f.rule.starts_with(verdict.cause.slug()));
        Self {
            status: words::status(verdict.status),
            tone: words::tone(verdict.status),
            cause: verdict.cause.slug(),
            summary: verdict.summary.clone(),
            location: (verdict.location != wss_diagnosis::Location::None)
                .then(|| words::location(verdict.location)),
            confidence: words::confidence(verdict.confidence),
            why: main.map(|finding| finding.text.clone()),
            target: diagnosis.case.target.clone(),
            case: diagnosis.case.id.clone(),
            bundles: all
                .iter()
                .map(|bundle| Line {
                    name: words::name(bundle, &all),
                    at: words::time(
                        bundle.manifest.started_at,
                        bundle.environment.clock.utc_offset_minutes,
                    ),
                    complete: bundle.manifest.complete,
                })
                .collect(),
        }
    }
}
