//! What is asked again, and when: one answer is one answer. Where the same
//! request may land on another server the next time, a difference between single
//! probes shows the server and not the difference.
//!
//! Only what failed is asked again, and what passed beside it: one at a time, a
//! second after the rest and then two more, as a browser that tries again does. A
//! limit that the first dozen handshakes met is not met by these. Then a third
//! time at once: of two or three servers that take turns, requests that follow each
//! other land on each, whatever their number was before. Nothing is spent where
//! nothing fails.

mod limit;

use super::plan::{compressed_paths, twin_paths};
use super::running::{Running, skip};
use super::{Event, Events};
use crate::key::{Probe, StepKey};
use crate::probe;
use crate::probe::hold_silent::Opening;
use crate::progress::Progress;
use crate::step::dial::Way;
use crate::step::{Ctx, Net};
use std::sync::Arc;
use std::time::Duration;
use wss_bundle::accept::{self, Fit};
use wss_bundle::manifest::StepOutcome;
use wss_bundle::observation::{HttpReply, probe as name};
use wss_bundle::{FailureKind, Observation, Outcome, Step};

/// Connections that it opens at the most, where something fails.
pub(crate) const CONNECTIONS: u32 = 24;
/// Of these, what failed and its twins.
const TURNS: usize = 16;
/// The waits before the first and the second time.
pub(crate) const WAITS: [Duration; 2] = [Duration::from_secs(1), Duration::from_secs(2)];
pub(crate) use limit::{LONGEST, WINDOWS, after_holds};
/// Times that a question is asked again.
const TIMES: usize = 3;
/// Times in all that a handshake is asked which fails beside one that passes.
const OFTEN: usize = 9;
/// Handshakes whose answers make a count worth saying.
const COUNT: usize = 6;

/// A question about a path.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Ask {
    Upgrade,
    Browser,
    Compressed,
    Connect,
    Page,
}

impl Ask {
    const HANDSHAKES: [Self; 4] = [Self::Upgrade, Self::Browser, Self::Compressed, Self::Connect];

    fn of(seen: &Observation) -> Option<Self> {
        match (seen.probe.as_str(), &seen.step) {
            (name::UPGRADE, Step::Upgrade(_)) => Some(Self::Upgrade),
            (name::BROWSER_UPGRADE, Step::Upgrade(_)) => Some(Self::Browser),
            (name::COMPRESSED_UPGRADE, Step::Upgrade(_)) => Some(Self::Compressed),
            (name::H2_CONNECT, Step::Upgrade(_)) => Some(Self::Connect),
            (name::PAGES, Step::Http(_)) => Some(Self::Page),
            _ => None,
        }
    }
}

/// What came of it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Got {
    Passed,
    /// A status that may be a limit's.
    Limited,
    /// Credentials are asked for.
    Unauthorized,
    /// What unknown paths get: a page, or a 404.
    Unknown,
    Refused,
    /// An error of who passes it on, as by a limit on what is open at a time.
    Failed,
    /// An end without an answer.
    Ended,
    /// Nothing, for as long as was waited.
    Silence,
}

fn got(seen: &Observation) -> Option<Got> {
    let result = match &seen.step {
        Step::Upgrade(upgrade) => &upgrade.result,
        Step::Http(http) => &http.result,
        _ => return None,
    };
    let handshake = matches!(seen.step, Step::Upgrade(_));
    Some(match result {
        Outcome::Failed(failure) if failure.kind == FailureKind::Cancelled => return None,
        Outcome::Failed(failure) if failure.kind == FailureKind::TimedOut => Got::Silence,
        Outcome::Failed(_) => Got::Ended,
        Outcome::Ok(reply) => match reply.head.status().unwrap_or(0) {
            101 if answers_another_key(seen, reply) => Got::Refused,
            101 => Got::Passed,
            200..=299 if seen.probe == name::H2_CONNECT => Got::Passed,
            429 | 503 | 509 if handshake => Got::Limited,
            401 => Got::Unauthorized,
            200..=299 | 404 if handshake => Got::Unknown,
            500.. if handshake => Got::Failed,
            500.. => Got::Refused,
            _ if handshake => Got::Refused,
            _ => Got::Passed,
        },
    })
}

