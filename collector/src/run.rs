//! One collection from plan to observations: which probes run, when, and what
//! becomes of those that cannot. Sockets are `step`'s.
//!
//! Routes are tried side by side; `route` has the order of what is done on each,
//! `holds` what is held open, `plan` all of it as a value.

mod again;
mod holds;
mod ladder;
mod likeness;
mod plan;
mod route;
mod running;
mod shadow;
mod spelling;
mod switched;

pub(crate) use again::{
    CONNECTIONS as AGAIN_CONNECTIONS, LONGEST as AGAIN_LONGEST, WAITS as AGAIN_WAITS,
    WINDOWS as AGAIN_WINDOWS,
};
pub(crate) use ladder::{AT_ONCE, Ladder, keepalive_every, ping_every, speaks_graphql};
pub use plan::{PlannedStep, plan};
pub(crate) use spelling::REQUESTS as SPELLINGS;

use crate::config::Config;
use crate::key::Probe;
use crate::progress::Progress;
use crate::recorder::Recorder;
use crate::step::Net;
use crate::step::dial::Way;
use holds::{Upgrades, start_holds};
use plan::browser_key;
use running::{Running, skip};
use shadow::Shadow;
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::{mpsc, watch};
use tokio::task::JoinSet;
use tokio::time::{Instant, sleep_until};
use wss_bundle::manifest::{StepOutcome, StepRecord};
use wss_bundle::{BrowserHandshake, Observation};

/// What a collection gave.
#[derive(Debug, Clone)]
pub struct Collected {
    /// Every observation, in the order in which the steps began.
    pub observations: Vec<Observation>,
    /// Every step of the plan.
    pub steps: Vec<StepRecord>,
    /// What a browser saw, without ids.
    pub browser: Vec<BrowserHandshake>,
    /// False when the user stopped it.
    pub complete: bool,
}

/// What the routes tell: where they lead, and about upgrades, for the choice of
/// what to hold.
enum Event {
    Found { route: usize, way: Arc<Way> },
    Upgraded { route: usize, path: String, worked: bool, way: Arc<Way> },
    RouteDone { route: usize },
}

/// Routes that are tried for comparison end at about the same time as the
/// selected ones. Only those that take longer are not waited for.
const OTHERS_MAY_TAKE: Duration = Duration::from_secs(1);

type Events = mpsc::UnboundedSender<Event>;
type Tasks = JoinSet<()>;

/// Runs a collection to its end, or until `cancel` turns true. Nothing that
/// happens on the network makes it fail; what happened is in the result, and until then
/// in the recorder.
pub async fn run(
    config: Arc<Config>,
    recorder: Recorder,
    cancel: watch::Receiver<bool>,
) -> Collected {
    let net = Arc::new(Net::new(config.clone(), recorder.clone(), cancel));
    let (sender, mut events) = mpsc::unbounded_channel();
    let mut tasks = Tasks::new();
    let mut shadow = Shadow::default();
    let mut upgrades: Vec<Upgrades> = config.routes.iter().map(|_| Upgrades::default()).collect();
    for index in 0..config.routes.len() {
        let (net, sender) = (net.clone(), sender.clone());
        tasks.spawn(async move {
            // Said even when the route's task panics.
            let done = sender.clone();
            if tokio::spawn(route::run(net, index, sender)).await.is_err() {
                let _ = done.send(Event::RouteDone { route: index });
            }
        });
    }
    drop(sender);
    if let Some(choice) = &config.browser {
        let (net, key) = (net.clone(), browser_key(choice));
        tasks.spawn(async move {
            let running = Running::begin(&net, key);
            let result = crate::browser::run(&net).await;
            running.end(&result, &net);
        });
    }
    let (mut others_until, mut said) = (None, false);
    loop {
        tokio::select! {
            biased;
            Some(event) = events.recv() => {
                match event {
                    Event::Found { route, way } => shadow.follow(&net, route, &way),
                    Event::Upgraded { route, path, worked, way } => {
                        upgrades[route].worked.insert(path, (worked, way));
                    }
                    Event::RouteDone { route } => upgrades[route].done = true,
                }
                start_holds(&net, &mut upgrades, &mut tasks);
                if upgrades.iter().all(|u| u.done) && upgrades.iter().any(|u| u.held) {
                    net.recorder.tell(Progress::OnlyHoldsLeft);
                }
                if others_until.is_none() && !said && selected_done(&config, &upgrades) {
                    others_until = Some(Instant::now() + OTHERS_MAY_TAKE);
                }
            }
            () = sleep_until(others_until.unwrap_or_else(Instant::now)), if others_until.is_some() => {
                (others_until, said) = (None, true);
                if upgrades.iter().any(|u| !u.done) {
                    net.recorder.tell(Progress::SelectedRoutesDone);
                }
            }
            ended = tasks.join_next() => if ended.is_none() && events.is_empty() { break },
        }
    }
    shadow.end().await;
    let complete = !net.is_cancelled();
    for step in plan(&config) {
        match complete {
            true => skip(&net, &step.key, StepOutcome::Skipped, left_out(step.key.probe)),
            false => skip(&net, &step.key, StepOutcome::Cancelled, "stopped by the user"),
        }
    }
    let (observations, steps) = recorder.finish();
    Collected { observations, steps, browser: recorder.finish_browser(), complete }
}

/// Why a step has no record when all is over.
fn left_out(probe: Probe) -> &'static str {
    match probe {
        Probe::H2Connect => "the server does not announce extended CONNECT",
        Probe::HoldServerData => {
            "what was held is not GraphQL's, or no path gave a 101 on this route"
        }
        Probe::CompressedUpgrade => "no path gave a 101 on this route",
        probe if probe.is_hold() => "no path gave a 101 on this route",
        Probe::ReverseNames => {
            "no address that was not asked for yet, or no answer before all else was done"
        }
        _ => "it was not reached",
    }
}

/// Whether every route that this machine's settings choose is done with; the
/// first, where they choose none.
fn selected_done(config: &Config, upgrades: &[Upgrades]) -> bool {
    let none = !config.routes.iter().any(|route| route.route.selected);
    let chosen = |index: usize| config.routes[index].route.selected || (none && index == 0);
    (0..upgrades.len()).filter(|index| chosen(*index)).all(|index| upgrades[index].done)
}

#[cfg(test)]
mod tests;
