//! HTTP/1.1 by hand: header order, case and bytes are what devices are told
//! apart by, so no library may tidy them up.

use super::wire::Conn;
use std::io;
use std::time::Duration;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::time::timeout;

/// Heads larger than this are refused.
const HEAD_LIMIT: usize = 64 * 1024;
/// Bodies larger than this are refused.
const BODY_LIMIT: usize = 4 * 1024 * 1024;
/// How long a client may be silent between requests.
pub(crate) const KEEP_ALIVE: Duration = Duration::from_secs(30);

/// A request's or a response's head.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub(crate) struct Head {
    /// Request line or status line.
    pub(crate) line: String,
    /// Names as written, values trimmed.
    pub(crate) headers: Vec<(String, String)>,
}

fn invalid(what: &str) -> io::Error {
    io::Error::new(io::ErrorKind::InvalidData, what)
}

impl Head {
    /// A head of these lines.
    pub(crate) fn new(line: impl Into<String>, headers: &[(&str, &str)]) -> Self {
        let own = |(name, value): &(&str, &str)| ((*name).to_owned(), (*value).to_owned());
        Self { line: line.into(), headers: headers.iter().map(own).collect() }
    }

    /// Reads a head; `None` when the peer had nothing more to say.
    pub(crate) async fn read(conn: &mut Conn, limit: Duration) -> io::Result<Option<Self>> {
        let mut raw = Vec::new();
        let reading = async {
            let mut chunk = [0; 4096];
            loop {
                let count = conn.read(&mut chunk).await?;
                if count == 0 {
                    return if raw.is_empty() {
                        Ok(None)
                    } else {
                        Err(io::ErrorKind::UnexpectedEof.into())
                    };
                }
                let from = raw.len().saturating_sub(3);
                raw.extend_from_slice(&chunk[..count]);
                let end = raw[from..].windows(4).position(|four| four == b"\r\n\r\n");
                if let Some(end) = end {
                    return Ok(Some(from + end));
                }
                // What begins like this never becomes a head: a ClientHello.
                if !raw[0].is_ascii_alphabetic() || raw.len() > HEAD_LIMIT {
                    return Err(invalid("no head"));
                }
            }
        };
        let Some(end) = timeout(limit, reading).await?? else { return Ok(None) };
        conn.put_back(&raw[end + 4..]);
        Self::parse(&raw[..end]).map(Some)
    }

    fn parse(raw: &[u8]) -> io::Result<Self> {
        let text = std::str::from_utf8(raw).map_err(|_| invalid("no text"))?;
        let mut lines = text.split("\r\n");
        let line = lines.next().unwrap_or_default().to_owned();
        let headers = lines
            .map(|line| line.split_once(':').ok_or_else(|| invalid("no header")))
            .map(|pair| pair.map(|(name, value)| (name.to_owned(), value.trim().to_owned())))
            .collect::<io::Result<_>>()?;
        Ok(Self { line, headers })
    }

    /// Method and target of a request.
    pub(crate) fn request(&self) -> io::Result<(&str, &str)> {
        let mut words = self.line.split(' ');
        match (words.next(), words.next(), words.next(), words.next()) {
            (Some(method), Some(target), Some(version), None) if version.starts_with("HTTP/1.") => {
                Ok((method, target))
            }
            _ => Err(invalid("no request line")),
        }
    }

    /// Path of a request without its query, whatever the target's form.
    pub(crate) fn path(&self) -> &str {
        let target = self.line.split(' ').nth(1).unwrap_or_default();
        let path = match target.split_once("://") {
            Some((_, rest)) => rest.find('/').map_or("/", |at| &rest[at..]),
            None => target,
        };
        path.split('?').next().unwrap_or_default()
    }

    /// Status of a response.
    pub(crate) fn status(&self) -> u16 {
        self.line.split(' ').nth(1).and_then(|code| code.parse().ok()).unwrap_or_default()
    }

    /// First value of a header.
    pub(crate) fn get(&self, name: &str) -> Option<&str> {
        let found = self.headers.iter().find(|(own, _)| own.eq_ignore_ascii_case(name));
        found.map(|(_, value)| value.as_str())
    }

    /// Whether one of a header's comma-separated values is `token`.
    pub(crate) fn has(&self, name: &str, token: &str) -> bool {
        self.headers
            .iter()
            .filter(|(own, _)| own.eq_ignore_ascii_case(name))
            .flat_map(|(_, value)| value.split(','))
            .any(|value| value.trim().eq_ignore_ascii_case(token))
    }