/// Whether a 101 is not for the key that was sent: nobody's browser takes it.
fn answers_another_key(seen: &Observation, reply: &HttpReply) -> bool {
    let Step::Upgrade(upgrade) = &seen.step else { return false };
    let given = reply.head.header("sec-websocket-accept");
    let fit = accept::fit(upgrade.expected_accept.as_deref(), given.as_deref());
    matches!(fit, Fit::Another | Fit::Missing)
}

/// All answers so far.
#[derive(Debug, Default)]
struct Seen(Vec<(Ask, String, Got)>);

impl Seen {
    fn of(net: &Net, route: usize) -> Self {
        let id = &net.config.routes[route].route.id;
        Self(net.recorder.all(|seen| {
            let ask = Ask::of(seen).filter(|_| seen.route == *id)?;
            Some((ask, seen.path.clone()?, got(seen)?))
        }))
    }

    fn about<'s>(&'s self, ask: Ask, path: &'s str) -> impl Iterator<Item = Got> + 's {
        let own = move |(a, p, _): &&(Ask, String, Got)| *a == ask && p == path;
        self.0.iter().filter(own).map(|(_, _, got)| *got)
    }

    fn handshakes<'s>(&'s self, path: &'s str) -> impl Iterator<Item = (Ask, Got)> + 's {
        let own = move |(ask, p, _): &&(Ask, String, Got)| *ask != Ask::Page && p == path;
        self.0.iter().filter(own).map(|(ask, _, got)| (*ask, *got))
    }

    /// Whether all handshakes failed, and no limit is why: then the verdict is hardly
    /// another when they were asked again.
    fn alike(&self) -> bool {
        let mut all = self.0.iter().filter(|(ask, ..)| *ask != Ask::Page);
        all.all(|(_, _, got)| !matches!(got, Got::Passed | Got::Limited))
    }

    /// Whether one question got two kinds of answer.
    fn contradicts(&self, ask: Ask, path: &str) -> bool {
        let passed = |got: Got| got == Got::Passed;
        let all = || self.about(ask, path).filter(|got| *got != Got::Limited);
        all().any(passed) && !all().all(passed)
    }
}

/// One time that something is asked.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Turn {
    wait: Duration,
    ask: Ask,
    path: String,
}

/// One question, again and again: a second later, two more, and at once.
fn spaced(ask: Ask, path: &str, times: usize) -> Vec<Turn> {
    let waits = WAITS.into_iter().chain(std::iter::repeat(Duration::ZERO));
    waits.take(times).map(|wait| Turn { wait, ask, path: path.to_owned() }).collect()
}

/// The same without a wait.
fn at_once(ask: Ask, path: &str, times: usize) -> Vec<Turn> {
    let turn = Turn { wait: Duration::ZERO, ask, path: path.to_owned() };
    vec![turn; times]
}

/// The paths whose answers are to be looked at again.
fn doubtful<'p>(seen: &Seen, paths: &[&'p str]) -> Vec<&'p str> {
    let all = |path: &str, test: fn(Got) -> bool| {
        let mut own = seen.handshakes(path).peekable();
        own.peek().is_some() && own.all(|(_, got)| test(got))
    };
    let works = |path: &&str| all(path, |got| got == Got::Passed);
    let unknown = |path: &&str| all(path, |got| got == Got::Unknown);
    let asked: Vec<&str> =
        paths.iter().copied().filter(|path| seen.handshakes(path).next().is_some()).collect();
    let some: Vec<&str> =
        asked.iter().copied().filter(|path| !works(path) && !unknown(path)).collect();
    // Of the console's paths the server need not know all.
    if some.is_empty() && !asked.iter().any(works) {
        return asked.into_iter().take(1).collect();
    }
    some
}

