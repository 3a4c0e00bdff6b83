//! What people gave and the collector could not use: who gave it asks what became
//! of it.

use crate::part::limited;
use crate::{Case, words};
use serde::Serialize;

/// Things named.
const COUNT: usize = 30;
/// Longest text.
const TEXT: usize = 400;

#[derive(Debug, Serialize)]
pub(super) struct NotUsed {
    given: Vec<Given>,
    more: usize,
}

#[derive(Debug, Serialize)]
struct Given {
    from: String,
    option: String,
    name: String,
    reason: String,
    instead: String,
}

impl NotUsed {
    pub(super) fn new(case: &Case<'_>) -> Self {
        let all = case.views.iter().flat_map(|view| {
            view.bundle.manifest.not_used.iter().map(move |one| Given {
                from: view.name.clone(),
                option: words::cut(&one.option, 40),
                name: words::cut(&one.name, 160),
                reason: words::cut(&one.reason, TEXT),
                instead: words::cut(&one.instead, TEXT),
            })
        });
        let (given, more) = limited(all, COUNT);
        Self { given, more }
    }
}
