//! The page's table of inside and outside, with the row that it lacks, and the
//! row that applies lit.

use crate::{Case, View, words};
use serde::Serialize;
use wss_bundle::Vantage;
use wss_diagnosis::{Layer, LayerState, LayerStatus, PastedOutput, RouteLadder};

#[derive(Debug, Serialize)]
pub(super) struct Comparison {
    sides: Vec<Side>,
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

/// How one side fared.
#[derive(Debug, Serialize)]
struct Side {
    name: String,
    symbol: &'static str,
    tone: &'static str,
    words: String,
}

impl Comparison {
    pub(super) fn new(case: &Case<'_>) -> Self {
        let not_comparable = case
            .diagnosis
            .findings
            .iter()
            .find(|finding| finding.rule == "not-comparable")
            .map(|finding| finding.text.clone());
        // Those that the diagnosis compared; else the newest of each side, to
        // show what there is.
        let compared = &case.diagnosis.compared;
        let speaks = |vantage: Vantage| {
            let of = |view: &&View<'_>| view.bundle.manifest.vantage == vantage;
            let ids = [&compared.focus, &compared.twin].into_iter().flatten();
            let chosen = ids.filter_map(|id| case.view(id)).find(of);
            chosen.or_else(|| case.views.iter().rfind(of))
        };
        let (inside, outside) = (speaks(Vantage::Inside), speaks(Vantage::Outside));
        let not_comparable = not_comparable.filter(|_| compared.twin.is_none());
        // Where no bundle speaks for a side, pasted output of curl may.
        let pasted = |vantage: Vantage| {
            let of = |output: &&PastedOutput| output.compared && output.vantage == vantage.as_str();
            compared.pasted.iter().find(of)
        };
        let state = |view: Option<&View<'_>>, vantage: Vantage| match pasted(vantage) {
            Some(output) => output.switched,
            None => works(case.deciding_ladder(view?)?),
        };
        let here = (state(inside, Vantage::Inside), state(outside, Vantage::Outside));
        let rows = ROWS
            .iter()
            .map(|(from_inside, from_outside, scenario, location)| Row {
                scenario,
                location,
                applies: not_comparable.is_none()
                    && here == (Some(*from_inside), Some(*from_outside)),
            })
            .collect();
        let note = match (inside, outside) {
            _ if not_comparable.is_some() => not_comparable,
            (Some(_), None) if pasted(Vantage::Outside).is_none() => {
                Some("Only one vantage: nobody has run it outside yet.".into())
            }
            (None, Some(_)) if pasted(Vantage::Inside).is_none() => {
                Some("Only one vantage: nobody has run it inside yet.".into())
            }
            _ if here.0.is_none() || here.1.is_none() => {
                Some("Whether the upgrade works cannot be told for both sides.".into())
            }
            _ => None,
        };
        let how = case.diagnosis.checklist.iter().find(|item| item.item == "upgrade-test");
        Self {
            sides: [(Vantage::Inside, inside), (Vantage::Outside, outside)]
                .into_iter()
                .filter_map(|(vantage, view)| match pasted(vantage) {
                    Some(output) => Some(pasted_side(output)),
                    None => Some(side(case, view?)),
                })
                .collect(),
            rows,
            note,
            command: how.and_then(|item| item.how.clone()),
        }
    }
}

fn side(case: &Case<'_>, view: &View<'_>) -> Side {
    let ladder = case.deciding_ladder(view);
    let (symbol, tone, outcome) = match ladder.and_then(works) {
        Some(true) => ("✓", "good", "works".to_owned()),
        Some(false) => ("✗", "bad", ladder.and_then(failure).unwrap_or_default()),
        None => ("?", "none", "cannot be told".to_owned()),
    };
    let route = view.selected().map_or_else(String::new, |route| format!(" by {route}"));
    let words = words::cut(&format!("{}{route}: {outcome}", case.path), 300);
    Side { name: view.name.clone(), symbol, tone, words }
}

/// A side that is known by pasted output of curl alone.
fn pasted_side(output: &PastedOutput) -> Side {
    let (symbol, tone) = match output.switched {
        Some(true) => ("✓", "good"),
        Some(false) => ("✗", "bad"),
        None => ("?", "none"),
    };
    let words = words::cut(&format!("pasted output of curl: {}", output.outcome), 300);
    Side { name: output.vantage.clone(), symbol, tone, words }
}

fn failure(ladder: &RouteLadder) -> Option<String> {
    let broken = ladder.layers.iter().find(|layer| layer.status == LayerStatus::Fail)?;
    let detail = broken.detail.as_deref().unwrap_or("failed");
    Some(format!("fails at {}: {detail}", broken.layer))
}

/// Whether the console's socket works on the route that a vantage's settings
/// choose; `None` where it cannot be told.
fn works(ladder: &RouteLadder) -> Option<bool> {
    let failed = |l: &LayerState| l.layer != Layer::Hold && l.status == LayerStatus::Fail;
    if ladder.layers.iter().any(failed) {
        return Some(false);
    }
    let frames = ladder.layers.iter().find(|l| l.layer == Layer::Frames)?;
    (frames.status == LayerStatus::Pass).then_some(true)
}
