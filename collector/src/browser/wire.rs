//! JSON messages over a WebSocket to a browser on this machine: the one thing
//! that the DevTools protocol and WebDriver BiDi have in common. Calls have a
//! number, events a method.

use futures_util::{SinkExt, StreamExt};
use serde_json::{Value, json};
use std::time::Duration;
use tokio::net::TcpStream;
use tokio_tungstenite::WebSocketStream;
use tokio_tungstenite::tungstenite::Message;
use tokio_tungstenite::tungstenite::protocol::WebSocketConfig;

/// How long a browser may take to accept the connection.
const CONNECT: Duration = Duration::from_secs(5);
/// The largest message taken in: a frame's payload comes along, and is dropped here.
const MESSAGE_LIMIT: usize = 64 << 20;

/// A connection to a browser's debugging port.
pub(super) struct Wire {
    socket: WebSocketStream<TcpStream>,
    next: u64,
}

/// What came from the browser.
#[derive(Debug)]
pub(super) enum Incoming {
    /// The answer to a call.
    Reply(u64, Result<Value, String>),
    /// Something happened.
    Event(String, Value),
}

impl Wire {
    /// Connects to `ws://127.0.0.1:<port><path>`.
    pub(super) async fn connect(port: u16, path: &str) -> Result<Self, String> {
        let url = format!("ws://127.0.0.1:{port}{path}");
        let open = async {
            let stream = TcpStream::connect(("127.0.0.1", port)).await.map_err(text)?;
            let config = WebSocketConfig::default()
                .max_message_size(Some(MESSAGE_LIMIT))
                .max_frame_size(Some(MESSAGE_LIMIT));
            let opening =
                tokio_tungstenite::client_async_with_config(url.as_str(), stream, Some(config));
            opening.await.map_err(text)
        };
        let opened = tokio::time::timeout(CONNECT, open).await;
        let (socket, _) = opened.map_err(|_| "its debugging port does not answer".to_owned())??;
        Ok(Self { socket, next: 0 })
    }

    /// Calls a method, and gives the call's number; the answer is an [`Incoming::Reply`].
    pub(super) async fn send(
        &mut self,
        method: &str,
        params: Value,
        session: Option<&str>,
    ) -> Result<u64, String> {
        self.next += 1;
        let mut message = json!({ "id": self.next, "method": method, "params": params });
        if let Some(session) = session {
            message["sessionId"] = json!(session);
        }
        self.socket.send(Message::text(message.to_string())).await.map_err(text)?;
        Ok(self.next)
    }

    /// Waits for what comes next. May be dropped and called again.
    pub(super) async fn next(&mut self) -> Result<Incoming, String> {
        loop {
            let message = self.socket.next().await.ok_or("the browser has gone")?.map_err(text)?;
            let Message::Text(text) = message else { continue };
            let Ok(mut value) = serde_json::from_str::<Value>(&text) else { continue };
            if let Some(id) = value["id"].as_u64() {
                let failed = match &value["error"] {
                    Value::Null => None,
                    // CDP: an object; BiDi: a name beside a message.
                    Value::String(name) => Some(format!("{name}: {}", value["message"])),
                    other => Some(other["message"].as_str().unwrap_or("refused").to_owned()),
                };
                let result = failed.map_or_else(|| Ok(value["result"].take()), Err);
                return Ok(Incoming::Reply(id, result));
            }
            if let Some(method) = value["method"].as_str() {
                let method = method.to_owned();
                return Ok(Incoming::Event(method, value["params"].take()));
            }
        }
    }
}

fn text(error: impl std::fmt::Display) -> String {
    error.to_string()
}
