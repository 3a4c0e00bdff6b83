//! Scenarios: a folder each, with what runs and what an expert would say. The
//! real collector's probes run against it, its bundle goes through the real
//! redactor, writer and reader, and the real diagnosis judges what comes out.

mod around;
mod check;
mod collect;
pub mod config;
mod desktop;
pub(crate) mod dns;
pub(crate) mod program;
pub mod summary;

use crate::lab::ca::Pki;
use crate::lab::config::{CertificateKind, CutConfig, FirewallMode, TlsConfig};
use crate::lab::{Lab, Side};
use crate::real::{Product, Real, closed_port};
use config::{GorillaConfig, RealConfig, Scenario};
use std::collections::BTreeMap;
use std::net::{Ipv4Addr, SocketAddr};
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU32, Ordering};
use wss_bundle::{Bundle, Vantage};
use wss_diagnosis::{Diagnosis, diagnose};

/// What a scenario came to.
pub struct Outcome {
    /// The scenario.
    pub scenario: Scenario,
    /// What was collected.
    pub bundles: Vec<Bundle>,
    /// The verdict on it.
    pub diagnosis: Diagnosis,
    /// Seconds that the first collection took.
    pub took_s: f64,
    /// The collector's exit code after it.
    pub exit: u8,
    versions: Vec<(Product, Option<String>)>,
}

/// Every scenario's folder, by name.
///
/// # Errors
/// There is none.
pub fn all(root: &Path) -> Result<Vec<PathBuf>, String> {
    let mut folders: Vec<PathBuf> = std::fs::read_dir(root)
        .map_err(|error| format!("{}: {error}", root.display()))?
        .filter_map(|entry| Some(entry.ok()?.path()))
        .filter(|path| path.is_dir())
        .collect();
    folders.sort();
    if folders.is_empty() {
        return Err(format!("{}: no scenario in it", root.display()));
    }
    Ok(folders)
}

/// Runs a scenario.
///
/// # Errors
/// It could not be run: a file that is not understood, a server that does not start.
pub async fn run(folder: &Path) -> Result<Outcome, String> {
    run_as(folder, read(folder)?).await
}

/// Runs a scenario of a folder, changed by the caller.
///
/// # Errors
/// As [`run`].
pub async fn run_as(folder: &Path, scenario: Scenario) -> Result<Outcome, String> {
    let (lab, origin) = lab_of(&scenario).await?;
    let row = row(folder, &scenario, &lab)?;
    let front = row.first().map_or_else(|| lab.front(), |real| real.addr);
    let middle = scenario.middle.as_ref();
    let middle = middle.map(|real| start(folder, real, &lab, front)).transpose()?;
    let via = scenario.via.as_ref();
    let via = via.map(|real| start(folder, real, &lab, front)).transpose()?;
    let given: Vec<PathBuf> = scenario
        .front
        .iter()
        .zip(&row)
        .filter(|(wanted, _)| wanted.given)
        .map(|(_, real)| real.config_file())
        .collect();
    let wanted = scenario.via.as_ref().is_some_and(|real| real.around);
    let _around = match wanted {
        true => Some(around::Relay::start(lab.addr().port(), front).await?),
        false => None,
    };
    let mut bundles = Vec::new();
    let (mut took_s, mut exit) = (None, None);
    for (vantage, side, wanted) in [
        (Vantage::Inside, Side::Inside, &scenario.inside),
        (Vantage::Outside, Side::Outside, &scenario.outside),
    ] {
        let Some(wanted) = wanted else { continue };
        let first = row.first().map(|real| real.addr);
        let before = middle.as_ref().filter(|_| side == Side::Inside).map(|real| real.addr);
        stand(&lab, side, &scenario, before.or(first)).await?;
        let began = std::time::Instant::now();
        let collecting = collect::collect(&scenario, &lab, via.as_ref(), &given, vantage, wanted);
        let (bundle, code) = tokio::select! {
            biased;
            collected = collecting => collected?,
            failed = signals(&scenario.front, &row) => return Err(failed),
        };
        bundles.push(bundle);
        took_s.get_or_insert(began.elapsed().as_secs_f64());
        exit.get_or_insert(code);
    }
    let diagnosis = diagnose(&bundles);
    let versions = row
        .into_iter()
        .chain([middle, via, origin].into_iter().flatten())
        .map(|real| (real.product, real.product.version()))
        .collect();
    let nobody = "neither inside nor outside is in it";
    let (took_s, exit) = (took_s.ok_or(nobody)?, exit.ok_or(nobody)?);
    Ok(Outcome { scenario, bundles, diagnosis, took_s, exit, versions })
}

