//! PAC files, fetched from a server on loopback or read from disk, and run by
//! the program as its users run it. KDE's settings name them, since they are a
//! file in the user's folder.

use crate::server::{Server, Upgrades, collector, text};
use std::io::{Read, Write};
use std::net::TcpListener;
use std::path::Path;
use std::process::Output;
use std::sync::mpsc;
use std::time::{Duration, Instant};
use wss_bundle::Bundle;
use wss_bundle::read::{self, Limits};

/// A server that gives every request the same answer, and tells what was asked.
struct Files {
    port: u16,
    asked: mpsc::Receiver<String>,
}

impl Files {
    fn serve(answer: impl Fn(u16) -> Vec<u8> + Send + 'static) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let port = listener.local_addr().unwrap().port();
        let (sender, asked) = mpsc::channel();
        std::thread::spawn(move || {
            for mut stream in listener.incoming().flatten() {
                let mut request = [0; 4096];
                let n = stream.read(&mut request).unwrap_or(0);
                let _ = sender.send(String::from_utf8_lossy(&request[..n]).into_owned());
                let _ = stream.write_all(&answer(port));
            }
        });
        Self { port, asked }
    }

    fn script(body: &str) -> Self {
        let answer = format!(
            "HTTP/1.1 200 OK\r\nContent-Type: application/x-ns-proxy-autoconfig\r\n\
             Content-Length: {}\r\nConnection: close\r\n\r\n{body}",
            body.len()
        );
        Self::serve(move |_| answer.clone().into_bytes())
    }

    fn url(&self) -> String {
        format!("http://127.0.0.1:{}/proxy.pac", self.port)
    }
}

/// A machine with KDE, set to a PAC file; and what the program makes of it.
fn collect(home: &Path, pac: &str, rest: &[&str]) -> Output {
    std::fs::create_dir_all(home.join(".config")).unwrap();
    let settings = format!("[Proxy Settings]\nProxyType=2\nProxy Config Script={pac}\n");
    std::fs::write(home.join(".config/kioslaverc"), settings).unwrap();
    collector(home)
        .env("HOME", home)
        .env("XDG_CURRENT_DESKTOP", "KDE")
        .args(["--hold", "0", "--timeout", "3s", "--no-input", "-o", "out.zip", "--force"])
        .args(rest)
        .output()
        .unwrap()
}

fn opened(home: &Path) -> Bundle {
    read::file(&home.join("out.zip"), &Limits::default()).unwrap().bundle
}

fn chosen(bundle: &Bundle) -> &str {
    let mut selected = bundle.observations.routes.iter().filter(|route| route.selected);
    let chosen = selected.next().unwrap();
    assert!(selected.next().is_none());
    &chosen.id.0
}

/// A name that is no loopback name, which browsers ask PAC files about.
fn target(server: &Server) -> (String, String) {
    (format!("http://b.example:{}", server.port), format!("b.example:{}:127.0.0.1", server.port))
}

#[test]
fn a_script_that_is_served_decides() {
    let home = tempfile::tempdir().unwrap();
    let server = Server::start(Upgrades::Work);
    let (url, resolve) = target(&server);
    // A closed port first, as when the first of two proxies is down.
    let closed = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
    let files = Files::script(&format!(
        "function FindProxyForURL(url, host) {{\n\
         if (isInNet(host, '127.0.0.0', '255.0.0.0') && url.substring(0, 3) == 'ws:')\n\
         return 'PROXY 127.0.0.1:{closed}; DIRECT';\nreturn 'PROXY never.example:1'; }}"
    ));
    let output = collect(home.path(), &files.url(), &["--resolve", &resolve, &url]);
    assert_eq!(output.status.code(), Some(0), "{}{}", text(&output.stdout), text(&output.stderr));
    let bundle = opened(home.path());
    // Browsers go on to the second when the first does not answer.
    assert_eq!(chosen(&bundle), "direct");
    let chrome =
        bundle.environment.proxy_choices.iter().find(|choice| choice.client == "chrome").unwrap();
    assert_eq!(chrome.route, format!("proxy http://127.0.0.1:{closed}"));
    assert_eq!(
        (chrome.page.as_deref(), chrome.then.as_slice()),
        (Some("proxy http://never.example:1"), ["direct".to_owned()].as_slice())
    );
    let notes = bundle.environment.notes.join("\n");
    assert!(notes.contains("looked up b.example: 127.0.0.1"), "{notes}");
    assert!(notes.contains("browsers go on to direct"), "{notes}");
    let step = bundle.manifest.steps.iter().find(|step| step.name.contains("PAC file")).unwrap();
    assert!(step.name.contains(&files.url()), "{}", step.name);
    assert!(files.asked.recv().unwrap().starts_with("GET /proxy.pac HTTP/1.1\r\n"));
}

#[test]
fn a_script_on_disk_names_a_proxy_that_is_tried() {
    let home = tempfile::tempdir().unwrap();
    let server = Server::start(Upgrades::Work);
    let (url, resolve) = target(&server);
    let path = home.path().join("x.pac");
    let closed = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
    let script = format!("function FindProxyForURL() {{ return 'PROXY 127.0.0.1:{closed}' }}");
    std::fs::write(&path, script).unwrap();
    let output = collect(home.path(), path.to_str().unwrap(), &["--resolve", &resolve, &url]);
    assert_eq!(output.status.code(), Some(1), "{}", text(&output.stderr));
    let said = text(&output.stdout);
    assert!(said.contains("proxy-unreachable") && said.contains("x.pac"), "{said}");
    assert_eq!(chosen(&opened(home.path())), format!("proxy http://127.0.0.1:{closed}"));
}

