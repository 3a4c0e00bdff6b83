//! `SECURITY.md` names tests that guard against threats: each must be one.
#![allow(clippy::unwrap_used, clippy::expect_used, reason = "a test may panic")]

use std::collections::BTreeSet;
use std::path::Path;

/// Names of functions that a test attribute stands before.
fn tests(folder: &Path, found: &mut BTreeSet<String>) {
    for entry in std::fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        let name = path.file_name().unwrap().to_string_lossy().into_owned();
        if path.is_dir() {
            if name != "target" && !name.starts_with('.') {
                tests(&path, found);
            }
        } else if name.ends_with(".rs") {
            let text = std::fs::read_to_string(&path).unwrap();
            let mut marked = false;
            for line in text.lines().map(str::trim) {
                let named = line.strip_prefix("async ").unwrap_or(line).strip_prefix("fn ");
                match named {
                    Some(rest) if marked => {
                        found.extend(rest.split('(').next().map(str::to_owned));
                        marked = false;
                    }
                    Some(_) => {}
                    None if line.starts_with("#[test]") || line.starts_with("#[tokio::test") => {
                        marked = true;
                    }
                    None => {}
                }
            }
        }
    }
}

#[test]
fn every_test_that_guards_a_threat_exists() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("..");
    let mut known = BTreeSet::new();
    tests(&root, &mut known);
    let text = std::fs::read_to_string(root.join("SECURITY.md")).unwrap();
    let threats = text.split("## Threats").nth(1).unwrap().split("\n## ").next().unwrap();
    let rows: Vec<&str> = threats.lines().filter(|line| line.starts_with("| ")).skip(1).collect();
    assert!(rows.len() >= 15, "{} threats", rows.len());
    for row in rows {
        let cells: Vec<&str> = row.trim_matches('|').split(" | ").collect();
        assert_eq!(cells.len(), 3, "{row}");
        if cells[2].trim().starts_with("not a test: ") {
            continue;
        }
        let named: Vec<&str> = cells[2].split('`').skip(1).step_by(2).collect();
        assert!(!named.is_empty(), "no test: {row}");
        for name in named {
            assert!(known.contains(name), "{name} is no test: {row}");
        }
    }
}
