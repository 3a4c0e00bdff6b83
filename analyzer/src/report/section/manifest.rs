//! The bundles themselves.

use crate::report::{Case, words};
use serde::Serialize;

#[derive(Debug, Serialize)]
pub(super) struct Manifests {
    bundles: Vec<Manifest>,
}

#[derive(Debug, Serialize)]
struct Manifest {
    name: String,
    id: String,
    case: String,
    collector: String,
    started: String,
    took: String,
    complete: bool,
    files: Vec<File>,
}

#[derive(Debug, Serialize)]
struct File {
    path: String,
    bytes: u64,
    sha256: String,
}

impl Manifests {
    pub(super) fn new(case: &Case<'_>) -> Self {
        let all: Vec<_> = case.in_order().collect();
        let bundles = all
            .iter()
            .map(|bundle| {
                let m = &bundle.manifest;
                let took = (m.finished_at - m.started_at).num_milliseconds();
                Manifest {
                    name: words::name(bundle, &all),
                    id: m.id.clone(),
                    case: m.case.clone(),
                    collector: format!(
                        "wss-collector {} on {} {}",
                        m.collector.version, m.collector.os, m.collector.arch
                    ),
                    started: words::time(m.started_at, bundle.environment.clock.utc_offset_minutes),
                    took: words::ms(took as f64),
                    complete: m.complete,
                    files: m
                        .files
                        .iter()
                        .take(200)
                        .map(|f| File {
                            path: f.path.clone(),
                            bytes: f.bytes,
                            sha256: f.sha256.clone(),
                        })
                        .collect(),
                }
            })
            .collect();
        Self { bundles }
    }
}
