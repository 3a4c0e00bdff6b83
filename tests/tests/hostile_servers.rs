//! Servers, proxies and name servers that keep to no protocol, met by the real
//! collector: it ends in time and memory, writes a bundle that is whole, never
//! calls it working when it is not, and blames nobody without reason.
#![allow(clippy::unwrap_used, clippy::expect_used, reason = "a test may panic")]
#![allow(clippy::print_stdout, reason = "what was found and measured")]

use serde_json::Value;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::Semaphore;
use tokio_rustls::TlsAcceptor;
use wss_bundle::read::{self, Limits};
use wss_lab::hostile::measure;
use wss_lab::hostile::server::{Behaviour, Hostile};
use wss_lab::lab::ca::{Pki, acceptor};
use wss_lab::lab::config::{CertificateKind, Subject};

/// A whole run: a dozen steps of one second, side by side, on a busy machine.
const WALL: Duration = Duration::from_secs(45);
/// One step, with `--timeout 1s`: its own second, what it waits for besides
/// (another family, a body), and a busy machine.
const STEP_MS: f64 = 20_000.0;
/// What a hostile server may cost more than a good one.
const MORE_KIB: u64 = 16 << 10;
/// Collections at once.
const AT_ONCE: usize = 6;

fn program(name: &str) -> PathBuf {
    let path = Path::new(env!("CARGO_BIN_EXE_wss-lab")).with_file_name(name);
    assert!(path.is_file(), "{}: cargo build --workspace makes it", path.display());
    path
}

/// What a collection gave.
#[derive(Debug)]
struct Outcome {
    name: String,
    status: String,
    cause: String,
    summary: String,
    peak_kib: u64,
    wall: Duration,
    complaints: Vec<String>,
}

/// Runs the collector, and holds it to what holds for every run.
fn collect(name: &str, wrap: &[String], args: &[String]) -> Outcome {
    let work = tempfile::tempdir().unwrap();
    let mut all: Vec<String> = wrap.to_vec();
    all.push(program("wss-collector").display().to_string());
    all.extend(args.iter().cloned());
    let fixed = ["--timeout", "1s", "--hold", "0", "--no-input", "--case", "H", "--json"];
    all.extend(fixed.iter().map(ToString::to_string));
    all.extend(["-o".to_owned(), "out.zip".to_owned()]);
    let mut command = Command::new(&all[0]);
    command.args(&all[1..]).current_dir(work.path());
    for name in ["http_proxy", "https_proxy", "all_proxy", "no_proxy"] {
        command.env_remove(name).env_remove(name.to_uppercase());
    }
    command.env("HOME", work.path()).env("XDG_CURRENT_DESKTOP", "XFCE").env_remove("KDEHOME");
    let ran = measure::run(&command);
    let error = String::from_utf8_lossy(&ran.output.stderr).into_owned();
    let mut complaints = Vec::new();
    let code = ran.output.status.code();
    if !matches!(code, Some(0 | 1)) {
        complaints.push(format!("ended by {code:?}: {error}"));
    }
    for stream in [&ran.output.stdout, &ran.output.stderr] {
        let text = String::from_utf8_lossy(stream);
        let bad = |c: char| (c.is_control() && c != '\n') || ('\u{202a}'..='\u{202e}').contains(&c);
        if text.contains(bad) {
            complaints.push(format!("controls on the terminal: {text:?}"));
        }
    }
    if ran.wall > WALL {
        complaints.push(format!("took {:?}", ran.wall));
    }
    match read::file(&work.path().join("out.zip"), &Limits::default()) {
        Ok(opened) => {
            complaints.extend(opened.bundle.defects.iter().map(ToString::to_string));
            let all = &opened.bundle.observations.observations;
            complaints.extend(
                all.iter()
                    .filter(|o| o.duration_ms > STEP_MS)
                    .map(|o| format!("{} of {} took {} ms", o.id, o.probe, o.duration_ms)),
            );
        }
        Err(error) => complaints.push(error.to_string()),
    }
    let left: Vec<_> =
        std::fs::read_dir(work.path()).unwrap().map(|e| e.unwrap().file_name()).collect();
    if left != ["out.zip"] {
        complaints.push(format!("left behind: {left:?}"));
    }
    let json: Value = serde_json::from_slice(&ran.output.stdout).unwrap_or_default();
    let verdict = &json["diagnosis"]["verdict"];
    let field = |name: &str| verdict[name].as_str().unwrap_or("none given").to_owned();
    Outcome {
        name: name.to_owned(),
        status: field("status"),
        cause: field("cause"),
        summary: field("summary"),
        peak_kib: ran.peak_kib,
        wall: ran.wall,
        complaints,
    }
}

