//! What a collection would do, as a printable value: `--dry-run` shows it, and
//! what of it was not done is recorded as such.

use super::holds::step_of;
use super::ladder::{Ladder, speaks_graphql};
use crate::browser::{Choice, Way as BrowserWay};
use crate::config::{Config, RouteConfig};
use crate::net::request;
use wss_bundle::observation::{RouteKind, probe as name};
use wss_bundle::target::Scheme;

/// One step of the plan.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PlannedStep {
    /// As in its [`wss_bundle::manifest::StepRecord`].
    pub name: String,
    /// The route's name.
    pub route: String,
    /// The path, for probes that are about one.
    pub path: Option<String>,
    /// Connections that it opens, at the most usual.
    pub connections: u32,
    /// Who is contacted, for people.
    pub contacts: String,
}

pub(super) fn step_name(probe: &str, route: &str, path: Option<&str>) -> String {
    match path {
        Some(path) => format!("{probe} {path}, {route}"),
        None => format!("{probe}, {route}"),
    }
}

pub(super) fn http_proxy(kind: RouteKind) -> bool {
    matches!(kind, RouteKind::HttpProxy | RouteKind::HttpsProxy)
}

/// Every step that [`super::run`] takes when nothing fails, in order.
#[must_use]
pub fn plan(config: &Config) -> Vec<PlannedStep> {
    let by_route = (0..config.routes.len()).flat_map(|index| plan_route(config, index));
    by_route.chain(config.browser.iter().map(|choice| plan_browser(config, choice))).collect()
}

pub(super) fn browser_step(choice: &Choice) -> String {
    format!("browser, {}", choice.program.path.display())
}

fn plan_browser(config: &Config, choice: &Choice) -> PlannedStep {
    let by = match choice.way {
        BrowserWay::System => "as this machine's settings say",
        BrowserWay::AsPlanned => "as -x and --noproxy say",
    };
    PlannedStep {
        name: browser_step(choice),
        route: "browser".to_owned(),
        path: None,
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
    let servers: Vec<String> = config.name_servers.iter().map(ToString::to_string).collect();
    let resolvers = format!("the system's resolver; name servers {}", servers.join(", "));
    let mut steps = Vec::new();
    let mut add = |probe: &str, path: Option<&str>, connections: u32, contacts: &str| {
        steps.push(PlannedStep {
            name: step_name(probe, &route.id.0, path),
            route: route.id.0.clone(),
            path: path.map(str::to_owned),
            connections,
            contacts: contacts.to_owned(),
        });
    };
    add(
        name::RESOLVE,
        None,
        0,
        if servers.is_empty() { "the system's resolver" } else { &resolvers },
    );
    if let Some(server) = config.name_servers.first() {
        add(name::REVERSE_NAMES, None, 0, &format!("name server {server}"));
    }
    if route.id.is_direct() {
        add(name::ADDRESSES, None, 1, &contacts);
    }
    let plain = config.target.scheme == Scheme::Http;
    for path in config.target.paths.iter().map(String::as_str) {
        add(name::UPGRADE, Some(path), 1, &contacts);
        if has_twins(config, path) {
            add(name::PLAIN_GET, Some(path), 1, &contacts);
            add(name::BROWSER_UPGRADE, Some(path), 1, &contacts);
            if request::recorded(config, path).is_some() {
                add(name::RECORDED_UPGRADE, Some(path), 1, &contacts);
            }
        }
        if !plain && has_twins(config, path) {
            // The paths share a connection.
            let first = config.target.paths.first().is_some_and(|first| first == path);
            add(name::H2_GET, Some(path), u32::from(first), &contacts);
            add(name::H2_CONNECT, Some(path), 0, &contacts);
        }
        if plain && http_proxy(route.kind) {
            add(name::ABSOLUTE_FORM, Some(path), 1, &contacts);
        }
    }
    if compressed_paths(config).next().is_some() {
        add(name::COMPRESSED_UPGRADE, None, 1, &contacts);
    }
    add(name::PAGES, None, 1, &contacts);
    let none_selected = !config.routes.iter().any(|r| r.route.selected);
    let held = route.selected || *browsers || route.id.is_direct() || (none_selected && index == 0);
    // Where nothing fails, nothing of it is done.
    add(super::again::AGAIN, None, 0, &contacts);
    if held {
        let data = config.target.paths.iter().any(|path| speaks_graphql(path));
        for rung in Ladder::new(config.hold, data).rungs() {
            steps.push(PlannedStep {
                name: step_of(rung, &route.id),
                route: route.id.0.clone(),
                path: None,
                connections: 1,
                contacts: contacts.clone(),
            });
        }
    }
    steps
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
