//! Twin of `upgrade`: RFC 8441 extended CONNECT, on `h2-get`'s connection.

use crate::step::{Ctx, h2};
use wss_bundle::Failure;

/// Runs the probe.
///
/// # Errors
/// The step that failed.
pub async fn run(ctx: &Ctx, client: &h2::Client) -> Result<(), Failure> {
    h2::connect(ctx, client, ctx.path.as_deref().unwrap_or("/")).await
}
