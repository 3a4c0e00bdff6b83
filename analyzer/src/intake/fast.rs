//! The way in for bundles that are as `wss-collector` wrote them: only what
//! the diagnosis looks at is inflated; transcripts and HAR exports are not.
//!
//! Whatever is irregular in any way goes to the careful reader of the bundle
//! crate instead, which knows limits, salvage and defects. So this one needs
//! no leniency: it answers with a whole bundle without defects, or not at all.
//! Limits hold on what comes out: a buffer is as large as an entry claims to
//! be, within the limits, and an entry that has more to give is refused.

use super::chains;
use libdeflater::{CompressionLvl, Compressor, Crc, Decompressor};
use rawzip::{CompressionMethod, ZipArchive};
use std::collections::BTreeMap;
use std::path::Path;
use wss_bundle::bundle::Attachment;
use wss_bundle::manifest::{AttachmentKind, FORMAT_MAJOR, FORMAT_NAME, FileRecord};
use wss_bundle::read::{self, Limits, ReadError};
use wss_bundle::sealed::{self, Identities};
use wss_bundle::write::{entry, sha256};
use wss_bundle::{Bundle, Defect, Manifest};

/// Entries over this size are held to the ratio, as in the careful reader.
const RATIO_FROM: u64 = 1 << 20;

/// What of a bundle is enough to judge it again: all parts but the transcripts and
/// HAR exports, which say nothing that is not in the observations, and the defects that the
/// careful reader found; each deflated, as it was in the zip.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Kept(pub Vec<u8>);

/// A bundle that was read.
#[derive(Debug)]
pub struct Facts {
    /// What the diagnosis looks at.
    pub bundle: Bundle,
    /// The same, to be kept.
    pub kept: Kept,
}

/// Reads bundles; buffers are used again.
pub struct Reader {
    inflate: Decompressor,
    buffer: Vec<u8>,
    room: String,
    limits: Limits,
    identities: Option<Identities>,
    /// How many were left to the careful reader.
    pub careful: u64,
}

impl Default for Reader {
    fn default() -> Self {
        Self::new(None)
    }
}

/// One entry as the directory has it.
struct Listed<'a> {
    data: &'a [u8],
    deflated: bool,
    bytes: u64,
    crc: u32,
}

impl Reader {
    /// A reader with private keys for encrypted bundles.
    #[must_use]
    pub fn new(identities: Option<Identities>) -> Self {
        let limits = Limits::default();
        let (buffer, room) = (Vec::new(), String::new());
        Self { inflate: Decompressor::new(), buffer, room, limits, identities, careful: 0 }
    }

    /// Reads a bundle from memory. `wanted` is asked with its id before the
    /// rest is parsed; `None` when it says no.
    ///
    /// # Errors
    /// As [`read::bytes`].
    pub fn read(
        &mut self,
        content: &[u8],
        name: &Path,
        wanted: impl Fn(&str) -> bool,
    ) -> Result<Option<Facts>, ReadError> {
        let plain;
        let content = match &self.identities {
            Some(identities) if sealed::is_sealed(content) => {
                plain = sealed::open(content, identities, self.limits.archive_bytes)
                    .map_err(|error| ReadError::Sealed { path: name.to_owned(), error })?;
                &plain
            }
            _ => content,
        };
        match self.regular(content, &wanted) {
            Some(Regular::Known) => Ok(None),
            Some(Regular::Facts(facts)) => Ok(Some(*facts)),
            None => {
                self.careful += 1;
                let bundle = read::bytes(content, name, &self.limits)?.bundle;
                if !wanted(&bundle.manifest.id) {
                    return Ok(None);
                }
                let kept = keep(&bundle);
                Ok(Some(Facts { bundle, kept }))
            }
        }
    }

