//! TLS handshakes that record the chain and this machine's verdict on it, and
//! go on all the same, so that an interceptor can be named.

use super::tap::{Tap, TapHandle};
use super::{BoxIo, classify};
use rustls::client::danger::{HandshakeSignatureValid, ServerCertVerified, ServerCertVerifier};
use rustls::client::{ResolvesClientCert, WebPkiServerVerifier};
use rustls::crypto::{CryptoProvider, verify_tls12_signature, verify_tls13_signature};
use rustls::pki_types::{CertificateDer, PrivateKeyDer, ServerName, UnixTime};
use rustls::sign::CertifiedKey;
use rustls::{ClientConfig, DigitallySignedStruct, RootCertStore, SignatureScheme};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use tokio_rustls::TlsConnector;
use wss_bundle::format::sha256;
use wss_bundle::observation::{Certificate, Distrust, TlsSession, Verification};
use wss_bundle::{Failure, FailureKind, Operation};
use x509_parser::prelude::{FromDer, GeneralName, ParsedExtension, X509Certificate, X509Name};

/// Certificates kept of one chain.
const CHAIN: usize = 16;

/// TLS material, read and checked.
#[derive(Debug, Default)]
pub struct TlsOptions {
    /// Trusted besides the operating system's store.
    pub extra_roots: Vec<CertificateDer<'static>>,
    /// Client certificate chain and its key.
    pub client: Option<(Vec<CertificateDer<'static>>, PrivateKeyDer<'static>)>,
}

/// The trust store and client certificate, set up once per collection.
pub struct TlsSetup {
    provider: Arc<CryptoProvider>,
    verifier: Result<Arc<dyn ServerCertVerifier>, String>,
    extra_roots: Vec<CertificateDer<'static>>,
    client: Option<Arc<CertifiedKey>>,
}

impl TlsSetup {
    /// Reads the trust store. When that fails, chains are recorded as not checked.
    #[must_use]
    pub fn new(options: &TlsOptions) -> Self {
        let provider = Arc::new(rustls::crypto::ring::default_provider());
        let verifier = rustls_platform_verifier::Verifier::new_with_extra_roots(
            options.extra_roots.clone(),
            provider.clone(),
        )
        .map(|verifier| Arc::new(verifier) as Arc<dyn ServerCertVerifier>)
        .map_err(|error| error.to_string());
        let client = options.client.as_ref().and_then(|(chain, key)| {
            CertifiedKey::from_der(chain.clone(), key.clone_key(), &provider).ok().map(Arc::new)
        });
        let extra_roots = options.extra_roots.clone();
        Self { provider, verifier, extra_roots, client }
    }

    fn recording(&self, strict: bool) -> Arc<Recording> {
        Arc::new(Recording {
            provider: self.provider.clone(),
            verifier: self.verifier.clone(),
            extra_roots: self.extra_roots.clone(),
            strict,
            seen: Mutex::default(),
        })
    }

    fn client_certificate(&self) -> Arc<ClientCertificate> {
        Arc::new(ClientCertificate { key: self.client.clone(), asked: AtomicBool::new(false) })
    }

    /// A handshake on a stream, which records what is shown and goes on.
    #[must_use]
    pub fn begin(&self, stream: BoxIo) -> (Handshake, Shown) {
        let (recording, client) = (self.recording(false), self.client_certificate());
        let shown = Shown(recording.clone());
        (Handshake { recording, client, raw: Tap::new(stream, false) }, shown)
    }

    /// For a client that speaks only to whom is trusted, by the same verdict.
    ///
    /// # Errors
    /// None of the TLS versions can be had.
    pub fn strict(&self) -> Result<ClientConfig, rustls::Error> {
        config(self.recording(true), self.client_certificate())
    }
}

fn config(
    recording: Arc<Recording>,
    client: Arc<ClientCertificate>,
) -> Result<ClientConfig, rustls::Error> {
    let versions = &[&rustls::version::TLS13, &rustls::version::TLS12];
    Ok(ClientConfig::builder_with_provider(recording.provider.clone())
        .with_protocol_versions(versions)?
        .dangerous()
        .with_custom_certificate_verifier(recording)
        .with_client_cert_resolver(client))
}

