//! The certificate chain, by vantage and route; equal ones once.

use crate::part::limited;
use crate::{Case, words};
use serde::Serialize;
use std::collections::BTreeSet;
use wss_bundle::Step;
use wss_bundle::observation::{Certificate, Peer, Tls, Verification};

/// Chains shown.
const CHAINS: usize = 24;
/// Certificates shown of one chain.
const LENGTH: usize = 8;

#[derive(Debug, Serialize)]
pub(super) struct Certificates {
    chains: Vec<Chain>,
    more: usize,
    note: Option<String>,
}

#[derive(Debug, Serialize)]
struct Chain {
    seen: String,
    anchor: String,
    name: String,
    symbol: &'static str,
    word: &'static str,
    tone: &'static str,
    verdict: String,
    issuer: String,
    certificates: Vec<Shown>,
    more: usize,
    #[serde(skip)]
    key: Vec<String>,
    #[serde(skip)]
    by: BTreeSet<String>,
    #[serde(skip)]
    of_target: bool,
}

#[derive(Debug, Serialize)]
struct Shown {
    subject: String,
    issuer: String,
    valid: String,
    sans: String,
    sha256: String,
    spki: String,
    unparsed: Option<String>,
}

impl Certificates {
    pub(super) fn new(case: &Case<'_>) -> Self {
        let mut chains: Vec<Chain> = Vec::new();
        for view in &case.views {
            for (o, anchor) in view.observations() {
                let Step::Tls(tls) = &o.step else { continue };
                if tls.chain.is_empty() {
                    continue;
                }
                let by = words::cut(&format!("{}, {}", view.name, o.route.way()), 120);
                let key: Vec<String> = tls.chain.iter().map(|c| c.sha256.clone()).collect();
                match chains.iter_mut().find(|c| c.key == key && c.verdict == verdict(tls).2) {
                    Some(same) => {
                        same.by.insert(by);
                    }
                    None => chains.push(chain(by, anchor, tls, key)),
                }
            }
        }
        for chain in &mut chains {
            let by: Vec<&str> = chain.by.iter().map(String::as_str).collect();
            chain.seen = words::cut(&by.join("; "), 400);
        }
        let note = note(&chains);
        let (chains, more) = limited(chains, CHAINS);
        Self { chains, more, note }
    }
}

/// Different leaves by different ways: the sign of an interceptor.
fn note(chains: &[Chain]) -> Option<String> {
    let mut leaves = chains.iter().filter(|chain| chain.of_target);
    let first = leaves.next()?;
    let other = leaves.find(|chain| chain.key.first() != first.key.first())?;
    Some(format!(
        "The target's certificate depends on the way: {} sees one issued by {}; {} one issued by {}.",
        first.seen, first.issuer, other.seen, other.issuer
    ))
}

fn verdict(tls: &Tls) -> (&'static str, &'static str, String, &'static str) {
    match &tls.verification {
        Some(Verification::Trusted) => ("✓", "trusted", String::new(), "good"),
        Some(Verification::Untrusted { detail, .. }) => {
            ("✗", "not trusted", words::cut(detail, 300), "bad")
        }
        Some(Verification::NotChecked { detail }) => {
            ("?", "not checked", words::cut(detail, 300), "warn")
        }
        None => ("?", "not checked", String::new(), "warn"),
    }
}

fn chain(by: String, anchor: &str, tls: &Tls, key: Vec<String>) -> Chain {
    let (symbol, word, verdict, tone) = verdict(tls);
    let issuer = tls.chain.first().map_or("", |leaf| leaf.issuer.as_str());
    let (certificates, more) = limited(tls.chain.iter().map(shown), LENGTH);
    Chain {
        seen: String::new(),
        anchor: anchor.to_owned(),
        name: words::cut(&tls.server_name, 200),
        symbol,
        word,
        tone,
        verdict,
        issuer: words::cut(issuer, 160),
        certificates,
        more,
        key,
        by: BTreeSet::from([by]),
        of_target: tls.peer == Peer::Target,
    }
}

fn shown(certificate: &Certificate) -> Shown {
    Shown {
        subject: words::cut(&certificate.subject, 300),
        issuer: words::cut(&certificate.issuer, 300),
        valid: words::cut(&format!("{} to {}", certificate.not_before, certificate.not_after), 80),
        sans: words::cut(&certificate.sans.join(", "), 400),
        sha256: words::cut(&certificate.sha256, 64),
        spki: words::cut(&certificate.spki_sha256, 64),
        unparsed: certificate.unparsed.as_ref().map(|why| words::cut(why, 300)),
    }
}
