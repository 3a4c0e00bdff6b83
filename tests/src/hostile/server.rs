//! Servers and proxies that keep to no protocol. Each is one [`Behaviour`],
//! written once and met plain, in TLS, and behind a proxy.

use super::forge::{Entry, Zip};
use super::frames;
use super::h2::{self, Flood};
use std::io;
use std::net::{Ipv4Addr, SocketAddr};
use std::sync::{Arc, OnceLock};
use std::time::Duration;
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::task::JoinHandle;
use tokio_rustls::TlsAcceptor;

/// Any stream.
pub trait Stream: AsyncRead + AsyncWrite + Unpin + Send {}
impl<T: AsyncRead + AsyncWrite + Unpin + Send> Stream for T {}

/// Nobody is kept longer than this by a test's server.
const LONGEST: Duration = Duration::from_secs(120);

/// What is done to whoever connects.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
#[allow(missing_docs, reason = "their names say it")]
pub enum Behaviour {
    Healthy,
    // Heads.
    EndlessHeaders,
    HugeHeader,
    ManyHeaders,
    DrippingHead,
    HalfHead,
    ManyInterim,
    Http09,
    Garbage,
    Silence,
    Goodbye,
    Reset,
    NoStatus,
    OddHeaders,
    HugeCookie,
    // Bodies.
    HugeRefusal,
    EndlessBody,
    DrippingBody,
    EndlessChunks,
    HugeChunk,
    BrokenLength,
    TwoLengths,
    GzipBomb,
    BrotliBomb,
    ZipBomb,
    RedirectLoop,
    EndlessChallenge,
    // Upgrades.
    SwitchesAlways,
    WrongAccept,
    // Frames.
    PingFlood,
    HugeFrame,
    EndlessFrame,
    FragmentedPing,
    LonelyContinuation,
    EndlessFragments,
    MaskedFrames,
    ReservedBits,
    OddClose,
    FrameGarbage,
    NotUtf8,
    ResetAfterSwitch,
    // Compressed messages.
    InflatesWithoutEnd,
    InflatesAgainAndAgain,
}

impl Behaviour {
    /// All of them but [`Behaviour::Healthy`].
    pub const HOSTILE: [Self; 42] = [
        Self::EndlessHeaders,
        Self::HugeHeader,
        Self::ManyHeaders,
        Self::DrippingHead,
        Self::HalfHead,
        Self::ManyInterim,
        Self::Http09,
        Self::Garbage,
        Self::Silence,
        Self::Goodbye,
        Self::Reset,
        Self::NoStatus,
        Self::OddHeaders,
        Self::HugeCookie,
        Self::HugeRefusal,
        Self::EndlessBody,
        Self::DrippingBody,
        Self::EndlessChunks,
        Self::HugeChunk,
        Self::BrokenLength,
        Self::TwoLengths,
        Self::GzipBomb,
        Self::BrotliBomb,
        Self::ZipBomb,
        Self::RedirectLoop,
        Self::EndlessChallenge,
        Self::SwitchesAlways,
        Self::WrongAccept,
        Self::PingFlood,
        Self::HugeFrame,
        Self::EndlessFrame,
        Self::FragmentedPing,
        Self::LonelyContinuation,
        Self::EndlessFragments,
        Self::MaskedFrames,
        Self::ReservedBits,
        Self::OddClose,
        Self::FrameGarbage,
        Self::NotUtf8,
        Self::ResetAfterSwitch,
        Self::InflatesWithoutEnd,
        Self::InflatesAgainAndAgain,
    ];

    /// Whether the upgrade itself is answered as it should be.
    #[must_use]
    pub fn upgrades(self) -> bool {
        self >= Self::PingFlood || self == Self::Healthy
    }
}

/// A running server; it ends with this value.
#[derive(Debug)]
pub struct Hostile {
    /// Where it listens.
    pub address: SocketAddr,
    accepting: JoinHandle<()>,
}

impl Drop for Hostile {
    fn drop(&mut self) {
        self.accepting.abort();
    }
}

