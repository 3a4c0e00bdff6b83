//! The step of a hold: an upgraded connection kept open, silent or with a sign of
//! life now and then.

use super::{BoxIo, Ctx, cancelled};
use crate::wire::hold::{Manner, watch};
use crate::wire::millis;
use crate::wire::tap::Tap;
use crate::wire::ws::Socket;
use std::time::Duration;
use wss_bundle::observation::{EndedBy, Hold};
use wss_bundle::{Failure, FailureKind, Operation, Outcome, Step};

/// Holds the connection for `planned`, and records how it fared; gives how it ended, and
/// at which age. A single Ping at the very end shows whether a silent one still lives. When
/// the user stops it, that is asked at once: what was held until then counts.
///
/// # Errors
/// The failure that was recorded, or that the user stopped it.
pub async fn hold(
    ctx: &Ctx,
    stream: Tap<BoxIo>,
    planned: Duration,
    manner: Manner,
) -> Result<(EndedBy, Duration), Failure> {
    let patience = ctx.timeout();
    let begun = ctx.net.recorder.begin();
    let moment = (ctx.net.clock)();
    let work = async {
        let mut socket = Socket::new(stream).await;
        let held = watch(&mut socket, planned, &manner, patience, ctx.net.cancelled()).await?;
        if held.ending.how == EndedBy::StillOpen {
            socket.close().await;
        }
        Ok(held)
    };
    let limit = planned + 3 * patience + Duration::from_secs(2);
    let mut result = tokio::time::timeout(limit, work).await.unwrap_or_else(|_| {
        let why = format!("no end within {:.1} s", limit.as_secs_f64());
        Err(Failure::new(Operation::Frames, FailureKind::TimedOut, why))
    });
    let open = |result: &Result<_, _>| matches!(result, Ok(held) if is_open(held));
    // Cut while nobody was there: that is no idle limit of this many seconds.
    if !open(&result)
        && let Some(asleep) = ctx.asleep(&moment, Operation::Frames)
    {
        result = Err(asleep);
    }
    // Stopped by the user, it was a shorter hold, which was asked at its own end.
    let planned = match &result {
        Ok(held) if ctx.net.is_cancelled() => {
            planned.min(Duration::from_secs_f64(held.held_ms / 1e3))
        }
        _ => planned,
    };
    let outcome = match &result {
        Ok(held) => Outcome::Ok(held.clone()),
        Err(failure) => Outcome::Failed(failure.clone()),
    };
    let step = Step::Hold(Hold {
        ping_interval_ms: manner.interval.map(millis),
        keepalive_ms: manner.keepalive.map(millis),
        planned_ms: millis(planned),
        result: outcome,
    });
    ctx.net.recorder.end(&begun, &ctx.label(), step);
    if ctx.net.is_cancelled() && open(&result) {
        return Err(cancelled(Operation::Frames));
    }
    result.map(|held| (held.ending.how, Duration::from_secs_f64(held.held_ms.max(0.0) / 1e3)))
}

fn is_open(held: &wss_bundle::observation::Held) -> bool {
    held.ending.how == EndedBy::StillOpen
}
