//! The AWS Load Balancer Controller: in which order an Application Load Balancer asks the
//! rules of its Ingresses, and what it does to a socket.
//!
//! By the controller's own source: Ingresses of a group (`group.name`) share a load
//! balancer, by `group.order` and then by namespace and name; within a rule go Exact
//! paths, then prefixes, the longest first, then all others as they are written. An Exact
//! path or a prefix with a wildcard is an error, for the whole group.

use super::annotation::attribute;
use super::ingress::{Rule, Taken};
use super::object::{Object, within};
use super::path::{self, Specific};
use super::read::Check;
use crate::configuration::{Fix, Kind};
use wss_bundle::structured::Node;

const ALB: &str = "alb.ingress.kubernetes.io/";
/// `idle_timeout.timeout_seconds`, where it is not set.
const IDLE_S: f64 = 60.0;

/// The load balancer of an Ingress: its group, or it has one of its own.
fn group<'n>(ingress: &Object<'n>) -> (&'n str, &'n str, &'n str) {
    match ingress.annotation(&format!("{ALB}group.name")) {
        Some(node) => (node.text(), "", ""),
        None => ("", ingress.namespace, ingress.name),
    }
}

/// A path that the controller takes for an error.
pub(super) fn is_error(entry: &Node) -> bool {
    matches!(entry.text_of("pathType"), "Exact" | "Prefix")
        && entry.text_of("path").contains(['*', '?'])
}

/// A rule's entries in the order in which they are asked.
fn ordered(rule: &Node) -> Vec<&Node> {
    let all = within(rule, &["http", "paths"]).map_or(&[][..], Node::items);
    let mut all: Vec<&Node> = all.iter().filter(|entry| !is_error(entry)).collect();
    all.sort_by_key(|entry| match entry.text_of("pathType") {
        "Exact" => (0, 0),
        "Prefix" => (1, usize::MAX - entry.text_of("path").len()),
        _ => (2, 0),
    });
    all
}

/// The first of the entries that takes the request. Those behind it that say more of the
/// path never get it, which is said.
pub(super) fn pick<'r, 'n>(
    check: &mut Check<'n>,
    rules: &[&'r Rule<'n>],
) -> Option<(&'r Rule<'n>, &'n Node)> {
    let order = |rule: &Rule<'_>| {
        let own = rule.ingress.annotation(&format!("{ALB}group.order"));
        own.and_then(|node| node.text().parse::<i64>().ok()).unwrap_or(0)
    };
    let mut rules: Vec<&'r Rule<'n>> = rules.to_vec();
    rules.sort_by_key(|rule| (order(rule), rule.ingress.namespace, rule.ingress.name));
    let asked = check.path();
    let fits = |entry: &Node| {
        let (path, kind) = (entry.text_of("path"), entry.text_of("pathType"));
        path.is_empty() || path::path(path, kind, Specific::Pattern, asked).is_some()
    };
    let mut takers = Vec::new();
    for rule in rules {
        let entries = rule.node.map(ordered).unwrap_or_default();
        takers.extend(entries.into_iter().filter(|entry| fits(entry)).map(|entry| (rule, entry)));
    }
    let (first, entry) = *takers.first()?;
    let balancer = group(&first.ingress);
    if takers.iter().any(|(rule, _)| group(&rule.ingress) != balancer) {
        let why = "Ingresses of several load balancers (group.name) have a rule for this: which of them answers \
                   is where the name leads to";
        check.untold(Some(first.ingress.itself()), why);
        check.sure = false;
        return Some((first, entry));
    }
    let says_more = |(_, other): &&(&Rule<'_>, &Node)| {
        let plain = |entry: &Node| entry.text_of("path").trim_end_matches(['*', '/']).len();
        plain(other) > plain(entry)
    };
    if let Some((rule, other)) = takers.iter().find(says_more) {
        shadowed(check, &first.ingress, entry, (&rule.ingress, other));
    }
    Some((first, entry))
}

