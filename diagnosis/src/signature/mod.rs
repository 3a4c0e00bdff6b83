//! Device signatures: who wrote a response, a certificate or a host name.
//!
//! One TOML file per device in `diagnosis/signatures/`; each carries the samples
//! that it must and must not match. All but the samples is compiled in, as JSON
//! (`build.rs`). A signature names a
//! product that *could* write what was seen, never who is at fault: header and
//! cookie names travel through transparent hops, so where the device stands is
//! for the caller to say.
//!
//! Weights add up: a strong sign alone, or two of medium weight, give
//! [`Confidence::High`]; two weak ones give [`Confidence::Medium`]. A signature
//! whose signs another product shares names its own ceiling (`at_most`).
//!
//! `file` has the written form, `sign` one sign with its pattern, `device` what a
//! device's signs add up to; this file holds all of them and asks those that
//! may fit: `need` says what a pattern needs of a text, and `index` finds it.

mod bodies;
mod device;
mod file;
mod index;
mod need;
mod sign;

pub use device::Signature;

use crate::model::{Confidence, DeviceRole};
use file::File;
use index::{At, Index};
pub(crate) use sign::Place;
use sign::{Hit, Seen, Sign};
use std::sync::OnceLock;
use wss_bundle::ResponseHead;
use wss_bundle::observation::Certificate;

/// What `build.rs` wrote.
static WRITTEN: &str = include_str!(concat!(env!("OUT_DIR"), "/signatures.json"));

/// A response to be recognised.
#[derive(Debug, Clone, Copy)]
pub struct Response<'a> {
    /// Status code; where it is `None`, the head's own is taken.
    pub status: Option<u16>,
    /// Status line and headers.
    pub head: &'a ResponseHead,
    /// Body, or what was kept of it.
    pub body: &'a str,
}

/// A device that fits what was seen.
#[derive(Debug, Clone)]
pub struct Match<'a> {
    /// Which.
    pub signature: &'a Signature,
    /// Its version, where it tells.
    pub version: Option<String>,
    /// How well it fits.
    pub confidence: Confidence,
    /// What it was recognised by. Holds untrusted text.
    pub because: String,
    /// Whether its own page is among the signs: then it wrote the response,
    /// where a header alone may have been stamped in passing.
    pub by_body: bool,
    /// Where it stands among others of its role, as far as this response shows.
    pub(crate) place: Place,
}

/// All known devices, ordered by id.
#[derive(Debug, Clone)]
pub struct Signatures {
    all: Vec<Signature>,
    /// Of `all`, once something is asked.
    index: OnceLock<Index>,
}

