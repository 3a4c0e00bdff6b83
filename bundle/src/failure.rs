//! How a step failed: the operation, a stable kind, and the raw text.
//!
//! The kinds are one closed list. Rules and trends match on them; the raw text
//! is for people. Mapping of `io`, `rustls` and DNS errors to kinds happens in
//! one place, in the collector (`collector/src/net/classify.rs`).

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

impl std::fmt::Display for Failure {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{}: {}", self.kind.name(), self.detail)
    }
}
