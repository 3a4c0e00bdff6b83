//! Bundles in a tar stream: how an engine hands them to `rows`.

use super::Input;
use std::io::Read;
use wss_bundle::read::Limits;

/// Reads the files of a tar stream, one after another, and calls `give` with
/// each; folders and links are passed over. False from `give` ends it.
///
/// # Errors
/// The stream is no tar, or is cut off: what came before it was given.
pub fn each(from: impl Read, mut give: impl FnMut(Input) -> bool) -> Result<(), String> {
    let limit = Limits::default().archive_bytes;
    let mut archive = tar::Archive::new(from);
    let entries = archive.entries().map_err(|error| error.to_string())?;
    for entry in entries {
        let mut entry = entry.map_err(|error| error.to_string())?;
        if !entry.header().entry_type().is_file() {
            continue;
        }
        let name = String::from_utf8_lossy(&entry.path_bytes()).into_owned();
        let claimed = entry.size();
        let mut content = Vec::new();
        let read = (&mut entry).take(limit + 1).read_to_end(&mut content);
        let read = read.map_err(|error| format!("{name}: {error}"))?;
        // A stream that ends inside a file ends its reading without an error.
        if (read as u64) < claimed.min(limit + 1) {
            return Err(format!("{name}: the stream ends after {read} of {claimed} bytes"));
        }
        if !give(Input::Bytes(name, content)) {
            return Ok(());
        }
    }
    Ok(())
}
