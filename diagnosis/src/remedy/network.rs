//! The way to the target: names, addresses, proxies.

use super::{network_team, remedy, target};
use crate::evidence::{Evidence, RouteView};
use crate::model::Remedy;

pub(crate) fn dns(e: &Evidence<'_>) -> Remedy {
    let (host, ..) = target(e);
    remedy(
        e,
        "Correct the DNS record",
        &[
            format!("Check that {host} is spelled as in the browser's address bar."),
            format!(
                "Ask whoever runs DNS inside for the record of {host}; compare: nslookup {host}"
            ),
        ],
    )
}

pub(crate) fn proxy_setting(e: &Evidence<'_>, source: &str) -> Remedy {
    remedy(
        e,
        "Correct the proxy setting",
        &[
            format!("The setting comes from: {source}. Check host and port with the network team."),
            "If the proxy is right, it is down or blocked from here: hand them the time and the \
             failure above."
                .into(),
        ],
    )
}

pub(crate) fn use_the_proxy(e: &Evidence<'_>, route: &RouteView<'_>) -> Remedy {
    let (host, ..) = target(e);
    remedy(
        e,
        "Let clients use the proxy for this host",
        &[
            format!(
                "Remove {host} (and suffixes that match it) from no_proxy, the PAC file's \
                     DIRECT rules, or the policy's bypass list."
            ),
            format!("Browsers then follow the {}.", route.route.id),
        ],
    )
}

pub(crate) fn open_the_port(e: &Evidence<'_>) -> Remedy {
    let (host, port, _) = target(e);
    let mut r = network_team(e, "Open the way to the target");
    r.steps = vec![
        format!(
            "Check that {host}:{port} is the address the browser uses; Bindplane itself \
                 listens on 3001, a load balancer usually on 443."
        ),
        "If it is, hand this request to the team that runs the firewall.".into(),
    ];
    r
}

/// A web application firewall before the server.
pub(crate) fn firewall(
    e: &Evidence<'_>,
    who: &str,
    look: Option<&str>,
    ids: &[String],
    upgrades_alone: bool,
) -> Remedy {
    let (host, _, paths) = target(e);
    let mut steps = vec![format!(
        "Ask whoever runs {who}, the firewall before the server, for an exception for {host} and {}{}.",
        paths.join(", "),
        if ids.is_empty() {
            String::new()
        } else {
            format!("; its log has the request under {}", ids.join(", "))
        }
    )];
    if upgrades_alone {
        steps.push(
            "It has to know these paths as WebSocket: a WebSocket profile or policy, or a rule that \
             lets `Upgrade: websocket` pass."
                .into(),
        );
    }
    steps.extend(look.filter(|look| !look.is_empty()).map(|look| format!("There: {look}.")));
    remedy(e, "Let the firewall before the server pass the WebSocket", &steps)
}

/// A firewall's page of which the side is not told; whether somebody opens TLS here.
pub(crate) fn either_firewall(e: &Evidence<'_>, who: &str, opened: bool, ids: &[String]) -> Remedy {
    let (host, _, paths) = target(e);
    let under = match ids {
        [] => String::new(),
        ids => format!(" under {}", ids.join(", ")),
    };
    let last = match opened {
        true => format!("If neither has it: exempt {host} from TLS inspection, and run it again."),
        false => {
            "If neither has it: run it again by https, which nobody on the way can answer.".into()
        }
    };
    let steps = [
        format!(
            "Ask both for the request in their log{under}: whoever runs the firewall before the server \
             ({who}), and the network team here."
        ),
        format!(
            "Who has it makes the exception for {host} and {}. If it is the firewall before the server: \
             for the addresses that requests from here come from, too.",
            paths.join(", ")
        ),
        last,
    ];
    remedy(e, "Find out which firewall wrote the page", &steps)
}
