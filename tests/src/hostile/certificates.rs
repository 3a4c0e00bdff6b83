//! Chains of certificates that are larger than anybody needs.

use crate::lab::ca::{Authority, Identity, Pki, acceptor_of_anything};
use crate::lab::config::{CertificateKind, Subject};
use std::io;
use tokio_rustls::TlsAcceptor;

/// What rustls takes of one handshake message (`MAX_HANDSHAKE_SIZE`). OpenSSL and
/// BoringSSL take 100 KiB of a chain.
const MESSAGE: usize = 0xffff;
/// What comes in the same records, and is buffered with it.
const BESIDE: usize = 2048;

/// What is wrong with a chain.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[allow(missing_docs, reason = "their names say it")]
pub enum Chain {
    Healthy,
    /// A leaf with this many names, of which the last ones are right.
    Names(usize),
    /// This many certificates behind the leaf and its root that lead nowhere.
    Stray(usize),
    /// This many authorities, each signed by the next.
    Deep(usize),
    /// As many as one handshake message may hold, beside what comes with it.
    JustFits,
    /// One more.
    JustTooLarge,
}

/// A server's side of TLS that shows such a chain, for `localhost` and 127.0.0.1.
///
/// # Errors
/// When it cannot be made.
pub fn shown(pki: &Pki, chain: Chain, alpn: &[&str]) -> io::Result<TlsAcceptor> {
    let stray = || Authority::new(&named("Nobody's Own Root")).map(|root| root.der());
    let mut identity = pki.identity("localhost", CertificateKind::Valid)?;
    match chain {
        Chain::Healthy => {}
        Chain::Names(count) => {
            let names: Vec<String> =
                (0..count).map(|number| format!("n{number}.hostile.example")).collect();
            let mut names: Vec<&str> = names.iter().map(String::as_str).collect();
            names.extend(["127.0.0.1", "localhost"]);
            identity = pki.root.issue(&names, CertificateKind::Valid)?;
        }
        Chain::Stray(count) => identity.chain.extend(vec![stray()?; count]),
        Chain::Deep(depth) => identity = deep(pki, depth)?,
        Chain::JustFits | Chain::JustTooLarge => {
            let stray = stray()?;
            let most = if chain == Chain::JustFits { MESSAGE - BESIDE } else { MESSAGE };
            let mut bytes = message(&identity) + 5 + stray.len();
            while bytes <= most {
                identity.chain.push(stray.clone());
                bytes += 5 + stray.len();
            }
            if chain == Chain::JustTooLarge {
                identity.chain.push(stray);
            }
        }
    }
    let alpn: Vec<String> = alpn.iter().map(ToString::to_string).collect();
    acceptor_of_anything(&identity, &alpn)
}

/// Bytes of a Certificate message (RFC 8446 section 4.4.2).
fn message(identity: &Identity) -> usize {
    4 + identity.chain.iter().map(|one| 5 + one.len()).sum::<usize>()
}

fn named(name: &str) -> Subject {
    Subject { organization: None, unit: None, common_name: name.to_owned() }
}

/// From the lab's root down; shown from the leaf up.
fn deep(pki: &Pki, depth: usize) -> io::Result<Identity> {
    let mut above = Vec::new();
    let mut last: Option<Authority> = None;
    for number in 1..depth {
        let subject = named(&format!("Authority {number}"));
        let next = last.as_ref().unwrap_or(&pki.root).below(&subject)?;
        above.push(next.der());
        last = Some(next);
    }
    let issuer = last.as_ref().unwrap_or(&pki.root);
    let mut identity = issuer.issue(&["localhost", "127.0.0.1"], CertificateKind::Valid)?;
    identity.chain.truncate(1);
    identity.chain.extend(above.into_iter().rev());
    Ok(identity)
}