/// What to ask again about one path.
fn about(seen: &Seen, path: &str, credentials: bool) -> Vec<Turn> {
    let of = |ask: Ask| seen.about(ask, path).next();
    let asked: Vec<(Ask, Got)> =
        Ask::HANDSHAKES.into_iter().filter_map(|ask| Some((ask, of(ask)?))).collect();
    // Asked again and again, credentials that are refused lock accounts.
    if credentials && asked.iter().any(|(_, got)| *got == Got::Unauthorized) {
        return Vec::new();
    }
    let failing: Vec<(Ask, Got)> =
        asked.iter().copied().filter(|(_, got)| *got != Got::Passed).collect();
    let Some((first, how)) = failing.first().copied() else { return Vec::new() };
    // Its twin, or whatever passed: the one without the offer, the one over HTTP/1.1.
    let passed = |ask: Ask| asked.contains(&(ask, Got::Passed));
    let twin = match first {
        Ask::Compressed | Ask::Connect if passed(Ask::Browser) => Some(Ask::Browser),
        _ => asked.iter().find(|(_, got)| *got == Got::Passed).map(|(ask, _)| *ask),
    };
    let limited = |got: Got| got == Got::Limited;
    if asked.iter().any(|(_, got)| limited(*got)) {
        return limits(path, &failing);
    }
    if how == Got::Silence {
        let once = spaced(first, path, 1);
        return once.into_iter().chain(twin.map_or(Vec::new(), |p| at_once(p, path, 1))).collect();
    }
    let mut turns = spaced(first, path, TIMES);
    if let Some(passing) = twin {
        // Two servers by lot, of which one refuses it: to miss the other in nine is one in
        // five hundred.
        turns.extend(at_once(first, path, OFTEN - TIMES - 1));
        turns.extend(at_once(passing, path, 2));
        for (other, how) in &failing[1..] {
            let times = if *how == Got::Silence { 1 } else { TIMES - 1 };
            turns.extend(at_once(*other, path, times));
        }
        turns.extend(at_once(passing, path, TIMES));
    }
    turns
}

/// Where a limit may have refused some: every time with a wait before it.
fn limits(path: &str, failing: &[(Ask, Got)]) -> Vec<Turn> {
    let twice = failing.len() < 3;
    let rounds = if twice { 2 } else { 1 };
    let mut asks: Vec<Ask> = Vec::new();
    for _ in 0..rounds {
        asks.extend(failing.iter().map(|(ask, _)| *ask));
    }
    // One kind alone says nothing of the others.
    if failing.len() == 1 && failing[0].0 != Ask::Upgrade {
        asks = vec![failing[0].0, Ask::Upgrade, failing[0].0, Ask::Upgrade];
    }
    let waits = WAITS.into_iter().cycle();
    asks.into_iter()
        .zip(waits)
        .map(|(ask, wait)| Turn { wait, ask, path: path.to_owned() })
        .collect()
}

/// The pages that failed, while something else passes.
fn pages(seen: &Seen, waited: bool) -> Vec<Turn> {
    let failed = seen.0.iter().find(|(ask, _, got)| *ask == Ask::Page && *got != Got::Passed);
    let passes = seen.0.iter().any(|(_, _, got)| *got == Got::Passed);
    match failed {
        Some((_, page, got)) if passes => {
            let times = if *got == Got::Silence { 1 } else { TIMES };
            if waited { at_once(Ask::Page, page, times) } else { spaced(Ask::Page, page, times) }
        }
        _ => Vec::new(),
    }
}

/// Everything that is to be asked again on a route.
fn turns(seen: &Seen, paths: &[&str], credentials: bool) -> Vec<Turn> {
    let mut turns = Vec::new();
    for path in doubtful(seen, paths).into_iter().take(2) {
        // One silence is waited for, and not one for each path.
        let silent = |got: Got| got == Got::Silence;
        if !turns.is_empty() && seen.handshakes(path).all(|(_, got)| silent(got)) {
            continue;
        }
        let own = about(seen, path, credentials);
        // The first path's waits are enough, but where a limit may be.
        let first = turns.is_empty();
        let limit = own.iter().filter(|turn| !turn.wait.is_zero()).count() > WAITS.len();
        turns.extend(own.into_iter().map(|turn| match first || limit {
            true => turn,
            false => Turn { wait: Duration::ZERO, ..turn },
        }));
    }
    let waited = !turns.is_empty();
    turns.extend(pages(seen, waited));
    turns.truncate(TURNS);
    turns
}

