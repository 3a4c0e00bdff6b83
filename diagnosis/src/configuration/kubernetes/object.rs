//! The objects of the files: out of lists and documents, each with its name and place.

use crate::configuration::Place;
use crate::configuration::part::{Documents, once};
use wss_bundle::structured::{Node, Value};

/// An object, and where it stands.
#[derive(Debug, Clone, Copy)]
pub(super) struct Object<'n> {
    pub(super) node: &'n Node,
    root: &'n Node,
    file: &'n str,
    pub(super) kind: &'n str,
    pub(super) name: &'n str,
    /// Empty where it is not said: then that of whoever applies it.
    pub(super) namespace: &'n str,
}

impl<'n> Object<'n> {
    fn of(file: &'n str, root: &'n Node, node: &'n Node) -> Option<Self> {
        let kind = node.text_of("kind");
        let metadata = node.get("metadata");
        let text = |key: &str| metadata.map_or("", |m| m.text_of(key));
        let (name, namespace) = (text("name"), text("namespace"));
        let known = !kind.is_empty() && !node.text_of("apiVersion").is_empty();
        known.then_some(Self { node, root, file, kind, name, namespace })
    }

    /// The value at a way of keys.
    pub(super) fn get(&self, keys: &[&str]) -> Option<&'n Node> {
        within(self.node, keys)
    }

    /// Its text; nothing where there is none.
    pub(super) fn text(&self, keys: &[&str]) -> &'n str {
        self.get(keys).map_or("", Node::text)
    }

    pub(super) fn items(&self, keys: &[&str]) -> &'n [Node] {
        self.get(keys).map_or(&[], Node::items)
    }

    /// An annotation, where it is set.
    pub(super) fn annotation(&self, name: &str) -> Option<&'n Node> {
        self.get(&["metadata", "annotations", name])
    }

    /// All annotations.
    pub(super) fn annotations(&self) -> &'n [(String, Node)] {
        match self.get(&["metadata", "annotations"]).map(|node| &node.value) {
            Some(Value::Map(all)) => all,
            _ => &[],
        }
    }

    /// `Ingress console`
    pub(super) fn title(&self) -> String {
        format!("{} {}", self.kind, self.name)
    }

    /// Whether both may be in one namespace.
    pub(super) fn beside(&self, other: &Self) -> bool {
        same(self.namespace, other.namespace)
    }

    /// The place of a value within, and the line as one would show it.
    pub(super) fn at(&self, node: &Node) -> (Place, String) {
        let place = Place::at(self.file, self.root, node);
        let path = self.node.path_to(node);
        let path = path.strip_prefix("metadata.").unwrap_or(&path);
        let line = match (path, node.text()) {
            ("", _) => self.title(),
            (path, "") => format!("{}: {path}", self.title()),
            (path, text) => format!("{}: {path}: {text}", self.title()),
        };
        (place, line)
    }

    /// Where its name stands.
    pub(super) fn itself(&self) -> (Place, String) {
        let name = self.get(&["metadata", "name"]).unwrap_or(self.node);
        (self.at(name).0, self.title())
    }

    /// `kubectl` with its namespace.
    pub(super) fn kubectl(&self) -> String {
        match self.namespace {
            "" => "kubectl".to_owned(),
            own => format!("kubectl -n {own}"),
        }
    }

    /// The command that sets annotations of it.
    pub(super) fn annotate(&self, pairs: &[(&str, &str)]) -> String {
        let pairs: Vec<String> = pairs.iter().map(|(k, v)| format!("{k}={v}")).collect();
        let kind = self.kind.to_ascii_lowercase();
        format!("{} annotate {kind} {} --overwrite {}", self.kubectl(), self.name, pairs.join(" "))
    }

    /// The command that merges this into it.
    pub(super) fn patch(&self, json: &str) -> String {
        let kind = self.kind.to_ascii_lowercase();
        format!("{} patch {kind} {} --type merge -p '{json}'", self.kubectl(), self.name)
    }
}

/// The value at a way of keys.
pub(super) fn within<'n>(node: &'n Node, keys: &[&str]) -> Option<&'n Node> {
    keys.iter().try_fold(node, |node, key| node.get(key))
}

/// Whether two namespaces may be one.
pub(super) fn same(one: &str, other: &str) -> bool {
    one == other || one.is_empty() || other.is_empty()
}

/// Every object of them.
pub(super) fn objects(files: &[Documents]) -> Vec<Object<'_>> {
    let mut out = Vec::new();
    for (file, root) in files.iter().flat_map(|one| one.all.iter().map(|root| (&one.file, root))) {
        let inner = match root.items_of("items") {
            [] => root.items(),
            items => items,
        };
        out.extend(inner.iter().filter_map(|node| Object::of(file, root, node)));
        let list = root.text_of("kind").ends_with("List") || root.get("items").is_some();
        out.extend(Object::of(file, root, root).filter(|_| !list));
    }
    once(out, |object| object.node)
}
