//! Twin of `upgrade`, where no path that was tried is known: the same request for the
//! path in another spelling, which a server takes for the same, and a rule before it
//! for another.

use super::upgrade::answered;
use crate::step::Ctx;
use crate::step::dial::Way;
use crate::step::request::{Form, UPGRADE, get};
use std::sync::Arc;
use wss_bundle::Failure;
use wss_bundle::observation::HttpReply;

/// Runs the probe; gives the answer.
///
/// # Errors
/// The first step that failed.
pub async fn run(ctx: &Ctx, way: &Arc<Way>) -> Result<HttpReply, Failure> {
    let form = Form { extra: &UPGRADE, ..Form::default() };
    let request = get(&ctx.net.config, ctx.path.as_deref().unwrap_or("/"), &form);
    answered(ctx, way, None, &request).await.map(|(_, reply)| reply)
}
