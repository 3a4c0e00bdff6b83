//! The four items that support asks for ("Getting Help" on the page).

use crate::curl_output::NoTest;
use crate::evidence::configured::described;
use crate::evidence::{Evidence, Fate, Meaning, Reach, SocketState};
use crate::model::NextStep;
use crate::model::{ChecklistItem, Confidence, Device, DeviceRole, ItemStatus, Location, Verdict};
use crate::suggest::{left_out_elsewhere, run_again, run_at, run_outside};

use wss_bundle::Vantage;
use wss_bundle::pasted::curl::Program;
use wss_bundle::transcript::quote;

/// The items, in the page's order.
#[must_use]
pub(crate) fn checklist(
    e: &Evidence<'_>,
    devices: &[Device],
    verdict: &Verdict,
) -> Vec<ChecklistItem> {
    let mut items = vec![
        upgrade_test(e),
        proxy_or_lb(e, devices, verdict),
        failed_handshake(e),
        network_path(e),
    ];
    // What only a person knows is asked for once.
    if items[1].how.is_some() && items[3].how.is_some() {
        let both = Some(run_again(e, NextStep::Again, &format!("{SAY_LB} {SAY_PATH}")).command);
        (items[1].how, items[3].how) = (both.clone(), both);
    }
    items
}

const SAY_LB: &str = "--lb 'NAME AND VERSION'";
const SAY_PATH: &str = "--network-path 'laptop > VPN > proxy > load balancer'";

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
        // What was pasted is told as that.
        let Some(route) = view.selected().filter(|_| e.probed(view)) else { continue };
        let outcome = match (route.upgrade_reply(view.path), route.upgrade_failure(view.path)) {
            (Some(r), _) => r.line(),
            (None, Some((_, f))) => f.to_string(),
            (None, None) if matches!(route.reach(), Reach::Reached | Reach::NotTried) => continue,
            (None, None) => {
                let reach = route.reach();
                let why =
                    reach.failure().map(|f| format!(" ({})", f.kind.words())).unwrap_or_default();
                format!("stopped at {}{why}", reach.name())
            }
        };
        seen[usize::from(vantage == Vantage::Outside)] = true;
        have.push(format!("{}, {}: {outcome}", vantage.as_str(), route.route.id.way()));
    }
    // The page's own command, pasted: as good for this item, where it is a test.
    let mut no_test = Vec::new();
    for output in e.pasted {
        let vantage = output.vantage;
        match &output.view {
            Ok(_) => {
                seen[usize::from(vantage == Vantage::Outside)] = true;
                have.push(format!("{} by curl, pasted: {}", vantage.as_str(), output.outcome));
            }
            Err(_) if output.beside => {}
            Err(why) => no_test.push((vantage, why, &output.outcome)),
        }
    }
    for (vantage, why, outcome) in no_test {
        if !seen[usize::from(vantage == Vantage::Outside)] {
            let missing = format!(
                "{} by curl, pasted, is no test ({outcome}): {}",
                vantage.as_str(),
                why.why()
            );
            return item("upgrade-test", have, vec![missing], Some(how_to_run(e, Some(why))));
        }
    }
    let (missing, how) = match seen {
        [true, true] => (vec![], None),
        [true, false] => (
            vec![match left_out_elsewhere(e) {
                Some(left_out) => {
                    format!("the same test from outside the corporate network ({left_out})")
                }
                None => "the same test from outside the corporate network".to_owned(),
            }],
            Some(run_outside(e).command),
        ),
        [false, true] => (
            vec!["the same test from inside the corporate network".to_owned()],
            Some(run_at(e, Vantage::Inside).command),
        ),
        _ => (vec!["the upgrade test".to_owned()], Some(run_again(e, NextStep::Again, "").command)),
    };
    item("upgrade-test", have, missing, how)
}

/// The page's command with the option that it lacks.
fn curl_command(e: &Evidence<'_>) -> String {
    let url = e.focus().map_or_else(String::new, |f| f.bundle.manifest.target.url(f.path));
    // Without its authority or its credentials it would show something else.
    let given = e.focus().map_or(&[][..], |f| &f.bundle.manifest.options);
    let given: String = given
        .iter()
        .filter(|option| option.of_the_request() && option.is_curls())
        .map(|option| format!("{} ", option.words()))
        .collect();
    format!(
        "curl -i -N --http1.1 -H 'Connection: Upgrade' -H 'Upgrade: websocket' -H \
         'Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==' -H 'Sec-WebSocket-Version: 13' {given}{}",
        quote(&url)
    )
}

/// A command of [`curl_command`] for cmd and PowerShell: cmd knows double quotes
/// alone, and PowerShell has another program by the name of curl.
fn for_windows(command: &str) -> String {
    let command = command.strip_prefix("curl ").unwrap_or(command);
    format!("curl.exe {}", command.replace('\'', "\""))
}

/// The command that gives usable output, by the name that it has there.
pub(crate) fn how_to_run(e: &Evidence<'_>, why: Option<&NoTest>) -> String {
    let command = curl_command(e);
    match why {
        Some(NoTest::Program(Program::InvokeWebRequest, _)) => for_windows(&command),
        Some(NoTest::Words(_) | NoTest::Here(_)) => {
            format!("{command} (in Windows' cmd or PowerShell: {})", for_windows(&command))
        }
        _ => command,
    }
}

/// On whose side the device stands whose name matters.
fn stands(device: &Device, location: Location) -> bool {
    let near = matches!(device.role, DeviceRole::ForwardProxy | DeviceRole::TlsInterceptor);
    match location {
        Location::ClientNetwork => near,
        Location::ServerSide => !near && device.role != DeviceRole::Origin,
        _ => device.role != DeviceRole::Origin,
    }
}

