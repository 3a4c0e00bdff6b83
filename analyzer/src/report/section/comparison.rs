//! The page's table of inside and outside, with the row that it lacks, and the
//! row that applies lit.

use crate::report::Case;
use serde::Serialize;
use wss_bundle::Vantage;
use wss_diagnosis::{Layer, LayerStatus};

#[derive(Debug, Serialize)]
pub(super) struct Comparison {
    rows: Vec<Row>,
    note: Option<String>,
    command: Option<String>,
}

#[derive(Debug, Serialize)]
struct Row {
    scenario: &'static str,
    location: &'static str,
    applies: bool,
}

const ROWS: [(bool, bool, &str, &str); 4] = [
    (
        false,
        true,
        "Fails from the corporate network, succeeds from outside",
        "Corporate proxy, firewall or VPN blocks WebSocket",
    ),
    (
        false,
        false,
        "Fails from both",
        "Load balancer or server: a misconfiguration on the server's side",
    ),
    (
        true,
        true,
        "Succeeds from both",
        "Specific to a browser: its extensions, or proxy settings of its own",
    ),
    (
        true,
        false,
        "Succeeds from the corporate network, fails from outside",
        "Usually intended: the console is meant for the inside alone",
    ),
];

impl Comparison {
    pub(super) fn new(case: &Case<'_>) -> Self {
        let works = |vantage: Vantage| works(case, vantage);
        let (inside, outside) = (works(Vantage::Inside), works(Vantage::Outside));
        let not_comparable = case
            .diagnosis
            .findings
            .iter()
            .find(|finding| finding.rule == "not-comparable")
            .map(|finding| finding.text.clone());
        let rows = ROWS
            .iter()
            .map(|(from_inside, from_outside, scenario, location)| Row {
                scenario,
                location,
                applies: not_comparable.is_none()
                    && inside == Some(*from_inside)
                    && outside == Some(*from_outside),
            })
            .collect();
        let has = |vantage: Vantage| case.bundles.iter().any(|b| b.manifest.vantage == vantage);
        let note = match (has(Vantage::Inside), has(Vantage::Outside)) {
            _ if not_comparable.is_some() => not_comparable,
            (true, false) => {
                Some("There is only a bundle from inside, so no row can be lit.".into())
            }
            (false, true) => {
                Some("There is only a bundle from outside, so no row can be lit.".into())
            }
            _ if inside.is_none() || outside.is_none() => {
                Some("Whether the upgrade works cannot be told for both sides.".into())
            }
            _ => None,
        };
        let how = case.diagnosis.checklist.iter().find(|item| item.item == "upgrade-test");
        Self { rows, note, command: how.and_then(|item| item.how.clone()) }
    }
}

/// Whether the console's socket works on the route that this vantage's settings
/// choose; `None` where it cannot be told.
fn works(case: &Case<'_>, vantage: Vantage) -> Option<bool> {
    // The newest of each side speaks.
    let bundle = case.in_order().filter(|b| b.manifest.vantage == vantage).last()?;
    let selected = bundle
        .observations
        .routes
        .iter()
        .find(|route| route.selected)
        .or_else(|| bundle.observations.routes.first())?;
    let ladder = case.diagnosis.routes.iter().find(|ladder| {
        ladder.bundle == bundle.manifest.id
            && ladder.route == selected.id.0
            && case.diagnosis.case.target.ends_with(&ladder.path)
    })?;
    let status = |layer: Layer| ladder.layers.iter().find(|l| l.layer == layer).map(|l| l.status);
    if ladder.layers.iter().any(|l| l.layer != Layer::Hold && l.status == LayerStatus::Fail) {
        return Some(false);
    }
    (status(Layer::Frames) == Some(LayerStatus::Pass)).then_some(true)
}
