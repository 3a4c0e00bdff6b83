//! The way of an upgrade through Caddy's JSON: the server of the port, then routes in
//! their order. What a handler does is said by the same rules as of a Caddyfile.

use super::check::{Check, State};
use super::json::{Handler, Route, Server, servers};
use super::matcher::{self, Seen};
use crate::configuration::chain::Hop;
use crate::configuration::held::Holds;
use crate::configuration::part;
use crate::configuration::source::File;
use crate::configuration::{Kind, Program, Reading, Request};

/// How routes ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Ended {
    /// They did not.
    Goes,
    /// A terminal route answered nothing.
    Empty,
    /// The request was answered, or sent on, or that is not known.
    Done,
}

/// Reads the files for a request.
pub(super) fn read(files: &[File], request: &Request<'_>, _: Option<&Hop>) -> Reading {
    let documents = part::of(files);
    let all: Vec<Server> = documents
        .iter()
        .enumerate()
        .flat_map(|(at, file)| file.all.iter().flat_map(move |root| servers(root, at)))
        .collect();
    let mut check = Check::new(files, request, Program(&super::JSON));
    run(&mut check, &all);
    // A line of JSON is nothing that a line of a Caddyfile takes the place of.
    check.reading.issues.iter_mut().for_each(|issue| issue.edits.clear());
    check.reading
}

fn run<'t>(check: &mut Check<'t>, all: &'t [Server]) {
    let on_port: Vec<&Server> =
        all.iter().filter(|s| s.listen.iter().any(|l| listens(l, check.request.port))).collect();
    let server = match (on_port.as_slice(), all) {
        ([one, ..], _) => *one,
        ([], [one]) => {
            check.sure = false;
            let why = format!(
                "this server is not for port {}: what it does counts only if the request comes to it \
                 all the same",
                check.request.port
            );
            check.untold(Some(&one.at), why);
            one
        }
        ([], several) => {
            let why = format!("no server is for port {}", check.request.port);
            return check.untold(several.first().map(|s| &s.at), why);
        }
    };
    check.follow(&server.at);
    let path = check.request.path.split('?').next().unwrap_or_default().to_owned();
    let mut state = State { path, moved: None, stripped: None, host: None, named: Vec::new() };
    if routes(check, &server.routes, &mut state) == Ended::Done {
        return;
    }
    if check.reading.issues.iter().any(|issue| matches!(issue.kind, Kind::PathRule(_))) {
        return;
    }
    let says = format!(
        "has no route that answers {} of {}: Caddy answers with an empty 200, and Bindplane is not asked",
        check.request.path, check.request.host
    );
    check.issue(Kind::PathRule(Some(200)), &server.at, says);
}

fn routes<'t>(check: &mut Check<'t>, all: &'t [Route], state: &mut State<'t>) -> Ended {
    let mut groups: Vec<&str> = Vec::new();
    for route in all {
        if route.group.as_deref().is_some_and(|group| groups.contains(&group)) {
            continue;
        }
        match holds(check, route, state) {
            Ok(false) => continue,
            Ok(true) => {}
            Err(why) => {
                check.untold(Some(&route.at), format!("whether this applies depends on {why}"));
                let harmless = |handler: &Handler| matches!(handler, Handler::Plain(d) if d.name() == "request_header");
                if route.handlers.iter().all(harmless) {
                    continue;
                }
                return Ended::Done;
            }
        }
        groups.extend(route.group.as_deref());
        for handler in &route.handlers {
            let ended = match handler {
                Handler::Plain(one) if check.handler(one, state) => Ended::Goes,
                Handler::Plain(_) => Ended::Done,
                Handler::Routes(inner) => routes(check, inner, state),
            };
            if ended != Ended::Goes {
                return ended;
            }
        }
        if route.terminal {
            return Ended::Empty;
        }
    }
    Ended::Goes
}

/// Whether one of a route's sets holds; without sets it always does.
fn holds(check: &Check<'_>, route: &Route, state: &State<'_>) -> Holds {
    let seen = Seen { request: check.request, path: &state.path };
    let mut held = Ok(route.sets.is_empty());
    for set in &route.sets {
        held = matcher::either(held, matcher::all(set.inner(), &seen));
    }
    held
}

/// Whether an address is for a port: `:443`, `tcp/0.0.0.0:8080-8090`.
fn listens(address: &str, port: u16) -> bool {
    let Some((_, ports)) = address.rsplit_once(':') else { return false };
    match ports.split_once('-') {
        Some((from, to)) => {
            let of = |text: &str| text.parse::<u16>().ok();
            of(from).is_some_and(|from| from <= port) && of(to).is_some_and(|to| port <= to)
        }
        None => ports.parse() == Ok(port),
    }
}
