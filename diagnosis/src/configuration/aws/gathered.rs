//! What the calls printed, together: load balancers, listeners, rules, groups.

use crate::configuration::Place;
use crate::configuration::source::File;
use wss_bundle::structured::{Node, documents};

/// A part of a description, and where it stands.
#[derive(Debug, Clone, Copy)]
pub(super) struct Part<'n> {
    pub(super) node: &'n Node,
    pub(super) file: &'n str,
    /// `TargetGroups[0]`
    pub(super) path: Index,
}

/// A place in a list at the root.
#[derive(Debug, Clone, Copy)]
pub(super) struct Index {
    pub(super) list: &'static str,
    pub(super) at: usize,
}

impl<'n> Part<'n> {
    pub(super) fn text(&self, key: &str) -> &'n str {
        self.node.text_of(key)
    }

    /// The place of a key of it, and the line as one would show it.
    pub(super) fn at(&self, key: &str) -> (Place, String) {
        let node = self.node.get(key).unwrap_or(self.node);
        let place = Place { file: self.file.to_owned(), line: node.line };
        let value = if node.text().is_empty() { "…" } else { node.text() };
        (place, format!("{}[{}].{key}: {value}", self.path.list, self.path.at))
    }
}

/// All files' documents.
pub(super) fn parsed(files: &[File]) -> Vec<(String, Node)> {
    files
        .iter()
        .flat_map(|file| {
            let all = documents(&file.text).unwrap_or_default();
            all.into_iter().map(|node| (file.name.clone(), node))
        })
        .collect()
}

/// Every entry of a list, of all answers.
pub(super) fn all<'n>(documents: &'n [(String, Node)], list: &'static str) -> Vec<Part<'n>> {
    documents
        .iter()
        .flat_map(|(file, node)| {
            node.items_of(list).iter().enumerate().map(move |(at, node)| Part {
                node,
                file,
                path: Index { list, at },
            })
        })
        .collect()
}
