//! What a hop does with a client's requests that it can read: passes them on,
//! changes them, refuses them. A load balancer's hop begins after its TLS, an
//! interceptor's after CONNECT and the forged certificate.

use super::ca::Pki;
use super::config::{CutBy, CutConfig, HopUpgrade, Product};
use super::frames::{self, Compressed};
use super::http1::{Head, KEEP_ALIVE, Response, body, date};
use super::pages::page;
use super::wire::{Conn, relay};
use std::io;
use std::net::SocketAddr;
use std::time::Duration;
use tokio::io::AsyncWriteExt;
use tokio_rustls::TlsConnector;

/// An Accept that fits the key `AAAAAAAAAAAAAAAAAAAAAA==`: nobody's real key.
pub(crate) const WRONG_ACCEPT: &str = "ICX+Yqv66kxgM0FcWaLWlFLwTAI=";
/// How long a hop waits for its backend, if not told otherwise.
pub(crate) const PATIENCE: Duration = Duration::from_secs(60);
/// Headers that belong to one connection alone (RFC 9110 section 7.6.1).
const HOP_BY_HOP: [&str; 7] = [
    "connection",
    "upgrade",
    "proxy-connection",
    "proxy-authorization",
    "keep-alive",
    "te",
    "transfer-encoding",
];
const WEBSOCKET: [&str; 5] = [
    "sec-websocket-key",
    "sec-websocket-version",
    "sec-websocket-protocol",
    "sec-websocket-extensions",
    "sec-websocket-accept",
];

/// Where a hop sends what it takes.
#[derive(Clone)]
pub struct Upstream {
    /// Address.
    pub addr: SocketAddr,
    /// The name to verify, where it is spoken to by TLS.
    pub tls: Option<(TlsConnector, String)>,
}

impl Upstream {
    /// A server of the lab's.
    ///
    /// # Errors
    /// When the CA's certificate cannot be read.
    pub fn new(addr: SocketAddr, tls: bool, host: &str, pki: &Pki) -> io::Result<Self> {
        let connector = tls.then(|| pki.connector()).transpose()?;
        Ok(Self { addr, tls: connector.map(|connector| (connector, host.to_owned())) })
    }

    pub(crate) async fn open(&self) -> io::Result<Conn> {
        let conn = Conn::dial(self.addr).await?;
        match &self.tls {
            None => Ok(conn),
            Some((connector, name)) => conn.secure(connector, name).await,
        }
    }
}

/// How a hop behaves.
#[derive(Clone)]
pub(crate) struct Hop {
    pub(crate) product: Product,
    pub(crate) upgrade: HopUpgrade,
    pub(crate) cut: CutConfig,
    /// Lines added to every response.
    pub(crate) headers: Vec<String>,
    pub(crate) host: Option<String>,
    pub(crate) patience: Duration,
}

/// What a request comes to.
pub(crate) enum Fate {
    /// A response, and the connection may go on.
    Reply(Response),
    /// A 101, and the backend's connection.
    Upgraded(Head, Conn),
    /// Silence.
    Swallowed,
    /// The end of the stream.
    Closed,
}

impl Hop {
    /// Serves a client's connection. `own` is what the hop says itself.
    pub(crate) async fn serve(
        &self,
        mut conn: Conn,
        upstream: &Upstream,
        own: impl Fn(&Head) -> Option<Response>,
    ) {
        loop {
            let (head, body) = match receive(&mut conn).await {
                Ok(Some(request)) => request,
                Ok(None) => return conn.end(CutBy::Fin).await,
                Err(_) => {
                    let _ = self.page(400).send(&mut conn, "GET").await;
                    return conn.end(CutBy::Fin).await;
                }
            };
            let next = match own(&head) {
                Some(response) => self.say(conn, &head, response).await,
                None => self.step(conn, &head, body, upstream).await,
            };
            match next {
                Some(next) => conn = next,
                None => return,
            }
        }
    }

