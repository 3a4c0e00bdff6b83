//! TLS: handshakes, inspection, certificates.

use super::{bypass, network_team, remedy, target};
use crate::evidence::Evidence;
use crate::model::Remedy;
use wss_bundle::FailureKind;
use wss_bundle::observation::Distrust;
use wss_bundle::transcript::quote;

pub(crate) fn tls_handshake(e: &Evidence<'_>, kind: FailureKind) -> Remedy {
    let (host, port, _) = target(e);
    let steps = match kind {
        FailureKind::TlsNotTls => vec![format!(
            "Port {port} speaks plain text. If that is meant, use http://{host}:{port}; \
                     otherwise use the TLS port, or configure TLS on it."
        )],
        FailureKind::TlsClientCertificateRequired => vec![
            "Give the client certificate: wss-collector --cert CLIENT.pem --key CLIENT.key …"
                .into(),
        ],
        FailureKind::ConnectionReset | FailureKind::Eof | FailureKind::TimedOut => vec![format!(
            "Ask the network team whether a firewall filters TLS to {host} by server name."
        )],
        _ => vec![
            "The two sides have no TLS version or cipher in common: Bindplane may be set to TLS \
             1.3 alone (BINDPLANE_TLS_MIN_VERSION)."
                .into(),
        ],
    };
    let mut r = remedy(e, "Let the TLS handshake through", &steps);
    let (to, name) = (quote(&format!("{host}:{port}")), quote(&host));
    r.verify = format!("openssl s_client -connect {to} -servername {name} </dev/null");
    r
}

pub(crate) fn interception(e: &Evidence<'_>, who: &str) -> Remedy {
    let mut r = network_team(e, "Exempt the host from TLS inspection");
    r.steps = vec![format!(
        "Best: have {who} bypass inspection for this host; hand over the request below."
    )];
    let (host, ..) = target(e);
    r.steps.extend(bypass::steps(e, &host));
    r.steps.push(
        "Otherwise: install the inspection's root certificate on this machine (the browser may \
         have it already, this program takes it with --cacert), and make sure that the inspection \
         forwards WebSocket upgrades."
            .into(),
    );
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
