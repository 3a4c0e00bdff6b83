//! Parts that several sections show: citations, remedies, commands. Each has a
//! partial of its name in `templates/part/`.

use super::{Case, words};
use serde::Serialize;
use wss_diagnosis::{Citation, Finding, Remedy};

/// Citations shown of one finding.
const CITATIONS: usize = 12;
/// Longest excerpt.
const EXCERPT: usize = 400;

/// Keeps the first so many, and says how many were left out.
pub(super) fn limited<T>(all: impl IntoIterator<Item = T>, most: usize) -> (Vec<T>, usize) {
    let mut all = all.into_iter();
    let kept: Vec<T> = all.by_ref().take(most).collect();
    (kept, all.count())
}

/// A piece of a sentence: plain, or code where it stands between backticks.
#[derive(Debug, PartialEq, Eq, Serialize)]
pub(super) struct Span {
    pub(super) code: bool,
    pub(super) text: String,
}

/// A sentence of the diagnosis, its code set apart.
pub(super) fn prose(text: &str) -> Vec<Span> {
    let pieces: Vec<&str> = text.split('`').collect();
    // Without a partner a backtick is a character like any other.
    if pieces.len().is_multiple_of(2) {
        return vec![Span { code: false, text: text.to_owned() }];
    }
    let spans = pieces.into_iter().enumerate().filter(|(_, piece)| !piece.is_empty());
    spans.map(|(at, piece)| Span { code: at % 2 == 1, text: piece.to_owned() }).collect()
}

/// Observations that show something, with links to them and to their transcripts.
#[derive(Debug, Serialize)]
pub(super) struct Citations {
    citations: Vec<Cited>,
    more: usize,
}

#[derive(Debug, Serialize)]
struct Cited {
    vantage: String,
    observation: String,
    what: String,
    excerpt: String,
    anchor: Option<String>,
    transcript: Option<String>,
}

impl Citations {
    pub(super) fn new(case: &Case<'_>, finding: &Finding) -> Self {
        let all = finding.evidence.iter().map(|citation| cited(case, citation));
        let (citations, more) = limited(all, CITATIONS);
        Self { citations, more }
    }
}

fn cited(case: &Case<'_>, citation: &Citation) -> Cited {
    let view = case.view(&citation.bundle);
    let o = view.and_then(|view| view.observation(&citation.observation));
    let browser = view.and_then(|view| view.browser_anchor(&citation.observation));
    let pasted = case.pasted(citation);
    let given = || match citation.cited() {
        wss_diagnosis::Cited::Pasted(_) if pasted.is_some() => "pasted output of curl".to_owned(),
        wss_diagnosis::Cited::Pasted(_) => "a file that was given".to_owned(),
        wss_diagnosis::Cited::Browser(_) | wss_diagnosis::Cited::Observation(_)
            if browser.is_some() =>
        {
            "what a browser saw".to_owned()
        }
        wss_diagnosis::Cited::Browser(_) | wss_diagnosis::Cited::Observation(_) => String::new(),
    };
    let what = o.map_or_else(given, |o| {
        let path = o.path.as_deref().unwrap_or_default();
        words::cut(&format!("{} {path}, {}", words::step(&o.step), o.route.way()), 160)
    });
    Cited {
        vantage: match pasted {
            Some(output) => output.vantage.clone(),
            None => view.map_or_else(String::new, |view| view.name.clone()),
        },
        observation: words::cut(&citation.observation, 64),
        what,
        excerpt: words::cut(&citation.excerpt, EXCERPT),
        anchor: view
            .and_then(|view| view.anchor(&citation.observation))
            .map(str::to_owned)
            .or(browser),
        transcript: view.and_then(|view| view.transcript_anchor(&citation.observation)),
    }
}

/// What to do about a finding.
#[derive(Debug, Serialize)]
pub(super) struct Cure {
    anchor: String,
    title: String,
    steps: Vec<Vec<Span>>,
    language: Option<String>,
    snippet: Option<String>,
    verify: String,
}

impl Cure {
    pub(super) fn new(case: &Case<'_>, finding: &Finding, remedy: &Remedy) -> Self {
        Self {
            anchor: snippet_anchor(case, finding),
            title: remedy.title.clone(),
            steps: remedy.steps.iter().map(|step| prose(step)).collect(),
            language: remedy.snippet.as_ref().map(|s| s.language.clone()),
            snippet: remedy.snippet.as_ref().map(|s| s.text.clone()),
            verify: remedy.verify.clone(),
        }
    }
}

/// Where the snippet of a finding's remedy stands.
pub(super) fn snippet_anchor(case: &Case<'_>, finding: &Finding) -> String {
    format!("snippet-{}", case.finding_anchor(finding))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn code_is_set_apart_where_backticks_are_paired() {
        let shown = |text: &str| -> Vec<(bool, String)> {
            prose(text).into_iter().map(|span| (span.code, span.text)).collect()
        };
        assert_eq!(
            shown("a `b` c"),
            [(false, "a ".to_owned()), (true, "b".to_owned()), (false, " c".to_owned())]
        );
        assert_eq!(shown("a ` b"), [(false, "a ` b".to_owned())]);
        assert_eq!(shown(""), []);
    }
}
