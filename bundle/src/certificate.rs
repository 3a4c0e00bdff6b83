//! A certificate as a bundle has it, whoever saw it.

use serde::{Deserialize, Serialize};

/// One certificate, summarised.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct Certificate {
    /// Subject, RFC 4514 style.
    pub subject: String,
    /// Subject's common name, when there is one.
    pub subject_cn: Option<String>,
    /// Issuer, RFC 4514 style.
    pub issuer: String,
    /// Issuer's common name.
    pub issuer_cn: Option<String>,
    /// Issuer's organisation.
    pub issuer_o: Option<String>,
    /// Issuer's organisational unit.
    pub issuer_ou: Option<String>,
    /// DNS names and addresses in subjectAltName.
    pub sans: Vec<String>,
    /// RFC 3339, UTC.
    pub not_before: String,
    /// RFC 3339, UTC.
    pub not_after: String,
    /// SHA-256 of the certificate, lower-case hex.
    pub sha256: String,
    /// SHA-256 of its SubjectPublicKeyInfo, lower-case hex.
    pub spki_sha256: String,
    /// Whether subject and issuer are the same.
    pub self_issued: bool,
    /// Why it could not be parsed, when it could not.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub unparsed: Option<String>,
}
