//! Scenarios: a folder each, with what runs and what an expert would say. The
//! real collector's probes run against it, its bundle goes through the real
//! redactor, writer and reader, and the real diagnosis judges what comes out.

mod check;
mod collect;

use crate::lab::config::{CutConfig, FirewallMode};
use crate::lab::{Lab, LabConfig, Side};
use crate::real::{Product, Real};
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use wss_bundle::{Bundle, Vantage};
use wss_diagnosis::{Diagnosis, diagnose};

/// `scenario.toml`.
#[derive(Debug, Clone, serde::Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub struct Scenario {
    /// What it is about, in a sentence.
    pub about: String,
    /// `https` or `http`.
    #[serde(default = "https")]
    pub scheme: String,
    /// Paths to try; the collector's own when empty.
    #[serde(default)]
    pub paths: Vec<String>,
    /// As `--hold`.
    #[serde(default = "zero")]
    pub hold: String,
    /// As `--timeout`.
    #[serde(default = "two_seconds")]
    pub timeout: String,
    /// Servers in this process.
    #[serde(default)]
    pub lab: LabConfig,
    /// A real server in front of them, at the address that both sides see.
    pub front: Option<RealConfig>,
    /// A real forward proxy.
    pub via: Option<RealConfig>,
    /// The run from inside.
    pub inside: Option<Run>,
    /// The run from outside.
    pub outside: Option<Run>,
    /// What an expert would say.
    pub expect: Expect,
}

fn https() -> String {
    "https".into()
}

fn zero() -> String {
    "0".into()
}

fn two_seconds() -> String {
    "2s".into()
}

/// A real server.
#[derive(Debug, Clone, serde::Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub struct RealConfig {
    /// Which.
    pub server: Product,
    /// Its configuration, a file in the scenario's folder.
    pub config: String,
}

/// One collection.
#[derive(Debug, Clone, Default, serde::Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields, default)]
pub struct Run {
    /// Variables; `{proxy}` and `{via}` stand for the proxies' addresses.
    pub env: BTreeMap<String, String>,
    /// Whom this machine trusts.
    pub trust: Trust,
    /// `-u`
    pub user: Option<String>,
    /// The port that is tried, where it is not the lab's: nobody listens on it.
    pub closed_port: bool,
}

/// Whom a machine trusts.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, serde::Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Trust {
    /// The lab's authority and the corporate one, as a managed machine does.
    #[default]
    Managed,
    /// The lab's alone.
    Lab,
}

/// What an expert would say.
#[derive(Debug, Clone, serde::Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub struct Expect {
    /// `working`, `unstable`, `broken`, `unknown`.
    pub status: String,
    /// The cause's slug.
    pub cause: String,
    /// Whose it is.
    pub location: String,
    /// At least so sure.
    #[serde(default = "low")]
    pub confidence: String,
    /// A product on the path, with the real server's version where it shows it.
    pub device: Option<String>,
    /// Whether the device's version must be the real server's.
    #[serde(default)]
    pub version: bool,
    /// Rules that must have something to say.
    #[serde(default)]
    pub rules: Vec<String>,
    /// The most that the collection from inside may take, in seconds.
    pub within_s: Option<f64>,
}

fn low() -> String {
    "low".into()
}

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
    let text = std::fs::read_to_string(folder.join("scenario.toml"))
        .map_err(|error| format!("{}: {error}", folder.display()))?;
    let scenario: Scenario =
        toml::from_str(&text).map_err(|error| format!("{}: {error}", folder.display()))?;
    let lab = Lab::start(&scenario.lab).await.map_err(|error| format!("lab: {error}"))?;
    let front = scenario.front.as_ref().map(|real| start(folder, real, &lab)).transpose()?;
    let via = scenario.via.as_ref().map(|real| start(folder, real, &lab)).transpose()?;
    let mut bundles = Vec::new();
    let mut took_s = None;
    for (vantage, side, wanted) in [
        (Vantage::Inside, Side::Inside, &scenario.inside),
        (Vantage::Outside, Side::Outside, &scenario.outside),
    ] {
        let Some(wanted) = wanted else { continue };
        stand(&lab, side, &scenario, front.as_ref()).await?;
        let began = std::time::Instant::now();
        bundles.push(collect::collect(&scenario, &lab, via.as_ref(), vantage, wanted).await?);
        took_s.get_or_insert(began.elapsed().as_secs_f64());
    }
    let diagnosis = diagnose(&bundles);
    let versions = [front, via]
        .into_iter()
        .flatten()
        .map(|real| (real.product, real.product.version()))
        .collect();
    let took_s = took_s.ok_or("neither inside nor outside is in it")?;
    Ok(Outcome { scenario, bundles, diagnosis, took_s, versions })
}

/// Puts the client on a side, with the real server at the shared address.
async fn stand(
    lab: &Lab,
    side: Side,
    scenario: &Scenario,
    front: Option<&Real>,
) -> Result<(), String> {
    lab.stand(side).await.map_err(|error| format!("firewall: {error}"))?;
    let Some(front) = front else { return Ok(()) };
    let firewall = &scenario.lab.firewall;
    let (mode, cut): (FirewallMode, CutConfig) = match side {
        Side::Inside => (firewall.inside, firewall.cut),
        Side::Outside => (firewall.outside, CutConfig::default()),
    };
    lab.firewall.set(mode, front.addr, cut).await.map_err(|error| format!("firewall: {error}"))
}

/// A real server with a scenario's configuration, in front of a lab.
///
/// # Errors
/// As [`run`].
pub fn start_real(folder: &Path, server: Product, config: &str, lab: &Lab) -> Result<Real, String> {
    start(folder, &RealConfig { server, config: config.to_owned() }, lab)
}

fn start(folder: &Path, real: &RealConfig, lab: &Lab) -> Result<Real, String> {
    let file = folder.join(&real.config);
    let template =
        std::fs::read_to_string(&file).map_err(|error| format!("{}: {error}", file.display()))?;
    let text = |error: std::io::Error| error.to_string();
    let kind = crate::lab::config::CertificateKind::Valid;
    let (cert, key) = lab.pki.write_identity("front", &lab.host, kind).map_err(text)?;
    let pem = lab.dir().join("front-both.pem");
    let both = [&cert, &key].map(|p| std::fs::read_to_string(p).unwrap_or_default());
    std::fs::write(&pem, both.concat()).map_err(text)?;
    let corporate = lab.dir().join("corporate-both.pem");
    std::fs::write(&corporate, lab.pki.corporate.pem() + &lab.pki.corporate.key_pem())
        .map_err(text)?;
    let hosts = lab.dir().join("hosts");
    std::fs::write(&hosts, format!("127.0.0.1 {}\n", lab.host)).map_err(text)?;
    readable(lab.dir()).map_err(text)?;
    let backend = lab.lb.as_ref().map_or(lab.origin.addr, |lb| lb.addr);
    let shown = |path: &Path| path.display().to_string();
    let values = BTreeMap::from([
        ("backend", backend.to_string()),
        ("backend-port", backend.port().to_string()),
        ("host", lab.host.clone()),
        ("cert", shown(&cert)),
        ("key", shown(&key)),
        ("pem", shown(&pem)),
        ("corporate", shown(&corporate)),
        ("ca", shown(&lab.pki.ca_file())),
        ("hosts", shown(&hosts)),
        ("closed", crate::real::closed_port().map_err(text)?.to_string()),
    ]);
    Real::start(real.server, &template, &values)
}

/// Servers that give up root read the lab's files as somebody else.
fn readable(folder: &Path) -> std::io::Result<()> {
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
