//! `upload` against a server that answers by a script, one line a connection.

use crate::server::{collector, text};
use std::io::{Read, Write};
use std::net::{TcpListener, TcpStream};
use std::path::Path;
use std::process::Output;
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

/// What the server does with a connection.
#[derive(Clone, Copy)]
enum Does {
    /// Reads all of it, and answers this.
    Answers(&'static str),
    /// Answers this before it has read any of the body.
    Early(&'static str),
    /// Reads a thousand bytes, and resets.
    Drops,
    /// Reads all of it, and closes without a word.
    Swallows,
    /// Reads all of it, and says nothing.
    Silent,
}
use Does::*;

const STORED: &str = "HTTP/1.1 200 OK\r\nETag: \"5d41402a\"\r\nx-amz-request-id: REQ1\r\n\
                      Content-Length: 0\r\n\r\n";
const BUSY: &str = "HTTP/1.1 503 Slow Down\r\nContent-Length: 4\r\n\r\nbusy";

/// A running server, and every request that it read.
struct Store {
    port: u16,
    seen: Arc<Mutex<Vec<Vec<u8>>>>,
}

impl Store {
    fn start(script: &[Does]) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let port = listener.local_addr().unwrap().port();
        let seen = Arc::new(Mutex::new(Vec::new()));
        let (log, script) = (seen.clone(), script.to_vec());
        std::thread::spawn(move || {
            for (at, stream) in listener.incoming().flatten().enumerate() {
                let does = script.get(at).or(script.last()).copied().unwrap();
                let log = log.clone();
                std::thread::spawn(move || serve(stream, does, &log));
            }
        });
        Self { port, seen }
    }

    fn url(&self) -> String {
        format!("http://127.0.0.1:{}/bucket/b.zip?X-Amz-Signature=C4narySignature", self.port)
    }

    fn requests(&self) -> Vec<Vec<u8>> {
        self.seen.lock().unwrap().clone()
    }
}

fn serve(mut stream: TcpStream, does: Does, log: &Mutex<Vec<Vec<u8>>>) {
    let _ = stream.set_read_timeout(Some(Duration::from_secs(20)));
    let mut request = Vec::new();
    let mut chunk = [0; 1000];
    let head = loop {
        match stream.read(&mut chunk) {
            Ok(n) if n > 0 => request.extend_from_slice(&chunk[..n]),
            _ => return,
        }
        if let Some(at) = request.windows(4).position(|w| w == b"\r\n\r\n") {
            break at + 4;
        }
    };
    let text = String::from_utf8_lossy(&request[..head]).to_lowercase();
    let length = text.lines().find_map(|l| l.strip_prefix("content-length: ")?.parse().ok());
    let due = head + length.unwrap_or(0usize);
    if let Early(answer) = does {
        let _ = stream.write_all(answer.as_bytes());
        return;
    }
    if let Drops = does {
        let _ = stream.shutdown(std::net::Shutdown::Both);
        return;
    }
    while request.len() < due {
        match stream.read(&mut chunk) {
            Ok(n) if n > 0 => request.extend_from_slice(&chunk[..n]),
            _ => return,
        }
    }
    log.lock().unwrap().push(request);
    match does {
        Answers(answer) => {
            let _ = stream.write_all(answer.as_bytes());
        }
        Silent => {
            let _ = stream.read(&mut chunk);
        }
        _ => {}
    }
}

/// A folder with a bundle, of a port at which nobody is.
fn folder() -> tempfile::TempDir {
    let folder = tempfile::tempdir().unwrap();
    let made = collector(folder.path())
        .args(["127.0.0.1:1", "--hold", "0", "--timeout", "1s", "--no-input", "-o", "b.zip"])
        .output()
        .unwrap();
    assert_eq!(made.status.code(), Some(1), "{}", text(&made.stderr));
    folder
}

fn upload(folder: &Path, url: &str, more: &[&str]) -> Output {
    let fixed = ["upload", "b.zip", "--timeout", "2s", "--to", url];
    collector(folder).args(fixed).args(more).output().unwrap()
}

/// Both streams; whatever happens, the URL's query is in neither.
fn said(output: &Output) -> String {
    let said = text(&[&output.stdout[..], &output.stderr[..]].concat());
    assert!(!said.contains("C4nary"), "{said}");
    said
}

#[test]
fn it_arrives_whole_and_the_reference_is_said() {
    let folder = folder();
    let store = Store::start(&[Answers(STORED)]);
    let output = upload(folder.path(), &store.url(), &["-H", "x-amz-acl: private"]);
    let said = said(&output);
    assert_eq!(output.status.code(), Some(0), "{said}");
    for part in ["Uploaded", "ETag: \"5d41402a\"", "x-amz-request-id: REQ1", "/bucket/b.zip"] {
        assert!(said.contains(part), "{part} not in {said}");
    }
    let request = store.requests().remove(0);
    let zip = std::fs::read(folder.path().join("b.zip")).unwrap();
    assert!(request.ends_with(&zip));
    let head = text(&request[..request.len() - zip.len()]);
    // Names of fields are the same in any case (RFC 9110 section 5.1).
    let fields = head.to_lowercase();
    assert!(
        head.starts_with("PUT /bucket/b.zip?X-Amz-Signature=C4narySignature HTTP/1.1\r\n"),
        "{head}"
    );
    assert!(fields.contains("\r\nx-amz-acl: private\r\n"), "{head}");
    assert!(fields.contains("\r\ncontent-type: application/zip\r\n"), "{head}");

    let json = upload(folder.path(), &store.url(), &["--json"]);
    let value: serde_json::Value = serde_json::from_slice(&json.stdout).unwrap();
    assert_eq!(value["uploaded"], true);
    assert_eq!(value["reference"]["ETag"], "\"5d41402a\"");
    assert_eq!(value["bytes"], zip.len());
    assert!(json.stderr.is_empty(), "{}", text(&json.stderr));
}

#[test]
fn what_passes_is_tried_again_with_pauses() {
    let folder = folder();
    for script in [
        vec![Answers(BUSY), Answers("HTTP/1.1 500 Internal\r\n\r\n"), Answers(STORED)],
        vec![Drops, Swallows, Answers(STORED)],
        vec![Silent, Answers("not even HTTP\r\n\r\n"), Answers(STORED)],
        vec![Answers("HTTP/1.1 429 Slow\r\nRetry-After: 1\r\n\r\n"), Answers(STORED)],
    ] {
        let store = Store::start(&script);
        let started = Instant::now();
        let output = upload(folder.path(), &store.url(), &[]);
        let said = said(&output);
        assert_eq!(output.status.code(), Some(0), "{said}");
        assert_eq!(said.matches("; again in").count(), script.len() - 1, "{said}");
        assert!(started.elapsed() > Duration::from_millis(250), "no pause");
    }
    // In the end it is over.
    let store = Store::start(&[Answers(BUSY)]);
    let output = upload(folder.path(), &store.url(), &["--retries", "2"]);
    let said = said(&output);
    assert_eq!(output.status.code(), Some(1), "{said}");
    assert!(said.contains("not uploaded") && said.contains("(3 attempts)"), "{said}");
    assert!(said.contains("503 Slow Down (busy)"), "{said}");
    assert_eq!(store.requests().len(), 3);
}

#[test]
fn anything_less_is_no_success_and_what_is_final_is_not_repeated() {
    let folder = folder();
    for (does, says) in [
        (
            Answers(
                "HTTP/1.1 403 Forbidden\r\n\r\n<?xml?><Error><Code>AccessDenied</Code><Message>\
                 Request has expired</Message></Error>",
            ),
            "AccessDenied: Request has expired",
        ),
        (Answers("HTTP/1.1 413 Too Large\r\n\r\n"), "413 Too Large"),
        (Early("HTTP/1.1 413 Too Large\r\nConnection: close\r\n\r\n"), "413 Too Large"),
        (
            Answers(
                "HTTP/1.1 200 OK\r\nContent-Type: text/html\r\n\r\n<html><title>Sign in to the \
                 network</title></html>",
            ),
            "with a page (\"Sign in to the network\")",
        ),
        (Answers("HTTP/1.1 200 OK\r\n\r\n\n<!DOCTYPE html><p>x"), "with a page"),
        (
            Answers("HTTP/1.1 307 Moved\r\nLocation: https://other.example/x?C4nary=1\r\n\r\n"),
            "https://other.example/x",
        ),
        (Answers("HTTP/1.1 501 Not Implemented\r\n\r\n"), "501"),
        (Answers("HTTP/1.1 400 Bad\r\n\r\nyou sent X-Amz-Signature=C4narySignature"), "400 Bad"),
    ] {
        let store = Store::start(&[does]);
        let output = upload(folder.path(), &store.url(), &[]);
        let said = said(&output);
        assert_eq!(output.status.code(), Some(1), "{says}: {said}");
        assert!(said.contains(says), "{says} not in {said}");
        assert!(!said.contains("Uploaded") && !said.contains("again in"), "{said}");
        let json = upload(folder.path(), &store.url(), &["--json"]);
        let value: serde_json::Value = serde_json::from_slice(&json.stdout).unwrap();
        assert_eq!((&value["uploaded"], json.status.code()), (&false.into(), Some(1)), "{value}");
        assert!(!text(&json.stdout).contains("C4nary"), "{}", text(&json.stdout));
    }
}

#[test]
fn a_form_carries_the_fields_and_is_never_sent_twice_in_doubt() {
    let folder = folder();
    let store = Store::start(&[Answers("HTTP/1.1 201 Created\r\n\r\nticket 4711\n")]);
    let form = ["--form", "attachment", "--field", "policy=C4naryPolicy", "--field", "key=a/b"];
    let output = upload(folder.path(), &store.url(), &form);
    let told = said(&output);
    assert_eq!(output.status.code(), Some(0), "{told}");
    assert!(told.contains("Answer: ticket 4711"), "{told}");
    let request = store.requests().remove(0);
    let shown = text(&request);
    assert!(shown.starts_with("POST /bucket/b.zip?"), "{shown}");
    let zip = std::fs::read(folder.path().join("b.zip")).unwrap();
    assert!(request.windows(zip.len()).any(|part| part == zip));
    let order = [
        "name=\"policy\"\r\n\r\nC4naryPolicy",
        "name=\"key\"",
        "name=\"attachment\"; filename=\"b.zip\"",
    ];
    let places: Vec<_> = order.iter().map(|part| shown.find(part).unwrap()).collect();
    assert!(places.is_sorted(), "{places:?}");

    for does in [Swallows, Silent] {
        let store = Store::start(&[does]);
        let output = upload(folder.path(), &store.url(), &["--form", "file"]);
        let said = said(&output);
        assert_eq!(output.status.code(), Some(1), "{said}");
        assert!(said.contains("it may have arrived"), "{said}");
        assert_eq!(store.requests().len(), 1);
    }
}

#[test]
fn only_bundles_leave() {
    let folder = folder();
    let store = Store::start(&[Answers(STORED)]);
    let at =
        |name: &str, content: &[u8]| std::fs::write(folder.path().join(name), content).unwrap();
    let zip = std::fs::read(folder.path().join("b.zip")).unwrap();
    at("cut.zip", &zip[..zip.len() / 2]);
    at("passwords.txt", b"C4nary");
    at("sealed.zip.age", b"age-encryption.org/v1\n-> X25519 broken");
    let url = store.url();
    for (args, says) in [
        (&["cut.zip", "--to", &url][..], "damaged"),
        (&["passwords.txt", "--to", &url], "no zip"),
        (&["missing.zip", "--to", &url], "missing.zip"),
        (&["sealed.zip.age", "--to", &url], "damaged"),
        (&["b.zip"], "--to"),
        (&["b.zip", "--to", "ftp://x/C4nary"], "https://"),
        (&["b.zip", "--to", "C4nary"], "https://"),
        (&["b.zip", "--to", &url, "--field", "C4nary"], "--form"),
        (&["b.zip", "--to", &url, "--form", "f", "--field", "C4nary"], "NAME=VALUE"),
        (&["b.zip", "--to", &url, "--cacert", "missing.pem"], "missing.pem"),
        (&["b.zip", "--to", &url, "-H", "C4nary"], "colon"),
    ] {
        let output = collector(folder.path()).arg("upload").args(args).output().unwrap();
        let said = said(&output);
        assert_eq!(output.status.code(), Some(2), "{args:?}: {said}");
        assert!(said.contains(says), "{args:?}: {said}");
    }
    assert!(store.requests().is_empty());
}
