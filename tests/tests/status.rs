//! The status table against the real programs: each row that says it was measured has an
//! answer of the program in `tests/status/answers/`, and reads it; and the programs are
//! asked again, and answer still so. Recorded anew by
//!
//! ```text
//! UPDATE_STATUS=1 cargo nextest run -p wss-lab --test status
//! ```
#![allow(clippy::unwrap_used, clippy::expect_used, reason = "a test may panic")]

use std::collections::{BTreeMap, BTreeSet};
use std::io::{Read as _, Write as _};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Duration;
use wss_bundle::ResponseHead;
use wss_diagnosis::said::{Basis, ROWS, Row, read};
use wss_diagnosis::signature::{Response, Signatures};
use wss_lab::lab::Pki;
use wss_lab::lab::config::{CertificateKind, Subject};
use wss_lab::real::{Product, Real, closed_port};

/// No program here takes longer for an answer.
const PATIENCE: Duration = Duration::from_secs(15);
const HOST: &str = "console.example.com";

fn folder() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("status")
}

fn rows() -> impl Iterator<Item = &'static Row> {
    ROWS.iter().copied().flatten()
}

/// The row that an answer is read as, and its status.
fn read_as(answer: &str) -> (Option<&'static str>, Option<u16>) {
    let (head, body) = answer.split_once("\r\n\r\n").unwrap_or((answer, ""));
    let head = ResponseHead::new(format!("{head}\r\n\r\n"));
    assert!(head.header("transfer-encoding").is_none(), "a body in pieces: {answer}");
    let response = Response { status: None, head: &head, body };
    let devices = Signatures::built_in().match_response(&response);
    (read(&response, &devices).map(|row| row.id), head.status())
}

fn recorded(row: &str) -> PathBuf {
    folder().join("answers").join(format!("{row}.http"))
}

#[test]
fn every_row_that_was_measured_reads_what_the_program_answered() {
    let measured: BTreeSet<&str> =
        rows().filter(|row| row.basis == Basis::Measured).map(|row| row.id).collect();
    let mut wrong = Vec::new();
    for row in rows().filter(|row| measured.contains(row.id)) {
        match std::fs::read_to_string(recorded(row.id)) {
            Err(error) => wrong.push(format!("{}: no recorded answer ({error})", row.id)),
            Ok(answer) => {
                let (found, status) = read_as(&answer);
                if found != Some(row.id) || !status.is_some_and(|s| row.status.contains(&s)) {
                    wrong.push(format!("{}: {status:?} is read as {found:?}", row.id));
                }
            }
        }
    }
    for entry in std::fs::read_dir(folder().join("answers")).unwrap() {
        let path = entry.unwrap().path();
        let name = path.file_stem().unwrap().to_string_lossy().into_owned();
        if !measured.contains(name.as_str()) {
            wrong.push(format!("{name}: an answer of no row that was measured"));
        }
    }
    let asked: BTreeSet<&str> = asks().into_iter().map(|ask| ask.row).collect();
    wrong.extend(measured.difference(&asked).map(|row| format!("{row}: no program is asked")));
    assert!(wrong.is_empty(), "{wrong:#?}");
}

/// What a program is asked.
struct Ask {
    row: &'static str,
    of: Product,
    /// Sent as it stands; `curl` asks where it is empty.
    request: String,
    /// At the port that speaks TLS.
    tls: bool,
    /// How often before the answer counts.
    before: usize,
}

fn get(row: &'static str, of: Product, path: &str) -> Ask {
    let request = format!("GET {path} HTTP/1.1\r\nHost: {HOST}\r\nConnection: close\r\n\r\n");
    Ask { row, of, request, tls: false, before: 0 }
}

fn sent(row: &'static str, of: Product, request: &str) -> Ask {
    Ask { request: request.to_owned(), ..get(row, of, "/") }
}

fn in_plain_text(row: &'static str, of: Product) -> Ask {
    Ask { tls: true, ..get(row, of, "/") }
}

fn asks() -> Vec<Ask> {
    [nginx(), haproxy(), apache(), caddy(), varnish(), squid(), envoy()]
        .into_iter()
        .flatten()
        .collect()
}

fn nginx() -> Vec<Ask> {
    let get = |row, path| get(row, Product::Nginx, path);
    let large = format!("GET / HTTP/1.1\r\nHost: {HOST}\r\nCookie: {}\r\n\r\n", "x".repeat(3000));
    vec![
        get("nginx-502", "/502"),
        get("nginx-504", "/504"),
        get("nginx-503-retry-after", "/503-with-retry-after"),
        get("nginx-503", "/503"),
        Ask { before: 1, ..get("nginx-429", "/429") },
        get("nginx-500", "/500"),
        get("nginx-403", "/403"),
        get("nginx-404", "/404"),
        get("http10-refused", "/http10"),
        sent("nginx-400", Product::Nginx, "GET / HTTP/1.1\r\nHost: a/b\r\n\r\n"),
        sent("nginx-header-too-large", Product::Nginx, &large),
        in_plain_text("nginx-plain-http", Product::Nginx),
        Ask { tls: true, ..sent("nginx-client-certificate", Product::Nginx, "") },
    ]
}

