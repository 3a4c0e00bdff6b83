//! Names, TCP, and the proxy's consent: everything below TLS.

use super::{Answer, Check, Draft, Rule, claim};
use crate::evidence::pairing::addresses;
use crate::evidence::{Evidence, Reach, RouteView};
use crate::model::{Cause, Confidence, Location, NextStep, Severity, Status};
use crate::remedy;
use crate::suggest::{run_again, run_outside};
use std::collections::BTreeSet;
use std::net::IpAddr;
use wss_bundle::observation::{Peer, Verification};
use wss_bundle::{FailureKind, Observation, Step};

pub(super) const DNS_SPLIT: Rule = Rule {
    id: "dns-split",
    title: "Inside and outside resolve the name differently",
    looks_for: "different addresses for the target's name inside and outside, where the inside \
                address cannot be reached and the outside one can",
    why: "split-horizon DNS with a stale or unreachable internal answer sends only the people \
          inside to a dead address",
    remedy: "correct the internal DNS record",
    check: Check::Evidence(dns_split),
};

pub(super) const PROXY_UNREACHABLE: Rule = Rule {
    id: "proxy-unreachable",
    title: "The configured proxy cannot be reached",
    looks_for: "the proxy that this machine's settings choose, whose name does not resolve, whose \
                port does not accept a connection, or whose own certificate is not trusted here",
    why: "browsers follow the setting, so the console is broken here even when the direct way \
          works (Chromium: ERR_PROXY_CONNECTION_FAILED)",
    remedy: "correct the proxy setting, or start the proxy",
    check: Check::Evidence(proxy_unreachable),
};

pub(super) const PROXY_REQUIRED: Rule = Rule {
    id: "proxy-required",
    title: "The direct way is blocked and a known proxy works",
    looks_for: "a direct route that fails below HTTP, while a proxy known on this machine, but \
                not used for this target, carries the WebSocket",
    why: "no_proxy, a PAC rule or a policy exempts the target from the proxy that it needs",
    remedy: "let clients use the proxy for this host",
    check: Check::Evidence(proxy_required),
};

pub(super) const DNS_FAILURE: Rule = Rule {
    id: "dns-failure",
    title: "The name does not resolve here",
    looks_for: "a lookup of the target's name that fails on the deciding route",
    why: "nothing else can be tried without an address",
    remedy: "correct the name or the DNS record",
    check: Check::Evidence(dns_failure),
};

pub(super) const UNREACHABLE: Rule = Rule {
    id: "unreachable",
    title: "No TCP connection on any route",
    looks_for: "TCP refused, reset or silent on every route that was tried",
    why: "a refusal comes from a machine that answers without a listener, silence from a \
          firewall that drops; the page's \"connection failed / blocked\"",
    remedy: "open the port, or correct the address",
    check: Check::Evidence(unreachable),
};

pub(super) const PROXY_REFUSES_TUNNEL: Rule = Rule {
    id: "proxy-refuses-tunnel",
    title: "The proxy refuses the tunnel",
    looks_for: "CONNECT answered with an error other than 407, or not at all",
    why: "wss:// through a proxy needs CONNECT; proxies often allow it to port 443 alone",
    remedy: "allow CONNECT to this host and port",
    check: Check::Evidence(proxy_refuses_tunnel),
};

fn dns_split(e: &Evidence<'_>) -> Answer {
    let (Some(focus), Some(twin)) = (e.focus(), e.other_side()) else {
        return Answer::NotApplicable;
    };
    let (Some(inside), Some(outside)) = (focus.direct(), twin.direct()) else {
        return Answer::NotApplicable;
    };
    let (a, b) = (addresses(inside), addresses(outside));
    if a.is_empty() || b.is_empty() || !a.is_disjoint(&b) {
        return Answer::Pass;
    }
    let (Reach::Tcp(attempts, Peer::Target, failure), Reach::Reached) =
        (inside.reach(), outside.reach())
    else {
        return Answer::Pass;
    };
    // Where the proxy that is followed gets through, the name is the proxy's
    // to resolve, and this machine's answer breaks nothing.
    if focus.selected().is_some_and(|r| !r.route.id.is_direct()) {
        return Answer::Pass;
    }
    let Some(first) = attempts.first() else { return Answer::Pass };
    let list =
        |s: &BTreeSet<IpAddr>| s.iter().map(ToString::to_string).collect::<Vec<_>>().join(", ");
    let finding = Draft::new(
        Severity::Error,
        "The name leads inside to an address that does not answer",
        focus,
        first,
        format!("{failure}"),
    )
    .text(format!(
        "Inside, the name resolves to {}, which cannot be reached ({failure}); outside it resolves \
         to {}, which can.",
        list(&a),
        list(&b)
    ))
    .remedy(remedy::dns(e))
    .done();
    Answer::Fail(Box::new(claim(
        Cause::DnsSplit,
        Status::Broken,
        Location::ClientNetwork,
        Confidence::High,
        format!(
            "Inside, the name resolves to {}, which does not answer; outside to {}, which does.",
            list(&a),
            list(&b)
        ),
        finding,
    )))
}

