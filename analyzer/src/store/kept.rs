//! What the store keeps of a bundle, so that new rules judge it without its file:
//! all parts but the transcripts and HAR exports, which say nothing that is not in
//! the observations, and the defects that the careful reader found; each deflated,
//! as it was in the zip. One after another: inflated length, length, bytes.

use libdeflater::{CompressionLvl, Compressor, Decompressor};
use wss_bundle::bundle::Attachment;
use wss_bundle::format::{Limits, entry};
use wss_bundle::read::fast::{Part, Parts};
use wss_bundle::{Bundle, Defect};

/// What of a bundle is enough to judge it again.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Kept(pub Vec<u8>);

impl Kept {
    /// Of a regular bundle: its parts as they lie in the zip.
    #[must_use]
    pub fn of_parts(parts: &Parts<'_>) -> Option<Self> {
        let mut out = Self::default();
        parts.fixed.iter().try_for_each(|part| out.part(part))?;
        // No defects.
        out.nothing();
        for (path, part) in &parts.attachments {
            out.text(path.as_bytes())?;
            match part {
                Some(part) => out.part(part)?,
                None => out.nothing(),
            }
        }
        Some(out)
    }

    /// Of an irregular bundle: what could be read of it. Nothing where it cannot be
    /// put together, which leaves its first verdict standing.
    #[must_use]
    pub fn of_bundle(bundle: &Bundle) -> Self {
        let mut out = Self::default();
        let all = (|| {
            out.text(&serde_json::to_vec(&bundle.manifest).ok()?)?;
            out.text(&serde_json::to_vec(&bundle.observations).ok()?)?;
            out.text(&serde_json::to_vec(&bundle.environment).ok()?)?;
            out.text(&serde_json::to_vec(&bundle.redactions).ok()?)?;
            out.text(&serde_json::to_vec(&bundle.defects).ok()?)?;
            bundle.attachments.iter().try_for_each(|one| {
                out.text(format!("{}{}", entry::ATTACHMENTS, one.name).as_bytes())?;
                out.text(&one.bytes)
            })
        })();
        all.map_or_else(Self::default, |()| out)
    }

    fn part(&mut self, part: &Part<'_>) -> Option<()> {
        if part.deflated {
            self.add(u32::try_from(part.bytes).ok()?, part.data)
        } else {
            self.text(part.data)
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
        attachments
            .push(Attachment::of_entry(&path, bytes, &manifest).ok_or("a part has a wrong name")?);
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
