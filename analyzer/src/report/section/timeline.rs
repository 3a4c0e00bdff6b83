//! A waterfall of the steps of each bundle.

use crate::report::{Case, words};
use serde::Serialize;
use wss_bundle::Step;

/// Width of the drawing, in its own units.
const WIDTH: f64 = 600.0;
/// Height of a line.
const LINE: f64 = 9.0;
/// Steps that are drawn of one bundle.
const COUNT: usize = 400;

#[derive(Debug, Serialize)]
pub(super) struct Timeline {
    charts: Vec<Chart>,
}

#[derive(Debug, Serialize)]
struct Chart {
    name: String,
    height: f64,
    total: String,
    bars: Vec<Bar>,
    left_out: Option<usize>,
}

#[derive(Debug, Serialize)]
struct Bar {
    anchor: String,
    x: f64,
    y: f64,
    width: f64,
    tone: &'static str,
    title: String,
}

/// The step's name in bundles.
pub(super) fn step_name(step: &Step) -> &'static str {
    match step {
        Step::Resolve(_) => "resolve",
        Step::Connect(_) => "connect",
        Step::Tunnel(_) => "tunnel",
        Step::Tls(_) => "tls",
        Step::Http(_) => "http",
        Step::Upgrade(_) => "upgrade",
        Step::Frames(_) => "frames",
        Step::Hold(_) => "hold",
    }
}

impl Timeline {
    pub(super) fn new(case: &Case<'_>) -> Self {
        let all: Vec<_> = case.in_order().collect();
        let charts = all
            .iter()
            .map(|bundle| {
                // Holds would squeeze everything else into a pixel; they have a chart of their own.
                let steps: Vec<_> = bundle
                    .observations
                    .observations
                    .iter()
                    .filter(|o| !matches!(o.step, Step::Hold(_)))
                    .collect();
                let end = steps.iter().map(|o| o.start_ms + o.duration_ms).fold(1.0, f64::max);
                let scale = WIDTH / end;
                let bars: Vec<Bar> = steps
                    .iter()
                    .take(COUNT)
                    .enumerate()
                    .map(|(at, o)| Bar {
                        anchor: words::anchor(&bundle.manifest.id, &o.id),
                        x: (o.start_ms * scale * 10.0).round() / 10.0,
                        y: at as f64 * LINE,
                        width: ((o.duration_ms * scale).max(1.0) * 10.0).round() / 10.0,
                        tone: if o.step.failure().is_some() { "bad" } else { "good" },
                        title: format!(
                            "{} {} {} {}: {}",
                            o.id,
                            o.probe,
                            step_name(&o.step),
                            o.route,
                            words::ms(o.duration_ms)
                        ),
                    })
                    .collect();
                Chart {
                    name: words::name(bundle, &all),
                    height: bars.len() as f64 * LINE + 2.0,
                    total: words::ms(end),
                    left_out: (steps.len() > COUNT).then(|| steps.len() - COUNT),
                    bars,
                }
            })
            .collect();
        Self { charts }
    }
}
