//! TCP connections. Every attempt that ends leaves an observation.

use super::{Ctx, classify};
use futures_util::StreamExt;
use futures_util::stream::FuturesUnordered;
use std::net::SocketAddr;
use std::time::Duration;
use tokio::net::TcpStream;
use tokio::time::Instant;
use wss_bundle::observation::{Connect, Connected, Peer};
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
    let work = async {
        let io = |error| classify::io(Operation::Connect, &error);
        let stream = TcpStream::connect(address).await.map_err(io)?;
        // Small frames are to leave at once: their timing is what is measured.
        let _ = stream.set_nodelay(true);
        let local = stream.local_addr().map_err(io)?;
        Ok((Connected { local }, stream))
    };
    let stream = ctx.step(Operation::Connect, limit, wrap, work).await?;
    Ok((stream, ctx))
}

/// Opens a connection to the first address that answers; later addresses start
/// when the ones before are slow or have failed. Attempts that are overtaken
/// are dropped, and leave nothing.
///
/// # Errors
/// The first address's failure, when all fail.
pub async fn connect(
    ctx: &Ctx,
    addresses: &[SocketAddr],
    peer: Peer,
) -> Result<(TcpStream, Ctx), Failure> {
    let deadline = Instant::now() + ctx.timeout();
    let mut waiting = addresses.iter().copied();
    let mut running = FuturesUnordered::new();
    let mut first_failure = None;
    let mut more = true;
    loop {
        if more {
            match waiting.next() {
                Some(address) => {
                    let limit = deadline.saturating_duration_since(Instant::now());
                    running.push(connect_one(ctx, address, peer, limit));
                }
                None => more = false,
            }
        }
        tokio::select! {
            ended = running.next(), if !running.is_empty() => match ended {
                Some(Ok(connected)) => return Ok(connected),
                Some(Err(failure)) => {
                    first_failure.get_or_insert(failure);
                }
                None => {}
            },
            () = tokio::time::sleep(STAGGER), if more => {}
            else => break,
        }
    }
    Err(first_failure.unwrap_or_else(|| {
        Failure::new(Operation::Connect, FailureKind::DnsNoAddress, "no address to connect to")
    }))
}
