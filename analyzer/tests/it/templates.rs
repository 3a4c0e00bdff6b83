//! A support team's own templates and logo.

use crate::fixture::cases;
use std::path::Path;
use std::process::{Command, Output};
use wss_bundle::redact::Redactor;
use wss_bundle::write;

fn report(folder: &Path) -> Output {
    let mut command = Command::new(env!("CARGO_BIN_EXE_wss-analyzer"));
    let args = ["report", "inside.zip", "--template", "own", "-o", "page.html"];
    command.args(args).current_dir(folder).output().unwrap()
}

/// A folder with a bundle, and `own/` with these files.
fn folder(files: &[(&str, &str)]) -> tempfile::TempDir {
    let folder = tempfile::tempdir().unwrap();
    let all = cases();
    let bundle = all[0].bundles[0].clone();
    let path = folder.path().join("inside.zip");
    write::file(&Redactor::new().bundle(bundle), &path, true).unwrap();
    std::fs::create_dir_all(folder.path().join("own/section")).unwrap();
    for (name, text) in files {
        std::fs::write(folder.path().join("own").join(name), text).unwrap();
    }
    folder
}

#[test]
fn own_sections_style_and_logo_take_the_place_of_ours() {
    let folder = folder(&[
        ("section/rivals.hbs", "<section id=\"rivals\"><h2>Our own words</h2></section>\n"),
        ("style.css", "body { color: rebeccapurple; }\n"),
        ("logo.svg", "<svg xmlns=\"http://www.w3.org/2000/svg\"/>"),
    ]);
    let output = report(folder.path());
    assert_eq!(output.status.code(), Some(0), "{}", String::from_utf8_lossy(&output.stderr));
    let page = std::fs::read_to_string(folder.path().join("page.html")).unwrap();
    for part in
        ["Our own words", "rebeccapurple", "src=\"data:image/svg+xml;base64,", "id=\"verdict\""]
    {
        assert!(page.contains(part), "{part}");
    }
    assert!(!page.contains("http://www.w3.org"), "the logo is no markup of the page");
}

#[test]
fn what_is_wrong_with_them_is_said_by_name() {
    let raw = "<p>{{{summary}}}</p>";
    let rows: [(&str, &str, &str); 4] = [
        ("section/verdict.hbs", raw, "raw braces"),
        ("section/verdicts.hbs", "<p></p>", "no template has this name"),
        ("section/verdict.hbs", "<p>{{no_such_field}}</p>", "section/verdict.hbs"),
        ("page.hbs", "{{#if verdict}}", "page.hbs"),
    ];
    for (name, text, says) in rows {
        let folder = folder(&[(name, text)]);
        let output = report(folder.path());
        let said = String::from_utf8_lossy(&output.stderr).into_owned();
        assert_eq!(output.status.code(), Some(2), "{name}: {said}");
        assert!(said.contains(says), "{name}: {said}");
        assert!(!folder.path().join("page.html").exists(), "{name}");
    }
    let folder = folder(&[]);
    let said = String::from_utf8_lossy(&report(folder.path()).stderr).into_owned();
    assert!(said.contains("--template own"), "{said}");
}
