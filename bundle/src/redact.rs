//! The one place that removes secrets.
//!
//! Two nets, one behind the other. **By list**: of headers, cookies, queries and
//! URLs only what is known to be harmless stays. **By value**: whatever secret
//! the user gave is searched for in every text, in each form in which it can
//! appear (plain, percent-encoded, base64 at any alignment, hex, JSON and HTML
//! escapes). [`Redacted`] can be made only here, and [`crate::write`] takes
//! nothing else: that nothing unredacted is written is a property of the types.

mod configuration;
mod curl;
pub mod listed;
#[cfg(test)]
mod pasted;
mod rules;
mod structured;
mod walk;

use crate::bundle::Redaction;
use crate::{Bundle, Secret};
use base64::Engine as _;
use base64::engine::general_purpose::{STANDARD_NO_PAD, URL_SAFE_NO_PAD};
use percent_encoding::{AsciiSet, CONTROLS, NON_ALPHANUMERIC, utf8_percent_encode};
use std::collections::{BTreeMap, BTreeSet};

pub use rules::header_may_stay;

/// Secrets shorter than this are masked only where the structure shows them
/// (headers, userinfo, cookies): a search for `ab` would shred every text.
const SHORTEST_SEARCHED: usize = 4;

/// Places that removals are listed by; what is removed at more of them is
/// counted as one. A usual bundle has a few hundred.
const PLACES: usize = 5000;
/// Those places together.
const ELSEWHERE: &str = "elsewhere";

/// A value that went through a [`Redactor`].
#[derive(Debug, Clone, PartialEq)]
pub struct Redacted<T>(T);

impl Redacted<Bundle> {
    /// What was redacted already, with its names replaced.
    pub(crate) fn obfuscated(bundle: Bundle) -> Self {
        Self(bundle)
    }

    /// What was redacted already, with parts of it left out.
    pub(crate) fn less(bundle: Bundle) -> Self {
        Self(bundle)
    }
}

impl<T> Redacted<T> {
    /// The value.
    pub fn get(&self) -> &T {
        &self.0
    }

    /// The value, owned. It cannot be made [`Redacted`] again but by a [`Redactor`].
    pub fn into_inner(self) -> T {
        self.0
    }
}

/// Removes secrets, and keeps count of what it removed.
#[derive(Debug, Default)]
pub struct Redactor {
    /// Every form of every given secret, longest first so that no form hides
    /// within another, with the kind it is reported as.
    forms: Vec<(String, String)>,
    removed: BTreeMap<(String, String, String), u64>,
}

impl Redactor {
    /// A redactor that knows no given secret yet.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// Adds a secret that the user gave. `kind` is how its removal is reported.
    pub fn secret(&mut self, kind: &str, secret: &Secret) {
        let value = secret.expose();
        if value.len() < SHORTEST_SEARCHED {
            return;
        }
        let mut forms: BTreeSet<String> = forms_of(value);
        forms.retain(|f| f.len() >= SHORTEST_SEARCHED);
        self.forms.extend(forms.into_iter().map(|f| (f, kind.to_owned())));
        self.forms.sort_by(|a, b| b.0.len().cmp(&a.0.len()).then_with(|| a.cmp(b)));
        self.forms.dedup();
    }

    /// Removes secrets from a whole bundle, and fills in its list of removals.
    #[must_use]
    pub fn bundle(&mut self, mut bundle: Bundle) -> Redacted<Bundle> {
        walk::bundle(self, &mut bundle);
        bundle.redactions = self.redactions();
        Redacted(bundle)
    }

    /// Removes secrets from free text.
    pub fn text(&mut self, entry: &str, place: &str, text: &str) -> String {
        let text = self.given(entry, place, text);
        rules::free_text(self, entry, place, &text)
    }

    /// The value of a header as it may stay. For readers that must not hold
    /// more than that, even for a while (a HAR export).
    pub fn header(&mut self, entry: &str, place: &str, name: &str, value: &str) -> String {
        let value = self.given(entry, place, value);
        rules::header_value(self, entry, place, name, &value)
    }

    /// Output of curl, as it is kept: see [`crate::pasted::curl`].
    #[cfg(test)]
    pub(crate) fn curl_output(&mut self, entry: &str, bytes: &[u8]) -> String {
        curl::output(self, entry, bytes)
    }

    /// Lists what was removed elsewhere, before it came here.
    pub fn removed_before(&mut self, removals: &[Redaction]) {
        for one in removals {
            self.add(&one.entry, &one.place, &one.kind, one.count);
        }
    }

    /// What was removed so far, in a fixed order.
    #[must_use]
    pub fn redactions(&self) -> Vec<Redaction> {
        self.removed
            .iter()
            .map(|((entry, place, kind), count)| Redaction {
                entry: entry.clone(),
                place: place.clone(),
                kind: kind.clone(),
                count: *count,
            })
            .collect()
    }

    fn count(&mut self, entry: &str, place: &str, kind: &str) {
        self.add(entry, place, kind, 1);
    }

    fn add(&mut self, entry: &str, place: &str, kind: &str, count: u64) {
        let key = |place: &str| (entry.to_owned(), place.to_owned(), kind.to_owned());
        let full = self.removed.len() >= PLACES && !self.removed.contains_key(&key(place));
        let place = if full { ELSEWHERE } else { place };
        *self.removed.entry(key(place)).or_default() += count;
    }