/// Sends the servers the signals that they are to get; comes to an end where that fails.
async fn signals(wanted: &[RealConfig], row: &[Real]) -> String {
    for (real, running) in wanted.iter().zip(row) {
        let Some(signal) = &real.signal else { continue };
        tokio::time::sleep(std::time::Duration::from_millis(signal.after_ms)).await;
        if let Err(error) = running.signal(&signal.name) {
            return error;
        }
    }
    std::future::pending().await
}

/// A scenario's lab, and the real origin behind it, where the scenario has one.
///
/// # Errors
/// One of them does not start.
pub async fn lab_of(scenario: &Scenario) -> Result<(Lab, Option<Real>), String> {
    let (mut origin, mut failed) = (None, None);
    let mut lab_config = scenario.lab.clone();
    if scenario.gorilla.as_ref().is_some_and(|gorilla| gorilla.tls) {
        // What stands in front then speaks TLS to it.
        lab_config.origin.tls = Some(TlsConfig::default());
    }
    let place = |dir: &Path, pki: &Pki| {
        let Some(wanted) = &scenario.gorilla else { return Ok(None) };
        let started = gorilla(wanted, &scenario.lab.host, dir, pki);
        origin = started.map_err(|error| failed = Some(error)).ok();
        Ok(origin.as_ref().map(|real| real.addr))
    };
    let lab = Lab::start_before(&lab_config, place).await;
    let lab = lab.map_err(|error| format!("lab: {error}"))?;
    match failed {
        Some(error) => Err(error),
        None => Ok((lab, origin)),
    }
}

/// What a folder's `scenario.toml` says.
///
/// # Errors
/// It is not there, or not understood.
pub fn read(folder: &Path) -> Result<Scenario, String> {
    let file = folder.join("scenario.toml");
    let text =
        std::fs::read_to_string(&file).map_err(|error| format!("{}: {error}", file.display()))?;
    toml::from_str(&text).map_err(|error| format!("{}: {error}", file.display()))
}

/// The real servers in front, each with the next one behind it.
fn row(folder: &Path, scenario: &Scenario, lab: &Lab) -> Result<Vec<Real>, String> {
    let mut row: Vec<Real> = Vec::new();
    for real in scenario.front.iter().rev() {
        let backend = row.first().map_or_else(|| lab.front(), |next| next.addr);
        row.insert(0, start(folder, real, lab, backend)?);
    }
    Ok(row)
}

/// The real origin.
pub(crate) fn gorilla(
    wanted: &GorillaConfig,
    host: &str,
    dir: &Path,
    pki: &Pki,
) -> Result<Real, String> {
    let (mut cert, mut key) = (String::new(), String::new());
    if wanted.tls {
        let files = pki.write_identity("gorilla", host, CertificateKind::Valid);
        let (chain, private) = files.map_err(|error| error.to_string())?;
        (cert, key) = (chain.display().to_string(), private.display().to_string());
    }
    readable(dir).map_err(|error| error.to_string())?;
    let config = serde_json::json!({
        "listen": "127.0.0.1:{port}", "cert": cert, "key": key, "paths": wanted.paths,
        "origin": wanted.origin, "user": wanted.user, "newer": wanted.newer,
        "version": wanted.version, "delayms": wanted.delay_ms, "hangup": wanted.hangup,
        "compress": wanted.compress,
    });
    Real::start(Product::Gorilla, &config.to_string(), &BTreeMap::new())
}

/// Puts the client on a side, with a real server at the shared address.
async fn stand(
    lab: &Lab,
    side: Side,
    scenario: &Scenario,
    front: Option<SocketAddr>,
) -> Result<(), String> {
    lab.stand(side).await.map_err(|error| format!("firewall: {error}"))?;
    let Some(front) = front else { return Ok(()) };
    let firewall = &scenario.lab.firewall;
    let (mode, cut): (FirewallMode, CutConfig) = match side {
        Side::Inside => (firewall.inside, firewall.cut),
        Side::Outside => (firewall.outside, CutConfig::default()),
    };
    lab.firewall.set(mode, front, cut).await.map_err(|error| format!("firewall: {error}"))
}