fn haproxy() -> Vec<Ask> {
    let get = |row, path| get(row, Product::Haproxy, path);
    vec![
        get("haproxy-503", "/"),
        get("haproxy-504", "/504"),
        get("haproxy-502", "/502"),
        get("haproxy-403", "/403"),
        get("haproxy-404", "/404"),
        get("haproxy-429", "/429"),
        get("haproxy-500", "/500"),
        sent("haproxy-408", Product::Haproxy, "GET / HTTP/1.1\r\nHost: x\r\n"),
        sent("haproxy-400", Product::Haproxy, "GET / HTTP/1.1\r\nno header\r\n\r\n"),
    ]
}

fn apache() -> Vec<Ask> {
    let get = |row, path| get(row, Product::Apache, path);
    vec![
        get("apache-503", "/503/"),
        get("apache-502", "/502/"),
        get("apache-502-read", "/502-read/"),
        get("apache-403", "/403"),
        get("apache-404", "/404"),
        in_plain_text("apache-plain-http", Product::Apache),
    ]
}

fn caddy() -> Vec<Ask> {
    let get = |row, path| get(row, Product::Caddy, path);
    vec![
        get("caddy-502", "/502"),
        Ask { before: 1, ..get("caddy-503", "/503") },
        get("caddy-504", "/504"),
        get("caddy-404", "/404"),
        get("caddy-403", "/403"),
        in_plain_text("go-plain-http", Product::Caddy),
    ]
}

fn varnish() -> Vec<Ask> {
    let get = |row, path| get(row, Product::Varnish, path);
    vec![get("varnish-503", "/"), get("varnish-synth", "/403")]
}

fn squid() -> Vec<Ask> {
    let get = |row, url| get(row, Product::Squid, url);
    vec![
        get("squid-connect-fail", "http://{dead}/"),
        get("squid-denied", "http://denied.corp.example/"),
        get("squid-zero-size", "http://{closes}/"),
        get("squid-timeout", "http://{silent}/"),
    ]
}

fn envoy() -> Vec<Ask> {
    let get = |row, path| get(row, Product::Envoy, path);
    let upgrade = format!(
        "GET /upgrade HTTP/1.1\r\nHost: {HOST}\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\
         Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n"
    );
    vec![
        get("envoy-protocol-error", "/protocol-error"),
        get("envoy-unreachable", "/unreachable"),
        get("envoy-hangs-up", "/hangs-up"),
        get("envoy-overflow", "/overflow"),
        get("envoy-no-healthy-upstream", "/no-healthy-upstream"),
        get("envoy-504", "/504"),
        Ask { before: 1, ..get("envoy-rate-limited", "/rate-limited") },
        get("envoy-rbac", "/rbac"),
        get("envoy-jwt", "/jwt"),
        get("envoy-no-route", "/nothing"),
        get("envoy-no-cluster", "/no-cluster"),
        sent("envoy-upgrade-refused", Product::Envoy, &upgrade),
    ]
}

/// What a server behind the programs does with a connection.
#[derive(Clone, Copy)]
enum Behind {
    /// Takes the request, and says nothing.
    Silent,
    /// Takes the request, and ends the connection.
    Closes,
    /// Answers with a version of HTTP that nobody writes so.
    Garbage,
    /// Answers whatever comes by HTTP/1.1.
    Plain,
}

/// Starts one; it lives as long as the test.
fn behind(how: Behind) -> SocketAddr {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let addr = listener.local_addr().unwrap();
    std::thread::spawn(move || {
        let mut kept = Vec::new();
        for stream in listener.incoming() {
            let Ok(mut stream) = stream else { return };
            if matches!(how, Behind::Silent) {
                kept.push(stream);
                continue;
            }
            let _ = stream.read(&mut [0; 4096]);
            let _ = match how {
                Behind::Garbage => stream.write_all(b"HTTP/2.0 200 OK\r\n\r\n"),
                Behind::Plain => stream.write_all(
                    b"HTTP/1.1 400 Bad Request\r\nContent-Length: 0\r\nConnection: close\r\n\r\n",
                ),
                Behind::Silent | Behind::Closes => Ok(()),
            };
        }
    });
    addr
}

/// A program with its values.
struct Stage {
    real: Real,
    values: BTreeMap<&'static str, String>,
}