impl Signatures {
    /// The compiled-in ones; parsed once.
    pub fn built_in() -> &'static Self {
        static BUILT_IN: OnceLock<Signatures> = OnceLock::new();
        BUILT_IN.get_or_init(|| {
            let mut all = Self::of(Vec::new());
            // One that does not fit is missing here, and fails a test.
            for file in serde_json::from_str::<Vec<File>>(WRITTEN).unwrap_or_default() {
                let _ = Signature::new(file, false).and_then(|signature| all.add(signature));
            }
            all
        })
    }

    /// The compiled-in ones and others, given as file name and TOML text.
    ///
    /// # Errors
    /// Names the file and the place where one does not parse, or whose id is taken.
    #[cfg(any(test, feature = "own-signatures"))]
    pub fn with_extra(extra: &[(&str, &str)]) -> Result<Self, String> {
        let mut all = Self::built_in().clone();
        for (name, text) in extra {
            let file = |error| format!("{name}: {error}");
            all.add(Signature::parse(text).map_err(file)?).map_err(file)?;
        }
        Ok(all)
    }

    /// All but one: for asking what rests on it.
    #[must_use]
    pub fn without(&self, id: &str) -> Self {
        Self::of(self.all.iter().filter(|own| own.id != id).cloned().collect())
    }

    fn of(all: Vec<Signature>) -> Self {
        Self { all, index: OnceLock::new() }
    }

    fn add(&mut self, signature: Signature) -> Result<(), String> {
        match self.all.binary_search_by(|known| known.id.cmp(&signature.id)) {
            Ok(_) => Err(format!("the id {:?} is taken", signature.id)),
            Err(at) => {
                self.index = OnceLock::new();
                self.all.insert(at, signature);
                Ok(())
            }
        }
    }

    /// Every signature, by id.
    pub fn iter(&self) -> impl Iterator<Item = &Signature> {
        self.all.iter()
    }

    /// The signature with this id.
    #[must_use]
    pub fn get(&self, id: &str) -> Option<&Signature> {
        self.all.iter().find(|signature| signature.id == id)
    }

    /// Devices that could have written this response, or passed it on; the surest first.
    #[must_use]
    pub fn match_response(&self, response: &Response<'_>) -> Vec<Match<'_>> {
        let head = response.head.raw.text();
        let seen = Seen::new(response, &head);
        self.matches(self.index().response(&self.all, &seen), |sign| sign.response(&seen))
    }

    /// Devices that could have issued or presented these certificates; the surest first.
    #[must_use]
    pub fn match_certificate(&self, chain: &[Certificate]) -> Vec<Match<'_>> {
        self.matches(self.index().certificate(), |sign| sign.certificate(chain))
    }

    /// Devices whose operators use such host names; the surest first.
    #[must_use]
    pub fn match_cname(&self, name: &str) -> Vec<Match<'_>> {
        let name = name.to_ascii_lowercase();
        self.matches(self.index().cname(), |sign| sign.cname(&name))
    }

    /// Devices whose operators give their addresses such names (PTR); the surest first.
    #[must_use]
    pub fn match_ptr(&self, name: &str) -> Vec<Match<'_>> {
        let name = name.to_ascii_lowercase();
        self.matches(self.index().ptr(), |sign| sign.ptr(&name))
    }

    /// Products whose default idle limit is near a measured cut, the nearest first.
    /// Near is 1.5 s or 3 %, whichever is more: timers tick late (lighttpd's 60 s were
    /// measured as 61.6).
    #[must_use]
    pub fn idle_defaults(&self, seconds: f64) -> Vec<Limit<'_>> {
        self.near(seconds, |signature| signature.idle_default_s)
    }

    /// Products whose lifetime limit is near the age at which a connection was cut, the
    /// nearest first.
    #[must_use]
    pub fn lifetime_limits(&self, seconds: f64) -> Vec<Limit<'_>> {
        self.near(seconds, |signature| signature.max_lifetime_s)
    }

    fn near(&self, seconds: f64, limit: impl Fn(&Signature) -> Option<u32>) -> Vec<Limit<'_>> {
        let slack = (seconds * 0.03).max(1.5);
        let off = |limit: u32| (f64::from(limit) - seconds).abs();
        let mut found: Vec<_> = self
            .iter()
            .filter_map(|s| Some((s.name.as_str(), limit(s)?, s.idle_setting.as_str())))
            .filter(|(_, limit, _)| off(*limit) <= slack)
            .collect();
        found.sort_by(|a, b| off(a.1).total_cmp(&off(b.1)).then_with(|| a.0.cmp(b.0)));
        found
    }

    fn index(&self) -> &Index {
        self.index.get_or_init(|| Index::new(&self.all))
    }

    /// Asks the signs that may fit, which come in their order.
    fn matches(
        &self,
        which: impl Iterator<Item = At>,
        find: impl Fn(&Sign) -> Option<Hit>,
    ) -> Vec<Match<'_>> {
        let hits = which.filter_map(|at| {
            let sign = self.all.get(at.signature)?.signs.get(at.sign)?;
            Some((at, find(sign)?))
        });
        let mut hits = hits.peekable();
        let mut found = Vec::new();
        while let Some((At { signature, .. }, _)) = hits.peek() {
            let place = *signature;
            let own = std::iter::from_fn(|| hits.next_if(|(at, _)| at.signature == place));
            found.extend(
                self.all.get(place).and_then(|s| s.combine(own.map(|(at, hit)| (at.sign, hit)))),
            );
        }
        // Already by id, and the sort is stable.
        found.sort_by_key(|m| std::cmp::Reverse(m.confidence));
        found
    }
}

/// A product, its limit in seconds, and the setting that changes it.
pub type Limit<'a> = (&'a str, u32, &'a str);

/// [`Signatures::idle_defaults`] of the compiled-in ones.
#[must_use]
pub fn idle_defaults(seconds: f64) -> Vec<Limit<'static>> {
    Signatures::built_in().idle_defaults(seconds)
}

/// Of a product that can be both a client's proxy and a server's, keeps the one
/// that can be on this route: without a proxy set, what answers is the server's.
#[must_use]
pub fn by_route<'a>(mut matches: Vec<Match<'a>>, by_proxy: bool) -> Vec<Match<'a>> {
    let twice: Vec<&str> = matches
        .iter()
        .map(|m| m.signature.name.as_str())
        .filter(|name| matches.iter().filter(|m| m.signature.name == *name).count() > 1)
        .collect();
    matches.retain(|m| {
        !twice.contains(&m.signature.name.as_str())
            || (m.signature.role == DeviceRole::ForwardProxy) == by_proxy
    });
    matches
}

#[cfg(test)]
mod agreement;
#[cfg(test)]
mod tests;
