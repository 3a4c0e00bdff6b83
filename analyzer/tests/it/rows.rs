//! Rows: every column of every table, from files, folders and tar streams.

use crate::fixture::cases;
use serde_json::Value;
use std::io::Write;
use std::path::Path;
use std::process::{Command, Output, Stdio};
use wss_analyzer::rows::schema::{Kind, TABLES, markdown};
use wss_bundle::redact::Redactor;
use wss_bundle::{Bundle, write};

fn zip(bundle: &Bundle) -> Vec<u8> {
    write::bytes(&Redactor::new().bundle(bundle.clone())).unwrap()
}

fn run(folder: &Path, args: &[&str], input: &[u8]) -> Output {
    let mut command = Command::new(env!("CARGO_BIN_EXE_wss-analyzer"));
    command.arg("rows").args(args).current_dir(folder);
    command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
    let mut child = command.spawn().unwrap();
    let mut stdin = child.stdin.take().unwrap();
    let input = input.to_vec();
    let writer = std::thread::spawn(move || {
        let _ = stdin.write_all(&input);
    });
    let output = child.wait_with_output().unwrap();
    writer.join().unwrap();
    output
}

fn parsed(output: &Output) -> Vec<Value> {
    let text = String::from_utf8(output.stdout.clone()).unwrap();
    text.lines().map(|line| serde_json::from_str(line).unwrap()).collect()
}

fn of<'a>(rows: &'a [Value], table: &str) -> Vec<&'a Value> {
    rows.iter().filter(|row| row["table"] == table).collect()
}

#[test]
fn every_row_has_every_column_and_says_what_the_diagnosis_says() {
    let folder = tempfile::tempdir().unwrap();
    std::fs::create_dir(folder.path().join("deep")).unwrap();
    let all = cases();
    let alone: Vec<_> = all.iter().filter(|case| case.bundles.len() == 1).collect();
    for case in &alone {
        std::fs::write(
            folder.path().join(format!("deep/{}.zip", case.name)),
            zip(&case.bundles[0]),
        )
        .unwrap();
    }
    std::fs::write(folder.path().join("notes.txt"), "not looked at").unwrap();
    let output = run(folder.path(), &["."], b"");
    assert_eq!(output.status.code(), Some(0), "{}", String::from_utf8_lossy(&output.stderr));
    let rows = parsed(&output);
    for row in &rows {
        let table = TABLES.into_iter().find(|table| row["table"] == table.name).unwrap();
        assert_eq!(row.as_object().unwrap().len(), table.columns.len() + 1);
        for column in table.columns {
            let fits = match (&row[column.name], column.kind) {
                (Value::Null, _) => column.null,
                (Value::String(_), Kind::Text) => true,
                (Value::Number(n), Kind::Integer) => n.is_i64(),
                (Value::Number(n), Kind::Real) => n.is_f64(),
                _ => false,
            };
            assert!(fits, "{}.{} in {row}", table.name, column.name);
        }
    }
    let bundles = of(&rows, "bundles");
    assert_eq!(bundles.len(), alone.len());
    for case in alone {
        let name = format!("{}.zip", case.name);
        let row =
            bundles.iter().find(|row| row["source"].as_str().unwrap().ends_with(&name)).unwrap();
        assert_eq!(row["cause"], case.diagnosis.verdict.cause.slug(), "{name}");
        assert_eq!(row["rules_version"], wss_diagnosis::rules_version());
        // Ids repeat among the fixture's cases, so the rows of one stand together.
        let at = rows.iter().position(|other| std::ptr::eq(other, *row)).unwrap();
        let own: Vec<_> =
            rows[at + 1..].iter().take_while(|row| row["table"] != "bundles").collect();
        let count = |table: &str| own.iter().filter(|row| row["table"] == table).count();
        assert_eq!(count("findings"), case.diagnosis.findings.len(), "{name}");
        assert_eq!(count("devices"), case.diagnosis.devices.len(), "{name}");
        assert_eq!(count("holds"), usize::from(case.diagnosis.idle.is_some()), "{name}");
    }
    let idle = bundles.iter().find(|row| row["cause"] == "idle-timeout").unwrap();
    assert_eq!(idle["broken_layer"], "hold");
    assert!(idle["fingerprint"].as_str().unwrap().starts_with("idle-timeout; hold cut"));
    let hold = of(&rows, "holds").into_iter().find(|row| !row["cut_after_s"].is_null()).unwrap();
    assert_eq!(hold["cut_after_s"], 60.0);
}

