//! Holding an upgraded connection open: silent, or with a Ping now and then.
//! How and when it ends tells which hop cut it.

use super::millis;
use super::ws::{Event, Socket};
use std::time::Duration;
use tokio::time::Instant;
use wss_bundle::observation::{EndedBy, Ending, Held};
use wss_bundle::{Failure, FailureKind, Operation};

struct Count {
    pings: u32,
    pongs: u32,
    server_frames: u32,
}

/// Watches a connection for `planned`. `interval` is the time between Pings; without
/// one, a single Ping at the very end shows whether the connection still lives.
///
/// # Errors
/// More came than is taken in.
pub async fn watch(
    socket: &mut Socket,
    planned: Duration,
    interval: Option<Duration>,
    patience: Duration,
) -> Result<Held, Failure> {
    let start = Instant::now();
    let end = start + planned;
    let mut count = Count { pings: 0, pongs: 0, server_frames: 0 };
    // When the oldest unanswered Ping left.
    let mut unanswered: Option<Instant> = None;
    // The silent hold's time and quiet, before its last Ping disturbed them.
    let mut at_end: Option<(f64, f64)> = None;
    let mut next_ping = interval.map_or(end, |interval| start + interval).min(end);

    let ending = loop {
        let wake = match unanswered {
            Some(since) if at_end.is_some() || Instant::now() >= end => since + patience,
            Some(since) => (since + patience).min(next_ping),
            None => next_ping.min(end),
        };
        tokio::select! {
            event = socket.next() => match event {
                Event::Pong => {
                    count.pongs = count.pongs.saturating_add(1);
                    unanswered = None;
                    if at_end.is_some() {
                        break Ending::new(EndedBy::StillOpen);
                    }
                }
                Event::Frame(_) => count.server_frames = count.server_frames.saturating_add(1),
                Event::Ended(ending) => break ending,
                Event::Flood => {
                    let detail = "more frames came than one connection may send";
                    return Err(Failure::new(Operation::Frames, FailureKind::TooMuchData, detail));
                }
            },
            () = tokio::time::sleep_until(wake) => {
                let now = Instant::now();
                if unanswered.is_some_and(|since| now >= since + patience) {
                    break Ending::new(EndedBy::Silence);
                }
                if now >= end && at_end.is_none() {
                    at_end = Some(times(socket, start));
                    if unanswered.is_none() && interval.is_some() && count.pongs > 0 {
                        break Ending::new(EndedBy::StillOpen);
                    }
                }
                if unanswered.is_none() || now < end {
                    if let Err(ending) = socket.ping(patience).await {
                        break ending;
                    }
                    count.pings = count.pings.saturating_add(1);
                    unanswered.get_or_insert(now);
                    next_ping = interval.map_or(end, |interval| now + interval).min(end);
                }
            }
        }
    };
    // An end after the time was up (a reset in answer to the last Ping) is an
    // end that came then, and not a connection that was held well.
    let (held_ms, quiet_ms) = match at_end {
        Some(times) if ending.how == EndedBy::StillOpen => times,
        _ => times(socket, start),
    };
    let Count { pings, pongs, server_frames } = count;
    Ok(Held { held_ms, pings, pongs, server_frames, quiet_ms, ending })
}

/// Milliseconds held so far, and quiet since the last byte.
fn times(socket: &Socket, start: Instant) -> (f64, f64) {
    let last = socket.tap().last_byte().max(start);
    // The end itself is no byte, so it does not count as one.
    (millis(start.elapsed()), millis(last.elapsed()))
}
