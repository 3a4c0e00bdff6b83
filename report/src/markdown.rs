//! A draft reply to the customer, ready for a ticket. Text from bundles is
//! escaped so that it can make no markup of its own.

use super::part::{Span, limited, prose};
use super::{Case, words};
use std::fmt::Write as _;
use wss_bundle::browser::BrowserRequest;
use wss_diagnosis::evidence::authorships;
use wss_diagnosis::evidence::browser::{Fate, course, fate, left};
use wss_diagnosis::{Finding, ItemStatus, Location, Remedy, Severity, Status};

/// Longest piece of foreign text that is quoted.
const QUOTED: usize = 600;
/// Longest block of foreign text.
const BLOCK: usize = 8_000;
/// Citations, devices, findings, rivals that are named.
const NAMED: usize = 8;

/// The reply.
#[must_use]
pub fn render(case: &Case<'_>) -> String {
    let diagnosis = case.diagnosis;
    let mut out = String::new();
    let from: Vec<String> = case
        .views
        .iter()
        .map(|view| format!("{} on {}", view.name, view.time(view.bundle.manifest.started_at)))
        .collect();
    let _ = writeln!(
        out,
        "Hello,\n\nthank you for the data on {}, collected {}.\n",
        code(&diagnosis.case.target),
        plain(&from.join(" and "))
    );
    found(&mut out, case);
    match case.main().and_then(|finding| finding.remedy.as_ref()) {
        Some(remedy) => {
            out.push_str("## What to change\n\n");
            change(&mut out, remedy);
        }
        None if diagnosis.verdict.status == Status::Working => {
            out.push_str("## What to change\n\nNothing.\n\n");
        }
        None => {}
    }
    browsers(&mut out, case);
    not_used(&mut out, case);
    noticed(&mut out, case);
    missing(&mut out, case);
    rivals(&mut out, case);
    let tickets: String =
        case.tickets().iter().map(|ticket| format!(", ticket {}", code(ticket))).collect();
    let _ = writeln!(out, "Case {}{tickets}", code(&diagnosis.case.id));
    out
}

fn found(out: &mut String, case: &Case<'_>) {
    let verdict = &case.diagnosis.verdict;
    let _ = writeln!(out, "## What we found\n\n{}\n", sentence(&verdict.summary));
    if verdict.location != Location::None {
        let (place, what) = words::location(verdict.location);
        let _ = writeln!(out, "Where the fault lies: {place} ({what}).");
    }
    let (level, meaning) = (verdict.confidence.slug(), words::confidence(verdict));
    let _ = writeln!(out, "How sure this is: {level}; {meaning}.\n");
    if let Some(finding) = case.main() {
        let why = words::beyond(&finding.text, &verdict.summary);
        if !why.is_empty() {
            let _ = writeln!(out, "{}\n", sentence(why));
        }
        evidence(out, case, finding);
        author(out, case, finding);
    }
    let devices: Vec<String> = case
        .diagnosis
        .devices
        .iter()
        .filter_map(|d| Some((d.product.as_ref()?, d)))
        .take(NAMED)
        .map(|(product, d)| match &d.version {
            Some(version) => plain(&format!("{product} {version} ({})", d.role)),
            None => plain(&format!("{product} ({}, version not shown)", d.role)),
        })
        .collect();
    if !devices.is_empty() {
        let _ = writeln!(out, "Devices seen on the path: {}.\n", devices.join(", "));
    }
}

fn evidence(out: &mut String, case: &Case<'_>, finding: &Finding) {
    out.push_str("What shows it:\n\n");
    let (shown, _) = limited(finding.evidence.iter(), NAMED);
    for citation in shown {
        let view = case.view(&citation.bundle);
        let pasted = case.pasted(citation);
        let vantage = match pasted {
            Some(output) => output.vantage.as_str(),
            None => view.map_or("", |view| view.name.as_str()),
        };
        let observation = view.and_then(|view| view.observation(&citation.observation));
        let by = || if pasted.is_some() { " (pasted output of curl)" } else { "" }.to_owned();
        let what = observation.map_or_else(by, |o| {
            let path = o.path.as_deref().unwrap_or_default();
            plain(&format!(" ({} {path}, {})", words::step(&o.step), o.route.way()))
        });
        let _ = writeln!(out, "- {vantage}: {} {what}", code(&citation.excerpt));
    }
    out.push('\n');
}

