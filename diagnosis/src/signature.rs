//! Device signatures: who wrote a response, a certificate or a host name.
//!
//! One TOML file per device in `diagnosis/signatures/`, compiled in; each
//! carries the samples that it must and must not match. A signature names a
//! product that *could* write what was seen, never who is at fault: header and
//! cookie names travel through transparent hops, so where the device stands is
//! for the caller to say.
//!
//! Weights add up: a strong sign alone, or two of medium weight, give
//! [`Confidence::High`]; two weak ones give [`Confidence::Medium`]. A signature
//! whose signs another product shares names its own ceiling (`at_most`).

use crate::model::{Confidence, DeviceRole};
use include_dir::{Dir, include_dir};
use regex::{Captures, Regex, RegexBuilder};
use serde::Deserialize;
use std::sync::OnceLock;
use wss_bundle::ResponseHead;
use wss_bundle::observation::Certificate;

static FILES: Dir<'_> = include_dir!("$CARGO_MANIFEST_DIR/signatures");

/// Texts are cut here before any pattern sees them: error pages are short, and
/// what a hostile bundle holds must not cost time.
const TEXT_LIMIT: usize = 64 * 1024;

/// Longest quotation in [`Match::because`], in characters.
const QUOTE_LIMIT: usize = 80;

/// Headers of a 101 that depend on the request or the session, not on the hop.
const NOT_SHAPE: [&str; 3] = ["set-cookie", "sec-websocket-protocol", "sec-websocket-extensions"];

/// How much one sign says. The points are what is added up.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "kebab-case")]
enum Weight {
    Strong,
    Medium,
    Weak,
}

impl Weight {
    fn points(self) -> u32 {
        match self {
            Self::Strong => 4,
            Self::Medium => 2,
            Self::Weak => 1,
        }
    }
}

fn confidence(points: u32) -> Confidence {
    match points {
        0..=1 => Confidence::Low,
        2..=3 => Confidence::Medium,
        _ => Confidence::High,
    }
}

/// Which part of a certificate a pattern looks at.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
enum Attribute {
    IssuerCn,
    IssuerO,
    IssuerOu,
    SubjectCn,
    San,
}

impl Attribute {
    fn label(self) -> &'static str {
        match self {
            Self::IssuerCn => "issuer CN",
            Self::IssuerO => "issuer O",
            Self::IssuerOu => "issuer OU",
            Self::SubjectCn => "subject CN",
            Self::San => "alternative name",
        }
    }

    fn values(self, certificate: &Certificate) -> Vec<&str> {
        match self {
            Self::IssuerCn => certificate.issuer_cn.iter().map(String::as_str).collect(),
            Self::IssuerO => certificate.issuer_o.iter().map(String::as_str).collect(),
            Self::IssuerOu => certificate.issuer_ou.iter().map(String::as_str).collect(),
            Self::SubjectCn => certificate.subject_cn.iter().map(String::as_str).collect(),
            Self::San => certificate.sans.iter().map(String::as_str).collect(),
        }
    }
}

/// A file of `signatures/`, as written.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct File {
    id: String,
    name: String,
    role: String,
    at_most: Option<Ceiling>,
    idle_default_s: Option<u32>,
    idle_setting: Option<String>,
    idle_rule: Option<String>,
    max_lifetime_s: Option<u32>,
    misconfigured: Option<String>,
    #[serde(default, rename = "match")]
    signs: Vec<SignEntry>,
    #[serde(default, rename = "sample")]
    samples: Vec<Sample>,
}

#[derive(Debug, Clone, Copy, Deserialize)]
#[serde(rename_all = "kebab-case")]
enum Ceiling {
    Low,
    Medium,
}

/// One `[[match]]`. Which keys belong to which `field` is checked in [`Sign::new`],
/// where the error can name the place.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct SignEntry {
    field: Field,
    name: Option<String>,
    attribute: Option<Attribute>,
    regex: Option<String>,
    names: Option<Vec<String>>,
    status: Option<Vec<String>>,
    source: String,
    weight: Weight,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "kebab-case")]
