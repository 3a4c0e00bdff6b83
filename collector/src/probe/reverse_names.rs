//! What the addresses that are really used are called by whoever runs them
//! (PTR, RFC 1035 section 3.5): clouds and web gateways name themselves there.
//! Only the configured name servers are asked, and nobody waits for them.

use crate::step::{Ctx, dns};
use std::net::{IpAddr, SocketAddr};
use wss_bundle::Failure;
use wss_bundle::observation::Peer;

/// Looks the names of these addresses up, side by side.
///
/// # Errors
/// Never: each answer, or the lack of one, is an observation.
pub async fn run(
    ctx: Ctx,
    addresses: Vec<(IpAddr, Peer)>,
    server: SocketAddr,
) -> Result<(), Failure> {
    let lookups = addresses.into_iter().map(|(address, peer)| {
        let ctx = &ctx;
        async move { dns::reverse(ctx, address, peer, server).await }
    });
    futures_util::future::join_all(lookups).await;
    Ok(())
}
