//! Other causes that fit, what speaks against each, and what would settle it.

use crate::report::{Case, words};
use serde::Serialize;

#[derive(Debug, Serialize)]
pub(super) struct Rivals {
    rivals: Vec<Rival>,
    commands: Vec<String>,
}

#[derive(Debug, Serialize)]
struct Rival {
    cause: &'static str,
    confidence: &'static str,
    why_not: String,
}

impl Rivals {
    pub(super) fn new(case: &Case<'_>) -> Self {
        let rivals = case
            .diagnosis
            .alternatives
            .iter()
            .map(|other| Rival {
                cause: other.cause.slug(),
                confidence: words::level(other.confidence),
                why_not: other.why_not.clone(),
            })
            .collect();
        Self { rivals, commands: case.diagnosis.verdict.missing.clone() }
    }
}
