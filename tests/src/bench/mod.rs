//! `wss-lab bench`: how long the collector takes, beside one upgrade by curl
//! and beside a script that gathers the same by hand; on loopback and on paths
//! with a delay, DNS included. All in one run, side by side, in namespaces of
//! its own.
//!
//! Figures are medians of wall-clock times of whole processes.
#![allow(clippy::print_stdout, clippy::print_stderr, reason = "this is the benchmark's screen")]

pub mod diagram;
pub mod relay;

use crate::lab::config::{
    CertificateKind, FirewallConfig, FirewallMode, HopUpgrade, InterceptConfig, LbConfig,
    ProxyConfig, TlsConfig,
};
use crate::lab::{Lab, LabConfig};
use crate::scenario::dns::NameServer;
use relay::Relay;
use std::collections::BTreeMap;
use std::io::{BufRead as _, BufReader};
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::sync::atomic::Ordering;
use std::time::{Duration, Instant};
use wss_bundle::observation::{Observation, Observations, RouteId, Step};
use wss_bundle::read::{self, Limits};

/// Says that the namespaces are there already.
const INSIDE: &str = "WSS_BENCH_INSIDE";

/// What to measure.
#[derive(Debug, Clone)]
pub struct Options {
    /// Round trips of the paths, in milliseconds.
    pub round_trips_ms: Vec<u64>,
    /// Runs of each case.
    pub runs: usize,
    /// What the names of the cases contain; empty for all of them.
    pub case: String,
    /// What is shown.
    pub show: Show,
}

/// What is shown of the runs.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Show {
    /// The table of times.
    Times,
    /// A drawing of where the time of one run of each case goes.
    Diagrams,
    /// What does not depend on the machine: round trips, connections, requests
    /// of one run of each case.
    Counts,
}

/// Runs the benchmark and prints its table, or the diagrams.
///
/// # Errors
/// A sentence that says what did not work.
pub fn run(options: &Options) -> Result<(), String> {
    if std::env::var_os(INSIDE).is_none() {
        return in_namespaces();
    }
    let runtime = tokio::runtime::Runtime::new().map_err(|error| error.to_string())?;
    runtime.block_on(async {
        match options.show {
            Show::Times => table(options).await,
            Show::Diagrams => diagrams(options).await,
            Show::Counts => counts(options).await,
        }
    })
}

/// What takes so long by hand is not done by hand again.
const LONG_BY_HAND_MS: f64 = 20_000.0;

/// Runs this program again where port 53 and the resolver's configuration are its own.
fn in_namespaces() -> Result<(), String> {
    let own = std::env::current_exe().map_err(|error| error.to_string())?;
    let folder = tempfile::tempdir().map_err(|error| error.to_string())?;
    let resolver = folder.path().join("resolv.conf");
    std::fs::write(&resolver, "nameserver 127.0.0.1\noptions timeout:5 attempts:1\n")
        .map_err(|error| format!("{}: {error}", resolver.display()))?;
    let script = format!(
        "ip link set lo up && mount --bind {} /etc/resolv.conf && exec \"$0\" \"$@\"",
        resolver.display()
    );
    let status = Command::new("unshare")
        .args(["--net", "--mount", "sh", "-c", &script])
        .arg(own)
        .args(std::env::args_os().skip(1))
        .env(INSIDE, "1")
        .status()
        .map_err(|error| format!("unshare: {error}"))?;
    status.success().then_some(()).ok_or_else(|| format!("in the namespaces: {status}"))
}

/// A case: its name, its network, whether a proxy is set, and curl's way to it.
struct Case {
    name: &'static str,
    lab: LabConfig,
    proxy: bool,
}

