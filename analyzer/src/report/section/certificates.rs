//! The certificate chain, by vantage and route; equal ones once.

use crate::report::{Case, words};
use serde::Serialize;
use wss_bundle::Step;
use wss_bundle::observation::{Tls, Verification};

#[derive(Debug, Serialize)]
pub(super) struct Certificates {
    chains: Vec<Chain>,
}

#[derive(Debug, Serialize)]
struct Chain {
    seen: String,
    anchor: String,
    name: String,
    verdict: String,
    tone: &'static str,
    certificates: Vec<Certificate>,
    #[serde(skip)]
    key: Vec<String>,
}

#[derive(Debug, Serialize)]
struct Certificate {
    subject: String,
    issuer: String,
    valid: String,
    sans: String,
    sha256: String,
    spki: String,
}

impl Certificates {
    pub(super) fn new(case: &Case<'_>) -> Self {
        let all: Vec<_> = case.in_order().collect();
        let mut chains: Vec<Chain> = Vec::new();
        for bundle in &all {
            for o in &bundle.observations.observations {
                let Step::Tls(tls) = &o.step else { continue };
                if tls.chain.is_empty() {
                    continue;
                }
                let seen = format!("{} by {}", words::name(bundle, &all), o.route);
                let key: Vec<String> = tls.chain.iter().map(|c| c.sha256.clone()).collect();
                match chains.iter_mut().find(|c| c.key == key && c.seen.contains(&seen)) {
                    Some(_) => {}
                    None => match chains.iter_mut().find(|c| c.key == key) {
                        Some(same) => same.seen = format!("{}; {seen}", same.seen),
                        None => chains.push(chain(
                            seen,
                            words::anchor(&bundle.manifest.id, &o.id),
                            tls,
                            key,
                        )),
                    },
                }
            }
        }
        Self { chains }
    }
}

fn chain(seen: String, anchor: String, tls: &Tls, key: Vec<String>) -> Chain {
    let (verdict, tone) = match &tls.verification {
        Some(Verification::Trusted) => ("trusted there".to_owned(), "good"),
        Some(Verification::Untrusted { detail, .. }) => {
            (format!("not trusted there: {detail}"), "bad")
        }
        Some(Verification::NotChecked { detail }) => (format!("not checked: {detail}"), "warn"),
        None => ("not checked".to_owned(), "warn"),
    };
    let certificates = tls
        .chain
        .iter()
        .map(|c| Certificate {
            subject: c.subject.clone(),
            issuer: c.issuer.clone(),
            valid: format!("{} to {}", c.not_before, c.not_after),
            sans: words::cut(&c.sans.join(", "), 400),
            sha256: c.sha256.clone(),
            spki: c.spki_sha256.clone(),
        })
        .collect();
    Chain { seen, anchor, name: tls.server_name.clone(), verdict, tone, certificates, key }
}
