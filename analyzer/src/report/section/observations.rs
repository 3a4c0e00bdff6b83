//! Every observation, with its raw JSON: what all of the above rests on.

use super::timeline::step_name;
use crate::report::{Case, words};
use serde::Serialize;

/// Longest raw JSON of one observation; the rest is in the bundle.
const RAW: usize = 2_500;

#[derive(Debug, Serialize)]
pub(super) struct Observations {
    bundles: Vec<Of>,
}

#[derive(Debug, Serialize)]
struct Of {
    name: String,
    count: usize,
    rows: Vec<Row>,
}

#[derive(Debug, Serialize)]
struct Row {
    anchor: String,
    id: String,
    probe: String,
    step: &'static str,
    route: String,
    path: String,
    start: String,
    took: String,
    outcome: String,
    tone: &'static str,
    raw: String,
}

impl Observations {
    pub(super) fn new(case: &Case<'_>) -> Self {
        let all: Vec<_> = case.in_order().collect();
        let bundles = all
            .iter()
            .map(|bundle| Of {
                name: words::name(bundle, &all),
                count: bundle.observations.observations.len(),
                rows: bundle
                    .observations
                    .observations
                    .iter()
                    .map(|o| Row {
                        anchor: words::anchor(&bundle.manifest.id, &o.id),
                        id: o.id.clone(),
                        probe: o.probe.clone(),
                        step: step_name(&o.step),
                        route: o.route.0.clone(),
                        path: o.path.clone().unwrap_or_default(),
                        start: words::ms(o.start_ms),
                        took: words::ms(o.duration_ms),
                        outcome: words::cut(&outcome(&o.step), 160),
                        tone: if o.step.failure().is_some() { "bad" } else { "good" },
                        raw: words::cut(
                            &serde_json::to_string_pretty(&o.step).unwrap_or_default(),
                            RAW,
                        ),
                    })
                    .collect(),
            })
            .collect();
        Self { bundles }
    }
}

fn outcome(step: &wss_bundle::Step) -> String {
    use wss_bundle::Step;
    if let Some(failure) = step.failure() {
        return failure.to_string();
    }
    let line = match step {
        Step::Resolve(s) => s.result.ok().map(|found| {
            found.addresses.iter().map(ToString::to_string).collect::<Vec<_>>().join(", ")
        }),
        Step::Connect(s) => Some(s.address.to_string()),
        Step::Tunnel(s) => {
            s.result.ok().and_then(|reply| reply.head.as_ref()).map(|head| head.status_line())
        }
        Step::Tls(s) => s.result.ok().map(|session| {
            format!("{} {}", session.version, session.alpn.as_deref().unwrap_or("no ALPN"))
        }),
        Step::Http(s) => s.result.ok().map(|reply| reply.head.status_line()),
        Step::Upgrade(s) => s.result.ok().map(|reply| reply.head.status_line()),
        Step::Frames(s) => s.result.ok().map(|seen| match seen.pong_ms {
            Some(ms) => format!("Pong after {}", words::ms(ms)),
            None => "no Pong".to_owned(),
        }),
        Step::Hold(s) => s.result.ok().map(|held| {
            format!("{:.1} s: {}", held.held_ms / 1e3, wss_bundle::transcript::ended(&held.ending))
        }),
    };
    line.unwrap_or_default()
}