fn cases(options: &Options) -> Vec<Case> {
    let with_tls = |tls: TlsConfig, upgrade: HopUpgrade| LabConfig {
        lb: Some(LbConfig { tls: Some(tls), upgrade, ..LbConfig::default() }),
        ..LabConfig::default()
    };
    let plain = |upgrade| with_tls(TlsConfig::default(), upgrade);
    let h2 = TlsConfig { alpn: vec!["h2".into(), "http/1.1".into()], ..TlsConfig::default() };
    let unknown =
        TlsConfig { certificate: Some(CertificateKind::UnknownIssuer), ..TlsConfig::default() };
    let proxied = LabConfig {
        firewall: FirewallConfig { inside: FirewallMode::Reset, ..FirewallConfig::default() },
        proxy: Some(ProxyConfig {
            intercept: Some(InterceptConfig::default()),
            upgrade: HopUpgrade::Strip,
            ..ProxyConfig::default()
        }),
        ..plain(HopUpgrade::Forward)
    };
    let direct = |name, lab| Case { name, lab, proxy: false };
    let mut cases = vec![
        direct("healthy, direct", plain(HopUpgrade::Forward)),
        direct("h2 offered", with_tls(h2, HopUpgrade::Forward)),
        direct("balancer strips", plain(HopUpgrade::Strip)),
        direct("certificate of an unknown issuer", with_tls(unknown, HopUpgrade::Forward)),
        direct("upgrades refused", plain(HopUpgrade::Refuse)),
        Case { name: "proxy intercepts and strips", lab: proxied, proxy: true },
        direct("upgrades swallowed", plain(HopUpgrade::Swallow)),
    ];
    cases.retain(|case| case.name.contains(&options.case));
    cases
}

/// Where a case's programs go.
struct Place {
    host: String,
    port: u16,
    trust: PathBuf,
    proxy: Option<String>,
    relays: Vec<Relay>,
}

impl Place {
    fn url(&self, path: &str) -> String {
        format!("https://{}:{}{path}", self.host, self.port)
    }

    /// Connections and bytes since the last look.
    fn counted(&self) -> (u64, u64) {
        self.relays.iter().fold((0, 0), |(connections, bytes), relay| {
            (
                connections + relay.count.connections.swap(0, Ordering::Relaxed),
                bytes + relay.count.bytes.swap(0, Ordering::Relaxed),
            )
        })
    }
}

async fn table(options: &Options) -> Result<(), String> {
    println!(
        "| case | round trip | curl upgrade | by hand | collector | ÷ curl | by hand ÷ collector | \
         connections | KB on the wire | peak memory |\n\
         |---|---|---|---|---|---|---|---|---|---|"
    );
    for ms in &options.round_trips_ms {
        for case in cases(options) {
            let runs = options.runs;
            let row = at(&case, Duration::from_millis(*ms), move |place, folder| {
                side_by_side(place, folder, runs)
            })
            .await?;
            println!("| {} | {ms} ms | {row} |", case.name);
        }
    }
    Ok(())
}

async fn diagrams(options: &Options) -> Result<(), String> {
    for ms in options.round_trips_ms.iter().filter(|ms| **ms > 0) {
        for case in cases(options) {
            let round_trip = Duration::from_millis(*ms);
            let drawn = at(&case, round_trip, move |place, folder| {
                Ok(diagram::draw(&observed(place, folder)?, round_trip))
            })
            .await?;
            println!("{}, a round trip of {ms} ms\n\n{drawn}", case.name);
        }
    }
    Ok(())
}

async fn counts(options: &Options) -> Result<(), String> {
    println!(
        "| case | round trip | round trips | connections | at once | requests | seconds |\n\
         |---|---|---|---|---|---|---|"
    );
    for ms in &options.round_trips_ms {
        for case in cases(options) {
            let round_trip = Duration::from_millis(*ms);
            let row = at(&case, round_trip, move |place, folder| {
                let seen = observed(place, folder)?;
                let end = |o: &Observation| o.start_ms + o.duration_ms;
                let first = seen.observations.iter().map(|o| o.start_ms).fold(f64::MAX, f64::min);
                let took = seen.observations.iter().map(end).fold(0.0, f64::max) - first;
                let requests = seen.observations.iter().filter(|o| {
                    matches!(o.step, Step::Http(_) | Step::Upgrade(_) | Step::Tunnel(_))
                });
                Ok(format!(
                    "{:.1} | {} | {} | {} | {:.1}",
                    took / (round_trip.as_secs_f64() * 1e3),
                    place.counted().0,
                    at_once(&seen),
                    requests.count(),
                    took / 1e3,
                ))
            })
            .await?;
            println!("| {} | {ms} ms | {row} |", case.name);
        }
    }
    Ok(())
}

