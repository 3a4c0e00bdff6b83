//! Routes × layers, filling in while probes run. A view for the impatient: the
//! ladder of the diagnosis has the last word.

use wss_bundle::observation::{RouteKind, probe};
use wss_bundle::target::{Scheme, is_agents};
use wss_bundle::{Observation, Outcome, Route, RouteId, Step};

/// The layers, in the order in which they are climbed.
pub const LAYERS: [&str; 8] = ["dns", "tcp", "proxy", "tls", "http", "upgrade", "frames", "hold"];

/// What is known of one layer.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Cell {
    /// Nothing yet.
    #[default]
    Open,
    /// It does not exist on this route.
    Absent,
    /// It works.
    Pass,
    /// It does not.
    Fail,
}

/// One line.
#[derive(Debug, Clone)]
pub struct Line {
    /// The route.
    pub route: RouteId,
    /// Whether this machine's settings choose it.
    pub selected: bool,
    /// Its layers.
    pub cells: [Cell; LAYERS.len()],
}

/// All lines.
#[derive(Debug, Clone)]
pub struct Board {
    /// One a route.
    pub lines: Vec<Line>,
    only_agents: bool,
    /// The console's paths: it is on one of them.
    console: usize,
    /// How many of them the server does not know so far, line by line.
    unknown: Vec<usize>,
}

/// A layer that turned out.
#[derive(Debug, Clone, PartialEq)]
pub struct Change {
    /// Line.
    pub line: usize,
    /// Layer.
    pub layer: &'static str,
    /// What it turned to.
    pub cell: Cell,
    /// Milliseconds that the step took.
    pub ms: f64,
    /// Why, for a failure.
    pub why: Option<String>,
}

/// Whether the upgrade got what unknown paths get: the page shell, or a 404.
fn is_unknown(seen: &Observation) -> bool {
    let Step::Upgrade(step) = &seen.step else { return false };
    let status = step.result.ok().and_then(|reply| reply.head.status());
    seen.probe == probe::UPGRADE && matches!(status, Some(200 | 404))
}

