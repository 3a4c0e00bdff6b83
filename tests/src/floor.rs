//! What no reader of bundles can avoid, by the fastest library there is: every
//! entry inflated with libdeflate, and its CRC, from memory.

use libdeflater::{Crc, Decompressor};
use rawzip::{CompressionMethod, ZipArchive};
use std::path::{Path, PathBuf};
use wss_analyzer::intake::find::Walk;

/// Reads the bundles of a folder, then inflates every entry of each so many times.
/// Gives how many bytes came out. Run with nought times it does all but that.
///
/// # Errors
/// A file that cannot be read; an entry that is damaged.
pub fn inflate(folder: &Path, times: usize) -> Result<u64, String> {
    let mut zips = Vec::new();
    for found in Walk::new(&[PathBuf::from(folder)]) {
        let path = found?;
        zips.push(std::fs::read(&path).map_err(|error| format!("{}: {error}", path.display()))?);
    }
    let (mut inflater, mut out, mut total) = (Decompressor::new(), Vec::new(), 0);
    for zip in (0..times).flat_map(|_| &zips) {
        // What is no zip is among the generated, too.
        let Ok(archive) = ZipArchive::from_slice(zip) else { continue };
        let mut entries = archive.entries();
        while let Some(header) = entries.next_entry().map_err(|error| error.to_string())? {
            let entry = archive.get_entry(header.wayfinder()).map_err(|error| error.to_string())?;
            let bytes = usize::try_from(header.uncompressed_size_hint()).unwrap_or_default();
            if out.len() < bytes {
                out.resize(bytes, 0);
            }
            let to = out.get_mut(..bytes).unwrap_or_default();
            if header.compression_method() == CompressionMethod::DEFLATE {
                inflater.deflate_decompress(entry.data(), to).map_err(|error| error.to_string())?;
            } else if entry.data().len() == bytes {
                to.copy_from_slice(entry.data());
            }
            let mut crc = Crc::new();
            crc.update(to);
            if crc.sum() != header.crc32() {
                return Err("an entry has another sum than it says".to_owned());
            }
            total += bytes as u64;
        }
    }
    Ok(total)
}
