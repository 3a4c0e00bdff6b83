//! A way around the packet filter, for proxies that are the only way out: the
//! target's port on another address of loopback, which no client is told.

use std::net::{Ipv4Addr, SocketAddr};
use tokio::io::copy_bidirectional;
use tokio::net::{TcpListener, TcpStream};
use tokio::task::{JoinHandle, JoinSet};

/// Where it is.
pub(super) const ADDRESS: Ipv4Addr = Ipv4Addr::new(127, 0, 0, 2);

/// Passes bytes on; it stops when dropped.
pub(super) struct Relay(JoinHandle<()>);

impl Drop for Relay {
    fn drop(&mut self) {
        self.0.abort();
    }
}

impl Relay {
    /// Starts it at the target's port.
    pub(super) async fn start(port: u16, to: SocketAddr) -> Result<Self, String> {
        let listener = TcpListener::bind((ADDRESS, port)).await;
        let listener = listener.map_err(|error| format!("{ADDRESS}:{port}: {error}"))?;
        Ok(Self(tokio::spawn(async move {
            let mut connections = JoinSet::new();
            while let Ok((mut client, _)) = listener.accept().await {
                connections.spawn(async move {
                    if let Ok(mut server) = TcpStream::connect(to).await {
                        let _ = copy_bidirectional(&mut client, &mut server).await;
                    }
                });
            }
        })))
    }
}