#[test]
fn a_tar_stream_gives_the_same_rows_as_files() {
    let folder = tempfile::tempdir().unwrap();
    let mut tar = tar::Builder::new(Vec::new());
    let mut names = Vec::new();
    for case in cases().iter().filter(|case| case.bundles.len() == 1) {
        let (name, content) = (format!("{}.zip", case.name), zip(&case.bundles[0]));
        std::fs::write(folder.path().join(&name), &content).unwrap();
        let mut header = tar::Header::new_gnu();
        header.set_size(content.len() as u64);
        header.set_mode(0o600);
        tar.append_data(&mut header, &name, &content[..]).unwrap();
        names.push(name);
    }
    let stream = tar.into_inner().unwrap();
    let names: Vec<&str> = names.iter().map(String::as_str).collect();
    let files = run(folder.path(), &names, b"");
    let streamed = run(folder.path(), &["-"], &stream);
    assert_eq!(streamed.status.code(), Some(0), "{}", String::from_utf8_lossy(&streamed.stderr));
    assert_eq!(
        String::from_utf8_lossy(&streamed.stdout),
        String::from_utf8_lossy(&files.stdout),
        "the order, too"
    );
    // What came before the damage is judged, and the damage is said.
    let first = std::fs::metadata(folder.path().join(names[0])).unwrap().len() as usize;
    let in_the_second = 512 + first.next_multiple_of(512) + 512 + 100;
    let cut = run(folder.path(), &["-"], &stream[..in_the_second]);
    assert_eq!(cut.status.code(), Some(1));
    assert!(String::from_utf8_lossy(&cut.stderr).contains("the stream ends"));
    assert!(!of(&parsed(&cut), "bundles").is_empty());
}

#[test]
fn bad_inputs_are_rows_too_and_stop_nothing() {
    let folder = tempfile::tempdir().unwrap();
    let good = &cases()[0].bundles[0];
    std::fs::write(folder.path().join("a.zip"), "no zip").unwrap();
    std::fs::write(folder.path().join("b.zip"), "").unwrap();
    std::fs::write(folder.path().join("c.zip"), zip(good)).unwrap();
    let output = run(folder.path(), &[".", "gone.zip"], b"");
    assert_eq!(output.status.code(), Some(1));
    let rows = parsed(&output);
    let reasons: Vec<_> =
        of(&rows, "bad").iter().map(|row| row["reason"].as_str().unwrap()).collect();
    assert_eq!(reasons, ["not-a-zip", "empty", "unreadable"]);
    assert_eq!(of(&rows, "bundles").len(), 1);
    let said = String::from_utf8_lossy(&output.stderr).into_owned();
    assert_eq!(said.lines().count(), 3, "{said}");
    let nothing = run(folder.path(), &["a.zip"], b"");
    assert_eq!(nothing.status.code(), Some(2));
    assert_eq!(run(folder.path(), &[], b"").status.code(), Some(2));
    assert_eq!(run(folder.path(), &["-"], b"garbage, no tar at all").status.code(), Some(2));
}

#[test]
fn docs_tables_are_current() {
    let path = concat!(env!("CARGO_MANIFEST_DIR"), "/../docs/tables.md");
    let wanted = markdown();
    if std::env::var_os("UPDATE_DOCS").is_some() {
        std::fs::write(path, &wanted).unwrap();
    }
    let found = std::fs::read_to_string(path).unwrap_or_default();
    assert!(
        found == wanted,
        "docs/tables.md is stale: UPDATE_DOCS=1 cargo test -p wss-analyzer docs"
    );
}
