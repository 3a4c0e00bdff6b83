//! What was removed before a bundle left the machine. Never the value.

use crate::part::limited;
use crate::{Case, words};
use serde::Serialize;

/// Removals shown.
const COUNT: usize = 150;

#[derive(Debug, Serialize)]
pub(super) struct Removed {
    total: u64,
    removals: Vec<Removal>,
    more: usize,
}

#[derive(Debug, Serialize)]
struct Removal {
    vantage: String,
    entry: String,
    place: String,
    kind: String,
    count: u64,
}

impl Removed {
    pub(super) fn new(case: &Case<'_>) -> Self {
        let all = || {
            case.views.iter().flat_map(|view| view.bundle.redactions.iter().map(move |r| (view, r)))
        };
        let removals = all().map(|(view, removal)| Removal {
            vantage: view.name.clone(),
            entry: words::cut(&removal.entry, 120),
            place: words::cut(&removal.place, 160),
            kind: words::cut(&removal.kind, 60),
            count: removal.count,
        });
        let (removals, more) = limited(removals, COUNT);
        let total = all().map(|(_, removal)| removal.count).fold(0, u64::saturating_add);
        Self { total, removals, more }
    }
}
