//! Istio: which route of a VirtualService takes a request, and what a DestinationRule
//! or a port's name makes of the way to the server.
//!
//! Its Envoys let WebSocket upgrade. Protocols go by `appProtocol`, or the beginning of
//! a port's name (istio.io, "Protocol Selection").

use super::annotation::seconds;
use super::object::Object;
use super::path;
use super::read::Check;
use super::service::{self, Backend};
use crate::configuration::{Kind, NEEDED_S};
use wss_bundle::structured::Node;

/// Follows the request; says whether there is a VirtualService at all.
pub(super) fn read(check: &mut Check<'_>) -> bool {
    let services = check.of("VirtualService");
    let Some(first) = services.first() else { return false };
    let asked = check.request.host;
    let fit = |v: &Object<'_>| {
        let hosts = v.items(&["spec", "hosts"]).iter();
        hosts.filter_map(|host| path::host(host.text(), asked)).max()
    };
    let best = services.iter().filter_map(|v| Some((fit(v)?, v))).max_by_key(|(fit, _)| *fit);
    let Some((_, service)) = best else {
        let why = format!("no VirtualService that was given has the host {asked}");
        check.untold(Some(first.itself()), why);
        return true;
    };
    let service = *service;
    check.device("istio");
    check.follow(service.itself());
    for route in service.items(&["spec", "http"]) {
        match holds(check, route) {
            Ok(false) => {}
            Ok(true) => {
                taken(check, &service, route);
                return true;
            }
            Err(why) => {
                let why = format!("whether this route applies depends on {why}");
                check.untold(Some(service.at(route)), why);
                return true;
            }
        }
    }
    let at = service.get(&["spec", "http"]).map_or(service.itself(), |node| service.at(node));
    let says = format!("has no route that takes {}", check.path());
    check.issue(Kind::PathRule(Some(404)), at, says, "");
    true
}

/// Whether a route takes the request: one of its matches has to.
fn holds(check: &Check<'_>, route: &Node) -> Result<bool, String> {
    let matches = route.items_of("match");
    if matches.is_empty() {
        return Ok(true);
    }
    let mut unknown = None;
    for one in matches {
        match fits(check, one) {
            Ok(true) => return Ok(true),
            Ok(false) => {}
            Err(why) => unknown = Some(why),
        }
    }
    unknown.map_or(Ok(false), Err)
}

/// `exact`, `prefix` or `regex`.
fn text_fits(node: &Node, asked: &str) -> Result<bool, String> {
    match (node.get("exact"), node.get("prefix"), node.get("regex")) {
        (Some(own), ..) => Ok(own.text() == asked),
        (None, Some(own), _) => Ok(asked.starts_with(own.text())),
        (None, None, Some(own)) => {
            path::matches(own.text(), asked).ok_or_else(|| format!("a pattern ({})", own.text()))
        }
        _ => Err("a match of another kind".to_owned()),
    }
}

fn fits(check: &Check<'_>, one: &Node) -> Result<bool, String> {
    let wss_bundle::structured::Value::Map(all) = &one.value else { return Ok(true) };
    let mut unknown = None;
    for (key, node) in all {
        let held = match key.as_str() {
            "name" | "ignoreUriCase" | "statPrefix" => Ok(true),
            "uri" => text_fits(node, check.path()),
            "scheme" => text_fits(node, if check.request.tls { "https" } else { "http" }),
            "method" => text_fits(node, "GET"),
            "authority" => text_fits(node, &check.request.authority()),
            "headers" => header(node),
            "port" => Ok(node.text() == check.request.port.to_string()),
            other => Err(other.to_owned()),
        };
        match held {
            Ok(true) => {}
            Ok(false) => return Ok(false),
            Err(why) => unknown = Some(why),
        }
    }
    unknown.map_or(Ok(true), Err)
}

/// Headers of the upgrade are known; others are not.
fn header(node: &Node) -> Result<bool, String> {
    let wss_bundle::structured::Value::Map(all) = &node.value else { return Ok(true) };
    let mut unknown = None;
    for (name, node) in all {
        match name.to_ascii_lowercase().as_str() {
            "upgrade" if !text_fits(node, "websocket")? => return Ok(false),
            "connection" if !text_fits(node, "Upgrade")? => return Ok(false),
            "upgrade" | "connection" => {}
            name => unknown = Some(format!("the header {name}")),
        }
    }
    unknown.map_or(Ok(true), Err)
}

