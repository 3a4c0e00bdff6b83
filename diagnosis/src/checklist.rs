//! The four items that support asks for ("Getting Help" on the page).

use crate::evidence::{Evidence, Reach, SocketState};
use crate::model::{ChecklistItem, Confidence, Device, DeviceRole, ItemStatus};
use crate::rule::{run_again, run_at, run_outside};
use wss_bundle::Vantage;

/// The items, in the page's order.
#[must_use]
pub(crate) fn checklist(e: &Evidence<'_>, devices: &[Device]) -> Vec<ChecklistItem> {
    vec![upgrade_test(e), proxy_or_lb(e, devices), failed_handshake(e), network_path(e)]
}

fn item(
    item: &'static str,
    have: Vec<String>,
    missing: Vec<String>,
    how: Option<String>,
) -> ChecklistItem {
    let status = match (have.is_empty(), missing.is_empty()) {
        (_, true) => ItemStatus::Complete,
        (true, false) => ItemStatus::Missing,
        (false, false) => ItemStatus::Partial,
    };
    ChecklistItem { item, status, have, how: if missing.is_empty() { None } else { how }, missing }
}

fn upgrade_test(e: &Evidence<'_>) -> ChecklistItem {
    let mut have = Vec::new();
    let mut seen = [false, false];
    for view in &e.bundles {
        let vantage = view.bundle.manifest.vantage;
        let Some(route) = view.selected() else { continue };
        let outcome = match (route.upgrade_reply(view.path), route.upgrade_failure(view.path)) {
            (Some(r), _) => r.line(),
            (None, Some((_, f))) => f.to_string(),
            (None, None) if matches!(route.reach(), Reach::Reached | Reach::NotTried) => continue,
            (None, None) => format!("stopped at {}", route.reach().name()),
        };
        seen[usize::from(vantage == Vantage::Outside)] = true;
        have.push(format!("{} by {}: {outcome}", vantage.as_str(), route.route.id));
    }
    let (missing, how) = match seen {
        [true, true] => (vec![], None),
        [true, false] => (
            vec!["the same test from outside the corporate network".to_owned()],
            Some(run_outside(e)),
        ),
        [false, true] => (
            vec!["the same test from inside the corporate network".to_owned()],
            Some(run_at(e, "inside")),
        ),
        _ => (vec!["the upgrade test".to_owned()], Some(run_again(e, ""))),
    };
    item("upgrade-test", have, missing, how)
}

fn proxy_or_lb(e: &Evidence<'_>, devices: &[Device]) -> ChecklistItem {
    let mut have: Vec<String> = devices
        .iter()
        .filter(|d| d.role != DeviceRole::Origin && d.product.is_some())
        .filter(|d| d.confidence >= Confidence::Medium)
        .map(|d| {
            format!(
                "{}: {}{}",
                d.role,
                d.product.as_deref().unwrap_or("unknown"),
                d.version.as_ref().map(|v| format!(" {v}")).unwrap_or_default()
            )
        })
        .collect();
    let versioned = devices
        .iter()
        .any(|d| d.role != DeviceRole::Origin && d.product.is_some() && d.version.is_some());
    let said =
        e.bundles.iter().filter_map(|v| v.bundle.manifest.answers.load_balancer.clone()).next();
    if let Some(said) = &said {
        have.push(format!("said by the customer: {said}"));
    }
    let mut missing = Vec::new();
    if have.is_empty() {
        missing.push("proxy or load balancer, and its version: none shows itself".to_owned());
    } else if !versioned && said.is_none() {
        missing.push("its version, which it does not show".to_owned());
    }
    item("proxy-or-load-balancer", have, missing, Some(run_again(e, "--lb 'NAME AND VERSION'")))
}

fn failed_handshake(e: &Evidence<'_>) -> ChecklistItem {
    let mut have = Vec::new();
    let mut missing = Vec::new();
    match e.deciding() {
        Some((_, route, path)) => match (route.upgrade_reply(path), route.upgrade_failure(path)) {
            (Some(r), _) => {
                have.push(format!(
                    "{} with {} headers, byte for byte",
                    r.line(),
                    r.reply.head.headers().len()
                ));
            }
            (None, Some((_, f))) => have.push(format!("no response: {f}")),
            (None, None) => match route.reach() {
                Reach::Reached | Reach::NotTried => {
                    missing.push("status and headers of the handshake".to_owned());
                }
                other => have.push(format!(
                    "there is no handshake to show: the route ends at {}",
                    other.name()
                )),
            },
        },
        None => missing.push("status and headers of the handshake".to_owned()),
    }
    if let Some((_, route, path)) = e.deciding()
        && route.socket(path) == SocketState::Works
    {
        have.push("the handshake succeeds".to_owned());
    }
    item("failed-handshake", have, missing, Some(run_again(e, "")))
}

fn network_path(e: &Evidence<'_>) -> ChecklistItem {
    let mut have = Vec::new();
    let mut said = false;
    for view in &e.bundles {
        if let Some(words) = &view.bundle.manifest.answers.network_path {
            said = true;
            have.push(format!("{}, in words: {words}", view.bundle.manifest.vantage.as_str()));
        }
        let proxies: Vec<String> = view
            .routes
            .iter()
            .filter(|r| !r.route.id.is_direct())
            .map(|r| r.route.id.to_string())
            .collect();
        have.push(format!(
            "{}: {}",
            view.bundle.manifest.vantage.as_str(),
            if proxies.is_empty() { "no proxy set".to_owned() } else { proxies.join(", ") }
        ));
        have.extend(view.bundle.environment.hints.iter().take(5).cloned());
    }
    let missing = if said {
        vec![]
    } else {
        vec!["a person's words: VPN, corporate proxy, cloud load balancer".to_owned()]
    };
    item(
        "network-path",
        have,
        missing,
        Some(run_again(e, "--network-path 'laptop > VPN > proxy > load balancer > Bindplane'")),
    )
}
