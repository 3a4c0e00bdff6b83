//! Before and after: the run that decides beside the one before it from the
//! same side, layer by layer.

use crate::part::{Span, prose};
use crate::{Case, words};
use serde::Serialize;
use wss_diagnosis::{LayerState, Verdict};

#[derive(Debug, Serialize)]
pub(super) struct Changes {
    pair: Option<Pair>,
}

#[derive(Debug, Serialize)]
struct Pair {
    before: String,
    before_anchor: String,
    after: String,
    after_anchor: String,
    verdict_before: Vec<Span>,
    verdict_after: Vec<Span>,
    route: Option<String>,
    resolved: Option<String>,
    rows: Vec<Row>,
    unchanged: bool,
}

#[derive(Debug, Serialize)]
struct Row {
    layer: String,
    changed: bool,
    before: Cell,
    after: Cell,
}

#[derive(Debug, Serialize)]
struct Cell {
    symbol: &'static str,
    tone: &'static str,
    words: String,
}

impl Changes {
    pub(super) fn new(case: &Case<'_>) -> Self {
        Self { pair: pair(case) }
    }
}

fn pair(case: &Case<'_>) -> Option<Pair> {
    let found = case.diagnosis.changes.as_ref()?;
    let (before, after) = (case.view(&found.before)?, case.view(&found.after)?);
    let time = |view: &crate::View<'_>| view.time(view.bundle.manifest.started_at);
    let differ = |a: &str, b: &str| (a != b).then(|| words::cut(&format!("{a} → {b}"), 300));
    let then = &found.verdict_before;
    let now = &case.diagnosis.verdict;
    Some(Pair {
        before: format!("{}, {}", before.name, time(before)),
        before_anchor: before.own_anchor("bundle"),
        after: format!("{}, {}", after.name, time(after)),
        after_anchor: after.own_anchor("bundle"),
        verdict_before: said(then),
        verdict_after: said(now),
        route: differ(&found.routes.0, &found.routes.1),
        resolved: match &found.resolved {
            (Some(a), Some(b)) => differ(a, b),
            _ => None,
        },
        unchanged: !found.layers.iter().any(|change| change.changed),
        rows: found
            .layers
            .iter()
            .map(|change| Row {
                layer: change.layer.to_string(),
                changed: change.changed,
                before: cell(&change.before),
                after: cell(&change.after),
            })
            .collect(),
    })
}

fn said(verdict: &Verdict) -> Vec<Span> {
    prose(&format!("{}: {}", words::status(verdict.status), words::cut(&verdict.summary, 300)))
}

fn cell(state: &LayerState) -> Cell {
    let (symbol, plain, tone) = words::layer(state.status);
    Cell { symbol, tone, words: words::cut(state.detail.as_deref().unwrap_or(plain), 200) }
}
