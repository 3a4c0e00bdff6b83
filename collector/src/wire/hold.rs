//! Holding an upgraded connection open: silent, or with a sign of life now and then.
//! How and when it ends tells which hop cut it.

use super::millis;
use super::ws::{Event, Socket};
use std::time::Duration;
use tokio::time::Instant;
use wss_bundle::observation::{EndedBy, Ending, Held};
use wss_bundle::{Failure, FailureKind, Operation};

/// What older GraphQL servers answer with data of their own accord, again and again
/// (`subscriptions-transport-ws`: `connection_ack`, then `ka`).
const ASK_FOR_DATA: &str = r#"{"type":"connection_init","payload":{}}"#;
/// They send the first at once. Whoever has sent none by now sends none.
const FIRST_DATA: Duration = Duration::from_secs(2);
/// The acknowledgement, and the first of what follows it.
const FIRST_FRAMES: u32 = 2;
/// How long a last sign of life may take once the user stops it.
const STOPPING: Duration = Duration::from_secs(1);

/// What keeps a held connection from being silent; nothing, for a silent one.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Manner {
    /// Time between Pings.
    pub interval: Option<Duration>,
    /// Time between the system's signs of life, which the connection has by now.
    pub keepalive: Option<Duration>,
    /// Whether the server is asked to send data.
    pub server_data: bool,
}

struct Count {
    pings: u32,
    pongs: u32,
    server_frames: u32,
}

/// Watches a connection for `planned`, or until `stop` returns. A last Ping at the very
/// end shows whether the connection still lives.
///
/// # Errors
/// More came than is taken in; the server sends no data, where it is about these; the
/// user stopped it, and no sign of life came in time.
pub async fn watch(
    socket: &mut Socket,
    planned: Duration,
    manner: &Manner,
    patience: Duration,
    stop: impl Future<Output = ()>,
) -> Result<Held, Failure> {
    let start = Instant::now();
    let (mut end, mut patience) = (start + planned, patience);
    let interval = manner.interval;
    let mut count = Count { pings: 0, pongs: 0, server_frames: 0 };
    // When the oldest unanswered Ping left.
    let mut unanswered: Option<Instant> = None;
    // The silent hold's time and quiet, before its last Ping disturbed them.
    let mut at_end: Option<(f64, f64)> = None;
    let mut next_ping = interval.map_or(end, |interval| start + interval).min(end);
    let mut data_by = (manner.server_data && planned > FIRST_DATA).then(|| start + FIRST_DATA);
    let mut stopped = false;
    tokio::pin!(stop);

    let early = match manner.server_data {
        true => socket.text(ASK_FOR_DATA, patience).await.err(),
        false => None,
    };
    let ending = match early {
        Some(ending) => ending,
        None => loop {
            let wake = match unanswered {
                Some(since) if at_end.is_some() || Instant::now() >= end => since + patience,
                Some(since) => (since + patience).min(next_ping),
                None => next_ping.min(end),
            };
            let wake = data_by.map_or(wake, |by| by.min(wake));
            tokio::select! {
                event = socket.next() => match event {
                    Event::Pong => {
                        count.pongs = count.pongs.saturating_add(1);
                        unanswered = None;
                        if at_end.is_some() {
                            break Ending::new(EndedBy::StillOpen);
                        }
                    }
                    Event::Frame(_) => {
                        count.server_frames = count.server_frames.saturating_add(1);
                    }
                    Event::Ended(ending) => break ending,
                    Event::Flood => {
                        let detail = "more frames came than one connection may send";
                        return Err(failure(FailureKind::TooMuchData, detail));
                    }
                },
                () = &mut stop, if !stopped => {
                    // What was held until now counts: one more sign of life, and soon.
                    stopped = true;
                    let now = Instant::now();
                    (end, next_ping) = (end.min(now), next_ping.min(now));
                    patience = patience.min(STOPPING);
                    if unanswered.is_some() {
                        return Err(failure(FailureKind::Cancelled, "stopped by the user"));
                    }
                }
                () = tokio::time::sleep_until(wake) => {
                    let now = Instant::now();
                    if data_by.is_some_and(|by| now >= by) {
                        data_by = None;
                        if count.server_frames < FIRST_FRAMES {
                            let detail = "the server sends nothing of its own accord";
                            return Err(failure(FailureKind::Cancelled, detail));
                        }
                        continue;
                    }
                    if unanswered.is_some_and(|since| now >= since + patience) {
                        break Ending::new(EndedBy::Silence);
                    }
                    if now >= end && at_end.is_none() {
                        at_end = Some(times(socket, start));
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
        },
    };
    // So soon nobody can tell silence from a slow way.
    if stopped && ending.how == EndedBy::Silence {
        return Err(failure(FailureKind::Cancelled, "stopped by the user"));
    }
    // An end after the time was up (a reset in answer to the last Ping) is an
    // end that came then, and not a connection that was held well.
    let (held_ms, quiet_ms) = match at_end {
        Some(times) if ending.how == EndedBy::StillOpen => times,
        _ => times(socket, start),
    };
    let Count { pings, pongs, server_frames } = count;
    Ok(Held { held_ms, pings, pongs, server_frames, quiet_ms, ending })
}

fn failure(kind: FailureKind, detail: &str) -> Failure {
    Failure::new(Operation::Frames, kind, detail)
}

/// Milliseconds held so far, and quiet since the last byte.
fn times(socket: &Socket, start: Instant) -> (f64, f64) {
    let last = socket.tap().last_byte().max(start);
    // The end itself is no byte, so it does not count as one.
    (millis(start.elapsed()), millis(last.elapsed()))
}
