//! The bytes of a HAR, however it was packed: `.har`, `.har.gz`, a `.zip` with one
//! in it, UTF-16. All of it as a stream; what comes out is bounded by [`super::guard`].
//!
//! What is packed otherwise is named, with the way out.

use super::{HOW, not_used};
use flate2::bufread::MultiGzDecoder;
use std::io::{BufReader, Error, Read, Seek};
use wss_bundle::manifest::NotUsed;

/// Entries of a zip that are looked at.
const ENTRIES: usize = 10_000;

/// What other programs make of a file, by its first bytes.
const PACKED: &[(&[u8], &str, &str)] = &[
    (b"7z\xbc\xaf\x27\x1c", "a 7-Zip archive", "unpack it, and give the .har in it"),
    (b"Rar!\x1a\x07", "a RAR archive", "unpack it, and give the .har in it"),
    (b"\xfd7zXZ\x00", "packed by xz", "unpack it (xz -d), and give the .har"),
    (b"BZh", "packed by bzip2", "unpack it (bzip2 -d), and give the .har"),
    (b"\x28\xb5\x2f\xfd", "packed by zstd", "unpack it (zstd -d), and give the .har"),
    (b"age-encryption.org", "encrypted with age", "decrypt it, and give the .har"),
    (b"\x89PNG", "a picture", HOW),
    (b"\xff\xd8\xff", "a picture", HOW),
    (b"%PDF", "a PDF", HOW),
    (
        b"\xd0\xcf\x11\xe0",
        "a document of Office, or a mail of Outlook",
        "save the .har in it, and give that",
    ),
];

/// A file as the text of a HAR.
pub(super) fn unpacked(
    mut file: BufReader<impl Read + Seek + 'static>,
    shown: &str,
) -> Result<Box<dyn Read>, NotUsed> {
    let why = |reason: String| not_used(shown, reason, HOW);
    let mut start = Vec::new();
    file.by_ref()
        .take(32)
        .read_to_end(&mut start)
        .and_then(|_| file.rewind())
        .map_err(|e| why(format!("it cannot be read: {e}")))?;
    if start.starts_with(b"\x1f\x8b") {
        return Ok(Box::new(Unpacked(MultiGzDecoder::new(file))));
    }
    if start.starts_with(b"PK\x03\x04") || start.starts_with(b"PK\x05\x06") {
        return zip(file, shown);
    }
    if let Some((_, what, instead)) = PACKED.iter().find(|(mark, ..)| start.starts_with(mark)) {
        return Err(not_used(shown, format!("it is {what}, and no HAR"), instead));
    }
    Ok(Box::new(file))
}

/// The `.har` in a zip; of several the largest, since that is the recording.
fn zip(file: BufReader<impl Read + Seek>, shown: &str) -> Result<Box<dyn Read>, NotUsed> {
    let unpack = "unpack it, and give the .har in it";
    let why = |reason: String| not_used(shown, reason, unpack);
    let mut archive = zip::ZipArchive::new(file)
        .map_err(|e| why(format!("it is a zip that cannot be read: {e}")))?;
    let mut found: Option<(u64, usize)> = None;
    for at in 0..archive.len().min(ENTRIES) {
        let Ok(entry) = archive.by_index_raw(at) else { continue };
        let name = entry.name().unwrap_or_default().to_ascii_lowercase();
        // What macOS puts beside a file has its name.
        let beside =
            name.starts_with("__macosx/") || name.contains("/._") || name.starts_with("._");
        let new = found.is_none_or(|(size, _)| entry.size() > size);
        if name.ends_with(".har") && !beside && new {
            found = Some((entry.size(), at));
        }
    }
    let Some((_, at)) = found else {
        return Err(why("it is a zip without a .har in it".to_owned()));
    };
    let entry =
        archive.by_index(at).map_err(|e| why(format!("the .har in it cannot be unpacked: {e}")))?;
    let entry = entry.take(super::guard::FILE_LIMIT);
    aside(entry).map_err(|e| why(format!("the .har in it cannot be unpacked: {e}")))
}

