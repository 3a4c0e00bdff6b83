//! Twin of `upgrade`: what plain curl does where h2 is offered. A server that
//! chooses HTTP/1.1 has said all there is to say in the TLS handshake.

use super::h2_connect;
use crate::net::dial::{Way, dial, secure};
use crate::net::{Ctx, h2};
use std::sync::Arc;
use wss_bundle::Failure;

/// Runs the probe, and `h2-connect` on the same connection where the server
/// announces extended CONNECT. The second result is that probe's, when it ran.
///
/// # Errors
/// The first step that failed.
pub async fn run(ctx: Ctx, way: Arc<Way>) -> Result<Option<Result<(), Failure>>, Failure> {
    let conn = secure(dial(&ctx, &way, true).await?, &["h2", "http/1.1"]).await?;
    let alpn = conn.session.as_ref().and_then(|session| session.alpn.as_deref());
    if alpn != Some("h2") {
        return Ok(None);
    }
    let path = ctx.path.clone().unwrap_or_else(|| "/".into());
    let (client, announced) = h2::get(&conn.ctx, conn.stream, &path).await?;
    if !announced {
        return Ok(None);
    }
    Ok(Some(h2_connect::run(&conn.ctx, client).await))
}
