//! The address from the address bar: whether a path that was given with the target is
//! a page's. Then the console's WebSocket paths are tried, and decide; a path that is
//! no page's stays the only one.

use crate::cli::resolve::Job;
use crate::config::Config;
use crate::key::Probe;
use crate::probe::{self, Kept};
use crate::recorder::Recorder;
use crate::step::request::{Form, navigation};
use crate::step::{Ctx, Net};
use futures_util::stream::{FuturesUnordered, StreamExt as _};
use std::sync::{Arc, LazyLock};
use tokio::sync::{mpsc, watch};
use wss_bundle::target::DEFAULT_PATHS;
use wss_bundle::{Observation, Step};
use wss_diagnosis::evidence::page::is_a_page;

/// Asks for the given path as a browser opens it, by all routes at once; where a page
/// comes, the job is about the console's sockets, and what came is given.
pub(super) async fn settle(job: &mut Job, cancel: watch::Receiver<bool>) -> Option<Observation> {
    let path = job.address.clone()?;
    let page = ask(&job.config, &path, cancel).await?;
    let config = Arc::get_mut(&mut job.config)?;
    config.target.paths.retain(|own| *own != path);
    if config.target.paths.is_empty() {
        config.target.paths = DEFAULT_PATHS.map(str::to_owned).to_vec();
    }
    Some(page)
}

/// The answer that shows a page; `None` where another came first, or none at all.
async fn ask(
    config: &Arc<Config>,
    path: &str,
    cancel: watch::Receiver<bool>,
) -> Option<Observation> {
    let (progress, _watching) = mpsc::unbounded_channel();
    let recorder = Recorder::new(progress);
    let net = Arc::new(Net::new(config.clone(), recorder.clone(), cancel));
    let routes = 0..config.routes.len();
    let mut asked: FuturesUnordered<_> = routes.map(|index| get(&net, index, path)).collect();
    while let Some(answered) = asked.next().await {
        if answered {
            break;
        }
    }
    drop(asked);
    // Whoever sets it up holds the configuration until it has.
    LazyLock::force(&net.tls);
    let own = |seen: &Observation| match &seen.step {
        Step::Http(http) => http.result.ok().map(|_| seen.clone()),
        _ => None,
    };
    let mut seen = recorder.find(own)?;
    let Step::Http(http) = &seen.step else { return None };
    let reply = http.result.ok()?;
    // Its connection is none of those that are numbered from here on.
    seen.connection = None;
    is_a_page(path, reply).then_some(seen)
}

/// Whether an answer came by a route.
async fn get(net: &Arc<Net>, index: usize, path: &str) -> bool {
    let ctx = Ctx::new(net, index, Probe::Pages, Some(path));
    let Ok(way) = probe::resolve::run(ctx.clone()).await else { return false };
    let request = navigation(&net.config, path, &Form::default());
    Kept::default().plain(&ctx, &Arc::new(way), &request, false).await.is_ok()
}
