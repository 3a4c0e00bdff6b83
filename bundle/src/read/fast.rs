//! The way in for bundles that are as `wss-collector` wrote them: only what
//! the diagnosis looks at is inflated; transcripts and HAR exports are not.
//!
//! Whatever is irregular in any way goes to the careful reader (the module above)
//! instead, which knows limits, salvage and defects. So this one needs
//! no leniency: it answers with a whole bundle without defects, or not at all.
//! What a regular entry is, both ask in `header` and [`mod@crate::format`].
//! Limits hold on what comes out: a buffer is as large as an entry claims to
//! be, within the limits, and an entry that has more to give is refused.

mod chains;

use super::header;
use crate::format::{self, Limits, RATIO_FROM, entry, sha256};
use crate::manifest::{AttachmentKind, FileRecord};
use crate::{Attachment, Bundle, Manifest};
use libdeflater::{Crc, Decompressor};
use rawzip::{CompressionMethod, ZipArchive};
use std::collections::BTreeMap;

/// Reads bundles; buffers are used again.
pub struct Reader {
    inflate: Decompressor,
    buffer: Vec<u8>,
    room: String,
    limits: Limits,
}

impl Default for Reader {
    fn default() -> Self {
        let (buffer, room) = (Vec::new(), String::new());
        Self { inflate: Decompressor::new(), buffer, room, limits: Limits::default() }
    }
}

/// A bundle without anything irregular.
#[derive(Debug)]
pub enum Regular<'a> {
    /// Its id is not wanted: the rest was not parsed.
    Known,
    /// A bundle, and the parts of its zip that it was judged by.
    Whole(Box<Bundle>, Parts<'a>),
}

/// The parts of a zip that the diagnosis looks at, as they lie in it.
#[derive(Debug)]
pub struct Parts<'a> {
    /// Manifest, observations, environment, redactions.
    pub fixed: [Part<'a>; 4],
    /// What the user gave, by path; nothing of what was not opened.
    pub attachments: Vec<(&'a str, Option<Part<'a>>)>,
}

/// One entry as it lies in the zip.
#[derive(Debug, Clone, Copy)]
pub struct Part<'a> {
    /// Its bytes there.
    pub data: &'a [u8],
    /// Whether these are deflated.
    pub deflated: bool,
    /// How many bytes come out.
    pub bytes: u64,
    crc: u32,
}

type Listed<'a> = BTreeMap<&'a str, Part<'a>>;

