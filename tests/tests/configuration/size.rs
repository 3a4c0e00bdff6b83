//! Size: four times as much of a structured dialect takes about four times as long to mask
//! and to read, in whatever shape it comes; docs/performance.md has the seconds.

use super::samples;
use std::path::Path;
use std::time::{Duration, Instant};
use wss_bundle::read::{self, Limits};
use wss_bundle::redact::Redactor;
use wss_bundle::{Attachment, AttachmentKind};
use wss_diagnosis::configuration::{DIALECTS, Masked, Request, check};

const GOOD: &[u8] = include_bytes!("../../golden/demo/inside.zip");

/// The least time of a few: a busy machine adds to it, and cannot take from it.
fn took(text: &str, id: &str) -> Duration {
    let one = || {
        let opened = read::bytes(GOOD, Path::new("good.zip"), &Limits::default());
        let mut bundle = opened.unwrap().bundle;
        bundle.attachments = vec![Attachment {
            name: "x".into(),
            kind: AttachmentKind::Configuration,
            vantage: None,
            path: None,
            bytes: text.as_bytes().to_vec(),
        }];
        let request =
            Request { host: "b.example", port: 443, tls: true, path: "/v1/ws", version: None };
        let begin = Instant::now();
        let redacted = Redactor::new().bundle(bundle);
        let checked = check(&redacted.get().attachments, &request, |_| None).unwrap();
        let took = begin.elapsed();
        let own = checked.files[0].program.map(|program| program.dialect().id);
        assert_eq!(own, Some(id), "{:?}", checked.files[0].error);
        took
    };
    (0..3).map(|_| one()).min().unwrap()
}

#[test]
fn reading_grows_with_the_size_and_no_faster() {
    let mut seen = 0;
    for dialect in DIALECTS.iter().filter(|one| matches!(one.masked, Masked::Listed(_))) {
        let of = |bytes| {
            let text = samples::large(dialect.id, bytes);
            let size = text.len();
            (took(&text, dialect.id).as_secs_f64(), size)
        };
        let ((small, few), (large, many)) = (of(100_000), of(400_000));
        let more = many as f64 / few as f64;
        assert!(more > 3.0, "{}: {few} and {many}", dialect.id);
        // The square would be four times as much again.
        assert!(large / small < 2.0 * more, "{}: {small:.3} s and {large:.3} s", dialect.id);
        seen += 1;
    }
    assert!(seen >= 7, "{seen}");
}