#[test]
fn scripts_that_are_nobodys_friend_are_stopped() {
    let server = Server::start(Upgrades::Work);
    let (url, resolve) = target(&server);
    let body = |body: &str| format!("function FindProxyForURL(url, host) {{ {body} }}");
    for (script, says) in [
        (body("for (;;) {}"), "was stopped after"),
        // Nothing interrupts the engine in there.
        (body("Array.prototype.reverse.call({length: 2 ** 53 - 1});"), "was stopped after"),
        (body("var a = []; for (;;) a.push('x'.repeat(9999) + a.length);"), "memory"),
        (body("return (function f() { return f() + 1; })();"), "stack"),
        (
            body("for (var i = 0; i < 10000; i++) dnsResolve('n' + i + '.localhost');"),
            "more than 20 names",
        ),
        ("<html>Not a script</html>".to_owned(), "does not load"),
        ("x".repeat((1 << 20) + 1), "larger than 1 MiB"),
    ] {
        let home = tempfile::tempdir().unwrap();
        let files = Files::script(&script);
        let started = Instant::now();
        let output = collect(home.path(), &files.url(), &["--resolve", &resolve, &url]);
        // The rest of the collection is not disturbed.
        let said = text(&output.stderr);
        assert_eq!(output.status.code(), Some(0), "{script:.60}: {said}");
        assert!(said.contains("warning: the PAC file") && said.contains(says), "{says}: {said}");
        assert!(started.elapsed() < Duration::from_secs(60), "{script:.60}");
        let bundle = opened(home.path());
        assert_eq!(chosen(&bundle), "direct");
        let notes = bundle.environment.notes.join("\n");
        assert!(notes.contains(says), "{says}: {notes}");
    }
}

#[test]
fn a_file_that_cannot_be_had_is_noted() {
    let server = Server::start(Upgrades::Work);
    let (url, resolve) = target(&server);
    let closed = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
    let gone = Files::serve(|_| b"HTTP/1.1 404 Not Found\r\nContent-Length: 0\r\n\r\n".to_vec());
    let round = Files::serve(|port| {
        format!(
            "HTTP/1.1 302 Found\r\nLocation: http://127.0.0.1:{port}/\r\nContent-Length: 0\r\n\r\n"
        )
        .into_bytes()
    });
    let cut = Files::serve(|_| b"HTTP/1.1 200 OK\r\nContent-Length: 500\r\n\r\nfunction".to_vec());
    for (pac, says) in [
        (gone.url(), "404 Not Found"),
        (round.url(), "redirections"),
        (cut.url(), "broke off"),
        (format!("http://127.0.0.1:{closed}/x.pac"), "connection refused"),
        ("/no/such/file.pac".to_owned(), "could not be read"),
        ("/dev/zero".to_owned(), "it is no file"),
        ("gopher://127.0.0.1/x.pac".to_owned(), "scheme"),
    ] {
        let home = tempfile::tempdir().unwrap();
        let output = collect(home.path(), &pac, &["--resolve", &resolve, &url]);
        let said = text(&output.stderr);
        assert_eq!(output.status.code(), Some(0), "{pac}: {said}");
        assert!(said.contains(says), "{pac}: {said}");
    }
}

#[test]
fn a_dry_run_names_the_file_and_contacts_nobody() {
    let home = tempfile::tempdir().unwrap();
    let files = Files::script("function FindProxyForURL() { return 'DIRECT'; }");
    let output = collect(home.path(), &files.url(), &["--dry-run", "http://b.example"]);
    let said = text(&output.stdout);
    assert!(said.contains(&files.url()) && said.contains("at most 20 names"), "{said}");
    assert!(said.contains("kioslaverc"), "{said}");
    assert!(files.asked.recv_timeout(Duration::from_millis(300)).is_err());
}

#[test]
fn a_scripts_secrets_stay_with_it() {
    let home = tempfile::tempdir().unwrap();
    let server = Server::start(Upgrades::Work);
    let (url, resolve) = target(&server);
    let files = Files::script(
        "/* S3cretInTheScript */ function FindProxyForURL() \
         { return 'PROXY us3r:S3cretOfTheProxy@127.0.0.1:1; DIRECT'; }",
    );
    let pac = files.url().replace("http://", "http://pacus3r:S3cretOfTheFile@")
        + "?token=S3cretOfTheQuery";
    let output = collect(home.path(), &pac, &["--resolve", &resolve, &url]);
    assert!(files.asked.recv().unwrap().contains("token=S3cretOfTheQuery"));
    let mut everything = text(&output.stdout) + &text(&output.stderr);
    let mut zip = zip::ZipArchive::new(std::fs::File::open(home.path().join("out.zip")).unwrap());
    let zip = zip.as_mut().unwrap();
    for index in 0..zip.len() {
        let mut entry = zip.by_index(index).unwrap();
        everything.push_str(&entry.name().unwrap());
        entry.read_to_string(&mut everything).unwrap();
    }
    for secret in ["S3cret", "us3r", "czNjcmV0"] {
        let at = everything.find(secret);
        assert!(at.is_none(), "{secret}: …{}…", &everything[at.unwrap().saturating_sub(200)..]);
    }
    assert!(everything.contains("127.0.0.1:1"));
}
