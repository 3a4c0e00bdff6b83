//! `explain`: the rules, in words.

use super::{DONE, NOTHING, complain, say};
use std::fmt::Write as _;
use wss_diagnosis::{Rule, rules};

/// Explains a rule, or lists all; gives the exit code.
#[must_use]
pub fn explain(id: Option<&str>) -> u8 {
    let Some(id) = id else {
        let mut text = String::new();
        for rule in rules() {
            let _ = writeln!(text, "{:28} {}", rule.id, rule.title);
        }
        return say(&text, DONE);
    };
    // A cause may have several rules: `lb-http2` has three.
    let found: Vec<&Rule> = rules()
        .iter()
        .filter(|r| r.id == id)
        .chain(rules().iter().filter(|r| r.id != id && r.id.starts_with(&format!("{id}-"))))
        .collect();
    if found.is_empty() {
        let near: Vec<&str> =
            rules().iter().map(|r| r.id).filter(|known| resembles(known, id)).collect();
        let hint = if near.is_empty() {
            "wss-analyzer explain lists them all".to_owned()
        } else {
            format!("did you mean {}?", near.join(", "))
        };
        complain(&format!("there is no rule {:?}; {hint}", id.escape_debug().to_string()));
        return NOTHING;
    }
    let texts: Vec<String> = found.into_iter().map(text).collect();
    say(&texts.join("\n"), DONE)
}

fn text(rule: &Rule) -> String {
    format!(
        "{}: {}\n\n  looks for  {}\n  why        {}\n  remedy     {}\n",
        rule.id, rule.title, rule.looks_for, rule.why, rule.remedy
    )
}

/// Whether somebody may have meant `known`: a common word, or a shared beginning.
fn resembles(known: &str, given: &str) -> bool {
    let given = given.to_ascii_lowercase();
    given.split(['-', '_', ' ']).any(|word| word.len() > 2 && known.contains(word))
        || (given.len() > 3 && known.starts_with(given.get(..3).unwrap_or("-")))
}
