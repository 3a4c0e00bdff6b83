//! `docs/schema/report.schema.json` and `docs/report-json.md` are what the types say, and every
//! golden report keeps to them.
#![allow(clippy::unwrap_used, clippy::expect_used, reason = "a test may panic")]

use schemars::generate::SchemaSettings;
use serde_json::{Map, Value};
use std::fmt::Write as _;
use std::path::{Path, PathBuf};
use wss_bundle::read::{self, Limits};
use wss_diagnosis::{Diagnosis, diagnose};
use wss_lab::scenario;

fn root(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("..").join(name)
}

fn schema() -> Value {
    let settings = SchemaSettings::draft2020_12().for_serialize();
    settings.into_generator().into_root_schema_for::<Diagnosis>().to_value()
}

#[track_caller]
fn current(name: &str, wanted: &str) {
    let file = root("docs").join(name);
    if std::env::var_os("UPDATE_DOCS").is_some() {
        std::fs::create_dir_all(file.parent().unwrap()).unwrap();
        std::fs::write(&file, wanted).unwrap();
    }
    let found = std::fs::read_to_string(&file).unwrap_or_default();
    assert!(
        found == wanted,
        "docs/{name} is stale: UPDATE_DOCS=1 cargo test -p wss-lab --test schema"
    );
}

/// What a reference leads to.
fn followed<'s>(schema: &'s Value, at: &'s Value) -> &'s Value {
    match at.get("$ref").and_then(Value::as_str) {
        Some(path) => schema.pointer(path.trim_start_matches('#')).expect("it leads somewhere"),
        None => at,
    }
}

/// The schema of a value that may be null.
fn whole<'s>(schema: &'s Value, at: &'s Value) -> &'s Value {
    let some = at.get("anyOf").and_then(Value::as_array).map_or(at, |all| &all[0]);
    followed(schema, some)
}

fn names(at: &Value) -> String {
    match &at["type"] {
        Value::Array(all) => all.iter().filter_map(Value::as_str).collect::<Vec<_>>().join(" or "),
        other => other.as_str().unwrap_or_default().to_owned(),
    }
}

/// A row for each key, with those within it.
fn rows(schema: &Value, at: &Value, path: &str, out: &mut String) {
    let inner = whole(schema, at);
    if let Some(items) = inner.get("items") {
        return rows(schema, items, &format!("{path}[]"), out);
    }
    let Some(keys) = inner.get("properties").and_then(Value::as_object) else { return };
    for (key, of) in keys {
        let inner = whole(schema, of);
        let path = if path.is_empty() { key.clone() } else { format!("{path}.{key}") };
        let null = if of.get("anyOf").is_some() { " or null" } else { "" };
        let says =
            of.get("description").and_then(Value::as_str).expect("every key says what it is");
        let says = says.split_whitespace().collect::<Vec<_>>().join(" ").replace('|', "\\|");
        let values = inner.get("enum").and_then(Value::as_array);
        let values = values.map(|all| all.iter().filter_map(Value::as_str).collect::<Vec<_>>());
        let values =
            values.map_or_else(String::new, |all| format!(" One of `{}`.", all.join("`, `")));
        writeln!(out, "| `{path}` | {}{null} | {says}{values} |", names(inner)).unwrap();
        rows(schema, of, &path, out);
    }
}

/// What of a value is not as the schema has it.
fn wrong(schema: &Value, at: &Value, value: &Value, path: &str, out: &mut Vec<String>) {
    if value.is_null() {
        let may = at.get("anyOf").is_some() || names(at).split(" or ").any(|one| one == "null");
        return if may {
        } else {
            out.push(format!("{path} is null"))
        };
    }
    let inner = whole(schema, at);
    let kind = match value {
        Value::Bool(_) => "boolean",
        Value::Number(_) => "number",
        Value::String(_) => "string",
        Value::Array(_) => "array",
        _ => "object",
    };
    let is = |one: &str| one == kind || (one == "integer" && value.is_u64());
    if !names(inner).split(" or ").any(is) {
        out.push(format!("{path} is a {kind}, not {}", names(inner)));
    }
    if let Some(all) = inner.get("enum").and_then(Value::as_array)
        && !all.contains(value)
    {
        out.push(format!("{path} is {value}, which is none of the values"));
    }
    match value {
        Value::Array(all) => {
            for (number, one) in all.iter().enumerate() {
                wrong(schema, &inner["items"], one, &format!("{path}[{number}]"), out);
            }
        }
        Value::Object(all) => keys(schema, inner, all, path, out),
        _ => {}
    }
}

fn keys(schema: &Value, at: &Value, all: &Map<String, Value>, path: &str, out: &mut Vec<String>) {
    let known = at["properties"].as_object().expect("it is an object's");
    for (key, value) in all {
        match known.get(key) {
            Some(of) => wrong(schema, of, value, &format!("{path}.{key}"), out),
            None => out.push(format!("{path}.{key} is not in the schema")),
        }
    }
    let required = at["required"].as_array().expect("no key is ever absent");
    for key in required.iter().filter_map(Value::as_str).filter(|key| !all.contains_key(*key)) {
        out.push(format!("{path}.{key} is absent"));
    }
}

#[test]
fn the_pages_are_current() {
    let schema = schema();
    current("schema/report.schema.json", &format!("{schema:#}\n"));
    let mut page = "# The verdict as JSON\n\nWhat `wss-analyzer report --format json` prints, and `wss-collector --json` under `diagnosis`. \
         No key is ever absent: what has nothing to say is `null` or `[]`. Readers ignore keys that they do not know; a key that is \
         added is a minor version.\n\nMade from the types, as [schema/report.schema.json](schema/report.schema.json) is; a test fails when \
         either is stale (`UPDATE_DOCS=1 cargo test -p wss-lab --test schema` writes them anew), or when a recorded report does not keep \
         to it.\n\n| key | type | meaning |\n|---|---|---|\n"
        .to_owned();
    rows(&schema, &schema, "", &mut page);
    current("report-json.md", &page);
}

#[test]
fn every_golden_report_keeps_to_the_schema() {
    let schema = schema();
    let mut count = 0;
    for folder in scenario::all(&root("tests/golden")).unwrap() {
        let zips = std::fs::read_dir(&folder).unwrap().map(|entry| entry.unwrap().path());
        let zips = zips.filter(|path| path.extension().is_some_and(|end| end == "zip"));
        let bundles: Vec<_> =
            zips.map(|zip| read::file(&zip, &Limits::default()).unwrap().bundle).collect();
        let report = serde_json::to_value(diagnose(&bundles)).unwrap();
        let mut out = Vec::new();
        wrong(&schema, &schema, &report, "", &mut out);
        assert!(out.is_empty(), "{}: {}", folder.display(), out.join("\n"));
        count += 1;
    }
    assert!(count > 20, "{count}");
    // What the check is for.
    let mut out = Vec::new();
    wrong(&schema, &schema, &serde_json::json!({ "verdict": { "status": "fine" } }), "", &mut out);
    assert!(out.iter().any(|one| one.contains("none of the values")), "{out:?}");
    assert!(out.iter().any(|one| one.contains(".routes is absent")), "{out:?}");
}