/// An entry takes the request before another that says more of its path
/// (aws-load-balancer-controller#2763, #2203).
fn shadowed(
    check: &mut Check<'_>,
    of: &Object<'_>,
    entry: &Node,
    (ingress, other): (&Object<'_>, &Node),
) {
    let name = |entry: &Node| {
        let backend = entry.get("backend");
        let new = backend.and_then(|own| own.get("service")).map_or("", |own| own.text_of("name"));
        if new.is_empty() {
            backend.map_or("", |own| own.text_of("serviceName")).to_owned()
        } else {
            new.to_owned()
        }
    };
    let (own, theirs) = (name(entry), name(other));
    if own == theirs {
        return;
    }
    let says = format!(
        "comes before {} of Ingress {}: {} goes to Service {own}, and never to {theirs}. A load balancer of AWS \
         takes the first rule that fits",
        other.text_of("path"),
        ingress.name,
        check.path(),
    );
    let at = of.at(entry.get("path").unwrap_or(entry));
    let command = if of.name == ingress.name && of.namespace == ingress.namespace {
        String::new()
    } else {
        ingress.annotate(&[(&format!("{ALB}group.order"), "'-10'")])
    };
    check.if_seen(Kind::OtherBackend, at, says);
    check.mended_by(
        Fix::new(
            "Let the narrower path come first: a smaller group.order on its Ingress, or its place before the \
             other.",
        ),
        command,
    );
}

/// What a load balancer does to a socket, as the controller makes it.
pub(super) fn settings(check: &mut Check<'_>, taken: &Taken<'_>) {
    check.direct = true;
    let ingress = taken.ingress;
    if let Some(node) = taken.entry.and_then(|entry| entry.get("backend")) {
        let port = within(node, &["service", "port", "name"]).map_or("", Node::text);
        if port == "use-annotation" {
            let why = "an annotation (actions.…) says what is done here: `aws elbv2 describe-rules` shows it";
            check.untold(Some(ingress.at(node)), why);
        }
    }
    let version = format!("{ALB}backend-protocol-version");
    let own = taken.annotation(&version).map(|node| (ingress, node));
    if let Some((object, node)) = taken.of_service(&version).or(own)
        && matches!(node.text().to_ascii_uppercase().as_str(), "HTTP2" | "GRPC")
    {
        let says = "makes the load balancer speak HTTP/2 to the targets, which an upgrade cannot cross \
                        (464)";
        let command = object.annotate(&[(&version, "HTTP1")]);
        check.issue(Kind::Http2, object.at(node), says, command);
    }
    if let Some(node) = taken.annotation(&format!("{ALB}auth-type")).filter(|n| n.text() != "none")
    {
        let says = "wants requests to be signed on (302 to what is not): a WebSocket follows no redirect, \
                    and has the session of the page's cookie or none";
        check.if_seen(Kind::PathRule(Some(302)), ingress.at(node), says);
    }
    idle(check, &ingress);
}

fn idle(check: &mut Check<'_>, ingress: &Object<'_>) {
    const KEY: &str = "idle_timeout.timeout_seconds";
    let name = format!("{ALB}load-balancer-attributes");
    let node = ingress.annotation(&name);
    let set = node.and_then(|node| attribute(node.text(), KEY)).and_then(|s| s.parse().ok());
    let params = check.of("IngressClassParams");
    let of_class = params.iter().find_map(|params| {
        let all = params.items(&["spec", "loadBalancerAttributes"]);
        let entry = all.iter().find(|entry| entry.text_of("key") == KEY)?;
        Some((params.at(entry.get("value")?), entry.get("value")?.number()?))
    });
    let (seconds, at) = match (of_class, set, node) {
        (Some((at, seconds)), ..) => (seconds, at),
        (None, Some(seconds), Some(node)) => (seconds, ingress.at(node)),
        (None, _, node) => (IDLE_S, node.map_or_else(|| ingress.itself(), |node| ingress.at(node))),
    };
    let says = if set.is_some() {
        format!("cuts a connection on which nothing comes for {seconds:.0} s")
    } else {
        format!(
            "sets no {KEY}: the load balancer cuts a connection on which nothing comes for {seconds:.0} s"
        )
    };
    // What else is set there would be lost by writing it anew.
    let others = node.map_or("", Node::text).split(',').map(str::trim);
    let others: Vec<&str> =
        others.filter(|pair| !pair.is_empty() && !pair.starts_with(KEY)).collect();
    let mut pairs = others.join(",");
    if !pairs.is_empty() {
        pairs.push(',');
    }
    let command = ingress.annotate(&[(&name, &format!("{pairs}{KEY}=3600"))]);
    let command = if pairs.contains("[removed") { String::new() } else { command };
    check.short(Kind::Timeout(seconds), at, says, command);
}