/// Asks again what failed on a route, and what passed beside it; gives whether the
/// answers agree, and no limit stands before them that lets some of them pass.
pub(super) async fn run(net: &Arc<Net>, route: usize, way: &Arc<Way>, events: &Events) -> bool {
    let step = StepKey::new(Probe::Again, net.config.routes[route].route.id.0.as_str());
    let paths: Vec<&str> = twin_paths(&net.config).collect();
    let credentials = net.config.auth.is_some() || !net.config.headers.is_empty();
    let turns = turns(&Seen::of(net, route), &paths, credentials);
    if turns.is_empty() || net.is_cancelled() {
        if !net.is_cancelled() {
            skip(
                net,
                &step,
                StepOutcome::Skipped,
                "nothing failed that asking again would tell of",
            );
        }
        return true;
    }
    let running = Running::begin(net, step);
    let seen = Seen::of(net, route);
    net.recorder.tell(Progress::AskingAgain { route, alike: seen.alike() });
    let mut settled = Vec::new();
    for turn in turns {
        // A question with two answers needs no third.
        if settled.contains(&(turn.ask, turn.path.clone())) {
            continue;
        }
        if !wait(net, turn.wait).await {
            break;
        }
        once(net, route, way, &turn, events).await;
        if Seen::of(net, route).contradicts(turn.ask, &turn.path) {
            settled.push((turn.ask, turn.path));
        }
    }
    // How often which answer comes.
    if let Some((what, path)) = settled.first().cloned() {
        let ask = if what == Ask::Page { what } else { Ask::Upgrade };
        let turn = Turn { wait: Duration::ZERO, ask, path };
        while !net.is_cancelled()
            && Seen::of(net, route).about(turn.ask, &turn.path).count() < COUNT
        {
            once(net, route, way, &turn, events).await;
        }
    }
    limit::wait_out(net, route, way, events, seen.0.len()).await;
    running.end(&Ok(()), net);
    // A limit lets some pass; what refuses every upgrade in the collector's name, however
    // seldom it comes, may go by the name.
    let seen = Seen::of(net, route);
    let mut own = seen.0.iter().filter(|(ask, ..)| *ask == Ask::Upgrade);
    let limited = seen.0.iter().any(|(_, _, got)| *got == Got::Limited);
    settled.is_empty() && (!limited || own.all(|(_, _, got)| *got == Got::Limited))
}

/// How connections are opened that are held: as browsers do it, where that passed each
/// time but for a limit.
pub(super) fn opening(net: &Net, route: usize, path: &str) -> Opening {
    let seen = Seen::of(net, route);
    let mut told = seen.about(Ask::Browser, path).filter(|got| *got != Got::Limited).peekable();
    match told.peek().is_some() && told.all(|got| got == Got::Passed) {
        true => Opening::AsBrowsers,
        false => Opening::AsCurl,
    }
}

/// Waits; false when the user stops it.
async fn wait(net: &Net, time: Duration) -> bool {
    tokio::select! {
        biased;
        () = net.cancelled() => false,
        () = tokio::time::sleep(time) => true,
    }
}

async fn once(net: &Arc<Net>, route: usize, way: &Arc<Way>, turn: &Turn, events: &Events) {
    let ctx = |probe: Probe| Ctx::new(net, route, probe, Some(&turn.path));
    match turn.ask {
        Ask::Upgrade => {
            let passed =
                Seen::of(net, route).about(Ask::Upgrade, &turn.path).any(|got| got == Got::Passed);
            let (path, way, events) = (turn.path.clone(), way.clone(), events.clone());
            let its_way = way.clone();
            let tell = move |worked: bool| {
                if worked {
                    let _ = events.send(Event::Upgraded { route, path, worked, way });
                }
            };
            let _ = probe::upgrade::run(ctx(Probe::Upgrade), its_way, None, !passed, tell).await;
        }
        Ask::Browser => {
            let _ = probe::browser_upgrade::run(ctx(Probe::BrowserUpgrade), way.clone()).await;
        }
        Ask::Compressed => {
            if compressed_paths(&net.config).any(|path| path == turn.path) {
                let ctx = ctx(Probe::CompressedUpgrade);
                let _ = probe::compressed_upgrade::run(ctx, way.clone()).await;
            }
        }
        Ask::Connect => connect(net, route, way, &turn.path).await,
        Ask::Page => {
            let _ = probe::pages::one(&ctx(Probe::Pages), way, &turn.path).await;
        }
    }
}

