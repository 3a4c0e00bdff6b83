//! The bundles themselves.

use crate::part::limited;
use crate::{Case, words};
use serde::Serialize;

/// Entries shown of one bundle.
const COUNT: usize = 100;

#[derive(Debug, Serialize)]
pub(super) struct Manifests {
    bundles: Vec<Manifest>,
}

#[derive(Debug, Serialize)]
struct Manifest {
    name: String,
    anchor: String,
    id: String,
    case: String,
    ticket: Option<String>,
    target: String,
    collector: String,
    started: String,
    took: String,
    complete: bool,
    format: String,
    files: Vec<File>,
    more: usize,
}

#[derive(Debug, Serialize)]
struct File {
    path: String,
    bytes: u64,
    sha256: String,
}

impl Manifests {
    pub(super) fn new(case: &Case<'_>) -> Self {
        let bundles = case.views.iter().map(|view| {
            let m = &view.bundle.manifest;
            let took = m.finished_at.signed_duration_since(m.started_at).num_milliseconds();
            let (files, more) = limited(
                m.files.iter().map(|f| File {
                    path: words::cut(&f.path, 160),
                    bytes: f.bytes,
                    sha256: words::cut(&f.sha256, 64),
                }),
                COUNT,
            );
            let c = &m.collector;
            let collector = format!("wss-collector {} on {} {}", c.version, c.os, c.arch);
            Manifest {
                name: view.name.clone(),
                anchor: view.own_anchor("bundle"),
                id: words::cut(&m.id, 64),
                case: words::cut(&m.case, 120),
                ticket: m.ticket.as_deref().map(|ticket| words::cut(ticket, 120)),
                target: words::cut(&m.target.origin(), 300),
                collector: words::cut(&collector, 200),
                started: view.time(m.started_at),
                took: words::ms(took as f64),
                complete: m.complete,
                format: format!("{}.{}", m.format.major, m.format.minor),
                files,
                more,
            }
        });
        Self { bundles: bundles.collect() }
    }
}
