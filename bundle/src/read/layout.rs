//! What an archive's directory says, held against what lies there. Two programs
//! that read a zip differently see two archives in it: whatever allows that is
//! a defect, and what is not beyond doubt is left out.

use super::archive::{Archive, Source};
use super::header::{self, Oddity};
use super::{Limits, defect_at, shown};
use rawzip::{CompressionMethod, ZipArchive, ZipFileHeaderRecord, ZipSliceArchive};

/// An entry with the bytes that it takes in the archive, its header included.
struct Placed<'a> {
    source: Source<'a>,
    end: u64,
}

/// The entries that the directory names and that can be trusted to be where it
/// says. What is wrong becomes a defect of `out`.
///
/// # Errors
/// Why there is no directory.
pub(super) fn entries<'a>(
    content: &'a [u8],
    limits: &Limits,
    out: &mut Archive,
) -> Result<Vec<Source<'a>>, String> {
    let zip = ZipArchive::from_slice(content).map_err(|error| error.to_string())?;
    let mut found = Vec::new();
    // Also of what is left out: its place is taken.
    let mut taken = Vec::new();
    let mut listed = zip.entries();
    for at in 0.. {
        let header = match listed.next_entry() {
            Ok(Some(header)) => header,
            Ok(None) => break,
            Err(error) => {
                out.damaged = true;
                let detail = format!("its directory is damaged after {at} entries: {error}");
                out.defects.push(super::defect(None, "damaged-archive", detail));
                break;
            }
        };
        if at >= limits.entries {
            let detail =
                format!("{} entries; the first {at} were looked at", zip.entries_hint().max(1));
            out.defects.push(super::defect(None, "too-many-entries", detail));
            break;
        }
        let offset = header.local_header_offset();
        match placed(&zip, content, &header, out) {
            Ok((entry, end)) => {
                taken.push((offset, end));
                found.extend(entry.map(|source| Placed { source, end }));
            }
            Err(why) => {
                out.damaged = true;
                let name = shown(header.file_path().as_bytes());
                out.defects.push(defect_at(&name, offset, "unreadable-entry", why));
            }
        }
    }
    taken.sort_unstable();
    strays(&zip, content, &taken, out);
    Ok(apart(found, &taken, out))
}

/// One entry, `None` where it is to be left out, and where it ends.
fn placed<'a>(
    zip: &ZipSliceArchive<&'a [u8]>,
    content: &'a [u8],
    header: &ZipFileHeaderRecord<'_>,
    out: &mut Archive,
) -> Result<(Option<Source<'a>>, u64), String> {
    let offset = header.local_header_offset();
    let path = header.file_path();
    let name = shown(path.as_bytes());
    let local = zip
        .get_entry(header.wayfinder())
        .map_err(|error| format!("there is no entry where the directory has it: {error}"))?;
    let (start, mut end) = local.compressed_data_range();
    let place = |at: u64| usize::try_from(at).map_err(|error| error.to_string());
    let data = content.get(place(start)?..place(end)?).ok_or("it is cut off")?;
    end += descriptor(header, content.get(place(end)?..).unwrap_or_default());
    let mut say = |kind: &str, detail: String| {
        out.defects.push(defect_at(&name, offset, kind, detail));
    };
    let here = local.local_header();
    match header::oddity(header, &here) {
        None => {}
        Some(Oddity::Folder) => return Ok((None, end)),
        // With a descriptor behind the data, it is what the directory says that counts.
        Some(Oddity::OtherSize) => {
            say("header-mismatch", Oddity::OtherSize.to_string());
        }
        Some(odd) => {
            say(odd.kind(), format!("left out: {odd}"));
            return Ok((None, end));
        }
    }
    let source = Source {
        name: path.as_bytes().to_vec(),
        offset,
        data,
        deflated: header.compression_method() == CompressionMethod::DEFLATE,
        crc: Some(header.crc32()),
        bytes: Some(header.uncompressed_size_hint()),
        cut: false,
    };
    Ok((Some(source), end))
}

/// Bytes of a data descriptor: CRC-32 and sizes, with a signature or without.
fn descriptor(header: &ZipFileHeaderRecord<'_>, behind: &[u8]) -> u64 {
    match header.flags().has_data_descriptor() {
        false => 0,
        true if behind.starts_with(b"PK\x07\x08") => 16,
        true => 12,
    }
}

/// Leaves out what shares bytes with another entry: bombs are made of that.
fn apart<'a>(found: Vec<Placed<'a>>, taken: &[(u64, u64)], out: &mut Archive) -> Vec<Source<'a>> {
    let overlaps = |one: &Placed<'_>| {
        // `taken` is sorted by its beginning, and has the entry itself.
        let (from, to) = (one.source.offset, one.end);
        let until = taken.partition_point(|(start, _)| *start < to);
        taken[..until].iter().filter(|(start, end)| *end > from && *start < to).count() > 1
    };
    // The longest entry may reach over many: what begins before it is rare, so
    // the count above is cheap unless somebody wants it not to be.
    if taken.windows(2).all(|two| two[0].1 <= two[1].0) {
        return found.into_iter().map(|one| one.source).collect();
    }
    let mut sources = Vec::new();
    for one in found {
        if overlaps(&one) {
            let name = shown(&one.source.name);
            let detail = "left out: it shares bytes with another entry";
            out.defects.push(defect_at(&name, one.source.offset, "overlapping-entry", detail));
        } else {
            sources.push(one.source);
        }
    }
    sources
}

/// Bytes that belong to no entry: before the first, between two, behind the end.
fn strays(zip: &ZipSliceArchive<&[u8]>, content: &[u8], taken: &[(u64, u64)], out: &mut Archive) {
    let mut say = |from: u64, to: u64, kind: &str, detail: &str| {
        let detail = format!("{} bytes {detail}", to - from);
        let mut defect = super::defect(None, kind, detail);
        defect.offset = Some(from);
        out.defects.push(defect);
    };
    let mut at = 0;
    for (start, end) in taken {
        if *start > at {
            say(at, *start, "stray-data", "belong to no entry");
            // One is enough to say it.
            at = u64::MAX;
            break;
        }
        at = at.max(*end);
    }
    if at < zip.directory_offset() {
        say(at, zip.directory_offset(), "stray-data", "belong to no entry");
    }
    let end = zip.end_offset();
    if end < content.len() as u64 {
        say(end, content.len() as u64, "trailing-data", "behind the end of the zip");
    }
    let comment = zip.comment().as_bytes().len() as u64;
    if comment > 0 {
        say(end.saturating_sub(comment), end, "trailing-data", "of comment");
    }
}