/// Who wrote the answer that the verdict rests on, and why that is believed.
fn author(out: &mut String, case: &Case<'_>, finding: &Finding) {
    let first = &finding.evidence.first;
    let Some(view) = case.view(&first.bundle) else { return };
    let all = authorships(view.bundle, case.signatures);
    let Some(one) = all.into_iter().find(|one| one.observation == first.observation) else {
        return;
    };
    let (Some(who), Some(role)) = (&one.who, one.role) else { return };
    let passed = match one.passed_on.as_slice() {
        [] => String::new(),
        some => format!(" Passed on by: {}.", plain(&some.join("; "))),
    };
    let because = one.because.join("; ");
    let _ = writeln!(
        out,
        "Who answered: {} ({role}), because: {}.{passed}\n",
        plain(who),
        sentence(because.trim_end_matches('.'))
    );
}

fn change(out: &mut String, remedy: &Remedy) {
    let _ = writeln!(out, "{}:\n", plain(&remedy.title));
    for (number, step) in remedy.steps.iter().enumerate() {
        let _ = writeln!(out, "{}. {}", number + 1, sentence(step));
    }
    if let Some(snippet) = &remedy.snippet {
        let _ = writeln!(out, "\n{}", fenced(&snippet.language, &snippet.text));
    }
    let _ = writeln!(out, "\n## How to check\n\n{}\n", fenced("sh", &remedy.verify));
}

/// What else a customer should know; notes for support alone are left out.
/// What browsers saw of the WebSocket, a line each.
fn browsers(out: &mut String, case: &Case<'_>) {
    let all = case.views.iter().flat_map(|view| view.browsers().map(move |(seen, _)| (view, seen)));
    let sockets = all.filter(|(_, seen)| seen.kind == BrowserRequest::Websocket);
    let lines: Vec<String> = sockets
        .take(NAMED)
        .map(|(view, seen)| {
            let answer = match (&seen.response, &seen.error, fate(seen)) {
                (Some(head), ..) => code(&head.status_line()),
                (None, Some(error), _) => code(error),
                (None, None, Fate::Answered(status)) => format!("answered with {status}"),
                (None, None, Fate::Failed(why)) => plain(&why.words()),
                (None, None, _) if left(seen) => "the page was left meanwhile".to_owned(),
                (None, None, _) => "no response".to_owned(),
            };
            let course: String =
                course(seen).iter().map(|part| format!("; {}", plain(part))).collect();
            let source = plain(&words::cut(&seen.source, 160));
            format!("- {}, {source}: {} — {answer}{course}", plain(&view.name), code(&seen.url))
        })
        .collect();
    if !lines.is_empty() {
        let _ = writeln!(out, "## What the browser saw\n\n{}\n", lines.join("\n"));
    }
}

/// What was given in vain, with the way out.
fn not_used(out: &mut String, case: &Case<'_>) {
    let all: Vec<_> = case.views.iter().flat_map(|v| &v.bundle.manifest.not_used).collect();
    if all.is_empty() {
        return;
    }
    out.push_str("## What you gave and we could not use\n\n");
    for one in all.into_iter().take(NAMED) {
        let what = code(&format!("{} {}", one.option, one.name));
        let instead = Some(one.instead.as_str()).filter(|text| !text.is_empty());
        let instead = instead.map_or(String::new(), |text| format!("; {}", plain(text)));
        let _ = writeln!(out, "- {what}: {}{instead}", plain(&one.reason));
    }
    out.push('\n');
}

fn noticed(out: &mut String, case: &Case<'_>) {
    // What somebody pasted or recorded is told, too: who gave it asks what became of it.
    let serious =
        case.others().filter(|f| f.severity != Severity::Info || f.rule.starts_with("browser-"));
    let (shown, _) = limited(serious, NAMED);
    if shown.is_empty() {
        return;
    }
    out.push_str("## What else we noticed\n\n");
    for finding in shown {
        let _ = writeln!(out, "- {}: {}", sentence(&finding.title), sentence(&finding.text));
    }
    out.push('\n');
}

