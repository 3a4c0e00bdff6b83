//! Each fault, seen by a client that knows nothing of the server: bytes out,
//! bytes in, and how the stream ends.

mod firewall;
mod http2;
mod lb;
mod origin;
mod proxy;

use super::ca::connector;
use super::http1::{Head, body};
use super::wire::Conn;
use super::{Lab, LabConfig};
use std::io;
use std::net::SocketAddr;
use std::time::Duration;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::time::{Instant, timeout};

/// Long enough for anything that does happen on loopback.
const LIMIT: Duration = Duration::from_secs(10);
/// Nothing came for so long: silence.
const QUIET: Duration = Duration::from_millis(400);
/// An upgrade to `/v1/ws`, as curl sends it.
const UPGRADE: &str = "GET /v1/ws HTTP/1.1\r\nHost: bindplane.corp.example\r\n\
    Connection: Upgrade\r\nUpgrade: websocket\r\n\
    Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Version: 13\r\n\r\n";
const ACCEPT: &str = "s3pPLMBiTxaQ9kYGzzhZRbK+xOo=";
/// A Ping with the payload `hi`, masked with zeros; and its Pong.
const PING: &[u8] = b"\x89\x82\0\0\0\0hi";
const PONG: &[u8] = b"\x8a\x02hi";

/// A lab as a scenario would describe it.
async fn lab(toml: &str) -> Lab {
    let config: LabConfig = toml::from_str(toml).unwrap();
    Lab::start(&config).await.unwrap()
}

/// TLS for the lab's host, trusting the lab's CA, or the corporate one.
async fn secure(lab: &Lab, conn: Conn, corporate: bool) -> io::Result<Conn> {
    secure_with(lab, conn, corporate, &["http/1.1"]).await
}

async fn secure_with(lab: &Lab, conn: Conn, corporate: bool, alpn: &[&str]) -> io::Result<Conn> {
    use rustls::pki_types::CertificateDer;
    use rustls::pki_types::pem::PemObject as _;
    let authority = if corporate { &lab.pki.corporate } else { &lab.pki.root };
    let mut roots = rustls::RootCertStore::empty();
    roots.add(CertificateDer::from_pem_slice(authority.pem().as_bytes()).unwrap()).unwrap();
    conn.secure(&connector(roots, alpn)?, &lab.host).await
}

async fn dial(addr: SocketAddr) -> Conn {
    Conn::dial(addr).await.unwrap()
}

async fn send(conn: &mut Conn, bytes: impl AsRef<[u8]>) {
    conn.write_all(bytes.as_ref()).await.unwrap();
    conn.flush().await.unwrap();
}

/// Sends a request and reads the response.
async fn ask(conn: &mut Conn, request: &str) -> (Head, String) {
    send(conn, request).await;
    let head = Head::read(conn, LIMIT).await.unwrap().expect("a response");
    let body = body(conn, &head, true).await.unwrap();
    (head, String::from_utf8(body).unwrap())
}

/// Asks for an upgrade on a fresh plain connection.
async fn upgrade(addr: SocketAddr) -> (Conn, Head, String) {
    let mut conn = dial(addr).await;
    let (head, body) = ask(&mut conn, UPGRADE).await;
    (conn, head, body)
}

/// Whether a Ping gets its Pong.
async fn alive(conn: &mut Conn) -> bool {
    if conn.write_all(PING).await.is_err() || conn.flush().await.is_err() {
        return false;
    }
    let mut pong = [0; PONG.len()];
    matches!(timeout(QUIET, conn.read_exact(&mut pong)).await, Ok(Ok(_)) if pong == PONG)
}

/// What is left to read, and then how the stream ends.
#[derive(Debug, PartialEq, Eq)]
enum End {
    /// In order; with TLS: after a close_notify.
    Fin(Vec<u8>),
    Reset,
    /// TLS, and no close_notify.
    Torn,
    /// It does not end.
    Silence(Vec<u8>),
}

/// Reads to the end; silence is nothing for `quiet`.
async fn end(conn: &mut Conn, quiet: Duration) -> End {
    let mut rest = Vec::new();
    let mut chunk = [0; 1024];
    loop {
        match timeout(quiet, conn.read(&mut chunk)).await {
            Err(_) => return End::Silence(rest),
            Ok(Ok(0)) => return End::Fin(rest),
            Ok(Ok(count)) => rest.extend_from_slice(&chunk[..count]),
            Ok(Err(error)) if error.kind() == io::ErrorKind::UnexpectedEof => return End::Torn,
            Ok(Err(_)) => return End::Reset,
        }
    }
}

/// Pings until `then`; whether every Ping got its Pong.
async fn chat(conn: &mut Conn, then: Duration) -> bool {
    let until = Instant::now() + then;
    while Instant::now() < until {
        if !alive(conn).await {
            return false;
        }
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    true
}

#[tokio::test]
async fn a_healthy_lab_works_end_to_end() {
    let lab = lab("[lb]\ntls = {}\n[origin.tls]\n").await;
    let mut conn = secure(&lab, dial(lab.addr()).await, false).await.unwrap();
    let (page, body) = ask(&mut conn, "GET /js/_globals.js HTTP/1.1\r\nHost: x\r\n\r\n").await;
    assert_eq!(page.status(), 200);
    assert_eq!(body, "var __BINDPLANE_VERSION__ = \"1.99.1\";\n");
    // The same connection goes on, and becomes a WebSocket.
    let (switch, _) = ask(&mut conn, UPGRADE).await;
    assert_eq!(switch.status(), 101);
    assert_eq!(switch.get("sec-websocket-accept"), Some(ACCEPT));
    assert!(alive(&mut conn).await);
    send(&mut conn, b"\x88\x82\0\0\0\0\x03\xe8").await;
    assert_eq!(end(&mut conn, LIMIT).await, End::Fin(b"\x88\x02\x03\xe8".to_vec()));
    assert_eq!(lab.target(), format!("https://bindplane.corp.example:{}", lab.addr().port()));
    assert_eq!(lab.origin.requests().len(), 2);
}

#[tokio::test]
async fn everything_stops_with_its_handle() {
    let lab = lab("[lb]\n[proxy]\n").await;
    let proxy = lab.proxy.as_ref().unwrap().addr;
    let addresses = [lab.addr(), lab.origin.addr, lab.lb.as_ref().unwrap().addr, proxy];
    let (mut conn, head, _) = upgrade(lab.addr()).await;
    assert_eq!(head.status(), 101);
    let dir = lab.dir().to_owned();
    assert!(lab.trust_file().exists());
    drop(lab);
    assert!(!matches!(end(&mut conn, LIMIT).await, End::Silence(_)));
    assert!(!dir.exists());
    for addr in addresses {
        // Tasks end at their next turn: dropping only asks them to.
        timeout(LIMIT, async { while Conn::dial(addr).await.is_ok() {} }).await.unwrap();
    }
}

#[test]
fn the_wrong_accept_is_well_formed_and_wrong() {
    use base64::Engine as _;
    let wrong = super::hop::WRONG_ACCEPT;
    assert_eq!(base64::engine::general_purpose::STANDARD.decode(wrong).unwrap().len(), 20);
    assert_ne!(wrong, ACCEPT);
}
