//! One collection from plan to observations: which probes run, when, and what
//! becomes of those that cannot. Knows probes by name; sockets are `net`'s.
//!
//! Routes are tried side by side. On each, one connection goes ahead; once it
//! is through (TCP, and the proxy's tunnel), everything else of that route
//! starts. When it is not, the others would fail in the same way, and are skipped.

use crate::browser::{Choice, Way as BrowserWay};
use crate::config::Config;
use crate::net::dial::{Way, dial};
use crate::net::{Ctx, Net};
use crate::probe;
use crate::recorder::{Begun, Recorder};
use std::collections::HashMap;
use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::{mpsc, watch};
use tokio::task::JoinSet;
use wss_bundle::manifest::{StepOutcome, StepRecord};
use wss_bundle::observation::{RouteKind, probe as name};
use wss_bundle::target::Scheme;
use wss_bundle::{BrowserHandshake, Failure, FailureKind, Observation};

/// What whoever watches a collection gets to know.
#[derive(Debug, Clone)]
pub enum Progress {
    /// A step has ended. Its `id` is provisional: the final one is in [`Collected`].
    Observation(Box<Observation>),
    /// Holds have begun; what else is done takes far less time.
    HoldStarted {
        /// How long they take.
        planned: Duration,
    },
    /// A step of the plan has ended.
    StepDone(StepRecord),
}

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

/// One step of the plan.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PlannedStep {
    /// As in its [`StepRecord`].
    pub name: String,
    /// The route's name.
    pub route: String,
    /// The path, for probes that are about one.
    pub path: Option<String>,
    /// Connections that it opens, at the most usual.
    pub connections: u32,
    /// Who is contacted, for people.
    pub contacts: String,
}

fn step_name(probe: &str, route: &str, path: Option<&str>) -> String {
    match path {
        Some(path) => format!("{probe} {path}, {route}"),
        None => format!("{probe}, {route}"),
    }
}

fn http_proxy(kind: RouteKind) -> bool {
    matches!(kind, RouteKind::HttpProxy | RouteKind::HttpsProxy)
}

/// Every step that [`run`] takes when nothing fails, in order.
#[must_use]
pub fn plan(config: &Config) -> Vec<PlannedStep> {
    let by_route = (0..config.routes.len()).flat_map(|index| plan_route(config, index));
    by_route.chain(config.browser.iter().map(|choice| plan_browser(config, choice))).collect()
}

fn browser_step(choice: &Choice) -> String {
    format!("browser, {}", choice.program.path.display())
}

fn plan_browser(config: &Config, choice: &Choice) -> PlannedStep {
    let by = match choice.way {
        BrowserWay::System => "as this machine's settings say",
        BrowserWay::AsPlanned => "as -x and --noproxy say",
    };
    PlannedStep {
        name: browser_step(choice),
        route: "browser".to_owned(),
        path: None,
        // Each socket, the page, and what browsers open in advance.
        connections: u32::try_from(config.target.paths.len()).unwrap_or(16) + 4,
        contacts: format!("{}, from a browser, {by}", config.target.host_port()),
    }
}

fn plan_route(config: &Config, index: usize) -> Vec<PlannedStep> {
    let route = &config.routes[index].route;
    let target = config.target.host_port();
    let contacts = match &route.proxy {
        Some(proxy) => format!("{}:{}, for {target}", proxy.host, proxy.port),
        None => target,
    };
    let servers: Vec<String> = config.name_servers.iter().map(ToString::to_string).collect();
    let resolvers = format!("the system's resolver; name servers {}", servers.join(", "));
    let mut steps = Vec::new();
    let mut add = |probe: &str, path: Option<&str>, connections: u32, contacts: &str| {
        steps.push(PlannedStep {
            name: step_name(probe, &route.id.0, path),
            route: route.id.0.clone(),
            path: path.map(str::to_owned),
            connections,
            contacts: contacts.to_owned(),
        });
    };
    add(
        name::RESOLVE,
        None,
        0,
        if servers.is_empty() { "the system's resolver" } else { &resolvers },
    );
    if route.id.is_direct() {
        add(name::ADDRESSES, None, 1, &contacts);
    }
    let plain = config.target.scheme == Scheme::Http;
    for path in config.target.paths.iter().map(String::as_str) {
        add(name::UPGRADE, Some(path), 1, &contacts);
        add(name::PLAIN_GET, Some(path), 1, &contacts);
        add(name::BROWSER_UPGRADE, Some(path), 1, &contacts);
        if !plain {
            add(name::H2_GET, Some(path), 1, &contacts);
            add(name::H2_CONNECT, Some(path), 0, &contacts);
        } else if http_proxy(route.kind) {
            add(name::ABSOLUTE_FORM, Some(path), 1, &contacts);
        }
    }
    add(name::PAGES, None, 1, &contacts);
    let none_selected = !config.routes.iter().any(|r| r.route.selected);
    let held = route.selected || route.id.is_direct() || (none_selected && index == 0);
    if !config.hold.is_zero() && held {
        add(name::HOLD_SILENT, None, 1, &contacts);
        add(name::HOLD_CHATTY, None, 1, &contacts);
    }
    steps
}

