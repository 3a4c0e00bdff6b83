//! What a collection does, as a value: `--dry-run` prints it, a route runs by it, and
//! what of it was not done is recorded as such.

use super::holds::key_of;
use super::ladder::{Ladder, speaks_graphql};
use crate::config::{BrowserChoice, BrowserWay, Config, RouteConfig};
use crate::key::{Part, Probe, StepKey};
use crate::step::request;
use wss_bundle::observation::RouteKind;
use wss_bundle::target::Scheme;

/// One step of the plan.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PlannedStep {
    /// Which.
    pub key: StepKey,
    /// When its route begins it.
    pub(super) turn: Turn,
    /// Connections that it opens, at the most usual.
    pub connections: u32,
    /// Who is contacted, for people.
    pub contacts: String,
}

/// When a route begins a step, in this order. At most six connections at a time go to
/// one host (`step`), and each takes three round trips before it tells anything: so
/// what settles a verdict comes first, and what ends soonest makes room for the rest.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Turn {
    /// Before all else, which needs its addresses.
    Names,
    /// Beside all else, on connections of its own to another place.
    Beside,
    /// At once: it settles the verdict.
    Settles,
    /// Plain requests, which share a connection.
    Plain,
    /// What is asked over HTTP/2, on one connection.
    Http2,
    /// The other paths.
    Others,
    /// Once all of these have asked for their connection.
    Second,
    /// The same, and then.
    Recorded,
    /// On the first path that switches protocols, once that is known.
    Switched,
    /// When all of these have ended.
    After,
}

/// Every step that [`super::run`] takes when nothing fails.
#[must_use]
pub fn plan(config: &Config) -> Vec<PlannedStep> {
    let by_route = (0..config.routes.len()).flat_map(|index| plan_route(config, index));
    by_route.chain(config.browser.iter().map(|choice| plan_browser(config, choice))).collect()
}

pub(super) fn browser_key(choice: &BrowserChoice) -> StepKey {
    StepKey::new(Probe::Browser, choice.program.path.display().to_string())
}

fn plan_browser(config: &Config, choice: &BrowserChoice) -> PlannedStep {
    let by = match choice.way {
        BrowserWay::System => "as this machine's settings say",
        BrowserWay::AsPlanned => "as -x and --noproxy say",
    };
    PlannedStep {
        key: browser_key(choice),
        turn: Turn::Beside,
        // Each socket, the page, and what browsers open in advance.
        connections: u32::try_from(config.target.paths.len()).unwrap_or(16) + 4,
        contacts: format!("{}, from a browser, {by}", config.target.host_port()),
    }
}

pub(super) fn plan_route(config: &Config, index: usize) -> Vec<PlannedStep> {
    let RouteConfig { route, browsers, .. } = &config.routes[index];
    let target = config.target.host_port();
    let contacts = match &route.proxy {
        Some(proxy) => format!("{}:{}, for {target}", proxy.host, proxy.port),
        None => target,
    };
    let id = route.id.0.as_str();
    let step = |probe: Probe, turn: Turn, connections: u32| PlannedStep {
        key: StepKey::new(probe, id),
        turn,
        connections,
        contacts: contacts.clone(),
    };
    let mut steps = names(config, id);
    if route.id.is_direct() {
        steps.push(step(Probe::Addresses, Turn::Beside, 1));
    }
    let absolute = config.target.scheme == Scheme::Http && http_proxy(route.kind);
    for (at, path) in config.target.paths.iter().map(String::as_str).enumerate() {
        let first = at == 0;
        let mut add = |probe: Probe, turn: Turn, connections: u32| {
            let step = step(probe, turn, connections);
            let key = step.key.clone().part(Part::Path(path.to_owned()));
            steps.push(PlannedStep { key, ..step });
        };
        let (settles, second) = match first {
            true => (Turn::Settles, Turn::Settles),
            false => (Turn::Others, Turn::Second),
        };
        add(Probe::Upgrade, settles, 1);
        if has_twins(config, path) {
            add(Probe::PlainGet, Turn::Plain, 1);
            add(Probe::BrowserUpgrade, second, 1);
            if request::recorded(config, path).is_some() {
                add(Probe::RecordedUpgrade, Turn::Recorded, 1);
            }
        }
        if config.target.scheme == Scheme::Https && has_twins(config, path) {
            // The paths share a connection.
            add(Probe::H2Get, Turn::Http2, u32::from(first));
            add(Probe::H2Connect, Turn::Http2, 0);
        }
        if absolute {
            add(Probe::AbsoluteForm, Turn::Beside, 1);
        }
    }
    if compressed_paths(config).next().is_some() {
        steps.push(step(Probe::CompressedUpgrade, Turn::Switched, 1));
    }
    // In absolute form pages go to the proxy itself, not through its tunnel.
    steps.push(step(Probe::Pages, if absolute { Turn::Beside } else { Turn::Plain }, 1));
    // Where nothing fails, nothing of it is done.
    steps.push(step(Probe::Again, Turn::After, 0));
    let none_selected = !config.routes.iter().any(|r| r.route.selected);
    let held = route.selected || *browsers || route.id.is_direct() || (none_selected && index == 0);
    if held {
        let data = config.target.paths.iter().any(|path| speaks_graphql(path));
        for rung in Ladder::new(config.hold, data).rungs() {
            let step = step(rung.probe, Turn::After, 1);
            steps.push(PlannedStep { key: key_of(rung, &route.id), ..step });
        }
    }
    steps
}

/// What is asked of resolvers.
fn names(config: &Config, route: &str) -> Vec<PlannedStep> {
    let servers: Vec<String> = config.name_servers.iter().map(ToString::to_string).collect();
    let step = |probe: Probe, contacts: String| PlannedStep {
        key: StepKey::new(probe, route),
        turn: Turn::Names,
        connections: 0,
        contacts,
    };
    let system = "the system's resolver";
    let resolvers = match servers.is_empty() {
        true => system.to_owned(),
        false => format!("{system}; name servers {}", servers.join(", ")),
    };
    let mut steps = vec![step(Probe::Resolve, resolvers)];
    if let Some(server) = servers.first() {
        steps.push(step(Probe::ReverseNames, format!("name server {server}")));
    }
    steps
}

pub(super) fn http_proxy(kind: RouteKind) -> bool {
    matches!(kind, RouteKind::HttpProxy | RouteKind::HttpsProxy)
}

/// Whether a path has the console's twins. Browsers never open the agents'
/// socket; where it is one path of several, its upgrade alone tells enough.
pub(super) fn has_twins(config: &Config, path: &str) -> bool {
    !wss_bundle::target::is_agents(path) || config.target.paths.len() == 1
}

/// The paths that have them.
pub(super) fn twin_paths(config: &Config) -> impl Iterator<Item = &str> {
    config.target.paths.iter().map(String::as_str).filter(|path| has_twins(config, path))
}

/// The paths on one of which extensions are offered as well: what a hop does to
/// compressed frames does not depend on the path. Agents offer none.
pub(super) fn compressed_paths(config: &Config) -> impl Iterator<Item = &str> {
    twin_paths(config).filter(|path| !wss_bundle::target::is_agents(path))
}
