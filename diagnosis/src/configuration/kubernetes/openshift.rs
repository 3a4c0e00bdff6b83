//! OpenShift: which Route takes a request, and what its router (HAProxy) makes of it.
//!
//! By the router's own template (openshift/router): `timeout` is the server's time to
//! answer, and the tunnel's of a Route that passes TLS on (origin#10166); `timeout-tunnel`
//! is that of sockets; without them an hour, or the IngressController's `tunnelTimeout`.
//! To a pod by TLS (`reencrypt`) it offers h2, which an upgrade cannot cross
//! (EnMasseProject/enmasse#4641).

use super::annotation::seconds;
use super::object::Object;
use super::path::{self, HostFit};
use super::read::Check;
use super::service::{self, Backend};
use crate::configuration::Kind;
use wss_bundle::structured::Node;

const PREFIX: &str = "haproxy.router.openshift.io/";
/// The router's answer where nobody is behind a name.
const NOBODY: u16 = 503;

/// Follows the request; says whether there is a Route at all.
pub(super) fn read(check: &mut Check<'_>) -> bool {
    // Knative has objects of this name as well.
    let own = |one: &Object<'_>| {
        let version = one.node.text_of("apiVersion");
        version == "v1" || version.starts_with("route.openshift.io/")
    };
    let routes: Vec<Object<'_>> = check.of("Route").into_iter().filter(own).collect();
    let Some(first) = routes.first() else { return false };
    let (host, asked) = (check.request.host, check.path());
    let fit = |route: &Object<'_>| {
        let subdomain = route.text(&["spec", "wildcardPolicy"]) == "Subdomain";
        let name = route.text(&["spec", "host"]);
        let wild = name.split_once('.').map(|(_, rest)| format!("*.{rest}"));
        let name = if subdomain { wild.as_deref().unwrap_or(name) } else { name };
        path::host(name, host).filter(|fit| *fit != HostFit::Any)
    };
    let of_host: Vec<Object<'_>> =
        routes.iter().filter(|route| fit(route).is_some()).copied().collect();
    if of_host.is_empty() {
        let why = format!("no Route that was given has the host {host}");
        check.untold(Some(first.itself()), why);
        return true;
    }
    let rank = |route: &Object<'_>| {
        let own = route.text(&["spec", "path"]);
        path::below(own, asked).then(|| (fit(route), own.len(), admitted(route).is_none()))
    };
    let taken = of_host.iter().filter_map(|route| Some((rank(route)?, route)));
    match taken.max_by_key(|(rank, _)| *rank) {
        Some((_, route)) => follow(check, route),
        None => {
            let all: Vec<&str> = of_host.iter().map(|one| one.text(&["spec", "path"])).collect();
            let says = format!(
                "does not take {asked}; nor does another Route of this host that was given ({})",
                all.join(", ")
            );
            let route = of_host.first().unwrap_or(first);
            let at = route.get(&["spec", "path"]).map_or(route.itself(), |node| route.at(node));
            check.issue(Kind::PathRule(Some(NOBODY)), at, says, "");
        }
    }
    true
}

/// The condition that says that no router took the Route.
fn admitted<'n>(route: &Object<'n>) -> Option<&'n Node> {
    let all = route.items(&["status", "ingress"]).iter();
    let mut conditions = all.flat_map(|one| one.items_of("conditions"));
    let own = conditions.find(|one| one.text_of("type") == "Admitted")?;
    own.get("status").filter(|node| node.text() == "False")
}