impl Board {
    /// A board on which nothing is known.
    pub fn new<'a>(
        routes: impl IntoIterator<Item = &'a Route>,
        scheme: Scheme,
        paths: &[String],
    ) -> Self {
        let lines = routes
            .into_iter()
            .map(|route| {
                let mut cells = [Cell::Open; LAYERS.len()];
                if route.kind == RouteKind::Direct {
                    cells[2] = Cell::Absent;
                }
                if scheme == Scheme::Http {
                    cells[3] = Cell::Absent;
                }
                Line { route: route.id.clone(), selected: route.selected, cells }
            })
            .collect::<Vec<_>>();
        let console = paths.iter().filter(|path| !is_agents(path)).count();
        let unknown = vec![0; lines.len()];
        Self { lines, only_agents: console == 0, console, unknown }
    }

    /// Takes in an observation; tells what it changed. A success stays: one
    /// connection that gets through shows that the way is open.
    pub fn note(&mut self, seen: &Observation) -> Option<Change> {
        let (layer, outcome) = self.read(seen)?;
        let line = self.lines.iter().position(|line| line.route == seen.route)?;
        // A path that the server does not know is no failure while another may be it.
        if self.console > 1 && is_unknown(seen) {
            self.unknown[line] += 1;
            if self.unknown[line] < self.console {
                return None;
            }
        }
        let cell = &mut self.lines[line].cells[layer];
        let next = if outcome.is_ok() { Cell::Pass } else { Cell::Fail };
        if *cell == next || *cell == Cell::Pass && layer != 7 {
            return None;
        }
        *cell = next;
        let change = Change {
            line,
            layer: LAYERS[layer],
            cell: next,
            ms: seen.duration_ms,
            why: outcome.err(),
        };
        Some(change)
    }

    /// Which layer an observation is about, and whether it is well.
    fn read(&self, seen: &Observation) -> Option<(usize, Result<(), String>)> {
        use wss_bundle::observation::{EndedBy, Resolver, Verification};
        let failed = seen.step.failure().map(|failure| failure.to_string());
        let plain = |layer: usize| Some((layer, failed.clone().map_or(Ok(()), Err)));
        match &seen.step {
            Step::Resolve(step) if matches!(step.resolver, Resolver::NameServer(_)) => None,
            Step::Resolve(_) => plain(0),
            Step::Connect(_) => plain(1),
            Step::Tunnel(step) => match step.result.ok().and_then(|reply| reply.head.as_ref()) {
                Some(head) if !head.status().is_some_and(|s| (200..300).contains(&s)) => {
                    Some((2, Err(head.status_line())))
                }
                _ => plain(2),
            },
            Step::Tls(step) => match &step.verification {
                Some(Verification::Untrusted { detail, .. }) if failed.is_none() => {
                    Some((3, Err(format!("certificate not trusted: {detail}"))))
                }
                _ => plain(3),
            },
            Step::Http(step) if seen.probe != probe::H2_GET => match step.result.ok() {
                Some(reply) if reply.head.status().is_some_and(|s| s >= 500) => {
                    Some((4, Err(reply.head.status_line())))
                }
                _ => plain(4),
            },
            Step::Upgrade(step) if seen.probe == probe::UPGRADE => {
                let agents = seen.path.as_deref().is_some_and(is_agents);
                if agents && !self.only_agents {
                    return None;
                }
                match &step.result {
                    Outcome::Ok(reply) if reply.head.status() == Some(101) => Some((5, Ok(()))),
                    Outcome::Ok(reply) => Some((5, Err(reply.head.status_line()))),
                    Outcome::Failed(_) => plain(5),
                }
            }
            Step::Frames(step) => match step.result.ok() {
                Some(frames) if frames.pong_ms.is_none() => {
                    Some((6, Err("no Pong came".to_owned())))
                }
                _ => plain(6),
            },
            Step::Hold(step) if seen.probe == probe::HOLD_SILENT => match step.result.ok() {
                Some(held)
                    if held.ending.how != EndedBy::StillOpen && held.held_ms >= step.planned_ms =>
                {
                    let asked = step.planned_ms / 1e3;
                    Some((7, Err(format!("no answer after {asked:.1} s of silence"))))
                }
                Some(held) if held.ending.how != EndedBy::StillOpen => {
                    Some((7, Err(format!("cut after {:.1} s", held.held_ms / 1e3))))
                }
                _ => plain(7),
            },
            _ => None,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use wss_bundle::ResponseHead;
    use wss_bundle::observation::{Body, HttpReply, Upgrade};

    fn answer(path: &str, status: u16) -> Observation {
        let head = ResponseHead::new(format!("HTTP/1.1 {status} x\r\n\r\n"));
        let reply = HttpReply {
            informational: vec![],
            head,
            body: Body::default(),
            first_byte_ms: 1.0,
            ending: None,
        };
        Observation {
            id: "o1".into(),
            probe: probe::UPGRADE.into(),
            route: RouteId::direct(),
            path: Some(path.into()),
            connection: Some(1),
            start_ms: 0.0,
            duration_ms: 1.0,
            step: Step::Upgrade(Upgrade {
                version: "1.1".into(),
                request: "GET / HTTP/1.1\r\n\r\n".into(),
                expected_accept: None,
                result: Outcome::Ok(reply),
            }),
        }
    }

    #[test]
    fn a_path_that_is_not_known_is_no_failure_while_another_may_be_it() {
        let route = Route {
            id: RouteId::direct(),
            kind: RouteKind::Direct,
            proxy: None,
            sources: vec![],
            selected: true,
        };
        let paths = ["/v1/ws", "/v1/graphql", wss_bundle::target::AGENT_PATH].map(str::to_owned);
        let board = || Board::new([&route], Scheme::Https, &paths);
        let mut known = board();
        assert_eq!(known.note(&answer("/v1/ws", 200)), None);
        let change = known.note(&answer("/v1/graphql", 101)).unwrap();
        assert_eq!((change.layer, change.cell), ("upgrade", Cell::Pass));
        let mut neither = board();
        assert_eq!(neither.note(&answer("/v1/ws", 404)), None);
        assert_eq!(neither.note(&answer("/v1/graphql", 404)).unwrap().cell, Cell::Fail);
        let mut refused = board();
        assert_eq!(refused.note(&answer("/v1/ws", 400)).unwrap().cell, Cell::Fail);
        let mut alone = Board::new([&route], Scheme::Https, &paths[..1]);
        assert_eq!(alone.note(&answer("/v1/ws", 404)).unwrap().cell, Cell::Fail);
    }
}
