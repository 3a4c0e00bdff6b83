//! The Ingress that takes a request, its rule, and what is behind.

use super::annotation::unread;
use super::class::{self, Class};
use super::controller::Controller;
use super::object::{Object, within};
use super::path::{self, HostFit, PathFit, Specific};
use super::read::Check;
use super::service::{self, Backend};
use super::{alb, cloud, ingress_nginx, others, traefik};
use crate::configuration::Kind;
use wss_bundle::structured::Node;

/// A rule for the host.
pub(super) struct Rule<'n> {
    pub(super) ingress: Object<'n>,
    class: Class<'n>,
    fit: HostFit,
    /// `spec.rules[…]`; `None` for `spec.defaultBackend`.
    pub(super) node: Option<&'n Node>,
}

/// The rule that takes the request.
pub(super) struct Taken<'n> {
    pub(super) ingress: Object<'n>,
    pub(super) class: Class<'n>,
    /// The entry of `paths`; `None` where the default backend takes it.
    pub(super) entry: Option<&'n Node>,
    pub(super) backend: Option<Backend<'n>>,
}

impl<'n> Taken<'n> {
    /// An annotation of the Ingress.
    pub(super) fn annotation(&self, name: &str) -> Option<&'n Node> {
        self.ingress.annotation(name)
    }

    /// An annotation of the Service, where it was given.
    pub(super) fn of_service(&self, name: &str) -> Option<(Object<'n>, &'n Node)> {
        let service = self.backend.as_ref()?.service?;
        Some((service, service.annotation(name)?))
    }
}

/// Follows the request; says whether there is an Ingress at all.
pub(super) fn read(check: &mut Check<'_>) -> bool {
    let ingresses = check.of("Ingress");
    let Some(first) = ingresses.first() else { return false };
    let rules = rules(check, &ingresses);
    if rules.is_empty() {
        let why = format!(
            "no Ingress that was given has a rule for {}: give them all (kubectl get ingress -A -o yaml)",
            check.request.host
        );
        check.untold(Some(first.itself()), why);
        return true;
    }
    let mut groups: Vec<Option<Controller>> = Vec::new();
    for rule in &rules {
        let of = rule.class.known.map(|known| known.controller);
        if !groups.contains(&of) {
            groups.push(of);
        }
    }
    if groups.len() > 1 {
        let why = format!(
            "Ingresses of several controllers have rules for {}: which of them answers is where its \
             name leads to",
            check.request.host
        );
        check.untold(rules.first().map(|rule| rule.ingress.itself()), why);
    }
    let before = check.sure;
    check.sure &= groups.len() == 1;
    for group in groups {
        let own = |rule: &&Rule<'_>| rule.class.known.map(|known| known.controller) == group;
        let own: Vec<&Rule<'_>> = rules.iter().filter(own).collect();
        one(check, &own);
    }
    check.sure = before;
    true
}

