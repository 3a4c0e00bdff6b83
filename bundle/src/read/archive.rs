//! The zip itself: which entries there are, and their bytes, within limits.
//! What the entries mean is not known here.

use super::{EntryInfo, Limits, defect};
use crate::Defect;
use crate::write::entry;
use std::collections::BTreeMap;
use std::io::{Cursor, Read};
use std::time::Instant;
use zip::ZipArchive;

/// The bytes of an archive's entries.
#[derive(Debug, Default)]
pub(super) struct Archive {
    pub(super) contents: BTreeMap<String, Vec<u8>>,
    pub(super) infos: Vec<EntryInfo>,
    pub(super) defects: Vec<Defect>,
    total: u64,
}

/// Entries larger than this are held to the ratio.
const RATIO_FROM: u64 = 1 << 20;

/// Reads every entry that a bundle may have.
///
/// # Errors
/// Why it is no zip.
pub(super) fn read(content: &[u8], limits: &Limits) -> Result<Archive, String> {
    if content.is_empty() {
        return Err("it is empty".to_owned());
    }
    let until = Instant::now() + limits.time;
    let mut out = Archive::default();
    match ZipArchive::new(Cursor::new(content)) {
        Ok(zip) => by_directory(zip, limits, until, &mut out),
        Err(error) => {
            // A cut-off download has no directory, but whole entries before the cut.
            salvage(content, limits, until, &mut out);
            if out.contents.is_empty() {
                return Err(format!("it is no zip ({error})"));
            }
            let detail = format!("{error}; the entries before the damage were read");
            out.defects.insert(0, defect(None, "damaged-archive", detail));
        }
    }
    Ok(out)
}

fn by_directory(
    mut zip: ZipArchive<Cursor<&[u8]>>,
    limits: &Limits,
    until: Instant,
    out: &mut Archive,
) {
    if zip.has_duplicate_names() {
        let detail = "two entries have one name; the last one counts";
        out.defects.push(defect(None, "duplicate-entry", detail));
    }
    let count = zip.len();
    if count > limits.entries {
        let detail = format!("{count} entries; the first {} were looked at", limits.entries);
        out.defects.push(defect(None, "too-many-entries", detail));
    }
    for index in 0..count.min(limits.entries) {
        let name = zip.name_for_index(index).and_then(Result::ok).map(|n| shown(&n));
        match zip.by_index(index) {
            Ok(file) => {
                if !out.take(file, limits, until) {
                    return;
                }
            }
            Err(error) => {
                let detail = error.to_string();
                out.defects.push(defect(name.as_deref(), "unreadable-entry", detail));
            }
        }
    }
}

fn salvage(content: &[u8], limits: &Limits, until: Instant, out: &mut Archive) {
    let mut rest = Cursor::new(content);
    for _ in 0..limits.entries {
        match zip::read::read_zipfile_from_stream(&mut rest) {
            Ok(Some(file)) => {
                if !out.take(file, limits, until) {
                    return;
                }
            }
            Ok(None) | Err(_) => return,
        }
    }
}

