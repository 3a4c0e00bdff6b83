//! An upgraded connection on which nothing is sent until the very end.

use super::{open, opening};
use crate::net::dial::Way;
use crate::net::request::{Form, UPGRADE, get};
use crate::net::{Ctx, hold};
use std::sync::Arc;
use std::time::Duration;
use wss_bundle::{Failure, FailureKind, Operation};

/// Runs the probe for `length`.
///
/// # Errors
/// The first step that failed.
pub async fn run(ctx: Ctx, way: Arc<Way>, length: Duration) -> Result<(), Failure> {
    held(ctx, way, length, None).await
}

/// Upgrades a connection of its own and holds it.
pub(super) async fn held(
    ctx: Ctx,
    way: Arc<Way>,
    planned: Duration,
    interval: Option<Duration>,
) -> Result<(), Failure> {
    let request = get(
        &ctx.net.config,
        ctx.path.as_deref().unwrap_or("/"),
        &Form { extra: &UPGRADE, agent: ctx.net.agent(ctx.route), ..Form::default() },
    );
    let mut conn = open(&ctx, &way, false).await?;
    let reply = opening(&mut conn, &request).await?;
    match reply.head.status() {
        Some(101) => hold::hold(&conn.ctx, conn.stream, planned, interval).await,
        status => Err(Failure::new(
            Operation::Read,
            FailureKind::Other,
            format!("no 101 this time, but {}", status.unwrap_or_default()),
        )),
    }
}
