//! Routes × layers for every vantage; each cell opens to its detail.

use crate::part::limited;
use crate::{Case, View, words};
use serde::Serialize;
use wss_diagnosis::{Layer, RouteLadder};

/// Ladders shown of one bundle.
const LADDERS: usize = 60;

#[derive(Debug, Serialize)]
pub(super) struct Routes {
    layers: Vec<&'static str>,
    vantages: Vec<Vantage>,
}

#[derive(Debug, Serialize)]
struct Vantage {
    name: String,
    rows: Vec<Row>,
    more: usize,
}

#[derive(Debug, Serialize)]
struct Row {
    route: String,
    path: String,
    selected: bool,
    decides: bool,
    cells: Vec<Cell>,
}

#[derive(Debug, Serialize)]
struct Cell {
    symbol: &'static str,
    word: &'static str,
    tone: &'static str,
    ms: Option<String>,
    detail: Option<String>,
}

impl Routes {
    pub(super) fn new(case: &Case<'_>) -> Self {
        let vantages = case
            .views
            .iter()
            .map(|view| {
                let ladders = case.diagnosis.routes.iter();
                let own = ladders.filter(|ladder| ladder.bundle == view.bundle.manifest.id);
                let mut own: Vec<Row> = own.map(|ladder| row(case, view, ladder)).collect();
                // What decides first, then what else the chosen route shows.
                own.sort_by_key(|row| (!row.decides, !row.selected));
                let (rows, more) = limited(own, LADDERS);
                Vantage { name: view.name.clone(), rows, more }
            })
            .collect();
        Self { layers: Layer::ALL.iter().map(|layer| layer.slug()).collect(), vantages }
    }
}

fn row(case: &Case<'_>, view: &View<'_>, ladder: &RouteLadder) -> Row {
    let selected = view.selected().is_some_and(|route| route.0 == ladder.route);
    let compared = &case.diagnosis.compared;
    // An earlier run is there to compare with.
    let speaks = [&compared.focus, &compared.twin]
        .into_iter()
        .any(|id| id.as_deref() == Some(view.bundle.manifest.id.as_str()));
    Row {
        route: words::cut(&ladder.route, 80),
        path: words::cut(&ladder.path, 80),
        selected,
        decides: speaks && selected && ladder.path == case.path,
        cells: ladder
            .layers
            .iter()
            .map(|layer| {
                let (symbol, word, tone) = words::layer(layer.status);
                Cell {
                    symbol,
                    word,
                    tone,
                    ms: layer.ms.map(words::ms),
                    detail: layer.detail.as_ref().map(|detail| words::cut(detail, 300)),
                }
            })
            .collect(),
    }
}
