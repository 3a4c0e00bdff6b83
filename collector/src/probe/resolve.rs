//! Name resolution by every resolver: getaddrinfo, which every connection of
//! the route then uses, and beside it each configured name server.

use crate::step::Ctx;
use crate::step::dial::{Way, cross_check, find};
use wss_bundle::Failure;

/// Runs the probe; the way it found is what the route goes by.
///
/// # Errors
/// When this machine cannot resolve what the route needs.
pub async fn run(ctx: Ctx) -> Result<Way, Failure> {
    find(&ctx).await
}

/// Asks the name servers, side by side with everything else.
///
/// # Errors
/// Never: each answer, or the lack of one, is an observation.
pub async fn name_servers(ctx: Ctx) -> Result<(), Failure> {
    cross_check(&ctx).await;
    Ok(())
}
