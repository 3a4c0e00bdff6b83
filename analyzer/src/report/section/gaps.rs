//! What was not collected and why, what is wrong with the zips, what was removed.

use crate::report::{Case, words};
use serde::Serialize;
use wss_bundle::manifest::StepOutcome;

/// Removals shown one by one of one bundle.
const COUNT: usize = 120;

#[derive(Debug, Serialize)]
pub(super) struct Gaps {
    steps: Vec<Step>,
    defects: Vec<String>,
    removed: Vec<Removed>,
    more: usize,
}

#[derive(Debug, Serialize)]
struct Step {
    vantage: String,
    name: String,
    outcome: &'static str,
    why: String,
}

#[derive(Debug, Serialize)]
struct Removed {
    vantage: String,
    place: String,
    kind: String,
    count: u64,
}

impl Gaps {
    pub(super) fn new(case: &Case<'_>) -> Self {
        let all: Vec<_> = case.in_order().collect();
        let mut gaps =
            Self { steps: Vec::new(), defects: Vec::new(), removed: Vec::new(), more: 0 };
        for bundle in &all {
            let name = words::name(bundle, &all);
            for step in &bundle.manifest.steps {
                let outcome = match step.outcome {
                    StepOutcome::Skipped => "skipped",
                    StepOutcome::TimedOut => "timed out",
                    StepOutcome::Cancelled => "cancelled",
                    StepOutcome::Done | StepOutcome::Failed => continue,
                };
                gaps.steps.push(Step {
                    vantage: name.clone(),
                    name: step.name.clone(),
                    outcome,
                    why: step.why.clone().unwrap_or_default(),
                });
            }
            gaps.defects.extend(bundle.defects.iter().map(|defect| format!("{name}: {defect}")));
            gaps.more += bundle.redactions.len().saturating_sub(COUNT);
            gaps.removed.extend(bundle.redactions.iter().take(COUNT).map(|removal| Removed {
                vantage: name.clone(),
                place: format!("{}, {}", removal.entry, removal.place),
                kind: removal.kind.clone(),
                count: removal.count,
            }));
        }
        gaps
    }
}
