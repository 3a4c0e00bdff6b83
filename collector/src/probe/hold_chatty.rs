//! Twin of `hold-silent`: an upgraded connection that pings.

use crate::net::Ctx;
use crate::net::dial::Way;
use std::sync::Arc;
use std::time::Duration;
use wss_bundle::Failure;

/// Time between Pings: shorter than any idle timeout in use.
const INTERVAL: Duration = Duration::from_secs(5);

/// Runs the probe for `length`.
///
/// # Errors
/// The first step that failed.
pub async fn run(ctx: Ctx, way: Arc<Way>, length: Duration) -> Result<(), Failure> {
    let interval = INTERVAL.min(length / 8);
    super::hold_silent::held(ctx, way, length, Some(interval)).await
}
