//! Configurations that were given: the way of the request through them, what of
//! WebSocket gets lost there, and whether the probe saw it.

use crate::part::{Span, limited, prose};
use crate::{Case, words};
use serde::Serialize;
use wss_diagnosis::configuration::{Configured, ConfiguredIssue, Followed, Reading};

/// Files, lines and reasons shown.
const COUNT: usize = 40;
/// Longest line of a configuration.
const LINE: usize = 300;

#[derive(Debug, Serialize)]
pub(super) struct Configuration {
    files: Vec<Listed>,
    more: usize,
    programs: Vec<Read>,
}

#[derive(Debug, Serialize)]
struct Listed {
    name: String,
    what: String,
}

#[derive(Debug, Serialize)]
struct Read {
    program: &'static str,
    patch: bool,
    path: String,
    followed: Vec<Line>,
    issues: Vec<Lost>,
    untold: Vec<String>,
}

#[derive(Debug, Serialize)]
struct Line {
    place: String,
    line: String,
}

#[derive(Debug, Serialize)]
struct Lost {
    place: String,
    line: String,
    says: Vec<Span>,
    symbol: &'static str,
    seen: &'static str,
    finding: String,
}

impl Configuration {
    pub(super) fn new(case: &Case<'_>) -> Self {
        let nothing = Self { files: Vec::new(), more: 0, programs: Vec::new() };
        let Some(configured) = &case.diagnosis.configuration else { return nothing };
        let (files, more) = limited(
            configured.checked.files.iter().map(|file| Listed {
                name: words::cut(&file.name, 200),
                what: match (&file.error, file.program) {
                    (_, Some(program)) => format!("{}, {} lines", program.name(), file.lines),
                    (Some(error), None) => words::cut(error, 300),
                    (None, None) => format!("{} lines", file.lines),
                },
            }),
            COUNT,
        );
        let readings = configured.checked.readings.iter().enumerate();
        let programs = readings.map(|(at, reading)| read(case, configured, at, reading)).collect();
        Self { files, more, programs }
    }
}

fn read(case: &Case<'_>, configured: &Configured, at: usize, reading: &Reading) -> Read {
    let issues = configured.issues.iter().filter(|issue| issue.reading == at);
    Read {
        program: reading.program.name(),
        patch: !reading.patch.is_empty(),
        path: words::cut(&configured.path, 200),
        followed: reading.followed.iter().take(COUNT).map(line).collect(),
        issues: issues.filter_map(|issue| lost(case, reading, issue)).take(COUNT).collect(),
        untold: reading
            .untold
            .iter()
            .take(COUNT)
            .map(|untold| match &untold.place {
                Some(place) => words::cut(&format!("{place}: {}", untold.why), 400),
                None => words::cut(&untold.why, 400),
            })
            .chain(
                reading
                    .not_given
                    .iter()
                    .take(COUNT)
                    .map(|file| words::cut(&format!("{file} is included, and was not given"), 400)),
            )
            .collect(),
    }
}

fn line(followed: &Followed) -> Line {
    Line {
        place: words::cut(&followed.place.short(), 200),
        line: words::cut(&followed.line, LINE),
    }
}

/// An issue with the finding that was made of it.
fn lost(case: &Case<'_>, reading: &Reading, shown: &ConfiguredIssue) -> Option<Lost> {
    let issue = reading.issues.get(shown.issue)?;
    let finding = case.diagnosis.findings.get(shown.finding)?;
    Some(Lost {
        place: words::cut(&issue.place.short(), 200),
        line: words::cut(&issue.line, LINE),
        says: prose(&words::cut(&issue.says, 600)),
        symbol: words::severity_symbol(finding.severity),
        seen: if shown.seen { "the probe saw it" } else { "the probe did not show it" },
        finding: case.finding_anchor(finding),
    })
}
