//! `docs/rules.md` is what the rules say, and `docs/status.md` what the status table does.

#[track_caller]
fn current(name: &str, wanted: &str) {
    let path = format!("{}/../docs/{name}", env!("CARGO_MANIFEST_DIR"));
    if std::env::var_os("UPDATE_DOCS").is_some() {
        std::fs::write(&path, wanted).unwrap();
    }
    let found = std::fs::read_to_string(&path).unwrap_or_default();
    assert!(
        found == wanted,
        "docs/{name} is stale: UPDATE_DOCS=1 cargo test -p wss-diagnosis docs"
    );
}

#[test]
fn docs_rules_are_current() {
    current("rules.md", &wss_diagnosis::rule::markdown());
}

#[test]
fn docs_configurations_are_current() {
    current("configurations.md", &wss_diagnosis::configuration::markdown());
}

#[test]
fn docs_status_is_current() {
    current("status.md", &wss_diagnosis::said::markdown());
}
