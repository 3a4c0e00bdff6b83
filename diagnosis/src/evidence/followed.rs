//! Which route decides. The console runs in a browser, so the verdict is about
//! the way that browsers take; the collector's own choice (variables first, as
//! curl has it) decides where nobody knows better.
//!
//! The machine's settings were read where they are; what each browser makes of
//! them is in the bundle (`proxy_choices`). What went wrong on a way, rules say.

use super::browser::browsers;
use super::route::{Reach, RouteView, SocketState};
use wss_bundle::environment::ProxyChoice;
use wss_bundle::observation::Peer;
use wss_bundle::{Bundle, Vantage};

/// Whom the verdict is about, and how sure that is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Deciding {
    /// Position of the route.
    pub(super) at: usize,
    /// How it was found.
    pub by: By,
}

/// How the deciding route was found.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum By {
    /// The collector's own choice; browsers take it, too, or nobody knows.
    Settings,
    /// Browsers take it, and the collector's own choice is another, where the
    /// WebSocket fares otherwise.
    Browsers,
    /// Browsers take different ways, and not all of them work: this is one that
    /// does not, the collector's own if that is one.
    Divided,
    /// Some browser takes a way that was not tried.
    Untold,
}

/// The route that decides for a bundle.
pub(super) fn deciding(bundle: &Bundle, routes: &[RouteView<'_>], path: &str) -> Deciding {
    let own = routes.iter().position(|r| r.route.selected).unwrap_or(0);
    // Who names a way by options asks about that way; and nobody uses the
    // console from outside, which is there to compare with.
    let asked = bundle.environment.proxy_settings.iter().any(|s| s.source == "option");
    if asked || bundle.manifest.vantage == Vantage::Outside {
        return Deciding { at: own, by: By::Settings };
    }
    let ways: Vec<Option<usize>> =
        browsers_of(bundle).map(|choice| ends_at(routes, choice)).collect();
    let mut tried: Vec<usize> = ways.iter().copied().flatten().collect();
    tried.dedup();
    let state = |at: usize| routes[at].socket(path);
    // Of the collector's own and the browsers', the own where it is one of them.
    let first = tried.iter().copied().find(|at| *at == own).or_else(|| tried.first().copied());
    let Some(first) = first else {
        let by = if ways.is_empty() { By::Settings } else { By::Untold };
        return Deciding { at: own, by };
    };
    let fails = |at: &usize| !matches!(state(*at), SocketState::Works | SocketState::Unknown);
    let failing = Some(first).filter(fails).or_else(|| tried.iter().copied().find(fails));
    let works = tried.iter().any(|at| state(*at).works());
    match failing {
        Some(at) if works => told_by_a_browser(bundle, routes, path, &tried)
            .unwrap_or(Deciding { at, by: By::Divided }),
        _ => {
            let at = failing.unwrap_or(first);
            let untold = ways.contains(&None) && state(at).works();
            let other = state(own) != state(at);
            let by = match (untold, other) {
                (true, _) => By::Untold,
                (false, true) => By::Browsers,
                (false, false) => By::Settings,
            };
            Deciding { at, by }
        }
    }
}

/// What browsers here surely do.
pub(crate) fn browsers_of(bundle: &Bundle) -> impl Iterator<Item = &ProxyChoice> {
    let choices = bundle.environment.proxy_choices.iter();
    choices.filter(|choice| choice.client != "curl" && choice.certain)
}

/// Where a client ends up: it passes over proxies that accept no connection, as
/// long as it is told another way. `None` where that was not tried.
pub(crate) fn ends_at(routes: &[RouteView<'_>], choice: &ProxyChoice) -> Option<usize> {
    let at = |name: &String| routes.iter().position(|r| r.route.id.0 == *name);
    let order = || std::iter::once(&choice.route).chain(&choice.then);
    let answers = |name: &&String| at(name).is_none_or(|at| !dead(&routes[at]));
    order().find(answers).map_or_else(|| at(&choice.route), at)
}

/// Whether nobody could connect to the route's proxy.
fn dead(route: &RouteView<'_>) -> bool {
    matches!(route.reach(), Reach::Dns(_, Peer::Proxy, _) | Reach::Tcp(_, Peer::Proxy, _))
}

/// Where the ways differ, a browser that was asked tells which of them counts.
fn told_by_a_browser(
    bundle: &Bundle,
    routes: &[RouteView<'_>],
    path: &str,
    tried: &[usize],
) -> Option<Deciding> {
    let seen = browsers(bundle, path);
    let route = seen.iter().filter(|view| view.fresh).find_map(|view| view.seen.route.clone())?;
    let at = tried
        .iter()
        .copied()
        .find(|at| super::browser::same_way(&routes[*at].route.id.0, &route))?;
    Some(Deciding { at, by: By::Browsers })
}
