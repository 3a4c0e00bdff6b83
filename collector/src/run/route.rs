//! One route: its steps, each begun in its turn of the plan. What settles a verdict
//! comes first, requests that need no connection of their own share one, and all of it
//! fits in two turns of six connections.

use super::plan::{PlannedStep, Turn, compressed_paths, http_proxy, plan_route};
use super::running::{Running, key_of, skip, step};
use super::switched::{Switched, Telling};
use super::{Event, Events, Tasks, again};
use crate::key::{Probe, StepKey};
use crate::probe::{self, Kept};
use crate::step::dial::{Conn, Way, dial};
use crate::step::{Ctx, Net};
use futures_util::future::join_all;
use std::sync::Arc;
use wss_bundle::manifest::StepOutcome;

/// Runs every probe of one route.
pub(super) async fn run(net: Arc<Net>, index: usize, events: Events) {
    let mut tasks = Tasks::new();
    let started = start(&net, index, &events, &mut tasks).await;
    // A task that panicked has recorded so itself.
    while tasks.join_next().await.is_some() {}
    match started {
        // What contradicts itself is no matter of names.
        Ok(way) => {
            if again::run(&net, index, &way, &events).await {
                super::likeness::ask(&net, index, &way, &events).await;
                super::spelling::ask(&net, index, &way).await;
            }
        }
        Err(why) => left_out(&net, index, &why),
    }
    let _ = events.send(Event::RouteDone { route: index });
}

/// Records the steps of a route whose probes cannot run.
fn left_out(net: &Arc<Net>, index: usize, why: &str) {
    // Holds and lookups of names are settled at the end; what did run has a record already.
    let settled_later = |probe: Probe| probe.is_hold() || probe == Probe::ReverseNames;
    for PlannedStep { key, .. } in plan_route(&net.config, index) {
        if !settled_later(key.probe) && !net.is_cancelled() {
            skip(net, &key, StepOutcome::Skipped, why);
        }
    }
}

/// Starts the probes of one route; says why, when they cannot run.
async fn start(
    net: &Arc<Net>,
    index: usize,
    events: &Events,
    tasks: &mut Tasks,
) -> Result<Arc<Way>, String> {
    let way = Arc::new(look_up(net, index, tasks).await?);
    let _ = events.send(Event::Found { route: index, way: way.clone() });
    let mut steps = plan_route(&net.config, index);
    steps.retain(|step| !matches!(step.turn, Turn::Names | Turn::After));
    // Within a turn the order stays that of the plan.
    steps.sort_by_key(|step| step.turn);
    let route = OnRoute {
        net,
        index,
        way: &way,
        events,
        switched: Switched::new(compressed_paths(&net.config)),
        first_turn: first_turn(&steps),
    };
    let mut pioneer = None;
    let forced = net.config.negotiate && http_proxy(net.config.routes[index].route.kind);
    for turn in steps.chunk_by(|a, b| a.turn == b.turn) {
        // A proxy that refuses a user is not asked six times at once: that locks accounts.
        if turn[0].turn == Turn::Settles && (forced || net.config.routes[index].auth.is_some()) {
            pioneer = Some(route.pioneer(&turn[0].key).await?);
        }
        route.begin(turn, &mut pioneer, tasks);
    }
    Ok(way)
}

/// Connections that the first turn asks for; steps that share one count as one.
fn first_turn(steps: &[PlannedStep]) -> usize {
    let own = steps.iter().filter(|step| matches!(step.turn, Turn::Settles | Turn::Others)).count();
    let shares = |turn: &Turn| steps.iter().any(|step| step.turn == *turn);
    own + [Turn::Plain, Turn::Http2].iter().filter(|turn| shares(turn)).count()
}

/// Finds the way; the name servers are asked beside that.
async fn look_up(net: &Arc<Net>, index: usize, tasks: &mut Tasks) -> Result<Way, String> {
    let ctx = Ctx::new(net, index, Probe::Resolve, None);
    let asking = ctx.clone();
    tasks.spawn(async move {
        let _ = probe::resolve::name_servers(asking).await;
    });
    step(&ctx, probe::resolve::run(ctx.clone()))
        .await
        .map_err(|failure| format!("name resolution failed: {failure}"))
}

