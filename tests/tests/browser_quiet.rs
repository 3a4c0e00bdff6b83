//! The browser that `--browser` starts contacts nobody but the target: a proxy lists every
//! host that it is asked for, also where the certificate is refused, where a proxy asks
//! who is there, and where nothing can be had at all.
#![allow(clippy::unwrap_used, clippy::expect_used, reason = "a test may panic")]

use std::collections::BTreeSet;
use std::io::{BufRead as _, BufReader, Write as _};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::{Arc, Mutex};
use wss_lab::lab::{Lab, LabConfig};

/// How the proxy answers.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Manner {
    /// Tunnels to the target.
    Tunnel,
    /// 407 to everybody.
    Asks,
    /// 403 to everybody.
    Refuses,
}

/// A proxy that keeps a list of the hosts that it was asked for.
fn proxy(manner: Manner, target: SocketAddr) -> (u16, Arc<Mutex<BTreeSet<String>>>) {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let port = listener.local_addr().unwrap().port();
    let asked = Arc::new(Mutex::new(BTreeSet::new()));
    let list = asked.clone();
    // Ends with the test's process.
    std::thread::spawn(move || {
        for stream in listener.incoming().flatten() {
            let list = list.clone();
            std::thread::spawn(move || serve(stream, manner, target, &list));
        }
    });
    (port, asked)
}

fn serve(
    mut client: TcpStream,
    manner: Manner,
    target: SocketAddr,
    list: &Mutex<BTreeSet<String>>,
) {
    let mut reader = BufReader::new(client.try_clone().unwrap());
    let (mut first, mut line) = (String::new(), String::new());
    let _ = reader.read_line(&mut first);
    while reader.read_line(&mut line).is_ok_and(|n| n > 2) {
        line.clear();
    }
    let Some(url) = first.split(' ').nth(1) else { return };
    let rest = url.split_once("://").map_or(url, |(_, rest)| rest);
    let place = rest.split('/').next().unwrap_or_default();
    let host = place.rsplit_once(':').map_or(place, |(host, _)| host);
    list.lock().unwrap().insert(host.to_owned());
    let answer = match manner {
        Manner::Asks => {
            "HTTP/1.1 407 x\r\nProxy-Authenticate: Negotiate\r\nProxy-Authenticate: NTLM\r\n\
             Content-Length: 0\r\nConnection: close\r\n\r\n"
        }
        Manner::Tunnel if first.starts_with("CONNECT") => "HTTP/1.1 200 open\r\n\r\n",
        _ => "HTTP/1.1 403 no\r\nContent-Length: 0\r\nConnection: close\r\n\r\n",
    };
    if client.write_all(answer.as_bytes()).is_err() || !answer.contains(" 200 ") {
        return;
    }
    let Ok(mut server) = TcpStream::connect(target) else { return };
    let (mut back, mut there) = (client.try_clone().unwrap(), server.try_clone().unwrap());
    std::thread::spawn(move || {
        let _ = std::io::copy(&mut server, &mut back);
        let _ = back.shutdown(std::net::Shutdown::Write);
    });
    let _ = std::io::copy(&mut reader, &mut there);
    let _ = there.shutdown(std::net::Shutdown::Write);
}

fn program() -> PathBuf {
    let path = Path::new(env!("CARGO_BIN_EXE_wss-lab")).with_file_name("wss-collector");
    assert!(path.is_file(), "{} is missing: cargo build --workspace", path.display());
    path
}

fn only_the_target(browser: &str) {
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build().unwrap();
    let config = toml::from_str::<LabConfig>("[lb]\ntls = {}\n").unwrap();
    let lab = runtime.block_on(Lab::start(&config)).unwrap();
    for (manner, trusted) in [
        (Manner::Tunnel, false),
        (Manner::Tunnel, true),
        (Manner::Asks, true),
        (Manner::Refuses, true),
    ] {
        let (port, asked) = proxy(manner, lab.addr());
        let folder = tempfile::tempdir().unwrap();
        let proxy = format!("http://127.0.0.1:{port}");
        let mut command = Command::new(program());
        for name in ["http_proxy", "https_proxy", "all_proxy", "no_proxy"] {
            command.env_remove(name).env_remove(name.to_uppercase());
        }
        if trusted {
            command.arg("--cacert").arg(lab.trust_file());
        }
        let output = command
            .env("HOME", folder.path())
            .env("XDG_CURRENT_DESKTOP", "XFCE")
            .args(["--json", "--no-input", "--hold", "4s", "-o", "b.zip", "-x", &proxy])
            .arg(format!("--browser={browser}"))
            .arg(lab.target())
            .current_dir(folder.path())
            .output()
            .unwrap();
        assert!(folder.path().join("b.zip").is_file(), "{output:?}");
        let json: serde_json::Value = serde_json::from_slice(&output.stdout).unwrap();
        // It ran, and saw what there was to see.
        let bundle = wss_bundle::read::file(&folder.path().join("b.zip"), &Default::default());
        let seen = bundle.unwrap().bundle.observations.browser;
        assert!(!seen.is_empty(), "{manner:?}: {}", String::from_utf8_lossy(&output.stderr));
        let asked: Vec<String> = asked.lock().unwrap().iter().cloned().collect();
        assert_eq!(asked, [lab.host.as_str()], "{browser}, {manner:?}, trusted: {trusted}");
        // A refused certificate and a proxy's 407 are two things.
        let cause = json["diagnosis"]["verdict"]["cause"].as_str().unwrap();
        let expected: &[&str] = match (manner, trusted) {
            (Manner::Tunnel, true) => &["none", "browser-only"],
            (Manner::Tunnel, false) => &["tls-untrusted", "tls-intercepted"],
            (Manner::Asks, _) => &["proxy-auth-required"],
            (Manner::Refuses, _) => &["proxy-refuses-tunnel"],
        };
        assert!(expected.contains(&cause), "{manner:?}, {trusted}: {json:#}");
    }
}

#[test]
fn chromium_asks_nobody_but_the_target() {
    only_the_target("/usr/bin/chromium");
}

#[test]
fn firefox_asks_nobody_but_the_target() {
    only_the_target("/usr/bin/firefox-esr");
}