fn taken(check: &mut Check<'_>, service: &Object<'_>, route: &Node) {
    check.follow(service.at(route.get("match").or_else(|| route.get("route")).unwrap_or(route)));
    if let Some(node) = route.get("redirect") {
        let status = node.text_of("redirectCode").parse().unwrap_or(301);
        let says =
            format!("redirects {} ({status}), which a WebSocket does not follow", check.path());
        return check.issue(Kind::PathRule(Some(status)), service.at(node), says, "");
    }
    if let Some(node) = route.get("directResponse") {
        let status = node.text_of("status").parse().ok();
        let says = format!("answers {} itself, and sends nothing to Bindplane", check.path());
        let at = service.at(node.get("status").unwrap_or(node));
        return check.issue(Kind::PathRule(status), at, says, "");
    }
    rewrite(check, service, route);
    let headers = route.get("headers").and_then(|headers| headers.get("request"));
    let removed = headers.map_or(&[][..], |request| request.items_of("remove"));
    let upgrade =
        |n: &&Node| ["upgrade", "connection"].iter().any(|own| n.text().eq_ignore_ascii_case(own));
    if let Some(node) = removed.iter().find(upgrade) {
        check.issue(Kind::UpgradeHeaders, service.at(node), "takes the upgrade's header away", "");
    }
    if let Some(node) = route.get("timeout")
        && let Some(limit) =
            seconds(node.text(), 1.0).filter(|limit| *limit > 0.0 && *limit < NEEDED_S)
    {
        let says = format!(
            "is Envoy's route timeout: older versions end upgraded sockets at {limit:.0} s, too \
                 (istio/istio#17424)"
        );
        check.if_seen(Kind::Lifetime(limit), service.at(node), says);
    }
    for one in route.items_of("route") {
        let Some(destination) = one.get("destination") else { continue };
        if one.text_of("weight") != "0" {
            to(check, service, destination);
        }
    }
}

fn rewrite(check: &mut Check<'_>, service: &Object<'_>, route: &Node) {
    let Some(rewrite) = route.get("rewrite") else { return };
    if let Some(node) = rewrite.get("authority") {
        let says = "gives the server this Host in the place of the browser's";
        check.issue(Kind::Host, service.at(node), says, "");
    }
    let Some(node) = rewrite.get("uri") else { return };
    let asked = check.path();
    let prefixes = route.items_of("match").iter().filter_map(|one| one.get("uri")?.get("prefix"));
    let prefix = prefixes.map(Node::text).find(|prefix| asked.starts_with(prefix));
    let new = match prefix {
        Some(prefix) => {
            format!("{}{}", node.text(), asked.strip_prefix(prefix).unwrap_or_default())
        }
        None => node.text().to_owned(),
    };
    if new != asked {
        let says = format!("asks the server for {new} in the place of {asked}");
        check.issue(Kind::PathChanged, service.at(node), says, "");
    }
}

/// The first part of `console.bindplane.svc.cluster.local`, and its namespace.
fn parts(host: &str) -> (&str, Option<&str>) {
    let mut parts = host.split('.');
    (parts.next().unwrap_or_default(), parts.next())
}

/// What is on the way to a destination.
fn to(check: &mut Check<'_>, of: &Object<'_>, destination: &Node) {
    const SAYS: &str = "makes Envoy speak HTTP/2 to the server, which an upgrade cannot cross";
    let (name, namespace) = parts(destination.text_of("host"));
    let namespace = namespace.unwrap_or(of.namespace);
    let own = |rule: &&Object<'_>| {
        let (host, own) = parts(rule.text(&["spec", "host"]));
        host == name && super::object::same(own.unwrap_or(rule.namespace), namespace)
    };
    if let Some(rule) = check.of("DestinationRule").iter().find(own) {
        let keys = ["spec", "trafficPolicy", "connectionPool", "http", "h2UpgradePolicy"];
        if let Some(node) = rule.get(&keys).filter(|node| node.text() == "UPGRADE") {
            let path = r#"{"spec":{"trafficPolicy":{"connectionPool":{"http":{"h2UpgradePolicy":"DO_NOT_UPGRADE"}}}}}"#;
            check.issue(Kind::Http2, rule.at(node), SAYS, rule.patch(path));
        }
    }
    let wanted = destination.get("port").and_then(|port| port.get("number"));
    let services = check.of("Service");
    let service =
        services.iter().find(|s| s.name == name && super::object::same(s.namespace, namespace));
    let Some(service) = service else { return };
    let mut backend = Backend::find(check, of, destination, service.name, namespace, wanted);
    if let (None, [one]) = (wanted, service.items(&["spec", "ports"])) {
        backend.port = Some(one);
    }
    service::answers(check, &backend, Some(503));
    let Some(port) = backend.port else { return };
    let protocol = port.get("appProtocol").or_else(|| port.get("name"));
    let Some(protocol) = protocol else { return };
    let word = protocol.text().split('-').next().unwrap_or_default();
    if matches!(word, "http2" | "grpc") || protocol.text() == "kubernetes.io/h2c" {
        check.issue(Kind::Http2, service.at(protocol), SAYS, "");
    }
}
