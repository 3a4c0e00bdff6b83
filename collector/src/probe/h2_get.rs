//! Twin of `upgrade`: what plain curl does where h2 is offered. A server that
//! chooses HTTP/1.1 has said all there is to say in the TLS handshake. The
//! paths share one connection, as h2 is made for.

use crate::step::dial::{Way, dial, secure};
use crate::step::{Ctx, h2};
use std::sync::Arc;
use tokio::sync::OwnedSemaphorePermit;
use wss_bundle::Failure;

/// A connection on which h2 was agreed.
pub struct Session {
    /// The context of requests on it.
    pub ctx: Ctx,
    /// Where they are sent.
    pub client: h2::Client,
    _permit: Option<OwnedSemaphorePermit>,
}

/// Opens the connection; `None` where the server chooses HTTP/1.1.
///
/// # Errors
/// The first step that failed.
pub async fn open(ctx: &Ctx, way: &Arc<Way>) -> Result<Option<Session>, Failure> {
    let conn = secure(dial(ctx, way, true).await?, &["h2", "http/1.1"]).await?;
    let alpn = conn.session.as_ref().and_then(|session| session.alpn.as_deref());
    if alpn != Some("h2") {
        return Ok(None);
    }
    let client = h2::open(conn.stream, conn.trusted, ctx.net.config.target.paths.len()).await?;
    Ok(Some(Session { ctx: conn.ctx, client, _permit: conn.permit }))
}

/// Runs the probe; gives whether the server announces extended CONNECT.
///
/// # Errors
/// The step that failed.
pub async fn run(ctx: &Ctx, client: &h2::Client) -> Result<bool, Failure> {
    h2::get(ctx, client, ctx.path.as_deref().unwrap_or("/")).await
}