impl Archive {
    /// Reads one entry; false when a limit of the whole archive is reached.
    fn take<R: Read>(
        &mut self,
        mut file: zip::read::ZipFile<'_, R>,
        limits: &Limits,
        until: Instant,
    ) -> bool {
        let raw = match file.name() {
            Ok(name) => name.into_owned(),
            Err(error) => {
                self.defects.push(defect(None, "unsafe-entry", error.to_string()));
                return true;
            }
        };
        let name = shown(&raw);
        if let Some(why) = unsafe_name(&raw) {
            self.defects.push(defect(Some(&name), "unsafe-entry", format!("left out: {why}")));
            return true;
        }
        if file.is_dir() {
            return true;
        }
        if file.is_symlink() {
            self.defects.push(defect(Some(&name), "unsafe-entry", "left out: a link"));
            return true;
        }
        let compressed = file.compressed_size();
        let mut content = Vec::new();
        let mut chunk = vec![0; 64 << 10];
        loop {
            let read = match file.read(&mut chunk) {
                Ok(0) => break,
                Ok(read) => read,
                Err(error) => {
                    let detail = format!("damaged after {} bytes: {error}", content.len());
                    self.defects.push(defect(Some(&name), "unreadable-entry", detail));
                    return true;
                }
            };
            content.extend_from_slice(&chunk[..read]);
            self.total += read as u64;
            let bytes = content.len() as u64;
            let over = if bytes > limits.entry_bytes {
                Some(format!("more than {} bytes", limits.entry_bytes))
            } else if bytes > RATIO_FROM && bytes / compressed.max(1) > limits.ratio {
                Some(format!("expands more than {} times", limits.ratio))
            } else {
                None
            };
            if let Some(over) = over {
                let detail = format!("left out: {over}");
                self.defects.push(defect(Some(&name), "too-large", detail));
                return true;
            }
            if self.total > limits.total_bytes || Instant::now() > until {
                let detail = if self.total > limits.total_bytes {
                    format!("more than {} bytes in all; the rest was not read", limits.total_bytes)
                } else {
                    format!("more than {:?}; the rest was not read", limits.time)
                };
                self.defects.push(defect(Some(&name), "too-large", detail));
                return false;
            }
        }
        self.infos.push(EntryInfo { path: raw.clone(), bytes: content.len() as u64, compressed });
        self.contents.insert(raw, content);
        true
    }

    /// Undoes what happens when somebody unpacks a bundle, looks into it, and
    /// packs the folder again. Then drops what no bundle has.
    pub(super) fn strip_common_folder(&mut self) {
        if !self.contents.contains_key(entry::MANIFEST) {
            let suffix = format!("/{}", entry::MANIFEST);
            let mut folders = self.contents.keys().filter_map(|path| path.strip_suffix(&suffix));
            if let (Some(folder), None) = (folders.next(), folders.next()) {
                let folder = format!("{folder}/");
                let detail = format!("all entries are in {}", shown(&folder));
                self.contents = std::mem::take(&mut self.contents)
                    .into_iter()
                    .map(|(path, content)| match path.strip_prefix(&folder) {
                        Some(inner) => (inner.to_owned(), content),
                        None => (path, content),
                    })
                    .collect();
                self.defects.push(defect(None, "repacked", detail));
            }
        }
        let defects = &mut self.defects;
        self.contents.retain(|path, _| {
            let known = known(path);
            if !known {
                let detail = "no entry of a bundle has this name; ignored";
                defects.push(defect(Some(&shown(path)), "unknown-entry", detail));
            }
            known
        });
    }
}

fn known(path: &str) -> bool {
    let exact = [
        entry::MANIFEST,
        entry::README,
        entry::OBSERVATIONS,
        entry::ENVIRONMENT,
        entry::REDACTIONS,
    ];
    let inside = |folder: &str| {
        path.strip_prefix(folder).is_some_and(|name| {
            !name.is_empty()
                && !name.starts_with('.')
                && name.bytes().all(|b| b.is_ascii_alphanumeric() || b"._-".contains(&b))
        })
    };
    exact.contains(&path) || inside(entry::TRANSCRIPTS) || inside(entry::ATTACHMENTS)
}

fn unsafe_name(name: &str) -> Option<&'static str> {
    if name.len() > 512 {
        Some("its name is too long")
    } else if name.starts_with(['/', '\\']) || name.contains(':') {
        Some("an absolute path")
    } else if name.split(['/', '\\']).any(|part| part == "..") {
        Some("it leaves its folder")
    } else if name.chars().any(char::is_control) {
        Some("control characters in its name")
    } else {
        None
    }
}

/// A name that somebody chose, fit for a message.
fn shown(name: &str) -> String {
    name.chars().map(|c| if c.is_control() { '\u{fffd}' } else { c }).take(120).collect()
}
