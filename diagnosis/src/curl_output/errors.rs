//! What curl gives up with, by number and words: one table.
//!
//! The numbers are curl's exit codes (its manual, "EXIT CODES"). One number stands
//! for many things (28, 35, 56), and one thing for several numbers (schannel's
//! untrusted root was 77, 35 and is 60), so the words decide within a number. Words
//! are looked for in any case. Windows puts its own language behind a number
//! (`0x80092012`): that is what is looked for there.

use wss_bundle::FailureKind as Kind;
use wss_bundle::observation::Distrust;

/// Where it ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum At {
    /// Looking up the target's name.
    Name,
    /// The same of the proxy's.
    ProxyName,
    /// The TCP connection.
    Tcp,
    /// What was asked of the proxy.
    Tunnel,
    /// The TLS handshake.
    Tls,
    /// The certificate.
    Trust(Distrust),
    /// Between request and answer.
    Answer,
    /// The answer has this status, and curl shows no more of it.
    Status,
    /// The same of the proxy's answer to CONNECT.
    TunnelStatus,
    /// On curl's own machine: the command, a file. It says nothing about the way.
    Here(&'static str),
}

/// One row: exit code, a part of the words (in lower case; empty for all), what it is.
struct Row(u32, &'static str, At, Kind);

use At::{Answer, Here, Name, ProxyName, Status, Tcp, Tls, Trust, Tunnel, TunnelStatus};
use Distrust::{Expired, NotYetValid, Other, Revoked, UnknownIssuer, WrongName};

const COMMAND: &str = "curl did not understand the command: its quotes were changed or are another \
                       shell's, or an option is unknown to this version";
const WRITING: &str = "curl could not write what it got: it was binary, or what read it had ended, and \
                       the answer is not in the paste";
const FILE: &str = "curl could not read a file that its options name";
const UNBUILT: &str = "this curl does not know the URL's scheme: ws:// and wss:// need curl 8.11 or \
                       newer; https:// with the headers of the page's command does the same";

/// Per number the first row whose words are there. Behind each group: who says so.
#[rustfmt::skip]
const TABLE: &[Row] = &[
    // curl's manual, "EXIT CODES" 1 to 4; libcurl's url.c and tool_getparam.c.
    Row(1, "http/0.9", Answer, Kind::HttpMalformed),
    Row(1, "subversion", Answer, Kind::HttpMalformed),
    Row(1, "protocol \"'", Here(COMMAND), Kind::Other),
    Row(1, "protocol \"\"", Here(COMMAND), Kind::Other),
    Row(1, "", Here(UNBUILT), Kind::Other),
    Row(2, "", Here(COMMAND), Kind::Other),
    Row(3, "", Here(COMMAND), Kind::Other),
    Row(4, "", Here(UNBUILT), Kind::Other),
    // libcurl's hostip.c, asyn-ares.c: getaddrinfo's own words are not shown.
    Row(5, "", ProxyName, Kind::DnsNxdomain),
    Row(6, "timed out", Name, Kind::DnsUnreachable),
    Row(6, "timeout", Name, Kind::DnsUnreachable),
    Row(6, "could not contact dns", Name, Kind::DnsUnreachable),
    Row(6, "general failure", Name, Kind::DnsServerFailure),
    Row(6, "try again", Name, Kind::DnsServerFailure),
    Row(6, "", Name, Kind::DnsNxdomain),
    // libcurl's connect.c, cf-socket.c with strerror of Linux, macOS, Windows.
    Row(7, "connection refused", Tcp, Kind::ConnectionRefused),
    Row(7, "actively refused", Tcp, Kind::ConnectionRefused),
    Row(7, "network is unreachable", Tcp, Kind::NetworkUnreachable),
    Row(7, "network unreachable", Tcp, Kind::NetworkUnreachable),
    Row(7, "no route to host", Tcp, Kind::HostUnreachable),
    Row(7, "host unreachable", Tcp, Kind::HostUnreachable),
    Row(7, "host is down", Tcp, Kind::HostUnreachable),
    Row(7, "permission denied", Tcp, Kind::PermissionDenied),
    Row(7, "operation not permitted", Tcp, Kind::PermissionDenied),
    Row(7, "bad access", Tcp, Kind::PermissionDenied),
    Row(7, "reset", Tcp, Kind::ConnectionReset),
    Row(7, "timed out", Tcp, Kind::TimedOut),
    Row(7, "", Tcp, Kind::Other),
    // libcurl's transfer.c, http.c.
    Row(8, "", Answer, Kind::HttpMalformed),
    Row(16, "", Answer, Kind::Http2Error),
    Row(18, "", Answer, Kind::Eof),
    // libcurl's ws.c ("Refused WebSockets upgrade: 400"), http.c (-f).
    Row(22, "", Status, Kind::Other),
    Row(23, "", Here(WRITING), Kind::Other),
    Row(26, "", Here(FILE), Kind::Other),
    // libcurl's multi.c, connect.c, cf-h1-proxy.c.
    Row(28, "resolving timed out", Name, Kind::DnsUnreachable),
    Row(28, "resolve", Name, Kind::DnsUnreachable),
    Row(28, "name lookup timed out", Name, Kind::DnsUnreachable),
    Row(28, "proxy connect", Tunnel, Kind::TimedOut),
    Row(28, "connect tunnel", Tunnel, Kind::TimedOut),
    Row(28, "ssl connection timeout", Tls, Kind::TimedOut),
    Row(28, "handshake", Tls, Kind::TimedOut),
    Row(28, "ssl connect", Tls, Kind::TimedOut),
    Row(28, "bytes received", Answer, Kind::TimedOut),
    Row(28, "failed to connect", Tcp, Kind::TimedOut),
    Row(28, "connection timed out", Tcp, Kind::TimedOut),
    Row(28, "connection timeout", Tcp, Kind::TimedOut),
    Row(28, "connection time-out", Tcp, Kind::TimedOut),
    Row(28, "operation too slow", Answer, Kind::TimedOut),
    Row(28, "", Answer, Kind::TimedOut),
    // Windows' words for trust, whatever the number (curl/curl#6003, #6018): winerror.h.
    Row(35, "0x80092012", Tls, Kind::TlsRevocationUnknown),
    Row(35, "0x80092013", Tls, Kind::TlsRevocationUnknown),
    Row(35, "revocation_offline", Tls, Kind::TlsRevocationUnknown),
    Row(35, "no_revocation_check", Tls, Kind::TlsRevocationUnknown),
    Row(35, "revocation_status_unknown", Tls, Kind::TlsRevocationUnknown),
    Row(35, "offline_revocation", Tls, Kind::TlsRevocationUnknown),
    Row(35, "0x800b010f", Trust(WrongName), Kind::TlsUntrusted),
    Row(35, "0x80096004", Trust(Other), Kind::TlsUntrusted),
    Row(35, "0x80092010", Trust(Revoked), Kind::TlsUntrusted),
    Row(35, "0x800b010c", Trust(Revoked), Kind::TlsUntrusted),
    Row(35, "0x80090325", Trust(UnknownIssuer), Kind::TlsUntrusted),
    Row(35, "untrusted_root", Trust(UnknownIssuer), Kind::TlsUntrusted),
    Row(35, "partial_chain", Trust(UnknownIssuer), Kind::TlsUntrusted),
    Row(35, "0x800b0109", Trust(UnknownIssuer), Kind::TlsUntrusted),
    Row(35, "0x80090328", Trust(Expired), Kind::TlsUntrusted),
    Row(35, "cert_expired", Trust(Expired), Kind::TlsUntrusted),
    Row(35, "not_time_valid", Trust(Expired), Kind::TlsUntrusted),
    Row(35, "0x80090322", Trust(WrongName), Kind::TlsUntrusted),
    Row(35, "wrong_principal", Trust(WrongName), Kind::TlsUntrusted),
    Row(35, "0x80090327", Trust(Other), Kind::TlsUntrusted),
    Row(35, "cert_unknown", Trust(Other), Kind::TlsUntrusted),
    // OpenSSL and others that say trust under 35.
    Row(35, "certificate verify failed", Trust(UnknownIssuer), Kind::TlsUntrusted),
    Row(35, "certificate problem", Trust(UnknownIssuer), Kind::TlsUntrusted),
    Row(35, "self signed", Trust(UnknownIssuer), Kind::TlsUntrusted),
    Row(35, "self-signed", Trust(UnknownIssuer), Kind::TlsUntrusted),
    // No TLS there: OpenSSL 1 and 3, GnuTLS, schannel, LibreSSL and Secure Transport.
    Row(35, "wrong version number", Tls, Kind::TlsNotTls),
    Row(35, "packet length too long", Tls, Kind::TlsNotTls),
    Row(35, "unknown protocol", Tls, Kind::TlsNotTls),
    Row(35, "http request", Tls, Kind::TlsNotTls),
    Row(35, "record_too_small", Tls, Kind::TlsNotTls),
    Row(35, "maximum permissible length", Tls, Kind::TlsNotTls),
    Row(35, "unexpected tls packet", Tls, Kind::TlsNotTls),
    Row(35, "tls packet with unexpected length", Tls, Kind::TlsNotTls),
    Row(35, "0x80090308", Tls, Kind::TlsNotTls),
    Row(35, "invalid_token", Tls, Kind::TlsNotTls),
    // A client certificate: RFC 8446 section 6 (116, 42, 43), schannel.
    Row(35, "certificate required", Tls, Kind::TlsClientCertificateRequired),
    Row(35, "bad certificate", Tls, Kind::TlsClientCertificateRequired),
    Row(35, "incomplete_credentials", Tls, Kind::TlsClientCertificateRequired),
    Row(35, "0x80090320", Tls, Kind::TlsClientCertificateRequired),
    Row(35, "requires a client certificate", Tls, Kind::TlsClientCertificateRequired),
    Row(35, "client certificate not found", Tls, Kind::TlsClientCertificateRequired),
    Row(35, "0x8009030e", Tls, Kind::TlsClientCertificateRequired),
    Row(35, "no_credentials", Tls, Kind::TlsClientCertificateRequired),
    // Nothing in common: RFC 8446 section 6 (70, 71), schannel's SEC_E_ALGORITHM_MISMATCH,
    // SEC_E_UNSUPPORTED_FUNCTION.
    Row(35, "protocol version", Tls, Kind::TlsIncompatible),
    Row(35, "protocol_version", Tls, Kind::TlsIncompatible),
    Row(35, "unsupported protocol", Tls, Kind::TlsIncompatible),
    Row(35, "protocol is not supported", Tls, Kind::TlsIncompatible),
    Row(35, "unsupported protocol version", Tls, Kind::TlsIncompatible),
    Row(35, "no common encryption", Tls, Kind::TlsIncompatible),
    Row(35, "no ciphers", Tls, Kind::TlsIncompatible),
    Row(35, "insufficient security", Tls, Kind::TlsIncompatible),
    Row(35, "no protocols available", Tls, Kind::TlsIncompatible),
    Row(35, "no cipher", Tls, Kind::TlsIncompatible),
    Row(35, "0x80090331", Tls, Kind::TlsIncompatible),
    Row(35, "algorithm_mismatch", Tls, Kind::TlsIncompatible),
    Row(35, "0x80090302", Tls, Kind::TlsIncompatible),
    Row(35, "no application protocol", Tls, Kind::TlsNoApplicationProtocol),
    Row(35, "no_application_protocol", Tls, Kind::TlsNoApplicationProtocol),
    // Cut off: by whom the words do not say.
    Row(35, "reset", Tls, Kind::ConnectionReset),
    Row(35, "pull function", Tls, Kind::ConnectionReset),
    Row(35, "push function", Tls, Kind::ConnectionReset),
    Row(35, "errno 54", Tls, Kind::ConnectionReset),
    Row(35, "was aborted", Tls, Kind::ConnectionReset),
    Row(35, "errno 104", Tls, Kind::ConnectionReset),
    Row(35, "errno 10054", Tls, Kind::ConnectionReset),
    Row(35, "unexpected eof", Tls, Kind::Eof),
    Row(35, "eof while reading", Tls, Kind::Eof),
    Row(35, "ssl_error_syscall", Tls, Kind::Eof),
    Row(35, "non-properly terminated", Tls, Kind::Eof),
    Row(35, "handshake aborted", Tls, Kind::Eof),
    Row(35, "reason(0)", Tls, Kind::Eof),
    Row(35, "end of file", Tls, Kind::Eof),
    Row(35, "broken pipe", Tls, Kind::Eof),
    Row(35, "failed to receive handshake", Tls, Kind::Eof),
    Row(35, "unknown ssl protocol error", Tls, Kind::Eof),
    Row(35, "server closed", Tls, Kind::Eof),
    Row(35, "connection closed", Tls, Kind::Eof),
    Row(35, "0x80090326", Tls, Kind::TlsAlert),
    Row(35, "illegal_message", Tls, Kind::TlsAlert),
    Row(35, "timed out", Tls, Kind::TimedOut),
    Row(35, "alert", Tls, Kind::TlsAlert),
    Row(35, "unrecognized", Tls, Kind::TlsAlert),
    Row(35, "handshake fail", Tls, Kind::TlsAlert),
    Row(35, "", Tls, Kind::TlsProtocol),
    Row(43, "", Here(COMMAND), Kind::Other),
    Row(49, "", Here(COMMAND), Kind::Other),
    Row(51, "", Trust(WrongName), Kind::TlsUntrusted),
    // libcurl's http.c, cf-socket.c.
    Row(52, "", Answer, Kind::Eof),
    Row(55, "reset", Answer, Kind::ConnectionReset),
    Row(55, "broken pipe", Answer, Kind::ConnectionAborted),
    Row(55, "", Answer, Kind::ConnectionAborted),
    // libcurl's http_proxy.c, cf-h1-proxy.c: of the proxy.
    Row(56, "proxy after connect", TunnelStatus, Kind::Other),
    Row(56, "connect tunnel failed", TunnelStatus, Kind::Other),
    Row(56, "proxy connect aborted", Tunnel, Kind::Eof),
    Row(56, "connection to proxy closed", Tunnel, Kind::Eof),
    Row(56, "response from proxy", Tunnel, Kind::ProxyMalformed),
    Row(56, "errno 104", Answer, Kind::ConnectionReset),
    Row(56, "errno 54", Answer, Kind::ConnectionReset),
    Row(56, "errno 10054", Answer, Kind::ConnectionReset),
    Row(56, "errno 10053", Answer, Kind::ConnectionAborted),
    Row(56, "reset", Answer, Kind::ConnectionReset),
    Row(56, "aborted", Answer, Kind::ConnectionAborted),
    Row(56, "timed out", Answer, Kind::TimedOut),
    Row(56, "certificate required", Tls, Kind::TlsClientCertificateRequired),
    Row(56, "bad certificate", Tls, Kind::TlsClientCertificateRequired),
    Row(56, "alert", Tls, Kind::TlsAlert),
    Row(56, "eof", Answer, Kind::Eof),
    Row(56, "ssl_error_syscall", Answer, Kind::Eof),
    Row(56, "closed", Answer, Kind::Eof),
    Row(56, "non-properly terminated", Answer, Kind::Eof),
    Row(56, "", Answer, Kind::Other),
    Row(58, "", Here(FILE), Kind::Other),
    Row(59, "", Here(COMMAND), Kind::Other),
    // OpenSSL's X509_verify_cert_error_string; schannel_verify.c; sectransp.c; gtls.c.
    Row(60, "revocation", Tls, Kind::TlsRevocationUnknown),
    Row(60, "0x80092012", Tls, Kind::TlsRevocationUnknown),
    Row(60, "0x80092013", Tls, Kind::TlsRevocationUnknown),
    Row(60, "certificate crl", Tls, Kind::TlsRevocationUnknown),
    Row(60, "revoked", Trust(Revoked), Kind::TlsUntrusted),
    Row(60, "expired", Trust(Expired), Kind::TlsUntrusted),
    Row(60, "0x80090328", Trust(Expired), Kind::TlsUntrusted),
    Row(60, "not_time_valid", Trust(Expired), Kind::TlsUntrusted),
    Row(60, "not yet valid", Trust(NotYetValid), Kind::TlsUntrusted),
    Row(60, "not yet activated", Trust(NotYetValid), Kind::TlsUntrusted),
    Row(60, "subject name", Trust(WrongName), Kind::TlsUntrusted),
    Row(60, "does not match", Trust(WrongName), Kind::TlsUntrusted),
    Row(60, "name verification failed", Trust(WrongName), Kind::TlsUntrusted),
    Row(60, "0x800b010f", Trust(WrongName), Kind::TlsUntrusted),
    Row(60, "hostname mismatch", Trust(WrongName), Kind::TlsUntrusted),
    Row(60, "sni or certificate check failed", Trust(WrongName), Kind::TlsUntrusted),
    Row(60, "0x80090322", Trust(WrongName), Kind::TlsUntrusted),
    Row(60, "wrong_principal", Trust(WrongName), Kind::TlsUntrusted),
    Row(60, "too weak", Trust(Other), Kind::TlsUntrusted),
    Row(60, "purpose", Trust(Other), Kind::TlsUntrusted),
    Row(60, "wrong_usage", Trust(Other), Kind::TlsUntrusted),
    Row(60, "", Trust(UnknownIssuer), Kind::TlsUntrusted),
    // A file of roots that cannot be read, and schannel's untrusted root of old.
    Row(77, "0x80090325", Trust(UnknownIssuer), Kind::TlsUntrusted),
    Row(77, "untrusted_root", Trust(UnknownIssuer), Kind::TlsUntrusted),
    Row(77, "0x8009", Trust(Other), Kind::TlsUntrusted),
    Row(77, "", Here(FILE), Kind::Other),
    Row(80, "", Tls, Kind::TlsProtocol),
    Row(82, "", Here(FILE), Kind::Other),
    Row(83, "", Trust(Other), Kind::TlsUntrusted),
    Row(90, "", Trust(Other), Kind::TlsUntrusted),
    Row(91, "", Trust(Other), Kind::TlsUntrusted),
    // libcurl's http2.c, socks.c.
    Row(92, "", Answer, Kind::Http2Error),
    Row(95, "", Answer, Kind::Http2Error),
    Row(96, "", Answer, Kind::Http2Error),
    Row(97, "user was rejected", Tunnel, Kind::SocksAuthentication),
    Row(97, "auth", Tunnel, Kind::SocksAuthentication),
    Row(97, "", Tunnel, Kind::SocksRefused),
    Row(98, "", Tls, Kind::TlsClientCertificateRequired),
];

/// What an error of curl's is; `None` for a number that the table does not have.
pub(crate) fn what(code: u32, words: &str) -> Option<(At, Kind)> {
    let lower = words.to_lowercase();
    let row = TABLE.iter().find(|row| row.0 == code && lower.contains(row.1))?;
    Some((row.2, row.3))
}

/// A status in the words of an error: `CONNECT tunnel failed, response 407`,
/// `Received HTTP code 403 from proxy after CONNECT`, `Refused WebSockets upgrade: 400`.
pub(crate) fn status(words: &str) -> Option<u16> {
    let numbers = words.split(|c: char| !c.is_ascii_digit());
    let mut statuses = numbers.filter(|n| n.len() == 3).filter_map(|n| n.parse().ok());
    statuses.find(|status| (100..600).contains(status))
}

/// How long it took, in milliseconds, where the words say it: `after 21045 ms`,
/// `after 10002 milliseconds`.
pub(crate) fn took_ms(words: &str) -> Option<f64> {
    let mut all = words.split_whitespace().peekable();
    while let Some(word) = all.next() {
        let unit = all.peek().map_or("", |unit| unit.trim_end_matches([':', ',', '.']));
        if matches!(unit, "ms" | "milliseconds")
            && let Ok(ms) = word.parse::<u32>()
        {
            return Some(f64::from(ms));
        }
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_row_can_be_reached() {
        for row in TABLE {
            let found = what(row.0, &row.1.to_uppercase());
            assert_eq!(found, Some((row.2, row.3)), "({}) {}", row.0, row.1);
        }
        assert_eq!(what(999, "x"), None);
    }

    #[test]
    fn numbers_in_words() {
        assert_eq!(status("CONNECT tunnel failed, response 407"), Some(407));
        assert_eq!(status("Received HTTP code 403 from proxy after CONNECT"), Some(403));
        assert_eq!(status("Refused WebSockets upgrade: 400"), Some(400));
        assert_eq!(status("Empty reply"), None);
        assert_eq!(
            took_ms("Failed to connect to b port 443 after 21045 ms: Timed out"),
            Some(21045.0)
        );
        assert_eq!(took_ms("Connection timed out after 10002 milliseconds"), Some(10002.0));
        assert_eq!(took_ms("Empty reply"), None);
    }
}
