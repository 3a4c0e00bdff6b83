//! Whether a limit meets one browser, or met only the collector's own dozen of
//! handshakes: a window that these filled is waited out, and what takes only so many
//! at a time is asked for one at a time. Nothing else is done on the route meanwhile.

use super::{Ask, Events, Got, Net, Seen, Turn, Way, once, wait};
use crate::key::{Part, Probe, StepKey};
use crate::probe::hold_silent::Opening;
use crate::run::running::Running;
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::mpsc;
use wss_bundle::observation::probe as name;
use wss_bundle::{Observation, Outcome, Step};

/// How long is waited where a limit refuses still, and then once more; the second time as
/// long as `Retry-After` says, up to [`LONGEST`].
pub(crate) const WINDOWS: [Duration; 2] = [Duration::from_secs(5), Duration::from_secs(10)];
/// The longest that is waited because a server asks for it.
pub(crate) const LONGEST: Duration = Duration::from_secs(15);
/// Between handshakes of which each is to be alone.
const ALONE: Duration = Duration::from_secs(1);
/// How many of these: of four servers, one that differs is hardly missed.
const SINGLES: usize = 6;

/// What is left to be told of a limit, once everything was asked again.
#[derive(Debug, Clone, PartialEq, Eq)]
enum Left {
    /// It refused the last one still.
    Window,
    /// It refused these beside others, and none of what was asked again.
    Number(Vec<Ask>),
}

/// What is left to ask about a path, after the first `before` answers.
fn left(seen: &Seen, before: usize, path: &str) -> Option<Left> {
    let own = |all: &[(Ask, String, Got)]| -> Vec<(Ask, Got)> {
        let own = all.iter().filter(|(ask, p, _)| *ask != Ask::Page && p == path);
        own.map(|(ask, _, got)| (*ask, *got)).collect()
    };
    let (first, again) = (own(&seen.0[..before]), own(&seen.0[before..]));
    if again.last()?.1 == Got::Limited {
        return Some(Left::Window);
    }
    let mut refused: Vec<Ask> = Vec::new();
    for (ask, got) in first {
        if matches!(got, Got::Limited | Got::Failed | Got::Ended) && !refused.contains(&ask) {
            refused.push(ask);
        }
    }
    let passed = again.iter().all(|(_, got)| *got == Got::Passed);
    (passed && !refused.is_empty()).then_some(Left::Number(refused))
}

/// Waits out the window of a limit that refuses still, and asks alone for what was
/// refused with others.
pub(super) async fn wait_out(
    net: &Arc<Net>,
    route: usize,
    way: &Arc<Way>,
    events: &Events,
    before: usize,
) {
    let seen = Seen::of(net, route);
    let paths: Vec<String> = super::twin_paths(&net.config).map(str::to_owned).collect();
    // Whoever counts what is open counts it on all paths.
    let mut times = SINGLES;
    for path in paths {
        match left(&seen, before, &path) {
            Some(Left::Window) => return window(net, route, way, events, &path).await,
            Some(Left::Number(refused)) if failed(net, route, &path) => {
                if !singles(net, route, way, events, &path, (&refused, times)).await {
                    return;
                }
                times = 0;
            }
            _ => {}
        }
    }
}

async fn window(net: &Arc<Net>, route: usize, way: &Arc<Way>, events: &Events, path: &str) {
    let turn = |ask, wait| Turn { wait, ask, path: path.to_owned() };
    let last = || Seen::of(net, route).about(Ask::Upgrade, path).last();
    for (at, window) in WINDOWS.into_iter().enumerate() {
        let time = if at == 0 { None } else { retry_after(net, route, path) };
        let time = time.unwrap_or(window).max(WINDOWS[0]);
        if !wait(net, time).await {
            return;
        }
        once(net, route, way, &turn(Ask::Upgrade, time), events).await;
        if last() != Some(Got::Limited) {
            break;
        }
    }
    // As browsers send it, it may never have passed.
    let seen = Seen::of(net, route);
    let mut as_browsers = seen.about(Ask::Browser, path).peekable();
    let refused = as_browsers.peek().is_some() && as_browsers.all(|got| got == Got::Limited);
    if last() == Some(Got::Passed) && refused && wait(net, WINDOWS[0]).await {
        once(net, route, way, &turn(Ask::Browser, WINDOWS[0]), events).await;
    }
}