/// The most connections that a route had open at a time.
fn at_once(seen: &Observations) -> usize {
    let mut open: BTreeMap<(&RouteId, u32), (f64, f64)> = BTreeMap::new();
    for o in &seen.observations {
        let Some(connection) = o.connection else { continue };
        let span = open.entry((&o.route, connection)).or_insert((o.start_ms, 0.0));
        span.1 = span.1.max(o.start_ms + o.duration_ms);
    }
    let beside = |(route, at): (&RouteId, f64)| {
        let others = open.iter().filter(|((other, _), _)| *other == route);
        others.filter(|(_, (from, to))| (*from..*to).contains(&at)).count()
    };
    open.iter().map(|((route, _), (from, _))| beside((route, *from))).max().unwrap_or(0)
}

/// What one run of the collector saw.
fn observed(place: &Place, folder: &Path) -> Result<Observations, String> {
    let bundle = folder.join("run.zip");
    collector(place, &bundle, None)?;
    let opened = read::file(&bundle, &Limits::default()).map_err(|error| error.to_string())?;
    Ok(opened.bundle.observations)
}

/// Runs `work` where a case's network is a round trip away.
async fn at(
    case: &Case,
    round_trip: Duration,
    work: impl FnOnce(&Place, &Path) -> Result<String, String> + Send + 'static,
) -> Result<String, String> {
    let text = |error: std::io::Error| format!("{}: {error}", case.name);
    let lab = Lab::start(&case.lab).await.map_err(text)?;
    let front = Relay::tcp(lab.addr(), round_trip).await.map_err(text)?;
    let mut relays = Vec::new();
    let mut proxy = None;
    if let (true, Some(own)) = (case.proxy, &lab.proxy) {
        let relay = Relay::tcp(own.addr, round_trip).await.map_err(text)?;
        proxy = Some(format!("http://{}", relay.addr));
        relays.push(relay);
    }
    let names = BTreeMap::from([(lab.host.clone(), vec!["A 127.0.0.1".to_owned()])]);
    let server = NameServer::start(&names).await?;
    let at = SocketAddr::from(([127, 0, 0, 1], 53));
    let _resolver = Relay::udp(at, server.addr, round_trip).await.map_err(text)?;
    let port = front.addr.port();
    relays.push(front);
    let place = Place { host: lab.host.clone(), port, trust: lab.trust_file(), proxy, relays };
    let folder = tempfile::tempdir().map_err(text)?;
    tokio::task::spawn_blocking(move || work(&place, folder.path()))
        .await
        .map_err(|error| error.to_string())?
}

fn side_by_side(place: &Place, folder: &Path, runs: usize) -> Result<String, String> {
    let (mut curls, mut hands, mut collectors) = (Vec::new(), Vec::new(), Vec::new());
    let mut counted = (0, 0);
    for run in 0..runs {
        curls.push(curl(place)?);
        collectors.push(collector(place, &folder.join(format!("{run}.zip")), Some(&mut counted))?);
        // By hand it takes so long that a few times are enough.
        if run < 3 && hands.iter().sum::<f64>() < LONG_BY_HAND_MS {
            hands.push(by_hand(place)?);
        }
    }
    let memory = peak_kb(place, &folder.join("memory.zip"))?;
    let (curl, hand, own) = (median(curls), median(hands), median(collectors));
    Ok(format!(
        "{:.0} ms | {:.0} ms | {:.0} ms | {:.1} | {:.1} | {} | {:.0} | {:.0} MB",
        curl,
        hand,
        own,
        own / curl,
        hand / own,
        counted.0,
        counted.1 as f64 / 1e3,
        memory as f64 / 1e3
    ))
}

