//! A secret of its own in every place where one can be: none of them, in any form,
//! in any byte that is written or shown; and what is worth something is still there.
#![allow(clippy::unwrap_used, clippy::expect_used, reason = "a test may panic")]

use base64::Engine as _;
use std::io::{Read, Write};
use std::net::{TcpListener, TcpStream};
use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};
use std::time::Duration;
use wss_lab::real::closed_port;

fn program(name: &str) -> PathBuf {
    let path = Path::new(env!("CARGO_BIN_EXE_wss-lab")).with_file_name(name);
    assert!(path.is_file(), "{} is missing: cargo build --workspace", path.display());
    path
}

/// The secrets. No word of them stands anywhere else, and none looks like a token:
/// that it is one must be known from where it stands.
struct Canaries(Vec<(&'static str, String)>);

impl Canaries {
    fn new() -> Self {
        Self(Vec::new())
    }

    /// The secret of a place.
    fn of(&mut self, place: &'static str) -> String {
        if let Some((_, known)) = self.0.iter().find(|(name, _)| *name == place) {
            return known.clone();
        }
        // Letters alone, mixed from the place's name: no digit, one case.
        let mut state = 0x2545_f491_4f6c_dd1d_u64;
        for byte in place.bytes() {
            state = (state ^ u64::from(byte)).wrapping_mul(0x100_0000_01b3);
        }
        let letters = (0..14).map(|at| char::from(b'a' + ((state >> (at * 4)) & 15) as u8 + 5));
        let secret: String = letters.collect();
        self.0.push((place, secret.clone()));
        secret
    }

    /// Which secrets are in these bytes, in which form.
    fn found_in(&self, content: &[u8]) -> Vec<String> {
        let text: String = content.iter().copied().map(char::from).collect();
        let lower = text.to_lowercase();
        let mut found = Vec::new();
        for (place, secret) in &self.0 {
            let hex: String = secret.bytes().map(|b| format!("{b:02x}")).collect();
            let percent: String = secret.bytes().map(|b| format!("%{b:02x}")).collect();
            for form in [secret.clone(), hex, percent] {
                if lower.contains(&form) {
                    found.push(format!("{place} as {form}"));
                }
            }
            for shift in 0..3 {
                let padded = format!("{}{secret}", "x".repeat(shift));
                let encoded = base64::engine::general_purpose::STANDARD_NO_PAD.encode(padded);
                // What stands before and after mixes into the first and last letters.
                let stable = &encoded[[0, 2, 3][shift]..encoded.len() - 2];
                if text.contains(stable) {
                    found.push(format!("{place} as base64 {stable}"));
                }
            }
        }
        found
    }
}

/// A server that gives back whatever it gets, with secrets of its own.
fn server(answer_head: String) -> u16 {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let port = listener.local_addr().unwrap().port();
    std::thread::spawn(move || {
        for stream in listener.incoming().flatten() {
            let head = answer_head.clone();
            std::thread::spawn(move || echo(stream, &head));
        }
    });
    port
}

fn echo(mut stream: TcpStream, head: &str) {
    let _ = stream.set_read_timeout(Some(Duration::from_secs(10)));
    loop {
        let mut request = Vec::new();
        let mut byte = [0; 1];
        while !request.ends_with(b"\r\n\r\n") {
            match stream.read(&mut byte) {
                Ok(1) => request.push(byte[0]),
                _ => return,
            }
        }
        let echoed = String::from_utf8_lossy(&request).into_owned();
        let encoded = base64::engine::general_purpose::STANDARD.encode(&echoed);
        let body = format!("<html><p>USEFUL PAGE</p><pre>{echoed}</pre>{encoded}</html>");
        let answer = format!("{head}Content-Length: {}\r\n\r\n{body}", body.len());
        if stream.write_all(answer.as_bytes()).is_err() {
            return;
        }
    }
}

/// A PAC file with secrets in it, from a URL with others.
fn pac(c: &mut Canaries, work: &Path, closed: u16) -> String {
    let body = format!(
        "// the password is {}\nvar apiKey = \"{}\";\nfunction FindProxyForURL(url, host) {{\n\
         return \"PROXY ann:{}@127.0.0.1:{closed}; DIRECT\"; }}\n",
        c.of("pac comment"),
        c.of("pac variable"),
        c.of("pac answer")
    );
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let port = listener.local_addr().unwrap().port();
    std::thread::spawn(move || {
        for mut stream in listener.incoming().flatten() {
            let _ = stream.read(&mut [0; 4096]);
            let head = "HTTP/1.1 200 OK\r\nContent-Type: application/x-ns-proxy-autoconfig\r\n";
            let answer = format!("{head}Content-Length: {}\r\n\r\n{body}", body.len());
            let _ = stream.write_all(answer.as_bytes());
        }
    });
    let url = format!(
        "http://ann:{}@127.0.0.1:{port}/proxy.pac?key={}",
        c.of("pac url password"),
        c.of("pac url query")
    );
    std::fs::create_dir_all(work.join(".config")).unwrap();
    let settings = format!("[Proxy Settings]\nProxyType=2\nProxy Config Script={url}\n");
    std::fs::write(work.join(".config/kioslaverc"), settings).unwrap();
    format!("127.0.0.1:{port}/proxy.pac")
}

fn har(c: &mut Canaries, url: &str) -> String {
    let (cookie, auth) = (c.of("har cookie"), c.of("har authorization"));
    serde_json::json!({"log": {"version": "1.2", "creator": {"name": "WebInspector", "version": "537.36"},
        "entries": [{
            "startedDateTime": "2026-03-01T08:15:30.000Z", "time": 12.0,
            "request": {
                "method": "GET", "url": format!("{url}/v1/ws?token={}", c.of("har query")),
                "httpVersion": "HTTP/1.1", "cookies": [{"name": "BP", "value": cookie}],
                "headers": [
                    {"name": "Cookie", "value": format!("BP={cookie}")},
                    {"name": "Authorization", "value": format!("Bearer {auth}")},
                    {"name": "Upgrade", "value": "websocket"},
                    {"name": "Sec-WebSocket-Protocol", "value": format!("graphql-ws, {}", c.of("har subprotocol"))},
                    {"name": "User-Agent", "value": "Mozilla/5.0 USEFUL"}],
                "queryString": [{"name": "token", "value": c.of("har query")}],
                "postData": {"text": c.of("har post data")}, "headersSize": -1, "bodySize": 0},
            "response": {
                "status": 502, "statusText": "Bad Gateway", "httpVersion": "HTTP/1.1",
                "cookies": [{"name": "S", "value": c.of("har response cookie")}],
                "headers": [{"name": "Set-Cookie", "value": format!("S={}", c.of("har response cookie"))},
                            {"name": "Server", "value": "nginx/1.22.1"}],
                "content": {"size": 3, "mimeType": "text/html", "text": c.of("har response body")},
                "redirectURL": "", "headersSize": -1, "bodySize": 3},
            "cache": {}, "timings": {"send": 0, "wait": 1, "receive": 0},
            "_resourceType": "websocket",
            "_webSocketMessages": [{"type": "send", "time": 1.0, "opcode": 1, "data": c.of("har payload")}]
        }]}})
    .to_string()
}

fn curl_output(c: &mut Canaries, url: &str) -> String {
    format!(
        "$ curl -i -N -v -u ann:{} -H 'Upgrade: websocket' -H 'X-Own: {}' -b 's={}' {url}/v1/ws?k={}\n\
         > GET /v1/ws HTTP/1.1\n> Host: 127.0.0.1\n> Authorization: Basic {}\n> Upgrade: websocket\n\
         > Cookie: s={}\n>\n< HTTP/1.1 101 Switching Protocols\n< Upgrade: websocket\n\
         < Connection: Upgrade\n< Set-Cookie: BP={}; Path=/\n<\n",
        c.of("curl -u"),
        c.of("curl -H"),
        c.of("curl -b"),
        c.of("curl query"),
        base64::engine::general_purpose::STANDARD.encode(format!("ann:{}", c.of("curl -u"))),
        c.of("curl -b"),
        c.of("curl set-cookie"),
    ) + &further_output(c, url)
}

/// The same in other dialects and other places: continued and wrapped commands,
/// traces, quoted mail, other programs, what `-v` says in passing.
fn further_output(c: &mut Canaries, url: &str) -> String {
    let hex = c.of("curl --trace").bytes().map(|b| format!("{b:02x} ")).collect::<String>();
    format!(
        "C:\\>curl.exe -i -sSu ann:{} ^\r\nMore? --proxy-user \"p:{}\" -x http://u:{}@proxy:1 ^\r\n\
         More? --data-raw \"x={}\" --oauth2-bearer={} {url}/v1/ws\r\ncurl: (52) Empty reply\r\n\
         PS C:\\> curl.exe -H \u{201d}X-Tenant: {}\u{201d} --cert c.pem:{} {url}\n\
         > $ curl -H 'Cookie: a={}'\n> {url}\n> > GET / HTTP/1.1\n> > Authorization: Bearer {}\n\
         == Info: Trying\n=> Send header, 9 bytes (0x9)\n0000: GET / HTTP/1.1\n0010: X-Api-Key: {}\n\
         => Send header, 9 bytes (0x9)\n0000: {hex}\n\
         * Server auth using Basic with user '{}'\n* Added cookie S=\"{}\" for domain x\n\
         * [HTTP/2] [1] [authorization: Bearer {}]\n\
         $ wget --header='Authorization: Bearer {}' {url}\n\
         $ wscat -H 'Cookie: s={}' -c wss://a:{}@x/\n",
        c.of("curl -sSu"),
        c.of("curl --proxy-user"),
        c.of("curl -x"),
        c.of("curl --data-raw"),
        c.of("curl --oauth2-bearer"),
        c.of("curl typographic"),
        c.of("curl --cert"),
        c.of("curl quoted cookie"),
        c.of("curl quoted bearer"),
        c.of("curl trace-ascii"),
        c.of("curl user in passing"),
        c.of("curl cookie in passing"),
        c.of("curl field in passing"),
        c.of("wget header"),
        c.of("wscat cookie"),
        c.of("wscat user"),
    )
}

/// The program, with all that can be given.
struct Given {
    work: tempfile::TempDir,
    canaries: Canaries,
    env: Vec<(&'static str, String)>,
    args: Vec<String>,
    /// Where the PAC file is, without its secrets.
    pac: String,
}

fn given() -> Given {
    let work = tempfile::tempdir().unwrap();
    let mut c = Canaries::new();
    let head = format!(
        "HTTP/1.1 400 Bad Request\r\nServer: nginx/1.22.1\r\nSec-WebSocket-Version: 13\r\n\
         Set-Cookie: BP_SESSION={}; Path=/\r\nX-Secret-Header: {}\r\nLocation: https://x.example/?state={}\r\n",
        c.of("response cookie"),
        c.of("response header"),
        c.of("response location")
    );
    let port = server(head);
    let url = format!("http://127.0.0.1:{port}");
    let file = |name: &str, content: &str| {
        std::fs::write(work.path().join(name), content).unwrap();
        name.to_owned()
    };
    let key = rcgen::generate_simple_self_signed(vec!["client.example".to_owned()]).unwrap();
    let private = key.signing_key.serialize_pem();
    // Of a key every line is a secret of its own.
    let line: String = private.lines().nth(1).unwrap().to_owned();
    file("client.pem", &key.cert.pem());
    file("client.key", &private);
    file("console.har", &har(&mut c, &url));
    file("outside.txt", &curl_output(&mut c, &url));
    file(
        "nginx.conf",
        &format!(
            "http {{ server {{ listen 443; server_name USEFUL.example; location / {{\n\
             proxy_pass http://127.0.0.1:3001;\nproxy_set_header Authorization \"Basic {}\";\n\
             proxy_set_header X-Api-Key {};\nssl_password_file /x; # password: {}\n}} }} }}\n",
            c.of("nginx authorization"),
            c.of("nginx header"),
            c.of("nginx comment")
        ),
    );
    file(
        "haproxy.cfg",
        &format!(
            "userlist u\n  user ann insecure-password {}\nfrontend f\n  bind :80\n  stats auth a:{}\n",
            c.of("haproxy password"),
            c.of("haproxy stats")
        ),
    );
    let closed = closed_port().unwrap();
    let proxy = |c: &mut Canaries, user, password| {
        format!("http://{}:{}@127.0.0.1:{closed}", c.of(user), c.of(password))
    };
    let pac = pac(&mut c, work.path(), closed);
    let env = vec![
        ("HOME", work.path().display().to_string()),
        ("XDG_CONFIG_HOME", work.path().join(".config").display().to_string()),
        ("XDG_CURRENT_DESKTOP", "KDE".to_owned()),
        ("http_proxy", proxy(&mut c, "http_proxy user", "http_proxy password")),
        ("https_proxy", proxy(&mut c, "https_proxy user", "https_proxy password")),
        ("all_proxy", proxy(&mut c, "all_proxy user", "all_proxy password")),
        ("no_proxy", "127.0.0.1".to_owned()),
    ];
    let target = format!(
        "http://{}:{}@127.0.0.1:{port}/v1/ws?token={}",
        c.of("URL user"),
        c.of("URL password"),
        c.of("URL query")
    );
    let args = [
        target,
        "-H".into(),
        format!("Authorization: Bearer {}", c.of("-H authorization")),
        "-H".into(),
        format!("Cookie: a={}; b={}", c.of("-H cookie"), c.of("-H cookie 2")),
        "-H".into(),
        format!("X-Own: {}", c.of("-H own")),
        "--cert".into(),
        "client.pem".into(),
        "--key".into(),
        "client.key".into(),
        "--har".into(),
        "console.har".into(),
        "--curl-output".into(),
        "outside=outside.txt".into(),
        "--config".into(),
        "nginx.conf".into(),
        "--config".into(),
        "haproxy.cfg".into(),
        "--browser-message".into(),
        format!(
            "WebSocket to 'ws://u:{}@x/v1/ws?t={}' failed",
            c.of("message user"),
            c.of("message query")
        ),
        "--lb".into(),
        format!("nginx USEFUL, password={}", c.of("--lb")),
        "--network-path".into(),
        format!("VPN, token: {}", c.of("--network-path")),
        "--hold".into(),
        "0".into(),
        "--timeout".into(),
        "2s".into(),
        "--force".into(),
        "-o".into(),
        "b.zip".into(),
        "--case".into(),
        "CANARY".into(),
    ];
    c.0.push(("client key", line.to_lowercase()));
    Given { work, canaries: c, env, args: args.into(), pac }
}

impl Given {
    fn command(&self, program: impl AsRef<std::ffi::OsStr>) -> Command {
        let mut command = Command::new(program);
        for name in ["http_proxy", "https_proxy", "all_proxy", "no_proxy"] {
            command.env_remove(name).env_remove(name.to_uppercase());
        }
        command.envs(self.env.iter().map(|(name, value)| (name, value)));
        command.current_dir(self.work.path()).stdin(Stdio::null());
        command
    }

    fn collect(&self, more: &[&str]) -> Output {
        self.command(program("wss-collector")).args(&self.args).args(more).output().unwrap()
    }

    fn clean(&self, what: &str, content: &[u8]) {
        let found = self.canaries.found_in(content);
        assert!(found.is_empty(), "{what}: {found:#?}\n{}", String::from_utf8_lossy(content));
    }

    fn clean_output(&self, what: &str, output: &Output) -> String {
        self.clean(what, &output.stdout);
        self.clean(what, &output.stderr);
        String::from_utf8_lossy(&[&output.stdout[..], &output.stderr[..]].concat()).into_owned()
    }

    fn clean_bundle(&self, name: &str) -> String {
        let raw = std::fs::read(self.work.path().join(name)).unwrap();
        self.clean(name, &raw);
        let mut zip = zip::ZipArchive::new(std::io::Cursor::new(raw)).unwrap();
        let mut all = String::new();
        for index in 0..zip.len() {
            let mut file = zip.by_index(index).unwrap();
            let entry = file.name().unwrap().into_owned();
            self.clean("name of an entry", entry.as_bytes());
            let mut content = Vec::new();
            file.read_to_end(&mut content).unwrap();
            self.clean(&entry, &content);
            all.push_str(&String::from_utf8_lossy(&content));
        }
        all
    }
}

#[test]
fn no_secret_is_in_anything_that_is_written_or_shown() {
    let given = given();
    let plain = given.collect(&["--no-input"]);
    let said = given.clean_output("the plain screen", &plain);
    assert_eq!(plain.status.code(), Some(1), "{said}");
    let all = given.clean_bundle("b.zip");
    assert!(all.contains(&given.pac), "that there is a PAC file is gone");
    for useful in [
        "USEFUL PAGE",
        "nginx/1.22.1",
        "BP_SESSION=[removed]",
        "curl-output-outside.txt",
        "USEFUL.example",
        "HTTP/1.1 101 Switching Protocols",
        "nginx USEFUL",
        "502 Bad Gateway",
        "proxy_pass",
        "user ann",
        "Mozilla/5.0 USEFUL",
    ] {
        assert!(all.contains(useful), "{useful} is gone");
    }

    let json = given.collect(&["--json"]);
    given.clean_output("--json", &json);
    let value: serde_json::Value = serde_json::from_slice(&json.stdout).unwrap();
    assert_eq!(value["diagnosis"]["verdict"]["status"], "broken", "{value}");
    let dry = given.clean_output("--dry-run", &given.collect(&["--dry-run"]));
    assert!(dry.contains("console.har") && dry.contains("nobody else"), "{dry}");
    given.clean_output("--obfuscate", &given.collect(&["--obfuscate"]));
    given.clean_bundle("b.zip");
    given.clean("the map", &std::fs::read(given.work.path().join("b.names.json")).unwrap());
    let inspect = given.command(program("wss-collector")).args(["inspect", "b.zip"]).output();
    given.clean_output("inspect", &inspect.unwrap());

    let mut report = given.command(program("wss-analyzer"));
    let report = report.args(["report", "b.zip", "-o", "report.html"]).output().unwrap();
    given.clean_output("the analyzer's screen", &report);
    given.clean("report.html", &std::fs::read(given.work.path().join("report.html")).unwrap());
    for entry in std::fs::read_dir(given.work.path()).unwrap() {
        let name = entry.unwrap().file_name();
        given.clean("a file's name", name.as_encoded_bytes());
    }
}

#[test]
fn no_secret_is_on_a_terminal_or_in_a_default_name() {
    let mut given = given();
    given.args.truncate(given.args.len() - 4);
    let quoted: Vec<String> =
        given.args.iter().map(|word| format!("'{}'", word.replace('\'', r"'\''"))).collect();
    let program = program("wss-collector");
    let line = format!("stty cols 80 rows 40; exec '{}' {}", program.display(), quoted.join(" "));
    let mut command = given.command("script");
    let mut child = command
        .env("TERM", "xterm-256color")
        .args(["-qec", &line, "/dev/null"])
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .expect("script is needed: apt-get install bsdutils");
    child.stdin.take().unwrap().write_all(b"\n\n\n").unwrap();
    let output = child.wait_with_output().unwrap();
    given.clean("the terminal", &output.stdout);
    let screen = String::from_utf8_lossy(&output.stdout);
    assert!(screen.contains("BROKEN") && screen.contains("Bundle:"), "{screen}");
    let names: Vec<String> = std::fs::read_dir(given.work.path())
        .unwrap()
        .map(|entry| entry.unwrap().file_name().into_string().unwrap())
        .collect();
    given.clean("files' names", names.join(" ").as_bytes());
    let bundle = names.iter().find(|name| name.starts_with("wss-") && name.ends_with(".zip"));
    given.clean_bundle(bundle.expect("no bundle was written"));
}

/// What cannot be understood is said without being repeated.
#[test]
fn no_secret_is_in_an_error() {
    let mut given = given();
    let secret = given.canaries.of("a bad argument");
    for args in [
        vec![format!("https://user:{secret}@")],
        vec![format!("ftp://user:{secret}@b.example/")],
        vec!["127.0.0.1:9".into(), "-x".into(), format!("gopher://u:{secret}@p:1")],
        vec!["127.0.0.1:9".into(), "-x".into(), format!("http://u:{secret}@:x")],
        vec!["127.0.0.1:9".into(), "-H".into(), secret.clone()],
        vec!["127.0.0.1:9".into(), "-H".into(), format!("Bad Name: {secret}\n")],
        vec!["127.0.0.1:9".into(), "--path".into(), format!("v1?token={secret}")],
        vec!["127.0.0.1:9".into(), "--frob".into(), format!("https://a:{secret}@b")],
        vec!["127.0.0.1:9".into(), "--encrypt-to".into(), format!("AGE-SECRET-KEY-1{secret}")],
        vec![
            "upload".into(),
            "none.zip".into(),
            "--to".into(),
            format!("https://a:{secret}@b/?s={secret}"),
        ],
    ] {
        let output = given.command(program("wss-collector")).args(&args).output().unwrap();
        given.clean_output(&format!("{:?}", args[0]), &output);
        assert_eq!(output.status.code(), Some(2), "{}", String::from_utf8_lossy(&output.stderr));
    }
}