    /// One request to its end; gives the connection back if it may go on.
    pub(crate) async fn step(
        &self,
        mut conn: Conn,
        head: &Head,
        body: Vec<u8>,
        upstream: &Upstream,
    ) -> Option<Conn> {
        match self.ask(head, body, upstream).await {
            Fate::Reply(response) => return self.say(conn, head, response).await,
            Fate::Upgraded(reply, server) => {
                if conn.write_all(&reply.bytes()).await.is_ok() && conn.flush().await.is_ok() {
                    self.join(conn, server).await;
                }
            }
            Fate::Swallowed => conn.drain().await,
            Fate::Closed => conn.end(CutBy::Fin).await,
        }
        None
    }

    /// Ties an upgraded client to its server, as far as this hop lets them.
    pub(crate) async fn join(&self, mut client: Conn, mut server: Conn) {
        match self.upgrade {
            HopUpgrade::SwallowFrames => {
                tokio::join!(client.drain(), server.drain());
            }
            HopUpgrade::CloseOnCompressed => frames::relay(client, server, Compressed::Close).await,
            HopUpgrade::ClearCompressed => frames::relay(client, server, Compressed::Clear).await,
            _ => relay(client, server, &self.cut, false).await,
        }
    }

    /// Sends a response; gives the connection back if it may go on.
    pub(crate) async fn say(
        &self,
        mut conn: Conn,
        request: &Head,
        mut response: Response,
    ) -> Option<Conn> {
        let closes = request.closes() || response.head.closes();
        if closes {
            response.head.remove("connection");
            response.head.push("Connection", "close");
        }
        let method = request.request().map_or("GET", |(method, _)| method);
        response.send(&mut conn, method).await.ok()?;
        if closes {
            conn.end(CutBy::Fin).await;
            return None;
        }
        Some(conn)
    }

    /// This hop's own page, with its own headers.
    pub(crate) fn page(&self, status: u16) -> Response {
        let mut response = page(self.product, status);
        self.headers.iter().for_each(|line| response.head.push_line(line));
        response
    }

    /// Passes a request on, and says what comes of it.
    pub(crate) async fn ask(&self, head: &Head, sent: Vec<u8>, upstream: &Upstream) -> Fate {
        let upgrades = head.upgrades();
        match self.upgrade {
            HopUpgrade::Refuse if upgrades => return Fate::Reply(self.page(403)),
            HopUpgrade::Swallow if upgrades => return Fate::Swallowed,
            _ => {}
        }
        // What a product answers when its backend is down, and when it breaks off.
        let (down, broken) = match self.product {
            Product::Nginx => (502, 502),
            Product::Envoy => (503, 503),
            Product::Haproxy | Product::Plain => (503, 502),
        };
        let Ok(mut server) = upstream.open().await else { return Fate::Reply(self.page(down)) };
        let mut request = self.outgoing(head, sent.len()).bytes();
        request.extend_from_slice(&sent);
        if server.write_all(&request).await.is_err() || server.flush().await.is_err() {
            return Fate::Reply(self.page(broken));
        }
        let reply = match Head::read(&mut server, self.patience).await {
            Ok(Some(reply)) => reply,
            Err(error) if error.kind() == io::ErrorKind::TimedOut => {
                return Fate::Reply(self.page(504));
            }
            _ => return Fate::Reply(self.page(broken)),
        };
        if reply.status() != 101 {
            let silent = head.line.starts_with("HEAD ");
            let length = reply.get("content-length").map(str::to_owned);
            let body = if silent { Ok(Vec::new()) } else { body(&mut server, &reply, true).await };
            let Ok(body) = body else { return Fate::Reply(self.page(broken)) };
            let length = length.filter(|_| silent).unwrap_or_else(|| body.len().to_string());
            let head = self.incoming(reply, &length);
            return Fate::Reply(Response { head, body });
        }
        match self.upgrade {
            HopUpgrade::Drop101 => Fate::Swallowed,
            HopUpgrade::CloseOn101 => Fate::Closed,
            _ => Fate::Upgraded(self.switching(reply), server),
        }
    }

