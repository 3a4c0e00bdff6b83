//! TCP.

use super::classify;
use std::net::SocketAddr;
use tokio::net::TcpStream;
use wss_bundle::observation::Connected;
use wss_bundle::{Failure, Operation};

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