/// An entry borrows its archive: it is unpacked to a file without a name, which costs
/// disk and no memory.
#[cfg(not(target_family = "wasm"))]
fn aside(mut entry: impl Read) -> Result<Box<dyn Read>, Error> {
    let mut out = tempfile::tempfile()?;
    std::io::copy(&mut entry, &mut out)?;
    out.rewind()?;
    Ok(Box::new(BufReader::new(out)))
}

/// A page in a browser has no disk.
#[cfg(target_family = "wasm")]
fn aside(mut entry: impl Read) -> Result<Box<dyn Read>, Error> {
    let mut out = Vec::new();
    entry.read_to_end(&mut out)?;
    Ok(Box::new(std::io::Cursor::new(out)))
}

/// A stream whose errors say that it is the packing that is damaged.
struct Unpacked<R>(R);

impl<R: Read> Read for Unpacked<R> {
    fn read(&mut self, out: &mut [u8]) -> Result<usize, Error> {
        self.0.read(out).map_err(|e| Error::new(e.kind(), format!("it is gzip, and damaged ({e})")))
    }
}

/// UTF-16 as UTF-8. What is no character becomes U+FFFD.
pub(super) struct Utf16<R> {
    inner: R,
    little: bool,
    ready: Vec<u8>,
    at: usize,
    half: Option<u16>,
    odd: Option<u8>,
}

impl<R: Read> Utf16<R> {
    /// `inner` stands behind the byte order mark.
    pub(super) fn new(inner: R, little: bool) -> Self {
        Self { inner, little, ready: Vec::new(), at: 0, half: None, odd: None }
    }

    fn refill(&mut self) -> Result<bool, Error> {
        let mut raw = [0; 8 << 10];
        let count = self.inner.read(&mut raw)?;
        let bytes: Vec<u8> =
            self.odd.take().into_iter().chain(raw[..count].iter().copied()).collect();
        let pairs = bytes.chunks_exact(2);
        self.odd = pairs.remainder().first().copied().filter(|_| count > 0);
        let units = pairs.map(|two| match self.little {
            true => u16::from_le_bytes([two[0], two[1]]),
            false => u16::from_be_bytes([two[0], two[1]]),
        });
        let mut units: Vec<u16> = self.half.take().into_iter().chain(units).collect();
        // The first half of a pair waits for the second.
        if count > 0 && units.last().is_some_and(|last| (0xD800..0xDC00).contains(last)) {
            self.half = units.pop();
        }
        self.ready = String::from_utf16_lossy(&units).into_bytes();
        self.at = 0;
        Ok(count > 0 || !self.ready.is_empty())
    }
}

impl<R: Read> Read for Utf16<R> {
    fn read(&mut self, out: &mut [u8]) -> Result<usize, Error> {
        while self.at == self.ready.len() {
            if !self.refill()? {
                return Ok(0);
            }
        }
        let count = out.len().min(self.ready.len() - self.at);
        out[..count].copy_from_slice(&self.ready[self.at..self.at + count]);
        self.at += count;
        Ok(count)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn utf_16_comes_out_as_utf_8() {
        for text in ["{}", "ä€😀x", ""] {
            for little in [true, false] {
                let wide: Vec<u8> = text
                    .encode_utf16()
                    .flat_map(|u| if little { u.to_le_bytes() } else { u.to_be_bytes() })
                    .collect();
                let mut out = String::new();
                // One byte at a time: halves of characters come apart.
                struct Slow<'a>(&'a [u8]);
                impl Read for Slow<'_> {
                    fn read(&mut self, out: &mut [u8]) -> Result<usize, Error> {
                        let count = 1.min(self.0.len()).min(out.len());
                        out[..count].copy_from_slice(&self.0[..count]);
                        self.0 = &self.0[count..];
                        Ok(count)
                    }
                }
                Utf16::new(Slow(&wide), little).read_to_string(&mut out).unwrap();
                assert_eq!(out, text);
            }
        }
    }
}
