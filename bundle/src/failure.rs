//! How a step failed: the operation, a stable kind, and the raw text.
//!
//! The kinds are one closed list. Rules and trends match on them; the raw text
//! is for people. Mapping of `io`, `rustls` and DNS errors to kinds happens in
//! one place, in the collector (`collector/src/wire/classify.rs`).

use crate::head::{self, Bytes};
use serde::{Deserialize, Serialize};

/// What was being done when it failed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Operation {
    /// Looking up a name.
    Resolve,
    /// Opening a TCP connection.
    Connect,
    /// Asking a proxy for a tunnel (CONNECT or SOCKS).
    Tunnel,
    /// The TLS handshake.
    TlsHandshake,
    /// Sending a request.
    Write,
    /// Reading a response or frames.
    Read,
    /// Speaking HTTP/2.
    Http2,
    /// Exchanging WebSocket frames.
    Frames,
}

/// The stable name of a failure. New names may be added; none changes meaning.
///
/// A bundle from a newer collector may carry a name that this version does not
/// know; it is read as [`FailureKind::Other`].
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum FailureKind {
    /// The name does not exist (NXDOMAIN).
    DnsNxdomain,
    /// The name exists, without an address of the asked family.
    DnsNoAddress,
    /// The name server answered SERVFAIL or REFUSED, or the resolver said "try again".
    DnsServerFailure,
    /// No name server answered, or none is configured.
    DnsUnreachable,
    /// The DNS answer could not be understood.
    DnsMalformed,
    /// TCP connection refused (RST to SYN).
    ConnectionRefused,
    /// Connection reset by peer.
    ConnectionReset,
    /// Connection aborted locally, or broken pipe.
    ConnectionAborted,
    /// No route to host.
    HostUnreachable,
    /// Network is unreachable (no address of that family, no default route).
    NetworkUnreachable,
    /// This machine refuses to let the program connect (firewall, sandbox).
    PermissionDenied,
    /// The step's deadline passed.
    TimedOut,
    /// The peer closed (FIN) where an answer was due.
    Eof,
    /// TLS: the peer sent a fatal alert; the detail names it.
    TlsAlert,
    /// TLS: what came back is not TLS (a plain-text port, a proxy's page).
    TlsNotTls,
    /// TLS: no common version or cipher, or an incompatible peer.
    TlsIncompatible,
    /// TLS: the server demands a client certificate and none (or a wrong one) was given.
    TlsClientCertificateRequired,
    /// TLS: the certificate is not trusted, and the client did not go on.
    TlsUntrusted,
    /// TLS: whether the certificate is revoked could not be found out, and the client
    /// did not go on without knowing (Windows' schannel).
    TlsRevocationUnknown,
    /// TLS: any other protocol error.
    TlsProtocol,
    /// TLS: the server does not offer any protocol asked for by ALPN.
    TlsNoApplicationProtocol,
    /// The proxy's answer to the tunnel request could not be understood.
    ProxyMalformed,
    /// SOCKS: the proxy refuses (the detail has the reply code).
    SocksRefused,
    /// SOCKS: no acceptable authentication method, or wrong credentials.
    SocksAuthentication,
    /// HTTP: the response head is not HTTP/1.x.
    HttpMalformed,
    /// HTTP: the response head exceeds the limit (64 KiB).
    HttpHeadTooLarge,
    /// HTTP/2: a connection or stream error; the detail has the error code.
    Http2Error,
    /// WebSocket: a frame violates RFC 6455.
    WsProtocol,
    /// WebSocket: the peer sent a close frame before the exchange was done.
    WsClosed,
    /// More bytes arrived than this step may take.
    TooMuchData,
    /// Stopped by the user, or because its route had already failed.
    Cancelled,
    /// Anything else; the detail tells.
    #[serde(other)]
    Other,
}

