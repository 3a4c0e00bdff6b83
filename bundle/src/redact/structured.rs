//! What may stay of JSON and YAML that describe a load balancer: numbers, switches,
//! and the values of listed keys (`listed/`). Everything else is masked, whatever it is.
//!
//! Account and subscription numbers go from what stays; other identifiers become
//! short tokens, the same for the same one, since parts of a description refer to
//! each other by them. Lines keep their numbers.

use super::Redactor;
use super::listed::{self, Listed};
use crate::structured::{Node, Value, documents};
use regex::{Captures, Regex};
use sha2::{Digest, Sha256};
use std::sync::OnceLock;

/// Words that everybody uses.
fn plain(text: &str, quoted: bool) -> bool {
    text.is_empty()
        || text.parse::<f64>().is_ok()
        || matches!(text, "true" | "false" | "on" | "off")
        || text.eq_ignore_ascii_case("websocket")
        || text.eq_ignore_ascii_case("upgrade")
        || (!quoted && matches!(text, "null" | "~" | "yes" | "no"))
}

/// A description without what is not listed.
pub(super) fn text(r: &mut Redactor, entry: &str, text: &str) -> String {
    let Ok(all) = documents(text) else { return broken(r, entry, text) };
    let mut masks = Vec::new();
    for document in &all {
        walk(document, listed::of(document), None, false, &mut masks);
    }
    let characters: Vec<char> = text.chars().collect();
    let mut out = String::with_capacity(text.len());
    let mut at = 0;
    for (node, mask) in masks {
        let (from, to) = node.span;
        if from < at || to > characters.len() || from > to {
            continue;
        }
        out.extend(&characters[at..from]);
        let own: String = characters[from..to].iter().collect();
        let new = match mask {
            Mask::Whole => "\"[removed]\"".to_owned(),
            Mask::Parts => identifiers(&own),
        };
        if new != own {
            r.count(entry, &format!("line {}", node.line), "not-listed");
        }
        out.push_str(&new);
        if mask == Mask::Whole {
            out.push_str(&"\n".repeat(own.matches('\n').count()));
        }
        at = to;
    }
    out.extend(&characters[at.min(characters.len())..]);
    out
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Mask {
    Whole,
    /// Identifiers within it.
    Parts,
}

fn walk<'n>(
    node: &'n Node,
    listed: &Listed,
    key: Option<&str>,
    pair: bool,
    out: &mut Vec<(&'n Node, Mask)>,
) {
    match &node.value {
        Value::Scalar(text, quoted) => {
            let stays = key.is_some_and(|key| listed.keys.contains(&key)) || pair;
            if plain(text, *quoted) {
                return;
            }
            out.push((node, if stays { Mask::Parts } else { Mask::Whole }));
        }
        Value::List(all) => all.iter().for_each(|one| walk(one, listed, key, pair, out)),
        Value::Map(all) => {
            let named = node.text_of("Key");
            let pairs = listed.pairs.iter().any(|end| named.ends_with(end));
            for (own, one) in all {
                walk(one, listed, Some(own), pairs && own == "Value", out);
            }
        }
    }
}

/// Text in which account numbers are gone and other identifiers are tokens.
fn identifiers(text: &str) -> String {
    static FOUND: OnceLock<Option<Regex>> = OnceLock::new();
    let found = FOUND.get_or_init(|| {
        Regex::new(
            r"(?P<account>\b\d{12}\b)|(?P<id>\b[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}\b|\b[0-9a-f]{15,32}\b|\b\d{15,20}\b|\b(?:vpc|subnet|sg|i|eni)-[0-9a-f]{8,17}\b)",
        )
        .ok()
    });
    let Some(found) = found else { return "\"[removed]\"".to_owned() };
    let replaced = found.replace_all(text, |c: &Captures<'_>| match c.name("id") {
        // Of the digest so much that parts of one description are told apart.
        Some(id) => {
            let digest = Sha256::digest(id.as_str().as_bytes());
            format!("id-{:02x}{:02x}", digest[0], digest[1])
        }
        None => "[removed]".to_owned(),
    });
    replaced.into_owned()
}

/// What is not understood keeps its keys, numbers and brackets alone.
fn broken(r: &mut Redactor, entry: &str, text: &str) -> String {
    let mut out = String::new();
    for (number, line) in text.split_inclusive('\n').enumerate() {
        let (key, value) = match line.split_once(':') {
            Some((key, value))
                if key
                    .trim()
                    .trim_matches('"')
                    .chars()
                    .all(|c| c.is_ascii_alphanumeric() || "-_. ".contains(c)) =>
            {
                (format!("{key}:"), value)
            }
            _ => (String::new(), line),
        };
        let own = value.trim().trim_end_matches(',');
        let kept = plain(own, false) || own.chars().all(|c| "{}[],".contains(c));
        if kept {
            out.push_str(line);
        } else {
            r.count(entry, &format!("line {}", number + 1), "not-listed");
            out.push_str(&format!(
                "{key} \"[removed]\"{}",
                if line.ends_with('\n') { "\n" } else { "" }
            ));
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_not_listed_goes_and_lines_stay() {
        let given = "{\n \"TargetGroups\": [],\n \"TargetGroupArn\": \"arn:aws:elasticloadbalancing:us-east-1:123456789012:targetgroup/console/3ef7e67dabcc9a00\",\n \"ProtocolVersion\": \"HTTP2\",\n \"Port\": 3001,\n \"Secret\": \"Q4nary\",\n \"Attributes\": [{\"Key\": \"idle_timeout.timeout_seconds\", \"Value\": \"60\"}, {\"Key\": \"access_logs.s3.bucket\", \"Value\": \"Q4nary\"}],\n \"Tags\": {\"x\": [\"Q4nary\"]}\n}\n";
        let mut r = Redactor::new();
        let out = text(&mut r, "e", given);
        assert!(
            !out.contains("Q4nary")
                && !out.contains("123456789012")
                && !out.contains("3ef7e67dabcc9a00"),
            "{out}"
        );
        for kept in [
            "targetgroup/console/id-",
            "\"HTTP2\"",
            "3001",
            "idle_timeout.timeout_seconds",
            "\"60\"",
        ] {
            assert!(out.contains(kept), "{kept}\n{out}");
        }
        assert_eq!(out.lines().count(), given.lines().count());
        let yaml = "kind: X\ndata: |\n  Q4nary\n  b\nport: 3\n";
        let out = text(&mut r, "e", yaml);
        assert!(!out.contains("Q4nary") && out.contains("port: 3"), "{out}");
        assert_eq!(out.lines().count(), yaml.lines().count(), "{out}");
        // Broken off.
        let out =
            text(&mut r, "e", "{\n \"Port\": 3001,\n \"Secret\": \"Q4nary\",\n \"a\": [\"Q4na");
        assert!(!out.contains("Q4na") && out.contains("3001"), "{out}");
    }
}
