//! The bundle's first entry: what this is, from where, and what else is in it.

use crate::format;
use crate::shell::quote;
use crate::target::Target;
use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};

/// The manifest (`manifest.json`).
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Manifest {
    /// Name and version of the format.
    pub format: Format,
    /// UUID of this bundle; trends count it once.
    pub id: String,
    /// Ties bundles of one problem together.
    pub case: String,
    /// The ticket that it belongs to (`--ticket`).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub ticket: Option<String>,
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
    /// Options without which the same command would not do the same again.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub options: Vec<GivenOption>,
    /// What was given and could not be used.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub not_used: Vec<NotUsed>,
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
    /// Always [`format::NAME`].
    pub name: String,
    /// A newer major version is refused.
    pub major: u32,
    /// A newer minor version is read.
    pub minor: u32,
}

impl Default for Format {
    fn default() -> Self {
        Self { name: format::NAME.into(), major: format::MAJOR, minor: format::MINOR }
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

/// An option that the collection was given, without what is secret of it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct GivenOption {
    /// Its name: `--cacert`, `-H`.
    pub option: String,
    /// Its value; of a header the name, of a proxy the URL without credentials.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub value: Option<String>,
    /// Whether something secret belongs to it, which is not here.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub secret: bool,
}

impl GivenOption {
    /// An option with its value, of which nothing is secret.
    #[must_use]
    pub fn new(option: &str, value: impl Into<String>) -> Self {
        Self { option: option.to_owned(), value: Some(value.into()), secret: false }
    }

    /// Whether it belongs to the request or the case, and so to a run from another place as
    /// well. Proxies, addresses and names are those of one place.
    #[must_use]
    pub fn of_the_request(&self) -> bool {
        const REQUEST: [&str; 8] =
            ["--cacert", "--cert", "--key", "-H", "-u", "--timeout", "--encrypt-to", "--ticket"];
        REQUEST.contains(&self.option.as_str())
    }

    /// Whether curl has it, too.
    #[must_use]
    pub fn is_curls(&self) -> bool {
        !matches!(self.option.as_str(), "--timeout" | "--encrypt-to" | "--obfuscate" | "--ticket")
    }

    /// As it stands in a command, for a POSIX shell: placeholders in capitals for
    /// what is not here.
    #[must_use]
    pub fn words(&self) -> String {
        // It comes from a file: an option's name is letters.
        let option: String =
            self.option.chars().filter(|c| c.is_ascii_alphanumeric() || *c == '-').collect();
        let value = match (&self.value, self.secret) {
            (None, false) => return option,
            (None, true) => "USER:PASSWORD".to_owned(),
            (Some(name), true) if option == "-H" => quote(&format!("{name}: VALUE")),
            (Some(url), true) => {
                let (scheme, rest) = url.split_once("://").unwrap_or(("http", url));
                quote(&format!("{scheme}://USER:PASSWORD@{rest}"))
            }
            (Some(value), false) => match value.strip_prefix("~/") {
                // The shell opens it outside of quotes alone.
                Some(rest) => format!("~/{}", quote(rest)),
                None => quote(value),
            },
        };
        format!("{option} {value}")
    }
}

/// Something that the user gave and that could not be used. It never ends a run:
/// who gave it asks what became of it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct NotUsed {
    /// The option: `--har`, `--config`, `--curl-output`, `--browser-message`.
    pub option: String,
    /// The file's name, or the beginning of the text.
    pub name: String,
    /// Why, as a sentence without its full stop that is about it: `it is UTF-16`.
    pub reason: String,
    /// What would be usable, and how to get it: a sentence, or a command.
    #[serde(default)]
    pub instead: String,
}

impl std::fmt::Display for NotUsed {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{} {}: {}", self.option, self.name, self.reason)?;
        if self.instead.is_empty() { Ok(()) } else { write!(f, "; {}", self.instead) }
    }
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
