//! JSON and YAML as command-line tools print them and people save them, and TOML, with
//! the place of every value: several documents in one file, JSON after JSON.
//!
//! Read by `saphyr-parser` (YAML 1.2, of which JSON is a part), which keeps
//! positions and gives events; `serde` forgets where a value stood. What is
//! measured here bounds depth and number before anything is kept. Aliases are not
//! followed: a small file could mean a large one.

mod pieces;
mod toml;

pub(crate) use pieces::begin;
pub use pieces::call;
use pieces::pieces;
use saphyr_parser::{Event, Parser, ScalarStyle};
pub(crate) use toml::is as is_toml;

/// Deepest nesting.
const DEPTH: usize = 60;
/// Most values of a file.
const NODES: usize = 1_000_000;

/// A value, and where it stands.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Node {
    /// Line, from 1.
    pub line: u32,
    /// What it is.
    pub value: Value,
    /// Where it stands in the text, in characters.
    pub(crate) span: (usize, usize),
}

/// What a value is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Value {
    /// A text, number, or word; whether it was quoted.
    Scalar(String, bool),
    /// `[ … ]`
    List(Vec<Node>),
    /// `{ … }`, in the order of the file.
    Map(Vec<(String, Node)>),
}

/// Why a text is not understood.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Broken {
    /// Line, from 1.
    pub line: u32,
    /// What is wrong there.
    pub why: String,
}

impl Node {
    /// No value: where one is looked for and is not there.
    #[must_use]
    pub const fn nothing() -> Self {
        Self { line: 0, value: Value::Scalar(String::new(), false), span: (0, 0) }
    }

    /// The value of a key.
    #[must_use]
    pub fn get(&self, key: &str) -> Option<&Self> {
        match &self.value {
            Value::Map(all) => all.iter().find(|(own, _)| own == key).map(|(_, node)| node),
            _ => None,
        }
    }

    /// The value of a key, as text; nothing where there is none.
    #[must_use]
    pub fn text_of(&self, key: &str) -> &str {
        self.get(key).map_or("", Self::text)
    }

    /// A scalar's text; nothing for others, and for `null`.
    #[must_use]
    pub fn text(&self) -> &str {
        match &self.value {
            Value::Scalar(text, false) if matches!(text.as_str(), "null" | "~") => "",
            Value::Scalar(text, _) => text,
            _ => "",
        }
    }

    /// A scalar as a number, quoted or not.
    #[must_use]
    pub fn number(&self) -> Option<f64> {
        self.text().parse().ok()
    }

    /// What a list holds; none for others.
    #[must_use]
    pub fn items(&self) -> &[Self] {
        match &self.value {
            Value::List(all) => all,
            _ => &[],
        }
    }

    /// The entries of a key's list.
    #[must_use]
    pub fn items_of(&self, key: &str) -> &[Self] {
        self.get(key).map_or(&[], Self::items)
    }

    /// Whether both hold the same, wherever they stand.
    #[must_use]
    pub fn says_the_same(&self, other: &Self) -> bool {
        match (&self.value, &other.value) {
            (Value::List(own), Value::List(others)) => {
                own.len() == others.len()
                    && own.iter().zip(others).all(|(own, other)| own.says_the_same(other))
            }
            (Value::Map(own), Value::Map(others)) => {
                own.len() == others.len()
                    && own.iter().zip(others).all(|((key, own), (other_key, other))| {
                        key == other_key && own.says_the_same(other)
                    })
            }
            (own, other) => own == other,
        }
    }

    /// The way from here to a value within, as people write it:
    /// `TargetGroups[0].ProtocolVersion`, `annotations["nginx.org/x"]`; nothing where
    /// it is this value itself, or is not within. It is looked for when it is asked
    /// for, along the places in the text, and kept by nobody.
    #[must_use]
    pub fn path_to(&self, inner: &Self) -> String {
        let mut steps = Vec::new();
        if self.descend(inner, &mut steps) { steps.concat() } else { String::new() }
    }

    fn descend(&self, inner: &Self, steps: &mut Vec<String>) -> bool {
        if std::ptr::eq(self, inner) {
            return true;
        }
        let mut within = |step: &dyn Fn(bool) -> String, node: &Self| {
            let holds = node.span.0 <= inner.span.0 && inner.span.1 <= node.span.1;
            if !holds {
                return false;
            }
            steps.push(step(steps.is_empty()));
            node.descend(inner, steps) || {
                steps.pop();
                false
            }
        };
        match &self.value {
            Value::Scalar(..) => false,
            Value::List(all) => {
                all.iter().enumerate().any(|(at, node)| within(&|_| format!("[{at}]"), node))
            }
            Value::Map(all) => {
                all.iter().any(|(key, node)| within(&|first| key_step(key, first), node))
            }
        }
    }
}