/// A route on which steps are begun.
struct OnRoute<'r> {
    net: &'r Arc<Net>,
    index: usize,
    way: &'r Arc<Way>,
    events: &'r Events,
    switched: Switched,
    /// Connections that are asked for in the first turn.
    first_turn: usize,
}

/// The first connection of a route, and the step that it is of.
type Pioneer = (Conn, Running);

impl OnRoute<'_> {
    fn ctx(&self, key: &StepKey) -> Ctx {
        Ctx::new(self.net, self.index, key.probe, key.path())
    }

    /// The first connection, alone; says why, when there is none.
    async fn pioneer(&self, key: &StepKey) -> Result<Pioneer, String> {
        let ctx = self.ctx(key);
        let running = Running::begin(self.net, key.clone());
        match dial(&ctx, self.way, true).await {
            Ok(conn) => Ok((conn, running)),
            Err(failure) => {
                let why = format!("the first connection failed: {failure}");
                running.end(&Err::<(), _>(failure), self.net);
                Err(why)
            }
        }
    }

    /// Begins the steps of one turn.
    fn begin(&self, turn: &[PlannedStep], pioneer: &mut Option<Pioneer>, tasks: &mut Tasks) {
        let (net, index, way) = (self.net.clone(), self.index, self.way.clone());
        let paths = |probe: Probe| {
            let own = turn.iter().filter(move |step| step.key.probe == probe);
            own.filter_map(|step| step.key.path()).map(str::to_owned).collect::<Vec<String>>()
        };
        match turn[0].turn {
            Turn::Plain => {
                let gets = paths(Probe::PlainGet);
                let pages = turn.iter().any(|step| step.key.probe == Probe::Pages);
                tasks.spawn(async move { walk(&net, index, &way, gets, pages).await });
            }
            Turn::Http2 => {
                let gets = paths(Probe::H2Get);
                tasks.spawn(async move { h2(&net, index, &way, gets).await });
            }
            _ => turn.iter().for_each(|step| self.one(step, pioneer, tasks)),
        }
    }

    /// Begins a step that has its connections to itself.
    fn one(&self, planned: &PlannedStep, pioneer: &mut Option<Pioneer>, tasks: &mut Tasks) {
        let ctx = self.ctx(&planned.key);
        let way = self.way.clone();
        match planned.key.probe {
            Probe::Addresses => self.addresses(ctx, tasks),
            Probe::AbsoluteForm => {
                _ = tasks.spawn(async move {
                    let _ = step(&ctx, probe::absolute_form::run(ctx.clone(), way)).await;
                })
            }
            Probe::Pages => {
                _ = tasks.spawn(async move {
                    let _ = step(&ctx, probe::pages::run(&ctx, &way, &mut Kept::default())).await;
                })
            }
            Probe::Upgrade => self.upgrade(planned, pioneer.take(), tasks),
            Probe::BrowserUpgrade => self.browser(planned, tasks),
            Probe::RecordedUpgrade => {
                let after = self.first_turn;
                tasks.spawn(async move {
                    ctx.net.asked(ctx.route, after).await;
                    let _ = step(&ctx, probe::recorded_upgrade::run(&ctx, &way)).await;
                });
            }
            Probe::CompressedUpgrade => {
                let switched = self.switched.clone();
                tasks.spawn(async move {
                    // Where none switches, there are no frames.
                    if let Some(path) = switched.first().await {
                        let ctx = Ctx { path: Some(path), ..ctx };
                        let run = probe::compressed_upgrade::run(ctx.clone(), way);
                        let _ = step(&ctx, run).await;
                    }
                });
            }
            // Of another turn; a step that nothing begins is recorded as not reached.
            _ => {}
        }
    }

    fn addresses(&self, ctx: Ctx, tasks: &mut Tasks) {
        if self.way.first_hop.len() > 1 {
            let way = self.way.clone();
            tasks.spawn(async move {
                let _ = step(&ctx, probe::addresses::run(ctx.clone(), way)).await;
            });
        } else {
            let why = "there is one, and every probe connects to it";
            skip(self.net, &key_of(&ctx), StepOutcome::Skipped, why);
        }
    }

    fn upgrade(&self, planned: &PlannedStep, open: Option<Pioneer>, tasks: &mut Tasks) {
        let (key, ctx, way) = (planned.key.clone(), self.ctx(&planned.key), self.way.clone());
        let Some(path) = ctx.path.clone() else { return };
        let telling = self.switched.telling(&path);
        // What shows that agents can connect is the 101.
        let frames = super::plan::has_twins(&self.net.config, &path);
        let (events, route, its_way) = (self.events.clone(), self.index, way.clone());
        let tell = move |worked: bool| {
            telling.tell(worked);
            let _ = events.send(Event::Upgraded { route, path, worked, way: its_way });
        };
        tasks.spawn(async move {
            let (conn, running) = match open {
                Some((conn, running)) => (Some(conn), running),
                None => (None, Running::begin(&ctx.net, key)),
            };
            let net = ctx.net.clone();
            let result = probe::upgrade::run(ctx, way, conn, frames, tell).await;
            running.end(&result, &net);
        });
    }

    /// Asks as browsers do; the path that settles the verdict, at once.
    fn browser(&self, planned: &PlannedStep, tasks: &mut Tasks) {
        let (ctx, way) = (self.ctx(&planned.key), self.way.clone());
        let settles = planned.turn == Turn::Settles;
        let after = if settles { 0 } else { self.first_turn };
        let telling: Option<Telling> =
            ctx.path.as_deref().filter(|_| settles).map(|path| self.switched.telling(path));
        tasks.spawn(async move {
            ctx.net.asked(ctx.route, after).await;
            let switched = step(&ctx, probe::browser_upgrade::run(ctx.clone(), way)).await;
            if let Some(telling) = telling {
                telling.tell(switched.unwrap_or(false));
            }
        });
    }
}

