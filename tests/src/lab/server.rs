//! A port, and a task for each connection to it. Everything ends with the handle.

use super::wire::Conn;
use std::io;
use std::net::SocketAddr;
use std::sync::{Arc, Mutex, PoisonError};
use tokio::net::TcpListener;
use tokio::task::{JoinHandle, JoinSet};

/// Connections served at once; more wait.
const AT_ONCE: usize = 256;

/// A running server's handle.
pub(crate) struct Server {
    pub(crate) addr: SocketAddr,
    task: JoinHandle<()>,
}

impl Drop for Server {
    fn drop(&mut self) {
        // The connections' tasks belong to this one, and end with it.
        self.task.abort();
    }
}

impl Server {
    /// Serves a port of the system's choosing.
    pub(crate) async fn start<F, Fut>(serve: F) -> io::Result<Self>
    where
        F: Fn(Conn) -> Fut + Send + 'static,
        Fut: Future<Output = ()> + Send + 'static,
    {
        Self::start_at(SocketAddr::from(([127, 0, 0, 1], 0)), serve).await
    }

    /// Serves this address.
    pub(crate) async fn start_at<F, Fut>(addr: SocketAddr, serve: F) -> io::Result<Self>
    where
        F: Fn(Conn) -> Fut + Send + 'static,
        Fut: Future<Output = ()> + Send + 'static,
    {
        let listener = TcpListener::bind(addr).await?;
        let addr = listener.local_addr()?;
        let task = tokio::spawn(async move {
            let mut connections = JoinSet::new();
            loop {
                tokio::select! {
                    accepted = listener.accept(), if connections.len() < AT_ONCE => {
                        if let Ok((stream, _)) = accepted {
                            connections.spawn(serve(Conn::tcp(stream)));
                        }
                    }
                    Some(_) = connections.join_next() => {}
                }
            }
        });
        Ok(Self { addr, task })
    }
}

/// The requests that a server saw.
#[derive(Clone, Default)]
pub(crate) struct Log(Arc<Mutex<Vec<Vec<String>>>>);

impl Log {
    /// Notes a request's lines.
    pub(crate) fn note(&self, lines: Vec<String>) {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).push(lines);
    }

    /// All of them.
    pub(crate) fn all(&self) -> Vec<Vec<String>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }
}