fn median(mut times: Vec<f64>) -> f64 {
    times.sort_by(f64::total_cmp);
    times.get(times.len() / 2).copied().unwrap_or(f64::NAN)
}

fn ms(begun: Instant) -> f64 {
    begun.elapsed().as_secs_f64() * 1e3
}

/// One upgrade by the page's curl command: until the first line of its answer,
/// or its end where there is none.
fn curl(place: &Place) -> Result<f64, String> {
    let begun = Instant::now();
    let mut command = Command::new("stdbuf");
    command
        .args(["-oL", "curl", "-siN", "--http1.1", "--suppress-connect-headers"])
        .args(["--max-time", "10"])
        .args(["-H", "Connection: Upgrade", "-H", "Upgrade: websocket"])
        .args(["-H", "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ=="])
        .args(["-H", "Sec-WebSocket-Version: 13"])
        .arg("--cacert")
        .arg(&place.trust)
        .arg(place.url("/v1/ws"))
        .stdout(Stdio::piped())
        .stderr(Stdio::null());
    if let Some(proxy) = &place.proxy {
        command.args(["-x", proxy]);
    }
    let mut child = command.spawn().map_err(|error| format!("curl: {error}"))?;
    let mut line = String::new();
    if let Some(out) = child.stdout.take() {
        let _ = BufReader::new(out).read_line(&mut line);
    }
    let took = ms(begun);
    let _ = child.kill();
    let _ = child.wait();
    let _ = place.counted();
    Ok(took)
}

fn by_hand(place: &Place) -> Result<f64, String> {
    let begun = Instant::now();
    let script = concat!(env!("CARGO_MANIFEST_DIR"), "/bench/by-hand");
    let status = Command::new(script)
        .args([&place.host, &place.port.to_string()])
        .arg(&place.trust)
        .args(&place.proxy)
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .status()
        .map_err(|error| format!("{script}: {error}"))?;
    let took = ms(begun);
    let _ = place.counted();
    status.success().then_some(took).ok_or_else(|| format!("{script}: {status}"))
}

fn command(place: &Place, bundle: &Path) -> Result<Command, String> {
    let own = std::env::current_exe().map_err(|error| error.to_string())?;
    let program = own.with_file_name("wss-collector");
    if !program.exists() {
        return Err(format!("{} is missing: cargo build --release", program.display()));
    }
    let mut command = Command::new(program);
    command
        .args(["--hold", "0", "--no-input", "--vantage", "inside", "--cacert"])
        .arg(&place.trust)
        .arg("-o")
        .arg(bundle)
        .arg(place.url(""))
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .stderr(Stdio::null());
    if let Some(proxy) = &place.proxy {
        command.env("https_proxy", proxy);
    }
    Ok(command)
}

fn collector(
    place: &Place,
    bundle: &Path,
    counted: Option<&mut (u64, u64)>,
) -> Result<f64, String> {
    let mut command = command(place, bundle)?;
    let begun = Instant::now();
    let status = command.status().map_err(|error| format!("wss-collector: {error}"))?;
    let took = ms(begun);
    if let Some(counted) = counted {
        *counted = place.counted();
    }
    match status.code() {
        Some(0 | 1) => Ok(took),
        _ => Err(format!("wss-collector: {status}")),
    }
}

/// The most memory that it had, as the kernel counted (`VmHWM`), in KiB.
fn peak_kb(place: &Place, bundle: &Path) -> Result<u64, String> {
    let mut child =
        command(place, bundle)?.spawn().map_err(|error| format!("wss-collector: {error}"))?;
    let status = format!("/proc/{}/status", child.id());
    let mut peak = 0;
    loop {
        if let Ok(text) = std::fs::read_to_string(&status) {
            let line = text.lines().find_map(|line| line.strip_prefix("VmHWM:"));
            let now = line.and_then(|line| line.split_whitespace().next()?.parse().ok());
            peak = peak.max(now.unwrap_or(0));
        }
        if child.try_wait().map_err(|error| error.to_string())?.is_some() {
            return Ok(peak);
        }
        std::thread::sleep(Duration::from_millis(1));
    }
}
