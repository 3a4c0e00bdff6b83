//! The deciding handshake beside its best twin, line by line, with the lines
//! marked that differ; then every transcript by itself.

use crate::part::limited;
use crate::{Case, View, words};
use serde::Serialize;
use wss_bundle::observation::probe;
use wss_bundle::transcript::Transcript;
use wss_bundle::{Observation, Step};
use wss_diagnosis::DeviceRole;
use wss_diagnosis::evidence::{authorships, worth_listing};

/// Longest transcript that is shown whole.
const SHOWN: usize = 4_000;
/// Lines compared of each side: aligning is quadratic.
const LINES: usize = 120;
/// Longest line compared.
const LINE: usize = 400;
/// Responses whose author is listed.
const ANSWERS: usize = 40;

#[derive(Debug, Serialize)]
pub(super) struct Handshakes {
    left: Option<Side>,
    right: Option<Side>,
    rows: Vec<Row>,
    alike: bool,
    authors: Vec<Answered>,
    more: usize,
    transcripts: Vec<Shown>,
}

/// Who wrote one response.
#[derive(Debug, Serialize)]
struct Answered {
    title: String,
    transcript: Option<String>,
    observation: Option<String>,
    line: String,
    who: Option<String>,
    role: &'static str,
    sure: &'static str,
    because: Vec<String>,
    passed_on: Vec<String>,
}

#[derive(Debug, Serialize)]
struct Side {
    title: String,
    transcript: Option<String>,
}

#[derive(Debug, Serialize)]
struct Row {
    left: String,
    right: String,
    differs: bool,
}

#[derive(Debug, Serialize)]
struct Shown {
    anchor: String,
    observation: Option<String>,
    title: String,
    answer: String,
    command: String,
    text: String,
}

/// One handshake of one bundle.
#[derive(Clone, Copy)]
struct Handshake<'v, 'a> {
    view: &'v View<'a>,
    observation: &'a Observation,
    transcript: &'v Transcript,
}

impl Handshakes {
    pub(super) fn new(case: &Case<'_>) -> Self {
        let left = case.views.iter().find_map(|view| deciding(case, view));
        let right = left.and_then(|left| twin(case, left));
        let rows = match (left, right) {
            (Some(left), Some(right)) => align(&lines(left.transcript), &lines(right.transcript)),
            _ => Vec::new(),
        };
        let (authors, more) = limited(case.views.iter().flat_map(|v| answered(case, v)), ANSWERS);
        Self {
            authors,
            more,
            left: left.filter(|_| right.is_some()).map(side),
            right: right.map(side),
            alike: !rows.is_empty() && !rows.iter().any(|row| row.differs),
            rows,
            transcripts: case.views.iter().flat_map(shown).collect(),
        }
    }
}

/// Who answered, request by request; holds repeat the upgrade's answer.
fn answered(case: &Case<'_>, view: &View<'_>) -> Vec<Answered> {
    let all = authorships(view.bundle, case.signatures);
    let listed = all.into_iter().filter_map(|one| {
        let o = view.observation(&one.observation)?;
        if !worth_listing(o) {
            return None;
        }
        let short = |texts: &[String]| texts.iter().map(|text| words::cut(text, 300)).collect();
        Some(Answered {
            title: title(view, o),
            transcript: view.transcript_anchor(&o.id),
            observation: view.anchor(&o.id).map(str::to_owned),
            line: words::cut(&one.line, 120),
            who: one.who.as_ref().map(|who| words::cut(who, 120)),
            role: one.role.map_or("", DeviceRole::slug),
            sure: one.confidence.slug(),
            because: short(&one.because),
            passed_on: short(&one.passed_on),
        })
    });
    listed.take(ANSWERS + 1).collect()
}

fn all<'v, 'a>(view: &'v View<'a>) -> impl Iterator<Item = Handshake<'v, 'a>> {
    view.transcripts.iter().filter_map(move |transcript| {
        let observation = view.observation(&transcript.observation)?;
        Some(Handshake { view, observation, transcript })
    })
}

/// The upgrade of the deciding path on the route that the bundle's settings choose.
fn deciding<'v, 'a>(case: &Case<'_>, view: &'v View<'a>) -> Option<Handshake<'v, 'a>> {
    let route = view.selected()?;
    all(view).find(|one| {
        let o = one.observation;
        o.probe == probe::UPGRADE && o.route == *route && o.path.as_deref() == Some(&case.path)
    })
}

/// What tells most beside it: the same from the other side, from another time,
/// by another route, as a browser sends it; an answer that differs before one
/// that does not.
fn twin<'v, 'a>(case: &'v Case<'a>, left: Handshake<'v, 'a>) -> Option<Handshake<'v, 'a>> {
    let same_bundle = |one: &Handshake<'v, 'a>| std::ptr::eq(one.view, left.view);
    let vantage = |one: &Handshake<'v, 'a>| one.view.bundle.manifest.vantage;
    let elsewhere = case.views.iter().rev().filter_map(|view| deciding(case, view));
    let elsewhere = elsewhere.filter(|one| !same_bundle(one));
    let beside = all(left.view).filter(|one| {
        one.observation.id != left.observation.id
            && one.observation.path == left.observation.path
            && matches!(one.observation.step, Step::Upgrade(_))
    });
    let rank = |one: &Handshake<'v, 'a>| {
        let same_answer = status(one.observation) == status(left.observation);
        let nearness = if !same_bundle(one) {
            usize::from(vantage(one) == vantage(&left))
        } else if one.observation.probe == probe::UPGRADE {
            2
        } else {
            3
        };
        (same_bundle(one) && same_answer, nearness)
    };
    elsewhere.chain(beside).min_by_key(rank)
}

