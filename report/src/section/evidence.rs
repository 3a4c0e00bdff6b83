//! What the verdict rests on: the finding in full, and the observations that
//! show it, each with a link.

use crate::part::{Citations, Span, prose};
use crate::{Case, words};
use serde::Serialize;

#[derive(Debug, Serialize)]
pub(super) struct Evidence {
    claim: Option<Claim>,
    summary: String,
}

#[derive(Debug, Serialize)]
struct Claim {
    anchor: String,
    rule: &'static str,
    title: String,
    text: Vec<Span>,
    evidence: Citations,
    effects: Vec<Effect>,
    why: Option<&'static str>,
}

#[derive(Debug, Serialize)]
struct Effect {
    rule: &'static str,
    anchor: Option<String>,
}

impl Evidence {
    pub(super) fn new(case: &Case<'_>) -> Self {
        let claim = case.main().map(|finding| Claim {
            anchor: case.finding_anchor(finding),
            rule: finding.rule,
            title: finding.title.clone(),
            text: prose(&words::cut_counted(&finding.text, 3_000)),
            evidence: Citations::new(case, finding),
            effects: finding
                .explains
                .iter()
                .map(|rule| Effect {
                    rule,
                    anchor: case.others().find(|f| f.rule == *rule).map(|f| case.finding_anchor(f)),
                })
                .collect(),
            why: wss_diagnosis::rules().iter().find(|r| r.id == finding.rule).map(|r| r.why),
        });
        Self { claim, summary: case.diagnosis.verdict.summary.clone() }
    }
}