/// One run to be made, and what it may find.
struct Case {
    name: String,
    wrap: Vec<String>,
    args: Vec<String>,
    /// `status cause`, each of which would be sensible.
    sensible: &'static [&'static str],
    servers: Vec<Hostile>,
}

impl Case {
    fn new(
        name: String,
        args: Vec<String>,
        sensible: &'static [&'static str],
        servers: Vec<Hostile>,
    ) -> Self {
        Self { name, wrap: Vec::new(), args, sensible, servers }
    }
}

/// Runs all of them. The first is the measure of memory, and has to be told
/// rightly; `late` is what the others may be told where even the way to the
/// server takes longer than its second.
async fn run(cases: Vec<Case>, late: &str) {
    let total = cases.len();
    let slots = Arc::new(Semaphore::new(AT_ONCE));
    let mut running = Vec::new();
    for case in cases {
        let slots = slots.clone();
        running.push(tokio::spawn(async move {
            let _slot = slots.acquire_owned().await.unwrap();
            // All of it: the servers must outlive the run.
            let case = case;
            tokio::task::spawn_blocking(move || {
                let Case { name, wrap, args, sensible, servers } = case;
                let outcome = collect(&name, &wrap, &args);
                drop(servers);
                (outcome, sensible)
            })
            .await
            .unwrap()
        }));
    }
    let mut outcomes = Vec::new();
    for one in running {
        outcomes.push(one.await.unwrap());
    }
    let base = outcomes[0].0.peak_kib;
    let mut wrong = Vec::new();
    for (outcome, sensible) in &mut outcomes {
        let said = format!("{} {}", outcome.status, outcome.cause);
        if outcome.peak_kib > base + MORE_KIB {
            let (peak, healthy) = (outcome.peak_kib, base);
            outcome.complaints.push(format!("{peak} KiB, and {healthy} for a good server"));
        }
        let late = said == late && outcome.name != "Healthy";
        if !sensible.contains(&said.as_str()) && !late {
            outcome.complaints.push(format!("{said} ({})", outcome.summary));
        }
        println!("{:40} {said:40} {:>6} KiB {:?}", outcome.name, outcome.peak_kib, outcome.wall);
        if !outcome.complaints.is_empty() {
            wrong.push(format!("{}: {}", outcome.name, outcome.complaints.join("; ")));
        }
    }
    assert!(wrong.is_empty(), "{} of {total}:\n{}", wrong.len(), wrong.join("\n"));
}

struct Trust {
    _folder: tempfile::TempDir,
    file: PathBuf,
    tls: TlsAcceptor,
}

fn trust() -> Trust {
    let folder = tempfile::tempdir().unwrap();
    let corporate =
        Subject { organization: None, unit: None, common_name: "Nobody's Proxy".to_owned() };
    let pki = Pki::new(folder.path(), &corporate).unwrap();
    let identity = pki.identity("localhost", CertificateKind::Valid).unwrap();
    let tls = acceptor(&identity, &["http/1.1".to_owned()], false, None).unwrap();
    Trust { file: pki.ca_file(), _folder: folder, tls }
}

fn plain(address: SocketAddr) -> Vec<String> {
    vec![format!("http://{address}"), "-x".into(), String::new()]
}