enum Field {
    Header,
    Cookie,
    Body,
    Certificate,
    Cname,
    #[serde(rename = "shape-101")]
    Shape101,
    Reason,
}

/// What a signature must or must not match.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Sample {
    /// Where it is from.
    pub name: String,
    /// Whether the signature must match it.
    #[serde(rename = "match")]
    pub matches: bool,
    /// Other signatures that may match it with high confidence.
    #[serde(default)]
    pub also: Vec<String>,
    /// Status line and headers, one per line.
    pub head: Option<String>,
    /// Body.
    #[serde(default)]
    pub body: String,
    /// A certificate's names.
    pub certificate: Option<SampleCertificate>,
    /// A host name.
    pub cname: Option<String>,
}

/// The names of a sample's certificate.
#[derive(Debug, Clone, Default, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct SampleCertificate {
    /// Issuer's common name.
    pub issuer_cn: Option<String>,
    /// Issuer's organisation.
    pub issuer_o: Option<String>,
    /// Issuer's organisational unit.
    pub issuer_ou: Option<String>,
    /// Subject's common name.
    pub subject_cn: Option<String>,
    /// Alternative names.
    pub sans: Vec<String>,
}

/// One compiled `[[match]]`.
#[derive(Debug, Clone)]
struct Sign {
    weight: Weight,
    /// Where the pattern was found: `lab`, `waf`, `gk` …
    source: String,
    pattern: Pattern,
}

#[derive(Debug, Clone)]
enum Pattern {
    Header { name: Regex, value: Regex },
    Cookie(Regex),
    Body { status: Vec<StatusClass>, regex: Regex },
    Certificate { attribute: Attribute, regex: Regex },
    Cname(Regex),
    Shape101(Vec<String>),
    Reason(Regex),
}

/// `404`, `4xx`, `52x`.
#[derive(Debug, Clone, PartialEq, Eq)]
struct StatusClass(String);

impl StatusClass {
    fn new(text: &str) -> Option<Self> {
        let good = text.len() == 3
            && text.starts_with(|c: char| c.is_ascii_digit())
            && text.chars().all(|c| c.is_ascii_digit() || c == 'x');
        good.then(|| Self(text.to_owned()))
    }

    fn holds(&self, status: u16) -> bool {
        let status = status.to_string();
        status.len() == self.0.len()
            && self
                .0
                .chars()
                .zip(status.chars())
                .all(|(class, digit)| class == 'x' || class == digit)
    }
}

/// What one sign saw.
struct Hit {
    what: String,
    version: Option<String>,
}

impl Hit {
    fn new(label: &str, text: &str, captures: &Captures<'_>) -> Self {
        let version = captures.name("version").map(|m| m.as_str().to_owned());
        Self {
            what: format!("{label} {}", quote(text)),
            version: version.filter(|v| !v.is_empty()),
        }
    }
}

impl Sign {
    fn new(entry: SignEntry) -> Result<Self, String> {
        let SignEntry { field, name, attribute, regex, names, status, source, weight } = entry;
        let unwanted = [
            ("name", name.is_some() && field != Field::Header),
            ("attribute", attribute.is_some() && field != Field::Certificate),
            ("names", names.is_some() && field != Field::Shape101),
            ("regex", regex.is_some() && field == Field::Shape101),
            ("status", status.is_some() && field != Field::Body),
        ];
        if let Some((key, _)) = unwanted.iter().find(|(_, bad)| *bad) {
            return Err(format!("`{key}` has no meaning for this field"));
        }
        let compiled = || compile(&regex.ok_or("`regex` is missing")?);
        let pattern = match field {
            Field::Header => {
                let name = name.ok_or("`name` is missing")?;
                Pattern::Header { name: compile(&format!("(?i)^(?:{name})$"))?, value: compiled()? }
            }
            Field::Cookie => Pattern::Cookie(compiled()?),
            Field::Body => Pattern::Body { status: classes(status)?, regex: compiled()? },
            Field::Certificate => Pattern::Certificate {
                attribute: attribute.ok_or("`attribute` is missing")?,
                regex: compiled()?,
            },
            Field::Cname => Pattern::Cname(compiled()?),
            Field::Shape101 => Pattern::Shape101(names.ok_or("`names` is missing")?),
            Field::Reason => Pattern::Reason(compiled()?),
        };
        Ok(Self { weight, source, pattern })
    }

