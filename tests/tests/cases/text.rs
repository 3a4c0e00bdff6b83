//! Bundles whose zip is honest, and whose entries are not.

use crate::{Case, Expect, good};
use serde_json::Value;
use wss_lab::hostile::forge::{Entry, Zip};

const MANIFEST: &str = "manifest.json";
const OBSERVATIONS: &str = "observations.json";
const ENVIRONMENT: &str = "environment.json";

fn content(name: &str) -> Vec<u8> {
    let bytes = good().forge().bytes;
    let mut archive = zip::ZipArchive::new(std::io::Cursor::new(bytes)).unwrap();
    let mut out = Vec::new();
    std::io::Read::read_to_end(&mut archive.by_name(name).unwrap(), &mut out).unwrap();
    out
}

/// A bundle with another content of one entry; the manifest says so, since a
/// stranger can count as well.
fn with(name: &str, bytes: &[u8]) -> (Zip, Option<usize>) {
    let mut manifest: Value = serde_json::from_slice(&content(MANIFEST)).unwrap();
    for file in manifest["files"].as_array_mut().unwrap() {
        if file["path"] == name {
            file["bytes"] = bytes.len().into();
            file["sha256"] = wss_bundle::format::sha256(bytes).into();
        }
    }
    let mut zip = good();
    *zip.entry(MANIFEST) = Entry::new(MANIFEST, &serde_json::to_vec(&manifest).unwrap());
    *zip.entry(name) = Entry::new(name, bytes);
    let at = zip.entries.iter().position(|entry| entry.listed.name == name.as_bytes());
    let offset = at.map(|at| zip.forge().places[at].start);
    (zip, offset)
}

fn told(case: &str, kind: &'static str, name: &str, bytes: &[u8]) -> Case {
    let (zip, offset) = with(name, bytes);
    let expect = Expect::Read(vec![(kind, Some(name.to_owned()), offset)]);
    Case::new(case, zip.forge().bytes, expect)
}

/// The observations with a change in the JSON.
fn observed(change: impl FnOnce(&mut Value)) -> Vec<u8> {
    let mut value: Value = serde_json::from_slice(&content(OBSERVATIONS)).unwrap();
    change(&mut value);
    serde_json::to_vec(&value).unwrap()
}

/// Letters that do not compress much: else the ratio is what is told.
fn letters(count: usize) -> String {
    (0_u32..)
        .map(|n| char::from(b'a' + (n.wrapping_mul(2_654_435_761) >> 13) as u8 % 26))
        .take(count)
        .collect()
}

pub(crate) fn cases() -> Vec<Case> {
    let mut out = json();
    out.extend(manifests());
    out.extend(amounts());
    out
}

fn json() -> Vec<Case> {
    let nested = |depth: usize| format!("{{\"x\":{}{}}}", "[".repeat(depth), "]".repeat(depth));
    let long = |bytes: usize| format!("{{\"notes\":[\"{}\"]}}", letters(bytes));
    let digits = |count: usize| format!("{{\"clock\":{{\"skew_s\":{}}}}}", "9".repeat(count));
    vec![
        told("json-deep", "json-limit", ENVIRONMENT, nested(101).as_bytes()),
        told("json-very-deep", "json-limit", OBSERVATIONS, "[".repeat(1 << 20).as_bytes()),
        told("json-objects-deep", "json-limit", ENVIRONMENT, "{\"a\":".repeat(50_000).as_bytes()),
        told("json-long-string", "json-limit", ENVIRONMENT, long(3 << 20).as_bytes()),
        told("json-string-without-end", "unreadable-entry", ENVIRONMENT, b"{\"notes\":[\"aaaa"),
        told("json-long-number", "json-limit", ENVIRONMENT, digits(5000).as_bytes()),
        told(
            "json-number-too-large",
            "unreadable-entry",
            ENVIRONMENT,
            b"{\"clock\":{\"skew_s\":1e999}}",
        ),
        told(
            "json-many-values",
            "json-limit",
            ENVIRONMENT,
            format!("[{}1]", "1,".repeat(500_000)).as_bytes(),
        ),
        told(
            "json-many-lists",
            "json-limit",
            OBSERVATIONS,
            format!("[{}[]]", "[],".repeat(500_000)).as_bytes(),
        ),
        told("json-not-utf8", "unreadable-entry", ENVIRONMENT, b"{\"notes\":[\"\xff\xfe\"]}"),
        told("json-surrogate", "unreadable-entry", ENVIRONMENT, b"{\"notes\":[\"\\ud800\"]}"),
        told("json-empty", "unreadable-entry", ENVIRONMENT, b""),
        told("json-of-another-kind", "unreadable-entry", ENVIRONMENT, b"[1,2,3]"),
        told("json-key-twice", "unreadable-entry", ENVIRONMENT, b"{\"notes\":[],\"notes\":[]}"),
        told("json-trailing", "unreadable-entry", ENVIRONMENT, b"{} {}"),
        told("json-nul", "unreadable-entry", ENVIRONMENT, &[0; 4096]),
        Case::new(
            "json-control-characters",
            with(ENVIRONMENT, b"{\"notes\":[\"\\u001b[2J\\u202e\\u0000<script>\"]}")
                .0
                .forge()
                .bytes,
            Expect::Clean,
        ),
    ]
}

