//! Kubernetes: every field that is read, and every field of the samples, is one of the
//! API's, or of what controllers add to it, as published models have them.
//!
//! Envoy Gateway publishes no models in a registry, nor does OpenShift of what sets its
//! router up: their fields are named here.

use super::samples;
use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};
use wss_bundle::structured::{Node, Value, documents};

/// By its documentation (gateway.envoyproxy.io, "API reference").
const ENVOY_GATEWAY: [&str; 12] = [
    "apiVersion",
    "kind",
    "metadata",
    "spec",
    "targetRef",
    "targetRefs",
    "group",
    "timeout",
    "http",
    "streamIdleTimeout",
    "maxStreamDuration",
    "name",
];

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("..")
}

fn files(folder: &Path, end: &str) -> Vec<PathBuf> {
    let mut out = Vec::new();
    for entry in std::fs::read_dir(folder).unwrap_or_else(|e| panic!("{}: {e}", folder.display())) {
        let path = entry.unwrap().path();
        if path.is_dir() {
            out.extend(files(&path, end));
        } else if path.to_str().unwrap().ends_with(end) {
            out.push(path);
        }
    }
    out
}

/// Fields by the group of their models: its folder under `target/kubernetes`.
fn models() -> BTreeMap<String, BTreeSet<String>> {
    let folder = root().join("target/kubernetes");
    assert!(
        folder.join("whole").exists(),
        "target/kubernetes is not there: ./tests/run install fetches it"
    );
    let field = regex::Regex::new(r#"(?m)^\s*"?(\w+)"?\??: "#).unwrap();
    let mut out: BTreeMap<String, BTreeSet<String>> = BTreeMap::new();
    for group in std::fs::read_dir(&folder).unwrap().map(|entry| entry.unwrap().path()) {
        if !group.is_dir() {
            continue;
        }
        let name = group.file_name().unwrap().to_str().unwrap().to_owned();
        for file in files(&group, ".d.ts") {
            let text = std::fs::read_to_string(file).unwrap();
            let fields = field.captures_iter(&text).map(|c| c[1].to_owned());
            out.entry(name.clone()).or_default().extend(fields);
        }
    }
    // Traefik's types are elsewhere.
    let types = out.get("github.com").cloned().unwrap_or_default();
    out.entry("traefik.io".into()).or_default().extend(types);
    // What every object has.
    for fields in out.values_mut() {
        let own = ["name", "namespace", "annotations", "labels", "uid", "generation"];
        let all = own.into_iter().chain(["creationTimestamp", "resourceVersion", "managedFields"]);
        fields.extend(all.map(str::to_owned));
    }
    let own = ["spec", "tuningOptions", "tunnelTimeout"].map(str::to_owned);
    out.insert(
        "operator.openshift.io".into(),
        own.into_iter().chain(ENVOY_GATEWAY.map(str::to_owned)).collect(),
    );
    let own = ENVOY_GATEWAY.map(str::to_owned).into_iter().chain(["namespace".to_owned()]);
    out.insert("gateway.envoyproxy.io".into(), own.collect());
    assert!(out.len() >= 9 && out.values().all(|fields| fields.len() > 10), "{:?}", out.keys());
    out
}

/// The models' folder of an `apiVersion`.
fn group(version: &str) -> &str {
    version.split_once('/').map_or(version, |(group, _)| group)
}

fn keys<'n>(node: &'n Node, out: &mut Vec<&'n str>) {
    match &node.value {
        Value::Scalar(..) => {}
        Value::List(all) => all.iter().for_each(|one| keys(one, out)),
        Value::Map(all) => {
            for (key, one) in all {
                out.push(key);
                // Whose keys anybody chooses.
                if !["annotations", "labels", "data", "selector"].contains(&key.as_str()) {
                    keys(one, out);
                }
            }
        }
    }
}

#[test]
fn fields_of_the_samples_are_in_the_models() {
    let models = models();
    let mut seen = 0;
    for (about, text, _) in samples::kubernetes::all() {
        for document in documents(&text).unwrap() {
            let list = document.items_of("items");
            let objects = if list.is_empty() { std::slice::from_ref(&document) } else { list };
            for object in objects {
                let group = group(object.text_of("apiVersion"));
                let known = models.get(group).unwrap_or_else(|| panic!("{about}: {group}"));
                let mut own = Vec::new();
                keys(object, &mut own);
                for key in own {
                    assert!(known.contains(key), "{about}: {group} has no {key}");
                    seen += 1;
                }
            }
        }
    }
    assert!(seen > 500, "{seen}");
}

#[test]
fn fields_that_are_read_are_in_the_models() {
    let all: BTreeSet<String> = models().into_values().flatten().collect();
    // Before version 1 of Ingress; keys of a ConfigMap; a parameter of AWS' class; and
    // what one Envoy Gateway's policy has.
    let others = ["serviceName", "servicePort", "backend", "default", "items"];
    let others =
        [&others[..], &["requestTimeout", "httpUpgrade", "type", "loadBalancerAttributes"]];
    let others: BTreeSet<&str> = others.concat().into_iter().collect();
    let one = regex::Regex::new(r#"(?:get|text_of|items_of)\(\s*"([A-Za-z0-9]+)""#).unwrap();
    let way = regex::Regex::new(r"(?:get|text|items|within)\((?:\w+, )?&\[([^\]]*)\]").unwrap();
    let quoted = regex::Regex::new(r#""([A-Za-z0-9]+)""#).unwrap();
    let mut read = BTreeSet::new();
    for file in files(&root().join("diagnosis/src/configuration/kubernetes"), ".rs") {
        // Capitalised words are names of headers.
        let source = std::fs::read_to_string(file).unwrap();
        read.extend(one.captures_iter(&source).map(|c| c[1].to_owned()));
        for way in way.captures_iter(&source) {
            read.extend(quoted.captures_iter(&way[1]).map(|c| c[1].to_owned()));
        }
    }
    for field in &read {
        let known = all.contains(field) || others.contains(field.as_str());
        assert!(known, "{field} is in no model");
    }
    assert!(read.len() > 60, "{}", read.len());
}
