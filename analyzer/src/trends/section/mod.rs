//! The sections that count bundles and outcomes, one after another: devices,
//! how connections fail, what became of cases, and what was collected.

mod collection;
mod device;
mod failing;
mod outcome;

pub(super) use collection::{abstentions, bad, checklist, collectors};
pub(super) use device::{devices, proxies};
pub(super) use failing::{fingerprints, idle, layers};
pub(super) use outcome::{mending, remedies};

use super::part::Section;

/// Rows of a table that are shown.
const ROWS: usize = 40;
/// Bars of a drawing.
const BARS: usize = 15;

type Built = Result<Section, String>;

fn month(period: &str) -> &str {
    period.get(..7).unwrap_or(period)
}

fn span(first: &str, last: &str) -> String {
    if first == last { first.to_owned() } else { format!("{first} to {last}") }
}
