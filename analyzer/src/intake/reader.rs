//! One bundle, whatever it is: the fast reader first, the careful one for what is
//! irregular; encrypted ones are opened before.

use crate::store::kept::Kept;
use std::path::Path;
use wss_bundle::Bundle;
use wss_bundle::read::fast::{self, Regular};
use wss_bundle::read::{self, Limits, ReadError};
use wss_bundle::sealed::{self, Identities};

/// A bundle that was read.
#[derive(Debug)]
pub struct Facts {
    /// What the diagnosis looks at.
    pub bundle: Bundle,
    /// The same, to be kept.
    pub kept: Kept,
}

/// Reads bundles; buffers are used again.
#[derive(Default)]
pub struct Reader {
    fast: fast::Reader,
    limits: Limits,
    identities: Option<Identities>,
    /// How many were left to the careful reader.
    pub careful: u64,
}

impl Reader {
    /// A reader with private keys for encrypted bundles.
    #[must_use]
    pub fn new(identities: Option<Identities>) -> Self {
        Self { identities, ..Self::default() }
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
        match self.fast.read(content, &wanted) {
            Some(Regular::Known) => return Ok(None),
            Some(Regular::Whole(bundle, parts)) => {
                if let Some(kept) = Kept::of_parts(&parts) {
                    return Ok(Some(Facts { bundle: *bundle, kept }));
                }
            }
            None => {}
        }
        self.careful += 1;
        let bundle = read::bytes(content, name, &self.limits)?.bundle;
        if !wanted(&bundle.manifest.id) {
            return Ok(None);
        }
        let kept = Kept::of_bundle(&bundle);
        Ok(Some(Facts { bundle, kept }))
    }
}
