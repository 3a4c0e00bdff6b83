//! What is held open, and from when on.

use super::plan::step_name;
use super::step::Running;
use super::{Progress, Tasks};
use crate::config::RouteConfig;
use crate::net::dial::Way;
use crate::net::{Ctx, Net};
use crate::probe;
use futures_util::future::join_all;
use std::collections::HashMap;
use std::sync::Arc;
use std::time::Duration;
use tokio::time::Instant;
use wss_bundle::observation::{EndedBy, probe as name};
use wss_bundle::{RouteId, Step};

/// Between the beginnings of two holds, at the most: what ends them in one moment
/// then ends them at different ages.
const APART: Duration = Duration::from_secs(3);
/// Below this a part of the hold tells nothing.
const SHORTEST: Duration = Duration::from_secs(1);

/// What is known of a route's upgrades.
#[derive(Default)]
pub(super) struct Upgrades {
    pub(super) worked: HashMap<String, (bool, Arc<Way>)>,
    pub(super) done: bool,
    pub(super) held: bool,
}

/// What could be held on a route.
enum HoldChoice {
    Hold(String, Arc<Way>),
    NotYet,
    Nothing,
}

impl Upgrades {
    /// The best path that works, once every better one is known not to.
    fn choose(&self, paths: &[String]) -> HoldChoice {
        let mut order: Vec<&String> = paths.iter().collect();
        order.sort_by_key(|path| match path.split('?').next() {
            Some("/v1/ws") => 0,
            Some("/v1/graphql") => 1,
            _ if wss_bundle::target::is_agents(path) => 3,
            _ => 2,
        });
        for path in order {
            match self.worked.get(path) {
                Some((true, way)) => return HoldChoice::Hold(path.clone(), way.clone()),
                Some((false, _)) => {}
                None if self.done => {}
                None => return HoldChoice::NotYet,
            }
        }
        if self.done { HoldChoice::Nothing } else { HoldChoice::NotYet }
    }
}

/// One connection that is held.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Rung {
    /// Which probe.
    pub(crate) probe: &'static str,
    /// How long it is held; the silent ones are asked for a sign of life then.
    pub(crate) length: Duration,
    /// When it begins, after the first.
    pub(crate) begins: Duration,
}

impl Rung {
    /// What the plan calls it.
    pub(super) fn step(&self, route: &RouteId) -> String {
        let seconds = format!("{:.0} s", self.length.as_secs_f64());
        let rung = self.probe == name::HOLD_RUNG;
        step_name(self.probe, &route.0, rung.then_some(&seconds))
    }
}

/// The connections that are held on a route: a silent one and one that pings for the
/// whole time, and silent ones for parts of it. Where a box forgets connections without a
/// word, the limit lies between the longest part that was survived and the next.
pub(crate) fn rungs(hold: Duration) -> Vec<Rung> {
    if hold.is_zero() {
        return Vec::new();
    }
    let parts = [hold / 2, hold / 4].map(|length| (name::HOLD_RUNG, length));
    let whole = [name::HOLD_SILENT, name::HOLD_CHATTY].map(|probe| (probe, hold));
    let all = whole.into_iter().chain(parts.into_iter().filter(|(_, part)| *part >= SHORTEST));
    all.zip(0..)
        .map(|((probe, length), at)| Rung { probe, length, begins: apart(hold) * at })
        .collect()
}

fn apart(hold: Duration) -> Duration {
    (hold / 8).min(APART)
}

/// How long all of it takes.
pub(crate) fn whole(hold: Duration) -> Duration {
    rungs(hold).iter().map(|rung| rung.begins + rung.length).max().unwrap_or_default()
}

