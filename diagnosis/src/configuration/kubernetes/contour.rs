//! Contour: which route of an HTTPProxy takes a request, and whether it lets it upgrade.
//!
//! Its Envoy answers 403 without a body to an upgrade of a route without
//! `enableWebsockets` (contour#5675; gotify/server#805), and cuts what is silent for
//! `timeoutPolicy.idle`, else for five minutes. Envoy's route timeout
//! (`timeoutPolicy.response`) does not cut what is upgraded, as measured; people report
//! that it did (contour#2578, #3692), so that it counts where it was seen.

use super::annotation::seconds;
use super::object::Object;
use super::path;
use super::read::Check;
use super::service::{self, Backend};
use crate::configuration::{HIDES, Kind};
use wss_bundle::structured::Node;

/// Silence that Contour's Envoy lets pass, where nothing is set.
const IDLE_S: f64 = 300.0;
/// Envoy's time for an answer, where nothing is set.
const RESPONSE_S: f64 = 15.0;
/// Deepest chain of includes.
const DEPTH: usize = 8;

/// What has to be so for a route to be taken, of all conditions down to it.
#[derive(Debug, Clone, Default)]
struct Conditions {
    path: String,
    exact: bool,
    /// A condition that the request does not decide.
    unknown: Option<String>,
    /// How many of them are not about the path: the more, the sooner it is taken.
    others: usize,
}

impl Conditions {
    /// These, and those of what is included.
    fn and(&self, all: &[Node]) -> Self {
        let mut out = self.clone();
        for one in all {
            if let Some(own) = one.get("prefix").or_else(|| one.get("exact")) {
                out.path = format!("{}{}", out.path.trim_end_matches('/'), own.text());
                out.exact = one.get("exact").is_some();
            } else {
                out.others += 1;
                let kind = ["regex", "header", "queryParameter"].into_iter();
                let kind = kind.filter(|key| one.get(key).is_some()).collect::<Vec<_>>();
                out.unknown = Some(format!("a condition ({})", kind.join(", ")));
            }
        }
        out
    }

    fn fits(&self, asked: &str) -> bool {
        if self.exact { self.path == asked } else { asked.starts_with(&self.path) }
    }
}

/// A route of a proxy.
struct Route<'n> {
    proxy: Object<'n>,
    /// Its place in the list.
    number: usize,
    node: &'n Node,
    conditions: Conditions,
}

/// Follows the request; says whether there is an HTTPProxy at all.
pub(super) fn read(check: &mut Check<'_>) -> bool {
    let proxies = check.of("HTTPProxy");
    let Some(first) = proxies.first() else { return false };
    let asked = check.request.host;
    let fit = |one: &Object<'_>| {
        let name = one.get(&["spec", "virtualhost", "fqdn"])?;
        path::host(name.text(), asked)
    };
    let root = proxies.iter().filter_map(|one| Some((fit(one)?, one))).max_by_key(|(fit, _)| *fit);
    let Some((_, root)) = root else {
        let why = format!("no HTTPProxy that was given has the virtual host {asked}");
        check.untold(Some(first.itself()), why);
        return true;
    };
    check.device("envoy");
    check.follow(root.itself());
    refused(check, root);
    if root.get(&["spec", "tcpproxy"]).is_some() {
        // It passes bytes on: what is behind ends TLS.
        return true;
    }
    let mut routes = Vec::new();
    gather(check, &proxies, root, &Conditions::default(), (0, &mut routes));
    let asked = check.path();
    routes.retain(|route| route.conditions.fits(asked));
    let rank = |route: &Route<'_>| {
        let own = &route.conditions;
        (own.exact, own.path.len(), own.others)
    };
    routes.sort_by_key(|route| std::cmp::Reverse(rank(route)));
    match routes.first() {
        Some(route) => match &route.conditions.unknown {
            None => taken(check, route),
            Some(why) => {
                let why = format!("whether this route is taken depends on {why}");
                check.untold(Some(route.proxy.at(conditions(route.node))), why);
            }
        },
        None => {
            let at = root.get(&["spec", "routes"]).map_or(root.itself(), |node| root.at(node));
            let says = format!("has no route that takes {asked}");
            check.issue(Kind::PathRule(Some(404)), at, says, "");
        }
    }
    true
}

