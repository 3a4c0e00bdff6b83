//! Findings about who takes which way: curl, the browsers, and the page beside
//! its WebSocket. What each would do was worked out where the settings are.

use super::{Answer, Check, Draft, Rule};
use crate::evidence::{BundleView, By, Evidence, RouteView, browsers_of, ends_at};
use crate::model::Severity;
use wss_bundle::environment::ProxyChoice;
use wss_bundle::{Observation, RouteId, Vantage};

pub(super) const CLIENTS_DIFFER: Rule = Rule {
    id: "clients-differ",
    title: "curl and browsers take different ways",
    looks_for: "different routes for the same target in the choices of curl, Chrome and Firefox",
    why: "curl follows variables alone; browsers follow the system's settings, PAC files and \
          policies: the usual reason why curl works and the browser does not",
    remedy: "compare on one and the same route, or set both alike",
    check: Check::Evidence(clients_differ),
};
pub(super) const PAGE_AND_SOCKET_DIFFER: Rule = Rule {
    id: "page-and-socket-differ",
    title: "The page and its WebSocket take different ways",
    looks_for: "a browser that would fetch the page by one route and open the WebSocket by another",
    why: "for wss a browser takes a SOCKS proxy first, then the proxy for https, then the one for \
          http, and a PAC file sees another scheme (seen with Chromium 156 and Firefox 153)",
    remedy: "name the proxy for https; test for the host in the PAC file, not for the scheme",
    check: Check::Evidence(page_and_socket_differ),
};

/// A route of the bundle by its name.
fn route<'v, 'a>(view: &'v BundleView<'a>, name: &str) -> Option<&'v RouteView<'a>> {
    view.routes.iter().find(|route| route.route.id.0 == name)
}

/// Whether the WebSocket works by a route; `None` where it was not tried.
fn works(view: &BundleView<'_>, name: &str, path: &str) -> Option<bool> {
    route(view, name).map(|route| route.socket(path).works())
}

/// Whether every browser would take a route on which the WebSocket works.
pub(super) fn browsers_work(view: &BundleView<'_>, path: &str) -> bool {
    let mut browsers =
        view.bundle.environment.proxy_choices.iter().filter(|c| c.client != "curl").peekable();
    browsers.peek().is_some()
        && browsers.all(|choice| works(view, &choice.route, path) == Some(true))
}

/// What shows how a route went: its answer to the upgrade, or else its last word.
fn shown<'a>(route: &RouteView<'a>, path: &str) -> Option<(&'a Observation, String)> {
    if let Some(reply) = route.upgrade_reply(path) {
        return Some((reply.observation, reply.line()));
    }
    let last = route.observations.last().copied()?;
    let failed = route.observations.iter().find(|o| o.step.failure().is_some()).copied();
    let o = failed.unwrap_or(last);
    let excerpt = o.step.failure().map_or_else(|| "no answer".to_owned(), ToString::to_string);
    Some((o, excerpt))
}

fn named(client: &str) -> &str {
    match client {
        "chrome" => "Chrome",
        "edge" => "Edge",
        "firefox" => "Firefox",
        other => other,
    }
}

fn outcome(works: Option<bool>) -> &'static str {
    match works {
        Some(true) => "the WebSocket works",
        Some(false) => "the WebSocket does not work",
        None => "which was not tried",
    }
}

/// The route on which a client ends up.
fn end<'v>(view: &'v BundleView<'_>, choice: &'v ProxyChoice) -> &'v str {
    ends_at(&view.routes, choice).map_or(choice.route.as_str(), |at| &view.routes[at].route.id.0)
}

fn sentence(view: &BundleView<'_>, choice: &ProxyChoice, path: &str) -> String {
    let end = end(view, choice);
    let way = |name: &str| RouteId(name.to_owned()).way();
    let way = if *end == *choice.route {
        way(end)
    } else {
        format!("{}, which does not answer, and then {}", way(&choice.route), way(end))
    };
    format!(
        "{} goes {way} ({}); there {}.",
        named(&choice.client),
        choice.because,
        outcome(works(view, end, path))
    )
}

/// What the verdict should say of the ways that clients take, where it matters
/// to it; a sentence.
pub(crate) fn whose_way(view: &BundleView<'_>) -> Option<String> {
    let path = view.path;
    match view.deciding.by {
        By::Settings => None,
        By::Browsers => {
            let taken = view.selected()?;
            let who = browsers_of(view.bundle).find(|c| end(view, c) == taken.route.id.0);
            let because = who.map_or(String::new(), |c| format!(" ({})", c.because));
            let own = view.routes.iter().find(|r| r.route.selected)?;
            let fares = match own.socket(path).works() {
                true => "it works",
                false => "it does not",
            };
            Some(format!(
                "That is the way of browsers here: {}{because}. curl goes {} ({}), and there \
                 {fares}.",
                taken.route.id.noun(),
                own.route.id.way(),
                own.route.sources.join(", ")
            ))
        }
        By::Divided | By::Untold => {
            let each = browsers_of(view.bundle).map(|choice| sentence(view, choice, path));
            Some(each.collect::<Vec<_>>().join(" "))
        }
    }
}