/// Starts holds where it is known by now what to hold, and all else is done with on the
/// route: on every selected route that works, on those that browsers here take, and on
/// the direct one, which is their twin; when none of these does, on the first other one
/// that works. Beside them nothing is asked: a limit on connections would count them.
pub(super) fn start_holds(net: &Arc<Net>, routes: &mut [Upgrades], tasks: &mut Tasks) {
    let config = &net.config;
    if config.hold.is_zero() || net.is_cancelled() {
        return;
    }
    let choices: Vec<HoldChoice> =
        routes.iter().map(|upgrades| upgrades.choose(&config.target.paths)).collect();
    let wanted = |index: usize| {
        let RouteConfig { route, browsers, .. } = &config.routes[index];
        route.selected || *browsers || route.id.is_direct()
    };
    let hopeless =
        (0..routes.len()).filter(|i| wanted(*i)).all(|i| matches!(choices[i], HoldChoice::Nothing));
    for (index, choice) in choices.into_iter().enumerate() {
        let HoldChoice::Hold(path, way) = choice else { continue };
        let elsewhere = routes.iter().any(|upgrades| upgrades.held);
        if routes[index].held || !(wanted(index) || (hopeless && !elsewhere)) {
            continue;
        }
        // The collection lasts anyway from now on.
        net.patience.held();
        if !routes[index].done {
            continue;
        }
        routes[index].held = true;
        net.recorder.tell(Progress::HoldStarted { planned: whole(config.hold) });
        let net = net.clone();
        tasks.spawn(async move { hold(&net, index, &path, &way).await });
    }
}

/// Holds everything on one route.
async fn hold(net: &Arc<Net>, route: usize, path: &str, way: &Arc<Way>) {
    let (begun, hold) = (Instant::now(), net.config.hold);
    let id = &net.config.routes[route].route.id;
    let all = rungs(hold).into_iter().map(|rung| (rung.step(id), rung));
    join_all(all.map(|(step, rung)| one(net, route, path, way, step, rung))).await;
    // What all ended at once may come back at the same age: then it is a limit.
    let left = whole(hold).saturating_sub(begun.elapsed() + apart(hold));
    if ended_at(net, id).is_some_and(|age| left > age.mul_f64(1.2)) {
        let again = [name::HOLD_SILENT, name::HOLD_CHATTY].into_iter().zip(0..);
        let again = again.map(|(probe, at)| {
            let rung = Rung { probe, length: left, begins: apart(hold) * at };
            one(net, route, path, way, step_name(probe, &id.0, Some("once more")), rung)
        });
        join_all(again).await;
    }
    super::again::after_holds(net, route, way, path).await;
}

async fn one(net: &Arc<Net>, route: usize, path: &str, way: &Arc<Way>, step: String, rung: Rung) {
    tokio::select! {
        biased;
        () = net.cancelled() => return,
        () = tokio::time::sleep(rung.begins) => {}
    }
    let ctx = Ctx::new(net, route, rung.probe, Some(path));
    let running = Running::begin(net, step);
    let result = match rung.probe {
        name::HOLD_CHATTY => probe::hold_chatty::run(ctx, way.clone(), rung.length).await,
        name::HOLD_RUNG => probe::hold_rung::run(ctx, way.clone(), rung.length).await,
        _ => probe::hold_silent::run(ctx, way.clone(), rung.length).await,
    };
    running.end(&result, net);
}

/// The age at which the silent and the pinging connection were ended, both, long before
/// their time.
fn ended_at(net: &Net, route: &RouteId) -> Option<Duration> {
    let ages = net.recorder.all(|seen| match &seen.step {
        Step::Hold(hold) if seen.route == *route && seen.probe != name::HOLD_RUNG => {
            let held = hold.result.ok()?;
            let ended = !matches!(held.ending.how, EndedBy::StillOpen | EndedBy::Silence);
            Some(ended.then(|| Duration::from_secs_f64(held.held_ms / 1e3)))
        }
        _ => None,
    });
    let ended: Vec<Duration> = ages.iter().flatten().copied().collect();
    (ended.len() == ages.len()).then(|| ended.into_iter().max()).flatten()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn holds_begin_apart_and_end_with_the_whole_ones() {
        for seconds in [2, 4, 20, 75, 3600] {
            let hold = Duration::from_secs(seconds);
            let all = rungs(hold);
            assert!(all.len() <= 4 && all.len() >= 3, "{seconds}: within six to a host");
            assert!(all.windows(2).all(|two| two[1].begins - two[0].begins == apart(hold)));
            assert_eq!(whole(hold), hold + apart(hold));
        }
        assert_eq!(rungs(Duration::ZERO), []);
        assert_eq!(rungs(Duration::from_millis(600)).len(), 2);
    }
}
