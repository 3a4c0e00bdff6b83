//! What to do next: the remedy's first steps, and what would settle the rest.

use crate::report::Case;
use serde::Serialize;
use wss_diagnosis::Status;

#[derive(Debug, Serialize)]
pub(super) struct Next {
    title: Option<String>,
    steps: Vec<String>,
    remedy: Option<String>,
    commands: Vec<String>,
}

impl Next {
    pub(super) fn new(case: &Case<'_>) -> Self {
        let verdict = &case.diagnosis.verdict;
        let finding = case
            .diagnosis
            .findings
            .iter()
            .find(|f| f.rule.starts_with(verdict.cause.slug()) && f.remedy.is_some())
            .filter(|_| verdict.status != Status::Working);
        let remedy = finding.and_then(|f| f.remedy.as_ref());
        Self {
            title: remedy.map(|r| r.title.clone()),
            steps: remedy.map(|r| r.steps.iter().take(3).cloned().collect()).unwrap_or_default(),
            remedy: finding.map(|f| format!("remedy-{}", f.rule)),
            commands: verdict.missing.clone(),
        }
    }
}
