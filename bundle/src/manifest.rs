//! The bundle's first entry: what this is, from where, and what else is in it.

use crate::target::Target;
use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};

/// The name in [`Format::name`].
pub const FORMAT_NAME: &str = "wss-bundle";
/// Version written by this crate.
pub const FORMAT_MAJOR: u32 = 1;
/// Version written by this crate.
pub const FORMAT_MINOR: u32 = 0;

/// The manifest (`manifest.json`).
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Manifest {
    /// Name and version of the format.
    pub format: Format,
    /// UUID of this bundle; trends count it once.
    pub id: String,
    /// Ties bundles of one problem together.
    pub case: String,
    /// Which side of the corporate network it was collected on.
    pub vantage: Vantage,
    /// What was to be reached.
    pub target: Target,
    /// Who collected.
    pub collector: Collector,
    /// RFC 3339, UTC.
    pub started_at: DateTime<Utc>,
    /// RFC 3339, UTC.
    pub finished_at: DateTime<Utc>,
    /// False when the collection was interrupted.
    pub complete: bool,
    /// The checklist's answers that only a person knows.
    #[serde(default)]
    pub answers: Answers,
    /// Which step ran when, and how it ended.
    pub steps: Vec<StepRecord>,
    /// What the files in `attachments/` are. Filled in by [`mod@crate::write`].
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub attachments: Vec<AttachmentRecord>,
    /// Every other entry of the bundle. Filled in by [`mod@crate::write`].
    pub files: Vec<FileRecord>,
}

/// Name and version of the format.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Format {
    /// Always [`FORMAT_NAME`].
    pub name: String,
    /// A newer major version is refused.
    pub major: u32,
    /// A newer minor version is read.
    pub minor: u32,
}

impl Default for Format {
    fn default() -> Self {
        Self { name: FORMAT_NAME.into(), major: FORMAT_MAJOR, minor: FORMAT_MINOR }
    }
}

/// Which side of the corporate network the machine is on.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Vantage {
    /// On the corporate network: where the browser is.
    Inside,
    /// Elsewhere: a cloud shell, a hotspot.
    Outside,
}

impl Vantage {
    /// `inside` or `outside`.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Inside => "inside",
            Self::Outside => "outside",
        }
    }
}

/// The program that collected.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Collector {
    /// Its version.
    pub version: String,
    /// `linux`, `windows`, `macos`.
    pub os: String,
    /// `x86_64`, `aarch64` …
    pub arch: String,
}

/// What a person said; `null` where nobody did.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct Answers {
    /// `--lb`: proxy or load balancer, and version.
    pub load_balancer: Option<String>,
    /// `--network-path`: what lies between browser and server.
    pub network_path: Option<String>,
    /// `--browser-message`: what the browser's console said.
    pub browser_message: Option<String>,
}

/// One step of the plan, as it ran. Times are milliseconds since `started_at`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct StepRecord {
    /// For people: probe, route and path.
    pub name: String,
    /// Milliseconds since the start of the collection.
    pub start_ms: f64,
    /// Milliseconds.
    pub duration_ms: f64,
    /// How it ended.
    pub outcome: StepOutcome,
    /// Why, for every outcome but `done`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub why: Option<String>,
}

/// How a step ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum StepOutcome {
    /// It ran to its end; what it saw is in the observations.
    Done,
    /// It ran and failed; the failure is in the observations.
    Failed,
    /// It was not run, because it could not have told anything.
    Skipped,
    /// Its deadline passed.
    TimedOut,
    /// The user stopped it.
    Cancelled,
}

/// What a file that the user gave is.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct AttachmentRecord {
    /// Its entry.
    pub path: String,
    /// What it is.
    pub kind: AttachmentKind,
    /// Where it comes from, when that is not where the bundle was collected.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub vantage: Option<Vantage>,
    /// Where the file stood, for files that refer to each other.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub source: Option<String>,
}

/// Kinds of attachments.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum AttachmentKind {
    /// `--config`: a load balancer's or proxy's configuration.
    Configuration,
    /// `--curl-output`: what the page's curl command printed elsewhere.
    CurlOutput,
    /// `--har`: a browser's recording.
    Har,
    /// Not known to this version.
    #[serde(other)]
    Other,
}

/// One entry of the zip.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct FileRecord {
    /// Its name.
    pub path: String,
    /// Size, not compressed.
    pub bytes: u64,
    /// SHA-256, lower-case hex.
    pub sha256: String,
}