impl Reader {
    /// Reads a bundle from memory. `wanted` is asked with its id before the rest is
    /// parsed. `None` leaves it to the careful reader.
    pub fn read<'a>(
        &mut self,
        content: &'a [u8],
        wanted: impl Fn(&str) -> bool,
    ) -> Option<Regular<'a>> {
        let listed = self.list(content)?;
        let manifest: Manifest = {
            let text = self.inflate(listed.get(entry::MANIFEST)?)?;
            parsed(text)?
        };
        let found = &manifest.format;
        if found.name != format::NAME || found.major > format::MAJOR {
            return None;
        }
        if !wanted(&manifest.id) {
            return Some(Regular::Known);
        }
        // The manifest and the directory name the same entries, of the same size.
        if manifest.files.len() + 1 != listed.len() {
            return None;
        }
        let record = |path: &str| manifest.files.iter().find(|record| record.path == path);
        for (path, found) in listed.iter().filter(|(path, _)| **path != entry::MANIFEST) {
            if record(path)?.bytes != found.bytes {
                return None;
            }
        }
        let mut room = std::mem::take(&mut self.room);
        let shared = |text: &str| chains::observations(text, &mut room);
        let observations = self.part_by(&listed, entry::OBSERVATIONS, &record, shared)?;
        self.room = room;
        let environment = self.part(&listed, entry::ENVIRONMENT, &record)?;
        let redactions = self.part(&listed, entry::REDACTIONS, &record)?;
        let (attachments, opened) = self.attachments(&listed, &manifest)?;
        let part = |path: &str| listed.get(path).copied();
        let parts = Parts {
            fixed: [
                part(entry::MANIFEST)?,
                part(entry::OBSERVATIONS)?,
                part(entry::ENVIRONMENT)?,
                part(entry::REDACTIONS)?,
            ],
            attachments: opened,
        };
        let defects = Vec::new();
        let bundle =
            Bundle { manifest, observations, environment, attachments, redactions, defects };
        Some(Regular::Whole(Box::new(bundle), parts))
    }

    /// What the user gave, in the careful reader's order: by name.
    #[allow(clippy::type_complexity, reason = "named in `Parts`")]
    fn attachments<'a>(
        &mut self,
        listed: &Listed<'a>,
        manifest: &Manifest,
    ) -> Option<(Vec<Attachment>, Vec<(&'a str, Option<Part<'a>>)>)> {
        let (mut out, mut parts) = (Vec::new(), Vec::new());
        for (path, part) in listed {
            if !path.starts_with(entry::ATTACHMENTS) {
                continue;
            }
            let record = manifest.files.iter().find(|record| record.path == *path)?;
            if unread(path, manifest) {
                parts.push((*path, None));
                out.push(Attachment::of_entry(path, Vec::new(), manifest)?);
                continue;
            }
            let bytes = self.inflate(part)?.to_vec();
            if sha256(&bytes) != record.sha256 {
                return None;
            }
            parts.push((*path, Some(*part)));
            out.push(Attachment::of_entry(path, bytes, manifest)?);
        }
        Some((out, parts))
    }

    /// The directory, when nothing in it is irregular.
    fn list<'a>(&self, content: &'a [u8]) -> Option<Listed<'a>> {
        if content.len() as u64 > self.limits.archive_bytes {
            return None;
        }
        let archive = ZipArchive::from_slice(content).ok()?;
        // Nothing before, nothing behind: two readers cannot see two archives.
        let whole =
            archive.end_offset() == content.len() as u64 && archive.comment().as_bytes().is_empty();
        if !whole || archive.entries_hint() > self.limits.entries as u64 {
            return None;
        }
        let mut listed = BTreeMap::new();
        let (mut total, mut at) = (0_u64, 0_u64);
        let mut entries = archive.entries();
        while let Some(header) = entries.next_entry().ok()? {
            // The name lies in the archive's own bytes and is looked up there,
            // since the header lives no longer than this turn.
            let local = archive.get_entry(header.wayfinder()).ok()?;
            let header_name = header.file_path();
            let name_bytes = header_name.as_bytes();
            let offset = usize::try_from(header.local_header_offset()).ok()? + 30;
            let name = content.get(offset..offset + name_bytes.len())?;
            if name != name_bytes || header.local_header_offset() != at {
                return None;
            }
            let name = std::str::from_utf8(name).ok().filter(|name| entry::is_known(name))?;
            let here = local.local_header();
            if header::oddity(&header, &here).is_some() || here.flags() != header.flags() {
                return None;
            }
            let deflated = header.compression_method() == CompressionMethod::DEFLATE;
            let bytes = header.uncompressed_size_hint();
            let (start, end) = local.compressed_data_range();
            let data = content.get(usize::try_from(start).ok()?..usize::try_from(end).ok()?)?;
            // The careful reader looks through it before anything is parsed.
            if bytes > RATIO_FROM && name.ends_with(".json") {
                return None;
            }
            total += bytes;
            let compressed = data.len() as u64;
            if total > self.limits.total_bytes || self.limits.forbid(bytes, compressed).is_some() {
                return None;
            }
            at = end + descriptor(&local)?;
            if listed.insert(name, Part { data, deflated, bytes, crc: header.crc32() }).is_some() {
                return None;
            }
        }
        (listed.len() as u64 == archive.entries_hint() && at == archive.directory_offset())
            .then_some(listed)
    }

    fn inflate(&mut self, part: &Part<'_>) -> Option<&[u8]> {
        let bytes = usize::try_from(part.bytes).ok()?;
        if !part.deflated {
            return (part.data.len() == bytes && crc(part.data) == part.crc).then(|| {
                self.buffer.clear();
                self.buffer.extend_from_slice(part.data);
                &self.buffer[..]
            });
        }
        // What an earlier entry left is overwritten; to clear it first would cost.
        if self.buffer.len() < bytes {
            self.buffer.resize(bytes, 0);
        }
        let out = self.buffer.get_mut(..bytes)?;
        let written = self.inflate.deflate_decompress(part.data, out).ok()?;
        (written == bytes && crc(out) == part.crc).then_some(&*out)
    }

    fn part<'m, T: serde::de::DeserializeOwned>(
        &mut self,
        listed: &Listed<'_>,
        name: &str,
        record: &impl Fn(&str) -> Option<&'m FileRecord>,
    ) -> Option<T> {
        self.part_by(listed, name, record, |text| serde_json::from_str(text).ok())
    }

    fn part_by<'m, T>(
        &mut self,
        listed: &Listed<'_>,
        name: &str,
        record: &impl Fn(&str) -> Option<&'m FileRecord>,
        parse: impl FnOnce(&str) -> Option<T>,
    ) -> Option<T> {
        let listed = listed.get(name)?;
        let wanted = &record(name)?.sha256;
        let text = self.inflate(listed)?;
        if sha256(text) != *wanted {
            return None;
        }
        // That it is UTF-8 is seen once for all, which is faster than text by text.
        parse(std::str::from_utf8(text).ok()?)
    }
}

/// JSON. That it is UTF-8 is seen once for all, which is faster than text by text.
fn parsed<T: serde::de::DeserializeOwned>(text: &[u8]) -> Option<T> {
    serde_json::from_str(std::str::from_utf8(text).ok()?).ok()
}

/// Whether nobody judges by an attachment: what a HAR says stands in the
/// observations, too.
fn unread(path: &str, manifest: &Manifest) -> bool {
    let record = manifest.attachments.iter().find(|record| record.path == path);
    record.is_some_and(|record| record.kind == AttachmentKind::Har)
}

fn crc(data: &[u8]) -> u32 {
    let mut crc = Crc::new();
    crc.update(data);
    crc.sum()
}

/// Bytes of an entry's data descriptor.
fn descriptor(local: &rawzip::ZipSliceEntry<'_>) -> Option<u64> {
    // With a signature, as every writer of today puts it.
    Some(match local.data_descriptor().ok()? {
        Some(_) => 16,
        None => 0,
    })
}
