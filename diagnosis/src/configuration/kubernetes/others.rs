//! Controllers of which few annotations decide: F5's, both of HAProxy, Contour, Kong,
//! OpenShift.

use super::annotation::seconds;
use super::controller::Controller;
use super::ingress::Taken;
use super::object::Object;
use super::read::Check;
use super::service::Backend;
use crate::configuration::Kind;
use wss_bundle::structured::Node;

const H2: &str = "makes it speak HTTP/2 to the server, which an upgrade cannot cross";

/// By the controller.
pub(super) fn settings(check: &mut Check<'_>, taken: &Taken<'_>) {
    match taken.class.known.map(|known| known.controller) {
        Some(Controller::F5) => f5(check, taken),
        Some(Controller::HaproxyIngress) => {
            tunnel(check, taken, "haproxy-ingress.github.io/timeout-tunnel");
            h2(
                check,
                taken,
                "haproxy-ingress.github.io/backend-protocol",
                &["h2", "h2-ssl", "grpc", "grpcs"],
            );
        }
        Some(Controller::HaproxyTech) => {
            tunnel(check, taken, "haproxy.org/timeout-tunnel");
            h2(check, taken, "haproxy.org/server-proto", &["h2"]);
        }
        Some(Controller::OpenShift) => {
            tunnel(check, taken, "haproxy.router.openshift.io/timeout-tunnel");
        }
        Some(Controller::Contour) => contour(check, taken),
        Some(Controller::Kong) => kong(check, taken),
        _ => {}
    }
}

/// Class nginx without an annotation that tells the two programs apart.
pub(super) fn either_nginx(check: &mut Check<'_>, taken: &Taken<'_>) {
    let says = "sets no timeout: ingress-nginx and F5's controller alike cut a connection on which nothing \
                comes from the server for 60 s";
    check.sure = true;
    check.issue(Kind::Timeout(60.0), taken.ingress.itself(), says, "");
}

/// Whether a list of Services has one.
fn lists(node: Option<&Node>, name: &str) -> bool {
    let all = node.map_or("", Node::text).split(',');
    all.map(str::trim).any(|own| own == name)
}

fn f5(check: &mut Check<'_>, taken: &Taken<'_>) {
    let ingress = taken.ingress;
    let service = taken.backend.as_ref().map_or("", |backend| backend.name);
    let websocket = ingress.annotation("nginx.org/websocket-services");
    if !lists(websocket, service) && !service.is_empty() {
        let at = websocket.map_or_else(|| ingress.itself(), |node| ingress.at(node));
        let says = format!(
            "does not name {service} as a Service of WebSockets (nginx.org/websocket-services): F5's \
             controller then sends no Upgrade on"
        );
        let all = websocket.map_or("", Node::text);
        let all = if all.is_empty() { service.to_owned() } else { format!("{all},{service}") };
        let command = ingress.annotate(&[("nginx.org/websocket-services", &all)]);
        check.issue(Kind::UpgradeHeaders, at, says, command);
    }
    if let Some(node) = ingress.annotation("nginx.org/grpc-services")
        && lists(Some(node), service)
    {
        check.issue(Kind::Http2, ingress.at(node), H2, "");
    }
    for name in ["nginx.org/location-snippets", "nginx.org/server-snippets"] {
        if let Some(node) = ingress.annotation(name) {
            let why = "a snippet is nginx' own language, put in as it is: `nginx -T` in the controller's pod \
                       shows what is in effect";
            check.untold(Some(ingress.at(node)), why);
        }
    }
    let name = "nginx.org/proxy-read-timeout";
    let node = ingress.annotation(name);
    let read = node.and_then(|node| seconds(node.text(), 1.0)).unwrap_or(60.0);
    let at = node.map_or_else(|| ingress.itself(), |node| ingress.at(node));
    let how = if node.is_some() { "" } else { "sets no nginx.org/proxy-read-timeout: nginx " };
    let says =
        format!("{how}cuts a connection on which nothing comes from the server for {read:.0} s");
    let pairs = [(name, "3600s"), ("nginx.org/proxy-send-timeout", "3600s")];
    check.short(Kind::Timeout(read), at, says, ingress.annotate(&pairs));
}

/// HAProxy's `timeout tunnel`: an hour by both controllers and the router.
fn tunnel(check: &mut Check<'_>, taken: &Taken<'_>, name: &str) {
    let own = taken.annotation(name).map(|node| (taken.ingress, node));
    let Some((object, node)) = own.or_else(|| taken.of_service(name)) else { return };
    match seconds(node.text(), 0.001) {
        Some(set) => {
            let says = format!("cuts a connection on which nothing comes for {set:.0} s");
            check.short(
                Kind::Timeout(set),
                object.at(node),
                says,
                object.annotate(&[(name, "1h")]),
            );
        }
        None => check.untold(Some(object.at(node)), "this time is not understood"),
    }
}

