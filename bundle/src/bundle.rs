//! A bundle in memory: what the diagnosis looks at.

use crate::format::entry;
use crate::manifest::AttachmentKind;
use crate::{Environment, Manifest, Observations, Vantage};
use serde::{Deserialize, Serialize};

/// Everything of a bundle that a diagnosis needs. Freshly collected, or read
/// from a zip; in both cases without secrets.
#[derive(Debug, Clone, PartialEq)]
pub struct Bundle {
    /// What this is, and from where.
    pub manifest: Manifest,
    /// What happened on the network.
    pub observations: Observations,
    /// The machine.
    pub environment: Environment,
    /// What the user gave, by name. Names are unique in what was redacted or read.
    pub attachments: Vec<Attachment>,
    /// What was removed.
    pub redactions: Vec<Redaction>,
    /// What is wrong with the zip it was read from.
    pub defects: Vec<Defect>,
}

/// A file that the user gave (`attachments/`).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Attachment {
    /// File name, without folders.
    pub name: String,
    /// What it is.
    pub kind: AttachmentKind,
    /// Where it comes from, when that is not where the bundle was collected.
    pub vantage: Option<Vantage>,
    /// Where the file stood, for files that refer to each other.
    pub path: Option<String>,
    /// Content.
    pub bytes: Vec<u8>,
}

impl Attachment {
    /// What an entry holds, as the manifest has it; `None` where the entry is no attachment.
    #[must_use]
    pub fn of_entry(path: &str, bytes: Vec<u8>, manifest: &Manifest) -> Option<Self> {
        let record = manifest.attachments.iter().find(|record| record.path == path);
        Some(Self {
            name: path.strip_prefix(entry::ATTACHMENTS)?.to_owned(),
            kind: record.map_or(AttachmentKind::Other, |record| record.kind),
            vantage: record.and_then(|record| record.vantage),
            path: record.and_then(|record| record.source.clone()),
            bytes,
        })
    }
}

/// One kind of removal at one place. Never the value.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct Redaction {
    /// Entry of the zip.
    pub entry: String,
    /// Where in it: `o12 response header set-cookie`, `line 4` …
    pub place: String,
    /// `cookie-value`, `header-value`, `query-value`, `secret-given`, `token-like` …
    pub kind: String,
    /// How many.
    pub count: u64,
}

/// Something wrong with a bundle that did not prevent reading the rest.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Defect {
    /// Entry of the zip, where it is about one.
    pub entry: Option<String>,
    /// Stable name: `sha256-mismatch`, `missing-entry`, `unknown-entry` …
    pub kind: String,
    /// For people.
    pub detail: String,
    /// Where in the zip: the entry's own header, or what is wrong outside of entries.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub offset: Option<u64>,
}

impl std::fmt::Display for Defect {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{}: ", self.kind)?;
        if let Some(entry) = &self.entry {
            write!(f, "{entry}: ")?;
        }
        f.write_str(&self.detail)?;
        match self.offset {
            Some(offset) => write!(f, " (at byte {offset} of the zip)"),
            None => Ok(()),
        }
    }
}