fn clients_differ(e: &Evidence<'_>) -> Answer {
    let Some((focus, selected, path)) = e.deciding() else { return Answer::NotApplicable };
    // Outside is where nobody uses the console from.
    if focus.bundle.manifest.vantage != Vantage::Inside {
        return Answer::NotApplicable;
    }
    let choices: Vec<&ProxyChoice> =
        focus.bundle.environment.proxy_choices.iter().filter(|c| c.route != "unknown").collect();
    let Some(first) = choices.first() else { return Answer::NotApplicable };
    if choices.iter().all(|choice| choice.route == first.route) {
        return Answer::Pass;
    }
    let fares = |choice: &&ProxyChoice| works(focus, end(focus, choice), path);
    let outcomes: Vec<Option<bool>> = choices.iter().map(fares).collect();
    let matters = outcomes.contains(&Some(true)) && outcomes.contains(&Some(false));
    let curl = choices.iter().find(|c| c.client == "curl").and_then(fares);
    let browsers = choices.iter().filter(|c| c.client != "curl").map(fares);
    let title = match curl {
        Some(true) if browsers.clone().any(|works| works == Some(false)) => {
            "curl works and a browser does not: they take different ways"
        }
        Some(false) if browsers.clone().any(|works| works == Some(true)) => {
            "A browser works and curl does not: they take different ways"
        }
        _ => "curl and browsers take different ways here",
    };
    let Some((o, excerpt)) = shown(selected, path) else { return Answer::NotApplicable };
    let mut text: Vec<String> =
        choices.iter().map(|choice| sentence(focus, choice, path)).collect();
    let whose = match focus.deciding.by {
        By::Browsers => "which browsers here take, as the console runs in one",
        By::Divided => "on which it does not work",
        By::Settings | By::Untold => "which this machine's settings choose",
    };
    text.push(format!(
        "The verdict is about {}, {whose}: what is set in a browser itself is not read.",
        selected.route.id.noun()
    ));
    let severity = if matters { Severity::Warning } else { Severity::Info };
    let mut draft = Draft::new(severity, title, focus, o, excerpt).text(text.join(" "));
    let others = choices.iter().map(|c| end(focus, c)).filter(|end| *end != selected.route.id.0);
    let mut cited = Vec::new();
    for end in others {
        if !cited.contains(&end)
            && let Some((o, excerpt)) = route(focus, end).and_then(|r| shown(r, path))
        {
            cited.push(end);
            draft = draft.also(Some(focus.cite(o, excerpt)));
        }
    }
    Answer::Note(vec![draft.done()])
}

fn page_and_socket_differ(e: &Evidence<'_>) -> Answer {
    let Some((focus, selected, path)) = e.deciding() else { return Answer::NotApplicable };
    let choices = &focus.bundle.environment.proxy_choices;
    let differing: Vec<(&ProxyChoice, &String)> =
        choices.iter().filter_map(|choice| Some((choice, choice.page.as_ref()?))).collect();
    let Some((choice, _)) = differing.first() else {
        return if choices.is_empty() { Answer::NotApplicable } else { Answer::Pass };
    };
    let shows = route(focus, &choice.route).unwrap_or(selected);
    let Some((o, excerpt)) = shown(shows, path) else { return Answer::NotApplicable };
    let broken = differing.iter().any(|(c, _)| works(focus, &c.route, path) == Some(false));
    let text: Vec<String> = differing
        .iter()
        .map(|(choice, page)| {
            format!(
                "{} would fetch the page {} and open the WebSocket {} ({}); there {}.",
                named(&choice.client),
                RouteId(page.to_string()).way(),
                RouteId(choice.route.clone()).way(),
                choice.because,
                outcome(works(focus, &choice.route, path))
            )
        })
        .collect();
    let title = if broken {
        "The page takes another way than its WebSocket: it can load while the console fails"
    } else {
        "The page takes another way than its WebSocket"
    };
    let severity = if broken { Severity::Warning } else { Severity::Info };
    let draft = Draft::new(severity, title, focus, o, excerpt);
    Answer::Note(vec![draft.text(text.join(" ")).done()])
}