    /// A bundle without anything irregular; `None` leaves it to the careful reader.
    fn regular(&mut self, content: &[u8], wanted: &impl Fn(&str) -> bool) -> Option<Regular> {
        let listed = self.list(content)?;
        let manifest: Manifest = {
            let text = self.inflate(listed.get(entry::MANIFEST)?)?;
            parsed(text)?
        };
        let format = &manifest.format;
        if format.name != FORMAT_NAME || format.major > FORMAT_MAJOR {
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
        let mut kept = Parts::default();
        kept.raw(listed.get(entry::MANIFEST)?)?;
        let mut room = std::mem::take(&mut self.room);
        let shared = |text: &str| chains::observations(text, &mut room);
        let observations =
            self.part_by(&listed, entry::OBSERVATIONS, &record, &mut kept, shared)?;
        self.room = room;
        let environment = self.part(&listed, entry::ENVIRONMENT, &record, &mut kept)?;
        let redactions = self.part(&listed, entry::REDACTIONS, &record, &mut kept)?;
        kept.nothing();
        let attachments = self.attachments(&listed, &manifest, &mut kept)?;
        let bundle = Bundle {
            manifest,
            observations,
            environment,
            attachments,
            redactions,
            defects: Vec::new(),
        };
        Some(Regular::Facts(Box::new(Facts { bundle, kept: Kept(kept.0) })))
    }

    /// What the user gave, in the careful reader's order: by name.
    fn attachments(
        &mut self,
        listed: &BTreeMap<&str, Listed<'_>>,
        manifest: &Manifest,
        kept: &mut Parts,
    ) -> Option<Vec<Attachment>> {
        let mut out = Vec::new();
        for (path, listed) in listed {
            if !path.starts_with(entry::ATTACHMENTS) {
                continue;
            }
            let record = manifest.files.iter().find(|record| record.path == *path)?;
            kept.text(path.as_bytes())?;
            if unread(path, manifest) {
                kept.nothing();
                out.push(attachment(path, Vec::new(), manifest)?);
                continue;
            }
            let bytes = self.inflate(listed)?.to_vec();
            if sha256(&bytes) != record.sha256 {
                return None;
            }
            kept.raw(listed)?;
            out.push(attachment(path, bytes, manifest)?);
        }
        Some(out)
    }

    /// The directory, when nothing in it is irregular.
    fn list<'a>(&self, content: &'a [u8]) -> Option<BTreeMap<&'a str, Listed<'a>>> {
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
            let name = std::str::from_utf8(name).ok().filter(|name| known(name))?;
            let here = local.local_header();
            // What its own header says, unless that stands behind the data.
            let method = header.compression_method();
            if here.compression_method() != method
                || here.flags() != header.flags()
                || !header.flags().has_data_descriptor()
                    && (here.crc32() != header.crc32()
                        || here.compressed_size_hint() != header.compressed_size_hint()
                        || here.uncompressed_size_hint() != header.uncompressed_size_hint())
            {
                return None;
            }
            let deflated = method == CompressionMethod::DEFLATE;
            let regular = deflated || method == CompressionMethod::STORE;
            if !regular
                || header.is_dir()
                || header.mode().is_symlink()
                || header.flags().is_encrypted()
            {
                return None;
            }
            let bytes = header.uncompressed_size_hint();
            let (start, end) = local.compressed_data_range();
            let data = content.get(usize::try_from(start).ok()?..usize::try_from(end).ok()?)?;
            let ratio = bytes / (data.len() as u64).max(1);
            // The careful reader looks through it before anything is parsed.
            if bytes > RATIO_FROM && name.ends_with(".json") {
                return None;
            }
            total += bytes;
            if bytes > self.limits.entry_bytes
                || total > self.limits.total_bytes
                || bytes > RATIO_FROM && ratio > self.limits.ratio
            {
                return None;
            }
            at = end + descriptor(&local)?;
            if listed.insert(name, Listed { data, deflated, bytes, crc: header.crc32() }).is_some()
            {
                return None;
            }
        }
        (listed.len() as u64 == archive.entries_hint() && at == archive.directory_offset())
            .then_some(listed)
    }

    fn inflate(&mut self, listed: &Listed<'_>) -> Option<&[u8]> {
        let bytes = usize::try_from(listed.bytes).ok()?;
        if !listed.deflated {
            return (listed.data.len() == bytes && crc(listed.data) == listed.crc).then(|| {
                self.buffer.clear();
                self.buffer.extend_from_slice(listed.data);
                &self.buffer[..]
            });
        }
        // What an earlier entry left is overwritten; to clear it first would cost.
        if self.buffer.len() < bytes {
            self.buffer.resize(bytes, 0);
        }
        let out = self.buffer.get_mut(..bytes)?;
        let written = self.inflate.deflate_decompress(listed.data, out).ok()?;
        (written == bytes && crc(out) == listed.crc).then_some(&*out)
    }

    fn part<'m, T: serde::de::DeserializeOwned>(
        &mut self,
        listed: &BTreeMap<&str, Listed<'_>>,
        name: &str,
        record: &impl Fn(&str) -> Option<&'m FileRecord>,
        kept: &mut Parts,
    ) -> Option<T> {
        self.part_by(listed, name, record, kept, |text| serde_json::from_str(text).ok())
    }

    fn part_by<'m, T>(
        &mut self,
        listed: &BTreeMap<&str, Listed<'_>>,
        name: &str,
        record: &impl Fn(&str) -> Option<&'m FileRecord>,
        kept: &mut Parts,
        parse: impl FnOnce(&str) -> Option<T>,
    ) -> Option<T> {
        let listed = listed.get(name)?;
        let wanted = &record(name)?.sha256;
        let text = self.inflate(listed)?;
        if sha256(text) != *wanted {
            return None;
        }
        // That it is UTF-8 is seen once for all, which is faster than text by text.
        let value = parse(std::str::from_utf8(text).ok()?)?;
        kept.raw(listed)?;
        Some(value)
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

/// An attachment by its entry, as the careful reader has it.
fn attachment(path: &str, bytes: Vec<u8>, manifest: &Manifest) -> Option<Attachment> {
    let record = manifest.attachments.iter().find(|record| record.path == path);
    Some(Attachment {
        name: path.strip_prefix(entry::ATTACHMENTS)?.to_owned(),
        kind: record.map_or(AttachmentKind::Other, |record| record.kind),
        vantage: record.and_then(|record| record.vantage),
        path: record.and_then(|record| record.source.clone()),
        bytes,
    })
}

enum Regular {
    Known,
    Facts(Box<Facts>),
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

fn known(name: &str) -> bool {
    let exact = [
        entry::MANIFEST,
        entry::README,
        entry::OBSERVATIONS,
        entry::ENVIRONMENT,
        entry::REDACTIONS,
    ];
    let inside = |folder: &str| {
        name.strip_prefix(folder).is_some_and(|name| {
            !name.is_empty()
                && !name.starts_with('.')
                && name.bytes().all(|b| b.is_ascii_alphanumeric() || b"._-".contains(&b))
        })
    };
    exact.contains(&name) || inside(entry::TRANSCRIPTS) || inside(entry::ATTACHMENTS)
}

/// Parts one after another: inflated length, length, bytes.
#[derive(Default)]
struct Parts(Vec<u8>);

impl Parts {
    fn raw(&mut self, listed: &Listed<'_>) -> Option<()> {
        if listed.deflated {
            self.add(u32::try_from(listed.bytes).ok()?, listed.data)
        } else {
            self.text(listed.data)
        }
    }

    fn text(&mut self, text: &[u8]) -> Option<()> {
        // A name: one stored block (RFC 1951 section 3.2.4), for which no compressor is made.
        if let Some(length) = u16::try_from(text.len()).ok().filter(|length| *length < 512) {
            let (head, not) = (length.to_le_bytes(), (!length).to_le_bytes());
            let block = [&[1][..], &head, &not, text].concat();
            return self.add(u32::from(length), &block);
        }
        let mut compressor = Compressor::new(CompressionLvl::new(6).ok()?);
        let mut out = vec![0; compressor.deflate_compress_bound(text.len())];
        let length = compressor.deflate_compress(text, &mut out).ok()?;
        self.add(u32::try_from(text.len()).ok()?, &out[..length])
    }

    fn nothing(&mut self) {
        self.0.extend_from_slice(&[0; 8]);
    }

    fn add(&mut self, inflated: u32, deflated: &[u8]) -> Option<()> {
        self.0.extend_from_slice(&inflated.to_le_bytes());
        self.0.extend_from_slice(&u32::try_from(deflated.len()).ok()?.to_le_bytes());
        self.0.extend_from_slice(deflated);
        Some(())
    }
}

/// What of an irregular bundle is kept: what could be read of it. Nothing
/// where it cannot be put together, which leaves its first verdict standing.
fn keep(bundle: &Bundle) -> Kept {
    let mut parts = Parts::default();
    let all = (|| {
        parts.text(&serde_json::to_vec(&bundle.manifest).ok()?)?;
        parts.text(&serde_json::to_vec(&bundle.observations).ok()?)?;
        parts.text(&serde_json::to_vec(&bundle.environment).ok()?)?;
        parts.text(&serde_json::to_vec(&bundle.redactions).ok()?)?;
        parts.text(&serde_json::to_vec(&bundle.defects).ok()?)?;
        bundle.attachments.iter().try_for_each(|one| {
            parts.text(format!("{}{}", entry::ATTACHMENTS, one.name).as_bytes())?;
            parts.text(&one.bytes)
        })
    })();
    all.map_or_else(Kept::default, |()| Kept(parts.0))
}

/// A bundle from what was kept of it.
///
/// # Errors
/// What was kept is damaged, or written by a newer version.
pub fn restore(kept: &[u8]) -> Result<Bundle, String> {
    fn parsed<T: serde::de::DeserializeOwned>(text: &[u8]) -> Result<T, String> {
        serde_json::from_slice(text).map_err(|error| error.to_string())
    }
    let mut parts = parts(kept)?.into_iter();
    let mut part = || parts.next().ok_or("it is cut off");
    let manifest = parsed(&part()?)?;
    let observations = parsed(&part()?)?;
    let environment = parsed(&part()?)?;
    let redactions = parsed(&part()?)?;
    let defects: Vec<Defect> = match part()? {
        none if none.is_empty() => Vec::new(),
        text => parsed(&text)?,
    };
    let mut attachments = Vec::new();
    while let Some(path) = parts.next() {
        let path = String::from_utf8(path).map_err(|error| error.to_string())?;
        let bytes = parts.next().ok_or("it is cut off")?;
        attachments.push(attachment(&path, bytes, &manifest).ok_or("a part has a wrong name")?);
    }
    Ok(Bundle { manifest, observations, environment, attachments, redactions, defects })
}

fn parts(kept: &[u8]) -> Result<Vec<Vec<u8>>, String> {
    let mut rest = kept;
    let mut inflate = Decompressor::new();
    let limits = Limits::default();
    let (mut parts, mut total) = (Vec::new(), 0);
    while !rest.is_empty() {
        let mut length = || -> Result<usize, String> {
            let (head, tail) = rest.split_first_chunk::<4>().ok_or("it is cut off")?;
            rest = tail;
            usize::try_from(u32::from_le_bytes(*head)).map_err(|error| error.to_string())
        };
        let (inflated, deflated) = (length()?, length()?);
        total += inflated as u64;
        if inflated as u64 > limits.entry_bytes || total > limits.total_bytes {
            return Err(format!("a part claims {inflated} bytes"));
        }
        let data = rest.get(..deflated).ok_or("it is cut off")?;
        rest = &rest[deflated..];
        let mut out = vec![0; inflated];
        if deflated > 0 {
            let written = inflate.deflate_decompress(data, &mut out);
            out.truncate(written.map_err(|error| error.to_string())?);
        }
        parts.push(out);
    }
    Ok(parts)
}
