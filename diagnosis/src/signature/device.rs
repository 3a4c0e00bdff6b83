//! One device: its signs, and what they add up to.

use super::Match;
use super::file::{Ceiling, File, confidence};
use super::sign::{Hit, Look, Place, Sign};
use crate::model::{Confidence, DeviceRole, Side};

/// One device, by what it leaves behind.
#[derive(Debug, Clone)]
pub struct Signature {
    /// Stable name, also the file's.
    pub id: String,
    /// Name for people.
    pub name: String,
    /// What it does on a path. Some products do several things (Squid, F5):
    /// this is the usual one.
    pub role: DeviceRole,
    /// On whose side it stands: blame follows it.
    pub side: Side,
    /// Seconds of silence after which it cuts by default.
    pub idle_default_s: Option<u32>,
    /// The setting that changes that (may be empty).
    pub idle_setting: String,
    /// What counts as silence (may be empty).
    pub idle_rule: String,
    /// Seconds after which it cuts despite traffic.
    pub max_lifetime_s: Option<u32>,
    /// What a misconfigured one does to WebSockets (may be empty).
    pub misconfigured: String,
    /// What it must and must not match.
    #[cfg(test)]
    pub(super) samples: Vec<super::file::Sample>,
    at_most: Confidence,
    pub(super) signs: Vec<Sign>,
}

impl Signature {
    /// Reads a file, and tries its patterns.
    #[cfg(any(test, feature = "own-signatures"))]
    pub(super) fn parse(text: &str) -> Result<Self, String> {
        Self::new(toml::from_str(text).map_err(|error| error.to_string())?, true)
    }

    /// `now` compiles its patterns, which otherwise waits until there is something
    /// to match.
    pub(super) fn new(file: File, now: bool) -> Result<Self, String> {
        if file.id.is_empty() || file.name.is_empty() {
            return Err("`id` and `name` must not be empty".into());
        }
        let role = DeviceRole::ALL
            .iter()
            .copied()
            .find(|role| role.slug() == file.role)
            .ok_or_else(|| format!("`role`: no such role: {:?}", file.role))?;
        let side = Side::ALL
            .iter()
            .copied()
            .find(|side| side.slug() == file.side)
            .ok_or_else(|| format!("`side`: client, server or either, not {:?}", file.side))?;
        let mut signs = Vec::with_capacity(file.signs.len());
        for (at, entry) in file.signs.into_iter().enumerate() {
            let field = entry.field;
            let sign = Sign::new(entry)
                .and_then(|sign| if now { sign.check().map(|()| sign) } else { Ok(sign) });
            signs.push(sign.map_err(|error| format!("match {} ({field:?}): {error}", at + 1))?);
        }
        Ok(Self {
            id: file.id,
            name: file.name,
            role,
            side,
            idle_default_s: file.idle_default_s,
            idle_setting: file.idle_setting.unwrap_or_default(),
            idle_rule: file.idle_rule.unwrap_or_default(),
            max_lifetime_s: file.max_lifetime_s,
            misconfigured: file.misconfigured.unwrap_or_default(),
            #[cfg(test)]
            samples: file.samples,
            at_most: match file.at_most {
                Some(Ceiling::Low) => Confidence::Low,
                Some(Ceiling::Medium) => Confidence::Medium,
                None => Confidence::High,
            },
            signs,
        })
    }

    /// Whether a certificate of its own issue means that it opens TLS on the way:
    /// a gateway of the client's, or a program that does nothing else. A load
    /// balancer ends TLS for the server, which is its task.
    #[must_use]
    pub fn intercepts(&self) -> bool {
        matches!(self.role, DeviceRole::ForwardProxy | DeviceRole::TlsInterceptor)
    }

    /// What its signs, by number, say together.
    pub(super) fn combine(&self, hits: impl Iterator<Item = (usize, Hit)>) -> Option<Match<'_>> {
        let mut points = 0;
        let mut version = None;
        let mut because: Vec<String> = Vec::new();
        let mut by_body = false;
        let mut places = Vec::new();
        for (at, hit) in hits {
            let Some(sign) = self.signs.get(at) else { continue };
            version = version.or(hit.version);
            places.push(hit.place);
            by_body |= matches!(sign.look, Look::Body { .. });
            // The same line seen by two patterns is one sign.
            if because.contains(&hit.what) {
                continue;
            }
            points += sign.weight.points();
            because.push(hit.what);
        }
        (!because.is_empty()).then(|| Match {
            signature: self,
            version,
            confidence: confidence(points).min(self.at_most),
            because: because.join("; "),
            by_body,
            place: [Place::Outer, Place::Inner]
                .into_iter()
                .find(|place| places.contains(place))
                .unwrap_or_default(),
        })
    }

    /// What it is recognised by, and where each pattern comes from, without repetition.
    #[must_use]
    pub fn looks_at(&self) -> Vec<(String, &str)> {
        let mut out: Vec<(String, &str)> = Vec::new();
        for sign in &self.signs {
            let one = (sign.looks_at(), sign.source.as_str());
            if !out.contains(&one) {
                out.push(one);
            }
        }
        out
    }

    /// Where this signature's patterns come from (`lab`, `waf`, `gk` …), without repetition.
    #[must_use]
    pub fn sources(&self) -> Vec<&str> {
        let mut sources: Vec<&str> = self.signs.iter().map(|sign| sign.source.as_str()).collect();
        sources.sort_unstable();
        sources.dedup();
        sources
    }
}
