//! What a PAC file's answer means, against a real Chromium: one page opens a
//! WebSocket for each answer, and listeners on loopback tell who came. What the
//! collector understands of the answer must be where Chromium goes.

#![allow(clippy::unwrap_used, clippy::expect_used, reason = "a test may panic")]

use std::collections::BTreeMap;
use std::io::{Read, Write};
use std::net::{TcpListener, TcpStream};
use std::process::{Child, Command, Stdio};
use std::sync::mpsc;
use std::time::{Duration, Instant};
use wss_collector::proxy::client::Hop;
use wss_collector::proxy::pac::understand;

/// Answers. `@P` and `@Q` stand for two proxies' addresses.
const ANSWERS: [&str; 30] = [
    "DIRECT",
    "PROXY @P",
    "proxy @P",
    "Proxy @P;",
    "PROXY @P; DIRECT",
    ";; PROXY @P ;;",
    "  PROXY   @P  ",
    "PROXY\t@P",
    "PROXY @P; PROXY @Q",
    "PROXY reader:Wint3r@@P",
    "PROXY reader@@P",
    "PROXY reader:Wint3r@@P; PROXY @Q",
    "PROXY reader:Wint3r@@P; DIRECT",
    "HTTP @P",
    "HTTP @P; PROXY @Q",
    "SOCKS5 @P",
    "socks5 @Q",
    "SOCKS5 reader:Wint3r@@P",
    "QUIC @P; PROXY @Q",
    "DIRECT @P; PROXY @Q",
    "PROXY",
    "PROXY ; PROXY @Q",
    "PROXY @P @Q",
    "PROXY http://@P; PROXY @Q",
    "PROXY 127.0.0.1:x; PROXY @Q",
    "PROXY 127.0.0.1:; PROXY @Q",
    "PROXY 127.0.0.1:70000; PROXY @Q",
    "@P",
    "undefined",
    "",
];

/// Tells from what a listener hears which row came.
fn row(mut stream: TcpStream) -> Option<usize> {
    stream.set_read_timeout(Some(Duration::from_secs(20))).ok()?;
    let mut heard = Vec::new();
    let mut buffer = [0; 2048];
    for _ in 0..4 {
        let n = stream.read(&mut buffer).ok().filter(|n| *n > 0)?;
        heard.extend_from_slice(&buffer[..n]);
        if heard.first() == Some(&5) && heard.len() < 8 {
            stream.write_all(&[5, 0]).ok()?;
        }
        let text = String::from_utf8_lossy(&heard).into_owned();
        if let Some((before, _)) = text.split_once(".pac.example") {
            let digits: String = before
                .chars()
                .rev()
                .take_while(char::is_ascii_digit)
                .collect::<Vec<_>>()
                .into_iter()
                .rev()
                .collect();
            return digits.parse().ok();
        }
    }
    None
}

fn listener(who: usize, sender: mpsc::Sender<(usize, usize)>) -> u16 {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let port = listener.local_addr().unwrap().port();
    // Ends with the test's process.
    std::thread::spawn(move || {
        for stream in listener.incoming().flatten() {
            let sender = sender.clone();
            std::thread::spawn(move || {
                if let Some(row) = row(stream) {
                    let _ = sender.send((row, who));
                }
            });
        }
    });
    port
}

/// A running browser, ended with its handle.
struct Running(Child);

impl Drop for Running {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

#[test]
fn chromium_takes_an_answer_as_it_is_understood() {
    let (sender, came) = mpsc::channel();
    let ports = [0, 1, 2].map(|who| listener(who, sender.clone()));
    let [target, p, q] = ports;
    let place = |text: &str| {
        text.replace("@P", &format!("127.0.0.1:{p}")).replace("@Q", &format!("127.0.0.1:{q}"))
    };
    let folder = tempfile::tempdir().unwrap();
    let answers: Vec<String> = ANSWERS.iter().map(|answer| place(answer)).collect();
    let script = format!(
        "function FindProxyForURL(url, host) {{ var m = /^(\\d+)\\.pac\\.example$/.exec(host); \
         return m ? {}[parseInt(m[1], 10)] : 'DIRECT'; }}",
        serde_json::to_string(&answers).unwrap()
    );
    // As an administrator would serve it.
    let pac = TcpListener::bind("127.0.0.1:0").unwrap();
    let pac_port = pac.local_addr().unwrap().port();
    std::thread::spawn(move || {
        for mut stream in pac.incoming().flatten() {
            let mut buffer = [0; 2048];
            let _ = stream.read(&mut buffer);
            let head = "HTTP/1.1 200 OK\r\nContent-Type: application/x-ns-proxy-autoconfig\r\n";
            let _ = write!(
                stream,
                "{head}Content-Length: {}\r\nConnection: close\r\n\r\n{script}",
                script.len()
            );
        }
    });
    let page = folder.path().join("page.html");
    let count = ANSWERS.len();
    let opens = format!(
        "<script>for (let i = 0; i < {count}; i++) new WebSocket(`wss://${{i}}.pac.example:{target}/`);</script>"
    );
    std::fs::write(&page, opens).unwrap();
    let mut command = Command::new("chromium");
    for (name, _) in std::env::vars() {
        if name.to_lowercase().contains("proxy") {
            command.env_remove(name);
        }
    }
    command
        .args(["--headless=new", "--no-sandbox", "--disable-gpu", "--no-first-run"])
        .args(["--disable-background-networking", "--disable-component-update"])
        .arg(
            "--host-resolver-rules=MAP *.pac.example 127.0.0.1, MAP * ~NOTFOUND, EXCLUDE 127.0.0.1",
        )
        .arg(format!("--proxy-pac-url=http://127.0.0.1:{pac_port}/proxy.pac"))
        .arg(format!("--user-data-dir={}", folder.path().join("profile").display()))
        .arg(format!("file://{}", page.display()))
        .env("HOME", folder.path())
        .stdout(Stdio::null())
        .stderr(Stdio::null());
    let running = Running(command.spawn().expect("apt-get install chromium"));
    // Of several that came for a row the first counts: Chromium goes on when one fails.
    let mut first: BTreeMap<usize, usize> = BTreeMap::new();
    let until = Instant::now() + Duration::from_secs(120);
    while first.len() < count {
        let Ok((row, who)) = came.recv_timeout(until.saturating_duration_since(Instant::now()))
        else {
            break;
        };
        first.entry(row).or_insert(who);
    }
    drop(running);
    let wrong: Vec<String> = answers
        .iter()
        .enumerate()
        .filter_map(|(row, answer)| {
            let says = match understand(answer).hops.first() {
                Some(Hop::Proxy(proxy)) => {
                    ports.iter().position(|port| proxy.ends_with(&format!(":{port}")))
                }
                _ => Some(0),
            };
            let came = first.get(&row).copied();
            (came != says || came.is_none())
                .then(|| format!("{:?}: understood {says:?}, Chromium {came:?}", ANSWERS[row]))
        })
        .collect();
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}
