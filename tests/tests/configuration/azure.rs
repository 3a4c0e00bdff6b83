//! Azure: every field that is read, may stay after masking, or stands in a sample is one
//! of the models of its Python packages, of the classes that the three load balancers are
//! made of.

use super::samples;
use std::collections::BTreeSet;
use std::path::{Path, PathBuf};
use wss_bundle::structured::{Node, Value, documents};

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("..")
}

/// A package's models, and the classes that are meant: by the begin of their names.
const MODELS: [(&str, &[&str]); 3] = [
    ("network", &["ApplicationGateway", "SubResource", "Resource"]),
    ("cdn", &["Route", "AfdRoute", "ResourceReference", "ActivatedResource", "Compression"]),
    ("apimanagement", &["ApiContract", "Authentication", "SubscriptionKeyParameterNames"]),
];

/// `api_type` as az prints it.
fn camel(attribute: &str) -> String {
    let mut words = attribute.split('_').filter(|word| !word.is_empty());
    let mut out = words.next().unwrap_or_default().to_owned();
    for word in words {
        out.push_str(&word[..1].to_ascii_uppercase());
        out.push_str(&word[1..]);
    }
    out
}

/// The names of all fields: of an attribute, and of its key without `properties`.
fn known() -> BTreeSet<String> {
    let pair = regex::Regex::new(r#""(\w+)": \{\s*"key": "([\w.\\]+)""#).unwrap();
    // The command line's own: a part of the id, beside it.
    let mut out = BTreeSet::from(["resourceGroup".to_owned()]);
    for (name, classes) in MODELS {
        let file = root().join(format!("target/azure/{name}.py"));
        let text = std::fs::read_to_string(&file)
            .unwrap_or_else(|e| panic!("{}: {e}: ./tests/run install fetches it", file.display()));
        let before = out.len();
        for class in text.split("\nclass ").skip(1) {
            if classes.iter().any(|own| class.starts_with(own)) {
                for one in pair.captures_iter(class) {
                    out.insert(camel(&one[1]));
                    out.insert(one[2].rsplit('.').next().unwrap().to_owned());
                }
            }
        }
        assert!(out.len() > before + 10, "{name}: {}", out.len() - before);
    }
    out
}

fn keys<'n>(node: &'n Node, out: &mut Vec<&'n str>) {
    match &node.value {
        Value::Scalar(..) => {}
        Value::List(all) => all.iter().for_each(|one| keys(one, out)),
        Value::Map(all) => {
            for (key, one) in all {
                // Names that people give.
                if key != "tags" {
                    keys(one, out);
                }
                out.push(key);
            }
        }
    }
}

#[test]
fn fields_are_in_the_models() {
    let known = known();
    let mut seen = 0;
    for (about, text, _) in samples::azure::all() {
        for document in documents(&text).unwrap() {
            let mut own = Vec::new();
            keys(&document, &mut own);
            for key in own {
                assert!(known.contains(key), "{about}: {key}");
                seen += 1;
            }
        }
    }
    for key in wss_bundle::redact::listed::AZURE.keys {
        for part in key.split('.').filter(|part| !part.is_empty()) {
            assert!(known.contains(part), "{key}");
        }
    }
    // Every word of the sources that is written as a field is.
    let read = regex::Regex::new(r#""([a-z]+(?:[A-Z][A-Za-z]*)+)""#).unwrap();
    let got = regex::Regex::new(r#"(?:get|text|items|object|named)\((?:\w+, )?"(\w+)"\)"#).unwrap();
    for file in ["check.rs", "gateway.rs", "action.rs", "front_door.rs", "api.rs"] {
        let path = root().join("diagnosis/src/configuration/azure").join(file);
        let source = std::fs::read_to_string(path).unwrap();
        for field in read.captures_iter(&source).chain(got.captures_iter(&source)) {
            assert!(known.contains(&field[1]), "{file}: {}", &field[1]);
            seen += 1;
        }
    }
    assert!(seen > 1000, "{seen}");
}
