//! TCP.

use super::classify;
use socket2::{SockRef, TcpKeepalive};
use std::net::SocketAddr;
use std::time::Duration;
use tokio::net::TcpStream;
use wss_bundle::observation::Connected;
use wss_bundle::{Failure, FailureKind, Operation};

/// Opens a connection.
///
/// # Errors
/// What the system says.
pub async fn open(address: SocketAddr) -> Result<(Connected, TcpStream), Failure> {
    let io = |error| classify::io(Operation::Connect, &error);
    let stream = TcpStream::connect(address).await.map_err(io)?;
    // Small frames are to leave at once: their timing is what is measured.
    let _ = stream.set_nodelay(true);
    let local = stream.local_addr().map_err(io)?;
    Ok((Connected { local }, stream))
}

/// Has the system ask for a sign of life that often, wherever nothing passes (TCP
/// keepalive, RFC 9293 section 3.8.4).
///
/// # Errors
/// The system does not take it: nothing is told by a connection without it.
pub fn keep_alive(stream: &TcpStream, every: Duration) -> Result<(), Failure> {
    let keepalive = TcpKeepalive::new().with_time(every).with_interval(every);
    SockRef::from(stream).set_tcp_keepalive(&keepalive).map_err(|error| {
        let detail = format!("TCP keepalive cannot be set here: {error}");
        Failure::new(Operation::Connect, FailureKind::Cancelled, detail)
    })
}
