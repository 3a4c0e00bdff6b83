//! The page's curl command with `--http1.1`, byte for byte; then, after a 101,
//! a Ping and its Pong, since a 101 alone is not success. Where another path
//! shows that frames pass, the 101 is enough.

use super::{open, opening};
use crate::step::dial::{Conn, Way, secure};
use crate::step::request::{Form, Request, UPGRADE, get};
use crate::step::{Ctx, ws};
use std::sync::Arc;
use wss_bundle::Failure;
use wss_bundle::observation::HttpReply;

/// Runs the probe, on `conn` when the route's first connection is already
/// open. `tell` learns as soon as it is known whether a 101 came.
///
/// # Errors
/// The first step that failed.
pub async fn run(
    ctx: Ctx,
    way: Arc<Way>,
    conn: Option<Conn>,
    frames: bool,
    tell: impl FnOnce(bool),
) -> Result<(), Failure> {
    let request = get(
        &ctx.net.config,
        ctx.path.as_deref().unwrap_or("/"),
        &Form { extra: &UPGRADE, ..Form::default() },
    );
    match upgraded(&ctx, &way, conn, &request).await {
        Ok(conn) => {
            tell(conn.is_some());
            match conn {
                Some(conn) if frames => ws::frames(&conn.ctx, conn.stream).await,
                Some(conn) => {
                    ws::Socket::new(conn.stream).await.close().await;
                    Ok(())
                }
                None => Ok(()),
            }
        }
        Err(failure) => {
            tell(false);
            Err(failure)
        }
    }
}

/// Sends an opening handshake; gives the connection when a 101 came.
///
/// # Errors
/// The first step that failed.
async fn upgraded(
    ctx: &Ctx,
    way: &Arc<Way>,
    conn: Option<Conn>,
    request: &Request,
) -> Result<Option<Conn>, Failure> {
    let (conn, reply) = answered(ctx, way, conn, request).await?;
    Ok((reply.head.status() == Some(101)).then_some(conn))
}

/// Sends an opening handshake; gives the connection, and what was answered.
///
/// # Errors
/// The first step that failed.
pub(crate) async fn answered(
    ctx: &Ctx,
    way: &Arc<Way>,
    conn: Option<Conn>,
    request: &Request,
) -> Result<(Conn, HttpReply), Failure> {
    let mut conn = match conn {
        Some(conn) => secure(conn, &["http/1.1"]).await?,
        None => open(ctx, way, true).await?,
    };
    let reply = opening(&mut conn, request).await?;
    Ok((conn, reply))
}
