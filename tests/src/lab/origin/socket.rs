//! An upgraded connection at the server: Pong to Ping, the GraphQL
//! acknowledgement, and the faults that show after a 101.

use crate::lab::config::{CutBy, OriginConfig, OriginUpgrade};
use crate::lab::wire::{Conn, due, until};
use futures_util::{SinkExt, StreamExt};
use tokio::io::AsyncWriteExt;
use tokio::time::Instant;
use tokio_tungstenite::WebSocketStream;
use tokio_tungstenite::tungstenite::Message;
use tokio_tungstenite::tungstenite::protocol::{Role, WebSocketConfig};

/// The largest message taken in.
const MESSAGE_LIMIT: usize = 1024 * 1024;
/// No frame: the reserved bits are set, and the opcode is unknown.
const GARBAGE: &[u8] = b"\xff\x13\x37HTTP/0.9 no frames here\r\n\r\n";
/// A close frame with 1011, internal error.
const INTERNAL_ERROR: [u8; 4] = [0x88, 2, 0x03, 0xf3];

/// Runs it to its end.
pub(super) async fn run(mut conn: Conn, config: &OriginConfig) {
    match config.upgrade {
        OriginUpgrade::Silence => conn.drain().await,
        OriginUpgrade::End => conn.end(CutBy::Fin).await,
        OriginUpgrade::Garbage | OriginUpgrade::CloseFrame => {
            let garbage = config.upgrade == OriginUpgrade::Garbage;
            let _ = conn.write_all(if garbage { GARBAGE } else { &INTERNAL_ERROR }).await;
            let _ = conn.flush().await;
            if garbage {
                conn.drain().await;
            } else {
                conn.end(CutBy::Fin).await;
            }
        }
        _ => talk(conn, config).await,
    }
}

async fn talk(conn: Conn, config: &OriginConfig) {
    let limits = WebSocketConfig::default()
        .max_message_size(Some(MESSAGE_LIMIT))
        .max_frame_size(Some(MESSAGE_LIMIT));
    let mut socket = WebSocketStream::from_raw_socket(conn, Role::Server, Some(limits)).await;
    let began = Instant::now();
    let mut last = began;
    loop {
        tokio::select! {
            message = socket.next() => {
                last = Instant::now();
                let answered = match message {
                    Some(Ok(Message::Text(text))) if text.contains("\"connection_init\"") => {
                        socket.send(Message::text("{\"type\":\"connection_ack\"}")).await
                    }
                    // Pongs and close frames are answered by the library, which
                    // sends what it has when it is asked to.
                    Some(Ok(_)) => socket.flush().await,
                    Some(Err(_)) | None => break,
                };
                if answered.is_err() {
                    break;
                }
            }
            () = until(due(&config.cut, began, last)) => {
                return socket.into_inner().end(config.cut.by).await;
            }
        }
    }
    socket.into_inner().end(CutBy::Fin).await;
}
