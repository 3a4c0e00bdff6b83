//! Certificates: a CA for the lab's servers, the corporate CA that interceptors
//! sign with, and one that nobody trusts. All are made anew for each lab.

use super::config::{CertificateKind, Subject, TlsConfig};
use chrono::{Datelike, Timelike, Utc};
use rcgen::{
    BasicConstraints, CertificateParams, CertifiedIssuer, DistinguishedName, DnType,
    ExtendedKeyUsagePurpose, IsCa, KeyPair, KeyUsagePurpose,
};
use rustls::pki_types::{CertificateDer, PrivateKeyDer, PrivatePkcs8KeyDer};
use rustls::{ClientConfig, RootCertStore, ServerConfig};
use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;
use tokio_rustls::{TlsAcceptor, TlsConnector};

/// Whose name a `wrong-name` certificate bears.
const OTHER: &str = "other.example";
/// How long a short-lived certificate lives.
const SHORT: Duration = Duration::from_secs(20);
const DAY: Duration = Duration::from_secs(24 * 3600);

fn other(error: impl std::fmt::Display) -> io::Error {
    io::Error::other(error.to_string())
}

/// A certificate authority.
pub struct Authority {
    issuer: CertifiedIssuer<'static, KeyPair>,
}

/// A certificate with its key.
#[derive(Debug)]
pub struct Identity {
    /// As sent: the leaf, and its issuer where it has one.
    pub chain: Vec<CertificateDer<'static>>,
    /// The chain, as PEM.
    pub chain_pem: String,
    /// The key, as PEM (PKCS 8).
    pub key_pem: String,
    key: Vec<u8>,
}

fn named(subject: &Subject) -> DistinguishedName {
    let mut name = DistinguishedName::new();
    if let Some(organization) = &subject.organization {
        name.push(DnType::OrganizationName, organization.as_str());
    }
    if let Some(unit) = &subject.unit {
        name.push(DnType::OrganizationalUnitName, unit.as_str());
    }
    name.push(DnType::CommonName, subject.common_name.as_str());
    name
}

/// Certificates are dated by the day, and from the day before: two machines'
/// clocks (or a clock that runs on meanwhile) make no difference.
fn dated(params: &mut CertificateParams, kind: CertificateKind) {
    let today = Utc::now().date_naive();
    let (month, day) = (today.month() as u8, today.day() as u8);
    let midnight = rcgen::date_time_ymd(today.year(), month, day);
    (params.not_before, params.not_after) = match kind {
        CertificateKind::Expired => (midnight - 30 * DAY, midnight - DAY),
        CertificateKind::NotYetValid => (midnight + 2 * DAY, midnight + 90 * DAY),
        CertificateKind::ExpiresSoon => (midnight - 30 * DAY, midnight + 7 * DAY),
        CertificateKind::ShortLived => {
            let today = Duration::from_secs(Utc::now().num_seconds_from_midnight().into());
            (midnight - DAY, midnight + today + SHORT)
        }
        _ => (midnight - DAY, midnight + 90 * DAY),
    };
}

fn authority(subject: &Subject) -> CertificateParams {
    let mut params = CertificateParams::default();
    params.distinguished_name = named(subject);
    params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
    params.key_usages = vec![KeyUsagePurpose::KeyCertSign, KeyUsagePurpose::CrlSign];
    dated(&mut params, CertificateKind::Valid);
    params
}

impl Authority {
    /// A new root.
    ///
    /// # Errors
    /// When the key or the certificate cannot be made.
    pub fn new(subject: &Subject) -> io::Result<Self> {
        let key = KeyPair::generate().map_err(other)?;
        let params = authority(subject);
        Ok(Self { issuer: CertifiedIssuer::self_signed(params, key).map_err(other)? })
    }

    /// An authority that this one vouches for.
    ///
    /// # Errors
    /// When the key or the certificate cannot be made.
    pub fn below(&self, subject: &Subject) -> io::Result<Self> {
        let key = KeyPair::generate().map_err(other)?;
        let params = authority(subject);
        Ok(Self { issuer: CertifiedIssuer::signed_by(params, key, &self.issuer).map_err(other)? })
    }