/// Plain requests, one after the other on one connection as long as they are
/// answered. When one is not, the rest go side by side: silence is waited for
/// once.
async fn walk(
    net: &Arc<Net>,
    index: usize,
    way: &Arc<Way>,
    mut gets: Vec<String>,
    with_pages: bool,
) {
    let pages = async |kept: &mut Kept| {
        if !with_pages {
            return;
        }
        let ctx = Ctx::new(net, index, Probe::Pages, None);
        let _ = step(&ctx, probe::pages::run(&ctx, way, kept)).await;
    };
    let get = async |path: &str, kept: &mut Kept| {
        let ctx = Ctx::new(net, index, Probe::PlainGet, Some(path));
        step(&ctx, probe::plain_get::run(&ctx, way, kept)).await
    };
    let mut kept = Kept::default();
    gets.reverse();
    while let Some(path) = gets.pop() {
        if get(&path, &mut kept).await.is_err() {
            let others = gets.iter().map(async |path| {
                let _ = get(path, &mut Kept::default()).await;
            });
            let mut alone = Kept::default();
            tokio::join!(pages(&mut alone), join_all(others));
            return;
        }
    }
    pages(&mut kept).await;
}

/// `h2-get` for every path on one connection, and then `h2-connect` where the
/// server announces extended CONNECT.
async fn h2(net: &Arc<Net>, index: usize, way: &Arc<Way>, paths: Vec<String>) {
    let ctx = |path: &str| Ctx::new(net, index, Probe::H2Get, Some(path));
    let Some(first) = paths.first() else { return };
    let running: Vec<Running> =
        paths.iter().map(|path| Running::begin(net, key_of(&ctx(path)))).collect();
    let session = match probe::h2_get::open(&ctx(first), way).await {
        Ok(Some(session)) => session,
        not_h2 => {
            let result = not_h2.map(|_| ());
            running.into_iter().for_each(|running| running.end(&result, net));
            return;
        }
    };
    let session = &session;
    let on_it = |probe: Probe, path: &str| Ctx {
        probe,
        path: Some(path.to_owned()),
        ..session.ctx.clone()
    };
    let gets = paths.iter().zip(running).map(async |(path, running)| {
        let result = probe::h2_get::run(&on_it(Probe::H2Get, path), &session.client).await;
        running.end(&result, net);
        result.unwrap_or(false)
    });
    let announced = join_all(gets).await;
    let connects = paths.iter().zip(announced).filter(|(_, announced)| *announced);
    let connects = connects.map(async |(path, _)| {
        let ctx = on_it(Probe::H2Connect, path);
        let _ = step(&ctx, probe::h2_connect::run(&ctx, &session.client)).await;
    });
    join_all(connects).await;
}
