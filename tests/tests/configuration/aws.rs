//! AWS: every field that is read, or may stay after masking, is one of botocore's
//! service models.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};
use std::process::Command;

/// Member names of the two services' models, by the botocore that moto brings.
const SCRIPT: &str = "import json\nfrom botocore.loaders import Loader\n\
    for service in ('elbv2', 'elb'):\n    for shape in Loader().load_service_model(service, 'service-2')['shapes'].values():\n        \
    for name in shape.get('members', {}): print(name)\n        for word in shape.get('enum', []): print(word)\n";

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("..")
}

#[test]
fn fields_that_are_read_are_in_botocores_models() {
    let moto = root().join("target/moto");
    assert!(moto.is_dir(), "target/moto is not there: ./tests/run install fetches it");
    let output =
        Command::new("python3").args(["-c", SCRIPT]).env("PYTHONPATH", moto).output().unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    let text = String::from_utf8_lossy(&output.stdout).into_owned();
    let known: BTreeSet<&str> = text.lines().collect();
    assert!(known.len() > 200, "{}", known.len());
    let quoted = regex::Regex::new(r#""([A-Z][A-Za-z]*[a-z][A-Za-z]*)""#).unwrap();
    let mut read = 0;
    for file in ["check.rs", "gathered.rs"] {
        let source =
            std::fs::read_to_string(root().join("diagnosis/src/configuration/aws").join(file));
        for field in quoted.captures_iter(&source.unwrap()) {
            let field = field.get(1).unwrap().as_str();
            // A value of a header, and none of a field.
            if field == "Upgrade" {
                continue;
            }
            assert!(known.contains(field), "{file}: {field} is in no model");
            read += 1;
        }
    }
    assert!(read > 30, "{read}");
}
