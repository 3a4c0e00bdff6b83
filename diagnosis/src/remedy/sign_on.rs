//! What to do where the proxy wants to know who asks.

use super::network_team;
use crate::evidence::Evidence;
use crate::model::Remedy;
use wss_bundle::observation::SignOn;

/// `skewed` where the proxy's clock shows that this machine's is off.
pub(crate) fn proxy_credentials(
    e: &Evidence<'_>,
    schemes: &[String],
    sign_on: Option<SignOn>,
    skewed: bool,
) -> Remedy {
    let is = |s: &String, name: &str| s.eq_ignore_ascii_case(name);
    let integrated =
        !schemes.is_empty() && schemes.iter().all(|s| is(s, "negotiate") || is(s, "ntlm"));
    let mut steps: Vec<String> = Vec::new();
    if let Some(known) = sign_on {
        steps.extend(ticket(known, skewed).iter().map(|step| (*step).to_owned()));
    }
    let answers = "The proxy takes integrated Windows authentication only (Negotiate, NTLM): a browser \
                   answers that by itself. Try it from a browser here (--browser), or ask for an \
                   exemption of this host.";
    if integrated {
        steps.push(answers.to_owned());
    } else {
        steps.push(
            "Give the credentials: wss-collector --proxy http://USER:PASSWORD@PROXY:PORT … (they are \
             never stored)."
                .to_owned(),
        );
    }
    steps.push(
        "Or have this host exempted from authentication: hand over the request below.".into(),
    );
    let title = match sign_on {
        Some(_) => "Get a ticket that the proxy takes, or exempt the host",
        None => "Give the proxy credentials, or exempt the host",
    };
    let mut r = network_team(e, title);
    r.steps = steps;
    r
}

/// The next step for each reason.
fn ticket(why: SignOn, skewed: bool) -> &'static [&'static str] {
    const CLOCK: &str = "Set this machine's clock by the network's time: `timedatectl set-ntp true` on \
                         Linux, `w32tm /resync` on Windows, `sudo sntp -sS TIMESERVER` on macOS. Then run \
                         it again.";
    match why {
        SignOn::Sent if skewed => &[CLOCK],
        SignOn::Sent => &[
            "See whose ticket it is: `klist`. One of another realm than the proxy's is refused: `kdestroy`, \
             then `kinit USER@REALM` with the realm of the proxy.",
            "Ask whoever runs the proxy for its log of this moment (Squid: negotiate_kerberos_auth -d, in \
             cache.log): a key that was changed in the realm and not in the proxy's keytab is refused as \
             well.",
        ],
        SignOn::NoTicket => &[
            "Get a ticket: `kinit USER@REALM`; on a machine of the domain, sign on to the domain (lock and \
             unlock the screen while it is in reach). `klist` shows it. Then run it again, as the same \
             user: not by sudo.",
        ],
        SignOn::TicketExpired => &[
            "Get a new ticket: `kinit` (or `kinit -R`, where it is renewable); on Windows lock and unlock \
             the screen. Then run it again.",
        ],
        SignOn::ServerUnknown => &[
            "Set the proxy by the name that the realm knows it by (its own DNS name, no alias): `kvno \
             HTTP/PROXYNAME` shows whether there is one.",
            "See whose ticket it is: `klist`. Where the proxy is of another realm, `kinit USER@THATREALM`, \
             or map its domain to the realm in krb5.conf ([domain_realm]).",
            "If neither helps, whoever runs the realm registers the name: `setspn -S HTTP/PROXYNAME ACCOUNT` \
             in Active Directory.",
        ],
        SignOn::NamedByAddress => &[
            "Set the proxy by its name, not its address: -x http://PROXYNAME:PORT, and the same in the \
             settings that browsers follow.",
        ],
        SignOn::KdcUnreachable | SignOn::TimedOut => &[
            "Connect to the network in which the realm is in reach (VPN, office), and see with `kinit` that it \
             answers. Then run it again; a larger --timeout waits longer.",
        ],
        SignOn::ClockSkew => &[CLOCK],
        SignOn::NoCurl | SignOn::CurlWithoutKerberos => &[
            "Install a curl with Kerberos: `curl -V` has to list SPNEGO with GSS-API (Linux, macOS) or SSPI \
             (Windows has one, C:\\Windows\\System32\\curl.exe). Then run it again.",
        ],
        SignOn::OnlyNtlm => &[
            "Have the proxy registered in the domain under the name that is set here (`setspn -Q \
             HTTP/PROXYNAME`), and set it by that name: then Windows makes a Kerberos ticket for it.",
        ],
        SignOn::Other => &["See what Kerberos says here: `klist`, then `kvno HTTP/PROXYNAME`."],
    }
}
