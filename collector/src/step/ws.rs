//! The step of frames: a Ping and its Pong on an upgraded connection.

pub use crate::wire::ws::Socket;

use super::{BoxIo, Ctx};
use crate::wire::tap::Tap;
use crate::wire::ws::{CLOSING, ping_pong};
use wss_bundle::observation::{EndedBy, Frames};
use wss_bundle::{Failure, Operation, Step};

/// Sends a Ping, waits for its Pong, and records what came; then closes.
///
/// # Errors
/// The failure that was recorded.
pub async fn frames(ctx: &Ctx, stream: Tap<BoxIo>) -> Result<(), Failure> {
    let limit = ctx.timeout();
    let wrap = |result| Step::Frames(Frames { result });
    let silence = |sent| ctx.net.patience.silence(ctx.route, sent, limit);
    let work = async {
        let mut socket = Socket::new(stream).await;
        let seen = ping_pong(&mut socket, limit, silence).await?;
        if seen.ending.how == EndedBy::StillOpen {
            socket.close().await;
        }
        Ok((seen, ()))
    };
    // Silence is something seen, so the step itself gets a little longer.
    ctx.step(Operation::Frames, limit + 2 * CLOSING, wrap, work).await
}
