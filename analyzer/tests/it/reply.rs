//! The draft reply, as a Markdown reader would take it.

use crate::fixture::{self, Judged};
use crate::hostile;
use wss_report::{Case, markdown};

fn reply(case: &Judged) -> String {
    markdown::render(&Case::new(&case.diagnosis, &case.bundles))
}

/// The lines outside of fenced blocks, with code spans taken out.
fn prose(text: &str) -> Vec<String> {
    let mut fence: Option<String> = None;
    let mut out = Vec::new();
    for line in text.lines() {
        let ticks: String = line.trim_start().chars().take_while(|c| *c == '`').collect();
        match &fence {
            Some(open) if line.trim() == ticks && ticks.len() >= open.len() => fence = None,
            Some(_) => {}
            None if ticks.len() >= 3 && !line.trim_start()[ticks.len()..].contains('`') => {
                fence = Some(ticks);
            }
            None => out.push(without_code(line)),
        }
    }
    assert_eq!(fence, None, "a fence is never closed");
    out
}

fn without_code(line: &str) -> String {
    let mut out = String::new();
    let mut rest = line;
    while let Some(at) = rest.find('`') {
        if rest[..at].ends_with('\\') {
            out.push_str(&rest[..=at]);
            rest = &rest[at + 1..];
            continue;
        }
        out.push_str(&rest[..at]);
        let ticks = rest[at..].chars().take_while(|c| *c == '`').count();
        let after = &rest[at + ticks..];
        let fence = "`".repeat(ticks);
        let mut from = 0;
        let end = loop {
            let found = after[from..].find(&fence).expect("a code span ends") + from;
            let run = after[found..].chars().take_while(|c| *c == '`').count();
            if run == ticks {
                break found;
            }
            from = found + run;
        };
        rest = &after[end + ticks..];
    }
    out.push_str(rest);
    out
}

#[test]
fn every_case_has_a_reply() {
    for case in fixture::cases() {
        let text = reply(&case);
        assert!(text.starts_with("Hello,\n"), "{}", case.name);
        assert!(text.contains("## What we found"), "{}", case.name);
        let headings = prose(&text).iter().filter(|line| line.starts_with('#')).count();
        assert!(headings >= 1, "{}", case.name);
        for command in case.diagnosis.verdict.missing.iter().map(|next| &next.command) {
            assert!(text.contains(command.as_str()), "{}: {command}", case.name);
        }
        if let Some(remedy) = case.diagnosis.findings.first().and_then(|f| f.remedy.as_ref()) {
            assert!(text.contains(&remedy.verify), "{}", case.name);
        }
    }
}

#[test]
fn hostile_text_makes_no_markup() {
    for case in hostile::cases() {
        for line in prose(&reply(&case)) {
            let mut escaped = false;
            for c in line.chars() {
                assert!(escaped || !"<[]".contains(c), "{}: {line:.200}", case.name);
                assert!(!c.is_control(), "{}: {c:?}", case.name);
                assert!(!('\u{2028}'..='\u{202e}').contains(&c), "{}: {c:?}", case.name);
                escaped = c == '\\' && !escaped;
            }
        }
    }
}
