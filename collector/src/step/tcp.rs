//! TCP connections. Every attempt that ends leaves an observation.

use super::Ctx;
use crate::wire::tcp;
use futures_util::StreamExt;
use futures_util::stream::FuturesUnordered;
use std::collections::VecDeque;
use std::net::SocketAddr;
use std::time::Duration;
use tokio::net::TcpStream;
use tokio::time::Instant;
use wss_bundle::observation::{Connect, Peer};
use wss_bundle::{Failure, FailureKind, Operation, Step};

/// Head start of each address before the next is tried too (RFC 8305 section 5).
const STAGGER: Duration = Duration::from_millis(250);

/// Opens one connection, and records the attempt.
///
/// # Errors
/// The failure that was recorded.
pub async fn connect_one(
    ctx: &Ctx,
    address: SocketAddr,
    peer: Peer,
    limit: Duration,
) -> Result<(TcpStream, Ctx), Failure> {
    let ctx = ctx.on(ctx.net.recorder.connection());
    let wrap = |result| Step::Connect(Connect { peer, address, result });
    let stream = ctx.step(Operation::Connect, limit, wrap, tcp::open(address)).await?;
    Ok((stream, ctx))
}

/// Opens a connection to the first address that answers; later addresses start
/// when the ones before are slow or have failed. Attempts that are overtaken
/// are dropped, and leave nothing.
///
/// Of a route's connections one at a time tries addresses beyond its first:
/// the others wait for what it finds, so that a name with dozens of dead
/// addresses is not knocked at hundreds of times.
///
/// # Errors
/// The first address's failure, when all fail.
pub async fn connect(
    ctx: &Ctx,
    addresses: &[SocketAddr],
    peer: Peer,
) -> Result<(TcpStream, Ctx), Failure> {
    let deadline = Instant::now() + ctx.timeout();
    let mut waiting: VecDeque<SocketAddr> = ctx.net.by_merit(ctx.route, addresses).into();
    let mut running = FuturesUnordered::new();
    let mut first_failure = None;
    // The first goes at once, the next when it is slow or has failed.
    let mut due = true;
    let mut turn = None;
    loop {
        let mine = running.is_empty() && first_failure.is_none() || turn.is_some();
        if due
            && mine
            && let Some(address) = waiting.pop_front()
        {
            let limit = deadline.saturating_duration_since(Instant::now());
            running.push(connect_one(ctx, address, peer, limit));
            due = false;
        }
        tokio::select! {
            ended = running.next(), if !running.is_empty() => match ended {
                Some(Ok(connected)) => return Ok(connected),
                Some(Err(failure)) => {
                    first_failure.get_or_insert(failure);
                    due = true;
                }
                None => {}
            },
            () = tokio::time::sleep(STAGGER), if !due && !waiting.is_empty() => due = true,
            permit = ctx.net.further(ctx.route), if due && !mine && !waiting.is_empty() => {
                if ctx.net.is_silent(ctx.route) {
                    // Another has tried them all.
                    waiting.clear();
                }
                waiting = ctx.net.by_merit(ctx.route, waiting.make_contiguous()).into();
                // Where one is known by now, nobody has to wait behind this one.
                turn = Some(permit.filter(|_| !ctx.net.is_reached(ctx.route)));
            }
            else => break,
        }
    }
    if !ctx.net.is_reached(ctx.route) {
        // Before the next one's turn.
        ctx.net.note_silence(ctx.route);
    }
    Err(first_failure.unwrap_or_else(|| {
        Failure::new(Operation::Connect, FailureKind::DnsNoAddress, "no address to connect to")
    }))
}
