//! Google Cloud: every field that is read, may stay after masking, or stands in a sample
//! is one of the discovery document `compute.v1`.

use super::samples;
use std::collections::BTreeSet;
use std::path::{Path, PathBuf};
use wss_bundle::structured::{Node, Value, documents};

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("..")
}

/// The names of all properties of all schemas.
fn known() -> BTreeSet<String> {
    let file = root().join("target/discovery/compute.v1.json");
    let text = std::fs::read_to_string(&file)
        .unwrap_or_else(|e| panic!("{}: {e}: ./tests/run install fetches it", file.display()));
    let document: serde_json::Value = serde_json::from_str(&text).unwrap();
    let schemas = document["schemas"].as_object().unwrap();
    let names = schemas.values().filter_map(|schema| schema["properties"].as_object());
    names.flat_map(|all| all.keys().cloned()).collect()
}

fn keys<'n>(node: &'n Node, out: &mut Vec<&'n str>) {
    match &node.value {
        Value::Scalar(..) => {}
        Value::List(all) => all.iter().for_each(|one| keys(one, out)),
        Value::Map(all) => {
            for (key, one) in all {
                out.push(key);
                keys(one, out);
            }
        }
    }
}

#[test]
fn fields_are_in_the_discovery_document() {
    let known = known();
    assert!(known.len() > 1000, "{}", known.len());
    let mut seen = 0;
    for (about, text, _) in samples::gcp::all() {
        for document in documents(&text).unwrap() {
            let mut own = Vec::new();
            keys(&document, &mut own);
            for key in own {
                assert!(known.contains(key), "{about}: {key}");
                seen += 1;
            }
        }
    }
    for key in wss_bundle::redact::listed::GCP.keys {
        assert!(known.contains(*key), "{key}");
    }
    let read = regex::Regex::new(r#"(?:get|text|items|text_of)\("([A-Za-z0-9]+)"\)"#).unwrap();
    for file in ["check.rs", "url_map.rs"] {
        let path = root().join("diagnosis/src/configuration/gcp").join(file);
        let source = std::fs::read_to_string(path).unwrap();
        for field in read.captures_iter(&source) {
            assert!(known.contains(&field[1]), "{file}: {}", &field[1]);
            seen += 1;
        }
    }
    assert!(seen > 150, "{seen}");
}
