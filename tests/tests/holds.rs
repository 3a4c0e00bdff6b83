//! Real programs that end or forget what is silent, old, or there when they are reloaded:
//! the collector's ladder of holds must have the true limit in its bracket, and say which of
//! the three it was. Stages run side by side, since all that they do is wait.
//!
//! `WSS_HOLDS=all` runs every program with every limit, some fifty runs.
#![allow(clippy::unwrap_used, clippy::expect_used, reason = "a test may panic")]

use std::collections::VecDeque;
use std::path::Path;
use std::process::Command;
use std::sync::Mutex;
use wss_diagnosis::{Cause, Idle, Location};
use wss_lab::scenario;

const HOLD_S: f64 = 15.0;
/// The limits that each program is given, in seconds.
const LIMITS: [u32; 4] = [3, 5, 8, 12];
/// The silences that a hold of 15 s tries, and the time between its Pings.
const TRIED: [f64; 7] = [1.875, 2.25, 4.2, 6.45, 9.0, 12.75, HOLD_S];
/// Stages that run at a time: the rest of the machine is waited for as well.
const AT_ONCE: usize = 18;

/// What a stage is to show.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Picture {
    /// Somebody ends what is silent for so long.
    Cut,
    /// Somebody forgets it.
    Forgotten,
    Age,
    Event,
    Lasts,
}

