//! The browser's handshake beside the collector's own. The browser is to blame
//! only where both asked for the same by the same way, and the collector's
//! probes, its browser-like twin among them, work.

mod beside;
mod message;
mod only;
mod recorded;
mod recording;

pub(super) use beside::{BROWSER_AGREES, BROWSER_CUT, BROWSER_OTHER_WAY, BROWSER_WORKS};
pub(super) use message::BROWSER_MESSAGE;
pub(super) use only::{BROWSER_HTTP2, BROWSER_ONLY};
pub(super) use recorded::RECORDED_REFUSED;
pub(super) use recording::{BROWSER_ANSWERED, BROWSER_RECONNECTS, BROWSER_RECORDING_OLD};

pub(crate) use beside::speaks_against;
pub(crate) use recording::unexplained;

use super::Draft;
use crate::evidence::browser::{Difference, compare, course, meaning};
use crate::evidence::{BrowserView, BundleView, Evidence, Fate, Meaning};
use crate::model::{Next, NextStep, Severity};
use crate::suggest::run_again;
use wss_bundle::{Outcome, Step};

/// Who says so, for sentences.
pub(super) fn who(view: &BrowserView<'_>) -> String {
    let seen = view.seen;
    match (seen.live, &seen.browser) {
        (true, _) => seen.source.clone(),
        (false, Some(browser)) => format!("{browser} ({})", seen.source),
        (false, None) => seen.source.clone(),
    }
}

/// How it went, for sentences and citations.
pub(super) fn how(view: &BrowserView<'_>) -> String {
    let seen = view.seen;
    match view.fate {
        Fate::Works => "it works".into(),
        Fate::CutLater => {
            let at = seen.closed.as_ref().and_then(|closed| closed.at_ms);
            let at = at.map_or(String::new(), |ms| format!(" after {:.1} s", ms / 1e3));
            format!("it was cut{at}")
        }
        Fate::NoFrames => match meaning(seen) {
            Some(meaning) if meaning != Meaning::Unspecific => {
                format!("it opened, and {}", meaning.words())
            }
            _ => "it opened, and ended at once without a frame".into(),
        },
        Fate::Answered(status) => {
            let line = match &seen.response {
                Some(head) => head.status_line(),
                None => format!("status {status}"),
            };
            std::iter::once(line).chain(timed(seen)).collect::<Vec<_>>().join(", ")
        }
        Fate::Failed(meaning) => {
            let words = match (&seen.error, meaning) {
                (Some(error), _) => format!("{} ({error})", meaning.words()),
                // The course says so, with the time.
                (None, Meaning::Unspecific) if !timed(seen).is_empty() => String::new(),
                (None, _) => meaning.words(),
            };
            let words = Some(words).filter(|words| !words.is_empty());
            let all: Vec<String> = words.into_iter().chain(timed(seen)).collect();
            all.join(", ").replacen(
                "failed after",
                if all.len() == 1 { "it failed after" } else { "failed after" },
                1,
            )
        }
        Fate::NotTold => "it cannot be told how it went".into(),
    }
}

/// How long it took, of a recording; a live browser's times stand in the report.
fn timed(seen: &wss_bundle::BrowserHandshake) -> Vec<String> {
    if seen.live { Vec::new() } else { course(seen) }
}

pub(super) fn draft(
    severity: Severity,
    title: impl Into<String>,
    focus: &BundleView<'_>,
    view: &BrowserView<'_>,
) -> Draft {
    Draft::browser(severity, title, focus, view.seen, how(view))
}

/// Cites the collector's handshake that a browser's is compared with.
fn counterpart(focus: &BundleView<'_>, view: &BrowserView<'_>) -> Option<crate::model::Citation> {
    let id = compare(focus.bundle, view.seen)?.observation;
    let own = focus.bundle.observations.observations.iter().find(|o| o.id == id)?;
    let Step::Upgrade(upgrade) = &own.step else { return None };
    let excerpt = match &upgrade.result {
        Outcome::Ok(reply) => reply.head.status_line(),
        Outcome::Failed(failure) => failure.to_string(),
    };
    Some(focus.cite(own, excerpt))
}

fn differences(focus: &BundleView<'_>, view: &BrowserView<'_>) -> Vec<Difference> {
    compare(focus.bundle, view.seen).map(|compared| compared.differences).unwrap_or_default()
}

/// The differences as sentences; of the answers themselves the text tells already.
fn listed(differences: &[Difference]) -> String {
    let shown: Vec<String> = differences
        .iter()
        .filter(|one| one.what != "answer" && !one.what.starts_with("response"))
        .take(8)
        .map(|one| {
            let cut = |text: &str| text.chars().take(120).collect::<String>();
            format!(
                "{}: {} (browser), {} (collector)",
                one.what,
                cut(&one.browser),
                cut(&one.collector)
            )
        })
        .collect();
    match shown.as_slice() {
        [] => "Nothing else differs between the two requests.".to_owned(),
        some => format!("What differs between the two: {}.", some.join("; ")),
    }
}

pub(super) fn ask_a_browser(e: &Evidence<'_>) -> Vec<Next> {
    vec![run_again(e, NextStep::Browser, "--browser")]
}

/// What the failing browser says, when there is one that tells: the first, since
/// those run by the collector come before recordings. One that works speaks for
/// all, unless the collector ran the failing one itself.
pub(super) fn failing<'a>(focus: &BundleView<'a>) -> Option<BrowserView<'a>> {
    let all = focus.browsers();
    let told = all.iter().find(|view| view.fate != Fate::NotTold)?;
    told.fate.fails().then_some(*told)
}