fn status(observation: &Observation) -> Option<u16> {
    match &observation.step {
        Step::Upgrade(step) => step.result.ok()?.head.status(),
        _ => None,
    }
}

fn title(view: &View<'_>, o: &Observation) -> String {
    let path = o.path.as_deref().unwrap_or_default();
    words::cut(&format!("{}: {} {path}, {}", view.name, o.probe, o.route.way()), 200)
}

fn side(one: Handshake<'_, '_>) -> Side {
    Side {
        title: title(one.view, one.observation),
        transcript: one.view.transcript_anchor(&one.observation.id),
    }
}

fn shown<'v>(view: &'v View<'_>) -> impl Iterator<Item = Shown> + 'v {
    all(view).filter_map(move |one| {
        Some(Shown {
            anchor: view.transcript_anchor(&one.observation.id)?,
            observation: view.anchor(&one.observation.id).map(str::to_owned),
            title: title(view, one.observation),
            answer: words::cut(&words::outcome(&one.observation.step), 120),
            command: one.transcript.command.clone(),
            text: words::cut_counted(&one.transcript.text.replace('\r', ""), SHOWN),
        })
    })
}

/// The lines that are compared. The transcript has the response's head twice,
/// as `curl -v` and as `curl -i` print it; here once is enough.
fn lines(transcript: &Transcript) -> Vec<String> {
    let text = &transcript.text;
    let again = (!transcript.response.is_empty()).then(|| text.rfind(&transcript.response));
    let (before, after) = match again.flatten() {
        Some(at) => (&text[..at], &text[at + transcript.response.len()..]),
        None => (text.as_str(), ""),
    };
    let body = transcript.response.rsplit("\r\n\r\n").next().unwrap_or_default();
    let command = 1;
    let kept = before.lines().skip(command).chain(body.lines()).chain(after.lines());
    kept.map(|line| words::cut(line.trim_end(), LINE)).take(LINES).collect()
}

/// What of a line counts in a comparison; nothing of names, ports and times,
/// which change by themselves.
fn essence(line: &str) -> &str {
    let shown = line.trim_start_matches(['<', '>', '*', ' ']).trim();
    for noise in ["Date:", "Trying ", "Connected to", "start date:", "expire date:", "Host:"] {
        let begins = shown.get(..noise.len()).is_some_and(|b| b.eq_ignore_ascii_case(noise));
        if begins {
            return noise;
        }
    }
    if shown.starts_with("WebSocket: Ping sent, its Pong") { "pong" } else { shown }
}

/// The longest common subsequence, by what counts; what is in one alone stands
/// beside a gap, or beside what is there instead.
fn align(left: &[String], right: &[String]) -> Vec<Row> {
    let same = |i: usize, j: usize| essence(&left[i]) == essence(&right[j]);
    let mut longest = vec![vec![0_usize; right.len() + 1]; left.len() + 1];
    for i in (0..left.len()).rev() {
        for j in (0..right.len()).rev() {
            longest[i][j] = if same(i, j) {
                longest[i + 1][j + 1] + 1
            } else {
                longest[i + 1][j].max(longest[i][j + 1])
            };
        }
    }
    let (mut i, mut j) = (0, 0);
    let (mut rows, mut lone): (Vec<Row>, [Vec<&str>; 2]) = (Vec::new(), [Vec::new(), Vec::new()]);
    while i < left.len() || j < right.len() {
        if i < left.len() && j < right.len() && same(i, j) {
            flush(&mut rows, &mut lone);
            rows.push(Row { left: left[i].clone(), right: right[j].clone(), differs: false });
            (i, j) = (i + 1, j + 1);
        } else if j == right.len() || (i < left.len() && longest[i + 1][j] >= longest[i][j + 1]) {
            lone[0].push(&left[i]);
            i += 1;
        } else {
            lone[1].push(&right[j]);
            j += 1;
        }
    }
    flush(&mut rows, &mut lone);
    rows
}

fn flush(rows: &mut Vec<Row>, lone: &mut [Vec<&str>; 2]) {
    let at = |side: &[&str], row: usize| side.get(row).map_or("", |line| line).to_owned();
    for row in 0..lone[0].len().max(lone[1].len()) {
        let (left, right) = (at(&lone[0], row), at(&lone[1], row));
        // An empty line (`>`, `<`) says nothing by being there.
        let differs = !(essence(&left).is_empty() && essence(&right).is_empty());
        rows.push(Row { left, right, differs });
    }
    *lone = [Vec::new(), Vec::new()];
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_of_one_side_alone_are_marked() {
        let text = |lines: &[&str]| -> Vec<String> { lines.iter().map(|l| (*l).into()).collect() };
        let left = text(&["> GET /", "< HTTP/1.1 400 Bad Request", "< Date: a", "<"]);
        let right = text(&["> GET /", "< HTTP/1.1 101 Switching", "< Upgrade: x", "< date: b", "<"]);
        let rows = align(&left, &right);
        let shown: Vec<_> =
            rows.iter().map(|r| (r.left.as_str(), r.right.as_str(), r.differs)).collect();
        assert_eq!(
            shown,
            [
                ("> GET /", "> GET /", false),
                ("< HTTP/1.1 400 Bad Request", "< HTTP/1.1 101 Switching", true),
                ("", "< Upgrade: x", true),
                ("< Date: a", "< date: b", false),
                ("<", "<", false),
            ]
        );
    }
}
