//! `wss-lab demo`: the main job, end to end, with nothing to configure. A
//! Bindplane-like server behind a load balancer and a firewall; a corporate
//! proxy that opens TLS and drops `Upgrade`; the real collector inside and
//! outside; the real analyzer on both bundles.
//!
//! The programs are run as their users run them, and what they say is checked.
#![allow(clippy::print_stdout, clippy::print_stderr, reason = "this is the demo's screen")]

use crate::lab::config::{
    FirewallConfig, FirewallMode, HopUpgrade, InterceptConfig, LbConfig, ProxyConfig, TlsConfig,
};
use crate::lab::{Lab, LabConfig, Side};
use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};

/// Variables that would send the demo's traffic elsewhere.
const PROXY_VARIABLES: [&str; 8] = [
    "http_proxy",
    "HTTP_PROXY",
    "https_proxy",
    "HTTPS_PROXY",
    "all_proxy",
    "ALL_PROXY",
    "no_proxy",
    "NO_PROXY",
];

struct Programs {
    collector: PathBuf,
    analyzer: PathBuf,
    folder: PathBuf,
}

/// Runs the demo.
///
/// # Errors
/// A sentence that says what did not work.
pub fn run() -> Result<(), String> {
    let programs = programs()?;
    let runtime = tokio::runtime::Runtime::new().map_err(|error| error.to_string())?;
    runtime.block_on(scenes(&programs))
}

/// Builds both programs, and finds them beside this one.
fn programs() -> Result<Programs, String> {
    let own = std::env::current_exe().map_err(|error| error.to_string())?;
    let folder = own.parent().ok_or("this program has no folder")?.to_owned();
    eprintln!("Building wss-collector and wss-analyzer (a few minutes the first time) ...");
    let cargo = std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into());
    let mut build = Command::new(cargo);
    // With this program among them, the features are those that its libraries were built
    // with; and without what `cargo run` says of it, build scripts are not run again.
    build.args(["build", "-p", "wss-collector", "-p", "wss-analyzer", "-p", "wss-lab"]);
    for (name, _) in std::env::vars_os() {
        let of_package = name.to_str().is_some_and(|name| {
            name.starts_with("CARGO_PKG_") || name.starts_with("CARGO_MANIFEST_")
        });
        if of_package {
            build.env_remove(name);
        }
    }
    if folder.ends_with("release") {
        build.arg("--release");
    }
    build.current_dir(concat!(env!("CARGO_MANIFEST_DIR"), "/.."));
    let built = build.status().map_err(|error| format!("cargo cannot be run: {error}"))?;
    if !built.success() {
        return Err("the programs could not be built".to_owned());
    }
    let demo = folder.parent().ok_or("the build has no folder")?.join("demo");
    std::fs::create_dir_all(&demo).map_err(|error| format!("{}: {error}", demo.display()))?;
    let program = |name: &str| folder.join(format!("{name}{}", std::env::consts::EXE_SUFFIX));
    Ok(Programs {
        collector: program("wss-collector"),
        analyzer: program("wss-analyzer"),
        folder: demo,
    })
}

/// The page that judges in the browser, where `packaging/page` has built it.
fn page() -> Option<PathBuf> {
    let page = Path::new(env!("CARGO_MANIFEST_DIR")).join("../dist/wss-report.html");
    page.canonicalize().ok()
}

/// A network in which a console's WebSocket fails inside, and works outside.
fn network() -> LabConfig {
    LabConfig {
        lb: Some(LbConfig { tls: Some(TlsConfig::default()), ..LbConfig::default() }),
        firewall: FirewallConfig { inside: FirewallMode::Reset, ..FirewallConfig::default() },
        proxy: Some(ProxyConfig {
            intercept: Some(InterceptConfig::default()),
            upgrade: HopUpgrade::Strip,
            headers: vec!["Via: 1.1 webgw.corp.example".into()],
            ..ProxyConfig::default()
        }),
        ..LabConfig::default()
    }
}

