//! What the configuration check reads out of files, against the real programs:
//! every sample is one that they take, and where a request ends up is asked of
//! nginx and HAProxy themselves.
#![allow(clippy::unwrap_used, clippy::expect_used, reason = "a test may panic")]

use std::collections::BTreeMap;
use std::io::{Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::process::Command;
use std::time::Duration;
use wss_bundle::{Attachment, AttachmentKind};
use wss_diagnosis::configuration::{Checked, Issue, Kind, Request, check};
use wss_lab::real::{Product, Real};

#[path = "configuration/apache.rs"]
mod apache;
#[path = "configuration/aws.rs"]
mod aws;
#[path = "configuration/azure.rs"]
mod azure;
#[path = "configuration/caddy.rs"]
mod caddy;
#[path = "configuration/envoy.rs"]
mod envoy;
#[path = "configuration/gcp.rs"]
mod gcp;
#[path = "configuration/kubernetes.rs"]
mod kubernetes;
#[path = "configuration/patches.rs"]
mod patches;
#[allow(dead_code, reason = "not everybody needs all of them")]
#[path = "../../diagnosis/src/configuration/samples.rs"]
mod samples;
#[path = "cases/server.rs"]
mod server;
#[path = "configuration/size.rs"]
mod size;
#[path = "configuration/varnish.rs"]
mod varnish;

/// Deterministic, so that a failure comes again.
struct Dice(u64);

impl Dice {
    fn roll(&mut self, sides: usize) -> usize {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        usize::try_from(self.0 % sides as u64).unwrap()
    }

    fn pick<'a>(&mut self, all: &[&'a str]) -> &'a str {
        all[self.roll(all.len())]
    }
}

const PATHS: [&str; 9] =
    ["/v1/ws", "/v1/ws/", "/v1/graphql", "/v1/", "/v1", "/", "/app/v1/ws", "/V1/WS", "/v1//ws?x=1"];

fn accepted(program: &str, args: &[&str], config: &str) {
    let output = Command::new(program)
        .args(args)
        .env("PATH", "/usr/sbin:/usr/bin:/sbin:/bin")
        .output()
        .unwrap_or_else(|error| panic!("{program}: {error} (./tests/run installs it)"));
    let said = String::from_utf8_lossy(&output.stderr).into_owned();
    assert!(output.status.success(), "{said}\n{config}");
}

fn http(dir: &std::path::Path, inner: &str) -> String {
    let dir = dir.display();
    format!(
        "pid {dir}/pid; error_log {dir}/error.log; events {{}}\nhttp {{ access_log off;\n\
         client_body_temp_path {dir}/a; proxy_temp_path {dir}/b; fastcgi_temp_path {dir}/c;\n\
         uwsgi_temp_path {dir}/d; scgi_temp_path {dir}/e;\n{inner}\n}}\n"
    )
}

/// Samples that Debian's nginx cannot take, each with its own words for why.
const NOT_HERE: [(&str, &str); 2] = [
    ("a map that is not there", "unknown \"connection_upgrade\" variable"),
    // From 1.29.4 on.
    ("HTTP/2 to the backend", "invalid value \"2\""),
];

/// Names that nginx would look up.
fn hosts(text: &str) -> String {
    text.replace("http://b;", "http://127.0.0.1:1;")
        .replace("grpc://b", "grpc://127.0.0.1:1")
        .replace("http://ws;", "http://127.0.0.1:2;")
        .replace("http://c;", "http://127.0.0.1:3;")
}

#[test]
fn nginx_takes_every_sample() {
    let folder = tempfile::tempdir().unwrap();
    std::fs::write(folder.path().join("proxy.conf"), "").unwrap();
    let config = folder.path().join("nginx.conf");
    for (about, text, _) in samples::nginx::all() {
        let text = hosts(&text);
        let inner = match text.strip_prefix("http {") {
            Some(inner) => inner.trim_end().strip_suffix('}').unwrap().to_owned(),
            None => text,
        };
        let text = http(folder.path(), &inner);
        std::fs::write(&config, &text).unwrap();
        let (file, log) = (config.display().to_string(), folder.path().join("error.log"));
        let args = ["-t", "-e", &log.display().to_string(), "-c", &file];
        match NOT_HERE.iter().find(|(name, _)| *name == about) {
            None => accepted("nginx", &args, &text),
            Some((_, why)) => {
                let output = Command::new("/usr/sbin/nginx").args(args).output().unwrap();
                let said = String::from_utf8_lossy(&output.stderr).into_owned();
                assert!(said.contains(why) || output.status.success(), "{about}: {said}");
            }
        }
    }
}