impl Stage {
    fn set(product: Product, file: &str, shared: &BTreeMap<&'static str, String>) -> Self {
        let mut values = shared.clone();
        values.insert("tls", closed_port().unwrap().to_string());
        let template = std::fs::read_to_string(folder().join(file)).unwrap();
        let real = Real::start(product, &template, &values).unwrap();
        Self { real, values }
    }

    fn answer(&self, ask: &Ask) -> String {
        let at = match ask.tls {
            true => format!("127.0.0.1:{}", self.values["tls"]),
            false => self.real.addr.to_string(),
        };
        if ask.request.is_empty() {
            let url = format!("https://{at}/");
            let output =
                Command::new("curl").args(["-sik", "--http1.1", "-m", "10", &url]).output();
            return String::from_utf8_lossy(&output.unwrap().stdout).into_owned();
        }
        let request = self.values.iter().fold(ask.request.clone(), |text, (name, value)| {
            text.replace(&format!("{{{name}}}"), value)
        });
        let mut stream = TcpStream::connect(at).unwrap();
        stream.set_read_timeout(Some(PATIENCE)).unwrap();
        stream.write_all(request.as_bytes()).unwrap();
        whole(&mut stream)
    }
}

/// A response to its end, as its length has it or as the connection ends.
fn whole(stream: &mut TcpStream) -> String {
    let mut all = Vec::new();
    let mut part = [0; 4096];
    loop {
        let text = String::from_utf8_lossy(&all).into_owned();
        let length = text.split_once("\r\n\r\n").and_then(|(head, body)| {
            let head = ResponseHead::new(format!("{head}\r\n\r\n"));
            let length: usize = head.header("content-length")?.trim().parse().ok()?;
            Some(body.len() >= length)
        });
        if length == Some(true) {
            return text;
        }
        match stream.read(&mut part) {
            Ok(0) | Err(_) => return text,
            Ok(count) => all.extend_from_slice(&part[..count]),
        }
    }
}

#[test]
fn the_real_programs_answer_still_so() {
    let dir = tempfile::tempdir().unwrap();
    let pki = Pki::new(dir.path(), &Subject::default()).unwrap();
    let (cert, key) = pki.write_identity("front", HOST, CertificateKind::Valid).unwrap();
    let dead = closed_port().unwrap();
    let mut values: BTreeMap<&str, String> = BTreeMap::from([
        ("cert", cert.display().to_string()),
        ("key", key.display().to_string()),
        ("modules", "/usr/lib/apache2/modules".to_owned()),
        ("dead", format!("127.0.0.1:{dead}")),
        ("dead_port", dead.to_string()),
    ]);
    for (name, port, how) in [
        ("silent", "silent_port", Behind::Silent),
        ("closes", "closes_port", Behind::Closes),
        ("garbage", "garbage_port", Behind::Garbage),
        ("plain", "plain_port", Behind::Plain),
    ] {
        let addr = behind(how);
        values.insert(name, addr.to_string());
        values.insert(port, addr.port().to_string());
    }
    let envoy = Stage::set(Product::Envoy, "envoy.yaml", &values);
    values.insert("envoy", envoy.real.addr.to_string());
    let mut stages = BTreeMap::from([(Product::Envoy, envoy)]);
    for (product, file) in [
        (Product::Nginx, "nginx.conf"),
        (Product::Haproxy, "haproxy.cfg"),
        (Product::Apache, "apache.conf"),
        (Product::Caddy, "Caddyfile"),
        (Product::Varnish, "default.vcl"),
        (Product::Squid, "squid.conf"),
    ] {
        stages.insert(product, Stage::set(product, file, &values));
    }
    let wrong: Vec<String> = asks().iter().filter_map(|ask| asked(&stages[&ask.of], ask)).collect();
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

/// Asks; gives what is wrong with the answer.
fn asked(stage: &Stage, ask: &Ask) -> Option<String> {
    for _ in 0..ask.before {
        stage.answer(ask);
    }
    let answer = stage.answer(ask);
    let (found, status) = read_as(&answer);
    let row = rows().find(|row| row.id == ask.row)?;
    if found != Some(ask.row) || !status.is_some_and(|s| row.status.contains(&s)) {
        return Some(format!("{}: {status:?} is read as {found:?}: {answer}", ask.row));
    }
    if std::env::var_os("UPDATE_STATUS").is_some() {
        std::fs::write(recorded(ask.row), &answer).unwrap();
    }
    let then = std::fs::read_to_string(recorded(ask.row)).unwrap_or_default();
    let was = read_as(&then).1;
    (was != status).then(|| format!("{}: recorded with {was:?}, answers {status:?}", ask.row))
}
