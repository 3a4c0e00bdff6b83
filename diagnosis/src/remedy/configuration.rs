//! What to write in a configuration that was given, and where.

use super::snippets;
use super::{remedy, with_found, with_snippet};
use crate::configuration::{Generator, Issue, Kind, Reading, fix};
use crate::evidence::Evidence;
use crate::model::Remedy;

/// What to write in a file that was given, and where.
pub(crate) fn configuration(e: &Evidence<'_>, reading: &Reading, issue: &Issue) -> Remedy {
    let dialect = reading.program.dialect();
    let fix = fix(reading.program, issue);
    let step = fix.step;
    let switch = switch(reading.generator, issue.kind);
    let mut steps = vec![
        format!("{}: `{}`. {step}{switch}", issue.place.short(), issue.line),
        format!("Then: {}", dialect.reload),
    ];
    let title = format!("Change {}", issue.place);
    // What is written anew by a program is no file to patch.
    if !issue.diff.is_empty() && reading.generator.is_none() {
        let how = "The diff is the whole change of this line; `patch -p1` takes it.";
        steps.insert(1, how.to_owned());
        return with_snippet(remedy(e, &title, &steps), "diff", issue.diff.as_str());
    }
    let base = remedy(e, &title, &steps);
    if !issue.command.is_empty() {
        return with_snippet(base, "shell", issue.command.as_str());
    }
    let known = |purpose| dialect.devices.iter().find_map(|device| snippets::of(device, purpose));
    with_found(base, fix.paste.and_then(known))
}

/// Where the program that wrote the file has a switch for it: what is edited by
/// hand there is overwritten.
fn switch(generator: Option<Generator>, kind: Kind) -> &'static str {
    let headers = matches!(kind, Kind::UpgradeHeaders | Kind::HttpVersion);
    let times = matches!(kind, Kind::Timeout(_) | Kind::SendTimeout(_));
    match generator {
        Some(Generator::NginxProxyManager) if headers => {
            " In Nginx Proxy Manager: switch on `Websockets Support` of the proxy host."
        }
        Some(Generator::NginxProxyManager) => {
            " In Nginx Proxy Manager: the proxy host's tab `Advanced` takes such lines."
        }
        Some(Generator::IngressNginx) if times => {
            " In Kubernetes: the Ingress' annotations nginx.ingress.kubernetes.io/proxy-read-timeout \
             and proxy-send-timeout, \"3600\"; the file itself is written anew."
        }
        Some(Generator::IngressNginx) => {
            " In Kubernetes: an annotation nginx.ingress.kubernetes.io/… of the Ingress, or the \
             controller's ConfigMap; the file itself is written anew."
        }
        Some(Generator::BtPanel) => {
            " In the panel: the website's `Reverse proxy` (its own file) or `Config`; both may be \
             written anew."
        }
        Some(Generator::Plesk) => {
            " In Plesk: `Apache & nginx Settings`, `Additional nginx directives`; the file itself is \
             written anew."
        }
        Some(Generator::Firewall) => {
            " The file is written by the firewall's HAProxy package: set it in its interface."
        }
        None => "",
    }
}
