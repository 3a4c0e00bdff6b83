//! What to do next: the remedy's first steps, or what would settle the rest.

use crate::part::{Span, limited, prose, snippet_anchor};
use crate::{Case, words};
use serde::Serialize;
use wss_diagnosis::{Confidence, Status};

/// Steps shown here; all of them are with the remedy.
const STEPS: usize = 3;
/// Lines of the snippet shown here.
const LINES: usize = 5;
/// Commands shown here; all of them are with the rivals.
const COMMANDS: usize = 2;

#[derive(Debug, Serialize)]
pub(super) struct Next {
    title: Option<String>,
    steps: Vec<Vec<Span>>,
    more_steps: usize,
    /// Anchor of the text to copy.
    snippet: Option<String>,
    /// Its first lines.
    preview: String,
    commands: Vec<String>,
    more_commands: usize,
    working: bool,
}

impl Next {
    pub(super) fn new(case: &Case<'_>) -> Self {
        let verdict = &case.diagnosis.verdict;
        let found = case.main().and_then(|f| Some((f, f.remedy.as_ref()?)));
        // Where it is known from is for those who read the whole remedy.
        let steps = found.iter().flat_map(|(_, remedy)| remedy.to_do());
        let (steps, more_steps) = limited(steps.map(|step| prose(&words::cut(step, 240))), STEPS);
        // Who is sure and knows what to do needs no further command here.
        let sure = found.is_some()
            && verdict.confidence == Confidence::High
            && verdict.status != Status::Unknown;
        let commands = verdict.missing.iter().filter(|_| !sure).map(ToString::to_string);
        let (commands, more_commands) = limited(commands, COMMANDS);
        let snippet = found.and_then(|(_, remedy)| remedy.snippet.as_ref());
        let preview: Vec<String> = snippet
            .iter()
            .flat_map(|snippet| snippet.text.lines())
            .filter(|line| !line.trim().is_empty())
            .take(LINES)
            .map(|line| words::cut(line, 84))
            .collect();
        Self {
            title: found.map(|(_, remedy)| remedy.title.clone()),
            steps,
            more_steps,
            snippet: found
                .filter(|(_, remedy)| remedy.snippet.is_some())
                .map(|(finding, _)| snippet_anchor(case, finding)),
            preview: preview.join("\n"),
            commands,
            more_commands,
            working: verdict.status == Status::Working,
        }
    }
}
