//! TCP to every address of the target: one dead address among several makes
//! some connections slow or fail, and which one it is must show.

use crate::step::dial::Way;
use crate::step::{Ctx, tcp};
use std::sync::Arc;
use wss_bundle::Failure;
use wss_bundle::observation::Peer;

/// Addresses tried.
pub const LIMIT: usize = 16;

/// Runs the probe.
///
/// # Errors
/// When no address can be connected to.
pub async fn run(ctx: Ctx, way: Arc<Way>) -> Result<(), Failure> {
    let attempts = way.first_hop.iter().take(LIMIT).map(async |address| {
        let host_port = ctx.net.config.target.host_port();
        let Some(_permit) = ctx.net.slot(ctx.route, &host_port).await else {
            return Err(crate::step::cancelled(wss_bundle::Operation::Connect));
        };
        tcp::connect_one(&ctx, *address, Peer::Target, ctx.timeout()).await.map(|_| ())
    });
    let results = futures_util::future::join_all(attempts).await;
    if results.iter().any(Result::is_ok) {
        return Ok(());
    }
    results.into_iter().find(Result::is_err).unwrap_or(Ok(()))
}
