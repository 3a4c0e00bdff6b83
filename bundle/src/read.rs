//! Zip → bundle, of whatever somebody sent. Nothing is extracted to disk.
//!
//! Every limit is charged on what really comes out, never on what the archive
//! claims. What is wrong but leaves the rest readable becomes a [`Defect`];
//! only what leaves nothing to judge is a [`ReadError`].

mod archive;
mod deadline;
#[cfg(feature = "fast")]
pub mod fast;
mod header;
mod inflate;
mod json;
mod layout;
mod lenient;
mod salvage;
mod source;

pub use crate::format::Limits;

pub use source::content;

use crate::format::{self, entry, sha256};
use crate::manifest::Format;
use crate::sealed::{self, Identities, OpenError};
use crate::{Attachment, Bundle, Defect, Environment, Manifest, Observations, Redaction};
use serde::de::DeserializeOwned;
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

/// Why nothing of a file can be judged.
#[derive(Debug, thiserror::Error)]
pub enum ReadError {
    /// The file cannot be read.
    #[error("{}: {error}", path.display())]
    Io {
        /// Which.
        path: PathBuf,
        /// Why.
        error: std::io::Error,
    },
    /// Too big to be a bundle.
    #[error("{}: {bytes} bytes is more than the {limit} that a bundle may have", path.display())]
    TooBig {
        /// Which.
        path: PathBuf,
        /// Its size.
        bytes: u64,
        /// The limit.
        limit: u64,
    },
    /// Encrypted with age.
    #[error("{}: encrypted with age; give the file with its private key: --identity FILE", .0.display())]
    Encrypted(PathBuf),
    /// Encrypted with age, and not opened with the keys at hand.
    #[error("{}: {error}", path.display())]
    Sealed {
        /// Which.
        path: PathBuf,
        /// Why.
        error: OpenError,
    },
    /// No zip, or none that a bundle's entries can be found in.
    #[error("{}: {reason}; expected a zip that wss-collector wrote", path.display())]
    NotABundle {
        /// Which.
        path: PathBuf,
        /// What it is instead.
        reason: NoBundle,
    },
    /// Written by a newer collector, in a form unknown here.
    #[error(
        "{}: format version {major}.{minor} is newer than this program reads ({}.x); \
         update wss-analyzer", path.display(), format::MAJOR
    )]
    Newer {
        /// Which.
        path: PathBuf,
        /// Its major version.
        major: u32,
        /// Its minor version.
        minor: u32,
    },
}

/// What a file is that is no bundle.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum NoBundle {
    /// A folder.
    #[error("a folder")]
    Folder,
    /// Nothing is in it.
    #[error("it is empty")]
    Empty,
    /// No zip, and nothing in it that could be salvaged; why.
    #[error("it is no zip ({0})")]
    NoZip(String),
    /// A zip of something else.
    #[error("it has no readable manifest.json")]
    NoManifest,
    /// Its manifest exceeds the limits, or is none; why.
    #[error("its manifest.json {0}")]
    BadManifest(String),
    /// Of another format, by its manifest.
    #[error("its format is {0:?}, not {name:?}", name = format::NAME)]
    OtherFormat(String),
}

/// A bundle, and what else was in its zip.
#[derive(Debug, Clone, PartialEq)]
pub struct Opened {
    /// What can be judged. Its `defects` say what is wrong with the zip.
    pub bundle: Bundle,
    /// Every entry, in the archive's order.
    pub entries: Vec<EntryInfo>,
}

/// One entry of a zip.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct EntryInfo {
    /// Its name.
    pub path: String,
    /// Bytes, uncompressed.
    pub bytes: u64,
    /// Bytes in the zip.
    pub compressed: u64,
}

/// Reads a bundle from a file.
///
/// # Errors
/// [`ReadError`], which names the file.
pub fn file(path: &Path, limits: &Limits) -> Result<Opened, ReadError> {
    file_with(path, limits, None)
}

/// The same, with private keys for a bundle that is encrypted.
///
/// # Errors
/// [`ReadError`], which names the file.
pub fn file_with(
    path: &Path,
    limits: &Limits,
    identities: Option<&Identities>,
) -> Result<Opened, ReadError> {
    bytes_with(&content(path, limits)?, path, limits, identities)
}

/// Reads a bundle from memory, with private keys where it is encrypted. `name` is for
/// messages.
///
/// # Errors
/// [`ReadError`], which names the file.
pub fn bytes_with(
    content: &[u8],
    name: &Path,
    limits: &Limits,
    identities: Option<&Identities>,
) -> Result<Opened, ReadError> {
    match identities {
        Some(identities) if sealed::is_sealed(content) => {
            self::sealed(content, name, limits, identities)
        }
        _ => bytes(content, name, limits),
    }
}

