//! The Gateway API: which HTTPRoute takes a request, by which Gateway's class, and
//! what its rule does. What a class adds of its own is in files of its own.
//!
//! The order among rules is the specification's: host, kind and length of the path,
//! method, headers, then names.

use super::cloud::{GOOGLE_S, Google, google_time, signed_on};
use super::object::{Object, same};
use super::path::{self, HostFit};
use super::read::Check;
use super::service::{self, Backend};
use super::{annotation, envoy_gateway};
use crate::configuration::{Kind, NEEDED_S};
use wss_bundle::structured::Node;

/// What implements a GatewayClass, by its `controllerName`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Implementation {
    EnvoyGateway,
    Gke,
    Istio,
    Other,
}

impl Implementation {
    /// Id of the device (`signatures/`) that it sets.
    const fn device(self) -> Option<&'static str> {
        match self {
            Self::EnvoyGateway => Some("envoy"),
            Self::Gke => Some("gcp-glb"),
            Self::Istio => Some("istio"),
            Self::Other => None,
        }
    }
}

/// A match of a rule that takes the request.
struct Found<'n> {
    route: Object<'n>,
    rule: &'n Node,
    at: &'n Node,
    rank: (HostFit, u8, usize, bool, usize),
}

/// Follows the request; says whether there is an HTTPRoute at all.
pub(super) fn read(check: &mut Check<'_>) -> bool {
    let routes = check.of("HTTPRoute");
    let Some(first) = routes.first() else { return false };
    let mut hosts = false;
    let mut best: Option<Found<'_>> = None;
    for route in &routes {
        let Some(fit) = hostname(check, route) else { continue };
        hosts = true;
        for rule in route.items(&["spec", "rules"]) {
            match rule_fit(check, rule) {
                Ok(None) => {}
                Ok(Some((rank, at))) => {
                    let rank = (fit, rank.0, rank.1, rank.2, rank.3);
                    if best.as_ref().is_none_or(|other| rank > other.rank) {
                        best = Some(Found { route: *route, rule, at, rank });
                    }
                }
                Err((node, why)) => check.untold(Some(route.at(node)), why),
            }
        }
    }
    match best {
        Some(found) => taken(check, &found),
        None if !hosts => {
            let why = format!(
                "no HTTPRoute that was given has the host {}: give them all (kubectl get httproute -A -o yaml)",
                check.request.host
            );
            check.untold(Some(first.itself()), why);
        }
        None if check.reading.untold.is_empty() => {
            let says =
                format!("has no rule that takes {} (of those that were given)", check.path());
            let at = first.get(&["spec", "rules"]).map_or(first.itself(), |node| first.at(node));
            check.issue(Kind::PathRule(Some(404)), at, says, "");
        }
        None => {}
    }
    true
}

/// How well a route's hosts fit; those of its Gateway's listeners where it has none.
fn hostname(check: &Check<'_>, route: &Object<'_>) -> Option<HostFit> {
    let asked = check.request.host;
    let own = route.items(&["spec", "hostnames"]);
    if !own.is_empty() {
        return own.iter().filter_map(|host| path::host(host.text(), asked)).max();
    }
    let Some((gateway, section)) = gateway(check, route) else { return Some(HostFit::Any) };
    let listeners = gateway.items(&["spec", "listeners"]).iter();
    listeners
        .filter(|listener| section.is_empty() || listener.text_of("name") == section)
        .filter_map(|listener| path::host(listener.text_of("hostname"), asked))
        .max()
}

/// The Gateway that a route belongs to, and the listener that it names.
fn gateway<'n>(check: &Check<'n>, route: &Object<'n>) -> Option<(Object<'n>, &'n str)> {
    let gateways = check.of("Gateway");
    route.items(&["spec", "parentRefs"]).iter().find_map(|parent| {
        let namespace = match parent.text_of("namespace") {
            "" => route.namespace,
            own => own,
        };
        let own = |g: &&Object<'n>| {
            g.name == parent.text_of("name")
                && same(g.namespace, namespace)
                && g.get(&["spec", "gatewayClassName"]).is_some()
        };
        Some((*gateways.iter().find(own)?, parent.text_of("sectionName")))
    })
}