/// A real server with a scenario's configuration, in front of a lab.
///
/// # Errors
/// As [`run`].
pub fn start_real(folder: &Path, server: Product, config: &str, lab: &Lab) -> Result<Real, String> {
    let certificate = CertificateKind::Valid;
    let config = config.to_owned();
    let real = RealConfig {
        server,
        config,
        given: false,
        certificate,
        arguments: Vec::new(),
        signal: None,
        around: false,
    };
    start(folder, &real, lab, lab.front())
}

fn start(folder: &Path, real: &RealConfig, lab: &Lab, backend: SocketAddr) -> Result<Real, String> {
    let file = folder.join(&real.config);
    let template =
        std::fs::read_to_string(&file).map_err(|error| format!("{}: {error}", file.display()))?;
    let mut values = values(lab, real.certificate, backend)?;
    if real.around {
        let hosts = lab.dir().join("hosts-around");
        let line = format!("{} {}\n", around::ADDRESS, lab.host);
        std::fs::write(&hosts, line).map_err(|error| error.to_string())?;
        readable(lab.dir()).map_err(|error| error.to_string())?;
        values.insert("hosts", hosts.display().to_string());
    }
    // Other files of the scenario, for servers that run elsewhere.
    let folder = folder.canonicalize().map_err(|error| error.to_string())?;
    values.insert("folder", folder.display().to_string());
    Real::start_with(real.server, &real.arguments, &template, &values)
}

/// What a configuration may name, with files of its own for it.
///
/// # Errors
/// A file could not be written.
pub fn values(
    lab: &Lab,
    certificate: CertificateKind,
    backend: SocketAddr,
) -> Result<BTreeMap<&'static str, String>, String> {
    static NUMBER: AtomicU32 = AtomicU32::new(0);
    let text = |error: std::io::Error| error.to_string();
    let shown = |path: &Path| path.display().to_string();
    // Each server has certificates of its own: one that reads them late must
    // not find its neighbour's.
    let number = NUMBER.fetch_add(1, Ordering::Relaxed);
    let identity = |name: &str, kind| {
        let (cert, key) =
            lab.pki.write_identity(&format!("{name}{number}"), &lab.host, kind).map_err(text)?;
        let pem = lab.dir().join(format!("{name}{number}-both.pem"));
        let both = [&cert, &key].map(|p| std::fs::read_to_string(p).unwrap_or_default());
        std::fs::write(&pem, both.concat()).map_err(text)?;
        Ok::<_, String>([shown(&cert), shown(&key), shown(&pem)])
    };
    let [cert, key, pem] = identity("front", certificate)?;
    let [forged, forged_key, forged_pem] = identity("forged", CertificateKind::Corporate)?;
    let corporate = lab.dir().join("corporate-both.pem");
    std::fs::write(&corporate, lab.pki.corporate.pem() + &lab.pki.corporate.key_pem())
        .map_err(text)?;
    let hosts = lab.dir().join(format!("hosts{number}"));
    std::fs::write(&hosts, format!("{} {}\n", Ipv4Addr::LOCALHOST, lab.host)).map_err(text)?;
    readable(lab.dir()).map_err(text)?;
    Ok(BTreeMap::from([
        ("backend", backend.to_string()),
        ("backend-port", backend.port().to_string()),
        ("host", lab.host.clone()),
        ("cert", cert),
        ("key", key),
        ("pem", pem),
        ("forged", forged),
        ("forged-key", forged_key),
        ("forged-pem", forged_pem),
        ("corporate", shown(&corporate)),
        ("ca", shown(&lab.pki.ca_file())),
        ("hosts", shown(&hosts)),
        ("closed", closed_port().map_err(text)?.to_string()),
    ]))
}

/// Servers that give up root read the lab's files as somebody else.
pub(crate) fn readable(folder: &Path) -> std::io::Result<()> {
    use std::os::unix::fs::PermissionsExt;
    std::fs::set_permissions(folder, std::fs::Permissions::from_mode(0o755))?;
    for entry in std::fs::read_dir(folder)? {
        let path = entry?.path();
        if path.is_file() {
            std::fs::set_permissions(&path, std::fs::Permissions::from_mode(0o644))?;
        }
    }
    Ok(())
}

/// The bundle of a collection without lab, certificates and proxies, for
/// comparisons with other programs.
///
/// # Errors
/// The URL or path is not understood.
pub async fn collect_plain(url: &str, path: &str) -> Result<Bundle, String> {
    collect::plain(url, path).await
}
