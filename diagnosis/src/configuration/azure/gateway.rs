//! Which backend settings an Application Gateway takes for a request: listener by port
//! and host, rule by priority, then the path map in the order that it is written in.

use super::action::{self, DEFAULT, PLAIN, Way};
use super::check::{Check, fits, named, object};
use crate::configuration::Kind;
use crate::configuration::kubernetes::path::{self, HostFit};
use crate::configuration::part::Part;

/// A listener that takes the request, and its rule.
#[derive(Debug, Clone, Copy)]
struct Taken<'n> {
    gateway: Part<'n>,
    listener: Part<'n>,
    rule: Part<'n>,
    fit: HostFit,
    /// Priority, and the place in the list.
    order: (u64, usize),
}

/// What a list of a gateway holds under a name.
pub(super) fn find<'n>(gateway: Part<'n>, list: &str, name: &str) -> Option<Part<'n>> {
    if name.is_empty() {
        return None;
    }
    gateway.items(list).find(|own| own.text("name").eq_ignore_ascii_case(name))
}

/// Each gateway once: `show` and `list` may both have printed it, at different times.
fn once<'n>(check: &mut Check<'_>, all: &[Part<'n>]) -> Vec<Part<'n>> {
    let mut out: Vec<Part<'n>> = Vec::new();
    for one in all {
        let same = |other: &&Part<'n>| {
            ["name", "resourceGroup"]
                .iter()
                .all(|key| other.text(key).eq_ignore_ascii_case(one.text(key)))
        };
        match out.iter().find(same) {
            None => out.push(*one),
            Some(_) => {
                let why = "this gateway was given twice, and not alike: the first of the two is read. Give the \
                           newer one alone";
                check.untold(one.get("name").unwrap_or(*one), why);
            }
        }
    }
    out
}

/// Reads the gateways that were given.
pub(super) fn read(check: &mut Check<'_>, all: &[Part<'_>]) {
    let all = once(check, all);
    let Some(first) = all.first() else { return };
    let first = first.get("name").unwrap_or(*first);
    let port = check.request.port;
    let taken: Vec<Taken<'_>> = all.iter().flat_map(|gateway| takers(check, *gateway)).collect();
    if taken.is_empty() {
        let bytes = all.iter().any(|gateway| {
            gateway.items("listeners").any(|listener| on_port(check, *gateway, listener))
        });
        let why = if bytes {
            format!(
                "a listener of port {port} passes bytes on (TCP or TLS): its settings are not read"
            )
        } else {
            format!(
                "no listener of port {port} takes {}: where something stands before it, this is not \
                 what was asked",
                check.request.host
            )
        };
        return check.untold(first, why);
    }
    let gateways = taken.iter().map(|one| one.gateway.place()).collect::<Vec<_>>();
    if gateways.windows(2).any(|two| two.first() != two.get(1)) {
        let why = "several gateways could take this: give the one that the name leads to";
        return check.untold(first, why);
    }
    let Some(best) = taken.iter().min_by_key(|one| one.order) else { return };
    if taken.iter().any(|one| one.fit > best.fit) {
        let why = "this rule comes first by its priority, and another listener names the host more \
                   exactly: which of them takes the request is not told";
        return check.untold(best.rule.get("priority").unwrap_or(best.rule), why);
    }
    ruled(check, best);
}

/// The listeners of a gateway that take the request.
fn takers<'n>(check: &Check<'_>, gateway: Part<'n>) -> Vec<Taken<'n>> {
    let mut out = Vec::new();
    for (number, rule) in gateway.items("requestRoutingRules").enumerate() {
        let listener = find(gateway, "httpListeners", named(rule, "httpListener"));
        let Some(listener) = listener.filter(|own| on_port(check, gateway, *own)) else { continue };
        let Some(fit) = host_fit(listener, check.request.host) else { continue };
        let priority = rule.get("priority").and_then(|own| own.node.text().parse().ok());
        let order = (priority.unwrap_or(u64::MAX), number);
        out.push(Taken { gateway, listener, rule, fit, order });
    }
    out
}

fn on_port(check: &Check<'_>, gateway: Part<'_>, listener: Part<'_>) -> bool {
    let port = find(gateway, "frontendPorts", named(listener, "frontendPort"));
    let number = port.and_then(|own| own.get("port")?.node.number());
    number == Some(f64::from(check.request.port))
}

/// How well a listener's names fit; one without names takes every host.
fn host_fit(listener: Part<'_>, host: &str) -> Option<HostFit> {
    let one = Some(listener.text("hostName")).filter(|name| !name.is_empty());
    let several = listener.items("hostNames").map(|own| own.node.text());
    let names: Vec<&str> = one.into_iter().chain(several).collect();
    if names.is_empty() {
        return Some(HostFit::Any);
    }
    names.into_iter().filter_map(|name| path::host(name, host)).max()
}

fn ruled(check: &mut Check<'_>, taken: &Taken<'_>) {
    let &Taken { gateway, listener, rule, .. } = taken;
    check.device("azure-appgw");
    check.follow(listener.get("name").unwrap_or(listener));
    check.follow(rule.get("name").unwrap_or(rule));
    firewall(check, taken);
    let map_name = named(rule, "urlPathMap");
    if map_name.is_empty() {
        let way = Way { gateway, listener, of: rule, keys: &PLAIN, pattern: None };
        return action::read(check, way);
    }
    let Some(map) = find(gateway, "urlPathMaps", map_name) else {
        let why = format!("the path map {map_name} is not in what was given");
        return check.untold(rule.get("urlPathMap").unwrap_or(rule), why);
    };
    let asked = check.path();
    let mut all =
        map.items("pathRules").flat_map(|rule| rule.items("paths").map(move |own| (own, rule)));
    match all.find(|(own, _)| fits(own.node.text(), asked)) {
        Some((own, of)) => {
            check.follow(own);
            policy(check, of);
            let pattern = Some(own.node.text());
            action::read(check, Way { gateway, listener, of, keys: &PLAIN, pattern });
        }
        None => {
            check.follow(map.get("name").unwrap_or(map));
            action::read(check, Way { gateway, listener, of: map, keys: &DEFAULT, pattern: None });
        }
    }
}

/// What may refuse the request, and is not told by these files.
const ASKED: &str = "is asked before every request, upgrades included: it may answer 403";

/// The web application firewall, by a policy or as the gateway's own.
fn firewall(check: &mut Check<'_>, taken: &Taken<'_>) {
    policy(check, taken.listener);
    policy(check, taken.gateway);
    let own = object(taken.gateway, "webApplicationFirewallConfiguration");
    let Some(own) = own.filter(|own| own.text("enabled") == "true") else { return };
    if let Some(mode) = own.get("firewallMode").filter(|mode| mode.node.text() == "Prevention") {
        check.if_seen(Kind::PathRule(Some(403)), mode, ASKED);
    }
}

fn policy(check: &mut Check<'_>, of: Part<'_>) {
    let Some(policy) = object(of, "firewallPolicy") else { return };
    check.if_seen(Kind::PathRule(Some(403)), policy.get("id").unwrap_or(policy), ASKED);
}