    /// Removes a header.
    pub(crate) fn remove(&mut self, name: &str) {
        self.headers.retain(|(own, _)| !own.eq_ignore_ascii_case(name));
    }

    /// Adds a header at the end.
    pub(crate) fn push(&mut self, name: &str, value: impl Into<String>) {
        self.headers.push((name.to_owned(), value.into()));
    }

    /// Adds a header line (`Name: value`).
    pub(crate) fn push_line(&mut self, line: &str) {
        let (name, value) = line.split_once(':').unwrap_or((line, ""));
        self.push(name, value.trim());
    }

    /// Whether an upgrade is asked for, properly or not.
    pub(crate) fn upgrades(&self) -> bool {
        self.get("upgrade").is_some()
    }

    /// Whether the connection ends after this message.
    pub(crate) fn closes(&self) -> bool {
        self.has("connection", "close") || self.line.ends_with("HTTP/1.0")
    }

    /// Its lines.
    pub(crate) fn lines(&self) -> Vec<String> {
        let headers = self.headers.iter().map(|(name, value)| format!("{name}: {value}"));
        std::iter::once(self.line.clone()).chain(headers).collect()
    }

    /// As sent.
    pub(crate) fn bytes(&self) -> Vec<u8> {
        let mut out = self.lines().join("\r\n");
        out.push_str("\r\n\r\n");
        out.into_bytes()
    }
}

/// Reads the body that belongs to `head`, without its transfer coding. That of
/// a response without a length ends with the stream.
pub(crate) async fn body(conn: &mut Conn, head: &Head, response: bool) -> io::Result<Vec<u8>> {
    timeout(KEEP_ALIVE, async {
        if head.has("transfer-encoding", "chunked") {
            return chunked(conn).await;
        }
        let status = head.status();
        if response && (status < 200 || status == 204 || status == 304) {
            return Ok(Vec::new());
        }
        let mut out = Vec::new();
        match head.get("content-length") {
            Some(length) => {
                let length: usize = length.parse().map_err(|_| invalid("no length"))?;
                if length > BODY_LIMIT {
                    return Err(invalid("a body too large"));
                }
                out.resize(length, 0);
                conn.read_exact(&mut out).await?;
            }
            None if response => {
                conn.take(BODY_LIMIT as u64).read_to_end(&mut out).await?;
            }
            None => {}
        }
        Ok(out)
    })
    .await?
}

async fn chunked(conn: &mut Conn) -> io::Result<Vec<u8>> {
    let mut out = Vec::new();
    loop {
        let size = line(conn).await?;
        let size = size.split(';').next().unwrap_or_default().trim();
        let size = usize::from_str_radix(size, 16).map_err(|_| invalid("no chunk"))?;
        if out.len() + size > BODY_LIMIT {
            return Err(invalid("a body too large"));
        }
        if size == 0 {
            while !line(conn).await?.is_empty() {}
            return Ok(out);
        }
        let from = out.len();
        out.resize(from + size, 0);
        conn.read_exact(&mut out[from..]).await?;
        line(conn).await?;
    }
}

async fn line(conn: &mut Conn) -> io::Result<String> {
    let mut out = Vec::new();
    while !out.ends_with(b"\r\n") {
        out.push(conn.read_u8().await?);
        if out.len() > 1024 {
            return Err(invalid("a line too long"));
        }
    }
    out.truncate(out.len() - 2);
    String::from_utf8(out).map_err(|_| invalid("no text"))
}

/// A response with its body.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub(crate) struct Response {
    pub(crate) head: Head,
    pub(crate) body: Vec<u8>,
}

impl Response {
    /// A response with this status.
    pub(crate) fn new(status: u16, headers: &[(&str, &str)], body: impl Into<Vec<u8>>) -> Self {
        let line = format!("HTTP/1.1 {status} {}", reason(status));
        Self { head: Head::new(line, headers), body: body.into() }
    }

    /// Sends it; a HEAD request gets no body.
    pub(crate) async fn send(&self, conn: &mut Conn, method: &str) -> io::Result<()> {
        let mut out = self.head.bytes();
        if method != "HEAD" {
            out.extend_from_slice(&self.body);
        }
        conn.write_all(&out).await?;
        conn.flush().await
    }
}

/// The reason phrase, as Go, nginx and HAProxy agree on it.
pub(crate) fn reason(status: u16) -> &'static str {
    http::StatusCode::from_u16(status).ok().and_then(|code| code.canonical_reason()).unwrap_or("")
}

/// Now, as in a `Date` header.
pub(crate) fn date() -> String {
    chrono::Utc::now().format("%a, %d %b %Y %H:%M:%S GMT").to_string()
}
