//! `verify`: is this a bundle, whole, and safe to open?

use super::{DONE, NOTHING, SOME_BAD, complain, identities, say};
use std::path::Path;
use wss_bundle::read::{self, Limits};

/// Checks a bundle; gives the exit code.
#[must_use]
pub fn verify(path: &Path, identity: Option<&Path>) -> u8 {
    let opened = identities(identity).and_then(|identities| {
        read::file_with(path, &Limits::default(), identities.as_ref())
            .map_err(|error| error.to_string())
    });
    let opened = match opened {
        Ok(opened) => opened,
        Err(message) => {
            complain(&message);
            return NOTHING;
        }
    };
    let text = format!("{}: {}", path.display(), wss_report::verified(&opened));
    let defects = &opened.bundle.defects;
    for defect in defects {
        complain(&format!("{}: {defect}", path.display()));
    }
    say(&text, if defects.is_empty() { DONE } else { SOME_BAD })
}
