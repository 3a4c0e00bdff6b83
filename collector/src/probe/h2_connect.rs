//! Twin of `upgrade`: RFC 8441 extended CONNECT, on `h2-get`'s connection.

use crate::net::{Ctx, h2};
use wss_bundle::Failure;
use wss_bundle::observation::probe;

/// Runs the probe.
///
/// # Errors
/// The step that failed.
pub async fn run(ctx: &Ctx, client: h2::Client) -> Result<(), Failure> {
    let ctx = Ctx { probe: probe::H2_CONNECT, ..ctx.clone() };
    let path = ctx.path.clone().unwrap_or_else(|| "/".into());
    h2::connect(&ctx, client, &path).await
}