fn rules<'n>(check: &Check<'n>, ingresses: &[Object<'n>]) -> Vec<Rule<'n>> {
    let classes = check.of("IngressClass");
    let asked = check.request.host;
    let mut out = Vec::new();
    for ingress in ingresses {
        let class = class::of(ingress, &classes);
        let alias = ingress.annotation("nginx.ingress.kubernetes.io/server-alias");
        let alias = alias.map_or("", Node::text).split(',').map(str::trim);
        let alias = alias.filter(|name| !name.is_empty()).find_map(|name| path::host(name, asked));
        for node in ingress.items(&["spec", "rules"]) {
            let fit = path::host(node.text_of("host"), asked).or(alias);
            let rule = |fit| Rule { ingress: *ingress, class, fit, node: Some(node) };
            out.extend(fit.map(rule));
        }
        let default =
            ingress.get(&["spec", "defaultBackend"]).or(ingress.get(&["spec", "backend"]));
        if default.is_some() {
            out.push(Rule { ingress: *ingress, class, fit: HostFit::Any, node: None });
        }
    }
    out
}

/// One controller's rules.
fn one<'n>(check: &mut Check<'n>, rules: &[&Rule<'n>]) {
    let Some(first) = rules.first() else { return };
    let before = check.sure;
    let known = first.class.known;
    class_told(check, first);
    let alb = known.is_some_and(|known| known.controller == Controller::Alb);
    // A host of its own has rules of its own; ALB goes by the order alone.
    let best = rules.iter().filter(|rule| rule.node.is_some()).map(|rule| rule.fit).max();
    let own: Vec<&Rule<'_>> =
        rules.iter().filter(|rule| alb || Some(rule.fit) == best).copied().collect();
    let regex = known.is_some_and(|known| known.controller == Controller::IngressNginx)
        && own.iter().any(|rule| ingress_nginx::regex(&rule.ingress));
    let found = if alb { alb::pick(check, &own) } else { pick(check, &own, regex) };
    match found {
        Some((rule, entry)) => taken(check, rule, Some(entry)),
        None => match rules.iter().find(|rule| rule.node.is_none()) {
            Some(rule) => taken(check, rule, None),
            None => nobody(check, &own),
        },
    }
    check.sure = before;
}

/// Says so where it is not known who reads the Ingress.
fn class_told(check: &mut Check<'_>, rule: &Rule<'_>) {
    let at = rule.class.at.map_or_else(|| rule.ingress.itself(), |node| rule.ingress.at(node));
    match rule.class.known {
        Some(_) => check.follow(at),
        None => {
            let class = match rule.class.name {
                "" => "without a class".to_owned(),
                name => format!("of class {name}"),
            };
            let why = format!(
                "which controller reads this Ingress ({class}) is not told: kubectl get ingressclass -o yaml"
            );
            check.untold(Some(at), why);
            check.sure = false;
        }
    }
}

/// The rule and entry that take the path.
fn pick<'r, 'n>(
    check: &Check<'n>,
    rules: &[&'r Rule<'n>],
    regex: bool,
) -> Option<(&'r Rule<'n>, &'n Node)> {
    let asked = check.path();
    let mut best: Option<(PathFit, &Rule<'n>, &'n Node)> = None;
    for rule in rules {
        let specific = match rule.class.known {
            _ if regex => Specific::Regex,
            Some(known) => known.specific(),
            None => Specific::Begins,
        };
        let Some(node) = rule.node else { continue };
        let entries = within(node, &["http", "paths"]).map_or(&[][..], Node::items);
        for entry in entries {
            let (path, kind) = (entry.text_of("path"), entry.text_of("pathType"));
            let Some(fit) = path::path(path, kind, specific, asked) else { continue };
            if best.as_ref().is_none_or(|(other, ..)| fit > *other) {
                best = Some((fit, rule, entry));
            }
        }
    }
    best.map(|(_, rule, entry)| (rule, entry))
}

fn taken(check: &mut Check<'_>, rule: &Rule<'_>, entry: Option<&Node>) {
    let ingress = rule.ingress;
    check.follow(ingress.itself());
    let node = match entry {
        Some(entry) => {
            check.follow(ingress.at(entry.get("path").unwrap_or(entry)));
            entry.get("backend")
        }
        None => ingress.get(&["spec", "defaultBackend"]).or(ingress.get(&["spec", "backend"])),
    };
    let backend = node.map(|node| Backend::of_ingress(check, &ingress, node));
    let taken = Taken { ingress, class: rule.class, entry, backend };
    let Some(known) = rule.class.known else {
        if rule.class.name == "nginx" {
            others::either_nginx(check, &taken);
        }
        return;
    };
    check.device(known.device);
    unread(check, &ingress, known);
    match known.controller {
        Controller::IngressNginx => ingress_nginx::settings(check, &taken),
        Controller::Alb => alb::settings(check, &taken),
        Controller::Gke => cloud::gke(check, &taken),
        Controller::AppGateway => cloud::app_gateway(check, &taken),
        Controller::Traefik => traefik::of_ingress(check, &taken),
        _ => others::settings(check, &taken),
    }
    service::behind(check, &taken, known.controller);
}

/// No path of the host takes it.
fn nobody(check: &mut Check<'_>, rules: &[&Rule<'_>]) {
    let Some((rule, node)) = rules.iter().find_map(|rule| Some((rule, rule.node?))) else { return };
    let ingress = rule.ingress;
    let paths = within(node, &["http", "paths"]);
    let entries = paths.map_or(&[][..], Node::items);
    let asked = check.path();
    let of = |key: &str| entries.first().and_then(|entry| entry.get(key));
    let at = ingress.at(of("path").or(paths).unwrap_or(node));
    let number = ingress.items(&["spec", "rules"]).iter().position(|own| std::ptr::eq(own, node));
    let number = number.unwrap_or(0);
    let json = |patch: String| {
        format!("{} patch ingress {} --type json -p '[{patch}]'", ingress.kubectl(), ingress.name)
    };
    let alb = rule.class.known.is_some_and(|known| known.controller == Controller::Alb);
    if let Some(known) = rule.class.known {
        check.device(known.device);
    }
    // A path that would take it, were it a prefix.
    let narrow =
        |entry: &Node| path::below(entry.text_of("path").trim_end_matches(['*', '/']), asked);
    let narrow = entries.iter().position(|entry| {
        narrow(entry) && (!entry.text_of("path").contains('*') || alb && alb::is_error(entry))
    });
    let (says, command) = match narrow.and_then(|at| Some((at, entries.get(at)?))) {
        Some((place, entry)) if alb && alb::is_error(entry) => {
            let says = "is of a pathType that may hold no * or ?: the controller refuses the Ingress, with all of \
                        its group, and what was there before stays in effect"
                .to_owned();
            let path = format!("/spec/rules/{number}/http/paths/{place}/path");
            let new = entry.text_of("path").split(['*', '?']).next().unwrap_or_default();
            let new = new.trim_end_matches('/');
            let new = if new.is_empty() { "/" } else { new };
            (says, json(format!(r#"{{"op":"replace","path":"{path}","value":"{new}"}}"#)))
        }
        Some((place, entry)) => {
            let kind = match entry.text_of("pathType") {
                "Exact" => "is Exact: it takes this very path".to_owned(),
                _ => format!(
                    "is ImplementationSpecific, which {} takes for this very path",
                    rule.class.known.map_or("the controller", |known| known.name)
                ),
            };
            let says = format!("{kind}, and not {asked} below it");
            let path = format!("/spec/rules/{number}/http/paths/{place}/pathType");
            (says, json(format!(r#"{{"op":"replace","path":"{path}","value":"Prefix"}}"#)))
        }
        None => {
            let all: Vec<&str> = entries.iter().map(|entry| entry.text_of("path")).collect();
            let says = format!(
                "does not take {asked}; nor does another path of this host that was given ({})",
                all.join(", ")
            );
            let path = format!("/spec/rules/{number}/http/paths/-");
            let backend = service::json(of("backend"));
            let value = format!(r#"{{"path":"/v1","pathType":"Prefix","backend":{backend}}}"#);
            (says, json(format!(r#"{{"op":"add","path":"{path}","value":{value}}}"#)))
        }
    };
    let gateway = rule.class.known.is_some_and(|known| known.controller == Controller::AppGateway);
    let status = (rule.class.known.is_some() && !gateway).then_some(404);
    check.issue(Kind::PathRule(status), at, says, command);
}