/// Over HTTP/2 the SETTINGS come with the first answer.
async fn connect(net: &Arc<Net>, route: usize, way: &Arc<Way>, path: &str) {
    let ctx = Ctx::new(net, route, Probe::H2Get, Some(path));
    if let Ok(Some(session)) = probe::h2_get::open(&ctx, way).await {
        let on_it =
            |probe: Probe| Ctx { probe, path: Some(path.to_owned()), ..session.ctx.clone() };
        if probe::h2_get::run(&on_it(Probe::H2Get), &session.client).await == Ok(true) {
            // Of two servers that take turns the first request went to the other one.
            for _ in 0..2 {
                let _ = probe::h2_connect::run(&on_it(Probe::H2Connect), &session.client).await;
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn seen(all: &[(Ask, &str, Got)]) -> Seen {
        Seen(all.iter().map(|(ask, path, got)| (*ask, (*path).to_owned(), *got)).collect())
    }

    fn asked(all: &[(Ask, &str, Got)]) -> Vec<(u64, Ask, String)> {
        let turns = turns(&seen(all), &["/v1/ws", "/v1/graphql"], false);
        turns.into_iter().map(|turn| (turn.wait.as_secs(), turn.ask, turn.path)).collect()
    }

    fn kinds(all: &[(Ask, &str, Got)]) -> Vec<(u64, Ask)> {
        asked(all).into_iter().map(|(wait, ask, _)| (wait, ask)).collect()
    }

    use Ask::{Browser, Compressed, Page, Upgrade};
    use Got::{Limited, Passed, Refused, Silence, Unauthorized, Unknown};

    #[test]
    fn nothing_is_spent_where_nothing_fails() {
        let healthy = [
            (Upgrade, "/v1/ws", Passed),
            (Browser, "/v1/ws", Passed),
            (Compressed, "/v1/ws", Passed),
            (Upgrade, "/v1/graphql", Unknown),
            (Browser, "/v1/graphql", Unknown),
            (Page, "/health", Passed),
        ];
        assert_eq!(kinds(&healthy), []);
        assert_eq!(kinds(&[]), []);
    }

    #[test]
    fn what_fails_alike_is_asked_three_times_in_three_seconds() {
        let all = [(Upgrade, "/v1/ws", Refused), (Browser, "/v1/ws", Refused)];
        assert_eq!(kinds(&all), [(1, Upgrade), (2, Upgrade), (0, Upgrade)]);
        let silent = [(Upgrade, "/v1/ws", Silence), (Browser, "/v1/ws", Silence)];
        assert_eq!(kinds(&silent), [(1, Upgrade)]);
    }

    #[test]
    fn a_twin_that_differs_is_asked_again_and_the_one_that_passed_as_well() {
        let all = [
            (Upgrade, "/v1/ws", Passed),
            (Browser, "/v1/ws", Refused),
            (Upgrade, "/v1/graphql", Unknown),
        ];
        let once = (0, Browser);
        let b = [(1, Browser), (2, Browser), once, once, once, once, once, once];
        let u = [(0, Upgrade); 5];
        assert_eq!(kinds(&all), [&b[..], &u].concat());
    }

    #[test]
    fn a_path_that_is_known_to_one_probe_and_not_to_another_is_doubtful() {
        let all = [
            (Upgrade, "/v1/ws", Unknown),
            (Browser, "/v1/ws", Passed),
            (Upgrade, "/v1/graphql", Passed),
        ];
        assert!(asked(&all).iter().all(|(_, _, path)| path == "/v1/ws"));
        assert_eq!(kinds(&all)[0], (1, Upgrade));
    }

    #[test]
    fn where_a_limit_may_be_there_is_a_wait_before_each() {
        let all = [
            (Upgrade, "/v1/ws", Limited),
            (Browser, "/v1/ws", Limited),
            (Upgrade, "/v1/graphql", Passed),
        ];
        assert_eq!(kinds(&all), [(1, Upgrade), (2, Browser), (1, Upgrade), (2, Browser)]);
    }

    #[test]
    fn refused_credentials_are_not_sent_again() {
        let all = seen(&[(Upgrade, "/v1/ws", Unauthorized)]);
        assert_eq!(turns(&all, &["/v1/ws"], true), []);
        assert_eq!(turns(&all, &["/v1/ws"], false).len(), 3);
    }

    #[test]
    fn a_page_that_fails_beside_others_is_asked_again() {
        let all = [(Upgrade, "/v1/ws", Passed), (Page, "/health", Refused), (Page, "/", Passed)];
        assert_eq!(kinds(&all), [(1, Page), (2, Page), (0, Page)]);
    }
}
