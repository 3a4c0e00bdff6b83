//! A packet filter: TCP passes or does not, and what it does can be changed
//! while clients are connected.

use super::config::{CutBy, CutConfig, FirewallMode};
use super::wire::{Conn, Killer, relay};
use std::io;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;
use tokio::net::{TcpListener, TcpSocket, TcpStream};
use tokio::sync::{mpsc, oneshot, watch};
use tokio::task::{JoinHandle, JoinSet};

/// How long a ClientHello may take.
const HELLO: Duration = Duration::from_secs(5);
/// A SYN that is not answered on loopback in this time was dropped.
const DROPPED: Duration = Duration::from_millis(100);
/// Connections that wait to be accepted; as many as listeners usually have.
const BACKLOG: u32 = 128;

/// What it does just now.
#[derive(Debug, Clone, Copy)]
struct Rules {
    mode: FirewallMode,
    upstream: SocketAddr,
    cut: CutConfig,
}

type Command = (Rules, oneshot::Sender<io::Result<()>>);

/// A running packet filter.
pub struct Firewall {
    /// Where it listens.
    pub addr: SocketAddr,
    commands: mpsc::Sender<Command>,
    task: JoinHandle<()>,
}

impl Drop for Firewall {
    fn drop(&mut self) {
        self.task.abort();
    }
}