fn proxy_unreachable(e: &Evidence<'_>) -> Answer {
    let Some((focus, route, path)) = e.deciding() else { return Answer::NotApplicable };
    if route.route.id.is_direct() {
        return Answer::NotApplicable;
    }
    let (observation, failure, what) = match route.reach() {
        Reach::Dns(o, Peer::Proxy, f) => (o, f.to_string(), "its name does not resolve"),
        Reach::Tcp(attempts, Peer::Proxy, f) => match attempts.first() {
            Some(o) => (*o, f.to_string(), "it accepts no connection"),
            None => return Answer::Pass,
        },
        Reach::TlsFailed(o, tls, f) if tls.peer == Peer::Proxy => {
            (o, f.to_string(), "the TLS handshake with it fails")
        }
        Reach::NotTried => return Answer::CannotTell(vec![run_again(e, NextStep::Again, "")]),
        _ => match untrusted(route) {
            Some((o, why)) => (o, why, "its own certificate is not trusted here"),
            None => return Answer::Pass,
        },
    };
    let source = route.route.sources.join(", ");
    let bypass = focus.other_working().any(|other| other.limits(path).is_empty());
    let further = focus.other_working().next();
    let finding = Draft::new(
        Severity::Error,
        "The proxy that this machine is set to use cannot be reached",
        focus,
        observation,
        failure.clone(),
    )
    .text(format!(
        "The settings here ({source}) send this target through {}, and {what} ({failure}).{}",
        route.route.id.noun(),
        match (bypass, further) {
            (true, Some(other)) => format!(
                " It works {}, and browsers do not go that way while the setting stands.",
                other.route.id.way()
            ),
            (false, Some(other)) => format!(
                " The upgrade gets through {}, but {}.",
                other.route.id.way(),
                other.limits(path).join(", and ")
            ),
            (_, None) => String::new(),
        }
    ))
    .remedy(remedy::proxy_setting(e, &source))
    .done();
    Answer::Fail(Box::new(claim(
        Cause::ProxyUnreachable,
        Status::Broken,
        Location::ClientNetwork,
        Confidence::High,
        format!("This machine is set to use the {} ({source}), and {what}.", route.route.id),
        finding,
    )))
}

/// An HTTPS proxy's certificate that this machine does not trust. The probes go
/// on, to see more; browsers and curl do not.
fn untrusted<'a>(route: &RouteView<'a>) -> Option<(&'a Observation, String)> {
    route.observations.iter().find_map(|o| match &o.step {
        Step::Tls(tls) if tls.peer == Peer::Proxy => match &tls.verification {
            Some(Verification::Untrusted { detail, .. }) => Some((*o, detail.clone())),
            _ => None,
        },
        _ => None,
    })
}

/// Below HTTP, on the way to the target itself.
fn direct_failure<'a>(route: &RouteView<'a>) -> Option<(&'a Observation, String)> {
    match route.reach() {
        Reach::Dns(o, Peer::Target, f) => Some((o, f.to_string())),
        Reach::Tcp(attempts, Peer::Target, f) => attempts.first().map(|o| (*o, f.to_string())),
        Reach::TlsFailed(o, _, f)
            if matches!(
                f.kind,
                FailureKind::ConnectionReset | FailureKind::Eof | FailureKind::TimedOut
            ) =>
        {
            Some((o, f.to_string()))
        }
        _ => None,
    }
}

