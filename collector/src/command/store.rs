//! Where a bundle goes: a file, standard output, encrypted or not; and beside an
//! obfuscated one the map of its tokens, for the user alone.

use crate::cli::resolve::Job;
use crate::screen::safe;
use std::io::Write;
use std::path::{Path, PathBuf};
use wss_bundle::Bundle;
use wss_bundle::obfuscate::Obfuscator;
use wss_bundle::redact::Redacted;
use wss_bundle::write::{self, WriteError};

/// Names tried for a bundle before giving up: whoever collects in a loop gets
/// several within the second that tells them apart.
const NAMES: u32 = 100;
/// What their names begin with.
pub(super) const PREFIX: &str = "wss-";

/// What was written.
pub(super) struct Stored {
    /// The bundle; `-` for standard output.
    pub(super) path: PathBuf,
    /// Its size.
    pub(super) bytes: u64,
    /// The map of its tokens.
    pub(super) names: Option<PathBuf>,
}

/// Writes the bundle, and before it the map: without the map it would be useless.
///
/// # Errors
/// [`WriteError`]; neither is there then.
pub(super) fn store(
    job: &Job,
    redacted: &Redacted<Bundle>,
    map: Option<&Obfuscator>,
) -> Result<Stored, WriteError> {
    let to = job.recipients.as_ref();
    let Some(path) = &job.output else { return named(job, redacted, map, Path::new(""), PREFIX) };
    if path != Path::new("-") {
        return at(job, redacted, map, path);
    }
    let names = map.map(|map| write_map(map, Path::new(&unnamed(job)), job.force)).transpose()?;
    let bytes = write::bytes_to(redacted, to)?;
    let mut stdout = std::io::stdout();
    stdout
        .write_all(&bytes)
        .and_then(|()| stdout.flush())
        .map_err(|error| WriteError::Io { path: "standard output".into(), error })
        .inspect_err(|_| forget(names.as_deref()))?;
    Ok(Stored { path: path.clone(), bytes: bytes.len() as u64, names })
}

/// Writes the bundle into a folder, by a name that nobody has there and that begins with
/// `prefix`.
///
/// # Errors
/// [`WriteError`].
pub(super) fn store_in(
    job: &Job,
    redacted: &Redacted<Bundle>,
    folder: &Path,
    prefix: &str,
) -> Result<Stored, WriteError> {
    named(job, redacted, None, folder, prefix)
}

fn named(
    job: &Job,
    redacted: &Redacted<Bundle>,
    map: Option<&Obfuscator>,
    folder: &Path,
    prefix: &str,
) -> Result<Stored, WriteError> {
    let mut number = 1;
    loop {
        let name = write::file_name(redacted.get(), prefix, number, job.recipients.is_some());
        match at(job, redacted, map, &folder.join(name)) {
            Err(WriteError::Exists(_)) if number < NAMES => number += 1,
            written => return written,
        }
    }
}

fn at(
    job: &Job,
    redacted: &Redacted<Bundle>,
    map: Option<&Obfuscator>,
    path: &Path,
) -> Result<Stored, WriteError> {
    write::check(path, job.force)?;
    let names = map.map(|map| write_map(map, &beside(path), job.force)).transpose()?;
    let bytes = write::file_to(redacted, path, job.force, job.recipients.as_ref())
        .inspect_err(|_| forget(names.as_deref()))?;
    Ok(Stored { path: path.to_owned(), bytes, names })
}

fn write_map(map: &Obfuscator, path: &Path, force: bool) -> Result<PathBuf, WriteError> {
    write::private(&map.to_json()?, path, force)?;
    Ok(path.to_owned())
}

/// A map without its bundle tells nobody anything.
fn forget(names: Option<&Path>) {
    if let Some(path) = names {
        let _ = std::fs::remove_file(path);
    }
}

/// What [`store`] would write besides the bundle, where its name is known before.
pub(super) fn map_path(job: &Job) -> Option<PathBuf> {
    job.obfuscate.as_ref()?;
    match job.output.as_deref() {
        Some(path) if path == Path::new("-") => Some(unnamed(job).into()),
        Some(path) => Some(beside(path)),
        None => None,
    }
}

/// `b.zip`, `b.zip.age` → `b.names.json`.
fn beside(path: &Path) -> PathBuf {
    let name = path.file_name().unwrap_or_default().to_string_lossy();
    let stem = name.strip_suffix(".age").unwrap_or(&name);
    let stem = stem.strip_suffix(".zip").unwrap_or(stem);
    path.with_file_name(format!("{stem}.names.json"))
}

/// The map of a bundle that goes to standard output.
fn unnamed(job: &Job) -> String {
    let case: String =
        job.case.chars().map(|c| if c.is_ascii_alphanumeric() { c } else { '-' }).collect();
    format!("wss-{case}.names.json")
}

/// A host as a part of a file's name.
pub(super) fn cleaned(host: &str) -> String {
    safe(host)
        .chars()
        .map(|c| if c.is_ascii_alphanumeric() || c == '.' || c == '-' { c } else { '_' })
        .take(100)
        .collect()
}

/// The folder that a file is in.
pub(super) fn folder_of(path: &Path) -> &Path {
    match path.parent() {
        Some(parent) if !parent.as_os_str().is_empty() => parent,
        _ => Path::new("."),
    }
}