/// Reads an encrypted bundle (`.zip.age`) from memory. `name` is for messages.
///
/// # Errors
/// [`ReadError`], which names the file.
pub fn sealed(
    content: &[u8],
    name: &Path,
    limits: &Limits,
    identities: &Identities,
) -> Result<Opened, ReadError> {
    let path = || name.to_owned();
    if content.len() as u64 > limits.archive_bytes {
        let (bytes, limit) = (content.len() as u64, limits.archive_bytes);
        return Err(ReadError::TooBig { path: path(), bytes, limit });
    }
    let plain = sealed::open(content, identities, limits.archive_bytes)
        .map_err(|error| ReadError::Sealed { path: path(), error })?;
    bytes(&plain, name, limits)
}

/// Reads a bundle from memory. `name` is for messages.
///
/// # Errors
/// [`ReadError`], which names the file.
pub fn bytes(content: &[u8], name: &Path, limits: &Limits) -> Result<Opened, ReadError> {
    let path = name.to_owned();
    if content.len() as u64 > limits.archive_bytes {
        let (bytes, limit) = (content.len() as u64, limits.archive_bytes);
        return Err(ReadError::TooBig { path, bytes, limit });
    }
    if sealed::is_sealed(content) {
        return Err(ReadError::Encrypted(path));
    }
    let not_a_bundle = |reason| ReadError::NotABundle { path: path.clone(), reason };
    let mut archive = archive::read(content, limits).map_err(not_a_bundle)?;
    archive.strip_common_folder();
    let archive::Archive { contents, offsets, infos, mut defects, .. } = archive;

    let manifest =
        contents.get(entry::MANIFEST).ok_or_else(|| not_a_bundle(NoBundle::NoManifest))?;
    let mut manifest = manifest_of(manifest, &path, limits, &mut defects)?;
    let at = entry::MANIFEST;
    shorten(&mut manifest.files, limits.entries, at, "files", &mut defects);
    checksums(&manifest, &contents, &mut defects);
    shorten(&mut manifest.steps, limits.elements, at, "steps", &mut defects);
    shorten(&mut manifest.not_used, limits.entries, at, "not_used", &mut defects);
    shorten(&mut manifest.attachments, limits.entries, at, "attachments", &mut defects);

    let observations = observations(&contents, &manifest, limits, &mut defects);
    let environment: Environment =
        part(&contents, entry::ENVIRONMENT, limits, &mut defects).unwrap_or_default();
    let redactions: Vec<Redaction> =
        part(&contents, entry::REDACTIONS, limits, &mut defects).unwrap_or_default();
    for defect in &mut defects {
        // Where it is, for whoever wants to look at it.
        if defect.offset.is_none() {
            defect.offset = defect.entry.as_ref().and_then(|path| offsets.get(path)).copied();
        }
    }
    let attachments = contents
        .into_iter()
        .filter_map(|(path, bytes)| Attachment::of_entry(&path, bytes, &manifest))
        .collect();
    let bundle = Bundle { manifest, observations, environment, attachments, redactions, defects };
    Ok(Opened { bundle, entries: infos })
}

type Contents = BTreeMap<String, Vec<u8>>;

fn defect(entry: Option<&str>, kind: &str, detail: impl Into<String>) -> Defect {
    let (entry, kind) = (entry.map(str::to_owned), kind.to_owned());
    Defect { entry, kind, detail: detail.into(), offset: None }
}

fn defect_at(entry: &str, offset: u64, kind: &str, detail: impl Into<String>) -> Defect {
    Defect { offset: Some(offset), ..defect(Some(entry), kind, detail) }
}

/// A name that somebody chose, fit for a message.
fn shown(name: &[u8]) -> String {
    let name = String::from_utf8_lossy(name);
    name.chars().map(|c| if c.is_control() { '\u{fffd}' } else { c }).take(120).collect()
}

/// Leaves out what of a list is more than a bundle may have.
fn shorten<T>(list: &mut Vec<T>, most: usize, at: &str, name: &str, defects: &mut Vec<Defect>) {
    if list.len() > most {
        let detail = format!("{} elements of {name}; the first {most} were read", list.len());
        defects.push(defect(Some(at), "too-many-elements", detail));
        list.truncate(most);
    }
}

