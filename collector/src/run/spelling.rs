//! Whether a path that nobody knows is known to the server, and changed or taken away
//! by somebody before it who leaves no mark. Asked only where every path of the
//! console's is unknown, by one request after the other, until one is known.

use super::plan::twin_paths;
use super::running::step;
use crate::key::Probe;
use crate::probe;
use crate::step::dial::Way;
use crate::step::{Ctx, Net};
use std::sync::Arc;
use wss_bundle::observation::probe as name;
use wss_bundle::target::is_agents;
use wss_bundle::{Outcome, Step};

/// Requests at the most: those of two paths.
pub(crate) const REQUESTS: usize = 6;

/// Asks, where no path of the console's is known on this route.
pub(super) async fn ask(net: &Arc<Net>, index: usize, way: &Arc<Way>) {
    let config = net.config.clone();
    let paths: Vec<&str> = twin_paths(&config).filter(|path| !is_agents(path)).collect();
    if paths.is_empty() || !paths.iter().all(|path| unknown(net, index, path)) {
        return;
    }
    let all = paths.iter().flat_map(|path| name::other_spellings(path));
    for spelling in all.take(REQUESTS) {
        if net.is_cancelled() {
            return;
        }
        let ctx = Ctx::new(net, index, Probe::PathTwin, Some(&spelling));
        let reply = step(&ctx, probe::path_twin::run(&ctx, way)).await;
        let status = reply.ok().and_then(|reply| reply.head.status());
        if status.is_some_and(|status| !matches!(status, 200..=299 | 404)) {
            return;
        }
    }
}

/// Whether every handshake for a path got what paths get that nobody knows.
fn unknown(net: &Net, index: usize, path: &str) -> bool {
    let route = &net.config.routes[index].route.id;
    let all = net.recorder.all(|seen| {
        let own = seen.route == *route && seen.path.as_deref() == Some(path);
        match &seen.step {
            Step::Upgrade(upgrade) if own => Some(match &upgrade.result {
                Outcome::Ok(reply) => matches!(reply.head.status(), Some(200..=299 | 404)),
                Outcome::Failed(_) => false,
            }),
            _ => None,
        }
    });
    !all.is_empty() && all.into_iter().all(|unknown| unknown)
}
