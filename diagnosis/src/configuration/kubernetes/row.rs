//! Kubernetes' row of the table: how its objects are recognised.

use super::read::read;
use crate::configuration::dialect::{Dialect, Fix, Masked, Proof, Recognised, Text, no_includes};
use crate::configuration::part::{or_said, recognised};
use crate::configuration::{Issue, Kind};
use wss_bundle::redact::listed::KUBERNETES;

/// Kubernetes: Ingress, Service, Gateway API, and what controllers add.
pub(crate) const DIALECT: Dialect = Dialect {
    id: "kubernetes",
    name: "Kubernetes",
    devices: &[
        "ingress-nginx",
        "nginx",
        "traefik",
        "istio",
        "envoy",
        "kong",
        "haproxy",
        "openshift-router",
        "aws-alb",
        "aws-nlb",
        "aws-clb",
        "gcp-glb",
        "azure-appgw",
    ],
    expected: "what `kubectl get … -o yaml` prints",
    whole: "Kubernetes: `wss-collector config-commands kubernetes` prints the read-only commands",
    commands: &[
        "kubectl get ingress,ingressclass,service,endpointslice -A -o yaml > ingress.yaml",
        "kubectl get gateway,gatewayclass,httproute -A -o yaml > gateway.yaml   # Gateway API",
        "kubectl get backendconfig -A -o yaml > backendconfig.yaml   # GKE",
        "kubectl get gcpbackendpolicy -A -o yaml > policies.yaml   # GKE, Gateway API",
        "kubectl get backendtrafficpolicy,clienttrafficpolicy -A -o yaml > policies.yaml   # Envoy Gateway",
        "kubectl get virtualservice,destinationrule -A -o yaml > istio.yaml   # Istio",
        "kubectl get ingressroute,middleware -A -o yaml > traefik.yaml   # Traefik",
        "kubectl get httpproxy -A -o yaml > httpproxy.yaml   # Contour",
        "oc get route -A -o yaml > routes.yaml; oc get ingresscontroller -n openshift-ingress-operator -o yaml > router.yaml   # OpenShift",
        "kubectl get configmap -n ingress-nginx ingress-nginx-controller -o yaml > controller.yaml   # ingress-nginx",
    ],
    reload: "kubectl diff -f FILE && kubectl apply -f FILE",
    masked: Masked::Listed(&KUBERNETES),
    proof: Proof::Models,
    recognise,
    read,
    includes: no_includes,
    fix,
    edits: |_, _| Vec::new(),
};

/// What kubectl prints where it may not, or was not asked for YAML.
fn said(text: &str) -> Option<String> {
    let mut lines = text.lines().map(str::trim_end).filter(|line| !line.trim().is_empty());
    let first = lines.find(|line| !line.starts_with(['$', '#']))?;
    if let Some(rest) = text.split("Error from server (").nth(1) {
        let why = rest.split(')').next().unwrap_or_default();
        return Some(format!(
            "the API server answered {why}: the command has to be run by somebody who may read these objects"
        ));
    }
    let kubectl = [
        "The connection to the server ",
        "Unable to connect to the server",
        "error: You must be logged in",
    ];
    if kubectl.iter().any(|start| first.starts_with(start)) {
        return Some("kubectl did not reach the cluster: run the command where it does".to_owned());
    }
    if first.starts_with("No resources found") {
        return Some(
            "kubectl found nothing: give its namespace (-n NAME), or -A for all".to_owned(),
        );
    }
    if first.starts_with("error: the server doesn't have a resource type") {
        return Some(
            "the cluster has no objects of a kind that was asked for: leave that one out"
                .to_owned(),
        );
    }
    let columns: Vec<&str> = first.split_whitespace().collect();
    let table =
        matches!(columns.as_slice(), ["NAME" | "NAMESPACE", .., "AGE"] | ["NAMESPACE", "NAME", ..]);
    let described = first.starts_with("Name:") && text.contains("\nNamespace:");
    (table || described).then(|| {
        "it is kubectl's output for reading: run the command again as `kubectl get … -o yaml`"
            .to_owned()
    })
}

const TEMPLATE: &str = "it is a template of Helm's: give what it makes of it (`helm template`, or \
                        `kubectl get … -o yaml`)";

fn is_template(text: &str) -> bool {
    let objects = text.contains("apiVersion:");
    objects
        && text.contains("{{")
        && [".Values.", ".Release.", "include \""].iter().any(|word| text.contains(word))
}

fn recognise(text: &Text<'_>) -> Recognised {
    // A template may be YAML by chance.
    if is_template(text.text) && text.documents().is_some() {
        return Recognised::Broken(TEMPLATE.to_owned());
    }
    let like = |text: &str| text.contains("apiVersion");
    or_said(recognised(text, &KUBERNETES, like, "objects of Kubernetes"), || said(text.text))
}

fn fix(issue: &Issue) -> Option<Fix> {
    Some(match issue.kind {
        Kind::NoEffect => Fix::new(
            "Take it away, or write what is read: the name, the value and the object that the controller's \
             documentation has.",
        ),
        Kind::Timeout(_) => Fix::new("Raise the time to 3600 s, on the object that sets it."),
        Kind::Lifetime(_) => {
            Fix::new("Raise it to 3600 s or more: it ends sockets that are in use, too.")
        }
        Kind::SendTimeout(_) => Fix::new("Raise it to 3600 s."),
        Kind::Http2 => Fix::new("Speak HTTP/1.1 to the server (TLS with HTTP/1.1 is fine)."),
        Kind::UpgradeHeaders => Fix::new("Let the upgrade pass on this path."),
        Kind::PathRule(Some(503)) => {
            Fix::new("Make the Service's pods ready, and its ports those that the rule names.")
        }
        Kind::PathRule(Some(302 | 401)) => Fix::new(
            "Exempt /v1/ws and /v1/graphql from signing on by a rule of their own, or sign on by the page first.",
        ),
        Kind::PathRule(_) => Fix::new(
            "Give /v1 a path of type Prefix that goes to Bindplane's Service, beside or before what takes it now.",
        ),
        Kind::PathChanged => Fix::new("Let the path pass as it came."),
        Kind::Limit(_) => Fix::new("Leave room for a browser's handshakes."),
        _ => return None,
    })
}