/// A key in a path; quoted where it is no plain word.
fn key_step(key: &str, first: bool) -> String {
    let plain = |c: char| c.is_ascii_alphanumeric() || matches!(c, '_' | '-');
    if key.is_empty() || !key.chars().all(plain) {
        return format!("[\"{}\"]", key.replace('"', "\\\""));
    }
    if first { key.to_owned() } else { format!(".{key}") }
}

/// Whether a text is TOML, JSON, or YAML as tools print it; a command and what else a
/// terminal shows may stand above the latter two.
#[must_use]
pub fn looks(text: &str) -> bool {
    is_toml(text) || begin(text).is_some() && (!holds_a_file(text) || holds_a(&["Secret"], text))
}

/// Whether an object of one of these kinds is in a text, whole or not.
pub(crate) fn holds_a(kinds: &[&str], text: &str) -> bool {
    text.lines().map(|line| line.trim_start_matches(['-', ' ', '{'])).any(|line| {
        let plain = |text: &str| text.trim_matches([' ', '"', '\'', ',', '\r']).to_owned();
        line.split(',')
            .filter_map(|part| part.split_once(':'))
            .any(|(key, value)| plain(key) == "kind" && kinds.contains(&plain(value).as_str()))
    })
}

/// Whether it is a ConfigMap with a program's own configuration in it: that is read,
/// and masked, as what it holds.
fn holds_a_file(text: &str) -> bool {
    text.lines().any(opens_a_file)
}

/// Whether a line of a ConfigMap begins a program's own configuration (`nginx.conf: |`).
#[must_use]
pub fn opens_a_file(line: &str) -> bool {
    line.split_once(": ").is_some_and(|(key, value)| {
        let key = key.trim().trim_matches(['"', '\'']);
        let file = [".conf", ".cfg", ".template"].iter().any(|end| key.ends_with(end));
        file && matches!(value.trim(), "|" | "|-" | "|+")
    })
}

/// The documents of a text.
///
/// # Errors
/// It is neither JSON nor YAML nor TOML, or larger than what is read.
pub fn documents(text: &str) -> Result<Vec<Node>, Broken> {
    if is_toml(text) {
        return Ok(vec![toml::document(text)?]);
    }
    let mut out = Vec::new();
    let mut count = 0;
    for piece in pieces(text) {
        out.extend(piece_of(piece.text, piece.characters, piece.lines, &mut count)?);
    }
    Ok(out)
}

/// For each of a text's documents the command that printed it, where that stands above.
#[must_use]
pub fn commands<'t>(text: &'t str, documents: &[Node]) -> Vec<Option<&'t str>> {
    let mut calls =
        text.lines().enumerate().filter_map(|(at, one)| Some((line(at, 1), call(one)?)));
    let mut next = calls.next();
    let one = |document: &Node| {
        let mut own = None;
        while let Some((_, command)) = next.filter(|(at, _)| *at < document.line) {
            own = Some(command);
            next = calls.next();
        }
        own
    };
    documents.iter().map(one).collect()
}

/// A value that is not whole yet: the node, and for a map the key that waits.
type Open = (Node, Option<String>);

fn piece_of(
    text: &str,
    characters: usize,
    lines: u32,
    count: &mut usize,
) -> Result<Vec<Node>, Broken> {
    let mut out = Vec::new();
    let mut open: Vec<Open> = Vec::new();
    for event in Parser::new_from_str(text) {
        let (event, span) = event.map_err(|error| Broken {
            line: line(error.marker().line(), lines),
            why: error.info().to_owned(),
        })?;
        let at = line(span.start.line(), lines);
        let broken = |why: String| Broken { line: at, why };
        let span = (characters + span.start.index(), characters + span.end.index());
        let value = match event {
            Event::Scalar(text, style, ..) => {
                Value::Scalar(text.into_owned(), style != ScalarStyle::Plain)
            }
            Event::Alias(_) => Value::Scalar(String::new(), true),
            Event::SequenceStart(..) => Value::List(Vec::new()),
            Event::MappingStart(..) => Value::Map(Vec::new()),
            Event::SequenceEnd | Event::MappingEnd => {
                if let Some((mut node, _)) = open.pop() {
                    node.span.1 = span.1;
                    put(&mut open, &mut out, node);
                }
                continue;
            }
            _ => continue,
        };
        *count += 1;
        if *count > NODES {
            return Err(broken(format!("more than {NODES} values")));
        }
        let node = Node { line: at, value, span };
        if matches!(node.value, Value::Scalar(..)) {
            put(&mut open, &mut out, node);
        } else {
            if open.len() >= DEPTH {
                return Err(broken(format!("values are nested more than {DEPTH} deep")));
            }
            open.push((node, None));
        }
    }
    Ok(out)
}

