//! A small WebSocket server on loopback, and the program to point at it.

use std::io::{Read, Write};
use std::net::{TcpListener, TcpStream};
use std::path::Path;
use std::process::{Command, Output};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

/// The program, away from the settings of whoever runs the tests.
pub(crate) fn collector(folder: &Path) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_wss-collector"));
    command.current_dir(folder);
    for name in ["http_proxy", "https_proxy", "all_proxy", "no_proxy"] {
        command.env_remove(name).env_remove(name.to_uppercase());
    }
    // A desktop whose settings nobody reads.
    command.env("HOME", folder).env("XDG_CURRENT_DESKTOP", "XFCE").env_remove("KDEHOME");
    command.stdin(std::process::Stdio::null());
    command
}

pub(crate) fn run(folder: &Path, args: &[&str]) -> Output {
    collector(folder).args(args).output().unwrap()
}

pub(crate) fn text(bytes: &[u8]) -> String {
    String::from_utf8_lossy(bytes).into_owned()
}

/// What the server does with an upgrade.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Upgrades {
    Work,
    /// Answered as if the headers had been lost, with secrets in the answer.
    Stripped,
    /// Never answered.
    Silent,
}

/// A running server. Its threads end with the test's process.
pub(crate) struct Server {
    pub(crate) port: u16,
    connections: Arc<AtomicUsize>,
}

impl Server {
    pub(crate) fn start(upgrades: Upgrades) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let port = listener.local_addr().unwrap().port();
        let connections = Arc::new(AtomicUsize::new(0));
        let counter = connections.clone();
        std::thread::spawn(move || {
            for stream in listener.incoming().flatten() {
                counter.fetch_add(1, Ordering::SeqCst);
                std::thread::spawn(move || serve(stream, upgrades));
            }
        });
        Self { port, connections }
    }

    pub(crate) fn url(&self) -> String {
        format!("http://127.0.0.1:{}", self.port)
    }

    pub(crate) fn connections(&self) -> usize {
        self.connections.load(Ordering::SeqCst)
    }
}

fn head(stream: &mut TcpStream) -> Option<String> {
    let mut out = Vec::new();
    let mut byte = [0];
    while !out.ends_with(b"\r\n\r\n") {
        if stream.read(&mut byte).ok()? == 0 {
            return None;
        }
        out.push(byte[0]);
    }
    Some(String::from_utf8_lossy(&out).into_owned())
}

fn serve(mut stream: TcpStream, upgrades: Upgrades) {
    while let Some(request) = head(&mut stream) {
        let socket = request.starts_with("GET /v1/ws");
        let upgrade = request.contains("Upgrade: websocket");
        let answer = match (socket, upgrade, upgrades) {
            (true, true, Upgrades::Work) => return frames(stream),
            (true, true, Upgrades::Silent) => {
                std::thread::sleep(Duration::from_secs(120));
                return;
            }
            (true, ..) => "HTTP/1.1 400 Bad Request\r\nSec-Websocket-Version: 13\r\nSet-Cookie: \
                 session=C4naryCookie; Path=/\r\nX-Debug: C4naryHeader\r\nContent-Length: \
                 12\r\n\r\nBad Request\n"
                .to_owned(),
            _ => {
                let body = "<title>BindPlane</title><div id=\"root\"></div>";
                let echo = request.replace("\r\n", " ");
                let body = format!("{body}<!-- {echo} -->");
                format!("HTTP/1.1 200 OK\r\nContent-Length: {}\r\n\r\n{body}", body.len())
            }
        };
        if stream.write_all(answer.as_bytes()).is_err() {
            return;
        }
    }
}

fn frames(mut stream: TcpStream) {
    let switch = "HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: \
                  Upgrade\r\nSec-WebSocket-Accept: s3pPLMBiTxaQ9kYGzzhZRbK+xOo=\r\n\r\n";
    if stream.write_all(switch.as_bytes()).is_err() {
        return;
    }
    let mut start = [0; 6];
    while stream.read_exact(&mut start).is_ok() {
        let mut payload = vec![0; usize::from(start[1] & 0x7f)];
        if stream.read_exact(&mut payload).is_err() {
            return;
        }
        for (at, byte) in payload.iter_mut().enumerate() {
            *byte ^= start[2 + at % 4];
        }
        let opcode = if start[0] == 0x89 { 0x8a } else { start[0] };
        let reply = [&[opcode, payload.len() as u8], &payload[..]].concat();
        if stream.write_all(&reply).is_err() || opcode == 0x88 {
            return;
        }
    }
}