    /// Its own certificate, as it is sent.
    #[must_use]
    pub fn der(&self) -> CertificateDer<'static> {
        self.issuer.der().clone()
    }

    /// Its key, PEM: for a real interceptor.
    #[must_use]
    pub fn key_pem(&self) -> String {
        self.issuer.key().serialize_pem()
    }

    /// The root's certificate.
    #[must_use]
    pub fn pem(&self) -> String {
        self.issuer.pem()
    }

    /// Issues a certificate for `names` (host names or addresses).
    ///
    /// # Errors
    /// When a name cannot stand in a certificate.
    pub fn issue(&self, names: &[&str], kind: CertificateKind) -> io::Result<Identity> {
        let names = match kind {
            CertificateKind::WrongName => vec![OTHER.to_owned()],
            _ => names.iter().map(|name| (*name).to_owned()).collect(),
        };
        let common_name = names.first().cloned().unwrap_or_default();
        let mut params = CertificateParams::new(names).map_err(other)?;
        params.distinguished_name = DistinguishedName::new();
        params.distinguished_name.push(DnType::CommonName, common_name);
        params.extended_key_usages = vec![ExtendedKeyUsagePurpose::ServerAuth];
        dated(&mut params, kind);
        let key = KeyPair::generate().map_err(other)?;
        let mut chain_pem = String::new();
        let mut chain = Vec::new();
        if kind == CertificateKind::SelfSigned {
            let leaf = params.self_signed(&key).map_err(other)?;
            chain_pem.push_str(&leaf.pem());
            chain.push(leaf.der().clone());
        } else {
            let leaf = params.signed_by(&key, &self.issuer).map_err(other)?;
            chain_pem.push_str(&leaf.pem());
            chain_pem.push_str(&self.issuer.pem());
            chain.extend([leaf.der().clone(), self.issuer.der().clone()]);
        }
        let key_pem = key.serialize_pem();
        Ok(Identity { chain, chain_pem, key_pem, key: key.serialize_der() })
    }
}

/// All authorities of one lab, and the files that other programs read.
pub struct Pki {
    /// Signs the servers.
    pub root: Authority,
    /// Signs what interceptors show.
    pub corporate: Authority,
    /// Trusted by nobody.
    pub stranger: Authority,
    dir: PathBuf,
}

impl Pki {
    /// Makes the authorities and writes `ca.pem`, `corporate.pem` and
    /// `trust.pem` (both) into `dir`.
    ///
    /// # Errors
    /// When they cannot be made or written.
    pub fn new(dir: &Path, corporate: &Subject) -> io::Result<Self> {
        let root = Authority::new(&Subject {
            organization: Some("Bindplane Lab".into()),
            unit: None,
            common_name: "Bindplane Lab Root CA".into(),
        })?;
        let stranger = Authority::new(&Subject {
            organization: None,
            unit: None,
            common_name: "Nobody's Own Root".into(),
        })?;
        let corporate = Authority::new(corporate)?;
        std::fs::write(dir.join("ca.pem"), root.pem())?;
        std::fs::write(dir.join("corporate.pem"), corporate.pem())?;
        std::fs::write(dir.join("trust.pem"), root.pem() + &corporate.pem())?;
        Ok(Self { root, corporate, stranger, dir: dir.to_owned() })
    }

    /// The lab's CA, as a file.
    #[must_use]
    pub fn ca_file(&self) -> PathBuf {
        self.dir.join("ca.pem")
    }

    /// The lab's CA and the corporate one, as a file: what a managed machine trusts.
    #[must_use]
    pub fn trust_file(&self) -> PathBuf {
        self.dir.join("trust.pem")
    }

    /// A certificate of this kind for `host` and 127.0.0.1.
    ///
    /// # Errors
    /// When a name cannot stand in a certificate.
    pub fn identity(&self, host: &str, kind: CertificateKind) -> io::Result<Identity> {
        let authority = match kind {
            CertificateKind::Corporate => &self.corporate,
            CertificateKind::UnknownIssuer => &self.stranger,
            _ => &self.root,
        };
        let mut names = vec![host, "127.0.0.1", "localhost"];
        names.dedup();
        authority.issue(&names, kind)
    }

    /// Writes a certificate for `host` as `NAME.pem` (chain) and `NAME.key`,
    /// for servers that read files; returns both paths.
    ///
    /// # Errors
    /// When it cannot be made or written.
    pub fn write_identity(
        &self,
        name: &str,
        host: &str,
        kind: CertificateKind,
    ) -> io::Result<(PathBuf, PathBuf)> {
        let identity = self.identity(host, kind)?;
        let (chain, key) =
            (self.dir.join(format!("{name}.pem")), self.dir.join(format!("{name}.key")));
        std::fs::write(&chain, &identity.chain_pem)?;
        std::fs::write(&key, &identity.key_pem)?;
        Ok((chain, key))
    }

