//! What else was noticed: what it means, what shows it, and what to do about it.

use crate::part::{Citations, Cure, Span, limited, prose};
use crate::{Case, words};
use serde::Serialize;

/// Findings shown.
const COUNT: usize = 40;

#[derive(Debug, Serialize)]
pub(super) struct Findings {
    findings: Vec<Finding>,
    more: usize,
}

#[derive(Debug, Serialize)]
struct Finding {
    anchor: String,
    rule: &'static str,
    severity: &'static str,
    symbol: &'static str,
    title: String,
    text: Vec<Span>,
    evidence: Citations,
    remedy: Option<Cure>,
    open: bool,
}

impl Findings {
    pub(super) fn new(case: &Case<'_>) -> Self {
        let findings = case.others().map(|finding| Finding {
            anchor: case.finding_anchor(finding),
            rule: finding.rule,
            severity: finding.severity.slug(),
            symbol: words::severity_symbol(finding.severity),
            title: finding.title.clone(),
            text: prose(&words::cut_counted(&finding.text, 3_000)),
            evidence: Citations::new(case, finding),
            remedy: finding.remedy.as_ref().map(|remedy| Cure::new(case, finding, remedy)),
            open: finding.severity != wss_diagnosis::Severity::Info,
        });
        let (findings, more) = limited(findings, COUNT);
        Self { findings, more }
    }
}
