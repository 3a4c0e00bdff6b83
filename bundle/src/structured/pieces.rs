//! Where documents begin and end in what was printed and saved: JSON after JSON, and
//! the commands of a terminal above and between.

/// A part of a text that is parsed by itself.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Piece<'t> {
    pub(super) text: &'t str,
    /// Characters before it.
    pub(super) characters: usize,
    /// Lines before it.
    pub(super) lines: u32,
}

/// Most lines of a terminal before what was printed.
const BEFORE: usize = 20;
/// Programs whose output is read.
const TOOLS: [&str; 5] = ["aws", "gcloud", "az", "kubectl", "oc"];
/// Ends of prompts.
const PROMPTS: [&str; 4] = ["$ ", "# ", "> ", "% "];

/// The command of one of the clouds' tools in a line of a terminal, behind its prompt.
#[must_use]
pub fn call(line: &str) -> Option<&str> {
    let begins = |text: &str| {
        let rest = text.strip_prefix("sudo ").unwrap_or(text);
        TOOLS.iter().any(|tool| {
            let rest = rest.strip_prefix(tool);
            rest.is_some_and(|rest| {
                rest.strip_prefix(' ')
                    .is_some_and(|rest| rest.starts_with(|c: char| c.is_ascii_lowercase()))
            })
        })
    };
    let line = line.trim();
    if begins(line) {
        return Some(line);
    }
    let behind = PROMPTS.iter().filter_map(|prompt| Some(line.split_once(prompt)?.1.trim_start()));
    behind.into_iter().find(|rest| begins(rest))
}

/// Where it begins, in bytes.
pub(crate) fn begin(text: &str) -> Option<usize> {
    let mut at = 0;
    // gcloud and az sort a resource's keys, so that it may begin with any.
    let sorted = text.contains("kind: compute#") || text.contains("type: Microsoft.");
    for line in text.split_inclusive('\n').take(BEFORE) {
        if begins(&text[at..]) || sorted && is_key(line.strip_prefix("- ").unwrap_or(line)) {
            return Some(at);
        }
        at += line.len();
    }
    None
}

/// `affinityCookieTtlSec: 0`
fn is_key(line: &str) -> bool {
    line.split_once(':').is_some_and(|(key, rest)| {
        let word = !key.is_empty() && key.chars().all(|c| c.is_ascii_alphanumeric());
        word && (rest.trim().is_empty() || rest.starts_with(' '))
    })
}

/// Keys at the root of configurations in YAML, each with more below it.
const SECTIONS: &[&str] = &[
    // Envoy.
    "static_resources",
    "dynamic_resources",
    "admin",
    "node",
    "layered_runtime",
    "overload_manager",
    "resources",
    "filter_chains",
    "virtual_hosts",
    // Traefik, and compositions of containers with its labels.
    "http",
    "entryPoints",
    "entrypoints",
    "providers",
    "api",
    "log",
    "accessLog",
    "certificatesResolvers",
    "global",
    "services",
];

fn begins(text: &str) -> bool {
    let text = text.trim_start_matches('\u{feff}');
    let mut begin = text.chars();
    match begin.next() {
        Some('{') => matches!(begin.find(|c| !c.is_whitespace()), Some('"' | '}')),
        Some('[') => matches!(begin.find(|c| !c.is_whitespace()), Some('"' | '{' | '[' | ']')),
        Some('-') if text.starts_with("---\n") || text.starts_with("---\r\n") => true,
        _ => {
            let line = text.lines().next().unwrap_or_default();
            let line = line.strip_prefix("- ").unwrap_or(line);
            let known = line.split_once(':').is_some_and(|(key, rest)| {
                let known = ["apiVersion", "kind", "items", "metadata"].contains(&key);
                known && (rest.is_empty() || rest.starts_with(' '))
                    || SECTIONS.contains(&key) && rest.trim().is_empty()
            });
            known || named_list(text)
        }
    }
}

/// `TargetGroups:` and a list below it, as `--output yaml` prints.
fn named_list(text: &str) -> bool {
    let mut lines = text.lines().filter(|line| !line.trim().is_empty());
    let key = lines.next().and_then(|line| line.strip_suffix(':'));
    let word = |key: &str| {
        key.starts_with(|c: char| c.is_ascii_uppercase())
            && key.chars().all(|c| c.is_ascii_alphanumeric())
    };
    key.is_some_and(word)
        && lines.next().is_some_and(|line| line.starts_with('-') || line.starts_with(' '))
}

