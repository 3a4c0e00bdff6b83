//! Every observation, with its raw JSON: what all of the above rests on.

use crate::case::OBSERVATIONS;
use crate::{Case, View, words};
use serde::Serialize;
use wss_bundle::{Observation, Step};

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
    failed: bool,
    json: String,
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
    let json = json(view, o);
    let json = words::cut_counted(&json, RAW.min(*left));
    *left = left.saturating_sub(json.len());
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
        failed: o.step.failure().is_some(),
        json,
    }
}

/// The step as JSON. A chain that an earlier step of the bundle has already is
/// named and not repeated: a dozen connections see the same.
fn json(view: &View<'_>, o: &Observation) -> String {
    if let Step::Tls(tls) = &o.step
        && let Some((first, _)) = view.observations().find(|(earlier, _)| {
            matches!(&earlier.step, Step::Tls(other) if other.chain == tls.chain)
        })
        && first.id != o.id
        && !tls.chain.is_empty()
        && let Ok(mut value) = serde_json::to_value(&o.step)
        && let Some(chain) = value.pointer_mut("/tls/chain")
    {
        *chain = format!("as in {}", first.id).into();
        return serde_json::to_string_pretty(&value).unwrap_or_default();
    }
    serde_json::to_string_pretty(&o.step).unwrap_or_default()
}
