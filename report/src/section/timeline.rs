//! A waterfall of the steps of each bundle.

use crate::part::limited;
use crate::{Case, words};
use serde::Serialize;
use wss_bundle::{Observation, Step};

/// Steps that are drawn of one bundle. A usual one has sixty.
const COUNT: usize = 150;

#[derive(Debug, Serialize)]
pub(super) struct Timeline {
    charts: Vec<Chart>,
}

#[derive(Debug, Serialize)]
struct Chart {
    name: String,
    anchor: String,
    total: String,
    failed: usize,
    bars: Vec<Bar>,
    more: usize,
}

#[derive(Debug, Serialize)]
struct Bar {
    anchor: String,
    id: String,
    what: String,
    x: String,
    width: String,
    tone: &'static str,
    failed: bool,
    took: String,
}

impl Timeline {
    pub(super) fn new(case: &Case<'_>) -> Self {
        let charts = case
            .views
            .iter()
            .map(|view| {
                // Holds would squeeze everything else into a pixel; they have
                // a chart of their own.
                let steps: Vec<_> = view
                    .observations()
                    .filter(|(o, _)| !matches!(o.step, Step::Hold(_)))
                    .collect();
                let ends = steps.iter().map(|(o, _)| start(o) + took(o));
                let end = ends.fold(1.0, f64::max);
                let failed = steps.iter().filter(|(o, _)| o.step.failure().is_some()).count();
                let bars = steps.iter().map(|(o, anchor)| bar(o, anchor, end));
                let (bars, more) = limited(bars, COUNT);
                Chart {
                    name: view.name.clone(),
                    anchor: view.own_anchor("steps"),
                    total: words::ms(end),
                    failed,
                    bars,
                    more,
                }
            })
            .collect();
        Self { charts }
    }
}

fn start(o: &Observation) -> f64 {
    o.start_ms.clamp(0.0, 1e9)
}

fn took(o: &Observation) -> f64 {
    o.duration_ms.clamp(0.0, 1e9)
}

fn bar(o: &Observation, anchor: &str, end: f64) -> Bar {
    let failed = o.step.failure().is_some();
    let route = if o.route.is_direct() { "direct" } else { "proxy" };
    Bar {
        anchor: anchor.to_owned(),
        id: words::cut(&o.id, 12),
        what: words::cut(&format!("{} · {} · {route}", words::step(&o.step), o.probe), 44),
        x: words::percent(start(o), end),
        width: words::percent(took(o), end),
        tone: if failed { "bad" } else { "done" },
        failed,
        took: words::ms(o.duration_ms),
    }
}
