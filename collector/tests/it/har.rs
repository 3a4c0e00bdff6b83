//! HAR exports: the browsers' dialects, what never gets in, hostile files, and
//! memory. The four files are as the exporters of the browsers write them
//! (`Log.ts`, `har-builder.js`, `HARBuilder.js`), with `S3cr3t` wherever a secret
//! can stand.

use crate::server::{Server, Upgrades, collector, run, text};
use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::Command;
use wss_bundle::browser::BrowserRequest::{Document, Websocket};
use wss_bundle::{BrowserHandshake, Target};
use wss_collector::cli::parse;
use wss_handed::har::{self, Har};

fn target(text: &str) -> Target {
    parse::target(text, &[]).unwrap().0
}

fn dialect(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/har").join(format!("{name}.har"))
}

fn read(name: &str) -> Har {
    har::file(&dialect(name), &target("bindplane.corp.example")).unwrap()
}

fn of_text(content: &str) -> Result<Har, wss_bundle::manifest::NotUsed> {
    har::read(content.as_bytes(), "x.har", "x.har", &target("b.example"))
}

fn sockets(har: &Har) -> Vec<&BrowserHandshake> {
    har.seen.iter().filter(|seen| seen.kind == Websocket).collect()
}

#[test]
fn chrome() {
    let har = read("chrome");
    assert_eq!(har.seen.len(), 2, "the page and one WebSocket; no API call, no other host");
    assert_eq!(har.seen[0].kind, Document);
    assert_eq!(har.seen[0].url, "https://bindplane.corp.example/agents?sso=[removed]");
    assert_eq!(har.seen[0].protocol.as_deref(), Some("h2"));
    let socket = &har.seen[1];
    assert_eq!(socket.source, "har:chrome.har");
    assert_eq!(socket.browser.as_deref(), Some("Chrome 126"));
    assert_eq!(socket.url, "wss://bindplane.corp.example/v1/graphql?token=[removed]");
    assert_eq!(socket.status(), Some(101));
    assert_eq!(socket.sent("cookie").as_deref(), Some("session=[removed]; other=[removed]"));
    assert_eq!(socket.sent("origin").as_deref(), Some("https://bindplane.corp.example"));
    assert_eq!(socket.received("server").as_deref(), Some("nginx/1.22.1"));
    assert_eq!(socket.at.unwrap().to_rfc3339(), "2026-03-01T08:15:31+00:00");
    // Chrome's `wait` of a socket is no answer's time.
    assert_eq!(socket.answered_ms, None);
    assert_eq!(socket.closed.as_ref().unwrap().at_ms, Some(60125.5));
    assert_eq!((socket.frames_sent, socket.frames_received), (1, 2));
    let frames: Vec<(bool, &str, u64)> =
        socket.frames.iter().map(|f| (f.sent, f.opcode.as_str(), f.bytes)).collect();
    assert_eq!(frames, [(true, "text", 55), (false, "text", 25), (false, "binary", 7)]);
    assert!((socket.frames[0].at_ms.unwrap() - 200.0).abs() < 1.0);
    assert_eq!(har.warnings, Vec::<String>::new());
    let console = har::sockets(&har.seen);
    assert_eq!(console.len(), 1);
    assert_eq!(console[0].path, "/v1/graphql");
    assert_eq!(console[0].subprotocol.as_deref(), Some("graphql-transport-ws"));
}

#[test]
fn edge_that_tries_again_and_again() {
    let har = read("edge");
    let sockets = sockets(&har);
    assert_eq!(sockets.len(), 6);
    assert!(har.warnings[0].contains("4 more WebSockets"), "{:?}", har.warnings);
    let one = sockets[0];
    assert_eq!(one.browser.as_deref(), Some("Edge 126"));
    assert_eq!(one.status(), Some(400));
    assert_eq!(one.error.as_deref(), Some("net::ERR_INVALID_HTTP_RESPONSE"));
    assert_eq!(one.console, ["Error during WebSocket handshake: Unexpected response code: 400"]);
    // A message of type `error` ends it.
    assert_eq!(one.closed.as_ref().unwrap().code, Some(1006));
    assert_eq!(one.frames, []);
    // All ten count, and six have their headers.
    assert_eq!(sockets.iter().map(|one| 1 + one.alike.len()).sum::<usize>(), 10);
}