fn missing(out: &mut String, case: &Case<'_>) {
    let checklist = &case.diagnosis.checklist;
    let open: Vec<_> = checklist.iter().filter(|i| i.status != ItemStatus::Complete).collect();
    let asked = |command: &str| open.iter().any(|item| item.how.as_deref() == Some(command));
    let commands: Vec<&str> = case
        .diagnosis
        .verdict
        .missing
        .iter()
        .map(|next| next.command.as_str())
        .filter(|command| !asked(command))
        .collect();
    if open.is_empty() && commands.is_empty() {
        return;
    }
    out.push_str("## What is still missing\n\n");
    for (at, item) in open.iter().enumerate() {
        // One command may answer two items: it stands below the second.
        let again = open[at + 1..].iter().any(|later| later.how == item.how);
        let what = format!("{}: {}", words::item_title(item.item), item.missing.join("; "));
        let _ = writeln!(out, "- {}", plain(&what));
        if let Some(how) = item.how.as_ref().filter(|_| !again) {
            indented(out, &fenced("sh", how));
        }
    }
    for (at, command) in commands.into_iter().take(NAMED).enumerate() {
        if at == 0 {
            out.push_str("- What would tell more, each to paste into a terminal:\n");
        }
        indented(out, &fenced("sh", command));
    }
    // A block has ended with an empty line already.
    if !out.ends_with("\n\n") {
        out.push('\n');
    }
}

fn indented(out: &mut String, block: &str) {
    out.push('\n');
    for line in block.lines() {
        let _ = writeln!(out, "  {line}");
    }
    out.push('\n');
}

fn rivals(out: &mut String, case: &Case<'_>) {
    if case.diagnosis.alternatives.is_empty() {
        return;
    }
    out.push_str("## What else it could be\n\n");
    for other in case.diagnosis.alternatives.iter().take(NAMED) {
        let _ = writeln!(out, "- {}: {}", code(other.cause.slug()), plain(&other.why_not));
    }
    out.push('\n');
}

/// On one line, with nothing hidden.
fn harmless(text: &str, most: usize) -> String {
    let cut = words::cut(text.trim(), most);
    let spaced = cut.split_whitespace().collect::<Vec<_>>().join(" ");
    spaced.chars().map(|c| words::visible(c).unwrap_or_else(|| c.to_string())).collect()
}

/// Text without markup of its own.
fn plain(text: &str) -> String {
    let text = harmless(text, QUOTED);
    let mut out = String::with_capacity(text.len() + 8);
    // At the start of a line a number or a sign would begin a list or a heading.
    let digits = text.chars().take_while(char::is_ascii_digit).count();
    for (at, c) in text.chars().enumerate() {
        let begins_block = match c {
            '-' | '+' | '=' => at == 0,
            '.' | ')' => digits > 0 && at == digits,
            _ => false,
        };
        if begins_block || "\\`*_[]<>#|!&~$".contains(c) {
            out.push('\\');
        }
        out.push(c);
    }
    out
}

/// A sentence of the diagnosis, its code set apart.
fn sentence(text: &str) -> String {
    let spans = prose(&harmless(text, QUOTED));
    let mut out = String::new();
    for (at, Span { code: is_code, text }) in spans.iter().enumerate() {
        if *is_code {
            out.push_str(&code(text));
            continue;
        }
        // Spaces beside code stay; what begins the line is what could begin a block.
        let (start, end) = (text.starts_with(' ') && at > 0, text.ends_with(' '));
        out.push_str(if start { " " } else { "" });
        out.push_str(&plain(text));
        out.push_str(if end && at + 1 < spans.len() { " " } else { "" });
    }
    out
}

/// As code in a line, whatever backticks are in it (CommonMark section 6.1).
fn code(text: &str) -> String {
    let text = harmless(text, QUOTED);
    if text.is_empty() {
        return "(nothing)".to_owned();
    }
    let fence = "`".repeat(longest_run(&text) + 1);
    let pad = if text.starts_with('`') || text.ends_with('`') { " " } else { "" };
    format!("{fence}{pad}{text}{pad}{fence}")
}

/// As a block, whatever fences are in it.
fn fenced(language: &str, text: &str) -> String {
    let text: String = words::cut(&text.replace('\r', ""), BLOCK)
        .chars()
        .map(|c| words::visible(c).unwrap_or_else(|| c.to_string()))
        .collect();
    let language: String = language.chars().filter(char::is_ascii_alphanumeric).collect();
    let fence = "`".repeat(longest_run(&text).max(2) + 1);
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
        assert_eq!(plain("1. x"), "1\\. x");
        assert_eq!(plain("- x - y"), "\\- x - y");
        assert_eq!(plain("a\u{202e}b"), "a\\[U+202E\\]b");
        assert_eq!(sentence("set `a_b` and *c*"), "set `a_b` and \\*c\\*");
        assert_eq!(sentence("one ` tick"), "one \\` tick");
        assert_eq!(code(" \n"), "(nothing)");
        assert_eq!(fenced("a`b c", "x\u{1b}"), "```abc\nx\u{241b}\n```");
    }
}
