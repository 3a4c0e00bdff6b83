//! A case as text: HTML for support, Markdown for the customer, JSON for scripts;
//! for the analyzer, and for the page that runs in a browser.
//!
//! The same case gives the same bytes: no clock, no randomness. Text from
//! bundles is escaped by the template engine (HTML) or by `markdown`, and
//! nowhere else.

pub mod case;
pub mod html;
pub mod markdown;
mod part;
pub mod section;
pub mod templates;
pub mod words;

pub use case::{Case, View};

use wss_bundle::read::Opened;
use wss_diagnosis::Diagnosis;

/// The contract's JSON.
///
/// # Errors
/// A value that JSON cannot hold, which would be a defect.
pub fn json(diagnosis: &Diagnosis) -> Result<String, String> {
    serde_json::to_string_pretty(diagnosis)
        .map(|text| format!("{text}\n"))
        .map_err(|error| error.to_string())
}

/// What mends the configurations that were given, as unified diffs: all lines of a
/// program's files at once, where any of them became a finding.
#[must_use]
pub fn patch(diagnosis: &Diagnosis) -> String {
    let Some(configured) = &diagnosis.configuration else { return String::new() };
    let readings = configured.checked.readings.iter().enumerate();
    readings
        .filter(|(at, _)| configured.issues.iter().any(|issue| issue.reading == *at))
        .map(|(_, reading)| reading.patch.as_str())
        .collect()
}

/// What there is to say of a bundle's integrity, but for its defects: which it is, and
/// whether all is well.
#[must_use]
pub fn verified(opened: &Opened) -> String {
    let manifest = &opened.bundle.manifest;
    let mut text = format!(
        "bundle {} of case {}, {}, {} entries\n",
        manifest.id.escape_debug(),
        manifest.case.escape_debug(),
        if manifest.complete { "complete" } else { "interrupted" },
        opened.entries.len()
    );
    if opened.bundle.defects.is_empty() {
        text.push_str("every checksum is right, and nothing is in it that should not be\n");
    }
    text
}
