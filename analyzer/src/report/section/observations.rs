//! Every observation, with its raw JSON: what all of the above rests on.

use crate::report::case::OBSERVATIONS;
use crate::report::{Case, View, words};
use serde::Serialize;
use wss_bundle::Observation;

/// Longest raw JSON of one observation; the rest is in the bundle.
const RAW: usize = 2_500;
/// What all raw JSON together may take, so that a page of many bundles still opens.
const ALL_RAW: usize = 400_000;

#[derive(Debug, Serialize)]
pub(super) struct Observations {
    bundles: Vec<Of>,
}

#[derive(Debug, Serialize)]
struct Of {
    name: String,
    anchor: String,
    count: usize,
    rows: Vec<Row>,
    more: usize,
}

#[derive(Debug, Serialize)]
struct Row {
    anchor: String,
    transcript: Option<String>,
    id: String,
    probe: String,
    step: &'static str,
    route: String,
    path: String,
    start: String,
    took: String,
    outcome: String,
    symbol: &'static str,
    tone: &'static str,
    raw: String,
}

impl Observations {
    pub(super) fn new(case: &Case<'_>) -> Self {
        let mut left = ALL_RAW;
        let bundles = case
            .views
            .iter()
            .map(|view| {
                let count = view.bundle.observations.observations.len();
                Of {
                    name: view.name.clone(),
                    anchor: view.own_anchor("all"),
                    count,
                    rows: view.observations().map(|(o, at)| row(view, o, at, &mut left)).collect(),
                    more: count.saturating_sub(OBSERVATIONS),
                }
            })
            .collect();
        Self { bundles }
    }
}

fn row(view: &View<'_>, o: &Observation, anchor: &str, left: &mut usize) -> Row {
    let failed = o.step.failure().is_some();
    let raw = serde_json::to_string_pretty(&o.step).unwrap_or_default();
    let raw = words::cut_counted(&raw, RAW.min(*left));
    *left = left.saturating_sub(raw.len());
    Row {
        anchor: anchor.to_owned(),
        transcript: view.transcript_anchor(&o.id),
        id: words::cut(&o.id, 24),
        probe: words::cut(&o.probe, 40),
        step: words::step(&o.step),
        route: words::cut(&o.route.0, 80),
        path: words::cut(o.path.as_deref().unwrap_or_default(), 80),
        start: words::ms(o.start_ms),
        took: words::ms(o.duration_ms),
        outcome: words::cut(&words::outcome(&o.step), 160),
        symbol: if failed { "✗" } else { "✓" },
        tone: if failed { "bad" } else { "good" },
        raw,
    }
}
