//! An upgraded connection on which nothing is sent until the very end, for the whole hold
//! (`hold-silent`) or a part of it (`hold-rung`); and its twins: one that pings
//! (`hold-chatty`), one below which the system asks for signs of life (`hold-keepalive`),
//! one on which the server sends data (`hold-server-data`).

use super::{open, opening};
use crate::step::dial::Way;
use crate::step::request::{
    Form, Request, UPGRADE, browser_without_words, get, recorded_subprotocol,
};
use crate::step::{Ctx, hold};
pub use crate::wire::hold::Manner;
use std::sync::Arc;
use std::time::Duration;
use wss_bundle::observation::EndedBy;
use wss_bundle::{Failure, FailureKind, Operation};

/// The older protocol, in which servers send data of their own accord; what the console
/// itself asks for goes before it.
const GRAPHQL: &str = "graphql-ws";

/// How a connection that is held is asked for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Opening {
    /// As the upgrade: as curl does it.
    AsCurl,
    /// As browsers do it, but for the subprotocol. Each is one more answer to what a
    /// browser asks: of several servers one may refuse `Origin`.
    AsBrowsers,
}

/// Upgrades a connection of its own and holds it; gives how it ended, and at which age. The
/// caller has its permit.
///
/// # Errors
/// The first step that failed.
pub async fn held(
    ctx: Ctx,
    way: Arc<Way>,
    planned: Duration,
    manner: Manner,
    opened: Opening,
) -> Result<(EndedBy, Duration), Failure> {
    let request = request(&ctx, &manner, opened);
    let mut conn = open(&ctx, &way, false).await?;
    let reply = opening(&mut conn, &request).await?;
    match reply.head.status() {
        Some(101) => hold::hold(&conn.ctx, conn.stream, planned, manner).await,
        status => Err(Failure::new(
            Operation::Read,
            FailureKind::Other,
            format!("no 101 this time, but {}", status.unwrap_or_default()),
        )),
    }
}

fn request(ctx: &Ctx, manner: &Manner, opened: Opening) -> Request {
    let config = &ctx.net.config;
    let path = ctx.path.as_deref().unwrap_or("/");
    let mut extra = UPGRADE.to_vec();
    if manner.server_data {
        let own = recorded_subprotocol(config, path).unwrap_or(GRAPHQL);
        extra.push(("Sec-WebSocket-Protocol", own));
    } else if opened == Opening::AsBrowsers {
        return browser_without_words(config, path);
    }
    let agent = ctx.net.agent(ctx.route);
    get(config, path, &Form { extra: &extra, agent, ..Form::default() })
}
