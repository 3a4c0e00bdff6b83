//! What the calls printed, together: load balancers, listeners, rules, groups.

use crate::configuration::Place;
use crate::configuration::source::File;
use wss_bundle::structured::{Node, documents};

/// A part of a description, and where it stands.
#[derive(Debug, Clone, Copy)]
pub(super) struct Part<'n> {
    pub(super) node: &'n Node,
    pub(super) file: &'n str,
    /// The answer that it is a part of.
    pub(super) root: &'n Node,
}

impl<'n> Part<'n> {
    pub(super) fn text(&self, key: &str) -> &'n str {
        self.node.text_of(key)
    }

    /// The place of a key of it, and the line as one would show it.
    pub(super) fn at(&self, key: &str) -> (Place, String) {
        self.value(self.node.get(key).unwrap_or(self.node))
    }

    /// The same of any value within it.
    pub(super) fn value(&self, node: &Node) -> (Place, String) {
        let place = Place::at(self.file, self.root, node);
        let line = place.with(node);
        (place, line)
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
        .flat_map(|(file, root)| {
            root.items_of(list).iter().map(move |node| Part { node, file, root })
        })
        .collect()
}
