//! TLS: handshakes, inspection, certificates.

use super::{bypass, network_team, remedy, target};
use crate::evidence::Evidence;
use crate::model::Remedy;
use wss_bundle::FailureKind;
use wss_bundle::observation::Distrust;
use wss_bundle::transcript::quote;

pub(crate) fn tls_handshake(e: &Evidence<'_>, kind: FailureKind, here: bool) -> Remedy {
    let (host, port, _) = target(e);
    let (to, name) = (quote(&format!("{host}:{port}")), quote(&host));
    let steps = match kind {
        FailureKind::TlsNotTls => vec![
            format!(
                "Find out whether the port is a plain-text one: where `curl -i http://{host}:{port}/` \
                 gets an ordinary page, use the http:// address, or configure TLS on it."
            ),
            proxy_header_sent(),
        ],
        FailureKind::TlsClientCertificateRequired => vec![
            "Give the client certificate: wss-collector --cert CLIENT.pem --key CLIENT.key …"
                .into(),
        ],
        FailureKind::TlsRevocationUnknown => vec![
            "Let that machine reach the addresses of the certificate's revocation lists (CRL) and of \
             its OCSP responder, on port 80: they stand in the certificate, and `certutil -verify \
             -urlfetch FILE.cer` tries them. An interceptor's certificate often names none that can \
             be reached."
                .into(),
            "To see whether that is all, run the test there once more with --ssl-no-revoke: \
             curl.exe --ssl-no-revoke … Browsers go on without this check; programs that use \
             Windows' TLS as curl.exe does, do not."
                .into(),
        ],
        FailureKind::ConnectionReset | FailureKind::Eof if here => vec![format!(
            "Ask the network team whether a firewall filters TLS to {host} by server name."
        )],
        FailureKind::ConnectionReset | FailureKind::Eof => vec![
            format!(
                "Try it with the header of the PROXY protocol, from a machine that may reach the port: \
                 curl -kvI --haproxy-protocol https://{host}:{port}/ . Where that gets further, the port \
                 expects it (nginx `listen … proxy_protocol`, HAProxy `accept-proxy`), and the TCP load \
                 balancer before it does not send it: HAProxy `send-proxy` on the server line, nginx \
                 `proxy_protocol on`, AWS NLB proxy_protocol_v2.enabled, or take it away from the \
                 listener."
            ),
            format!(
                "Try another name: openssl s_client -connect {to} -servername example.com </dev/null . \
                 Where that gets an answer and {host} does not, the name decides: a firewall's filter, \
                 or a load balancer without a certificate or backend for it."
            ),
            "Look in the log of whoever listens there at the time of the test (nginx: `broken header \
             while reading PROXY protocol`)."
                .into(),
        ],
        FailureKind::TimedOut => vec![format!(
            "Ask the network team whether a firewall filters TLS to {host} by server name, and whoever \
             runs the server whether the port answers there."
        )],
        FailureKind::TlsIncompatible => vec![
            "The two sides have no TLS version or cipher in common: Bindplane may be set to TLS \
             1.3 alone (BINDPLANE_TLS_MIN_VERSION)."
                .into(),
        ],
        _ => vec![
            "The words of the TLS library under what shows it say what it stumbled at; an alert \
             `handshake failure` mostly means that the two sides have no TLS version or cipher in \
             common: Bindplane may be set to TLS 1.3 alone (BINDPLANE_TLS_MIN_VERSION)."
                .into(),
            "Where the same handshake works from elsewhere, something on this way speaks TLS in the \
             server's place, and it is its settings that count."
                .into(),
        ],
    };
    let mut r = remedy(e, "Let the TLS handshake through", &steps);
    r.verify = format!("openssl s_client -connect {to} -servername {name} </dev/null");
    r
}

fn proxy_header_sent() -> String {
    "Or the hop before it sends the header of the PROXY protocol to a port that does not expect it, and \
     that port takes it for the client's first bytes: look for send-proxy or send-proxy-v2 (HAProxy), \
     `proxy_protocol on` (nginx stream), proxy_protocol_v2.enabled (AWS NLB); take it away, or let the \
     port expect it (nginx `listen … ssl proxy_protocol`, HAProxy `accept-proxy`)."
        .into()
}

/// A load balancer speaks plain HTTP to a backend that wants TLS.
pub(crate) fn tls_to_the_backend(e: &Evidence<'_>) -> Remedy {
    remedy(
        e,
        "Speak TLS to the backend, or give it a plain-text port",
        &[
            "At the load balancer: https to the backend (nginx `proxy_pass https://…`, HAProxy `ssl \
             verify …` on the server line, ingress-nginx backend-protocol: HTTPS, AWS target group \
             protocol HTTPS)."
                .into(),
            "Or let the backend speak plain HTTP there.".into(),
        ],
    )
}

pub(crate) fn interception(e: &Evidence<'_>, who: &str) -> Remedy {
    let mut r = network_team(e, "Exempt the host from TLS inspection");
    r.steps = vec![format!(
        "Best: have {who} bypass inspection for this host; hand over the request below."
    )];
    let (host, ..) = target(e);
    bypass::add(&mut r, e, &host);
    r.steps.push(
        "Otherwise: install the inspection's root certificate on this machine (the browser may \
         have it already, this program takes it with --cacert), and make sure that the inspection \
         forwards WebSocket upgrades."
            .into(),
    );
    r
}

/// The certificate is trusted elsewhere: it is another one here, or a root is missing.
pub(crate) fn certificate_here(e: &Evidence<'_>) -> Remedy {
    let (host, port, _) = target(e);
    let mut r = remedy(
        e,
        "See whose certificate arrives there, and let it be trusted or bypassed",
        &[
            format!(
                "Run there: curl -v https://{host}:{port}/ and look at the line `issuer:`. A company's \
                 or a security product's name is an interceptor's."
            ),
            "An interceptor: have it bypass inspection for this host, or install its root on the \
             machine (the browser may have it already; curl takes it with --cacert)."
                .into(),
            "The server's own authority: install its root there, or send the full chain from the \
             server."
                .into(),
        ],
    );
    r.verify = format!("curl -v https://{}:{port}/", quote(&host));
    r
}

pub(crate) fn certificate(e: &Evidence<'_>, reason: Distrust) -> Remedy {
    let step = match reason {
        Distrust::Expired => "Renew the certificate on the load balancer or server.",
        Distrust::WrongName => {
            "Issue a certificate whose subjectAltName has the name that is used, or use the name \
             that it has."
        }
        Distrust::NotYetValid => "Check this machine's clock, then the certificate's dates.",
        _ => {
            "Install a certificate of a known authority with its full chain; or install the \
             private authority's root on the clients (test with --cacert ROOT.pem)."
        }
    };
    remedy(e, "Repair the certificate", &[step.into()])
}
