//! The page's sections: one view model each, with a partial of the same name in
//! `templates/section/`. A view model holds what is shown, and nothing else.

mod certificates;
mod checklist;
mod comparison;
mod devices;
mod findings;
mod gaps;
mod handshakes;
mod holds;
mod lookups;
mod machine;
mod manifest;
mod next;
mod observations;
mod path;
mod rivals;
mod routes;
mod timeline;
mod verdict;

use super::Case;
use serde::Serialize;

/// Every section, in the page's order: that in which a person asks.
pub const NAMES: [&str; 18] = [
    "verdict",
    "path",
    "checklist",
    "next",
    "findings",
    "comparison",
    "routes",
    "handshakes",
    "holds",
    "devices",
    "rivals",
    "timeline",
    "lookups",
    "certificates",
    "machine",
    "gaps",
    "observations",
    "manifest",
];

/// The whole page.
#[derive(Debug, Serialize)]
pub struct Page {
    verdict: verdict::Verdict,
    path: path::Path,
    checklist: checklist::Checklist,
    next: next::Next,
    findings: findings::Findings,
    comparison: comparison::Comparison,
    routes: routes::Routes,
    handshakes: handshakes::Handshakes,
    holds: holds::Holds,
    devices: devices::Devices,
    rivals: rivals::Rivals,
    timeline: timeline::Timeline,
    lookups: lookups::Lookups,
    certificates: certificates::Certificates,
    machine: machine::Machines,
    gaps: gaps::Gaps,
    observations: observations::Observations,
    manifest: manifest::Manifests,
}

impl Page {
    /// The page of a case.
    #[must_use]
    pub fn new(case: &Case<'_>) -> Self {
        Self {
            verdict: verdict::Verdict::new(case),
            path: path::Path::new(case),
            checklist: checklist::Checklist::new(case),
            next: next::Next::new(case),
            findings: findings::Findings::new(case),
            comparison: comparison::Comparison::new(case),
            routes: routes::Routes::new(case),
            handshakes: handshakes::Handshakes::new(case),
            holds: holds::Holds::new(case),
            devices: devices::Devices::new(case),
            rivals: rivals::Rivals::new(case),
            timeline: timeline::Timeline::new(case),
            lookups: lookups::Lookups::new(case),
            certificates: certificates::Certificates::new(case),
            machine: machine::Machines::new(case),
            gaps: gaps::Gaps::new(case),
            observations: observations::Observations::new(case),
            manifest: manifest::Manifests::new(case),
        }
    }
}