/// The parts of a text.
pub(super) fn pieces(text: &str) -> Vec<Piece<'_>> {
    let (above, rest) = text.split_at(begin(text).unwrap_or(0));
    let characters = above.chars().count();
    let lines = u32::try_from(above.matches('\n').count()).unwrap_or(u32::MAX);
    let whole = Piece { text: rest, characters, lines };
    if rest.starts_with(['{', '[']) { json(whole) } else { yaml(whole) }
}

/// JSON after JSON; what stands between is none.
fn json(whole: Piece<'_>) -> Vec<Piece<'_>> {
    let mut out = Vec::new();
    let (mut depth, mut quoted, mut escaped) = (0_usize, false, false);
    let (mut characters, mut lines) = (whole.characters, whole.lines);
    // Whether only blanks, or the end of another, stand before on the line.
    let mut fresh = true;
    let mut open: Option<(usize, usize, u32)> = None;
    for (at, c) in whole.text.char_indices() {
        match c {
            _ if escaped => escaped = false,
            '\\' if quoted => escaped = true,
            '"' if depth > 0 => quoted = !quoted,
            '{' | '[' if depth == 0 && fresh && begins(&whole.text[at..]) => {
                open = Some((at, characters, lines));
                depth = 1;
            }
            '{' | '[' if depth == 0 => {}
            '{' | '[' if !quoted => depth += 1,
            '}' | ']' if !quoted && depth > 0 => {
                depth -= 1;
                if depth == 0
                    && let Some((from, characters, lines)) = open.take()
                {
                    out.push(Piece { text: &whole.text[from..=at], characters, lines });
                }
            }
            _ => {}
        }
        fresh = c == '\n' || (fresh && c.is_whitespace()) || (depth == 0 && matches!(c, '}' | ']'));
        characters += 1;
        lines += u32::from(c == '\n');
    }
    // Broken off: the parser says where.
    if let Some((from, characters, lines)) = open {
        out.push(Piece { text: &whole.text[from..], characters, lines });
    }
    out
}

/// YAML; a command between two answers begins another text.
fn yaml(whole: Piece<'_>) -> Vec<Piece<'_>> {
    let mut out = Vec::new();
    let (mut characters, mut lines) = (whole.characters, whole.lines);
    let (mut at, mut from) = (0, (0, characters, lines));
    for line in whole.text.split_inclusive('\n') {
        let end = at + line.len();
        characters += line.chars().count();
        lines += 1;
        if !line.starts_with([' ', '\t', '#']) && call(line).is_some() {
            out.push(Piece { text: &whole.text[from.0..at], characters: from.1, lines: from.2 });
            from = (end, characters, lines);
        }
        at = end;
    }
    out.push(Piece { text: &whole.text[from.0..], characters: from.1, lines: from.2 });
    out
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::structured::{commands, documents};

    #[test]
    fn commands_of_a_terminal_are_told_from_other_lines() {
        for (line, command) in [
            (
                "$ aws elbv2 describe-rules > rules.json",
                Some("aws elbv2 describe-rules > rules.json"),
            ),
            ("kim@lb1:~/a$ sudo kubectl get ingress", Some("sudo kubectl get ingress")),
            (
                "PS C:\\Users\\kim> aws elb describe-load-balancers",
                Some("aws elb describe-load-balancers"),
            ),
            ("[root@lb1 ~]# gcloud compute url-maps list", Some("gcloud compute url-maps list")),
            ("az network lb list", Some("az network lb list")),
            ("  \"az\": \"aws elb\"", None),
            ("aws-load-balancer: x", None),
            ("# the load balancer of aws", None),
            ("az: b", None),
        ] {
            assert_eq!(call(line), command, "{line}");
        }
    }

    #[test]
    fn answers_stand_below_their_commands() {
        let json = "$ aws elbv2 describe-a --x 1\n{\n \"A\": [1]\n}\n[kim@lb1 ~]$ aws elbv2 describe-b\n{\"B\": [2]}{\"C\": [3]}\n[kim@lb1 ~]$ exit\n";
        let yaml = "$ aws elbv2 describe-a --x 1\nA:\n- 1\n$ aws elbv2 describe-b\nB:\n- 2\n---\nC:\n- 3\n";
        for text in [json, yaml] {
            let all = documents(text).unwrap();
            assert_eq!(
                commands(text, &all),
                [Some("aws elbv2 describe-a --x 1"), Some("aws elbv2 describe-b"), None],
                "{text}"
            );
            let values: Vec<_> = ["A", "B", "C"]
                .into_iter()
                .zip(&all)
                .map(|(key, node)| node.items_of(key)[0].text())
                .collect();
            assert_eq!(values, ["1", "2", "3"], "{text}");
        }
        assert_eq!(documents(json).unwrap()[1].line, 6);
        assert_eq!(documents(yaml).unwrap()[2].line, 8);
    }
}
