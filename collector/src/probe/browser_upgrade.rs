//! Twin of `upgrade`: as a browser would ask, in a browser's name, with `Origin` and
//! subprotocol.

use super::upgrade::answered;
use crate::step::dial::Way;
use crate::step::{Ctx, deflate, message, request, ws};
use std::sync::Arc;
use wss_bundle::Failure;
use wss_bundle::observation::FramesSeen;
use wss_bundle::target::is_agents;

/// Runs the probe; gives whether a 101 came.
///
/// # Errors
/// The first step that failed.
pub async fn run(ctx: Ctx, way: Arc<Way>) -> Result<bool, Failure> {
    asked(&ctx, &way, None).await.map(|asked| matches!(asked, Asked::Switched(_)))
}

/// What came of asking.
pub(super) enum Asked {
    /// No 101.
    Refused,
    /// A 101; where the console's language is spoken, what came of its first words.
    Switched(Option<FramesSeen>),
}

/// Asks as a browser, with or without an offer of extensions, and says what the
/// console says first; gives what came of that.
///
/// # Errors
/// The first step that failed.
pub(super) async fn asked(
    ctx: &Ctx,
    way: &Arc<Way>,
    offer: Option<&str>,
) -> Result<Asked, Failure> {
    let path = ctx.path.as_deref().unwrap_or("/");
    let request = request::browser(&ctx.net.config, path, offer);
    let (conn, reply) = answered(ctx, way, None, &request).await?;
    if reply.head.status() != Some(101) {
        return Ok(Asked::Refused);
    }
    // Agents speak another language.
    if is_agents(path) {
        return ws::frames(&conn.ctx, conn.stream).await.map(|()| Asked::Switched(None));
    }
    let granted = offer.and_then(|_| deflate::granted(&reply.head));
    let seen = message::message(&conn.ctx, conn.stream, granted).await?;
    Ok(Asked::Switched(Some(seen)))
}
