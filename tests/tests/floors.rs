//! Who may know whom. The floors of each crate stand in a table in
//! `docs/architecture.md`, which is the newcomer's map; here the sources are held
//! against it. A module knows the floors below its own, and nobody else: also not
//! the others on its floor.
//!
//! What is not so yet is listed there as a debt, with the number of files that know
//! what they should not. The number may only shrink.
#![allow(clippy::unwrap_used, clippy::expect_used, reason = "a test may panic")]

use regex::Regex;
use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};

const CRATES: [&str; 6] = ["bundle", "diagnosis", "handed", "report", "collector", "analyzer"];
const MAP: &str = "docs/architecture.md";

/// A top module that knows another: crate, who, whom.
type Edge = (String, String, String);

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).parent().unwrap().to_owned()
}

/// The map, as it stands in the document.
#[derive(Default)]
struct Map {
    /// Floor of each module of each crate, from below.
    floors: BTreeMap<(String, String), usize>,
    /// How many files may know what they should not.
    debts: BTreeMap<Edge, usize>,
}

fn map() -> Map {
    let text = std::fs::read_to_string(root().join(MAP)).unwrap();
    let name = Regex::new("`([a-z_0-9]+)`").unwrap();
    let mut map = Map::default();
    for line in text.lines().filter(|line| line.starts_with('|')) {
        let cells: Vec<&str> = line.trim_matches('|').split('|').map(str::trim).collect();
        let names = |cell: &str| -> Vec<String> {
            name.captures_iter(cell).map(|found| found[1].to_owned()).collect()
        };
        let Some(at) = cells.first().filter(|at| CRATES.contains(at)) else { continue };
        match (cells[1].parse::<usize>(), cells.get(2)) {
            (Ok(floor), Some(modules)) => {
                for module in names(modules) {
                    let before = map.floors.insert((at.to_string(), module.clone()), floor);
                    assert_eq!(before, None, "{MAP}: {at}'s `{module}` is on two floors");
                }
            }
            (Err(_), Some(files)) => {
                let [from, to] = <[String; 2]>::try_from(names(cells[1]))
                    .unwrap_or_else(|_| panic!("{MAP}: no `from` → `to`: {line}"));
                let files = files.parse().unwrap_or_else(|_| panic!("{MAP}: no count: {line}"));
                map.debts.insert((at.to_string(), from, to), files);
            }
            _ => panic!("{MAP}: neither a floor nor a debt: {line}"),
        }
    }
    assert!(map.floors.len() > 40, "{MAP}: the table of floors was not found");
    map
}

fn sources(folder: &Path, out: &mut Vec<PathBuf>) {
    for entry in std::fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            sources(&path, out);
        } else if path.extension().is_some_and(|end| end == "rs") {
            out.push(path);
        }
    }
}

/// Where a module's own modules lie: `a.rs` and `a/mod.rs` have them in `a/`.
fn folder(file: &Path) -> PathBuf {
    match file.file_stem().unwrap().to_str().unwrap() {
        "mod" | "lib" | "main" => file.parent().unwrap().to_owned(),
        _ => file.with_extension(""),
    }
}

/// A crate's sources without what is compiled for tests alone, and without comments.
fn product(src: &Path) -> Vec<(PathBuf, String)> {
    let mut files = Vec::new();
    sources(src, &mut files);
    files.sort();
    let tests = Regex::new(r"#\[cfg\(test\)\]\s*(?:pub )?mod (\w+)\s*([;{])").unwrap();
    let comment = Regex::new(r"(?m)^\s*//.*$").unwrap();
    let mut skipped = Vec::new();
    let mut out = Vec::new();
    for file in files {
        let mut text = std::fs::read_to_string(&file).unwrap();
        for found in tests.captures_iter(&text.clone()) {
            if &found[2] == ";" {
                skipped.push(folder(&file).join(&found[1]));
            } else {
                // Tests stand last in a file.
                text.truncate(text.find(&found[0]).unwrap_or(text.len()));
            }
        }
        // Lines keep their numbers.
        out.push((file, comment.replace_all(&text, "").into_owned()));
    }
    out.retain(|(file, _)| {
        !skipped.iter().any(|tests| file.with_extension("") == *tests || file.starts_with(tests))
    });
    out
}

/// What the crate's root calls by other names: `pub use model::*`, `pub use a::{B, C}`.
fn renamed(lib: &str) -> (BTreeMap<String, String>, Option<String>) {
    let uses = Regex::new(r"(?s)pub use (\w+)::([^;]+);").unwrap();
    let name = Regex::new(r"\w+").unwrap();
    let (mut known, mut rest) = (BTreeMap::new(), None);
    for found in uses.captures_iter(lib) {
        if found[2].trim() == "*" {
            rest = Some(found[1].to_owned());
        }
        for item in name.find_iter(&found[2]) {
            known.insert(item.as_str().to_owned(), found[1].to_owned());
        }
    }
    (known, rest)
}

