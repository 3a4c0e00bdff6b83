//! What writers and readers agree on: the format's name and version, the names of
//! the entries, how large they may be, and the hash in the manifest.

use sha2::{Digest, Sha256};
use std::time::Duration;

/// The name in [`crate::manifest::Format::name`].
pub const NAME: &str = "wss-bundle";
/// Version written by this crate; a newer one is not read.
pub const MAJOR: u32 = 1;
/// Version written by this crate; a newer one is read.
pub const MINOR: u32 = 0;

/// Entries larger than this are held to the ratio.
pub const RATIO_FROM: u64 = 1 << 20;

/// Names of the entries, in the order in which they are written.
pub mod entry {
    /// What this is, and what else is in it; the first entry.
    pub const MANIFEST: &str = "manifest.json";
    /// For the person who sends it.
    pub const README: &str = "README.txt";
    /// What happened.
    pub const OBSERVATIONS: &str = "observations.json";
    /// Folder of the transcripts.
    pub const TRANSCRIPTS: &str = "transcripts/";
    /// The machine.
    pub const ENVIRONMENT: &str = "environment.json";
    /// Folder of what the user gave.
    pub const ATTACHMENTS: &str = "attachments/";
    /// What was removed.
    pub const REDACTIONS: &str = "redactions.json";

    /// Whether an entry of a bundle may have this name.
    #[must_use]
    pub fn is_known(path: &str) -> bool {
        let exact = [MANIFEST, README, OBSERVATIONS, ENVIRONMENT, REDACTIONS];
        let inside = |folder: &str| {
            path.strip_prefix(folder).is_some_and(|name| {
                !name.is_empty()
                    && !name.starts_with('.')
                    && name.bytes().all(|b| b.is_ascii_alphanumeric() || b"._-".contains(&b))
            })
        };
        exact.contains(&path) || inside(TRANSCRIPTS) || inside(ATTACHMENTS)
    }
}

/// How much of an archive is read. A usual bundle has 0.1 MiB in 60 entries.
#[derive(Debug, Clone, Copy)]
pub struct Limits {
    /// Bytes of the zip.
    pub archive_bytes: u64,
    /// Entries.
    pub entries: usize,
    /// Bytes of one entry, uncompressed.
    pub entry_bytes: u64,
    /// Bytes of all entries, uncompressed.
    pub total_bytes: u64,
    /// Uncompressed to compressed, for entries over 1 MiB. JSON full of one
    /// repeated page reaches 100; bombs begin at 1000.
    pub ratio: u64,
    /// Wall-clock time.
    pub time: Duration,
    /// How long a pipe may be silent; six times that in all.
    pub pipe: Duration,
    /// Nesting of JSON; a bundle's own is below 20.
    pub json_depth: usize,
    /// Bytes of one string in JSON, as it is written; bodies have 64 KiB at most.
    pub json_string: usize,
    /// Characters of a number in JSON; a 64-bit float has 24 at most.
    pub json_number: usize,
    /// Strings, numbers, lists and objects in one entry; a usual bundle has 5000.
    pub json_values: usize,
    /// Elements of one list.
    pub elements: usize,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            archive_bytes: 32 << 20,
            entries: 4096,
            entry_bytes: 16 << 20,
            total_bytes: 40 << 20,
            ratio: 400,
            time: Duration::from_secs(30),
            pipe: Duration::from_secs(10),
            json_depth: 100,
            json_string: 2 << 20,
            json_number: 40,
            json_values: 400_000,
            elements: 10_000,
        }
    }
}

impl Limits {
    /// Whether an entry is larger than it may be: `content` bytes, of `compressed` ones.
    #[must_use]
    pub fn forbid(&self, content: u64, compressed: u64) -> Option<TooLarge> {
        if content > self.entry_bytes {
            Some(TooLarge::Bytes(self.entry_bytes))
        } else if content > RATIO_FROM && content / compressed.max(1) > self.ratio {
            Some(TooLarge::Ratio(self.ratio))
        } else {
            None
        }
    }
}

/// Why an entry is not read.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum TooLarge {
    /// It has more bytes than this.
    #[error("more than {0} bytes")]
    Bytes(u64),
    /// It expands more often than this.
    #[error("expands more than {0} times")]
    Ratio(u64),
}

/// SHA-256 in lower-case hex, as the manifest has it.
#[must_use]
pub fn sha256(content: &[u8]) -> String {
    let digit =
        |nibble: u8| char::from(if nibble < 10 { b'0' + nibble } else { b'a' + nibble - 10 });
    let digest = Sha256::digest(content);
    let mut out = String::with_capacity(64);
    for byte in digest {
        out.push(digit(byte >> 4));
        out.push(digit(byte & 15));
    }
    out
}
