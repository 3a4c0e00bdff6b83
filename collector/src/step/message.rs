//! The step of a message: one text, compressed where that was granted.

use super::{BoxIo, Ctx};
use crate::wire;
use crate::wire::deflate::Granted;
use crate::wire::tap::Tap;
use crate::wire::ws::CLOSING;
use wss_bundle::observation::{Frames, FramesSeen};
use wss_bundle::{Failure, Operation, Step};

/// Sends the message, and records what came; then closes. `granted` is what the
/// 101 says about compression, where it was offered. Gives what was seen.
///
/// # Errors
/// The failure that was recorded.
pub async fn message(
    ctx: &Ctx,
    stream: Tap<BoxIo>,
    granted: Option<Granted>,
) -> Result<FramesSeen, Failure> {
    let limit = ctx.timeout();
    let wrap = |result| Step::Frames(Frames { result });
    let work = async {
        let silence = |sent| ctx.net.patience.silence(ctx.route, sent, limit);
        let seen = wire::message::message(stream, granted, limit, silence).await?;
        Ok((seen.clone(), seen))
    };
    ctx.step(Operation::Frames, limit + 2 * CLOSING, wrap, work).await
}