impl Hostile {
    /// A server of this behaviour, in TLS where there is an acceptor.
    ///
    /// # Errors
    /// When it cannot listen.
    pub async fn server(behaviour: Behaviour, tls: Option<TlsAcceptor>) -> io::Result<Self> {
        match behaviour {
            Behaviour::GzipBomb => _ = gzip_zeros(),
            Behaviour::ZipBomb => _ = zip_zeros(),
            Behaviour::InflatesWithoutEnd => _ = frames::zeros(true),
            _ => {}
        }
        Self::start(move |stream| {
            let tls = tls.clone();
            async move {
                match tls {
                    Some(tls) => behave(behaviour, tls.accept(stream).await?).await,
                    None => behave(behaviour, stream).await,
                }
            }
        })
        .await
    }

    /// A server that floods whoever speaks HTTP/2 to it, where the acceptor
    /// agrees on that, and serves others well.
    ///
    /// # Errors
    /// When it cannot listen.
    pub async fn flooding(flood: Flood, tls: TlsAcceptor) -> io::Result<Self> {
        if flood == Flood::GzipBomb {
            gzip_zeros();
        }
        Self::start(move |stream| {
            let tls = tls.clone();
            async move {
                let stream = tls.accept(stream).await?;
                if stream.get_ref().1.alpn_protocol() == Some(b"h2") {
                    h2::serve(flood, stream).await
                } else {
                    behave(Behaviour::Healthy, stream).await
                }
            }
        })
        .await
    }

    /// A server that answers a client's first bytes with these, again and again
    /// where it says so, whatever was asked: broken TLS, broken SOCKS.
    ///
    /// # Errors
    /// When it cannot listen.
    pub async fn saying(first: Vec<u8>, again: Vec<u8>) -> io::Result<Self> {
        let both = Arc::new((first, again));
        Self::start(move |mut stream| {
            let both = both.clone();
            async move {
                let mut hello = [0; 1024];
                let _ = stream.read(&mut hello).await?;
                stream.write_all(&both.0).await?;
                loop {
                    if both.1.is_empty() {
                        return linger(&mut stream).await;
                    }
                    stream.write_all(&both.1).await?;
                }
            }
        })
        .await
    }

    /// A proxy that answers CONNECT as it should, and leads anywhere.
    ///
    /// # Errors
    /// When it cannot listen.
    pub async fn honest_proxy() -> io::Result<Self> {
        Self::start(pass_on).await
    }

    /// The same, spoken to in TLS.
    ///
    /// # Errors
    /// When it cannot listen.
    pub async fn honest_https_proxy(tls: TlsAcceptor) -> io::Result<Self> {
        Self::start(move |stream| {
            let tls = tls.clone();
            async move { pass_on(tls.accept(stream).await?).await }
        })
        .await
    }

    async fn start<F, Fut>(serve: F) -> io::Result<Self>
    where
        F: Fn(TcpStream) -> Fut + Send + 'static,
        Fut: Future<Output = io::Result<()>> + Send + 'static,
    {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await?;
        let address = listener.local_addr()?;
        let accepting = tokio::spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                let serving = serve(stream);
                // An error is the client's goodbye.
                tokio::spawn(async move {
                    let _ = tokio::time::timeout(LONGEST, serving).await;
                });
            }
        });
        Ok(Self { address, accepting })
    }
}

/// Answers a CONNECT, and leads where it says.
async fn pass_on(mut stream: impl Stream) -> io::Result<()> {
    let request = head(&mut stream).await?;
    let place = request.strip_prefix("CONNECT ").and_then(|rest| rest.split(' ').next());
    let Some(place) = place else {
        return stream.write_all(b"HTTP/1.1 400 No\r\nContent-Length: 0\r\n\r\n").await;
    };
    let mut onward = TcpStream::connect(place).await?;
    stream.write_all(b"HTTP/1.1 200 Connection established\r\n\r\n").await?;
    tokio::io::copy_bidirectional(&mut stream, &mut onward).await.map(drop)
}

async fn head(stream: &mut impl Stream) -> io::Result<String> {
    let mut out = Vec::new();
    while !out.ends_with(b"\r\n\r\n") {
        if out.len() > 64 << 10 {
            return Err(io::Error::other("no head"));
        }
        out.push(stream.read_u8().await?);
    }
    Ok(String::from_utf8_lossy(&out).into_owned())
}

/// Reads until the client has had enough.
async fn linger(stream: &mut impl Stream) -> io::Result<()> {
    let mut sink = [0; 4096];
    while stream.read(&mut sink).await? > 0 {}
    Ok(())
}