fn h2(check: &mut Check<'_>, taken: &Taken<'_>, name: &str, words: &[&str]) {
    let own = taken.annotation(name).map(|node| (taken.ingress, node));
    let Some((object, node)) = own.or_else(|| taken.of_service(name)) else { return };
    if words.iter().any(|word| node.text().eq_ignore_ascii_case(word)) {
        check.issue(Kind::Http2, object.at(node), H2, remove(&object, name));
    }
}

/// The command that takes an annotation away.
fn remove(object: &Object<'_>, name: &str) -> String {
    let kind = object.kind.to_ascii_lowercase();
    format!("{} annotate {kind} {} {name}-", object.kubectl(), object.name)
}

/// Contour lets the paths upgrade that are listed, as they stand in the Ingress; its
/// Envoy has a stream idle timeout of five minutes.
fn contour(check: &mut Check<'_>, taken: &Taken<'_>) {
    const ROUTES: &str = "projectcontour.io/websocket-routes";
    let ingress = taken.ingress;
    let path = taken.entry.map_or("/", |entry| entry.text_of("path"));
    let path = if path.is_empty() { "/" } else { path };
    let node = ingress.annotation(ROUTES);
    if !lists(node, path) {
        let at = node.map_or_else(|| ingress.itself(), |node| ingress.at(node));
        let says = format!(
            "does not list the path {path} for WebSocket ({ROUTES}): Envoy then refuses upgrades (403)"
        );
        let all = node.map_or("", Node::text);
        let all = if all.is_empty() { path.to_owned() } else { format!("{all},{path}") };
        check.issue(Kind::UpgradeHeaders, at, says, ingress.annotate(&[(ROUTES, &all)]));
    }
    if let Some(backend) = &taken.backend {
        contour_protocol(check, backend);
    }
}

/// What a Service's annotations make Contour speak to it.
pub(super) fn contour_protocol(check: &mut Check<'_>, backend: &Backend<'_>) {
    for name in
        ["projectcontour.io/upstream-protocol.h2", "projectcontour.io/upstream-protocol.h2c"]
    {
        let Some(service) = backend.service else { continue };
        let Some(node) = service.annotation(name) else { continue };
        let port = backend.port.map(|port| [port.text_of("name"), port.text_of("port")]);
        let own = |port: &str| !port.is_empty() && lists(Some(node), port);
        if port.is_some_and(|names| names.into_iter().any(own)) {
            check.issue(Kind::Http2, service.at(node), H2, remove(&service, name));
        }
    }
}

/// Kong's times are milliseconds, and the Service's.
fn kong(check: &mut Check<'_>, taken: &Taken<'_>) {
    const READ: &str = "konghq.com/read-timeout";
    let ingress = taken.ingress;
    for name in [READ, "konghq.com/write-timeout"] {
        if let Some(node) = ingress.annotation(name) {
            let says = "belongs to the Service: on an Ingress Kong does not read it";
            check.idle(ingress.at(node), says);
        }
    }
    if let Some(node) = ingress.annotation("konghq.com/strip-path").filter(|n| n.text() == "true") {
        let path = taken.entry.map_or("", |entry| entry.text_of("path"));
        let asked = check.path();
        let rest = asked.strip_prefix(path.trim_end_matches('/')).unwrap_or(asked);
        if rest != asked {
            let says = format!("asks the server for {rest} in the place of {asked}");
            check.issue(
                Kind::PathChanged,
                ingress.at(node),
                says,
                remove(&ingress, "konghq.com/strip-path"),
            );
        }
    }
    let Some(service) = taken.backend.as_ref().and_then(|backend| backend.service) else {
        let why = "the Service was not given: its annotation konghq.com/read-timeout says how long a silence \
                   may be (60000 ms without it)";
        return check.untold(Some(ingress.itself()), why);
    };
    let node = service.annotation(READ);
    let read = node.and_then(|node| seconds(node.text(), 0.001)).unwrap_or(60.0);
    let at = node.map_or_else(|| service.itself(), |node| service.at(node));
    let how = if node.is_some() { "" } else { "sets no konghq.com/read-timeout: Kong " };
    let says =
        format!("{how}cuts a connection on which nothing comes from the server for {read:.0} s");
    let pairs = [(READ, "3600000"), ("konghq.com/write-timeout", "3600000")];
    check.short(Kind::Timeout(read), at, says, service.annotate(&pairs));
    if let Some((service, node)) = taken.of_service("konghq.com/protocol")
        && matches!(node.text(), "grpc" | "grpcs")
    {
        check.issue(Kind::Http2, service.at(node), H2, remove(&service, "konghq.com/protocol"));
    }
}