#[test]
fn firefox() {
    let har = read("firefox");
    assert_eq!(har.seen[0].kind, Document);
    let head = har.seen[0].response.as_ref().unwrap();
    let cookies: Vec<String> = head
        .headers()
        .into_iter()
        .filter(|(name, _)| name == "set-cookie")
        .map(|(_, value)| value)
        .collect();
    assert_eq!(cookies, ["a=[removed]; Path=/", "b=[removed]; Path=/"]);
    let socket = &har.seen[1];
    assert_eq!(socket.browser.as_deref(), Some("Firefox 128"));
    assert_eq!(socket.status(), Some(403));
    assert_eq!(socket.remote.as_deref(), Some("203.0.113.7:443"));
    assert_eq!(socket.protocol.as_deref(), Some("http/1.1"));
    assert_eq!(socket.at.unwrap().to_rfc3339(), "2026-03-01T08:15:31+00:00");
    assert_eq!(socket.answered_ms, Some(32.0));
}

#[test]
fn safari() {
    let har = read("safari");
    assert_eq!(har.seen[0].kind, Document);
    let socket = &har.seen[1];
    assert_eq!(socket.browser.as_deref(), Some("Safari 17"));
    assert_eq!(socket.status(), None);
    assert_eq!(socket.response, None);
    assert_eq!(socket.error.as_deref(), Some("The network connection was lost."));
    assert_eq!(socket.remote, None);
}

#[test]
fn no_secret_is_left() {
    for name in ["chrome", "edge", "firefox", "safari"] {
        let har = read(name);
        let kept = serde_json::to_string(&har.seen).unwrap();
        let file = text(&har.attachment.bytes);
        for secret in ["S3cr3t", "UzNjcjN0", "eyJ", "connection_init", "vendor.example", "csrf"] {
            assert!(!kept.contains(secret), "{name}: {secret} in {kept}");
            assert!(!file.contains(secret), "{name}: {secret} in {file}");
        }
        assert!(!har.removed.is_empty(), "{name}: what was removed is listed");
        // What is left is a HAR, and says the same.
        let again =
            har::read(&har.attachment.bytes[..], "x", "x", &target("bindplane.corp.example"))
                .unwrap();
        let essence = |har: &Har| -> Vec<_> {
            har.seen.iter().map(|s| (s.url.clone(), s.status(), s.error.clone())).collect()
        };
        assert_eq!(essence(&again), essence(&har), "{name}");
    }
}

#[test]
fn what_is_no_har_is_said_in_one_sentence() {
    for (content, says) in [
        ("", "is empty"),
        ("GET / HTTP/1.1", "no HAR"),
        ("{}", "log.entries"),
        ("[]", "log.entries"),
        ("\"log\"", "log.entries"),
        ("{\"log\":{\"entries\":5}}", "log.entries"),
        ("{\"log\":[{\"entries\":[]}]}", "log.entries"),
        ("{\"log\":{\"entries\":[", "line 1"),
        ("\u{feff}{\"log\":", "line 1"),
        ("{\"log\":{\"entries\":[{\"request\":{\"url\":\"\\ud800\"}}]}}", "line 1"),
    ] {
        let error = of_text(content).unwrap_err().to_string();
        assert!(
            error.starts_with("--har x.har: it is ") && error.contains(says),
            "{content:?}: {error}"
        );
        assert!(!error.contains('\n') && error.len() < 400, "{error}");
    }
    let deep = format!("{{\"log\":{}", "[".repeat(100_000));
    assert!(of_text(&deep).unwrap_err().reason.contains("nested"));
    let folder = tempfile::tempdir().unwrap();
    let error = har::file(folder.path(), &target("b")).unwrap_err();
    assert!(error.reason.contains("folder"), "{error}");
}

