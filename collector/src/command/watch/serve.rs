//! The metrics as a file and as a page on loopback. A file is replaced whole; a page is
//! what was last told. Requests are bounded in bytes, time and number.

use crate::metrics::{Family, Format, render};
use std::io;
use std::io::Write as _;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::{Semaphore, watch};
use tokio::time::timeout;

/// How long a request may take, and how long it may be.
const REQUEST: (Duration, usize) = (Duration::from_secs(5), 8 << 10);
/// Requests at a time.
const AT_ONCE: usize = 8;

/// What is told: families, and the labels that all of them have.
#[derive(Debug, Clone, Default)]
pub(super) struct Told {
    pub(super) families: Vec<Family>,
    pub(super) labels: Vec<(&'static str, String)>,
}

impl Told {
    fn text(&self, format: Format) -> String {
        render(&self.families, &self.labels, format)
    }
}

/// Replaces the file. `.prom` is what node_exporter reads, and gets its format.
///
/// # Errors
/// The file system's.
pub(super) fn file(told: &Told, path: &Path) -> io::Result<()> {
    let prom = path.extension().is_some_and(|ending| ending == "prom");
    let format = if prom { Format::Prometheus } else { Format::OpenMetrics };
    let folder = super::super::store::folder_of(path);
    // No ending that node_exporter would read.
    let mut builder = tempfile::Builder::new();
    builder.prefix(".wss-metrics-").suffix(".new");
    // Others read it: it holds no secret.
    #[cfg(unix)]
    builder.permissions(std::os::unix::fs::PermissionsExt::from_mode(0o644));
    let mut new = builder.tempfile_in(folder)?;
    new.write_all(told.text(format).as_bytes())?;
    new.persist(path).map(drop).map_err(|error| error.error)
}

/// Answers requests until this is dropped.
pub(super) async fn serve(listener: TcpListener, told: watch::Receiver<Arc<Told>>) {
    let places = Arc::new(Semaphore::new(AT_ONCE));
    loop {
        let Ok((stream, _)) = listener.accept().await else {
            tokio::time::sleep(Duration::from_millis(100)).await;
            continue;
        };
        // Who finds no place is hung up on: a scrape comes again.
        let Ok(place) = places.clone().try_acquire_owned() else { continue };
        let told = told.borrow().clone();
        tokio::spawn(async move {
            let _ = timeout(REQUEST.0, answer(stream, &told)).await;
            drop(place);
        });
    }
}

async fn answer(mut stream: TcpStream, told: &Told) -> io::Result<()> {
    let mut head = Vec::new();
    while !head.windows(4).any(|four| four == b"\r\n\r\n") {
        if head.len() > REQUEST.1 || stream.read_buf(&mut head).await? == 0 {
            return Ok(());
        }
    }
    let head = String::from_utf8_lossy(&head).to_ascii_lowercase();
    let mut words = head.split_whitespace();
    let (method, path) = (words.next(), words.next().map(|p| p.split('?').next().unwrap_or(p)));
    let open = head
        .lines()
        .any(|line| line.starts_with("accept:") && line.contains("application/openmetrics-text"));
    let format = if open { Format::OpenMetrics } else { Format::Prometheus };
    let plain = "text/plain; charset=utf-8";
    let (status, kind, body) = match (method, path) {
        (Some("get" | "head"), Some("/metrics")) => {
            ("200 OK", format.content_type(), told.text(format))
        }
        (Some("get" | "head"), _) => ("404 Not Found", plain, "metrics are at /metrics\n".into()),
        _ => ("405 Method Not Allowed", plain, "GET /metrics\n".into()),
    };
    let head = format!(
        "HTTP/1.1 {status}\r\nContent-Type: {kind}\r\nContent-Length: {}\r\nConnection: close\r\n\r\n",
        body.len()
    );
    stream.write_all(head.as_bytes()).await?;
    if method != Some("head") {
        stream.write_all(body.as_bytes()).await?;
    }
    stream.shutdown().await
}
