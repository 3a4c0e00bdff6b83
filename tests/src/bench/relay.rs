//! A path with a delay: relays on loopback that pass every byte on half a
//! round trip later. The kernel here has no netem, and needs none for this.
//!
//! The relay's own TCP handshake takes no time, so the first bytes of each
//! connection wait for the round trip that a real one would have taken. Sums
//! are right; a TCP step alone looks too fast, and the step after it too slow.

use std::io;
use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream, UdpSocket};
use tokio::sync::mpsc;
use tokio::task::JoinHandle;
use tokio::time::Instant;

/// What passed a relay.
#[derive(Debug, Default)]
pub struct Count {
    /// TCP connections.
    pub connections: AtomicU64,
    /// Bytes, both ways.
    pub bytes: AtomicU64,
}

/// A running relay; it stops when dropped.
#[derive(Debug)]
pub struct Relay {
    /// Where it listens.
    pub addr: SocketAddr,
    /// What passed it.
    pub count: Arc<Count>,
    task: JoinHandle<()>,
}

impl Drop for Relay {
    fn drop(&mut self) {
        self.task.abort();
    }
}

impl Relay {
    /// In front of a TCP server, a round trip away.
    ///
    /// # Errors
    /// No port can be had.
    pub async fn tcp(to: SocketAddr, round_trip: Duration) -> io::Result<Self> {
        let listener = TcpListener::bind("127.0.0.1:0").await?;
        let addr = listener.local_addr()?;
        let count = Arc::new(Count::default());
        let counted = count.clone();
        let task = tokio::spawn(async move {
            while let Ok((client, _)) = listener.accept().await {
                counted.connections.fetch_add(1, Ordering::Relaxed);
                tokio::spawn(connection(client, to, round_trip, counted.clone()));
            }
        });
        Ok(Self { addr, count, task })
    }

    /// In front of a UDP server, at an address of choice (a name server's port is fixed).
    ///
    /// # Errors
    /// The port cannot be had.
    pub async fn udp(at: SocketAddr, to: SocketAddr, round_trip: Duration) -> io::Result<Self> {
        let socket = Arc::new(UdpSocket::bind(at).await?);
        let addr = socket.local_addr()?;
        let count = Arc::new(Count::default());
        let counted = count.clone();
        let task = tokio::spawn(async move {
            let mut buffer = [0; 1500];
            while let Ok((n, from)) = socket.recv_from(&mut buffer).await {
                let (question, socket) = (buffer[..n].to_vec(), socket.clone());
                counted.bytes.fetch_add(n as u64, Ordering::Relaxed);
                tokio::spawn(async move {
                    tokio::time::sleep(round_trip).await;
                    let Ok(own) = UdpSocket::bind("127.0.0.1:0").await else { return };
                    let mut answer = [0; 1500];
                    if own.send_to(&question, to).await.is_ok()
                        && let Ok((n, _)) = own.recv_from(&mut answer).await
                    {
                        let _ = socket.send_to(&answer[..n], from).await;
                    }
                });
            }
        });
        Ok(Self { addr, count, task })
    }
}

async fn connection(client: TcpStream, to: SocketAddr, round_trip: Duration, count: Arc<Count>) {
    let _ = client.set_nodelay(true);
    let Ok(server) = TcpStream::connect(to).await else { return };
    let _ = server.set_nodelay(true);
    let (from_client, to_client) = client.into_split();
    let (from_server, to_server) = server.into_split();
    let half = round_trip / 2;
    tokio::join!(
        pass(from_client, to_server, half, round_trip, count.clone()),
        pass(from_server, to_client, half, Duration::ZERO, count),
    );
}

/// Passes bytes on, each `delay` after it came, and nothing before `handshake`.
async fn pass(
    mut from: tokio::net::tcp::OwnedReadHalf,
    mut to: tokio::net::tcp::OwnedWriteHalf,
    delay: Duration,
    handshake: Duration,
    count: Arc<Count>,
) {
    let begun = Instant::now();
    let (queue, mut waiting) = mpsc::channel::<(Instant, Vec<u8>)>(1024);
    let reading = async move {
        let mut buffer = vec![0; 16 * 1024];
        loop {
            // The end is passed on as late as the bytes.
            let n = from.read(&mut buffer).await.unwrap_or(0);
            count.bytes.fetch_add(n as u64, Ordering::Relaxed);
            let due = (Instant::now() + delay).max(begun + handshake + delay);
            if queue.send((due, buffer[..n].to_vec())).await.is_err() || n == 0 {
                return;
            }
        }
    };
    let writing = async move {
        while let Some((due, bytes)) = waiting.recv().await {
            tokio::time::sleep_until(due).await;
            if bytes.is_empty() || to.write_all(&bytes).await.is_err() {
                let _ = to.shutdown().await;
                return;
            }
        }
    };
    tokio::join!(reading, writing);
}