fn all() -> impl Iterator<Item = Behaviour> {
    std::iter::once(Behaviour::Healthy).chain(Behaviour::HOSTILE)
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn hostile_servers_plain() {
    let mut cases = Vec::new();
    for behaviour in all() {
        let server = Hostile::server(behaviour, None).await.unwrap();
        let args = plain(server.address);
        cases.push(Case::new(format!("{behaviour:?}"), args, sensible(behaviour), vec![server]));
    }
    run(cases, "").await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn hostile_servers_in_tls() {
    let trust = trust();
    let mut cases = Vec::new();
    for behaviour in all() {
        let server = Hostile::server(behaviour, Some(trust.tls.clone())).await.unwrap();
        let mut args = vec![format!("https://localhost:{}", server.address.port())];
        args.extend(["-4", "-x", "", "--cacert"].map(String::from));
        args.push(trust.file.display().to_string());
        cases.push(Case::new(format!("{behaviour:?}"), args, sensible(behaviour), vec![server]));
    }
    run(cases, "broken tls-failure").await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn hostile_servers_behind_a_proxy() {
    let mut cases = Vec::new();
    for behaviour in all() {
        let server = Hostile::server(behaviour, None).await.unwrap();
        let proxy = Hostile::honest_proxy().await.unwrap();
        let args = vec![
            format!("http://{}", server.address),
            "-x".into(),
            format!("http://{}", proxy.address),
        ];
        let servers = vec![server, proxy];
        cases.push(Case::new(format!("{behaviour:?}"), args, sensible(behaviour), servers));
    }
    run(cases, "broken proxy-refuses-tunnel").await;
}

/// The proxy is the hostile one; the server behind it is never reached.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn hostile_proxies() {
    const BLAMED: &[&str] = &[
        "broken proxy-refuses-tunnel",
        "broken proxy-blocks-websocket",
        "broken proxy-auth-required",
        "broken proxy-unreachable",
        // Where it opens a tunnel that leads to nothing that is known.
        "broken bad-handshake",
        "unknown insufficient",
    ];
    let mut cases = Vec::new();
    let good = Hostile::server(Behaviour::Healthy, None).await.unwrap();
    let proxy = Hostile::honest_proxy().await.unwrap();
    let by = |address: SocketAddr, scheme: &str, target: SocketAddr| {
        vec![format!("http://{target}"), "-x".into(), format!("{scheme}://{address}")]
    };
    let target = good.address;
    let args = by(proxy.address, "http", target);
    cases.push(Case::new("honest".into(), args, &["working none"], vec![good, proxy]));
    for behaviour in Behaviour::HOSTILE.into_iter().filter(|b| !b.upgrades()) {
        let proxy = Hostile::server(behaviour, None).await.unwrap();
        let args = by(proxy.address, "http", target);
        cases.push(Case::new(format!("{behaviour:?}"), args, BLAMED, vec![proxy]));
    }
    let opened = b"HTTP/1.1 200 Connection established\r\n\r\n".to_vec();
    for (name, scheme, first, again) in [
        ("TunnelOfGarbage", "http", [opened.clone(), vec![0xee; 3000]].concat(), vec![]),
        ("TunnelOfEndlessGarbage", "http", opened, vec![0xee; 8192]),
        ("SocksOfGarbage", "socks5", vec![0xee; 300], vec![]),
        ("SocksWithoutEnd", "socks5", vec![5, 0], vec![5; 4096]),
        ("SocksOfNoMethod", "socks5h", vec![5, 0xff], vec![]),
        (
            "SocksOfHugeName",
            "socks5h",
            [vec![5, 0, 5, 0, 0, 3, 255], vec![b'a'; 100]].concat(),
            vec![],
        ),
        ("Socks4OfGarbage", "socks4", vec![0xee; 8], vec![]),
    ] {
        let proxy = Hostile::saying(first, again).await.unwrap();
        let args = by(proxy.address, scheme, target);
        cases.push(Case::new(name.into(), args, BLAMED, vec![proxy]));
    }
    run(cases, "").await;
}

/// What stands where TLS should be.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn hostile_tls() {
    const BLAMED: &[&str] = &["broken tls-failure"];
    let trust = trust();
    let mut cases = Vec::new();
    let good = Hostile::server(Behaviour::Healthy, Some(trust.tls.clone())).await.unwrap();
    let args = |port: u16| {
        let mut args = vec![format!("https://localhost:{port}")];
        args.extend(["-4", "-x", "", "--cacert"].map(String::from));
        args.push(trust.file.display().to_string());
        args
    };
    cases.push(Case::new("good".into(), args(good.address.port()), &["working none"], vec![good]));
    let record = |kind: u8, length: u16, rest: &[u8]| {
        [&[kind, 3, 3], &length.to_be_bytes()[..], rest].concat()
    };
    for (name, first, again) in [
        ("PlainHttp", b"HTTP/1.1 400 Bad Request\r\nContent-Length: 0\r\n\r\n".to_vec(), vec![]),
        ("Garbage", vec![0x99; 5000], vec![]),
        ("EndlessGarbage", vec![0x99; 100], vec![0x99; 8192]),
        ("RecordWithoutEnd", record(22, 16_000, &[2, 0, 60, 0]), vec![]),
        ("OversizedRecord", record(22, 65_000, &[2; 60_000]), vec![]),
        // A handshake message of 16 MiB, in records that keep coming.
        (
            "HandshakeWithoutEnd",
            record(22, 4, &[2, 0xff, 0xff, 0xff]),
            record(22, 1000, &[0; 1000]),
        ),
        ("EmptyRecords", record(22, 0, &[]), record(22, 0, &[])),
        ("WarningsWithoutEnd", record(21, 2, &[1, 90]), record(21, 2, &[1, 90])),
        ("FatalAlert", record(21, 2, &[2, 40]), vec![]),
        ("ApplicationData", record(23, 100, &[0; 100]), vec![]),
    ] {
        let server = Hostile::saying(first, again).await.unwrap();
        let port = server.address.port();
        cases.push(Case::new(name.into(), args(port), BLAMED, vec![server]));
    }
    run(cases, "").await;
}

/// A namespace with nothing in it but a name server of this behaviour.
const NAME_SERVER: &str = include_str!("hostile_dns.py");

#[test]
fn hostile_name_servers() {
    let work = tempfile::tempdir().unwrap();
    let script = work.path().join("dns.py");
    std::fs::write(&script, NAME_SERVER).unwrap();
    let resolv = work.path().join("resolv.conf");
    std::fs::write(&resolv, "nameserver 127.0.0.53\noptions timeout:1 attempts:1\n").unwrap();
    let switch = work.path().join("nsswitch.conf");
    std::fs::write(&switch, "hosts: dns\n").unwrap();
    let hosts = work.path().join("hosts");
    std::fs::write(&hosts, "127.0.0.1 localhost\n").unwrap();
    let mount = r#"set -e
        for pair in "$1:/etc/hosts" "$2:/etc/resolv.conf" "$3:/etc/nsswitch.conf"; do
            mount --bind "${pair%%:*}" "$(readlink -f "${pair#*:}")"
        done
        behaviour=$4; script=$5; shift 5
        exec python3 -I -S "$script" "$behaviour" "$@""#;
    let mut cases = Vec::new();
    for (behaviour, sensible) in NAMES {
        let unshare =
            ["unshare", "--map-root-user", "--mount", "--net", "--pid", "--fork", "--kill-child"];
        let mut wrap: Vec<String> = unshare.map(String::from).to_vec();
        wrap.extend(["sh", "-c", mount, "sh"].map(String::from));
        for file in [&hosts, &resolv, &switch] {
            wrap.push(file.display().to_string());
        }
        wrap.extend([behaviour.to_string(), script.display().to_string()]);
        let args = ["http://console.example:4444", "-x", ""].map(String::from).to_vec();
        cases.push(Case { wrap, ..Case::new((*behaviour).into(), args, sensible, Vec::new()) });
    }
    let runtime =
        tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build();
    runtime.unwrap().block_on(run(cases, ""));
}

/// What a name server does, and what is sensible to say then. Behind a name
/// that resolves nobody listens.
const NAMES: &[(&str, &[&str])] = &[
    ("one-address", &["broken unreachable"]),
    ("nxdomain", &["broken dns-failure"]),
    ("thousand-addresses", &["broken unreachable", "broken dns-failure"]),
    ("pointer-loop", &["broken dns-failure"]),
    ("alias-loop", &["broken dns-failure"]),
    ("endless-aliases", &["broken dns-failure"]),
    ("garbage", &["broken dns-failure"]),
    ("other-id", &["broken dns-failure"]),
    ("truncated-without-end", &["broken dns-failure"]),
    ("huge-texts", &["broken dns-failure"]),
    ("silence", &["broken dns-failure"]),
];

/// What is sensible to say of each. Where every step takes its whole second,
/// whether the server ever answers cannot be told on a busy machine.
fn sensible(behaviour: Behaviour) -> &'static [&'static str] {
    use Behaviour as B;
    match behaviour {
        B::Healthy => &["working none"],
        B::DrippingHead | B::HalfHead | B::ManyInterim | B::Silence | B::Goodbye | B::Reset => {
            &["unknown insufficient", "broken bad-handshake", "broken gateway-timeout"]
        }
        B::EndlessHeaders
        | B::HugeHeader
        | B::Http09
        | B::Garbage
        | B::NoStatus
        | B::SwitchesAlways
        | B::WrongAccept => {
            &["broken bad-handshake", "unknown insufficient", "broken gateway-timeout"]
        }
        B::OddHeaders => &["broken bad-gateway"],
        B::RedirectLoop => &["broken redirected", "unknown insufficient", "broken gateway-timeout"],
        B::EndlessChallenge => {
            &["unknown auth-required", "unknown insufficient", "broken gateway-timeout"]
        }
        frames if frames.upgrades() => {
            &["broken frames-blocked", "unknown insufficient", "broken gateway-timeout"]
        }
        // A page, however odd, in answer to an upgrade.
        _ => &["broken lb-strips-upgrade", "unknown insufficient", "broken gateway-timeout"],
    }
}
