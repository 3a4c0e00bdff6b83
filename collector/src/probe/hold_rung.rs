//! Twin of `hold-silent`: silent for a part of the hold. Where connections are
//! forgotten without a word, the limit lies above the longest part that is survived.

use crate::net::Ctx;
use crate::net::dial::Way;
use std::sync::Arc;
use std::time::Duration;
use wss_bundle::Failure;

/// Runs the probe for `length`.
///
/// # Errors
/// The first step that failed.
pub async fn run(ctx: Ctx, way: Arc<Way>, length: Duration) -> Result<(), Failure> {
    super::hold_silent::held(ctx, way, length, None).await
}
