//! `verify`: is this a bundle, whole, and safe to open?

use super::{DONE, NOTHING, SOME_BAD, complain, say};
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
    let mut text = format!(
        "{}: bundle {} of case {}, {}, {} entries\n",
        path.display(),
        manifest.id.escape_debug(),
        manifest.case.escape_debug(),
        if manifest.complete { "complete" } else { "interrupted" },
        opened.entries.len()
    );
    let defects = &opened.bundle.defects;
    if defects.is_empty() {
        text.push_str("every checksum is right, and nothing is in it that should not be\n");
    }
    for defect in defects {
        complain(&format!("{}: {defect}", path.display()));
    }
    say(&text, if defects.is_empty() { DONE } else { SOME_BAD })
}
