//! What was not collected and why, and what is wrong with the zips.

use crate::part::limited;
use crate::{Case, words};
use serde::Serialize;
use wss_bundle::manifest::StepOutcome;

/// Steps and defects shown of one bundle.
const COUNT: usize = 80;

#[derive(Debug, Serialize)]
pub(super) struct Gaps {
    steps: Vec<Step>,
    more_steps: usize,
    defects: Vec<String>,
    more_defects: usize,
    interrupted: Vec<String>,
}

#[derive(Debug, Serialize)]
struct Step {
    vantage: String,
    name: String,
    outcome: &'static str,
    why: String,
}

impl Gaps {
    pub(super) fn new(case: &Case<'_>) -> Self {
        let steps = case.views.iter().flat_map(|view| {
            view.bundle.manifest.steps.iter().filter_map(|step| {
                let outcome = match step.outcome {
                    StepOutcome::Skipped => "skipped",
                    StepOutcome::TimedOut => "timed out",
                    StepOutcome::Cancelled => "cancelled",
                    StepOutcome::Done | StepOutcome::Failed => return None,
                };
                Some(Step {
                    vantage: view.name.clone(),
                    name: words::cut(&step.name, 160),
                    outcome,
                    why: words::cut(step.why.as_deref().unwrap_or_default(), 300),
                })
            })
        });
        let (steps, more_steps) = limited(steps, COUNT);
        let defects = case.views.iter().flat_map(|view| {
            let name = &view.name;
            view.bundle.defects.iter().map(move |d| words::cut(&format!("{name}: {d}"), 400))
        });
        let (defects, more_defects) = limited(defects, COUNT);
        let interrupted = case.views.iter().filter(|view| !view.bundle.manifest.complete);
        let interrupted = interrupted.map(|view| view.name.clone()).collect();
        Self { steps, more_steps, defects, more_defects, interrupted }
    }
}
