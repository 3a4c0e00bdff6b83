//! The held connections on a time axis, with known defaults marked.

use crate::report::{Case, words};
use serde::Serialize;
use wss_bundle::Step;
use wss_bundle::observation::EndedBy;
use wss_bundle::transcript::ended;
use wss_diagnosis::signature::{idle_defaults, lifetime_limits};

/// Width of the drawing, in its own units.
const WIDTH: f64 = 640.0;
/// Height of a line.
const LINE: f64 = 26.0;

#[derive(Debug, Serialize)]
pub(super) struct Holds {
    bars: Vec<Bar>,
    ticks: Vec<Tick>,
    height: f64,
    axis: f64,
    summary: String,
}

#[derive(Debug, Serialize)]
struct Bar {
    y: f64,
    text_y: f64,
    width: f64,
    cut: bool,
    label: String,
    detail: String,
    defaults: Vec<String>,
}

#[derive(Debug, Serialize)]
struct Tick {
    x: f64,
    label: String,
}

fn round(value: f64) -> f64 {
    (value * 10.0).round() / 10.0
}

impl Holds {
    pub(super) fn new(case: &Case<'_>) -> Self {
        let all: Vec<_> = case.in_order().collect();
        let mut held = Vec::new();
        for bundle in &all {
            for o in &bundle.observations.observations {
                if let Step::Hold(hold) = &o.step
                    && let Some(seen) = hold.result.ok()
                {
                    let kind = if hold.ping_interval_ms.is_some() { "chatty" } else { "silent" };
                    let name = format!("{}, {}, {kind}", words::name(bundle, &all), o.route);
                    held.push((name, hold.planned_ms / 1e3, seen, kind == "chatty"));
                }
            }
        }
        let longest = held.iter().map(|(_, planned, seen, _)| planned.max(seen.held_ms / 1e3));
        let longest = longest.fold(1.0, f64::max);
        let scale = WIDTH / longest;
        let bars: Vec<Bar> = held
            .iter()
            .enumerate()
            .map(|(at, (name, planned, seen, chatty))| {
                let seconds = seen.held_ms / 1e3;
                let cut = seen.ending.how != EndedBy::StillOpen;
                let known = if *chatty { lifetime_limits(seconds) } else { idle_defaults(seconds) };
                let defaults = known
                    .iter()
                    .filter(|_| cut)
                    .take(4)
                    .map(|(product, limit, setting)| format!("{product}: {limit} s ({setting})"))
                    .collect();
                let detail = if cut {
                    format!("cut after {seconds:.1} s: {}", ended(&seen.ending))
                } else {
                    format!("still open after {planned:.0} s; a longer limit is unknown")
                };
                Bar {
                    y: at as f64 * LINE + 4.0,
                    text_y: at as f64 * LINE + 17.0,
                    width: round((seconds * scale).max(2.0)),
                    cut,
                    label: name.clone(),
                    detail,
                    defaults,
                }
            })
            .collect();
        let axis = bars.len() as f64 * LINE + 6.0;
        let ticks = (0..=4)
            .map(|at| {
                let seconds = longest * f64::from(at) / 4.0;
                let label = if longest < 10.0 {
                    format!("{seconds:.1} s")
                } else {
                    format!("{seconds:.0} s")
                };
                Tick { x: round(seconds * scale), label }
            })
            .collect();
        let summary =
            bars.iter().map(|bar| format!("{}: {}", bar.label, bar.detail)).collect::<Vec<_>>();
        Self { ticks, height: axis + 22.0, axis, summary: summary.join(". "), bars }
    }
}
