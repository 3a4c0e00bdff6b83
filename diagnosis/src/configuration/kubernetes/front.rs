//! What stands before the cluster: a Service of type LoadBalancer, where it shows
//! whose it is.

use super::object::Object;
use super::read::Check;
use crate::configuration::{Fix, Kind};
use wss_bundle::structured::Node;

const AWS: &str = "service.beta.kubernetes.io/aws-load-balancer-";
const AZURE: &str = "service.beta.kubernetes.io/azure-load-balancer-tcp-idle-timeout";
/// A Classic Load Balancer's idle timeout, where it is not set.
const CLASSIC_S: f64 = 60.0;
/// A Network Load Balancer's.
const NETWORK_S: f64 = 350.0;

/// Looks at them; `any` says whether something else took the request.
pub(super) fn read(check: &mut Check<'_>, any: bool) {
    if check.direct {
        return;
    }
    let port = check.request.port.to_string();
    let own = |service: &Object<'_>| {
        let ports = service.items(&["spec", "ports"]);
        let balancer = service.text(&["spec", "type"]) == "LoadBalancer";
        balancer && ports.iter().any(|one| one.text_of("port") == port)
    };
    let all: Vec<Object<'_>> = check.of("Service").into_iter().filter(own).collect();
    let before = check.sure;
    check.sure &= all.len() == 1;
    for service in &all {
        if !any {
            check.follow(service.itself());
        }
        aws(check, service);
        azure(check, service);
    }
    check.sure = before;
    if let (false, [], Some(first)) = (any, all.as_slice(), check.all.first().copied()) {
        nothing(check, &first);
    }
}

/// Nothing that was given takes requests.
fn nothing(check: &mut Check<'_>, first: &Object<'_>) {
    let deciding = ["BackendConfig", "GCPBackendPolicy", "ConfigMap", "IngressClass", "Service"];
    let at = deciding.iter().find_map(|kind| check.of(kind).first().copied()).unwrap_or(*first);
    let why = "nothing that was given takes requests: give the Ingress or HTTPRoute as well \
               (`wss-collector config-commands kubernetes`)";
    check.untold(Some(at.itself()), why);
}

/// Where the cloud says what it made.
fn host<'n>(service: &Object<'n>) -> &'n str {
    let all = service.items(&["status", "loadBalancer", "ingress"]);
    all.first().map_or("", |one| one.text_of("hostname"))
}

fn aws(check: &mut Check<'_>, service: &Object<'_>) {
    let get = |name: &str| service.annotation(&format!("{AWS}{name}"));
    let host = host(service);
    let annotated = service.annotations().iter().any(|(name, _)| name.starts_with(AWS));
    if !annotated && !host.ends_with(".amazonaws.com") {
        return;
    }
    proxy_protocol(check, service, get("proxy-protocol"));
    let kind = get("type").map_or("", Node::text);
    let class = service.text(&["spec", "loadBalancerClass"]);
    let network = kind.starts_with("nlb") || kind == "external" || class.ends_with("/nlb")
        // `x.elb.us-east-1.amazonaws.com`; a Classic's is `x.us-east-1.elb.amazonaws.com`.
        || host.contains(".elb.") && !host.ends_with(".elb.amazonaws.com");
    check.device(if network { "aws-nlb" } else { "aws-clb" });
    if network {
        return nlb(check, service);
    }
    if let Some(node) = get("backend-protocol")
        && matches!(node.text(), "http" | "https")
    {
        let says = "makes the Classic Load Balancer read HTTP, and drop Upgrade: it carries WebSocket by \
                        tcp or ssl alone";
        let name = format!("{AWS}backend-protocol");
        check.issue(Kind::UpgradeHeaders, service.at(node), says, String::new());
        let fix = "Let it pass bytes on (tcp, or ssl for TLS to the pods), or use a Network or an Application Load \
                   Balancer.";
        check.mended_by(Fix::new(fix), service.annotate(&[(&name, "tcp")]));
    }
    let name = format!("{AWS}connection-idle-timeout");
    let node = service.annotation(&name);
    let seconds = node.and_then(|node| node.text().parse().ok()).unwrap_or(CLASSIC_S);
    let at = node.map_or_else(|| service.itself(), |node| service.at(node));
    let how =
        if node.is_some() { "" } else { "sets no connection-idle-timeout: the load balancer " };
    let says = format!("{how}cuts a connection on which nothing comes for {seconds:.0} s");
    check.short(Kind::Timeout(seconds), at, says, service.annotate(&[(&name, "3600")]));
}

