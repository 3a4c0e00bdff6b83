use crate::fixture::*;
use proptest::prelude::*;
use wss_bundle::redact::Redactor;
use wss_bundle::write::WriteError;
use wss_bundle::{Attachment, AttachmentKind, Bundle, Bytes, Outcome, Step, Vantage, read, write};

/// What a bundle becomes by writing: the list of files is filled in.
fn without_files(mut bundle: Bundle) -> Bundle {
    bundle.manifest.files.clear();
    bundle
}

#[test]
fn what_was_written_is_read() {
    let redacted = Redactor::new().bundle(bundle("harmless"));
    let zip = write::bytes(&redacted).unwrap();
    let opened = open(&zip).unwrap();
    assert_eq!(kinds(&opened), Vec::<&str>::new());
    assert_eq!(without_files(opened.bundle), *redacted.get());
}

#[test]
fn the_same_content_gives_the_same_bytes_in_the_contracts_order() {
    let zip = zipped(bundle("x"));
    assert_eq!(zip, zipped(bundle("x")));
    let names: Vec<String> = entries(&zip).into_iter().map(|(name, _)| name).collect();
    assert_eq!(
        names,
        [
            "manifest.json",
            "README.txt",
            "observations.json",
            "transcripts/o3-upgrade-direct-v1-ws.txt",
            "transcripts/browser-b1-websocket-v1-ws.txt",
            "environment.json",
            "redactions.json"
        ]
    );
}

#[test]
fn attachments_of_one_name_do_not_hide_each_other() {
    let mut bundle = bundle("x");
    for (name, content) in
        [("/etc/nginx/nginx.conf", "server {}\n"), ("..\\nginx.conf", "http {}\n")]
    {
        bundle.attachments.push(Attachment {
            name: name.to_owned(),
            kind: AttachmentKind::Configuration,
            vantage: Some(Vantage::Outside),
            path: Some(name.to_owned()),
            bytes: content.as_bytes().to_vec(),
        });
    }
    let redacted = Redactor::new().bundle(bundle);
    let opened = open(&write::bytes(&redacted).unwrap()).unwrap();
    assert_eq!(opened.bundle.attachments.len(), 2);
    for (read, written) in opened.bundle.attachments.iter().zip(["http {}\n", "server {}\n"]) {
        assert_eq!(read.bytes, written.as_bytes());
        assert_eq!(read.kind, AttachmentKind::Configuration);
        assert_eq!(read.vantage, Some(Vantage::Outside));
    }
    let names: Vec<&str> = opened.bundle.attachments.iter().map(|a| a.name.as_str()).collect();
    assert_eq!(names, ["2-nginx.conf", "nginx.conf"]);
    assert_eq!(kinds(&opened), Vec::<&str>::new());
}

#[test]
fn a_numbered_name_hides_no_file_that_has_it_already() {
    let mut bundle = bundle("x");
    for name in ["3-a.conf", "x/a.conf", "y/a.conf", "z/a.conf", "2-a.conf", "4-a.conf"] {
        bundle.attachments.push(Attachment {
            name: name.to_owned(),
            kind: AttachmentKind::Other,
            vantage: None,
            path: None,
            bytes: name.as_bytes().to_vec(),
        });
    }
    let redacted = Redactor::new().bundle(bundle);
    let opened = open(&write::bytes(&redacted).unwrap()).unwrap();
    assert_eq!(opened.bundle.attachments.len(), 6);
    assert_eq!(kinds(&opened), Vec::<&str>::new());
}

#[test]
fn a_file_is_private_complete_and_never_overwritten_unasked() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("out.zip");
    let redacted = Redactor::new().bundle(bundle("x"));
    let bytes = write::file(&redacted, &path, false).unwrap();
    assert_eq!(std::fs::metadata(&path).unwrap().len(), bytes);
    #[cfg(unix)]
    {
        use std::os::unix::fs::PermissionsExt;
        assert_eq!(std::fs::metadata(&path).unwrap().permissions().mode() & 0o777, 0o600);
    }
    let again = write::file(&redacted, &path, false);
    assert!(matches!(again, Err(WriteError::Exists(_))), "{again:?}");
    write::file(&redacted, &path, true).unwrap();
    assert!(read::file(&path, &Default::default()).is_ok());
    let left: Vec<_> = std::fs::read_dir(folder.path()).unwrap().collect();
    assert_eq!(left.len(), 1, "temporary files stay behind: {left:?}");
}

#[test]
fn a_place_that_cannot_be_written_is_named() {
    let folder = tempfile::tempdir().unwrap();
    let redacted = Redactor::new().bundle(bundle("x"));
    for (path, force) in [
        (folder.path().join("no/such/folder.zip"), false),
        (folder.path().to_owned(), true),
        ("/dev/null".into(), true),
    ] {
        let error = write::file(&redacted, &path, force).unwrap_err().to_string();
        assert!(
            error.contains(&path.display().to_string()) && error.contains("--output"),
            "{error}"
        );
    }
}

proptest! {
    #[test]
    fn any_bytes_survive(raw in proptest::collection::vec(any::<u8>(), 0..200)) {
        let mut given = bundle("x");
        for seen in &mut given.observations.observations {
            if let Step::Upgrade(step) = &mut seen.step
                && let Outcome::Ok(reply) = &mut step.result
            {
                reply.body.bytes = Bytes(raw.clone());
            }
        }
        let redacted = Redactor::new().bundle(given);
        let opened = open(&write::bytes(&redacted).unwrap()).unwrap();
        prop_assert_eq!(&without_files(opened.bundle), redacted.get());
    }
}