fn line(own: usize, before: u32) -> u32 {
    u32::try_from(own).unwrap_or(u32::MAX).saturating_add(before)
}

/// Puts a whole value where it belongs.
fn put(open: &mut [Open], out: &mut Vec<Node>, node: Node) {
    match open.last_mut() {
        None => out.push(node),
        Some((parent, waits)) => match (&mut parent.value, waits.take()) {
            (Value::List(all), _) => all.push(node),
            (Value::Map(all), Some(key)) => all.push((key, node)),
            (Value::Map(_), None) => {
                *waits = Some(match node.value {
                    Value::Scalar(text, _) => text,
                    _ => String::new(),
                });
            }
            (Value::Scalar(..), _) => {}
        },
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn json_and_yaml_alike_with_their_lines() {
        let json = "{\n  \"A\": [\n    {\"B\": \"x\", \"N\": 60}\n  ]\n}\n{\"C\": null}\n";
        let yaml = "A:\n- B: x\n  N: 60\n---\nC: null\n";
        for text in [json, yaml] {
            assert!(documents(text).unwrap().len() == 2, "{text}");
            let all = documents(text).unwrap();
            let b = all[0].items_of("A")[0].get("B").unwrap();
            assert_eq!((b.text(), b.line), ("x", if text == json { 3 } else { 2 }));
            assert_eq!(all[0].items_of("A")[0].get("N").unwrap().number(), Some(60.0));
            assert_eq!(all[1].text_of("C"), "");
            let characters: Vec<char> = text.chars().collect();
            let own: String = characters[b.span.0..b.span.1].iter().collect();
            assert_eq!(own.trim_matches('"'), "x");
        }
        let c = documents(json).unwrap()[1].get("C").unwrap().line;
        assert_eq!(c, 6);
    }

    /// Every value of a tree, and the path that leads to it by hand.
    fn every<'n>(node: &'n Node, path: &str, out: &mut Vec<(String, &'n Node)>) {
        out.push((path.to_owned(), node));
        match &node.value {
            Value::Scalar(..) => {}
            Value::List(all) => {
                all.iter()
                    .enumerate()
                    .for_each(|(at, one)| every(one, &format!("{path}[{at}]"), out));
            }
            Value::Map(all) => {
                for (key, one) in all {
                    every(one, &format!("{path}{}", key_step(key, path.is_empty())), out);
                }
            }
        }
    }

    #[test]
    fn paths_lead_to_every_value_of_json_and_yaml() {
        let json = "$ aws x\n{\n  \"A\": [\n    {\"B\": \"x\", \"é.n\": 60, \"E\": [], \"N\": null}\n  ]\n}\n{\"C\": [[1, 2]]}\n";
        let yaml = "A:\n- B: x\n  é.n: 60\n  E: []\n  N:\n---\nC:\n- - 1\n  - 2\n";
        for text in [json, yaml] {
            let all = documents(text).unwrap();
            let mut shown = Vec::new();
            for document in &all {
                let mut own = Vec::new();
                every(document, "", &mut own);
                for (path, node) in own {
                    assert_eq!(document.path_to(node), path, "{text}");
                    shown.push(path);
                }
            }
            assert_eq!(
                shown,
                [
                    "",
                    "A",
                    "A[0]",
                    "A[0].B",
                    "A[0][\"é.n\"]",
                    "A[0].E",
                    "A[0].N",
                    "",
                    "C",
                    "C[0]",
                    "C[0][0]",
                    "C[0][1]"
                ]
            );
            // Of another document: no path leads there.
            assert_eq!(all[0].path_to(&all[1]), "");
        }
    }

    #[test]
    fn what_is_none_is_said() {
        for (text, line) in [("{\n \"a\": [1,\n", 3), ("{\"a\": \"b\n", 2)] {
            assert!(documents(text).unwrap_err().line >= line - 1, "{text}");
        }
        assert!(documents(&"[".repeat(100)).is_err());
        let above = documents("$ aws elbv2 x\n{\n \"a\": 1\n}\n").unwrap();
        assert_eq!(above[0].get("a").map(|a| a.line), Some(3));
        assert!(
            looks("{ \"a\": 1 }")
                && looks("apiVersion: v1\nkind: X\n")
                && looks("TargetGroups:\n- A: b\n")
        );
        assert!(
            !looks("{\n admin off\n}\n")
                && !looks("server {\n}\n")
                && !looks("frontend f\n bind :443\n")
        );
    }
}
