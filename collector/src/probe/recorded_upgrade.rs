//! Twin of `browser-upgrade`: the handshake that a recording (`--har`) shows, header
//! by header in its order and case, with the collector's own key. Secrets are not in
//! it, since they are not in what was kept of the recording.
//!
//! Asked only where it differs in kind from the collector's browser-like handshake:
//! older Firefox sends `Connection: keep-alive, Upgrade`, and a condition that wants
//! the header to be `Upgrade` alone refuses that.

use super::upgrade::answered;
use crate::step::dial::Way;
use crate::step::{Ctx, request};
use std::sync::Arc;
use wss_bundle::Failure;

/// Runs the probe; gives whether a 101 came. The connection is closed then: frames
/// are the browser-like twin's to try.
///
/// # Errors
/// The first step that failed.
pub async fn run(ctx: &Ctx, way: &Arc<Way>) -> Result<bool, Failure> {
    let path = ctx.path.as_deref().unwrap_or("/");
    let Some(request) = request::recorded(&ctx.net.config, path) else { return Ok(false) };
    let (_conn, reply) = answered(ctx, way, None, &request).await?;
    Ok(reply.head.status() == Some(101))
}
