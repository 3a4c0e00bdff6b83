//! Twin of `upgrade`: the same GET without the four upgrade headers.

use super::Kept;
use crate::step::Ctx;
use crate::step::dial::Way;
use crate::step::request::{Form, get};
use std::sync::Arc;
use wss_bundle::Failure;

/// Runs the probe.
///
/// # Errors
/// The first step that failed.
pub async fn run(ctx: &Ctx, way: &Arc<Way>, kept: &mut Kept) -> Result<(), Failure> {
    let request = get(&ctx.net.config, ctx.path.as_deref().unwrap_or("/"), &Form::default());
    kept.plain(ctx, way, &request, false).await
}
