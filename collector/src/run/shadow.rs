//! What runs beside the rest and is waited for by nobody: lookups of the names
//! of addresses. When everything else is done, they are given up.

use super::Tasks;
use super::running::{Running, key_of};
use crate::key::Probe;
use crate::probe;
use crate::step::dial::Way;
use crate::step::{Ctx, Net};
use std::collections::HashSet;
use std::net::IpAddr;
use std::sync::Arc;
use wss_bundle::observation::Peer;

/// Lookups in a collection: the target's and the proxies' first addresses are
/// what a report shows; more would only be asked of the name server.
const LOOKUPS: usize = 4;

/// The lookups of one collection.
#[derive(Default)]
pub(super) struct Shadow {
    tasks: Tasks,
    asked: HashSet<IpAddr>,
}

impl Shadow {
    /// Asks for the names of what a route goes by, as far as they are not
    /// asked for yet.
    pub(super) fn follow(&mut self, net: &Arc<Net>, route: usize, way: &Way) {
        let Some(server) = net.config.name_servers.first().copied() else { return };
        let first = match net.config.routes[route].route.proxy {
            Some(_) => Peer::Proxy,
            None => Peer::Target,
        };
        let all = way.first_hop.iter().map(|hop| (hop.ip(), first));
        let all = all.chain(way.target.iter().map(|address| (*address, Peer::Target)));
        let mut wanted = Vec::new();
        for (address, peer) in all {
            if self.asked.len() < LOOKUPS && self.asked.insert(address) {
                wanted.push((address, peer));
            }
        }
        if wanted.is_empty() {
            return;
        }
        let ctx = Ctx::new(net, route, Probe::ReverseNames, None);
        self.tasks.spawn(async move {
            let begun = ctx.net.recorder.begin();
            let result = probe::reverse_names::run(ctx.clone(), wanted, server).await;
            // Recorded only here: a lookup that is given up is no defect.
            Running::begun(&ctx.net, key_of(&ctx), begun).end(&result, &ctx.net);
        });
    }

    /// Gives up what has no answer yet.
    pub(super) async fn end(mut self) {
        self.tasks.shutdown().await;
    }
}
