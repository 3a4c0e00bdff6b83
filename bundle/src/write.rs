//! Bundle → zip. Takes only what went through a [`crate::redact::Redactor`].
//!
//! The same content gives the same bytes: entries stand in a fixed order, and
//! their time is that of the collection.

mod fit;
mod readme;

use crate::format::{Limits, RATIO_FROM, entry, sha256};
use crate::manifest::{AttachmentRecord, FileRecord, Manifest};
use crate::redact::Redacted;
use crate::sealed::{self, Recipients};
use crate::{Bundle, transcript};
use chrono::{Datelike, Timelike};
use flate2::write::DeflateEncoder;
use serde::Serialize;
use std::io::{Cursor, Seek, Write};
use std::path::{Path, PathBuf};
use zip::write::SimpleFileOptions;
use zip::{CompressionMethod, ZipWriter};

/// How hard entries are compressed: a tenth larger than by the usual 6, in half the
/// time, which somebody waits for.
const LEVEL: u8 = 2;

/// Why a bundle could not be written. The disk is as it was before.
#[derive(Debug, thiserror::Error)]
pub enum WriteError {
    /// There is a file of that name.
    #[error("{} exists already; choose another name with --output, or overwrite it with --force", .0.display())]
    Exists(PathBuf),
    /// There is something else of that name: a folder, a device.
    #[error("{} is no regular file; choose another name with --output", .0.display())]
    NotAFile(PathBuf),
    /// The file system says no.
    #[error("cannot write {}: {error}; choose another place with --output", path.display())]
    Io {
        /// What was to be written.
        path: PathBuf,
        /// Why it was not.
        error: std::io::Error,
    },
    /// The zip could not be put together.
    #[error("cannot put the bundle together: {0}")]
    Zip(#[from] zip::result::ZipError),
    /// It could not be encrypted; nothing was written.
    #[error("{0}; nothing was written")]
    Seal(String),
    /// A part could not be turned into JSON.
    #[error("cannot put the bundle together: {0}")]
    Json(#[from] serde_json::Error),
}

/// Writes the zip to `path`: to a private temporary file beside it first, which
/// then takes its name. Gives its size in bytes.
///
/// # Errors
/// [`WriteError`]; no file of that name is there then that was not before.
pub fn file(bundle: &Redacted<Bundle>, path: &Path, force: bool) -> Result<u64, WriteError> {
    file_to(bundle, path, force, None)
}

/// The same; with recipients, encrypted to them. What is not encrypted never
/// touches the disk.
///
/// # Errors
/// As [`file()`], and [`WriteError::Seal`].
pub fn file_to(
    bundle: &Redacted<Bundle>,
    path: &Path,
    force: bool,
    to: Option<&Recipients>,
) -> Result<u64, WriteError> {
    check(path, force)?;
    let content = bytes_to(bundle, to)?;
    private(&content, path, force)?;
    Ok(content.len() as u64)
}

/// Writes a file that only its owner can read: to a temporary file beside it first,
/// which then takes its name.
///
/// # Errors
/// [`WriteError::Exists`], [`WriteError::NotAFile`], [`WriteError::Io`]; no file of
/// that name is there then that was not before.
pub fn private(content: &[u8], path: &Path, force: bool) -> Result<(), WriteError> {
    check(path, force)?;
    let io = |error| WriteError::Io { path: path.to_owned(), error };
    let folder = match path.parent() {
        Some(parent) if !parent.as_os_str().is_empty() => parent,
        _ => Path::new("."),
    };
    let name = path.file_name().unwrap_or_default().to_string_lossy();
    let mut partial = tempfile::Builder::new()
        .prefix(&format!(".{name}.partial-"))
        .tempfile_in(folder)
        .map_err(io)?;
    partial.write_all(content).map_err(io)?;
    partial.as_file().sync_all().map_err(io)?;
    if force {
        partial.persist(path).map_err(|e| io(e.error))?;
    } else {
        partial.persist_noclobber(path).map_err(|e| match e.error.kind() {
            std::io::ErrorKind::AlreadyExists => WriteError::Exists(path.to_owned()),
            _ => io(e.error),
        })?;
    }
    Ok(())
}

/// Says early whether [`file()`] could put a file there, as far as that can be
/// told without leaving one.
///
/// # Errors
/// As [`file()`].
pub fn check(path: &Path, force: bool) -> Result<(), WriteError> {
    match std::fs::symlink_metadata(path) {
        Ok(found) if !found.is_file() => Err(WriteError::NotAFile(path.to_owned())),
        Ok(_) if !force => Err(WriteError::Exists(path.to_owned())),
        Ok(_) => Ok(()),
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => Ok(()),
        Err(error) => Err(WriteError::Io { path: path.to_owned(), error }),
    }
}

/// What [`file_to`] writes, in memory: for standard output.
///
/// # Errors
/// As [`bytes`], and [`WriteError::Seal`].
pub fn bytes_to(bundle: &Redacted<Bundle>, to: Option<&Recipients>) -> Result<Vec<u8>, WriteError> {
    let plain = bytes(bundle)?;
    match to {
        Some(to) => sealed::seal(&plain, to).map_err(WriteError::Seal),
        None => Ok(plain),
    }
}

/// `wss-<host>-<vantage>-<UTC time>.zip` (`wss-<ticket>-<host>-…` where there is a ticket,
/// `.zip.age` when encrypted), with nothing in it that a file system or a shell minds.
/// `prefix` stands for its `wss-` where somebody keeps bundles of his own apart. `number`
/// tells bundles of one second apart, from 1.
#[must_use]
pub fn file_name(bundle: &Bundle, prefix: &str, number: u32, sealed: bool) -> String {
    let manifest = &bundle.manifest;
    let host = cleaned(&manifest.target.host);
    let time = manifest.started_at.format("%Y%m%dT%H%M%SZ");
    let again = if number > 1 { format!("-{number}") } else { String::new() };
    let ending = if sealed { "zip.age" } else { "zip" };
    let ticket = manifest.ticket.as_deref().map(|t| format!("{}-", cleaned(t))).unwrap_or_default();
    format!("{prefix}{ticket}{host}-{}-{time}{again}.{ending}", manifest.vantage.as_str())
}

/// A word of somebody else's as a part of a file's name.
fn cleaned(text: &str) -> String {
    text.chars()
        .filter(|c| !c.is_control())
        .map(|c| if c.is_ascii_alphanumeric() || c == '.' || c == '-' { c } else { '_' })
        .take(100)
        .collect()
}

/// The bundle as it will be in its zip: without what would be more than a reader
/// takes, which is next to nothing but where servers or files are enormous. For
/// whoever judges it here, as it will be judged there.
#[must_use]
pub fn fitted(bundle: Redacted<Bundle>) -> Redacted<Bundle> {
    match fit::fitted(bundle.get()) {
        Some(smaller) => Redacted::less(smaller),
        None => bundle,
    }
}

/// The zip in memory. Whatever the bundle is, no reader refuses it for its size.
///
/// # Errors
/// [`WriteError::Zip`] and [`WriteError::Json`], which mean a defect here.
pub fn bytes(bundle: &Redacted<Bundle>) -> Result<Vec<u8>, WriteError> {
    let smaller = fit::fitted(bundle.get());
    let bundle = smaller.as_ref().unwrap_or_else(|| bundle.get());
    let entries = entries(bundle)?;
    let manifest = Manifest {
        attachments: bundle
            .attachments
            .iter()
            .map(|given| AttachmentRecord {
                path: format!("{}{}", entry::ATTACHMENTS, given.name),
                kind: given.kind,
                vantage: given.vantage,
                source: given.path.clone(),
            })
            .collect(),
        files: entries
            .iter()
            .map(|(path, content)| FileRecord {
                path: path.clone(),
                bytes: content.len() as u64,
                sha256: sha256(content),
            })
            .collect(),
        ..bundle.manifest.clone()
    };
    let mut zip = ZipWriter::new(Cursor::new(Vec::new()));
    let options = options(&manifest);
    add(&mut zip, options, entry::MANIFEST, &json(&manifest)?)?;
    for (path, content) in &entries {
        add(&mut zip, options, path, content)?;
    }
    Ok(zip.finish()?.into_inner())
}

/// Every entry after the manifest, in the bundle's order.
fn entries(bundle: &Bundle) -> Result<Vec<(String, Vec<u8>)>, WriteError> {
    let mut room = fit::TRANSCRIPTS;
    let (mut transcripts, mut left_out) = (Vec::new(), 0);
    for transcript in transcript::each(bundle) {
        if transcript.text.len() > room || transcripts.len() == fit::TRANSCRIPTS_COUNT {
            left_out += 1;
            continue;
        }
        room -= transcript.text.len();
        transcripts.push((transcript.path, transcript.text.into_bytes()));
    }
    let mut out = vec![
        (entry::README.to_owned(), readme::text(bundle, left_out).into_bytes()),
        (entry::OBSERVATIONS.to_owned(), json(&bundle.observations)?),
    ];
    out.append(&mut transcripts);
    out.push((entry::ENVIRONMENT.to_owned(), json(&bundle.environment)?));
    for given in &bundle.attachments {
        out.push((format!("{}{}", entry::ATTACHMENTS, given.name), given.bytes.clone()));
    }
    out.push((entry::REDACTIONS.to_owned(), json(&bundle.redactions)?));
    Ok(out)
}

fn json<T: Serialize>(value: &T) -> Result<Vec<u8>, WriteError> {
    let mut text = serde_json::to_vec_pretty(value)?;
    text.push(b'\n');
    Ok(text)
}

fn options(manifest: &Manifest) -> SimpleFileOptions {
    let at = manifest.started_at;
    let time = u16::try_from(at.year())
        .ok()
        .and_then(|year| {
            let part = |n: u32| u8::try_from(n).ok();
            zip::DateTime::from_date_and_time(
                year,
                part(at.month())?,
                part(at.day())?,
                part(at.hour())?,
                part(at.minute())?,
                part(at.second())?,
            )
            .ok()
        })
        .unwrap_or_default();
    SimpleFileOptions::default()
        .compression_method(CompressionMethod::Deflated)
        .compression_level(Some(LEVEL.into()))
        .last_modified_time(time)
        .unix_permissions(0o600)
}

/// Whether a reader would take it for a bomb: pages of one letter do compress
/// a thousand times.
fn too_regular(content: &[u8]) -> bool {
    let limits = Limits::default();
    if content.len() as u64 <= RATIO_FROM {
        return false;
    }
    let mut deflate = DeflateEncoder::new(Counted(0), flate2::Compression::new(LEVEL.into()));
    let written = deflate.write_all(content).and_then(|()| deflate.finish());
    let most = content.len() as u64 * 2 / limits.ratio;
    written.is_ok_and(|Counted(bytes)| bytes < most)
}

/// Counts bytes.
struct Counted(u64);

impl Write for Counted {
    fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
        self.0 += bytes.len() as u64;
        Ok(bytes.len())
    }

    fn flush(&mut self) -> std::io::Result<()> {
        Ok(())
    }
}

fn add<W: Write + Seek>(
    zip: &mut ZipWriter<W>,
    options: SimpleFileOptions,
    path: &str,
    content: &[u8],
) -> Result<(), WriteError> {
    let options = match too_regular(content) {
        true => options.compression_method(CompressionMethod::Stored),
        false => options,
    };
    zip.start_file(path, options)?;
    zip.write_all(content).map_err(zip::result::ZipError::Io)?;
    Ok(())
}