fn proxy_required(e: &Evidence<'_>) -> Answer {
    let Some((focus, route, path)) = e.deciding() else { return Answer::NotApplicable };
    if !route.route.id.is_direct() || focus.routes.len() < 2 {
        return Answer::NotApplicable;
    }
    let Some((observation, failure)) = direct_failure(route) else { return Answer::Pass };
    // The way that lacks least.
    let Some(other) = focus.other_working().min_by_key(|other| other.limits(path).len()) else {
        return Answer::Pass;
    };
    let limits = other.limits(path);
    let proof = other.upgrade_reply(path).map(|r| focus.cite(r.observation, r.line()));
    let followed = super::proxies::browsers_work(focus, path);
    let finding = Draft::new(
        Severity::Error,
        "This network lets the target through by proxy only, and the proxy is not used for it",
        focus,
        observation,
        failure.clone(),
    )
    .text(format!(
        "Direct connections fail ({failure}); through the {} (known from {}) {}. The direct way is \
         taken here because {}.{}",
        other.route.id,
        other.route.sources.join(", "),
        if limits.is_empty() {
            "the WebSocket works".to_owned()
        } else {
            format!("the upgrade gets through, but {}", limits.join(", and "))
        },
        match route.route.sources.as_slice() {
            [] => "a setting exempts this target from that proxy".to_owned(),
            sources => sources.join(", "),
        },
        if followed { " Browsers here do use the proxy; other programs do not." } else { "" }
    ))
    .also(proof)
    .remedy(remedy::use_the_proxy(e, other))
    .done();
    Answer::Fail(Box::new(claim(
        Cause::ProxyRequired,
        Status::Broken,
        Location::ClientNetwork,
        if followed || !limits.is_empty() { Confidence::Medium } else { Confidence::High },
        if limits.is_empty() {
            format!(
                "Direct connections to the target are blocked here, and the {} that works is not \
                 used for it.",
                other.route.id
            )
        } else {
            format!(
                "Direct connections to the target are blocked here, and the {}, by which the upgrade \
                 gets through, is not used for it. When it is: {}.",
                other.route.id,
                limits.join(", and ")
            )
        },
        finding,
    )))
}

fn dns_failure(e: &Evidence<'_>) -> Answer {
    let Some((focus, route, _)) = e.deciding() else { return Answer::NotApplicable };
    let Reach::Dns(observation, Peer::Target, failure) = route.reach() else {
        return match route.reach() {
            Reach::NotTried => Answer::CannotTell(vec![run_again(e, NextStep::Again, "")]),
            _ => Answer::Pass,
        };
    };
    let outside = e.twin().and_then(|t| t.direct()).map(RouteView::reach);
    let (location, confidence, also) = match outside {
        Some(Reach::Dns(..)) => {
            (Location::Target, Confidence::High, " Nor does it resolve from outside.")
        }
        Some(Reach::NotTried) | None => (Location::Undetermined, Confidence::Medium, ""),
        Some(_) => (Location::ClientNetwork, Confidence::High, " From outside it resolves."),
    };
    let name = &focus.bundle.manifest.target.host;
    let finding = Draft::new(
        Severity::Error,
        "The name does not resolve here",
        focus,
        observation,
        failure.to_string(),
    )
    .text(format!("Looking up {name} fails: {failure}.{also}"))
    .remedy(remedy::dns(e))
    .done();
    let mut claim = claim(
        Cause::DnsFailure,
        Status::Broken,
        location,
        confidence,
        format!("The name {name} does not resolve on this machine.{also}"),
        finding,
    );
    if location == Location::Undetermined {
        claim.missing.push(run_outside(e));
    }
    Answer::Fail(Box::new(claim))
}

/// Whether a proxy's error page says that it could not reach the target.
fn proxy_cannot_reach_target(body: &str) -> bool {
    ["ERR_CONNECT_FAIL", "ERR_DNS_FAIL", "ERR_CANNOT_FORWARD", "Unable to connect"]
        .iter()
        .any(|marker| body.contains(marker))
}

/// What a TCP connection that came to nothing tells of the way.
fn what_it_means(kind: FailureKind) -> &'static str {
    match kind {
        FailureKind::TimedOut => "Silence usually means that a firewall drops the packets.",
        FailureKind::ConnectionRefused => {
            "Something answered the attempt with a refusal: nothing listens on that port, or a \
             firewall rejects it."
        }
        FailureKind::ConnectionReset | FailureKind::ConnectionAborted => {
            "Something on the way broke the attempt off, as firewalls do."
        }
        FailureKind::NetworkUnreachable => {
            "Nothing was sent: this machine knows no way to that address (no default route, or no \
             address of that family)."
        }
        FailureKind::HostUnreachable => {
            "No refusal came from the target: a router on the way, or this machine, says that there \
             is no way to it."
        }
        FailureKind::PermissionDenied => {
            "Nothing was sent: this machine itself does not let the program connect."
        }
        _ => "What stopped it is not said.",
    }
}