impl FailureKind {
    /// What it is called when a person is told.
    #[must_use]
    pub fn words(self) -> &'static str {
        match self {
            Self::DnsNxdomain => "no such name",
            Self::DnsNoAddress => "the name has no address",
            Self::DnsServerFailure => "the name server failed",
            Self::DnsUnreachable => "no name server answered",
            Self::DnsMalformed => "the DNS answer is not valid",
            Self::ConnectionRefused => "connection refused",
            Self::ConnectionReset => "connection reset",
            Self::ConnectionAborted => "connection aborted",
            Self::HostUnreachable => "no route to the host",
            Self::NetworkUnreachable => "network unreachable",
            Self::PermissionDenied => "this machine does not permit it",
            Self::TimedOut => "timed out",
            Self::Eof => "connection closed",
            Self::TlsAlert => "TLS alert",
            Self::TlsNotTls => "no TLS",
            Self::TlsIncompatible => "no TLS version or cipher in common",
            Self::TlsClientCertificateRequired => "a client certificate is demanded",
            Self::TlsUntrusted => "the certificate is not trusted",
            Self::TlsRevocationUnknown => "revocation of the certificate could not be checked",
            Self::TlsProtocol => "TLS error",
            Self::TlsNoApplicationProtocol => "no protocol in common by ALPN",
            Self::ProxyMalformed => "the proxy's answer is not valid",
            Self::SocksRefused => "refused by SOCKS",
            Self::SocksAuthentication => "SOCKS wants credentials",
            Self::HttpMalformed => "no valid HTTP answer",
            Self::HttpHeadTooLarge => "too large a head",
            Self::Http2Error => "HTTP/2 error",
            Self::WsProtocol => "invalid WebSocket frame",
            Self::WsClosed => "closed by the peer",
            Self::TooMuchData => "too much data",
            Self::Cancelled => "stopped",
            Self::Other => "failed",
        }
    }

    /// The stable name, as it stands in bundles.
    #[must_use]
    pub fn name(self) -> String {
        serde_json::to_value(self)
            .ok()
            .and_then(|v| v.as_str().map(str::to_owned))
            .unwrap_or_default()
    }
}

/// A failure is data: it is recorded like a success.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Failure {
    /// What was being done.
    pub operation: Operation,
    /// The stable kind.
    pub kind: FailureKind,
    /// The raw text of the error, for people.
    pub detail: String,
    /// What had been received when it failed (at most 64 KiB), when anything had.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub received: Option<Bytes>,
}

impl Failure {
    /// A failure without received bytes.
    pub fn new(operation: Operation, kind: FailureKind, detail: impl Into<String>) -> Self {
        Self { operation, kind, detail: detail.into(), received: None }
    }

    /// With what had been received: of a response's thousands of header lines
    /// no more than [`crate::head::LINES_KEPT`], which the detail says then.
    #[must_use]
    pub fn with_received(mut self, bytes: Vec<u8>) -> Self {
        let (kept, left_out) =
            if bytes.starts_with(b"HTTP/") { head::bounded(bytes) } else { (bytes, 0) };
        if left_out > 0 {
            self.detail.push_str(&format!("; {left_out} header lines are left out"));
        }
        self.received = Some(Bytes(kept));
        self
    }
}

/// A system's text without its number and without what led to it.
fn plain(detail: &str) -> &str {
    let detail = detail.trim();
    let text = match detail.rsplit_once(" (os error ") {
        Some((text, number)) if number.trim_end_matches(')').parse::<i64>().is_ok() => text,
        _ => detail,
    };
    ["failed to lookup address information: ", "received fatal alert: "]
        .iter()
        .fold(text, |text, lead| text.strip_prefix(lead).unwrap_or(text))
}

impl std::fmt::Display for Failure {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let (words, detail) = (self.kind.words(), plain(&self.detail));
        let lower = detail.to_lowercase();
        // The system's own words for the same, or a sentence that says all.
        let same = lower.starts_with(words) && !words.starts_with("TLS");
        let whole = ["no answer for", "no end within", "stopped by"];
        if detail.is_empty() || words.contains(&lower) {
            f.write_str(words)
        } else if same || whole.iter().any(|begin| lower.starts_with(begin)) {
            let mut chars = detail.chars();
            let first = chars.next().map(|c| c.to_ascii_lowercase());
            write!(f, "{}{}", first.map(String::from).unwrap_or_default(), chars.as_str())
        } else {
            write!(f, "{words}: {detail}")
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_failure_is_told_once_and_without_machine_words() {
        use FailureKind as K;
        let refused = "Connection refused (os error 111)";
        let reset = "Connection reset by peer (os error 104)";
        let name = "failed to lookup address information: Name or service not known";
        for (kind, detail, told) in [
            (K::ConnectionRefused, refused, "connection refused"),
            (K::ConnectionReset, reset, "connection reset by peer"),
            (K::TimedOut, "no answer for 3.0 s", "no answer for 3.0 s"),
            (K::TimedOut, "Operation timed out (os error 110)", "timed out: Operation timed out"),
            (K::DnsNxdomain, name, "no such name: Name or service not known"),
            (K::Cancelled, "stopped by the user", "stopped by the user"),
            (K::ConnectionRefused, "refused", "connection refused"),
            (K::TlsAlert, "received fatal alert: HandshakeFailure", "TLS alert: HandshakeFailure"),
            (K::Eof, "", "connection closed"),
        ] {
            assert_eq!(Failure::new(Operation::Read, kind, detail).to_string(), told);
        }
    }
}
