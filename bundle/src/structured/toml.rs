//! TOML, as Traefik's files may be written in: the same values with the same places as of
//! JSON and YAML. Parsed by `toml`, which keeps where everything stood.

use super::{Broken, DEPTH, NODES, Node, Value};
use toml::Spanned;
use toml::de::{DeTable, DeValue};

/// Whether a text begins as TOML does, with a table's name or with a key that is given a
/// value, and has such a key somewhere.
pub(crate) fn is(text: &str) -> bool {
    let mut lines =
        text.lines().map(str::trim).filter(|line| !line.is_empty() && !line.starts_with('#'));
    let Some(first) = lines.next() else { return false };
    is_header(first) && lines.any(is_pair) || is_pair(first)
}

fn is_name(text: &str) -> bool {
    let plain = |c: char| c.is_ascii_alphanumeric() || matches!(c, '_' | '-' | '.' | '"' | ' ');
    text.starts_with(|c: char| c.is_ascii_alphabetic() || c == '"') && text.chars().all(plain)
}

/// `[http.routers]`, `[[http.services.x.loadBalancer.servers]]`
fn is_header(line: &str) -> bool {
    let line = line.split('#').next().unwrap_or_default().trim();
    let inner = line.strip_prefix('[').and_then(|line| line.strip_suffix(']'));
    let inner = inner.map(|own| own.strip_prefix('[').unwrap_or(own));
    inner.map(|own| own.strip_suffix(']').unwrap_or(own)).is_some_and(is_name)
}

/// `rule = "…"`
fn is_pair(line: &str) -> bool {
    line.split_once('=').is_some_and(|(key, value)| {
        let value = value.trim();
        let word = ["true", "false"].iter().any(|word| value.starts_with(word));
        let begins =
            |c: char| c.is_ascii_digit() || matches!(c, '"' | '\'' | '[' | '{' | '+' | '-');
        is_name(key.trim()) && (word || value.starts_with(begins))
    })
}

/// The one document of a text.
pub(super) fn document(text: &str) -> Result<Node, Broken> {
    let places = Places::of(text);
    let table = DeTable::parse(text).map_err(|error| Broken {
        line: error.span().map_or(1, |span| places.line(span.start)),
        why: error.message().to_owned(),
    })?;
    let mut reader = Reader { text, places, count: 0 };
    let mut root = reader.table(table.get_ref(), 0)?;
    root.line = 1;
    root.span = (0, reader.places.character(text.len()));
    Ok(root)
}

/// Lines and characters of places in bytes.
struct Places {
    /// Where each line begins.
    lines: Vec<usize>,
    /// How many characters stand before each byte; none where every one is a byte.
    characters: Option<Vec<usize>>,
}

impl Places {
    fn of(text: &str) -> Self {
        let breaks = text.bytes().enumerate().filter(|(_, byte)| *byte == b'\n');
        let lines = std::iter::once(0).chain(breaks.map(|(at, _)| at + 1)).collect();
        let characters = (!text.is_ascii()).then(|| {
            let mut before = 0;
            let count = |byte: u8| {
                let own = before;
                before += usize::from(byte & 0xC0 != 0x80);
                own
            };
            let mut all: Vec<usize> = text.bytes().map(count).collect();
            all.push(text.chars().count());
            all
        });
        Self { lines, characters }
    }

    fn line(&self, at: usize) -> u32 {
        u32::try_from(self.lines.partition_point(|begin| *begin <= at)).unwrap_or(u32::MAX)
    }

    fn character(&self, at: usize) -> usize {
        match &self.characters {
            Some(all) => all.get(at).copied().unwrap_or_default(),
            None => at,
        }
    }
}

struct Reader<'t> {
    text: &'t str,
    places: Places,
    count: usize,
}