/// Contour leaves a proxy out that it finds wrong.
fn refused(check: &mut Check<'_>, proxy: &Object<'_>) {
    let status = proxy.get(&["status", "currentStatus"]);
    if let Some(node) = status.filter(|node| node.text() == "invalid") {
        let says = "is what Contour says of this HTTPProxy: nothing of it is in effect (its description \
                    says why)";
        check.idle(proxy.at(node), says);
    }
}

/// The routes of a proxy, and of those that it includes.
fn gather<'n>(
    check: &mut Check<'n>,
    proxies: &[Object<'n>],
    proxy: &Object<'n>,
    before: &Conditions,
    (depth, out): (usize, &mut Vec<Route<'n>>),
) {
    for (number, node) in proxy.items(&["spec", "routes"]).iter().enumerate() {
        let conditions = before.and(node.items_of("conditions"));
        out.push(Route { proxy: *proxy, number, node, conditions });
    }
    if depth > DEPTH {
        return;
    }
    for include in proxy.items(&["spec", "includes"]) {
        let conditions = before.and(include.items_of("conditions"));
        let namespace = match include.text_of("namespace") {
            "" => proxy.namespace,
            own => own,
        };
        let name = include.text_of("name");
        let own =
            |one: &&Object<'n>| one.name == name && super::object::same(one.namespace, namespace);
        match proxies.iter().find(own) {
            Some(child) => gather(check, proxies, child, &conditions, (depth + 1, out)),
            None if conditions.fits(check.path()) => {
                let why = format!(
                    "HTTPProxy {name} is included and was not given (kubectl get httpproxy -A -o yaml)"
                );
                check.untold(Some(proxy.at(include)), why);
            }
            None => {}
        }
    }
}

/// Where a route's conditions stand.
fn conditions(route: &Node) -> &Node {
    let first = route.items_of("conditions").first();
    first
        .and_then(|one| one.get("prefix").or_else(|| one.get("exact")).or(Some(one)))
        .unwrap_or(route)
}

fn taken(check: &mut Check<'_>, route: &Route<'_>) {
    let (proxy, node) = (&route.proxy, route.node);
    check.follow(proxy.itself());
    check.follow(proxy.at(conditions(node)));
    refused(check, proxy);
    if let Some(to) = node.get("requestRedirectPolicy") {
        let status = to.text_of("statusCode").parse().unwrap_or(302);
        let says =
            format!("redirects {} ({status}), which a WebSocket does not follow", check.path());
        return check.issue(Kind::PathRule(Some(status)), proxy.at(to), says, "");
    }
    if let Some(own) = node.get("directResponsePolicy") {
        let status = own.get("statusCode").unwrap_or(own);
        let says = format!("answers {} itself, and sends nothing to Bindplane", check.path());
        let kind = Kind::PathRule(status.text().parse().ok());
        return check.issue(kind, proxy.at(status), says, "");
    }
    upgrades(check, route);
    rewrite(check, route);
    headers(check, route);
    times(check, route);
    limits(check, route);
    for target in node.items_of("services").iter().filter(|one| one.text_of("mirror") != "true") {
        behind(check, proxy, target);
    }
}

fn upgrades(check: &mut Check<'_>, route: &Route<'_>) {
    let (proxy, set) = (&route.proxy, route.node.get("enableWebsockets"));
    if set.is_some_and(|node| node.text() == "true") {
        return;
    }
    let at = proxy.at(set.unwrap_or_else(|| conditions(route.node)));
    let says = "is a route without enableWebsockets: true, and Envoy refuses its upgrades (403)";
    let command = format!(
        "{} patch httpproxy {} --type json -p '[{{\"op\":\"add\",\"path\":\"/spec/routes/{}/enableWebsockets\",\
         \"value\":true}}]'",
        proxy.kubectl(),
        proxy.name,
        route.number
    );
    check.issue(Kind::UpgradeHeaders, at, says, command);
}

fn rewrite(check: &mut Check<'_>, route: &Route<'_>) {
    let policy = route.node.get("pathRewritePolicy");
    let all = policy.map_or(&[][..], |policy| policy.items_of("replacePrefix"));
    let asked = check.path();
    let own = &route.conditions.path;
    let fits = |one: &&Node| one.get("prefix").is_none_or(|prefix| prefix.text() == own);
    let Some(to) = all.iter().find(fits).and_then(|one| one.get("replacement")) else { return };
    let rest = asked.strip_prefix(own.trim_end_matches('/')).unwrap_or(asked);
    let new = format!("{}/{}", to.text().trim_end_matches('/'), rest.trim_start_matches('/'));
    if new != asked {
        let says = format!("asks the server for {new} in the place of {asked}");
        check.issue(Kind::PathChanged, route.proxy.at(to), says, "");
    }
}

fn headers(check: &mut Check<'_>, route: &Route<'_>) {
    let (proxy, node) = (&route.proxy, route.node);
    let of =
        |policy: &str, list: &str| node.get(policy).map_or(&[][..], |policy| policy.items_of(list));
    for one in of("requestHeadersPolicy", "set") {
        if one.text_of("name").eq_ignore_ascii_case("host") {
            let says = "gives the server this Host in the place of the browser's";
            check.issue(Kind::Host, proxy.at(one.get("name").unwrap_or(one)), says, "");
        }
    }
    let removed = of("responseHeadersPolicy", "remove").iter();
    for one in removed.filter(|one| one.text().eq_ignore_ascii_case("sec-websocket-extensions")) {
        check.issue(Kind::HidesGrant, proxy.at(one), HIDES, "");
    }
}

/// Seconds of a time; nothing where there is no limit, or none is set.
fn time(node: Option<&Node>) -> Option<Option<f64>> {
    let text = node.map_or("", Node::text);
    if matches!(text, "infinity" | "infinite") {
        return Some(None);
    }
    seconds(text, 1.0).filter(|seconds| *seconds > 0.0).map(Some)
}

fn times(check: &mut Check<'_>, route: &Route<'_>) {
    let (proxy, policy) = (&route.proxy, route.node.get("timeoutPolicy"));
    let at = |node: Option<&Node>| proxy.at(node.unwrap_or_else(|| conditions(route.node)));
    let set = policy.and_then(|policy| policy.get("idle"));
    let path = format!("/spec/routes/{}/timeoutPolicy", route.number);
    let value = match policy {
        Some(_) => (format!("{path}/idle"), "\"1h\"".to_owned()),
        None => (path, r#"{"idle":"1h"}"#.to_owned()),
    };
    let command = format!(
        "{} patch httpproxy {} --type json -p '[{{\"op\":\"add\",\"path\":\"{}\",\"value\":{}}}]'",
        proxy.kubectl(),
        proxy.name,
        value.0,
        value.1
    );
    match time(set) {
        Some(Some(seconds)) => {
            let says = format!("cuts a connection on which nothing comes for {seconds:.0} s");
            check.short(Kind::Timeout(seconds), at(set), says, command);
        }
        Some(None) => {}
        None => {
            let says = format!(
                "is a route without timeoutPolicy.idle: Envoy cuts a connection on which nothing comes for \
                 {IDLE_S:.0} s (unless Contour's configuration says otherwise)"
            );
            check.short(Kind::Timeout(IDLE_S), at(set), says, command);
        }
    }
    let set = policy.and_then(|policy| policy.get("response"));
    let own = time(set);
    let seconds = own.unwrap_or(Some(RESPONSE_S));
    if let Some(seconds) = seconds.filter(|seconds| *seconds < crate::configuration::NEEDED_S) {
        let how = if own.is_some() { "is" } else { "sets no timeoutPolicy.response:" };
        let says = format!(
            "{how} {seconds:.0} s for an answer, and some versions end sockets by it, whatever passes on them"
        );
        check.if_seen(Kind::Lifetime(seconds), at(set), says);
    }
}

fn limits(check: &mut Check<'_>, route: &Route<'_>) {
    let policy = route.node.get("rateLimitPolicy");
    let local = policy.and_then(|policy| policy.get("local"));
    if let Some(node) = local {
        let status = node.text_of("responseStatusCode").parse().unwrap_or(429);
        let at = route.proxy.at(node.get("requests").unwrap_or(node));
        let says = format!("refuses what is above it with {status}");
        check.issue(Kind::Limit(status), at, says, "");
    }
}

const H2: &str = "makes Envoy speak HTTP/2 to the server, which an upgrade cannot cross";

fn behind(check: &mut Check<'_>, proxy: &Object<'_>, target: &Node) {
    let name = target.text_of("name");
    let backend = Backend::find(check, proxy, target, name, proxy.namespace, target.get("port"));
    if let Some(node) = target.get("protocol").filter(|n| matches!(n.text(), "h2" | "h2c")) {
        check.issue(Kind::Http2, proxy.at(node), H2, "");
    } else if target.get("protocol").is_none() {
        super::others::contour_protocol(check, &backend);
    }
    service::answers(check, &backend, Some(503));
}
