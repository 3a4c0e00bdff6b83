//! Parts of JSON and YAML files, each with its place: what readers of structured
//! configurations pass around.

use super::Place;
use super::dialect::{Parsed, Recognised, Text};
use super::source::File;
use std::collections::BTreeMap;
use std::sync::Arc;
use wss_bundle::redact::listed::Listed;
use wss_bundle::structured::{Node, Value, documents};

/// The documents of a file.
#[derive(Debug)]
pub(crate) struct Documents {
    /// The file.
    pub(crate) file: String,
    /// What is in it.
    pub(crate) all: Arc<Vec<Node>>,
}

/// Each file's documents: as recognising it left them, else read again.
pub(crate) fn of(files: &[File]) -> Vec<Documents> {
    let read = |file: &File| {
        let left = file.parsed.0.clone().and_then(|any| any.downcast::<Vec<Node>>().ok());
        left.unwrap_or_else(|| Arc::new(documents(&file.text).unwrap_or_default()))
    };
    files.iter().map(|file| Documents { file: file.name.clone(), all: read(file) }).collect()
}

/// What the documents describe: each by itself, or each entry of a list. What was printed
/// twice (`show` and `list`) is one.
pub(crate) fn entries(files: &[Documents]) -> Vec<Part<'_>> {
    let roots = files.iter().flat_map(|one| one.all.iter().map(move |root| (&one.file, root)));
    let mut all = Vec::new();
    for (file, root) in roots {
        let items = root.items();
        let own = if items.is_empty() { std::slice::from_ref(root) } else { items };
        all.extend(own.iter().map(|node| Part { node, file, root }));
    }
    once(all, |part| part.node)
}

/// How many entries of one name are held against each other.
const MOST_ALIKE: usize = 20;

/// Each entry once, whoever printed it again.
pub(crate) fn once<'n, T>(mut all: Vec<T>, node: impl Fn(&T) -> &'n Node) -> Vec<T> {
    let mut named: BTreeMap<&str, Vec<&Node>> = BTreeMap::new();
    all.retain(|one| {
        let node = node(one);
        let alike = named.entry(name(node)).or_default();
        let again = alike.iter().any(|other| other.says_the_same(node));
        if !again && alike.len() < MOST_ALIKE {
            alike.push(node);
        }
        !again
    });
    all
}

/// What tells an entry from others: its name, or what it says first.
fn name(node: &Node) -> &str {
    let own = node.text_of("name");
    let Value::Map(all) = &node.value else { return own };
    let first = || all.iter().map(|(_, node)| node.text()).find(|text| !text.is_empty());
    if own.is_empty() { first().unwrap_or_default() } else { own }
}

/// What recognising leaves to who reads.
pub(crate) fn left(all: &Arc<Vec<Node>>) -> Parsed {
    let all: Arc<Vec<Node>> = Arc::clone(all);
    Parsed(Some(all))
}

/// Recognises JSON or YAML by its documents. Of what is not understood `like` says whether
/// it looks like one all the same, and `what` it then looks like, in words.
pub(crate) fn recognised(
    text: &Text<'_>,
    listed: &Listed,
    like: impl Fn(&str) -> bool,
    what: &str,
) -> Recognised {
    match text.documents() {
        Some(Ok(all)) if all.iter().any(listed.whose) => Recognised::Yes(left(all)),
        Some(Err(broken)) if like(text.text) => Recognised::Broken(format!(
            "it looks like {what}, and is broken off or changed at line {}: {}",
            broken.line, broken.why
        )),
        _ => Recognised::No,
    }
}

/// What a tool said in the place of an answer, where it is nothing else.
pub(crate) fn or_said(recognised: Recognised, said: impl Fn() -> Option<String>) -> Recognised {
    match recognised {
        Recognised::No => said().map_or(Recognised::No, Recognised::Broken),
        other => other,
    }
}

/// A value, the file that it is in, and the document.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Part<'n> {
    pub(crate) node: &'n Node,
    pub(crate) file: &'n str,
    pub(crate) root: &'n Node,
}

impl<'n> Part<'n> {
    /// Another value of the same document.
    pub(crate) fn with(self, node: &'n Node) -> Self {
        Self { node, ..self }
    }

    /// The value of a key: as `two_words`, or as `twoWords`.
    pub(crate) fn get(self, key: &str) -> Option<Self> {
        get(self.node, key).map(|node| self.with(node))
    }

    /// The value of a key of a key's value, and so on.
    pub(crate) fn deep(self, keys: &[&str]) -> Option<Self> {
        keys.iter().try_fold(self, |part, key| part.get(key))
    }

    /// A key's text; nothing where there is none.
    pub(crate) fn text(self, key: &str) -> &'n str {
        get(self.node, key).map_or("", Node::text)
    }

    /// What a key's list holds.
    pub(crate) fn items(self, key: &str) -> impl Iterator<Item = Self> + use<'n> {
        let all: &'n [Node] = get(self.node, key).map_or(&[], Node::items);
        all.iter().map(move |node| self.with(node))
    }

    /// Its place.
    pub(crate) fn place(self) -> Place {
        Place::at(self.file, self.root, self.node)
    }
}

/// The value of a key: as `two_words`, or as `twoWords`.
pub(crate) fn get<'n>(node: &'n Node, key: &str) -> Option<&'n Node> {
    node.get(key).or_else(|| if key.contains('_') { node.get(&camel(key)) } else { None })
}

fn camel(key: &str) -> String {
    let mut out = String::with_capacity(key.len());
    let mut upper = false;
    for c in key.chars() {
        match c {
            '_' => upper = true,
            c if upper => {
                out.push(c.to_ascii_uppercase());
                upper = false;
            }
            c => out.push(c),
        }
    }
    out
}
