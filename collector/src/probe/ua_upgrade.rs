//! Twin of `upgrade`: the same request in a browser's name, and nothing else of a
//! browser's. What hangs on that hangs on `User-Agent` alone.

use super::upgrade::answered;
use crate::step::dial::Way;
use crate::step::likeness::USER_AGENT;
use crate::step::request::{Form, UPGRADE, get};
use crate::step::{Ctx, ws};
use std::sync::Arc;
use wss_bundle::Failure;

/// Runs the probe; gives whether a 101 came.
///
/// # Errors
/// The first step that failed.
pub async fn run(ctx: &Ctx, way: &Arc<Way>) -> Result<bool, Failure> {
    let path = ctx.path.as_deref().unwrap_or("/");
    let form = Form { extra: &UPGRADE, agent: Some(USER_AGENT), ..Form::default() };
    let request = get(&ctx.net.config, path, &form);
    let (conn, reply) = answered(ctx, way, None, &request).await?;
    if reply.head.status() != Some(101) {
        return Ok(false);
    }
    // A 101 alone is not success.
    ws::frames(&conn.ctx, conn.stream).await.map(|()| true)
}
