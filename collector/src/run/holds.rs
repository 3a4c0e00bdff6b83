//! What is held open, and from when on.

use super::step::step;
use super::{Progress, Tasks};
use crate::config::RouteConfig;
use crate::net::dial::Way;
use crate::net::{Ctx, Net};
use crate::probe;
use std::collections::HashMap;
use std::sync::Arc;
use wss_bundle::observation::probe as name;

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
/// that works, on those that browsers here take, and on the direct one, which is
/// their twin; when none of these does, on the first other one that works.
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
        routes[index].held = true;
        net.patience.held();
        net.recorder.tell(Progress::HoldStarted { planned: config.hold });
        let ctx = Ctx::new(net, index, name::HOLD_SILENT, Some(&path));
        let its_way = way.clone();
        tasks.spawn(async move {
            let _ = step(&ctx, probe::hold_silent::run(ctx.clone(), its_way)).await;
        });
        let ctx = Ctx::new(net, index, name::HOLD_CHATTY, Some(&path));
        tasks.spawn(async move {
            let _ = step(&ctx, probe::hold_chatty::run(ctx.clone(), way)).await;
        });
    }
}
