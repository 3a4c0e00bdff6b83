//! What may stay of each kind of structured description: a list for each, chosen by
//! the document. What none of them claims keeps numbers and switches alone.
//!
//! Masking belongs to whoever writes bundles, so that the lists stand here; the row of
//! the diagnosis' table that reads a kind names its list.

mod aws;
mod caddy;
mod envoy;

pub use aws::AWS;
pub use caddy::CADDY;
pub use envoy::ENVOY;

use crate::structured::Node;
use std::fmt;

/// What may stay of one kind of description, besides numbers and switches.
pub struct Listed {
    /// Whether a document is of this kind.
    pub whose: fn(&Node) -> bool,
    /// Keys whose values may stay, at any depth.
    pub keys: &'static [&'static str],
    /// Ends of the `Key` of a `Key`/`Value` pair whose `Value` may stay.
    pub pairs: &'static [&'static str],
}

impl fmt::Debug for Listed {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_list().entries(self.keys).finish()
    }
}

impl PartialEq for Listed {
    fn eq(&self, other: &Self) -> bool {
        self.keys == other.keys && self.pairs == other.pairs
    }
}

impl Eq for Listed {}

/// All of them. A document is the first one's that claims it.
pub static LISTED: [&Listed; 3] = [&AWS, &ENVOY, &CADDY];

/// For documents that none claims.
static NOTHING: Listed = Listed { whose: |_| true, keys: &[], pairs: &[] };

/// The list for a document.
pub(super) fn of(document: &Node) -> &'static Listed {
    LISTED.into_iter().find(|listed| (listed.whose)(document)).unwrap_or(&NOTHING)
}
