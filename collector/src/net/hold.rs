//! The step of a hold: an upgraded connection kept open, silent or with a Ping now
//! and then.

use super::{BoxIo, Ctx};
use crate::wire::hold::watch;
use crate::wire::millis;
use crate::wire::tap::Tap;
use crate::wire::ws::Socket;
use std::time::Duration;
use wss_bundle::observation::{EndedBy, Hold};
use wss_bundle::{Failure, Operation, Step};

/// Holds the connection for `planned`, and records how it fared. `interval` is
/// the time between Pings; without one, a single Ping at the very end shows
/// whether the connection still lives.
///
/// # Errors
/// The failure that was recorded.
pub async fn hold(
    ctx: &Ctx,
    stream: Tap<BoxIo>,
    planned: Duration,
    interval: Option<Duration>,
) -> Result<(), Failure> {
    let wrap = |result| {
        Step::Hold(Hold {
            ping_interval_ms: interval.map(millis),
            planned_ms: millis(planned),
            result,
        })
    };
    let patience = ctx.timeout();
    let work = async {
        let mut socket = Socket::new(stream).await;
        let moment = (ctx.net.clock)();
        let held = watch(&mut socket, planned, interval, patience).await?;
        // Cut while nobody was there: that is no idle limit of this many seconds.
        if held.ending.how != EndedBy::StillOpen
            && let Some(asleep) = ctx.asleep(&moment, Operation::Frames)
        {
            return Err(asleep);
        }
        if held.ending.how == EndedBy::StillOpen {
            socket.close().await;
        }
        Ok((held, ()))
    };
    let limit = planned + 3 * patience + Duration::from_secs(2);
    ctx.step(Operation::Frames, limit, wrap, work).await
}