#[test]
fn haproxy_takes_every_sample() {
    let folder = tempfile::tempdir().unwrap();
    let config = folder.path().join("haproxy.cfg");
    for (_, text, _) in samples::haproxy::all() {
        let text = text.replace(" x:1", " 127.0.0.1:1").replace(" ssl crt {pem}", "");
        std::fs::write(&config, &text).unwrap();
        accepted("haproxy", &["-c", "-f", &config.display().to_string()], &text);
    }
}

fn status(addr: SocketAddr, host: &str, path: &str) -> u16 {
    let mut stream = TcpStream::connect(addr).unwrap();
    stream.set_read_timeout(Some(Duration::from_secs(20))).unwrap();
    let request = format!(
        "GET {path} HTTP/1.1\r\nHost: {host}\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n\
         Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n"
    );
    stream.write_all(request.as_bytes()).unwrap();
    let mut head = [0; 12];
    stream.read_exact(&mut head).unwrap_or_else(|e| panic!("{host}{path}: {e}"));
    String::from_utf8_lossy(&head)[9..12].parse().unwrap()
}

/// A server that answers 101 to upgrades, and as gorilla/websocket does to others.
fn backend() -> SocketAddr {
    let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let addr = listener.local_addr().unwrap();
    std::thread::spawn(move || {
        for stream in listener.incoming().flatten() {
            std::thread::spawn(move || answer(stream));
        }
    });
    addr
}

fn answer(mut stream: TcpStream) -> Option<()> {
    let (mut head, mut byte) = (Vec::new(), [0]);
    while !head.ends_with(b"\r\n\r\n") {
        stream.read_exact(&mut byte).ok()?;
        head.push(byte[0]);
    }
    let head = String::from_utf8_lossy(&head).to_ascii_lowercase();
    let upgrade = head.contains("\nupgrade: websocket") && head.contains("\nconnection: upgrade");
    let answer: &[u8] = if upgrade {
        b"HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n\
          Sec-WebSocket-Accept: s3pPLMBiTxaQ9kYGzzhZRbK+xOo=\r\n\r\n"
    } else {
        b"HTTP/1.1 400 Bad Request\r\nSec-Websocket-Version: 13\r\nContent-Length: 12\r\n\
          Connection: close\r\n\r\nBad Request\n"
    };
    stream.write_all(answer).ok()?;
    // Until the other side ends it.
    while upgrade && stream.read(&mut byte).ok()? > 0 {}
    Some(())
}

fn read(text: &str, host: &str, port: u16, path: &str) -> Checked {
    let request = Request { host, port, tls: false, path, version: None };
    check(&[attached(text)], &request, |_| None).unwrap()
}

fn attached(text: &str) -> Attachment {
    Attachment {
        name: "lab.conf".into(),
        kind: AttachmentKind::Configuration,
        vantage: None,
        path: None,
        bytes: text.into(),
    }
}

/// Locations of every kind, nested, each with a status of its own.
fn locations(dice: &mut Dice, depth: usize, next: &mut u16) -> String {
    let mut out = String::new();
    let mut used = Vec::new();
    for _ in 0..=dice.roll(4) {
        let head = match dice.roll(8) {
            0 => format!("= {}", dice.pick(&["/v1/ws", "/v1/", "/", "/v1"])),
            1 => format!("^~ {}", dice.pick(&["/v1/", "/v1/w", "/", "/app"])),
            2 => format!(
                "~ {}",
                dice.pick(&["ws$", "^/v1/", "w", "\\.php$", "^/v1/(ws|graphql)$", "^/app"])
            ),
            3 => format!("~* {}", dice.pick(&["WS$", "^/V1/", "GRAPH"])),
            _ => dice
                .pick(&["/", "/v1", "/v1/", "/v1/ws", "/v1/ws/", "/v1/g", "/app/", "/V1/"])
                .to_owned(),
        };
        let text = head.rsplit(' ').next().unwrap().to_owned();
        let kind = head.starts_with('=') || head.starts_with('~');
        if used.contains(&(text.clone(), kind, head.starts_with('='))) {
            continue;
        }
        used.push((text, kind, head.starts_with('=')));
        // nginx allows nested locations only within the prefix of the outer one.
        let nested = match head.as_str() {
            "/" | "^~ /" if depth < 2 => locations(dice, depth + 1, next),
            _ => String::new(),
        };
        *next += 1;
        // 600 and up: no status that nginx gives by itself.
        out.push_str(&format!("location {head} {{ {nested} return {next}; }}\n"));
    }
    out
}

