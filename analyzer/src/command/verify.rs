//! `verify`: is this a bundle, whole, and safe to open?

use super::{DONE, NOTHING, SOME_BAD, complain, out};
use std::path::Path;
use wss_bundle::read::{self, Limits};

/// Checks a bundle; gives the exit code.
#[must_use]
pub fn verify(path: &Path) -> u8 {
    let opened = match read::file(path, &Limits::default()) {
        Ok(opened) => opened,
        Err(error) => {
            complain(&error.to_string());
            return NOTHING;
        }
    };
    let manifest = &opened.bundle.manifest;
    out(&format!(
        "{}: bundle {} of case {}, {}, {} entries\n",
        path.display(),
        manifest.id.escape_debug(),
        manifest.case.escape_debug(),
        if manifest.complete { "complete" } else { "interrupted" },
        opened.entries.len()
    ));
    if opened.bundle.defects.is_empty() {
        out("every checksum is right, and nothing is in it that should not be\n");
        return DONE;
    }
    for defect in &opened.bundle.defects {
        complain(&format!("{}: {defect}", path.display()));
    }
    SOME_BAD
}