fn manifests() -> Vec<Case> {
    let manifest = |change: fn(&mut Value)| {
        let mut value: Value = serde_json::from_slice(&content(MANIFEST)).unwrap();
        change(&mut value);
        let mut zip = good();
        *zip.entry(MANIFEST) = Entry::new(MANIFEST, &serde_json::to_vec(&value).unwrap());
        zip.forge().bytes
    };
    let raw = |text: &[u8]| {
        let mut zip = good();
        *zip.entry(MANIFEST) = Entry::new(MANIFEST, text);
        zip.forge().bytes
    };
    let at =
        |kind: &'static str, entry: &str| Expect::Read(vec![(kind, Some(entry.to_owned()), None)]);
    let whole = good().forge();
    let place = |number: usize| Some(whole.places[number].start);
    let wrong_hash = manifest(|m| m["files"][2]["sha256"] = "0".repeat(64).into());
    let first = Zip::of(&wrong_hash);
    let environment =
        first.entries.iter().position(|e| e.listed.name == b"transcripts/").or(Some(3));
    let offset = environment.map(|at| first.forge().places[at].start);
    let path = String::from_utf8(first.entries[3].listed.name.clone()).unwrap();
    vec![
        Case::new(
            "wrong-sha256",
            wrong_hash,
            Expect::Read(vec![("sha256-mismatch", Some(path), offset)]),
        ),
        Case::new(
            "changed-after",
            {
                let mut zip = good();
                *zip.entry(ENVIRONMENT) = Entry::new(ENVIRONMENT, b"{\"notes\":[\"forged\"]}");
                zip.forge().bytes
            },
            at("size-mismatch", ENVIRONMENT),
        ),
        Case::new(
            "missing",
            {
                let mut zip = good();
                zip.entries.retain(|entry| entry.listed.name != ENVIRONMENT.as_bytes());
                zip.forge().bytes
            },
            Expect::Read(vec![("missing-entry", Some(ENVIRONMENT.to_owned()), None)]),
        ),
        Case::new(
            "no-observations",
            {
                let mut zip = good();
                zip.entries.retain(|entry| entry.listed.name != OBSERVATIONS.as_bytes());
                zip.forge().bytes
            },
            at("missing-entry", OBSERVATIONS),
        ),
        Case::new(
            "added",
            {
                let mut zip = good();
                zip.entries.push(Entry::new("attachments/new.txt", b"x"));
                zip.forge().bytes
            },
            Expect::Read(vec![(
                "unlisted-entry",
                Some("attachments/new.txt".to_owned()),
                Some(whole.directory),
            )]),
        ),
        Case::new(
            "first-is-first",
            whole.bytes.clone(),
            if place(0) == Some(0) { Expect::Clean } else { Expect::Any },
        ),
        Case::new(
            "no-manifest",
            {
                let mut zip = good();
                zip.entries.remove(0);
                zip.forge().bytes
            },
            Expect::Refused("manifest.json"),
        ),
        Case::new("manifest-is-no-json", raw(b"<html>"), Expect::Refused("cannot be understood")),
        Case::new(
            "manifest-deep",
            raw("[".repeat(100_000).as_bytes()),
            Expect::Refused("nested deeper"),
        ),
        Case::new(
            "manifest-of-another",
            manifest(|m| m["format"]["name"] = "x".into()),
            Expect::Refused("its format is"),
        ),
        Case::new(
            "manifest-of-tomorrow",
            manifest(|m| m["format"]["major"] = 99.into()),
            Expect::Refused("newer than this program"),
        ),
        Case::new(
            "manifest-of-no-time",
            manifest(|m| m["started_at"] = "never".into()),
            Expect::Refused("cannot be understood"),
        ),
        Case::new(
            "manifest-of-the-year-262000",
            manifest(|m| m["started_at"] = "+262000-01-01T00:00:00Z".into()),
            Expect::Any,
        ),
        Case::new(
            "manifest-with-a-bad-step",
            manifest(|m| m["steps"][0]["outcome"] = 7.into()),
            at("unreadable-element", MANIFEST),
        ),
        Case::new(
            "manifest-lists-a-million",
            manifest(|m| {
                let one = m["files"][0].clone();
                m["files"] = std::iter::repeat_n(one, 8000).collect::<Vec<_>>().into();
            }),
            at("too-many-elements", MANIFEST),
        ),
        Case::new(
            "path-of-a-listed-file-leaves",
            manifest(|m| m["files"][0]["path"] = "../../etc/passwd".into()),
            at("missing-entry", "../../etc/passwd"),
        ),
        Case::new(
            "age",
            b"age-encryption.org/v1\n-> X25519 x\n".to_vec(),
            Expect::Refused("--identity"),
        ),
    ]
}