/// What holds the port, as the mode needs it.
enum Port {
    Listening(TcpListener),
    /// Bound, and not listening: the kernel refuses connections.
    Refusing(#[expect(dead_code, reason = "holds the port")] TcpSocket),
    /// Listening with a full queue: the kernel drops what comes.
    Dropping(#[expect(dead_code, reason = "they hold the port")] (TcpListener, Vec<TcpStream>)),
}

impl Port {
    async fn open(addr: SocketAddr, mode: FirewallMode) -> io::Result<(Self, SocketAddr)> {
        let socket = TcpSocket::new_v4()?;
        // The port was ours a moment ago, and connections to it may still live.
        socket.set_reuseaddr(true)?;
        // It is given up and taken again between two sides: a port that the kernel
        // hands out by itself might be another's by then.
        let port = if addr.port() == 0 { crate::real::closed_port()? } else { addr.port() };
        let addr = SocketAddr::new(addr.ip(), port);
        socket.bind(addr)?;
        let port = match mode {
            FirewallMode::Refuse => Self::Refusing(socket),
            FirewallMode::Drop => {
                let listener = socket.listen(0)?;
                let mut fillers = Vec::new();
                // One or two fill the queue; how many is the kernel's to say.
                while fillers.len() < 8 {
                    match tokio::time::timeout(DROPPED, TcpStream::connect(addr)).await {
                        Ok(filler) => fillers.push(filler?),
                        Err(_) => return Ok((Self::Dropping((listener, fillers)), addr)),
                    }
                }
                return Err(io::Error::other("the queue does not fill: SYNs cannot be dropped"));
            }
            _ => Self::Listening(socket.listen(BACKLOG)?),
        };
        Ok((port, addr))
    }

    async fn accept(&self) -> io::Result<TcpStream> {
        match self {
            Self::Listening(listener) => listener.accept().await.map(|(stream, _)| stream),
            Self::Refusing(_) | Self::Dropping(_) => std::future::pending().await,
        }
    }

    fn suits(&self, mode: FirewallMode) -> bool {
        match self {
            Self::Listening(_) => !matches!(mode, FirewallMode::Refuse | FirewallMode::Drop),
            Self::Refusing(_) => mode == FirewallMode::Refuse,
            Self::Dropping(_) => mode == FirewallMode::Drop,
        }
    }
}

impl Firewall {
    /// Starts it, open. `host` is the name that `block-name` blocks.
    ///
    /// # Errors
    /// When no port can be had.
    pub async fn start(upstream: SocketAddr, host: &str) -> io::Result<Self> {
        let rules = Rules { mode: FirewallMode::Open, upstream, cut: CutConfig::default() };
        let any = SocketAddr::from(([127, 0, 0, 1], 0));
        let (port, addr) = Port::open(any, rules.mode).await?;
        let (commands, inbox) = mpsc::channel(1);
        let task = tokio::spawn(run(port, addr, rules, host.into(), inbox));
        Ok(Self { addr, commands, task })
    }

    /// Changes what it does; in effect when it returns, for established
    /// connections too unless it opens.
    ///
    /// # Errors
    /// When its port cannot be had again.
    pub async fn set(
        &self,
        mode: FirewallMode,
        upstream: SocketAddr,
        cut: CutConfig,
    ) -> io::Result<()> {
        let (done, answer) = oneshot::channel();
        let gone = || io::Error::from(io::ErrorKind::BrokenPipe);
        let command = (Rules { mode, upstream, cut }, done);
        self.commands.send(command).await.map_err(|_| gone())?;
        answer.await.map_err(|_| gone())?
    }
}

async fn run(
    mut port: Port,
    addr: SocketAddr,
    rules: Rules,
    host: Arc<str>,
    mut inbox: mpsc::Receiver<Command>,
) {
    let (current, _) = watch::channel(rules);
    let mut connections = JoinSet::new();
    loop {
        tokio::select! {
            command = inbox.recv() => {
                let Some((rules, done)) = command else { return };
                if !port.suits(rules.mode) {
                    drop(port);
                    match Port::open(addr, rules.mode).await {
                        Ok((opened, _)) => port = opened,
                        Err(error) => {
                            let _ = done.send(Err(error));
                            return;
                        }
                    }
                }
                current.send_replace(rules);
                let _ = done.send(Ok(()));
            }
            accepted = port.accept() => {
                if let Ok(stream) = accepted {
                    let conn = Conn::tcp(stream);
                    connections.spawn(filter(conn, host.clone(), current.subscribe()));
                }
            }
            Some(_) = connections.join_next() => {}
        }
    }
}

/// One connection, under the rules of its time and those that come later.
async fn filter(mut conn: Conn, host: Arc<str>, mut current: watch::Receiver<Rules>) {
    let rules = *current.borrow_and_update();
    match rules.mode {
        FirewallMode::Open => {}
        FirewallMode::Reset | FirewallMode::Refuse => return conn.end(CutBy::Reset).await,
        FirewallMode::Drop | FirewallMode::Swallow => return conn.drain().await,
        FirewallMode::BlockName => {
            if names(&mut conn, host.as_bytes()).await {
                return conn.end(CutBy::Reset).await;
            }
        }
    }
    let Ok(server) = Conn::dial(rules.upstream).await else {
        return conn.end(CutBy::Reset).await;
    };
    let kill = [conn.killer(), server.killer()];
    let relay = relay(conn, server, &rules.cut, true);
    tokio::pin!(relay);
    tokio::select! {
        () = &mut relay => {}
        mode = changed(&mut current) => match mode {
            // The relay is kept, and not driven any more.
            FirewallMode::Drop | FirewallMode::Swallow => std::future::pending().await,
            _ => kill.iter().for_each(Killer::reset),
        }
    }
}

/// Waits for rules that end an established connection.
async fn changed(current: &mut watch::Receiver<Rules>) -> FirewallMode {
    loop {
        if current.changed().await.is_err() {
            std::future::pending::<()>().await;
        }
        let mode = current.borrow_and_update().mode;
        if !matches!(mode, FirewallMode::Open | FirewallMode::BlockName) {
            return mode;
        }
    }
}

/// Whether the ClientHello (or whatever comes first) names `host`.
async fn names(conn: &mut Conn, host: &[u8]) -> bool {
    let Ok(first) = conn.peek(5, HELLO).await else { return false };
    // A hello may take two packets: the name can be in the second.
    let enough = match first {
        [0x16, _, _, high, low, ..] => 5 + (usize::from(*high) << 8 | usize::from(*low)),
        _ => 5,
    };
    let Ok(hello) = conn.peek(enough, HELLO).await else { return false };
    hello.windows(host.len()).any(|window| window == host)
}