/// One at a time, until one does not pass: first each kind that was refused, for a limit
/// counts whatever comes; then as often as makes a lot unlikely. Whether all passed.
async fn singles(
    net: &Arc<Net>,
    route: usize,
    way: &Arc<Way>,
    events: &Events,
    path: &str,
    (refused, times): (&[Ask], usize),
) -> bool {
    // Over HTTP/2 another request goes before it.
    let alone = |ask: &&Ask| **ask != Ask::Connect;
    let all = refused.iter().filter(alone).copied();
    let more = if refused == [Ask::Browser] { Ask::Browser } else { Ask::Upgrade };
    let asks = all.chain(std::iter::repeat(more)).take(times.max(refused.len()));
    for ask in asks {
        let turn = Turn { wait: ALONE, ask, path: path.to_owned() };
        if !wait(net, turn.wait).await {
            return false;
        }
        once(net, route, way, &turn, events).await;
        if Seen::of(net, route).about(ask, path).last() != Some(Got::Passed) {
            return false;
        }
    }
    true
}

/// Asks alone for what was refused while other connections were held: a hold is one of
/// several at a time. It is asked in the way in which they were.
pub(crate) async fn after_holds(
    net: &Arc<Net>,
    route: usize,
    way: &Arc<Way>,
    path: &str,
    opening: Opening,
) {
    let id = &net.config.routes[route].route.id;
    let opened = net.recorder.all(|seen| {
        let own = seen.route == *id && name::is_hold(&seen.probe);
        own.then(|| super::got(seen)).flatten()
    });
    let refused = |got: &Got| matches!(got, Got::Limited | Got::Failed | Got::Ended);
    if !opened.iter().any(refused) || !opened.contains(&Got::Passed) || net.is_cancelled() {
        return;
    }
    let running =
        Running::begin(net, StepKey::new(Probe::Again, id.0.as_str()).part(Part::AfterHolds));
    // Nobody waits for what it tells: the holds are over.
    let (events, _) = mpsc::unbounded_channel();
    let ask = match opening {
        Opening::AsBrowsers => Ask::Browser,
        Opening::AsCurl => Ask::Upgrade,
    };
    singles(net, route, way, &events, path, (&[ask], SINGLES)).await;
    running.end(&Ok(()), net);
}

/// Whether a handshake got an error of who passes it on, or an end in place of an
/// answer: a limit's, a full queue's, or a dead server's.
fn failed(net: &Net, route: usize, path: &str) -> bool {
    let id = &net.config.routes[route].route.id;
    let own = |seen: &Observation| seen.route == *id && seen.path.as_deref() == Some(path);
    let all = net.recorder.all(|seen| match &seen.step {
        Step::Upgrade(upgrade) if own(seen) => Some(match &upgrade.result {
            Outcome::Ok(reply) => reply.head.status().is_some_and(|status| status >= 500),
            Outcome::Failed(_) => super::got(seen) == Some(Got::Ended),
        }),
        _ => None,
    });
    all.into_iter().any(|failed| failed)
}

/// What the last answer asks to wait, in seconds; a date is none that is kept to.
fn retry_after(net: &Net, route: usize, path: &str) -> Option<Duration> {
    let id = &net.config.routes[route].route.id;
    let all = net.recorder.all(|seen| match &seen.step {
        Step::Upgrade(upgrade)
            if seen.route == *id
                && seen.probe == name::UPGRADE
                && seen.path.as_deref() == Some(path) =>
        {
            match &upgrade.result {
                Outcome::Ok(reply) => Some(reply.head.header("retry-after")),
                Outcome::Failed(_) => None,
            }
        }
        _ => None,
    });
    let seconds: u64 = all.last()?.as_deref()?.trim().parse().ok()?;
    let time = Some(Duration::from_secs(seconds)).filter(|time| *time <= LONGEST);
    // Their clock counts in whole seconds.
    time.map(|time| time + Duration::from_millis(500))
}

#[cfg(test)]
mod tests {
    use super::*;
    use Got::{Failed, Limited, Passed, Refused};

    fn after(first: &[Got], again: &[Got]) -> Option<Left> {
        let all = first.iter().chain(again);
        let all = all.map(|got| (Ask::Upgrade, "/v1/ws".to_owned(), *got)).collect();
        left(&Seen(all), first.len(), "/v1/ws")
    }

    #[test]
    fn a_window_is_waited_out_where_the_last_is_refused_still() {
        assert_eq!(after(&[Passed, Limited], &[Limited, Limited]), Some(Left::Window));
        assert_eq!(after(&[Limited, Limited], &[Limited]), Some(Left::Window));
        assert_eq!(after(&[Passed, Limited], &[Limited, Passed]), None);
        assert_eq!(after(&[Passed, Passed], &[]), None);
    }

    #[test]
    fn what_passes_alone_is_asked_alone_some_more() {
        let number = Some(Left::Number(vec![Ask::Upgrade]));
        assert_eq!(after(&[Passed, Limited], &[Passed, Passed]), number);
        assert_eq!(after(&[Passed, Failed], &[Passed, Passed]), number);
        assert_eq!(after(&[Passed, Failed], &[Passed, Failed]), None);
        assert_eq!(after(&[Passed, Refused], &[Passed, Passed]), None);
        assert_eq!(after(&[Passed, Limited], &[Passed, Refused]), None);
    }
}
