//! Google Cloud's row of the table: how what `gcloud` prints is recognised.

use super::check::read;
use crate::configuration::dialect::{Dialect, Fix, Masked, Proof, Recognised, Text, no_includes};
use crate::configuration::part::{or_said, recognised};
use crate::configuration::{Issue, Kind};
use wss_bundle::redact::listed::GCP;

/// Google Cloud: Application and proxy Network Load Balancers.
pub(crate) const DIALECT: Dialect = Dialect {
    id: "gcp",
    name: "Google Cloud",
    devices: &["gcp-glb"],
    expected: "what `gcloud compute … describe` prints",
    whole: "Google Cloud: `wss-collector config-commands gcp` prints the read-only commands",
    commands: &[
        "gcloud compute forwarding-rules list --format=yaml > rules.yaml",
        "gcloud compute target-https-proxies list --format=yaml > proxies.yaml",
        "gcloud compute url-maps list --format=yaml > url-maps.yaml",
        "gcloud compute backend-services list --format=yaml > backend-services.yaml",
    ],
    reload: "it is in effect within minutes",
    masked: Masked::Listed(&GCP),
    proof: Proof::Models,
    recognise,
    read,
    includes: no_includes,
    fix,
    edits: |_, _| Vec::new(),
};

/// What the tool prints where it may not, or was not asked for YAML.
fn said(text: &str) -> Option<String> {
    let first = text.lines().find(|line| !line.trim().is_empty() && !line.starts_with('$'))?;
    if first.starts_with("ERROR: (gcloud.") {
        return Some(
            "gcloud refused it: the command has to be run by somebody who may read the load balancer, in its \
             project (--project)"
                .to_owned(),
        );
    }
    let columns: Vec<&str> = first.split_whitespace().collect();
    let words = ["BACKENDS", "DEFAULT_SERVICE", "IP_ADDRESS", "URL_MAP", "SSL_CERTIFICATES"];
    let table = columns.first() == Some(&"NAME") && columns.iter().any(|word| words.contains(word));
    table.then(|| "it is gcloud's table: run the command again with --format=yaml".to_owned())
}

fn recognise(text: &Text<'_>) -> Recognised {
    let own = recognised(text, &GCP, |text| text.contains("compute#"), "what gcloud prints");
    or_said(own, || said(text.text))
}

fn fix(issue: &Issue) -> Option<Fix> {
    Some(match issue.kind {
        Kind::Http2 => Fix::new("Speak HTTP/1.1 (HTTP or HTTPS) to the backend."),
        Kind::Timeout(_) => Fix::new("Raise the backend service's timeout to 3600 s."),
        Kind::Lifetime(_) => Fix::new(
            "Raise the backend service's timeout to 3600 s or more: it ends sockets that are in use, too.",
        ),
        Kind::PathRule(Some(302 | 401)) => Fix::new(
            "Give the WebSocket's paths a backend service without Identity-Aware Proxy, or sign on by the page first.",
        ),
        Kind::PathRule(Some(403)) => {
            Fix::new("Let the policy's rules pass the WebSocket's paths; its log names the rule.")
        }
        Kind::PathRule(_) => Fix::new(
            "Give /v1/* a path rule of the URL map that goes to Bindplane's backend service.",
        ),
        _ => return None,
    })
}