impl Reader<'_> {
    fn value(&mut self, value: &Spanned<DeValue<'_>>, depth: usize) -> Result<Node, Broken> {
        let span = value.span();
        let line = self.places.line(span.start);
        self.count += 1;
        let broken = |why: String| Err(Broken { line, why });
        if self.count > NODES {
            return broken(format!("more than {NODES} values"));
        }
        if depth >= DEPTH {
            return broken(format!("values are nested more than {DEPTH} deep"));
        }
        let own = (self.places.character(span.start), self.places.character(span.end));
        let plain = |text: &str| Value::Scalar(text.to_owned(), false);
        Ok(match value.get_ref() {
            DeValue::Table(table) => {
                let mut node = self.table(table, depth)?;
                (node.line, node.span) = (line, spanned(own, &node));
                node
            }
            DeValue::Array(all) => {
                let all = all.iter().map(|one| self.value(one, depth + 1));
                let value = Value::List(all.collect::<Result<_, _>>()?);
                let mut node = Node { line, value, span: own };
                node.span = spanned(own, &node);
                node
            }
            DeValue::String(text) => {
                Node { line, value: Value::Scalar(text.to_string(), true), span: own }
            }
            _ => {
                let text = self.text.get(span).unwrap_or_default();
                Node { line, value: plain(text), span: own }
            }
        })
    }

    /// The entries in the order in which they stand.
    fn table(&mut self, table: &DeTable<'_>, depth: usize) -> Result<Node, Broken> {
        let mut all = Vec::new();
        for (key, value) in table.iter() {
            all.push((key.get_ref().to_string(), self.value(value, depth + 1)?));
        }
        all.sort_by_key(|(_, node)| node.span.0);
        Ok(Node { line: 0, value: Value::Map(all), span: (0, 0) })
    }
}

/// The place of a table reaches over what it holds: its own is that of its name.
fn spanned((from, to): (usize, usize), node: &Node) -> (usize, usize) {
    let within: Vec<(usize, usize)> = match &node.value {
        Value::Map(all) => all.iter().map(|(_, node)| node.span).collect(),
        Value::List(all) => all.iter().map(|node| node.span).collect(),
        Value::Scalar(..) => Vec::new(),
    };
    within.into_iter().fold((from, to), |(from, to), own| (from.min(own.0), to.max(own.1)))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::structured::{documents, looks};

    #[test]
    fn values_have_their_lines_and_ways() {
        let text = "# é\n[http.routers.console]\n  rule = \"Host(`é`)\"\n  priority = 7\n\n[entryPoints.web]\n  address = ':443'\n\n[[http.services.console.loadBalancer.servers]]\n  url = \"http://a\"\n[[http.services.console.loadBalancer.servers]]\n  url = \"h2c://b\"\n";
        assert!(looks(text));
        let all = documents(text).unwrap();
        let http = all[0].get("http").unwrap();
        let rule = http.get("routers").unwrap().get("console").unwrap().get("rule").unwrap();
        assert_eq!((rule.text(), rule.line), ("Host(`é`)", 3));
        assert_eq!(all[0].path_to(rule), "http.routers.console.rule");
        let servers = http.get("services").unwrap().get("console").unwrap();
        let servers = servers.get("loadBalancer").unwrap().items_of("servers");
        let url = servers[1].get("url").unwrap();
        assert_eq!((url.text(), url.line), ("h2c://b", 12));
        assert_eq!(all[0].path_to(url), "http.services.console.loadBalancer.servers[1].url");
        let characters: Vec<char> = text.chars().collect();
        let own: String = characters[url.span.0..url.span.1].iter().collect();
        assert_eq!(own, "\"h2c://b\"");
        let web = all[0].get("entryPoints").unwrap().get("web").unwrap();
        assert_eq!(web.text_of("address"), ":443");
    }

    #[test]
    fn what_is_none_is_left_to_others() {
        for text in [
            "[1, 2]\n",
            "{\n \"a\": 1\n}\n",
            "a: b\n",
            "server {\n listen 80;\n}\n",
            "global\n maxconn 3\n",
            "",
            "[a]\n",
        ] {
            assert!(!is(text), "{text}");
        }
        assert!(is("[http]\n# x\n  [http.routers]\n a = true\n") && is("a.b = 1\n"));
        let broken = documents("[http.routers.x]\nrule = \"a\nb = 1\n").unwrap_err();
        assert!(broken.line >= 2, "{broken:?}");
        let deep = format!("a = {}1{}\n", "[".repeat(500), "]".repeat(500));
        assert!(documents(&deep).is_err());
    }
}