    fn response(&self, seen: &Seen<'_>) -> Option<Hit> {
        match &self.pattern {
            Pattern::Header { name, value } => seen.headers.iter().find_map(|(n, v)| {
                let v = cut(v);
                let captures = name.is_match(n).then(|| value.captures(v)).flatten()?;
                Some(Hit::new(&format!("header {n}:"), v, &captures))
            }),
            Pattern::Cookie(regex) => {
                seen.headers.iter().filter(|(n, _)| n.eq_ignore_ascii_case("set-cookie")).find_map(
                    |(_, v)| {
                        let captures = regex.captures(cut(v))?;
                        // The name alone: a cookie's value may be a session.
                        let name = v.split('=').next().unwrap_or_default();
                        Some(Hit::new("cookie", name, &captures))
                    },
                )
            }
            Pattern::Body { status, regex } => {
                let fits = status.is_empty()
                    || seen.status.is_some_and(|code| status.iter().any(|class| class.holds(code)));
                let captures = fits.then(|| regex.captures(seen.body)).flatten()?;
                Some(Hit::new("body", captures.get_match().as_str(), &captures))
            }
            Pattern::Shape101(names) => {
                (seen.status == Some(101) && seen.shape == *names).then(|| Hit {
                    what: format!("order of the 101's headers ({})", names.join(", ")),
                    version: None,
                })
            }
            Pattern::Reason(regex) => {
                let captures = regex.captures(cut(&seen.status_line))?;
                Some(Hit::new("status line", &seen.status_line, &captures))
            }
            Pattern::Certificate { .. } | Pattern::Cname(_) => None,
        }
    }

    fn certificate(&self, chain: &[Certificate]) -> Option<Hit> {
        let Pattern::Certificate { attribute, regex } = &self.pattern else { return None };
        chain.iter().flat_map(|certificate| attribute.values(certificate)).find_map(|value| {
            let captures = regex.captures(cut(value))?;
            Some(Hit::new(&format!("certificate {}", attribute.label()), value, &captures))
        })
    }

    fn cname(&self, name: &str) -> Option<Hit> {
        let Pattern::Cname(regex) = &self.pattern else { return None };
        let captures = regex.captures(cut(name))?;
        Some(Hit::new("name", name, &captures))
    }
}

fn compile(regex: &str) -> Result<Regex, String> {
    RegexBuilder::new(regex).size_limit(1 << 20).build().map_err(|error| error.to_string())
}

fn classes(status: Option<Vec<String>>) -> Result<Vec<StatusClass>, String> {
    let parse = |text: String| {
        StatusClass::new(&text)
            .ok_or_else(|| format!("`{text}` is no status class (404, 4xx, 52x)"))
    };
    status.unwrap_or_default().into_iter().map(parse).collect()
}

fn cut(text: &str) -> &str {
    let mut end = text.len().min(TEXT_LIMIT);
    while !text.is_char_boundary(end) {
        end -= 1;
    }
    text.get(..end).unwrap_or_default()
}

fn quote(text: &str) -> String {
    let mut short: String =
        text.chars().take(QUOTE_LIMIT).map(|c| if c.is_control() { ' ' } else { c }).collect();
    if text.chars().nth(QUOTE_LIMIT).is_some() {
        short.push('…');
    }
    format!("\"{short}\"")
}

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
    pub samples: Vec<Sample>,
    at_most: Confidence,
    signs: Vec<Sign>,
}

