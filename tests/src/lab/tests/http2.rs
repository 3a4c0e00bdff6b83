//! HTTP/2 at the load balancer and at the server itself.

use super::*;
use bytes::Bytes;
use h2::client::SendRequest;
use http::{Method, Request, Version};

async fn open(lab: &Lab) -> SendRequest<Bytes> {
    let conn = secure_with(lab, dial(lab.addr()).await, false, &["h2", "http/1.1"]).await.unwrap();
    let (send, connection) = h2::client::handshake(conn).await.unwrap();
    tokio::spawn(connection);
    send
}

fn request(method: Method, path: &str) -> Request<()> {
    let uri = format!("https://bindplane.corp.example{path}");
    let websocket = h2::ext::Protocol::from_static("websocket");
    let mut builder = Request::builder().method(method.clone()).uri(uri).version(Version::HTTP_2);
    if method == Method::CONNECT {
        builder = builder.extension(websocket).header("sec-websocket-version", "13");
    }
    builder.body(()).unwrap()
}

async fn get(send: &mut SendRequest<Bytes>, path: &str) -> (u16, Vec<u8>) {
    let mut ready = send.clone().ready().await.unwrap();
    let (response, _) = ready.send_request(request(Method::GET, path), true).unwrap();
    let response = timeout(LIMIT, response).await.unwrap().unwrap();
    let status = response.status().as_u16();
    let mut body = response.into_body();
    let mut out = Vec::new();
    while let Some(chunk) = body.data().await {
        out.extend_from_slice(&chunk.unwrap());
    }
    (status, out)
}

/// The status of an extended CONNECT, and whether a Ping gets its Pong.
async fn websocket(send: &mut SendRequest<Bytes>) -> (u16, bool) {
    let mut ready = send.clone().ready().await.unwrap();
    let (response, mut up) = ready.send_request(request(Method::CONNECT, "/v1/ws"), false).unwrap();
    let response = timeout(LIMIT, response).await.unwrap().unwrap();
    let status = response.status().as_u16();
    if status != 200 {
        return (status, false);
    }
    up.send_data(Bytes::from_static(PING), false).unwrap();
    let mut down = response.into_body();
    let pong = timeout(LIMIT, down.data()).await.unwrap().unwrap().unwrap();
    (status, pong == PONG)
}

/// The server itself, or a load balancer in front of it.
fn at(place: &str, extended: &str) -> String {
    let tls = "tls = { alpn = [\"h2\", \"http/1.1\"] }";
    format!("[{place}]\n{tls}\nextended-connect = \"{extended}\"")
}

#[tokio::test]
async fn pages_come_over_h2_and_a_get_of_the_socket_is_no_upgrade() {
    for place in ["origin", "lb"] {
        let lab = lab(&at(place, "absent")).await;
        let mut send = open(&lab).await;
        let (status, page) = get(&mut send, "/js/_globals.js").await;
        assert_eq!((status, &page[..24]), (200, &b"var __BINDPLANE_VERSION_"[..]), "{place}");
        assert_eq!(get(&mut send, "/v1/ws").await, (400, b"Bad Request\n".to_vec()), "{place}");
        assert!(!send.is_extended_connect_protocol_enabled(), "{place}");
        // The same port still speaks HTTP/1.1 to those who want it.
        let mut conn = secure(&lab, dial(lab.addr()).await, false).await.unwrap();
        assert_eq!(ask(&mut conn, UPGRADE).await.0.status(), 101, "{place}");
    }
}

#[tokio::test]
async fn extended_connect_works_or_fails_as_configured() {
    for place in ["origin", "lb"] {
        for (extended, expected) in [("works", (200, true)), ("fails", (400, false))] {
            let lab = lab(&at(place, extended)).await;
            let mut send = open(&lab).await;
            assert_eq!(get(&mut send, "/health").await.0, 200);
            assert!(send.is_extended_connect_protocol_enabled(), "{place} {extended}");
            assert_eq!(websocket(&mut send).await, expected, "{place} {extended}");
        }
    }
}

#[tokio::test]
async fn h2_alone_locks_http1_out() {
    let lab = lab("[lb]\ntls = { alpn = [\"h2\"] }").await;
    let error = secure(&lab, dial(lab.addr()).await, false).await.err().unwrap();
    assert!(format!("{error:?}").contains("NoApplicationProtocol"), "{error:?}");
    assert_eq!(get(&mut open(&lab).await, "/health").await.0, 200);
}