type Rank = (u8, usize, bool, usize);

/// How well the best match of a rule fits; what cannot be told is an error.
fn rule_fit<'n>(
    check: &Check<'_>,
    rule: &'n Node,
) -> Result<Option<(Rank, &'n Node)>, (&'n Node, String)> {
    let matches = rule.items_of("matches");
    if matches.is_empty() {
        return Ok(Some(((1, 1, false, 0), rule)));
    }
    let mut best: Option<(Rank, &Node)> = None;
    let mut unknown = None;
    for one in matches {
        match match_fit(check, one) {
            Ok(Some(rank)) => {
                if best.is_none_or(|(other, _)| rank > other) {
                    best = Some((rank, one));
                }
            }
            Ok(None) => {}
            Err(why) => unknown = Some((one, why)),
        }
    }
    match (best, unknown) {
        (None, Some(unknown)) => Err(unknown),
        (best, _) => Ok(best),
    }
}

fn match_fit(check: &Check<'_>, one: &Node) -> Result<Option<Rank>, String> {
    let asked = check.path();
    let path = one.get("path");
    let value = path.map_or("/", |path| path.text_of("value"));
    let kind = path.map_or("PathPrefix", |path| path.text_of("type"));
    let rank = match kind {
        "Exact" => (value == asked).then_some((2, value.len())),
        "" | "PathPrefix" => path::below(value, asked).then_some((1, value.len())),
        _ => match path::matches(value, asked) {
            Some(true) => {
                return Err(format!("a pattern ({value}): each program reads it its own way"));
            }
            _ => None,
        },
    };
    let Some((class, length)) = rank else { return Ok(None) };
    let method = one.text_of("method");
    if !method.is_empty() && method != "GET" {
        return Ok(None);
    }
    let headers = one.items_of("headers");
    for header in headers {
        let name = header.text_of("name");
        let exact = header.text_of("type") != "RegularExpression";
        let of_upgrade =
            name.eq_ignore_ascii_case("upgrade") || name.eq_ignore_ascii_case("connection");
        if !(of_upgrade && exact) {
            return Err(format!("whether this rule applies depends on the header {name}"));
        }
        let wanted = if name.eq_ignore_ascii_case("upgrade") { "websocket" } else { "upgrade" };
        if !header.text_of("value").eq_ignore_ascii_case(wanted) {
            return Ok(None);
        }
    }
    if !one.items_of("queryParams").is_empty() {
        return Err("whether this rule applies depends on the query".to_owned());
    }
    Ok(Some((class, length, !method.is_empty(), headers.len())))
}

fn taken(check: &mut Check<'_>, found: &Found<'_>) {
    let route = found.route;
    let implementation = implementation(check, &route);
    check.follow(route.itself());
    check.follow(route.at(found.at.get("path").and_then(|p| p.get("value")).unwrap_or(found.at)));
    if let Some(device) = implementation.and_then(Implementation::device) {
        check.device(device);
    }
    if filters(check, &route, found.rule) {
        return;
    }
    let backends = backends(check, &route, found.rule);
    if found.rule.items_of("backendRefs").is_empty() {
        let says = "sends to nobody (backendRefs): it answers 500";
        check.issue(Kind::PathRule(Some(500)), route.at(found.rule), says, "");
    }
    for backend in &backends {
        service::answers(check, backend, Some(503));
        h2(check, backend);
    }
    match implementation {
        Some(Implementation::EnvoyGateway) => {
            let gateway = gateway(check, &route).map(|(gateway, _)| gateway);
            envoy_gateway::settings(check, &route, gateway.as_ref(), found.rule);
        }
        Some(Implementation::Gke) => {
            check.direct = true;
            google(check, &route, &backends);
        }
        Some(Implementation::Istio) => request_timeout(check, &route, found.rule, "Istio"),
        Some(Implementation::Other) => request_timeout(check, &route, found.rule, "its program"),
        None => {
            let why = "what implements the Gateway's class is not told (kubectl get gateway,gatewayclass -A -o \
                       yaml): how long a silence may be, and what timeouts.request does to a socket, depends on \
                       it";
            check.untold(Some(route.itself()), why);
        }
    }
}