    /// Masks every form of every given secret.
    fn given(&mut self, entry: &str, place: &str, text: &str) -> String {
        let mut out = text.to_owned();
        for i in 0..self.forms.len() {
            let (form, kind) = &self.forms[i];
            if out.contains(form.as_str()) {
                out = out.replace(form.as_str(), &format!("[removed: {kind}]"));
                let kind = kind.clone();
                self.count(entry, place, &kind);
            }
        }
        out
    }
}

/// As in a form's body: everything but letters, digits and `-._*`.
const FORM: &AsciiSet = &NON_ALPHANUMERIC.remove(b'-').remove(b'.').remove(b'_').remove(b'*');
/// As in a URL's userinfo or query: delimiters and controls only.
const LIGHT: &AsciiSet = &CONTROLS
    .add(b' ')
    .add(b'"')
    .add(b'#')
    .add(b'<')
    .add(b'>')
    .add(b'?')
    .add(b'`')
    .add(b'{')
    .add(b'}')
    .add(b'/')
    .add(b':')
    .add(b';')
    .add(b'=')
    .add(b'@')
    .add(b'[')
    .add(b'\\')
    .add(b']')
    .add(b'^')
    .add(b'|')
    .add(b'%')
    .add(b'&')
    .add(b'+');

fn forms_of(value: &str) -> BTreeSet<String> {
    let mut forms = BTreeSet::new();
    forms.insert(value.to_owned());
    for set in [FORM, LIGHT, NON_ALPHANUMERIC] {
        let encoded = utf8_percent_encode(value, set).to_string();
        forms.insert(lower_percent(&encoded));
        forms.insert(encoded.replace("%20", "+"));
        forms.insert(encoded);
    }
    let hex: String = value.bytes().map(|b| format!("{b:02x}")).collect();
    forms.insert(hex.to_uppercase());
    forms.insert(hex);
    if let Ok(json) = serde_json::to_string(value) {
        forms.insert(json.trim_matches('"').to_owned());
    }
    forms.insert(
        value
            .replace('&', "&amp;")
            .replace('<', "&lt;")
            .replace('>', "&gt;")
            .replace('"', "&quot;")
            .replace('\'', "&#39;"),
    );
    forms.extend(base64_forms(value.as_bytes()));
    forms
}

fn lower_percent(encoded: &str) -> String {
    let mut out = String::with_capacity(encoded.len());
    let mut after = 0;
    for c in encoded.chars() {
        match c {
            '%' => after = 2,
            _ if after > 0 => {
                after -= 1;
                out.push(c.to_ascii_lowercase());
                continue;
            }
            _ => {}
        }
        out.push(c);
    }
    out
}

/// The characters that are the same whatever surrounds the value: within a
/// longer text it can begin at any of three positions of a base64 group.
pub(crate) fn base64_forms(value: &[u8]) -> Vec<String> {
    let mut forms = Vec::new();
    for shift in 0..3usize {
        let mut padded = vec![0u8; shift];
        padded.extend_from_slice(value);
        for engine in [&STANDARD_NO_PAD, &URL_SAFE_NO_PAD] {
            let encoded = engine.encode(&padded);
            // The first characters mix in what stands before, the last what follows.
            let from = [0, 2, 3][shift];
            let whole_bits = padded.len() * 8 / 6;
            if let Some(stable) = encoded.get(from..whole_bits)
                && stable.len() >= 6
            {
                forms.push(stable.to_owned());
            }
        }
    }
    forms
}

#[cfg(test)]
mod tests {
    use super::*;

    fn redactor() -> Redactor {
        let mut r = Redactor::new();
        r.secret("password", &Secret::new("S3cr3t/Canary+42"));
        r
    }

    #[test]
    fn every_form_of_a_given_secret_goes() {
        for prefix in ["", "a", "ab", "user:"] {
            let secret = "S3cr3t/Canary+42";
            let joined = format!("{prefix}{secret}");
            for text in [
                joined.clone(),
                utf8_percent_encode(&joined, NON_ALPHANUMERIC).to_string(),
                lower_percent(&utf8_percent_encode(&joined, FORM).to_string()),
                STANDARD_NO_PAD.encode(&joined),
                URL_SAFE_NO_PAD.encode(format!("{joined}tail")),
                joined.bytes().map(|b| format!("{b:02x}")).collect::<String>(),
            ] {
                let clean = redactor().text("e", "p", &format!("before {text} after"));
                for form in forms_of(secret) {
                    assert!(!clean.contains(&form), "{form} in {clean}");
                }
                assert!(clean.contains("before") && clean.contains("after"), "{clean}");
            }
        }
    }

    #[test]
    fn removals_at_endless_places_are_counted_as_one() {
        let mut r = redactor();
        for number in 0..PLACES + 70 {
            r.header("e", &format!("place {number}"), "X-Api-Key", "abc");
        }
        let all = r.redactions();
        assert_eq!(all.len(), PLACES + 1);
        assert_eq!(all.iter().map(|one| one.count).sum::<u64>(), (PLACES + 70) as u64);
        let elsewhere = all.iter().find(|one| one.place == ELSEWHERE).unwrap();
        assert_eq!((elsewhere.entry.as_str(), elsewhere.count), ("e", 70));
    }

    #[test]
    fn removals_are_counted_and_never_tell_the_value() {
        let mut r = redactor();
        r.text("observations.json", "o1", "x S3cr3t/Canary+42 y");
        let json = serde_json::to_string(&r.redactions()).unwrap();
        assert!(json.contains("\"count\":1") && !json.contains("Canary"), "{json}");
    }
}