fn amounts() -> Vec<Case> {
    let many = observed(|value| {
        let result =
            serde_json::json!({"failed": {"operation": "read", "kind": "eof", "detail": ""}});
        let one = serde_json::json!({
            "id": "o1", "probe": "upgrade", "route": "direct", "path": null, "connection": null,
            "start_ms": 0, "duration_ms": 0, "step": {"frames": {"result": result}},
        });
        value["observations"] = std::iter::repeat_n(one, 12_000).collect::<Vec<_>>().into();
    });
    let routes = observed(|value| {
        let one = value["routes"][0].clone();
        value["routes"] = std::iter::repeat_n(one, 3000).collect::<Vec<_>>().into();
    });
    let bad = observed(|value| {
        value["observations"] = (0..20_000).map(Value::from).collect::<Vec<_>>().into();
    });
    // Each bad element is tried with all the rest: that must not multiply.
    let heavy = observed(|value| {
        value["news"] = "x".repeat(1 << 20).into();
        value["observations"] = (0..3000).map(Value::from).collect::<Vec<_>>().into();
    });
    let strings = observed(|value| {
        let list = value["observations"].as_array_mut().unwrap();
        for one in list.iter_mut().take(7) {
            one["path"] = letters(1 << 20).into();
        }
    });
    let teleport =
        observed(|value| value["observations"][3]["step"] = serde_json::json!({"teleport": {}}));
    vec![
        told("twelve-thousand-observations", "too-many-elements", OBSERVATIONS, &many),
        Case::new(
            "three-thousand-routes",
            with(OBSERVATIONS, &routes).0.forge().bytes,
            Expect::Any,
        ),
        told("twenty-thousand-bad-observations", "unreadable-element", OBSERVATIONS, &bad),
        told("heavy-and-bad", "unreadable-entry", OBSERVATIONS, &heavy),
        Case::new(
            "paths-of-a-megabyte",
            with(OBSERVATIONS, &strings).0.forge().bytes,
            Expect::Clean,
        ),
        told("a-step-of-another-kind", "unreadable-element", OBSERVATIONS, &teleport),
    ]
}
