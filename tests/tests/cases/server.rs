//! Servers of PyPI and npm that `./tests/run` fetches, each with its log, stopped by
//! its handle.

use std::io::{BufRead, BufReader, Read, Write};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

const PATIENCE: Duration = Duration::from_secs(120);

/// A server with its log.
pub(crate) struct Server {
    child: Child,
    pub(crate) port: u16,
    log: Arc<Mutex<String>>,
    _folder: tempfile::TempDir,
}

impl Drop for Server {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// What `./tests/run` fetches into `target/`.
pub(crate) fn installed(name: &str) -> PathBuf {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../target").join(name);
    assert!(folder.exists(), "{}: ./tests/run fetches it", folder.display());
    folder.canonicalize().unwrap()
}

impl Server {
    /// Starts one that tells its port behind `mark`.
    pub(crate) fn start(command: &mut Command, mark: &str) -> Self {
        let folder = tempfile::tempdir().unwrap();
        command.current_dir(folder.path()).stdin(Stdio::null());
        let (read, write) = std::io::pipe().unwrap();
        command.stdout(write.try_clone().unwrap()).stderr(write);
        let child = command.spawn().unwrap();
        // The pipe's other end is the child's alone: the log ends with it.
        command.stdout(Stdio::null()).stderr(Stdio::null());
        let log = Arc::new(Mutex::new(String::new()));
        let lines = Arc::clone(&log);
        std::thread::spawn(move || {
            for line in BufReader::new(read).lines().map_while(Result::ok) {
                let mut log = lines.lock().unwrap();
                log.push_str(&line);
                log.push('\n');
            }
        });
        let until = Instant::now() + PATIENCE;
        let mut server = Self { child, port: 0, log, _folder: folder };
        while server.port == 0 {
            assert!(Instant::now() < until, "it does not start: {}", server.log());
            let digits = |text: &str| text.chars().take_while(char::is_ascii_digit).collect();
            let text = server.log();
            let found: Option<String> = text.split(mark).nth(1).map(digits);
            server.port = found.and_then(|port| port.parse().ok()).unwrap_or_default();
            std::thread::sleep(Duration::from_millis(50));
        }
        server
    }

    /// AWS, as moto plays it.
    pub(crate) fn moto() -> Self {
        let mut command = Command::new("python3");
        command.args(["-m", "moto.server", "-H", "127.0.0.1", "-p", "0"]);
        // Whoever asks is asked for credentials once `enforce` was called.
        command
            .env("PYTHONPATH", installed("moto"))
            .env("INITIAL_NO_AUTH_ACTION_COUNT", "1000000000");
        Self::start(&mut command, "http://127.0.0.1:")
    }

    /// What it has printed so far.
    pub(crate) fn log(&self) -> String {
        self.log.lock().unwrap().clone()
    }

    /// Where it listens.
    pub(crate) fn endpoint(&self) -> String {
        format!("http://127.0.0.1:{}", self.port)
    }

    /// Its answer to a POST.
    pub(crate) fn post(&self, path: &str, body: &str) -> String {
        let mut socket = std::net::TcpStream::connect(("127.0.0.1", self.port)).unwrap();
        let length = body.len();
        let head = format!(
            "POST {path} HTTP/1.1\r\nHost: x\r\nConnection: close\r\nContent-Length: {length}\r\n\r\n{body}"
        );
        socket.write_all(head.as_bytes()).unwrap();
        let mut answer = String::new();
        socket.read_to_string(&mut answer).unwrap();
        answer
    }
}
