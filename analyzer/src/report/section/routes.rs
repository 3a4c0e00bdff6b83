//! Routes × layers for every vantage; each failing cell tells why.

use crate::report::{Case, words};
use serde::Serialize;
use wss_diagnosis::Layer;

#[derive(Debug, Serialize)]
pub(super) struct Routes {
    layers: Vec<&'static str>,
    vantages: Vec<Vantage>,
}

#[derive(Debug, Serialize)]
struct Vantage {
    name: String,
    rows: Vec<Row>,
}

#[derive(Debug, Serialize)]
struct Row {
    route: String,
    path: String,
    selected: bool,
    cells: Vec<Cell>,
}

#[derive(Debug, Serialize)]
struct Cell {
    layer: &'static str,
    symbol: &'static str,
    word: &'static str,
    tone: &'static str,
    ms: Option<String>,
    detail: Option<String>,
}

impl Routes {
    pub(super) fn new(case: &Case<'_>) -> Self {
        let all: Vec<_> = case.in_order().collect();
        let vantages = all
            .iter()
            .map(|bundle| Vantage {
                name: words::name(bundle, &all),
                rows: case
                    .diagnosis
                    .routes
                    .iter()
                    .filter(|ladder| ladder.bundle == bundle.manifest.id)
                    .map(|ladder| Row {
                        route: ladder.route.clone(),
                        path: ladder.path.clone(),
                        selected: bundle
                            .observations
                            .routes
                            .iter()
                            .any(|route| route.selected && route.id.0 == ladder.route),
                        cells: ladder
                            .layers
                            .iter()
                            .map(|layer| {
                                let (symbol, word, tone) = words::layer(layer.status);
                                Cell {
                                    layer: layer.layer.slug(),
                                    symbol,
                                    word,
                                    tone,
                                    ms: layer.ms.map(words::ms),
                                    detail: layer.detail.as_ref().map(|d| words::cut(d, 300)),
                                }
                            })
                            .collect(),
                    })
                    .collect(),
            })
            .collect();
        Self { layers: Layer::ALL.iter().map(|layer| layer.slug()).collect(), vantages }
    }
}
