//! A signature file as written, before its patterns are compiled.

use crate::model::Confidence;
use serde::Deserialize;
use wss_bundle::observation::Certificate;

/// How much one sign says. The points are what is added up.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub(super) enum Weight {
    Strong,
    Medium,
    Weak,
}

impl Weight {
    pub(super) fn points(self) -> u32 {
        match self {
            Self::Strong => 4,
            Self::Medium => 2,
            Self::Weak => 1,
        }
    }
}

pub(super) fn confidence(points: u32) -> Confidence {
    match points {
        0..=1 => Confidence::Low,
        2..=3 => Confidence::Medium,
        _ => Confidence::High,
    }
}

/// Which part of a certificate a pattern looks at.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(super) enum Attribute {
    IssuerCn,
    IssuerO,
    IssuerOu,
    SubjectCn,
    San,
}

impl Attribute {
    pub(super) fn label(self) -> &'static str {
        match self {
            Self::IssuerCn => "issuer CN",
            Self::IssuerO => "issuer O",
            Self::IssuerOu => "issuer OU",
            Self::SubjectCn => "subject CN",
            Self::San => "alternative name",
        }
    }

    pub(super) fn values(self, certificate: &Certificate) -> impl Iterator<Item = &str> {
        let (one, more) = match self {
            Self::IssuerCn => (&certificate.issuer_cn, &[][..]),
            Self::IssuerO => (&certificate.issuer_o, &[][..]),
            Self::IssuerOu => (&certificate.issuer_ou, &[][..]),
            Self::SubjectCn => (&certificate.subject_cn, &[][..]),
            Self::San => (&None, &certificate.sans[..]),
        };
        one.iter().chain(more).map(String::as_str)
    }
}

/// A file of `signatures/`, as written.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct File {
    pub(super) id: String,
    pub(super) name: String,
    pub(super) role: String,
    pub(super) side: String,
    pub(super) at_most: Option<Ceiling>,
    pub(super) idle_default_s: Option<u32>,
    pub(super) idle_setting: Option<String>,
    pub(super) idle_rule: Option<String>,
    pub(super) max_lifetime_s: Option<u32>,
    pub(super) misconfigured: Option<String>,
    #[serde(default, rename = "match")]
    pub(super) signs: Vec<SignEntry>,
    /// Tests use them; in a file of one's own they have to be well-formed.
    #[serde(default, rename = "sample")]
    #[cfg_attr(not(test), expect(dead_code, reason = "only tests use them"))]
    pub(super) samples: Vec<Sample>,
}

#[derive(Debug, Clone, Copy, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub(super) enum Ceiling {
    Low,
    Medium,
}

/// One `[[match]]`. Which keys belong to which `field` is checked in [`Sign::new`],
/// where the error can name the place.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct SignEntry {
    pub(super) field: Field,
    pub(super) name: Option<String>,
    pub(super) attribute: Option<Attribute>,
    pub(super) regex: Option<String>,
    pub(super) names: Option<Vec<String>>,
    pub(super) status: Option<Vec<String>>,
    pub(super) unless: Option<String>,
    pub(super) source: String,
    pub(super) weight: Weight,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub(super) enum Field {
    Header,
    Cookie,
    Body,
    Certificate,
    Cname,
    Ptr,
    #[serde(rename = "shape-101")]
    Shape101,
    LowerCase,
    Reason,
}

/// What a signature must or must not match.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Sample {
    /// Where it is from.
    pub(super) name: String,
    /// Whether the signature must match it.
    #[serde(rename = "match")]
    pub(super) matches: bool,
    /// Other signatures that may match it with high confidence.
    #[serde(default)]
    pub(super) also: Vec<String>,
    /// Status line and headers, one per line.
    pub(super) head: Option<String>,
    /// Body.
    #[serde(default)]
    pub(super) body: String,
    /// A certificate's names.
    pub(super) certificate: Option<SampleCertificate>,
    /// A host name.
    pub(super) cname: Option<String>,
    /// The name of an address.
    pub(super) ptr: Option<String>,
}

/// The names of a sample's certificate.
#[derive(Debug, Clone, Default, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub(super) struct SampleCertificate {
    /// Issuer's common name.
    pub(super) issuer_cn: Option<String>,
    /// Issuer's organisation.
    pub(super) issuer_o: Option<String>,
    /// Issuer's organisational unit.
    pub(super) issuer_ou: Option<String>,
    /// Subject's common name.
    pub(super) subject_cn: Option<String>,
    /// Alternative names.
    pub(super) sans: Vec<String>,
}