fn proxy_or_lb(e: &Evidence<'_>, devices: &[Device], verdict: &Verdict) -> ChecklistItem {
    let mut have: Vec<String> = devices
        .iter()
        .filter(|d| d.role != DeviceRole::Origin && d.confidence >= Confidence::Medium)
        .map(|d| match (&d.product, &d.version) {
            (Some(product), Some(version)) => format!("{}: {product} {version}", d.role),
            (Some(product), None) => format!("{}: {product}", d.role),
            (None, _) => format!("{}: product unknown", d.role),
        })
        .collect();
    let said =
        e.bundles.iter().filter_map(|v| v.bundle.manifest.answers.load_balancer.clone()).next();
    let mut missing = Vec::new();
    if said.is_none() {
        // The device that matters is the one on the side where it breaks.
        let mut there = devices.iter().filter(|d| stands(d, verdict.location));
        let named: Vec<&Device> = there.by_ref().filter(|d| d.product.is_some()).collect();
        // What it was set to do tells more than its version; of AWS' there is none.
        let names = described(e).filter_map(|(id, _)| Some(e.signatures.get(id)?.name.as_str()));
        let names: Vec<&str> = names.collect();
        let described = |d: &&Device| d.product.as_deref().is_some_and(|p| names.contains(&p));
        let whose = match verdict.location {
            Location::ClientNetwork => "the client's proxy or firewall",
            Location::ServerSide => "the load balancer",
            _ => "proxy or load balancer",
        };
        if named.is_empty() {
            missing.push(format!("product and version of {whose}"));
        } else if named.iter().all(|d| d.version.is_none()) && !named.iter().any(described) {
            missing.push("its version, which it does not show".to_owned());
        }
    }
    have.extend(said.map(|said| format!("said by the customer: {said}")));
    item(
        "proxy-or-load-balancer",
        have,
        missing,
        Some(run_again(e, NextStep::Again, SAY_LB).command),
    )
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
                Reach::TunnelStatus(_, tunnel, _) => {
                    let head = tunnel.result.ok().and_then(|reply| reply.head.as_ref());
                    let line = head.map(wss_bundle::ResponseHead::status_line).unwrap_or_default();
                    let count = head.map_or(0, |head| head.headers().len());
                    have.push(format!(
                        "{line} with {count} headers, byte for byte, in answer to CONNECT: the \
                         handshake itself was not reached"
                    ));
                }
                other => {
                    let why = other
                        .failure()
                        .map(|f| format!(" ({})", f.kind.words()))
                        .unwrap_or_default();
                    have.push(format!(
                        "there is no handshake to show: the route ends at {}{why}",
                        other.name()
                    ));
                }
            },
        },
        None => missing.push("status and headers of the handshake".to_owned()),
    }
    if let Some((_, route, path)) = e.deciding()
        && route.socket(path) == SocketState::Works
    {
        have.push(if route.trusted() == Some(false) {
            "it succeeds only because the collector went on with an untrusted certificate, which \
             browsers do not"
                .to_owned()
        } else {
            "the handshake succeeds".to_owned()
        });
    }
    let mut seen = by_browsers(e);
    seen.extend(by_a_message(e));
    if !seen.is_empty() {
        // A browser's own account is what the page asks for.
        missing.clear();
        have.extend(seen);
    }
    item("failed-handshake", have, missing, Some(run_again(e, NextStep::Again, "").command))
}

/// What somebody pasted from a browser's console, where it tells how it failed.
fn by_a_message(e: &Evidence<'_>) -> Option<String> {
    let text = e.bundles.iter().find_map(|v| v.bundle.manifest.answers.browser_message.as_ref())?;
    let meaning =
        crate::console::meaning(text).filter(|meaning| *meaning != Meaning::Unspecific)?;
    Some(format!("by what a browser's console said, as pasted: {}", meaning.words()))
}

/// What browsers saw of it, and which.
fn by_browsers(e: &Evidence<'_>) -> Vec<String> {
    let browsers = e.bundles.iter().flat_map(|view| view.browsers());
    let told = browsers.filter(|view| view.fate != Fate::NotTold);
    told.map(|view| {
        let seen = view.seen;
        let which = match (&seen.browser, seen.live) {
            (Some(browser), false) => format!("{} ({browser})", seen.source),
            _ => seen.source.clone(),
        };
        match (&seen.response, &seen.error, seen.console.first()) {
            (Some(head), ..) => {
                format!("by {which}: {} with {} headers", head.status_line(), head.headers().len())
            }
            (None, Some(words), _) | (None, None, Some(words)) => {
                format!("by {which}: no response ({words})")
            }
            (None, None, None) => format!("by {which}: no response"),
        }
    })
    .collect()
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
        // Of a machine that was not looked at nothing is known.
        if proxies.is_empty() && !e.probed(view) {
            continue;
        }
        have.push(format!(
            "{}: {}",
            view.bundle.manifest.vantage.as_str(),
            if proxies.is_empty() { "no proxy set".to_owned() } else { proxies.join(", ") }
        ));
        have.extend(view.bundle.environment.hints.iter().take(5).cloned());
        have.extend(view.bundle.environment.agents.iter().take(5).map(|agent| {
            format!("{} seems to run on this machine ({})", agent.name, agent.by.join("; "))
        }));
    }
    let missing = if said {
        vec![]
    } else {
        vec!["in a person's words: VPN, corporate proxy, cloud load balancer".to_owned()]
    };
    item("network-path", have, missing, Some(run_again(e, NextStep::Again, SAY_PATH).command))
}
