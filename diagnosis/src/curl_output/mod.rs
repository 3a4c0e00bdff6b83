//! Pasted output of the page's curl command (`--curl-output`), as a vantage of
//! its own: what an upgrade from there came to.
//!
//! One paste may hold several tests ([`wss_bundle::pasted::curl`] takes it apart);
//! each that is valid and about the case's target becomes a small bundle (`view`),
//! so that the rules can use it as the twin from the other side. It has one response
//! and nothing else: no lookup, no frames. A real bundle from the same side always
//! goes before it. What is no valid test becomes no bundle, and says why
//! ([`NoTest`]). What curl's errors are stands in one table (`errors`).

mod errors;
mod judge;
mod no_test;
#[cfg(test)]
mod tests;
mod view;

pub use no_test::NoTest;

use wss_bundle::pasted;
use wss_bundle::pasted::curl::Test;
use wss_bundle::{Attachment, AttachmentKind, Bundle, Vantage};

/// One test of a pasted output.
#[derive(Debug, Clone)]
pub struct Output {
    /// Id of the bundle that it is attached to.
    pub bundle: String,
    /// Its entry: `attachments/curl-output.txt`.
    pub entry: String,
    /// Which test it is: the entry, and of several the line at which it begins.
    pub id: String,
    /// Where it was made.
    pub vantage: Vantage,
    /// What it shows, in a few words: a status line, or curl's error.
    pub outcome: String,
    /// The bundle that it is good for, or why it is none.
    pub view: Result<Box<Bundle>, NoTest>,
    /// Whether another test of the same paste is a valid one, and this is something
    /// else that was tried beside it.
    pub beside: bool,
}

/// What follows a test's id in that of its proxy's answer to CONNECT.
pub(crate) const TUNNEL: &str = " (CONNECT)";

/// Every test in the outputs attached to these bundles, in a fixed order.
#[must_use]
pub fn all(bundles: &[Bundle]) -> Vec<Output> {
    let mut pastes: Vec<(&Bundle, &Attachment)> = bundles
        .iter()
        .flat_map(|bundle| bundle.attachments.iter().map(move |attachment| (bundle, attachment)))
        .filter(|(_, attachment)| attachment.kind == AttachmentKind::CurlOutput)
        .collect();
    pastes.sort_by(|(a, x), (b, y)| (&a.manifest.id, &x.name).cmp(&(&b.manifest.id, &y.name)));
    pastes.into_iter().flat_map(|(bundle, attachment)| read(bundle, attachment)).collect()
}

/// The bundles, where one of them has no probe of its own and a valid output from its
/// side: that stands for its probes. All else that was handed over stays beside it.
#[must_use]
pub fn in_place_of_probes(bundles: &[Bundle], pasted: &[Output]) -> Option<Vec<Bundle>> {
    let last = |bundle: &Bundle| {
        let own = |output: &&Output| {
            output.bundle == bundle.manifest.id && output.vantage == bundle.manifest.vantage
        };
        let unprobed = bundle.observations.observations.is_empty();
        let valid = |output: &Output| output.view.as_deref().ok().cloned();
        pasted.iter().filter(|_| unprobed).filter(own).filter_map(valid).next_back()
    };
    let views: Vec<Option<Bundle>> = bundles.iter().map(last).collect();
    views
        .iter()
        .any(Option::is_some)
        .then(|| bundles.iter().zip(views).map(|(bundle, view)| stood_in(bundle, view)).collect())
}

fn stood_in(bundle: &Bundle, view: Option<Bundle>) -> Bundle {
    let mut out = bundle.clone();
    let Some(view) = view else { return out };
    out.observations.routes = view.observations.routes;
    out.observations.observations = view.observations.observations;
    // The path that was tried decides.
    let paths = &mut out.observations.target.paths;
    for path in view.observations.target.paths.into_iter().rev() {
        paths.retain(|own| *own != path);
        paths.insert(0, path);
    }
    out
}

fn read(bundle: &Bundle, attachment: &Attachment) -> Vec<Output> {
    let tests = pasted::curl::read(&pasted::curl::text(&attachment.bytes)).tests;
    let vantage = attachment.vantage.unwrap_or(bundle.manifest.vantage);
    let entry = format!("attachments/{}", attachment.name);
    let output = |id: String, outcome: String, view| Output {
        bundle: bundle.manifest.id.clone(),
        entry: entry.clone(),
        id,
        vantage,
        outcome,
        view,
        beside: false,
    };
    // A command that was told of before it was run.
    let ran = |test: &&Test| test.has_an_outcome();
    let shown: Vec<&Test> = match tests.iter().filter(ran).count() {
        0 => tests.iter().take(1).collect(),
        _ => tests.iter().filter(ran).collect(),
    };
    if shown.is_empty() {
        return vec![output(entry.clone(), NOTHING.to_owned(), Err(NoTest::NoResponse))];
    }
    let several = shown.len() > 1;
    let mut found: Vec<Output> = shown
        .into_iter()
        .map(|test| {
            let id = if several { format!("{entry} line {}", test.line) } else { entry.clone() };
            let view = judge::judge(bundle, test)
                .map(|valid| Box::new(view::bundle(bundle, &id, vantage, &valid)));
            output(id, outcome(test), view)
        })
        .collect();
    let usable = found.iter().any(|output| output.view.is_ok());
    for output in &mut found {
        output.beside = usable && output.view.as_ref().is_err_and(NoTest::is_something_else);
    }
    found
}

/// Of a paste in which nothing is.
const NOTHING: &str = "no response in it";

/// What a test shows, in a few words.
fn outcome(test: &Test) -> String {
    let said = match (judge::answer(test), test.errors.last(), &test.said) {
        (Some((_, response)), ..) => response.status_line().to_owned(),
        (None, Some(error), _) => error.to_string(),
        (None, None, Some(said)) => said.clone(),
        (None, None, None) => match test.written {
            Some(status) => format!("status {status}"),
            None => NOTHING.to_owned(),
        },
    };
    said.chars().take(160).collect()
}
