//! A draft reply to the customer, ready for a ticket. Text from bundles is
//! escaped so that it can make no markup of its own.

use super::{Case, words};
use std::fmt::Write as _;
use wss_diagnosis::{Finding, ItemStatus, Remedy, Status};

/// Longest piece of foreign text that is quoted.
const QUOTED: usize = 600;

/// The reply.
#[must_use]
pub fn render(case: &Case<'_>) -> String {
    let diagnosis = case.diagnosis;
    let verdict = &diagnosis.verdict;
    let mut out = String::new();
    let _ =
        writeln!(out, "Hello,\n\nthank you for the data on {}.\n", code(&diagnosis.case.target));
    let _ = writeln!(out, "## What we found\n\n{}\n", plain(&verdict.summary));
    if verdict.status != Status::Working {
        let _ = writeln!(
            out,
            "The fault lies in: {} (confidence {}).\n",
            words::location(verdict.location),
            words::level(verdict.confidence)
        );
    }
    if let Some(first) = main_finding(case) {
        let _ = writeln!(out, "{}\n", plain(&first.text));
        out.push_str("What shows it:\n\n");
        for citation in first.evidence.iter() {
            let vantage =
                case.bundle(&citation.bundle).map_or("", |bundle| bundle.manifest.vantage.as_str());
            let _ = writeln!(out, "- {vantage}: {}", code(&citation.excerpt));
        }
        out.push('\n');
        if let Some(remedy) = &first.remedy {
            change(&mut out, remedy);
        }
    }
    missing(&mut out, case);
    if !diagnosis.alternatives.is_empty() {
        out.push_str("## What else it could be\n\n");
        for other in &diagnosis.alternatives {
            let _ = writeln!(out, "- {}: {}", code(other.cause.slug()), plain(&other.why_not));
        }
        out.push('\n');
    }
    let _ = writeln!(out, "Case {}", code(&diagnosis.case.id));
    out
}

fn main_finding<'a>(case: &Case<'a>) -> Option<&'a Finding> {
    let verdict = &case.diagnosis.verdict;
    if verdict.status == Status::Working {
        return None;
    }
    case.diagnosis.findings.iter().find(|f| f.rule.starts_with(verdict.cause.slug()))
}

fn change(out: &mut String, remedy: &Remedy) {
    let _ = writeln!(out, "## What to change\n\n{}:\n", plain(&remedy.title));
    for (number, step) in remedy.steps.iter().enumerate() {
        let _ = writeln!(out, "{}. {}", number + 1, plain(step));
    }
    if let Some(snippet) = &remedy.snippet {
        let _ = writeln!(out, "\n{}", fenced(&snippet.language, &snippet.text));
    }
    let _ = writeln!(out, "\n## How to check\n\n{}\n", fenced("sh", &remedy.verify));
}

fn missing(out: &mut String, case: &Case<'_>) {
    let items = case.diagnosis.checklist.iter().filter(|i| i.status != ItemStatus::Complete);
    let mut open: Vec<(String, Option<&String>)> = items
        .map(|i| {
            (format!("{}: {}", words::item_title(i.item), i.missing.join("; ")), i.how.as_ref())
        })
        .collect();
    for command in &case.diagnosis.verdict.missing {
        if !open.iter().any(|(_, how)| *how == Some(command)) {
            open.push(("This would tell more".to_owned(), Some(command)));
        }
    }
    if open.is_empty() {
        return;
    }
    out.push_str("## What is still missing\n\n");
    for (what, how) in open {
        let _ = writeln!(out, "- {}", plain(&what));
        if let Some(how) = how {
            for line in fenced("sh", how).lines() {
                let _ = writeln!(out, "  {line}");
            }
        }
    }
    out.push('\n');
}

fn harmless(text: &str) -> String {
    let one_line: String = text
        .chars()
        .map(|c| {
            if c.is_control() || matches!(c, '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}') {
                ' '
            } else {
                c
            }
        })
        .collect();
    words::cut(one_line.trim(), QUOTED)
}

/// Text without markup of its own.
fn plain(text: &str) -> String {
    let mut out = String::new();
    for c in harmless(text).chars() {
        if matches!(c, '\\' | '`' | '*' | '_' | '[' | ']' | '<' | '>' | '#' | '|' | '!' | '&') {
            out.push('\\');
        }
        out.push(c);
    }
    out
}

/// As code in a line, whatever backticks are in it (CommonMark section 6.1).
fn code(text: &str) -> String {
    let text = harmless(text);
    let fence = "`".repeat(longest_run(&text) + 1);
    let pad = if text.starts_with('`') || text.ends_with('`') { " " } else { "" };
    format!("{fence}{pad}{text}{pad}{fence}")
}

/// As a block, whatever fences are in it.
fn fenced(language: &str, text: &str) -> String {
    let fence = "`".repeat(longest_run(text).max(2) + 1);
    format!("{fence}{language}\n{}\n{fence}", text.trim_end())
}

fn longest_run(text: &str) -> usize {
    text.split(|c| c != '`').map(str::len).max().unwrap_or(0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn foreign_text_makes_no_markup() {
        assert_eq!(plain("<b>*x*</b> [a](b)"), "\\<b\\>\\*x\\*\\</b\\> \\[a\\](b)");
        assert_eq!(code("a``b"), "```a``b```");
        assert_eq!(code("`x`"), "`` `x` ``");
        assert!(fenced("sh", "```\nx").starts_with("````sh\n"));
        assert_eq!(plain("a\n# b"), "a \\# b");
    }
}