/// Every place at which a file names another top module of its crate: line, name.
fn named(text: &str, depth: usize) -> Vec<(usize, String)> {
    let path = Regex::new(r"(?s)\b(crate::|(?:super::)+)(\w+|\{[^;]*?\};)").unwrap();
    let first = Regex::new(r"\w+").unwrap();
    let mut out = Vec::new();
    for found in path.captures_iter(text) {
        let start = &found[1];
        if start != "crate::" && start.len() / "super::".len() != depth {
            continue;
        }
        let line = text[..found.get(0).unwrap().start()].matches('\n').count() + 1;
        // Of `{a::b, c::{d, e}}` the outermost names.
        let mut level = 0;
        let mut names = String::new();
        for c in found[2].trim_end_matches(';').chars() {
            level += i32::from(c == '{');
            if level <= 1 {
                names.push(c);
            }
            level -= i32::from(c == '}');
        }
        for item in names.trim_matches(['{', '}']).split(',') {
            out.extend(first.find(item).map(|name| (line, name.as_str().to_owned())));
        }
    }
    out
}

/// The edges of a crate, each with the places that make it.
fn edges(at: &str) -> (BTreeSet<String>, BTreeMap<Edge, Vec<String>>) {
    let src = root().join(at).join("src");
    let lib = std::fs::read_to_string(src.join("lib.rs")).unwrap();
    let declared = Regex::new(r"(?m)^(?:pub )?mod (\w+);").unwrap();
    let tops: BTreeSet<String> =
        declared.captures_iter(&lib).map(|found| found[1].to_owned()).collect();
    let (known, rest) = renamed(&lib);
    let mut out: BTreeMap<Edge, Vec<String>> = BTreeMap::new();
    for (file, text) in product(&src) {
        let inner = file.strip_prefix(&src).unwrap();
        let parts: Vec<String> = folder(inner)
            .components()
            .map(|part| part.as_os_str().to_string_lossy().into_owned())
            .collect();
        let Some(top) = parts.first().filter(|top| tops.contains(*top)) else { continue };
        for (line, name) in named(&text, parts.len()) {
            let whom = match tops.contains(&name) {
                true => Some(&name),
                false => known.get(&name).or(rest.as_ref()),
            };
            if let Some(whom) = whom.filter(|whom| *whom != top) {
                let edge = (at.to_owned(), top.clone(), whom.clone());
                out.entry(edge).or_default().push(format!("{at}/src/{}:{line}", inner.display()));
            }
        }
    }
    (tops, out)
}

#[test]
fn every_module_knows_only_the_floors_below_it() {
    let map = map();
    let mut wrong = Vec::new();
    let mut seen = BTreeSet::new();
    for at in CRATES {
        let (tops, edges) = edges(at);
        assert!(
            tops.len() > 2 && (at == "handed" || edges.len() > 5),
            "{at}: its sources were not understood"
        );
        for top in &tops {
            if !map.floors.contains_key(&(at.to_owned(), top.clone())) {
                wrong.push(format!("{at}: `{top}` stands on no floor; add it to {MAP}"));
            }
        }
        for (owner, module) in map.floors.keys().filter(|(owner, _)| owner == at) {
            if !tops.contains(module) {
                wrong.push(format!("{MAP}: {owner} has no module `{module}`"));
            }
        }
        for ((_, from, to), places) in edges {
            let floor = |module: &str| map.floors.get(&(at.to_owned(), module.to_owned()));
            let (Some(mine), Some(theirs)) = (floor(&from), floor(&to)) else { continue };
            if theirs < mine {
                continue;
            }
            let edge = (at.to_owned(), from.clone(), to.clone());
            let files: BTreeSet<&str> =
                places.iter().filter_map(|place| place.rsplit_once(':')).map(|p| p.0).collect();
            let allowed = map.debts.get(&edge).copied().unwrap_or_default();
            if files.len() > allowed {
                wrong.push(format!(
                    "{at}: `{from}` is on floor {mine} and may know only the floors below; it \
                     knows `{to}` on floor {theirs} in {} files ({allowed} are allowed as a debt):\
                     \n    {}\n  move what both need down, or hand it over as a value",
                    files.len(),
                    places.join("\n    ")
                ));
            } else if files.len() < allowed {
                println!("{MAP}: the debt {at} `{from}` → `{to}` is {} now", files.len());
            }
            seen.insert(edge);
        }
    }
    for (at, from, to) in map.debts.keys().filter(|debt| !seen.contains(*debt)) {
        wrong.push(format!("{MAP}: the debt {at} `{from}` → `{to}` is paid; take it out"));
    }
    assert!(wrong.is_empty(), "the floors of {MAP} do not hold:\n- {}", wrong.join("\n- "));
}

#[test]
fn what_is_named_is_seen() {
    let text = "use crate::a::B;\nuse crate::{c::{d, e}, F};\nlet x = super::super::g::h();\n\
                use super::own;\n";
    let names: Vec<_> = named(text, 2);
    let expected = [(1, "a"), (2, "c"), (2, "F"), (3, "g")];
    assert_eq!(names, expected.map(|(line, name)| (line, name.to_owned())));
    let (known, rest) = renamed("pub use a::{B, C};\npub use model::*;\n");
    assert_eq!((known.get("C").map(String::as_str), rest.as_deref()), (Some("a"), Some("model")));
}
