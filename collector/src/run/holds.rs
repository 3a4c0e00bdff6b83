//! What is held open, and from when on: the ladder's lanes, side by side.

use super::Tasks;
use super::ladder::{Ladder, Rung, keepalive_every, ping_every, speaks_graphql};
use super::running::{Running, skip};
use crate::config::RouteConfig;
use crate::key::{Part, Probe, StepKey};
use crate::probe::hold_silent::{Manner, Opening, held};
use crate::progress::Progress;
use crate::step::dial::{Way, permit};
use crate::step::{Ctx, Net};
use futures_util::future::{join, join_all};
use std::collections::HashMap;
use std::sync::Arc;
use std::time::Duration;
use tokio::time::{Instant, sleep_until, timeout_at};
use wss_bundle::RouteId;
use wss_bundle::manifest::StepOutcome;
use wss_bundle::observation::EndedBy;

/// How much later than planned a rung may end: handshakes take their time.
const LATE: Duration = Duration::from_millis(1500);

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

/// The step of the plan that a rung is.
pub(super) fn key_of(rung: &Rung, route: &RouteId) -> StepKey {
    let part = rung.is_part().then_some(Part::Silence(rung.length));
    StepKey { part, ..StepKey::new(rung.probe, route.0.as_str()) }
}

/// Whether two routes lead to the same host first: then they share its connections.
fn same_first_hop(a: &RouteConfig, b: &RouteConfig) -> bool {
    a.route.proxy == b.route.proxy
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
        let own = &config.routes[index];
        let beside = |other: usize| same_first_hop(own, &config.routes[other]);
        // What is held keeps its places, of which others to the same host have need.
        if !(0..routes.len()).filter(|other| beside(*other)).all(|other| routes[other].done) {
            continue;
        }
        routes[index].held = true;
        let ladder = Ladder::new(config.hold, speaks_graphql(&path));
        let (planned, connections) = (ladder.whole, ladder.rungs().count());
        net.recorder.tell(Progress::HoldStarted { planned, connections });
        let net = net.clone();
        tasks.spawn(async move {
            let opened = super::again::opening(&net, index, &path);
            let on = OnRoute { net: &net, route: index, path: &path, way: &way, opened };
            climb(&on, &ladder).await;
            super::again::after_holds(&net, index, &way, &path, opened).await;
        });
    }
}

/// What became of one, as far as the others want to know.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Fate {
    /// Somebody ended it, at this age.
    Ended(Duration),
    /// It answered, or did not and nobody ended it, or it could not be held.
    Other,
}

/// Where rungs are held: the network, or a test's.
pub(super) trait Place: Sync {
    /// Holds one; where it cannot begin by then, it is left out.
    fn hold(&self, rung: Rung, latest: Instant, again: bool) -> impl Future<Output = Fate> + Send;
    /// Says why one is left out.
    fn leave_out(&self, rung: &Rung, why: &str);
    /// Returns once the user stops it.
    fn stopped(&self) -> impl Future<Output = ()> + Send;
}

/// Holds everything on one route.
pub(super) async fn climb(place: &impl Place, ladder: &Ladder) {
    let begun = Instant::now();
    let ends = begun + ladder.whole;
    let lane = async |rungs: &[Rung]| {
        let mut fate = Fate::Other;
        for rung in rungs {
            tokio::select! {
                biased;
                () = place.stopped() => return fate,
                () = sleep_until(begun + rung.begins) => {}
            }
            let latest = (ends + LATE).checked_sub(rung.length).filter(|at| *at >= Instant::now());
            match latest {
                Some(latest) => fate = place.hold(*rung, latest, false).await,
                None => place.leave_out(rung, "those before it took all the time that there was"),
            }
        }
        fate
    };
    let whole = |lane: &&Vec<Rung>| !lane.iter().any(Rung::is_part);
    let (whole, parts): (Vec<_>, Vec<_>) = ladder.lanes.iter().partition(whole);
    let whole = async {
        let fates = join_all(whole.iter().map(|rungs| lane(rungs))).await;
        // What all ended at once may come back at the same age: then it is a limit.
        let ages: Option<Vec<Duration>> = fates.into_iter().map(Fate::ended).collect();
        let Some(age) = ages.and_then(|ages| ages.into_iter().max()) else { return };
        let left = ends.saturating_duration_since(Instant::now() + ladder.apart * 2);
        if left > age.mul_f64(1.2) {
            let again = [Probe::HoldSilent, Probe::HoldChatty].into_iter().zip([0, 2]);
            let again = again.map(|(probe, place_of_it)| async move {
                let begins = ladder.apart * place_of_it;
                tokio::select! {
                    biased;
                    () = place.stopped() => return,
                    () = tokio::time::sleep(begins) => {}
                }
                let rung = Rung { probe, length: left, begins };
                place.hold(rung, Instant::now() + LATE, true).await;
            });
            join_all(again).await;
        }
    };
    join(whole, join_all(parts.iter().map(|rungs| lane(rungs)))).await;
    for rung in ladder.left_out.iter().map(|length| Rung {
        probe: Probe::HoldRung,
        length: *length,
        begins: Duration::ZERO,
    }) {
        place.leave_out(&rung, "no place among six connections at a time");
    }
}

impl Fate {
    fn ended(self) -> Option<Duration> {
        match self {
            Self::Ended(age) => Some(age),
            Self::Other => None,
        }
    }
}

/// A route of a collection.
struct OnRoute<'a> {
    net: &'a Arc<Net>,
    route: usize,
    path: &'a str,
    way: &'a Arc<Way>,
    opened: Opening,
}

impl OnRoute<'_> {
    fn id(&self) -> &RouteId {
        &self.net.config.routes[self.route].route.id
    }

    /// How a rung is held.
    fn manner(&self, rung: &Rung) -> Manner {
        let hold = self.net.config.hold;
        Manner {
            interval: (rung.probe == Probe::HoldChatty).then(|| ping_every(hold)),
            keepalive: (rung.probe == Probe::HoldKeepalive).then(|| keepalive_every(hold)),
            server_data: rung.probe == Probe::HoldServerData,
        }
    }
}

impl Place for OnRoute<'_> {
    async fn hold(&self, rung: Rung, latest: Instant, again: bool) -> Fate {
        let net = self.net;
        let step = match again {
            true => StepKey::new(rung.probe, self.id().0.as_str()).part(Part::OnceMore),
            false => key_of(&rung, self.id()),
        };
        let manner = self.manner(&rung);
        let ctx = Ctx::new(net, self.route, rung.probe, Some(self.path));
        let ctx = Ctx { keepalive: manner.keepalive, ..ctx };
        let permit = match timeout_at(latest, permit(&ctx)).await {
            Ok(Some(permit)) => permit,
            // Stopped by the user.
            Ok(None) => return Fate::Other,
            Err(_) => {
                let why = "as many connections to the host as may be were open all the time";
                skip(net, &step, StepOutcome::Skipped, why);
                return Fate::Other;
            }
        };
        let running = Running::begin(net, step);
        let result = held(ctx, self.way.clone(), rung.length, manner, self.opened).await;
        drop(permit);
        running.end(&result, net);
        match result {
            Ok((EndedBy::StillOpen | EndedBy::Silence, _)) | Err(_) => Fate::Other,
            Ok((_, age)) => Fate::Ended(age),
        }
    }

    fn leave_out(&self, rung: &Rung, why: &str) {
        skip(self.net, &key_of(rung, self.id()), StepOutcome::Skipped, why);
    }

    async fn stopped(&self) {
        self.net.cancelled().await;
    }
}

#[cfg(test)]
mod tests;
