//! A server that has one page, and counts who asks: where a help site would be.

use crate::lab::config::CutBy;
use crate::lab::http1::Response;
use crate::lab::server::Server;
use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

/// The server.
pub struct Site {
    server: Server,
    asked: Arc<AtomicUsize>,
}

impl Site {
    /// Where it listens.
    #[must_use]
    pub fn addr(&self) -> SocketAddr {
        self.server.addr
    }

    /// How many requests have come.
    #[must_use]
    pub fn requests(&self) -> usize {
        self.asked.load(Ordering::SeqCst)
    }
}

/// Serves a page on loopback, whatever the path.
///
/// # Errors
/// No port can be had.
pub async fn serve(page: Vec<u8>) -> std::io::Result<Site> {
    let length = page.len().to_string();
    let headers = [
        ("Content-Type", "text/html; charset=utf-8"),
        ("Content-Length", length.as_str()),
        ("Connection", "close"),
    ];
    let response = Arc::new(Response::new(200, &headers, page));
    let asked = Arc::new(AtomicUsize::new(0));
    let count = asked.clone();
    let server = Server::start(move |mut conn| {
        let (response, count) = (response.clone(), count.clone());
        async move {
            if let Ok(Some((head, _))) = crate::lab::hop::receive(&mut conn).await {
                count.fetch_add(1, Ordering::SeqCst);
                let method = head.request().map_or("GET", |(method, _)| method);
                let _ = response.send(&mut conn, method).await;
                conn.end(CutBy::Fin).await;
            }
        }
    })
    .await?;
    Ok(Site { server, asked })
}