/// A program on the way, and what it is told.
struct Stage {
    name: String,
    scenario: String,
    files: Vec<(&'static str, String)>,
    limit_s: f64,
    /// How much earlier and later than its limit a program acts: some count in whole seconds,
    /// or look once a second.
    early_s: f64,
    slack_s: f64,
    picture: Picture,
    /// Runs in a namespace with a packet filter that keeps track of connections.
    filtered: bool,
}

const INSIDE: &str = "[inside]\n[expect]\nstatus = \"unstable\"\ncause = \"idle-timeout\"\n\
    location = \"server-side\"\nconfidence = \"medium\"\n";

fn stage(name: &str, limit: u32, server: &str, file: &'static str, text: String) -> Stage {
    Stage {
        name: format!("{name}, {limit} s"),
        scenario: format!(
            "about = \"{name}\"\nhold = \"15s\"\n{}[gorilla]\n[front]\nserver = \"{server}\"\nconfig = \"{file}\"\n",
            if server == "varnish" { "scheme = \"http\"\n" } else { "" }
        ),
        files: vec![(file, text)],
        limit_s: f64::from(limit),
        early_s: 0.2,
        slack_s: 0.7,
        picture: Picture::Cut,
        filtered: false,
    }
}

fn read(scenario: &str, file: &str) -> String {
    let place = Path::new(env!("CARGO_MANIFEST_DIR")).join("scenarios").join(scenario).join(file);
    std::fs::read_to_string(&place).unwrap_or_else(|error| panic!("{}: {error}", place.display()))
}

/// A scenario's file with another limit.
fn with(scenario: &str, file: &str, from: &str, to: &str) -> String {
    let text = read(scenario, file);
    assert!(text.contains(from), "{scenario}/{file} has no {from}");
    text.replace(from, to)
}

fn nginx(limit: u32) -> Stage {
    let to = format!("proxy_read_timeout {limit}s;");
    let text = with("nginx-idle-timeout", "nginx.conf", "proxy_read_timeout 2s;", &to);
    stage("nginx, proxy_read_timeout", limit, "nginx", "nginx.conf", text)
}

fn haproxy_tunnel(limit: u32) -> Stage {
    let to = format!("timeout tunnel {limit}s");
    let text = with("haproxy-tunnel-timeout", "haproxy.cfg", "timeout tunnel 2s", &to);
    stage("HAProxy, timeout tunnel", limit, "haproxy", "haproxy.cfg", text)
}

fn haproxy_client_and_server(limit: u32) -> Stage {
    let text = read("haproxy-no-tunnel-timeout", "haproxy.cfg");
    let text = text
        .replace("timeout client 2s", &format!("timeout client {limit}s"))
        .replace("timeout server 2s", &format!("timeout server {limit}s"));
    stage("HAProxy, client and server", limit, "haproxy", "haproxy.cfg", text)
}

fn apache(limit: u32) -> Stage {
    let text = read("apache-idle-timeout", "httpd.conf")
        .replace("Timeout 2\n", &format!("Timeout {limit}\n"))
        .replace("timeout=2", &format!("timeout={limit}"));
    stage("Apache, ProxyTimeout", limit, "apache", "httpd.conf", text)
}

fn caddy(limit: u32) -> Stage {
    let to = format!("read_timeout {limit}s");
    let text = with("caddy-idle-timeout", "Caddyfile", "read_timeout 2s", &to);
    stage("Caddy, read_timeout", limit, "caddy", "Caddyfile", text)
}

fn varnish(limit: u32) -> Stage {
    let text = read("varnish-pipe", "default.vcl");
    let mut made = stage("Varnish, pipe_timeout", limit, "varnish", "default.vcl", text);
    made.scenario.push_str(&format!("arguments = [\"-p\", \"pipe_timeout={limit}\"]\n"));
    made
}

fn envoy_idle(limit: u32) -> Stage {
    let to = format!("stream_idle_timeout: {limit}s");
    let text = with("envoy-idle-timeout", "envoy.yaml", "stream_idle_timeout: 2s", &to);
    let mut made = stage("Envoy, stream_idle_timeout", limit, "envoy", "envoy.yaml", text);
    // It waits a second for the other side before it ends.
    made.slack_s = 1.7;
    made
}

fn envoy_duration(limit: u32) -> Stage {
    let to = format!("max_stream_duration: {limit}s }}");
    let text = with("envoy-max-stream-duration", "envoy.yaml", "max_stream_duration: 3s }", &to);
    let mut made = stage("Envoy, max_stream_duration", limit, "envoy", "envoy.yaml", text);
    (made.slack_s, made.picture) = (1.7, Picture::Age);
    made
}

/// A route's timeout is over with the 101.
fn envoy_route(limit: u32) -> Stage {
    let to = format!("timeout: {limit}s }}");
    let text = with("envoy-route-timeout", "envoy.yaml", "timeout: 2s }", &to);
    let mut made = stage("Envoy, route timeout", limit, "envoy", "envoy.yaml", text);
    made.picture = Picture::Lasts;
    made
}

fn via(name: &str, limit: u32, server: &str, file: &'static str, text: String, env: &str) -> Stage {
    let mut made = stage(name, limit, server, file, text);
    made.scenario = format!(
        "about = \"{name}\"\nhold = \"15s\"\n[lab.lb]\ntls = {{}}\n[via]\nserver = \"{server}\"\n\
         config = \"{file}\"\n[inside]\nenv = {{ https_proxy = \"{env}\" }}\n{}",
        INSIDE.strip_prefix("[inside]\n").unwrap()
    );
    made
}

fn squid(limit: u32) -> Stage {
    let to = format!("read_timeout {limit} seconds");
    let text = with("squid-idle", "squid.conf", "read_timeout 2 seconds", &to);
    let mut made = via("Squid, read_timeout", limit, "squid", "squid.conf", text, "{via}");
    // It looks at its timers once a second.
    (made.early_s, made.slack_s) = (1.0, 1.7);
    made
}

fn dante(limit: u32) -> Stage {
    // Settings stand before rules.
    let to = format!("timeout.io.tcp: {limit}\ninternal:");
    let text = with("dante-socks", "danted.conf", "internal:", &to);
    let proxy = "socks5://{via-address}";
    let mut made = via("dante, timeout.io.tcp", limit, "dante", "danted.conf", text, proxy);
    // It counts in whole seconds of the clock.
    (made.early_s, made.slack_s) = (1.0, 1.7);
    made
}

fn relay(limit: u32) -> Stage {
    let mut made = stage("a relay that forgets", limit, "nginx", "nginx.conf", String::new());
    made.scenario = format!(
        "about = \"x\"\nhold = \"15s\"\n[lab.lb]\ntls = {{}}\n[lab.firewall.cut]\nidle-ms = {}\nby = \"blackhole\"\n",
        limit * 1000
    );
    (made.files, made.picture) = (Vec::new(), Picture::Forgotten);
    made
}

/// The kernel's own connection tracking, in a namespace.
fn conntrack(limit: u32) -> Stage {
    let mut made = relay(limit);
    made.name = format!("nftables, established connections, {limit} s");
    made.scenario = "about = \"x\"\nhold = \"15s\"\nscheme = \"http\"\n[lab]\n[gorilla]\n".into();
    // The kernel's own limit counts from the last segment of either side, and an
    // acknowledgement comes up to 40 ms after the data.
    (made.filtered, made.slack_s) = (true, 0.7);
    made
}

/// nginx is reloaded, and ends what its old workers have two seconds later.
fn reload(at_ms: u32) -> Stage {
    let text = read("nginx-idle-timeout", "nginx.conf")
        .replace("proxy_read_timeout 2s;", "proxy_read_timeout 3600s;")
        .replace("user root;", "user root;\nworker_shutdown_timeout 1s;");
    let mut made = stage("nginx, reloaded", at_ms / 1000, "nginx", "nginx.conf", text);
    made.name = format!("nginx, reloaded after {at_ms} ms");
    made.scenario.push_str(&format!("signal = {{ name = \"HUP\", after-ms = {at_ms} }}\n"));
    made.picture = Picture::Event;
    made
}

type Made = fn(u32) -> Stage;
/// Programs that end what is silent.
const SILENCE: [Made; 9] = [
    nginx,
    haproxy_tunnel,
    haproxy_client_and_server,
    apache,
    caddy,
    varnish,
    envoy_idle,
    squid,
    dante,
];
/// Those that forget it, and those that end what is old.
const OTHERS: [Made; 3] = [relay, conntrack, envoy_duration];

/// Each program with one limit, or with all.
fn stages(all: bool) -> Vec<Stage> {
    let made: Vec<Made> = SILENCE.into_iter().chain(OTHERS).collect();
    let mut stages: Vec<Stage> = match all {
        true => LIMITS.iter().flat_map(|limit| made.iter().map(|one| one(*limit))).collect(),
        false => {
            made.iter().zip(LIMITS.into_iter().cycle()).map(|(one, limit)| one(limit)).collect()
        }
    };
    // Connections are held from about the third second on.
    let moments: &[u32] = if all { &[9_000, 11_000, 13_000] } else { &[11_000] };
    stages.extend(moments.iter().map(|at| reload(*at)));
    stages.push(envoy_route(3));
    stages
}

/// What is wrong with what a run showed; nothing, where it is right.
fn wrong(stage: &Stage, idle: Option<&Idle>, cause: Cause, location: Location) -> Vec<String> {
    let Some(idle) = idle else { return vec!["nothing was held".into()] };
    let mut out = Vec::new();
    let (picture, wanted) = match stage.picture {
        Picture::Cut | Picture::Forgotten => ("silence", Cause::IdleTimeout),
        Picture::Age => ("age", Cause::LifetimeLimit),
        Picture::Event => ("event", Cause::Insufficient),
        Picture::Lasts => ("lasts", Cause::None),
    };
    if idle.picture != Some(picture) {
        out.push(format!("the picture is {:?}, not {picture}", idle.picture));
    }
    if cause != wanted {
        out.push(format!("the cause is {cause}, not {wanted}"));
    }
    let limit = stage.limit_s;
    let (alive, dead) = (idle.alive_s.unwrap_or(0.0), idle.cut_after_s.unwrap_or(f64::MAX));
    match stage.picture {
        Picture::Cut if dead < limit - stage.early_s || dead > limit + stage.slack_s => {
            out.push(format!("cut after {dead} s"));
        }
        Picture::Cut if idle.keepalive_survives != Some(true) => {
            out.push("pings do not help".into())
        }
        Picture::Cut if idle.cut_by == Some("silence") => out.push("nobody was seen to cut".into()),
        Picture::Forgotten => {
            if alive > limit || dead < limit {
                out.push(format!("between {alive} and {dead} s"));
            }
            let between = TRIED.iter().filter(|s| alive + 0.1 < **s && **s < dead - 0.1).count();
            if between > 0 {
                out.push(format!("the bracket of {alive} to {dead} s is wider than two rungs"));
            }
            if location != Location::Undetermined {
                out.push(format!("the location is {location}: nobody was seen"));
            }
            if idle.cut_by != Some("silence") {
                out.push(format!("cut by {:?}", idle.cut_by));
            }
        }
        _ => {}
    }
    // A limit of silence may be anywhere above what was survived.
    if stage.picture == Picture::Cut && alive > limit + stage.slack_s {
        out.push(format!("{alive} s were survived"));
    }
    // Of several hops the first alone sees the client's.
    if stage.picture == Picture::Forgotten && idle.tcp_keepalive_survives.is_none() {
        out.push("whether TCP keepalive keeps it up is not said".into());
    }
    if !out.is_empty() {
        out.push(format!("{idle:?}"));
    }
    out
}

fn run(stage: &Stage) -> Result<Vec<String>, String> {
    let folder = tempfile::tempdir().map_err(|error| error.to_string())?;
    let write = |name: &str, text: &str| std::fs::write(folder.path().join(name), text);
    let text = |error: std::io::Error| error.to_string();
    let own = if stage.scenario.contains("[inside]") { "" } else { INSIDE };
    write("scenario.toml", &format!("{}{own}", stage.scenario)).map_err(text)?;
    for (name, content) in &stage.files {
        write(name, content).map_err(text)?;
    }
    let runtime =
        tokio::runtime::Builder::new_current_thread().enable_all().build().map_err(text)?;
    let outcome = runtime.block_on(scenario::run(folder.path()))?;
    let verdict = &outcome.diagnosis.verdict;
    Ok(wrong(stage, outcome.diagnosis.idle.as_ref(), verdict.cause, verdict.location))
}

/// Runs this binary again in a namespace whose packet filter forgets connections.
fn run_filtered(stage: &Stage) -> Result<Vec<String>, String> {
    let own = std::env::current_exe().map_err(|error| error.to_string())?;
    let rules = format!(
        "ip link set lo up && sysctl -qw net.netfilter.nf_conntrack_tcp_loose=0 \
         net.netfilter.nf_conntrack_tcp_timeout_established={} && nft 'add table inet lab; \
         add chain inet lab in {{ type filter hook input priority 0; }}; \
         add rule inet lab in meta l4proto tcp ct state invalid drop' && exec \"$@\"",
        stage.limit_s
    );
    let output = Command::new("unshare")
        .args(["--map-root-user", "--net", "sh", "-c", &rules, "sh"])
        .arg(own)
        .args(["--exact", "within_a_namespace", "--nocapture"])
        .env("WSS_HOLDS_WITHIN", stage.limit_s.to_string())
        .env("PATH", format!("{}:/usr/sbin:/sbin", std::env::var("PATH").unwrap_or_default()))
        .output()
        .map_err(|error| format!("unshare: {error}: apt-get install util-linux nftables"))?;
    let said = String::from_utf8_lossy(&output.stdout) + String::from_utf8_lossy(&output.stderr);
    match output.status.success() && said.contains("1 passed") {
        true => Ok(Vec::new()),
        false => Err(said.into_owned()),
    }
}

/// The other half of [`run_filtered`]; alone it has nothing to do.
#[test]
fn within_a_namespace() {
    let Ok(limit) = std::env::var("WSS_HOLDS_WITHIN") else { return };
    let complaints = run(&conntrack(limit.parse().unwrap())).unwrap();
    assert!(complaints.is_empty(), "{complaints:#?}");
}

#[test]
fn the_true_limit_lies_in_the_bracket_and_the_three_pictures_are_told_apart() {
    let all = std::env::var("WSS_HOLDS").is_ok_and(|which| which == "all");
    let only = std::env::var("WSS_HOLDS_ONLY").unwrap_or_default();
    let mut stages = stages(all);
    stages.retain(|stage| stage.name.contains(&only));
    let (count, began) = (stages.len(), std::time::Instant::now());
    let todo: Mutex<VecDeque<Stage>> = Mutex::new(stages.into());
    let failed: Mutex<Vec<String>> = Mutex::default();
    std::thread::scope(|scope| {
        for worker in 0..AT_ONCE.min(count) {
            let (todo, failed) = (&todo, &failed);
            scope.spawn(move || {
                // Handshakes and start-ups are work; the waiting in between is not.
                std::thread::sleep(std::time::Duration::from_millis(250 * worker as u64));
                while let Some(stage) = { todo.lock().unwrap().pop_front() } {
                    let result = if stage.filtered { run_filtered(&stage) } else { run(&stage) };
                    match result {
                        Ok(complaints) if complaints.is_empty() => {}
                        Ok(complaints) => failed.lock().unwrap().push(format!(
                            "{}: {}",
                            stage.name,
                            complaints.join("; ")
                        )),
                        Err(error) => {
                            failed.lock().unwrap().push(format!("{}: {error}", stage.name));
                        }
                    }
                }
            });
        }
    });
    let failed = failed.into_inner().unwrap();
    println!("{count} stages in {:.0} s, {} wrong", began.elapsed().as_secs_f64(), failed.len());
    assert!(failed.is_empty(), "{} of {count}:\n{}", failed.len(), failed.join("\n"));
}
