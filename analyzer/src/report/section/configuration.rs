//! Configurations that were given: the way of the request through them, what of
//! WebSocket gets lost there, and whether the probe saw it.

use crate::report::part::{Span, limited, prose};
use crate::report::{Case, View, words};
use serde::Serialize;
use wss_bundle::AttachmentKind;
use wss_diagnosis::Severity;
use wss_diagnosis::configuration::{Followed, Issue, Program, Request, check};

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
        let Some(view) = given(case) else { return nothing };
        let target = &view.bundle.manifest.target;
        let request =
            Request { host: &target.host, port: target.port, path: &case.path, version: None };
        let version = |program: Program| version(case, program);
        let Some(checked) = check(&view.bundle.attachments, &request, version) else {
            return nothing;
        };
        let (files, more) = limited(
            checked.files.iter().map(|file| Listed {
                name: words::cut(&file.name, 200),
                what: match (&file.error, file.program) {
                    (_, Some(program)) => format!("{}, {} lines", program.name(), file.lines),
                    (Some(error), None) => words::cut(error, 300),
                    (None, None) => format!("{} lines", file.lines),
                },
            }),
            COUNT,
        );
        let programs = checked
            .readings
            .iter()
            .map(|reading| Read {
                program: reading.program.name(),
                path: words::cut(&case.path, 200),
                followed: reading.followed.iter().take(COUNT).map(line).collect(),
                issues: reading.issues.iter().filter_map(|i| lost(case, i)).take(COUNT).collect(),
                untold: reading
                    .untold
                    .iter()
                    .take(COUNT)
                    .map(|untold| match &untold.place {
                        Some(place) => words::cut(&format!("{place}: {}", untold.why), 400),
                        None => words::cut(&untold.why, 400),
                    })
                    .collect(),
            })
            .collect();
        Self { files, more, programs }
    }
}

/// The bundle whose files count: the newest from inside, else from outside, else
/// the newest that has any, as the rules choose.
fn given<'v, 'a>(case: &'v Case<'a>) -> Option<&'v View<'a>> {
    let newest = |vantage: wss_bundle::Vantage| {
        case.views.iter().rev().find(move |view| view.bundle.manifest.vantage == vantage)
    };
    let inside = newest(wss_bundle::Vantage::Inside);
    let outside = newest(wss_bundle::Vantage::Outside);
    inside.into_iter().chain(outside).chain(case.views.iter().rev()).find(|view| {
        view.bundle.attachments.iter().any(|one| one.kind == AttachmentKind::Configuration)
    })
}

fn version(case: &Case<'_>, program: Program) -> Option<(u32, u32, u32)> {
    let device = case.diagnosis.devices.iter().find(|device| {
        device.product.as_deref().is_some_and(|p| p.eq_ignore_ascii_case(program.name()))
    })?;
    let mut parts = device.version.as_deref()?.split('.').map(|part| part.parse().ok());
    Some((parts.next()??, parts.next()??, parts.next().flatten().unwrap_or(0)))
}

fn line(followed: &Followed) -> Line {
    Line {
        place: words::cut(&followed.place.to_string(), 200),
        line: words::cut(&followed.line, LINE),
    }
}

/// An issue with the finding that was made of it; without one it says nothing.
fn lost(case: &Case<'_>, issue: &Issue) -> Option<Lost> {
    let start = format!("{}: ", issue.place);
    let finding = case.diagnosis.findings.iter().find(|finding| {
        finding.rule.starts_with("config-")
            && finding.title.starts_with(&start)
            && finding.text.contains(&issue.says)
    })?;
    let confirmed = finding.severity == Severity::Error;
    Some(Lost {
        place: words::cut(&issue.place.to_string(), 200),
        line: words::cut(&issue.line, LINE),
        says: prose(&words::cut(&issue.says, 600)),
        symbol: words::severity_symbol(finding.severity),
        seen: if confirmed { "the probe saw it" } else { "the probe did not show it" },
        finding: case.finding_anchor(finding),
    })
}
