//! What an answer means: sent, to be tried again, or not sent.

use super::Job;
use super::request::{Answer, NotSent};
use std::time::Duration;
use wss_bundle::target::Scheme;

/// Headers by which a store names what it took, or the request.
const REFERENCES: [&str; 9] = [
    "ETag",
    "Location",
    "x-amz-version-id",
    "x-amz-request-id",
    "x-amz-id-2",
    "x-goog-generation",
    "x-guploader-uploadid",
    "x-ms-request-id",
    "x-request-id",
];
/// Longest reference that is shown.
const SHOWN: usize = 200;

/// What an attempt came to.
pub(super) enum Verdict {
    /// It arrived.
    Done {
        /// The answer's status line.
        status: String,
        /// What the answer calls it.
        reference: Vec<(&'static str, String)>,
    },
    /// It did not, and may the next time.
    Again {
        /// Why.
        why: String,
        /// How long the server asks to wait.
        after: Option<Duration>,
    },
    /// It did not, and will not; or nobody can tell.
    Failed {
        /// Why.
        why: String,
    },
}

pub(super) fn judge(job: &Job, result: Result<Answer, NotSent>) -> Verdict {
    let put = job.form.is_none();
    match result {
        Ok(answer) => answered(&answer, put || job.destination.target.scheme == Scheme::Http),
        // A PUT twice is a PUT once; a form twice may be two tickets.
        Err(NotSent { why, whole: true, .. }) if !put => Verdict::Failed {
            why: format!(
                "all of it was sent, and no answer came ({why}): it may have arrived. Ask before \
                 sending it again"
            ),
        },
        Err(NotSent { why, again: true, .. }) => Verdict::Again { why, after: None },
        Err(NotSent { why, .. }) => Verdict::Failed { why },
    }
}

fn answered(answer: &Answer, no_pages: bool) -> Verdict {
    let (line, body) = (&answer.line, answer.body.as_str());
    let why = match answer.status {
        200..=299 if !answer.whole => format!("{line} came before all of it was sent: not taken"),
        200..=299 if no_pages && is_page(answer) => format!(
            "{line} with a page{}: that is no store's answer; a portal or filter on the way gave \
             it, or the URL is of a page",
            title(body).map(|title| format!(" ({title:?})")).unwrap_or_default()
        ),
        200..=299 => {
            return Verdict::Done { status: line.clone(), reference: reference(answer) };
        }
        300..=399 => {
            let to = answer.header("location").unwrap_or_default();
            let to = to.split(['?', '#']).next().unwrap_or_default();
            format!(
                "{line}: it is elsewhere ({to}); redirects are not followed, since nothing goes \
                 to a place that was not named"
            )
        }
        408 | 425 | 429 | 500 | 502 | 503 | 504 => {
            // Seconds, or not understood (an HTTP date would need the server's clock).
            let after = answer.header("retry-after").and_then(|after| after.trim().parse().ok());
            let after = after.map(Duration::from_secs);
            return Verdict::Again { why: said(line, body), after };
        }
        401 | 403 => format!(
            "{}: the URL is not valid any more, or was not made for this (PUT needs a URL that \
             was presigned for PUT)",
            said(line, body)
        ),
        _ => said(line, body),
    };
    Verdict::Failed { why }
}

/// Whether the answer is a document for people.
fn is_page(answer: &Answer) -> bool {
    let html = answer.header("content-type").is_some_and(|kind| {
        let kind = kind.to_ascii_lowercase();
        kind.starts_with("text/html") || kind.starts_with("application/xhtml")
    });
    let body = answer.body.trim();
    let start = body.get(..14).unwrap_or_default().to_ascii_lowercase();
    !body.is_empty() && (html || start.starts_with("<!doctype html") || start.starts_with("<html"))
}

fn title(body: &str) -> Option<String> {
    let lower = body.to_ascii_lowercase();
    let from = lower.find("<title")? + lower.get(lower.find("<title")?..)?.find('>')? + 1;
    let to = from + lower.get(from..)?.find("</title")?;
    let title: String = body.get(from..to)?.trim().chars().take(80).collect();
    (!title.is_empty()).then_some(title)
}

/// What a refusal says: the status, and the first words of an error of a store
/// (`<Code>`, `<Message>`) or of a plain text.
fn said(line: &str, body: &str) -> String {
    let between = |name: &str| {
        let from = body.find(&format!("<{name}>"))? + name.len() + 2;
        let to = from + body.get(from..)?.find("</")?;
        body.get(from..to)
    };
    let words = match (between("Code"), between("Message")) {
        (Some(code), Some(message)) => format!("{code}: {message}"),
        (Some(code), None) => code.to_owned(),
        _ => title(body).unwrap_or_else(|| {
            let first = body.lines().find(|line| !line.trim().is_empty()).unwrap_or_default();
            if first.trim_start().starts_with('<') {
                String::new()
            } else {
                first.trim().to_owned()
            }
        }),
    };
    let words: String = words.chars().take(SHOWN).collect();
    if words.is_empty() { line.to_owned() } else { format!("{line} ({words})") }
}

fn reference(answer: &Answer) -> Vec<(&'static str, String)> {
    let cut = |text: &str| -> String { text.chars().take(SHOWN).collect() };
    let header = |name| answer.header(name).map(|value| (name, cut(value)));
    let mut found: Vec<_> = REFERENCES.into_iter().filter_map(header).collect();
    let text = match is_page(answer) {
        true => title(&answer.body),
        false => answer.body.lines().map(str::trim).find(|l| !l.is_empty()).map(str::to_owned),
    };
    if let Some(text) = text.filter(|text| !text.starts_with("<?xml")) {
        found.push(("Answer", cut(&text)));
    }
    found
}