/// Records a step of the plan, even when its probe panics.
struct Running {
    recorder: Recorder,
    name: String,
    begun: Begun,
    done: bool,
}

impl Running {
    fn begin(net: &Net, name: String) -> Self {
        let recorder = net.recorder.clone();
        let begun = recorder.begin();
        Self { recorder, name, begun, done: false }
    }

    fn end<T>(mut self, result: &Result<T, Failure>, net: &Net) {
        let (outcome, why) = match result {
            Ok(_) => (StepOutcome::Done, None),
            Err(failure) => {
                let outcome = match failure.kind {
                    FailureKind::TimedOut => StepOutcome::TimedOut,
                    FailureKind::Cancelled if net.is_cancelled() => StepOutcome::Cancelled,
                    FailureKind::Cancelled => StepOutcome::Skipped,
                    _ => StepOutcome::Failed,
                };
                (outcome, Some(failure.detail.clone()))
            }
        };
        self.done = true;
        self.recorder.step_done(&self.name, &self.begun, outcome, why);
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        if !self.done {
            let why = Some("the probe broke off (a defect of the collector)".to_owned());
            self.recorder.step_done(&self.name, &self.begun, StepOutcome::Failed, why);
        }
    }
}

/// Runs a probe as a step of the plan.
async fn step<T>(ctx: &Ctx, work: impl Future<Output = Result<T, Failure>>) -> Result<T, Failure> {
    // A hold is named after its route: which path it takes turns out late.
    let path = ctx.path.as_deref().filter(|_| !ctx.probe.starts_with("hold-"));
    let name = step_name(ctx.probe, &ctx.route().route.id.0, path);
    let running = Running::begin(&ctx.net, name);
    let result = work.await;
    running.end(&result, &ctx.net);
    result
}

fn skip(net: &Net, step: &PlannedStep, outcome: StepOutcome, why: &str) {
    if !net.recorder.has_step(&step.name) {
        net.recorder.step_done(&step.name, &net.recorder.begin(), outcome, Some(why.to_owned()));
    }
}

/// What the routes tell about upgrades, for the choice of what to hold.
enum Event {
    Upgraded { route: usize, path: String, worked: bool, way: Arc<Way> },
    RouteDone { route: usize },
}

type Events = mpsc::UnboundedSender<Event>;
type Tasks = JoinSet<()>;

/// Runs every probe of one route.
async fn route(net: Arc<Net>, index: usize, events: Events) {
    let mut tasks = Tasks::new();
    let started = start(&net, index, &events, &mut tasks).await;
    // A task that panicked has recorded so itself.
    while tasks.join_next().await.is_some() {}
    if let Err(why) = started {
        // Holds are settled at the end; what did run has a record already.
        for step in plan_route(&net.config, index) {
            if !step.name.starts_with("hold-") && !net.is_cancelled() {
                skip(&net, &step, StepOutcome::Skipped, &why);
            }
        }
    }
    let _ = events.send(Event::RouteDone { route: index });
}