/// Packed by people for a mail, or saved by an editor: read all the same, or named.
#[test]
fn however_it_is_packed() {
    let folder = tempfile::tempdir().unwrap();
    let plain = std::fs::read(dialect("firefox")).unwrap();
    let write = |name: &str, bytes: &[u8]| std::fs::write(folder.path().join(name), bytes).unwrap();
    let mut gzip = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
    gzip.write_all(&plain).unwrap();
    let gzip = gzip.finish().unwrap();
    write("a.har.gz", &gzip);
    write("cut.har.gz", &gzip[..gzip.len() / 2]);
    let zipped = |names: &[&str]| {
        let mut zip = zip::ZipWriter::new(std::io::Cursor::new(Vec::new()));
        for name in names {
            zip.start_file(*name, zip::write::SimpleFileOptions::default()).unwrap();
            zip.write_all(if name.contains("._") { b"x" } else { &plain }).unwrap();
        }
        zip.finish().unwrap().into_inner()
    };
    write("b.zip", &zipped(&["__MACOSX/._console.har", "logs/console.har"]));
    write("none.zip", &zipped(&["notes.txt"]));
    let wide: Vec<u8> = text(&plain).encode_utf16().flat_map(u16::to_le_bytes).collect();
    write("c.har", &[b"\xff\xfe".to_vec(), wide].concat());
    write("d.7z", b"7z\xbc\xaf\x27\x1c....");
    let read = |name: &str| har::file(&folder.path().join(name), &target("bindplane.corp.example"));
    let whole = har::file(&dialect("firefox"), &target("bindplane.corp.example")).unwrap();
    for name in ["a.har.gz", "b.zip", "c.har"] {
        let har = read(name).unwrap();
        assert_eq!(har.seen.len(), whole.seen.len(), "{name}");
        assert!(har.attachment.name.ends_with(".har"), "{}", har.attachment.name);
    }
    for (name, says) in [("none.zip", "a zip without a .har"), ("d.7z", "7-Zip")] {
        let why = read(name).unwrap_err();
        assert!(why.reason.contains(says) && why.instead.contains("unpack"), "{why}");
    }
    // What came before the damage is read; or it says that it is the packing.
    match read("cut.har.gz") {
        Ok(har) => {
            assert!(har.warnings.iter().any(|w| w.contains("damaged")), "{:?}", har.warnings)
        }
        Err(why) => assert!(why.reason.contains("gzip, and damaged"), "{why}"),
    }
}

#[test]
fn wrong_types_spoil_nothing_else() {
    let good = r#"{"request":{"url":"wss://b.example/v1/ws","headers":[{"name":"Upgrade","value":"websocket"}]},
        "response":{"status":"101","headers":{"a":"b"}},"_webSocketMessages":[5,null,[],{"type":7},
        {"type":"send","opcode":"1","data":["x"]},{"type":"receive","opcode":1,"data":null}]}"#;
    let bad = [
        "5",
        "null",
        "[[[]]]",
        "\"x\"",
        "{}",
        r#"{"request":5}"#,
        r#"{"request":{"url":7}}"#,
        r#"{"request":{"url":"not a url"}}"#,
        r#"{"request":{"url":"wss://b.example/"},"response":[],"timings":"x","startedDateTime":{},"serverIPAddress":[1]}"#,
        r#"{"request":{"url":"wss://b.example/a","headers":[5,{"name":5},{"value":"x"},{"name":null,"value":{}}]},"response":{"status":1e300}}"#,
        r#"{"request":{"url":"wss://b.example/b","headers":[{"name":"A\r\nB","value":"c\r\nd: e"}]},"response":{"status":-5}}"#,
    ];
    let content = format!(
        r#"{{"log":{{"creator":[],"browser":{{"name":{{}}}},"pages":[5,{{"title":[]}}],"entries":[{},{good}]}}}}"#,
        bad.join(",")
    );
    let har = of_text(&content).unwrap();
    let sockets = sockets(&har);
    assert_eq!(sockets.len(), 4);
    let last = sockets[3];
    assert_eq!(last.status(), Some(101));
    assert_eq!((last.frames_sent, last.frames_received), (1, 1));
    let request = sockets[2].request.as_ref().unwrap().text().into_owned();
    assert_eq!(
        request,
        "GET /b HTTP/1.1\r\nAB: [removed: header value]\r\nd: [removed: header value]\r\n\r\n"
            .replace("\r\nd: [removed: header value]", "\r\nAB: [removed: header value]")
    );
}