fn manifest_of(
    content: &[u8],
    path: &Path,
    limits: &Limits,
    defects: &mut Vec<Defect>,
) -> Result<Manifest, ReadError> {
    #[derive(serde::Deserialize)]
    struct Version {
        format: Format,
    }
    let refuse = |reason| ReadError::NotABundle { path: path.to_owned(), reason };
    let bad = |why: String| refuse(NoBundle::BadManifest(why));
    let unknown = |error| bad(format!("cannot be understood: {error}"));
    json::check(content, limits).map_err(|why| bad(format!("is not read: {why}")))?;
    let Version { format: found } = serde_json::from_slice(content).map_err(unknown)?;
    if found.name != format::NAME {
        return Err(refuse(NoBundle::OtherFormat(found.name)));
    }
    if found.major > format::MAJOR {
        let (major, minor) = (found.major, found.minor);
        return Err(ReadError::Newer { path: path.to_owned(), major, minor });
    }
    lenient::parse(content, &["steps", "attachments", "files"], entry::MANIFEST, defects)
        .map_err(unknown)
}

fn checksums(manifest: &Manifest, contents: &Contents, defects: &mut Vec<Defect>) {
    for record in &manifest.files {
        let at = Some(record.path.as_str());
        match contents.get(&record.path) {
            None => defects.push(defect(at, "missing-entry", "the manifest lists it")),
            Some(content) if content.len() as u64 != record.bytes => defects.push(defect(
                at,
                "size-mismatch",
                format!("{} bytes, the manifest says {}", content.len(), record.bytes),
            )),
            Some(content) if sha256(content) != record.sha256 => {
                defects.push(defect(at, "sha256-mismatch", "it was changed after the collection"));
            }
            Some(_) => {}
        }
    }
    for path in contents.keys().filter(|path| *path != entry::MANIFEST) {
        if !manifest.files.iter().any(|record| record.path == *path) {
            let detail = "the manifest does not list it";
            defects.push(defect(Some(path), "unlisted-entry", detail));
        }
    }
}

fn observations(
    contents: &Contents,
    manifest: &Manifest,
    limits: &Limits,
    defects: &mut Vec<Defect>,
) -> Observations {
    let nothing = || Observations {
        target: manifest.target.clone(),
        routes: Vec::new(),
        observations: Vec::new(),
        browser: Vec::new(),
    };
    let Some(content) = contents.get(entry::OBSERVATIONS) else {
        if !manifest.files.iter().any(|record| record.path == entry::OBSERVATIONS) {
            defects.push(defect(Some(entry::OBSERVATIONS), "missing-entry", "it is not there"));
        }
        return nothing();
    };
    let at = entry::OBSERVATIONS;
    if !fits(content, at, limits, defects) {
        return nothing();
    }
    const LISTS: [&str; 3] = ["routes", "observations", "browser"];
    let cut_off =
        |defect: &Defect| defect.kind == "cut-off-entry" && defect.entry.as_deref() == Some(at);
    let closed = defects.iter().any(cut_off).then(|| json::closed(content)).flatten();
    let content = closed.as_deref().unwrap_or(content);
    let mut observations: Observations = lenient::parse(content, &LISTS, at, defects)
        .unwrap_or_else(|error| {
            defects.push(defect(Some(at), "unreadable-entry", error.to_string()));
            nothing()
        });
    shorten(&mut observations.routes, limits.elements, at, LISTS[0], defects);
    shorten(&mut observations.observations, limits.elements, at, LISTS[1], defects);
    shorten(&mut observations.browser, limits.elements, at, LISTS[2], defects);
    observations
}

/// Whether a text keeps to the limits on JSON: for whoever writes one.
pub(crate) fn json_fits(content: &[u8], limits: &Limits) -> bool {
    json::check(content, limits).is_ok()
}

/// Whether an entry's JSON keeps to the limits.
fn fits(content: &[u8], path: &str, limits: &Limits, defects: &mut Vec<Defect>) -> bool {
    let why = json::check(content, limits).err();
    defects
        .extend(why.iter().map(|why| defect(Some(path), "json-limit", format!("left out: {why}"))));
    why.is_none()
}

fn part<T: DeserializeOwned>(
    contents: &Contents,
    path: &str,
    limits: &Limits,
    defects: &mut Vec<Defect>,
) -> Option<T> {
    let content = contents.get(path)?;
    if !fits(content, path, limits, defects) {
        return None;
    }
    match serde_json::from_slice(content) {
        Ok(value) => Some(value),
        Err(error) => {
            defects.push(defect(Some(path), "unreadable-entry", error.to_string()));
            None
        }
    }
}