/// Whether the leaf itself is in the trust store, valid now, and for this name.
/// `openssl req -x509` makes such certificates, marked as an authority's, and
/// people install them as roots: browsers and OpenSSL accept them as leaves,
/// webpki does not.
fn trusted_itself(
    extra_roots: &[CertificateDer<'_>],
    leaf: &CertificateDer<'_>,
    name: &ServerName<'_>,
    now: UnixTime,
) -> bool {
    let installed = || {
        // Elsewhere the system verifies by itself, and has the last word.
        cfg!(all(unix, not(target_vendor = "apple")))
            && rustls_native_certs::load_native_certs().certs.iter().any(|root| root == leaf)
    };
    let seconds = i64::try_from(now.as_secs()).unwrap_or(i64::MAX);
    let valid = X509Certificate::from_der(leaf).is_ok_and(|(_, parsed)| {
        parsed.validity().not_before.timestamp() <= seconds
            && seconds <= parsed.validity().not_after.timestamp()
    });
    let named = rustls::server::ParsedCertificate::try_from(leaf)
        .is_ok_and(|parsed| rustls::client::verify_server_name(&parsed, name).is_ok());
    valid && named && (extra_roots.iter().any(|root| root == leaf) || installed())
}

/// The verdict where the system cannot check (`why`): a chain up to a root that
/// the user named is trusted all the same. That it ends elsewhere says nothing,
/// as the system might know that root.
fn by_named_roots(
    why: &str,
    provider: &Arc<CryptoProvider>,
    extra_roots: &[CertificateDer<'static>],
    verify: impl FnOnce(&WebPkiServerVerifier) -> Result<ServerCertVerified, rustls::Error>,
) -> Verification {
    let not_checked = || Verification::NotChecked { detail: why.to_owned() };
    let mut roots = RootCertStore::empty();
    roots.add_parsable_certificates(extra_roots.iter().cloned());
    let built =
        WebPkiServerVerifier::builder_with_provider(Arc::new(roots), provider.clone()).build();
    let Ok(verifier) = built else { return not_checked() };
    match verify(&verifier) {
        Ok(_) => Verification::Trusted,
        Err(error) => match classify::distrust(&error) {
            reason @ (Distrust::Expired | Distrust::NotYetValid | Distrust::WrongName) => {
                Verification::Untrusted { reason, detail: error.to_string() }
            }
            _ => not_checked(),
        },
    }
}

/// Lets every chain through unless it is strict, and keeps it with the real verdict.
#[derive(Debug)]
struct Recording {
    provider: Arc<CryptoProvider>,
    verifier: Result<Arc<dyn ServerCertVerifier>, String>,
    extra_roots: Vec<CertificateDer<'static>>,
    strict: bool,
    seen: Mutex<Option<(Vec<Certificate>, Verification)>>,
}

impl ServerCertVerifier for Recording {
    fn verify_server_cert(
        &self,
        end_entity: &CertificateDer<'_>,
        intermediates: &[CertificateDer<'_>],
        server_name: &ServerName<'_>,
        ocsp: &[u8],
        now: UnixTime,
    ) -> Result<ServerCertVerified, rustls::Error> {
        let verification = match &self.verifier {
            Err(why) => by_named_roots(why, &self.provider, &self.extra_roots, |named| {
                named.verify_server_cert(end_entity, intermediates, server_name, ocsp, now)
            }),
            Ok(real) => {
                match real.verify_server_cert(end_entity, intermediates, server_name, ocsp, now) {
                    Ok(_) => Verification::Trusted,
                    Err(_) if trusted_itself(&self.extra_roots, end_entity, server_name, now) => {
                        Verification::Trusted
                    }
                    Err(error) => Verification::Untrusted {
                        reason: classify::distrust(&error),
                        detail: error.to_string(),
                    },
                }
            }
        };
        if self.strict {
            trusted(&verification, server_name)?;
        }
        let chain =
            std::iter::once(end_entity).chain(intermediates).take(CHAIN).map(|c| summarise(c));
        *self.seen.lock().unwrap_or_else(PoisonError::into_inner) =
            Some((chain.collect(), verification));
        Ok(ServerCertVerified::assertion())
    }

    fn verify_tls12_signature(
        &self,
        message: &[u8],
        cert: &CertificateDer<'_>,
        dss: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, rustls::Error> {
        let algorithms = &self.provider.signature_verification_algorithms;
        verify_tls12_signature(message, cert, dss, algorithms)
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        cert: &CertificateDer<'_>,
        dss: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, rustls::Error> {
        let algorithms = &self.provider.signature_verification_algorithms;
        verify_tls13_signature(message, cert, dss, algorithms)
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        self.provider.signature_verification_algorithms.supported_schemes()
    }
}

/// What is sent to whom nobody trusts is given away.
fn trusted(verification: &Verification, name: &ServerName<'_>) -> Result<(), rustls::Error> {
    match verification {
        Verification::Trusted => Ok(()),
        Verification::Untrusted { detail, .. } | Verification::NotChecked { detail } => {
            Err(rustls::Error::General(format!(
                "the certificate of {} is not trusted here ({detail}); nothing was sent. \
                 --cacert FILE adds its authority",
                name.to_str()
            )))
        }
    }
}

/// Notices whether the server asks for a client certificate.
#[derive(Debug)]
struct ClientCertificate {
    key: Option<Arc<CertifiedKey>>,
    asked: AtomicBool,
}

impl ResolvesClientCert for ClientCertificate {
    fn resolve(&self, _: &[&[u8]], _: &[SignatureScheme]) -> Option<Arc<CertifiedKey>> {
        self.asked.store(true, Ordering::Relaxed);
        self.key.clone()
    }

    fn has_certs(&self) -> bool {
        // Always: otherwise nobody would tell that a certificate was asked for.
        true
    }
}

/// A connection after its handshake.
pub struct Secured {
    /// The bytes.
    pub stream: Tap<BoxIo>,
    /// What was agreed.
    pub session: TlsSession,
    /// False where the certificate is not trusted here. Probes go on then, to
    /// see more, and keep what is secret to themselves.
    pub trusted: bool,
}

/// A handshake that is about to be made.
pub struct Handshake {
    recording: Arc<Recording>,
    client: Arc<ClientCertificate>,
    raw: Tap<BoxIo>,
}

/// What the other side shows in a handshake, whatever becomes of it.
pub struct Shown(Arc<Recording>);

impl Shown {
    /// The chain, and this machine's verdict on it; nothing, where it came to none.
    #[must_use]
    pub fn take(&self) -> (Vec<Certificate>, Option<Verification>) {
        let seen = self.0.seen.lock().unwrap_or_else(PoisonError::into_inner).take();
        let (chain, verification) = seen.unzip();
        (chain.unwrap_or_default(), verification)
    }
}

impl Handshake {
    /// Makes it.
    ///
    /// # Errors
    /// Why it came to no end; a certificate that is not trusted is no reason.
    pub async fn make(self, host: &str, alpn: &[&str]) -> Result<Secured, Failure> {
        let Self { recording, client, raw } = self;
        let handle = raw.handle();
        let protocol = |detail: String| {
            Failure::new(Operation::TlsHandshake, FailureKind::TlsProtocol, detail)
        };
        let mut config = config(recording.clone(), client.clone())
            .map_err(|error| protocol(error.to_string()))?;
        config.alpn_protocols = alpn.iter().map(|&p| p.as_bytes().to_vec()).collect();
        let name = ServerName::try_from(host.to_owned())
            .map_err(|error| protocol(format!("{host}: {error}")))?;
        let stream = TlsConnector::from(Arc::new(config))
            .connect(name, raw)
            .await
            .map_err(|error| explain(&error, &handle, &client))?;
        let session = session(stream.get_ref().1);
        let seen = recording.seen.lock().unwrap_or_else(PoisonError::into_inner);
        let trusted = !matches!(*seen, Some((_, Verification::Untrusted { .. })));
        let stream = Tap::new(Box::new(stream) as BoxIo, true);
        Ok(Secured { stream, session, trusted })
    }
}

fn explain(error: &std::io::Error, raw: &TapHandle, client: &ClientCertificate) -> Failure {
    let mut failure = classify::io(Operation::TlsHandshake, error);
    let received = raw.log();
    // TLS records begin with 20 to 24 (RFC 8446 section 5.1).
    let not_tls =
        received.as_ref().and_then(|b| b.0.first()).is_some_and(|b| !(20..=24).contains(b));
    if not_tls {
        failure.kind = FailureKind::TlsNotTls;
        failure.received = received;
    } else if client.asked.load(Ordering::Relaxed) && classify::blames_client_certificate(error) {
        failure.kind = FailureKind::TlsClientCertificateRequired;
    }
    failure
}

fn session(connection: &rustls::ClientConnection) -> TlsSession {
    let version = match connection.protocol_version() {
        Some(rustls::ProtocolVersion::TLSv1_3) => "TLSv1.3".to_owned(),
        Some(rustls::ProtocolVersion::TLSv1_2) => "TLSv1.2".to_owned(),
        other => format!("{other:?}"),
    };
    let cipher = connection.negotiated_cipher_suite().map_or_else(String::new, |suite| {
        // rustls' TLS13_AES_… is IANA's TLS_AES_….
        suite.suite().as_str().unwrap_or_default().replacen("TLS13_", "TLS_", 1)
    });
    let alpn = connection.alpn_protocol().map(|p| String::from_utf8_lossy(p).into_owned());
    TlsSession { version, cipher, alpn }
}

/// What a certificate says.
#[must_use]
pub fn summarise(der: &[u8]) -> Certificate {
    let digest = sha256(der);
    let parsed = match X509Certificate::from_der(der) {
        Ok((_, parsed)) => parsed,
        Err(error) => {
            return Certificate {
                sha256: digest,
                unparsed: Some(error.to_string()),
                ..Certificate::default()
            };
        }
    };
    let first = |name: &X509Name<'_>| {
        name.iter_common_name().next().and_then(|a| a.as_str().ok()).map(str::to_owned)
    };
    let time = |time: x509_parser::time::ASN1Time| {
        chrono::DateTime::from_timestamp(time.timestamp(), 0)
            .map_or_else(String::new, |t| t.to_rfc3339_opts(chrono::SecondsFormat::Secs, true))
    };
    let issuer = parsed.issuer();
    Certificate {
        subject: parsed.subject().to_string(),
        subject_cn: first(parsed.subject()),
        issuer: issuer.to_string(),
        issuer_cn: first(issuer),
        issuer_o: issuer
            .iter_organization()
            .next()
            .and_then(|a| a.as_str().ok())
            .map(str::to_owned),
        issuer_ou: issuer
            .iter_organizational_unit()
            .next()
            .and_then(|a| a.as_str().ok())
            .map(str::to_owned),
        sans: names(&parsed),
        not_before: time(parsed.validity().not_before),
        not_after: time(parsed.validity().not_after),
        sha256: digest,
        spki_sha256: sha256(parsed.public_key().raw),
        self_issued: parsed.subject().as_raw() == issuer.as_raw(),
        unparsed: None,
    }
}

fn names(certificate: &X509Certificate<'_>) -> Vec<String> {
    let mut out = Vec::new();
    for extension in certificate.extensions() {
        if let ParsedExtension::SubjectAlternativeName(san) = extension.parsed_extension() {
            for name in san.general_names.iter().take(100) {
                match name {
                    GeneralName::DNSName(name) => out.push((*name).to_owned()),
                    GeneralName::IPAddress(bytes) => {
                        if let Ok(v4) = <[u8; 4]>::try_from(*bytes) {
                            out.push(std::net::Ipv4Addr::from(v4).to_string());
                        } else if let Ok(v6) = <[u8; 16]>::try_from(*bytes) {
                            out.push(std::net::Ipv6Addr::from(v6).to_string());
                        }
                    }
                    _ => {}
                }
            }
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;
    use rcgen::{CertificateParams, Issuer, KeyPair, date_time_ymd};

    fn authority() -> (CertificateDer<'static>, Issuer<'static, KeyPair>) {
        let mut params = CertificateParams::default();
        params.is_ca = rcgen::IsCa::Ca(rcgen::BasicConstraints::Unconstrained);
        let key = KeyPair::generate().unwrap();
        let root = params.self_signed(&key).unwrap().der().clone();
        (root, Issuer::new(params, key))
    }

    fn leaf(issuer: &Issuer<'static, KeyPair>, name: &str, until: i32) -> CertificateDer<'static> {
        let mut params = CertificateParams::new([name.to_owned()]).unwrap();
        params.not_before = date_time_ymd(2020, 1, 1);
        params.not_after = date_time_ymd(until, 1, 1);
        params.signed_by(&KeyPair::generate().unwrap(), issuer).unwrap().der().clone()
    }

    /// Where the system has no say, named roots settle what they can, and no more.
    #[test]
    fn named_roots_where_the_system_cannot_check() {
        let (root, issuer) = authority();
        let (_, stranger) = authority();
        let provider = Arc::new(rustls::crypto::ring::default_provider());
        let now = UnixTime::since_unix_epoch(std::time::Duration::from_secs(1_750_000_000));
        let name = ServerName::try_from("b.example").unwrap();
        let judge = |leaf: &CertificateDer<'_>, roots: &[CertificateDer<'static>]| {
            by_named_roots("no engine", &provider, roots, |named| {
                named.verify_server_cert(leaf, &[], &name, &[], now)
            })
        };
        let reason = |verification| match verification {
            Verification::Untrusted { reason, .. } => Some(reason),
            _ => None,
        };
        let not_checked = Verification::NotChecked { detail: "no engine".into() };
        let roots = [root];
        assert_eq!(judge(&leaf(&issuer, "b.example", 2090), &roots), Verification::Trusted);
        let expired = judge(&leaf(&issuer, "b.example", 2021), &roots);
        assert_eq!(reason(expired), Some(Distrust::Expired));
        let other = judge(&leaf(&issuer, "c.example", 2090), &roots);
        assert_eq!(reason(other), Some(Distrust::WrongName));
        assert_eq!(judge(&leaf(&stranger, "b.example", 2090), &roots), not_checked);
        assert_eq!(judge(&leaf(&issuer, "b.example", 2090), &[]), not_checked);
    }
}