fn nlb(check: &mut Check<'_>, service: &Object<'_>) {
    const KEY: &str = "tcp.idle_timeout.seconds";
    if let Some(node) = service.annotation(&format!("{AWS}connection-idle-timeout")) {
        check.idle(
            service.at(node),
            "is a Classic Load Balancer's: a Network Load Balancer does not know it",
        );
    }
    let prefix = format!("{AWS}listener-attributes.");
    let end = format!("-{}", check.request.port);
    let own = |name: &str| name.starts_with(&prefix) && name.ends_with(&end);
    let node = service.annotations().iter().find(|(name, _)| own(name)).map(|(_, node)| node);
    let set = node.and_then(|node| super::annotation::attribute(node.text(), KEY));
    let set = set.and_then(|text| text.parse().ok());
    let seconds = set.unwrap_or(NETWORK_S);
    let at = node.map_or_else(|| service.itself(), |node| service.at(node));
    let how =
        if set.is_some() { "" } else { "sets no tcp.idle_timeout.seconds: the load balancer " };
    let says = format!("{how}forgets a connection on which nothing comes for {seconds:.0} s");
    let name = format!("{prefix}TCP{end}");
    let command = service.annotate(&[(&name, &format!("{KEY}=3600"))]);
    check.short(Kind::Timeout(seconds), at, says, command);
}

/// Both ends have to agree on it.
fn proxy_protocol(check: &mut Check<'_>, service: &Object<'_>, node: Option<&Node>) {
    const KEY: &str = "use-proxy-protocol";
    let own =
        |map: &Object<'_>| map.get(&["data", KEY]).is_some() || map.name.contains("ingress-nginx");
    let Some(map) = check.of("ConfigMap").into_iter().find(own) else { return };
    let awaited = map.get(&["data", KEY]).filter(|node| node.text() == "true");
    match (node, awaited) {
        (Some(node), None) => {
            let says = format!(
                "sends a PROXY header, and ConfigMap {} does not expect it ({KEY})",
                map.name
            );
            let command = map.patch(r#"{"data":{"use-proxy-protocol":"true"}}"#);
            check.issue(Kind::ProxyHeaderSent, service.at(node), says, command);
        }
        (None, Some(awaited)) => {
            let says =
                format!("waits for a PROXY header, and Service {} has none sent", service.name);
            let command = service.annotate(&[(&format!("{AWS}proxy-protocol"), "'*'")]);
            check.issue(Kind::ProxyHeaderAwaited, map.at(awaited), says, command);
        }
        _ => {}
    }
}

/// Azure's time is in minutes: four, unless it is set.
fn azure(check: &mut Check<'_>, service: &Object<'_>) {
    let azure = "service.beta.kubernetes.io/azure-";
    if !service.annotations().iter().any(|(name, _)| name.starts_with(azure)) {
        return;
    }
    let node = service.annotation(AZURE);
    let minutes: f64 = node.and_then(|node| node.text().parse().ok()).unwrap_or(4.0);
    let at = node.map_or_else(|| service.itself(), |node| service.at(node));
    let how = if node.is_some() { "" } else { "sets no tcp-idle-timeout: Azure's load balancer " };
    let says = format!("{how}forgets a connection on which nothing comes for {minutes:.0} min");
    check.short(Kind::Timeout(minutes * 60.0), at, says, service.annotate(&[(AZURE, "60")]));
}
