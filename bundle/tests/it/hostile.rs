use crate::fixture::*;
use proptest::prelude::*;
use std::io::{Cursor, Write};
use std::path::Path;
use wss_bundle::read::{self, Limits, ReadError};
use zip::write::SimpleFileOptions;

fn edit(list: &mut [(String, Vec<u8>)], name: &str, from: &str, to: &str) {
    let (_, content) = list.iter_mut().find(|(n, _)| n == name).unwrap();
    let text = String::from_utf8(content.clone()).unwrap();
    assert!(text.contains(from), "{from} is not in {name}");
    *content = text.replacen(from, to, 1).into_bytes();
}

#[test]
fn what_is_no_bundle_is_refused_by_name() {
    for (content, says) in [
        (&b""[..], "empty"),
        (b"hello", "no zip"),
        (b"PK\x03\x04 and nothing", "no zip"),
        (b"PK\x05\x06\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0", "manifest.json"),
        (b"age-encryption.org/v1\n-> X25519", "--identity"),
    ] {
        let error = open(content).unwrap_err().to_string();
        assert!(error.starts_with("test.zip: ") && error.contains(says), "{error}");
    }
    let other = zip_of(&[("word/document.xml".into(), b"<x/>".to_vec())]);
    assert!(open(&other).unwrap_err().to_string().contains("manifest.json"));
    let folder = tempfile::tempdir().unwrap();
    let error = read::file(folder.path(), &Limits::default()).unwrap_err().to_string();
    assert!(error.contains("a folder"), "{error}");
}

#[test]
fn versions() {
    let newer = changed(|l| edit(l, "manifest.json", "\"major\": 1", "\"major\": 2"));
    assert!(matches!(open(&newer), Err(ReadError::Newer { major: 2, .. })));
    let older = changed(|l| edit(l, "manifest.json", "\"major\": 1", "\"major\": 0"));
    assert!(open(&older).is_ok());
    let minor = changed(|l| {
        edit(l, "manifest.json", "\"minor\": 0", "\"minor\": 9");
        edit(l, "manifest.json", "\"complete\": true", "\"complete\": true, \"news\": [1]");
        edit(l, "observations.json", "\"probe\"", "\"news\": {}, \"probe\"");
    });
    assert_eq!(open(&minor).unwrap().bundle.observations.observations.len(), 5);
    let named = changed(|l| edit(l, "manifest.json", "wss-bundle", "my-bundle"));
    assert!(open(&named).unwrap_err().to_string().contains("my-bundle"));
}

#[test]
fn what_can_be_read_is_read_and_the_rest_is_a_defect() {
    type Change = fn(&mut Vec<(String, Vec<u8>)>);
    let cases: [(&str, Change); 8] = [
        ("sha256-mismatch", |l| edit(l, "environment.json", "hint x", "hint y")),
        ("size-mismatch", |l| edit(l, "environment.json", "hint x", "hint yyy")),
        ("missing-entry", |l| l.retain(|(n, _)| n != "redactions.json")),
        ("missing-entry", |l| l.retain(|(n, _)| n != "observations.json")),
        ("unlisted-entry", |l| l.push(("attachments/new.txt".into(), b"x".to_vec()))),
        ("unknown-entry", |l| l.push(("notes.txt".into(), b"x".to_vec()))),
        ("unreadable-entry", |l| edit(l, "environment.json", "{", "[")),
        ("unreadable-element", |l| edit(l, "observations.json", "\"connect\"", "\"teleport\"")),
    ];
    for (kind, change) in cases {
        let opened = open(&changed(change)).unwrap();
        assert!(kinds(&opened).contains(&kind), "{kind}: {:?}", opened.bundle.defects);
        if kind == "unreadable-element" {
            assert_eq!(opened.bundle.observations.observations.len(), 4);
        }
    }
}