impl Signature {
    fn parse(text: &str) -> Result<Self, String> {
        let file: File = toml::from_str(text).map_err(|error| error.to_string())?;
        if file.id.is_empty() || file.name.is_empty() {
            return Err("`id` and `name` must not be empty".into());
        }
        let role = DeviceRole::ALL
            .iter()
            .copied()
            .find(|role| role.slug() == file.role)
            .ok_or_else(|| format!("`role`: no such role: {:?}", file.role))?;
        let mut signs = Vec::with_capacity(file.signs.len());
        for (at, entry) in file.signs.into_iter().enumerate() {
            let field = entry.field;
            let sign = Sign::new(entry);
            signs.push(sign.map_err(|error| format!("match {} ({field:?}): {error}", at + 1))?);
        }
        Ok(Self {
            id: file.id,
            name: file.name,
            role,
            idle_default_s: file.idle_default_s,
            idle_setting: file.idle_setting.unwrap_or_default(),
            idle_rule: file.idle_rule.unwrap_or_default(),
            max_lifetime_s: file.max_lifetime_s,
            misconfigured: file.misconfigured.unwrap_or_default(),
            samples: file.samples,
            at_most: match file.at_most {
                Some(Ceiling::Low) => Confidence::Low,
                Some(Ceiling::Medium) => Confidence::Medium,
                None => Confidence::High,
            },
            signs,
        })
    }

    fn combine(&self, find: impl Fn(&Sign) -> Option<Hit>) -> Option<Match<'_>> {
        let mut points = 0;
        let mut version = None;
        let mut because: Vec<String> = Vec::new();
        let mut by_body = false;
        for sign in &self.signs {
            let Some(hit) = find(sign) else { continue };
            version = version.or(hit.version);
            by_body |= matches!(sign.pattern, Pattern::Body { .. });
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
        })
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

/// A response as the patterns see it: parsed once.
struct Seen<'a> {
    status: Option<u16>,
    status_line: String,
    headers: Vec<(String, String)>,
    shape: Vec<String>,
    body: &'a str,
}

impl<'a> Seen<'a> {
    fn new(response: &Response<'a>) -> Self {
        let headers = response.head.headers();
        let shape = headers
            .iter()
            .filter(|(name, _)| !NOT_SHAPE.iter().any(|other| name.eq_ignore_ascii_case(other)))
            .map(|(name, _)| name.clone())
            .collect();
        Self {
            status: response.status.or_else(|| response.head.status()),
            status_line: response.head.status_line(),
            headers,
            shape,
            body: cut(response.body),
        }
    }
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
}

/// All known devices, ordered by id.
#[derive(Debug, Clone)]
pub struct Signatures {
    all: Vec<Signature>,
}

impl Signatures {
    /// The compiled-in ones; parsed once.
    pub fn built_in() -> &'static Self {
        static BUILT_IN: OnceLock<Signatures> = OnceLock::new();
        BUILT_IN.get_or_init(|| {
            let mut all = Self { all: Vec::new() };
            for (name, text) in built_in_files() {
                // A file that does not parse is missing here, and fails a test.
                let _ = all.add(&name, text);
            }
            all
        })
    }

    /// The compiled-in ones and others, given as file name and TOML text.
    ///
    /// # Errors
    /// Names the file and the place where one does not parse, or whose id is taken.
    pub fn with_extra(extra: &[(&str, &str)]) -> Result<Self, String> {
        let mut all = Self::built_in().clone();
        for (name, text) in extra {
            all.add(name, text)?;
        }
        Ok(all)
    }

    fn add(&mut self, name: &str, text: &str) -> Result<(), String> {
        let signature = Signature::parse(text).map_err(|error| format!("{name}: {error}"))?;
        match self.all.binary_search_by(|known| known.id.cmp(&signature.id)) {
            Ok(_) => Err(format!("{name}: the id {:?} is taken", signature.id)),
            Err(at) => {
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
        let seen = Seen::new(response);
        self.matches(|sign| sign.response(&seen))
    }

    /// Devices that could have issued or presented these certificates; the surest first.
    #[must_use]
    pub fn match_certificate(&self, chain: &[Certificate]) -> Vec<Match<'_>> {
        self.matches(|sign| sign.certificate(chain))
    }

    /// Devices whose operators use such host names; the surest first.
    #[must_use]
    pub fn match_cname(&self, name: &str) -> Vec<Match<'_>> {
        let name = name.to_ascii_lowercase();
        self.matches(|sign| sign.cname(&name))
    }

    fn matches(&self, find: impl Fn(&Sign) -> Option<Hit>) -> Vec<Match<'_>> {
        let mut found: Vec<_> =
            self.all.iter().filter_map(|signature| signature.combine(&find)).collect();
        // Already by id, and the sort is stable.
        found.sort_by_key(|m| std::cmp::Reverse(m.confidence));
        found
    }
}