/// Starts the probes of one route; says why, when they cannot run.
async fn start(
    net: &Arc<Net>,
    index: usize,
    events: &Events,
    tasks: &mut Tasks,
) -> Result<(), String> {
    let config = &net.config;
    let ctx = Ctx::new(net, index, name::RESOLVE, None);
    let asking = ctx.clone();
    tasks.spawn(async move {
        let _ = probe::resolve::name_servers(asking).await;
    });
    let way = step(&ctx, probe::resolve::run(ctx.clone()))
        .await
        .map_err(|failure| format!("name resolution failed: {failure}"))?;
    let way = Arc::new(way);
    if config.routes[index].route.id.is_direct() {
        let ctx = Ctx::new(net, index, name::ADDRESSES, None);
        let way = way.clone();
        tasks.spawn(async move {
            let _ = step(&ctx, probe::addresses::run(ctx.clone(), way)).await;
        });
    }
    let kind = config.routes[index].route.kind;
    let absolute = config.target.scheme == Scheme::Http && http_proxy(kind);
    if absolute {
        for path in &config.target.paths {
            let ctx = Ctx::new(net, index, name::ABSOLUTE_FORM, Some(path));
            spawn(tasks, ctx, &way, |ctx, way| Box::pin(probe::absolute_form::run(ctx, way)));
        }
        let ctx = Ctx::new(net, index, name::PAGES, None);
        spawn(tasks, ctx, &way, |ctx, way| Box::pin(probe::pages::run(ctx, way)));
    }

    let Some(first) = config.target.paths.first() else {
        return Err("no path to try".to_owned());
    };
    let pioneer = Ctx::new(net, index, name::UPGRADE, Some(first));
    let running =
        Running::begin(net, step_name(name::UPGRADE, &ctx.route().route.id.0, Some(first)));
    let conn = match dial(&pioneer, &way, true).await {
        Ok(conn) => conn,
        Err(failure) => {
            let why = format!("the first connection failed: {failure}");
            running.end(&Err::<(), _>(failure), net);
            return Err(why);
        }
    };
    let tell = teller(events, index, first, &way);
    let its_way = way.clone();
    let shared = net.clone();
    tasks.spawn(async move {
        let result = probe::upgrade::run(pioneer, its_way, Some(conn), tell).await;
        running.end(&result, &shared);
    });
    for path in config.target.paths.iter().skip(1) {
        let ctx = Ctx::new(net, index, name::UPGRADE, Some(path));
        let tell = teller(events, index, path, &way);
        let way = way.clone();
        tasks.spawn(async move {
            let _ = step(&ctx, probe::upgrade::run(ctx.clone(), way, None, tell)).await;
        });
    }
    for path in &config.target.paths {
        let ctx = Ctx::new(net, index, name::PLAIN_GET, Some(path));
        spawn(tasks, ctx, &way, |ctx, way| Box::pin(probe::plain_get::run(ctx, way)));
        let ctx = Ctx::new(net, index, name::BROWSER_UPGRADE, Some(path));
        spawn(tasks, ctx, &way, |ctx, way| Box::pin(probe::browser_upgrade::run(ctx, way)));
        if config.target.scheme == Scheme::Https {
            let ctx = Ctx::new(net, index, name::H2_GET, Some(path));
            let way = way.clone();
            tasks.spawn(h2(ctx, way));
        }
    }
    if !absolute {
        let ctx = Ctx::new(net, index, name::PAGES, None);
        spawn(tasks, ctx, &way, |ctx, way| Box::pin(probe::pages::run(ctx, way)));
    }
    Ok(())
}

type Probe = Pin<Box<dyn Future<Output = Result<(), Failure>> + Send>>;

fn spawn(tasks: &mut Tasks, ctx: Ctx, way: &Arc<Way>, run: fn(Ctx, Arc<Way>) -> Probe) {
    let way = way.clone();
    tasks.spawn(async move {
        let _ = step(&ctx, run(ctx.clone(), way)).await;
    });
}

/// `h2-get`, and what `h2-connect` came to on the same connection.
async fn h2(ctx: Ctx, way: Arc<Way>) {
    let second = Ctx { probe: name::H2_CONNECT, ..ctx.clone() };
    if let Ok(Some(result)) = step(&ctx, probe::h2_get::run(ctx.clone(), way)).await {
        let _ = step(&second, async { result }).await;
    }
}

fn teller(events: &Events, route: usize, path: &str, way: &Arc<Way>) -> impl FnOnce(bool) + use<> {
    let (events, path, way) = (events.clone(), path.to_owned(), way.clone());
    move |worked| {
        let _ = events.send(Event::Upgraded { route, path, worked, way });
    }
}

