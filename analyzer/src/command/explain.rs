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
        let near = near(id);
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

/// Rules that somebody may have meant, the likeliest first.
fn near(given: &str) -> Vec<&'static str> {
    let given: String = given.to_ascii_lowercase().chars().take(64).collect();
    let shares =
        |known: &str| given.split(['-', '_', ' ']).any(|w| w.len() > 2 && known.contains(w));
    let mut found: Vec<(usize, &str)> = rules()
        .iter()
        .map(|rule| (distance(rule.id, &given), rule.id))
        .filter(|(off, id)| *off <= id.len() / 3 || shares(id))
        .collect();
    found.sort_unstable();
    found.into_iter().take(3).map(|(_, id)| id).collect()
}

/// How many characters must be added, dropped or changed (Levenshtein).
fn distance(a: &str, b: &str) -> usize {
    let b: Vec<char> = b.chars().collect();
    let mut row: Vec<usize> = (0..=b.len()).collect();
    for (i, x) in a.chars().enumerate() {
        let mut diagonal = row[0];
        row[0] = i + 1;
        for (j, y) in b.iter().enumerate() {
            let changed = diagonal + usize::from(x != *y);
            diagonal = row[j + 1];
            row[j + 1] = changed.min(row[j] + 1).min(diagonal + 1);
        }
    }
    row.last().copied().unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_likeliest_comes_first() {
        assert_eq!(distance("kitten", "sitting"), 3);
        assert_eq!(near("proxi-blocks-websocket").first(), Some(&"proxy-blocks-websocket"));
        assert_eq!(near("Idle_Timeout").first(), Some(&"idle-timeout"));
        assert!(near("zzz").is_empty());
        assert!(near("").is_empty());
    }
}
