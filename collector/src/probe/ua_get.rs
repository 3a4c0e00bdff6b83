//! Twin of `plain-get`: the same request in a browser's name.

use super::Kept;
use crate::step::Ctx;
use crate::step::dial::Way;
use crate::step::likeness::USER_AGENT;
use crate::step::request::{Form, get};
use std::sync::Arc;
use wss_bundle::Failure;

/// Runs the probe.
///
/// # Errors
/// The first step that failed.
pub async fn run(ctx: &Ctx, way: &Arc<Way>, kept: &mut Kept) -> Result<(), Failure> {
    let form = Form { agent: Some(USER_AGENT), ..Form::default() };
    let request = get(&ctx.net.config, ctx.path.as_deref().unwrap_or("/"), &form);
    kept.plain(ctx, way, &request, false).await
}
