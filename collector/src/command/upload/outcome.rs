//! What an answer means: sent, to be tried again, or not sent.

use super::Job;
use super::form::Form;
use crate::net::send::{NotSent, Sent};
use std::time::Duration;
use wss_bundle::target::Scheme;

/// Headers by which a store names what it took, or the request.
const REFERENCES: [&str; 9] = [
    "etag",
    "location",
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
        reference: Vec<(String, String)>,
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

pub(super) fn judge(job: &Job, result: &Result<Sent, NotSent>) -> Verdict {
    let put = matches!(job.form, Form::Put);
    match result {
        Ok(sent) => answered(job, sent, put),
        // A PUT twice is a PUT once; a form twice may be two tickets.
        Err(NotSent { failure, whole: true, .. }) if !put => Verdict::Failed {
            why: format!(
                "all of it was sent, and no answer came ({failure}): it may have arrived. Ask \
                 before sending it again"
            ),
        },
        Err(NotSent { failure, again: true, .. }) => {
            Verdict::Again { why: failure.to_string(), after: None }
        }
        Err(NotSent { failure, .. }) => Verdict::Failed { why: failure.to_string() },
    }
}

fn answered(job: &Job, sent: &Sent, put: bool) -> Verdict {
    let status = sent.head.status().unwrap_or_default();
    let line = sent.head.status_line();
    let body = sent.body.bytes.text();
    match status {
        200..=299 if !sent.whole => {
            Verdict::Failed { why: format!("{line} came before all of it was sent: not taken") }
        }
        200..=299 if is_page(sent) && (put || job.destination.target.scheme == Scheme::Http) => {
            Verdict::Failed {
                why: format!(
                    "{line} with a page{}: that is no store's answer; a portal or filter on the \
                     way gave it, or the URL is of a page",
                    title(&body).map(|title| format!(" ({title:?})")).unwrap_or_default()
                ),
            }
        }
        200..=299 => Verdict::Done { status: line, reference: reference(sent, &body) },
        300..=399 => {
            let to = sent.head.header("location").unwrap_or_default();
            let to = to.split(['?', '#']).next().unwrap_or_default();
            Verdict::Failed {
                why: format!(
                    "{line}: it is elsewhere ({to}); redirects are not followed, since \
                              nothing goes to a place that was not named"
                ),
            }
        }
        408 | 425 | 429 | 500 | 502 | 503 | 504 => {
            Verdict::Again { why: said(&line, &body), after: retry_after(sent) }
        }
        401 | 403 => Verdict::Failed {
            why: format!(
                "{}: the URL is not valid any more, or was not made for this (PUT needs a URL \
                 that was presigned for PUT)",
                said(&line, &body)
            ),
        },
        _ => Verdict::Failed { why: said(&line, &body) },
    }
}

/// Whether the answer is a document for people.
fn is_page(sent: &Sent) -> bool {
    let html = sent.head.header("content-type").is_some_and(|kind| {
        let kind = kind.to_ascii_lowercase();
        kind.starts_with("text/html") || kind.starts_with("application/xhtml")
    });
    let body = sent.body.bytes.text();
    let start = body.trim_start().get(..14).unwrap_or_default().to_ascii_lowercase();
    !body.trim().is_empty()
        && (html || start.starts_with("<!doctype html") || start.starts_with("<html"))
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

/// Seconds, or not understood (an HTTP date would need the server's clock).
fn retry_after(sent: &Sent) -> Option<Duration> {
    sent.head.header("retry-after")?.trim().parse().ok().map(Duration::from_secs)
}

fn reference(sent: &Sent, body: &str) -> Vec<(String, String)> {
    let cut = |text: &str| -> String { text.chars().take(SHOWN).collect() };
    let mut found: Vec<(String, String)> = sent
        .head
        .headers()
        .into_iter()
        .filter(|(name, _)| REFERENCES.contains(&name.to_ascii_lowercase().as_str()))
        .map(|(name, value)| (name, cut(&value)))
        .collect();
    let text = match is_page(sent) {
        true => title(body),
        false => body.lines().map(str::trim).find(|line| !line.is_empty()).map(str::to_owned),
    };
    if let Some(text) = text.filter(|text| !text.starts_with("<?xml")) {
        found.push(("Answer".to_owned(), cut(&text)));
    }
    found
}