/// What is known of a route's upgrades.
#[derive(Default)]
struct Upgrades {
    worked: HashMap<String, (bool, Arc<Way>)>,
    done: bool,
    held: bool,
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
            Some(wss_bundle::target::AGENT_PATH) => 3,
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

/// Starts holds where it is known by now what to hold: on every selected route
/// that works, and on the direct one, which is its twin; when none of these
/// does, on the first other one that works.
fn start_holds(net: &Arc<Net>, routes: &mut [Upgrades], tasks: &mut Tasks) {
    let config = &net.config;
    if config.hold.is_zero() || net.is_cancelled() {
        return;
    }
    let choices: Vec<HoldChoice> =
        routes.iter().map(|upgrades| upgrades.choose(&config.target.paths)).collect();
    let wanted = |index: usize| {
        let route = &config.routes[index].route;
        route.selected || route.id.is_direct()
    };
    let hopeless =
        (0..routes.len()).filter(|i| wanted(*i)).all(|i| matches!(choices[i], HoldChoice::Nothing));
    for (index, choice) in choices.into_iter().enumerate() {
        let HoldChoice::Hold(path, way) = choice else { continue };
        let elsewhere = routes.iter().any(|upgrades| upgrades.held);
        if routes[index].held || !(wanted(index) || (hopeless && !elsewhere)) {
            continue;
        }
        routes[index].held = true;
        net.recorder.tell(Progress::HoldStarted { planned: config.hold });
        let ctx = Ctx::new(net, index, name::HOLD_SILENT, Some(&path));
        spawn(tasks, ctx, &way, |ctx, way| Box::pin(probe::hold_silent::run(ctx, way)));
        let ctx = Ctx::new(net, index, name::HOLD_CHATTY, Some(&path));
        spawn(tasks, ctx, &way, |ctx, way| Box::pin(probe::hold_chatty::run(ctx, way)));
    }
}

/// Runs a collection to its end, or until `cancel` turns true. Nothing that
/// happens on the network makes it fail; what happened is in the result.
pub async fn run(
    config: Arc<Config>,
    progress: mpsc::UnboundedSender<Progress>,
    cancel: watch::Receiver<bool>,
) -> Collected {
    let recorder = Recorder::new(progress);
    let net = Arc::new(Net::new(config.clone(), recorder.clone(), cancel));
    let (sender, mut events) = mpsc::unbounded_channel();
    let mut tasks = Tasks::new();
    let mut upgrades: Vec<Upgrades> = config.routes.iter().map(|_| Upgrades::default()).collect();
    for index in 0..config.routes.len() {
        let (net, sender) = (net.clone(), sender.clone());
        tasks.spawn(async move {
            // Said even when the route's task panics.
            let done = sender.clone();
            if tokio::spawn(route(net, index, sender)).await.is_err() {
                let _ = done.send(Event::RouteDone { route: index });
            }
        });
    }
    drop(sender);
    if let Some(choice) = &config.browser {
        let (net, name) = (net.clone(), browser_step(choice));
        tasks.spawn(async move {
            let running = Running::begin(&net, name);
            let result = crate::browser::run(&net).await;
            running.end(&result, &net);
        });
    }
    loop {
        tokio::select! {
            biased;
            Some(event) = events.recv() => {
                match event {
                    Event::Upgraded { route, path, worked, way } => {
                        upgrades[route].worked.insert(path, (worked, way));
                    }
                    Event::RouteDone { route } => upgrades[route].done = true,
                }
                start_holds(&net, &mut upgrades, &mut tasks);
            }
            ended = tasks.join_next() => if ended.is_none() && events.is_empty() { break },
        }
    }
    let complete = !net.is_cancelled();
    for step in plan(&config) {
        let why = if step.name.starts_with(name::H2_CONNECT) {
            "the server does not announce extended CONNECT"
        } else if step.name.starts_with("hold-") {
            "no path gave a 101 on this route"
        } else {
            "it was not reached"
        };
        if complete {
            skip(&net, &step, StepOutcome::Skipped, why);
        } else {
            skip(&net, &step, StepOutcome::Cancelled, "stopped by the user");
        }
    }
    let (observations, steps) = recorder.finish();
    Collected { observations, steps, browser: recorder.finish_browser(), complete }
}

#[cfg(test)]
mod tests;