#[test]
fn a_damaged_file_gives_what_stands_before_the_damage() {
    let whole = std::fs::read_to_string(dialect("firefox")).unwrap();
    let cut = &whole[..whole.len() - 40];
    let har = har::read(cut.as_bytes(), "x", "x", &target("bindplane.corp.example")).unwrap();
    assert!(!har.seen.is_empty());
    assert!(har.warnings.iter().any(|w| w.contains("damaged")), "{:?}", har.warnings);
}

#[test]
fn a_har_without_the_console_says_so() {
    let har = har::file(&dialect("chrome"), &target("elsewhere.example")).unwrap();
    assert!(har.seen.is_empty());
    let warning = &har.warnings[0];
    assert!(warning.contains("no WebSocket to elsewhere.example:443"), "{warning}");
    assert!(warning.contains("chat.vendor.example"), "{warning}");
    let kept = text(&har.attachment.bytes);
    assert!(!kept.contains("vendor"), "{kept}");
}

#[test]
fn headers_and_strings_without_end_are_cut() {
    let long = "x".repeat(300_000);
    let headers: Vec<String> =
        (0..5000).map(|n| format!(r#"{{"name":"Server","value":"{n}{long:.1000}"}}"#)).collect();
    let content = format!(
        r#"{{"log":{{"entries":[{{"request":{{"url":"wss://b.example/{long}","headers":[{}]}},
           "response":{{"status":101,"statusText":"{long}","_error":"{long}"}}}}]}}}}"#,
        headers.join(",")
    );
    let har = of_text(&content).unwrap();
    let size = serde_json::to_string(&har.seen).unwrap().len();
    assert!(size < 64 << 10, "{size}");
}

/// The socket that the console really opens is tried, as the console opens it.
#[test]
fn what_the_browser_opened_is_tried_from_here() {
    let folder = tempfile::tempdir().unwrap();
    let server = Server::start(Upgrades::Work);
    let har = std::fs::read_to_string(dialect("chrome")).unwrap();
    let har = har
        .replace("bindplane.corp.example", &format!("127.0.0.1:{}", server.port))
        .replace("wss://127", "ws://127")
        .replace("https://127", "http://127")
        .replace("/v1/graphql?token", "/v1/live?token")
        .replace("graphql-transport-ws", "graphql-ws");
    std::fs::write(folder.path().join("console.har"), har).unwrap();
    let url = server.url();
    let output =
        run(folder.path(), &[&url, "--har", "console.har", "--hold", "0", "-o", "out.zip"]);
    assert_eq!(output.status.code(), Some(0), "{}", text(&output.stderr));
    let opened =
        wss_bundle::read::file(&folder.path().join("out.zip"), &Default::default()).unwrap();
    let bundle = opened.bundle;
    assert_eq!(bundle.defects, []);
    assert_eq!(bundle.observations.target.paths[0], "/v1/live");
    let seen = &bundle.observations.browser;
    assert_eq!(seen.iter().map(|s| s.id.as_str()).collect::<Vec<_>>(), ["b1", "b2"]);
    assert_eq!(bundle.attachments[0].name, "console.har");
    let asked = bundle.observations.observations.iter().any(|o| match &o.step {
        wss_bundle::Step::Upgrade(u) => {
            u.request.text().contains("Sec-WebSocket-Protocol: graphql-ws")
        }
        _ => false,
    });
    assert!(asked);
    assert!(
        opened.entries.iter().any(|e| e.path == "transcripts/browser-b2-websocket-v1-live.txt")
    );
    let removed = bundle.redactions.iter().any(|r| r.entry == "attachments/console.har");
    assert!(removed, "{:?}", bundle.redactions);
    let inspected = text(&run(folder.path(), &["inspect", "out.zip"]).stdout);
    assert!(inspected.contains("attachments/console.har"), "{inspected}");
}

