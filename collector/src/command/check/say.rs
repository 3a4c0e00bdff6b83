//! What a check says: a line for each expectation, for people; all of it as JSON, for
//! scripts.

use super::Outcome;
use crate::expect::Met;
use crate::screen::fit::wrapped;
use crate::screen::{Look, safe};
use serde_json::json;
use std::fmt::Write as _;
use wss_diagnosis::Status;

/// Lines that fit the terminal, where there is one.
pub(super) fn text(outcome: &Outcome, look: Look) -> String {
    let mut out = String::new();
    for answer in &outcome.answers {
        let word = match answer.met {
            Met::Yes => "pass ",
            Met::No => "FAIL ",
            Met::Unknown => "?    ",
        };
        let line = format!("{word} {}: {}", answer.expected, answer.reason);
        let _ = writeln!(out, "{}", wrapped(&safe(&line), 6, look.width));
    }
    let (no, unknown) = (outcome.count(Met::No), outcome.count(Met::Unknown));
    let all = outcome.answers.len();
    let sum = match (no, unknown) {
        (0, 0) if all == 1 => "What was expected is met.".to_owned(),
        (0, 0) => format!("All {all} expectations are met."),
        (no, 0) => format!("Of {all} expected, {no} not met."),
        (0, unknown) => format!("Of {all} expected, {unknown} cannot be told."),
        (no, unknown) => format!("Of {all} expected, {no} not met, {unknown} cannot be told."),
    };
    let _ = writeln!(out, "{sum}");
    next(&mut out, outcome, look);
    if let Some(path) = &outcome.bundle {
        let _ = writeln!(out, "Bundle: {}", safe(&path.display().to_string()));
    }
    out
}

/// What to do, or what would tell.
fn next(out: &mut String, outcome: &Outcome, look: Look) {
    let diagnosis = &outcome.judged.diagnosis;
    if outcome.count(Met::Yes) == outcome.answers.len() {
        return;
    }
    let remedy = diagnosis.findings.iter().find_map(|finding| finding.remedy.as_ref());
    if diagnosis.verdict.status != Status::Working
        && let Some(remedy) = remedy
    {
        let line = format!("Do this next: {}", safe(&remedy.title));
        let _ = writeln!(out, "{}", wrapped(&line, 2, look.width));
    }
    if diagnosis.verdict.status == Status::Unknown
        && let Some(next) = diagnosis.verdict.missing.first()
    {
        let _ = writeln!(out, "This would tell: {}", safe(&next.command));
    }
}

/// Everything, for scripts.
pub(super) fn json(outcome: &Outcome) -> String {
    let answers = outcome.answers.iter().map(|answer| {
        json!({
            "expect": answer.expected,
            "outcome": answer.met.slug(),
            "reason": answer.reason,
        })
    });
    let all = json!({
        "format": { "name": "wss-check", "major": 1, "minor": 0 },
        "target": outcome.target(),
        "met": outcome.count(Met::Yes) == outcome.answers.len(),
        "expectations": answers.collect::<Vec<_>>(),
        "bundle": outcome.bundle.as_ref().map(|path| path.display().to_string()),
        "diagnosis": outcome.judged.diagnosis,
    });
    format!("{all:#}\n")
}
