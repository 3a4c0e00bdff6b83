//! Traefik: which IngressRoute takes a request, and what Middlewares do to it, for an
//! Ingress, too. Its own times (`respondingTimeouts`) end with the upgrade.

use super::ingress::Taken;
use super::object::Object;
use super::read::Check;
use super::service::{self, Backend};
use crate::configuration::Kind;
use crate::configuration::traefik::rule::holds;
use wss_bundle::structured::Node;

/// Follows the request; says whether there is an IngressRoute at all.
pub(super) fn read(check: &mut Check<'_>) -> bool {
    let routes = check.of("IngressRoute");
    let Some(first) = routes.first() else { return false };
    let mut best: Option<(u64, Object<'_>, &Node)> = None;
    for route in &routes {
        for one in route.items(&["spec", "routes"]) {
            let rule = one.text_of("match");
            match holds(rule, check.request) {
                Ok(false) => {}
                Ok(true) => {
                    let length = u64::try_from(rule.len()).unwrap_or(u64::MAX);
                    let priority = one.text_of("priority").parse().ok().filter(|p| *p > 0);
                    let priority = priority.unwrap_or(length);
                    if best.as_ref().is_none_or(|(other, ..)| priority > *other) {
                        best = Some((priority, *route, one));
                    }
                }
                Err(why) => {
                    let why = format!("whether this rule is taken depends on {why}");
                    check.untold(Some(route.at(one.get("match").unwrap_or(one))), why);
                }
            }
        }
    }
    match best {
        Some((_, route, one)) => taken(check, &route, one),
        None => {
            let why = format!("no IngressRoute that was given certainly takes {}", check.path());
            check.untold(Some(first.itself()), why);
        }
    }
    true
}

fn taken(check: &mut Check<'_>, route: &Object<'_>, one: &Node) {
    check.device("traefik");
    check.follow(route.itself());
    check.follow(route.at(one.get("match").unwrap_or(one)));
    for middleware in one.items_of("middlewares") {
        let namespace = match middleware.text_of("namespace") {
            "" => route.namespace,
            own => own,
        };
        apply(check, route, middleware, middleware.text_of("name"), namespace);
    }
    for target in one.items_of("services") {
        if target.text_of("kind") == "TraefikService" {
            let why = "a TraefikService decides what is behind: it is not followed";
            check.untold(Some(route.at(target)), why);
            continue;
        }
        if target.text_of("scheme") == "h2c" {
            let at = route.at(target.get("scheme").unwrap_or(target));
            check.issue(Kind::Http2, at, H2, "");
        }
        let name = target.text_of("name");
        let namespace = match target.text_of("namespace") {
            "" => route.namespace,
            own => own,
        };
        let backend = Backend::find(check, route, target, name, namespace, target.get("port"));
        service::answers(check, &backend, Some(503));
    }
}

const H2: &str = "makes Traefik speak HTTP/2 to the server, which an upgrade cannot cross";

/// What an Ingress that Traefik reads is set to.
pub(super) fn of_ingress(check: &mut Check<'_>, taken: &Taken<'_>) {
    let name = "traefik.ingress.kubernetes.io/router.middlewares";
    if let Some(node) = taken.annotation(name) {
        for one in node.text().split(',').map(str::trim) {
            // `namespace-name@kubernetescrd`
            let own = one.strip_suffix("@kubernetescrd").unwrap_or(one);
            let middlewares = check.of("Middleware");
            let found = middlewares.iter().find(|m| own == format!("{}-{}", m.namespace, m.name));
            match found {
                Some(found) => apply(check, &taken.ingress, node, found.name, found.namespace),
                None => {
                    let why = format!(
                        "Middleware {one} was not given (kubectl get middleware -A -o yaml)"
                    );
                    check.untold(Some(taken.ingress.at(node)), why);
                }
            }
        }
    }
    let name = "traefik.ingress.kubernetes.io/service.serversscheme";
    if let Some((service, node)) = taken.of_service(name).filter(|(_, node)| node.text() == "h2c") {
        check.issue(Kind::Http2, service.at(node), H2, service.annotate(&[(name, "http")]));
    }
}

/// What a Middleware does.
fn apply(check: &mut Check<'_>, of: &Object<'_>, at: &Node, name: &str, namespace: &str) {
    let own = |m: &Object<'_>| m.name == name && super::object::same(m.namespace, namespace);
    let Some(middleware) = check.of("Middleware").into_iter().find(own) else {
        let why = format!("Middleware {name} was not given (kubectl get middleware -A -o yaml)");
        return check.untold(Some(of.at(at)), why);
    };
    let get = |key: &str| middleware.get(&["spec", key]);
    check.follow(middleware.itself());
    let asked = check.path();
    if let Some(node) = get("stripPrefix") {
        let prefixes = node.items_of("prefixes").iter().map(Node::text);
        if let Some(prefix) =
            prefixes.filter(|p| asked.starts_with(p.trim_end_matches('/'))).max_by_key(|p| p.len())
        {
            let new = asked.strip_prefix(prefix.trim_end_matches('/')).unwrap_or(asked);
            moved(check, &middleware, node, new);
        }
    }
    if let Some(node) = get("addPrefix") {
        let new = format!("{}{asked}", node.text_of("prefix"));
        moved(check, &middleware, node, &new);
    }
    if let Some(node) = get("replacePath") {
        moved(check, &middleware, node, node.text_of("path"));
    }
    let headers = get("headers").and_then(|headers| headers.get("customRequestHeaders"));
    for name in ["Upgrade", "Connection"] {
        if let Some(node) = headers.and_then(|headers| headers.get(name)) {
            let says = format!("puts another value in the place of the request's {name}");
            check.issue(Kind::UpgradeHeaders, middleware.at(node), says, "");
        }
    }
    for (key, status) in [
        ("basicAuth", 401),
        ("digestAuth", 401),
        ("forwardAuth", 401),
        ("ipAllowList", 403),
        ("ipWhiteList", 403),
    ] {
        if let Some(node) = get(key) {
            let says = format!("refuses whom it does not let pass ({status}), upgrades included");
            check.if_seen(Kind::PathRule(Some(status)), middleware.at(node), says);
        }
    }
    if let Some(node) = get("rateLimit") {
        check.issue(Kind::Limit(429), middleware.at(node), "refuses what is above it with 429", "");
    }
    if let Some(node) = get("redirectScheme").filter(|node| node.text_of("scheme") == "https") {
        let status = if node.text_of("permanent") == "true" { 301 } else { 302 };
        let says = "redirects to https what did not come by it: where a hop before ends TLS and does not say \
                    so (X-Forwarded-Proto, forwardedHeaders.trustedIPs), that is a loop";
        check.if_seen(Kind::RedirectLoop(status), middleware.at(node), says);
    }
    for key in ["plugin", "chain", "replacePathRegex", "redirectRegex", "stripPrefixRegex"] {
        if let Some(node) = get(key) {
            check.untold(
                Some(middleware.at(node)),
                format!("what {key} does to the request is not told here"),
            );
        }
    }
}

fn moved(check: &mut Check<'_>, middleware: &Object<'_>, node: &Node, new: &str) {
    let asked = check.path();
    if new != asked {
        let new = if new.is_empty() { "/" } else { new };
        let says = format!("asks the server for {new} in the place of {asked}");
        check.issue(Kind::PathChanged, middleware.at(node), says, "");
    }
}
