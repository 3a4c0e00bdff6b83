//! The one place that maps `io`, `rustls`, `h2` and resolver errors to a
//! [`FailureKind`]. The raw text always goes along.

use rustls::{AlertDescription, CertificateError, Error as TlsError, PeerIncompatible};
use std::io;
use wss_bundle::observation::{Distrust, EndedBy};
use wss_bundle::{Failure, FailureKind, Operation};

/// A failure from an I/O error, which may hold a TLS error.
#[must_use]
pub fn io(operation: Operation, error: &io::Error) -> Failure {
    if let Some(tls) = error.get_ref().and_then(|inner| inner.downcast_ref::<TlsError>()) {
        return Failure::new(operation, tls_kind(tls), tls.to_string());
    }
    Failure::new(operation, io_kind(error), error.to_string())
}

fn io_kind(error: &io::Error) -> FailureKind {
    use io::ErrorKind as E;
    match error.kind() {
        E::ConnectionRefused => FailureKind::ConnectionRefused,
        E::ConnectionReset => FailureKind::ConnectionReset,
        E::ConnectionAborted | E::BrokenPipe | E::NotConnected => FailureKind::ConnectionAborted,
        E::HostUnreachable => FailureKind::HostUnreachable,
        E::NetworkUnreachable | E::NetworkDown | E::AddrNotAvailable => {
            FailureKind::NetworkUnreachable
        }
        E::PermissionDenied => FailureKind::PermissionDenied,
        E::TimedOut => FailureKind::TimedOut,
        E::UnexpectedEof => FailureKind::Eof,
        _ => FailureKind::Other,
    }
}

fn tls_kind(error: &TlsError) -> FailureKind {
    match error {
        TlsError::AlertReceived(AlertDescription::CertificateRequired) => {
            FailureKind::TlsClientCertificateRequired
        }
        TlsError::AlertReceived(AlertDescription::NoApplicationProtocol)
        | TlsError::NoApplicationProtocol => FailureKind::TlsNoApplicationProtocol,
        TlsError::AlertReceived(AlertDescription::ProtocolVersion) => FailureKind::TlsIncompatible,
        TlsError::AlertReceived(_) => FailureKind::TlsAlert,
        TlsError::InvalidMessage(rustls::InvalidMessage::InvalidContentType) => {
            FailureKind::TlsNotTls
        }
        TlsError::PeerIncompatible(
            PeerIncompatible::NoCertificateRequestSignatureSchemesInCommon,
        ) => FailureKind::TlsClientCertificateRequired,
        TlsError::PeerIncompatible(_) => FailureKind::TlsIncompatible,
        _ => FailureKind::TlsProtocol,
    }
}

/// Whether a fatal alert is one that servers send for a missing client certificate.
#[must_use]
pub fn blames_client_certificate(error: &io::Error) -> bool {
    matches!(
        error.get_ref().and_then(|inner| inner.downcast_ref::<TlsError>()),
        Some(TlsError::AlertReceived(
            AlertDescription::CertificateRequired
                | AlertDescription::HandshakeFailure
                | AlertDescription::BadCertificate
                | AlertDescription::CertificateUnknown
                | AlertDescription::UnknownCA
                | AlertDescription::AccessDenied,
        ))
    )
}

/// Why a verifier does not trust a chain.
#[must_use]
pub fn distrust(error: &TlsError) -> Distrust {
    use CertificateError as C;
    match error {
        TlsError::InvalidCertificate(certificate) => match certificate {
            C::Expired | C::ExpiredContext { .. } => Distrust::Expired,
            C::NotValidYet | C::NotValidYetContext { .. } => Distrust::NotYetValid,
            C::NotValidForName | C::NotValidForNameContext { .. } => Distrust::WrongName,
            C::UnknownIssuer => Distrust::UnknownIssuer,
            C::Revoked => Distrust::Revoked,
            // A self-signed leaf that is a CA: its issuer (itself) is no known root.
            C::Other(other) if other.to_string().contains("CaUsedAsEndEntity") => {
                Distrust::UnknownIssuer
            }
            _ => Distrust::Other,
        },
        _ => Distrust::Other,
    }
}

/// A failure from getaddrinfo. The standard library keeps its text alone (in
/// the C locale, hence English), except on Windows, where a code comes along.
#[must_use]
pub fn system_resolver(error: &io::Error) -> Failure {
    let text = error.to_string();
    let has = |words: &[&str]| words.iter().any(|word| text.contains(word));
    let kind = if matches!(error.raw_os_error(), Some(11001))
        || has(&["Name or service not known", "Name does not resolve", "nodename nor servname"])
    {
        FailureKind::DnsNxdomain
    } else if matches!(error.raw_os_error(), Some(11004))
        || has(&["No address associated", "no usable address", "Address family for hostname"])
    {
        FailureKind::DnsNoAddress
    } else if matches!(error.raw_os_error(), Some(11002 | 11003))
        || has(&["Temporary failure", "Try again", "Non-recoverable", "ServFail"])
    {
        FailureKind::DnsServerFailure
    } else {
        match io_kind(error) {
            FailureKind::Other => FailureKind::DnsServerFailure,
            kind => kind,
        }
    };
    Failure::new(Operation::Resolve, kind, text)
}

/// A failure from an HTTP/2 error.
#[must_use]
pub fn h2(error: &::h2::Error) -> Failure {
    match error.get_io() {
        Some(inner) => io(Operation::Http2, inner),
        None => Failure::new(Operation::Http2, FailureKind::Http2Error, error.to_string()),
    }
}

/// How a stream ended, from the error of a read or write.
#[must_use]
pub fn ended_by(error: &io::Error) -> EndedBy {
    match io_kind(error) {
        FailureKind::Eof => EndedBy::Fin,
        FailureKind::ConnectionReset | FailureKind::ConnectionAborted => EndedBy::Reset,
        FailureKind::TimedOut | FailureKind::HostUnreachable | FailureKind::NetworkUnreachable => {
            EndedBy::Silence
        }
        _ => EndedBy::Garbled,
    }
}
