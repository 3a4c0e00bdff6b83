//! Ingresses that a cloud's own load balancer takes: GKE's, Azure's. AWS' is in `alb`.

use super::ingress::Taken;
use super::object::Object;
use super::read::Check;
use crate::configuration::{Kind, NEEDED_S, Place};
use wss_bundle::structured::{Node, documents};

const AGIC: &str = "appgw.ingress.kubernetes.io/";
/// Of a backend service, where no BackendConfig or policy says otherwise.
pub(super) const GOOGLE_S: f64 = 30.0;
/// The controller's `request-timeout`, where it is not set.
const AGIC_S: f64 = 30.0;

/// The value of an annotation that is JSON of its own.
pub(super) fn inner(node: &Node) -> Option<Node> {
    documents(node.text()).ok()?.into_iter().next()
}

/// Google's load balancer, as GKE's controller makes it.
pub(super) fn gke(check: &mut Check<'_>, taken: &Taken<'_>) {
    check.direct = true;
    let ingress = taken.ingress;
    let misplaced = ["cloud.google.com/backend-config", "beta.cloud.google.com/backend-config"];
    for name in misplaced {
        if let Some(node) = ingress.annotation(name) {
            check.idle(ingress.at(node), "belongs to the Service: on an Ingress nobody reads it");
        }
    }
    let Some(backend) = &taken.backend else { return };
    let Some(service) = backend.service else {
        let why = format!(
            "Service {} was not given: its BackendConfig says how long a connection lives ({GOOGLE_S:.0} s \
             without one). kubectl get service,backendconfig -o yaml",
            backend.name
        );
        return check.untold(Some(ingress.itself()), why);
    };
    if let Some(node) = service.annotation("cloud.google.com/app-protocols") {
        let name = backend.port.map_or("", |port| port.text_of("name"));
        let protocol = inner(node).map(|inner| inner.text_of(name).to_owned()).unwrap_or_default();
        if protocol == "HTTP2" {
            let says =
                "makes the load balancer speak HTTP/2 to the server, which an upgrade cannot cross";
            let value = format!(r#"'{{"{name}":"HTTP"}}'"#);
            let command = service.annotate(&[("cloud.google.com/app-protocols", &value)]);
            check.issue(Kind::Http2, service.at(node), says, command);
        }
    }
    let node = misplaced.iter().find_map(|name| service.annotation(name));
    let internal = taken.class.name == "gce-internal";
    let google = if internal { Google::Managed } else { Google::Classic };
    backend_config(check, &service, node, (google, backend.port));
}

/// Which BackendConfig a Service names for a port.
fn named(node: &Node, port: Option<&Node>) -> Option<String> {
    let inner = inner(node)?;
    let ports = inner.get("ports");
    let own = |key: &str| Some(ports?.text_of(port?.text_of(key)).to_owned());
    let found = own("name").filter(|name| !name.is_empty());
    let found = found.or_else(|| own("port").filter(|name| !name.is_empty()));
    found.or_else(|| Some(inner.text_of("default").to_owned()).filter(|name| !name.is_empty()))
}

fn backend_config(
    check: &mut Check<'_>,
    service: &Object<'_>,
    node: Option<&Node>,
    (google, port): (Google, Option<&Node>),
) {
    let make = format!(
        "{kubectl} apply -f - <<'END'\napiVersion: cloud.google.com/v1\nkind: BackendConfig\nmetadata:\n  \
         name: websocket\nspec:\n  timeoutSec: 3600\nEND\n{}",
        service.annotate(&[("cloud.google.com/backend-config", r#"'{"default":"websocket"}'"#)]),
        kubectl = service.kubectl(),
    );
    let Some(node) = node else {
        let how = "names no BackendConfig (cloud.google.com/backend-config): the load balancer ";
        return google_time(check, google, GOOGLE_S, service.itself(), how, make);
    };
    let Some(name) = named(node, port) else {
        let why = "which BackendConfig is meant for this port cannot be read from it";
        return check.untold(Some(service.at(node)), why);
    };
    check.follow(service.at(node));
    let own = |c: &&Object<'_>| c.name == name && c.beside(service);
    let Some(config) = check.of("BackendConfig").iter().find(own).copied() else {
        let why = format!(
            "BackendConfig {name} was not given (kubectl get backendconfig -o yaml); where it is not in the \
             Service's namespace, {GOOGLE_S:.0} s hold"
        );
        return check.untold(Some(service.at(node)), why);
    };
    let set = config.get(&["spec", "timeoutSec"]);
    let seconds = set.and_then(Node::number).unwrap_or(GOOGLE_S);
    let at = set.map_or_else(|| config.itself(), |node| config.at(node));
    let how = if set.is_some() { "" } else { "sets no timeoutSec: the load balancer " };
    let command = config.patch(r#"{"spec":{"timeoutSec":3600}}"#);
    google_time(check, google, seconds, at, how, command);
    if let Some(node) = config.get(&["spec", "iap", "enabled"]).filter(|n| n.text() == "true") {
        signed_on(check, config.at(node));
    }
}

/// Google's load balancers, by how they end sockets.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Google {
    /// At an age, idle or not ("Backend services overview").
    Classic,
    /// Where it is silent for so long; active ones live on ("Internal Application Load
    /// Balancer overview", of the managed ones).
    Managed,
}

/// A backend service's time, as its load balancer takes it.
pub(super) fn google_time(
    check: &mut Check<'_>,
    google: Google,
    seconds: f64,
    at: (Place, String),
    how: &str,
    command: String,
) {
    let age = format!("{how}ends a connection at {seconds:.0} s, whatever passes on it");
    let silence = format!("{how}cuts a connection on which nothing comes for {seconds:.0} s");
    let (sure, (other, says)) = match google {
        Google::Classic => ((Kind::Lifetime(seconds), age), (Kind::Timeout(seconds), silence)),
        Google::Managed => ((Kind::Timeout(seconds), silence), (Kind::Lifetime(seconds), age)),
    };
    check.short(sure.0, at.clone(), sure.1, command);
    // Its documents have said both of both: what was seen counts.
    if seconds < NEEDED_S {
        check.if_seen(other, at, says);
    }
}

/// Google's Identity-Aware Proxy.
pub(super) fn signed_on(check: &mut Check<'_>, at: (Place, String)) {
    let says = "wants requests to be signed on (Identity-Aware Proxy): what is not gets 302 or 401, and a \
                WebSocket follows no redirect";
    check.if_seen(Kind::PathRule(Some(302)), at, says);
}

/// Azure's Application Gateway, as its controller sets it up.
pub(super) fn app_gateway(check: &mut Check<'_>, taken: &Taken<'_>) {
    check.direct = true;
    let ingress = taken.ingress;
    let name = format!("{AGIC}request-timeout");
    let node = ingress.annotation(&name);
    let set = node.and_then(|node| node.text().parse::<u32>().ok()).map(f64::from);
    let seconds = set.unwrap_or(AGIC_S);
    let at = node.map_or_else(|| ingress.itself(), |node| ingress.at(node));
    let how = if set.is_some() { "" } else { "sets no request-timeout: the load balancer " };
    let says = format!("{how}ends a connection at {seconds:.0} s, whatever passes on it");
    let command = ingress.annotate(&[(&name, "3600")]);
    check.short(Kind::Lifetime(seconds), at, says, command);
    if let Some(node) = ingress.annotation(&format!("{AGIC}backend-path-prefix")) {
        let rule =
            taken.entry.map_or("", |entry| entry.text_of("path")).trim_end_matches(['*', '/']);
        let asked = check.path();
        let rest = asked.strip_prefix(rule).unwrap_or(asked);
        let new = format!("{}/{}", node.text().trim_end_matches('/'), rest.trim_start_matches('/'));
        if new != asked {
            let says = format!("asks the server for {new} in the place of {asked}");
            check.issue(Kind::PathChanged, ingress.at(node), says, "");
        }
    }
    if let Some(node) = ingress.annotation(&format!("{AGIC}backend-hostname")) {
        let says = "gives the server this Host in the place of the browser's";
        check.issue(Kind::Host, ingress.at(node), says, "");
    }
}