const PAGE: &str = "HTTP/1.1 200 OK\r\nContent-Type: text/html\r\nContent-Length: 42\r\n\r\n\
                    <title>BindPlane</title><div id=\"root\"/>\r\n";

/// What answers a request, over and over.
async fn forever(stream: &mut impl Stream, first: &[u8], again: &[u8]) -> io::Result<()> {
    stream.write_all(first).await?;
    loop {
        stream.write_all(again).await?;
    }
}

async fn drip(stream: &mut impl Stream, bytes: &[u8]) -> io::Result<()> {
    for byte in bytes {
        stream.write_all(&[*byte]).await?;
        stream.flush().await?;
        tokio::time::sleep(Duration::from_secs(1)).await;
    }
    linger(stream).await
}

async fn say(stream: &mut impl Stream, text: &[u8]) -> io::Result<()> {
    stream.write_all(text).await?;
    stream.shutdown().await
}

async fn behave(behaviour: Behaviour, mut stream: impl Stream) -> io::Result<()> {
    use Behaviour as B;
    match behaviour {
        B::Goodbye => return stream.shutdown().await,
        B::Silence => return linger(&mut stream).await,
        _ => {}
    }
    loop {
        let request = head(&mut stream).await?;
        let upgrade = request.to_ascii_lowercase().contains("upgrade: websocket");
        if behaviour.upgrades() {
            if upgrade {
                let compressed = request.to_ascii_lowercase().contains("permessage-deflate");
                return frames::after_switch(behaviour, compressed, stream).await;
            }
            stream.write_all(PAGE.as_bytes()).await?;
            continue;
        }
        let s = &mut stream;
        let ok = "HTTP/1.1 200 OK\r\nContent-Type: text/html\r\n";
        match behaviour {
            B::EndlessHeaders => {
                forever(s, b"HTTP/1.1 200 OK\r\n", b"X-More: and more\r\n").await?
            }
            B::HugeHeader => {
                let huge =
                    format!("{ok}X-Huge: {}\r\nContent-Length: 0\r\n\r\n", "h".repeat(100 << 10));
                s.write_all(huge.as_bytes()).await?;
            }
            B::ManyHeaders => {
                let many = format!("{ok}{}Content-Length: 0\r\n\r\n", "a: b\r\n".repeat(9000));
                s.write_all(many.as_bytes()).await?;
            }
            B::DrippingHead => return drip(s, ok.as_bytes()).await,
            B::HalfHead => return say(s, ok.as_bytes()).await,
            B::ManyInterim => {
                let interim = "HTTP/1.1 103 Early Hints\r\nLink: </x>\r\n\r\n".repeat(10_000);
                s.write_all(interim.as_bytes()).await?;
                s.write_all(PAGE.as_bytes()).await?;
            }
            B::Http09 => return say(s, b"<html>hello, this is 1991</html>").await,
            B::Garbage => {
                let bytes: Vec<u8> =
                    (0..9000_u32).map(|n| (n.wrapping_mul(40_503) >> 7) as u8).collect();
                return say(s, &bytes).await;
            }
            B::Reset => return Err(io::Error::other("dropped with bytes unread")),
            B::NoStatus => return say(s, b"HTTP/1.1 abc\r\n\r\n").await,
            B::OddHeaders => {
                let odd = "Server: \u{1b}[2J\u{1b}]0;owned\u{7}\u{202e}evil\r\nX-\0: \0\r\n: none\r\n folded\r\n";
                let odd = format!(
                    "HTTP/1.1 502 \u{1b}[31mBad\r\n{odd}Content-Length: 9\r\n\r\n\u{1b}[2J\u{202e}\r\n"
                );
                s.write_all(odd.as_bytes()).await?;
                return s.shutdown().await;
            }
            B::HugeCookie => {
                let cookie = "c".repeat(60 << 10);
                let head =
                    format!("{ok}Set-Cookie: a={cookie}; Path=/\r\nContent-Length: 0\r\n\r\n");
                s.write_all(head.as_bytes()).await?;
            }
            B::HugeRefusal => {
                let body = "&a=b \"\\ ".repeat(8 << 10);
                let length = body.len();
                let refusal = format!("HTTP/1.1 403 No\r\nContent-Length: {length}\r\n\r\n{body}");
                s.write_all(refusal.as_bytes()).await?;
            }
            B::EndlessBody => forever(s, format!("{ok}\r\n").as_bytes(), &[b'x'; 8192]).await?,
            B::DrippingBody => {
                s.write_all(format!("{ok}Content-Length: 10000\r\n\r\n").as_bytes()).await?;
                return drip(s, &[b'x'; 100]).await;
            }
            B::EndlessChunks => {
                let head = format!("{ok}Transfer-Encoding: chunked\r\n\r\n");
                forever(s, head.as_bytes(), &b"1\r\nx\r\n".repeat(500)).await?;
            }
            B::HugeChunk => {
                let head = format!("{ok}Transfer-Encoding: chunked\r\n\r\nffffffffffffffff\r\n");
                forever(s, head.as_bytes(), &[b'x'; 8192]).await?;
            }
            B::BrokenLength => {
                return say(s, format!("{ok}Content-Length: 1000\r\n\r\nabc").as_bytes()).await;
            }
            B::TwoLengths => {
                let head = format!(
                    "{ok}Content-Length: -7\r\nContent-Length: 99999999999999999999999\r\n\r\nabc"
                );
                return say(s, head.as_bytes()).await;
            }
            B::GzipBomb => bomb(s, "gzip", gzip_zeros()).await?,
            // 16 MiB of one letter, in the fewest bytes that the format has (RFC 7932).
            B::BrotliBomb => {
                bomb(s, "br", &[0x5b, 0xff, 0xff, 0xff, 0x00, 0x24, 0x02, 0x42].repeat(64)).await?
            }
            B::ZipBomb => bomb(s, "identity", zip_zeros()).await?,
            B::RedirectLoop => {
                let place = request.split(' ').nth(1).unwrap_or("/").to_owned();
                let head =
                    format!("HTTP/1.1 302 Found\r\nLocation: {place}\r\nContent-Length: 0\r\n\r\n");
                s.write_all(head.as_bytes()).await?;
            }
            B::EndlessChallenge => {
                let realm = "r".repeat(200);
                let one = format!(
                    "WWW-Authenticate: Digest realm=\"{realm}\", nonce=\"n\", stale=true\r\n"
                );
                let head =
                    format!("HTTP/1.1 401 No\r\n{}Content-Length: 0\r\n\r\n", one.repeat(100));
                s.write_all(head.as_bytes()).await?;
            }
            B::SwitchesAlways => {
                s.write_all(b"HTTP/1.1 101 Switching Protocols\r\n\r\n").await?;
                return linger(s).await;
            }
            B::WrongAccept => {
                s.write_all(frames::SWITCH.replace("s3pP", "AAAA").as_bytes()).await?;
                return linger(s).await;
            }
            _ => return Err(io::Error::other("done before the head, or after the switch")),
        }
    }
}