fn follow(check: &mut Check<'_>, route: &Object<'_>) {
    check.device("openshift-router");
    check.follow(route.itself());
    if let Some(node) = admitted(route) {
        let says = "says that no router took this Route (another one may have the host already): nothing of \
                    it is in effect";
        check.idle(route.at(node), says);
    }
    let tls = route.get(&["spec", "tls"]);
    let termination = tls.and_then(|tls| tls.get("termination"));
    let kind = termination.map_or("", Node::text);
    if let Some(node) = termination {
        check.follow(route.at(node));
    }
    if schemes(check, route, tls, kind) {
        return;
    }
    times(check, route, kind);
    if kind != "passthrough" {
        rewrite(check, route);
    }
    if let Some(node) = termination.filter(|node| node.text() == "reencrypt") {
        let says = "speaks TLS to the pod and offers h2: a pod that takes it (where HTTP/2 is enabled in the \
                    router) does not get an upgrade";
        check.if_seen(Kind::Http2, route.at(node), says);
    }
    let targets = [route.get(&["spec", "to"])].into_iter().flatten();
    let others = route.items(&["spec", "alternateBackends"]).iter();
    for target in targets.chain(others).filter(|one| one.text_of("weight") != "0") {
        let wanted = route.get(&["spec", "port", "targetPort"]);
        let (name, namespace) = (target.text_of("name"), route.namespace);
        let mut backend = Backend::find(check, route, target, name, namespace, None);
        // It names the pod's port, or the Service's by its name: either will do.
        backend.port = backend.service.and_then(|service| {
            let fits = |one: &&Node| {
                let own = wanted.map_or("", Node::text);
                ["targetPort", "name", "port"].iter().any(|key| one.text_of(key) == own)
            };
            service.items(&["spec", "ports"]).iter().find(fits)
        });
        service::answers(check, &backend, Some(NOBODY));
    }
}

/// What becomes of a scheme that the Route is not for; says whether that ends it.
fn schemes(check: &mut Check<'_>, route: &Object<'_>, tls: Option<&Node>, kind: &str) -> bool {
    if check.request.tls {
        if kind.is_empty() {
            let says = "has no tls: the router answers https:// in its place (503)";
            let patch = r#"{"spec":{"tls":{"termination":"edge","insecureEdgeTerminationPolicy":"Redirect"}}}"#;
            check.issue(Kind::PathRule(Some(NOBODY)), route.itself(), says, route.patch(patch));
        }
        return kind.is_empty();
    }
    if kind.is_empty() {
        return false;
    }
    let policy = tls.and_then(|tls| tls.get("insecureEdgeTerminationPolicy"));
    let at = policy.map_or_else(|| route.itself(), |node| route.at(node));
    match policy.map_or("", Node::text) {
        "Allow" => false,
        "Redirect" => {
            let says = "redirects http:// to https:// (302), which a WebSocket does not follow";
            check.issue(Kind::PathRule(Some(302)), at, says, "");
            true
        }
        _ => {
            let says =
                "does not let http:// pass (insecureEdgeTerminationPolicy): the router answers 503";
            check.issue(Kind::PathRule(Some(NOBODY)), at, says, "");
            true
        }
    }
}

fn times(check: &mut Check<'_>, route: &Object<'_>, kind: &str) {
    let name = format!("{PREFIX}timeout-tunnel");
    let tunnel = route.annotation(&name);
    let passed = || route.annotation(&format!("{PREFIX}timeout")).filter(|_| kind == "passthrough");
    let command = route.annotate(&[(&name, "1h")]);
    if let Some(node) = tunnel.or_else(passed) {
        return match seconds(node.text(), 0.001) {
            Some(set) => {
                let says = format!("cuts a connection on which nothing comes for {set:.0} s");
                check.short(Kind::Timeout(set), route.at(node), says, command);
            }
            None => {
                let says = "is no time that the router understands (a number with us, ms, s, m, h or d), and \
                            does nothing";
                check.idle(route.at(node), says);
            }
        };
    }
    let controllers = check.of("IngressController");
    let set = controllers.iter().find_map(|one| {
        let node = one.get(&["spec", "tuningOptions", "tunnelTimeout"])?;
        Some((one.at(node), seconds(node.text(), 1.0)?))
    });
    if let Some((at, set)) = set {
        let says = format!(
            "holds for {}, which sets none of its own: the router cuts a connection on which nothing comes for \
             {set:.0} s",
            route.title()
        );
        check.short(Kind::Timeout(set), at, says, command);
    }
}

fn rewrite(check: &mut Check<'_>, route: &Object<'_>) {
    let Some(node) = route.annotation(&format!("{PREFIX}rewrite-target")) else { return };
    let (own, asked) = (route.text(&["spec", "path"]), check.path());
    let rest = asked.strip_prefix(own.trim_end_matches('/')).unwrap_or(asked);
    let to = node.text().trim_end_matches('/');
    let new = format!("{to}/{}", rest.trim_start_matches('/'));
    if new != asked {
        let says = format!("asks the server for {new} in the place of {asked}");
        check.issue(Kind::PathChanged, route.at(node), says, "");
    }
}