/// A hundred and twenty servers of one nginx, told apart by name, each asked
/// for nine paths.
#[test]
fn nginx_sends_requests_where_the_check_says() {
    let mut dice = Dice(0x2545_f491_4f6c_dd1d);
    let mut servers = String::new();
    for number in 0..120 {
        let mut next = 599;
        servers.push_str(&format!(
            "server {{ listen 127.0.0.1:{{port}}; server_name s{number}.example;\n{} }}\n",
            locations(&mut dice, 0, &mut next)
        ));
    }
    for (number, names) in
        ["*.wild.example", "a.wild.example", "~^r\\d+\\.", ".dot.example", "tail.*"]
            .iter()
            .enumerate()
    {
        servers.push_str(&format!(
            "server {{ listen 127.0.0.1:{{port}}; server_name {names}; return {}; }}\n",
            700 + number
        ));
    }
    servers.push_str("server { listen 127.0.0.1:{port} default_server; return 799; }\n");
    let head = "worker_processes 1;\n".to_owned();
    let template = head
        + &http(
            std::path::Path::new("{dir}"),
            &format!("server_names_hash_max_size 4096;\n{servers}"),
        );
    let nginx = Real::start(Product::Nginx, &template, &BTreeMap::new()).unwrap();
    let text = std::fs::read_to_string(nginx.config_file()).unwrap();
    let mut hosts: Vec<String> = (0..120).map(|number| format!("s{number}.example")).collect();
    for other in [
        "a.wild.example",
        "b.wild.example",
        "r7.example",
        "dot.example",
        "x.dot.example",
        "tail.org",
        "nobody.example",
    ] {
        hosts.push(other.to_owned());
    }
    let mut compared = 0;
    for host in &hosts {
        for path in PATHS {
            let real = status(nginx.addr, host, path);
            let checked = read(&text, host, nginx.addr.port(), path);
            let reading = &checked.readings[0];
            let said = match reading.issues.as_slice() {
                [Issue { kind: Kind::PathRule(Some(status)), .. }] => *status,
                _ => panic!("{host}{path}: {real}, and {reading:?}"),
            };
            assert_eq!(said, real, "{host}{path}: {:?}", reading.followed);
            compared += 1;
        }
    }
    assert_eq!(compared, hosts.len() * PATHS.len());
}

/// Ways through a server that rewrites, jumps and compares: each ends in a status
/// of its own.
fn ways(dice: &mut Dice, next: &mut u16) -> String {
    let mut status = || {
        *next += 1;
        *next
    };
    let mut out = String::new();
    for _ in 0..dice.roll(3) {
        let condition = dice.pick(&[
            "$server_port = {port}",
            "$server_port !~ ^{port}$",
            "$scheme = https",
            "$https",
            "$http_upgrade ~* ^WebSocket$",
            "$http_upgrade != websocket",
            "$kind = other",
            "$args ~ x=1",
            "$arg_x = 1",
            "$request_uri ~ ^/app",
            "$uri ~ graph",
            "$host ~ ^w1[0-3]",
            "$request_method = POST",
            "$unset",
        ]);
        let action = match dice.roll(4) {
            0 => format!("return {};", status()),
            1 => "set $kind other;".to_owned(),
            2 => "rewrite ^/v1/(.*)$ /app/$1 last;".to_owned(),
            _ => "rewrite ^/(v1)/(?<rest>.*)$ /moved/$rest;".to_owned(),
        };
        out.push_str(&format!("if ({condition}) {{ {action} }}\n"));
    }
    let named = status();
    out.push_str(&format!("location @here {{ return {named}; }}\n"));
    out.push_str(&format!(
        "location @else {{ if ($arg_x) {{ return {}; }} return {}; }}\n",
        status(),
        status()
    ));
    let places = ["/", "/v1/", "/app/", "/moved/", "~ ws$", "= /v1/graphql"];
    for place in places {
        let body = match dice.roll(8) {
            0 => "try_files $uri @here;".to_owned(),
            1 => "try_files $uri $uri/ /nothing.html @else;".to_owned(),
            2 => format!("try_files $uri ={};", 400 + dice.roll(5)),
            3 => format!("error_page 404 = @here; return {};", dice.pick(&["404", "405"])),
            4 => format!("error_page 410 =411 @else; return {};", status()),
            5 => format!("rewrite ^ /end/$arg_x last; return {};", status()),
            6 => format!(
                "set $a $uri; if ($a ~ ^/v1) {{ return {}; }} return {};",
                status(),
                status()
            ),
            _ => format!("return {};", status()),
        };
        out.push_str(&format!("location {place} {{ {body} }}\n"));
    }
    out.push_str(&format!("location /end/ {{ return {}; }}\n", status()));
    out
}

