//! The handshakes of the deciding path side by side, with lines marked that one
//! has and the other has not; then every transcript by itself.

use crate::report::{Case, words};
use serde::Serialize;
use std::collections::BTreeSet;
use wss_bundle::Bundle;
use wss_bundle::observation::probe;
use wss_bundle::transcript::{self, Transcript};

/// Longest transcript that is shown whole.
const SHOWN: usize = 6_000;
/// Transcripts that are shown of one bundle.
const COUNT: usize = 24;

#[derive(Debug, Serialize)]
pub(super) struct Handshakes {
    columns: Vec<Column>,
    others: Vec<Other>,
}

#[derive(Debug, Serialize)]
struct Column {
    title: String,
    command: String,
    anchor: String,
    lines: Vec<Line>,
}

#[derive(Debug, Serialize)]
struct Line {
    text: String,
    differs: bool,
}

#[derive(Debug, Serialize)]
struct Other {
    title: String,
    text: String,
}

impl Handshakes {
    pub(super) fn new(case: &Case<'_>) -> Self {
        let all: Vec<_> = case.in_order().collect();
        let mut columns: Vec<(String, String, Transcript)> = Vec::new();
        let mut others = Vec::new();
        for bundle in &all {
            let name = words::name(bundle, &all);
            let main = main_observation(case, bundle);
            for one in transcript::all(bundle).into_iter().take(COUNT) {
                let found = case.observation(&bundle.manifest.id, &one.observation);
                let what = found.map_or_else(String::new, |o| {
                    format!(
                        "{name}: {} {} by {}",
                        o.probe,
                        o.path.as_deref().unwrap_or_default(),
                        o.route
                    )
                });
                if main.as_deref() == Some(one.observation.as_str()) {
                    let anchor = words::anchor(&bundle.manifest.id, &one.observation);
                    columns.push((what, anchor, one));
                } else {
                    others.push(Other { title: what, text: words::cut(&one.text, SHOWN) });
                }
            }
        }
        Self { columns: compare(&columns), others }
    }
}

/// The upgrade on the route that the bundle's settings choose.
fn main_observation(case: &Case<'_>, bundle: &Bundle) -> Option<String> {
    let selected = bundle
        .observations
        .routes
        .iter()
        .find(|route| route.selected)
        .or_else(|| bundle.observations.routes.first())?;
    bundle
        .observations
        .observations
        .iter()
        .find(|o| {
            o.probe == probe::UPGRADE
                && o.route == selected.id
                && matches!(o.step, wss_bundle::Step::Upgrade(_))
                && o.path.as_deref().is_some_and(|p| case.diagnosis.case.target.ends_with(p))
        })
        .map(|o| o.id.clone())
}

/// What never counts as a difference: names, ports and times change by themselves.
fn essence(line: &str) -> Option<&str> {
    let shown = line.trim_start_matches(['<', '>', '*', ' ']).trim();
    let lower = shown.to_ascii_lowercase();
    let noise = lower.is_empty()
        || lower.starts_with("date:")
        || lower.starts_with("trying ")
        || lower.starts_with("connected to")
        || lower.starts_with("$ curl")
        || lower.starts_with("websocket: ping sent, its pong");
    (!noise).then_some(shown)
}

fn compare(columns: &[(String, String, Transcript)]) -> Vec<Column> {
    let sets: Vec<BTreeSet<&str>> =
        columns.iter().map(|(_, _, one)| one.text.lines().filter_map(essence).collect()).collect();
    columns
        .iter()
        .enumerate()
        .map(|(at, (title, anchor, one))| Column {
            title: title.clone(),
            anchor: anchor.clone(),
            command: one.command.clone(),
            lines: one
                .text
                .lines()
                .skip(1)
                .take(160)
                .map(|line| Line {
                    text: words::cut(line, 400),
                    differs: essence(line).is_some_and(|essence| {
                        sets.iter()
                            .enumerate()
                            .any(|(other, set)| other != at && !set.contains(essence))
                    }),
                })
                .collect(),
        })
        .collect()
}
