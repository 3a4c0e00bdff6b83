//! Other causes that fit, what speaks against each, and what would settle it.

use crate::part::limited;
use crate::{Case, words};
use serde::Serialize;

/// Rivals and commands shown.
const COUNT: usize = 20;

#[derive(Debug, Serialize)]
pub(super) struct Rivals {
    rivals: Vec<Rival>,
    more: usize,
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
        let rivals = case.diagnosis.alternatives.iter().map(|other| Rival {
            cause: other.cause.slug(),
            confidence: other.confidence.slug(),
            why_not: words::cut(&other.why_not, 400),
        });
        let (rivals, more) = limited(rivals, COUNT);
        let commands = case.diagnosis.verdict.missing.iter().take(COUNT).map(ToString::to_string).collect();
        Self { rivals, more, commands }
    }
}
