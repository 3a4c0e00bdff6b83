//! Twin of `upgrade` for `ws://` through an HTTP proxy: the absolute-form
//! request that curl sends, where browsers use CONNECT.

use super::opening;
use crate::step::Ctx;
use crate::step::dial::{Way, first};
use crate::step::request::{Form, UPGRADE, get};
use std::sync::Arc;
use wss_bundle::{Failure, Secret};

/// Runs the probe.
///
/// # Errors
/// The first step that failed.
pub async fn run(ctx: Ctx, way: Arc<Way>) -> Result<(), Failure> {
    let said = ctx.proxy_auth().said(&ctx, false).await.value;
    let request = get(
        &ctx.net.config,
        ctx.path.as_deref().unwrap_or("/"),
        &Form { via_proxy: Some(said.as_ref().map(Secret::expose)), extra: &UPGRADE, agent: None },
    );
    let mut conn = first(&ctx, &way, true).await?;
    opening(&mut conn, &request).await.map(|_| ())
}
