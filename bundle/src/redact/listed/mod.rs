//! What may stay of each kind of structured description: a list for each, chosen by
//! the document. What none of them claims keeps numbers and switches alone.
//!
//! Masking belongs to whoever writes bundles, so that the lists stand here; the row of
//! the diagnosis' table that reads a kind names its list.

mod aws;
mod azure;
mod caddy;
mod envoy;
mod gcp;
mod kubernetes;
mod traefik;

pub use aws::AWS;
pub use azure::AZURE;
pub use caddy::CADDY;
pub use envoy::ENVOY;
pub use gcp::GCP;
pub use kubernetes::KUBERNETES;
pub use traefik::TRAEFIK;

use crate::structured::Node;
use std::fmt;

/// What may stay of one kind of description, besides numbers and switches.
pub struct Listed {
    /// Whether a document is of this kind.
    pub whose: fn(&Node) -> bool,
    /// Keys whose values may stay, at any depth; `path.value` is a `value` of a `path`.
    pub keys: &'static [&'static str],
    /// Ends of the `Key` of a `Key`/`Value` pair whose `Value` may stay.
    pub pairs: &'static [&'static str],
    /// What few kinds need.
    pub finer: &'static Finer,
}

/// Finer points, of kinds whose fields hold what anybody likes.
#[derive(Debug, PartialEq, Eq)]
pub struct Finer {
    /// Keys of texts such as `a=1,b=x`, of which numbers and switches stay.
    pub attributes: &'static [&'static str],
    /// Keys below which numbers and switches have to be listed, too.
    pub strict: &'static [&'static str],
    /// Values of `kind` of which nothing stays.
    pub hidden: &'static [&'static str],
    /// Words that make a listed value go.
    pub except: &'static [&'static str],
    /// Whether parts refer to each other by names: one that looks like a token becomes a
    /// short one, the same everywhere, and a resource's path its name.
    pub named: bool,
}

impl Finer {
    /// None.
    pub const NONE: Self =
        Self { attributes: &[], strict: &[], hidden: &[], except: &[], named: false };
}

impl Listed {
    /// Whether the value of a key may stay; `parent` is the key that it stands below.
    pub(super) fn lists(&self, parent: &str, key: &str) -> bool {
        self.keys.iter().any(|own| {
            let below = || own.strip_suffix(key)?.strip_suffix('.');
            *own == key || below() == Some(parent)
        })
    }
}

impl fmt::Debug for Listed {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_list().entries(self.keys).finish()
    }
}

impl PartialEq for Listed {
    fn eq(&self, other: &Self) -> bool {
        self.keys == other.keys && self.pairs == other.pairs && self.finer == other.finer
    }
}

impl Eq for Listed {}

/// All of them. A document is the first one's that claims it.
pub static LISTED: [&Listed; 7] = [&AWS, &ENVOY, &CADDY, &KUBERNETES, &GCP, &AZURE, &TRAEFIK];

/// For documents that none claims.
static NOTHING: Listed = Listed { whose: |_| true, keys: &[], pairs: &[], finer: &Finer::NONE };

/// The list for a document.
pub(super) fn of(document: &Node) -> &'static Listed {
    LISTED.into_iter().find(|listed| (listed.whose)(document)).unwrap_or(&NOTHING)
}