fn built_in_files() -> Vec<(String, &'static str)> {
    let toml = FILES.files().filter(|file| file.path().extension().is_some_and(|e| e == "toml"));
    let mut files: Vec<_> = toml
        .map(|file| (file.path().display().to_string(), file.contents_utf8().unwrap_or_default()))
        .collect();
    files.sort();
    files
}

/// Products whose default idle limit is near a measured cut, the nearest first:
/// name, seconds, setting. Near is 1.5 s or 3 %, whichever is more: timers tick
/// late (lighttpd's 60 s were measured as 61.6).
#[must_use]
pub fn idle_defaults(seconds: f64) -> Vec<(&'static str, u32, &'static str)> {
    near(seconds, |signature| signature.idle_default_s)
}

/// Products whose lifetime limit is near the age at which a connection was cut,
/// the nearest first: name, seconds, setting.
#[must_use]
pub fn lifetime_limits(seconds: f64) -> Vec<(&'static str, u32, &'static str)> {
    near(seconds, |signature| signature.max_lifetime_s)
}

fn near(
    seconds: f64,
    limit: impl Fn(&Signature) -> Option<u32>,
) -> Vec<(&'static str, u32, &'static str)> {
    let slack = (seconds * 0.03).max(1.5);
    let off = |limit: u32| (f64::from(limit) - seconds).abs();
    let mut found: Vec<_> = Signatures::built_in()
        .iter()
        .filter_map(|s| Some((s.name.as_str(), limit(s)?, s.idle_setting.as_str())))
        .filter(|(_, limit, _)| off(*limit) <= slack)
        .collect();
    found.sort_by(|a, b| off(a.1).total_cmp(&off(b.1)).then_with(|| a.0.cmp(b.0)));
    found
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
mod tests {
    use super::*;

    fn head(text: &str) -> ResponseHead {
        ResponseHead::new(format!("{}\r\n\r\n", text.trim().replace('\n', "\r\n")))
    }

    fn certificate(names: &SampleCertificate) -> Certificate {
        Certificate {
            subject: String::new(),
            subject_cn: names.subject_cn.clone(),
            issuer: String::new(),
            issuer_cn: names.issuer_cn.clone(),
            issuer_o: names.issuer_o.clone(),
            issuer_ou: names.issuer_ou.clone(),
            sans: names.sans.clone(),
            not_before: String::new(),
            not_after: String::new(),
            sha256: String::new(),
            spki_sha256: String::new(),
            self_issued: false,
            unparsed: None,
        }
    }

    fn judge<'a>(all: &'a Signatures, sample: &Sample) -> Vec<Match<'a>> {
        if let Some(names) = &sample.certificate {
            return all.match_certificate(&[certificate(names)]);
        }
        if let Some(name) = &sample.cname {
            return all.match_cname(name);
        }
        let head =
            head(sample.head.as_deref().expect("a sample has a head, a certificate or a name"));
        all.match_response(&Response { status: None, head: &head, body: &sample.body })
    }

    fn matches(head_text: &str, body: &str) -> Vec<(String, Confidence)> {
        let head = head(head_text);
        Signatures::built_in()
            .match_response(&Response { status: None, head: &head, body })
            .into_iter()
            .map(|m| (m.signature.id.clone(), m.confidence))
            .collect()
    }

    #[test]
    fn every_file_parses_and_is_named_after_its_id() {
        let mut all = Signatures { all: Vec::new() };
        for (name, text) in built_in_files() {
            all.add(&name, text).unwrap_or_else(|error| panic!("{error}"));
            let id = name.trim_end_matches(".toml");
            assert!(all.get(id).is_some(), "{name}: the id differs from the file name");
        }
        assert!(all.all.len() >= 69, "{} signatures", all.all.len());
        assert_eq!(Signatures::built_in().all.len(), all.all.len());
    }

    #[test]
    fn every_signature_has_samples() {
        for signature in Signatures::built_in().iter() {
            let positive = signature.samples.iter().any(|sample| sample.matches);
            let negative = signature.samples.iter().any(|sample| !sample.matches);
            assert!(negative, "{}: no sample that it must not match", signature.id);
            assert!(positive || signature.signs.is_empty(), "{}: no positive sample", signature.id);
        }
    }

    #[test]
    fn every_sign_comes_from_somewhere_and_hearsay_is_weak() {
        for signature in Signatures::built_in().iter() {
            for sign in &signature.signs {
                assert!(!sign.source.is_empty(), "{}: no source", signature.id);
                let hearsay = sign.source == "gk";
                assert!(!hearsay || sign.weight == Weight::Weak, "{}: {sign:?}", signature.id);
            }
        }
    }

    #[test]
    fn every_signature_against_every_sample() {
        let all = Signatures::built_in();
        let mut wrong = Vec::new();
        for owner in all.iter() {
            for sample in &owner.samples {
                let found = judge(all, sample);
                let own = found.iter().any(|m| m.signature.id == owner.id);
                if own != sample.matches {
                    wrong.push(format!("{} / {}: matched: {own}", owner.id, sample.name));
                }
                for other in found.iter().filter(|m| {
                    sample.matches
                        && m.signature.id != owner.id
                        && m.confidence == Confidence::High
                        && !sample.also.contains(&m.signature.id)
                }) {
                    let (id, because) = (&other.signature.id, &other.because);
                    wrong.push(format!("{} / {}: also {id}: {because}", owner.id, sample.name));
                }
            }
        }
        assert!(wrong.is_empty(), "{}", wrong.join("\n"));
    }

    #[test]
    fn weights_add_up_and_ceilings_hold() {
        let file = |extra: &str| {
            format!(
                "id = \"x\"\nname = \"X\"\nrole = \"waf\"\n{extra}\n\
                 [[match]]\nfield = \"header\"\nname = \"A\"\nregex = \"1\"\nsource = \"t\"\nweight = \"weak\"\n\
                 [[match]]\nfield = \"header\"\nname = \"B\"\nregex = \"1\"\nsource = \"t\"\nweight = \"weak\"\n\
                 [[match]]\nfield = \"header\"\nname = \"C\"\nregex = '(?P<version>\\d)'\nsource = \"t\"\nweight = \"strong\"\n"
            )
        };
        let judge = |extra: &str, text: &str| {
            let text = head(text);
            let own = file(extra);
            let all = Signatures::with_extra(&[("x.toml", &own)]).unwrap();
            let found = all.match_response(&Response { status: None, head: &text, body: "" });
            found.first().map(|m| (m.confidence, m.version.clone()))
        };
        assert_eq!(judge("", "HTTP/1.1 200 OK\nA: 1"), Some((Confidence::Low, None)));
        assert_eq!(judge("", "HTTP/1.1 200 OK\nA: 1\nB: 1"), Some((Confidence::Medium, None)));
        assert_eq!(judge("", "HTTP/1.1 200 OK\nc: 7"), Some((Confidence::High, Some("7".into()))));
        assert_eq!(judge("", "HTTP/1.1 200 OK"), None);
        let capped = judge("at_most = \"medium\"", "HTTP/1.1 200 OK\nA: 1\nC: 7");
        assert_eq!(capped.map(|c| c.0), Some(Confidence::Medium));
    }

    #[test]
    fn errors_name_the_file_and_the_place() {
        let start = "id = \"x\"\nname = \"X\"\nrole = \"waf\"\n";
        let bad = [
            ("id = ", "a.toml"),
            (&*format!("{start}colour = 1\n"), "colour"),
            ("id = \"x\"\nname = \"X\"\nrole = \"toaster\"\n", "toaster"),
            (
                &format!(
                    "{start}[[match]]\nfield = \"body\"\nregex = \"(\"\nsource = \"t\"\nweight = \"weak\"\n"
                ),
                "match 1 (Body)",
            ),
            (
                &format!(
                    "{start}[[match]]\nfield = \"body\"\nregex = \"a\"\nstatus = [\"any\"]\nsource = \"t\"\nweight = \"weak\"\n"
                ),
                "status class",
            ),
            (
                &format!(
                    "{start}[[match]]\nfield = \"header\"\nregex = \"a\"\nsource = \"t\"\nweight = \"weak\"\n"
                ),
                "`name` is missing",
            ),
            (
                &format!(
                    "{start}[[match]]\nfield = \"cname\"\nregex = \"a\"\nname = \"b\"\nsource = \"t\"\nweight = \"weak\"\n"
                ),
                "no meaning",
            ),
            ("id = \"nginx\"\nname = \"X\"\nrole = \"waf\"\n", "taken"),
        ];
        for (text, expected) in bad {
            let error = Signatures::with_extra(&[("a.toml", text)]).unwrap_err();
            assert!(error.starts_with("a.toml: ") && error.contains(expected), "{error}");
        }
    }

    #[test]
    fn an_error_page_of_alb_is_not_nginx() {
        let page = "<html>\r\n<head><title>502 Bad Gateway</title></head>\r\n<body>\r\n\
                    <center><h1>502 Bad Gateway</h1></center>\r\n</body>\r\n</html>\r\n";
        let found = matches("HTTP/1.1 502 Bad Gateway\nServer: awselb/2.0", page);
        assert_eq!(found, [("aws-alb".to_owned(), Confidence::High)]);
        let found = matches("HTTP/1.1 502 Bad Gateway\nServer: nginx", page);
        assert_eq!(found[0], ("nginx".to_owned(), Confidence::High));
        assert!(found.contains(&("aws-alb".to_owned(), Confidence::Low)));
    }

    #[test]
    fn subprotocol_and_cookies_do_not_change_the_shape() {
        let found = matches(
            "HTTP/1.1 101 Switching Protocols\nupgrade: websocket\nsec-websocket-protocol: opamp\n\
             connection: Upgrade\nsec-websocket-accept: x\nset-cookie: a=b",
            "",
        );
        assert_eq!(found, [("haproxy".to_owned(), Confidence::Medium)]);
    }

    #[test]
    fn nothing_matches_nothing() {
        assert!(matches("HTTP/1.1 200 OK\nContent-Type: text/html", "<h1>hello</h1>").is_empty());
        assert!(matches("", "").is_empty());
        assert!(Signatures::built_in().match_certificate(&[]).is_empty());
        assert!(Signatures::built_in().match_cname("").is_empty());
    }

    #[test]
    fn long_bodies_are_cut() {
        let hidden = format!("{}<hr><center>nginx</center>", "ä".repeat(TEXT_LIMIT));
        assert!(matches("HTTP/1.1 502 Bad Gateway", &hidden).is_empty());
        assert_eq!(cut(&format!("x{hidden}")).len(), TEXT_LIMIT - 1);
    }

    #[test]
    fn idle_defaults_are_found_within_their_slack() {
        let names = |seconds| idle_defaults(seconds).into_iter().map(|d| d.0).collect::<Vec<_>>();
        assert!(names(60.05).contains(&"nginx"));
        assert!(names(61.6).contains(&"lighttpd"));
        assert!(!names(64.0).contains(&"nginx"));
        assert!(names(350.2).contains(&"AWS Network Load Balancer"));
        assert!(names(47.0).is_empty());
        assert!(names(f64::NAN).is_empty());
        assert!(lifetime_limits(7201.0).iter().any(|l| l.0 == "Amazon API Gateway"));
    }
}