async fn scenes(programs: &Programs) -> Result<(), String> {
    let text = |error: std::io::Error| format!("the lab cannot be started: {error}");
    let lab = Lab::start(&network()).await.map_err(text)?;
    let proxy = lab.proxy_url().ok_or("the lab has no proxy")?;
    println!("A Bindplane-like server behind a load balancer: {}", lab.target());
    println!("A corporate proxy that opens TLS and drops Upgrade: {proxy}");

    println!("\n== Inside: a proxy is set, and the firewall resets everything else ==");
    let inside = programs.folder.join("inside.zip");
    let env = [("https_proxy", proxy)];
    collect(programs, &lab, "inside", &inside, &env, 1).await?;

    println!("\n== Outside: no proxy, nothing in the way ==");
    lab.stand(Side::Outside).await.map_err(text)?;
    let outside = programs.folder.join("outside.zip");
    collect(programs, &lab, "outside", &outside, &[], 0).await?;

    let report = programs.folder.join("report.html");
    analyze(programs, &inside, &outside, &report).await?;
    if let Some(page) = page() {
        println!("\nBoth bundles can be dropped into this page as well: {}", page.display());
    }
    println!("\n{}\n{}\n{}", inside.display(), outside.display(), report.display());
    Ok(())
}

/// Runs the demo's network until Ctrl-C, and says how to use it by hand.
///
/// # Errors
/// A sentence that says what did not work.
pub fn serve() -> Result<(), String> {
    let runtime = tokio::runtime::Runtime::new().map_err(|error| error.to_string())?;
    runtime.block_on(async {
        let text = |error: std::io::Error| format!("the lab cannot be started: {error}");
        let lab = Lab::start(&network()).await.map_err(text)?;
        let proxy = lab.proxy_url().ok_or("the lab has no proxy")?;
        println!("# Inside; in another terminal:");
        println!("export https_proxy={proxy}");
        println!(
            "wss-collector --hold 2s --resolve {} --cacert {} {}",
            lab.resolve(),
            lab.trust_file().display(),
            lab.target()
        );
        println!("# Ctrl-C ends it.");
        tokio::signal::ctrl_c().await.map_err(|error| error.to_string())
    })
}

/// Runs a program, its output passed through, without blocking the servers.
async fn pass_through(mut command: Command) -> Result<i32, String> {
    let shown = format!("{command:?}");
    let status = tokio::task::spawn_blocking(move || command.stdin(Stdio::null()).status())
        .await
        .map_err(|error| error.to_string())?
        .map_err(|error| format!("{shown}: {error}"))?;
    Ok(status.code().unwrap_or(-1))
}

async fn collect(
    programs: &Programs,
    lab: &Lab,
    vantage: &str,
    bundle: &Path,
    env: &[(&str, String)],
    expected: i32,
) -> Result<(), String> {
    let mut command = Command::new(&programs.collector);
    for name in PROXY_VARIABLES {
        command.env_remove(name);
    }
    command.envs(env.iter().map(|(name, value)| (name, value)));
    command.args(["--vantage", vantage, "--case", "demo", "--no-input", "--force", "--hold", "2s"]);
    command.args(["--resolve", &lab.resolve()]);
    command.arg("--cacert").arg(lab.trust_file()).arg("-o").arg(bundle).arg(lab.target());
    match pass_through(command).await? {
        code if code == expected => Ok(()),
        code => Err(format!("the collector's exit code {vantage} was {code}, not {expected}")),
    }
}

async fn analyze(
    programs: &Programs,
    inside: &Path,
    outside: &Path,
    report: &Path,
) -> Result<(), String> {
    println!("\n== The analyzer on both bundles ==");
    let mut html = Command::new(&programs.analyzer);
    html.arg("report").arg(inside).arg(outside).arg("-o").arg(report);
    let code = pass_through(html).await?;
    if code != 0 {
        return Err(format!("the analyzer's exit code was {code}"));
    }
    let json = Command::new(&programs.analyzer)
        .args(["report", "--format", "json"])
        .arg(inside)
        .arg(outside)
        .output();
    let Output { stdout, stderr, .. } = json.map_err(|error| error.to_string())?;
    let diagnosis: serde_json::Value = serde_json::from_slice(&stdout)
        .map_err(|error| format!("no JSON ({error}): {}", String::from_utf8_lossy(&stderr)))?;
    let verdict = &diagnosis["verdict"];
    println!("verdict: {} ({}, {})", verdict["cause"], verdict["location"], verdict["confidence"]);
    println!("{}", verdict["summary"].as_str().unwrap_or_default());
    if verdict["cause"] != "proxy-blocks-websocket" || verdict["location"] != "client-network" {
        return Err(format!(
            "the verdict should be proxy-blocks-websocket in client-network, and is {} in {}",
            verdict["cause"], verdict["location"]
        ));
    }
    Ok(())
}
