//! The Service behind a rule: whether it is there, its port, and who answers.

use super::controller::Controller;
use super::ingress::Taken;
use super::object::{Object, same};
use super::read::Check;
use crate::configuration::Kind;
use wss_bundle::structured::Node;

/// What a rule sends to.
#[derive(Clone, Copy)]
pub(super) struct Backend<'n> {
    /// Whose rule it is.
    pub(super) of: Object<'n>,
    /// The rule's own words for it.
    pub(super) node: &'n Node,
    pub(super) name: &'n str,
    /// Its port there, as a number or a name.
    wanted: Option<&'n Node>,
    /// The Service, where it was given.
    pub(super) service: Option<Object<'n>>,
    /// The entry of its ports.
    pub(super) port: Option<&'n Node>,
}

impl<'n> Backend<'n> {
    /// Of an Ingress: `service.name`, or `serviceName` as before version 1.
    pub(super) fn of_ingress(check: &Check<'n>, of: &Object<'n>, node: &'n Node) -> Self {
        let service = node.get("service");
        let name = service.map_or_else(|| node.text_of("serviceName"), |s| s.text_of("name"));
        let port = service.and_then(|service| service.get("port"));
        let wanted = match port {
            Some(port) => port.get("number").or_else(|| port.get("name")),
            None => node.get("servicePort"),
        };
        Self::find(check, of, node, name, of.namespace, wanted)
    }

    /// The Service of a name.
    pub(super) fn find(
        check: &Check<'n>,
        of: &Object<'n>,
        node: &'n Node,
        name: &'n str,
        namespace: &str,
        wanted: Option<&'n Node>,
    ) -> Self {
        let own = |s: &&Object<'n>| s.name == name && same(s.namespace, namespace);
        let service = check.of("Service").iter().find(own).copied();
        let port = service.zip(wanted).and_then(|(service, wanted)| {
            let fits = |p: &&Node| {
                p.text_of("port") == wanted.text() || p.text_of("name") == wanted.text()
            };
            service.items(&["spec", "ports"]).iter().find(fits)
        });
        Self { of: *of, node, name, wanted, service, port }
    }

    /// What the port is said to speak: `appProtocol`, or as Istio has it the name's
    /// beginning.
    pub(super) fn protocol(&self) -> Option<(Object<'n>, &'n Node)> {
        Some((self.service?, self.port?.get("appProtocol")?))
    }
}

/// The backend of a rule as JSON, for a command; made up where there is none.
pub(super) fn json(node: Option<&Node>) -> String {
    let service = node.and_then(|node| node.get("service"));
    let name = service.map_or("SERVICE", |service| service.text_of("name"));
    let port = service.and_then(|service| service.get("port"));
    let port = match port.map(|port| (port.text_of("number"), port.text_of("name"))) {
        Some(("", name)) if !name.is_empty() => format!(r#"{{"name":"{name}"}}"#),
        Some((number, _)) if !number.is_empty() => format!(r#"{{"number":{number}}}"#),
        _ => r#"{"number":3001}"#.to_owned(),
    };
    format!(r#"{{"service":{{"name":"{name}","port":{port}}}}}"#)
}

/// What an Ingress' Service itself gets wrong.
pub(super) fn behind(check: &mut Check<'_>, taken: &Taken<'_>, controller: Controller) {
    let Some(backend) = &taken.backend else { return };
    let status = match controller {
        Controller::IngressNginx | Controller::Contour | Controller::HaproxyIngress => Some(503),
        _ => None,
    };
    answers(check, backend, status);
}

/// Whether somebody answers; `status` is what is said where nobody does.
pub(super) fn answers(check: &mut Check<'_>, backend: &Backend<'_>, status: Option<u16>) {
    let Some(service) = backend.service else { return };
    check.follow(service.itself());
    if let (None, Some(wanted)) = (backend.port, backend.wanted) {
        let ports = service.items(&["spec", "ports"]);
        let own: Vec<&str> = ports.iter().map(|port| port.text_of("port")).collect();
        if !own.is_empty() && !wanted.text().is_empty() {
            let says = format!(
                "is a port that Service {} has not (it has {})",
                service.name,
                own.join(", ")
            );
            return check.issue(Kind::PathRule(status), backend.of.at(wanted), says, "");
        }
    }
    if let Some(at) = empty(check, &service) {
        let says =
            format!("has no address that is ready: nobody answers for Service {}", service.name);
        let command = format!("{} get pods,endpointslices", service.kubectl());
        check.issue(Kind::PathRule(status), at, says, command);
    }
}

/// What shows that a Service has nobody behind it.
fn empty(check: &Check<'_>, service: &Object<'_>) -> Option<(crate::configuration::Place, String)> {
    let own = |o: &&Object<'_>| o.beside(service);
    let label = "kubernetes.io/service-name";
    let slices: Vec<_> = check
        .of("EndpointSlice")
        .into_iter()
        .filter(|slice| own(&slice))
        .filter(|slice| slice.text(&["metadata", "labels", label]) == service.name)
        .collect();
    if let Some(first) = slices.first() {
        let ready = |slice: &Object<'_>| {
            slice
                .items(&["endpoints"])
                .iter()
                .any(|one| one.get("conditions").is_none_or(|c| c.text_of("ready") != "false"))
        };
        return (!slices.iter().any(ready)).then(|| {
            first.get(&["endpoints"]).map_or_else(|| first.itself(), |node| first.at(node))
        });
    }
    let endpoints =
        check.of("Endpoints").into_iter().find(|e| own(&e) && e.name == service.name)?;
    let ready = endpoints.items(&["subsets"]).iter().any(|s| !s.items_of("addresses").is_empty());
    (!ready).then(|| {
        endpoints.get(&["subsets"]).map_or_else(|| endpoints.itself(), |node| endpoints.at(node))
    })
}