/// Who implements the class of a route's Gateway.
fn implementation(check: &mut Check<'_>, route: &Object<'_>) -> Option<Implementation> {
    let (gateway, _) = gateway(check, route)?;
    let class = gateway.get(&["spec", "gatewayClassName"])?;
    check.follow(gateway.at(class));
    let own = |c: &Object<'_>| c.name == class.text();
    let given = check.of("GatewayClass").into_iter().find(own);
    let name = given.map_or("", |given| given.text(&["spec", "controllerName"]));
    Some(match (name, class.text()) {
        (name, _) if name.starts_with("gateway.envoyproxy.io/") => Implementation::EnvoyGateway,
        (name, _) if name.starts_with("networking.gke.io/") => Implementation::Gke,
        (name, _) if name.starts_with("istio.io/") => Implementation::Istio,
        ("", class) if class.starts_with("gke-l7-") => Implementation::Gke,
        ("", "istio") => Implementation::Istio,
        ("", _) => return None,
        _ => Implementation::Other,
    })
}

/// Envoy's route timeout: older versions end upgraded sockets by it.
fn request_timeout(check: &mut Check<'_>, route: &Object<'_>, rule: &Node, whose: &str) {
    for key in ["request", "backendRequest"] {
        let Some(node) = rule.get("timeouts").and_then(|timeouts| timeouts.get(key)) else {
            continue;
        };
        let Some(set) =
            annotation::seconds(node.text(), 1.0).filter(|set| *set > 0.0 && *set < NEEDED_S)
        else {
            continue;
        };
        let says = format!("is a limit of {set:.0} s that {whose} may put on sockets, too");
        check.if_seen(Kind::Lifetime(set), route.at(node), says);
    }
}

/// What the filters do before anything is sent on; whether they answer themselves.
fn filters(check: &mut Check<'_>, route: &Object<'_>, rule: &Node) -> bool {
    for filter in rule.items_of("filters") {
        let at = route.at(filter.get("type").unwrap_or(filter));
        match filter.text_of("type") {
            "RequestRedirect" => {
                redirect(check, route, filter);
                return true;
            }
            "URLRewrite" => rewrite(check, route, rule, filter),
            "RequestHeaderModifier" => {
                let removed = filter.get("requestHeaderModifier").map(|m| m.items_of("remove"));
                let upgrade = |n: &&Node| {
                    ["upgrade", "connection"].iter().any(|own| n.text().eq_ignore_ascii_case(own))
                };
                if let Some(node) = removed.unwrap_or_default().iter().find(upgrade) {
                    let says = "takes the upgrade's header away";
                    check.issue(Kind::UpgradeHeaders, route.at(node), says, "");
                }
            }
            "ExtensionRef" => {
                let why = "a filter of the gateway's own is applied: what it does is not told here";
                check.untold(Some(at), why);
            }
            _ => {}
        }
    }
    false
}

fn redirect(check: &mut Check<'_>, route: &Object<'_>, filter: &Node) {
    let Some(to) = filter.get("requestRedirect") else { return };
    let status = to.text_of("statusCode").parse().unwrap_or(302);
    let scheme = if check.request.tls { "https" } else { "http" };
    let same =
        |key: &str, own: &str| matches!(to.text_of(key), text if text.is_empty() || text == own);
    let port = check.request.port.to_string();
    let at = route.at(filter.get("type").unwrap_or(filter));
    let itself = same("scheme", scheme)
        && same("hostname", check.request.host)
        && same("port", &port)
        && to.get("path").is_none();
    if itself {
        return check.issue(
            Kind::RedirectLoop(status),
            at,
            "redirects to the very URL that was asked for",
            "",
        );
    }
    let says = format!("redirects {} ({status}), which a WebSocket does not follow", check.path());
    check.issue(Kind::PathRule(Some(status)), at, says, "");
}

