//! Realistic bundles in any number: those of real scenarios, varied in time,
//! customer, device and version, with trends planted among them.
//!
//! The same seed gives the same bundles. `base/` has one bundle of each of the
//! scenarios that bear its name (`wss-lab scenario tests/scenarios/NAME --record
//! DIR` records them anew). What is planted is listed by [`PLANTED`]: nothing
//! else is meant to rise or fall.

mod pages;
mod plan;
mod rich;
mod rows;

pub use plan::{PLANTED, Planted};
pub use rows::fill;

use chrono::Duration;
use include_dir::{Dir, include_dir};
use plan::{Kind, Plan, Spec};
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use wss_analyzer::pool;
use wss_bundle::observation::EndedBy;
use wss_bundle::read::{self, Limits};
use wss_bundle::redact::Redactor;
use wss_bundle::{Bundle, Outcome, Step, write};

static BASE: Dir<'_> = include_dir!("$CARGO_MANIFEST_DIR/src/generate/base");

/// The scenarios' host, which the customers' hosts replace.
const HOST: &str = "bindplane.corp.example";
/// How long the generated collections held their connections, in milliseconds.
const HOLD_MS: f64 = 75_000.0;

/// What was written.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Written {
    /// Bundles, each with an id of its own.
    pub bundles: usize,
    /// The same bundle once more, under another name.
    pub copies: usize,
    /// Files that are no bundles.
    pub bad: usize,
}

/// Texts of a base bundle's parts.
struct Base {
    manifest: String,
    observations: String,
    environment: String,
}

fn bases() -> Result<BTreeMap<String, Base>, String> {
    let mut out = BTreeMap::new();
    for file in BASE.files() {
        let name = file.path().file_stem().unwrap_or_default().to_string_lossy().into_owned();
        let opened = read::bytes(file.contents(), file.path(), &Limits::default());
        let bundle = opened.map_err(|error| error.to_string())?.bundle;
        let text = |value: Result<String, serde_json::Error>| value.map_err(|e| e.to_string());
        let base = Base {
            manifest: text(serde_json::to_string(&bundle.manifest))?,
            observations: text(serde_json::to_string(&bundle.observations))?,
            environment: text(serde_json::to_string(&bundle.environment))?,
        };
        out.insert(name, base);
    }
    Ok(out)
}

/// Writes `count` bundles into `to`, in folders by day (`in/YYYY/MM/DD/`); one
/// file in 300 besides is bad, and one in 200 is a copy.
///
/// # Errors
/// A file that cannot be written; the folder has bundles already.
pub fn generate(count: usize, seed: u64, to: &Path) -> Result<Written, String> {
    generate_with(count, seed, Like::Lab, to)
}

/// How large bundles are.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Like {
    /// As the lab's programs make them.
    Lab,
    /// With pages of so many bytes.
    Pages(usize),
    /// With all that the field gives along (`rich`): several times as large.
    Field,
}

/// The same, of a size of one's choice.
///
/// # Errors
/// As [`generate`].
pub fn generate_with(count: usize, seed: u64, like: Like, to: &Path) -> Result<Written, String> {
    let root = to.join("in");
    if root.exists() {
        return Err(format!("{}: it exists already; choose an empty folder", root.display()));
    }
    let bases = bases()?;
    let mut written = Written::default();
    let work = |(): &mut (), spec: Spec| -> Result<Kind, String> {
        let kind = spec.kind;
        for (path, content) in files(&spec, like, &bases)? {
            let path = root.join(path);
            let at = |error: std::io::Error| format!("{}: {error}", path.display());
            std::fs::create_dir_all(path.parent().unwrap_or(&root)).map_err(at)?;
            std::fs::write(&path, content).map_err(at)?;
        }
        Ok(kind)
    };
    pool::run(
        Plan::new(count, seed),
        pool::threads(),
        || (),
        work,
        |kind| {
            match kind? {
                Kind::Good => written.bundles += 1,
                Kind::Copied => {
                    written.bundles += 1;
                    written.copies += 1;
                }
                Kind::Bad(_) => written.bad += 1,
            }
            Ok::<(), String>(())
        },
    )?;
    Ok(written)
}

/// The files of one spec: names below `in/`, and their content.
fn files(
    spec: &Spec,
    like: Like,
    bases: &BTreeMap<String, Base>,
) -> Result<Vec<(PathBuf, Vec<u8>)>, String> {
    let folder = PathBuf::from(spec.at.format("%Y/%m/%d").to_string());
    let base = bases.get(spec.base).ok_or_else(|| format!("there is no base {}", spec.base))?;
    let mut bundle = bundle(spec, base)?;
    match like {
        Like::Lab => {}
        Like::Pages(bytes) => pages::grow(&mut bundle, bytes, &spec.id),
        Like::Field => rich::enrich(&mut bundle, &spec.id)?,
    }
    let zip = write::bytes(&Redactor::new().bundle(bundle)).map_err(|error| error.to_string())?;
    let named = |suffix: &str| folder.join(format!("{}{suffix}.zip", spec.id));
    Ok(match spec.kind {
        Kind::Good => vec![(named(""), zip)],
        Kind::Copied => vec![(named(""), zip.clone()), (named("-copy"), zip)],
        Kind::Bad(0) => vec![(named(""), Vec::new())],
        Kind::Bad(1) => vec![(named(""), b"<html>Sign in to download</html>".to_vec())],
        Kind::Bad(2) => vec![(named(""), b"age-encryption.org/v1\n-> X25519 x\n".to_vec())],
        Kind::Bad(_) => vec![(named(""), zip[..zip.len().min(700)].to_vec())],
    })
}

/// A base bundle as this customer's.
fn bundle(spec: &Spec, base: &Base) -> Result<Bundle, String> {
    let own = |text: &str| {
        let text = text.replace(HOST, &spec.host);
        match spec.version {
            Some((from, to)) => text.replace(from, to),
            None => text,
        }
    };
    fn parsed<T: serde::de::DeserializeOwned>(text: &str) -> Result<T, String> {
        serde_json::from_str(text).map_err(|error| error.to_string())
    }
    let mut bundle = Bundle {
        manifest: parsed(&own(&base.manifest))?,
        observations: parsed(&own(&base.observations))?,
        environment: parsed(&own(&base.environment))?,
        attachments: Vec::new(),
        redactions: Vec::new(),
        defects: Vec::new(),
    };
    let manifest = &mut bundle.manifest;
    let took = manifest.finished_at - manifest.started_at;
    manifest.id = spec.id.clone();
    manifest.case = spec.case.clone();
    manifest.vantage = spec.vantage;
    manifest.collector.version = spec.collector.to_owned();
    manifest.collector.os = spec.os.to_owned();
    manifest.started_at = spec.at;
    manifest.finished_at = spec.at + took;
    manifest.answers.network_path =
        spec.path_said.then(|| "laptop > VPN > office > cloud".to_owned());
    for observation in &mut bundle.observations.observations {
        let Step::Hold(hold) = &mut observation.step else { continue };
        // The lab's holds are short; the field's last as long as the default.
        hold.planned_ms = HOLD_MS;
        if let Outcome::Ok(held) = &mut hold.result {
            held.held_ms = match spec.cut_ms {
                Some(cut) if held.ending.how != EndedBy::StillOpen => cut,
                _ => HOLD_MS,
            };
        }
    }
    let held_s = bundle.observations.observations.iter().any(|o| matches!(o.step, Step::Hold(_)));
    if held_s {
        bundle.manifest.finished_at += Duration::seconds(75);
    }
    Ok(bundle)
}
