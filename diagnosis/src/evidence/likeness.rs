//! Requests that look like a program, beside the same in a browser's name.
//!
//! Filters refuse `curl/…`, `wss-collector/…` and the like, and let browsers pass.
//! Where that is shown, a refusal of the collector's own name says nothing about
//! WebSocket: what browsers meet is told by the twins in a browser's name, and they
//! stand in for the others. A difference that a limit or a second backend makes is
//! none of a name's: it has to hold again and again.

use super::route::RouteView;
use wss_bundle::observation::{HttpReply, probe};
use wss_bundle::{FailureKind, Observation, Outcome, Step};

/// How a request was received.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Met {
    /// As the console answers it.
    Welcome,
    /// Otherwise, or the connection was closed without a byte.
    Refused,
}

/// How a request was received; `None` where nothing is told: no answer came in time,
/// or none was waited for.
#[must_use]
pub fn met(seen: &Observation) -> Option<Met> {
    let (result, page) = match &seen.step {
        Step::Upgrade(upgrade) => (&upgrade.result, false),
        Step::Http(http) => (&http.result, true),
        _ => return None,
    };
    match result {
        Outcome::Ok(reply) if page => Some(page_met(reply)),
        Outcome::Ok(reply) => Some(upgrade_met(reply)),
        Outcome::Failed(failure) => matches!(
            failure.kind,
            FailureKind::Eof | FailureKind::ConnectionReset | FailureKind::ConnectionAborted
        )
        .then_some(Met::Refused),
    }
}

/// Whether an upgrade was answered with 101.
#[must_use]
pub fn switched(seen: &Observation) -> bool {
    let Step::Upgrade(upgrade) = &seen.step else { return false };
    upgrade.result.ok().is_some_and(|reply| reply.head.status() == Some(101))
}

/// The server's own words for a request that is no upgrade show that it came
/// through, and so does its question who asks.
fn speaks(reply: &HttpReply) -> bool {
    let own = reply.head.header("sec-websocket-version").is_some();
    matches!(reply.head.status(), Some(400 | 426)) && own || reply.head.status() == Some(401)
}

fn upgrade_met(reply: &HttpReply) -> Met {
    match reply.head.status() == Some(101) || speaks(reply) {
        true => Met::Welcome,
        false => Met::Refused,
    }
}

/// A filter's own page may come with 200: a document that is not the console's.
fn page_met(reply: &HttpReply) -> Met {
    let body = reply.body.bytes.text();
    let foreign = body.trim_start().starts_with('<') && !super::reply::is_page_shell(&body);
    match reply.head.status() {
        Some(200..=299) if !foreign => Met::Welcome,
        _ if speaks(reply) => Met::Welcome,
        _ => Met::Refused,
    }
}

/// A filter that goes by the name of the program.
#[derive(Debug, Clone, Copy)]
pub struct NameFilter<'a> {
    /// A request in the collector's name, refused.
    pub refused: &'a Observation,
    /// The same in a browser's name, which passed.
    pub passed: &'a Observation,
    /// Whether the name alone differs; else all of a browser's headers were needed.
    pub alone: bool,
}

/// What is asked in both names.
const PAIRS: [(&str, &str); 3] = [
    (probe::PAGES, probe::UA_PAGES),
    (probe::PLAIN_GET, probe::UA_GET),
    (probe::UPGRADE, probe::UA_UPGRADE),
];

/// How often each name has to be answered alike.
const OFTEN: usize = 2;

/// The filter that a route's observations show.
pub(super) fn filter<'a>(observations: &[&'a Observation]) -> Option<NameFilter<'a>> {
    let twins = || observations.iter().filter(|o| PAIRS.iter().any(|(_, ua)| o.probe == *ua));
    let mut asked: Vec<(&str, &str, Option<&str>)> = Vec::new();
    for o in twins() {
        let pair = PAIRS.iter().find(|(_, ua)| o.probe == *ua);
        let Some((own, ua)) = pair else { continue };
        let question = (*own, *ua, o.path.as_deref());
        if !asked.contains(&question) {
            asked.push(question);
        }
    }
    asked.into_iter().find_map(|(own, ua, path)| {
        let answers = |probe: &str| -> Vec<(&'a Observation, Met)> {
            let all = observations.iter().copied();
            let own = all.filter(|o| o.probe == probe && o.path.as_deref() == path);
            own.filter_map(|o| Some((o, met(o)?))).collect()
        };
        let (refused, twins) = (answers(own), answers(ua));
        let (whole, alone): (Vec<_>, Vec<_>) = twins.into_iter().partition(|(o, _)| is_whole(o));
        let all = |answers: &[(&Observation, Met)], wanted: Met| {
            answers.len() >= OFTEN && answers.iter().all(|(_, met)| *met == wanted)
        };
        if !all(&refused, Met::Refused) {
            return None;
        }
        let by = |answers: &[(&'a Observation, Met)], alone: bool| {
            let passed = answers.first()?.0;
            Some(NameFilter { refused: refused.first()?.0, passed, alone })
        };
        if all(&alone, Met::Welcome) {
            return by(&alone, true);
        }
        all(&whole, Met::Welcome).then(|| by(&whole, false)).flatten()
    })
}

/// Whether a request has all headers that a browser opens a page with.
fn is_whole(o: &Observation) -> bool {
    let Step::Http(http) = &o.step else { return false };
    http.request.text().to_ascii_lowercase().contains("\r\nupgrade-insecure-requests:")
}

impl<'a> RouteView<'a> {
    /// The probes whose answers stand for a probe's, best first: where a filter refuses
    /// the collector's name, those in a browser's name, and none of those that have no
    /// twin.
    pub(super) fn instead(&self, probe: &'a str) -> &'a [&'a str] {
        if self.filter.is_none() {
            return &[];
        }
        match probe {
            probe::PAGES => &[probe::UA_PAGES],
            probe::PLAIN_GET => &[probe::UA_GET],
            probe::UPGRADE => &[probe::UA_UPGRADE, probe::BROWSER_UPGRADE],
            _ => &[],
        }
    }

    /// Whether a filter refuses this request for the collector's name.
    pub(super) fn is_for_its_name(&self, o: &Observation) -> bool {
        let own = [probe::UPGRADE, probe::PLAIN_GET, probe::PAGES].contains(&o.probe.as_str());
        self.filter.is_some() && (own || self.is_filtered(&o.probe)) && met(o) == Some(Met::Refused)
    }

    /// Whether a filter refuses a probe's requests for their name, so that they tell
    /// nothing.
    pub(super) fn is_filtered(&self, probe: &str) -> bool {
        self.filter.is_some() && matches!(probe, probe::H2_GET | probe::ABSOLUTE_FORM)
    }

    /// The probe whose observations stand for another's, about a path.
    pub(super) fn stands_for(&self, probe: &'a str, path: &str) -> &'a str {
        let of = |probe: &'a str| {
            let all = self.observations.iter().filter(move |o| o.probe == probe);
            all.filter(|o| o.path.as_deref() == Some(path))
        };
        let twins = self.instead(probe);
        let good = |wanted: &&&'a str| of(wanted).any(|o| met(o) == Some(Met::Welcome));
        let tried = |wanted: &&&'a str| of(wanted).any(|o| met(o).is_some());
        let best = twins.iter().find(good).or_else(|| twins.iter().find(tried));
        // What was refused for its name stands for nothing, also where its twin is missing.
        best.or_else(|| twins.first()).copied().unwrap_or(probe)
    }
}
