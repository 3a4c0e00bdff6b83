//! The page's sections: one view model each, with a partial of the same name in
//! `templates/section/`. A view model holds what is shown, and nothing else;
//! how much of a hostile bundle is shown is bounded there.

use super::Case;
use serde::Serialize;

/// Declares each section once: its module, its partial, its place in the page.
macro_rules! sections {
    ($($name:ident: $model:ident,)*) => {
        $(mod $name;)*

        /// Every section, in the page's order: that in which a person asks.
        pub const NAMES: &[&str] = &[$(stringify!($name),)*];

        /// The whole page.
        #[derive(Debug, Serialize)]
        pub struct Page {
            $($name: $name::$model,)*
        }

        impl Page {
            /// The page of a case.
            #[must_use]
            pub fn new(case: &Case<'_>) -> Self {
                Self { $($name: $name::$model::new(case),)* }
            }
        }
    };
}

sections! {
    verdict: Verdict,
    path: Path,
    next: Next,
    checklist: Checklist,
    not_used: NotUsed,
    evidence: Evidence,
    remedy: Remedy,
    findings: Findings,
    comparison: Comparison,
    changes: Changes,
    routes: Routes,
    handshakes: Handshakes,
    browser: Browser,
    holds: Holds,
    timeline: Timeline,
    lookups: Lookups,
    certificates: Certificates,
    proxies: Proxies,
    devices: Devices,
    configuration: Configuration,
    machine: Machines,
    rivals: Rivals,
    gaps: Gaps,
    removed: Removed,
    observations: Observations,
    manifest: Manifests,
}
