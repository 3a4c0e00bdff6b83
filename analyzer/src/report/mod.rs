//! A case as text: HTML for support, Markdown for the customer, JSON for scripts.
//!
//! The same case gives the same bytes: no clock, no randomness. Text from
//! bundles is escaped by the template engine (HTML) or by `markdown`, and
//! nowhere else.

pub mod html;
pub mod markdown;
pub mod section;
pub mod words;

use wss_bundle::{Bundle, Observation};
use wss_diagnosis::Diagnosis;

/// What a report is about.
#[derive(Debug, Clone, Copy)]
pub struct Case<'a> {
    /// The verdict on it.
    pub diagnosis: &'a Diagnosis,
    /// What it rests on.
    pub bundles: &'a [Bundle],
}

impl<'a> Case<'a> {
    /// The bundle with this id.
    #[must_use]
    pub fn bundle(&self, id: &str) -> Option<&'a Bundle> {
        self.bundles.iter().find(|bundle| bundle.manifest.id == id)
    }

    /// The bundles in the diagnosis' order: inside first, then by time.
    pub fn in_order(&self) -> impl Iterator<Item = &'a Bundle> {
        let case = *self;
        self.diagnosis.case.bundles.iter().filter_map(move |summary| case.bundle(&summary.id))
    }

    /// An observation of a bundle.
    #[must_use]
    pub fn observation(&self, bundle: &str, id: &str) -> Option<&'a Observation> {
        self.bundle(bundle)?.observations.observations.iter().find(|o| o.id == id)
    }
}

/// The contract's JSON.
///
/// # Errors
/// A value that JSON cannot hold, which would be a defect.
pub fn json(case: &Case<'_>) -> Result<String, String> {
    serde_json::to_string_pretty(case.diagnosis)
        .map(|text| format!("{text}\n"))
        .map_err(|error| error.to_string())
}
