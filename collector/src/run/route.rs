//! The probes of one route, and their order.
//!
//! At most six connections at a time go to one host (`net`), and each takes
//! three round trips before it tells anything: so what settles a verdict comes
//! first, requests that need no connection of their own share one, and what
//! browsers never do is not tried. All of it fits in two turns.

use super::plan::{compressed_paths, has_twins, http_proxy, plan_route, twin_paths};
use super::step::{Running, name_of, skip, step};
use super::switched::{Switched, Telling};
use super::{Event, Events, Tasks, again};
use crate::net::dial::{Conn, Way, dial};
use crate::net::{Ctx, Net, request};
use crate::probe::{self, Kept};
use futures_util::future::join_all;
use std::sync::Arc;
use wss_bundle::manifest::StepOutcome;
use wss_bundle::observation::probe as name;
use wss_bundle::target::Scheme;

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
    // These are settled at the end; what did run has a record already.
    for step in plan_route(&net.config, index) {
        let settled_later =
            step.name.starts_with("hold-") || step.name.starts_with(name::REVERSE_NAMES);
        if !settled_later && !net.is_cancelled() {
            skip(net, &step.name, StepOutcome::Skipped, why);
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
    let _ = events.send(Event::Found { route: index, way: way.clone() });
    if config.routes[index].route.id.is_direct() {
        let ctx = Ctx::new(net, index, name::ADDRESSES, None);
        if way.first_hop.len() > 1 {
            let way = way.clone();
            tasks.spawn(async move {
                let _ = step(&ctx, probe::addresses::run(ctx.clone(), way)).await;
            });
        } else {
            skip(
                net,
                &name_of(&ctx),
                StepOutcome::Skipped,
                "there is one, and every probe connects to it",
            );
        }
    }
    let kind = config.routes[index].route.kind;
    let absolute = config.target.scheme == Scheme::Http && http_proxy(kind);
    if absolute {
        for path in &config.target.paths {
            let ctx = Ctx::new(net, index, name::ABSOLUTE_FORM, Some(path));
            let way = way.clone();
            tasks.spawn(async move {
                let _ = step(&ctx, probe::absolute_form::run(ctx.clone(), way)).await;
            });
        }
        let ctx = Ctx::new(net, index, name::PAGES, None);
        let way = way.clone();
        tasks.spawn(async move {
            let _ = step(&ctx, probe::pages::run(&ctx, &way, &mut Kept::default())).await;
        });
    }
    let Some(first) = config.target.paths.first() else {
        return Err("no path to try".to_owned());
    };
    // A proxy that refuses a user is not asked six times at once: that locks accounts.
    let forced = config.negotiate && http_proxy(kind);
    let conn = if forced || config.routes[index].auth.is_some() {
        Some(pioneer(net, index, first, &way).await?)
    } else {
        None
    };
    // What settles a verdict comes first, and what ends soonest makes room for
    // the rest: connections wait for their turn.
    let switched = Switched::new(compressed_paths(config));
    upgrade(net, index, first, &way, conn, (events, switched.telling(first)), tasks);
    browser(net, index, first, &way, 0, Some(switched.telling(first)), tasks);
    {
        let (net, way) = (net.clone(), way.clone());
        tasks.spawn(async move { walk(&net, index, &way, absolute).await });
    }
    if config.target.scheme == Scheme::Https {
        let (net, way) = (net.clone(), way.clone());
        tasks.spawn(async move { h2(&net, index, &way).await });
    }
    for path in config.target.paths.iter().skip(1) {
        upgrade(net, index, path, &way, None, (events, switched.telling(path)), tasks);
    }
    // The upgrades, a browser's, the pages, and HTTP/2.
    let secure = config.target.scheme == Scheme::Https;
    let first_turn = config.target.paths.len() + 2 + usize::from(secure);
    for path in config.target.paths.iter().skip(1) {
        browser(net, index, path, &way, first_turn, None, tasks);
    }
    for path in twin_paths(config).filter(|path| request::recorded(config, path).is_some()) {
        recorded(net, index, path, &way, first_turn, tasks);
    }
    // It settles something only where all the rest works.
    compressed(net, index, switched, &way, tasks);
    Ok(way)
}

/// The first connection of a route, alone; says why, when there is none.
async fn pioneer(
    net: &Arc<Net>,
    index: usize,
    path: &str,
    way: &Arc<Way>,
) -> Result<(Conn, Running), String> {
    let ctx = Ctx::new(net, index, name::UPGRADE, Some(path));
    let running = Running::begin(net, name_of(&ctx));
    match dial(&ctx, way, true).await {
        Ok(conn) => Ok((conn, running)),
        Err(failure) => {
            let why = format!("the first connection failed: {failure}");
            running.end(&Err::<(), _>(failure), net);
            Err(why)
        }
    }
}

fn upgrade(
    net: &Arc<Net>,
    index: usize,
    path: &str,
    way: &Arc<Way>,
    open: Option<(Conn, Running)>,
    (events, telling): (&Events, Telling),
    tasks: &mut Tasks,
) {
    let ctx = Ctx::new(net, index, name::UPGRADE, Some(path));
    let tell = teller(events, index, path, way);
    let tell = |switched| {
        telling.tell(switched);
        tell(switched);
    };
    // What shows that agents can connect is the 101.
    let frames = has_twins(&net.config, path);
    let way = way.clone();
    tasks.spawn(async move {
        let (conn, running) = match open {
            Some((conn, running)) => (Some(conn), running),
            None => (None, Running::begin(&ctx.net, name_of(&ctx))),
        };
        let net = ctx.net.clone();
        let result = probe::upgrade::run(ctx, way, conn, frames, tell).await;
        running.end(&result, &net);
    });
}

/// Asks as browsers do, `after` the route has asked for that many connections.
fn browser(
    net: &Arc<Net>,
    index: usize,
    path: &str,
    way: &Arc<Way>,
    after: usize,
    telling: Option<Telling>,
    tasks: &mut Tasks,
) {
    if !has_twins(&net.config, path) {
        return;
    }
    let ctx = Ctx::new(net, index, name::BROWSER_UPGRADE, Some(path));
    let way = way.clone();
    tasks.spawn(async move {
        ctx.net.asked(index, after).await;
        let switched = step(&ctx, probe::browser_upgrade::run(ctx.clone(), way)).await;
        if let Some(telling) = telling {
            telling.tell(switched.unwrap_or(false));
        }
    });
}

/// The handshake of a recording as it stands, in the second turn.
fn recorded(
    net: &Arc<Net>,
    index: usize,
    path: &str,
    way: &Arc<Way>,
    after: usize,
    tasks: &mut Tasks,
) {
    let ctx = Ctx::new(net, index, name::RECORDED_UPGRADE, Some(path));
    let way = way.clone();
    tasks.spawn(async move {
        ctx.net.asked(index, after).await;
        let _ = step(&ctx, probe::recorded_upgrade::run(&ctx, &way)).await;
    });
}

/// On the first path that switches: where none does, there are no frames.
fn compressed(net: &Arc<Net>, index: usize, switched: Switched, way: &Arc<Way>, tasks: &mut Tasks) {
    let (net, way) = (net.clone(), way.clone());
    tasks.spawn(async move {
        if let Some(path) = switched.first().await {
            let ctx = Ctx::new(&net, index, name::COMPRESSED_UPGRADE, Some(&path));
            let _ = step(&ctx, probe::compressed_upgrade::run(ctx.clone(), way)).await;
        }
    });
}

/// Plain requests, one after the other on one connection as long as they are
/// answered. When one is not, the rest go side by side: silence is waited for
/// once.
async fn walk(net: &Arc<Net>, index: usize, way: &Arc<Way>, absolute: bool) {
    let config = net.config.clone();
    let pages = async |kept: &mut Kept| {
        // In absolute form pages go to the proxy itself, not through its tunnel.
        if absolute {
            return;
        }
        let ctx = Ctx::new(net, index, name::PAGES, None);
        let _ = step(&ctx, probe::pages::run(&ctx, way, kept)).await;
    };
    let get = async |path: &str, kept: &mut Kept| {
        let ctx = Ctx::new(net, index, name::PLAIN_GET, Some(path));
        step(&ctx, probe::plain_get::run(&ctx, way, kept)).await
    };
    let mut kept = Kept::default();
    let mut rest: Vec<&str> = twin_paths(&config).collect();
    rest.reverse();
    while let Some(path) = rest.pop() {
        if get(path, &mut kept).await.is_err() {
            let others = rest.iter().map(async |path| {
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
async fn h2(net: &Arc<Net>, index: usize, way: &Arc<Way>) {
    let config = net.config.clone();
    let paths: Vec<&str> = twin_paths(&config).collect();
    let ctx = |path: &str| Ctx::new(net, index, name::H2_GET, Some(path));
    let Some(first) = paths.first() else { return };
    let running: Vec<Running> =
        paths.iter().map(|path| Running::begin(net, name_of(&ctx(path)))).collect();
    let session = match probe::h2_get::open(&ctx(first), way).await {
        Ok(Some(session)) => session,
        not_h2 => {
            let result = not_h2.map(|_| ());
            running.into_iter().for_each(|running| running.end(&result, net));
            return;
        }
    };
    let session = &session;
    let on_it = |probe: &'static str, path: &str| Ctx {
        probe,
        path: Some(path.to_owned()),
        ..session.ctx.clone()
    };
    let gets = paths.iter().zip(running).map(async |(path, running)| {
        let result = probe::h2_get::run(&on_it(name::H2_GET, path), &session.client).await;
        running.end(&result, net);
        result.unwrap_or(false)
    });
    let announced = join_all(gets).await;
    let connects = paths.iter().zip(announced).filter(|(_, announced)| *announced);
    let connects = connects.map(async |(path, _)| {
        let ctx = on_it(name::H2_CONNECT, path);
        let _ = step(&ctx, probe::h2_connect::run(&ctx, &session.client)).await;
    });
    join_all(connects).await;
}

fn teller(events: &Events, route: usize, path: &str, way: &Arc<Way>) -> impl FnOnce(bool) + use<> {
    let (events, path, way) = (events.clone(), path.to_owned(), way.clone());
    move |worked| {
        let _ = events.send(Event::Upgraded { route, path, worked, way });
    }
}