    /// A request as the backend gets it.
    fn outgoing(&self, head: &Head, length: usize) -> Head {
        let upgrade = head.get("upgrade").map(str::to_owned);
        let mut out = head.clone();
        if let Ok((method, target)) = head.request()
            && target.contains("://")
        {
            let query = target.find('?').map_or("", |at| &target[at..]);
            out.line = format!("{method} {}{query} HTTP/1.1", head.path());
        }
        HOP_BY_HOP.iter().for_each(|name| out.remove(name));
        let (connection, upgrade) = match (self.upgrade, upgrade) {
            (HopUpgrade::Strip | HopUpgrade::StripAll, _) | (_, None) => ("close", None),
            (HopUpgrade::StripUpgrade, Some(_)) => ("upgrade", None),
            (HopUpgrade::StripConnection, upgrade) => ("close", upgrade),
            (_, upgrade) => ("upgrade", upgrade),
        };
        if self.upgrade == HopUpgrade::StripAll {
            WEBSOCKET.iter().for_each(|name| out.remove(name));
        }
        let mut own = vec![("Connection".to_owned(), connection.to_owned())];
        if let Some(upgrade) = upgrade {
            own.insert(0, ("Upgrade".to_owned(), upgrade));
        }
        if self.product == Product::Nginx {
            out.headers.splice(..0, own);
        } else {
            out.headers.extend(own);
        }
        if let Some(host) = &self.host {
            out.remove("host");
            out.push("Host", host);
        }
        if length > 0 && out.get("content-length").is_none() {
            out.push("Content-Length", length.to_string());
        }
        self.headers
            .iter()
            .filter(|line| line.to_ascii_lowercase().starts_with("via:"))
            .for_each(|line| out.push_line(line));
        self.spell(&mut out);
        out
    }

    /// A backend's response as the client gets it.
    fn incoming(&self, mut head: Head, length: &str) -> Head {
        for name in ["connection", "keep-alive", "transfer-encoding"] {
            head.remove(name);
        }
        if self.product == Product::Nginx {
            let kind = head.get("content-type").map(str::to_owned);
            for name in ["server", "date", "content-type", "content-length"] {
                head.remove(name);
            }
            let mut own = vec![
                ("Server".to_owned(), "nginx/1.22.1".to_owned()),
                ("Date".to_owned(), date()),
                ("Content-Length".to_owned(), length.to_owned()),
                ("Connection".to_owned(), "keep-alive".to_owned()),
            ];
            if let Some(kind) = kind {
                own.insert(2, ("Content-Type".to_owned(), kind));
            }
            head.headers.splice(..0, own);
        } else if head.get("content-length").is_none() {
            head.push("Content-Length", length);
        }
        self.headers.iter().for_each(|line| head.push_line(line));
        self.spell(&mut head);
        self.sign(&mut head);
        head
    }

    /// A backend's 101 as the client gets it.
    fn switching(&self, mut head: Head) -> Head {
        if self.upgrade == HopUpgrade::Rekey {
            head.headers
                .iter_mut()
                .filter(|(name, _)| name.eq_ignore_ascii_case("sec-websocket-accept"))
                .for_each(|(_, value)| WRONG_ACCEPT.clone_into(value));
        }
        if self.product == Product::Nginx {
            let upgrade = head.get("upgrade").map(str::to_owned);
            for name in ["server", "date", "connection", "upgrade"] {
                head.remove(name);
            }
            let mut own = vec![
                ("Server".to_owned(), "nginx/1.22.1".to_owned()),
                ("Date".to_owned(), date()),
                ("Connection".to_owned(), "upgrade".to_owned()),
            ];
            own.extend(upgrade.map(|upgrade| ("Upgrade".to_owned(), upgrade)));
            head.headers.splice(..0, own);
        }
        self.spell(&mut head);
        self.sign(&mut head);
        head
    }

    /// HAProxy and Envoy write every header name in lower case.
    fn spell(&self, head: &mut Head) {
        if matches!(self.product, Product::Haproxy | Product::Envoy) {
            head.headers.iter_mut().for_each(|(name, _)| name.make_ascii_lowercase());
        }
    }

    fn sign(&self, head: &mut Head) {
        if self.product == Product::Envoy {
            head.remove("date");
            head.push("date", date());
            head.push("server", "envoy");
        }
    }
}

/// A request with its body; `None` when the client has nothing more to say.
pub(crate) async fn receive(conn: &mut Conn) -> io::Result<Option<(Head, Vec<u8>)>> {
    let Some(head) = Head::read(conn, KEEP_ALIVE).await? else { return Ok(None) };
    head.request()?;
    let body = body(conn, &head, false).await?;
    Ok(Some((head, body)))
}
