//! However large what was gathered is: the bundle that is written is read again,
//! whole and without a defect.

use crate::fixture::*;
use wss_bundle::environment::{Interface, ProxySetting};
use wss_bundle::observation::{Body, Http, HttpReply};
use wss_bundle::redact::Redactor;
use wss_bundle::*;

fn answer(number: usize, body: &[u8]) -> Observation {
    let head = ResponseHead::bounded(
        format!("HTTP/1.1 403 No\r\n{}\r\n", "Server: \"quoted\"\r\n".repeat(3)).into_bytes(),
    );
    let body = Body { bytes: Bytes(body.to_vec()), length: body.len() as u64, truncated: false };
    let reply = HttpReply { informational: vec![], head, body, first_byte_ms: 1.0, ending: None };
    Observation {
        id: format!("o{number}"),
        probe: observation::probe::H2_GET.into(),
        route: RouteId::direct(),
        path: Some("/v1/ws".into()),
        connection: Some(number as u32),
        start_ms: 1.0,
        duration_ms: 1.0,
        step: Step::Http(Http {
            version: "2".into(),
            request: "GET / HTTP/1.1\r\n\r\n".into(),
            extended_connect: None,
            result: Outcome::Ok(reply),
        }),
    }
}

/// Writes it as it is, reads it with the usual limits, and gives what was read.
fn written(bundle: Bundle) -> Bundle {
    let redacted = Redactor::new().bundle(bundle);
    let zip = write::bytes(&redacted).unwrap();
    let opened = open(&zip).unwrap();
    assert_eq!(kinds(&opened), Vec::<&str>::new(), "{:?}", opened.bundle.defects);
    // What is judged on the way is what is read afterwards.
    let judged = write::fitted(redacted);
    assert_eq!(judged.get().observations, opened.bundle.observations);
    assert_eq!(judged.get().environment, opened.bundle.environment);
    opened.bundle
}

fn noted(bundle: &Bundle) -> Vec<&String> {
    bundle.environment.notes.iter().filter(|note| note.contains("too large")).collect()
}

#[test]
fn many_large_answers_are_cut_and_said_to_be() {
    // What grows: masked values, quotes, and what is no UTF-8; and characters to cut between.
    let bodies: [&[u8]; 2] =
        ["&a=b\"\\é\u{1f980}".as_bytes(), b"ab\xff\xfe of which the rest is a text of many words "];
    for (at, part) in bodies.into_iter().enumerate() {
        let body = &part.repeat((64 << 10) / part.len());
        let mut bundle = bundle("harmless");
        let seen = &mut bundle.observations.observations;
        seen.extend((0..160).map(|number| answer(number + 10, body)));
        let total = seen.len();
        let read = written(bundle);
        assert_eq!(read.observations.observations.len(), total, "{at}");
        assert_eq!(noted(&read).len(), 1, "{at}");
        let last = read.observations.observations.last().unwrap();
        let Step::Http(Http { result: Outcome::Ok(reply), .. }) = &last.step else { panic!() };
        assert!(
            reply.body.truncated && reply.body.bytes.len() <= 4096 && !reply.body.bytes.is_empty()
        );
        assert_eq!(reply.body.length, (part.len() * ((64 << 10) / part.len())) as u64);
    }
}

#[test]
fn more_observations_than_are_read_lose_the_last_ones() {
    let mut many = bundle("harmless");
    many.observations.observations.extend((0..8000).map(|number| answer(number + 10, b"x")));
    let read = written(many);
    let kept = read.observations.observations.len();
    assert!((1000..8000).contains(&kept), "{kept}");
    assert_eq!(noted(&read).len(), 1);
    assert_eq!(read.observations.observations[0].id, bundle("x").observations.observations[0].id);
}

#[test]
fn a_page_of_one_letter_is_no_bomb() {
    let mut bundle = bundle("harmless");
    let body = vec![b'x'; 64 << 10];
    bundle.observations.observations.extend((0..40).map(|number| answer(number + 10, &body)));
    let all = bundle.observations.observations.len();
    let read = written(bundle);
    assert_eq!(read.observations.observations.len(), all);
    assert_eq!(noted(&read), Vec::<&String>::new());
    assert_eq!(read.environment.notes.len(), 1, "its own");
}

#[test]
fn files_beyond_the_room_are_left_out_whole_and_named() {
    let mut bundle = bundle("harmless");
    for number in 0..1500 {
        let bytes = match number {
            0 => vec![b' '; 7 << 20],
            1 => vec![b'\n'; 2 << 20],
            _ => b"events {}\n".to_vec(),
        };
        bundle.attachments.push(Attachment {
            name: format!("f{number:04}.conf"),
            kind: AttachmentKind::Other,
            vantage: None,
            path: None,
            bytes,
        });
    }
    let read = written(bundle);
    assert_eq!(read.attachments.len(), 1000);
    assert!(read.attachments.iter().all(|one| one.bytes.len() <= 10), "whole ones stay");
    assert!(noted(&read)[0].contains("f0000.conf"), "{:?}", noted(&read));
}

#[test]
fn a_machine_with_endless_interfaces_fits() {
    let mut bundle = bundle("harmless");
    let interface = |number: usize| Interface {
        name: format!("veth{number}"),
        addresses: (0..40).map(|n| format!("169.254.0.{n}")).collect(),
        ..Interface::default()
    };
    bundle.environment.interfaces = (0..9_000).map(interface).collect();
    bundle.environment.proxy_settings = vec![
        ProxySetting {
            source: "environment".into(),
            key: "no_proxy".into(),
            value: "ä.example,".repeat(120_000),
        };
        3
    ];
    let read = written(bundle);
    assert_eq!(read.environment.interfaces.len(), 500);
    assert_eq!(noted(&read).len(), 1);
}

#[test]
fn transcripts_have_room_of_their_own() {
    let mut bundle = bundle("harmless");
    let body = "no sentence is the same as another ".repeat(1800);
    bundle.observations.observations.extend((0..120).map(|n| answer(n + 10, body.as_bytes())));
    let zip = zipped(bundle);
    let all = entries(&zip);
    let transcripts = || all.iter().filter(|(name, _)| name.starts_with("transcripts/"));
    assert!(transcripts().map(|(_, text)| text.len()).sum::<usize>() <= 4 << 20);
    assert!((20..110).contains(&transcripts().count()), "{}", transcripts().count());
    let readme = &all.iter().find(|(name, _)| name == "README.txt").unwrap().1;
    assert!(String::from_utf8_lossy(readme).contains("transcripts are left out for their size"));
    assert_eq!(kinds(&open(&zip).unwrap()), Vec::<&str>::new());
}
