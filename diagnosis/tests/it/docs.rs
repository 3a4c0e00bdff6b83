//! `docs/rules.md` is what the rules say.

#[test]
fn docs_rules_are_current() {
    let path = concat!(env!("CARGO_MANIFEST_DIR"), "/../docs/rules.md");
    let wanted = wss_diagnosis::rule::markdown();
    if std::env::var_os("UPDATE_DOCS").is_some() {
        std::fs::write(path, &wanted).unwrap();
    }
    let found = std::fs::read_to_string(path).unwrap_or_default();
    assert!(
        found == wanted,
        "docs/rules.md is stale: UPDATE_DOCS=1 cargo test -p wss-diagnosis docs"
    );
}