/// Rewrites, conditions, try_files, named locations and error pages of eighty
/// servers, each asked for nine paths.
#[test]
fn nginx_rewrites_where_the_check_says() {
    let mut dice = Dice(0x1234_5678_9abc_def1);
    let mut servers = String::new();
    for number in 0..80 {
        let mut next = 599;
        servers.push_str(&format!(
            "server {{ listen 127.0.0.1:{{port}}; server_name w{number}.example; root {{dir}}/none;\n\
             set $unset \"\"; set $kind plain; {} }}\n",
            ways(&mut dice, &mut next)
        ));
    }
    let template = "worker_processes 1;\n".to_owned()
        + &http(
            std::path::Path::new("{dir}"),
            &format!("server_names_hash_max_size 4096;\n{servers}"),
        );
    let nginx = Real::start(Product::Nginx, &template, &BTreeMap::new()).unwrap();
    let text = std::fs::read_to_string(nginx.config_file()).unwrap();
    let mut wrong = Vec::new();
    let mut statuses = std::collections::BTreeSet::new();
    for number in 0..80 {
        let host = format!("w{number}.example");
        for path in PATHS {
            let real = status(nginx.addr, &host, path);
            let checked = read(&text, &host, nginx.addr.port(), path);
            let reading = &checked.readings[0];
            // A file that may be there is said besides, and none is.
            let said: Vec<&Issue> =
                reading.issues.iter().filter(|issue| issue.kind != Kind::Disk).collect();
            statuses.insert(real);
            match said.as_slice() {
                [Issue { kind: Kind::PathRule(Some(status)), .. }] if *status == real => {}
                other => {
                    wrong.push(format!("{host}{path}: {real}, and {other:?} {:?}", reading.untold))
                }
            }
        }
    }
    assert!(statuses.len() > 15, "{statuses:?}");
    assert!(
        wrong.is_empty(),
        "{} wrong\n{}\n{text}",
        wrong.len(),
        wrong[..wrong.len().min(8)].join("\n")
    );
}

/// Conditions of HAProxy: `http-request return status …` by rules at random.
#[test]
fn haproxy_sends_requests_where_the_check_says() {
    const TESTS: [&str; 30] = [
        "{ path_beg /v1/ }",
        "{ path /v1/ws }",
        "{ path_end /ws }",
        "{ path_reg ^/v1/(ws|graphql)$ }",
        "{ path_sub v1 }",
        "{ path_dir v1 }",
        "{ path_beg -i /V1/ }",
        "{ path -m beg /app }",
        "{ hdr(upgrade) -i WebSocket }",
        "{ hdr(Connection) -i upgrade }",
        "{ hdr(host) -m found }",
        "{ hdr(host) -m beg b. }",
        "{ req.hdr(host) -m dom example }",
        "{ method GET }",
        "METH_POST",
        "ws",
        "{ ssl_fc }",
        "{ var(txn.name) -m str b.example }",
        "{ var(txn.name) -i -m beg B. }",
        "{ var(txn.none) -m found }",
        "{ hdr(host),field(1,:) -i B.EXAMPLE }",
        "{ hdr(host) b.example }",
        "{ hdr_beg(host) -i B.ex }",
        "{ hdr_dom(host) -i example }",
        "{ hdr_reg(host) ^b\\.example(:[0-9]+)?$ }",
        "{ req.hdr_cnt(upgrade) ge 1 }",
        "{ dst_port lt 1024 }",
        "{ dst_port 1024:65535 }",
        "{ path,lower -m beg /v1/ }",
        "{ base_beg b.example }",
    ];
    let mut dice = Dice(0x9e37_79b9_7f4a_7c15);
    for round in 0..24 {
        let mut rules = String::new();
        for code in [400, 401, 403, 404, 405, 429, 500, 502] {
            let mut condition = String::new();
            for term in 0..=dice.roll(3) {
                if term > 0 {
                    condition.push_str(dice.pick(&["", "|| ", "or "]));
                }
                condition.push_str(dice.pick(&["", "", "!"]));
                condition.push_str(dice.pick(&TESTS));
                condition.push(' ');
            }
            let word = dice.pick(&["if", "if", "unless"]);
            rules.push_str(&format!(
                "    http-request deny deny_status {code} {word} {condition}\n"
            ));
        }
        let template = format!(
            "defaults\n    mode http\n    timeout connect 9s\n    timeout client 9s\n    timeout server 9s\n\
             frontend f\n    bind 127.0.0.1:{{port}}\n    http-request set-var(txn.name) hdr(host),host_only\n    acl ws path_beg /v1/ws /app\n    acl ws path_end graphql\n{rules}"
        );
        let haproxy = Real::start(Product::Haproxy, &template, &BTreeMap::new()).unwrap();
        let text = std::fs::read_to_string(haproxy.config_file()).unwrap();
        let port = haproxy.addr.port();
        for path in PATHS {
            let real = status(haproxy.addr, &format!("b.example:{port}"), path);
            let checked = read(&text, "b.example", port, path);
            let reading = &checked.readings[0];
            let said = match reading.issues.as_slice() {
                [Issue { kind: Kind::PathRule(Some(status)), .. }] => *status,
                other => {
                    panic!("{round} {path}: {real}, and {other:?} {:?}\n{text}", reading.untold)
                }
            };
            assert_eq!(said, real, "{round} {path}\n{text}");
        }
    }
}