async fn bomb(stream: &mut impl Stream, coding: &str, body: &[u8]) -> io::Result<()> {
    let head = format!(
        "HTTP/1.1 200 OK\r\nContent-Type: text/html\r\nContent-Encoding: {coding}\r\nContent-Length: {}\r\n\r\n",
        body.len()
    );
    stream.write_all(head.as_bytes()).await?;
    stream.write_all(body).await
}

/// 64 MiB of zeros, by gzip (RFC 1952): made once, and before it is asked for,
/// so that the server is hostile and not slow.
pub(super) fn gzip_zeros() -> &'static [u8] {
    static BOMB: OnceLock<Vec<u8>> = OnceLock::new();
    BOMB.get_or_init(|| {
        let zeros = vec![0; 64 << 20];
        let mut out = b"\x1f\x8b\x08\0\0\0\0\0\0\x03".to_vec();
        out.extend(super::forge::deflate(&zeros));
        out.extend(super::forge::crc(&zeros).to_le_bytes());
        out.extend((zeros.len() as u32).to_le_bytes());
        out
    })
}

/// The same as a zip, ten times over: all its entries share one entry's bytes.
fn zip_zeros() -> &'static [u8] {
    static BOMB: OnceLock<Vec<u8>> = OnceLock::new();
    BOMB.get_or_init(|| {
        let mut entries = vec![Entry::new("0", &vec![0; 16 << 20])];
        for number in 1..10 {
            let mut same = entries[0].clone();
            same.listed.name = number.to_string().into_bytes();
            (same.data, same.offset) = (Vec::new(), Some(0));
            entries.push(same);
        }
        Zip { entries, ..Zip::default() }.forge().bytes
    })
}
