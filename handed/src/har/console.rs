//! How the console opens its own sockets, by what a browser recorded.

use wss_bundle::browser::BrowserRequest;
use wss_bundle::{BrowserHandshake, ResponseHead};

/// A WebSocket as the console's own page opens it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ConsoleSocket {
    /// Its path, without the query.
    pub path: String,
    /// The page's `Origin`.
    pub origin: Option<String>,
    /// `Sec-WebSocket-Protocol` as sent; `None` when there was none.
    pub subprotocol: Option<String>,
    /// The whole handshake in its order and case, without what is secret; empty
    /// where the recording does not show one that could be sent.
    pub headers: Vec<(String, String)>,
}

/// How the console opens its sockets: one for each path, as it was opened last.
#[must_use]
pub fn sockets(seen: &[BrowserHandshake]) -> Vec<ConsoleSocket> {
    let mut sockets: Vec<ConsoleSocket> = Vec::new();
    let handshakes = seen.iter().filter(|one| one.kind == BrowserRequest::Websocket);
    for one in handshakes {
        let whole = |value: Option<String>| value.filter(|v| !v.contains("[removed"));
        let socket = ConsoleSocket {
            path: one.path().to_owned(),
            origin: whole(one.sent("origin")),
            subprotocol: whole(one.sent("sec-websocket-protocol")),
            headers: replayable(one),
        };
        let usable =
            wss_bundle::target::path(&socket.path).is_ok() && !socket.path.contains("[removed");
        // Without a request nothing is known of how it was opened.
        if !usable || one.request.is_none() {
            continue;
        }
        match sockets.iter_mut().find(|known| known.path == socket.path) {
            Some(known) => *known = socket,
            None => sockets.push(socket),
        }
    }
    sockets
}

/// The headers of a handshake as they can be sent again: a whole one over HTTP/1.1.
/// What the redactor removed was secret, or may have been.
fn replayable(seen: &BrowserHandshake) -> Vec<(String, String)> {
    let Some(request) = &seen.request else { return Vec::new() };
    let all = ResponseHead::new(request.0.clone()).headers();
    let has = |name: &str| all.iter().any(|(own, _)| own.eq_ignore_ascii_case(name));
    let whole =
        ["host", "connection", "upgrade", "sec-websocket-version"].iter().all(|name| has(name));
    if !whole || seen.multiplexed() {
        return Vec::new();
    }
    let secret = ["cookie", "authorization", "proxy-authorization"];
    all.into_iter()
        .filter(|(name, value)| {
            !value.contains("[removed") && !secret.iter().any(|own| name.eq_ignore_ascii_case(own))
        })
        .collect()
}