#[test]
fn entries_that_would_leave_their_folder_are_left_out() {
    for name in ["../evil", "/etc/passwd", "C:\\x", "transcripts/../../x", "a\\..\\b", "x\u{7}y"] {
        let opened = open(&changed(|l| l.push((name.into(), b"x".to_vec())))).unwrap();
        assert!(kinds(&opened).contains(&"unsafe-entry"), "{name}: {:?}", opened.bundle.defects);
        assert!(!opened.entries.iter().any(|entry| entry.path == name));
    }
    let mut zip = zip::ZipWriter::new(Cursor::new(Vec::new()));
    for (name, content) in entries(&zipped(bundle("x"))) {
        zip.start_file(name, SimpleFileOptions::default()).unwrap();
        zip.write_all(&content).unwrap();
    }
    zip.add_symlink("attachments/link", "/etc/passwd", SimpleFileOptions::default()).unwrap();
    let opened = open(&zip.finish().unwrap().into_inner()).unwrap();
    assert!(kinds(&opened).contains(&"link-entry"), "{:?}", opened.bundle.defects);
    assert!(opened.bundle.attachments.is_empty());
}

#[test]
fn bombs_are_charged_on_what_comes_out() {
    let bomb = changed(|l| l.push(("attachments/bomb".into(), vec![0; 30 << 20])));
    let opened = open(&bomb).unwrap();
    assert!(kinds(&opened).contains(&"too-large"), "{:?}", opened.bundle.defects);
    assert!(opened.bundle.attachments.is_empty());

    let small = Limits { total_bytes: 100, ..Limits::default() };
    let zip = zipped(bundle("x"));
    let error = read::bytes(&zip, Path::new("b.zip"), &small).unwrap_err().to_string();
    assert!(error.contains("manifest.json"), "{error}");
    let small = Limits { entry_bytes: 3000, ..Limits::default() };
    let opened = read::bytes(&zip, Path::new("b.zip"), &small).unwrap();
    assert!(kinds(&opened).contains(&"too-large"));
    let small = Limits { entries: 2, ..Limits::default() };
    let opened = read::bytes(&zip, Path::new("b.zip"), &small).unwrap();
    assert!(kinds(&opened).contains(&"too-many-entries"));
    let small = Limits { archive_bytes: 100, ..Limits::default() };
    let error = read::bytes(&zip, Path::new("b.zip"), &small);
    assert!(matches!(error, Err(ReadError::TooBig { .. })));
}

#[test]
fn a_cut_off_download_gives_what_it_has() {
    let zip = zipped(bundle("x"));
    let opened = open(&zip[..zip.len() - 200]).unwrap();
    assert!(kinds(&opened).contains(&"damaged-archive"));
    assert_eq!(opened.bundle.observations.observations.len(), 5);
}

#[test]
fn a_bundle_packed_again_by_hand_is_read() {
    let list: Vec<(String, Vec<u8>)> = entries(&zipped(bundle("x")))
        .into_iter()
        .map(|(name, content)| (format!("wss-inside/{name}"), content))
        .collect();
    let opened = open(&zip_of(&list)).unwrap();
    assert_eq!(kinds(&opened), ["repacked"]);
    assert_eq!(opened.bundle.observations.observations.len(), 5);
}

#[test]
fn deep_json_is_no_stack_overflow() {
    let deep = "[".repeat(200_000).into_bytes();
    let opened = open(&changed(|l| l[2].1 = deep.clone())).unwrap();
    assert!(kinds(&opened).contains(&"json-limit"));
    assert!(open(&changed(|l| l[0].1 = deep.clone())).is_err());
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(400))]
    /// Any bytes changed anywhere: an error or a bundle, never a panic.
    #[test]
    fn damage_never_panics(at in 0usize..6000, with in any::<u8>(), cut in 0usize..6000) {
        let mut zip = zipped(bundle("x"));
        let len = zip.len();
        zip[at % len] = with;
        let _ = open(&zip);
        zip.truncate(cut % len);
        let _ = open(&zip);
    }
}
