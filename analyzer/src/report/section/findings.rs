//! Everything noticed: what it means, what shows it, and the remedy.

use crate::report::{Case, words};
use serde::Serialize;

#[derive(Debug, Serialize)]
pub(super) struct Findings {
    findings: Vec<Finding>,
}

#[derive(Debug, Serialize)]
struct Finding {
    anchor: String,
    rule: &'static str,
    severity: &'static str,
    title: String,
    text: String,
    evidence: Vec<Evidence>,
    explains: Vec<&'static str>,
    remedy: Option<Remedy>,
    open: bool,
}

#[derive(Debug, Serialize)]
struct Evidence {
    anchor: String,
    vantage: String,
    observation: String,
    excerpt: String,
}

#[derive(Debug, Serialize)]
struct Remedy {
    anchor: String,
    title: String,
    steps: Vec<String>,
    language: Option<String>,
    snippet: Option<String>,
    verify: String,
}

impl Findings {
    pub(super) fn new(case: &Case<'_>) -> Self {
        let all: Vec<_> = case.in_order().collect();
        let findings = case
            .diagnosis
            .findings
            .iter()
            .enumerate()
            .map(|(at, finding)| Finding {
                anchor: format!("finding-{}", finding.rule),
                rule: finding.rule,
                severity: words::severity(finding.severity),
                title: finding.title.clone(),
                text: finding.text.clone(),
                evidence: finding
                    .evidence
                    .iter()
                    .map(|citation| Evidence {
                        anchor: words::anchor(&citation.bundle, &citation.observation),
                        vantage: case
                            .bundle(&citation.bundle)
                            .map_or_else(String::new, |bundle| words::name(bundle, &all)),
                        observation: citation.observation.clone(),
                        excerpt: words::cut(&citation.excerpt, 400),
                    })
                    .collect(),
                explains: finding.explains.clone(),
                remedy: finding.remedy.as_ref().map(|remedy| Remedy {
                    anchor: format!("remedy-{}", finding.rule),
                    title: remedy.title.clone(),
                    steps: remedy.steps.clone(),
                    language: remedy.snippet.as_ref().map(|s| s.language.clone()),
                    snippet: remedy.snippet.as_ref().map(|s| s.text.clone()),
                    verify: remedy.verify.clone(),
                }),
                open: at == 0,
            })
            .collect();
        Self { findings }
    }
}
