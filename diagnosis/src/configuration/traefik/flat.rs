//! YAML, TOML, labels (`traefik.http.routers.x.rule=…`) and options (`--entrypoints.x.address=…`)
//! as one list of keys with their values.

use crate::configuration::Place;
use crate::configuration::part::{Documents, Part};
use wss_bundle::structured::Value;

/// A key, in lower case, with its value.
#[derive(Debug, Clone)]
pub(super) struct Entry<'n> {
    pub(super) key: Vec<String>,
    pub(super) value: String,
    part: Part<'n>,
}

impl Entry<'_> {
    /// Its place, and the line as one would show it.
    pub(super) fn at(&self) -> (Place, String) {
        let last = self.key.last().map_or("", String::as_str);
        (self.part.place(), format!("{last}: {}", self.value))
    }

    fn begins(&self, words: &[&str]) -> bool {
        self.key.len() >= words.len() && self.key.iter().zip(words).all(|(a, b)| a == b)
    }
}

/// All entries of all files.
#[derive(Debug, Default)]
pub(super) struct Flat<'n>(Vec<Entry<'n>>);

impl<'n> Flat<'n> {
    pub(super) fn of(files: &'n [Documents]) -> Self {
        let mut out = Self::default();
        for file in files {
            for root in file.all.iter() {
                let part = Part { node: root, file: &file.file, root };
                out.walk(part, &mut Vec::new());
            }
        }
        // Found by halves; what stands together in a file stays in its order.
        out.0.sort_by(|a, b| a.key.cmp(&b.key));
        out
    }

    fn walk(&mut self, part: Part<'n>, key: &mut Vec<String>) {
        match &part.node.value {
            Value::Scalar(text, _) => self.scalar(part, key, text),
            // An empty section says that it is there.
            Value::Map(all) if all.is_empty() => self.add(key.clone(), "", part),
            Value::List(all) => all.iter().for_each(|one| self.walk(part.with(one), key)),
            Value::Map(all) => {
                for (name, node) in all {
                    // A map of labels has the whole key in one.
                    if let Some(label) = name.strip_prefix("traefik.") {
                        self.walk(part.with(node), &mut words(label));
                        continue;
                    }
                    key.push(name.to_ascii_lowercase());
                    self.walk(part.with(node), key);
                    key.pop();
                }
            }
        }
    }

    fn scalar(&mut self, part: Part<'n>, key: &[String], text: &str) {
        let own = text.strip_prefix("traefik.").or_else(|| text.strip_prefix("--"));
        if let Some((own, value)) = own.and_then(|own| own.split_once('=')) {
            return self.add(words(own), value, part);
        }
        self.add(key.to_vec(), text, part);
    }

    fn add(&mut self, key: Vec<String>, value: &str, part: Part<'n>) {
        let last = key.last().map_or("", String::as_str);
        let several = matches!(last, "middlewares" | "entrypoints" | "prefixes");
        if several {
            for one in value.split(',').map(str::trim).filter(|one| !one.is_empty()) {
                self.0.push(Entry { key: key.clone(), value: one.to_owned(), part });
            }
            return;
        }
        self.0.push(Entry { key, value: value.to_owned(), part });
    }

    /// The names of a section: of `http.routers` those of the routers.
    pub(super) fn names(&self, section: &[&str]) -> Vec<&str> {
        let mut out: Vec<&str> = Vec::new();
        for entry in self.below(section) {
            // In order: those of one name stand together.
            if let Some(name) =
                entry.key.get(section.len()).filter(|n| out.last() != Some(&n.as_str()))
            {
                out.push(name);
            }
        }
        out
    }

    /// The entries below a key.
    pub(super) fn below<'f>(&'f self, key: &[&str]) -> &'f [Entry<'n>] {
        let before =
            |entry: &Entry<'_>| entry.key.iter().map(String::as_str).lt(key.iter().copied());
        let from = self.0.partition_point(before);
        let rest = self.0.get(from..).unwrap_or_default();
        let many = rest.partition_point(|entry| entry.begins(key));
        rest.get(..many).unwrap_or_default()
    }

    /// The entry of a key.
    pub(super) fn get(&self, key: &[&str]) -> Option<&Entry<'n>> {
        self.below(key).first().filter(|entry| entry.key.len() == key.len())
    }

    pub(super) fn text(&self, key: &[&str]) -> &str {
        self.get(key).map_or("", |entry| entry.value.as_str())
    }
}

fn words(key: &str) -> Vec<String> {
    key.split('.')
        .map(|word| word.split('[').next().unwrap_or_default().to_ascii_lowercase())
        .collect()
}

/// A name without the provider that it comes from: `x@file`.
pub(super) fn bare(name: &str) -> String {
    name.split('@').next().unwrap_or_default().to_ascii_lowercase()
}

/// Whether files are Traefik's.
pub(super) fn is(files: &[Documents]) -> bool {
    let flat = Flat::of(files);
    let routed =
        flat.names(&["http", "routers"]).len() + flat.names(&["http", "middlewares"]).len();
    let entry = flat.names(&["entrypoints"]);
    routed > 0 || entry.iter().any(|name| flat.get(&["entrypoints", name, "address"]).is_some())
}
