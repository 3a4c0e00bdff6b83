//! Entries of an archive without a usable directory: a download that was cut
//! off, a collection that was killed. Each is found by the header in front of it.

use super::archive::{Archive, Source};
use super::inflate::Budget;
use super::{Limits, defect, defect_at, shown};

const SIGNATURE: &[u8] = b"PK\x03\x04";
/// Bytes of a local header before the name (APPNOTE 4.3.7).
const FIXED: usize = 30;

/// Reads what stands behind local headers. The first entry of a name counts: a
/// bundle within a damaged bundle comes later.
pub(super) fn entries(content: &[u8], limits: &Limits, budget: &mut Budget<'_>, out: &mut Archive) {
    let mut at = 0;
    let mut headers = 0;
    while let Some(offset) = next(content, at) {
        headers += 1;
        if headers > limits.entries {
            let detail = format!("more than {} entries; the rest was not read", limits.entries);
            out.defects.push(defect(None, "too-many-entries", detail));
            return;
        }
        at = offset + SIGNATURE.len();
        let Some((source, start)) = local(content, offset, out) else { continue };
        match out.take(source, budget, true) {
            Some(Some(used)) => at = start + used,
            Some(None) => {}
            None => return,
        }
    }
}

fn next(content: &[u8], from: usize) -> Option<usize> {
    let mut at = from;
    loop {
        at += content.get(at..)?.iter().position(|byte| *byte == SIGNATURE[0])?;
        if content[at..].starts_with(SIGNATURE) {
            return Some(at);
        }
        at += 1;
    }
}

/// The entry whose header stands there, and where its data begin.
fn local<'a>(content: &'a [u8], offset: usize, out: &mut Archive) -> Option<(Source<'a>, usize)> {
    let header = content.get(offset..offset + FIXED)?;
    let short = |at: usize| u16::from_le_bytes([header[at], header[at + 1]]);
    let long = |at: usize| {
        u32::from_le_bytes([header[at], header[at + 1], header[at + 2], header[at + 3]])
    };
    let (flags, method, crc, compressed) = (short(6), short(8), long(14), long(18));
    let name_end = offset + FIXED + usize::from(short(26));
    let name = content.get(offset + FIXED..name_end)?;
    let start = name_end + usize::from(short(28));
    let rest = content.get(start..)?;
    let mut say = |kind: &str, detail: &str| {
        out.defects.push(defect_at(&shown(name), offset as u64, kind, detail));
    };
    if flags & 1 != 0 {
        say("encrypted-entry", "left out: encrypted with a password");
        return None;
    }
    if !matches!(method, 0 | 8) {
        say(
            "unsupported-method",
            &format!("left out: compressed by method {method}, not by deflate"),
        );
        return None;
    }
    // Sizes may stand behind the data; then only deflate tells where they end.
    let unknown = flags & 8 != 0 && compressed == 0;
    if unknown && method == 0 {
        say("unreadable-entry", "its size is not known");
        return None;
    }
    let length = if unknown { rest.len() } else { compressed as usize };
    let source = Source {
        name: name.to_vec(),
        offset: offset as u64,
        data: &rest[..length.min(rest.len())],
        deflated: method == 8,
        crc: (!unknown).then_some(crc),
        bytes: (!unknown).then(|| u64::from(long(22))),
        cut: length >= rest.len(),
    };
    Some((source, start))
}