    /// A server's side of TLS as `config` says; `otherwise` where it does not
    /// say which certificate.
    ///
    /// # Errors
    /// When the certificate cannot be made.
    pub fn acceptor(
        &self,
        config: &TlsConfig,
        host: &str,
        otherwise: CertificateKind,
    ) -> io::Result<TlsAcceptor> {
        let identity = self.identity(host, config.certificate.unwrap_or(otherwise))?;
        let roots = config.client_certificate.then(|| self.roots()).transpose()?;
        acceptor(&identity, &config.alpn, config.only_tls13, roots)
    }

    /// A client's side of TLS that trusts the lab's CA and speaks HTTP/1.1.
    ///
    /// # Errors
    /// When the CA's certificate cannot be read.
    pub fn connector(&self) -> io::Result<TlsConnector> {
        connector(self.roots()?, &["http/1.1"])
    }

    /// The lab's CA, for a verifier.
    ///
    /// # Errors
    /// When the CA's certificate cannot be read.
    pub fn roots(&self) -> io::Result<RootCertStore> {
        let mut roots = RootCertStore::empty();
        roots.add(self.root.issuer.der().clone()).map_err(other)?;
        Ok(roots)
    }
}

fn protocols(alpn: &[impl AsRef<str>]) -> Vec<Vec<u8>> {
    alpn.iter().map(|protocol| protocol.as_ref().as_bytes().to_vec()).collect()
}

/// A client's side of TLS.
///
/// # Errors
/// When the protocol versions cannot be set.
pub fn connector(roots: RootCertStore, alpn: &[&str]) -> io::Result<TlsConnector> {
    let mut config = ClientConfig::builder_with_provider(provider())
        .with_safe_default_protocol_versions()
        .map_err(other)?
        .with_root_certificates(roots)
        .with_no_client_auth();
    config.alpn_protocols = protocols(alpn);
    Ok(TlsConnector::from(Arc::new(config)))
}

/// A server's side of TLS. With `clients`, it demands a certificate by one of them.
///
/// # Errors
/// When the certificate and its key do not fit.
pub fn acceptor(
    identity: &Identity,
    alpn: &[String],
    only_tls13: bool,
    clients: Option<RootCertStore>,
) -> io::Result<TlsAcceptor> {
    let versions =
        if only_tls13 { &[&rustls::version::TLS13][..] } else { rustls::DEFAULT_VERSIONS };
    let builder = ServerConfig::builder_with_provider(provider())
        .with_protocol_versions(versions)
        .map_err(other)?;
    let builder = match clients {
        None => builder.with_no_client_auth(),
        Some(roots) => {
            let verifier = rustls::server::WebPkiClientVerifier::builder_with_provider(
                Arc::new(roots),
                provider(),
            )
            .build()
            .map_err(other)?;
            builder.with_client_cert_verifier(verifier)
        }
    };
    let key = PrivateKeyDer::from(PrivatePkcs8KeyDer::from(identity.key.clone()));
    let mut config = builder.with_single_cert(identity.chain.clone(), key).map_err(other)?;
    config.alpn_protocols = protocols(alpn);
    Ok(TlsAcceptor::from(Arc::new(config)))
}

/// The same, of a chain that rustls would not accept itself, by TLS 1.3 alone.
///
/// # Errors
/// When the key cannot be used.
pub fn acceptor_of_anything(identity: &Identity, alpn: &[String]) -> io::Result<TlsAcceptor> {
    let key = PrivateKeyDer::from(PrivatePkcs8KeyDer::from(identity.key.clone()));
    let key = provider().key_provider.load_private_key(key).map_err(other)?;
    let both = rustls::sign::CertifiedKey::new(identity.chain.clone(), key);
    let mut config = ServerConfig::builder_with_provider(provider())
        .with_protocol_versions(&[&rustls::version::TLS13])
        .map_err(other)?
        .with_no_client_auth()
        .with_cert_resolver(Arc::new(rustls::sign::SingleCertAndKey::from(both)));
    config.alpn_protocols = protocols(alpn);
    Ok(TlsAcceptor::from(Arc::new(config)))
}

fn provider() -> Arc<rustls::crypto::CryptoProvider> {
    Arc::new(rustls::crypto::ring::default_provider())
}