#[test]
fn a_har_that_cannot_be_used_is_named_and_costs_nothing_else() {
    let folder = tempfile::tempdir().unwrap();
    let server = Server::start(Upgrades::Work);
    let url = server.url();
    std::fs::write(folder.path().join("x.har"), "<html>").unwrap();
    for (number, file) in ["x.har", "missing.har", "."].into_iter().enumerate() {
        let zip = format!("{number}.zip");
        let output =
            run(folder.path(), &[&url, "--har", file, "--hold", "0", "-o", &zip, "--no-input"]);
        let (screen, error) = (text(&output.stdout), text(&output.stderr));
        assert_eq!(output.status.code(), Some(0), "{error}");
        assert!(error.contains(&format!("warning: --har {file}: it ")), "{error}");
        assert!(screen.contains("Given and not used"), "{screen}");
        let opened = wss_bundle::read::file(&folder.path().join(zip), &Default::default()).unwrap();
        let not_used = &opened.bundle.manifest.not_used;
        assert_eq!(not_used.len(), 1);
        assert_eq!((not_used[0].option.as_str(), not_used[0].name.as_str()), ("--har", file));
        assert!(!not_used[0].instead.is_empty());
    }
}

/// 200 MB, of which bodies and messages are nearly all, in 100 MB of address
/// space, program and libraries included.
#[cfg(target_os = "linux")]
#[test]
fn two_hundred_megabytes_in_bounded_memory() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("large.har");
    let mut file = std::io::BufWriter::new(std::fs::File::create(&path).unwrap());
    write!(file, "{{\"log\":{{\"version\":\"1.2\",\"entries\":[").unwrap();
    let body = "<p>some text \\\"quoted\\\" \\u00e4</p>".repeat(70_000);
    for n in 0..90 {
        write!(
            file,
            r#"{{"_resourceType":"fetch","request":{{"url":"https://b.example/{n}"}},"response":{{"content":{{"text":"{body}"}}}}}},"#
        )
        .unwrap();
    }
    write!(file, r#"{{"_resourceType":"websocket","request":{{"url":"wss://b.example/v1/ws","headers":[]}},"response":{{"status":101}},"_webSocketMessages":["#).unwrap();
    let frame = "y".repeat(300_000);
    for _ in 0..40 {
        write!(file, r#"{{"type":"receive","time":1,"opcode":1,"data":"{frame}"}},"#).unwrap();
    }
    write!(file, r#"{{"type":"send","time":1,"opcode":1,"data":"z"}}]}}]}}}}"#).unwrap();
    file.into_inner().unwrap().sync_all().unwrap();
    let size = std::fs::metadata(&path).unwrap().len();
    assert!(size > 200_000_000, "{size}");

    let program = collector(folder.path()).get_program().to_owned();
    let output = Command::new("sh")
        .current_dir(folder.path())
        .args(["-c", "ulimit -v 100000; exec \"$0\" \"$@\""])
        .arg(program)
        .args(["https://b.example", "--har", "large.har", "--dry-run"])
        .output()
        .unwrap();
    let (out, error) = (text(&output.stdout), text(&output.stderr));
    assert_eq!(output.status.code(), Some(0), "{error}");
    assert!(out.contains("large.har"), "{out}");

    let har = har::file(&path, &target("b.example")).unwrap();
    assert_eq!(har.seen.len(), 1);
    assert_eq!(har.seen[0].frames_received, 40);
    assert_eq!(har.seen[0].frames[0].bytes, 300_000);
}