fn rewrite(check: &mut Check<'_>, route: &Object<'_>, rule: &Node, filter: &Node) {
    let Some(to) = filter.get("urlRewrite") else { return };
    if let Some(node) = to.get("hostname") {
        let says = "gives the server this Host in the place of the browser's";
        check.issue(Kind::Host, route.at(node), says, "");
    }
    let Some(to) = to.get("path") else { return };
    let asked = check.path();
    let new = match to.text_of("type") {
        "ReplaceFullPath" => to.text_of("replaceFullPath").to_owned(),
        _ => {
            let prefixes = rule.items_of("matches").iter().filter_map(|m| m.get("path"));
            let prefixes = prefixes.map(|path| path.text_of("value"));
            let own = prefixes.filter(|prefix| path::below(prefix, asked)).max_by_key(|p| p.len());
            let rest =
                asked.strip_prefix(own.unwrap_or("/").trim_end_matches('/')).unwrap_or(asked);
            let front = to.text_of("replacePrefixMatch").trim_end_matches('/');
            if rest.is_empty() && front.is_empty() {
                "/".to_owned()
            } else {
                format!("{front}{rest}")
            }
        }
    };
    if new != asked {
        let says = format!("asks the server for {new} in the place of {asked}");
        check.issue(Kind::PathChanged, route.at(to.get("type").unwrap_or(to)), says, "");
    }
}

fn backends<'n>(check: &Check<'n>, route: &Object<'n>, rule: &'n Node) -> Vec<Backend<'n>> {
    let refs = rule.items_of("backendRefs").iter();
    refs.filter(|one| matches!(one.text_of("kind"), "" | "Service") && one.text_of("weight") != "0")
        .map(|one| {
            let namespace = match one.text_of("namespace") {
                "" => route.namespace,
                own => own,
            };
            Backend::find(check, route, one, one.text_of("name"), namespace, one.get("port"))
        })
        .collect()
}

/// `appProtocol: kubernetes.io/h2c`, which every implementation has to honour.
fn h2(check: &mut Check<'_>, backend: &Backend<'_>) {
    let Some((service, node)) = backend.protocol() else { return };
    if node.text() == "kubernetes.io/h2c" {
        let says = "makes the gateway speak HTTP/2 to the server, which an upgrade cannot cross";
        check.issue(Kind::Http2, service.at(node), says, "");
    }
}

/// Google's time, by a policy for the Service.
fn google(check: &mut Check<'_>, route: &Object<'_>, backends: &[Backend<'_>]) {
    let class =
        gateway(check, route).map_or("", |(own, _)| own.text(&["spec", "gatewayClassName"]));
    let google = if class.starts_with("gke-l7-gxlb") { Google::Classic } else { Google::Managed };
    let policies = check.of("GCPBackendPolicy");
    for backend in backends {
        let own = |p: &&Object<'_>| {
            p.text(&["spec", "targetRef", "name"]) == backend.name
                && same(p.namespace, route.namespace)
        };
        let policy = policies.iter().find(own);
        let set = policy.and_then(|p| p.get(&["spec", "default", "timeoutSec"]));
        let seconds = set.and_then(Node::number).unwrap_or(GOOGLE_S);
        let at = match (policy, set) {
            (Some(policy), Some(node)) => policy.at(node),
            (Some(policy), None) => policy.itself(),
            (None, _) => route.at(backend.node.get("name").unwrap_or(backend.node)),
        };
        let how = match (policy, set) {
            (Some(_), Some(_)) => "",
            (Some(_), None) => "sets no timeoutSec: the load balancer ",
            (None, _) => "has no GCPBackendPolicy: the load balancer ",
        };
        let command = policy.map(|p| p.patch(r#"{"spec":{"default":{"timeoutSec":3600}}}"#));
        let made = format!(
            "{} apply -f - <<'END'\napiVersion: networking.gke.io/v1\nkind: GCPBackendPolicy\nmetadata:\n  \
             name: websocket\nspec:\n  default:\n    timeoutSec: 3600\n  targetRef:\n    group: \"\"\n    \
             kind: Service\n    name: {}\nEND",
            route.kubectl(),
            backend.name
        );
        google_time(check, google, seconds, at, how, command.unwrap_or(made));
        let iap = policy.and_then(|p| Some((p, p.get(&["spec", "default", "iap", "enabled"])?)));
        if let Some((policy, node)) = iap.filter(|(_, node)| node.text() == "true") {
            signed_on(check, policy.at(node));
        }
    }
}