fn unreachable(e: &Evidence<'_>) -> Answer {
    let Some((focus, route, path)) = e.deciding() else { return Answer::NotApplicable };
    let direct = focus.direct().map(RouteView::reach);
    let (observation, failure, via) = match (route.reach(), direct) {
        (Reach::Tcp(attempts, Peer::Target, f), _) => match attempts.first() {
            Some(o) => (*o, f.clone(), String::new()),
            None => return Answer::Pass,
        },
        // The proxy itself says that the target does not answer, and directly
        // it does not answer either: the proxy is the messenger.
        (Reach::TunnelStatus(o, tunnel, status), Some(Reach::Tcp(_, Peer::Target, f)))
            if tunnel
                .result
                .ok()
                .is_some_and(|r| proxy_cannot_reach_target(&r.body.bytes.text())) =>
        {
            (
                o,
                f.clone(),
                format!(
                    " The proxy says the same (status {status}: its page says that it could not connect)."
                ),
            )
        }
        // The same through an interceptor, which opens the tunnel first.
        (Reach::Reached, Some(Reach::Tcp(_, Peer::Target, f))) if !route.route.id.is_direct() => {
            let reply = route.upgrade_reply(path);
            let reply = reply.filter(|r| proxy_cannot_reach_target(&r.reply.body.bytes.text()));
            match reply {
                Some(r) => {
                    (r.observation, f.clone(), format!(" The proxy says the same: {}.", r.line()))
                }
                None => return Answer::Pass,
            }
        }
        _ => return Answer::Pass,
    };
    let others_reach = focus
        .routes
        .iter()
        .any(|r| r.route.id != route.route.id && matches!(r.reach(), Reach::Reached));
    if others_reach {
        return Answer::Pass;
    }
    // Reachable outside means something only for the same address.
    let same_address = focus
        .direct()
        .zip(e.twin().and_then(|t| t.direct()))
        .is_some_and(|(a, b)| !addresses(a).is_disjoint(&addresses(b)));
    let outside = e.twin().and_then(|t| t.selected()).map(RouteView::reach);
    let (location, confidence, also) = match outside {
        Some(Reach::Reached) => (
            Location::ClientNetwork,
            if same_address { Confidence::High } else { Confidence::Medium },
            " From outside it can be reached.",
        ),
        Some(Reach::Tcp(..)) => {
            (Location::ServerSide, Confidence::High, " From outside it cannot be reached either.")
        }
        _ => (Location::Undetermined, Confidence::Medium, ""),
    };
    let target = focus.bundle.manifest.target.host_port();
    let finding = Draft::new(
        Severity::Error,
        "No TCP connection to the target",
        focus,
        observation,
        failure.to_string(),
    )
    .text(format!("{target}: {failure}. {}{via}{also}", what_it_means(failure.kind)))
    .remedy(remedy::open_the_port(e))
    .done();
    let mut claim = claim(
        Cause::Unreachable,
        Status::Broken,
        location,
        confidence,
        format!("No TCP connection to {target} from here ({failure}).{also}"),
        finding,
    );
    if location == Location::Undetermined {
        claim.missing.push(run_outside(e));
    }
    Answer::Fail(Box::new(claim))
}

fn proxy_refuses_tunnel(e: &Evidence<'_>) -> Answer {
    let Some((focus, route, _)) = e.deciding() else { return Answer::NotApplicable };
    if route.route.id.is_direct() {
        return Answer::NotApplicable;
    }
    let (observation, excerpt, reachable, sure) = match route.reach() {
        Reach::TunnelStatus(o, tunnel, status) if status != 407 => {
            let reply = tunnel.result.ok();
            let line = reply
                .and_then(|r| r.head.as_ref())
                .map(wss_bundle::ResponseHead::status_line)
                .unwrap_or_default();
            let upstream = reply.is_some_and(|r| proxy_cannot_reach_target(&r.body.bytes.text()));
            (o, line, !upstream, Confidence::High)
        }
        Reach::TunnelFailed(o, f) if f.kind != FailureKind::SocksAuthentication => {
            (o, f.to_string(), true, Confidence::Medium)
        }
        _ => return Answer::Pass,
    };
    let to = focus.bundle.manifest.target.host_port();
    let text = if reachable {
        format!("The {} does not open a tunnel to {to}: {excerpt}.", route.route.id)
    } else {
        format!(
            "The {} does not open a tunnel to {to}: {excerpt}. Its page says that it could not \
             connect to the target, so look at what it may reach and resolve.",
            route.route.id
        )
    };
    let finding = Draft::new(
        Severity::Error,
        "The proxy refuses the tunnel",
        focus,
        observation,
        excerpt.clone(),
    )
    .text(text.clone())
    .remedy(remedy::network_team(e, "Let the proxy open CONNECT tunnels to this host and port"))
    .done();
    let mut claim = claim(
        Cause::ProxyRefusesTunnel,
        Status::Broken,
        Location::ClientNetwork,
        if reachable { sure } else { Confidence::Medium },
        text,
        finding,
    );
    if !reachable {
        claim.rivals.push((
            Cause::Unreachable,
            Confidence::Low,
            "the proxy could not reach the target; the direct attempt does not confirm it".into(),
        ));
        claim.missing.push(run_outside(e));
    }
    Answer::Fail(Box::new(claim))
}
