//! Envoy: every sample is taken, requests end where the check says, and what reaches
//! the backend is what the check says, by the real Envoy.

use super::{Dice, PATHS, read, samples};
use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::io::{Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::path::Path;
use std::process::Command;
use std::time::{Duration, Instant};
use wss_diagnosis::configuration::{Kind, Reading};
use wss_lab::real::{Product, Real, closed_port};

/// Whether Envoy takes a file.
pub(super) fn takes(folder: &Path, text: &str) {
    let config = folder.join("lab.yaml");
    std::fs::write(&config, text).unwrap();
    let program =
        Product::Envoy.find().unwrap_or_else(|| panic!("{}", Product::Envoy.how_to_get()));
    let output = Command::new(program)
        .args(["--mode", "validate", "-l", "error", "-c", &config.display().to_string()])
        .output()
        .unwrap();
    let said = String::from_utf8_lossy(&output.stderr).into_owned();
    assert!(output.status.success(), "{said}\n{text}");
}

#[test]
fn envoy_takes_every_sample() {
    let folder = tempfile::tempdir().unwrap();
    for (_, text, _) in samples::envoy::all() {
        // What the admin port prints is no file.
        if !text.starts_with('{') {
            takes(folder.path(), &text);
        }
    }
}

/// A server that tells in its answer what it was asked: `101` to an upgrade, `400` to
/// what is none.
fn telling() -> SocketAddr {
    let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let addr = listener.local_addr().unwrap();
    std::thread::spawn(move || {
        for stream in listener.incoming().flatten() {
            std::thread::spawn(move || tell(stream));
        }
    });
    addr
}

fn head(stream: &mut TcpStream) -> Option<String> {
    let (mut head, mut byte) = (Vec::new(), [0]);
    while !head.ends_with(b"\r\n\r\n") {
        if stream.read(&mut byte).ok()? == 0 {
            return None;
        }
        head.push(byte[0]);
    }
    Some(String::from_utf8_lossy(&head).into_owned())
}

fn tell(mut stream: TcpStream) -> Option<()> {
    let asked = head(&mut stream)?;
    let lower = asked.to_ascii_lowercase();
    let path = asked.split(' ').nth(1)?;
    let host = lower.lines().find_map(|line| line.strip_prefix("host: "))?;
    let upgrade = lower.contains("\nupgrade: websocket") && lower.contains("\nconnection: upgrade");
    let (status, more) = if upgrade {
        ("101 Switching Protocols", "Upgrade: websocket\r\nConnection: Upgrade\r\n")
    } else {
        ("400 Bad Request", "Content-Length: 0\r\nConnection: close\r\n")
    };
    let answer = format!("HTTP/1.1 {status}\r\nX-Path: {path}\r\nX-Host: {host}\r\n{more}\r\n");
    stream.write_all(answer.as_bytes()).ok()?;
    let mut byte = [0];
    while upgrade && stream.read(&mut byte).ok()? > 0 {}
    Some(())
}

/// What an upgrade came to.
#[derive(Debug, PartialEq, Eq)]
struct Answer {
    status: u16,
    /// Path and Host that the backend was asked for, where it was asked.
    seen: Option<(String, String)>,
}

fn ask(addr: SocketAddr, host: &str, path: &str) -> Answer {
    let mut stream = TcpStream::connect(addr).unwrap();
    stream.set_read_timeout(Some(Duration::from_secs(20))).unwrap();
    let request = format!(
        "GET {path} HTTP/1.1\r\nHost: {host}\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n\
         Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n"
    );
    stream.write_all(request.as_bytes()).unwrap();
    let answer = head(&mut stream).unwrap_or_else(|| panic!("{host}{path}: no answer"));
    let of = |name: &str| {
        let line = answer.lines().find(|line| line.to_ascii_lowercase().starts_with(name));
        line.map(|line| line[name.len()..].trim().to_owned())
    };
    let status = answer[9..12].parse().unwrap();
    Answer { status, seen: of("x-path:").zip(of("x-host:")) }
}

const MANAGER: &str = "type.googleapis.com/envoy.extensions.filters.network.http_connection_manager.v3.HttpConnectionManager";
const ROUTER: &str = "{ name: envoy.filters.http.router, typed_config: { \"@type\": type.googleapis.com/envoy.extensions.filters.http.router.v3.Router } }";

const MATCHES: [&str; 18] = [
    "prefix: /",
    "prefix: /v1",
    "prefix: /v1/ws",
    "path: /v1/ws",
    "path: /V1/ws, case_sensitive: false",
    "prefix: /V1/, case_sensitive: false",
    "path_separated_prefix: /v1",
    "path_separated_prefix: /v1/ws",
    "safe_regex: { regex: \"/v1/(ws|graphql)\" }",
    "safe_regex: { regex: \"/v1\" }",
    "safe_regex: { regex: \".*//.*\" }",
    "prefix: /app/",
    "connect_matcher: {}",
    "prefix: /v1/, query_parameters: [{ name: x, string_match: { exact: \"1\" } }]",
    "prefix: /, query_parameters: [{ name: x, present_match: true }]",
    "prefix: /, grpc: {}",
    "prefix: /v1, runtime_fraction: { default_value: { numerator: 0 } }",
    "prefix: /v1, runtime_fraction: { default_value: { numerator: 100 } }",
];

const HEADERS: [&str; 12] = [
    "{ name: upgrade, string_match: { exact: websocket } }",
    "{ name: Upgrade, string_match: { exact: WEBSOCKET, ignore_case: true } }",
    "{ name: upgrade, string_match: { exact: h2c } }",
    "{ name: upgrade, present_match: true, invert_match: true }",
    "{ name: upgrade, present_match: true }",
    "{ name: content-type, present_match: false }",
    "{ name: content-type, string_match: { exact: a }, invert_match: true }",
    "{ name: content-type, string_match: { exact: a } }",
    "{ name: content-type, string_match: { exact: a }, treat_missing_header_as_empty: true, invert_match: true }",
    "{ name: \":method\", string_match: { exact: GET } }",
    "{ name: \":path\", string_match: { suffix: ws } }",
    "{ name: sec-websocket-version, range_match: { start: 13, end: 14 } }",
];

/// What a route does; statuses are its own.
fn action(dice: &mut Dice, next: &mut u16) -> String {
    let upgrades = dice.pick(&[
        "",
        "",
        ", upgrade_configs: [{ upgrade_type: websocket }]",
        ", upgrade_configs: [{ upgrade_type: WebSocket, enabled: false }]",
        ", upgrade_configs: [{ upgrade_type: CONNECT }]",
    ]);
    let more = dice.pick(&[
        "",
        "",
        "",
        ", prefix_rewrite: /app",
        ", regex_rewrite: { pattern: { regex: \"^/v1/(.*)$\" }, substitution: \"/\\\\1/end\" }",
        ", host_rewrite_literal: other.example",
        ", timeout: 1s",
    ]);
    let away = dice.pick(&["", "", "", ", request_headers_to_remove: [x-a, Upgrade]"]);
    match dice.roll(8) {
        0..=2 => {
            *next += 1;
            format!("direct_response: {{ status: {next} }}")
        }
        3 => {
            let code =
                dice.pick(&["", ", response_code: FOUND", ", response_code: PERMANENT_REDIRECT"]);
            format!("redirect: {{ host_redirect: other.example{code} }}")
        }
        4 => "route: { cluster: empty }".to_owned(),
        _ => format!("route: {{ cluster: console{more}{upgrades} }}{away}"),
    }
}

fn routes(dice: &mut Dice) -> String {
    let mut next = 409;
    let mut out = String::new();
    for _ in 0..=dice.roll(5) {
        let headers = match dice.roll(3) {
            0 => format!(", headers: [{}]", dice.pick(&HEADERS)),
            _ => String::new(),
        };
        let _ = write!(
            out,
            "{{ match: {{ {}{headers} }}, {} }}, ",
            dice.pick(&MATCHES),
            action(dice, &mut next)
        );
    }
    if dice.roll(2) == 0 {
        let _ = write!(out, "{{ match: {{ prefix: / }}, {} }}", action(dice, &mut next));
    }
    out
}

/// Names that hosts have, and one that each takes.
fn names(number: usize) -> (String, String) {
    match number % 5 {
        0 => (format!("\"*.w{number}.example\""), format!("a.w{number}.example")),
        1 => (format!("\"w{number}.*\""), format!("w{number}.org")),
        2 => (format!("W{number}.example, \"*.w{number}.example\""), format!("w{number}.example")),
        _ => (format!("w{number}.example"), format!("w{number}.example")),
    }
}

const HOSTS: usize = 48;

/// Three listeners, of which one has upgrades off, and each its own idea of paths.
fn envoys(dice: &mut Dice, ports: &[u16], backend: SocketAddr) -> String {
    const UPGRADES: [&str; 3] = [
        "upgrade_configs: [{ upgrade_type: websocket }], merge_slashes: true, ",
        "upgrade_configs: [{ upgrade_type: websocket, enabled: false }], ",
        "upgrade_configs: [{ upgrade_type: WEBSOCKET }], normalize_path: true, ",
    ];
    let mut out = "static_resources:\n  listeners:\n".to_owned();
    for (at, (upgrades, port)) in UPGRADES.iter().zip(ports).enumerate() {
        let _ = writeln!(
            out,
            "  - {{ name: l{at}, address: {{ socket_address: {{ address: 127.0.0.1, port_value: {port} }} }}, \
             filter_chains: [{{ filters: [{{ name: m, typed_config: {{ \"@type\": {MANAGER}, stat_prefix: m, \
             strip_any_host_port: true, {upgrades}route_config: {{ virtual_hosts: ["
        );
        for number in (0..HOSTS).filter(|number| number % 3 == at) {
            let (domains, _) = names(number);
            let _ = writeln!(
                out,
                "      {{ name: h{number}, domains: [{domains}], routes: [{}] }},",
                routes(dice)
            );
        }
        let _ = writeln!(out, "    ] }}, http_filters: [{ROUTER}] }} }}] }}] }}");
    }
    let _ = writeln!(
        out,
        "  clusters:\n  - {{ name: empty, load_assignment: {{ cluster_name: empty }} }}\n  \
         - {{ name: console, connect_timeout: 5s, load_assignment: {{ cluster_name: console, endpoints: [{{ lb_endpoints: \
         [{{ endpoint: {{ address: {{ socket_address: {{ address: 127.0.0.1, port_value: {} }} }} }} }}] }}] }} }}",
        backend.port()
    );
    out
}

fn foretold(reading: &Reading, host: &str, path: &str) -> Result<Answer, String> {
    if !reading.untold.is_empty() {
        return Err(format!("{:?}", reading.untold));
    }
    let own = |status| Ok(Answer { status, seen: None });
    let mut seen = (path.to_owned(), host.to_owned());
    let mut status = 101;
    for issue in &reading.issues {
        match issue.kind {
            // Envoy refuses the upgrade before it looks at what the route does.
            Kind::UpgradeHeaders if !issue.line.starts_with("request_headers") => return own(403),
            Kind::UpgradeHeaders => status = 400,
            Kind::PathRule(Some(status)) => return own(status),
            Kind::PathChanged => {
                let to = issue.says.split(" for ").nth(1).and_then(|t| t.split(" instead").next());
                let query = path.split_once('?').map_or(String::new(), |(_, q)| format!("?{q}"));
                seen.0 = format!("{}{query}", to.unwrap());
            }
            Kind::Host => seen.1 = "other.example".to_owned(),
            Kind::Timeout(_) => {}
            other => return Err(format!("{other:?}")),
        }
    }
    Ok(Answer { status, seen: Some(seen) })
}

/// Forty-eight virtual hosts behind three listeners, each asked for eleven paths.
#[test]
fn envoy_sends_requests_where_the_check_says() {
    let mut dice = Dice(0xd1b5_4a32_d192_ed03);
    let (two, three) = (closed_port().unwrap(), closed_port().unwrap());
    let text = envoys(&mut dice, &[1, two, three], telling());
    let template = text.replacen("port_value: 1 }", "port_value: {port} }", 1);
    let envoy = Real::start(Product::Envoy, &template, &BTreeMap::new()).unwrap();
    let text = std::fs::read_to_string(envoy.config_file()).unwrap();
    let (mut wrong, mut statuses, mut compared) = (Vec::new(), BTreeMap::new(), 0);
    for number in 0..HOSTS {
        let port = [envoy.addr.port(), two, three][number % 3];
        let addr = SocketAddr::from(([127, 0, 0, 1], port));
        let (_, host) = names(number);
        for path in PATHS.into_iter().chain(["/v1/./ws", "/v1/x/../graphql?y&x=1"]) {
            let real = ask(addr, &host, path);
            let checked = read(&text, &host, port, path);
            // What the manager makes of the path, the backend sees.
            let plain = match number % 3 {
                0 => path.replace("//", "/"),
                2 => path.replace("/./", "/").replace("/x/../", "/"),
                _ => path.to_owned(),
            };
            *statuses.entry(real.status).or_insert(0) += 1;
            compared += 1;
            match foretold(&checked.readings[0], &host, &plain) {
                Ok(said) if said == real => {}
                said => {
                    let own = text.lines().find(|line| line.contains(&format!("name: h{number},")));
                    wrong.push(format!(
                        "{host}{path}: {real:?}, and {said:?} by {:?}\n{}",
                        checked.readings[0].followed,
                        own.unwrap_or_default()
                    ));
                }
            }
        }
    }
    assert!(statuses.len() > 8 && statuses[&101] > 40, "{statuses:?}");
    assert!(
        wrong.is_empty(),
        "{} wrong of {compared}: {statuses:?}\n{}",
        wrong.len(),
        wrong[..wrong.len().min(6)].join("\n")
    );
}

/// One connection manager with these options, and a route of these.
fn one(manager: &str, route: &str, cluster: &str) -> String {
    format!(
        "  - {{ name: NAME, address: {{ socket_address: {{ address: 127.0.0.1, port_value: PORT }} }}, filter_chains: [{{ filters: \
         [{{ name: m, typed_config: {{ \"@type\": {MANAGER}, stat_prefix: m, upgrade_configs: [{{ upgrade_type: websocket }}], \
         {manager}route_config: {{ virtual_hosts: [{{ name: h, domains: [\"*\"], routes: [{{ match: {{ prefix: / }}, route: \
         {{ cluster: {cluster}{route} }} }}] }}] }}, http_filters: [{ROUTER}] }} }}] }}] }}\n"
    )
}

/// How long a silent and a chatty connection live: until they are cut, or all the time.
fn lives(addr: SocketAddr, chatty: bool, most: Duration) -> Option<Duration> {
    let mut stream = TcpStream::connect(addr).unwrap();
    let request =
        "GET /v1/ws HTTP/1.1\r\nHost: b\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n\r\n";
    stream.write_all(request.as_bytes()).unwrap();
    let answer = head(&mut stream).unwrap();
    assert!(answer.starts_with("HTTP/1.1 101"), "{answer}");
    stream.set_read_timeout(Some(Duration::from_millis(200))).unwrap();
    let begun = Instant::now();
    while begun.elapsed() < most {
        if chatty && stream.write_all(b"x").is_err() {
            return Some(begun.elapsed());
        }
        match stream.read(&mut [0; 64]) {
            Ok(0) => return Some(begun.elapsed()),
            Ok(_) => {}
            Err(error)
                if matches!(
                    error.kind(),
                    std::io::ErrorKind::WouldBlock | std::io::ErrorKind::TimedOut
                ) => {}
            Err(_) => return Some(begun.elapsed()),
        }
    }
    None
}

/// What the admin port prints of the configuration.
fn dump(port: u16) -> String {
    let mut stream = TcpStream::connect(("127.0.0.1", port)).unwrap();
    let request = "GET /config_dump HTTP/1.1\r\nHost: admin\r\nConnection: close\r\n\r\n";
    stream.write_all(request.as_bytes()).unwrap();
    let head = head(&mut stream).unwrap();
    assert!(head.contains(" 200 ") && head.contains("chunked"), "{head}");
    let mut left = String::new();
    stream.read_to_string(&mut left).unwrap();
    let (mut body, mut rest) = (String::new(), left.as_str());
    while let Some((size, after)) = rest.split_once("\r\n") {
        let size = usize::from_str_radix(size, 16).unwrap();
        body.push_str(&after[..size]);
        rest = &after[(size + 2).min(after.len())..];
    }
    body
}

/// Which of Envoy's times end a socket: what the check says of each is what happens.
#[test]
fn envoy_cuts_sockets_when_the_check_says() {
    const AGE: &str = "common_http_protocol_options: { max_stream_duration: 2s }, ";
    let cases = [
        ("timeout of the route", one("stream_idle_timeout: 0s, ", ", timeout: 2s", "console")),
        ("stream_idle_timeout", one("stream_idle_timeout: 2s, ", "", "console")),
        ("idle_timeout of the route", one("", ", idle_timeout: 2s", "console")),
        ("none for the route", one("stream_idle_timeout: 2s, ", ", idle_timeout: 0s", "console")),
        ("max_stream_duration", one(AGE, ", idle_timeout: 0s", "console")),
        (
            "max_stream_duration of the route",
            one(
                "",
                ", idle_timeout: 0s, max_stream_duration: { max_stream_duration: 2s }",
                "console",
            ),
        ),
        (
            "no max_stream_duration for the route",
            one(
                AGE,
                ", idle_timeout: 0s, max_stream_duration: { max_stream_duration: 0s }",
                "console",
            ),
        ),
        ("max_stream_duration of the cluster", one("", ", idle_timeout: 0s", "aged")),
        ("request_timeout", one("request_timeout: 2s, stream_idle_timeout: 0s, ", "", "console")),
        (
            "idle and max age of connections",
            one(
                "drain_timeout: 1s, stream_idle_timeout: 0s, common_http_protocol_options: { idle_timeout: 2s, max_connection_duration: 2s }, ",
                "",
                "console",
            ),
        ),
    ];
    let ports: Vec<u16> = cases.iter().map(|_| closed_port().unwrap()).collect();
    let backend = telling().port();
    let cluster = |name: &str, more: &str| {
        format!(
            "  - {{ name: {name}, connect_timeout: 5s, {more}load_assignment: {{ cluster_name: {name}, endpoints: [{{ lb_endpoints: \
             [{{ endpoint: {{ address: {{ socket_address: {{ address: 127.0.0.1, port_value: {backend} }} }} }} }}] }}] }} }}\n"
        )
    };
    let aged = "typed_extension_protocol_options: { envoy.extensions.upstreams.http.v3.HttpProtocolOptions: { \"@type\": \
                type.googleapis.com/envoy.extensions.upstreams.http.v3.HttpProtocolOptions, common_http_protocol_options: \
                { max_stream_duration: 2s }, explicit_http_config: { http_protocol_options: {} } } }, ";
    let mut listeners = one("", "", "console").replace("NAME", "first").replace("PORT", "{port}");
    for (at, ((_, text), port)) in cases.iter().zip(&ports).enumerate() {
        listeners += &text.replace("NAME", &format!("l{at}")).replace("PORT", &port.to_string());
    }
    let admin = closed_port().unwrap();
    let template = format!(
        "admin: {{ address: {{ socket_address: {{ address: 127.0.0.1, port_value: {admin} }} }} }}\n\
         static_resources:\n  listeners:\n{listeners}  clusters:\n{}{}",
        cluster("console", ""),
        cluster("aged", aged)
    );
    let envoy = Real::start(Product::Envoy, &template, &BTreeMap::new()).unwrap();
    let text = std::fs::read_to_string(envoy.config_file()).unwrap();
    let dump = dump(admin);
    let all = cases.iter().zip(&ports).map(|((about, _), port)| {
        let addr = SocketAddr::from(([127, 0, 0, 1], *port));
        let checked = read(&text, "b", *port, "/v1/ws");
        let kinds: Vec<Kind> = checked.readings[0].issues.iter().map(|issue| issue.kind).collect();
        // What the admin port prints says the same as the file.
        let dumped = &read(&dump, "b", *port, "/v1/ws").readings[0];
        let same: Vec<Kind> = dumped.issues.iter().map(|issue| issue.kind).collect();
        assert_eq!((&same, &dumped.untold), (&kinds, &checked.readings[0].untold), "{about}");
        let silent = std::thread::spawn(move || lives(addr, false, Duration::from_secs(5)));
        let chatty = std::thread::spawn(move || lives(addr, true, Duration::from_secs(5)));
        (*about, kinds, silent, chatty)
    });
    let all: Vec<_> = all.collect();
    for (about, kinds, silent, chatty) in all {
        let (silent, chatty) = (silent.join().unwrap(), chatty.join().unwrap());
        let seen = match (silent, chatty) {
            (None, None) => vec![],
            (Some(_), None) => vec![Kind::Timeout(2.0)],
            (Some(_), Some(_)) => vec![Kind::Lifetime(2.0)],
            other => panic!("{about}: {other:?}"),
        };
        assert_eq!(kinds, seen, "{about}: silent {silent:?}, chatty {chatty:?}");
    }
}
