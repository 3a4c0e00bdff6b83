//! The fast reader says what the careful one says, or leaves it to it.

use crate::fixture::cases;
use std::path::Path;
use wss_analyzer::intake::reader::Reader;
use wss_analyzer::store::kept::restore;
use wss_bundle::read::{self, Limits};
use wss_bundle::redact::Redactor;
use wss_bundle::write;

fn zips() -> Vec<Vec<u8>> {
    let all = cases();
    let bundles = all.iter().flat_map(|case| &case.bundles);
    bundles.map(|b| write::bytes(&Redactor::new().bundle(b.clone())).unwrap()).collect()
}

#[test]
fn whole_bundles_are_read_fast_and_alike_and_can_be_restored() {
    let mut reader = Reader::default();
    for zip in zips() {
        let name = Path::new("x.zip");
        let facts = reader.read(&zip, name, |_| true).unwrap().unwrap();
        let careful = read::bytes(&zip, name, &Limits::default()).unwrap();
        assert_eq!(facts.bundle, careful.bundle);
        assert_eq!(restore(&facts.kept.0).unwrap(), careful.bundle);
        assert!(facts.kept.0.len() < zip.len());
        assert!(reader.read(&zip, name, |_| false).unwrap().is_none());
    }
    assert_eq!(reader.careful, 0, "none of them is irregular");
}

/// Where both can read a damaged bundle, they may differ in the defects of
/// entries that the fast one does not open, and in nothing else.
fn compare(zip: &[u8], reader: &mut Reader, what: &str) {
    let name = Path::new("x.zip");
    let fast = reader.read(zip, name, |_| true);
    let careful = read::bytes(zip, name, &Limits::default());
    match (fast, careful) {
        (Ok(Some(fast)), Ok(careful)) => {
            let mut wanted = careful.bundle;
            if fast.bundle.defects.is_empty() {
                let unopened = |path: &str| {
                    path.starts_with("transcripts/")
                        || path.starts_with("attachments/")
                        || path == "README.txt"
                };
                wanted.defects.retain(|d| !d.entry.as_deref().is_some_and(unopened));
            }
            assert_eq!(fast.bundle, wanted, "{what}");
            let again = restore(&fast.kept.0).unwrap();
            assert_eq!(again, fast.bundle, "{what}");
        }
        (Err(fast), Err(careful)) => assert_eq!(fast.to_string(), careful.to_string(), "{what}"),
        (fast, careful) => panic!("{what}: {:?} and {:?}", fast.is_ok(), careful.is_ok()),
    }
}

#[test]
fn damage_is_told_as_by_the_careful_reader() {
    let zip = &zips()[0];
    let mut reader = Reader::default();
    for length in (0..zip.len()).step_by(173) {
        compare(&zip[..length], &mut reader, &format!("cut to {length}"));
    }
    for at in (0..zip.len()).step_by(29) {
        let mut damaged = zip.clone();
        damaged[at] ^= 0x55;
        compare(&damaged, &mut reader, &format!("byte {at} changed"));
    }
    for (what, around) in
        [("before", [&b"junk"[..], zip].concat()), ("behind", [zip, &b"junk"[..]].concat())]
    {
        compare(&around, &mut reader, what);
    }
    assert!(reader.careful > 100);
}

#[test]
fn what_was_kept_may_be_damaged() {
    let mut reader = Reader::default();
    let kept = reader.read(&zips()[0], Path::new("x.zip"), |_| true).unwrap().unwrap().kept.0;
    for length in (0..kept.len()).step_by(97) {
        assert!(restore(&kept[..length]).is_err());
    }
    let mut huge = kept.clone();
    huge[..4].copy_from_slice(&u32::MAX.to_le_bytes());
    assert!(restore(&huge).unwrap_err().contains("claims"));
}
