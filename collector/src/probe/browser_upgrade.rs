//! Twin of `upgrade`: as a browser would ask, with `Origin` and subprotocol.

use super::upgrade::upgraded;
use crate::net::dial::Way;
use crate::net::{Ctx, request, ws};
use std::sync::Arc;
use wss_bundle::Failure;

/// Runs the probe.
///
/// # Errors
/// The first step that failed.
pub async fn run(ctx: Ctx, way: Arc<Way>) -> Result<(), Failure> {
    let request = request::browser(&ctx.net.config, ctx.path.as_deref().unwrap_or("/"));
    match upgraded(&ctx, &way, None, &request).await? {
        Some(conn) => ws::frames(&conn.ctx, conn.stream).await,
        None => Ok(()),
    }
}
